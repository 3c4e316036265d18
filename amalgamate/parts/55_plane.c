/* ------------------------------------------------------------------------------------------------
 * Plane coders: raw, constant, sparse (private)
 *
 * A decoder fills v[0] ... v[n-1] from exactly `size` bytes and returns NULL, or what is wrong with them.
 * It may write to all of v and nothing else, and leaves no value of 2^w or more in it.
 * An encoder writes at most `cap` bytes and returns how many, or 0 if they would be more.
 * ---------------------------------------------------------------------------------------------- */

#ifndef WCODEC_NO_ENCODER
/* What the encoder knows of a plane: its values, how often each occurs. */
typedef struct wcodeci_plane {
    const wcodeci_byte *v;
    size_t n;
    unsigned width;
    uint32_t count[256];
} wcodeci_plane;
#endif

#define WCODECI_LOW_BITS(part) ((uint64_t)0x0101010101010101u * (WCODECI_MASK(part) & 255))

static size_t wcodeci_raw_size(size_t n, unsigned width)
{
    return width == 8 ? n : (n + 63) / 64 * 8 * width;
}

/* Spreads one group's part of 1, 2 or 4 bits over 64 bytes, below what is there already.
 * Byte j of a word of 8 packed bytes holds the values j, j + 8 part, ... so a shift and a mask give eight. */
WCODECI_INLINE void wcodeci_unpack_part(const wcodeci_byte *src, unsigned part, wcodeci_byte out[64])
{
    unsigned j, shift, words = part;    /* 8 part bytes */
    for (shift = 0; shift < 8; shift += part)
        for (j = 0; j < words; j++) {
            wcodeci_byte *p = out + shift / part * 8 * words + 8 * j;
            uint64_t bits = wcodeci_load64(src + 8 * j) >> shift & WCODECI_LOW_BITS(part);
            wcodeci_store64(p, wcodeci_load64(p) << part | bits);
        }
}

static const char *wcodeci_raw_decode(const wcodeci_byte *src, size_t size, unsigned width, wcodeci_byte *v,
                                      size_t n)
{
    size_t i;
    if (size != wcodeci_raw_size(n, width)) return "a raw plane has a wrong size";
    if (width == 8) {
        memcpy(v, src, n);
        return NULL;
    }
    for (i = 0; i < n; i += 64) {
        wcodeci_byte group[64];
        unsigned part;
        memset(group, 0, sizeof group);
        for (part = 4; part; part >>= 1) {
            if (!(width & part)) continue;
            wcodeci_unpack_part(src, part, group);
            src += 8 * part;
        }
        memcpy(v + i, group, wcodeci_min(64, n - i));
        for (part = (unsigned)wcodeci_min(64, n - i); part < 64; part++)
            if (group[part]) return "a raw plane's last group is not filled up with zeros";
    }
    return NULL;
}

static const char *wcodeci_constant_decode(const wcodeci_byte *src, size_t size, unsigned width,
                                           wcodeci_byte *v, size_t n)
{
    if (size != 1) return "a constant plane has a wrong size";
    if (*src >> width) return "a constant is too large for its plane";
    memset(v, *src, n);
    return NULL;
}

static const char *wcodeci_sparse_decode(const wcodeci_byte *src, size_t size, unsigned width,
                                         wcodeci_byte *v, size_t n)
{
    static const char broken[] = "a sparse plane is broken";
    wcodeci_cursor c;
    const wcodeci_byte *gaps, *values;
    uint64_t k, i, exceptions;
    size_t p = 0;
    unsigned common, used;
    c = wcodeci_cursor_make(src, size);
    common = wcodeci_take8(&c);
    exceptions = wcodeci_take_varint(&c);
    if (c.bad || exceptions == 0 || exceptions > n || exceptions > (size_t)(c.end - c.p)) return broken;
    gaps = c.p;
    values = c.end - (size_t)exceptions;
    used = common;
    memset(v, (int)common, n);
    for (k = 0; k < exceptions; k++) {
        while (gaps < values && *gaps == 255) {
            p += 255;
            gaps++;
            if (p >= n) return broken;      /* before it can wrap around */
        }
        if (gaps >= values) return broken;
        p += *gaps++;
        if (p >= n) return broken;
        v[p++] = values[k];
    }
    for (i = 0; i < exceptions; i++) used |= values[i];
    return gaps != values || used >> width ? broken : NULL;
}

#ifndef WCODEC_NO_ENCODER

WCODECI_INLINE void wcodeci_pack_part(const wcodeci_byte in[64], unsigned part, unsigned below,
                                      wcodeci_byte *dst)
{
    unsigned j, shift, words = part;
    for (j = 0; j < words; j++) {
        uint64_t packed = 0;
        for (shift = 0; shift < 8; shift += part) {
            uint64_t v = wcodeci_load64(in + shift / part * 8 * words + 8 * j);
            packed |= (v >> below & WCODECI_LOW_BITS(part)) << shift;
        }
        wcodeci_store64(dst + 8 * j, packed);
    }
}

static size_t wcodeci_raw_encode(const wcodeci_plane *plane, wcodeci_byte *dst, size_t cap)
{
    const unsigned width = plane->width;
    size_t i, size = wcodeci_raw_size(plane->n, width);
    if (size > cap) return 0;
    if (width == 8) {
        memcpy(dst, plane->v, size);
        return size;
    }
    for (i = 0; i < plane->n; i += 64) {
        wcodeci_byte group[64];
        unsigned part, below = width;
        memset(group, 0, sizeof group);
        memcpy(group, plane->v + i, wcodeci_min(64, plane->n - i));
        for (part = 4; part; part >>= 1) {
            if (!(width & part)) continue;
            below -= part;
            wcodeci_pack_part(group, part, below, dst);
            dst += 8 * part;
        }
    }
    return size;
}

static size_t wcodeci_constant_encode(const wcodeci_plane *plane, wcodeci_byte *dst, size_t cap)
{
    if (cap < 1 || plane->count[plane->v[0]] != plane->n) return 0;
    dst[0] = plane->v[0];
    return 1;
}

static unsigned wcodeci_commonest(const wcodeci_plane *plane)
{
    unsigned s, best = 0;
    for (s = 1; s < 256; s++)
        if (plane->count[s] > plane->count[best]) best = s;
    return best;
}

static size_t wcodeci_sparse_encode(const wcodeci_plane *plane, wcodeci_byte *dst, size_t cap)
{
    const unsigned common = wcodeci_commonest(plane);
    const size_t exceptions = plane->n - plane->count[common];
    size_t i, gap = 0, used, head, values;
    if (exceptions == 0 || 1 + wcodeci_varint_size(exceptions) + 2 * exceptions > cap) return 0;
    dst[0] = (wcodeci_byte)common;
    used = head = 1 + wcodeci_put_varint(dst + 1, exceptions);
    for (i = 0; i < plane->n; i++) {
        if (plane->v[i] == common) {
            gap++;
            continue;
        }
        for (; gap >= 255; gap -= 255) {
            if (used >= cap) return 0;
            dst[used++] = 255;
        }
        if (used >= cap) return 0;
        dst[used++] = (wcodeci_byte)gap;
        gap = 0;
    }
    if (exceptions > cap - used) return 0;
    for (i = 0, values = used; values < used + exceptions; i++)
        if (plane->v[i] != common) dst[values++] = plane->v[i];
    return values;
}

#endif
