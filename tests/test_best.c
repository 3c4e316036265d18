/* The profile BEST and the coder mix.  Buffers of tiles have just the size that the API asks for and end at a
 * guard page. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

#define MIX(info, k) ((info).plane[k].coder == WCODEC_CODER_MIX)

static wcodec_tile_options best_options(void)
{
    wcodec_tile_options options;
    memset(&options, 0, sizeof options);
    options.profile = WCODEC_PROFILE_BEST;
    return options;
}

/* The caller frees the record. */
static unsigned char *encode(unsigned dtype, uint64_t row, const unsigned char *data, size_t size,
                             const wcodec_tile_options *options, size_t *record_size)
{
    test_guard src = test_guard_copy(data, size), dst = test_guard_new(wcodec_tile_bound(size));
    test_guard scratch = test_guard_new(wcodec_tile_encode_scratch_best(size));
    unsigned char *record;
    memset(scratch.data, 0xA5, scratch.size);
    *record_size = wcodec_tile_encode(dtype, row, src.data, size, NULL, options, dst.data, dst.size, scratch.data,
                                      scratch.size);
    CHECK(*record_size > 0 && *record_size <= dst.size);
    record = (unsigned char *)test_malloc(*record_size);
    memcpy(record, dst.data, *record_size);
    test_guard_free(&src);
    test_guard_free(&dst);
    test_guard_free(&scratch);
    return record;
}

static wcodec_status decode(const unsigned char *record, size_t size, size_t dst_size, size_t scratch_size,
                            int fill, int no_crc, unsigned char *back)
{
    test_guard src = test_guard_copy(record, size), dst = test_guard_new(dst_size);
    test_guard scratch = test_guard_new(scratch_size);
    wcodec_error err;
    wcodec_status st;
    memset(&err, 0, sizeof err);
    memset(dst.data, fill, dst.size);
    memset(scratch.data, fill, scratch.size);
    st = wcodec_tile_decode(src.data, size, NULL, dst.data, dst.size, scratch.data, scratch.size, no_crc, 0, &err);
    if (st == WCODEC_OK) memcpy(back, dst.data, dst_size);
    else CHECK(err.status == st && err.what != NULL);
    test_guard_free(&src);
    test_guard_free(&dst);
    test_guard_free(&scratch);
    return st;
}

static unsigned mixed_planes(const unsigned char *record, size_t size)
{
    wcodec_tile_info info;
    unsigned k, mixed = 0;
    if (!CHECK_STATUS(wcodec_tile_inspect(record, size, &info, NULL), WCODEC_OK)) return 0;
    for (k = 0; k < info.planes; k++) mixed += MIX(info, k);
    return mixed;
}

/* Encode, decode, compare; the same with the least scratch where no plane is mixed.  Returns how many are. */
static unsigned round_trip(unsigned dtype, uint64_t row, const unsigned char *data, size_t size,
                           const wcodec_tile_options *options)
{
    size_t record_size;
    unsigned char *record = encode(dtype, row, data, size, options, &record_size);
    unsigned char *back = (unsigned char *)test_malloc(size);
    const unsigned mixed = mixed_planes(record, record_size);
    if (CHECK_STATUS(decode(record, record_size, size, wcodec_tile_decode_scratch(size, WCODEC_FEATURE_MIX), 0x5A, 0, back),
                     WCODEC_OK))
        CHECK_MEM(back, data, size);
    CHECK_STATUS(decode(record, record_size, size, wcodec_tile_decode_scratch(size, 0), 0, 0, back),
                 mixed ? WCODEC_E_NO_SPACE : WCODEC_OK);
    free(back);
    free(record);
    return mixed;
}

static void every_dtype(void)
{
    static const size_t units[] = { 1, 2, 33, 64, 700 };
    static const uint64_t rows[] = { 0, 1, 7, 64, 1000 };
    unsigned char *data = (unsigned char *)test_malloc(700 * 8);
    const wcodec_tile_options options = best_options();
    test_random r = test_random_new(1);
    unsigned dtype, kind, mixed = 0;
    size_t i;
    for (dtype = 0; dtype <= WCODEC_U4; dtype++)
        for (kind = 0; kind < MAKE_KINDS; kind++)
            for (i = 0; i < sizeof units / sizeof *units; i++) {
                const size_t n = dtype == WCODEC_C64 ? units[i] + units[i] % 2 : units[i];
                const uint64_t row = rows[test_below(&r, 5)];
                const size_t size = n * make_unit(dtype);
                test_note("dtype %u, %s, %zu units", dtype, make_kind_name((make_kind)kind), n);
                make_fill(&r, (make_kind)kind, dtype, (size_t)(row < n ? row : 0), data, size);
                mixed += round_trip(dtype, row, data, size, &options);
            }
    CHECK(mixed > 100);
    free(data);
}

/* Tiles of which a part is tried, and rows that are longer than the decoder's tables of columns. */
static void large_tiles(void)
{
    static const struct { unsigned dtype; make_kind kind; uint64_t row; size_t units; } some[] = {
        { WCODEC_BF16, MAKE_WEIGHTS, 100, 40000 }, { WCODEC_F32, MAKE_ROWS, 128, 20000 },
        { WCODEC_I8, MAKE_DOUBLING, 20000, 45000 }, { WCODEC_F16, MAKE_WEIGHTS, 17000, 40000 },
        { WCODEC_I64, MAKE_RAMP, 0, 9000 }, { WCODEC_BYTES, MAKE_SPARSE, 0, 40000 },
        { WCODEC_BF16, MAKE_EXPONENTS, 64, 30000 }, { WCODEC_F64, MAKE_WEIGHTS, 10, 9000 } };
    const wcodec_tile_options options = best_options();
    unsigned char *data = (unsigned char *)test_malloc(45000 * 8);
    test_random r = test_random_new(2);
    size_t i;
    for (i = 0; i < sizeof some / sizeof *some; i++) {
        const size_t size = some[i].units * make_unit(some[i].dtype);
        test_note("tile %zu", i);
        make_fill(&r, some[i].kind, some[i].dtype, (size_t)some[i].row, data, size);
        round_trip(some[i].dtype, some[i].row, data, size, &options);
    }
    free(data);
}

/* BEST is never larger than FAST but for a row length. */
static void best_is_small(void)
{
    const wcodec_tile_options options = best_options();
    unsigned char *data = (unsigned char *)test_malloc(3000 * 4);
    test_random r = test_random_new(3);
    unsigned kind;
    for (kind = 0; kind < MAKE_KINDS; kind++) {
        size_t fast, best;
        test_note("%s", make_kind_name((make_kind)kind));
        make_fill(&r, (make_kind)kind, WCODEC_F32, 50, data, 3000 * 4);
        free(encode(WCODEC_F32, 50, data, 3000 * 4, NULL, &fast));
        free(encode(WCODEC_F32, 50, data, 3000 * 4, &options, &best));
        CHECK(best <= fast + 8);
    }
    free(data);
}

static void wrong_arguments(void)
{
    static unsigned char data[256], dst[1024];
    wcodec_tile_options options = best_options();
    const size_t need = wcodec_tile_encode_scratch_best(sizeof data);
    unsigned char *scratch = (unsigned char *)test_malloc(need);
    CHECK(need > wcodec_tile_encode_scratch(sizeof data));
    CHECK_EQ(wcodec_tile_encode(WCODEC_U8, 0, data, sizeof data, NULL, &options, dst, sizeof dst, scratch, need - 1),
             0);
    CHECK(wcodec_tile_encode(WCODEC_U8, 0, data, sizeof data, NULL, &options, dst, sizeof dst, scratch, need) > 0);
    options.profile = WCODEC_PROFILE_BEST + 1;
    CHECK_EQ(wcodec_tile_encode(WCODEC_U8, 0, data, sizeof data, NULL, &options, dst, sizeof dst, scratch, need), 0);
    free(scratch);
}

/* ---- hostile records ---- */

/* BF16 whose sizes come in turn. */
static void fill_turns(test_random *r, unsigned char *data, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) {
        const unsigned noise = (unsigned)test_below(r, 65536), e = 100 + (unsigned)(i % 4) * 3 + (noise >> 15);
        data[2 * i] = (unsigned char)(e << 7 | (noise & 127));
        data[2 * i + 1] = (unsigned char)((noise >> 6 & 128) | e >> 1);
    }
}

/* Records with planes of each kind. */
static unsigned char *small_record(unsigned number, unsigned char *data, size_t *size, size_t *record_size)
{
    static const struct { unsigned dtype; make_kind kind; uint64_t row; size_t units; } some[] = {
        { WCODEC_BF16, MAKE_WEIGHTS, 0, 900 }, { WCODEC_I8, MAKE_DOUBLING, 20, 160 },
        { WCODEC_F16, MAKE_ROWS, 16, 128 }, { WCODEC_I32, MAKE_ROWS, 12, 200 },
        { WCODEC_F8_E4M3, MAKE_ROWS, 9, 400 }, { WCODEC_BF16, MAKE_EXPONENTS, 16, 200 } };
    static const char text[] = "layers.0.weight F32 [64,64] layers.0.bias F32 [64] layers.1.weight F32 [64,64] "
                               "layers.1.bias F32 [64] layers.2.weight F32 [64,64] layers.2.bias F32 [64]";
    const wcodec_tile_options options = best_options();
    test_random r = test_random_new(number);
    unsigned dtype = WCODEC_BYTES;
    uint64_t row = 0;
    if (number < sizeof some / sizeof *some) {
        dtype = some[number].dtype;
        row = some[number].row;
        *size = some[number].units * make_unit(dtype);
        make_fill(&r, some[number].kind, dtype, (size_t)row, data, *size);
        if (number == 0) fill_turns(&r, data, some[number].units);
    } else if (number == sizeof some / sizeof *some) {
        *size = sizeof text - 1;
        memcpy(data, text, *size);
    } else {
        return NULL;
    }
    return encode(dtype, row, data, *size, &options, record_size);
}

/* A flip of any bit gives an error or, in bits that mean nothing, the right bytes; with no_crc, any bytes, but
 * always the same. */
static void every_flip(void)
{
    static unsigned char data[2048], back[2][2048];
    unsigned char *record;
    unsigned number, mixed = 0;
    size_t size, record_size;
    for (number = 0; (record = small_record(number, data, &size, &record_size)) != NULL; number++) {
        const size_t need = wcodec_tile_decode_scratch(size, WCODEC_FEATURE_MIX);
        unsigned char *scratch = (unsigned char *)test_malloc(need);
        unsigned wrong = 0, unstable = 0;
        size_t i;
        test_note("record %u of %zu bytes from %zu", number, record_size, size);
        mixed += mixed_planes(record, record_size) > 0;
        for (i = 0; i < record_size * 8; i += i < 800 ? 1 : 5) {
            wcodec_status st;
            int k;
            record[i / 8] ^= (unsigned char)(1u << i % 8);
            st = wcodec_tile_decode(record, record_size, NULL, back[0], size, scratch, need, 0, 0, NULL);
            if (st == WCODEC_OK && memcmp(back[0], data, size) != 0) wrong++;
            for (k = 0; k < 2; k++) {
                memset(back[k], 255 * k, size);
                memset(scratch, 255 * k, need);
                st = wcodec_tile_decode(record, record_size, NULL, back[k], size, scratch, need, 1, 0, NULL);
            }
            if (st == WCODEC_OK && memcmp(back[0], back[1], size) != 0) unstable++;
            record[i / 8] ^= (unsigned char)(1u << i % 8);
        }
        CHECK_EQ(wrong, 0);
        CHECK_EQ(unstable, 0);
        free(scratch);
        free(record);
    }
    CHECK(mixed >= 3);
}

static void every_truncation(void)
{
    static unsigned char data[2048], back[2048];
    unsigned char *record;
    unsigned number;
    size_t size, record_size, i;
    for (number = 0; (record = small_record(number, data, &size, &record_size)) != NULL; number++) {
        for (i = 0; i < record_size; i += 3) {
            test_note("record %u of %zu bytes cut to %zu", number, record_size, i);
            CHECK_STATUS(decode(record, i, size, wcodec_tile_decode_scratch(size, WCODEC_FEATURE_MIX), 0, 0, back),
                         WCODEC_E_TRUNCATED);
        }
        free(record);
    }
}

/* Payloads of noise, in records that are right but for them. */
static void noise(void)
{
    static unsigned char data[2048], back[2048];
    unsigned char *record;
    unsigned number, k;
    size_t size, record_size;
    test_random r = test_random_new(7);
    for (number = 0; (record = small_record(number, data, &size, &record_size)) != NULL; number++) {
        wcodec_tile_info info;
        REQUIRE_OK(wcodec_tile_inspect(record, record_size, &info, NULL));
        for (k = 0; k < 60; k++) {
            unsigned plane = (unsigned)test_below(&r, info.planes);
            size_t keep = test_below(&r, 4);
            if (keep > info.plane[plane].size) keep = info.plane[plane].size;
            test_fill(&r, record + info.plane[plane].offset + keep, info.plane[plane].size - keep);
            (void)decode(record, record_size, size, wcodec_tile_decode_scratch(size, WCODEC_FEATURE_MIX), 255, 1, back);
        }
        free(record);
    }
}

/* ---- containers ---- */

static void make_best(make_container *c, unsigned profile, const wcodec_parallel *parallel)
{
    make_init(c, 5);
    c->options.tile.profile = profile;
    c->options.tile_units = 300;
    c->options.parallel = parallel;
    make_begin(c);
    make_original(c, "model", 0);
    make_bytes(c, NULL, "a header, a header, a header, a header, a header, a header", 58);
    make_tensor(c, "layers.0.attention.weight", WCODEC_BF16, 40, 16, MAKE_WEIGHTS);
    make_tensor(c, "layers.0.attention.bias", WCODEC_F32, 30, 0, MAKE_SPECIAL);
    make_tensor(c, "layers.1.attention.weight", WCODEC_I8, 40, 20, MAKE_DOUBLING);
    make_tensor(c, "layers.1.attention.bias", WCODEC_F16, 40, 1, MAKE_WEIGHTS);
    make_tensor(c, "layers.2.attention.weight", WCODEC_U4, 40, 20, MAKE_DOUBLING);
    make_tensor(c, "layers.2.attention.bias", WCODEC_I64, 40, 0, MAKE_RAMP);
    make_end(c);
}

static void check_all(const make_container *c)
{
    unsigned char *view;
    size_t size;
    make_pushed p = make_push_all(c->out.data, c->out.size, 100, 77, NULL, NULL);
    CHECK_STATUS(p.status, WCODEC_END);
    CHECK_EQ(p.bytes.size, c->view.size);
    if (p.bytes.size == c->view.size) CHECK_MEM(p.bytes.data, c->view.data, c->view.size);
    test_sink_free(&p.bytes);
    if (CHECK_STATUS(make_read_all(c->out.data, c->out.size, &view, &size), WCODEC_OK)) {
        CHECK_EQ(size, c->view.size);
        if (size == c->view.size) CHECK_MEM(view, c->view.data, size);
    }
    free(view);
}

static size_t scratch_of(const make_container *c)
{
    const wcodec_source source = wcodec_source_memory(c->out.data, c->out.size);
    wcodec_reader *reader = NULL;
    size_t need;
    if (!CHECK_STATUS(wcodec_reader_open(&reader, &source, NULL, NULL), WCODEC_OK)) return 0;
    need = wcodec_reader_scratch(reader);
    wcodec_reader_close(reader);
    return need;
}

/* The memory of mix is asked for by containers that may need it, and by no others. */
static void containers(void)
{
    make_container fast, best;
    make_best(&fast, WCODEC_PROFILE_FAST, NULL);
    make_best(&best, WCODEC_PROFILE_BEST, NULL);
    check_all(&fast);
    check_all(&best);
    CHECK(best.out.size < fast.out.size);
    CHECK_EQ(fast.out.data[16], 0);
    CHECK_EQ(best.out.data[16], 1);
    CHECK(scratch_of(&fast) < 200000);
    CHECK_EQ(scratch_of(&best) - scratch_of(&fast),
             wcodec_tile_decode_scratch(100, WCODEC_FEATURE_MIX) - wcodec_tile_decode_scratch(100, 0));
    make_free(&fast);
    make_free(&best);
}

static void set_features(make_container *c, uint32_t features)
{
    uint32_t crc;
    size_t size, i;
    size = (size_t)c->out.data[8] | (size_t)c->out.data[9] << 8;
    for (i = 0; i < 4; i++) c->out.data[16 + i] = (unsigned char)(features >> 8 * i);
    crc = wcodec_crc32(wcodec_crc32(0, c->out.data, 28), c->out.data + 32, size - 32);
    for (i = 0; i < 4; i++) c->out.data[28 + i] = (unsigned char)(crc >> 8 * i);
}

static void check_refused(const make_container *c, wcodec_status status)
{
    unsigned char *view;
    size_t size;
    make_pushed p = make_push_all(c->out.data, c->out.size, 0x1000, 0x1000, NULL, NULL);
    CHECK_STATUS(p.status, status);
    test_sink_free(&p.bytes);
    CHECK_STATUS(make_read_all(c->out.data, c->out.size, &view, &size), status);
    free(view);
}

/* A tile of coder mix where the header does not say so is corrupt, as is a base that is not named; features but
 * those and that of blocks are unknown. */
static void features(void)
{
    make_container c;
    unsigned bit;
    make_best(&c, WCODEC_PROFILE_BEST, NULL);
    set_features(&c, 0);
    check_refused(&c, WCODEC_E_CORRUPT);
    for (bit = 1; bit < 32; bit++) {
        set_features(&c, 1u << bit | (bit & 1));
        check_refused(&c, (1u << bit & (WCODEC_FEATURE_BASE | WCODEC_FEATURE_BLOCKS)) ? WCODEC_E_CORRUPT
                                                                                       : WCODEC_E_UNSUPPORTED);
    }
    make_free(&c);
}

/* The reader's option no_mix refuses what the header allows, before anything is decoded. */
static void not_wanted(void)
{
    wcodec_reader_options options = wcodec_reader_defaults();
    unsigned profile;
    options.no_mix = 1;
    for (profile = WCODEC_PROFILE_FAST; profile <= WCODEC_PROFILE_BEST; profile++) {
        const wcodec_status wanted = profile == WCODEC_PROFILE_BEST ? WCODEC_E_LIMIT : WCODEC_OK;
        make_container c;
        wcodec_source source;
        wcodec_reader *reader = NULL;
        make_pushed p;
        make_best(&c, profile, NULL);
        source = wcodec_source_memory(c.out.data, c.out.size);
        CHECK_STATUS(wcodec_reader_open(&reader, &source, &options, NULL), wanted);
        CHECK((reader == NULL) == (wanted != WCODEC_OK));
        wcodec_reader_close(reader);
        p = make_push_all(c.out.data, c.out.size, 50, 50, NULL, &options);
        CHECK_STATUS(p.status, wanted == WCODEC_OK ? WCODEC_END : wanted);
        CHECK_EQ(p.bytes.size, wanted == WCODEC_OK ? c.view.size : 0);
        test_sink_free(&p.bytes);
        make_free(&c);
    }
}

/* A payload has a byte for every 128 values, also where encoding leaves it to zeros; less is refused. */
static void bytes_for_values(void)
{
    static const size_t units[] = { 127, 128, 1279, 1280, 40000, 300000 };
    static const unsigned dtypes[] = { WCODEC_BYTES, WCODEC_I8, WCODEC_BF16, WCODEC_F8_E4M3 };
    wcodec_tile_options options = best_options();
    unsigned char *data = (unsigned char *)test_malloc(600000);
    size_t i, k, j;
    unsigned mixed = 0;
    options.coders = 1u << WCODEC_CODER_MIX | 1u << WCODEC_CODER_RAW;
    for (i = 0; i < sizeof units / sizeof *units; i++)
        for (k = 0; k < sizeof dtypes / sizeof *dtypes; k++) {
            const size_t size = units[i] * make_unit(dtypes[k]);
            wcodec_tile_info info;
            unsigned char *record, *back = (unsigned char *)test_malloc(size);
            size_t record_size;
            unsigned plane;
            test_note("dtype %u, %zu units", dtypes[k], units[i]);
            for (j = 0; j < size; j++) data[j] = (unsigned char)(k == 2 && j % 2 ? 0x3F : j % 4000 < 8 ? j : 0);
            record = encode(dtypes[k], 100, data, size, &options, &record_size);
            if (CHECK_STATUS(decode(record, record_size, size, wcodec_tile_decode_scratch(size, WCODEC_FEATURE_MIX), 0, 0, back),
                             WCODEC_OK))
                CHECK_MEM(back, data, size);
            REQUIRE_OK(wcodec_tile_inspect(record, record_size, &info, NULL));
            for (plane = 0; plane < info.planes; plane++) {
                if (!MIX(info, plane)) continue;
                CHECK(info.plane[plane].size >= units[i] / 128);
                mixed++;
            }
            free(record);
            free(back);
        }
    CHECK(mixed >= 16);
    free(data);
}

static void flipped_containers(void)
{
    make_container c;
    unsigned char *data, *view;
    size_t at, size;
    unsigned wrong = 0, ended = 0;
    make_best(&c, WCODEC_PROFILE_BEST, NULL);
    data = (unsigned char *)test_malloc(c.out.size);
    memcpy(data, c.out.data, c.out.size);
    for (at = 0; at < c.out.size; at += 2) {
        make_pushed p;
        data[at] ^= (unsigned char)(1u << at / 2 % 8);
        if (make_read_all(data, c.out.size, &view, &size) == WCODEC_OK)
            wrong += size != c.view.size || memcmp(view, c.view.data, size) != 0;
        free(view);
        p = make_push_all(data, c.out.size, c.out.size, 1 << 16, NULL, NULL);
        ended += p.status == WCODEC_END;
        test_sink_free(&p.bytes);
        data[at] ^= (unsigned char)(1u << at / 2 % 8);
    }
    CHECK_EQ(wrong, 0);
    CHECK_EQ(ended, 0);
    free(data);
    make_free(&c);
}

static void any_order(void)
{
    unsigned workers = 3;
    const wcodec_parallel parallel = test_backwards(&workers);
    make_container one, other;
    make_best(&one, WCODEC_PROFILE_BEST, NULL);
    make_best(&other, WCODEC_PROFILE_BEST, &parallel);
    CHECK_EQ(one.out.size, other.out.size);
    if (one.out.size == other.out.size) CHECK_MEM(one.out.data, other.out.data, one.out.size);
    make_free(&one);
    make_free(&other);
}

int main(void)
{
    RUN(every_dtype);
    RUN(large_tiles);
    RUN(best_is_small);
    RUN(bytes_for_values);
    RUN(wrong_arguments);
    RUN(every_flip);
    RUN(every_truncation);
    RUN(noise);
    RUN(containers);
    RUN(features);
    RUN(not_wanted);
    RUN(flipped_containers);
    RUN(any_order);
    return test_end();
}
