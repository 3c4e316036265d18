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

/* Takes `groups` times 32 states on by what their slots say: see wcodeci_sse41_advance.  The groups go side by
 * side, stage by stage: see wcodeci_avx512_step. */
WCODECI_AVX2_INLINE void wcodeci_avx2_advance(unsigned groups, const __m256i *freq, const __m256i *rank,
                                              __m256i *high, __m256i *low, const wcodeci_byte **p)
{
    const __m256i evens = _mm256_set1_epi16(255);
    __m256i even[4], odd[4];
    unsigned g;
    WCODECI_UNROLL_4
    for (g = 0; g < groups; g++) {
        even[g] = _mm256_add_epi16(_mm256_mullo_epi16(_mm256_and_si256(high[g], evens),
                                                      _mm256_and_si256(freq[g], evens)),
                                   _mm256_and_si256(rank[g], evens));
        odd[g] = _mm256_add_epi16(_mm256_mulhi_epu16(_mm256_andnot_si256(evens, high[g]),
                                                     _mm256_andnot_si256(evens, freq[g])),
                                  _mm256_srli_epi16(rank[g], 8));
    }
    WCODECI_UNROLL_4
    for (g = 0; g < groups; g++) {
        const __m256i h = _mm256_blendv_epi8(odd[g], _mm256_srli_epi16(even[g], 8), evens);
        const __m256i l = _mm256_blendv_epi8(_mm256_slli_epi16(odd[g], 8), even[g], evens);
        const __m256i refill = _mm256_cmpeq_epi8(h, _mm256_setzero_si256());
        const unsigned mask = (unsigned)_mm256_movemask_epi8(refill);
        high[g] = _mm256_blendv_epi8(h, l, refill);
        low[g] = _mm256_blendv_epi8(l, wcodeci_avx2_expand(mask, *p), refill);
        *p += _mm_popcnt_u32(mask);
    }
}

/* Takes `groups` times 32 lanes one step on, and says their symbols. */
WCODECI_AVX2_INLINE void wcodeci_avx2_step(const wcodeci_avx2_tables *t, unsigned groups, __m256i *high,
                                           __m256i *low, __m256i *symbol, const wcodeci_byte **p)
{
    __m256i rank[4], freq[4];
    unsigned g;
    WCODECI_UNROLL_4
    for (g = 0; g < groups; g++) {
        const __m256i bucket = _mm256_and_si256(_mm256_srli_epi16(low[g], 4), t->nibble);
        const __m256i place = _mm256_and_si256(low[g], t->nibble);
        const __m256i own = _mm256_cmpgt_epi8(_mm256_shuffle_epi8(t->div, bucket), place);
        symbol[g] = _mm256_blendv_epi8(_mm256_shuffle_epi8(t->other, bucket), bucket, own);
        rank[g] = _mm256_add_epi8(place, _mm256_andnot_si256(own, _mm256_shuffle_epi8(t->base, bucket)));
        freq[g] = _mm256_shuffle_epi8(t->freq, symbol[g]);
    }
    wcodeci_avx2_advance(groups, freq, rank, high, low, p);
}

/* See wcodeci_sse41_classes.  Twelve tables and the rest are more than there are registers, so each stays in
 * memory until it is looked up: in r->table, as what lies on the stack is copied about for every look-up. */
WCODECI_AVX2_INLINE const wcodeci_byte *wcodeci_avx2_classes_open(const wcodeci_rans16 *r)
{
    const wcodeci_sse41_classes t = wcodeci_sse41_classes_open(r);
    wcodeci_byte *tables = (wcodeci_byte *)(void *)r->table;
    tables += (64 - ((uintptr_t)tables & 63)) & 63;
    memcpy(tables, &t, sizeof t);
    return tables;
}

/* See wcodeci_sse41_find. */
WCODECI_AVX2_INLINE __m256i wcodeci_avx2_find(const wcodeci_byte *table, __m256i x, __m256i odd, __m256i upper)
{
    const __m256i first = _mm256_or_si256(x, odd), second = _mm256_xor_si256(first, _mm256_set1_epi8(-128));
    const __m256i x0 = _mm256_shuffle_epi8(wcodeci_avx2_wide(wcodeci_sse41_load(table)), first);
    const __m256i x1 = _mm256_shuffle_epi8(wcodeci_avx2_wide(wcodeci_sse41_load(table + 16)), second);
    const __m256i x2 = _mm256_shuffle_epi8(wcodeci_avx2_wide(wcodeci_sse41_load(table + 32)), first);
    const __m256i x3 = _mm256_shuffle_epi8(wcodeci_avx2_wide(wcodeci_sse41_load(table + 48)), second);
    return _mm256_blendv_epi8(_mm256_or_si256(x0, x1), _mm256_or_si256(x2, x3), upper);
}

/* See wcodeci_sse41_classes_step. */
WCODECI_AVX2_INLINE void wcodeci_avx2_classes_step(const wcodeci_byte *tables, unsigned groups,
                                                   const __m256i *q, __m256i *high, __m256i *low,
                                                   __m256i *symbol, const wcodeci_byte **p)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i rank[4], freq[4];
    unsigned g;
    WCODECI_UNROLL_4
    for (g = 0; g < groups; g++) {
        const __m256i odd = _mm256_and_si256(_mm256_slli_epi16(q[g], 7), _mm256_set1_epi8(-128));
        const __m256i bucket = _mm256_and_si256(_mm256_srli_epi16(low[g], 4), nibble);
        const __m256i upper = _mm256_slli_epi16(q[g], 6), place = _mm256_and_si256(low[g], nibble);
        const __m256i entry = wcodeci_avx2_find(tables, bucket, odd, upper);
        const __m256i base = wcodeci_avx2_find(tables + 64, bucket, odd, upper);
        const __m256i own = _mm256_cmpgt_epi8(_mm256_and_si256(entry, nibble), place);
        symbol[g] = _mm256_and_si256(_mm256_srli_epi16(_mm256_blendv_epi8(entry, low[g], own), 4), nibble);
        rank[g] = _mm256_add_epi8(place, _mm256_andnot_si256(own, base));
    }
    WCODECI_UNROLL_4
    for (g = 0; g < groups; g++) {
        const __m256i odd = _mm256_and_si256(_mm256_slli_epi16(q[g], 7), _mm256_set1_epi8(-128));
        freq[g] = wcodeci_avx2_find(tables + 128, symbol[g], odd, _mm256_slli_epi16(q[g], 6));
    }
    wcodeci_avx2_advance(groups, freq, rank, high, low, p);
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

/* (value + (q >> 2)) & 255 */
WCODECI_AVX2_INLINE __m256i wcodeci_avx2_shifted(__m256i value, __m256i q)
{
    return _mm256_add_epi8(value, _mm256_and_si256(_mm256_srli_epi16(q, 2), _mm256_set1_epi8(63)));
}

/* Writes units i ... i+31 of four classes: see wcodeci_sse41_join_scaled. */
WCODECI_AVX2_INLINE void wcodeci_avx2_join_scaled(unsigned split, __m256i value, __m256i q, __m256i rest,
                                                  const wcodeci_byte *const *planes, wcodeci_byte *dst, size_t i)
{
    wcodeci_avx2_first f;
    __m256i v, twice, sign, upper0, upper1, low0, low1, b1, b0;
    if (split == WCODEC_SPLIT_F16) {
        f.high = f.low = _mm256_and_si256(_mm256_add_epi8(value, q), _mm256_set1_epi8(0x7C));
        wcodeci_avx2_join(split, f, rest, planes, dst, i);
        return;
    }
    v = wcodeci_avx2_shifted(value, q);
    twice = _mm256_add_epi8(rest, rest);
    sign = _mm256_cmpgt_epi8(_mm256_setzero_si256(), rest);
    upper0 = _mm256_avg_epu16(_mm256_unpacklo_epi8(twice, v), _mm256_unpacklo_epi8(sign, sign));
    upper1 = _mm256_avg_epu16(_mm256_unpackhi_epi8(twice, v), _mm256_unpackhi_epi8(sign, sign));
    if (split == WCODEC_SPLIT_BF16) {
        wcodeci_avx2_store2(dst + 2 * i, dst + 2 * i + 32, upper0);
        wcodeci_avx2_store2(dst + 2 * i + 16, dst + 2 * i + 48, upper1);
        return;
    }
    b1 = wcodeci_avx2_load(planes[2] + i);
    b0 = wcodeci_avx2_load(planes[3] + i);
    low0 = _mm256_unpacklo_epi8(b0, b1);
    low1 = _mm256_unpackhi_epi8(b0, b1);
    wcodeci_avx2_store2(dst + 4 * i, dst + 4 * i + 64, _mm256_unpacklo_epi16(low0, upper0));
    wcodeci_avx2_store2(dst + 4 * i + 16, dst + 4 * i + 80, _mm256_unpackhi_epi16(low0, upper0));
    wcodeci_avx2_store2(dst + 4 * i + 32, dst + 4 * i + 96, _mm256_unpacklo_epi16(low1, upper1));
    wcodeci_avx2_store2(dst + 4 * i + 48, dst + 4 * i + 112, _mm256_unpackhi_epi16(low1, upper1));
}

/* ---- rANS-16 ---- */

/* See wcodeci_sse41_rounds.  tables: of several classes; NULL with one.  high, low: the states. */
WCODECI_AVX2_INLINE size_t wcodeci_avx2_rounds(wcodeci_rans16 *r, const wcodeci_byte *tables,
                                               unsigned groups, unsigned classes, unsigned split, int packed,
                                               __m256i *high, __m256i *low, const wcodeci_byte *const *planes,
                                               wcodeci_byte *dst, size_t n)
{
    const wcodeci_avx2_tables one = wcodeci_avx2_open(r);
    const __m256i value = wcodeci_avx2_wide(wcodeci_sse41_load(r->value));
    const __m256i mask = _mm256_set1_epi8((char)r->mask);
    const wcodeci_avx2_first by_symbol = classes == 1 || split == WCODEC_SPLIT_F16
        ? wcodeci_avx2_first_of(split, value) : wcodeci_avx2_first_of(WCODEC_SPLIT_COUNT, value);
    const wcodeci_byte *p = r->p, *const limit = r->limit, *const q = r->q, *plane[4] = { NULL, NULL, NULL, NULL };
    const unsigned lanes = r->lanes;
    size_t i = 0, stop = wcodeci_rans16_ahead(p, limit, n, lanes);
    unsigned k, g;
    for (k = 1; split < WCODEC_SPLIT_COUNT && k < wcodeci_splits[split].planes && k < 4; k++)
        plane[k] = planes[k];
    while (i < stop) {
        for (k = 0; i < stop; k = (k + groups) & (lanes / 32 - 1)) {
            __m256i scale[4], symbol[4];
            if (classes > 1) {
                WCODECI_UNROLL_4
                for (g = 0; g < groups; g++) scale[g] = wcodeci_avx2_load(q + i + 32 * g);
                wcodeci_avx2_classes_step(tables, groups, scale, high + k, low + k, symbol, &p);
            } else {
                wcodeci_avx2_step(&one, groups, high + k, low + k, symbol, &p);
            }
            WCODECI_UNROLL_4
            for (g = 0; g < groups; g++, i += 32) {
                const int values = split == WCODEC_SPLIT_COUNT;
                const __m256i rest = values ? value : wcodeci_avx2_rest(split, packed, plane[1], i, g & 1);
                wcodeci_avx2_first f;
                f.high = _mm256_shuffle_epi8(by_symbol.high, symbol[g]);
                f.low = _mm256_shuffle_epi8(by_symbol.low, symbol[g]);
                if (classes > 1 && values)
                    f.high = _mm256_and_si256(wcodeci_avx2_shifted(f.high, scale[g]), mask);
                if (values) wcodeci_avx2_store(dst + i, f.high);
                else if (classes == 1) wcodeci_avx2_join(split, f, rest, plane, dst, i);
                else wcodeci_avx2_join_scaled(split, f.high, scale[g], rest, plane, dst, i);
            }
        }
        stop = i + wcodeci_rans16_ahead(p, limit, n - i, lanes);
    }
    r->p = p;
    return i;
}

/* Four groups side by side are faster than two with four classes, whose steps take longest, but not with one. */
WCODECI_AVX2_INLINE size_t wcodeci_avx2_lanes(wcodeci_rans16 *r, unsigned classes, unsigned split, int packed,
                                              const wcodeci_byte *const *planes, wcodeci_byte *dst, size_t n)
{
    const wcodeci_byte *tables = classes > 1 ? wcodeci_avx2_classes_open(r) : NULL;
    __m256i high[WCODECI_RANS16_LANES / 32], low[WCODECI_RANS16_LANES / 32];
    memcpy(high, r->high, r->lanes);
    memcpy(low, r->low, r->lanes);
    if (classes == 1 || r->lanes == 64)
        n = wcodeci_avx2_rounds(r, tables, 2, classes, split, packed, high, low, planes, dst, n);
    else
        n = wcodeci_avx2_rounds(r, tables, 4, classes, split, packed, high, low, planes, dst, n);
    memcpy(r->high, high, r->lanes);
    memcpy(r->low, low, r->lanes);
    return n;
}

WCODECI_AVX2 static size_t wcodeci_avx2_rans16(wcodeci_rans16 *r, wcodeci_byte *v, size_t n)
{
    return wcodeci_avx2_lanes(r, 1, WCODEC_SPLIT_COUNT, 0, NULL, v, n);
}

WCODECI_AVX2 static size_t wcodeci_avx2_rans16_classes(wcodeci_rans16 *r, wcodeci_byte *v, size_t n)
{
    return wcodeci_avx2_lanes(r, WCODECI_CLASSES, WCODEC_SPLIT_COUNT, 0, NULL, v, n);
}

#define WCODECI_AVX2_UNITS(name, classes, split, packed) \
    WCODECI_AVX2 static size_t wcodeci_avx2_##name(wcodeci_rans16 *r, const wcodeci_byte *const *planes, \
                                                   wcodeci_byte *dst, size_t n) \
    { \
        return wcodeci_avx2_lanes(r, classes, split, packed, planes, dst, n); \
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

/* See wcodeci_sse41_merge_4. */
WCODECI_AVX2_INLINE size_t wcodeci_avx2_merge_4(unsigned split, const wcodeci_byte *const *planes,
                                                wcodeci_byte *dst, size_t n)
{
    const unsigned unit = wcodeci_splits[split].unit, low = unit == 4 || split == WCODEC_SPLIT_BF16 ? 3 : 6;
    const wcodeci_byte *plane[5] = { NULL, NULL, NULL, NULL, NULL };
    const __m256i lower = _mm256_set1_epi8((char)((1 << low) - 1)), sign = _mm256_set1_epi8(-128);
    size_t i;
    memcpy(plane, planes, (unit == 4 ? 5 : 3) * sizeof plane[0]);
    for (i = 0; n - i >= 32; i += 32) {
        const __m256i upper = wcodeci_avx2_load(plane[1] + i), rest = wcodeci_avx2_load(plane[2] + i);
        const __m256i s = _mm256_and_si256(_mm256_slli_epi16(rest, 7 - (int)low), sign);
        const __m256i m = _mm256_or_si256(_mm256_and_si256(rest, lower), _mm256_slli_epi16(upper, (int)low));
        wcodeci_avx2_first f = wcodeci_avx2_first_of(split, wcodeci_avx2_load(plane[0] + i));
        if (split != WCODEC_SPLIT_F16) {
            wcodeci_avx2_join(split, f, _mm256_or_si256(s, m), plane + 1, dst, i);
            continue;
        }
        f.high = _mm256_or_si256(_mm256_or_si256(f.high, s),
                                 _mm256_and_si256(_mm256_srli_epi16(upper, 2), _mm256_set1_epi8(3)));
        f.low = _mm256_and_si256(_mm256_slli_epi16(upper, 6), _mm256_set1_epi8(-64));
        wcodeci_avx2_join16(f.high, _mm256_or_si256(f.low, _mm256_and_si256(rest, lower)), dst + 2 * i);
    }
    return i;
}

#define WCODECI_AVX2_MERGE_4(name, split) \
    WCODECI_AVX2 static size_t wcodeci_avx2_merge_##name(const wcodeci_byte *const *planes, \
                                                         wcodeci_byte *dst, size_t n) \
    { \
        return wcodeci_avx2_merge_4(split, planes, dst, n); \
    }
WCODECI_AVX2_MERGE_4(bf16_4, WCODEC_SPLIT_BF16)
WCODECI_AVX2_MERGE_4(f16_4, WCODEC_SPLIT_F16)
WCODECI_AVX2_MERGE_4(f32_4, WCODEC_SPLIT_F32)

/* ---- scales and classes ---- */

WCODECI_AVX2 static void wcodeci_avx2_scale(const wcodeci_byte *columns, unsigned row, wcodeci_byte *q, size_t n)
{
    const __m256i add = _mm256_set1_epi8((char)row);
    size_t i;
    for (i = 0; n - i >= 32; i += 32)
        wcodeci_avx2_store(q + i, _mm256_add_epi8(wcodeci_avx2_load(columns + i), add));
    wcodeci_scale_scalar(columns + i, row, q + i, n - i);
}

WCODECI_AVX2 static void wcodeci_avx2_classes_of(const wcodeci_class_map *map, const wcodeci_byte *first,
                                                 const wcodeci_byte *q, wcodeci_byte *classes, size_t n)
{
    const __m256i base = _mm256_set1_epi8((char)map->base), mask = _mm256_set1_epi8((char)map->mask);
    const __m256i nibble = _mm256_set1_epi8(15);
    size_t i;
    for (i = 0; n - i >= 32; i += 32) {
        const __m256i scale = q ? wcodeci_avx2_load(q + i) : _mm256_setzero_si256();
        const __m256i p = _mm256_sub_epi8(wcodeci_avx2_load(first + i), wcodeci_avx2_shifted(base, scale));
        const __m256i t = _mm256_min_epu8(_mm256_and_si256(p, mask), nibble);
        const __m256i odd = _mm256_and_si256(_mm256_slli_epi16(scale, 7), _mm256_set1_epi8(-128));
        wcodeci_avx2_store(classes + i, wcodeci_avx2_find(map->class_of, t, odd, _mm256_slli_epi16(scale, 6)));
    }
    wcodeci_classes_scalar(map, first + i, q ? q + i : NULL, classes + i, n - i);
}

/* ---- past the caches ---- */

/* Whole cache lines, for the processor to write without reading them first.  (With the kernels for SSE4.1, which leave
 * memory the time to read them, this gains nothing.)  What follows is asked for because such a store waits where it
 * is the first to a page: a fifth of the time where pieces begin with pages. */
WCODECI_AVX2 static void wcodeci_avx2_stream(wcodeci_byte *dst, const wcodeci_byte *src, size_t n)
{
    const size_t head = wcodeci_min((64 - ((uintptr_t)dst & 63)) & 63, n);
    size_t i;
    wcodeci_prefetch(dst + n);
    memcpy(dst, src, head);
    for (i = head; n - i >= 64; i += 64) {
        __m256i *const line = (__m256i *)(void *)(dst + i);
        _mm256_stream_si256(line, wcodeci_avx2_load(src + i));
        _mm256_stream_si256(line + 1, wcodeci_avx2_load(src + i + 32));
    }
    memcpy(dst + i, src + i, n - i);
}

WCODECI_AVX2 static void wcodeci_avx2_streamed(void) { _mm_sfence(); }

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
      wcodeci_avx2_merge_e5m2, wcodeci_avx2_merge_nibbles, wcodeci_avx2_merge_bf16_4,
      wcodeci_avx2_merge_f16_4, wcodeci_avx2_merge_f32_4 },
    wcodeci_sse41_unpack, wcodeci_sse41_unpredict, wcodeci_avx2_scale, wcodeci_avx2_classes_of,
    wcodeci_avx2_stream, wcodeci_avx2_streamed
};

#endif
