/* ------------------------------------------------------------------------------------------------
 * Scales: fitting them (private, and layer 1 of the API)
 *
 * A column's scale is log2 of the mean of 2^(exponent - its row's scale), and a row's the other way round: the
 * mean of magnitudes, that is, rounded down to powers of two.  (Means and medians of the exponents themselves
 * come out a little worse on every file tried: small values' exponents say little of the scale.)  Columns are
 * fitted to a sample of rows, once for a group of tiles; rows when their tile is coded.
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_FIT_ROWS 256            /* rows that a group's columns are fitted to, at most */
#define WCODECI_FIT_OWN 256             /* values that say a coded row's scale, at most */





#define WCODECI_FIT_PART 1024           /* values that say a sampled row's scale, about */
#define WCODECI_FIT_SPAN 20             /* octaves below the largest: values under them count as nothing */
#define WCODECI_FIT_HEADROOM 4          /* octaves above: q stays below 256 where columns are larger */
#define WCODECI_FIT_CENTRE (4 * (WCODECI_FIT_SPAN - WCODECI_FIT_HEADROOM))
#define WCODECI_FIT_REACH 100           /* quarter octaves that a column may be off */
#define WCODECI_FIT_ZERO 512            /* of an index into the weights */
#define WCODECI_FIT_WEIGHTS (256 * 4 + 3 * 256)
#define WCODECI_MAX_COLUMNS ((size_t)1 << 20)       /* that the encoder fits scales to */

/* weight[4 e - q + WCODECI_FIT_ZERO] is 16 * 2^(e - q / 4), as far as the largest exponents let it matter. */
typedef struct wcodeci_fit {
    uint32_t weight[WCODECI_FIT_WEIGHTS];
} wcodeci_fit;

/* 65536 * 2^(k / 8). */
static const uint32_t wcodeci_eighths[8] = { 65536, 71468, 77936, 84990, 92682, 101070, 110218, 120194 };

/* 4 log2(num / den), rounded to nearest; num and den are not 0, den is below 2^32. */
static int wcodeci_fit_log(uint64_t num, uint64_t den)
{
    int octave = 16, k;
    uint64_t x;
    for (; num >> 40; num >>= 1) octave++;
    for (; !(num >> 39); num <<= 1) octave--;
    for (; !(den >> 23); den <<= 1) octave++;
    for (; den >> 24; den >>= 1) octave--;
    for (x = num / den; x >= 131072; x >>= 1) octave++;         /* x was above 2^15, and at most 2^17 */
    for (; x < 65536; x <<= 1) octave--;
    for (k = 0; k < 4 && x >= wcodeci_eighths[2 * k + 1]; k++) {}
    return 4 * octave + k;
}

static int wcodeci_fit_clamp(int x, int least, int most) { return x < least ? least : x > most ? most : x; }

/* `count`: of exponents.  All but one in 1024 are at most the largest that counts. */
static void wcodeci_fit_make(const uint32_t count[256], wcodeci_fit *fit)
{
    uint64_t all = 0, over = 0;
    int top, zero, i;
    for (i = 0; i < 256; i++) all += count[i];
    for (top = 255; top > 0 && over + count[top] <= all / 1024; top--) over += count[top];
    zero = 4 * (top + WCODECI_FIT_HEADROOM - WCODECI_FIT_SPAN) + WCODECI_FIT_ZERO;
    for (i = 0; i < WCODECI_FIT_WEIGHTS; i++) {
        const int t = wcodeci_fit_clamp(i - zero, 0, 4 * WCODECI_FIT_SPAN);
        fit->weight[i] = i < zero ? 0
                       : (uint32_t)(((uint64_t)wcodeci_eighths[2 * (t & 3)] << (t >> 2)) >> 12);
    }
}

/* The sum of `m` values' weights under their columns' scales, `step` apart. */
static uint64_t wcodeci_fit_row(const wcodeci_fit *fit, const wcodeci_byte *exponents,
                                const wcodeci_byte *columns, size_t m, size_t step)
{
    uint64_t part[2] = { 0, 0 };
    size_t j;
    for (j = 0; j + 2 <= m; j += 2) {
        const size_t a = j * step, b = a + step;
        part[0] += fit->weight[4 * exponents[a] + WCODECI_FIT_ZERO - (signed char)columns[a]];
        part[1] += fit->weight[4 * exponents[b] + WCODECI_FIT_ZERO - (signed char)columns[b]];
    }
    if (j < m)
        part[0] += fit->weight[4 * exponents[j * step] + WCODECI_FIT_ZERO - (signed char)columns[j * step]];
    return part[0] + part[1];
}

/* The scales of the rows that n exponents touch, which begin in column `phase`. */
static void wcodeci_rows_fit(const wcodeci_byte *exponents, size_t n, const wcodeci_byte *columns, size_t width,
                             size_t phase, wcodeci_byte *rows)
{
    uint32_t count[256];
    wcodeci_fit fit;
    int last = WCODECI_FIT_CENTRE;
    size_t i, m, step = n > 4096 ? n / 4096 : 1;
    memset(count, 0, sizeof count);
    for (i = 0; i < n; i += step) count[exponents[i]]++;
    wcodeci_fit_make(count, &fit);
    for (i = 0; i < n; i += m, phase = 0) {
        size_t some;
        uint64_t sum;
        m = wcodeci_min(n - i, width - phase);
        some = wcodeci_min(m, WCODECI_FIT_OWN);
        sum = wcodeci_fit_row(&fit, exponents + i, columns + phase, some, m / some);
        if (sum) last = wcodeci_fit_clamp(wcodeci_fit_log(sum, (uint64_t)some * 16), 0, 255);
        *rows++ = (wcodeci_byte)last;
    }
}

/* The rows that a group's columns are fitted to: every step-th of the whole ones. */
typedef struct wcodeci_fit_sample {
    unsigned split;
    const wcodeci_byte *src;
    size_t width, rows, step;
} wcodeci_fit_sample;

static size_t wcodeci_fit_rows(const wcodeci_fit_sample *s) { return (s->rows - 1) / s->step + 1; }

static void wcodeci_fit_take(const wcodeci_encode_kernels *kernels, const wcodeci_fit_sample *s, size_t i,
                             wcodeci_byte *exponents)
{
    wcodeci_split_plane(kernels, s->split, 0, s->src + i * s->step * s->width * wcodeci_splits[s->split].unit,
                        exponents, s->width);
}

/* Bytes of memory that wcodeci_columns_fit takes: exponents, sums; aligned for 64 bits. */
static size_t wcodeci_fit_work(size_t width) { return 9 * width + 8; }

/* The rows' scales when all columns' are 0, and the sum of each column's weights under them. */
static void wcodeci_fit_sums(const wcodeci_encode_kernels *kernels, const wcodeci_fit_sample *s,
                             const wcodeci_fit *fit, const wcodeci_byte *columns, wcodeci_byte *exponents,
                             wcodeci_byte *row, uint64_t *sum)
{
    const size_t rows = wcodeci_fit_rows(s), width = s->width;
    const size_t step = width < 2 * WCODECI_FIT_PART ? 1 : width / WCODECI_FIT_PART;
    int last = WCODECI_FIT_CENTRE;
    size_t i, j;
    memset(sum, 0, 8 * width);
    for (i = 0; i < rows; i++) {
        const uint32_t *weight;
        uint64_t all;
        wcodeci_fit_take(kernels, s, i, exponents);
        all = wcodeci_fit_row(fit, exponents, columns, width / step, step);
        if (all) last = wcodeci_fit_clamp(wcodeci_fit_log(all, (uint64_t)(width / step) * 16), 0, 255);
        row[i] = (wcodeci_byte)last;
        weight = fit->weight + WCODECI_FIT_ZERO - last + WCODECI_FIT_CENTRE;
        for (j = 0; j < width; j++) sum[j] += weight[4 * exponents[j]];
    }
}

/* Of the sample's rows every so many-th says what is saved. */
static size_t wcodeci_fit_every(const wcodeci_fit_sample *s) { return wcodeci_fit_rows(s) < 64 ? 1 : 4; }

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

/* Their bits under the scales. */
static uint64_t wcodeci_fit_bits(const wcodeci_encode_kernels *kernels, const wcodeci_fit_sample *s,
                                 const wcodeci_byte *columns, const wcodeci_byte *row, wcodeci_byte *exponents)
{
    const unsigned mask = (1u << wcodeci_splits[s->split].plane[0].width) - 1;
    const size_t rows = wcodeci_fit_rows(s);
    uint32_t count[WCODECI_CLASSES][256];
    uint64_t bits = 0;
    size_t i, j;
    memset(count, 0, sizeof count);
    for (i = 0; i < rows; i += wcodeci_fit_every(s)) {
        wcodeci_fit_take(kernels, s, i, exponents);
        for (j = 0; j < s->width; j++) {
            const unsigned q = (columns[j] + row[i]) & 255u;
            count[q & 3][(exponents[j] - (q >> 2)) & mask]++;
        }
    }
    for (i = 0; i < WCODECI_CLASSES; i++) {
        size_t some = 0;
        for (j = 0; j < 256; j++) some += count[i][j];
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
    uint64_t *sum = (uint64_t *)(void *)work, plain, scaled, side;
    wcodeci_byte *exponents = work + 8 * width, row[WCODECI_FIT_ROWS];
    uint32_t count[256];
    wcodeci_fit fit;
    size_t j;
    int last = 0;
    const size_t values = wcodeci_fit_count(kernels, s, exponents, count);
    wcodeci_fit_make(count, &fit);
    memset(columns, 0, width);
    wcodeci_fit_sums(kernels, s, &fit, columns, exponents, row, sum);
    for (j = 0; j < width; j++) {
        if (sum[j])
            last = wcodeci_fit_clamp(wcodeci_fit_log(sum[j], (uint64_t)rows * 16) - WCODECI_FIT_CENTRE,
                                     -WCODECI_FIT_REACH, WCODECI_FIT_REACH);
        columns[j] = (wcodeci_byte)last;
    }
    plain = wcodeci_entropy(count, values);
    scaled = wcodeci_fit_bits(kernels, s, columns, row, exponents);
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
