/* A program that only sees the declarations; linked with impl.c, whatever the language of the two.
 * Exit code 0: containers written and read here give the data back. */
#include "../../wcodec.h"
#include <stdio.h>
#include <string.h>

static unsigned char file[4096];
static size_t file_size;

static wcodec_status append(void *user, const void *src, size_t size)
{
    (void)user;
    if (size > sizeof file - file_size) return WCODEC_E_IO;
    memcpy(file + file_size, src, size);
    file_size += size;
    return WCODEC_OK;
}

static wcodec_status encode(const void *data, size_t size)
{
    wcodec_sink sink = { append, NULL };
    wcodec_segment segment;
    wcodec_writer *writer;
    wcodec_status status = wcodec_writer_open(&writer, &sink, NULL, NULL);
    memset(&segment, 0, sizeof segment);
    segment.size = size;
    if (status == WCODEC_OK) status = wcodec_writer_original(writer, "data", 4, 0, NULL);
    if (status == WCODEC_OK) status = wcodec_writer_segment(writer, &segment, NULL);
    if (status == WCODEC_OK) status = wcodec_writer_data(writer, data, size, NULL);
    if (status == WCODEC_OK) status = wcodec_writer_finish(writer, NULL);
    wcodec_writer_close(writer);
    return status;
}

static wcodec_status decode(void *data, size_t size)
{
    static unsigned char scratch[1 << 20];
    wcodec_source source = wcodec_source_memory(file, file_size);
    wcodec_reader *reader;
    wcodec_status status = wcodec_reader_open(&reader, &source, NULL, NULL);
    if (status == WCODEC_OK) status = wcodec_read(reader, 0, data, size, scratch, sizeof scratch, NULL);
    wcodec_reader_close(reader);
    return status;
}

int main(void)
{
    unsigned char data[1000], back[1000];
    size_t i;
    for (i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i * i >> 8);
    if (encode(data, sizeof data) != WCODEC_OK || decode(back, sizeof back) != WCODEC_OK) return 1;
    if (memcmp(data, back, sizeof data) != 0) return 2;
    printf("%u bytes in %u\n", (unsigned)sizeof data, (unsigned)file_size);
    return 0;
}
