/* Writes the seeds of all harnesses: make_seeds DIRECTORY, which has a folder for each harness; run it at the top
 * of the repository.  Small containers and tile records of every split, coder and predictor, some of the golden
 * containers with scales, small files for the plans, and data for the round trips.  The same bytes at every run. */
#include "mutator.h"

static const char *root;
static uint64_t noise_state;

/* Uniform noise. */
static unsigned noise(void)
{
    noise_state = noise_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(noise_state >> 33);
}

static void save(const char *harness, const char *name, const void *data, size_t size)
{
    char path[512];
    FILE *f;
    snprintf(path, sizeof path, "%s/%s/%s", root, harness, name);
    f = fopen(path, "wb");
    FUZZ_REQUIRE(f != NULL);
    FUZZ_REQUIRE(fwrite(data, 1, size, f) == size && fclose(f) == 0);
}

/* ---- data ---- */

/* What weights look like: `size` bytes of units whose top bits say little and low bits much. */
static void fill_weights(unsigned char *dst, size_t size, unsigned dtype)
{
    unsigned bits = wcodec_dtype_bits(dtype), unit = bits < 8 ? 1 : bits / 8, b;
    size_t i;
    for (i = 0; i + unit <= size; i += unit) {
        unsigned exponent = 120;
        uint64_t x = 0;
        while (exponent > 112 && noise() % 2 != 0) exponent--;
        for (b = 0; b < unit; b++) x = x << 8 | (noise() & 255);
        if (unit == 1) x = 128 + exponent - 120 + noise() % 4;
        if (dtype == WCODEC_F16) x = (x & 0x83ff) | (exponent - 108) << 10;
        else if (unit == 2) x = (x & 0x807f) | exponent << 7;
        else if (unit == 4) x = (x & 0x807fff00) | (uint64_t)exponent << 23;
        else if (unit == 8) x = (x & UINT64_C(0x800fffff00000000)) | (uint64_t)(exponent + 896) << 52;
        for (b = 0; b < unit; b++) dst[i + b] = (unsigned char)(x >> 8 * b);
    }
    for (; i < size; i++) dst[i] = 0;
}

/* Data that one coder likes most: of WCODEC_CODER_RAW noise, of SPARSE a few ones, and so on. */
static void fill_for_coder(unsigned char *dst, size_t size, unsigned coder)
{
    size_t i;
    for (i = 0; i < size; i++) {
        unsigned n = noise(), geometric = 0;
        while (geometric < 13 && (n >> geometric & 1) != 0) geometric++;
        switch (coder) {
        case WCODEC_CODER_RAW: dst[i] = (unsigned char)n; break;
        case WCODEC_CODER_CONSTANT: dst[i] = 7; break;
        case WCODEC_CODER_SPARSE: dst[i] = (unsigned char)(n % 50 == 0 ? 1 + (n >> 8) % 3 : 0); break;
        case WCODEC_CODER_RANS256: dst[i] = (unsigned char)(100 + geometric * 3 + (n >> 16) % 3); break;
        default: dst[i] = (unsigned char)(30 + geometric + (n % 97 == 0 ? 20 + (n >> 20) % 8 : 0));
        }
    }
}

/* ---- containers ---- */

typedef struct maker {
    wcodec_writer_options options;
    wcodec_writer *writer;
    fuzz_bytes out;
} maker;

static void maker_begin(maker *m)
{
    wcodec_sink sink;
    sink.write = fuzz_write;
    sink.user = &m->out;
    FUZZ_REQUIRE(wcodec_writer_open(&m->writer, &sink, &m->options, NULL) == WCODEC_OK);
}

static void maker_init(maker *m)
{
    memset(m, 0, sizeof *m);
    m->options = wcodec_writer_defaults();
    m->options.tile_units = 512;
    m->options.metadata = "{}";
    m->options.metadata_size = 2;
}

/* Both container harnesses get the same seeds. */
static void maker_save(maker *m, const char *name)
{
    FUZZ_REQUIRE(wcodec_writer_finish(m->writer, NULL) == WCODEC_OK);
    wcodec_writer_close(m->writer);
    save("reader", name, m->out.data, m->out.size);
    save("push", name, m->out.data, m->out.size);
    free(m->out.data);
}

static void maker_original(maker *m, const char *name, int from_parts)
{
    FUZZ_REQUIRE(wcodec_writer_original(m->writer, name, strlen(name), from_parts, NULL) == WCODEC_OK);
}

static void maker_segment(maker *m, const char *name, unsigned dtype, unsigned rank, const uint64_t *shape,
                          const void *data, size_t size)
{
    wcodec_segment s;
    memset(&s, 0, sizeof s);
    s.name = name;
    s.name_size = strlen(name);
    s.dtype = dtype;
    s.rank = rank;
    s.shape = shape;
    s.size = size;
    FUZZ_REQUIRE(wcodec_writer_segment(m->writer, &s, NULL) == WCODEC_OK);
    FUZZ_REQUIRE(wcodec_writer_data(m->writer, data, size, NULL) == WCODEC_OK);
}

/* A container for each dtype, its natural split and whatever coders win. */
static void seeds_by_dtype(void)
{
    static unsigned char data[8192];
    unsigned dtype;
    for (dtype = 1; dtype <= WCODEC_U4; dtype++) {
        uint64_t shape[2] = { 24, 32 };
        size_t size;
        char name[64];
        maker m;
        if (wcodec_dtype_bits(dtype) == 32) shape[0] = 12;
        if (wcodec_dtype_bits(dtype) == 64) shape[0] = 6;
        size = (size_t)shape[0] * 32 * wcodec_dtype_bits(dtype) / 8;
        maker_init(&m);
        maker_begin(&m);
        maker_original(&m, "model", 0);
        fill_weights(data, size, dtype);
        maker_segment(&m, "w", dtype, 2, shape, data, size);
        snprintf(name, sizeof name, "dtype-%s", wcodec_dtype_name(dtype));
        maker_save(&m, name);
    }
}

static void seeds_by_coder(void)
{
    static unsigned char data[1200];
    unsigned coder, predictor;
    for (coder = 0; coder < WCODEC_CODER_COUNT; coder++)
        for (predictor = 0; predictor < WCODEC_PREDICT_COUNT; predictor += coder < 3 ? 3u : 1u) {
            uint64_t shape[2] = { 30, 40 };
            char name[64];
            size_t i;
            maker m;
            maker_init(&m);
            m.options.tile.coders = 1u << coder;
            m.options.tile.predictors = 1u << predictor;
            maker_begin(&m);
            maker_original(&m, "", 0);
            fill_for_coder(data, sizeof data, coder);
            for (i = 1; predictor == 1
                 && i < sizeof data; i++) data[i] = (unsigned char)(data[i] + data[i - 1]);
            for (i = 40; predictor == 2
                 && i < sizeof data; i++) data[i] = (unsigned char)(data[i] + data[i - 40]);
            maker_segment(&m, "w", WCODEC_U8, 2, shape, data, sizeof data);
            snprintf(name, sizeof name, "coder-%s-%s", wcodec_coder_name(coder),
                     wcodec_predictor_name(predictor));
            maker_save(&m, name);
        }
}

/* What is odd about the structure, not about the data. */
static void seeds_of_structure(void)
{
    static unsigned char data[600];
    const uint64_t matrix[2] = { 2, 150 }, empty[2] = { 0, 5 }, cube[3] = { 3, 2, 10 };
    maker m;
    fill_weights(data, sizeof data, WCODEC_BF16);

    maker_init(&m);
    maker_begin(&m);
    maker_save(&m, "none");

    maker_init(&m);
    m.options.metadata_size = 0;
    m.options.metadata = NULL;
    m.options.no_sha256 = 1;
    maker_begin(&m);
    maker_original(&m, "empty", 0);
    maker_save(&m, "empty");

    maker_init(&m);
    m.options.tile_units = 16;      /* rows of 150 units are cut */
    maker_begin(&m);
    maker_original(&m, "a", 1);
    maker_segment(&m, "long rows", WCODEC_BF16, 2, matrix, data, 600);
    maker_save(&m, "long-rows");

    maker_init(&m);
    m.options.tile_units = 20;      /* tiles of two rows of 10 units */
    maker_begin(&m);
    maker_original(&m, "a", 0);
    maker_segment(&m, "", WCODEC_BYTES, 0, NULL, "head", 4);
    maker_segment(&m, "scalar", WCODEC_F32, 0, NULL, data, 4);
    maker_segment(&m, "empty", WCODEC_F32, 2, empty, NULL, 0);
    maker_segment(&m, "cube", WCODEC_BF16, 3, cube, data, 120);
    maker_original(&m, "nothing", 0);
    maker_original(&m, "b", 0);
    maker_segment(&m, "scalar", WCODEC_BYTES, 0, NULL, data, 100);
    maker_save(&m, "originals");
}

static void seeds_of_containers(void)
{
    seeds_by_dtype();
    seeds_by_coder();
    seeds_of_structure();
}

/* ---- tiles ---- */

static void seed_tile(const char *name, unsigned dtype, uint64_t row, const unsigned char *data, size_t size,
                      const wcodec_tile_options *options)
{
    size_t bound = wcodec_tile_bound(size), scratch_size = wcodec_tile_encode_scratch(size);
    unsigned char *record = fuzz_exact(NULL, bound), *scratch = fuzz_exact(NULL, scratch_size);
    size_t made = wcodec_tile_encode(dtype, row, data, size, NULL, options, record, bound, scratch, scratch_size);
    FUZZ_REQUIRE(made != 0);
    save("tile", name, record, made);
    free(record);
    free(scratch);
}

static void seeds_of_tiles(void)
{
    static const unsigned char dtypes[WCODEC_SPLIT_COUNT] = {
        WCODEC_U8, WCODEC_U16, WCODEC_I32, WCODEC_I64, WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_F64,
        WCODEC_F8_E4M3, WCODEC_F8_E5M2, WCODEC_I4 };
    static unsigned char data[2400];
    wcodec_tile_options options;
    unsigned split, coder;
    char name[64];
    for (split = 0; split <= WCODEC_SPLIT_F32_4; split++) {
        options.splits = 1u << split;
        options.coders = options.predictors = ~0u;
        fill_weights(data, 1600, dtypes[split]);
        snprintf(name, sizeof name, "split-%s", wcodec_split_name(split));
        seed_tile(name, dtypes[split], 20, data, 1600, &options);
        options.coders = 1;
        snprintf(name, sizeof name, "raw-%s", wcodec_split_name(split));
        seed_tile(name, dtypes[split], 20, data, 200, &options);
    }
    for (coder = 0; coder < WCODEC_CODER_COUNT; coder++) {
        options.splits = 0;
        options.coders = 1u << coder;
        options.predictors = 1;
        fill_for_coder(data, 2400, coder);
        snprintf(name, sizeof name, "coder-%s", wcodec_coder_name(coder));
        seed_tile(name, WCODEC_U8, 0, data, 1500, &options);
        options.splits = 1u << WCODEC_SPLIT_NIBBLES;
        snprintf(name, sizeof name, "nibbles-%s", wcodec_coder_name(coder));
        seed_tile(name, WCODEC_U4, 0, data, 1000, &options);
        options.predictors = 6;
        options.splits = 0;
        snprintf(name, sizeof name, "predicted-%s", wcodec_coder_name(coder));
        seed_tile(name, WCODEC_U8, 30, data, 1500, &options);
    }
    seed_tile("one-unit", WCODEC_BF16, 0, data, 2, NULL);
}

/* ---- scales ---- */

/* A golden container; its size, at most 16384. */
static size_t load_golden(const char *name, unsigned char *dst)
{
    char path[512];
    FILE *f;
    size_t size;
    snprintf(path, sizeof path, "tests/golden/good/%s.wcodec", name);
    f = fopen(path, "rb");
    FUZZ_REQUIRE(f != NULL);
    size = fread(dst, 1, 16384, f);
    FUZZ_REQUIRE(size > 0 && size < 16384);
    fclose(f);
    return size;
}

/* The encoder takes scales only of more than a seed can hold, so that these come from the golden containers. */
static void seeds_of_scales(void)
{
    static const char *const containers[] = {
        "scales-bf16", "scales-f16", "scales-coder-huffman", "scales-unit-left", "scales-s-left", "scales-wrap",
        "classes-k0-exceptions", "classes-first-nibbles-scaled", "classes-first-f8_e4m3-after-classes",
        "groups-per-1", "groups-second-has-none", "groups-none-has-one", "groups-row-cut-to-1", "groups-row-16",
        "groups-originals", "groups-columns-8-of-max-tile-8", "groups-split-of-other-units",
        "copies-many", "copies-originals", "copies-scaled-behind", "copies-in-group", "copies-group-of-copies" };
    static const char *const tiles[] = {
        "scales-bf16", "scales-f16", "scales-f32", "scales-f64", "scales-e4m3", "scales-e5m2", "scales-nibbles",
        "scales-byte", "scales-word16", "scales-coder-raw", "scales-coder-sparse", "scales-coder-rans256",
        "scales-narrow-all", "scales-wrap-255", "scales-n1-last-column", "scales-columns-300",
        "scales-rows-constant-l", "scales-rows-huffman-n", "scales-rows-rans16-n", "scales-rows-257",
        "scales-row-and-filler", "scales-unit-up", "classes-k0-n200", "classes-k1-exceptions",
        "classes-k2-exceptions", "classes-k2-exceptions-apart", "classes-without-scale-up", "classes-skewed",
        "classes-holes", "classes-first-nibbles-k0", "classes-first-f8_e4m3-k2", "classes-first-nibbles-scaled",
        "classes-first-f8_e4m3-after-classes", "palette-5-of-2", "palette-16-of-4", "palette-256-of-8",
        "palette-left", "palette-table-256-bytes", "linear-bf16-runs-huffman", "linear-f16-bytes-3",
        "linear-f32-runs-of-1", "linear-f32-subnormal", "linear-f16-subnormal", "linear-f32-infinite" };
    static unsigned char data[16384];
    static fuzz_container c;
    size_t i, k;
    for (i = 0; i < sizeof containers / sizeof containers[0]; i++) {
        const size_t size = load_golden(containers[i], data);
        save("reader", containers[i], data, size);
        save("push", containers[i], data, size);
    }
    for (i = 0; i < sizeof tiles / sizeof tiles[0]; i++) {
        const fuzz_record *s = NULL, *t = NULL;
        c.data = data;
        c.size = c.room = load_golden(tiles[i], data);
        FUZZ_REQUIRE(fuzz_parse(&c));
        for (k = 0; k < c.records && t == NULL; k++) {
            if (c.record[k].type == 'S') s = &c.record[k];
            if (c.record[k].type == 'T') t = &c.record[k];
        }
        FUZZ_REQUIRE(t != NULL);
        if (s == NULL) s = t;
        save("tile", tiles[i], data + s->at, t->at + t->size - s->at);
    }
}

/* ---- plans ---- */

/* A safetensors file: its header with the true length in front, and `size` bytes of data. */
static void seed_plan(const char *name, const char *json, size_t size)
{
    unsigned char file[2048];
    size_t n = strlen(json), i;
    FUZZ_REQUIRE(8 + n + size <= sizeof file);
    for (i = 0; i < 8; i++) file[i] = (unsigned char)((uint64_t)n >> 8 * i);
    memcpy(file + 8, json, n);
    for (i = 0; i < size; i++) file[8 + n + i] = (unsigned char)i;
    save("plan", name, file, 8 + n + size);
}

static void seeds_of_plans(void)
{
    seed_plan("none", "{}", 0);
    seed_plan("space", " \t\r\n{ } \n", 0);
    seed_plan("metadata", "{\"__metadata__\":{\"format\":\"pt\",\"a\":\"\\u00e9\\ud83d\\ude00\"}}", 0);
    seed_plan("one", "{\"w\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[0,12]}}", 12);
    seed_plan("scalar", "{\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4);
    seed_plan("empty-tensor", "{\"e\":{\"dtype\":\"I64\",\"shape\":[2,0],\"data_offsets\":[0,0]}}", 0);
    seed_plan("order", "{\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[4,7]},"
              "\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 7);
    seed_plan("packed", "{\"f4\":{\"dtype\":\"F4\",\"shape\":[3,2],\"data_offsets\":[0,3]},"
              "\"f6\":{\"dtype\":\"F6_E2M3\",\"shape\":[4],\"data_offsets\":[3,6]}}", 6);
    seed_plan("unknown", "{\"q\":{\"dtype\":\"Q8_K\",\"shape\":[4],\"data_offsets\":[0,9]}}", 9);
    seed_plan("extra", "{\"w\":{\"note\":[1,{\"a\":null},true,-1.5e3],\"dtype\":\"U8\",\"shape\":[1],"
              "\"data_offsets\":[0,1]}}", 1);
    seed_plan("trailing", "{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 20);
    seed_plan("short", "{\"w\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[0,9]}}", 7);
    seed_plan("hole", "{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]}}", 5);
    seed_plan("overlap", "{\"v\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
              "\"w\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}", 6);
    seed_plan("overflow",
              "{\"w\":{\"dtype\":\"I32\",\"shape\":[2,9223372036854775807],\"data_offsets\":[0,16]}}", 16);
    seed_plan("wrap",
              "{\"w\":{\"dtype\":\"I32\",\"shape\":[2,18446744073709551614],\"data_offsets\":[0,16]}}", 16);
    seed_plan("lie", "{\"w\":{\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[0,4]}}", 4);
    seed_plan("twice", "{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
              "\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2);
    seed_plan("escapes", "{\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\ud800\":{\"dtype\":\"U8\",\"shape\":[0],"
              "\"data_offsets\":[0,0]}}", 0);
    seed_plan("open", "{", 0);
    seed_plan("deep", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 0);
    save("plan", "no-file", "", 0);
    save("plan", "length-only", "\2\0\0\0\0\0\0", 8);
    save("plan", "too-large", "<\377\377\377\377\377\377\0{}", 10);
}

/* ---- round trips ---- */

static void seeds_of_round_trips(void)
{
    static unsigned char data[1032];
    static const unsigned char dtypes[8] = { WCODEC_BYTES, WCODEC_I8, WCODEC_BF16, WCODEC_F16, WCODEC_F32,
                                             WCODEC_F64, WCODEC_F8_E4M3, WCODEC_U4 };
    unsigned i;
    for (i = 0; i < 16; i++) {
        unsigned dtype = dtypes[i % 8];
        const unsigned char tail[8] = { (unsigned char)dtype, (unsigned char)(i < 8 ? 63 : 1u << i % 6),
                                        (unsigned char)(i % 7), 0, (unsigned char)(i % 8),
                                            (unsigned char)(i * 5),
                                        (unsigned char)(i * 16), 0 };
        char name[64];
        fill_weights(data, 1024, dtype);
        memcpy(data + 1024, tail, 8);
        snprintf(name, sizeof name, "%s-%u", wcodec_dtype_name(dtype), i / 8);
        save("roundtrip", name, data, sizeof data);
    }
    for (i = 0; i < 6; i++) {           /* rows of 32 to 64, scaled, repeated up to 16 KiB */
        static const unsigned char scaled[3] = { WCODEC_BF16, WCODEC_F16, WCODEC_F32 };
        const unsigned char tail[8] = { scaled[i % 3], (unsigned char)(i < 3 ? 127 : 95), 8 | 1, 64,
                                        (unsigned char)(i < 3 ? 4 : 12), 255, (unsigned char)(32 + 8 * (i % 5)), 16 };
        char name[64];
        fill_weights(data, 1024, scaled[i % 3]);
        memcpy(data + 1024, tail, 8);
        snprintf(name, sizeof name, "scaled-%s-%u", wcodec_dtype_name(scaled[i % 3]), i / 3);
        save("roundtrip", name, data, sizeof data);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    root = argv[1];
    noise_state = 1;
    seeds_of_containers();
    seeds_of_tiles();
    seeds_of_scales();
    seeds_of_plans();
    seeds_of_round_trips();
    return 0;
}
