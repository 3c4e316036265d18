/* ------------------------------------------------------------------------------------------------
 * rANS-16 (private): up to 16 symbols, 64 interleaved 16-bit states
 *
 * rANS (Duda, "Asymmetric numeral systems", 2013) keeps a message in one number x.  With frequencies f[s]
 * that sum to M = 256, coding s maps x to (x / f) * M + slot, where the slot is the one of the f[s] slots of
 * s that has rank x % f; decoding reads the slot off x % M and goes back.  x is kept in [256, 65536): the
 * encoder sheds a byte before it would grow beyond, so the decoder takes in at most one byte a symbol.
 * Encoding runs backwards, so that decoding runs forwards.
 *
 * Sixteen symbols are as many as one byte shuffle holds, and the alias table (Walker, 1977; Vose, 1991)
 * finds slot -> symbol with five of them, no matter which vector unit.  Here it fills one table of 256.
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_RANS16_HEAD 164
#define WCODECI_RANS16_LANES 64
#define WCODECI_RANS16_LOW 256

typedef struct wcodeci_alias {
    unsigned div[16], other[16], base[16];
} wcodeci_alias;

/* The construction of format section 9.4.  The frequencies sum to 256, so while a symbol is short of its
 * bucket's 16 slots, another one, not done either, has more than 16. */
static void wcodeci_alias_make(const wcodeci_byte freq[16], wcodeci_alias *a)
{
    unsigned rem[16], count[16], done = 0, b, i, j;
    for (b = 0; b < 16; b++) {
        rem[b] = freq[b];
        a->div[b] = 16;
        a->other[b] = b;
        a->base[b] = 0;
    }
    for (;;) {
        for (i = 0; i < 16 && (done >> i & 1 || rem[i] >= 16); i++) {}
        for (j = 0; j < 16 && (done >> j & 1 || rem[j] <= 16); j++) {}
        if (i == 16 || j == 16) break;
        a->div[i] = rem[i];
        a->other[i] = j;
        rem[j] -= 16 - rem[i];
        done |= 1u << i;
    }
    for (b = 0; b < 16; b++) count[b] = a->div[b];
    for (b = 0; b < 16; b++) {
        a->base[b] = count[a->other[b]] - a->div[b];
        count[a->other[b]] += 16 - a->div[b];
    }
}

WCODECI_INLINE unsigned wcodeci_alias_slot(const wcodeci_alias *a, unsigned slot, unsigned *rank)
{
    unsigned b = slot >> 4, r = slot & 15;
    int own = r < a->div[b];
    *rank = own ? r : r + a->base[b];
    return own ? b : a->other[b];
}

/* An entry of the slot table: value, freq << 8, rank << 16, escape << 24. */
#define WCODECI_RANS16_ESCAPE ((uint32_t)1 << 24)

static const char *wcodeci_rans16_table(const wcodeci_byte *src, unsigned width, int escapes,
                                        uint32_t table[256])
{
    const wcodeci_byte *freq = src, *value = src + 16;
    wcodeci_alias alias;
    unsigned sum = 0, s, slot, rank;
    for (s = 0; s < 16; s++) {
        sum += freq[s];
        if (value[s] >> width || (!freq[s] && value[s])) return "a value of a rANS-16 table is out of range";
    }
    if (sum != 256) return "rANS-16 frequencies do not sum to 256";
    if (escapes && value[15]) return "the escape of a rANS-16 table has a value";
    wcodeci_alias_make(freq, &alias);
    for (slot = 0; slot < 256; slot++) {
        s = wcodeci_alias_slot(&alias, slot, &rank);
        table[slot] = value[s] | (uint32_t)freq[s] << 8 | (uint32_t)rank << 16;
        if (escapes && s == 15) table[slot] |= WCODECI_RANS16_ESCAPE;
    }
    return NULL;
}

/* What is left to decode: renormalisation bytes up to `end`, escaped values from there up to `escape_end`. */
typedef struct wcodeci_rans16 {
    uint16_t state[WCODECI_RANS16_LANES];
    const wcodeci_byte *p, *end, *escape, *escape_end;
} wcodeci_rans16;

/* One value for each of 64 lanes.  At least 64 bytes are left at p: each lane takes at most one.  Returns 0
 * if the escaped values run out. */
WCODECI_INLINE int wcodeci_rans16_step(wcodeci_rans16 *r, const uint32_t *table, int escapes, wcodeci_byte *v)
{
    const wcodeci_byte *p = r->p;
    unsigned lane;
    for (lane = 0; lane < WCODECI_RANS16_LANES; lane++) {
        uint32_t x = r->state[lane], e = table[x & 255];
        uint32_t low;
        x = (e >> 8 & 255) * (x >> 8) + (e >> 16 & 255);
        low = x < WCODECI_RANS16_LOW;
        /* Arithmetic, for compilers turn a choice into a branch, and none can predict this one. */
        x = (x << 8 * low) | (*p & (0u - low));
        p += low;
        r->state[lane] = (uint16_t)x;
        v[lane] = (wcodeci_byte)e;
        if (escapes && e >> 24) {
            if (r->escape == r->escape_end) return 0;
            v[lane] = *r->escape++;
        }
    }
    r->p = p;
    return 1;
}

/* The same for `lanes` lanes with every read checked. */
static int wcodeci_rans16_step_end(wcodeci_rans16 *r, const uint32_t *table, wcodeci_byte *v, size_t lanes)
{
    size_t lane;
    for (lane = 0; lane < lanes; lane++) {
        uint32_t x = r->state[lane], e = table[x & 255];
        x = (e >> 8 & 255) * (x >> 8) + (e >> 16 & 255);
        if (x < WCODECI_RANS16_LOW) {
            if (r->p == r->end) return 0;
            x = x << 8 | *r->p++;
        }
        r->state[lane] = (uint16_t)x;
        v[lane] = (wcodeci_byte)e;
        if (e >> 24) {
            if (r->escape == r->escape_end) return 0;
            v[lane] = *r->escape++;
        }
    }
    return 1;
}

/* `table`: room for 256 entries. */
static const char *wcodeci_rans16_decode(const wcodeci_byte *src, size_t size, unsigned width,
                                         wcodeci_byte *v, size_t n, uint32_t *table)
{
    wcodeci_rans16 r;
    const char *what;
    size_t i = 0, escapes;
    unsigned lane;
    int ok = 1;
    if (size < WCODECI_RANS16_HEAD) return "a rANS-16 plane ends too early";
    escapes = wcodeci_load32(src + 32);
    if (escapes > size - WCODECI_RANS16_HEAD) return "a rANS-16 plane ends too early";
    what = wcodeci_rans16_table(src, width, escapes != 0, table);
    if (what) return what;
    for (lane = 0; lane < WCODECI_RANS16_LANES; lane++) {
        r.state[lane] = (uint16_t)wcodeci_load16(src + 36 + 2 * lane);
        if (r.state[lane] < WCODECI_RANS16_LOW) return "a rANS-16 state is out of range";
    }
    r.p = src + WCODECI_RANS16_HEAD;
    r.escape_end = src + size;
    r.end = r.escape = r.escape_end - escapes;
    while (ok && n - i >= WCODECI_RANS16_LANES) {
        if (r.end - r.p < WCODECI_RANS16_LANES)
            ok = wcodeci_rans16_step_end(&r, table, v + i, WCODECI_RANS16_LANES);
        else if (escapes)
            ok = wcodeci_rans16_step(&r, table, 1, v + i);
        else
            ok = wcodeci_rans16_step(&r, table, 0, v + i);
        i += WCODECI_RANS16_LANES;
    }
    if (ok) ok = wcodeci_rans16_step_end(&r, table, v + i, n - i);
    if (!ok || r.p != r.end || r.escape != r.escape_end) return "a rANS-16 plane does not end where it must";
    for (lane = 0; lane < WCODECI_RANS16_LANES; lane++)
        if (r.state[lane] != WCODECI_RANS16_LOW) return "a rANS-16 state does not end where it began";
    for (i = 0; i < escapes; i++)
        if (r.end[i] >> width) return "an escaped value is out of range";
    return NULL;
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
 * m <= 2^bits), near those that give the shortest message: rounded down first, then raised where a step gains
 * most, or lowered where it costs least.  None reaches 2^bits: there are at least two symbols. */
static void wcodeci_normalise(const uint32_t *count, unsigned m, uint64_t n, unsigned bits, uint32_t *freq)
{
    uint64_t change[256];       /* what the next step gains, or costs, in the message */
    uint32_t sum = 0, total = (uint32_t)1 << bits;
    unsigned s;
    int up;
    for (s = 0; s < m; s++) {
        freq[s] = (uint32_t)((uint64_t)count[s] * total / n);
        if (freq[s] == 0) freq[s] = 1;
        if (freq[s] == total) freq[s] = total - 1;
        sum += freq[s];
    }
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

typedef struct wcodeci_rans16_model {
    wcodeci_byte freq[16], value[16];
    uint32_t escapes;
} wcodeci_rans16_model;

/* Makes `direct` of the m commonest values symbols (`symbol` sorts them, rarest first) and the rest, if any,
 * escapes.  Returns the bits of the message in 1/65536, its escaped bytes included. */
static uint64_t wcodeci_rans16_try(const wcodeci_plane *plane, const wcodeci_byte symbol[256], unsigned m,
                                   unsigned direct, wcodeci_rans16_model *model)
{
    uint32_t count[16], freq[16];
    uint64_t rest = plane->n, bits;
    unsigned k, s, total = direct;
    int chosen[256] = { 0 };
    memset(model, 0, sizeof *model);
    for (k = 0; k < direct; k++) chosen[symbol[m - 1 - k]] = 1;
    for (s = 0, k = 0; s < 256; s++) {
        if (!chosen[s]) continue;
        model->value[k] = (wcodeci_byte)s;
        count[k++] = plane->count[s];
        rest -= plane->count[s];
    }
    if (rest) count[total++] = (uint32_t)rest;
    if (total < 2) return UINT64_MAX;
    wcodeci_normalise(count, total, plane->n, 8, freq);
    bits = wcodeci_message_bits(count, freq, total, 8) + rest * 8 * 65536;
    for (k = 0; k < direct; k++) model->freq[k] = (wcodeci_byte)freq[k];
    if (rest) model->freq[15] = (wcodeci_byte)freq[direct];
    model->escapes = (uint32_t)rest;
    return bits;
}

/* Finds the best number of direct symbols; arguments and result as for wcodeci_huff_prepare.  A symbol that
 * is rarer than 1 in 256 still takes a whole slot, so rare values may be cheaper as escapes even where there
 * are fewer than 16. */
static size_t wcodeci_rans16_prepare(const wcodeci_plane *plane, const wcodeci_byte symbol[256], unsigned m,
                                     wcodeci_rans16_model *model)
{
    unsigned direct = m > 16 ? 15 : m, last_gain = 0;
    uint64_t best = UINT64_MAX;
    for (; direct >= 1 && last_gain < 3; direct--) {
        wcodeci_rans16_model candidate;
        uint64_t bits;
        bits = wcodeci_rans16_try(plane, symbol, m, direct, &candidate);
        last_gain++;
        if (bits < best) {
            best = bits;
            *model = candidate;
            last_gain = 0;
        }
    }
    /* The states hold 64 * 16 bits of which 64 * 8 come from the message. */
    best = best / 65536 > 512 ? best / 65536 - 512 : 0;
    return WCODECI_RANS16_HEAD + (size_t)(best / 8);
}

/* `work`: room for n bytes, filled from its end with the renormalisation bytes. */
static size_t wcodeci_rans16_encode(const wcodeci_plane *plane, const wcodeci_rans16_model *model,
                                    wcodeci_byte *dst, size_t cap, wcodeci_byte *work)
{
    wcodeci_byte slots[256], symbol_of[256];
    unsigned first[16], lane, s, slot, rank, sum = 0;
    uint32_t state[WCODECI_RANS16_LANES], reciprocal[16];
    wcodeci_byte *end = work + plane->n, *p = end, *escape;
    wcodeci_alias alias;
    size_t i, used;
    memset(symbol_of, 15, sizeof symbol_of);
    for (s = 0; s < 16; s++) {
        first[s] = sum;
        sum += model->freq[s];
        /* x / f = x * reciprocal >> 24 for x < 65536: the error is below x / 2^24 <= 1/256 < 1/f. */
        reciprocal[s] = model->freq[s] ? ((uint32_t)1 << 24) / model->freq[s] + 1 : 0;
        if (model->freq[s] && !(s == 15 && model->escapes)) symbol_of[model->value[s]] = (wcodeci_byte)s;
    }
    wcodeci_alias_make(model->freq, &alias);
    for (slot = 0; slot < 256; slot++) {
        s = wcodeci_alias_slot(&alias, slot, &rank);
        slots[first[s] + rank] = (wcodeci_byte)slot;
    }
    for (lane = 0; lane < WCODECI_RANS16_LANES; lane++) state[lane] = WCODECI_RANS16_LOW;
    for (i = plane->n; i-- > 0;) {
        uint32_t x = state[i % WCODECI_RANS16_LANES], f, q;
        s = symbol_of[plane->v[i]];
        f = model->freq[s];
        if (x >= f << 8) {
            *--p = (wcodeci_byte)x;
            x >>= 8;
        }
        q = (uint32_t)((uint64_t)x * reciprocal[s] >> 24);
        state[i % WCODECI_RANS16_LANES] = q << 8 | slots[first[s] + (x - q * f)];
    }
    used = WCODECI_RANS16_HEAD + (size_t)(end - p) + model->escapes;
    if (used > cap) return 0;
    memcpy(dst, model->freq, 16);
    memcpy(dst + 16, model->value, 16);
    wcodeci_store32(dst + 32, model->escapes);
    for (lane = 0; lane < WCODECI_RANS16_LANES; lane++) wcodeci_store16(dst + 36 + 2 * lane, state[lane]);
    wcodeci_copy(dst + WCODECI_RANS16_HEAD, p, (size_t)(end - p));
    escape = dst + used - model->escapes;
    for (i = 0; model->escapes && i < plane->n; i++)
        if (symbol_of[plane->v[i]] == 15) *escape++ = plane->v[i];
    return used;
}

#endif
