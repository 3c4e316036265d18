/* Writes the seeds of all harnesses: make_seeds DIRECTORY, which has a folder for each harness; run it at the top
 * of the repository.  Small containers and tile records of every split, coder and predictor, some of the golden
 * containers with scales and of LZ, small files for the plans, and data for the round trips.  The same bytes at every run. */
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
        case WCODEC_CODER_LZ:
            dst[i] = i < 60 || n % 20 == 0 ? (unsigned char)(n >> 8) : dst[i - 7 - n / 1024 % 2];
            break;
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
        for (predictor = 0; predictor <= WCODEC_PREDICT_SCALE; predictor += coder < 3 ? 3u : 1u) {
            uint64_t shape[2] = { 30, 40 };
            char name[64];
            size_t i;
            maker m;
            maker_init(&m);
            m.options.tile.coders = 1u << coder;
            m.options.tile.predictors = 1u << predictor;
            if (coder == WCODEC_CODER_MIX) m.options.tile.profile = WCODEC_PROFILE_BEST;
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

/* Tiles that go past the caches in several pieces: numbers of few mantissas, so that a seed holds them, and some of
 * exponents far away, which are exceptions. */
static void seeds_of_large_tiles(void)
{
    static const unsigned dtypes[] = { WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_F8_E4M3, WCODEC_I4 };
    static unsigned char data[14000];
    size_t i, k;
    for (i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        const unsigned bits = wcodec_dtype_bits(dtypes[i]);
        const size_t unit = bits < 8 ? 1 : bits / 8;
        uint64_t shape[2] = { 50, 0 };
        char name[64];
        maker m;
        shape[1] = sizeof data * 8 / bits / 50;
        fill_weights(data, sizeof data, dtypes[i]);
        for (k = 0; k < sizeof data; k++)
            if (unit > 1 && k % unit + 1 < unit) data[k] = (unsigned char)(data[k] & (k % unit + 2 < unit ? 0 : 0x81));
        for (k = 0; k < sizeof data; k += 97 * unit) data[k + unit - 1] = (unsigned char)noise();
        maker_init(&m);
        m.options.tile_units = 16384;
        m.options.tile.coders = 1u << WCODEC_CODER_RAW | 1u << WCODEC_CODER_CONSTANT | 1u << WCODEC_CODER_RANS16;
        maker_begin(&m);
        maker_original(&m, "model", 0);
        maker_segment(&m, "w", dtypes[i], 2, shape, data, sizeof data);
        snprintf(name, sizeof name, "large-%s", wcodec_dtype_name(dtypes[i]));
        maker_save(&m, name);
    }
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
    size_t bound = wcodec_tile_bound(size), scratch_size = wcodec_tile_encode_scratch_best(size);
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
    memset(&options, 0, sizeof options);
    for (split = 0; split < WCODEC_SPLIT_BLOCKS; split++) {     /* for the others see seeds_of_blocks, ..._tables */
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
        options.profile = coder == WCODEC_CODER_MIX ? WCODEC_PROFILE_BEST : WCODEC_PROFILE_FAST;
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

/* Golden containers, for the harnesses of containers. */
static void seeds_of_golden(const char *const *names, size_t count)
{
    static unsigned char data[16384];
    size_t i;
    for (i = 0; i < count; i++) {
        const size_t size = load_golden(names[i], data);
        save("reader", names[i], data, size);
        save("push", names[i], data, size);
    }
}

/* The first tile of each of the golden containers, behind the S record of its group if it has one. */
static void seeds_of_golden_tiles(const char *const *names, size_t count)
{
    static unsigned char data[16384];
    static fuzz_container c;
    size_t i, k;
    for (i = 0; i < count; i++) {
        const fuzz_record *s = NULL, *t = NULL;
        c.data = data;
        c.size = c.room = load_golden(names[i], data);
        FUZZ_REQUIRE(fuzz_parse(&c));
        for (k = 0; k < c.records && t == NULL; k++) {
            if (c.record[k].type == 'S') s = &c.record[k];
            if (c.record[k].type == 'T') t = &c.record[k];
        }
        FUZZ_REQUIRE(t != NULL);
        if (s == NULL) s = t;
        save("tile", names[i], data + s->at, t->at + t->size - s->at);
    }
}

#define COUNT(names) (sizeof (names) / sizeof *(names))

/* The encoder takes scales only of more than a seed can hold, so that these come from the golden containers. */
static void seeds_of_scales(void)
{
    static const char *const containers[] = {
        "scales-bf16", "scales-f16", "scales-coder-huffman", "scales-unit-left", "scales-s-left", "scales-wrap",
        "classes-k0-exceptions", "classes-first-nibbles-scaled", "classes-first-f8_e4m3-after-classes",
        "groups-per-1", "groups-second-has-none", "groups-none-has-one", "groups-row-cut-to-1", "groups-row-16",
        "groups-originals", "groups-columns-8-of-max-tile-8", "groups-split-of-other-units",
        "copies-many", "copies-originals", "copies-scaled-behind", "copies-in-group", "copies-group-of-copies",
        "lz-text", "lz-blocks", "lz-index", "lz-scales" };
    static const char *const tiles[] = {
        "scales-bf16", "scales-f16", "scales-f32", "scales-f64", "scales-e4m3", "scales-e5m2", "scales-nibbles",
        "scales-byte", "scales-word16", "scales-coder-raw", "scales-coder-sparse", "scales-coder-rans256",
        "scales-narrow-all", "scales-wrap-255", "scales-n1-last-column", "scales-columns-300",
        "scales-rows-constant-l", "scales-rows-huffman-n", "scales-rows-rans16-n", "scales-rows-257",
        "scales-row-and-filler", "scales-unit-up", "classes-k0-n200", "classes-k1-exceptions",
        "classes-k2-exceptions", "classes-k2-exceptions-apart", "classes-without-scale-up", "classes-skewed",
        "classes-holes", "classes-first-nibbles-k0", "classes-first-f8_e4m3-k2", "classes-first-nibbles-scaled",
        "classes-first-f8_e4m3-after-classes", "lz-text", "lz-blocks", "lz-last-distances", "lz-one-distance-coded",
        "lz-lengths", "lz-width-3", "lz-width-5", "lz-f32", "lz-up" };
    seeds_of_golden(containers, COUNT(containers));
    seeds_of_golden_tiles(tiles, COUNT(tiles));
}

/* The encoder does not choose every parameter of the coder mix. */
static void seeds_of_mix(void)
{
    static const char *const containers[] = {
        "mix-exponents-bf16", "mix-mantissas-bf16-3-1", "mix-integers-top-2", "mix-text-n700", "mix-scaled",
        "mix-scales", "mix-index" };
    static const char *const tiles[] = {
        "mix-exponents-byte", "mix-exponents-f16", "mix-exponents-f8_e4m3", "mix-exponents-e4m3-centre-0",
        "mix-exponents-noise", "mix-exponents-row-151", "mix-exponents-of-7-bits", "mix-mantissas-bf16-7-1",
        "mix-mantissas-bf16-0-1", "mix-mantissas-f16-2-0", "mix-mantissas-f8_e4m3-1-1", "mix-mantissas-twice",
        "mix-mantissas-row-1", "mix-integers-top-0", "mix-integers-top-7", "mix-integers-f8_e4m3-zero-15",
        "mix-integers-of-3-bits", "mix-integers-row-2", "mix-integers-noise", "mix-integers-matches",
        "mix-integers-zeros", "mix-text-n1", "mix-text-n33", "mix-text-n700", "mix-text-repeated",
        "mix-text-of-planes", "mix-scaled" };
    seeds_of_golden(containers, COUNT(containers));
    seeds_of_golden_tiles(tiles, COUNT(tiles));
}

/* Tiles of blocks, as the encoder does not make them. */
static void seeds_of_blocks(void)
{
    static const char *const containers[] = {
        "blocks-q4_0", "blocks-cut", "blocks-16-fields", "blocks-dtypes", "blocks-nothing" };
    static const char *const tiles[] = {
        "blocks-q4_0", "blocks-q4_0-raw", "blocks-16-fields", "blocks-every-split", "blocks-every-split-left",
        "blocks-up", "blocks-row-of-no-use", "blocks-longest-fields", "blocks-field-of-half-units", "blocks-classes",
        "blocks-filler", "blocks-fill-6", "blocks-constant", "blocks-of-one-byte" };
    seeds_of_golden(containers, COUNT(containers));
    seeds_of_golden_tiles(tiles, COUNT(tiles));
}

/* Tiles of splits with a table: the encoder makes few of so small ones. */
static void seeds_of_tables(void)
{
    static const char *const tiles[] = {
        "palette-5-of-2", "palette-16-of-4", "palette-256-of-8", "palette-left", "palette-table-256-bytes",
        "linear-bf16-runs-huffman", "linear-f16-bytes-3", "linear-f32-runs-of-1", "linear-f32-subnormal",
        "linear-f16-subnormal", "linear-f32-infinite" };
    seeds_of_golden_tiles(tiles, COUNT(tiles));
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

/* Containers against the base that the harnesses know, and tiles of them. */
static void seeds_of_bases(void)
{
    static const unsigned char dtypes[6] = { WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_F64, WCODEC_I8, WCODEC_I4 };
    static unsigned char base[FUZZ_BASE_SIZE], data[2048], record[8192];
    const size_t scratch_size = wcodec_tile_encode_scratch(512);
    unsigned char *const scratch = fuzz_exact(NULL, scratch_size);
    wcodec_source source;
    wcodec_base facts;
    unsigned i, k;
    fuzz_base_fill(0, base, sizeof base);
    source = wcodec_source_memory(base, sizeof base);
    memset(&facts, 0, sizeof facts);
    facts.name = "base";
    facts.name_size = 4;
    facts.size = sizeof base;
    for (i = 0; i < 12; i++) {
        const unsigned dtype = dtypes[i % 6], unit = wcodec_dtype_bits(dtype) / 8 + (i % 6 == 5);
        const uint64_t shape = wcodec_dtype_bits(dtype) < 8 ? sizeof data * 2 : sizeof data / unit;
        const size_t offset = i < 6 ? 1000 : 777;
        wcodec_tile_inputs inputs = { NULL, 0, 0, NULL, 0 };
        wcodec_tile_options options = { 0, 0, 0, 0, 0 };
        wcodec_segment s;
        maker m;
        char name[64];
        size_t size;
        memcpy(data, base + offset, sizeof data);
        for (k = 0; k < sizeof data; k += unit * (i < 6 ? 20 : 1)) data[k] = (unsigned char)(data[k] + noise() % 5);
        snprintf(name, sizeof name, "base-%s-%u", wcodec_dtype_name(dtype), i / 6);
        inputs.base = base + offset;
        inputs.base_offset = offset;
        size = wcodec_tile_encode(dtype, 0, data, 512, &inputs, &options, record, sizeof record, scratch,
                                  scratch_size);
        FUZZ_REQUIRE(size > 0);
        save("tile", name, record, size);
        maker_init(&m);
        m.options.base = &source;
        m.options.base_facts = &facts;
        m.options.tile_units = 256;
        maker_begin(&m);
        maker_original(&m, "x", 0);
        memset(&s, 0, sizeof s);
        s.dtype = dtype;
        s.rank = 1;
        s.shape = &shape;
        s.size = sizeof data;
        s.has_base = 1;
        s.base_offset = offset;
        FUZZ_REQUIRE(wcodec_writer_segment(m.writer, &s, NULL) == WCODEC_OK);
        FUZZ_REQUIRE(wcodec_writer_data(m.writer, data, sizeof data, NULL) == WCODEC_OK);
        maker_save(&m, name);
    }
    for (i = 0; i < 6; i++) {
        const unsigned char tail[8] = { dtypes[i], 63, 64, 0, 0, (unsigned char)(i * 17), 0, (unsigned char)(1 + i) };
        char name[64];
        memcpy(data + 1024, tail, 8);
        snprintf(name, sizeof name, "base-%s", wcodec_dtype_name(dtypes[i]));
        save("roundtrip", name, data, 1032);
    }
    free(scratch);
}

static void put_number(unsigned char *p, size_t value, unsigned bytes)
{
    unsigned i;
    for (i = 0; i < bytes; i++) p[i] = (unsigned char)(value >> 8 * i);
}

/* An array of NumPy; returns its size. */
static size_t make_array(unsigned char *p, unsigned version, const char *dictionary, size_t size)
{
    const size_t n = strlen(dictionary), before = version == 1 ? 10 : 12;
    size_t i;
    memcpy(p, "\x93NUMPY", 6);
    p[6] = (unsigned char)version;
    p[7] = 0;
    put_number(p + 8, n, (unsigned)before - 8);
    memcpy(p + before, dictionary, n);
    for (i = 0; i < size; i++) p[before + n + i] = (unsigned char)(i * 7);
    return before + n + size;
}

static void seed_array(const char *name, unsigned version, const char *dictionary, size_t size)
{
    unsigned char file[1024];
    save("plan", name, file, make_array(file, version, dictionary, size));
}

/* A zip archive of what PyTorch and NumPy write: an opaque entry, an array, a deflated one; with the fields of zip64
 * if `big`. */
static void seed_zip(const char *name, int big)
{
    static const char *const names[3] = { "archive/data/0", "a.npy", "deflated" };
    unsigned char file[2048], directory[512], data[256];
    size_t used = 0, listed = 0, i;
    memset(directory, 0, sizeof directory);
    memset(file, 0, sizeof file);
    for (i = 0; i < 3; i++) {
        unsigned char *p = file + used, *d = directory + listed;
        const size_t n = strlen(names[i]);
        const size_t size =
            make_array(data, 1, "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 5), }\n", 60);
        memcpy(p, "PK\3\4", 4);
        put_number(p + 8, i == 2 ? 8 : 0, 2);
        put_number(p + 18, size, 4);
        put_number(p + 22, size, 4);
        put_number(p + 26, n, 2);
        memcpy(p + 30, names[i], n);
        memcpy(p + 30 + n, data, size);
        memcpy(d, "PK\1\2", 4);
        put_number(d + 10, i == 2 ? 8 : 0, 2);
        put_number(d + 20, big ? 0xFFFFFFFFu : size, 4);
        put_number(d + 24, big ? 0xFFFFFFFFu : size, 4);
        put_number(d + 28, n, 2);
        put_number(d + 30, big ? 28 : 0, 2);
        put_number(d + 42, big ? 0xFFFFFFFFu : used, 4);
        memcpy(d + 46, names[i], n);
        d += 46 + n;
        if (big) {
            put_number(d, 1, 2);
            put_number(d + 2, 24, 2);
            put_number(d + 4, size, 8);
            put_number(d + 12, size, 8);
            put_number(d + 20, used, 8);
        }
        used += 30 + n + size;
        listed += 46 + n + (big ? 28 : 0);
    }
    memcpy(file + used, directory, listed);
    i = used + listed;
    if (big) {
        memcpy(file + i, "PK\6\6", 4);
        put_number(file + i + 4, 44, 8);
        put_number(file + i + 24, 3, 8);
        put_number(file + i + 32, 3, 8);
        put_number(file + i + 40, listed, 8);
        put_number(file + i + 48, used, 8);
        memcpy(file + i + 56, "PK\6\7", 4);
        put_number(file + i + 64, i, 8);
        put_number(file + i + 72, 1, 4);
        i += 76;
    }
    memcpy(file + i, "PK\5\6", 4);
    put_number(file + i + 8, 3, 2);
    put_number(file + i + 10, 3, 2);
    put_number(file + i + 12, listed, 4);
    put_number(file + i + 16, used, 4);
    save("plan", name, file, i + 22);
}

static void seeds_of_plans(void)
{
    seed_array("npy", 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), }\n", 60);
    seed_array("npy-2", 2, "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 2, 2L), }\n", 20);
    seed_array("npy-3", 3, "{'shape':(),'descr':'|b1','fortran_order':False}", 1);
    seed_array("npy-object", 1, "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }\n", 30);
    seed_array("npy-structured", 1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }\n", 12);
    seed_zip("zip", 0);
    seed_zip("zip64", 1);
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

/* A GGUF file: `pairs` key-values that are made already, then two tensors and their data. */
static void seed_gguf(const char *name, unsigned version, const void *pairs, size_t size, unsigned count,
                      unsigned type, unsigned columns, size_t bytes, unsigned alignment)
{
    static unsigned char file[4096];
    const size_t second = (bytes + alignment - 1) / alignment * alignment;
    size_t n = 24, i;
    memset(file, 0, sizeof file);
    memcpy(file, "GGUF", 4);
    fuzz_store(file + 4, version, 4);
    fuzz_store(file + 8, 2, 8);
    fuzz_store(file + 16, count, 8);
    if (size != 0) memcpy(file + n, pairs, size);
    n += size;
    for (i = 0; i < 2; i++) {           /* name, rank, dimensions, type, offset */
        fuzz_store(file + n, 1, 8);
        file[n + 8] = (unsigned char)('a' + i);
        fuzz_store(file + n + 9, i == 0 ? 2 : 1, 4);
        fuzz_store(file + n + 13, i == 0 ? columns : 3, 8);
        if (i == 0) fuzz_store(file + n + 21, 1, 8);
        n += i == 0 ? 29 : 21;
        fuzz_store(file + n, i == 0 ? type : 0, 4);
        fuzz_store(file + n + 4, i == 0 ? 0 : second, 8);
        n += 12;
    }
    n = (n + alignment - 1) / alignment * alignment;
    for (i = 0; i < second + 12; i++) file[n + i] = (unsigned char)(noise() & 0x77);
    save("plan", name, file, n + second + 12);
}

static void seeds_of_gguf(void)
{
    static const char align[] = "\21\0\0\0\0\0\0\0general.alignment\4\0\0\0\10\0\0\0";
    static const char array[] = "\1\0\0\0\0\0\0\0k\11\0\0\0\10\0\0\0\2\0\0\0\0\0\0\0"
                                "\3\0\0\0\0\0\0\0abc\0\0\0\0\0\0\0\0"
                                "\1\0\0\0\0\0\0\0l\7\0\0\0\1";
    seed_gguf("gguf-q4_0", 3, "", 0, 0, 2, 64, 36, 32);
    seed_gguf("gguf-q4_k", 2, align, sizeof align - 1, 1, 12, 256, 144, 8);
    seed_gguf("gguf-arrays", 3, array, sizeof array - 1, 2, 8, 32, 34, 32);
    seed_gguf("gguf-f16", 3, "", 0, 0, 1, 6, 12, 32);
    seed_gguf("gguf-unknown-type", 3, "", 0, 0, 77, 6, 96, 32);
    seed_gguf("gguf-part-of-a-block", 3, "", 0, 0, 2, 33, 36, 32);
    seed_gguf("gguf-version-1", 1, "", 0, 0, 2, 64, 36, 32);
    save("plan", "gguf-empty", "GGUF\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
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
    for (i = 0; i < 4; i++) {
        static const unsigned char repeated[4] = { WCODEC_BYTES, WCODEC_I8, WCODEC_F32, WCODEC_I64 };
        const unsigned char tail[8] = { repeated[i], 255, 0, 64, (unsigned char)i, 200, 0, 1 };
        char name[64];
        fill_for_coder(data, 1024, WCODEC_CODER_LZ);
        memcpy(data + 1024, tail, 8);
        snprintf(name, sizeof name, "lz-%s", wcodec_dtype_name(repeated[i]));
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
    for (i = 0; i < 8; i++) {           /* profile BEST */
        const unsigned char tail[8] = { dtypes[i], (unsigned char)(i % 3 ? 255 : 128), (unsigned char)(i % 2 ? 15 : 1),
                                        32, (unsigned char)(i % 4), (unsigned char)(i * 20),
                                        (unsigned char)(i * 9), 0 };
        char name[64];
        fill_weights(data, 1024, dtypes[i]);
        memcpy(data + 1024, tail, 8);
        snprintf(name, sizeof name, "best-%s", wcodec_dtype_name(dtypes[i]));
        save("roundtrip", name, data, sizeof data);
    }
}

static void seeds_of_block_round_trips(void)
{
    static const unsigned char types[6] = { 2, 12, 15, 16, 39, 8 };     /* Q4_0, Q4_K, Q8_K, IQ2_XXS, MXFP4, Q8_0 */
    static unsigned char data[1032];
    unsigned i, k;
    for (i = 0; i < 6; i++) {
        unsigned char tail[8] = { 0, 127, 0, 0, 12, 255, 4, 0 };
        char name[64];
        while (tail[0] < 200 || tail[0] % 43 != types[i]) tail[0]++;
        for (k = 0; k < 1024; k++) data[k] = (unsigned char)(noise() & (k % 18 < 2 ? 0x13 : 0x77));
        memcpy(data + 1024, tail, 8);
        snprintf(name, sizeof name, "blocks-%s", wcodec_dtype_name(64u + types[i]));
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
    seeds_of_bases();
    seeds_of_mix();
    seeds_of_blocks();
    seeds_of_tables();
    seeds_of_plans();
    seeds_of_gguf();
    seeds_of_round_trips();
    seeds_of_block_round_trips();
    seeds_of_large_tiles();
    return 0;
}
