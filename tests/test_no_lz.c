/* WCODEC_NO_LZ: no tile is coded by LZ, and one that is gives UNSUPPORTED. */
#define WCODEC_NO_LZ
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

static void text_without(void)
{
    static unsigned char data[5000], back[5000];
    const size_t bound = wcodec_tile_bound(sizeof data), need = wcodec_tile_encode_scratch(sizeof data);
    unsigned char *record = (unsigned char *)test_malloc(bound), *scratch = (unsigned char *)test_malloc(need);
    wcodec_tile_info info;
    size_t i, size;
    for (i = 0; i < sizeof data; i++) data[i] = (unsigned char)"lz would find a lot here. "[i % 26];
    size = wcodec_tile_encode(WCODEC_BYTES, 0, data, sizeof data, NULL, NULL, record, bound, scratch, need);
    REQUIRE_OK(wcodec_tile_inspect(record, size, &info, NULL));
    CHECK(info.plane[0].coder != WCODEC_CODER_LZ);
    CHECK_STATUS(wcodec_tile_decode(record, size, NULL, back, sizeof back, scratch, need, 0, 0, NULL), WCODEC_OK);
    CHECK_MEM(back, data, sizeof data);
    free(record);
    free(scratch);
}

static void golden_with(void)
{
    static unsigned char container[4096], view[1000], scratch[65536];
    FILE *file = fopen("tests/golden/good/lz-text.wcodec", "rb");
    wcodec_reader_info info;
    wcodec_reader *reader;
    wcodec_source source;
    size_t size;
    if (!file) test_die("tests/golden/good/lz-text.wcodec is missing");
    size = fread(container, 1, sizeof container, file);
    fclose(file);
    source = wcodec_source_memory(container, size);
    REQUIRE_OK(wcodec_reader_open(&reader, &source, NULL, NULL));
    wcodec_reader_get_info(reader, &info);
    CHECK(info.view_size <= sizeof view && wcodec_reader_scratch(reader) <= sizeof scratch);
    CHECK_STATUS(wcodec_read(reader, 0, view, (size_t)info.view_size, scratch, sizeof scratch, NULL),
                 WCODEC_E_UNSUPPORTED);
    wcodec_reader_close(reader);
}

int main(void)
{
    RUN(text_without);
    RUN(golden_with);
    return test_end();
}
