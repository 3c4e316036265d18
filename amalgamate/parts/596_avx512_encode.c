/* ------------------------------------------------------------------------------------------------
 * Encoding kernels for AVX-512 with VBMI and VBMI2 (private)
 * ---------------------------------------------------------------------------------------------- */
#if WCODECI_X86 && !defined(WCODEC_NO_ENCODER)

#if defined(__GNUC__) && !defined(__clang__) && defined(__cplusplus)
#pragma GCC diagnostic push         /* see the decoding kernels */
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

/* ---- planes out of units ---- */

/* A plane's value of each unit: ((x >> low) & low mask) | ((x >> high) & high mask), the upper field's bits
 * above the lower one's.  The mask of a field that is not there is 0. */
typedef struct wcodeci_avx512_field {
    __m128i low, high;
    __m512i low_mask, high_mask;
    int raise;                          /* the upper field moves up instead of down, by `high` */
} wcodeci_avx512_field;

WCODECI_AVX512_INLINE wcodeci_avx512_field wcodeci_avx512_field_make(const wcodeci_plane_row *row,
                                                                     unsigned bits)
{
    const unsigned low_mask = (1u << row->low_width) - 1;
    const unsigned high_mask = ((1u << row->high_width) - 1) << row->low_width;
    wcodeci_avx512_field f;
    f.raise = row->high_shift < row->low_width;
    f.low = _mm_cvtsi32_si128(row->low_shift);
    f.high = _mm_cvtsi32_si128(f.raise ? row->low_width - row->high_shift : row->high_shift - row->low_width);
    f.low_mask = bits == 32 ? _mm512_set1_epi32((int)low_mask)
               : bits == 16 ? _mm512_set1_epi16((short)low_mask) : _mm512_set1_epi8((char)low_mask);
    f.high_mask = bits == 32 ? _mm512_set1_epi32((int)high_mask)
                : bits == 16 ? _mm512_set1_epi16((short)high_mask) : _mm512_set1_epi8((char)high_mask);
    return f;
}

WCODECI_AVX512_INLINE __m512i wcodeci_avx512_field16(const wcodeci_avx512_field *f, __m512i x)
{
    const __m512i high = f->raise ? _mm512_sll_epi16(x, f->high) : _mm512_srl_epi16(x, f->high);
    return _mm512_ternarylogic_epi64(_mm512_and_si512(_mm512_srl_epi16(x, f->low), f->low_mask), high,
                                     f->high_mask, WCODECI_A_OR_B_AND_C);
}

WCODECI_AVX512_INLINE __m512i wcodeci_avx512_field32(const wcodeci_avx512_field *f, __m512i x)
{
    const __m512i high = f->raise ? _mm512_sll_epi32(x, f->high) : _mm512_srl_epi32(x, f->high);
    return _mm512_or_si512(_mm512_and_si512(_mm512_srl_epi32(x, f->low), f->low_mask),
                           _mm512_and_si512(high, f->high_mask));
}

/* The low bytes of 64 units of 16 bits; even: 0, 2, 4, ... */
WCODECI_AVX512_INLINE __m512i wcodeci_avx512_narrow16(__m512i a, __m512i even, __m512i b)
{
    return _mm512_permutex2var_epi8(a, even, b);
}

/* 0, 2, 4, ... 126. */
WCODECI_AVX512_INLINE __m512i wcodeci_avx512_even(void)
{
    return _mm512_set_epi64(0x7E7C7A7876747270, 0x6E6C6A6866646260, 0x5E5C5A5856545250, 0x4E4C4A4846444240,
                            0x3E3C3A3836343230, 0x2E2C2A2826242220, 0x1E1C1A1816141210, 0x0E0C0A0806040200);
}

WCODECI_AVX512_INLINE __m512i wcodeci_avx512_narrow32(__m512i a, __m512i b, __m512i c, __m512i d)
{
    const __m256i ab = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm512_cvtepi32_epi8(a)),
                                               _mm512_cvtepi32_epi8(b), 1);
    const __m256i cd = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm512_cvtepi32_epi8(c)),
                                               _mm512_cvtepi32_epi8(d), 1);
    return _mm512_inserti64x4(_mm512_castsi256_si512(ab), cd, 1);
}

WCODECI_AVX512 static size_t wcodeci_avx512_split(const wcodeci_plane_row *row, unsigned unit,
                                                  const wcodeci_byte *src, wcodeci_byte *plane, size_t n)
{
    size_t i = 0;
    if (unit == 1) {
        const wcodeci_avx512_field f = wcodeci_avx512_field_make(row, 8);
        for (; n - i >= 64; i += 64)
            wcodeci_avx512_store(plane + i, wcodeci_avx512_field16(&f, wcodeci_avx512_load(src + i)));
    } else if (unit == 2) {
        const wcodeci_avx512_field f = wcodeci_avx512_field_make(row, 16);
        const __m512i even = wcodeci_avx512_even();
        if (row->width == 8 && row->low_width == 8) {       /* no more than a shift */
            for (; n - i >= 64; i += 64)
                wcodeci_avx512_store(plane + i, wcodeci_avx512_narrow16(
                    _mm512_srl_epi16(wcodeci_avx512_load(src + 2 * i), f.low), even,
                    _mm512_srl_epi16(wcodeci_avx512_load(src + 2 * i + 64), f.low)));
            return i;
        }
        for (; n - i >= 64; i += 64) {
            const __m512i a = wcodeci_avx512_load(src + 2 * i), b = wcodeci_avx512_load(src + 2 * i + 64);
            wcodeci_avx512_store(plane + i, wcodeci_avx512_narrow16(wcodeci_avx512_field16(&f, a), even,
                                                                    wcodeci_avx512_field16(&f, b)));
        }
    } else if (unit == 4) {
        const wcodeci_avx512_field f = wcodeci_avx512_field_make(row, 32);
        for (; n - i >= 64; i += 64) {
            const wcodeci_byte *s = src + 4 * i;
            wcodeci_avx512_store(plane + i, wcodeci_avx512_narrow32(
                wcodeci_avx512_field32(&f, wcodeci_avx512_load(s)),
                wcodeci_avx512_field32(&f, wcodeci_avx512_load(s + 64)),
                wcodeci_avx512_field32(&f, wcodeci_avx512_load(s + 128)),
                wcodeci_avx512_field32(&f, wcodeci_avx512_load(s + 192))));
        }
    }
    return i;
}

WCODECI_AVX512 static void wcodeci_avx512_residual(const wcodeci_byte *v, const wcodeci_byte *before,
                                                   wcodeci_byte *residual, size_t n, unsigned mask)
{
    const __m512i bits = _mm512_set1_epi8((char)mask);
    size_t i;
    for (i = 0; n - i >= 64; i += 64)
        wcodeci_avx512_store(residual + i, _mm512_and_si512(bits, _mm512_sub_epi8(wcodeci_avx512_load(v + i),
                                                                   wcodeci_avx512_load(before + i))));
    wcodeci_residual_scalar(v + i, before + i, residual + i, n - i, mask);
}

/* ---- scales ---- */

/* What makes levels: 4 e, saturating, and the scale's positive and negative part. */
WCODECI_AVX512_INLINE __m512i wcodeci_avx512_level(const wcodeci_fit *fit, __m512i e, __m512i scale)
{
    const __m512i zero = _mm512_setzero_si512();
    e = _mm512_subs_epu8(_mm512_adds_epu8(e, _mm512_set1_epi8((char)fit->up)), _mm512_set1_epi8((char)fit->down));
    e = _mm512_adds_epu8(e, e);
    e = _mm512_adds_epu8(e, e);
    e = _mm512_adds_epu8(e, _mm512_max_epi8(_mm512_subs_epi8(zero, scale), zero));
    return _mm512_subs_epu8(e, _mm512_max_epi8(scale, zero));
}

/* The weights of levels below `most`, from a table of 64 whose second half is 0. */
WCODECI_AVX512_INLINE __m512i wcodeci_avx512_weigh(__m512i table, __m512i most, __m512i level)
{
    return _mm512_permutexvar_epi8(_mm512_min_epu8(_mm512_sub_epi8(most, level), _mm512_set1_epi8(63)), table);
}

WCODECI_AVX512_INLINE __m512i wcodeci_avx512_weights(void)
{
    return _mm512_zextsi256_si512(_mm256_loadu_si256((const __m256i *)(const void *)wcodeci_fit_weight));
}

WCODECI_AVX512_INLINE __m512i wcodeci_avx512_some(__mmask64 there, const wcodeci_byte *p)
{
    return _mm512_maskz_loadu_epi8(there, p);
}

WCODECI_AVX512_INLINE __mmask64 wcodeci_avx512_there(size_t n)
{
    return n < 64 ? ((__mmask64)1 << n) - 1 : ~(__mmask64)0;
}

WCODECI_AVX512_INLINE __m512i wcodeci_avx512_level_at(const wcodeci_fit *fit, const wcodeci_byte *exponents,
                                                      const wcodeci_byte *columns, __mmask64 there)
{
    return wcodeci_avx512_level(fit, wcodeci_avx512_some(there, exponents), wcodeci_avx512_some(there, columns));
}

WCODECI_AVX512 static uint32_t wcodeci_avx512_fit_row(const wcodeci_fit *fit, const wcodeci_byte *exponents,
                                                      const wcodeci_byte *columns, size_t n, unsigned *most)
{
    const __m512i table = wcodeci_avx512_weights(), zero = _mm512_setzero_si512();
    const size_t whole = n & ~(size_t)63;
    const __mmask64 rest = ((__mmask64)1 << (n & 63)) - 1;
    __m512i top = zero, sum = zero;
    __m256i half;
    size_t i;
    for (i = 0; i < whole; i += 64)
        top = _mm512_max_epu8(top, wcodeci_avx512_level(fit, wcodeci_avx512_load(exponents + i),
                                                        wcodeci_avx512_load(columns + i)));
    if (rest)
        top = _mm512_mask_max_epu8(top, rest, top,
                                   wcodeci_avx512_level_at(fit, exponents + i, columns + i, rest));
    half = _mm256_max_epu8(_mm512_castsi512_si256(top), _mm512_extracti64x4_epi64(top, 1));
    *most = wcodeci_sse41_most(_mm_max_epu8(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
    top = _mm512_set1_epi8((char)*most);
    for (i = 0; i < whole; i += 64) {
        const __m512i level = wcodeci_avx512_level(fit, wcodeci_avx512_load(exponents + i),
                                                   wcodeci_avx512_load(columns + i));
        sum = _mm512_add_epi64(sum, _mm512_sad_epu8(wcodeci_avx512_weigh(table, top, level), zero));
    }
    if (rest)
        sum = _mm512_add_epi64(sum, _mm512_sad_epu8(_mm512_maskz_mov_epi8(rest, wcodeci_avx512_weigh(
            table, top, wcodeci_avx512_level_at(fit, exponents + i, columns + i, rest))), zero));
    return (uint32_t)_mm512_reduce_add_epi64(sum);
}

WCODECI_AVX512 static void wcodeci_avx512_fit_most(const wcodeci_fit *fit, const wcodeci_byte *exponents,
                                                   int scale, size_t n, wcodeci_byte *most)
{
    const __m512i all = _mm512_set1_epi8((char)scale);
    size_t i;
    for (i = 0; i < n; i += 64) {
        const __mmask64 there = wcodeci_avx512_there(n - i);
        const __m512i level = wcodeci_avx512_level(fit, wcodeci_avx512_some(there, exponents + i), all);
        _mm512_mask_storeu_epi8(most + i, there, _mm512_max_epu8(level, wcodeci_avx512_some(there, most + i)));
    }
}

WCODECI_AVX512 static void wcodeci_avx512_fit_sum(const wcodeci_fit *fit, const wcodeci_byte *exponents,
                                                  int scale, size_t n, const wcodeci_byte *most, uint16_t *sum)
{
    const __m512i table = wcodeci_avx512_weights(), all = _mm512_set1_epi8((char)scale);
    size_t i;
    for (i = 0; i < n; i += 64) {
        const __mmask64 there = wcodeci_avx512_there(n - i);
        const __mmask32 low = (__mmask32)there, high = (__mmask32)(there >> 32);
        const __m512i level = wcodeci_avx512_level(fit, wcodeci_avx512_some(there, exponents + i), all);
        const __m512i weight = wcodeci_avx512_weigh(table, wcodeci_avx512_some(there, most + i), level);
        const __m512i a = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(weight));
        const __m512i b = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(weight, 1));
        _mm512_mask_storeu_epi16(sum + i, low, _mm512_add_epi16(_mm512_maskz_loadu_epi16(low, sum + i), a));
        if (!high) continue;
        _mm512_mask_storeu_epi16(sum + i + 32, high,
                                 _mm512_add_epi16(_mm512_maskz_loadu_epi16(high, sum + i + 32), b));
    }
}

WCODECI_AVX512 static void wcodeci_avx512_scale_off(const wcodeci_byte *v, const wcodeci_byte *columns,
                                                    unsigned row, wcodeci_byte *q, wcodeci_byte *residual,
                                                    size_t n, unsigned mask)
{
    const __m512i add = _mm512_set1_epi8((char)row), bits = _mm512_set1_epi8((char)mask);
    const __m512i six = _mm512_set1_epi8(63);
    size_t i;
    for (i = 0; i < n; i += 64) {
        const __mmask64 there = wcodeci_avx512_there(n - i);
        const __m512i sum = _mm512_add_epi8(wcodeci_avx512_some(there, columns + i), add);
        const __m512i shift = _mm512_and_si512(_mm512_srli_epi16(sum, 2), six);
        _mm512_mask_storeu_epi8(q + i, there, sum);
        _mm512_mask_storeu_epi8(residual + i, there, _mm512_and_si512(bits, _mm512_sub_epi8(
            wcodeci_avx512_some(there, v + i), shift)));
    }
}

/* ---- rANS-16 ---- */

/* table[x] of 256 bytes: two look-ups of 128, of which bit 7 of x chooses. */
WCODECI_AVX512_INLINE __m512i wcodeci_avx512_look_up(const __m512i table[4], __m512i x)
{
    return _mm512_mask_mov_epi8(_mm512_permutex2var_epi8(table[0], x, table[1]), _mm512_movepi8_mask(x),
                                _mm512_permutex2var_epi8(table[2], x, table[3]));
}

WCODECI_AVX512 static size_t wcodeci_avx512_map(const wcodeci_rans16_coder *c, const wcodeci_byte *v,
                                                wcodeci_byte *symbols, size_t n, uint32_t *places, size_t most)
{
    const __m512i none = _mm512_set1_epi8(WCODECI_NO_SYMBOL), filler = _mm512_set1_epi8((char)c->filler[0]);
    __m512i table[4];
    size_t i, found = 0;
    unsigned k;
    for (k = 0; k < 4; k++) table[k] = wcodeci_avx512_load(c->symbol_of + 64 * k);
    for (i = 0; i < n; i += 64) {
        const __mmask64 there = n - i < 64 ? ((__mmask64)1 << (n - i)) - 1 : ~(__mmask64)0;
        const __m512i symbol = wcodeci_avx512_look_up(table, _mm512_maskz_loadu_epi8(there, v + i));
        __mmask64 exception = _mm512_mask_cmpeq_epi8_mask(there, symbol, none);
        _mm512_mask_storeu_epi8(symbols + i, there, _mm512_mask_mov_epi8(symbol, exception, filler));
        for (; exception; exception &= exception - 1) {
            if (found == most) return most + 1;
            places[found++] = (uint32_t)(i + (size_t)_mm_popcnt_u64(~exception & (exception - 1)));
        }
    }
    return found;
}

/* The same of several classes: symbols come with 16 times their class. */
WCODECI_AVX512 static size_t wcodeci_avx512_map_classes(const wcodeci_rans16_coder *c, const wcodeci_byte *v,
                                                        wcodeci_byte *symbols, size_t n, uint32_t *places,
                                                        size_t most)
{
    const __m512i none = _mm512_set1_epi8(WCODECI_NO_SYMBOL), freq = wcodeci_avx512_load(c->freq);
    __m512i table[4], filler = _mm512_setzero_si512();
    size_t i, found = 0;
    unsigned k;
    for (k = 0; k < 4; k++) {
        table[k] = wcodeci_avx512_load(c->symbol_of + 64 * k);
        filler = _mm512_mask_set1_epi8(filler, (__mmask64)0x1111111111111111u << k,
                                       (char)(16 * k + c->filler[k]));      /* by class, in each 4 bytes */
    }
    for (i = 0; i < n; i += 64) {
        const __mmask64 there = n - i < 64 ? ((__mmask64)1 << (n - i)) - 1 : ~(__mmask64)0;
        const __m512i q = _mm512_and_si512(_mm512_maskz_loadu_epi8(there, c->q + i), _mm512_set1_epi8(3));
        const __m512i s = wcodeci_avx512_look_up(table, _mm512_maskz_loadu_epi8(there, v + i));
        const __m512i symbol = _mm512_or_si512(s, _mm512_slli_epi16(q, 4));
        __mmask64 exception = _mm512_mask_cmpeq_epi8_mask(there, s, none)
                            | _mm512_mask_testn_epi8_mask(there, _mm512_permutexvar_epi8(symbol, freq),
                                                          _mm512_permutexvar_epi8(symbol, freq));
        _mm512_mask_storeu_epi8(symbols + i, there, _mm512_mask_shuffle_epi8(symbol, exception, filler, q));
        for (; exception; exception &= exception - 1) {
            if (found == most) return most + 1;
            places[found++] = (uint32_t)(i + (size_t)_mm_popcnt_u64(~exception & (exception - 1)));
        }
    }
    return found;
}

typedef struct wcodeci_avx512_coder {
    __m512i freq, first;                /* by symbol, in each 16 bytes; of several classes, in 64 */
    __m512i reciprocal[2];              /* 65536 / freq, rounded down, but at most 65535, of 16 symbols twice */
    __m512i slots[4 * WCODECI_CLASSES]; /* or of 64 */
    __m512i even;
} wcodeci_avx512_coder;

/* The slots of 64 ranks, which count from the first slot of their symbols' classes. */
WCODECI_AVX512_INLINE __m512i wcodeci_avx512_slots(const wcodeci_avx512_coder *t, unsigned classes,
                                                   __m512i symbol, __m512i rank)
{
    const __mmask64 odd = _mm512_test_epi8_mask(symbol, _mm512_set1_epi8(16));
    const __mmask64 upper = _mm512_test_epi8_mask(symbol, _mm512_set1_epi8(32));
    __m512i slot = wcodeci_avx512_look_up(t->slots, rank);
    if (classes == 1) return slot;
    slot = _mm512_mask_mov_epi8(slot, odd, wcodeci_avx512_look_up(t->slots + 4, rank));
    return _mm512_mask_mov_epi8(slot, upper, _mm512_mask_mov_epi8(
        wcodeci_avx512_look_up(t->slots + 8, rank), odd, wcodeci_avx512_look_up(t->slots + 12, rank)));
}

/* Codes 64 symbols on 64 lanes.  x / f is x * reciprocal >> 16 or one more: the error is below x / 65536 < 1,
 * for reciprocal + 1 > 65536 / f.  x is below f << 8, so the quotient is a byte, and so is the remainder. */
WCODECI_AVX512_INLINE wcodeci_byte *wcodeci_avx512_put_64(const wcodeci_avx512_coder *t, unsigned classes,
                                                          __m512i symbol, __m512i *high, __m512i *low,
                                                          wcodeci_byte *p)
{
    const __m512i freq = wcodeci_avx512_find(classes, t->freq, symbol);
    const __m512i upper = _mm512_srli_epi16(symbol, 8);
    const __m512i per0 = classes == 1 ? _mm512_permutexvar_epi16(symbol, t->reciprocal[0])
                       : _mm512_permutex2var_epi16(t->reciprocal[0], symbol, t->reciprocal[1]);
    const __m512i per1 = classes == 1 ? _mm512_permutexvar_epi16(upper, t->reciprocal[0])
                       : _mm512_permutex2var_epi16(t->reciprocal[0], upper, t->reciprocal[1]);
    const __mmask64 shed = _mm512_cmpge_epu8_mask(*high, freq);
    const __m512i bytes = _mm512_maskz_compress_epi8(shed, *low);
    const unsigned count = (unsigned)_mm_popcnt_u64(shed);
    const __m512i h = _mm512_maskz_mov_epi8(~shed, *high);
    const __m512i l = _mm512_mask_mov_epi8(*low, shed, *high);
    const __m512i x0 = _mm512_ternarylogic_epi64(_mm512_slli_epi16(h, 8), l, t->even, WCODECI_A_OR_B_AND_C);
    const __m512i x1 = _mm512_ternarylogic_epi64(_mm512_srli_epi16(l, 8), h, t->even,
                                                 WCODECI_A_OR_B_AND_NOT_C);
    const __m512i f0 = _mm512_and_si512(freq, t->even), f1 = _mm512_srli_epi16(freq, 8);
    __m512i q0 = _mm512_mulhi_epu16(x0, per0), q1 = _mm512_mulhi_epu16(x1, per1);
    __m512i r0 = _mm512_sub_epi16(x0, _mm512_mullo_epi16(q0, f0));
    __m512i r1 = _mm512_sub_epi16(x1, _mm512_mullo_epi16(q1, f1));
    const __mmask32 more0 = _mm512_cmpge_epu16_mask(r0, f0), more1 = _mm512_cmpge_epu16_mask(r1, f1);
    const __m512i one = _mm512_set1_epi16(1);
    __m512i rank;
    q0 = _mm512_mask_add_epi16(q0, more0, q0, one);
    q1 = _mm512_mask_add_epi16(q1, more1, q1, one);
    r0 = _mm512_mask_sub_epi16(r0, more0, r0, f0);
    r1 = _mm512_mask_sub_epi16(r1, more1, r1, f1);
    rank = _mm512_add_epi8(_mm512_or_si512(r0, _mm512_slli_epi16(r1, 8)),
                           wcodeci_avx512_find(classes, t->first, symbol));
    *high = _mm512_or_si512(q0, _mm512_slli_epi16(q1, 8));
    *low = wcodeci_avx512_slots(t, classes, symbol, rank);
    p -= count;
    _mm512_mask_storeu_epi8(p, _bzhi_u64(~(uint64_t)0, count), bytes);
    return p;
}

WCODECI_AVX512_INLINE wcodeci_byte *wcodeci_avx512_put_rounds(wcodeci_rans16_coder *c, unsigned groups,
                                                              unsigned classes, const wcodeci_byte *symbols,
                                                              size_t n, wcodeci_byte *p)
{
    wcodeci_avx512_coder t;
    uint16_t reciprocal[64];
    __m512i high[4], low[4];
    unsigned g, s;
    for (s = 0; s < 64; s++) {
        const unsigned f = c->freq[classes == 1 ? s & 15 : s];
        reciprocal[s] = (uint16_t)(f < 2 ? 65535 : 65536u / f);
    }
    t.freq = classes == 1 ? wcodeci_avx512_table(c->freq) : wcodeci_avx512_load(c->freq);
    t.first = classes == 1 ? wcodeci_avx512_table(c->first) : wcodeci_avx512_load(c->first);
    t.reciprocal[0] = wcodeci_avx512_load(reciprocal);
    t.reciprocal[1] = wcodeci_avx512_load(reciprocal + 32);
    for (s = 0; s < 4 * classes; s++) t.slots[s] = wcodeci_avx512_load(c->slots + 64 * s);
    t.even = _mm512_set1_epi16(255);
    for (g = 0; g < groups; g++) {
        high[g] = wcodeci_avx512_load(c->high + 64 * g);
        low[g] = wcodeci_avx512_load(c->low + 64 * g);
    }
    while (n) {
        n -= 64 * groups;
        WCODECI_UNROLL_4
        for (g = groups; g-- > 0;)
            p = wcodeci_avx512_put_64(&t, classes, wcodeci_avx512_load(symbols + n + 64 * g), &high[g], &low[g],
                                      p);
    }
    for (g = 0; g < groups; g++) {
        wcodeci_avx512_store(c->high + 64 * g, high[g]);
        wcodeci_avx512_store(c->low + 64 * g, low[g]);
    }
    return p;
}

WCODECI_AVX512_INLINE wcodeci_byte *wcodeci_avx512_put_lanes(wcodeci_rans16_coder *c, unsigned classes,
                                                             const wcodeci_byte *symbols, size_t n,
                                                             wcodeci_byte *p)
{
    switch (c->lanes) {
    case 64: return wcodeci_avx512_put_rounds(c, 1, classes, symbols, n, p);
    case 128: return wcodeci_avx512_put_rounds(c, 2, classes, symbols, n, p);
    default: return wcodeci_avx512_put_rounds(c, 4, classes, symbols, n, p);
    }
}

WCODECI_AVX512 static wcodeci_byte *wcodeci_avx512_put(wcodeci_rans16_coder *c, const wcodeci_byte *symbols,
                                                       size_t n, wcodeci_byte *p)
{
    return wcodeci_avx512_put_lanes(c, 1, symbols, n, p);
}

WCODECI_AVX512 static wcodeci_byte *wcodeci_avx512_put_classes(wcodeci_rans16_coder *c,
                                                               const wcodeci_byte *symbols, size_t n,
                                                               wcodeci_byte *p)
{
    return wcodeci_avx512_put_lanes(c, WCODECI_CLASSES, symbols, n, p);
}

static const wcodeci_encode_kernels wcodeci_encode_kernels_avx512 = {
    wcodeci_avx512_split, wcodeci_avx512_residual,
    wcodeci_avx512_fit_row, wcodeci_avx512_fit_most, wcodeci_avx512_fit_sum, wcodeci_avx512_scale_off,
    { wcodeci_avx512_map, wcodeci_avx512_map_classes },
    { wcodeci_avx512_put, wcodeci_avx512_put_classes }
};

#if defined(__GNUC__) && !defined(__clang__) && defined(__cplusplus)
#pragma GCC diagnostic pop
#endif

#endif
