/* ------------------------------------------------------------------------------------------------
 * The writer (public, layer 3)
 *
 * Bytes of segments are gathered into tiles, tiles into a batch; a full batch is encoded by the caller's
 * threads and written in order.  What a segment's entry in the index says before its tiles waits in `pending`
 * until its first tile is written, so the index grows in the order of the container.
 * The tiles of a matrix come in groups, each with scales of its columns if they pay.  A group is never cut by a
 * batch's end, and where it ends does not depend on the threads: so neither do the bytes.
 * A tile that was there before, and was worth some bytes then, becomes a copy of that one.  Whether a tile is so
 * must not depend on the batch that it is in.
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_WRITER_MEMORY ((uint64_t)1 << 30)
#define WCODECI_TILE_UNITS 65536u           /* of the profile FAST, */
#define WCODECI_DENSE_UNITS 262144u         /* and of the others, */
#define WCODECI_BYTES_UNITS 262144u         /* and of opaque bytes: a window that text needs */
#define WCODECI_BLOCKS_UNITS 4u             /* bytes of blocks for each unit of a tile */
#define WCODECI_MAX_TILE_UNITS ((uint32_t)(WCODEC_MAX_TILE_BYTES / 8))
#define WCODECI_BATCH 4                     /* tiles a worker in a batch, and at least two workers' worth */
#define WCODECI_LARGE_TILE 131072u          /* units: above, half as many */
#define WCODECI_BATCH_TILES 128             /* but so many where they are small */
#define WCODECI_GROUP ((uint64_t)1 << 22)   /* bytes of a group, about */
#define WCODECI_SERIAL_BATCH 262144u        /* bytes that are enough for one thread: they stay in the cache */
#define WCODECI_LEAST_SCALED 8192u          /* units: less is not looked at for scales */

typedef struct wcodeci_buffer {
    wcodeci_byte *p;
    uint64_t size, capacity;
} wcodeci_buffer;

/* A tile of the batch: its bytes, and where in the output its record goes. */
typedef struct wcodeci_batch_tile {
    const wcodeci_byte *src;                /* in the input, or in memory that was lent */
    size_t at, size, out, record;           /* at: where they begin among the batch's */
    unsigned dtype;
    uint64_t row;
    uint64_t base_offset;                   /* of its bytes in the base, */
    int has_base;                           /* if it has some there; */
    wcodec_status base_status;              /* what reading them came to */
    uint64_t pending_end;                   /* of `pending`: what comes before it, if it is a first tile */
    uint64_t pending_start;                 /* where its segment's entry begins */
    uint64_t per_tile;                      /* 0: not the first tile of its segment */
    size_t group, phase;                    /* the number of its group in the batch, plus 1; 0: it has none */
    int leads;                              /* it is the first of its group */
    int hashed;                             /* crc is there, */
    uint32_t crc;                           /* of its bytes */
    int added;                              /* it went to the table of tiles */
    uint64_t distance;                      /* of a copy: how far before it the equal tile begins; else 0 */
    size_t equal;                           /* that tile's number in the batch, plus 1; 0: it has been written */
} wcodeci_batch_tile;

/* A group of the batch: its columns' scales, and their record. */
typedef struct wcodeci_batch_group {
    const wcodeci_byte *src;
    size_t size, out, record;               /* as for a tile; record 0: it has no scales */
    size_t scales, columns, tiles;          /* where in the writer's `scales`; tiles a group in this segment */
    uint64_t all;                           /* tiles of the segment */
    unsigned dtype;
    int first;                              /* of its segment */
} wcodeci_batch_group;

struct wcodec_writer {
    wcodeci_heap heap;
    wcodec_sink sink;
    wcodec_parallel parallel;
    wcodec_tile_options tile;
    wcodec_error error;                     /* sticky */
    uint32_t tile_units, tile_wanted;       /* wanted: 0: what is best for each dtype */
    wcodeci_engine engine;
    unsigned features;
    wcodeci_base base;
    int no_sha256, in_original, from_parts, finished;
    uint64_t position;                      /* bytes written */
    uint32_t file_crc;

    wcodeci_byte *input, *output, *scratch; /* of a batch; a worker's scratch ends with bytes of the base */
    size_t input_size, output_size, scratch_size, worker_scratch, base_room;
    int lent;                               /* what is given stays where it is until the batch is written */
    wcodeci_batch_tile *batch;
    size_t batch_capacity, batch_count, input_used, output_used;
    wcodeci_byte *scales;                   /* of the batch's groups */
    wcodeci_batch_group *groups;            /* as many as tiles at most */
    size_t scales_size, scales_used, group_count;
    int grouped;                            /* the segment written last has groups */
    uint64_t row;                           /* of the open segment, for its tiles */
    size_t per_group, columns;              /* of the open segment; per_group 0: it has none */
    uint64_t segment_start;                 /* of its entry in `pending` */
    uint64_t group_total;

    wcodeci_cut cut;                        /* of the open segment */
    unsigned dtype;
    int has_base;
    uint64_t base_offset;                   /* of the open segment in the base */
    uint64_t next_tile, missing;            /* its next tile, its bytes still to come */
    size_t tile_size, tile_have;            /* the open tile */

    wcodeci_buffer index;                   /* entries of the originals that are complete */
    wcodeci_buffer current, pending;        /* of the open one's segments: with tiles written, and not yet */
    uint64_t segments_end;                  /* container position after the last tile of a segment */
    uint64_t originals, segments, dimensions, tiles;
    uint64_t original_segments, original_size;
    char *name, *last_name;                 /* of the open original, of its last segment */
    size_t name_size, last_name_size;
    uint64_t names;                         /* bytes of all names, with a zero byte each */
    wcodec_sha256 sha;
    uint64_t sha_done;                      /* bytes of the batch that it has seen */

    int no_copies;
    wcodeci_copies copies;                  /* tiles that others may be copies of */
    wcodec_reread reread;
    wcodec_source file;                     /* of wcodec_writer_file while that runs: */
    int file_open;
    uint64_t file_offset;                   /* its first byte in the view */
    uint64_t view;                          /* bytes of all tiles before the batch */
};

static uint32_t wcodeci_tile_units(uint32_t wanted, unsigned profile)
{
    if (wanted) return wanted;
    return profile == WCODEC_PROFILE_FAST ? WCODECI_TILE_UNITS : WCODECI_DENSE_UNITS;
}

WCODEC_API wcodec_writer_options wcodec_writer_defaults(void)
{
    wcodec_writer_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    return options;
}

static wcodec_status wcodeci_writer_fail(wcodec_writer *w, wcodec_status status, const char *what,
                                         wcodec_error *err)
{
    if (!w->error.status) wcodeci_fail(&w->error, status, w->position, what);
    return wcodeci_fail(err, w->error.status, w->error.offset, w->error.what);
}

/* Hands on the error that a step below has kept already. */
static wcodec_status wcodeci_writer_error(const wcodec_writer *w, wcodec_error *err)
{
    return wcodeci_fail(err, w->error.status, w->error.offset, w->error.what);
}

/* An argument that is wrong does no harm to the writer. */
static wcodec_status wcodeci_writer_check(const wcodec_writer *w, wcodec_error *err)
{
    if (!w) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    if (w->error.status) return wcodeci_writer_error(w, err);
    if (w->finished) return wcodeci_fail(err, WCODEC_E_ARGUMENT, w->position, "the container is finished");
    return WCODEC_OK;
}

/* Writes bytes of the container. */
static wcodec_status wcodeci_emit(wcodec_writer *w, const void *src, size_t size)
{
    wcodec_status status;
    if (size == 0) return WCODEC_OK;
    status = w->sink.write(w->sink.user, src, size);
    if (status) return wcodeci_writer_fail(w, status, "writing failed", NULL);
    w->file_crc = w->engine.crc(w->file_crc, src, size);
    w->position += size;
    return WCODEC_OK;
}

static wcodec_status wcodeci_emit_padding(wcodec_writer *w)
{
    static const wcodeci_byte zero[8] = { 0 };
    return wcodeci_emit(w, zero, (size_t)(wcodeci_up8(w->position) - w->position));
}

/* The table of tiles gives its memory to whatever cannot do without: fewer copies are found, that is all. */
static int wcodeci_writer_forget(wcodec_writer *w)
{
    if (!w->copies.entries) return 0;
    wcodeci_release(&w->heap, w->copies.entries, w->copies.capacity * sizeof *w->copies.entries);
    memset(&w->copies, 0, sizeof w->copies);
    w->copies.full = 1;
    return 1;
}

static wcodec_status wcodeci_put(wcodec_writer *w, wcodeci_buffer *b, const void *src, size_t size)
{
    void *p = b->p;
    wcodec_status status;
    if (size == 0) return WCODEC_OK;
    status = wcodeci_grow(&w->heap, &p, &b->capacity, b->size + size, 1);
    if (status == WCODEC_E_LIMIT && wcodeci_writer_forget(w))
        status = wcodeci_grow(&w->heap, &p, &b->capacity, b->size + size, 1);
    b->p = (wcodeci_byte *)p;
    if (status) return wcodeci_writer_fail(w, status, wcodeci_memory_text(status), NULL);
    memcpy(b->p + b->size, src, size);
    b->size += size;
    return WCODEC_OK;
}

static wcodec_status wcodeci_put_number(wcodec_writer *w, wcodeci_buffer *b, uint64_t v)
{
    wcodeci_byte bytes[10];
    return wcodeci_put(w, b, bytes, wcodeci_put_varint(bytes, v));
}

/* A segment's name: what it shares with the one before in its original, and the rest. */
static wcodec_status wcodeci_put_segment_name(wcodec_writer *w, const char *name, size_t size)
{
    wcodec_status status;
    size_t shared = 0;
    while (shared < size && shared < w->last_name_size && shared < WCODECI_MAX_SHARED
           && name[shared] == w->last_name[shared])
        shared++;
    status = wcodeci_put_number(w, &w->pending, shared);
    if (!status) status = wcodeci_put_number(w, &w->pending, size - shared);
    if (!status) status = wcodeci_put(w, &w->pending, size ? name + shared : NULL, size - shared);
    wcodeci_copy(w->last_name, name, size);
    w->last_name_size = size;
    w->names += size + 1;
    return status;
}

/* The record that names the base. */
static wcodec_status wcodeci_writer_base(wcodec_writer *w)
{
    const wcodec_base *b = &w->base.facts;
    wcodeci_byte head[32], tail[10 + WCODECI_BASE_SHA256];
    const size_t used = wcodeci_put_varint(tail, b->size);
    size_t at = 0;
    wcodec_status status;
    memcpy(tail + used, b->sha256, WCODECI_BASE_SHA256);
    head[at++] = WCODECI_RECORD_BASE;
    at += wcodeci_put_varint(head + at, wcodeci_varint_size(b->name_size) + b->name_size + used
                                        + WCODECI_BASE_SHA256);
    at += wcodeci_put_varint(head + at, b->name_size);
    status = wcodeci_emit(w, head, at);
    if (!status) status = wcodeci_emit(w, b->name, b->name_size);
    if (!status) status = wcodeci_emit(w, tail, used + WCODECI_BASE_SHA256);
    return status ? status : wcodeci_emit_padding(w);
}

static wcodec_status wcodeci_writer_header(wcodec_writer *w, const char *metadata, size_t metadata_size)
{
    static const char line[] = "{\"creator\":\"wcodec " WCODEC_VERSION "\"}";
    static const wcodeci_byte zero[8] = { 0 };
    wcodeci_byte head[WCODECI_HEADER_SIZE] = { 0 };
    size_t padding;
    uint32_t crc;
    wcodec_status status;
    if (!metadata) {
        metadata = line;
        metadata_size = sizeof line - 1;
    }
    padding = (size_t)wcodeci_up8(metadata_size) - metadata_size;
    memcpy(head, wcodeci_magic_front, 4);
    wcodeci_store16(head + 4, WCODEC_FORMAT_VERSION);
    wcodeci_store32(head + 8, (uint32_t)(WCODECI_HEADER_SIZE + metadata_size + padding));
    wcodeci_store32(head + 12, (uint32_t)metadata_size);
    wcodeci_store32(head + 16, w->features);
    wcodeci_store32(head + 20, 8 * w->tile_units);
    crc = wcodec_crc32(wcodec_crc32(0, head, 28), metadata, metadata_size);
    wcodeci_store32(head + 28, wcodec_crc32(crc, zero, padding));
    status = wcodeci_emit(w, head, sizeof head);
    if (!status) status = wcodeci_emit(w, metadata, metadata_size);
    if (!status) status = wcodeci_emit(w, zero, padding);
    w->segments_end = w->position;
    return status || !w->base.there ? status : wcodeci_writer_base(w);
}

/* The memory of a batch: input, the tiles' records, each worker's scratch.  Sizes are 64 bits until the gate
 * has let them pass. */
static wcodec_status wcodeci_writer_allocate(wcodec_writer *w)
{
    const uint64_t tile = 8 * (uint64_t)w->tile_units, workers = w->parallel.workers;
    const uint64_t each = w->tile_units > WCODECI_LARGE_TILE ? WCODECI_BATCH / 2 : WCODECI_BATCH;
    const uint64_t least = each * (workers < 2 ? 2 : workers);
    const uint64_t tiles = least < WCODECI_BATCH_TILES ? WCODECI_BATCH_TILES : least;
    const uint64_t input = tile * least < WCODECI_GROUP + tile ? WCODECI_GROUP + tile : tile * least;
    const uint64_t scales = input / 4;      /* a group has at least four rows */
    const uint64_t output = input + scales + 2 * tiles * wcodec_tile_bound(0);
    const uint64_t base = wcodeci_base_room(&w->base, tile);
    const uint64_t scratch = (wcodeci_encode_scratch(w->tile.profile, (size_t)tile) + base) * workers;
    wcodec_status status;
    void *p[7] = { NULL, NULL, NULL, NULL, NULL, NULL, NULL };
    status = wcodeci_alloc(&w->heap, input, &p[0]);
    if (!status) status = wcodeci_alloc(&w->heap, output, &p[1]);
    if (!status) status = wcodeci_alloc(&w->heap, scratch, &p[2]);
    if (!status) status = wcodeci_alloc(&w->heap, tiles * sizeof *w->batch, &p[3]);
    if (!status) status = wcodeci_alloc(&w->heap, 2 * WCODECI_MAX_NAME, &p[4]);
    if (!status) status = wcodeci_alloc(&w->heap, scales, &p[5]);
    if (!status) status = wcodeci_alloc(&w->heap, tiles * sizeof *w->groups, &p[6]);
    w->scales = (wcodeci_byte *)p[5];
    w->groups = (wcodeci_batch_group *)p[6];
    w->scales_size = (size_t)scales;
    w->input = (wcodeci_byte *)p[0];
    w->output = (wcodeci_byte *)p[1];
    w->scratch = (wcodeci_byte *)p[2];
    w->batch = (wcodeci_batch_tile *)p[3];
    w->name = (char *)p[4];
    w->last_name = p[4] ? w->name + WCODECI_MAX_NAME : NULL;
    w->input_size = (size_t)input;          /* what did not fit was not given: its pointer is NULL */
    w->output_size = (size_t)output;
    w->scratch_size = (size_t)scratch;
    w->base_room = (size_t)base;
    w->worker_scratch = wcodeci_encode_scratch(w->tile.profile, (size_t)tile) + w->base_room;
    w->batch_capacity = (size_t)tiles;
    return status;
}

/* Takes over what the caller says of its base. */
static int wcodeci_base_facts_ok(wcodeci_base *base, const wcodec_base *facts)
{
    if (!base->there) return 1;
    if (!facts || facts->size != base->source.size || facts->name_size > WCODECI_MAX_NAME
        || (!facts->name && facts->name_size))
        return 0;
    base->facts = *facts;
    return 1;
}

WCODEC_API wcodec_status wcodec_writer_open(wcodec_writer **out, const wcodec_sink *sink,
                                            const wcodec_writer_options *options, wcodec_error *err)
{
    wcodec_writer_options opts = wcodec_writer_defaults();
    wcodeci_heap heap;
    wcodeci_base base;
    wcodec_writer *w;
    wcodec_status status;
    void *block;
    if (!out) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    *out = NULL;
    memset(&base, 0, sizeof base);
    if (!sink || !sink->write || !wcodeci_options_copy(&opts, options, sizeof opts, sizeof opts)
        || opts.tile_units > WCODECI_MAX_TILE_UNITS || opts.metadata_size > WCODECI_MAX_METADATA
        || (!opts.metadata && opts.metadata_size) || !wcodeci_base_take(&base, opts.base)
        || !wcodeci_base_facts_ok(&base, opts.base_facts)
        || opts.tile.profile > (WCODECI_MIX ? WCODEC_PROFILE_BEST : WCODEC_PROFILE_DENSE))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "wrong sink or options");
    wcodeci_heap_init(&heap, opts.allocator, opts.max_memory, WCODECI_WRITER_MEMORY);
    status = wcodeci_alloc(&heap, sizeof *w, &block);
    if (status) return wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    w = (wcodec_writer *)block;
    memset(w, 0, sizeof *w);
    w->heap = heap;
    w->sink = *sink;
    w->parallel = wcodeci_parallel_or_serial(opts.parallel);
    w->tile = opts.tile;
    w->tile.cpu_off |= opts.cpu_off;
    w->engine = wcodeci_engine_make(w->tile.cpu_off);
    w->tile_wanted = opts.tile_units;
    w->tile_units = wcodeci_tile_units(opts.tile_units, opts.tile.profile);
    w->no_sha256 = opts.no_sha256;
    w->base = base;
    w->no_copies = opts.no_copies;
    w->reread = opts.reread;
    w->features = (opts.tile.profile == WCODEC_PROFILE_BEST ? WCODEC_FEATURE_MIX : 0u)
                | (base.there ? WCODEC_FEATURE_BASE : 0u) | (opts.features & WCODEC_FEATURE_BLOCKS);
    status = wcodeci_writer_allocate(w);
    if (status) wcodeci_writer_fail(w, status, wcodeci_memory_text(status), err);
    else status = wcodeci_writer_header(w, opts.metadata, opts.metadata_size);
    w->base.facts.name = NULL;      /* the caller's */
    if (status) {
        (void)wcodeci_writer_error(w, err);
        wcodec_writer_close(w);
        return status;
    }
    *out = w;
    return WCODEC_OK;
}

WCODEC_API void wcodec_writer_close(wcodec_writer *writer)
{
    wcodec_writer *w = writer;
    wcodeci_heap heap;
    if (!w) return;
    wcodeci_release(&w->heap, w->input, w->input_size);
    wcodeci_release(&w->heap, w->output, w->output_size);
    wcodeci_release(&w->heap, w->scratch, w->scratch_size);
    wcodeci_release(&w->heap, w->batch, w->batch_capacity * sizeof *w->batch);
    wcodeci_release(&w->heap, w->groups, w->batch_capacity * sizeof *w->groups);
    wcodeci_release(&w->heap, w->scales, w->scales_size);
    wcodeci_release(&w->heap, w->copies.entries, w->copies.capacity * sizeof *w->copies.entries);
    wcodeci_release(&w->heap, w->name, 2 * WCODECI_MAX_NAME);
    wcodeci_release(&w->heap, w->index.p, w->index.capacity);
    wcodeci_release(&w->heap, w->current.p, w->current.capacity);
    wcodeci_release(&w->heap, w->pending.p, w->pending.capacity);
    heap = w->heap;
    wcodeci_release(&heap, w, sizeof *w);
}

WCODEC_API uint64_t wcodec_writer_size(const wcodec_writer *writer) { return writer->position; }

/* ---- tiles that were there before ---- */

/* Can bytes of the view be read again, from `offset` on? */
static int wcodeci_writer_rereads(const wcodec_writer *w, uint64_t offset)
{
    return (w->file_open && offset >= w->file_offset) || w->reread.fn;
}

static wcodec_status wcodeci_writer_reread(wcodec_writer *w, uint64_t offset, void *dst, size_t size)
{
    wcodec_error err;
    wcodec_status status;
    if (w->file_open && offset >= w->file_offset) {
        memset(&err, 0, sizeof err);
        status = wcodeci_read_at(&w->file, offset - w->file_offset, dst, size, &err);
        /* The file has changed meanwhile, or the plan goes beyond it. */
        return status ? wcodeci_writer_fail(w, status, err.what, NULL) : WCODEC_OK;
    }
    status = w->reread.fn(w->reread.user, offset, dst, size);
    return status ? wcodeci_writer_fail(w, status, "reading again failed", NULL) : WCODEC_OK;
}

static void wcodeci_hash_task(void *arg, size_t i, unsigned worker)
{
    wcodec_writer *w = (wcodec_writer *)arg;
    wcodeci_batch_tile *t = &w->batch[i];
    (void)worker;
    t->crc = w->engine.crc(0, t->src, t->size);
    t->hashed = 1;
}

/* Are a tile's bytes those of the view from `offset` on, all of them before the batch? */
static wcodec_status wcodeci_tile_equal(wcodec_writer *w, const wcodeci_batch_tile *t, uint64_t offset, int *equal)
{
    size_t done;
    *equal = 0;
    for (done = 0; done < t->size;) {
        const size_t take = wcodeci_min(t->size - done, w->worker_scratch);
        const wcodec_status status = wcodeci_writer_reread(w, offset + done, w->scratch, take);
        if (status) return status;
        if (memcmp(w->scratch, t->src + done, take) != 0) return WCODEC_OK;
        done += take;
    }
    *equal = 1;
    return WCODEC_OK;
}

/* Looks whether tile number i of the batch was there before. */
static wcodec_status wcodeci_batch_look(wcodec_writer *w, size_t i)
{
    wcodeci_batch_tile *t = &w->batch[i];
    wcodeci_copy_entry *e;
    wcodec_status status = wcodeci_copies_room(&w->copies, &w->heap);
    size_t other = 0;
    int equal;
    if (status) return wcodeci_writer_fail(w, status, wcodeci_memory_text(status), NULL);
    if (w->copies.capacity == 0) return WCODEC_OK;
    e = wcodeci_copies_find(&w->copies, t->crc, (uint32_t)t->size);
    if (e->size == 0 || !wcodeci_writer_rereads(w, e->offset)) {
        if (e->size == 0 && w->copies.full) return WCODEC_OK;
        w->copies.count += e->size == 0;
        e->offset = w->view + t->at;
        e->crc = t->crc;
        e->size = (uint32_t)t->size << 1;
        t->added = 1;
        return WCODEC_OK;
    }
    if (e->size & 1) return WCODEC_OK;
    if (e->offset >= w->view) {             /* in this batch */
        while (w->batch[other].at != e->offset - w->view) other++;
        equal = memcmp(w->batch[other++].src, t->src, t->size) == 0;
    } else {
        status = wcodeci_tile_equal(w, t, e->offset, &equal);
    }
    if (status || !equal) return status;
    t->distance = w->view + t->at - e->offset;
    t->equal = other;
    return WCODEC_OK;
}

/* Finds the batch's copies. */
static wcodec_status wcodeci_batch_copies(wcodec_writer *w)
{
    wcodec_status status = WCODEC_OK;
    size_t i;
    if (w->no_copies || !wcodeci_writer_rereads(w, w->view)) return WCODEC_OK;
    wcodeci_run(&w->parallel, w->batch_count, wcodeci_hash_task, w);
    for (i = 0; i < w->batch_count && !status; i++) {
        if (!w->batch[i].hashed)
            return wcodeci_writer_fail(w, WCODEC_E_ARGUMENT, "a tile was left out by the caller's threads", NULL);
        if (w->batch[i].size >= WCODECI_COPY_LEAST) status = wcodeci_batch_look(w, i);
    }
    return status;
}

/* Codes a tile of the batch, unless it is a copy. */
static void wcodeci_encode_one(wcodec_writer *w, wcodeci_batch_tile *t, unsigned worker)
{
    const wcodeci_batch_group *g = t->group ? &w->groups[t->group - 1] : NULL;
    wcodeci_byte *scratch = w->scratch + worker * w->worker_scratch;
    const size_t scratch_size = w->worker_scratch - w->base_room;
    wcodec_tile_inputs inputs;
    if (t->distance) return;
    memset(&inputs, 0, sizeof inputs);
    if (g && g->record) {
        inputs.scales = w->scales + g->scales;
        inputs.columns = g->columns;
        inputs.phase = t->phase;
    }
    if (t->has_base) {
        inputs.base_offset = t->base_offset;
        t->base_status = wcodeci_base_bytes(&w->base, t->base_offset, t->size, scratch + scratch_size, &inputs.base);
        if (t->base_status) return;
    }
    t->record = wcodeci_tile_encode(t->dtype, t->row, t->src, t->size, t->hashed ? &t->crc : NULL, &inputs, &w->tile,
                                    w->output + t->out, wcodec_tile_bound(t->size), scratch, scratch_size);
}

/* The SHA-256 goes on over the batch. */
static void wcodeci_batch_sha(wcodec_writer *w)
{
    size_t i;
    for (i = 0; i < w->batch_count; i++) {
        if (!w->no_sha256) wcodec_sha256_update(&w->sha, w->batch[i].src, w->batch[i].size);
        w->sha_done += w->batch[i].size;
    }
}

/* Task 0 is the SHA-256 of the batch, the others are its tiles.  The digest can not be shared out, so it begins
 * first. */
static void wcodeci_encode_task(void *arg, size_t i, unsigned worker)
{
    wcodec_writer *w = (wcodec_writer *)arg;
    if (i) {
        wcodeci_encode_one(w, &w->batch[i - 1], worker);
    } else {
        wcodeci_batch_sha(w);
    }
}

/* Tiles that took few bytes are not worth copies: those that were found in this batch are coded after all. */
static void wcodeci_batch_small(wcodec_writer *w)
{
    size_t i;
    for (i = 0; i < w->batch_count; i++) {
        wcodeci_batch_tile *t = &w->batch[i];
        if (t->added && t->record && t->record < WCODECI_COPY_LEAST)
            wcodeci_copies_find(&w->copies, t->crc, (uint32_t)t->size)->size |= 1;
        if (!t->equal || w->batch[t->equal - 1].record >= WCODECI_COPY_LEAST) continue;
        t->distance = 0;
        wcodeci_encode_one(w, t, 0);
    }
    for (i = 0; i < w->batch_count; i++) {
        wcodeci_batch_tile *t = &w->batch[i];
        if (t->distance)
            t->record = wcodeci_copy_encode(t->distance, (uint32_t)t->size, t->crc, w->output + t->out);
    }
}

/* How many units lie before the first whole row of a group that begins with unit number `begin`. */
static size_t wcodeci_first_row(uint64_t begin, size_t columns)
{
    const size_t phase = (size_t)(begin % columns);
    return phase ? columns - phase : 0;
}

/* Codes a group's scales: the size of their record, which goes to a destination of wcodec_tile_bound(columns). */
static size_t wcodeci_scales_encode(const wcodeci_byte *scales, size_t columns, unsigned cpu_off,
                                    wcodeci_byte *record, void *scratch, size_t scratch_size)
{
    wcodec_tile_options options;
    size_t size;
    memset(&options, 0, sizeof options);
    options.cpu_off = cpu_off;
    options.splits = 1u << WCODEC_SPLIT_BYTE;
    options.coders = WCODECI_SIDE_CODERS;       /* a random tile's decoder waits for it */
    size = wcodec_tile_encode(WCODEC_BYTES, 0, scales, columns, NULL, &options, record,
                              wcodec_tile_bound(columns), scratch, scratch_size);
    record[0] = WCODECI_RECORD_SCALES;
    return size;
}

/* Are all tiles of a group copies of tiles that are written already?  (Of others it is not sure yet.) */
static int wcodeci_group_copied(const wcodec_writer *w, size_t group)
{
    size_t i;
    for (i = 0; i < w->batch_count; i++)
        if (w->batch[i].group == group + 1 && (!w->batch[i].distance || w->batch[i].equal)) return 0;
    return 1;
}

/* Fits and codes a group's scales. */
static void wcodeci_group_task(void *arg, size_t i, unsigned worker)
{
    wcodec_writer *w = (wcodec_writer *)arg;
    wcodeci_batch_group *g = &w->groups[i];
    wcodeci_byte *scratch = w->scratch + worker * w->worker_scratch;
    g->record = 0;
    if (!g->first && wcodeci_group_copied(w, i)) return;
    if (!wcodec_scales_fit(g->dtype, g->src, g->size, g->columns, w->tile.cpu_off,
                           w->scales + g->scales, scratch, w->worker_scratch))
        return;
    g->record = wcodeci_scales_encode(w->scales + g->scales, g->columns, w->tile.cpu_off, w->output + g->out,
                                      scratch, w->worker_scratch);
}

/* The scales of all groups of the batch.  Where a segment's first group has none, the others have none. */
static void wcodeci_batch_scales(wcodec_writer *w)
{
    size_t i;
    int on = w->grouped;
    wcodeci_run(&w->parallel, w->group_count, wcodeci_group_task, w);
    for (i = 0; i < w->group_count; i++) {
        if (w->groups[i].first) on = w->groups[i].record != 0;
        if (!on) w->groups[i].record = 0;
    }
}

/* Forgets scales that no tile came to use: of a group behind its segment's first, or of one that is its segment's
 * only one. */
static void wcodeci_batch_unused(wcodec_writer *w)
{
    size_t i, used = 0, k;
    for (i = 0; i < w->batch_count; i = k) {
        wcodeci_batch_group *g = w->batch[i].group ? &w->groups[w->batch[i].group - 1] : NULL;
        for (k = i, used = 0; k < w->batch_count && w->batch[k].group == w->batch[i].group; k++) {
            wcodec_tile_info info;
            if (w->batch[k].distance) continue;
            if (!w->batch[k].record
                || wcodec_tile_inspect(w->output + w->batch[k].out, w->batch[k].record, &info, NULL) || info.scaled)
                used++;
        }
        if (g && !used && (!g->first || g->tiles == g->all)) g->record = 0;
    }
}

/* What comes before a segment's tiles in the index. */
static wcodec_status wcodeci_write_entry(wcodec_writer *w, const wcodeci_batch_tile *t, uint64_t *pending)
{
    const wcodeci_batch_group *g = t->group ? &w->groups[t->group - 1] : NULL;
    wcodec_status status;
    w->grouped = g && g->record;
    /* A first tile's entry is never empty, so `pending` is there; the flags are its first byte. */
    if (w->grouped) w->pending.p[t->pending_start] |= WCODECI_SEGMENT_GROUPS;
    status = wcodeci_put(w, &w->current, w->pending.p + *pending, (size_t)(t->pending_end - *pending));
    if (!status) status = wcodeci_put_number(w, &w->current, (w->position - w->segments_end) / 8);
    if (!status) status = wcodeci_put_number(w, &w->current, t->per_tile);
    *pending = t->pending_end;
    if (status || !w->grouped) return status;
    status = wcodeci_put_number(w, &w->current, g->tiles);
    return status ? status : wcodeci_put_number(w, &w->current, g->columns);
}

/* A tile's record goes out, and its entry into the index; before a group's first one the group's scales. */
static wcodec_status wcodeci_write_tile(wcodec_writer *w, const wcodeci_batch_tile *t, uint64_t *pending)
{
    wcodec_status status = t->per_tile ? wcodeci_write_entry(w, t, pending) : WCODEC_OK;
    if (!status && t->leads && w->grouped) {
        const wcodeci_batch_group *g = &w->groups[t->group - 1];
        status = wcodeci_put_number(w, &w->current, g->record / 8);
        if (!status) status = wcodeci_emit(w, w->output + g->out, g->record);
        w->group_total++;
    }
    if (!status) status = wcodeci_put_number(w, &w->current, t->record / 8);
    if (!status) status = wcodeci_emit(w, w->output + t->out, t->record);
    w->segments_end = w->position;
    w->tiles++;
    return status;
}

/* Encodes the batch and writes it. */
static wcodec_status wcodeci_writer_flush(wcodec_writer *w)
{
    uint64_t pending = 0;
    wcodec_status status = WCODEC_OK;
    size_t i;
    if (w->batch_count == 0) return WCODEC_OK;
    w->sha_done = 0;
    status = wcodeci_batch_copies(w);
    if (status) return status;
    wcodeci_batch_scales(w);
    wcodeci_run(&w->parallel, w->batch_count + 1, wcodeci_encode_task, w);
    wcodeci_batch_small(w);
    wcodeci_batch_unused(w);
    for (i = 0; i < w->batch_count && !status; i++) {
        if (w->batch[i].base_status)
            status = wcodeci_writer_fail(w, w->batch[i].base_status, "reading the base failed", NULL);
        else if (!w->batch[i].record || w->sha_done != w->input_used)
            status = wcodeci_writer_fail(w, WCODEC_E_ARGUMENT, "a tile was left out by the caller's threads",
                                         NULL);
        else
            status = wcodeci_write_tile(w, &w->batch[i], &pending);
    }
    if (status) return status;
    if (pending) {
        memmove(w->pending.p, w->pending.p + pending, (size_t)(w->pending.size - pending));
        w->pending.size -= pending;
        w->segment_start = w->segment_start < pending ? 0 : w->segment_start - pending;
    }
    w->batch_count = w->group_count = w->scales_used = 0;
    w->view += w->input_used;
    w->input_used = 0;
    w->output_used = 0;
    return WCODEC_OK;
}

static unsigned wcodeci_original_flags(const wcodec_writer *w, int from_parts)
{
    return (from_parts ? WCODECI_ORIGINAL_PARTS : 0u) | (w->no_sha256 ? 0u : WCODECI_ORIGINAL_SHA256);
}

/* The open original's entry in the index; what is open ends here. */
static wcodec_status wcodeci_writer_end_original(wcodec_writer *w)
{
    wcodec_status status;
    unsigned char digest[32];
    if (!w->in_original) return WCODEC_OK;
    status = wcodeci_writer_flush(w);
    if (!status) status = wcodeci_put(w, &w->current, w->pending.p, (size_t)w->pending.size);
    if (!status) status = wcodeci_put_number(w, &w->index, wcodeci_original_flags(w, w->from_parts));
    if (!status) status = wcodeci_put_number(w, &w->index, w->name_size);
    if (!status) status = wcodeci_put(w, &w->index, w->name, w->name_size);
    if (!status && !w->no_sha256) {
        wcodec_sha256_final(&w->sha, digest);
        status = wcodeci_put(w, &w->index, digest, sizeof digest);
    }
    if (!status) status = wcodeci_put_number(w, &w->index, w->original_size);
    if (!status) status = wcodeci_put_number(w, &w->index, w->original_segments);
    if (!status) status = wcodeci_put(w, &w->index, w->current.p, (size_t)w->current.size);
    w->pending.size = w->current.size = 0;
    w->in_original = 0;
    return status;
}

WCODEC_API wcodec_status wcodec_writer_original(wcodec_writer *writer, const char *name, size_t name_size,
                                                int from_parts, wcodec_error *err)
{
    wcodec_writer *w = writer;
    wcodeci_byte head[32];
    size_t used = 0, body;
    wcodec_status status = wcodeci_writer_check(w, err);
    if (status) return status;
    if (w->missing)
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, w->position, "the last segment is not complete");
    if (name_size > WCODECI_MAX_NAME || (!name && name_size))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, w->position, "the name of the original is too long");
    status = wcodeci_writer_end_original(w);
    body = 1 + wcodeci_varint_size(name_size) + name_size;
    head[used++] = WCODECI_RECORD_ORIGINAL;
    used += wcodeci_put_varint(head + used, body);
    head[used++] = (wcodeci_byte)wcodeci_original_flags(w, from_parts);
    used += wcodeci_put_varint(head + used, name_size);
    if (!status) status = wcodeci_emit(w, head, used);
    if (!status) status = wcodeci_emit(w, name, name_size);
    if (!status) status = wcodeci_emit_padding(w);
    if (status) return wcodeci_writer_error(w, err);
    wcodeci_copy(w->name, name, name_size);
    w->name_size = name_size;
    w->from_parts = from_parts != 0;
    w->in_original = 1;
    w->originals++;
    w->original_segments = w->original_size = 0;
    w->names += name_size + 1;
    w->last_name_size = 0;
    wcodec_sha256_init(&w->sha);
    return WCODEC_OK;
}

/* Size, unit and row of a segment to be written; `given`: the index must say them. */
static int wcodeci_writer_geometry(const wcodec_segment *s, wcodeci_cut *cut, int *given)
{
    uint64_t size = 0;
    *given = s->dtype == WCODEC_BYTES || s->dtype >= WCODECI_DTYPES;
    if (s->dtype == WCODEC_BYTES) {
        cut->unit = 1;
        cut->units = s->size;
        cut->row = 1;
    } else if (!wcodeci_tensor_geometry(s->dtype, s->shape, s->rank, &size, cut) || size != s->size) {
        return 0;
    }
    if (s->row && s->row != cut->row) {
        *given = 1;
        cut->row = s->row;
    }
    return 1;
}

/* Tiles of whole rows near the wanted size; a longer row is cut evenly, at whole blocks if these are not larger. */
static uint64_t wcodeci_units_per_tile(const wcodeci_cut *cut, uint64_t block, uint64_t wanted)
{
    uint64_t pieces, units;
    if (cut->row <= wanted) {
        uint64_t rows = (cut->units - 1) / cut->row + 1;
        return wcodeci_min64(wanted / cut->row, rows) * cut->row;
    }
    wanted = wanted < block ? wanted : wanted - wanted % block;
    pieces = (cut->row - 1) / wanted + 1;
    units = (cut->row - 1) / pieces + 1;
    return wanted < block || units % block == 0 ? units : units + block - units % block;
}

/* The columns that scales are taken of; 0: none.  Of a kernel of a convolution they are all that belongs to one
 * output, so that there is more than a handful. */
static uint64_t wcodeci_columns(const wcodec_segment *s, unsigned profile, const wcodeci_cut *cut,
                                uint32_t tile_units)
{
    uint64_t columns = cut->row;
    unsigned i = s->rank;
    if (profile == WCODEC_PROFILE_BEST || wcodeci_scales_split(s->dtype) == WCODEC_SPLIT_COUNT
        || cut->units < WCODECI_LEAST_SCALED) return 0;
    for (; columns < 32 && i >= 3; i--)
        if (!wcodeci_mul(columns, s->shape[i - 2], &columns)) return 0;
    /* Four rows in each group, and memory for a record of scales. */
    if (columns < WCODECI_MIN_COLUMNS || columns > cut->units / 4 || columns > tile_units) return 0;
    return columns;
}

/* The row that tiles are coded with: where the last dimension is 1, BEST takes the one before. */
static uint64_t wcodeci_coded_row(unsigned profile, const wcodec_segment *s, uint64_t row)
{
    unsigned i = s->rank;
    if (profile != WCODEC_PROFILE_BEST || s->row) return row;
    while (i > 1 && s->shape[i - 1] == 1) i--;
    return i < s->rank && i ? s->shape[i - 1] : row;
}

/* How a segment will be written. */
typedef struct wcodeci_layout {
    wcodeci_cut cut;
    unsigned block;                     /* units that are not to be torn apart: bytes of a block, or 1 */
    int given;                          /* the index must say its size, unit and row */
    uint64_t row;                       /* that its tiles are coded with */
    size_t per_group, columns;          /* tiles a group, 0: none; columns that scales are taken of */
} wcodeci_layout;

static void wcodeci_layout_groups(wcodeci_layout *l, uint64_t columns)
{
    uint64_t tiles = WCODECI_GROUP / (l->cut.per_tile * l->cut.unit);
    if (columns == 0) return;
    if (tiles > WCODECI_BATCH_TILES) tiles = WCODECI_BATCH_TILES;
    if (tiles > l->cut.tiles) tiles = l->cut.tiles;
    if (tiles * l->cut.per_tile < 4 * columns && tiles < l->cut.tiles) return;
    l->per_group = (size_t)tiles;
    l->columns = (size_t)columns;
}

/* Tiles and groups of a segment, in tiles of about so many units as are `wanted` (0: the profile's own number);
 * 0 if the segment contradicts itself. */
static int wcodeci_layout_make(const wcodec_segment *s, unsigned profile, uint32_t wanted, wcodeci_layout *l)
{
    const wcodeci_block_row *block = wcodeci_block_of(s->dtype);
    uint32_t tile_units = !wanted && s->dtype == WCODEC_BYTES ? WCODECI_BYTES_UNITS
                                                              : wcodeci_tile_units(wanted, profile);
    memset(l, 0, sizeof *l);
    l->block = block ? block->bytes : 1;
    if (block) tile_units *= WCODECI_BLOCKS_UNITS;
    else if (!wanted && tile_units == WCODECI_TILE_UNITS && s->dtype < WCODECI_DTYPES
             && wcodeci_dtypes[s->dtype].unit == 1)
        tile_units *= 2;        /* tables and states cost a tile the same, whatever its units */
    if ((s->dtype >= WCODECI_DTYPES && !block) || s->row % l->block || s->rank > WCODECI_MAX_RANK || (s->rank && !s->shape)
        || !wcodeci_writer_geometry(s, &l->cut, &l->given))
        return 0;
    if (l->cut.row > tile_units && l->cut.units % l->cut.row) {
        l->cut.row = l->block;  /* rows that neither fit a tile nor fill the segment are no rows */
        l->given = 1;
    }
    l->row = wcodeci_coded_row(profile, s, l->cut.row);
    if (s->size == 0) return 1;
    l->cut.per_tile = wcodeci_units_per_tile(&l->cut, l->block, tile_units);
    (void)wcodeci_cut_tiles(&l->cut);
    /* Where the base is of use a tile takes no scales. */
    if (!s->has_base) wcodeci_layout_groups(l, wcodeci_columns(s, profile, &l->cut, tile_units));
    return 1;
}

/* What the segment's entry in the index says before its tiles. */
static wcodec_status wcodeci_put_segment(wcodec_writer *w, const wcodec_segment *s, const wcodeci_cut *cut,
                                         int given)
{
    const wcodeci_byte dtype = (wcodeci_byte)s->dtype;
    unsigned i;
    wcodec_status status = wcodeci_put_number(w, &w->pending, given ? WCODECI_SEGMENT_GEOMETRY : 0);
    if (!status) status = wcodeci_put(w, &w->pending, &dtype, 1);
    if (!status) status = wcodeci_put_segment_name(w, s->name, s->name_size);
    if (!status) status = wcodeci_put_number(w, &w->pending, s->rank);
    for (i = 0; i < s->rank && !status; i++) status = wcodeci_put_number(w, &w->pending, s->shape[i]);
    if (status || !given) return status;
    status = wcodeci_put_number(w, &w->pending, s->size);
    if (!status) status = wcodeci_put_number(w, &w->pending, cut->unit);
    return status ? status : wcodeci_put_number(w, &w->pending, cut->row);
}

WCODEC_API wcodec_status wcodec_writer_segment(wcodec_writer *writer, const wcodec_segment *segment,
                                               wcodec_error *err)
{
    wcodec_writer *w = writer;
    wcodeci_layout layout;
    wcodec_status status = wcodeci_writer_check(w, err);
    if (status) return status;
    if (!segment || !w->in_original || w->missing)
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, w->position, "a segment can not begin here");
    if ((segment->name_size && !segment->name) || segment->name_size > WCODECI_MAX_NAME
        || segment->size > UINT64_MAX - w->original_size || w->segments == UINT32_MAX
        || !wcodeci_layout_make(segment, w->tile.profile, w->tile_wanted, &layout))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, w->position, "dtype, shape and size of a segment disagree");
    if (segment->has_base && (!w->base.there || segment->base_offset > w->base.source.size
                              || segment->size > w->base.source.size - segment->base_offset))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, w->position, "a segment does not lie in the base");
    w->segment_start = w->pending.size;
    status = wcodeci_put_segment(w, segment, &layout.cut, layout.given);
    if (status) return wcodeci_writer_error(w, err);
    w->cut = layout.cut;
    w->row = layout.row;
    w->per_group = layout.per_group;
    w->columns = layout.columns;
    w->dtype = layout.block > 1 && !(w->features & WCODEC_FEATURE_BLOCKS) ? (unsigned)WCODEC_BYTES : segment->dtype;
    w->has_base = segment->has_base;
    w->base_offset = segment->base_offset;
    w->next_tile = 0;
    w->missing = segment->size;
    w->tile_size = w->tile_have = 0;
    w->segments++;
    w->original_segments++;
    w->dimensions += segment->rank;
    w->original_size += segment->size;
    return WCODEC_OK;
}

/* The units of the open segment's next tiles, `count` of them or as many as there are. */
static void wcodeci_writer_next(const wcodec_writer *w, size_t *count, uint64_t *begin, uint64_t *end)
{
    uint64_t other;
    *count = (size_t)wcodeci_min64(*count, w->cut.tiles - w->next_tile);
    wcodeci_cut_tile(&w->cut, w->next_tile, begin, &other);
    wcodeci_cut_tile(&w->cut, w->next_tile + *count - 1, &other, end);
}

/* The group that begins with the batch's next tile, at `src`, and is as long as units begin ... end - 1. */
static void wcodeci_writer_begin_group(wcodec_writer *w, const wcodeci_byte *src, uint64_t begin, uint64_t end)
{
    const size_t skip = wcodeci_first_row(begin, w->columns) * w->cut.unit;
    wcodeci_batch_group *g = &w->groups[w->group_count++];
    g->src = src + skip;
    g->size = (size_t)((end - begin) * w->cut.unit) - skip;
    g->out = w->output_used;
    g->scales = w->scales_used;
    g->columns = w->columns;
    g->tiles = w->per_group;
    g->all = w->cut.tiles;
    g->dtype = w->dtype;
    g->first = w->next_tile == 0;
    w->output_used += wcodec_tile_bound(g->columns);
    w->scales_used += g->columns;
}

/* Opens the next tile in the batch, which is written first if there is no room for the tile, or for all of the
 * group that begins with it.  `src`: where its bytes are. */
static wcodec_status wcodeci_writer_begin_tile(wcodec_writer *w, const wcodeci_byte *src)
{
    const int leads = w->per_group && w->next_tile % w->per_group == 0;
    size_t count = leads ? w->per_group : 1;
    wcodeci_batch_tile *t;
    uint64_t begin, end, size;
    wcodec_status status;
    wcodeci_writer_next(w, &count, &begin, &end);
    size = (end - begin) * w->cut.unit;
    if (count > w->batch_capacity - w->batch_count || size > w->input_size - w->input_used
        || (leads && w->columns > w->scales_size - w->scales_used)
        || ((leads || !w->per_group) && w->parallel.workers < 2 && w->input_used >= WCODECI_SERIAL_BATCH)) {
        status = wcodeci_writer_flush(w);
        if (status) return status;
    }
    if (!w->lent) src = w->input + w->input_used;
    if (leads) wcodeci_writer_begin_group(w, src, begin, end);
    count = 1;
    wcodeci_writer_next(w, &count, &begin, &end);
    w->tile_size = (size_t)((end - begin) * w->cut.unit);
    w->tile_have = 0;
    t = &w->batch[w->batch_count++];
    t->src = src;
    t->at = w->input_used;
    t->out = w->output_used;
    t->size = w->tile_size;
    t->record = 0;
    t->hashed = t->added = 0;
    t->distance = 0;
    t->equal = 0;
    t->dtype = w->dtype;
    t->row = w->row;
    t->has_base = w->has_base;
    t->base_offset = w->base_offset + begin * w->cut.unit;
    t->base_status = WCODEC_OK;
    t->pending_end = w->pending.size;
    t->pending_start = w->segment_start;
    t->group = w->per_group ? w->group_count : 0;
    t->phase = w->per_group ? (size_t)(begin % w->columns) : 0;
    t->leads = leads;
    t->per_tile = w->next_tile == 0 ? w->cut.per_tile : 0;
    w->input_used += t->size;
    w->output_used += wcodec_tile_bound(t->size);
    w->next_tile++;
    return WCODEC_OK;
}

WCODEC_API wcodec_status wcodec_writer_data(wcodec_writer *writer, const void *data, size_t size,
                                            wcodec_error *err)
{
    wcodec_writer *w = writer;
    const wcodeci_byte *src = (const wcodeci_byte *)data;
    wcodec_status status = wcodeci_writer_check(w, err);
    if (status) return status;
    if ((!data && size) || size > w->missing)
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, w->position, "more data than the segment holds");
    while (size) {
        size_t take;
        if (w->tile_have == w->tile_size) {
            status = wcodeci_writer_begin_tile(w, src);
            if (status) return wcodeci_writer_error(w, err);
        }
        take = wcodeci_min(size, w->tile_size - w->tile_have);
        /* The open tile is the last, and ends where the input that is used does. */
        if (!w->lent) memcpy(w->input + w->input_used - (w->tile_size - w->tile_have), src, take);
        w->tile_have += take;
        w->missing -= take;
        src += take;
        size -= take;
    }
    return WCODEC_OK;
}

/* The index in I records, coded as any bytes are. */
static wcodec_status wcodeci_writer_index(wcodec_writer *w)
{
    wcodec_tile_options options;
    uint64_t at = 0;
    memset(&options, 0, sizeof options);
    options.profile = w->tile.profile;
    options.cpu_off = w->tile.cpu_off;
    options.splits = 1u << WCODEC_SPLIT_BYTE;
    while (at < w->index.size) {
        size_t take = (size_t)wcodeci_min64(WCODECI_INDEX_TILE, w->index.size - at), size;
        wcodec_status status;
        size = wcodec_tile_encode(WCODEC_BYTES, 0, w->index.p + at, take, NULL, &options, w->output, w->output_size,
                                  w->scratch, w->worker_scratch);
        w->output[0] = WCODECI_RECORD_INDEX;
        status = wcodeci_emit(w, w->output, size);
        if (status) return status;
        at += take;
    }
    return WCODEC_OK;
}

/* Makes room for a tile of the index where the tiles are smaller than that. */
static wcodec_status wcodeci_writer_index_room(wcodec_writer *w)
{
    const size_t output = wcodec_tile_bound(WCODECI_INDEX_TILE);
    const size_t scratch = wcodeci_encode_scratch(w->tile.profile, WCODECI_INDEX_TILE);
    wcodec_status status = WCODEC_OK;
    void *p;
    (void)wcodeci_writer_forget(w);         /* no tile comes any more */
    if (w->output_size < output) {
        wcodeci_release(&w->heap, w->output, w->output_size);
        status = wcodeci_alloc(&w->heap, output, &p);
        w->output = (wcodeci_byte *)p;
        w->output_size = output;
    }
    if (!status && w->worker_scratch < scratch) {
        wcodeci_release(&w->heap, w->scratch, w->scratch_size);
        status = wcodeci_alloc(&w->heap, scratch, &p);
        w->scratch = (wcodeci_byte *)p;
        w->scratch_size = w->worker_scratch = scratch;
    }
    return status ? wcodeci_writer_fail(w, status, wcodeci_memory_text(status), NULL) : WCODEC_OK;
}

/* Flags and the number of originals come before what was gathered. */
static wcodec_status wcodeci_writer_index_head(wcodec_writer *w)
{
    wcodeci_byte head[16];
    const size_t used = 1 + wcodeci_put_varint(head + 1, w->originals);
    wcodec_status status;
    head[0] = 0;
    status = wcodeci_put(w, &w->index, head, used);
    if (status) return status;
    memmove(w->index.p + used, w->index.p, (size_t)(w->index.size - used));
    memcpy(w->index.p, head, used);
    return WCODEC_OK;
}

static wcodec_status wcodeci_writer_footer(wcodec_writer *w, uint64_t index_offset)
{
    wcodeci_byte f[WCODECI_FOOTER_SIZE] = { 0 };
    uint32_t crc;
    f[0] = WCODECI_RECORD_FOOTER;
    f[1] = WCODECI_FOOTER_SIZE - 2;
    wcodeci_store32(f + 4, (uint32_t)w->group_total);
    wcodeci_store32(f + 8, (uint32_t)w->names);
    wcodeci_store32(f + 12, (uint32_t)w->originals);
    wcodeci_store32(f + 16, (uint32_t)w->dimensions);
    wcodeci_store32(f + 20, (uint32_t)w->segments);
    wcodeci_store64(f + 24, index_offset);
    wcodeci_store64(f + 32, w->tiles);
    wcodeci_store32(f + 40, (uint32_t)w->index.size);
    wcodeci_store32(f + 44, wcodec_crc32(0, w->index.p, (size_t)w->index.size));
    wcodeci_store64(f + 48, w->position + WCODECI_FOOTER_SIZE);
    crc = wcodec_crc32(w->file_crc, f, 56);
    wcodeci_store32(f + 56, crc);
    memcpy(f + 60, wcodeci_magic_back, 4);
    return wcodeci_emit(w, f, sizeof f);
}

WCODEC_API wcodec_status wcodec_writer_finish(wcodec_writer *writer, wcodec_error *err)
{
    wcodec_writer *w = writer;
    uint64_t index_offset;
    wcodec_status status = wcodeci_writer_check(w, err);
    if (status) return status;
    if (w->missing)
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, w->position, "the last segment is not complete");
    status = wcodeci_writer_end_original(w);
    if (!status) status = wcodeci_writer_index_head(w);
    if (!status && (w->index.size > UINT32_MAX || w->names > UINT32_MAX || w->dimensions > UINT32_MAX))
        status = wcodeci_writer_fail(w, WCODEC_E_LIMIT, "the index is larger than the format can hold", NULL);
    if (!status) status = wcodeci_writer_index_room(w);
    index_offset = w->position;
    if (!status) status = wcodeci_writer_index(w);
    if (!status) status = wcodeci_writer_footer(w, index_offset);
    if (status) return wcodeci_writer_error(w, err);
    w->finished = 1;
    return WCODEC_OK;
}

#endif
