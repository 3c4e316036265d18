/* ------------------------------------------------------------------------------------------------
 * Containers: header, footer, index (private)
 * Whatever comes from the file is checked here, once; the reader's functions trust it.
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_HEADER_SIZE 32
#define WCODECI_FOOTER_SIZE 64
#define WCODECI_MAX_METADATA ((uint32_t)1 << 24)
#define WCODECI_INDEX_TILE 65536u           /* decoded bytes of each I record but the last */
#define WCODECI_FEATURES \
    ((WCODECI_MIX ? WCODEC_FEATURE_MIX : 0u) | WCODEC_FEATURE_BASE | WCODEC_FEATURE_BLOCKS)     /* known here */
#define WCODECI_SEGMENT_GEOMETRY 1          /* segment flags bit 0 */
#define WCODECI_SEGMENT_GROUPS 2            /* segment flags bit 1 */
#define WCODECI_ORIGINAL_PARTS 1            /* original flags bit 0 */
#define WCODECI_ORIGINAL_SHA256 2           /* original flags bit 1 */
#define WCODECI_MAX_RANK 255
#define WCODECI_MAX_SHARED 255              /* bytes of a name that stand in the one before */

static const wcodeci_byte wcodeci_magic_front[4] = { 'W', 'C', 'D', 'C' };
static const wcodeci_byte wcodeci_magic_back[4] = { 'C', 'D', 'C', 'W' };

typedef struct wcodeci_header {
    uint32_t size, metadata_size, max_tile;
    unsigned features;
    uint32_t base_record;                   /* bytes of the B record, once they are known; 0: there is none */
} wcodeci_header;

/* Checks the fixed part of a header: all but its CRC-32 and its padding. */
static wcodec_status wcodeci_header_parse(const wcodeci_byte *p, wcodeci_header *header, wcodec_error *err)
{
    unsigned unknown;
    if (memcmp(p, wcodeci_magic_front, 4) != 0)
        return wcodeci_fail(err, WCODEC_E_MAGIC, 0, "not a wcodec container");
    if (wcodeci_load16(p + 4) != WCODEC_FORMAT_VERSION)
        return wcodeci_fail(err, WCODEC_E_VERSION, 4, "a format version that this library does not read");
    header->features = wcodeci_load32(p + 16);
    header->base_record = 0;
    unknown = header->features & ~WCODECI_FEATURES;
    if (wcodeci_load16(p + 6) || unknown || wcodeci_load32(p + 24))
        return wcodeci_fail(err, WCODEC_E_UNSUPPORTED, wcodeci_load16(p + 6) ? 6 : unknown ? 16 : 24,
                            "the container needs features that this library lacks");
    header->size = wcodeci_load32(p + 8);
    header->metadata_size = wcodeci_load32(p + 12);
    header->max_tile = wcodeci_load32(p + 20);
    if (header->metadata_size > WCODECI_MAX_METADATA
        || header->size != wcodeci_up8((uint64_t)WCODECI_HEADER_SIZE + header->metadata_size))
        return wcodeci_fail(err, WCODEC_E_CORRUPT, 8, "the header's size is wrong");
    if (header->max_tile == 0 || header->max_tile > WCODEC_MAX_TILE_BYTES)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, 20, "the header's tile size is wrong");
    return WCODEC_OK;
}

/* What the caller does not want to wait for. */
static wcodec_status wcodeci_header_allowed(const wcodeci_header *header, int no_mix, wcodec_error *err)
{
    if (no_mix && (header->features & WCODEC_FEATURE_MIX))
        return wcodeci_fail(err, WCODEC_E_LIMIT, 16, "the container may use the coder mix, which is not allowed");
    return WCODEC_OK;
}

/* `rest`: the header's bytes from 32 on. */
static wcodec_status wcodeci_header_check(const wcodeci_byte *fixed, const wcodeci_byte *rest,
                                          const wcodeci_header *header, wcodec_error *err)
{
    uint32_t crc = wcodec_crc32(0, fixed, 28);
    crc = wcodec_crc32(crc, rest, header->size - WCODECI_HEADER_SIZE);
    if (crc != wcodeci_load32(fixed + 28))
        return wcodeci_fail(err, WCODEC_E_CHECKSUM, 28, "the header's CRC-32 does not fit");
    if (!wcodeci_all_zero(rest + header->metadata_size, rest + (header->size - WCODECI_HEADER_SIZE)))
        return wcodeci_fail(err, WCODEC_E_CORRUPT, WCODECI_HEADER_SIZE, "the header's padding is not zero");
    return WCODEC_OK;
}

typedef struct wcodeci_footer {
    uint32_t groups, names, originals, dimensions, segments, index_size, index_crc, file_crc;
    uint64_t index_offset, tiles, container_size;
} wcodeci_footer;

/* `at`: where the footer starts. */
static wcodec_status wcodeci_footer_parse(const wcodeci_byte *p, uint64_t at, wcodeci_footer *footer,
                                          wcodec_error *err)
{
    if (memcmp(p + 60, wcodeci_magic_back, 4) != 0 || p[0] != WCODECI_RECORD_FOOTER
        || p[1] != WCODECI_FOOTER_SIZE - 2)
        return wcodeci_fail(err, WCODEC_E_TRUNCATED, at,
                            "there is no footer: the container was cut or is damaged");
    if (!wcodeci_all_zero(p + 2, p + 4))
        return wcodeci_fail(err, WCODEC_E_UNSUPPORTED, at + 2,
                            "the footer uses features that this library lacks");
    footer->groups = wcodeci_load32(p + 4);
    footer->names = wcodeci_load32(p + 8);
    footer->originals = wcodeci_load32(p + 12);
    footer->dimensions = wcodeci_load32(p + 16);
    footer->segments = wcodeci_load32(p + 20);
    footer->index_offset = wcodeci_load64(p + 24);
    footer->tiles = wcodeci_load64(p + 32);
    footer->index_size = wcodeci_load32(p + 40);
    footer->index_crc = wcodeci_load32(p + 44);
    footer->container_size = wcodeci_load64(p + 48);
    footer->file_crc = wcodeci_load32(p + 56);
    /* All counts are bounded by the container's size before memory is asked for: an I record takes at least
     * 16 bytes; an entry of the index takes some, and six of them can share 255 bytes of a name. */
    if (footer->container_size != at + WCODECI_FOOTER_SIZE || footer->index_offset % 8
        || footer->index_offset >= at || footer->index_size < 2
        || footer->index_size > (at - footer->index_offset) / 16 * WCODECI_INDEX_TILE
        || footer->names > 64 * (uint64_t)footer->index_size || footer->tiles > footer->index_size
        || footer->segments > footer->index_size || footer->originals > footer->index_size
        || footer->dimensions > footer->index_size || footer->groups > footer->index_size)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "the footer's numbers cannot be right");
    return WCODEC_OK;
}

/* How a segment is cut into tiles (format section 4). */
typedef struct wcodeci_cut {
    uint64_t units, row, per_tile, tiles;
    unsigned unit;
} wcodeci_cut;

/* Fills in the number of tiles; 0 if the rules are broken.  units and row are at least 1. */
static int wcodeci_cut_tiles(wcodeci_cut *cut)
{
    if (cut->per_tile == 0) return 0;
    if (cut->per_tile >= cut->row) {
        if (cut->per_tile % cut->row) return 0;
        cut->tiles = (cut->units - 1) / cut->per_tile + 1;
        return 1;
    }
    if (cut->units % cut->row) return 0;
    cut->tiles = (cut->row - 1) / cut->per_tile + 1;
    return wcodeci_mul(cut->tiles, cut->units / cut->row, &cut->tiles);
}

/* Tile number i holds the units begin ... end - 1. */
static void wcodeci_cut_tile(const wcodeci_cut *cut, uint64_t i, uint64_t *begin, uint64_t *end)
{
    if (cut->per_tile >= cut->row) {
        *begin = i * cut->per_tile;
        *end = *begin + wcodeci_min64(cut->per_tile, cut->units - *begin);
    } else {
        uint64_t pieces = (cut->row - 1) / cut->per_tile + 1, start = i % pieces * cut->per_tile;
        *begin = i / pieces * cut->row + start;
        *end = *begin + wcodeci_min64(cut->per_tile, cut->row - start);
    }
}

/* The tile that holds unit number u. */
static uint64_t wcodeci_cut_find(const wcodeci_cut *cut, uint64_t u)
{
    if (cut->per_tile >= cut->row) return u / cut->per_tile;
    return u / cut->row * ((cut->row - 1) / cut->per_tile + 1) + u % cut->row / cut->per_tile;
}

/* Size, unit and row length of a tensor of blocks, which fill its last dimension; 0 where they do not. */
static int wcodeci_block_geometry(const wcodeci_block_row *block, const uint64_t *shape, unsigned rank,
                                  uint64_t *size, wcodeci_cut *cut)
{
    uint64_t bits;
    unsigned i;
    int empty = 0;
    if (rank == 0 || shape[rank - 1] % block->elements) return 0;
    for (i = 0; i < rank; i++) empty |= shape[i] == 0;
    bits = empty ? 0 : shape[rank - 1] / block->elements;
    for (i = 0; i + 1 < rank && !empty; i++)
        if (!wcodeci_mul(bits, shape[i], &bits)) return 0;
    if (!wcodeci_mul(bits, 8 * (uint64_t)block->bytes, &bits)) return 0;
    *size = cut->units = bits / 8;
    cut->unit = 1;
    cut->row = empty ? 1 : shape[rank - 1] / block->elements * block->bytes;
    return 1;
}

/* Size, unit and row length of a tensor, from dtype and shape; 0 where they do not make whole units. */
static int wcodeci_tensor_geometry(unsigned dtype, const uint64_t *shape, unsigned rank, uint64_t *size,
                                   wcodeci_cut *cut)
{
    uint64_t bits = 1, row_bits;
    unsigned i;
    int empty = 0;
    const wcodeci_block_row *block = wcodeci_block_of(dtype);
    if (block) return wcodeci_block_geometry(block, shape, rank, size, cut);
    if (dtype == WCODEC_BYTES || dtype >= WCODECI_DTYPES) return 0;
    for (i = 0; i < rank; i++) empty |= shape[i] == 0;
    for (i = 0; i < rank && !empty; i++)
        if (!wcodeci_mul(bits, shape[i], &bits)) return 0;
    if (empty) bits = 0;
    if (!wcodeci_mul(bits, wcodeci_dtypes[dtype].bits, &bits)) return 0;
    cut->unit = wcodeci_dtypes[dtype].unit;
    if (bits % (8 * cut->unit)) return 0;
    *size = bits / 8;
    cut->units = *size / cut->unit;
    cut->row = 1;
    if (rank && !empty) {
        /* No overflow: the last dimension times bits divides the product above. */
        row_bits = shape[rank - 1] * wcodeci_dtypes[dtype].bits;
        if (row_bits % (8 * cut->unit) == 0) cut->row = row_bits / (8 * cut->unit);
    }
    return 1;
}

/* ------------------------------------------------------------------------------------------------
 * The reader (private, and layer 2 of the API)
 * One block of memory: the struct, the arrays below, and room for the index and for decoding it, which is not
 * needed any more when the reader is open.
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_CHECKPOINT 32               /* tiles between two stored offsets */
#define WCODECI_READER_MEMORY ((uint64_t)1 << 30)

typedef struct wcodeci_reader_segment {
    const char *name;
    size_t name_size;
    unsigned dtype, rank;
    const uint64_t *shape;
    uint64_t offset, size;                  /* in the view */
    wcodeci_cut cut;
    uint64_t first_tile, container_offset;  /* of its first tile */
    uint64_t group, columns, first_group;   /* tiles a group, 0: none have scales; columns that do */
} wcodeci_reader_segment;

struct wcodec_reader {
    wcodec_source source;
    wcodeci_heap heap;
    uint64_t block_size;                    /* 0: the caller's block */
    wcodeci_engine engine;
    int no_crc;
    wcodeci_header header;
    wcodeci_footer footer;
    wcodeci_base base;
    uint64_t view_size, largest_record, largest_tile, most_columns;
    wcodeci_reader_segment *segments;
    wcodec_original *originals;
    uint64_t *dimensions;
    uint64_t *checkpoints;                  /* container offset of every 32nd tile */
    uint32_t *extents;                      /* bytes / 8 of each tile's record */
    uint32_t *scales;                       /* bytes / 8 of each group's S record, before its first tile; or 0 */
    uint32_t *by_name;                      /* the segments' numbers, sorted by name, then number */
    char *names;                            /* all names, each with a zero byte behind it */
    wcodeci_byte *index, *metadata, *base_record;
};

WCODEC_API wcodec_reader_options wcodec_reader_defaults(void)
{
    wcodec_reader_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    return options;
}

/* Copies what the caller's struct has, which may be an older, smaller one. */
static int wcodeci_options_copy(void *dst, const void *src, size_t known, size_t smallest)
{
    size_t size;
    if (!src) return 1;
    memcpy(&size, src, sizeof size);
    if (size < smallest || size > known) return 0;
    memcpy(dst, src, size);
    return 1;
}

static int wcodeci_record_known(unsigned type)
{
    return type == WCODECI_RECORD_ORIGINAL || type == WCODECI_RECORD_TILE || type == WCODECI_RECORD_INDEX
        || type == WCODECI_RECORD_SCALES || type == WCODECI_RECORD_COPY || type == WCODECI_RECORD_FOOTER
        || type == WCODECI_RECORD_BASE;
}

/* What to say of a record in the place of another: a later version's, or a mistake. */
static wcodec_status wcodeci_record_wrong(unsigned type)
{
    return wcodeci_record_known(type) || (type & WCODECI_RECORD_ANCILLARY) ? WCODEC_E_CORRUPT
                                                                            : WCODEC_E_UNSUPPORTED;
}

/* What to say where the B record should be and is not. */
static wcodec_status wcodeci_base_wrong(uint64_t at, unsigned type, wcodec_error *err)
{
    return wcodeci_fail(err, wcodeci_record_wrong(type), at, "the record that names the base is missing or broken");
}

/* Finds how large the B record behind the header is. */
static wcodec_status wcodeci_reader_base_size(const wcodec_source *source, wcodeci_header *header, uint64_t end,
                                              wcodec_error *err)
{
    wcodeci_byte head[WCODECI_RECORD_HEAD];
    const size_t got = (size_t)wcodeci_min64(sizeof head, end - header->size);
    wcodeci_cursor c;
    wcodeci_record record;
    wcodec_status status = wcodeci_read_at(source, header->size, head, got, err);
    if (status) return status;
    c = wcodeci_cursor_make(head, got);
    if (got == 0 || head[0] != WCODECI_RECORD_BASE || wcodeci_record_parse(&c, &record)
        || record.body > WCODECI_MAX_BASE_BODY || record.size > end - header->size)
        return wcodeci_base_wrong(header->size, got ? head[0] : WCODECI_RECORD_BASE, err);
    header->base_record = (uint32_t)record.size;
    return WCODEC_OK;
}

/* Reads and checks header and footer. */
static wcodec_status wcodeci_reader_ends(const wcodec_source *source, wcodeci_byte fixed[WCODECI_HEADER_SIZE],
                                         wcodeci_header *header, wcodeci_footer *footer, wcodec_error *err)
{
    wcodeci_byte tail[WCODECI_FOOTER_SIZE];
    uint64_t size = source->size;
    wcodec_status status;
    if (size < WCODECI_HEADER_SIZE) {
        wcodeci_byte magic[4] = { 0 };
        size_t got = (size_t)wcodeci_min64(size, 4);
        status = wcodeci_read_at(source, 0, magic, got, err);
        if (status) return status;
        if (memcmp(magic, wcodeci_magic_front, got) != 0)
            return wcodeci_fail(err, WCODEC_E_MAGIC, 0, "not a wcodec container");
        return wcodeci_fail(err, WCODEC_E_TRUNCATED, size, "the container ends in its header");
    }
    status = wcodeci_read_at(source, 0, fixed, WCODECI_HEADER_SIZE, err);
    if (!status) status = wcodeci_header_parse(fixed, header, err);
    if (status) return status;
    if (size < (uint64_t)header->size + WCODECI_FOOTER_SIZE)
        return wcodeci_fail(err, WCODEC_E_TRUNCATED, size, "the container ends too early");
    status = wcodeci_read_at(source, size - WCODECI_FOOTER_SIZE, tail, sizeof tail, err);
    if (!status) status = wcodeci_footer_parse(tail, size - WCODECI_FOOTER_SIZE, footer, err);
    if (status) return status;
    if (footer->index_offset < header->size)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, size - WCODECI_FOOTER_SIZE,
                            "the index lies in the header");
    if (!(header->features & WCODEC_FEATURE_BASE)) return WCODEC_OK;
    return wcodeci_reader_base_size(source, header, footer->index_offset, err);
}

/* The most that a tile of `size` decoded bytes can take as a record, by the format's rule on bodies. */
static uint64_t wcodeci_record_bound(uint64_t size)
{
    return wcodeci_up8(WCODECI_RECORD_HEAD + size + size / 8 + WCODECI_BODY_SLACK);
}

/* Room for decoding the index: a record, unless it can be decoded where it lies, and scratch memory. */
static uint64_t wcodeci_index_room(const wcodec_source *source, unsigned features)
{
    return (source->memory ? 0 : wcodeci_record_bound(WCODECI_INDEX_TILE))
         + wcodec_tile_decode_scratch(WCODECI_INDEX_TILE, features);
}

/* Lays the block out; without one only the size counts.  Counts are below 2^32, so nothing overflows. */
static uint64_t wcodeci_reader_layout(wcodec_reader *r, const wcodec_source *source,
                                      const wcodeci_header *header, const wcodeci_footer *footer)
{
    wcodeci_byte *block = (wcodeci_byte *)r;
    uint64_t at = wcodeci_up8(sizeof *r), tiles = footer->tiles;
    uint64_t segments = at, originals, dimensions, checkpoints, extents, scales, by_name, names, metadata, index;
    uint64_t base_record;
    at += (uint64_t)footer->segments * sizeof(wcodeci_reader_segment);
    originals = at = wcodeci_up8(at);
    at += (uint64_t)footer->originals * sizeof(wcodec_original);
    dimensions = at = wcodeci_up8(at);
    at += (uint64_t)footer->dimensions * sizeof(uint64_t);
    checkpoints = at;
    at += (tiles / WCODECI_CHECKPOINT + 1) * sizeof(uint64_t);
    extents = at;
    at += tiles * sizeof(uint32_t);
    scales = at;
    at += (uint64_t)footer->groups * sizeof(uint32_t);
    by_name = at;
    at += (uint64_t)footer->segments * sizeof(uint32_t);
    names = at;
    at += footer->names;
    metadata = at;
    at += header->size - WCODECI_HEADER_SIZE;
    base_record = at;
    at += header->base_record;
    index = at;
    at += footer->index_size;
    if (block && at <= (size_t)-1) {
        r->segments = (wcodeci_reader_segment *)(void *)(block + segments);
        r->originals = (wcodec_original *)(void *)(block + originals);
        r->dimensions = (uint64_t *)(void *)(block + dimensions);
        r->checkpoints = (uint64_t *)(void *)(block + checkpoints);
        r->extents = (uint32_t *)(void *)(block + extents);
        r->scales = (uint32_t *)(void *)(block + scales);
        r->by_name = (uint32_t *)(void *)(block + by_name);
        r->names = (char *)block + names;
        r->index = block + index;
        r->metadata = block + metadata;
        r->base_record = block + base_record;
    }
    return at + wcodeci_index_room(source, header->features);
}

/* Reads metadata and checks the header. */
static wcodec_status wcodeci_reader_metadata(wcodec_reader *r, const wcodeci_byte *fixed, wcodec_error *err)
{
    wcodec_status status = wcodeci_read_at(&r->source, WCODECI_HEADER_SIZE, r->metadata,
                                           r->header.size - WCODECI_HEADER_SIZE, err);
    return status ? status : wcodeci_header_check(fixed, r->metadata, &r->header, err);
}

/* Reads the B record; the base that the caller gives must have the size that it says. */
static wcodec_status wcodeci_reader_base(wcodec_reader *r, wcodec_error *err)
{
    wcodec_status status;
    if (!(r->header.features & WCODEC_FEATURE_BASE)) return WCODEC_OK;
    r->base.promised = 1;
    status = wcodeci_read_at(&r->source, r->header.size, r->base_record, r->header.base_record, err);
    if (status) return status;
    if (wcodeci_base_parse(r->base_record, r->header.base_record, &r->base.facts))
        return wcodeci_base_wrong(r->header.size, WCODECI_RECORD_BASE, err);
    if (r->base.there && r->base.source.size != r->base.facts.size)
        return wcodeci_fail(err, WCODEC_E_BASE, r->header.size, "the base has another size than the one needed");
    return WCODEC_OK;
}

/* Parses the head of a container's record at `at` that must end by `end`. */
static wcodec_status wcodeci_reader_record(const wcodec_reader *r, uint64_t at, uint64_t end,
                                           wcodeci_record *record, wcodec_error *err)
{
    wcodeci_byte head[WCODECI_RECORD_HEAD];
    const size_t got = (size_t)wcodeci_min64(sizeof head, end - at);
    wcodeci_cursor c;
    wcodec_status status = wcodeci_read_at(&r->source, at, head, got, err);
    if (status) return status;
    c = wcodeci_cursor_make(head, got);
    status = wcodeci_record_parse(&c, record);
    if (status || record->size > end - at)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "a record is broken");
    return WCODEC_OK;
}

/* The record of `size` bytes at `at`: where it lies in memory, or read into `room`. */
static wcodec_status wcodeci_reader_fetch(const wcodec_reader *r, uint64_t at, size_t size,
                                          wcodeci_byte *room, const wcodeci_byte **record, wcodec_error *err)
{
    if (r->source.memory) {
        *record = (const wcodeci_byte *)r->source.memory + at;
        return WCODEC_OK;
    }
    *record = room;
    return wcodeci_read_at(&r->source, at, room, size, err);
}

/* Decodes the I records into r->index.  `room`: wcodeci_index_room bytes. */
static wcodec_status wcodeci_reader_index(wcodec_reader *r, wcodeci_byte *room, wcodec_error *err)
{
    const uint64_t end = r->source.size - WCODECI_FOOTER_SIZE;
    const uint64_t bound = wcodeci_record_bound(WCODECI_INDEX_TILE);
    wcodeci_byte *scratch = r->source.memory ? room : room + bound;
    uint64_t at = r->footer.index_offset;
    uint32_t done = 0;
    wcodeci_record record;
    for (; at < end; at += record.size) {
        const uint32_t take = (uint32_t)wcodeci_min64(WCODECI_INDEX_TILE, r->footer.index_size - done);
        const wcodeci_byte *src;
        wcodec_status status = wcodeci_reader_record(r, at, end, &record, err);
        if (status) return status;
        if (at != r->footer.index_offset && (record.type & WCODECI_RECORD_ANCILLARY)) continue;
        if (record.type != WCODECI_RECORD_INDEX)
            return wcodeci_fail(err, wcodeci_record_wrong(record.type), at,
                                "a record that does not belong to the index");
        if (take == 0 || record.size > bound)
            return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "the index is larger than the footer says");
        status = wcodeci_reader_fetch(r, at, (size_t)record.size, room, &src, err);
        if (!status)
            status = wcodeci_tile_decode(&r->engine, src, (size_t)record.size, NULL, r->index + done, take,
                                         scratch, 0, at, err);
        if (status) return status;
        if (src[record.head] != WCODEC_SPLIT_BYTE)
            return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "a tile of the index is not split as BYTE");
        done += take;
    }
    if (done != r->footer.index_size)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "the index is smaller than the footer says");
    if (r->engine.crc(0, r->index, r->footer.index_size) != r->footer.index_crc)
        return wcodeci_fail(err, WCODEC_E_CHECKSUM, r->footer.index_offset,
                            "the index's CRC-32 does not fit");
    return WCODEC_OK;
}

/* What the parser of the index carries from one segment to the next. */
typedef struct wcodeci_index_state {
    wcodeci_cursor c;
    uint64_t segment, dimension, tile, group;   /* filled so far */
    uint64_t position;                      /* in the container: end of the last segment's tiles */
    uint64_t names;                         /* bytes of r->names used */
    const char *name;                       /* of the segment before in this original */
    size_t name_size;
} wcodeci_index_state;

/* A name: `shared` bytes of the one before, and as many more as the index says.  It goes to r->names. */
static wcodec_status wcodeci_index_name(wcodec_reader *r, wcodeci_index_state *x, const char *before,
                                        uint64_t shared, const char **name, size_t *name_size)
{
    const uint64_t rest = wcodeci_take_varint(&x->c);
    const wcodeci_byte *p;
    char *to = r->names + x->names;
    if (x->c.bad || rest > WCODECI_MAX_NAME - shared || shared + rest >= r->footer.names - x->names)
        return WCODEC_E_CORRUPT;
    p = wcodeci_take(&x->c, (size_t)rest);
    if (!p) return WCODEC_E_CORRUPT;
    wcodeci_copy(to, before, (size_t)shared);
    wcodeci_copy(to + shared, p, (size_t)rest);
    to[shared + rest] = 0;
    *name = to;
    *name_size = (size_t)(shared + rest);
    x->names += shared + rest + 1;
    return WCODEC_OK;
}

/* Size, unit and row length: given, or from dtype and shape. */
static wcodec_status wcodeci_index_geometry(wcodeci_cursor *c, uint64_t flags, wcodeci_reader_segment *s)
{
    uint64_t unit, size;
    wcodeci_cut derived;
    if (!(flags & WCODECI_SEGMENT_GEOMETRY)) {
        if (wcodeci_block_of(s->dtype)) return WCODEC_E_CORRUPT;
        if (s->dtype >= WCODECI_DTYPES) return WCODEC_E_UNSUPPORTED;
        return wcodeci_tensor_geometry(s->dtype, s->shape, s->rank, &s->size, &s->cut) ? WCODEC_OK
                                                                                      : WCODEC_E_CORRUPT;
    }
    s->size = wcodeci_take_varint(c);
    unit = wcodeci_take_varint(c);
    s->cut.row = wcodeci_take_varint(c);
    if (c->bad || (unit != 1 && unit != 2 && unit != 4 && unit != 8) || s->size % unit || s->cut.row == 0)
        return WCODEC_E_CORRUPT;
    s->cut.unit = (unsigned)unit;
    s->cut.units = s->size / unit;
    if (s->dtype >= WCODECI_DTYPES && !wcodeci_block_of(s->dtype)) s->dtype = WCODEC_BYTES;
    if (s->dtype == WCODEC_BYTES) return WCODEC_OK;
    /* Who goes by dtype and shape must find what they promise. */
    return wcodeci_tensor_geometry(s->dtype, s->shape, s->rank, &size, &derived) && size == s->size
        && derived.unit == unit ? WCODEC_OK : WCODEC_E_CORRUPT;
}

/* The size of the S record of the group that begins with the next tile. */
static wcodec_status wcodeci_index_group(wcodec_reader *r, wcodeci_index_state *x,
                                         const wcodeci_reader_segment *s)
{
    const uint64_t extent = wcodeci_take_varint(&x->c);
    if (x->c.bad || x->group == r->footer.groups || extent > (r->footer.index_offset - x->position) / 8
        || extent * 8 > wcodeci_record_bound(s->columns))
        return WCODEC_E_CORRUPT;
    r->scales[x->group++] = (uint32_t)extent;
    x->position += extent * 8;
    if (extent * 8 > r->largest_record) r->largest_record = extent * 8;
    return WCODEC_OK;
}

/* The sizes of a segment's tile records. */
static wcodec_status wcodeci_index_tiles(wcodec_reader *r, wcodeci_index_state *x, wcodeci_reader_segment *s,
                                         int groups)
{
    uint64_t gap = wcodeci_take_varint(&x->c), i;
    s->cut.per_tile = wcodeci_take_varint(&x->c);
    if (groups) {
        s->group = wcodeci_take_varint(&x->c);
        s->columns = wcodeci_take_varint(&x->c);
        if (x->c.bad || s->group == 0 || s->columns < WCODECI_MIN_COLUMNS
            || s->columns > wcodeci_min64(r->header.max_tile, s->cut.units))
            return WCODEC_E_CORRUPT;
        s->first_group = x->group;
        if (s->columns > r->most_columns) r->most_columns = s->columns;
    }
    if (x->c.bad || gap > (r->footer.index_offset - x->position) / 8
        || s->cut.per_tile > r->header.max_tile / s->cut.unit || !wcodeci_cut_tiles(&s->cut)
        || s->cut.tiles > r->footer.tiles - x->tile)
        return WCODEC_E_CORRUPT;
    x->position += gap * 8;
    s->container_offset = x->position;
    for (i = 0; i < s->cut.tiles; i++, x->tile++) {
        uint64_t extent, begin, end, decoded;
        if (groups && i % s->group == 0 && wcodeci_index_group(r, x, s)) return WCODEC_E_CORRUPT;
        extent = wcodeci_take_varint(&x->c);
        wcodeci_cut_tile(&s->cut, i, &begin, &end);
        decoded = (end - begin) * s->cut.unit;
        if (x->c.bad || extent == 0 || extent > (r->footer.index_offset - x->position) / 8
            || extent * 8 > wcodeci_record_bound(decoded))
            return WCODEC_E_CORRUPT;
        if (x->tile % WCODECI_CHECKPOINT == 0) r->checkpoints[x->tile / WCODECI_CHECKPOINT] = x->position;
        r->extents[x->tile] = (uint32_t)extent;
        x->position += extent * 8;
        if (extent * 8 > r->largest_record) r->largest_record = extent * 8;
        if (decoded > r->largest_tile) r->largest_tile = decoded;
    }
    return WCODEC_OK;
}

static wcodec_status wcodeci_index_segment(wcodec_reader *r, wcodeci_index_state *x)
{
    wcodeci_reader_segment *s;
    wcodec_status status;
    uint64_t flags, rank, shared, i;
    if (x->segment == r->footer.segments) return WCODEC_E_CORRUPT;
    s = &r->segments[x->segment++];
    flags = wcodeci_take_varint(&x->c);
    s->dtype = wcodeci_take8(&x->c);
    if (x->c.bad) return WCODEC_E_CORRUPT;
    if (flags & ~(uint64_t)(WCODECI_SEGMENT_GEOMETRY | WCODECI_SEGMENT_GROUPS)) return WCODEC_E_UNSUPPORTED;
    shared = wcodeci_take_varint(&x->c);
    if (x->c.bad || shared > x->name_size || shared > WCODECI_MAX_SHARED) return WCODEC_E_CORRUPT;
    status = wcodeci_index_name(r, x, x->name, shared, &s->name, &s->name_size);
    if (status) return status;
    x->name = s->name;
    x->name_size = s->name_size;
    rank = wcodeci_take_varint(&x->c);
    if (x->c.bad || rank > WCODECI_MAX_RANK || rank > r->footer.dimensions - x->dimension)
        return WCODEC_E_CORRUPT;
    s->rank = (unsigned)rank;
    s->shape = r->dimensions + x->dimension;
    for (i = 0; i < rank; i++) r->dimensions[x->dimension++] = wcodeci_take_varint(&x->c);
    if (x->c.bad) return WCODEC_E_CORRUPT;
    status = wcodeci_index_geometry(&x->c, flags, s);
    if (status) return status;
    s->offset = r->view_size;
    s->first_tile = x->tile;
    s->container_offset = x->position;
    s->cut.tiles = 0;
    s->group = s->columns = s->first_group = 0;
    if (!wcodeci_add(&r->view_size, s->size)) return WCODEC_E_CORRUPT;
    if (s->size == 0) return flags & WCODECI_SEGMENT_GROUPS ? WCODEC_E_CORRUPT : WCODEC_OK;
    return wcodeci_index_tiles(r, x, s, (flags & WCODECI_SEGMENT_GROUPS) != 0);
}

static wcodec_status wcodeci_index_original(wcodec_reader *r, wcodeci_index_state *x, wcodec_original *o)
{
    const uint64_t flags = wcodeci_take_varint(&x->c);
    const wcodeci_byte *digest = NULL;
    uint64_t segments, i;
    wcodec_status status;
    if (x->c.bad) return WCODEC_E_CORRUPT;
    if (flags & ~(uint64_t)(WCODECI_ORIGINAL_PARTS | WCODECI_ORIGINAL_SHA256)) return WCODEC_E_UNSUPPORTED;
    status = wcodeci_index_name(r, x, NULL, 0, &o->name, &o->name_size);
    if (status) return status;
    x->name_size = 0;
    o->from_parts = (flags & WCODECI_ORIGINAL_PARTS) != 0;
    o->has_sha256 = (flags & WCODECI_ORIGINAL_SHA256) != 0;
    memset(o->sha256, 0, sizeof o->sha256);
    if (o->has_sha256) digest = wcodeci_take(&x->c, 32);
    o->size = wcodeci_take_varint(&x->c);
    segments = wcodeci_take_varint(&x->c);
    if (x->c.bad) return WCODEC_E_CORRUPT;
    if (digest) memcpy(o->sha256, digest, 32);
    o->offset = r->view_size;
    o->first_segment = (size_t)x->segment;
    for (i = 0; i < segments; i++) {
        status = wcodeci_index_segment(r, x);
        if (status) return status;
    }
    o->segments = (size_t)segments;
    return r->view_size - o->offset == o->size ? WCODEC_OK : WCODEC_E_CORRUPT;
}

static wcodec_status wcodeci_index_parse(wcodec_reader *r, wcodec_error *err)
{
    wcodeci_index_state x;
    wcodec_status status = WCODEC_OK;
    uint64_t flags, count, i;
    memset(&x, 0, sizeof x);
    x.c = wcodeci_cursor_make(r->index, r->footer.index_size);
    x.position = r->header.size;
    flags = wcodeci_take_varint(&x.c);
    count = wcodeci_take_varint(&x.c);
    if (flags) status = WCODEC_E_UNSUPPORTED;
    else if (x.c.bad || count != r->footer.originals) status = WCODEC_E_CORRUPT;
    for (i = 0; i < count && !status; i++) status = wcodeci_index_original(r, &x, &r->originals[i]);
    if (!status && (x.c.p != x.c.end || x.segment != r->footer.segments || x.dimension != r->footer.dimensions
                    || x.names != r->footer.names || x.tile != r->footer.tiles
                    || x.group != r->footer.groups))
        status = WCODEC_E_CORRUPT;
    if (status)
        return wcodeci_fail(err, status, r->footer.index_offset, status == WCODEC_E_CORRUPT
                            ? "the index is broken" : "the index uses features that this library lacks");
    return WCODEC_OK;
}

/* Sorts numbers by heapsort: no recursion, no memory, n log n whatever the names are. */
typedef int wcodeci_less_fn(const void *context, uint32_t a, uint32_t b);

static void wcodeci_sift(uint32_t *v, size_t i, size_t n, wcodeci_less_fn *less, const void *context)
{
    const uint32_t moved = v[i];
    size_t child;
    for (; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && less(context, v[child], v[child + 1])) child++;
        if (!less(context, moved, v[child])) break;
        v[i] = v[child];
    }
    v[i] = moved;
}

static void wcodeci_sort(uint32_t *v, size_t n, wcodeci_less_fn *less, const void *context)
{
    size_t i;
    for (i = 1; i < n && less(context, v[i - 1], v[i]); i++) {}
    if (i >= n) return;         /* in order already, as the names in most files are */
    for (i = n / 2; i-- > 0;) wcodeci_sift(v, i, n, less, context);
    for (i = n; i-- > 1;) {
        uint32_t top = v[0];
        v[0] = v[i];
        v[i] = top;
        wcodeci_sift(v, 0, i, less, context);
    }
}

static int wcodeci_name_compare(const char *a, size_t a_size, const char *b, size_t b_size)
{
    const size_t n = wcodeci_min(a_size, b_size);
    const int order = n ? memcmp(a, b, n) : 0;
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int wcodeci_reader_less(const void *context, uint32_t a, uint32_t b)
{
    const wcodeci_reader_segment *s = (const wcodeci_reader_segment *)context;
    int order = wcodeci_name_compare(s[a].name, s[a].name_size, s[b].name, s[b].name_size);
    return order ? order < 0 : a < b;
}

static wcodec_status wcodeci_reader_fill(wcodec_reader *r, const wcodeci_byte *fixed, wcodeci_byte *room,
                                         wcodec_error *err)
{
    uint32_t i;
    wcodec_status status = wcodeci_reader_metadata(r, fixed, err);
    if (!status) status = wcodeci_reader_base(r, err);
    if (!status) status = wcodeci_reader_index(r, room, err);
    if (!status) status = wcodeci_index_parse(r, err);
    if (status) return status;
    for (i = 0; i < r->footer.segments; i++) r->by_name[i] = i;
    wcodeci_sort(r->by_name, r->footer.segments, wcodeci_reader_less, r->segments);
    return WCODEC_OK;
}

/* Opens in `block`, or in memory from the allocator if that is NULL. */
static wcodec_status wcodeci_reader_make(wcodec_reader **out, const wcodec_source *source,
                                         const wcodec_reader_options *options, void *block, size_t block_size,
                                         wcodec_error *err)
{
    wcodec_reader_options opts = wcodec_reader_defaults();
    wcodeci_byte fixed[WCODECI_HEADER_SIZE];
    wcodeci_header header;
    wcodeci_footer footer;
    wcodeci_heap heap;
    wcodeci_base base;
    wcodec_reader *r;
    wcodec_status status;
    uint64_t size;
    if (!out) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    *out = NULL;
    memset(&base, 0, sizeof base);
    if (!wcodeci_source_ok(source) || !wcodeci_options_copy(&opts, options, sizeof opts, sizeof opts)
        || !wcodeci_base_take(&base, opts.base))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "wrong source or options");
    status = wcodeci_reader_ends(source, fixed, &header, &footer, err);
    if (!status) status = wcodeci_header_allowed(&header, opts.no_mix, err);
    if (status) return status;
    wcodeci_heap_init(&heap, opts.allocator, opts.max_memory, WCODECI_READER_MEMORY);
    size = wcodeci_reader_layout(NULL, source, &header, &footer);
    if (!block) {
        status = wcodeci_alloc(&heap, size, &block);
        if (status) return wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    } else if (size > block_size) {
        return wcodeci_fail(err, WCODEC_E_NO_MEMORY, 0, "the caller's block is too small");
    }
    r = (wcodec_reader *)block;
    memset(r, 0, sizeof *r);
    r->source = *source;
    r->heap = heap;
    r->block_size = heap.live;
    r->engine = wcodeci_engine_make(opts.cpu_off);
    r->engine.features = header.features;
    r->no_crc = opts.no_crc;
    r->base = base;
    r->header = header;
    r->footer = footer;
    wcodeci_reader_layout(r, source, &header, &footer);
    status = wcodeci_reader_fill(r, fixed,
                                 (wcodeci_byte *)block + (size_t)(size - wcodeci_index_room(source, header.features)), err);
    if (status) wcodec_reader_close(r);
    else *out = r;
    return status;
}

WCODEC_API wcodec_status wcodec_reader_open(wcodec_reader **out, const wcodec_source *source,
                                            const wcodec_reader_options *options, wcodec_error *err)
{
    return wcodeci_reader_make(out, source, options, NULL, 0, err);
}

WCODEC_API wcodec_status wcodec_reader_need(const wcodec_source *source, size_t *size, wcodec_error *err)
{
    wcodeci_byte fixed[WCODECI_HEADER_SIZE];
    wcodeci_header header;
    wcodeci_footer footer;
    wcodec_status status;
    uint64_t need;
    if (!wcodeci_source_ok(source) || !size)
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    status = wcodeci_reader_ends(source, fixed, &header, &footer, err);
    if (status) return status;
    need = wcodeci_reader_layout(NULL, source, &header, &footer);
    if (need > (size_t)-1) return wcodeci_fail(err, WCODEC_E_LIMIT, 0, "no block can be so large here");
    *size = (size_t)need;
    return WCODEC_OK;
}

WCODEC_API wcodec_status wcodec_reader_open_in(wcodec_reader **out, const wcodec_source *source,
                                               const wcodec_reader_options *options, void *block,
                                               size_t block_size, wcodec_error *err)
{
    if (out) *out = NULL;
    if (!block)
        return wcodeci_fail(err, block_size ? WCODEC_E_ARGUMENT : WCODEC_E_NO_MEMORY, 0, "there is no block");
    return wcodeci_reader_make(out, source, options, block, block_size, err);
}

WCODEC_API void wcodec_reader_close(wcodec_reader *reader)
{
    wcodeci_heap heap;
    if (!reader || reader->block_size == 0) return;
    heap = reader->heap;        /* it lies in the block that goes */
    wcodeci_release(&heap, reader, reader->block_size);
}

WCODEC_API void wcodec_reader_get_info(const wcodec_reader *reader, wcodec_reader_info *info)
{
    info->container_size = reader->source.size;
    info->view_size = reader->view_size;
    info->originals = reader->footer.originals;
    info->segments = reader->footer.segments;
    info->tiles = (size_t)reader->footer.tiles;
    info->header_size = reader->header.size;
    info->index_size = (size_t)(reader->source.size - WCODECI_FOOTER_SIZE - reader->footer.index_offset);
    info->max_tile_bytes = reader->header.max_tile;
    info->features = reader->header.features;
    info->metadata = (const char *)reader->metadata;
    info->metadata_size = reader->header.metadata_size;
    info->needs_base = reader->base.promised;
    info->base = reader->base.facts;
}

WCODEC_API wcodec_status wcodec_reader_original(const wcodec_reader *reader, size_t i,
                                                wcodec_original *original)
{
    if (i >= reader->footer.originals) return WCODEC_E_ARGUMENT;
    *original = reader->originals[i];
    return WCODEC_OK;
}

WCODEC_API wcodec_status wcodec_reader_segment(const wcodec_reader *reader, size_t i, wcodec_segment *segment)
{
    const wcodeci_reader_segment *s;
    if (i >= reader->footer.segments) return WCODEC_E_ARGUMENT;
    s = &reader->segments[i];
    segment->name = s->name;
    segment->name_size = s->name_size;
    segment->dtype = s->dtype;
    segment->rank = s->rank;
    segment->shape = s->shape;
    segment->offset = s->offset;
    segment->size = s->size;
    segment->row = s->cut.row;
    segment->has_base = 0;
    segment->base_offset = 0;
    return WCODEC_OK;
}

WCODEC_API wcodec_status wcodec_reader_find(const wcodec_reader *reader, const char *name, size_t name_size,
                                            size_t *i)
{
    size_t low = 0, high = reader->footer.segments;
    while (low < high) {        /* the first that is not before the name */
        size_t middle = low + (high - low) / 2;
        const wcodeci_reader_segment *s = &reader->segments[reader->by_name[middle]];
        if (wcodeci_name_compare(s->name, s->name_size, name, name_size) < 0) low = middle + 1;
        else high = middle;
    }
    if (low == reader->footer.segments) return WCODEC_E_NOT_FOUND;
    *i = reader->by_name[low];
    if (wcodeci_name_compare(reader->segments[*i].name, reader->segments[*i].name_size, name, name_size) != 0)
        return WCODEC_E_NOT_FOUND;
    return WCODEC_OK;
}

/* The segment that holds the view's byte `offset`, which lies inside the view. */
static const wcodeci_reader_segment *wcodeci_reader_at(const wcodec_reader *r, uint64_t offset)
{
    size_t low = 0, high = r->footer.segments;
    while (low < high) {        /* the first that ends behind it: so it is not empty, and holds it */
        size_t middle = low + (high - low) / 2;
        if (r->segments[middle].offset + r->segments[middle].size <= offset) low = middle + 1;
        else high = middle;
    }
    return &r->segments[low];
}

/* The segment that holds tile number `tile` of the container. */
static const wcodeci_reader_segment *wcodeci_reader_tile_segment(const wcodec_reader *r, uint64_t tile)
{
    size_t low = 0, high = r->footer.segments;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->segments[middle].first_tile + r->segments[middle].cut.tiles <= tile) low = middle + 1;
        else high = middle;
    }
    return &r->segments[low];
}

/* Bytes of the S record before tile number i of a segment. */
static uint64_t wcodeci_reader_scales(const wcodec_reader *r, const wcodeci_reader_segment *s, uint64_t i)
{
    return s->group && i % s->group == 0 ? (uint64_t)r->scales[s->first_group + i / s->group] * 8 : 0;
}

/* Where the record of tile number i of a segment begins. */
static uint64_t wcodeci_reader_tile_offset(const wcodec_reader *r, const wcodeci_reader_segment *s, uint64_t i)
{
    const uint64_t tile = s->first_tile + i, known = tile - tile % WCODECI_CHECKPOINT;
    uint64_t at, j = 0;
    if (known > s->first_tile) {
        j = known - s->first_tile;
        at = r->checkpoints[tile / WCODECI_CHECKPOINT];
    } else {
        at = s->container_offset + wcodeci_reader_scales(r, s, 0);
    }
    for (; j < i; j++)
        at += (uint64_t)r->extents[s->first_tile + j] * 8 + wcodeci_reader_scales(r, s, j + 1);
    return at;
}

/* Where tile number `tile` of the container lies. */
static void wcodeci_reader_span(const wcodec_reader *r, const wcodeci_reader_segment *s, uint64_t tile,
                                wcodec_tile_span *span)
{
    const uint64_t i = tile - s->first_tile, first = s->group ? i - i % s->group : i;
    uint64_t begin, end;
    span->container_offset = wcodeci_reader_tile_offset(r, s, i);
    span->scales_size = (size_t)wcodeci_reader_scales(r, s, first);
    span->scales_offset = 0;
    span->columns = 0;
    if (span->scales_size) {
        span->scales_offset = (first == i ? span->container_offset : wcodeci_reader_tile_offset(r, s, first))
                            - span->scales_size;
        span->columns = (size_t)s->columns;
    }
    wcodeci_cut_tile(&s->cut, tile - s->first_tile, &begin, &end);
    span->segment = (size_t)(s - r->segments);
    span->tile = (size_t)(tile - s->first_tile);
    span->container_size = (size_t)r->extents[tile] * 8;
    span->offset = s->offset + begin * s->cut.unit;
    span->size = (size_t)((end - begin) * s->cut.unit);
}

static uint64_t wcodeci_reader_tile_at(const wcodec_reader *r, uint64_t offset)
{
    const wcodeci_reader_segment *s = wcodeci_reader_at(r, offset);
    return s->first_tile + wcodeci_cut_find(&s->cut, (offset - s->offset) / s->cut.unit);
}

WCODEC_API wcodec_status wcodec_reader_tile(const wcodec_reader *reader, uint64_t offset,
                                            wcodec_tile_span *span)
{
    if (offset >= reader->view_size) return WCODEC_E_ARGUMENT;
    wcodeci_reader_span(reader, wcodeci_reader_at(reader, offset), wcodeci_reader_tile_at(reader, offset),
                        span);
    return WCODEC_OK;
}

/* ------------------------------------------------------------------------------------------------
 * Reading ranges (layer 2 of the API)
 * ---------------------------------------------------------------------------------------------- */

/* What a worker's scratch memory begins with. */
typedef struct wcodeci_worker {
    uint64_t failed;            /* the number of its first tile that failed, plus one; 0: none */
    uint64_t scales;            /* where the scales that it holds begin in the container; 0: it holds none */
    wcodec_error err;           /* of the tile that failed */
} wcodeci_worker;

/* The rest: a group's scales, a tile of which only a part is wanted, a record that had to be read, a tile's bytes
 * of the base if they have to be read, and what decoding takes. */
WCODEC_API size_t wcodec_reader_scratch(const wcodec_reader *reader)
{
    const uint64_t record = reader->source.memory ? 0 : reader->largest_record;
    const size_t tile = (size_t)(reader->largest_tile > reader->most_columns ? reader->largest_tile
                                                                            : reader->most_columns);
    const uint64_t base = reader->base.promised ? wcodeci_base_room(&reader->base, reader->largest_tile) : 0;
    return sizeof(wcodeci_worker) + (size_t)(reader->most_columns + reader->largest_tile + record + base)
         + wcodec_tile_decode_scratch(tile, reader->header.features);
}

/* A read on its way: bytes begin ... end - 1 of the view, decoded tile by tile. */
typedef struct wcodeci_job {
    const wcodec_reader *reader;
    uint64_t begin, end, first_tile;
    wcodeci_byte *dst, *scratch;
    size_t scratch_size;        /* of each worker */
} wcodeci_job;

/* Decodes the record of `size` bytes at `at`, which lies at `record`, of type T or S.  The base is added to the
 * inputs. */
static wcodec_status wcodeci_job_decode(const wcodec_reader *r, unsigned type, const wcodeci_byte *record, uint64_t at,
                                        size_t size, wcodec_tile_inputs *inputs, wcodeci_byte *dst, size_t dst_size,
                                        wcodeci_byte *room, wcodec_error *err)
{
    wcodec_tile_info info;
    wcodec_status status;
    if (record[0] != type)
        return wcodeci_fail(err, wcodeci_record_wrong(record[0]), at, "there is no tile where the index says");
    if (type == WCODECI_RECORD_SCALES && wcodec_tile_inspect(record, size, &info, NULL) == WCODEC_OK
        && info.split != WCODEC_SPLIT_BYTE)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "scales with another split than BYTE");
    if (!r->source.memory) room += r->largest_record;
    if (r->base.promised) {
        status = wcodeci_base_for_tile(&r->base, record, size, at, room, inputs, err);
        if (status) return status;
        room += wcodeci_base_room(&r->base, r->largest_tile);
    }
    status = wcodeci_tile_decode(&r->engine, record, size, inputs, dst, dst_size, room, r->no_crc, at, err);
    if (status == WCODEC_E_BASE)            /* one that is not promised */
        return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "a tile needs a base, of which the header says nothing");
    if (status == WCODEC_E_TRUNCATED)       /* the container is all there: it is the index that is wrong */
        return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "a tile is longer than the index says");
    return status;
}

/* Makes the worker's scales those of the tile's group, if it has some. */
static wcodec_status wcodeci_job_scales(const wcodec_reader *r, const wcodec_tile_span *span,
                                        wcodeci_worker *worker, wcodeci_byte *scales, wcodeci_byte *room,
                                        wcodec_error *err)
{
    const wcodeci_byte *record;
    wcodec_tile_inputs inputs;
    wcodec_status status;
    memset(&inputs, 0, sizeof inputs);
    if (!span->columns || worker->scales == span->scales_offset) return WCODEC_OK;
    worker->scales = 0;
    status = wcodeci_reader_fetch(r, span->scales_offset, span->scales_size, room, &record, err);
    if (!status)
        status = wcodeci_job_decode(r, WCODECI_RECORD_SCALES, record, span->scales_offset, span->scales_size,
                                    &inputs, scales, span->columns, room, err);
    if (!status) worker->scales = span->scales_offset;
    return status;
}

/* The tile that a record of the tile `span` says it is a copy of; its CRC-32 in *crc. */
static wcodec_status wcodeci_job_target(const wcodec_reader *r, const wcodec_tile_span *span,
                                        const wcodeci_byte *record, wcodec_tile_span *target, uint32_t *crc,
                                        wcodec_error *err)
{
    const uint64_t at = span->container_offset;
    wcodec_copy_info info;
    if (wcodeci_copy_parse(record, span->container_size, &info) || info.record_size != span->container_size)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "the record of a copy is broken");
    if (info.decoded_size != span->size || info.distance > span->offset)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "a copy has not the size or the place that it must have");
    (void)wcodec_reader_tile(r, span->offset - info.distance, target);     /* before this tile: there is one */
    if (target->offset != span->offset - info.distance || target->size != span->size)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "there is no tile where a copy's bytes should be");
    *crc = info.crc;
    return WCODEC_OK;
}

/* Decodes the tile `span` to dst. */
static wcodec_status wcodeci_job_span(const wcodec_reader *r, const wcodec_tile_span *span,
                                      wcodeci_worker *worker, wcodeci_byte *scales, wcodeci_byte *dst,
                                      wcodeci_byte *room, wcodec_error *err)
{
    const wcodeci_byte *record;
    const wcodec_tile_span *from = span;
    wcodec_tile_span target;
    wcodec_tile_inputs inputs;
    wcodec_tile_info info;
    uint32_t crc = 0;
    wcodec_status status = wcodeci_job_scales(r, span, worker, scales, room, err);
    if (!status)
        status = wcodeci_reader_fetch(r, span->container_offset, span->container_size, room, &record, err);
    if (status) return status;
    if (record[0] == WCODECI_RECORD_COPY) {
        from = &target;
        status = wcodeci_job_target(r, span, record, &target, &crc, err);
        if (!status) status = wcodeci_job_scales(r, from, worker, scales, room, err);
        if (!status)
            status = wcodeci_reader_fetch(r, from->container_offset, from->container_size, room, &record, err);
        if (status) return status;
        if (!r->no_crc && wcodec_tile_inspect(record, from->container_size, &info, NULL) == WCODEC_OK
            && info.crc != crc)
            return wcodeci_fail(err, WCODEC_E_CHECKSUM, span->container_offset,
                                "a copy's CRC-32 is not that of its tile");
    }
    /* A copy of a copy ends here: that is no tile. */
    memset(&inputs, 0, sizeof inputs);
    inputs.scales = scales;
    inputs.columns = from->columns;
    return wcodeci_job_decode(r, WCODECI_RECORD_TILE, record, from->container_offset, from->container_size, &inputs,
                              dst, from->size, room, err);
}

static wcodec_status wcodeci_job_tile(const wcodeci_job *job, uint64_t tile, wcodeci_worker *worker,
                                      wcodeci_byte *scales, wcodec_error *err)
{
    const wcodec_reader *r = job->reader;
    wcodeci_byte *part = scales + r->most_columns, *room = part + r->largest_tile, *dst;
    wcodec_tile_span span;
    wcodec_status status;
    uint64_t from, to;
    wcodeci_reader_span(r, wcodeci_reader_tile_segment(r, tile), tile, &span);
    from = span.offset > job->begin ? span.offset : job->begin;
    to = wcodeci_min64(span.offset + span.size, job->end);
    dst = to - from == span.size ? job->dst + (size_t)(span.offset - job->begin) : part;
    status = wcodeci_job_span(r, &span, worker, scales, dst, room, err);
    if (!status && dst == part)
        memcpy(job->dst + (size_t)(from - job->begin), part + (size_t)(from - span.offset),
               (size_t)(to - from));
    return status;
}

/* Each worker keeps the error of its first tile that failed: the one to report is that of the lowest tile,
 * whoever met it.  Scratch memory has no alignment, so the struct is copied. */
static void wcodeci_job_run(void *arg, size_t i, unsigned number)
{
    const wcodeci_job *job = (const wcodeci_job *)arg;
    wcodeci_byte *scratch = job->scratch + number * job->scratch_size;
    wcodeci_worker worker;
    wcodec_error err;
    memcpy(&worker, scratch, sizeof worker);
    if (worker.failed && worker.failed <= job->first_tile + i) return;
    memset(&err, 0, sizeof err);
    if (wcodeci_job_tile(job, job->first_tile + i, &worker, scratch + sizeof worker, &err) != WCODEC_OK) {
        worker.failed = job->first_tile + i + 1;
        worker.err = err;
    }
    memcpy(scratch, &worker, sizeof worker);
}

static wcodec_status wcodeci_job_result(const wcodeci_job *job, unsigned workers, wcodec_error *err)
{
    wcodeci_worker lowest, other;
    unsigned w;
    memset(&lowest, 0, sizeof lowest);
    for (w = 0; w < workers; w++) {
        memcpy(&other, job->scratch + w * job->scratch_size, sizeof other);
        if (other.failed && (!lowest.failed || other.failed < lowest.failed)) lowest = other;
    }
    return lowest.failed ? wcodeci_fail(err, lowest.err.status, lowest.err.offset, lowest.err.what)
                         : WCODEC_OK;
}

WCODEC_API wcodec_status wcodec_read_parallel(const wcodec_reader *reader, uint64_t offset, void *dst,
                                              size_t size, void *scratch, size_t scratch_size,
                                              const wcodec_parallel *parallel,
                                              const wcodec_progress *progress, wcodec_error *err)
{
    const wcodec_parallel threads = wcodeci_parallel_or_serial(parallel);
    wcodeci_job job;
    uint64_t tile, last, batch = progress && progress->fn ? 32 * (uint64_t)threads.workers : UINT64_MAX;
    unsigned w;
    if (!reader) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    if (offset > reader->view_size || size > reader->view_size - offset)
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "the range does not lie inside the file");
    if (size == 0) return WCODEC_OK;
    if (!dst || !scratch) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    job.reader = reader;
    job.begin = offset;
    job.end = offset + size;
    job.dst = (wcodeci_byte *)dst;
    job.scratch = (wcodeci_byte *)scratch;
    job.scratch_size = wcodec_reader_scratch(reader);
    if (scratch_size / threads.workers < job.scratch_size)
        return wcodeci_fail(err, WCODEC_E_NO_SPACE, 0, "the scratch memory is too small");
    for (w = 0; w < threads.workers; w++)
        memset(job.scratch + w * job.scratch_size, 0, sizeof(wcodeci_worker));
    last = wcodeci_reader_tile_at(reader, job.end - 1);
    for (tile = wcodeci_reader_tile_at(reader, offset); tile <= last;) {
        const uint64_t count = wcodeci_min64(last - tile + 1, batch);
        wcodec_status status;
        wcodec_tile_span span;
        job.first_tile = tile;
        wcodeci_run(&threads, (size_t)count, wcodeci_job_run, &job);
        status = wcodeci_job_result(&job, threads.workers, err);
        if (status) return status;
        tile += count;
        if (!progress || !progress->fn) continue;
        wcodeci_reader_span(reader, wcodeci_reader_tile_segment(reader, tile - 1), tile - 1, &span);
        if (progress->fn(progress->user, wcodeci_min64(span.offset + span.size, job.end) - offset, size))
            return wcodeci_fail(err, WCODEC_E_CANCELLED, 0, "cancelled");
    }
    return WCODEC_OK;
}

WCODEC_API wcodec_status wcodec_read(const wcodec_reader *reader, uint64_t offset, void *dst, size_t size,
                                     void *scratch, size_t scratch_size, wcodec_error *err)
{
    return wcodec_read_parallel(reader, offset, dst, size, scratch, scratch_size, NULL, NULL, err);
}

WCODEC_API wcodec_status wcodec_read_segment(const wcodec_reader *reader, size_t i, void *dst,
                                             size_t dst_size, void *scratch, size_t scratch_size,
                                             wcodec_error *err)
{
    const wcodeci_reader_segment *s;
    if (!reader || i >= reader->footer.segments)
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "there is no such segment");
    s = &reader->segments[i];
    if (dst_size < s->size) return wcodeci_fail(err, WCODEC_E_NO_SPACE, 0, "the destination is too small");
    if (dst_size > s->size) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "the destination is too large");
    return wcodec_read(reader, s->offset, dst, dst_size, scratch, scratch_size, err);
}

WCODEC_API wcodec_status wcodec_rows_range(const wcodec_segment *segment, uint64_t begin, uint64_t end,
                                           uint64_t *offset, uint64_t *size)
{
    unsigned elements, bytes;
    uint64_t bits, first, last;
    if (segment->rank == 0 || begin > end || end > segment->shape[0] || segment->size > UINT64_MAX / 8)
        return WCODEC_E_ARGUMENT;
    *offset = *size = 0;
    if (segment->size == 0 || segment->shape[0] == 0) return WCODEC_OK;
    if (wcodec_dtype_block(segment->dtype, &elements, &bytes) && segment->rank == 1) {
        if (begin % elements || end % elements) return WCODEC_E_ARGUMENT;
        *offset = begin / elements * bytes;
        *size = (end - begin) / elements * bytes;
        return *offset <= segment->size && *size <= segment->size - *offset ? WCODEC_OK : WCODEC_E_ARGUMENT;
    }
    bits = segment->size * 8;
    if (bits % segment->shape[0]) return WCODEC_E_ARGUMENT;
    bits /= segment->shape[0];
    first = begin * bits;       /* begin and end are at most shape[0], so these are at most size * 8 */
    last = end * bits;
    if (first % 8 || last % 8) return WCODEC_E_ARGUMENT;
    *offset = first / 8;
    *size = (last - first) / 8;
    return WCODEC_OK;
}

WCODEC_API wcodec_status wcodec_read_rows(const wcodec_reader *reader, size_t i, uint64_t begin, uint64_t end,
                                          void *dst, size_t dst_size, void *scratch, size_t scratch_size,
                                          wcodec_error *err)
{
    wcodec_segment segment;
    uint64_t offset, size;
    if (!reader || wcodec_reader_segment(reader, i, &segment))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "there is no such segment");
    if (wcodec_rows_range(&segment, begin, end, &offset, &size))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "the segment has no such rows");
    if (dst_size != size) return wcodeci_fail(err, dst_size < size ? WCODEC_E_NO_SPACE : WCODEC_E_ARGUMENT, 0,
                                              "the destination is not as large as the rows");
    return wcodec_read(reader, segment.offset + offset, dst, dst_size, scratch, scratch_size, err);
}
