/* ------------------------------------------------------------------------------------------------
 * Bases (private): the record that names one, and a tile's bytes of it
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_MAX_NAME 65000              /* bytes */
#define WCODECI_BASE_SHA256 32
/* The most that a B record's body takes: a name and its size, the base's size and SHA-256. */
#define WCODECI_MAX_BASE_BODY (3 + WCODECI_MAX_NAME + 10 + WCODECI_BASE_SHA256)

/* Parses the B record of `size` bytes at `record`; the name moves to its start, with a zero byte behind it. */
static wcodec_status wcodeci_base_parse(wcodeci_byte *record, size_t size, wcodec_base *base)
{
    wcodeci_cursor c;
    wcodeci_record head;
    const wcodeci_byte *name, *digest;
    uint64_t name_size;
    c = wcodeci_cursor_make(record, size);
    if (wcodeci_record_parse(&c, &head) || head.type != WCODECI_RECORD_BASE || head.size != size)
        return WCODEC_E_CORRUPT;
    c.end = c.p + (size_t)head.body;
    if (!wcodeci_all_zero(c.end, record + size)) return WCODEC_E_CORRUPT;
    name_size = wcodeci_take_varint(&c);
    if (c.bad || name_size > WCODECI_MAX_NAME) return WCODEC_E_CORRUPT;
    name = wcodeci_take(&c, (size_t)name_size);
    base->size = wcodeci_take_varint(&c);
    digest = wcodeci_take(&c, WCODECI_BASE_SHA256);
    if (c.bad || !digest || c.p != c.end) return WCODEC_E_CORRUPT;
    memcpy(base->sha256, digest, WCODECI_BASE_SHA256);
    if (name_size) memmove(record, name, (size_t)name_size);
    record[name_size] = 0;          /* at least the record's type came before the name */
    base->name = (const char *)record;
    base->name_size = (size_t)name_size;
    return WCODEC_OK;
}

/* What a reader, a push decoder or a writer knows of a base. */
typedef struct wcodeci_base {
    wcodec_source source;
    int there;                              /* there is a source */
    int promised;                           /* the container says that tiles may need it */
    wcodec_base facts;
} wcodeci_base;

/* Takes the source of an option over; 0 if it is none that can be read. */
static int wcodeci_base_take(wcodeci_base *b, const wcodec_source *source)
{
    if (!source) return 1;
    if (!wcodeci_source_ok(source)) return 0;
    b->source = *source;
    b->there = 1;
    return 1;
}

/* The scratch memory for a tile's bytes of the base: none where they lie in memory. */
static uint64_t wcodeci_base_room(const wcodeci_base *b, uint64_t tile)
{
    return b->there && !b->source.memory ? tile : 0;
}

/* `size` bytes of the base from `offset` on: where they lie, or read into `room`. */
static wcodec_status wcodeci_base_bytes(const wcodeci_base *b, uint64_t offset, size_t size, wcodeci_byte *room,
                                        const wcodeci_byte **bytes)
{
    *bytes = room;
    if (offset > b->source.size || size > b->source.size - offset) return WCODEC_E_TRUNCATED;
    if (!b->source.memory) return wcodeci_read_at(&b->source, offset, room, size, NULL);
    *bytes = (const wcodeci_byte *)b->source.memory + offset;
    return WCODEC_OK;
}

/* Finds what the T record of `size` bytes at `record`, which stands at `at` of a container, needs of the base.
 * A record that is broken is left to who decodes it. */
static wcodec_status wcodeci_base_for_tile(const wcodeci_base *b, const wcodeci_byte *record, size_t size,
                                           uint64_t at, wcodeci_byte *room, wcodec_tile_inputs *inputs,
                                           wcodec_error *err)
{
    wcodec_tile_info info;
    wcodec_status status;
    if (wcodec_tile_inspect(record, size, &info, NULL) || !info.based) return WCODEC_OK;
    if (!b->promised)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "a tile needs a base, of which the header says nothing");
    if (info.base_offset > b->facts.size || info.decoded_size > b->facts.size - info.base_offset)
        return wcodeci_fail(err, WCODEC_E_CORRUPT, at, "a tile's bytes do not lie in the base");
    if (!b->there) return wcodeci_fail(err, WCODEC_E_BASE, at, "a tile needs the base, which is not given");
    status = wcodeci_base_bytes(b, info.base_offset, info.decoded_size, room, &inputs->base);
    if (status == WCODEC_E_TRUNCATED) return wcodeci_fail(err, status, at, "the base ends too early");
    return status ? wcodeci_fail(err, status, at, "reading the base failed") : WCODEC_OK;
}
