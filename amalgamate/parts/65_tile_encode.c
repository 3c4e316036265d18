/* ------------------------------------------------------------------------------------------------
 * Tiles: encoding (private, and layer 1 of the API)
 *
 * Chosen by size, from the outside in: the split and the unit predictor for the tile; for each plane a
 * predictor; for each plane a coder.  Coders are compared by what they really take; splits and predictors
 * too where the tile is small, else by the entropy of a sample, with the winner of a plane's predictors
 * confirmed on the whole plane.  Everything is integer arithmetic, so the choice is the same everywhere.
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_SAMPLE 4096         /* units: a tile up to this is tried out in full */
#define WCODECI_SAMPLE_RUN 512      /* a sample is taken in runs of so many */
#define WCODECI_TRIAL_SIZE (WCODECI_SAMPLE * 8 + 1024)

typedef struct wcodeci_encoder {
    const wcodeci_byte *src;
    size_t size;
    unsigned dtype;
    uint64_t row;                       /* units, 0: none */
    wcodec_tile_options options;
    wcodeci_byte *units, *plane, *residual, *work, *second, *trial;     /* parts of the scratch memory */
} wcodeci_encoder;

WCODEC_API size_t wcodec_tile_encode_scratch(size_t size)
{
    /* units, plane, residual: `size` each; work: 2 size; second: size and a group; trial. */
    return 6 * size + 64 + WCODECI_TRIAL_SIZE + 64;
}

WCODEC_API size_t wcodec_tile_bound(size_t size)
{
    /* A raw plane of w < 8 bits takes 8 w bytes for its last 64 values, however few there are; the narrow
     * planes of a unit have 8 bits in all, which makes 64 bytes.  And padding to 8. */
    return WCODEC_TILE_HEAD + size + 64 + 8;
}

/* Four counters for each value, in turn, so that a run of equal values does not wait for itself. */
static void wcodeci_count(const wcodeci_byte *v, size_t n, uint32_t count[256])
{
    uint32_t part[3][256];
    size_t i;
    unsigned s;
    memset(part, 0, sizeof part);
    memset(count, 0, 256 * sizeof count[0]);
    for (i = 0; i + 4 <= n; i += 4) {
        count[v[i]]++;
        part[0][v[i + 1]]++;
        part[1][v[i + 2]]++;
        part[2][v[i + 3]]++;
    }
    for (; i < n; i++) count[v[i]]++;
    for (s = 0; s < 256; s++) count[s] += part[0][s] + part[1][s] + part[2][s];
}

/* n values' order-0 entropy in bits. */
static uint64_t wcodeci_entropy(const uint32_t count[256], size_t n)
{
    uint64_t sum = 0;
    const uint32_t log_n = wcodeci_log2((uint32_t)n);
    unsigned s;
    for (s = 0; s < 256; s++)
        if (count[s]) sum += (uint64_t)count[s] * (log_n - wcodeci_log2(count[s]));
    return sum / 65536;
}

/* The place of sample number k of n units: whole runs, spread evenly. */
static size_t wcodeci_sample_place(size_t k, size_t n)
{
    const size_t runs = WCODECI_SAMPLE / WCODECI_SAMPLE_RUN;
    if (n <= WCODECI_SAMPLE) return k;
    return (size_t)((uint64_t)(n - WCODECI_SAMPLE_RUN) * (k / WCODECI_SAMPLE_RUN) / (runs - 1))
         + k % WCODECI_SAMPLE_RUN;
}

/* The entropy of a sample of the tile's planes under a split and a unit predictor, in bits. */
static uint64_t wcodeci_sample_units(const wcodeci_encoder *e, unsigned split, unsigned predictor)
{
    const wcodeci_split_row *row = &wcodeci_splits[split];
    const size_t n = e->size / row->unit, samples = wcodeci_min(n, WCODECI_SAMPLE);
    const size_t distance = predictor ? wcodeci_predict_distance(predictor, e->row, n) : n;
    uint64_t bits = 0;
    unsigned k;
    for (k = 0; k < row->planes; k++) {
        uint32_t count[256];
        size_t i;
        memset(count, 0, sizeof count);
        for (i = 0; i < samples; i++) {
            size_t at = wcodeci_sample_place(i, n);
            uint64_t x = wcodeci_load_unit(e->src + at * row->unit, row->unit);
            wcodeci_byte unit[8], value;
            if (at >= distance) x -= wcodeci_load_unit(e->src + (at - distance) * row->unit, row->unit);
            wcodeci_store_unit(unit, row->unit, x);
            wcodeci_split_body(&row->plane[k], row->unit, unit, &value, 1);
            count[value]++;
        }
        bits += wcodeci_entropy(count, samples);
    }
    return bits;
}

/* The same of one plane under a plane predictor. */
static uint64_t wcodeci_sample_plane(const wcodeci_byte *v, size_t n, unsigned width, unsigned predictor,
                                     uint64_t row)
{
    const size_t samples = wcodeci_min(n, WCODECI_SAMPLE);
    const size_t distance = predictor ? wcodeci_predict_distance(predictor, row, n) : n;
    const unsigned mask = (1u << width) - 1;
    uint32_t count[256];
    size_t i;
    memset(count, 0, sizeof count);
    for (i = 0; i < samples; i++) {
        size_t at = wcodeci_sample_place(i, n);
        unsigned x = v[at];
        if (at >= distance) x -= v[at - distance];
        count[x & mask]++;
    }
    return wcodeci_entropy(count, samples);
}

/* The models of a plane's coders, and the least that each can take; 0: it cannot code this plane. */
typedef struct wcodeci_choice {
    wcodeci_huff_model huff;
    wcodeci_rans16_model rans16;
    wcodeci_rans256_model rans256;
    size_t least[WCODEC_CODER_COUNT];
} wcodeci_choice;

static void wcodeci_choice_prepare(const wcodeci_plane *plane, unsigned coders, wcodeci_choice *choice)
{
    const size_t raw = wcodeci_raw_size(plane->n, plane->width);
    wcodeci_byte symbol[256];
    const unsigned m = wcodeci_sort_counts(plane->count, symbol);
    const size_t rest = plane->n - plane->count[symbol[m - 1]];
    const size_t bound = (size_t)(wcodeci_entropy(plane->count, plane->n) / 8);
    size_t *least = choice->least;
    memset(least, 0, sizeof choice->least);
    least[WCODEC_CODER_RAW] = raw;
    if (m == 1) {
        if (coders >> WCODEC_CODER_CONSTANT & 1) least[WCODEC_CODER_CONSTANT] = 1;
        return;
    }
    /* Coding must save one part in 256: reading a raw plane costs nothing. */
    if (coders >> WCODEC_CODER_RAW & 1) least[WCODEC_CODER_RAW] -= raw / 256;
    if (bound >= least[WCODEC_CODER_RAW]) return;       /* no coder goes below the entropy */
    if (coders >> WCODEC_CODER_SPARSE & 1) least[WCODEC_CODER_SPARSE] = 2 + 2 * rest;
    if (coders >> WCODEC_CODER_HUFFMAN & 1)
        least[WCODEC_CODER_HUFFMAN] = wcodeci_huff_prepare(plane, symbol, m, &choice->huff);
    /* rANS-16 takes 100 bytes beside the message; Huffman at most 16 more than its least. */
    if ((coders >> WCODEC_CODER_RANS16 & 1) && bound + WCODECI_RANS16_HEAD - 64 < least[WCODEC_CODER_RAW]
        && (!least[WCODEC_CODER_HUFFMAN]
            || bound + WCODECI_RANS16_HEAD - 64 < least[WCODEC_CODER_HUFFMAN] + 16))
        least[WCODEC_CODER_RANS16] = wcodeci_rans16_prepare(plane, symbol, m, &choice->rans16);
    if (coders >> WCODEC_CODER_RANS256 & 1)
        least[WCODEC_CODER_RANS256] = wcodeci_rans256_prepare(plane, &choice->rans256);
}

static unsigned wcodeci_choice_least(const wcodeci_choice *choice)
{
    unsigned c, best = WCODEC_CODER_RAW;
    for (c = 1; c < WCODEC_CODER_COUNT; c++)
        if (choice->least[c] && choice->least[c] < choice->least[best]) best = c;
    return best;
}

static size_t wcodeci_encode_with(unsigned coder, const wcodeci_plane *plane, const wcodeci_choice *choice,
                                  wcodeci_byte *dst, size_t cap, wcodeci_byte *work)
{
    switch (coder) {
    case WCODEC_CODER_CONSTANT: return wcodeci_constant_encode(plane, dst, cap);
    case WCODEC_CODER_SPARSE: return wcodeci_sparse_encode(plane, dst, cap);
    case WCODEC_CODER_HUFFMAN: return wcodeci_huff_encode(plane, &choice->huff, dst, cap);
    case WCODEC_CODER_RANS16: return wcodeci_rans16_encode(plane, &choice->rans16, dst, cap, work);
    case WCODEC_CODER_RANS256: return wcodeci_rans256_encode(plane, &choice->rans256, dst, cap, work);
    default: return wcodeci_raw_encode(plane, dst, cap);
    }
}

/* Codes a plane at dst by the coder that takes least, and returns its size.  `least` does not overstate what
 * a coder takes, so the search ends when nothing left can be smaller than what was written. */
static size_t wcodeci_plane_encode(wcodeci_encoder *e, const wcodeci_plane *plane, wcodeci_choice *choice,
                                   wcodeci_byte *dst, unsigned *coder)
{
    const size_t raw = wcodeci_raw_size(plane->n, plane->width);
    size_t best = 0;
    for (;;) {
        unsigned c = wcodeci_choice_least(choice);
        size_t size;
        if (best && choice->least[c] >= best) return best;
        if (c == WCODEC_CODER_RAW) {
            *coder = c;
            return wcodeci_raw_encode(plane, dst, raw);
        }
        choice->least[c] = 0;
        size = wcodeci_encode_with(c, plane, choice, best ? e->second : dst, best ? best - 1 : raw, e->work);
        if (!size || size >= choice->least[WCODEC_CODER_RAW]) continue;
        if (best) memcpy(dst, e->second, size);
        best = size;
        *coder = c;
    }
}

static int wcodeci_allowed(const wcodeci_encoder *e, unsigned predictor, size_t n)
{
    if (predictor == WCODEC_PREDICT_NONE) return 1;
    if (!(e->options.predictors >> predictor & 1)) return 0;
    return predictor == WCODEC_PREDICT_LEFT ? n > 1 : e->row > 1 && e->row < n;
}

/* Makes the residuals of e->plane and counts them. */
static void wcodeci_plane_predict(wcodeci_encoder *e, unsigned predictor, wcodeci_plane *plane)
{
    plane->v = e->plane;
    if (predictor != WCODEC_PREDICT_NONE) {
        wcodeci_predict_plane(e->plane, e->residual, plane->n, plane->width, predictor, e->row);
        plane->v = e->residual;
    }
    wcodeci_count(plane->v, plane->n, plane->count);
}

/* Writes a plane, predicted if that is smaller, at dst; returns its size and fills in coder and predictor. */
static size_t wcodeci_plane_best(wcodeci_encoder *e, size_t n, unsigned width, wcodeci_byte *dst,
                                 wcodec_plane_info *info)
{
    wcodeci_plane plane;
    wcodeci_choice choice;
    unsigned p, coder = 0, predictor = WCODEC_PREDICT_NONE, prepared = WCODEC_PREDICT_NONE;
    uint64_t sample;
    size_t least;
    plane.n = n;
    plane.width = width;
    wcodeci_plane_predict(e, WCODEC_PREDICT_NONE, &plane);
    wcodeci_choice_prepare(&plane, e->options.coders, &choice);
    least = choice.least[wcodeci_choice_least(&choice)];
    sample = wcodeci_sample_plane(plane.v, n, width, WCODEC_PREDICT_NONE, e->row);
    for (p = WCODEC_PREDICT_LEFT; p < WCODEC_PREDICT_COUNT && least > 1; p++) {
        size_t size;
        if (!wcodeci_allowed(e, p, n)) continue;
        if (n > WCODECI_SAMPLE && wcodeci_sample_plane(e->plane, n, width, p, e->row) >= sample - sample / 64)
            continue;
        wcodeci_plane_predict(e, p, &plane);
        prepared = p;
        if (wcodeci_entropy(plane.count, n) / 8 >= least) continue;
        wcodeci_choice_prepare(&plane, e->options.coders, &choice);
        size = choice.least[wcodeci_choice_least(&choice)];
        if (size >= least) continue;
        least = size;
        predictor = p;
    }
    if (prepared != predictor) {
        wcodeci_plane_predict(e, predictor, &plane);
        wcodeci_choice_prepare(&plane, e->options.coders, &choice);
    }
    info->size = wcodeci_plane_encode(e, &plane, &choice, dst, &coder);
    info->coder = (unsigned char)coder;
    info->predictor = (unsigned char)predictor;
    return info->size;
}

/* The record's fields: what stands before the payloads, but for the filler. */
static size_t wcodeci_tile_fields(const wcodeci_encoder *e, const wcodeci_tile *tile, uint32_t crc,
                                  wcodeci_byte *dst)
{
    size_t used = 6;
    unsigned k, up = tile->info.predictor == WCODEC_PREDICT_UP;
    for (k = 0; k < tile->info.planes; k++) up |= tile->info.plane[k].predictor == WCODEC_PREDICT_UP;
    dst[0] = (wcodeci_byte)tile->info.split;
    dst[1] = (wcodeci_byte)(tile->info.predictor | (up ? WCODECI_TILE_ROW : 0));
    wcodeci_store32(dst + 2, crc);
    used += wcodeci_put_varint(dst + used, tile->n);
    if (up) used += wcodeci_put_varint(dst + used, e->row);
    for (k = 0; k < tile->info.planes; k++) {
        dst[used++] = (wcodeci_byte)(tile->info.plane[k].coder | tile->info.plane[k].predictor << 5);
        used += wcodeci_put_varint(dst + used, tile->info.plane[k].size);
    }
    return used;
}

/* Places the payloads behind `at`; returns where the body ends. */
static size_t wcodeci_tile_place(wcodeci_tile *tile, size_t at)
{
    unsigned k;
    for (k = 0; k < tile->info.planes; k++) {
        if (tile->info.plane[k].size >= WCODECI_ALIGNED_PLANE) at = (size_t)wcodeci_up8(at);
        tile->info.plane[k].offset = at;
        at += tile->info.plane[k].size;
    }
    return at;
}

/* Finds a length of the record's head whose body size takes just that length: the size depends on the padding
 * before the first aligned payload, that on the head.  The head that is one byte longer may swallow a byte of
 * padding and so make the body one smaller, which needs the shorter head again; then as much filler as there
 * was padding moves the payload on by 8.  Fills in the offsets; returns the head's size. */
static size_t wcodeci_tile_layout(wcodeci_tile *tile, size_t fields, unsigned *filler, size_t *end)
{
    for (*filler = 0; *filler < 8; ++*filler) {
        size_t head;
        for (head = 2; head <= WCODECI_RECORD_HEAD; head++) {
            *end = wcodeci_tile_place(tile, head + fields + *filler);
            if (1 + wcodeci_varint_size(*end - head) == head) return head;
        }
    }
    return 0;
}

/* Puts fields and payloads together: the payloads stand one after the other at dst + WCODEC_TILE_HEAD and
 * move down, for head and fields (at most 65 bytes), filler and padding (at most 7 each) take no more. */
static size_t wcodeci_tile_join(const wcodeci_encoder *e, wcodeci_tile *tile, uint32_t crc, wcodeci_byte *dst)
{
    wcodeci_byte fields[WCODEC_TILE_HEAD];
    const size_t used = wcodeci_tile_fields(e, tile, crc, fields);
    const wcodeci_byte *from = dst + WCODEC_TILE_HEAD;
    unsigned k, filler;
    size_t end, head = wcodeci_tile_layout(tile, used, &filler, &end), at = head + used;
    const size_t body = end - head;
    fields[1] = (wcodeci_byte)(fields[1] | filler << WCODECI_TILE_FILLER);
    for (k = 0; k < tile->info.planes; k++) {
        const wcodec_plane_info *plane = &tile->info.plane[k];
        memmove(dst + plane->offset, from, plane->size);
        from += plane->size;
        memset(dst + at, 0, plane->offset - at);
        at = plane->offset + plane->size;
    }
    dst[0] = WCODECI_RECORD_TILE;
    wcodeci_put_varint(dst + 1, body);
    memcpy(dst + head, fields, used);
    memset(dst + end, 0, (size_t)wcodeci_up8(end) - end);
    return (size_t)wcodeci_up8(end);
}

/* Encodes the tile with a given split and unit predictor. */
static size_t wcodeci_tile_encode_as(wcodeci_encoder *e, unsigned split, unsigned predictor, uint32_t crc,
                                     wcodeci_byte *dst)
{
    const wcodeci_split_row *row = &wcodeci_splits[split];
    const wcodeci_byte *units = e->src;
    wcodeci_byte *payload = dst + WCODEC_TILE_HEAD;
    wcodeci_tile tile;
    unsigned k;
    memset(&tile, 0, sizeof tile);
    tile.n = e->size / row->unit;
    tile.info.split = split;
    tile.info.predictor = predictor;
    tile.info.planes = row->planes;
    if (predictor != WCODEC_PREDICT_NONE) {
        wcodeci_predict_units(e->src, e->units, tile.n, row->unit, predictor, e->row);
        units = e->units;
    }
    for (k = 0; k < row->planes; k++) {
        wcodeci_split_plane(split, k, units, e->plane, tile.n);
        payload += wcodeci_plane_best(e, tile.n, row->plane[k].width, payload, &tile.info.plane[k]);
    }
    return wcodeci_tile_join(e, &tile, crc, dst);
}

/* Splits to try: those of the dtype, or those that the caller named, as far as the size fits their units. */
static unsigned wcodeci_splits_to_try(const wcodeci_encoder *e)
{
    const wcodeci_dtype_row *dtype = &wcodeci_dtypes[e->dtype];
    unsigned mask = e->options.splits, split;
    if (!mask) mask = 1u << dtype->splits[0] | 1u << dtype->splits[1];
    for (split = 0; split < WCODEC_SPLIT_COUNT; split++)
        if (e->size % wcodeci_splits[split].unit) mask &= ~(1u << split);
    mask &= (1u << WCODEC_SPLIT_COUNT) - 1;
    return mask ? mask : 1u << WCODEC_SPLIT_BYTE;
}

/* The row length counts the dtype's units, so only splits of that unit can use it. */
static int wcodeci_unit_predictor_fits(const wcodeci_encoder *e, unsigned split, unsigned predictor)
{
    const size_t n = e->size / wcodeci_splits[split].unit;
    if (predictor == WCODEC_PREDICT_NONE) return 1;
    return wcodeci_dtypes[e->dtype].integer && wcodeci_splits[split].unit == wcodeci_dtypes[e->dtype].unit
        && wcodeci_allowed(e, predictor, n);
}

static size_t wcodeci_tile_encode_best(wcodeci_encoder *e, wcodeci_byte *dst)
{
    const unsigned mask = wcodeci_splits_to_try(e);
    const uint32_t crc = wcodec_crc32(0, e->src, e->size);
    const int small = e->size / wcodeci_dtypes[e->dtype].unit <= WCODECI_SAMPLE
                   && wcodec_tile_bound(e->size) <= WCODECI_TRIAL_SIZE;
    unsigned split, predictor, best_split = 0, best_predictor = 0;
    uint64_t best = UINT64_MAX;
    size_t size = 0;
    for (split = 0; split < WCODEC_SPLIT_COUNT; split++)
        for (predictor = 0; (mask >> split & 1) && predictor < WCODEC_PREDICT_COUNT; predictor++) {
            uint64_t cost;
            if (!wcodeci_unit_predictor_fits(e, split, predictor)) continue;
            if (small) {
                cost = wcodeci_tile_encode_as(e, split, predictor, crc, e->trial);
                if (cost < best) memcpy(dst, e->trial, size = (size_t)cost);
            } else {
                cost = wcodeci_sample_units(e, split, predictor);
                if (predictor == WCODEC_PREDICT_NONE && split == wcodeci_dtypes[e->dtype].splits[0])
                    cost -= cost / 64;      /* the likeliest one unless another is clearly better */
            }
            if (cost >= best) continue;
            best = cost;
            best_split = split;
            best_predictor = predictor;
        }
    return small ? size : wcodeci_tile_encode_as(e, best_split, best_predictor, crc, dst);
}

WCODEC_API size_t wcodec_tile_encode(unsigned dtype, uint64_t row, const void *src, size_t size,
                                     const wcodec_tile_options *options, void *dst, size_t dst_size,
                                     void *scratch, size_t scratch_size)
{
    wcodeci_encoder e;
    if (dtype >= WCODECI_DTYPES || !src || !dst || !scratch || size == 0 || size > WCODEC_MAX_TILE_BYTES
        || size % wcodeci_dtypes[dtype].unit || dst_size < wcodec_tile_bound(size)
        || scratch_size < wcodec_tile_encode_scratch(size))
        return 0;
    memset(&e.options, 0, sizeof e.options);
    if (options) e.options = *options;
    if (!e.options.coders) e.options.coders = (1u << WCODEC_CODER_COUNT) - 1;
    if (!options || !options->predictors) e.options.predictors = (1u << WCODEC_PREDICT_COUNT) - 1;
    e.src = (const wcodeci_byte *)src;
    e.size = size;
    e.dtype = dtype;
    e.row = row;
    e.units = (wcodeci_byte *)scratch;
    e.plane = e.units + size;
    e.residual = e.plane + size;
    e.work = e.residual + size;
    e.second = e.work + 2 * size;
    e.trial = e.second + size + 64;
    return wcodeci_tile_encode_best(&e, (wcodeci_byte *)dst);
}

#endif
