/* ------------------------------------------------------------------------------------------------
 * Finding equal tiles (private)
 * A table of the tiles written so far, by CRC-32 and size; whether bytes are equal is for the writer to see.  It
 * grows as it fills up, to a number of tiles or as far as memory allows; later tiles then only look.
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_COPY_LEAST 256u             /* bytes: a smaller tile, or one coded as less, is not worth a copy */
#define WCODECI_COPY_TILES ((uint64_t)1 << 20)
#define WCODECI_COPY_FIRST 256              /* places of the first table */

typedef struct wcodeci_copy_entry {
    uint64_t offset;                        /* in the view */
    uint32_t crc;
    uint32_t size;                          /* twice the bytes, plus 1 if its record is small; 0: free */
} wcodeci_copy_entry;

typedef struct wcodeci_copies {
    wcodeci_copy_entry *entries;
    uint64_t capacity, count;               /* a power of 2, at least twice as many as there are */
    int full;
} wcodeci_copies;

/* The entry of a tile, or the free one where it belongs. */
static wcodeci_copy_entry *wcodeci_copies_find(const wcodeci_copies *c, uint32_t crc, uint32_t size)
{
    uint64_t at = crc ^ (uint64_t)size * 0x9E3779B1u;
    for (;; at++) {
        wcodeci_copy_entry *e = &c->entries[at & (c->capacity - 1)];
        if (e->size == 0 || (e->crc == crc && e->size >> 1 == size)) return e;
    }
}

/* Makes room for one tile more; afterwards the table is there, or full. */
static wcodec_status wcodeci_copies_room(wcodeci_copies *c, wcodeci_heap *heap)
{
    const uint64_t capacity = c->capacity ? 2 * c->capacity : WCODECI_COPY_FIRST;
    wcodeci_copies larger;
    wcodec_status status;
    uint64_t i;
    void *p;
    if (c->full || 2 * (c->count + 1) <= c->capacity) return WCODEC_OK;
    c->full = c->count >= WCODECI_COPY_TILES;
    if (c->full) return WCODEC_OK;
    status = wcodeci_alloc(heap, capacity * sizeof *c->entries, &p);
    if (status == WCODEC_E_LIMIT) c->full = 1;          /* fewer copies are found, that is all */
    if (status) return status == WCODEC_E_LIMIT ? WCODEC_OK : status;
    larger = *c;
    larger.entries = (wcodeci_copy_entry *)p;
    larger.capacity = capacity;
    memset(p, 0, (size_t)capacity * sizeof *c->entries);
    for (i = 0; i < c->capacity; i++)
        if (c->entries[i].size) *wcodeci_copies_find(&larger, c->entries[i].crc, c->entries[i].size >> 1)
            = c->entries[i];
    wcodeci_release(heap, c->entries, c->capacity * sizeof *c->entries);
    *c = larger;
    return WCODEC_OK;
}

/* Writes the record of a copy; returns its size. */
static size_t wcodeci_copy_encode(uint64_t distance, uint32_t size, uint32_t crc, wcodeci_byte *dst)
{
    size_t used = 2;
    memset(dst, 0, WCODECI_COPY_RECORD);
    used += wcodeci_put_varint(dst + used, distance);
    used += wcodeci_put_varint(dst + used, size);
    wcodeci_store32(dst + used, crc);
    used += 4;
    dst[0] = WCODECI_RECORD_COPY;
    dst[1] = (wcodeci_byte)(used - 2);
    return (size_t)wcodeci_up8(used);
}

#endif
