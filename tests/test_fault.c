/* What fails from outside: memory, sinks, sources, progress.  Each call in turn fails; the result is a clean
 * error that stays, and nothing is leaked. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

#define MAX_CALLS 2000      /* more calls than any of these tests makes */

/* A small safetensors file with several tensors, and the place of its data. */
static size_t make_file(unsigned char *dst, size_t room)
{
    static const char json[] =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"a.weight\":{\"dtype\":\"BF16\",\"shape\":[20,30],\"data_offsets\":[0,1200]},"
        "\"a.bias\":{\"dtype\":\"F32\",\"shape\":[30],\"data_offsets\":[1200,1320]},"
        "\"b\":{\"dtype\":\"I8\",\"shape\":[10,68],\"data_offsets\":[1320,2000]}}";
    const size_t n = sizeof json - 1, size = 8 + n + 2000;
    test_random r = test_random_new(1);
    if (size > room) test_die("room");
    memset(dst, 0, 8);
    dst[0] = (unsigned char)n;
    dst[1] = (unsigned char)(n >> 8);
    memcpy(dst + 8, json, n);
    make_fill(&r, MAKE_WEIGHTS, WCODEC_BF16, 0, dst + 8 + n, 1200);
    make_fill(&r, MAKE_WEIGHTS, WCODEC_F32, 0, dst + 8 + n + 1200, 120);
    make_fill(&r, MAKE_DOUBLING, WCODEC_I8, 0, dst + 8 + n + 1320, 680);
    return size;
}

static wcodec_writer_options small_tiles(const wcodec_allocator *allocator)
{
    wcodec_writer_options o = wcodec_writer_defaults();
    o.allocator = allocator;
    o.tile_units = 100;
    return o;
}

/* Plan, writer, finish: the whole way of a file, with everything that may fail. */
static wcodec_status encode(const wcodec_source *file, const wcodec_sink *sink,
                            const wcodec_allocator *allocator,
                            const wcodec_parallel *parallel, const wcodec_progress *progress,
                                wcodec_error *err)
{
    wcodec_plan_options plan_options = wcodec_plan_defaults();
    wcodec_writer_options options = small_tiles(allocator);
    wcodec_plan *plan = NULL;
    wcodec_writer *writer = NULL;
    wcodec_status st;
    plan_options.allocator = allocator;
    options.parallel = parallel;
    memset(err, 0, sizeof *err);
    st = wcodec_plan_open(&plan, file, &plan_options, err);
    CHECK((plan != NULL) == (st == WCODEC_OK));
    if (st == WCODEC_OK) st = wcodec_writer_open(&writer, sink, &options, err);
    CHECK((writer != NULL) == (st == WCODEC_OK));
    if (st == WCODEC_OK) st = wcodec_writer_file(writer, "file", 4, file, plan, progress, err);
    if (st == WCODEC_OK) st = wcodec_writer_finish(writer, err);
    else if (writer != NULL) {
        /* The error stays. */
        CHECK_STATUS(wcodec_writer_finish(writer, NULL), st);
        CHECK_STATUS(wcodec_writer_original(writer, "x", 1, 0, NULL), st);
        CHECK_STATUS(wcodec_writer_data(writer, "x", 1, NULL), st);
    }
    if (st != WCODEC_OK) CHECK(err->status == st && err->what != NULL);
    wcodec_writer_close(writer);
    wcodec_plan_close(plan);
    return st;
}

/* ---- memory ---- */

static void encode_without_memory(void)
{
    unsigned char data[4096];
    const size_t size = make_file(data, sizeof data);
    const wcodec_source file = wcodec_source_memory(data, size);
    unsigned workers = 3;
    const wcodec_parallel parallel = test_backwards(&workers);
    unsigned mode;
    for (mode = 0; mode < 4; mode++) {
        wcodec_status st = WCODEC_E_NO_MEMORY;
        size_t i, failed = 0;
        for (i = 1; i < MAX_CALLS && st != WCODEC_OK; i++) {
            test_heap heap = { 0, 0, 0, 0, 0, 0, 0 };
            const wcodec_allocator allocator = test_heap_allocator(&heap);
            test_sink out = { NULL, 0, 0, 0, 0, 0 };
            const wcodec_sink sink = test_sink_of(&out);
            wcodec_error err;
            heap.fail_at = i;
            heap.fail_after = mode & 1;
            test_note("allocation %zu fails, mode %u", i, mode);
            st = encode(&file, &sink, &allocator, mode & 2 ? &parallel : NULL, NULL, &err);
            if (st != WCODEC_OK) {
                CHECK_STATUS(st, WCODEC_E_NO_MEMORY);
                failed++;
            }
            CHECK_HEAP_EMPTY(&heap);
            test_sink_free(&out);
        }
        CHECK_STATUS(st, WCODEC_OK);
        CHECK(failed >= 3);
    }
}

static void read_without_memory(void)
{
    unsigned number;
    for (number = 0; number < MAKE_SMALLS; number++) {
        make_container c;
        wcodec_source source;
        wcodec_status st = WCODEC_E_NO_MEMORY;
        size_t i, failed = 0;
        make_small(&c, number);
        source = wcodec_source_memory(c.out.data, c.out.size);
        for (i = 1; i < MAX_CALLS && st != WCODEC_OK; i++) {
            test_heap heap = { 0, 0, 0, 0, 0, 0, 0 };
            const wcodec_allocator allocator = test_heap_allocator(&heap);
            wcodec_reader_options options = wcodec_reader_defaults();
            wcodec_reader *reader = NULL;
            wcodec_error err;
            options.allocator = &allocator;
            heap.fail_at = i;
            memset(&err, 0, sizeof err);
            test_note("container %u, allocation %zu fails", number, i);
            st = wcodec_reader_open(&reader, &source, &options, &err);
            if (st != WCODEC_OK) {
                CHECK_STATUS(st, WCODEC_E_NO_MEMORY);
                CHECK(reader == NULL && err.status == st && err.what != NULL);
                failed++;
            }
            wcodec_reader_close(reader);
            CHECK_HEAP_EMPTY(&heap);
        }
        CHECK_STATUS(st, WCODEC_OK);
        CHECK(failed > 0);
        make_free(&c);
    }
}

static void push_without_memory(void)
{
    unsigned number;
    for (number = 0; number < MAKE_SMALLS; number++) {
        make_container c;
        make_pushed p;
        size_t i, failed = 0;
        make_small(&c, number);
        p.status = WCODEC_E_NO_MEMORY;
        for (i = 1; i < MAX_CALLS && p.status != WCODEC_END; i++) {
            test_heap heap = { 0, 0, 0, 0, 0, 0, 0 };
            const wcodec_allocator allocator = test_heap_allocator(&heap);
            wcodec_reader_options options = wcodec_reader_defaults();
            options.allocator = &allocator;
            heap.fail_at = i;
            test_note("container %u, allocation %zu fails", number, i);
            p = make_push_all(c.out.data, c.out.size, 50, 50, NULL, &options);
            if (p.status != WCODEC_END) {
                CHECK_STATUS(p.status, WCODEC_E_NO_MEMORY);
                failed++;
            } else CHECK_MEM(p.bytes.data, c.view.data, c.view.size);
            CHECK_HEAP_EMPTY(&heap);
            test_sink_free(&p.bytes);
        }
        CHECK_STATUS(p.status, WCODEC_END);
        CHECK(failed > 0);
        make_free(&c);
    }
}

/* A writer keeps to its limit, or says that it cannot. */
static void writer_memory_limit(void)
{
    make_container whole;
    uint64_t limit;
    unsigned fine = 0, refused = 0;
    unsigned char *data = (unsigned char *)test_malloc(100000);
    test_random r = test_random_new(4);
    make_fill(&r, MAKE_WEIGHTS, WCODEC_BF16, 0, data, 100000);
    make_init(&whole, 1);
    make_begin(&whole);
    make_original(&whole, "m", 0);
    make_bytes(&whole, "w", data, 100000);
    make_end(&whole);
    for (limit = 1000; limit < (uint64_t)1 << 26; limit += limit / 2) {
        test_heap heap = { 0, 0, 0, 0, 0, 0, 0 };
        const wcodec_allocator allocator = test_heap_allocator(&heap);
        wcodec_writer_options options = wcodec_writer_defaults();
        test_sink out = { NULL, 0, 0, 0, 0, 0 };
        const wcodec_sink sink = test_sink_of(&out);
        wcodec_writer *writer = NULL;
        wcodec_segment s;
        wcodec_status st;
        options.allocator = &allocator;
        options.max_memory = limit;
        memset(&s, 0, sizeof s);
        s.name = "w";
        s.name_size = 1;
        s.size = 100000;
        test_note("limit %llu", (unsigned long long)limit);
        st = wcodec_writer_open(&writer, &sink, &options, NULL);
        if (st == WCODEC_OK) st = wcodec_writer_original(writer, "m", 1, 0, NULL);
        if (st == WCODEC_OK) st = wcodec_writer_segment(writer, &s, NULL);
        if (st == WCODEC_OK) st = wcodec_writer_data(writer, data, 100000, NULL);
        if (st == WCODEC_OK) st = wcodec_writer_finish(writer, NULL);
        wcodec_writer_close(writer);
        CHECK_HEAP_EMPTY(&heap);
        CHECK(heap.peak <= limit);
        if (st == WCODEC_OK) {
            fine++;
            if (CHECK_EQ(out.size, whole.out.size)) CHECK_MEM(out.data, whole.out.data, out.size);
        } else {
            CHECK_STATUS(st, WCODEC_E_LIMIT);
            CHECK_EQ(fine, 0);
            refused++;
        }
        test_sink_free(&out);
    }
    CHECK(fine > 0 && refused > 0);
    free(data);
    make_free(&whole);
}

static void plan_memory_limit(void)
{
    unsigned char data[4096];
    const size_t size = make_file(data, sizeof data);
    const wcodec_source file = wcodec_source_memory(data, size);
    uint64_t limit;
    unsigned fine = 0, refused = 0;
    for (limit = 1; limit < 1 << 20; limit += limit / 2 + 1) {
        test_heap heap = { 0, 0, 0, 0, 0, 0, 0 };
        const wcodec_allocator allocator = test_heap_allocator(&heap);
        wcodec_plan_options options = wcodec_plan_defaults();
        wcodec_plan *plan = NULL;
        wcodec_status st;
        options.allocator = &allocator;
        options.max_memory = limit;
        st = wcodec_plan_open(&plan, &file, &options, NULL);
        CHECK(heap.peak <= limit);
        if (st == WCODEC_OK) fine++;
        else if (CHECK_STATUS(st, WCODEC_E_LIMIT)) refused++;
        wcodec_plan_close(plan);
        CHECK_HEAP_EMPTY(&heap);
    }
    CHECK(fine > 0 && refused > 0);
}

/* ---- sinks ---- */

static void sink_fails(void)
{
    unsigned char data[4096];
    const size_t size = make_file(data, sizeof data);
    const wcodec_source file = wcodec_source_memory(data, size);
    unsigned workers = 2;
    const wcodec_parallel parallel = test_backwards(&workers);
    wcodec_status st = WCODEC_E_IO;
    wcodec_error err;
    size_t i, whole = 0, failed = 0;
    for (i = 1; i < MAX_CALLS && st != WCODEC_OK; i++) {
        test_heap heap = { 0, 0, 0, 0, 0, 0, 0 };
        const wcodec_allocator allocator = test_heap_allocator(&heap);
        test_sink out = { NULL, 0, 0, 0, 0, 0 };
        const wcodec_sink sink = test_sink_of(&out);
        out.fail_at = i;
        test_note("call %zu of write fails", i);
        st = encode(&file, &sink, &allocator, i % 2 ? &parallel : NULL, NULL, &err);
        if (st != WCODEC_OK) {
            CHECK_STATUS(st, WCODEC_E_IO);
            CHECK_EQ(out.calls, i);     /* not called again after a failure */
            failed++;
        }
        CHECK_HEAP_EMPTY(&heap);
        whole = out.size;
        test_sink_free(&out);
    }
    CHECK_STATUS(st, WCODEC_OK);
    CHECK(failed >= 3);
    for (i = 1; i < whole; i += 13) {
        test_sink out = { NULL, 0, 0, 0, 0, 0 };
        const wcodec_sink sink = test_sink_of(&out);
        out.full_at = i;
        test_note("full at %zu of %zu", i, whole);
        CHECK_STATUS(encode(&file, &sink, NULL, NULL, NULL, &err), WCODEC_E_IO);
        CHECK(out.size <= i);
        test_sink_free(&out);
    }
}

/* ---- sources ---- */

static void file_fails(void)
{
    unsigned char data[4096];
    test_source in;
    wcodec_source file;
    wcodec_status st = WCODEC_E_IO;
    wcodec_error err;
    size_t i, failed = 0, size = make_file(data, sizeof data);
    for (i = 1; i < MAX_CALLS && st != WCODEC_OK; i++) {
        test_heap heap = { 0, 0, 0, 0, 0, 0, 0 };
        const wcodec_allocator allocator = test_heap_allocator(&heap);
        test_sink out = { NULL, 0, 0, 0, 0, 0 };
        const wcodec_sink sink = test_sink_of(&out);
        memset(&in, 0, sizeof in);
        in.data = data;
        in.size = size;
        in.fail_at = i;
        file = test_source_of(&in);
        test_note("call %zu of read_at fails", i);
        st = encode(&file, &sink, &allocator, NULL, NULL, &err);
        if (st != WCODEC_OK) {
            CHECK_STATUS(st, WCODEC_E_IO);
            failed++;
        }
        CHECK_HEAP_EMPTY(&heap);
        test_sink_free(&out);
    }
    CHECK_STATUS(st, WCODEC_OK);
    CHECK(failed >= 2);
}

/* The file is shorter than its source said, from the start or since. */
static void file_shrinks(void)
{
    unsigned char data[4096];
    const size_t size = make_file(data, sizeof data);
    size_t end;
    wcodec_error err;
    for (end = 1; end < size; end += 17) {
        test_heap heap = { 0, 0, 0, 0, 0, 0, 0 };
        const wcodec_allocator allocator = test_heap_allocator(&heap);
        test_sink out = { NULL, 0, 0, 0, 0, 0 };
        const wcodec_sink sink = test_sink_of(&out);
        test_source in;
        wcodec_source file;
        wcodec_status st;
        memset(&in, 0, sizeof in);
        in.data = data;
        in.size = size;
        in.end = end;
        file = test_source_of(&in);
        test_note("%zu of %zu bytes there", end, size);
        st = encode(&file, &sink, &allocator, NULL, NULL, &err);
        CHECK(st == WCODEC_E_IO || st == WCODEC_E_TRUNCATED);
        CHECK_HEAP_EMPTY(&heap);
        test_sink_free(&out);
    }
}

/* Opening and reading all of a container through a callback. */
static wcodec_status read_through(test_source *in, const wcodec_allocator *allocator, unsigned char *dst,
                                  size_t size, const wcodec_parallel *parallel)
{
    const wcodec_source source = test_source_of(in);
    wcodec_reader_options options = wcodec_reader_defaults();
    wcodec_reader *reader = NULL;
    wcodec_error err;
    wcodec_status st;
    memset(&err, 0, sizeof err);
    options.allocator = allocator;
    st = wcodec_reader_open(&reader, &source, &options, &err);
    CHECK((reader != NULL) == (st == WCODEC_OK));
    if (st == WCODEC_OK) {
        const size_t need = wcodec_reader_scratch(reader) * (parallel ? parallel->workers : 1);
        void *scratch = test_malloc(need);
        st = wcodec_read_parallel(reader, 0, dst, size, scratch, need, parallel, NULL, &err);
        free(scratch);
    }
    if (st != WCODEC_OK) CHECK(err.status == st && err.what != NULL);
    wcodec_reader_close(reader);
    return st;
}

static void container_source_fails(void)
{
    unsigned workers = 3, number;
    const wcodec_parallel parallel = test_backwards(&workers);
    for (number = 0; number < MAKE_SMALLS; number++) {
        make_container c;
        unsigned char *dst;
        wcodec_status st = WCODEC_E_IO;
        size_t i, failed = 0;
        make_small(&c, number);
        dst = (unsigned char *)test_malloc(c.view.size);
        for (i = 1; i < MAX_CALLS && st != WCODEC_OK; i++) {
            test_heap heap = { 0, 0, 0, 0, 0, 0, 0 };
            const wcodec_allocator allocator = test_heap_allocator(&heap);
            test_source in;
            memset(&in, 0, sizeof in);
            in.data = c.out.data;
            in.size = c.out.size;
            in.fail_at = i;
            test_note("container %u, call %zu fails", number, i);
            st = read_through(&in, &allocator, dst, c.view.size, i % 2 ? &parallel : NULL);
            if (st != WCODEC_OK) {
                CHECK_STATUS(st, WCODEC_E_IO);
                failed++;
            } else CHECK_MEM(dst, c.view.data, c.view.size);
            CHECK_HEAP_EMPTY(&heap);
        }
        CHECK_STATUS(st, WCODEC_OK);
        CHECK(failed >= 2);
        for (i = 1; i < c.out.size; i += 3) {
            test_source in;
            memset(&in, 0, sizeof in);
            in.data = c.out.data;
            in.size = c.out.size;
            in.end = i;
            test_note("container %u, %zu of %zu bytes there", number, i, c.out.size);
            st = read_through(&in, NULL, dst, c.view.size, NULL);
            CHECK(st == WCODEC_E_TRUNCATED || st == WCODEC_E_IO);
        }
        free(dst);
        make_free(&c);
    }
}

/* ---- progress ---- */

static void encode_is_cancelled(void)
{
    unsigned char data[4096];
    const size_t size = make_file(data, sizeof data);
    const wcodec_source file = wcodec_source_memory(data, size);
    wcodec_status st = WCODEC_E_CANCELLED;
    wcodec_error err;
    size_t i, cancelled = 0;
    for (i = 1; i < MAX_CALLS && st != WCODEC_OK; i++) {
        test_heap heap = { 0, 0, 0, 0, 0, 0, 0 };
        const wcodec_allocator allocator = test_heap_allocator(&heap);
        test_sink out = { NULL, 0, 0, 0, 0, 0 };
        const wcodec_sink sink = test_sink_of(&out);
        test_progress p = { 0, 0, 0, 0 };
        const wcodec_progress progress = test_progress_of(&p);
        p.cancel_at = i;
        test_note("cancelled at call %zu", i);
        st = encode(&file, &sink, &allocator, NULL, &progress, &err);
        if (st != WCODEC_OK) {
            CHECK_STATUS(st, WCODEC_E_CANCELLED);
            CHECK_EQ(p.calls, i);
            cancelled++;
        } else CHECK(p.done == size && p.total == size);
        CHECK_HEAP_EMPTY(&heap);
        test_sink_free(&out);
    }
    CHECK_STATUS(st, WCODEC_OK);
    CHECK(cancelled > 0);
}

static void read_is_cancelled(void)
{
    make_container c;
    wcodec_source source;
    wcodec_reader *reader = NULL;
    wcodec_status st = WCODEC_E_CANCELLED;
    unsigned char *dst;
    void *scratch;
    size_t i, need, cancelled = 0;
    make_init(&c, 3);
    c.options.tile_units = 50;
    make_begin(&c);
    make_original(&c, "m", 0);
    make_tensor(&c, "w", WCODEC_BF16, 100, 50, MAKE_WEIGHTS);
    make_end(&c);
    source = wcodec_source_memory(c.out.data, c.out.size);
    REQUIRE_OK(wcodec_reader_open(&reader, &source, NULL, NULL));
    dst = (unsigned char *)test_malloc(c.view.size);
    need = wcodec_reader_scratch(reader);
    scratch = test_malloc(need);
    for (i = 1; i < MAX_CALLS && st != WCODEC_OK; i++) {
        test_progress p = { 0, 0, 0, 0 };
        const wcodec_progress progress = test_progress_of(&p);
        p.cancel_at = i;
        test_note("cancelled at call %zu", i);
        st = wcodec_read_parallel(reader, 0, dst, c.view.size, scratch, need, NULL, &progress, NULL);
        if (st != WCODEC_OK) {
            CHECK_STATUS(st, WCODEC_E_CANCELLED);
            cancelled++;
        }
    }
    CHECK_STATUS(st, WCODEC_OK);
    CHECK(cancelled > 0);
    CHECK_MEM(dst, c.view.data, c.view.size);
    free(scratch);
    free(dst);
    wcodec_reader_close(reader);
    make_free(&c);
}

int main(void)
{
    RUN(encode_without_memory);
    RUN(read_without_memory);
    RUN(push_without_memory);
    RUN(writer_memory_limit);
    RUN(plan_memory_limit);
    RUN(sink_fails);
    RUN(file_fails);
    RUN(file_shrinks);
    RUN(container_source_fails);
    RUN(encode_is_cancelled);
    RUN(read_is_cancelled);
    return test_end();
}
