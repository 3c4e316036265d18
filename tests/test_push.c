/* The push decoder: neither the bytes nor the result depend on how the input is cut. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

/* What comes out is the view, and the end is where it must be. */
static void check_pushed(make_pushed *p, const make_container *c, size_t originals)
{
    CHECK_STATUS(p->status, WCODEC_END);
    CHECK_EQ(p->taken, c->out.size);
    CHECK_EQ(p->originals, originals);
    if (CHECK_EQ(p->bytes.size, c->view.size)) CHECK_MEM(p->bytes.data, c->view.data, c->view.size);
    test_sink_free(&p->bytes);
}

static size_t originals_of_small(unsigned number)
{
    return number == 1 ? 3 : number == 3 ? 0 : 1;
}

/* Every size of input chunk with every of some sizes of output, and the other way round. */
static void every_chunk_size(void)
{
    static const size_t some[] = { 1, 2, 7, 8, 31, 64, 65, 1000 };
    unsigned number;
    for (number = 0; number < MAKE_SMALLS; number++) {
        make_container c;
        size_t n, i;
        make_small(&c, number);
        for (n = 1; n <= c.out.size; n++)
            for (i = n % 3; i < 8; i += 3) {
                make_pushed p = make_push_all(c.out.data, c.out.size, n, some[i], NULL, NULL);
                test_note("container %u, %zu bytes in, %zu out", number, n, some[i]);
                check_pushed(&p, &c, originals_of_small(number));
            }
        for (n = 1; n <= c.view.size; n++)
            for (i = n % 4; i < 8; i += 4) {
                make_pushed p = make_push_all(c.out.data, c.out.size, some[i], n, NULL, NULL);
                test_note("container %u, %zu bytes in, %zu out", number, some[i], n);
                check_pushed(&p, &c, originals_of_small(number));
            }
        make_free(&c);
    }
}

/* Larger containers of full tiles, cut at random. */
static void random_chunks(void)
{
    test_random r = test_random_new(2);
    make_container c;
    unsigned i;
    make_init(&c, 9);
    make_begin(&c);
    make_original(&c, "first", 0);
    make_tensor(&c, "w", WCODEC_BF16, 300, 512, MAKE_WEIGHTS);
    make_tensor(&c, "v", WCODEC_F32, 100, 300, MAKE_WEIGHTS);
    make_original(&c, "second", 0);
    make_tensor(&c, "w", WCODEC_I8, 1000, 200, MAKE_DOUBLING);
    make_end(&c);
    for (i = 0; i < 20; i++) {
        make_pushed p = make_push_all(c.out.data, c.out.size, i == 0 ? c.out.size : 0, i == 1 ? 1 << 16 : 0,
                                      &r,
                                      NULL);
        test_note("run %u", i);
        check_pushed(&p, &c, 2);
    }
    make_free(&c);
}

/* Numbers and names of originals, as they begin. */
static void originals(void)
{
    static const char *const names[3] = { "a", "", "b" };
    make_container c;
    wcodec_push *push = NULL;
    wcodec_status st = WCODEC_OK;
    unsigned char out[256];
    size_t at = 0, seen = 0, total = 0;
    make_small(&c, 1);
    REQUIRE_OK(wcodec_push_open(&push, NULL, NULL));
    while (st >= 0 && st != WCODEC_END && at <= c.out.size) {
        size_t used, made, number, name_size;
        const char *name;
        int from_parts;
        st = wcodec_push_step(push, c.out.data + at, c.out.size - at, &used, out, sizeof out, &made, NULL);
        at += used;
        total += made;
        if (st != WCODEC_ORIGINAL) continue;
        wcodec_push_original(push, &number, &name, &name_size, &from_parts);
        wcodec_push_original(push, NULL, NULL, NULL, NULL);
        REQUIRE(seen < 3);
        CHECK_EQ(number, seen);
        if (CHECK_EQ(name_size, strlen(names[seen]))) CHECK_MEM(name, names[seen], name_size);
        CHECK_EQ(from_parts, seen == 2);
        CHECK_EQ(total, seen == 0 ? 0 : 70);
        seen++;
    }
    CHECK_STATUS(st, WCODEC_END);
    CHECK_EQ(seen, 3);
    wcodec_push_close(push);
    wcodec_push_close(NULL);
    make_free(&c);
}

/* After the end nothing more is taken, and the end stays. */
static void bytes_after_the_end(void)
{
    unsigned number;
    for (number = 0; number < MAKE_SMALLS; number++) {
        make_container c;
        wcodec_push *push = NULL;
        unsigned char out[1024], *longer;
        size_t used, made, at = 0, i;
        wcodec_status st = WCODEC_OK;
        make_small(&c, number);
        longer = (unsigned char *)test_malloc(c.out.size + 100);
        memcpy(longer, c.out.data, c.out.size);
        memset(longer + c.out.size, 'F', 100);
        REQUIRE_OK(wcodec_push_open(&push, NULL, NULL));
        for (i = 0; i < 10 && st >= 0 && st != WCODEC_END; i++) {
            st = wcodec_push_step(push, longer + at, c.out.size + 100 - at, &used, out, sizeof out, &made,
                                  NULL);
            at += used;
        }
        test_note("container %u", number);
        CHECK_STATUS(st, WCODEC_END);
        CHECK_EQ(at, c.out.size);
        for (i = 0; i < 3; i++) {
            used = made = 99;
            CHECK_STATUS(wcodec_push_step(push, longer, 50, &used, out, sizeof out, &made, NULL), WCODEC_END);
            CHECK(used == 0 && made == 0);
        }
        wcodec_push_close(push);
        free(longer);
        make_free(&c);
    }
}

/* A container that is cut off anywhere: it asks for more, and never says that it is complete. */
static void every_truncation(void)
{
    unsigned number;
    for (number = 0; number < MAKE_SMALLS; number++) {
        make_container c;
        size_t n;
        make_small(&c, number);
        for (n = 0; n < c.out.size; n++) {
            make_pushed p = make_push_all(c.out.data, n, n % 2 ? 5 : 4096, 4096, NULL, NULL);
            test_note("container %u, %zu of %zu bytes", number, n, c.out.size);
            CHECK_STATUS(p.status, WCODEC_MORE_INPUT);
            CHECK_EQ(p.taken, n);
            if (CHECK(p.bytes.size <= c.view.size)) CHECK_MEM(p.bytes.data, c.view.data, p.bytes.size);
            test_sink_free(&p.bytes);
        }
        make_free(&c);
    }
}

/* Feeds a container that ends in an error, and then anything else. */
static void check_error_stays(const make_container *c, wcodec_status expected)
{
    wcodec_push *push = NULL;
    wcodec_error err;
    wcodec_status st = WCODEC_OK;
    unsigned char out[64];
    size_t used, made, at = 0, k;
    memset(&err, 0, sizeof err);
    REQUIRE_OK(wcodec_push_open(&push, NULL, NULL));
    for (k = 0; k < 1000 && st >= 0; k++) {
        st = wcodec_push_step(push, c->out.data + at, c->out.size - at, &used, out, sizeof out, &made, &err);
        at += used;
    }
    CHECK_STATUS(st, expected);
    CHECK(err.status == expected && err.what != NULL && err.offset <= c->out.size);
    used = made = 99;
    CHECK_STATUS(wcodec_push_step(push, c->out.data, 10, &used, out, sizeof out, &made, NULL), expected);
    CHECK(used == 0 && made == 0);
    CHECK_STATUS(wcodec_push_step(push, NULL, 0, &used, NULL, 0, &made, NULL), expected);
    wcodec_push_close(push);
}

/* An error stays, whatever comes after it, and does not depend on the chunks either. */
static void errors_stay(void)
{
    make_container c;
    size_t n;
    test_random r = test_random_new(3);
    make_small(&c, 0);
    for (n = 0; n < c.out.size; n++) {
        make_pushed p[3];
        size_t k;
        c.out.data[n] ^= 0x10;
        test_note("byte %zu changed", n);
        for (k = 0; k < 3; k++)
            p[k] = make_push_all(c.out.data, c.out.size, k == 0 ? 1 : k == 1 ? c.out.size : 0, k == 1
                                 ? 4096 : 0,
                                 &r, NULL);
        CHECK(p[0].status < 0 || p[0].status == WCODEC_MORE_INPUT);
        for (k = 1; k < 3; k++) {
            CHECK_EQ(p[k].status, p[0].status);
            CHECK_EQ(p[k].bytes.size, p[0].bytes.size);
        }
        CHECK(p[0].bytes.size <= c.view.size);
        CHECK_MEM(p[0].bytes.data, c.view.data, p[0].bytes.size);
        for (k = 0; k < 3; k++) test_sink_free(&p[k].bytes);
        if (p[0].status < 0) check_error_stays(&c, p[0].status);
        c.out.data[n] ^= 0x10;
    }
    make_free(&c);
}

/* No room for output, no input: it says what it waits for. */
static void nothing_to_do(void)
{
    make_container c;
    wcodec_push *push = NULL;
    size_t used, made, at = 0;
    wcodec_status st;
    make_small(&c, 2);
    REQUIRE_OK(wcodec_push_open(&push, NULL, NULL));
    CHECK_STATUS(wcodec_push_step(push, NULL, 0, &used, NULL, 0, &made, NULL), WCODEC_MORE_INPUT);
    do {
        st = wcodec_push_step(push, c.out.data + at, c.out.size - at, &used, NULL, 0, &made, NULL);
        at += used;
    } while (st == WCODEC_ORIGINAL);
    CHECK_STATUS(st, WCODEC_MORE_OUTPUT);
    CHECK_STATUS(wcodec_push_step(push, c.out.data + at, c.out.size - at, &used, NULL, 0, &made, NULL),
                 WCODEC_MORE_OUTPUT);
    CHECK_EQ(made, 0);
    wcodec_push_close(push);
    make_free(&c);
}

/* Everything a tile needs is bounded by the limit, and the limit is kept. */
static void memory_limit(void)
{
    make_container c;
    test_heap heap;
    wcodec_allocator allocator = test_heap_allocator(&heap);
    wcodec_reader_options options = wcodec_reader_defaults();
    uint64_t limit;
    unsigned refused = 0, fine = 0;
    make_init(&c, 9);
    c.options.tile_units = 2000;
    make_begin(&c);
    make_original(&c, "m", 0);
    make_tensor(&c, "w", WCODEC_BF16, 30, 512, MAKE_WEIGHTS);
    make_end(&c);
    options.allocator = &allocator;
    for (limit = 100; limit < 1 << 24; limit += limit / 3) {
        make_pushed p;
        memset(&heap, 0, sizeof heap);
        options.max_memory = limit;
        p = make_push_all(c.out.data, c.out.size, 4096, 4096, NULL, &options);
        test_note("limit %llu", (unsigned long long)limit);
        CHECK(heap.peak <= limit);
        CHECK_HEAP_EMPTY(&heap);
        if (p.status == WCODEC_END) {
            fine++;
            CHECK_MEM(p.bytes.data, c.view.data, c.view.size);
        } else if (CHECK_STATUS(p.status, WCODEC_E_LIMIT)) {
            CHECK_EQ(fine, 0);
            refused++;
        }
        test_sink_free(&p.bytes);
    }
    CHECK(fine > 0 && refused > 0);
    make_free(&c);
}

int main(void)
{
    RUN(every_chunk_size);
    RUN(random_chunks);
    RUN(originals);
    RUN(bytes_after_the_end);
    RUN(every_truncation);
    RUN(errors_stay);
    RUN(nothing_to_do);
    RUN(memory_limit);
    return test_end();
}
