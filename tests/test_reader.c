/* Layer 2, the reader: every way to get at the bytes of a container against the bytes that went in. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

/* A reader over a made container, with scratch memory that ends at a guard page. */
typedef struct opened {
    wcodec_reader *reader;
    wcodec_reader_info info;
    test_guard scratch;
} opened;

static int open_reader(opened *o, const test_sink *container, const wcodec_reader_options *options)
{
    const wcodec_source source = wcodec_source_memory(container->data, container->size);
    wcodec_error err;
    memset(o, 0, sizeof *o);
    memset(&err, 0, sizeof err);
    if (!CHECK_STATUS(wcodec_reader_open(&o->reader, &source, options, &err), WCODEC_OK)) {
        printf("  %s at %llu\n", err.what ? err.what : "?", (unsigned long long)err.offset);
        return 0;
    }
    wcodec_reader_get_info(o->reader, &o->info);
    o->scratch = test_guard_new(wcodec_reader_scratch(o->reader));
    return 1;
}

static void close_reader(opened *o)
{
    if (o->reader != NULL) test_guard_free(&o->scratch);
    wcodec_reader_close(o->reader);
}

static wcodec_status read_range(const opened *o, uint64_t offset, void *dst, size_t size)
{
    return wcodec_read(o->reader, offset, dst, size, o->scratch.data, o->scratch.size, NULL);
}

/* A container with one tensor of each dtype and odd shapes; some 300 KB of data. */
static void make_large(make_container *c, uint32_t tile_units)
{
    unsigned dtype;
    char name[32];
    make_init(c, 77);
    c->options.tile_units = tile_units;
    make_begin(c);
    make_original(c, "large", 1);
    for (dtype = 1; dtype <= WCODEC_U4; dtype++) {
        snprintf(name, sizeof name, "tensor %u", dtype);
        make_tensor(c, name, dtype, 40 + dtype, 72, (make_kind)(dtype % MAKE_KINDS));
        make_tensor(c, "", dtype, 2, dtype * 40, MAKE_WEIGHTS);
    }
    make_end(c);
}

/* ---- ranges ---- */

/* Every offset with every size; the destination ends at a guard page. */
static void all_ranges_of(make_container *c)
{
    opened o;
    uint64_t offset, size;
    const uint64_t step = c->view.size > 320 ? 37 : 1;
    test_guard dst;
    unsigned bad = 0;
    if (!open_reader(&o, &c->out, NULL)) return;
    CHECK_EQ(o.info.view_size, c->view.size);
    dst = test_guard_new(c->view.size);
    for (offset = 0; offset <= c->view.size; offset++)
        for (size = offset % step; size <= c->view.size - offset; size += step) {
            unsigned char *at = dst.data + (c->view.size - size);
            if (read_range(&o, offset, at, (size_t)size) != WCODEC_OK) bad++;
            else if (size != 0 && memcmp(at, c->view.data + offset, (size_t)size) != 0) bad++;
        }
    CHECK_EQ(bad, 0);
    test_guard_free(&dst);
    close_reader(&o);
}

static void all_ranges(void)
{
    unsigned number;
    for (number = 0; number < MAKE_SMALLS; number++) {
        make_container c;
        make_small(&c, number);
        test_note("small container %u", number);
        all_ranges_of(&c);
        make_free(&c);
    }
}

static void random_ranges(void)
{
    static const uint32_t tile_units[] = { 100, 1000, 0 };
    test_random r = test_random_new(5);
    unsigned char *dst;
    size_t k, i;
    for (k = 0; k < 3; k++) {
        make_container c;
        opened o;
        make_large(&c, tile_units[k]);
        dst = (unsigned char *)test_malloc(c.view.size);
        if (open_reader(&o, &c.out, NULL)) {
            REQUIRE_OK(read_range(&o, 0, dst, c.view.size));
            CHECK_MEM(dst, c.view.data, c.view.size);
            for (i = 0; i < 400; i++) {
                const size_t at = test_below(&r, c.view.size);
                const size_t most = test_below(&r, 4) ? 3000 : c.view.size;
                const size_t left = c.view.size - at, n = test_below(&r, (left < most ? left : most) + 1);
                test_note("%zu bytes at %zu, tiles of %u", n, at, (unsigned)tile_units[k]);
                CHECK_STATUS(read_range(&o, at, dst, n), WCODEC_OK);
                CHECK_MEM(dst, c.view.data + at, n);
            }
        }
        close_reader(&o);
        free(dst);
        make_free(&c);
    }
}

/* ---- segments, rows, originals, names ---- */

static void segments_and_rows(void)
{
    make_container c;
    opened o;
    size_t i;
    uint64_t end = 0, begin, stop;
    wcodec_segment s;
    make_large(&c, 100);
    if (!open_reader(&o, &c.out, NULL)) return;
    memset(&s, 0, sizeof s);
    for (i = 0; i < o.info.segments; i++) {
        unsigned char *dst;
        unsigned slices = 0;
        REQUIRE_OK(wcodec_reader_segment(o.reader, i, &s));
        test_note("segment %zu, %s", i, wcodec_dtype_name(s.dtype));
        CHECK_EQ(s.offset, end);
        CHECK(s.rank == 2 && s.row >= 1);
        CHECK_EQ(s.size, s.shape[0] * s.shape[1] * wcodec_dtype_bits(s.dtype) / 8);
        dst = (unsigned char *)test_malloc((size_t)s.size);
        CHECK_STATUS(wcodec_read_segment(o.reader, i, dst, (size_t)s.size, o.scratch.data, o.scratch.size,
                                         NULL),
                     WCODEC_OK);
        CHECK_MEM(dst, c.view.data + end, (size_t)s.size);
        for (begin = 0; begin <= s.shape[0]; begin++)
            for (stop = begin; stop <= s.shape[0]; stop += 1 + stop % 3) {
                uint64_t offset, size;
                const uint64_t first = begin * s.shape[1] * wcodec_dtype_bits(s.dtype);
                const uint64_t last = stop * s.shape[1] * wcodec_dtype_bits(s.dtype);
                const wcodec_status st = wcodec_rows_range(&s, begin, stop, &offset, &size);
                if (first % 8 != 0 || last % 8 != 0) {
                    CHECK_STATUS(st, WCODEC_E_ARGUMENT);
                    continue;
                }
                if (!CHECK_STATUS(st, WCODEC_OK)) continue;
                CHECK(offset == first / 8 && size == (last - first) / 8);
                CHECK_STATUS(wcodec_read_rows(o.reader, i, begin, stop, dst, (size_t)size, o.scratch.data,
                                              o.scratch.size, NULL), WCODEC_OK);
                CHECK_MEM(dst, c.view.data + end + offset, (size_t)size);
                slices++;
            }
        CHECK(slices > 0);
        free(dst);
        end += s.size;
    }
    CHECK_EQ(end, o.info.view_size);
    close_reader(&o);
    make_free(&c);
}

/* A slice of packed elements that does not begin or end with a byte. */
static void rows_inside_bytes(void)
{
    make_container c;
    opened o;
    unsigned char dst[64];
    size_t i;
    make_init(&c, 4);
    make_begin(&c);
    make_original(&c, "m", 1);
    make_tensor(&c, "i4", WCODEC_I4, 6, 3, MAKE_RANDOM);
    make_tensor(&c, "f6", WCODEC_F6_E2M3, 4, 2, MAKE_RANDOM);
    make_end(&c);
    REQUIRE(open_reader(&o, &c.out, NULL));
    for (i = 0; i < 2; i++) {
        const uint64_t even = 2, size = 3;
        CHECK_STATUS(wcodec_read_rows(o.reader, i, 1, 2, dst, 2, o.scratch.data, o.scratch.size, NULL),
                     WCODEC_E_ARGUMENT);
        CHECK_STATUS(wcodec_read_rows(o.reader, i, even, 2 * even, dst, size, o.scratch.data, o.scratch.size,
                                      NULL), WCODEC_OK);
        CHECK_MEM(dst, c.view.data + (i ? 9 : 0) + 3, 3);
    }
    close_reader(&o);
    make_free(&c);
}

static void originals(void)
{
    make_container c;
    opened o;
    wcodec_original a;
    wcodec_sha256 sha;
    unsigned char digest[32];
    size_t i;
    make_small(&c, 1);
    REQUIRE(open_reader(&o, &c.out, NULL));
    CHECK_EQ(o.info.originals, 3);
    for (i = 0; i < 3; i++) {
        static const char *const names[3] = { "a", "", "b" };
        static const unsigned sizes[3] = { 70, 0, 24 }, offsets[3] = { 0, 70, 70 };
        REQUIRE_OK(wcodec_reader_original(o.reader, i, &a));
        CHECK_STR(a.name, names[i]);
        CHECK_EQ(a.name_size, strlen(names[i]));
        CHECK(a.size == sizes[i] && a.offset == offsets[i]);
        CHECK_EQ(a.segments, i == 1 ? 0 : 1);
        CHECK_EQ(a.first_segment, i == 0 ? 0 : 1);
        CHECK_EQ(a.from_parts, i == 2);
        wcodec_sha256_init(&sha);
        wcodec_sha256_update(&sha, c.view.data + a.offset, (size_t)a.size);
        wcodec_sha256_final(&sha, digest);
        if (CHECK(a.has_sha256)) CHECK_MEM(a.sha256, digest, 32);
    }
    CHECK_STATUS(wcodec_reader_original(o.reader, 3, &a), WCODEC_E_ARGUMENT);
    close_reader(&o);
    make_free(&c);
}

/* Without originals, and with what has no bytes. */
static void nothing_inside(void)
{
    make_container c;
    opened o;
    wcodec_tile_span span;
    wcodec_segment s;
    size_t i;
    memset(&s, 0, sizeof s);
    make_small(&c, 3);
    REQUIRE(open_reader(&o, &c.out, NULL));
    CHECK(o.info.originals == 0 && o.info.segments == 0 && o.info.view_size == 0 && o.info.tiles == 0);
    CHECK_STATUS(wcodec_read(o.reader, 0, NULL, 0, o.scratch.data, o.scratch.size, NULL), WCODEC_OK);
    CHECK_STATUS(wcodec_read(o.reader, 1, NULL, 0, o.scratch.data, o.scratch.size, NULL), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_reader_tile(o.reader, 0, &span), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_reader_segment(o.reader, 0, &s), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_reader_find(o.reader, "", 0, &i), WCODEC_E_NOT_FOUND);
    close_reader(&o);
    make_free(&c);

    make_init(&c, 1);
    make_begin(&c);
    make_original(&c, "zeros", 0);
    make_tensor(&c, "a", WCODEC_BF16, 0, 7, MAKE_RANDOM);
    make_tensor(&c, "b", WCODEC_F64, 0, 0, MAKE_RANDOM);
    make_bytes(&c, "c", NULL, 0);
    make_end(&c);
    REQUIRE(open_reader(&o, &c.out, NULL));
    CHECK(o.info.segments == 3 && o.info.view_size == 0 && o.info.tiles == 0);
    for (i = 0; i < 3; i++) {
        REQUIRE_OK(wcodec_reader_segment(o.reader, i, &s));
        CHECK_EQ(s.size, 0);
        CHECK_STATUS(wcodec_read_segment(o.reader, i, NULL, 0, o.scratch.data, o.scratch.size, NULL),
                     WCODEC_OK);
    }
    CHECK_STATUS(wcodec_read_rows(o.reader, 0, 0, 0, NULL, 0, o.scratch.data, o.scratch.size, NULL),
                 WCODEC_OK);
    close_reader(&o);
    make_free(&c);
}

static void names(void)
{
    static const char odd[] = "\0\xff\xfe \"\\\n\t", utf8[] = "poids \xc3\xa9\xf0\x9f\x98\x80";
    static const struct { const char *name; size_t size; } list[] = {
        { "", 0 }, { "w", 1 }, { odd, sizeof odd - 1 }, { odd, 3 }, { utf8, sizeof utf8 - 1 }, { "w", 1 },
        { "model.layers.0.self_attn.q_proj.weight", 38 } };
    make_container c;
    opened o;
    wcodec_segment s;
    char *longest = (char *)test_malloc(5000);
    size_t i, found;
    memset(longest, 'n', 5000);
    make_init(&c, 1);
    make_begin(&c);
    make_original(&c, "m", 1);
    for (i = 0; i <= sizeof list / sizeof *list; i++) {
        memset(&s, 0, sizeof s);
        s.name = i < 7 ? list[i].name : longest;
        s.name_size = i < 7 ? list[i].size : 5000;
        s.size = 3;
        make_segment_of(&c, &s, (const unsigned char *)"abc");
    }
    make_end(&c);
    REQUIRE(open_reader(&o, &c.out, NULL));
    for (i = 0; i < 8; i++) {
        const char *name = i < 7 ? list[i].name : longest;
        const size_t size = i < 7 ? list[i].size : 5000;
        test_note("name %zu", i);
        REQUIRE_OK(wcodec_reader_segment(o.reader, i, &s));
        if (CHECK_EQ(s.name_size, size)) CHECK_MEM(s.name, name, size);
        CHECK_EQ(s.name[s.name_size], 0);
        CHECK_STATUS(wcodec_reader_find(o.reader, name, size, &found), WCODEC_OK);
        CHECK_EQ(found, i == 5 ? 1 : i);
    }
    CHECK_STATUS(wcodec_reader_find(o.reader, "ww", 2, &found), WCODEC_E_NOT_FOUND);
    CHECK_STATUS(wcodec_reader_find(o.reader, odd, 4, &found), WCODEC_E_NOT_FOUND);
    CHECK_STATUS(wcodec_reader_find(o.reader, longest, 4999, &found), WCODEC_E_NOT_FOUND);
    close_reader(&o);
    make_free(&c);
    free(longest);
}

/* Shapes of every rank, and a row that overrides the shape. */
static void shapes(void)
{
    static const unsigned ranks[5] = { 0, 1, 4, 255, 2 };
    uint64_t shape[255];
    unsigned char data[240];
    make_container c;
    opened o;
    wcodec_segment s, got;
    size_t i;
    unsigned d;
    test_random r = test_random_new(1);
    test_fill(&r, data, sizeof data);
    make_init(&c, 1);
    make_begin(&c);
    make_original(&c, "m", 1);
    for (i = 0; i < 5; i++) {
        for (d = 0; d < 255; d++) shape[d] = d == 0 ? 30 : d == 3 ? 2 : 1;
        memset(&s, 0, sizeof s);
        s.dtype = i == 3 ? WCODEC_F16 : WCODEC_U32;
        s.rank = ranks[i];
        s.shape = shape;
        s.row = i == 4 ? 5 : 0;
        s.size = i == 0 ? 4 : i == 1 || i == 4 ? 120 : i == 2 ? 240 : 120;
        make_segment_of(&c, &s, data);
    }
    make_end(&c);
    REQUIRE(open_reader(&o, &c.out, NULL));
    memset(&got, 0, sizeof got);
    for (i = 0; i < 5; i++) {
        static const unsigned rows[5] = { 1, 30, 2, 1, 5 };
        test_note("shape %zu", i);
        REQUIRE_OK(wcodec_reader_segment(o.reader, i, &got));
        CHECK_EQ(got.rank, ranks[i]);
        CHECK_EQ(got.row, rows[i]);
        for (d = 0; d < got.rank; d++) CHECK_EQ(got.shape[d], shape[d]);
    }
    CHECK_STATUS(wcodec_read_rows(o.reader, 0, 0, 0, NULL, 0, o.scratch.data, o.scratch.size, NULL),
                 WCODEC_E_ARGUMENT);
    close_reader(&o);
    make_free(&c);
}

/* ---- tiles ---- */

/* The tiles cover the view without gaps, and each stands alone. */
static void tiles(void)
{
    make_container c;
    opened o;
    wcodec_tile_span span, same;
    wcodec_tile_info info;
    uint64_t at = 0, container = 0;
    size_t count = 0, segment = 0, tile = 0;
    unsigned char *dst;
    make_large(&c, 100);
    REQUIRE(open_reader(&o, &c.out, NULL));
    dst = (unsigned char *)test_malloc(o.info.max_tile_bytes);
    container = o.info.header_size;
    for (; at < o.info.view_size; at += span.size, count++) {
        const unsigned char *record;
        test_note("tile %zu", count);
        REQUIRE_OK(wcodec_reader_tile(o.reader, at, &span));
        REQUIRE_OK(wcodec_reader_tile(o.reader, at + span.size - 1, &same));
        CHECK(same.offset == span.offset && same.tile == span.tile
              && same.container_offset == span.container_offset);
        CHECK(span.offset == at && span.size > 0 && span.size <= o.info.max_tile_bytes);
        tile = span.segment == segment && count != 0 ? tile + 1 : 0;
        CHECK(span.tile == tile && span.segment >= segment);
        segment = span.segment;
        CHECK(span.container_offset >= container && span.container_offset % 8 == 0);
        container = span.container_offset + span.container_size;
        REQUIRE(container <= c.out.size);
        record = c.out.data + span.container_offset;
        REQUIRE_OK(wcodec_tile_inspect(record, span.container_size, &info, NULL));
        CHECK(info.record_size == span.container_size && info.decoded_size == span.size);
        CHECK_STATUS(wcodec_tile_decode(record, span.container_size, NULL, dst, span.size, o.scratch.data,
                                        o.scratch.size, 0, 0, NULL), WCODEC_OK);
        CHECK_MEM(dst, c.view.data + at, span.size);
    }
    CHECK_EQ(count, o.info.tiles);
    CHECK_STATUS(wcodec_reader_tile(o.reader, at, &span), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_reader_tile(o.reader, UINT64_MAX, &span), WCODEC_E_ARGUMENT);
    free(dst);
    close_reader(&o);
    make_free(&c);
}

/* ---- ways to open ---- */

/* One block of just the size, at a guard page (blocks must be aligned, so it ends up to 15 bytes before). */
static void open_in_block(void)
{
    unsigned number;
    for (number = 0; number <= MAKE_SMALLS; number++) {
        make_container c;
        wcodec_source source;
        wcodec_reader *reader = NULL;
        test_guard block;
        size_t need = 0;
        if (number < MAKE_SMALLS) make_small(&c, number);
        else make_large(&c, 50);
        test_note("container %u", number);
        source = wcodec_source_memory(c.out.data, c.out.size);
        REQUIRE_OK(wcodec_reader_need(&source, &need, NULL));
        CHECK(need > 0);
        block = test_guard_new((need + 15) / 16 * 16);
        CHECK_STATUS(wcodec_reader_open_in(&reader, &source, NULL, block.data, need - 1, NULL),
                     WCODEC_E_NO_MEMORY);
        CHECK(reader == NULL);
        CHECK_STATUS(wcodec_reader_open_in(&reader, &source, NULL, NULL, 0, NULL), WCODEC_E_NO_MEMORY);
        memset(block.data, 0x77, block.size);
        if (CHECK_STATUS(wcodec_reader_open_in(&reader, &source, NULL, block.data, need, NULL), WCODEC_OK)) {
            unsigned char *dst = (unsigned char *)test_malloc(c.view.size);
            void *scratch = test_malloc(wcodec_reader_scratch(reader));
            CHECK_STATUS(wcodec_read(reader, 0, dst, c.view.size, scratch, wcodec_reader_scratch(reader),
                                     NULL),
                         WCODEC_OK);
            CHECK_MEM(dst, c.view.data, c.view.size);
            free(dst);
            free(scratch);
        }
        test_guard_free(&block);
        make_free(&c);
    }
}

/* A callback gives what memory gives, and a range is not read with the whole file. */
static void open_callback(void)
{
    make_container c;
    test_source file;
    wcodec_source source;
    wcodec_reader *reader = NULL;
    unsigned char *dst;
    void *scratch;
    size_t before;
    make_large(&c, 200);
    memset(&file, 0, sizeof file);
    file.data = c.out.data;
    file.size = c.out.size;
    source = test_source_of(&file);
    REQUIRE_OK(wcodec_reader_open(&reader, &source, NULL, NULL));
    CHECK(file.bytes < c.out.size / 4);
    memset(&source, 0, sizeof source);      /* it was copied */
    dst = (unsigned char *)test_malloc(c.view.size);
    scratch = test_malloc(wcodec_reader_scratch(reader));
    CHECK_STATUS(wcodec_read(reader, 0, dst, c.view.size, scratch, wcodec_reader_scratch(reader), NULL),
                 WCODEC_OK);
    CHECK_MEM(dst, c.view.data, c.view.size);
    before = file.bytes;
    CHECK_STATUS(wcodec_read(reader, 1000, dst, 10, scratch, wcodec_reader_scratch(reader), NULL), WCODEC_OK);
    CHECK_MEM(dst, c.view.data + 1000, 10);
    CHECK(file.bytes - before < 4096);
    free(scratch);
    free(dst);
    wcodec_reader_close(reader);
    make_free(&c);
}

static void read_backwards(void)
{
    make_container c;
    opened o;
    unsigned workers = 3;
    const wcodec_parallel parallel = test_backwards(&workers);
    test_progress p;
    wcodec_progress progress;
    test_random r = test_random_new(8);
    test_guard scratch;
    unsigned char *dst;
    size_t i;
    make_large(&c, 200);
    REQUIRE(open_reader(&o, &c.out, NULL));
    scratch = test_guard_new(o.scratch.size * 3);
    dst = (unsigned char *)test_malloc(c.view.size);
    for (i = 0; i < 30; i++) {
        const size_t at = i == 0 ? 0 : test_below(&r, c.view.size);
        const size_t n = i == 0 ? c.view.size : test_below(&r, c.view.size - at + 1);
        memset(&p, 0, sizeof p);
        progress = test_progress_of(&p);
        CHECK_STATUS(wcodec_read_parallel(o.reader, at, dst, n, scratch.data, scratch.size, &parallel,
                                          &progress,
                                          NULL), WCODEC_OK);
        CHECK_MEM(dst, c.view.data + at, n);
        if (n != 0) CHECK(p.calls > 0 && p.done == p.total && p.total == n);
    }
    CHECK_STATUS(wcodec_read_parallel(o.reader, 0, dst, c.view.size, o.scratch.data, o.scratch.size, NULL,
                                      NULL,
                                      NULL), WCODEC_OK);
    CHECK_MEM(dst, c.view.data, c.view.size);
    CHECK_STATUS(wcodec_read_parallel(o.reader, 0, dst, c.view.size, scratch.data, scratch.size - 1,
                                      &parallel,
                                      NULL, NULL), WCODEC_E_NO_SPACE);
    free(dst);
    test_guard_free(&scratch);
    close_reader(&o);
    make_free(&c);
}

/* ---- options and limits ---- */

/* A wrong CRC-32 in a tile's record: found by default, not with no_crc. */
static void without_crc(void)
{
    make_container c;
    opened o;
    wcodec_reader_options options = wcodec_reader_defaults();
    wcodec_tile_span span;
    wcodec_error err;
    unsigned char dst[64];
    make_small(&c, 5);
    REQUIRE(open_reader(&o, &c.out, NULL));
    REQUIRE_OK(wcodec_reader_tile(o.reader, 0, &span));
    c.out.data[span.container_offset + 5] ^= 8;
    CHECK_STATUS(wcodec_read(o.reader, 0, dst, 1, o.scratch.data, o.scratch.size, &err), WCODEC_E_CHECKSUM);
    CHECK(err.status == WCODEC_E_CHECKSUM && err.what != NULL);
    CHECK(err.offset >= span.container_offset && err.offset < span.container_offset + span.container_size);
    CHECK_STATUS(read_range(&o, span.size, dst, 8), WCODEC_OK);
    CHECK_MEM(dst, c.view.data + span.size, 8);
    close_reader(&o);
    options.no_crc = 1;
    REQUIRE(open_reader(&o, &c.out, &options));
    CHECK_STATUS(read_range(&o, 0, dst, 1), WCODEC_OK);
    CHECK_MEM(dst, c.view.data, 1);
    close_reader(&o);
    make_free(&c);
}

/* The limit bounds what is allocated at any time, and what is needed is enough. */
static void memory_limit(void)
{
    make_container c;
    wcodec_source source;
    wcodec_reader_options options = wcodec_reader_defaults();
    test_heap heap;
    wcodec_allocator allocator = test_heap_allocator(&heap);
    uint64_t limit;
    unsigned refused = 0, opened_at = 0;
    make_large(&c, 50);
    source = wcodec_source_memory(c.out.data, c.out.size);
    options.allocator = &allocator;
    for (limit = 1; limit < 1 << 22; limit += limit / 4 + 1) {
        wcodec_reader *reader = NULL;
        wcodec_status st;
        memset(&heap, 0, sizeof heap);
        options.max_memory = limit;
        st = wcodec_reader_open(&reader, &source, &options, NULL);
        CHECK(heap.peak <= limit);
        CHECK((reader != NULL) == (st == WCODEC_OK));
        if (st == WCODEC_OK) opened_at++;
        else if (CHECK_STATUS(st, WCODEC_E_LIMIT)) CHECK_EQ(opened_at, 0), refused++;
        wcodec_reader_close(reader);
        CHECK_HEAP_EMPTY(&heap);
    }
    CHECK(refused > 0 && opened_at > 0);
    make_free(&c);
}

/* ---- size ---- */

static void many_segments(void)
{
    const size_t count = 100000;
    make_container c;
    opened o;
    wcodec_segment s;
    uint64_t shape[1] = { 2 };
    size_t i, found, bad = 0;
    unsigned char data[2], back[2];
    char name[32];
    make_init(&c, 3);
    make_begin(&c);
    make_original(&c, "many", 1);
    memset(&s, 0, sizeof s);
    s.name = name;
    s.dtype = WCODEC_U8;
    s.rank = 1;
    s.shape = shape;
    s.size = 2;
    for (i = 0; i < count; i++) {
        s.name_size = (size_t)snprintf(name, sizeof name, "t%zu", i);
        data[0] = (unsigned char)i;
        data[1] = (unsigned char)(i >> 8);
        bad += wcodec_writer_segment(c.writer, &s, NULL) != WCODEC_OK;
        bad += wcodec_writer_data(c.writer, data, 2, NULL) != WCODEC_OK;
    }
    make_end(&c);
    CHECK_EQ(bad, 0);
    REQUIRE(open_reader(&o, &c.out, NULL));
    CHECK_EQ(o.info.segments, count);
    for (i = 0; i < count; i += 997) {
        const int n = snprintf(name, sizeof name, "t%zu", i);
        bad += wcodec_reader_find(o.reader, name, (size_t)n, &found) != WCODEC_OK || found != i;
        bad += wcodec_reader_segment(o.reader, i, &s) != WCODEC_OK || s.offset != 2 * i
            || s.name_size != (size_t)n;
        bad += read_range(&o, 2 * i, back, 2) != WCODEC_OK || back[0] != (i & 255)
            || back[1] != (i >> 8 & 255);
    }
    CHECK_EQ(bad, 0);
    close_reader(&o);
    make_free(&c);
}

/* ---- wrong calls ---- */

static void wrong_arguments(void)
{
    make_container c;
    opened o;
    wcodec_segment s;
    wcodec_source source;
    wcodec_reader *reader = NULL;
    unsigned char dst[512];
    size_t i = 0;
    make_small(&c, 0);
    REQUIRE(open_reader(&o, &c.out, NULL));
    CHECK_STATUS(read_range(&o, c.view.size, dst, 1), WCODEC_E_ARGUMENT);
    CHECK_STATUS(read_range(&o, c.view.size, NULL, 0), WCODEC_OK);
    CHECK_STATUS(read_range(&o, c.view.size + 1, NULL, 0), WCODEC_E_ARGUMENT);
    CHECK_STATUS(read_range(&o, UINT64_MAX, dst, 2), WCODEC_E_ARGUMENT);
    CHECK_STATUS(read_range(&o, 1, dst, SIZE_MAX), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_read(o.reader, 0, dst, 10, o.scratch.data, 0, NULL), WCODEC_E_NO_SPACE);
    CHECK_STATUS(wcodec_read(o.reader, 0, dst, 10, o.scratch.data, o.scratch.size - 1, NULL),
                 WCODEC_E_NO_SPACE);
    CHECK_STATUS(wcodec_reader_segment(o.reader, o.info.segments, &s), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_reader_segment(o.reader, SIZE_MAX, &s), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_reader_find(o.reader, "weight", 6, &i), WCODEC_OK);
    CHECK_EQ(i, 1);
    CHECK_STATUS(wcodec_read_segment(o.reader, 1, dst, 143, o.scratch.data, o.scratch.size, NULL),
                 WCODEC_E_NO_SPACE);
    CHECK_STATUS(wcodec_read_segment(o.reader, 1, dst, 145, o.scratch.data, o.scratch.size, NULL),
                 WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_read_segment(o.reader, 99, dst, 144, o.scratch.data, o.scratch.size, NULL),
                 WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_read_rows(o.reader, 1, 2, 1, dst, 0, o.scratch.data, o.scratch.size, NULL),
                 WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_read_rows(o.reader, 1, 0, 7, dst, 168, o.scratch.data, o.scratch.size, NULL),
                 WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_read_rows(o.reader, 1, UINT64_MAX, UINT64_MAX, dst, 0, o.scratch.data, o.scratch.size,
                                  NULL), WCODEC_E_ARGUMENT);
    CHECK(wcodec_read_rows(o.reader, 1, 0, 2, dst, 47, o.scratch.data, o.scratch.size, NULL) < 0);
    CHECK(wcodec_read_rows(o.reader, 1, 0, 2, dst, 49, o.scratch.data, o.scratch.size, NULL) < 0);
    CHECK_STATUS(wcodec_read_rows(o.reader, 1, 0, 2, dst, 48, o.scratch.data, o.scratch.size, NULL),
                 WCODEC_OK);
    CHECK_STATUS(wcodec_reader_open(&reader, NULL, NULL, NULL), WCODEC_E_ARGUMENT);
    memset(&source, 0, sizeof source);
    source.size = 100;
    CHECK_STATUS(wcodec_reader_open(&reader, &source, NULL, NULL), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_reader_open(NULL, &source, NULL, NULL), WCODEC_E_ARGUMENT);
    wcodec_reader_close(NULL);
    close_reader(&o);
    make_free(&c);
}

/* What is no container, or not the whole of one. */
static void no_container(void)
{
    make_container c;
    unsigned char *view;
    size_t size, i;
    unsigned opened_any = 0;
    make_small(&c, 0);
    CHECK_STATUS(make_read_all(NULL, 0, &view, &size), WCODEC_E_TRUNCATED);
    CHECK_STATUS(make_read_all("this is not a container, but it is longer than header and footer are, and "
                               "nothing in it fits", 96, &view, &size), WCODEC_E_MAGIC);
    for (i = 0; i < c.out.size; i++) {
        const wcodec_status st = make_read_all(c.out.data, i, &view, &size);
        free(view);
        opened_any += st >= 0;
        test_note("cut to %zu of %zu", i, c.out.size);
        if (i >= 4) CHECK(st == WCODEC_E_TRUNCATED || st == WCODEC_E_CORRUPT || st == WCODEC_E_MAGIC);
    }
    CHECK_EQ(opened_any, 0);
    c.out.data[4] = 2;
    CHECK_STATUS(make_read_all(c.out.data, c.out.size, &view, &size), WCODEC_E_VERSION);
    make_free(&c);
}

int main(void)
{
    RUN(all_ranges);
    RUN(random_ranges);
    RUN(segments_and_rows);
    RUN(rows_inside_bytes);
    RUN(originals);
    RUN(nothing_inside);
    RUN(names);
    RUN(shapes);
    RUN(tiles);
    RUN(open_in_block);
    RUN(open_callback);
    RUN(read_backwards);
    RUN(without_crc);
    RUN(memory_limit);
    RUN(many_segments);
    RUN(wrong_arguments);
    RUN(no_container);
    return test_end();
}
