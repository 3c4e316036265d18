/* ------------------------------------------------------------------------------------------------
 * Tiles: records and decoding (private, and layer 1 of the API)
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_RECORD_ORIGINAL 0x4F
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

/* The slot tables of all coders: 4096 entries of 32 bits are the most. */
#define WCODECI_TABLE_SIZE ((size_t)4096 * 4)

typedef const char *wcodeci_decode_fn(const wcodeci_byte *src, size_t size, unsigned width, wcodeci_byte *v,
                                      size_t n, void *table);

static const char *wcodeci_decode_raw(const wcodeci_byte *src, size_t size, unsigned width, wcodeci_byte *v,
                                      size_t n, void *table)
{
    (void)table;
    return wcodeci_raw_decode(src, size, width, v, n);
}

static const char *wcodeci_decode_constant(const wcodeci_byte *src, size_t size, unsigned width,
                                           wcodeci_byte *v, size_t n, void *table)
{
    (void)table;
    return wcodeci_constant_decode(src, size, width, v, n);
}

static const char *wcodeci_decode_sparse(const wcodeci_byte *src, size_t size, unsigned width,
                                         wcodeci_byte *v, size_t n, void *table)
{
    (void)table;
    return wcodeci_sparse_decode(src, size, width, v, n);
}

static const char *wcodeci_decode_huffman(const wcodeci_byte *src, size_t size, unsigned width,
                                          wcodeci_byte *v, size_t n, void *table)
{
    return wcodeci_huff_decode(src, size, width, v, n, (uint16_t *)table);
}

static const char *wcodeci_decode_rans16(const wcodeci_byte *src, size_t size, unsigned width,
                                         wcodeci_byte *v, size_t n, void *table)
{
    return wcodeci_rans16_decode(src, size, width, v, n, (uint32_t *)table);
}

static const char *wcodeci_decode_rans256(const wcodeci_byte *src, size_t size, unsigned width,
                                          wcodeci_byte *v, size_t n, void *table)
{
    return wcodeci_rans256_decode(src, size, width, v, n, (uint32_t *)table);
}

/* By coder id.  `table` is WCODECI_TABLE_SIZE bytes, aligned for 32 bits. */
static wcodeci_decode_fn *const wcodeci_decoders[WCODEC_CODER_COUNT] = {
    wcodeci_decode_raw, wcodeci_decode_constant, wcodeci_decode_sparse,
    wcodeci_decode_huffman, wcodeci_decode_rans16, wcodeci_decode_rans256
};

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

static int wcodeci_all_zero(const wcodeci_byte *p, const wcodeci_byte *end)
{
    while (p < end)
        if (*p++) return 0;
    return 1;
}

typedef struct wcodeci_tile {
    wcodec_tile_info info;
    uint64_t row;       /* 0: none given */
    size_t n;           /* units */
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
    if (plane->coder >= WCODEC_CODER_COUNT || plane->predictor >= WCODEC_PREDICT_COUNT) {
        *what = "unknown coder or predictor";
        return WCODEC_E_UNSUPPORTED;
    }
    *what = "a plane is larger than its tile's record";
    return size > WCODECI_MAX_BODY ? WCODEC_E_CORRUPT : WCODEC_OK;
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
    int up;
    memset(tile, 0, sizeof *tile);
    *what = "a tile's record is broken";
    if (size == 0) return WCODEC_E_TRUNCATED;
    c = wcodeci_cursor_make(src, size);
    status = wcodeci_record_parse(&c, &record);
    if (status) return status;
    if (record.type != WCODECI_RECORD_TILE && record.type != WCODECI_RECORD_INDEX) return WCODEC_E_CORRUPT;
    /* No field lies outside the body, nor outside what is there. */
    if (record.body < (uint64_t)(c.end - c.p)) c.end = c.p + (size_t)record.body;
    tile->info.split = wcodeci_take8(&c);
    flags = wcodeci_take8(&c);
    tile->info.crc = wcodeci_take32(&c);
    n = wcodeci_take_varint(&c);
    if (flags & WCODECI_TILE_ROW) tile->row = wcodeci_take_varint(&c);
    tile->info.predictor = flags & 7;
    if (c.bad) return size < record.head + record.body ? c.bad : WCODEC_E_CORRUPT;
    if (tile->info.split >= WCODEC_SPLIT_COUNT || flags >> 7
        || tile->info.predictor >= WCODEC_PREDICT_COUNT) {
        *what = "unknown split, predictor or flag of a tile";
        return WCODEC_E_UNSUPPORTED;
    }
    split = &wcodeci_splits[tile->info.split];
    if (n == 0 || n > WCODEC_MAX_TILE_BYTES / split->unit || ((flags & WCODECI_TILE_ROW) && tile->row == 0))
        return WCODEC_E_CORRUPT;
    tile->n = (size_t)n;
    tile->info.unit = split->unit;
    tile->info.planes = split->planes;
    tile->info.decoded_size = tile->n * split->unit;
    up = tile->info.predictor == WCODEC_PREDICT_UP;
    for (k = 0; k < split->planes; k++) {
        wcodec_plane_info *plane = &tile->info.plane[k];
        plane->width = split->plane[k].width;
        status = wcodeci_plane_parse(&c, plane, what);
        if (status) return c.bad && size >= record.head + record.body ? WCODEC_E_CORRUPT : status;
        up |= plane->predictor == WCODEC_PREDICT_UP;
    }
    *what = "a tile's record is broken";
    if (up && !tile->row) return WCODEC_E_CORRUPT;
    if (record.body > tile->info.decoded_size + tile->info.decoded_size / 8 + WCODECI_BODY_SLACK)
        return WCODEC_E_CORRUPT;
    tile->fields_end = (size_t)(c.p - src);
    position = tile->fields_end + (flags >> WCODECI_TILE_FILLER);
    for (k = 0; k < split->planes; k++) {
        wcodec_plane_info *plane = &tile->info.plane[k];
        if (plane->size >= WCODECI_ALIGNED_PLANE) position = wcodeci_up8(position);
        plane->offset = (size_t)position;
        position += plane->size;
    }
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
    /* No split has planes of more than two values a byte of the unit. */
    return WCODECI_TABLE_SIZE + 2 * decoded_size + 8;
}

/* Decodes one plane into `room`, or finds it where it lies.  Returns what is wrong, or NULL. */
static const char *wcodeci_plane_decode(const wcodeci_byte *src, const wcodeci_tile *tile, unsigned k,
                                        wcodeci_byte *room, const wcodeci_byte **plane, void *table)
{
    const wcodec_plane_info *info = &tile->info.plane[k];
    const char *what;
    *plane = room;
    if (info->coder == WCODEC_CODER_RAW && info->width == 8 && info->predictor == WCODEC_PREDICT_NONE) {
        *plane = src + info->offset;
        return info->size == tile->n ? NULL : "a raw plane has a wrong size";
    }
    what = wcodeci_decoders[info->coder](src + info->offset, info->size, info->width, room, tile->n, table);
    if (!what && info->predictor != WCODEC_PREDICT_NONE)
        wcodeci_unpredict_plane(room, tile->n, info->width, info->predictor, tile->row);
    return what;
}

/* All bytes of a record that are in no field and no payload must be zero. */
static int wcodeci_tile_padding_ok(const wcodeci_byte *src, const wcodeci_tile *tile)
{
    size_t end = tile->fields_end;
    unsigned k;
    for (k = 0; k < tile->info.planes; k++) {
        if (!wcodeci_all_zero(src + end, src + tile->info.plane[k].offset)) return 0;
        end = tile->info.plane[k].offset + tile->info.plane[k].size;
    }
    return wcodeci_all_zero(src + tile->body_end, src + tile->info.record_size);
}

/* wcodec_tile_decode for the record at `base` of a container. */
static wcodec_status wcodeci_tile_decode(const wcodeci_byte *src, size_t size, wcodeci_byte *dst,
                                         size_t dst_size, wcodeci_byte *scratch, int no_crc, uint64_t base,
                                         wcodec_error *err)
{
    const wcodeci_byte *planes[WCODEC_MAX_PLANES] = { NULL };
    wcodeci_byte *room;
    wcodeci_tile tile;
    wcodec_status status;
    const char *what;
    unsigned k;
    status = wcodeci_tile_parse(src, size, &tile, &what);
    if (status) return wcodeci_fail(err, status, base, what);
    if (tile.info.record_size > size)
        return wcodeci_fail(err, WCODEC_E_TRUNCATED, base + size, "a tile's record ends too early");
    if (tile.info.record_size < size || tile.info.decoded_size != dst_size)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, base, "a tile has not the size that is expected of it");
    scratch += (8 - ((uintptr_t)scratch & 7)) & 7;
    room = scratch + WCODECI_TABLE_SIZE;
    for (k = 0; k < tile.info.planes; k++, room += tile.n) {
        what = wcodeci_plane_decode(src, &tile, k, room, &planes[k], scratch);
        if (what) return wcodeci_fail(err, WCODEC_E_CORRUPT, base + tile.info.plane[k].offset, what);
    }
    if (!wcodeci_tile_padding_ok(src, &tile))
        return wcodeci_fail(err, WCODEC_E_CORRUPT, base, "a tile's padding is not zero");
    wcodeci_merge(tile.info.split, planes, dst, tile.n);
    if (tile.info.predictor != WCODEC_PREDICT_NONE)
        wcodeci_unpredict_units(dst, tile.n, tile.info.unit, tile.info.predictor, tile.row);
    if (!no_crc && wcodec_crc32(0, dst, dst_size) != tile.info.crc)
        return wcodeci_fail(err, WCODEC_E_CHECKSUM, base, "a tile's CRC-32 does not fit its bytes");
    return WCODEC_OK;
}

WCODEC_API wcodec_status wcodec_tile_decode(const void *src, size_t size, void *dst, size_t dst_size,
                                            void *scratch, size_t scratch_size, int no_crc, wcodec_error *err)
{
    if (!src || (!dst && dst_size) || !scratch)
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    if (dst_size > WCODEC_MAX_TILE_BYTES)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, 0, "no tile is as large as the destination");
    if (scratch_size < wcodec_tile_decode_scratch(dst_size))
        return wcodeci_fail(err, WCODEC_E_NO_SPACE, 0, "the scratch memory is too small");
    return wcodeci_tile_decode((const wcodeci_byte *)src, size, (wcodeci_byte *)dst, dst_size,
                               (wcodeci_byte *)scratch, no_crc, 0, err);
}
