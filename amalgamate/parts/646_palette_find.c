/* ------------------------------------------------------------------------------------------------
 * Finding palettes, and scales of dequantised integers (private)
 * All of it gives up early on ordinary numbers: where the first ones are all different, after a few hundred units
 * that are too many, or after a handful that are no small multiples of anything.
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_PALETTE_SLOTS 512u
#define WCODECI_PALETTE_FIRST 96u       /* so many of few units are hardly all different */

/* Units met so far, by a hash. */
typedef struct wcodeci_palette_set {
    uint64_t unit[WCODECI_PALETTE_SLOTS];
    uint16_t number[WCODECI_PALETTE_SLOTS];     /* plus 1; 0: a free slot */
    uint64_t list[WCODECI_PALETTE];
    unsigned count;
} wcodeci_palette_set;

static unsigned wcodeci_palette_slot(const wcodeci_palette_set *set, uint64_t x)
{
    unsigned at = (unsigned)(x * 0x9E3779B97F4A7C15u >> 55);
    while (set->number[at] && set->unit[at] != x) at = (at + 1) % WCODECI_PALETTE_SLOTS;
    return at;
}

/* Are some of the first units alike, but for the upper bit, which is a sign?  So they are where they are few, or few
 * integers times a scale. */
static int wcodeci_palette_likely(const wcodeci_byte *src, size_t n, unsigned unit)
{
    const uint64_t mask = ((uint64_t)1 << (8 * unit - 1)) - 1;
    wcodeci_palette_set set;
    size_t i;
    memset(set.number, 0, sizeof set.number);
    for (i = 0; i < n && i < WCODECI_PALETTE_FIRST; i++) {
        const uint64_t x = wcodeci_load_unit(src + i * unit, unit) & mask;
        const unsigned at = wcodeci_palette_slot(&set, x);
        if (set.number[at]) return 1;
        set.unit[at] = x;
        set.number[at] = 1;
    }
    return 0;
}

/* Sorts the units and gives them new numbers. */
static void wcodeci_palette_sort(wcodeci_palette_set *set)
{
    unsigned i, k;
    for (i = 1; i < set->count; i++) {
        const uint64_t x = set->list[i];
        for (k = i; k > 0 && set->list[k - 1] > x; k--) set->list[k] = set->list[k - 1];
        set->list[k] = x;
    }
    for (i = 0; i < set->count; i++) set->number[wcodeci_palette_slot(set, set->list[i])] = (uint16_t)(i + 1);
}

/* Finds the palette of n units: their indices, and the table.  0: there are too many, or just one. */
static int wcodeci_palette_find(const wcodeci_byte *src, size_t n, unsigned unit, wcodeci_palette *p,
                                wcodeci_byte *index, wcodeci_byte *table)
{
    wcodeci_palette_set set;
    uint64_t last = 0;
    unsigned at = 0;
    size_t i;
    memset(set.number, 0, sizeof set.number);
    set.count = 0;
    for (i = 0; i < n; i++) {
        const uint64_t x = wcodeci_load_unit(src + i * unit, unit);
        if (i && x == last) continue;
        last = x;
        at = wcodeci_palette_slot(&set, x);
        if (set.number[at]) continue;
        if (set.count == WCODECI_PALETTE) return 0;
        set.unit[at] = x;
        set.list[set.count] = x;
        set.number[at] = (uint16_t)++set.count;
    }
    if (set.count == 1 || 2 * set.count > n) return 0;
    wcodeci_palette_sort(&set);
    for (i = 0; i < n; i++) {
        const uint64_t x = wcodeci_load_unit(src + i * unit, unit);
        if (i == 0 || x != last) at = wcodeci_palette_slot(&set, x);
        last = x;
        index[i] = (wcodeci_byte)(set.number[at] - 1);
    }
    memset(p, 0, sizeof *p);
    p->count = set.count;
    p->width = wcodeci_palette_width(set.count - 1);
    p->size = (size_t)set.count * unit;
    for (i = 0; i < set.count; i++) wcodeci_store_unit(table + i * unit, unit, set.list[i]);
    return 1;
}

/* ---- dequantised integers ---- */

#define WCODECI_LINEAR_SAMPLE 48        /* units of a run that are looked at first */
#define WCODECI_LINEAR_FIRST 16         /* the smallest of a tile's first ones is so many times its scale at most */
#define WCODECI_LINEAR_FRACTION 20      /* bits of a fixed-point number below half a unit in the last place */

/* How a linear split's units are built. */
typedef struct wcodeci_linear_format {
    unsigned split, unit, mantissa, exponents, bias;    /* a mantissa m at exponent e is m * 2^(e - bias) */
} wcodeci_linear_format;

static wcodeci_linear_format wcodeci_linear_format_of(unsigned split)
{
    static const wcodeci_linear_format formats[3] = {
        { WCODEC_SPLIT_LINEAR_BF16, 2, 7, 255, 134 }, { WCODEC_SPLIT_LINEAR_F16, 2, 10, 31, 25 },
        { WCODEC_SPLIT_LINEAR_F32, 4, 23, 255, 150 }
    };
    return formats[split - WCODEC_SPLIT_LINEAR_BF16];
}

/* The mantissa, with its hidden bit, and the exponent of a unit; 0: it is not finite. */
static int wcodeci_linear_take(const wcodeci_linear_format *f, uint32_t x, uint32_t *mantissa, unsigned *exponent)
{
    const unsigned e = x >> f->mantissa & f->exponents;
    *mantissa = (x & ((1u << f->mantissa) - 1)) | (e ? 1u << f->mantissa : 0);
    *exponent = e ? e : 1;
    return e != f->exponents;
}

/* A run of units on its way to a scale.  Sizes of numbers count halves of the smallest one's last place. */
typedef struct wcodeci_linear_run {
    wcodeci_linear_format format;
    const wcodeci_byte *src;
    size_t n;
    unsigned base;                      /* of the smallest number */
    unsigned most;                      /* times the scale that the smallest of the sample may be */
    int signs;                          /* bit 0: there is +0, bit 1: -0 */
    uint64_t low, high;                 /* where the scale lies, in fixed point */
} wcodeci_linear_run;

static uint32_t wcodeci_linear_load(const wcodeci_linear_run *r, size_t i)
{
    return (uint32_t)wcodeci_load_unit(r->src + i * r->format.unit, r->format.unit);
}

/* A number's size, and half its last place. */
static uint64_t wcodeci_linear_size(const wcodeci_linear_run *r, uint32_t x, uint64_t *half)
{
    uint32_t mantissa;
    unsigned exponent;
    (void)wcodeci_linear_take(&r->format, x, &mantissa, &exponent);
    *half = 0;
    if (mantissa == 0) return 0;
    *half = (uint64_t)1 << (exponent - r->base);
    return (uint64_t)mantissa << (exponent - r->base + 1);
}

/* Finds the smallest number; 0: one is not finite, or others are too large beside it. */
static int wcodeci_linear_range(wcodeci_linear_run *r)
{
    unsigned least = ~0u, most = 0, exponent;
    uint32_t mantissa;
    size_t i;
    r->signs = 0;
    for (i = 0; i < r->n; i++) {
        const uint32_t x = wcodeci_linear_load(r, i);
        if (!wcodeci_linear_take(&r->format, x, &mantissa, &exponent)) return 0;
        if (mantissa == 0) {
            r->signs |= x ? 2 : 1;
            continue;
        }
        least = exponent < least ? exponent : least;
        most = exponent > most ? exponent : most;
    }
    r->base = least;
    return r->signs != 3 && (least == ~0u || most - least <= 8);
}

/* What is rounded to a number lies between these, in fixed point: a little more than half the last place away, for
 * what is rounded twice; half of that below a power of 2. */
static uint64_t wcodeci_linear_bottom(const wcodeci_linear_run *r, uint64_t size, uint64_t half)
{
    const unsigned power = size == half << (r->format.mantissa + 1);
    return (size << WCODECI_LINEAR_FRACTION) - (half << (WCODECI_LINEAR_FRACTION - power)) - (half << 5);
}

static uint64_t wcodeci_linear_top(uint64_t size, uint64_t half)
{
    return ((size + half) << WCODECI_LINEAR_FRACTION) + (half << 5);
}

/* Makes the scale's bounds those that a number allows too, if it is clear how many times the scale that is.
 * 0: it is not a multiple of anything between them. */
static int wcodeci_linear_narrow(wcodeci_linear_run *r, uint64_t size, uint64_t half)
{
    const uint64_t bottom = wcodeci_linear_bottom(r, size, half), top = wcodeci_linear_top(size, half);
    const uint64_t k = top / r->low;
    uint64_t x;
    if (k == 0 || k > 255 || k * r->high < bottom) return 0;
    if (k > 1 && (k - 1) * r->high >= bottom) return 1;
    x = bottom / k;
    if (x > r->low) r->low = x;
    x = top / k + 1;
    if (x < r->high) r->high = x;
    return r->low <= r->high;
}

/* The first few sizes of a run, each once, from the smallest on. */
static unsigned wcodeci_linear_sample(const wcodeci_linear_run *r, uint64_t size[WCODECI_LINEAR_SAMPLE],
                                      uint64_t half[WCODECI_LINEAR_SAMPLE])
{
    unsigned count = 0;
    size_t i;
    for (i = 0; i < r->n && i < WCODECI_LINEAR_SAMPLE; i++) {
        uint64_t h;
        const uint64_t s = wcodeci_linear_size(r, wcodeci_linear_load(r, i), &h);
        unsigned k = count;
        if (s == 0) continue;
        while (k > 0 && size[k - 1] > s) k--;
        if (k > 0 && size[k - 1] == s) continue;
        memmove(size + k + 1, size + k, (count - k) * sizeof *size);
        memmove(half + k + 1, half + k, (count - k) * sizeof *half);
        size[k] = s;
        half[k] = h;
        count++;
    }
    return count;
}

/* Bounds for the scale if the smallest of the sample is j times it. */
static int wcodeci_linear_guess(wcodeci_linear_run *r, const uint64_t *size, const uint64_t *half, unsigned count,
                                unsigned j)
{
    unsigned i;
    if (size[0] <= half[0] + 1) return 0;               /* one of the smallest numbers there are */
    r->low = wcodeci_linear_bottom(r, size[0], half[0]) / j;
    r->high = wcodeci_linear_top(size[0], half[0]) / j + 1;
    for (i = 1; i < count; i++)
        if (!wcodeci_linear_narrow(r, size[i], half[i])) return 0;
    return 1;
}

/* The bits of a bound as an FP32 number, rounded down, or up; 0: there is none. */
static uint32_t wcodeci_linear_float(const wcodeci_linear_run *r, uint64_t x, int up)
{
    int shift = 0, e;
    uint64_t m;
    while (x >> (24 + shift)) shift++;
    while (shift > -24 && !(x >> (23 + shift) & 1)) shift--;
    e = shift + (int)r->base - (int)r->format.bias - 1 - WCODECI_LINEAR_FRACTION + 150;
    if (e < 1) {
        shift += 1 - e;
        e = 1;
    }
    if (e > 254 || shift > 62) return 0;
    m = shift < 0 ? x << -shift : x >> shift;
    if (up && shift > 0 && m << shift != x) m++;
    return (uint32_t)(m + (m >> 23 ? (uint64_t)(e - 1) << 23 : 0));
}

/* How many times the scale each number is, to `k`; 0: one is not. */
static int wcodeci_linear_try(const wcodeci_linear_run *r, uint32_t scale, wcodeci_byte *k)
{
    uint32_t product[256];
    const uint64_t at = r->low + (r->high - r->low) / 2;
    const uint32_t sign = r->format.unit == 2 ? 0x8000 : 0x80000000u;
    size_t i;
    unsigned have = 0;
    for (i = 0; i < r->n; i++) {
        uint64_t half, times;
        const uint32_t x = wcodeci_linear_load(r, i) & ~sign;
        const uint64_t size = wcodeci_linear_size(r, x, &half);
        times = ((size << WCODECI_LINEAR_FRACTION) + at / 2) / at;
        if (times > 255) return 0;
        for (; have <= times; have++) product[have] = wcodeci_linear_unit(r->format.split, scale, (int)have);
        if (product[times] != x) return 0;
        k[i] = (wcodeci_byte)times;
    }
    return 1;
}

/* Tries scales between the bounds, those of fewer bits first, then what lies next to them. */
static uint32_t wcodeci_linear_choose(const wcodeci_linear_run *r, wcodeci_byte *k)
{
    const uint32_t low = wcodeci_linear_float(r, r->low, 1), high = wcodeci_linear_float(r, r->high, 0);
    uint32_t tried[7];
    unsigned i;
    if (low == 0 || high == 0) return 0;
    tried[0] = (low + 0xFFFF) & ~(uint32_t)0xFFFF;
    tried[1] = tried[0] + 0x10000;
    tried[2] = (low + 0xFF) & ~(uint32_t)0xFF;
    tried[3] = tried[2] + 0x100;
    tried[4] = low < high ? low + (high - low) / 2 : low;
    tried[5] = low;
    tried[6] = high;
    for (i = 0; i < 7; i++) {
        if ((i < 4 && (tried[i] < low || tried[i] > high)) || tried[i] >= 0x7F800000) continue;
        if (wcodeci_linear_try(r, tried[i], k)) return tried[i];
    }
    return 0;
}

/* Narrows the bounds by all of the run; again, for what was not clear at first may be so then. */
static int wcodeci_linear_all(wcodeci_linear_run *r)
{
    uint64_t width = 0;
    unsigned pass;
    size_t i;
    for (pass = 0; pass < 4 && r->high - r->low != width; pass++) {
        width = r->high - r->low;
        for (i = 0; i < r->n; i++) {
            uint64_t half;
            const uint64_t size = wcodeci_linear_size(r, wcodeci_linear_load(r, i), &half);
            if (size && !wcodeci_linear_narrow(r, size, half)) return 0;
        }
    }
    return 1;
}

/* Finds a scale of a run, and its units' numbers without sign.  The scale's bits in *scale. */
static int wcodeci_linear_fit(wcodeci_linear_run *r, wcodeci_byte *k, uint32_t *scale)
{
    uint64_t size[WCODECI_LINEAR_SAMPLE], half[WCODECI_LINEAR_SAMPLE];
    unsigned count, j;
    size_t i;
    if (!wcodeci_linear_range(r)) return 0;
    *scale = 0;
    if (r->base == ~0u) {               /* nothing but zeros */
        memset(k, 0, r->n);
        return 1;
    }
    count = wcodeci_linear_sample(r, size, half);
    for (i = 0; count == 0; i++) {      /* it begins with zeros: then the first that is none */
        size[0] = wcodeci_linear_size(r, wcodeci_linear_load(r, i), &half[0]);
        count = size[0] != 0;
    }
    for (j = 1; j <= r->most; j++) {
        if (!wcodeci_linear_guess(r, size, half, count, j)) continue;
        *scale = wcodeci_linear_choose(r, k);
        if (!*scale && wcodeci_linear_all(r)) *scale = wcodeci_linear_choose(r, k);
        if (*scale) return 1;
    }
    return 0;
}

/* A tile as runs of `run` units, of which the smallest may be `most` times a scale; scales of 4 bytes go to the
 * table, numbers with their signs off to `index`. */
static int wcodeci_linear_runs(unsigned split, const wcodeci_byte *src, size_t n, size_t run, unsigned most,
                               wcodeci_byte *index, wcodeci_byte *table)
{
    wcodeci_linear_run r;
    size_t at, i;
    r.most = most;
    r.format = wcodeci_linear_format_of(split);
    for (at = 0, i = 0; at < n; at += run, i++) {
        uint32_t scale;
        r.src = src + at * r.format.unit;
        r.n = wcodeci_min(run, n - at);
        if (!wcodeci_linear_fit(&r, index + at, &scale)) return 0;
        wcodeci_store32(table + 4 * i, scale | (r.signs == 2 ? 0x80000000u : 0));
    }
    return 1;
}

/* Puts the signs to the numbers and as few bytes of each scale as there must be into the table. */
static int wcodeci_linear_pack(const wcodeci_byte *src, size_t n, unsigned unit, wcodeci_palette *p,
                               wcodeci_byte *index, wcodeci_byte *table)
{
    uint32_t bits = 0;
    int least = 0, most = 0;
    unsigned pass, b;
    size_t i;
    for (i = 0; i < p->count; i++) bits |= wcodeci_load32(table + 4 * i);
    p->bytes = bits & 0xFF ? 4 : bits & 0xFF00 ? 3 : 2;
    for (pass = 0; pass < 2; pass++)
        for (i = 0; i < n; i++) {
            const int negative = ((src[i * unit + unit - 1] ^ table[4 * (i / p->run) + 3]) >> 7) && index[i];
            const int k = negative ? -(int)index[i] : index[i];
            if (k < least) least = k;
            if (k > most) most = k;
            if (pass) index[i] = (wcodeci_byte)(k - least);
            else if (most - least > 255) return 0;
        }
    for (i = 0; i < p->count; i++)
        for (b = 0; b < p->bytes; b++) table[i * p->bytes + b] = table[4 * i + 4 - p->bytes + b];
    p->zero = (unsigned)-least;
    p->width = wcodeci_palette_width((unsigned)(most - least));
    p->size = p->count * p->bytes;
    return 1;
}

/* Finds scales for a tile of n units; 0: there are none.  `table` takes n / 4 + 4 bytes. */
static int wcodeci_linear_find(unsigned split, const wcodeci_byte *src, size_t n, uint64_t row, wcodeci_palette *p,
                               wcodeci_byte *index, wcodeci_byte *table)
{
    const unsigned unit = wcodeci_splits[split].unit;
    /* Large multiples of anything are as good as any number of 16 bits, and only take time there. */
    const unsigned most = unit == 4 ? 255 : 2 * WCODECI_LINEAR_FIRST;
    size_t run = n;
    if (n < 32 || !wcodeci_linear_runs(split, src, 32, 32, WCODECI_LINEAR_FIRST, index, table)) return 0;
    memset(p, 0, sizeof *p);
    for (;;) {
        if (wcodeci_linear_runs(split, src, n, run, most, index, table)) break;
        if (run == n && row < n && row > 16) run = (size_t)row;
        else if (run > 1024) run = 1024;
        else if (run <= 16) return 0;
        else for (run--; run & (run - 1); ) run &= run - 1;
    }
    p->run = run;
    p->count = wcodeci_palette_runs(n, run);
    return wcodeci_linear_pack(src, n, unit, p, index, table);
}

#endif
