/* ------------------------------------------------------------------------------------------------
 * Plane coders: raw, packed, constant, sparse (private)
 *
 * A decoder fills v[0] ... v[n-1] from exactly `size` bytes and returns NULL, or what is wrong with them.
 * It may write to all of v and nothing else, and leaves no value of 2^w or more in it.
 * An encoder writes at most `cap` bytes and returns how many, or 0 if they would be more.
 * ---------------------------------------------------------------------------------------------- */

static int wcodeci_all_zero(const wcodeci_byte *p, const wcodeci_byte *end)
{
    while (p < end)
        if (*p++) return 0;
    return 1;
}

#ifndef WCODEC_NO_ENCODER
/* What the encoder knows of a plane: its values, how often each occurs. */
typedef struct wcodeci_plane {
    const wcodeci_byte *v;
    size_t n;
    unsigned width;
    unsigned unit;      /* bytes, of the split */
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
WCODECI_INLINE void wcodeci_unpack_part(const wcodeci_byte *src, unsigned part, int first, wcodeci_byte out[64])
{
    unsigned j, shift, words = part;    /* 8 part bytes */
    for (shift = 0; shift < 8; shift += part)
        for (j = 0; j < words; j++) {
            wcodeci_byte *p = out + shift / part * 8 * words + 8 * j;
            uint64_t bits = wcodeci_load64(src + 8 * j) >> shift & WCODECI_LOW_BITS(part);
            wcodeci_store64(p, first ? bits : wcodeci_load64(p) << part | bits);
        }
}

/* One group of 64 values.  `width`, 1 to 7, is a constant where this is called. */
WCODECI_INLINE void wcodeci_unpack_group(const wcodeci_byte *src, unsigned width, wcodeci_byte v[64])
{
    if (width & 4) wcodeci_unpack_part(src, 4, 1, v);
    if (width & 2) wcodeci_unpack_part(src + (width & 4) * 8, 2, !(width & 4), v);
    if (width & 1) wcodeci_unpack_part(src + (width & 6) * 8, 1, !(width & 6), v);
}

/* Whole groups; returns how many values. */
static size_t wcodeci_unpack_scalar(const wcodeci_byte *src, unsigned width, wcodeci_byte *v, size_t n)
{
    size_t i;
#define WCODECI_UNPACK_CASE(w) \
    case w: for (i = 0; n - i >= 64; i += 64, src += 8 * (w)) wcodeci_unpack_group(src, w, v + i); return i
    switch (width) {
    WCODECI_UNPACK_CASE(1);
    WCODECI_UNPACK_CASE(2);
    WCODECI_UNPACK_CASE(3);
    WCODECI_UNPACK_CASE(4);
    WCODECI_UNPACK_CASE(5);
    WCODECI_UNPACK_CASE(6);
    default: WCODECI_UNPACK_CASE(7);
    }
}

/* Value number i of a raw plane of less than 8 bits. */
static unsigned wcodeci_raw_value(const wcodeci_byte *src, unsigned width, size_t i)
{
    const size_t j = i & 63;
    unsigned part, v = 0;
    src += i / 64 * 8 * width;
    for (part = 4; part; part >>= 1) {
        if (!(width & part)) continue;
        v = v << part | ((unsigned)src[j & (8 * part - 1)] >> j / (8 * part) * part & ((1u << part) - 1));
        src += 8 * part;
    }
    return v;
}

/* The last group of a raw plane of less than 8 bits is filled up with zeros. */
static int wcodeci_raw_filled_up(const wcodeci_byte *src, unsigned width, size_t n)
{
    size_t i;
    for (i = n; i & 63; i++)
        if (wcodeci_raw_value(src, width, i)) return 0;
    return 1;
}

static const char *wcodeci_raw_decode(const wcodeci_kernels *kernels, const wcodeci_byte *src, size_t size,
                                      unsigned width, wcodeci_byte *v, size_t n)
{
    size_t i, done;
    if (size != wcodeci_raw_size(n, width)) return "a raw plane has a wrong size";
    if (width == 8) {
        memcpy(v, src, n);
        return NULL;
    }
    if (!wcodeci_raw_filled_up(src, width, n)) return "a raw plane's last group is not filled up with zeros";
    i = kernels->unpack ? kernels->unpack(src, width, v, n) : 0;
    src += i / 8 * width;
    done = i + wcodeci_unpack_scalar(src, width, v + i, n - i);
    if (done < n) {
        wcodeci_byte group[64];
        wcodeci_unpack_scalar(src + (done - i) / 8 * width, width, group, 64);
        memcpy(v + done, group, n - done);
    }
    return NULL;
}

#define WCODECI_PACKED_HEAD 2

/* A raw plane of fewer bits above a least value, which is subtracted: a frame of reference. */
static const char *wcodeci_packed_decode(const wcodeci_kernels *kernels, const wcodeci_byte *src, size_t size,
                                         unsigned width, wcodeci_byte *v, size_t n)
{
    const char *what;
    uint64_t least;
    size_t i;
    if (size < WCODECI_PACKED_HEAD || src[1] == 0 || src[1] >= width || src[0] + (1u << src[1]) > 1u << width)
        return "a packed plane is broken";
    what = wcodeci_raw_decode(kernels, src + WCODECI_PACKED_HEAD, size - WCODECI_PACKED_HEAD, src[1], v, n);
    if (what) return what;
    least = (uint64_t)0x0101010101010101u * src[0];     /* no byte carries into the next */
    for (i = 0; n - i >= 8; i += 8) wcodeci_store64(v + i, wcodeci_load64(v + i) + least);
    for (; i < n; i++) v[i] = (wcodeci_byte)(v[i] + src[0]);
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

WCODECI_INLINE void wcodeci_pack_group(const wcodeci_byte v[64], unsigned width, wcodeci_byte *dst)
{
    if (width & 4) wcodeci_pack_part(v, 4, width & 3, dst);
    if (width & 2) wcodeci_pack_part(v, 2, width & 1, dst + (width & 4) * 8);
    if (width & 1) wcodeci_pack_part(v, 1, 0, dst + (width & 6) * 8);
}

/* Whole groups; returns how many values. */
static size_t wcodeci_pack(const wcodeci_byte *v, unsigned width, wcodeci_byte *dst, size_t n)
{
    size_t i;
#define WCODECI_PACK_CASE(w) \
    case w: for (i = 0; n - i >= 64; i += 64, dst += 8 * (w)) wcodeci_pack_group(v + i, w, dst); return i
    switch (width) {
    WCODECI_PACK_CASE(1);
    WCODECI_PACK_CASE(2);
    WCODECI_PACK_CASE(3);
    WCODECI_PACK_CASE(4);
    WCODECI_PACK_CASE(5);
    WCODECI_PACK_CASE(6);
    default: WCODECI_PACK_CASE(7);
    }
}

static size_t wcodeci_raw_encode(const wcodeci_plane *plane, wcodeci_byte *dst, size_t cap)
{
    const unsigned width = plane->width;
    size_t i, size = wcodeci_raw_size(plane->n, width);
    wcodeci_byte group[64];
    if (size > cap) return 0;
    if (width == 8) {
        memcpy(dst, plane->v, size);
        return size;
    }
    i = wcodeci_pack(plane->v, width, dst, plane->n);
    if (i == plane->n) return size;
    memset(group, 0, sizeof group);
    memcpy(group, plane->v + i, plane->n - i);
    wcodeci_pack(group, width, dst + i / 8 * width, 64);
    return size;
}

/* The bits that the differences from the least value take, and that value, lowered until all of these bits fit the
 * plane; the plane's width where they are no fewer, 0 if there is one value only. */
static unsigned wcodeci_packed_width(const wcodeci_plane *plane, unsigned *least)
{
    const unsigned all = 1u << plane->width;
    unsigned most = all - 1, width = 0;
    for (*least = 0; !plane->count[*least]; ++*least) {}
    while (!plane->count[most]) most--;
    while ((most - *least) >> width) width++;
    if (*least > all - (1u << width)) *least = all - (1u << width);
    return width;
}

static size_t wcodeci_packed_size(const wcodeci_plane *plane)
{
    unsigned least, width = wcodeci_packed_width(plane, &least);
    return width == 0 || width >= plane->width ? 0 : WCODECI_PACKED_HEAD + wcodeci_raw_size(plane->n, width);
}

static size_t wcodeci_packed_encode(const wcodeci_plane *plane, wcodeci_byte *dst, size_t cap)
{
    const size_t size = wcodeci_packed_size(plane), n = plane->n;
    unsigned least, width = wcodeci_packed_width(plane, &least);
    size_t i, j;
    if (size == 0 || size > cap) return 0;
    *dst++ = (wcodeci_byte)least;
    *dst++ = (wcodeci_byte)width;
    for (i = 0; i < n; i += 64, dst += 8 * width) {
        wcodeci_byte group[64];
        memset(group, 0, sizeof group);
        for (j = 0; j < wcodeci_min(n - i, 64); j++) group[j] = (wcodeci_byte)(plane->v[i + j] - least);
        wcodeci_pack(group, width, dst, 64);
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
