/* ------------------------------------------------------------------------------------------------
 * rANS-16 (private): up to 16 symbols, up to 256 interleaved 16-bit states
 *
 * rANS (Duda, "Asymmetric numeral systems", 2013) keeps a message in one number x.  With frequencies f[s]
 * that sum to M = 256, coding s maps x to (x / f) * M + slot, where the slot is the one of the f[s] slots of
 * s that has rank x % f; decoding reads the slot off x % M and goes back.  x is kept in [256, 65536): the
 * encoder sheds a byte before it would grow beyond, so the decoder takes in at most one byte a symbol.
 * Encoding runs backwards, so that decoding runs forwards.
 *
 * Sixteen symbols are as many as one byte shuffle holds, and the alias table (Walker, 1977; Vose, 1991)
 * finds slot -> symbol with five of them, no matter which vector unit.  The scalar code fills one table of 256.
 * Interleaving (Giesen, "Interleaved entropy coders", 2014): the lanes wait for themselves alone, so a vector
 * of 64 lanes is as slow as its chain of some 30 cycles unless there are more vectors to work on meanwhile.
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_RANS16_HEAD 36          /* before the states, with one class */
#define WCODECI_CLASSES_HEAD 102        /* with four */
#define WCODECI_CLASSES_MAP 81          /* where its base and map stand */
#define WCODECI_CLASS_MAP 1             /* where classes come from: the first plane; 0: scales */
#define WCODECI_RANS16_LOW 256          /* of a state */

/* The place of the lowest bit set, for x >= 1. */
WCODECI_INLINE unsigned wcodeci_lowest_bit(uint32_t x)
{
#if defined(__GNUC__) && defined(__SIZEOF_INT__) && __SIZEOF_INT__ == 4
    return (unsigned)__builtin_ctz(x);
#else
    unsigned place = 0;
    for (; !(x & 1); x >>= 1) place++;
    return place;
#endif
}

/* The construction of format section 9.4 for the class whose entries stand at `at`.  The frequencies sum to
 * 256, so while a symbol is short of its bucket's 16 slots, another one, not done either, has more than 16. */
static void wcodeci_alias_make(wcodeci_rans16 *r, unsigned at)
{
    const wcodeci_byte *freq = r->freq + at;
    wcodeci_byte *div = r->div + at, *other = r->other + at;
    unsigned rem[16], count[16], few = 0, many = 0, b;      /* few, many: sets of symbols not done */
    for (b = 0; b < 16; b++) {
        rem[b] = freq[b];
        few |= (unsigned)(rem[b] < 16) << b;
        many |= (unsigned)(rem[b] > 16) << b;
        div[b] = 16;
        other[b] = (wcodeci_byte)b;
    }
    while (few && many) {
        const unsigned i = wcodeci_lowest_bit(few), j = wcodeci_lowest_bit(many);
        div[i] = (wcodeci_byte)rem[i];
        other[i] = (wcodeci_byte)j;
        rem[j] -= 16 - rem[i];
        few &= few - 1;
        few |= (unsigned)(rem[j] < 16) << j;
        many ^= (unsigned)(rem[j] <= 16) << j;
    }
    for (b = 0; b < 16; b++) count[b] = div[b];
    for (b = 0; b < 16; b++) {
        r->base[at + b] = (wcodeci_byte)(count[other[b]] - div[b]);
        count[other[b]] += 16u - div[b];
    }
}

/* The symbol of a slot, 0-15; at: 16 times the class. */
WCODECI_INLINE unsigned wcodeci_alias_slot(const wcodeci_rans16 *r, unsigned at, unsigned slot, unsigned *rank)
{
    unsigned b = slot >> 4, k = slot & 15;
    int own = k < r->div[at + b];
    *rank = own ? k : (k + r->base[at + b]) & 255;
    return own ? b : r->other[at + b];
}

/* ---- the scalar kernels ---- */

/* What a slot brings, class by class: freq, rank, and the value where it stands in a unit; four numbers, so
 * that an index is a shift. */
static void wcodeci_rans16_table(const wcodeci_rans16 *r, unsigned classes, unsigned shift)
{
    uint16_t *entry = r->table;
    unsigned at, slot, rank, s;
    for (at = 0; at < 16 * classes; at += 16)
        for (slot = 0; slot < 256; slot++, entry += 4) {
            s = wcodeci_alias_slot(r, at, slot, &rank);
            entry[0] = r->freq[at + s];
            entry[1] = (uint16_t)rank;
            entry[2] = (uint16_t)(r->value[s] << shift);
        }
}

static void wcodeci_rans16_load(const wcodeci_rans16 *r, uint16_t *state)
{
    unsigned lane;
    for (lane = 0; lane < r->lanes; lane++) state[lane] = (uint16_t)(r->high[lane] << 8 | r->low[lane]);
}

static void wcodeci_rans16_store(wcodeci_rans16 *r, const uint16_t *state)
{
    unsigned lane;
    for (lane = 0; lane < r->lanes; lane++) {
        r->high[lane] = (wcodeci_byte)(state[lane] >> 8);
        r->low[lane] = (wcodeci_byte)state[lane];
    }
}

/* Takes a lane one step on; returns its value. */
WCODECI_INLINE unsigned wcodeci_rans16_step(uint16_t *state, const uint16_t *table, const wcodeci_byte **p)
{
    const uint16_t *entry = table + 4 * (size_t)(*state & 255);
    uint32_t x = (uint32_t)entry[0] * (*state >> 8) + entry[1];
    const uint32_t low = (x - WCODECI_RANS16_LOW) >> 31;        /* x is below 65536 */
    /* Arithmetic, for compilers turn a choice into a branch, and none can predict this one. */
    x = (x << 8 * low) | (**p & (0u - low));
    *p += low;
    *state = (uint16_t)x;
    return entry[2];
}

/* The loop of all scalar kernels; classes and units are constants.  planes NULL: the values go to dst, else
 * units of split BF16. */
WCODECI_INLINE size_t wcodeci_rans16_loop(wcodeci_rans16 *r, unsigned classes, const wcodeci_byte *const *planes,
                                          wcodeci_byte *dst, size_t n)
{
    uint16_t state[WCODECI_RANS16_LANES];
    const wcodeci_byte *p = r->p, *q = r->q, *rest = planes ? planes[1] : NULL;
    const uint16_t *table = r->table;
    const unsigned lanes = r->lanes, mask = r->mask;
    size_t i = 0;
    unsigned lane;
    if (n < lanes || (size_t)(r->limit - p) < lanes) return 0;
    wcodeci_rans16_table(r, classes, planes && classes == 1 ? 7 : 0);
    wcodeci_rans16_load(r, state);
    for (; n - i >= lanes && (size_t)(r->limit - p) >= lanes; i += lanes)
        for (lane = 0; lane < lanes; lane++) {
            unsigned value;
            if (classes == 1) {
                value = wcodeci_rans16_step(&state[lane], table, &p);
            } else {
                value = wcodeci_rans16_step(&state[lane], table + 1024 * (size_t)(q[i + lane] & 3), &p);
                value = (value + (q[i + lane] >> 2)) & mask;
                if (planes) value <<= 7;
            }
            /* The sign is bit 7 of the rest, and bit 15 of that times 257. */
            if (planes) wcodeci_store16(dst + 2 * (i + lane), value | (rest[i + lane] * 257u & 0x807F));
            else dst[i + lane] = (wcodeci_byte)value;
        }
    wcodeci_rans16_store(r, state);
    r->p = p;
    return i;
}

static size_t wcodeci_rans16_scalar(wcodeci_rans16 *r, wcodeci_byte *v, size_t n)
{
    return wcodeci_rans16_loop(r, 1, NULL, v, n);
}

static size_t wcodeci_rans16_classes_scalar(wcodeci_rans16 *r, wcodeci_byte *v, size_t n)
{
    return wcodeci_rans16_loop(r, WCODECI_CLASSES, NULL, v, n);
}

static size_t wcodeci_rans16_bf16_scalar(wcodeci_rans16 *r, const wcodeci_byte *const *planes,
                                         wcodeci_byte *dst, size_t n)
{
    return wcodeci_rans16_loop(r, 1, planes, dst, n);
}

static size_t wcodeci_rans16_bf16_classes_scalar(wcodeci_rans16 *r, const wcodeci_byte *const *planes,
                                                 wcodeci_byte *dst, size_t n)
{
    return wcodeci_rans16_loop(r, WCODECI_CLASSES, planes, dst, n);
}

/* ---- a whole plane ---- */

#define WCODECI_EXCEPTION_SIZE 3

/* Exceptions on their way: the next one, if any is left, stands at p and replaces value number `place`; n: none is. */
typedef struct wcodeci_exceptions {
    const wcodeci_byte *p, *end;
    size_t place;
} wcodeci_exceptions;

/* Where the decoded values go: to bytes v, or merged with the other planes to units at dst. */
typedef struct wcodeci_rans16_out {
    wcodeci_byte *v;                            /* NULL: units */
    wcodeci_rans16_units_fn *units;
    const wcodeci_byte *planes[WCODEC_MAX_PLANES];      /* NULL: the one that is decoded */
    unsigned split, packed;                     /* packed: planes behind the fused one that have less than */
                                                /* 8 bits are raw payloads */
    wcodeci_byte *dst;
    const wcodeci_scaled *scales;               /* what the tile has; NULL: none */
    const wcodeci_scaled *scaled;               /* the same, where they are added; NULL: they are not */
    const wcodeci_byte *first;                  /* the first plane, for classes that come from it; or NULL */
    wcodeci_class_map map;                      /* how */
    wcodeci_byte *q;                            /* room for WCODECI_Q_CHUNK; NULL: one class, not scaled */
    wcodeci_byte *stage;                        /* WCODECI_STAGE_SIZE bytes that units go through on their way past */
                                                /* the caches; NULL: they go to dst */
    wcodeci_crc_fn *crc;                        /* of units that go through it; NULL: none is wanted */
    uint32_t sum;                               /* what it says of them */
    wcodeci_byte *to;                           /* of the part that is decoded: where its values or units go */
} wcodeci_rans16_out;

/* Is plane k of a packed tile a raw payload? */
WCODECI_INLINE int wcodeci_plane_packs(const wcodeci_split_row *split, unsigned k)
{
    return split->plane[k].width < 8 && k > wcodeci_split_fused((unsigned)(split - wcodeci_splits));
}

/* Is one of the bytes 0?  n is a multiple of 8.  (Adding 127 to a byte's lower bits sets its top bit unless they
 * are 0.) */
static int wcodeci_any_zero(const wcodeci_byte *p, size_t n)
{
    const uint64_t seven = (uint64_t)0x7F7F7F7F7F7F7F7Fu;
    uint64_t none = ~(uint64_t)0;
    size_t i;
    for (i = 0; i < n; i += 8) {
        const uint64_t x = wcodeci_load64(p + i);
        none &= ((x & seven) + seven) | x;
    }
    return (~none & ~seven) != 0;
}

/* Are all bytes `value`?  n is a multiple of 8. */
static int wcodeci_all_bytes(const wcodeci_byte *p, unsigned value, size_t n)
{
    const uint64_t wanted = (uint64_t)0x0101010101010101u * value;
    uint64_t different = 0;
    size_t i;
    for (i = 0; i < n; i += 8) different |= wcodeci_load64(p + i) ^ wanted;
    return different == 0;
}

/* Reads the head of a payload up to the states: `classes` is 1 or WCODECI_CLASSES. */
static const char *wcodeci_rans16_open(wcodeci_rans16 *r, const wcodeci_byte *src, size_t size,
                                       unsigned classes, unsigned width, wcodeci_exceptions *x)
{
    const size_t head = classes == 1 ? WCODECI_RANS16_HEAD : WCODECI_CLASSES_HEAD;
    const wcodeci_byte *tail = src + head - 4;          /* exceptions, lanes */
    size_t exceptions;
    unsigned c, s, used = 0;
    if (size < head || tail[3] > 2) return "a rANS-16 plane ends too early";
    exceptions = wcodeci_load32(tail) & 0xFFFFFF;
    r->lanes = 64u << tail[3];
    exceptions *= WCODECI_EXCEPTION_SIZE;
    if (size - head < (size_t)2 * r->lanes || size - head - (size_t)2 * r->lanes < exceptions)
        return "a rANS-16 plane ends too early";
    memcpy(r->freq, src + (classes > 1), (size_t)16 * classes);
    memcpy(r->value, src + (classes > 1) + (size_t)16 * classes, 16);
    for (c = 0; c < classes; c++) {
        unsigned sum = 0;
        for (s = 0; s < 16; s++) {
            sum += r->freq[16 * c + s];
            used |= (unsigned)(r->freq[16 * c + s] != 0) << s;
        }
        if (sum != 256) return "rANS-16 frequencies do not sum to 256";
        wcodeci_alias_make(r, 16 * c);
    }
    for (s = 0; s < 16; s++)
        if (r->value[s] >> width || (!(used >> s & 1) && r->value[s]))
            return "a value of a rANS-16 table is out of range";
    r->mask = (1u << width) - 1;
    src += head;
    x->p = src;
    x->end = src += exceptions;
    memcpy(r->high, src, r->lanes);
    memcpy(r->low, src + r->lanes, r->lanes);
    if (wcodeci_any_zero(r->high, r->lanes)) return "a rANS-16 state is out of range";
    r->p = src + 2 * r->lanes;
    return NULL;
}

/* One class stands for all: what a scaled plane takes where it has no more. */
static void wcodeci_rans16_spread(wcodeci_rans16 *r)
{
    unsigned at;
    for (at = 16; at < 16 * WCODECI_CLASSES; at += 16) {
        memcpy(r->div + at, r->div, 16);
        memcpy(r->other + at, r->other, 16);
        memcpy(r->base + at, r->base, 16);
        memcpy(r->freq + at, r->freq, 16);
    }
}

/* Whole rounds of values i ... end - 1 of the part that begins at `begin`; returns how many values. */
static size_t wcodeci_rans16_some(const wcodeci_kernels *kernels, wcodeci_rans16 *r,
                                  const wcodeci_rans16_out *out, size_t begin, size_t i, size_t end)
{
    const wcodeci_byte *planes[WCODEC_MAX_PLANES] = { NULL };
    const wcodeci_split_row *split;
    unsigned k;
    if (out->q) r->q = out->q + (i - begin);
    if (out->v) return kernels->rans16[out->q != NULL](r, out->to + (i - begin), end - i);
    split = &wcodeci_splits[out->split];
    for (k = 0; k < split->planes; k++)
        if (out->planes[k])
            planes[k] = out->planes[k]
                      + (out->packed && wcodeci_plane_packs(split, k) ? i / 8 * split->plane[k].width : i);
    return out->units(r, planes, out->to + (i - begin) * split->unit, end - i);
}

/* Makes q of values i ... i + n - 1. */
static void wcodeci_rans16_q(const wcodeci_kernels *kernels, const wcodeci_rans16_out *out, size_t i, size_t n)
{
    size_t j;
    if (out->scales) wcodeci_scaled_q(kernels, out->scales, i, out->q, n);
    if (out->first) {
        kernels->classes(&out->map, out->first + i, out->scales ? out->q : NULL, out->q, n);
        return;
    }
    for (j = 0; j < n && !out->scaled; j++) out->q[j] &= 3;
}

/* The last rounds, which may read as if the bytes went on beyond `last`, the payload's end; only what is there may
 * be used: returns 0 if more is, or how many values there are now. */
static size_t wcodeci_rans16_padded(const wcodeci_kernels *kernels, wcodeci_rans16 *r, const wcodeci_byte *last,
                                    const wcodeci_rans16_out *out, size_t begin, size_t i, size_t end)
{
    wcodeci_byte pad[2 * WCODECI_RANS16_LANES];
    const wcodeci_byte *const p = r->p, *const limit = r->limit;
    const size_t left = wcodeci_min((size_t)(last - p), r->lanes);
    memset(pad, 0, sizeof pad);
    memcpy(pad, p, left);
    r->p = pad;
    r->limit = pad + left + r->lanes;
    i += wcodeci_rans16_some(kernels, r, out, begin, i, end);
    if ((size_t)(r->p - pad) > left) return 0;
    r->p = p + (r->p - pad);
    r->limit = limit;
    return i;
}

/* Puts value number i of the plane where it belongs. */
static void wcodeci_rans16_put(const wcodeci_rans16_out *out, size_t begin, size_t i, unsigned value)
{
    const wcodeci_split_row *split = &wcodeci_splits[out->split];
    uint64_t x;
    unsigned k;
    if (out->v) {
        out->to[i - begin] = (wcodeci_byte)value;
        return;
    }
    x = wcodeci_merge_value(&split->plane[wcodeci_split_fused(out->split)], value);
    for (k = 0; k < split->planes; k++)
        if (out->planes[k])
            x |= wcodeci_merge_value(&split->plane[k], out->packed && wcodeci_plane_packs(split, k)
                                     ? wcodeci_raw_value(out->planes[k], split->plane[k].width, i)
                                     : out->planes[k][i]);
    wcodeci_store_unit(out->to + (i - begin) * split->unit, split->unit, x);
}

/* The last values, less than a round of them.  Returns 0 if the bytes up to the payload's end run out. */
static int wcodeci_rans16_rest(wcodeci_rans16 *r, const wcodeci_byte *end, const wcodeci_rans16_out *out,
                               size_t begin, size_t i, size_t n)
{
    unsigned lane;
    for (lane = 0; i < n; i++, lane++) {
        const unsigned q = out->q ? out->q[i - begin] : 0, at = 16 * (q & 3);
        unsigned rank, s;
        uint32_t x;
        s = wcodeci_alias_slot(r, at, r->low[lane], &rank);
        x = (uint32_t)r->freq[at + s] * r->high[lane] + rank;
        if (x < WCODECI_RANS16_LOW) {
            if (r->p == end) return 0;
            x = x << 8 | *r->p++;
        }
        r->high[lane] = (wcodeci_byte)(x >> 8);
        r->low[lane] = (wcodeci_byte)x;
        wcodeci_rans16_put(out, begin, i, (r->value[s] + (q >> 2)) & r->mask);
    }
    return 1;
}

/* Replaces value number i of the part, which is there already: of a unit only its bits change. */
WCODECI_INLINE void wcodeci_rans16_change(const wcodeci_rans16_out *out, const wcodeci_plane_row *plane,
                                          unsigned unit, uint64_t field, size_t i, unsigned value)
{
    wcodeci_byte *p;
    if (out->v) {
        out->to[i] = (wcodeci_byte)value;
        return;
    }
    p = out->to + i * unit;
    wcodeci_store_unit(p, unit, (wcodeci_load_unit(p, unit) & ~field) | wcodeci_merge_value(plane, value));
}

/* Finds the place of the exception at p, `from` being the first that is free. */
WCODECI_INLINE void wcodeci_exceptions_find(wcodeci_exceptions *x, size_t from, size_t n)
{
    x->place = x->p == x->end ? n : from + wcodeci_load16(x->p);
}

/* Puts the exceptions of values begin ... end - 1 in.  They are predicted by scales like all others. */
static int wcodeci_rans16_exceptions(const wcodeci_rans16_out *out, unsigned mask, size_t begin, size_t end,
                                     size_t n, wcodeci_exceptions *x)
{
    const wcodeci_split_row *split = &wcodeci_splits[out->split];
    const wcodeci_plane_row *plane = &split->plane[wcodeci_split_fused(out->split)];
    const uint64_t field = wcodeci_merge_value(plane, 255);
    while (x->place < end) {
        const size_t i = x->place - begin;
        const unsigned value = x->p[2];
        if (value > mask) return 0;
        wcodeci_rans16_change(out, plane, split->unit, field, i, (value + (out->q ? out->q[i] >> 2 : 0u)) & mask);
        x->p += WCODECI_EXCEPTION_SIZE;
        wcodeci_exceptions_find(x, x->place + 1, n);
    }
    return x->place <= n;
}

/* Where the classes of a payload come from; `out` has a room for q and what the tile can offer. */
static const char *wcodeci_rans16_source(const wcodeci_byte *src, wcodeci_rans16_out *out)
{
    const wcodeci_byte *map = src + WCODECI_CLASSES_MAP;
    unsigned k;
    if (src[0] > WCODECI_CLASS_MAP) return "classes of an unknown kind";
    if (src[0] == WCODECI_CLASS_MAP) {
        if (!out->first) return "there is no plane to take classes from";
        out->map.base = map[0];
        for (k = 0; k < 64; k++) out->map.class_of[k] = (wcodeci_byte)(map[1 + k / 4] >> 2 * (k & 3) & 3);
        out->scaled = NULL;         /* q is the map's: the scales are added afterwards */
        return NULL;
    }
    out->first = NULL;
    if (!out->scales) return "there are no scales to take classes from";
    return wcodeci_all_zero(map, map + 17) ? NULL : "a map that is not used";
}

/* Where the part that begins at value `begin` ends: whole rounds, but for the last part. */
static size_t wcodeci_rans16_part_end(const wcodeci_rans16_out *out, size_t begin, size_t n)
{
    size_t most = n;
    if (out->q) most = WCODECI_Q_CHUNK;
    if (out->stage) most = wcodeci_min(WCODECI_STAGE_SIZE / wcodeci_splits[out->split].unit, WCODECI_Q_CHUNK);
    return n - begin < most ? n : begin + most;
}

/* Decodes values begin ... end - 1 of n, exceptions and all; `last`: the payload's end. */
static const char *wcodeci_rans16_part(const wcodeci_kernels *kernels, wcodeci_rans16 *r, const wcodeci_byte *last,
                                       wcodeci_exceptions *x, const wcodeci_rans16_out *out, size_t begin,
                                       size_t end, size_t n)
{
    size_t i;
    if (out->q) wcodeci_rans16_q(kernels, out, begin, end - begin);
    i = begin + wcodeci_rans16_some(kernels, r, out, begin, begin, end);
    if (end - i >= r->lanes && r->p <= last) i = wcodeci_rans16_padded(kernels, r, last, out, begin, i, end);
    if (end - i >= r->lanes || r->p > last || !wcodeci_rans16_rest(r, last, out, begin, i, end))
        return "a rANS-16 plane ends too early";
    return wcodeci_rans16_exceptions(out, r->mask, begin, end, n, x) ? NULL
                                                                     : "the exceptions of a rANS-16 plane are broken";
}

/* Decodes a plane of n values.  Bytes from src + size up to `limit` may be read, but mean nothing: a payload
 * that needs them is broken. */
static const char *wcodeci_rans16_run(const wcodeci_kernels *kernels, const wcodeci_byte *src, size_t size,
                                      const wcodeci_byte *limit, unsigned classes, unsigned width, size_t n,
                                      uint16_t *table, wcodeci_rans16_out *out)
{
    const size_t unit = out->v ? 1 : wcodeci_splits[out->split].unit;
    wcodeci_rans16 r;
    wcodeci_exceptions x;
    size_t begin, end;
    const char *what = wcodeci_rans16_open(&r, src, size, classes, width, &x);
    if (!what && classes > 1) what = wcodeci_rans16_source(src, out);
    if (what) return what;
    if (classes == 1) out->first = NULL;
    if (classes == 1 && out->q) wcodeci_rans16_spread(&r);
    wcodeci_exceptions_find(&x, 0, n);
    r.table = table;
    r.limit = limit;
    for (begin = 0; begin < n && !what; begin = end) {
        wcodeci_byte *const dst = out->v ? out->v + begin : out->dst + begin * unit;
        end = wcodeci_rans16_part_end(out, begin, n);
        out->to = out->stage ? out->stage : dst;
        what = wcodeci_rans16_part(kernels, &r, src + size, &x, out, begin, end, n);
        if (!out->stage || what) continue;
        if (out->crc) out->sum = out->crc(out->sum, out->to, (end - begin) * unit);
        kernels->stream(dst, out->to, (end - begin) * unit);
    }
    if (what) return what;
    if (r.p != src + size || x.p != x.end) return "a rANS-16 plane does not end where it must";
    return wcodeci_all_bytes(r.high, 1, r.lanes) && wcodeci_all_bytes(r.low, 0, r.lanes)
               ? NULL : "a rANS-16 state does not end as it must";
}

#ifndef WCODEC_NO_ENCODER

/* The place of the highest bit set, for x >= 1. */
WCODECI_INLINE unsigned wcodeci_highest_bit(uint32_t x)
{
#if defined(__GNUC__) && defined(__SIZEOF_INT__) && __SIZEOF_INT__ == 4
    return 31u - (unsigned)__builtin_clz(x);
#else
    unsigned place = 0;
    while (x >>= 1) place++;
    return place;
#endif
}

/* 65536 log2(1 + i / 64), rounded to nearest. */
static const uint32_t wcodeci_log_table[65] = {
        0,  1466,  2909,  4331,  5732,  7112,  8473,  9814, 11136, 12440, 13727, 14996, 16248,
    17484, 18704, 19909, 21098, 22272, 23433, 24579, 25711, 26830, 27936, 29029, 30109, 31178,
    32234, 33279, 34312, 35334, 36346, 37346, 38336, 39316, 40286, 41246, 42196, 43137, 44068,
    44990, 45904, 46809, 47705, 48593, 49472, 50344, 51207, 52063, 52911, 53751, 54584, 55410,
    56229, 57040, 57845, 58643, 59434, 60219, 60997, 61769, 62534, 63294, 64047, 64794, 65536
};

/* log2(x) in 1/65536 for x >= 1, within 4 of it: the highest bit's place, and a straight line between table
 * entries for the 31 bits below it.  Integers alone, so that every machine chooses the same. */
static uint32_t wcodeci_log2(uint32_t x)
{
    const uint32_t place = wcodeci_highest_bit(x);
    uint32_t fraction, i, low;
    fraction = x << (31 - place) & 0x7FFFFFFFu;
    i = fraction >> 25;
    low = fraction >> 9 & 65535;
    return (place << 16) + wcodeci_log_table[i]
         + ((wcodeci_log_table[i + 1] - wcodeci_log_table[i]) * low >> 16);
}

/* The bits, in 1/65536, that a frequency's step up saves or its step down costs; down from 1 there
 * is none. */
static uint64_t wcodeci_frequency_step(uint32_t count, uint32_t freq, int up)
{
    if (up) return (uint64_t)count * (wcodeci_log2(freq + 1) - wcodeci_log2(freq));
    return freq == 1 ? UINT64_MAX : (uint64_t)count * (wcodeci_log2(freq) - wcodeci_log2(freq - 1));
}

/* Frequencies of at least 1 that sum to 2^bits for m symbols of the given counts (each at least 1, n in all,
 * m <= 2^bits), near those that give the shortest message: rounded to nearest first, then raised where a step gains
 * most, or lowered where it costs least.  None reaches 2^bits: there are at least two symbols. */
static void wcodeci_normalise(const uint32_t *count, unsigned m, uint64_t n, unsigned bits, uint32_t *freq)
{
    uint64_t change[256];       /* what the next step gains, or costs, in the message */
    uint32_t sum = 0, total = (uint32_t)1 << bits;
    unsigned s;
    int up;
    for (s = 0; s < m; s++) {
        freq[s] = (uint32_t)(((uint64_t)count[s] * total + n / 2) / n);
        if (freq[s] == 0) freq[s] = 1;
        if (freq[s] == total) freq[s] = total - 1;
        sum += freq[s];
    }
    if (sum == total) return;
    up = sum < total;
    for (s = 0; s < m; s++) change[s] = wcodeci_frequency_step(count[s], freq[s], up);
    while (sum != total) {
        unsigned best = 0;
        for (s = 1; s < m; s++)
            if (up ? change[s] > change[best] : change[s] < change[best]) best = s;
        freq[best] += up ? 1 : (uint32_t)-1;
        sum += up ? 1 : (uint32_t)-1;
        change[best] = wcodeci_frequency_step(count[best], freq[best], up);
    }
}

/* Bits of a message, in 1/65536. */
static uint64_t wcodeci_message_bits(const uint32_t *count, const uint32_t *freq, unsigned m, unsigned bits)
{
    uint64_t sum = 0;
    unsigned s;
    for (s = 0; s < m; s++) sum += (uint64_t)count[s] * (((uint32_t)bits << 16) - wcodeci_log2(freq[s]));
    return sum;
}

/* Several counters for each value, in turn, so that equal ones in a row do not wait for each other: eight values
 * are loaded at a time, and where there are few the tables cost more than they save. */
static void wcodeci_count(const wcodeci_byte *v, size_t n, uint32_t count[256])
{
    uint32_t part[3][256];
    size_t i = 0;
    unsigned s;
    memset(count, 0, 256 * sizeof *count);
    if (n >= 1024) {
        memset(part, 0, sizeof part);
        for (; n - i >= 8; i += 8) {
            const uint64_t x = wcodeci_load64(v + i);
            count[x & 255]++;
            part[0][x >> 8 & 255]++;
            part[1][x >> 16 & 255]++;
            part[2][x >> 24 & 255]++;
            count[x >> 32 & 255]++;
            part[0][x >> 40 & 255]++;
            part[1][x >> 48 & 255]++;
            part[2][x >> 56]++;
        }
        for (s = 0; s < 256; s++) count[s] += part[0][s] + part[1][s] + part[2][s];
    }
    for (; i < n; i++) count[v[i]]++;
}

/* Adds to count[256 c + v] how often value v has class c (the lower two bits of q); `other`: as many counters, so that
 * equal ones in a row do not wait for each other. */
static void wcodeci_count_classes(const wcodeci_byte *v, const wcodeci_byte *q, size_t n, uint32_t *count,
                                  uint32_t *other)
{
    size_t i;
    unsigned k;
    for (i = 0; n - i >= 8; i += 8) {
        uint64_t x = wcodeci_load64(v + i), of = wcodeci_load64(q + i) & (uint64_t)0x0303030303030303u;
        for (k = 0; k < 8; k += 2, x >>= 16, of >>= 16) {
            count[(of & 3) << 8 | (x & 255)]++;
            other[(of & 0x300) | (x >> 8 & 255)]++;
        }
    }
    for (; i < n; i++) count[(q[i] & 3u) << 8 | v[i]]++;
}

/* The order-0 entropy, in bits, of n values, which are all that `count` counts. */
static uint64_t wcodeci_entropy(const uint32_t count[256], size_t n)
{
    uint64_t sum = 0;
    const uint32_t log_n = wcodeci_log2((uint32_t)n);
    unsigned s;
    for (s = 0; n && s < 256; s++) {
        if (!count[s]) continue;
        sum += (uint64_t)count[s] * (log_n - wcodeci_log2(count[s]));
        n -= count[s];
    }
    return sum / 65536;
}

/* A symbol takes 1 of 256 slots at least, which costs all others 1/177 bit each; as an exception it costs some 10
 * bits more.  Rarer than one in so many it is an exception, commoner than that it is none, in between both are tried. */
#define WCODECI_RARE 4096
#define WCODECI_COMMON 512

typedef struct wcodeci_rans16_model {
    wcodeci_byte freq[16 * WCODECI_CLASSES], value[16];
    uint32_t exceptions;
    unsigned classes;
    unsigned lanes_log;         /* 64 << that */
    int mapped;                 /* several classes come from the first plane by the map; else from scales */
    wcodeci_class_map map;
} wcodeci_rans16_model;

/* Makes `direct` of the m commonest values symbols (`symbol` sorts them, rarest first) and the rest, if any,
 * exceptions.  Returns the bits of the message in 1/65536, the exceptions' bytes included. */
static uint64_t wcodeci_rans16_try(const wcodeci_plane *plane, const wcodeci_byte symbol[256], unsigned m,
                                   unsigned direct, wcodeci_rans16_model *model)
{
    uint32_t count[16], freq[16];
    uint64_t rest = plane->n, bits;
    unsigned k, s, most = 0;
    int chosen[256] = { 0 };
    memset(model, 0, sizeof *model);
    model->classes = 1;
    if (direct < 2) return UINT64_MAX;
    for (k = 0; k < direct; k++) chosen[symbol[m - 1 - k]] = 1;
    for (s = 0, k = 0; s < 256; s++) {
        if (!chosen[s]) continue;
        model->value[k] = (wcodeci_byte)s;
        count[k++] = plane->count[s];
        rest -= plane->count[s];
    }
    if (rest > plane->n / 4) return UINT64_MAX;     /* the encoder's room for them */
    for (k = 1; k < direct; k++)
        if (count[k] > count[most]) most = k;
    count[most] += (uint32_t)rest;                  /* what stands in the exceptions' places */
    wcodeci_normalise(count, direct, plane->n, 8, freq);
    bits = wcodeci_message_bits(count, freq, direct, 8)
         + rest * WCODECI_EXCEPTION_SIZE * 8 * 65536;
    for (k = 0; k < direct; k++) model->freq[k] = (wcodeci_byte)freq[k];
    model->exceptions = (uint32_t)rest;
    return bits;
}

/* The symbol that stands where an exception is: the commonest, the lowest of these. */
static unsigned wcodeci_rans16_filler(const wcodeci_byte freq[16])
{
    unsigned s, most = 0;
    for (s = 1; s < 16; s++)
        if (freq[s] > freq[most]) most = s;
    return most;
}

/* Each lane costs a byte: at most one byte in 512 of the tile, and in 32 of the message. */
static unsigned wcodeci_rans16_lanes_log(size_t n, unsigned unit, uint64_t message)
{
    const uint64_t most = wcodeci_min64(n * unit / 512, message / 32);
    return most >= 256 ? 2 : most >= 128 ? 1 : 0;
}

/* Finds the best number of direct symbols; arguments and result as for wcodeci_huff_prepare, but the plane may
 * be a sample of one of n values, for which the result is.  A symbol that is rarer than 1 in 256 still takes a
 * whole slot, so rare values may be cheaper as exceptions even where there are no more than 16. */
static size_t wcodeci_rans16_prepare(const wcodeci_plane *plane, const wcodeci_byte symbol[256], unsigned m,
                                     size_t n, wcodeci_rans16_model *model)
{
    unsigned direct = m > 16 ? 16 : m, last_gain = 0;
    uint64_t best = UINT64_MAX, held;
    memset(model, 0, sizeof *model);
    while (direct > 2 && plane->count[symbol[m - direct]] <= plane->n / WCODECI_RARE) direct--;
    for (; direct >= 2 && last_gain < 3; direct--) {
        wcodeci_rans16_model candidate;
        uint64_t bits;
        bits = wcodeci_rans16_try(plane, symbol, m, direct, &candidate);
        last_gain = plane->count[symbol[m - direct]] > plane->n / WCODECI_COMMON ? 3 : last_gain + 1;
        if (bits < best) {
            best = bits;
            *model = candidate;
            if (last_gain < 3) last_gain = 0;
        }
    }
    if (best == UINT64_MAX) return (size_t)-1;
    best = best / 65536 * n / plane->n / 8;
    model->lanes_log = wcodeci_rans16_lanes_log(n, plane->unit, best);
    held = 64u << model->lanes_log;         /* a state holds 8 bits of the message */
    return WCODECI_RANS16_HEAD + ((size_t)128 << model->lanes_log) + (size_t)(best > held ? best - held : 0);
}

/* The frequencies of a class in which `count` values have each of m symbols (m >= 2) and `rest` none of them: as
 * many of the symbols as it pays for.  Returns the bits of the message in 1/65536, exceptions of `exception`
 * bits included, and adds their number to *exceptions. */
static uint64_t wcodeci_class_make(const uint32_t count[16], unsigned m, uint64_t rest, unsigned exception,
                                   wcodeci_byte freq[16], uint32_t *exceptions)
{
    wcodeci_byte order[16];         /* the commonest first */
    uint64_t best = UINT64_MAX, best_rest = 0, all = 0;
    unsigned s, k, direct, last_gain = 0;
    for (s = 0; s < m; s++) {
        for (k = s; k > 0 && count[order[k - 1]] < count[s]; k--) order[k] = order[k - 1];
        order[k] = (wcodeci_byte)s;
    }
    for (s = 0; s < m; s++) all += count[s];
    for (direct = m; direct > 2 && count[order[direct - 1]] <= all / WCODECI_RARE; direct--) {}
    for (s = direct; s < m; s++) rest += count[order[s]];
    for (; direct >= 2 && last_gain < 3; rest += count[order[--direct]]) {
        uint32_t part[16] = { 0 }, whole[16];
        uint64_t total = 0, bits;
        for (s = 0; s < direct; s++) {
            part[s] = count[order[s]] ? count[order[s]] : 1;
            total += part[s];
        }
        part[0] += (uint32_t)rest;          /* what stands in the exceptions' places */
        wcodeci_normalise(part, direct, total + rest, 8, whole);
        bits = wcodeci_message_bits(part, whole, direct, 8) + rest * exception * 65536;
        last_gain = count[order[direct - 1]] > all / WCODECI_COMMON ? 3 : last_gain + 1;
        if (bits >= best) continue;
        best = bits;
        best_rest = rest;
        if (last_gain < 3) last_gain = 0;
        memset(freq, 0, 16);
        for (s = 0; s < direct; s++) freq[order[s]] = (wcodeci_byte)whole[s];
    }
    *exceptions += (uint32_t)best_rest;
    return best;
}

/* A model of several classes for a plane of n values, of which `count` shows `shown`; symbols are the values
 * that are commonest in all classes together.  Returns the size, (size_t)-1 if it can not code the plane. */
static size_t wcodeci_classes_prepare(uint32_t count[WCODECI_CLASSES][256], size_t shown, size_t n,
                                      unsigned unit, wcodeci_rans16_model *model)
{
    uint32_t all[256], some[16];
    wcodeci_byte symbol[256];
    uint64_t bits = 0, held, rest;
    unsigned c, s, m, first;
    int chosen[256] = { 0 };
    memset(model, 0, sizeof *model);
    for (s = 0; s < 256; s++) all[s] = count[0][s] + count[1][s] + count[2][s] + count[3][s];
    m = wcodeci_sort_counts(all, symbol);
    if (m < 2) return (size_t)-1;
    first = m > 16 ? m - 16 : 0;
    for (s = first; s < m; s++) chosen[symbol[s]] = 1;
    for (s = 0, m = 0; s < 256; s++)
        if (chosen[s]) model->value[m++] = (wcodeci_byte)s;
    for (c = 0; c < WCODECI_CLASSES; c++) {
        for (s = 0, rest = 0; s < 256; s++) rest += count[c][s];
        for (s = 0; s < m; s++) {
            some[s] = count[c][model->value[s]];
            rest -= some[s];
        }
        bits += wcodeci_class_make(some, m, rest, 8 * WCODECI_EXCEPTION_SIZE, model->freq + 16 * c, &model->exceptions);
    }
    for (s = 0; s < m; s++)
        if (!(model->freq[s] | model->freq[16 + s] | model->freq[32 + s] | model->freq[48 + s]))
            model->value[s] = 0;
    if (model->exceptions > shown / 4) return (size_t)-1;
    model->classes = WCODECI_CLASSES;
    bits = bits / 65536 * n / shown / 8;
    model->lanes_log = wcodeci_rans16_lanes_log(n, unit, bits);
    held = 64u << model->lanes_log;
    return WCODECI_CLASSES_HEAD + ((size_t)128 << model->lanes_log) + (size_t)(bits > held ? bits - held : 0);
}

static void wcodeci_rans16_coder_make(const wcodeci_rans16_model *model, wcodeci_rans16_coder *c)
{
    wcodeci_rans16 r;
    unsigned at, s, slot, rank, sum;
    memcpy(r.freq, model->freq, sizeof r.freq);
    memcpy(c->freq, model->freq, sizeof c->freq);
    memset(c->symbol_of, WCODECI_NO_SYMBOL, sizeof c->symbol_of);
    for (at = 0; at < 16 * model->classes; at += 16) {
        wcodeci_alias_make(&r, at);
        for (s = 0, sum = 0; s < 16; s++) {
            c->first[at + s] = (wcodeci_byte)sum;
            sum += model->freq[at + s];
            if (model->freq[at + s]) c->symbol_of[model->value[s]] = (wcodeci_byte)s;
        }
        c->filler[at / 16] = (wcodeci_byte)wcodeci_rans16_filler(model->freq + at);
        for (slot = 0; slot < 256; slot++) {
            s = wcodeci_alias_slot(&r, at, slot, &rank);
            c->slots[16 * at + c->first[at + s] + rank] = (wcodeci_byte)slot;
        }
    }
    c->lanes = 64u << model->lanes_log;
}

static size_t wcodeci_rans16_map_scalar(const wcodeci_rans16_coder *c, const wcodeci_byte *v,
                                        wcodeci_byte *symbols, size_t n, uint32_t *places, size_t most)
{
    size_t i, found = 0;
    for (i = 0; i < n; i++) {
        symbols[i] = c->symbol_of[v[i]];
        if (symbols[i] != WCODECI_NO_SYMBOL) continue;
        symbols[i] = c->filler[0];
        if (found == most) return most + 1;
        places[found++] = (uint32_t)i;
    }
    return found;
}

static size_t wcodeci_rans16_map_classes_scalar(const wcodeci_rans16_coder *c, const wcodeci_byte *v,
                                                wcodeci_byte *symbols, size_t n, uint32_t *places, size_t most)
{
    size_t i, found = 0;
    for (i = 0; i < n; i++) {
        const unsigned at = 16u * (c->q[i] & 3), s = c->symbol_of[v[i]];
        if (s != WCODECI_NO_SYMBOL && c->freq[at + s]) {
            symbols[i] = (wcodeci_byte)(at + s);
            continue;
        }
        symbols[i] = (wcodeci_byte)(at + c->filler[at / 16]);
        if (found == most) return most + 1;
        places[found++] = (uint32_t)i;
    }
    return found;
}

/* Any number of symbols, for lanes 0 and on.  x / f = x * reciprocal >> 24 for x < 65536: the error is below
 * x / 2^24 <= 1/256 < 1/f.  Whether a state sheds a byte is arithmetic, for no branch could be predicted: one byte
 * below p is written anyway. */
static wcodeci_byte *wcodeci_rans16_put_scalar(wcodeci_rans16_coder *c, const wcodeci_byte *symbols, size_t n,
                                               wcodeci_byte *p)
{
    struct { uint32_t reciprocal, freq, slots; } per[16 * WCODECI_CLASSES];
    const unsigned mask = c->lanes - 1;
    unsigned s;
    for (s = 0; s < 16 * WCODECI_CLASSES; s++) {
        per[s].freq = c->freq[s];
        if (!c->freq[s]) continue;          /* of no symbol, or of a class that there is not */
        per[s].reciprocal = ((uint32_t)1 << 24) / c->freq[s] + 1;
        per[s].slots = (s & 0x30) * 16 + c->first[s];
    }
    while (n--) {
        const unsigned lane = (unsigned)n & mask;
        uint32_t x = (uint32_t)c->high[lane] << 8 | c->low[lane], f, q, shed;
        s = symbols[n];
        f = per[s].freq;
        shed = ((f << 8) - 1 - x) >> 31;
        p[-1] = (wcodeci_byte)x;
        p -= shed;
        x >>= 8 * shed;
        q = (uint32_t)((uint64_t)x * per[s].reciprocal >> 24);
        c->high[lane] = (wcodeci_byte)q;
        c->low[lane] = c->slots[per[s].slots + (x - q * f)];
    }
    return p;
}

/* Writes the exceptions at rising places; returns how many.  Between two that are too far apart values stand for
 * themselves. */
static size_t wcodeci_exceptions_put(const wcodeci_byte *v, const uint32_t *places, size_t count, wcodeci_byte *dst)
{
    size_t i, from = 0, used = 0;
    for (i = 0; i < count; from = places[i++] + (size_t)1) {
        for (; places[i] - from > 65535; from += 65536) {
            wcodeci_store16(dst + WCODECI_EXCEPTION_SIZE * used, 65535);
            dst[WCODECI_EXCEPTION_SIZE * used++ + 2] = v[from + 65535];
        }
        wcodeci_store16(dst + WCODECI_EXCEPTION_SIZE * used, (unsigned)(places[i] - from));
        dst[WCODECI_EXCEPTION_SIZE * used++ + 2] = v[places[i]];
    }
    return used;
}

/* The encoder's memory for a plane of n values: symbols n, places at most n / 4 of 4 bytes, exceptions' bytes below n,
 * renormalisation bytes at most n and 64 of room below them. */
#define WCODECI_RANS16_WORK(n) (4 * (n) + 64)

/* What a payload has before its exceptions. */
static void wcodeci_rans16_head(const wcodeci_rans16_model *model, size_t exceptions, wcodeci_byte *dst)
{
    const uint32_t tail = (uint32_t)exceptions | (uint32_t)model->lanes_log << 24;
    unsigned k;
    if (model->classes == 1) {
        memcpy(dst, model->freq, 16);
        memcpy(dst + 16, model->value, 16);
        wcodeci_store32(dst + 32, tail);
        return;
    }
    dst[0] = model->mapped ? WCODECI_CLASS_MAP : 0;
    memcpy(dst + 1, model->freq, 64);
    memcpy(dst + 65, model->value, 16);
    memset(dst + WCODECI_CLASSES_MAP, 0, 17);
    if (model->mapped) dst[WCODECI_CLASSES_MAP] = (wcodeci_byte)model->map.base;
    for (k = 0; k < 64 && model->mapped; k++)
        dst[WCODECI_CLASSES_MAP + 1 + k / 4] |= (wcodeci_byte)(model->map.class_of[k] << 2 * (k & 3));
    wcodeci_store32(dst + WCODECI_CLASSES_HEAD - 4, tail);
}

/* `work`: WCODECI_RANS16_WORK(n) bytes, aligned for 32 bits.  More than one exception in four values, and there
 * is no room for them: returns 0.  q: of several classes, each value's is q & 3. */
static size_t wcodeci_rans16_encode(const wcodeci_encode_kernels *kernels, const wcodeci_plane *plane,
                                    const wcodeci_rans16_model *model, const wcodeci_byte *q,
                                    wcodeci_byte *dst, size_t cap, wcodeci_byte *work)
{
    const size_t n = plane->n, head = model->classes == 1 ? WCODECI_RANS16_HEAD : WCODECI_CLASSES_HEAD;
    const int several = model->classes > 1;
    uint32_t *places = (uint32_t *)(void *)work;
    wcodeci_byte *symbols = work + n / 4 * 4, *behind = symbols + n, *end = work + WCODECI_RANS16_WORK(n), *p;
    wcodeci_rans16_coder c;
    size_t exceptions, used, whole;
    unsigned lane;
    wcodeci_rans16_coder_make(model, &c);
    c.q = q;
    exceptions = kernels->rans16_map[several](&c, plane->v, symbols, n, places, n / 4);
    if (exceptions > n / 4) return 0;
    exceptions = wcodeci_exceptions_put(plane->v, places, exceptions, behind);
    for (lane = 0; lane < c.lanes; lane++) {
        c.high[lane] = WCODECI_RANS16_LOW >> 8;
        c.low[lane] = 0;
    }
    whole = n / c.lanes * c.lanes;
    p = wcodeci_rans16_put_scalar(&c, symbols + whole, n - whole, end);
    p = kernels->rans16_put[several](&c, symbols, whole, p);
    used = head + WCODECI_EXCEPTION_SIZE * exceptions;
    if (used + (size_t)2 * c.lanes + (size_t)(end - p) > cap) return 0;
    wcodeci_rans16_head(model, exceptions, dst);
    memcpy(dst + head, behind, used - head);
    memcpy(dst + used, c.high, c.lanes);
    memcpy(dst + used + c.lanes, c.low, c.lanes);
    used += (size_t)2 * c.lanes;
    wcodeci_copy(dst + used, p, (size_t)(end - p));
    return used + (size_t)(end - p);
}

#endif
