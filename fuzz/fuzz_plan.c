/* Plans for any file: no file is refused, the segments tile it, and what the plan makes of it encodes and
 * comes back.  And plans of any segments: those that are taken do the same. */
#include "common.h"

/* In order, without holes, and each as large as its dtype and shape say. */
static void check_plan(const wcodec_plan *plan, size_t size)
{
    uint64_t end = 0, elements;
    size_t i;
    unsigned d, count, bytes, features = 0;
    FUZZ_REQUIRE(plan->size == size && plan->format != NULL);
    for (i = 0; i < plan->count; i++) {
        const wcodec_segment *s = &plan->segments[i];
        FUZZ_REQUIRE(s->offset == end && s->size <= size - end && s->name[s->name_size] == 0);
        end += s->size;
        if (s->dtype == WCODEC_BYTES) continue;
        for (elements = 1, d = 0; d < s->rank; d++) elements *= s->shape[d];
        if (wcodec_dtype_block(s->dtype, &count, &bytes)) features = WCODEC_FEATURE_BLOCKS;
        FUZZ_REQUIRE(elements % count == 0 && elements / count * bytes == s->size);
    }
    FUZZ_REQUIRE(end == size && plan->features == features);
}

/* Through the writer and back. */
static void check_file(const wcodec_source *file, const wcodec_plan *plan, const uint8_t *data, size_t size)
{
    fuzz_bytes out = { NULL, 0, 0 }, back = { NULL, 0, 0 };
    wcodec_writer_options options = wcodec_writer_defaults();
    wcodec_sink sink;
    wcodec_writer *writer = NULL;
    wcodec_source container;
    wcodec_reader *reader = NULL;
    wcodec_reader_info info;
    size_t taken, originals, i;
    sink.write = fuzz_write;
    sink.user = &out;
    options.tile_units = 256;       /* the default takes megabytes, and time */
    options.features = plan->features;
    FUZZ_REQUIRE(wcodec_writer_open(&writer, &sink, &options, NULL) == WCODEC_OK);
    FUZZ_REQUIRE(wcodec_writer_file(writer, "file", 4, file, plan, NULL, NULL) == WCODEC_OK);
    FUZZ_REQUIRE(wcodec_writer_finish(writer, NULL) == WCODEC_OK);
    wcodec_writer_close(writer);
    FUZZ_REQUIRE(fuzz_push_all(out.data, out.size, NULL, NULL, &back, &taken, &originals) == WCODEC_END);
    FUZZ_REQUIRE(back.size == size && (size == 0 || memcmp(back.data, data, size) == 0));
    container = wcodec_source_memory(out.data, out.size);
    FUZZ_REQUIRE(wcodec_reader_open(&reader, &container, NULL, NULL) == WCODEC_OK);
    wcodec_reader_get_info(reader, &info);
    FUZZ_REQUIRE(info.segments == plan->count && info.view_size == size);
    for (i = 0; i < plan->count; i++) {
        wcodec_segment s;
        const wcodec_segment *p = &plan->segments[i];
        FUZZ_REQUIRE(wcodec_reader_segment(reader, i, &s) == WCODEC_OK);
        FUZZ_REQUIRE(s.dtype == p->dtype && s.size == p->size && s.rank == p->rank);
        FUZZ_REQUIRE(s.name_size == p->name_size && memcmp(s.name, p->name, s.name_size) == 0);
        FUZZ_REQUIRE(s.rank == 0 || memcmp(s.shape, p->shape, s.rank * sizeof *s.shape) == 0);
    }
    wcodec_reader_close(reader);
    free(out.data);
    free(back.data);
}

/* Segments that the input's first bytes describe, of which most may be in order. */
static void check_own_plan(const wcodec_source *file, const uint8_t *data, size_t size, fuzz_random *r,
                           const wcodec_plan_options *options)
{
    wcodec_segment list[8];
    uint64_t shape[8];
    wcodec_plan *plan = NULL;
    const size_t count = fuzz_below(r, 9);
    size_t i, wrong = 0;
    unsigned elements, bytes;
    uint64_t at = 0;
    wcodec_status status;
    memset(list, 0, sizeof list);
    for (i = 0; i < count; i++) {
        wcodec_segment *s = &list[i];
        s->dtype = fuzz_below(r, 4) ? (unsigned)fuzz_below(r, 26) : 64 + (unsigned)fuzz_below(r, 44);
        s->rank = (unsigned)fuzz_below(r, 2);
        s->shape = &shape[i];
        s->name = (const char *)data;
        s->name_size = fuzz_below(r, size < 20 ? size + 1 : 20);
        s->offset = at + fuzz_below(r, 5);
        shape[i] = i < size ? data[i] : 1;
        s->size = (s->rank ? shape[i] : 1) * wcodec_dtype_bits(s->dtype) / 8;
        if (s->dtype == WCODEC_BYTES) s->size = shape[i];
        if (wcodec_dtype_block(s->dtype, &elements, &bytes)) {
            shape[i] *= elements;
            s->size = (s->rank ? shape[i] : elements) / elements * bytes;
        }
        if (fuzz_below(r, 50) == 0) s->size = fuzz_next(r);
        if (fuzz_below(r, 50) == 0) s->offset = fuzz_next(r);
        s->row = fuzz_below(r, 3) ? 0 : fuzz_below(r, 50);
        at = s->offset + s->size;
    }
    status = wcodec_plan_from(&plan, list, count, size, options, &wrong, NULL);
    FUZZ_REQUIRE(status == WCODEC_OK || (status == WCODEC_E_ARGUMENT && plan == NULL && wrong < count));
    if (status) return;
    check_plan(plan, size);
    check_file(file, plan, data, size);
    wcodec_plan_close(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_heap heap;
    fuzz_random r = fuzz_random_from(data, size);
    wcodec_allocator allocator = fuzz_allocator(&heap);
    wcodec_plan_options options = wcodec_plan_defaults();
    unsigned char *copy = fuzz_exact(data, size);
    wcodec_source file = wcodec_source_memory(copy, size);
    fuzz_bytes bytes = { NULL, 0, 0 };
    wcodec_plan *plan = NULL;
    options.allocator = &allocator;
    options.max_memory = FUZZ_MAX_MEMORY;
    if (fuzz_below(&r, 16) == 0) options.dtype = (unsigned)fuzz_below(&r, WCODEC_DTYPE_END);
    if (wcodec_dtype_name(options.dtype) == NULL) options.dtype = WCODEC_Q4_0;
    if (options.dtype != WCODEC_BYTES) options.row = fuzz_below(&r, 100);
    bytes.data = copy;
    bytes.size = size;
    if (fuzz_below(&r, 2) == 0) {
        file.memory = NULL;
        file.read_at = fuzz_read_at;
        file.user = &bytes;
    }
    FUZZ_REQUIRE(wcodec_plan_open(&plan, &file, &options, NULL) == WCODEC_OK);
    check_plan(plan, size);
    if (fuzz_below(&r, 4) == 0 || strcmp(plan->format, "raw") != 0) check_file(&file, plan, copy, size);
    wcodec_plan_close(plan);
    if (fuzz_below(&r, 4) == 0) check_own_plan(&file, copy, size, &r, &options);
    FUZZ_REQUIRE(heap.live == 0);
    free(copy);
    return 0;
}

/* Of safetensors: keeps the header's length true most of the time: from a `{` in front to the last `}`.  Files of the
 * other formats keep their magic. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    fuzz_random r;
    size_t end;
    r.state = seed;
    size = LLVMFuzzerMutate(data, size, max_size);
    if (size < 10 || data[0] == 'G' || data[0] == 'P' || data[0] == 0x93 || fuzz_below(&r, 4) == 0) return size;
    for (end = size; end > 9 && data[end - 1] != '}'; end--) { }
    if (end > 9) {
        uint64_t n = end - 8;
        unsigned i;
        for (i = 0; i < 8; i++) data[i] = (uint8_t)(n >> 8 * i);
    }
    return size;
}
