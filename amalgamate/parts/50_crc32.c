/* ------------------------------------------------------------------------------------------------
 * CRC-32 (private, and wcodec_crc32)
 *
 * The CRC of a message is the remainder of its polynomial over GF(2), times x^32, divided by
 * P = x^32 + x^26 + x^23 + x^22 + x^16 + x^12 + x^11 + x^10 + x^8 + x^7 + x^5 + x^4 + x^2 + x + 1, all of it
 * reflected: the first bit of a message, and bit 0 of a word, has the highest power.  Byte by byte:
 * crc = table[(crc ^ byte) & 255] ^ (crc >> 8), where table[b] is the remainder of b * x^8.  Each step waits
 * for the one before it, some six cycles a byte, so none of what follows does that to more than a little of
 * a long message.  All kernels give the same number, and read nothing outside of the message.
 * ---------------------------------------------------------------------------------------------- */

/* table[b]: b, then eight times: x = x & 1 ? 0xEDB88320 ^ (x >> 1) : x >> 1. */
static const uint32_t wcodeci_crc_table[256] = {
    0x00000000u, 0x77073096u, 0xEE0E612Cu, 0x990951BAu, 0x076DC419u, 0x706AF48Fu, 0xE963A535u, 0x9E6495A3u,
    0x0EDB8832u, 0x79DCB8A4u, 0xE0D5E91Eu, 0x97D2D988u, 0x09B64C2Bu, 0x7EB17CBDu, 0xE7B82D07u, 0x90BF1D91u,
    0x1DB71064u, 0x6AB020F2u, 0xF3B97148u, 0x84BE41DEu, 0x1ADAD47Du, 0x6DDDE4EBu, 0xF4D4B551u, 0x83D385C7u,
    0x136C9856u, 0x646BA8C0u, 0xFD62F97Au, 0x8A65C9ECu, 0x14015C4Fu, 0x63066CD9u, 0xFA0F3D63u, 0x8D080DF5u,
    0x3B6E20C8u, 0x4C69105Eu, 0xD56041E4u, 0xA2677172u, 0x3C03E4D1u, 0x4B04D447u, 0xD20D85FDu, 0xA50AB56Bu,
    0x35B5A8FAu, 0x42B2986Cu, 0xDBBBC9D6u, 0xACBCF940u, 0x32D86CE3u, 0x45DF5C75u, 0xDCD60DCFu, 0xABD13D59u,
    0x26D930ACu, 0x51DE003Au, 0xC8D75180u, 0xBFD06116u, 0x21B4F4B5u, 0x56B3C423u, 0xCFBA9599u, 0xB8BDA50Fu,
    0x2802B89Eu, 0x5F058808u, 0xC60CD9B2u, 0xB10BE924u, 0x2F6F7C87u, 0x58684C11u, 0xC1611DABu, 0xB6662D3Du,
    0x76DC4190u, 0x01DB7106u, 0x98D220BCu, 0xEFD5102Au, 0x71B18589u, 0x06B6B51Fu, 0x9FBFE4A5u, 0xE8B8D433u,
    0x7807C9A2u, 0x0F00F934u, 0x9609A88Eu, 0xE10E9818u, 0x7F6A0DBBu, 0x086D3D2Du, 0x91646C97u, 0xE6635C01u,
    0x6B6B51F4u, 0x1C6C6162u, 0x856530D8u, 0xF262004Eu, 0x6C0695EDu, 0x1B01A57Bu, 0x8208F4C1u, 0xF50FC457u,
    0x65B0D9C6u, 0x12B7E950u, 0x8BBEB8EAu, 0xFCB9887Cu, 0x62DD1DDFu, 0x15DA2D49u, 0x8CD37CF3u, 0xFBD44C65u,
    0x4DB26158u, 0x3AB551CEu, 0xA3BC0074u, 0xD4BB30E2u, 0x4ADFA541u, 0x3DD895D7u, 0xA4D1C46Du, 0xD3D6F4FBu,
    0x4369E96Au, 0x346ED9FCu, 0xAD678846u, 0xDA60B8D0u, 0x44042D73u, 0x33031DE5u, 0xAA0A4C5Fu, 0xDD0D7CC9u,
    0x5005713Cu, 0x270241AAu, 0xBE0B1010u, 0xC90C2086u, 0x5768B525u, 0x206F85B3u, 0xB966D409u, 0xCE61E49Fu,
    0x5EDEF90Eu, 0x29D9C998u, 0xB0D09822u, 0xC7D7A8B4u, 0x59B33D17u, 0x2EB40D81u, 0xB7BD5C3Bu, 0xC0BA6CADu,
    0xEDB88320u, 0x9ABFB3B6u, 0x03B6E20Cu, 0x74B1D29Au, 0xEAD54739u, 0x9DD277AFu, 0x04DB2615u, 0x73DC1683u,
    0xE3630B12u, 0x94643B84u, 0x0D6D6A3Eu, 0x7A6A5AA8u, 0xE40ECF0Bu, 0x9309FF9Du, 0x0A00AE27u, 0x7D079EB1u,
    0xF00F9344u, 0x8708A3D2u, 0x1E01F268u, 0x6906C2FEu, 0xF762575Du, 0x806567CBu, 0x196C3671u, 0x6E6B06E7u,
    0xFED41B76u, 0x89D32BE0u, 0x10DA7A5Au, 0x67DD4ACCu, 0xF9B9DF6Fu, 0x8EBEEFF9u, 0x17B7BE43u, 0x60B08ED5u,
    0xD6D6A3E8u, 0xA1D1937Eu, 0x38D8C2C4u, 0x4FDFF252u, 0xD1BB67F1u, 0xA6BC5767u, 0x3FB506DDu, 0x48B2364Bu,
    0xD80D2BDAu, 0xAF0A1B4Cu, 0x36034AF6u, 0x41047A60u, 0xDF60EFC3u, 0xA867DF55u, 0x316E8EEFu, 0x4669BE79u,
    0xCB61B38Cu, 0xBC66831Au, 0x256FD2A0u, 0x5268E236u, 0xCC0C7795u, 0xBB0B4703u, 0x220216B9u, 0x5505262Fu,
    0xC5BA3BBEu, 0xB2BD0B28u, 0x2BB45A92u, 0x5CB36A04u, 0xC2D7FFA7u, 0xB5D0CF31u, 0x2CD99E8Bu, 0x5BDEAE1Du,
    0x9B64C2B0u, 0xEC63F226u, 0x756AA39Cu, 0x026D930Au, 0x9C0906A9u, 0xEB0E363Fu, 0x72076785u, 0x05005713u,
    0x95BF4A82u, 0xE2B87A14u, 0x7BB12BAEu, 0x0CB61B38u, 0x92D28E9Bu, 0xE5D5BE0Du, 0x7CDCEFB7u, 0x0BDBDF21u,
    0x86D3D2D4u, 0xF1D4E242u, 0x68DDB3F8u, 0x1FDA836Eu, 0x81BE16CDu, 0xF6B9265Bu, 0x6FB077E1u, 0x18B74777u,
    0x88085AE6u, 0xFF0F6A70u, 0x66063BCAu, 0x11010B5Cu, 0x8F659EFFu, 0xF862AE69u, 0x616BFFD3u, 0x166CCF45u,
    0xA00AE278u, 0xD70DD2EEu, 0x4E048354u, 0x3903B3C2u, 0xA7672661u, 0xD06016F7u, 0x4969474Du, 0x3E6E77DBu,
    0xAED16A4Au, 0xD9D65ADCu, 0x40DF0B66u, 0x37D83BF0u, 0xA9BCAE53u, 0xDEBB9EC5u, 0x47B2CF7Fu, 0x30B5FFE9u,
    0xBDBDF21Cu, 0xCABAC28Au, 0x53B39330u, 0x24B4A3A6u, 0xBAD03605u, 0xCDD70693u, 0x54DE5729u, 0x23D967BFu,
    0xB3667A2Eu, 0xC4614AB8u, 0x5D681B02u, 0x2A6F2B94u, 0xB40BBE37u, 0xC30C8EA1u, 0x5A05DF1Bu, 0x2D02EF8Du
};

/* a * b mod P, both reflected. */
static uint32_t wcodeci_crc_multiply(uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    int i;
    for (i = 0; i < 32; i++) {
        product ^= b & (0u - (a >> 31));
        a <<= 1;
        b = (b >> 1) ^ (0xEDB88320u & (0u - (b & 1)));
    }
    return product;
}

#define WCODECI_CRC_STEP(c, byte) ((c) = wcodeci_crc_table[((c) ^ (byte)) & 255] ^ ((c) >> 8))

/* Scalar, long messages.  P divides x^300 + x^155 + x^117 + x^89 + 1, the only multiple of five terms that is
 * this short, hence also its 32nd power, in which each exponent is 32 times as large.  So the remainder does
 * not change when a word is taken out of the message and added, that is by XOR, to those 145, 183, 211 and
 * 300 words later.  Without any table or shift all words but the last 300 become 0 that way (the idea is that
 * of "Chorba: A novel CRC32 implementation", Russell, 2024).  The order of a word's bytes does not matter.
 * (The 64th power and words of 64 bits are no faster where the compiler vectorises, and heavy on the stack.) */
typedef uint32_t wcodeci_crc_word;
#define WCODECI_CRC_APART 0x7FB797E1u       /* x^(8 * 300) mod P, a quarter of 300 words */
#define WCODECI_CRC_WORD sizeof(wcodeci_crc_word)

/* Of `words` words, at least one. */
static uint32_t wcodeci_crc_words(uint32_t crc, const wcodeci_byte *p, size_t words)
{
    static const size_t end[4] = { 145, 183, 211, 300 };
    const size_t quarter = 75 * WCODECI_CRC_WORD;
    wcodeci_crc_word v[300], w;
    const wcodeci_byte *q = (const wcodeci_byte *)v;
    uint32_t a = 0, b = 0, c = 0, d = 0;
    size_t i;
    int k;
    /* v[i] is word i of a block of 300 and all that was added to it.  Zeros before a message change nothing,
     * so that the first block may be short: it ends at the end of v.  The CRC so far is added to the first
     * bytes of the message. */
    memset(v, 0, sizeof v);
    i = (300 - words % 300) % 300;
    wcodeci_store32((wcodeci_byte *)(v + i), crc);
    for (;;) {
        /* v[i - 145], or if that is in the block before v[i + 155], where it still is; and so on. */
        size_t from[3];
        from[0] = 155;
        from[1] = 117;
        from[2] = 89;
        words -= 300 - i;
        for (k = 0; k < 4; k++) {
            for (; i < end[k]; i++, p += WCODECI_CRC_WORD) {
                memcpy(&w, p, WCODECI_CRC_WORD);
                v[i] ^= w ^ v[i + from[0]] ^ v[i + from[1]] ^ v[i + from[2]];
            }
            if (k < 3) from[k] -= 300;
        }
        if (!words) break;
        i = 0;
    }
    /* The last block stays: what its own words added to one another is taken back. */
    for (i = 299; i >= 211; i--) v[i] ^= v[i - 145] ^ v[i - 183] ^ v[i - 211];
    for (; i >= 183; i--) v[i] ^= v[i - 145] ^ v[i - 183];
    for (; i >= 145; i--) v[i] ^= v[i - 145];
    /* Four parts side by side, joined by crc(A B) = crc(A) * x^(8 |B|) + crc(B) mod P. */
    for (i = 0; i < quarter; i++) {
        WCODECI_CRC_STEP(a, q[i]);
        WCODECI_CRC_STEP(b, q[i + quarter]);
        WCODECI_CRC_STEP(c, q[i + 2 * quarter]);
        WCODECI_CRC_STEP(d, q[i + 3 * quarter]);
    }
    a = wcodeci_crc_multiply(a, WCODECI_CRC_APART) ^ b;
    a = wcodeci_crc_multiply(a, WCODECI_CRC_APART) ^ c;
    return wcodeci_crc_multiply(a, WCODECI_CRC_APART) ^ d;
}

typedef uint32_t wcodeci_crc_fn(uint32_t crc, const void *data, size_t size);

static uint32_t wcodeci_crc_scalar(uint32_t crc, const void *data, size_t size)
{
    const wcodeci_byte *p = (const wcodeci_byte *)data;
    crc = ~crc;
    if (size >= 100 * WCODECI_CRC_WORD) {
        size_t words = size / WCODECI_CRC_WORD;
        crc = wcodeci_crc_words(crc, p, words);
        p += words * WCODECI_CRC_WORD;
        size -= words * WCODECI_CRC_WORD;
    }
    for (; size; size--) WCODECI_CRC_STEP(crc, *p++);
    return ~crc;
}

#if WCODECI_X86

/* Carry-less multiplication: V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
 * Instruction", Intel, 2009.  A register of 16 bytes of the message is the polynomial a * x^64 + b, a its low
 * half.  To add it to the 16 bytes that come n bits later it is multiplied by x^n, mod P but not down to 32
 * bits: a * (x^(n + 64) mod P) + b * (x^n mod P) has 96 and fits.  The product of two reflected halves lacks
 * one power, and a constant of 32 bits in the low end of a half has 32 too many, so that the constants are
 * x^(n + 31) mod P for a and x^(n - 33) mod P for b. */
#define WCODECI_CRC_FOLD_128 0xCCAA009E, 0xAE689191
#define WCODECI_CRC_FOLD_256 0x81256527, 0xF1DA05AA
#define WCODECI_CRC_FOLD_384 0xAF449247, 0x3DB1ECDC
#define WCODECI_CRC_FOLD_512 0x1D9513D7, 0x8F352D95
#define WCODECI_CRC_FOLD_2048 0xE95C1271, 0xCE3371CB

WCODECI_TARGET("sse4.1,pclmul")
WCODECI_INLINE __m128i wcodeci_crc_load(const wcodeci_byte *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

WCODECI_TARGET("sse4.1,pclmul")
WCODECI_INLINE __m128i wcodeci_crc_fold(__m128i x, __m128i by, __m128i onto)
{
    return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(x, by, 0x00), onto),
                         _mm_clmulepi64_si128(x, by, 0x11));
}

/* The CRC of x and of the `size` bytes that follow. */
WCODECI_TARGET("sse4.1,pclmul")
static uint32_t wcodeci_crc_clmul_end(__m128i x, const wcodeci_byte *p, size_t size)
{
    const __m128i by_128 = _mm_set_epi64x(WCODECI_CRC_FOLD_128);
    /* x^95 mod P and x^63 mod P, each in the high end of its half. */
    const __m128i shrink = _mm_set_epi64x((long long)0xB8BC676500000000u, (long long)0xCCAA009E00000000u);
    /* P, and the quotient of x^64 and P, reflected, 33 bits. */
    const __m128i barrett = _mm_set_epi64x(0x1DB710641, 0x1F7011641);
    __m128i y, t;
    for (; size >= 16; p += 16, size -= 16) x = wcodeci_crc_fold(x, by_128, wcodeci_crc_load(p));
    /* x times x^32: from 160 bits to 96, then to 64. */
    y = _mm_slli_si128(_mm_srli_si128(x, 8), 4);
    y = _mm_xor_si128(y, _mm_clmulepi64_si128(x, shrink, 0x00));
    y = _mm_xor_si128(y, _mm_clmulepi64_si128(y, shrink, 0x10));
    /* Barrett: the quotient of y and P is that of y / x^32 and P / x^64, without the fractions. */
    t = _mm_clmulepi64_si128(_mm_srli_epi64(_mm_slli_epi64(_mm_srli_si128(y, 8), 32), 32), barrett, 0x00);
    t = _mm_clmulepi64_si128(_mm_srli_epi64(_mm_slli_epi64(t, 32), 32), barrett, 0x10);
    y = _mm_xor_si128(_mm_srli_si128(y, 8), t);
    return wcodeci_crc_scalar(~(uint32_t)_mm_extract_epi32(y, 1), p, size);
}

WCODECI_TARGET("sse4.1,pclmul")
static uint32_t wcodeci_crc_clmul(uint32_t crc, const void *data, size_t size)
{
    const __m128i by_128 = _mm_set_epi64x(WCODECI_CRC_FOLD_128);
    const __m128i by_512 = _mm_set_epi64x(WCODECI_CRC_FOLD_512);
    const wcodeci_byte *p = (const wcodeci_byte *)data;
    __m128i x;
    if (size < 16) return wcodeci_crc_scalar(crc, data, size);
    x = _mm_xor_si128(wcodeci_crc_load(p), _mm_cvtsi32_si128((int)~crc));
    p += 16;
    size -= 16;
    if (size >= 112) {
        __m128i a = x, b = wcodeci_crc_load(p), c = wcodeci_crc_load(p + 16), d = wcodeci_crc_load(p + 32);
        for (p += 48, size -= 48; size >= 64; p += 64, size -= 64) {
            a = wcodeci_crc_fold(a, by_512, wcodeci_crc_load(p));
            b = wcodeci_crc_fold(b, by_512, wcodeci_crc_load(p + 16));
            c = wcodeci_crc_fold(c, by_512, wcodeci_crc_load(p + 32));
            d = wcodeci_crc_fold(d, by_512, wcodeci_crc_load(p + 48));
        }
        b = wcodeci_crc_fold(a, by_128, b);
        c = wcodeci_crc_fold(b, by_128, c);
        x = wcodeci_crc_fold(c, by_128, d);
    }
    return wcodeci_crc_clmul_end(x, p, size);
}

#define WCODECI_CRC_VCLMUL WCODECI_TARGET("avx512f,avx512vl,avx512bw,avx512dq,sse4.1,pclmul,vpclmulqdq")

WCODECI_CRC_VCLMUL
WCODECI_INLINE __m512i wcodeci_crc_fold_4(__m512i x, __m512i by, __m512i onto)
{
    return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(x, by, 0x00),
                                     _mm512_clmulepi64_epi128(x, by, 0x11), onto, 0x96);     /* XOR */
}

WCODECI_CRC_VCLMUL
WCODECI_INLINE __m512i wcodeci_crc_load_4(const wcodeci_byte *p)
{
    return _mm512_loadu_si512((const void *)p);
}

WCODECI_CRC_VCLMUL
static uint32_t wcodeci_crc_vclmul(uint32_t crc, const void *data, size_t size)
{
    const __m512i by_2048 = _mm512_set_epi64(WCODECI_CRC_FOLD_2048, WCODECI_CRC_FOLD_2048,
                                             WCODECI_CRC_FOLD_2048, WCODECI_CRC_FOLD_2048);
    const __m512i by_512 = _mm512_set_epi64(WCODECI_CRC_FOLD_512, WCODECI_CRC_FOLD_512,
                                            WCODECI_CRC_FOLD_512, WCODECI_CRC_FOLD_512);
    /* Three of a register's four go onto the last one. */
    const __m512i onto_last = _mm512_set_epi64(0, 0, WCODECI_CRC_FOLD_128, WCODECI_CRC_FOLD_256,
                                               WCODECI_CRC_FOLD_384);
    const wcodeci_byte *p = (const wcodeci_byte *)data;
    __m512i a, b, c, d;
    __m128i x;
    if (size < 128) return wcodeci_crc_clmul(crc, data, size);
    x = _mm_cvtsi32_si128((int)~crc);
    a = _mm512_xor_si512(wcodeci_crc_load_4(p), _mm512_inserti32x4(_mm512_setzero_si512(), x, 0));
    p += 64;
    size -= 64;
    if (size >= 448) {
        b = wcodeci_crc_load_4(p);
        c = wcodeci_crc_load_4(p + 64);
        d = wcodeci_crc_load_4(p + 128);
        for (p += 192, size -= 192; size >= 256; p += 256, size -= 256) {
            a = wcodeci_crc_fold_4(a, by_2048, wcodeci_crc_load_4(p));
            b = wcodeci_crc_fold_4(b, by_2048, wcodeci_crc_load_4(p + 64));
            c = wcodeci_crc_fold_4(c, by_2048, wcodeci_crc_load_4(p + 128));
            d = wcodeci_crc_fold_4(d, by_2048, wcodeci_crc_load_4(p + 192));
        }
        b = wcodeci_crc_fold_4(a, by_512, b);
        c = wcodeci_crc_fold_4(b, by_512, c);
        a = wcodeci_crc_fold_4(c, by_512, d);
    }
    for (; size >= 64; p += 64, size -= 64) a = wcodeci_crc_fold_4(a, by_512, wcodeci_crc_load_4(p));
    b = wcodeci_crc_fold_4(a, onto_last, _mm512_setzero_si512());
    /* maskz, with nothing masked: of the plain ones gcc 12, in C++, warns that they use what is not set. */
    x = _mm512_maskz_extracti32x4_epi32(0xFF, b, 0);
    x = _mm_xor_si128(x, _mm512_maskz_extracti32x4_epi32(0xFF, b, 1));
    x = _mm_xor_si128(x, _mm512_maskz_extracti32x4_epi32(0xFF, b, 2));
    x = _mm_xor_si128(x, _mm512_maskz_extracti32x4_epi32(0xFF, a, 3));
    _mm256_zeroupper();     /* gcc leaves it out here, and upper halves in use make the SSE code slow */
    return wcodeci_crc_clmul_end(x, p, size);
}

#elif WCODECI_NEON && defined(__GNUC__)

/* One instruction takes eight bytes, one may begin every cycle, but the result takes two or three.  So four
 * parts run side by side, and are joined by crc(A B) = crc(A) * x^(8 |B|) + crc(B) mod P.  The products, not
 * reduced, have 63 bits; the instruction reduces their sum, and multiplies it by x^32, which the constants
 * make up for. */
#if defined(__clang__)
#define WCODECI_CRC_ARM __attribute__((target("crc")))
#define WCODECI_CRC_8(crc, v) __builtin_arm_crc32d(crc, v)
#define WCODECI_CRC_1(crc, v) __builtin_arm_crc32b(crc, v)
#else
#include <arm_acle.h>
#define WCODECI_CRC_ARM __attribute__((target("+crc")))
#define WCODECI_CRC_8(crc, v) __crc32d(crc, v)
#define WCODECI_CRC_1(crc, v) __crc32b(crc, v)
#endif

/* Four times a part of `size` bytes, and x^(8 n - 32) mod P for n = 3 size, 2 size, size. */
typedef struct wcodeci_crc_parts {
    size_t size;
    uint32_t x[3];
} wcodeci_crc_parts;

WCODECI_CRC_ARM
static uint32_t wcodeci_crc_arm(uint32_t crc, const void *data, size_t size)
{
    static const wcodeci_crc_parts sizes[2] = {
        { 8192, { 0xDFC12622u, 0x70772F7Fu, 0xFC246B8Au } },
        { 512, { 0x0BA9D5C2u, 0x5DF97B6Bu, 0xEBA0F9AEu } }
    };
    const wcodeci_byte *p = (const wcodeci_byte *)data;
    int k, bit;
    crc = ~crc;
    for (k = 0; k < 2; k++) {
        const wcodeci_crc_parts *part = sizes + k;
        const size_t n = part->size;
        for (; size >= 4 * n; p += 3 * n, size -= 4 * n) {
            const wcodeci_byte *end = p + n;
            uint64_t product = 0;
            uint32_t b = 0, c = 0, d = 0;
            for (; p < end; p += 8) {
                crc = WCODECI_CRC_8(crc, wcodeci_load64(p));
                b = WCODECI_CRC_8(b, wcodeci_load64(p + n));
                c = WCODECI_CRC_8(c, wcodeci_load64(p + 2 * n));
                d = WCODECI_CRC_8(d, wcodeci_load64(p + 3 * n));
            }
            for (bit = 0; bit < 32; bit++) {
                product ^= (uint64_t)part->x[0] << bit & (0 - ((uint64_t)crc >> bit & 1));
                product ^= (uint64_t)part->x[1] << bit & (0 - ((uint64_t)b >> bit & 1));
                product ^= (uint64_t)part->x[2] << bit & (0 - ((uint64_t)c >> bit & 1));
            }
            crc = WCODECI_CRC_8(0, product << 1) ^ d;
        }
    }
    for (; size >= 8; p += 8, size -= 8) crc = WCODECI_CRC_8(crc, wcodeci_load64(p));
    for (; size; size--, p++) crc = WCODECI_CRC_1(crc, *p);
    return ~crc;
}

#endif

static wcodeci_crc_fn *wcodeci_crc_of(unsigned cpu)
{
#if WCODECI_X86
    const unsigned vclmul = WCODEC_CPU_CLMUL | WCODEC_CPU_AVX512 | WCODEC_CPU_VCLMUL;
    if ((cpu & vclmul) == vclmul) return wcodeci_crc_vclmul;
    if (cpu & WCODEC_CPU_CLMUL) return wcodeci_crc_clmul;
#elif WCODECI_NEON && defined(__GNUC__)
    if (cpu & WCODEC_CPU_CLMUL) return wcodeci_crc_arm;
#else
    (void)cpu;
#endif
    return wcodeci_crc_scalar;
}

WCODEC_API uint32_t wcodec_crc32(uint32_t crc, const void *data, size_t size)
{
    return wcodeci_crc_of(wcodec_cpu_detect())(crc, data, size);
}
