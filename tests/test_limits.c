/* The edges of what the writer takes, calls in the wrong order, and NULL with size 0, which is fine
 * everywhere. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

static const unsigned char zeros[1024];

/* A segment of BF16, 6 by 4. */
static wcodec_segment matrix(const uint64_t *shape)
{
    wcodec_segment s;
    memset(&s, 0, sizeof s);
    s.name = "m";
    s.name_size = 1;
    s.dtype = WCODEC_BF16;
    s.rank = 2;
    s.shape = shape;
    s.size = 48;
    return s;
}

/* What a fresh writer says to one segment. */
static wcodec_status offer(const wcodec_segment *s)
{
    make_container c;
    wcodec_status st;
    make_init(&c, 1);
    make_begin(&c);
    make_original(&c, "o", 0);
    st = wcodec_writer_segment(c.writer, s, NULL);
    wcodec_writer_close(c.writer);
    make_free(&c);
    return st;
}

static void segments(void)
{
    uint64_t shape[256] = { 6, 4 };
    const uint64_t odd[2] = { 3, 3 }, wraps[2] = { UINT64_C(1) << 63, 2 },
        wraps_bits[2] = { UINT64_C(1) << 62, 2 };
    const uint64_t empty[3] = { UINT64_MAX, 0, UINT64_MAX };
    wcodec_segment s = matrix(shape);
    unsigned d;
    CHECK_STATUS(offer(&s), WCODEC_OK);
    s.size = 47;
    CHECK_STATUS(offer(&s), WCODEC_E_ARGUMENT);
    s.size = 50;
    CHECK_STATUS(offer(&s), WCODEC_E_ARGUMENT);
    s = matrix(NULL);
    CHECK_STATUS(offer(&s), WCODEC_E_ARGUMENT);
    s = matrix(shape);
    s.dtype = 25;
    CHECK_STATUS(offer(&s), WCODEC_E_ARGUMENT);
    s = matrix(wraps);
    s.size = 0;
    CHECK_STATUS(offer(&s), WCODEC_E_ARGUMENT);
    s = matrix(wraps_bits);
    s.dtype = WCODEC_F64;
    s.size = 0;
    CHECK_STATUS(offer(&s), WCODEC_E_ARGUMENT);
    s = matrix(odd);
    s.dtype = WCODEC_I4;
    s.size = 4;
    CHECK_STATUS(offer(&s), WCODEC_E_ARGUMENT);
    s.size = 5;
    CHECK_STATUS(offer(&s), WCODEC_E_ARGUMENT);
    s = matrix(empty);
    s.rank = 2;
    s.size = 0;
    CHECK_STATUS(offer(&s), WCODEC_OK);
    for (d = 0; d < 256; d++) shape[d] = 1;
    s = matrix(shape);
    s.size = 2;
    s.rank = 255;
    CHECK_STATUS(offer(&s), WCODEC_OK);
    s.rank = 256;
    CHECK_STATUS(offer(&s), WCODEC_E_ARGUMENT);
    CHECK_STATUS(offer(NULL), WCODEC_E_ARGUMENT);
}

/* Names of up to 65000 bytes, for segments and originals alike. */
static void names(void)
{
    char *name = (char *)test_malloc(65001);
    const uint64_t shape[2] = { 6, 4 };
    wcodec_segment s = matrix(shape);
    make_container c;
    unsigned char *view;
    size_t size;
    memset(name, 'n', 65001);
    s.name = name;
    s.name_size = 65001;
    CHECK_STATUS(offer(&s), WCODEC_E_ARGUMENT);
    s.name_size = 65000;
    make_init(&c, 1);
    make_begin(&c);
    CHECK_STATUS(wcodec_writer_original(c.writer, name, 65000, 0, NULL), WCODEC_OK);
    make_segment_of(&c, &s, zeros);
    make_end(&c);
    CHECK_STATUS(make_read_all(c.out.data, c.out.size, &view, &size), WCODEC_OK);
    CHECK_EQ(size, 48);
    free(view);
    make_free(&c);
    make_init(&c, 1);
    make_begin(&c);
    CHECK_STATUS(wcodec_writer_original(c.writer, name, 65001, 0, NULL), WCODEC_E_ARGUMENT);
    wcodec_writer_close(c.writer);
    make_free(&c);
    free(name);
}

/* The wrong call at the wrong time, each on a writer of its own. */
static void order_of_calls(void)
{
    const uint64_t shape[2] = { 6, 4 };
    const wcodec_segment s = matrix(shape);
    unsigned i;
    for (i = 0; i < 8; i++) {
        make_container c;
        wcodec_status st = WCODEC_OK;
        make_init(&c, 1);
        make_begin(&c);
        test_note("case %u", i);
        if (i >= 2) make_original(&c, "o", 0);
        if (i >= 3) REQUIRE_OK(wcodec_writer_segment(c.writer, &s, NULL));
        if (i >= 7) REQUIRE_OK(wcodec_writer_data(c.writer, zeros, 48, NULL));
        switch (i) {
        case 0: st = wcodec_writer_segment(c.writer, &s, NULL); break;           /* before an original */
        case 1: st = wcodec_writer_data(c.writer, zeros, 1, NULL); break;
        case 2: st = wcodec_writer_data(c.writer, zeros, 1, NULL); break;        /* before a segment */
        case 3: st = wcodec_writer_finish(c.writer, NULL); break;                /* data missing */
        case 4: st = wcodec_writer_segment(c.writer, &s, NULL); break;
        case 5: st = wcodec_writer_original(c.writer, "p", 1, 0, NULL); break;
        case 6: st = wcodec_writer_data(c.writer, zeros, 49, NULL); break;       /* more than it holds */
        default: st = wcodec_writer_data(c.writer, zeros, 1, NULL);
        }
        CHECK_STATUS(st, WCODEC_E_ARGUMENT);
        wcodec_writer_close(c.writer);
        make_free(&c);
    }
}

static void after_the_end(void)
{
    const uint64_t shape[2] = { 6, 4 };
    const wcodec_segment s = matrix(shape);
    make_container c;
    size_t size;
    make_init(&c, 1);
    make_begin(&c);
    REQUIRE_OK(wcodec_writer_finish(c.writer, NULL));
    size = c.out.size;
    CHECK_STATUS(wcodec_writer_original(c.writer, "o", 1, 0, NULL), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_writer_segment(c.writer, &s, NULL), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_writer_data(c.writer, zeros, 1, NULL), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_writer_finish(c.writer, NULL), WCODEC_E_ARGUMENT);
    CHECK_EQ(c.out.size, size);
    CHECK_EQ(wcodec_writer_size(c.writer), size);
    wcodec_writer_close(c.writer);
    wcodec_writer_close(NULL);
    make_free(&c);
}

/* Metadata of up to 2^24 bytes comes back; a byte more is refused. */
static void metadata(void)
{
    static const size_t sizes[] = { 0, 1, 7, 8, 9, (size_t)1 << 24 };
    char *text = (char *)test_malloc(((size_t)1 << 24) + 1);
    test_sink out = { NULL, 0, 0, 0, 0, 0 };
    const wcodec_sink sink = test_sink_of(&out);
    wcodec_writer_options options = wcodec_writer_defaults();
    wcodec_writer *writer = NULL;
    size_t i;
    memset(text, ' ', ((size_t)1 << 24) + 1);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        make_container c;
        wcodec_source source;
        wcodec_reader *reader = NULL;
        wcodec_reader_info info;
        make_init(&c, 1);
        c.options.metadata = text;
        c.options.metadata_size = sizes[i];
        make_begin(&c);
        make_end(&c);
        source = wcodec_source_memory(c.out.data, c.out.size);
        test_note("%zu bytes", sizes[i]);
        REQUIRE_OK(wcodec_reader_open(&reader, &source, NULL, NULL));
        wcodec_reader_get_info(reader, &info);
        if (CHECK_EQ(info.metadata_size, sizes[i])) CHECK_MEM(info.metadata, text, sizes[i]);
        wcodec_reader_close(reader);
        make_free(&c);
    }
    options.metadata = text;
    options.metadata_size = ((size_t)1 << 24) + 1;
    CHECK_STATUS(wcodec_writer_open(&writer, &sink, &options, NULL), WCODEC_E_ARGUMENT);
    CHECK(writer == NULL && out.size == 0);
    free(text);
}

/* Any size of tile, up to where 8 bytes a unit make the largest tile. */
static void tile_sizes(void)
{
    static const uint32_t units[] = { 1, 2, 3, 31, 100, 65535, 65536,
                                      WCODEC_MAX_TILE_BYTES / 8 };
    test_sink out = { NULL, 0, 0, 0, 0, 0 };
    const wcodec_sink sink = test_sink_of(&out);
    wcodec_writer_options options = wcodec_writer_defaults();
    wcodec_writer *writer = NULL;
    size_t i;
    for (i = 0; i < sizeof units / sizeof *units; i++) {
        make_container c;
        unsigned char *view;
        size_t size;
        make_init(&c, 1);
        c.options.tile_units = units[i];
        make_begin(&c);
        make_original(&c, "o", 0);
        make_tensor(&c, "f64", WCODEC_F64, units[i] < 100 ? 5 : 500, 37, MAKE_WEIGHTS);
        make_tensor(&c, "one row", WCODEC_BF16, 1, 3001, MAKE_WEIGHTS);
        make_tensor(&c, "columns", WCODEC_BF16, 3001, 1, MAKE_WEIGHTS);
        make_end(&c);
        test_note("%u units", (unsigned)units[i]);
        CHECK_STATUS(make_read_all(c.out.data, c.out.size, &view, &size), WCODEC_OK);
        if (CHECK_EQ(size, c.view.size) && view != NULL) CHECK_MEM(view, c.view.data, size);
        free(view);
        make_free(&c);
    }
    options.tile_units = WCODEC_MAX_TILE_BYTES / 8 + 1;
    CHECK_STATUS(wcodec_writer_open(&writer, &sink, &options, NULL), WCODEC_E_ARGUMENT);
    options.tile_units = UINT32_MAX;
    CHECK_STATUS(wcodec_writer_open(&writer, &sink, &options, NULL), WCODEC_E_ARGUMENT);
    CHECK(writer == NULL && out.size == 0);
}

/* Overhead of a model of 1 MB that cannot be compressed: less than 1 %, everything together. */
static void overhead(void)
{
    make_container c;
    char name[32];
    unsigned i;
    make_init(&c, 1);
    make_begin(&c);
    make_original(&c, "model.safetensors", 0);
    for (i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "model.layers.%u.weight", i);
        make_tensor(&c, name, WCODEC_BF16, 100, 131, MAKE_RANDOM);
    }
    make_end(&c);
    CHECK(c.out.size < c.view.size + c.view.size / 100);
    make_free(&c);
}

/* NULL where there is nothing. */
static void null_with_nothing(void)
{
    const wcodec_source none = wcodec_source_memory(NULL, 0);
    wcodec_reader *reader = NULL;
    wcodec_push *push = NULL;
    wcodec_plan *plan = NULL;
    wcodec_sha256 sha;
    wcodec_segment s;
    make_container c;
    size_t used, made, i;
    unsigned char digest[32];
    memset(&s, 0, sizeof s);
    CHECK_EQ(wcodec_crc32(7, NULL, 0), 7);
    wcodec_sha256_init(&sha);
    wcodec_sha256_update(&sha, NULL, 0);
    wcodec_sha256_final(&sha, digest);
    CHECK_EQ(digest[0], 0xe3);
    CHECK_STATUS(wcodec_reader_open(&reader, &none, NULL, NULL), WCODEC_E_TRUNCATED);
    CHECK_STATUS(wcodec_reader_need(&none, &used, NULL), WCODEC_E_TRUNCATED);
    REQUIRE_OK(wcodec_push_open(&push, NULL, NULL));
    CHECK_STATUS(wcodec_push_step(push, NULL, 0, &used, NULL, 0, &made, NULL), WCODEC_MORE_INPUT);
    wcodec_push_close(push);
    REQUIRE_OK(wcodec_plan_open(&plan, &none, NULL, NULL));
    make_init(&c, 1);
    make_begin(&c);
    CHECK_STATUS(wcodec_writer_original(c.writer, NULL, 0, 0, NULL), WCODEC_OK);
    CHECK_STATUS(wcodec_writer_segment(c.writer, &s, NULL), WCODEC_OK);
    CHECK_STATUS(wcodec_writer_data(c.writer, NULL, 0, NULL), WCODEC_OK);
    CHECK_STATUS(wcodec_writer_file(c.writer, NULL, 0, &none, plan, NULL, NULL), WCODEC_OK);
    make_end(&c);
    wcodec_plan_close(plan);
    {
        const wcodec_source source = wcodec_source_memory(c.out.data, c.out.size);
        void *scratch;
        REQUIRE_OK(wcodec_reader_open(&reader, &source, NULL, NULL));
        scratch = test_malloc(wcodec_reader_scratch(reader));
        CHECK_STATUS(wcodec_read(reader, 0, NULL, 0, scratch, wcodec_reader_scratch(reader), NULL),
                     WCODEC_OK);
        CHECK_STATUS(wcodec_read_segment(reader, 0, NULL, 0, scratch, wcodec_reader_scratch(reader), NULL),
                     WCODEC_OK);
        CHECK_STATUS(wcodec_reader_find(reader, NULL, 0, &i), WCODEC_OK);
        free(scratch);
        wcodec_reader_close(reader);
    }
    make_free(&c);
}

int main(void)
{
    RUN(segments);
    RUN(names);
    RUN(order_of_calls);
    RUN(after_the_end);
    RUN(metadata);
    RUN(tile_sizes);
    RUN(overhead);
    RUN(null_with_nothing);
    return test_end();
}
