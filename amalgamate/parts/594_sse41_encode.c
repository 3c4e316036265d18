/* ------------------------------------------------------------------------------------------------
 * Encoding kernels for SSSE3, SSE4.1 and POPCNT (private)
 * What comes before them is for NEON too.
 * ---------------------------------------------------------------------------------------------- */
#if (WCODECI_X86 || WCODECI_NEON) && !defined(WCODEC_NO_ENCODER)

/* Shuffle indices that gather bytes, those at the places of the bits that are set of 8, at the upper end;
 * below are zeros.  A row has the upper 4 bits in common: `count` of them are set, and `high` holds their
 * places.  Those of the lower 4 bits, at the upper end of 4 bytes too, move down for them. */
#define WCODECI_SHED(high, count, low) \
    (uint64_t)(high) << 32 | (uint64_t)(low) << 32 >> 8 * (count)
#define WCODECI_SHED_ROW(high, count) \
    { WCODECI_SHED(high, count, 0), WCODECI_SHED(high, count, 0), \
      WCODECI_SHED(high, count, 0x01000000), WCODECI_SHED(high, count, 0x01000000), \
      WCODECI_SHED(high, count, 0x02000000), WCODECI_SHED(high, count, 0x02000000), \
      WCODECI_SHED(high, count, 0x02010000), WCODECI_SHED(high, count, 0x02010000), \
      WCODECI_SHED(high, count, 0x03000000), WCODECI_SHED(high, count, 0x03000000), \
      WCODECI_SHED(high, count, 0x03010000), WCODECI_SHED(high, count, 0x03010000), \
      WCODECI_SHED(high, count, 0x03020000), WCODECI_SHED(high, count, 0x03020000), \
      WCODECI_SHED(high, count, 0x03020100), WCODECI_SHED(high, count, 0x03020100) }

static const uint64_t wcodeci_shed[16][16] = {
    WCODECI_SHED_ROW(0, 0), WCODECI_SHED_ROW(0x04000000, 1),
    WCODECI_SHED_ROW(0x05000000, 1), WCODECI_SHED_ROW(0x05040000, 2),
    WCODECI_SHED_ROW(0x06000000, 1), WCODECI_SHED_ROW(0x06040000, 2),
    WCODECI_SHED_ROW(0x06050000, 2), WCODECI_SHED_ROW(0x06050400, 3),
    WCODECI_SHED_ROW(0x07000000, 1), WCODECI_SHED_ROW(0x07040000, 2),
    WCODECI_SHED_ROW(0x07050000, 2), WCODECI_SHED_ROW(0x07050400, 3),
    WCODECI_SHED_ROW(0x07060000, 2), WCODECI_SHED_ROW(0x07060400, 3),
    WCODECI_SHED_ROW(0x07060500, 3), WCODECI_SHED_ROW(0x07060504, 4)
};

/* The entry of 8 bits. */
WCODECI_INLINE const uint64_t *wcodeci_shed_of(unsigned bits) { return &wcodeci_shed[0][0] + bits; }

/* Symbols by value, in windows as wide as one look-up, which leave out what they can.  Entries are the
 * symbol ^ the filler, with bit 4 set; 0: none.  Where the last window begins inside the one before, one of 16
 * leaves out what that one has, for look-ups add up; one of 32 has it again, for its look-ups overwrite. */
typedef struct wcodeci_windows {
    wcodeci_byte table[16][32], from[16];
    unsigned count;
} wcodeci_windows;

/* width: 16, or 32 for pairs, entry 16 to 31 of which stand behind entry 0 to 15 each. */
static void wcodeci_windows_make(wcodeci_windows *w, const wcodeci_rans16_coder *c, unsigned width)
{
    unsigned v = 0, k;
    w->count = 0;
    while (v < 256) {
        const unsigned first = v;
        if (c->symbol_of[v] == WCODECI_NO_SYMBOL) {
            v++;
            continue;
        }
        if (v > 256 - width) v = 256 - width;
        w->from[w->count] = (wcodeci_byte)v;
        for (k = 0; k < width; k++, v++) {
            const unsigned s = c->symbol_of[v];
            w->table[w->count][width == 16 ? k : 2 * (k & 15) + k / 16]
                = (wcodeci_byte)(s == WCODECI_NO_SYMBOL || (v < first && width == 16)
                                 ? 0 : (s ^ c->filler[0]) | 16);
        }
        w->count++;
    }
}

/* The last values, from i on, after `found` exceptions. */
static size_t wcodeci_rans16_map_rest(const wcodeci_rans16_coder *c, const wcodeci_byte *v,
                                      wcodeci_byte *symbols, size_t i, size_t n, uint32_t *places,
                                      size_t found, size_t most)
{
    for (; i < n; i++) {
        symbols[i] = c->symbol_of[v[i]];
        if (symbols[i] != WCODECI_NO_SYMBOL) continue;
        symbols[i] = c->filler[0];
        if (found == most) return most + 1;
        places[found++] = (uint32_t)i;
    }
    return found;
}

/* As wcodeci_rans16_map_rest, of several classes. */
static size_t wcodeci_rans16_map_classes_rest(const wcodeci_rans16_coder *c, const wcodeci_byte *v,
                                              wcodeci_byte *symbols, size_t i, size_t n, uint32_t *places,
                                              size_t found, size_t most)
{
    for (; i < n; i++) {
        const unsigned at = 16u * (c->q[i] & 3), s = c->symbol_of[v[i]];
        const int there = s != WCODECI_NO_SYMBOL && c->freq[at + s];
        symbols[i] = (wcodeci_byte)(at + (there ? s : c->filler[at / 16]));
        if (there) continue;
        if (found == most) return most + 1;
        places[found++] = (uint32_t)i;
    }
    return found;
}

#endif

#if WCODECI_X86 && !defined(WCODEC_NO_ENCODER)

/* What a map of several classes looks up, 16 bytes each. */
typedef struct wcodeci_class_finder {
    wcodeci_windows windows;        /* entries: the symbol, with bit 7 set */
    wcodeci_byte has[16];           /* by symbol: bit c: class c has it */
    wcodeci_byte bit[16];           /* by q & 3: 1 << that */
    wcodeci_byte filler[16];        /* by q & 3, with 16 times the class */
} wcodeci_class_finder;

static void wcodeci_class_finder_make(wcodeci_class_finder *m, const wcodeci_rans16_coder *c)
{
    unsigned j, k;
    wcodeci_windows_make(&m->windows, c, 16);
    for (j = 0; j < m->windows.count; j++)
        for (k = 0; k < 16; k++) {
            wcodeci_byte *entry = &m->windows.table[j][k];
            if (*entry) *entry = (wcodeci_byte)(((*entry & 15) ^ c->filler[0]) | 128);
        }
    memset(m->has, 0, sizeof m->has);
    for (k = 0; k < 16 * WCODECI_CLASSES; k++) m->has[k & 15] |= (wcodeci_byte)((c->freq[k] != 0) << k / 16);
    for (k = 0; k < 16; k++) {
        m->bit[k] = (wcodeci_byte)(1 << (k & 3));
        m->filler[k] = (wcodeci_byte)(16 * (k & 3) + c->filler[k & 3]);
    }
}

/* ---- planes out of units: as for AVX-512 ---- */

typedef struct wcodeci_sse41_field {
    __m128i low, high, low_mask, high_mask;
    int raise;
} wcodeci_sse41_field;

WCODECI_SSE41_INLINE wcodeci_sse41_field wcodeci_sse41_field_make(const wcodeci_plane_row *row, unsigned bits)
{
    const unsigned low_mask = (1u << row->low_width) - 1;
    const unsigned high_mask = ((1u << row->high_width) - 1) << row->low_width;
    wcodeci_sse41_field f;
    f.raise = row->high_shift < row->low_width;
    f.low = _mm_cvtsi32_si128(row->low_shift);
    f.high = _mm_cvtsi32_si128(f.raise ? row->low_width - row->high_shift : row->high_shift - row->low_width);
    f.low_mask = bits == 32 ? _mm_set1_epi32((int)low_mask)
               : bits == 16 ? _mm_set1_epi16((short)low_mask) : _mm_set1_epi8((char)low_mask);
    f.high_mask = bits == 32 ? _mm_set1_epi32((int)high_mask)
                : bits == 16 ? _mm_set1_epi16((short)high_mask) : _mm_set1_epi8((char)high_mask);
    return f;
}

WCODECI_SSE41_INLINE __m128i wcodeci_sse41_field16(const wcodeci_sse41_field *f, const wcodeci_byte *src)
{
    const __m128i x = wcodeci_sse41_load(src);
    const __m128i high = f->raise ? _mm_sll_epi16(x, f->high) : _mm_srl_epi16(x, f->high);
    return _mm_or_si128(_mm_and_si128(_mm_srl_epi16(x, f->low), f->low_mask),
                        _mm_and_si128(high, f->high_mask));
}

WCODECI_SSE41_INLINE __m128i wcodeci_sse41_field32(const wcodeci_sse41_field *f, const wcodeci_byte *src)
{
    const __m128i x = wcodeci_sse41_load(src);
    const __m128i high = f->raise ? _mm_sll_epi32(x, f->high) : _mm_srl_epi32(x, f->high);
    return _mm_or_si128(_mm_and_si128(_mm_srl_epi32(x, f->low), f->low_mask),
                        _mm_and_si128(high, f->high_mask));
}

WCODECI_SSE41 static size_t wcodeci_sse41_split(const wcodeci_plane_row *row, unsigned unit,
                                                const wcodeci_byte *src, wcodeci_byte *plane, size_t n)
{
    size_t i = 0;
    if (unit == 1) {
        const wcodeci_sse41_field f = wcodeci_sse41_field_make(row, 8);
        for (; n - i >= 16; i += 16) wcodeci_sse41_store(plane + i, wcodeci_sse41_field16(&f, src + i));
    } else if (unit == 2) {
        const wcodeci_sse41_field f = wcodeci_sse41_field_make(row, 16);
        for (; n - i >= 16; i += 16)
            wcodeci_sse41_store(plane + i, _mm_packus_epi16(wcodeci_sse41_field16(&f, src + 2 * i),
                                                            wcodeci_sse41_field16(&f, src + 2 * i + 16)));
    } else if (unit == 4) {
        const wcodeci_sse41_field f = wcodeci_sse41_field_make(row, 32);
        for (; n - i >= 16; i += 16) {
            const wcodeci_byte *s = src + 4 * i;
            const __m128i ab = _mm_packs_epi32(wcodeci_sse41_field32(&f, s),
                                               wcodeci_sse41_field32(&f, s + 16));
            const __m128i cd = _mm_packs_epi32(wcodeci_sse41_field32(&f, s + 32),
                                               wcodeci_sse41_field32(&f, s + 48));
            wcodeci_sse41_store(plane + i, _mm_packus_epi16(ab, cd));
        }
    }
    return i;
}

WCODECI_SSE41 static void wcodeci_sse41_residual(const wcodeci_byte *v, const wcodeci_byte *before,
                                                 wcodeci_byte *residual, size_t n, unsigned mask)
{
    const __m128i bits = _mm_set1_epi8((char)mask);
    size_t i;
    for (i = 0; n - i >= 16; i += 16)
        wcodeci_sse41_store(residual + i, _mm_and_si128(bits, _mm_sub_epi8(wcodeci_sse41_load(v + i),
                                                                           wcodeci_sse41_load(before + i))));
    wcodeci_residual_scalar(v + i, before + i, residual + i, n - i, mask);
}

/* ---- scales: as for AVX-512 ---- */

/* The largest of 16 bytes: the smallest of their complements, found as words whose upper bytes are 0. */
WCODECI_SSE41_INLINE unsigned wcodeci_sse41_most(__m128i x)
{
    x = _mm_max_epu8(x, _mm_srli_epi16(x, 8));
    x = _mm_sub_epi16(_mm_set1_epi16(255), _mm_and_si128(x, _mm_set1_epi16(255)));
    return 255u - ((unsigned)_mm_cvtsi128_si32(_mm_minpos_epu16(x)) & 255u);
}

WCODECI_SSE41_INLINE __m128i wcodeci_sse41_level(const wcodeci_fit *fit, __m128i e, __m128i scale)
{
    const __m128i zero = _mm_setzero_si128();
    e = _mm_subs_epu8(_mm_adds_epu8(e, _mm_set1_epi8((char)fit->up)), _mm_set1_epi8((char)fit->down));
    e = _mm_adds_epu8(e, e);
    e = _mm_adds_epu8(e, e);
    e = _mm_adds_epu8(e, _mm_max_epi8(_mm_subs_epi8(zero, scale), zero));
    return _mm_subs_epu8(e, _mm_max_epi8(scale, zero));
}

/* Two look-ups of 16: adding 112 with saturation gives what is 16 or more the top bit, which is a shuffle's zero. */
WCODECI_SSE41_INLINE __m128i wcodeci_sse41_weigh(__m128i most, __m128i level)
{
    const __m128i below = _mm_sub_epi8(most, level), saturate = _mm_set1_epi8(112);
    return _mm_or_si128(_mm_shuffle_epi8(wcodeci_sse41_load(wcodeci_fit_weight), _mm_adds_epu8(below, saturate)),
                        _mm_shuffle_epi8(wcodeci_sse41_load(wcodeci_fit_weight + 16), _mm_adds_epu8(
                            _mm_sub_epi8(below, _mm_set1_epi8(16)), saturate)));
}

WCODECI_SSE41 static uint32_t wcodeci_sse41_fit_row(const wcodeci_fit *fit, const wcodeci_byte *exponents,
                                                    const wcodeci_byte *columns, size_t n, unsigned *most)
{
    __m128i top = _mm_setzero_si128(), sum = top;
    uint32_t rest = 0;
    size_t i, j;
    for (i = 0; n - i >= 16; i += 16)
        top = _mm_max_epu8(top, wcodeci_sse41_level(fit, wcodeci_sse41_load(exponents + i),
                                                    wcodeci_sse41_load(columns + i)));
    *most = wcodeci_sse41_most(top);
    for (j = i; j < n; j++) {
        const unsigned level = wcodeci_fit_level(fit, exponents[j], (signed char)columns[j]);
        if (level > *most) *most = level;
    }
    for (j = i; j < n; j++)
        rest += wcodeci_fit_weigh(*most, wcodeci_fit_level(fit, exponents[j], (signed char)columns[j]));
    top = _mm_set1_epi8((char)*most);
    for (i = 0; n - i >= 16; i += 16)
        sum = _mm_add_epi64(sum, _mm_sad_epu8(wcodeci_sse41_weigh(top, wcodeci_sse41_level(
            fit, wcodeci_sse41_load(exponents + i), wcodeci_sse41_load(columns + i))), _mm_setzero_si128()));
    sum = _mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum));
    return rest + (uint32_t)_mm_cvtsi128_si32(sum);
}

WCODECI_SSE41 static void wcodeci_sse41_fit_most(const wcodeci_fit *fit, const wcodeci_byte *exponents,
                                                 int scale, size_t n, wcodeci_byte *most)
{
    const __m128i all = _mm_set1_epi8((char)scale);
    size_t i;
    for (i = 0; n - i >= 16; i += 16)
        wcodeci_sse41_store(most + i, _mm_max_epu8(wcodeci_sse41_load(most + i), wcodeci_sse41_level(
            fit, wcodeci_sse41_load(exponents + i), all)));
    wcodeci_fit_most_scalar(fit, exponents + i, scale, n - i, most + i);
}

WCODECI_SSE41 static void wcodeci_sse41_fit_sum(const wcodeci_fit *fit, const wcodeci_byte *exponents,
                                                int scale, size_t n, const wcodeci_byte *most, uint16_t *sum)
{
    const __m128i all = _mm_set1_epi8((char)scale), zero = _mm_setzero_si128();
    size_t i;
    for (i = 0; n - i >= 16; i += 16) {
        const __m128i weight = wcodeci_sse41_weigh(wcodeci_sse41_load(most + i), wcodeci_sse41_level(
            fit, wcodeci_sse41_load(exponents + i), all));
        wcodeci_sse41_store(sum + i, _mm_add_epi16(wcodeci_sse41_load(sum + i), _mm_unpacklo_epi8(weight, zero)));
        wcodeci_sse41_store(sum + i + 8, _mm_add_epi16(wcodeci_sse41_load(sum + i + 8),
                                                       _mm_unpackhi_epi8(weight, zero)));
    }
    wcodeci_fit_sum_scalar(fit, exponents + i, scale, n - i, most + i, sum + i);
}

WCODECI_SSE41 static void wcodeci_sse41_scale_off(const wcodeci_byte *v, const wcodeci_byte *columns,
                                                  unsigned row, wcodeci_byte *q, wcodeci_byte *residual, size_t n,
                                                  unsigned mask)
{
    const __m128i add = _mm_set1_epi8((char)row), bits = _mm_set1_epi8((char)mask), six = _mm_set1_epi8(63);
    size_t i;
    for (i = 0; n - i >= 16; i += 16) {
        const __m128i sum = _mm_add_epi8(wcodeci_sse41_load(columns + i), add);
        wcodeci_sse41_store(q + i, sum);
        wcodeci_sse41_store(residual + i, _mm_and_si128(bits, _mm_sub_epi8(
            wcodeci_sse41_load(v + i), _mm_and_si128(_mm_srli_epi16(sum, 2), six))));
    }
    wcodeci_scale_off_scalar(v + i, columns + i, row, q + i, residual + i, n - i, mask);
}

/* ---- rANS-16 ---- */

WCODECI_SSE41 static size_t wcodeci_sse41_map(const wcodeci_rans16_coder *c, const wcodeci_byte *v,
                                              wcodeci_byte *symbols, size_t n, uint32_t *places, size_t most)
{
    const __m128i zero = _mm_setzero_si128(), filler = _mm_set1_epi8((char)c->filler[0]);
    const __m128i fifteen = _mm_set1_epi8(15), saturate = _mm_set1_epi8(112);
    wcodeci_windows w;
    size_t i, found = 0;
    unsigned j, k;
    wcodeci_windows_make(&w, c, 16);
    for (i = 0; n - i >= 64; i += 64) {
        __m128i x[4], entry[4];
        uint64_t none = 0;
        WCODECI_UNROLL_4
        for (k = 0; k < 4; k++) {
            x[k] = wcodeci_sse41_load(v + i + 16 * k);
            entry[k] = zero;
        }
        for (j = 0; j < w.count; j++) {
            const __m128i table = wcodeci_sse41_load(w.table[j]), from = _mm_set1_epi8((char)w.from[j]);
            /* Adding 112 with saturation leaves the low four bits of what is below 16 alone, and gives all
             * else the top bit, which is a shuffle's zero. */
            WCODECI_UNROLL_4
            for (k = 0; k < 4; k++)
                entry[k] = _mm_or_si128(entry[k], _mm_shuffle_epi8(table,
                                        _mm_adds_epu8(_mm_sub_epi8(x[k], from), saturate)));
        }
        WCODECI_UNROLL_4
        for (k = 0; k < 4; k++) {
            none |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(entry[k], zero)) << 16 * k;
            entry[k] = _mm_xor_si128(_mm_and_si128(entry[k], fifteen), filler);
            wcodeci_sse41_store(symbols + i + 16 * k, entry[k]);
        }
        for (; none; none &= none - 1) {
            if (found == most) return most + 1;
            places[found++] = (uint32_t)(i + (size_t)_mm_popcnt_u64(~none & (none - 1)));
        }
    }
    return wcodeci_rans16_map_rest(c, v, symbols, i, n, places, found, most);
}

/* The same of several classes. */
WCODECI_SSE41 static size_t wcodeci_sse41_map_classes(const wcodeci_rans16_coder *c, const wcodeci_byte *v,
                                                      wcodeci_byte *symbols, size_t n, uint32_t *places,
                                                      size_t most)
{
    const __m128i saturate = _mm_set1_epi8(112), top = _mm_set1_epi8(-128);
    wcodeci_class_finder m;
    __m128i has, bit, filler;
    size_t i, found = 0;
    unsigned j, k;
    wcodeci_class_finder_make(&m, c);
    has = wcodeci_sse41_load(m.has);
    bit = wcodeci_sse41_load(m.bit);
    filler = wcodeci_sse41_load(m.filler);
    for (i = 0; n - i >= 64; i += 64) {
        __m128i x[4], entry[4];
        uint64_t none = 0;
        WCODECI_UNROLL_4
        for (k = 0; k < 4; k++) {
            x[k] = wcodeci_sse41_load(v + i + 16 * k);
            entry[k] = top;
        }
        for (j = 0; j < m.windows.count; j++) {
            const __m128i table = wcodeci_sse41_load(m.windows.table[j]);
            const __m128i from = _mm_set1_epi8((char)m.windows.from[j]);
            WCODECI_UNROLL_4
            for (k = 0; k < 4; k++)
                entry[k] = _mm_xor_si128(entry[k], _mm_shuffle_epi8(table,
                                         _mm_adds_epu8(_mm_sub_epi8(x[k], from), saturate)));
        }
        WCODECI_UNROLL_4
        for (k = 0; k < 4; k++) {       /* entry: the symbol, or 128, which is a shuffle's zero */
            const __m128i q = _mm_and_si128(wcodeci_sse41_load(c->q + i + 16 * k), _mm_set1_epi8(3));
            const __m128i there = _mm_and_si128(_mm_shuffle_epi8(has, entry[k]), _mm_shuffle_epi8(bit, q));
            const __m128i lacks = _mm_cmpeq_epi8(there, _mm_setzero_si128());
            none |= (uint64_t)(unsigned)_mm_movemask_epi8(lacks) << 16 * k;
            wcodeci_sse41_store(symbols + i + 16 * k, _mm_blendv_epi8(
                _mm_or_si128(entry[k], _mm_slli_epi16(q, 4)), _mm_shuffle_epi8(filler, q), lacks));
        }
        for (; none; none &= none - 1) {
            if (found == most) return most + 1;
            places[found++] = (uint32_t)(i + (size_t)_mm_popcnt_u64(~none & (none - 1)));
        }
    }
    return wcodeci_rans16_map_classes_rest(c, v, symbols, i, n, places, found, most);
}

typedef struct wcodeci_sse41_coder {
    __m128i freq, first;                /* by symbol */
    __m128i low, high;                  /* the low and high byte of the reciprocal, as for AVX-512 */
    __m128i slots[16];
} wcodeci_sse41_coder;

/* slots[x] out of 256: entry x & 15 of every sixteen.  Bit 7 chooses first, as it makes a shuffle's zero;
 * then bits 4, 5 and 6 do, shifted to bit 7, where BLENDV looks. */
WCODECI_SSE41_INLINE __m128i wcodeci_sse41_slots(const __m128i *slots, __m128i x)
{
    const __m128i upper = _mm_xor_si128(x, _mm_set1_epi8(-128));
    const __m128i bit6 = _mm_add_epi8(x, x), bit5 = _mm_add_epi8(bit6, bit6);
    const __m128i bit4 = _mm_add_epi8(bit5, bit5);
    __m128i entry[8];
    unsigned k;
    WCODECI_UNROLL_16
    for (k = 0; k < 8; k++)
        entry[k] = _mm_or_si128(_mm_shuffle_epi8(slots[k], x), _mm_shuffle_epi8(slots[k + 8], upper));
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) entry[k] = _mm_blendv_epi8(entry[2 * k], entry[2 * k + 1], bit4);
    entry[0] = _mm_blendv_epi8(entry[0], entry[1], bit5);
    entry[1] = _mm_blendv_epi8(entry[2], entry[3], bit5);
    return _mm_blendv_epi8(entry[0], entry[1], bit6);
}

/* Puts those of 8 bytes that the bits mark below p, in order. */
WCODECI_SSE41_INLINE wcodeci_byte *wcodeci_sse41_shed(const wcodeci_byte *bytes, unsigned bits,
                                                      wcodeci_byte *p)
{
    const __m128i order = _mm_loadl_epi64((const __m128i *)(const void *)wcodeci_shed_of(bits));
    const __m128i x = _mm_loadl_epi64((const __m128i *)(const void *)bytes);
    _mm_storel_epi64((__m128i *)(void *)(p - 8), _mm_shuffle_epi8(x, order));
    return p - _mm_popcnt_u32(bits);
}

/* Divides 16 states by their symbols' frequencies, which come with their reciprocals' low and high bytes; as for
 * AVX-512.  A remainder r below the frequency f stays, as r - f is below 0, which is large as an unsigned number.
 * The quotients go to `high`; `low` stays.  Returns the remainders. */
WCODECI_SSE41_INLINE __m128i wcodeci_sse41_divide(__m128i freq, __m128i low_byte, __m128i high_byte,
                                                  wcodeci_byte *high, const wcodeci_byte *low, wcodeci_byte **p)
{
    const __m128i zero = _mm_setzero_si128();
    const __m128i h = wcodeci_sse41_load(high), l = wcodeci_sse41_load(low);
    const __m128i shed = _mm_cmpeq_epi8(_mm_max_epu8(h, freq), h);
    const __m128i h1 = _mm_andnot_si128(shed, h), l1 = _mm_blendv_epi8(l, h, shed);
    const __m128i x0 = _mm_unpacklo_epi8(l1, h1), x1 = _mm_unpackhi_epi8(l1, h1);
    const __m128i f0 = _mm_unpacklo_epi8(freq, zero), f1 = _mm_unpackhi_epi8(freq, zero);
    const __m128i q0 = _mm_mulhi_epu16(x0, _mm_unpacklo_epi8(low_byte, high_byte));
    const __m128i q1 = _mm_mulhi_epu16(x1, _mm_unpackhi_epi8(low_byte, high_byte));
    const __m128i r0 = _mm_sub_epi16(x0, _mm_mullo_epi16(q0, f0));
    const __m128i r1 = _mm_sub_epi16(x1, _mm_mullo_epi16(q1, f1));
    const __m128i less0 = _mm_sub_epi16(r0, f0), less1 = _mm_sub_epi16(r1, f1);
    const __m128i rest0 = _mm_min_epu16(r0, less0), rest1 = _mm_min_epu16(r1, less1);
    const unsigned bits = (unsigned)_mm_movemask_epi8(shed);
    *p = wcodeci_sse41_shed(low + 8, bits >> 8, *p);
    *p = wcodeci_sse41_shed(low, bits & 255, *p);
    wcodeci_sse41_store(high, _mm_packus_epi16(_mm_sub_epi16(q0, _mm_cmpeq_epi16(rest0, less0)),
                                               _mm_sub_epi16(q1, _mm_cmpeq_epi16(rest1, less1))));
    return _mm_packus_epi16(rest0, rest1);
}

/* Codes 16 symbols on 16 lanes. */
WCODECI_SSE41_INLINE wcodeci_byte *wcodeci_sse41_put_16(const wcodeci_sse41_coder *t, __m128i symbol,
                                                        wcodeci_byte *high, wcodeci_byte *low,
                                                        wcodeci_byte *p)
{
    const __m128i rest = wcodeci_sse41_divide(_mm_shuffle_epi8(t->freq, symbol), _mm_shuffle_epi8(t->low, symbol),
                                              _mm_shuffle_epi8(t->high, symbol), high, low, &p);
    const __m128i rank = _mm_add_epi8(rest, _mm_shuffle_epi8(t->first, symbol));
    wcodeci_sse41_store(low, wcodeci_sse41_slots(t->slots, rank));
    return p;
}

WCODECI_SSE41 static wcodeci_byte *wcodeci_sse41_put(wcodeci_rans16_coder *c, const wcodeci_byte *symbols,
                                                     size_t n, wcodeci_byte *p)
{
    wcodeci_sse41_coder t;
    wcodeci_byte low[16], high[16];
    unsigned s, lane;
    for (s = 0; s < 16; s++) {
        const unsigned reciprocal = c->freq[s] < 2 ? 65535u : 65536u / c->freq[s];
        low[s] = (wcodeci_byte)reciprocal;
        high[s] = (wcodeci_byte)(reciprocal >> 8);
        t.slots[s] = wcodeci_sse41_load(c->slots + 16 * s);
    }
    t.freq = wcodeci_sse41_load(c->freq);
    t.first = wcodeci_sse41_load(c->first);
    t.low = wcodeci_sse41_load(low);
    t.high = wcodeci_sse41_load(high);
    while (n) {
        n -= c->lanes;
        for (lane = c->lanes; lane;) {
            lane -= 16;
            p = wcodeci_sse41_put_16(&t, wcodeci_sse41_load(symbols + n + lane), c->high + lane,
                                     c->low + lane, p);
        }
    }
    return p;
}

/* The low and high bytes of reciprocals, by symbol and 16 times its class. */
typedef struct wcodeci_reciprocals {
    wcodeci_byte low[16 * WCODECI_CLASSES], high[16 * WCODECI_CLASSES];
} wcodeci_reciprocals;

static void wcodeci_reciprocals_make(wcodeci_reciprocals *per, const wcodeci_rans16_coder *c)
{
    unsigned s;
    for (s = 0; s < 16 * WCODECI_CLASSES; s++) {
        const unsigned reciprocal = c->freq[s] < 2 ? 65535u : 65536u / c->freq[s];
        per->low[s] = (wcodeci_byte)reciprocal;
        per->high[s] = (wcodeci_byte)(reciprocal >> 8);
    }
}

/* Puts the slots at[0] ... of 1024 to low[0] ...: no shuffle finds them.  They are looked up one by one, and when
 * all lanes are done, for group by group each would wait for its vectors. */
WCODECI_INLINE void wcodeci_class_slots(const wcodeci_byte *slots, const uint16_t *at, wcodeci_byte *low,
                                        unsigned lanes)
{
    unsigned lane, k;
    for (lane = 0; lane < lanes; lane += 8) {
        uint64_t all = 0;
        WCODECI_UNROLL_16
        for (k = 0; k < 8; k++) all |= (uint64_t)slots[at[lane + k]] << 8 * k;
        wcodeci_store64(low + lane, all);
    }
}

WCODECI_SSE41_INLINE __m128i wcodeci_sse41_find_byte(const wcodeci_byte *table, __m128i x, __m128i odd,
                                                     __m128i upper)
{
    __m128i tables[WCODECI_CLASSES];
    unsigned c;
    WCODECI_UNROLL_4
    for (c = 0; c < WCODECI_CLASSES; c++) tables[c] = wcodeci_sse41_load(table + 16 * c);
    return wcodeci_sse41_find(tables, x, odd, upper);
}

/* Codes 16 symbols of four classes on 16 lanes, but for the slots, whose numbers it puts to `at`. */
WCODECI_SSE41_INLINE wcodeci_byte *wcodeci_sse41_put_16_classes(wcodeci_rans16_coder *c,
                                                                const wcodeci_reciprocals *per, __m128i symbol,
                                                                unsigned lane, uint16_t *at, wcodeci_byte *p)
{
    const __m128i odd = _mm_and_si128(_mm_slli_epi16(symbol, 3), _mm_set1_epi8(-128));
    const __m128i upper = _mm_slli_epi16(symbol, 2);
    const __m128i rest = wcodeci_sse41_divide(wcodeci_sse41_find_byte(c->freq, symbol, odd, upper),
                                              wcodeci_sse41_find_byte(per->low, symbol, odd, upper),
                                              wcodeci_sse41_find_byte(per->high, symbol, odd, upper),
                                              c->high + lane, c->low + lane, &p);
    const __m128i rank = _mm_add_epi8(rest, wcodeci_sse41_find_byte(c->first, symbol, odd, upper));
    const __m128i of = _mm_and_si128(_mm_srli_epi16(symbol, 4), _mm_set1_epi8(3));
    wcodeci_sse41_store(at, _mm_unpacklo_epi8(rank, of));
    wcodeci_sse41_store(at + 8, _mm_unpackhi_epi8(rank, of));
    return p;
}

WCODECI_SSE41 static wcodeci_byte *wcodeci_sse41_put_classes(wcodeci_rans16_coder *c, const wcodeci_byte *symbols,
                                                             size_t n, wcodeci_byte *p)
{
    wcodeci_reciprocals per;
    uint16_t at[WCODECI_RANS16_LANES];
    unsigned lane;
    wcodeci_reciprocals_make(&per, c);
    while (n) {
        n -= c->lanes;
        for (lane = c->lanes; lane;) {
            lane -= 16;
            p = wcodeci_sse41_put_16_classes(c, &per, wcodeci_sse41_load(symbols + n + lane), lane, at + lane, p);
        }
        wcodeci_class_slots(c->slots, at, c->low, c->lanes);
    }
    return p;
}

static const wcodeci_encode_kernels wcodeci_encode_kernels_sse41 = {
    wcodeci_sse41_split, wcodeci_sse41_residual,
    wcodeci_sse41_fit_row, wcodeci_sse41_fit_most, wcodeci_sse41_fit_sum, wcodeci_sse41_scale_off,
    { wcodeci_sse41_map, wcodeci_sse41_map_classes },
    { wcodeci_sse41_put, wcodeci_sse41_put_classes }
};

#endif
