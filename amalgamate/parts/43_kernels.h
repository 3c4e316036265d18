/* ------------------------------------------------------------------------------------------------
 * Kernels (private): the loops that have more than one body
 *
 * A set of kernels is a table of functions.  The scalar ones define what must come out; every other one gives
 * the same bytes, and a set takes the scalar function for what it has no better one for.  A kernel does whole
 * blocks as far as it can do them without looking at bounds in between, and says how far it came; what is left
 * is done by the scalar code.  Kernels know planes, values and units, not tiles.
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_RANS16_LANES 256        /* the most */

#define WCODECI_CLASSES 4               /* of which each has its own frequencies */

/* A rANS-16 stream on its way (format section 9.4).  Lane j's state is high[j] << 8 | low[j]: with the bytes
 * apart a slot is a byte already, and renormalisation moves a byte from one array to the other.
 * Class c's entries of the alias table and of freq stand at 16 c; with one class (lone) only the first 16 are
 * there, and q means nothing. */
typedef struct wcodeci_rans16 {
    wcodeci_byte high[WCODECI_RANS16_LANES], low[WCODECI_RANS16_LANES];
    wcodeci_byte div[16 * WCODECI_CLASSES], other[16 * WCODECI_CLASSES];    /* the alias table; other: 0-15 */
    wcodeci_byte base[16 * WCODECI_CLASSES];                                /* where div is 16: unused */
    wcodeci_byte freq[16 * WCODECI_CLASSES], value[16];
    const wcodeci_byte *p;              /* the next renormalisation byte */
    const wcodeci_byte *limit;          /* no byte is read from here on */
    const wcodeci_byte *q;              /* of the values to decode, one each: class q & 3, shift q >> 2 */
    uint16_t *table;                    /* room for 4096, for kernels that want a table of slots */
    unsigned lanes;                     /* 64, 128 or 256 */
    unsigned mask;                      /* of a value: 2^w - 1 */
} wcodeci_rans16;

/* Decodes whole rounds of r->lanes values each while n has room for one more and `limit` leaves r->lanes bytes
 * from p on (a lane takes at most one a round).  Returns how many values; r stands behind them, but for q.
 * In kernels of several classes value i is (value[symbol] + (q[i] >> 2)) & mask. */
typedef size_t wcodeci_rans16_fn(wcodeci_rans16 *r, wcodeci_byte *v, size_t n);

/* The same, fused with merging: the values are those of a split's fused plane (see wcodeci_split_fused), `planes`
 * holds the other planes' values, and n units go to dst. */
typedef size_t wcodeci_rans16_units_fn(wcodeci_rans16 *r, const wcodeci_byte *const *planes, wcodeci_byte *dst,
                                       size_t n);

/* Decodes whole rounds of 32 values of a rANS-256 stream while n has room and `end` leaves 64 bytes from *src
 * on.  `table`: see wcodeci_rans256_table. */
typedef size_t wcodeci_rans256_fn(uint32_t state[32], const uint32_t *table, const wcodeci_byte **src,
                                  const wcodeci_byte *end, wcodeci_byte *v, size_t n);

/* Merges the first units, as many as suit it; returns how many. */
typedef size_t wcodeci_merge_fn(const wcodeci_byte *const *planes, wcodeci_byte *dst, size_t n);

/* Unpacks the first whole groups of a raw plane of `width` below 8 bits (format section 9.0), as many as suit
 * it; returns how many values. */
typedef size_t wcodeci_unpack_fn(const wcodeci_byte *src, unsigned width, wcodeci_byte *v, size_t n);

/* q[i] = (columns[i] + row) & 255 for i < n. */
typedef void wcodeci_scale_fn(const wcodeci_byte *columns, unsigned row, wcodeci_byte *q, size_t n);

/* Classes by the first plane: value i's is class_of[16 * (q & 3) + t], where t is the first plane's value less its
 * scale q >> 2 and less base, modulo mask + 1, but at most 15. */
typedef struct wcodeci_class_map {
    wcodeci_byte class_of[16 * WCODECI_CLASSES];
    unsigned base, mask;
} wcodeci_class_map;

/* Makes the classes of n values; q NULL: all 0.  `classes` may be q. */
typedef void wcodeci_classes_fn(const wcodeci_class_map *map, const wcodeci_byte *first, const wcodeci_byte *q,
                                wcodeci_byte *classes, size_t n);

/* Undoes a plane's predictor: v[i] = (v[i] + v[i - distance]) & mask for i = distance ... n-1.  All of it. */
typedef void wcodeci_unpredict_fn(wcodeci_byte *v, size_t n, size_t distance, unsigned mask);

typedef struct wcodeci_kernels {
    const char *name;
    /* By whether there are several classes, and by split.  units: planes of less than 8 bits as bytes, like all others.  packed: planes[k] of a plane of
     * less than 8 bits is its raw payload.  NULL where there is none. */
    wcodeci_rans16_fn *rans16[2];
    wcodeci_rans16_units_fn *units[2][WCODEC_SPLIT_COUNT], *packed[2][WCODEC_SPLIT_COUNT];
    wcodeci_rans256_fn *rans256;
    wcodeci_merge_fn *merge[WCODEC_SPLIT_COUNT];    /* NULL: scalar */
    wcodeci_unpack_fn *unpack;                      /* NULL: scalar */
    wcodeci_unpredict_fn *unpredict;
    wcodeci_scale_fn *scale;
    wcodeci_classes_fn *classes;
} wcodeci_kernels;

#ifndef WCODEC_NO_ENCODER

struct wcodeci_plane_row;

/* Takes a plane out of the first units, as many as suit; returns how many.  row: at most two fields. */
typedef size_t wcodeci_split_fn(const struct wcodeci_plane_row *row, unsigned unit, const wcodeci_byte *src,
                                wcodeci_byte *plane, size_t n);

#define WCODECI_NO_SYMBOL 16        /* of a value that is an exception */

/* What encoding with a rANS-16 model needs.  Class c's entries stand at 16 c, or 256 c. */
typedef struct wcodeci_rans16_coder {
    wcodeci_byte symbol_of[256];                    /* WCODECI_NO_SYMBOL: none */
    wcodeci_byte slots[256 * WCODECI_CLASSES];      /* of a symbol's ranks, symbol by symbol */
    wcodeci_byte first[16 * WCODECI_CLASSES];       /* where a symbol's slots begin in its class */
    wcodeci_byte freq[16 * WCODECI_CLASSES];        /* 0: the class has no such symbol */
    wcodeci_byte filler[WCODECI_CLASSES];           /* the symbols that stand where an exception is */
    const wcodeci_byte *q;                          /* of several classes: value i's is q[i] & 3 */
    unsigned lanes;
    wcodeci_byte high[WCODECI_RANS16_LANES], low[WCODECI_RANS16_LANES];     /* the states, as in decoding */
} wcodeci_rans16_coder;

/* symbols[i] = symbol_of[v[i]], or the filler and i to `places`, in order, where that is WCODECI_NO_SYMBOL.
 * Of several classes 16 times the class is added, and a symbol that the class lacks is none either.
 * Returns how many places there are, or most + 1 as soon as there are more than `most`. */
typedef size_t wcodeci_rans16_map_fn(const wcodeci_rans16_coder *c, const wcodeci_byte *v,
                                     wcodeci_byte *symbols, size_t n, uint32_t *places, size_t most);

/* Encodes n symbols, whole rounds, from the last to the first; renormalisation bytes go below p, down to
 * p - n at most, where 64 bytes more may be written.  Returns where they begin. */
typedef wcodeci_byte *wcodeci_rans16_put_fn(wcodeci_rans16_coder *c, const wcodeci_byte *symbols, size_t n,
                                            wcodeci_byte *p);

/* residual[i] = (v[i] - before[i]) & mask for i < n.  residual overlaps neither. */
typedef void wcodeci_residual_fn(const wcodeci_byte *v, const wcodeci_byte *before, wcodeci_byte *residual,
                                 size_t n, unsigned mask);

/* How exponents become levels, for fitting scales: quarters of log2 in a byte.  A level is
 * 4 * (exponent + up - down), less a scale, which is a signed byte (-128 is taken for -127); each step of that stays
 * between 0 and 255.  up or down is 0. */
typedef struct wcodeci_fit {
    wcodeci_byte up, down;
    wcodeci_byte level[256];        /* of an exponent, less no scale */
} wcodeci_fit;

#define WCODECI_FIT_WEIGHTS 32      /* levels below the highest: what is further down counts as nothing */
#define WCODECI_FIT_ONE 255         /* the weight of the highest */

/* The highest level of n > 0 values whose columns have these scales (signed) goes to *most; returns the sum of
 * wcodeci_fit_weight by how far each level is below that.  n is at most 2^20. */
typedef uint32_t wcodeci_fit_row_fn(const wcodeci_fit *fit, const wcodeci_byte *exponents,
                                    const wcodeci_byte *columns, size_t n, unsigned *most);

/* The same column by column, of values whose row has the scale `scale`: raises most[i] to value i's
 * level, */
typedef void wcodeci_fit_most_fn(const wcodeci_fit *fit, const wcodeci_byte *exponents, int scale, size_t n,
                                 wcodeci_byte *most);
/* or adds its weight to sum[i], which does not overflow in 257 rows. */
typedef void wcodeci_fit_sum_fn(const wcodeci_fit *fit, const wcodeci_byte *exponents, int scale, size_t n,
                                const wcodeci_byte *most, uint16_t *sum);

/* Takes scales off n values: q[i] = (columns[i] + row) & 255, residual[i] = (v[i] - (q[i] >> 2)) & mask. */
typedef void wcodeci_scale_off_fn(const wcodeci_byte *v, const wcodeci_byte *columns, unsigned row,
                                  wcodeci_byte *q, wcodeci_byte *residual, size_t n, unsigned mask);

typedef struct wcodeci_encode_kernels {
    wcodeci_split_fn *split;
    wcodeci_residual_fn *residual;
    wcodeci_fit_row_fn *fit_row;
    wcodeci_fit_most_fn *fit_most;
    wcodeci_fit_sum_fn *fit_sum;
    wcodeci_scale_off_fn *scale_off;
    wcodeci_rans16_map_fn *rans16_map[2];           /* by whether there are several classes */
    wcodeci_rans16_put_fn *rans16_put[2];
} wcodeci_encode_kernels;

#endif
