/* What the page of analyze shows of single tensors: sizes, histograms, maps. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"

static const wcodec_segment *segment_of(const page *p, size_t i)
{
    return &p->plan->segments[i];
}

/* ---- tensors ---- */

static void write_tensor_bars(page *p)
{
    size_t i, shown = p->plan->count < PAGE_BARS ? p->plan->count : PAGE_BARS;
    double full = shown != 0 ? (double)segment_of(p, p->order[0])->size : 0;
    if (shown == 0 || full <= 0) return;
    page_put(p, "<div class=\"legend\">");
    page_key(p, "coded", "in the container");
    page_key(p, "frame", "original");
    page_put(p, "</div>\n<div class=\"rows tensors\">\n");
    for (i = 0; i < shown; i++) {
        const wcodec_segment *s = segment_of(p, p->order[i]);
        page_part part = page_part_of((double)p->tensor[p->order[i]].coded, "coded");
        if (s->size == 0) break;
        if ((double)p->tensor[p->order[i]].coded > full) full = (double)p->tensor[p->order[i]].coded;
        page_row_begin(p);
        page_label(p, s, 96);
        page_row_bar(p);
        page_name(p, s);
        page_printf(p, ": %" PRIu64 " bytes become %" PRIu64, s->size, p->tensor[p->order[i]].coded);
        page_row_number(p, &part, 1, (double)s->size, full);
        page_number(p, cli_ratio(p->tensor[p->order[i]].coded, s->size), 4);
        page_put(p, " <span>of ");
        page_size(p, s->size);
        page_put(p, "</span>");
        page_row_end(p);
    }
    page_put(p, "</div>\n");
    if (shown < p->plan->count) {
        page_put(p, "<p class=\"soft\">The ");
        page_count(p, shown);
        page_put(p, " largest of ");
        page_count(p, p->plan->count);
        page_put(p, "; the table at the end has them all.</p>\n");
    }
}

static void cell(page *p, double value, int digits)
{
    page_put(p, "<td>");
    page_number(p, value, digits);
    page_put(p, "</td>");
}

/* `load`: the faster way. */
static void write_estimate(page *p, const wcodec_estimate *e, const char *load)
{
    cell(p, cli_ratio(e->coded, e->size), 4);
    cell(p, (double)e->decode_ns * 1e-6, 3);
    if (cli_has(p->opt, CLI_OPT_DISK)) page_printf(p, "<td>%s</td>", load);
}

static void write_tensor_row(page *p, size_t i)
{
    const wcodec_segment *s = segment_of(p, i);
    const page_tensor *t = &p->tensor[i];
    unsigned k;
    page_put(p, "<tr><td>");
    page_label(p, s, 0);
    page_printf(p, "</td><td>%s</td><td>%s</td><td>", page_dtype_name(s->dtype),
                page_is_tensor(s) ? cli_shape(s) : "");
    page_count(p, s->size);
    page_put(p, "</td><td>");
    page_count(p, t->coded);
    page_put(p, "</td>");
    cell(p, cli_ratio(t->coded, s->size), 4);
    cell(p, t->e.global, 3);
    cell(p, t->e.conditional, 3);
    cell(p, t->e.high, 3);
    cell(p, t->e.low, 3);
    cell(p, t->e.exponent, 3);
    cell(p, t->e.residual, 3);
    cell(p, t->e.residual_exponent, 3);
    for (k = 0; k < MEASURE_COLUMNS; k++) {
        page_put(p, "<td>");
        if (t->cost.sampled) page_put(p, "~");
        page_number(p, cli_ratio(t->cost.bytes[measure_columns[k].choice], s->size), 4);
        page_put(p, "</td>");
    }
    write_estimate(p, &t->estimate, t->estimate.compress ? "coded" : "raw");
    page_put(p, "</tr>\n");
}

static void write_tensor_total(page *p)
{
    unsigned k;
    page_put(p, "<tfoot><tr><td>all</td><td></td><td></td><td>");
    page_count(p, p->plan->size);
    page_put(p, "</td><td>");
    page_count(p, p->tiles.record_bytes);
    page_put(p, "</td>");
    cell(p, cli_ratio(p->tiles.record_bytes, p->plan->size), 4);
    page_put(p, "<td colspan=\"7\"></td>");
    for (k = 0; k < MEASURE_COLUMNS; k++) {
        page_put(p, "<td>");
        if (p->any_sampled) page_put(p, "~");
        page_number(p, cli_ratio(p->total[measure_columns[k].choice], p->plan->size), 4);
        page_put(p, "</td>");
    }
    write_estimate(p, &p->estimate, "");
    page_put(p, "</tr></tfoot>\n");
}

void page_write_table(page *p)
{
    size_t i, shown = p->plan->count < PAGE_ROWS ? p->plan->count : PAGE_ROWS;
    uint64_t rest = 0;
    unsigned k;
    if (p->plan->count == 0) return;
    page_put(
        p,
        "<h2>All tensors</h2>\n<div class=\"scroll\"><table id=\"tensors\" class=\"sort\">\n<thead>\n<tr>"
        "<th colspan=\"3\"></th><th class=\"group\" colspan=\"3\">in the container</th><th class=\"group\" "
        "colspan=\"7\">entropy, bits a value</th>");
    page_printf(p, "<th class=\"group\" colspan=\"%d\">ratio with one choice</th>", MEASURE_COLUMNS);
    page_printf(p, "<th class=\"group\" colspan=\"%d\">predicted</th></tr>\n<tr>",
                cli_has(p->opt, CLI_OPT_DISK) ? 3 : 2);
    page_put(p,
             "<th>tensor</th><th>dtype</th><th>shape</th><th>bytes</th><th>coded</th><th>ratio</th><th>H</th>"
             "<th>H|prev</th><th>high</th><th>low</th><th>exp</th><th>d high</th><th>d exp</th>");
    for (k = 0; k < MEASURE_COLUMNS; k++) page_printf(p, "<th>%s</th>", measure_columns[k].head);
    page_put(p, "<th>est</th><th>ms</th>");
    if (cli_has(p->opt, CLI_OPT_DISK)) page_put(p, "<th>load</th>");
    page_put(p, "</tr>\n</thead>\n<tbody>\n");
    for (i = 0; i < shown; i++) write_tensor_row(p, p->order[i]);
    page_put(p, "</tbody>\n");
    write_tensor_total(p);
    page_put(p, "</table></div>\n");
    for (i = shown; i < p->plan->count; i++) rest += segment_of(p, p->order[i])->size;
    if (shown < p->plan->count) {
        page_put(p, "<p>These are the ");
        page_count(p, shown);
        page_put(p, " largest; the other ");
        page_count(p, p->plan->count - shown);
        page_put(p, ", together ");
        page_count(p, rest);
        page_put(p, " bytes, are left out (wcodec analyze without --html lists them all).</p>\n");
    }
    page_put(
        p,
        "<p class=\"soft\">Coded and ratio are exact: the bytes of the tensor's tiles in the container. "
        "Entropies: "
        "of the bytes (H), of a byte given the one before (H|prev), of the highest and the lowest byte of a "
        "value, of the exponent, and of the differences from one value to the next of the highest byte (d "
        "high) "
        "and of the exponent (d exp). Ratios with one choice: tiles coded with it alone; pred: any coder, "
        "with predictors. Predicted: the container's ratio by a sample (est), and milliseconds for decoding with one "
        "thread at 3 GHz");
    if (cli_has(p->opt, CLI_OPT_DISK)) {
        page_printf(p, "; load: the faster way from a disk of %" PRIu64 " MB/s, read while what has come is decoded: "
                    "all raw %.3f s, all coded %.3f s",
                    p->opt->disk, (double)p->estimate.raw_load_ns * 1e-9, (double)p->estimate.coded_load_ns * 1e-9);
    }
    page_put(p, p->any_sampled ? "; ~: of a sample of the tiles, in tensors of more than 4 MiB.</p>\n"
                               : ".</p>\n");
}

void page_write_tensors(page *p)
{
    page_put(p, "<h2>Size by tensor</h2>\n");
    write_tensor_bars(p);
}

/* ---- histograms ---- */

static int has_infinities(unsigned dtype)
{
    return dtype == WCODEC_F16 || dtype == WCODEC_BF16 || dtype == WCODEC_F32 || dtype == WCODEC_C64 ||
           dtype == WCODEC_F64 || dtype == WCODEC_F8_E5M2;
}

/* Columns from..to-1 are drawn; what is left out at the ends is said. */
typedef struct range {
    unsigned from, to, step;
    int origin;             /* the value of column 0 */
    double all, zero, infinite, most;
    unsigned mode;
} range;

static range find_range(const page_histogram *h, unsigned dtype, const measure_layout *l)
{
    range r;
    unsigned i, n = l->bits != 0 ? 1u << l->bits : 256, first = 0, last = n;
    memset(&r, 0, sizeof r);
    r.origin = l->bits != 0 ? -(int)l->bias : page_is_signed(dtype) ? -128 : 0;
    for (i = 0; i < n; i++) r.all += (double)h->count[i];
    if (l->bits != 0 && dtype != WCODEC_F8_E8M0) {
        r.zero = (double)h->count[0];
        first = 1;
    }
    if (has_infinities(dtype)) r.infinite = (double)h->count[--last];
    r.from = last;
    for (i = first; i < last; i++) {
        if (h->count[i] == 0) continue;
        if (i < r.from) r.from = i;
        r.to = i + 1;
        if ((double)h->count[i] > r.most) {
            r.most = (double)h->count[i];
            r.mode = i;
        }
    }
    /* A lone column would be as wide as the drawing. */
    while (r.to != 0 && r.to - r.from < 9 && (r.from > first || r.to < last)) {
        if (r.from > first) r.from--;
        if (r.to < last && r.to - r.from < 9) r.to++;
    }
    if (l->bits == 0) {
        r.from = 0;
        r.to = n;
    }
    r.step = r.to > r.from ? (r.to - r.from - 1) / 256 + 1 : 1;
    return r;
}

static void write_tick(page *p, const range *r, const measure_layout *l, int value, double width)
{
    double x = ((double)(value - r->origin) - r->from + 0.5) / width * 100;
    if (x < 2.5 || x > 97.5) return;
    page_printf(p, "<span style=\"left:%.2f%%\">", x);
    page_printf(p, l->bits != 0 ? "2<sup>%d</sup></span>" : "%d</span>", value);
}

static void write_axis(page *p, const range *r, const measure_layout *l, const char *unit)
{
    static const int steps[] = { 1, 2, 4, 5, 10, 20, 50, 100, 200, 500, 1000 };
    const double width = (double)((r->to - r->from + r->step - 1) / r->step * r->step);
    int begin = (int)r->from + r->origin, end = (int)r->to + r->origin, step = 1, value;
    size_t i;
    for (i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        step = l->bits == 0 ? 64 : steps[i];
        if ((end - begin) / step <= 7) break;
    }
    page_put(p, "<div class=\"axis\" aria-hidden=\"true\">");
    for (value = begin; value < end; value++) {
        if (value % step == 0) write_tick(p, r, l, value, width);
    }
    page_printf(p, "</div><p class=\"unit\">%s</p>", unit);
}

static const char *histogram_unit(unsigned dtype, const measure_layout *l)
{
    if (l->bits != 0) return "power of two of |value|";
    if (dtype == WCODEC_I8 || dtype == WCODEC_U8) return "value";
    if (l->unit == 1) return "byte";
    return page_is_signed(dtype) ? "highest byte of the value, with its sign" : "highest byte of the value";
}

static void write_point(page *p, const range *r, const measure_layout *l, unsigned column)
{
    page_printf(p, l->bits != 0 ? "2<sup>%d</sup>" : "%d", (int)column + r->origin);
}

/* The caption is begun. */
static void write_histogram(page *p, const page_histogram *h, unsigned dtype, const measure_layout *l)
{
    const range r = find_range(h, dtype, l);
    const char *unit = histogram_unit(dtype, l);
    page_put(p, "<br><span>");
    if (r.most <= 0) page_put(p, "nothing but zeros or infinities");
    else {
        page_put(p, "highest column ");
        page_percent(p, r.most, r.all);
        page_put(p, " at ");
        write_point(p, &r, l, r.mode);
    }
    if (r.zero > 0) {
        page_put(p, "; not drawn: zeros and subnormals ");
        page_percent(p, r.zero, r.all);
    }
    if (r.infinite > 0) {
        page_put(p, "; infinities and NaN ");
        page_percent(p, r.infinite, r.all);
    }
    page_put(p, "</span></figcaption>");
    if (r.most > 0) {
        page_svg_begin(p, "histogram", (r.to - r.from + r.step - 1) / r.step, 100);
        page_printf(p, "Histogram by %s, from %d to %d; highest at %d with %.1f %%", unit,
                    (int)r.from + r.origin, (int)r.to - 1 + r.origin, (int)r.mode + r.origin,
                    100 * r.most / r.all);
        page_svg_title_end(p);
        page_columns(p, h->count, r.from, r.to, r.step);
        page_svg_end(p);
        write_axis(p, &r, l, unit);
    }
    page_put(p, "</figure>\n");
}

static void figure_begin(page *p, const measure_layout *l)
{
    page_printf(p, "<figure%s><figcaption>", l->bits != 0 ? "" : " class=\"values\"");
}

void page_write_histograms(page *p)
{
    unsigned i, k, shown = 0, most, exponents = 0;
    for (i = 0; i < p->dtypes; i++) exponents |= p->dtype[p->dtype_order[i]].l.bits;
    if (exponents != 0) {
        page_put(p, "<h2>Exponents</h2>\n<p class=\"soft\">How often each exponent occurs. What coding saves "
                    "comes from "
                    "how few of them there are. Where a dtype has no exponent, its values or bytes.</p>\n");
    } else {
        page_put(p, "<h2>Values</h2>\n<p class=\"soft\">How often each value or byte occurs.</p>\n");
    }
    page_put(p, "<div class=\"grid\">\n");
    for (i = 0; i < p->dtypes; i++) {
        const page_dtype *d = &p->dtype[p->dtype_order[i]];
        if (!page_worth_showing(p, i) || shown == 6) continue;
        shown++;
        figure_begin(p, &d->l);
        page_printf(p, "<strong>all %s</strong>", page_dtype_name(p->dtype_order[i]));
        write_histogram(p, &d->histogram, p->dtype_order[i], &d->l);
    }
    /* Full rows where three stand side by side. */
    most = p->tensors > 1 ? PAGE_LARGEST - shown % 3 : 0;
    for (k = 0; k < most; k++) {
        const page_histogram *h = &p->largest[k];
        const wcodec_segment *s = h->used ? segment_of(p, h->segment) : NULL;
        measure_layout l;
        if (s == NULL) continue;
        l = measure_find_layout(s);
        figure_begin(p, &l);
        page_label(p, s, 96);
        page_printf(p, " <span>%s %s</span>", page_dtype_name(s->dtype), cli_shape(s));
        write_histogram(p, h, s->dtype, &l);
    }
    page_put(p, "</div>\n");
    if (p->tensors > most && most > 0)
        page_printf(p, "<p class=\"soft\">Of tensors, the %u largest.</p>\n", most);
}

/* ---- maps ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static size_t collect(double *to, const page_mean *mean, size_t count)
{
    size_t i, n = 0;
    for (i = 0; i < count; i++) {
        if (mean[i].n > 0) to[n++] = mean[i].sum / mean[i].n;
    }
    return n;
}

/* One part in fifty at either end shares a shade, so that an outlier does not flatten all else. */
static void find_scale(const page_map *map, double *low, double *high)
{
    static double value[PAGE_GRID * PAGE_GRID + 2 * PAGE_STRIP];
    size_t n = collect(value, map->cell, (size_t)map->grid_rows * map->grid_columns);
    n += collect(value + n, map->row, map->strip_rows);
    n += collect(value + n, map->column, map->strip_columns);
    *low = *high = 0;
    if (n == 0) return;
    qsort(value, n, sizeof *value, compare_doubles);
    *low = value[n / 50];
    *high = value[n - 1 - n / 50];
}

static void write_map_end(page *p, const char *before, double value, int power)
{
    page_printf(p, power ? "<span>%s2<sup>%.1f</sup></span>" : "<span>%s%.1f</span>", before, value);
}

static void draw_cells(page *p, const char *class_name, const char *what, const wcodec_segment *s,
                       const page_mean *cells, unsigned rows, unsigned columns, double low, double high)
{
    page_svg_begin(p, class_name, columns, rows);
    page_printf(p, "Mean %s, %u by %u, from %.1f to %.1f, of ", what, rows, columns, low, high);
    page_name(p, s);
    page_svg_title_end(p);
    page_cells(p, cells, rows, columns, low, high);
    page_svg_end(p);
}

static void write_map(page *p, const page_map *map)
{
    const wcodec_segment *s = segment_of(p, map->segment);
    const measure_layout l = measure_find_layout(s);
    const char *what = l.bits != 0 ? "exponent" : s->dtype == WCODEC_I8 ? "|value|" : "value";
    page_mean ramp[PAGE_SHADES];
    double low, high;
    unsigned i;
    find_scale(map, &low, &high);
    for (i = 0; i < PAGE_SHADES; i++) {
        ramp[i].sum = i + 0.5;
        ramp[i].n = 1;
    }
    page_put(p, "<figure><figcaption>");
    page_label(p, s, 96);
    page_printf(p, "<br><span>%s, mean %s; ", page_dtype_name(s->dtype), what);
    page_count(p, map->rows);
    page_put(p, " rows down, ");
    page_count(p, map->columns);
    page_put(p, " columns across");
    if (s->rank > 2) page_printf(p, " (of %s)", cli_shape(s));
    if (map->step > 1) page_printf(p, "; one row in %" PRIu64, map->step);
    page_put(p, "</span></figcaption><div class=\"map\">");
    draw_cells(p, "across", what, s, map->column, 1, map->strip_columns, low, high);
    draw_cells(p, "down", what, s, map->row, map->strip_rows, 1, low, high);
    draw_cells(p, "cells", what, s, map->cell, map->grid_rows, map->grid_columns, low, high);
    page_put(p, "</div><div class=\"scale\">");
    write_map_end(p, "&#8804;&#8239;", low, l.bits != 0);
    page_put(p,
             "<svg class=\"ramp\" viewBox=\"0 0 16 1\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    page_cells(p, ramp, 1, PAGE_SHADES, 0, PAGE_SHADES);
    page_put(p, "</svg>");
    write_map_end(p, "&#8805;&#8239;", high, l.bits != 0);
    page_put(p, "</div></figure>\n");
}

void page_write_maps(page *p)
{
    unsigned i;
    page_put(p, "<h2>Scale by row and column</h2>\n");
    if (p->map[0] == NULL) {
        page_put(p, "<p>There is no tensor of two or more dimensions whose values have a scale.</p>\n");
        return;
    }
    page_put(p, "<p class=\"soft\">Mean exponent of the largest tensors: in blocks, by column (the strip "
                "above) and by row "
                "(the strip on the left). Stripes are rows or columns with a scale of their own. Zeros are "
                "left out, and "
                "of one-byte integers the value is shown. "
                "A tensor of more dimensions is its first by all others.</p>\n<div class=\"grid\">\n");
    for (i = 0; i < PAGE_MAPS; i++) {
        if (p->map[i] != NULL) write_map(p, p->map[i]);
    }
    page_put(p, "</div>\n");
}
