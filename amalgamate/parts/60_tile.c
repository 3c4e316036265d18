/* ------------------------------------------------------------------------------------------------
 * Tiles: records and decoding (private, and layer 1 of the API)
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_RECORD_ORIGINAL 0x4F
#define WCODECI_RECORD_SCALES 0x53
#define WCODECI_RECORD_TILE 0x54
#define WCODECI_RECORD_INDEX 0x49
#define WCODECI_RECORD_FOOTER 0x46
#define WCODECI_RECORD_ANCILLARY 0x20       /* bit 5 of a type */
#define WCODECI_MAX_BODY ((uint64_t)1 << 25)
#define WCODECI_BODY_SLACK 8192             /* a tile's body is at most 9/8 of its bytes and this */
#define WCODECI_RECORD_HEAD 5               /* the most that type and body size take */
#define WCODECI_ALIGNED_PLANE 256           /* payloads from this size on start at a multiple of 8 */
#define WCODECI_TILE_ROW 8                  /* flags bit 3 */
#define WCODECI_TILE_FILLER 4               /* flags bits 4 to 6: so far up */
#define WCODECI_TILE_SCALED 128             /* flags bit 7 */

/* The slot tables of all coders: 4096 entries of 32 bits are the most. */
#define WCODECI_TABLE_SIZE ((size_t)4096 * 4)

/* The head of any record. */
typedef struct wcodeci_record {
    unsigned type;
    uint64_t head, body, size;      /* bytes: type and body size; body; all with padding */
} wcodeci_record;

/* Parses the head of the record that starts at c->p.  TRUNCATED if it is not all there. */
static wcodec_status wcodeci_record_parse(wcodeci_cursor *c, wcodeci_record *record)
{
    const wcodeci_byte *start = c->p;
    record->type = wcodeci_take8(c);
    record->body = wcodeci_take_varint(c);
    if (c->bad) return c->bad;
    if (record->body > WCODECI_MAX_BODY) return WCODEC_E_CORRUPT;
    record->head = (uint64_t)(c->p - start);
    record->size = wcodeci_up8(record->head + record->body);
    return WCODEC_OK;
}

typedef struct wcodeci_tile {
    wcodec_tile_info info;
    uint64_t row;       /* 0: none given */
    uint64_t phase;     /* of a scaled tile */
    size_t n;           /* units */
    wcodeci_palette palette;
    size_t fields_end;  /* in the record: where the payloads may begin */
    size_t body_end;    /* in the record */
} wcodeci_tile;

/* Reads a plane's coder, predictor and size. */
static wcodec_status wcodeci_plane_parse(wcodeci_cursor *c, wcodec_plane_info *plane, const char **what)
{
    unsigned code = wcodeci_take8(c);
    uint64_t size = wcodeci_take_varint(c);
    if (c->bad) return c->bad;
    plane->coder = code & 31;
    plane->predictor = (unsigned char)(code >> 5);
    plane->size = (size_t)size;
    if (plane->coder >= WCODEC_CODER_COUNT || (plane->coder == WCODEC_CODER_MIX && !WCODECI_MIX)
        || plane->predictor >= WCODEC_PREDICT_COUNT) {
        *what = "unknown coder or predictor";
        return WCODEC_E_UNSUPPORTED;
    }
    *what = "a plane is larger than its tile's record";
    return size > WCODECI_MAX_BODY ? WCODEC_E_CORRUPT : WCODEC_OK;
}

/* Places a payload at or behind `position`; returns where it ends. */
static uint64_t wcodeci_plane_place(wcodec_plane_info *plane, uint64_t position)
{
    if (plane->size >= WCODECI_ALIGNED_PLANE) position = wcodeci_up8(position);
    plane->offset = (size_t)position;
    return position + plane->size;
}

/* Reads what a palette's or a linear split's fields say of its table. */
static wcodec_status wcodeci_palette_parse(wcodeci_cursor *c, wcodeci_tile *tile)
{
    wcodeci_palette *p = &tile->palette;
    if (wcodeci_split_palette(tile->info.split)) {
        const uint64_t count = wcodeci_take_varint(c);
        if (c->bad) return c->bad;
        if (count == 0 || count > WCODECI_PALETTE) return WCODEC_E_CORRUPT;
        p->count = (size_t)count;
        p->width = wcodeci_palette_width((unsigned)count - 1);
        p->size = p->count * tile->info.unit;
    } else {
        const unsigned form = wcodeci_take8(c);
        uint64_t run;
        p->zero = wcodeci_take8(c);
        run = wcodeci_take_varint(c);
        if (c->bad) return c->bad;
        if (form >> 6) return WCODEC_E_UNSUPPORTED;
        p->width = form & 15;
        p->bytes = 1 + (form >> 4);
        if (p->width == 0 || p->width > 8 || run == 0 || run > tile->n) return WCODEC_E_CORRUPT;
        p->run = (size_t)run;
        p->count = wcodeci_palette_runs(tile->n, p->run);
        p->size = p->count * p->bytes;
    }
    tile->info.table_size = p->size;
    return tile->info.scaled ? WCODEC_E_CORRUPT : WCODEC_OK;
}

/* Places the table as a payload is placed. */
static uint64_t wcodeci_palette_place(wcodec_tile_info *info, uint64_t position)
{
    if (info->table_size >= WCODECI_ALIGNED_PLANE) position = wcodeci_up8(position);
    info->table_offset = (size_t)position;
    return position + info->table_size;
}

/* Parses all fields before the payloads. */
static wcodec_status wcodeci_tile_parse(const wcodeci_byte *src, size_t size, wcodeci_tile *tile,
                                        const char **what)
{
    wcodeci_cursor c;
    wcodeci_record record;
    wcodec_status status;
    const wcodeci_split_row *split;
    uint64_t n, position;
    unsigned flags, k;
    int up, scaled;
    memset(tile, 0, sizeof *tile);
    *what = "a tile's record is broken";
    if (size == 0) return WCODEC_E_TRUNCATED;
    c = wcodeci_cursor_make(src, size);
    status = wcodeci_record_parse(&c, &record);
    if (status) return status;
    if (record.type != WCODECI_RECORD_TILE && record.type != WCODECI_RECORD_INDEX
        && record.type != WCODECI_RECORD_SCALES)
        return WCODEC_E_CORRUPT;
    /* No field lies outside the body, nor outside what is there. */
    if (record.body < (uint64_t)(c.end - c.p)) c.end = c.p + (size_t)record.body;
    tile->info.split = wcodeci_take8(&c);
    flags = wcodeci_take8(&c);
    tile->info.crc = wcodeci_take32(&c);
    n = wcodeci_take_varint(&c);
    if (flags & WCODECI_TILE_ROW) tile->row = wcodeci_take_varint(&c);
    if (flags & WCODECI_TILE_SCALED) tile->phase = wcodeci_take_varint(&c);
    tile->info.predictor = flags & 7;
    if (c.bad) return size < record.head + record.body ? c.bad : WCODEC_E_CORRUPT;
    if (tile->info.split >= WCODEC_SPLIT_COUNT || !wcodeci_splits[tile->info.split].planes || tile->info.predictor > WCODEC_PREDICT_SCALE) {
        *what = "unknown split or predictor of a tile";
        return WCODEC_E_UNSUPPORTED;
    }
    if (tile->info.predictor == WCODEC_PREDICT_SCALE) return WCODEC_E_CORRUPT;      /* one of planes alone */
    split = &wcodeci_splits[tile->info.split];
    if (n == 0 || n > WCODEC_MAX_TILE_BYTES / split->unit || ((flags & WCODECI_TILE_ROW) && tile->row == 0))
        return WCODEC_E_CORRUPT;
    tile->n = (size_t)n;
    tile->info.unit = split->unit;
    tile->info.planes = split->planes;
    tile->info.decoded_size = tile->n * split->unit;
    tile->info.scaled = (flags & WCODECI_TILE_SCALED) != 0;
    up = tile->info.predictor == WCODEC_PREDICT_UP;
    scaled = 0;
    status = tile->info.scaled ? wcodeci_plane_parse(&c, &tile->info.rows, what) : WCODEC_OK;
    tile->info.rows.width = 8;
    if (!status && tile->info.split >= WCODEC_SPLIT_PALETTE16) status = wcodeci_palette_parse(&c, tile);
    for (k = 0; k < split->planes && !status; k++) {
        wcodec_plane_info *plane = &tile->info.plane[k];
        plane->width = tile->palette.width ? (unsigned char)tile->palette.width : split->plane[k].width;
        status = wcodeci_plane_parse(&c, plane, what);
        up |= plane->predictor == WCODEC_PREDICT_UP;
        scaled |= plane->predictor == WCODEC_PREDICT_SCALE;
    }
    if (status) return c.bad && size >= record.head + record.body ? WCODEC_E_CORRUPT : status;
    *what = "a tile's record is broken";
    if ((up && !tile->row) || (scaled && !tile->info.scaled)
        || tile->info.rows.predictor > WCODEC_PREDICT_LEFT || tile->info.rows.coder >= WCODEC_CODER_CLASSES)
        return WCODEC_E_CORRUPT;
    if (record.body > tile->info.decoded_size + tile->info.decoded_size / 8 + WCODECI_BODY_SLACK)
        return WCODEC_E_CORRUPT;
    tile->fields_end = (size_t)(c.p - src);
    position = tile->fields_end + (flags >> WCODECI_TILE_FILLER & 7);
    position = wcodeci_plane_place(&tile->info.rows, position);
    position = wcodeci_palette_place(&tile->info, position);
    for (k = 0; k < split->planes; k++) position = wcodeci_plane_place(&tile->info.plane[k], position);
    if (position != record.head + record.body) return WCODEC_E_CORRUPT;
    tile->body_end = (size_t)position;
    tile->info.record_size = (size_t)record.size;
    return WCODEC_OK;
}

WCODEC_API wcodec_status wcodec_tile_inspect(const void *src, size_t size, wcodec_tile_info *info,
                                             wcodec_error *err)
{
    const char *what;
    wcodeci_tile tile;
    wcodec_status status;
    if ((!src && size) || !info) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    status = wcodeci_tile_parse((const wcodeci_byte *)src, size, &tile, &what);
    if (status) return wcodeci_fail(err, status, 0, what);
    *info = tile.info;
    return WCODEC_OK;
}

WCODEC_API size_t wcodec_tile_decode_scratch(size_t decoded_size)
{
    /* No split has planes of more than two values a byte of the unit; a row has at least 8. */
    return WCODECI_TABLE_SIZE + WCODECI_Q_CHUNK + 2 * decoded_size + decoded_size / WCODECI_MIN_COLUMNS + 80;
}

WCODEC_API size_t wcodec_tile_decode_scratch_mix(size_t decoded_size)
{
    return wcodec_tile_decode_scratch(decoded_size) + wcodeci_mix_scratch();
}

/* What a container of these features takes. */
static size_t wcodeci_decode_scratch(int mix, size_t decoded_size)
{
    return mix ? wcodec_tile_decode_scratch_mix(decoded_size) : wcodec_tile_decode_scratch(decoded_size);
}

/* A tile on its way out of its record. */
typedef struct wcodeci_tile_job {
    const wcodeci_engine *engine;
    const wcodeci_byte *src;
    wcodeci_tile tile;
    wcodeci_scaled scaled;          /* if the tile is */
    wcodeci_byte *dst, *room;       /* room: decoded planes, one behind the other */
    wcodeci_byte *q;                /* WCODECI_Q_CHUNK bytes */
    void *table;                    /* WCODECI_TABLE_SIZE bytes, aligned for 32 bits */
    void *mix;                      /* wcodeci_mix_scratch bytes, aligned for 64 bits; NULL: no plane may need it */
    const wcodeci_byte *planes[WCODEC_MAX_PLANES];
} wcodeci_tile_job;

/* Decodes plane k, of which out says where it goes. */
static const char *wcodeci_plane_rans16(const wcodeci_tile_job *job, unsigned k, wcodeci_rans16_out *out)
{
    const wcodec_plane_info *info = &job->tile.info.plane[k];
    const unsigned classes = info->coder == WCODEC_CODER_CLASSES ? WCODECI_CLASSES : 1;
    if (job->tile.info.scaled) out->scales = &job->scaled;
    if (info->predictor == WCODEC_PREDICT_SCALE) out->scaled = out->scales;
    if (classes > 1 || out->scaled) out->q = job->q;
    if (k > 0) out->first = job->planes[0];
    out->map.mask = (1u << job->tile.info.plane[0].width) - 1;
    return wcodeci_rans16_run(job->engine->kernels, job->src + info->offset, info->size,
                              job->src + job->tile.info.record_size, classes, info->width, job->tile.n,
                              (uint16_t *)job->table, out);
}

/* Decodes n values of a plane into v, by a coder but CLASSES and MIX.  Returns what is wrong, or NULL. */
static const char *wcodeci_plane_values(const wcodeci_tile_job *job, const wcodec_plane_info *info,
                                        wcodeci_byte *v, size_t n)
{
    const wcodeci_kernels *kernels = job->engine->kernels;
    const wcodeci_byte *src = job->src + info->offset;
    wcodeci_rans16_out out;
    switch (info->coder) {
    case WCODEC_CODER_RAW: return wcodeci_raw_decode(kernels, src, info->size, info->width, v, n);
    case WCODEC_CODER_CONSTANT: return wcodeci_constant_decode(src, info->size, info->width, v, n);
    case WCODEC_CODER_SPARSE: return wcodeci_sparse_decode(src, info->size, info->width, v, n);
    case WCODEC_CODER_HUFFMAN:
        return wcodeci_huff_decode(src, info->size, info->width, v, n, (uint16_t *)job->table);
    case WCODEC_CODER_RANS16:
        memset(&out, 0, sizeof out);
        out.v = v;
        return wcodeci_rans16_run(kernels, src, info->size, job->src + job->tile.info.record_size, 1,
                                  info->width, n, (uint16_t *)job->table, &out);
    default:
        return wcodeci_rans256_decode(kernels, src, info->size, info->width, v, n, (uint32_t *)job->table);
    }
}

static const char *wcodeci_plane_mix(const wcodeci_tile_job *job, unsigned k, wcodeci_byte *v)
{
#if WCODECI_MIX
    const wcodec_plane_info *info = &job->tile.info.plane[k];
    wcodeci_mix_in in;
    memset(&in, 0, sizeof in);
    in.width = info->width;
    in.n = job->tile.n;
    in.row = job->tile.row < in.n ? (size_t)job->tile.row : 0;
    in.exponents = k > 0 ? job->planes[0] : NULL;
    if (!job->mix) return "a plane's coder is not among what the header promises";
    return wcodeci_mix_decode(&in, job->src + info->offset, info->size, v, job->mix);
#else
    (void)job, (void)k, (void)v;
    return "unknown coder";             /* not met: the fields were refused */
#endif
}

/* Decodes plane k into v. */
static const char *wcodeci_plane_decode(const wcodeci_tile_job *job, unsigned k, wcodeci_byte *v)
{
    const wcodec_plane_info *info = &job->tile.info.plane[k];
    const wcodeci_kernels *kernels = job->engine->kernels;
    const size_t n = job->tile.n;
    const char *what;
    if (info->coder == WCODEC_CODER_CLASSES
        || (info->coder == WCODEC_CODER_RANS16 && info->predictor == WCODEC_PREDICT_SCALE)) {
        wcodeci_rans16_out out;
        memset(&out, 0, sizeof out);
        out.v = v;
        what = wcodeci_plane_rans16(job, k, &out);
        if (what || out.scaled) return what;
    } else if (info->coder == WCODEC_CODER_MIX) {
        what = wcodeci_plane_mix(job, k, v);
    } else {
        what = wcodeci_plane_values(job, info, v, n);
    }
    if (what || info->predictor == WCODEC_PREDICT_NONE) return what;
    if (info->predictor == WCODEC_PREDICT_SCALE)
        wcodeci_unscale_plane(kernels, &job->scaled, v, n, (1u << info->width) - 1, job->q);
    else
        wcodeci_unpredict_plane(kernels, v, n, info->width, info->predictor, job->tile.row);
    return NULL;
}

/* The row scales; `columns` of `width` are those of the tile's group. */
static const char *wcodeci_tile_scales(wcodeci_tile_job *job, const wcodeci_byte *columns, size_t width)
{
    const wcodec_plane_info *info = &job->tile.info.rows;
    size_t rows;
    const char *what;
    if (width < WCODECI_MIN_COLUMNS) return "a tile's group has no scales";
    if (job->tile.phase >= width) return "a tile begins in a column that there is not";
    rows = wcodeci_scaled_rows(width, (size_t)job->tile.phase, job->tile.n);
    what = wcodeci_plane_values(job, info, job->room, rows);
    if (what) return what;
    if (info->predictor != WCODEC_PREDICT_NONE)
        wcodeci_unpredict_plane(job->engine->kernels, job->room, rows, 8, info->predictor, 0);
    job->scaled.columns = columns;
    job->scaled.width = width;
    job->scaled.phase = (size_t)job->tile.phase;
    job->scaled.rows = job->room;
    job->room += rows;
    return NULL;
}

/* Finds the bytes of plane k, decoding it into the next room if they do not lie in the record. */
static const char *wcodeci_plane_find(wcodeci_tile_job *job, unsigned k)
{
    const wcodec_plane_info *info = &job->tile.info.plane[k];
    if (info->coder == WCODEC_CODER_RAW && info->width == 8 && info->predictor == WCODEC_PREDICT_NONE) {
        job->planes[k] = job->src + info->offset;
        return info->size == job->tile.n ? NULL : "a raw plane has a wrong size";
    }
    job->planes[k] = job->room;
    job->room += job->tile.n;
    return wcodeci_plane_decode(job, k, job->room - job->tile.n);
}

/* Are the planes behind the fused one that have less than 8 bits all raw, so that a kernel can unpack them? */
static int wcodeci_tile_packed(const wcodeci_tile_job *job)
{
    const wcodec_tile_info *info = &job->tile.info;
    unsigned k;
    for (k = 1; k < info->planes; k++) {
        const wcodec_plane_info *plane = &info->plane[k];
        if (!wcodeci_plane_packs(&wcodeci_splits[info->split], k)) continue;
        if (plane->coder != WCODEC_CODER_RAW || plane->predictor != WCODEC_PREDICT_NONE
            || plane->size != wcodeci_raw_size(job->tile.n, plane->width)
            || !wcodeci_raw_filled_up(job->src + plane->offset, plane->width, job->tile.n))
            return 0;
    }
    return 1;
}

/* Can the fused plane's values be merged as they come?  Where another plane's classes are theirs they must
 * be there before. */
static int wcodeci_tile_fusible(const wcodeci_tile_job *job, unsigned fused)
{
    const wcodec_tile_info *info = &job->tile.info;
    const wcodec_plane_info *plane = &info->plane[fused];
    unsigned k;
    for (k = fused + 1; k < info->planes && fused == 0; k++)
        if (info->plane[k].coder == WCODEC_CODER_MIX
            || (info->plane[k].coder == WCODEC_CODER_CLASSES && info->plane[k].size
                && job->src[info->plane[k].offset] == WCODECI_CLASS_MAP))
            return 0;
    return (plane->coder == WCODEC_CODER_RANS16 || plane->coder == WCODEC_CODER_CLASSES)
        && (plane->predictor == WCODEC_PREDICT_NONE || (!fused && plane->predictor == WCODEC_PREDICT_SCALE));
}

/* A tile whose fused plane is rANS-16, predicted by scales alone: its values are merged as they come, and never
 * written as a plane.  Returns 0 if there is no kernel for that. */
static int wcodeci_tile_fused(wcodeci_tile_job *job, const char **what)
{
    const wcodec_tile_info *info = &job->tile.info;
    const wcodeci_kernels *kernels = job->engine->kernels;
    const unsigned fused = wcodeci_split_fused(info->split);
    const int classes = info->plane[fused].coder == WCODEC_CODER_CLASSES
                     || info->plane[fused].predictor == WCODEC_PREDICT_SCALE;
    wcodeci_rans16_out out;
    unsigned k;
    memset(&out, 0, sizeof out);
    if (!wcodeci_tile_fusible(job, fused)) return 0;
    if (kernels->packed[classes][info->split] && wcodeci_tile_packed(job)) {
        out.packed = 1;
        out.units = kernels->packed[classes][info->split];
    } else {
        out.units = kernels->units[classes][info->split];
    }
    if (!out.units) return 0;
    *what = NULL;
    for (k = 0; k < info->planes && !*what; k++) {
        if (k == fused) continue;
        if (out.packed && wcodeci_plane_packs(&wcodeci_splits[info->split], k))
            job->planes[k] = job->src + info->plane[k].offset;
        else *what = wcodeci_plane_find(job, k);
        out.planes[k] = job->planes[k];
    }
    if (*what) return 1;
    out.split = info->split;
    out.dst = job->dst;
    *what = wcodeci_plane_rans16(job, fused, &out);
    return 1;
}

/* A tile of indices, and what they stand for. */
static const char *wcodeci_tile_palette(wcodeci_tile_job *job)
{
    const wcodec_tile_info *info = &job->tile.info;
    const wcodeci_byte *table = job->src + info->table_offset;
    const char *what = wcodeci_plane_find(job, 0);
    if (what) return what;
    if (wcodeci_split_palette(info->split))
        return wcodeci_palette_decode(&job->tile.palette, info->unit, table, job->planes[0],
                                      (wcodeci_byte *)job->table, job->dst, job->tile.n);
    return wcodeci_linear_decode(&job->tile.palette, info->split, info->unit, table, job->planes[0],
                                 (wcodeci_byte *)job->table, job->dst, job->tile.n);
}

/* Decodes all planes and merges them. */
static const char *wcodeci_tile_planes(wcodeci_tile_job *job)
{
    const wcodec_tile_info *info = &job->tile.info;
    const char *what = NULL;
    unsigned k;
    if (info->split == WCODEC_SPLIT_BYTE) return wcodeci_plane_decode(job, 0, job->dst);
    if (info->split >= WCODEC_SPLIT_PALETTE16) return wcodeci_tile_palette(job);
    if (wcodeci_tile_fused(job, &what)) return what;
    for (k = 0; k < info->planes && !what; k++) what = wcodeci_plane_find(job, k);
    if (!what) wcodeci_merge(job->engine->kernels, info->split, job->planes, job->dst, job->tile.n);
    return what;
}

/* All bytes of a record that are in no field and no payload must be zero. */
static int wcodeci_tile_padding_ok(const wcodeci_byte *src, const wcodeci_tile *tile)
{
    size_t end = tile->fields_end;
    unsigned k;
    if (!wcodeci_all_zero(src + end, src + tile->info.rows.offset)) return 0;
    end = tile->info.rows.offset + tile->info.rows.size;
    if (!wcodeci_all_zero(src + end, src + tile->info.table_offset)) return 0;
    end = tile->info.table_offset + tile->info.table_size;
    for (k = 0; k < tile->info.planes; k++) {
        if (!wcodeci_all_zero(src + end, src + tile->info.plane[k].offset)) return 0;
        end = tile->info.plane[k].offset + tile->info.plane[k].size;
    }
    return wcodeci_all_zero(src + tile->body_end, src + tile->info.record_size);
}

/* wcodec_tile_decode for the record at `base` of a container. */
static wcodec_status wcodeci_tile_decode(const wcodeci_engine *engine, const wcodeci_byte *src, size_t size,
                                         const wcodeci_byte *columns, size_t width, wcodeci_byte *dst,
                                         size_t dst_size, wcodeci_byte *scratch, int no_crc, uint64_t base,
                                         wcodec_error *err)
{
    wcodeci_tile_job job;
    const wcodec_tile_info *info = &job.tile.info;
    const char *what;
    wcodec_status status = wcodeci_tile_parse(src, size, &job.tile, &what);
    if (status) return wcodeci_fail(err, status, base, what);
    if (info->record_size > size)
        return wcodeci_fail(err, WCODEC_E_TRUNCATED, base + size, "a tile's record ends too early");
    if (info->record_size < size || info->decoded_size != dst_size)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, base, "a tile has not the size that is expected of it");
    job.engine = engine;
    job.src = src;
    job.dst = dst;
    scratch += (64 - ((uintptr_t)scratch & 63)) & 63;       /* a cache line */
    job.mix = engine->mix ? scratch : NULL;
    if (engine->mix) scratch += wcodeci_mix_scratch();
    job.table = scratch;
    job.q = (wcodeci_byte *)job.table + WCODECI_TABLE_SIZE;
    job.room = job.q + WCODECI_Q_CHUNK;
    what = info->scaled ? wcodeci_tile_scales(&job, columns, width) : NULL;
    if (!what) what = wcodeci_tile_planes(&job);
    if (!what && !wcodeci_tile_padding_ok(src, &job.tile)) what = "a tile's padding is not zero";
    if (what) return wcodeci_fail(err, WCODEC_E_CORRUPT, base, what);
    if (info->predictor != WCODEC_PREDICT_NONE)
        wcodeci_unpredict_units(dst, job.tile.n, info->unit, info->predictor, job.tile.row);
    if (!no_crc && engine->crc(0, dst, dst_size) != info->crc)
        return wcodeci_fail(err, WCODEC_E_CHECKSUM, base, "a tile's CRC-32 does not fit its bytes");
    return WCODEC_OK;
}

/* Has a tile a plane of the coder MIX? */
static int wcodeci_tile_mixed(const wcodec_tile_info *info)
{
    unsigned k;
    for (k = 0; k < info->planes; k++)
        if (info->plane[k].coder == WCODEC_CODER_MIX) return 1;
    return 0;
}

WCODEC_API wcodec_status wcodec_tile_decode(const void *src, size_t size, const void *scales, size_t columns,
                                            void *dst, size_t dst_size, void *scratch, size_t scratch_size,
                                            int no_crc, unsigned cpu_off, wcodec_error *err)
{
    wcodeci_engine engine;
    wcodec_tile_info info;
    if (!src || (!dst && dst_size) || !scratch || (!scales && columns))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    if (dst_size > WCODEC_MAX_TILE_BYTES)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, 0, "no tile is as large as the destination");
    if (scratch_size < wcodec_tile_decode_scratch(dst_size))
        return wcodeci_fail(err, WCODEC_E_NO_SPACE, 0, "the scratch memory is too small");
    engine = wcodeci_engine_make(cpu_off);
    engine.mix = WCODECI_MIX && scratch_size >= wcodec_tile_decode_scratch_mix(dst_size);
    if (!engine.mix && wcodec_tile_inspect(src, size, &info, NULL) == WCODEC_OK && wcodeci_tile_mixed(&info))
        return wcodeci_fail(err, WCODEC_E_NO_SPACE, 0, "the scratch memory is too small for this coder");
    return wcodeci_tile_decode(&engine, (const wcodeci_byte *)src, size, (const wcodeci_byte *)scales, columns,
                               (wcodeci_byte *)dst, dst_size, (wcodeci_byte *)scratch, no_crc, 0, err);
}
