/* Reads a container that lies in memory (in flash, in a mapped file) with static memory alone: no
 * allocator is linked in, and the block and the scratch memory are arrays whose sizes are checked.
 *
 *   cc -O2 -o no_malloc no_malloc.c
 *   ./no_malloc model.wcodec        (main plays the part of the flash, and needs stdio for that)
 */
#define WCODEC_NO_MALLOC
#define WCODEC_NO_ENCODER
#define WCODEC_IMPLEMENTATION
#include "../wcodec.h"

#include <stdio.h>

/* What the reader keeps of the index, aligned as malloc would. */
static union { double number; void *pointer; uint64_t word; unsigned char bytes[1 << 20]; } block;
static unsigned char scratch[1 << 20];      /* for one tile: wcodec_reader_scratch says how much */
static unsigned char window[1 << 16];       /* decoded bytes, a few at a time */

static wcodec_status checksum_all(const unsigned char *flash, size_t size, uint32_t *crc, wcodec_error *err)
{
    wcodec_source source = wcodec_source_memory(flash, size);
    wcodec_reader *reader;
    wcodec_reader_info info;
    uint64_t at = 0;
    wcodec_status status = wcodec_reader_open_in(&reader, &source, NULL, block.bytes, sizeof block.bytes,
                                                 err);
    if (status != WCODEC_OK) return status;
    wcodec_reader_get_info(reader, &info);
    while (at < info.view_size && status == WCODEC_OK) {
        uint64_t left = info.view_size - at;
        size_t piece = left < sizeof window ? (size_t)left : sizeof window;
        status = wcodec_read(reader, at, window, piece, scratch, sizeof scratch, err);
        if (status == WCODEC_OK) *crc = wcodec_crc32(*crc, window, piece);
        at += piece;
    }
    return status;      /* the reader lies in `block`: there is nothing to close */
}

int main(int argc, char **argv)
{
    static unsigned char flash[64 << 20];
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    wcodec_error err = { WCODEC_OK, 0, "" };
    wcodec_status status;
    uint32_t crc = 0;
    size_t size;
    if (file == NULL) return fprintf(stderr, "usage: no_malloc FILE.wcodec\n"), 2;
    size = fread(flash, 1, sizeof flash, file);
    fclose(file);
    status = checksum_all(flash, size, &crc, &err);
    if (status == WCODEC_OK) return printf("%08lx\n", (unsigned long)crc), 0;
    fprintf(stderr, "%s: offset %lu: %s: %s\n", argv[1], (unsigned long)err.offset,
            wcodec_status_string(status), err.what);
    return 1;
}
