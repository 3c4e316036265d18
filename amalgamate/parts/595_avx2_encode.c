/* ------------------------------------------------------------------------------------------------
 * Encoding kernels for AVX2 (private)
 * ---------------------------------------------------------------------------------------------- */
#if WCODECI_X86 && !defined(WCODEC_NO_ENCODER)

WCODECI_AVX2_INLINE __m256i wcodeci_avx2_twice(const wcodeci_byte *p)
{
    return wcodeci_avx2_wide(wcodeci_sse41_load(p));
}

/* ---- planes out of units: as for AVX-512 ---- */

typedef struct wcodeci_avx2_field {
    __m128i low, high;
    __m256i low_mask, high_mask;
    int raise;
} wcodeci_avx2_field;

WCODECI_AVX2_INLINE wcodeci_avx2_field wcodeci_avx2_field_make(const wcodeci_plane_row *row, unsigned bits)
{
    const unsigned low_mask = (1u << row->low_width) - 1;
    const unsigned high_mask = ((1u << row->high_width) - 1) << row->low_width;
    wcodeci_avx2_field f;
    f.raise = row->high_shift < row->low_width;
    f.low = _mm_cvtsi32_si128(row->low_shift);
    f.high = _mm_cvtsi32_si128(f.raise ? row->low_width - row->high_shift : row->high_shift - row->low_width);
    f.low_mask = bits == 32 ? _mm256_set1_epi32((int)low_mask)
               : bits == 16 ? _mm256_set1_epi16((short)low_mask) : _mm256_set1_epi8((char)low_mask);
    f.high_mask = bits == 32 ? _mm256_set1_epi32((int)high_mask)
                : bits == 16 ? _mm256_set1_epi16((short)high_mask) : _mm256_set1_epi8((char)high_mask);
    return f;
}

WCODECI_AVX2_INLINE __m256i wcodeci_avx2_field16(const wcodeci_avx2_field *f, __m256i x)
{
    const __m256i high = f->raise ? _mm256_sll_epi16(x, f->high) : _mm256_srl_epi16(x, f->high);
    return _mm256_or_si256(_mm256_and_si256(_mm256_srl_epi16(x, f->low), f->low_mask),
                           _mm256_and_si256(high, f->high_mask));
}

WCODECI_AVX2_INLINE __m256i wcodeci_avx2_field32(const wcodeci_avx2_field *f, const wcodeci_byte *src)
{
    const __m256i x = wcodeci_avx2_load(src);
    const __m256i high = f->raise ? _mm256_sll_epi32(x, f->high) : _mm256_srl_epi32(x, f->high);
    return _mm256_or_si256(_mm256_and_si256(_mm256_srl_epi32(x, f->low), f->low_mask),
                           _mm256_and_si256(high, f->high_mask));
}

WCODECI_AVX2 static size_t wcodeci_avx2_split(const wcodeci_plane_row *row, unsigned unit,
                                                  const wcodeci_byte *src, wcodeci_byte *plane, size_t n)
{
    size_t i = 0;
    if (unit == 1) {
        const wcodeci_avx2_field f = wcodeci_avx2_field_make(row, 8);
        for (; n - i >= 32; i += 32)
            wcodeci_avx2_store(plane + i, wcodeci_avx2_field16(&f, wcodeci_avx2_load(src + i)));
    } else if (unit == 2) {
        const wcodeci_avx2_field f = wcodeci_avx2_field_make(row, 16);
        for (; n - i >= 32; i += 32) {
            const __m256i a = wcodeci_avx2_field16(&f, wcodeci_avx2_load(src + 2 * i));
            const __m256i b = wcodeci_avx2_field16(&f, wcodeci_avx2_load(src + 2 * i + 32));
            wcodeci_avx2_store(plane + i, _mm256_permute4x64_epi64(_mm256_packus_epi16(a, b), 0xD8));
        }
    } else if (unit == 4) {
        const wcodeci_avx2_field f = wcodeci_avx2_field_make(row, 32);
        const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        for (; n - i >= 32; i += 32) {
            const wcodeci_byte *s = src + 4 * i;
            const __m256i ab = _mm256_packus_epi32(wcodeci_avx2_field32(&f, s),
                                                   wcodeci_avx2_field32(&f, s + 32));
            const __m256i cd = _mm256_packus_epi32(wcodeci_avx2_field32(&f, s + 64),
                                                   wcodeci_avx2_field32(&f, s + 96));
            wcodeci_avx2_store(plane + i, _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd), order));
        }
    }
    return i;
}

WCODECI_AVX2 static void wcodeci_avx2_residual(const wcodeci_byte *v, const wcodeci_byte *before,
                                                   wcodeci_byte *residual, size_t n, unsigned mask)
{
    const __m256i bits = _mm256_set1_epi8((char)mask);
    size_t i;
    for (i = 0; n - i >= 32; i += 32)
        wcodeci_avx2_store(residual + i, _mm256_and_si256(bits, _mm256_sub_epi8(wcodeci_avx2_load(v + i),
                                                               wcodeci_avx2_load(before + i))));
    wcodeci_residual_scalar(v + i, before + i, residual + i, n - i, mask);
}

/* ---- scales: as for AVX-512 ---- */

WCODECI_AVX2_INLINE __m256i wcodeci_avx2_level(const wcodeci_fit *fit, __m256i e, __m256i scale)
{
    const __m256i zero = _mm256_setzero_si256();
    e = _mm256_subs_epu8(_mm256_adds_epu8(e, _mm256_set1_epi8((char)fit->up)), _mm256_set1_epi8((char)fit->down));
    e = _mm256_adds_epu8(e, e);
    e = _mm256_adds_epu8(e, e);
    e = _mm256_adds_epu8(e, _mm256_max_epi8(_mm256_subs_epi8(zero, scale), zero));
    return _mm256_subs_epu8(e, _mm256_max_epi8(scale, zero));
}

WCODECI_AVX2_INLINE __m256i wcodeci_avx2_weigh(__m256i most, __m256i level)
{
    const __m256i below = _mm256_sub_epi8(most, level), saturate = _mm256_set1_epi8(112);
    return _mm256_or_si256(_mm256_shuffle_epi8(wcodeci_avx2_twice(wcodeci_fit_weight),
                                               _mm256_adds_epu8(below, saturate)),
                           _mm256_shuffle_epi8(wcodeci_avx2_twice(wcodeci_fit_weight + 16), _mm256_adds_epu8(
                               _mm256_sub_epi8(below, _mm256_set1_epi8(16)), saturate)));
}

WCODECI_AVX2 static uint32_t wcodeci_avx2_fit_row(const wcodeci_fit *fit, const wcodeci_byte *exponents,
                                                  const wcodeci_byte *columns, size_t n, unsigned *most)
{
    __m256i top = _mm256_setzero_si256(), sum = top;
    __m128i half;
    uint32_t rest = 0;
    size_t i, j;
    for (i = 0; n - i >= 32; i += 32)
        top = _mm256_max_epu8(top, wcodeci_avx2_level(fit, wcodeci_avx2_load(exponents + i),
                                                      wcodeci_avx2_load(columns + i)));
    *most = wcodeci_sse41_most(_mm_max_epu8(_mm256_castsi256_si128(top), _mm256_extracti128_si256(top, 1)));
    for (j = i; j < n; j++) {
        const unsigned level = wcodeci_fit_level(fit, exponents[j], (signed char)columns[j]);
        if (level > *most) *most = level;
    }
    for (j = i; j < n; j++)
        rest += wcodeci_fit_weigh(*most, wcodeci_fit_level(fit, exponents[j], (signed char)columns[j]));
    top = _mm256_set1_epi8((char)*most);
    for (i = 0; n - i >= 32; i += 32)
        sum = _mm256_add_epi64(sum, _mm256_sad_epu8(wcodeci_avx2_weigh(top, wcodeci_avx2_level(
            fit, wcodeci_avx2_load(exponents + i), wcodeci_avx2_load(columns + i))), _mm256_setzero_si256()));
    half = _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    return rest + (uint32_t)_mm_cvtsi128_si32(_mm_add_epi64(half, _mm_unpackhi_epi64(half, half)));
}

WCODECI_AVX2 static void wcodeci_avx2_fit_most(const wcodeci_fit *fit, const wcodeci_byte *exponents, int scale,
                                               size_t n, wcodeci_byte *most)
{
    const __m256i all = _mm256_set1_epi8((char)scale);
    size_t i;
    for (i = 0; n - i >= 32; i += 32)
        wcodeci_avx2_store(most + i, _mm256_max_epu8(wcodeci_avx2_load(most + i), wcodeci_avx2_level(
            fit, wcodeci_avx2_load(exponents + i), all)));
    wcodeci_fit_most_scalar(fit, exponents + i, scale, n - i, most + i);
}

WCODECI_AVX2 static void wcodeci_avx2_fit_sum(const wcodeci_fit *fit, const wcodeci_byte *exponents, int scale,
                                              size_t n, const wcodeci_byte *most, uint16_t *sum)
{
    const __m256i all = _mm256_set1_epi8((char)scale);
    size_t i;
    for (i = 0; n - i >= 32; i += 32) {
        const __m256i weight = wcodeci_avx2_weigh(wcodeci_avx2_load(most + i), wcodeci_avx2_level(
            fit, wcodeci_avx2_load(exponents + i), all));
        wcodeci_avx2_store(sum + i, _mm256_add_epi16(wcodeci_avx2_load(sum + i),
                                                     _mm256_cvtepu8_epi16(_mm256_castsi256_si128(weight))));
        wcodeci_avx2_store(sum + i + 16, _mm256_add_epi16(wcodeci_avx2_load(sum + i + 16),
                                                          _mm256_cvtepu8_epi16(_mm256_extracti128_si256(weight, 1))));
    }
    wcodeci_fit_sum_scalar(fit, exponents + i, scale, n - i, most + i, sum + i);
}

WCODECI_AVX2 static void wcodeci_avx2_scale_off(const wcodeci_byte *v, const wcodeci_byte *columns, unsigned row,
                                                wcodeci_byte *q, wcodeci_byte *residual, size_t n, unsigned mask)
{
    const __m256i add = _mm256_set1_epi8((char)row), bits = _mm256_set1_epi8((char)mask);
    const __m256i six = _mm256_set1_epi8(63);
    size_t i;
    for (i = 0; n - i >= 32; i += 32) {
        const __m256i sum = _mm256_add_epi8(wcodeci_avx2_load(columns + i), add);
        wcodeci_avx2_store(q + i, sum);
        wcodeci_avx2_store(residual + i, _mm256_and_si256(bits, _mm256_sub_epi8(
            wcodeci_avx2_load(v + i), _mm256_and_si256(_mm256_srli_epi16(sum, 2), six))));
    }
    wcodeci_scale_off_scalar(v + i, columns + i, row, q + i, residual + i, n - i, mask);
}

/* ---- rANS-16 ---- */

/* Entry x of 16, or 0 where x is 16 or more: adding 112 with saturation leaves the low four bits of what is
 * below 16 alone, and gives all else the top bit, which is a shuffle's zero. */
WCODECI_AVX2_INLINE __m256i wcodeci_avx2_entry(__m256i table, __m256i x)
{
    return _mm256_shuffle_epi8(table, _mm256_adds_epu8(x, _mm256_set1_epi8(112)));
}

/* Of 256 values few sixteens hold symbols: each is one table.  Entries are the symbol with bit 4 set. */
WCODECI_AVX2 static size_t wcodeci_avx2_map(const wcodeci_rans16_coder *c, const wcodeci_byte *v,
                                                wcodeci_byte *symbols, size_t n, uint32_t *places, size_t most)
{
    const __m256i zero = _mm256_setzero_si256(), filler = _mm256_set1_epi8((char)c->filler[0]);
    wcodeci_byte table[16][16], from[16];
    unsigned tables = 0, b, k;
    size_t i, found = 0;
    for (b = 0; b < 16; b++) {
        unsigned any = 0;
        for (k = 0; k < 16; k++) {
            const unsigned s = c->symbol_of[16 * b + k];
            table[tables][k] = (wcodeci_byte)(s == WCODECI_NO_SYMBOL ? 0 : s | 16);
            any |= table[tables][k];
        }
        from[tables] = (wcodeci_byte)(16 * b);
        if (any) tables++;
    }
    for (i = 0; n - i >= 32; i += 32) {
        const __m256i x = wcodeci_avx2_load(v + i);
        __m256i symbol = zero, none;
        unsigned mask;
        for (k = 0; k < tables; k++)
            symbol = _mm256_or_si256(symbol, wcodeci_avx2_entry(wcodeci_avx2_twice(table[k]),
                                     _mm256_sub_epi8(x, _mm256_set1_epi8((char)from[k]))));
        none = _mm256_cmpeq_epi8(symbol, zero);
        symbol = _mm256_and_si256(symbol, _mm256_set1_epi8(15));
        wcodeci_avx2_store(symbols + i, _mm256_blendv_epi8(symbol, filler, none));
        for (mask = (unsigned)_mm256_movemask_epi8(none); mask; mask &= mask - 1) {
            if (found == most) return most + 1;
            places[found++] = (uint32_t)(i + (unsigned)_mm_popcnt_u32(~mask & (mask - 1)));
        }
    }
    for (; i < n; i++) {
        symbols[i] = c->symbol_of[v[i]];
        if (symbols[i] != WCODECI_NO_SYMBOL) continue;
        symbols[i] = c->filler[0];
        if (found == most) return most + 1;
        places[found++] = (uint32_t)i;
    }
    return found;
}

/* The same of several classes: see wcodeci_sse41_map_classes. */
WCODECI_AVX2 static size_t wcodeci_avx2_map_classes(const wcodeci_rans16_coder *c, const wcodeci_byte *v,
                                                    wcodeci_byte *symbols, size_t n, uint32_t *places,
                                                    size_t most)
{
    const __m256i top = _mm256_set1_epi8(-128);
    wcodeci_class_finder m;
    __m256i has, bit, filler;
    size_t i, found = 0;
    unsigned k;
    wcodeci_class_finder_make(&m, c);
    has = wcodeci_avx2_twice(m.has);
    bit = wcodeci_avx2_twice(m.bit);
    filler = wcodeci_avx2_twice(m.filler);
    for (i = 0; n - i >= 32; i += 32) {
        const __m256i x = wcodeci_avx2_load(v + i);
        const __m256i q = _mm256_and_si256(wcodeci_avx2_load(c->q + i), _mm256_set1_epi8(3));
        __m256i entry = top, lacks;
        unsigned mask;
        for (k = 0; k < m.windows.count; k++)
            entry = _mm256_xor_si256(entry, wcodeci_avx2_entry(wcodeci_avx2_twice(m.windows.table[k]),
                                     _mm256_sub_epi8(x, _mm256_set1_epi8((char)m.windows.from[k]))));
        lacks = _mm256_cmpeq_epi8(_mm256_and_si256(_mm256_shuffle_epi8(has, entry), _mm256_shuffle_epi8(bit, q)),
                                  _mm256_setzero_si256());
        entry = _mm256_or_si256(entry, _mm256_slli_epi16(q, 4));
        wcodeci_avx2_store(symbols + i, _mm256_blendv_epi8(entry, _mm256_shuffle_epi8(filler, q), lacks));
        for (mask = (unsigned)_mm256_movemask_epi8(lacks); mask; mask &= mask - 1) {
            if (found == most) return most + 1;
            places[found++] = (uint32_t)(i + (unsigned)_mm_popcnt_u32(~mask & (mask - 1)));
        }
    }
    return wcodeci_rans16_map_classes_rest(c, v, symbols, i, n, places, found, most);
}

typedef struct wcodeci_avx2_coder {
    __m256i freq, first, low, high;     /* by symbol; the low and high byte of the reciprocal, as for AVX-512 */
    const wcodeci_byte *slots;
} wcodeci_avx2_coder;

/* slots[x] out of 256: sixteen look-ups, of which the upper bits of x choose.  Bit 7 is a shuffle's zero, so that
 * half of the choice is an OR; the others are moved up to where a blend looks for them. */
WCODECI_AVX2_INLINE __m256i wcodeci_avx2_slots(const wcodeci_byte *slots, __m256i x)
{
    const __m256i upper = _mm256_xor_si256(x, _mm256_set1_epi8(-128));
    const __m256i bit6 = _mm256_add_epi8(x, x), bit5 = _mm256_add_epi8(bit6, bit6);
    const __m256i bit4 = _mm256_add_epi8(bit5, bit5);
    __m256i entry[8];
    unsigned k;
    WCODECI_UNROLL_16
    for (k = 0; k < 8; k++)
        entry[k] = _mm256_or_si256(_mm256_shuffle_epi8(wcodeci_avx2_twice(slots + 16 * k), x),
                                   _mm256_shuffle_epi8(wcodeci_avx2_twice(slots + 16 * k + 128), upper));
    WCODECI_UNROLL_4
    for (k = 0; k < 4; k++) entry[k] = _mm256_blendv_epi8(entry[2 * k], entry[2 * k + 1], bit4);
    entry[0] = _mm256_blendv_epi8(entry[0], entry[1], bit5);
    entry[1] = _mm256_blendv_epi8(entry[2], entry[3], bit5);
    return _mm256_blendv_epi8(entry[0], entry[1], bit6);
}

/* Puts the bytes that `shed` marks below p, in order.  A shuffle gathers those of eight lanes at the upper end of
 * eight bytes, whose others the next ones overwrite.  (PEXT does it without a table, no faster here, and much
 * slower on a first or second Zen.) */
WCODECI_AVX2_INLINE wcodeci_byte *wcodeci_avx2_shed(const wcodeci_byte *bytes, __m256i shed, wcodeci_byte *p)
{
    const unsigned mask = (unsigned)_mm256_movemask_epi8(shed);
    unsigned k;
    WCODECI_UNROLL_4
    for (k = 4; k-- > 0;) {
        const unsigned bits = mask >> 8 * k & 255;
        const __m128i order = _mm_loadl_epi64((const __m128i *)(const void *)wcodeci_shed_of(bits));
        const __m128i x = _mm_loadl_epi64((const __m128i *)(const void *)(bytes + 8 * k));
        _mm_storel_epi64((__m128i *)(void *)(p - 8), _mm_shuffle_epi8(x, order));
        p -= _mm_popcnt_u32(bits);
    }
    return p;
}

/* Divides 32 states by their symbols' frequencies, which come with their reciprocals' low and high bytes; as for
 * AVX-512.  The quotients go to `high`; `low` stays.  Returns the remainders. */
WCODECI_AVX2_INLINE __m256i wcodeci_avx2_divide(__m256i freq, __m256i low_byte, __m256i high_byte,
                                                wcodeci_byte *high, const wcodeci_byte *low, wcodeci_byte **p)
{
    const __m256i even = _mm256_set1_epi16(255), one = _mm256_set1_epi16(1);
    const __m256i h = wcodeci_avx2_load(high), l = wcodeci_avx2_load(low);
    const __m256i shed = _mm256_cmpeq_epi8(_mm256_max_epu8(h, freq), h);
    const __m256i h1 = _mm256_andnot_si256(shed, h), l1 = _mm256_blendv_epi8(l, h, shed);
    const __m256i x0 = _mm256_or_si256(_mm256_slli_epi16(h1, 8), _mm256_and_si256(l1, even));
    const __m256i x1 = _mm256_or_si256(_mm256_srli_epi16(l1, 8), _mm256_andnot_si256(even, h1));
    const __m256i f0 = _mm256_and_si256(freq, even), f1 = _mm256_srli_epi16(freq, 8);
    __m256i q0 = _mm256_mulhi_epu16(x0, _mm256_or_si256(_mm256_and_si256(low_byte, even),
                                                        _mm256_slli_epi16(high_byte, 8)));
    __m256i q1 = _mm256_mulhi_epu16(x1, _mm256_or_si256(_mm256_srli_epi16(low_byte, 8),
                                                        _mm256_andnot_si256(even, high_byte)));
    __m256i r0 = _mm256_sub_epi16(x0, _mm256_mullo_epi16(q0, f0));
    __m256i r1 = _mm256_sub_epi16(x1, _mm256_mullo_epi16(q1, f1));
    const __m256i less0 = _mm256_cmpgt_epi16(f0, r0), less1 = _mm256_cmpgt_epi16(f1, r1);
    q0 = _mm256_add_epi16(q0, _mm256_add_epi16(less0, one));
    q1 = _mm256_add_epi16(q1, _mm256_add_epi16(less1, one));
    r0 = _mm256_sub_epi16(r0, _mm256_andnot_si256(less0, f0));
    r1 = _mm256_sub_epi16(r1, _mm256_andnot_si256(less1, f1));
    *p = wcodeci_avx2_shed(low, shed, *p);
    wcodeci_avx2_store(high, _mm256_or_si256(q0, _mm256_slli_epi16(q1, 8)));
    return _mm256_or_si256(r0, _mm256_slli_epi16(r1, 8));
}

/* Codes 32 symbols on 32 lanes. */
WCODECI_AVX2_INLINE wcodeci_byte *wcodeci_avx2_put_32(const wcodeci_avx2_coder *t, __m256i symbol,
                                                      wcodeci_byte *high, wcodeci_byte *low, wcodeci_byte *p)
{
    const __m256i rest = wcodeci_avx2_divide(_mm256_shuffle_epi8(t->freq, symbol),
                                             _mm256_shuffle_epi8(t->low, symbol),
                                             _mm256_shuffle_epi8(t->high, symbol), high, low, &p);
    const __m256i rank = _mm256_add_epi8(rest, _mm256_shuffle_epi8(t->first, symbol));
    wcodeci_avx2_store(low, wcodeci_avx2_slots(t->slots, rank));
    return p;
}

/* See wcodeci_sse41_put_16_classes. */
WCODECI_AVX2_INLINE wcodeci_byte *wcodeci_avx2_put_32_classes(wcodeci_rans16_coder *c,
                                                              const wcodeci_reciprocals *per, __m256i symbol,
                                                              unsigned lane, uint16_t *at, wcodeci_byte *p)
{
    const __m256i odd = _mm256_and_si256(_mm256_slli_epi16(symbol, 3), _mm256_set1_epi8(-128));
    const __m256i upper = _mm256_slli_epi16(symbol, 2);
    const __m256i rest = wcodeci_avx2_divide(wcodeci_avx2_find(c->freq, symbol, odd, upper),
                                             wcodeci_avx2_find(per->low, symbol, odd, upper),
                                             wcodeci_avx2_find(per->high, symbol, odd, upper),
                                             c->high + lane, c->low + lane, &p);
    const __m256i rank = _mm256_add_epi8(rest, wcodeci_avx2_find(c->first, symbol, odd, upper));
    const __m256i of = _mm256_and_si256(_mm256_srli_epi16(symbol, 4), _mm256_set1_epi8(3));
    wcodeci_avx2_store2((wcodeci_byte *)at, (wcodeci_byte *)(at + 16), _mm256_unpacklo_epi8(rank, of));
    wcodeci_avx2_store2((wcodeci_byte *)(at + 8), (wcodeci_byte *)(at + 24), _mm256_unpackhi_epi8(rank, of));
    return p;
}

WCODECI_AVX2 static wcodeci_byte *wcodeci_avx2_put(wcodeci_rans16_coder *c, const wcodeci_byte *symbols,
                                                       size_t n, wcodeci_byte *p)
{
    wcodeci_avx2_coder t;
    wcodeci_byte low[16], high[16];
    unsigned s, lane;
    for (s = 0; s < 16; s++) {
        const unsigned reciprocal = c->freq[s] < 2 ? 65535u : 65536u / c->freq[s];
        low[s] = (wcodeci_byte)reciprocal;
        high[s] = (wcodeci_byte)(reciprocal >> 8);
    }
    t.freq = wcodeci_avx2_twice(c->freq);
    t.first = wcodeci_avx2_twice(c->first);
    t.low = wcodeci_avx2_twice(low);
    t.high = wcodeci_avx2_twice(high);
    t.slots = c->slots;
    while (n) {
        n -= c->lanes;
        for (lane = c->lanes; lane;) {
            lane -= 32;
            p = wcodeci_avx2_put_32(&t, wcodeci_avx2_load(symbols + n + lane), c->high + lane, c->low + lane,
                                    p);
        }
    }
    return p;
}

WCODECI_AVX2 static wcodeci_byte *wcodeci_avx2_put_classes(wcodeci_rans16_coder *c, const wcodeci_byte *symbols,
                                                           size_t n, wcodeci_byte *p)
{
    wcodeci_reciprocals per;
    uint16_t at[WCODECI_RANS16_LANES];
    unsigned lane;
    wcodeci_reciprocals_make(&per, c);
    while (n) {
        n -= c->lanes;
        for (lane = c->lanes; lane;) {
            lane -= 32;
            p = wcodeci_avx2_put_32_classes(c, &per, wcodeci_avx2_load(symbols + n + lane), lane, at + lane, p);
        }
        wcodeci_class_slots(c->slots, at, c->low, c->lanes);
    }
    return p;
}

static const wcodeci_encode_kernels wcodeci_encode_kernels_avx2 = {
    wcodeci_avx2_split, wcodeci_avx2_residual,
    wcodeci_avx2_fit_row, wcodeci_avx2_fit_most, wcodeci_avx2_fit_sum, wcodeci_avx2_scale_off,
    { wcodeci_avx2_map, wcodeci_avx2_map_classes },
    { wcodeci_avx2_put, wcodeci_avx2_put_classes }
};

#endif
