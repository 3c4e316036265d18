/* ------------------------------------------------------------------------------------------------
 * Kernels for AVX2 (private): 32 values at a time
 * The same as those for SSE4.1, but for the two halves of a vector, which most instructions keep apart.
 * ---------------------------------------------------------------------------------------------- */
#if WCODECI_X86

#define WCODECI_AVX2 WCODECI_TARGET("avx2,bmi,bmi2,popcnt")
#define WCODECI_AVX2_INLINE WCODECI_AVX2 WCODECI_INLINE

WCODECI_AVX2_INLINE __m256i wcodeci_avx2_load(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

WCODECI_AVX2_INLINE void wcodeci_avx2_store(void *p, __m256i x) { _mm256_storeu_si256((__m256i *)p, x); }

WCODECI_AVX2_INLINE __m256i wcodeci_avx2_wide(__m128i x) { return _mm256_broadcastsi128_si256(x); }

WCODECI_AVX2_INLINE __m256i wcodeci_avx2_both(__m128i low, __m128i high)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

/* Stores the two halves apart. */
WCODECI_AVX2_INLINE void wcodeci_avx2_store2(wcodeci_byte *p, wcodeci_byte *q, __m256i x)
{
    wcodeci_sse41_store(p, _mm256_castsi256_si128(x));
    wcodeci_sse41_store(q, _mm256_extracti128_si256(x, 1));
}

typedef struct wcodeci_avx2_tables {
    __m256i div, other, base, freq;
    __m256i nibble;                     /* 15 in each byte */
} wcodeci_avx2_tables;

WCODECI_AVX2_INLINE wcodeci_avx2_tables wcodeci_avx2_open(const wcodeci_rans16 *r)
{
    wcodeci_avx2_tables t;
    t.div = wcodeci_avx2_wide(wcodeci_sse41_load(r->div));
    t.other = wcodeci_avx2_wide(wcodeci_sse41_load(r->other));
    t.base = wcodeci_avx2_wide(wcodeci_sse41_load(r->base));
    t.freq = wcodeci_avx2_wide(wcodeci_sse41_load(r->freq));
    t.nibble = _mm256_set1_epi8(15);
    return t;
}

/* Bytes from p on, spread over the places of the mask's bits; what stands at the others is not defined. */
WCODECI_AVX2_INLINE __m256i wcodeci_avx2_expand(unsigned mask, const wcodeci_byte *p)
{
    const __m256i low = wcodeci_avx2_both(wcodeci_sse41_load(&wcodeci_expand[mask & 255][1]),
                                          wcodeci_sse41_load(&wcodeci_expand[mask >> 16 & 255][1]));
    const __m256i high = wcodeci_avx2_both(wcodeci_sse41_load(wcodeci_expand[mask >> 8 & 255]),
                                           wcodeci_sse41_load(wcodeci_expand[mask >> 24]));
    const wcodeci_byte *q = p + _mm_popcnt_u32(mask & 0xFFFF);
    const __m256i bytes = wcodeci_avx2_both(wcodeci_sse41_load(p), wcodeci_sse41_load(q));
    return _mm256_shuffle_epi8(bytes, _mm256_add_epi8(low, high));
}

/* Takes 32 states on by what their slots say: see wcodeci_sse41_advance. */
WCODECI_AVX2_INLINE void wcodeci_avx2_advance(__m256i freq, __m256i rank, __m256i *high, __m256i *low,
                                              const wcodeci_byte **p)
{
    const __m256i evens = _mm256_set1_epi16(255);
    const __m256i even = _mm256_add_epi16(_mm256_mullo_epi16(_mm256_and_si256(*high, evens),
                                                             _mm256_and_si256(freq, evens)),
                                          _mm256_and_si256(rank, evens));
    const __m256i odd = _mm256_add_epi16(_mm256_mulhi_epu16(_mm256_andnot_si256(evens, *high),
                                                            _mm256_andnot_si256(evens, freq)),
                                         _mm256_srli_epi16(rank, 8));
    const __m256i h = _mm256_blendv_epi8(odd, _mm256_srli_epi16(even, 8), evens);
    const __m256i l = _mm256_blendv_epi8(_mm256_slli_epi16(odd, 8), even, evens);
    const __m256i refill = _mm256_cmpeq_epi8(h, _mm256_setzero_si256());
    const unsigned mask = (unsigned)_mm256_movemask_epi8(refill);
    *high = _mm256_blendv_epi8(h, l, refill);
    *low = _mm256_blendv_epi8(l, wcodeci_avx2_expand(mask, *p), refill);
    *p += _mm_popcnt_u32(mask);
}

/* Takes 32 lanes one step on and returns their symbols. */
WCODECI_AVX2_INLINE __m256i wcodeci_avx2_step(const wcodeci_avx2_tables *t, __m256i *high, __m256i *low,
                                              const wcodeci_byte **p)
{
    const __m256i bucket = _mm256_and_si256(_mm256_srli_epi16(*low, 4), t->nibble);
    const __m256i place = _mm256_and_si256(*low, t->nibble);
    const __m256i own = _mm256_cmpgt_epi8(_mm256_shuffle_epi8(t->div, bucket), place);
    const __m256i symbol = _mm256_blendv_epi8(_mm256_shuffle_epi8(t->other, bucket), bucket, own);
    const __m256i rank = _mm256_add_epi8(place, _mm256_andnot_si256(own,
                                                                    _mm256_shuffle_epi8(t->base, bucket)));
    wcodeci_avx2_advance(_mm256_shuffle_epi8(t->freq, symbol), rank, high, low, p);
    return symbol;
}

/* See wcodeci_sse41_classes. */
typedef struct wcodeci_avx2_classes {
    __m256i bucket[WCODECI_CLASSES], base[WCODECI_CLASSES], freq[WCODECI_CLASSES];
} wcodeci_avx2_classes;

WCODECI_AVX2_INLINE wcodeci_avx2_classes wcodeci_avx2_classes_open(const wcodeci_rans16 *r)
{
    wcodeci_avx2_classes t;
    unsigned c;
    for (c = 0; c < WCODECI_CLASSES; c++) {
        const __m256i div = wcodeci_avx2_wide(wcodeci_sse41_load(r->div + 16 * c));
        const __m256i whole = _mm256_cmpeq_epi8(div, _mm256_set1_epi8(16));
        t.bucket[c] = _mm256_or_si256(_mm256_slli_epi16(_mm256_andnot_si256(whole, div), 4),
                                      wcodeci_avx2_wide(wcodeci_sse41_load(r->other + 16 * c)));
        t.base[c] = _mm256_andnot_si256(whole, wcodeci_avx2_wide(wcodeci_sse41_load(r->base + 16 * c)));
        t.freq[c] = wcodeci_avx2_wide(wcodeci_sse41_load(r->freq + 16 * c));
    }
    return t;
}

WCODECI_AVX2_INLINE __m256i wcodeci_avx2_find(const __m256i *table, __m256i x, __m256i odd, __m256i upper)
{
    const __m256i first = _mm256_or_si256(x, odd), second = _mm256_xor_si256(first, _mm256_set1_epi8(-128));
    return _mm256_blendv_epi8(
        _mm256_or_si256(_mm256_shuffle_epi8(table[0], first), _mm256_shuffle_epi8(table[1], second)),
        _mm256_or_si256(_mm256_shuffle_epi8(table[2], first), _mm256_shuffle_epi8(table[3], second)), upper);
}

/* See wcodeci_sse41_classes_step. */
WCODECI_AVX2_INLINE __m256i wcodeci_avx2_classes_step(const wcodeci_avx2_classes *t, __m256i q, __m256i *high,
                                                      __m256i *low, const wcodeci_byte **p)
{
    const __m256i nibble = _mm256_set1_epi8(15), upper = _mm256_slli_epi16(q, 6);
    const __m256i odd = _mm256_and_si256(_mm256_slli_epi16(q, 7), _mm256_set1_epi8(-128));
    const __m256i bucket = _mm256_and_si256(_mm256_srli_epi16(*low, 4), nibble);
    const __m256i entry = wcodeci_avx2_find(t->bucket, bucket, odd, upper);
    const __m256i base = wcodeci_avx2_find(t->base, bucket, odd, upper);
    const __m256i above = _mm256_or_si256(_mm256_slli_epi16(*low, 4), nibble);
    const __m256i other = _mm256_cmpeq_epi8(_mm256_max_epu8(entry, above), above);
    const __m256i symbol = _mm256_and_si256(_mm256_blendv_epi8(bucket, entry, other), nibble);
    const __m256i rank = _mm256_add_epi8(_mm256_and_si256(*low, nibble), _mm256_and_si256(other, base));
    wcodeci_avx2_advance(wcodeci_avx2_find(t->freq, symbol, odd, upper), rank, high, low, p);
    return symbol;
}

/* ---- what becomes of 32 values ---- */

typedef struct wcodeci_avx2_first {
    __m256i high, low;
} wcodeci_avx2_first;

WCODECI_AVX2_INLINE wcodeci_avx2_first wcodeci_avx2_first_of(unsigned split, __m256i v)
{
    wcodeci_avx2_first f;
    f.high = f.low = v;
    switch (split) {
    case WCODEC_SPLIT_BF16:
    case WCODEC_SPLIT_F32:
        f.high = _mm256_and_si256(_mm256_srli_epi16(v, 1), _mm256_set1_epi8(127));
        f.low = _mm256_andnot_si256(_mm256_set1_epi8(127), _mm256_slli_epi16(v, 7));
        break;
    case WCODEC_SPLIT_F16:
    case WCODEC_SPLIT_F8_E5M2: f.high = _mm256_slli_epi16(v, 2); break;
    case WCODEC_SPLIT_F8_E4M3: f.high = _mm256_slli_epi16(v, 3); break;
    case WCODEC_SPLIT_NIBBLES: f.high = _mm256_slli_epi16(v, 4); break;
    default: break;
    }
    return f;
}

/* See wcodeci_sse41_shifted. */
WCODECI_AVX2_INLINE wcodeci_avx2_first wcodeci_avx2_shifted(unsigned split, __m256i value, __m256i q, __m256i mask)
{
    wcodeci_avx2_first f;
    if (split == WCODEC_SPLIT_F16) {
        f.high = f.low = _mm256_and_si256(_mm256_add_epi8(value, q), _mm256_set1_epi8(0x7C));
        return f;
    }
    f.high = _mm256_add_epi8(value, _mm256_and_si256(_mm256_srli_epi16(q, 2), _mm256_set1_epi8(63)));
    if (split == WCODEC_SPLIT_COUNT) f.high = _mm256_and_si256(f.high, mask);
    return wcodeci_avx2_first_of(split, f.high);
}

/* Values 32 half ... 32 half + 31 of a group of a raw plane of less than 8 bits. */
WCODECI_AVX2_INLINE __m256i wcodeci_avx2_unpack32(const wcodeci_byte *group, unsigned width, unsigned half)
{
    const int shift = 4 * (int)half;
    __m256i v = _mm256_setzero_si256(), part;
    if (width & 4) {
        v = _mm256_and_si256(_mm256_srli_epi16(wcodeci_avx2_load(group), shift), _mm256_set1_epi8(15));
        group += 32;
    }
    if (width & 2) {
        part = _mm256_srlv_epi64(wcodeci_avx2_wide(wcodeci_sse41_load(group)),
                                 _mm256_setr_epi64x(shift, shift, shift + 2, shift + 2));
        v = _mm256_or_si256(_mm256_slli_epi16(v, 2), _mm256_and_si256(part, _mm256_set1_epi8(3)));
        group += 16;
    }
    if (width & 1) {
        part = _mm256_srlv_epi64(_mm256_set1_epi64x((long long)wcodeci_load64(group)),
                                 _mm256_setr_epi64x(shift, shift + 1, shift + 2, shift + 3));
        v = _mm256_or_si256(_mm256_add_epi8(v, v), _mm256_and_si256(part, _mm256_set1_epi8(1)));
    }
    return v;
}

WCODECI_AVX2_INLINE __m256i wcodeci_avx2_rest(unsigned split, int packed, const wcodeci_byte *plane, size_t i,
                                              unsigned half)
{
    const unsigned width = wcodeci_splits[split].plane[1].width;
    return packed ? wcodeci_avx2_unpack32(plane + i / 64 * 8 * width, width, half)
                  : wcodeci_avx2_load(plane + i);
}

/* 32 units of 16 bits out of their bytes. */
WCODECI_AVX2_INLINE void wcodeci_avx2_join16(__m256i high, __m256i low, wcodeci_byte *dst)
{
    wcodeci_avx2_store2(dst, dst + 32, _mm256_unpacklo_epi8(low, high));
    wcodeci_avx2_store2(dst + 16, dst + 48, _mm256_unpackhi_epi8(low, high));
}

/* 32 units of 32 bits out of their bytes. */
WCODECI_AVX2_INLINE void wcodeci_avx2_join32(__m256i b3, __m256i b2, __m256i b1, __m256i b0,
                                             wcodeci_byte *dst)
{
    const __m256i low0 = _mm256_unpacklo_epi8(b0, b1), low1 = _mm256_unpackhi_epi8(b0, b1);
    const __m256i high0 = _mm256_unpacklo_epi8(b2, b3), high1 = _mm256_unpackhi_epi8(b2, b3);
    wcodeci_avx2_store2(dst, dst + 64, _mm256_unpacklo_epi16(low0, high0));
    wcodeci_avx2_store2(dst + 16, dst + 80, _mm256_unpackhi_epi16(low0, high0));
    wcodeci_avx2_store2(dst + 32, dst + 96, _mm256_unpacklo_epi16(low1, high1));
    wcodeci_avx2_store2(dst + 48, dst + 112, _mm256_unpackhi_epi16(low1, high1));
}

/* Writes units i ... i+31: see wcodeci_sse41_join. */
WCODECI_AVX2_INLINE void wcodeci_avx2_join(unsigned split, wcodeci_avx2_first f, __m256i rest,
                                          const wcodeci_byte *const *planes, wcodeci_byte *dst, size_t i)
{
    const __m256i seven = _mm256_set1_epi8(127);
    switch (split) {
    case WCODEC_SPLIT_BF16:
    case WCODEC_SPLIT_F32:
        f.high = _mm256_or_si256(f.high, _mm256_andnot_si256(seven, rest));
        f.low = _mm256_or_si256(f.low, _mm256_and_si256(seven, rest));
        if (split == WCODEC_SPLIT_BF16)
            wcodeci_avx2_join16(f.high, f.low, dst + 2 * i);
        else
            wcodeci_avx2_join32(f.high, f.low, wcodeci_avx2_load(planes[2] + i),
                               wcodeci_avx2_load(planes[3] + i), dst + 4 * i);
        break;
    case WCODEC_SPLIT_F16:
        rest = _mm256_shuffle_epi8(wcodeci_avx2_wide(wcodeci_sse41_second(split)), rest);
        wcodeci_avx2_join16(_mm256_or_si256(f.high, rest), wcodeci_avx2_load(planes[2] + i), dst + 2 * i);
        break;
    case WCODEC_SPLIT_WORD16: wcodeci_avx2_join16(f.high, rest, dst + 2 * i); break;
    case WCODEC_SPLIT_WORD32:
        wcodeci_avx2_join32(f.high, rest, wcodeci_avx2_load(planes[2] + i), wcodeci_avx2_load(planes[3] + i),
                           dst + 4 * i);
        break;
    case WCODEC_SPLIT_NIBBLES: wcodeci_avx2_store(dst + i, _mm256_or_si256(f.high, rest)); break;
    default:
        rest = _mm256_shuffle_epi8(wcodeci_avx2_wide(wcodeci_sse41_second(split)), rest);
        wcodeci_avx2_store(dst + i, _mm256_or_si256(f.high, rest));
        break;
    }
}

/* ---- rANS-16 ---- */

/* See wcodeci_sse41_rounds. */
WCODECI_AVX2_INLINE size_t wcodeci_avx2_rounds(wcodeci_rans16 *r, unsigned classes, unsigned split, int packed,
                                               const wcodeci_byte *const *planes, wcodeci_byte *dst, size_t n)
{
    const wcodeci_avx2_tables one = wcodeci_avx2_open(r);
    const wcodeci_avx2_classes several = wcodeci_avx2_classes_open(r);
    const __m256i value = wcodeci_avx2_wide(wcodeci_sse41_load(r->value));
    const __m256i mask = _mm256_set1_epi8((char)r->mask);
    const wcodeci_avx2_first by_symbol = wcodeci_avx2_first_of(split, value);
    const wcodeci_byte *p = r->p, *const limit = r->limit, *const q = r->q, *plane[4] = { NULL, NULL, NULL, NULL };
    const unsigned lanes = r->lanes;
    __m256i high[WCODECI_RANS16_LANES / 32], low[WCODECI_RANS16_LANES / 32];
    size_t i = 0, stop = wcodeci_rans16_ahead(p, limit, n, lanes);
    unsigned k, half;
    for (k = 1; split < WCODEC_SPLIT_COUNT && k < wcodeci_splits[split].planes && k < 4; k++)
        plane[k] = planes[k];
    memcpy(high, r->high, lanes);
    memcpy(low, r->low, lanes);
    while (i < stop) {
        for (k = 0; i < stop; k = (k + 2) & (lanes / 32 - 1)) {
            WCODECI_UNROLL_4
            for (half = 0; half < 2; half++, i += 32) {
                __m256i *const h = &high[k + half], *const l = &low[k + half], symbol, rest;
                wcodeci_avx2_first f;
                if (classes == 1) {
                    symbol = wcodeci_avx2_step(&one, h, l, &p);
                    f.high = _mm256_shuffle_epi8(by_symbol.high, symbol);
                    f.low = _mm256_shuffle_epi8(by_symbol.low, symbol);
                } else {
                    const __m256i scale = wcodeci_avx2_load(q + i);
                    symbol = wcodeci_avx2_classes_step(&several, scale, h, l, &p);
                    symbol = _mm256_shuffle_epi8(split == WCODEC_SPLIT_F16 ? by_symbol.high : value, symbol);
                    f = wcodeci_avx2_shifted(split, symbol, scale, mask);
                }
                if (split == WCODEC_SPLIT_COUNT) {
                    wcodeci_avx2_store(dst + i, f.high);
                } else {
                    rest = wcodeci_avx2_rest(split, packed, plane[1], i, half);
                    wcodeci_avx2_join(split, f, rest, plane, dst, i);
                }
            }
        }
        stop = i + wcodeci_rans16_ahead(p, limit, n - i, lanes);
    }
    memcpy(r->high, high, lanes);
    memcpy(r->low, low, lanes);
    r->p = p;
    return i;
}

WCODECI_AVX2 static size_t wcodeci_avx2_rans16(wcodeci_rans16 *r, wcodeci_byte *v, size_t n)
{
    return wcodeci_avx2_rounds(r, 1, WCODEC_SPLIT_COUNT, 0, NULL, v, n);
}

WCODECI_AVX2 static size_t wcodeci_avx2_rans16_classes(wcodeci_rans16 *r, wcodeci_byte *v, size_t n)
{
    return wcodeci_avx2_rounds(r, WCODECI_CLASSES, WCODEC_SPLIT_COUNT, 0, NULL, v, n);
}

#define WCODECI_AVX2_UNITS(name, classes, split, packed) \
    WCODECI_AVX2 static size_t wcodeci_avx2_##name(wcodeci_rans16 *r, const wcodeci_byte *const *planes, \
                                                   wcodeci_byte *dst, size_t n) \
    { \
        return wcodeci_avx2_rounds(r, classes, split, packed, planes, dst, n); \
    }
WCODECI_AVX2_UNITS(bf16, 1, WCODEC_SPLIT_BF16, 0)
WCODECI_AVX2_UNITS(f16, 1, WCODEC_SPLIT_F16, 0)
WCODECI_AVX2_UNITS(f16_packed, 1, WCODEC_SPLIT_F16, 1)
WCODECI_AVX2_UNITS(f32, 1, WCODEC_SPLIT_F32, 0)
WCODECI_AVX2_UNITS(e4m3, 1, WCODEC_SPLIT_F8_E4M3, 0)
WCODECI_AVX2_UNITS(e4m3_packed, 1, WCODEC_SPLIT_F8_E4M3, 1)
WCODECI_AVX2_UNITS(e5m2, 1, WCODEC_SPLIT_F8_E5M2, 0)
WCODECI_AVX2_UNITS(e5m2_packed, 1, WCODEC_SPLIT_F8_E5M2, 1)
WCODECI_AVX2_UNITS(nibbles, 1, WCODEC_SPLIT_NIBBLES, 0)
WCODECI_AVX2_UNITS(nibbles_packed, 1, WCODEC_SPLIT_NIBBLES, 1)
WCODECI_AVX2_UNITS(bf16_classes, WCODECI_CLASSES, WCODEC_SPLIT_BF16, 0)
WCODECI_AVX2_UNITS(f16_classes, WCODECI_CLASSES, WCODEC_SPLIT_F16, 0)
WCODECI_AVX2_UNITS(f16_classes_packed, WCODECI_CLASSES, WCODEC_SPLIT_F16, 1)
WCODECI_AVX2_UNITS(f32_classes, WCODECI_CLASSES, WCODEC_SPLIT_F32, 0)

/* ---- rANS-256 ---- */

/* The table's entries for the slots of eight states.  A gather is slower, on some processors by far. */
WCODECI_AVX2_INLINE __m256i wcodeci_avx2_entries(const uint32_t *table, __m256i state)
{
    return wcodeci_avx2_both(wcodeci_sse41_entries(table, _mm256_castsi256_si128(state)),
                             wcodeci_sse41_entries(table, _mm256_extracti128_si256(state, 1)));
}

/* Takes 8 lanes one step on and returns their values. */
WCODECI_AVX2_INLINE __m256i wcodeci_avx2_rans256_step(const uint32_t *table, __m256i *state,
                                                      const wcodeci_byte **p)
{
    const __m256i e = wcodeci_avx2_entries(table, *state);
    const __m256i freq = _mm256_and_si256(_mm256_srli_epi32(e, 8), _mm256_set1_epi32(WCODECI_RANS256_SLOTS));
    const __m256i above = _mm256_srli_epi32(*state, WCODECI_RANS256_BITS);
    const __m256i x = _mm256_add_epi32(_mm256_mullo_epi32(freq, above), _mm256_srli_epi32(e, 20));
    const __m256i refill = _mm256_cmpeq_epi32(_mm256_srli_epi32(x, 16), _mm256_setzero_si256());
    const unsigned mask = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(refill));
    const __m128i places = _mm_loadl_epi64((const __m128i *)(const void *)&wcodeci_expand[mask][1]);
    const __m256i words = _mm256_permutevar8x32_epi32(_mm256_cvtepu16_epi32(wcodeci_sse41_load(*p)),
                                                      _mm256_cvtepu8_epi32(places));
    *state = _mm256_blendv_epi8(x, _mm256_or_si256(_mm256_slli_epi32(x, 16), words), refill);
    *p += 2 * _mm_popcnt_u32(mask);
    return _mm256_and_si256(e, _mm256_set1_epi32(255));
}

WCODECI_AVX2 static size_t wcodeci_avx2_rans256(uint32_t state[32], const uint32_t *table,
                                                const wcodeci_byte **src, const wcodeci_byte *end,
                                                wcodeci_byte *v, size_t n)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);    /* packing keeps the halves apart */
    const wcodeci_byte *p = *src;
    __m256i x[WCODECI_RANS256_LANES / 8], value[4];
    size_t i;
    unsigned k;
    memcpy(x, state, sizeof x);
    for (i = 0; n - i >= WCODECI_RANS256_LANES && end - p >= 2 * WCODECI_RANS256_LANES; i += 32) {
        __m256i all;
        WCODECI_UNROLL_4
        for (k = 0; k < 4; k++) value[k] = wcodeci_avx2_rans256_step(table, &x[k], &p);
        all = _mm256_packus_epi16(_mm256_packus_epi32(value[0], value[1]),
                                  _mm256_packus_epi32(value[2], value[3]));
        wcodeci_avx2_store(v + i, _mm256_permutevar8x32_epi32(all, order));
    }
    memcpy(state, x, sizeof x);
    *src = p;
    return i;
}

/* ---- merging, unpacking, predictors ---- */

#define WCODECI_AVX2_MERGE(name, split) \
    WCODECI_AVX2 static size_t wcodeci_avx2_merge_##name(const wcodeci_byte *const *planes, \
                                                         wcodeci_byte *dst, size_t n) \
    { \
        const wcodeci_byte *plane[4] = { NULL, NULL, NULL, NULL }; \
        size_t i; \
        memcpy(plane, planes, wcodeci_splits[split].planes * sizeof plane[0]); \
        for (i = 0; n - i >= 32; i += 32) \
            wcodeci_avx2_join(split, wcodeci_avx2_first_of(split, wcodeci_avx2_load(plane[0] + i)), \
                             wcodeci_avx2_load(plane[1] + i), plane, dst, i); \
        return i; \
    }
WCODECI_AVX2_MERGE(word16, WCODEC_SPLIT_WORD16)
WCODECI_AVX2_MERGE(word32, WCODEC_SPLIT_WORD32)
WCODECI_AVX2_MERGE(bf16, WCODEC_SPLIT_BF16)
WCODECI_AVX2_MERGE(f16, WCODEC_SPLIT_F16)
WCODECI_AVX2_MERGE(f32, WCODEC_SPLIT_F32)
WCODECI_AVX2_MERGE(e4m3, WCODEC_SPLIT_F8_E4M3)
WCODECI_AVX2_MERGE(e5m2, WCODEC_SPLIT_F8_E5M2)
WCODECI_AVX2_MERGE(nibbles, WCODEC_SPLIT_NIBBLES)

/* ---- scales and classes ---- */

WCODECI_AVX2 static void wcodeci_avx2_scale(const wcodeci_byte *columns, unsigned row, wcodeci_byte *q, size_t n)
{
    const __m256i add = _mm256_set1_epi8((char)row);
    size_t i;
    for (i = 0; n - i >= 32; i += 32)
        wcodeci_avx2_store(q + i, _mm256_add_epi8(wcodeci_avx2_load(columns + i), add));
    wcodeci_scale_scalar(columns + i, row, q + i, n - i);
}

WCODECI_AVX2 static void wcodeci_avx2_map16(const wcodeci_byte map[16], const wcodeci_byte *v, wcodeci_byte *q,
                                            size_t n)
{
    const __m256i table = wcodeci_avx2_wide(wcodeci_sse41_load(map));
    size_t i;
    for (i = 0; n - i >= 32; i += 32)
        wcodeci_avx2_store(q + i, _mm256_shuffle_epi8(table, wcodeci_avx2_load(v + i)));
    wcodeci_map16_scalar(map, v + i, q + i, n - i);
}

static const wcodeci_kernels wcodeci_kernels_avx2 = {
    "avx2", { wcodeci_avx2_rans16, wcodeci_avx2_rans16_classes },
    { { NULL, NULL, NULL, NULL, wcodeci_avx2_bf16, wcodeci_avx2_f16, wcodeci_avx2_f32, NULL,
      wcodeci_avx2_e4m3, wcodeci_avx2_e5m2, wcodeci_avx2_nibbles },
      { NULL, NULL, NULL, NULL, wcodeci_avx2_bf16_classes, wcodeci_avx2_f16_classes, wcodeci_avx2_f32_classes,
        NULL, NULL, NULL, NULL } },
    { { NULL, NULL, NULL, NULL, NULL, wcodeci_avx2_f16_packed, NULL, NULL,
      wcodeci_avx2_e4m3_packed, wcodeci_avx2_e5m2_packed, wcodeci_avx2_nibbles_packed },
      { NULL, NULL, NULL, NULL, NULL, wcodeci_avx2_f16_classes_packed, NULL, NULL, NULL, NULL, NULL } },
    wcodeci_avx2_rans256,
    { NULL, wcodeci_avx2_merge_word16, wcodeci_avx2_merge_word32, NULL, wcodeci_avx2_merge_bf16,
      wcodeci_avx2_merge_f16, wcodeci_avx2_merge_f32, NULL, wcodeci_avx2_merge_e4m3,
      wcodeci_avx2_merge_e5m2, wcodeci_avx2_merge_nibbles },
    wcodeci_sse41_unpack, wcodeci_sse41_unpredict, wcodeci_avx2_scale, wcodeci_avx2_map16
};

#endif
