/* ------------------------------------------------------------------------------------------------
 * Kernels (private): the loops that have more than one body
 *
 * A set of kernels is a table of functions.  The scalar ones define what must come out; every other one gives
 * the same bytes, and a set takes the scalar function for what it has no better one for.  A kernel does whole
 * blocks as far as it can do them without looking at bounds in between, and says how far it came; what is left
 * is done by the scalar code.  Kernels know planes, values and units, not tiles.
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_RANS16_LANES 256        /* the most */

/* A rANS-16 stream on its way (format section 9.4).  Lane j's state is high[j] << 8 | low[j]: with the bytes
 * apart a slot is a byte already, and renormalisation moves a byte from one array to the other. */
typedef struct wcodeci_rans16 {
    wcodeci_byte high[WCODECI_RANS16_LANES], low[WCODECI_RANS16_LANES];
    wcodeci_byte div[16], other[16], base[16];      /* the alias table; base where div is 16: unused */
    wcodeci_byte freq[16], value[16];
    const wcodeci_byte *p;              /* the next renormalisation byte */
    const wcodeci_byte *limit;          /* no byte is read from here on */
    uint16_t *table;                    /* room for 1024, for kernels that want a table of slots */
    unsigned lanes;                     /* 64, 128 or 256 */
} wcodeci_rans16;

/* Decodes whole rounds of r->lanes values each while n has room for one more and `limit` leaves r->lanes bytes
 * from p on (a lane takes at most one a round).  Returns how many values; r stands behind them. */
typedef size_t wcodeci_rans16_fn(wcodeci_rans16 *r, wcodeci_byte *v, size_t n);

/* The same, fused with merging: the values are those of a split's first plane, planes[1] and so on hold the
 * other planes' values, and n units go to dst. */
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

/* Undoes a plane's predictor: v[i] = (v[i] + v[i - distance]) & mask for i = distance ... n-1.  All of it. */
typedef void wcodeci_unpredict_fn(wcodeci_byte *v, size_t n, size_t distance, unsigned mask);

typedef struct wcodeci_kernels {
    const char *name;
    wcodeci_rans16_fn *rans16;
    /* By split.  units: planes of less than 8 bits as bytes, like all others.  packed: planes[k] of a plane of
     * less than 8 bits is its raw payload.  NULL where there is none. */
    wcodeci_rans16_units_fn *units[WCODEC_SPLIT_COUNT], *packed[WCODEC_SPLIT_COUNT];
    wcodeci_rans256_fn *rans256;
    wcodeci_merge_fn *merge[WCODEC_SPLIT_COUNT];    /* NULL: scalar */
    wcodeci_unpack_fn *unpack;                      /* NULL: scalar */
    wcodeci_unpredict_fn *unpredict;
} wcodeci_kernels;

#ifndef WCODEC_NO_ENCODER

struct wcodeci_plane_row;

/* Takes a plane out of the first units, as many as suit; returns how many.  row: at most two fields. */
typedef size_t wcodeci_split_fn(const struct wcodeci_plane_row *row, unsigned unit, const wcodeci_byte *src,
                                wcodeci_byte *plane, size_t n);

#define WCODECI_NO_SYMBOL 16        /* of a value that is an exception */

/* What encoding with a rANS-16 model needs. */
typedef struct wcodeci_rans16_coder {
    wcodeci_byte symbol_of[256];    /* WCODECI_NO_SYMBOL: none */
    wcodeci_byte slots[256];        /* of a symbol's ranks, symbol by symbol */
    wcodeci_byte first[16];         /* where a symbol's slots begin */
    wcodeci_byte freq[16];
    wcodeci_byte filler;            /* the symbol that stands where an exception is */
    unsigned lanes;
    wcodeci_byte high[WCODECI_RANS16_LANES], low[WCODECI_RANS16_LANES];     /* the states, as in decoding */
} wcodeci_rans16_coder;

/* symbols[i] = symbol_of[v[i]], or the filler and i to `places`, in order, where that is WCODECI_NO_SYMBOL.
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

typedef struct wcodeci_encode_kernels {
    wcodeci_split_fn *split;
    wcodeci_residual_fn *residual;
    wcodeci_rans16_map_fn *rans16_map;
    wcodeci_rans16_put_fn *rans16_put;
} wcodeci_encode_kernels;

#endif
