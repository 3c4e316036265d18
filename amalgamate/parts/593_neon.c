/* ------------------------------------------------------------------------------------------------
 * Kernels for NEON (private): 16 values a vector, AArch64
 *
 * On most of these processors, two to four vector operations can start in a cycle, and as many loads and
 * operations on general registers besides, so vector operations are what counts.
 *
 * A lookup in 32 bytes is as fast as one in 16 on the Neoverse and newer Cortex-A cores and no slower than
 * two elsewhere.  So there is one index, of the slot's bucket and a bit that says whether the slot is the
 * bucket's other symbol's, and it looks up frequency, rank and value, rather than a symbol that does.
 *
 * No vector operation renormalises: which lanes take a byte must come out as bits, and the bits must find a
 * shuffle.  From a vector to a general register is a long way everywhere, so 64 lanes take it together, and
 * twice: once with a byte of bits for each 8 lanes, once with the number of the bits in each byte, which a
 * multiplication then sums up.  A byte of bits finds 8 indices in a table, and the sum before it finds the 8
 * bytes to take from.  Two lookups that leave a lane alone where the index is too large (TBX), for the lower
 * and for the upper 8 lanes, then need nothing put together: there are 8 bytes of 255 before and behind each
 * 8 indices, so that 16 bytes from an entry on are for the lower lanes, 16 from 8 before it for the upper.
 *
 * Estimates only, for there was no such processor to measure: that is 20 vector operations for 16 values; 23
 * if a symbol is looked up first, 22 if both halves are put together for one lookup, 25 if prefix counts of
 * the bits make the indices without a table.  To start a group of lanes before the last one has its bytes
 * gains next to nothing where the processor reorders instructions, as all but the smallest do.
 * ---------------------------------------------------------------------------------------------- */
#if WCODECI_NEON

/* For lane j of the 8 that the bits m speak of: which of the bytes it takes, 255 for none. */
#define WCODECI_NEON_BITS(m) (((m) & 1) + ((m) >> 1 & 1) + ((m) >> 2 & 1) + ((m) >> 3 & 1) + ((m) >> 4 & 1) \
                              + ((m) >> 5 & 1) + ((m) >> 6 & 1))
#define WCODECI_NEON_LANE(m, j) ((m) >> (j) & 1 ? WCODECI_NEON_BITS((m) & ((1 << (j)) - 1)) : 255)
#define WCODECI_NEON_NONE 255, 255, 255, 255, 255, 255, 255, 255
#define WCODECI_NEON_ENTRY(m) \
    WCODECI_NEON_LANE(m, 0), WCODECI_NEON_LANE(m, 1), WCODECI_NEON_LANE(m, 2), WCODECI_NEON_LANE(m, 3), \
    WCODECI_NEON_LANE(m, 4), WCODECI_NEON_LANE(m, 5), WCODECI_NEON_LANE(m, 6), WCODECI_NEON_LANE(m, 7), \
    WCODECI_NEON_NONE
#define WCODECI_NEON_4(m) \
    WCODECI_NEON_ENTRY(m), WCODECI_NEON_ENTRY(m + 1), WCODECI_NEON_ENTRY(m + 2), WCODECI_NEON_ENTRY(m + 3)
#define WCODECI_NEON_16(m) \
    WCODECI_NEON_4(m), WCODECI_NEON_4(m + 4), WCODECI_NEON_4(m + 8), WCODECI_NEON_4(m + 12)
#define WCODECI_NEON_64(m) \
    WCODECI_NEON_16(m), WCODECI_NEON_16(m + 16), WCODECI_NEON_16(m + 32), WCODECI_NEON_16(m + 48)

static const wcodeci_byte wcodeci_neon_places[8 + 256 * 16] = {
    WCODECI_NEON_NONE, WCODECI_NEON_64(0), WCODECI_NEON_64(64), WCODECI_NEON_64(128), WCODECI_NEON_64(192)
};

static const wcodeci_byte wcodeci_neon_weights[16] = {
    1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128
};

static const wcodeci_byte wcodeci_neon_first_slots[16] = {
    0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240
};

/* divide: by bucket, what makes a slot 16 + place - div, whose bit 4 is set if it is the other symbol's.  The
 * rest by bucket, and by 16 + bucket for the other symbol; rank is what makes a slot a rank. */
typedef struct wcodeci_neon_tables {
    uint8x16_t divide, weights;
    uint8x16x2_t freq, rank, value;
} wcodeci_neon_tables;

/* A pair of tables.  By way of memory: gcc 12 copies a pair before each use if it saw it put together. */
WCODECI_INLINE uint8x16x2_t wcodeci_neon_pair(uint8x16_t own, uint8x16_t other)
{
    wcodeci_byte room[32];
    vst1q_u8(room, vzip1q_u8(own, other));
    vst1q_u8(room + 16, vzip2q_u8(own, other));
    return vld2q_u8(room);
}

WCODECI_INLINE wcodeci_neon_tables wcodeci_neon_open(const wcodeci_rans16 *r)
{
    const uint8x16_t slots = vld1q_u8(wcodeci_neon_first_slots), other = vld1q_u8(r->other);
    const uint8x16_t freq = vld1q_u8(r->freq), value = vld1q_u8(r->value);
    wcodeci_neon_tables t;
    t.weights = vld1q_u8(wcodeci_neon_weights);
    t.divide = vsubq_u8(vsubq_u8(vdupq_n_u8(16), vld1q_u8(r->div)), slots);
    t.freq = wcodeci_neon_pair(freq, vqtbl1q_u8(freq, other));
    t.rank = wcodeci_neon_pair(vsubq_u8(vdupq_n_u8(0), slots), vsubq_u8(vld1q_u8(r->base), slots));
    t.value = wcodeci_neon_pair(value, vqtbl1q_u8(value, other));
    return t;
}

/* Takes 16 lanes one step on, but for the renormalisation, and returns their values. */
WCODECI_INLINE uint8x16_t wcodeci_neon_step(const wcodeci_neon_tables *t, uint8x16_t *high, uint8x16_t *low)
{
    const uint8x16_t place = vaddq_u8(*low, vqtbl1q_u8(t->divide, vshrq_n_u8(*low, 4)));
    const uint8x16_t index = vsriq_n_u8(place, *low, 4);    /* place is below 32 */
    const uint8x16_t rank = vaddq_u8(*low, vqtbl2q_u8(t->rank, index));
    const uint8x16_t freq = vqtbl2q_u8(t->freq, index);
    const uint16x8_t x0 = vmull_u8(vget_low_u8(*high), vget_low_u8(freq));
    const uint16x8_t x1 = vmull_high_u8(*high, freq);
    const uint8x16_t lower = vreinterpretq_u8_u16(vaddw_u8(x0, vget_low_u8(rank)));
    const uint8x16_t upper = vreinterpretq_u8_u16(vaddw_high_u8(x1, rank));
    *high = vuzp2q_u8(lower, upper);
    *low = vuzp1q_u8(lower, upper);
    return vqtbl2q_u8(t->value, index);
}

/* Which of 64 lanes take a byte, a bit each; byte k of sums: how many of the lanes 0 ... 8k+7 do. */
typedef struct wcodeci_neon_takers {
    uint64_t bits, sums;
} wcodeci_neon_takers;

/* Takes 64 lanes one step on, but for the bytes that they take; returns who takes them. */
WCODECI_INLINE wcodeci_neon_takers wcodeci_neon_step4(const wcodeci_neon_tables *t, uint8x16_t high[4],
                                                      uint8x16_t low[4], uint8x16_t value[4])
{
    uint8x16_t empty[4], pairs;
    uint64x2_t bits, counts;
    wcodeci_neon_takers takers;
    unsigned k;
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) {
        value[k] = wcodeci_neon_step(t, &high[k], &low[k]);
        empty[k] = vceqzq_u8(high[k]);
        high[k] = vbslq_u8(empty[k], low[k], high[k]);
        empty[k] = vandq_u8(empty[k], t->weights);
    }
    pairs = vpaddq_u8(vpaddq_u8(empty[0], empty[1]), vpaddq_u8(empty[2], empty[3]));
    pairs = vpaddq_u8(pairs, pairs);
    bits = vreinterpretq_u64_u8(pairs);
    counts = vreinterpretq_u64_u8(vcntq_u8(pairs));
    /* The halves are the same.  Asked for the lower one alone gcc 12 counts after a way there and back. */
    takers.bits = vgetq_lane_u64(bits, 1);
    takers.sums = vgetq_lane_u64(counts, 0) * 0x0101010101010101u;
    return takers;
}

/* For lanes 8k ... 8k+7: their entry of the table, and 8 bytes behind those that the lanes before them take.
 * The entry's indices are below 8, so the upper half does not matter. */
WCODECI_INLINE const wcodeci_byte *wcodeci_neon_entry(wcodeci_neon_takers takers, unsigned k)
{
    return wcodeci_neon_places + 8 + 16 * (size_t)(takers.bits >> 8 * k & 255);
}

WCODECI_INLINE uint8x16_t wcodeci_neon_bytes(wcodeci_neon_takers takers, unsigned k, const wcodeci_byte *p)
{
    if (k) p += (size_t)(takers.sums >> (8 * k - 8) & 255);
    return vcombine_u8(vld1_u8(p), vdup_n_u8(0));
}

/* Lets 64 lanes take their bytes from p on.  8k lanes take no more than 8k bytes, so no byte behind the 64th
 * is read. */
WCODECI_INLINE void wcodeci_neon_take4(wcodeci_neon_takers takers, const wcodeci_byte *p, uint8x16_t low[4])
{
    unsigned k;
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) {
        low[k] = vqtbx1q_u8(low[k], wcodeci_neon_bytes(takers, 2 * k, p),
                            vld1q_u8(wcodeci_neon_entry(takers, 2 * k)));
        low[k] = vqtbx1q_u8(low[k], wcodeci_neon_bytes(takers, 2 * k + 1, p),
                            vld1q_u8(wcodeci_neon_entry(takers, 2 * k + 1) - 8));
    }
}

/* ---- what becomes of 16 values ----
 * The shifts that insert (SLI keeps the bits below those that come in, SRI those above) do the work of a
 * shift, a mask and an OR. */

/* 16 units of 16 and of 32 bits out of their bytes, b[0] the lowest. */
WCODECI_INLINE void wcodeci_neon_put16(uint8x16_t high, uint8x16_t low, wcodeci_byte *dst)
{
    vst1q_u8(dst, vzip1q_u8(low, high));
    vst1q_u8(dst + 16, vzip2q_u8(low, high));
}

WCODECI_INLINE void wcodeci_neon_put32(uint8x16_t b3, uint8x16_t b2, uint8x16_t b1, uint8x16_t b0,
                                       wcodeci_byte *dst)
{
    const uint16x8_t low0 = vreinterpretq_u16_u8(vzip1q_u8(b0, b1));
    const uint16x8_t low1 = vreinterpretq_u16_u8(vzip2q_u8(b0, b1));
    const uint16x8_t high0 = vreinterpretq_u16_u8(vzip1q_u8(b2, b3));
    const uint16x8_t high1 = vreinterpretq_u16_u8(vzip2q_u8(b2, b3));
    vst1q_u8(dst, vreinterpretq_u8_u16(vzip1q_u16(low0, high0)));
    vst1q_u8(dst + 16, vreinterpretq_u8_u16(vzip2q_u16(low0, high0)));
    vst1q_u8(dst + 32, vreinterpretq_u8_u16(vzip1q_u16(low1, high1)));
    vst1q_u8(dst + 48, vreinterpretq_u8_u16(vzip2q_u16(low1, high1)));
}

/* x >> shift and x << shift for constants, 0 too. */
WCODECI_INLINE uint8x16_t wcodeci_neon_right(uint8x16_t x, unsigned shift)
{
    switch (shift) {
    case 1: return vshrq_n_u8(x, 1);
    case 2: return vshrq_n_u8(x, 2);
    case 3: return vshrq_n_u8(x, 3);
    case 4: return vshrq_n_u8(x, 4);
    case 5: return vshrq_n_u8(x, 5);
    case 6: return vshrq_n_u8(x, 6);
    default: return x;
    }
}

WCODECI_INLINE uint8x16_t wcodeci_neon_left(uint8x16_t x, unsigned shift)
{
    switch (shift) {
    case 1: return vaddq_u8(x, x);
    case 2: return vshlq_n_u8(x, 2);
    case 4: return vshlq_n_u8(x, 4);
    case 6: return vshlq_n_u8(x, 6);
    default: return x;
    }
}

/* Where a part of 1 bit holds vector k of a group: bit 2k of the 8 bytes for lanes 0 to 7, bit 2k + 1 for the
 * others. */
static const wcodeci_byte wcodeci_neon_part1[4][16] = {
    { 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2 },
    { 4, 4, 4, 4, 4, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8 },
    { 16, 16, 16, 16, 16, 16, 16, 16, 32, 32, 32, 32, 32, 32, 32, 32 },
    { 64, 64, 64, 64, 64, 64, 64, 64, 128, 128, 128, 128, 128, 128, 128, 128 }
};

/* 255 where the bit is set. */
WCODECI_INLINE uint8x16_t wcodeci_neon_unpack1(const wcodeci_byte *part, unsigned k)
{
    const uint8x8_t eight = vld1_u8(part);
    return vtstq_u8(vcombine_u8(eight, eight), vld1q_u8(wcodeci_neon_part1[k]));
}

/* s << 7 | value << 2 | m out of values and a plane of 3 bits, s << 2 | m: vector k of its raw group, or 16
 * bytes. */
WCODECI_INLINE uint8x16_t wcodeci_neon_merge3(uint8x16_t value, const wcodeci_byte *rest, int packed,
                                              unsigned k)
{
    const uint8x16_t x = vld1q_u8(rest);
    uint8x16_t m = x, s;
    if (packed) {
        m = k ? wcodeci_neon_right(x, 2 * k - 1) : wcodeci_neon_left(x, 1);     /* bit 2k to bit 1 */
        m = vbslq_u8(vdupq_n_u8(1), wcodeci_neon_unpack1(rest + 16, k), m);
        s = wcodeci_neon_left(x, 6 - 2 * k);
    } else {
        s = vshlq_n_u8(x, 5);
    }
    return vbslq_u8(vdupq_n_u8(128), s, vsliq_n_u8(m, value, 2));
}

/* 16 values of a plane of 4 bits: vector k of its raw group, with rubbish above it, or 16 bytes. */
WCODECI_INLINE uint8x16_t wcodeci_neon_rest4(const wcodeci_byte *rest, int packed, unsigned k)
{
    if (!packed) return vld1q_u8(rest);
    return k < 2 ? vld1q_u8(rest + 16 * k) : vshrq_n_u8(vld1q_u8(rest + 16 * (k - 2)), 4);
}

/* Merges 16 values, i ... i+15 of the first plane, with the other planes.  If packed they are vector k of a
 * group of 64. */
WCODECI_INLINE void wcodeci_neon_merge(unsigned split, int packed, unsigned k, uint8x16_t value,
                                       const wcodeci_byte *const *planes, wcodeci_byte *dst, size_t i)
{
    uint8x16_t rest, high, low;
    switch (split) {
    case WCODEC_SPLIT_WORD16: wcodeci_neon_put16(value, vld1q_u8(planes[1] + i), dst + 2 * i); break;
    case WCODEC_SPLIT_WORD32:
        wcodeci_neon_put32(value, vld1q_u8(planes[1] + i), vld1q_u8(planes[2] + i), vld1q_u8(planes[3] + i),
                           dst + 4 * i);
        break;
    case WCODEC_SPLIT_BF16:
    case WCODEC_SPLIT_F32:
        rest = vld1q_u8(planes[1] + i);         /* sign, mantissa */
        high = vsriq_n_u8(rest, value, 1);
        low = vsliq_n_u8(rest, value, 7);
        if (split == WCODEC_SPLIT_BF16) wcodeci_neon_put16(high, low, dst + 2 * i);
        else wcodeci_neon_put32(high, low, vld1q_u8(planes[2] + i), vld1q_u8(planes[3] + i), dst + 4 * i);
        break;
    case WCODEC_SPLIT_F16:
        high = wcodeci_neon_merge3(value, planes[1] + (packed ? i / 64 * 24 : i), packed, k);
        wcodeci_neon_put16(high, vld1q_u8(planes[2] + i), dst + 2 * i);
        break;
    case WCODEC_SPLIT_F8_E4M3:
        rest = wcodeci_neon_rest4(planes[1] + (packed ? i / 64 * 32 : i), packed, k);
        vst1q_u8(dst + i, vbslq_u8(vdupq_n_u8(128), vshlq_n_u8(rest, 4), vsliq_n_u8(rest, value, 3)));
        break;
    case WCODEC_SPLIT_F8_E5M2:
        high = wcodeci_neon_merge3(value, planes[1] + (packed ? i / 64 * 24 : i), packed, k);
        vst1q_u8(dst + i, high);
        break;
    default:                    /* NIBBLES */
        rest = wcodeci_neon_rest4(planes[1] + (packed ? i / 64 * 32 : i), packed, k);
        vst1q_u8(dst + i, vsliq_n_u8(rest, value, 4));
        break;
    }
}

/* ---- rANS-16 ---- */

/* 64 values on, values i ... i+63 of n; returns p behind the bytes taken.  Merging comes before the bytes are
 * there: the way to these is long, and nothing waits for the values. */
WCODECI_INLINE const wcodeci_byte *wcodeci_neon_group(const wcodeci_neon_tables *t, uint8x16_t high[4],
                                                      uint8x16_t low[4], const wcodeci_byte *p,
                                                      unsigned split, int packed,
                                                      const wcodeci_byte *const *planes, wcodeci_byte *dst,
                                                      size_t i)
{
    uint8x16_t h[4], l[4], value[4];        /* copies, which stay in registers whatever high and low are */
    wcodeci_neon_takers takers;
    unsigned k;
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) {
        h[k] = high[k];
        l[k] = low[k];
    }
    takers = wcodeci_neon_step4(t, h, l, value);
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) {
        high[k] = h[k];
        if (split == WCODEC_SPLIT_COUNT) vst1q_u8(dst + i + 16 * k, value[k]);
        else wcodeci_neon_merge(split, packed, k, value[k], planes, dst, i + 16 * k);
    }
    wcodeci_neon_take4(takers, p, l);
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) low[k] = l[k];
    return p + (size_t)(takers.sums >> 56);
}

/* Rounds of `groups` times 64 lanes; a constant, as are split and packed.  split WCODEC_SPLIT_COUNT: the
 * values themselves.  Besides the tables, registers hold the 8 vectors of 64 lanes, but not those of more,
 * which stay in memory. */
WCODECI_INLINE size_t wcodeci_neon_rounds(wcodeci_rans16 *r, unsigned groups, unsigned split, int packed,
                                          const wcodeci_byte *const *planes, wcodeci_byte *dst, size_t n)
{
    const wcodeci_neon_tables tables = wcodeci_neon_open(r);
    const wcodeci_byte *p = r->p, *const limit = r->limit, *plane[4] = { NULL, NULL, NULL, NULL };
    uint8x16_t high[16], low[16];
    size_t i = 0;
    unsigned g, k;
    for (k = 1; split < WCODEC_SPLIT_COUNT && k < wcodeci_splits[split].planes && k < 4; k++)
        plane[k] = planes[k];           /* the stores can not change these */
    WCODECI_UNROLL_4
    for (k = 0; k < 4 * groups; k++) {
        high[k] = vld1q_u8(r->high + 16 * k);
        low[k] = vld1q_u8(r->low + 16 * k);
    }
    while (n - i >= 64 * groups && (size_t)(limit - p) >= 64 * groups)
        for (g = 0; g < groups; g++, i += 64)
            p = wcodeci_neon_group(&tables, high + 4 * g, low + 4 * g, p, split, packed, plane, dst, i);
    WCODECI_UNROLL_4
    for (k = 0; k < 4 * groups; k++) {
        vst1q_u8(r->high + 16 * k, high[k]);
        vst1q_u8(r->low + 16 * k, low[k]);
    }
    r->p = p;
    return i;
}

WCODECI_INLINE size_t wcodeci_neon_lanes(wcodeci_rans16 *r, unsigned split, int packed,
                                         const wcodeci_byte *const *planes, wcodeci_byte *dst, size_t n)
{
    switch (r->lanes) {
    case 64: return wcodeci_neon_rounds(r, 1, split, packed, planes, dst, n);
    case 128: return wcodeci_neon_rounds(r, 2, split, packed, planes, dst, n);
    default: return wcodeci_neon_rounds(r, 4, split, packed, planes, dst, n);
    }
}

static size_t wcodeci_neon_rans16(wcodeci_rans16 *r, wcodeci_byte *v, size_t n)
{
    return wcodeci_neon_lanes(r, WCODEC_SPLIT_COUNT, 0, NULL, v, n);
}

#define WCODECI_NEON_UNITS(name, split, packed) \
    static size_t wcodeci_neon_##name(wcodeci_rans16 *r, const wcodeci_byte *const *planes, \
                                      wcodeci_byte *dst, size_t n) \
    { \
        return wcodeci_neon_lanes(r, split, packed, planes, dst, n); \
    }
WCODECI_NEON_UNITS(bf16, WCODEC_SPLIT_BF16, 0)
WCODECI_NEON_UNITS(f16, WCODEC_SPLIT_F16, 0)
WCODECI_NEON_UNITS(f16_packed, WCODEC_SPLIT_F16, 1)
WCODECI_NEON_UNITS(f32, WCODEC_SPLIT_F32, 0)
WCODECI_NEON_UNITS(e4m3, WCODEC_SPLIT_F8_E4M3, 0)
WCODECI_NEON_UNITS(e4m3_packed, WCODEC_SPLIT_F8_E4M3, 1)
WCODECI_NEON_UNITS(e5m2, WCODEC_SPLIT_F8_E5M2, 0)
WCODECI_NEON_UNITS(e5m2_packed, WCODEC_SPLIT_F8_E5M2, 1)
WCODECI_NEON_UNITS(nibbles, WCODEC_SPLIT_NIBBLES, 0)
WCODECI_NEON_UNITS(nibbles_packed, WCODEC_SPLIT_NIBBLES, 1)

/* ---- merging, unpacking, predictors ---- */

WCODECI_INLINE size_t wcodeci_neon_merge_all(unsigned split, const wcodeci_byte *const *planes,
                                             wcodeci_byte *dst, size_t n)
{
    const wcodeci_byte *plane[4] = { NULL, NULL, NULL, NULL };
    size_t i;
    unsigned k;
    for (k = 0; k < wcodeci_splits[split].planes && k < 4; k++) plane[k] = planes[k];
    for (i = 0; n - i >= 16; i += 16)
        wcodeci_neon_merge(split, 0, 0, vld1q_u8(plane[0] + i), plane, dst, i);
    return i;
}

#define WCODECI_NEON_MERGE(name, split) \
    static size_t wcodeci_neon_merge_##name(const wcodeci_byte *const *planes, wcodeci_byte *dst, size_t n) \
    { \
        return wcodeci_neon_merge_all(split, planes, dst, n); \
    }
WCODECI_NEON_MERGE(word16, WCODEC_SPLIT_WORD16)
WCODECI_NEON_MERGE(word32, WCODEC_SPLIT_WORD32)
WCODECI_NEON_MERGE(bf16, WCODEC_SPLIT_BF16)
WCODECI_NEON_MERGE(f16, WCODEC_SPLIT_F16)
WCODECI_NEON_MERGE(f32, WCODEC_SPLIT_F32)
WCODECI_NEON_MERGE(e4m3, WCODEC_SPLIT_F8_E4M3)
WCODECI_NEON_MERGE(e5m2, WCODEC_SPLIT_F8_E5M2)
WCODECI_NEON_MERGE(nibbles, WCODEC_SPLIT_NIBBLES)

/* Vector k of a raw group.  A part shifted down has rubbish above it; what goes above overwrites it. */
WCODECI_INLINE uint8x16_t wcodeci_neon_unpack_vector(const wcodeci_byte *src, unsigned width, unsigned k)
{
    uint8x16_t x = vdupq_n_u8(0);
    if (width & 4) {
        x = wcodeci_neon_rest4(src, 1, k);
        if (k < 2) x = vandq_u8(x, vdupq_n_u8(15));
        src += 32;
    }
    if (width & 2) {
        const uint8x16_t two = wcodeci_neon_right(vld1q_u8(src), 2 * k);
        x = width & 4 ? vsliq_n_u8(two, x, 2) : vandq_u8(two, vdupq_n_u8(3));
        src += 16;
    }
    if (width & 1) {
        const uint8x16_t one = wcodeci_neon_unpack1(src, k);
        x = width > 1 ? vsliq_n_u8(vshrq_n_u8(one, 7), x, 1) : vshrq_n_u8(one, 7);
    }
    return x;
}

WCODECI_INLINE size_t wcodeci_neon_unpack_all(const wcodeci_byte *src, unsigned width, wcodeci_byte *v,
                                              size_t n)
{
    size_t i;
    unsigned k;
    for (i = 0; n - i >= 64; i += 64, src += 8 * width) {
        WCODECI_UNROLL_4
        for (k = 0; k < 4; k++) vst1q_u8(v + i + 16 * k, wcodeci_neon_unpack_vector(src, width, k));
    }
    return i;
}

static size_t wcodeci_neon_unpack(const wcodeci_byte *src, unsigned width, wcodeci_byte *v, size_t n)
{
    switch (width) {
    case 1: return wcodeci_neon_unpack_all(src, 1, v, n);
    case 2: return wcodeci_neon_unpack_all(src, 2, v, n);
    case 3: return wcodeci_neon_unpack_all(src, 3, v, n);
    case 4: return wcodeci_neon_unpack_all(src, 4, v, n);
    case 5: return wcodeci_neon_unpack_all(src, 5, v, n);
    case 6: return wcodeci_neon_unpack_all(src, 6, v, n);
    default: return wcodeci_neon_unpack_all(src, 7, v, n);
    }
}

/* x and itself moved up by so many bytes within each half. */
#define WCODECI_NEON_SUM(x, bytes) \
    vaddq_u8(x, vreinterpretq_u8_u64(vshlq_n_u64(vreinterpretq_u64_u8(x), 8 * (bytes))))

/* Prefix sums of 16 values; the 8 lower ones' go to the upper ones. */
WCODECI_INLINE uint8x16_t wcodeci_neon_prefix(uint8x16_t x)
{
    x = WCODECI_NEON_SUM(x, 1);
    x = WCODECI_NEON_SUM(x, 2);
    x = WCODECI_NEON_SUM(x, 4);
    return vaddq_u8(x, vcombine_u8(vdup_n_u8(0), vdup_laneq_u8(x, 7)));
}

static void wcodeci_neon_unpredict(wcodeci_byte *v, size_t n, size_t distance, unsigned mask)
{
    const uint8x16_t all = vdupq_n_u8((wcodeci_byte)mask);
    size_t i = distance;
    if (distance == 1 && n) {
        uint8x16_t sum = vdupq_n_u8(v[0]);      /* waits for nothing but the sum before */
        for (; n - i >= 16; i += 16) {
            const uint8x16_t x = wcodeci_neon_prefix(vld1q_u8(v + i));
            vst1q_u8(v + i, vandq_u8(vaddq_u8(x, sum), all));
            sum = vaddq_u8(sum, vdupq_laneq_u8(x, 15));
        }
    }
    if (distance >= 16)
        for (; i < n && n - i >= 16; i += 16)
            vst1q_u8(v + i, vandq_u8(vaddq_u8(vld1q_u8(v + i), vld1q_u8(v + i - distance)), all));
    for (; i < n; i++) v[i] = (wcodeci_byte)((v[i] + v[i - distance]) & mask);
}

static const wcodeci_kernels wcodeci_kernels_neon = {
    "neon", { wcodeci_neon_rans16, wcodeci_rans16_classes_scalar },
    { { NULL, NULL, NULL, NULL, wcodeci_neon_bf16, wcodeci_neon_f16, wcodeci_neon_f32, NULL,
      wcodeci_neon_e4m3, wcodeci_neon_e5m2, wcodeci_neon_nibbles },
      { NULL, NULL, NULL, NULL, wcodeci_rans16_bf16_classes_scalar, NULL, NULL, NULL, NULL, NULL, NULL } },
    { { NULL, NULL, NULL, NULL, NULL, wcodeci_neon_f16_packed, NULL, NULL,
      wcodeci_neon_e4m3_packed, wcodeci_neon_e5m2_packed, wcodeci_neon_nibbles_packed },
      { NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL } },
    wcodeci_rans256_scalar,
    { NULL, wcodeci_neon_merge_word16, wcodeci_neon_merge_word32, NULL, wcodeci_neon_merge_bf16,
      wcodeci_neon_merge_f16, wcodeci_neon_merge_f32, NULL, wcodeci_neon_merge_e4m3,
      wcodeci_neon_merge_e5m2, wcodeci_neon_merge_nibbles },
    wcodeci_neon_unpack, wcodeci_neon_unpredict, wcodeci_scale_scalar, wcodeci_classes_scalar
};

#endif
