/* The golden containers, which tests/make_golden.py makes from the specification alone: the good ones come
 * back whole, and of the broken ones each gives the status in its name.  Every file is a test. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

/* The file that the running test is about. */
static const char *path;
static unsigned char *data;
static size_t data_size;

/* The base of all containers that need one. */
static unsigned char *base_data;
static wcodec_source base;

static wcodec_reader_options with_base(void)
{
    wcodec_reader_options options = wcodec_reader_defaults();
    options.base = &base;
    return options;
}

/* ---- the originals beside a container ---- */

#define MAX_ORIGINALS 16

typedef struct originals { test_sink view; size_t begin[MAX_ORIGINALS + 1], count; } originals;

static int add_original(originals *o, const char *suffix)
{
    char name[512];
    unsigned char *bytes;
    size_t size;
    (void)snprintf(name, sizeof name, "%.*s%s", (int)(strlen(path) - strlen(".wcodec")), path, suffix);
    bytes = test_load(name, &size);
    if (bytes == NULL || o->count == MAX_ORIGINALS) return 0;
    (void)test_sink_write(&o->view, bytes, size);
    o->begin[++o->count] = o->view.size;
    free(bytes);
    return 1;
}

/* NAME.bin, or NAME.0.bin, NAME.1.bin ..., or nothing. */
static originals load_originals(void)
{
    originals o;
    char suffix[32];
    memset(&o, 0, sizeof o);
    if (!add_original(&o, ".bin"))
        do (void)snprintf(suffix, sizeof suffix, ".%u.bin", (unsigned)o.count);
        while (add_original(&o, suffix));
    if (o.view.data == NULL) o.view.data = (unsigned char *)test_malloc(1);     /* to add 0 to */
    return o;
}

/* ---- good ones ---- */

static void good_by_reader(const originals *o)
{
    const wcodec_reader_options options = with_base();
    const wcodec_source source = wcodec_source_memory(data, data_size);
    wcodec_reader *reader = NULL;
    wcodec_reader_info info;
    test_random r = test_random_new(data_size);
    test_guard scratch;
    unsigned char *dst;
    size_t i;
    REQUIRE_OK(wcodec_reader_open(&reader, &source, &options, NULL));
    wcodec_reader_get_info(reader, &info);
    scratch = test_guard_new(wcodec_reader_scratch(reader));
    dst = (unsigned char *)test_malloc(o->view.size);
    CHECK_EQ(info.originals, o->count);
    if (CHECK_EQ(info.view_size, o->view.size)) {
        CHECK_STATUS(wcodec_read(reader, 0, dst, o->view.size, scratch.data, scratch.size, NULL), WCODEC_OK);
        CHECK_MEM(dst, o->view.data, o->view.size);
        for (i = 0; i < 40 && o->view.size != 0; i++) {
            const size_t at = test_below(&r, o->view.size), n = test_below(&r, o->view.size - at + 1);
            test_note("%zu bytes at %zu", n, at);
            CHECK_STATUS(wcodec_read(reader, at, dst, n, scratch.data, scratch.size, NULL), WCODEC_OK);
            CHECK_MEM(dst, o->view.data + at, n);
        }
        for (i = 0; i < info.originals && i < o->count; i++) {
            wcodec_original a;
            wcodec_sha256 sha;
            unsigned char digest[32];
            REQUIRE_OK(wcodec_reader_original(reader, i, &a));
            CHECK(a.offset == o->begin[i] && a.size == o->begin[i + 1] - o->begin[i]);
            wcodec_sha256_init(&sha);
            wcodec_sha256_update(&sha, o->view.data + a.offset, (size_t)a.size);
            wcodec_sha256_final(&sha, digest);
            if (a.has_sha256) CHECK_MEM(a.sha256, digest, 32);
        }
    }
    free(dst);
    test_guard_free(&scratch);
    wcodec_reader_close(reader);
}

static void good_by_push(const originals *o, size_t in, size_t out)
{
    test_random r = test_random_new(data_size);
    const wcodec_reader_options options = with_base();
    make_pushed p = make_push_all(data, data_size, in, out, &r, &options);
    test_note("%zu bytes in, %zu out", in, out);
    CHECK_STATUS(p.status, WCODEC_END);
    CHECK_EQ(p.taken, data_size);
    CHECK_EQ(p.originals, o->count);
    if (CHECK_EQ(p.bytes.size, o->view.size)) CHECK_MEM(p.bytes.data, o->view.data, p.bytes.size);
    test_sink_free(&p.bytes);
}

static void good(void)
{
    originals o = load_originals();
    good_by_reader(&o);
    good_by_push(&o, SIZE_MAX, 1 << 16);
    good_by_push(&o, 0, 0);
    if (data_size < 20000 && o.view.size < 100000) {
        good_by_push(&o, 1, 1 << 12);
        good_by_push(&o, 13, 1);
    }
    test_sink_free(&o.view);
}

/* ---- bad ones ---- */

/* The status in a name, "NAME.corrupt.wcodec"; OK if there is none. */
static wcodec_status status_of_name(void)
{
    static const struct { const char *word; wcodec_status status; } words[] = {
        { "truncated", WCODEC_E_TRUNCATED }, { "magic", WCODEC_E_MAGIC }, { "version", WCODEC_E_VERSION },
        { "unsupported", WCODEC_E_UNSUPPORTED }, { "corrupt", WCODEC_E_CORRUPT },
        { "checksum", WCODEC_E_CHECKSUM }, { "base", WCODEC_E_BASE }, { "limit", WCODEC_E_LIMIT } };
    const char *end = path + strlen(path) - strlen(".wcodec");
    size_t i;
    for (i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t n = strlen(words[i].word);
        if ((size_t)(end - path) > n && end[-(ptrdiff_t)n - 1] == '.'
            && memcmp(end - n, words[i].word, n) == 0)
            return words[i].status;
    }
    return WCODEC_OK;
}

/* What a push decoder says of an input that ends early is that it wants more. */
static wcodec_status status_of_push(wcodec_status status)
{
    return status == WCODEC_E_TRUNCATED ? WCODEC_MORE_INPUT : status;
}

static int name_begins_with(const char *prefix)
{
    const char *name = strrchr(path, '/');
    return strncmp(name ? name + 1 : path, prefix, strlen(prefix)) == 0;
}

/* Reads everything, and compares what has a SHA-256 with it. */
static wcodec_status verify(void)
{
    const wcodec_reader_options options = with_base();
    const wcodec_source source = wcodec_source_memory(data, data_size);
    wcodec_reader *reader = NULL;
    wcodec_original a;
    unsigned char *view, digest[32];
    size_t size, i;
    wcodec_status st = make_read_all_based(data, data_size, &options, &view, &size);
    if (st != WCODEC_OK) return st;
    if (!CHECK_STATUS(wcodec_reader_open(&reader, &source, &options, NULL), WCODEC_OK)) return WCODEC_OK;
    for (i = 0; wcodec_reader_original(reader, i, &a) == WCODEC_OK; i++) {
        wcodec_sha256 sha;
        wcodec_sha256_init(&sha);
        wcodec_sha256_update(&sha, view + a.offset, (size_t)a.size);
        wcodec_sha256_final(&sha, digest);
        if (a.has_sha256 && memcmp(a.sha256, digest, 32) != 0) st = WCODEC_E_CHECKSUM;
    }
    wcodec_reader_close(reader);
    free(view);
    return st;
}

/* Where the name says CORRUPT, and another word is as true: a footer that is not recognized may be one that
 * was cut off, and memory for what a footer claims is refused before the claim is compared with anything. */
static int is_as_true(wcodec_status status)
{
    return (status == WCODEC_E_TRUNCATED && name_begins_with("footer-body-size-"))
           || (status == WCODEC_E_LIMIT && (name_begins_with("footer-index-size-2-32")
                                            || name_begins_with("index-footer-names-4294967295")));
}

static void bad(void)
{
    const wcodec_reader_options options = with_base();
    const wcodec_status expected = status_of_name(), st = verify();
    make_pushed p = make_push_all(data, data_size, SIZE_MAX, 1 << 16, NULL, &options);
    REQUIRE(expected != WCODEC_OK);
    if (!is_as_true(st)) CHECK_STATUS(st, expected);
    if ((p.status != WCODEC_END || !name_begins_with("index-")) && !is_as_true(p.status))
        CHECK_STATUS(p.status, status_of_push(expected));
    test_sink_free(&p.bytes);
}

static void bad_stream(void)
{
    const wcodec_reader_options options = with_base();
    const wcodec_status expected = status_of_name();
    originals o = load_originals();
    unsigned char *view;
    size_t size;
    wcodec_status st;
    make_pushed p = make_push_all(data, data_size, SIZE_MAX, 1 << 16, NULL, &options);
    make_pushed q = make_push_all(data, data_size, 1, 1 << 16, NULL, &options);
    REQUIRE(expected != WCODEC_OK);
    CHECK_STATUS(p.status, status_of_push(expected));
    CHECK_STATUS(q.status, status_of_push(expected));
    st = make_read_all_based(data, data_size, &options, &view, &size);
    CHECK(st <= 0);
    if (st == WCODEC_OK && CHECK_EQ(size, o.view.size)) CHECK_MEM(view, o.view.data, size);
    free(view);
    test_sink_free(&p.bytes);
    test_sink_free(&q.bytes);
    test_sink_free(&o.view);
}

/* The index and the O records disagree: each way alone may come to the end, but then bytes are the same. */
static void bad_both(void)
{
    const wcodec_reader_options options = with_base();
    unsigned char *view;
    size_t size;
    const wcodec_status st = make_read_all_based(data, data_size, &options, &view, &size);
    make_pushed p = make_push_all(data, data_size, SIZE_MAX, 1 << 16, NULL, &options);
    CHECK(st <= 0);
    CHECK(p.status < 0 || p.status == WCODEC_END);
    if (st == WCODEC_OK && p.status == WCODEC_END && CHECK_EQ(p.bytes.size, size))
        CHECK_MEM(p.bytes.data, view, size);
    free(view);
    test_sink_free(&p.bytes);
}

/* ---- */

static void run_folder(const char *folder, void (*function)(void))
{
    size_t count, i, containers = 0;
    char **paths = test_list(folder, &count);
    for (i = 0; i < count; i++) {
        const size_t n = strlen(paths[i]);
        if (n < 7 || strcmp(paths[i] + n - 7, ".wcodec") != 0) continue;
        path = paths[i];
        data = test_load(path, &data_size);
        if (data == NULL) test_die(path);
        test_run(path, function);
        free(data);
        containers++;
    }
    if (containers == 0) test_die("the folder of golden containers is empty");
    test_list_free(paths, count);
}

int main(void)
{
    size_t base_size;
    base_data = test_load("tests/golden/base.bin", &base_size);
    if (base_data == NULL) test_die("tests/golden/base.bin");
    base = wcodec_source_memory(base_data, base_size);
    run_folder("tests/golden/good", good);
    run_folder("tests/golden/bad", bad);
    run_folder("tests/golden/bad_stream", bad_stream);
    run_folder("tests/golden/bad_both", bad_both);
    free(base_data);
    return test_end();
}
