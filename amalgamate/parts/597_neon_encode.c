/* ------------------------------------------------------------------------------------------------
 * Encoding kernels for NEON (private): 16 values a vector, AArch64
 * ---------------------------------------------------------------------------------------------- */
#if WCODECI_NEON && !defined(WCODEC_NO_ENCODER)

/* ---- planes out of units ---- */

/* A plane's value of each unit, as for AVX-512, but masked when the shifted units have become bytes.  Shifts
 * are to the left; below 0, to the right. */
typedef struct wcodeci_neon_field {
    int low, high;
    uint8x16_t low_mask, high_mask;
} wcodeci_neon_field;

WCODECI_INLINE wcodeci_neon_field wcodeci_neon_field_make(const wcodeci_plane_row *row)
{
    wcodeci_neon_field f;
    f.low = -(int)row->low_shift;
    f.high = (int)row->low_width - (int)row->high_shift;
    f.low_mask = vdupq_n_u8((wcodeci_byte)((1u << row->low_width) - 1));
    f.high_mask = vdupq_n_u8((wcodeci_byte)(((1u << row->high_width) - 1) << row->low_width));
    return f;
}

/* The lowest byte of each of 16 units, shifted. */
WCODECI_INLINE uint8x16_t wcodeci_neon_shifted1(const wcodeci_byte *src, int shift)
{
    return vshlq_u8(vld1q_u8(src), vdupq_n_s8((signed char)shift));
}

WCODECI_INLINE uint8x16_t wcodeci_neon_shifted2(const wcodeci_byte *src, int shift)
{
    const int16x8_t by = vdupq_n_s16((short)shift);
    const uint16x8_t a = vshlq_u16(vreinterpretq_u16_u8(vld1q_u8(src)), by);
    const uint16x8_t b = vshlq_u16(vreinterpretq_u16_u8(vld1q_u8(src + 16)), by);
    return vuzp1q_u8(vreinterpretq_u8_u16(a), vreinterpretq_u8_u16(b));
}

WCODECI_INLINE uint16x8_t wcodeci_neon_shifted4_half(const wcodeci_byte *src, int32x4_t by)
{
    const uint32x4_t a = vshlq_u32(vreinterpretq_u32_u8(vld1q_u8(src)), by);
    const uint32x4_t b = vshlq_u32(vreinterpretq_u32_u8(vld1q_u8(src + 16)), by);
    return vuzp1q_u16(vreinterpretq_u16_u32(a), vreinterpretq_u16_u32(b));
}

WCODECI_INLINE uint8x16_t wcodeci_neon_shifted4(const wcodeci_byte *src, int shift)
{
    const int32x4_t by = vdupq_n_s32(shift);
    return vuzp1q_u8(vreinterpretq_u8_u16(wcodeci_neon_shifted4_half(src, by)),
                     vreinterpretq_u8_u16(wcodeci_neon_shifted4_half(src + 32, by)));
}

WCODECI_INLINE uint8x16_t wcodeci_neon_shifted(const wcodeci_byte *src, unsigned unit, int shift)
{
    switch (unit) {
    case 1: return wcodeci_neon_shifted1(src, shift);
    case 2: return wcodeci_neon_shifted2(src, shift);
    default: return wcodeci_neon_shifted4(src, shift);
    }
}

/* unit: a constant, as is fields, the number of these. */
WCODECI_INLINE size_t wcodeci_neon_split_as(const wcodeci_plane_row *row, unsigned unit, unsigned fields,
                                            const wcodeci_byte *src, wcodeci_byte *plane, size_t n)
{
    const wcodeci_neon_field f = wcodeci_neon_field_make(row);
    size_t i;
    for (i = 0; n - i >= 16; i += 16) {
        uint8x16_t x = vandq_u8(wcodeci_neon_shifted(src + i * unit, unit, f.low), f.low_mask);
        if (fields == 2) x = vbslq_u8(f.high_mask, wcodeci_neon_shifted(src + i * unit, unit, f.high), x);
        vst1q_u8(plane + i, x);
    }
    return i;
}

static size_t wcodeci_neon_split(const wcodeci_plane_row *row, unsigned unit, const wcodeci_byte *src,
                                 wcodeci_byte *plane, size_t n)
{
    const unsigned fields = row->high_width ? 2 : 1;
    switch (8 * fields + unit) {
    case 8 + 1: return wcodeci_neon_split_as(row, 1, 1, src, plane, n);
    case 8 + 2: return wcodeci_neon_split_as(row, 2, 1, src, plane, n);
    case 8 + 4: return wcodeci_neon_split_as(row, 4, 1, src, plane, n);
    case 16 + 1: return wcodeci_neon_split_as(row, 1, 2, src, plane, n);
    case 16 + 2: return wcodeci_neon_split_as(row, 2, 2, src, plane, n);
    case 16 + 4: return wcodeci_neon_split_as(row, 4, 2, src, plane, n);
    default: return 0;
    }
}

static void wcodeci_neon_residual(const wcodeci_byte *v, const wcodeci_byte *before, wcodeci_byte *residual,
                                  size_t n, unsigned mask)
{
    const uint8x16_t bits = vdupq_n_u8((wcodeci_byte)mask);
    size_t i;
    for (i = 0; n - i >= 16; i += 16)
        vst1q_u8(residual + i, vandq_u8(bits, vsubq_u8(vld1q_u8(v + i), vld1q_u8(before + i))));
    wcodeci_residual_scalar(v + i, before + i, residual + i, n - i, mask);
}

/* ---- scales: as for AVX-512 ---- */

WCODECI_INLINE uint8x16_t wcodeci_neon_level(const wcodeci_fit *fit, uint8x16_t e, int8x16_t scale)
{
    const int8x16_t zero = vdupq_n_s8(0);
    e = vqsubq_u8(vqaddq_u8(e, vdupq_n_u8(fit->up)), vdupq_n_u8(fit->down));
    e = vqshlq_n_u8(e, 2);
    e = vqaddq_u8(e, vreinterpretq_u8_s8(vmaxq_s8(vqnegq_s8(scale), zero)));
    return vqsubq_u8(e, vreinterpretq_u8_s8(vmaxq_s8(scale, zero)));
}

/* A look-up beyond the table's 32 entries gives 0. */
WCODECI_INLINE uint8x16_t wcodeci_neon_weigh(uint8x16x2_t table, uint8x16_t most, uint8x16_t level)
{
    return vqtbl2q_u8(table, vsubq_u8(most, level));
}

WCODECI_INLINE uint8x16x2_t wcodeci_neon_fit_weights(void)
{
    uint8x16x2_t table;
    table.val[0] = vld1q_u8(wcodeci_fit_weight);
    table.val[1] = vld1q_u8(wcodeci_fit_weight + 16);
    return table;
}

static uint32_t wcodeci_neon_fit_row(const wcodeci_fit *fit, const wcodeci_byte *exponents,
                                     const wcodeci_byte *columns, size_t n, unsigned *most)
{
    const uint8x16x2_t table = wcodeci_neon_fit_weights();
    uint8x16_t top = vdupq_n_u8(0);
    uint32x4_t sum = vdupq_n_u32(0);
    uint32_t rest = 0;
    size_t i, j;
    for (i = 0; n - i >= 16; i += 16)
        top = vmaxq_u8(top, wcodeci_neon_level(fit, vld1q_u8(exponents + i),
                                               vreinterpretq_s8_u8(vld1q_u8(columns + i))));
    *most = vmaxvq_u8(top);
    for (j = i; j < n; j++) {
        const unsigned level = wcodeci_fit_level(fit, exponents[j], (signed char)columns[j]);
        if (level > *most) *most = level;
    }
    for (j = i; j < n; j++)
        rest += wcodeci_fit_weigh(*most, wcodeci_fit_level(fit, exponents[j], (signed char)columns[j]));
    top = vdupq_n_u8((wcodeci_byte)*most);
    for (i = 0; n - i >= 16; i += 16)
        sum = vpadalq_u16(sum, vpaddlq_u8(wcodeci_neon_weigh(table, top, wcodeci_neon_level(
            fit, vld1q_u8(exponents + i), vreinterpretq_s8_u8(vld1q_u8(columns + i))))));
    return rest + vaddvq_u32(sum);
}

static void wcodeci_neon_fit_most(const wcodeci_fit *fit, const wcodeci_byte *exponents, int scale, size_t n,
                                  wcodeci_byte *most)
{
    const int8x16_t all = vdupq_n_s8((signed char)scale);
    size_t i;
    for (i = 0; n - i >= 16; i += 16)
        vst1q_u8(most + i, vmaxq_u8(vld1q_u8(most + i), wcodeci_neon_level(fit, vld1q_u8(exponents + i), all)));
    wcodeci_fit_most_scalar(fit, exponents + i, scale, n - i, most + i);
}

static void wcodeci_neon_fit_sum(const wcodeci_fit *fit, const wcodeci_byte *exponents, int scale, size_t n,
                                 const wcodeci_byte *most, uint16_t *sum)
{
    const uint8x16x2_t table = wcodeci_neon_fit_weights();
    const int8x16_t all = vdupq_n_s8((signed char)scale);
    size_t i;
    for (i = 0; n - i >= 16; i += 16) {
        const uint8x16_t weight = wcodeci_neon_weigh(table, vld1q_u8(most + i), wcodeci_neon_level(
            fit, vld1q_u8(exponents + i), all));
        vst1q_u16(sum + i, vaddw_u8(vld1q_u16(sum + i), vget_low_u8(weight)));
        vst1q_u16(sum + i + 8, vaddw_high_u8(vld1q_u16(sum + i + 8), weight));
    }
    wcodeci_fit_sum_scalar(fit, exponents + i, scale, n - i, most + i, sum + i);
}

static void wcodeci_neon_scale_off(const wcodeci_byte *v, const wcodeci_byte *columns, unsigned row,
                                   wcodeci_byte *q, wcodeci_byte *residual, size_t n, unsigned mask)
{
    const uint8x16_t add = vdupq_n_u8((wcodeci_byte)row), bits = vdupq_n_u8((wcodeci_byte)mask);
    size_t i;
    for (i = 0; n - i >= 16; i += 16) {
        const uint8x16_t sum = vaddq_u8(vld1q_u8(columns + i), add);
        vst1q_u8(q + i, sum);
        vst1q_u8(residual + i, vandq_u8(bits, vsubq_u8(vld1q_u8(v + i), vshrq_n_u8(sum, 2))));
    }
    wcodeci_scale_off_scalar(v + i, columns + i, row, q + i, residual + i, n - i, mask);
}

/* ---- rANS-16 ---- */

/* Writes down where the bits are: i and up.  Returns how many places there are, or most + 1. */
WCODECI_INLINE size_t wcodeci_neon_note(uint64_t bits, size_t i, uint32_t *places, size_t found, size_t most)
{
    for (; bits; i += 32, bits >>= 32) {
        uint32_t half = (uint32_t)bits;
        for (; half; half &= half - 1) {
            if (found == most) return most + 1;
            places[found++] = (uint32_t)(i + wcodeci_highest_bit(half & (0u - half)));
        }
    }
    return found;
}

/* Sixteen entries, or those of all classes. */
WCODECI_INLINE uint8x16x4_t wcodeci_neon_entries(unsigned classes, const wcodeci_byte *table)
{
    uint8x16x4_t four;
    if (classes > 1) return wcodeci_neon_four(table);
    four.val[0] = four.val[1] = four.val[2] = four.val[3] = vld1q_u8(table);
    return four;
}

/* table[x], x below 16 or, of several classes, 64. */
WCODECI_INLINE uint8x16_t wcodeci_neon_find(unsigned classes, const uint8x16x4_t *table, uint8x16_t x)
{
    return classes == 1 ? vqtbl1q_u8(table->val[0], x) : vqtbl4q_u8(*table, x);
}

typedef struct wcodeci_neon_mapper {
    wcodeci_windows windows;
    uint8x16_t filler;                  /* what the windows' entries are changed by */
    uint8x16_t fillers;                 /* by class, with 16 times that */
    uint8x16x4_t freq;
    uint8x16_t weights;
} wcodeci_neon_mapper;

WCODECI_INLINE wcodeci_neon_mapper wcodeci_neon_mapper_make(const wcodeci_rans16_coder *c, unsigned classes)
{
    wcodeci_neon_mapper m;
    wcodeci_byte fillers[16] = { 0 };
    unsigned k;
    for (k = 0; k < classes; k++) fillers[k] = (wcodeci_byte)(16 * k + c->filler[k]);
    wcodeci_windows_make(&m.windows, c, 32);
    m.filler = vdupq_n_u8(c->filler[0]);
    m.fillers = vld1q_u8(fillers);
    m.freq = wcodeci_neon_entries(classes, c->freq);
    m.weights = vld1q_u8(wcodeci_neon_weights);
    return m;
}

/* Makes symbols of 64 values; returns a bit for each that is an exception.  q: of these, if there are several
 * classes. */
WCODECI_INLINE uint64_t wcodeci_neon_map_64(const wcodeci_neon_mapper *m, unsigned classes, const wcodeci_byte *v,
                                            const wcodeci_byte *q, wcodeci_byte *symbols)
{
    uint8x16_t x[4], entry[4], none[4];
    unsigned j, k;
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) {
        x[k] = vld1q_u8(v + 16 * k);
        entry[k] = vdupq_n_u8(0);
    }
    for (j = 0; j < m->windows.count; j++) {
        const uint8x16x2_t table = vld2q_u8(m->windows.table[j]);
        const uint8x16_t from = vdupq_n_u8(m->windows.from[j]);
        WCODECI_UNROLL_4
        for (k = 0; k < 4; k++) entry[k] = vqtbx2q_u8(entry[k], table, vsubq_u8(x[k], from));
    }
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) {
        uint8x16_t symbol = veorq_u8(vandq_u8(entry[k], vdupq_n_u8(15)), m->filler);
        if (classes == 1) {
            none[k] = vceqzq_u8(entry[k]);
        } else {
            const uint8x16_t part = vandq_u8(vld1q_u8(q + 16 * k), vdupq_n_u8(3));
            symbol = vsliq_n_u8(symbol, part, 4);
            none[k] = vceqzq_u8(vminq_u8(entry[k], wcodeci_neon_find(classes, &m->freq, symbol)));
            symbol = vbslq_u8(none[k], vqtbl1q_u8(m->fillers, part), symbol);
        }
        vst1q_u8(symbols + 16 * k, symbol);
    }
    return wcodeci_neon_mark(none, m->weights).bits;
}

WCODECI_INLINE size_t wcodeci_neon_map_all(const wcodeci_rans16_coder *c, unsigned classes, const wcodeci_byte *v,
                                           wcodeci_byte *symbols, size_t n, uint32_t *places, size_t most)
{
    const wcodeci_neon_mapper m = wcodeci_neon_mapper_make(c, classes);
    size_t i, found = 0;
    for (i = 0; n - i >= 64; i += 64) {
        const uint64_t none = wcodeci_neon_map_64(&m, classes, v + i, classes > 1 ? c->q + i : NULL, symbols + i);
        if (!none) continue;
        found = wcodeci_neon_note(none, i, places, found, most);
        if (found > most) return found;
    }
    return classes == 1 ? wcodeci_rans16_map_rest(c, v, symbols, i, n, places, found, most)
                        : wcodeci_rans16_map_classes_rest(c, v, symbols, i, n, places, found, most);
}

static size_t wcodeci_neon_map(const wcodeci_rans16_coder *c, const wcodeci_byte *v, wcodeci_byte *symbols,
                               size_t n, uint32_t *places, size_t most)
{
    return wcodeci_neon_map_all(c, 1, v, symbols, n, places, most);
}

static size_t wcodeci_neon_map_classes(const wcodeci_rans16_coder *c, const wcodeci_byte *v,
                                       wcodeci_byte *symbols, size_t n, uint32_t *places, size_t most)
{
    return wcodeci_neon_map_all(c, WCODECI_CLASSES, v, symbols, n, places, most);
}

/* The reciprocal is in parts, low and high byte, of scale * frequency; see wcodeci_neon_coder_make. */
typedef struct wcodeci_neon_coder {
    uint8x16x4_t freq, first, scale, low, high;     /* by symbol */
    uint8x16_t bias, weights;                       /* bias: by class */
    uint8x16x4_t slots[4];                          /* of one class */
    const wcodeci_byte *all_slots;                  /* of several */
} wcodeci_neon_coder;

/* x / f, for x < 256 f, is (s x + b) m >> 23 with nothing to correct.  128 < s f <= 256, so that s x + b and
 * m, which is 2^23 / (s f) rounded, fit 16 bits.  s is 1 where f > 128, which one symbol of a class can have at
 * most; b is the class's.
 *
 * If b is 0, m is rounded up: s f m = 2^23 + e with e < s f.  s x is s or more below where the quotient's
 * next step is, so the result is right if s x e < s 2^23.  It is if s >= 2, as s x < 2^16 and e < 2^8; if s
 * is 1, with e <= 128.
 *
 * If that one symbol has e > 128, b is 1 and m rounded to nearest, with an error of at most 128.  If m is
 * rounded down, as it is for that symbol, s f m = 2^23 - d, and the result is right if (s x + 1) d <= 2^23.
 * If it is rounded up, s >= 2, so s x + 1 is still 1 or more below the next step: right if (s x + 1) e <
 * 2^23. */
WCODECI_INLINE wcodeci_neon_coder wcodeci_neon_coder_make(const wcodeci_rans16_coder *c, unsigned classes)
{
    const uint32_t one = (uint32_t)1 << 23;
    wcodeci_byte scale[16 * WCODECI_CLASSES], low[16 * WCODECI_CLASSES], high[16 * WCODECI_CLASSES];
    wcodeci_byte bias[16] = { 0 };
    wcodeci_neon_coder t;
    unsigned s;
    for (s = 0; s < 16 * classes; s++)
        if (c->freq[s] > 128 && c->freq[s] - one % c->freq[s] > 128) bias[s / 16] = 1;
    for (s = 0; s < 16 * classes; s++) {
        const unsigned freq = c->freq[s], by = freq < 2 ? 255 : freq > 128 ? 1 : 256 / freq;
        const uint32_t divisor = freq ? by * freq : 255;
        const uint32_t m = (one + (bias[s / 16] ? divisor / 2 : divisor - 1)) / divisor;
        scale[s] = (wcodeci_byte)by;
        low[s] = (wcodeci_byte)m;
        high[s] = (wcodeci_byte)(m >> 8);
    }
    t.freq = wcodeci_neon_entries(classes, c->freq);
    t.first = wcodeci_neon_entries(classes, c->first);
    t.scale = wcodeci_neon_entries(classes, scale);
    t.low = wcodeci_neon_entries(classes, low);
    t.high = wcodeci_neon_entries(classes, high);
    t.bias = classes == 1 ? vdupq_n_u8(bias[0]) : vld1q_u8(bias);
    t.weights = vld1q_u8(wcodeci_neon_weights);
    t.all_slots = c->slots;
    for (s = 0; s < 4 && classes == 1; s++) t.slots[s] = wcodeci_neon_four(c->slots + 64 * s);
    return t;
}

/* The upper halves of products. */
WCODECI_INLINE uint16x8_t wcodeci_neon_high16(uint16x8_t a, uint16x8_t b)
{
    const uint32x4_t lower = vmull_u16(vget_low_u16(a), vget_low_u16(b)), upper = vmull_high_u16(a, b);
    return vuzp2q_u16(vreinterpretq_u16_u32(lower), vreinterpretq_u16_u32(upper));
}

/* The quotients of states h << 8 | l that have room. */
WCODECI_INLINE uint8x16_t wcodeci_neon_divide(const wcodeci_neon_coder *t, unsigned classes,
                                              uint8x16_t symbol, uint8x16_t h, uint8x16_t l)
{
    const uint8x16_t scale = wcodeci_neon_find(classes, &t->scale, symbol), above = vmulq_u8(h, scale);
    const uint8x16_t low = wcodeci_neon_find(classes, &t->low, symbol);
    const uint8x16_t high = wcodeci_neon_find(classes, &t->high, symbol);
    const uint8x16_t bias = classes == 1 ? t->bias : vqtbl1q_u8(t->bias, vshrq_n_u8(symbol, 4));
    const uint16x8_t x0 = vmlal_u8(vreinterpretq_u16_u8(vzip1q_u8(bias, above)), vget_low_u8(l),
                                   vget_low_u8(scale));
    const uint16x8_t x1 = vmlal_high_u8(vreinterpretq_u16_u8(vzip2q_u8(bias, above)), l, scale);
    const uint16x8_t q0 = wcodeci_neon_high16(x0, vreinterpretq_u16_u8(vzip1q_u8(low, high)));
    const uint16x8_t q1 = wcodeci_neon_high16(x1, vreinterpretq_u16_u8(vzip2q_u8(low, high)));
    return vshrn_high_n_u16(vshrn_n_u16(q0, 7), q1, 7);
}

/* slots[x] out of 256: a look-up leaves alone what is out of its 64. */
WCODECI_INLINE uint8x16_t wcodeci_neon_slots(const wcodeci_neon_coder *t, uint8x16_t x)
{
    const uint8x16_t next = vdupq_n_u8(64);
    uint8x16_t slots = vqtbl4q_u8(t->slots[0], x);
    slots = vqtbx4q_u8(slots, t->slots[1], x = vsubq_u8(x, next));
    slots = vqtbx4q_u8(slots, t->slots[2], x = vsubq_u8(x, next));
    return vqtbx4q_u8(slots, t->slots[3], vsubq_u8(x, next));
}

/* Eight slots out of 1024, by 16 bits each.  There would be sixteen look-ups of 64: memory is faster. */
WCODECI_INLINE uint64_t wcodeci_neon_gather(const wcodeci_neon_coder *t, uint16x8_t x)
{
    const uint64_t lower = vgetq_lane_u64(vreinterpretq_u64_u16(x), 0);
    const uint64_t upper = vgetq_lane_u64(vreinterpretq_u64_u16(x), 1);
    uint64_t slots = 0;
    unsigned k;
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++)
        slots |= (uint64_t)t->all_slots[lower >> 16 * k & 0xFFFF] << 8 * k
               | (uint64_t)t->all_slots[upper >> 16 * k & 0xFFFF] << (8 * k + 32);
    return slots;
}

/* Puts the bytes of 64 that are marked below p, in order: 8 bytes end where those of the 8 lanes do. */
WCODECI_INLINE wcodeci_byte *wcodeci_neon_shed(const wcodeci_byte *bytes, wcodeci_neon_marked marked,
                                               wcodeci_byte *p)
{
    unsigned k;
    p -= marked.sums >> 56;
    WCODECI_UNROLL_16
    for (k = 8; k-- > 0;) {
        const uint64_t *order = wcodeci_shed_of((unsigned)(marked.bits >> 8 * k & 255));
        vst1_u8(p + (size_t)(marked.sums >> 8 * k & 255) - 8,
                vqtbl1_u8(vcombine_u8(vld1_u8(bytes + 8 * k), vdup_n_u8(0)),
                          vreinterpret_u8_u64(vld1_u64(order))));
    }
    return p;
}

/* Codes 64 symbols on 64 lanes.  Which lanes shed a byte is asked first, as the answer takes long. */
WCODECI_INLINE wcodeci_byte *wcodeci_neon_put_64(const wcodeci_neon_coder *t, unsigned classes,
                                                 const wcodeci_byte *symbols, wcodeci_byte *high,
                                                 wcodeci_byte *low, wcodeci_byte *p)
{
    uint8x16_t symbol[4], freq[4], shed[4], place[4];
    wcodeci_neon_marked marked;
    unsigned k;
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) {
        symbol[k] = vld1q_u8(symbols + 16 * k);
        freq[k] = wcodeci_neon_find(classes, &t->freq, symbol[k]);
        shed[k] = vcgeq_u8(vld1q_u8(high + 16 * k), freq[k]);
    }
    marked = wcodeci_neon_mark(shed, t->weights);
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) {
        const uint8x16_t h = vld1q_u8(high + 16 * k), l = vbslq_u8(shed[k], h, vld1q_u8(low + 16 * k));
        const uint8x16_t quotient = wcodeci_neon_divide(t, classes, symbol[k], vbicq_u8(h, shed[k]), l);
        const uint8x16_t from = vaddq_u8(l, wcodeci_neon_find(classes, &t->first, symbol[k]));
        place[k] = vmlsq_u8(from, quotient, freq[k]);       /* first + rank */
        if (classes == 1) place[k] = wcodeci_neon_slots(t, place[k]);
        vst1q_u8(high + 16 * k, quotient);
    }
    p = wcodeci_neon_shed(low, marked, p);
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) {
        if (classes == 1) {
            vst1q_u8(low + 16 * k, place[k]);
        } else {
            const uint8x16_t part = vshrq_n_u8(symbol[k], 4);
            wcodeci_store64(low + 16 * k,
                            wcodeci_neon_gather(t, vreinterpretq_u16_u8(vzip1q_u8(place[k], part))));
            wcodeci_store64(low + 16 * k + 8,
                            wcodeci_neon_gather(t, vreinterpretq_u16_u8(vzip2q_u8(place[k], part))));
        }
    }
    return p;
}

WCODECI_INLINE wcodeci_byte *wcodeci_neon_put_all(wcodeci_rans16_coder *c, unsigned classes,
                                                  const wcodeci_byte *symbols, size_t n, wcodeci_byte *p)
{
    const wcodeci_neon_coder t = wcodeci_neon_coder_make(c, classes);
    const unsigned lanes = c->lanes;
    unsigned lane;
    while (n) {
        n -= lanes;
        for (lane = lanes; lane;) {
            lane -= 64;
            p = wcodeci_neon_put_64(&t, classes, symbols + n + lane, c->high + lane, c->low + lane, p);
        }
    }
    return p;
}

static wcodeci_byte *wcodeci_neon_put(wcodeci_rans16_coder *c, const wcodeci_byte *symbols, size_t n,
                                      wcodeci_byte *p)
{
    return wcodeci_neon_put_all(c, 1, symbols, n, p);
}

static wcodeci_byte *wcodeci_neon_put_classes(wcodeci_rans16_coder *c, const wcodeci_byte *symbols, size_t n,
                                              wcodeci_byte *p)
{
    return wcodeci_neon_put_all(c, WCODECI_CLASSES, symbols, n, p);
}

static const wcodeci_encode_kernels wcodeci_encode_kernels_neon = {
    wcodeci_neon_split, wcodeci_neon_residual,
    wcodeci_neon_fit_row, wcodeci_neon_fit_most, wcodeci_neon_fit_sum, wcodeci_neon_scale_off,
    { wcodeci_neon_map, wcodeci_neon_map_classes },
    { wcodeci_neon_put, wcodeci_neon_put_classes }
};

#endif
