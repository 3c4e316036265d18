/* ------------------------------------------------------------------------------------------------
 * Tiles: records and decoding (private, and layer 1 of the API)
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_RECORD_BASE 0x42
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
    size_t widths, heads;   /* in the record of a tile of blocks: where the sizes of its fields begin, and their heads */
    size_t fields_end;  /* in the record: where the filler begins */
    size_t payloads;    /* in the record: where the filler ends */
    size_t body_end;    /* in the record */
} wcodeci_tile;

/* Is it a predictor by the base? */
static int wcodeci_predict_based(unsigned predictor)
{
    return predictor == WCODEC_PREDICT_BASE_XOR || predictor == WCODEC_PREDICT_BASE_DIFFERENCE;
}

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
        || (plane->coder == WCODEC_CODER_LZ && !WCODECI_LZ)
        || plane->predictor >= WCODEC_PREDICT_COUNT) {
        *what = "unknown coder or predictor";
        return WCODEC_E_UNSUPPORTED;
    }
    *what = "a plane is larger than its tile's record, or predicted as only whole units are";
    return size > WCODECI_MAX_BODY || wcodeci_predict_based(plane->predictor) ? WCODEC_E_CORRUPT : WCODEC_OK;
}

/* Places a payload at or behind `position`; returns where it ends. */
static uint64_t wcodeci_plane_place(wcodec_plane_info *plane, uint64_t position)
{
    if (plane->size >= WCODECI_ALIGNED_PLANE) position = wcodeci_up8(position);
    plane->offset = (size_t)position;
    return position + plane->size;
}

/* Reads what the fields of a split with a table say of it. */
static wcodec_status wcodeci_palette_parse(wcodeci_cursor *c, wcodeci_tile *tile, const char **what)
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
        if (form >> 6) {
            *what = "unknown form of a table";
            return WCODEC_E_UNSUPPORTED;
        }
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

/* Parses split and flags, which are taken already, of a tile or a field: `size` bytes when decoded. */
static wcodec_status wcodeci_split_parse(wcodeci_tile *tile, unsigned flags, const char **what)
{
    tile->info.predictor = flags & 7;
    if (tile->info.split >= WCODEC_SPLIT_COUNT || tile->info.predictor >= WCODEC_PREDICT_COUNT) {
        *what = "unknown split or predictor of a tile";
        return WCODEC_E_UNSUPPORTED;
    }
    if (tile->info.predictor == WCODEC_PREDICT_SCALE) return WCODEC_E_CORRUPT;      /* one of planes alone */
    if ((flags & WCODECI_TILE_ROW) && tile->row == 0) return WCODEC_E_CORRUPT;
    tile->info.unit = wcodeci_splits[tile->info.split].unit;
    tile->info.planes = wcodeci_splits[tile->info.split].planes;
    return WCODEC_OK;
}

/* Parses the planes of a tile or a field. */
static wcodec_status wcodeci_planes_parse(wcodeci_cursor *c, wcodeci_tile *tile, const char **what)
{
    const wcodeci_split_row *split = &wcodeci_splits[tile->info.split];
    int up = tile->info.predictor == WCODEC_PREDICT_UP, scaled = 0;
    unsigned k;
    for (k = 0; k < split->planes; k++) {
        wcodec_plane_info *plane = &tile->info.plane[k];
        wcodec_status status;
        plane->width = tile->palette.width ? (unsigned char)tile->palette.width : split->plane[k].width;
        status = wcodeci_plane_parse(c, plane, what);
        if (status) return status;
        up |= plane->predictor == WCODEC_PREDICT_UP;
        scaled |= plane->predictor == WCODEC_PREDICT_SCALE;
        if (plane->coder == WCODEC_CODER_MIX) tile->info.features |= WCODEC_FEATURE_MIX;
    }
    *what = "a tile's record is broken";
    return (up && !tile->row) || (scaled && !tile->info.scaled) ? WCODEC_E_CORRUPT : WCODEC_OK;
}

/* Parses a field's head: one of `width` bytes in each of `blocks` blocks. */
static wcodec_status wcodeci_field_parse(wcodeci_cursor *c, size_t width, size_t blocks, wcodeci_tile *field,
                                         const char **what)
{
    unsigned flags;
    wcodec_status status;
    memset(field, 0, sizeof *field);
    field->info.split = wcodeci_take8(c);
    flags = wcodeci_take8(c);
    if (flags & WCODECI_TILE_ROW) field->row = wcodeci_take_varint(c);
    if (c->bad) return c->bad;
    status = wcodeci_split_parse(field, flags, what);
    if (status) return status;
    if (field->info.split >= WCODEC_SPLIT_BLOCKS || flags > WCODECI_TILE_ROW + 7
        || wcodeci_predict_based(field->info.predictor) || width * blocks % field->info.unit)
        return WCODEC_E_CORRUPT;
    field->info.decoded_size = width * blocks;
    field->n = field->info.decoded_size / field->info.unit;
    return wcodeci_planes_parse(c, field, what);
}

/* Parses what says how blocks fall into fields, and the fields' heads. */
static wcodec_status wcodeci_blocks_parse(wcodeci_cursor *c, const wcodeci_byte *src, wcodeci_tile *tile,
                                          const char **what)
{
    wcodeci_tile field;
    wcodeci_cursor widths;
    uint64_t width, block = 0;
    unsigned f;
    tile->info.features |= WCODEC_FEATURE_BLOCKS;
    tile->info.fields = wcodeci_take8(c);
    tile->widths = (size_t)(c->p - src);
    widths = *c;
    if (c->bad) return c->bad;
    if (tile->info.fields == 0 || tile->info.fields > WCODEC_MAX_FIELDS) return WCODEC_E_CORRUPT;
    for (f = 0; f < tile->info.fields; f++) {
        width = wcodeci_take_varint(c);
        if (c->bad) return c->bad;
        if (width == 0 || width > WCODECI_MAX_BLOCK - block) return WCODEC_E_CORRUPT;
        block += width;
    }
    tile->info.block = (unsigned)block;
    tile->heads = (size_t)(c->p - src);
    if (tile->n % tile->info.block) return WCODEC_E_CORRUPT;
    for (f = 0; f < tile->info.fields; f++) {
        wcodec_status status;
        width = wcodeci_take_varint(&widths);
        status = wcodeci_field_parse(c, (size_t)width, tile->n / tile->info.block, &field, what);
        if (status) return status;
        tile->info.features |= field.info.features;
    }
    return WCODEC_OK;
}

/* Goes through the fields of a tile of blocks, which was parsed. */
typedef struct wcodeci_fields {
    const wcodeci_tile *tile;
    wcodeci_cursor widths, heads;
    uint64_t position;              /* in the record: the end of the last field's payloads */
} wcodeci_fields;

static wcodeci_fields wcodeci_fields_begin(const wcodeci_byte *src, const wcodeci_tile *tile)
{
    wcodeci_fields fields;
    fields.tile = tile;
    fields.widths = wcodeci_cursor_make(src + tile->widths, tile->heads - tile->widths);
    fields.heads = wcodeci_cursor_make(src + tile->heads, tile->fields_end - tile->heads);
    fields.position = tile->payloads;
    return fields;
}

/* Places the payloads of a tile or a field behind `position`; returns where they end. */
static uint64_t wcodeci_planes_place(wcodec_tile_info *info, uint64_t position)
{
    unsigned k;
    position = wcodeci_palette_place(info, wcodeci_plane_place(&info->rows, position));
    for (k = 0; k < info->planes; k++) position = wcodeci_plane_place(&info->plane[k], position);
    return position;
}

/* The next field as a tile in the same record; returns its bytes in a block. */
static size_t wcodeci_fields_next(wcodeci_fields *fields, wcodeci_tile *field)
{
    const wcodeci_tile *tile = fields->tile;
    const size_t width = (size_t)wcodeci_take_varint(&fields->widths);
    const char *what;
    (void)wcodeci_field_parse(&fields->heads, width, tile->n / tile->info.block, field, &what);
    field->fields_end = (size_t)fields->position;
    fields->position = wcodeci_planes_place(&field->info, fields->position);
    field->info.crc = tile->info.crc;
    field->info.record_size = tile->info.record_size;
    return width;
}

/* Where the payloads end.  A position is below 2^25 for each plane, so nothing overflows. */
static uint64_t wcodeci_tile_end(const wcodeci_byte *src, wcodeci_tile *tile)
{
    wcodeci_fields fields;
    wcodeci_tile field;
    unsigned f;
    if (tile->info.split != WCODEC_SPLIT_BLOCKS) return wcodeci_planes_place(&tile->info, tile->payloads);
    tile->info.rows.offset = tile->info.table_offset = tile->payloads;
    fields = wcodeci_fields_begin(src, tile);
    for (f = 0; f < tile->info.fields; f++) (void)wcodeci_fields_next(&fields, &field);
    return fields.position;
}

/* Parses all fields before the payloads. */
static wcodec_status wcodeci_tile_parse(const wcodeci_byte *src, size_t size, wcodeci_tile *tile,
                                        const char **what)
{
    wcodeci_cursor c;
    wcodeci_record record;
    wcodec_status status;
    uint64_t n, position;
    unsigned flags;
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
    tile->info.based = wcodeci_predict_based(flags & 7);
    if (tile->info.based) tile->info.base_offset = wcodeci_take_varint(&c);
    if (c.bad) return size < record.head + record.body ? c.bad : WCODEC_E_CORRUPT;
    status = wcodeci_split_parse(tile, flags, what);
    if (status) return status;
    if (tile->info.based && record.type != WCODECI_RECORD_TILE) return WCODEC_E_CORRUPT;
    if (tile->info.based) tile->info.features |= WCODEC_FEATURE_BASE;
    if (n == 0 || n > WCODEC_MAX_TILE_BYTES / tile->info.unit) return WCODEC_E_CORRUPT;
    tile->n = (size_t)n;
    tile->info.decoded_size = tile->n * tile->info.unit;
    tile->info.scaled = (flags & WCODECI_TILE_SCALED) != 0;
    tile->info.rows.width = 8;
    if (tile->info.split == WCODEC_SPLIT_BLOCKS) {
        if (flags & (WCODECI_TILE_ROW | WCODECI_TILE_SCALED | 7)) return WCODEC_E_CORRUPT;
        status = wcodeci_blocks_parse(&c, src, tile, what);
    } else {
        status = tile->info.scaled ? wcodeci_plane_parse(&c, &tile->info.rows, what) : WCODEC_OK;
        if (!status && wcodeci_split_indexed(tile->info.split)) status = wcodeci_palette_parse(&c, tile, what);
        if (!status) status = wcodeci_planes_parse(&c, tile, what);
    }
    if (status) return c.bad && size >= record.head + record.body ? WCODEC_E_CORRUPT : status;
    if (tile->info.rows.predictor > WCODEC_PREDICT_LEFT
        || (tile->info.rows.coder >= WCODEC_CODER_CLASSES && tile->info.rows.coder != WCODEC_CODER_PACKED))
        return WCODEC_E_CORRUPT;
    if (record.body > tile->info.decoded_size + tile->info.decoded_size / 8 + WCODECI_BODY_SLACK)
        return WCODEC_E_CORRUPT;
    tile->fields_end = (size_t)(c.p - src);
    tile->payloads = tile->fields_end + (flags >> WCODECI_TILE_FILLER & 7);
    position = wcodeci_tile_end(src, tile);
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

WCODEC_API wcodec_status wcodec_tile_inspect_field(const void *src, size_t size, unsigned field,
                                                   wcodec_tile_info *info, wcodec_error *err)
{
    const char *what;
    wcodeci_tile tile, one;
    wcodeci_fields fields;
    wcodec_status status;
    unsigned f;
    if ((!src && size) || !info) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    status = wcodeci_tile_parse((const wcodeci_byte *)src, size, &tile, &what);
    if (status) return wcodeci_fail(err, status, 0, what);
    if (field >= tile.info.fields) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "there is no such field");
    fields = wcodeci_fields_begin((const wcodeci_byte *)src, &tile);
    for (f = 0; f <= field; f++) (void)wcodeci_fields_next(&fields, &one);
    *info = one.info;
    return WCODEC_OK;
}

WCODEC_API size_t wcodec_tile_decode_scratch(size_t decoded_size, unsigned features)
{
    /* No split has planes of more than two values a byte of the unit; a row has at least 8.  Of blocks a field lies
     * here too before it is put into them. */
    return WCODECI_TABLE_SIZE + WCODECI_Q_CHUNK + WCODECI_STAGE_SIZE + 2 * decoded_size + decoded_size / WCODECI_MIN_COLUMNS + 80
         + (features & WCODEC_FEATURE_BLOCKS ? decoded_size : 0)
         + (features & WCODEC_FEATURE_MIX ? wcodeci_mix_scratch() : 0);
}

/* A tile on its way out of its record. */
typedef struct wcodeci_tile_job {
    const wcodeci_engine *engine;
    const wcodeci_byte *src;
    const wcodeci_byte *base;       /* the tile's bytes of the base, if it needs them */
    wcodeci_tile tile;
    wcodeci_scaled scaled;          /* if the tile is */
    wcodeci_byte *dst, *room;       /* room: decoded planes, one behind the other */
    wcodeci_byte *q;                /* WCODECI_Q_CHUNK bytes */
    wcodeci_byte *stage;            /* WCODECI_STAGE_SIZE bytes; NULL: the tile does not go past the caches */
    wcodeci_crc_fn *crc;            /* NULL: its CRC-32 is not asked for */
    uint32_t sum;                   /* the CRC-32 */
    int summed;                     /* which is known */
    void *table;                    /* WCODECI_TABLE_SIZE bytes, aligned for 32 bits */
    void *mix;                      /* wcodeci_mix_scratch bytes, aligned for 64 bits; NULL: no plane needs it */
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
    case WCODEC_CODER_PACKED: return wcodeci_packed_decode(kernels, src, info->size, info->width, v, n);
    case WCODEC_CODER_CONSTANT: return wcodeci_constant_decode(src, info->size, info->width, v, n);
    case WCODEC_CODER_SPARSE: return wcodeci_sparse_decode(src, info->size, info->width, v, n);
    case WCODEC_CODER_HUFFMAN:
        return wcodeci_huff_decode(src, info->size, info->width, v, n, (uint16_t *)job->table);
#if WCODECI_LZ
    case WCODEC_CODER_LZ: return wcodeci_lz_decode(src, info->size, info->width, v, n, (uint16_t *)job->table);
#endif
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

/* The row scales; `inputs` has those of the columns of the tile's group. */
static const char *wcodeci_tile_scales(wcodeci_tile_job *job, const wcodec_tile_inputs *inputs)
{
    const wcodec_plane_info *info = &job->tile.info.rows;
    const size_t width = inputs ? inputs->columns : 0;
    size_t rows;
    const char *what;
    if (width < WCODECI_MIN_COLUMNS) return "a tile's group has no scales";
    if (job->tile.phase >= width) return "a tile begins in a column that there is not";
    rows = wcodeci_scaled_rows(width, (size_t)job->tile.phase, job->tile.n);
    what = wcodeci_plane_values(job, info, job->room, rows);
    if (what) return what;
    if (info->predictor != WCODEC_PREDICT_NONE)
        wcodeci_unpredict_plane(job->engine->kernels, job->room, rows, 8, info->predictor, 0);
    job->scaled.columns = inputs->scales;
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
    if (info->predictor == WCODEC_PREDICT_NONE) {
        out.stage = job->stage;
        out.crc = job->crc;
    }
    *what = wcodeci_plane_rans16(job, fused, &out);
    job->sum = out.sum;
    job->summed = out.stage != NULL;
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
    if (wcodeci_split_indexed(info->split)) return wcodeci_tile_palette(job);
    if (wcodeci_tile_fused(job, &what)) return what;
    for (k = 0; k < info->planes && !what; k++) what = wcodeci_plane_find(job, k);
    if (!what) wcodeci_merge(job->engine->kernels, info->split, job->planes, job->dst, job->tile.n);
    return what;
}

/* The planes of a tile or a field; units become what they are. */
static const char *wcodeci_tile_restore(wcodeci_tile_job *job)
{
    const wcodec_tile_info *info = &job->tile.info;
    const char *what = wcodeci_tile_planes(job);
    if (what || info->predictor == WCODEC_PREDICT_NONE) return what;
    if (info->based)
        wcodeci_unpredict_base(job->dst, job->base, info->decoded_size, info->unit, info->predictor);
    else
        wcodeci_unpredict_units(job->dst, job->tile.n, info->unit, info->predictor, job->tile.row);
    return NULL;
}

/* All bytes between the end of a tile's or a field's fields and its last payload that are in none must be zero. */
static int wcodeci_planes_padding_ok(const wcodeci_byte *src, const wcodeci_tile *tile)
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
    return 1;
}

static int wcodeci_tile_padding_ok(const wcodeci_byte *src, const wcodeci_tile *tile)
{
    return wcodeci_planes_padding_ok(src, tile)
        && wcodeci_all_zero(src + tile->body_end, src + tile->info.record_size);
}

/* Decodes a tile of blocks, field by field: job->tile is each of them in turn.  gathered: room for the largest. */
static const char *wcodeci_tile_blocks(wcodeci_tile_job *job, wcodeci_byte *gathered)
{
    const wcodeci_tile tile = job->tile;
    const size_t blocks = tile.n / tile.info.block;
    wcodeci_byte *dst = job->dst, *const room = job->room;
    wcodeci_fields fields = wcodeci_fields_begin(job->src, &tile);
    const char *what = NULL;
    unsigned f;
    for (f = 0; f < tile.info.fields && !what; f++) {
        const wcodec_plane_info *first = &job->tile.info.plane[0];
        const size_t width = wcodeci_fields_next(&fields, &job->tile);
        const wcodeci_byte *field = gathered;
        job->dst = gathered;
        job->room = room;
        if (job->tile.info.split == WCODEC_SPLIT_BYTE && first->coder == WCODEC_CODER_RAW
            && first->predictor == WCODEC_PREDICT_NONE && job->tile.info.predictor == WCODEC_PREDICT_NONE) {
            field = job->src + first->offset;
            if (first->size != job->tile.n) what = "a raw plane has a wrong size";
        } else {
            what = wcodeci_tile_restore(job);
        }
        if (!what && !wcodeci_planes_padding_ok(job->src, &job->tile)) what = "a tile's padding is not zero";
        if (!what) wcodeci_blocks_put(field, width, dst, tile.info.block, blocks);
        dst += width;
    }
    job->tile = tile;
    return what;
}

/* Asks for the payloads' first bytes, which are on their way then while tables are made: the processor's own looking
 * ahead begins anew with each of them. */
static void wcodeci_tile_ahead(const wcodeci_byte *src, const wcodec_tile_info *info)
{
    unsigned k;
    size_t i;
    for (k = 0; k < info->planes; k++)
        for (i = 0; i < info->plane[k].size && i < 1024; i += 64) wcodeci_prefetch(src + info->plane[k].offset + i);
}

/* wcodec_tile_decode for the record at `at` of a container. */
static wcodec_status wcodeci_tile_decode(const wcodeci_engine *engine, const wcodeci_byte *src, size_t size,
                                         const wcodec_tile_inputs *inputs, wcodeci_byte *dst,
                                         size_t dst_size, wcodeci_byte *scratch, int no_crc, uint64_t at,
                                         wcodec_error *err)
{
    wcodeci_tile_job job;
    const wcodec_tile_info *info = &job.tile.info;
    const char *what;
    wcodec_status status = wcodeci_tile_parse(src, size, &job.tile, &what);
    if (status) return wcodeci_fail(err, status, at, what);
    if (info->record_size > size)
        return wcodeci_fail(err, WCODEC_E_TRUNCATED, at + size, "a tile's record ends too early");
    if (info->record_size < size || info->decoded_size != dst_size)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "a tile has not the size that is expected of it");
    if (info->features & ~engine->features)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "a tile needs what the header does not promise");
    if (info->based && (!inputs || !inputs->base))
        return wcodeci_fail(err, WCODEC_E_BASE, at, "a tile needs the base, which is not given");
    job.engine = engine;
    job.src = src;
    job.dst = dst;
    scratch += (64 - ((uintptr_t)scratch & 63)) & 63;       /* a cache line */
    job.mix = engine->features & WCODEC_FEATURE_MIX ? scratch : NULL;
    if (job.mix) scratch += wcodeci_mix_scratch();
    job.table = scratch;
    job.q = (wcodeci_byte *)job.table + WCODECI_TABLE_SIZE;
    job.stage = job.q + WCODECI_Q_CHUNK;
    job.room = job.stage + WCODECI_STAGE_SIZE;
    if (!engine->stream || !engine->kernels->stream || info->split == WCODEC_SPLIT_BLOCKS) job.stage = NULL;
    job.crc = no_crc ? NULL : engine->crc;
    wcodeci_tile_ahead(src, info);
    job.summed = 0;
    job.base = info->based ? inputs->base : NULL;
    if (info->split == WCODEC_SPLIT_BLOCKS) {
        job.room += dst_size;
        what = wcodeci_tile_blocks(&job, job.room - dst_size);
    } else {
        what = info->scaled ? wcodeci_tile_scales(&job, inputs) : NULL;
        if (!what) what = wcodeci_tile_restore(&job);
    }
    if (!what && !wcodeci_tile_padding_ok(src, &job.tile)) what = "a tile's padding is not zero";
    if (what) return wcodeci_fail(err, WCODEC_E_CORRUPT, at, what);
    if (job.stage) engine->kernels->streamed();
    if (!no_crc && (job.summed ? job.sum : engine->crc(0, dst, dst_size)) != info->crc)
        return wcodeci_fail(err, WCODEC_E_CHECKSUM, at, "a tile's CRC-32 does not fit its bytes");
    return WCODEC_OK;
}

WCODEC_API wcodec_status wcodec_tile_decode(const void *src, size_t size, const wcodec_tile_inputs *inputs,
                                            void *dst, size_t dst_size, void *scratch, size_t scratch_size,
                                            int no_crc, unsigned cpu_off, wcodec_error *err)
{
    wcodeci_engine engine;
    wcodec_tile_info info;
    if (!src || (!dst && dst_size) || !scratch || (inputs && !inputs->scales && inputs->columns))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    if (dst_size > WCODEC_MAX_TILE_BYTES)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, 0, "no tile is as large as the destination");
    engine = wcodeci_engine_make(cpu_off);
    if (wcodec_tile_inspect(src, size, &info, NULL) == WCODEC_OK) engine.features = info.features;
    if (scratch_size < wcodec_tile_decode_scratch(dst_size, engine.features))
        return wcodeci_fail(err, WCODEC_E_NO_SPACE, 0, "the scratch memory is too small for this tile");
    return wcodeci_tile_decode(&engine, (const wcodeci_byte *)src, size, inputs, (wcodeci_byte *)dst, dst_size,
                               (wcodeci_byte *)scratch, no_crc, 0, err);
}
