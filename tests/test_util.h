/* What every test program shares.  A program looks like this:
 *
 *   #define WCODEC_IMPLEMENTATION
 *   #include "test_util.h"
 *
 *   static void test_crc_of_nothing(void)
 *   {
 *       CHECK_EQ(wcodec_crc32(0, NULL, 0), 0);
 *   }
 *
 *   int main(void)
 *   {
 *       RUN(test_crc_of_nothing);
 *       return test_end();
 *   }
 *
 * A test passes if all its checks hold and there was at least one.  Checks go on after a failure, REQUIRE
 * leaves the function.  The program's last line is "N passed, N failed[, N skipped]", its exit code 0 or 1.
 * Programs run in the root of the repository.  This file comes before any system header. */
#ifndef TEST_UTIL_H
#define TEST_UTIL_H

#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE     /* MAP_ANONYMOUS */
#endif

#ifndef WCODEC_H
#include "../wcodec.h"
#endif

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- tests and checks ---- */

#define TEST_MAX_REPORTS 10     /* failed checks that a test prints */

static struct {
    unsigned long passed, failed, skipped;      /* tests */
    unsigned long checks, wrong;                /* checks of the running test */
    int skip;                                   /* the running test has been given up */
    char note[256];
} test_state;

#define RUN(function) test_run(#function, function)

/* Each gives 1 if it holds, 0 if not. */
#define CHECK(cond) test_check((cond) != 0, __FILE__, __LINE__, "%s", #cond)
#define CHECK_EQ(a, b) test_check_eq((long long)(a), (long long)(b), __FILE__, __LINE__, #a, #b)
#define CHECK_STATUS(call, wanted) test_check_status((int)(call), (int)(wanted), __FILE__, __LINE__, #call)
#define CHECK_MEM(a, b, size) test_check_mem((a), (b), (size), __FILE__, __LINE__, #a, #b)
#define CHECK_STR(a, b) test_check_str((a), (b), __FILE__, __LINE__, #a, #b)

/* For functions without a result: what follows makes no sense unless this holds. */
#define REQUIRE(cond) do { if (!CHECK(cond)) return; } while (0)
#define REQUIRE_OK(call) do { if (!CHECK_STATUS(call, WCODEC_OK)) return; } while (0)

#if defined(__GNUC__)
#define TEST_PRINTF(at, rest) __attribute__((format(printf, at, rest)))
#else
#define TEST_PRINTF(at, rest)
#endif

/* Says what the checks that follow are about; printed with each that fails.  Each test begins without. */
static inline void test_note(const char *format, ...) TEST_PRINTF(1, 2);
static inline void test_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(test_state.note, sizeof test_state.note, format, args);
    va_end(args);
}

/* Gives the running test up, which then counts as skipped unless a check has failed; return after it. */
static inline void test_skip(const char *reason)
{
    printf("  skipped: %s\n", reason);
    test_state.skip = 1;
}

static inline int test_check(int holds, const char *file, int line, const char *format, ...)
    TEST_PRINTF(4, 5);
static inline int test_check(int holds, const char *file, int line, const char *format, ...)
{
    va_list args;
    test_state.checks++;
    if (holds) return 1;
    if (test_state.wrong++ >= TEST_MAX_REPORTS) return 0;
    printf("  %s:%d: does not hold: ", file, line);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    if (test_state.note[0]) printf("  [%s]", test_state.note);
    printf("\n");
    fflush(stdout);
    return 0;
}

static inline int test_check_eq(long long a, long long b, const char *file, int line, const char *as,
                                const char *bs)
{
    return test_check(a == b, file, line, "%s == %s: %lld (0x%llx) and %lld (0x%llx)", as, bs, a,
                      (unsigned long long)a, b, (unsigned long long)b);
}

static inline int test_check_status(int status, int expected, const char *file, int line, const char *call)
{
    return test_check(status == expected, file, line, "%s: status %d (%s), not %d (%s)", call, status,
                      wcodec_status_string((wcodec_status)status), expected,
                      wcodec_status_string((wcodec_status)expected));
}

/* Where two runs of bytes first differ; `size` if they do not. */
static inline size_t test_difference(const void *a, const void *b, size_t size)
{
    const unsigned char *x = (const unsigned char *)a, *y = (const unsigned char *)b;
    size_t i = 0;
    if (size == 0 || memcmp(a, b, size) == 0) return size;
    while (x[i] == y[i]) i++;
    return i;
}

static inline int test_check_mem(const void *a, const void *b, size_t size, const char *file, int line,
                                 const char *as, const char *bs)
{
    const size_t at = test_difference(a, b, size);
    if (at == size) return test_check(1, file, line, "%s", as);
    return test_check(0, file, line, "%s and %s are the same %zu bytes: byte %zu is %02x and %02x", as, bs,
                      size, at, ((const unsigned char *)a)[at], ((const unsigned char *)b)[at]);
}

static inline int test_check_str(const char *a, const char *b, const char *file, int line, const char *as,
                                 const char *bs)
{
    return test_check(a && b && strcmp(a, b) == 0, file, line, "%s is %s: \"%s\" and \"%s\"", as, bs,
                      a ? a : "NULL", b ? b : "NULL");
}

/* The name is printed first, so that a crash shows whose it was. */
static inline void test_run(const char *name, void (*function)(void))
{
    test_state.checks = test_state.wrong = 0;
    test_state.skip = 0;
    test_state.note[0] = 0;
    printf("%s\n", name);
    fflush(stdout);
    function();
    if (test_state.wrong > TEST_MAX_REPORTS)
        printf("  and %lu more\n", test_state.wrong - TEST_MAX_REPORTS);
    if (test_state.checks == 0 && !test_state.skip) printf("  it checked nothing\n");
    if (test_state.wrong) test_state.failed++;
    else if (test_state.skip) test_state.skipped++;
    else if (test_state.checks == 0) test_state.failed++;
    else test_state.passed++;
}

static inline int test_end(void)
{
    printf("%lu passed, %lu failed", test_state.passed, test_state.failed);
    if (test_state.skipped) printf(", %lu skipped", test_state.skipped);
    printf("\n");
    return test_state.failed != 0;
}

/* Ends the program: the test itself cannot go on, say without memory. */
static inline void test_die(const char *what)
{
    printf("  gave up: %s\n", what);
    fflush(stdout);
    exit(2);
}

/* malloc that does not fail; size 0 gives memory too. */
static inline void *test_malloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p) test_die("out of memory");
    return p;
}

/* ---- numbers that look random and are the same in every run: SplitMix64 ---- */

typedef struct test_random { uint64_t state; } test_random;

static inline test_random test_random_new(uint64_t seed)
{
    test_random r;
    r.state = seed;
    return r;
}

static inline uint64_t test_next(test_random *r)
{
    uint64_t z = (r->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Below `n`; 0 for n = 0. */
static inline size_t test_below(test_random *r, size_t n)
{
    return n ? (size_t)(test_next(r) % n) : 0;
}

/* From 0 up to, not including, 1. */
static inline double test_real(test_random *r)
{
    return (double)(test_next(r) >> 11) / 9007199254740992.0;
}

static inline void test_fill(test_random *r, void *dst, size_t size)
{
    unsigned char *p = (unsigned char *)dst;
    size_t i;
    for (i = 0; i < size; i++) p[i] = (unsigned char)(test_next(r) >> 56);
}

/* `count` BF16 values that are distributed about as weights are: a sum of uniform numbers, times `scale`. */
static inline void test_fill_bf16(test_random *r, void *dst, size_t count, double scale)
{
    unsigned char *p = (unsigned char *)dst;
    size_t i;
    for (i = 0; i < count; i++) {
        float f = (float)((test_real(r) + test_real(r) + test_real(r) + test_real(r) - 2) * scale);
        uint32_t bits;
        memcpy(&bits, &f, 4);
        p[2 * i] = (unsigned char)(bits >> 16);
        p[2 * i + 1] = (unsigned char)(bits >> 24);
    }
}

/* ---- a buffer that ends where memory ends ---- */

/* data[size] is a fault.  What lies before data[0] is checked when the buffer is freed. */
typedef struct test_guard {
    unsigned char *data;
    size_t size;
    unsigned char *map;
    size_t map_size;
} test_guard;

#define TEST_GUARD_FILL 0xA5

static inline test_guard test_guard_new(size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t room = (size + page - 1) / page * page + page;     /* a page or more before the buffer */
    test_guard g;
    void *map = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) test_die("mmap");
    g.map = (unsigned char *)map;
    g.map_size = room + page;
    g.size = size;
    g.data = g.map + room - size;
    memset(g.map, TEST_GUARD_FILL, room - size);
    if (mprotect(g.map + room, page, PROT_NONE)) test_die("mprotect");
    return g;
}

static inline test_guard test_guard_copy(const void *src, size_t size)
{
    test_guard g = test_guard_new(size);
    if (size) memcpy(g.data, src, size);
    return g;
}

static inline void test_guard_free(test_guard *g)
{
    const unsigned char *p;
    for (p = g->map; p < g->data; p++) {
        if (*p == TEST_GUARD_FILL) continue;
        (void)test_check(0, __FILE__, __LINE__, "%zu bytes before a buffer were written",
                         (size_t)(g->data - p));
        break;
    }
    (void)munmap(g->map, g->map_size);
    g->data = NULL;
}

/* ---- an allocator that keeps accounts and fails on demand ---- */

/* Start from zeros; then set what should fail. */
typedef struct test_heap {
    size_t live, blocks;        /* bytes and blocks in use */
    size_t peak, calls;         /* the most bytes at a time; calls of alloc */
    size_t fail_at;             /* call number `fail_at`, from 1, fails; 0: none */
    int fail_after;             /* ... and so does every call after it */
    size_t limit;               /* bytes that may be in use; 0: any */
} test_heap;

typedef union test_block {
    struct { size_t size; const test_heap *heap; } head;
    long double align_real;
    void *align_pointer;
    unsigned char pad[32];
} test_block;

/* Memory is handed out full of 0xCD, so that who relies on zeros is found out. */
static inline void *test_heap_alloc(void *user, size_t size)
{
    test_heap *heap = (test_heap *)user;
    test_block *block;
    heap->calls++;
    if (heap->fail_at && (heap->calls == heap->fail_at || (heap->fail_after && heap->calls > heap->fail_at)))
        return NULL;
    if (heap->limit && size > heap->limit - heap->live) return NULL;
    block = (test_block *)test_malloc(sizeof *block + size);
    block->head.size = size;
    block->head.heap = heap;
    heap->live += size;
    heap->blocks++;
    if (heap->live > heap->peak) heap->peak = heap->live;
    memset(block + 1, 0xCD, size);
    return block + 1;
}

static inline void test_heap_free(void *user, void *ptr, size_t size)
{
    test_heap *heap = (test_heap *)user;
    test_block *block;
    if (!test_check(ptr != NULL, __FILE__, __LINE__, "%s", "free is never given NULL")) return;
    block = (test_block *)ptr - 1;
    if (!test_check(block->head.heap == heap, __FILE__, __LINE__, "%s", "freed where allocated")) return;
    (void)test_check_eq((long long)size, (long long)block->head.size, __FILE__, __LINE__,
                        "size given to free", "size given to alloc");
    heap->live -= block->head.size;
    heap->blocks--;
    memset(ptr, 0xDD, block->head.size);
    block->head.heap = NULL;
    free(block);
}

static inline wcodec_allocator test_heap_allocator(test_heap *heap)
{
    wcodec_allocator a;
    a.alloc_fn = test_heap_alloc;
    a.free_fn = test_heap_free;
    a.user = heap;
    return a;
}

/* Nothing was leaked. */
#define CHECK_HEAP_EMPTY(heap) test_check((heap)->blocks == 0, __FILE__, __LINE__, \
    "%zu blocks (%zu bytes) of %s were leaked", (heap)->blocks, (heap)->live, #heap)

/* ---- sources, sinks, progress and threads that count and fail on demand ---- */

/* A file in memory behind read_at.  Start from zeros. */
typedef struct test_source {
    const unsigned char *data;
    size_t size;
    size_t calls, bytes;        /* of read_at, bytes that it gave */
    size_t fail_at;             /* call number `fail_at`, from 1, fails with E_IO; 0: none */
    size_t end;                 /* the file in truth ends here; 0: at size */
} test_source;

static inline wcodec_status test_source_read(void *user, uint64_t offset, void *dst, size_t size, size_t *got)
{
    test_source *s = (test_source *)user;
    const size_t end = s->end ? s->end : s->size;
    s->calls++;
    if (s->fail_at && s->calls == s->fail_at) return WCODEC_E_IO;
    *got = 0;
    if (offset >= end || size == 0) return WCODEC_OK;
    *got = end - (size_t)offset < size ? end - (size_t)offset : size;
    memcpy(dst, s->data + (size_t)offset, *got);
    s->bytes += *got;
    return WCODEC_OK;
}

static inline wcodec_source test_source_of(test_source *s)
{
    wcodec_source source;
    source.memory = NULL;
    source.read_at = test_source_read;
    source.user = s;
    source.size = s->size;
    return source;
}

/* A growing buffer as a sink.  Start from zeros, end with test_sink_free. */
typedef struct test_sink {
    unsigned char *data;
    size_t size, room;
    size_t calls;
    size_t fail_at;             /* call number `fail_at`, from 1, fails with E_IO; 0: none */
    size_t full_at;             /* a disk that takes no more bytes than this; 0: any */
} test_sink;

static inline wcodec_status test_sink_write(void *user, const void *src, size_t size)
{
    test_sink *s = (test_sink *)user;
    s->calls++;
    if (s->fail_at && s->calls == s->fail_at) return WCODEC_E_IO;
    if (s->full_at && size > s->full_at - s->size) return WCODEC_E_IO;
    if (size == 0) return WCODEC_OK;
    if (s->room - s->size < size) {
        s->room = (s->size + size) * 2;
        s->data = (unsigned char *)realloc(s->data, s->room);
        if (!s->data) test_die("out of memory");
    }
    memcpy(s->data + s->size, src, size);
    s->size += size;
    return WCODEC_OK;
}

static inline wcodec_sink test_sink_of(test_sink *s)
{
    wcodec_sink sink;
    sink.write = test_sink_write;
    sink.user = s;
    return sink;
}

static inline void test_sink_free(test_sink *s)
{
    free(s->data);
    memset(s, 0, sizeof *s);
}

/* Checks that `done` never falls nor passes `total`, and cancels at call `cancel_at`, from 1. */
typedef struct test_progress {
    size_t calls, cancel_at;
    uint64_t done, total;
} test_progress;

static inline int test_progress_call(void *user, uint64_t done, uint64_t total)
{
    test_progress *p = (test_progress *)user;
    (void)test_check(done >= p->done && done <= total, __FILE__, __LINE__, "%s", "progress goes forward");
    (void)test_check(p->calls == 0 || total == p->total, __FILE__, __LINE__, "%s", "progress keeps total");
    p->done = done;
    p->total = total;
    return ++p->calls == p->cancel_at;
}

static inline wcodec_progress test_progress_of(test_progress *p)
{
    wcodec_progress progress;
    progress.fn = test_progress_call;
    progress.user = p;
    return progress;
}

/* No threads, but tasks in reverse order on changing workers: no result may depend on either. */
static inline void test_run_backwards(void *user, size_t count,
                                      void (*task)(void *arg, size_t i, unsigned worker), void *arg)
{
    const unsigned workers = *(const unsigned *)user;
    for (; count > 0; count--) task(arg, count - 1, (unsigned)((count * 7 + count / 3) % workers));
}

/* `workers` must live as long as the result. */
static inline wcodec_parallel test_backwards(unsigned *workers)
{
    wcodec_parallel parallel;
    parallel.run = test_run_backwards;
    parallel.user = workers;
    parallel.workers = *workers;
    return parallel;
}

/* ---- files ---- */

/* A whole file, to be freed with free(); NULL if it cannot be read. */
static inline unsigned char *test_load(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    unsigned char *data = NULL;
    long end;
    *size = 0;
    if (!f) return NULL;
    if (fseek(f, 0, SEEK_END) == 0 && (end = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0) {
        data = (unsigned char *)test_malloc((size_t)end);
        *size = (size_t)end;
        if (fread(data, 1, *size, f) != *size) {
            free(data);
            data = NULL;
        }
    }
    fclose(f);
    return data;
}

/* Where the models lie that tests may use: $WCODEC_DATA or ../shared/data; NULL if there are none. */
static inline const char *test_data_dir(void)
{
    const char *dir = getenv("WCODEC_DATA");
    struct stat st;
    if (!dir || !*dir) dir = "../shared/data";
    return stat(dir, &st) == 0 && S_ISDIR(st.st_mode) ? dir : NULL;
}

static inline int test_by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The paths of the plain files of a directory, in the order of their names; *count of them.
 * Free them with test_list_free. */
static inline char **test_list(const char *dir, size_t *count)
{
    char **paths = NULL;
    DIR *d = opendir(dir);
    struct dirent *entry;
    struct stat st;
    *count = 0;
    while (d && (entry = readdir(d)) != NULL) {
        const size_t room = strlen(dir) + strlen(entry->d_name) + 2;
        char *path = (char *)test_malloc(room);
        (void)snprintf(path, room, "%s/%s", dir, entry->d_name);
        if (entry->d_name[0] == '.' || stat(path, &st) || !S_ISREG(st.st_mode)) {
            free(path);
            continue;
        }
        paths = (char **)realloc(paths, (*count + 1) * sizeof *paths);
        if (!paths) test_die("out of memory");
        paths[(*count)++] = path;
    }
    if (d) closedir(d);
    if (*count) qsort(paths, *count, sizeof *paths, test_by_name);
    return paths;
}

static inline void test_list_free(char **paths, size_t count)
{
    while (count > 0) free(paths[--count]);
    free(paths);
}

#endif
