/* Blocks of ggml: tiles that are split as BLOCKS, containers that have them, and plans of GGUF files, good, odd and
 * broken, each of which comes back exactly. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

enum { BLOCK_DTYPES = 27, FIELDS = sizeof wcodeci_blocks[0].field / sizeof wcodeci_blocks[0].field[0] };

/* Block dtype number i. */
static unsigned block_dtype(size_t i)
{
    return wcodeci_blocks[i].dtype;
}

/* ---- the table ---- */

static void the_table(void)
{
    static const struct { const char *name; unsigned dtype, elements, bytes; } known[] = {
        { "Q4_0", 66, 32, 18 }, { "Q8_0", 72, 32, 34 }, { "Q4_K", 76, 256, 144 }, { "Q6_K", 78, 256, 210 },
        { "IQ1_M", 93, 256, 56 }, { "MXFP4", 103, 32, 17 }, { "NVFP4", 104, 64, 36 }, { "Q2_0", 106, 64, 18 } };
    static const struct { unsigned dtype, elements, bytes; } plain[] = {
        { WCODEC_BYTES, 0, 0 }, { WCODEC_BF16, 1, 2 }, { WCODEC_I4, 2, 1 }, { WCODEC_F6_E2M3, 4, 3 },
        { WCODEC_C64, 1, 8 }, { WCODEC_U8, 1, 1 }, { 25, 0, 0 }, { 64, 0, 0 }, { 68, 0, 0 }, { 107, 0, 0 },
        { 4096, 0, 0 } };
    size_t i, k, blocks = 0;
    unsigned elements, bytes, dtype;
    for (i = 0; i < sizeof known / sizeof *known; i++) {
        CHECK_EQ(wcodec_dtype_find(known[i].name, strlen(known[i].name)), known[i].dtype);
        CHECK_STR(wcodec_dtype_name(known[i].dtype), known[i].name);
        CHECK_EQ(wcodec_dtype_bits(known[i].dtype), 0);
        CHECK_EQ(wcodec_dtype_block(known[i].dtype, &elements, &bytes), 1);
        CHECK(elements == known[i].elements && bytes == known[i].bytes);
    }
    for (i = 0; i < sizeof plain / sizeof *plain; i++) {
        CHECK_EQ(wcodec_dtype_block(plain[i].dtype, &elements, &bytes), 0);
        CHECK(elements == plain[i].elements && bytes == plain[i].bytes);
    }
    for (dtype = 25; dtype < 2 * WCODEC_DTYPE_END; dtype++) {
        blocks += (size_t)wcodec_dtype_block(dtype, &elements, &bytes);
        CHECK((wcodec_dtype_name(dtype) != NULL) == wcodec_dtype_block(dtype, &elements, &bytes));
        CHECK(dtype < WCODEC_DTYPE_END || wcodec_dtype_name(dtype) == NULL);
    }
    CHECK_EQ(blocks, BLOCK_DTYPES);
    REQUIRE(sizeof wcodeci_blocks / sizeof wcodeci_blocks[0] == BLOCK_DTYPES);
    for (i = 0; i < BLOCK_DTYPES; i++) {        /* fields fill the block, and are whole units of what they are */
        const wcodeci_block_row *b = &wcodeci_blocks[i];
        unsigned sum = 0;
        test_note("%s", b->name);
        for (k = 0; k < FIELDS && b->field[k].bytes; k++) {
            sum += b->field[k].bytes;
            REQUIRE(wcodec_dtype_name(b->field[k].kind) != NULL && b->field[k].kind <= WCODEC_U4);
            CHECK_EQ(b->field[k].bytes % wcodeci_dtypes[b->field[k].kind].unit, 0);
        }
        CHECK_EQ(sum, b->bytes);
    }
}

/* ---- tiles ---- */

/* Blocks as quantizers make them, more or less: scales that are alike, quants that are not quite random. */
static void fill_blocks(test_random *r, unsigned dtype, unsigned char *dst, size_t size)
{
    const wcodeci_block_row *block = wcodeci_block_of(dtype);
    size_t i = 0, k, b;
    while (i < size)
        for (k = 0; k < FIELDS && block->field[k].bytes; k++)
            for (b = 0; b < block->field[k].bytes && i < size; b++, i++) {
                const unsigned kind = block->field[k].kind;
                dst[i] = (unsigned char)test_next(r);
                if (kind == WCODEC_F16 && b == 1) dst[i] = (unsigned char)(0x20 + make_geometric(r, 6));
                else if (kind == WCODEC_F32 && b == 3) dst[i] = 0x3C;
                else if (kind == WCODEC_F8_E8M0) dst[i] = (unsigned char)(118 + make_geometric(r, 4));
                else if (kind != WCODEC_BYTES && !(kind == WCODEC_F16 && b == 0))
                    dst[i] = (unsigned char)(16 * (test_below(r, 8) + test_below(r, 8)) + test_below(r, 8) + test_below(r, 8));
            }
}

/* Encodes, looks, decodes in exact buffers, compares.  Returns the record's size; *info says what it is. */
static size_t round_trip(unsigned dtype, uint64_t row, const unsigned char *data, size_t size,
                         const wcodec_tile_options *options, wcodec_tile_info *info)
{
    const int best = options && options->profile == WCODEC_PROFILE_BEST;
    test_guard src = test_guard_copy(data, size), dst = test_guard_new(wcodec_tile_bound(size)), record, back, room;
    test_guard scratch = test_guard_new(best ? wcodec_tile_encode_scratch_best(size) : wcodec_tile_encode_scratch(size));
    const size_t made = wcodec_tile_encode(dtype, row, src.data, size, NULL, options, dst.data, dst.size, scratch.data,
                                           scratch.size);
    wcodec_tile_info field;
    size_t need, sum = 0, end = 0;
    unsigned f, k;
    memset(info, 0, sizeof *info);
    CHECK(made > 0 && made <= wcodec_tile_bound(size));
    CHECK_MEM(src.data, data, size);
    record = test_guard_copy(dst.data, made);
    CHECK_STATUS(wcodec_tile_inspect(record.data, made < WCODEC_TILE_HEAD ? made : WCODEC_TILE_HEAD, info, NULL),
                 WCODEC_OK);
    CHECK(info->record_size == made && info->decoded_size == size);
    CHECK((info->fields != 0) == (info->split == WCODEC_SPLIT_BLOCKS) && (info->planes == 0) == (info->fields != 0));
    CHECK(((info->features & WCODEC_FEATURE_BLOCKS) != 0) == (info->fields != 0));
    CHECK(best || !(info->features & WCODEC_FEATURE_MIX));
    for (f = 0; f < info->fields; f++) {
        unsigned width = 0;
        CHECK_STATUS(wcodec_tile_inspect_field(record.data, made, f, &field, NULL), WCODEC_OK);
        CHECK(field.split != WCODEC_SPLIT_BLOCKS && field.planes >= 1 && field.record_size == made);
        sum += field.decoded_size;
        for (k = 0; k < field.planes; k++) {
            width += field.plane[k].width;
            CHECK(field.plane[k].offset >= end && field.plane[k].offset + field.plane[k].size <= made);
            CHECK(field.plane[k].size < 256 || field.plane[k].offset % 8 == 0);
            end = field.plane[k].offset + field.plane[k].size;
        }
        CHECK_EQ(width, 8 * field.unit);
    }
    CHECK_STATUS(wcodec_tile_inspect_field(record.data, made, f, &field, NULL), WCODEC_E_ARGUMENT);
    if (info->fields) CHECK(sum == size && info->block == wcodeci_block_of(dtype)->bytes);
    need = wcodec_tile_decode_scratch(size, info->features);
    room = test_guard_new(need);
    back = test_guard_new(size);
    memset(room.data, 0x5A, need);
    CHECK_STATUS(wcodec_tile_decode(record.data, made, NULL, back.data, size, room.data, need, 0, 0, NULL), WCODEC_OK);
    CHECK_MEM(back.data, data, size);
    memset(room.data, 0xC3, need);
    CHECK_STATUS(wcodec_tile_decode(record.data, made, NULL, back.data, size, room.data, need, 0, WCODEC_CPU_ALL,
                                    NULL), WCODEC_OK);
    CHECK_MEM(back.data, data, size);
    CHECK_STATUS(wcodec_tile_decode(record.data, made, NULL, back.data, size, room.data, need - 1, 0, 0, NULL),
                 WCODEC_E_NO_SPACE);
    test_guard_free(&room);
    test_guard_free(&back);
    test_guard_free(&record);
    test_guard_free(&src);
    test_guard_free(&dst);
    test_guard_free(&scratch);
    return made;
}

/* Every block, every profile, many sizes; enough of them are really split as BLOCKS. */
static void every_block(void)
{
    static const size_t blocks[] = { 1, 2, 3, 7, 16, 63, 64, 65, 255, 256, 257, 700 };
    static unsigned char data[700 * 292];
    test_random r = test_random_new(1);
    size_t i, k, taken_apart = 0;
    unsigned profile;
    for (i = 0; i < BLOCK_DTYPES; i++)
        for (k = 0; k < sizeof blocks / sizeof *blocks; k++) {
            const unsigned dtype = block_dtype(i);
            const size_t size = blocks[k] * wcodeci_blocks[i].bytes;
            fill_blocks(&r, dtype, data, size);
            for (profile = 0; profile <= WCODEC_PROFILE_BEST; profile++) {
                wcodec_tile_options options = { 0, 0, 0, 0, 0 };
                wcodec_tile_info info;
                size_t made;
                if (profile == WCODEC_PROFILE_BEST && blocks[k] > 64) continue;
                options.profile = profile;
                test_note("%s, %zu blocks, profile %u", wcodeci_blocks[i].name, blocks[k], profile);
                made = round_trip(dtype, wcodeci_blocks[i].bytes * (uint64_t)test_below(&r, 20), data, size, &options,
                                  &info);
                CHECK(made <= size + 64);
                taken_apart += blocks[k] == 700 && info.split == WCODEC_SPLIT_BLOCKS;
            }
        }
    CHECK(taken_apart > BLOCK_DTYPES);      /* of twice as many */
}

/* Data of all kinds, sizes that are no whole blocks, rows that are none, options that forbid. */
static void odd_tiles(void)
{
    static unsigned char data[4000];
    test_random r = test_random_new(2);
    wcodec_tile_options options = { 0, 0, 0, 0, 0 };
    wcodec_tile_info info;
    size_t i;
    unsigned kind;
    for (i = 0; i < BLOCK_DTYPES; i++)
        for (kind = 0; kind < MAKE_KINDS; kind++) {
            const size_t size = 1 + test_below(&r, sizeof data);
            make_fill(&r, (make_kind)kind, kind & 1 ? WCODEC_F16 : WCODEC_U8, 9, data, sizeof data);
            test_note("%s, %s", wcodeci_blocks[i].name, make_kind_name((make_kind)kind));
            (void)round_trip(block_dtype(i), test_below(&r, 600), data, size, NULL, &info);
            if (size % wcodeci_blocks[i].bytes) CHECK_EQ(info.split, WCODEC_SPLIT_BYTE);
            (void)round_trip(block_dtype(i), UINT64_MAX, data, size - size % wcodeci_blocks[i].bytes
                             + (size < wcodeci_blocks[i].bytes ? size : 0), NULL, &info);
        }
    fill_blocks(&r, WCODEC_Q4_0, data, 3600);
    options.splits = 1u << WCODEC_SPLIT_BYTE | 1u << WCODEC_SPLIT_F16;
    (void)round_trip(WCODEC_Q4_0, 0, data, 3600, &options, &info);
    CHECK_EQ(info.split, WCODEC_SPLIT_BYTE);
    options.splits = 1u << WCODEC_SPLIT_BLOCKS;
    (void)round_trip(WCODEC_Q4_0, 0, data, 3600, &options, &info);
    CHECK_EQ(info.split, WCODEC_SPLIT_BLOCKS);
    for (i = 0; i < WCODEC_CODER_COUNT; i++) {
        options.coders = 1u << i;
        (void)round_trip(WCODEC_Q4_0, 180, data, 3600, &options, &info);
    }
}

/* A large tile, in which fields are planned by a sample. */
static void large_tile(void)
{
    const size_t size = 18 * 40000;
    unsigned char *data = (unsigned char *)test_malloc(size);
    test_random r = test_random_new(3);
    wcodec_tile_info info;
    fill_blocks(&r, WCODEC_Q4_0, data, size);
    CHECK(round_trip(WCODEC_Q4_0, 180, data, size, NULL, &info) < size - size / 16);
    CHECK_EQ(info.split, WCODEC_SPLIT_BLOCKS);
    free(data);
}

/* A small tile of blocks. */
static size_t small_tile(unsigned dtype, size_t blocks, unsigned char *data, unsigned char *record, size_t room)
{
    test_random r = test_random_new(dtype);
    wcodec_tile_options options = { 0, 0, 0, 0, 0 };
    const size_t size = blocks * wcodeci_block_of(dtype)->bytes, need = wcodec_tile_encode_scratch(size);
    void *scratch = test_malloc(need);
    size_t made;
    options.splits = 1u << WCODEC_SPLIT_BLOCKS;
    fill_blocks(&r, dtype, data, size);
    made = wcodec_tile_encode(dtype, 0, data, size, NULL, &options, record, room, scratch, need);
    free(scratch);
    return made;
}

/* Every flip of a bit, and every cut: an error, or the right bytes; with no_crc always the same bytes. */
static void every_flip(void)
{
    static unsigned char data[8192], record[9000], back[2][8192];
    static const unsigned dtypes[] = { WCODEC_Q4_0, WCODEC_Q4_K, WCODEC_Q8_K, WCODEC_IQ2_XXS, WCODEC_MXFP4 };
    size_t i, k, need = wcodec_tile_decode_scratch(8192, WCODEC_FEATURE_BLOCKS | WCODEC_FEATURE_MIX);
    unsigned char *scratch = (unsigned char *)test_malloc(need);
    for (k = 0; k < sizeof dtypes / sizeof *dtypes; k++) {
        const size_t size = (dtypes[k] == WCODEC_Q4_0 ? 60u : 20u) * wcodeci_block_of(dtypes[k])->bytes;
        const size_t made = small_tile(dtypes[k], size / wcodeci_block_of(dtypes[k])->bytes, data, record,
                                       sizeof record);
        wcodec_tile_info info;
        unsigned wrong = 0, unstable = 0, head = 0;
        REQUIRE(made > 0);
        REQUIRE_OK(wcodec_tile_inspect(record, made, &info, NULL));
        REQUIRE(info.split == WCODEC_SPLIT_BLOCKS);
        for (i = 0; i < made * 8; i += i < 1600 ? 1 : 7) {
            wcodec_status st;
            record[i / 8] ^= (unsigned char)(1u << i % 8);
            memset(scratch, 0x11, need);
            st = wcodec_tile_decode(record, made, NULL, back[0], size, scratch, need, 0, 0, NULL);
            wrong += st == WCODEC_OK && memcmp(back[0], data, size) != 0;
            st = wcodec_tile_decode(record, made, NULL, back[0], size, scratch, need, 1, 0, NULL);
            memset(scratch, 0xEE, need);
            if (st == WCODEC_OK) {
                CHECK_STATUS(wcodec_tile_decode(record, made, NULL, back[1], size, scratch, need, 1, WCODEC_CPU_ALL,
                                                NULL), WCODEC_OK);
                unstable += memcmp(back[0], back[1], size) != 0;
            }
            record[i / 8] ^= (unsigned char)(1u << i % 8);
        }
        CHECK(wrong == 0 && unstable == 0);
        for (i = 0; i < made; i++) {
            test_guard part = test_guard_copy(record, i);
            const wcodec_status st = wcodec_tile_inspect(part.data, i, &info, NULL);
            CHECK(st == WCODEC_OK || st == WCODEC_E_TRUNCATED);
            head += st != WCODEC_OK;
            CHECK_STATUS(wcodec_tile_decode(part.data, i, NULL, back[0], size, scratch, need, 0, 0, NULL),
                         WCODEC_E_TRUNCATED);
            test_guard_free(&part);
        }
        CHECK(head <= WCODEC_TILE_HEAD);
    }
    free(scratch);
}

/* ---- containers ---- */

static void block_tensor(make_container *c, const char *name, unsigned dtype, uint64_t rows, uint64_t columns,
                         uint64_t row)
{
    const wcodeci_block_row *block = wcodeci_block_of(dtype);
    uint64_t shape[2];
    wcodec_segment s;
    unsigned char *data;
    memset(&s, 0, sizeof s);
    shape[0] = rows ? rows : columns;
    shape[1] = columns;
    s.name = name;
    s.name_size = strlen(name);
    s.dtype = dtype;
    s.rank = rows ? 2 : 1;
    s.shape = shape;
    s.size = columns / block->elements * block->bytes * (rows ? rows : 1);
    s.row = row;
    data = (unsigned char *)test_malloc((size_t)s.size);
    fill_blocks(&c->random, dtype, data, (size_t)s.size);
    make_segment_of(c, &s, data);
    free(data);
}

/* How many tiles of a segment are split as BLOCKS, and how many there are.  Every tile but bytes is whole blocks. */
static size_t count_blocks(const test_sink *out, const wcodec_reader *reader, size_t segment, size_t *tiles)
{
    wcodec_segment s;
    size_t found = 0;
    uint64_t at;
    *tiles = 0;
    memset(&s, 0, sizeof s);
    if (!CHECK_STATUS(wcodec_reader_segment(reader, segment, &s), WCODEC_OK)) return 0;
    for (at = s.offset; at < s.offset + s.size; ++*tiles) {
        wcodec_tile_span span;
        wcodec_tile_info info;
        CHECK_STATUS(wcodec_reader_tile(reader, at, &span), WCODEC_OK);
        CHECK_STATUS(wcodec_tile_inspect(out->data + span.container_offset, span.container_size, &info, NULL),
                     WCODEC_OK);
        if (wcodeci_block_of(s.dtype)) CHECK_EQ(span.size % wcodeci_block_of(s.dtype)->bytes, 0);
        found += info.split == WCODEC_SPLIT_BLOCKS;
        at = span.offset + span.size;
    }
    return found;
}

static void check_rows(const make_container *c, const wcodec_reader *reader, size_t segment, void *scratch)
{
    const size_t need = wcodec_reader_scratch(reader);
    wcodec_segment s;
    unsigned elements, bytes;
    uint64_t i, offset, size, step;
    memset(&s, 0, sizeof s);
    REQUIRE_OK(wcodec_reader_segment(reader, segment, &s));
    if (!wcodec_dtype_block(s.dtype, &elements, &bytes)) return;
    step = s.rank == 1 ? elements : 1;
    for (i = 0; i + step <= s.shape[0]; i += step * (1 + s.shape[0] / step / 7)) {
        unsigned char *row;
        REQUIRE_OK(wcodec_rows_range(&s, i, i + step, &offset, &size));
        CHECK_EQ(offset, i * (s.size / (s.shape[0] / step)) / step);
        row = (unsigned char *)test_malloc((size_t)size);
        CHECK_STATUS(wcodec_read_rows(reader, segment, i, i + step, row, (size_t)size, scratch, need, NULL), WCODEC_OK);
        CHECK_MEM(row, c->view.data + s.offset + offset, (size_t)size);
        free(row);
    }
    if (s.rank == 1) CHECK_STATUS(wcodec_rows_range(&s, 1, s.shape[0], &offset, &size), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_rows_range(&s, 0, s.shape[0] + step, &offset, &size), WCODEC_E_ARGUMENT);
}

/* Tensors of blocks, small and large, long rows and short, through writer, reader and push decoder. */
static void container_of_blocks(unsigned features, unsigned profile, uint32_t tile_units)
{
    make_container c;
    wcodec_reader *reader = NULL;
    wcodec_reader_info info;
    wcodec_source source;
    make_pushed pushed;
    test_random r = test_random_new(5);
    unsigned char *view;
    size_t size, tiles, i;
    void *scratch;
    make_init(&c, 9);
    c.options.features = features;
    c.options.tile.profile = profile;
    c.options.tile_units = tile_units;
    make_begin(&c);
    make_original(&c, "model", 0);
    block_tensor(&c, "q4_0", WCODEC_Q4_0, 300, 512, 0);
    make_tensor(&c, "norm", WCODEC_F32, 512, 0, MAKE_WEIGHTS);
    block_tensor(&c, "q4_k", WCODEC_Q4_K, 3, 256 * 700, 0);
    block_tensor(&c, "vector", WCODEC_Q8_0, 0, 4096, 0);
    block_tensor(&c, "flat", WCODEC_Q6_K, 0, 256 * 300, 420);
    block_tensor(&c, "nothing", WCODEC_IQ1_S, 5, 0, 0);
    make_end(&c);
    source = wcodec_source_memory(c.out.data, c.out.size);
    REQUIRE_OK(make_read_all(c.out.data, c.out.size, &view, &size));
    if (CHECK_EQ(size, c.view.size)) CHECK_MEM(view, c.view.data, size);
    free(view);
    pushed = make_push_all(c.out.data, c.out.size, 0, 0, &r, NULL);
    CHECK_STATUS(pushed.status, WCODEC_END);
    if (CHECK_EQ(pushed.bytes.size, c.view.size)) CHECK_MEM(pushed.bytes.data, c.view.data, c.view.size);
    test_sink_free(&pushed.bytes);
    REQUIRE_OK(wcodec_reader_open(&reader, &source, NULL, NULL));
    wcodec_reader_get_info(reader, &info);
    CHECK_EQ(info.features, (features & WCODEC_FEATURE_BLOCKS)
             | (profile == WCODEC_PROFILE_BEST ? WCODEC_FEATURE_MIX : 0u));
    scratch = test_malloc(wcodec_reader_scratch(reader));
    for (i = 0; i < info.segments; i++) {
        wcodec_segment s = { NULL, 0, 0, 0, NULL, 0, 0, 0, 0, 0 };
        const size_t found = count_blocks(&c.out, reader, i, &tiles);
        REQUIRE_OK(wcodec_reader_segment(reader, i, &s));
        test_note("segment %zu", i);
        CHECK_EQ(found, wcodeci_block_of(s.dtype) && (features & WCODEC_FEATURE_BLOCKS) ? tiles : 0);
        check_rows(&c, reader, i, scratch);
    }
    free(scratch);
    wcodec_reader_close(reader);
    /* Without the promise of the header such a tile is not decoded. */
    if (features & WCODEC_FEATURE_BLOCKS) {
        c.out.data[16] &= (unsigned char)~WCODEC_FEATURE_BLOCKS;
        wcodeci_store32(c.out.data + 28, wcodec_crc32(wcodec_crc32(0, c.out.data, 28), c.out.data + 32,
                                                      wcodeci_load32(c.out.data + 8) - 32));
        wcodeci_store32(c.out.data + c.out.size - 8, wcodec_crc32(0, c.out.data, c.out.size - 8));
        CHECK_STATUS(make_read_all(c.out.data, c.out.size, &view, &size), WCODEC_E_CORRUPT);
        pushed = make_push_all(c.out.data, c.out.size, 0, 0, &r, NULL);
        CHECK_STATUS(pushed.status, WCODEC_E_CORRUPT);
        test_sink_free(&pushed.bytes);
    }
    make_free(&c);
}

static void containers(void)
{
    container_of_blocks(WCODEC_FEATURE_BLOCKS, WCODEC_PROFILE_FAST, 0);
    container_of_blocks(0, WCODEC_PROFILE_FAST, 0);
    container_of_blocks(~0u, WCODEC_PROFILE_DENSE, 1024);
    container_of_blocks(WCODEC_FEATURE_BLOCKS, WCODEC_PROFILE_BEST, 4096);
}

/* Tiles smaller than a block, and rows that are no whole blocks. */
static void small_tiles_and_wrong_rows(void)
{
    make_container c;
    wcodec_segment s;
    uint64_t shape[2] = { 2, 256 };
    unsigned char *view;
    size_t size;
    make_init(&c, 4);
    c.options.features = WCODEC_FEATURE_BLOCKS;
    c.options.tile_units = 8;
    make_begin(&c);
    make_original(&c, "small", 0);
    block_tensor(&c, "q8_k", WCODEC_Q8_K, 3, 768, 0);
    block_tensor(&c, "q4_0", WCODEC_Q4_0, 3, 320, 0);
    memset(&s, 0, sizeof s);
    s.dtype = WCODEC_Q4_K;
    s.rank = 2;
    s.shape = shape;
    s.size = 288;
    s.row = 100;
    CHECK_STATUS(wcodec_writer_segment(c.writer, &s, NULL), WCODEC_E_ARGUMENT);
    s.row = 0;
    s.size = 287;
    CHECK_STATUS(wcodec_writer_segment(c.writer, &s, NULL), WCODEC_E_ARGUMENT);
    s.size = 288;
    shape[1] = 255;
    CHECK_STATUS(wcodec_writer_segment(c.writer, &s, NULL), WCODEC_E_ARGUMENT);
    shape[1] = 256;
    s.rank = 0;
    CHECK_STATUS(wcodec_writer_segment(c.writer, &s, NULL), WCODEC_E_ARGUMENT);
    s.dtype = 68;           /* a type that ggml gave up */
    CHECK_STATUS(wcodec_writer_segment(c.writer, &s, NULL), WCODEC_E_ARGUMENT);
    make_end(&c);
    REQUIRE_OK(make_read_all(c.out.data, c.out.size, &view, &size));
    if (CHECK_EQ(size, c.view.size)) CHECK_MEM(view, c.view.data, size);
    free(view);
    make_free(&c);
}

/* An estimate of a whole small tensor is what the writer makes of it; of a large one it is near. */
static void estimates(void)
{
    static const struct { unsigned dtype; uint64_t rows, columns; int exact; } list[] = {
        { WCODEC_Q4_0, 64, 512, 1 }, { WCODEC_Q4_K, 1, 256 * 5000, 1 }, { WCODEC_Q8_0, 1200, 1024, 0 },
        { WCODEC_Q6_K, 2, 256 * 9000, 0 }, { WCODEC_IQ1_S, 0, 256, 1 } };
    test_random r = test_random_new(8);
    size_t i;
    for (i = 0; i < sizeof list / sizeof *list; i++) {
        const wcodeci_block_row *b = wcodeci_block_of(list[i].dtype);
        wcodec_segment s;
        wcodec_estimate estimate;
        wcodec_source file;
        make_container c;
        wcodec_reader *reader = NULL;
        uint64_t shape[2], real = 0, at;
        unsigned char *data;
        memset(&s, 0, sizeof s);
        shape[0] = list[i].rows;
        shape[1] = list[i].columns;
        s.name = "";
        s.dtype = list[i].dtype;
        s.rank = 2;
        s.shape = shape;
        s.size = shape[0] * (shape[1] / b->elements) * b->bytes;
        data = (unsigned char *)test_malloc((size_t)s.size);
        fill_blocks(&r, s.dtype, data, (size_t)s.size);
        file = wcodec_source_memory(data, (size_t)s.size);
        test_note("%s", b->name);
        REQUIRE_OK(wcodec_estimate_segment(&s, &file, NULL, &estimate, NULL));
        make_init(&c, 1);
        c.options.features = WCODEC_FEATURE_BLOCKS;
        make_begin(&c);
        make_original(&c, "e", 0);
        make_segment_of(&c, &s, data);
        make_end(&c);
        file = wcodec_source_memory(c.out.data, c.out.size);
        REQUIRE_OK(wcodec_reader_open(&reader, &file, NULL, NULL));
        for (at = 0; at < s.size;) {
            wcodec_tile_span span;
            REQUIRE_OK(wcodec_reader_tile(reader, at, &span));
            real += span.container_size;
            at += span.size;
        }
        wcodec_reader_close(reader);
        CHECK_EQ(estimate.exact, list[i].exact);
        if (list[i].exact) CHECK_EQ(estimate.records, real);
        else CHECK(estimate.records > real - real / 50 && estimate.records < real + real / 50);
        CHECK(s.size == 0 || estimate.decode_ns > 0);
        make_free(&c);
        free(data);
    }
}

/* ---- GGUF files ---- */

/* A file in the making. */
static unsigned char *file_data;
static size_t file_size, file_room;

static void put(const void *src, size_t size)
{
    if (file_size + size > file_room) {
        file_room = 2 * (file_size + size) + 4096;
        file_data = (unsigned char *)realloc(file_data, file_room);
        if (!file_data) test_die("out of memory");
    }
    memcpy(file_data + file_size, src, size);
    file_size += size;
}

/* Of the files as they may be written elsewhere: numbers the other way round, or lengths and counts of 32 bits, as
 * version 1 has them. */
static int big_endian, short_lengths;

static void put_number(uint64_t v, size_t size)
{
    unsigned char bytes[8];
    size_t i;
    for (i = 0; i < size; i++) bytes[i] = (unsigned char)(v >> 8 * (big_endian ? size - 1 - i : i));
    put(bytes, size);
}

static void put_length(uint64_t v)
{
    put_number(v, short_lengths ? 4 : 8);
}

static void put_string(const char *text)
{
    put_length(strlen(text));
    put(text, strlen(text));
}

static void put_zeros(size_t size)
{
    while (size--) put("", 1);
}

static void put_head(unsigned version, uint64_t tensors, uint64_t pairs)
{
    file_size = 0;
    put("GGUF", 4);
    put_number(version, 4);
    put_length(tensors);
    put_length(pairs);
}

static void put_alignment(uint64_t alignment)
{
    put_string("general.alignment");
    put_number(4, 4);
    put_number(alignment, 4);
}

/* A tensor of two dimensions, or of one if `rows` is 0. */
static void put_tensor(const char *name, unsigned type, uint64_t columns, uint64_t rows, uint64_t offset)
{
    put_string(name);
    put_number(rows ? 2 : 1, 4);
    put_number(columns, 8);
    if (rows) put_number(rows, 8);
    put_number(type, 4);
    put_number(offset, 8);
}

static void put_padding(size_t alignment)
{
    while (file_size % alignment) put("\xAA", 1);       /* nobody says that it is zero */
}

static void put_data(size_t size)
{
    size_t i;
    for (i = 0; i < size; i++) put_number(i * 31 % 251, 1);
}

static void file_free(void)
{
    free(file_data);
    file_data = NULL;
    file_size = file_room = 0;
}

/* The plan, from memory and from a callback alike, checked for what holds of every plan; and the file comes back. */
static wcodec_plan *plan_of(void)
{
    test_source in;
    test_guard memory = test_guard_copy(file_data, file_size);
    wcodec_source source = wcodec_source_memory(memory.data, file_size);
    wcodec_writer_options options = wcodec_writer_defaults();
    wcodec_plan *plan = NULL, *other = NULL;
    wcodec_writer *writer = NULL;
    test_sink out = { NULL, 0, 0, 0, 0, 0 };
    const wcodec_sink sink = test_sink_of(&out);
    unsigned char *view = NULL;
    uint64_t end = 0;
    size_t i, size = 0;
    memset(&in, 0, sizeof in);
    in.data = file_data;
    in.size = file_size;
    if (!CHECK_STATUS(wcodec_plan_open(&other, &source, NULL, NULL), WCODEC_OK)) test_die("no plan");
    source = test_source_of(&in);
    if (!CHECK_STATUS(wcodec_plan_open(&plan, &source, NULL, NULL), WCODEC_OK)) test_die("no plan");
    test_guard_free(&memory);
    CHECK_STR(plan->format, other->format);
    CHECK_EQ(plan->count, other->count);
    CHECK_EQ(plan->features, other->features);
    for (i = 0; i < plan->count && i < other->count; i++) {
        const wcodec_segment *s = &plan->segments[i], *t = &other->segments[i];
        CHECK(s->offset == end && s->size <= file_size - end);
        CHECK(s->offset == t->offset && s->size == t->size && s->dtype == t->dtype && s->rank == t->rank);
        if (CHECK_EQ(s->name_size, t->name_size)) CHECK_MEM(s->name, t->name, s->name_size + 1);
        end += s->size;
    }
    CHECK_EQ(end, file_size);
    wcodec_plan_close(other);
    options.features = plan->features;
    options.tile_units = 1024;
    CHECK_STATUS(wcodec_writer_open(&writer, &sink, &options, NULL), WCODEC_OK);
    CHECK_STATUS(wcodec_writer_file(writer, "f", 1, &source, plan, NULL, NULL), WCODEC_OK);
    CHECK_STATUS(wcodec_writer_finish(writer, NULL), WCODEC_OK);
    wcodec_writer_close(writer);
    CHECK_STATUS(make_read_all(out.data, out.size, &view, &size), WCODEC_OK);
    if (CHECK_EQ(size, file_size) && view) CHECK_MEM(view, file_data, size);
    free(view);
    test_sink_free(&out);
    return plan;
}

/* What must be there behind the header, in order; dtype 255: padding or what else is opaque and has no name. */
typedef struct expect {
    const char *name;
    unsigned dtype;
    uint64_t size;
} expect;

static void check_gguf(const char *what, size_t header, const expect *list, size_t count, unsigned features)
{
    wcodec_plan *plan;
    size_t i;
    test_note("%s", what);
    plan = plan_of();
    CHECK_STR(plan->format, "gguf");
    CHECK_EQ(plan->features, features);
    if (CHECK_EQ(plan->count, count + 1)) {
        CHECK_EQ(plan->segments[0].size, header);
        for (i = 0; i < count; i++) {
            const wcodec_segment *s = &plan->segments[i + 1];
            CHECK_STR(s->name, list[i].name);
            CHECK_EQ(s->dtype, list[i].dtype == 255 ? WCODEC_BYTES : list[i].dtype);
            CHECK_EQ(s->size, list[i].size);
        }
    }
    wcodec_plan_close(plan);
}

/* One opaque segment. */
static void check_opaque(const char *what)
{
    wcodec_plan *plan;
    test_note("%s", what);
    plan = plan_of();
    CHECK_STR(plan->format, "raw");
    CHECK_EQ(plan->features, 0);
    if (file_size != 0 && CHECK_EQ(plan->count, 1)) CHECK_EQ(plan->segments[0].dtype, WCODEC_BYTES);
    wcodec_plan_close(plan);
}

/* Key-values of every type. */
static void put_pairs(void)
{
    static const unsigned char sizes[] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };
    unsigned t;
    char key[32];
    for (t = 0; t <= 12; t++) {
        if (t == 9) continue;
        snprintf(key, sizeof key, "one.%u", t);
        put_string(key);
        put_number(t, 4);
        if (t == 8) put_string("text");
        else put_number(t * 7, sizes[t]);
    }
    for (t = 0; t <= 12; t++) {
        if (t == 9) continue;
        snprintf(key, sizeof key, "many.%u", t);
        put_string(key);
        put_number(9, 4);
        put_number(t, 4);
        put_number(3, 8);
        if (t == 8) put_string(""), put_string("b"), put_string("cc");
        else put_zeros(3 * sizes[t]);
    }
}

static void good_files(void)
{
    static const expect three[] = { { "a", WCODEC_Q4_0, 2 * 18 * 3 }, { "", 255, 20 }, { "b", WCODEC_F32, 20 },
                                    { "", 255, 12 }, { "c", WCODEC_BF16, 64 }, { "", 255, 7 } };
    static const expect tight[] = { { "a", WCODEC_Q6_K, 210 }, { "b", WCODEC_I8, 3 }, { "c", WCODEC_F64, 8 } };
    static const expect empty[] = { { "a", WCODEC_Q4_K, 0 }, { "b", WCODEC_F16, 4 }, { "", 255, 28 } };
    size_t header;
    unsigned version;
    for (version = 2; version <= 3; version++) {
        put_head(version, 3, 25);
        put_pairs();
        put_string("tokenizer");
        put_number(8, 4);
        put_string("none");
        put_tensor("a", 2, 64, 3, 0);
        put_tensor("b", 0, 5, 0, 128);
        put_tensor("c", 30, 8, 4, 160);
        put_padding(32);
        header = file_size;
        put_data(160 + 64 + 7);
        check_gguf("every type of value, padding, trailing bytes", header, three, 6, WCODEC_FEATURE_BLOCKS);
    }
    put_head(3, 3, 1);
    put_alignment(1);
    put_tensor("a", 14, 256, 1, 0);
    put_tensor("b", 24, 3, 0, 210);
    put_tensor("c", 28, 1, 0, 213);
    header = file_size;
    put_data(221);
    check_gguf("alignment 1", header, tight, 3, WCODEC_FEATURE_BLOCKS);
    put_head(3, 2, 0);
    put_tensor("a", 12, 512, 0, 0);         /* no rows: one dimension */
    file_size -= 4 + 8 + 8 + 4;             /* but of two, the last of which is 0 */
    put_number(2, 4);
    put_number(512, 8);
    put_number(0, 8);
    put_number(12, 4);
    put_number(0, 8);
    put_tensor("b", 1, 2, 0, 0);
    put_padding(32);
    header = file_size;
    put_data(32);
    check_gguf("a dimension of 0", header, empty, 3, WCODEC_FEATURE_BLOCKS);
    put_head(3, 0, 0);
    check_gguf("nothing in it", file_size, NULL, 0, 0);
    put_head(3, 0, 1);
    put_alignment(64);
    check_gguf("a key and no tensor: no padding", file_size, NULL, 0, 0);
    file_free();
}

/* Every type by its number: one row of it. */
static void every_type(void)
{
    static const struct { unsigned type, dtype; } plain[] = {
        { 0, WCODEC_F32 }, { 1, WCODEC_F16 }, { 24, WCODEC_I8 }, { 25, WCODEC_I16 }, { 26, WCODEC_I32 },
        { 27, WCODEC_I64 }, { 28, WCODEC_F64 }, { 30, WCODEC_BF16 } };
    unsigned type, known = 0;
    size_t i;
    for (type = 0; type < 48; type++) {
        unsigned dtype = WCODEC_BYTES, elements, bytes;
        expect list[3] = { { "t", 0, 0 }, { "z", WCODEC_I8, 1 }, { "", 255, 31 } };
        size_t header;
        if (wcodec_dtype_block(64 + type, &elements, &bytes)) dtype = 64 + type;
        for (i = 0; i < sizeof plain / sizeof *plain; i++)
            if (plain[i].type == type) dtype = plain[i].dtype;
        known += dtype != WCODEC_BYTES;
        (void)wcodec_dtype_block(dtype, &elements, &bytes);
        list[0].dtype = dtype;
        list[0].size = dtype == WCODEC_BYTES ? 1024 : 256 / elements * bytes;
        put_head(3, 2, 0);
        put_tensor("t", type, 256, 1, 0);
        put_tensor("z", 24, 1, 0, (list[0].size + 31) / 32 * 32);
        put_padding(32);
        header = file_size;
        put_data((size_t)(list[0].size + 31) / 32 * 32 + 1);
        if (list[0].size % 32) {
            list[2] = list[1];
            list[1].name = "";
            list[1].dtype = 255;
            list[1].size = 32 - list[0].size % 32;
        }
        check_gguf("a type", header, list, list[0].size % 32 ? 3 : 2, dtype >= 64 ? WCODEC_FEATURE_BLOCKS : 0);
    }
    CHECK_EQ(known, BLOCK_DTYPES + 8);
    /* The last tensor of an unknown type reaches to the file's end. */
    put_head(3, 2, 0);
    put_tensor("z", 24, 32, 0, 0);
    put_tensor("t", 99, 256, 1, 32);
    put_padding(32);
    {
        expect list[2] = { { "z", WCODEC_I8, 32 }, { "t", WCODEC_BYTES, 77 } };
        const size_t header = file_size;
        put_data(32 + 77);
        check_gguf("an unknown type at the end", header, list, 2, 0);
    }
    file_free();
}

/* ---- GGUF files that ggml refuses: its own list of them ---- */

static void broken_heads(void)
{
    static const unsigned versions[] = { 0, 1, 4, 0x00020000, 0x03000000, UINT32_MAX };
    size_t i;
    put_head(3, 0, 0);
    file_data[0] = 'g';
    check_opaque("another magic");
    for (i = 0; i < sizeof versions / sizeof *versions; i++) {
        put_head(versions[i], 0, 0);
        check_opaque("a version");
    }
    put_head(3, UINT64_MAX, 0);
    check_opaque("-1 tensors");
    put_head(3, 0, UINT64_MAX);
    check_opaque("-1 pairs");
    put_head(3, INT64_MAX, INT64_MAX);
    check_opaque("many of both");
    for (i = 0; i < 24; i++) {
        put_head(3, 0, 0);
        file_size = i;
        check_opaque("cut in the head");
    }
    file_free();
}

static void broken_pairs(void)
{
    static const unsigned alignments[] = { 0, 3, 13, 0x80000001u };
    unsigned i;
    put_head(3, 0, 1);
    put_number(UINT64_MAX, 8);
    put_zeros(100);
    check_opaque("a key of size -1");
    put_head(3, 0, 1);
    put_number((uint64_t)1 << 30, 8);
    put_zeros(100);
    check_opaque("a key longer than the file");
    put_head(3, 0, 1);
    put_string("");
    put_number(4, 4);
    put_number(4, 4);
    check_opaque("an empty key");
    for (i = 13; i < 16; i++) {
        put_head(3, 0, 1);
        put_string("k");
        put_number(i, 4);
        put_zeros(64);
        check_opaque("an unknown type of value");
        put_head(3, 0, 1);
        put_string("k");
        put_number(9, 4);
        put_number(i == 15 ? 9 : i, 4);         /* 9: arrays in arrays */
        put_number(1, 8);
        put_zeros(64);
        check_opaque("an unknown type of values");
    }
    put_head(3, 0, 2);
    for (i = 0; i < 2; i++) {
        put_string("the.same");
        put_number(0, 4);
        put_number(i, 1);
    }
    check_opaque("a key twice");
    for (i = 0; i < sizeof alignments / sizeof *alignments; i++) {
        put_head(3, 0, 1);
        put_alignment(alignments[i]);
        check_opaque("no power of two");
    }
    put_head(3, 0, 1);
    put_string("general.alignment");
    put_number(5, 4);
    put_number(32, 4);
    check_opaque("an alignment of type INT32");
    put_head(3, 0, 1);
    put_string("general.alignment");
    put_number(9, 4);
    put_number(4, 4);
    put_number(1, 8);
    put_number(32, 4);
    check_opaque("an array of alignments");
    for (i = 0; i < 4; i++) {
        static const uint64_t counts[] = { ((uint64_t)1 << 30) + 1, (uint64_t)1 << 30, UINT64_MAX, 20 };
        put_head(3, 0, 1);
        put_string("k");
        put_number(9, 4);
        put_number(i & 1 ? 12 : 8, 4);
        put_number(counts[i], 8);
        put_zeros(150);
        check_opaque("an array that is too long");
    }
    put_head(3, 0, 1);
    put_string("k");
    put_number(8, 4);
    put_number(9, 8);
    put_zeros(8);
    check_opaque("a text that the file cuts");
    file_free();
}

static void broken_tensors(void)
{
    static const struct { const char *what; unsigned type, rank; uint64_t ne[4], offset; } list[] = {
        { "five dimensions", 0, 5, { 1, 1, 1, 1 }, 0 },
        { "a dimension of -1", 0, 1, { UINT64_MAX, 1, 1, 1 }, 0 },
        { "a dimension of the least number", 0, 2, { (uint64_t)1 << 63, 0, 1, 1 }, 0 },
        { "4 * INT32_MAX each", 0, 4, { 8589934588u, 8589934588u, 8589934588u, 8589934588u }, 0 },
        { "more bytes than there are numbers", 0, 2, { (uint64_t)1 << 31, (uint64_t)1 << 31, 1, 1 }, 0 },
        { "the same of blocks", 8, 2, { (uint64_t)1 << 40, (uint64_t)1 << 40, 1, 1 }, 0 },
        { "a part of a block", 2, 1, { 48, 1, 1, 1 }, 0 },
        { "a scalar of blocks", 2, 0, { 0, 0, 0, 0 }, 0 },
        { "an offset of -1", 0, 1, { 8, 1, 1, 1 }, UINT64_MAX },
        { "an offset of its own", 0, 1, { 8, 1, 1, 1 }, 32 },
        { "an unknown type beyond the end", 43, 1, { 8, 1, 1, 1 }, 0x7FFFFFE0 },
        { "more than the file holds", 0, 1, { 1000, 1, 1, 1 }, 0 } };
    static const char longest[] = "0123456789012345678901234567890123456789012345678901234567890123";
    size_t i;
    unsigned d;
    for (i = 0; i < sizeof list / sizeof *list; i++) {
        put_head(3, 1, 0);
        put_string("t");
        put_number(list[i].rank, 4);
        for (d = 0; d < list[i].rank; d++) put_number(d < 4 ? list[i].ne[d] : 1, 8);
        put_number(list[i].type, 4);
        put_number(list[i].offset, 8);
        put_padding(32);
        put_data(64);
        check_opaque(list[i].what);
    }
    put_head(3, 1, 0);
    put_tensor(longest, 24, 32, 0, 0);
    put_padding(32);
    put_data(32);
    check_opaque("a name of 64 bytes");
    put_head(3, 1, 0);
    put_tensor(longest + 1, 24, 32, 0, 0);
    put_padding(32);
    put_data(32);
    {
        expect one[1] = { { NULL, WCODEC_I8, 32 } };
        one[0].name = longest + 1;
        check_gguf("a name of 63 bytes", file_size - 32, one, 1, 0);
    }
    put_head(3, 2, 0);
    put_tensor("twice", 24, 32, 0, 0);
    put_tensor("twice", 24, 32, 0, 32);
    put_padding(32);
    put_data(64);
    check_opaque("a name twice");
    put_head(3, 2, 0);
    put_tensor("a", 24, 33, 0, 0);
    put_tensor("b", 24, 32, 0, 33);
    put_padding(32);
    put_data(96);
    check_opaque("an offset that is not aligned");
    put_head(3, 2, 1);
    put_alignment(16);
    put_tensor("a", 24, 33, 0, 0);
    put_tensor("b", 24, 32, 0, 64);
    put_padding(32);
    put_data(96);
    check_opaque("offsets for another alignment");
    put_head(3, 2, 0);
    put_tensor("a", 24, 64, 0, 0);
    put_tensor("b", 24, 32, 0, 32);
    put_padding(32);
    put_data(96);
    check_opaque("tensors that overlap");
    put_head(3, 2, 0);
    put_tensor("b", 24, 32, 0, 32);
    put_tensor("a", 24, 32, 0, 0);
    put_padding(32);
    put_data(64);
    check_opaque("tensors in another order");
    put_head(3, 2, 0);
    put_tensor("a", 40 + 9, 64, 0, 64);
    put_tensor("b", 24, 32, 0, 32);
    put_padding(32);
    put_data(128);
    check_opaque("an unknown type, out of order");
    put_head(3, 2, 0);
    put_tensor("a", 49, 64, 0, 0);
    put_tensor("b", 24, 32, 0, 33);
    put_padding(32);
    put_data(128);
    check_opaque("behind an unknown type, not aligned");
    put_head(3, 2, 0);
    put_tensor("a", 24, 0x7FFFFFFFFFFFFFC0u, 0, 0);
    put_tensor("b", 24, 0x7FFFFFFFFFFFFFC0u, 0, 0x7FFFFFFFFFFFFFC0u);
    put_padding(32);
    put_data(64);
    check_opaque("sizes that wrap");
    file_free();
}

static void broken_data(void)
{
    static const expect whole[] = { { "a", WCODEC_I8, 33 } };
    put_head(3, 1, 0);
    put_tensor("a", 24, 33, 0, 0);
    put_padding(32);
    put_data(33);
    check_gguf("all of it, but for padding at the end", file_size - 33, whole, 1, 0);
    file_size--;
    check_opaque("a byte short");
    put_head(3, 1, 0);
    put_tensor("a", 24, 0, 0, 0);
    check_opaque("the padding before the data is cut");
    file_free();
}

/* Whole files of other byte orders and versions: well-formed, but not of a kind that is known. */
static void other_kinds(void)
{
    static const struct { const char *what; int big, lengths; unsigned version; } list[] = {
        { "big-endian, version 3", 1, 0, 3 }, { "big-endian, version 2", 1, 0, 2 }, { "version 1", 0, 1, 1 },
        { "version 1 with the lengths of 2", 0, 0, 1 }, { "version 2 with the lengths of 1", 0, 1, 2 },
        { "version 4", 0, 0, 4 } };
    size_t i;
    for (i = 0; i < sizeof list / sizeof *list; i++) {
        big_endian = list[i].big;
        short_lengths = list[i].lengths;
        put_head(list[i].version, 2, 2);
        put_string("general.name");
        put_number(8, 4);
        put_string("a model");
        put_alignment(32);
        put_tensor("w", 2, 64, 4, 0);
        put_tensor("v", 0, 16, 0, 160);
        put_padding(32);
        put_data(224);
        big_endian = short_lengths = 0;
        check_opaque(list[i].what);
    }
    file_free();
}

/* A good file, but for one number of `size` bytes that lies at `at`. */
static size_t put_model(size_t at, uint64_t value, size_t size)
{
    size_t header, i;
    put_head(3, 2, 3);                  /* counts at 8 and 16 */
    put_string("text");                 /* its length at 24 */
    put_number(8, 4);                   /* at 36 */
    put_string("abcdefgh");             /* 40 */
    put_string("list");                 /* 56 */
    put_number(9, 4);
    put_number(8, 4);                   /* 72 */
    put_number(2, 8);                   /* 76 */
    put_string("one");                  /* 84 */
    put_string("two");                  /* 95 */
    put_string("numbers");              /* 106 */
    put_number(9, 4);
    put_number(6, 4);
    put_number(5, 8);                   /* 129 */
    put_zeros(20);
    put_tensor("w", 2, 64, 4, 0);       /* name 157, rank 166, dimensions 170 and 178, type 186, offset 190 */
    put_tensor("v", 0, 16, 0, 160);     /* name 198, rank 207, dimension 211, type 219, offset 223 */
    put_padding(32);
    header = file_size;
    put_data(224);
    for (i = 0; i < size; i++) file_data[at + i] = (unsigned char)(value >> 8 * i);
    return header;
}

/* Counts, lengths, dimensions and offsets: what is above what the file holds, and what wraps. */
static void hostile_numbers(void)
{
    static const uint64_t evil[] = { 0x8000000000000000u, 0x7FFFFFFFFFFFFFFFu, 0x8000000000000001u, UINT64_MAX,
        UINT64_MAX - 7, UINT64_MAX - 31, UINT64_MAX - 156, 0x4000000000000000u, 0x2000000000000001u, 0xFFFFFFFFu,
        0x100000000u, 0x80000000u, 0x40000000u, 0x40000001u, 480 };
    static const struct { size_t at; const char *what; } numbers[] = {
        { 8, "tensors" }, { 16, "pairs" }, { 24, "the length of a key" }, { 40, "the length of a text" },
        { 56, "the length of the second key" }, { 76, "the count of a list of texts" }, { 84, "the length of one of a list" },
        { 95, "the length of the last of a list" }, { 129, "the count of a list of numbers" },
        { 157, "the length of a name" }, { 170, "columns" }, { 178, "rows" }, { 190, "the first offset" },
        { 198, "the length of the last name" }, { 211, "the last dimension" }, { 223, "the last offset" } };
    static const struct { size_t at; uint64_t most; const char *what; } words[] = {
        { 36, 12, "the type of a value" }, { 72, 12, "the type of a list's values" }, { 166, 4, "a rank" },
        { 207, 4, "the last rank" } };
    static const expect good[] = { { "w", WCODEC_Q4_0, 144 }, { "", 255, 16 }, { "v", WCODEC_F32, 64 } };
    size_t i, k;
    i = put_model(190, 0, 8);
    check_gguf("the numbers as they should be", i, good, 3, WCODEC_FEATURE_BLOCKS);
    for (i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (k = 0; k < sizeof evil / sizeof *evil; k++) {
            put_model(numbers[i].at, evil[k], 8);
            check_opaque(numbers[i].what);
        }
    for (i = 0; i < sizeof words / sizeof *words; i++)
        for (k = 0; k < sizeof evil / sizeof *evil; k++) {
            if ((uint32_t)evil[k] <= words[i].most) continue;
            put_model(words[i].at, evil[k], 4);
            check_opaque(words[i].what);
        }
    file_free();
}

/* Types that are gone or never were, also such as come to a known one where numbers wrap: that tensor is opaque, the
 * other is not. */
static void unknown_types(void)
{
    static const uint32_t types[] = { 4, 5, 31, 32, 33, 36, 37, 38, 43, 44, 63, 64, 66, 94, 106, 127, 128, 130, 192, 194,
        256, 258, 0x10000, 0x10002, 0x7FFFFFFF, 0x80000000u, 0x80000002u, 0xFFFFFFC2u, 0xFFFFFFFEu, UINT32_MAX };
    static const expect first[] = { { "w", WCODEC_BYTES, 160 }, { "v", WCODEC_F32, 64 } };
    static const expect last[] = { { "w", WCODEC_Q4_0, 144 }, { "", 255, 16 }, { "v", WCODEC_BYTES, 64 } };
    size_t i, header;
    for (i = 0; i < sizeof types / sizeof *types; i++) {
        header = put_model(186, types[i], 4);
        check_gguf("a type that is not known", header, first, 2, 0);
        header = put_model(219, types[i], 4);
        check_gguf("one that is not known at the end", header, last, 3, WCODEC_FEATURE_BLOCKS);
    }
    file_free();
}

/* Alignments: powers of two of any size will do where the file is as large; nothing else will. */
static void alignments(void)
{
    static const unsigned char sizes[] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };
    unsigned shift, type;
    for (shift = 0; shift < 32; shift++) {
        const size_t alignment = (size_t)1 << shift, second = (3 + alignment - 1) / alignment * alignment;
        put_head(3, 0, 1);
        put_alignment(alignment);
        check_gguf("an alignment of nothing", file_size, NULL, 0, 0);
        put_head(3, 2, 1);
        put_alignment(alignment);
        put_tensor("a", 24, 3, 0, 0);
        put_tensor("b", 1, 1, 0, second);
        if (shift <= 16) {
            expect list[3] = { { "a", WCODEC_I8, 3 }, { "", 255, 0 }, { "b", WCODEC_F16, 2 } };
            size_t header;
            put_padding(alignment);
            header = file_size;
            list[1].size = second - 3;
            if (second == 3) list[1] = list[2];
            put_data(second + 2);
            check_gguf("an alignment", header, list, second == 3 ? 2 : 3, 0);
            file_size--;
            check_opaque("an alignment, and a byte too few");
        } else {
            put_data(100);
            check_opaque("an alignment beyond the file");
        }
    }
    for (type = 0; type < 13; type++) {
        if (type == 4) continue;
        put_head(3, 1, 1);
        put_string("general.alignment");
        put_number(type, 4);
        if (type == 8) {
            put_string("32");
        } else if (type == 9) {
            put_number(4, 4);
            put_number(1, 8);
            put_number(32, 4);
        } else {
            put_number(32, sizes[type]);
        }
        put_tensor("a", 24, 32, 0, 0);
        put_padding(32);
        put_data(64);
        check_opaque("an alignment of another type");
    }
    put_head(3, 0, 2);
    put_alignment(32);
    put_alignment(32);
    check_opaque("the alignment twice");
    file_free();
}

/* Arrays in arrays, which the format's text allows and its reader refuses: a few, and so many that a parser which calls
 * itself would not come back. */
static void nested_arrays(void)
{
    static const unsigned depths[] = { 1, 2, 100000 };
    unsigned i, k;
    for (i = 0; i < 3; i++) {
        put_head(3, 1, 1);
        put_string("nested");
        put_number(9, 4);
        for (k = 0; k < depths[i]; k++) {
            put_number(9, 4);
            put_number(1, 8);
        }
        put_number(4, 4);
        put_number(2, 8);
        put_number(7, 8);
        put_tensor("a", 24, 32, 0, 0);
        put_padding(32);
        put_data(32);
        check_opaque("arrays in arrays");
    }
    file_free();
}

/* Names and keys of any bytes will do, but for two that are the same. */
static void odd_names(void)
{
    static const struct { const char *what, *a, *b; size_t a_size, b_size; int same; } list[] = {
        { "empty", "", "b", 0, 1, 0 }, { "both empty", "", "", 0, 0, 1 }, { "a zero byte", "a\0b", "a\0c", 3, 3, 0 },
        { "the same behind a zero byte", "a\0b", "a\0b", 3, 3, 1 }, { "longer by a zero byte", "a", "a\0", 1, 2, 0 },
        { "no UTF-8", "\xff\xfe", "\xff", 2, 1, 0 }, { "of paths", "../../a", "C:\\b", 7, 4, 0 },
        { "upper and lower case", "A", "a", 1, 1, 0 } };
    size_t i;
    unsigned keys;
    for (i = 0; i < sizeof list / sizeof *list; i++)
        for (keys = 0; keys < 2; keys++) {
            wcodec_plan *plan;
            const int good = !list[i].same && !(keys && !list[i].a_size);
            test_note("%s: %s", keys ? "keys" : "names", list[i].what);
            put_head(3, keys ? 0 : 2, keys ? 2 : 0);
            put_number(list[i].a_size, 8);
            put(list[i].a, list[i].a_size);
            if (keys) put_number(0, 4), put_number(1, 1);
            else put_number(1, 4), put_number(32, 8), put_number(24, 4), put_number(0, 8);
            put_number(list[i].b_size, 8);
            put(list[i].b, list[i].b_size);
            if (keys) put_number(0, 4), put_number(1, 1);
            else put_number(1, 4), put_number(32, 8), put_number(24, 4), put_number(32, 8);
            if (!keys) put_padding(32);
            if (!keys) put_data(64);
            plan = plan_of();
            CHECK_STR(plan->format, good ? "gguf" : "raw");
            if (good && !keys && CHECK_EQ(plan->count, 3)) {
                CHECK_EQ(plan->segments[1].name_size, list[i].a_size);
                CHECK_MEM(plan->segments[2].name, list[i].b, list[i].b_size);
            }
            wcodec_plan_close(plan);
        }
    file_free();
}

/* Every prefix of a file, and every bit of its description changed. */
static void every_cut_and_change(void)
{
    size_t i, n, header;
    unsigned round;
    for (round = 0; round < 2; round++)
        for (i = 0, n = 1; i < n; i++) {
            put_head(3, 2, 2);
            put_alignment(8);
            put_string("list");
            put_number(9, 4);
            put_number(8, 4);
            put_number(2, 8);
            put_string("ab");
            put_string("");
            put_tensor("w", 2, 64, 1, 0);
            put_tensor("v", 1, 3, 0, 40);
            put_padding(8);
            header = file_size;
            put_data(46);
            n = round ? header * 8 : file_size;
            if (round) file_data[i / 8] ^= (unsigned char)(1u << i % 8);
            else file_size = i;
            test_note("%s %zu", round ? "bit" : "cut at", i);
            wcodec_plan_close(plan_of());
        }
    file_free();
}

/* A vocabulary: strings by the hundred thousand, read through the window. */
static void many_strings(void)
{
    const unsigned count = 300000;
    unsigned i;
    char text[32];
    size_t header;
    expect one[1] = { { "w", WCODEC_Q8_0, 34 } };
    put_head(3, 1, 2000);
    for (i = 0; i < 1999; i++) {
        snprintf(text, sizeof text, "key.%u", i);
        put_string(text);
        put_number(7, 4);
        put_number(1, 1);
    }
    put_string("tokens");
    put_number(9, 4);
    put_number(8, 4);
    put_number(count, 8);
    for (i = 0; i < count; i++) {
        snprintf(text, sizeof text, "%u", i * 2654435761u);
        put_string(text);
    }
    put_tensor("w", 8, 32, 1, 0);
    put_padding(32);
    header = file_size;
    put_data(34);
    check_gguf("many strings", header, one, 1, WCODEC_FEATURE_BLOCKS);
    file_free();
}

/* A long key and a long string do not fit the window. */
static void long_strings(void)
{
    char *text = (char *)test_malloc(300001);
    unsigned i;
    memset(text, 'x', 300000);
    text[300000] = 0;
    for (i = 0; i < 2; i++) {
        put_head(3, 0, 2);
        put_string(text);
        put_number(8, 4);
        put_string(text);
        if (i) text[299999] = 'y';
        put_string(text);
        put_number(0, 4);
        put_number(0, 1);
        if (i) check_gguf("long keys that differ at the end", file_size, NULL, 0, 0);
        else check_opaque("a long key twice");
    }
    free(text);
    file_free();
}

/* A failing source and a failing allocator: the failure, and nothing is kept. */
static void failures(void)
{
    size_t k;
    put_head(3, 2, 1);
    put_alignment(32);
    put_tensor("a", 2, 64, 3, 0);
    put_tensor("b", 0, 8, 0, 128);
    put_padding(32);
    put_data(160);
    for (k = 1; k < 40; k++) {
        test_source in;
        test_heap heap;
        wcodec_plan *plan = NULL;
        wcodec_allocator allocator;
        wcodec_plan_options options = wcodec_plan_defaults();
        wcodec_source source = wcodec_source_memory(file_data, file_size);
        wcodec_error err;
        wcodec_status st;
        memset(&heap, 0, sizeof heap);
        heap.fail_at = k;
        allocator = test_heap_allocator(&heap);
        options.allocator = &allocator;
        st = wcodec_plan_open(&plan, &source, &options, &err);
        CHECK(st == WCODEC_OK || (st == WCODEC_E_NO_MEMORY && plan == NULL && err.status == st));
        wcodec_plan_close(plan);
        CHECK_HEAP_EMPTY(&heap);
        memset(&in, 0, sizeof in);
        in.data = file_data;
        in.size = file_size;
        in.fail_at = k;
        source = test_source_of(&in);
        plan = NULL;
        st = wcodec_plan_open(&plan, &source, NULL, &err);
        CHECK(st == WCODEC_OK || (st == WCODEC_E_IO && plan == NULL && err.status == st));
        wcodec_plan_close(plan);
        if (k <= 2) CHECK_STATUS(st, WCODEC_E_IO);
    }
    file_free();
}

/* Raw files of blocks. */
static void typed_data(void)
{
    static const struct { size_t size; unsigned dtype; uint64_t row; unsigned rank; size_t rest; } list[] = {
        { 1800, WCODEC_Q4_0, 0, 1, 0 }, { 1800, WCODEC_Q4_0, 320, 2, 0 }, { 1817, WCODEC_Q4_0, 320, 2, 17 },
        { 1800, WCODEC_Q4_0, 100, 1, 0 }, { 17, WCODEC_Q4_0, 0, 0, 17 }, { 1440, WCODEC_Q4_K, 256, 2, 0 } };
    size_t i;
    for (i = 0; i < sizeof list / sizeof *list; i++) {
        wcodec_plan_options options = wcodec_plan_defaults();
        wcodec_plan *plan = NULL;
        wcodec_source source;
        unsigned char *data = (unsigned char *)test_malloc(list[i].size);
        memset(data, 1, list[i].size);
        source = wcodec_source_memory(data, list[i].size);
        options.dtype = list[i].dtype;
        options.row = list[i].row;
        test_note("%zu bytes", list[i].size);
        REQUIRE_OK(wcodec_plan_open(&plan, &source, &options, NULL));
        CHECK_EQ(plan->features, list[i].rank ? WCODEC_FEATURE_BLOCKS : 0);
        CHECK_EQ(plan->segments[0].rank, list[i].rank);
        CHECK_EQ(plan->segments[0].size, list[i].rank ? list[i].size - list[i].rest : list[i].rest);
        wcodec_plan_close(plan);
        free(data);
    }
}

int main(void)
{
    RUN(the_table);
    RUN(every_block);
    RUN(odd_tiles);
    RUN(large_tile);
    RUN(every_flip);
    RUN(containers);
    RUN(small_tiles_and_wrong_rows);
    RUN(estimates);
    RUN(good_files);
    RUN(every_type);
    RUN(broken_heads);
    RUN(broken_pairs);
    RUN(broken_tensors);
    RUN(broken_data);
    RUN(other_kinds);
    RUN(hostile_numbers);
    RUN(unknown_types);
    RUN(alignments);
    RUN(nested_arrays);
    RUN(odd_names);
    RUN(every_cut_and_change);
    RUN(many_strings);
    RUN(long_strings);
    RUN(failures);
    RUN(typed_data);
    return test_end();
}
