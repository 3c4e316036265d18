/* ------------------------------------------------------------------------------------------------
 * The push decoder (public)
 * The container comes in chunks; each record is gathered whole, then taken.  So nothing depends on where the
 * chunks end, and the memory is that of the largest record, known from the header.
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_PUSH_MEMORY ((uint64_t)1 << 28)
#define WCODECI_MAX_ORIGINAL_BODY 65536

typedef enum wcodeci_push_state {
    WCODECI_PUSH_HEADER,        /* gathering the header's fixed part */
    WCODECI_PUSH_METADATA,      /* gathering the rest of the header */
    WCODECI_PUSH_HEAD,          /* gathering a record's first bytes, up to its size */
    WCODECI_PUSH_RECORD,        /* gathering the rest of it */
    WCODECI_PUSH_SKIP,          /* passing over an ancillary record */
    WCODECI_PUSH_DONE
} wcodeci_push_state;

struct wcodec_push {
    wcodeci_heap heap;
    wcodec_error error;                     /* sticky once status is not OK */
    wcodeci_engine engine;
    int no_crc, no_mix;
    wcodec_reread reread;
    uint64_t given;                         /* bytes given out by earlier steps, */
    const wcodeci_byte *now;                /* and by this one */
    size_t now_size;
    wcodeci_push_state state;
    wcodeci_header header;
    wcodeci_base base;
    wcodeci_byte *base_record, *base_room;  /* the B record; a tile's bytes of the base */
    uint64_t base_record_size, base_room_size;
    wcodeci_byte fixed[WCODECI_HEADER_SIZE];
    uint64_t position;                      /* bytes of the container taken */
    uint64_t record_start, record_size;
    uint32_t file_crc, record_crc;          /* of the bytes before the record, and with it so far */
    wcodeci_byte *buffer;                   /* the record */
    size_t have, want;                      /* bytes in it, bytes needed */
    uint64_t buffer_size;
    wcodeci_byte *decoded, *scratch;        /* a tile's bytes, and what decoding takes */
    uint64_t decoded_size, scratch_size;
    wcodeci_byte *scales;                   /* of the last S record's columns */
    uint64_t scales_size;
    size_t columns;                         /* 0: there was none yet */
    int scales_next;                        /* the last record was an S record */
    size_t out_from, out_to;                /* bytes of `decoded` to hand out */
    uint64_t originals, tiles, index_start, index_size;
    uint32_t index_crc;
    int index_short;                        /* an I record of less than 65536 bytes was there: the last */
    int announce, from_parts;
    const char *name;                       /* in `names` */
    size_t name_size;
    wcodeci_byte names[WCODECI_MAX_NAME + 1];
};

static wcodec_status wcodeci_push_fail(wcodec_push *d, wcodec_status status, uint64_t offset,
                                       const char *what)
{
    return wcodeci_fail(&d->error, status, offset, what);
}

WCODEC_API wcodec_status wcodec_push_open(wcodec_push **out, const wcodec_reader_options *options,
                                          wcodec_error *err)
{
    wcodec_reader_options opts = wcodec_reader_defaults();
    wcodeci_heap heap;
    wcodeci_base base;
    wcodec_push *d;
    wcodec_status status;
    void *block;
    if (!out) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    *out = NULL;
    memset(&base, 0, sizeof base);
    if (!wcodeci_options_copy(&opts, options, sizeof opts, sizeof opts) || !wcodeci_base_take(&base, opts.base))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "wrong options");
    wcodeci_heap_init(&heap, opts.allocator, opts.max_memory, WCODECI_PUSH_MEMORY);
    status = wcodeci_alloc(&heap, sizeof *d, &block);
    if (status) return wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    d = (wcodec_push *)block;
    memset(d, 0, sizeof *d);
    d->heap = heap;
    d->base = base;
    d->engine = wcodeci_engine_make(opts.cpu_off);
    d->no_crc = opts.no_crc;
    d->no_mix = opts.no_mix;
    d->reread = opts.reread;
    d->buffer = d->fixed;
    d->want = WCODECI_HEADER_SIZE;
    d->name = (const char *)d->names;
    *out = d;
    return WCODEC_OK;
}

WCODEC_API void wcodec_push_close(wcodec_push *push)
{
    wcodeci_heap heap;
    if (!push) return;
    if (push->buffer != push->fixed) wcodeci_release(&push->heap, push->buffer, push->buffer_size);
    wcodeci_release(&push->heap, push->decoded, push->decoded_size);
    wcodeci_release(&push->heap, push->scratch, push->scratch_size);
    wcodeci_release(&push->heap, push->scales, push->scales_size);
    wcodeci_release(&push->heap, push->base_record, push->base_record_size);
    wcodeci_release(&push->heap, push->base_room, push->base_room_size);
    heap = push->heap;
    wcodeci_release(&heap, push, sizeof *push);
}

/* The header's fixed part is there: room for the rest of it and for any record. */
static wcodec_status wcodeci_push_allocate(wcodec_push *d)
{
    void *p = NULL;
    uint64_t tile = d->header.max_tile > WCODECI_INDEX_TILE ? d->header.max_tile : WCODECI_INDEX_TILE;
    uint64_t largest = wcodeci_record_bound(tile);
    wcodec_status status;
    if (largest < d->header.size) largest = d->header.size;
    if (largest < WCODECI_MAX_ORIGINAL_BODY + 16) largest = WCODECI_MAX_ORIGINAL_BODY + 16;     /* of B too */
    status = wcodeci_alloc(&d->heap, largest, &p);
    if (!status) {
        d->buffer = (wcodeci_byte *)p;
        d->buffer_size = largest;
        d->decoded_size = tile;
        status = wcodeci_alloc(&d->heap, tile, &p);
        d->decoded = (wcodeci_byte *)p;
    }
    if (!status) {
        d->engine.features = d->header.features;
        d->scratch_size = wcodec_tile_decode_scratch((size_t)tile, d->header.features);
        status = wcodeci_alloc(&d->heap, d->scratch_size, &p);
        d->scratch = (wcodeci_byte *)p;
    }
    d->base.promised = (d->header.features & WCODEC_FEATURE_BASE) != 0;
    if (!status && d->base.promised && wcodeci_base_room(&d->base, d->header.max_tile)) {
        d->base_room_size = d->header.max_tile;
        status = wcodeci_alloc(&d->heap, d->base_room_size, &p);
        d->base_room = (wcodeci_byte *)p;
    }
    if (status) return wcodeci_push_fail(d, status, 0, wcodeci_memory_text(status));
    return WCODEC_OK;
}

static void wcodeci_push_next_record(wcodec_push *d)
{
    d->state = WCODECI_PUSH_HEAD;
    d->record_start = d->position;
    d->record_size = 0;
    d->file_crc = d->record_crc;
    d->have = 0;
    d->want = 2;
}

static wcodec_status wcodeci_push_header(wcodec_push *d)
{
    wcodec_status status;
    if (d->state == WCODECI_PUSH_HEADER) {
        status = wcodeci_header_parse(d->fixed, &d->header, &d->error);
        if (!status) status = wcodeci_header_allowed(&d->header, d->no_mix, &d->error);
        if (!status) status = wcodeci_push_allocate(d);
        if (status) return status;
        d->have = 0;
        d->want = d->header.size - WCODECI_HEADER_SIZE;
        d->state = WCODECI_PUSH_METADATA;
        return WCODEC_OK;
    }
    status = wcodeci_header_check(d->fixed, d->buffer, &d->header, &d->error);
    if (!status) wcodeci_push_next_record(d);
    return status;
}

/* A record's first bytes are there, perhaps not all of its size yet. */
static wcodec_status wcodeci_push_head(wcodec_push *d)
{
    wcodeci_cursor c;
    wcodeci_record record;
    wcodec_status status;
    uint64_t largest;
    c = wcodeci_cursor_make(d->buffer, d->have);
    status = wcodeci_record_parse(&c, &record);
    if (status == WCODEC_E_TRUNCATED && d->have < WCODECI_RECORD_HEAD) {
        d->want++;
        return WCODEC_OK;
    }
    if (status) return wcodeci_push_fail(d, WCODEC_E_CORRUPT, d->record_start, "a record is broken");
    if (d->scales_next && record.type != WCODECI_RECORD_TILE && record.type != WCODECI_RECORD_COPY)
        return wcodeci_push_fail(d, WCODEC_E_CORRUPT, d->record_start, "no tile follows its group's scales");
    if (d->base.promised && !d->base_record && record.type != WCODECI_RECORD_BASE)
        return wcodeci_base_wrong(d->record_start, record.type, &d->error);
    d->record_size = record.size;
    d->want = (size_t)record.size;
    if (wcodeci_record_known(record.type)) {
        largest = record.type == WCODECI_RECORD_TILE || record.type == WCODECI_RECORD_SCALES
                ? wcodeci_record_bound(d->header.max_tile)
                : record.type == WCODECI_RECORD_INDEX ? wcodeci_record_bound(WCODECI_INDEX_TILE)
                : record.type == WCODECI_RECORD_FOOTER ? WCODECI_FOOTER_SIZE
                : record.type == WCODECI_RECORD_COPY ? WCODECI_COPY_RECORD
                : record.type == WCODECI_RECORD_BASE
                ? wcodeci_up8(WCODECI_RECORD_HEAD + WCODECI_MAX_BASE_BODY)
                : wcodeci_up8(WCODECI_RECORD_HEAD + WCODECI_MAX_ORIGINAL_BODY);
        if (record.size > largest)
            return wcodeci_push_fail(d, WCODEC_E_CORRUPT, d->record_start,
                                     "a record is larger than it may be");
        d->state = WCODECI_PUSH_RECORD;
        return WCODEC_OK;
    }
    if (!(record.type & WCODECI_RECORD_ANCILLARY))
        return wcodeci_push_fail(d, WCODEC_E_UNSUPPORTED, d->record_start,
                                 "a record that this library does not know");
    d->columns = 0;         /* what follows is another segment's */
    d->state = WCODECI_PUSH_SKIP;
    return WCODEC_OK;
}

static wcodec_status wcodeci_push_take_original(wcodec_push *d)
{
    wcodeci_cursor c;
    wcodeci_record record;
    uint64_t flags, size;
    const wcodeci_byte *name;
    c = wcodeci_cursor_make(d->buffer, d->have);
    (void)wcodeci_record_parse(&c, &record);        /* did before */
    c.end = c.p + (size_t)record.body;
    flags = wcodeci_take_varint(&c);
    if (!c.bad && flags & ~(uint64_t)(WCODECI_ORIGINAL_PARTS | WCODECI_ORIGINAL_SHA256))
        return wcodeci_push_fail(d, WCODEC_E_UNSUPPORTED, d->record_start, "unknown flags of an original");
    size = wcodeci_take_varint(&c);
    name = c.bad ? NULL : wcodeci_take(&c, size > WCODECI_MAX_NAME ? d->have + 1 : (size_t)size);
    if (!name || c.p != c.end || d->index_size)
        return wcodeci_push_fail(d, WCODEC_E_CORRUPT, d->record_start, "the record of an original is broken");
    if (!wcodeci_all_zero(c.end, d->buffer + d->have))
        return wcodeci_push_fail(d, WCODEC_E_CORRUPT, d->record_start, "a record's padding is not zero");
    wcodeci_copy(d->names, name, (size_t)size);
    d->names[size] = 0;
    d->name_size = (size_t)size;
    d->from_parts = (flags & WCODECI_ORIGINAL_PARTS) != 0;
    d->originals++;
    d->columns = 0;
    d->announce = 1;
    return WCODEC_OK;
}

/* The base that tiles may need: the first record, if the header says so. */
static wcodec_status wcodeci_push_take_base(wcodec_push *d)
{
    void *p = NULL;
    wcodec_status status;
    if (!d->base.promised || d->base_record)
        return wcodeci_push_fail(d, WCODEC_E_CORRUPT, d->record_start, "a base where there can be none");
    status = wcodeci_alloc(&d->heap, d->have, &p);
    if (status) return wcodeci_push_fail(d, status, d->record_start, wcodeci_memory_text(status));
    d->base_record = (wcodeci_byte *)p;
    d->base_record_size = d->have;
    memcpy(d->base_record, d->buffer, d->have);
    if (wcodeci_base_parse(d->base_record, d->have, &d->base.facts))
        return wcodeci_base_wrong(d->record_start, WCODECI_RECORD_BASE, &d->error);
    if (d->base.there && d->base.source.size != d->base.facts.size)
        return wcodeci_push_fail(d, WCODEC_E_BASE, d->record_start,
                                 "the base has another size than the one needed");
    return WCODEC_OK;
}

/* The scales of a group's columns: kept for the tiles that follow. */
static wcodec_status wcodeci_push_take_scales(wcodec_push *d)
{
    wcodec_tile_info info;
    void *p = NULL;
    wcodec_status status = wcodec_tile_inspect(d->buffer, d->have, &info, &d->error);
    if (status) {
        d->error.offset = d->record_start;
        return status;
    }
    if (info.split != WCODEC_SPLIT_BYTE || info.decoded_size < WCODECI_MIN_COLUMNS
        || info.decoded_size > d->header.max_tile || d->originals == 0 || d->index_size)
        return wcodeci_push_fail(d, WCODEC_E_CORRUPT, d->record_start, "scales where there can be none");
    if (d->scales_size < info.decoded_size) {
        wcodeci_release(&d->heap, d->scales, d->scales_size);
        d->scales = NULL;
        d->scales_size = 0;
        status = wcodeci_alloc(&d->heap, info.decoded_size, &p);
        if (status) return wcodeci_push_fail(d, status, d->record_start, wcodeci_memory_text(status));
        d->scales = (wcodeci_byte *)p;
        d->scales_size = info.decoded_size;
    }
    d->columns = info.decoded_size;
    d->scales_next = 1;
    return wcodeci_tile_decode(&d->engine, d->buffer, d->have, NULL, d->scales, d->columns, d->scratch,
                               d->no_crc, d->record_start, &d->error);
}

/* A tile of the original or of the index: decoded, and for the original handed out. */
static wcodec_status wcodeci_push_take_tile(wcodec_push *d, int index)
{
    wcodec_tile_info info;
    wcodec_tile_inputs inputs;
    wcodec_status status = wcodec_tile_inspect(d->buffer, d->have, &info, &d->error);
    if (status) {
        d->error.offset = d->record_start;
        return status;
    }
    if (index ? info.split != WCODEC_SPLIT_BYTE || info.decoded_size > WCODECI_INDEX_TILE || d->index_short
              : info.decoded_size > d->header.max_tile || d->originals == 0 || d->index_size)
        return wcodeci_push_fail(d, WCODEC_E_CORRUPT, d->record_start,
                                 "a tile where there can be no such tile");
    d->scales_next = 0;
    memset(&inputs, 0, sizeof inputs);
    inputs.scales = d->scales;
    inputs.columns = d->columns;
    if (!index && info.based)
        status = wcodeci_base_for_tile(&d->base, d->buffer, d->have, d->record_start, d->base_room, &inputs,
                                       &d->error);
    if (!status)
        status = wcodeci_tile_decode(&d->engine, d->buffer, d->have, index ? NULL : &inputs, d->decoded,
                                     info.decoded_size, d->scratch, index ? 0 : d->no_crc, d->record_start,
                                     &d->error);
    if (status) return status;
    if (!index) {
        d->tiles++;
        d->out_from = 0;
        d->out_to = info.decoded_size;
        return WCODEC_OK;
    }
    if (!d->index_size) d->index_start = d->record_start;
    d->index_size += info.decoded_size;
    d->index_crc = d->engine.crc(d->index_crc, d->decoded, info.decoded_size);
    d->index_short = info.decoded_size < WCODECI_INDEX_TILE;
    return WCODEC_OK;
}

/* Bytes of the view that were given out: what this step gave lies in the caller's memory still. */
static wcodec_status wcodeci_push_again(const wcodec_push *d, uint64_t offset, wcodeci_byte *dst, size_t size)
{
    size_t before = 0;
    if (offset < d->given) {
        wcodec_status status;
        before = (size_t)wcodeci_min64(size, d->given - offset);
        status = d->reread.fn(d->reread.user, offset, dst, before);
        if (status) return status;
    }
    if (before < size) memcpy(dst + before, d->now + (size_t)(offset + before - d->given), size - before);
    return WCODEC_OK;
}

/* A tile that was there before. */
static wcodec_status wcodeci_push_take_copy(wcodec_push *d)
{
    const uint64_t at = d->given + d->now_size;
    wcodec_copy_info info;
    wcodec_status status;
    if (wcodeci_copy_parse(d->buffer, d->have, &info) || info.decoded_size > d->header.max_tile
        || info.distance > at || d->originals == 0 || d->index_size)
        return wcodeci_push_fail(d, WCODEC_E_CORRUPT, d->record_start, "the record of a copy is broken");
    if (!d->reread.fn)
        return wcodeci_push_fail(d, WCODEC_E_UNSUPPORTED, d->record_start,
                                 "a copy of an earlier tile, which cannot be read again here");
    d->scales_next = 0;
    status = wcodeci_push_again(d, at - info.distance, d->decoded, info.decoded_size);
    if (status) return wcodeci_push_fail(d, status, d->record_start, "reading what was given out failed");
    if (!d->no_crc && d->engine.crc(0, d->decoded, info.decoded_size) != info.crc)
        return wcodeci_push_fail(d, WCODEC_E_CHECKSUM, d->record_start,
                                 "a copy's CRC-32 does not fit what was given out");
    d->tiles++;
    d->out_from = 0;
    d->out_to = info.decoded_size;
    return WCODEC_OK;
}

static wcodec_status wcodeci_push_take_footer(wcodec_push *d)
{
    wcodeci_footer footer;
    wcodec_status status;
    if (d->have != WCODECI_FOOTER_SIZE || d->buffer[1] != WCODECI_FOOTER_SIZE - 2
        || memcmp(d->buffer + 60, wcodeci_magic_back, 4) != 0)
        return wcodeci_push_fail(d, WCODEC_E_CORRUPT, d->record_start, "the footer is broken");
    status = wcodeci_footer_parse(d->buffer, d->record_start, &footer, &d->error);
    if (status) return status;
    if (footer.index_offset != d->index_start || footer.index_size != d->index_size
        || footer.tiles != d->tiles || footer.originals != d->originals)
        return wcodeci_push_fail(d, WCODEC_E_CORRUPT, d->record_start,
                                 "the footer does not fit the container");
    if (footer.index_crc != d->index_crc)
        return wcodeci_push_fail(d, WCODEC_E_CHECKSUM, d->record_start + 44,
                                 "the index's CRC-32 does not fit");
    if (footer.file_crc != wcodec_crc32(d->file_crc, d->buffer, 56))
        return wcodeci_push_fail(d, WCODEC_E_CHECKSUM, d->record_start + 56,
                                 "the container's CRC-32 does not fit");
    d->state = WCODECI_PUSH_DONE;
    return WCODEC_OK;
}

/* A record is there as a whole. */
static wcodec_status wcodeci_push_record(wcodec_push *d)
{
    wcodec_status status;
    switch (d->buffer[0]) {
    case WCODECI_RECORD_BASE: status = wcodeci_push_take_base(d); break;
    case WCODECI_RECORD_ORIGINAL: status = wcodeci_push_take_original(d); break;
    case WCODECI_RECORD_SCALES: status = wcodeci_push_take_scales(d); break;
    case WCODECI_RECORD_TILE: status = wcodeci_push_take_tile(d, 0); break;
    case WCODECI_RECORD_COPY: status = wcodeci_push_take_copy(d); break;
    case WCODECI_RECORD_INDEX: status = wcodeci_push_take_tile(d, 1); break;
    default: status = wcodeci_push_take_footer(d); break;
    }
    if (!status && d->state != WCODECI_PUSH_DONE) wcodeci_push_next_record(d);
    return status;
}

/* Moves input to the buffer, or past it.  Returns how much. */
static size_t wcodeci_push_gather(wcodec_push *d, const wcodeci_byte *in, size_t size)
{
    size_t take;
    if (d->state == WCODECI_PUSH_SKIP) {
        take = (size_t)wcodeci_min64(size, d->record_start + d->record_size - d->position);
    } else {
        take = wcodeci_min(size, d->want - d->have);
        wcodeci_copy(d->buffer + d->have, in, take);
        d->have += take;
    }
    d->record_crc = d->engine.crc(d->record_crc, in, take);
    d->position += take;
    return take;
}

static int wcodeci_push_complete(const wcodec_push *d)
{
    if (d->state == WCODECI_PUSH_SKIP) return d->position == d->record_start + d->record_size;
    return d->have == d->want;
}

/* Takes what is complete.  What it comes to is kept in d->error. */
static wcodec_status wcodeci_push_advance(wcodec_push *d)
{
    switch (d->state) {
    case WCODECI_PUSH_HEADER:
    case WCODECI_PUSH_METADATA: return wcodeci_push_header(d);
    case WCODECI_PUSH_HEAD: return wcodeci_push_head(d);
    case WCODECI_PUSH_RECORD: return wcodeci_push_record(d);
    case WCODECI_PUSH_SKIP: wcodeci_push_next_record(d); return WCODEC_OK;
    case WCODECI_PUSH_DONE: break;
    }
    return WCODEC_OK;
}

WCODEC_API wcodec_status wcodec_push_step(wcodec_push *push, const void *in, size_t in_size, size_t *in_used,
                                          void *out, size_t out_size, size_t *out_used, wcodec_error *err)
{
    const wcodeci_byte *src = (const wcodeci_byte *)in;
    wcodeci_byte *dst = (wcodeci_byte *)out;
    size_t used = 0, made = 0;
    wcodec_status status = WCODEC_OK;
    if (!push || !in_used || !out_used || (!in && in_size) || (!out && out_size))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    while (!push->error.status && !status) {
        if (push->out_from < push->out_to) {
            size_t take = wcodeci_min(push->out_to - push->out_from, out_size - made);
            if (take) memcpy(dst + made, push->decoded + push->out_from, take);
            push->out_from += take;
            made += take;
            if (push->out_from < push->out_to) status = WCODEC_MORE_OUTPUT;
        } else if (push->announce) {
            push->announce = 0;
            status = WCODEC_ORIGINAL;
        } else if (push->state == WCODECI_PUSH_DONE) {
            status = WCODEC_END;
        } else if (wcodeci_push_complete(push)) {
            push->now = dst;
            push->now_size = made;
            wcodeci_push_advance(push);
        } else if (used < in_size) {
            used += wcodeci_push_gather(push, src + used, in_size - used);      /* not NULL: there is input */
        } else {
            status = WCODEC_MORE_INPUT;
        }
    }
    *in_used = used;
    *out_used = made;
    push->given += made;
    if (push->error.status)
        return wcodeci_fail(err, push->error.status, push->error.offset, push->error.what);
    return status;
}

WCODEC_API void wcodec_push_original(const wcodec_push *push, size_t *number, const char **name,
                                     size_t *name_size, int *from_parts)
{
    if (number) *number = (size_t)(push->originals ? push->originals - 1 : 0);
    if (name) *name = push->name;
    if (name_size) *name_size = push->name_size;
    if (from_parts) *from_parts = push->from_parts;
}

WCODEC_API int wcodec_push_base(const wcodec_push *push, wcodec_base *base)
{
    if (!push->base_record || !push->base.facts.name) return 0;
    *base = push->base.facts;
    return 1;
}
