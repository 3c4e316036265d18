/* ------------------------------------------------------------------------------------------------
 * rANS-256 (private): bytes, frequencies of 12 bits, up to 32 interleaved 32-bit states
 * The same number as in rANS-16, with M = 4096, x in [2^16, 2^32) and 16-bit words, so that one step of
 * renormalisation is always enough here too.  Slots are dealt in the order of the values.  Each state costs
 * two bytes beyond its share of the message, so short messages get few of them.
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_RANS256_LANES 32
#define WCODECI_RANS256_LOW 65536u
#define WCODECI_RANS256_BITS 12
#define WCODECI_RANS256_SLOTS 4095u

/* Reads the frequencies and fills the slot table: value, freq << 8, rank << 20.  Returns the bytes read, 0 if
 * the table is broken. */
static size_t wcodeci_rans256_table(const wcodeci_byte *src, size_t size, unsigned width, uint32_t *table)
{
    wcodeci_byte length[256];
    wcodeci_bits b;
    unsigned s, first, last;
    uint32_t slot = 0;
    size_t used;
    if (size < 3) return 0;
    first = src[1];
    last = src[2];
    if (src[0] > 5 || first >= last || last >> width) return 0;
    used = wcodeci_lengths_decode(src + 3, size - 3, first, last, WCODECI_RANS256_BITS, length);
    if (!used) return 0;
    b.p = src + 3 + used;
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
        if (freq > (WCODECI_RANS256_SLOTS + 1) - slot) return 0;
        for (rank = 0; rank < freq; rank++) table[slot + rank] = s | freq << 8 | rank << 20;
        slot += freq;
    }
    return slot != WCODECI_RANS256_SLOTS + 1 || b.bits ? 0 : (size_t)(b.p - src);
}

/* One value with every read checked. */
WCODECI_INLINE int wcodeci_rans256_one(uint32_t *state, const uint32_t *table, const wcodeci_byte **p,
                                       const wcodeci_byte *end, wcodeci_byte *v)
{
    const uint32_t e = table[*state & WCODECI_RANS256_SLOTS];
    uint32_t x = (e >> 8 & WCODECI_RANS256_SLOTS) * (*state >> WCODECI_RANS256_BITS) + (e >> 20);
    if (x < WCODECI_RANS256_LOW) {
        if (end - *p < 2) return 0;
        x = x << 16 | wcodeci_load16(*p);
        *p += 2;
    }
    *state = x;
    *v = (wcodeci_byte)e;
    return 1;
}

/* Whole rounds of 32 lanes while each lane's word is there; returns how many values. */
static size_t wcodeci_rans256_scalar(uint32_t state[WCODECI_RANS256_LANES], const uint32_t *table,
                                     const wcodeci_byte **src, const wcodeci_byte *end, wcodeci_byte *v,
                                     size_t n)
{
    const wcodeci_byte *p = *src;
    size_t i = 0;
    unsigned lane;
    for (; n - i >= WCODECI_RANS256_LANES && end - p >= 2 * WCODECI_RANS256_LANES; i += WCODECI_RANS256_LANES)
        for (lane = 0; lane < WCODECI_RANS256_LANES; lane++) {
            uint32_t x = state[lane], e = table[x & WCODECI_RANS256_SLOTS];
            uint32_t low;
            x = (e >> 8 & WCODECI_RANS256_SLOTS) * (x >> WCODECI_RANS256_BITS) + (e >> 20);
            low = x < WCODECI_RANS256_LOW;
            x = (x << 16 * low) | (wcodeci_load16(p) & (0u - low));     /* no branch, as in rANS-16 */
            p += 2 * low;
            state[lane] = x;
            v[i + lane] = (wcodeci_byte)e;
        }
    *src = p;
    return i;
}

/* `table`: room for 4096 entries.  A frequency of 4096 cannot be written, for first < last gives no bit
 * length of 13, so every entry's freq fits its 12 bits. */
static const char *wcodeci_rans256_decode(const wcodeci_kernels *kernels, const wcodeci_byte *src,
                                          size_t size, unsigned width, wcodeci_byte *v, size_t n,
                                          uint32_t *table)
{
    uint32_t state[WCODECI_RANS256_LANES];
    const wcodeci_byte *p, *end = src + size;
    size_t i = 0, head = wcodeci_rans256_table(src, size, width, table);
    unsigned lane, lanes;
    if (!head) return "a rANS-256 table is broken";
    lanes = 1u << src[0];
    if (size - head < 4 * lanes) return "a rANS-256 plane ends too early";
    for (p = src + head, lane = 0; lane < lanes; lane++, p += 4) {
        state[lane] = wcodeci_load32(p);
        if (state[lane] < WCODECI_RANS256_LOW) return "a rANS-256 state is out of range";
    }
    if (lanes == WCODECI_RANS256_LANES) i = kernels->rans256(state, table, &p, end, v, n);
    for (; i < n; i++)
        if (!wcodeci_rans256_one(&state[i & (lanes - 1)], table, &p, end, &v[i]))
            return "a rANS-256 plane ends too early";
    if (p != end) return "a rANS-256 plane does not end where it must";
    for (lane = 0; lane < lanes; lane++)
        if (state[lane] != WCODECI_RANS256_LOW) return "a rANS-256 state does not end where it began";
    return NULL;
}

#ifndef WCODEC_NO_ENCODER

#define WCODECI_RANS256_SHORT 65536         /* bits of a message that gets only four states, */
#define WCODECI_RANS256_TINY 8192           /* or one */

typedef struct wcodeci_rans256_model {
    uint16_t freq[256];
    wcodeci_byte head[3 + 128 + 352];   /* up to 256 frequencies with at most 11 bits below the highest */
    size_t head_size;
} wcodeci_rans256_model;

static size_t wcodeci_rans256_head(const uint16_t freq[256], unsigned first, unsigned last,
                                   wcodeci_byte *head)
{
    wcodeci_byte length[256] = { 0 };
    uint64_t bits = 0;
    unsigned s, count = 0;
    size_t used;
    for (s = first; s <= last; s++)
        while (freq[s] >> length[s]) length[s]++;
    head[1] = (wcodeci_byte)first;
    head[2] = (wcodeci_byte)last;
    used = 3 + wcodeci_lengths_encode(length, first, last, head + 3);
    for (s = first; s <= last; s++) {
        if (!length[s]) continue;
        bits |= (freq[s] & WCODECI_MASK(length[s] - 1u)) << count;
        count += length[s] - 1u;
        for (; count >= 8; count -= 8, bits >>= 8) head[used++] = (wcodeci_byte)bits;
    }
    if (count) head[used++] = (wcodeci_byte)bits;
    return used;
}

/* How many states a message of so many bits gets. */
static size_t wcodeci_rans256_lanes(uint64_t bits)
{
    return bits < WCODECI_RANS256_TINY ? 1 : bits < WCODECI_RANS256_SHORT ? 4 : WCODECI_RANS256_LANES;
}

/* Returns the smallest size that the payload can have.  At least two values occur. */
static size_t wcodeci_rans256_prepare(const wcodeci_plane *plane, wcodeci_rans256_model *model)
{
    uint32_t count[256], freq[256];
    unsigned s, m = 0, first = 0, last = 0;
    size_t lanes;
    uint64_t bits;
    for (s = 0; s < 256; s++) {
        if (!plane->count[s]) continue;
        if (!m) first = s;
        last = s;
        count[m++] = plane->count[s];
    }
    wcodeci_normalise(count, m, plane->n, WCODECI_RANS256_BITS, freq);
    bits = wcodeci_message_bits(count, freq, m, WCODECI_RANS256_BITS) / 65536;
    memset(model->freq, 0, sizeof model->freq);
    for (s = first, m = 0; s <= last; s++)
        if (plane->count[s]) model->freq[s] = (uint16_t)freq[m++];
    model->head_size = wcodeci_rans256_head(model->freq, first, last, model->head);
    lanes = wcodeci_rans256_lanes(bits);
    model->head[0] = lanes == 1 ? 0 : lanes == 4 ? 2 : 5;
    /* Each state holds up to 16 bits of the message. */
    bits = bits > 16 * lanes ? bits - 16 * lanes : 0;
    return model->head_size + 4 * lanes + (size_t)(bits / 8);
}

/* What coding a value of frequency f takes.  With 2^k >= f and m = 2^(32 + k) / f, rounded up, x / f is
 * x * m >> (32 + k) for all x < 2^32: the error is below x / 2^(32 + k) < 1/f.  m has 33 bits, of which `reciprocal`
 * leaves the highest out. */
typedef struct wcodeci_rans256_code {
    uint32_t reciprocal, limit;         /* limit: f << 20, from which on the state sheds a word */
    uint16_t others, cum;               /* others: 4096 - f */
    uint32_t k;
} wcodeci_rans256_code;

static void wcodeci_rans256_codes(const wcodeci_rans256_model *model, wcodeci_rans256_code code[256])
{
    uint32_t sum = 0;
    unsigned s;
    memset(code, 0, 256 * sizeof *code);
    for (s = 0; s < 256; s++) {
        const uint32_t f = model->freq[s];
        if (!f) continue;
        while ((uint32_t)1 << code[s].k < f) code[s].k++;
        code[s].reciprocal = (uint32_t)(((((uint64_t)1 << (32 + code[s].k)) + f - 1) / f) & 0xFFFFFFFFu);
        code[s].limit = f << 20;
        code[s].others = (uint16_t)(WCODECI_RANS256_SLOTS + 1 - f);
        code[s].cum = (uint16_t)sum;
        sum += f;
    }
}

/* Codes a value and puts what the state sheds below p.  Arithmetic, for no branch could be predicted; so two bytes
 * below p are written even if nothing is shed. */
WCODECI_INLINE wcodeci_byte *wcodeci_rans256_put(const wcodeci_rans256_code *c, uint32_t *state, wcodeci_byte *p)
{
    uint32_t x = *state, q;
    const uint32_t shed = (uint32_t)(((uint64_t)c->limit - 1 - x) >> 63);
    wcodeci_store16(p - 2, (unsigned)(x & 0xFFFF));
    p -= 2 * shed;
    x >>= 16 * shed;
    q = (uint32_t)((((uint64_t)x * c->reciprocal >> 32) + x) >> c->k);
    *state = x + c->cum + q * c->others;        /* q * 4096 + (x - q * f) + cum */
    return p;
}

/* `work`: room for 2 n bytes, which are as many as n values can shed. */
static size_t wcodeci_rans256_encode(const wcodeci_plane *plane, const wcodeci_rans256_model *model,
                                     wcodeci_byte *dst, size_t cap, wcodeci_byte *work)
{
    wcodeci_rans256_code code[256];
    uint32_t state[WCODECI_RANS256_LANES];
    const wcodeci_byte *v = plane->v;
    wcodeci_byte *end = work + 2 * plane->n, *p = end;
    const unsigned lanes = 1u << model->head[0];
    unsigned lane;
    size_t i = plane->n, used;
    wcodeci_rans256_codes(model, code);
    for (lane = 0; lane < lanes; lane++) state[lane] = WCODECI_RANS256_LOW;
    while (i & (lanes - 1)) {
        i--;
        p = wcodeci_rans256_put(&code[v[i]], &state[i & (lanes - 1)], p);
    }
    while (i) {
        i -= lanes;
        for (lane = lanes; lane-- > 0;) p = wcodeci_rans256_put(&code[v[i + lane]], &state[lane], p);
    }
    used = model->head_size + 4 * lanes + (size_t)(end - p);
    if (used > cap) return 0;
    memcpy(dst, model->head, model->head_size);
    dst += model->head_size;
    for (lane = 0; lane < lanes; lane++, dst += 4) wcodeci_store32(dst, state[lane]);
    wcodeci_copy(dst, p, (size_t)(end - p));
    return used;
}

#endif
