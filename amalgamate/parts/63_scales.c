/* ------------------------------------------------------------------------------------------------
 * Scales: fitting them (private, and layer 1 of the API)
 *
 * A column's scale is log2 of the mean of 2^(exponent - its row's scale), and a row's the other way round: the
 * mean of magnitudes, that is, rounded down to powers of two.  (Means and medians of the exponents themselves
 * come out a little worse on every file tried: small values' exponents say little of the scale.)  Columns are
 * fitted to a sample of rows, once for a group of tiles; rows when their tile is coded.
 * The largest of the values that are averaged has the weight 255, and the others what that leaves of a byte: so
 * kernels find weights by shuffles, and what is 8 octaves below the largest counts as nothing.
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_FIT_ROWS 256            /* rows that a group's columns are fitted to, at most */
#define WCODECI_FIT_VALUES 16384       /* values that say what scales save, about */
#define WCODECI_FIT_TOP 40              /* octaves above level 0: the largest exponents but one in 1024 */
#define WCODECI_FIT_CENTRE 128          /* a column's scale is signed: from here */
#define WCODECI_FIT_REACH 100           /* levels that a column may be off */
#define WCODECI_FIT_AHEAD 1024          /* bytes of the next row that are sent for */
#define WCODECI_MAX_COLUMNS ((size_t)1 << 20)       /* that the encoder fits scales to */

/* 4 log2 of the mean weight of n values (at most 2^20), rounded to nearest: of values whose weights sum to
 * `sum`, to which the largest one gave its own.  At most 0. */
static int wcodeci_fit_mean(uint32_t sum, size_t n)
{
    const uint32_t whole = wcodeci_log2((uint32_t)n * WCODECI_FIT_ONE);
    return (int)((((uint32_t)64 << 16) + 4 * wcodeci_log2(sum) + 32768 - 4 * whole) >> 16) - 64;
}

/* `count`: of exponents. */
static void wcodeci_fit_make(const uint32_t count[256], wcodeci_fit *fit)
{
    uint32_t all = 0, over = 0;
    unsigned top, i;
    for (i = 0; i < 256; i++) all += count[i];
    for (top = 255; top > 0 && over + count[top] <= all / 1024; top--) over += count[top];
    wcodeci_fit_levels(fit, top, WCODECI_FIT_TOP);
}

/* The scale of one row. */
static unsigned wcodeci_fit_one(const wcodeci_encode_kernels *kernels, const wcodeci_fit *fit,
                                const wcodeci_byte *exponents, const wcodeci_byte *columns, size_t n)
{
    unsigned most;
    const uint32_t sum = kernels->fit_row(fit, exponents, columns, n, &most);
    return (unsigned)wcodeci_clamp((int)most + wcodeci_fit_mean(sum, n), 0, 255);
}

/* The scales of the rows that n exponents touch, which begin in column `phase`; and takes all scales off: see
 * wcodeci_scale_off_fn. */
static void wcodeci_rows_fit(const wcodeci_encode_kernels *kernels, const wcodeci_byte *exponents, size_t n,
                             const wcodeci_byte *columns, size_t width, size_t phase, wcodeci_byte *rows,
                             wcodeci_byte *q, wcodeci_byte *residual, unsigned mask)
{
    const size_t step = n > 1024 ? n / 1024 : 1;
    uint32_t count[256];
    wcodeci_fit fit;
    size_t i, m;
    memset(count, 0, sizeof count);
    for (i = 0; i < n; i += step) count[exponents[i]]++;
    wcodeci_fit_make(count, &fit);
    for (i = 0; i < n; i += m, phase = 0, rows++) {
        m = wcodeci_min(n - i, width - phase);
        *rows = (wcodeci_byte)wcodeci_fit_one(kernels, &fit, exponents + i, columns + phase, m);
        kernels->scale_off(exponents + i, columns + phase, *rows, q + i, residual + i, m, mask);
    }
}

/* The rows that a group's columns are fitted to: every step-th of the whole ones. */
typedef struct wcodeci_fit_sample {
    unsigned split;
    const wcodeci_byte *src;
    size_t width, rows, step;
} wcodeci_fit_sample;

static size_t wcodeci_fit_rows(const wcodeci_fit_sample *s) { return (s->rows - 1) / s->step + 1; }

/* Row number i's exponents.  Rows are apart from each other, and the next one is sent for meanwhile. */
static void wcodeci_fit_take(const wcodeci_encode_kernels *kernels, const wcodeci_fit_sample *s, size_t i,
                             wcodeci_byte *exponents)
{
    const size_t row = s->width * wcodeci_splits[s->split].unit, next = (i + 1) * s->step;
    size_t at;
    for (at = 0; at < WCODECI_FIT_AHEAD && at < row && next < s->rows; at += 64)
        WCODECI_PREFETCH(s->src + next * row + at);
    wcodeci_split_plane(kernels, s->split, 0, s->src + i * s->step * row, exponents, s->width);
}

/* Bytes of memory that wcodeci_columns_fit takes: sums of 16 bits, exponents, highest levels; aligned for 16 bits. */
static size_t wcodeci_fit_work(size_t width) { return 4 * width + 2; }

/* Fits the rows' scales where all columns' are 0, and then the columns' to these. */
static void wcodeci_fit_both(const wcodeci_encode_kernels *kernels, const wcodeci_fit_sample *s,
                             const wcodeci_fit *fit, wcodeci_byte *columns, wcodeci_byte *work, wcodeci_byte *row)
{
    const size_t rows = wcodeci_fit_rows(s), width = s->width;
    uint16_t *sum = (uint16_t *)(void *)work;
    wcodeci_byte *exponents = work + 2 * width, *most = exponents + width;
    size_t i;
    memset(columns, 0, width);
    memset(most, 0, width);
    memset(sum, 0, 2 * width);
    for (i = 0; i < rows; i++) {
        wcodeci_fit_take(kernels, s, i, exponents);
        row[i] = (wcodeci_byte)wcodeci_fit_one(kernels, fit, exponents, columns, width);
        kernels->fit_most(fit, exponents, row[i] - WCODECI_FIT_CENTRE, width, most);
    }
    for (i = 0; i < rows; i++) {
        wcodeci_fit_take(kernels, s, i, exponents);
        kernels->fit_sum(fit, exponents, row[i] - WCODECI_FIT_CENTRE, width, most, sum);
    }
    for (i = 0; i < width; i++)
        columns[i] = (wcodeci_byte)wcodeci_clamp((int)most[i] + wcodeci_fit_mean(sum[i], rows) - WCODECI_FIT_CENTRE,
                                                 -WCODECI_FIT_REACH, WCODECI_FIT_REACH);
}

/* Of the sample's rows every so many-th says what is saved. */
static size_t wcodeci_fit_every(const wcodeci_fit_sample *s)
{
    return wcodeci_fit_rows(s) * s->width / WCODECI_FIT_VALUES + 1;
}

/* Counts these rows' exponents; returns how many they are. */
static size_t wcodeci_fit_count(const wcodeci_encode_kernels *kernels, const wcodeci_fit_sample *s,
                                wcodeci_byte *exponents, uint32_t count[256])
{
    uint32_t some[256];
    size_t i, n = 0;
    unsigned v;
    memset(count, 0, 256 * sizeof *count);
    for (i = 0; i < wcodeci_fit_rows(s); i += wcodeci_fit_every(s), n += s->width) {
        wcodeci_fit_take(kernels, s, i, exponents);
        wcodeci_count(exponents, s->width, some);
        for (v = 0; v < 256; v++) count[v] += some[v];
    }
    return n;
}

/* Their bits under the scales.  `work` is that of wcodeci_columns_fit. */
static uint64_t wcodeci_fit_bits(const wcodeci_encode_kernels *kernels, const wcodeci_fit_sample *s,
                                 const wcodeci_byte *columns, const wcodeci_byte *row, wcodeci_byte *work)
{
    const unsigned mask = (1u << wcodeci_splits[s->split].plane[0].width) - 1;
    const size_t rows = wcodeci_fit_rows(s), width = s->width;
    wcodeci_byte *q = work, *residual = work + width, *exponents = residual + width;
    uint32_t count[WCODECI_CLASSES][256], other[256 * WCODECI_CLASSES];
    uint64_t bits = 0;
    size_t i, j;
    memset(count, 0, sizeof count);
    memset(other, 0, sizeof other);
    for (i = 0; i < rows; i += wcodeci_fit_every(s)) {
        wcodeci_fit_take(kernels, s, i, exponents);
        kernels->scale_off(exponents, columns, row[i], q, residual, width, mask);
        wcodeci_count_classes(residual, q, width, count[0], other);
    }
    for (i = 0; i < WCODECI_CLASSES; i++) {
        size_t some = 0;
        for (j = 0; j < 256; j++) some += count[i][j] += other[256 * i + j];
        if (some) bits += wcodeci_entropy(count[i], some);
    }
    return bits;
}

static uint64_t wcodeci_fit_side(const wcodeci_byte *scales, size_t n)
{
    uint32_t count[256];
    wcodeci_count(scales, n, count);
    return wcodeci_entropy(count, n);
}

/* Fits the columns' scales, and says how many bytes they save: of all n units, by the sample; 0: none. */
static uint64_t wcodeci_columns_fit(const wcodeci_encode_kernels *kernels, const wcodeci_fit_sample *s, size_t n,
                                    wcodeci_byte *columns, wcodeci_byte *work)
{
    const size_t rows = wcodeci_fit_rows(s), width = s->width;
    wcodeci_byte *exponents = work + 2 * width, row[WCODECI_FIT_ROWS];
    uint64_t plain, scaled, side;
    uint32_t count[256];
    wcodeci_fit fit;
    const size_t values = wcodeci_fit_count(kernels, s, exponents, count);
    wcodeci_fit_make(count, &fit);
    wcodeci_fit_both(kernels, s, &fit, columns, work, row);
    plain = wcodeci_entropy(count, values);
    scaled = wcodeci_fit_bits(kernels, s, columns, row, work);
    side = wcodeci_fit_side(columns, width) + wcodeci_fit_side(row, rows) * (n / width + 1) / rows;
    if (scaled >= plain) return 0;
    plain = (plain - scaled) * n / values;
    return plain > side ? (plain - side) / 8 : 0;
}

/* Is the first plane of a split one of exponents? */
static int wcodeci_split_floats(unsigned split)
{
    return (split >= WCODEC_SPLIT_BF16 && split <= WCODEC_SPLIT_F32) || split == WCODEC_SPLIT_F8_E4M3
        || split == WCODEC_SPLIT_F8_E5M2 || (split >= WCODEC_SPLIT_BF16_4 && split <= WCODEC_SPLIT_F32_4);
}

/* The split from whose first plane scales are taken off; WCODEC_SPLIT_COUNT: none. */
static unsigned wcodeci_scales_split(unsigned dtype)
{
    const unsigned split = dtype < WCODECI_DTYPES ? wcodeci_dtypes[dtype].classes[0] : 0u;
    return wcodeci_split_floats(split) ? split : (unsigned)WCODEC_SPLIT_COUNT;
}

WCODEC_API size_t wcodec_scales_fit_scratch(size_t columns)
{
    return columns > (size_t)-1 / 16 ? 0 : wcodeci_fit_work(columns) + 8;
}

/* Fits scales to the rows of a sample that is one of n units; 1 if they pay.  `scratch`: of
 * wcodec_scales_fit_scratch. */
static int wcodeci_scales_fit(const wcodeci_fit_sample *sample, size_t n, unsigned cpu_off,
                              wcodeci_byte *scales, void *scratch)
{
    wcodeci_byte *work = (wcodeci_byte *)scratch + ((8 - ((uintptr_t)scratch & 7)) & 7);
    return wcodeci_columns_fit(wcodeci_encode_kernels_of(wcodec_cpu_detect() & ~cpu_off), sample, n, scales,
                               work) > 0;
}

WCODEC_API int wcodec_scales_fit(unsigned dtype, const void *src, size_t size, size_t columns,
                                 unsigned cpu_off, unsigned char *scales, void *scratch, size_t scratch_size)
{
    const unsigned split = wcodeci_scales_split(dtype);
    wcodeci_fit_sample sample;
    size_t n;
    if (split == WCODEC_SPLIT_COUNT || !src || !scales || !scratch || columns < WCODECI_MIN_COLUMNS
        || columns > WCODECI_MAX_COLUMNS || scratch_size < wcodec_scales_fit_scratch(columns))
        return 0;
    n = size / wcodeci_splits[split].unit;
    if (n / columns < 2) return 0;
    sample.split = split;
    sample.src = (const wcodeci_byte *)src;
    sample.width = columns;
    sample.rows = n / columns;
    sample.step = (sample.rows - 1) / WCODECI_FIT_ROWS + 1;
    return wcodeci_scales_fit(&sample, n, cpu_off, scales, scratch);
}

#endif
