/* The coder LZ.  Buffers have just the size that they must and end at a guard page. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

#define LZ(info) ((info).split == WCODEC_SPLIT_BYTE && (info).plane[0].coder == WCODEC_CODER_LZ)

enum { TABLE = 2 * 2048 };          /* entries that decoding takes */

/* ---- planes ---- */

/* Encodes n values of `width` bits; returns the payload's size, 0 if it does not fit `cap`.  The caller frees it. */
static unsigned char *encode(const unsigned char *v, size_t n, unsigned width, int thorough, size_t cap, size_t *size)
{
    test_guard src = test_guard_copy(v, n), dst = test_guard_new(cap);
    test_guard work = test_guard_new(wcodeci_lz_scratch(n));
    unsigned char *payload;
    wcodeci_plane plane;
    memset(work.data, 0xA5, work.size);
    memset(&plane, 0, sizeof plane);
    plane.v = src.data;
    plane.n = n;
    plane.width = width;
    wcodeci_count(plane.v, n, plane.count);
    *size = wcodeci_lz_encode(&plane, thorough, dst.data, cap, work.data);
    CHECK(*size <= cap);
    payload = (unsigned char *)test_malloc(*size + 1);
    memcpy(payload, dst.data, *size);
    test_guard_free(&src);
    test_guard_free(&dst);
    test_guard_free(&work);
    return payload;
}

/* What is wrong with a payload, or NULL; then its values are in v. */
static const char *decode(const unsigned char *payload, size_t size, unsigned width, unsigned char *v, size_t n)
{
    test_guard src = test_guard_copy(payload, size), dst = test_guard_new(n);
    test_guard table = test_guard_new(TABLE * sizeof(uint16_t));
    const char *what;
    size_t i;
    memset(table.data, 0xFF, table.size);
    memset(dst.data, 0, n);
    what = wcodeci_lz_decode(src.data, size, width, dst.data, n, (uint16_t *)(void *)table.data);
    if (!what)
        for (i = 0; i < n; i++)
            if (dst.data[i] >> width) what = "a value is too large";
    memcpy(v, dst.data, n);
    test_guard_free(&src);
    test_guard_free(&dst);
    test_guard_free(&table);
    return what;
}

/* There and back; returns the size. */
static size_t round_trip(const unsigned char *v, size_t n, unsigned width, int thorough)
{
    const size_t cap = n + 1000 + n / 64;
    unsigned char *back = (unsigned char *)test_malloc(n);
    size_t size, smaller;
    unsigned char *payload = encode(v, n, width, thorough, cap, &size), *again;
    CHECK(size > 0);
    CHECK_STR(decode(payload, size, width, back, n) ? "wrong" : "right", "right");
    CHECK_MEM(back, v, n);
    if (n < 3000) {
        again = encode(v, n, width, thorough, size, &smaller);      /* it just fits */
        CHECK_EQ(smaller, size);
        CHECK_MEM(again, payload, size);
        free(again);
        free(encode(v, n, width, thorough, size - 1, &smaller));    /* it just does not */
        CHECK_EQ(smaller, 0);
    }
    free(payload);
    free(back);
    return size;
}

static void fill_period(unsigned char *v, size_t n, size_t period, unsigned mask, test_random *r)
{
    size_t i;
    for (i = 0; i < n; i++) v[i] = (unsigned char)(i < period ? test_next(r) & mask : v[i - period]);
}

static void periods(void)
{
    static const size_t sizes[] = { 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 257, 1000 };
    static unsigned char v[1000];
    test_random r = test_random_new(1);
    size_t period, i;
    unsigned width;
    for (period = 1; period <= 20; period++)
        for (i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (width = 1; width <= 8; width++) {
                test_note("period %zu, %zu values of %u bits", period, sizes[i], width);
                fill_period(v, sizes[i], period, (1u << width) - 1, &r);
                round_trip(v, sizes[i], width, 0);
            }
}

/* Noise, noise of few values, words out of a small stock, runs, and pieces of what went before. */
static void fill_kind(unsigned char *v, size_t n, unsigned kind, unsigned width, test_random *r)
{
    const unsigned mask = (1u << width) - 1;
    size_t i = 0;
    while (i < n) {
        size_t k = 1 + test_below(r, 30), from = i ? test_below(r, i) : 0;
        const unsigned c = (unsigned)test_next(r) & mask;
        if (kind == 3 && test_below(r, 20) == 0) k *= 100;
        for (; k && i < n; k--, i++) {
            switch (kind) {
            case 0: v[i] = (unsigned char)(test_next(r) & mask); break;
            case 1: v[i] = (unsigned char)(test_next(r) & test_next(r) & test_next(r) & mask); break;
            case 2: v[i] = (unsigned char)((c * 7 + k * k) & mask); break;
            case 3: v[i] = (unsigned char)c; break;
            default: v[i] = (unsigned char)(i < 40 || k == 1 ? test_next(r) & mask : v[from++]);
            }
        }
    }
}

static void kinds_and_widths(void)
{
    static const size_t sizes[] = { 1, 5, 40, 300, 4095, 4096, 4097, 16384, 16385, 40000 };
    static unsigned char v[40000];
    test_random r = test_random_new(2);
    unsigned kind, width;
    size_t i;
    for (kind = 0; kind < 5; kind++)
        for (width = 1; width <= 8; width++)
            for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                if (sizes[i] > 5000 && width % 3 != 2) continue;
                test_note("kind %u, %zu values of %u bits", kind, sizes[i], width);
                fill_kind(v, sizes[i], kind, width, &r);
                round_trip(v, sizes[i], width, sizes[i] == 4097);
            }
}

/* What stands a long way back, and a match over nearly all of the largest tile. */
static void long_distances(void)
{
    static const size_t gaps[] = { 0, 1, 100, 65535, 70000, 1000000, 3000000 };
    const size_t most = WCODEC_MAX_TILE_BYTES;
    unsigned char *v = (unsigned char *)test_malloc(most);
    test_random r = test_random_new(3);
    size_t i, size;
    test_fill(&r, v, 600);
    for (i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        test_note("gap %zu", gaps[i]);
        memset(v + 600, 7, gaps[i]);
        memcpy(v + 600 + gaps[i], v, 600);
        size = round_trip(v, 1200 + gaps[i], 8, 0);
        CHECK(size < 600 + 200 + gaps[i] / 400);
    }
    memset(v, 0, most);
    CHECK(round_trip(v, most, 8, 0) < 100000);
    for (i = 0; i < most; i++) v[i] = (unsigned char)(i % 251);
    CHECK(round_trip(v, most, 8, 0) < 100000);
    free(v);
}

/* All symbols that there are in one code, and codes of all lengths. */
static void skewed(void)
{
    enum { N = 1 << 17 };
    unsigned char *v = (unsigned char *)test_malloc(N);
    test_random r = test_random_new(4);
    size_t i, k, n = 0;
    for (i = 0; i < 256; i++)
        for (k = 0; k < (i < 14 ? (size_t)1 << (14 - i) : 1); k++) v[n++] = (unsigned char)i;
    for (i = n; i > 1; i--) {
        const size_t other = test_below(&r, i);
        const unsigned char c = v[i - 1];
        v[i - 1] = v[other];
        v[other] = c;
    }
    round_trip(v, n, 8, 0);
    for (i = 2; n + i < N && i < 400; i += 3) {     /* each length from a place of its own */
        memcpy(v + n, v + i * 7, i);
        n += i;
        v[n] = (unsigned char)n;
        n++;
    }
    round_trip(v, n, 8, 0);
    round_trip(v, n, 8, 1);
    free(v);
}

/* The loop that looks at every bound gives what the fast one does. */
static void slow_loop(void)
{
    static unsigned char v[5000], back[2][5000];
    static uint16_t table[TABLE];
    test_random r = test_random_new(5);
    unsigned kind;
    for (kind = 1; kind < 5; kind++) {
        size_t size;
        unsigned char *payload;
        wcodeci_cursor c;
        wcodeci_lz_out out;
        wcodeci_bits b;
        fill_kind(v, sizeof v, kind, 8, &r);
        payload = encode(v, sizeof v, 8, 0, sizeof v + 1000, &size);
        CHECK(decode(payload, size, 8, back[0], sizeof v) == NULL);
        memset(&out, 0, sizeof out);
        c = wcodeci_cursor_make(payload, size);
        out.first = back[1];
        out.end = back[1] + sizeof v;
        out.last[0] = 1;
        out.last[1] = 2;
        out.last[2] = 4;
        CHECK_EQ(wcodeci_take_varint(&c), sizeof v);        /* one block */
        CHECK(wcodeci_lz_codes(&c, 8, &out, table));
        b.p = c.p;
        b.end = c.end;
        b.bits = 0;
        b.count = 0;
        CHECK(wcodeci_lz_rest(&out, &b, back[1], out.end) == out.end);
        CHECK_MEM(back[1], v, sizeof v);
        free(payload);
    }
}

/* ---- what is broken ---- */

static void damage(unsigned char *payload, size_t size, test_random *r)
{
    size_t k = 1 + test_below(r, 3);
    while (k--) payload[test_below(r, size)] = (unsigned char)test_next(r);
}

/* Damaged and shortened payloads, and noise behind a right head: values or an error, and nothing beyond. */
static void broken(void)
{
    static unsigned char v[3000], back[3000], bad[5000];
    test_random r = test_random_new(6);
    unsigned kind, width, k, wrong = 0, right = 0;
    for (kind = 0; kind < 5; kind++)
        for (width = 3; width <= 8; width += 5) {
            size_t size, n = 1000 + 400 * kind;
            unsigned char *payload;
            fill_kind(v, n, kind, width, &r);
            payload = encode(v, n, width, 0, sizeof bad, &size);
            for (k = 0; k < 400; k++) {
                const char *what;
                memcpy(bad, payload, size);
                damage(bad, size, &r);
                what = decode(bad, size, width, back, n);
                if (what) wrong++;
                else right++;
                CHECK(!what || strcmp(what, "a value is too large") != 0);
            }
            for (k = 0; k < size; k += 1 + (unsigned)size / 150) {
                test_note("kind %u, cut to %u of %zu", kind, k, size);
                CHECK(decode(payload, k, width, back, n) != NULL);
            }
            for (k = 0; k < 200; k++) {
                const size_t keep = 20 + test_below(&r, 60);
                memcpy(bad, payload, size);
                if (keep < size) test_fill(&r, bad + keep, size - keep);
                (void)decode(bad, size, width, back, n);
            }
            memcpy(bad, payload, size);
            bad[size] = 0;
            CHECK(decode(bad, size + 1, width, back, n) != NULL);
            CHECK(decode(payload, size, width, back, n - 1) != NULL);
            CHECK(decode(payload, size, width, v, n + 1 > sizeof v ? n - 2 : n + 1) != NULL);
            free(payload);
        }
    CHECK(wrong > 1000 && right > 20);
}

/* ---- tiles ---- */

static wcodec_tile_info coded(unsigned dtype, uint64_t row, const unsigned char *data, size_t size,
                              const wcodec_tile_options *options)
{
    const unsigned profile = options ? options->profile : 0;
    test_guard src = test_guard_copy(data, size), dst = test_guard_new(wcodec_tile_bound(size));
    test_guard scratch = test_guard_new(profile == WCODEC_PROFILE_BEST ? wcodec_tile_encode_scratch_best(size)
                                                                        : wcodec_tile_encode_scratch(size));
    test_guard back = test_guard_new(size), less = test_guard_new(wcodec_tile_decode_scratch(size, WCODEC_FEATURE_MIX));
    wcodec_tile_info info;
    size_t record = wcodec_tile_encode(dtype, row, src.data, size, NULL, options, dst.data, dst.size, scratch.data,
                                       scratch.size);
    memset(&info, 0, sizeof info);
    CHECK(record > 0);
    CHECK_STATUS(wcodec_tile_inspect(dst.data, record, &info, NULL), WCODEC_OK);
    CHECK_STATUS(wcodec_tile_decode(dst.data, record, NULL, back.data, size, less.data, less.size, 0, 0, NULL),
                 WCODEC_OK);
    CHECK_MEM(back.data, data, size);
    test_guard_free(&src);
    test_guard_free(&dst);
    test_guard_free(&scratch);
    test_guard_free(&back);
    test_guard_free(&less);
    return info;
}

static size_t make_text(unsigned char *v, size_t size)
{
    size_t n = 0, i = 0;
    while (n + 120 < size) {
        n += (size_t)sprintf((char *)v + n,
                             "\"layers.%zu.attention.%c.weight\":{\"dtype\":\"BF16\",\"data_offsets\":[%zu,%zu]},",
                             i / 4, "qkvo"[i % 4], i * 131072, (i + 1) * 131072);
        i++;
    }
    return n;
}

static void text_and_tables(void)
{
    enum { SIZE = 1 << 17 };
    unsigned char *v = (unsigned char *)test_malloc(SIZE);
    wcodec_tile_options options;
    wcodec_tile_info info;
    test_random r = test_random_new(7);
    size_t n, i;
    for (n = 300; n <= SIZE; n *= 6) {
        const size_t size = make_text(v, n);
        test_note("text of %zu bytes", size);
        info = coded(WCODEC_BYTES, 0, v, size, NULL);
        CHECK(LZ(info) && info.record_size < size * 2 / 3);
        memset(&options, 0, sizeof options);
        options.coders = ~(1u << WCODEC_CODER_LZ);
        CHECK(coded(WCODEC_BYTES, 0, v, size, &options).record_size > info.record_size);
        options.coders = 1u << WCODEC_CODER_LZ;
        CHECK(LZ(coded(WCODEC_BYTES, 0, v, size, &options)));
        options.splits = 1u << WCODEC_SPLIT_NIBBLES;        /* bytes are not among them */
        CHECK(coded(WCODEC_BYTES, 0, v, size, &options).split == WCODEC_SPLIT_NIBBLES);
        memset(&options, 0, sizeof options);
        options.profile = WCODEC_PROFILE_BEST;
        CHECK(coded(WCODEC_BYTES, 0, v, size, &options).record_size <= info.record_size);
    }
    /* A table: rows of floats, each of them several times. */
    test_fill_bf16(&r, v, 16 * 64, 0.1);
    for (i = 16; i < SIZE / 128; i++) memcpy(v + i * 128, v + test_below(&r, 16) * 128, 128);
    info = coded(WCODEC_BF16, 64, v, SIZE, NULL);
    CHECK(LZ(info) && info.record_size < SIZE / 20);
    info = coded(WCODEC_F32, 32, v, SIZE, NULL);
    CHECK(LZ(info) && info.record_size < SIZE / 20);
    /* Weights are not tried for long, and come out as without it. */
    test_fill_bf16(&r, v, SIZE / 2, 0.1);
    memset(&options, 0, sizeof options);
    options.coders = ~(1u << WCODEC_CODER_LZ);
    CHECK_EQ(coded(WCODEC_BF16, 64, v, SIZE, NULL).record_size, coded(WCODEC_BF16, 64, v, SIZE, &options).record_size);
    free(v);
}

/* Planes of other splits, where a tile is small. */
static void narrow_planes(void)
{
    static unsigned char v[3000];
    wcodec_tile_options options;
    wcodec_tile_info info;
    test_random r = test_random_new(8);
    unsigned split;
    size_t i;
    memset(&options, 0, sizeof options);
    for (i = 0; i < 3000; i++) v[i] = (unsigned char)(i < 300 ? test_next(&r) : v[i - 300]);
    options.coders = 1u << WCODEC_CODER_LZ | 1u << WCODEC_CODER_RAW;
    for (split = WCODEC_SPLIT_F8_E4M3; split <= WCODEC_SPLIT_NIBBLES; split++) {
        options.splits = 1u << split;
        info = coded(WCODEC_U8, 0, v, 3000, &options);
        CHECK(info.split == split && info.plane[0].coder == WCODEC_CODER_LZ && info.plane[1].coder == WCODEC_CODER_LZ);
    }
}

/* Opaque bytes come in tiles of 256 KiB, unless they are told otherwise. */
static void tiles_of_bytes(void)
{
    static const uint32_t units[] = { 0, 1000 };
    unsigned char *v = (unsigned char *)test_malloc(600000);
    const size_t size = make_text(v, 600000);
    unsigned k;
    for (k = 0; k < 2; k++) {
        make_container c;
        wcodec_reader *reader;
        wcodec_reader_info info;
        wcodec_source source;
        wcodec_tile_span span;
        make_init(&c, 1);
        c.options.tile_units = units[k];
        make_begin(&c);
        make_original(&c, "text", 0);
        make_bytes(&c, NULL, v, size);
        make_end(&c);
        source = wcodec_source_memory(c.out.data, c.out.size);
        REQUIRE_OK(wcodec_reader_open(&reader, &source, NULL, NULL));
        wcodec_reader_get_info(reader, &info);
        CHECK_EQ(info.tiles, units[k] ? (size + 999) / 1000 : 3);
        CHECK_STATUS(wcodec_reader_tile(reader, 0, &span), WCODEC_OK);
        CHECK_EQ(span.size, units[k] ? 1000 : 262144);
        wcodec_reader_close(reader);
        make_free(&c);
    }
    free(v);
}

int main(void)
{
    RUN(periods);
    RUN(kinds_and_widths);
    RUN(long_distances);
    RUN(skewed);
    RUN(slow_loop);
    RUN(broken);
    RUN(text_and_tables);
    RUN(narrow_planes);
    RUN(tiles_of_bytes);
    return test_end();
}
