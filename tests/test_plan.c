/* Layer 4, plans: a safetensors file falls into header and tensors, whatever else is in it or wrong with
 * it; any file is a plan, and comes back through it. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

/* A file in the making. */
static unsigned char *file_data;
static size_t file_size;

/* A header of `json_size` bytes with the length `length` in front, then `data_size` bytes. */
static void file_raw(uint64_t length, const void *json, size_t json_size, size_t data_size)
{
    size_t i;
    file_size = 8 + json_size + data_size;
    file_data = (unsigned char *)test_malloc(file_size);
    for (i = 0; i < 8; i++) file_data[i] = (unsigned char)(length >> 8 * i);
    memcpy(file_data + 8, json, json_size);
    for (i = 0; i < data_size; i++) file_data[8 + json_size + i] = (unsigned char)(i * 7);
}

static void file_of(const char *json, size_t data_size)
{
    file_raw(strlen(json), json, strlen(json), data_size);
}

static void file_free(void)
{
    free(file_data);
    file_data = NULL;
}

/* The plan of the file, from memory and from a callback alike, checked for what holds of every plan. */
static wcodec_plan *plan_of(const wcodec_plan_options *options)
{
    test_source in;
    test_guard memory = test_guard_copy(file_data, file_size);
    wcodec_source source = wcodec_source_memory(memory.data, file_size);
    wcodec_plan *plan = NULL, *other = NULL;
    uint64_t end = 0;
    size_t i;
    memset(&in, 0, sizeof in);
    in.data = file_data;
    in.size = file_size;
    if (!CHECK_STATUS(wcodec_plan_open(&plan, &source, options, NULL), WCODEC_OK)) test_die("no plan");
    source = test_source_of(&in);
    if (!CHECK_STATUS(wcodec_plan_open(&other, &source, options, NULL), WCODEC_OK)) test_die("no plan");
    test_guard_free(&memory);
    CHECK_EQ(plan->size, file_size);
    CHECK_EQ(plan->count, other->count);
    CHECK_STR(plan->format, other->format);
    for (i = 0; i < plan->count && i < other->count; i++) {
        const wcodec_segment *s = &plan->segments[i], *t = &other->segments[i];
        CHECK(s->offset == end && s->size <= file_size - end);
        CHECK(s->size > 0 || s->name_size > 0);
        CHECK_EQ(s->name[s->name_size], 0);
        CHECK(s->offset == t->offset && s->size == t->size && s->dtype == t->dtype && s->rank == t->rank);
        if (CHECK_EQ(s->name_size, t->name_size)) CHECK_MEM(s->name, t->name, s->name_size);
        end += s->size;
    }
    CHECK_EQ(end, file_size);
    wcodec_plan_close(other);
    return plan;
}

/* The file through writer and reader by its plan. */
static void check_comes_back(const wcodec_plan *plan)
{
    const wcodec_source file = wcodec_source_memory(file_data, file_size);
    test_sink out = { NULL, 0, 0, 0, 0, 0 };
    const wcodec_sink sink = test_sink_of(&out);
    wcodec_writer *writer = NULL;
    unsigned char *view;
    size_t size;
    REQUIRE_OK(wcodec_writer_open(&writer, &sink, NULL, NULL));
    CHECK_STATUS(wcodec_writer_file(writer, "f", 1, &file, plan, NULL, NULL), WCODEC_OK);
    CHECK_STATUS(wcodec_writer_finish(writer, NULL), WCODEC_OK);
    wcodec_writer_close(writer);
    CHECK_STATUS(make_read_all(out.data, out.size, &view, &size), WCODEC_OK);
    if (CHECK_EQ(size, file_size) && view) CHECK_MEM(view, file_data, size);
    free(view);
    test_sink_free(&out);
}

/* A file in memory is encoded where it lies, and the memory may be used for something else as soon as that is done:
 * the same bytes come out as through a callback. */
static void lent_memory(void)
{
    static const char json[] = "{\"a\":{\"dtype\":\"BF16\",\"shape\":[300,1000],\"data_offsets\":[0,600000]},"
                               "\"b\":{\"dtype\":\"F32\",\"shape\":[70],\"data_offsets\":[600000,600280]},"
                               "\"c\":{\"dtype\":\"BF16\",\"shape\":[4,0],\"data_offsets\":[600280,600280]}}";
    test_random r = test_random_new(5);
    wcodec_plan *plan;
    test_sink out[2];
    unsigned way;
    size_t i;
    file_raw(strlen(json), json, strlen(json), 600280);
    for (i = 8 + strlen(json); i + 2 <= file_size; i += 2) {
        file_data[i] = (unsigned char)test_next(&r);
        file_data[i + 1] = (unsigned char)(60 - (test_next(&r) & test_next(&r) & 3));
    }
    plan = plan_of(NULL);
    CHECK_EQ(plan->count, 4);
    for (way = 0; way < 2; way++) {
        wcodec_writer *writer = NULL;
        wcodec_source source;
        wcodec_sink sink;
        test_source in;
        test_guard memory = test_guard_copy(file_data, file_size);
        memset(&out[way], 0, sizeof out[way]);
        memset(&in, 0, sizeof in);
        in.data = file_data;
        in.size = file_size;
        sink = test_sink_of(&out[way]);
        source = way ? test_source_of(&in) : wcodec_source_memory(memory.data, file_size);
        REQUIRE_OK(wcodec_writer_open(&writer, &sink, NULL, NULL));
        for (i = 0; i < 2; i++) {
            CHECK_STATUS(wcodec_writer_file(writer, "f", 1, &source, plan, NULL, NULL), WCODEC_OK);
            if (i) test_guard_free(&memory);
        }
        CHECK_STATUS(wcodec_writer_finish(writer, NULL), WCODEC_OK);
        wcodec_writer_close(writer);
    }
    if (CHECK_EQ(out[0].size, out[1].size)) CHECK_MEM(out[0].data, out[1].data, out[0].size);
    check_comes_back(plan);
    for (way = 0; way < 2; way++) test_sink_free(&out[way]);
    wcodec_plan_close(plan);
    file_free();
}

/* ---- safetensors as they should be ---- */

/* Header first, then the tensors that are listed, in the order of their data. */
typedef struct expect {
    const char *name;
    unsigned dtype;
    uint64_t size;
    unsigned rank;
    uint64_t shape[4];
} expect;

static void check_tensors(const char *json, size_t data_size, const expect *list, size_t count)
{
    wcodec_plan *plan;
    size_t i;
    unsigned d;
    file_of(json, data_size);
    test_note("%.100s", json);
    plan = plan_of(NULL);
    CHECK_STR(plan->format, "safetensors");
    if (CHECK_EQ(plan->count, count + 1)) {
        CHECK(plan->segments[0].dtype == WCODEC_BYTES && plan->segments[0].size == 8 + strlen(json));
        for (i = 0; i < count; i++) {
            const wcodec_segment *s = &plan->segments[i + 1];
            CHECK_STR(s->name, list[i].name);
            CHECK_EQ(s->name_size, strlen(list[i].name));
            CHECK_EQ(s->dtype, list[i].dtype);
            CHECK_EQ(s->size, list[i].size);
            if (CHECK_EQ(s->rank, list[i].rank))
                for (d = 0; d < s->rank; d++) CHECK_EQ(s->shape[d], list[i].shape[d]);
        }
        check_comes_back(plan);
    }
    wcodec_plan_close(plan);
    file_free();
}

static void good_files(void)
{
    static const expect one[] = { { "w", WCODEC_BF16, 12, 2, { 2, 3 } } };
    static const expect order[] = { { "a", WCODEC_F16, 4, 1, { 2 } }, { "b", WCODEC_U8, 3, 1, { 3 } } };
    static const expect scalar[] = { { "s", WCODEC_F32, 4, 0, { 0 } } };
    static const expect empty[] = { { "e", WCODEC_I64, 0, 2, { 2, 0 } } };
    static const expect packed[] = { { "f4", WCODEC_F4, 3, 2, { 3, 2 } },
                                     { "f6", WCODEC_F6_E2M3, 3, 1, { 4 } } };
    static const expect extra[] = { { "w", WCODEC_U8, 1, 4, { 1, 1, 1, 1 } } };
    check_tensors("{}", 0, NULL, 0);
    check_tensors("  \t\r\n{ }  \n", 0, NULL, 0);
    check_tensors("{\"__metadata__\":{}}", 0, NULL, 0);
    check_tensors("{\"w\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[0,12]}}", 12, one, 1);
    check_tensors("\n{ \"w\" : { \"shape\" : [ 2 , 3 ] , \"data_offsets\":[ 0,\t12 ], "
                  "\"dtype\": \"BF16\" } }   ", 12, one, 1);
    check_tensors("{\"__metadata__\":{\"format\":\"pt\",\"x\":\"\\u00e9\"},"
                  "\"w\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[0,12]}}", 12, one, 1);
    check_tensors("{\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[4,7]},"
                  "\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 7, order, 2);
    check_tensors("{\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, scalar, 1);
    check_tensors("{\"e\":{\"dtype\":\"I64\",\"shape\":[2,0],\"data_offsets\":[0,0]}}", 0, empty, 1);
    check_tensors("{\"f4\":{\"dtype\":\"F4\",\"shape\":[3,2],\"data_offsets\":[0,3]},"
                  "\"f6\":{\"dtype\":\"F6_E2M3\",\"shape\":[4],\"data_offsets\":[3,6]}}", 6, packed, 2);
    check_tensors("{\"w\":{\"note\":[1,{\"a\":null,\"b\":[[],{}]},true,false,-1.5e-3],\"dtype\":\"U8\","
                  "\"shape\":[1,1,1,1],\"data_offsets\":[0,1]}}", 1, extra, 1);
}

/* Each of the 22 dtypes by its name. */
static void every_dtype(void)
{
    unsigned dtype;
    for (dtype = 1; dtype <= WCODEC_U64; dtype++) {
        char json[200];
        expect e = { "t", 0, 0, 2, { 3, 8 } };
        e.dtype = dtype;
        e.size = 3 * wcodec_dtype_bits(dtype);
        snprintf(json, sizeof json, "{\"t\":{\"dtype\":\"%s\",\"shape\":[3,8],\"data_offsets\":[0,%u]}}",
                 wcodec_dtype_name(dtype), (unsigned)e.size);
        check_tensors(json, (size_t)e.size, &e, 1);
    }
}

/* Escapes in names, also where the name is a key in disguise. */
static void escaped_names(void)
{
    static const struct { const char *json, *name; } list[] = {
        { "a\\\"b\\\\c\\/d\\b\\f\\n\\r\\te", "a\"b\\c/d\b\f\n\r\te" },
        { "\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac" },
        { "\\ud83d\\ude00!", "\xf0\x9f\x98\x80!" },
        { "\xc3\xa9\xf0\x9f\x98\x80", "\xc3\xa9\xf0\x9f\x98\x80" },
        { "\\uDBFF\\uDFFF", "\xf4\x8f\xbf\xbf" } };
    size_t i;
    for (i = 0; i < sizeof list / sizeof *list; i++) {
        char json[200];
        expect e = { NULL, WCODEC_U8, 2, 1, { 2 } };
        e.name = list[i].name;
        snprintf(json, sizeof json,
                 "{\"%s\":{\"\\u0064type\":\"U\\u0038\",\"shape\":[2],\"data_offsets\":[0,2]}}",
                 list[i].json);
        check_tensors(json, 2, &e, 1);
    }
}

/* A dtype that is none: opaque bytes under the tensor's name. */
static void unknown_dtype(void)
{
    static const char *const dtypes[] = { "Q8_K", "bf16", "", "F128", "BF16 " };
    size_t i;
    for (i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        char json[200];
        wcodec_plan *plan;
        snprintf(json, sizeof json, "{\"v\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                 "\"q\":{\"dtype\":\"%s\",\"shape\":[4],\"data_offsets\":[2,11]}}", dtypes[i]);
        file_of(json, 11);
        test_note("dtype \"%s\"", dtypes[i]);
        plan = plan_of(NULL);
        if (CHECK_EQ(plan->count, 3)) {
            CHECK_EQ(plan->segments[1].dtype, WCODEC_U8);
            CHECK_STR(plan->segments[2].name, "q");
            CHECK(plan->segments[2].dtype == WCODEC_BYTES && plan->segments[2].size == 9);
            check_comes_back(plan);
        }
        wcodec_plan_close(plan);
        file_free();
    }
}

static void many_tensors(void)
{
    const unsigned count = 100000;
    char *json = (char *)test_malloc(100 * (size_t)count);
    size_t n = 1;
    unsigned i;
    wcodec_plan *plan;
    json[0] = '{';
    for (i = 0; i < count; i++) {
        const unsigned k = (i * 7919u) % count;     /* not in the order of the data */
        n += (size_t)snprintf(json + n, 100,
                              "%s\"t%u\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%u,%u]}",
                              i ? "," : "", k, k, k + 1);
    }
    json[n++] = '}';
    file_raw(n, json, n, count);
    plan = plan_of(NULL);
    if (CHECK_EQ(plan->count, count + 1)) {
        CHECK_STR(plan->segments[1].name, "t0");
        CHECK_STR(plan->segments[count].name, "t99999");
    }
    wcodec_plan_close(plan);
    file_free();
    free(json);
}

/* ---- safetensors as they should not be ---- */

/* One opaque segment for all of it; or, where `tensors` allows it, tensors and opaque bytes. */
static void check_odd(const char *what, int tensors)
{
    wcodec_plan *plan;
    test_note("%s", what);
    plan = plan_of(NULL);
    if (!tensors) {
        CHECK_STR(plan->format, "raw");
        if (file_size != 0 && CHECK_EQ(plan->count, 1)) {
            CHECK_EQ(plan->segments[0].dtype, WCODEC_BYTES);
            CHECK_EQ(plan->segments[0].size, file_size);
        }
    }
    check_comes_back(plan);
    wcodec_plan_close(plan);
    file_free();
}

static void broken_lengths(void)
{
    static const unsigned char huge[8] = { 0x3c, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00 };
    uint64_t lengths[] = { 0, 1, 3, 100000000, 100000001, UINT32_MAX, UINT64_MAX, UINT64_MAX - 7, INT64_MAX };
    size_t i;
    for (i = 0; i < 8; i++) {
        file_raw(2, "{}", 2, 0);
        file_size = i;
        check_odd("a file of less than a length", 0);
    }
    file_raw(0, "", 0, 0);
    check_odd("a length of 0 and nothing else", 0);
    for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        file_raw(lengths[i], "{}", 2, 0);
        check_odd("a length that lies", 0);
    }
    file_raw(0, "", 0, 8);
    memcpy(file_data, huge, 8);
    check_odd("attack: a huge length", 0);
}

static void broken_json(void)
{
    static const char *const list[] = {
        "", " ", "{", "}", "[]", "null", "1", "\"a\"", "{}{}", "{},", "{}x", "x{}", "{\"a\"}", "{\"a\":}",
            "{,}",
        "{\"a\":1}", "{\"a\":[]}", "{\"a\":{}}", "{\"a\":null}", "{\"a\" {}}", "{a:{}}", "{'a':{}}",
        "{\"__metadata__\":{\"a\":1}}", "{\"__metadata__\":[]}", "{\"__metadata__\":null}",
        "{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[2,],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[02],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[+2],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[-2],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[2.5],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":\"2\",\"data_offsets\":[0,2]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":2,\"data_offsets\":[0,2]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[\"2\"],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"dtype\":8,\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2,2]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[2]}}",
        "{\"w\":{\"dtype\":\"U8\",\"data_offsets\":[0,2]}}",
        "{\"w\":{\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}]",
        "{\"w:{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\\x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\\u12g4\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\\u12\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\\ud800\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\\ud800\\u0041\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\\ude00\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\n\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\x01\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\xff\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\xc0\x80\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\xed\xa0\x80\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\xf5\x80\x80\x80\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"n\":nul,\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"n\":[1 2],\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"n\":[},\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"n\":{]},\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"n\":1.,\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"n\":.5,\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"n\":1e,\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"n\":-,\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[1e0],\"data_offsets\":[0,1]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[2.0],\"data_offsets\":[0,2]}}",
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[-0],\"data_offsets\":[0,0]}}" };
    size_t i;
    for (i = 0; i < sizeof list / sizeof *list; i++) {
        file_of(list[i], 2);
        if (strstr(list[i], "[0,1]")) file_size -= 1;
        if (strstr(list[i], "[0,0]")) file_size -= 2;
        check_odd(list[i], 0);
    }
    file_raw(5, "{\0\0\0}", 5, 0);
    check_odd("zero bytes in the header", 0);
}

/* The header is JSON and the entries are whole, but what they say cannot be. */
static void lying_tensors(void)
{
    static const struct { const char *json; size_t data; int tensors; } list[] = {
        { "{\"w\":{\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[0,4]}}", 4, 0 },
        { "{\"w\":{\"dtype\":\"I32\",\"shape\":[2,18446744073709551614],\"data_offsets\":[0,16]}}", 16, 0 },
        { "{\"w\":{\"dtype\":\"I32\",\"shape\":[2,9223372036854775807],\"data_offsets\":[0,16]}}", 16, 0 },
        { "{\"w\":{\"dtype\":\"U8\",\"shape\":[18446744073709551616],\"data_offsets\":[0,0]}}", 0, 0 },
        { "{\"w\":{\"dtype\":\"U8\",\"shape\":[99999999999999999999999],\"data_offsets\":[0,0]}}", 0, 0 },
        { "{\"w\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2, 0 },
        { "{\"w\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", 1, 0 },
        { "{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,0]}}", 2, 0 },
        { "{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[-2,0]}}", 2, 0 },
        { "{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[18446744073709551615,1]}}", 2, 0 },
        { "{\"w\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[0,9]}}", 7, 0 },
        { "{\"v\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
          "\"w\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}", 6, 0 },
        { "{\"v\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
          "\"w\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4, 0 },
        /* Trailing bytes and holes happen in the wild: header and tensors, and what lies between them. */
        { "{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 22, 1 },
        { "{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]}}", 5, 1 },
        { "{}", 100, 1 },
        /* A key twice: the reference takes the last; either that or opaque. */
        { "{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
          "\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2, 1 },
        { "{\"w\":{\"dtype\":\"U8\",\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2, 1 },
        { "{\"__metadata__\":{},\"__metadata__\":{}}", 0, 1 },
        { "{\"__metadata__\":{\"a\":\"b\",\"a\":\"c\"}}", 0, 1 },
        { "{\"\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2, 1 },
        { "{\"w\\u0000\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2, 1 },
        { "{\"w\":{\"dtype\":\"I32\",\"shape\":[0,9223372036854775807,4],\"data_offsets\":[0,0]}}", 0, 1 },
        { "{\"w\":{\"dtype\":\"I32\",\"shape\":[9223372036854775807,4,0],\"data_offsets\":[0,0]}}", 0, 1 } };
    size_t i;
    for (i = 0; i < sizeof list / sizeof *list; i++) {
        file_of(list[i].json, list[i].data);
        check_odd(list[i].json, list[i].tensors);
    }
}

/* Bytes after the last tensor, as files in the wild have them, do not spoil the tensors. */
static void trailing_bytes(void)
{
    wcodec_plan *plan;
    file_of("{\"w\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[0,6]}}", 100);
    plan = plan_of(NULL);
    if (CHECK_EQ(plan->count, 3)) {
        CHECK(plan->segments[1].dtype == WCODEC_BF16 && plan->segments[1].size == 6);
        CHECK(plan->segments[2].dtype == WCODEC_BYTES && plan->segments[2].size == 94);
        check_comes_back(plan);
    }
    wcodec_plan_close(plan);
    file_free();
}

/* Nesting without end must not use up the stack: the core does not call itself. */
static void deep_nesting(void)
{
    const size_t depth = 2000000;
    char *json = (char *)test_malloc(2 * depth + 200);
    size_t n, i;
    for (i = 0; i < 3; i++) {
        memset(json, i == 1 ? '{' : '[', depth);
        file_raw(depth, json, depth, 0);
        check_odd("brackets that open", 0);
    }
    n = (size_t)snprintf(json, 100, "{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"n\":");
    memset(json + n, '[', depth);
    memset(json + n + depth, ']', depth);
    memcpy(json + n + 2 * depth, "}}", 2);
    file_raw(n + 2 * depth + 2, json, n + 2 * depth + 2, 1);
    check_odd("an ignored value, two million deep", 1);
    free(json);
}

/* Every prefix of a good file, and every byte of its header changed. */
static void every_cut_and_flip(void)
{
    static const char json[] = "{\"__metadata__\":{\"a\":\"b\"},\"x\":{\"dtype\":\"F16\",\"shape\":[2,2],"
                               "\"data_offsets\":[0,8]},\"y\\u0041\":{\"dtype\":\"F64\",\"shape\":[],"
                               "\"data_offsets\":[8,16]}} ";
    size_t i, n = 8 + sizeof json - 1;
    for (i = 0; i < n + 16; i++) {
        file_of(json, 16);
        file_size = i;
        check_odd("cut", 1);
    }
    for (i = 0; i < n * 8; i++) {
        file_of(json, 16);
        file_data[i / 8] ^= (unsigned char)(1u << i % 8);
        check_odd("changed", 1);
    }
}

/* A header above the limit of the format is no header. */
static void largest_header(void)
{
    static const size_t sizes[2] = { 100000000, 100000001 };
    size_t i;
    for (i = 0; i < 2; i++) {
        char *json = (char *)test_malloc(sizes[i]);
        wcodec_plan *plan;
        test_source in;
        wcodec_source source;
        memset(json, ' ', sizes[i]);
        memcpy(json, "{}", 2);
        file_raw(sizes[i], json, sizes[i], 0);
        memset(&in, 0, sizeof in);
        in.data = file_data;
        in.size = file_size;
        source = test_source_of(&in);
        test_note("header of %zu", sizes[i]);
        CHECK_STATUS(wcodec_plan_open(&plan, &source, NULL, NULL), WCODEC_OK);
        CHECK_STR(plan->format, i == 0 ? "safetensors" : "raw");
        CHECK_EQ(plan->segments[0].size, file_size);
        wcodec_plan_close(plan);
        file_free();
        free(json);
    }
}

/* ---- typed data ---- */

static void typed_data(void)
{
    static const struct { size_t size; unsigned dtype; uint64_t row; } list[] = {
        { 1000, WCODEC_BF16, 0 }, { 1000, WCODEC_BF16, 50 }, { 1001, WCODEC_BF16, 50 },
            { 1000, WCODEC_F32, 7 },
        { 1003, WCODEC_F64, 3 }, { 3, WCODEC_F64, 0 }, { 1000, WCODEC_I4, 20 }, { 1000, WCODEC_F6_E3M2, 0 },
        { 1, WCODEC_U8, 5 }, { 0, WCODEC_F32, 0 }, { 1000, WCODEC_C64, 5 }, { 1004, WCODEC_C64, 5 } };
    size_t i, k;
    for (i = 0; i < sizeof list / sizeof *list; i++) {
        wcodec_plan_options options = wcodec_plan_defaults();
        wcodec_plan *plan;
        uint64_t typed = 0;
        options.dtype = list[i].dtype;
        options.row = list[i].row;
        file_size = list[i].size;
        file_data = (unsigned char *)test_malloc(file_size);
        memset(file_data, 3, file_size);
        test_note("%zu bytes of %s, row %u", file_size, wcodec_dtype_name(list[i].dtype),
                  (unsigned)list[i].row);
        plan = plan_of(&options);
        CHECK_STR(plan->format, "raw");
        for (k = 0; k < plan->count; k++)
            if (plan->segments[k].dtype == list[i].dtype) {
                typed += plan->segments[k].size;
                if (list[i].row != 0 && list[i].dtype == WCODEC_BF16 && file_size == 1000)
                    CHECK(plan->segments[k].row == 50
                          || plan->segments[k].shape[plan->segments[k].rank - 1] == 50);
            }
        /* All but a part of an element (of a group of four, for 6 bits) is typed. */
        CHECK(file_size - typed < 8);
        check_comes_back(plan);
        wcodec_plan_close(plan);
        file_free();
    }
}

static void wrong_arguments(void)
{
    const wcodec_source file = wcodec_source_memory("{}", 2), none = wcodec_source_memory(NULL, 0);
    wcodec_plan_options options = wcodec_plan_defaults();
    wcodec_plan *plan = NULL;
    CHECK_STATUS(wcodec_plan_open(&plan, &none, NULL, NULL), WCODEC_OK);
    CHECK_EQ(plan->size, 0);
    wcodec_plan_close(plan);
    plan = NULL;
    options.dtype = 25;
    CHECK_STATUS(wcodec_plan_open(&plan, &file, &options, NULL), WCODEC_E_ARGUMENT);
    CHECK(plan == NULL);
    CHECK_STATUS(wcodec_plan_open(&plan, NULL, NULL, NULL), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_plan_open(NULL, &file, NULL, NULL), WCODEC_E_ARGUMENT);
    wcodec_plan_close(NULL);
}

int main(void)
{
    RUN(good_files);
    RUN(every_dtype);
    RUN(escaped_names);
    RUN(unknown_dtype);
    RUN(many_tensors);
    RUN(broken_lengths);
    RUN(broken_json);
    RUN(lying_tensors);
    RUN(trailing_bytes);
    RUN(deep_nesting);
    RUN(lent_memory);
    RUN(every_cut_and_flip);
    RUN(largest_header);
    RUN(typed_data);
    RUN(wrong_arguments);
    return test_end();
}
