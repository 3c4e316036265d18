/* What tensors contain beside noise: few distinct units, integers that were dequantised, FP32 that was BF16 or FP16
 * before, zeros of both signs, NaN with payloads.  All comes back; and what can be small is small. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

#define MOST (1u << 17)             /* units of a tile, here */

static unsigned char src[8 * MOST], back[8 * MOST];
static unsigned char *record, *scratch;
static size_t record_room, scratch_size;

static void begin(void)
{
    record_room = wcodec_tile_bound(sizeof src);
    record = (unsigned char *)test_malloc(record_room);
    scratch_size = wcodec_tile_encode_scratch_best(sizeof src);
    if (scratch_size < wcodec_tile_decode_scratch(sizeof src, WCODEC_FEATURE_MIX))
        scratch_size = wcodec_tile_decode_scratch(sizeof src, WCODEC_FEATURE_MIX);
    scratch = (unsigned char *)test_malloc(scratch_size);
}

/* Codes n units of src, checks what comes back, with the scalar code too; the record's size, its split in *split. */
static size_t coded(unsigned dtype, size_t row, size_t n, unsigned profile, unsigned *split)
{
    const size_t size = n * make_unit(dtype);
    wcodec_tile_options options;
    wcodec_tile_info info;
    size_t made;
    memset(&options, 0, sizeof options);
    options.profile = profile;
    made = wcodec_tile_encode(dtype, row, src, size, NULL, &options, record, wcodec_tile_bound(size), scratch,
                              scratch_size);
    *split = WCODEC_SPLIT_COUNT;
    if (!CHECK(made != 0) || !CHECK_STATUS(wcodec_tile_inspect(record, WCODEC_TILE_HEAD < made ? WCODEC_TILE_HEAD
                                                               : made, &info, NULL), WCODEC_OK))
        return 0;
    *split = info.split;
    memset(back, 0xaa, size);
    CHECK_STATUS(wcodec_tile_decode(record, made, NULL, back, size, scratch, scratch_size, 0, 0, NULL), WCODEC_OK);
    CHECK_MEM(back, src, size);
    memset(back, 0xaa, size);
    CHECK_STATUS(wcodec_tile_decode(record, made, NULL, back, size, scratch, scratch_size, 0, WCODEC_CPU_ALL,
                                    NULL), WCODEC_OK);
    CHECK_MEM(back, src, size);
    return made;
}

static void put(unsigned unit, size_t i, uint64_t x)
{
    unsigned b;
    for (b = 0; b < unit; b++) src[i * unit + b] = (unsigned char)(x >> 8 * b);
}

/* ---- numbers as the machine makes them ---- */

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static uint32_t bf16_of(float x) { return (bits_of(x) + 0x7fff + (bits_of(x) >> 16 & 1)) >> 16; }

/* By search: independent of how the library does it.  Rounds to nearest, ties to even. */
static double f16_value(uint32_t h)
{
    const unsigned e = h >> 10 & 31, m = h & 1023;
    double x = e ? 1024 + m : m;
    unsigned k;
    for (k = e ? e : 1; k < 25; k++) x /= 2;
    for (; k > 25; k--) x *= 2;
    return x;
}

static uint32_t f16_of(float x)
{
    const double a = x < 0 ? -(double)x : (double)x;
    uint32_t low = 0, high = 0x7c00;
    while (high - low > 1) {
        const uint32_t middle = (low + high) / 2;
        if (f16_value(middle) <= a) low = middle;
        else high = middle;
    }
    if (a - f16_value(low) > f16_value(high) - a
        || (a - f16_value(low) >= f16_value(high) - a && (low & 1))) low = high;
    return low | (bits_of(x) >> 31) << 15;
}

/* The product rounded to FP32, whatever registers the machine has. */
static float times(float scale, int k)
{
    volatile float x = scale * (float)k;
    return x;
}

/* Products by the library and by the machine. */
static void products(void)
{
    test_random r = test_random_new(1);
    unsigned i;
    for (i = 0; i < 200000; i++) {
        const uint32_t scale = (uint32_t)test_next(&r) & (i % 8 ? 0xffffffff : 0x807fffff);
        const int k = (int)test_below(&r, 511) - 255;
        const float x = times(float_of(scale), k);
        if ((scale >> 23 & 255) == 255) continue;
        if (k == 0) {           /* -s * 0 is +0 where k is an integer, as its sign is that of s here */
            CHECK_EQ(wcodeci_linear_unit(WCODEC_SPLIT_LINEAR_F32, scale, k), scale & 0x80000000);
            continue;
        }
        test_note("%08x times %d", (unsigned)scale, k);
        CHECK_EQ(wcodeci_linear_unit(WCODEC_SPLIT_LINEAR_F32, scale, k), bits_of(x));
        CHECK_EQ(wcodeci_linear_unit(WCODEC_SPLIT_LINEAR_BF16, scale, k), bf16_of(x));
        if (i % 4 == 0 && (bits_of(x) & 0x7fffffff) < 0x47800000)
            CHECK_EQ(wcodeci_linear_unit(WCODEC_SPLIT_LINEAR_F16, scale, k), f16_of(x));
    }
}

/* ---- dequantised integers ---- */

/* An integer of about a bell's shape, -most ... most. */
static int bell(test_random *r, int most)
{
    int k = 0, i;
    for (i = 0; i < 4; i++) k += (int)test_below(r, (size_t)most + 1) - most / 2;
    k /= 2;
    return k > most ? most : k < -most ? -most : k;
}

typedef struct dequant {
    const char *name;
    unsigned dtype, scale_bits;     /* upper bits of a scale that count */
    int most, zero;                 /* k is -most ... most, shifted by up to zero */
    size_t group;                   /* 0: all */
    unsigned limit;                 /* percent of the original, at most */
} dequant;

static void fill_dequantised(test_random *r, const dequant *d, size_t n, int negative)
{
    const size_t group = d->group ? d->group : n;
    float scale = 0;
    int shift = 0;
    size_t i;
    for (i = 0; i < n; i++) {
        float x;
        if (i % group == 0) {
            uint32_t bits = 0x3a000000 + (uint32_t)test_below(r, 3u << 23);
            scale = float_of(bits & ~((1u << (32 - d->scale_bits)) - 1));
            if (negative) scale = -scale;
            shift = d->zero ? (int)test_below(r, (size_t)d->zero) - d->zero / 2 : 0;
        }
        x = times(scale, bell(r, d->most) + shift);
        if (x == 0 && negative) x = -0.0f;
        else if (x == 0) x = 0.0f;
        if (d->dtype == WCODEC_BF16) put(2, i, bf16_of(x));
        else if (d->dtype == WCODEC_F16) put(2, i, f16_of(x));
        else put(4, i, bits_of(x));
    }
}

static const dequant dequants[] = {
    { "INT8, FP32, a scale a row", WCODEC_F32, 32, 127, 0, 512, 23 },
    { "INT8, FP32, one scale", WCODEC_F32, 32, 127, 0, 0, 23 },
    { "INT8, BF16, a scale a row", WCODEC_BF16, 32, 127, 0, 512, 46 },
    { "INT8, FP16, a scale a row", WCODEC_F16, 19, 127, 0, 512, 46 },
    { "INT4, BF16, FP32 scales for 32", WCODEC_BF16, 32, 7, 0, 32, 30 },
    { "INT4, BF16, FP32 scales for 64", WCODEC_BF16, 32, 7, 0, 64, 30 },
    { "INT4, BF16, FP32 scales for 128", WCODEC_BF16, 32, 7, 0, 128, 26 },
    { "INT4, BF16, BF16 scales for 32", WCODEC_BF16, 16, 7, 0, 32, 27 },
    { "INT4, FP16, FP16 scales for 128", WCODEC_F16, 19, 7, 0, 128, 26 },
    { "INT4, FP32, FP32 scales for 64", WCODEC_F32, 32, 7, 0, 64, 15 },
    { "INT4 with zero points", WCODEC_BF16, 32, 7, 15, 64, 33 },
    { "INT2, BF16", WCODEC_BF16, 16, 1, 0, 64, 14 }
};

static void dequantised(void)
{
    test_random r = test_random_new(2);
    size_t i;
    unsigned profile;
    for (i = 0; i < sizeof dequants / sizeof *dequants; i++)
        for (profile = 0; profile <= WCODEC_PROFILE_DENSE; profile++) {
            const dequant *d = &dequants[i];
            const size_t n = profile ? MOST : 65536, size = n * make_unit(d->dtype);
            unsigned split;
            size_t made;
            fill_dequantised(&r, d, n, i % 3 == 2);
            made = coded(d->dtype, 512, n, profile, &split);
            test_note("%s, profile %u: %zu of %zu", d->name, profile, made, size);
            CHECK(split == (d->dtype == WCODEC_BF16 ? WCODEC_SPLIT_LINEAR_BF16 : d->dtype == WCODEC_F16
                            ? WCODEC_SPLIT_LINEAR_F16 : WCODEC_SPLIT_LINEAR_F32));
            CHECK(made * 100 < size * d->limit);
        }
}

/* Small tiles, rows of zeros, groups that begin with zeros, sizes that are no multiple of anything. */
static void dequantised_pieces(void)
{
    test_random r = test_random_new(3);
    unsigned round, split, found = 0;
    for (round = 0; round < 400; round++) {
        const dequant *d = &dequants[test_below(&r, sizeof dequants / sizeof *dequants)];
        const size_t n = 1 + test_below(&r, round % 4 ? 600 : 9000), unit = make_unit(d->dtype);
        size_t i, at;
        fill_dequantised(&r, d, n, 0);
        at = test_below(&r, n);
        for (i = test_below(&r, n - at + 1); i-- > 0 && round % 3 == 0;) put((unsigned)unit, at + i, 0);
        test_note("round %u: %s, %zu units", round, d->name, n);
        (void)coded(d->dtype, round % 2 ? 0 : 128, n, round % 3 == 1, &split);
        found += split >= WCODEC_SPLIT_LINEAR_BF16;
    }
    CHECK(found > 100);
}

/* One unit that is not like the others, in any place; zeros of both signs: something else must do. */
static void nearly_dequantised(void)
{
    test_random r = test_random_new(4);
    static const uint64_t odd[] = { 0x7fc00001, 0xff800000, 1, 0x80000001, 0x80000000, 0x3f800001, 0x7f7fffff };
    const size_t n = 8192;
    unsigned i, split;
    for (i = 0; i < 40; i++) {
        const dequant *d = &dequants[i % 10];
        const uint64_t x = odd[i % 7];
        fill_dequantised(&r, d, n, 0);
        put(make_unit(d->dtype), test_below(&r, n), make_unit(d->dtype) == 2 ? x >> 16 | (x & 1) : x);
        test_note("%s, %08x", d->name, (unsigned)x);
        (void)coded(d->dtype, 512, n, 0, &split);
    }
}

/* ---- palettes ---- */

static void palettes(void)
{
    static const unsigned counts[] = { 2, 3, 4, 7, 16, 17, 60, 128, 255, 256, 257, 300 };
    static const unsigned dtypes[] = { WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_I16, WCODEC_U32, WCODEC_F64,
                                       WCODEC_I64, WCODEC_C64 };
    static uint64_t unit[300];
    test_random r = test_random_new(5);
    size_t i, k, d;
    for (d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
        for (k = 0; k < sizeof counts / sizeof *counts; k++) {
            const unsigned bytes = make_unit(dtypes[d]);
            const size_t n = d % 2 ? 65536 : 40000, all = n * bytes;
            unsigned split, bits = 1;
            size_t made;
            while (1u << bits < counts[k]) bits++;
            for (i = 0; i < counts[k]; i++) unit[i] = test_next(&r) << 16 | ((i + 5) * 40503 & 0xffff);
            for (i = 0; i < n; i++) put(bytes, i, unit[test_below(&r, counts[k])]);
            made = coded(dtypes[d], 64, n, 0, &split);
            test_note("%u of %u bytes: %zu of %zu", counts[k], bytes, made, all);
            CHECK((split >= WCODEC_SPLIT_PALETTE16 && split <= WCODEC_SPLIT_PALETTE64) == (counts[k] <= 256));
            if (counts[k] <= 256) CHECK(made <= n * bits / 8 + (size_t)counts[k] * bytes + 200);
        }
}

/* Tiles of a few units, of which a palette may save nothing. */
static void small_palettes(void)
{
    test_random r = test_random_new(6);
    unsigned round, split, found = 0;
    for (round = 0; round < 400; round++) {
        const unsigned dtype = round % 2 ? WCODEC_F32 : WCODEC_F64, count = 1 + (unsigned)test_below(&r, 30);
        const size_t n = 1 + test_below(&r, 500);
        uint64_t unit[30];
        size_t i;
        for (i = 0; i < count; i++) unit[i] = test_next(&r);
        for (i = 0; i < n; i++) put(make_unit(dtype), i, unit[test_below(&r, count)]);
        (void)coded(dtype, 0, n, round % 3, &split);
        found += split >= WCODEC_SPLIT_PALETTE16;
    }
    CHECK(found > 100);
}

/* ---- other contents ---- */

static void constants_and_zeros(void)
{
    test_random r = test_random_new(7);
    const size_t n = 65536;
    unsigned split, dtype, kind;
    static const unsigned dtypes[] = { WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_F64 };
    for (dtype = 0; dtype < 4; dtype++)
        for (kind = 0; kind < 5; kind++) {
            const unsigned unit = make_unit(dtypes[dtype]);
            const uint64_t sign = (uint64_t)1 << (8 * unit - 1);
            size_t i, made;
            for (i = 0; i < n; i++) {
                uint64_t x = kind == 0 ? UINT64_C(0x3ff03c003f803f80) : 0;
                if (kind >= 2 && test_below(&r, 1000) == 0) x = test_next(&r);              /* .1 % are not zero */
                if (kind == 3 && test_below(&r, 100) == 0) x = sign;                        /* 1 % are -0 */
                if (kind == 4) x = i % 512 < 256 ? 0 : sign;
                put(unit, i, x);
            }
            made = coded(dtypes[dtype], 512, n, 0, &split);
            test_note("kind %u of %u bytes: %zu of %zu", kind, unit, made, n * unit);
            CHECK(made < (kind < 2 ? 100 : kind == 2 ? n * unit / 100 : kind == 3 ? n * unit / 30 : n / 8 + 200));
        }
}

/* FP32 that was BF16 or FP16: with NaN payloads, subnormals and zeros of both signs too. */
static void widened(void)
{
    test_random r = test_random_new(8);
    const size_t n = 65536;
    size_t i, made;
    unsigned split, special;
    for (special = 0; special < 2; special++) {
        make_fill(&r, MAKE_WEIGHTS, WCODEC_BF16, 512, back, 2 * n);
        for (i = 0; i < n; i++) {
            uint64_t x = (uint64_t)(back[2 * i] | back[2 * i + 1] << 8) << 16;
            if (special && test_below(&r, 50) == 0)
                x = (test_next(&r) & 0xffff0000) | (test_below(&r, 2) ? 0x7f800000 : 0);
            put(4, i, x);
        }
        made = coded(WCODEC_F32, 512, n, 0, &split);
        test_note("from BF16: %zu of %zu", made, 4 * n);
        CHECK(made * 100 < 4 * n * (special ? 38 : 35));
        for (i = 0; i < n; i++) {               /* FP16: 10 bits of mantissa */
            uint64_t x = test_next(&r);
            x = (x & 0x807fe000) | (uint64_t)(120 - make_geometric(&r, 10)) << 23;
            if (special && test_below(&r, 50) == 0) x = (x & 0x80000000) | (test_below(&r, 2) ? 0x7fc02000 : 0);
            put(4, i, x);
        }
        made = coded(WCODEC_F32, 512, n, 0, &split);
        test_note("from FP16: %zu of %zu", made, 4 * n);
        CHECK(made * 100 < 4 * n * (special ? 47 : 45));
    }
}

/* What the caller's masks allow; palettes alone leave the bytes where there is none. */
static void masks(void)
{
    test_random r = test_random_new(9);
    const size_t n = 8192;
    const unsigned all[] = { 1u << WCODEC_SPLIT_PALETTE32, 1u << WCODEC_SPLIT_LINEAR_F32, 1u << WCODEC_SPLIT_F32,
                             1u << WCODEC_SPLIT_F32 | 1u << WCODEC_SPLIT_PALETTE32, 1u << 14, 1u << 31 };
    wcodec_tile_options options;
    unsigned i, kind;
    for (kind = 0; kind < 2; kind++) {
        if (kind) make_fill(&r, MAKE_RANDOM, WCODEC_F32, 0, src, 4 * n);
        else fill_dequantised(&r, &dequants[1], n, 0);
        for (i = 0; i < sizeof all / sizeof *all; i++) {
            wcodec_tile_info info;
            size_t made;
            memset(&options, 0, sizeof options);
            options.splits = all[i];
            made = wcodec_tile_encode(WCODEC_F32, 0, src, 4 * n, NULL, &options, record, record_room, scratch,
                                      scratch_size);
            REQUIRE_OK(wcodec_tile_inspect(record, made, &info, NULL));
            test_note("mask %x, kind %u, split %u", all[i], kind, info.split);
            CHECK((all[i] >> info.split & 1) || (info.split == WCODEC_SPLIT_BYTE && (kind || i > 3)));
            CHECK(info.planes != 1 || info.split < WCODEC_SPLIT_PALETTE16 || info.table_size > 0);
            REQUIRE_OK(wcodec_tile_decode(record, made, NULL, back, 4 * n, scratch, scratch_size, 0, 0, NULL));
            CHECK_MEM(back, src, 4 * n);
        }
    }
}

/* The profile BEST is not larger than FAST by more than a few bytes. */
static void best(void)
{
#ifndef WCODEC_NO_MIX
    test_random r = test_random_new(10);
    unsigned i, split;
    for (i = 0; i < 6; i++) {
        size_t fast, made;
        fill_dequantised(&r, &dequants[2 * i], 20000, 0);
        fast = coded(dequants[2 * i].dtype, 500, 20000, 0, &split);
        made = coded(dequants[2 * i].dtype, 500, 20000, WCODEC_PROFILE_BEST, &split);
        test_note("%s: %zu, %zu", dequants[2 * i].name, fast, made);
        CHECK(made <= fast);
    }
#endif
}

int main(void)
{
    begin();
    RUN(products);
    RUN(dequantised);
    RUN(dequantised_pieces);
    RUN(nearly_dequantised);
    RUN(palettes);
    RUN(small_palettes);
    RUN(constants_and_zeros);
    RUN(widened);
    RUN(masks);
    RUN(best);
    free(record);
    free(scratch);
    return test_end();
}
