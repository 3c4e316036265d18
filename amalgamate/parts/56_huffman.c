/* ------------------------------------------------------------------------------------------------
 * Lists of small lengths in nibbles (private), for the Huffman and rANS-256 tables
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_NIBBLE_REPEAT 14
#define WCODECI_NIBBLE_ZEROS 15

/* Reads length[first] ... length[last], each at most `max`; all others are 0.  Returns the bytes read, or
 * 0 if the list is broken: a run may not pass `last`, a repeat may not come first. */
static size_t wcodeci_lengths_decode(const wcodeci_byte *src, size_t size, unsigned first, unsigned last,
                                     unsigned max, wcodeci_byte length[256])
{
    size_t i = 0, nibbles = 2 * wcodeci_min(size, 512);
    unsigned s = first;
    memset(length, 0, 256);
    while (s <= last) {
        unsigned code, run, value;
        if (i >= nibbles) return 0;
        code = (unsigned)src[i / 2] >> (i % 2 * 4) & 15;
        i++;
        if (code <= max) {
            length[s++] = (wcodeci_byte)code;
            continue;
        }
        if (code < WCODECI_NIBBLE_REPEAT || i >= nibbles || (code == WCODECI_NIBBLE_REPEAT && s == first))
            return 0;
        run = 3 + ((unsigned)src[i / 2] >> (i % 2 * 4) & 15);
        i++;
        if (run > last - s + 1) return 0;
        value = code == WCODECI_NIBBLE_REPEAT ? length[s - 1] : 0;
        while (run--) length[s++] = (wcodeci_byte)value;
    }
    if (i % 2 && src[i / 2] >> 4) return 0;
    return (i + 1) / 2;
}

#ifndef WCODEC_NO_ENCODER

/* Writes such a list to dst (at most 128 bytes) and returns its size. */
static size_t wcodeci_lengths_encode(const wcodeci_byte length[256], unsigned first, unsigned last,
                                     wcodeci_byte *dst)
{
    wcodeci_byte nibble[256];
    size_t n = 0, i;
    unsigned s = first;
    while (s <= last) {
        unsigned run = 1, value = length[s];
        while (s + run <= last && run < 18 && length[s + run] == value) run++;
        if (run >= 3 && (value == 0 || (s > first && length[s - 1] == value))) {
            nibble[n++] = value ? WCODECI_NIBBLE_REPEAT : WCODECI_NIBBLE_ZEROS;
            nibble[n++] = (wcodeci_byte)(run - 3);
            s += run;
        } else {
            nibble[n++] = (wcodeci_byte)value;
            s++;
        }
    }
    if (n % 2) nibble[n] = 0;       /* n is odd, so below 256 */
    for (i = 0; i < (n + 1) / 2; i++) dst[i] = (wcodeci_byte)(nibble[2 * i] | nibble[2 * i + 1] << 4);
    return (n + 1) / 2;
}

#endif

/* ------------------------------------------------------------------------------------------------
 * Huffman (private): canonical, at most 11 bits, up to 32 interleaved streams
 * Small tables and a short loop: for small tiles, and for processors without wide vectors.
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_HUFF_MAX 11
#define WCODECI_HUFF_TABLE (1 << WCODECI_HUFF_MAX)

/* A stream's bits.  `bits` holds the next `count` bits from bit 0 up; bits above may hold the stream's bits
 * that follow, or zeros, so that refilling is an OR. */
typedef struct wcodeci_bits {
    const wcodeci_byte *p, *end;
    uint64_t bits;
    unsigned count;
} wcodeci_bits;

/* Needs 8 readable bytes at p; at least 56 bits are there afterwards. */
WCODECI_INLINE void wcodeci_bits_refill(wcodeci_bits *b)
{
    b->bits |= wcodeci_load64(b->p) << b->count;
    b->p += (63 - b->count) >> 3;
    b->count |= 56;
}

static void wcodeci_bits_refill_end(wcodeci_bits *b)
{
    while (b->count <= 56 && b->p < b->end) {
        b->bits |= (uint64_t)*b->p++ << b->count;
        b->count += 8;
    }
}

/* Fills table[code] for all codes of `depth` bits with value << 4 | length, and returns depth; 0 if the
 * lengths, of the values first ... last, are not complete. */
static unsigned wcodeci_huff_table(const wcodeci_byte *length, unsigned first, unsigned last, uint16_t *table)
{
    unsigned per_length[WCODECI_HUFF_MAX + 1] = { 0 }, next[WCODECI_HUFF_MAX + 1];
    unsigned s, l, code = 0, depth = 0, left = 1;
    for (s = first; s <= last; s++) per_length[length[s]]++;
    per_length[0] = 0;
    for (l = 1; l <= WCODECI_HUFF_MAX; l++) {
        left <<= 1;
        if (per_length[l] > left) return 0;
        left -= per_length[l];
        code = (code + per_length[l - 1]) << 1;
        next[l] = code;
        if (per_length[l]) depth = l;
    }
    if (left) return 0;
    for (s = first; s <= last; s++) {
        unsigned reversed = 0, k;
        l = length[s];
        if (!l) continue;
        code = next[l]++;
        for (k = 0; k < l; k++) reversed |= (code >> k & 1) << (l - 1 - k);
        for (k = reversed; k < 1u << depth; k += 1u << l) table[k] = (uint16_t)(s << 4 | l);
    }
    return depth;
}

WCODECI_INLINE wcodeci_byte wcodeci_huff_symbol(wcodeci_bits *b, const uint16_t *table, unsigned mask)
{
    unsigned e = table[b->bits & mask];
    b->bits >>= e & 15;
    b->count -= e & 15;
    return (wcodeci_byte)(e >> 4);
}

/* Decodes while every one of `streams` (1 or 4, a constant) has 8 bytes left: one refill, then five codes of
 * at most 11 bits.  Returns how many values there are now. */
WCODECI_INLINE size_t wcodeci_huff_fast(wcodeci_bits *b, unsigned streams, const uint16_t *table,
                                        unsigned depth, wcodeci_byte *v, size_t n)
{
    const unsigned mask = (1u << depth) - 1;
    size_t i = 0;
    for (; n - i >= 5 * streams; i += 5 * streams) {
        unsigned k, j;
        /* Unrolled in full, or the streams would not live in registers: half as fast again. */
        WCODECI_UNROLL_4
        for (k = 0; k < streams; k++)
            if (b[k].end - b[k].p < 8) return i;
        WCODECI_UNROLL_4
        for (k = 0; k < streams; k++) wcodeci_bits_refill(&b[k]);
        WCODECI_UNROLL_16
        for (j = 0; j < 5; j++) {
            WCODECI_UNROLL_4
            for (k = 0; k < streams; k++) v[i + j * streams + k] = wcodeci_huff_symbol(&b[k], table, mask);
        }
    }
    return i;
}

static size_t wcodeci_huff_fast4(wcodeci_bits *streams, const uint16_t *table, unsigned depth,
                                 wcodeci_byte *v, size_t n)
{
    wcodeci_bits b[4];
    size_t i;
    memcpy(b, streams, sizeof b);       /* a local copy can live in registers */
    i = wcodeci_huff_fast(b, 4, table, depth, v, n);
    memcpy(streams, b, sizeof b);
    return i;
}

static size_t wcodeci_huff_fast1(wcodeci_bits *streams, const uint16_t *table, unsigned depth,
                                 wcodeci_byte *v, size_t n)
{
    wcodeci_bits b = *streams;
    size_t i = wcodeci_huff_fast(&b, 1, table, depth, v, n);
    *streams = b;
    return i;
}

/* The stream must end inside its last byte, and what is left of that byte must be zero. */
static int wcodeci_bits_done(const wcodeci_bits *b)
{
    return b->p == b->end && b->count < 8 && (b->bits & ((1u << b->count) - 1)) == 0;
}

/* Finds the streams: sizes of all but the last, then the streams themselves, up to the payload's end. */
static int wcodeci_huff_open(wcodeci_cursor *c, unsigned streams, wcodeci_bits *b)
{
    uint64_t sizes[32];
    unsigned k;
    for (k = 0; k + 1 < streams; k++) sizes[k] = wcodeci_take_varint(c);
    if (c->bad) return 0;
    for (k = 0; k < streams; k++) {
        const uint64_t left = (uint64_t)(c->end - c->p);
        if (k + 1 == streams) sizes[k] = left;
        if (sizes[k] > left) return 0;
        b[k].p = c->p;
        b[k].end = c->p += (size_t)sizes[k];
        b[k].bits = 0;
        b[k].count = 0;
    }
    return 1;
}

/* `table`: room for WCODECI_HUFF_TABLE entries. */
static const char *wcodeci_huff_decode(const wcodeci_byte *src, size_t size, unsigned width, wcodeci_byte *v,
                                       size_t n, uint16_t *table)
{
    static const char short_of[] = "a Huffman plane ends too early";
    wcodeci_bits b[32];
    wcodeci_byte length[256];
    wcodeci_cursor c = wcodeci_cursor_make(src, size);
    const unsigned log_streams = wcodeci_take8(&c), first = wcodeci_take8(&c), last = wcodeci_take8(&c);
    const unsigned streams = 1u << (log_streams & 31);
    unsigned depth, k;
    size_t i, used;
    if (c.bad) return short_of;
    if (log_streams > 5 || first >= last || last >> width) return "a Huffman plane's head is broken";
    used = wcodeci_lengths_decode(c.p, (size_t)(c.end - c.p), first, last, WCODECI_HUFF_MAX, length);
    depth = used ? wcodeci_huff_table(length, first, last, table) : 0;
    if (!depth) return "a Huffman code is not complete";
    c.p += used;
    if (!wcodeci_huff_open(&c, streams, b)) return short_of;
    i = streams == 4 ? wcodeci_huff_fast4(b, table, depth, v, n)
      : streams == 1 ? wcodeci_huff_fast1(b, table, depth, v, n) : 0;
    for (; i < n; i++) {
        wcodeci_bits *s = &b[i & (streams - 1)];
        unsigned e;
        if (s->count < WCODECI_HUFF_MAX) wcodeci_bits_refill_end(s);
        e = table[s->bits & ((1u << depth) - 1)];
        if ((e & 15) > s->count) return short_of;
        s->bits >>= e & 15;
        s->count -= e & 15;
        v[i] = (wcodeci_byte)(e >> 4);
    }
    for (k = 0; k < streams; k++)
        if (!wcodeci_bits_done(&b[k])) return "a Huffman stream does not end where it must";
    return NULL;
}

#ifndef WCODEC_NO_ENCODER

/* The values that occur, rarest first, equal ones by value: sorted by one byte of their counts after the other,
 * the lowest first.  Returns how many. */
static unsigned wcodeci_sort_counts(const uint32_t count[256], wcodeci_byte symbol[256])
{
    wcodeci_byte other[256];
    uint32_t any = 0;
    unsigned s, shift, m = 0;
    for (s = 0; s < 256; s++) {
        symbol[m] = (wcodeci_byte)s;
        m += count[s] != 0;
        any |= count[s];
        if (m == 256) break;
    }
    for (shift = 0; shift < 32 && any >> shift; shift += 8) {
        uint16_t at[257] = { 0 };
        for (s = 0; s < m; s++) at[(count[symbol[s]] >> shift & 255) + 1]++;
        for (s = 0; s < 256; s++) at[s + 1] = (uint16_t)(at[s + 1] + at[s]);
        for (s = 0; s < m; s++) other[at[count[symbol[s]] >> shift & 255]++] = symbol[s];
        memcpy(symbol, other, m);
    }
    return m;
}

#define WCODECI_HUFF_SYMBOLS 512    /* the most that a code has */

/* Code lengths by Huffman's construction; returns the longest.  Symbols come sorted, and so do the pairs as they
 * are made (van Leeuwen, "On the construction of Huffman trees", 1976).  `count`: of m symbols, 2 to
 * WCODECI_HUFF_SYMBOLS, rarest first. */
static unsigned wcodeci_huff_free(const uint32_t *count, unsigned m, wcodeci_byte *length)
{
    uint32_t weight[WCODECI_HUFF_SYMBOLS];      /* of pairs */
    uint16_t above[2 * WCODECI_HUFF_SYMBOLS];   /* symbols are nodes 0 ... m-1, pair i is node m + i */
    uint16_t depth[WCODECI_HUFF_SYMBOLS];       /* of pairs */
    unsigned leaf = 0, pair = 0, i, k, longest = 0;
    for (i = 0; i + 1 < m; i++) {
        uint32_t sum = 0;
        for (k = 0; k < 2; k++) {
            if (pair == i || (leaf < m && count[leaf] <= weight[pair])) {
                above[leaf] = (uint16_t)i;
                sum += count[leaf++];
            } else {
                above[m + pair] = (uint16_t)i;
                sum += weight[pair++];
            }
        }
        weight[i] = sum;
    }
    memset(depth, 0, sizeof depth);             /* that of the last pair stays */
    for (i = m - 2; i-- > 0;) depth[i] = (uint16_t)(depth[above[m + i]] + 1);
    for (i = 0; i < m; i++) {
        const unsigned l = depth[above[i]] + 1u;
        length[i] = (wcodeci_byte)wcodeci_min(l, 255);
        if (l > longest) longest = l;
    }
    return longest;
}

/* Optimal code lengths of at most 11 bits: Huffman's, or if one of these is longer by package-merge (Larmore and
 * Hirschberg, "A fast algorithm for optimal length-limited Huffman codes", 1990).  Each of 11 levels merges the
 * symbols with pairs of the level below, by weight; the 2m - 2 lightest items of the top level, with the pairs in
 * them taken apart level by level, hold each symbol as often as its code has bits.  To take them apart one needs to
 * know only which items of a level are symbols, for these come in sorted order.  `count`: as above. */
static void wcodeci_huff_optimal(const uint32_t *count, unsigned m, wcodeci_byte *length)
{
    uint32_t is_symbol[WCODECI_HUFF_MAX][2 * WCODECI_HUFF_SYMBOLS / 32];
    uint32_t weight[2 * WCODECI_HUFF_SYMBOLS], below[2 * WCODECI_HUFF_SYMBOLS];
    unsigned level, i, size = 0, take;
    if (wcodeci_huff_free(count, m, length) <= WCODECI_HUFF_MAX) return;
    memset(is_symbol, 0, sizeof is_symbol);
    memset(length, 0, m);
    for (level = 0; level < WCODECI_HUFF_MAX; level++) {
        unsigned pairs = size / 2, leaf = 0, pair = 0;
        memcpy(below, weight, sizeof(uint32_t) * size);
        for (size = 0; leaf < m || pair < pairs; size++) {
            uint32_t sum = pair < pairs ? below[2 * pair] + below[2 * pair + 1] : UINT32_MAX;
            if (leaf < m && count[leaf] <= sum) {
                weight[size] = count[leaf++];
                is_symbol[level][size / 32] |= (uint32_t)1 << size % 32;
            } else {
                weight[size] = sum;
                pair++;
            }
        }
    }
    for (take = 2 * m - 2; level-- > 0 && take;) {
        unsigned leaves = 0;
        for (i = 0; i < take; i++)
            if (is_symbol[level][i / 32] >> i % 32 & 1) length[leaves++]++;
        take = 2 * (take - leaves);
    }
}

/* The lengths of a plane's values, of which `symbol` sorts m, at least two. */
static void wcodeci_huff_lengths(const uint32_t count[256], const wcodeci_byte symbol[256], unsigned m,
                                 wcodeci_byte length[256])
{
    uint32_t sorted[256] = { 0 };
    wcodeci_byte bits[256];
    unsigned i;
    for (i = 0; i < m; i++) sorted[i] = count[symbol[i]];
    wcodeci_huff_optimal(sorted, m, bits);
    memset(length, 0, 256);
    for (i = 0; i < m; i++) length[symbol[i]] = bits[i];
}

/* What the encoder prepares before it knows whether Huffman is the smallest. */
typedef struct wcodeci_huff_model {
    wcodeci_byte length[256];
    wcodeci_byte head[3 + 128];
    size_t head_size;
} wcodeci_huff_model;

static unsigned wcodeci_huff_streams(size_t n) { return n < 2048 ? 0 : 2; }

/* `symbol`: the plane's m values in order of their counts, at least two.  Returns the smallest size that the
 * payload can have: exact but for the streams' last bytes and sizes. */
static size_t wcodeci_huff_prepare(const wcodeci_plane *plane, const wcodeci_byte symbol[256], unsigned m,
                                   wcodeci_huff_model *model)
{
    unsigned s, first = 256, last = 0;
    uint64_t bits = 0;
    wcodeci_huff_lengths(plane->count, symbol, m, model->length);
    for (s = 0; s < 256; s++) {
        bits += (uint64_t)plane->count[s] * model->length[s];
        if (!plane->count[s]) continue;
        if (first == 256) first = s;
        last = s;
    }
    model->head[0] = (wcodeci_byte)wcodeci_huff_streams(plane->n);
    model->head[1] = (wcodeci_byte)first;
    model->head[2] = (wcodeci_byte)last;
    model->head_size = 3 + wcodeci_lengths_encode(model->length, first, last, model->head + 3);
    return model->head_size + (size_t)((bits + 7) / 8);
}

/* code[s]: the code of s, reversed, above its length in the low 4 bits; of `count` symbols. */
static void wcodeci_huff_codes(const wcodeci_byte *length, unsigned count, uint32_t *code)
{
    unsigned next[WCODECI_HUFF_MAX + 2] = { 0 }, l, s, k;
    for (s = 0; s < count; s++) next[length[s] + 1u]++;
    next[1] = 0;
    for (l = 1; l <= WCODECI_HUFF_MAX; l++) next[l] = (next[l] + next[l - 1]) << 1;     /* of codes before */
    for (s = 0; s < count; s++) {
        unsigned reversed = 0;
        l = length[s];
        if (l == 0) continue;
        for (k = 0; k < l; k++) reversed |= (next[l] >> k & 1) << (l - 1 - k);
        next[l]++;
        code[s] = reversed << 4 | l;
    }
}

static size_t wcodeci_huff_encode(const wcodeci_plane *plane, const wcodeci_huff_model *model,
                                  wcodeci_byte *dst, size_t cap)
{
    const unsigned streams = 1u << model->head[0];
    uint32_t code[256] = { 0 };
    uint64_t sizes[4] = { 0, 0, 0, 0 };
    size_t i, used = model->head_size;
    unsigned k;
    for (i = 0; i < plane->n; i++) sizes[i & (streams - 1)] += model->length[plane->v[i]];
    for (k = 0; k < streams; k++) {
        sizes[k] = (sizes[k] + 7) / 8;
        used += (size_t)sizes[k] + (k + 1 < streams ? wcodeci_varint_size(sizes[k]) : 0);
    }
    if (used > cap) return 0;
    wcodeci_huff_codes(model->length, 256, code);
    memcpy(dst, model->head, model->head_size);
    dst += model->head_size;
    for (k = 0; k + 1 < streams; k++) dst += wcodeci_put_varint(dst, sizes[k]);
    for (k = 0; k < streams; k++) {
        uint64_t bits = 0;
        unsigned count = 0;
        for (i = k; i < plane->n; i += streams) {
            uint32_t c = code[plane->v[i]];
            bits |= (uint64_t)(c >> 4) << count;
            count += c & 15;
            for (; count >= 8; count -= 8, bits >>= 8) *dst++ = (wcodeci_byte)bits;
        }
        if (count) *dst++ = (wcodeci_byte)bits;
    }
    return used;
}

#endif
