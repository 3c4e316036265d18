/* ------------------------------------------------------------------------------------------------
 * Kernels for AVX-512 with VBMI and VBMI2 (private): 64 values at a time
 * ---------------------------------------------------------------------------------------------- */
#if WCODECI_X86

/* GCC's headers leave registers undefined on purpose, and in C++ it warns of that (its bug 105593). */
#if defined(__GNUC__) && !defined(__clang__) && defined(__cplusplus)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#define WCODECI_AVX512 WCODECI_TARGET("avx512f,avx512dq,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,bmi2,popcnt")
#define WCODECI_AVX512_INLINE WCODECI_AVX512 WCODECI_INLINE

/* Ternary logic on A, B, C: bit (a << 2 | b << 1 | c) of the constant is the result. */
#define WCODECI_A_OR_B_AND_C 0xF8
#define WCODECI_A_OR_B_AND_NOT_C 0xF4
#define WCODECI_A_AND_NOT_C_OR_B 0xDC
#define WCODECI_C_CHOOSES_A_OR_B 0xE4       /* where C is set, A, else B */

typedef struct wcodeci_avx512_tables {
    __m512i div, other, base, freq;
    __m512i nibble, even;               /* 15 in each byte, 255 in each even one */
} wcodeci_avx512_tables;

WCODECI_AVX512_INLINE __m512i wcodeci_avx512_table(const wcodeci_byte *p)
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)p));
}

WCODECI_AVX512_INLINE __m512i wcodeci_avx512_load(const void *p) { return _mm512_loadu_si512(p); }
WCODECI_AVX512_INLINE void wcodeci_avx512_store(void *p, __m512i x) { _mm512_storeu_si512(p, x); }

/* With one class the tables hold its 16 entries four times, with four the 64 entries of all, and `other` says
 * the class too. */
WCODECI_AVX512_INLINE wcodeci_avx512_tables wcodeci_avx512_open(const wcodeci_rans16 *r, unsigned classes)
{
    wcodeci_avx512_tables t;
    if (classes == 1) {
        t.div = wcodeci_avx512_table(r->div);
        t.other = wcodeci_avx512_table(r->other);
        t.base = wcodeci_avx512_table(r->base);
        t.freq = wcodeci_avx512_table(r->freq);
    } else {
        t.div = wcodeci_avx512_load(r->div);
        t.other = _mm512_or_si512(wcodeci_avx512_load(r->other), _mm512_set_epi64(
            0x3030303030303030, 0x3030303030303030, 0x2020202020202020, 0x2020202020202020,
            0x1010101010101010, 0x1010101010101010, 0, 0));
        t.base = wcodeci_avx512_load(r->base);
        t.freq = wcodeci_avx512_load(r->freq);
    }
    t.nibble = _mm512_set1_epi8(15);
    t.even = _mm512_set1_epi16(255);
    return t;
}

/* table[x], x below 16 or, of several classes, 64. */
WCODECI_AVX512_INLINE __m512i wcodeci_avx512_find(unsigned classes, __m512i table, __m512i x)
{
    return classes == 1 ? _mm512_shuffle_epi8(table, x) : _mm512_permutexvar_epi8(x, table);
}

/* Takes `groups` times 64 lanes one step on.  q: of the values, if there are several classes; then the symbols
 * come with 16 times their class.  The product of a frequency and a state's high byte takes 16
 * bits, so even and odd lanes are multiplied apart and their bytes sorted into high and low again.  The
 * groups go side by side, stage by stage: a step takes 40 cycles from end to end, and a processor that looks
 * ahead by some hundred operations has trouble to find the next groups behind all those of one. */
WCODECI_AVX512_INLINE void wcodeci_avx512_step(const wcodeci_avx512_tables *t, unsigned groups,
                                               unsigned classes, const __m512i *q, __m512i *high,
                                               __m512i *low, __m512i *symbol, const wcodeci_byte **p)
{
    __m512i rank[4], even[4], odd[4];
    unsigned g;
    WCODECI_UNROLL_4
    for (g = 0; g < groups; g++) {
        __m512i bucket = _mm512_and_si512(_mm512_srli_epi16(low[g], 4), t->nibble);
        const __m512i place = _mm512_and_si512(low[g], t->nibble);
        __mmask64 other;
        if (classes > 1)        /* and the class above: a permutation looks at six bits */
            bucket = _mm512_ternarylogic_epi64(_mm512_slli_epi16(q[g], 4), bucket, t->nibble,
                                               WCODECI_A_AND_NOT_C_OR_B);
        other = _mm512_cmpge_epu8_mask(place, wcodeci_avx512_find(classes, t->div, bucket));
        symbol[g] = classes == 1 ? _mm512_mask_shuffle_epi8(bucket, other, t->other, bucket)
                                 : _mm512_mask_permutexvar_epi8(bucket, other, bucket, t->other);
        rank[g] = _mm512_mask_add_epi8(place, other, place, wcodeci_avx512_find(classes, t->base, bucket));
    }
    WCODECI_UNROLL_4
    for (g = 0; g < groups; g++) {
        const __m512i fe = _mm512_maskz_permutexvar_epi8(0x5555555555555555u, symbol[g], t->freq), fo = _mm512_maskz_permutexvar_epi8(0xAAAAAAAAAAAAAAAAu, symbol[g], t->freq);
        even[g] = _mm512_add_epi16(_mm512_mullo_epi16(_mm512_and_si512(high[g], t->even),
                                                      fe),
                                   _mm512_and_si512(rank[g], t->even));
        odd[g] = _mm512_add_epi16(_mm512_mulhi_epu16(_mm512_andnot_si512(t->even, high[g]), fo),
                                  _mm512_srli_epi16(rank[g], 8));
    }
    WCODECI_UNROLL_4
    for (g = 0; g < groups; g++) {
        const __m512i h = _mm512_ternarylogic_epi64(_mm512_srli_epi16(even[g], 8), odd[g], t->even,
                                                    WCODECI_A_OR_B_AND_NOT_C);
        const __m512i l = _mm512_ternarylogic_epi64(_mm512_slli_epi16(odd[g], 8), even[g], t->even,
                                                    WCODECI_A_OR_B_AND_C);
        const __mmask64 refill = _mm512_testn_epi8_mask(h, h);
        high[g] = _mm512_mask_mov_epi8(h, refill, l);
        low[g] = _mm512_mask_expand_epi8(l, refill, wcodeci_avx512_load(*p));
        *p += _mm_popcnt_u64(refill);
    }
}

/* ---- planes to units, 64 at a time ----
 * A merger knows what a symbol brings to the upper bytes of a unit, and how bytes are interleaved. */

typedef struct wcodeci_avx512_merger {
    __m512i high, low;                  /* by symbol: the value's bits in a unit's upper two bytes */
    __m512i first, second;              /* the bytes of 64 units, interleaved, out of two vectors */
} wcodeci_avx512_merger;

/* index[i] = i / 2, plus 64 (the second vector) for odd i. */
static const wcodeci_byte wcodeci_avx512_interleave[128] = {
    0, 64, 1, 65, 2, 66, 3, 67, 4, 68, 5, 69, 6, 70, 7, 71,
    8, 72, 9, 73, 10, 74, 11, 75, 12, 76, 13, 77, 14, 78, 15, 79,
    16, 80, 17, 81, 18, 82, 19, 83, 20, 84, 21, 85, 22, 86, 23, 87,
    24, 88, 25, 89, 26, 90, 27, 91, 28, 92, 29, 93, 30, 94, 31, 95,
    32, 96, 33, 97, 34, 98, 35, 99, 36, 100, 37, 101, 38, 102, 39, 103,
    40, 104, 41, 105, 42, 106, 43, 107, 44, 108, 45, 109, 46, 110, 47, 111,
    48, 112, 49, 113, 50, 114, 51, 115, 52, 116, 53, 117, 54, 118, 55, 119,
    56, 120, 57, 121, 58, 122, 59, 123, 60, 124, 61, 125, 62, 126, 63, 127
};

WCODECI_AVX512_INLINE __m512i wcodeci_avx512_bytes(unsigned x) { return _mm512_set1_epi8((char)x); }

WCODECI_AVX512_INLINE wcodeci_avx512_merger wcodeci_avx512_merger_make(void)
{
    wcodeci_avx512_merger m;
    m.first = wcodeci_avx512_load(wcodeci_avx512_interleave);
    m.second = wcodeci_avx512_load(wcodeci_avx512_interleave + 64);
    m.high = m.low = m.first;
    return m;
}

/* Moves values of a split's fused plane to where their bits stand in a unit's upper two bytes; of BF16 and F32
 * other bits may come along.  split
 * WCODEC_SPLIT_COUNT: not at all. */
WCODECI_AVX512_INLINE void wcodeci_avx512_place(unsigned split, __m512i value, __m512i *high, __m512i *low)
{
    *high = *low = value;
    switch (split) {
    case WCODEC_SPLIT_BF16:
    case WCODEC_SPLIT_F32:
        *high = _mm512_srli_epi16(value, 1);
        *low = _mm512_slli_epi16(value, 7);
        break;
    case WCODEC_SPLIT_F64:
        *high = _mm512_and_si512(_mm512_srli_epi16(value, 4), wcodeci_avx512_bytes(15));
        *low = _mm512_and_si512(_mm512_slli_epi16(value, 4), wcodeci_avx512_bytes(0xF0));
        break;
    case WCODEC_SPLIT_F16:
    case WCODEC_SPLIT_F8_E5M2:
        *high = _mm512_and_si512(_mm512_slli_epi16(value, 2), wcodeci_avx512_bytes(0x7C));
        break;
    case WCODEC_SPLIT_F8_E4M3:
        *high = _mm512_and_si512(_mm512_slli_epi16(value, 3), wcodeci_avx512_bytes(0x78));
        break;
    case WCODEC_SPLIT_NIBBLES:
        *high = _mm512_and_si512(_mm512_slli_epi16(value, 4), wcodeci_avx512_bytes(0xF0));
        break;
    case WCODEC_SPLIT_BF16_4:
    case WCODEC_SPLIT_F32_4:
        *low = _mm512_and_si512(_mm512_slli_epi16(value, 3), wcodeci_avx512_bytes(0x78));
        break;
    case WCODEC_SPLIT_F16_4:
        *high = _mm512_and_si512(_mm512_srli_epi16(value, 2), wcodeci_avx512_bytes(3));
        *low = _mm512_and_si512(_mm512_slli_epi16(value, 6), wcodeci_avx512_bytes(0xC0));
        break;
    default: break;
    }
}

/* 64 values of a plane of 4, 2, 1 or 2 + 1 bits from their raw group. */
WCODECI_AVX512_INLINE __m512i wcodeci_avx512_unpack4(const wcodeci_byte *part)
{
    const __m256i two = _mm256_loadu_si256((const __m256i *)(const void *)part);
    const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(two), _mm256_srli_epi16(two, 4), 1);
    return _mm512_and_si512(both, wcodeci_avx512_bytes(15));
}

WCODECI_AVX512_INLINE __m512i wcodeci_avx512_unpack2(const wcodeci_byte *part)
{
    const __m512i shift = _mm512_set_epi64(6, 6, 4, 4, 2, 2, 0, 0);
    return _mm512_and_si512(_mm512_srlv_epi64(wcodeci_avx512_table(part), shift), wcodeci_avx512_bytes(3));
}

WCODECI_AVX512_INLINE __m512i wcodeci_avx512_unpack1(const wcodeci_byte *part)
{
    const __m512i shift = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i all = _mm512_set1_epi64((long long)wcodeci_load64(part));
    return _mm512_and_si512(_mm512_srlv_epi64(all, shift), wcodeci_avx512_bytes(1));
}

WCODECI_AVX512_INLINE __m512i wcodeci_avx512_unpack3(const wcodeci_byte *group)
{
    const __m512i upper = wcodeci_avx512_unpack2(group);
    return _mm512_or_si512(_mm512_add_epi8(upper, upper), wcodeci_avx512_unpack1(group + 16));
}

WCODECI_AVX512_INLINE __m512i wcodeci_avx512_unpack7(const wcodeci_byte *group)
{
    const __m512i low = wcodeci_avx512_unpack3(group + 32);
    return _mm512_or_si512(_mm512_slli_epi16(wcodeci_avx512_unpack4(group), 3), low);
}

/* 64 units of 16 bits out of their bytes. */
WCODECI_AVX512_INLINE void wcodeci_avx512_put16(const wcodeci_avx512_merger *m, __m512i high, __m512i low,
                                                wcodeci_byte *dst)
{
    wcodeci_avx512_store(dst, _mm512_permutex2var_epi8(low, m->first, high));
    wcodeci_avx512_store(dst + 64, _mm512_permutex2var_epi8(low, m->second, high));
}

/* 64 words of 32 bits out of their bytes, b[0] the lowest. */
WCODECI_AVX512_INLINE void wcodeci_avx512_words(const wcodeci_avx512_merger *m, const __m512i b[4],
                                                __m512i word[4])
{
    const __m512i low0 = _mm512_permutex2var_epi8(b[0], m->first, b[1]);
    const __m512i low1 = _mm512_permutex2var_epi8(b[0], m->second, b[1]);
    const __m512i high0 = _mm512_permutex2var_epi8(b[2], m->first, b[3]);
    const __m512i high1 = _mm512_permutex2var_epi8(b[2], m->second, b[3]);
    /* 16-bit pieces 0, 32, 1, 33, ... */
    const __m512i first = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8,
                                           39, 7, 38, 6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
    const __m512i second = _mm512_or_si512(first, _mm512_set1_epi16(16));
    word[0] = _mm512_permutex2var_epi16(low0, first, high0);
    word[1] = _mm512_permutex2var_epi16(low0, second, high0);
    word[2] = _mm512_permutex2var_epi16(low1, first, high1);
    word[3] = _mm512_permutex2var_epi16(low1, second, high1);
}

WCODECI_AVX512_INLINE void wcodeci_avx512_put32(const wcodeci_avx512_merger *m, const __m512i b[4],
                                                wcodeci_byte *dst)
{
    __m512i word[4];
    wcodeci_avx512_words(m, b, word);
    wcodeci_avx512_store(dst, word[0]);
    wcodeci_avx512_store(dst + 64, word[1]);
    wcodeci_avx512_store(dst + 128, word[2]);
    wcodeci_avx512_store(dst + 192, word[3]);
}

/* 64 units of 64 bits: bytes 7 and 6, and values i and on of planes 2 ... 7. */
WCODECI_AVX512_INLINE void wcodeci_avx512_put64(const wcodeci_avx512_merger *m, __m512i high, __m512i low,
                                                const wcodeci_byte *const *planes, size_t i,
                                                wcodeci_byte *dst)
{
    const __m512i first = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512i second = _mm512_or_si512(first, _mm512_set1_epi32(8));
    __m512i b[4], lower[4], upper[4];
    unsigned k;
    for (k = 0; k < 4; k++) b[k] = wcodeci_avx512_load(planes[7 - k] + i);
    wcodeci_avx512_words(m, b, lower);
    b[0] = wcodeci_avx512_load(planes[3] + i);
    b[1] = wcodeci_avx512_load(planes[2] + i);
    b[2] = low;
    b[3] = high;
    wcodeci_avx512_words(m, b, upper);
    for (k = 0; k < 4; k++) {
        wcodeci_avx512_store(dst + 128 * k, _mm512_permutex2var_epi32(lower[k], first, upper[k]));
        wcodeci_avx512_store(dst + 128 * k + 64, _mm512_permutex2var_epi32(lower[k], second, upper[k]));
    }
}

/* The upper two bytes of units of split BF16_4 or F32_4, from all but the second plane and `low`, where that is:
 * the third has the sign and three bits of the mantissa. */
WCODECI_AVX512_INLINE void wcodeci_avx512_upper(int packed, const wcodeci_byte *const *planes, size_t i,
                                                __m512i *high, __m512i *low)
{
    const __m512i rest = packed ? wcodeci_avx512_unpack4(planes[2] + i / 2) : wcodeci_avx512_load(planes[2] + i);
    __m512i upper, lower;
    wcodeci_avx512_place(WCODEC_SPLIT_BF16, wcodeci_avx512_load(planes[0] + i), &upper, &lower);
    *high = _mm512_ternarylogic_epi64(upper, _mm512_slli_epi16(rest, 4), wcodeci_avx512_bytes(127),
                                      WCODECI_C_CHOOSES_A_OR_B);
    *low = _mm512_ternarylogic_epi64(*low, lower, wcodeci_avx512_bytes(0x78), WCODECI_C_CHOOSES_A_OR_B);
    *low = _mm512_ternarylogic_epi64(rest, *low, wcodeci_avx512_bytes(7), WCODECI_C_CHOOSES_A_OR_B);
}

/* Merges values i ... i+63 of the fused plane, which stand where they belong in a unit's upper two bytes,
 * with the other planes. */
WCODECI_AVX512_INLINE void wcodeci_avx512_merge(const wcodeci_avx512_merger *m, unsigned split, int packed,
                                                __m512i high, __m512i low, const wcodeci_byte *const *planes,
                                                wcodeci_byte *dst, size_t i)
{
    __m512i rest, b[4];
    switch (split) {
    case WCODEC_SPLIT_WORD16:
        wcodeci_avx512_put16(m, high, wcodeci_avx512_load(planes[1] + i), dst + 2 * i);
        break;
    case WCODEC_SPLIT_BF16:     /* the other eight bits: sign, mantissa */
        rest = wcodeci_avx512_load(planes[1] + i);
        high = _mm512_ternarylogic_epi64(high, rest, wcodeci_avx512_bytes(127), WCODECI_C_CHOOSES_A_OR_B);
        low = _mm512_ternarylogic_epi64(rest, low, wcodeci_avx512_bytes(127), WCODECI_C_CHOOSES_A_OR_B);
        wcodeci_avx512_put16(m, high, low, dst + 2 * i);
        break;
    case WCODEC_SPLIT_WORD32:
    case WCODEC_SPLIT_F32:
        b[3] = high;
        b[2] = rest = wcodeci_avx512_load(planes[1] + i);
        if (split == WCODEC_SPLIT_F32) {
            b[3] = _mm512_ternarylogic_epi64(high, rest, wcodeci_avx512_bytes(127), WCODECI_C_CHOOSES_A_OR_B);
            b[2] = _mm512_ternarylogic_epi64(rest, low, wcodeci_avx512_bytes(127), WCODECI_C_CHOOSES_A_OR_B);
        }
        b[1] = wcodeci_avx512_load(planes[2] + i);
        b[0] = wcodeci_avx512_load(planes[3] + i);
        wcodeci_avx512_put32(m, b, dst + 4 * i);
        break;
    case WCODEC_SPLIT_WORD64:
    case WCODEC_SPLIT_F64:      /* the other eight bits: sign, three of the exponent; four of the mantissa */
        rest = wcodeci_avx512_load(planes[1] + i);
        if (split == WCODEC_SPLIT_F64) {
            high = _mm512_ternarylogic_epi64(high, rest, wcodeci_avx512_bytes(15), WCODECI_A_OR_B_AND_NOT_C);
            rest = _mm512_ternarylogic_epi64(low, rest, wcodeci_avx512_bytes(15), WCODECI_A_OR_B_AND_C);
        }
        wcodeci_avx512_put64(m, high, rest, planes, i, dst + 8 * i);
        break;
    case WCODEC_SPLIT_F16:      /* the three bits: sign, two of the mantissa */
    case WCODEC_SPLIT_F8_E5M2:
        rest = packed ? wcodeci_avx512_unpack3(planes[1] + i / 8 * 3) : wcodeci_avx512_load(planes[1] + i);
        rest = _mm512_ternarylogic_epi64(_mm512_slli_epi16(rest, 5), rest, wcodeci_avx512_bytes(3),
                                         WCODECI_A_OR_B_AND_C);     /* sign at 7, rubbish at 5 and 6 */
        high = _mm512_ternarylogic_epi64(high, rest, wcodeci_avx512_bytes(0x83), WCODECI_A_OR_B_AND_C);
        if (split == WCODEC_SPLIT_F16)
            wcodeci_avx512_put16(m, high, wcodeci_avx512_load(planes[2] + i), dst + 2 * i);
        else
            wcodeci_avx512_store(dst + i, high);
        break;
    case WCODEC_SPLIT_F8_E4M3:
        rest = packed ? wcodeci_avx512_unpack4(planes[1] + i / 2) : wcodeci_avx512_load(planes[1] + i);
        rest = _mm512_add_epi8(rest, _mm512_and_si512(rest, wcodeci_avx512_bytes(8)));      /* bit 3 to 4 */
        rest = _mm512_ternarylogic_epi64(_mm512_slli_epi16(rest, 3), rest, wcodeci_avx512_bytes(7),
                                         WCODECI_A_OR_B_AND_C);
        high = _mm512_ternarylogic_epi64(high, rest, wcodeci_avx512_bytes(0x87), WCODECI_A_OR_B_AND_C);
        wcodeci_avx512_store(dst + i, high);
        break;
    case WCODEC_SPLIT_BF16_4:
        wcodeci_avx512_upper(packed, planes, i, &high, &low);
        wcodeci_avx512_put16(m, high, low, dst + 2 * i);
        break;
    case WCODEC_SPLIT_F32_4:
        wcodeci_avx512_upper(packed, planes, i, &high, &low);
        b[3] = high;
        b[2] = low;
        b[1] = wcodeci_avx512_load(planes[3] + i);
        b[0] = wcodeci_avx512_load(planes[4] + i);
        wcodeci_avx512_put32(m, b, dst + 4 * i);
        break;
    case WCODEC_SPLIT_F16_4:    /* the third plane: sign, six bits of the mantissa */
        rest = packed ? wcodeci_avx512_unpack7(planes[2] + i / 8 * 7) : wcodeci_avx512_load(planes[2] + i);
        low = _mm512_ternarylogic_epi64(low, rest, wcodeci_avx512_bytes(63), WCODECI_A_OR_B_AND_C);
        wcodeci_avx512_place(WCODEC_SPLIT_F16, wcodeci_avx512_load(planes[0] + i), &b[0], &b[1]);
        high = _mm512_ternarylogic_epi64(_mm512_or_si512(high, b[0]), _mm512_add_epi8(rest, rest),
                                         wcodeci_avx512_bytes(128), WCODECI_A_OR_B_AND_C);
        wcodeci_avx512_put16(m, high, low, dst + 2 * i);
        break;
    default:                    /* NIBBLES */
        rest = packed ? wcodeci_avx512_unpack4(planes[1] + i / 2) : wcodeci_avx512_load(planes[1] + i);
        wcodeci_avx512_store(dst + i, _mm512_or_si512(high, rest));
        break;
    }
}

/* Copies what the stores to a destination could change for all that the compiler knows. */
WCODECI_AVX512_INLINE void wcodeci_avx512_planes(unsigned split, const wcodeci_byte *const *planes,
                                                 const wcodeci_byte **own)
{
    unsigned k;
    for (k = 0; k < WCODEC_MAX_PLANES; k++)
        own[k] = split < WCODEC_SPLIT_COUNT && k < wcodeci_splits[split].planes ? planes[k] : NULL;
}

/* ---- rANS-16 ---- */

/* (value[symbol] + (q >> 2)) & mask; the symbol has its class above, and what else: `value` is the same 16 bytes
 * four times, and a permutation looks at six bits. */
WCODECI_AVX512_INLINE __m512i wcodeci_avx512_shifted(unsigned split, __m512i value, __m512i symbol, __m512i q,
                                                     __m512i mask)
{
    const __m512i shift = _mm512_and_si512(_mm512_srli_epi16(q, 2), wcodeci_avx512_bytes(63));
    const __m512i sum = _mm512_add_epi8(_mm512_permutexvar_epi8(symbol, value), shift);
    return split == WCODEC_SPLIT_BF16 || split == WCODEC_SPLIT_F32 ? sum : _mm512_and_si512(sum, mask);
}

/* The processor's own looking ahead begins anew with every chunk of q: an eighth of a tile's time on Zen 4. */
WCODECI_AVX512_INLINE void wcodeci_avx512_ahead(const wcodeci_byte *p)
{
    _mm_prefetch((const char *)((uintptr_t)p + 1024), _MM_HINT_T0);
}

WCODECI_AVX512_INLINE void wcodeci_avx512_fetch(unsigned split, int packed, const wcodeci_byte *const *plane,
                                                size_t i)
{
    unsigned k;
    if (split == WCODEC_SPLIT_COUNT) return;
    for (k = 0; k < wcodeci_splits[split].planes; k++) {
        const unsigned width = wcodeci_splits[split].plane[k].width;
        if (k == wcodeci_split_fused(split)) continue;
        if (width == 8) wcodeci_avx512_ahead(plane[k] + i);
        else wcodeci_avx512_ahead(plane[k] + (packed ? i / 8 * width : i));
    }
}

/* Rounds of `groups` times 64 lanes; a constant, as are classes, split and packed.  split WCODEC_SPLIT_COUNT:
 * the values themselves. */
WCODECI_AVX512_INLINE size_t wcodeci_avx512_rounds(wcodeci_rans16 *r, unsigned groups, unsigned classes,
                                                   unsigned split, int packed,
                                                   const wcodeci_byte *const *planes, wcodeci_byte *dst,
                                                   size_t n)
{
    const wcodeci_avx512_tables tables = wcodeci_avx512_open(r, classes);
    const __m512i value = wcodeci_avx512_table(r->value), mask = wcodeci_avx512_bytes(r->mask);
    const wcodeci_byte *p = r->p, *const limit = r->limit, *const q = r->q, *plane[WCODEC_MAX_PLANES];
    wcodeci_avx512_merger merger = wcodeci_avx512_merger_make();
    __m512i high[4], low[4], symbol[4], scale[4];
    size_t i = 0;
    unsigned g;
    wcodeci_avx512_place(split, value, &merger.high, &merger.low);
    wcodeci_avx512_planes(split, planes, plane);
    for (g = 0; g < groups; g++) {
        high[g] = wcodeci_avx512_load(r->high + 64 * g);
        low[g] = wcodeci_avx512_load(r->low + 64 * g);
    }
    for (; n - i >= 64 * groups && (size_t)(limit - p) >= 64 * groups; i += 64 * groups) {
        if (classes > 1) {
            WCODECI_UNROLL_4
            for (g = 0; g < groups; g++) scale[g] = wcodeci_avx512_load(q + i + 64 * g);
        }
        if (classes > 1) {
            WCODECI_UNROLL_4
            for (g = 0; g < groups; g++) wcodeci_avx512_fetch(split, packed, plane, i + 64 * g);
            wcodeci_avx512_ahead(p);
        }
        wcodeci_avx512_step(&tables, groups, classes, scale, high, low, symbol, &p);
        WCODECI_UNROLL_4
        for (g = 0; g < groups; g++) {
            __m512i upper, lower;
            if (classes == 1) {
                upper = _mm512_shuffle_epi8(merger.high, symbol[g]);
                lower = _mm512_shuffle_epi8(merger.low, symbol[g]);
            } else {
                const __m512i v = wcodeci_avx512_shifted(split, value, symbol[g], scale[g], mask);
                wcodeci_avx512_place(split, v, &upper, &lower);
            }
            if (split == WCODEC_SPLIT_COUNT) wcodeci_avx512_store(dst + i + 64 * g, upper);
            else wcodeci_avx512_merge(&merger, split, packed, upper, lower, plane, dst, i + 64 * g);
        }
    }
    for (g = 0; g < groups; g++) {
        wcodeci_avx512_store(r->high + 64 * g, high[g]);
        wcodeci_avx512_store(r->low + 64 * g, low[g]);
    }
    r->p = p;
    return i;
}

WCODECI_AVX512_INLINE size_t wcodeci_avx512_lanes(wcodeci_rans16 *r, unsigned classes, unsigned split,
                                                  int packed, const wcodeci_byte *const *planes,
                                                  wcodeci_byte *dst, size_t n)
{
    switch (r->lanes) {
    case 64: return wcodeci_avx512_rounds(r, 1, classes, split, packed, planes, dst, n);
    case 128: return wcodeci_avx512_rounds(r, 2, classes, split, packed, planes, dst, n);
    default: return wcodeci_avx512_rounds(r, 4, classes, split, packed, planes, dst, n);
    }
}

WCODECI_AVX512 static size_t wcodeci_avx512_rans16(wcodeci_rans16 *r, wcodeci_byte *v, size_t n)
{
    return wcodeci_avx512_lanes(r, 1, WCODEC_SPLIT_COUNT, 0, NULL, v, n);
}

WCODECI_AVX512 static size_t wcodeci_avx512_classes(wcodeci_rans16 *r, wcodeci_byte *v, size_t n)
{
    return wcodeci_avx512_lanes(r, WCODECI_CLASSES, WCODEC_SPLIT_COUNT, 0, NULL, v, n);
}

#define WCODECI_UNITS(name, classes, split, packed) \
    WCODECI_AVX512 static size_t wcodeci_avx512_##name(wcodeci_rans16 *r, const wcodeci_byte *const *planes, \
                                                       wcodeci_byte *dst, size_t n) \
    { \
        return wcodeci_avx512_lanes(r, classes, split, packed, planes, dst, n); \
    }
WCODECI_UNITS(bf16, 1, WCODEC_SPLIT_BF16, 0)
WCODECI_UNITS(f16, 1, WCODEC_SPLIT_F16, 0)
WCODECI_UNITS(f16_packed, 1, WCODEC_SPLIT_F16, 1)
WCODECI_UNITS(f32, 1, WCODEC_SPLIT_F32, 0)
WCODECI_UNITS(e4m3, 1, WCODEC_SPLIT_F8_E4M3, 0)
WCODECI_UNITS(e4m3_packed, 1, WCODEC_SPLIT_F8_E4M3, 1)
WCODECI_UNITS(e5m2, 1, WCODEC_SPLIT_F8_E5M2, 0)
WCODECI_UNITS(e5m2_packed, 1, WCODEC_SPLIT_F8_E5M2, 1)
WCODECI_UNITS(nibbles, 1, WCODEC_SPLIT_NIBBLES, 0)
WCODECI_UNITS(nibbles_packed, 1, WCODEC_SPLIT_NIBBLES, 1)
WCODECI_UNITS(bf16_classes, WCODECI_CLASSES, WCODEC_SPLIT_BF16, 0)
WCODECI_UNITS(f16_classes, WCODECI_CLASSES, WCODEC_SPLIT_F16, 0)
WCODECI_UNITS(f16_classes_packed, WCODECI_CLASSES, WCODEC_SPLIT_F16, 1)
WCODECI_UNITS(f32_classes, WCODECI_CLASSES, WCODEC_SPLIT_F32, 0)
WCODECI_UNITS(bf16_4_classes_packed, WCODECI_CLASSES, WCODEC_SPLIT_BF16_4, 1)
WCODECI_UNITS(f16_4_classes_packed, WCODECI_CLASSES, WCODEC_SPLIT_F16_4, 1)
WCODECI_UNITS(f32_4_classes_packed, WCODECI_CLASSES, WCODEC_SPLIT_F32_4, 1)

/* ---- merging, unpacking, predictors ---- */

#define WCODECI_MERGE(name, split) \
    WCODECI_AVX512 static size_t wcodeci_avx512_merge_##name(const wcodeci_byte *const *planes, \
                                                             wcodeci_byte *dst, size_t n) \
    { \
        const wcodeci_avx512_merger merger = wcodeci_avx512_merger_make(); \
        const wcodeci_byte *plane[WCODEC_MAX_PLANES]; \
        size_t i; \
        wcodeci_avx512_planes(split, planes, plane); \
        for (i = 0; n - i >= 64; i += 64) { \
            __m512i high, low; \
            wcodeci_avx512_place(split, wcodeci_avx512_load(plane[wcodeci_split_fused(split)] + i), &high, \
                                 &low); \
            wcodeci_avx512_merge(&merger, split, 0, high, low, plane, dst, i); \
        } \
        return i; \
    }
WCODECI_MERGE(word16, WCODEC_SPLIT_WORD16)
WCODECI_MERGE(word32, WCODEC_SPLIT_WORD32)
WCODECI_MERGE(word64, WCODEC_SPLIT_WORD64)
WCODECI_MERGE(bf16, WCODEC_SPLIT_BF16)
WCODECI_MERGE(f16, WCODEC_SPLIT_F16)
WCODECI_MERGE(f32, WCODEC_SPLIT_F32)
WCODECI_MERGE(f64, WCODEC_SPLIT_F64)
WCODECI_MERGE(e4m3, WCODEC_SPLIT_F8_E4M3)
WCODECI_MERGE(e5m2, WCODEC_SPLIT_F8_E5M2)
WCODECI_MERGE(nibbles, WCODEC_SPLIT_NIBBLES)
WCODECI_MERGE(bf16_4, WCODEC_SPLIT_BF16_4)
WCODECI_MERGE(f16_4, WCODEC_SPLIT_F16_4)
WCODECI_MERGE(f32_4, WCODEC_SPLIT_F32_4)

WCODECI_AVX512_INLINE size_t wcodeci_avx512_unpack_as(const wcodeci_byte *src, unsigned width,
                                                      wcodeci_byte *v, size_t n)
{
    size_t i;
    for (i = 0; n - i >= 64; i += 64, src += 8 * width) {
        const wcodeci_byte *part = src;
        __m512i x = _mm512_setzero_si512();
        if (width & 4) {
            x = wcodeci_avx512_unpack4(part);
            part += 32;
        }
        if (width & 2) {
            x = _mm512_or_si512(_mm512_slli_epi16(x, 2), wcodeci_avx512_unpack2(part));
            part += 16;
        }
        if (width & 1) x = _mm512_or_si512(_mm512_add_epi8(x, x), wcodeci_avx512_unpack1(part));
        wcodeci_avx512_store(v + i, x);
    }
    return i;
}

WCODECI_AVX512 static size_t wcodeci_avx512_unpack(const wcodeci_byte *src, unsigned width, wcodeci_byte *v,
                                                   size_t n)
{
    switch (width) {
    case 1: return wcodeci_avx512_unpack_as(src, 1, v, n);
    case 2: return wcodeci_avx512_unpack_as(src, 2, v, n);
    case 3: return wcodeci_avx512_unpack_as(src, 3, v, n);
    case 4: return wcodeci_avx512_unpack_as(src, 4, v, n);
    case 5: return wcodeci_avx512_unpack_as(src, 5, v, n);
    case 6: return wcodeci_avx512_unpack_as(src, 6, v, n);
    default: return wcodeci_avx512_unpack_as(src, 7, v, n);
    }
}

/* For distances from 1 to 63, n at least the distance; `steps` is the lowest number for which distance <<
 * steps is at least 64.  After step k a value is the sum of up to 2^(k+1) values, `distance` apart, of its
 * own vector; the last values of the vector before, over and over, make up for what is missing.  Returns
 * where it ended. */
WCODECI_AVX512_INLINE size_t wcodeci_avx512_unpredict_near(wcodeci_byte *v, size_t n, size_t distance,
                                                           unsigned mask, unsigned steps)
{
    const __m512i low = wcodeci_avx512_bytes(mask);
    __m512i from[6], repeat, last;
    __mmask64 inside[6];
    wcodeci_byte index[64];
    size_t i, at;
    unsigned k, j;
    for (j = 0; j < 64; j++) index[j] = (wcodeci_byte)j;
    for (k = 0; k < steps; k++) {
        inside[k] = ~(__mmask64)0 << (distance << k);
        from[k] = _mm512_sub_epi8(wcodeci_avx512_load(index), wcodeci_avx512_bytes((unsigned)distance << k));
    }
    for (j = 0, at = 0; j < 64; j++) {
        index[j] = (wcodeci_byte)(64 - distance + at);
        if (++at == distance) at = 0;
    }
    repeat = wcodeci_avx512_load(index);
    last = _mm512_maskz_expandloadu_epi8(~(__mmask64)0 << (64 - distance), v);
    for (i = distance; n - i >= 64; i += 64) {
        __m512i x = wcodeci_avx512_load(v + i);
        WCODECI_UNROLL_16
        for (k = 0; k < steps; k++)
            x = _mm512_add_epi8(x, _mm512_maskz_permutexvar_epi8(inside[k], from[k], x));
        last = _mm512_and_si512(_mm512_add_epi8(x, _mm512_permutexvar_epi8(repeat, last)), low);
        wcodeci_avx512_store(v + i, last);
    }
    return i;
}

WCODECI_AVX512 static void wcodeci_avx512_unpredict(wcodeci_byte *v, size_t n, size_t distance, unsigned mask)
{
    size_t i = distance;
    if (n < distance) return;
    if (distance >= 64) {
        const __m512i low = wcodeci_avx512_bytes(mask);
        for (; n - i >= 64; i += 64)
            wcodeci_avx512_store(v + i, _mm512_and_si512(low, _mm512_add_epi8(
                wcodeci_avx512_load(v + i), wcodeci_avx512_load(v + i - distance))));
    } else if (distance >= 32) {
        i = wcodeci_avx512_unpredict_near(v, n, distance, mask, 1);
    } else if (distance >= 16) {
        i = wcodeci_avx512_unpredict_near(v, n, distance, mask, 2);
    } else if (distance >= 8) {
        i = wcodeci_avx512_unpredict_near(v, n, distance, mask, 3);
    } else if (distance >= 4) {
        i = wcodeci_avx512_unpredict_near(v, n, distance, mask, 4);
    } else if (distance >= 2) {
        i = wcodeci_avx512_unpredict_near(v, n, distance, mask, 5);
    } else if (distance == 1) {
        i = wcodeci_avx512_unpredict_near(v, n, 1, mask, 6);
    }
    wcodeci_unpredict_scalar(v + (i - distance), n - (i - distance), distance, mask);
}

/* ---- scales and classes ---- */

WCODECI_AVX512 static void wcodeci_avx512_scale(const wcodeci_byte *columns, unsigned row, wcodeci_byte *q,
                                                size_t n)
{
    const __m512i add = wcodeci_avx512_bytes(row);
    size_t i;
    for (i = 0; n - i >= 64; i += 64)
        wcodeci_avx512_store(q + i, _mm512_add_epi8(wcodeci_avx512_load(columns + i), add));
    if (i < n) {
        const __mmask64 left = ((__mmask64)1 << (n - i)) - 1;
        _mm512_mask_storeu_epi8(q + i, left,
                                _mm512_add_epi8(_mm512_maskz_loadu_epi8(left, columns + i), add));
    }
}

WCODECI_AVX512 static void wcodeci_avx512_classes_of(const wcodeci_class_map *map, const wcodeci_byte *first,
                                                     const wcodeci_byte *q, wcodeci_byte *classes, size_t n)
{
    const __m512i table = wcodeci_avx512_load(map->class_of), base = wcodeci_avx512_bytes(map->base);
    const __m512i mask = wcodeci_avx512_bytes(map->mask), most = wcodeci_avx512_bytes(15);
    size_t i;
    for (i = 0; n - i >= 64; i += 64) {
        const __m512i scale = q ? wcodeci_avx512_load(q + i) : _mm512_setzero_si512();
        const __m512i shift = _mm512_and_si512(_mm512_srli_epi16(scale, 2), wcodeci_avx512_bytes(63));
        const __m512i p = _mm512_sub_epi8(wcodeci_avx512_load(first + i), _mm512_add_epi8(shift, base));
        const __m512i t = _mm512_min_epu8(_mm512_and_si512(p, mask), most);
        const __m512i k = _mm512_ternarylogic_epi64(_mm512_slli_epi16(scale, 4), t, most,
                                                    WCODECI_A_AND_NOT_C_OR_B);
        wcodeci_avx512_store(classes + i, _mm512_permutexvar_epi8(k, table));
    }
    wcodeci_classes_scalar(map, first + i, q ? q + i : NULL, classes + i, n - i);
}

/* ---- rANS-256 ---- */

/* Four groups of eight lanes: each waits for its own gather, and shorter ones are sooner done.  (On Zen 4 1.9
 * to 2.2 GB/s, where two groups of 16 lanes reach 1.8 and scalar code 0.6; single loads and inserts reach
 * between 1.6 and 2.3, as the compiler pleases.) */
WCODECI_AVX512 static size_t wcodeci_avx512_rans256(uint32_t state[32], const uint32_t *table,
                                                    const wcodeci_byte **src, const wcodeci_byte *end,
                                                    wcodeci_byte *v, size_t n)
{
    const __m256i slots = _mm256_set1_epi32(4095), bound = _mm256_set1_epi32(65536);
    const wcodeci_byte *p = *src;
    __m256i x[4];
    size_t i = 0;
    unsigned g;
    for (g = 0; g < 4; g++) x[g] = _mm256_loadu_si256((const __m256i *)(const void *)(state + 8 * g));
    for (; n - i >= 32 && end - p >= 64; i += 32) {
        WCODECI_UNROLL_4
        for (g = 0; g < 4; g++) {
            const __m256i e = _mm256_i32gather_epi32((const int *)(const void *)table,
                                                     _mm256_and_si256(x[g], slots), 4);
            const __m256i freq = _mm256_and_si256(_mm256_srli_epi32(e, 8), slots);
            const __m256i y = _mm256_add_epi32(_mm256_mullo_epi32(freq, _mm256_srli_epi32(x[g], 12)),
                                               _mm256_srli_epi32(e, 20));
            const __mmask8 low = _mm256_cmplt_epu32_mask(y, bound);
            const __m256i words = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
            x[g] = _mm256_mask_or_epi32(y, low, _mm256_slli_epi32(y, 16),
                                        _mm256_maskz_expand_epi32(low, words));
            p += 2 * _mm_popcnt_u32(low);
            _mm_storel_epi64((__m128i *)(void *)(v + i + 8 * g), _mm256_cvtepi32_epi8(e));
        }
    }
    for (g = 0; g < 4; g++) _mm256_storeu_si256((__m256i *)(void *)(state + 8 * g), x[g]);
    *src = p;
    return i;
}

/* ---- past the caches ---- */

WCODECI_AVX512 static void wcodeci_avx512_stream(wcodeci_byte *dst, const wcodeci_byte *src, size_t n)
{
    const size_t head = wcodeci_min((64 - ((uintptr_t)dst & 63)) & 63, n);
    size_t i;
    wcodeci_prefetch(dst + n);
    memcpy(dst, src, head);
    for (i = head; n - i >= 64; i += 64)
        _mm512_stream_si512((__m512i *)(void *)(dst + i), wcodeci_avx512_load(src + i));
    memcpy(dst + i, src + i, n - i);
}

static const wcodeci_kernels wcodeci_kernels_avx512 = {
    "avx512", { wcodeci_avx512_rans16, wcodeci_avx512_classes },
    { { NULL, NULL, NULL, NULL, wcodeci_avx512_bf16, wcodeci_avx512_f16, wcodeci_avx512_f32, NULL,
      wcodeci_avx512_e4m3, wcodeci_avx512_e5m2, wcodeci_avx512_nibbles },
      { NULL, NULL, NULL, NULL, wcodeci_avx512_bf16_classes, wcodeci_avx512_f16_classes,
        wcodeci_avx512_f32_classes, NULL, NULL, NULL, NULL } },
    { { NULL, NULL, NULL, NULL, NULL, wcodeci_avx512_f16_packed, NULL, NULL,
      wcodeci_avx512_e4m3_packed, wcodeci_avx512_e5m2_packed, wcodeci_avx512_nibbles_packed },
      { NULL, NULL, NULL, NULL, NULL, wcodeci_avx512_f16_classes_packed, NULL, NULL, NULL, NULL, NULL,
        wcodeci_avx512_bf16_4_classes_packed, wcodeci_avx512_f16_4_classes_packed,
        wcodeci_avx512_f32_4_classes_packed } },
    wcodeci_avx512_rans256,
    { NULL, wcodeci_avx512_merge_word16, wcodeci_avx512_merge_word32, wcodeci_avx512_merge_word64,
      wcodeci_avx512_merge_bf16, wcodeci_avx512_merge_f16, wcodeci_avx512_merge_f32, wcodeci_avx512_merge_f64,
      wcodeci_avx512_merge_e4m3, wcodeci_avx512_merge_e5m2, wcodeci_avx512_merge_nibbles,
      wcodeci_avx512_merge_bf16_4, wcodeci_avx512_merge_f16_4, wcodeci_avx512_merge_f32_4 },
    wcodeci_avx512_unpack, wcodeci_avx512_unpredict, wcodeci_avx512_scale, wcodeci_avx512_classes_of,
    wcodeci_avx512_stream, wcodeci_avx2_streamed
};

#if defined(__GNUC__) && !defined(__clang__) && defined(__cplusplus)
#pragma GCC diagnostic pop
#endif

#endif
