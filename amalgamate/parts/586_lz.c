/* ------------------------------------------------------------------------------------------------
 * LZ (private): repeats and Huffman codes, for text, tables and whatever is not noise
 * The family of LZ77 and deflate (Ziv and Lempel, "A universal algorithm for sequential data compression", 1977),
 * with the whole plane as the window and, as in later members of it, codes of their own for the last three
 * distances.  A plane is decoded straight into its place, which is the window.
 * The encoder finds the cheapest way through a plane by prices: those of the codes that it came to before.
 * ---------------------------------------------------------------------------------------------- */

#ifdef WCODEC_NO_LZ
#define WCODECI_LZ 0
#ifndef WCODEC_NO_ENCODER
static size_t wcodeci_lz_scratch(size_t n) { return 0 * n; }
#endif
#else
#define WCODECI_LZ 1

#define WCODECI_LZ_LEAST 2              /* values of a match */
#define WCODECI_LZ_LENGTHS 92           /* symbols, */
#define WCODECI_LZ_DISTANCES 51
#define WCODECI_LZ_REPEATS 3            /* of which the first stand for the last distances */
#define WCODECI_LZ_LENGTH_FINE 2        /* bits below a number's highest one that its symbol tells */
#define WCODECI_LZ_DISTANCE_FINE 1
#define WCODECI_LZ_MAIN (256 + WCODECI_LZ_LENGTHS)
#define WCODECI_LZ_ONLY 128             /* one distance symbol alone */

/* Numbers of any size: a symbol tells the place of the highest bit and `fine` bits below it, or the number itself
 * if it has none below these. */
WCODECI_INLINE unsigned wcodeci_lz_extra(unsigned symbol, unsigned fine)
{
    return symbol >> fine > 1 ? (symbol >> fine) - 1 : 0;
}

WCODECI_INLINE uint32_t wcodeci_lz_base(unsigned symbol, unsigned fine)
{
    const uint32_t top = 1u << fine;
    return symbol < 2 * top ? symbol : (top | (symbol & (top - 1))) << wcodeci_lz_extra(symbol, fine);
}

/* A plane on its way out.  Distances and lengths are below 2^25. */
typedef struct wcodeci_lz_out {
    const uint16_t *main, *distance;    /* tables as of wcodeci_huff_table */
    unsigned main_depth, distance_depth;
    const wcodeci_byte *first;          /* of the plane */
    wcodeci_byte *end;                  /* of the plane */
    uint32_t last[WCODECI_LZ_REPEATS];  /* distances, the latest first */
} wcodeci_lz_out;

/* Copies `length` values from `distance` before v; values up to `end` may be written, which come later. */
WCODECI_INLINE void wcodeci_lz_copy(wcodeci_byte *v, size_t distance, size_t length, const wcodeci_byte *end)
{
    const wcodeci_byte *src = v - distance;
    if (distance >= 8 && (size_t)(end - v) >= length + 8) {
        wcodeci_byte *const stop = v + length;
        do {
            memcpy(v, src, 8);
            v += 8;
            src += 8;
        } while (v < stop);
        return;
    }
    if (distance == 1) {
        memset(v, *src, length);
        return;
    }
    while (length > distance) {         /* what was copied is a source twice as long */
        memcpy(v, src, distance);
        v += distance;
        length -= distance;
        distance *= 2;
    }
    memcpy(v, src, length);
}

/* The distance of a symbol below WCODECI_LZ_REPEATS, which becomes the latest. */
WCODECI_INLINE uint32_t wcodeci_lz_again(uint32_t last[WCODECI_LZ_REPEATS], unsigned symbol)
{
    const uint32_t distance = last[symbol];
    if (symbol == 2) last[2] = last[1];
    if (symbol) last[1] = last[0];
    last[0] = distance;
    return distance;
}

WCODECI_INLINE void wcodeci_lz_new(uint32_t last[WCODECI_LZ_REPEATS], uint32_t distance)
{
    last[2] = last[1];
    last[1] = last[0];
    last[0] = distance;
}

WCODECI_INLINE uint32_t wcodeci_lz_take(wcodeci_bits *b, unsigned count)
{
    const uint32_t x = (uint32_t)b->bits & ((1u << count) - 1);
    b->bits >>= count;
    b->count -= count;
    return x;
}

WCODECI_INLINE unsigned wcodeci_lz_symbol(wcodeci_bits *b, const uint16_t *table, unsigned mask)
{
    const unsigned e = table[b->bits & mask];
    b->bits >>= e & 15;
    b->count -= e & 15;
    return e >> 4;
}

/* Decodes symbols while 16 bytes of the stream and room for four values are left: then two refills need no look at
 * the stream's end.  A match takes at most 54 bits: 11 + 21 for its length, 11 + 22 for its distance, the 11 of its
 * code before a second refill.  Returns where it came to, or NULL if a match reaches out of the plane or its block,
 * which ends at `stop`. */
static wcodeci_byte *wcodeci_lz_fast(wcodeci_lz_out *out, wcodeci_bits *stream, wcodeci_byte *v, wcodeci_byte *stop)
{
    const uint16_t *const table = out->main, *const distances = out->distance;
    const unsigned mask = (1u << out->main_depth) - 1, distance_mask = (1u << out->distance_depth) - 1;
    wcodeci_bits b = *stream;
    uint32_t last[WCODECI_LZ_REPEATS];
    memcpy(last, out->last, sizeof last);
    while (b.end - b.p >= 16 && stop - v >= 4) {
        size_t length, distance;
        unsigned s;
        wcodeci_bits_refill(&b);
        s = wcodeci_lz_symbol(&b, table, mask);
        if (s < 256) {
            *v++ = (wcodeci_byte)s;
            s = wcodeci_lz_symbol(&b, table, mask);
            if (s < 256) {
                *v++ = (wcodeci_byte)s;
                s = wcodeci_lz_symbol(&b, table, mask);
                if (s < 256) {
                    *v++ = (wcodeci_byte)s;
                    s = wcodeci_lz_symbol(&b, table, mask);
                    if (s < 256) {
                        *v++ = (wcodeci_byte)s;
                        continue;
                    }
                }
            }
        }
        wcodeci_bits_refill(&b);
        s -= 256;
        length = WCODECI_LZ_LEAST + wcodeci_lz_base(s, WCODECI_LZ_LENGTH_FINE);
        length += wcodeci_lz_take(&b, wcodeci_lz_extra(s, WCODECI_LZ_LENGTH_FINE));
        s = wcodeci_lz_symbol(&b, distances, distance_mask);
        if (s < WCODECI_LZ_REPEATS) {
            distance = wcodeci_lz_again(last, s);
        } else {
            s -= WCODECI_LZ_REPEATS;
            distance = 1 + wcodeci_lz_base(s, WCODECI_LZ_DISTANCE_FINE);
            distance += wcodeci_lz_take(&b, wcodeci_lz_extra(s, WCODECI_LZ_DISTANCE_FINE));
            wcodeci_lz_new(last, (uint32_t)distance);
        }
        if (distance > (size_t)(v - out->first) || length > (size_t)(stop - v)) return NULL;
        wcodeci_lz_copy(v, distance, length, out->end);
        v += length;
    }
    memcpy(out->last, last, sizeof last);
    *stream = b;
    return v;
}

/* A symbol, or the bits behind one, where the stream may end; what is not there sets *missing. */
static unsigned wcodeci_lz_symbol_end(wcodeci_bits *b, const uint16_t *table, unsigned depth, int *missing)
{
    unsigned e;
    wcodeci_bits_refill_end(b);
    e = table[b->bits & ((1u << depth) - 1)];
    if ((e & 15) > b->count) {
        *missing = 1;
        return 0;
    }
    return wcodeci_lz_symbol(b, table, (1u << depth) - 1);
}

static uint32_t wcodeci_lz_take_end(wcodeci_bits *b, unsigned count, int *missing)
{
    wcodeci_bits_refill_end(b);
    if (count > b->count) {
        *missing = 1;
        return 0;
    }
    return wcodeci_lz_take(b, count);
}

/* The same to the block's end. */
static wcodeci_byte *wcodeci_lz_rest(wcodeci_lz_out *out, wcodeci_bits *b, wcodeci_byte *v, wcodeci_byte *stop)
{
    int missing = 0;
    while (v < stop) {
        size_t length, distance;
        unsigned s = wcodeci_lz_symbol_end(b, out->main, out->main_depth, &missing);
        if (s < 256) {
            if (missing) return NULL;
            *v++ = (wcodeci_byte)s;
            continue;
        }
        s -= 256;
        length = WCODECI_LZ_LEAST + wcodeci_lz_base(s, WCODECI_LZ_LENGTH_FINE);
        length += wcodeci_lz_take_end(b, wcodeci_lz_extra(s, WCODECI_LZ_LENGTH_FINE), &missing);
        s = wcodeci_lz_symbol_end(b, out->distance, out->distance_depth, &missing);
        if (s < WCODECI_LZ_REPEATS) {
            distance = wcodeci_lz_again(out->last, s);
        } else {
            s -= WCODECI_LZ_REPEATS;
            distance = 1 + wcodeci_lz_base(s, WCODECI_LZ_DISTANCE_FINE);
            distance += wcodeci_lz_take_end(b, wcodeci_lz_extra(s, WCODECI_LZ_DISTANCE_FINE), &missing);
            wcodeci_lz_new(out->last, (uint32_t)distance);
        }
        if (missing || distance > (size_t)(v - out->first) || length > (size_t)(stop - v)) return NULL;
        wcodeci_lz_copy(v, distance, length, out->end);
        v += length;
    }
    return v;
}

/* Reads a block's codes and makes their tables: room for two of WCODECI_HUFF_TABLE entries. */
static int wcodeci_lz_codes(wcodeci_cursor *c, unsigned width, wcodeci_lz_out *out, uint16_t *table)
{
    wcodeci_byte length[WCODECI_LZ_MAIN], list[256];
    const unsigned first = wcodeci_take8(c), last = wcodeci_take8(c);
    uint16_t *const distance = table + WCODECI_HUFF_TABLE;
    unsigned lengths, distances;
    size_t used;
    if (c->bad || first > last || last >> width) return 0;
    used = wcodeci_lengths_decode(c->p, (size_t)(c->end - c->p), first, last, WCODECI_HUFF_MAX, length);
    if (!used) return 0;
    c->p += used;
    lengths = wcodeci_take8(c);
    if (lengths > WCODECI_LZ_LENGTHS) return 0;
    memset(length + 256, 0, WCODECI_LZ_LENGTHS);
    if (lengths) {
        used = wcodeci_lengths_decode(c->p, (size_t)(c->end - c->p), 0, lengths - 1, WCODECI_HUFF_MAX, list);
        if (!used) return 0;
        c->p += used;
        memcpy(length + 256, list, lengths);
    }
    out->main = table;
    out->main_depth = wcodeci_huff_table(length, 0, WCODECI_LZ_MAIN - 1, table);
    out->distance = distance;
    out->distance_depth = 0;
    if (c->bad || !out->main_depth) return 0;
    if (!lengths) return 1;
    distances = wcodeci_take8(c);
    if (distances & WCODECI_LZ_ONLY) {
        distance[0] = (uint16_t)((distances - WCODECI_LZ_ONLY) << 4);
        return distances - WCODECI_LZ_ONLY < WCODECI_LZ_DISTANCES;
    }
    if (distances < 2 || distances > WCODECI_LZ_DISTANCES) return 0;
    used = wcodeci_lengths_decode(c->p, (size_t)(c->end - c->p), 0, distances - 1, WCODECI_HUFF_MAX, list);
    if (!used) return 0;
    c->p += used;
    out->distance_depth = wcodeci_huff_table(list, 0, distances - 1, distance);
    return out->distance_depth != 0;
}

/* `table`: room for two of WCODECI_HUFF_TABLE entries. */
static const char *wcodeci_lz_decode(const wcodeci_byte *src, size_t size, unsigned width, wcodeci_byte *v, size_t n,
                                     uint16_t *table)
{
    static const wcodeci_lz_out start = { NULL, NULL, 0, 0, NULL, NULL, { 1, 2, 4 } };
    wcodeci_cursor c = wcodeci_cursor_make(src, size);
    wcodeci_lz_out out = start;
    out.first = v;
    out.end = v + n;
    while (v < out.end) {
        const uint64_t values = wcodeci_take_varint(&c);
        wcodeci_bits b;
        wcodeci_byte *stop;
        if (c.bad || values == 0 || values > (uint64_t)(out.end - v)) return "an LZ block has a wrong size";
        if (!wcodeci_lz_codes(&c, width, &out, table)) return "an LZ block's codes are broken";
        stop = v + (size_t)values;
        b.p = c.p;
        b.end = c.end;
        b.bits = 0;
        b.count = 0;
        v = wcodeci_lz_fast(&out, &b, v, stop);
        if (v) v = wcodeci_lz_rest(&out, &b, v, stop);
        if (!v) return "an LZ block is broken";
        c.p = b.p - b.count / 8;        /* whole bytes that were not used */
        if (b.bits & ((1u << b.count % 8) - 1)) return "an LZ block's filling bits are not zero";
    }
    return c.p == c.end ? NULL : "an LZ plane does not end where it must";
}

#ifndef WCODEC_NO_ENCODER

#define WCODECI_LZ_CHUNK 4096           /* values that a way is found through at a time */
#define WCODECI_LZ_NICE_MOST 192
#define WCODECI_LZ_HASH_MOST 16         /* bits */
#define WCODECI_LZ_SEGMENT 16384        /* values that may make a block of their own */
#define WCODECI_LZ_NOWHERE UINT32_MAX
#define WCODECI_LZ_SMALL 65536          /* values: a plane up to this is worth more trouble */
#define WCODECI_LZ_TINY 4096            /* and one up to this still more */

/* A value, and the cheapest way to it found so far: its price in 1/256 bit, and the last step: a literal, which has
 * length 1, or a match. */
typedef struct wcodeci_lz_node {
    uint32_t price, length, distance;
    uint32_t last[WCODECI_LZ_REPEATS];
} wcodeci_lz_node;

typedef struct wcodeci_lz_counts {
    uint32_t main[WCODECI_LZ_MAIN], distance[WCODECI_LZ_DISTANCES];
} wcodeci_lz_counts;

/* What the encoder works in; behind it 2 n numbers. */
typedef struct wcodeci_lz {
    const wcodeci_byte *v;
    size_t n;
    unsigned depth, nice, passes;       /* matches looked at; length that is taken unseen; by a block's own prices */
    uint32_t *before;                   /* where what stands at i stood before, by a hash of its first values */
    uint32_t *path;                     /* path[i]: length of the step at i; path[i+1]: distance, of a match */
    wcodeci_lz_counts segment, block;
    uint32_t literal[256], distance[WCODECI_LZ_DISTANCES];          /* prices in 1/256 bit */
    uint32_t length[WCODECI_LZ_NICE_MOST + 1];                      /* with the bits behind the symbol */
    wcodeci_lz_node node[WCODECI_LZ_CHUNK + 1];
    uint32_t head[1 << WCODECI_LZ_HASH_MOST];
} wcodeci_lz;

/* Bytes, aligned for 64 bits. */
static size_t wcodeci_lz_scratch(size_t n) { return ((sizeof(wcodeci_lz) + 7) & ~(size_t)7) + 8 * n; }

WCODECI_INLINE unsigned wcodeci_lz_symbol_of(uint32_t x, unsigned fine)
{
    unsigned place;
    if (x >> fine == 0) return x;
    place = wcodeci_highest_bit(x);
    return (place - fine + 1) << fine | (x >> (place - fine) & ((1u << fine) - 1));
}

WCODECI_INLINE unsigned wcodeci_lz_length_symbol(size_t length)
{
    return wcodeci_lz_symbol_of((uint32_t)length - WCODECI_LZ_LEAST, WCODECI_LZ_LENGTH_FINE);
}

/* The symbol of a distance, which becomes the latest. */
WCODECI_INLINE unsigned wcodeci_lz_distance_symbol(uint32_t last[WCODECI_LZ_REPEATS], uint32_t distance)
{
    unsigned k;
    for (k = 0; k < WCODECI_LZ_REPEATS; k++)
        if (last[k] == distance) {
            (void)wcodeci_lz_again(last, k);
            return k;
        }
    wcodeci_lz_new(last, distance);
    return WCODECI_LZ_REPEATS + wcodeci_lz_symbol_of(distance - 1, WCODECI_LZ_DISTANCE_FINE);
}

/* ---- prices ---- */

/* What each of `count` symbols costs that occurred so often, the bits behind it not included; one that did not occur
 * costs a little more than one that did once. */
static void wcodeci_lz_price(const uint32_t *count, unsigned symbols, uint32_t *price)
{
    uint32_t total = 0, log_total;
    unsigned s;
    for (s = 0; s < symbols; s++) total += count[s];
    log_total = wcodeci_log2(total + 1);
    for (s = 0; s < symbols; s++) {
        price[s] = count[s] ? (log_total - wcodeci_log2(count[s])) >> 8 : (log_total >> 8) + 256;
        if (price[s] < 128) price[s] = 128;             /* a code has a bit */
    }
}

static void wcodeci_lz_prices(wcodeci_lz *z, const wcodeci_lz_counts *counts)
{
    uint32_t main[WCODECI_LZ_MAIN];
    unsigned i;
    wcodeci_lz_price(counts->main, WCODECI_LZ_MAIN, main);
    memcpy(z->literal, main, sizeof z->literal);
    for (i = WCODECI_LZ_LEAST; i <= WCODECI_LZ_NICE_MOST; i++) {
        const unsigned s = wcodeci_lz_length_symbol(i);
        z->length[i] = main[256 + s] + 256 * wcodeci_lz_extra(s, WCODECI_LZ_LENGTH_FINE);
    }
    wcodeci_lz_price(counts->distance, WCODECI_LZ_DISTANCES, z->distance);
    for (i = WCODECI_LZ_REPEATS; i < WCODECI_LZ_DISTANCES; i++)
        z->distance[i] += 256 * wcodeci_lz_extra(i - WCODECI_LZ_REPEATS, WCODECI_LZ_DISTANCE_FINE);
}

/* Where nothing is known but how often each value occurs. */
static void wcodeci_lz_first_prices(wcodeci_lz *z, const uint32_t count[256])
{
    unsigned i;
    memset(&z->block, 0, sizeof z->block);
    memcpy(z->block.main, count, 256 * sizeof *count);
    wcodeci_lz_prices(z, &z->block);
    for (i = WCODECI_LZ_LEAST; i <= WCODECI_LZ_NICE_MOST; i++) {
        const unsigned s = wcodeci_lz_length_symbol(i);
        z->length[i] = (3 + s / 4 + wcodeci_lz_extra(s, WCODECI_LZ_LENGTH_FINE)) * 256;
    }
    for (i = 0; i < WCODECI_LZ_REPEATS; i++) z->distance[i] = 3 * 256;
    for (; i < WCODECI_LZ_DISTANCES; i++)
        z->distance[i] = (5 + wcodeci_lz_extra(i - WCODECI_LZ_REPEATS, WCODECI_LZ_DISTANCE_FINE)) * 256;
}

/* The bits that symbols take, with about what their code's lengths take; not the bits behind them. */
static uint64_t wcodeci_lz_symbol_bits(const uint32_t *count, unsigned symbols)
{
    uint64_t bits = 0;
    uint32_t total = 0, log_total;
    unsigned s, used = 0;
    for (s = 0; s < symbols; s++) total += count[s];
    log_total = wcodeci_log2(total + (total == 0));
    for (s = 0; s < symbols; s++) {
        if (!count[s]) continue;
        bits += (uint64_t)count[s] * (log_total - wcodeci_log2(count[s]));
        used++;
    }
    return bits / 65536 + 5 * used;
}

static uint64_t wcodeci_lz_bits(const wcodeci_lz_counts *counts)
{
    return 64 + wcodeci_lz_symbol_bits(counts->main, WCODECI_LZ_MAIN)
         + wcodeci_lz_symbol_bits(counts->distance, WCODECI_LZ_DISTANCES);
}

/* ---- matches ---- */

/* How many values from a and b on are equal, at most `most`; a lies before b, and b `room` before the end. */
WCODECI_INLINE size_t wcodeci_lz_equal(const wcodeci_byte *a, const wcodeci_byte *b, size_t most, size_t room)
{
    size_t i = 0;
    while (i < most && room - i >= 8) {
        const uint64_t x = wcodeci_load64(a + i) ^ wcodeci_load64(b + i);
        if (x) {
            const uint32_t low = (uint32_t)x;
            i += low ? wcodeci_lowest_bit(low) / 8 : 4 + wcodeci_lowest_bit((uint32_t)(x >> 32)) / 8;
            return wcodeci_min(i, most);
        }
        i += 8;
    }
    while (i < most && a[i] == b[i]) i++;
    return wcodeci_min(i, most);
}

/* Links each value to the last one before whose first `hashed` values have the same hash. */
static void wcodeci_lz_link(wcodeci_lz *z, unsigned hashed)
{
    const uint64_t mask = hashed < 8 ? ((uint64_t)1 << 8 * hashed) - 1 : UINT64_MAX;
    unsigned bits = 8;
    size_t i;
    while (bits < WCODECI_LZ_HASH_MOST && (size_t)1 << bits < z->n) bits++;
    for (i = 0; i < (size_t)1 << bits; i++) z->head[i] = WCODECI_LZ_NOWHERE;
    for (i = 0; i < z->n; i++) {
        uint64_t x = 0;
        unsigned h, k;
        z->before[i] = WCODECI_LZ_NOWHERE;
        if (z->n - i < hashed) continue;
        if (z->n - i >= 8) x = wcodeci_load64(z->v + i) & mask;
        else for (k = 0; k < hashed; k++) x |= (uint64_t)z->v[i + k] << 8 * k;
        h = (unsigned)(x * 0x9E3779B97F4A7C15u >> (64 - bits));
        z->before[i] = z->head[h];
        z->head[h] = (uint32_t)i;
    }
}

/* How many values to hash: as many as a match needs to be worth its bits, by the bits of a value. */
static unsigned wcodeci_lz_hashed(const uint32_t count[256], size_t n)
{
    const uint64_t bits = wcodeci_entropy(count, n);
    const uint64_t most = (uint64_t)n * (n <= WCODECI_LZ_SMALL ? 14 : 18);
    unsigned hashed = 3;
    while (hashed < 8 && bits * hashed < most) hashed++;
    return hashed;
}

/* A step from node i on. */
WCODECI_INLINE void wcodeci_lz_step(wcodeci_lz_node *node, size_t length, size_t distance, uint32_t price)
{
    if (price >= node->price) return;
    node->price = price;
    node->length = (uint32_t)length;
    node->distance = (uint32_t)distance;
}

/* The last distances at node i, by the way to it. */
static void wcodeci_lz_arrive(wcodeci_lz_node *node, size_t i)
{
    const wcodeci_lz_node *from = &node[i - node[i].length];
    memcpy(node[i].last, from->last, sizeof from->last);
    if (node[i].length > 1) (void)wcodeci_lz_distance_symbol(node[i].last, node[i].distance);
}

/* Tries the matches at node i, with room for `most` values.  Returns the length of one that is taken unseen, which
 * *distance belongs to, or 0. */
static size_t wcodeci_lz_matches(wcodeci_lz *z, size_t at, size_t i, size_t most, uint32_t *distance)
{
    const wcodeci_byte *const p = z->v + at;
    const size_t nice = wcodeci_min(most, z->nice);
    wcodeci_lz_node *const node = z->node + i;
    size_t longest = WCODECI_LZ_LEAST - 1, length, l;
    unsigned k, tries = z->depth;
    uint32_t from;
    for (k = 0; k < WCODECI_LZ_REPEATS; k++) {
        const uint32_t d = node->last[k], price = node->price + z->distance[k];
        if (d > at || p[0] != *(p - d)) continue;
        length = wcodeci_lz_equal(p - d, p, nice, z->n - at);
        if (length <= longest) continue;
        for (l = longest + 1; l <= length; l++) wcodeci_lz_step(node + l, l, d, price + z->length[l]);
        if (length == z->nice) {
            *distance = d;
            return length;
        }
        longest = length;
    }
    if (longest < WCODECI_LZ_LEAST) longest = WCODECI_LZ_LEAST;
    for (from = z->before[at]; from != WCODECI_LZ_NOWHERE && tries-- && longest < nice; from = z->before[from]) {
        const uint32_t d = (uint32_t)at - from;
        uint32_t price;
        if (z->v[from + longest] != p[longest]) continue;
        length = wcodeci_lz_equal(z->v + from, p, nice, z->n - at);
        if (length <= longest) continue;
        price = node->price
              + z->distance[WCODECI_LZ_REPEATS + wcodeci_lz_symbol_of(d - 1, WCODECI_LZ_DISTANCE_FINE)];
        for (l = longest + 1; l <= length; l++) wcodeci_lz_step(node + l, l, d, price + z->length[l]);
        longest = length;
        if (length == z->nice) {
            *distance = d;
            return length;
        }
    }
    return 0;
}

/* Writes the way to node i, which stands for value `at`. */
static void wcodeci_lz_trace(wcodeci_lz *z, size_t at, size_t i)
{
    while (i) {
        const wcodeci_lz_node *node = &z->node[i];
        i -= node->length;
        at -= node->length;
        z->path[at] = node->length;
        if (node->length > 1) z->path[at + 1] = node->distance;
    }
}

/* Finds the way from value `begin` to `end` or to less, and returns how far it came. */
static size_t wcodeci_lz_chunk(wcodeci_lz *z, size_t begin, size_t end, uint32_t last[WCODECI_LZ_REPEATS])
{
    const size_t most = wcodeci_min(end - begin, WCODECI_LZ_CHUNK);
    size_t i, length = 0;
    uint32_t distance = 0;
    for (i = 1; i <= most; i++) z->node[i].price = UINT32_MAX;
    z->node[0].price = 0;
    memcpy(z->node[0].last, last, sizeof z->node[0].last);
    for (i = 0; i < most; i++) {
        if (i) wcodeci_lz_arrive(z->node, i);
        wcodeci_lz_step(&z->node[i + 1], 1, 0, z->node[i].price + z->literal[z->v[begin + i]]);
        length = wcodeci_lz_matches(z, begin + i, i, most - i, &distance);
        if (length) break;
    }
    if (i == most) wcodeci_lz_arrive(z->node, i);
    wcodeci_lz_trace(z, begin + i, i);
    memcpy(last, z->node[i].last, sizeof z->node[i].last);
    if (!length) return begin + i;
    begin += i;
    length += wcodeci_lz_equal(z->v + begin + length - distance, z->v + begin + length, end - begin - length,
                               z->n - begin - length);
    z->path[begin] = (uint32_t)length;
    z->path[begin + 1] = distance;
    (void)wcodeci_lz_distance_symbol(last, distance);
    return begin + length;
}

/* Finds the way from value `begin` to `end`, and adds up its symbols. */
static void wcodeci_lz_parse(wcodeci_lz *z, size_t begin, size_t end, uint32_t last[WCODECI_LZ_REPEATS],
                             wcodeci_lz_counts *counts)
{
    uint32_t way[WCODECI_LZ_REPEATS];
    size_t i;
    memcpy(way, last, sizeof way);
    for (i = begin; i < end;) i = wcodeci_lz_chunk(z, i, end, way);
    memset(counts, 0, sizeof *counts);
    for (i = begin; i < end; i += z->path[i]) {
        if (z->path[i] == 1) {
            counts->main[z->v[i]]++;
            continue;
        }
        counts->main[256 + wcodeci_lz_length_symbol(z->path[i])]++;
        counts->distance[wcodeci_lz_distance_symbol(last, z->path[i + 1])]++;
    }
}

/* ---- writing ---- */

typedef struct wcodeci_lz_writer {
    wcodeci_byte *p, *end;
    uint64_t bits;
    unsigned count;
    int full;
} wcodeci_lz_writer;

static void wcodeci_lz_put(wcodeci_lz_writer *w, uint32_t x, unsigned count)
{
    w->bits |= (uint64_t)x << w->count;
    for (w->count += count; w->count >= 8; w->count -= 8, w->bits >>= 8) {
        if (w->p == w->end) w->full = 1;
        else *w->p++ = (wcodeci_byte)w->bits;
    }
}

/* What lies behind a symbol: the bits of x that it does not tell. */
static void wcodeci_lz_put_extra(wcodeci_lz_writer *w, uint32_t x, unsigned symbol, unsigned fine)
{
    wcodeci_lz_put(w, x - wcodeci_lz_base(symbol, fine), wcodeci_lz_extra(symbol, fine));
}

/* Sorts m keys (Shell, "A high-speed sorting procedure", 1959). */
static void wcodeci_sort_keys(uint64_t *key, unsigned m)
{
    static const wcodeci_byte gaps[] = { 132, 57, 23, 10, 4, 1 };
    unsigned s, g, i;
    for (g = 0; g < sizeof gaps; g++)
        for (s = gaps[g]; s < m; s++) {
            const uint64_t moved = key[s];
            for (i = s; i >= gaps[g] && key[i - gaps[g]] > moved; i -= gaps[g]) key[i] = key[i - gaps[g]];
            key[i] = moved;
        }
}

/* Makes a code for symbols that occur so often.  Returns one more than the last symbol that does. */
static unsigned wcodeci_lz_code(const uint32_t *count, unsigned symbols, wcodeci_byte *length, uint32_t *code)
{
    uint64_t key[WCODECI_LZ_MAIN];
    uint32_t sorted[WCODECI_LZ_MAIN];
    wcodeci_byte bits[WCODECI_LZ_MAIN];
    unsigned i, m = 0, end = 0;
    memset(length, 0, symbols);
    for (i = 0; i < symbols; i++) {
        if (!count[i]) continue;
        key[m++] = (uint64_t)count[i] << 16 | i;
        end = i + 1;
    }
    if (m < 2) return end;
    wcodeci_sort_keys(key, m);
    for (i = 0; i < m; i++) sorted[i] = (uint32_t)(key[i] >> 16);
    wcodeci_huff_optimal(sorted, m, bits);
    for (i = 0; i < m; i++) length[key[i] & 65535] = bits[i];
    wcodeci_huff_codes(length, symbols, code);
    return end;
}

static void wcodeci_lz_put_lengths(wcodeci_lz_writer *w, const wcodeci_byte *length, unsigned first, unsigned last)
{
    wcodeci_byte all[256] = { 0 }, list[128];
    size_t size, i;
    memcpy(all + first, length + first, last - first + 1);
    size = wcodeci_lengths_encode(all, first, last, list);
    for (i = 0; i < size; i++) wcodeci_lz_put(w, list[i], 8);
}

/* A block's head and codes. */
static void wcodeci_lz_put_head(wcodeci_lz_writer *w, wcodeci_lz_counts *counts, size_t values,
                                uint32_t main[WCODECI_LZ_MAIN], uint32_t distance[WCODECI_LZ_DISTANCES])
{
    wcodeci_byte length[WCODECI_LZ_MAIN], varint[10];
    const size_t size = wcodeci_put_varint(varint, values);
    unsigned first = 0, last = 255, lengths = WCODECI_LZ_LENGTHS, distances, used = 0, i;
    for (i = 0; i < size; i++) wcodeci_lz_put(w, varint[i], 8);
    for (i = 0; i < WCODECI_LZ_MAIN; i++) used += counts->main[i] != 0;
    if (used < 2) counts->main[counts->main[0] != 0]++;     /* a code has two symbols */
    (void)wcodeci_lz_code(counts->main, WCODECI_LZ_MAIN, length, main);
    while (last && !length[last]) last--;
    while (first < last && !length[first]) first++;
    while (lengths && !length[255 + lengths]) lengths--;
    wcodeci_lz_put(w, first, 8);
    wcodeci_lz_put(w, last, 8);
    wcodeci_lz_put_lengths(w, length, first, last);
    wcodeci_lz_put(w, lengths, 8);
    if (!lengths) return;
    wcodeci_lz_put_lengths(w, length + 256, 0, lengths - 1);
    memset(distance, 0, WCODECI_LZ_DISTANCES * sizeof *distance);
    distances = wcodeci_lz_code(counts->distance, WCODECI_LZ_DISTANCES, length, distance);
    if (!length[distances - 1]) {       /* the only one, of no bits */
        wcodeci_lz_put(w, WCODECI_LZ_ONLY | (distances - 1), 8);
        return;
    }
    wcodeci_lz_put(w, distances, 8);
    wcodeci_lz_put_lengths(w, length, 0, distances - 1);
}

/* Writes the block of values `begin` to `end`, whose symbols were added up in z->block. */
static void wcodeci_lz_put_block(wcodeci_lz *z, size_t begin, size_t end, uint32_t last[WCODECI_LZ_REPEATS],
                                 wcodeci_lz_writer *w)
{
    uint32_t main[WCODECI_LZ_MAIN], distance[WCODECI_LZ_DISTANCES];
    size_t i;
    wcodeci_lz_put_head(w, &z->block, end - begin, main, distance);
    for (i = begin; i < end && !w->full; i += z->path[i]) {
        const uint32_t length = z->path[i];
        unsigned s = length == 1 ? z->v[i] : 256 + wcodeci_lz_length_symbol(length);
        wcodeci_lz_put(w, main[s] >> 4, main[s] & 15);
        if (length == 1) continue;
        wcodeci_lz_put_extra(w, length - WCODECI_LZ_LEAST, s - 256, WCODECI_LZ_LENGTH_FINE);
        s = wcodeci_lz_distance_symbol(last, z->path[i + 1]);
        wcodeci_lz_put(w, distance[s] >> 4, distance[s] & 15);
        if (s >= WCODECI_LZ_REPEATS)
            wcodeci_lz_put_extra(w, z->path[i + 1] - 1, s - WCODECI_LZ_REPEATS, WCODECI_LZ_DISTANCE_FINE);
    }
    if (w->count) wcodeci_lz_put(w, 0, 8 - w->count);
}

/* Ends a block: finds a cheaper way by its own prices, if there is time, and writes it. */
static void wcodeci_lz_end_block(wcodeci_lz *z, size_t begin, size_t end, uint32_t last[WCODECI_LZ_REPEATS],
                                 wcodeci_lz_writer *w)
{
    uint32_t way[WCODECI_LZ_REPEATS];
    unsigned pass;
    for (pass = 0; pass < z->passes; pass++) {
        memcpy(way, last, sizeof way);
        wcodeci_lz_prices(z, &z->block);
        wcodeci_lz_parse(z, begin, end, way, &z->block);
    }
    wcodeci_lz_put_block(z, begin, end, last, w);
}

/* Adds the counts of the segment to the block, or if a block of its own takes less, returns 0. */
static int wcodeci_lz_join(wcodeci_lz *z)
{
    wcodeci_lz_counts sum;
    unsigned i;
    for (i = 0; i < WCODECI_LZ_MAIN; i++) sum.main[i] = z->block.main[i] + z->segment.main[i];
    for (i = 0; i < WCODECI_LZ_DISTANCES; i++) sum.distance[i] = z->block.distance[i] + z->segment.distance[i];
    if (wcodeci_lz_bits(&sum) > wcodeci_lz_bits(&z->block) + wcodeci_lz_bits(&z->segment)) return 0;
    z->block = sum;
    return 1;
}

/* Writes a plane.  Returns the payload's size, 0 if it does not fit.  `thorough`: time matters less.  `work`:
 * wcodeci_lz_scratch(n) bytes, aligned for 64 bits. */
static size_t wcodeci_lz_encode(const wcodeci_plane *plane, int thorough, wcodeci_byte *dst, size_t cap, void *work)
{
    wcodeci_lz *const z = (wcodeci_lz *)work;
    const size_t n = plane->n;
    uint32_t last[WCODECI_LZ_REPEATS] = { 1, 2, 4 }, ahead[WCODECI_LZ_REPEATS] = { 1, 2, 4 };
    size_t begin = 0, at, end;
    wcodeci_lz_writer w;
    memset(&w, 0, sizeof w);
    w.p = dst;
    w.end = dst + cap;
    z->v = plane->v;
    z->n = n;
    z->before = (uint32_t *)(void *)((wcodeci_byte *)work + wcodeci_lz_scratch(0));
    z->path = z->before + n;
    z->depth = thorough ? 96 : n <= WCODECI_LZ_SMALL ? 32 : 16;
    z->nice = thorough ? WCODECI_LZ_NICE_MOST : n <= WCODECI_LZ_SMALL ? 64 : 32;
    z->passes = thorough ? 2 : n <= WCODECI_LZ_TINY ? 2 : n <= WCODECI_LZ_SMALL;
    wcodeci_lz_link(z, wcodeci_lz_hashed(plane->count, n));
    wcodeci_lz_first_prices(z, plane->count);
    memset(&z->block, 0, sizeof z->block);
    for (at = 0; at < n && !w.full; at = end) {
        end = at + wcodeci_min(n - at, WCODECI_LZ_SEGMENT);
        wcodeci_lz_parse(z, at, end, ahead, &z->segment);
        if (!wcodeci_lz_join(z)) {
            wcodeci_lz_end_block(z, begin, at, last, &w);
            begin = at;
            z->block = z->segment;
            wcodeci_lz_prices(z, &z->block);
        }
    }
    wcodeci_lz_end_block(z, begin, n, last, &w);
    return w.full ? 0 : (size_t)(w.p - dst);
}

#endif

#endif
