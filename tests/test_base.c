/* Bases: tiles and containers that say what they differ from another file. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

/* Makes of `base` a copy in which about one unit in `every` is another one (0: none) and, if `near` is not 0, all
 * others differ by less than `near` as integers. */
static void make_changed(test_random *r, const unsigned char *base, size_t size, unsigned unit, unsigned every,
                         unsigned near, unsigned char *out)
{
    size_t i;
    unsigned b;
    memcpy(out, base, size);
    for (i = 0; i + unit <= size; i += unit) {
        uint64_t x = 0;
        if (every && test_below(r, every) == 0) {
            memcpy(out + i, base + test_below(r, size / unit) * unit, unit);
            continue;
        }
        if (!near) continue;
        for (b = 0; b < unit; b++) x |= (uint64_t)base[i + b] << 8 * b;
        x += (uint64_t)test_below(r, 2 * near - 1) - (near - 1);
        for (b = 0; b < unit; b++) out[i + b] = (unsigned char)(x >> 8 * b);
    }
}

/* ---- tiles ---- */

/* Through a tile in buffers that end at a page that is not there.  Returns its unit predictor. */
static unsigned tile_round_trip(unsigned dtype, const unsigned char *data, const unsigned char *base, size_t size,
                                unsigned profile, unsigned predictors)
{
    static const unsigned off[] = { 0, WCODEC_CPU_AVX2 | WCODEC_CPU_AVX512, WCODEC_CPU_ALL };
    const int best = profile == WCODEC_PROFILE_BEST;
    const size_t bound = wcodec_tile_bound(size);
    test_guard src = test_guard_copy(data, size), of_base = test_guard_copy(base, size), dst = test_guard_new(bound);
    test_guard back = test_guard_new(size);
    test_guard scratch = test_guard_new(best ? wcodec_tile_encode_scratch_best(size) : wcodec_tile_encode_scratch(size));
    test_guard room = test_guard_new(wcodec_tile_decode_scratch(size, best ? WCODEC_FEATURE_MIX : 0u));
    unsigned char *first = (unsigned char *)test_malloc(bound);
    wcodec_tile_options o = { 0, 0, 0, 0, 0 };
    wcodec_tile_inputs in = { NULL, 0, 0, NULL, 0 };
    wcodec_tile_info info;
    size_t alone, made = 0, k;
    o.profile = profile;
    o.predictors = predictors;
    in.base = of_base.data;
    in.base_offset = UINT64_C(123456789012);
    alone = wcodec_tile_encode(dtype, 7, src.data, size, NULL, &o, dst.data, bound, scratch.data, scratch.size);
    for (k = 0; k < 3; k++) {
        size_t one;
        o.cpu_off = off[k];
        one = wcodec_tile_encode(dtype, 7, src.data, size, &in, &o, dst.data, bound, scratch.data, scratch.size);
        if (k == 0) memcpy(first, dst.data, made = one);
        if (CHECK_EQ(one, made)) CHECK_MEM(dst.data, first, made);
        CHECK_STATUS(wcodec_tile_decode(dst.data, one, &in, back.data, size, room.data, room.size, 0, off[k], NULL),
                     WCODEC_OK);
        CHECK_MEM(back.data, data, size);
    }
    CHECK(made > 0 && made <= alone);
    CHECK_STATUS(wcodec_tile_inspect(dst.data, made, &info, NULL), WCODEC_OK);
    CHECK_EQ(info.based, info.predictor == WCODEC_PREDICT_BASE_XOR || info.predictor == WCODEC_PREDICT_BASE_DIFFERENCE);
    CHECK_EQ(info.base_offset, info.based ? in.base_offset : 0);
    if (info.based) {
        CHECK_STATUS(wcodec_tile_decode(dst.data, made, NULL, back.data, size, room.data, room.size, 0, 0, NULL),
                     WCODEC_E_BASE);
        of_base.data[size / 2] ^= 1;
        CHECK_STATUS(wcodec_tile_decode(dst.data, made, &in, back.data, size, room.data, room.size, 0, 0, NULL),
                     WCODEC_E_CHECKSUM);
    } else {
        CHECK_EQ(made, alone);
    }
    test_guard_free(&src);
    test_guard_free(&of_base);
    test_guard_free(&dst);
    test_guard_free(&back);
    test_guard_free(&scratch);
    test_guard_free(&room);
    free(first);
    return info.predictor;
}

/* Every dtype, sizes that are no multiple of eight bytes among them; near, changed, the same and unrelated. */
static void tiles(void)
{
    static const unsigned only[] = { 0, 1u << WCODEC_PREDICT_BASE_XOR | 1, 1u << WCODEC_PREDICT_BASE_DIFFERENCE | 1, 1 };
    test_random r = test_random_new(1);
    unsigned char *data = (unsigned char *)test_malloc(80000), *base = (unsigned char *)test_malloc(80000);
    unsigned dtype, kind, profile, seen = 0;
    for (dtype = 0; dtype < 25; dtype++)
        for (kind = 0; kind < 16; kind++) {
            const unsigned unit = make_unit(dtype) ? make_unit(dtype) : 1, how = kind % 4, p = kind / 4;
            const size_t units = kind % 3 == 0 ? 1 + test_below(&r, 40) : kind == 7 ? 9001 : 4097 + test_below(&r, 900);
            const size_t size = units * unit;
            unsigned predictor;
            make_fill(&r, MAKE_WEIGHTS, dtype ? dtype : WCODEC_U8, 0, base, size);
            make_changed(&r, base, size, unit, how == 1 ? 50 : 0, how == 2 ? 1 + (unsigned)test_below(&r, 90) : 0, data);
            if (how == 3) make_fill(&r, MAKE_WEIGHTS, dtype ? dtype : WCODEC_U8, 0, data, size);
            for (profile = 0; profile < (size < 6000 || dtype == WCODEC_BF16 ? 3u : 2u); profile++) {
                test_note("dtype %u, change %u, predictors %u, %zu bytes, profile %u", dtype, how, p, size, profile);
                predictor = tile_round_trip(dtype, data, base, size, profile, only[p]);
                CHECK(!only[p] || (only[p] >> predictor & 1));
                if (units > 4096 && how < 2) CHECK_EQ(predictor >= WCODEC_PREDICT_BASE_XOR, p < 3);
                seen |= 1u << predictor;
            }
        }
    CHECK(seen >> WCODEC_PREDICT_BASE_XOR & 1);
    CHECK(seen >> WCODEC_PREDICT_BASE_DIFFERENCE & 1);
    CHECK(seen & 1);
    free(data);
    free(base);
}

/* ---- containers ---- */

typedef struct based {
    make_container c;
    unsigned char *base;
    size_t base_size;
    test_source in;
    wcodec_source source;
    wcodec_base facts;
} based;

static void facts_of(const unsigned char *base, size_t size, wcodec_base *facts)
{
    wcodec_sha256 sha;
    facts->name = "base.safetensors";
    facts->name_size = strlen(facts->name);
    facts->size = size;
    wcodec_sha256_init(&sha);
    wcodec_sha256_update(&sha, base, size);
    wcodec_sha256_final(&sha, facts->sha256);
}

#define ROWS 60
#define COLUMNS 70
#define SKIPPED 13      /* bytes of the base before each tensor: nothing is aligned */

/* What each tensor of such a container is: near the base, or without. */
static const struct { unsigned dtype, every, near; int has_base; } tensors[] = {
    { WCODEC_BF16, 100, 0, 1 }, { WCODEC_BF16, 0, 0, 0 }, { WCODEC_F32, 0, 30, 1 }, { WCODEC_I8, 10, 0, 1 },
    { WCODEC_F16, 0, 0, 1 }, { WCODEC_F64, 300, 3, 1 }, { WCODEC_I4, 40, 0, 1 } };
#define TENSORS (sizeof tensors / sizeof *tensors)

/* `memory`: the base lies in memory; else behind read_at.  `tile`: units. */
static wcodec_status based_write(based *b, int memory, uint32_t tile, const wcodec_parallel *parallel,
                                 size_t fail_at, size_t end)
{
    const wcodec_sink sink = test_sink_of(&b->c.out);
    test_random r = test_random_new(5);
    wcodec_status st;
    size_t i, at = 0;
    memset(&b->in, 0, sizeof b->in);
    b->base_size = 0;
    for (i = 0; i < TENSORS; i++)
        b->base_size += SKIPPED + ROWS * COLUMNS * wcodec_dtype_bits(tensors[i].dtype) / 8;
    b->base = (unsigned char *)test_malloc(b->base_size);
    for (i = 0; i < TENSORS; i++) {
        const size_t size = ROWS * COLUMNS * wcodec_dtype_bits(tensors[i].dtype) / 8;
        test_fill(&r, b->base + at, SKIPPED);
        make_fill(&r, MAKE_WEIGHTS, tensors[i].dtype, 0, b->base + at + SKIPPED, size);
        at += SKIPPED + size;
    }
    b->in.data = b->base;
    b->in.size = b->base_size;
    b->in.fail_at = fail_at;
    b->in.end = end;
    b->source = memory ? wcodec_source_memory(b->base, b->base_size) : test_source_of(&b->in);
    facts_of(b->base, b->base_size, &b->facts);
    make_init(&b->c, 3);
    b->c.options.tile_units = tile;
    b->c.options.base = &b->source;
    b->c.options.base_facts = &b->facts;
    b->c.options.parallel = parallel;
    st = wcodec_writer_open(&b->c.writer, &sink, &b->c.options, NULL);
    if (st == WCODEC_OK) st = wcodec_writer_original(b->c.writer, "tuned", 5, 0, NULL);
    for (i = 0, at = 0; i < TENSORS && st == WCODEC_OK; i++) {
        const uint64_t shape[2] = { ROWS, COLUMNS };
        const size_t size = ROWS * COLUMNS * wcodec_dtype_bits(tensors[i].dtype) / 8;
        unsigned char *data = (unsigned char *)test_malloc(size);
        char name[2] = { (char)('a' + i), 0 };
        wcodec_segment s;
        memset(&s, 0, sizeof s);
        s.name = name;
        s.name_size = 1;
        s.dtype = tensors[i].dtype;
        s.rank = 2;
        s.shape = shape;
        s.size = size;
        s.has_base = tensors[i].has_base;
        s.base_offset = at + SKIPPED;
        make_changed(&r, b->base + at + SKIPPED, size, make_unit(s.dtype), tensors[i].every, tensors[i].near, data);
        at += SKIPPED + size;
        st = wcodec_writer_segment(b->c.writer, &s, NULL);
        if (st == WCODEC_OK) st = wcodec_writer_data(b->c.writer, data, size, NULL);
        (void)test_sink_write(&b->c.view, data, size);
        free(data);
    }
    if (st == WCODEC_OK) st = wcodec_writer_finish(b->c.writer, NULL);
    wcodec_writer_close(b->c.writer);
    b->c.writer = NULL;
    return st;
}

static void based_free(based *b)
{
    make_free(&b->c);
    free(b->base);
}

static wcodec_reader_options options_of(const wcodec_source *base)
{
    wcodec_reader_options options = wcodec_reader_defaults();
    options.base = base;
    return options;
}

static void check_info(const wcodec_reader *reader, const based *b)
{
    wcodec_reader_info info;
    wcodec_reader_get_info(reader, &info);
    REQUIRE(info.needs_base);
    CHECK_EQ(info.base.size, b->base_size);
    CHECK_STR(info.base.name, b->facts.name);
    CHECK_EQ(info.base.name_size, b->facts.name_size);
    CHECK_MEM(info.base.sha256, b->facts.sha256, 32);
}

/* All, and parts, by one thread and by several, with scratch memory that ends at its end. */
static void check_reads(const based *b, const wcodec_source *file, const wcodec_source *base)
{
    const wcodec_reader_options options = options_of(base);
    unsigned workers = 3, i;
    const wcodec_parallel parallel = test_backwards(&workers);
    test_random r = test_random_new(4);
    wcodec_reader *reader = NULL;
    test_guard scratch, all;
    unsigned char *view = (unsigned char *)test_malloc(b->c.view.size);
    size_t need;
    REQUIRE_OK(wcodec_reader_open(&reader, file, &options, NULL));
    check_info(reader, b);
    need = wcodec_reader_scratch(reader);
    scratch = test_guard_new(need);
    all = test_guard_new(workers * need);
    CHECK_STATUS(wcodec_read(reader, 0, view, b->c.view.size, scratch.data, need, NULL), WCODEC_OK);
    CHECK_MEM(view, b->c.view.data, b->c.view.size);
    memset(view, 0, b->c.view.size);
    CHECK_STATUS(wcodec_read_parallel(reader, 0, view, b->c.view.size, all.data, all.size, &parallel, NULL, NULL),
                 WCODEC_OK);
    CHECK_MEM(view, b->c.view.data, b->c.view.size);
    for (i = 0; i < 60; i++) {
        const size_t at = test_below(&r, b->c.view.size), size = test_below(&r, b->c.view.size - at + 1);
        CHECK_STATUS(wcodec_read(reader, at, view, size, scratch.data, need, NULL), WCODEC_OK);
        CHECK_MEM(view, b->c.view.data + at, size);
    }
    test_guard_free(&scratch);
    test_guard_free(&all);
    wcodec_reader_close(reader);
    free(view);
}

static void check_push(const based *b, const wcodec_source *base)
{
    const wcodec_reader_options options = options_of(base);
    test_random r = test_random_new(9);
    unsigned i;
    for (i = 0; i < 6; i++) {
        make_pushed p = make_push_all(b->c.out.data, b->c.out.size, i < 2 ? 1 + 12 * i : 0, i == 1 ? 1 : 0, &r, &options);
        CHECK_STATUS(p.status, WCODEC_END);
        if (CHECK_EQ(p.bytes.size, b->c.view.size)) CHECK_MEM(p.bytes.data, b->c.view.data, p.bytes.size);
        test_sink_free(&p.bytes);
    }
}

/* Tiles of several rows, of one, of parts of one; from memory and by calls; the bytes depend on none of it. */
static void containers(void)
{
    static const uint32_t tiles_of[] = { 0, 150, 33 };
    unsigned workers = 3, i;
    const wcodec_parallel parallel = test_backwards(&workers);
    for (i = 0; i < 3; i++) {
        based b, other;
        test_source file;
        wcodec_source source[2], base[2];
        test_note("%u units a tile", (unsigned)tiles_of[i]);
        REQUIRE_OK(based_write(&b, 1, tiles_of[i], NULL, 0, 0));
        REQUIRE_OK(based_write(&other, 0, tiles_of[i], &parallel, 0, 0));
        CHECK(other.in.calls > 0);
        if (CHECK_EQ(b.c.out.size, other.c.out.size)) CHECK_MEM(b.c.out.data, other.c.out.data, b.c.out.size);
        memset(&file, 0, sizeof file);
        file.data = b.c.out.data;
        file.size = b.c.out.size;
        source[0] = wcodec_source_memory(b.c.out.data, b.c.out.size);
        source[1] = test_source_of(&file);
        base[0] = b.source;
        base[1] = other.source;
        check_reads(&b, &source[0], &base[0]);
        check_reads(&b, &source[0], &base[1]);
        check_reads(&b, &source[1], &base[0]);
        check_reads(&b, &source[1], &base[1]);
        check_push(&b, &base[0]);
        check_push(&b, &base[1]);
        based_free(&b);
        based_free(&other);
    }
}

/* In a block of the caller's: as large as it is said, and not a byte smaller. */
static void own_block(void)
{
    based b;
    wcodec_source source;
    wcodec_reader_options options;
    wcodec_reader *reader = NULL;
    size_t need = 0;
    test_guard block;
    REQUIRE_OK(based_write(&b, 1, 0, NULL, 0, 0));
    source = wcodec_source_memory(b.c.out.data, b.c.out.size);
    options = options_of(&b.source);
    REQUIRE_OK(wcodec_reader_need(&source, &need, NULL));
    need = (need + 15) / 16 * 16;
    block = test_guard_new(need);
    CHECK_STATUS(wcodec_reader_open_in(&reader, &source, &options, block.data, need, NULL), WCODEC_OK);
    check_info(reader, &b);
    CHECK_STATUS(wcodec_reader_open_in(&reader, &source, &options, block.data, need - 16, NULL), WCODEC_E_NO_MEMORY);
    test_guard_free(&block);
    based_free(&b);
}

/* Without the base, tiles that need it say so, and the others are read. */
static void missing_base(void)
{
    based b;
    wcodec_source source;
    wcodec_reader *reader = NULL;
    wcodec_segment s;
    wcodec_error err;
    unsigned char *dst, *scratch;
    size_t i, need;
    make_pushed p;
    memset(&s, 0, sizeof s);
    REQUIRE_OK(based_write(&b, 1, 0, NULL, 0, 0));
    source = wcodec_source_memory(b.c.out.data, b.c.out.size);
    REQUIRE_OK(wcodec_reader_open(&reader, &source, NULL, NULL));
    check_info(reader, &b);
    need = wcodec_reader_scratch(reader);
    scratch = (unsigned char *)test_malloc(need);
    dst = (unsigned char *)test_malloc(b.c.view.size);
    for (i = 0; i < TENSORS; i++) {
        const wcodec_status wanted = tensors[i].has_base ? WCODEC_E_BASE : WCODEC_OK;
        REQUIRE_OK(wcodec_reader_segment(reader, i, &s));
        test_note("tensor %zu", i);
        CHECK_STATUS(wcodec_read_segment(reader, i, dst, (size_t)s.size, scratch, need, &err), wanted);
        if (wanted == WCODEC_OK) CHECK_MEM(dst, b.c.view.data + s.offset, (size_t)s.size);
        else CHECK(err.status == WCODEC_E_BASE && err.offset > 0 && err.what);
    }
    p = make_push_all(b.c.out.data, b.c.out.size, 0x1000, 0x1000, NULL, NULL);
    CHECK_STATUS(p.status, WCODEC_E_BASE);
    test_sink_free(&p.bytes);
    wcodec_reader_close(reader);
    free(scratch);
    free(dst);
    based_free(&b);
}

/* Another base: of another size it is refused, of the same size the tiles' checksums tell. */
static void wrong_base(void)
{
    based b;
    wcodec_source source, base;
    wcodec_reader_options options;
    wcodec_reader *reader = NULL;
    unsigned char *view, *other;
    size_t size, i;
    make_pushed p;
    REQUIRE_OK(based_write(&b, 1, 0, NULL, 0, 0));
    source = wcodec_source_memory(b.c.out.data, b.c.out.size);
    other = (unsigned char *)test_malloc(b.base_size + 1);
    memcpy(other, b.base, b.base_size);
    for (i = 0; i < 3; i++) {
        base = wcodec_source_memory(other, i == 0 ? b.base_size - 1 : i == 1 ? b.base_size + 1 : 0);
        options = options_of(&base);
        CHECK_STATUS(wcodec_reader_open(&reader, &source, &options, NULL), WCODEC_E_BASE);
        CHECK(reader == NULL);
        p = make_push_all(b.c.out.data, b.c.out.size, 0x1000, 0x1000, NULL, &options);
        CHECK_STATUS(p.status, WCODEC_E_BASE);
        CHECK_EQ(p.bytes.size, 0);
        test_sink_free(&p.bytes);
    }
    base = wcodec_source_memory(other, b.base_size);
    options = options_of(&base);
    other[SKIPPED + 1000] ^= 4;
    CHECK_STATUS(make_read_all_based(b.c.out.data, b.c.out.size, &options, &view, &size), WCODEC_E_CHECKSUM);
    p = make_push_all(b.c.out.data, b.c.out.size, 0x1000, 0x1000, NULL, &options);
    CHECK_STATUS(p.status, WCODEC_E_CHECKSUM);
    test_sink_free(&p.bytes);
    options.no_crc = 1;
    CHECK_STATUS(make_read_all_based(b.c.out.data, b.c.out.size, &options, &view, &size), WCODEC_OK);
    CHECK_EQ(view[1000], b.c.view.data[1000] ^ 4);     /* and nothing worse happens */
    free(view);
    base.memory = NULL;
    base.read_at = NULL;
    CHECK_STATUS(wcodec_reader_open(&reader, &source, &options, NULL), WCODEC_E_ARGUMENT);
    free(other);
    based_free(&b);
}

/* Every call of the base's read_at fails once, on each way; and the base ends early. */
static void base_fails(void)
{
    based b, whole;
    wcodec_status st = WCODEC_E_IO;
    unsigned char *view;
    size_t i, size, failed = 0;
    make_pushed p;
    REQUIRE_OK(based_write(&whole, 1, 150, NULL, 0, 0));
    for (i = 1; st != WCODEC_OK && i < 10000; i++) {
        st = based_write(&b, 0, 150, NULL, i, 0);
        if (st != WCODEC_OK) CHECK_STATUS(st, WCODEC_E_IO);
        if (st != WCODEC_OK) failed++;
        based_free(&b);
    }
    CHECK(failed > 20);
    CHECK_STATUS(based_write(&b, 0, 150, NULL, 0, 40000), WCODEC_E_TRUNCATED);
    for (i = 1, st = WCODEC_E_IO, failed = 0; st != WCODEC_OK && i < 10000; i++) {
        wcodec_reader_options options = options_of(&b.source);
        b.in.calls = b.in.end = 0;
        b.in.fail_at = i;
        st = make_read_all_based(whole.c.out.data, whole.c.out.size, &options, &view, &size);
        if (st == WCODEC_OK) free(view);
        else failed++;
        if (st != WCODEC_OK) CHECK_STATUS(st, WCODEC_E_IO);
        b.in.calls = 0;
        p = make_push_all(whole.c.out.data, whole.c.out.size, 0x1000, 0x1000, NULL, &options);
        CHECK_STATUS(p.status, st == WCODEC_OK ? WCODEC_END : WCODEC_E_IO);
        test_sink_free(&p.bytes);
    }
    CHECK(failed > 20);
    {
        wcodec_reader_options options = options_of(&b.source);
        b.in.fail_at = 0;
        b.in.end = 40000;
        CHECK_STATUS(make_read_all_based(whole.c.out.data, whole.c.out.size, &options, &view, &size),
                     WCODEC_E_TRUNCATED);
        p = make_push_all(whole.c.out.data, whole.c.out.size, 0x1000, 0x1000, NULL, &options);
        CHECK_STATUS(p.status, WCODEC_E_TRUNCATED);
        test_sink_free(&p.bytes);
    }
    based_free(&b);
    based_free(&whole);
}

/* Every allocation of a push decoder and of a reader fails once. */
static void no_memory(void)
{
    based b;
    wcodec_source source;
    size_t i, failed = 0;
    REQUIRE_OK(based_write(&b, 0, 0, NULL, 0, 0));
    source = wcodec_source_memory(b.c.out.data, b.c.out.size);
    for (i = 1; i < 20; i++) {
        test_heap heap = { 0, 0, 0, 0, 0, 0, 0 };
        const wcodec_allocator allocator = test_heap_allocator(&heap);
        wcodec_reader_options options = options_of(&b.source);
        wcodec_reader *reader;
        make_pushed p;
        options.allocator = &allocator;
        heap.fail_at = i;
        p = make_push_all(b.c.out.data, b.c.out.size, 0x1000, 0x1000, NULL, &options);
        if (p.status != WCODEC_END) CHECK_STATUS(p.status, WCODEC_E_NO_MEMORY);
        failed += p.status != WCODEC_END;
        test_sink_free(&p.bytes);
        CHECK_HEAP_EMPTY(&heap);
        heap.calls = 0;
        CHECK_STATUS(wcodec_reader_open(&reader, &source, &options, NULL), i == 1 ? WCODEC_E_NO_MEMORY : WCODEC_OK);
        wcodec_reader_close(reader);
        CHECK_HEAP_EMPTY(&heap);
    }
    CHECK_EQ(failed, 6);
    based_free(&b);
}

/* Memory for the base is asked for where it is needed, and only there. */
static void scratch_size(void)
{
    based b, by_calls;
    make_container c;
    wcodec_source source;
    wcodec_reader_options options, none = wcodec_reader_defaults();
    wcodec_reader *reader = NULL;
    size_t with, without;
    REQUIRE_OK(based_write(&b, 1, 0, NULL, 0, 0));
    REQUIRE_OK(based_write(&by_calls, 0, 0, NULL, 0, 0));
    source = wcodec_source_memory(b.c.out.data, b.c.out.size);
    REQUIRE_OK(wcodec_reader_open(&reader, &source, &none, NULL));
    without = wcodec_reader_scratch(reader);
    wcodec_reader_close(reader);
    options = options_of(&b.source);
    REQUIRE_OK(wcodec_reader_open(&reader, &source, &options, NULL));
    CHECK_EQ(wcodec_reader_scratch(reader), without);
    wcodec_reader_close(reader);
    options = options_of(&by_calls.source);
    REQUIRE_OK(wcodec_reader_open(&reader, &source, &options, NULL));
    with = wcodec_reader_scratch(reader);
    CHECK_EQ(with - without, ROWS * COLUMNS * 8);       /* the largest tile's bytes */
    wcodec_reader_close(reader);
    make_small(&c, 0);
    source = wcodec_source_memory(c.out.data, c.out.size);
    REQUIRE_OK(wcodec_reader_open(&reader, &source, &none, NULL));
    without = wcodec_reader_scratch(reader);
    wcodec_reader_close(reader);
    REQUIRE_OK(wcodec_reader_open(&reader, &source, &options, NULL));
    CHECK_EQ(wcodec_reader_scratch(reader), without);
    wcodec_reader_close(reader);
    make_free(&c);
    based_free(&b);
    based_free(&by_calls);
}

static void writer_arguments(void)
{
    unsigned char bytes[100] = { 0 };
    const wcodec_source base = wcodec_source_memory(bytes, sizeof bytes);
    test_sink out = { NULL, 0, 0, 0, 0, 0 };
    const wcodec_sink sink = test_sink_of(&out);
    wcodec_writer_options options = wcodec_writer_defaults();
    wcodec_writer *writer = NULL;
    wcodec_segment s;
    wcodec_base facts;
    facts_of(bytes, sizeof bytes, &facts);
    options.base = &base;
    CHECK_STATUS(wcodec_writer_open(&writer, &sink, &options, NULL), WCODEC_E_ARGUMENT);
    options.base_facts = &facts;
    facts.size = 99;
    CHECK_STATUS(wcodec_writer_open(&writer, &sink, &options, NULL), WCODEC_E_ARGUMENT);
    facts.size = 100;
    facts.name_size = 65001;
    CHECK_STATUS(wcodec_writer_open(&writer, &sink, &options, NULL), WCODEC_E_ARGUMENT);
    facts.name_size = 3;
    facts.name = NULL;
    CHECK_STATUS(wcodec_writer_open(&writer, &sink, &options, NULL), WCODEC_E_ARGUMENT);
    facts.name_size = 0;
    CHECK_EQ(out.size, 0);
    REQUIRE_OK(wcodec_writer_open(&writer, &sink, &options, NULL));
    REQUIRE_OK(wcodec_writer_original(writer, "x", 1, 0, NULL));
    memset(&s, 0, sizeof s);
    s.size = 50;
    s.has_base = 1;
    s.base_offset = 51;
    CHECK_STATUS(wcodec_writer_segment(writer, &s, NULL), WCODEC_E_ARGUMENT);
    s.base_offset = UINT64_MAX;
    CHECK_STATUS(wcodec_writer_segment(writer, &s, NULL), WCODEC_E_ARGUMENT);
    s.base_offset = 50;
    CHECK_STATUS(wcodec_writer_segment(writer, &s, NULL), WCODEC_OK);
    wcodec_writer_close(writer);
    options.base = NULL;
    REQUIRE_OK(wcodec_writer_open(&writer, &sink, &options, NULL));
    REQUIRE_OK(wcodec_writer_original(writer, "x", 1, 0, NULL));
    CHECK_STATUS(wcodec_writer_segment(writer, &s, NULL), WCODEC_E_ARGUMENT);
    wcodec_writer_close(writer);
    test_sink_free(&out);
}

/* ---- plans ---- */

/* A safetensors file of tensors of 64 x `columns[i]`, named by letters; returns its size. */
static size_t make_file(unsigned char *dst, const char *names, const char *const *dtypes, const unsigned *columns,
                        uint64_t seed)
{
    test_random r = test_random_new(1);
    char json[2000];
    size_t used = 1, at = 0, i, k;
    (void)seed;
    json[0] = '{';
    for (i = 0; names[i]; i++) {
        const unsigned dtype = (unsigned)wcodec_dtype_find(dtypes[i], strlen(dtypes[i]));
        const size_t size = 64 * columns[i] * wcodec_dtype_bits(dtype) / 8;
        used += (size_t)snprintf(json + used, sizeof json - used,
                                 "%s\"%c\":{\"dtype\":\"%s\",\"shape\":[64,%u],\"data_offsets\":[%zu,%zu]}",
                                 i ? "," : "", names[i], dtypes[i], columns[i], at, at + size);
        at += size;
    }
    json[used++] = '}';
    for (i = 0; i < 8; i++) dst[i] = (unsigned char)((uint64_t)used >> 8 * i);
    memcpy(dst + 8, json, used);
    for (i = 0, at = 8 + used; names[i]; i++) {
        const unsigned dtype = (unsigned)wcodec_dtype_find(dtypes[i], strlen(dtypes[i]));
        const size_t size = 64 * columns[i] * wcodec_dtype_bits(dtype) / 8;
        r = test_random_new((uint64_t)names[i]);        /* the same for the same letter */
        make_fill(&r, MAKE_WEIGHTS, dtype, 0, dst + at, size);
        for (k = 0; k < size; k += 150) dst[at + k] = (unsigned char)(dst[at + k] + seed);
        at += size;
    }
    return at;
}

/* Twins have the name, the shape and the dtype; of these, the ones that save something get a base. */
static void plans(void)
{
    static const char *const ours[] = { "BF16", "BF16", "F32", "F16", "BF16" };
    static const char *const theirs[] = { "BF16", "F16", "F32", "BF16" };
    static const unsigned columns[] = { 50, 50, 60, 50, 50 }, other[] = { 50, 50, 61, 50 };
    static unsigned char file[100000], base[100000];
    test_source in;
    wcodec_source of_file, of_base;
    wcodec_estimate_options options = wcodec_estimate_defaults();
    wcodec_plan *plan = NULL, *of = NULL;
    size_t found = 9, used = 9, i, based_ones = 0;
    of_file = wcodec_source_memory(file, make_file(file, "abcde", ours, columns, 0));
    /* Not in the same order: e is the same, a is near, b of another dtype, c of another shape, d is not there. */
    of_base = wcodec_source_memory(base, make_file(base, "abce", theirs, other, 1));
    REQUIRE_OK(wcodec_plan_open(&plan, &of_file, NULL, NULL));
    REQUIRE_OK(wcodec_plan_open(&of, &of_base, NULL, NULL));
    CHECK_STATUS(wcodec_plan_base(plan, &of_file, of->segments, of->count, &options, &found, &used, NULL),
                 WCODEC_E_ARGUMENT);
    options.base = &of_base;
    CHECK_STATUS(wcodec_plan_base(plan, &of_file, of->segments, of->count, NULL, &found, &used, NULL), WCODEC_E_ARGUMENT);
    CHECK_STATUS(wcodec_plan_base(plan, &of_file, of->segments, of->count, &options, &found, &used, NULL), WCODEC_OK);
    CHECK_EQ(found, 2);
    CHECK_EQ(used, 2);
    for (i = 0; i < plan->count; i++) {
        const wcodec_segment *s = &plan->segments[i];
        if (!s->has_base) continue;
        based_ones++;
        CHECK(s->name[0] == 'a' || s->name[0] == 'e');
        CHECK(s->base_offset + s->size <= of_base.size);
        CHECK_EQ(s->base_offset, of->segments[s->name[0] == 'a' ? 1 : 4].offset);
    }
    CHECK_EQ(based_ones, 2);
    /* A base whose tensors only have the names: none is of use. */
    for (i = 500; i < of_base.size; i++) base[i] = (unsigned char)(base[i] * 37 + i);
    CHECK_STATUS(wcodec_plan_base(plan, &of_file, of->segments, of->count, &options, &found, &used, NULL), WCODEC_OK);
    CHECK(found == 2 && used == 0);
    for (i = 0; i < plan->count; i++) CHECK(!plan->segments[i].has_base && !plan->segments[i].base_offset);
    CHECK_STATUS(wcodec_plan_base(plan, &of_file, NULL, 0, &options, &found, &used, NULL), WCODEC_OK);
    CHECK(found == 0 && used == 0);
    /* Reading fails, or the base ends early. */
    memset(&in, 0, sizeof in);
    in.data = base;
    in.size = (size_t)of_base.size;
    in.fail_at = 1;
    of_base = test_source_of(&in);
    CHECK_STATUS(wcodec_plan_base(plan, &of_file, of->segments, of->count, &options, NULL, NULL, NULL), WCODEC_E_IO);
    in.fail_at = 0;
    in.end = 1000;
    CHECK_STATUS(wcodec_plan_base(plan, &of_file, of->segments, of->count, &options, NULL, NULL, NULL),
                 WCODEC_E_TRUNCATED);
    for (i = 0; i < plan->count; i++) CHECK(!plan->segments[i].has_base);
    of_base.size = 1000;
    CHECK_STATUS(wcodec_plan_base(plan, &of_file, of->segments, of->count, &options, NULL, NULL, NULL),
                 WCODEC_E_ARGUMENT);
    wcodec_plan_close(plan);
    wcodec_plan_close(of);
}

/* ---- what it is for ---- */

/* A checkpoint with one value in a hundred changed is at least 30 times smaller. */
static void one_in_a_hundred(void)
{
    static const unsigned dtypes[] = { WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_F64 };
    unsigned i, profile;
    for (i = 0; i < 4; i++)
        for (profile = 0; profile < 2; profile++) {
            const uint64_t shape[2] = { 800, 1024 };
            const size_t size = 800 * 1024 * wcodec_dtype_bits(dtypes[i]) / 8;
            unsigned char *base = (unsigned char *)test_malloc(size), *data = (unsigned char *)test_malloc(size);
            test_random r = test_random_new(8);
            wcodec_source source;
            wcodec_reader_options options;
            wcodec_base facts;
            make_container c;
            wcodec_segment s;
            unsigned char *view;
            size_t view_size;
            make_fill(&r, MAKE_WEIGHTS, dtypes[i], 0, base, size);
            make_changed(&r, base, size, make_unit(dtypes[i]), 100, 0, data);
            source = wcodec_source_memory(base, size);
            facts_of(base, size, &facts);
            make_init(&c, 1);
            c.options.base = &source;
            c.options.base_facts = &facts;
            c.options.tile.profile = profile;
            make_begin(&c);
            make_original(&c, "x", 0);
            memset(&s, 0, sizeof s);
            s.dtype = dtypes[i];
            s.rank = 2;
            s.shape = shape;
            s.size = size;
            s.has_base = 1;
            make_segment_of(&c, &s, data);
            make_end(&c);
            test_note("dtype %u, profile %u: %zu bytes from %zu", dtypes[i], profile, c.out.size, size);
            CHECK(c.out.size * 30 <= size);
            options = options_of(&source);
            if (CHECK_STATUS(make_read_all_based(c.out.data, c.out.size, &options, &view, &view_size), WCODEC_OK)) {
                CHECK_MEM(view, data, size);
                free(view);
            }
            make_free(&c);
            free(base);
            free(data);
        }
}

int main(void)
{
    RUN(tiles);
    RUN(containers);
    RUN(own_block);
    RUN(missing_base);
    RUN(wrong_base);
    RUN(base_fails);
    RUN(no_memory);
    RUN(scratch_size);
    RUN(writer_arguments);
    RUN(plans);
    RUN(one_in_a_hundred);
    return test_end();
}
