/* Loads one tensor by its name: the index says where it lies, and only its tiles are read and decoded.
 *
 *   cc -O2 -o load_tensor load_tensor.c
 *   ./load_tensor model.wcodec model.norm.weight
 */
#define WCODEC_IMPLEMENTATION
#include "../wcodec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With stdio the position belongs to the FILE, so this reader is for one thread (pread has no such
 * limit), and fseek takes a long: beyond 2 GiB on 32-bit systems use fseeko. */
static wcodec_status read_at(void *user, uint64_t offset, void *dst, size_t size, size_t *got)
{
    FILE *file = (FILE *)user;
    if (fseek(file, (long)offset, SEEK_SET) != 0) return WCODEC_E_IO;
    *got = fread(dst, 1, size, file);
    return ferror(file) ? WCODEC_E_IO : WCODEC_OK;
}

static int open_source(wcodec_source *source, const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = -1;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0) size = ftell(file);
    source->memory = NULL;
    source->read_at = read_at;
    source->user = file;
    source->size = size >= 0 ? (uint64_t)size : 0;
    return size >= 0;
}

/* A BF16 value is the upper half of a float. */
static void print_bf16(const unsigned char *bytes, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)bytes[2 * i] << 16 | (uint32_t)bytes[2 * i + 1] << 24;
        float value;
        memcpy(&value, &bits, sizeof value);
        printf(" %g", (double)value);
    }
}

static wcodec_status print_tensor(const wcodec_reader *reader, const char *name, wcodec_error *err)
{
    size_t number, scratch_size = wcodec_reader_scratch(reader);
    wcodec_segment tensor;
    wcodec_status status = wcodec_reader_find(reader, name, strlen(name), &number);
    unsigned char *values, *scratch;
    const char *dtype;
    if (status != WCODEC_OK) return status;
    wcodec_reader_segment(reader, number, &tensor);
    dtype = wcodec_dtype_name(tensor.dtype);    /* NULL: one that is newer than this library */
    values = (unsigned char *)malloc((size_t)tensor.size + 1);
    scratch = (unsigned char *)malloc(scratch_size + 1);
    status = WCODEC_E_NO_MEMORY;
    if (values != NULL && scratch != NULL) {
        status = wcodec_read_segment(reader, number, values, (size_t)tensor.size, scratch, scratch_size, err);
    }
    if (status == WCODEC_OK) {
        printf("%s: %s, %lu bytes:", name, dtype != NULL ? dtype : "?", (unsigned long)tensor.size);
        if (tensor.dtype == WCODEC_BF16) print_bf16(values, tensor.size < 16 ? (size_t)tensor.size / 2 : 8);
        printf(" ...\n");
    }
    free(values);
    free(scratch);
    return status;
}

int main(int argc, char **argv)
{
    wcodec_source source;
    wcodec_reader *reader;
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_status status;
    if (argc != 3) return fprintf(stderr, "usage: load_tensor FILE.wcodec TENSOR\n"), 2;
    if (!open_source(&source, argv[1])) return perror(argv[1]), 1;
    status = wcodec_reader_open(&reader, &source, NULL, &err);
    if (status == WCODEC_OK) status = print_tensor(reader, argv[2], &err);
    if (status != WCODEC_OK) {
        fprintf(stderr, "%s: offset %lu: %s: %s\n", argv[1], (unsigned long)err.offset,
                wcodec_status_string(status), err.what != NULL ? err.what : argv[2]);
    }
    wcodec_reader_close(reader);
    fclose((FILE *)source.user);
    return status == WCODEC_OK ? 0 : 1;
}
