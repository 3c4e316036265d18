/* wcodec analyze: how much there is to gain in every tensor, and what each coder makes of it. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define TILE_UNITS 65536u                   /* what encode uses unless it is told otherwise */
#define TILE_BYTES ((size_t)TILE_UNITS * 8)
#define SAMPLE_BYTES ((uint64_t)4 << 20)    /* of larger tensors, tiles of about this much are coded */
#define EXPONENTS 2048

typedef struct counts {
    uint64_t byte[256], pair[256][256];     /* pair: [byte before][byte] */
    uint64_t high[256], low[256], high_step[256];
    uint64_t exponent[EXPONENTS], exponent_step[EXPONENTS];
} counts;

/* Bits a value; NaN where a dtype has no such thing. */
typedef struct entropies {
    double global, conditional, high, low, exponent, residual, residual_exponent;
} entropies;

/* The choices whose sizes are measured. */
enum { RAW, HUFFMAN, RANS, AUTO, HUFFMAN_PRED, RANS_PRED, AUTO_PRED, CHOICES };
static const struct choice {
    const char *key;
    unsigned coder;
    int predictors;
} choices[CHOICES] = {
    { "raw", CLI_CODER_RAW, 0 }, { "huffman", CLI_CODER_HUFFMAN, 0 }, { "rans", CLI_CODER_RANS, 0 },
    { "auto", CLI_CODER_AUTO, 0 }, { "huffman_predicted", CLI_CODER_HUFFMAN, 1 },
    { "rans_predicted", CLI_CODER_RANS, 1 }, { "auto_predicted", CLI_CODER_AUTO, 1 }
};

typedef struct costs {
    uint64_t bytes[CHOICES];    /* for the whole tensor, estimated if `sampled` */
    int sampled;
} costs;

typedef struct job {
    cli_input in;
    cli_pool pool;
    const wcodec_plan *plan;
    counts *count;
    unsigned char *tiles;       /* a batch: TILE_BYTES for each worker, */
    unsigned char *record;      /* the bound of a record for each, */
    unsigned char *scratch;     /* and scratch memory */
    size_t record_size, scratch_size;
    uint64_t done, total[CHOICES];
    cli_json json;
    int as_json, any_sampled;
} job;

/* How a segment's bytes are looked at. */
typedef struct layout {
    unsigned unit;                      /* bytes */
    unsigned shift, bits;               /* of the exponent in a unit; bits 0: none */
    uint64_t units, row, tile;          /* in the segment, in a row, in a tile (all in units) */
} layout;

/* ---- layout ---- */

static void find_exponent(unsigned dtype, layout *l)
{
    static const struct { unsigned dtype, shift, bits; } exponents[] = {
        { WCODEC_F8_E5M2, 2, 5 }, { WCODEC_F8_E4M3, 3, 4 }, { WCODEC_F8_E8M0, 0, 8 },
        { WCODEC_F8_E4M3FNUZ, 3, 4 }, { WCODEC_F8_E5M2FNUZ, 2, 5 }, { WCODEC_F16, 10, 5 },
        { WCODEC_BF16, 7, 8 }, { WCODEC_F32, 23, 8 }, { WCODEC_C64, 23, 8 }, { WCODEC_F64, 52, 11 }
    };
    size_t i;
    for (i = 0; i < sizeof exponents / sizeof exponents[0]; i++) {
        if (exponents[i].dtype != dtype) continue;
        l->shift = exponents[i].shift;
        l->bits = exponents[i].bits;
    }
}

/* The last dimension in units, if it is a whole number of them. */
static uint64_t row_of_shape(const wcodec_segment *s, unsigned unit)
{
    uint64_t bits = wcodec_dtype_bits(s->dtype), last = s->rank != 0 ? s->shape[s->rank - 1] : 0;
    if (last == 0 || last > UINT64_MAX / 64 || last * bits % (8 * unit) != 0) return 0;
    return last * bits / (8 * unit);
}

/* As encode does it: whole rows, near TILE_UNITS; a longer row is cut evenly. */
static void cut_tiles(layout *l)
{
    if (l->row > TILE_UNITS && l->units % l->row != 0) l->row = 0;
    if (l->row == 0) {
        l->tile = TILE_UNITS;
    } else if (l->row <= TILE_UNITS) {
        l->tile = TILE_UNITS / l->row * l->row;
    } else {
        uint64_t pieces = (l->row - 1) / TILE_UNITS + 1;
        l->tile = (l->row - 1) / pieces + 1;
    }
}

static layout find_layout(const wcodec_segment *s)
{
    unsigned bits = wcodec_dtype_bits(s->dtype);
    layout l;
    memset(&l, 0, sizeof l);
    l.unit = bits <= 8 ? 1 : s->dtype == WCODEC_C64 ? 4 : bits / 8;
    l.units = s->size / l.unit;
    l.row = s->row != 0 ? s->row : row_of_shape(s, l.unit);
    cut_tiles(&l);
    find_exponent(s->dtype, &l);
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
static double conditional_entropy(const counts *c)
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

static void count_bytes(counts *c, previous *prev, const unsigned char *p, size_t size)
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

static void count_units(counts *c, previous *prev, const layout *l, const unsigned char *p, size_t size)
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

static int read_exactly(job *j, uint64_t offset, void *dst, size_t size)
{
    wcodec_error err = { WCODEC_OK, 0, NULL };
    size_t got;
    wcodec_status status = j->in.source.read_at(&j->in, offset, dst, size, &got);
    if (status == WCODEC_OK && got == size) return CLI_OK;
    err.offset = offset;
    err.what = "the file has become shorter";
    return cli_fail_library(&j->in, NULL, WCODEC_E_IO, &err);
}

static int measure_entropies(job *j, const wcodec_segment *s, const layout *l, entropies *e)
{
    counts *c = j->count;
    previous prev = { 0, 0, 0, 0 };
    uint64_t at;
    size_t size;
    memset(c, 0, sizeof *c);
    for (at = 0; at < s->size; at += size) {
        int result;
        size = s->size - at < TILE_BYTES ? (size_t)(s->size - at) : TILE_BYTES;
        result = read_exactly(j, s->offset + at, j->tiles, size);
        if (result != CLI_OK) return result;
        count_bytes(c, &prev, j->tiles, size);
        count_units(c, &prev, l, j->tiles, size);
    }
    e->global = entropy(c->byte, 256);
    e->conditional = conditional_entropy(c);
    e->high = l->unit > 1 ? entropy(c->high, 256) : (double)NAN;
    e->low = l->unit > 1 ? entropy(c->low, 256) : (double)NAN;
    e->residual = entropy(c->high_step, 256);
    e->exponent = l->bits != 0 ? entropy(c->exponent, EXPONENTS) : (double)NAN;
    e->residual_exponent = l->bits != 0 ? entropy(c->exponent_step, EXPONENTS) : (double)NAN;
    return CLI_OK;
}

/* ---- costs ---- */

typedef struct batch {
    job *j;
    const wcodec_segment *segment;
    const layout *l;
    size_t size[CLI_MAX_THREADS];                   /* bytes of each tile */
    uint64_t bytes[CLI_MAX_THREADS][CHOICES];       /* what came out */
} batch;

static void encode_tile(void *arg, size_t i, unsigned worker)
{
    batch *b = (batch *)arg;
    const job *j = b->j;
    unsigned k;
    for (k = 0; k < CHOICES; k++) {
        wcodec_tile_options options;
        memset(&options, 0, sizeof options);
        options.coders = cli_coder_mask(choices[k].coder);
        options.predictors = choices[k].predictors ? 0 : 1u << WCODEC_PREDICT_NONE;
        b->bytes[i][k] = wcodec_tile_encode(b->segment->dtype, b->l->row, j->tiles + i * TILE_BYTES,
                                            b->size[i], NULL, &options, j->record + worker * j->record_size,
                                            j->record_size, j->scratch + worker * j->scratch_size,
                                            j->scratch_size);
    }
}

/* The bytes of tile number i of a segment, as encode cuts it. */
static void tile_place(const layout *l, uint64_t i, uint64_t *offset, size_t *size)
{
    uint64_t per_row = l->row > l->tile ? (l->row + l->tile - 1) / l->tile : 0;
    uint64_t begin = per_row != 0 ? i / per_row * l->row + i % per_row * l->tile : i * l->tile;
    uint64_t limit = per_row != 0 ? (i / per_row + 1) * l->row : l->units;
    if (limit > l->units) limit = l->units;
    *offset = begin * l->unit;
    *size = (size_t)((limit - begin < l->tile ? limit - begin : l->tile) * l->unit);
}

static uint64_t tile_count(const layout *l)
{
    uint64_t per_row = l->row > l->tile ? (l->row + l->tile - 1) / l->tile : 0;
    if (per_row != 0) return (l->units + l->row - 1) / l->row * per_row;
    return (l->units + l->tile - 1) / l->tile;
}

/* Tiles first * step, (first + 1) * step and so on, `count` of them. */
static int measure_batch(batch *b, uint64_t first, size_t count, uint64_t step, uint64_t *sampled,
                         costs *cost)
{
    job *j = b->j;
    size_t i, k;
    for (i = 0; i < count; i++) {
        uint64_t offset;
        int result;
        tile_place(b->l, (first + i) * step, &offset, &b->size[i]);
        result = read_exactly(j, b->segment->offset + offset, j->tiles + i * TILE_BYTES, b->size[i]);
        if (result != CLI_OK) return result;
        *sampled += b->size[i];
    }
    j->pool.parallel.run(j->pool.parallel.user, count, encode_tile, b);
    for (i = 0; i < count; i++) {
        for (k = 0; k < CHOICES; k++) cost->bytes[k] += b->bytes[i][k];
    }
    return CLI_OK;
}

/* Codes every tile, or in a large segment every step-th, in batches of one a thread. */
static int measure_costs(job *j, const wcodec_segment *s, const layout *l, costs *cost)
{
    uint64_t step = (s->size + SAMPLE_BYTES - 1) / SAMPLE_BYTES, sampled = 0, at, tiles;
    size_t count, k;
    batch b;
    memset(cost, 0, sizeof *cost);
    if (s->size == 0) return CLI_OK;
    b.j = j;
    b.segment = s;
    b.l = l;
    tiles = (tile_count(l) + step - 1) / step;
    for (at = 0; at < tiles; at += count) {
        int result;
        count = tiles - at < j->pool.parallel.workers ? (size_t)(tiles - at) : j->pool.parallel.workers;
        result = measure_batch(&b, at, count, step, &sampled, cost);
        if (result != CLI_OK) return result;
    }
    cost->sampled = sampled != s->size;
    for (k = 0; k < CHOICES && cost->sampled; k++) {
        cost->bytes[k] = (uint64_t)((double)cost->bytes[k] * ((double)s->size / (double)sampled));
    }
    return CLI_OK;
}

/* ---- output ---- */

static void json_costs(cli_json *json, const char *key, const uint64_t *bytes)
{
    unsigned k;
    cli_json_open(json, key, '{');
    for (k = 0; k < CHOICES; k++) cli_json_uint(json, choices[k].key, bytes[k]);
    cli_json_close(json, '}');
}

static void json_tensor(cli_json *json, const wcodec_segment *s, const entropies *e, const costs *cost)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "name", s->name, s->name_size);
    cli_json_string(json, "dtype", cli_dtype(s));
    cli_json_shape(json, "shape", s);
    cli_json_uint(json, "bytes", s->size);
    cli_json_open(json, "entropy", '{');
    cli_json_real(json, "global", e->global);
    cli_json_real(json, "conditional", e->conditional);
    cli_json_real(json, "high_byte", e->high);
    cli_json_real(json, "low_byte", e->low);
    cli_json_real(json, "exponent", e->exponent);
    cli_json_real(json, "residual", e->residual);
    cli_json_real(json, "residual_exponent", e->residual_exponent);
    cli_json_close(json, '}');
    json_costs(json, "cost", cost->bytes);
    cli_json_bool(json, "sampled", cost->sampled);
    cli_json_close(json, '}');
}

static void print_number(double value, int width, int digits)
{
    if (isnan(value)) printf(" %*s", width, "-");
    else printf(" %*.*f", width, digits, value);
}

static void print_ratios(const uint64_t *bytes, uint64_t size)
{
    static const unsigned columns[] = { RAW, HUFFMAN, RANS, AUTO, AUTO_PRED };
    size_t i;
    for (i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        print_number(cli_ratio(bytes[columns[i]], size), 6, 4);
    }
}

static void print_table_head(void)
{
    printf("%-36s %-6s %11s %5s %6s %5s %5s %5s %6s %6s  %6s %6s %6s %6s %6s\n", "tensor", "dtype", "bytes",
           "H", "H|prev", "high", "low", "exp", "d high", "d exp", "raw", "huff", "rans", "auto", "pred");
}

static void print_tensor(const wcodec_segment *s, const entropies *e, const costs *cost)
{
    if (s->name_size == 0) printf("%-36s", "-");
    else cli_print_name(stdout, s->name, s->name_size, 36, 1);
    printf(" %-6.6s %11" PRIu64, cli_dtype(s), s->size);
    print_number(e->global, 5, 3);
    print_number(e->conditional, 6, 3);
    print_number(e->high, 5, 3);
    print_number(e->low, 5, 3);
    print_number(e->exponent, 5, 3);
    print_number(e->residual, 6, 3);
    print_number(e->residual_exponent, 6, 3);
    printf(" ");
    print_ratios(cost->bytes, s->size);
    printf("%s\n", cost->sampled ? " ~" : "");
}

/* ---- the command ---- */

static int analyze_segment(job *j, const wcodec_segment *s)
{
    layout l = find_layout(s);
    entropies e;
    costs cost;
    unsigned k;
    int result = measure_entropies(j, s, &l, &e);
    if (result == CLI_OK) result = measure_costs(j, s, &l, &cost);
    if (result != CLI_OK) return result;
    for (k = 0; k < CHOICES; k++) j->total[k] += cost.bytes[k];
    j->any_sampled |= cost.sampled;
    if (j->as_json) json_tensor(&j->json, s, &e, &cost);
    else print_tensor(s, &e, &cost);
    j->done += s->size;
    cli_progress_update(j->done, j->plan->size);
    return CLI_OK;
}

static int analyze_segments(job *j)
{
    size_t i;
    for (i = 0; i < j->plan->count; i++) {
        int result = analyze_segment(j, &j->plan->segments[i]);
        if (result != CLI_OK) return result;
    }
    return CLI_OK;
}

static int analyze_as_json(job *j)
{
    int result;
    cli_json_begin(&j->json, stdout, 1);
    cli_json_open(&j->json, NULL, '{');
    cli_json_string(&j->json, "file", j->in.name);
    cli_json_uint(&j->json, "original_bytes", j->plan->size);
    cli_json_string(&j->json, "format", j->plan->format);
    cli_json_open(&j->json, "tensors", '[');
    result = analyze_segments(j);
    if (result != CLI_OK) return result;
    cli_json_close(&j->json, ']');
    json_costs(&j->json, "total_cost", j->total);
    cli_json_bool(&j->json, "sampled", j->any_sampled);
    cli_json_close(&j->json, '}');
    return CLI_OK;
}

static int analyze_as_table(job *j)
{
    int result;
    print_table_head();
    result = analyze_segments(j);
    if (result != CLI_OK) return result;
    printf("%-36s %-6s %11" PRIu64 "%*s", "all", "", j->plan->size, 47, "");
    print_ratios(j->total, j->plan->size);
    printf("%s\n", j->any_sampled ? " ~" : "");
    return CLI_OK;
}

static int analyze_plan(job *j)
{
    size_t workers = j->pool.parallel.workers;
    int result;
    j->record_size = wcodec_tile_bound(TILE_BYTES);
    j->scratch_size = wcodec_tile_encode_scratch(TILE_BYTES);
    j->count = (counts *)malloc(sizeof *j->count);
    j->tiles = (unsigned char *)malloc(workers * TILE_BYTES);
    j->record = (unsigned char *)malloc(workers * j->record_size);
    j->scratch = (unsigned char *)malloc(workers * j->scratch_size);
    if (j->count == NULL || j->tiles == NULL || j->record == NULL || j->scratch == NULL) {
        result = cli_fail(j->in.name, "out of memory");
    } else {
        cli_progress_begin(j->in.name, !j->as_json);     /* the table is its own progress */
        result = j->as_json ? analyze_as_json(j) : analyze_as_table(j);
        cli_progress_end();
    }
    free(j->count);
    free(j->tiles);
    free(j->record);
    free(j->scratch);
    return result == CLI_OK ? cli_flush_stdout() : result;
}

static int analyze(job *j, const cli_options *opt)
{
    wcodec_plan_options options = wcodec_plan_defaults();
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_plan *plan;
    wcodec_status status;
    int result = cli_input_seekable(&j->in);
    if (result != CLI_OK) return result;
    options.dtype = opt->dtype;
    options.row = opt->row;
    status = wcodec_plan_open(&plan, &j->in.source, &options, &err);
    if (status != WCODEC_OK) return cli_fail_library(&j->in, NULL, status, &err);
    j->plan = plan;
    j->as_json = cli_has(opt, CLI_OPT_JSON);
    cli_pool_open(&j->pool, opt->threads);
    result = analyze_plan(j);
    cli_pool_close(&j->pool);
    wcodec_plan_close(plan);
    return result;
}

int cmd_analyze(const cli_options *opt)
{
    job j;
    int result;
    memset(&j, 0, sizeof j);
    result = cli_input_open(&j.in, opt->path[0]);
    if (result != CLI_OK) return result;
    result = analyze(&j, opt);
    cli_input_close(&j.in);
    return result;
}
