/* Layer 1: tile records.  Every buffer has just the size that the API asks for and ends at a guard page. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

/* A record, with the bytes that it must decode to. */
typedef struct tile {
    unsigned char *record;
    size_t size;
    const unsigned char *data;
    size_t data_size;
} tile;

#define PLAIN_SPLITS 15     /* without a table; for the others see test_palette.c */

static const unsigned char split_dtype[PLAIN_SPLITS] = {
    WCODEC_U8, WCODEC_U16, WCODEC_I32, WCODEC_U64, WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_F64,
    WCODEC_F8_E4M3, WCODEC_F8_E5M2, WCODEC_U4, WCODEC_BF16, WCODEC_F16, WCODEC_F32,
    WCODEC_U8 /* for BLOCKS, which only blocks can be split by: see test_gguf.c */ };

/* Encodes into a buffer of just the bound; the caller frees the record. */
static tile encode(unsigned dtype, uint64_t row, const unsigned char *data, size_t size,
                   const wcodec_tile_options *options)
{
    const size_t bound = wcodec_tile_bound(size);
    test_guard src = test_guard_copy(data, size), dst = test_guard_new(bound);
    test_guard scratch = test_guard_new(wcodec_tile_encode_scratch(size));
    tile t;
    t.size = wcodec_tile_encode(dtype, row, src.data, size, NULL, options, dst.data, bound, scratch.data,
                                scratch.size);
    t.data = data;
    t.data_size = size;
    t.record = (unsigned char *)test_malloc(t.size);
    CHECK(t.size > 0 && t.size <= bound && t.size % 8 == 0);
    if (t.size <= bound) memcpy(t.record, dst.data, t.size);
    CHECK_MEM(src.data, data, size);
    test_guard_free(&src);
    test_guard_free(&dst);
    test_guard_free(&scratch);
    return t;
}

/* Decodes `size` bytes of a record, in exact buffers, over old memory full of `fill`. */
static wcodec_status decode(const unsigned char *record, size_t size, size_t dst_size, int fill, int no_crc,
                            unsigned char *back)
{
    test_guard src = test_guard_copy(record, size), dst = test_guard_new(dst_size);
    test_guard scratch = test_guard_new(wcodec_tile_decode_scratch(dst_size, 0));
    wcodec_error err;
    wcodec_status st;
    memset(&err, 0, sizeof err);
    memset(dst.data, fill, dst.size);
    memset(scratch.data, fill, scratch.size);
    st = wcodec_tile_decode(src.data, size, NULL, dst.data, dst.size, scratch.data, scratch.size, no_crc, 0, &err);
    if (st == WCODEC_OK) memcpy(back, dst.data, dst_size);
    else CHECK(err.status == st && err.what != NULL && err.offset <= size);
    test_guard_free(&src);
    test_guard_free(&dst);
    test_guard_free(&scratch);
    return st;
}

/* What the record says of itself is true. */
static void check_info(const tile *t, wcodec_tile_info *info)
{
    const size_t head = t->size < WCODEC_TILE_HEAD ? t->size : WCODEC_TILE_HEAD;
    unsigned i, width = 0;
    REQUIRE_OK(wcodec_tile_inspect(t->record, head, info, NULL));
    CHECK_EQ(info->record_size, t->size);
    CHECK_EQ(info->decoded_size, t->data_size);
    CHECK_EQ(info->crc, wcodec_crc32(0, t->data, t->data_size));
    CHECK(info->planes >= 1 && info->planes <= WCODEC_MAX_PLANES);
    for (i = 0; i < info->planes; i++) {
        width += info->plane[i].width;
        CHECK(info->plane[i].offset + info->plane[i].size <= t->size);
        CHECK(info->plane[i].size < 256 || info->plane[i].offset % 8 == 0);
    }
    if (info->split < PLAIN_SPLITS) CHECK_EQ(width, 8 * info->unit);
    else CHECK(info->planes == 1 && width <= 8 && info->table_size > 0);
}

/* Encode, look, decode, compare.  `info` may be NULL. */
static void round_trip(unsigned dtype, uint64_t row, const unsigned char *data, size_t size,
                       const wcodec_tile_options *options, wcodec_tile_info *info)
{
    wcodec_tile_info own;
    const tile t = encode(dtype, row, data, size, options);
    unsigned char *back = (unsigned char *)test_malloc(size);
    if (info == NULL) info = &own;
    memset(info, 0, sizeof *info);
    check_info(&t, info);
    if (CHECK_STATUS(decode(t.record, t.size, size, 0, 0, back), WCODEC_OK)) CHECK_MEM(back, data, size);
    if (options == NULL) CHECK(t.size <= size + 64);
    free(back);
    free(t.record);
}

/* ---- round trips ---- */

static uint64_t some_row(test_random *r, size_t units)
{
    static const uint64_t rows[] = { 0, 1, 2, 7, 32, 64, 100 };
    const size_t i = test_below(r, 10);
    return i < 7 ? rows[i] : i == 7 ? units : i == 8 ? units + 1 : UINT64_C(1) << 40;
}

/* Every dtype, kind of data and awkward size, the encoder free to choose. */
static void every_dtype(void)
{
    static const size_t units[] = { 1, 2, 31, 32, 33, 63, 64, 65, 127, 1000, 4096 };
    unsigned char *data = (unsigned char *)test_malloc(4096 * 8);
    test_random r = test_random_new(1);
    unsigned dtype, kind;
    size_t i;
    for (dtype = 0; dtype <= WCODEC_U4; dtype++)
        for (kind = 0; kind < MAKE_KINDS; kind++)
            for (i = 0; i < sizeof units / sizeof *units; i++) {
                /* C64 has units of half an element: an even number of them is whole. */
                const size_t n = dtype == WCODEC_C64 ? units[i] + units[i] % 2 : units[i];
                const uint64_t row = some_row(&r, n);
                const size_t size = n * make_unit(dtype);
                test_note("dtype %u, %s, %zu units", dtype, make_kind_name((make_kind)kind), n);
                make_fill(&r, (make_kind)kind, dtype, (size_t)(row < n ? row : 0), data, size);
                round_trip(dtype, row, data, size, NULL, NULL);
            }
    free(data);
}

/* The usual size of a tile. */
static void full_tiles(void)
{
    static const unsigned char dtypes[] = { WCODEC_U8, WCODEC_U4, WCODEC_BF16, WCODEC_F16, WCODEC_F32,
                                            WCODEC_F64 };
    unsigned char *data = (unsigned char *)test_malloc(65536 * 8);
    test_random r = test_random_new(2);
    unsigned kind;
    size_t i;
    for (i = 0; i < sizeof dtypes; i++)
        for (kind = 0; kind < MAKE_KINDS; kind++) {
            const size_t size = (size_t)65536 * make_unit(dtypes[i]);
            test_note("dtype %u, %s", (unsigned)dtypes[i], make_kind_name((make_kind)kind));
            make_fill(&r, (make_kind)kind, dtypes[i], 512, data, size);
            round_trip(dtypes[i], 512, data, size, NULL, NULL);
        }
    free(data);
}

/* Each split, coder and predictor alone, on data of every kind. */
static void every_choice(void)
{
    static const size_t units[] = { 1, 33, 64, 700 };
    unsigned char data[700 * 8];
    test_random r = test_random_new(3);
    wcodec_tile_options o = { 0, 0, 0, 0, 0 };
    wcodec_tile_info info;
    unsigned split, coder, predictor, kind;
    unsigned long used[WCODEC_CODER_COUNT] = { 0 }, predicted[WCODEC_PREDICT_COUNT] = { 0 };
    for (split = 0; split < PLAIN_SPLITS; split++)
        for (coder = 0; coder < WCODEC_CODER_COUNT; coder++)
            for (predictor = 0; predictor < WCODEC_PREDICT_COUNT; predictor++)
                for (kind = 0; kind < MAKE_KINDS; kind++) {
                    const unsigned dtype = split_dtype[split];
                    const size_t n = units[test_below(&r, 4)], size = n * make_unit(dtype);
                    unsigned i;
                    o.splits = 1u << split;
                    o.coders = 1u << coder;
                    o.predictors = 1u << predictor;
                    test_note("split %u, coder %u, predictor %u, %s, %zu units", split, coder, predictor,
                              make_kind_name((make_kind)kind), n);
                    make_fill(&r, (make_kind)kind, dtype, 40, data, size);
                    round_trip(dtype, 40, data, size, &o, &info);
                    CHECK_EQ(info.split, split == WCODEC_SPLIT_BLOCKS ? 0 : split);
                    CHECK(info.predictor == predictor || info.predictor == WCODEC_PREDICT_NONE);
                    predicted[info.predictor]++;
                    for (i = 0; i < info.planes; i++) {
                        CHECK(info.plane[i].coder == coder || info.plane[i].coder == WCODEC_CODER_RAW);
                        used[info.plane[i].coder]++;
                        predicted[info.plane[i].predictor]++;
                    }
                }
    test_note("all coders and predictors came up");     /* classes and scales: see scaled_tiles */
    for (coder = 0; coder <= WCODEC_CODER_RANS256; coder++) CHECK(used[coder] > 100);
    for (predictor = 0; predictor <= WCODEC_PREDICT_UP; predictor++) CHECK(predicted[predictor] > 100);
}

/* A matrix whose rows and columns differ in size, from unit `phase` on. */
static void make_matrix(test_random *r, unsigned dtype, size_t columns, size_t phase, size_t n, unsigned char *data)
{
    const unsigned unit = make_unit(dtype);
    const unsigned shift = dtype == WCODEC_BF16 ? 7 : dtype == WCODEC_F16 ? 10 : dtype == WCODEC_F32 ? 23
                         : dtype == WCODEC_F8_E4M3 ? 3 : 2;
    const unsigned bits = dtype == WCODEC_BF16 || dtype == WCODEC_F32 ? 8 : dtype == WCODEC_F8_E4M3 ? 4 : 5;
    const unsigned top = bits == 8 ? 118 : bits == 5 ? 18 : 11;
    size_t i;
    for (i = 0; i < n; i++) {
        const size_t row = (phase + i) / columns, column = (phase + i) % columns;
        const unsigned scale = (unsigned)((row * 2654435761u >> 7) % 3 + (column * 40503u >> 5) % 3);
        uint64_t x = test_next(r);
        unsigned e = 0, k;
        while (e < 6 && (x >> 60 & 1)) {        /* each octave is half as likely */
            e++;
            x = test_next(r);
        }
        x = (x & ~((((uint64_t)1 << bits) - 1) << shift)) | (uint64_t)(top - scale - e) << shift;
        for (k = 0; k < unit; k++) data[i * unit + k] = (unsigned char)(x >> 8 * k);
    }
}

/* Encodes with scales, decodes with them, and with what is not quite them.  Returns what the tile uses: 1 classes,
 * 2 scales. */
static int scaled_round_trip(unsigned dtype, size_t columns, size_t phase, size_t n, unsigned profile,
                             test_random *r)
{
    const size_t size = n * make_unit(dtype), bound = wcodec_tile_bound(size);
    const size_t fit = wcodec_scales_fit_scratch(columns), need = wcodec_tile_encode_scratch(size);
    const size_t room = wcodec_tile_decode_scratch(size, 0);
    const size_t scratch_size = fit > need ? fit : need;
    unsigned char *data = (unsigned char *)test_malloc(size), *scale = (unsigned char *)test_malloc(columns);
    unsigned char *record = (unsigned char *)test_malloc(bound), *back = (unsigned char *)test_malloc(size);
    unsigned char *scratch = (unsigned char *)test_malloc(scratch_size > room ? scratch_size : room);
    wcodec_tile_options o = { 0, 0, 0, 0, 0 };
    wcodec_tile_inputs scales = { NULL, 0, 0, NULL, 0 };
    wcodec_tile_info info;
    size_t made, again;
    unsigned k, used = 0;
    o.profile = profile;
    make_matrix(r, dtype, columns, 0, n, data);         /* the group begins with column 0 */
    CHECK(wcodec_scales_fit(dtype, data, size, columns, 0, scale, scratch, fit) == 1);
    CHECK_EQ(wcodec_scales_fit(dtype, data, size, columns, 0, scale, scratch, fit - 1), 0);
    make_matrix(r, dtype, columns, phase, n, data);
    scales.scales = scale;
    scales.columns = columns;
    scales.phase = phase;
    made = wcodec_tile_encode(dtype, columns, data, size, &scales, &o, record, bound, scratch, need);
    again = wcodec_tile_encode(dtype, columns, data, size, NULL, &o, back, 0, scratch, need);
    CHECK_EQ(again, 0);
    if (CHECK(made > 0) && CHECK_STATUS(wcodec_tile_inspect(record, made, &info, NULL), WCODEC_OK)) {
        for (k = 0; k < info.planes; k++) {
            if (info.plane[k].coder == WCODEC_CODER_CLASSES) used |= 1;
            if (info.plane[k].predictor == WCODEC_PREDICT_SCALE) used |= 2;
        }
        CHECK(!info.scaled == !(used & 2));
        CHECK_STATUS(wcodec_tile_decode(record, made, &scales, back, size, scratch, room, 0, 0, NULL), WCODEC_OK);
        CHECK_MEM(back, data, size);
        if (info.scaled) {
            CHECK_STATUS(wcodec_tile_decode(record, made, NULL, back, size, scratch, room, 0, 0, NULL),
                         WCODEC_E_CORRUPT);
            scales.columns = phase < 8 ? 7 : phase;
            CHECK_STATUS(wcodec_tile_decode(record, made, &scales, back, size, scratch, room, 0, 0, NULL),
                         WCODEC_E_CORRUPT);
            scales.columns = columns;
            scale[columns / 2] = (unsigned char)(scale[columns / 2] + 4);
            CHECK(wcodec_tile_decode(record, made, &scales, back, size, scratch, room, 0, 0, NULL) < 0);
        }
    }
    free(data);
    free(scale);
    free(record);
    free(back);
    free(scratch);
    return (int)used;
}

static void scaled_tiles(void)
{
    static const unsigned char dtypes[] = { WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_F8_E4M3, WCODEC_F8_E5M2 };
    static const size_t columns[] = { 8, 33, 100, 512, 2000 };
    test_random r = test_random_new(31);
    unsigned profile, all = 0;
    size_t i, k;
    for (i = 0; i < sizeof dtypes; i++)
        for (k = 0; k < sizeof columns / sizeof *columns; k++)
            for (profile = WCODEC_PROFILE_FAST; profile <= WCODEC_PROFILE_DENSE; profile++) {
                const size_t phase = k % 2 ? (size_t)test_below(&r, columns[k]) : 0;
                const size_t n = columns[k] * (20000 / columns[k] + 1) + (k == 3 ? 77 : 0);
                int used;
                test_note("dtype %u, %zu columns, phase %zu, profile %u", (unsigned)dtypes[i], columns[k], phase,
                          profile);
                used = scaled_round_trip(dtypes[i], columns[k], phase, n, profile, &r);
                if (columns[k] >= 100 && dtypes[i] != WCODEC_F8_E5M2) CHECK_EQ(used & 3, 3);
                all |= (unsigned)used;
            }
    CHECK_EQ(all, 3);
}

/* Encodes in exact buffers, with each set of kernels, and decodes.  Returns the record's size. */
static size_t exact_round_trip(unsigned dtype, const unsigned char *data, size_t size, const wcodec_tile_inputs *scales,
                               unsigned profile)
{
    static const unsigned off[] = { 0, WCODEC_CPU_AVX512, WCODEC_CPU_AVX2, WCODEC_CPU_ALL };
    const size_t bound = wcodec_tile_bound(size), columns = scales ? scales->columns : 0;
    test_guard src = test_guard_copy(data, size), dst = test_guard_new(bound), back = test_guard_new(size);
    test_guard scratch = test_guard_new(wcodec_tile_encode_scratch(size));
    test_guard room = test_guard_new(wcodec_tile_decode_scratch(size, 0));
    unsigned char *first = (unsigned char *)test_malloc(bound);
    wcodec_tile_options o = { 0, 0, 0, 0, 0 };
    size_t made = 0, k;
    o.profile = profile;
    for (k = 0; k < 4; k++) {
        size_t one;
        o.cpu_off = off[k];
        one = wcodec_tile_encode(dtype, columns, src.data, size, scales, &o, dst.data, bound, scratch.data, scratch.size);
        if (k == 0) memcpy(first, dst.data, made = one);
        if (CHECK_EQ(one, made)) CHECK_MEM(dst.data, first, made);
        CHECK_STATUS(wcodec_tile_decode(dst.data, one, scales, back.data, size, room.data, room.size, 0, off[k],
                                        NULL), WCODEC_OK);
        CHECK_MEM(back.data, data, size);
    }
    test_guard_free(&src);
    test_guard_free(&dst);
    test_guard_free(&back);
    test_guard_free(&scratch);
    test_guard_free(&room);
    free(first);
    return made;
}

/* What the encoder looks at says that scales and classes pay, and the rest that they do not: `part` in 100 of it are
 * exponents of any size.  `wrap`: exponents less their scales are around 0, or 256. */
static void scales_that_disappoint(void)
{
    static const size_t columns[] = { 8, 64, 512, 2048 };
    static unsigned char data[2 * 65536], scale[2048];
    test_random r = test_random_new(32);
    unsigned part, profile, wrap;
    size_t k, i;
    for (i = 0; i < sizeof scale; i++) scale[i] = (unsigned char)(i % 16);
    for (k = 0; k < 4; k++)
        for (part = 0; part <= 100; part += 20)
            for (wrap = 0; wrap < 2; wrap++) {
                wcodec_tile_inputs scales = { NULL, 0, 0, NULL, 0 };
                scales.scales = scale;
                scales.columns = columns[k];
                scales.phase = 0;
                for (i = 0; i < sizeof data / 2; i++) {
                    const unsigned q = (unsigned)(60 + i % columns[k] % 16 + i / columns[k] % 24);
                    const unsigned a = (unsigned)test_below(&r, 16), b = (unsigned)test_below(&r, 16);
                    unsigned step = 0, e, x;
                    while (step < 6 && (test_next(&r) & 1)) step++;
                    e = (wrap ? 18 : 100) + q / 4 - step;
                    if (i % 2048 >= 512 && test_below(&r, 100) < part) e = (unsigned)test_next(&r);
                    /* the mantissa's upper bits lean to small values, more so above large exponents */
                    x = (e & 255) << 7 | (step ? a < b ? a : b : a & 3) << 3 | (unsigned)(test_next(&r) & 0x8007);
                    data[2 * i] = (unsigned char)x;
                    data[2 * i + 1] = (unsigned char)(x >> 8);
                }
                for (profile = WCODEC_PROFILE_FAST; profile <= WCODEC_PROFILE_DENSE; profile++) {
                    test_note("%zu columns, part %u, wrap %u, profile %u", columns[k], part, wrap, profile);
                    CHECK(exact_round_trip(WCODEC_BF16, data, sizeof data, &scales, profile) > 0);
                }
            }
}

/* The last values of narrow planes take the most beside what they are. */
static void narrow_planes(void)
{
    static unsigned char data[2 * 4200];
    test_random r = test_random_new(33);
    unsigned split;
    size_t n;
    test_fill(&r, data, sizeof data);
    for (split = 0; split < PLAIN_SPLITS; split++)
        for (n = 4090; n < 4168; n++) {
            const unsigned unit = make_unit(split_dtype[split]);
            const size_t size = n * 2 / unit * unit;
            static unsigned char back[2 * 4200];
            wcodec_tile_options o = { 0, 0, 0, 0, 0 };
            tile t;
            o.splits = 1u << split;
            t = encode(split_dtype[split], 0, data, size, &o);
            test_note("split %u, %zu bytes", split, size);
            CHECK_STATUS(decode(t.record, t.size, size, 0, 0, back), WCODEC_OK);
            CHECK_MEM(back, data, size);
            free(t.record);
        }
}

static void scales_arguments(void)
{
    static unsigned char data[4096], scale[64], scratch[4096];
    const size_t need = wcodec_scales_fit_scratch(64);
    CHECK(need > 0 && need <= sizeof scratch);
    CHECK_EQ(wcodec_scales_fit_scratch((size_t)-1), 0);
    CHECK_EQ(wcodec_scales_fit(WCODEC_I8, data, 4096, 64, 0, scale, scratch, need), 0);
    CHECK_EQ(wcodec_scales_fit(99, data, 4096, 64, 0, scale, scratch, need), 0);
    CHECK_EQ(wcodec_scales_fit(WCODEC_BF16, data, 4096, 7, 0, scale, scratch, need), 0);
    CHECK_EQ(wcodec_scales_fit(WCODEC_BF16, data, 128, 64, 0, scale, scratch, need), 0);    /* one row */
    CHECK_EQ(wcodec_scales_fit(WCODEC_BF16, NULL, 4096, 64, 0, scale, scratch, need), 0);
    CHECK_EQ(wcodec_scales_fit(WCODEC_BF16, data, 4096, 64, 0, scale, scratch, need), 0);   /* all zero: nothing to save */
}

/* Bytes of any dtype by the splits of any other: the dtype does not bind them. */
static void foreign_splits(void)
{
    unsigned char data[800];
    test_random r = test_random_new(4);
    wcodec_tile_options o = { 0, 0, 0, 0, 0 };
    unsigned split, dtype;
    o.coders = o.predictors = ~0u;
    for (dtype = 0; dtype <= WCODEC_U4; dtype++)
        for (split = 0; split < PLAIN_SPLITS; split++) {
            wcodec_tile_info info;
            o.splits = 1u << split;
            test_note("dtype %u by split %u", dtype, split);
            make_fill(&r, MAKE_WEIGHTS, dtype, 0, data, sizeof data);
            round_trip(dtype, 10, data, sizeof data, &o, &info);
        }
}

/* One symbol in 65536 differs; and the longest codes that frequencies can ask for. */
static void extreme_frequencies(void)
{
    unsigned char *data = (unsigned char *)test_malloc(65536);
    unsigned coder, width;
    wcodec_tile_options o = { 0, 0, 0, 0, 0 };
    size_t i, n;
    o.predictors = 1;
    for (coder = 0; coder < WCODEC_CODER_COUNT; coder++)
        for (width = 0; width < 2; width++) {
            const unsigned dtype = width ? WCODEC_U8 : WCODEC_U4;
            o.coders = 1u << coder;
            o.splits = width ? 1u << WCODEC_SPLIT_BYTE : 1u << WCODEC_SPLIT_NIBBLES;
            test_note("coder %u, width %u", coder, width ? 8 : 4);
            memset(data, 0x33, 65536);
            data[40000] = 0x95;
            round_trip(dtype, 0, data, 65536, &o, NULL);
            for (i = 0; i < 65536; i++) {           /* value v occurs 65536 / 2^(v+1) times */
                n = 0;
                while (n < 15 && (i >> n & 1) != 0) n++;
                data[i] = (unsigned char)(width ? n * 7 : n * 17);
            }
            round_trip(dtype, 0, data, 65536, &o, NULL);
            for (i = 0; i < 65536; i++) data[i] = (unsigned char)i;
            round_trip(dtype, 0, data, 65536, &o, NULL);
        }
    free(data);
}

/* The largest tile, and one byte more. */
/* Counts of several shapes; returns their sum. */
static size_t some_counts(test_random *r, unsigned kind, uint32_t count[256])
{
    uint32_t a = 1, b = 1;
    size_t n = 0;
    unsigned i;
    memset(count, 0, 256 * sizeof *count);
    for (i = 0; i < 256; i++) {
        const unsigned s = (unsigned)test_below(r, 256);
        switch (kind % 6) {
        case 0: count[i] = 1; break;
        case 1: count[s] += (uint32_t)test_below(r, 300); break;
        case 2:                     /* the deepest Huffman tree */
            if (i >= 28) break;
            count[s] = a;
            a += b;
            b = a - b;
            break;
        case 3: count[s] = (uint32_t)test_below(r, 4) ? 0 : (uint32_t)test_below(r, 70000); break;
        case 4: count[i] = i == 7 ? 100000 : (uint32_t)test_below(r, 2); break;
        default: if (i < 2 + kind % 5) count[i * 31] = 1 + (uint32_t)test_below(r, 1000); break;
        }
    }
    count[3] += count[3] == 0;
    count[200] += count[200] == 0;
    for (i = 0; i < 256; i++) n += count[i];
    return n;
}

/* What the coders' tables are made with: sorting, code lengths, frequencies, and the division of rANS-256. */
static void tables(void)
{
    test_random r = test_random_new(77);
    unsigned kind, i, m;
    for (kind = 0; kind < 600; kind++) {
        unsigned char symbol[256], length[256], longest = 0;
        uint32_t count[256], some[256], freq[256], sum = 0;
        uint64_t kraft = 0;
        const size_t n = some_counts(&r, kind, count);
        test_note("number %u", kind);
        m = wcodeci_sort_counts(count, symbol);
        for (i = 1; i < m; i++)
            CHECK(count[symbol[i - 1]] < count[symbol[i]]
                  || (count[symbol[i - 1]] == count[symbol[i]] && symbol[i - 1] < symbol[i]));
        for (i = 0; i < m; i++) CHECK(count[symbol[i]] > 0);
        for (i = 0; i < 256; i++) sum += count[i] != 0;
        CHECK_EQ(sum, m);
        wcodeci_huff_lengths(count, symbol, m, length);
        for (i = 0; i < 256; i++) {
            CHECK_EQ(length[i] != 0, count[i] != 0);
            if (length[i]) kraft += 2048u >> length[i];
            if (length[i] > longest) longest = length[i];
        }
        CHECK(longest <= 11 && kraft == 2048);
        for (i = 1; i < m; i++) CHECK(length[symbol[i - 1]] >= length[symbol[i]]);
        for (i = 0; i < m; i++) some[i] = count[symbol[i]];
        wcodeci_normalise(some, m, n, 12, freq);
        for (i = 0, sum = 0; i < m; sum += freq[i++]) CHECK(freq[i] >= 1 && freq[i] < 4096);
        CHECK_EQ(sum, 4096);
    }
}

static void rans256_division(void)
{
    static wcodeci_rans256_model model;
    wcodeci_rans256_code code[256];
    test_random r = test_random_new(78);
    unsigned f, i;
    for (f = 1; f < 4096; f++) {
        memset(&model, 0, sizeof model);
        model.freq[5] = (uint16_t)f;
        model.freq[9] = (uint16_t)(4096 - f);
        wcodeci_rans256_codes(&model, code);
        for (i = 0; i < 40; i++) {
            unsigned char room[4] = { 0 }, *p = room + 3;
            uint32_t q = (uint32_t)test_next(&r), state, x;
            q = i < 4 ? (i & 1 ? ((uint32_t)1 << 20) - 1 : 16) : 16 + q % (((uint32_t)1 << 20) - 16);
            x = q * f + (i & 2 ? 0 : f - 1);            /* a multiple, or the last before the next */
            if (x < 65536) continue;
            state = x;
            p = wcodeci_rans256_put(&code[5], &state, p);
            CHECK(p == room + 3);
            CHECK_EQ(state, (x / f << 12) + x % f);
        }
    }
}

static void largest_tile(void)
{
    const size_t size = WCODEC_MAX_TILE_BYTES;
    unsigned char *data = (unsigned char *)test_malloc(size + 1), *dst, *scratch;
    test_random r = test_random_new(5);
    size_t bound = wcodec_tile_bound(size);
    make_fill(&r, MAKE_WEIGHTS, WCODEC_BF16, 0, data, size + 1);
    round_trip(WCODEC_BF16, 4096, data, size, NULL, NULL);
    dst = (unsigned char *)test_malloc(bound + 64);
    scratch = (unsigned char *)test_malloc(wcodec_tile_encode_scratch(size) + 64);
    CHECK_EQ(wcodec_tile_encode(WCODEC_U8, 0, data, size + 1, NULL, NULL, dst, bound + 64, scratch,
                                wcodec_tile_encode_scratch(size) + 64), 0);
    free(dst);
    free(scratch);
    free(data);
}

/* ---- promises ---- */

/* The bound adds the fields, padding, and the groups of 64 that raw planes below 8 bits are filled to (63
 * units of at most 2 bytes, as the splits stand). */
static void bound_is_tight(void)
{
    size_t size;
    for (size = 1; size <= WCODEC_MAX_TILE_BYTES; size = size * 2 + size % 3) {
        CHECK(wcodec_tile_bound(size) > size);
        CHECK(wcodec_tile_bound(size) <= size + WCODEC_TILE_HEAD + 8 * WCODEC_MAX_PLANES + 128);
    }
}

static void same_bytes_twice(void)
{
    unsigned char data[3000];
    test_random r = test_random_new(6);
    unsigned dtype, kind;
    for (dtype = 1; dtype <= WCODEC_U4; dtype++)
        for (kind = 0; kind < MAKE_KINDS; kind++) {
            tile a, b;
            make_fill(&r, (make_kind)kind, dtype, 50, data, 2400);
            a = encode(dtype, 50, data, 2400, NULL);
            b = encode(dtype, 50, data, 2400, NULL);
            CHECK_EQ(a.size, b.size);
            CHECK_MEM(a.record, b.record, a.size < b.size ? a.size : b.size);
            free(a.record);
            free(b.record);
        }
}

/* A forced coder is never smaller than the free choice. */
static void best_is_smallest(void)
{
    unsigned char data[4000];
    test_random r = test_random_new(7);
    unsigned split, coder, kind;
    for (split = 0; split < PLAIN_SPLITS; split++)
        for (kind = 0; kind < MAKE_KINDS; kind++) {
            const unsigned dtype = split_dtype[split];
            tile best;
            make_fill(&r, (make_kind)kind, dtype, 100, data, sizeof data);
            best = encode(dtype, 100, data, sizeof data, NULL);
            for (coder = 0; coder < WCODEC_CODER_COUNT; coder++) {
                wcodec_tile_options o = { 0, 0, 0, 0, 0 };
                tile one;
                o.coders = 1u << coder | 1u;
                o.predictors = 1u << (coder % WCODEC_PREDICT_COUNT);
                one = encode(dtype, 100, data, sizeof data, &o);
                test_note("split %u, coder %u, %s", split, coder, make_kind_name((make_kind)kind));
                CHECK(best.size <= one.size);
                free(one.record);
            }
            free(best.record);
        }
}

/* Opaque bytes which are numbers are coded as such: any split's planes keep their bytes apart. */
static void guessed_bytes(void)
{
    static const struct { unsigned dtype, splits; } list[] = {
        { WCODEC_BF16, 1u << WCODEC_SPLIT_BF16 | 1u << WCODEC_SPLIT_BF16_4 },
        { WCODEC_F16, 1u << WCODEC_SPLIT_F16 | 1u << WCODEC_SPLIT_F16_4 | 1u << WCODEC_SPLIT_BF16 },
        { WCODEC_F32, 1u << WCODEC_SPLIT_F32 | 1u << WCODEC_SPLIT_F32_4 },
        { WCODEC_F64, 1u << WCODEC_SPLIT_F64 | 1u << WCODEC_SPLIT_WORD64 },
        { WCODEC_I16, 1u << WCODEC_SPLIT_WORD16 | 1u << WCODEC_SPLIT_BF16 | 1u << WCODEC_SPLIT_F16 | 1u << WCODEC_SPLIT_F16_4 },
        { WCODEC_I32, 1u << WCODEC_SPLIT_WORD32 | 1u << WCODEC_SPLIT_F32 } };
    static const size_t sizes[] = { 4096, 4104, 20000, 32768, 32776, 65536, 262144 };
    const size_t most = 262144 + 8;
    unsigned char *data = (unsigned char *)test_malloc(most);
    test_random r = test_random_new(11);
    size_t i, k, phase;
    unsigned profile;
    for (i = 0; i < sizeof list / sizeof *list; i++)
        for (k = 0; k < sizeof sizes / sizeof *sizes; k++)
            for (phase = 0; phase < 4; phase++) {
                const size_t size = sizes[k];
                wcodec_tile_options bytes = { 1u << WCODEC_SPLIT_BYTE, 0, 0, 0, 0 };
                wcodec_tile_info info;
                tile as_bytes, t;
                make_fill(&r, MAKE_WEIGHTS, list[i].dtype, 0, data, most);
                test_note("%zu bytes of dtype %u from byte %zu on", size, list[i].dtype, phase);
                round_trip(WCODEC_BYTES, 0, data + phase, size, NULL, &info);
                as_bytes = encode(WCODEC_BYTES, 0, data + phase, size, &bytes);
                t = encode(WCODEC_BYTES, 0, data + phase, size, NULL);
                CHECK(t.size <= as_bytes.size);
                if (size >= 20000) {        /* a few thousand say too little of F16 */
                    CHECK(t.size < as_bytes.size - as_bytes.size / 64);
                    CHECK_EQ(info.unit, make_unit(list[i].dtype));
                    if (phase == 0) CHECK(list[i].splits >> info.split & 1);
                }
                free(t.record);
                /* Not whole: bytes, and so are few. */
                round_trip(WCODEC_BYTES, 0, data + phase, size - 1, NULL, &info);
                CHECK_EQ(info.split, WCODEC_SPLIT_BYTE);
                round_trip(WCODEC_BYTES, 0, data + phase, 4088, NULL, &info);
                CHECK_EQ(info.split, WCODEC_SPLIT_BYTE);
                free(as_bytes.record);
            }
    for (profile = 0; profile < 2; profile++)
        for (k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            wcodec_tile_options o = { 0, 0, 0, 0, 0 };
            wcodec_tile_info info;
            o.profile = profile;
            test_note("%zu bytes that are no numbers", sizes[k]);
            test_fill(&r, data, sizes[k]);
            round_trip(WCODEC_BYTES, 0, data, sizes[k], &o, &info);
            CHECK_EQ(info.split, WCODEC_SPLIT_BYTE);
            for (i = 0; i < sizes[k]; i++) data[i] = (unsigned char)"etaoin shrdlu"[test_below(&r, 13)];
            round_trip(WCODEC_BYTES, 0, data, sizes[k], &o, &info);
            CHECK_EQ(info.split, WCODEC_SPLIT_BYTE);
            memset(data, 0, sizes[k]);
            round_trip(WCODEC_BYTES, 7, data, sizes[k], &o, &info);
            CHECK(info.split == WCODEC_SPLIT_BYTE && info.plane[0].coder == WCODEC_CODER_CONSTANT);
        }
    free(data);
}

static void wrong_arguments(void)
{
    unsigned char data[64], dst[1024], *scratch;
    const size_t bound = wcodec_tile_bound(64), need = wcodec_tile_encode_scratch(64);
    memset(data, 1, sizeof data);
    scratch = (unsigned char *)test_malloc(need);
    REQUIRE(bound <= sizeof dst);
    CHECK(wcodec_tile_encode(WCODEC_F32, 0, data, 64, NULL, NULL, dst, bound, scratch, need) != 0);
    CHECK_EQ(wcodec_tile_encode(WCODEC_F32, 0, data, 64, NULL, NULL, dst, bound - 1, scratch, need), 0);
    CHECK_EQ(wcodec_tile_encode(WCODEC_F32, 0, data, 64, NULL, NULL, dst, bound, scratch, need - 1), 0);
    CHECK_EQ(wcodec_tile_encode(WCODEC_F32, 0, data, 63, NULL, NULL, dst, bound, scratch, need), 0);
    CHECK_EQ(wcodec_tile_encode(WCODEC_F64, 0, data, 60, NULL, NULL, dst, bound, scratch, need), 0);
    CHECK_EQ(wcodec_tile_encode(WCODEC_F32, 0, data, 0, NULL, NULL, dst, bound, scratch, need), 0);
    CHECK_EQ(wcodec_tile_encode(WCODEC_F32, 0, NULL, 0, NULL, NULL, dst, bound, scratch, need), 0);
    CHECK_EQ(wcodec_tile_encode(25, 0, data, 64, NULL, NULL, dst, bound, scratch, need), 0);
    CHECK_EQ(wcodec_tile_encode(~0u, 0, data, 64, NULL, NULL, dst, bound, scratch, need), 0);
    free(scratch);
}

/* ---- broken records ---- */

/* Small records of all coders, one after the other; the caller frees t->record. */
static int small_record(unsigned number, unsigned char *data, tile *t)
{
    test_random r = test_random_new(number);
    const unsigned split = number % PLAIN_SPLITS,
        coder = number / PLAIN_SPLITS % WCODEC_CODER_COUNT;
    const unsigned kind = coder == WCODEC_CODER_CONSTANT ? MAKE_CONSTANT : coder == WCODEC_CODER_SPARSE
        ? MAKE_SPARSE
                        : coder == WCODEC_CODER_RAW ? MAKE_RANDOM : MAKE_WEIGHTS;
    const unsigned dtype = split_dtype[split];
    const size_t n = coder >= WCODEC_CODER_RANS16 ? 500 : 64;
    wcodec_tile_options o = { 0, 0, 0, 0, 0 };
    if (number >= PLAIN_SPLITS * WCODEC_CODER_COUNT) return 0;
    o.splits = 1u << split;
    o.coders = 1u << coder;
    o.predictors = 1u << (number % WCODEC_PREDICT_COUNT) | 1u;
    make_fill(&r, (make_kind)kind, dtype, 20, data, n * make_unit(dtype));
    *t = encode(dtype, 20, data, n * make_unit(dtype), &o);
    return 1;
}

/* A flip of any bit gives an error or, in bits that mean nothing, the right bytes; with no_crc, any bytes,
 * but always the same. */
static void every_flip(void)
{
    static unsigned char data[4096], back[2][4096];
    unsigned char *scratch = (unsigned char *)test_malloc(wcodec_tile_decode_scratch(4096, 0));
    unsigned number;
    tile t;
    for (number = 0; small_record(number, data, &t); number++) {
        const size_t need = wcodec_tile_decode_scratch(t.data_size, 0);
        size_t i, step = t.size > 600 ? 7 : 1;
        unsigned wrong = 0, unstable = 0;
        for (i = 0; i < t.size * 8; i += step) {
            wcodec_status st;
            int k;
            t.record[i / 8] ^= (unsigned char)(1u << i % 8);
            st = wcodec_tile_decode(t.record, t.size, NULL, back[0], t.data_size, scratch, need, 0, 0, NULL);
            if (st == WCODEC_OK && memcmp(back[0], data, t.data_size) != 0) wrong++;
            for (k = 0; k < 2; k++) {
                memset(back[k], k, t.data_size);
                memset(scratch, k, need);
                st = wcodec_tile_decode(t.record, t.size, NULL, back[k], t.data_size, scratch, need, 1, 0, NULL);
            }
            if (st == WCODEC_OK && memcmp(back[0], back[1], t.data_size) != 0) unstable++;
            t.record[i / 8] ^= (unsigned char)(1u << i % 8);
        }
        test_note("record %u", number);
        CHECK_EQ(wrong, 0);
        CHECK_EQ(unstable, 0);
        free(t.record);
    }
    free(scratch);
}

/* A record that ends early is TRUNCATED, wherever that is; the source ends at a guard page. */
static void every_truncation(void)
{
    static unsigned char data[4096], back[4096];
    unsigned number;
    tile t;
    for (number = 0; small_record(number, data, &t); number++) {
        size_t i;
        for (i = 0; i < t.size; i++) {
            test_guard src = test_guard_copy(t.record, i);
            wcodec_tile_info info;
            const wcodec_status st = wcodec_tile_inspect(src.data, i, &info, NULL);
            test_note("record %u of %zu bytes cut to %zu", number, t.size, i);
            CHECK(st == WCODEC_E_TRUNCATED || (st == WCODEC_OK && i >= 10));
            if (i >= WCODEC_TILE_HEAD) CHECK_STATUS(st, WCODEC_OK);
            test_guard_free(&src);
            if (i % 5 == 0 || i < 64 || i + 64 > t.size)
                CHECK_STATUS(decode(t.record, i, t.data_size, 0, 0, back), WCODEC_E_TRUNCATED);
        }
        free(t.record);
    }
}

static void wrong_sizes(void)
{
    static unsigned char data[4096], back[4097];
    unsigned number;
    tile t;
    for (number = 0; small_record(number, data, &t); number++) {
        const size_t need = wcodec_tile_decode_scratch(t.data_size, 0);
        unsigned char *scratch = (unsigned char *)test_malloc(need);
        test_note("record %u", number);
        CHECK_STATUS(decode(t.record, t.size, t.data_size + 1, 0, 0, back), WCODEC_E_CORRUPT);
        CHECK_STATUS(decode(t.record, t.size, t.data_size - 1, 0, 0, back), WCODEC_E_CORRUPT);
        CHECK_STATUS(wcodec_tile_decode(t.record, t.size, NULL, NULL, 0, scratch, need, 0, 0, NULL), WCODEC_E_CORRUPT);
        if (need != 0)
            CHECK_STATUS(wcodec_tile_decode(t.record, t.size, NULL, back, t.data_size, scratch, need - 1, 0, 0, NULL),
                         WCODEC_E_NO_SPACE);
        t.record[t.size > 8 ? 5 : 0] ^= 1;      /* one of the bytes of the CRC-32 */
        CHECK(decode(t.record, t.size, t.data_size, 0, 0, back) == WCODEC_E_CHECKSUM);
        CHECK_STATUS(decode(t.record, t.size, t.data_size, 0, 1, back), WCODEC_OK);
        CHECK_MEM(back, data, t.data_size);
        free(scratch);
        free(t.record);
    }
}

/* Noise is no record, and does no harm. */
static void noise(void)
{
    unsigned char record[200], dst[256],
        *scratch = (unsigned char *)test_malloc(wcodec_tile_decode_scratch(256, 0));
    test_random r = test_random_new(9);
    wcodec_tile_info info;
    unsigned i, fine = 0;
    CHECK_STATUS(wcodec_tile_inspect(NULL, 0, &info, NULL), WCODEC_E_TRUNCATED);
    for (i = 0; i < 20000; i++) {
        const size_t size = test_below(&r, sizeof record);
        test_fill(&r, record, size);
        if (size > 4) {
            record[0] = 'T';
            record[1] = (unsigned char)((size - 2) & 127);
            record[2] = (unsigned char)(record[2] % WCODEC_SPLIT_COUNT);
            record[3] = 0;
        }
        fine += wcodec_tile_decode(record, size, NULL, dst, 1 + test_below(&r, 256), scratch,
                                   wcodec_tile_decode_scratch(256, 0), 0, 0, NULL) == WCODEC_OK;
    }
    CHECK_EQ(fine, 0);
    free(scratch);
}

int main(void)
{
    RUN(every_dtype);
    RUN(full_tiles);
    RUN(every_choice);
    RUN(scaled_tiles);
    RUN(scales_that_disappoint);
    RUN(narrow_planes);
    RUN(scales_arguments);
    RUN(foreign_splits);
    RUN(extreme_frequencies);
    RUN(tables);
    RUN(rans256_division);
    RUN(largest_tile);
    RUN(bound_is_tight);
    RUN(same_bytes_twice);
    RUN(best_is_smallest);
    RUN(guessed_bytes);
    RUN(wrong_arguments);
    RUN(every_flip);
    RUN(every_truncation);
    RUN(wrong_sizes);
    RUN(noise);
    return test_end();
}
