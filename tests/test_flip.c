/* Every byte of small containers changed in several ways: the reader gives an error or the exact original,
 * the push decoder never its end, since the container's CRC-32 covers all: an error, or, where a size was
 * changed, a wish for more input than there is. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

static const unsigned char patterns[] = { 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff, 0x55 };

/* A byte that a reader of the index does not see may change without its noticing.  Of a tile or an I record
 * that is at most the zero padding at the end; of the container also the O records and the last CRC-32. */
static void flip_reader(const make_container *c, const unsigned char *data, unsigned *fine, unsigned *wrong)
{
    unsigned char *view;
    size_t size;
    const wcodec_status st = make_read_all(data, c->out.size, &view, &size);
    if (st == WCODEC_OK) {
        ++*fine;
        *wrong += size != c->view.size || test_difference(view, c->view.data, size) != size;
    }
    free(view);
}

/* A T record whose type became that of an ancillary record, which is skipped: only the index, at the end,
 * tells that a tile is missing. */
static int hides_a_tile(const make_container *c, const unsigned char *data)
{
    size_t i;
    for (i = 0; i < c->out.size; i += 8)
        if (c->out.data[i] == 'T' && (data[i] & 0x20) != 0) return 1;
    return 0;
}

static void flip_push(const make_container *c, const unsigned char *data, unsigned *fine, unsigned *wrong)
{
    make_pushed p = make_push_all(data, c->out.size, c->out.size, 1 << 16, NULL, NULL);
    *fine += p.status == WCODEC_END;
    CHECK(p.status < 0 || p.status == WCODEC_MORE_INPUT || p.status == WCODEC_END);
    if (!hides_a_tile(c, data))
        *wrong += p.bytes.size > c->view.size
                  || (p.bytes.size != 0 && memcmp(p.bytes.data, c->view.data, p.bytes.size) != 0);
    test_sink_free(&p.bytes);
}

static void flip_container(unsigned number)
{
    make_container c;
    size_t at, k;
    unsigned char *data;
    make_small(&c, number);
    data = (unsigned char *)test_malloc(c.out.size);
    memcpy(data, c.out.data, c.out.size);
    for (at = 0; at < c.out.size; at++) {
        unsigned read_fine = 0, read_wrong = 0, push_fine = 0, push_wrong = 0;
        for (k = 0; k < sizeof patterns; k++) {
            data[at] ^= patterns[k];
            flip_reader(&c, data, &read_fine, &read_wrong);
            flip_push(&c, data, &push_fine, &push_wrong);
            data[at] ^= patterns[k];
        }
        test_note("container %u, byte %zu of %zu", number, at, c.out.size);
        CHECK_EQ(read_wrong, 0);
        CHECK_EQ(push_wrong, 0);
        CHECK_EQ(push_fine, 0);
        /* Header and footer are covered by checksums and rules, but for the container's CRC-32. */
        if (at < 32 || (at >= c.out.size - 64 && at < c.out.size - 8) || at >= c.out.size - 4)
            CHECK_EQ(read_fine, 0);
    }
    free(data);
    make_free(&c);
}

static void segments(void) { flip_container(0); }
static void originals(void) { flip_container(1); }
static void long_rows(void) { flip_container(2); }
static void empty(void) { flip_container(3); }
static void one_tile(void) { flip_container(4); }
static void constants(void) { flip_container(5); }

/* Two bytes at a time, at random. */
static void two_bytes(void)
{
    test_random r = test_random_new(1);
    unsigned number;
    for (number = 0; number < MAKE_SMALLS; number++) {
        make_container c;
        unsigned i, fine = 0, ended = 0, wrong = 0;
        unsigned char *data;
        make_small(&c, number);
        data = (unsigned char *)test_malloc(c.out.size);
        for (i = 0; i < 3000; i++) {
            const size_t a = test_below(&r, c.out.size), b = test_below(&r, c.out.size);
            memcpy(data, c.out.data, c.out.size);
            data[a] ^= (unsigned char)(1 + test_below(&r, 255));
            if (a != b) data[b] ^= (unsigned char)test_next(&r);
            flip_reader(&c, data, &fine, &wrong);
            flip_push(&c, data, &ended, &wrong);
        }
        test_note("container %u", number);
        CHECK_EQ(wrong, 0);
        CHECK_EQ(ended, 0);
        free(data);
        make_free(&c);
    }
}

int main(void)
{
    RUN(segments);
    RUN(originals);
    RUN(long_rows);
    RUN(empty);
    RUN(one_tile);
    RUN(constants);
    RUN(two_bytes);
    return test_end();
}
