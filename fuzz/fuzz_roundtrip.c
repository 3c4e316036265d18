/* Any data through the writer and back, by the reader and by the push decoder.  The input's last eight
 * bytes choose dtype, row, tile size, what the encoder may use, whether rows and columns are scaled and whether
 * there is a base, which is the data with some bytes changed; the rest is the data. */
#include "common.h"

#define TAIL 8

/* The data, repeated up to some size. */
static fuzz_bytes make_data(const uint8_t *data, size_t size, unsigned times)
{
    fuzz_bytes b = { NULL, 0, 0 };
    for (; times > 0 && b.size < (size_t)1 << 14; times--) fuzz_bytes_add(&b, data, size);
    return b;
}

/* Adds scales of rows and columns to the exponents of floating-point numbers of 16 or 32 bits. */
static void scale_data(const fuzz_bytes *b, unsigned dtype, unsigned row)
{
    const size_t unit = wcodec_dtype_bits(dtype) / 8;
    size_t i;
    if ((dtype != WCODEC_BF16 && dtype != WCODEC_F16 && dtype != WCODEC_F32) || row == 0) return;
    for (i = 0; (i + 1) * unit <= b->size; i++) {
        unsigned char *p = b->data + i * unit + unit - 2;       /* with sign and exponent */
        const unsigned shift = dtype == WCODEC_F16 ? 10 : 7, x = p[0] | (unsigned)p[1] << 8;
        const size_t up = i / row * 7 % 5 + i % row * 11 % 9;
        const unsigned y = x + ((unsigned)up << shift);
        p[0] = (unsigned char)y;
        p[1] = (unsigned char)(y >> 8);
    }
}

/* A base that is nearly the data, behind 3 bytes; nothing if the tail does not ask for one. */
static fuzz_bytes make_base(const fuzz_bytes *data, const uint8_t *tail)
{
    fuzz_bytes b = { NULL, 0, 0 };
    size_t i;
    if ((tail[2] & 64) == 0) return b;
    fuzz_bytes_add(&b, "ab", 3);
    fuzz_bytes_add(&b, data->data, data->size);
    for (i = 3; i < b.size; i += 1u + tail[5]) b.data[i] = (unsigned char)(b.data[i] + tail[7]);
    return b;
}

static wcodec_source source_of(fuzz_bytes *b, fuzz_random *r)
{
    wcodec_source source = wcodec_source_memory(b->data, b->size);
    if (fuzz_below(r, 2) == 0) return source;
    source.memory = NULL;
    source.read_at = fuzz_read_at;
    source.user = b;
    return source;
}

static wcodec_writer_options options_from(const uint8_t *tail, const wcodec_allocator *allocator)
{
    wcodec_writer_options o = wcodec_writer_defaults();
    o.allocator = allocator;
    o.max_memory = FUZZ_MAX_MEMORY;
    o.tile.coders = tail[1] | (tail[3] >> 6 & 1u) << WCODEC_CODER_LZ;
    o.tile.profile = (tail[3] >> 4 & 3u) % 3;
    o.tile.predictors = (tail[2] & 15u) | ((tail[2] & 15) != 0 ? (tail[2] & 64u) / 64 * 48 : 0);
    o.tile.splits = (tail[2] & 128) != 0 ? (1u << (tail[3] % WCODEC_SPLIT_COUNT)) : 0;
    o.tile_units = (tail[4] & 8) != 0 ? 0 : 32 + tail[5] * 8u;     /* 65536 takes megabytes, and time */
    o.no_sha256 = (tail[4] & 2) != 0;
    o.features = tail[4] & 16 ? 0 : WCODEC_FEATURE_BLOCKS;
    return o;
}

/* The dtype that a tail names: one of blocks from 200 on. */
static unsigned dtype_from(const uint8_t *tail)
{
    unsigned dtype = 64 + tail[0] % 43u, elements, bytes;
    if (tail[0] < 200) return tail[0] % 25u;
    return wcodec_dtype_block(dtype, &elements, &bytes) ? dtype : WCODEC_Q4_0;
}

/* Two segments: whole units of the dtype, and the bytes that are left. */
static void write_segments(wcodec_writer *writer, const fuzz_bytes *data, unsigned dtype, uint64_t row,
                           int has_base, fuzz_random *r)
{
    unsigned bits = wcodec_dtype_bits(dtype), elements, bytes;
    const int blocks = wcodec_dtype_block(dtype, &elements, &bytes);
    size_t unit = blocks ? bytes : bits < 8 ? 3 : bits / 8, head = data->size / unit * unit, part;
    uint64_t shape[2];
    int i;
    if (dtype == WCODEC_BYTES) head = data->size;
    for (i = 0; i < 2; i++) {
        size_t at = i == 0 ? 0 : head, end = i == 0 ? head : data->size;
        wcodec_segment s;
        memset(&s, 0, sizeof s);
        s.name = i == 0 ? "weights" : NULL;
        s.name_size = i == 0 ? 7 : 0;
        s.dtype = i == 0 ? dtype : WCODEC_BYTES;
        s.size = end - at;
        s.row = i == 0 ? row * (blocks ? bytes : 1) : 0;
        s.has_base = has_base;
        s.base_offset = 3 + at;
        if (s.dtype != WCODEC_BYTES) {
            s.rank = 1;
            shape[0] = blocks ? s.size / bytes * elements : s.size * 8 / bits;
            if (row != 0 && bits >= 8 && shape[0] % row == 0) {
                shape[0] /= row;
                shape[1] = row;
                s.rank = 2;
            }
            s.shape = shape;
        }
        FUZZ_REQUIRE(wcodec_writer_segment(writer, &s, NULL) == WCODEC_OK);
        for (; at < end; at += part) {
            part = 1 + fuzz_below(r, end - at);
            FUZZ_REQUIRE(wcodec_writer_data(writer, data->data + at, part, NULL) == WCODEC_OK);
        }
    }
}

static fuzz_bytes encode(const fuzz_bytes *data, fuzz_bytes *base, const uint8_t *tail, fuzz_random *r)
{
    fuzz_heap heap;
    wcodec_allocator allocator = fuzz_allocator(&heap);
    wcodec_writer_options options = options_from(tail, &allocator);
    fuzz_bytes out = { NULL, 0, 0 };
    const wcodec_source source = source_of(base, r);
    wcodec_base facts;
    wcodec_sink sink;
    wcodec_writer *writer = NULL;
    memset(&facts, 0, sizeof facts);
    facts.name = "base";
    facts.name_size = 4;
    facts.size = base->size;
    if (base->size != 0) {
        options.base = &source;
        options.base_facts = &facts;
    }
    options.cpu_off = fuzz_cpu_off(r);
    sink.write = fuzz_write;
    sink.user = &out;
    FUZZ_REQUIRE(wcodec_writer_open(&writer, &sink, &options, NULL) == WCODEC_OK);
    FUZZ_REQUIRE(wcodec_writer_original(writer, "data", 4, 0, NULL) == WCODEC_OK);
    write_segments(writer, data, dtype_from(tail), (tail[6] | (unsigned)(tail[7] & 15) << 8), base->size != 0, r);
    FUZZ_REQUIRE(wcodec_writer_finish(writer, NULL) == WCODEC_OK);
    FUZZ_REQUIRE(wcodec_writer_size(writer) == out.size);
    wcodec_writer_close(writer);
    FUZZ_REQUIRE(heap.live == 0);
    return out;
}

static void check_reader(const fuzz_bytes *container, const fuzz_bytes *data, const wcodec_reader_options *options)
{
    unsigned char *copy = fuzz_exact(container->data, container->size), *back, *scratch;
    wcodec_source source = wcodec_source_memory(copy, container->size);
    wcodec_reader *reader = NULL;
    wcodec_reader_info info;
    size_t scratch_size;
    FUZZ_REQUIRE(wcodec_reader_open(&reader, &source, options, NULL) == WCODEC_OK);
    wcodec_reader_get_info(reader, &info);
    FUZZ_REQUIRE(info.view_size == data->size && info.segments == 2 && info.originals == 1);
    scratch_size = wcodec_reader_scratch(reader);
    scratch = fuzz_exact(NULL, scratch_size);
    back = fuzz_exact(NULL, data->size);
    FUZZ_REQUIRE(wcodec_read(reader, 0, back, data->size, scratch, scratch_size, NULL) == WCODEC_OK);
    FUZZ_REQUIRE(data->size == 0 || memcmp(back, data->data, data->size) == 0);
    wcodec_reader_close(reader);
    free(scratch);
    free(back);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_random r = fuzz_random_from(data, size);
    fuzz_random other = { 1 };
    fuzz_bytes bytes, base, container, pushed = { NULL, 0, 0 };
    wcodec_reader_options options = wcodec_reader_defaults();
    wcodec_source source;
    size_t taken, originals;
    const uint8_t *tail;
    if (size < TAIL) return 0;
    tail = data + size - TAIL;
    bytes = make_data(data, size - TAIL, 1u + (tail[4] & 4 ? tail[7] : 0));
    if ((tail[3] & 64) && tail[0] < 200) scale_data(&bytes, tail[0] % 25u, tail[6] | (unsigned)(tail[7] & 15) << 8);
    base = make_base(&bytes, tail);
    source = source_of(&base, &r);
    if (base.size != 0) options.base = &source;
    container = encode(&bytes, &base, tail, &r);
    if (fuzz_below(&r, 4) == 0) {       /* in other pieces; encoding is what takes the time */
        fuzz_bytes again = encode(&bytes, &base, tail, &other);
        FUZZ_REQUIRE(container.size == again.size && memcmp(container.data, again.data, again.size) == 0);
        free(again.data);
    }
    check_reader(&container, &bytes, &options);
    FUZZ_REQUIRE(fuzz_push_all(container.data, container.size, &options, &r, &pushed, &taken, &originals)
                 == WCODEC_END);
    FUZZ_REQUIRE(taken == container.size && originals == 1 && pushed.size == bytes.size);
    FUZZ_REQUIRE(bytes.size == 0 || memcmp(pushed.data, bytes.data, bytes.size) == 0);
    free(bytes.data);
    free(base.data);
    free(container.data);
    free(pushed.data);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    (void)seed;
    return LLVMFuzzerMutate(data, size, max_size);
}
