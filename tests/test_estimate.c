/* Layer 4, estimates: what is predicted of a segment is what the writer makes of it, exactly where the sample is
 * all of it and nearly elsewhere; the decision follows; wrong arguments and hostile sources do no harm. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

/* Records of segment i in a container, with those of its scales. */
static uint64_t records_of(const wcodec_reader *reader, size_t i)
{
    wcodec_segment s;
    wcodec_tile_span span;
    uint64_t at, sum = 0, last = 0;
    memset(&s, 0, sizeof s);
    if (!CHECK_STATUS(wcodec_reader_segment(reader, i, &s), WCODEC_OK)) return 0;
    for (at = s.offset; at < s.offset + s.size; at += span.size) {
        if (!CHECK_STATUS(wcodec_reader_tile(reader, at, &span), WCODEC_OK)) return 0;
        sum += span.container_size;
        if (span.scales_size && span.scales_offset != last) sum += span.scales_size;
        last = span.scales_offset;
    }
    return sum;
}

/* Compares the estimates of a plan's segments with the container that it makes. */
static void check_plan(const wcodec_source *file, const wcodec_plan *plan, unsigned profile, uint32_t tile_units,
                       unsigned percent)
{
    wcodec_writer_options options = wcodec_writer_defaults();
    wcodec_estimate_options with = wcodec_estimate_defaults();
    test_sink out = { NULL, 0, 0, 0, 0, 0 };
    const wcodec_sink sink = test_sink_of(&out);
    wcodec_writer *writer = NULL;
    wcodec_reader *reader = NULL;
    wcodec_source container;
    size_t i;
    options.tile.profile = with.tile.profile = profile;
    options.tile_units = with.tile_units = tile_units;
    REQUIRE_OK(wcodec_writer_open(&writer, &sink, &options, NULL));
    CHECK_STATUS(wcodec_writer_file(writer, "f", 1, file, plan, NULL, NULL), WCODEC_OK);
    CHECK_STATUS(wcodec_writer_finish(writer, NULL), WCODEC_OK);
    wcodec_writer_close(writer);
    container = wcodec_source_memory(out.data, out.size);
    REQUIRE_OK(wcodec_reader_open(&reader, &container, NULL, NULL));
    for (i = 0; i < plan->count; i++) {
        const uint64_t real = records_of(reader, i);
        wcodec_estimate e;
        if (!CHECK_STATUS(wcodec_estimate_segment(&plan->segments[i], file, &with, &e, NULL), WCODEC_OK)) break;
        CHECK_EQ(e.size, plan->segments[i].size);
        CHECK(e.coded > e.records && e.coded - e.records < 100 + plan->segments[i].name_size + e.size / 500
              + (tile_units && tile_units < 65536 ? e.size : 0));
        if (e.exact) CHECK_EQ(e.records, real);
        else CHECK((e.records > real ? e.records - real : real - e.records) * 100 <= real * percent);
    }
    wcodec_reader_close(reader);
    test_sink_free(&out);
}

static wcodec_segment segment_of(unsigned dtype, const uint64_t *shape, unsigned rank, uint64_t size)
{
    wcodec_segment s;
    memset(&s, 0, sizeof s);
    s.name = "t";
    s.name_size = 1;
    s.dtype = dtype;
    s.rank = rank;
    s.shape = shape;
    s.size = size;
    return s;
}

static void check_tensor(unsigned dtype, uint64_t rows, uint64_t row, make_kind kind, unsigned profile,
                         uint32_t tile_units)
{
    const unsigned unit = make_unit(dtype);
    const unsigned bits = wcodec_dtype_bits(dtype);
    const size_t size = (size_t)(rows * row) * unit;
    unsigned char *data = (unsigned char *)test_malloc(size);
    const wcodec_source file = wcodec_source_memory(data, size);
    test_random r = test_random_new(dtype + 1);
    uint64_t shape[2];
    wcodec_segment s;
    wcodec_plan plan;
    shape[0] = rows;
    shape[1] = bits ? row * unit * 8 / bits : row;
    if (dtype == WCODEC_F6_E2M3 || dtype == WCODEC_F6_E3M2) shape[1] = 4 * row, shape[0] = rows / 3;
    s = segment_of(dtype, shape, dtype == WCODEC_BYTES ? 0 : 2, size);
    if (dtype == WCODEC_F6_E2M3 || dtype == WCODEC_F6_E3M2) s.size = shape[0] * shape[1] * 6 / 8;
    make_fill(&r, kind, dtype, (size_t)row, data, size);
    plan.segments = &s;
    plan.count = 1;
    plan.size = s.size;
    plan.format = "raw";
    test_note("%s, %u rows of %u, %s, profile %u, tiles of %u", wcodec_dtype_name(dtype), (unsigned)rows,
              (unsigned)row, make_kind_name(kind), profile, (unsigned)tile_units);
    check_plan(&file, &plan, profile, tile_units, 2);
    free(data);
}

static void every_dtype(void)
{
    static const make_kind kinds[] = { MAKE_WEIGHTS, MAKE_RANDOM, MAKE_RAMP, MAKE_SPARSE };
    unsigned dtype, k, profile;
    for (dtype = 0; dtype <= WCODEC_U4; dtype++)
        for (k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
            for (profile = 0; profile <= WCODEC_PROFILE_DENSE; profile++) {
                check_tensor(dtype, 60, 300, kinds[k], profile, 0);         /* one sample is all of it */
                if (k == 0) check_tensor(dtype, 700, 900, kinds[k], profile, 0);
            }
}

static void every_cut(void)
{
    check_tensor(WCODEC_BF16, 3, 200000, MAKE_WEIGHTS, 0, 0);       /* rows longer than tiles */
    check_tensor(WCODEC_F32, 1, 700001, MAKE_WEIGHTS, 0, 0);
    check_tensor(WCODEC_BF16, 400, 600, MAKE_WEIGHTS, 0, 1000);     /* many tiles, and several groups */
    check_tensor(WCODEC_BF16, 400, 600, MAKE_WEIGHTS, 0, 100);
    check_tensor(WCODEC_BF16, 1500, 999, MAKE_WEIGHTS, 0, 5000);
    check_tensor(WCODEC_BF16, 400, 3000, MAKE_WEIGHTS, 1, 1048576);
    check_tensor(WCODEC_BF16, 2, 600000, MAKE_WEIGHTS, 1, 2097152);
    check_tensor(WCODEC_F32, 100, 64, MAKE_WEIGHTS, 0, 1);
}

/* Weights with scales of their rows and columns. */
static void scaled_weights(unsigned char *data, size_t rows, size_t columns)
{
    test_random r = test_random_new(7);
    size_t i, j;
    for (i = 0; i < rows; i++)
        for (j = 0; j < columns; j++) {
            unsigned e = 118 + (unsigned)(i * 7 % 5) + (unsigned)(j * 11 % 13), x = (unsigned)test_next(&r);
            while (e > 90 && (x & 0x30000) == 0) e--, x = (unsigned)test_next(&r);
            x = (x & 0x807F) | e << 7;
            data[2 * (i * columns + j)] = (unsigned char)x;
            data[2 * (i * columns + j) + 1] = (unsigned char)(x >> 8);
        }
}

/* Groups with scales: in one group, in several, and as a kernel of a convolution whose rows no tile ends with. */
static void scales(void)
{
    static const uint64_t shapes[][4] = {
        { 200, 512, 1, 1 }, { 6000, 512, 1, 1 }, { 5000, 1000, 1, 1 }, { 1000, 512, 3, 3 }, { 100, 64, 3, 3 }
    };
    size_t i;
    for (i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const uint64_t *shape = shapes[i];
        const size_t columns = (size_t)(shape[1] * shape[2] * shape[3]), rows = (size_t)shape[0];
        const size_t size = 2 * rows * columns;
        unsigned char *data = (unsigned char *)test_malloc(size);
        const wcodec_source file = wcodec_source_memory(data, size);
        wcodec_segment s = segment_of(WCODEC_BF16, shape, shape[2] == 1 ? 2 : 4, size);
        wcodec_plan plan;
        plan.segments = &s;
        plan.count = 1;
        plan.size = size;
        plan.format = "raw";
        scaled_weights(data, rows, columns);
        test_note("scales %u", (unsigned)i);
        check_plan(&file, &plan, 0, 0, 1);
        check_plan(&file, &plan, 1, 0, 2);
        check_plan(&file, &plan, 0, 4096, 2);
        free(data);
    }
}

static void real_files(void)
{
    static const char *const names[] = {
        "whisper-base-encoder.bf16", "waifu2x-cunet-scale2.0x.f16", "tiny-rwkv-7v0-834K.f32", "kwt1.f32",
        "mlperf-ad01_int8.i8", "coral-mobilenet_v2_1.0_224_quant.u8", "lora-distilbert-imdb.bf16"
    };
    size_t i, done = 0;
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[256];
        FILE *f;
        long size;
        (void)snprintf(path, sizeof path, "../shared/data/%s.safetensors", names[i]);
        f = fopen(path, "rb");
        if (!f) continue;
        if (fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) > 0) {
            unsigned char *data = (unsigned char *)test_malloc((size_t)size);
            const wcodec_source file = wcodec_source_memory(data, (size_t)size);
            wcodec_plan *plan = NULL;
            rewind(f);
            test_note("%s", names[i]);
            if (CHECK_EQ(fread(data, 1, (size_t)size, f), size)
                && CHECK_STATUS(wcodec_plan_open(&plan, &file, NULL, NULL), WCODEC_OK)) {
                check_plan(&file, plan, 0, 0, 2);
                check_plan(&file, plan, 1, 0, 2);
                wcodec_plan_close(plan);
            }
            free(data);
            done++;
        }
        fclose(f);
    }
    if (!done) test_skip("no models in ../shared/data");
}

/* ---- the decision ---- */

#define ROWS 300
#define COLUMNS 1000
static unsigned char weights[2 * ROWS * COLUMNS];
static const uint64_t weights_shape[2] = { ROWS, COLUMNS };

static wcodec_segment weights_segment(void)
{
    test_random r = test_random_new(3);
    make_fill(&r, MAKE_WEIGHTS, WCODEC_BF16, COLUMNS, weights, sizeof weights);
    return segment_of(WCODEC_BF16, weights_shape, 2, sizeof weights);
}

static void disk_speed(void)
{
    const wcodec_segment s = weights_segment();
    const wcodec_source file = wcodec_source_memory(weights, sizeof weights);
    wcodec_estimate_options o = wcodec_estimate_defaults();
    wcodec_estimate e, last;
    unsigned changes = 0;
    REQUIRE_OK(wcodec_estimate_segment(&s, &file, NULL, &last, NULL));
    CHECK(last.compress == 1 && last.raw_load_ns == 0 && last.decode_ns > 0 && !last.exact);
    CHECK_EQ(last.coded_load_ns, last.decode_ns);
    for (o.disk_bytes_per_s = 1; o.disk_bytes_per_s < (uint64_t)1 << 62;
         o.disk_bytes_per_s += o.disk_bytes_per_s / 3 + 1) {
        REQUIRE_OK(wcodec_estimate_segment(&s, &file, &o, &e, NULL));
        CHECK(e.coded == last.coded && e.decode_ns == last.decode_ns);
        CHECK(e.compress <= last.compress && e.coded_load_ns >= e.decode_ns);
        if (last.raw_load_ns) CHECK(e.raw_load_ns <= last.raw_load_ns && e.coded_load_ns <= last.coded_load_ns);
        if (e.coded_load_ns < e.raw_load_ns) CHECK_EQ(e.compress, 1);
        if (e.coded_load_ns > e.raw_load_ns) CHECK_EQ(e.compress, 0);
        changes += e.compress != last.compress;
        last = e;
    }
    CHECK_EQ(changes, 1);
    o.disk_bytes_per_s = UINT64_MAX;
    o.cpu_hz = 1;
    REQUIRE_OK(wcodec_estimate_segment(&s, &file, &o, &e, NULL));
    CHECK(e.compress == 0 && e.decode_ns > (uint64_t)1000000000 * ROWS);
}

static void faster_and_slower(void)
{
    const wcodec_segment s = weights_segment();
    const wcodec_source file = wcodec_source_memory(weights, sizeof weights);
    wcodec_estimate_options o = wcodec_estimate_defaults();
    wcodec_estimate base, e;
    o.cpu_off = WCODEC_CPU_ALL;
    REQUIRE_OK(wcodec_estimate_segment(&s, &file, &o, &base, NULL));
    o.threads = 4;
    REQUIRE_OK(wcodec_estimate_segment(&s, &file, &o, &e, NULL));
    CHECK_EQ(e.decode_ns, base.decode_ns / 4);
    o.threads = 1;
    o.cpu_hz = (uint64_t)6000000000u;
    REQUIRE_OK(wcodec_estimate_segment(&s, &file, &o, &e, NULL));
    CHECK(e.decode_ns <= base.decode_ns / 2 && e.decode_ns >= base.decode_ns / 2 - 1);
    o.cpu_hz = 0;
    o.no_crc = 1;
    REQUIRE_OK(wcodec_estimate_segment(&s, &file, &o, &e, NULL));
    CHECK(e.decode_ns < base.decode_ns && e.records == base.records);
    o = wcodec_estimate_defaults();
    REQUIRE_OK(wcodec_estimate_segment(&s, &file, &o, &e, NULL));
    CHECK(e.decode_ns <= base.decode_ns && e.records == base.records);
    o.tile.cpu_off = WCODEC_CPU_ALL;
    REQUIRE_OK(wcodec_estimate_segment(&s, &file, &o, &e, NULL));
    CHECK_EQ(e.records, base.records);
}

/* Mixing is slower than anything by far, and so is what is said of it. */
static void mixing_is_slow(void)
{
    static unsigned char data[2 * 100 * 300];
    static const uint64_t shape[2] = { 100, 300 };
    const wcodec_segment s = segment_of(WCODEC_BF16, shape, 2, sizeof data);
    const wcodec_source file = wcodec_source_memory(data, sizeof data);
    wcodec_estimate_options o = wcodec_estimate_defaults();
    wcodec_estimate fast, best;
    scaled_weights(data, 100, 300);
    REQUIRE_OK(wcodec_estimate_segment(&s, &file, &o, &fast, NULL));
    o.tile.profile = WCODEC_PROFILE_BEST;
    REQUIRE_OK(wcodec_estimate_segment(&s, &file, &o, &best, NULL));
    CHECK(best.decode_ns > 10 * fast.decode_ns);
}

static void noise_and_nothing(void)
{
    wcodec_segment s = weights_segment();
    const wcodec_source file = wcodec_source_memory(weights, sizeof weights);
    test_random r = test_random_new(9);
    wcodec_estimate e;
    test_fill(&r, weights, sizeof weights);
    REQUIRE_OK(wcodec_estimate_segment(&s, &file, NULL, &e, NULL));
    CHECK(e.compress == 0 && e.coded > e.size && e.coded < e.size + e.size / 100);
    s = segment_of(WCODEC_BYTES, NULL, 0, 0);
    s.offset = sizeof weights;
    REQUIRE_OK(wcodec_estimate_segment(&s, &file, NULL, &e, NULL));
    CHECK(e.exact && e.records == 0 && e.compress == 0 && e.decode_ns == 0 && e.size == 0);
}

/* The arithmetic alone. */
static void large_numbers(void)
{
    CHECK_EQ(wcodeci_mul_div(0, 5, 1), 0);
    CHECK_EQ(wcodeci_mul_div(7, 9, 10), 6);
    CHECK(wcodeci_mul_div(UINT64_MAX, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
    CHECK(wcodeci_mul_div(UINT64_MAX, 2, 1) == UINT64_MAX);
    CHECK(wcodeci_mul_div(UINT64_MAX, UINT64_MAX - 1, UINT64_MAX) == UINT64_MAX - 1);
    CHECK(wcodeci_mul_div((uint64_t)1 << 63, 1000000000, (uint64_t)1 << 62) == 2000000000u);
    CHECK(wcodeci_mul_div(123456789012345678u, 1000000007, 1000000009) == 123456788765432102u);
}

/* ---- what goes wrong ---- */

static void wrong_arguments(void)
{
    wcodec_segment s = weights_segment();
    wcodec_source file = wcodec_source_memory(weights, sizeof weights), none;
    wcodec_estimate_options o = wcodec_estimate_defaults();
    wcodec_estimate e;
    wcodec_error err;
    memset(&none, 0, sizeof none);
    memset(&e, 0x55, sizeof e);
    CHECK_STATUS(wcodec_estimate_segment(NULL, &file, NULL, &e, &err), WCODEC_E_ARGUMENT);
    CHECK(err.status == WCODEC_E_ARGUMENT && err.what != NULL);
    CHECK_STATUS(wcodec_estimate_segment(&s, NULL, NULL, &e, NULL), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_estimate_segment(&s, &none, NULL, &e, NULL), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_estimate_segment(&s, &file, NULL, NULL, NULL), WCODEC_E_ARGUMENT);
    o.struct_size = 3;
    CHECK_STATUS(wcodec_estimate_segment(&s, &file, &o, &e, NULL), WCODEC_E_ARGUMENT);
    o = wcodec_estimate_defaults();
    o.tile.profile = 77;
    CHECK_STATUS(wcodec_estimate_segment(&s, &file, &o, &e, NULL), WCODEC_E_ARGUMENT);
    o = wcodec_estimate_defaults();
    o.tile_units = 2097153;
    CHECK_STATUS(wcodec_estimate_segment(&s, &file, &o, &e, NULL), WCODEC_E_ARGUMENT);
    o.tile_units = 0;
    o.max_memory = 1000;
    CHECK_STATUS(wcodec_estimate_segment(&s, &file, &o, &e, NULL), WCODEC_E_LIMIT);
    s.size--;
    CHECK_STATUS(wcodec_estimate_segment(&s, &file, NULL, &e, NULL), WCODEC_E_ARGUMENT);
    s.size++;
    s.dtype = 25;
    CHECK_STATUS(wcodec_estimate_segment(&s, &file, NULL, &e, NULL), WCODEC_E_ARGUMENT);
    s.dtype = WCODEC_BF16;
    s.shape = NULL;
    CHECK_STATUS(wcodec_estimate_segment(&s, &file, NULL, &e, NULL), WCODEC_E_ARGUMENT);
    s.shape = weights_shape;
    s.offset = 1;
    CHECK_STATUS(wcodec_estimate_segment(&s, &file, NULL, &e, NULL), WCODEC_E_TRUNCATED);
    s.offset = UINT64_MAX;
    CHECK_STATUS(wcodec_estimate_segment(&s, &file, NULL, &e, NULL), WCODEC_E_TRUNCATED);
    CHECK(e.size == 0x5555555555555555u && e.compress == 0x55555555);
}

/* Sizes that no file has, from a source that claims to. */
static void enormous_tensor(void)
{
    static const uint64_t shape[2] = { (uint64_t)1 << 39, (uint64_t)1 << 20 };
    wcodec_segment s = segment_of(WCODEC_BF16, shape, 2, (uint64_t)1 << 60);
    test_source in;
    wcodec_source file;
    wcodec_estimate e;
    memset(&in, 0, sizeof in);
    in.data = weights;
    in.size = sizeof weights;
    file = test_source_of(&in);
    file.size = UINT64_MAX;
    CHECK_STATUS(wcodec_estimate_segment(&s, &file, NULL, &e, NULL), WCODEC_E_TRUNCATED);
}

typedef struct zeros { uint64_t calls, bytes; } zeros;

static wcodec_status read_zeros(void *user, uint64_t offset, void *dst, size_t size, size_t *got)
{
    zeros *z = (zeros *)user;
    z->calls++;
    *got = offset % 3 && size > 100000 ? 100000 : size;     /* short reads are no end */
    z->bytes += *got;
    memset(dst, (int)(offset >> 20 & 15), *got);
    return WCODEC_OK;
}

static void bounded_work(void)
{
    static const uint64_t shape[2] = { (uint64_t)1 << 38, (uint64_t)1 << 20 };
    wcodec_segment s = segment_of(WCODEC_F32, shape, 2, (uint64_t)1 << 60);
    zeros z = { 0, 0 };
    wcodec_source file;
    wcodec_estimate_options o = wcodec_estimate_defaults();
    wcodec_estimate e;
    unsigned profile;
    file.memory = NULL;
    file.read_at = read_zeros;
    file.user = &z;
    file.size = UINT64_MAX;
    for (profile = 0; profile < 2; profile++) {
        o.tile.profile = profile;
        z.calls = z.bytes = 0;
        REQUIRE_OK(wcodec_estimate_segment(&s, &file, &o, &e, NULL));
        CHECK(e.size == s.size && e.coded < s.size / 100 && !e.exact && e.compress);
        CHECK(z.calls < 5000 && z.bytes < (uint64_t)4 * 4 << 20);
    }
}

static void failing_source(void)
{
    const wcodec_segment s = weights_segment();
    wcodec_status st = WCODEC_E_IO;
    size_t i, failed = 0;
    test_source in;
    for (i = 1; i < 2000 && st != WCODEC_OK; i++) {
        test_heap heap = { 0, 0, 0, 0, 0, 0, 0 };
        const wcodec_allocator allocator = test_heap_allocator(&heap);
        wcodec_estimate_options o = wcodec_estimate_defaults();
        wcodec_estimate e;
        wcodec_error err;
        wcodec_source file;
        memset(&in, 0, sizeof in);
        in.data = weights;
        in.size = sizeof weights;
        in.fail_at = i;
        file = test_source_of(&in);
        o.allocator = &allocator;
        test_note("read %u fails", (unsigned)i);
        st = wcodec_estimate_segment(&s, &file, &o, &e, &err);
        if (st != WCODEC_OK) {
            CHECK_STATUS(st, WCODEC_E_IO);
            CHECK_STATUS(err.status, WCODEC_E_IO);
            failed++;
        }
        CHECK_HEAP_EMPTY(&heap);
    }
    CHECK_STATUS(st, WCODEC_OK);
    CHECK(failed >= 4);
    memset(&in, 0, sizeof in);
    in.data = weights;
    in.size = sizeof weights;
    for (in.end = 1000; in.end < sizeof weights; in.end += 50000) {
        const wcodec_source file = test_source_of(&in);
        wcodec_estimate e;
        st = wcodec_estimate_segment(&s, &file, NULL, &e, NULL);
        CHECK(st == WCODEC_OK || st == WCODEC_E_TRUNCATED);
        if (in.end < sizeof weights / 2) CHECK_STATUS(st, WCODEC_E_TRUNCATED);
    }
}

static void failing_memory(void)
{
    const wcodec_segment s = weights_segment();
    const wcodec_source file = wcodec_source_memory(weights, sizeof weights);
    wcodec_status st = WCODEC_E_NO_MEMORY;
    size_t i;
    for (i = 1; i < 100 && st != WCODEC_OK; i++) {
        test_heap heap = { 0, 0, 0, 0, 0, 0, 0 };
        const wcodec_allocator allocator = test_heap_allocator(&heap);
        wcodec_estimate_options o = wcodec_estimate_defaults();
        wcodec_estimate e;
        heap.fail_at = i;
        o.allocator = &allocator;
        st = wcodec_estimate_segment(&s, &file, &o, &e, NULL);
        if (st != WCODEC_OK) CHECK_STATUS(st, WCODEC_E_NO_MEMORY);
        CHECK_HEAP_EMPTY(&heap);
    }
    CHECK(st == WCODEC_OK && i > 2);
}

int main(void)
{
    RUN(every_dtype);
    RUN(every_cut);
    RUN(scales);
    RUN(real_files);
    RUN(disk_speed);
    RUN(faster_and_slower);
    RUN(mixing_is_slow);
    RUN(noise_and_nothing);
    RUN(large_numbers);
    RUN(wrong_arguments);
    RUN(enormous_tensor);
    RUN(bounded_work);
    RUN(failing_source);
    RUN(failing_memory);
    return test_end();
}
