/* How many cycles decoding takes, for cycles.py: tiles of many kinds, decoded by each set of kernels, one after
 * the other into 64 MiB of memory.  Prints a line for each: the kernels, the CRC-32 in use, what the tiles hold,
 * and the cycles.  A cycle is the time of one of many dependent additions. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WCODEC_IMPLEMENTATION
#include "../../wcodec.h"

#define MEMORY ((size_t)64 << 20)
#define TILES 4
#define MOST_UNITS 65536
#define COLUMNS 1024
#define TIME 0.15      /* seconds for each */

enum { WEIGHTS, UNIFORM, SAME, FEW, RAMP, WALK };

typedef struct kind {
    unsigned dtype, profile, coders, data;
} kind;

/* coders 0: all. */
#define ONLY(coder) (1u << WCODEC_CODER_RAW | 1u << (coder))
static const kind kinds[] = {
    { WCODEC_BF16, 0, 0, WEIGHTS }, { WCODEC_BF16, 1, 0, WEIGHTS },
    { WCODEC_BF16, 0, ONLY(WCODEC_CODER_RANS16), WEIGHTS }, { WCODEC_BF16, 0, ONLY(WCODEC_CODER_RAW), WEIGHTS },
    { WCODEC_BF16, 0, ONLY(WCODEC_CODER_HUFFMAN), WEIGHTS },
    { WCODEC_BF16, 0, ONLY(WCODEC_CODER_RANS256), WEIGHTS },
    { WCODEC_F16, 0, 0, WEIGHTS }, { WCODEC_F16, 1, 0, WEIGHTS },
    { WCODEC_F16, 0, ONLY(WCODEC_CODER_RANS16), WEIGHTS },
    { WCODEC_F32, 0, 0, WEIGHTS }, { WCODEC_F32, 1, 0, WEIGHTS },
    { WCODEC_F32, 0, ONLY(WCODEC_CODER_RANS16), WEIGHTS }, { WCODEC_F32, 0, ONLY(WCODEC_CODER_RAW), WEIGHTS },
    { WCODEC_F8_E4M3, 0, 0, WEIGHTS }, { WCODEC_F8_E4M3, 0, ONLY(WCODEC_CODER_RANS16), WEIGHTS },
    { WCODEC_I8, 0, 0, WEIGHTS }, { WCODEC_I8, 0, ONLY(WCODEC_CODER_HUFFMAN), WEIGHTS },
    { WCODEC_I8, 0, ONLY(WCODEC_CODER_RANS256), WEIGHTS }, { WCODEC_I4, 0, 0, WEIGHTS },
    { WCODEC_U8, 0, 0, UNIFORM }, { WCODEC_U8, 0, 0, SAME }, { WCODEC_U8, 0, ONLY(WCODEC_CODER_SPARSE), FEW },
    { WCODEC_U8, 0, ONLY(WCODEC_CODER_RANS16), FEW }, { WCODEC_F32, 0, 0, SAME },
    { WCODEC_I16, 0, ONLY(WCODEC_CODER_RANS16), WALK }, { WCODEC_I32, 0, ONLY(WCODEC_CODER_RANS16), WALK },
    { WCODEC_U8, 0, ONLY(WCODEC_CODER_RANS16), WALK }, { WCODEC_U8, 0, 0, RAMP }
};

static unsigned char *memory, *data, *record[TILES], *scratch;
static size_t record_size[TILES], scratch_size;
static unsigned char scales[COLUMNS];
static double hz;
static size_t units = 65536;     /* of a tile */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double clock_of_processor(void)
{
    double best = 0;
    int round;
    for (round = 0; round < 400; round++) {
        unsigned long x = 0, i;
        double begin = seconds(), rate;
        for (i = 0; i < 100000; i++) {
#define STEP x += i; __asm__ volatile("" : "+r"(x));
            STEP STEP STEP STEP STEP STEP STEP STEP
        }
        rate = 8e5 / (seconds() - begin);
        if (rate > best) best = rate;
    }
    return best;
}

static uint64_t state = 88172645463325252u;

static double uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}

static double normal(void)
{
    double sum = 0;
    int i;
    for (i = 0; i < 12; i++) sum += uniform();
    return sum - 6;
}

/* The top `bits` bits of a float, or what an integer of that size makes of it. */
static void store_weight(unsigned dtype, double x, unsigned char *p)
{
    const float f = (float)x;
    uint32_t bits;
    unsigned e;
    memcpy(&bits, &f, 4);
    e = bits >> 23 & 255;
    switch (dtype) {
    case WCODEC_BF16: bits >>= 16; memcpy(p, &bits, 2); break;
    case WCODEC_F16: e = e > 112 ? e - 112 : 0; bits = (bits >> 31) << 15 | e << 10 | (bits >> 13 & 1023);
        memcpy(p, &bits, 2); break;
    case WCODEC_F32: memcpy(p, &bits, 4); break;
    case WCODEC_F8_E4M3: e = e > 113 ? e - 113 : 0;
        *p = (unsigned char)((bits >> 31) << 7 | (e & 15) << 3 | (bits >> 20 & 7)); break;
    case WCODEC_I4: *p = (unsigned char)(((int)(normal() * 2) & 15) << 4 | ((int)(normal() * 2) & 15)); break;
    default: *p = (unsigned char)(int)(normal() * 30); break;
    }
}

static void fill(const kind *k, unsigned unit, size_t count)
{
    double column[COLUMNS], row = 1;
    int walk = 0;
    size_t i;
    for (i = 0; i < COLUMNS; i++) column[i] = exp2(normal() * 0.7);
    for (i = 0; i < count; i++) {
        unsigned char *p = data + i * unit;
        uint32_t ramp = (uint32_t)(i * 3 + (i & 1));
        if (i % COLUMNS == 0) row = exp2(normal() * 0.5) / 64;
        switch (k->data) {
        case WEIGHTS: store_weight(k->dtype, normal() * row * column[i % COLUMNS], p); break;
        case UNIFORM: *p = (unsigned char)(uniform() * 256); break;
        case SAME: memset(p, 7, unit); break;
        case WALK: walk += (int)(normal() * 3); memcpy(p, &walk, unit); break;
        case FEW: *p = uniform() < 0.003 ? 5 : 0; break;
        default: memcpy(p, &ramp, unit); break;
        }
    }
}

/* Encodes the tiles of a kind, and sums up what they hold. */
static void encode(const kind *k, size_t unit, int *scaled, wcodec_tile_info *sum, double *counts)
{
    wcodec_tile_options options;
    wcodec_tile_inputs s;
    size_t i, size = units * unit;
    unsigned j, fused;
    memset(&options, 0, sizeof options);
    options.profile = k->profile;
    options.coders = k->coders;
    fill(k, (unsigned)unit, TILES * units);
    memset(&s, 0, sizeof s);
    s.scales = scales;
    s.columns = COLUMNS;
    *scaled = wcodec_scales_fit(k->dtype, data, TILES * size, COLUMNS, 0, scales, scratch, scratch_size);
    memset(counts, 0, 16 * sizeof *counts);
    for (i = 0; i < TILES; i++) {
        record_size[i] = wcodec_tile_encode(k->dtype, COLUMNS, data + i * size, size, *scaled ? &s : NULL,
                                            &options, record[i], wcodec_tile_bound(size), scratch, scratch_size);
        if (!record_size[i] || wcodec_tile_inspect(record[i], record_size[i], sum, NULL)) exit(1);
        for (j = 0; j < sum->planes; j++) {
            const double n = (double)(sum->decoded_size / sum->unit);
            counts[sum->plane[j].coder] += n;
            if (sum->plane[j].predictor) counts[9 + sum->plane[j].predictor] += n;
        }
        for (j = 0, fused = sum->planes == 1; j < sum->planes; j++)
            fused |= sum->plane[j].coder == WCODEC_CODER_RANS16 || sum->plane[j].coder == WCODEC_CODER_CLASSES;
        if (!fused) counts[14] += (double)sum->decoded_size;
        if (sum->planes > 1) counts[15] += (double)sum->decoded_size;
        if (sum->predictor) counts[9] += (double)(sum->decoded_size / sum->unit);
        counts[13] += (double)sum->decoded_size;
    }
}

/* Cycles for all tiles of a kind once: the least of many times, each so short that other programs seldom come
 * in between. */
static double decode(size_t size, int scaled, int no_crc, unsigned cpu_off)
{
    const double start = seconds();
    double best = 1e30;
    wcodec_tile_inputs s;
    size_t at = 0, i, done;
    memset(&s, 0, sizeof s);
    s.scales = scales;
    s.columns = COLUMNS;
    for (done = 0; done < 8 || seconds() - start < TIME; done++) {
        const double begin = seconds();
        double taken;
        for (i = 0; i < TILES; i++) {
            if (at + size > MEMORY) at = 0;
            if (wcodec_tile_decode(record[i], record_size[i], scaled ? &s : NULL, memory + at, size,
                                   scratch, scratch_size, no_crc, cpu_off, NULL))
                exit(1);
            at += size;
        }
        taken = seconds() - begin;
        if (taken < best) best = taken;
    }
    return best * hz;
}

static void measure(const char *kernels, unsigned cpu_off, const char *crc, int no_crc)
{
    size_t i;
    unsigned j;
    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const size_t unit = wcodec_dtype_bits(kinds[i].dtype) < 16 ? 1 : wcodec_dtype_bits(kinds[i].dtype) / 8;
        wcodec_tile_info info;
        double counts[16];
        int scaled;
        encode(&kinds[i], unit, &scaled, &info, counts);
        printf("%s %s %s/%u/%u", kernels, crc, wcodec_dtype_name(kinds[i].dtype), kinds[i].profile,
               kinds[i].coders);
        printf(" %.0f %d", decode(units * unit, scaled, no_crc, cpu_off), TILES);
        for (j = 0; j < 16; j++) printf(" %.0f", counts[j]);
        printf("\n");
        fflush(stdout);
    }
}

/* What a plane costs beside its values, in tiles of so few that little else counts. */
static void measure_small(void)
{
    static const kind small[] = {
        { WCODEC_I8, 0, ONLY(WCODEC_CODER_RAW), UNIFORM }, { WCODEC_I8, 0, ONLY(WCODEC_CODER_HUFFMAN), WEIGHTS },
        { WCODEC_U8, 0, ONLY(WCODEC_CODER_RANS16), FEW }, { WCODEC_I8, 0, ONLY(WCODEC_CODER_RANS256), WEIGHTS }
    };
    size_t i;
    for (i = 0; i < sizeof small / sizeof small[0]; i++) {
        wcodec_tile_info info;
        double counts[16], few, more;
        int scaled;
        units = 512;
        encode(&small[i], 1, &scaled, &info, counts);
        few = decode(units, 0, 1, 0) / TILES;
        units = 1024;
        encode(&small[i], 1, &scaled, &info, counts);
        more = decode(units, 0, 1, 0) / TILES;
        printf("small %s %u %.0f %.0f\n", wcodec_coder_name(info.plane[0].coder), small[i].coders, few, more);
    }
}

int main(void)
{
    static const struct { const char *name; unsigned needs, off; } sets[] = {
        { "scalar", 0, WCODEC_CPU_ALL },
        { "sse4.1", WCODEC_CPU_SSE41, WCODEC_CPU_AVX2 | WCODEC_CPU_AVX512 },
        { "avx2", WCODEC_CPU_AVX2, WCODEC_CPU_AVX512 }, { "avx512", WCODEC_CPU_AVX512, 0 },
        { "neon", WCODEC_CPU_NEON, 0 }
    }, crcs[] = {
        { "tables", 0, WCODEC_CPU_CLMUL | WCODEC_CPU_VCLMUL }, { "clmul", WCODEC_CPU_CLMUL, WCODEC_CPU_VCLMUL },
        { "vclmul", WCODEC_CPU_VCLMUL, 0 }
    };
    const unsigned cpu = wcodec_cpu_detect();
    size_t i;
    memory = (unsigned char *)malloc(MEMORY);
    data = (unsigned char *)malloc((size_t)TILES * MOST_UNITS * 8);
    scratch_size = wcodec_tile_encode_scratch((size_t)MOST_UNITS * 8);
    scratch = (unsigned char *)malloc(scratch_size);
    for (i = 0; i < TILES; i++) record[i] = (unsigned char *)malloc(wcodec_tile_bound((size_t)MOST_UNITS * 8));
    if (!memory || !data || !scratch) return 1;
    memset(memory, 1, MEMORY);
    hz = clock_of_processor();
    fprintf(stderr, "%.2f GHz\n", hz / 1e9);
    measure_small();
    units = MOST_UNITS;
    for (i = 0; i < sizeof sets / sizeof sets[0]; i++)
        if ((cpu & sets[i].needs) == sets[i].needs) measure(sets[i].name, sets[i].off, "none", 1);
    for (i = 0; i < sizeof crcs / sizeof crcs[0]; i++)
        if ((cpu & crcs[i].needs) == crcs[i].needs) measure("best", crcs[i].off, crcs[i].name, 0);
    return 0;
}
