/* ------------------------------------------------------------------------------------------------
 * Plans (public, layer 4): opening one, and writing a file by it
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

static void wcodeci_plan_clear(wcodeci_plan *plan)
{
    wcodeci_release(&plan->heap, plan->json, plan->json_size);
    wcodeci_release(&plan->heap, plan->segments, plan->segment_capacity * sizeof *plan->segments);
    wcodeci_release(&plan->heap, plan->shapes, plan->shape_capacity * sizeof *plan->shapes);
    wcodeci_release(&plan->heap, plan->order, plan->order_count * sizeof *plan->order);
    plan->json = NULL;
    plan->segments = NULL;
    plan->shapes = NULL;
    plan->order = NULL;
    plan->segment_capacity = plan->shape_capacity = plan->shapes_used = plan->order_count = 0;
    plan->plan.count = 0;
}

/* All of one dtype, with a rest of bytes where the size is not whole; or opaque. */
static wcodec_status wcodeci_plan_raw(wcodeci_plan *plan, const wcodec_plan_options *options)
{
    unsigned count, step;
    uint64_t elements, rest = plan->plan.size;
    const int blocks = wcodec_dtype_block(options->dtype, &count, &step);
    wcodec_segment s;
    wcodec_status status = WCODEC_OK;
    memset(&s, 0, sizeof s);
    s.name = "";
    if (step) {
        void *p = NULL;
        elements = plan->plan.size / step * count;
        rest = plan->plan.size % step;
        status = wcodeci_grow(&plan->heap, &p, &plan->shape_capacity, 2, sizeof(uint64_t));
        plan->shapes = (uint64_t *)p;
        if (status) return status;
        plan->shapes[0] = elements;
        s.rank = 1;
        if (options->row && elements % options->row == 0 && elements && !(blocks && options->row % count)) {
            plan->shapes[0] = elements / options->row;
            plan->shapes[1] = options->row;
            s.rank = 2;
        }
        s.shape = plan->shapes;
        s.dtype = options->dtype;
        s.size = plan->plan.size - rest;
        if (s.size) status = wcodeci_plan_add(plan, &s);
        if (status) return status;
    }
    if (!rest) return WCODEC_OK;
    s.dtype = WCODEC_BYTES;
    s.offset = plan->plan.size - rest;
    s.size = rest;
    s.rank = 0;
    s.shape = NULL;
    return wcodeci_plan_add(plan, &s);
}

/* Tries the formats, each of which says CORRUPT of a file that is not its own. */
static wcodec_status wcodeci_plan_find(wcodeci_plan *plan, const wcodec_source *file,
                                       const wcodec_plan_options *options, wcodec_error *err)
{
    wcodec_status status = WCODEC_E_CORRUPT;
    if (options->dtype == WCODEC_BYTES) {
        plan->plan.format = "safetensors";
        status = wcodeci_plan_safetensors(plan, file, err);
        if (status != WCODEC_E_CORRUPT) return status;
        wcodeci_plan_clear(plan);
        plan->plan.format = "gguf";
        status = wcodeci_plan_gguf(plan, file, err);
        if (status != WCODEC_E_CORRUPT) return status;
        wcodeci_plan_clear(plan);
    }
    plan->plan.format = "raw";
    status = wcodeci_plan_raw(plan, options);
    if (status) wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    return status;
}

WCODEC_API wcodec_status wcodec_plan_open(wcodec_plan **out, const wcodec_source *file,
                                          const wcodec_plan_options *options, wcodec_error *err)
{
    wcodec_plan_options opts = wcodec_plan_defaults();
    wcodeci_heap heap;
    wcodeci_plan *plan;
    wcodec_status status;
    void *block;
    size_t i;
    if (!out) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    *out = NULL;
    if (!wcodeci_source_ok(file) || !wcodeci_options_copy(&opts, options, sizeof opts, sizeof opts)
        || !wcodec_dtype_name(opts.dtype))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "wrong file or options");
    wcodeci_heap_init(&heap, opts.allocator, opts.max_memory, WCODECI_PLAN_MEMORY);
    status = wcodeci_alloc(&heap, sizeof *plan, &block);
    if (status) return wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    plan = (wcodeci_plan *)block;
    memset(plan, 0, sizeof *plan);
    plan->heap = heap;
    plan->plan.size = file->size;
    status = wcodeci_plan_find(plan, file, &opts, err);
    plan->plan.segments = plan->segments;
    for (i = 0; i < plan->plan.count; i++)
        if (wcodeci_block_of(plan->segments[i].dtype)) plan->plan.features |= WCODEC_FEATURE_BLOCKS;
    if (status) wcodec_plan_close(&plan->plan);
    else *out = &plan->plan;
    return status;
}

WCODEC_API void wcodec_plan_close(wcodec_plan *plan)
{
    wcodeci_plan *p = (wcodeci_plan *)(void *)plan;
    wcodeci_heap heap;
    if (!p) return;
    wcodeci_plan_clear(p);
    heap = p->heap;
    wcodeci_release(&heap, p, sizeof *p);
}

#define WCODECI_FILE_WINDOW ((size_t)1 << 18)

/* Gives a run of the file to the writer: through `window`, or where it is in memory without a copy. */
static wcodec_status wcodeci_writer_copy(wcodec_writer *w, const wcodec_source *file, uint64_t offset,
                                         uint64_t size, void *window, const wcodec_progress *progress,
                                         wcodec_error *err)
{
    while (size) {
        const size_t take = (size_t)wcodeci_min64(size, WCODECI_FILE_WINDOW);
        const void *data = window;
        wcodec_status status;
        if (file->memory) {
            if (offset > file->size || take > file->size - offset)
                return wcodeci_fail(err, WCODEC_E_ARGUMENT, offset, "the plan is longer than the file");
            data = (const wcodeci_byte *)file->memory + (size_t)offset;
        } else {
            status = wcodeci_read_at(file, offset, window, take, err);
            if (status) return wcodeci_plan_read_failed(status, err);
        }
        status = wcodec_writer_data(w, data, take, err);
        if (status) return status;
        offset += take;
        size -= take;
        if (progress && progress->fn && progress->fn(progress->user, offset, file->size))
            return wcodeci_fail(err, WCODEC_E_CANCELLED, offset, "cancelled");
    }
    return WCODEC_OK;
}

/* Do the plan's segments follow one another from the file's first byte on? */
static int wcodeci_plan_in_order(const wcodec_plan *plan)
{
    uint64_t at = 0;
    size_t i;
    for (i = 0; i < plan->count; i++) {
        if (plan->segments[i].offset != at || !wcodeci_add(&at, plan->segments[i].size)) return 0;
    }
    return 1;
}

WCODEC_API wcodec_status wcodec_writer_file(wcodec_writer *writer, const char *name, size_t name_size,
                                            const wcodec_source *file, const wcodec_plan *plan,
                                            const wcodec_progress *progress, wcodec_error *err)
{
    wcodec_error local;
    wcodec_status status;
    void *window = NULL;
    size_t i;
    if (!err) err = &local;
    if (!writer || !wcodeci_source_ok(file) || !plan)
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    status = wcodec_writer_original(writer, name, name_size, 0, err);
    if (status) return status;
    if (!file->memory) {
        status = wcodeci_alloc(&writer->heap, WCODECI_FILE_WINDOW, &window);
        if (status) wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    }
    writer->file = *file;
    writer->file_offset = writer->view;         /* the batch is empty now */
    writer->file_open = wcodeci_plan_in_order(plan);
    writer->lent = file->memory != NULL;
    for (i = 0; i < plan->count && !status; i++) {
        const wcodec_segment *s = &plan->segments[i];
        status = wcodec_writer_segment(writer, s, err);
        if (!status) status = wcodeci_writer_copy(writer, file, s->offset, s->size, window, progress, err);
    }
    /* The file is there to be compared with, and its memory lent, for as long as this runs. */
    if (!status && wcodeci_writer_flush(writer)) status = wcodeci_writer_error(writer, err);
    writer->file_open = 0;
    writer->lent = 0;
    wcodeci_release(&writer->heap, window, WCODECI_FILE_WINDOW);
    /* Half an original is of no use: what failed here fails the writer, with its own place and reason. */
    if (status && !writer->error.status) writer->error = *err;
    return status;
}

#endif
