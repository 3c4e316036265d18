/* The view: the same bytes as the reader's whatever the sizes and places, each tile decoded once by reads that
 * follow each other, zeros for what is not there, and an error that stays. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

/* A container with its view, open through a source that counts. */
typedef struct opened {
    make_container c;
    test_source in;
    wcodec_reader *reader;
    wcodec_reader_info info;
    test_guard memory;
    wcodec_view view;
} opened;

static void open_view(opened *o, size_t original)
{
    wcodec_source source;
    memset(&o->in, 0, sizeof o->in);
    o->in.data = o->c.out.data;
    o->in.size = o->c.out.size;
    source = test_source_of(&o->in);
    REQUIRE_OK(wcodec_reader_open(&o->reader, &source, NULL, NULL));
    wcodec_reader_get_info(o->reader, &o->info);
    o->memory = test_guard_new(wcodec_view_need(o->reader));
    REQUIRE_OK(wcodec_view_open(&o->view, o->reader, original, o->memory.data, o->memory.size));
    o->in.calls = 0;
}

static void close_view(opened *o)
{
    wcodec_reader_close(o->reader);
    test_guard_free(&o->memory);
}

/* A model in tiles of 512 units: bytes, matrices of several dtypes with scales, an empty file, another file. */
static void make_model(opened *o)
{
    static unsigned char text[5000];
    size_t i;
    for (i = 0; i < sizeof text; i++) text[i] = (unsigned char)"some text of a vocabulary"[i * i % 25];
    memset(o, 0, sizeof *o);
    make_init(&o->c, 3);
    o->c.options.tile_units = 512;
    make_begin(&o->c);
    make_original(&o->c, "model", 0);
    make_bytes(&o->c, NULL, text, sizeof text);
    make_tensor(&o->c, "w", WCODEC_BF16, 400, 64, MAKE_WEIGHTS);
    make_tensor(&o->c, "nothing", WCODEC_F32, 0, 9, MAKE_WEIGHTS);
    make_tensor(&o->c, "i", WCODEC_I8, 33, 100, MAKE_WEIGHTS);
    make_tensor(&o->c, "f", WCODEC_F64, 7, 700, MAKE_WEIGHTS);
    make_original(&o->c, "empty", 0);
    make_original(&o->c, "tokens", 0);
    make_bytes(&o->c, NULL, text, 777);
    make_end(&o->c);
}

/* A read in a buffer of just its size, compared with what must come. */
static void check_read(opened *o, uint64_t offset, size_t size)
{
    const size_t all = (size_t)o->view.size;
    const size_t there = offset >= all ? 0 : all - (size_t)offset < size ? all - (size_t)offset : size;
    test_guard dst = test_guard_new(size);
    size_t i;
    memset(dst.data, 0xEE, size);
    CHECK_EQ(wcodec_view_read(&o->view, offset, dst.data, size), there);
    if (there) CHECK_MEM(dst.data, o->c.view.data + o->view.begin + (size_t)offset, there);
    for (i = there; i < size; i++)
        if (!CHECK_EQ(dst.data[i], 0)) break;
    test_guard_free(&dst);
}

static void reads_of_any_size(void)
{
    static const size_t sizes[] = { 0, 1, 3, 8, 511, 512, 513, 4096, 10000, 60000, 200000 };
    opened o;
    test_random r = test_random_new(1);
    size_t original, k, i;
    make_model(&o);
    for (original = 0; original < 4; original++) {
        open_view(&o, original < 3 ? original : WCODEC_ALL_ORIGINALS);
        if (original == 3) CHECK_EQ(o.view.size, o.c.view.size);
        for (k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            test_note("original %zu, reads of %zu", original, sizes[k]);
            for (i = 0; i < 60; i++) check_read(&o, test_below(&r, (size_t)o.view.size + 20), sizes[k]);
            for (i = 0; i < o.view.size && sizes[k] >= 511; i += sizes[k]) check_read(&o, i, sizes[k]);
        }
        check_read(&o, 0, (size_t)o.view.size);
        check_read(&o, 0, (size_t)o.view.size + 9);
        check_read(&o, o.view.size, 9);
        check_read(&o, UINT64_MAX, 9);
        check_read(&o, UINT64_MAX - 8, 9);
        CHECK_STATUS(wcodec_view_status(&o.view, NULL), WCODEC_OK);
        close_view(&o);
    }
    make_free(&o.c);
}

/* What each way costs is counted in tiles that are fetched. */
static void tiles_are_decoded_once(void)
{
    opened o;
    unsigned char eight[8];
    size_t i, calls;
    wcodec_tile_span span;
    make_model(&o);
    open_view(&o, WCODEC_ALL_ORIGINALS);
    for (i = 0; i < o.view.size; i += 8) {
        const size_t n = o.view.size - i < 8 ? (size_t)o.view.size - i : 8;
        CHECK_EQ(wcodec_view_read(&o.view, i, eight, 8), n);
        if (!CHECK_MEM(eight, o.c.view.data + i, n)) break;
    }
    calls = o.in.calls;
    CHECK(calls >= o.info.tiles && calls <= 2 * o.info.tiles);      /* some with their scales */
    /* Inside one tile nothing more is read, */
    REQUIRE_OK(wcodec_reader_tile(o.reader, 20000, &span));
    check_read(&o, span.offset + 1, 1);
    calls = o.in.calls;
    for (i = 0; i < span.size; i += 7) check_read(&o, span.offset + i, span.size - i < 5 ? span.size - i : 5);
    CHECK_EQ(o.in.calls, calls);
    /* and a large read that begins and ends elsewhere leaves the tile alone where it only takes whole ones. */
    REQUIRE_OK(wcodec_reader_tile(o.reader, 512, &span));
    check_read(&o, span.offset, 3 * span.size);
    calls = o.in.calls;
    check_read(&o, 20000, 1);
    CHECK_EQ(o.in.calls, calls);
    close_view(&o);
    make_free(&o.c);
}

static int all_zero(const unsigned char *p, size_t size)
{
    while (size > 0 && *p == 0) p++, size--;
    return size == 0;
}

/* A tile that is damaged, a source that fails: zeros and 0 from then on, wherever one reads. */
static void errors_stay(void)
{
    unsigned char *buffer;
    opened o;
    wcodec_tile_span span;
    unsigned how, large;
    make_model(&o);
    buffer = (unsigned char *)test_malloc(o.c.view.size);
    for (how = 0; how < 3; how++)
        for (large = 0; large < 2; large++) {
            const size_t size = large ? o.c.view.size : 8;
            const wcodec_status wanted = how == 0 ? WCODEC_E_CHECKSUM : how == 1 ? WCODEC_E_IO : WCODEC_E_TRUNCATED;
            wcodec_error err = { WCODEC_OK, 0, NULL };
            size_t at;
            test_note("error %u, reads of %zu", how, size);
            open_view(&o, WCODEC_ALL_ORIGINALS);
            CHECK_STATUS(wcodec_view_status(&o.view, &err), WCODEC_OK);
            CHECK(err.what == NULL);
            check_read(&o, 1, 8);
            REQUIRE_OK(wcodec_reader_tile(o.reader, 30000, &span));
            at = (size_t)span.container_offset + span.container_size - 20;      /* in its last plane, which is raw */
            if (how == 0) o.c.out.data[at] ^= 1;
            if (how == 1) o.in.fail_at = o.in.calls + 1;
            if (how == 2) o.in.end = at;
            memset(buffer, 0xEE, size);
            CHECK_EQ(wcodec_view_read(&o.view, large ? 0 : 30000, buffer, size), 0);
            CHECK(all_zero(buffer, size));
            CHECK_STATUS(wcodec_view_status(&o.view, &err), wanted);
            CHECK(err.status == wanted && err.what != NULL);
            if (how == 0) o.c.out.data[at] ^= 1;
            o.in.end = 0;
            memset(buffer, 0xEE, size);
            CHECK_EQ(wcodec_view_read(&o.view, 1, buffer, 8), 0);
            CHECK(all_zero(buffer, 8));
            CHECK_STATUS(wcodec_view_status(&o.view, NULL), wanted);
            close_view(&o);
        }
    free(buffer);
    make_free(&o.c);
}

static void small_containers(void)
{
    unsigned number;
    for (number = 0; number < MAKE_SMALLS; number++) {
        opened o;
        size_t i;
        memset(&o, 0, sizeof o);
        make_small(&o.c, number);
        test_note("container %u", number);
        open_view(&o, WCODEC_ALL_ORIGINALS);
        for (i = 0; i <= o.view.size; i++) check_read(&o, i, 7);
        check_read(&o, 0, (size_t)o.view.size);
        close_view(&o);
        make_free(&o.c);
    }
}

static void wrong_arguments(void)
{
    opened o;
    wcodec_view view;
    unsigned char bytes[4];
    make_model(&o);
    open_view(&o, 0);
    CHECK_EQ(wcodec_view_need(NULL), 0);
    CHECK_STATUS(wcodec_view_open(NULL, o.reader, 0, o.memory.data, o.memory.size), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_view_open(&view, o.reader, 0, o.memory.data, o.memory.size - 1), WCODEC_E_NO_SPACE);
    CHECK_STATUS(wcodec_view_status(&view, NULL), WCODEC_E_NO_SPACE);
    CHECK_STATUS(wcodec_view_open(&view, o.reader, 3, o.memory.data, o.memory.size), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_view_open(&view, o.reader, 0, NULL, o.memory.size), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_view_open(&view, NULL, 0, o.memory.data, o.memory.size), WCODEC_E_ARGUMENT);
    memset(bytes, 1, sizeof bytes);
    CHECK_EQ(wcodec_view_read(&view, 0, bytes, 4), 0);
    CHECK(all_zero(bytes, 4));
    CHECK_STATUS(wcodec_view_status(&view, NULL), WCODEC_E_ARGUMENT);
    memset(bytes, 1, sizeof bytes);
    CHECK_EQ(wcodec_view_read(NULL, 0, bytes, 4), 0);
    CHECK(all_zero(bytes, 4));
    CHECK_EQ(wcodec_view_read(&o.view, 0, NULL, 0), 0);
    CHECK_EQ(wcodec_view_read(&o.view, 0, NULL, 4), 0);
    CHECK_STATUS(wcodec_view_status(&o.view, NULL), WCODEC_OK);
    CHECK_STATUS(wcodec_view_status(NULL, NULL), WCODEC_E_ARGUMENT);
    close_view(&o);
    make_free(&o.c);
}

int main(void)
{
    RUN(reads_of_any_size);
    RUN(tiles_are_decoded_once);
    RUN(errors_stay);
    RUN(small_containers);
    RUN(wrong_arguments);
    return test_end();
}
