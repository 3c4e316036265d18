/* Threads: many share one reader, and what threads make or read is what one thread makes or reads.
 * Worth a run under -fsanitize=thread too:
 *
 *   clang -std=c99 -g -O1 -fsanitize=thread -pthread -o test_threads tests/test_threads.c && ./test_threads
 */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

#include <pthread.h>

#define MAX_WORKERS 8

/* ---- a parallel_for with threads ---- */

typedef struct job {
    pthread_mutex_t lock;
    size_t next, count;
    void (*task)(void *arg, size_t i, unsigned worker);
    void *arg;
} job;

typedef struct worker { job *work; unsigned number; pthread_t thread; } worker;

static void *work(void *user)
{
    const worker *w = (const worker *)user;
    for (;;) {
        size_t i;
        pthread_mutex_lock(&w->work->lock);
        i = w->work->next++;
        pthread_mutex_unlock(&w->work->lock);
        if (i >= w->work->count) return NULL;
        w->work->task(w->work->arg, i, w->number);
    }
}

static void run_threads(void *user, size_t count, void (*task)(void *arg, size_t i, unsigned worker),
                        void *arg)
{
    const unsigned workers = *(const unsigned *)user;
    worker list[MAX_WORKERS];
    job j;
    unsigned i;
    j.next = 0;
    j.count = count;
    j.task = task;
    j.arg = arg;
    if (pthread_mutex_init(&j.lock, NULL) != 0) test_die("mutex");
    for (i = 0; i < workers; i++) {
        list[i].work = &j;
        list[i].number = i;
        if (pthread_create(&list[i].thread, NULL, work, &list[i]) != 0) test_die("thread");
    }
    for (i = 0; i < workers; i++) pthread_join(list[i].thread, NULL);
    pthread_mutex_destroy(&j.lock);
}

static wcodec_parallel threads(unsigned *workers)
{
    wcodec_parallel p;
    p.run = run_threads;
    p.user = workers;
    p.workers = *workers;
    return p;
}

/* ---- data ---- */

/* Several originals and dtypes, in many tiles; the parallel writer gets its data in the same pieces. */
static void make_model(make_container *c, const wcodec_parallel *parallel, uint32_t tile_units)
{
    make_init(c, 5);
    c->options.parallel = parallel;
    c->options.tile_units = tile_units;
    make_begin(c);
    make_original(c, "a", 0);
    make_bytes(c, "head", "some bytes at first", 19);
    make_tensor(c, "bf16", WCODEC_BF16, 300, 128, MAKE_WEIGHTS);
    make_tensor(c, "f32", WCODEC_F32, 70, 200, MAKE_WEIGHTS);
    make_original(c, "b", 0);
    make_tensor(c, "i8", WCODEC_I8, 333, 111, MAKE_DOUBLING);
    make_tensor(c, "rows", WCODEC_U16, 200, 64, MAKE_ROWS);
    make_tensor(c, "noise", WCODEC_U8, 10000, 0, MAKE_RANDOM);
    make_end(c);
}

/* ---- tests ---- */

static void writer_with_threads(void)
{
    static const uint32_t tile_units[] = { 500, 4096, 0 };
    size_t i;
    for (i = 0; i < 3; i++) {
        make_container serial;
        unsigned workers;
        make_model(&serial, NULL, tile_units[i]);
        for (workers = 1; workers <= MAX_WORKERS; workers += workers < 3 ? 1u : 5u) {
            const wcodec_parallel p = threads(&workers);
            make_container parallel;
            make_model(&parallel, &p, tile_units[i]);
            test_note("%u workers, tiles of %u", workers, (unsigned)tile_units[i]);
            if (CHECK_EQ(parallel.out.size, serial.out.size))
                CHECK_MEM(parallel.out.data, serial.out.data, serial.out.size);
            make_free(&parallel);
        }
        make_free(&serial);
    }
}

static void reader_with_threads(void)
{
    make_container c;
    wcodec_source source;
    wcodec_reader *reader = NULL;
    unsigned workers;
    make_model(&c, NULL, 500);
    source = wcodec_source_memory(c.out.data, c.out.size);
    REQUIRE_OK(wcodec_reader_open(&reader, &source, NULL, NULL));
    for (workers = 1; workers <= MAX_WORKERS; workers++) {
        const wcodec_parallel p = threads(&workers);
        test_progress seen = { 0, 0, 0, 0 };
        const wcodec_progress progress = test_progress_of(&seen);
        test_guard scratch = test_guard_new(wcodec_reader_scratch(reader) * workers);
        unsigned char *dst = (unsigned char *)test_malloc(c.view.size);
        CHECK_STATUS(wcodec_read_parallel(reader, 0, dst, c.view.size, scratch.data, scratch.size, &p,
                                          &progress,
                                          NULL), WCODEC_OK);
        CHECK_MEM(dst, c.view.data, c.view.size);
        CHECK(seen.done == c.view.size && seen.calls > 0);
        free(dst);
        test_guard_free(&scratch);
    }
    wcodec_reader_close(reader);
    make_free(&c);
}

/* A broken tile is found by every number of threads, with the same status. */
static void errors_with_threads(void)
{
    make_container c;
    wcodec_source source;
    wcodec_reader *reader = NULL;
    wcodec_tile_span span;
    unsigned workers;
    make_model(&c, NULL, 500);
    source = wcodec_source_memory(c.out.data, c.out.size);
    REQUIRE_OK(wcodec_reader_open(&reader, &source, NULL, NULL));
    REQUIRE_OK(wcodec_reader_tile(reader, c.view.size / 2, &span));
    c.out.data[span.container_offset + 6] ^= 1;
    for (workers = 1; workers <= MAX_WORKERS; workers++) {
        const wcodec_parallel p = threads(&workers);
        const size_t need = wcodec_reader_scratch(reader) * workers;
        void *scratch = test_malloc(need);
        unsigned char *dst = (unsigned char *)test_malloc(c.view.size);
        wcodec_error err;
        memset(&err, 0, sizeof err);
        CHECK_STATUS(wcodec_read_parallel(reader, 0, dst, c.view.size, scratch, need, &p, NULL, &err),
                     WCODEC_E_CHECKSUM);
        CHECK(err.status == WCODEC_E_CHECKSUM && err.offset >= span.container_offset
              && err.offset < span.container_offset + span.container_size);
        free(dst);
        free(scratch);
    }
    wcodec_reader_close(reader);
    make_free(&c);
}

/* One of many threads that read what they like from the same reader. */
typedef struct visitor {
    const wcodec_reader *reader;
    const make_container *container;
    uint64_t seed;
    unsigned reads, wrong;
    pthread_t thread;
} visitor;

static void *visit(void *user)
{
    visitor *v = (visitor *)user;
    test_random r = test_random_new(v->seed);
    const size_t size = v->container->view.size, need = wcodec_reader_scratch(v->reader);
    void *scratch = test_malloc(need);
    unsigned char *dst = (unsigned char *)test_malloc(20000);
    for (; v->reads < 150; v->reads++) {
        const size_t at = test_below(&r, size), left = size - at;
        const size_t n = test_below(&r, (left < 20000 ? left : 20000) + 1);
        wcodec_segment s;
        wcodec_tile_span span;
        size_t found;
        if (wcodec_read(v->reader, at, dst, n, scratch, need, NULL) != WCODEC_OK) v->wrong++;
        else if (n != 0 && memcmp(dst, v->container->view.data + at, n) != 0) v->wrong++;
        v->wrong += wcodec_reader_find(v->reader, "i8", 2, &found) != WCODEC_OK || found != 3;
        v->wrong += wcodec_reader_segment(v->reader, 2, &s) != WCODEC_OK || s.size != 56000;
        v->wrong += wcodec_reader_tile(v->reader, at, &span) != WCODEC_OK || span.offset > at;
    }
    free(dst);
    free(scratch);
    return NULL;
}

/* A callback that may be called from every thread at once. */
static wcodec_status read_shared(void *user, uint64_t offset, void *dst, size_t size, size_t *got)
{
    const test_sink *file = (const test_sink *)user;
    *got = 0;
    if (offset >= file->size) return WCODEC_OK;
    *got = file->size - (size_t)offset < size ? file->size - (size_t)offset : size;
    memcpy(dst, file->data + (size_t)offset, *got);
    return WCODEC_OK;
}

static void one_reader_for_all(void)
{
    make_container c;
    unsigned kind, i;
    make_model(&c, NULL, 1000);
    for (kind = 0; kind < 2; kind++) {
        wcodec_source source = wcodec_source_memory(c.out.data, c.out.size);
        wcodec_reader *reader = NULL;
        visitor list[MAX_WORKERS];
        if (kind == 1) {
            source.memory = NULL;
            source.read_at = read_shared;
            source.user = &c.out;
        }
        REQUIRE_OK(wcodec_reader_open(&reader, &source, NULL, NULL));
        memset(list, 0, sizeof list);
        for (i = 0; i < MAX_WORKERS; i++) {
            list[i].reader = reader;
            list[i].container = &c;
            list[i].seed = i;
            if (pthread_create(&list[i].thread, NULL, visit, &list[i]) != 0) test_die("thread");
        }
        for (i = 0; i < MAX_WORKERS; i++) {
            pthread_join(list[i].thread, NULL);
            test_note("thread %u, %s", i, kind ? "callback" : "memory");
            CHECK_EQ(list[i].reads, 150);
            CHECK_EQ(list[i].wrong, 0);
        }
        wcodec_reader_close(reader);
    }
    make_free(&c);
}

int main(void)
{
    RUN(writer_with_threads);
    RUN(reader_with_threads);
    RUN(errors_with_threads);
    RUN(one_reader_for_all);
    return test_end();
}
