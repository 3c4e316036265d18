/* What programs that were compiled yesterday rely on: numbers, names, and how options grow. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

/* The numbers as they were published; they never change. */
static void status_numbers(void)
{
    static const struct { int status, number; } list[] = {
        { WCODEC_OK, 0 }, { WCODEC_MORE_INPUT, 1 }, { WCODEC_MORE_OUTPUT, 2 }, { WCODEC_ORIGINAL, 3 },
        { WCODEC_END, 4 }, { WCODEC_E_ARGUMENT, -1 }, { WCODEC_E_NO_MEMORY, -2 }, { WCODEC_E_LIMIT, -3 },
        { WCODEC_E_IO, -4 }, { WCODEC_E_TRUNCATED, -5 }, { WCODEC_E_MAGIC, -6 }, { WCODEC_E_VERSION, -7 },
        { WCODEC_E_UNSUPPORTED, -8 }, { WCODEC_E_CORRUPT, -9 }, { WCODEC_E_CHECKSUM, -10 },
        { WCODEC_E_CANCELLED, -11 }, { WCODEC_E_NOT_FOUND, -12 }, { WCODEC_E_NO_SPACE, -13 },
        { WCODEC_E_BASE, -14 } };
    size_t i, k;
    for (i = 0; i < sizeof list / sizeof *list; i++) {
        const char *text = wcodec_status_string((wcodec_status)list[i].status);
        CHECK_EQ(list[i].status, list[i].number);
        if (!CHECK(text != NULL && *text != 0)) continue;
        for (k = 0; k < i; k++) CHECK(strcmp(text, wcodec_status_string((wcodec_status)list[k].status)) != 0);
    }
    CHECK(wcodec_status_string((wcodec_status)-99) != NULL);
    CHECK(wcodec_status_string((wcodec_status)99) != NULL);
}

static void dtype_numbers(void)
{
    static const struct { const char *name; unsigned bits; } list[] = {
        { "BYTES", 0 }, { "BOOL", 8 }, { "F4", 4 }, { "F6_E2M3", 6 }, { "F6_E3M2", 6 }, { "U8", 8 },
            { "I8", 8 },
        { "F8_E5M2", 8 }, { "F8_E4M3", 8 }, { "F8_E8M0", 8 }, { "F8_E4M3FNUZ", 8 }, { "F8_E5M2FNUZ", 8 },
        { "I16", 16 }, { "U16", 16 }, { "F16", 16 }, { "BF16", 16 }, { "I32", 32 }, { "U32", 32 },
            { "F32", 32 },
        { "C64", 64 }, { "F64", 64 }, { "I64", 64 }, { "U64", 64 }, { "I4", 4 }, { "U4", 4 } };
    unsigned i;
    for (i = 0; i < 25; i++) {
        CHECK_STR(wcodec_dtype_name(i), list[i].name);
        CHECK_EQ(wcodec_dtype_bits(i), list[i].bits);
        CHECK_EQ(wcodec_dtype_find(list[i].name, strlen(list[i].name)), i);
    }
    CHECK(WCODEC_BYTES == 0 && WCODEC_BF16 == 15 && WCODEC_F64 == 20 && WCODEC_U4 == 24);
    CHECK(wcodec_dtype_name(25) == NULL && wcodec_dtype_name(~0u) == NULL);
    CHECK(wcodec_dtype_bits(25) == 0 && wcodec_dtype_bits(~0u) == 0);
    CHECK_EQ(wcodec_dtype_find("bf16", 4), -1);
    CHECK_EQ(wcodec_dtype_find("BF16", 3), -1);
    CHECK_EQ(wcodec_dtype_find("BF16x", 5), -1);
    CHECK_EQ(wcodec_dtype_find("", 0), -1);
    CHECK_EQ(wcodec_dtype_find(NULL, 0), -1);
}

static void other_numbers(void)
{
    unsigned i;
    CHECK(WCODEC_SPLIT_BYTE == 0 && WCODEC_SPLIT_WORD16 == 1 && WCODEC_SPLIT_WORD32 == 2);
    CHECK(WCODEC_SPLIT_WORD64 == 3 && WCODEC_SPLIT_BF16 == 4 && WCODEC_SPLIT_F16 == 5
          && WCODEC_SPLIT_F32 == 6);
    CHECK(WCODEC_SPLIT_F64 == 7 && WCODEC_SPLIT_F8_E4M3 == 8 && WCODEC_SPLIT_F8_E5M2 == 9);
    CHECK(WCODEC_SPLIT_NIBBLES == 10);
    CHECK(WCODEC_CODER_RAW == 0 && WCODEC_CODER_CONSTANT == 1 && WCODEC_CODER_SPARSE == 2);
    CHECK(WCODEC_CODER_HUFFMAN == 3 && WCODEC_CODER_RANS16 == 4 && WCODEC_CODER_RANS256 == 5);
    CHECK(WCODEC_PREDICT_NONE == 0 && WCODEC_PREDICT_LEFT == 1 && WCODEC_PREDICT_UP == 2);
    CHECK(WCODEC_PREDICT_SCALE == 3 && WCODEC_PREDICT_BASE_XOR == 4 && WCODEC_PREDICT_BASE_DIFFERENCE == 5);
    for (i = 0; i < 64; i++) {
        CHECK((wcodec_split_name(i) != NULL) == (i < WCODEC_SPLIT_COUNT));
        CHECK((wcodec_coder_name(i) != NULL) == (i < WCODEC_CODER_COUNT));
        CHECK((wcodec_predictor_name(i) != NULL) == (i < WCODEC_PREDICT_COUNT));
    }
}

static void version(void)
{
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", WCODEC_VERSION_MAJOR, WCODEC_VERSION_MINOR, WCODEC_VERSION_PATCH);
    CHECK_STR(WCODEC_VERSION, text);
    CHECK_EQ(WCODEC_FORMAT_VERSION, 1);
}

/* ---- struct_size ---- */

/* Opens a reader and a push decoder with options that claim `size` bytes. */
static void try_reader(size_t size, wcodec_status expected)
{
    make_container c;
    wcodec_source source;
    wcodec_reader_options options = wcodec_reader_defaults();
    wcodec_reader *reader = NULL;
    wcodec_push *push = NULL;
    make_small(&c, 0);
    source = wcodec_source_memory(c.out.data, c.out.size);
    options.struct_size = size;
    test_note("struct_size %zu", size);
    CHECK_STATUS(wcodec_reader_open(&reader, &source, &options, NULL), expected);
    CHECK((reader != NULL) == (expected == WCODEC_OK));
    CHECK_STATUS(wcodec_push_open(&push, &options, NULL), expected);
    CHECK((push != NULL) == (expected == WCODEC_OK));
    wcodec_reader_close(reader);
    wcodec_push_close(push);
    make_free(&c);
}

static void try_writer_and_plan(size_t writer_size, size_t plan_size, wcodec_status expected)
{
    const wcodec_source file = wcodec_source_memory("data", 4);
    test_sink out = { NULL, 0, 0, 0, 0, 0 };
    const wcodec_sink sink = test_sink_of(&out);
    wcodec_writer_options w = wcodec_writer_defaults();
    wcodec_plan_options p = wcodec_plan_defaults();
    wcodec_writer *writer = NULL;
    wcodec_plan *plan = NULL;
    w.struct_size = writer_size;
    p.struct_size = plan_size;
    test_note("struct_size %zu, %zu", writer_size, plan_size);
    CHECK_STATUS(wcodec_writer_open(&writer, &sink, &w, NULL), expected);
    CHECK((writer != NULL) == (expected == WCODEC_OK));
    CHECK_STATUS(wcodec_plan_open(&plan, &file, &p, NULL), expected);
    CHECK((plan != NULL) == (expected == WCODEC_OK));
    wcodec_writer_close(writer);
    wcodec_plan_close(plan);
    test_sink_free(&out);
}

/* The defaults say their size; zero, a part of a field and sizes of a later library are refused. */
static void struct_sizes(void)
{
    CHECK_EQ(wcodec_reader_defaults().struct_size, sizeof(wcodec_reader_options));
    CHECK_EQ(wcodec_writer_defaults().struct_size, sizeof(wcodec_writer_options));
    CHECK_EQ(wcodec_plan_defaults().struct_size, sizeof(wcodec_plan_options));
    try_reader(sizeof(wcodec_reader_options), WCODEC_OK);
    try_reader(0, WCODEC_E_ARGUMENT);
    try_reader(1, WCODEC_E_ARGUMENT);
    try_reader(sizeof(wcodec_reader_options) + 1, WCODEC_E_ARGUMENT);
    try_reader(sizeof(wcodec_reader_options) + 8, WCODEC_E_ARGUMENT);
    try_reader(SIZE_MAX, WCODEC_E_ARGUMENT);
    try_writer_and_plan(sizeof(wcodec_writer_options), sizeof(wcodec_plan_options), WCODEC_OK);
    try_writer_and_plan(0, 0, WCODEC_E_ARGUMENT);
    try_writer_and_plan(1, 1, WCODEC_E_ARGUMENT);
    try_writer_and_plan(sizeof(wcodec_writer_options) + 8, sizeof(wcodec_plan_options) + 8,
                        WCODEC_E_ARGUMENT);
    try_writer_and_plan(SIZE_MAX, SIZE_MAX, WCODEC_E_ARGUMENT);
}

/* The defaults are what a NULL means. */
static void defaults(void)
{
    const wcodec_reader_options r = wcodec_reader_defaults();
    const wcodec_writer_options w = wcodec_writer_defaults();
    const wcodec_plan_options p = wcodec_plan_defaults();
    CHECK(r.allocator == NULL && r.max_memory == 0 && r.no_crc == 0 && r.base == NULL);
    CHECK(w.base == NULL && w.base_facts == NULL);
    CHECK(w.allocator == NULL && w.parallel == NULL && w.max_memory == 0 && w.tile_units == 0);
    CHECK(w.metadata == NULL && w.metadata_size == 0 && w.no_sha256 == 0);
    CHECK(w.tile.splits == 0 && w.tile.coders == 0 && w.tile.predictors == 0);
    CHECK(p.allocator == NULL && p.max_memory == 0 && p.dtype == WCODEC_BYTES && p.row == 0);
}

int main(void)
{
    RUN(status_numbers);
    RUN(dtype_numbers);
    RUN(other_numbers);
    RUN(version);
    RUN(struct_sizes);
    RUN(defaults);
    return test_end();
}
