/* ------------------------------------------------------------------------------------------------
 * Mix (private): an adaptive binary arithmetic coder that mixes the forecasts of several contexts
 * What makes weights predictable is the scale of their row and of their column.  Both are estimated from
 * the values before, by the score of a Student-t density: it uses the size of a value as a mean of
 * exponents could not, and an outlier can not move it far.  Each context holds one probability per node of a
 * value's binary tree; the logarithms of their odds are summed with weights that learn (Mahoney, "Adaptive
 * weighing of context models for lossless data compression", 2005), and a last table refines the sum.
 * Encoder and decoder are one body, so that they can not differ; all of it is integers, none of them shifted
 * right when negative.
 * ---------------------------------------------------------------------------------------------- */

#ifdef WCODEC_NO_MIX
#define WCODECI_MIX 0
static size_t wcodeci_mix_scratch(void) { return 0; }
#else
#define WCODECI_MIX 1

/* A loop over inputs, whose number is a constant. */
#if defined(__GNUC__) && (__GNUC__ >= 8 || defined(__clang__))
#define WCODECI_MIX_UNROLL _Pragma("GCC unroll 8")
#else
#define WCODECI_MIX_UNROLL
#endif

#define WCODECI_MIX_EXPONENTS 0
#define WCODECI_MIX_MANTISSAS 1
#define WCODECI_MIX_INTEGERS 2
#define WCODECI_MIX_TEXT 3
#define WCODECI_MIX_KINDS 4

#define WCODECI_MIX_INPUTS 8            /* at most; a weight set's size */
#define WCODECI_MIX_TEXT_ORDERS 6
#define WCODECI_MIX_COLUMNS 16384       /* entries; column j uses entry j mod 16384 */
#define WCODECI_MIX_WEIGHTS 1024        /* sets */
#define WCODECI_MIX_REFINED 2048        /* rows of the last table */
#define WCODECI_MIX_CELLS 32            /* of a row */
#define WCODECI_MIX_CONTEXTS 2560
#define WCODECI_MIX_SLOTS (WCODECI_MIX_TEXT_ORDERS * 32768 + 1024)  /* text has the most */
#define WCODECI_MIX_RECIPROCALS 1056
#define WCODECI_MIX_PART 4096           /* values that tell the encoder a parameter */
#define WCODECI_MIX_BYTE 128            /* values for which a payload has a byte, which bounds the time it takes */
#define WCODECI_MIX_HALF 0x80000000u    /* a slot: probability of a 1, 22 bits, above a count of 10 bits */

/* The coder: a value lies in low ... high; `code` is the decoder's.  A kind works on a copy of its own, which a
 * compiler can keep in registers. */
typedef struct wcodeci_mix_coder {
    uint32_t low, high, code;
    const wcodeci_byte *p, *end;
    wcodeci_byte *dst, *dst_end;
    uint32_t past;                      /* bytes read beyond `end`, or not written for want of room */
    uint32_t rate;
    unsigned shift;                     /* a cell moves by one in 2^shift of what is missing */
    int64_t *weights;                   /* for the next bit, as is: */
    uint16_t *refined;
} wcodeci_mix_coder;

typedef struct wcodeci_mix {
    uint32_t slots[WCODECI_MIX_SLOTS];  /* first, for a context's lie in as few cache lines as can be */
    wcodeci_mix_coder coder;
    int16_t stretch[4096];
    uint16_t squash[4096];
    uint16_t step[1024];                /* by a slot's count */
    int32_t reciprocal[WCODECI_MIX_RECIPROCALS];
    int16_t log[256];                   /* of a number's size, in 1/256 octave */
    int64_t weight[WCODECI_MIX_WEIGHTS * WCODECI_MIX_INPUTS];
    uint16_t refine[WCODECI_MIX_REFINED * WCODECI_MIX_CELLS];
    wcodeci_byte seen[WCODECI_MIX_CONTEXTS];    /* is a context's part of the slots in use? */
    uint32_t match[16384];
    int32_t column[2 * WCODECI_MIX_COLUMNS];
} wcodeci_mix;

/* What both sides know of a plane.  `width`: bits of a value.  `exponents`: plane 0, for mantissas. */
typedef struct wcodeci_mix_in {
    unsigned width;
    size_t n, row;                      /* row 0: not known */
    const wcodeci_byte *v, *exponents;  /* v: the encoder's */
    unsigned kind;                      /* the encoder's: which kind to write */
} wcodeci_mix_in;

/* 65536 / (1 + exp(-x / 256)) at x = -2048, -1920, ... 2048. */
static const uint16_t wcodeci_mix_knots[33] = {
    24, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768, 40793, 47911,
    53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65512
};

/* The score of a value 2^(d+0.55) under a Student-t density of 6 degrees and scale 1, in 1/256 octave, for
 * d = -63/16, -61/16, ... 63/16: what it says that the scale should be raised by, times the values seen. */
static const int16_t wcodeci_mix_scores[64] = {
    -228, -227, -227, -226, -226, -225, -223, -222, -221, -219, -217, -214, -211, -207, -203, -198,
    -192, -185, -177, -167, -156, -142, -126, -108, -87, -63, -35, -3, 33, 73, 118, 168,
    222, 280, 343, 408, 476, 545, 615, 684, 752, 817, 879, 937, 991, 1040, 1084, 1124,
    1159, 1191, 1218, 1242, 1263, 1280, 1296, 1309, 1320, 1330, 1338, 1345, 1351, 1356, 1360, 1363
};

WCODECI_INLINE int wcodeci_mix_clamp(int x, int low, int high) { return x < low ? low : x > high ? high : x; }

/* d is in 1/256 octave.  A score of the table, without a shift of a negative number. */
WCODECI_INLINE int wcodeci_mix_score(int d)
{
    return wcodeci_mix_scores[(unsigned)wcodeci_mix_clamp(d + 1024, 0, 2047) >> 5];
}

/* log2 a in 1/256 octave, straight between powers of two; 0 counts as half. */
static int wcodeci_mix_log2(unsigned a)
{
    int k = 0;
    if (a == 0) return -256;
    while (a >> k > 1) k++;
    return 256 * k + (int)(a << 8 >> k) - 256;
}

/* Which of `count` classes of `size` x is in, class 0 from `from` on. */
WCODECI_INLINE unsigned wcodeci_mix_class(int x, int from, int size, int count)
{
    return (unsigned)(wcodeci_mix_clamp(x - from, 0, size * count - 1) / size);
}

static void wcodeci_mix_clear(uint32_t *slots, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) slots[i] = WCODECI_MIX_HALF;
}

/* The slots of context number `number`, of `size` each, cleared when first used: a small plane uses few. */
WCODECI_INLINE uint32_t *wcodeci_mix_context(wcodeci_mix *m, unsigned number, unsigned size)
{
    uint32_t *const slots = m->slots + (size_t)number * size;
    if (!m->seen[number]) {
        m->seen[number] = 1;
        wcodeci_mix_clear(slots, size);
    }
    return slots;
}

/* The tables that are the same for all kinds: once before planes are coded. */
static void wcodeci_mix_tables(wcodeci_mix *m)
{
    unsigned i, k;
    for (i = 0; i < 32; i++) {
        const unsigned a = wcodeci_mix_knots[i], rise = wcodeci_mix_knots[i + 1] - a;
        for (k = 0; k < 128; k++) m->squash[128 * i + k] = (uint16_t)(a + (rise * k + 64) / 128);
    }
    for (i = k = 0; i < 4096; i++)
        for (; k <= m->squash[i] >> 4; k++) m->stretch[k] = (int16_t)((int)i - 2048);
    for (; k < 4096; k++) m->stretch[k] = 4095 - 2048;
    m->reciprocal[0] = 0;
    for (i = 1; i < WCODECI_MIX_RECIPROCALS; i++) m->reciprocal[i] = (int32_t)(65536 / i);
    for (i = 0; i < 256; i++) m->log[i] = (int16_t)wcodeci_mix_log2(i);
}

/* `sets` of weights, `rows` of the last table, and of the slots those from `from` on, if they are not cleared by
 * context.  `sum`: of a set's weights, in eighths of 2^30.  `delay`: tenths by which a slot's first
 * steps are shorter than one over its bits. */
static void wcodeci_mix_start(wcodeci_mix *m, unsigned inputs, unsigned sum, unsigned sets, unsigned rows,
                              unsigned from, unsigned slots, unsigned delay)
{
    const size_t row = WCODECI_MIX_CELLS * sizeof *m->refine;
    unsigned i;
    for (i = 0; i < 1024; i++) m->step[i] = (uint16_t)(655360u / (10 * i + delay));
    for (i = 0; i < sets * WCODECI_MIX_INPUTS; i++) m->weight[i] = (sum << 27) / inputs;
    for (i = 0; i < WCODECI_MIX_CELLS; i++) m->refine[i] = m->squash[i * 128 + 64];
    for (i = 1; i < rows; i++) memcpy(m->refine + i * WCODECI_MIX_CELLS, m->refine, row);
    wcodeci_mix_clear(m->slots + from, slots);
    memset(m->seen, 0, sizeof m->seen);
    m->coder.low = 0;
    m->coder.high = 0xFFFFFFFFu;
    m->coder.code = 0;
    m->coder.past = 0;
}

WCODECI_INLINE void wcodeci_mix_take(wcodeci_mix_coder *c)
{
    c->code = c->code << 8;
    if (c->p < c->end) c->code |= *c->p++;
    else c->past++;
}

WCODECI_INLINE void wcodeci_mix_put(wcodeci_mix_coder *c, unsigned byte)
{
    if (c->dst < c->dst_end) *c->dst++ = (wcodeci_byte)byte;
    else c->past++;
}

/* Bytes that are settled. */
WCODECI_INLINE void wcodeci_mix_shift(wcodeci_mix_coder *c, const int decoding)
{
    while ((c->low ^ c->high) >> 24 == 0) {
        if (decoding) wcodeci_mix_take(c);
        else wcodeci_mix_put(c, c->high >> 24);
        c->low <<= 8;
        c->high = c->high << 8 | 255;
    }
}

/* The bit is 1 if the code is at most `middle`. */
WCODECI_INLINE unsigned wcodeci_mix_step(wcodeci_mix_coder *c, uint32_t middle, unsigned bit, const int decoding)
{
    uint32_t mask;
    if (decoding) bit = c->code <= middle;
    mask = 0u - bit;                    /* no branch: it could not be foreseen */
    c->high = middle + ((c->high - middle) & ~mask);
    c->low += (middle + 1 - c->low) & ~mask;
    wcodeci_mix_shift(c, decoding);
    return bit;
}

/* `count` bits that are fair coins. */
WCODECI_INLINE unsigned wcodeci_mix_coins(wcodeci_mix_coder *c, unsigned value, unsigned count,
                                          const int decoding)
{
    unsigned bits = 0;
    while (count-- > 0)
        bits = bits << 1 | wcodeci_mix_step(c, c->low + (c->high - c->low) / 2, value >> count & 1, decoding);
    return bits;
}

/* What ends a payload: the smallest number in low ... high with the most zero bytes at its end.  They are left
 * out; *bytes: how many are not. */
static uint32_t wcodeci_mix_last(const wcodeci_mix_coder *c, unsigned *bytes)
{
    uint32_t x = 0;
    unsigned k;
    for (k = 0; k < 4; k++) {
        const uint32_t rest = 0xFFFFFFFFu >> 8 * k;
        if (c->low > 0xFFFFFFFFu - rest) continue;      /* rounding it up would carry */
        x = (c->low + rest) & ~rest;
        if (x <= c->high) break;
    }
    *bytes = k;
    return k < 4 ? x : c->low;
}

/* What a slot becomes by a bit; `flip`: all bits are ones if it was a 1. */
WCODECI_INLINE uint32_t wcodeci_mix_learn(const wcodeci_mix *m, uint32_t state, uint32_t flip)
{
    const uint32_t count = state & 1023;
    uint32_t gap;
    flip &= ~1023u;
    gap = state ^ flip;
    gap -= (uint32_t)((uint64_t)gap * m->step[count] >> 16) & ~1023u;
    return (gap + (count < 1023)) ^ flip;
}

/* Codes one bit by a slot alone. */
WCODECI_INLINE unsigned wcodeci_mix_plain(const wcodeci_mix *m, wcodeci_mix_coder *c, uint32_t *slot, unsigned bit,
                                          const int decoding)
{
    const uint32_t p = (uint32_t)wcodeci_mix_clamp((int)(*slot >> 16), 32, 65535 - 32);
    bit = wcodeci_mix_step(c, c->low + (uint32_t)((uint64_t)(c->high - c->low) * p >> 16), bit, decoding);
    *slot = wcodeci_mix_learn(m, *slot, 0u - bit);
    return bit;
}

/* Codes one bit, by the slots slot[k][node] and the weights and row of the last table that are set.  Returns
 * it.  No sum can overflow: once its rate has come down a weight moves by less than 2^21 a bit and takes part in
 * at most 2^27 of a tile, of integers by 2^23 and in 2^24; so eight products with 2^11 fit 64 bits. */
WCODECI_INLINE unsigned wcodeci_mix_bit(const wcodeci_mix *m, wcodeci_mix_coder *c, uint32_t *const *slot,
                                        const unsigned node, const unsigned inputs, unsigned bit,
                                        const int decoding)
{
    int64_t *const w = c->weights, dot = (int64_t)2048 << 30, e, s[WCODECI_MIX_INPUTS];
    uint32_t p, mixed, flip;
    unsigned k, at;
    uint16_t *cell;
    WCODECI_MIX_UNROLL
    for (k = 0; k < inputs; k++) {
        s[k] = m->stretch[slot[k][node] >> 20];
        dot += w[k] * s[k];
    }
    dot = dot < (int64_t)1 << 30 ? (int64_t)1 << 30 : dot;
    at = (unsigned)((dot > (int64_t)4095 << 30 ? (int64_t)4095 << 30 : dot) >> 30);
    mixed = m->squash[at];
    cell = c->refined + at / 128;
    p = (mixed + *cell) / 2;
    bit = wcodeci_mix_step(c, c->low + (uint32_t)((uint64_t)(c->high - c->low) * p >> 16), bit, decoding);
    e = (int32_t)((((bit + 1) << 16) - mixed) * c->rate >> 10) - (int32_t)(64 * c->rate);     /* rounded down */
    flip = 0u - bit;
    WCODECI_MIX_UNROLL
    for (k = 0; k < inputs; k++) {
        w[k] += e * s[k];
        slot[k][node] = wcodeci_mix_learn(m, slot[k][node], flip);
    }
    mixed = *cell ^ (flip & 65535u);
    *cell = (uint16_t)((mixed - (mixed >> c->shift)) ^ flip);
    return bit;
}

/* Weights and the last table learn fast at first: the rate falls to `floor`. */
WCODECI_INLINE void wcodeci_mix_pace(wcodeci_mix_coder *c, uint32_t floor, size_t i)
{
    c->rate = floor + (i < 9600 ? 9600 / (16 + (uint32_t)i) : 0);
    c->shift = i < 16384 ? 5 : 6;
}

/* Scales of the row and of the columns, in 1/256 octave, each as what it adds to the plane's. */
typedef struct wcodeci_mix_scale {
    int32_t plane, row;
    int32_t *column;
    size_t i, j, r;             /* value i stands in row r at j */
} wcodeci_mix_scale;

static void wcodeci_mix_scale_start(wcodeci_mix_scale *s, wcodeci_mix *m, int32_t plane, size_t row)
{
    s->plane = plane;
    s->row = 0;
    s->column = m->column;
    s->i = s->j = s->r = 0;
    memset(m->column, 0, sizeof(int32_t) * wcodeci_min(row, WCODECI_MIX_COLUMNS));
}

/* Learns from value i, which is `log` in 1/256 octave.  The divisors are the counts, with a start that
 * keeps a row or column near the plane's scale until it has said something. */
WCODECI_INLINE void wcodeci_mix_scale_learn(wcodeci_mix_scale *s, const wcodeci_mix *m, int32_t log)
{
    int32_t *const column = &s->column[s->j % WCODECI_MIX_COLUMNS];
    const int32_t score = wcodeci_mix_score(log - (s->plane + s->row + *column));
    s->plane += score * m->reciprocal[4 + wcodeci_min(s->i, 512)] / 65536;
    s->row += score * m->reciprocal[16 + wcodeci_min(s->j, 512)] / 65536;
    *column += score * m->reciprocal[16 + wcodeci_min(s->r, 1023)] / 65536;
}

/* On to the next value; 1 if a new row begins.  It starts with half of what the row before had. */
WCODECI_INLINE int wcodeci_mix_scale_next(wcodeci_mix_scale *s, size_t row)
{
    s->i++;
    if (++s->j < row) return 0;
    s->j = 0;
    s->r++;
    s->row /= 2;
    return 1;
}

#define WCODECI_MIX_NODES 32
#define WCODECI_MIX_EXPONENT_INPUTS 5
#define WCODECI_MIX_EXPONENT_SLOTS ((256 + 1024 + 512 + 128 + 256) * WCODECI_MIX_NODES + 256)

/* One node of an exponent's tree. */
WCODECI_INLINE unsigned wcodeci_mix_node(wcodeci_mix *m, wcodeci_mix_coder *c, uint32_t *const *context, unsigned scale,
                                         unsigned node, unsigned bit, const int decoding)
{
    c->weights = m->weight + (scale / 4 * WCODECI_MIX_NODES + node) * WCODECI_MIX_INPUTS;
    c->refined = m->refine + (scale * WCODECI_MIX_NODES + node) * WCODECI_MIX_CELLS;
    return wcodeci_mix_bit(m, c, context, node, WCODECI_MIX_EXPONENT_INPUTS, bit, decoding);
}

/* Eight plain bits, for what lies too far from the centre to count there in steps. */
WCODECI_INLINE unsigned wcodeci_mix_escape(wcodeci_mix *m, wcodeci_mix_coder *c, unsigned v,
                                           const int decoding)
{
    uint32_t *const slots = m->slots + WCODECI_MIX_EXPONENT_SLOTS - 256;
    unsigned tree = 1;
    c->weights = m->weight + 1023 * WCODECI_MIX_INPUTS;
    c->refined = m->refine + 2047 * WCODECI_MIX_CELLS;
    while (tree < 256) {
        tree = 2 * tree + wcodeci_mix_bit(m, c, &slots, tree, 1, v >> 7 & 1, decoding);
        v <<= 1;
    }
    return tree & 255;
}

/* Is the value above the centre?  Then steps up, or down, until it is found. */
WCODECI_INLINE unsigned wcodeci_mix_exponent(wcodeci_mix *m, wcodeci_mix_coder *c, uint32_t *const *context, unsigned scale,
                                             unsigned centre, unsigned v, const int decoding)
{
    unsigned d;
    if (wcodeci_mix_node(m, c, context, scale, 0, v > centre, decoding)) {
        for (d = 1; d < 11; d++)
            if (!wcodeci_mix_node(m, c, context, scale, 20 + d, v > centre + d, decoding)) return centre + d;
    } else {
        for (d = 0; d < 19; d++)
            if (!wcodeci_mix_node(m, c, context, scale, 1 + d, v + d < centre, decoding)) return centre - d;
    }
    return wcodeci_mix_escape(m, c, v, decoding);
}

WCODECI_INLINE void wcodeci_mix_exponents(wcodeci_mix *m, const wcodeci_mix_in *in, wcodeci_byte *out,
                                          size_t row, unsigned centre, const int decoding)
{
    const int32_t middle = (int32_t)centre * 256;
    const unsigned mask = (1u << in->width) - 1;
    uint32_t *context[WCODECI_MIX_EXPONENT_INPUTS];
    wcodeci_mix_coder c = m->coder;
    int32_t *const mean = m->column + WCODECI_MIX_COLUMNS;
    int32_t row_mean = middle, near = middle, last = middle;
    const wcodeci_byte *const v = decoding ? out : in->v;
    wcodeci_mix_scale s;
    size_t i;
    wcodeci_mix_scale_start(&s, m, middle + 256, row);
    for (i = 0; i < wcodeci_min(row, WCODECI_MIX_COLUMNS); i++) mean[i] = middle;
    for (i = 0; i < in->n; i++) {
        int32_t *const column_mean = &mean[s.j % WCODECI_MIX_COLUMNS];
        const int32_t column = s.column[s.j % WCODECI_MIX_COLUMNS];
        const int32_t expected = s.plane + s.row + column - middle;
        const unsigned scale = wcodeci_mix_class(expected, -1408, 64, 64);
        const int32_t up = s.r ? v[i - row] * 256 : middle;
        unsigned e = decoding ? 0 : v[i];
        int32_t log;
        context[0] = wcodeci_mix_context(m, wcodeci_mix_class(expected, -1408, 16, 256), WCODECI_MIX_NODES);
        context[1] = wcodeci_mix_context(m, 256 + wcodeci_mix_class(s.row, -512, 32, 32) * 32
                                         + wcodeci_mix_class(column, -512, 32, 32), WCODECI_MIX_NODES);
        context[2] = wcodeci_mix_context(m, 1280 + wcodeci_mix_class(near - middle, -1024, 32, 64) * 8
                                         + scale / 4 % 8, WCODECI_MIX_NODES);
        context[3] = wcodeci_mix_context(m, 1792 + wcodeci_mix_class(*column_mean + row_mean - 2 * middle,
                                                                     -2048, 32, 128), WCODECI_MIX_NODES);
        context[4] = wcodeci_mix_context(m, 1920 + wcodeci_mix_class(last - middle, -2048, 256, 16) * 16
                                         + wcodeci_mix_class(up - middle, -2048, 256, 16), WCODECI_MIX_NODES);
        wcodeci_mix_pace(&c, 12, i);
        e = wcodeci_mix_exponent(m, &c, context, scale, centre, e, decoding) & mask;
        if (decoding) out[i] = (wcodeci_byte)e;
        log = (int32_t)e * 256;
        wcodeci_mix_scale_learn(&s, m, log);
        *column_mean += (log - *column_mean) * m->reciprocal[8 + wcodeci_min(s.r, 64)] / 65536;
        row_mean += (log - row_mean) * m->reciprocal[8 + wcodeci_min(s.j, 128)] / 65536;
        near += (log - near) / 16;
        last = log;
        if (wcodeci_mix_scale_next(&s, row)) row_mean = (row_mean + 3 * (s.plane - 256)) / 4;
    }
    m->coder = c;
}

#define WCODECI_MIX_MANTISSA_INPUTS 3

/* The scales of rows and columns of all exponents: a row's before it is decoded is no secret here.  One pass
 * over the rows leaves each column's scale in s->column. */
static void wcodeci_mix_row_fit(wcodeci_mix_scale *s, const wcodeci_byte *e, size_t row)
{
    unsigned pass;
    size_t j;
    s->row = 0;
    for (pass = 0; pass < 2; pass++) {
        int64_t sum = 0;
        for (j = 0; j < row; j++)
            sum += wcodeci_mix_score(e[j] * 256 - (s->plane + s->row + s->column[j % WCODECI_MIX_COLUMNS]));
        s->row += (int32_t)(sum / (int64_t)(row + 16));
    }
}

static void wcodeci_mix_fit(wcodeci_mix_scale *s, wcodeci_mix *m, const wcodeci_byte *e, size_t n, size_t row)
{
    uint64_t sum = 0;
    size_t i, j, r, length;
    for (i = 0; i < n; i++) sum += e[i];
    wcodeci_mix_scale_start(s, m, (int32_t)(sum * 256 / n) + 256, row);
    for (i = 0, r = 0; row < n && i < n; i += length, r++) {
        length = wcodeci_min(row, n - i);
        wcodeci_mix_row_fit(s, e + i, length);
        for (j = 0; j < length; j++) {
            int32_t *const column = &s->column[j % WCODECI_MIX_COLUMNS];
            *column += wcodeci_mix_score(e[i + j] * 256 - (s->plane + s->row + *column))
                     * m->reciprocal[16 + wcodeci_min(r, 1023)] / 65536;
        }
    }
}

/* `out` holds the raw bits already when decoding. */
WCODECI_INLINE void wcodeci_mix_mantissas(wcodeci_mix *m, const wcodeci_mix_in *in, wcodeci_byte *out,
                                          size_t row, unsigned top, unsigned sign, const int decoding)
{
    const unsigned low = in->width - 1;         /* the sign's place, and the mantissa's bits */
    const wcodeci_byte *const v = decoding ? out : in->v;
    uint32_t *const signs = m->slots + 512 * 128, *context[WCODECI_MIX_MANTISSA_INPUTS];
    wcodeci_mix_coder c = m->coder;
    wcodeci_mix_scale s;
    size_t i;
    unsigned k;
    wcodeci_mix_fit(&s, m, in->exponents, in->n, row);
    s.i = s.j = s.r = 0;
    for (i = 0; i < in->n; i++) {
        const unsigned e = in->exponents[i];
        unsigned b, tree = 1, value = v[i], excess, in_row;
        if (s.j == 0) wcodeci_mix_row_fit(&s, in->exponents + i, wcodeci_min(row, in->n - i));
        in_row = wcodeci_mix_class((int32_t)e * 256 - (s.plane + s.row), -2048, 32, 128);
        excess = wcodeci_mix_class((int32_t)e * 256
                                   - (s.plane + s.row + s.column[s.j % WCODECI_MIX_COLUMNS]), -2048, 32, 128);
        context[0] = wcodeci_mix_context(m, excess, 128);
        context[1] = wcodeci_mix_context(m, 128 + e, 128);
        context[2] = wcodeci_mix_context(m, 384 + in_row, 128);
        wcodeci_mix_pace(&c, 3, i);
        for (b = 0; b < top; b++) {
            c.weights = m->weight + (excess / 4 * 16 + (tree & 15)) * WCODECI_MIX_INPUTS;
            c.refined = m->refine + tree * WCODECI_MIX_CELLS;
            tree = 2 * tree + wcodeci_mix_bit(m, &c, context, tree, WCODECI_MIX_MANTISSA_INPUTS,
                                              value >> (low - 1 - b) & 1, decoding);
        }
        if (sign) {
            const unsigned left = s.j ? v[i - 1] >> low & 1u : 2, up = s.r ? v[i - row] >> low & 1u : 2;
            unsigned bit;
            context[0] = signs + left * 4 + up;
            context[1] = signs + 32 + e;
            context[2] = signs + 288 + (s.j & 4095);
            c.weights = m->weight + (512 + left * 4 + up) * WCODECI_MIX_INPUTS;
            c.refined = m->refine + 128 * WCODECI_MIX_CELLS;
            bit = wcodeci_mix_bit(m, &c, context, 0, WCODECI_MIX_MANTISSA_INPUTS, value >> low & 1, decoding);
            if (decoding) value |= bit << low;
        }
        if (decoding) {
            for (k = 0; k < top; k++) value |= (tree >> (top - 1 - k) & 1) << (low - 1 - k);
            out[i] = (wcodeci_byte)value;
        }
        if (++s.j == row) {
            s.j = 0;
            s.r++;
        }
    }
    m->coder = c;
}

/* A match model: where the bytes from here on stood before, perhaps. */
typedef struct wcodeci_mix_match {
    size_t at;
    unsigned length, expected;          /* length 0: nothing is expected */
    uint32_t hash;
} wcodeci_mix_match;

/* After byte i: follows the match, or looks for one of at least `least` bytes, at most 400 counting.  The hash
 * forgets bytes as they are shifted out, `forget` bits a byte. */
WCODECI_INLINE void wcodeci_mix_match_next(wcodeci_mix *m, wcodeci_mix_match *t, const wcodeci_byte *v,
                                           size_t i, unsigned least, unsigned forget)
{
    uint32_t *place;
    if (t->length && v[t->at] == v[i]) {
        t->at++;
        t->length += t->length < 65535;
    } else t->length = 0;
    t->hash = (t->hash << forget) * 0x2F0B4C47u + (v[i] + 1u) * 0x9E3779B1u;
    if (i + 1 < least) return;
    place = &m->match[t->hash >> 18];
    if (!t->length && *place && (*place ^ t->hash << 14) >> 24 == 0) {
        t->at = *place & 0xFFFFFF;
        while (t->length < 400 && t->length < t->at && v[t->at - 1 - t->length] == v[i - t->length])
            t->length++;
        if (t->length < least) t->length = 0;
    }
    *place = (uint32_t)((i + 1) & 0xFFFFFF) | (t->hash << 14 & 0xFF000000u);
}

/* A class of the match by its length, 1 to 31. */
WCODECI_INLINE unsigned wcodeci_mix_match_strength(unsigned length)
{
    return length < 16 ? length : length < 32 ? 15 : length < 480 ? 16 + length / 32 : 31;
}

#define WCODECI_MIX_INTEGER_INPUTS 5
#define WCODECI_MIX_INTEGER_NODES 32        /* a context's slots: four for each size */
#define WCODECI_MIX_INTEGER_CONTEXTS (289 + 128 + 128 + 64)
#define WCODECI_MIX_INTEGER_BITS (WCODECI_MIX_INTEGER_CONTEXTS * WCODECI_MIX_INTEGER_NODES)    /* 8 times 128 */
#define WCODECI_MIX_INTEGER_MATCHES (WCODECI_MIX_INTEGER_BITS + 1024)
#define WCODECI_MIX_INTEGER_SETS 208        /* 36 and 16 for each of four strengths of the match */
#define WCODECI_MIX_INTEGER_ROWS 36

/* A number's class: 0 for 0, else the bits of its size. */
WCODECI_INLINE unsigned wcodeci_mix_size(const wcodeci_mix *m, unsigned a)
{
    return (unsigned)(m->log[a] + 256) / 256;
}

/* Signed numbers: twice the size, less one if positive: 0 to 16. */
WCODECI_INLINE unsigned wcodeci_mix_signed_size(const wcodeci_mix *m, int32_t x)
{
    return 2 * wcodeci_mix_size(m, (unsigned)(x < 0 ? -x : x)) - (x > 0);
}

/* What an integer's decisions take. */
typedef struct wcodeci_mix_integer {
    uint32_t *context[WCODECI_MIX_INTEGER_INPUTS];  /* the first one is the match's */
    uint32_t *bits;             /* of the numbers' lower bits */
    uint32_t *slots;            /* of the match */
    unsigned match, strength;   /* class, 0 to 31; 0 to 3; both 0 if there is none, or none any more */
} wcodeci_mix_integer;

/* One decision, which the match expects to be `expected`: it is the first input while it is on.  `slot`: the
 * inputs, of which it has the first place; `row`: a set of weights and a row of the last table, but that the first
 * decision of a number has its set by the run of zeros. */
WCODECI_INLINE unsigned wcodeci_mix_decide(wcodeci_mix *m, wcodeci_mix_coder *c, wcodeci_mix_integer *t,
                                           uint32_t **slot, unsigned node, unsigned row, unsigned set, unsigned type,
                                           unsigned inputs, unsigned expected, unsigned bit, const int decoding)
{
    c->refined = m->refine + row * WCODECI_MIX_CELLS;
    c->weights = m->weight + set * WCODECI_MIX_INPUTS;
    if (!t->match) {
        c->weights++;
        return wcodeci_mix_bit(m, c, slot + 1, node, inputs - 1, bit, decoding);
    }
    slot[0] = t->slots + (2 * t->match + expected) * 8 + type - node;       /* it does not depend on the node */
    bit = wcodeci_mix_bit(m, c, slot, node, inputs, bit, decoding);
    if (bit != expected) t->match = t->strength = 0;
    return bit;
}

/* The decision number `type` below 4 on the size k. */
WCODECI_INLINE unsigned wcodeci_mix_decide_size(wcodeci_mix *m, wcodeci_mix_coder *c, wcodeci_mix_integer *t, unsigned k,
                                                unsigned type, unsigned inputs, unsigned expected, unsigned bit,
                                                const int decoding)
{
    const unsigned node = 4 * k + type;
    return wcodeci_mix_decide(m, c, t, t->context, node, node, 36 * t->strength + node, type, inputs, expected, bit,
                              decoding);
}

/* The number's size, by steps from the likely one. */
WCODECI_INLINE unsigned wcodeci_mix_integer_size(wcodeci_mix *m, wcodeci_mix_coder *c, wcodeci_mix_integer *t,
                                                 unsigned centre, unsigned run, unsigned width,
                                                 unsigned expected, unsigned size, const int decoding)
{
    unsigned k = centre;
    if (wcodeci_mix_decide(m, c, t, t->context, 4 * k, 4 * k, 144 + 16 * t->strength + run, 0,
                           WCODECI_MIX_INTEGER_INPUTS, expected > k, size > k, decoding)) {
        for (k++; k < width; k++)
            if (!wcodeci_mix_decide_size(m, c, t, k, 1, WCODECI_MIX_INTEGER_INPUTS, expected > k, size > k, decoding))
                break;
    } else {
        for (; k > 0; k--)
            if (!wcodeci_mix_decide_size(m, c, t, k, 2, WCODECI_MIX_INTEGER_INPUTS, expected < k, size < k, decoding))
                break;
    }
    return k;
}

/* The bits of a number of `size` >= 1 below its highest one: the first `top` modelled, the others coins. */
WCODECI_INLINE unsigned wcodeci_mix_integer_low(wcodeci_mix *m, wcodeci_mix_coder *c, wcodeci_mix_integer *t,
                                                unsigned size, unsigned top, unsigned expected, unsigned a,
                                                const int decoding)
{
    uint32_t *const slots = t->bits + (1u << (size - 1));       /* those of smaller sizes come before */
    unsigned left = size - 1, tree = 1, depth;
    for (depth = 0; left > 0 && depth < top; depth++) {
        unsigned bit = a >> --left & 1;
        if (t->match) {
            const unsigned type = 4 + (depth < 3 ? depth : 3), row = 28 + type;
            uint32_t *slot[2];
            slot[1] = slots + tree;
            bit = wcodeci_mix_decide(m, c, t, slot, 0, row, 36 * t->strength + row, type, 2, expected >> left & 1, bit,
                                     decoding);
        } else {
            bit = wcodeci_mix_plain(m, c, slots + tree, bit, decoding);
        }
        tree = 2 * tree + bit;
    }
    return tree << left | wcodeci_mix_coins(c, a, left, decoding);
}

/* A number x in -half ... half - 1: its size, sign and bits.  `expected`: by the match. */
WCODECI_INLINE int32_t wcodeci_mix_integer_code(wcodeci_mix *m, wcodeci_mix_coder *c, wcodeci_mix_integer *t,
                                                unsigned centre, unsigned run, unsigned width, unsigned top,
                                                int32_t expected, int32_t x, const int decoding)
{
    const unsigned a = (unsigned)(x < 0 ? -x : x), b = (unsigned)(expected < 0 ? -expected : expected);
    const unsigned expected_size = wcodeci_mix_size(m, b);
    unsigned negative, low;
    const unsigned size = wcodeci_mix_integer_size(m, c, t, centre, run, width, expected_size,
                                                   wcodeci_mix_size(m, a), decoding);
    if (size == 0) return 0;
    if (size == width) return -(int32_t)(1u << (width - 1));    /* the only one */
    negative = wcodeci_mix_decide_size(m, c, t, size, 3, 3, expected < 0, x < 0, decoding);
    low = wcodeci_mix_integer_low(m, c, t, size, top, b, a, decoding);
    return negative ? -(int32_t)low : (int32_t)low;
}

WCODECI_INLINE void wcodeci_mix_integers(wcodeci_mix *m, const wcodeci_mix_in *in, wcodeci_byte *out,
                                         size_t row, unsigned zero, unsigned top, const int decoding)
{
    const wcodeci_byte *const v = decoding ? out : in->v;
    const unsigned width = in->width, mask = (1u << width) - 1, half = 1u << (width - 1);
    const int32_t least = (int32_t)half;
    int32_t *const mean = m->column + WCODECI_MIX_COLUMNS;
    int32_t row_mean = 0;
    wcodeci_mix_integer t;
    wcodeci_mix_coder c = m->coder;
    wcodeci_mix_match match = { 0, 0, 0, 0 };
    wcodeci_mix_scale s;
    unsigned run = 0;
    size_t i;
    memset(m->match, 0, sizeof m->match);
    wcodeci_mix_scale_start(&s, m, 1280, row);
    memset(mean, 0, sizeof(int32_t) * wcodeci_min(row, WCODECI_MIX_COLUMNS));
    t.slots = m->slots + WCODECI_MIX_INTEGER_MATCHES;
    for (i = 0; i < in->n; i++) {
        int32_t *const column_mean = &mean[s.j % WCODECI_MIX_COLUMNS];
        const int32_t log = s.plane + s.row + s.column[s.j % WCODECI_MIX_COLUMNS];
        const unsigned scale = wcodeci_mix_class(log, -256, 40, 64), eighth = scale / 2 % 8;
        const int32_t left = s.j ? (int32_t)((v[i - 1] - zero + half) & mask) - least : 0;
        const int32_t up = s.r ? (int32_t)((v[i - row] - zero + half) & mask) - least : 0;
        const int32_t up2 = s.r > 1 ? (int32_t)((v[i - 2 * row] - zero + half) & mask) - least : 0;
        int32_t x = decoding ? 0 : (int32_t)((v[i] - zero + half) & mask) - least, expected = 0;
        t.match = t.strength = 0;
        if (match.length) {
            expected = (int32_t)((v[match.at] - zero + half) & mask) - least;
            t.match = wcodeci_mix_match_strength(match.length);
            t.strength = match.length < 16 ? 1 : match.length < 32 ? 2 : 3;
        }
        t.bits = m->slots + WCODECI_MIX_INTEGER_BITS + scale / 8 * 128;
        t.context[1] = m->slots + WCODECI_MIX_INTEGER_NODES
                     * (wcodeci_mix_signed_size(m, left) * 17 + wcodeci_mix_signed_size(m, up));
        t.context[2] = m->slots + WCODECI_MIX_INTEGER_NODES
                     * (289 + wcodeci_mix_class(*column_mean / 16, -256, 32, 16) * 8 + eighth);
        t.context[3] = m->slots + WCODECI_MIX_INTEGER_NODES
                     * (417 + wcodeci_mix_class(row_mean / 16, -256, 32, 16) * 8 + eighth);
        t.context[4] = m->slots + WCODECI_MIX_INTEGER_NODES * (545 + (up == 0) * 32u + (up2 == 0) * 16u + run);
        wcodeci_mix_pace(&c, 64, i);
        x = wcodeci_mix_integer_code(m, &c, &t, wcodeci_mix_class(log + 110, 0, 256, (int)width), run, width, top,
                                     expected, x, decoding);
        if (decoding) out[i] = (wcodeci_byte)(((unsigned)(x + least) + zero + half) & mask);
        run = x ? 0 : run + (run < 15);
        wcodeci_mix_match_next(m, &match, v, i, 6, 6);
        wcodeci_mix_scale_learn(&s, m, m->log[x < 0 ? -x : x] - 140);
        *column_mean += (x * 64 - *column_mean) * m->reciprocal[4 + wcodeci_min(s.r, 60)] / 65536;
        row_mean += (x * 64 - row_mean) * m->reciprocal[8 + wcodeci_min(s.j, 120)] / 65536;
        if (wcodeci_mix_scale_next(&s, row)) row_mean /= 2;
    }
    m->coder = c;
}

#define WCODECI_MIX_TEXT_INPUTS 7

/* The class of the match for the next bit of a byte, 0 if there is none (any more): its strength and the bit
 * it expects.  `tree`: the bits so far under a 1; `left`: how many are to come. */
WCODECI_INLINE unsigned wcodeci_mix_match_class(const wcodeci_mix_match *t, unsigned tree, unsigned left)
{
    if (!t->length || (t->expected | 256u) >> left != tree) return 0;
    return 2 * wcodeci_mix_match_strength(t->length) + (t->expected >> (left - 1) & 1);
}

/* A table has eight slots for each byte, but 2^15 at most. */
static unsigned wcodeci_mix_text_log(size_t n)
{
    unsigned log = 8;
    while (log < 15 && (size_t)1 << log < 8 * n) log++;
    return log;
}

/* The hashes of the last 1, 2, 3, 4 and 6 bytes and of the word before and this one. */
WCODECI_INLINE void wcodeci_mix_text_next(uint32_t hash[WCODECI_MIX_TEXT_ORDERS], uint32_t word[2],
                                          const wcodeci_byte *v, size_t i)
{
    uint32_t h = 0;
    unsigned k, c = v[i];
    for (k = 1; k <= 6 && k <= i + 1; k++) {
        h = (h + v[i - k + 1] + 1) * 0x2F0B4C47u;
        if (k != 5) hash[k == 6 ? 4 : k - 1] = h + k;
    }
    if ((c | 32) >= 'a' && (c | 32) <= 'z') word[0] = (word[0] + c) * 0x9E3779B1u;
    else if (c < '0' || c > '9') {
        word[1] = word[0];
        word[0] = c;
    }
    hash[5] = word[0] * 31 + word[1] + (c == ':');
}

WCODECI_INLINE void wcodeci_mix_text(wcodeci_mix *m, const wcodeci_mix_in *in, wcodeci_byte *out,
                                     const int decoding)
{
    const wcodeci_byte *const v = decoding ? out : in->v;
    uint32_t *const slots = m->slots, *context[WCODECI_MIX_TEXT_INPUTS];
    wcodeci_mix_coder c = m->coder;
    const unsigned log = wcodeci_mix_text_log(in->n);
    uint32_t hash[WCODECI_MIX_TEXT_ORDERS] = { 0, 0, 0, 0, 0, 0 }, word[2] = { 0, 0 };
    wcodeci_mix_match match = { 0, 0, 0, 0 };
    unsigned k;
    size_t i;
    memset(m->match, 0, sizeof m->match);
    for (i = 0; i < in->n; i++) {
        const unsigned symbol = decoding ? 0 : v[i];
        unsigned tree = 1, left;
        match.expected = match.length ? v[match.at] : 0;
        wcodeci_mix_pace(&c, 14, i);
        for (left = 8; left > 0; left--) {
            const unsigned class_ = wcodeci_mix_match_class(&match, tree, left);
            for (k = 0; k < WCODECI_MIX_TEXT_ORDERS; k++)
                context[k] = slots + ((size_t)k << log) + ((hash[k] ^ tree * 0x9E3779B1u) * 2654435761u >> (32 - log));
            context[6] = slots + ((size_t)WCODECI_MIX_TEXT_ORDERS << log) + class_ * 8 + left - 1;
            c.weights = m->weight + class_ / 2 * WCODECI_MIX_INPUTS;
            c.refined = m->refine + tree * WCODECI_MIX_CELLS;
            tree = 2 * tree + wcodeci_mix_bit(m, &c, context, 0, WCODECI_MIX_TEXT_INPUTS, symbol >> (left - 1) & 1,
                                              decoding);
        }
        if (decoding) out[i] = (wcodeci_byte)tree;
        wcodeci_mix_match_next(m, &match, v, i, 4, 8);
        wcodeci_mix_text_next(hash, word, v, i);
    }
    m->coder = c;
}

/* A row of 0, or of more than the plane has, is the plane. */
static size_t wcodeci_mix_row(const wcodeci_mix_in *in)
{
    return in->row && in->row < in->n ? in->row : in->n;
}

/* Both directions of a kind, apart so that `decoding` is a constant in each.  out: NULL to encode. */
static void wcodeci_mix_code_exponents(wcodeci_mix *m, const wcodeci_mix_in *in, wcodeci_byte *out,
                                       unsigned centre)
{
    wcodeci_mix_start(m, WCODECI_MIX_EXPONENT_INPUTS, 9, WCODECI_MIX_WEIGHTS, WCODECI_MIX_REFINED,
                      WCODECI_MIX_EXPONENT_SLOTS - 256, 256, 25);
    if (out) {
        unsigned k;
        for (k = 0; k < 4; k++) wcodeci_mix_take(&m->coder);
        wcodeci_mix_exponents(m, in, out, wcodeci_mix_row(in), centre, 1);
    } else wcodeci_mix_exponents(m, in, NULL, wcodeci_mix_row(in), centre, 0);
}

static void wcodeci_mix_code_mantissas(wcodeci_mix *m, const wcodeci_mix_in *in, wcodeci_byte *out,
                                       unsigned top, unsigned sign)
{
    wcodeci_mix_start(m, WCODECI_MIX_MANTISSA_INPUTS, 9, 528, 129, 512 * 128, sign ? 32 + 256 + 4096 : 0, 25);
    if (out) {
        unsigned k;
        for (k = 0; k < 4; k++) wcodeci_mix_take(&m->coder);
        wcodeci_mix_mantissas(m, in, out, wcodeci_mix_row(in), top, sign, 1);
    } else wcodeci_mix_mantissas(m, in, NULL, wcodeci_mix_row(in), top, sign, 0);
}

static void wcodeci_mix_code_integers(wcodeci_mix *m, const wcodeci_mix_in *in, wcodeci_byte *out,
                                      unsigned zero, unsigned top)
{
    wcodeci_mix_start(m, WCODECI_MIX_INTEGER_INPUTS, 11, WCODECI_MIX_INTEGER_SETS, WCODECI_MIX_INTEGER_ROWS, 0,
                      WCODECI_MIX_INTEGER_MATCHES + 512, 20);
    if (out) {
        unsigned k;
        for (k = 0; k < 4; k++) wcodeci_mix_take(&m->coder);
        wcodeci_mix_integers(m, in, out, wcodeci_mix_row(in), zero, top, 1);
    } else wcodeci_mix_integers(m, in, NULL, wcodeci_mix_row(in), zero, top, 0);
}

static void wcodeci_mix_code_text(wcodeci_mix *m, const wcodeci_mix_in *in, wcodeci_byte *out)
{
    wcodeci_mix_start(m, WCODECI_MIX_TEXT_INPUTS, 9, 32, 256, 0,
                      ((unsigned)WCODECI_MIX_TEXT_ORDERS << wcodeci_mix_text_log(in->n)) + 1024, 16);
    if (out) {
        unsigned k;
        for (k = 0; k < 4; k++) wcodeci_mix_take(&m->coder);
        wcodeci_mix_text(m, in, out, 1);
    } else wcodeci_mix_text(m, in, NULL, 0);
}

/* Bytes of scratch that either direction takes, aligned for 64 bits; a multiple of 8. */
static size_t wcodeci_mix_scratch(void) { return (sizeof(wcodeci_mix) + 7) & ~(size_t)7; }

/* The raw bits of mantissas: those below the `top` ones and, unless it is coded, the sign. */
static unsigned wcodeci_mix_raw_width(unsigned width, unsigned top, unsigned sign)
{
    return width - top - sign;
}

/* After the last bit: is the code the one that ends there, and does the payload end with it, or with the zeros
 * that fill it up to `least` bytes?  `src`: the payload; `code`: where its code bytes begin. */
static int wcodeci_mix_ends(const wcodeci_mix_coder *c, const wcodeci_byte *src, const wcodeci_byte *code,
                            size_t least)
{
    unsigned last;
    size_t bytes;
    if (c->code != wcodeci_mix_last(c, &last)) return 0;
    bytes = (size_t)(c->p - code) + c->past - (4 - last);       /* at least four were read */
    if (bytes > (size_t)(c->end - code)) return 0;
    return (size_t)(c->end - src) == (code + bytes > src + least ? (size_t)(code - src) + bytes : least)
        && wcodeci_all_zero(code + bytes, c->end);
}

static const char *wcodeci_mix_decode(const wcodeci_mix_in *in, const wcodeci_byte *src, size_t size,
                                      wcodeci_byte *v, void *work)
{
    static const char broken[] = "a mix plane's head is broken";
    wcodeci_mix *const m = (wcodeci_mix *)work;
    const unsigned kind = size ? src[0] : 255, parameter = size > 1 ? src[1] : 0;
    const size_t least = in->n / WCODECI_MIX_BYTE;
    const wcodeci_byte *p = src + (kind == WCODECI_MIX_TEXT ? 1 : 2);
    if (size < 2 || kind > WCODECI_MIX_TEXT) return broken;
    if (size < least) return "a mix plane has fewer bytes than its values need";
    wcodeci_mix_tables(m);
    m->coder.end = src + size;
    if (kind == WCODECI_MIX_EXPONENTS) {
        if (parameter >> in->width) return broken;
        m->coder.p = p;
        wcodeci_mix_code_exponents(m, in, v, parameter);
    } else if (kind == WCODECI_MIX_MANTISSAS) {
        const unsigned top = parameter & 7, sign = parameter >> 3;
        unsigned raw, count = 0;
        uint32_t bits = 0;
        size_t i;
        if (!in->exponents || sign > 1 || top + sign == 0 || top >= in->width) return broken;
        raw = wcodeci_mix_raw_width(in->width, top, sign);
        if ((uint64_t)(size - 2) < ((uint64_t)in->n * raw + 7) / 8) return "a mix plane ends too early";
        for (i = 0; i < in->n; i++) {
            unsigned x;
            for (; count < raw; count += 8) bits |= (uint32_t)*p++ << count;
            x = bits & ((1u << raw) - 1);
            bits >>= raw;
            count -= raw;
            if (!sign) x = (x >> (raw - 1)) << (in->width - 1) | (x & ((1u << (raw - 1)) - 1));
            v[i] = (wcodeci_byte)x;
        }
        if (bits) return "a mix plane's filling bits are not zero";
        m->coder.p = p;
        wcodeci_mix_code_mantissas(m, in, v, top, sign);
    } else if (kind == WCODECI_MIX_INTEGERS) {
        if (parameter >> in->width || size < 3 || src[2] > 7) return broken;
        m->coder.p = ++p;
        wcodeci_mix_code_integers(m, in, v, parameter, src[2]);
    } else {
        if (in->width != 8) return broken;
        m->coder.p = p;
        wcodeci_mix_code_text(m, in, v);
    }
    return wcodeci_mix_ends(&m->coder, src, p, least) ? NULL : "a mix plane does not end where it must";
}

#ifndef WCODEC_NO_ENCODER

/* `least`: bytes that the payload at `dst` has at least. */
static void wcodeci_mix_finish(wcodeci_mix *m, const wcodeci_byte *dst, size_t least)
{
    unsigned bytes;
    uint32_t x = wcodeci_mix_last(&m->coder, &bytes);
    for (; bytes > 0; bytes--, x <<= 8) wcodeci_mix_put(&m->coder, x >> 24);
    while ((size_t)(m->coder.dst - dst) < least && !m->coder.past) wcodeci_mix_put(&m->coder, 0);
}

static size_t wcodeci_mix_count(const wcodeci_mix_in *in, unsigned bit)
{
    size_t i, count = 0;
    for (i = 0; i < in->n; i++) count += in->v[i] >> bit & 1u;
    return count;
}

/* Encodes with given parameters; returns the size, 0 if it does not fit. */
static size_t wcodeci_mix_write(const wcodeci_mix_in *in, unsigned parameter, wcodeci_byte *dst, size_t cap,
                                wcodeci_mix *m)
{
    wcodeci_byte *p = dst;
    if (cap < 3) return 0;
    *p++ = (wcodeci_byte)in->kind;
    if (in->kind != WCODECI_MIX_TEXT) *p++ = (wcodeci_byte)parameter;
    if (in->kind == WCODECI_MIX_INTEGERS) *p++ = (wcodeci_byte)(parameter >> 8);
    m->coder.dst_end = dst + cap;
    if (in->kind == WCODECI_MIX_MANTISSAS) {
        const unsigned top = parameter & 7, sign = parameter >> 3, low = in->width - 1;
        const unsigned raw = wcodeci_mix_raw_width(in->width, top, sign);
        const unsigned mask = (1u << (low - top)) - 1;
        uint32_t bits = 0;
        unsigned count = 0;
        size_t i;
        if (cap - 2 < ((uint64_t)in->n * raw + 7) / 8) return 0;
        for (i = 0; i < in->n; i++) {
            const unsigned x = (in->v[i] & mask) | (sign ? 0 : (unsigned)(in->v[i] >> low) << (low - top));
            bits |= x << count;
            for (count += raw; count >= 8; count -= 8, bits >>= 8) *p++ = (wcodeci_byte)bits;
        }
        if (count) *p++ = (wcodeci_byte)bits;
        m->coder.dst = p;
        wcodeci_mix_code_mantissas(m, in, NULL, top, sign);
    } else {
        m->coder.dst = p;
        if (in->kind == WCODECI_MIX_EXPONENTS) wcodeci_mix_code_exponents(m, in, NULL, parameter);
        else if (in->kind == WCODECI_MIX_INTEGERS) wcodeci_mix_code_integers(m, in, NULL, parameter & 255, parameter >> 8);
        else wcodeci_mix_code_text(m, in, NULL);
    }
    wcodeci_mix_finish(m, dst, in->n / WCODECI_MIX_BYTE);
    return m->coder.past ? 0 : (size_t)(m->coder.dst - dst);
}

/* The median. */
static unsigned wcodeci_mix_centre(const wcodeci_mix_in *in)
{
    size_t count[256] = { 0 }, i, sum = 0;
    unsigned v;
    for (i = 0; i < in->n; i++) count[in->v[i]]++;
    for (v = 0; v < 255; v++)
        if ((sum += count[v]) >= (in->n + 1) / 2) break;
    return v;
}

/* 0 for signed integers, the mean for unsigned ones: whichever is nearer to the values. */
static unsigned wcodeci_mix_zero(const wcodeci_mix_in *in)
{
    const unsigned mask = (1u << in->width) - 1, half = 1u << (in->width - 1);
    uint64_t sum = 0, from_zero = 0, from_mean = 0;
    unsigned mean;
    size_t i;
    for (i = 0; i < in->n; i++) sum += in->v[i];
    mean = (unsigned)(sum / in->n);
    for (i = 0; i < in->n; i++) {
        const unsigned a = in->v[i], b = (a - mean) & mask;
        from_zero += a < half ? a : mask + 1 - a;
        from_mean += b < half ? b : mask + 1 - b;
    }
    return from_mean < from_zero ? mean : 0;
}

/* A part of the plane, in whole rows if it can be. */
static wcodeci_mix_in wcodeci_mix_part(const wcodeci_mix_in *in)
{
    const size_t row = wcodeci_mix_row(in);
    wcodeci_mix_in part = *in;
    if (in->n > WCODECI_MIX_PART)
        part.n = row < WCODECI_MIX_PART ? WCODECI_MIX_PART / row * row : WCODECI_MIX_PART;
    return part;
}

/* Writes with the parameter `some`, or `all` if a part of the plane takes less by that, and by one in 256 for what
 * it costs in time.  A small plane is its part: it is there when it was tried. */
static size_t wcodeci_mix_write_either(const wcodeci_mix_in *in, unsigned some, unsigned all, wcodeci_byte *dst,
                                       size_t cap, wcodeci_mix *m)
{
    const wcodeci_mix_in part = wcodeci_mix_part(in);
    const size_t with_all = wcodeci_mix_write(&part, all, dst, cap, m);
    const size_t with_some = wcodeci_mix_write(&part, some, dst, cap, m);
    if (with_all && (!with_some || with_all + with_all / 256 < with_some))
        return wcodeci_mix_write(in, all, dst, cap, m);
    return part.n == in->n ? with_some : wcodeci_mix_write(in, some, dst, cap, m);
}

/* Three bits of the mantissa, or all: noise below the third costs more to code than to store, but there are
 * planes that are not noise.  The sign is coded where it is not a fair coin. */
static size_t wcodeci_mix_write_mantissas(const wcodeci_mix_in *in, wcodeci_byte *dst, size_t cap,
                                          wcodeci_mix *m)
{
    const unsigned low = in->width - 1, three = low < 3 ? low : 3;
    const size_t negative = wcodeci_mix_count(in, low);
    const uint64_t off = negative > in->n / 2 ? 2 * (uint64_t)negative - in->n : in->n - 2 * (uint64_t)negative;
    const unsigned sign = off * off > 16 * (uint64_t)in->n ? 8 : 0;
    if (low == three) return wcodeci_mix_write(in, low | sign, dst, cap, m);
    return wcodeci_mix_write_either(in, three | sign, low | sign, dst, cap, m);
}

/* Writes a plane as in->kind.  Returns the payload's size, 0 if it does not fit.  `work`: as for decoding, and with
 * wcodeci_mix_tables done. */
static size_t wcodeci_mix_encode(const wcodeci_mix_in *in, wcodeci_byte *dst, size_t cap, void *work)
{
    wcodeci_mix *const m = (wcodeci_mix *)work;
    unsigned zero;
    if (in->kind == WCODECI_MIX_MANTISSAS) return wcodeci_mix_write_mantissas(in, dst, cap, m);
    if (in->kind != WCODECI_MIX_INTEGERS)
        return wcodeci_mix_write(in, in->kind == WCODECI_MIX_EXPONENTS ? wcodeci_mix_centre(in) : 0, dst, cap, m);
    zero = wcodeci_mix_zero(in);        /* two bits below an integer's highest one, or all */
    return wcodeci_mix_write_either(in, zero | 2 << 8, zero | 7 << 8, dst, cap, m);
}

#endif

#endif
