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
 *
 * Four classes have tables of 64 bytes, and a lookup in 64 is three or four operations.  With a bit for the other
 * symbol it would be two such lookups, so a symbol is looked up first, and a bucket's div and its other symbol
 * share a byte.  That is 28 vector operations, three of them such lookups: an estimated 1.5 to 1.75 times the
 * cycles of one class.
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

/* Of one class, divide: by bucket, what makes a slot 16 + place - div, whose bit 4 is set if it is the other
 * symbol's.  The pairs by bucket, and by 16 + bucket for the other symbol; rank is what makes a slot a rank.
 * Of several, the fours by bucket or symbol with the class above: bucket is div << 4 | other.  A whole bucket,
 * of div 16, is there all its other symbol's, which is itself. */
typedef struct wcodeci_neon_tables {
    uint8x16_t weights;
    uint8x16_t divide;
    uint8x16x2_t freq2, rank2, value2;
    uint8x16x4_t bucket4, base4, freq4;
    uint8x16_t value, mask;
} wcodeci_neon_tables;

/* Two or four tables for one look-up.  By way of memory: gcc 12 copies them before each use if it saw them put
 * together. */
WCODECI_INLINE uint8x16x2_t wcodeci_neon_pair(uint8x16_t own, uint8x16_t other)
{
    wcodeci_byte room[32];
    vst1q_u8(room, vzip1q_u8(own, other));
    vst1q_u8(room + 16, vzip2q_u8(own, other));
    return vld2q_u8(room);
}

WCODECI_INLINE uint8x16x4_t wcodeci_neon_four(const wcodeci_byte *table)
{
    wcodeci_byte room[64];
    uint8x16x4_t four;
    four.val[0] = vld1q_u8(table);
    four.val[1] = vld1q_u8(table + 16);
    four.val[2] = vld1q_u8(table + 32);
    four.val[3] = vld1q_u8(table + 48);
    vst4q_u8(room, four);
    return vld4q_u8(room);
}

WCODECI_INLINE wcodeci_neon_tables wcodeci_neon_open(const wcodeci_rans16 *r, unsigned classes)
{
    wcodeci_neon_tables t;
    t.weights = vld1q_u8(wcodeci_neon_weights);
    if (classes == 1) {
        const uint8x16_t slots = vld1q_u8(wcodeci_neon_first_slots), other = vld1q_u8(r->other);
        const uint8x16_t freq = vld1q_u8(r->freq), value = vld1q_u8(r->value);
        t.divide = vsubq_u8(vsubq_u8(vdupq_n_u8(16), vld1q_u8(r->div)), slots);
        t.freq2 = wcodeci_neon_pair(freq, vqtbl1q_u8(freq, other));
        t.rank2 = wcodeci_neon_pair(vsubq_u8(vdupq_n_u8(0), slots), vsubq_u8(vld1q_u8(r->base), slots));
        t.value2 = wcodeci_neon_pair(value, vqtbl1q_u8(value, other));
    } else {
        wcodeci_byte bucket[16 * WCODECI_CLASSES], base[16 * WCODECI_CLASSES];
        unsigned at;
        for (at = 0; at < sizeof base; at += 16) {
            const uint8x16_t div = vld1q_u8(r->div + at), whole = vceqq_u8(div, vdupq_n_u8(16));
            vst1q_u8(bucket + at, vsliq_n_u8(vld1q_u8(r->other + at), div, 4));
            vst1q_u8(base + at, vbicq_u8(vld1q_u8(r->base + at), whole));
        }
        t.bucket4 = wcodeci_neon_four(bucket);
        t.base4 = wcodeci_neon_four(base);
        t.freq4 = wcodeci_neon_four(r->freq);
        t.value = vld1q_u8(r->value);
        t.mask = vdupq_n_u8((wcodeci_byte)r->mask);
    }
    return t;
}

/* Takes 16 lanes one step on, but for the renormalisation, and returns their values.  *q: of these, if there are
 * several classes; values then have bits above those of the mask. */
WCODECI_INLINE uint8x16_t wcodeci_neon_step(const wcodeci_neon_tables *t, unsigned classes, const uint8x16_t *q,
                                            uint8x16_t *high, uint8x16_t *low)
{
    uint8x16_t freq, rank, value, lower, upper;
    if (classes == 1) {
        const uint8x16_t place = vaddq_u8(*low, vqtbl1q_u8(t->divide, vshrq_n_u8(*low, 4)));
        const uint8x16_t index = vsriq_n_u8(place, *low, 4);    /* place is below 32 */
        freq = vqtbl2q_u8(t->freq2, index);
        rank = vaddq_u8(*low, vqtbl2q_u8(t->rank2, index));
        value = vqtbl2q_u8(t->value2, index);
    } else {
        const uint8x16_t nibble = vdupq_n_u8(15), place = vandq_u8(*low, nibble);
        const uint8x16_t index = vsriq_n_u8(vshrq_n_u8(vshlq_n_u8(*q, 6), 2), *low, 4);
        const uint8x16_t bucket = vqtbl4q_u8(t->bucket4, index);
        const uint8x16_t other = vcgeq_u8(place, vshrq_n_u8(bucket, 4));
        const uint8x16_t symbol = vbslq_u8(vandq_u8(other, nibble), bucket, index);
        freq = vqtbl4q_u8(t->freq4, symbol);
        rank = vmlsq_u8(place, vqtbl4q_u8(t->base4, index), other);     /* other: 0 or -1 */
        value = vsraq_n_u8(vqtbl1q_u8(t->value, vandq_u8(symbol, nibble)), *q, 2);
    }
    lower = vreinterpretq_u8_u16(vaddw_u8(vmull_u8(vget_low_u8(*high), vget_low_u8(freq)), vget_low_u8(rank)));
    upper = vreinterpretq_u8_u16(vaddw_high_u8(vmull_high_u8(*high, freq), rank));
    *high = vuzp2q_u8(lower, upper);
    *low = vuzp1q_u8(lower, upper);
    return value;
}

/* Of 64 lanes, a bit each: those that take a byte, say.  Byte k of sums: how many of the lanes 0 ... 8k+7 do. */
typedef struct wcodeci_neon_marked {
    uint64_t bits, sums;
} wcodeci_neon_marked;

/* marks: 255 or 0 each. */
WCODECI_INLINE wcodeci_neon_marked wcodeci_neon_mark(const uint8x16_t marks[4], uint8x16_t weights)
{
    uint8x16_t part[4], pairs;
    uint64x2_t bits, counts;
    wcodeci_neon_marked marked;
    unsigned k;
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) part[k] = vandq_u8(marks[k], weights);
    pairs = vpaddq_u8(vpaddq_u8(part[0], part[1]), vpaddq_u8(part[2], part[3]));
    pairs = vpaddq_u8(pairs, pairs);
    bits = vreinterpretq_u64_u8(pairs);
    counts = vreinterpretq_u64_u8(vcntq_u8(pairs));
    /* The halves are the same.  Asked for the lower one alone gcc 12 counts after a way there and back. */
    marked.bits = vgetq_lane_u64(bits, 1);
    marked.sums = vgetq_lane_u64(counts, 0) * 0x0101010101010101u;
    return marked;
}

/* Takes 64 lanes one step on, but for the bytes that they take; returns who takes them. */
WCODECI_INLINE wcodeci_neon_marked wcodeci_neon_step4(const wcodeci_neon_tables *t, unsigned classes,
                                                      const uint8x16_t q[4], uint8x16_t high[4],
                                                      uint8x16_t low[4], uint8x16_t value[4])
{
    uint8x16_t empty[4];
    unsigned k;
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) {
        value[k] = wcodeci_neon_step(t, classes, &q[k], &high[k], &low[k]);
        empty[k] = vceqzq_u8(high[k]);
        high[k] = vbslq_u8(empty[k], low[k], high[k]);
    }
    return wcodeci_neon_mark(empty, t->weights);
}

/* For lanes 8k ... 8k+7: their entry of the table, and 8 bytes behind those that the lanes before them take.
 * The entry's indices are below 8, so the upper half does not matter. */
WCODECI_INLINE const wcodeci_byte *wcodeci_neon_entry(wcodeci_neon_marked takers, unsigned k)
{
    return wcodeci_neon_places + 8 + 16 * (size_t)(takers.bits >> 8 * k & 255);
}

WCODECI_INLINE uint8x16_t wcodeci_neon_bytes(wcodeci_neon_marked takers, unsigned k, const wcodeci_byte *p)
{
    if (k) p += (size_t)(takers.sums >> (8 * k - 8) & 255);
    return vcombine_u8(vld1_u8(p), vdup_n_u8(0));
}

/* Lets 64 lanes take their bytes from p on.  8k lanes take no more than 8k bytes, so no byte behind the 64th
 * is read. */
WCODECI_INLINE void wcodeci_neon_take4(wcodeci_neon_marked takers, const wcodeci_byte *p, uint8x16_t low[4])
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

/* Merges 16 values, i ... i+15 of the fused plane, with the other planes.  If packed they are vector k of a
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
    case WCODEC_SPLIT_BF16_4:   /* value: the mantissa's upper bits */
    case WCODEC_SPLIT_F32_4:
        rest = vld1q_u8(planes[2] + i);         /* sign, the lower bits */
        low = vbslq_u8(vdupq_n_u8(128), vshlq_n_u8(rest, 4), vsliq_n_u8(rest, value, 3));
        value = vld1q_u8(planes[0] + i);
        high = vsriq_n_u8(low, value, 1);
        low = vsliq_n_u8(low, value, 7);
        if (split == WCODEC_SPLIT_BF16_4) wcodeci_neon_put16(high, low, dst + 2 * i);
        else wcodeci_neon_put32(high, low, vld1q_u8(planes[3] + i), vld1q_u8(planes[4] + i), dst + 4 * i);
        break;
    case WCODEC_SPLIT_F16_4:
        rest = vld1q_u8(planes[2] + i);
        high = vsliq_n_u8(vshrq_n_u8(value, 2), vld1q_u8(planes[0] + i), 2);
        high = vbslq_u8(vdupq_n_u8(128), vaddq_u8(rest, rest), high);
        wcodeci_neon_put16(high, vsliq_n_u8(rest, value, 6), dst + 2 * i);
        break;
    default:                    /* NIBBLES */
        rest = wcodeci_neon_rest4(planes[1] + (packed ? i / 64 * 32 : i), packed, k);
        vst1q_u8(dst + i, vsliq_n_u8(rest, value, 4));
        break;
    }
}

/* ---- rANS-16 ---- */

/* 64 values on, values i ... i+63 of n; returns p behind the bytes taken.  Merging comes before the bytes are
 * there: the way to these is long, and nothing waits for the values.  It lets no bits above the mask's in. */
WCODECI_INLINE const wcodeci_byte *wcodeci_neon_group(const wcodeci_neon_tables *t, unsigned classes,
                                                      const wcodeci_byte *q, uint8x16_t high[4],
                                                      uint8x16_t low[4], const wcodeci_byte *p,
                                                      unsigned split, int packed,
                                                      const wcodeci_byte *const *planes, wcodeci_byte *dst,
                                                      size_t i)
{
    uint8x16_t h[4], l[4], scale[4], value[4];      /* copies, which stay in registers whatever high and low are */
    wcodeci_neon_marked takers;
    unsigned k;
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) {
        h[k] = high[k];
        l[k] = low[k];
        if (classes > 1) scale[k] = vld1q_u8(q + i + 16 * k);
    }
    takers = wcodeci_neon_step4(t, classes, scale, h, l, value);
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) {
        high[k] = h[k];
        if (split != WCODEC_SPLIT_COUNT)
            wcodeci_neon_merge(split, packed, k, value[k], planes, dst, i + 16 * k);
        else vst1q_u8(dst + i + 16 * k, classes == 1 ? value[k] : vandq_u8(value[k], t->mask));
    }
    wcodeci_neon_take4(takers, p, l);
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) low[k] = l[k];
    return p + (size_t)(takers.sums >> 56);
}

/* Rounds of `groups` times 64 lanes; a constant, as are classes, split and packed.  split WCODEC_SPLIT_COUNT:
 * the values themselves.  Besides the tables, registers hold the 8 vectors of 64 lanes, but not those of more,
 * which stay in memory. */
WCODECI_INLINE size_t wcodeci_neon_rounds(wcodeci_rans16 *r, unsigned groups, unsigned classes, unsigned split,
                                          int packed, const wcodeci_byte *const *planes, wcodeci_byte *dst,
                                          size_t n)
{
    const wcodeci_neon_tables tables = wcodeci_neon_open(r, classes);
    const wcodeci_byte *p = r->p, *const limit = r->limit, *const q = r->q;
    const wcodeci_byte *plane[4] = { NULL, NULL, NULL, NULL };
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
            p = wcodeci_neon_group(&tables, classes, q, high + 4 * g, low + 4 * g, p, split, packed, plane, dst,
                                   i);
    WCODECI_UNROLL_4
    for (k = 0; k < 4 * groups; k++) {
        vst1q_u8(r->high + 16 * k, high[k]);
        vst1q_u8(r->low + 16 * k, low[k]);
    }
    r->p = p;
    return i;
}

WCODECI_INLINE size_t wcodeci_neon_lanes(wcodeci_rans16 *r, unsigned classes, unsigned split, int packed,
                                         const wcodeci_byte *const *planes, wcodeci_byte *dst, size_t n)
{
    switch (r->lanes) {
    case 64: return wcodeci_neon_rounds(r, 1, classes, split, packed, planes, dst, n);
    case 128: return wcodeci_neon_rounds(r, 2, classes, split, packed, planes, dst, n);
    default: return wcodeci_neon_rounds(r, 4, classes, split, packed, planes, dst, n);
    }
}

static size_t wcodeci_neon_rans16(wcodeci_rans16 *r, wcodeci_byte *v, size_t n)
{
    return wcodeci_neon_lanes(r, 1, WCODEC_SPLIT_COUNT, 0, NULL, v, n);
}

static size_t wcodeci_neon_classes(wcodeci_rans16 *r, wcodeci_byte *v, size_t n)
{
    return wcodeci_neon_lanes(r, WCODECI_CLASSES, WCODEC_SPLIT_COUNT, 0, NULL, v, n);
}

#define WCODECI_NEON_UNITS(name, classes, split, packed) \
    static size_t wcodeci_neon_##name(wcodeci_rans16 *r, const wcodeci_byte *const *planes, \
                                      wcodeci_byte *dst, size_t n) \
    { \
        return wcodeci_neon_lanes(r, classes, split, packed, planes, dst, n); \
    }
WCODECI_NEON_UNITS(bf16, 1, WCODEC_SPLIT_BF16, 0)
WCODECI_NEON_UNITS(f16, 1, WCODEC_SPLIT_F16, 0)
WCODECI_NEON_UNITS(f16_packed, 1, WCODEC_SPLIT_F16, 1)
WCODECI_NEON_UNITS(f32, 1, WCODEC_SPLIT_F32, 0)
WCODECI_NEON_UNITS(e4m3, 1, WCODEC_SPLIT_F8_E4M3, 0)
WCODECI_NEON_UNITS(e4m3_packed, 1, WCODEC_SPLIT_F8_E4M3, 1)
WCODECI_NEON_UNITS(e5m2, 1, WCODEC_SPLIT_F8_E5M2, 0)
WCODECI_NEON_UNITS(e5m2_packed, 1, WCODEC_SPLIT_F8_E5M2, 1)
WCODECI_NEON_UNITS(nibbles, 1, WCODEC_SPLIT_NIBBLES, 0)
WCODECI_NEON_UNITS(nibbles_packed, 1, WCODEC_SPLIT_NIBBLES, 1)
WCODECI_NEON_UNITS(bf16_classes, WCODECI_CLASSES, WCODEC_SPLIT_BF16, 0)
WCODECI_NEON_UNITS(f16_classes, WCODECI_CLASSES, WCODEC_SPLIT_F16, 0)
WCODECI_NEON_UNITS(f16_classes_packed, WCODECI_CLASSES, WCODEC_SPLIT_F16, 1)
WCODECI_NEON_UNITS(f32_classes, WCODECI_CLASSES, WCODEC_SPLIT_F32, 0)

/* ---- merging, unpacking, predictors ---- */

WCODECI_INLINE size_t wcodeci_neon_merge_all(unsigned split, const wcodeci_byte *const *planes,
                                             wcodeci_byte *dst, size_t n)
{
    const wcodeci_byte *plane[5] = { NULL, NULL, NULL, NULL, NULL };
    size_t i;
    unsigned k;
    for (k = 0; k < wcodeci_splits[split].planes && k < 5; k++) plane[k] = planes[k];
    for (i = 0; n - i >= 16; i += 16)
        wcodeci_neon_merge(split, 0, 0, vld1q_u8(plane[wcodeci_split_fused(split)] + i), plane, dst, i);
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
WCODECI_NEON_MERGE(bf16_4, WCODEC_SPLIT_BF16_4)
WCODECI_NEON_MERGE(f16_4, WCODEC_SPLIT_F16_4)
WCODECI_NEON_MERGE(f32_4, WCODEC_SPLIT_F32_4)

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

/* ---- scales and classes ---- */

static void wcodeci_neon_scale(const wcodeci_byte *columns, unsigned row, wcodeci_byte *q, size_t n)
{
    const uint8x16_t add = vdupq_n_u8((wcodeci_byte)row);
    size_t i;
    for (i = 0; n - i >= 16; i += 16) vst1q_u8(q + i, vaddq_u8(vld1q_u8(columns + i), add));
    wcodeci_scale_scalar(columns + i, row, q + i, n - i);
}

static void wcodeci_neon_classes_of(const wcodeci_class_map *map, const wcodeci_byte *first,
                                    const wcodeci_byte *q, wcodeci_byte *classes, size_t n)
{
    const uint8x16x4_t table = wcodeci_neon_four(map->class_of);
    const uint8x16_t base = vdupq_n_u8((wcodeci_byte)map->base), mask = vdupq_n_u8((wcodeci_byte)map->mask);
    size_t i;
    for (i = 0; n - i >= 16; i += 16) {
        const uint8x16_t scale = q ? vld1q_u8(q + i) : vdupq_n_u8(0);
        const uint8x16_t p = vsubq_u8(vld1q_u8(first + i), vsraq_n_u8(base, scale, 2));
        const uint8x16_t t = vminq_u8(vandq_u8(p, mask), vdupq_n_u8(15));
        const uint8x16_t context = vandq_u8(vsliq_n_u8(t, scale, 4), vdupq_n_u8(63));
        vst1q_u8(classes + i, vqtbl4q_u8(table, context));
    }
    wcodeci_classes_scalar(map, first + i, q ? q + i : NULL, classes + i, n - i);
}

static const wcodeci_kernels wcodeci_kernels_neon = {
    "neon", { wcodeci_neon_rans16, wcodeci_neon_classes },
    { { NULL, NULL, NULL, NULL, wcodeci_neon_bf16, wcodeci_neon_f16, wcodeci_neon_f32, NULL,
      wcodeci_neon_e4m3, wcodeci_neon_e5m2, wcodeci_neon_nibbles },
      { NULL, NULL, NULL, NULL, wcodeci_neon_bf16_classes, wcodeci_neon_f16_classes, wcodeci_neon_f32_classes,
        NULL, NULL, NULL, NULL } },
    { { NULL, NULL, NULL, NULL, NULL, wcodeci_neon_f16_packed, NULL, NULL,
      wcodeci_neon_e4m3_packed, wcodeci_neon_e5m2_packed, wcodeci_neon_nibbles_packed },
      { NULL, NULL, NULL, NULL, NULL, wcodeci_neon_f16_classes_packed, NULL, NULL, NULL, NULL, NULL } },
    wcodeci_rans256_scalar,
    { NULL, wcodeci_neon_merge_word16, wcodeci_neon_merge_word32, NULL, wcodeci_neon_merge_bf16,
      wcodeci_neon_merge_f16, wcodeci_neon_merge_f32, NULL, wcodeci_neon_merge_e4m3,
      wcodeci_neon_merge_e5m2, wcodeci_neon_merge_nibbles, wcodeci_neon_merge_bf16_4,
      wcodeci_neon_merge_f16_4, wcodeci_neon_merge_f32_4 },
    wcodeci_neon_unpack, wcodeci_neon_unpredict, wcodeci_neon_scale, wcodeci_neon_classes_of, NULL, NULL
};

#endif
