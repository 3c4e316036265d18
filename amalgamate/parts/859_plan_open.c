/* ------------------------------------------------------------------------------------------------
 * Plans (public, layer 4): of any file, of what the caller knows of it, and the writer of a file by its plan
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

WCODEC_API wcodec_plan_options wcodec_plan_defaults(void)
{
    wcodec_plan_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    return options;
}

static void wcodeci_plan_clear(wcodeci_plan *plan)
{
    wcodeci_release(&plan->heap, plan->text, plan->text_size);
    wcodeci_release(&plan->heap, plan->segments, plan->segment_capacity * sizeof *plan->segments);
    wcodeci_release(&plan->heap, plan->shapes, plan->shape_capacity * sizeof *plan->shapes);
    wcodeci_release(&plan->heap, plan->order, plan->order_count * sizeof *plan->order);
    plan->text = NULL;
    plan->segments = NULL;
    plan->shapes = NULL;
    plan->order = NULL;
    plan->text_size = plan->segment_capacity = plan->shape_capacity = plan->shapes_used = plan->order_count = 0;
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

/* The formats there are.  A file that is of none of them is raw. */
typedef struct wcodeci_plan_format {
    const char *name;
    wcodec_status (*parse)(wcodeci_plan *plan, const wcodec_source *file, wcodec_error *err);
} wcodeci_plan_format;

static const wcodeci_plan_format wcodeci_plan_formats[] = {
    { "safetensors", wcodeci_plan_safetensors },
    { "gguf", wcodeci_plan_gguf },
    { "npy", wcodeci_plan_npy },
    { "zip", wcodeci_plan_zip }
};

static wcodec_status wcodeci_plan_find_format(wcodeci_plan *plan, const wcodec_source *file, wcodec_error *err)
{
    size_t i;
    for (i = 0; i < sizeof wcodeci_plan_formats / sizeof wcodeci_plan_formats[0]; i++) {
        wcodec_status status;
        plan->plan.format = wcodeci_plan_formats[i].name;
        status = wcodeci_plan_formats[i].parse(plan, file, err);
        if (status != WCODEC_E_CORRUPT) return status;
        wcodeci_plan_clear(plan);
    }
    return WCODEC_E_CORRUPT;
}

/* Says what a writer must know of the plan. */
static void wcodeci_plan_publish(wcodeci_plan *plan)
{
    size_t i;
    plan->plan.segments = plan->segments;
    for (i = 0; i < plan->plan.count; i++)
        if (wcodeci_block_of(plan->segments[i].dtype)) plan->plan.features |= WCODEC_FEATURE_BLOCKS;
}

/* A plan without segments. */
static wcodec_status wcodeci_plan_make(wcodeci_plan **out, uint64_t size, const wcodec_plan_options *options,
                                       wcodec_error *err)
{
    wcodeci_heap heap;
    void *block;
    wcodec_status status;
    wcodeci_heap_init(&heap, options->allocator, options->max_memory, WCODECI_PLAN_MEMORY);
    status = wcodeci_alloc(&heap, sizeof **out, &block);
    if (status) return wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    *out = (wcodeci_plan *)block;
    memset(*out, 0, sizeof **out);
    (*out)->heap = heap;
    (*out)->plan.size = size;
    return WCODEC_OK;
}

WCODEC_API wcodec_status wcodec_plan_open(wcodec_plan **out, const wcodec_source *file,
                                          const wcodec_plan_options *options, wcodec_error *err)
{
    wcodec_plan_options opts = wcodec_plan_defaults();
    wcodeci_plan *plan;
    wcodec_status status;
    if (!out) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    *out = NULL;
    if (!wcodeci_source_ok(file) || !wcodeci_options_copy(&opts, options, sizeof opts, sizeof opts)
        || !wcodec_dtype_name(opts.dtype))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "wrong file or options");
    status = wcodeci_plan_make(&plan, file->size, &opts, err);
    if (status) return status;
    status = opts.dtype == WCODEC_BYTES ? wcodeci_plan_find_format(plan, file, err) : WCODEC_E_CORRUPT;
    if (status == WCODEC_E_CORRUPT) {
        plan->plan.format = "raw";
        status = wcodeci_plan_raw(plan, &opts);
        if (status) wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    }
    wcodeci_plan_publish(plan);
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

/* Copies a segment with its name, which goes to *text and moves that on.  ARGUMENT if it contradicts itself. */
static wcodec_status wcodeci_plan_take(wcodeci_plan *plan, const wcodec_segment *segment, char **text)
{
    wcodec_segment s = *segment;
    wcodeci_layout layout;
    unsigned i;
    wcodec_status status = WCODEC_OK;
    if (!wcodeci_layout_make(segment, WCODEC_PROFILE_FAST, WCODECI_TILE_UNITS, &layout)) return WCODEC_E_ARGUMENT;
    for (i = 0; i < s.rank && !status; i++) status = wcodeci_plan_dimension(plan, s.shape[i]);
    if (status) return status;
    s.name = *text;
    wcodeci_copy(*text, segment->name, s.name_size);
    *text += s.name_size;
    *(*text)++ = 0;
    return wcodeci_plan_add(plan, &s);
}

static wcodec_status wcodeci_plan_from(wcodeci_plan *plan, const wcodec_segment *segments, size_t count,
                                       size_t *wrong, wcodec_error *err)
{
    static const char *const disagree = "dtype, shape and size of a segment disagree";
    uint64_t names = 0;
    char *text;
    wcodec_status status;
    for (*wrong = 0; *wrong < count; ++*wrong) {
        const wcodec_segment *s = &segments[*wrong];
        if (s->name_size > WCODECI_MAX_NAME || (s->name_size && !s->name))
            return wcodeci_fail(err, WCODEC_E_ARGUMENT, s->offset, "the name of a segment is too long");
        names += s->name_size + 1;
    }
    status = wcodeci_plan_text(plan, names, err);
    if (status) return status;
    text = plan->text;
    for (*wrong = 0; *wrong < count && !status; *wrong += !status)
        status = wcodeci_plan_take(plan, &segments[*wrong], &text);
    if (status == WCODEC_E_ARGUMENT) return wcodeci_fail(err, status, segments[*wrong].offset, disagree);
    if (!status) {
        wcodeci_plan_shapes(plan);
        status = wcodeci_plan_arrange(plan);
    }
    if (status != WCODEC_E_CORRUPT)
        return status ? wcodeci_fail(err, status, 0, wcodeci_memory_text(status)) : WCODEC_OK;
    if (count >= UINT32_MAX) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "too many segments");
    *wrong = (size_t)plan->wrong;
    return wcodeci_fail(err, WCODEC_E_ARGUMENT, segments[*wrong].offset,
                        "a segment overlaps the one before or passes the file's end");
}

WCODEC_API wcodec_status wcodec_plan_from(wcodec_plan **out, const wcodec_segment *segments, size_t count,
                                          uint64_t size, const wcodec_plan_options *options, size_t *wrong,
                                          wcodec_error *err)
{
    wcodec_plan_options opts = wcodec_plan_defaults();
    wcodeci_plan *plan;
    size_t number;
    wcodec_status status;
    if (!out) return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL");
    *out = NULL;
    if (!wrong) wrong = &number;
    *wrong = count;
    if ((!segments && count) || !wcodeci_options_copy(&opts, options, sizeof opts, sizeof opts))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "wrong segments or options");
    status = wcodeci_plan_make(&plan, size, &opts, err);
    if (status) return status;
    plan->plan.format = "plan";
    status = wcodeci_plan_from(plan, segments, count, wrong, err);
    wcodeci_plan_publish(plan);
    if (status) wcodec_plan_close(&plan->plan);
    else *out = &plan->plan;
    if (status != WCODEC_E_ARGUMENT) *wrong = count;
    return status;
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
