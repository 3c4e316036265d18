/* ------------------------------------------------------------------------------------------------
 * Kernels for SSSE3 and SSE4.1 (private): 16 values at a time
 * The AVX2 kernels use the table and some of the functions.
 * ---------------------------------------------------------------------------------------------- */
#if WCODECI_X86

#define WCODECI_SSE41 WCODECI_TARGET("ssse3,sse4.1,popcnt")
#define WCODECI_SSE41_INLINE WCODECI_SSE41 WCODECI_INLINE

/* Shuffle indices that spread bytes over the places of a mask's bits.  By 8 bits of a mask: 0; at each bit
 * that is set, how many below it are; how many are in all, in each byte.  16 bytes from the second word of
 * the lower 8 bits' entry, plus 16 bytes from the first word of the upper 8 bits' one, serve 16 places.
 * SPREAD turns a mask's bits into bytes of 0 or 1; their product with ones holds the sums up to each byte. */
#define WCODECI_BYTES(x) ((uint64_t)(x) * 0x0101010101010101u)
#define WCODECI_SPREAD(m) \
    ((((WCODECI_BYTES(m) & 0x8040201008040201u) + 0x00406070787C7E7Fu) >> 7) & WCODECI_BYTES(1))
#define WCODECI_EXPAND_ENTRY(s) \
    { 0, (WCODECI_BYTES(s) - (s)) & (s) * 255, WCODECI_BYTES(WCODECI_BYTES(s) >> 56) }
#define WCODECI_EXPAND_1(m) WCODECI_EXPAND_ENTRY(WCODECI_SPREAD(m))
#define WCODECI_EXPAND_4(m) \
    WCODECI_EXPAND_1(m), WCODECI_EXPAND_1((m) + 1), WCODECI_EXPAND_1((m) + 2), WCODECI_EXPAND_1((m) + 3)
#define WCODECI_EXPAND_16(m) \
    WCODECI_EXPAND_4(m), WCODECI_EXPAND_4((m) + 4), WCODECI_EXPAND_4((m) + 8), WCODECI_EXPAND_4((m) + 12)
#define WCODECI_EXPAND_64(m) \
    WCODECI_EXPAND_16(m), WCODECI_EXPAND_16((m) + 16), \
    WCODECI_EXPAND_16((m) + 32), WCODECI_EXPAND_16((m) + 48)

static const uint64_t wcodeci_expand[256][3] = {
    WCODECI_EXPAND_64(0), WCODECI_EXPAND_64(64), WCODECI_EXPAND_64(128), WCODECI_EXPAND_64(192)
};

WCODECI_SSE41_INLINE __m128i wcodeci_sse41_load(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

WCODECI_SSE41_INLINE void wcodeci_sse41_store(void *p, __m128i x) { _mm_storeu_si128((__m128i *)p, x); }

typedef struct wcodeci_sse41_tables {
    __m128i div, other, base, freq;
    __m128i nibble;                     /* 15 in each byte */
} wcodeci_sse41_tables;

WCODECI_SSE41_INLINE wcodeci_sse41_tables wcodeci_sse41_open(const wcodeci_rans16 *r)
{
    wcodeci_sse41_tables t;
    t.div = wcodeci_sse41_load(r->div);
    t.other = wcodeci_sse41_load(r->other);
    t.base = wcodeci_sse41_load(r->base);
    t.freq = wcodeci_sse41_load(r->freq);
    t.nibble = _mm_set1_epi8(15);
    return t;
}

/* Bytes from p on, spread over the places of the mask's bits; what stands at the others is not defined. */
WCODECI_SSE41_INLINE __m128i wcodeci_sse41_expand(unsigned mask, const wcodeci_byte *p)
{
    const __m128i low = wcodeci_sse41_load(&wcodeci_expand[mask & 255][1]);
    const __m128i high = wcodeci_sse41_load(wcodeci_expand[mask >> 8]);
    return _mm_shuffle_epi8(wcodeci_sse41_load(p), _mm_add_epi8(low, high));
}

/* Takes 16 states on by what their slots say.  The product of a frequency and a state's high byte takes 16 bits,
 * so even and odd lanes are multiplied apart (odd ones 256 times as large each, for the upper half of their
 * product), and the bytes of what comes sorted into high and low again. */
WCODECI_SSE41_INLINE void wcodeci_sse41_advance(__m128i freq, __m128i rank, __m128i *high, __m128i *low,
                                                const wcodeci_byte **p)
{
    const __m128i evens = _mm_set1_epi16(255);
    const __m128i even = _mm_add_epi16(_mm_mullo_epi16(_mm_and_si128(*high, evens), _mm_and_si128(freq, evens)),
                                       _mm_and_si128(rank, evens));
    const __m128i odd = _mm_add_epi16(_mm_mulhi_epu16(_mm_andnot_si128(evens, *high),
                                                      _mm_andnot_si128(evens, freq)),
                                      _mm_srli_epi16(rank, 8));
    const __m128i h = _mm_or_si128(_mm_srli_epi16(even, 8), _mm_andnot_si128(evens, odd));
    const __m128i l = _mm_or_si128(_mm_and_si128(even, evens), _mm_slli_epi16(odd, 8));
    const __m128i refill = _mm_cmpeq_epi8(h, _mm_setzero_si128());
    const unsigned mask = (unsigned)_mm_movemask_epi8(refill);
    *high = _mm_blendv_epi8(h, l, refill);
    *low = _mm_blendv_epi8(l, wcodeci_sse41_expand(mask, *p), refill);
    *p += _mm_popcnt_u32(mask);
}

/* Takes 16 lanes one step on and returns their symbols. */
WCODECI_SSE41_INLINE __m128i wcodeci_sse41_step(const wcodeci_sse41_tables *t, __m128i *high, __m128i *low,
                                                const wcodeci_byte **p)
{
    const __m128i bucket = _mm_and_si128(_mm_srli_epi16(*low, 4), t->nibble);
    const __m128i place = _mm_and_si128(*low, t->nibble);
    const __m128i own = _mm_cmpgt_epi8(_mm_shuffle_epi8(t->div, bucket), place);
    const __m128i symbol = _mm_blendv_epi8(_mm_shuffle_epi8(t->other, bucket), bucket, own);
    const __m128i rank = _mm_add_epi8(place, _mm_andnot_si128(own, _mm_shuffle_epi8(t->base, bucket)));
    wcodeci_sse41_advance(_mm_shuffle_epi8(t->freq, symbol), rank, high, low, p);
    return symbol;
}

/* The same with four classes.  No shuffle sees 64 bytes, so each class's table is looked up, and to save one of
 * the look-ups a bucket's other symbol (above) and div share a byte.  A whole bucket, of div 16, is then all its
 * other symbol's, which is itself. */
typedef struct wcodeci_sse41_classes {
    __m128i bucket[WCODECI_CLASSES], base[WCODECI_CLASSES], freq[WCODECI_CLASSES];
} wcodeci_sse41_classes;

WCODECI_SSE41_INLINE wcodeci_sse41_classes wcodeci_sse41_classes_open(const wcodeci_rans16 *r)
{
    wcodeci_sse41_classes t;
    unsigned c;
    for (c = 0; c < WCODECI_CLASSES; c++) {
        const __m128i div = wcodeci_sse41_load(r->div + 16 * c), other = wcodeci_sse41_load(r->other + 16 * c);
        const __m128i whole = _mm_cmpeq_epi8(div, _mm_set1_epi8(16));
        t.bucket[c] = _mm_or_si128(_mm_slli_epi16(other, 4), _mm_andnot_si128(whole, div));
        t.base[c] = _mm_andnot_si128(whole, wcodeci_sse41_load(r->base + 16 * c));
        t.freq[c] = wcodeci_sse41_load(r->freq + 16 * c);
    }
    return t;
}

/* Entry x of the class's table; bit 7 of `odd` and of `upper` say which.  Where an index has bit 7 set the shuffle
 * gives 0. */
WCODECI_SSE41_INLINE __m128i wcodeci_sse41_find(const __m128i *table, __m128i x, __m128i odd, __m128i upper)
{
    const __m128i first = _mm_or_si128(x, odd), second = _mm_xor_si128(first, _mm_set1_epi8(-128));
    return _mm_blendv_epi8(_mm_or_si128(_mm_shuffle_epi8(table[0], first), _mm_shuffle_epi8(table[1], second)),
                           _mm_or_si128(_mm_shuffle_epi8(table[2], first), _mm_shuffle_epi8(table[3], second)),
                           upper);
}

/* q: of the 16 values. */
WCODECI_SSE41_INLINE __m128i wcodeci_sse41_classes_step(const wcodeci_sse41_classes *t, __m128i q, __m128i *high,
                                                        __m128i *low, const wcodeci_byte **p)
{
    const __m128i nibble = _mm_set1_epi8(15);
    const __m128i odd = _mm_and_si128(_mm_slli_epi16(q, 7), _mm_set1_epi8(-128)), upper = _mm_slli_epi16(q, 6);
    const __m128i bucket = _mm_and_si128(_mm_srli_epi16(*low, 4), nibble), place = _mm_and_si128(*low, nibble);
    const __m128i entry = wcodeci_sse41_find(t->bucket, bucket, odd, upper);
    const __m128i base = wcodeci_sse41_find(t->base, bucket, odd, upper);
    const __m128i own = _mm_cmpgt_epi8(_mm_and_si128(entry, nibble), place);
    const __m128i symbol = _mm_and_si128(_mm_srli_epi16(_mm_blendv_epi8(entry, *low, own), 4), nibble);
    const __m128i rank = _mm_add_epi8(place, _mm_andnot_si128(own, base));
    wcodeci_sse41_advance(wcodeci_sse41_find(t->freq, symbol, odd, upper), rank, high, low, p);
    return symbol;
}

/* ---- what becomes of 16 values ---- */

/* What the first plane's values bring to a unit's upper byte and to the byte below it: by symbol (a shuffle's
 * table), or for 16 values. */
typedef struct wcodeci_sse41_first {
    __m128i high, low;
} wcodeci_sse41_first;

WCODECI_SSE41_INLINE wcodeci_sse41_first wcodeci_sse41_first_of(unsigned split, __m128i v)
{
    wcodeci_sse41_first f;
    f.high = f.low = v;
    switch (split) {
    case WCODEC_SPLIT_BF16:
    case WCODEC_SPLIT_F32:
        f.high = _mm_and_si128(_mm_srli_epi16(v, 1), _mm_set1_epi8(127));
        f.low = _mm_andnot_si128(_mm_set1_epi8(127), _mm_slli_epi16(v, 7));
        break;
    case WCODEC_SPLIT_F16:
    case WCODEC_SPLIT_F8_E5M2: f.high = _mm_slli_epi16(v, 2); break;    /* values of 5 bits: none overflows */
    case WCODEC_SPLIT_F8_E4M3: f.high = _mm_slli_epi16(v, 3); break;
    case WCODEC_SPLIT_NIBBLES: f.high = _mm_slli_epi16(v, 4); break;
    default: break;
    }
    return f;
}

/* A unit's bits by a second plane's value of 3 or 4 bits: its highest bit, the sign, goes to bit 7. */
WCODECI_SSE41_INLINE __m128i wcodeci_sse41_second(unsigned split)
{
    if (split == WCODEC_SPLIT_F8_E4M3)
        return _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, -128, -127, -126, -125, -124, -123, -122, -121);
    return _mm_setr_epi8(0, 1, 2, 3, -128, -127, -126, -125, 0, 0, 0, 0, 0, 0, 0, 0);
}

/* Values 16 quarter ... 16 quarter + 15 of a group of a raw plane of less than 8 bits. */
WCODECI_SSE41_INLINE __m128i wcodeci_sse41_unpack16(const wcodeci_byte *group, unsigned width,
                                                    unsigned quarter)
{
    const int shift = 2 * (int)quarter;
    __m128i v = _mm_setzero_si128(), part;
    if (width & 4) {
        part = _mm_srli_epi16(wcodeci_sse41_load(group + 16 * (quarter & 1)), shift & 4);
        v = _mm_and_si128(part, _mm_set1_epi8(15));
        group += 32;
    }
    if (width & 2) {
        part = _mm_srli_epi16(wcodeci_sse41_load(group), shift);
        v = _mm_or_si128(_mm_slli_epi16(v, 2), _mm_and_si128(part, _mm_set1_epi8(3)));
        group += 16;
    }
    if (width & 1) {
        part = _mm_loadl_epi64((const __m128i *)(const void *)group);
        part = _mm_unpacklo_epi64(_mm_srli_epi16(part, shift), _mm_srli_epi16(part, shift + 1));
        v = _mm_or_si128(_mm_add_epi8(v, v), _mm_and_si128(part, _mm_set1_epi8(1)));
    }
    return v;
}

/* The second plane's values i ... i+15. */
WCODECI_SSE41_INLINE __m128i wcodeci_sse41_rest(unsigned split, int packed, const wcodeci_byte *plane,
                                                size_t i, unsigned quarter)
{
    const unsigned width = wcodeci_splits[split].plane[1].width;
    return packed ? wcodeci_sse41_unpack16(plane + i / 64 * 8 * width, width, quarter)
                  : wcodeci_sse41_load(plane + i);
}

/* 16 units of 16 bits out of their bytes. */
WCODECI_SSE41_INLINE void wcodeci_sse41_join16(__m128i high, __m128i low, wcodeci_byte *dst)
{
    wcodeci_sse41_store(dst, _mm_unpacklo_epi8(low, high));
    wcodeci_sse41_store(dst + 16, _mm_unpackhi_epi8(low, high));
}

/* 16 units of 32 bits out of their bytes. */
WCODECI_SSE41_INLINE void wcodeci_sse41_join32(__m128i b3, __m128i b2, __m128i b1, __m128i b0,
                                              wcodeci_byte *dst)
{
    const __m128i low0 = _mm_unpacklo_epi8(b0, b1), low1 = _mm_unpackhi_epi8(b0, b1);
    const __m128i high0 = _mm_unpacklo_epi8(b2, b3), high1 = _mm_unpackhi_epi8(b2, b3);
    wcodeci_sse41_store(dst, _mm_unpacklo_epi16(low0, high0));
    wcodeci_sse41_store(dst + 16, _mm_unpackhi_epi16(low0, high0));
    wcodeci_sse41_store(dst + 32, _mm_unpacklo_epi16(low1, high1));
    wcodeci_sse41_store(dst + 48, _mm_unpackhi_epi16(low1, high1));
}

/* Writes units i ... i+15 out of the first plane's part in them, the second plane's values, and the other
 * planes. */
WCODECI_SSE41_INLINE void wcodeci_sse41_join(unsigned split, wcodeci_sse41_first f, __m128i rest,
                                            const wcodeci_byte *const *planes, wcodeci_byte *dst, size_t i)
{
    const __m128i seven = _mm_set1_epi8(127);
    switch (split) {
    case WCODEC_SPLIT_BF16:
    case WCODEC_SPLIT_F32:      /* rest: sign, mantissa */
        f.high = _mm_or_si128(f.high, _mm_andnot_si128(seven, rest));
        f.low = _mm_or_si128(f.low, _mm_and_si128(seven, rest));
        if (split == WCODEC_SPLIT_BF16)
            wcodeci_sse41_join16(f.high, f.low, dst + 2 * i);
        else
            wcodeci_sse41_join32(f.high, f.low, wcodeci_sse41_load(planes[2] + i),
                                wcodeci_sse41_load(planes[3] + i), dst + 4 * i);
        break;
    case WCODEC_SPLIT_F16:
        rest = _mm_shuffle_epi8(wcodeci_sse41_second(split), rest);
        wcodeci_sse41_join16(_mm_or_si128(f.high, rest), wcodeci_sse41_load(planes[2] + i), dst + 2 * i);
        break;
    case WCODEC_SPLIT_WORD16: wcodeci_sse41_join16(f.high, rest, dst + 2 * i); break;
    case WCODEC_SPLIT_WORD32:
        wcodeci_sse41_join32(f.high, rest, wcodeci_sse41_load(planes[2] + i),
                             wcodeci_sse41_load(planes[3] + i), dst + 4 * i);
        break;
    case WCODEC_SPLIT_NIBBLES: wcodeci_sse41_store(dst + i, _mm_or_si128(f.high, rest)); break;
    default:                    /* 8-bit floats */
        rest = _mm_shuffle_epi8(wcodeci_sse41_second(split), rest);
        wcodeci_sse41_store(dst + i, _mm_or_si128(f.high, rest));
        break;
    }
}

/* (value + (q >> 2)) & 255 */
WCODECI_SSE41_INLINE __m128i wcodeci_sse41_shifted(__m128i value, __m128i q)
{
    return _mm_add_epi8(value, _mm_and_si128(_mm_srli_epi16(q, 2), _mm_set1_epi8(63)));
}

/* Writes units i ... i+15 of four classes, whose first plane's values are (value + (q >> 2)) & 2^w - 1.  Of F16
 * the value comes 2 bits up, where it stands in a unit and where q >> 2 stands in q.  Of BF16 and F32 the upper
 * 16 bits are sign, value, and the rest's lower bits: the latter two, moved down by a bit, are the average with
 * 0; and with 65535, which the average rounds up to 65536, the sign is set. */
WCODECI_SSE41_INLINE void wcodeci_sse41_join_scaled(unsigned split, __m128i value, __m128i q, __m128i rest,
                                                    const wcodeci_byte *const *planes, wcodeci_byte *dst,
                                                    size_t i)
{
    wcodeci_sse41_first f;
    __m128i v, twice, sign, upper0, upper1, low0, low1, b1, b0;
    if (split == WCODEC_SPLIT_F16) {
        f.high = f.low = _mm_and_si128(_mm_add_epi8(value, q), _mm_set1_epi8(0x7C));
        wcodeci_sse41_join(split, f, rest, planes, dst, i);
        return;
    }
    v = wcodeci_sse41_shifted(value, q);
    twice = _mm_add_epi8(rest, rest);
    sign = _mm_cmpgt_epi8(_mm_setzero_si128(), rest);
    upper0 = _mm_avg_epu16(_mm_unpacklo_epi8(twice, v), _mm_unpacklo_epi8(sign, sign));
    upper1 = _mm_avg_epu16(_mm_unpackhi_epi8(twice, v), _mm_unpackhi_epi8(sign, sign));
    if (split == WCODEC_SPLIT_BF16) {
        wcodeci_sse41_store(dst + 2 * i, upper0);
        wcodeci_sse41_store(dst + 2 * i + 16, upper1);
        return;
    }
    b1 = wcodeci_sse41_load(planes[2] + i);
    b0 = wcodeci_sse41_load(planes[3] + i);
    low0 = _mm_unpacklo_epi8(b0, b1);
    low1 = _mm_unpackhi_epi8(b0, b1);
    wcodeci_sse41_store(dst + 4 * i, _mm_unpacklo_epi16(low0, upper0));
    wcodeci_sse41_store(dst + 4 * i + 16, _mm_unpackhi_epi16(low0, upper0));
    wcodeci_sse41_store(dst + 4 * i + 32, _mm_unpacklo_epi16(low1, upper1));
    wcodeci_sse41_store(dst + 4 * i + 48, _mm_unpackhi_epi16(low1, upper1));
}

/* ---- rANS-16 ---- */

/* How many values can be decoded without looking at bounds: no lane takes more than a byte a round. */
WCODECI_INLINE size_t wcodeci_rans16_ahead(const wcodeci_byte *p, const wcodeci_byte *limit, size_t n,
                                           unsigned lanes)
{
    return wcodeci_min(n, (size_t)(limit - p)) & ~(size_t)(lanes - 1);
}

/* classes, split and packed are constants.  split WCODEC_SPLIT_COUNT: the values themselves.
 * The states live in memory, so one loop serves any number of lanes. */
WCODECI_SSE41_INLINE size_t wcodeci_sse41_rounds(wcodeci_rans16 *r, unsigned classes, unsigned split, int packed,
                                                 const wcodeci_byte *const *planes, wcodeci_byte *dst,
                                                 size_t n)
{
    const wcodeci_sse41_tables one = wcodeci_sse41_open(r);
    const wcodeci_sse41_classes several = wcodeci_sse41_classes_open(r);
    const __m128i value = wcodeci_sse41_load(r->value), mask = _mm_set1_epi8((char)r->mask);
    const wcodeci_sse41_first by_symbol = classes == 1 || split == WCODEC_SPLIT_F16
        ? wcodeci_sse41_first_of(split, value) : wcodeci_sse41_first_of(WCODEC_SPLIT_COUNT, value);
    const wcodeci_byte *p = r->p, *const limit = r->limit, *const q = r->q, *plane[4] = { NULL, NULL, NULL, NULL };
    const unsigned lanes = r->lanes;
    __m128i high[WCODECI_RANS16_LANES / 16], low[WCODECI_RANS16_LANES / 16];
    size_t i = 0, stop = wcodeci_rans16_ahead(p, limit, n, lanes);
    unsigned k, quarter;
    for (k = 1; split < WCODEC_SPLIT_COUNT && k < wcodeci_splits[split].planes && k < 4; k++)
        plane[k] = planes[k];           /* the stores can not change these */
    memcpy(high, r->high, lanes);
    memcpy(low, r->low, lanes);
    while (i < stop) {
        for (k = 0; i < stop; k = (k + 4) & (lanes / 16 - 1)) {
            WCODECI_UNROLL_4
            for (quarter = 0; quarter < 4; quarter++, i += 16) {
                __m128i *const h = &high[k + quarter], *const l = &low[k + quarter];
                const int values = split == WCODEC_SPLIT_COUNT;
                const __m128i rest = values ? value : wcodeci_sse41_rest(split, packed, plane[1], i, quarter);
                const __m128i scale = classes == 1 ? value : wcodeci_sse41_load(q + i);
                const __m128i symbol = classes == 1 ? wcodeci_sse41_step(&one, h, l, &p)
                                                    : wcodeci_sse41_classes_step(&several, scale, h, l, &p);
                wcodeci_sse41_first f;
                f.high = _mm_shuffle_epi8(by_symbol.high, symbol);
                f.low = _mm_shuffle_epi8(by_symbol.low, symbol);
                if (classes > 1 && values) f.high = _mm_and_si128(wcodeci_sse41_shifted(f.high, scale), mask);
                if (values) wcodeci_sse41_store(dst + i, f.high);
                else if (classes == 1) wcodeci_sse41_join(split, f, rest, plane, dst, i);
                else wcodeci_sse41_join_scaled(split, f.high, scale, rest, plane, dst, i);
            }
        }
        stop = i + wcodeci_rans16_ahead(p, limit, n - i, lanes);
    }
    memcpy(r->high, high, lanes);
    memcpy(r->low, low, lanes);
    r->p = p;
    return i;
}

WCODECI_SSE41 static size_t wcodeci_sse41_rans16(wcodeci_rans16 *r, wcodeci_byte *v, size_t n)
{
    return wcodeci_sse41_rounds(r, 1, WCODEC_SPLIT_COUNT, 0, NULL, v, n);
}

WCODECI_SSE41 static size_t wcodeci_sse41_rans16_classes(wcodeci_rans16 *r, wcodeci_byte *v, size_t n)
{
    return wcodeci_sse41_rounds(r, WCODECI_CLASSES, WCODEC_SPLIT_COUNT, 0, NULL, v, n);
}

#define WCODECI_SSE41_UNITS(name, classes, split, packed) \
    WCODECI_SSE41 static size_t wcodeci_sse41_##name(wcodeci_rans16 *r, const wcodeci_byte *const *planes, \
                                                     wcodeci_byte *dst, size_t n) \
    { \
        return wcodeci_sse41_rounds(r, classes, split, packed, planes, dst, n); \
    }
WCODECI_SSE41_UNITS(bf16, 1, WCODEC_SPLIT_BF16, 0)
WCODECI_SSE41_UNITS(f16, 1, WCODEC_SPLIT_F16, 0)
WCODECI_SSE41_UNITS(f16_packed, 1, WCODEC_SPLIT_F16, 1)
WCODECI_SSE41_UNITS(f32, 1, WCODEC_SPLIT_F32, 0)
WCODECI_SSE41_UNITS(e4m3, 1, WCODEC_SPLIT_F8_E4M3, 0)
WCODECI_SSE41_UNITS(e4m3_packed, 1, WCODEC_SPLIT_F8_E4M3, 1)
WCODECI_SSE41_UNITS(e5m2, 1, WCODEC_SPLIT_F8_E5M2, 0)
WCODECI_SSE41_UNITS(e5m2_packed, 1, WCODEC_SPLIT_F8_E5M2, 1)
WCODECI_SSE41_UNITS(nibbles, 1, WCODEC_SPLIT_NIBBLES, 0)
WCODECI_SSE41_UNITS(nibbles_packed, 1, WCODEC_SPLIT_NIBBLES, 1)
WCODECI_SSE41_UNITS(bf16_classes, WCODECI_CLASSES, WCODEC_SPLIT_BF16, 0)
WCODECI_SSE41_UNITS(f16_classes, WCODECI_CLASSES, WCODEC_SPLIT_F16, 0)
WCODECI_SSE41_UNITS(f16_classes_packed, WCODECI_CLASSES, WCODEC_SPLIT_F16, 1)
WCODECI_SSE41_UNITS(f32_classes, WCODECI_CLASSES, WCODEC_SPLIT_F32, 0)

/* ---- rANS-256 ---- */

/* The words' bytes for four lanes, by the bits of a mask of the first three that take a word. */
#define WCODECI_WORD(place) (0x80800100u + 0x0202u * (place))
#define WCODECI_WORDS(a, b, c, d) { WCODECI_WORD(a), WCODECI_WORD(b), WCODECI_WORD(c), WCODECI_WORD(d) }

static const uint32_t wcodeci_expand_words[8][4] = {
    WCODECI_WORDS(0, 0, 0, 0), WCODECI_WORDS(0, 1, 1, 1),
    WCODECI_WORDS(0, 0, 1, 1), WCODECI_WORDS(0, 1, 2, 2),
    WCODECI_WORDS(0, 0, 0, 1), WCODECI_WORDS(0, 1, 1, 2),
    WCODECI_WORDS(0, 0, 1, 2), WCODECI_WORDS(0, 1, 2, 3)
};

/* The table's entries for the slots of four states. */
WCODECI_SSE41_INLINE __m128i wcodeci_sse41_entries(const uint32_t *table, __m128i state)
{
    const uint64_t a = (uint64_t)_mm_cvtsi128_si64(state), b = (uint64_t)_mm_extract_epi64(state, 1);
    const __m128i low = _mm_cvtsi32_si128((int)table[a & WCODECI_RANS256_SLOTS]);
    const __m128i high = _mm_cvtsi32_si128((int)table[b & WCODECI_RANS256_SLOTS]);
    return _mm_unpacklo_epi64(_mm_insert_epi32(low, (int)table[a >> 32 & WCODECI_RANS256_SLOTS], 1),
                              _mm_insert_epi32(high, (int)table[b >> 32 & WCODECI_RANS256_SLOTS], 1));
}

/* Takes 4 lanes one step on and returns their values. */
WCODECI_SSE41_INLINE __m128i wcodeci_sse41_rans256_step(const uint32_t *table, __m128i *state,
                                                        const wcodeci_byte **p)
{
    const __m128i e = wcodeci_sse41_entries(table, *state);
    const __m128i freq = _mm_and_si128(_mm_srli_epi32(e, 8), _mm_set1_epi32(WCODECI_RANS256_SLOTS));
    const __m128i x = _mm_add_epi32(_mm_mullo_epi32(freq, _mm_srli_epi32(*state, WCODECI_RANS256_BITS)),
                                    _mm_srli_epi32(e, 20));
    const __m128i refill = _mm_cmpeq_epi32(_mm_srli_epi32(x, 16), _mm_setzero_si128());
    const unsigned mask = (unsigned)_mm_movemask_ps(_mm_castsi128_ps(refill));
    const __m128i words = _mm_shuffle_epi8(_mm_loadl_epi64((const __m128i *)(const void *)*p),
                                           wcodeci_sse41_load(wcodeci_expand_words[mask & 7]));
    *state = _mm_blendv_epi8(x, _mm_or_si128(_mm_slli_epi32(x, 16), words), refill);
    *p += 2 * _mm_popcnt_u32(mask);
    return _mm_and_si128(e, _mm_set1_epi32(255));
}

WCODECI_SSE41 static size_t wcodeci_sse41_rans256(uint32_t state[32], const uint32_t *table,
                                                  const wcodeci_byte **src, const wcodeci_byte *end,
                                                  wcodeci_byte *v, size_t n)
{
    const wcodeci_byte *p = *src;
    __m128i x[WCODECI_RANS256_LANES / 4], value[4];
    size_t i;
    unsigned half, k;
    memcpy(x, state, sizeof x);
    for (i = 0; n - i >= WCODECI_RANS256_LANES && end - p >= 2 * WCODECI_RANS256_LANES;) {
        for (half = 0; half < 8; half += 4, i += 16) {
            WCODECI_UNROLL_4
            for (k = 0; k < 4; k++) value[k] = wcodeci_sse41_rans256_step(table, &x[half + k], &p);
            wcodeci_sse41_store(v + i, _mm_packus_epi16(_mm_packus_epi32(value[0], value[1]),
                                                        _mm_packus_epi32(value[2], value[3])));
        }
    }
    memcpy(state, x, sizeof x);
    *src = p;
    return i;
}

/* ---- merging, unpacking, predictors ---- */

#define WCODECI_SSE41_MERGE(name, split) \
    WCODECI_SSE41 static size_t wcodeci_sse41_merge_##name(const wcodeci_byte *const *planes, \
                                                           wcodeci_byte *dst, size_t n) \
    { \
        const wcodeci_byte *plane[4] = { NULL, NULL, NULL, NULL }; \
        size_t i; \
        memcpy(plane, planes, wcodeci_splits[split].planes * sizeof plane[0]); \
        for (i = 0; n - i >= 16; i += 16) \
            wcodeci_sse41_join(split, wcodeci_sse41_first_of(split, wcodeci_sse41_load(plane[0] + i)), \
                              wcodeci_sse41_load(plane[1] + i), plane, dst, i); \
        return i; \
    }
WCODECI_SSE41_MERGE(word16, WCODEC_SPLIT_WORD16)
WCODECI_SSE41_MERGE(word32, WCODEC_SPLIT_WORD32)
WCODECI_SSE41_MERGE(bf16, WCODEC_SPLIT_BF16)
WCODECI_SSE41_MERGE(f16, WCODEC_SPLIT_F16)
WCODECI_SSE41_MERGE(f32, WCODEC_SPLIT_F32)
WCODECI_SSE41_MERGE(e4m3, WCODEC_SPLIT_F8_E4M3)
WCODECI_SSE41_MERGE(e5m2, WCODEC_SPLIT_F8_E5M2)
WCODECI_SSE41_MERGE(nibbles, WCODEC_SPLIT_NIBBLES)

/* Splits that show the mantissa's upper four bits: put together with sign and lower bits they are another
 * split's second plane, or of F16 the sign and the byte below. */
WCODECI_SSE41_INLINE size_t wcodeci_sse41_merge_4(unsigned split, const wcodeci_byte *const *planes,
                                                  wcodeci_byte *dst, size_t n)
{
    const unsigned unit = wcodeci_splits[split].unit, low = unit == 4 || split == WCODEC_SPLIT_BF16 ? 3 : 6;
    const wcodeci_byte *plane[5] = { NULL, NULL, NULL, NULL, NULL };
    const __m128i lower = _mm_set1_epi8((char)((1 << low) - 1)), sign = _mm_set1_epi8(-128);
    size_t i;
    memcpy(plane, planes, (unit == 4 ? 5 : 3) * sizeof plane[0]);
    for (i = 0; n - i >= 16; i += 16) {
        const __m128i upper = wcodeci_sse41_load(plane[1] + i), rest = wcodeci_sse41_load(plane[2] + i);
        const __m128i s = _mm_and_si128(_mm_slli_epi16(rest, 7 - (int)low), sign);
        const __m128i m = _mm_or_si128(_mm_and_si128(rest, lower), _mm_slli_epi16(upper, (int)low));
        wcodeci_sse41_first f = wcodeci_sse41_first_of(split, wcodeci_sse41_load(plane[0] + i));
        if (split != WCODEC_SPLIT_F16) {
            wcodeci_sse41_join(split, f, _mm_or_si128(s, m), plane + 1, dst, i);
            continue;
        }
        f.high = _mm_or_si128(_mm_or_si128(f.high, s), _mm_and_si128(_mm_srli_epi16(upper, 2), _mm_set1_epi8(3)));
        f.low = _mm_and_si128(_mm_slli_epi16(upper, 6), _mm_set1_epi8(-64));
        wcodeci_sse41_join16(f.high, _mm_or_si128(f.low, _mm_and_si128(rest, lower)), dst + 2 * i);
    }
    return i;
}

#define WCODECI_SSE41_MERGE_4(name, split) \
    WCODECI_SSE41 static size_t wcodeci_sse41_merge_##name(const wcodeci_byte *const *planes, \
                                                           wcodeci_byte *dst, size_t n) \
    { \
        return wcodeci_sse41_merge_4(split, planes, dst, n); \
    }
WCODECI_SSE41_MERGE_4(bf16_4, WCODEC_SPLIT_BF16)
WCODECI_SSE41_MERGE_4(f16_4, WCODEC_SPLIT_F16)
WCODECI_SSE41_MERGE_4(f32_4, WCODEC_SPLIT_F32)

WCODECI_SSE41_INLINE size_t wcodeci_sse41_unpack_groups(const wcodeci_byte *src, unsigned width,
                                                        wcodeci_byte *v, size_t n)
{
    size_t i;
    unsigned q;
    for (i = 0; n - i >= 64; i += 64, src += 8 * width) {
        WCODECI_UNROLL_4
        for (q = 0; q < 4; q++) wcodeci_sse41_store(v + i + 16 * q, wcodeci_sse41_unpack16(src, width, q));
    }
    return i;
}

WCODECI_SSE41 static size_t wcodeci_sse41_unpack(const wcodeci_byte *src, unsigned width, wcodeci_byte *v,
                                                 size_t n)
{
    switch (width) {
    case 1: return wcodeci_sse41_unpack_groups(src, 1, v, n);
    case 2: return wcodeci_sse41_unpack_groups(src, 2, v, n);
    case 3: return wcodeci_sse41_unpack_groups(src, 3, v, n);
    case 4: return wcodeci_sse41_unpack_groups(src, 4, v, n);
    case 5: return wcodeci_sse41_unpack_groups(src, 5, v, n);
    case 6: return wcodeci_sse41_unpack_groups(src, 6, v, n);
    default: return wcodeci_sse41_unpack_groups(src, 7, v, n);
    }
}

/* At distance 1 the sums of 16 values take four steps; only their total waits for the 16 values before. */
WCODECI_SSE41 static void wcodeci_sse41_unpredict(wcodeci_byte *v, size_t n, size_t distance, unsigned mask)
{
    const __m128i masks = _mm_set1_epi8((char)mask), last = _mm_set1_epi8(15);
    size_t i = distance;
    if (distance == 1 && n > 1) {
        __m128i before = _mm_set1_epi8((char)v[0]);
        for (; n - i >= 16; i += 16) {
            __m128i x = wcodeci_sse41_load(v + i);
            x = _mm_add_epi8(x, _mm_slli_si128(x, 1));
            x = _mm_add_epi8(x, _mm_slli_si128(x, 2));
            x = _mm_add_epi8(x, _mm_slli_si128(x, 4));
            x = _mm_add_epi8(x, _mm_slli_si128(x, 8));
            wcodeci_sse41_store(v + i, _mm_and_si128(_mm_add_epi8(x, before), masks));
            before = _mm_add_epi8(before, _mm_shuffle_epi8(x, last));
        }
    } else if (distance >= 16 && n > distance) {
        for (; n - i >= 16; i += 16) {
            const __m128i sum = _mm_add_epi8(wcodeci_sse41_load(v + i), wcodeci_sse41_load(v + i - distance));
            wcodeci_sse41_store(v + i, _mm_and_si128(sum, masks));
        }
    }
    for (; i < n; i++) v[i] = (wcodeci_byte)((v[i] + v[i - distance]) & mask);
}

/* ---- scales and classes ---- */

WCODECI_SSE41 static void wcodeci_sse41_scale(const wcodeci_byte *columns, unsigned row, wcodeci_byte *q, size_t n)
{
    const __m128i add = _mm_set1_epi8((char)row);
    size_t i;
    for (i = 0; n - i >= 16; i += 16)
        wcodeci_sse41_store(q + i, _mm_add_epi8(wcodeci_sse41_load(columns + i), add));
    wcodeci_scale_scalar(columns + i, row, q + i, n - i);
}

WCODECI_SSE41 static void wcodeci_sse41_classes_of(const wcodeci_class_map *map, const wcodeci_byte *first,
                                                   const wcodeci_byte *q, wcodeci_byte *classes, size_t n)
{
    const __m128i base = _mm_set1_epi8((char)map->base), mask = _mm_set1_epi8((char)map->mask);
    const __m128i nibble = _mm_set1_epi8(15);
    __m128i table[WCODECI_CLASSES];
    size_t i;
    memcpy(table, map->class_of, sizeof table);
    for (i = 0; n - i >= 16; i += 16) {
        const __m128i scale = q ? wcodeci_sse41_load(q + i) : _mm_setzero_si128();
        const __m128i p = _mm_sub_epi8(wcodeci_sse41_load(first + i), wcodeci_sse41_shifted(base, scale));
        const __m128i t = _mm_min_epu8(_mm_and_si128(p, mask), nibble);
        const __m128i odd = _mm_and_si128(_mm_slli_epi16(scale, 7), _mm_set1_epi8(-128));
        wcodeci_sse41_store(classes + i, wcodeci_sse41_find(table, t, odd, _mm_slli_epi16(scale, 6)));
    }
    wcodeci_classes_scalar(map, first + i, q ? q + i : NULL, classes + i, n - i);
}

static const wcodeci_kernels wcodeci_kernels_sse41 = {
    "sse4.1", { wcodeci_sse41_rans16, wcodeci_sse41_rans16_classes },
    { { NULL, NULL, NULL, NULL, wcodeci_sse41_bf16, wcodeci_sse41_f16, wcodeci_sse41_f32, NULL,
      wcodeci_sse41_e4m3, wcodeci_sse41_e5m2, wcodeci_sse41_nibbles },
      { NULL, NULL, NULL, NULL, wcodeci_sse41_bf16_classes, wcodeci_sse41_f16_classes,
        wcodeci_sse41_f32_classes, NULL, NULL, NULL, NULL } },
    { { NULL, NULL, NULL, NULL, NULL, wcodeci_sse41_f16_packed, NULL, NULL,
      wcodeci_sse41_e4m3_packed, wcodeci_sse41_e5m2_packed, wcodeci_sse41_nibbles_packed },
      { NULL, NULL, NULL, NULL, NULL, wcodeci_sse41_f16_classes_packed, NULL, NULL, NULL, NULL, NULL } },
    wcodeci_sse41_rans256,
    { NULL, wcodeci_sse41_merge_word16, wcodeci_sse41_merge_word32, NULL, wcodeci_sse41_merge_bf16,
      wcodeci_sse41_merge_f16, wcodeci_sse41_merge_f32, NULL, wcodeci_sse41_merge_e4m3,
      wcodeci_sse41_merge_e5m2, wcodeci_sse41_merge_nibbles, wcodeci_sse41_merge_bf16_4,
      wcodeci_sse41_merge_f16_4, wcodeci_sse41_merge_f32_4 },
    wcodeci_sse41_unpack, wcodeci_sse41_unpredict, wcodeci_sse41_scale, wcodeci_sse41_classes_of, NULL, NULL
};

#endif
