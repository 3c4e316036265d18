/* wcodec as a contender: containers in memory, one segment a tensor. */
#include <stdlib.h>
#include <string.h>

#define WCODEC_IMPLEMENTATION
#include "cli.h"
#include "bench.h"

#define EXPORT __attribute__((visibility("default")))

struct bench_pool {
    cli_pool pool;
};

struct wcodec_side {
    const bench_setup *setup;
    bench_pool *pool;
    wcodec_reader_options options;
    wcodec_reader *reader;
    unsigned char *packed, *scratch;
    size_t packed_size, room, scratch_size;
    size_t *offset;             /* of each piece in the view, and of the end */
    size_t pieces;
};

/* ---- instruction sets ---- */

EXPORT const char *bench_wcodec_version(void)
{
    return WCODEC_VERSION;
}

/* How many profiles the library has: numbers from 0 on. */
EXPORT unsigned bench_wcodec_profiles(void)
{
    /* The profile best came together with a coder of its own. */
    return (unsigned)WCODEC_CODER_COUNT > (unsigned)WCODEC_CODER_CLASSES + 1 ? 3 : 2;
}

/* What this machine has and the library knows: WCODEC_CPU_ bits. */
EXPORT unsigned bench_cpu(void)
{
#ifdef WCODEC_CPU_AVX512
    return wcodec_cpu_detect();
#else
    return 0;
#endif
}

static wcodec_reader_options reader_options(const bench_setup *setup)
{
    wcodec_reader_options options = wcodec_reader_defaults();
    options.no_crc = setup->no_crc;
#ifdef WCODEC_CPU_AVX512
    options.cpu_off = setup->cpu_off;
#endif
    return options;
}

/* ---- threads: those of the command ---- */

bench_pool *bench_pool_open(unsigned threads)
{
    bench_pool *pool = (bench_pool *)calloc(1, sizeof *pool);
    if (pool != NULL) cli_pool_open(&pool->pool, threads);
    return pool;
}

const wcodec_parallel *bench_pool_parallel(const bench_pool *pool)
{
    return &pool->pool.parallel;
}

void bench_pool_close(bench_pool *pool)
{
    if (pool == NULL) return;
    cli_pool_close(&pool->pool);
    free(pool);
}

typedef struct copy_work {
    unsigned char *dst;
    const unsigned char *src;
    size_t size, parts;
} copy_work;

static void copy_part(void *arg, size_t i, unsigned worker)
{
    const copy_work *work = (const copy_work *)arg;
    size_t begin = work->size / work->parts * i;
    size_t end = i + 1 == work->parts ? work->size : begin + work->size / work->parts;
    (void)worker;
    memcpy(work->dst + begin, work->src + begin, end - begin);
}

void bench_pool_copy(bench_pool *pool, unsigned char *dst, const unsigned char *src, size_t size)
{
    const wcodec_parallel *parallel = bench_pool_parallel(pool);
    copy_work work;
    work.dst = dst;
    work.src = src;
    work.size = size;
    work.parts = parallel->workers;
    parallel->run(parallel->user, work.parts, copy_part, &work);
}

/* ---- encoding ---- */

static wcodec_status append(void *user, const void *src, size_t size)
{
    wcodec_side *side = (wcodec_side *)user;
    if (size > side->room - side->packed_size) return WCODEC_E_NO_SPACE;
    memcpy(side->packed + side->packed_size, src, size);
    side->packed_size += size;
    return WCODEC_OK;
}

static wcodec_status write_tensors(wcodec_writer *writer, const bench_setup *setup)
{
    const unsigned char *src = setup->src;
    size_t i, unit = setup->typesize;
    wcodec_status status = wcodec_writer_original(writer, "bench", 5, 1, NULL);
    for (i = 0; i < setup->tensors && status == WCODEC_OK; i++) {
        wcodec_segment segment;
        uint64_t shape[2];
        memset(&segment, 0, sizeof segment);
        shape[0] = setup->rows[i];
        /* Units of packed elements are bytes: two of four bits each. */
        shape[1] = setup->row[i] * (unit * 8 / wcodec_dtype_bits((unsigned)setup->dtype));
        segment.dtype = (unsigned)setup->dtype;
        segment.rank = 2;
        segment.shape = shape;
        segment.size = setup->rows[i] * setup->row[i] * unit;
        status = wcodec_writer_segment(writer, &segment, NULL);
        if (status == WCODEC_OK) status = wcodec_writer_data(writer, src, (size_t)segment.size, NULL);
        src += segment.size;
    }
    return status;
}

/* Without the SHA-256 of the whole, which no peer computes either. */
int wcodec_side_encode(wcodec_side *side)
{
    wcodec_writer_options options = wcodec_writer_defaults();
    wcodec_writer *writer;
    wcodec_sink sink;
    wcodec_status status;
    sink.write = append;
    sink.user = side;
    options.no_sha256 = 1;
    options.tile.profile = (unsigned)side->setup->level;
    if (side->setup->threads > 1) options.parallel = bench_pool_parallel(side->pool);
#ifdef WCODEC_CPU_AVX512
    options.cpu_off = side->setup->cpu_off;
#endif
    side->packed_size = 0;
    if (wcodec_writer_open(&writer, &sink, &options, NULL) != WCODEC_OK) return 0;
    status = write_tensors(writer, side->setup);
    if (status == WCODEC_OK) status = wcodec_writer_finish(writer, NULL);
    wcodec_writer_close(writer);
    return status == WCODEC_OK;
}

/* ---- decoding ---- */

static int open_reader(wcodec_side *side, wcodec_reader **reader)
{
    wcodec_source source = wcodec_source_memory(side->packed, side->packed_size);
    return wcodec_reader_open(reader, &source, &side->options, NULL) == WCODEC_OK;
}

int wcodec_side_decode(wcodec_side *side, unsigned char *dst)
{
    return wcodec_read_parallel(side->reader, 0, dst, side->setup->size, side->scratch, side->scratch_size,
                                side->setup->threads > 1 ? bench_pool_parallel(side->pool) : NULL, NULL,
                                NULL) == WCODEC_OK;
}

int wcodec_side_piece(wcodec_side *side, size_t i, unsigned char *dst)
{
    size_t begin = side->offset[i], size = side->offset[i + 1] - begin;
    return wcodec_read(side->reader, begin, dst, size, side->scratch, side->scratch_size, NULL) == WCODEC_OK;
}

int wcodec_side_reopen(wcodec_side *side)
{
    wcodec_reader *reader;
    int good = open_reader(side, &reader);
    wcodec_reader_close(reader);
    return good;
}

/* Pieces are as many whole tiles as fit into a block, so that no tile is decoded twice. */
static int find_pieces(wcodec_side *side)
{
    wcodec_reader_info info;
    wcodec_tile_span span;
    size_t at = 0, begin = 0;
    wcodec_reader_get_info(side->reader, &info);
    side->offset = (size_t *)bench_touched((info.tiles + 2) * sizeof(size_t));
    if (side->offset == NULL) return 0;
    side->offset[0] = 0;
    while (at < side->setup->size) {
        if (wcodec_reader_tile(side->reader, at, &span) != WCODEC_OK) return 0;
        if (at > begin && at + span.size - begin > side->setup->block) {
            begin = at;
            side->offset[++side->pieces] = begin;
        }
        at += span.size;
        if (at - begin > side->setup->block) return 0;      /* one tile alone is larger than that */
    }
    side->offset[++side->pieces] = at;
    return 1;
}

static int prepare(wcodec_side *side)
{
    const bench_setup *setup = side->setup;
    side->options = reader_options(setup);
    side->room = setup->size + setup->size / 8 + (1 << 20);
    side->packed = (unsigned char *)bench_touched(side->room);
    side->pool = bench_pool_open(setup->threads > 1 ? setup->threads : 1);
    if (side->packed == NULL || side->pool == NULL || !wcodec_side_encode(side)) return 0;
    if (!open_reader(side, &side->reader)) return 0;
    side->scratch_size = wcodec_reader_scratch(side->reader) * bench_pool_parallel(side->pool)->workers;
    side->scratch = (unsigned char *)bench_touched(side->scratch_size);
    return side->scratch != NULL && find_pieces(side);
}

wcodec_side *wcodec_side_open(const bench_setup *setup)
{
    wcodec_side *side = (wcodec_side *)calloc(1, sizeof *side);
    if (side == NULL) return NULL;
    side->setup = setup;
    if (prepare(side)) return side;
    wcodec_side_close(side);
    return NULL;
}

size_t wcodec_side_packed(const wcodec_side *side)
{
    return side->packed_size;
}

size_t wcodec_side_pieces(const wcodec_side *side)
{
    return side->pieces;
}

size_t wcodec_side_offset(const wcodec_side *side, size_t i)
{
    return side->offset[i];
}

void wcodec_side_close(wcodec_side *side)
{
    if (side == NULL) return;
    wcodec_reader_close(side->reader);
    bench_pool_close(side->pool);
    free(side->packed);
    free(side->scratch);
    free(side->offset);
    free(side);
}
