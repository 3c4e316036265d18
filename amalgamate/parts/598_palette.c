/* ------------------------------------------------------------------------------------------------
 * Palettes (private): units that are few, or few times a scale
 * A tile of such a split has one plane, of indices, and a table beside it (format section 6.2): the units
 * themselves, or one scale for each run of units, of which the index says how many times.  The product is that of
 * floating-point numbers, in integers, so that it is the same everywhere.
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_PALETTE 256                 /* units, at most */

/* Is the split one with a table, of a palette, a linear one? */
WCODECI_INLINE int wcodeci_split_indexed(unsigned split) { return split >= WCODEC_SPLIT_PALETTE16; }

WCODECI_INLINE int wcodeci_split_palette(unsigned split)
{
    return split >= WCODEC_SPLIT_PALETTE16 && split <= WCODEC_SPLIT_PALETTE64;
}

WCODECI_INLINE int wcodeci_split_linear(unsigned split) { return split >= WCODEC_SPLIT_LINEAR_BF16; }

/* What the record's fields say of the table. */
typedef struct wcodeci_palette {
    size_t count;               /* units; of linear splits: scales */
    unsigned width;             /* bits an index */
    unsigned zero;              /* linear: the index of 0, */
    unsigned bytes;             /* those of a scale that are stored, the upper ones, */
    size_t run;                 /* and the units that share one */
    size_t size;                /* bytes of the table */
} wcodeci_palette;

/* The fewest bits, at least 1, that hold 0 ... most. */
static unsigned wcodeci_palette_width(unsigned most)
{
    unsigned width = 1;
    while (most >> width) width++;
    return width;
}

/* x / 2^shift, rounded to nearest, ties to even; shift 0 to 40. */
WCODECI_INLINE uint32_t wcodeci_round_shift(uint64_t x, unsigned shift)
{
    const uint64_t q = x >> shift, rest = x & (((uint64_t)1 << shift) - 1), half = ((uint64_t)1 << shift) >> 1;
    return (uint32_t)(q + (shift && (rest > half || (rest == half && (q & 1)))));
}

WCODECI_INLINE unsigned wcodeci_bit_length(uint32_t x)
{
    unsigned n = 0;
    if (x >> 16) n = 16;
    if (x >> n >> 8) n += 8;
    if (x >> n >> 4) n += 4;
    if (x >> n >> 2) n += 2;
    return n + (x >> n > 1 ? 2 : x >> n);
}

/* The bits of k times an FP32 number, 0 <= k <= 255, rounded to FP32.  `scale`: its bits but the sign; it is finite. */
WCODECI_INLINE uint32_t wcodeci_scale_times(uint32_t scale, unsigned k)
{
    const unsigned e = scale >> 23 ? scale >> 23 : 1;
    const uint32_t m = (scale & 0x7FFFFF) | (scale >> 23 ? 0x800000u : 0), p = m * k;   /* below 2^32 */
    const unsigned length = wcodeci_bit_length(p);
    /* A normal number has 24 bits at least, and a subnormal one keeps its exponent: so nothing moves up. */
    const unsigned shift = length > 24 ? length - 24 : 0;
    uint32_t bits;
    if (e + shift >= 255) return p ? 0x7F800000u : 0;
    bits = wcodeci_round_shift(p, shift);
    if (bits >= 0x800000) bits += (e + shift - 1) << 23;
    return bits;
}

/* FP32 without sign, not NaN, rounded to BF16 or FP16. */
WCODECI_INLINE uint32_t wcodeci_to_bf16(uint32_t x) { return (x + 0x7FFF + (x >> 16 & 1)) >> 16; }

WCODECI_INLINE uint32_t wcodeci_to_f16(uint32_t x)
{
    const unsigned e = x >> 23;
    const uint32_t m = (x & 0x7FFFFF) | 0x800000;
    uint32_t bits;
    if (e >= 143) return 0x7C00;
    if (e < 102) return 0;                      /* below half the smallest */
    if (e < 113) return wcodeci_round_shift(m, 13 + (113 - e));
    bits = wcodeci_round_shift(m, 13) + ((e - 113) << 10);
    return bits < 0x7C00 ? bits : 0x7C00;
}

/* The unit of a linear split that is k times a scale, |k| <= 255; 0 has the scale's sign. */
WCODECI_INLINE uint32_t wcodeci_linear_unit(unsigned split, uint32_t scale, int k)
{
    const uint32_t x = wcodeci_scale_times(scale & 0x7FFFFFFF, (unsigned)(k < 0 ? -k : k));
    const uint32_t sign = (scale >> 31) ^ (k < 0);
    if (split == WCODEC_SPLIT_LINEAR_BF16) return wcodeci_to_bf16(x) | sign << 15;
    if (split == WCODEC_SPLIT_LINEAR_F16) return wcodeci_to_f16(x) | sign << 15;
    return x | sign << 31;
}

WCODECI_INLINE size_t wcodeci_palette_runs(size_t n, size_t run) { return (n - 1) / run + 1; }

/* Scale number i of a table, from the bytes that are stored. */
WCODECI_INLINE uint32_t wcodeci_linear_scale(const wcodeci_byte *table, unsigned bytes, size_t i)
{
    uint32_t scale = 0;
    unsigned b;
    for (b = 0; b < bytes; b++) scale |= (uint32_t)table[i * bytes + b] << 8 * (4 - bytes + b);
    return scale;
}

WCODECI_INLINE void wcodeci_palette_body(const wcodeci_byte *index, const wcodeci_byte *units, unsigned unit,
                                         wcodeci_byte *dst, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++)
        wcodeci_store_unit(dst + i * unit, unit, wcodeci_load_unit(units + index[i] * unit, unit));
}

static void wcodeci_palette_units(const wcodeci_byte *index, const wcodeci_byte *units, unsigned unit,
                                  wcodeci_byte *dst, size_t n)
{
    switch (unit) {
    case 2: wcodeci_palette_body(index, units, 2, dst, n); break;
    case 4: wcodeci_palette_body(index, units, 4, dst, n); break;
    default: wcodeci_palette_body(index, units, 8, dst, n); break;
    }
}

/* Puts n units of a palette together.  room: 2048 bytes. */
static const char *wcodeci_palette_decode(const wcodeci_palette *p, unsigned unit, const wcodeci_byte *table,
                                          const wcodeci_byte *index, wcodeci_byte *room, wcodeci_byte *dst,
                                          size_t n)
{
    unsigned highest = 0;
    size_t i;
    memset(room, 0, WCODECI_PALETTE * (size_t)unit);
    memcpy(room, table, p->size);
    for (i = 1; i < p->count; i++)
        if (wcodeci_load_unit(table + i * unit, unit) <= wcodeci_load_unit(table + (i - 1) * unit, unit))
            return "a palette's units do not rise";
    if (p->count < (size_t)1 << p->width)
        for (i = 0; i < n; i++) highest = index[i] > highest ? index[i] : highest;
    if (highest >= p->count) return "an index beyond a palette's units";
    wcodeci_palette_units(index, room, unit, dst, n);
    return NULL;
}

/* The same of a linear split. */
static const char *wcodeci_linear_decode(const wcodeci_palette *p, unsigned split, unsigned unit,
                                         const wcodeci_byte *table, const wcodeci_byte *index, wcodeci_byte *room,
                                         wcodeci_byte *dst, size_t n)
{
    const unsigned values = 1u << p->width;
    size_t at, run = 0;
    for (at = 0; at < n; at += p->run, run++) {
        const size_t count = wcodeci_min(p->run, n - at);
        const uint32_t scale = wcodeci_linear_scale(table, p->bytes, run);
        wcodeci_byte *to = dst + at * unit;
        size_t i;
        if ((scale >> 23 & 255) == 255) return "a scale that is not finite";
        if (count < values) {
            for (i = 0; i < count; i++)
                wcodeci_store_unit(to + i * unit, unit,
                                   wcodeci_linear_unit(split, scale, (int)index[at + i] - (int)p->zero));
            continue;
        }
        for (i = 0; i < values; i++)
            wcodeci_store_unit(room + i * unit, unit, wcodeci_linear_unit(split, scale, (int)i - (int)p->zero));
        wcodeci_palette_units(index + at, room, unit, to, count);
    }
    return NULL;
}
