/* The reader on any bytes: whatever opens has segments, originals and tiles that lie where the API says,
 * and every way to read a range gives the same bytes. */
#include "mutator.h"

/* Runs tasks backwards and on changing workers: results must not depend on that. */
static void run_backwards(void *user, size_t count, void (*task)(void *arg, size_t i, unsigned worker),
                          void *arg)
{
    unsigned workers = *(const unsigned *)user;
    for (; count > 0; count--) task(arg, count - 1, (unsigned)(count % workers));
}

/* Everything that enumerates, and that it all fits together. */
static void check_structure(const wcodec_reader *reader, const wcodec_reader_info *info, size_t size)
{
    uint64_t end = 0;
    size_t i, segments = 0;
    FUZZ_REQUIRE(info->container_size == size && info->header_size >= 32 && info->header_size <= size);
    FUZZ_REQUIRE(info->metadata_size <= size);
    if (info->needs_base) FUZZ_REQUIRE(info->base.name[info->base.name_size] == 0 && info->base.name_size <= 65000);
    FUZZ_REQUIRE(info->max_tile_bytes >= 1 && info->max_tile_bytes <= WCODEC_MAX_TILE_BYTES);
    for (i = 0; i < info->originals; i++) {
        wcodec_original o;
        FUZZ_REQUIRE(wcodec_reader_original(reader, i, &o) == WCODEC_OK);
        FUZZ_REQUIRE(o.offset == end && o.first_segment == segments && o.name[o.name_size] == 0);
        end += o.size;
        segments += o.segments;
    }
    FUZZ_REQUIRE(end == info->view_size && segments == info->segments);
    FUZZ_REQUIRE(wcodec_reader_original(reader, i, NULL) == WCODEC_E_ARGUMENT);
    for (end = 0, i = 0; i < info->segments; i++) {
        wcodec_segment s;
        size_t found = SIZE_MAX;
        FUZZ_REQUIRE(wcodec_reader_segment(reader, i, &s) == WCODEC_OK);
        FUZZ_REQUIRE(s.offset == end && s.name[s.name_size] == 0 && s.row >= 1);
        if (i < 64) {
            FUZZ_REQUIRE(wcodec_reader_find(reader, s.name, s.name_size, &found) == WCODEC_OK);
            FUZZ_REQUIRE(found <= i);
        }
        end += s.size;
    }
    FUZZ_REQUIRE(end == info->view_size);
}

/* Walks the tiles: they cover the view without gaps and lie inside the container. */
static void check_tiles(const wcodec_reader *reader, const wcodec_reader_info *info)
{
    wcodec_tile_span span;
    uint64_t at = 0, container = info->header_size;
    size_t tiles = 0;
    while (at < info->view_size && tiles < 4096) {
        FUZZ_REQUIRE(wcodec_reader_tile(reader, at, &span) == WCODEC_OK);
        FUZZ_REQUIRE(span.offset == at && span.size > 0 && span.size <= info->max_tile_bytes);
        FUZZ_REQUIRE(span.container_offset >= container && span.container_offset % 8 == 0);
        FUZZ_REQUIRE((span.columns == 0) == (span.scales_size == 0));
        if (span.columns != 0) {
            FUZZ_REQUIRE(span.columns >= 8 && span.columns <= info->max_tile_bytes);
            FUZZ_REQUIRE(span.scales_offset >= info->header_size && span.scales_offset % 8 == 0);
            FUZZ_REQUIRE(span.scales_size <= span.container_offset - span.scales_offset);
        }
        container = span.container_offset + span.container_size;
        FUZZ_REQUIRE(container <= info->container_size && span.segment < info->segments);
        at += span.size;
        tiles++;
    }
    FUZZ_REQUIRE(at < info->view_size || tiles == info->tiles);
    FUZZ_REQUIRE(wcodec_reader_tile(reader, info->view_size, &span) == WCODEC_E_ARGUMENT);
}

/* Ranges against the bytes of the whole view (NULL: these do not decode). */
static void check_ranges(const wcodec_reader *reader, const wcodec_reader_info *info,
                         const unsigned char *whole,
                         void *scratch, size_t scratch_size, fuzz_random *r)
{
    int i;
    for (i = 0; i < 6; i++) {
        uint64_t offset = info->view_size == 0 ? 0 : fuzz_next(r) % info->view_size;
        uint64_t most = info->view_size - offset < 65536 ? info->view_size - offset : 65536;
        size_t size = fuzz_below(r, (size_t)most + 1);
        unsigned char *part = fuzz_exact(NULL, size);
        wcodec_status st = fuzz_status(wcodec_read(reader, offset, part, size, scratch, scratch_size, NULL));
        if (whole != NULL) {
            FUZZ_REQUIRE(st == WCODEC_OK);
            FUZZ_REQUIRE(size == 0 || memcmp(part, whole + offset, size) == 0);
        }
        free(part);
    }
}

/* Segments and rows of them against the whole view. */
static void check_segments(const wcodec_reader *reader, size_t segments, const unsigned char *whole,
                           void *scratch, size_t scratch_size, fuzz_random *r)
{
    int i;
    for (i = 0; i < 4 && segments > 0; i++) {
        size_t number = fuzz_below(r, segments);
        uint64_t first, begin, end, offset, size;
        unsigned char *part;
        wcodec_segment s;
        FUZZ_REQUIRE(wcodec_reader_segment(reader, number, &s) == WCODEC_OK);
        part = fuzz_exact(NULL, (size_t)s.size);
        FUZZ_REQUIRE(wcodec_read_segment(reader, number, part, (size_t)s.size, scratch, scratch_size, NULL)
                     == WCODEC_OK);
        FUZZ_REQUIRE(s.size == 0 || memcmp(part, whole + s.offset, (size_t)s.size) == 0);
        free(part);
        if (s.rank == 0) continue;
        first = s.shape[0];
        begin = first == 0 ? 0 : fuzz_next(r) % first;
        end = begin + (first == begin ? 0 : fuzz_next(r) % (first - begin + 1));
        if (fuzz_status(wcodec_rows_range(&s, begin, end, &offset, &size)) != WCODEC_OK) continue;
        FUZZ_REQUIRE(offset <= s.size && size <= s.size - offset);
        part = fuzz_exact(NULL, (size_t)size);
        FUZZ_REQUIRE(wcodec_read_rows(reader, number, begin, end, part, (size_t)size, scratch, scratch_size,
                                      NULL)
                     == WCODEC_OK);
        FUZZ_REQUIRE(size == 0 || memcmp(part, whole + s.offset + offset, (size_t)size) == 0);
        free(part);
    }
}

/* A view of all originals or of one: reads of any size, some past the end, of which the rest is zero.  `whole`: as
 * above; without it a read may come to nothing, but the view says so from then on. */
static void check_view(const wcodec_reader *reader, const wcodec_reader_info *info, const unsigned char *whole,
                       fuzz_random *r)
{
    const size_t need = wcodec_view_need(reader);
    unsigned char *memory = fuzz_exact(NULL, need);
    const size_t original = fuzz_below(r, 2) ? WCODEC_ALL_ORIGINALS : fuzz_below(r, info->originals + 1);
    wcodec_view view;
    const wcodec_status st = fuzz_status(wcodec_view_open(&view, reader, original, memory, need));
    int i;
    FUZZ_REQUIRE((st == WCODEC_OK) == (memory != NULL && (original == WCODEC_ALL_ORIGINALS || original < info->originals)));
    for (i = 0; i < 6; i++) {
        const uint64_t offset = fuzz_next(r) % (view.size + 3);
        const size_t size = fuzz_below(r, (size_t)1 << fuzz_below(r, 14));
        const uint64_t there = offset < view.size ? view.size - offset : 0;
        unsigned char *part = fuzz_exact(NULL, size);
        const size_t got = wcodec_view_read(&view, offset, part, size);
        size_t k;
        FUZZ_REQUIRE(got <= size && got <= there);
        for (k = got; k < size; k++) FUZZ_REQUIRE(part[k] == 0);
        if (whole != NULL && st == WCODEC_OK && size != 0) {
            FUZZ_REQUIRE(got == (there < size ? there : size));
            FUZZ_REQUIRE(memcmp(part, whole + view.begin + offset, got) == 0);
        } else if (got < size && got < there) {
            FUZZ_REQUIRE(wcodec_view_status(&view, NULL) < 0);
        }
        free(part);
    }
    free(memory);
}

/* Decodes the whole view in two ways, if it is not too large; NULL if that fails. */
static unsigned char *read_whole(const wcodec_reader *reader, const wcodec_reader_info *info, void *scratch,
                                 size_t scratch_size)
{
    unsigned workers = 3;
    wcodec_parallel parallel;
    size_t size = (size_t)info->view_size;
    unsigned char *whole, *again, *room;
    wcodec_status a, b;
    if (info->view_size > FUZZ_MAX_VIEW) return NULL;
    parallel.run = run_backwards;
    parallel.user = &workers;
    parallel.workers = workers;
    whole = fuzz_exact(NULL, size);
    again = fuzz_exact(NULL, size);
    room = fuzz_exact(NULL, scratch_size * workers);
    a = fuzz_status(wcodec_read(reader, 0, whole, size, scratch, scratch_size, NULL));
    b = fuzz_status(wcodec_read_parallel(reader, 0, again, size, room, scratch_size * workers, &parallel,
                                         NULL,
                                         NULL));
    FUZZ_REQUIRE((a == WCODEC_OK) == (b == WCODEC_OK));
    if (a == WCODEC_OK && size != 0) FUZZ_REQUIRE(memcmp(whole, again, size) == 0);
    free(again);
    free(room);
    if (a == WCODEC_OK && whole == NULL) whole = (unsigned char *)calloc(1, 1);
    if (a == WCODEC_OK) return whole;
    free(whole);
    return NULL;
}

static void check_reader(const wcodec_reader *reader, size_t size, fuzz_random *r)
{
    wcodec_reader_info info;
    size_t scratch_size = wcodec_reader_scratch(reader);
    unsigned char *scratch = fuzz_exact(NULL, scratch_size), *whole;
    wcodec_reader_get_info(reader, &info);
    check_structure(reader, &info, size);
    check_tiles(reader, &info);
    whole = read_whole(reader, &info, scratch, scratch_size);
    check_ranges(reader, &info, whole, scratch, scratch_size, r);
    if (whole != NULL) check_segments(reader, info.segments, whole, scratch, scratch_size, r);
    check_view(reader, &info, whole, r);
    free(whole);
    free(scratch);
}

/* One caller's block of just the size: the same result as with an allocator, and not a byte less will do. */
static void check_block(const wcodec_source *source, const wcodec_reader_options *options,
                        wcodec_status expected,
                        size_t size, fuzz_random *r)
{
    wcodec_reader *reader = NULL;
    size_t need = 0;
    unsigned char *block;
    wcodec_status st = fuzz_status(wcodec_reader_need(source, &need, NULL));
    if (st != WCODEC_OK) { FUZZ_REQUIRE(expected != WCODEC_OK); return; }
    if (need > FUZZ_MAX_MEMORY) return;
    block = fuzz_exact(NULL, need);
    st = fuzz_status(wcodec_reader_open_in(&reader, source, options, block, need, NULL));
    FUZZ_REQUIRE(st == expected && (reader != NULL) == (st == WCODEC_OK));
    if (st == WCODEC_OK) {
        check_reader(reader, size, r);
        FUZZ_REQUIRE(wcodec_reader_open_in(&reader, source, options, block, need - 1, NULL)
                     == WCODEC_E_NO_MEMORY);
    }
    free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_heap heap;
    fuzz_random r = fuzz_random_from(data, size);
    wcodec_allocator allocator = fuzz_allocator(&heap);
    wcodec_reader_options options = wcodec_reader_defaults();
    unsigned char *copy = fuzz_exact(data, size);
    wcodec_source source = wcodec_source_memory(copy, size);
    wcodec_reader *reader = NULL;
    fuzz_bytes file = { NULL, 0, 0 };
    wcodec_status st;

    if (fuzz_too_slow(data, size, &r)) { free(copy); return 0; }
    options.allocator = &allocator;
    options.max_memory = FUZZ_MAX_MEMORY;
    options.no_crc = (int)fuzz_below(&r, 2);
    options.cpu_off = fuzz_cpu_off(&r);
    options.base = fuzz_base(&r);
    options.stream_from = fuzz_below(&r, 2);    /* all reads, or large ones */
    file.data = copy;
    file.size = size;
    if (fuzz_below(&r, 2) == 0) {
        source.memory = NULL;
        source.read_at = fuzz_read_at;
        source.user = &file;
    }
    st = fuzz_status(wcodec_reader_open(&reader, &source, &options, NULL));
    FUZZ_REQUIRE((reader != NULL) == (st == WCODEC_OK));
    if (st == WCODEC_OK) check_reader(reader, size, &r);
    if (st != WCODEC_E_LIMIT) check_block(&source, &options, st, size, &r);
    wcodec_reader_close(reader);
    FUZZ_REQUIRE(heap.live == 0);
    free(copy);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return fuzz_mutate_container(data, size, max_size, seed);
}
