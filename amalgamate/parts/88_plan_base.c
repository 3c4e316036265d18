/* ------------------------------------------------------------------------------------------------
 * Plans with a base (public, layer 4): which segment is coded against which
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_BASE_WORTH 64       /* a base must save one part in so many: who decodes needs it too */
#define WCODECI_BASE_LEAST 512      /* bytes that all segments save together, at least: more than its record takes */

static int wcodeci_segment_less(const void *context, uint32_t a, uint32_t b)
{
    const wcodec_segment *s = (const wcodec_segment *)context;
    const int order = wcodeci_name_compare(s[a].name, s[a].name_size, s[b].name, s[b].name_size);
    return order ? order < 0 : a < b;
}

static int wcodeci_segment_twins(const wcodec_segment *a, const wcodec_segment *b)
{
    unsigned i;
    if (a->dtype != b->dtype || a->rank != b->rank || a->size != b->size || a->size == 0) return 0;
    for (i = 0; i < a->rank; i++)
        if (a->shape[i] != b->shape[i]) return 0;
    return 1;
}

/* The base's segment of this name, or NULL. */
static const wcodec_segment *wcodeci_segment_find(const wcodec_segment *s, const wcodec_segment *base,
                                                  const uint32_t *by_name, size_t count)
{
    size_t low = 0, high = count;
    while (low < high) {        /* the first that is not before the name */
        const size_t middle = low + (high - low) / 2;
        const wcodec_segment *b = &base[by_name[middle]];
        if (wcodeci_name_compare(b->name, b->name_size, s->name, s->name_size) < 0) low = middle + 1;
        else high = middle;
    }
    if (low == count) return NULL;
    base = &base[by_name[low]];
    return wcodeci_name_compare(base->name, base->name_size, s->name, s->name_size) ? NULL : base;
}

/* Gives a segment its twin as the base if that pays; *saved grows by what it saves. */
static wcodec_status wcodeci_segment_base(wcodec_segment *s, const wcodec_segment *twin, const wcodec_source *file,
                                          const wcodec_estimate_options *options, uint64_t *saved,
                                          wcodec_error *err)
{
    wcodec_estimate alone, based;
    wcodec_status status = wcodec_estimate_segment(s, file, options, &alone, err);
    if (status) return status;
    s->has_base = 1;
    s->base_offset = twin->offset;
    status = wcodec_estimate_segment(s, file, options, &based, err);
    if (!status && based.coded < alone.coded - alone.coded / WCODECI_BASE_WORTH) {
        *saved += alone.coded - based.coded;
        return WCODEC_OK;
    }
    s->has_base = 0;
    s->base_offset = 0;
    return status;
}

static void wcodeci_plan_alone(wcodeci_plan *p)
{
    size_t i;
    for (i = 0; i < p->plan.count; i++) {
        p->segments[i].has_base = 0;
        p->segments[i].base_offset = 0;
    }
}

WCODEC_API wcodec_status wcodec_plan_base(wcodec_plan *plan, const wcodec_source *file, const wcodec_segment *base,
                                          size_t base_count, const wcodec_estimate_options *options,
                                          size_t *found, size_t *used, wcodec_error *err)
{
    wcodeci_plan *p = (wcodeci_plan *)(void *)plan;
    uint64_t saved = 0;
    size_t i, twins = 0, taken = 0;
    uint32_t *by_name;
    void *block;
    wcodec_status status;
    if (!plan || !wcodeci_source_ok(file) || (!base && base_count) || base_count > UINT32_MAX || !options
        || options->struct_size != sizeof *options || !wcodeci_source_ok(options->base))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL, or the options are wrong");
    wcodeci_plan_alone(p);
    status = wcodeci_alloc(&p->heap, (uint64_t)base_count * sizeof *by_name, &block);
    if (status) return wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    by_name = (uint32_t *)block;
    for (i = 0; i < base_count; i++) by_name[i] = (uint32_t)i;
    wcodeci_sort(by_name, base_count, wcodeci_segment_less, base);
    for (i = 0; i < plan->count && !status; i++) {
        wcodec_segment *s = &p->segments[i];
        const wcodec_segment *twin = s->name_size ? wcodeci_segment_find(s, base, by_name, base_count) : NULL;
        if (!twin || !wcodeci_segment_twins(s, twin)) continue;
        twins++;
        status = wcodeci_segment_base(s, twin, file, options, &saved, err);
        taken += s->has_base != 0;
    }
    wcodeci_release(&p->heap, block, (uint64_t)base_count * sizeof *by_name);
    if (status || saved < WCODECI_BASE_LEAST) {
        wcodeci_plan_alone(p);
        taken = 0;
    }
    if (found) *found = twins;
    if (used) *used = taken;
    return status;
}

#endif
