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

/* ---- .npy ---- */

/* A file of version `major`, with a dictionary of `dictionary_size` bytes. */
static void file_npy(unsigned major, const char *dictionary, size_t dictionary_size, size_t data_size)
{
    const size_t before = major == 1 ? 10 : 12;
    size_t i;
    file_size = before + dictionary_size + data_size;
    file_data = (unsigned char *)test_malloc(file_size);
    memset(file_data, 0, before);
    memcpy(file_data, "\x93NUMPY", 6);
    file_data[6] = (unsigned char)major;
    for (i = 8; i < before; i++) file_data[i] = (unsigned char)(dictionary_size >> 8 * (i - 8));
    memcpy(file_data + before, dictionary, dictionary_size);
    for (i = 0; i < data_size; i++) file_data[before + dictionary_size + i] = (unsigned char)(i * 7);
}

static void check_array(unsigned major, const char *dictionary, size_t data_size, const expect *array)
{
    wcodec_plan *plan;
    unsigned d;
    file_npy(major, dictionary, strlen(dictionary), data_size);
    test_note("version %u %.100s", major, dictionary);
    plan = plan_of(NULL);
    CHECK_STR(plan->format, "npy");
    if (CHECK_EQ(plan->count, 2 + (data_size > array->size))) {
        const wcodec_segment *s = &plan->segments[1];
        CHECK_EQ(plan->segments[0].dtype, WCODEC_BYTES);
        CHECK_EQ(s->offset, (major == 1 ? 10 : 12) + strlen(dictionary));
        CHECK_STR(s->name, array->name);
        CHECK_EQ(s->dtype, array->dtype);
        CHECK_EQ(s->size, array->size);
        if (CHECK_EQ(s->rank, array->rank))
            for (d = 0; d < s->rank; d++) CHECK_EQ(s->shape[d], array->shape[d]);
        check_comes_back(plan);
    }
    wcodec_plan_close(plan);
    file_free();
}

static void good_arrays(void)
{
    static const struct { const char *descr; unsigned dtype, size; } dtypes[] = {
        { "|b1", WCODEC_BOOL, 1 }, { "|i1", WCODEC_I8, 1 }, { "|u1", WCODEC_U8, 1 }, { "<i1", WCODEC_I8, 1 },
        { "<i2", WCODEC_I16, 2 }, { "<u2", WCODEC_U16, 2 }, { "<i4", WCODEC_I32, 4 }, { "<u4", WCODEC_U32, 4 },
        { "<i8", WCODEC_I64, 8 }, { "<u8", WCODEC_U64, 8 }, { "<f2", WCODEC_F16, 2 }, { "<f4", WCODEC_F32, 4 },
        { "<f8", WCODEC_F64, 8 }, { "<c8", WCODEC_C64, 8 } };
    static const expect two[] = { { "array", WCODEC_F32, 24, 2, { 2, 3 } } };
    static const expect turned[] = { { "array", WCODEC_F32, 24, 3, { 3, 2, 1 } } };
    static const expect one[] = { { "array", WCODEC_F32, 24, 1, { 6 } } };
    static const expect scalar[] = { { "array", WCODEC_F32, 4, 0, { 0 } } };
    static const expect empty[] = { { "array", WCODEC_F32, 0, 2, { 0, 5 } } };
    unsigned major;
    size_t i;
    for (major = 1; major <= 3; major++) {
        check_array(major, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }     \n", 24, two);
        check_array(major, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }     \n", 25, two);
        check_array(major, "{\"shape\":(2,3),\"fortran_order\":False,\"descr\":\"<f4\"}", 24, two);
        check_array(major, "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2, 3), }\n", 24, turned);
        check_array(major, "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }\n", 24, two);
        check_array(major, "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }\n", 24, one);
        check_array(major, "{'descr': '<f4', 'fortran_order': False, 'shape': (6L,), }\n", 24, one);
        check_array(major, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n", 4, scalar);
        check_array(major, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 5), }\n", 0, empty);
    }
    for (i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        char dictionary[100];
        expect e = { "array", 0, 0, 2, { 3, 5 } };
        e.dtype = dtypes[i].dtype;
        e.size = 15 * (uint64_t)dtypes[i].size;
        snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': (3, 5), }\n",
                 dtypes[i].descr);
        check_array(1, dictionary, (size_t)e.size, &e);
    }
}

static void broken_arrays(void)
{
    static const char *const list[] = {
        "", "{}", "{", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '=f4', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '|f4', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<c16', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f9', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '|V2', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': false, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2), 'x': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 2, }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': [2], }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), },",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387905,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551616,), }",
        "{'descr': '<f4, 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<\\x66\\x34', 'fortran_order': False, 'shape': (2,), }" };
    static const char good[] = "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }\n";
    size_t i;
    for (i = 0; i < sizeof list / sizeof *list; i++) {
        file_npy(1, list[i], strlen(list[i]), 8);
        check_odd(list[i], 0);
    }
    {
        char ranks[1100] = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
        for (i = 0; i < 300; i++) strcat(ranks, "1,");
        strcat(ranks, "), }\n");
        file_npy(1, ranks, strlen(ranks), 8);
        check_odd("300 dimensions", 0);
    }
    for (i = 0; i < 6; i += 5) {
        file_npy((unsigned)i, good, strlen(good), 8);
        check_odd("a version that is none", 0);
    }
    file_npy(2, good, strlen(good), 8);
    file_data[11] = 0x80;
    check_odd("a dictionary of 2 GiB", 0);
    for (i = 0; i < 10 + sizeof good + 8; i++) {
        file_npy(1, good, sizeof good - 1, 8);
        file_size = i < file_size ? i : file_size;
        check_odd("cut", 1);
    }
    for (i = 0; i < 8 * (10 + sizeof good - 1); i++) {
        file_npy(1, good, sizeof good - 1, 8);
        file_data[i / 8] ^= (unsigned char)(1u << i % 8);
        check_odd("changed", 1);
    }
}

/* ---- zip ---- */

/* An archive in the making: entries, then their directory. */
static unsigned char zip_data[20000], zip_directory[8000];
static size_t zip_used, zip_directory_used;
static unsigned zip_entries;

static void put(unsigned char *p, uint64_t value, unsigned bytes)
{
    unsigned i;
    for (i = 0; i < bytes; i++) p[i] = (unsigned char)(value >> 8 * i);
}

static void zip_begin(void) { zip_used = zip_directory_used = zip_entries = 0; }

/* An entry of `size` bytes behind `pad` bytes of extra field; with sizes and offset in zip64 fields if `big`. */
static void zip_add(const char *name, const void *data, size_t size, unsigned method, unsigned pad, int big)
{
    const size_t name_size = strlen(name);
    unsigned char *p = zip_data + zip_used, *d = zip_directory + zip_directory_used;
    const unsigned extra = big ? 28 : 0;
    memset(p, 0, 30);
    memcpy(p, "PK\3\4", 4);
    put(p + 8, method, 2);
    put(p + 18, big ? 0xFFFFFFFFu : size, 4);
    put(p + 22, big ? 0xFFFFFFFFu : size, 4);
    put(p + 26, name_size, 2);
    put(p + 28, pad, 2);
    memcpy(p + 30, name, name_size);
    memset(p + 30 + name_size, 'Z', pad);
    memcpy(p + 30 + name_size + pad, data, size);
    memset(d, 0, 46 + extra + name_size);
    memcpy(d, "PK\1\2", 4);
    put(d + 10, method, 2);
    put(d + 20, big ? 0xFFFFFFFFu : size, 4);
    put(d + 24, big ? 0xFFFFFFFFu : size, 4);
    put(d + 28, name_size, 2);
    put(d + 30, extra, 2);
    put(d + 42, big ? 0xFFFFFFFFu : zip_used, 4);
    memcpy(d + 46, name, name_size);
    if (big) {
        put(d + 46 + name_size, 1, 2);
        put(d + 48 + name_size, 24, 2);
        put(d + 50 + name_size, size, 8);
        put(d + 58 + name_size, size, 8);
        put(d + 66 + name_size, zip_used, 8);
    }
    zip_used += 30 + name_size + pad + size;
    zip_directory_used += 46 + name_size + extra;
    zip_entries++;
}

/* The file: directory and end, with the records of zip64 if `big`. */
static void zip_end(int big, const char *comment)
{
    const size_t records = big ? 76 : 0, comment_size = strlen(comment);
    unsigned char *p;
    file_size = zip_used + zip_directory_used + records + 22 + comment_size;
    file_data = (unsigned char *)test_malloc(file_size);
    memset(file_data, 0, file_size);
    memcpy(file_data, zip_data, zip_used);
    memcpy(file_data + zip_used, zip_directory, zip_directory_used);
    p = file_data + zip_used + zip_directory_used;
    if (big) {
        memcpy(p, "PK\6\6", 4);
        put(p + 4, 44, 8);
        put(p + 24, zip_entries, 8);
        put(p + 32, zip_entries, 8);
        put(p + 40, zip_directory_used, 8);
        put(p + 48, zip_used, 8);
        memcpy(p + 56, "PK\6\7", 4);
        put(p + 64, zip_used + zip_directory_used, 8);
        put(p + 72, 1, 4);
        p += 76;
    }
    memcpy(p, "PK\5\6", 4);
    put(p + 8, big ? 0xFFFF : zip_entries, 2);
    put(p + 10, big ? 0xFFFF : zip_entries, 2);
    put(p + 12, big ? 0xFFFFFFFFu : zip_directory_used, 4);
    put(p + 16, big ? 0xFFFFFFFFu : zip_used, 4);
    put(p + 20, comment_size, 2);
    memcpy(p + 22, comment, comment_size);
}

/* The segments that have names: `count` of them, of these names and dtypes. */
static void check_archive(const char *what, const expect *list, size_t count)
{
    wcodec_plan *plan;
    size_t i, k = 0;
    test_note("%s", what);
    plan = plan_of(NULL);
    CHECK_STR(plan->format, "zip");
    for (i = 0; i < plan->count; i++) {
        const wcodec_segment *s = &plan->segments[i];
        if (s->name_size == 0) continue;
        if (k < count) {
            CHECK_STR(s->name, list[k].name);
            CHECK_EQ(s->dtype, list[k].dtype);
            CHECK_EQ(s->size, list[k].size);
            CHECK_EQ(s->rank, list[k].rank);
            if (s->rank && list[k].rank) CHECK_EQ(s->shape[0], list[k].shape[0]);
        }
        k++;
    }
    CHECK_EQ(k, count);
    check_comes_back(plan);
    wcodec_plan_close(plan);
    file_free();
}

static void archive(int big)
{
    unsigned char weights[999];
    memset(weights, 5, sizeof weights);
    zip_begin();
    zip_add("archive/data.pkl", "\x80\2.", 3, 0, 40, big);
    zip_add("archive/version", "3\n", 2, 0, 0, 0);
    zip_add("archive/data/0", weights, 512, 0, 17, big);
    zip_add("archive/deflated", weights, 100, 8, 0, 0);
    zip_add("archive/empty", "", 0, 0, 0, 0);
    zip_add("archive/data/1", weights, 999, 0, 63, 0);
}

static void good_archives(void)
{
    static const expect torch[] = { { "archive/data.pkl", WCODEC_BYTES, 3, 0, { 0 } },
                                    { "archive/version", WCODEC_BYTES, 2, 0, { 0 } },
                                    { "archive/data/0", WCODEC_BYTES, 512, 0, { 0 } },
                                    { "archive/data/1", WCODEC_BYTES, 999, 0, { 0 } } };
    static const expect numpy[] = { { "a.npy", WCODEC_F32, 8, 1, { 2 } }, { "b.npy", WCODEC_BYTES, 94, 0, { 0 } },
                                    { "c.npy", WCODEC_I8, 3, 1, { 3 } } };
    static const char *const arrays[] = { "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n",
                                          "{'descr': '|O', 'fortran_order': False, 'shape': (7,), }     \n",
                                          "{'descr': '|i1', 'fortran_order': False, 'shape': (3,), }\n" };
    static const size_t sizes[] = { 8, 22, 3 };
    unsigned i;
    for (i = 0; i < 4; i++) {
        archive(i & 1);
        zip_end(i & 1, i & 2 ? "a comment PK\5\6 that tries" : "");
        check_archive("as PyTorch writes it", torch, 4);
    }
    zip_begin();
    for (i = 0; i < 3; i++) {
        file_npy(1, arrays[i], strlen(arrays[i]), sizes[i]);
        zip_add(numpy[i].name, file_data, file_size, 0, 5, 0);
        file_free();
    }
    zip_end(0, "");
    check_archive("as numpy.savez writes it", numpy, 3);
    zip_begin();
    zip_add("d", "x", 1, 8, 0, 0);
    zip_end(0, "");
    check_archive("all deflated", NULL, 0);
}

/* Where an entry's headers and the directory disagree nothing is certain of the entry; where the directory
 * itself does, of the file. */
static void broken_archives(void)
{
    static const struct { size_t at; unsigned value; const char *what; } entry[] = {
        { 8, 8, "deflated, says the local header" }, { 6, 1, "encrypted, says the local header" },
        { 26, 9, "a name of another size" }, { 28, 0xFFFF, "an extra field beyond the file" },
        { 0, 0x4B51, "no local header" } };
    static const struct { size_t at; uint64_t value; unsigned bytes, kept; const char *what; } directory[] = {
        { 8, 1, 2, 1, "encrypted" }, { 10, 8, 2, 1, "deflated" }, { 20, 6, 4, 1, "packed and not" },
        { 42, 0x7FFFFFF0, 4, 1, "a local header beyond the file" }, { 42, 0xFFFFFFFF, 4, 1, "an extra that is not there" },
        { 42, 1, 4, 1, "a local header that is none" }, { 28, 0, 2, 1, "no name" }, { 28, 0xFFFF, 2, 0, "a long name" },
        { 30, 0xFFFF, 2, 0, "a long extra field" }, { 0, 0, 4, 0, "no header" } };
    static const expect second[] = { { "b", WCODEC_BYTES, 4, 0, { 0 } } };
    /* Two entries are at 0 and 35, their directory of 94 bytes at 73. */
    static const struct { size_t at; uint64_t value; unsigned bytes; const char *what; } end[] = {
        { 4, 1, 2, "the second of several disks" }, { 6, 1, 2, "a directory on another disk" },
        { 8, 1, 2, "an entry on another disk" }, { 8, 0x00030003, 4, "an entry more than the directory holds" },
        { 8, 0xFFFFFFFF, 4, "65535 entries" }, { 12, 93, 4, "a directory that is cut" }, { 12, 95, 4, "a long directory" },
        { 12, 0xFFFFFFFF, 4, "a directory of 4 GiB" }, { 16, 72, 4, "a directory a byte before" },
        { 16, 74, 4, "a directory a byte behind" }, { 16, 0xFFFFFFFF, 4, "a directory behind 4 GiB" },
        { 20, 1, 2, "a comment that is not there" }, { 20, 0xFFFF, 2, "a long comment that is not there" } };
    size_t i;
    for (i = 0; i < sizeof entry / sizeof *entry; i++) {
        zip_begin();
        zip_add("b", "data", 4, 0, 0, 0);
        zip_add("a", "1234567", 7, 0, 0, 0);
        put(zip_data + 35 + entry[i].at, entry[i].value, 2);
        zip_end(0, "");
        check_archive(entry[i].what, second, 1);
    }
    for (i = 0; i < sizeof directory / sizeof *directory; i++) {
        zip_begin();
        zip_add("b", "data", 4, 0, 0, 0);
        zip_add("a", "1234567", 7, 0, 0, 0);
        put(zip_directory + 47 + directory[i].at, directory[i].value, directory[i].bytes);
        zip_end(0, "");
        if (directory[i].kept) check_archive(directory[i].what, second, 1);
        else check_odd(directory[i].what, 0);
    }
    for (i = 0; i < sizeof end / sizeof *end; i++) {
        zip_begin();
        zip_add("b", "data", 4, 0, 0, 0);
        zip_add("a", "1234567", 7, 0, 0, 0);
        zip_end(0, "");
        put(file_data + file_size - 22 + end[i].at, end[i].value, end[i].bytes);
        check_odd(end[i].what, 0);
    }
    for (i = 0; i < 2; i++) {               /* names are nothing but names */
        static const char *const names[] = { "b", "../b", "C:\\b", "/b" };
        expect list[4] = { { "b", WCODEC_BYTES, 4, 0, { 0 } } };
        size_t k;
        zip_begin();
        for (k = 0; k < 4; k++) {
            list[k] = list[0];
            list[k].name = names[i ? k : 0];
            zip_add(list[k].name, "data", 4, 0, 0, 0);
        }
        zip_end(0, "");
        check_archive(i ? "names that are paths" : "four entries of a name", list, 4);
    }
    zip_begin();
    zip_add("a", "1234567", 7, 0, 0, 0);
    zip_add("b", "1234567", 7, 0, 0, 0);
    put(zip_directory + 47 + 42, 0, 4);
    zip_end(0, "");
    check_odd("two entries on the same bytes", 0);
    for (i = 0; i < 4; i++) {
        static const struct { size_t at; uint64_t value; } end64[] = {
            { 24, 99 }, { 40, UINT64_MAX }, { 48, UINT64_MAX - 5 }, { 64, UINT64_MAX } };
        archive(1);
        zip_end(1, "");
        put(file_data + file_size - 22 - 76 + end64[i].at, end64[i].value, 8);
        check_odd("an end of zip64 that lies", 0);
    }
}

static void every_archive_cut_and_flip(void)
{
    size_t i, n;
    for (i = 0, n = 1; i < n; i++) {
        zip_begin();
        zip_add("a/b.npy", "\x93NUMPY\1\0\3\0{}\n", 13, 0, 2, 1);
        zip_add("c", "1234567", 7, 0, 0, 0);
        zip_end(1, "");
        n = 9 * file_size;
        if (i < file_size) file_size = i;
        else file_data[i / 9] ^= (unsigned char)(1u << i % 9 % 8);
        check_odd("cut or changed", 1);
    }
}

/* ---- plans of the caller's ---- */

static wcodec_segment segment_of(const char *name, unsigned dtype, uint64_t offset, uint64_t size)
{
    wcodec_segment s;
    memset(&s, 0, sizeof s);
    s.name = name;
    s.name_size = strlen(name);
    s.dtype = dtype;
    s.offset = offset;
    s.size = size;
    return s;
}

static void own_plans(void)
{
    static const uint64_t shape[] = { 2, 3 }, empty[] = { 0 };
    wcodec_segment list[4];
    wcodec_plan *plan = NULL;
    size_t wrong = 9, i;
    file_raw(0, "", 0, 92);
    list[0] = segment_of("w", WCODEC_F32, 40, 24);
    list[0].shape = shape;
    list[0].rank = 2;
    list[1] = segment_of("", WCODEC_BYTES, 64, 6);
    list[1].row = 3;
    list[2] = segment_of("v\0x", WCODEC_BF16, 12, 12);
    list[2].name_size = 3;
    list[2].shape = shape;
    list[2].rank = 2;
    list[3] = segment_of("e", WCODEC_F64, 70, 0);
    list[3].shape = empty;
    list[3].rank = 1;
    CHECK_STATUS(wcodec_plan_from(&plan, list, 4, file_size, NULL, &wrong, NULL), WCODEC_OK);
    CHECK_EQ(wrong, 4);
    CHECK_STR(plan->format, "plan");
    if (CHECK_EQ(plan->count, 7)) {
        static const uint64_t offsets[] = { 0, 12, 24, 40, 64, 70, 70 };
        for (i = 0; i < 7; i++) CHECK_EQ(plan->segments[i].offset, offsets[i]);
        CHECK_MEM(plan->segments[1].name, "v\0x", 4);
        CHECK(plan->segments[3].shape != shape && plan->segments[3].shape[1] == 3);
        CHECK_EQ(plan->segments[4].row, 3);
        CHECK(plan->segments[5].size == 0 && plan->segments[5].rank == 1);
        CHECK(plan->segments[6].dtype == WCODEC_BYTES && plan->segments[6].size == 30);
        check_comes_back(plan);
    }
    wcodec_plan_close(plan);
    for (i = 0; i <= 30; i += 30) {         /* nothing said, of a file and of an empty one */
        file_size = i;
        CHECK_STATUS(wcodec_plan_from(&plan, NULL, 0, i, NULL, NULL, NULL), WCODEC_OK);
        CHECK_EQ(plan->count, i != 0);
        check_comes_back(plan);
        wcodec_plan_close(plan);
    }
    file_free();
}

static void wrong_plans(void)
{
    static const uint64_t shape[] = { 5 };
    struct { const char *what; wcodec_segment s; } cases[] = {
        { "overlaps the end of another", { "a", 1, WCODEC_BYTES, 0, NULL, 5, 10, 0, 0, 0 } },
        { "overlaps the start of another", { "a", 1, WCODEC_BYTES, 0, NULL, 25, 10, 0, 0, 0 } },
        { "empty inside another", { "a", 1, WCODEC_BYTES, 0, NULL, 35, 0, 0, 0, 0 } },
        { "passes the end", { "a", 1, WCODEC_BYTES, 0, NULL, 95, 10, 0, 0, 0 } },
        { "beyond the end", { "a", 1, WCODEC_BYTES, 0, NULL, 101, 0, 0, 0, 0 } },
        { "wraps", { "a", 1, WCODEC_BYTES, 0, NULL, 95, UINT64_MAX, 0, 0, 0 } },
        { "wraps", { "a", 1, WCODEC_BYTES, 0, NULL, UINT64_MAX, 2, 0, 0, 0 } },
        { "no such dtype", { "a", 1, 63, 0, NULL, 60, 10, 0, 0, 0 } },
        { "dtype and size", { "a", 1, WCODEC_F32, 1, shape, 60, 10, 0, 0, 0 } },
        { "no shape", { "a", 1, WCODEC_F32, 1, NULL, 60, 20, 0, 0, 0 } },
        { "a rank of 256", { "a", 1, WCODEC_BYTES, 256, shape, 60, 20, 0, 0, 0 } },
        { "a long name", { "a", 65001, WCODEC_BYTES, 0, NULL, 60, 10, 0, 0, 0 } },
        { "no name", { NULL, 1, WCODEC_BYTES, 0, NULL, 60, 10, 0, 0, 0 } } };
    wcodec_segment list[3];
    wcodec_plan_options options = wcodec_plan_defaults();
    wcodec_plan *plan;
    size_t i, wrong;
    list[0] = segment_of("x", WCODEC_BYTES, 0, 10);
    list[2] = segment_of("y", WCODEC_BYTES, 30, 10);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        wcodec_error err;
        test_note("%s", cases[i].what);
        list[1] = cases[i].s;
        plan = (wcodec_plan *)list;
        CHECK_STATUS(wcodec_plan_from(&plan, list, 3, 100, NULL, &wrong, &err), WCODEC_E_ARGUMENT);
        CHECK(plan == NULL && err.status == WCODEC_E_ARGUMENT && err.what != NULL);
        CHECK_EQ(wrong, i == 1 || i == 2 ? 2 - (i == 2) : 1);
    }
    CHECK_STATUS(wcodec_plan_from(&plan, NULL, 1, 100, NULL, &wrong, NULL), WCODEC_E_ARGUMENT);
    CHECK_EQ(wrong, 1);
    CHECK_STATUS(wcodec_plan_from(NULL, list, 1, 100, NULL, NULL, NULL), WCODEC_E_ARGUMENT);
    options.max_memory = 100;
    CHECK_STATUS(wcodec_plan_from(&plan, list, 1, 100, &options, &wrong, NULL), WCODEC_E_LIMIT);
    CHECK(plan == NULL && wrong == 1);
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
    RUN(good_arrays);
    RUN(broken_arrays);
    RUN(good_archives);
    RUN(broken_archives);
    RUN(every_archive_cut_and_flip);
    RUN(own_plans);
    RUN(wrong_plans);
    RUN(typed_data);
    RUN(wrong_arguments);
    return test_end();
}
