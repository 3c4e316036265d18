/* ------------------------------------------------------------------------------------------------
 * rANS-256 (private): bytes, frequencies of 12 bits, 32 interleaved 32-bit states
 * The same number as in rANS-16, with M = 4096, x in [2^16, 2^32) and 16-bit words, so that one step of
 * renormalisation is always enough here too.  Slots are dealt in the order of the values.
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_RANS256_LANES 32
#define WCODECI_RANS256_LOW 65536u
#define WCODECI_RANS256_BITS 12

/* Reads the frequencies and fills the slot table: value, freq << 8, rank << 20.  Returns the bytes read, 0 if
 * the table is broken. */
static size_t wcodeci_rans256_table(const wcodeci_byte *src, size_t size, unsigned width, uint32_t *table)
{
    wcodeci_byte length[256];
    wcodeci_bits b;
    unsigned s, first, last;
    uint32_t slot = 0;
    size_t used;
    if (size < 2) return 0;
    first = src[0];
    last = src[1];
    if (first >= last || last >> width) return 0;
    used = wcodeci_lengths_decode(src + 2, size - 2, first, last, WCODECI_RANS256_BITS, length);
    if (!used) return 0;
    b.p = src + 2 + used;
    b.end = src + size;
    b.bits = 0;
    b.count = 0;
    for (s = first; s <= last; s++) {
        unsigned extra = length[s] ? length[s] - 1u : 0;
        uint32_t freq, rank;
        if (!length[s]) continue;
        while (b.count < extra && b.p < b.end) {
            b.bits |= (uint64_t)*b.p++ << b.count;
            b.count += 8;
        }
        if (b.count < extra) return 0;
        freq = (uint32_t)(((uint64_t)1 << extra) | (b.bits & WCODECI_MASK(extra)));
        b.bits >>= extra;
        b.count -= extra;
        if (freq > (1u << WCODECI_RANS256_BITS) - slot) return 0;
        for (rank = 0; rank < freq; rank++) table[slot + rank] = s | freq << 8 | rank << 20;
        slot += freq;
    }
    return slot != 1u << WCODECI_RANS256_BITS || b.bits ? 0 : (size_t)(b.p - src);
}

/* `table`: room for 4096 entries.  A frequency of 4096 cannot be written, for first < last gives no bit length
 * of 13, so every entry's freq fits its 12 bits. */
static const char *wcodeci_rans256_decode(const wcodeci_byte *src, size_t size, unsigned width, wcodeci_byte *v,
                                          size_t n, uint32_t *table)
{
    const unsigned slots = (1u << WCODECI_RANS256_BITS) - 1;
    uint32_t state[WCODECI_RANS256_LANES];
    const wcodeci_byte *p, *end = src + size;
    size_t i = 0, head = wcodeci_rans256_table(src, size, width, table);
    unsigned lane;
    if (!head) return "a rANS-256 table is broken";
    if (size - head < 4 * WCODECI_RANS256_LANES) return "a rANS-256 plane ends too early";
    for (p = src + head, lane = 0; lane < WCODECI_RANS256_LANES; lane++, p += 4) {
        state[lane] = wcodeci_load32(p);
        if (state[lane] < WCODECI_RANS256_LOW) return "a rANS-256 state is out of range";
    }
    /* Each lane takes at most one word a round. */
    for (; n - i >= WCODECI_RANS256_LANES && end - p >= 2 * WCODECI_RANS256_LANES; i += WCODECI_RANS256_LANES)
        for (lane = 0; lane < WCODECI_RANS256_LANES; lane++) {
            uint32_t x = state[lane], e = table[x & slots];
            unsigned low;
            x = (e >> 8 & slots) * (x >> WCODECI_RANS256_BITS) + (e >> 20);
            low = x < WCODECI_RANS256_LOW;
            x = low ? x << 16 | wcodeci_load16(p) : x;
            p += 2 * low;
            state[lane] = x;
            v[i + lane] = (wcodeci_byte)e;
        }
    for (; i < n; i++) {
        uint32_t x = state[i % WCODECI_RANS256_LANES], e = table[x & slots];
        x = (e >> 8 & slots) * (x >> WCODECI_RANS256_BITS) + (e >> 20);
        if (x < WCODECI_RANS256_LOW) {
            if (end - p < 2) return "a rANS-256 plane ends too early";
            x = x << 16 | wcodeci_load16(p);
            p += 2;
        }
        state[i % WCODECI_RANS256_LANES] = x;
        v[i] = (wcodeci_byte)e;
    }
    if (p != end) return "a rANS-256 plane does not end where it must";
    for (lane = 0; lane < WCODECI_RANS256_LANES; lane++)
        if (state[lane] != WCODECI_RANS256_LOW) return "a rANS-256 state does not end where it began";
    return NULL;
}

#ifndef WCODEC_NO_ENCODER

typedef struct wcodeci_rans256_model {
    uint16_t freq[256];
    wcodeci_byte head[2 + 128 + 352];   /* up to 256 frequencies with at most 11 bits below the highest */
    size_t head_size;
} wcodeci_rans256_model;

static size_t wcodeci_rans256_head(const uint16_t freq[256], unsigned first, unsigned last, wcodeci_byte *head)
{
    wcodeci_byte length[256] = { 0 };
    uint64_t bits = 0;
    unsigned s, count = 0;
    size_t used;
    for (s = first; s <= last; s++)
        while (freq[s] >> length[s]) length[s]++;
    head[0] = (wcodeci_byte)first;
    head[1] = (wcodeci_byte)last;
    used = 2 + wcodeci_lengths_encode(length, first, last, head + 2);
    for (s = first; s <= last; s++) {
        if (!length[s]) continue;
        bits |= (freq[s] & WCODECI_MASK(length[s] - 1u)) << count;
        count += length[s] - 1u;
        for (; count >= 8; count -= 8, bits >>= 8) head[used++] = (wcodeci_byte)bits;
    }
    if (count) head[used++] = (wcodeci_byte)bits;
    return used;
}

/* Returns the smallest size that the payload can have, 0 if a single value occurs. */
static size_t wcodeci_rans256_prepare(const wcodeci_plane *plane, wcodeci_rans256_model *model)
{
    uint32_t count[256], freq[256];
    unsigned s, m = 0, first = 0, last = 0;
    uint64_t bits;
    for (s = 0; s < 256; s++) {
        if (!plane->count[s]) continue;
        if (!m) first = s;
        last = s;
        count[m++] = plane->count[s];
    }
    if (m < 2) return 0;
    wcodeci_normalise(count, m, plane->n, WCODECI_RANS256_BITS, freq);
    bits = wcodeci_message_bits(count, freq, m, WCODECI_RANS256_BITS) / 65536;
    memset(model->freq, 0, sizeof model->freq);
    for (s = first, m = 0; s <= last; s++)
        if (plane->count[s]) model->freq[s] = (uint16_t)freq[m++];
    model->head_size = wcodeci_rans256_head(model->freq, first, last, model->head);
    /* Each of the 32 states holds up to 16 bits of the message. */
    bits = bits > 512 ? bits - 512 : 0;
    return model->head_size + 4 * WCODECI_RANS256_LANES + (size_t)(bits / 8);
}

/* `work`: room for 2 n bytes. */
static size_t wcodeci_rans256_encode(const wcodeci_plane *plane, const wcodeci_rans256_model *model,
                                     wcodeci_byte *dst, size_t cap, wcodeci_byte *work)
{
    uint32_t state[WCODECI_RANS256_LANES], cum[256], sum = 0;
    wcodeci_byte *end = work + 2 * plane->n, *p = end;
    unsigned s, lane;
    size_t i, used;
    for (s = 0; s < 256; s++) {
        cum[s] = sum;
        sum += model->freq[s];
    }
    for (lane = 0; lane < WCODECI_RANS256_LANES; lane++) state[lane] = WCODECI_RANS256_LOW;
    for (i = plane->n; i-- > 0;) {
        uint32_t x = state[i % WCODECI_RANS256_LANES], f = model->freq[plane->v[i]];
        if (x >= f << 20) {
            p -= 2;
            wcodeci_store16(p, (unsigned)(x & 0xFFFF));
            x >>= 16;
        }
        state[i % WCODECI_RANS256_LANES] = (x / f << WCODECI_RANS256_BITS) + x % f + cum[plane->v[i]];
    }
    used = model->head_size + 4 * WCODECI_RANS256_LANES + (size_t)(end - p);
    if (used > cap) return 0;
    memcpy(dst, model->head, model->head_size);
    dst += model->head_size;
    for (lane = 0; lane < WCODECI_RANS256_LANES; lane++, dst += 4) wcodeci_store32(dst, state[lane]);
    wcodeci_copy(dst, p, (size_t)(end - p));
    return used;
}

#endif
