/* Equal tiles are stored once: what the writer finds, what it leaves, how little a copy takes, and what readers and
 * the push decoder do with it.  Broken records of copies are among the golden containers. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

#define UNITS 4096          /* a tile of BF16: 8 KiB */
#define TILE (2 * UNITS)

/* ---- files of tensors ---- */

#define MOST 24

/* A file of matrices of BF16, 64 a row, one behind the other, and a plan of it. */
typedef struct file_of {
    unsigned char *data;
    size_t size;
    wcodec_segment segment[MOST];
    uint64_t shape[MOST][2];
    wcodec_plan plan;
} file_of;

static void file_init(file_of *f)
{
    memset(f, 0, sizeof *f);
    f->data = (unsigned char *)test_malloc((size_t)8 << 20);
    f->plan.segments = f->segment;
    f->plan.format = "test";
}

static void file_add(file_of *f, const unsigned char *data, size_t size)
{
    wcodec_segment *s = &f->segment[f->plan.count];
    uint64_t *shape = f->shape[f->plan.count];
    if (f->plan.count == MOST || f->size + size > (size_t)8 << 20) test_die("the file is full");
    shape[0] = size / 128;
    shape[1] = 64;
    s->name = "w";
    s->name_size = 1;
    s->dtype = WCODEC_BF16;
    s->rank = 2;
    s->shape = shape;
    s->offset = f->size;
    s->size = size;
    memcpy(f->data + f->size, data, size);
    f->size += size;
    f->plan.size = f->size;
    f->plan.count++;
}

static unsigned char *weights(uint64_t seed, size_t size)
{
    unsigned char *data = (unsigned char *)test_malloc(size);
    test_random r = test_random_new(seed);
    make_fill(&r, MAKE_WEIGHTS, WCODEC_BF16, 64, data, size);
    return data;
}

/* A source that is not in memory, counts, and fails when it is told to. */
typedef struct reading { const file_of *f; unsigned calls, fail_at; unsigned char flip; } reading;

static wcodec_status reading_at(void *user, uint64_t offset, void *dst, size_t size, size_t *got)
{
    reading *r = (reading *)user;
    if (++r->calls == r->fail_at) return WCODEC_E_IO;
    *got = size < r->f->size - (size_t)offset ? size : r->f->size - (size_t)offset;
    memcpy(dst, r->f->data + (size_t)offset, *got);
    return WCODEC_OK;
}

static wcodec_writer_options small_tiles(void)
{
    wcodec_writer_options options = wcodec_writer_defaults();
    options.tile_units = UNITS;
    return options;
}

static wcodec_status encode(const file_of *f, const wcodec_writer_options *options, reading *by, test_sink *out,
                            wcodec_error *err)
{
    const wcodec_sink sink = test_sink_of(out);
    wcodec_source source = wcodec_source_memory(f->data, f->size);
    wcodec_writer *writer;
    wcodec_status status;
    memset(out, 0, sizeof *out);
    if (by) {
        by->f = f;
        source.memory = NULL;
        source.read_at = reading_at;
        source.user = by;
    }
    status = wcodec_writer_open(&writer, &sink, options, err);
    if (status != WCODEC_OK) return status;
    status = wcodec_writer_file(writer, "f", 1, &source, &f->plan, NULL, err);
    if (status == WCODEC_OK) status = wcodec_writer_finish(writer, err);
    wcodec_writer_close(writer);
    return status;
}

/* How many tiles of a container are copies; each one's target is looked at too. */
static size_t copies_in(const test_sink *c, uint64_t from)
{
    const wcodec_source source = wcodec_source_memory(c->data, c->size);
    wcodec_reader *reader;
    wcodec_reader_info info;
    size_t copies = 0;
    uint64_t at;
    if (!CHECK_STATUS(wcodec_reader_open(&reader, &source, NULL, NULL), WCODEC_OK)) return 0;
    wcodec_reader_get_info(reader, &info);
    for (at = from; at < info.view_size;) {
        wcodec_tile_span span, target;
        wcodec_copy_info copy;
        wcodec_status status;
        (void)CHECK_STATUS(wcodec_reader_tile(reader, at, &span), WCODEC_OK);
        status = wcodec_copy_inspect(c->data + span.container_offset, span.container_size, &copy, NULL);
        at = span.offset + span.size;
        if (status == WCODEC_E_NOT_FOUND) continue;
        (void)CHECK_STATUS(status, WCODEC_OK);
        copies++;
        CHECK(copy.distance <= span.offset && copy.decoded_size == span.size
              && copy.record_size == span.container_size && copy.record_size <= 24);
        (void)CHECK_STATUS(wcodec_reader_tile(reader, span.offset - copy.distance, &target), WCODEC_OK);
        CHECK(target.offset == span.offset - copy.distance && target.size == span.size);
        CHECK(c->data[target.container_offset] == 'T');
        CHECK(target.container_size >= 256);
    }
    wcodec_reader_close(reader);
    return copies;
}

/* All ways to read give the file back. */
static void check_reads(const test_sink *c, const unsigned char *expected, size_t size)
{
    const wcodec_source source = wcodec_source_memory(c->data, c->size);
    test_random r = test_random_new(size);
    wcodec_reader *reader;
    unsigned char *part = (unsigned char *)test_malloc(size), *view;
    size_t got, i, scratch_size;
    void *scratch;
    make_pushed p;
    REQUIRE_OK(make_read_all(c->data, c->size, &view, &got));
    if (CHECK_EQ(got, size)) CHECK_MEM(view, expected, size);
    free(view);
    p = make_push_all(c->data, c->size, 0, 0, &r, NULL);
    CHECK_STATUS(p.status, WCODEC_END);
    if (CHECK_EQ(p.bytes.size, size)) CHECK_MEM(p.bytes.data, expected, size);
    test_sink_free(&p.bytes);
    REQUIRE_OK(wcodec_reader_open(&reader, &source, NULL, NULL));
    scratch_size = wcodec_reader_scratch(reader);
    scratch = test_malloc(scratch_size);
    for (i = 0; i < 60; i++) {
        const size_t at = test_below(&r, size), n = test_below(&r, (size - at < 3 * TILE ? size - at : 3 * TILE) + 1);
        CHECK_STATUS(wcodec_read(reader, at, part, n, scratch, scratch_size, NULL), WCODEC_OK);
        CHECK_MEM(part, expected + at, n);
    }
    free(scratch);
    free(part);
    wcodec_reader_close(reader);
}

static void check_file(const file_of *f, size_t expected_copies)
{
    const wcodec_writer_options options = small_tiles();
    test_sink out;
    REQUIRE_OK(encode(f, &options, NULL, &out, NULL));
    CHECK_EQ(copies_in(&out, 0), expected_copies);
    check_reads(&out, f->data, f->size);
    test_sink_free(&out);
}

/* ---- what is found ---- */

static void tied_tensors(void)
{
    const size_t size = 32 * TILE;
    unsigned char *w = weights(1, size), *other = weights(2, size);
    wcodec_writer_options options = small_tiles();
    test_sink once, twice;
    file_of f;
    unsigned profile;
    file_init(&f);
    file_add(&f, w, size);
    file_add(&f, other, 5 * TILE);
    for (profile = WCODEC_PROFILE_FAST; profile <= WCODEC_PROFILE_DENSE; profile++) {
        options.tile.profile = profile;
        REQUIRE_OK(encode(&f, &options, NULL, &once, NULL));
        if (profile == WCODEC_PROFILE_FAST) file_add(&f, w, size);
        else f.plan.count = 3, f.plan.size = f.size += size;
        REQUIRE_OK(encode(&f, &options, NULL, &twice, NULL));
        CHECK(copies_in(&once, 0) == 0 && copies_in(&twice, 0) == 32);
        test_note("the second one takes %zu of %zu bytes", twice.size - once.size, size);
        CHECK((twice.size - once.size) * 100 < size);
        check_reads(&twice, f.data, f.size);
        test_sink_free(&once);
        test_sink_free(&twice);
        f.plan.count = 2;
        f.plan.size = f.size -= size;
    }
    free(f.data);
    free(w);
    free(other);
}

static void inside_a_tensor(void)
{
    unsigned char *w = weights(3, 4 * TILE), *all = (unsigned char *)test_malloc(16 * TILE);
    file_of f;
    size_t i;
    /* 0 1 2 3, 0 0 0 0, 3 2 1 0, and four that differ in their last byte alone */
    static const unsigned char order[12] = { 0, 1, 2, 3, 0, 0, 0, 0, 3, 2, 1, 0 };
    for (i = 0; i < 12; i++) memcpy(all + i * TILE, w + order[i] * TILE, TILE);
    for (; i < 16; i++) {
        memcpy(all + i * TILE, w, TILE);
        all[i * TILE + TILE - 1] ^= (unsigned char)(1 + i);
    }
    file_init(&f);
    file_add(&f, all, 16 * TILE);
    check_file(&f, 8);
    free(f.data);
    free(all);
    free(w);
}

static void not_worth_it(void)
{
    unsigned char *w = weights(4, TILE), *zeros = (unsigned char *)test_malloc(4 * TILE);
    file_of f;
    memset(zeros, 0, 4 * TILE);
    file_init(&f);
    file_add(&f, zeros, 4 * TILE);      /* equal, but of a few bytes each */
    file_add(&f, w, 128);               /* equal and small */
    file_add(&f, w, 128);
    file_add(&f, zeros, 4 * TILE);
    file_add(&f, w, TILE);              /* begins like the one before, but is longer */
    check_file(&f, 0);
    file_add(&f, w, 512);               /* larger than the first of its kind that counts */
    file_add(&f, w, 512);
    check_file(&f, 1);
    free(f.data);
    free(w);
    free(zeros);
}

/* A tile may be a copy of one with another shape and dtype. */
static void other_dtypes(void)
{
    unsigned char *w = weights(5, 3 * TILE);
    file_of f;
    file_init(&f);
    file_add(&f, w, 3 * TILE);
    file_add(&f, w, 3 * TILE);
    f.segment[1].dtype = WCODEC_I16;
    file_add(&f, w, 3 * TILE);
    f.segment[2].dtype = WCODEC_F32;    /* a tile of twice as many bytes, which is none of the others, and the rest */
    f.shape[2][1] = 32;
    check_file(&f, 4);
    free(f.data);
    free(w);
}

/* Bytes do not depend on threads, which change the batches, nor on where the file is. */
static void same_bytes(void)
{
    static const size_t run[] = { 3, 1, 40, 2, 1, 90, 7 };
    unsigned char *w = weights(6, 90 * TILE), *zeros = (unsigned char *)test_malloc(64 * TILE);
    wcodec_writer_options options = small_tiles();
    wcodec_parallel parallel;
    test_sink first, other;
    reading by;
    file_of f;
    unsigned i, workers = 2;
    memset(zeros, 0, 64 * TILE);
    file_init(&f);
    for (i = 0; i < sizeof run / sizeof *run; i++) {
        file_add(&f, w, run[i] * TILE);
        file_add(&f, zeros, 9 * i * TILE);
    }
    REQUIRE_OK(encode(&f, &options, NULL, &first, NULL));
    CHECK_EQ(copies_in(&first, 0), 1 + 3 + 2 + 1 + 40 + 7);
    check_reads(&first, f.data, f.size);
    memset(&by, 0, sizeof by);
    REQUIRE_OK(encode(&f, &options, &by, &other, NULL));
    if (CHECK_EQ(other.size, first.size)) CHECK_MEM(other.data, first.data, first.size);
    test_sink_free(&other);
    parallel = test_backwards(&workers);
    options.parallel = &parallel;
    for (workers = 2; workers <= 64; workers *= 4) {
        parallel.workers = workers;
        REQUIRE_OK(encode(&f, &options, NULL, &other, NULL));
        if (CHECK_EQ(other.size, first.size)) CHECK_MEM(other.data, first.data, first.size);
        test_sink_free(&other);
    }
    options.parallel = NULL;
    options.no_copies = 1;
    REQUIRE_OK(encode(&f, &options, NULL, &other, NULL));
    CHECK(copies_in(&other, 0) == 0 && other.size > first.size);
    test_sink_free(&other);
    test_sink_free(&first);
    free(f.data);
    free(w);
    free(zeros);
}

/* ---- the streaming interface ---- */

static void write_twice(make_container *c, const unsigned char *w, size_t size)
{
    uint64_t shape[2];
    wcodec_segment s;
    unsigned i;
    memset(&s, 0, sizeof s);
    shape[0] = size / 128;
    shape[1] = 64;
    s.name = "w";
    s.name_size = 1;
    s.dtype = WCODEC_BF16;
    s.rank = 2;
    s.shape = shape;
    s.size = size;
    c->options.tile_units = UNITS;
    make_begin(c);
    for (i = 0; i < 4; i++) {
        if (i % 2 == 0) make_original(c, "o", 1);
        make_segment_of(c, &s, w);
    }
    make_end(c);
}

static void streaming(void)
{
    const size_t size = 7 * TILE;
    unsigned char *w = weights(7, size);
    make_container c;
    make_init(&c, 8);
    write_twice(&c, w, size);                   /* no way back: no copies */
    CHECK_EQ(copies_in(&c.out, 0), 0);
    check_reads(&c.out, c.view.data, c.view.size);
    make_free(&c);
    make_init(&c, 8);
    c.options.reread.fn = make_reread;          /* of a sink that gets the data too */
    c.options.reread.user = &c.view;
    write_twice(&c, w, size);
    CHECK_EQ(copies_in(&c.out, 0), 21);         /* of other originals too */
    check_reads(&c.out, c.view.data, c.view.size);
    make_free(&c);
    free(w);
}

/* wcodec_writer_file compares with its own file; what is in another original needs the callback. */
static void two_files(void)
{
    unsigned char *w = weights(9, 5 * TILE);
    const wcodec_writer_options options = small_tiles();
    wcodec_source source;
    wcodec_writer *writer;
    test_sink out, view;
    wcodec_sink sink;
    file_of f;
    unsigned i;
    memset(&out, 0, sizeof out);
    memset(&view, 0, sizeof view);
    file_init(&f);
    file_add(&f, w, 5 * TILE);
    file_add(&f, w, 5 * TILE);
    source = wcodec_source_memory(f.data, f.size);
    sink = test_sink_of(&out);
    REQUIRE_OK(wcodec_writer_open(&writer, &sink, &options, NULL));
    for (i = 0; i < 2; i++) {
        REQUIRE_OK(wcodec_writer_file(writer, "f", 1, &source, &f.plan, NULL, NULL));
        (void)test_sink_write(&view, f.data, f.size);
    }
    memset(f.data, 0, f.size);                  /* nobody looks any more */
    REQUIRE_OK(wcodec_writer_finish(writer, NULL));
    wcodec_writer_close(writer);
    CHECK_EQ(copies_in(&out, 0), 10);
    check_reads(&out, view.data, view.size);
    test_sink_free(&out);
    test_sink_free(&view);
    free(f.data);
    free(w);
}

/* A plan of a caller's that does not go through the file in order: right, if without copies. */
static void plan_out_of_order(void)
{
    unsigned char *w = weights(10, 6 * TILE);
    const wcodec_writer_options options = small_tiles();
    test_sink out, view;
    file_of f;
    memset(&view, 0, sizeof view);
    file_init(&f);
    file_add(&f, w, 6 * TILE);
    file_add(&f, w, 6 * TILE);
    f.segment[0].offset = f.segment[1].offset;
    REQUIRE_OK(encode(&f, &options, NULL, &out, NULL));
    CHECK_EQ(copies_in(&out, 0), 0);
    check_reads(&out, f.data, f.size);
    test_sink_free(&out);
    free(f.data);
    free(w);
}

/* ---- what goes wrong ---- */

static void source_fails(void)
{
    unsigned char *w = weights(11, 64 * TILE * 3);
    const wcodec_writer_options options = small_tiles();
    reading by;
    wcodec_error err;
    test_sink out;
    file_of f;
    unsigned calls, i;
    file_init(&f);
    file_add(&f, w, 64 * TILE * 3);             /* more than a batch, so that it must be read again */
    file_add(&f, w, 64 * TILE);
    memset(&by, 0, sizeof by);
    REQUIRE_OK(encode(&f, &options, &by, &out, NULL));
    CHECK_EQ(copies_in(&out, 0), 64);
    test_sink_free(&out);
    calls = by.calls;
    CHECK(calls > 64);
    for (i = 1; i <= calls; i += 1 + calls / 40) {
        memset(&by, 0, sizeof by);
        by.fail_at = i;
        test_note("read number %u of %u", i, calls);
        CHECK_STATUS(encode(&f, &options, &by, &out, &err), WCODEC_E_IO);
        CHECK(err.status == WCODEC_E_IO && err.what != NULL);
        test_sink_free(&out);
    }
    free(f.data);
    free(w);
}

/* Where the limit leaves no room for the table, or not for long, there are fewer copies, and no failure. */
static void little_memory(void)
{
    unsigned char *w = weights(12, 400 * TILE);
    wcodec_writer_options options = small_tiles();
    uint64_t low = 0, high = (uint64_t)1 << 28;
    size_t before = 0, found = 0, step;
    test_sink out;
    file_of f;
    options.tile_units = 2 * UNITS;
    file_init(&f);
    file_add(&f, w, 400 * TILE);
    file_add(&f, w, 400 * TILE);
    while (high - low > 64) {                   /* the least that will do */
        options.max_memory = low + (high - low) / 2;
        if (encode(&f, &options, NULL, &out, NULL) == WCODEC_OK) high = options.max_memory;
        else low = options.max_memory;
        test_sink_free(&out);
    }
    for (step = 0; step < 40; step++) {
        options.max_memory = high + 1024 * step;
        REQUIRE_OK(encode(&f, &options, NULL, &out, NULL));
        found = copies_in(&out, 0);
        CHECK(step > 0 || found < 200);
        if (found != before || step == 0) check_reads(&out, f.data, f.size);
        before = found;
        test_sink_free(&out);
    }
    CHECK_EQ(found, 200);
    free(f.data);
    free(w);
}

static wcodec_status refuse(void *user, uint64_t offset, void *dst, size_t size)
{
    (void)offset, (void)dst, (void)size;
    ++*(unsigned *)user;
    return WCODEC_E_IO;
}

static wcodec_status zeros(void *user, uint64_t offset, void *dst, size_t size)
{
    (void)user, (void)offset;
    memset(dst, 0, size);
    return WCODEC_OK;
}

/* A push decoder that is given everything at once, and has room for `room` bytes a step. */
static wcodec_status push_with(const test_sink *c, wcodec_reread reread, int no_crc, size_t room, wcodec_error *err)
{
    wcodec_reader_options options = wcodec_reader_defaults();
    unsigned char *out = (unsigned char *)test_malloc(room);
    wcodec_push *push;
    wcodec_status st;
    size_t at = 0, used, made;
    options.reread = reread;
    options.no_crc = no_crc;
    st = wcodec_push_open(&push, &options, err);
    while (st >= 0 && st != WCODEC_END) {
        st = wcodec_push_step(push, c->data + at, c->size - at, &used, out, room, &made, err);
        at += used;
        if (st == WCODEC_MORE_INPUT && at == c->size) break;
    }
    wcodec_push_close(push);
    free(out);
    return st;
}

static void push_without(void)
{
    unsigned char *w = weights(13, 3 * TILE);
    const wcodec_writer_options options = small_tiles();
    wcodec_reread reread;
    wcodec_error err;
    test_sink out;
    file_of f;
    unsigned asked = 0;
    file_init(&f);
    file_add(&f, w, 3 * TILE);
    file_add(&f, w, 3 * TILE);
    REQUIRE_OK(encode(&f, &options, NULL, &out, NULL));
    memset(&reread, 0, sizeof reread);
    CHECK_STATUS(push_with(&out, reread, 0, 1 << 20, &err), WCODEC_E_UNSUPPORTED);
    CHECK(strstr(err.what, "copy") != NULL && out.data[err.offset] == 'R');
    reread.fn = refuse;
    reread.user = &asked;
    CHECK_STATUS(push_with(&out, reread, 0, 1 << 20, &err), WCODEC_END);   /* all in the caller's hands still */
    CHECK_EQ(asked, 0);
    CHECK_STATUS(push_with(&out, reread, 0, TILE + 100, &err), WCODEC_E_IO);
    CHECK_EQ(asked, 1);
    reread.fn = zeros;
    CHECK_STATUS(push_with(&out, reread, 0, TILE, &err), WCODEC_E_CHECKSUM);
    CHECK_STATUS(push_with(&out, reread, 1, TILE, &err), WCODEC_END);
    test_sink_free(&out);
    free(f.data);
    free(w);
}

static void inspecting(void)
{
    static const unsigned char record[16] = { 'R', 9, 0x80, 0x81, 4, 0x80, 2, 1, 2, 3, 4 };
    wcodec_copy_info info;
    wcodec_error err;
    unsigned char broken[32];
    size_t i;
    REQUIRE_OK(wcodec_copy_inspect(record, sizeof record, &info, NULL));
    CHECK(info.record_size == 16 && info.distance == 65664 && info.decoded_size == 256 && info.crc == 0x04030201);
    for (i = 1; i < 16; i++)
        CHECK_STATUS(wcodec_copy_inspect(record, i, &info, NULL), WCODEC_E_TRUNCATED);
    CHECK_STATUS(wcodec_copy_inspect(record, 0, &info, &err), WCODEC_E_TRUNCATED);
    CHECK_STATUS(wcodec_copy_inspect("T", 1, &info, NULL), WCODEC_E_NOT_FOUND);
    CHECK_STATUS(wcodec_copy_inspect(NULL, 1, &info, NULL), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_copy_inspect(record, 16, NULL, NULL), WCODEC_E_ARGUMENT);
    for (i = 1; i < 16; i++) {
        memset(broken, 0, sizeof broken);
        memcpy(broken, record, sizeof record);
        broken[i] = 0xff;
        if (i == 2 || i == 3 || i == 5 || (i >= 7 && i < 11)) continue;    /* other numbers */
        test_note("byte %zu", i);
        CHECK(wcodec_copy_inspect(broken, sizeof broken, &info, &err) < 0);
    }
    CHECK_STATUS(wcodec_tile_inspect(record, 16, NULL, NULL), WCODEC_E_ARGUMENT);
    {
        wcodec_tile_info tile;
        CHECK_STATUS(wcodec_tile_inspect(record, 16, &tile, NULL), WCODEC_E_CORRUPT);
    }
}

int main(void)
{
    RUN(tied_tensors);
    RUN(inside_a_tensor);
    RUN(not_worth_it);
    RUN(other_dtypes);
    RUN(same_bytes);
    RUN(streaming);
    RUN(two_files);
    RUN(plan_out_of_order);
    RUN(source_fails);
    RUN(little_memory);
    RUN(push_without);
    RUN(inspecting);
    return test_end();
}
