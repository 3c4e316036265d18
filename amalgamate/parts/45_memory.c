/* ------------------------------------------------------------------------------------------------
 * Memory and sources (private): the one gate for allocation, the one way to read
 * ---------------------------------------------------------------------------------------------- */

/* Every allocation of an object passes here, so `live` is what it holds and `max` bounds it. */
typedef struct wcodeci_heap {
    wcodec_allocator allocator;
    uint64_t live, max;
} wcodeci_heap;

#ifndef WCODEC_NO_MALLOC
static void *wcodeci_malloc(void *user, size_t size)
{
    (void)user;
    return malloc(size);
}

static void wcodeci_free_default(void *user, void *ptr, size_t size)
{
    (void)user;
    (void)size;
    free(ptr);
}
#else
static void *wcodeci_malloc(void *user, size_t size)
{
    (void)user;
    (void)size;
    return NULL;
}

static void wcodeci_free_default(void *user, void *ptr, size_t size)
{
    (void)user;
    (void)ptr;
    (void)size;
}
#endif

static void wcodeci_heap_init(wcodeci_heap *heap, const wcodec_allocator *allocator, uint64_t max,
                              uint64_t default_max)
{
    if (allocator) {
        heap->allocator = *allocator;
    } else {
        heap->allocator.alloc_fn = wcodeci_malloc;
        heap->allocator.free_fn = wcodeci_free_default;
        heap->allocator.user = NULL;
    }
    heap->live = 0;
    heap->max = max ? max : default_max;
}

/* Size 0 gives one byte, so that NULL always means failure. */
static wcodec_status wcodeci_alloc(wcodeci_heap *heap, uint64_t size, void **out)
{
    void *p;
    *out = NULL;
    if (size == 0) size = 1;
    if (size > heap->max - heap->live) return WCODEC_E_LIMIT;
    if (size > (size_t)-1) return WCODEC_E_NO_MEMORY;
    p = heap->allocator.alloc_fn(heap->allocator.user, (size_t)size);
    if (!p) return WCODEC_E_NO_MEMORY;
    heap->live += size;
    *out = p;
    return WCODEC_OK;
}

static void wcodeci_release(wcodeci_heap *heap, void *ptr, uint64_t size)
{
    if (!ptr) return;
    if (size == 0) size = 1;
    heap->live -= size;
    heap->allocator.free_fn(heap->allocator.user, ptr, (size_t)size);
}

static const char *wcodeci_memory_text(wcodec_status status)
{
    return status == WCODEC_E_LIMIT ? "more memory is needed than the limit allows" : "out of memory";
}

#ifndef WCODEC_NO_ENCODER
/* Makes room for `need` items of `item` bytes in a growing array, doubling it. */
static wcodec_status wcodeci_grow(wcodeci_heap *heap, void **array, uint64_t *capacity, uint64_t need,
                                  size_t item)
{
    uint64_t count = *capacity ? *capacity : 16, bytes;
    void *p;
    wcodec_status status;
    if (need <= *capacity) return WCODEC_OK;
    while (count < need) {
        if (count > UINT64_MAX / 2) return WCODEC_E_LIMIT;
        count *= 2;
    }
    if (!wcodeci_mul(count, item, &bytes)) return WCODEC_E_LIMIT;
    status = wcodeci_alloc(heap, bytes, &p);
    if (status) return status;
    wcodeci_copy(p, *array, (size_t)(*capacity * item));
    wcodeci_release(heap, *array, *capacity * item);
    *array = p;
    *capacity = count;
    return WCODEC_OK;
}
#endif

WCODEC_API wcodec_source wcodec_source_memory(const void *memory, size_t size)
{
    wcodec_source source;
    source.memory = memory ? memory : "";
    source.read_at = NULL;
    source.user = NULL;
    source.size = size;
    return source;
}

/* Reads exactly `size` bytes; the end of the source in between is TRUNCATED. */
static wcodec_status wcodeci_read_at(const wcodec_source *source, uint64_t offset, void *dst, size_t size,
                                     wcodec_error *err)
{
    size_t done = 0;
    if (offset > source->size || size > source->size - offset)
        return wcodeci_fail(err, WCODEC_E_TRUNCATED, source->size, "the file ends too early");
    if (source->memory) {
        wcodeci_copy(dst, (const wcodeci_byte *)source->memory + offset, size);
        return WCODEC_OK;
    }
    while (done < size) {
        size_t got = 0;
        wcodec_status status = source->read_at(source->user, offset + done, (wcodeci_byte *)dst + done,
                                               size - done, &got);
        if (status) return wcodeci_fail(err, status, offset + done, "reading failed");
        if (got == 0 || got > size - done)
            return wcodeci_fail(err, WCODEC_E_TRUNCATED, offset + done, "the file ends too early");
        done += got;
    }
    return WCODEC_OK;
}

static int wcodeci_source_ok(const wcodec_source *source)
{
    return source && (source->memory || source->read_at);
}

/* Runs tasks on the caller's threads, or here. */
static void wcodeci_run(const wcodec_parallel *parallel, size_t count,
                        void (*task)(void *arg, size_t i, unsigned worker), void *arg)
{
    size_t i;
    if (parallel->run && parallel->workers > 1 && count > 1) {
        parallel->run(parallel->user, count, task, arg);
        return;
    }
    for (i = 0; i < count; i++) task(arg, i, 0);
}

static wcodec_parallel wcodeci_parallel_or_serial(const wcodec_parallel *parallel)
{
    wcodec_parallel serial;
    if (parallel && parallel->run && parallel->workers > 0) return *parallel;
    serial.run = NULL;
    serial.user = NULL;
    serial.workers = 1;
    return serial;
}
