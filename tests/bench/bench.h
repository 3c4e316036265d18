/* Shared by the parts of the benchmark library: see core.c for what a job is, bench.py for who drives it.
 * The peers are linked into this library alone, never into wcodec. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

/* What to time.  All memory here is the caller's, and is touched before anything is timed. */
typedef struct bench_setup {
    const unsigned char *src;   /* `size` bytes of elements */
    unsigned char *out;         /* decoded bytes go here; `size` bytes */
    size_t size;
    size_t block;               /* peers: bytes compressed by themselves; wcodec: bytes of a window */
    const uint64_t *rows;       /* of each tensor: rows, and units a row, as wcodec_segment counts them */
    const uint64_t *row;
    size_t tensors;
    size_t width;               /* elements a row, for the coders of two-dimensional fields */
    int dtype;                  /* wcodec_dtype */
    unsigned typesize;          /* bytes an element; 1 for packed ones */
    int level;                  /* wcodec: the profile */
    int filter;                 /* the codec's own number: a split, or a chain of filters */
    unsigned threads;
    unsigned cpu_off;           /* wcodec: instruction sets not to use */
    int no_crc;                 /* wcodec: tiles' checksums are not looked at */
} bench_setup;

typedef struct bench_job bench_job;

/* A codec of blocks: what a peer is.  `self` is what open made; NULL from open: this can not be done.
 * encode returns the packed size, or 0; decode returns whether all `size` bytes came out. */
typedef struct bench_blocks {
    const char *name;
    const char *package;        /* Debian's, or PyPI's, that brings it */
    const char *(*version)(void);   /* NULL: it was not there when this was compiled */
    void *(*open)(const bench_setup *setup, size_t block);
    size_t (*bound)(const bench_setup *setup, size_t size);
    size_t (*encode)(void *self, const unsigned char *src, size_t size, unsigned char *dst, size_t room);
    int (*decode)(void *self, const unsigned char *src, size_t packed, unsigned char *dst, size_t size);
    void (*close)(void *self);
} bench_blocks;

extern const bench_blocks bench_peers[];
extern const size_t bench_peer_count;

/* wcodec itself (wcodec_side.c), which finds its pieces alone. */
typedef struct wcodec_side wcodec_side;
wcodec_side *wcodec_side_open(const bench_setup *setup);
int wcodec_side_encode(wcodec_side *side);
int wcodec_side_decode(wcodec_side *side, unsigned char *dst);
int wcodec_side_piece(wcodec_side *side, size_t i, unsigned char *dst);
int wcodec_side_reopen(wcodec_side *side);
size_t wcodec_side_packed(const wcodec_side *side);
size_t wcodec_side_pieces(const wcodec_side *side);
size_t wcodec_side_offset(const wcodec_side *side, size_t i);
void wcodec_side_close(wcodec_side *side);

/* Threads for memcpy and for wcodec. */
struct wcodec_parallel;
typedef struct bench_pool bench_pool;
bench_pool *bench_pool_open(unsigned threads);
const struct wcodec_parallel *bench_pool_parallel(const bench_pool *pool);
void bench_pool_close(bench_pool *pool);
void bench_pool_copy(bench_pool *pool, unsigned char *dst, const unsigned char *src, size_t size);

void *bench_touched(size_t size);       /* malloc, every page written; NULL if there is no memory */

#endif
