/* What analyze measures of a segment: entropies, and what each coder makes of it.  Its table, its JSON and
 * its page all print what comes from here. */
#ifndef WCODEC_MEASURE_H
#define WCODEC_MEASURE_H

#include "cli.h"

#define MEASURE_EXPONENTS 2048

/* Of one segment, all of it. */
typedef struct measure_counts {
    uint64_t byte[256], pair[256][256];     /* pair: [byte before][byte] */
    uint64_t high[256], low[256], high_step[256];
    uint64_t exponent[MEASURE_EXPONENTS], exponent_step[MEASURE_EXPONENTS];
    uint64_t plane[WCODEC_MAX_PLANES][256];
} measure_counts;

/* Bits a value; NaN where a dtype has no such thing. */
typedef struct measure_entropies {
    double global, conditional, high, low, exponent, residual, residual_exponent;
    double plane[WCODEC_MAX_PLANES];        /* of the layout's split */
} measure_entropies;

/* The choices whose sizes are measured. */
enum {
    MEASURE_RAW, MEASURE_HUFFMAN, MEASURE_RANS, MEASURE_AUTO, MEASURE_HUFFMAN_PRED, MEASURE_RANS_PRED,
    MEASURE_AUTO_PRED, MEASURE_CHOICES
};
extern const char *const measure_choice_keys[MEASURE_CHOICES];

/* Those with a column in the table and on the page, in order. */
enum { MEASURE_COLUMNS = 5 };
extern const struct measure_column {
    const char *head;
    unsigned choice;
} measure_columns[MEASURE_COLUMNS];

typedef struct measure_costs {
    uint64_t bytes[MEASURE_CHOICES];    /* for the whole segment, estimated if `sampled` */
    int sampled;
} measure_costs;

/* The planes of a split: section 6 of the format. */
typedef struct measure_plane {
    const char *what;
    unsigned char width;                    /* bits */
    unsigned char shift, low;               /* the lower field: x >> shift, `low` bits of it */
    unsigned char high_shift, high;         /* the field above it; high 0: none */
    unsigned char top_shift, top;           /* and one more */
} measure_plane;

/* How a segment's bytes are looked at. */
typedef struct measure_layout {
    unsigned unit;                      /* bytes */
    unsigned shift, bits, bias;         /* of the exponent in a unit; bits 0: none */
    unsigned split, planes;             /* the one that shows most */
    const measure_plane *plane;
    uint64_t units, row, tile;          /* in the segment, in a row, in a tile (all in units) */
} measure_layout;
measure_layout measure_find_layout(const wcodec_segment *segment);

/* What the work needs. */
typedef struct measure {
    cli_input *in;
    cli_pool pool;
    measure_counts *count;
    unsigned char *tiles;       /* a batch: measure_buffer bytes for each worker, */
    unsigned char *record;      /* the bound of a record for each, */
    unsigned char *scratch;     /* and scratch memory */
    size_t record_size, scratch_size;
} measure;
extern const size_t measure_buffer;
int measure_open(measure *m, cli_input *in, uint64_t threads);
void measure_close(measure *m);

int measure_read(const measure *m, uint64_t offset, void *dst, size_t size);

/* Leaves what it counted in m->count. */
int measure_entropies_of(measure *m, const wcodec_segment *segment, const measure_layout *layout,
                         measure_entropies *entropies);
int measure_costs_of(measure *m, const wcodec_segment *segment, const measure_layout *layout,
                     measure_costs *costs);

#endif /* WCODEC_MEASURE_H */
