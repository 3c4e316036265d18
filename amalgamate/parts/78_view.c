/* ------------------------------------------------------------------------------------------------
 * The view (public, layer 2): reads of any size, one after the other
 * It keeps the tile that was decoded last, which the reader, who never changes, cannot.
 * ---------------------------------------------------------------------------------------------- */

static size_t wcodeci_view_room(const wcodec_reader *reader)
{
    wcodec_reader_info info;
    wcodec_reader_get_info(reader, &info);
    return (size_t)wcodeci_min64(info.max_tile_bytes, info.view_size);
}

WCODEC_API size_t wcodec_view_need(const wcodec_reader *reader)
{
    return reader ? wcodeci_view_room(reader) + wcodec_reader_scratch(reader) : 0;
}

WCODEC_API wcodec_status wcodec_view_open(wcodec_view *view, const wcodec_reader *reader, size_t original,
                                          void *memory, size_t memory_size)
{
    wcodec_original o;
    wcodec_reader_info info;
    size_t room;
    if (!view) return WCODEC_E_ARGUMENT;
    memset(view, 0, sizeof *view);
    view->error.status = WCODEC_E_ARGUMENT;     /* until it is open nothing can be read */
    view->error.what = "the view is not open";
    if (!reader || !memory) return WCODEC_E_ARGUMENT;
    if (memory_size < wcodec_view_need(reader)) return view->error.status = WCODEC_E_NO_SPACE;
    wcodec_reader_get_info(reader, &info);
    o.offset = 0;
    o.size = info.view_size;
    if (original != WCODEC_ALL_ORIGINALS && wcodec_reader_original(reader, original, &o) != WCODEC_OK)
        return WCODEC_E_ARGUMENT;
    room = wcodeci_view_room(reader);
    view->reader = reader;
    view->tile = (unsigned char *)memory;
    view->scratch = view->tile + room;
    view->scratch_size = memory_size - room;
    view->begin = o.offset;
    view->size = o.size;
    view->error.status = WCODEC_OK;
    view->error.what = NULL;
    return WCODEC_OK;
}

/* How many of `size` bytes from `offset` on, where a tile begins, are whole tiles. */
static size_t wcodeci_view_whole(const wcodec_view *view, uint64_t offset, size_t size)
{
    wcodec_tile_span span;
    if (wcodec_reader_tile(view->reader, offset + size, &span) != WCODEC_OK) return size;     /* the end of all */
    return span.offset > offset ? (size_t)(span.offset - offset) : 0;
}

/* Reads some of `size` bytes, 1 or more, from `offset` of the reader's view: from the tile that is kept, or whole
 * tiles where they belong, or from the next tile to be kept.  Returns how many; 0 after an error. */
static size_t wcodeci_view_some(wcodec_view *view, uint64_t offset, wcodeci_byte *dst, size_t size)
{
    wcodec_tile_span span;
    size_t some;
    wcodec_status status;
    if (offset - view->tile_offset >= view->tile_size) {
        (void)wcodec_reader_tile(view->reader, offset, &span);
        some = span.offset == offset ? wcodeci_view_whole(view, offset, size) : 0;
        if (some) {
            status = wcodec_read(view->reader, offset, dst, some, view->scratch, view->scratch_size, &view->error);
            return status ? 0 : some;
        }
        view->tile_size = 0;
        status = wcodec_read(view->reader, span.offset, view->tile, span.size, view->scratch, view->scratch_size,
                             &view->error);
        if (status) return 0;
        view->tile_offset = span.offset;
        view->tile_size = span.size;
    }
    some = (size_t)(offset - view->tile_offset);
    size = wcodeci_min(size, view->tile_size - some);
    memcpy(dst, view->tile + some, size);
    return size;
}

WCODEC_API size_t wcodec_view_read(wcodec_view *view, uint64_t offset, void *dst, size_t size)
{
    wcodeci_byte *to = (wcodeci_byte *)dst;
    size_t there = 0, done = 0;
    if (!dst) return 0;
    if (view && !view->error.status && offset < view->size)
        there = (size_t)wcodeci_min64(size, view->size - offset);
    while (done < there) {
        const size_t some = wcodeci_view_some(view, view->begin + offset + done, to + done, there - done);
        if (!some) done = there = 0;
        done += some;
    }
    if (done < size) memset(to + done, 0, size - done);
    return done;
}

WCODEC_API wcodec_status wcodec_view_status(const wcodec_view *view, wcodec_error *err)
{
    if (!view) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    if (view->error.status) wcodeci_fail(err, view->error.status, view->error.offset, view->error.what);
    return view->error.status;
}
