/* ------------------------------------------------------------------------------------------------
 * Predictors (private): differences from the left neighbour, from the row above, or from a scale
 * On planes they work modulo 2^width, on whole units modulo 2^(8 unit).
 *
 * The scale model: rows and columns of a matrix of weights differ in size, and what is left of an exponent when
 * both are known is more alike.  Each row and each column has a byte, in quarter steps of log2; value i's q is
 * the sum of both, q >> 2 is taken off the exponent, and q & 3 chooses one of four tables for what is left.
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_MIN_COLUMNS 8
#define WCODECI_Q_CHUNK 8192        /* values whose q is made at a time: it stays in the first-level cache */

/* The scales of a tile's values: value i stands in column (phase + i) % width. */
typedef struct wcodeci_scaled {
    const wcodeci_byte *columns, *rows;     /* rows: one for each that the tile touches */
    size_t width, phase;                    /* phase: below width */
} wcodeci_scaled;

/* How many rows n values touch. */
static size_t wcodeci_scaled_rows(size_t width, size_t phase, size_t n) { return (phase + n - 1) / width + 1; }

/* Makes q of values i ... i + n - 1. */
static void wcodeci_scaled_q(const wcodeci_kernels *kernels, const wcodeci_scaled *s, size_t i,
                             wcodeci_byte *q, size_t n)
{
    const size_t place = s->phase + i;
    size_t row = place / s->width, column = place % s->width;
    while (n) {
        const size_t take = wcodeci_min(n, s->width - column);
        kernels->scale(s->columns + column, s->rows[row], q, take);
        q += take;
        n -= take;
        column = 0;
        row++;
    }
}

/* Eight bytes at a time: the lower seven bits of each are added, the top one is the sum without carry. */
static void wcodeci_scale_scalar(const wcodeci_byte *columns, unsigned row, wcodeci_byte *q, size_t n)
{
    const uint64_t seven = (uint64_t)0x7F7F7F7F7F7F7F7Fu;
    const uint64_t add = (uint64_t)0x0101010101010101u * (row & 255);
    size_t i;
    for (i = 0; n - i >= 8; i += 8) {
        const uint64_t x = wcodeci_load64(columns + i);
        wcodeci_store64(q + i, ((x & seven) + (add & seven)) ^ ((x ^ add) & ~seven));
    }
    for (; i < n; i++) q[i] = (wcodeci_byte)(columns[i] + row);
}

static void wcodeci_classes_scalar(const wcodeci_class_map *map, const wcodeci_byte *first,
                                   const wcodeci_byte *q, wcodeci_byte *classes, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) {
        const unsigned scale = q ? q[i] : 0, t = (first[i] - (scale >> 2) - map->base) & map->mask;
        classes[i] = map->class_of[(scale & 3) << 4 | (t < 15 ? t : 15)];
    }
}

/* Adds the scales to residuals, in place.  q: room for WCODECI_Q_CHUNK. */
static void wcodeci_unscale_plane(const wcodeci_kernels *kernels, const wcodeci_scaled *s, wcodeci_byte *v,
                                  size_t n, unsigned mask, wcodeci_byte *q)
{
    size_t i = 0, j;
    while (i < n) {
        const size_t take = wcodeci_min(n - i, WCODECI_Q_CHUNK);
        wcodeci_scaled_q(kernels, s, i, q, take);
        for (j = 0; j < take; j++) v[i + j] = (wcodeci_byte)((v[i + j] + (q[j] >> 2)) & mask);
        i += take;
    }
}

/* The distance to the value that predicts: values before it are kept as they are. */
static size_t wcodeci_predict_distance(unsigned predictor, uint64_t row, size_t n)
{
    return predictor == WCODEC_PREDICT_LEFT ? 1 : (size_t)wcodeci_min64(row, n);
}

static void wcodeci_unpredict_scalar(wcodeci_byte *v, size_t n, size_t distance, unsigned mask)
{
    size_t i;
    for (i = distance; i < n; i++) v[i] = (wcodeci_byte)((v[i] + v[i - distance]) & mask);
}

/* Undoes a plane's predictor in place. */
static void wcodeci_unpredict_plane(const wcodeci_kernels *kernels, wcodeci_byte *v, size_t n, unsigned width,
                                    unsigned predictor, uint64_t row)
{
    kernels->unpredict(v, n, wcodeci_predict_distance(predictor, row, n), (1u << width) - 1);
}

/* Undoes the unit predictor in place. */
static void wcodeci_unpredict_units(wcodeci_byte *p, size_t n, unsigned unit, unsigned predictor,
                                    uint64_t row)
{
    const size_t distance = wcodeci_predict_distance(predictor, row, n);
    size_t i;
    for (i = distance; i < n; i++)
        wcodeci_store_unit(p + i * unit, unit, wcodeci_load_unit(p + i * unit, unit)
                                               + wcodeci_load_unit(p + (i - distance) * unit, unit));
}

/* ---- differences from a base: eight bytes at a time, whatever the unit ----
 * In fine-tuned weights most differences of the bit patterns are small and of either sign.  With 0x80 added in each
 * byte they change the lowest byte alone: without it all bytes above would tell the sign once more. */

#define WCODECI_BASE_BIAS ((uint64_t)0x8080808080808080u)

/* The top bits of the units in eight bytes. */
static uint64_t wcodeci_unit_tops(unsigned unit)
{
    return unit == 1 ? WCODECI_BASE_BIAS : unit == 2 ? (uint64_t)0x8000800080008000u
         : unit == 4 ? (uint64_t)0x8000000080000000u : (uint64_t)0x8000000000000000u;
}

/* Sum and difference of each unit alone: the bits below the top ones neither carry nor borrow beyond them. */
WCODECI_INLINE uint64_t wcodeci_add_units(uint64_t x, uint64_t y, uint64_t top)
{
    return ((x & ~top) + (y & ~top)) ^ ((x ^ y) & top);
}

WCODECI_INLINE uint64_t wcodeci_subtract_units(uint64_t x, uint64_t y, uint64_t top)
{
    return ((x | top) - (y & ~top)) ^ ((x ^ ~y) & top);
}

/* What eight bytes and those of the base come to; `residuals`: make residuals, else undo them. */
WCODECI_INLINE uint64_t wcodeci_base_word(uint64_t x, uint64_t base, uint64_t top, int difference, int residuals)
{
    if (!difference) return x ^ base;
    if (residuals) return wcodeci_add_units(wcodeci_subtract_units(x, base, top), WCODECI_BASE_BIAS, top);
    return wcodeci_subtract_units(wcodeci_add_units(x, base, top), WCODECI_BASE_BIAS, top);
}

WCODECI_INLINE void wcodeci_base_body(const wcodeci_byte *src, const wcodeci_byte *base, wcodeci_byte *dst,
                                      size_t size, uint64_t top, int difference, int residuals)
{
    wcodeci_byte rest[16] = { 0 };
    size_t i;
    for (i = 0; size - i >= 8; i += 8)
        wcodeci_store64(dst + i, wcodeci_base_word(wcodeci_load64(src + i), wcodeci_load64(base + i), top,
                                                   difference, residuals));
    if (i == size) return;
    memcpy(rest, src + i, size - i);
    memcpy(rest + 8, base + i, size - i);
    wcodeci_store64(rest, wcodeci_base_word(wcodeci_load64(rest), wcodeci_load64(rest + 8), top, difference,
                                            residuals));
    memcpy(dst + i, rest, size - i);
}

/* Undoes a predictor by the base in place. */
static void wcodeci_unpredict_base(wcodeci_byte *p, const wcodeci_byte *base, size_t size, unsigned unit,
                                   unsigned predictor)
{
    if (predictor == WCODEC_PREDICT_BASE_XOR) wcodeci_base_body(p, base, p, size, 0, 0, 0);
    else wcodeci_base_body(p, base, p, size, wcodeci_unit_tops(unit), 1, 0);
}

#ifndef WCODEC_NO_ENCODER

static void wcodeci_predict_base(const wcodeci_byte *p, const wcodeci_byte *base, wcodeci_byte *residual,
                                 size_t size, unsigned unit, unsigned predictor)
{
    if (predictor == WCODEC_PREDICT_BASE_XOR) wcodeci_base_body(p, base, residual, size, 0, 0, 1);
    else wcodeci_base_body(p, base, residual, size, wcodeci_unit_tops(unit), 1, 1);
}

/* Eight bytes at a time: with the top bit set no byte borrows of the next, and that bit is the difference without
 * borrow. */
static void wcodeci_scale_off_scalar(const wcodeci_byte *v, const wcodeci_byte *columns, unsigned row,
                                     wcodeci_byte *q, wcodeci_byte *residual, size_t n, unsigned mask)
{
    const uint64_t ones = (uint64_t)0x0101010101010101u, top = ones << 7;
    size_t i;
    wcodeci_scale_scalar(columns, row, q, n);
    for (i = 0; n - i >= 8; i += 8) {
        const uint64_t x = wcodeci_load64(v + i), shift = wcodeci_load64(q + i) >> 2 & ones * 63;
        wcodeci_store64(residual + i, (((x | top) - shift) ^ (~x & top)) & ones * mask);
    }
    for (; i < n; i++) residual[i] = (wcodeci_byte)((v[i] - (q[i] >> 2)) & mask);
}

/* ---- what scales are fitted with ---- */

/* Exponent number `top` comes to `octaves` above level 0. */
static void wcodeci_fit_levels(wcodeci_fit *fit, unsigned top, unsigned octaves)
{
    unsigned i;
    fit->up = (wcodeci_byte)(top < octaves ? octaves - top : 0);
    fit->down = (wcodeci_byte)(top > octaves ? top - octaves : 0);
    for (i = 0; i < 256; i++) {
        const unsigned e = i + fit->up < 255 ? i + fit->up : 255;
        const unsigned above = e < fit->down ? 0 : e - fit->down;
        fit->level[i] = (wcodeci_byte)(above < 64 ? 4 * above : 255);
    }
}

/* WCODECI_FIT_ONE * 2^(-i / 4), rounded to nearest, of the first WCODECI_FIT_WEIGHTS; else 0. */
static const wcodeci_byte wcodeci_fit_weight[256] = {
    255, 214, 180, 152, 128, 107, 90, 76, 64, 54, 45, 38, 32, 27, 23, 19,
    16, 13, 11, 9, 8, 7, 6, 5, 4, 3, 3, 2, 2, 2, 1, 1
};

WCODECI_INLINE int wcodeci_clamp(int x, int least, int most) { return x < least ? least : x > most ? most : x; }

WCODECI_INLINE unsigned wcodeci_fit_level(const wcodeci_fit *fit, unsigned exponent, int scale)
{
    return (unsigned)wcodeci_clamp(fit->level[exponent] - (scale == -128 ? -127 : scale), 0, 255);
}

WCODECI_INLINE unsigned wcodeci_fit_weigh(unsigned most, unsigned level)
{
    return wcodeci_fit_weight[(most - level) & 255];
}

static uint32_t wcodeci_fit_row_scalar(const wcodeci_fit *fit, const wcodeci_byte *exponents,
                                       const wcodeci_byte *columns, size_t n, unsigned *most)
{
    unsigned top = 0;
    uint32_t sum = 0;
    size_t i;
    for (i = 0; i < n; i++) {
        const unsigned level = wcodeci_fit_level(fit, exponents[i], (signed char)columns[i]);
        if (level > top) top = level;
    }
    for (i = 0; i < n; i++)
        sum += wcodeci_fit_weigh(top, wcodeci_fit_level(fit, exponents[i], (signed char)columns[i]));
    *most = top;
    return sum;
}

static void wcodeci_fit_most_scalar(const wcodeci_fit *fit, const wcodeci_byte *exponents, int scale, size_t n,
                                    wcodeci_byte *most)
{
    size_t i;
    for (i = 0; i < n; i++) {
        const unsigned level = wcodeci_fit_level(fit, exponents[i], scale);
        if (level > most[i]) most[i] = (wcodeci_byte)level;
    }
}

static void wcodeci_fit_sum_scalar(const wcodeci_fit *fit, const wcodeci_byte *exponents, int scale, size_t n,
                                   const wcodeci_byte *most, uint16_t *sum)
{
    size_t i;
    for (i = 0; i < n; i++)
        sum[i] = (uint16_t)(sum[i] + wcodeci_fit_weigh(most[i], wcodeci_fit_level(fit, exponents[i], scale)));
}

static void wcodeci_residual_scalar(const wcodeci_byte *v, const wcodeci_byte *before, wcodeci_byte *residual,
                                    size_t n, unsigned mask)
{
    size_t i;
    for (i = 0; i < n; i++) residual[i] = (wcodeci_byte)((v[i] - before[i]) & mask);
}

static void wcodeci_predict_plane(const wcodeci_encode_kernels *kernels, const wcodeci_byte *v,
                                  wcodeci_byte *residual, size_t n, unsigned width, unsigned predictor,
                                  uint64_t row)
{
    const size_t distance = wcodeci_predict_distance(predictor, row, n);
    memcpy(residual, v, distance);
    kernels->residual(v + distance, v, residual + distance, n - distance, (1u << width) - 1);
}

static void wcodeci_predict_units(const wcodeci_byte *p, wcodeci_byte *residual, size_t n, unsigned unit,
                                  unsigned predictor, uint64_t row)
{
    const size_t distance = wcodeci_predict_distance(predictor, row, n);
    size_t i;
    memcpy(residual, p, distance * unit);
    for (i = distance; i < n; i++)
        wcodeci_store_unit(residual + i * unit, unit, wcodeci_load_unit(p + i * unit, unit)
                                                      - wcodeci_load_unit(p + (i - distance) * unit, unit));
}

#endif
