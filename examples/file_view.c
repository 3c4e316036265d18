/* A container as the file that it was made from, for code that reads files: through a callback like pread, and,
 * where there is fopencookie (glibc, musl), through a FILE *.  Reads it both ways and says how long that took.
 *
 *   cc -O2 -o file_view file_view.c
 *   ./file_view model.wcodec
 */
#define _GNU_SOURCE
#define WCODEC_IMPLEMENTATION
#include "../wcodec.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define READS 1000000
#define PIECE 8

/* The shape of gguf_reader_callback_t of ggml, and of most loaders' callbacks. */
static size_t read_callback(void *user, void *out, uint64_t offset, size_t size)
{
    return wcodec_view_read((wcodec_view *)user, offset, out, size);
}

#ifdef __linux__

typedef struct cookie {
    wcodec_view *view;
    uint64_t position;
} cookie;

static ssize_t cookie_read(void *user, char *dst, size_t size)
{
    cookie *c = (cookie *)user;
    const size_t got = wcodec_view_read(c->view, c->position, dst, size);
    c->position += got;
    return wcodec_view_status(c->view, NULL) == WCODEC_OK ? (ssize_t)got : -1;
}

static int cookie_seek(void *user, off64_t *offset, int whence)
{
    cookie *c = (cookie *)user;
    const uint64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? c->position : c->view->size;
    const uint64_t to = from + (uint64_t)*offset;
    if (*offset < 0 ? to > from : to < from || to > INT64_MAX) return -1;
    c->position = to;
    *offset = (off64_t)to;
    return 0;
}

/* A buffer of one tile at least: glibc asks for no more than a buffer at a time, whatever fread is asked for. */
static FILE *open_stream(cookie *c, char *buffer, size_t buffer_size)
{
    cookie_io_functions_t functions;
    FILE *file;
    functions.read = cookie_read;
    functions.write = NULL;
    functions.seek = cookie_seek;
    functions.close = NULL;
    file = fopencookie(c, "rb", functions);
    if (file != NULL) setvbuf(file, buffer, _IOFBF, buffer_size);
    return file;
}

static int through_a_stream(wcodec_view *view)
{
    static char buffer[1 << 20], piece[1 << 16];
    cookie c;
    FILE *file;
    uint32_t crc = 0;
    size_t got;
    c.view = view;
    c.position = 0;
    file = open_stream(&c, buffer, sizeof buffer);
    if (file == NULL) return 0;
    while ((got = fread(piece, 1, sizeof piece, file)) > 0) crc = wcodec_crc32(crc, piece, got);
    fclose(file);
    printf("through a FILE *: %08lx\n", (unsigned long)crc);
    return 1;
}

#else

static int through_a_stream(wcodec_view *view)
{
    (void)view;
    printf("through a FILE *: not on this system\n");
    return 1;
}

#endif

static double seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

/* Small reads as loaders make them: of a vocabulary from its start to its end, or here and there in one tile. */
static void small_reads(const wcodec_reader *reader, wcodec_view *view)
{
    unsigned char piece[PIECE];
    const uint64_t places = view->size / PIECE;
    wcodec_tile_span tile;
    uint64_t i, at = 0, near;
    double start = seconds(), end;
    for (i = 0; i < READS && places > 0; i++) read_callback(view, piece, i % places * PIECE, PIECE);
    end = seconds();
    printf("%d reads of %d bytes, one after the other: %.3f s\n", READS, PIECE, end - start);
    if (wcodec_reader_tile(reader, view->size / 2, &tile) != WCODEC_OK || tile.size < PIECE) return;
    near = tile.size - PIECE + 1;
    start = seconds();
    for (i = 0; i < READS; i++) {
        at = at * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        read_callback(view, piece, tile.offset + (at >> 33) % near, PIECE);
    }
    printf("%d reads of %d bytes, at random in a tile of %lu: %.3f s\n", READS, PIECE, (unsigned long)tile.size,
           seconds() - start);
}

static void through_the_callback(wcodec_view *view)
{
    static unsigned char piece[100000];
    uint64_t at = 0;
    uint32_t crc = 0;
    size_t got;
    while ((got = read_callback(view, piece, at, sizeof piece)) > 0) {
        crc = wcodec_crc32(crc, piece, got);
        at += got;
    }
    printf("through the callback: %08lx\n", (unsigned long)crc);
}

/* With stdio, in one thread; see load_tensor.c. */
static wcodec_status read_at(void *user, uint64_t offset, void *dst, size_t size, size_t *got)
{
    FILE *file = (FILE *)user;
    if (fseek(file, (long)offset, SEEK_SET) != 0) return WCODEC_E_IO;
    *got = fread(dst, 1, size, file);
    return ferror(file) ? WCODEC_E_IO : WCODEC_OK;
}

static wcodec_status use(const wcodec_reader *reader, wcodec_error *err)
{
    const size_t need = wcodec_view_need(reader);
    void *memory = malloc(need + 1);
    wcodec_view view;
    wcodec_status status = memory != NULL ? wcodec_view_open(&view, reader, 0, memory, need) : WCODEC_E_NO_MEMORY;
    if (status == WCODEC_OK) {
        small_reads(reader, &view);
        through_the_callback(&view);
        if (!through_a_stream(&view)) printf("through a FILE *: there is none\n");
        status = wcodec_view_status(&view, err);    /* once, at the end: nothing before it could hide an error */
    }
    free(memory);
    return status;
}

int main(int argc, char **argv)
{
    wcodec_source source = { NULL, read_at, NULL, 0 };
    wcodec_reader *reader = NULL;
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_status status;
    FILE *file;
    if (argc != 2) return fprintf(stderr, "usage: file_view FILE.wcodec\n"), 2;
    file = fopen(argv[1], "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) return perror(argv[1]), 1;
    source.user = file;
    source.size = (uint64_t)ftell(file);
    status = wcodec_reader_open(&reader, &source, NULL, &err);
    if (status == WCODEC_OK) status = use(reader, &err);
    if (status != WCODEC_OK) {
        fprintf(stderr, "%s: offset %lu: %s: %s\n", argv[1], (unsigned long)err.offset,
                wcodec_status_string(status), err.what != NULL ? err.what : "");
    }
    wcodec_reader_close(reader);
    fclose(file);
    return status == WCODEC_OK ? 0 : 1;
}
