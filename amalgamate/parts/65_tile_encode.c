/* ------------------------------------------------------------------------------------------------
 * Tiles: encoding (private, and layer 1 of the API)
 *
 * Chosen from the outside in: the split and the unit predictor for the tile; for each plane a predictor and a
 * coder.  What is compared is a cost: the bytes, and for what decodes slowly a part of the tile's size more.
 * A small tile is tried out in full.  In a large one a sample of each plane says what it will cost raw, with
 * rANS-16, and at the least with any other coder; if rANS-16 or raw wins, the sample is the model too, for a
 * value that it missed becomes an exception.  Everything is integer arithmetic, so the choice is the same
 * everywhere.
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_SAMPLE 4096         /* units: a tile up to this is tried out in full */
#define WCODECI_SAMPLE_RUN 128      /* a sample is taken in runs of so many */
#define WCODECI_SAMPLE_RUNS (WCODECI_SAMPLE / WCODECI_SAMPLE_RUN)
#define WCODECI_TRIAL_SIZE (WCODECI_SAMPLE * 8 + 1024)
#define WCODECI_SLOW_PART 48        /* of the tile's bytes, */
#define WCODECI_SLOW_LEAST 16       /* or of what the plane takes: so much must a slow coder save */
#define WCODECI_FREE_SIZE 8192      /* bytes: in a tile below this speed costs nothing */
/* Those of whose sizes a histogram says no more than what the entropy does. */
#define WCODECI_ENTROPY_CODERS \
    (1u << WCODEC_CODER_SPARSE | 1u << WCODEC_CODER_HUFFMAN | 1u << WCODEC_CODER_RANS16 | 1u << WCODEC_CODER_RANS256)
#define WCODECI_GUESS_PART 32       /* a coder is tried if it seems to cost so little more than the best, */
#define WCODECI_GUESS_LEAST 16      /* and so many bytes */
#define WCODECI_SECOND_PART 64      /* what seems to cost so little more than the best is encoded too */
#define WCODECI_PLANE_FIELDS 3      /* bytes of the fields of a plane, about */

/* For scales, which are few: what decodes without a large table.  (Rows' in a tile of the profile FAST do without
 * Huffman's too, which takes a fifth of such a tile's time and saves 1 in 10000.) */
#define WCODECI_SIDE_CODERS \
    (1u << WCODEC_CODER_RAW | 1u << WCODEC_CODER_CONSTANT | 1u << WCODEC_CODER_PACKED | 1u << WCODEC_CODER_HUFFMAN)
#define WCODECI_CLASS_RUN 512       /* values in a row that are looked at for a model of classes */
#define WCODECI_CLASS_VALUES 8192   /* of which there should be so many */
#define WCODECI_PLAIN_HEAD 128      /* the fields of a record take no more, but of one that is split as BLOCKS */

typedef struct wcodeci_encoder {
    const wcodeci_byte *src;
    size_t size;
    unsigned dtype;
    uint64_t row;                       /* units, 0: none */
    const uint32_t *known_crc;          /* of src; NULL: not known */
    size_t slow;                        /* bytes that a plane must save to be decoded slowly */
    wcodec_tile_options options;
    const wcodeci_encode_kernels *kernels;
    const wcodeci_kernels *decode;
    wcodeci_crc_fn *crc;
    const wcodec_tile_inputs *scales;   /* NULL: none */
    const wcodec_tile_inputs *base;     /* NULL: none */
    wcodec_plane_info rows;             /* of a tile that is scaled: how its rows' scales are coded; else size 0 */
    wcodeci_byte *units, *plane, *residual, *work, *second, *trial;     /* parts of the scratch memory */
    wcodeci_byte *q, *scaled, *classes, *row_scales, *row_payload;
    wcodeci_byte *blocks;               /* the fields' records of a tile of blocks */
    void *mix;                          /* what the coder MIX works in; NULL: it is not used */
    void *lz;                           /* the same of the coder LZ */
} wcodeci_encoder;

/* Bytes that rANS-16 and LZ work in, one after the other. */
static size_t wcodeci_encode_work(size_t size)
{
    const size_t rans = (WCODECI_RANS16_WORK(size) + 7) & ~(size_t)7, lz = wcodeci_lz_scratch(size);
    return WCODECI_LZ && lz > rans ? lz : rans;
}

/* The most rows that a tile of `size` bytes touches where there are scales. */
static size_t wcodeci_encode_rows(size_t size) { return size / WCODECI_MIN_COLUMNS + 2; }

WCODEC_API size_t wcodec_tile_encode_scratch(size_t size)
{
    /* units, plane, residual, q, scaled, classes: `size` each; second: size and a group; trial; work, aligned;
     * rows; blocks. */
    return 7 * size + 64 + WCODECI_TRIAL_SIZE + wcodeci_encode_work(size) + 2 * wcodeci_encode_rows(size) + 64
         + size + WCODEC_MAX_FIELDS * wcodec_tile_bound(0);
}

WCODEC_API size_t wcodec_tile_encode_scratch_best(size_t size)
{
    return wcodec_tile_encode_scratch(size) + wcodeci_mix_scratch();
}

static size_t wcodeci_encode_scratch(unsigned profile, size_t size)
{
    return profile == WCODEC_PROFILE_BEST ? wcodec_tile_encode_scratch_best(size)
                                          : wcodec_tile_encode_scratch(size);
}

WCODEC_API size_t wcodec_tile_bound(size_t size)
{
    /* A raw plane of w < 8 bits takes 8 w bytes for its last 64 values, however few there are; the narrow
     * planes of a unit have 16 bits in all at most (F16_4), which makes 128 bytes.  And padding to 8. */
    return WCODECI_PLAIN_HEAD + size + 128 + 8;
}

/* ---- samples of large tiles ---- */

/* Where a sample's run begins, in units. */
static size_t wcodeci_sample_start(unsigned run, size_t n)
{
    return (size_t)((uint64_t)(n - WCODECI_SAMPLE_RUN) * run / (WCODECI_SAMPLE_RUNS - 1));
}

/* A sample of the tile's units, or of their residuals under a unit predictor; n > WCODECI_SAMPLE. */
static void wcodeci_sample_units(const wcodeci_encoder *e, size_t n, unsigned unit, unsigned predictor,
                                 wcodeci_byte *out)
{
    const size_t distance = predictor ? wcodeci_predict_distance(predictor, e->row, n) : n;
    const size_t bytes = (size_t)WCODECI_SAMPLE_RUN * unit;
    unsigned run;
    size_t i;
    for (run = 0; run < WCODECI_SAMPLE_RUNS; run++, out += bytes) {
        const size_t start = wcodeci_sample_start(run, n);
        memcpy(out, e->src + start * unit, bytes);
        for (i = 0; i < WCODECI_SAMPLE_RUN && predictor; i++) {
            if (start + i < distance) continue;
            wcodeci_store_unit(out + i * unit, unit, wcodeci_load_unit(out + i * unit, unit)
                               - wcodeci_load_unit(e->src + (start + i - distance) * unit, unit));
        }
    }
}

/* What the entropy in bits would be of WCODECI_SAMPLE values, by n of them, with what a sample shows too little
 * (Miller and Madow, 1955): half a nat for each value that occurs, but one. */
static uint64_t wcodeci_sample_entropy(const uint32_t count[256], size_t n)
{
    unsigned s, m = 0;
    for (s = 0; s < 256; s++) m += count[s] != 0;
    return (wcodeci_entropy(count, n) + ((uint64_t)(m - 1) * 47274 >> 16)) * WCODECI_SAMPLE / n;
}

/* Counts half a sample of a plane's residuals under a plane predictor; returns how many they are, or 0 if too
 * little of the sample has anything to be predicted from. */
static size_t wcodeci_sample_predicted(const wcodeci_encoder *e, unsigned split, unsigned k,
                                    const wcodeci_byte *units, const wcodeci_byte *sample, size_t n,
                                    unsigned predictor, uint32_t count[256])
{
    const wcodeci_split_row *row = &wcodeci_splits[split];
    const size_t distance = wcodeci_predict_distance(predictor, e->row, n);
    const unsigned mask = (1u << row->plane[k].width) - 1;
    wcodeci_byte *residual = e->trial, before[WCODECI_SAMPLE_RUN];
    unsigned run, used = 0;
    for (run = 0; run < WCODECI_SAMPLE_RUNS; run += 2, sample += 2 * WCODECI_SAMPLE_RUN) {
        const size_t start = wcodeci_sample_start(run, n);
        if (start < distance) continue;
        wcodeci_split_plane(e->kernels, split, k, units + (start - distance) * row->unit, before,
                            WCODECI_SAMPLE_RUN);
        e->kernels->residual(sample, before, residual, WCODECI_SAMPLE_RUN, mask);
        residual += WCODECI_SAMPLE_RUN;
        used++;
    }
    if (used < WCODECI_SAMPLE_RUNS / 4) return 0;
    wcodeci_count(e->trial, (size_t)used * WCODECI_SAMPLE_RUN, count);
    return (size_t)used * WCODECI_SAMPLE_RUN;
}

/* What decoding slowly costs beside the bytes: a part of the tile, but not many bytes where it takes few. */
static size_t wcodeci_slow_cost(const wcodeci_encoder *e, uint64_t size)
{
    return (size_t)wcodeci_min64(e->slow, size / WCODECI_SLOW_LEAST);
}

/* A coder's cost if it takes `size` bytes.  Coding must save one part in 256: reading a raw plane costs
 * nothing. */
static size_t wcodeci_coder_cost(const wcodeci_encoder *e, const wcodeci_plane *plane, unsigned coder,
                                 size_t size)
{
    if (coder == WCODEC_CODER_RAW && (e->options.coders >> coder & 1))
        return size - wcodeci_raw_size(plane->n, plane->width) / 256;
    if (coder == WCODEC_CODER_HUFFMAN || coder == WCODEC_CODER_RANS256) size += wcodeci_slow_cost(e, size);
    return size;
}

/* Nibbles that a list of lengths takes for `run` equal ones in a row. */
static unsigned wcodeci_run_nibbles(unsigned value, unsigned run)
{
    const unsigned own = value != 0;
    if (run == 0) return 0;
    return run - own < 3 ? run : own + (run - own + 17) / 18 * 2;
}

/* What a plane's values say of its coders without any of them being tried. */
typedef struct wcodeci_outlook {
    uint64_t bits;                      /* entropy, in 1/65536 bit */
    unsigned values;                    /* that occur */
    uint32_t most;                      /* how often the commonest one does */
    unsigned huff_nibbles, rans_nibbles, rans_bits;     /* of tables, about */
} wcodeci_outlook;

static void wcodeci_outlook_make(const wcodeci_plane *plane, wcodeci_outlook *o)
{
    const uint32_t log_n = wcodeci_log2((uint32_t)plane->n);
    unsigned s = 0, huff = 0, rans = 0, huff_run = 0, rans_run = 0;
    size_t left = plane->n;
    memset(o, 0, sizeof *o);
    while (!plane->count[s]) s++;
    for (; left; s++) {
        const uint32_t count = plane->count[s];
        unsigned huff_now = 0, rans_now = 0;
        if (count) {
            const uint32_t rare = log_n - wcodeci_log2(count);
            left -= count;
            o->bits += (uint64_t)count * rare;
            o->values++;
            if (count > o->most) o->most = count;
            huff_now = rare < 98304 ? 1 : (rare + 32768) >> 16;
            rans_now = rare >= 12u << 16 ? 1 : ((13u << 16) - rare) >> 16;
            o->rans_bits += rans_now - 1;
        }
        if (huff_now != huff) {
            o->huff_nibbles += wcodeci_run_nibbles(huff, huff_run);
            huff = huff_now;
            huff_run = 0;
        }
        huff_run++;
        if (rans_now != rans) {
            o->rans_nibbles += wcodeci_run_nibbles(rans, rans_run);
            rans = rans_now;
            rans_run = 0;
        }
        rans_run++;
    }
    if (huff) o->huff_nibbles += wcodeci_run_nibbles(huff, huff_run);
    if (rans) o->rans_nibbles += wcodeci_run_nibbles(rans, rans_run);
}

/* rANS-16: with more than 16 values the rarest are exceptions. */
static size_t wcodeci_guess_rans16(const wcodeci_plane *plane, const wcodeci_outlook *o)
{
    const uint32_t log_n = wcodeci_log2((uint32_t)plane->n);
    uint64_t bits = o->bits, rest = 0;
    size_t lanes;
    wcodeci_byte symbol[256];
    unsigned s, m;
    if (o->values > 16) {
        if (bits / plane->n > 6 * 65536) return 0;      /* too many for 16 symbols */
        m = wcodeci_sort_counts(plane->count, symbol);
        for (s = 0; s + 16 < m; s++) {
            rest += plane->count[symbol[s]];
            bits -= (uint64_t)plane->count[symbol[s]] * (log_n - wcodeci_log2(plane->count[symbol[s]]));
        }
        if (rest > plane->n / 4) return 0;
        bits += rest * 8 * WCODECI_EXCEPTION_SIZE * 65536;
    }
    bits = (bits + bits / 512) / 65536 / 8;
    lanes = (size_t)64 << wcodeci_rans16_lanes_log(plane->n, plane->unit, bits);
    return WCODECI_RANS16_HEAD + 2 * lanes + (size_t)(bits > lanes ? bits - lanes : 0);
}

/* About what each coder that may be used would take; 0: it may not, or can not. */
static void wcodeci_coders_guess(const wcodeci_encoder *e, const wcodeci_plane *plane, size_t *size)
{
    const unsigned coders = e->options.coders;
    wcodeci_outlook o;
    size_t bytes, lanes;
    memset(size, 0, WCODEC_CODER_COUNT * sizeof *size);
    size[WCODEC_CODER_RAW] = wcodeci_raw_size(plane->n, plane->width);
    if (plane->count[plane->v[0]] == plane->n) {
        if (coders >> WCODEC_CODER_CONSTANT & 1) size[WCODEC_CODER_CONSTANT] = 1;
        return;
    }
    if (coders >> WCODEC_CODER_PACKED & 1) size[WCODEC_CODER_PACKED] = wcodeci_packed_size(plane);
    if (!(coders & WCODECI_ENTROPY_CODERS)) return;
    wcodeci_outlook_make(plane, &o);
    bytes = (size_t)(o.bits / 65536 / 8);
    if (bytes >= size[WCODEC_CODER_RAW]) return;        /* no coder goes below the entropy */
    if (coders >> WCODEC_CODER_SPARSE & 1) size[WCODEC_CODER_SPARSE] = 2 + 2 * (plane->n - o.most);
    if (coders >> WCODEC_CODER_HUFFMAN & 1) {
        const size_t least = (plane->n + 7) / 8, about = bytes + bytes / 128;
        size[WCODEC_CODER_HUFFMAN] = 3 + (o.huff_nibbles + 1) / 2 + (about < least ? least : about);
    }
    if (coders >> WCODEC_CODER_RANS16 & 1) size[WCODEC_CODER_RANS16] = wcodeci_guess_rans16(plane, &o);
    if (coders >> WCODEC_CODER_RANS256 & 1) {
        lanes = wcodeci_rans256_lanes(o.bits / 65536);
        size[WCODEC_CODER_RANS256] = 3 + (o.rans_nibbles + 1) / 2 + (o.rans_bits + 7) / 8 + 4 * lanes
                                   + (bytes > 2 * lanes ? bytes - 2 * lanes : 0);
    }
}

/* The least that a plane costs, about. */
static size_t wcodeci_guess_least(const wcodeci_encoder *e, const wcodeci_plane *plane, const size_t *size)
{
    size_t least = wcodeci_coder_cost(e, plane, WCODEC_CODER_RAW, size[WCODEC_CODER_RAW]);
    unsigned c;
    for (c = 1; c < WCODEC_CODER_COUNT; c++)
        if (size[c]) least = wcodeci_min(least, wcodeci_coder_cost(e, plane, c, size[c]));
    return least;
}

/* The models of a plane's coders, and the least that each can take; 0: it cannot code this plane, or others will
 * do it better. */
typedef struct wcodeci_choice {
    wcodeci_huff_model huff;
    wcodeci_rans16_model rans16;
    wcodeci_rans256_model rans256;
    size_t least[WCODEC_CODER_COUNT];
} wcodeci_choice;

/* Makes the models that the guesses leave in the running. */
static void wcodeci_choice_prepare(const wcodeci_encoder *e, const wcodeci_plane *plane,
                                   wcodeci_choice *choice)
{
    wcodeci_byte symbol[256];
    size_t *least = choice->least, most;
    unsigned c, m;
    wcodeci_coders_guess(e, plane, least);
    most = wcodeci_guess_least(e, plane, least);
    most += most / WCODECI_GUESS_PART + WCODECI_GUESS_LEAST;
    for (c = WCODEC_CODER_HUFFMAN; c < WCODEC_CODER_COUNT; c++)
        if (least[c] && wcodeci_coder_cost(e, plane, c, least[c]) > most) least[c] = 0;
    if (!least[WCODEC_CODER_HUFFMAN] && !least[WCODEC_CODER_RANS16] && !least[WCODEC_CODER_RANS256]) return;
    m = wcodeci_sort_counts(plane->count, symbol);
    if (least[WCODEC_CODER_HUFFMAN])
        least[WCODEC_CODER_HUFFMAN] = wcodeci_huff_prepare(plane, symbol, m, &choice->huff);
    if (least[WCODEC_CODER_RANS16])
        least[WCODEC_CODER_RANS16] = wcodeci_rans16_prepare(plane, symbol, m, plane->n, &choice->rans16);
    if (least[WCODEC_CODER_RANS16] == (size_t)-1) least[WCODEC_CODER_RANS16] = 0;
    if (least[WCODEC_CODER_RANS256])
        least[WCODEC_CODER_RANS256] = wcodeci_rans256_prepare(plane, &choice->rans256);
}

/* The coder of the least cost, and that cost. */
static unsigned wcodeci_choice_least(const wcodeci_encoder *e, const wcodeci_plane *plane,
                                     const wcodeci_choice *choice, size_t *cost)
{
    unsigned c, best = WCODEC_CODER_RAW;
    *cost = wcodeci_coder_cost(e, plane, best, choice->least[best]);
    for (c = 1; c < WCODEC_CODER_COUNT; c++) {
        const size_t other = wcodeci_coder_cost(e, plane, c, choice->least[c]);
        if (!choice->least[c] || other >= *cost) continue;
        best = c;
        *cost = other;
    }
    return best;
}

static size_t wcodeci_encode_with(const wcodeci_encoder *e, unsigned coder, const wcodeci_plane *plane,
                                  const wcodeci_choice *choice, wcodeci_byte *dst, size_t cap)
{
    switch (coder) {
    case WCODEC_CODER_PACKED: return wcodeci_packed_encode(plane, dst, cap);
    case WCODEC_CODER_CONSTANT: return wcodeci_constant_encode(plane, dst, cap);
    case WCODEC_CODER_SPARSE: return wcodeci_sparse_encode(plane, dst, cap);
    case WCODEC_CODER_HUFFMAN: return wcodeci_huff_encode(plane, &choice->huff, dst, cap);
    case WCODEC_CODER_RANS16:
        return wcodeci_rans16_encode(e->kernels, plane, &choice->rans16, NULL, dst, cap, e->work);
    case WCODEC_CODER_RANS256: return wcodeci_rans256_encode(plane, &choice->rans256, dst, cap, e->work);
    default: return wcodeci_raw_encode(plane, dst, cap);
    }
}

/* Codes a plane at dst by the coder of the least cost, and returns its size.  `least` does not overstate what
 * a coder takes, so the search ends when nothing left can cost less than what was written. */
static size_t wcodeci_plane_encode(wcodeci_encoder *e, const wcodeci_plane *plane, wcodeci_choice *choice,
                                   wcodeci_byte *dst, unsigned *coder)
{
    const size_t raw = wcodeci_raw_size(plane->n, plane->width);
    size_t best = 0, best_cost = 0;
    for (;;) {
        size_t least, size, cost;
        const unsigned c = wcodeci_choice_least(e, plane, choice, &least);
        if (best && least >= best_cost) return best;
        if (c == WCODEC_CODER_RAW) {
            *coder = c;
            return wcodeci_raw_encode(plane, dst, raw);
        }
        choice->least[c] = 0;
        size = wcodeci_encode_with(e, c, plane, choice, best ? e->second : dst, raw);
        cost = wcodeci_coder_cost(e, plane, c, size);
        if (!size || (best && cost >= best_cost)) continue;
        if (best) memcpy(dst, e->second, size);
        best = size;
        best_cost = cost;
        *coder = c;
    }
}

static int wcodeci_allowed(const wcodeci_encoder *e, unsigned predictor, size_t n)
{
    if (predictor == WCODEC_PREDICT_NONE) return 1;
    if (!(e->options.predictors >> predictor & 1)) return 0;
    return predictor == WCODEC_PREDICT_LEFT ? n > 1 : e->row > 1 && e->row < n;
}

/* Makes the residuals of e->plane. */
static void wcodeci_plane_predict(wcodeci_encoder *e, unsigned predictor, wcodeci_plane *plane)
{
    plane->v = e->plane;
    if (predictor == WCODEC_PREDICT_NONE) return;
    wcodeci_predict_plane(e->kernels, e->plane, e->residual, plane->n, plane->width, predictor, e->row);
    plane->v = e->residual;
}

/* The predictor that makes e->plane cheapest, about, and that cost.  Of floating point what is below the
 * exponents is like its neighbours only where these are: `alike` says whether to look. */
static unsigned wcodeci_plane_look(wcodeci_encoder *e, wcodeci_plane *plane, int alike, size_t *cost)
{
    size_t size[WCODEC_CODER_COUNT];
    unsigned p, best = WCODEC_PREDICT_NONE;
    for (p = WCODEC_PREDICT_NONE; p <= WCODEC_PREDICT_UP; p++) {
        size_t other;
        if (p != WCODEC_PREDICT_NONE && (!alike || *cost <= 1 || !wcodeci_allowed(e, p, plane->n))) continue;
        wcodeci_plane_predict(e, p, plane);
        wcodeci_count(plane->v, plane->n, plane->count);
        wcodeci_coders_guess(e, plane, size);
        other = wcodeci_guess_least(e, plane, size);
        if (p != WCODEC_PREDICT_NONE) other += wcodeci_slow_cost(e, other) / 2;
        if (p != WCODEC_PREDICT_NONE && other >= *cost) continue;
        *cost = other;
        best = p;
    }
    return best;
}

/* Writes e->plane, predicted, at dst; fills in its size, coder and predictor. */
static void wcodeci_plane_best(wcodeci_encoder *e, wcodeci_plane *plane, unsigned predictor, wcodeci_byte *dst,
                               wcodec_plane_info *info)
{
    wcodeci_choice choice;
    unsigned coder = 0;
    wcodeci_plane_predict(e, predictor, plane);
    wcodeci_count(plane->v, plane->n, plane->count);
    wcodeci_choice_prepare(e, plane, &choice);
    info->size = wcodeci_plane_encode(e, plane, &choice, dst, &coder);
    info->coder = (unsigned char)coder;
    info->predictor = (unsigned char)predictor;
}

#if WCODECI_LZ

#define WCODECI_REPEATS_RUN 256         /* units */
#define WCODECI_REPEATS_RUNS 16u
#define WCODECI_LZ_TRIAL 8192           /* bytes */
#define WCODECI_LZ_LEAST_SIZE 32        /* of a plane that is coded already: less is not worth a try */

/* Does what stands at one place often stand at another?  `width` bytes, at most 8, from where a unit of n begins; of
 * many in some runs of units alone.  In weights that is rare. */
static int wcodeci_repeats(const wcodeci_byte *src, size_t n, unsigned unit, unsigned width, void *work)
{
    uint32_t *const seen = (uint32_t *)work;
    const unsigned runs = n > WCODECI_REPEATS_RUN * WCODECI_REPEATS_RUNS ? WCODECI_REPEATS_RUNS : 1;
    size_t looked = 0, again = 0;
    unsigned run;
    memset(seen, 0, 4096 * sizeof *seen);
    for (run = 0; run < runs; run++) {
        size_t i = runs > 1 ? (n - WCODECI_REPEATS_RUN) / WCODECI_REPEATS_RUNS * run : 0;
        const size_t end = runs > 1 ? i + WCODECI_REPEATS_RUN : n;
        for (; i < end && (n - i) * unit >= 8; i++) {
            const uint64_t x = wcodeci_load64(src + i * unit) << (64 - 8 * width);
            const uint64_t hash = x * 0x9E3779B97F4A7C15u;
            uint32_t *const place = &seen[hash >> 52];
            const uint32_t check = (uint32_t)(hash >> 20) | 1;
            again += *place == check;
            *place = check;
            looked++;
        }
    }
    return again > looked / 16;
}

/* May LZ code a plane of n values in less than `size` bytes?  Of many a part from the middle is tried, which lacks
 * some of the window. */
static int wcodeci_lz_promises(const wcodeci_encoder *e, const wcodeci_byte *v, size_t n, unsigned width, size_t size)
{
    wcodeci_plane part;
    uint64_t all;
    if (n <= 2 * WCODECI_LZ_TRIAL) return 1;
    part.v = v + (n - WCODECI_LZ_TRIAL) / 2;
    part.n = WCODECI_LZ_TRIAL;
    part.width = width;
    wcodeci_count(part.v, part.n, part.count);
    all = wcodeci_lz_encode(&part, 0, e->second, WCODECI_LZ_TRIAL, e->lz);
    all = all * n / WCODECI_LZ_TRIAL;
    return all && all < (uint64_t)size + size / 8;
}

/* Writes e->plane, which is written at dst already, by the coder LZ instead where that costs less. */
static void wcodeci_plane_try_lz(wcodeci_encoder *e, wcodeci_plane *plane, wcodeci_byte *dst, wcodec_plane_info *info)
{
    size_t size;
    if (info->size < WCODECI_LZ_LEAST_SIZE
        || (e->options.profile != WCODEC_PROFILE_BEST && plane->n > 2 * WCODECI_LZ_TRIAL)   /* time to encode */
        || !wcodeci_repeats(e->plane, plane->n, 1, 8, e->lz)
        || !wcodeci_lz_promises(e, e->plane, plane->n, plane->width, info->size))
        return;
    plane->v = e->plane;
    wcodeci_count(plane->v, plane->n, plane->count);
    size = wcodeci_lz_encode(plane, e->options.profile == WCODEC_PROFILE_BEST, e->second, info->size - 1, e->lz);
    if (size == 0 || size + wcodeci_slow_cost(e, size) >= info->size) return;
    memcpy(dst, e->second, size);
    info->size = size;
    info->coder = WCODEC_CODER_LZ;
    info->predictor = WCODEC_PREDICT_NONE;
}

#endif

#if WCODECI_MIX

#define WCODECI_MIX_TRIAL 4096     /* values that say which kind suits a plane, if it has more than twice as many */

/* Writes e->plane at e->second as `kind`; returns the size, or 0 if it is not below `cap`. */
static size_t wcodeci_plane_mix_as(wcodeci_encoder *e, const wcodeci_plane *plane, size_t n, unsigned kind,
                                   size_t cap)
{
    wcodeci_mix_in in;
    in.width = plane->width;
    in.n = n;
    in.row = e->row < n ? (size_t)e->row : 0;
    in.v = e->plane;
    in.exponents = e->scaled;
    in.kind = kind;
    return wcodeci_mix_encode(&in, e->second, cap, e->mix);
}

/* Writes plane k, which is written at dst already, by the coder MIX instead where that is smaller. */
static void wcodeci_plane_try_mix(wcodeci_encoder *e, const wcodeci_plane *plane, unsigned split, unsigned k,
                              wcodeci_byte *dst, wcodec_plane_info *info)
{
    const int floats = wcodeci_split_floats(split) || split == WCODEC_SPLIT_F64;
    const size_t n = plane->n > 2 * WCODECI_MIX_TRIAL ? WCODECI_MIX_TRIAL : plane->n;
    unsigned kinds = 1u << WCODECI_MIX_INTEGERS, kind, best = WCODECI_MIX_KINDS;
    size_t size = 0, least;
    if (k == 0) memcpy(e->scaled, e->plane, plane->n);
    if (info->size <= 4) return;
    if (floats && k < 2) kinds = 1u << (k == 0 ? WCODECI_MIX_EXPONENTS : WCODECI_MIX_MANTISSAS);
    else if (floats && info->coder == WCODEC_CODER_RAW) return;
    else if (plane->width == 8 && e->dtype != WCODEC_I8 && e->dtype != WCODEC_U8)
        kinds |= 1u << WCODECI_MIX_TEXT;
    if (split == WCODEC_SPLIT_BYTE && wcodeci_split_floats(wcodeci_dtypes[e->dtype].splits[0]))
        kinds = 1u << WCODECI_MIX_TEXT;         /* tried where floating point repeats itself */
    least = plane->n == n ? info->size : wcodeci_raw_size(n, plane->width);
    for (kind = 0; kind < WCODECI_MIX_KINDS; kind++) {
        size_t other;
        if (!(kinds >> kind & 1)) continue;
        other = kinds == 1u << kind && n < plane->n ? 1 : wcodeci_plane_mix_as(e, plane, n, kind, least - 1);
        if (other == 0) continue;
        least = size = other;
        best = kind;
        if (n == plane->n) memcpy(dst, e->second, size);
    }
    if (best == WCODECI_MIX_KINDS) return;
    if (n < plane->n) {
        size = wcodeci_plane_mix_as(e, plane, plane->n, best, info->size - 1);
        if (size == 0) return;
        memcpy(dst, e->second, size);
    }
    info->size = size;
    info->coder = WCODEC_CODER_MIX;
    info->predictor = WCODEC_PREDICT_NONE;
}

#endif

static size_t wcodeci_put_plane(const wcodec_plane_info *plane, wcodeci_byte *dst)
{
    dst[0] = (wcodeci_byte)(plane->coder | plane->predictor << 5);
    return 1 + wcodeci_put_varint(dst + 1, plane->size);
}

/* The record's fields: what stands before the payloads, but for the filler. */
static size_t wcodeci_tile_fields(const wcodeci_encoder *e, const wcodeci_tile *tile, uint32_t crc,
                                  wcodeci_byte *dst)
{
    size_t used = 6;
    unsigned k, up = tile->info.predictor == WCODEC_PREDICT_UP;
    for (k = 0; k < tile->info.planes; k++) {
        up |= tile->info.plane[k].predictor == WCODEC_PREDICT_UP;
        up |= tile->info.plane[k].coder == WCODEC_CODER_MIX && e->row && e->row < tile->n;
    }
    dst[0] = (wcodeci_byte)tile->info.split;
    dst[1] = (wcodeci_byte)(tile->info.predictor | (up ? WCODECI_TILE_ROW : 0)
                            | (e->rows.size ? WCODECI_TILE_SCALED : 0));
    wcodeci_store32(dst + 2, crc);
    used += wcodeci_put_varint(dst + used, tile->n);
    if (up) used += wcodeci_put_varint(dst + used, e->row);
    if (e->rows.size) used += wcodeci_put_varint(dst + used, e->scales->phase);
    if (wcodeci_predict_based(tile->info.predictor))
        used += wcodeci_put_varint(dst + used, e->base->base_offset);
    if (e->rows.size) used += wcodeci_put_plane(&e->rows, dst + used);
    if (wcodeci_split_palette(tile->info.split)) {
        used += wcodeci_put_varint(dst + used, tile->palette.count);
    } else if (wcodeci_split_linear(tile->info.split)) {
        dst[used++] = (wcodeci_byte)(tile->palette.width | (tile->palette.bytes - 1) << 4);
        dst[used++] = (wcodeci_byte)tile->palette.zero;
        used += wcodeci_put_varint(dst + used, tile->palette.run);
    }
    for (k = 0; k < tile->info.planes; k++) used += wcodeci_put_plane(&tile->info.plane[k], dst + used);
    return used;
}

/* Places the payloads behind `at`; returns where the body ends. */
static size_t wcodeci_tile_place(wcodeci_tile *tile, size_t at)
{
    unsigned k;
    uint64_t end = wcodeci_palette_place(&tile->info, wcodeci_plane_place(&tile->info.rows, at));
    for (k = 0; k < tile->info.planes; k++) end = wcodeci_plane_place(&tile->info.plane[k], end);
    return (size_t)end;
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

/* Puts fields and payloads together: the planes' payloads stand one after the other from `from` on, with room for
 * the planes in `late`, which are not written yet.  They move down, for head and fields (at most 80 bytes), filler
 * and padding (at most 7 each) and the rows' scales, or a table, take no more. */
static size_t wcodeci_tile_join(const wcodeci_encoder *e, wcodeci_tile *tile, uint32_t crc, unsigned late,
                                const wcodeci_byte *from, wcodeci_byte *dst)
{
    wcodeci_byte fields[WCODECI_PLAIN_HEAD];
    const size_t used = wcodeci_tile_fields(e, tile, crc, fields);
    unsigned k, filler;
    size_t end, head = wcodeci_tile_layout(tile, used, &filler, &end), at = head + used, body;
    body = end - head;
    fields[1] = (wcodeci_byte)(fields[1] | filler << WCODECI_TILE_FILLER);
    if (tile->info.rows.size) {
        memset(dst + at, 0, tile->info.rows.offset - at);
        memcpy(dst + tile->info.rows.offset, e->row_payload, tile->info.rows.size);
        at = tile->info.rows.offset + tile->info.rows.size;
    }
    if (tile->info.table_size) {
        memset(dst + at, 0, tile->info.table_offset - at);
        memcpy(dst + tile->info.table_offset, e->q, tile->info.table_size);
        at = tile->info.table_offset + tile->info.table_size;
    }
    for (k = 0; k < tile->info.planes; k++) {
        const wcodec_plane_info *plane = &tile->info.plane[k];
        if (!(late >> k & 1)) memmove(dst + plane->offset, from, plane->size);
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

/* How a plane will be coded. */
typedef enum wcodeci_plan_how {
    WCODECI_PLAN_RAW,
    WCODECI_PLAN_RANS16,
    WCODECI_PLAN_SCALED,                /* rANS-16 by classes of e->scaled, */
    WCODECI_PLAN_MAPPED,                /* of the second plane by the first one's values */
    WCODECI_PLAN_FULL,                  /* by the coder that suits it when all of it is seen, */
    WCODECI_PLAN_LOOK                   /* and the predictor too */
} wcodeci_plan_how;

typedef struct wcodeci_plane_plan {
    wcodeci_plan_how how;
    unsigned predictor;                 /* for RANS16 and FULL */
    uint64_t cost;
    wcodeci_rans16_model model;
} wcodeci_plane_plan;

typedef struct wcodeci_plan_of_tile {
    unsigned split, predictor;
    uint64_t cost;
    wcodeci_plane_plan plane[WCODEC_MAX_PLANES];
} wcodeci_plan_of_tile;

/* Writes a plane from which scales were taken off, unless its rows' scales take what it saves. */
static int wcodeci_plane_write_scaled(wcodeci_encoder *e, const wcodeci_plane_plan *plan, wcodeci_plane *plane,
                                      wcodec_plane_info *info, wcodeci_byte *dst)
{
    size_t size = 0;
    plane->v = e->scaled;
    if (e->rows.size + 16 < info->size)
        size = wcodeci_rans16_encode(e->kernels, plane, &plan->model, e->q, dst,
                                     info->size - e->rows.size - 16, e->work);
    plane->v = e->plane;
    if (size) {
        info->size = size;
        info->coder = WCODEC_CODER_CLASSES;
        info->predictor = WCODEC_PREDICT_SCALE;
        return 1;
    }
    e->rows.size = 0;
    return 0;
}

/* Writes the second plane, which stands in e->plane, by classes; tile_map made e->classes. */
static int wcodeci_plane_write_mapped(wcodeci_encoder *e, const wcodeci_plane_plan *plan,
                                      const wcodeci_plane *plane, wcodec_plane_info *info, wcodeci_byte *dst)
{
    const size_t size = wcodeci_rans16_encode(e->kernels, plane, &plan->model, e->classes, dst, info->size,
                                              e->work);
    if (!size) return 0;
    info->size = size;
    info->coder = WCODEC_CODER_CLASSES;
    return 1;
}

/* What the rows' scales take before the first payload, with padding. */
#define WCODECI_ROWS_ROOM(size) ((size) ? (size) + 8 : 0)

/* Writes plane k as its plan says; `late` gets the planes that are not written yet.  The first one goes behind the
 * room for its rows' scales if it turns out to be scaled. */
static void wcodeci_plane_write(wcodeci_encoder *e, const wcodeci_plane_plan *plan, const wcodeci_byte *units,
                                wcodeci_tile *tile, unsigned k, unsigned *late, wcodeci_byte *dst)
{
    const wcodeci_plane_row *row = &wcodeci_splits[tile->info.split].plane[k];
    wcodec_plane_info *info = &tile->info.plane[k];
    wcodeci_plane plane;
    size_t size;
    plane.n = tile->n;
    plane.width = row->width;
    plane.unit = wcodeci_splits[tile->info.split].unit;
    plane.v = e->plane;
    info->coder = WCODEC_CODER_RAW;
    info->predictor = WCODEC_PREDICT_NONE;
    info->size = wcodeci_raw_size(tile->n, row->width);
    if (plan && plan->how == WCODECI_PLAN_RAW && row->width == 8) {
        *late |= 1u << k;
        return;
    }
    if (plan && plan->how == WCODECI_PLAN_SCALED
        && wcodeci_plane_write_scaled(e, plan, &plane, info, dst + WCODECI_ROWS_ROOM(e->rows.size)))
        return;
    wcodeci_split_plane(e->kernels, tile->info.split, k, units, e->plane, tile->n);
    if (plan && plan->how == WCODECI_PLAN_RAW) {
        wcodeci_raw_encode(&plane, dst, info->size);
        return;
    }
    if (plan && plan->how == WCODECI_PLAN_MAPPED
        && wcodeci_plane_write_mapped(e, plan, &plane, info, dst))
        return;
    if (plan && plan->how == WCODECI_PLAN_RANS16) {
        wcodeci_plane_predict(e, plan->predictor, &plane);
        size = wcodeci_rans16_encode(e->kernels, &plane, &plan->model, NULL, dst, info->size, e->work);
        if (size) {
            info->size = size;
            info->coder = WCODEC_CODER_RANS16;
            info->predictor = (unsigned char)plan->predictor;
            return;
        }
    }
    wcodeci_plane_best(e, &plane, plan && plan->how == WCODECI_PLAN_FULL ? plan->predictor
                                  : wcodeci_plane_look(e, &plane, 1, &size), dst, info);
#if WCODECI_LZ
    /* Of bytes as they are the whole tile is tried in the end. */
    if (e->lz && (tile->info.split != WCODEC_SPLIT_BYTE || tile->info.predictor != WCODEC_PREDICT_NONE))
        wcodeci_plane_try_lz(e, &plane, dst, info);
#endif
#if WCODECI_MIX
    if (e->mix) wcodeci_plane_try_mix(e, &plane, tile->info.split, k, dst, info);
#endif
}

/* Makes the residuals of whole units in e->units. */
static void wcodeci_encode_residuals(const wcodeci_encoder *e, size_t n, unsigned unit, unsigned predictor)
{
    if (wcodeci_predict_based(predictor))
        wcodeci_predict_base(e->src, e->base->base, e->units, e->size, unit, predictor);
    else
        wcodeci_predict_units(e->src, e->units, n, unit, predictor, e->row);
}

/* Encodes the tile with a given split and unit predictor; plans NULL: all planes are looked at in full. */
static size_t wcodeci_tile_encode_as(wcodeci_encoder *e, unsigned split, unsigned predictor,
                                     const wcodeci_plane_plan *plans, uint32_t crc, wcodeci_byte *dst)
{
    const wcodeci_split_row *row = &wcodeci_splits[split];
    const wcodeci_byte *units = e->src;
    wcodeci_byte *from = dst + WCODECI_PLAIN_HEAD, *payload;
    wcodeci_tile tile;
    unsigned k, late = 0;
    size_t size;
    memset(&tile, 0, sizeof tile);
    tile.n = e->size / row->unit;
    tile.info.split = split;
    tile.info.predictor = predictor;
    tile.info.planes = row->planes;
    if (predictor != WCODEC_PREDICT_NONE) {
        wcodeci_encode_residuals(e, tile.n, row->unit, predictor);
        units = e->units;
    }
    if (!plans || plans[0].how != WCODECI_PLAN_SCALED) e->rows.size = 0;
    payload = from;
    for (k = 0; k < row->planes; k++) {
        const wcodeci_plane_plan *plan = plans ? &plans[k] : NULL;
        /* Where scales came to nothing after all, classes that were made with them do not hold any more. */
        if (plan && plan->how == WCODECI_PLAN_MAPPED && plans[0].how == WCODECI_PLAN_SCALED && !e->rows.size)
            plan = NULL;
        wcodeci_plane_write(e, plan, units, &tile, k, &late, payload);
        if (k == 0) payload = from += WCODECI_ROWS_ROOM(e->rows.size);
        payload += tile.info.plane[k].size;
    }
    tile.info.rows = e->rows;
    size = wcodeci_tile_join(e, &tile, crc, late, from, dst);
    for (k = 0; k < row->planes; k++)       /* straight to where they stay */
        if (late >> k & 1)
            wcodeci_split_plane(e->kernels, split, k, units, dst + tile.info.plane[k].offset, tile.n);
    return size;
}

/* ---- the choice for a large tile ---- */

/* Tries rANS-16 with a predictor, of whose residuals `plane` is a sample, and any other coder at its best. */
static void wcodeci_plane_consider(const wcodeci_encoder *e, const wcodeci_plane *plane, uint64_t entropy,
                                   unsigned predictor, size_t n, wcodeci_plane_plan *plan, uint64_t *cost)
{
    const unsigned coders = e->options.coders;
    const uint64_t bytes = entropy * n / 8 / WCODECI_SAMPLE, slow = wcodeci_slow_cost(e, bytes);
    const uint64_t extra = predictor ? slow / 2 : 0, least = bytes + extra;
    wcodeci_byte symbol[256];
    wcodeci_rans16_model model;
    uint64_t size;
    unsigned m;
    if (least >= *cost) return;
    /* So many bits are too many for 16 symbols. */
    if (entropy > 6 * WCODECI_SAMPLE && least + slow >= *cost) return;
    m = wcodeci_sort_counts(plane->count, symbol);
    if (m == 1) {           /* constant, sparse, or a sample that saw too little */
        if (!(coders >> WCODEC_CODER_CONSTANT & 1) && !(coders >> WCODEC_CODER_SPARSE & 1)) return;
        plan->how = WCODECI_PLAN_LOOK;
        *cost = wcodeci_min64(*cost, 1 + extra);
        return;
    }
    if (coders >> WCODEC_CODER_RANS16 & 1) {
        size = wcodeci_rans16_prepare(plane, symbol, m, n, &model);
        if (size != (size_t)-1 && size + extra < *cost) {
            *cost = size + extra;
            plan->how = WCODECI_PLAN_RANS16;
            plan->predictor = predictor;
            plan->model = model;
        }
    }
    if (!(coders & ~(1u << WCODEC_CODER_RAW | 1u << WCODEC_CODER_RANS16))) return;
    if (least + slow < *cost) {
        *cost = least + slow;
        /* Where most values are the same, a sample says little of the others. */
        plan->how = entropy < WCODECI_SAMPLE ? WCODECI_PLAN_LOOK : WCODECI_PLAN_FULL;
        plan->predictor = predictor;
    }
}

/* What a plane costs by its sample, for the whole tile of n units.  units NULL: nothing to predict from. */
static uint64_t wcodeci_plane_planned(const wcodeci_encoder *e, unsigned split, unsigned k,
                                      const wcodeci_byte *units, const wcodeci_byte *sample, size_t n,
                                      wcodeci_plane_plan *plan)
{
    const size_t raw = wcodeci_raw_size(n, wcodeci_splits[split].plane[k].width);
    wcodeci_plane plane;
    uint64_t cost = raw - (e->options.coders >> WCODEC_CODER_RAW & 1 ? raw / 256 : 0), entropy, least;
    unsigned p;
    plane.v = sample;
    plane.n = WCODECI_SAMPLE;
    plane.width = wcodeci_splits[split].plane[k].width;
    plane.unit = wcodeci_splits[split].unit;
    wcodeci_count(sample, WCODECI_SAMPLE, plane.count);
    plan->how = WCODECI_PLAN_RAW;
    least = wcodeci_sample_entropy(plane.count, plane.n);
    wcodeci_plane_consider(e, &plane, least, WCODEC_PREDICT_NONE, n, plan, &cost);
    for (p = WCODEC_PREDICT_LEFT; p <= WCODEC_PREDICT_UP && units && cost > 1; p++) {
        if (!wcodeci_allowed(e, p, n)) continue;
        plane.n = wcodeci_sample_predicted(e, split, k, units, sample, n, p, plane.count);
        if (plane.n == 0) continue;
        entropy = wcodeci_sample_entropy(plane.count, plane.n);
        if (entropy >= least) continue;
        wcodeci_plane_consider(e, &plane, entropy, p, n, plan, &cost);
    }
    return cost;
}

/* What a tile costs by all of it: of a small one, or of one with few units of this split. */
static void wcodeci_tile_plan_full(wcodeci_encoder *e, unsigned split, unsigned predictor,
                                   wcodeci_plan_of_tile *plan)
{
    const wcodeci_split_row *row = &wcodeci_splits[split];
    const wcodeci_byte *units = e->src;
    int alike = 1;
    unsigned k;
    wcodeci_plane plane;
    plane.n = e->size / row->unit;
    plane.unit = row->unit;
    plan->split = split;
    plan->predictor = predictor;
    plan->cost = 0;
    if (predictor != WCODEC_PREDICT_NONE) {
        wcodeci_encode_residuals(e, plane.n, row->unit, predictor);
        units = e->units;
    }
    for (k = 0; k < row->planes; k++) {
        size_t cost;
        plane.width = row->plane[k].width;
        wcodeci_split_plane(e->kernels, split, k, units, e->plane, plane.n);
        plan->plane[k].how = WCODECI_PLAN_FULL;
        plan->plane[k].predictor = wcodeci_plane_look(e, &plane, alike, &cost);
        plan->plane[k].cost = cost;
        plan->cost += cost + WCODECI_PLANE_FIELDS;
        if (row->unit > 1 && !wcodeci_dtypes[e->dtype].integer
            && plan->plane[0].predictor == WCODEC_PREDICT_NONE) alike = 0;
    }
}

static void wcodeci_tile_plan(wcodeci_encoder *e, unsigned split, unsigned predictor,
                              wcodeci_plan_of_tile *plan)
{
    const wcodeci_split_row *row = &wcodeci_splits[split];
    const size_t n = e->size / row->unit;
    wcodeci_byte *units = e->residual, *sample = e->second;
    const wcodeci_byte *from;           /* what may be predicted from */
    unsigned k;
    if (n < WCODECI_SAMPLE) {           /* many bytes, but few units of this split */
        wcodeci_tile_plan_full(e, split, predictor, plan);
        return;
    }
    plan->split = split;
    plan->predictor = predictor;
    plan->cost = 0;
    wcodeci_sample_units(e, n, row->unit, predictor, units);
    from = predictor == WCODEC_PREDICT_NONE ? e->src : NULL;
    for (k = 0; k < row->planes; k++) {
        /* Where not even the exponents are like their neighbours', nothing else of a number is. */
        if (k == 1 && split >= WCODEC_SPLIT_BF16 && split <= WCODEC_SPLIT_F8_E5M2
            && plan->plane[0].how == WCODECI_PLAN_RANS16 && plan->plane[0].predictor == WCODEC_PREDICT_NONE)
            from = NULL;
        wcodeci_split_plane(e->kernels, split, k, units, sample, WCODECI_SAMPLE);
        plan->plane[k].cost = wcodeci_plane_planned(e, split, k, from, sample, n, &plan->plane[k]);
        plan->cost += plan->plane[k].cost;
    }
}

/* Counts residuals by class: all of few, down to an eighth of many.  Returns how many. */
static size_t wcodeci_classes_count(const wcodeci_byte *v, const wcodeci_byte *q, size_t n,
                                    uint32_t count[WCODECI_CLASSES][256])
{
    const size_t part = n / WCODECI_CLASS_VALUES;
    const size_t step = WCODECI_CLASS_RUN * (part < 1 ? 1 : wcodeci_min(part, 8));
    uint32_t other[256 * WCODECI_CLASSES], *one = count[0];
    size_t i, shown = 0;
    memset(one, 0, sizeof other);
    memset(other, 0, sizeof other);
    for (i = 0; i < n; i += step) {
        const size_t end = i + wcodeci_min(n - i, WCODECI_CLASS_RUN);
        wcodeci_count_classes(v + i, q + i, end - i, one, other);
        shown += end - i;
    }
    for (i = 0; i < 256 * WCODECI_CLASSES; i++) one[i] += other[i];
    return shown;
}

/* Codes the rows' scales. */
static void wcodeci_rows_encode(wcodeci_encoder *e, size_t rows)
{
    const unsigned coders = e->options.coders;
    const uint64_t row = e->row;
    const size_t slow = e->slow;
    wcodeci_plane plane;
    size_t cost;
    e->options.coders = WCODECI_SIDE_CODERS;
    if (e->options.profile == WCODEC_PROFILE_FAST && e->size > WCODECI_FREE_SIZE)
        e->options.coders &= ~(1u << WCODEC_CODER_HUFFMAN);
    e->row = 0;
    e->slow = 0;
    memcpy(e->plane, e->row_scales, rows);
    plane.v = e->plane;
    plane.n = rows;
    plane.width = 8;
    plane.unit = 1;
    wcodeci_plane_best(e, &plane, wcodeci_plane_look(e, &plane, 1, &cost), e->row_payload, &e->rows);
    e->rows.width = 8;
    e->options.coders = coders;
    e->row = row;
    e->slow = slow;
}

/* Considers taking scales off the first plane; `plan` is of a tile without a unit predictor. */
static void wcodeci_tile_scale(wcodeci_encoder *e, wcodeci_plan_of_tile *plan)
{
    const wcodeci_split_row *row = &wcodeci_splits[plan->split];
    const size_t n = e->size / row->unit;
    uint32_t count[WCODECI_CLASSES][256];
    wcodeci_rans16_model model;
    size_t shown, size;
    wcodeci_split_plane(e->kernels, plan->split, 0, e->src, e->plane, n);
    wcodeci_rows_fit(e->kernels, e->plane, n, e->scales->scales, e->scales->columns, e->scales->phase, e->row_scales,
                     e->q, e->scaled, (1u << row->plane[0].width) - 1);
    shown = wcodeci_classes_count(e->scaled, e->q, n, count);
    size = wcodeci_classes_prepare(count, shown, n, row->unit, &model);
    if (size >= plan->plane[0].cost) return;            /* (size_t)-1: none */
    wcodeci_rows_encode(e, wcodeci_scaled_rows(e->scales->columns, e->scales->phase, n));
    size += e->rows.size + 8;
    if (size >= plan->plane[0].cost) return;
    plan->cost -= plan->plane[0].cost - size;
    plan->plane[0].cost = size;
    plan->plane[0].how = WCODECI_PLAN_SCALED;
    plan->plane[0].model = model;
}

/* The commonest value. */
static unsigned wcodeci_mode(const wcodeci_byte *v, size_t n)
{
    uint32_t count[256];
    unsigned s, mode = 0;
    wcodeci_count(v, n, count);
    for (s = 1; s < 256; s++)
        if (count[s] > count[mode]) mode = s;
    return mode;
}

/* Considers coding the second plane by classes of the first plane's values, and of the scales if the first plane
 * is scaled; `plan` is of a tile without a unit predictor. */
static void wcodeci_tile_map(wcodeci_encoder *e, wcodeci_plan_of_tile *plan)
{
    const wcodeci_split_row *row = &wcodeci_splits[plan->split];
    const int scaled = plan->plane[0].how == WCODECI_PLAN_SCALED;
    const size_t n = e->size / row->unit;
    const size_t step = n < 4 * WCODECI_SAMPLE ? WCODECI_CLASS_RUN : 4 * WCODECI_CLASS_RUN;
    const wcodeci_byte *q = scaled ? e->q : NULL;
    wcodeci_context_counts counts;
    wcodeci_rans16_model model;
    wcodeci_class_map contexts;
    wcodeci_byte *second = e->residual;
    size_t i, j, size;
    unsigned k;
    wcodeci_split_plane(e->kernels, plan->split, 0, e->src, e->plane, n);
    wcodeci_split_plane(e->kernels, plan->split, 1, e->src, second, n);
    contexts.mask = (1u << row->plane[0].width) - 1;
    contexts.base = 0;
    if (row->plane[0].width > 4)
        contexts.base = (wcodeci_mode(scaled ? e->scaled : e->plane, n) - WCODECI_CONTEXT_MODE) & contexts.mask;
    for (k = 0; k < WCODECI_CONTEXTS; k++) contexts.class_of[k] = (wcodeci_byte)k;
    e->decode->classes(&contexts, e->plane, q, e->classes, n);
    memset(&counts, 0, sizeof counts);
    for (i = 0; i < n; i += step) {
        const size_t end = i + wcodeci_min(n - i, WCODECI_CLASS_RUN);
        for (j = i; j < end; j++) counts.count[e->classes[j]][second[j]]++;
        counts.shown += end - i;
    }
    size = wcodeci_contexts_prepare(&counts, n, row->unit, (wcodeci_context_runs *)(void *)e->work, &model);
    if (size >= plan->plane[1].cost) return;
    model.map.base = contexts.base;
    model.map.mask = contexts.mask;
    e->decode->classes(&model.map, e->plane, q, e->classes, n);
    plan->cost -= plan->plane[1].cost - size;
    plan->plane[1].cost = size;
    plan->plane[1].how = WCODECI_PLAN_MAPPED;
    plan->plane[1].model = model;
}

/* What classes can do for a plan, in a tile whose fields are not predicted. */
static void wcodeci_tile_classes(wcodeci_encoder *e, wcodeci_plan_of_tile *plan)
{
    const wcodeci_split_row *row = &wcodeci_splits[plan->split];
    if (plan->predictor != WCODEC_PREDICT_NONE || !(e->options.coders >> WCODEC_CODER_CLASSES & 1)
        || e->size / row->unit < WCODECI_SAMPLE)
        return;
    if (e->scales && wcodeci_split_floats(plan->split) && (e->options.predictors >> WCODEC_PREDICT_SCALE & 1))
        wcodeci_tile_scale(e, plan);
    if (row->planes > 1 && row->plane[1].width == 4 && plan->plane[1].cost > 1) wcodeci_tile_map(e, plan);
}

/* Splits to try: those of the dtype, or those that the caller named, as far as the size fits their units. */
static unsigned wcodeci_splits_to_try(const wcodeci_encoder *e)
{
    const wcodeci_dtype_row *dtype = &wcodeci_dtypes[e->dtype];
    unsigned mask = e->options.splits, split;
    if (!mask) mask = 1u << dtype->splits[0] | 1u << dtype->splits[1];
    for (split = 0; split < WCODEC_SPLIT_BLOCKS; split++)
        if (e->size % wcodeci_splits[split].unit) mask &= ~(1u << split);
    mask &= (1u << WCODEC_SPLIT_BLOCKS) - 1;
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

/* The split and unit predictor that cost least by all of a small tile.  What looks nearly as good is encoded too,
 * for looks are not exact. */
static size_t wcodeci_tile_encode_small(wcodeci_encoder *e, unsigned splits, uint32_t crc, wcodeci_byte *dst)
{
    wcodeci_plan_of_tile best, second, other;
    unsigned split, predictor;
    size_t size, least;
    best.cost = second.cost = UINT64_MAX;
    for (split = 0; split < WCODEC_SPLIT_BLOCKS; split++)
        for (predictor = 0; (splits >> split & 1) && predictor <= WCODEC_PREDICT_UP; predictor++) {
            if (!wcodeci_unit_predictor_fits(e, split, predictor)) continue;
            wcodeci_tile_plan_full(e, split, predictor, &other);
            if (other.cost < best.cost) {
                second = best;
                best = other;
            } else if (other.cost < second.cost) {
                second = other;
            }
        }
    least = wcodeci_tile_encode_as(e, best.split, best.predictor, best.plane, crc, dst);
    if (second.cost > best.cost + best.cost / WCODECI_SECOND_PART + WCODECI_GUESS_LEAST) return least;
    size = wcodeci_tile_encode_as(e, second.split, second.predictor, second.plane, crc, e->trial);
    if (size >= least) return least;
    memcpy(dst, e->trial, size);
    return size;
}

/* The split and unit predictor that cost least by a sample: the likeliest one unless another is clearly
 * better, and of floating point without a look at others if it saves a sixteenth. */
static size_t wcodeci_tile_encode_large(wcodeci_encoder *e, unsigned splits, uint32_t crc, wcodeci_byte *dst)
{
    const unsigned likely = wcodeci_dtypes[e->dtype].splits[0];
    wcodeci_plan_of_tile best, other;
    uint64_t favour = 0;
    unsigned split, predictor;
    best.split = WCODEC_SPLIT_COUNT;
    best.cost = UINT64_MAX;
    if (splits >> likely & 1) {
        wcodeci_tile_plan(e, likely, WCODEC_PREDICT_NONE, &best);
        favour = best.cost / 64;
        best.cost -= favour;
        if (wcodeci_splits[likely].unit > 1 && !wcodeci_dtypes[e->dtype].integer
            && best.cost < e->size - e->size / 16)
            splits = 0;
    }
    for (split = 0; split < WCODEC_SPLIT_BLOCKS; split++)
        for (predictor = 0; (splits >> split & 1) && predictor <= WCODEC_PREDICT_UP; predictor++) {
            if ((split == likely && predictor == WCODEC_PREDICT_NONE)
                || !wcodeci_unit_predictor_fits(e, split, predictor))
                continue;
            wcodeci_tile_plan(e, split, predictor, &other);
            if (other.cost < best.cost) best = other;
        }
    /* Last, for it leaves in the encoder's memory what its plan needs. */
    if (best.split == likely && best.predictor == WCODEC_PREDICT_NONE) best.cost += favour;
    split = wcodeci_dtypes[e->dtype].classes[e->options.profile != WCODEC_PROFILE_FAST];
    if (split != WCODEC_SPLIT_BYTE && (!e->options.splits || (e->options.splits >> split & 1))) {
        if (best.split == split && best.predictor == WCODEC_PREDICT_NONE) other = best;
        else wcodeci_tile_plan(e, split, WCODEC_PREDICT_NONE, &other);
        wcodeci_tile_classes(e, &other);
        /* Of integers, what is left out of the sample may be what matters: a clear gain, then, and a clearer one
         * if the upper halves decode slowly all the same. */
        favour = wcodeci_split_floats(split) || best.split == split ? 0
               : other.plane[0].how >= WCODECI_PLAN_FULL ? other.cost / 8 : other.cost / 64;
        if (other.cost + favour < best.cost) best = other;
    }
    return wcodeci_tile_encode_as(e, best.split, best.predictor, best.plane, crc, dst);
}

#if WCODECI_MIX

/* Do eight bytes from where a unit begins often stand elsewhere in the tile?  In weights that is rare. */
static int wcodeci_tile_repeats(const wcodeci_encoder *e)
{
    const size_t unit = wcodeci_dtypes[e->dtype].unit;
    uint64_t *const seen = (uint64_t *)e->mix;      /* where its slots are: they are set before each use */
    size_t i, again = 0;
    memset(seen, 0, 4096 * sizeof *seen);
    for (i = 0; i + 8 <= e->size; i += unit) {
        const uint64_t x = wcodeci_load64(e->src + i);
        uint64_t *const place = &seen[x * 0x9E3779B97F4A7C15u >> 52];
        again += *place == x;
        *place = x;
    }
    return again > e->size / unit / 16;
}

/* The profile BEST: bytes are tried too, of floating point where it repeats itself. */
static unsigned wcodeci_splits_to_mix(const wcodeci_encoder *e)
{
    const wcodeci_dtype_row *dtype = &wcodeci_dtypes[e->dtype];
    if (e->options.splits) return wcodeci_splits_to_try(e);
    if (dtype->unit > 1)
        return 1u << dtype->splits[0]
             | (dtype->integer || wcodeci_tile_repeats(e) ? 1u << WCODEC_SPLIT_BYTE : 0u);
    return dtype->bits == 8 && dtype->splits[1] == WCODEC_SPLIT_NIBBLES ? 1u << WCODEC_SPLIT_BYTE
                                                                        : wcodeci_splits_to_try(e);
}

/* Encodes the tile, or what e->size leaves of it, as split and unit predictor number `way`. */
static size_t wcodeci_tile_encode_way(wcodeci_encoder *e, unsigned way, uint32_t crc, wcodeci_byte *dst)
{
    const unsigned unit = wcodeci_dtypes[e->dtype].unit;
    const uint64_t row = e->row;
    size_t size;
    if (unit > 1 && way / WCODEC_PREDICT_COUNT == WCODEC_SPLIT_BYTE) e->row = unit;
    size = wcodeci_tile_encode_as(e, way / WCODEC_PREDICT_COUNT, way % WCODEC_PREDICT_COUNT, NULL, crc, dst);
    e->row = row;
    return size;
}

/* A part of the tile, from its middle, says which split and unit predictor take the least.  That of a tile that
 * is no more than the part is there already if it was the last to be tried. */
static size_t wcodeci_tile_encode_mixed(wcodeci_encoder *e, uint32_t crc, wcodeci_byte *dst)
{
    const unsigned splits = wcodeci_splits_to_mix(e), unit = wcodeci_dtypes[e->dtype].unit;
    const wcodeci_byte *const src = e->src;
    const size_t all = e->size, units = all / unit;
    size_t least = 0, size = 0, part = units, skip = 0;
    unsigned way, best = 0, last = 0, ways = 0;
    if (units > 2 * WCODECI_MIX_TRIAL) {
        part = WCODECI_MIX_TRIAL;
        skip = (units - part) / 2;
        if (e->row && e->row < part) {
            part -= part % (size_t)e->row;
            skip -= skip % (size_t)e->row;
        }
    }
    e->slow = 0;
    for (way = (unsigned)WCODEC_SPLIT_BLOCKS * (unsigned)WCODEC_PREDICT_COUNT; way-- > 0;) {
        const unsigned split = way / WCODEC_PREDICT_COUNT, predictor = way % WCODEC_PREDICT_COUNT;
        if (!(splits >> split & 1) || predictor > WCODEC_PREDICT_UP
            || !wcodeci_unit_predictor_fits(e, split, predictor))
            continue;
        if (ways++ == 0 && splits == 1u << split && !wcodeci_dtypes[e->dtype].integer) {
            best = way;         /* the only one */
            break;
        }
        e->src = src + skip * unit;
        e->size = part * unit;
        size = wcodeci_tile_encode_way(e, way, crc, dst);
        last = way;
        if (least && size >= least) continue;
        least = size;
        best = way;
    }
    e->src = src;
    e->size = all;
    if (ways && last == best && part == units && least) return size;
    return wcodeci_tile_encode_way(e, best, crc, dst);
}

#endif

/* What the tile costs by this split: a small one really, a large one by a sample. */
static uint64_t wcodeci_tile_trial(wcodeci_encoder *e, unsigned split, wcodeci_byte *dst)
{
    wcodeci_plan_of_tile plan;
    if (e->size <= 8 * WCODECI_SAMPLE)
        return wcodeci_tile_encode_as(e, split, WCODEC_PREDICT_NONE, NULL, 0, dst);
    wcodeci_tile_plan(e, split, WCODEC_PREDICT_NONE, &plan);
    return plan.cost;
}

/* Opaque bytes that come out clearly smaller as numbers of some dtype are coded as such.  (Not as I8: its nibbles
 * decode faster, but came out up to a hundredth larger.) */
static void wcodeci_tile_guess(wcodeci_encoder *e, wcodeci_byte *dst)
{
    const unsigned unit = wcodeci_guess_unit(e->src, e->size);
    const wcodeci_byte *guesses = wcodeci_guesses[unit == 8 ? 3 : unit / 2];
    uint64_t least;
    unsigned i, best = WCODEC_BYTES;
    if (unit == 1 || e->size % unit) return;
    least = wcodeci_tile_trial(e, WCODEC_SPLIT_BYTE, dst);
    least -= least / 64;
    for (i = 0; i < 3 && guesses[i] != WCODEC_BYTES; i++) {
        const uint64_t cost = wcodeci_tile_trial(e, wcodeci_dtypes[guesses[i]].splits[0], dst);
        if (cost >= least) continue;
        least = cost;
        best = guesses[i];
    }
    e->dtype = best;
    if (best != WCODEC_BYTES) e->row = e->row % unit ? 0 : e->row / unit;
}

#if WCODECI_LZ

/* Is the coder LZ worth a try for the tile's bytes, which come to a record of `size` bytes?  Typed data are looked at
 * first unless they are few. */
static int wcodeci_tile_wants_lz(const wcodeci_encoder *e, size_t size)
{
    const unsigned unit = wcodeci_dtypes[e->dtype].unit;
    if (!e->lz || (e->options.splits && !(e->options.splits >> WCODEC_SPLIT_BYTE & 1))) return 0;
    if (e->dtype != WCODEC_BYTES && (e->size > WCODECI_LZ_TINY || unit > 1)
        && !wcodeci_repeats(e->src, e->size / unit, unit, unit > 1 ? 8 : 4, e->lz))
        return 0;
    return wcodeci_lz_promises(e, e->src, e->size, 8, size);
}

/* Writes the tile as bytes by the coder LZ instead, where that costs less than the record of `size` bytes at dst.
 * Returns the record's size. */
static size_t wcodeci_tile_try_lz(wcodeci_encoder *e, uint32_t crc, wcodeci_byte *dst, size_t size)
{
    wcodeci_byte fields[WCODEC_TILE_HEAD];
    wcodeci_plane plane;
    wcodeci_tile tile;
    unsigned filler;
    size_t lz, end;
    if (!wcodeci_tile_wants_lz(e, size)) return size;
    plane.v = e->src;
    plane.n = e->size;
    plane.width = 8;
    wcodeci_count(plane.v, plane.n, plane.count);
    lz = wcodeci_lz_encode(&plane, e->options.profile == WCODEC_PROFILE_BEST, e->second, wcodeci_min(size, e->size),
                           e->lz);
    if (lz == 0) return size;
    memset(&tile, 0, sizeof tile);
    tile.n = e->size;
    tile.info.split = WCODEC_SPLIT_BYTE;
    tile.info.planes = 1;
    tile.info.plane[0].coder = WCODEC_CODER_LZ;
    tile.info.plane[0].size = lz;
    e->rows.size = 0;
    (void)wcodeci_tile_layout(&tile, wcodeci_tile_fields(e, &tile, crc, fields), &filler, &end);
    if (wcodeci_up8(end) + wcodeci_slow_cost(e, lz) >= size) return size;
    return wcodeci_tile_join(e, &tile, crc, 0, e->second, dst);
}

#endif

/* Encodes a tile that is not split as BLOCKS. */
static size_t wcodeci_tile_encode_plain(wcodeci_encoder *e, uint32_t crc, wcodeci_byte *dst)
{
    const unsigned splits = wcodeci_splits_to_try(e);
    size_t size;
#if WCODECI_MIX
    if (e->mix) size = wcodeci_tile_encode_mixed(e, crc, dst);
    else
#endif
    if (e->size / wcodeci_dtypes[e->dtype].unit <= WCODECI_SAMPLE
        && wcodec_tile_bound(e->size) <= WCODECI_TRIAL_SIZE)
        size = wcodeci_tile_encode_small(e, splits, crc, dst);
    else size = wcodeci_tile_encode_large(e, splits, crc, dst);
#if WCODECI_LZ
    size = wcodeci_tile_try_lz(e, crc, dst, size);
#endif
    return size;
}

/* ---- palettes, and dequantised integers ---- */

/* What a tile may be coded as instead: indices in e->classes, and a table in e->q. */
typedef struct wcodeci_indexed {
    unsigned split;                     /* 0: there is no such way */
    wcodeci_palette palette;
} wcodeci_indexed;

static int wcodeci_split_allowed(const wcodeci_encoder *e, unsigned split)
{
    return !e->options.splits || (e->options.splits >> split & 1);
}

/* Looks for scales of dequantised integers, then for a palette. */
static void wcodeci_indexed_find(const wcodeci_encoder *e, wcodeci_indexed *x)
{
    const unsigned unit = wcodeci_dtypes[e->dtype].unit, likely = wcodeci_dtypes[e->dtype].splits[0];
    const unsigned linear = likely == WCODEC_SPLIT_BF16 ? WCODEC_SPLIT_LINEAR_BF16
                          : likely == WCODEC_SPLIT_F16 ? WCODEC_SPLIT_LINEAR_F16
                          : likely == WCODEC_SPLIT_F32 ? WCODEC_SPLIT_LINEAR_F32 : 0;
    const unsigned palette = unit == 2 ? WCODEC_SPLIT_PALETTE16
                           : unit == 4 ? WCODEC_SPLIT_PALETTE32 : WCODEC_SPLIT_PALETTE64;
    const size_t n = e->size / unit;
    x->split = 0;
    if (unit == 1 || !wcodeci_palette_likely(e->src, n, unit)) return;
    if (linear && wcodeci_split_allowed(e, linear)
        && wcodeci_linear_find(linear, e->src, n, e->row, &x->palette, e->classes, e->q))
        x->split = linear;
    else if (wcodeci_split_allowed(e, palette)
             && wcodeci_palette_find(e->src, n, unit, &x->palette, e->classes, e->q))
        x->split = palette;
}

/* Encodes the tile so. */
static size_t wcodeci_tile_encode_indexed(wcodeci_encoder *e, const wcodeci_indexed *x, uint32_t crc,
                                          wcodeci_byte *dst)
{
    wcodeci_byte *from = dst + WCODECI_PLAIN_HEAD + WCODECI_ROWS_ROOM(x->palette.size);
    const size_t slow = e->slow;
    wcodeci_tile tile;
    wcodeci_plane plane;
    size_t cost;
    memset(&tile, 0, sizeof tile);
    e->rows.size = 0;
    if (e->mix) e->slow = 0;
    tile.info.split = x->split;
    tile.info.planes = 1;
    tile.info.table_size = x->palette.size;
    tile.palette = x->palette;
    tile.n = e->size / wcodeci_splits[x->split].unit;
    plane.n = tile.n;
    plane.width = x->palette.width;
    plane.unit = 1;
    memcpy(e->plane, e->classes, tile.n);
    wcodeci_plane_best(e, &plane, wcodeci_plane_look(e, &plane, 1, &cost), from, &tile.info.plane[0]);
#if WCODECI_LZ
    if (e->lz) wcodeci_plane_try_lz(e, &plane, from, &tile.info.plane[0]);
#endif
#if WCODECI_MIX
    if (e->mix) wcodeci_plane_try_mix(e, &plane, x->split, 0, from, &tile.info.plane[0]);
#endif
    e->slow = slow;
    return wcodeci_tile_join(e, &tile, crc, 0, from, dst);
}

/* Encodes a tile that is no field: with a table where that is smaller.  The record with a table waits where a tile
 * of blocks has those of its fields. */
static size_t wcodeci_tile_encode_units(wcodeci_encoder *e, uint32_t crc, wcodeci_byte *dst)
{
    wcodeci_indexed indexed;
    size_t size, other = 0;
    wcodeci_indexed_find(e, &indexed);
    if (indexed.split) other = wcodeci_tile_encode_indexed(e, &indexed, crc, e->blocks);
    size = wcodeci_tile_encode_plain(e, crc, dst);
    if (!other || other >= size) return size;
    memcpy(dst, e->blocks, other);
    return other;
}

/* ---- tiles of blocks ---- */

/* A tile of blocks whose fields are coded: as records of their own, one after the other. */
typedef struct wcodeci_blocks_plan {
    const wcodeci_block_row *block;
    size_t record[WCODEC_MAX_FIELDS];   /* their sizes */
    wcodeci_byte fields[WCODEC_TILE_HEAD];      /* of the whole record, behind type and body size */
    size_t used;
} wcodeci_blocks_plan;

/* Codes the fields of a tile, which are gathered at `field`.  Their rows are those of the tile, or else blocks. */
static void wcodeci_blocks_encode(wcodeci_encoder *e, const wcodeci_byte *src, size_t size, uint64_t row,
                                  wcodeci_byte *field, wcodeci_blocks_plan *plan)
{
    const wcodeci_block_row *block = plan->block;
    const size_t blocks = size / block->bytes;
    const uint64_t row_blocks = row && row % block->bytes == 0 ? row / block->bytes : 1;
    wcodeci_byte *to = e->blocks;
    unsigned f;
    for (f = 0; f < WCODECI_BLOCK_FIELDS && block->field[f].bytes; f++) {
        const size_t width = block->field[f].bytes;
        wcodeci_blocks_take(src, block->bytes, width, field, blocks);
        src += width;
        e->src = field;
        e->size = blocks * width;
        e->dtype = block->field[f].kind;
        e->row = row_blocks * width / wcodeci_dtypes[e->dtype].unit;
        e->slow = e->size < WCODECI_FREE_SIZE ? 0 : e->size / WCODECI_SLOW_PART;
        plan->record[f] = wcodeci_tile_encode_plain(e, 0, to);
        to += plan->record[f];
    }
}

static size_t wcodeci_put_field(const wcodeci_tile *field, wcodeci_byte *dst)
{
    size_t used = 2;
    unsigned k;
    dst[0] = (wcodeci_byte)field->info.split;
    dst[1] = (wcodeci_byte)(field->info.predictor | (field->row ? WCODECI_TILE_ROW : 0));
    if (field->row) used += wcodeci_put_varint(dst + used, field->row);
    for (k = 0; k < field->info.planes; k++) used += wcodeci_put_plane(&field->info.plane[k], dst + used);
    return used;
}

/* The fields of the record. */
static void wcodeci_blocks_fields(wcodeci_encoder *e, wcodeci_blocks_plan *plan, size_t size, uint32_t crc)
{
    const wcodeci_byte *from = e->blocks;
    wcodeci_byte *dst = plan->fields;
    wcodeci_tile field;
    const char *what;
    unsigned f, count = 0;
    size_t used;
    while (count < WCODECI_BLOCK_FIELDS && plan->block->field[count].bytes) count++;
    dst[0] = WCODEC_SPLIT_BLOCKS;
    dst[1] = 0;
    wcodeci_store32(dst + 2, crc);
    used = 6 + wcodeci_put_varint(dst + 6, size);
    dst[used++] = (wcodeci_byte)count;
    for (f = 0; f < count; f++) used += wcodeci_put_varint(dst + used, plan->block->field[f].bytes);
    for (f = 0; f < count; f++) {
        (void)wcodeci_tile_parse(from, plan->record[f], &field, &what);
        used += wcodeci_put_field(&field, dst + used);
        from += plan->record[f];
    }
    plan->used = used;
}

/* Copies the payloads of the fields behind `at`, or says only where they end (dst NULL). */
static size_t wcodeci_blocks_payloads(const wcodeci_encoder *e, const wcodeci_blocks_plan *plan, size_t at,
                                      wcodeci_byte *dst)
{
    const wcodeci_byte *from = e->blocks;
    unsigned f, k;
    for (f = 0; f < WCODECI_BLOCK_FIELDS && plan->block->field[f].bytes; from += plan->record[f], f++) {
        wcodeci_tile field;
        const char *what;
        (void)wcodeci_tile_parse(from, plan->record[f], &field, &what);
        for (k = 0; k < field.info.planes; k++) {
            wcodec_plane_info plane = field.info.plane[k];
            const size_t end = (size_t)wcodeci_plane_place(&plane, at);
            if (dst) {
                memset(dst + at, 0, plane.offset - at);
                memcpy(dst + plane.offset, from + field.info.plane[k].offset, plane.size);
            }
            at = end;
        }
    }
    return at;
}

/* A length of the record's head whose body size takes just that length, as in wcodeci_tile_layout. */
static size_t wcodeci_blocks_layout(const wcodeci_encoder *e, const wcodeci_blocks_plan *plan, unsigned *filler,
                                    size_t *end)
{
    for (*filler = 0; *filler < 8; ++*filler) {
        size_t head;
        for (head = 2; head <= WCODECI_RECORD_HEAD; head++) {
            *end = wcodeci_blocks_payloads(e, plan, head + plan->used + *filler, NULL);
            if (1 + wcodeci_varint_size(*end - head) == head) return head;
        }
    }
    return 0;
}

static size_t wcodeci_blocks_join(const wcodeci_encoder *e, const wcodeci_blocks_plan *plan, size_t head,
                                  unsigned filler, size_t end, wcodeci_byte *dst)
{
    dst[0] = WCODECI_RECORD_TILE;
    wcodeci_put_varint(dst + 1, end - head);
    memcpy(dst + head, plan->fields, plan->used);
    dst[head + 1] = (wcodeci_byte)(filler << WCODECI_TILE_FILLER);
    memset(dst + head + plan->used, 0, filler);
    wcodeci_blocks_payloads(e, plan, head + plan->used + filler, dst);
    memset(dst + end, 0, (size_t)wcodeci_up8(end) - end);
    return (size_t)wcodeci_up8(end);
}

/* Can bytes, all of one plane, come to less than the blocks?  What a predictor would save there it saves in the
 * fields, where neighbours are more alike. */
static int wcodeci_blocks_surpassed(const wcodeci_byte *src, size_t size, size_t blocks)
{
    uint32_t count[256];
    wcodeci_count(src, size, count);
    return wcodeci_entropy(count, size) / 8 < blocks + size / 256;
}

/* Encodes a tile of blocks as bytes, or as blocks if that saves one part in 256, or if the caller wants no bytes. */
static size_t wcodeci_tile_encode_blocks(wcodeci_encoder *e, const wcodeci_block_row *block, uint32_t crc,
                                         wcodeci_byte *dst)
{
    const wcodeci_byte *const src = e->src;
    const size_t size = e->size;
    const unsigned splits = e->options.splits;
    void *const mix = e->mix;
    wcodeci_blocks_plan plan;
    size_t head = 0, end = 0, bytes;
    unsigned filler = 0;
    plan.block = block;
    if (size % block->bytes == 0 && (!splits || (splits >> WCODEC_SPLIT_BLOCKS & 1))) {
        const uint64_t row = e->row;
        wcodeci_blocks_encode(e, src, size, row, dst, &plan);       /* dst is free until the end */
        wcodeci_blocks_fields(e, &plan, size, crc);
        head = wcodeci_blocks_layout(e, &plan, &filler, &end);
        if (wcodeci_up8(end) > wcodec_tile_bound(size)) head = 0;
        if (head && ((splits && !(splits & 1u << WCODEC_SPLIT_BYTE)) || !wcodeci_blocks_surpassed(src, size, end)))
            return wcodeci_blocks_join(e, &plan, head, filler, end, dst);
        e->row = row;
    }
    e->src = src;
    e->size = size;
    e->dtype = WCODEC_BYTES;
    e->slow = size < WCODECI_FREE_SIZE ? 0 : size / WCODECI_SLOW_PART;
    if (head) e->mix = NULL;            /* it takes long, and sees less than it did in the fields */
    bytes = wcodeci_tile_encode_plain(e, crc, dst);
    e->mix = mix;
    if (!head || wcodeci_up8(end) + size / 256 >= bytes) return bytes;
    return wcodeci_blocks_join(e, &plan, head, filler, end, dst);
}

/* The tile without a base. */
static size_t wcodeci_tile_encode_alone(wcodeci_encoder *e, uint32_t crc, wcodeci_byte *dst)
{
    const wcodeci_block_row *block = wcodeci_block_of(e->dtype);
    const wcodeci_encoder tile = *e;
    size_t size;
    if (e->dtype == WCODEC_BYTES && !e->options.splits && e->size >= WCODECI_NUMBERS_LEAST) wcodeci_tile_guess(e, dst);
    size = block ? wcodeci_tile_encode_blocks(e, block, crc, dst) : wcodeci_tile_encode_units(e, crc, dst);
    *e = tile;                  /* which was each of its fields, or numbers that its bytes were taken for */
    return size;
}

/* The tile as what it differs from the base: exclusive or suits the splits of the dtype, differences those of whole
 * bytes.  Which of them is likely the smallest is a matter of the entropies of all planes; what is left of a
 * checkpoint whose values are mostly the same is too little to go by a sample. */
static void wcodeci_base_plan(wcodeci_encoder *e, wcodeci_plan_of_tile *best)
{
    const unsigned unit = wcodeci_dtypes[e->dtype].unit, splits = wcodeci_splits_to_try(e);
    wcodeci_plan_of_tile other;
    unsigned split, predictor;
    best->split = best->predictor = 0;
    best->cost = UINT64_MAX;
    for (split = 0; split < WCODEC_SPLIT_BLOCKS; split++)
        for (predictor = WCODEC_PREDICT_BASE_XOR; predictor <= WCODEC_PREDICT_BASE_DIFFERENCE; predictor++) {
            const int whole = split <= WCODEC_SPLIT_WORD64;
            if (!(splits >> split & 1) || !(e->options.predictors >> predictor & 1)
                || wcodeci_splits[split].unit != unit || (predictor == WCODEC_PREDICT_BASE_DIFFERENCE && !whole))
                continue;
            wcodeci_tile_plan_full(e, split, predictor, &other);
            if (other.cost < best->cost) *best = other;
        }
}

/* A tile of blocks is bytes where it needs the base: its fields have none. */
static size_t wcodeci_tile_encode_best(wcodeci_encoder *e, wcodeci_byte *dst)
{
    const uint32_t crc = e->known_crc ? *e->known_crc : e->crc(0, e->src, e->size);
    const size_t alone = wcodeci_tile_encode_alone(e, crc, dst);
    const unsigned dtype = e->dtype;
    wcodeci_plan_of_tile plan;
    size_t size;
    if (!e->base || e->options.splits == 1u << WCODEC_SPLIT_BLOCKS) return alone;
    if (wcodeci_block_of(dtype)) e->dtype = WCODEC_BYTES;
    wcodeci_base_plan(e, &plan);
    if (plan.cost >= alone) return alone;
    size = wcodeci_tile_encode_as(e, plan.split, plan.predictor, NULL, crc, dst);
    if (size < alone) return size;
    e->dtype = dtype;
    return wcodeci_tile_encode_alone(e, crc, dst);
}

/* wcodec_tile_encode; `crc`: of the bytes, or NULL. */
static size_t wcodeci_tile_encode(unsigned dtype, uint64_t row, const void *src, size_t size, const uint32_t *crc,
                                  const wcodec_tile_inputs *inputs, const wcodec_tile_options *options,
                                  void *dst, size_t dst_size, void *scratch, size_t scratch_size)
{
    wcodeci_encoder e;
    unsigned cpu;
    if ((dtype >= WCODECI_DTYPES && !wcodeci_block_of(dtype)) || !src || !dst || !scratch || size == 0
        || size > WCODEC_MAX_TILE_BYTES || (dtype < WCODECI_DTYPES && size % wcodeci_dtypes[dtype].unit) || dst_size < wcodec_tile_bound(size)
        || (options && options->profile > (WCODECI_MIX ? WCODEC_PROFILE_BEST : WCODEC_PROFILE_DENSE))
        || scratch_size < wcodeci_encode_scratch(options ? options->profile : 0, size)
        || (inputs && inputs->scales
            && (inputs->columns < WCODECI_MIN_COLUMNS || inputs->columns > WCODECI_MAX_COLUMNS
                || inputs->phase >= inputs->columns)))
        return 0;
    memset(&e.options, 0, sizeof e.options);
    if (options) e.options = *options;
    if (!e.options.coders) e.options.coders = (1u << WCODEC_CODER_COUNT) - 1;
    if (!options || !options->predictors) e.options.predictors = (1u << WCODEC_PREDICT_COUNT) - 1;
    cpu = wcodec_cpu_detect() & ~e.options.cpu_off;
    e.kernels = wcodeci_encode_kernels_of(cpu);
    e.decode = wcodeci_kernels_of(cpu);
    e.crc = wcodeci_crc_of(cpu);
    e.scales = inputs && inputs->scales ? inputs : NULL;
    e.base = inputs && inputs->base ? inputs : NULL;
    memset(&e.rows, 0, sizeof e.rows);
    e.src = (const wcodeci_byte *)src;
    e.size = size;
    e.dtype = dtype;
    e.row = row;
    e.known_crc = crc;
    e.slow = size < WCODECI_FREE_SIZE ? 0 : size / WCODECI_SLOW_PART;
    e.work = (wcodeci_byte *)scratch + ((8 - ((uintptr_t)scratch & 7)) & 7);
    e.mix = NULL;
    if (e.options.profile == WCODEC_PROFILE_BEST && (e.options.coders >> WCODEC_CODER_MIX & 1)) {
        e.mix = e.work;
        e.work += wcodeci_mix_scratch();
#if WCODECI_MIX
        wcodeci_mix_tables((wcodeci_mix *)e.mix);
#endif
    }
    e.lz = WCODECI_LZ && (e.options.coders >> WCODEC_CODER_LZ & 1) ? e.work : NULL;
    e.units = e.work + wcodeci_encode_work(size);
    e.plane = e.units + size;
    e.residual = e.plane + size;
    e.second = e.residual + size;
    e.trial = e.second + size + 64;
    e.q = e.trial + WCODECI_TRIAL_SIZE;
    e.scaled = e.q + size;
    e.classes = e.scaled + size;
    e.row_scales = e.classes + size;
    e.row_payload = e.row_scales + wcodeci_encode_rows(size);
    e.blocks = e.row_payload + wcodeci_encode_rows(size);
    return wcodeci_tile_encode_best(&e, (wcodeci_byte *)dst);
}

WCODEC_API size_t wcodec_tile_encode(unsigned dtype, uint64_t row, const void *src, size_t size,
                                     const wcodec_tile_inputs *inputs, const wcodec_tile_options *options,
                                     void *dst, size_t dst_size, void *scratch, size_t scratch_size)
{
    return wcodeci_tile_encode(dtype, row, src, size, NULL, inputs, options, dst, dst_size, scratch, scratch_size);
}

#endif
