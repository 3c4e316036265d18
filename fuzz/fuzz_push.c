/* The push decoder on any bytes: two ways to cut the input give the same bytes and the same end, and where
 * a reader opens what was accepted, and its index names just the tiles that are there, it gives the same. */
#include "mutator.h"

/* Does the index name every T record of the container, in order?  (One that does not breaks a rule that
 * neither the reader nor the push decoder can see alone.) */
static int index_is_true(const wcodec_reader *reader, const wcodec_reader_info *info, uint8_t *data,
                         size_t size)
{
    static fuzz_container c;
    wcodec_tile_span span;
    uint64_t at = 0;
    size_t i = 0;
    c.data = data;
    c.size = c.room = size;
    if (!fuzz_parse(&c) || c.records == FUZZ_MAX_RECORDS) return 0;
    for (; at < info->view_size; at += span.size) {
        FUZZ_REQUIRE(wcodec_reader_tile(reader, at, &span) == WCODEC_OK);
        i = fuzz_next_tile(&c, i);
        if (i == c.records || c.record[i++].at != span.container_offset) return 0;
    }
    return fuzz_next_tile(&c, i) == c.records;
}

/* A container that the push decoder took whole: a reader of it must agree. */
static void check_against_reader(const uint8_t *data, size_t size, const fuzz_bytes *bytes,
                                 const wcodec_reader_options *options)
{
    unsigned char *copy = fuzz_exact(data, size);
    const wcodec_source source = wcodec_source_memory(copy, size);
    wcodec_reader *reader = NULL;
    wcodec_reader_info info;
    if (fuzz_status(wcodec_reader_open(&reader, &source, options, NULL)) == WCODEC_OK) {
        wcodec_reader_get_info(reader, &info);
        if (info.view_size <= FUZZ_MAX_VIEW && index_is_true(reader, &info, copy, size)) {
            const size_t scratch_size = wcodec_reader_scratch(reader);
            const size_t view_size = (size_t)info.view_size;
            unsigned char *scratch = fuzz_exact(NULL, scratch_size), *view = fuzz_exact(NULL, view_size);
            if (fuzz_status(wcodec_read(reader, 0, view, view_size, scratch, scratch_size,
                                        NULL)) == WCODEC_OK) {
                FUZZ_REQUIRE(info.view_size == bytes->size);
                FUZZ_REQUIRE(view_size == 0 || memcmp(view, bytes->data, view_size) == 0);
            }
            free(view);
            free(scratch);
        }
        wcodec_reader_close(reader);
    }
    free(copy);
}

/* A complete container, one byte short: never complete. */
static void check_truncated(const uint8_t *data, size_t size, const wcodec_reader_options *options,
                            fuzz_random *r)
{
    fuzz_bytes bytes = { NULL, 0, 0 };
    size_t taken, originals, cut = fuzz_below(r, 3) == 0 ? size - 1 : fuzz_below(r, size);
    wcodec_status st = fuzz_push_all(data, cut, options, NULL, &bytes, &taken, &originals);
    FUZZ_REQUIRE(st == WCODEC_MORE_INPUT && taken == cut);
    free(bytes.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_heap heap;
    fuzz_random r = fuzz_random_from(data, size);
    wcodec_allocator allocator = fuzz_allocator(&heap);
    wcodec_reader_options options = wcodec_reader_defaults();
    fuzz_bytes whole = { NULL, 0, 0 }, cut = { NULL, 0, 0 };
    size_t taken[2], originals[2];
    wcodec_status st[2];

    if (fuzz_too_slow(data, size, &r)) return 0;
    options.allocator = &allocator;
    options.max_memory = FUZZ_MAX_MEMORY;
    options.no_crc = fuzz_below(&r, 4) == 0;
    options.cpu_off = fuzz_cpu_off(&r);
    options.base = fuzz_base(&r);
    st[0] = fuzz_push_all(data, size, &options, NULL, &whole, &taken[0], &originals[0]);
    FUZZ_REQUIRE(heap.live == 0);
    if (whole.size <= FUZZ_MAX_VIEW) {
        st[1] = fuzz_push_all(data, size, &options, &r, &cut, &taken[1], &originals[1]);
        FUZZ_REQUIRE(heap.live == 0);
        FUZZ_REQUIRE(st[0] == st[1] && originals[0] == originals[1] && whole.size == cut.size);
        FUZZ_REQUIRE(st[0] < 0 || taken[0] == taken[1]);
        FUZZ_REQUIRE(cut.size == 0 || memcmp(whole.data, cut.data, cut.size) == 0);
        if (st[0] == WCODEC_END) {
            check_against_reader(data, taken[0], &whole, &options);
            check_truncated(data, taken[0], &options, &r);
        }
    }
    free(whole.data);
    free(cut.data);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return fuzz_mutate_container(data, size, max_size, seed);
}
