/* ------------------------------------------------------------------------------------------------
 * Copies of earlier tiles: their records (private, and layer 1 of the API)
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_RECORD_COPY 0x52
#define WCODECI_COPY_RECORD 24              /* bytes: the largest such record */

/* Reads the record of a copy, all of it. */
static wcodec_status wcodeci_copy_parse(const wcodeci_byte *src, size_t size, wcodec_copy_info *info)
{
    wcodeci_cursor c = wcodeci_cursor_make(src, size);
    wcodeci_record record;
    uint64_t decoded;
    wcodec_status status = wcodeci_record_parse(&c, &record);
    if (status) return status;
    if (record.size > WCODECI_COPY_RECORD) return WCODEC_E_CORRUPT;
    if (record.size > size) return WCODEC_E_TRUNCATED;
    c.end = c.p + (size_t)record.body;
    info->distance = wcodeci_take_varint(&c);
    decoded = wcodeci_take_varint(&c);
    info->crc = wcodeci_take32(&c);
    if (c.bad || c.p != c.end || decoded == 0 || decoded > WCODEC_MAX_TILE_BYTES || info->distance < decoded
        || !wcodeci_all_zero(c.end, src + (size_t)record.size))
        return WCODEC_E_CORRUPT;
    info->decoded_size = (size_t)decoded;
    info->record_size = (size_t)record.size;
    return WCODEC_OK;
}

WCODEC_API wcodec_status wcodec_copy_inspect(const void *src, size_t size, wcodec_copy_info *info,
                                             wcodec_error *err)
{
    const wcodeci_byte *p = (const wcodeci_byte *)src;
    wcodec_status status;
    if ((!src && size) || !info) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    if (size == 0) return wcodeci_fail(err, WCODEC_E_TRUNCATED, 0, "there is no record");
    if (p[0] != WCODECI_RECORD_COPY) return WCODEC_E_NOT_FOUND;
    status = wcodeci_copy_parse(p, size, info);
    return status ? wcodeci_fail(err, status, 0, "the record of a copy is broken") : WCODEC_OK;
}
