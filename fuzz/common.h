/* What every harness shares: the library itself, checks that abort, an allocator that keeps accounts,
 * and choices drawn from the input.
 *
 * A harness takes its parameters (chunk sizes, ranges, options) from a hash of the input, not from bytes
 * of it: so every seed and every finding of the container harnesses is a plain container. */
#ifndef FUZZ_COMMON_H
#define FUZZ_COMMON_H

#define WCODEC_IMPLEMENTATION
#include "../wcodec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_MAX_MEMORY ((uint64_t)64 << 20)
#define FUZZ_MAX_VIEW ((size_t)1 << 20)     /* what a run decodes at most: keeps a run in milliseconds */
#define FUZZ_MAX_MIXED ((size_t)1 << 16)    /* the same of what has planes of the coder mix */

/* The interface of libFuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* A condition that holds for every input, or the library has a bug. */
#define FUZZ_REQUIRE(cond) ((cond) ? (void)0 : fuzz_die(__FILE__, __LINE__, #cond))

static inline void fuzz_die(const char *file, int line, const char *cond)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, cond);
    abort();
}

/* Hands a status on if it is one that the API defines. */
static inline wcodec_status fuzz_status(wcodec_status status)
{
    FUZZ_REQUIRE((int)status <= 4 && (int)status >= -14);
    FUZZ_REQUIRE(wcodec_status_string(status) != NULL);
    return status;
}

/* A copy that ends where its malloc ends, so that ASan sees one byte too many.  Size 0 gives NULL. */
static inline unsigned char *fuzz_exact(const void *data, size_t size)
{
    unsigned char *copy = NULL;
    if (size != 0) {
        copy = (unsigned char *)malloc(size);
        FUZZ_REQUIRE(copy != NULL);
        if (data != NULL) memcpy(copy, data, size);
    }
    return copy;
}

/* ---- choices ---- */

typedef struct fuzz_random { uint64_t state; } fuzz_random;

static inline fuzz_random fuzz_random_from(const void *data, size_t size)
{
    const unsigned char *p = (const unsigned char *)data;
    fuzz_random r = { UINT64_C(0xcbf29ce484222325) };
    size_t i;
    for (i = 0; i < size; i++) r.state = (r.state ^ p[i]) * UINT64_C(0x100000001b3);
    return r;
}

/* The next number of SplitMix64. */
static inline uint64_t fuzz_next(fuzz_random *r)
{
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* A number below `n`; 0 for n = 0. */
static inline size_t fuzz_below(fuzz_random *r, size_t n)
{
    return n == 0 ? 0 : (size_t)(fuzz_next(r) % n);
}

/* Kernels to do without: all, none, or those from some instruction set on.  Nothing may depend on it. */
static inline unsigned fuzz_cpu_off(fuzz_random *r)
{
    static const unsigned off[] = { 0, WCODEC_CPU_AVX512, WCODEC_CPU_AVX512 | WCODEC_CPU_AVX2, WCODEC_CPU_ALL };
    return off[fuzz_below(r, sizeof off / sizeof off[0])];
}

/* ---- an allocator that checks sizes and limit ---- */

typedef struct fuzz_heap { uint64_t live; } fuzz_heap;

/* In front of each block; its size keeps the block aligned for any type. */
typedef union fuzz_block {
    size_t size;
    long double align_real;
    void *align_pointer;
    unsigned char pad[16];
} fuzz_block;

static inline void *fuzz_alloc(void *user, size_t size)
{
    fuzz_heap *heap = (fuzz_heap *)user;
    fuzz_block *block;
    heap->live += size;
    FUZZ_REQUIRE(heap->live <= FUZZ_MAX_MEMORY);
    block = (fuzz_block *)malloc(sizeof *block + size);
    FUZZ_REQUIRE(block != NULL);
    block->size = size;
    return block + 1;
}

static inline void fuzz_free(void *user, void *ptr, size_t size)
{
    fuzz_heap *heap = (fuzz_heap *)user;
    fuzz_block *block = (fuzz_block *)ptr - 1;
    FUZZ_REQUIRE(block->size == size && heap->live >= size);
    heap->live -= size;
    free(block);
}

static inline wcodec_allocator fuzz_allocator(fuzz_heap *heap)
{
    wcodec_allocator a;
    heap->live = 0;
    a.alloc_fn = fuzz_alloc;
    a.free_fn = fuzz_free;
    a.user = heap;
    return a;
}

/* ---- I/O ---- */

/* A growing buffer as a sink. */
typedef struct fuzz_bytes { unsigned char *data; size_t size, room; } fuzz_bytes;

static inline void fuzz_bytes_add(fuzz_bytes *b, const void *src, size_t size)
{
    if (size == 0) return;
    if (b->room - b->size < size) {
        b->room = (b->size + size) * 2;
        b->data = (unsigned char *)realloc(b->data, b->room);
        FUZZ_REQUIRE(b->data != NULL);
    }
    memcpy(b->data + b->size, src, size);
    b->size += size;
}

static inline wcodec_status fuzz_write(void *user, const void *src, size_t size)
{
    fuzz_bytes_add((fuzz_bytes *)user, src, size);
    return WCODEC_OK;
}

static inline wcodec_status fuzz_read_at(void *user, uint64_t offset, void *dst, size_t size, size_t *got)
{
    const fuzz_bytes *b = (const fuzz_bytes *)user;
    *got = 0;
    if (offset < b->size) {
        *got = b->size - (size_t)offset < size ? b->size - (size_t)offset : size;
        memcpy(dst, b->data + (size_t)offset, *got);
    }
    return WCODEC_OK;
}

/* ---- the base of all containers that need one ---- */

#define FUZZ_BASE_SIZE 8192

/* Bytes of it; for tiles alone it has no end. */
static inline void fuzz_base_fill(uint64_t offset, unsigned char *dst, size_t size)
{
    size_t i;
    for (i = 0; i < size; i++) dst[i] = (unsigned char)((offset + i) * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

static inline wcodec_status fuzz_base_read(void *user, uint64_t offset, void *dst, size_t size, size_t *got)
{
    (void)user;
    *got = 0;
    if (offset < FUZZ_BASE_SIZE) {
        *got = FUZZ_BASE_SIZE - (size_t)offset < size ? FUZZ_BASE_SIZE - (size_t)offset : size;
        fuzz_base_fill(offset, (unsigned char *)dst, *got);
    }
    return WCODEC_OK;
}

/* The base in memory, behind read_at, or none: NULL. */
static inline const wcodec_source *fuzz_base(fuzz_random *r)
{
    static unsigned char *bytes;
    static wcodec_source source[2];
    if (bytes == NULL) {
        bytes = fuzz_exact(NULL, FUZZ_BASE_SIZE);
        fuzz_base_fill(0, bytes, FUZZ_BASE_SIZE);
        source[0] = wcodec_source_memory(bytes, FUZZ_BASE_SIZE);
        source[1].read_at = fuzz_base_read;
        source[1].size = FUZZ_BASE_SIZE;
    }
    return fuzz_below(r, 4) == 0 ? NULL : &source[fuzz_below(r, 2)];
}

/* A container whose header admits tiles of more than FUZZ_MAX_VIEW costs megabytes a run, and one with planes of
 * the coder mix seconds; most such inputs are left out. */
static inline int fuzz_too_slow(const uint8_t *data, size_t size, fuzz_random *r)
{
    uint32_t max_tile;
    if (size < 24) return 0;
    max_tile = (uint32_t)data[20] | (uint32_t)data[21] << 8 | (uint32_t)data[22] << 16
               | (uint32_t)data[23] << 24;
    if ((data[16] & 1) != 0 && max_tile > FUZZ_MAX_MIXED) return fuzz_below(r, 256) != 0;
    return max_tile > FUZZ_MAX_VIEW && fuzz_below(r, 32) != 0;
}

/* Has a tile a plane of the coder mix, which decodes a thousand times as slowly as the others? */
static inline int fuzz_mixed(const wcodec_tile_info *info)
{
    return (info->features & WCODEC_FEATURE_MIX) != 0;
}

/* A tile that it would take too long to decode. */
static inline int fuzz_tile_too_large(const wcodec_tile_info *info)
{
    return info->decoded_size > (fuzz_mixed(info) ? FUZZ_MAX_MIXED : FUZZ_MAX_VIEW);
}

/* What decoding a tile takes. */
static inline size_t fuzz_tile_scratch(const wcodec_tile_info *info)
{
    return wcodec_tile_decode_scratch(info->decoded_size, info->features);
}

/* The original that just began: its number counts up, its name can be read. */
static inline void fuzz_check_original(const wcodec_push *push, size_t expected)
{
    size_t number = SIZE_MAX, size = 0, i;
    const char *name = NULL;
    int from_parts = -1;
    volatile char sum = 0;
    wcodec_push_original(push, &number, &name, &size, &from_parts);
    FUZZ_REQUIRE(number == expected && (from_parts == 0 || from_parts == 1));
    for (i = 0; i < size; i++) sum = (char)(sum ^ name[i]);
}

static inline wcodec_status fuzz_reread(void *user, uint64_t offset, void *dst, size_t size)
{
    const fuzz_bytes *b = (const fuzz_bytes *)user;
    FUZZ_REQUIRE(offset <= b->size && size <= b->size - offset);
    memcpy(dst, b->data + (size_t)offset, size);
    return WCODEC_OK;
}

/* Feeds a whole container to a push decoder in pieces that `cut` chooses (NULL: all at once) and keeps
 * what comes out.  Stops early, with MORE_OUTPUT, when `keep` holds FUZZ_MAX_VIEW bytes. */
static inline wcodec_status fuzz_push_all(const uint8_t *data, size_t size,
                                          const wcodec_reader_options *options,
                                          fuzz_random *cut, fuzz_bytes *keep, size_t *taken,
                                              size_t *originals)
{
    wcodec_reader_options again = options != NULL ? *options : wcodec_reader_defaults();
    wcodec_push *push = NULL;
    wcodec_status st;
    size_t at = 0, idle = 0;
    again.reread.fn = fuzz_reread;
    again.reread.user = keep;
    st = fuzz_status(wcodec_push_open(&push, &again, NULL));
    *taken = *originals = 0;
    if (st != WCODEC_OK) { FUZZ_REQUIRE(push == NULL); return st; }
    for (;;) {
        size_t give = size - at, room = (size_t)1 << 16, used = 0, made = 0;
        unsigned char *in, *out;
        if (cut != NULL) {
            size_t limit = (size_t)1 << fuzz_below(cut, 14);
            give = fuzz_below(cut, (give < limit ? give : limit) + 1);
            room = fuzz_below(cut, ((size_t)1 << fuzz_below(cut, 15)) + 1);
        }
        in = fuzz_exact(data + at, give);
        out = fuzz_exact(NULL, room);
        st = fuzz_status(wcodec_push_step(push, in, give, &used, out, room, &made, NULL));
        FUZZ_REQUIRE(used <= give && made <= room);
        if (st == WCODEC_MORE_INPUT) FUZZ_REQUIRE(used == give);
        if (st == WCODEC_MORE_OUTPUT) FUZZ_REQUIRE(made == room);
        fuzz_bytes_add(keep, out, made);
        free(in);
        free(out);
        at += used;
        idle = used + made == 0 && st != WCODEC_ORIGINAL ? idle + 1 : 0;
        FUZZ_REQUIRE(cut != NULL ? idle < 10000 : idle < 3);
        if (st == WCODEC_ORIGINAL) {
            fuzz_check_original(push, (*originals)++);
            continue;
        }
        if (st < 0 || st == WCODEC_END || keep->size > FUZZ_MAX_VIEW) break;
        if (st == WCODEC_MORE_INPUT && at == size) break;
    }
    *taken = at;
    wcodec_push_close(push);
    return st;
}

#endif
