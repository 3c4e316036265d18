/* What the page of analyze shows beyond the table: gathered while the segments are measured, and after. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "page.h"

#define MAP_BYTES ((uint64_t)16 << 20)      /* of a larger tensor, rows of about this much go into a map */

int page_is_tensor(const wcodec_segment *segment)
{
    return segment->name_size != 0 || segment->dtype != WCODEC_BYTES;
}

int page_is_signed(unsigned dtype)
{
    return dtype == WCODEC_I8 || dtype == WCODEC_I16 || dtype == WCODEC_I32 || dtype == WCODEC_I64;
}

/* A header among tensors is no example of anything. */
int page_worth_showing(const page *p, unsigned i)
{
    return p->dtype_order[i] != WCODEC_BYTES || i == 0;
}

/* ---- which tensors are the largest ---- */

static const wcodec_segment *sorted_segments;   /* qsort hands nothing on */

static int larger_first(const void *a, const void *b)
{
    size_t i = *(const size_t *)a, k = *(const size_t *)b;
    uint64_t x = sorted_segments[i].size, y = sorted_segments[k].size;
    if (x != y) return x > y ? -1 : 1;
    return i < k ? -1 : i > k;
}

static void sort_segments(page *p)
{
    size_t i;
    for (i = 0; i < p->plan->count; i++) {
        p->order[i] = i;
        p->tensors += page_is_tensor(&p->plan->segments[i]) != 0;
    }
    sorted_segments = p->plan->segments;
    qsort(p->order, p->plan->count, sizeof *p->order, larger_first);
}

static void choose_largest(page *p)
{
    size_t i, n = 0;
    for (i = 0; i < p->plan->count && n < PAGE_LARGEST; i++) {
        const wcodec_segment *s = &p->plan->segments[p->order[i]];
        if (!page_is_tensor(s) || s->size == 0) continue;
        p->largest[n].used = 1;
        p->largest[n++].segment = p->order[i];
    }
}

/* ---- maps ---- */

/* Floats by their exponent, bytes by their value. */
static int has_map(const wcodec_segment *s, const measure_layout *l)
{
    return l->bits != 0 || s->dtype == WCODEC_I8 || s->dtype == WCODEC_U8;
}

/* Of zeros and subnormals the exponent says nothing. */
static int map_value(const wcodec_segment *s, const measure_layout *l, uint64_t x, double *value)
{
    if (l->bits != 0) {
        unsigned exponent = (unsigned)(x >> l->shift) & ((1u << l->bits) - 1u);
        *value = (double)exponent - (double)l->bias;
        return exponent != 0 || s->dtype == WCODEC_F8_E8M0;
    }
    *value = s->dtype == WCODEC_I8 && x >= 128 ? 256 - (double)x : (double)x;
    return 1;
}

static page_map *new_map(const wcodec_segment *s, const measure_layout *l, size_t segment)
{
    page_map *map;
    uint64_t rows = s->rank >= 2 ? s->shape[0] : 0, columns = rows != 0 ? l->units / rows : 0;
    if (rows < 2 || columns < 2 || rows * columns != l->units || !has_map(s, l)) return NULL;
    map = (page_map *)calloc(1, sizeof *map);
    if (map == NULL) return NULL;
    map->segment = segment;
    map->rows = rows;
    map->columns = columns;
    map->step = (s->size - 1) / MAP_BYTES + 1;
    /* A cell without a row of its own would be a hole. */
    if (map->step > 1 && rows / map->step < PAGE_STRIP)
        map->step = rows / PAGE_STRIP != 0 ? rows / PAGE_STRIP : 1;
    map->grid_rows = rows < PAGE_GRID ? (unsigned)rows : PAGE_GRID;
    map->grid_columns = columns < PAGE_GRID ? (unsigned)columns : PAGE_GRID;
    map->strip_rows = rows < PAGE_STRIP ? (unsigned)rows : PAGE_STRIP;
    map->strip_columns = columns < PAGE_STRIP ? (unsigned)columns : PAGE_STRIP;
    return map;
}

static void choose_maps(page *p)
{
    size_t i, n = 0;
    for (i = 0; i < p->plan->count && n < PAGE_MAPS; i++) {
        const wcodec_segment *s = &p->plan->segments[p->order[i]];
        measure_layout l = measure_find_layout(s);
        p->map[n] = new_map(s, &l, p->order[i]);
        n += p->map[n] != NULL;
    }
}

static void add(page_mean *mean, double value)
{
    mean->sum += value;
    mean->n += 1;
}

/* i-th of n things falls into which of k? */
static unsigned bin(uint64_t i, uint64_t n, unsigned k)
{
    return (unsigned)((double)i / (double)n * k);
}

static void add_to_map(page_map *map, const wcodec_segment *s, const measure_layout *l, uint64_t row,
                       uint64_t column, const unsigned char *bytes, size_t size)
{
    page_mean *cells = map->cell + (size_t)bin(row, map->rows, map->grid_rows) * map->grid_columns;
    page_mean *strip = map->row + bin(row, map->rows, map->strip_rows);
    size_t i, k;
    for (i = 0; i < size; i += l->unit, column++) {
        double value;
        uint64_t x = 0;
        for (k = 0; k < l->unit; k++) x |= (uint64_t)bytes[i + k] << (8 * k);
        if (!map_value(s, l, x, &value)) continue;
        add(cells + bin(column, map->columns, map->grid_columns), value);
        add(map->column + bin(column, map->columns, map->strip_columns), value);
        add(strip, value);
    }
}

static int fill_map(page *p, const measure *m, page_map *map)
{
    const wcodec_segment *s = &p->plan->segments[map->segment];
    const measure_layout l = measure_find_layout(s);
    const uint64_t row_size = map->columns * l.unit;
    uint64_t row, at;
    size_t size;
    for (row = 0; row < map->rows; row += map->step) {
        for (at = 0; at < row_size; at += size) {
            int result;
            size = row_size - at < measure_buffer ? (size_t)(row_size - at) : measure_buffer;
            result = measure_read(m, s->offset + row * row_size + at, m->tiles, size);
            if (result != CLI_OK) return result;
            add_to_map(map, s, &l, row, at / l.unit, m->tiles, size);
        }
    }
    return CLI_OK;
}

/* ---- what comes with each segment ---- */

static void add_histogram(page_histogram *h, const wcodec_segment *s, const measure_layout *l,
                          const measure_counts *count)
{
    const uint64_t *from = l->bits != 0 ? count->exponent : l->unit == 1 ? count->byte : count->high;
    unsigned i, n = l->bits != 0 ? MEASURE_EXPONENTS : 256;
    /* Signed bytes in the order of their values. */
    unsigned flip = page_is_signed(s->dtype) ? 128 : 0;
    for (i = 0; i < n; i++) h->count[i ^ flip] += from[i];
    h->used = 1;
}

static void add_weighted(double *sum, double value, uint64_t weight)
{
    if (weight != 0) *sum += value * (double)weight;      /* a NaN stays one */
}

static void add_entropies(page_dtype *d, const measure_entropies *e, uint64_t bytes, uint64_t units)
{
    unsigned k;
    add_weighted(&d->sum.global, e->global, bytes);
    /* Of a single byte there is none before it. */
    add_weighted(&d->sum.conditional, isnan(e->conditional) ? 0 : e->conditional, bytes);
    add_weighted(&d->sum.high, e->high, units);
    add_weighted(&d->sum.low, e->low, units);
    add_weighted(&d->sum.exponent, e->exponent, units);
    add_weighted(&d->sum.residual, isnan(e->residual) ? 0 : e->residual, units);
    add_weighted(&d->sum.residual_exponent, isnan(e->residual_exponent) ? 0 : e->residual_exponent, units);
    for (k = 0; k < WCODEC_MAX_PLANES; k++) add_weighted(&d->sum.plane[k], e->plane[k], units);
}

void page_segment(page *p, size_t i, const measure_layout *l, const measure_entropies *e,
                  const measure_costs *cost, const wcodec_estimate *estimate, const measure_counts *count)
{
    const wcodec_segment *s = &p->plan->segments[i];
    size_t k;
    p->tensor[i].e = *e;
    p->tensor[i].cost = *cost;
    p->tensor[i].estimate = *estimate;
    for (k = 0; k < PAGE_LARGEST; k++) {
        if (p->largest[k].used && p->largest[k].segment == i) add_histogram(&p->largest[k], s, l, count);
    }
    if (s->dtype < PAGE_DTYPES) {
        page_dtype *d = &p->dtype[s->dtype];
        d->l = *l;
        d->segments++;
        d->bytes += s->size;
        d->units += l->units;
        add_entropies(d, e, s->size, l->units);
        add_histogram(&d->histogram, s, l, count);
    }
}

static void sort_dtypes(page *p)
{
    unsigned i, k;
    for (i = 0; i < PAGE_DTYPES; i++) {
        if (p->dtype[i].bytes == 0) continue;
        for (k = p->dtypes++; k > 0 && p->dtype[p->dtype_order[k - 1]].bytes < p->dtype[i].bytes; k--) {
            p->dtype_order[k] = p->dtype_order[k - 1];
        }
        p->dtype_order[k] = i;
    }
}

/* ---- the container ---- */

typedef struct file_sink {
    int fd, error;
} file_sink;

static wcodec_status write_file(void *user, const void *src, size_t size)
{
    file_sink *to = (file_sink *)user;
    const char *at = (const char *)src;
    while (size > 0) {
        ssize_t n = write(to->fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            to->error = errno;
            return WCODEC_E_IO;
        }
        at += n;
        size -= (size_t)n;
    }
    return WCODEC_OK;
}

static int read_container(page *p, cli_input *in)
{
    cli_container c;
    int result = cli_container_open(&c, in, 1);
    size_t i;
    if (result != CLI_OK) return result;
    result = cli_tiles_read(&p->tiles, &c);
    if (result == CLI_OK) {
        p->container_size = c.info.container_size;
        p->header_size = c.info.header_size;
        p->index_size = c.info.index_size;
        for (i = 0; i < p->plan->count && i < c.info.segments; i++) {
            const wcodec_segment *s = &p->plan->segments[i];
            p->tensor[i].coded = p->tiles.segments[i].bytes;
            if (s->dtype < PAGE_DTYPES) p->dtype[s->dtype].coded += p->tensor[i].coded;
        }
    }
    cli_container_close(&c);
    return result;
}

/* As `wcodec encode` makes it, into a file without a name. */
static int make_container(page *p, const measure *m)
{
    const char *dir = getenv("TMPDIR");
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_status status;
    wcodec_sink sink;
    cli_part part;
    file_sink to;
    uint64_t size;
    size_t at;
    cli_input in;
    int result;
    part.name = cli_part_name(p->opt);
    part.in = p->in;
    part.plan = p->plan;
    if (dir == NULL || dir[0] == 0) dir = "/tmp";
    to.error = 0;
    to.fd = cli_unnamed_file(dir);
    if (to.fd < 0) return cli_fail(dir, "cannot make a container there: %s", strerror(errno));
    sink.write = write_file;
    sink.user = &to;
    cli_progress_begin(p->in->name, 0);
    status = cli_encode(p->opt, &part, 1, NULL, &m->pool, &sink, &size, &at, &err);
    cli_progress_end();
    if (status != WCODEC_OK) {
        close(to.fd);
        if (to.error != 0) return cli_fail(dir, "cannot keep the container there: %s", strerror(to.error));
        return cli_fail_library(p->in, NULL, status, &err);
    }
    result = cli_input_adopt(&in, to.fd, "the container");
    if (result != CLI_OK) return result;
    result = read_container(p, &in);
    cli_input_close(&in);
    return result;
}

/* ---- the whole ---- */

static int prepare(page *p)
{
    size_t count = p->plan->count;
    p->tensor = (page_tensor *)calloc(count + 1, sizeof *p->tensor);
    p->order = (size_t *)calloc(count + 1, sizeof *p->order);
    if (p->tensor == NULL || p->order == NULL) return cli_fail(p->in->name, "out of memory");
    sort_segments(p);
    choose_largest(p);
    choose_maps(p);
    return CLI_OK;
}

int page_open(page **out, const cli_options *opt, cli_input *in, const wcodec_plan *plan)
{
    page *p = (page *)calloc(1, sizeof *p);
    int result;
    *out = NULL;
    if (p == NULL) return cli_fail(in->name, "out of memory");
    p->opt = opt;
    p->in = in;
    p->plan = plan;
    result = cli_output_open(&p->out, opt->html, cli_has(opt, CLI_OPT_FORCE), in);
    if (result != CLI_OK) {
        free(p);
        return result;
    }
    *out = p;
    return prepare(p);
}

int page_finish(page *p, measure *m, const uint64_t *total, int any_sampled, const wcodec_estimate *sum)
{
    size_t i;
    int result = make_container(p, m);
    memcpy(p->total, total, sizeof p->total);
    p->any_sampled = any_sampled;
    p->estimate = *sum;
    sort_dtypes(p);
    for (i = 0; i < PAGE_MAPS && result == CLI_OK; i++) {
        if (p->map[i] != NULL) result = fill_map(p, m, p->map[i]);
    }
    if (result == CLI_OK) result = peers_run(p);
    return result == CLI_OK ? page_write(p) : result;
}

void page_close(page *p)
{
    size_t i;
    if (p == NULL) return;
    cli_output_close(&p->out);
    cli_tiles_free(&p->tiles);
    for (i = 0; i < PAGE_MAPS; i++) free(p->map[i]);
    free(p->tensor);
    free(p->order);
    free(p);
}
