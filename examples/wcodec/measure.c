/* Entropies of segments, and their tiles really coded: see measure.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

#define TILE_UNITS 65536u                   /* what encode uses unless it is told otherwise */
#define TILE_BYTES ((size_t)TILE_UNITS * 8)
#define SAMPLE_BYTES ((uint64_t)4 << 20)    /* of larger tensors, tiles of about this much are coded */

const size_t measure_buffer = TILE_BYTES;

static const struct choice {
    unsigned coder;
    int predictors;
} choices[MEASURE_CHOICES] = {
    { CLI_CODER_RAW, 0 }, { CLI_CODER_HUFFMAN, 0 }, { CLI_CODER_RANS, 0 }, { CLI_CODER_AUTO, 0 },
    { CLI_CODER_HUFFMAN, 1 }, { CLI_CODER_RANS, 1 }, { CLI_CODER_AUTO, 1 }
};
const char *const measure_choice_keys[MEASURE_CHOICES] = {
    "raw", "huffman", "rans", "auto", "huffman_predicted", "rans_predicted", "auto_predicted"
};
const struct measure_column measure_columns[MEASURE_COLUMNS] = {
    { "raw", MEASURE_RAW }, { "huff", MEASURE_HUFFMAN }, { "rans", MEASURE_RANS }, { "auto", MEASURE_AUTO },
    { "pred", MEASURE_AUTO_PRED }
};

/* ---- layout ---- */

static void find_exponent(unsigned dtype, measure_layout *l)
{
    static const struct { unsigned dtype, shift, bits, bias; } exponents[] = {
        { WCODEC_F8_E5M2, 2, 5, 15 }, { WCODEC_F8_E4M3, 3, 4, 7 }, { WCODEC_F8_E8M0, 0, 8, 127 },
        { WCODEC_F8_E4M3FNUZ, 3, 4, 8 }, { WCODEC_F8_E5M2FNUZ, 2, 5, 16 }, { WCODEC_F16, 10, 5, 15 },
        { WCODEC_BF16, 7, 8, 127 }, { WCODEC_F32, 23, 8, 127 }, { WCODEC_C64, 23, 8, 127 },
        { WCODEC_F64, 52, 11, 1023 }
    };
    size_t i;
    for (i = 0; i < sizeof exponents / sizeof exponents[0]; i++) {
        if (exponents[i].dtype != dtype) continue;
        l->shift = exponents[i].shift;
        l->bits = exponents[i].bits;
        l->bias = exponents[i].bias;
    }
}

#define FIELD(what, shift, width) { what, width, shift, width, 0, 0, 0, 0 }
#define FIELDS(what, hs, hw, ls, lw) { what, (hw) + (lw), ls, lw, hs, hw, 0, 0 }
static const struct split {
    unsigned id, planes;
    measure_plane plane[WCODEC_MAX_PLANES];
} splits[] = {
    { WCODEC_SPLIT_BYTE, 1, { FIELD("byte", 0, 8) } },
    { WCODEC_SPLIT_WORD16, 2, { FIELD("high byte", 8, 8), FIELD("low byte", 0, 8) } },
    { WCODEC_SPLIT_WORD32, 4,
      { FIELD("highest byte", 24, 8), FIELD("third byte", 16, 8), FIELD("second byte", 8, 8),
        FIELD("lowest byte", 0, 8) } },
    { WCODEC_SPLIT_WORD64, 8,
      { FIELD("highest byte", 56, 8), FIELD("seventh byte", 48, 8), FIELD("sixth byte", 40, 8),
        FIELD("fifth byte", 32, 8), FIELD("fourth byte", 24, 8), FIELD("third byte", 16, 8),
        FIELD("second byte", 8, 8), FIELD("lowest byte", 0, 8) } },
    { WCODEC_SPLIT_BF16, 2, { FIELD("exponent", 7, 8), FIELDS("sign + mantissa", 15, 1, 0, 7) } },
    { WCODEC_SPLIT_F16, 3,
      { FIELD("exponent", 10, 5), FIELDS("sign + high mantissa", 15, 1, 8, 2),
        FIELD("low mantissa", 0, 8) } },
    { WCODEC_SPLIT_F32, 4,
      { FIELD("exponent", 23, 8), FIELDS("sign + high mantissa", 31, 1, 16, 7),
        FIELD("middle mantissa", 8, 8), FIELD("low mantissa", 0, 8) } },
    { WCODEC_SPLIT_F64, 8,
      { FIELD("low exponent", 52, 8), { "sign, high exponent and mantissa", 8, 48, 4, 60, 3, 63, 1 },
        FIELD("mantissa, bits 40-47", 40, 8), FIELD("mantissa, bits 32-39", 32, 8),
        FIELD("mantissa, bits 24-31", 24, 8), FIELD("mantissa, bits 16-23", 16, 8),
        FIELD("mantissa, bits 8-15", 8, 8), FIELD("mantissa, bits 0-7", 0, 8) } },
    { WCODEC_SPLIT_F8_E4M3, 2, { FIELD("exponent", 3, 4), FIELDS("sign + mantissa", 7, 1, 0, 3) } },
    { WCODEC_SPLIT_F8_E5M2, 2, { FIELD("exponent", 2, 5), FIELDS("sign + mantissa", 7, 1, 0, 2) } },
    { WCODEC_SPLIT_NIBBLES, 2, { FIELD("high four bits", 4, 4), FIELD("low four bits", 0, 4) } }
};

/* The split that follows the fields of a dtype; the encoder takes another where that is smaller. */
static unsigned split_of(unsigned dtype)
{
    switch (dtype) {
    case WCODEC_BF16: return WCODEC_SPLIT_BF16;
    case WCODEC_F16: return WCODEC_SPLIT_F16;
    case WCODEC_F32: case WCODEC_C64: return WCODEC_SPLIT_F32;
    case WCODEC_F64: return WCODEC_SPLIT_F64;
    case WCODEC_F8_E4M3: case WCODEC_F8_E4M3FNUZ: return WCODEC_SPLIT_F8_E4M3;
    case WCODEC_F8_E5M2: case WCODEC_F8_E5M2FNUZ: return WCODEC_SPLIT_F8_E5M2;
    default: break;
    }
    switch (wcodec_dtype_bits(dtype)) {
    case 4: return WCODEC_SPLIT_NIBBLES;
    case 16: return WCODEC_SPLIT_WORD16;
    case 32: return WCODEC_SPLIT_WORD32;
    case 64: return WCODEC_SPLIT_WORD64;
    default: return WCODEC_SPLIT_BYTE;
    }
}

static void find_split(unsigned dtype, measure_layout *l)
{
    size_t i;
    l->split = split_of(dtype);
    for (i = 0; i < sizeof splits / sizeof splits[0]; i++) {
        if (splits[i].id != l->split) continue;
        l->planes = splits[i].planes;
        l->plane = splits[i].plane;
    }
}

/* The last dimension in units, if it is a whole number of them. */
static uint64_t row_of_shape(const wcodec_segment *s, unsigned unit)
{
    uint64_t bits = wcodec_dtype_bits(s->dtype), last = s->rank != 0 ? s->shape[s->rank - 1] : 0;
    unsigned elements, bytes;
    if (wcodec_dtype_block(s->dtype, &elements, &bytes)) return last / elements * bytes;
    if (last == 0 || last > UINT64_MAX / 64 || last * bits % (8 * unit) != 0) return 0;
    return last * bits / (8 * unit);
}

/* As encode does it: whole rows, near TILE_UNITS, or twice as many of one byte; a longer row is cut evenly, at whole
 * blocks. */
static void cut_tiles(measure_layout *l, unsigned block)
{
    const uint64_t most = block > 1 ? 4 * TILE_UNITS / block * block : l->unit == 1 ? 2 * TILE_UNITS : TILE_UNITS;
    if (l->row > most && l->units % l->row != 0) l->row = 0;
    if (l->row == 0) {
        l->tile = most;
    } else if (l->row <= most) {
        l->tile = most / l->row * l->row;
    } else {
        uint64_t pieces = (l->row - 1) / most + 1;
        l->tile = ((l->row - 1) / pieces / block + 1) * block;
    }
}

measure_layout measure_find_layout(const wcodec_segment *s)
{
    unsigned bits = wcodec_dtype_bits(s->dtype), elements, block;
    measure_layout l;
    memset(&l, 0, sizeof l);
    l.unit = bits <= 8 ? 1 : s->dtype == WCODEC_C64 ? 4 : bits / 8;
    l.units = s->size / l.unit;
    l.row = s->row != 0 ? s->row : row_of_shape(s, l.unit);
    cut_tiles(&l, wcodec_dtype_block(s->dtype, &elements, &block) ? block : 1);
    find_exponent(s->dtype, &l);
    find_split(s->dtype, &l);
    return l;
}

/* ---- entropies ---- */

static double entropy(const uint64_t *count, size_t size)
{
    double sum = 0, all = 0;
    size_t i;
    for (i = 0; i < size; i++) {
        all += (double)count[i];
        if (count[i] != 0) sum += (double)count[i] * log2((double)count[i]);
    }
    /* Rounding may leave a little less than nothing. */
    return all > 0 ? fmax(log2(all) - sum / all, 0) : (double)NAN;
}

/* Of a byte, given the byte before it. */
static double conditional_entropy(const measure_counts *c)
{
    double sum = 0, all = 0;
    size_t i, k;
    for (i = 0; i < 256; i++) {
        double row = 0;
        for (k = 0; k < 256; k++) row += (double)c->pair[i][k];
        if (row > 0) sum += row * entropy(c->pair[i], 256);
        all += row;
    }
    return all > 0 ? sum / all : (double)NAN;
}

typedef struct previous {
    int any;
    unsigned byte, high, exponent;
} previous;

static void count_bytes(measure_counts *c, previous *prev, const unsigned char *p, size_t size)
{
    unsigned before = prev->byte;
    size_t i = 0;
    if (!prev->any && size > 0) {       /* the first byte of all has none before it */
        before = p[0];
        c->byte[before]++;
        i = 1;
    }
    for (; i < size; i++) {
        c->byte[p[i]]++;
        c->pair[before][p[i]]++;
        before = p[i];
    }
    prev->byte = before;
}

static void count_units(measure_counts *c, previous *prev, const measure_layout *l, const unsigned char *p,
                        size_t size)
{
    const unsigned mask = (1u << l->bits) - 1u;
    size_t i, k;
    for (i = 0; i < size; i += l->unit) {
        unsigned high = p[i + l->unit - 1], exponent;
        uint64_t x = 0;
        for (k = 0; k < l->unit; k++) x |= (uint64_t)p[i + k] << (8 * k);
        exponent = (unsigned)(x >> l->shift) & mask;
        c->high[high]++;
        c->low[p[i]]++;
        c->exponent[exponent]++;
        if (prev->any) {
            c->high_step[(high - prev->high) & 255]++;
            c->exponent_step[(exponent - prev->exponent) & mask]++;
        }
        prev->any = 1;
        prev->high = high;
        prev->exponent = exponent;
    }
}

static unsigned plane_value(const measure_plane *plane, uint64_t x)
{
    uint64_t v = x >> plane->shift & ((1u << plane->low) - 1u);
    v |= (x >> plane->high_shift & ((1u << plane->high) - 1u)) << plane->low;
    v |= (x >> plane->top_shift & ((1u << plane->top) - 1u)) << (plane->low + plane->high);
    return (unsigned)v;
}

static void count_planes(measure_counts *c, const measure_layout *l, const unsigned char *p, size_t size)
{
    size_t i, k;
    if (l->split == WCODEC_SPLIT_BYTE) return;      /* that is c->byte */
    for (i = 0; i < size; i += l->unit) {
        uint64_t x = 0;
        for (k = 0; k < l->unit; k++) x |= (uint64_t)p[i + k] << (8 * k);
        for (k = 0; k < l->planes; k++) c->plane[k][plane_value(&l->plane[k], x)]++;
    }
}

int measure_read(const measure *m, uint64_t offset, void *dst, size_t size)
{
    wcodec_error err = { WCODEC_OK, 0, NULL };
    size_t got;
    wcodec_status status = m->in->source.read_at(m->in, offset, dst, size, &got);
    if (status == WCODEC_OK && got == size) return CLI_OK;
    err.offset = offset;
    err.what = "the file has become shorter";
    return cli_fail_library(m->in, NULL, WCODEC_E_IO, &err);
}

int measure_entropies_of(measure *m, const wcodec_segment *s, const measure_layout *l, measure_entropies *e)
{
    measure_counts *c = m->count;
    previous prev = { 0, 0, 0, 0 };
    uint64_t at;
    size_t size, k;
    memset(c, 0, sizeof *c);
    for (at = 0; at < s->size; at += size) {
        int result;
        size = s->size - at < TILE_BYTES ? (size_t)(s->size - at) : TILE_BYTES;
        result = measure_read(m, s->offset + at, m->tiles, size);
        if (result != CLI_OK) return result;
        count_bytes(c, &prev, m->tiles, size);
        count_units(c, &prev, l, m->tiles, size);
        count_planes(c, l, m->tiles, size);
    }
    if (l->split == WCODEC_SPLIT_BYTE) memcpy(c->plane[0], c->byte, sizeof c->byte);
    e->global = entropy(c->byte, 256);
    e->conditional = conditional_entropy(c);
    e->high = l->unit > 1 ? entropy(c->high, 256) : (double)NAN;
    e->low = l->unit > 1 ? entropy(c->low, 256) : (double)NAN;
    e->residual = entropy(c->high_step, 256);
    e->exponent = l->bits != 0 ? entropy(c->exponent, MEASURE_EXPONENTS) : (double)NAN;
    e->residual_exponent = l->bits != 0 ? entropy(c->exponent_step, MEASURE_EXPONENTS) : (double)NAN;
    for (k = 0; k < WCODEC_MAX_PLANES; k++) {
        e->plane[k] = k < l->planes ? entropy(c->plane[k], 256) : (double)NAN;
    }
    return CLI_OK;
}

/* ---- costs ---- */

typedef struct batch {
    measure *m;
    const wcodec_segment *segment;
    const measure_layout *l;
    size_t size[CLI_MAX_THREADS];                   /* bytes of each tile */
    uint64_t bytes[CLI_MAX_THREADS][MEASURE_CHOICES];       /* what came out */
} batch;

static void encode_tile(void *arg, size_t i, unsigned worker)
{
    batch *b = (batch *)arg;
    const measure *m = b->m;
    unsigned k;
    for (k = 0; k < MEASURE_CHOICES; k++) {
        wcodec_tile_options options;
        memset(&options, 0, sizeof options);
        options.coders = cli_coder_mask(choices[k].coder);
        options.predictors = choices[k].predictors ? 0 : 1u << WCODEC_PREDICT_NONE;
        b->bytes[i][k] = wcodec_tile_encode(b->segment->dtype, b->l->row, m->tiles + i * TILE_BYTES,
                                            b->size[i], NULL, &options, m->record + worker * m->record_size,
                                            m->record_size, m->scratch + worker * m->scratch_size,
                                            m->scratch_size);
    }
}

/* The bytes of tile number i of a segment, as encode cuts it. */
static void tile_place(const measure_layout *l, uint64_t i, uint64_t *offset, size_t *size)
{
    uint64_t per_row = l->row > l->tile ? (l->row + l->tile - 1) / l->tile : 0;
    uint64_t begin = per_row != 0 ? i / per_row * l->row + i % per_row * l->tile : i * l->tile;
    uint64_t limit = per_row != 0 ? (i / per_row + 1) * l->row : l->units;
    if (limit > l->units) limit = l->units;
    *offset = begin * l->unit;
    *size = (size_t)((limit - begin < l->tile ? limit - begin : l->tile) * l->unit);
}

static uint64_t tile_count(const measure_layout *l)
{
    uint64_t per_row = l->row > l->tile ? (l->row + l->tile - 1) / l->tile : 0;
    if (per_row != 0) return (l->units + l->row - 1) / l->row * per_row;
    return (l->units + l->tile - 1) / l->tile;
}

/* Tiles first * step, (first + 1) * step and so on, `count` of them. */
static int measure_batch(batch *b, uint64_t first, size_t count, uint64_t step, uint64_t *sampled,
                         measure_costs *cost)
{
    measure *m = b->m;
    size_t i, k;
    for (i = 0; i < count; i++) {
        uint64_t offset;
        int result;
        tile_place(b->l, (first + i) * step, &offset, &b->size[i]);
        result = measure_read(m, b->segment->offset + offset, m->tiles + i * TILE_BYTES, b->size[i]);
        if (result != CLI_OK) return result;
        *sampled += b->size[i];
    }
    m->pool.parallel.run(m->pool.parallel.user, count, encode_tile, b);
    for (i = 0; i < count; i++) {
        for (k = 0; k < MEASURE_CHOICES; k++) cost->bytes[k] += b->bytes[i][k];
    }
    return CLI_OK;
}

/* Codes every tile, or in a large segment every step-th, in batches of one a thread. */
int measure_costs_of(measure *m, const wcodec_segment *s, const measure_layout *l, measure_costs *cost)
{
    uint64_t step = (s->size + SAMPLE_BYTES - 1) / SAMPLE_BYTES, sampled = 0, at, tiles;
    size_t count, k;
    batch b;
    memset(cost, 0, sizeof *cost);
    if (s->size == 0) return CLI_OK;
    b.m = m;
    b.segment = s;
    b.l = l;
    tiles = (tile_count(l) + step - 1) / step;
    for (at = 0; at < tiles; at += count) {
        int result;
        count = tiles - at < m->pool.parallel.workers ? (size_t)(tiles - at) : m->pool.parallel.workers;
        result = measure_batch(&b, at, count, step, &sampled, cost);
        if (result != CLI_OK) return result;
    }
    cost->sampled = sampled != s->size;
    for (k = 0; k < MEASURE_CHOICES && cost->sampled; k++) {
        cost->bytes[k] = (uint64_t)((double)cost->bytes[k] * ((double)s->size / (double)sampled));
    }
    return CLI_OK;
}

/* ---- the workspace ---- */

int measure_open(measure *m, cli_input *in, uint64_t threads)
{
    size_t workers;
    memset(m, 0, sizeof *m);
    m->in = in;
    cli_pool_open(&m->pool, threads);
    workers = m->pool.parallel.workers;
    m->record_size = wcodec_tile_bound(TILE_BYTES);
    m->scratch_size = wcodec_tile_encode_scratch(TILE_BYTES);
    m->count = (measure_counts *)malloc(sizeof *m->count);
    m->tiles = (unsigned char *)malloc(workers * TILE_BYTES);
    m->record = (unsigned char *)malloc(workers * m->record_size);
    m->scratch = (unsigned char *)malloc(workers * m->scratch_size);
    if (m->count != NULL && m->tiles != NULL && m->record != NULL && m->scratch != NULL) return CLI_OK;
    measure_close(m);
    return cli_fail(in->name, "out of memory");
}

void measure_close(measure *m)
{
    cli_pool_close(&m->pool);
    free(m->count);
    free(m->tiles);
    free(m->record);
    free(m->scratch);
}
