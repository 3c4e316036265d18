/* What the tests of tiles and containers share: data of many kinds for each dtype, and containers made
 * of it together with the bytes that must come back. */
#ifndef TEST_MAKE_H
#define TEST_MAKE_H

#include "test_util.h"

/* ---- data ---- */

typedef enum make_kind {
    MAKE_RANDOM,        /* all bits random */
    MAKE_CONSTANT,
    MAKE_WEIGHTS,       /* exponents as in weights, random mantissas */
    MAKE_SPECIAL,       /* NaN with payloads, infinities, subnormals, zeros of both signs */
    MAKE_RAMP,          /* counts up: for the predictor `left` */
    MAKE_ROWS,          /* each row nearly repeats the last one: for the predictor `up` */
    MAKE_SPARSE,        /* zeros but for one in fifty */
    MAKE_TWO,           /* two values */
    MAKE_EXPONENTS,     /* every exponent equally often */
    MAKE_RARE,          /* one unit differs from all others */
    MAKE_15, MAKE_16, MAKE_17,  /* so many different exponents, with random mantissas */
    MAKE_BYTES17,       /* 17 different bytes in all */
    MAKE_DOUBLING,      /* frequencies that halve from value to value: the longest Huffman codes */
    MAKE_KINDS
} make_kind;

static inline const char *make_kind_name(make_kind kind)
{
    static const char *const names[MAKE_KINDS] = {
        "random", "constant", "weights", "special", "ramp", "rows", "sparse", "two", "exponents", "rare",
        "15 values", "16 values", "17 values", "17 bytes", "doubling" };
    return names[kind];
}

/* Bytes that one step of the generator makes: an element, or a byte of packed elements. */
static inline unsigned make_unit(unsigned dtype)
{
    const unsigned bits = wcodec_dtype_bits(dtype);
    return dtype == WCODEC_C64 ? 4 : bits < 8 ? 1 : bits / 8;
}

/* Where the exponent of a dtype lies in its unit; the top byte of integers. */
static inline void make_field(unsigned dtype, unsigned *shift, unsigned *width)
{
    const unsigned bits = 8 * make_unit(dtype);
    *width = 8;
    *shift = bits - 8;
    if (dtype == WCODEC_BF16) *shift = 7;
    if (dtype == WCODEC_F32 || dtype == WCODEC_C64) *shift = 23;
    if (dtype == WCODEC_F16) *shift = 10, *width = 5;
    if (dtype == WCODEC_F64) *shift = 52, *width = 11;
    if (dtype == WCODEC_F8_E4M3 || dtype == WCODEC_F8_E4M3FNUZ) *shift = 3, *width = 4;
    if (dtype == WCODEC_F8_E5M2 || dtype == WCODEC_F8_E5M2FNUZ) *shift = 2, *width = 5;
    if (wcodec_dtype_bits(dtype) < 8) *shift = 0, *width = 4;
}

/* 0, 1, 2 ... with halving probability, at most `most`. */
static inline unsigned make_geometric(test_random *r, unsigned most)
{
    uint64_t bits = test_next(r);
    unsigned n = 0;
    while (n < most && (bits >> n & 1) != 0) n++;
    return n;
}

/* A unit with an exponent, other bits random. */
static inline uint64_t make_with_exponent(test_random *r, unsigned dtype, uint64_t exponent)
{
    unsigned shift, width;
    uint64_t mask;
    make_field(dtype, &shift, &width);
    mask = ((UINT64_C(1) << width) - 1) << shift;
    return (test_next(r) & ~mask) | ((exponent << shift) & mask);
}

/* The `i`th unit of a kind. */
static inline uint64_t make_value(test_random *r, make_kind kind, unsigned dtype, size_t i)
{
    static const uint64_t specials[] = { 0x7fc00001, 0xffbfffff, 0x7f800000, 0xff800000, 0x00000001,
                                         0x807fffff, 0x80000000, 0, 0x7fff7c00, 0xfc01ff81 };
    unsigned shift, width;
    make_field(dtype, &shift, &width);
    switch (kind) {
    case MAKE_RANDOM: return test_next(r);
    case MAKE_CONSTANT: return UINT64_C(0x3f80bf01bf800123);
    case MAKE_WEIGHTS: return make_with_exponent(r, dtype, (width == 11 ? 1020u : (7u << width) / 15) -
                                                 make_geometric(r, 12));
    case MAKE_SPECIAL: {
        const uint64_t x = specials[test_below(r, sizeof specials / sizeof *specials)];
        return make_unit(dtype) == 8 ? x << 32 | (test_next(r) & 1) : make_unit(dtype) < 4 ? x >> 16 : x;
    }
    case MAKE_RAMP: return 3 * (uint64_t)i + (test_next(r) & 1);
    case MAKE_SPARSE: return test_below(r, 50) == 0 ? test_next(r) : 0;
    case MAKE_TWO: return test_next(r) & 1 ? UINT64_C(0x1122334455667788) : UINT64_C(0x0102030405060708);
    case MAKE_EXPONENTS: return make_with_exponent(r, dtype, i);
    case MAKE_RARE: return i == 5 ? UINT64_C(0x4142434445464748) : UINT64_C(0x3132333435363738);
    case MAKE_15: return make_with_exponent(r, dtype, test_below(r, 15));
    case MAKE_16: return make_with_exponent(r, dtype, test_below(r, 16));
    case MAKE_17: return make_with_exponent(r, dtype, test_below(r, 17));
    case MAKE_BYTES17: return test_below(r, 17) * UINT64_C(0x0f0f0f0f0f0f0f0f);
    default: return make_with_exponent(r, dtype, make_geometric(r, 40));
    }
}

/* `size` bytes of a kind; a part of a unit at the end is cut off.  `row`: in units, for MAKE_ROWS. */
static inline void make_fill(test_random *r, make_kind kind, unsigned dtype, size_t row, unsigned char *dst,
                             size_t size)
{
    const unsigned unit = make_unit(dtype);
    size_t i, back = row * unit;
    for (i = 0; i < size; i++) {
        const uint64_t x = i % unit
            ? 0 : make_value(r, kind == MAKE_ROWS ? MAKE_WEIGHTS : kind, dtype, i / unit);
        unsigned b;
        for (b = 0; i % unit == 0 && b < unit && i + b < size; b++) dst[i + b] = (unsigned char)(x >> 8 * b);
        if (kind == MAKE_ROWS && i % unit == 0 && back != 0 && i >= back && test_below(r, 20) != 0)
            for (b = 0; b < unit && i + b < size; b++) dst[i + b] = dst[i + b - back];
    }
}

/* ---- containers ---- */

/* A container in the making: `out` is what the writer wrote, `view` what must come back. */
typedef struct make_container {
    wcodec_writer_options options;
    wcodec_writer *writer;
    test_sink out, view;
    test_random random;
} make_container;

static inline void make_init(make_container *c, uint64_t seed)
{
    memset(c, 0, sizeof *c);
    c->options = wcodec_writer_defaults();
    c->random = test_random_new(seed);
}

/* After the options are set. */
static inline void make_begin(make_container *c)
{
    const wcodec_sink sink = test_sink_of(&c->out);
    if (!CHECK_STATUS(wcodec_writer_open(&c->writer, &sink, &c->options, NULL),
                      WCODEC_OK)) test_die("no writer");
}

static inline void make_original(make_container *c, const char *name, int from_parts)
{
    (void)CHECK_STATUS(wcodec_writer_original(c->writer, name, strlen(name), from_parts, NULL), WCODEC_OK);
}

/* A segment with the data that is given, which goes in in pieces of any size. */
static inline void make_segment_of(make_container *c, const wcodec_segment *s, const unsigned char *data)
{
    size_t at = 0, size = (size_t)s->size;
    (void)CHECK_STATUS(wcodec_writer_segment(c->writer, s, NULL), WCODEC_OK);
    while (at < size) {
        const size_t part = test_below(&c->random, size - at + 1);
        (void)CHECK_STATUS(wcodec_writer_data(c->writer, data + at, part, NULL), WCODEC_OK);
        at += part;
    }
    (void)test_sink_write(&c->view, data, size);
}

/* A tensor of up to two dimensions (of one if `columns` is 0) with data of a kind. */
static inline void make_tensor(make_container *c, const char *name, unsigned dtype, uint64_t rows,
                               uint64_t columns, make_kind kind)
{
    uint64_t shape[2];
    wcodec_segment s;
    unsigned char *data;
    shape[0] = rows;
    shape[1] = columns;
    memset(&s, 0, sizeof s);
    s.name = name;
    s.name_size = strlen(name);
    s.dtype = dtype;
    s.rank = columns ? 2 : 1;
    s.shape = shape;
    s.size = rows * (columns ? columns : 1) * wcodec_dtype_bits(dtype) / 8;
    data = (unsigned char *)test_malloc((size_t)s.size);
    make_fill(&c->random, kind, dtype, (size_t)columns, data, (size_t)s.size);
    make_segment_of(c, &s, data);
    free(data);
}

/* Opaque bytes. */
static inline void make_bytes(make_container *c, const char *name, const void *data, size_t size)
{
    wcodec_segment s;
    memset(&s, 0, sizeof s);
    s.name = name;
    s.name_size = name ? strlen(name) : 0;
    s.dtype = WCODEC_BYTES;
    s.size = size;
    make_segment_of(c, &s, (const unsigned char *)data);
}

static inline void make_end(make_container *c)
{
    (void)CHECK_STATUS(wcodec_writer_finish(c->writer, NULL), WCODEC_OK);
    (void)CHECK_EQ(wcodec_writer_size(c->writer), c->out.size);
    wcodec_writer_close(c->writer);
    c->writer = NULL;
}

static inline void make_free(make_container *c)
{
    test_sink_free(&c->out);
    test_sink_free(&c->view);
}

/* ---- containers that many tests use ---- */

#define MAKE_SMALLS 6

/* Small containers, of some hundred bytes each, that differ in structure and coders. */
static inline void make_small(make_container *c, unsigned number)
{
    make_init(c, number + 1);
    c->options.tile_units = number == 4 ? 0 : 24;
    c->options.metadata = "{\"a\":1}";
    c->options.metadata_size = 7;
    if (number == 5) c->options.no_sha256 = 1;
    make_begin(c);
    switch (number) {
    case 0:             /* one original, several segments */
        make_original(c, "model.safetensors", 0);
        make_bytes(c, NULL, "header", 6);
        make_tensor(c, "weight", WCODEC_BF16, 6, 12, MAKE_WEIGHTS);
        make_tensor(c, "nothing", WCODEC_F32, 0, 3, MAKE_RANDOM);
        make_tensor(c, "bias", WCODEC_F32, 9, 0, MAKE_SPECIAL);
        make_bytes(c, NULL, "tail", 4);
        break;
    case 1:             /* several originals, one of them empty */
        make_original(c, "a", 0);
        make_tensor(c, "w", WCODEC_U8, 70, 0, MAKE_SPARSE);
        make_original(c, "", 0);
        make_original(c, "b", 1);
        make_tensor(c, "w", WCODEC_I4, 8, 6, MAKE_RANDOM);
        break;
    case 2:             /* rows that are longer than a tile */
        make_original(c, "rows", 1);
        make_tensor(c, "rows", WCODEC_F16, 3, 50, MAKE_WEIGHTS);
        break;
    case 3: break;      /* no original at all */
    case 4:             /* one tile with entropy coding */
        make_original(c, "tile", 0);
        make_tensor(c, "w", WCODEC_I8, 40, 20, MAKE_DOUBLING);
        break;
    default:
        make_original(c, "constant", 0);
        make_tensor(c, "w", WCODEC_F64, 30, 0, MAKE_CONSTANT);
        make_tensor(c, "v", WCODEC_U16, 10, 10, MAKE_RAMP);
    }
    make_end(c);
}

/* ---- reading all of a container ---- */

/* Opens and reads everything; on success *view has *size bytes, to be freed. */
static inline wcodec_status make_read_all_based(const void *data, size_t size,
                                                const wcodec_reader_options *options, unsigned char **view,
                                                size_t *view_size)
{
    const wcodec_source source = wcodec_source_memory(data, size);
    wcodec_reader *reader = NULL;
    wcodec_reader_info info;
    wcodec_status st = wcodec_reader_open(&reader, &source, options, NULL);
    void *scratch;
    *view = NULL;
    *view_size = 0;
    if (st != WCODEC_OK) return st;
    wcodec_reader_get_info(reader, &info);
    if (info.view_size > (uint64_t)1 << 30) {
        wcodec_reader_close(reader);
        return WCODEC_E_LIMIT;
    }
    *view_size = (size_t)info.view_size;
    *view = (unsigned char *)test_malloc(*view_size);
    scratch = test_malloc(wcodec_reader_scratch(reader));
    st = wcodec_read(reader, 0, *view, *view_size, scratch, wcodec_reader_scratch(reader), NULL);
    free(scratch);
    wcodec_reader_close(reader);
    if (st == WCODEC_OK) return st;
    free(*view);
    *view = NULL;
    return st;
}

static inline wcodec_status make_read_all(const void *data, size_t size, unsigned char **view,
                                          size_t *view_size)
{
    return make_read_all_based(data, size, NULL, view, view_size);
}

/* How a push decoder ended. */
typedef struct make_pushed {
    wcodec_status status;
    size_t taken, originals;
    test_sink bytes;
} make_pushed;

/* A wcodec_reread over a test_sink. */
static inline wcodec_status make_reread(void *user, uint64_t offset, void *dst, size_t size)
{
    const test_sink *sink = (const test_sink *)user;
    if (!CHECK(offset <= sink->size && size <= sink->size - offset)) return WCODEC_E_IO;
    memcpy(dst, sink->data + (size_t)offset, size);
    return WCODEC_OK;
}

/* Feeds a push decoder in steps of `in` and `out` bytes (0: sizes from `r`). */
static inline make_pushed make_push_all(const void *data, size_t size, size_t in, size_t out, test_random *r,
                                        const wcodec_reader_options *options)
{
    static unsigned char room[1 << 16];
    const unsigned char *src = (const unsigned char *)data;
    wcodec_reader_options again = options ? *options : wcodec_reader_defaults();
    wcodec_push *push = NULL;
    make_pushed p;
    memset(&p, 0, sizeof p);
    if (!again.reread.fn) {         /* what came out can be read again */
        again.reread.fn = make_reread;
        again.reread.user = &p.bytes;
    }
    p.status = wcodec_push_open(&push, &again, NULL);
    while (p.status >= 0 && p.status != WCODEC_END) {
        const size_t left = size - p.taken;
        size_t give = in ? in : test_below(r, (size_t)1 << test_below(r, 16));
        size_t most = out ? out : test_below(r, sizeof room), used = 0, made = 0;
        give = give < left ? give : left;
        p.status = wcodec_push_step(push, src + p.taken, give, &used, room, most, &made, NULL);
        if (!CHECK(used <= give && made <= most)) break;
        (void)test_sink_write(&p.bytes, room, made);
        p.taken += used;
        if (p.status == WCODEC_ORIGINAL) p.originals++;
        if (p.status == WCODEC_MORE_INPUT && !CHECK_EQ(used, give)) break;
        if (p.status == WCODEC_MORE_OUTPUT && !CHECK_EQ(made, most)) break;
        if (p.status == WCODEC_MORE_INPUT && p.taken == size) break;
        if (!CHECK(p.status != WCODEC_OK)) break;      /* a step never gives that */
    }
    wcodec_push_close(push);
    return p;
}

#endif
