/* The page of wcodec analyze --html: one HTML file with everything in it, that any browser shows without a
 * network.  page.c gathers, page_write.c, page_head.c and page_tensors.c write, page_svg.c draws.
 *
 * The figures of a tensor are the ones that the table and the JSON print, handed over by page_segment.  Only
 * sizes in the container are exact where those are estimated, for the container is really made.
 */
#ifndef WCODEC_PAGE_H
#define WCODEC_PAGE_H

#include "measure.h"

enum {
    PAGE_LARGEST = 6,       /* tensors with a histogram of their own */
    PAGE_MAPS = 6,          /* tensors with a map */
    PAGE_GRID = 64,         /* cells of a map in each direction, at most */
    PAGE_STRIP = 128,       /* and of the strips beside it */
    PAGE_BARS = 20,         /* tensors with a bar */
    PAGE_ROWS = 20000,      /* tensors in the table: what a browser still scrolls */
    PAGE_DTYPES = 128
};

typedef struct page_tensor {
    measure_entropies e;
    measure_costs cost;
    wcodec_estimate estimate;
    uint64_t coded;         /* bytes of its tiles in the container */
} page_tensor;

/* Of exponents, or of bytes where there are none. */
typedef struct page_histogram {
    int used;
    size_t segment;         /* of the largest ones */
    uint64_t count[MEASURE_EXPONENTS];
} page_histogram;

/* All segments of a dtype.  Entropies are sums weighted by units, or by bytes if they are of bytes. */
typedef struct page_dtype {
    measure_layout l;       /* of any of them */
    uint64_t segments, bytes, coded, units;
    measure_entropies sum;
    page_histogram histogram;
} page_dtype;

typedef struct page_mean {
    double sum, n;
} page_mean;

/* A tensor as a matrix: its first dimension by all others. */
typedef struct page_map {
    size_t segment;
    uint64_t rows, columns, step;                       /* every step-th row is read */
    unsigned grid_rows, grid_columns, strip_rows, strip_columns;
    page_mean cell[PAGE_GRID * PAGE_GRID], row[PAGE_STRIP], column[PAGE_STRIP];
} page_map;

enum { PEER_OFF, PEER_MISSING, PEER_FAILED, PEER_DONE };
enum { PEERS = 4, PEER_SLICES = 16 };
typedef struct page_peer {
    const char *program, *option;
    int state;              /* PEER_... */
    uint64_t bytes;         /* of its output */
} page_peer;

/* Which bytes of a file the peers get: `slices` pieces of `slice` bytes, evenly spread. */
typedef struct page_sample {
    uint64_t slice, slices, bytes;
} page_sample;

typedef struct page {
    const cli_options *opt;
    cli_input *in;
    cli_output out;
    const wcodec_plan *plan;
    page_tensor *tensor;                                /* one for each segment */
    size_t *order;                                      /* segments, the largest first */
    size_t tensors;
    page_dtype dtype[PAGE_DTYPES];
    unsigned dtype_order[PAGE_DTYPES], dtypes;          /* those there are, the largest first */
    page_histogram largest[PAGE_LARGEST];
    page_map *map[PAGE_MAPS];
    cli_tiles tiles;                                    /* of the container */
    uint64_t container_size, total[MEASURE_CHOICES];
    size_t header_size, index_size;
    wcodec_estimate estimate;                           /* the sum of all */
    int any_sampled;
    page_peer peer[PEERS];
    page_sample sample;
} page;

/* ---- page.c ---- */

/* Opens the output: what would fail in the end fails before the work. */
int page_open(page **out, const cli_options *opt, cli_input *in, const wcodec_plan *plan);
/* Takes what was measured of segment i. */
void page_segment(page *p, size_t i, const measure_layout *layout, const measure_entropies *e,
                  const measure_costs *cost, const wcodec_estimate *estimate, const measure_counts *count);
/* Does what only the page needs, and writes it. */
int page_finish(page *p, measure *m, const uint64_t *total, int any_sampled, const wcodec_estimate *sum);
void page_close(page *p);       /* NULL is fine */

/* Is this segment a tensor, and not the header of a file or the like? */
int page_is_tensor(const wcodec_segment *segment);
/* Integers whose highest bytes are in order only with their signs. */
int page_is_signed(unsigned dtype);

/* Is there more to say of the i-th largest dtype than that there is a header? */
int page_worth_showing(const page *p, unsigned i);

/* ---- peers.c ---- */

int peers_run(page *p);

/* ---- page_write.c ---- */

int page_write(page *p);

/* ---- page_head.c ---- */

void page_write_head(page *p);
void page_write_script(page *p);

/* ---- page_tensors.c ---- */

void page_write_tensors(page *p);
void page_write_histograms(page *p);
void page_write_maps(page *p);
void page_write_table(page *p);

/* ---- page_svg.c ---- */

/* What could not be written shows at the end, in p->out.error. */
void page_put(page *p, const char *text);
void page_bytes(page *p, const char *text, size_t size);
void page_printf(page *p, const char *format, ...) CLI_PRINTF(2, 3);

/* Names, which come from anywhere, made harmless between tags and in quotes; what is no text is U+FFFD. */
void page_name(page *p, const wcodec_segment *segment);
/* The same between tags, with places to break a line; at most `width` characters (0: all), the middle left
 * out. */
void page_label(page *p, const wcodec_segment *segment, size_t width);

void page_file_name(page *p, int breaks);    /* the same, breaks or not */
const char *page_dtype_name(unsigned dtype);

void page_count(page *p, uint64_t value);       /* 1,234,567 */
void page_size(page *p, uint64_t bytes);        /* 1.18 MiB */
void page_number(page *p, double value, int digits);    /* "-" if it is NaN */
void page_percent(page *p, double part, double whole);

/* A bar of `parts` pieces beside each other, drawn over a frame as wide as `frame`; all of `full`. */
typedef struct page_part {
    double value;
    const char *style;      /* a class */
} page_part;
page_part page_part_of(double value, const char *style);
void page_bar(page *p, const page_part *part, size_t parts, double frame, double full);

/* A row of a chart: a label, a bar with its title, a number, each put between two of these. */
void page_row_begin(page *p);
void page_row_bar(page *p);
void page_row_number(page *p, const page_part *part, size_t parts, double frame, double full);
void page_row_end(page *p);
void page_key(page *p, const char *style, const char *what);    /* of a legend */

/* Begin a drawing of width by height units with its title; what stands between goes in by page_printf. */
void page_svg_begin(page *p, const char *style, unsigned width, unsigned height);
void page_svg_title_end(page *p);
void page_svg_end(page *p);

/* Columns `from` to `to` of a histogram, the highest as high as the drawing. */
void page_columns(page *p, const uint64_t *count, unsigned from, unsigned to, unsigned step);

/* Cells in shades from `low` to `high`; those without values are left out. */
enum { PAGE_SHADES = 16 };
void page_cells(page *p, const page_mean *cell, unsigned rows, unsigned columns, double low, double high);

#endif /* WCODEC_PAGE_H */
