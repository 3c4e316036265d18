/* ------------------------------------------------------------------------------------------------
 * Plans (private): zip archives, as PyTorch and numpy.savez write them
 *
 * A record of 22 bytes at the file's end (perhaps with a comment behind it, and one of zip64 before it) says where
 * the directory is; that has a header of 46 bytes and a name for each entry, which says where the entry's local
 * header is; behind that are the bytes.  Entries that are stored as they are become segments, .npy files arrays;
 * the rest of the file is opaque, and nothing is inflated or unpickled.
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_ZIP_END 22
#define WCODECI_ZIP_LOCATOR 20
#define WCODECI_ZIP_END64 56
#define WCODECI_ZIP_ENTRY 46
#define WCODECI_ZIP_LOCAL 30
#define WCODECI_ZIP_TAIL (WCODECI_ZIP_END + 65535)

typedef struct wcodeci_zip {
    uint64_t entries, offset, size;         /* the directory */
} wcodeci_zip;

typedef struct wcodeci_zip_entry {
    uint64_t offset, size, stored;          /* of the local header; of the bytes, unpacked and packed */
    unsigned flags, method;
    size_t name_size;
} wcodeci_zip_entry;

static int wcodeci_zip_is(const wcodeci_byte *p, unsigned a, unsigned b)
{
    return p[0] == 'P' && p[1] == 'K' && p[2] == a && p[3] == b;
}

/* The record of zip64, if a locator before the one at `end` leads to it; it replaces what that one says. */
static wcodec_status wcodeci_zip_end64(const wcodec_source *file, uint64_t *end, wcodeci_zip *zip,
                                       wcodec_error *err)
{
    wcodeci_byte p[WCODECI_ZIP_END64];
    uint64_t at;
    wcodec_status status;
    if (*end < WCODECI_ZIP_LOCATOR) return WCODEC_OK;
    status = wcodeci_plan_read(file, *end - WCODECI_ZIP_LOCATOR, p, WCODECI_ZIP_LOCATOR, err);
    if (status || !wcodeci_zip_is(p, 6, 7)) return status;
    at = wcodeci_load64(p + 8);
    if (at > *end - WCODECI_ZIP_LOCATOR || *end - WCODECI_ZIP_LOCATOR - at < WCODECI_ZIP_END64)
        return WCODEC_E_CORRUPT;
    status = wcodeci_plan_read(file, at, p, WCODECI_ZIP_END64, err);
    if (status) return status;
    if (!wcodeci_zip_is(p, 6, 6) || wcodeci_load32(p + 16) || wcodeci_load32(p + 20)
        || wcodeci_load64(p + 24) != wcodeci_load64(p + 32))
        return WCODEC_E_CORRUPT;
    zip->entries = wcodeci_load64(p + 32);
    zip->size = wcodeci_load64(p + 40);
    zip->offset = wcodeci_load64(p + 48);
    *end = at;
    return WCODEC_OK;
}

/* Finds the directory.  `tail` takes the file's last bytes. */
static wcodec_status wcodeci_zip_open(const wcodec_source *file, wcodeci_byte *tail, wcodeci_zip *zip,
                                      wcodec_error *err)
{
    const size_t size = (size_t)wcodeci_min64(file->size, WCODECI_ZIP_TAIL);
    size_t at = size - WCODECI_ZIP_END;
    uint64_t end;
    const wcodeci_byte *p;
    wcodec_status status = wcodeci_plan_read(file, file->size - size, tail, size, err);
    if (status) return status;
    while (!wcodeci_zip_is(tail + at, 5, 6) || wcodeci_load16(tail + at + 20) != size - WCODECI_ZIP_END - at)
        if (at-- == 0) return WCODEC_E_CORRUPT;
    p = tail + at;
    if (wcodeci_load16(p + 4) || wcodeci_load16(p + 6) || wcodeci_load16(p + 8) != wcodeci_load16(p + 10))
        return WCODEC_E_CORRUPT;            /* one of several disks */
    zip->entries = wcodeci_load16(p + 10);
    zip->size = wcodeci_load32(p + 12);
    zip->offset = wcodeci_load32(p + 16);
    end = file->size - size + at;
    status = wcodeci_zip_end64(file, &end, zip, err);
    if (status) return status;
    if (zip->offset > end || zip->size > end - zip->offset || zip->size > WCODECI_MAX_JSON
        || zip->entries > zip->size / WCODECI_ZIP_ENTRY)
        return WCODEC_E_CORRUPT;
    return WCODEC_OK;
}

/* Sizes and offset that did not fit 32 bits, from the extra fields.  0 if they are not there. */
static int wcodeci_zip_extra(const wcodeci_byte *extra, size_t size, wcodeci_zip_entry *entry)
{
    uint64_t *const field[3] = { &entry->size, &entry->stored, &entry->offset };
    const wcodeci_byte *p = NULL;
    size_t left = 0;
    unsigned i;
    while (size >= 4 && !p) {
        const size_t length = wcodeci_load16(extra + 2);
        if (length > size - 4) return 0;
        if (wcodeci_load16(extra) == 1) {
            p = extra + 4;
            left = length;
        }
        extra += 4 + length;
        size -= 4 + length;
    }
    for (i = 0; i < 3; i++) {
        if (*field[i] != 0xFFFFFFFFu) continue;
        if (!p || left < 8) return 0;
        *field[i] = wcodeci_load64(p);
        p += 8;
        left -= 8;
    }
    return 1;
}

/* Adds the bytes of an entry that is stored as it is; one whose local header says something else is left opaque. */
static wcodec_status wcodeci_zip_add(wcodeci_plan *plan, const wcodec_source *file, const wcodeci_zip *zip,
                                     const wcodeci_zip_entry *entry, const char *name, wcodec_error *err)
{
    wcodeci_byte p[WCODECI_ZIP_LOCAL];
    wcodec_segment s;
    uint64_t before;
    wcodec_status status;
    if ((entry->flags & 1) || entry->method || entry->size != entry->stored || entry->size == 0
        || entry->name_size == 0 || entry->name_size > WCODECI_MAX_NAME
        || entry->offset > zip->offset || zip->offset - entry->offset < WCODECI_ZIP_LOCAL)
        return WCODEC_OK;
    status = wcodeci_plan_read(file, entry->offset, p, sizeof p, err);
    if (status) return status;
    before = WCODECI_ZIP_LOCAL + (uint64_t)wcodeci_load16(p + 26) + wcodeci_load16(p + 28);
    if (!wcodeci_zip_is(p, 3, 4) || (p[6] & 1) || wcodeci_load16(p + 8)
        || wcodeci_load16(p + 26) != entry->name_size || before > zip->offset - entry->offset
        || entry->size > zip->offset - entry->offset - before)
        return WCODEC_OK;
    memset(&s, 0, sizeof s);
    s.name = name;
    s.name_size = entry->name_size;
    s.offset = entry->offset + before;
    s.size = entry->size;
    if (s.name_size > 4 && memcmp(name + s.name_size - 4, ".npy", 4) == 0) {
        status = wcodeci_plan_array(plan, file, s.offset, s.size, name, s.name_size, err);
        if (status != WCODEC_E_CORRUPT) return status;
    }
    return wcodeci_plan_add(plan, &s);
}

/* Goes through the directory, which is in `text`.  Each name moves down by a byte, over what has been read, so that
 * a zero byte can follow it. */
static wcodec_status wcodeci_zip_directory(wcodeci_plan *plan, const wcodec_source *file, const wcodeci_zip *zip,
                                           wcodec_error *err)
{
    wcodeci_byte *p = (wcodeci_byte *)plan->text;
    uint64_t left = zip->size, i;
    wcodec_status status = WCODEC_OK;
    for (i = 0; i < zip->entries && !status; i++) {
        wcodeci_zip_entry entry;
        size_t extra, all;
        if (left < WCODECI_ZIP_ENTRY || !wcodeci_zip_is(p, 1, 2)) return WCODEC_E_CORRUPT;
        entry.flags = wcodeci_load16(p + 8);
        entry.method = wcodeci_load16(p + 10);
        entry.stored = wcodeci_load32(p + 20);
        entry.size = wcodeci_load32(p + 24);
        entry.offset = wcodeci_load32(p + 42);
        entry.name_size = wcodeci_load16(p + 28);
        extra = wcodeci_load16(p + 30);
        all = WCODECI_ZIP_ENTRY + entry.name_size + extra + wcodeci_load16(p + 32);
        if (left < all) return WCODEC_E_CORRUPT;
        if (wcodeci_zip_extra(p + WCODECI_ZIP_ENTRY + entry.name_size, extra, &entry)) {
            char *const name = (char *)p + WCODECI_ZIP_ENTRY - 1;
            memmove(name, name + 1, entry.name_size);
            name[entry.name_size] = 0;
            status = wcodeci_zip_add(plan, file, zip, &entry, name, err);
        }
        p += all;
        left -= all;
    }
    return status;
}

static wcodec_status wcodeci_plan_zip(wcodeci_plan *plan, const wcodec_source *file, wcodec_error *err)
{
    wcodeci_byte magic[4];
    wcodeci_zip zip;
    void *tail;
    wcodec_status status;
    if (file->size < WCODECI_ZIP_LOCAL + WCODECI_ZIP_ENTRY + WCODECI_ZIP_END) return WCODEC_E_CORRUPT;
    status = wcodeci_plan_read(file, 0, magic, sizeof magic, err);
    if (status) return status;
    if (!wcodeci_zip_is(magic, 3, 4)) return WCODEC_E_CORRUPT;
    status = wcodeci_alloc(&plan->heap, WCODECI_ZIP_TAIL, &tail);
    if (status) return wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    status = wcodeci_zip_open(file, (wcodeci_byte *)tail, &zip, err);
    wcodeci_release(&plan->heap, tail, WCODECI_ZIP_TAIL);
    if (!status) status = wcodeci_plan_text(plan, zip.size, err);
    if (!status) status = wcodeci_plan_read(file, zip.offset, plan->text, (size_t)zip.size, err);
    if (!status) status = wcodeci_zip_directory(plan, file, &zip, err);
    if (!status) {
        wcodeci_plan_shapes(plan);
        status = wcodeci_plan_arrange(plan);
    }
    if (status == WCODEC_E_LIMIT || status == WCODEC_E_NO_MEMORY)
        wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    return status;
}

#endif
