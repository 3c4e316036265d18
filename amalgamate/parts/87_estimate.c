/* ------------------------------------------------------------------------------------------------
 * Estimates (public, layer 4): what a segment will come to, by a sample
 *
 * A few runs of tiles, spread evenly over the segment, are really encoded, with scales that are fitted to their
 * groups; what they take is scaled up.  What the writer knows of tiles and groups is asked of it (see
 * wcodeci_layout).  Decoding time comes from a table of cycles for what the sample's records turn out to hold.
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_ESTIMATE_MEMORY ((uint64_t)1 << 30)
#define WCODECI_ESTIMATE_RUNS 4u
#define WCODECI_ESTIMATE_UNITS 65536u           /* of a run */
#define WCODECI_ESTIMATE_TILES 64u              /* of a run, at most */
#define WCODECI_ESTIMATE_FIT ((uint64_t)1 << 18)    /* units that a group's scales are fitted to, about */
#define WCODECI_ESTIMATE_HZ ((uint64_t)3000000000u)

/* ---- decoding time ---- */

/* Cycles, in 1/256.  tests/bench/cycles.py found these: it times tiles of many dtypes, coders and profiles with each
 * set of kernels, decoded one after the other into 64 MiB of memory, and takes the numbers for what they hold that
 * come nearest to all of them (mostly within a tenth; a third for single planes of constants and four bits).  On
 * an AMD EPYC (Zen 4) at 3.7 GHz, one thread, gcc 12.2 -O2.  NEON was not measured: it is taken for SSE4.1.
 * The coder mix by one file alone. */
typedef struct wcodeci_cycles {
    uint32_t coder[WCODEC_CODER_COUNT];         /* a value */
    uint32_t predictor[WCODEC_PREDICT_COUNT];   /* a value, beside its coder */
    uint32_t unit_predictor;                    /* a unit */
    uint32_t byte;                              /* of what comes out, */
    uint32_t merge;                             /* and more if its planes are merged in a step of their own: */
    int merges;                                 /* all planes are */
} wcodeci_cycles;

static const wcodeci_cycles wcodeci_cycles_scalar = {
    { 75, 33, 40, 850, 1549, 1950, 2881, 88000, 1800, 100 }, { 0, 1925, 405, 0, 0, 0 }, 1000, 0, 220, 1
};
#if WCODECI_X86 || WCODECI_NEON
static const wcodeci_cycles wcodeci_cycles_sse41 = {
    { 27, 12, 10, 810, 198, 545, 545, 88000, 1800, 40 }, { 0, 96, 52, 0, 0, 0 }, 1000, 22, 24, 0
};
#endif
#if WCODECI_X86
static const wcodeci_cycles wcodeci_cycles_avx2 = {
    { 14, 0, 3, 800, 102, 495, 285, 88000, 1800, 24 }, { 0, 98, 48, 0, 0, 0 }, 1000, 35, 22, 0
};
static const wcodeci_cycles wcodeci_cycles_avx512 = {
    { 10, 0, 4, 800, 68, 505, 145, 88000, 1800, 20 }, { 0, 70, 30, 0, 0, 0 }, 1000, 35, 28, 0
};
#endif
/* Whole cycles for a plane beside its values: tables that are made of its model, and values that come
 * slower where they are few.  So that tiles of 512 values come out as measured. */
static const uint32_t wcodeci_cycles_plane[WCODEC_CODER_COUNT] = { 50, 50, 50, 4000, 1000, 8000, 3000, 30000, 6000, 50 };
/* Undoing a difference from the base, a byte: eight bytes take two cycles. */
enum { WCODECI_CYCLES_BASE = 64 };
/* CRC-32, a byte: by tables, by carry-less multiplication, by that on vectors of 512 bits. */
enum { WCODECI_CYCLES_CRC = 165, WCODECI_CYCLES_CRC_CLMUL = 64, WCODECI_CYCLES_CRC_VCLMUL = 16 };

static const wcodeci_cycles *wcodeci_cycles_of(unsigned cpu)
{
#if WCODECI_X86
    if (!(cpu & WCODEC_CPU_SSE41)) return &wcodeci_cycles_scalar;
    if (!(cpu & WCODEC_CPU_AVX2)) return &wcodeci_cycles_sse41;
    return cpu & WCODEC_CPU_AVX512 ? &wcodeci_cycles_avx512 : &wcodeci_cycles_avx2;
#elif WCODECI_NEON
    return cpu & WCODEC_CPU_NEON ? &wcodeci_cycles_sse41 : &wcodeci_cycles_scalar;
#else
    (void)cpu;
    return &wcodeci_cycles_scalar;
#endif
}

static unsigned wcodeci_cycles_crc(unsigned cpu)
{
    if (cpu & WCODEC_CPU_VCLMUL) return WCODECI_CYCLES_CRC_VCLMUL;
    return cpu & WCODEC_CPU_CLMUL ? WCODECI_CYCLES_CRC_CLMUL : WCODECI_CYCLES_CRC;
}

/* ---- arithmetic ---- */

/* a * b / c, rounded down, or UINT64_MAX; c is not 0. */
static uint64_t wcodeci_mul_div(uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t mask = 0xFFFFFFFFu;
    const uint64_t low = (a & mask) * (b & mask), mid = (a >> 32) * (b & mask) + (low >> 32);
    const uint64_t mid2 = (a & mask) * (b >> 32) + (mid & mask);
    uint64_t rest = (a >> 32) * (b >> 32) + (mid >> 32) + (mid2 >> 32);
    uint64_t bits = mid2 << 32 | (low & mask), quotient = 0;
    unsigned i;
    if (rest >= c) return UINT64_MAX;
    for (i = 0; i < 64; i++) {          /* rest < c: long division, a bit at a time */
        const int over = (rest >> 63) != 0;
        rest = rest << 1 | bits >> 63;
        bits <<= 1;
        quotient <<= 1;
        if (over || rest >= c) {
            rest -= c;
            quotient |= 1;
        }
    }
    return quotient;
}

static uint64_t wcodeci_add_up(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

/* ---- the sample ---- */

typedef struct wcodeci_estimator {
    const wcodec_segment *segment;
    const wcodec_source *file;
    wcodec_error *err;
    wcodec_tile_options tile;
    wcodeci_layout layout;
    const wcodeci_cycles *cycles;
    unsigned crc_cycles;                        /* a byte, in 1/256 */
    int whole;                                  /* the sample is all there is */
    size_t run;                                 /* units of a run: more where they are bytes of blocks */
    size_t piece;                               /* units that are encoded at a time, at most */
    size_t fit_rows;                            /* rows that a group's scales are fitted to, at most */

    wcodeci_base base;
    wcodeci_byte *input, *record, *rows, *scales, *scratch, *base_room;
    size_t record_size, scratch_size;

    int scaled;                                 /* the groups of this segment have scales, */
    size_t group_record;                        /* and that of the open one takes this; 0: it has none; */
    int group_used;                             /* a tile came to need it */
    uint64_t units, tile_bytes, cost;           /* of what was encoded; cost: cycles, in 1/256 */
    uint64_t groups, scale_bytes;
} wcodeci_estimator;

WCODEC_API wcodec_estimate_options wcodec_estimate_defaults(void)
{
    wcodec_estimate_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    return options;
}

/* Reads `count` units from unit number `begin` of the segment on. */
static wcodec_status wcodeci_estimate_read(const wcodeci_estimator *e, uint64_t begin, uint64_t count,
                                           wcodeci_byte *dst)
{
    const unsigned unit = e->layout.cut.unit;
    return wcodeci_read_at(e->file, e->segment->offset + begin * unit, dst, (size_t)(count * unit), e->err);
}

/* What decoding the planes of a tile, or of a field, takes. */
static uint64_t wcodeci_estimate_planes(const wcodeci_estimator *e, const wcodec_tile_info *info)
{
    const wcodeci_cycles *c = e->cycles;
    const size_t n = info->decoded_size / info->unit;
    uint64_t cost = (uint64_t)info->decoded_size * c->byte;
    int merges = info->planes > 1;
    unsigned k;
    if (info->based) cost += (uint64_t)info->decoded_size * WCODECI_CYCLES_BASE;
    else if (info->predictor != WCODEC_PREDICT_NONE) cost += (uint64_t)n * c->unit_predictor;
    for (k = 0; k < info->planes; k++) {
        const wcodec_plane_info *plane = &info->plane[k];
        cost += (uint64_t)n * (c->coder[plane->coder] + c->predictor[plane->predictor])
              + 256 * (uint64_t)wcodeci_cycles_plane[plane->coder];
        if (plane->coder == WCODEC_CODER_RANS16 || plane->coder == WCODEC_CODER_CLASSES) merges &= c->merges;
    }
    return merges ? cost + (uint64_t)info->decoded_size * c->merge : cost;
}

/* What decoding a record takes; fields are put into their blocks as bytes are copied. */
static uint64_t wcodeci_estimate_cost(const wcodeci_estimator *e, const wcodec_tile_info *info, size_t size)
{
    uint64_t cost = (uint64_t)info->decoded_size * e->crc_cycles + wcodeci_estimate_planes(e, info);
    unsigned f;
    for (f = 0; f < info->fields; f++) {
        wcodec_tile_info field;
        if (!wcodec_tile_inspect_field(e->record, size, f, &field, NULL)) cost += wcodeci_estimate_planes(e, &field);
    }
    return cost;
}

/* Encodes units `begin` to `end`. */
static wcodec_status wcodeci_estimate_tile(wcodeci_estimator *e, uint64_t begin, uint64_t end)
{
    const wcodeci_cut *cut = &e->layout.cut;
    wcodec_tile_info info;
    wcodec_tile_inputs inputs;
    size_t size;
    wcodec_status status = wcodeci_estimate_read(e, begin, end - begin, e->input);
    if (status) return status;
    memset(&info, 0, sizeof info);
    memset(&inputs, 0, sizeof inputs);
    if (e->group_record) {
        inputs.scales = e->scales;
        inputs.columns = e->layout.columns;
        inputs.phase = (size_t)(begin % e->layout.columns);
    }
    if (e->segment->has_base) {
        inputs.base_offset = e->segment->base_offset + begin * cut->unit;
        status = wcodeci_base_bytes(&e->base, inputs.base_offset, (size_t)(end - begin) * cut->unit, e->base_room,
                                    &inputs.base);
        if (status) return wcodeci_fail(e->err, status, e->segment->offset, "reading the base failed");
    }
    size = wcodec_tile_encode(e->segment->dtype, e->layout.row, e->input, (size_t)(end - begin) * cut->unit,
                              &inputs, &e->tile, e->record, e->record_size, e->scratch, e->scratch_size);
    if (!size) return wcodeci_fail(e->err, WCODEC_E_ARGUMENT, 0, "the encoder's options are wrong");
    (void)wcodec_tile_inspect(e->record, size, &info, NULL);
    e->group_used |= info.scaled;
    e->units += end - begin;
    e->tile_bytes += size;
    e->cost += wcodeci_estimate_cost(e, &info, size);
    return WCODEC_OK;
}

/* Reads the rows that the writer would look at, or every so many-th of them, and fits scales to them. */
static wcodec_status wcodeci_estimate_fit(wcodeci_estimator *e, uint64_t begin, uint64_t end)
{
    const uint64_t columns = e->layout.columns, skip = wcodeci_first_row(begin, e->layout.columns);
    wcodeci_fit_sample sample;
    uint64_t step, i;
    wcodec_status status = WCODEC_OK;
    e->group_record = 0;
    if (end - begin < skip + 2 * columns) return WCODEC_OK;
    begin += skip;
    sample.split = wcodeci_scales_split(e->segment->dtype);
    sample.src = e->rows;
    sample.width = (size_t)columns;
    sample.rows = (size_t)((end - begin) / columns);
    step = (sample.rows - 1) / WCODECI_FIT_ROWS + 1;
    while ((sample.rows - 1) / step + 1 > e->fit_rows) step++;
    sample.rows = (sample.rows - 1) / (size_t)step + 1;
    sample.step = 1;
    if (step == 1) status = wcodeci_estimate_read(e, begin, sample.rows * columns, e->rows);
    for (i = 0; i < sample.rows && step > 1 && !status; i++)
        status = wcodeci_estimate_read(e, begin + i * step * columns, columns,
                                       e->rows + i * columns * e->layout.cut.unit);
    if (status) return status;
    if (wcodeci_scales_fit(&sample, (size_t)(end - begin), e->tile.cpu_off, e->scales, e->scratch))
        e->group_record = wcodeci_scales_encode(e->scales, (size_t)columns, e->tile.cpu_off, e->record,
                                                e->scratch, e->scratch_size);
    return WCODEC_OK;
}

/* Scales for tiles of the group that holds tile number `tile`. */
static wcodec_status wcodeci_estimate_group(wcodeci_estimator *e, uint64_t tile)
{
    const wcodeci_layout *l = &e->layout;
    uint64_t first, last, begin, end, other;
    wcodec_status status;
    e->group_record = 0;
    e->group_used = 0;
    if (l->per_group == 0 || l->columns > WCODECI_MAX_COLUMNS || (e->groups && !e->scaled)) return WCODEC_OK;
    first = tile / l->per_group * l->per_group;
    last = wcodeci_min64(first + l->per_group, l->cut.tiles) - 1;
    wcodeci_cut_tile(&l->cut, first, &begin, &other);
    wcodeci_cut_tile(&l->cut, last, &other, &end);
    status = wcodeci_estimate_fit(e, begin, end);
    if (e->groups == 0) e->scaled = e->group_record != 0;
    e->groups++;
    e->scale_bytes += e->group_record;
    if (e->group_record) e->cost += (uint64_t)l->columns * e->cycles->coder[WCODEC_CODER_HUFFMAN];
    return status;
}

/* The open group ends: scales that no tile needed are left out as the writer does it (see wcodeci_batch_unused). */
static void wcodeci_estimate_group_end(wcodeci_estimator *e)
{
    const int only = e->layout.per_group == e->layout.cut.tiles;
    if (!e->group_record || e->group_used || (e->whole && e->groups == 1 && !only)) return;
    e->scale_bytes -= e->group_record;
    if (only) e->scaled = 0;
}

/* All of it, as the writer does it. */
static wcodec_status wcodeci_estimate_all(wcodeci_estimator *e)
{
    const wcodeci_cut *cut = &e->layout.cut;
    uint64_t i, begin, end;
    wcodec_status status = WCODEC_OK;
    for (i = 0; i < cut->tiles && !status; i++) {
        if (e->layout.per_group && i % e->layout.per_group == 0) {
            if (i) wcodeci_estimate_group_end(e);
            status = wcodeci_estimate_group(e, i);
        }
        wcodeci_cut_tile(cut, i, &begin, &end);
        if (!status) status = wcodeci_estimate_tile(e, begin, end);
    }
    if (!status) wcodeci_estimate_group_end(e);
    return status;
}

/* Run number `run` of tiles that are smaller than a run: from the middle of its part of the segment, and all
 * of one group. */
static wcodec_status wcodeci_estimate_run(wcodeci_estimator *e, unsigned run)
{
    const wcodeci_cut *cut = &e->layout.cut;
    uint64_t most = wcodeci_min64(e->run / cut->per_tile, WCODECI_ESTIMATE_TILES);
    uint64_t first = wcodeci_mul_div(cut->tiles, 2 * run + 1, 2 * WCODECI_ESTIMATE_RUNS), last = cut->tiles;
    uint64_t begin, end;
    wcodec_status status;
    first -= wcodeci_min64(first, most / 2);
    if (e->layout.per_group) {
        const uint64_t group = first / e->layout.per_group * e->layout.per_group;
        last = wcodeci_min64(last, group + e->layout.per_group);
        most = wcodeci_min64(most, last - group);
    }
    if (first > last - most) first = last - most;
    status = wcodeci_estimate_group(e, first);
    for (; most && !status; most--, first++) {
        wcodeci_cut_tile(cut, first, &begin, &end);
        status = wcodeci_estimate_tile(e, begin, end);
    }
    return status;
}

/* A part of a tile that is larger than a run: whole rows, if they are not longer. */
static wcodec_status wcodeci_estimate_part(wcodeci_estimator *e, unsigned run)
{
    const wcodeci_cut *cut = &e->layout.cut;
    uint64_t begin = wcodeci_mul_div(cut->units, 2 * run + 1, 2 * WCODECI_ESTIMATE_RUNS) - e->piece / 2;
    wcodec_status status;
    begin -= begin % (cut->row <= e->piece ? cut->row : e->layout.block);
    status = wcodeci_estimate_group(e, wcodeci_cut_find(cut, begin));
    return status ? status : wcodeci_estimate_tile(e, begin, begin + e->piece);
}

static wcodec_status wcodeci_estimate_sample(wcodeci_estimator *e)
{
    wcodec_status status = WCODEC_OK;
    unsigned run;
    if (e->whole) return wcodeci_estimate_all(e);
    for (run = 0; run < WCODECI_ESTIMATE_RUNS && !status; run++) {
        status = e->layout.cut.per_tile > e->run ? wcodeci_estimate_part(e, run)
                                                                 : wcodeci_estimate_run(e, run);
        if (!status) wcodeci_estimate_group_end(e);
    }
    return status;
}

/* ---- the whole ---- */

/* What has to be known before there is memory. */
static void wcodeci_estimate_plan(wcodeci_estimator *e)
{
    const wcodeci_cut *cut = &e->layout.cut;
    uint64_t rows;
    e->run = WCODECI_ESTIMATE_UNITS * (e->layout.block > 1 ? WCODECI_BLOCKS_UNITS : 1);
    e->whole = cut->units <= (uint64_t)WCODECI_ESTIMATE_RUNS * e->run
            && cut->tiles <= (uint64_t)WCODECI_ESTIMATE_RUNS * WCODECI_ESTIMATE_TILES;
    e->piece = (size_t)wcodeci_min64(cut->per_tile, cut->units);
    if (!e->whole && e->piece > e->run) {
        e->piece = e->run;
        e->piece -= e->piece % (cut->row < e->piece ? (size_t)cut->row : e->layout.block);
    }
    if (e->layout.per_group == 0) return;
    rows = WCODECI_ESTIMATE_FIT / e->layout.columns;
    e->fit_rows = (size_t)(rows < 4 ? 4 : wcodeci_min64(rows, WCODECI_FIT_ROWS));
}

/* One block of memory for all; its size in *size. */
static wcodec_status wcodeci_estimate_allocate(wcodeci_estimator *e, wcodeci_heap *heap, void **block,
                                               uint64_t *size)
{
    const size_t unit = e->layout.cut.unit, columns = e->layout.per_group ? e->layout.columns : 0;
    const size_t input = e->piece * unit, large = input > columns ? input : columns;
    const size_t rows = e->fit_rows * columns * unit, base = (size_t)wcodeci_base_room(&e->base, input);
    wcodeci_byte *p;
    wcodec_status status;
    e->record_size = wcodec_tile_bound(large);
    e->scratch_size = wcodeci_encode_scratch(e->tile.profile, large) + wcodec_scales_fit_scratch(columns);
    *size = (uint64_t)e->scratch_size + input + e->record_size + rows + columns + base;
    status = wcodeci_alloc(heap, *size, block);
    if (status) return wcodeci_fail(e->err, status, 0, wcodeci_memory_text(status));
    p = (wcodeci_byte *)*block;
    e->scratch = p;
    e->input = e->scratch + e->scratch_size;
    e->record = e->input + input;
    e->rows = e->record + e->record_size;
    e->scales = e->rows + rows;
    e->base_room = e->scales + columns;
    return WCODEC_OK;
}

/* Bytes of the segment's entry in the index, for records that are all about as large as the average. */
static uint64_t wcodeci_estimate_entry(const wcodeci_estimator *e, uint64_t tile_bytes, uint64_t groups)
{
    const wcodec_segment *s = e->segment;
    const wcodeci_layout *l = &e->layout;
    uint64_t size = 3 + wcodeci_varint_size(s->name_size) + s->name_size + wcodeci_varint_size(s->rank);
    unsigned i;
    for (i = 0; i < s->rank; i++) size += wcodeci_varint_size(s->shape[i]);
    if (l->given)
        size += wcodeci_varint_size(s->size) + wcodeci_varint_size(l->cut.unit) + wcodeci_varint_size(l->cut.row);
    if (s->size == 0) return size;
    size += 1 + wcodeci_varint_size(l->cut.per_tile)
          + l->cut.tiles * wcodeci_varint_size(tile_bytes / l->cut.tiles / 8);
    if (!e->scaled) return size;
    size += wcodeci_varint_size(l->per_group) + wcodeci_varint_size(l->columns);
    return size + groups * wcodeci_varint_size(e->scale_bytes / e->groups / 8);
}

/* From what the sample took to what all takes, and what follows. */
static void wcodeci_estimate_conclude(const wcodeci_estimator *e, const wcodec_estimate_options *opts,
                                      wcodec_estimate *out)
{
    const uint64_t units = e->layout.cut.units, hz = opts->cpu_hz ? opts->cpu_hz : WCODECI_ESTIMATE_HZ;
    uint64_t tiles = e->tile_bytes, scales = e->scale_bytes, cost = e->cost, groups = 0;
    if (e->layout.per_group) groups = (e->layout.cut.tiles - 1) / e->layout.per_group + 1;
    if (!e->whole) {
        tiles = wcodeci_mul_div(tiles, units, e->units);
        cost = wcodeci_mul_div(cost, units, e->units);
        if (e->groups) scales = wcodeci_mul_div(scales, groups, e->groups);
    }
    memset(out, 0, sizeof *out);
    out->size = e->segment->size;
    out->exact = e->whole;
    out->records = wcodeci_add_up(tiles, scales);
    out->coded = wcodeci_add_up(out->records, wcodeci_estimate_entry(e, tiles, groups));
    out->decode_ns = wcodeci_mul_div(cost, 1000000000u, hz) / 256 / (opts->threads ? opts->threads : 1);
    out->coded_load_ns = out->decode_ns;
    out->compress = out->coded < out->size;
    if (opts->disk_bytes_per_s == 0) return;
    out->raw_load_ns = wcodeci_mul_div(out->size, 1000000000u, opts->disk_bytes_per_s);
    out->coded_load_ns = wcodeci_mul_div(out->coded, 1000000000u, opts->disk_bytes_per_s);
    if (out->coded_load_ns < out->decode_ns) out->coded_load_ns = out->decode_ns;
    out->compress = out->compress && out->decode_ns < out->raw_load_ns;
}

static wcodec_status wcodeci_estimate_run_all(wcodeci_estimator *e, const wcodec_estimate_options *opts)
{
    wcodeci_heap heap;
    uint64_t size;
    void *block;
    wcodec_status status;
    if (e->segment->size == 0) {
        e->whole = 1;
        return WCODEC_OK;
    }
    wcodeci_heap_init(&heap, opts->allocator, opts->max_memory, WCODECI_ESTIMATE_MEMORY);
    wcodeci_estimate_plan(e);
    status = wcodeci_estimate_allocate(e, &heap, &block, &size);
    if (status) return status;
    status = wcodeci_estimate_sample(e);
    wcodeci_release(&heap, block, size);
    return status;
}

WCODEC_API wcodec_status wcodec_estimate_segment(const wcodec_segment *segment, const wcodec_source *file,
                                                 const wcodec_estimate_options *options, wcodec_estimate *out,
                                                 wcodec_error *err)
{
    wcodec_estimate_options opts = wcodec_estimate_defaults();
    wcodeci_estimator e;
    wcodec_segment alone;
    unsigned cpu;
    wcodec_status status;
    memset(&e, 0, sizeof e);
    if (!segment || !out || !wcodeci_source_ok(file)
        || !wcodeci_options_copy(&opts, options, sizeof opts, sizeof opts)
        || opts.tile_units > WCODECI_MAX_TILE_UNITS || !wcodeci_base_take(&e.base, opts.base))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a pointer is NULL, or the options are wrong");
    if (segment->has_base && !e.base.there) {
        alone = *segment;
        alone.has_base = 0;
        segment = &alone;
    }
    if (!wcodeci_layout_make(segment, opts.tile.profile, opts.tile_units, &e.layout))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "dtype, shape and size of a segment disagree");
    if (segment->offset > file->size || segment->size > file->size - segment->offset)
        return wcodeci_fail(err, WCODEC_E_TRUNCATED, file->size, "the file ends before the segment");
    if (segment->has_base && (segment->base_offset > e.base.source.size
                              || segment->size > e.base.source.size - segment->base_offset))
        return wcodeci_fail(err, WCODEC_E_ARGUMENT, 0, "a segment does not lie in the base");
    cpu = wcodec_cpu_detect() & ~opts.cpu_off;
    e.segment = segment;
    e.file = file;
    e.err = err;
    e.tile = opts.tile;
    e.cycles = wcodeci_cycles_of(cpu);
    e.crc_cycles = opts.no_crc ? 0 : wcodeci_cycles_crc(cpu);
    status = wcodeci_estimate_run_all(&e, &opts);
    if (status) return status;
    wcodeci_estimate_conclude(&e, &opts, out);
    return WCODEC_OK;
}

#endif
