/* The codecs that wcodec is compared with.  Each is there if HAVE_... says so (see native.py, which looks);
 * one that is not keeps its name and the package that brings it, so that it can be listed as skipped.
 * Contexts are made once and used again wherever a library has them. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* ---- memcpy: the measure of all the others ---- */

static const char *memcpy_version(void)
{
    return "libc";
}

static size_t plain_bound(const bench_setup *setup, size_t size)
{
    (void)setup;
    return size;
}

static void *memcpy_open(const bench_setup *setup, size_t block)
{
    (void)block;
    return bench_pool_open(setup->threads);
}

static size_t memcpy_encode(void *self, const unsigned char *src, size_t size, unsigned char *dst,
                            size_t room)
{
    (void)room;
    bench_pool_copy((bench_pool *)self, dst, src, size);
    return size;
}

static int memcpy_decode(void *self, const unsigned char *src, size_t packed, unsigned char *dst, size_t size)
{
    bench_pool_copy((bench_pool *)self, dst, src, packed);
    return packed == size;
}

static void memcpy_close(void *self)
{
    bench_pool_close((bench_pool *)self);
}

/* ---- planes, for zstd: loops that the compiler turns into vector code ---- */

enum { SPLIT_NONE, SPLIT_BYTES, SPLIT_BF16 };

#define PLANE_BLOCK ((size_t)1 << 20)       /* split at a time, so that the planes stay in the cache */

#ifdef HAVE_ZSTD

/* The exponent's 8 bits; sign and mantissa. */
static void split_bf16(const unsigned char *src, size_t n, unsigned char *planes)
{
    unsigned char *exponent = planes, *rest = planes + n;
    size_t i;
    for (i = 0; i < n; i++) {
        unsigned lo = src[2 * i], hi = src[2 * i + 1];
        exponent[i] = (unsigned char)(hi << 1 | lo >> 7);
        rest[i] = (unsigned char)((hi & 0x80u) | (lo & 0x7Fu));
    }
}

static void merge_bf16(const unsigned char *planes, size_t n, unsigned char *dst)
{
    const unsigned char *exponent = planes, *rest = planes + n;
    size_t i;
    for (i = 0; i < n; i++) {
        dst[2 * i] = (unsigned char)((unsigned)exponent[i] << 7 | (rest[i] & 0x7Fu));
        dst[2 * i + 1] = (unsigned char)((rest[i] & 0x80u) | exponent[i] >> 1);
    }
}

static void split_bytes(const unsigned char *src, size_t n, unsigned typesize, unsigned char *planes)
{
    size_t i;
    unsigned b;
    if (typesize == 2) {
        for (i = 0; i < n; i++) {
            planes[i] = src[2 * i];
            planes[n + i] = src[2 * i + 1];
        }
        return;
    }
    for (b = 0; b < typesize; b++) {
        for (i = 0; i < n; i++) planes[b * n + i] = src[typesize * i + b];
    }
}

static void merge_bytes(const unsigned char *planes, size_t n, unsigned typesize, unsigned char *dst)
{
    size_t i;
    if (typesize == 2) {
        for (i = 0; i < n; i++) {
            dst[2 * i] = planes[i];
            dst[2 * i + 1] = planes[n + i];
        }
    } else if (typesize == 4) {
        for (i = 0; i < n; i++) {
            dst[4 * i] = planes[i];
            dst[4 * i + 1] = planes[n + i];
            dst[4 * i + 2] = planes[2 * n + i];
            dst[4 * i + 3] = planes[3 * n + i];
        }
    } else {
        memcpy(dst, planes, n);
    }
}

/* ---- zstd: plain, or a frame a plane of each PLANE_BLOCK, after four bytes of its size ---- */

#include <zstd.h>

typedef struct zstd_self {
    ZSTD_CCtx *encoder;
    ZSTD_DCtx *decoder;
    unsigned char *planes;
    int level, split;
    unsigned typesize;
} zstd_self;

static void zstd_close(void *user)
{
    zstd_self *self = (zstd_self *)user;
    ZSTD_freeCCtx(self->encoder);
    ZSTD_freeDCtx(self->decoder);
    free(self->planes);
    free(self);
}

static void *zstd_open(const bench_setup *setup, size_t block)
{
    zstd_self *self;
    if (block % setup->typesize != 0) return NULL;
    self = (zstd_self *)calloc(1, sizeof *self);
    if (self == NULL) return NULL;
    self->encoder = ZSTD_createCCtx();
    self->decoder = ZSTD_createDCtx();
    self->planes = (unsigned char *)bench_touched(PLANE_BLOCK);
    self->level = setup->level;
    self->split = setup->filter;
    self->typesize = setup->typesize;
    return self;
}

static size_t zstd_bound(const bench_setup *setup, size_t size)
{
    return ZSTD_compressBound(size) + (size / PLANE_BLOCK + 1) * 256 * setup->typesize;
}

static size_t zstd_planes(zstd_self *self, size_t size, unsigned char *dst, size_t room)
{
    size_t plane = size / self->typesize, at = 0, i;
    for (i = 0; i < self->typesize; i++) {
        size_t got = ZSTD_compressCCtx(self->encoder, dst + at + 4, room - at - 4, self->planes + i * plane,
                                       plane, self->level);
        if (ZSTD_isError(got)) return 0;
        dst[at] = (unsigned char)got;
        dst[at + 1] = (unsigned char)(got >> 8);
        dst[at + 2] = (unsigned char)(got >> 16);
        dst[at + 3] = (unsigned char)(got >> 24);
        at += 4 + got;
    }
    return at;
}

static size_t zstd_encode(void *user, const unsigned char *src, size_t size, unsigned char *dst,
                          size_t room)
{
    zstd_self *self = (zstd_self *)user;
    size_t at = 0, packed = 0;
    if (self->split == SPLIT_NONE) {
        packed = ZSTD_compressCCtx(self->encoder, dst, room, src, size, self->level);
        return ZSTD_isError(packed) ? 0 : packed;
    }
    while (at < size) {
        size_t part = size - at < PLANE_BLOCK ? size - at : PLANE_BLOCK, got;
        size_t n = part / self->typesize;
        if (self->split == SPLIT_BF16) split_bf16(src + at, n, self->planes);
        else split_bytes(src + at, n, self->typesize, self->planes);
        got = zstd_planes(self, part, dst + packed, room - packed);
        if (got == 0) return 0;
        packed += got;
        at += part;
    }
    return packed;
}

static size_t zstd_unplanes(zstd_self *self, const unsigned char *src, size_t packed, size_t size)
{
    size_t plane = size / self->typesize, at = 0, i;
    for (i = 0; i < self->typesize; i++) {
        size_t got;
        if (packed - at < 4) return 0;
        got = src[at] | (size_t)src[at + 1] << 8 | (size_t)src[at + 2] << 16 | (size_t)src[at + 3] << 24;
        if (packed - at - 4 < got) return 0;
        if (ZSTD_decompressDCtx(self->decoder, self->planes + i * plane, plane, src + at + 4, got) != plane) {
            return 0;
        }
        at += 4 + got;
    }
    return at;
}

static int zstd_decode(void *user, const unsigned char *src, size_t packed, unsigned char *dst, size_t size)
{
    zstd_self *self = (zstd_self *)user;
    size_t at = 0, used = 0;
    if (self->split == SPLIT_NONE) return ZSTD_decompressDCtx(self->decoder, dst, size, src, packed) == size;
    while (at < size) {
        size_t part = size - at < PLANE_BLOCK ? size - at : PLANE_BLOCK;
        size_t got = zstd_unplanes(self, src + used, packed - used, part);
        if (got == 0) return 0;
        if (self->split == SPLIT_BF16) merge_bf16(self->planes, part / 2, dst + at);
        else merge_bytes(self->planes, part / self->typesize, self->typesize, dst + at);
        used += got;
        at += part;
    }
    return used == packed;
}
#endif

/* ---- codecs that need no context: `self` is a copy of the setup ---- */

#if defined(HAVE_LZ4) || defined(HAVE_ZLIB) || defined(HAVE_BZIP2) || defined(HAVE_LZMA)
static void *setup_open(const bench_setup *setup, size_t block)
{
    bench_setup *self;
    if (block > 0x7E000000u) return NULL;       /* sizes are int in most of them */
    self = (bench_setup *)malloc(sizeof *self);
    if (self != NULL) *self = *setup;
    return self;
}
#endif

#ifdef HAVE_LZ4
#include <lz4.h>

static size_t lz4_bound(const bench_setup *setup, size_t size)
{
    (void)setup;
    return (size_t)LZ4_compressBound((int)size);
}

static size_t lz4_encode(void *user, const unsigned char *src, size_t size, unsigned char *dst,
                         size_t room)
{
    int capacity = room > 0x7FFFFFFF ? 0x7FFFFFFF : (int)room, got;
    (void)user;
    got = LZ4_compress_default((const char *)src, (char *)dst, (int)size, capacity);
    return got > 0 ? (size_t)got : 0;
}

static int lz4_decode(void *user, const unsigned char *src, size_t packed, unsigned char *dst, size_t size)
{
    (void)user;
    return LZ4_decompress_safe((const char *)src, (char *)dst, (int)packed, (int)size) == (int)size;
}
#endif

#ifdef HAVE_ZLIB
#include <zlib.h>

static size_t zlib_bound(const bench_setup *setup, size_t size)
{
    (void)setup;
    return compressBound((uLong)size);
}

static size_t zlib_encode(void *user, const unsigned char *src, size_t size, unsigned char *dst,
                          size_t room)
{
    const bench_setup *self = (const bench_setup *)user;
    uLongf got = (uLongf)room;
    return compress2(dst, &got, src, (uLong)size, self->level) == Z_OK ? (size_t)got : 0;
}

static int zlib_decode(void *user, const unsigned char *src, size_t packed, unsigned char *dst, size_t size)
{
    uLongf got = (uLongf)size;
    (void)user;
    return uncompress(dst, &got, src, (uLong)packed) == Z_OK && got == size;
}
#endif

#ifdef HAVE_BZIP2
#include <bzlib.h>

static size_t bzip2_bound(const bench_setup *setup, size_t size)
{
    (void)setup;
    return size + size / 100 + 600;
}

/* The library takes its input as char *, though it does not write to it. */
static char *bzip2_input(const unsigned char *src)
{
    union { const unsigned char *in; char *out; } pointer;
    pointer.in = src;
    return pointer.out;
}

static size_t bzip2_encode(void *user, const unsigned char *src, size_t size, unsigned char *dst,
                           size_t room)
{
    const bench_setup *self = (const bench_setup *)user;
    unsigned got = (unsigned)room;
    int status = BZ2_bzBuffToBuffCompress((char *)dst, &got, bzip2_input(src), (unsigned)size, self->level, 0,
                                          0);
    return status == BZ_OK ? got : 0;
}

static int bzip2_decode(void *user, const unsigned char *src, size_t packed, unsigned char *dst, size_t size)
{
    unsigned got = (unsigned)size;
    (void)user;
    return BZ2_bzBuffToBuffDecompress((char *)dst, &got, bzip2_input(src), (unsigned)packed, 0, 0) == BZ_OK
           && got == size;
}
#endif

#ifdef HAVE_LZMA
#include <lzma.h>

static size_t xz_bound(const bench_setup *setup, size_t size)
{
    (void)setup;
    return lzma_stream_buffer_bound(size);
}

/* No check value, since most of the others have none. */
static size_t xz_encode(void *user, const unsigned char *src, size_t size, unsigned char *dst,
                        size_t room)
{
    const bench_setup *self = (const bench_setup *)user;
    size_t got = 0;
    lzma_ret status = lzma_easy_buffer_encode((uint32_t)self->level, LZMA_CHECK_NONE, NULL, src, size, dst,
                                              &got, room);
    return status == LZMA_OK ? got : 0;
}

static int xz_decode(void *user, const unsigned char *src, size_t packed, unsigned char *dst, size_t size)
{
    uint64_t limit = UINT64_MAX;
    size_t used = 0, got = 0;
    (void)user;
    return lzma_stream_buffer_decode(&limit, 0, NULL, src, &used, packed, dst, &got, size) == LZMA_OK
           && got == size;
}
#endif

/* ---- Blosc2 ---- */

#ifdef HAVE_BLOSC2
#include <blosc2.h>
#include <blosc2/filters-registry.h>

enum { BLOSC_SHUFFLED = 1, BLOSC_BITSHUFFLED, BLOSC_BYTEDELTA, BLOSC_WITH_LZ4 = 16 };

typedef struct blosc2_self {
    blosc2_context *encoder, *decoder;
} blosc2_self;

static void blosc2_close(void *user)
{
    blosc2_self *self = (blosc2_self *)user;
    if (self->encoder != NULL) blosc2_free_ctx(self->encoder);
    if (self->decoder != NULL) blosc2_free_ctx(self->decoder);
    free(self);
}

static void blosc2_chain(blosc2_cparams *params, int filter, unsigned typesize)
{
    memset(params->filters, 0, sizeof params->filters);
    if (filter == BLOSC_BITSHUFFLED) {
        params->filters[BLOSC2_MAX_FILTERS - 1] = BLOSC_BITSHUFFLE;
    } else if (filter == BLOSC_BYTEDELTA) {
        params->filters[BLOSC2_MAX_FILTERS - 2] = BLOSC_SHUFFLE;
        params->filters[BLOSC2_MAX_FILTERS - 1] = BLOSC_FILTER_BYTEDELTA;
        params->filters_meta[BLOSC2_MAX_FILTERS - 1] = (uint8_t)typesize;
    } else {
        params->filters[BLOSC2_MAX_FILTERS - 1] = BLOSC_SHUFFLE;
    }
}

static void *blosc2_open(const bench_setup *setup, size_t block)
{
    blosc2_self *self;
    blosc2_cparams cparams = BLOSC2_CPARAMS_DEFAULTS;
    blosc2_dparams dparams = BLOSC2_DPARAMS_DEFAULTS;
    if (block > BLOSC2_MAX_BUFFERSIZE) return NULL;
    self = (blosc2_self *)calloc(1, sizeof *self);
    if (self == NULL) return NULL;
    blosc2_init();
    cparams.compcode = setup->filter & BLOSC_WITH_LZ4 ? BLOSC_LZ4 : BLOSC_ZSTD;
    cparams.clevel = (uint8_t)setup->level;
    cparams.typesize = (int32_t)setup->typesize;
    cparams.nthreads = (int16_t)setup->threads;
    dparams.nthreads = (int16_t)setup->threads;
    blosc2_chain(&cparams, setup->filter & ~BLOSC_WITH_LZ4, setup->typesize);
    self->encoder = blosc2_create_cctx(cparams);
    self->decoder = blosc2_create_dctx(dparams);
    if (self->encoder != NULL && self->decoder != NULL) return self;
    blosc2_close(self);
    return NULL;
}

static size_t blosc2_bound(const bench_setup *setup, size_t size)
{
    (void)setup;
    return size + BLOSC2_MAX_OVERHEAD;
}

static size_t blosc2_encode(void *user, const unsigned char *src, size_t size, unsigned char *dst,
                            size_t room)
{
    blosc2_self *self = (blosc2_self *)user;
    int32_t capacity = room > 0x7FFFFFFF ? 0x7FFFFFFF : (int32_t)room;
    int got = blosc2_compress_ctx(self->encoder, src, (int32_t)size, dst, capacity);
    return got > 0 ? (size_t)got : 0;
}

static int blosc2_decode(void *user, const unsigned char *src, size_t packed, unsigned char *dst, size_t size)
{
    blosc2_self *self = (blosc2_self *)user;
    return blosc2_decompress_ctx(self->decoder, src, (int32_t)packed, dst, (int32_t)size) == (int)size;
}
#endif

/* ---- zfp and fpzip: fields of FP32; BF16 is widened before and narrowed after, which is timed too ---- */

#if defined(HAVE_ZFP) || defined(HAVE_FPZIP)
typedef struct field_self {
    float *wide;
    size_t width;
    unsigned typesize;
} field_self;

static void *field_open(const bench_setup *setup, size_t block)
{
    field_self *self;
    if (setup->typesize != 4 && setup->filter == 0) return NULL;
    self = (field_self *)calloc(1, sizeof *self);
    if (self == NULL) return NULL;
    self->typesize = setup->typesize;
    self->width = setup->width;
    if (self->typesize == 2) self->wide = (float *)bench_touched(2 * block);
    else self->wide = (float *)bench_touched(block);
    return self;
}

static void field_close(void *user)
{
    field_self *self = (field_self *)user;
    free(self->wide);
    free(self);
}

/* Rows of `width`, or one long row where that does not fit. */
static void field_shape(const field_self *self, size_t size, size_t *nx, size_t *ny)
{
    size_t n = size / self->typesize;
    *nx = self->width != 0 && n % self->width == 0 ? self->width : n;
    *ny = n / *nx;
}

static float *field_widen(field_self *self, const unsigned char *src, size_t size)
{
    unsigned char *wide = (unsigned char *)self->wide;
    size_t i;
    if (self->typesize == 4) {
        memcpy(wide, src, size);
        return self->wide;
    }
    for (i = 0; i < size / 2; i++) {
        uint32_t bits = (uint32_t)src[2 * i] << 16 | (uint32_t)src[2 * i + 1] << 24;
        memcpy(wide + 4 * i, &bits, 4);
    }
    return self->wide;
}

static void field_narrow(const field_self *self, unsigned char *dst, size_t size)
{
    const unsigned char *wide = (const unsigned char *)self->wide;
    size_t i;
    if (self->typesize == 4) {
        memcpy(dst, wide, size);
        return;
    }
    for (i = 0; i < size / 2; i++) {
        uint32_t bits;
        memcpy(&bits, wide + 4 * i, 4);
        dst[2 * i] = (unsigned char)(bits >> 16);
        dst[2 * i + 1] = (unsigned char)(bits >> 24);
    }
}

static size_t field_bound(const bench_setup *setup, size_t size)
{
    (void)setup;
    return 3 * size + 65536;
}
#endif

#ifdef HAVE_ZFP
#include <zfp.h>

static size_t zfp_code(field_self *self, unsigned char *packed, size_t room, size_t size, int decode)
{
    size_t nx, ny, got;
    bitstream *bits = stream_open(packed, room);
    zfp_stream *stream = zfp_stream_open(bits);
    zfp_field *field;
    field_shape(self, size, &nx, &ny);
    if (ny > 1) field = zfp_field_2d(self->wide, zfp_type_float, nx, ny);
    else field = zfp_field_1d(self->wide, zfp_type_float, nx);
    zfp_stream_set_reversible(stream);
    zfp_stream_rewind(stream);
    got = decode ? zfp_decompress(stream, field) : zfp_compress(stream, field);
    zfp_field_free(field);
    zfp_stream_close(stream);
    stream_close(bits);
    return got;
}

static size_t zfp_encode(void *user, const unsigned char *src, size_t size, unsigned char *dst,
                         size_t room)
{
    field_self *self = (field_self *)user;
    field_widen(self, src, size);
    return zfp_code(self, dst, room, size, 0);
}

/* zfp takes its input as memory that it may write to, though decoding does not. */
static int zfp_decode(void *user, const unsigned char *src, size_t packed, unsigned char *dst, size_t size)
{
    field_self *self = (field_self *)user;
    union { const unsigned char *in; unsigned char *out; } pointer;
    pointer.in = src;
    if (zfp_code(self, pointer.out, packed, size, 1) == 0) return 0;
    field_narrow(self, dst, size);
    return 1;
}

static const char *zfp_text(void)
{
    return ZFP_VERSION_STRING;
}
#endif

#ifdef HAVE_FPZIP
#include <fpzip.h>

static void fpzip_shape(const field_self *self, FPZ *z, size_t size)
{
    size_t nx, ny;
    field_shape(self, size, &nx, &ny);
    z->type = FPZIP_TYPE_FLOAT;
    z->prec = self->typesize == 4 ? 0 : 16;     /* all bits; widened BF16 has no more than these */
    z->nx = (int)nx;
    z->ny = (int)ny;
    z->nz = 1;
    z->nf = 1;
}

static size_t fpzip_encode(void *user, const unsigned char *src, size_t size, unsigned char *dst,
                           size_t room)
{
    field_self *self = (field_self *)user;
    size_t got;
    FPZ *z = fpzip_write_to_buffer(dst, room);
    fpzip_shape(self, z, size);
    got = fpzip_write(z, field_widen(self, src, size));
    fpzip_write_close(z);
    return got;
}

static int fpzip_decode(void *user, const unsigned char *src, size_t packed, unsigned char *dst, size_t size)
{
    field_self *self = (field_self *)user;
    FPZ *z = fpzip_read_from_buffer(src);
    size_t got;
    (void)packed;
    fpzip_shape(self, z, size);
    got = fpzip_read(z, self->wide);
    fpzip_read_close(z);
    field_narrow(self, dst, size);
    return got != 0;
}

static const char *fpzip_text(void)
{
    return FPZIP_VERSION_STRING;
}
#endif

/* ---- the table ---- */

#define MISSING NULL, NULL, NULL, NULL, NULL, NULL

const bench_blocks bench_peers[] = {
    { "memcpy", "", memcpy_version, memcpy_open, plain_bound, memcpy_encode, memcpy_decode, memcpy_close },
#ifdef HAVE_ZSTD
    { "zstd", "libzstd-dev", ZSTD_versionString, zstd_open, zstd_bound, zstd_encode, zstd_decode,
      zstd_close },
#else
    { "zstd", "libzstd-dev", MISSING },
#endif
#ifdef HAVE_LZ4
    { "lz4", "liblz4-dev", LZ4_versionString, setup_open, lz4_bound, lz4_encode, lz4_decode, free },
#else
    { "lz4", "liblz4-dev", MISSING },
#endif
#ifdef HAVE_ZLIB
    { "zlib", "zlib1g-dev", zlibVersion, setup_open, zlib_bound, zlib_encode, zlib_decode, free },
#else
    { "zlib", "zlib1g-dev", MISSING },
#endif
#ifdef HAVE_BZIP2
    { "bzip2", "libbz2-dev", BZ2_bzlibVersion, setup_open, bzip2_bound, bzip2_encode, bzip2_decode, free },
#else
    { "bzip2", "libbz2-dev", MISSING },
#endif
#ifdef HAVE_LZMA
    { "xz", "liblzma-dev", lzma_version_string, setup_open, xz_bound, xz_encode, xz_decode, free },
#else
    { "xz", "liblzma-dev", MISSING },
#endif
#ifdef HAVE_BLOSC2
    { "blosc2", "blosc2 (PyPI)", blosc2_get_version_string, blosc2_open, blosc2_bound, blosc2_encode,
      blosc2_decode, blosc2_close },
#else
    { "blosc2", "blosc2 (PyPI)", MISSING },
#endif
#ifdef HAVE_ZFP
    { "zfp", "libzfp-dev", zfp_text, field_open, field_bound, zfp_encode, zfp_decode, field_close },
#else
    { "zfp", "libzfp-dev", MISSING },
#endif
#ifdef HAVE_FPZIP
    { "fpzip", "libfpzip-dev", fpzip_text, field_open, field_bound, fpzip_encode, fpzip_decode, field_close },
#else
    { "fpzip", "libfpzip-dev", MISSING },
#endif
};
const size_t bench_peer_count = sizeof bench_peers / sizeof bench_peers[0];
