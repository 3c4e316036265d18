/* Jobs and the clock.  A job is one contender over one buffer: it packs the buffer, whole or in blocks, and
 * then unpacks all of it, or one piece after the other into the same window, or pieces at random.  Only the
 * codec's calls lie between two looks at the clock; what they need is allocated and touched before. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

#define EXPORT __attribute__((visibility("default")))

struct bench_job {
    bench_setup setup;
    const bench_blocks *codec;      /* NULL: wcodec */
    wcodec_side *side;
    void *self;
    unsigned char *packed;
    size_t room, *offset;           /* of each packed block, and of the end */
    size_t pieces;
    unsigned char *window;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void *bench_touched(size_t size)
{
    void *memory = malloc(size + 1);
    if (memory != NULL) memset(memory, 1, size + 1);
    return memory;
}

/* ---- pieces ---- */

static size_t piece_begin(const bench_job *job, size_t i)
{
    size_t at = job->side != NULL ? wcodec_side_offset(job->side, i) : i * job->setup.block;
    return at < job->setup.size ? at : job->setup.size;
}

static size_t piece_size(const bench_job *job, size_t i)
{
    return piece_begin(job, i + 1) - piece_begin(job, i);
}

static int decode_piece(bench_job *job, size_t i, unsigned char *dst)
{
    const size_t *at = job->offset;
    if (job->side != NULL) return wcodec_side_piece(job->side, i, dst);
    return job->codec->decode(job->self, job->packed + at[i], at[i + 1] - at[i], dst, piece_size(job, i));
}

static int decode_all(bench_job *job)
{
    size_t i;
    if (job->side != NULL) return wcodec_side_decode(job->side, job->setup.out);
    for (i = 0; i < job->pieces; i++) {
        if (!decode_piece(job, i, job->setup.out + piece_begin(job, i))) return 0;
    }
    return 1;
}

static int encode_all(bench_job *job)
{
    size_t i, at = 0;
    if (job->side != NULL) return wcodec_side_encode(job->side);
    for (i = 0; i < job->pieces; i++) {
        size_t size = job->codec->encode(job->self, job->setup.src + piece_begin(job, i),
                                         piece_size(job, i), job->packed + at, job->room - at);
        if (size == 0) return 0;
        job->offset[i] = at;
        job->offset[i + 1] = at += size;
    }
    return 1;
}

/* ---- what Python calls ---- */

EXPORT size_t bench_peers_known(void)
{
    return bench_peer_count;
}

EXPORT const char *bench_peer_name(size_t i)
{
    return bench_peers[i].name;
}

EXPORT const char *bench_peer_package(size_t i)
{
    return bench_peers[i].package;
}

EXPORT const char *bench_peer_version(size_t i)
{
    return bench_peers[i].version != NULL ? bench_peers[i].version() : NULL;
}

EXPORT void bench_close(bench_job *job)
{
    if (job == NULL) return;
    wcodec_side_close(job->side);
    if (job->self != NULL) job->codec->close(job->self);
    free(job->packed);
    free(job->offset);
    free(job->window);
    free(job);
}

static int open_blocks(bench_job *job, const bench_blocks *codec)
{
    bench_setup *setup = &job->setup;
    job->codec = codec;
    job->pieces = (setup->size + setup->block - 1) / setup->block;
    job->room = job->pieces * codec->bound(setup, setup->block);
    job->packed = (unsigned char *)bench_touched(job->room);
    job->offset = (size_t *)bench_touched((job->pieces + 1) * sizeof(size_t));
    job->self = codec->open(setup, setup->block);
    return job->packed != NULL && job->offset != NULL && job->self != NULL && encode_all(job);
}

/* After this the job is packed, too.  `name`: a peer's, or "wcodec".  NULL: it can not be done. */
EXPORT bench_job *bench_open(const char *name, const bench_setup *setup)
{
    bench_job *job = (bench_job *)calloc(1, sizeof *job);
    int good = 0;
    size_t i;
    if (job == NULL) return NULL;
    job->setup = *setup;
    if (job->setup.block == 0 || job->setup.block > setup->size) job->setup.block = setup->size;
    if (strcmp(name, "wcodec") == 0) {
        job->side = wcodec_side_open(&job->setup);
        good = job->side != NULL;
        if (good) job->pieces = wcodec_side_pieces(job->side);
    }
    for (i = 0; i < bench_peer_count; i++) {
        const bench_blocks *codec = &bench_peers[i];
        if (strcmp(name, codec->name) == 0 && codec->version != NULL) good = open_blocks(job, codec);
    }
    job->window = (unsigned char *)bench_touched(job->setup.block);
    if (good && job->window != NULL) return job;
    bench_close(job);
    return NULL;
}

EXPORT size_t bench_packed(const bench_job *job)
{
    return job->side != NULL ? wcodec_side_packed(job->side) : job->offset[job->pieces];
}

EXPORT size_t bench_pieces(const bench_job *job)
{
    return job->pieces;
}

/* The timed calls return seconds, or -1 if one failed. */
EXPORT double bench_encode(bench_job *job, unsigned repeat)
{
    double start = seconds();
    while (repeat-- > 0) {
        if (!encode_all(job)) return -1;
    }
    return seconds() - start;
}

EXPORT double bench_decode(bench_job *job, unsigned repeat)
{
    double start = seconds();
    while (repeat-- > 0) {
        if (!decode_all(job)) return -1;
    }
    return seconds() - start;
}

/* All pieces in order, each into the same window: what a loader that hands on small buffers does. */
EXPORT double bench_window(bench_job *job, unsigned repeat)
{
    double start = seconds();
    while (repeat-- > 0) {
        size_t i;
        for (i = 0; i < job->pieces; i++) {
            if (!decode_piece(job, i, job->window)) return -1;
        }
    }
    return seconds() - start;
}

/* `count` pieces at random, the same ones for every job with as many pieces. */
EXPORT double bench_random(bench_job *job, unsigned count)
{
    double start = seconds();
    uint32_t x = 1;
    while (count-- > 0) {
        x = x * 1664525u + 1013904223u;
        if (!decode_piece(job, (size_t)(x >> 8) % job->pieces, job->window)) return -1;
    }
    return seconds() - start;
}

/* Opening the container again, and closing it; -1 for peers. */
EXPORT double bench_reopen(bench_job *job, unsigned repeat)
{
    double start = seconds();
    if (job->side == NULL) return -1;
    while (repeat-- > 0) {
        if (!wcodec_side_reopen(job->side)) return -1;
    }
    return seconds() - start;
}

/* Whether everything comes back, byte for byte: the whole, and each piece by itself. */
EXPORT int bench_check(bench_job *job)
{
    const bench_setup *setup = &job->setup;
    size_t i;
    memset(setup->out, 0xA5, setup->size);
    if (!decode_all(job) || memcmp(setup->out, setup->src, setup->size) != 0) return 0;
    for (i = 0; i < job->pieces && job->pieces > 1; i++) {
        memset(job->window, 0xA5, piece_size(job, i));
        if (!decode_piece(job, i, job->window)) return 0;
        if (memcmp(job->window, setup->src + piece_begin(job, i), piece_size(job, i)) != 0) return 0;
    }
    return 1;
}
