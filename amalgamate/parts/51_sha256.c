/* ------------------------------------------------------------------------------------------------
 * SHA-256 (public), FIPS 180-4
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

static void wcodeci_sha_block(uint32_t state[8], const wcodeci_byte *p)
{
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

WCODEC_API void wcodec_sha256_init(wcodec_sha256 *sha)
{
    static const uint32_t start[8] = {
        0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au, 0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u
    };
    memcpy(sha->state, start, sizeof start);
    sha->size = 0;
    memset(sha->block, 0, sizeof sha->block);
}

WCODEC_API void wcodec_sha256_update(wcodec_sha256 *sha, const void *data, size_t size)
{
    const wcodeci_byte *p = (const wcodeci_byte *)data;
    while (size) {
        size_t have = (size_t)(sha->size & 63), take = wcodeci_min(64 - have, size);
        if (have == 0 && size >= 64) {
            wcodeci_sha_block(sha->state, p);
            take = 64;
        } else {
            memcpy(sha->block + have, p, take);
            if (have + take == 64) wcodeci_sha_block(sha->state, sha->block);
        }
        sha->size += take;
        p += take;
        size -= take;
    }
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
