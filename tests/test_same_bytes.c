/* The same containers on every machine: the SHA-256 of what the writer makes of fixed data, which tests/cross.sh
 * has other processors make too.  (Not the CRC-32: a container ends with its own, so that all have the same.)
 * The data are made of integers, so nothing but the library can differ.  A change of the encoder changes these
 * numbers: look at what it changed, then put in the ones that the test prints. */
#define WCODEC_IMPLEMENTATION
#include "../wcodec.h"
#include "test_util.h"

#define ELEMENTS 66000
#define COLUMNS (ELEMENTS / 100)

/* An element of `bits` bits that looks like a weight of that dtype: small ones are commoner, each twice as rare
 * as the next, signs and low bits are random.  It is so many octaves down. */
static uint64_t weight(test_random *r, unsigned dtype, unsigned down)
{
    uint64_t random = test_next(r), noise = test_next(r), rarity = 0;
    while (rarity < 20 && (random >> rarity & 1)) rarity++;
    if (rarity + down <= 20) rarity += down;
    switch (dtype) {
    case WCODEC_BF16: return (noise & 1) << 15 | (122 - rarity) << 7 | (noise >> 8 & 127);
    case WCODEC_F16: return (noise & 1) << 15 | (24 - rarity) << 10 | (noise >> 8 & 1023);
    case WCODEC_F32: return (noise & 1) << 31 | (122 - rarity) << 23 | (noise >> 8 & 0x7FFFFF);
    case WCODEC_F64: return (noise & 1) << 63 | (1018 - rarity) << 52 | noise >> 12;
    case WCODEC_I64: return 1000 * (random >> 44);
    default: return (noise & 1) ? rarity : 0 - rarity;
    }
}

/* scaled: rows and columns differ in size. */
static void fill(test_random *r, unsigned dtype, unsigned bits, int scaled, unsigned char *dst, size_t count)
{
    size_t i;
    unsigned b;
    for (i = 0; i < count; i++) {
        const unsigned down = (unsigned)(i / COLUMNS * 7 % 4 + i % COLUMNS * 11 % 5);
        uint64_t x = weight(r, dtype, scaled ? down : 0);
        if (bits == 4) {
            dst[i / 2] = (unsigned char)(i % 2 ? (dst[i / 2] & 15) | x << 4 : x & 15);
            continue;
        }
        for (b = 0; b < bits / 8; b++) dst[i * (bits / 8) + b] = (unsigned char)(x >> 8 * b);
    }
}

typedef struct digest {
    wcodec_sha256 sha;
    uint64_t size;
    uint32_t head;      /* the first four bytes, as they are written */
} digest;

static wcodec_status take(void *user, const void *src, size_t size)
{
    digest *d = (digest *)user;
    wcodec_sha256_update(&d->sha, src, size);
    d->size += size;
    return WCODEC_OK;
}

/* A container of one tensor, what the encoder may use, and the kernels that it may not. */
static digest container_of(unsigned dtype, unsigned coders, uint32_t tile_units, unsigned profile, int scaled,
                           unsigned cpu_off)
{
    static unsigned char data[ELEMENTS * 8];
    const unsigned bits = wcodec_dtype_bits(dtype);
    test_random r = test_random_new(dtype);
    wcodec_writer_options options = wcodec_writer_defaults();
    unsigned char sha[32];
    digest made;
    wcodec_sink sink;
    wcodec_writer *writer = NULL;
    wcodec_segment s;
    uint64_t shape[2] = { 100, COLUMNS };
    memset(&made, 0, sizeof made);
    wcodec_sha256_init(&made.sha);
    sink.write = take;
    sink.user = &made;
    options.tile.coders = coders;
    options.tile.profile = profile;
    options.tile_units = tile_units;
    options.cpu_off = cpu_off;
    memset(&s, 0, sizeof s);
    s.name = "w";
    s.name_size = 1;
    s.dtype = dtype;
    s.rank = 2;
    s.shape = shape;
    s.size = (uint64_t)ELEMENTS * bits / 8;
    fill(&r, dtype, bits, scaled, data, ELEMENTS);
    CHECK_STATUS(wcodec_writer_open(&writer, &sink, &options, NULL), WCODEC_OK);
    CHECK_STATUS(wcodec_writer_original(writer, "x", 1, 1, NULL), WCODEC_OK);
    CHECK_STATUS(wcodec_writer_segment(writer, &s, NULL), WCODEC_OK);
    CHECK_STATUS(wcodec_writer_data(writer, data, (size_t)s.size, NULL), WCODEC_OK);
    CHECK_STATUS(wcodec_writer_finish(writer, NULL), WCODEC_OK);
    wcodec_writer_close(writer);
    wcodec_sha256_final(&made.sha, sha);
    made.head = (uint32_t)sha[0] << 24 | (uint32_t)sha[1] << 16 | (uint32_t)sha[2] << 8 | sha[3];
    return made;
}

static void containers_are_the_same(void)
{
    enum { DENSE = WCODEC_PROFILE_DENSE, BEST = WCODEC_PROFILE_BEST };
    static const struct {
        unsigned dtype, coders;
        uint32_t tile, head;
        unsigned profile;
        int scaled;
    } known[] = {
        { WCODEC_BF16, 0, 0, 0x79A72D22u, 0, 0 },
        { WCODEC_BF16, 1u << WCODEC_CODER_RANS16, 0, 0x7166600Eu, 0, 0 },
        { WCODEC_BF16, 1u << WCODEC_CODER_HUFFMAN, 0, 0x7C395D63u, 0, 0 },
        { WCODEC_BF16, 1u << WCODEC_CODER_RANS256, 0, 0xC71977E3u, 0, 0 },
        { WCODEC_BF16, 1u << WCODEC_CODER_RAW, 0, 0x15EC9861u, 0, 0 },
        { WCODEC_BF16, 0, 1000, 0x3248F74Du, 0, 0 },
        { WCODEC_BF16, 0, 130, 0x1F2B7A0Fu, 0, 0 },
        { WCODEC_F16, 0, 0, 0x33E79FD8u, 0, 0 },
        { WCODEC_F32, 0, 0, 0xE08CE989u, 0, 0 },
        { WCODEC_F64, 0, 0, 0xF6C84172u, 0, 0 },
        { WCODEC_I64, 0, 0, 0x9E042563u, 0, 0 },
        { WCODEC_I8, 0, 0, 0xD84CD7A7u, 0, 0 },
        { WCODEC_I8, 1u << WCODEC_CODER_SPARSE, 0, 0x646FD42Bu, 0, 0 },
        { WCODEC_I4, 0, 0, 0xB2132702u, 0, 0 },
        { WCODEC_F8_E4M3, 0, 0, 0xAEF8A821u, 0, 0 },
        { WCODEC_I32, 0, 0, 0x3153C0F7u, 0, 0 },
        { WCODEC_U16, 0, 700, 0xE9CA4C87u, 0, 0 },
        { WCODEC_BF16, 0, 0, 0x2FF0FD97u, 0, 1 },
        { WCODEC_BF16, 0, 9000, 0x5302C76Au, 0, 1 },
        { WCODEC_F16, 0, 0, 0x614E7CF2u, 0, 1 },
        { WCODEC_F32, 0, 0, 0xC00FC666u, 0, 1 },
        { WCODEC_F8_E4M3, 0, 0, 0x7D08BF1Au, 0, 1 },
        { WCODEC_BF16, 0, 0, 0x0968E155u, DENSE, 1 },
        { WCODEC_F16, 0, 0, 0x2F8EC357u, DENSE, 1 },
        { WCODEC_F32, 0, 20000, 0x1206EC1Fu, DENSE, 0 },
        { WCODEC_BF16, 0, 20000, 0x5582B1FAu, BEST, 0 },
        { WCODEC_F16, 0, 0, 0x161FAAE9u, BEST, 0 },
        { WCODEC_F32, 0, 7000, 0xD1F6EEE5u, BEST, 0 },
        { WCODEC_I8, 0, 0, 0x6F2C3560u, BEST, 0 },
        { WCODEC_I32, 0, 9000, 0xDAA40DCCu, BEST, 0 },
        { WCODEC_I4, 0, 0, 0x085FA3B3u, BEST, 0 },
        { WCODEC_F8_E4M3, 0, 30000, 0xD403174Fu, BEST, 0 },
        { WCODEC_F64, 0, 4000, 0x720E7B9Du, BEST, 0 }
    };
    static const unsigned off[] = { 0, WCODEC_CPU_AVX512, WCODEC_CPU_AVX512 | WCODEC_CPU_AVX2, WCODEC_CPU_ALL };
    size_t i, k;
    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        for (k = 0; k < sizeof off / sizeof off[0]; k += known[i].profile == BEST ? 3 : 1) {
            digest made = container_of(known[i].dtype, known[i].coders, known[i].tile, known[i].profile, known[i].scaled,
                                       off[k]);
            test_note("%s, coders %x, tile %u, %s: %llu bytes, SHA-256 0x%08Xu ...",
                      wcodec_dtype_name(known[i].dtype), known[i].coders, (unsigned)known[i].tile,
                      wcodec_cpu_kernels(off[k]), (unsigned long long)made.size, (unsigned)made.head);
            CHECK_EQ(made.head, known[i].head);
        }
}

int main(void)
{
    RUN(containers_are_the_same);
    return test_end();
}
