/* Runs a harness over files without libFuzzer: link this with one harness.
 *
 *   replay [--mutate N] FILE-OR-DIRECTORY ...
 *
 * Each file that ran is one pass; a harness that finds a bug aborts, and the file is named.  With
 * --mutate each file is also run in N changed forms, made by the harness's own mutator from a fixed seed. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE     /* S_ISDIR */
#endif

#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

typedef struct counts { unsigned long passed, failed; } counts;

static uint64_t random_state = 1;

static size_t random_below(size_t n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return n == 0 ? 0 : (size_t)(random_state >> 33) % n;
}

/* What libFuzzer's function does, in small: changes, inserts or removes a few bytes. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    size_t at = random_below(size), n;
    switch (random_below(4)) {
    case 0:
        if (size > 0) data[at] ^= (uint8_t)(1u << random_below(8));
        break;
    case 1:
        if (size > 0) data[at] = (uint8_t)random_below(256);
        break;
    case 2:
        n = random_below(8) + 1;
        if (n > max_size - size) break;
        if (size > 0) memmove(data + at + n, data + at, size - at);
        size += n;
        for (; n > 0; n--) data[at + n - 1] = (uint8_t)random_below(256);
        break;
    default:
        n = random_below(size - at + 1);
        n = n > 8 ? 8 : n;
        if (size > 0) memmove(data + at, data + at + n, size - at - n);
        size -= n;
    }
    return size;
}

/* The whole file in memory; NULL if it cannot be read. */
static uint8_t *load(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t room = 0, got = 0;
    *size = 0;
    if (f == NULL) return NULL;
    do {
        uint8_t *grown = (uint8_t *)realloc(data, room = room * 2 + 4096);
        if (grown == NULL) { free(data); fclose(f); return NULL; }
        data = grown;
        got = fread(data + *size, 1, room - *size, f);
        *size += got;
    } while (got != 0);
    if (ferror(f)) { free(data); data = NULL; }
    fclose(f);
    return data;
}

/* Runs changed forms of an input, each made from the one before it, starting anew every eighth time. */
static void run_mutants(const uint8_t *data, size_t size, unsigned long mutants)
{
    size_t room = size * 2 + 256, now = size;
    uint8_t *work = (uint8_t *)malloc(room);
    unsigned long i;
    if (work == NULL) return;
    for (i = 0; i < mutants; i++) {
        if (i % 8 == 0) {
            memcpy(work, data, size);
            now = size;
        }
        now = LLVMFuzzerCustomMutator(work, now, room, (unsigned)(i * 2654435761u));
        (void)LLVMFuzzerTestOneInput(work, now);
    }
    free(work);
}

/* The file that runs now: printed if the harness aborts. */
static const char *current;

static void on_abort(int number)
{
    (void)number;
    if (write(2, "replay: ", 8) + write(2, current, strlen(current)) + write(2, "\n", 1) < 0) _exit(3);
}

static void run_file(const char *path, unsigned long mutants, counts *c)
{
    size_t size;
    uint8_t *data = load(path, &size);
    if (data == NULL) {
        fprintf(stderr, "replay: cannot read %s\n", path);
        c->failed++;
        return;
    }
    current = path;
    (void)LLVMFuzzerTestOneInput(data, size);
    random_state = size + 1;
    run_mutants(data, size, mutants);
    free(data);
    c->passed++;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files right inside a directory, in the order of their names. */
static void run_directory(const char *path, unsigned long mutants, counts *c)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    char *names[4096];
    size_t n = 0, i;
    if (dir == NULL) {
        fprintf(stderr, "replay: cannot read %s\n", path);
        c->failed++;
        return;
    }
    while ((entry = readdir(dir)) != NULL && n < sizeof names / sizeof *names) {
        size_t room = strlen(path) + strlen(entry->d_name) + 2;
        if (entry->d_name[0] == '.') continue;
        if ((names[n] = (char *)malloc(room)) == NULL) break;
        snprintf(names[n++], room, "%s/%s", path, entry->d_name);
    }
    closedir(dir);
    qsort(names, n, sizeof *names, by_name);
    for (i = 0; i < n; i++) {
        run_file(names[i], mutants, c);
        free(names[i]);
    }
}

int main(int argc, char **argv)
{
    counts c = { 0, 0 };
    unsigned long mutants = 0;
    int i = 1;
    if (argc > 2 && strcmp(argv[1], "--mutate") == 0) {
        mutants = strtoul(argv[2], NULL, 10);
        i = 3;
    }
    signal(SIGABRT, on_abort);
    if (i >= argc) {
        fprintf(stderr, "usage: %s [--mutate N] FILE-OR-DIRECTORY ...\n", argv[0]);
        return 2;
    }
    for (; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode)) run_directory(argv[i], mutants, &c);
        else run_file(argv[i], mutants, &c);
    }
    printf("%lu passed, %lu failed\n", c.passed, c.failed);
    return c.failed != 0;
}
