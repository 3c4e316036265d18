/* ------------------------------------------------------------------------------------------------
 * Platform (private): what the compiler offers, bytes and integers, errors
 * ---------------------------------------------------------------------------------------------- */

#include <string.h>
#ifndef WCODEC_NO_MALLOC
#include <stdlib.h>
#endif

#if defined(__GNUC__) || defined(__clang__)
#define WCODECI_INLINE static inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define WCODECI_INLINE static __forceinline
#else
#define WCODECI_INLINE static inline
#endif

/* Has a line of memory fetched that will be read soon; any address will do. */
#if defined(__GNUC__) || defined(__clang__)
#define WCODECI_PREFETCH(p) __builtin_prefetch(p)
#else
#define WCODECI_PREFETCH(p) ((void)(p))
#endif

/* Little-endian machines load and store with one memcpy; all others byte by byte. */
#if (defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) || defined(_MSC_VER)
#define WCODECI_LITTLE 1
#else
#define WCODECI_LITTLE 0
#endif

typedef unsigned char wcodeci_byte;

WCODECI_INLINE unsigned wcodeci_load16(const wcodeci_byte *p)
{
#if WCODECI_LITTLE
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
#else
    return (unsigned)p[0] | (unsigned)p[1] << 8;
#endif
}

WCODECI_INLINE uint32_t wcodeci_load32(const wcodeci_byte *p)
{
#if WCODECI_LITTLE
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
#else
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
#endif
}

WCODECI_INLINE uint64_t wcodeci_load64(const wcodeci_byte *p)
{
#if WCODECI_LITTLE
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
#else
    return (uint64_t)wcodeci_load32(p) | (uint64_t)wcodeci_load32(p + 4) << 32;
#endif
}

WCODECI_INLINE void wcodeci_store16(wcodeci_byte *p, unsigned x)
{
#if WCODECI_LITTLE
    uint16_t v = (uint16_t)x;
    memcpy(p, &v, 2);
#else
    p[0] = (wcodeci_byte)x;
    p[1] = (wcodeci_byte)(x >> 8);
#endif
}

WCODECI_INLINE void wcodeci_store32(wcodeci_byte *p, uint32_t v)
{
#if WCODECI_LITTLE
    memcpy(p, &v, 4);
#else
    wcodeci_store16(p, (unsigned)(v & 0xFFFFu));
    wcodeci_store16(p + 2, (unsigned)(v >> 16));
#endif
}

WCODECI_INLINE void wcodeci_store64(wcodeci_byte *p, uint64_t v)
{
#if WCODECI_LITTLE
    memcpy(p, &v, 8);
#else
    wcodeci_store32(p, (uint32_t)v);
    wcodeci_store32(p + 4, (uint32_t)(v >> 32));
#endif
}

/* memcpy and memset that take NULL with size 0, as the public functions do. */
WCODECI_INLINE void wcodeci_copy(void *dst, const void *src, size_t size)
{
    if (size) memcpy(dst, src, size);
}

WCODECI_INLINE size_t wcodeci_min(size_t a, size_t b) { return a < b ? a : b; }
WCODECI_INLINE uint64_t wcodeci_min64(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Rounds up to a multiple of 8.  The caller's x is below 2^63. */
WCODECI_INLINE uint64_t wcodeci_up8(uint64_t x) { return (x + 7) & ~(uint64_t)7; }

/* *out = a * b unless that overflows 64 bits. */
static int wcodeci_mul(uint64_t a, uint64_t b, uint64_t *out)
{
    if (b && a > UINT64_MAX / b) return 0;
    *out = a * b;
    return 1;
}

/* *sum += b unless that overflows. */
static int wcodeci_add(uint64_t *sum, uint64_t b)
{
    if (b > UINT64_MAX - *sum) return 0;
    *sum += b;
    return 1;
}

/* Fills in the caller's error, if there is one, and hands the status on. */
static wcodec_status wcodeci_fail(wcodec_error *err, wcodec_status status, uint64_t offset, const char *what)
{
    if (err) {
        err->status = status;
        err->offset = offset;
        err->what = what;
    }
    return status;
}

/* A bounded reader of fields.  A field that is not there, or a varint that is not the shortest, sets
 * `bad`; values are then 0, so that a parser may look once, at the end of a group of fields. */
typedef struct wcodeci_cursor {
    const wcodeci_byte *p, *end;
    wcodec_status bad;
} wcodeci_cursor;

static wcodeci_cursor wcodeci_cursor_make(const wcodeci_byte *p, size_t size)
{
    wcodeci_cursor c;
    c.p = p;
    c.end = p + size;
    c.bad = WCODEC_OK;
    return c;
}

static const wcodeci_byte *wcodeci_take(wcodeci_cursor *c, size_t size)
{
    const wcodeci_byte *p = c->p;
    if (c->bad || (size_t)(c->end - p) < size) {
        if (!c->bad) c->bad = WCODEC_E_TRUNCATED;
        return NULL;
    }
    c->p += size;
    return p;
}

static unsigned wcodeci_take8(wcodeci_cursor *c)
{
    const wcodeci_byte *p = wcodeci_take(c, 1);
    return p ? *p : 0;
}

static uint32_t wcodeci_take32(wcodeci_cursor *c)
{
    const wcodeci_byte *p = wcodeci_take(c, 4);
    return p ? wcodeci_load32(p) : 0;
}

static uint64_t wcodeci_take_varint(wcodeci_cursor *c)
{
    uint64_t v = 0;
    unsigned shift = 0;
    for (;;) {
        const wcodeci_byte *p = wcodeci_take(c, 1);
        if (!p) return 0;
        v |= (uint64_t)(*p & 127) << shift;
        if (*p < 128) {
            /* The tenth byte holds bit 63 alone; a last byte of 0 would have been left out. */
            if ((shift == 63 && *p > 1) || (shift && *p == 0)) break;
            return v;
        }
        shift += 7;
        if (shift > 63) break;
    }
    c->bad = WCODEC_E_CORRUPT;
    return 0;
}

#ifndef WCODEC_NO_ENCODER
static size_t wcodeci_put_varint(wcodeci_byte *p, uint64_t v)
{
    size_t n = 0;
    for (; v >= 128; v >>= 7) p[n++] = (wcodeci_byte)(v | 128);
    p[n++] = (wcodeci_byte)v;
    return n;
}

static size_t wcodeci_varint_size(uint64_t v)
{
    size_t n = 1;
    while (v >>= 7) n++;
    return n;
}
#endif
