/* ------------------------------------------------------------------------------------------------
 * SHA-256 (public), FIPS 180-4
 * Each block needs the state that the one before it leaves, so that a digest can not be shared out to
 * threads, and encoding with many of them waits for it.  The scalar body defines; instructions for SHA-256 are
 * some six times as fast, and as fast as their latency allows.  Kernels read whole blocks and nothing else.
 * ---------------------------------------------------------------------------------------------- */

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t wcodeci_sha_table[64] = {
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u,
    0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u,
    0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
    0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u,
    0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
    0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
    0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u
};

#define WCODECI_ROTR(x, n) ((x) >> (n) | (x) << (32 - (n)))

typedef void wcodeci_sha_fn(uint32_t state[8], const wcodeci_byte *p, size_t blocks);

static void wcodeci_sha_scalar(uint32_t state[8], const wcodeci_byte *p, size_t blocks)
{
    for (; blocks; blocks--) {
        uint32_t w[64], a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        int i;
        for (i = 0; i < 16; i++, p += 4)
            w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        for (; i < 64; i++) {
            uint32_t x = w[i - 15], y = w[i - 2];
            w[i] = w[i - 16] + w[i - 7] + (WCODECI_ROTR(x, 7) ^ WCODECI_ROTR(x, 18) ^ x >> 3)
                 + (WCODECI_ROTR(y, 17) ^ WCODECI_ROTR(y, 19) ^ y >> 10);
        }
        for (i = 0; i < 64; i++) {
            uint32_t s1 = WCODECI_ROTR(e, 6) ^ WCODECI_ROTR(e, 11) ^ WCODECI_ROTR(e, 25);
            uint32_t s0 = WCODECI_ROTR(a, 2) ^ WCODECI_ROTR(a, 13) ^ WCODECI_ROTR(a, 22);
            uint32_t t1 = h + s1 + (g ^ (e & (f ^ g))) + wcodeci_sha_table[i] + w[i];
            uint32_t t2 = s0 + ((a & b) | (c & (a | b)));
            h = g; g = f; f = e; e = d + t1;
            d = c; c = b; b = a; a = t1 + t2;
        }
        state[0] += a; state[1] += b; state[2] += c; state[3] += d;
        state[4] += e; state[5] += f; state[6] += g; state[7] += h;
    }
}

#if WCODECI_X86

#define WCODECI_SHA_X86 WCODECI_TARGET("sse4.1,ssse3,sha")

/* Words i to i + 3 of a block, lowest lane first. */
WCODECI_SHA_X86
WCODECI_INLINE __m128i wcodeci_sha_load(const wcodeci_byte *p)
{
    const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), swap);
}

/* Of the 16 words before, w0 to w3, the four that follow. */
WCODECI_SHA_X86
WCODECI_INLINE __m128i wcodeci_sha_words(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
    __m128i w = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
    return _mm_sha256msg2_epu32(w, w3);
}

/* Rounds i to i + 3.  The instruction does two, and what was a, b, e, f is c, d, g, h after them. */
WCODECI_SHA_X86
WCODECI_INLINE void wcodeci_sha_rounds(__m128i *abef, __m128i *cdgh, __m128i w, int i)
{
    const uint32_t *k = wcodeci_sha_table + i;
    w = _mm_add_epi32(w, _mm_loadu_si128((const __m128i *)(const void *)k));
    *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, w);
    *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_unpackhi_epi64(w, w));
}

WCODECI_SHA_X86
static void wcodeci_sha_ni(uint32_t state[8], const wcodeci_byte *p, size_t blocks)
{
    __m128i *at = (__m128i *)(void *)state;
    __m128i abcd = _mm_loadu_si128(at), efgh = _mm_loadu_si128(at + 1);
    /* The instructions want a and c in the highest lanes. */
    __m128i abef = _mm_shuffle_epi32(_mm_unpacklo_epi64(abcd, efgh), 0x1B);
    __m128i cdgh = _mm_shuffle_epi32(_mm_unpackhi_epi64(abcd, efgh), 0x1B);
    for (; blocks; blocks--, p += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w0 = wcodeci_sha_load(p), w1 = wcodeci_sha_load(p + 16);
        __m128i w2 = wcodeci_sha_load(p + 32), w3 = wcodeci_sha_load(p + 48);
        int i;
        for (i = 0;; i += 16) {
            wcodeci_sha_rounds(&abef, &cdgh, w0, i);
            wcodeci_sha_rounds(&abef, &cdgh, w1, i + 4);
            wcodeci_sha_rounds(&abef, &cdgh, w2, i + 8);
            wcodeci_sha_rounds(&abef, &cdgh, w3, i + 12);
            if (i == 48) break;
            w0 = wcodeci_sha_words(w0, w1, w2, w3);
            w1 = wcodeci_sha_words(w1, w2, w3, w0);
            w2 = wcodeci_sha_words(w2, w3, w0, w1);
            w3 = wcodeci_sha_words(w3, w0, w1, w2);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    abef = _mm_shuffle_epi32(abef, 0x1B);
    cdgh = _mm_shuffle_epi32(cdgh, 0x1B);
    _mm_storeu_si128(at, _mm_unpacklo_epi64(abef, cdgh));
    _mm_storeu_si128(at + 1, _mm_unpackhi_epi64(abef, cdgh));
}

#elif WCODECI_NEON && defined(__GNUC__)

/* As assembly: before version 16, clang has the intrinsics only where all of a file may use them. */
#if defined(__clang__)
#define WCODECI_SHA_ARM __attribute__((target("sha2")))
#else
#define WCODECI_SHA_ARM __attribute__((target("+sha2")))
#endif

/* Of the 16 words before, w0 to w3, the four that follow. */
WCODECI_SHA_ARM
WCODECI_INLINE uint32x4_t wcodeci_sha_words(uint32x4_t w0, uint32x4_t w1, uint32x4_t w2, uint32x4_t w3)
{
    __asm__("sha256su0 %0.4s, %1.4s" : "+w"(w0) : "w"(w1));
    __asm__("sha256su1 %0.4s, %1.4s, %2.4s" : "+w"(w0) : "w"(w2), "w"(w3));
    return w0;
}

/* Rounds i to i + 3. */
WCODECI_SHA_ARM
WCODECI_INLINE void wcodeci_sha_rounds(uint32x4_t *abcd, uint32x4_t *efgh, uint32x4_t w, int i)
{
    const uint32x4_t before = *abcd;
    w = vaddq_u32(w, vld1q_u32(wcodeci_sha_table + i));
    __asm__("sha256h %q0, %q1, %2.4s" : "+w"(*abcd) : "w"(*efgh), "w"(w));
    __asm__("sha256h2 %q0, %q1, %2.4s" : "+w"(*efgh) : "w"(before), "w"(w));
}

WCODECI_SHA_ARM
WCODECI_INLINE uint32x4_t wcodeci_sha_load(const wcodeci_byte *p)
{
    return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(p)));
}

WCODECI_SHA_ARM
static void wcodeci_sha_arm(uint32_t state[8], const wcodeci_byte *p, size_t blocks)
{
    uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);
    for (; blocks; blocks--, p += 64) {
        const uint32x4_t abcd_before = abcd, efgh_before = efgh;
        uint32x4_t w0 = wcodeci_sha_load(p), w1 = wcodeci_sha_load(p + 16);
        uint32x4_t w2 = wcodeci_sha_load(p + 32), w3 = wcodeci_sha_load(p + 48);
        int i;
        for (i = 0;; i += 16) {
            wcodeci_sha_rounds(&abcd, &efgh, w0, i);
            wcodeci_sha_rounds(&abcd, &efgh, w1, i + 4);
            wcodeci_sha_rounds(&abcd, &efgh, w2, i + 8);
            wcodeci_sha_rounds(&abcd, &efgh, w3, i + 12);
            if (i == 48) break;
            w0 = wcodeci_sha_words(w0, w1, w2, w3);
            w1 = wcodeci_sha_words(w1, w2, w3, w0);
            w2 = wcodeci_sha_words(w2, w3, w0, w1);
            w3 = wcodeci_sha_words(w3, w0, w1, w2);
        }
        abcd = vaddq_u32(abcd, abcd_before);
        efgh = vaddq_u32(efgh, efgh_before);
    }
    vst1q_u32(state, abcd);
    vst1q_u32(state + 4, efgh);
}

#endif

static wcodeci_sha_fn *wcodeci_sha_of(unsigned cpu)
{
#if WCODECI_X86
    if (cpu & WCODEC_CPU_SHA) return wcodeci_sha_ni;
#elif WCODECI_NEON && defined(__GNUC__)
    if (cpu & WCODEC_CPU_SHA) return wcodeci_sha_arm;
#else
    (void)cpu;
#endif
    return wcodeci_sha_scalar;
}

WCODEC_API void wcodec_sha256_init(wcodec_sha256 *sha)
{
    static const uint32_t start[8] = {
        0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au, 0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u
    };
    memcpy(sha->state, start, sizeof start);
    sha->size = 0;
    memset(sha->block, 0, sizeof sha->block);
}

/* A started block is completed first, then whole blocks are taken where they are. */
WCODEC_API void wcodec_sha256_update(wcodec_sha256 *sha, const void *data, size_t size)
{
    wcodeci_sha_fn *const blocks = wcodeci_sha_of(wcodec_cpu_detect());
    const wcodeci_byte *p = (const wcodeci_byte *)data;
    const size_t have = (size_t)(sha->size & 63);
    sha->size += size;
    if (have) {
        const size_t take = wcodeci_min(64 - have, size);
        wcodeci_copy(sha->block + have, p, take);
        if (have + take < 64) return;
        blocks(sha->state, sha->block, 1);
        p += take;
        size -= take;
    }
    if (size >= 64) {
        blocks(sha->state, p, size / 64);
        p += size & ~(size_t)63;
        size &= 63;
    }
    wcodeci_copy(sha->block, p, size);
}

WCODEC_API void wcodec_sha256_final(wcodec_sha256 *sha, unsigned char digest[32])
{
    static const wcodeci_byte padding[64] = { 0x80 };
    wcodeci_byte length[8];
    uint64_t bits = sha->size * 8;
    int i;
    for (i = 0; i < 8; i++) length[i] = (wcodeci_byte)(bits >> (56 - 8 * i));
    wcodec_sha256_update(sha, padding, 1 + (size_t)((119 - (sha->size & 63)) & 63));
    wcodec_sha256_update(sha, length, 8);
    for (i = 0; i < 32; i++) digest[i] = (wcodeci_byte)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}
