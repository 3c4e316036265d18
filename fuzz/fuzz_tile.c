/* Tile records of any bytes, without a container around them, perhaps behind the S record of their group:
 * buffers end where their malloc ends, the result does not depend on what was in them before, and what decodes
 * also encodes and decodes again, with scales and without. */
#include "mutator.h"

/* What holds of a tile's planes and a field's. */
static void check_planes(const wcodec_tile_info *info)
{
    unsigned i;
    FUZZ_REQUIRE(info->record_size % 8 == 0 && info->record_size > 0);
    FUZZ_REQUIRE(info->decoded_size >= 1 && info->decoded_size <= WCODEC_MAX_TILE_BYTES);
    FUZZ_REQUIRE(info->split < WCODEC_SPLIT_COUNT && wcodec_split_name(info->split) != NULL);
    FUZZ_REQUIRE(info->predictor < WCODEC_PREDICT_COUNT && wcodec_predictor_name(info->predictor) != NULL);
    FUZZ_REQUIRE(info->planes <= WCODEC_MAX_PLANES && (info->planes == 0) == (info->split == WCODEC_SPLIT_BLOCKS));
    FUZZ_REQUIRE(info->unit >= 1 && info->unit <= 8 && info->decoded_size % info->unit == 0);
    if (info->scaled) {
        FUZZ_REQUIRE(info->rows.width == 8
                     && (info->rows.coder < WCODEC_CODER_CLASSES || info->rows.coder == WCODEC_CODER_PACKED));
        FUZZ_REQUIRE(info->rows.predictor <= WCODEC_PREDICT_LEFT && info->rows.offset <= info->record_size);
        FUZZ_REQUIRE(info->rows.size <= info->record_size - info->rows.offset);
    }
    FUZZ_REQUIRE((info->table_size != 0) == (info->split >= WCODEC_SPLIT_PALETTE16));
    FUZZ_REQUIRE(info->table_offset <= info->record_size);
    FUZZ_REQUIRE(info->table_size <= info->record_size - info->table_offset);
    for (i = 0; i < info->planes; i++) {
        FUZZ_REQUIRE(info->plane[i].width >= 1 && info->plane[i].width <= 8);
        FUZZ_REQUIRE(info->plane[i].coder < WCODEC_CODER_COUNT);
        FUZZ_REQUIRE(info->plane[i].predictor < WCODEC_PREDICT_COUNT);
        FUZZ_REQUIRE(info->plane[i].offset <= info->record_size);
        FUZZ_REQUIRE(info->plane[i].size <= info->record_size - info->plane[i].offset);
    }
}

static void check_info(const unsigned char *src, size_t size, const wcodec_tile_info *info)
{
    wcodec_tile_info field;
    size_t all = 0;
    unsigned f;
    check_planes(info);
    FUZZ_REQUIRE(info->fields <= WCODEC_MAX_FIELDS && (info->fields != 0) == (info->split == WCODEC_SPLIT_BLOCKS));
    for (f = 0; f < info->fields; f++) {
        FUZZ_REQUIRE(wcodec_tile_inspect_field(src, size, f, &field, NULL) == WCODEC_OK);
        FUZZ_REQUIRE(field.split != WCODEC_SPLIT_BLOCKS && !field.scaled);
        FUZZ_REQUIRE((field.features & ~info->features) == 0);
        check_planes(&field);
        all += field.decoded_size;
    }
    if (info->fields != 0) FUZZ_REQUIRE(all == info->decoded_size && all % info->block == 0);
    FUZZ_REQUIRE(wcodec_tile_inspect_field(src, size, f, &field, NULL) == WCODEC_E_ARGUMENT);
}

/* Decodes into a fresh buffer, which the caller frees; `fill` is what memory holds before. */
static wcodec_status decode(const unsigned char *src, size_t size, const fuzz_scales *scales, size_t dst_size,
                            int fill, int no_crc, unsigned cpu_off, unsigned char **dst)
{
    size_t scratch_size = wcodec_tile_decode_scratch(dst_size, WCODEC_FEATURE_MIX | WCODEC_FEATURE_BLOCKS);
    unsigned char *scratch = fuzz_exact(NULL, scratch_size), *base = NULL;
    wcodec_tile_inputs inputs = { NULL, 0, 0, NULL, 0 };
    wcodec_tile_info info;
    wcodec_status st;
    inputs.scales = scales->scale;
    inputs.columns = scales->columns;
    if (wcodec_tile_inspect(src, size, &info, NULL) == WCODEC_OK) inputs = fuzz_inputs(&info, scales, &base);
    *dst = fuzz_exact(NULL, dst_size);
    memset(*dst, fill, dst_size);
    if (scratch_size != 0) memset(scratch, fill, scratch_size);
    st = fuzz_status(wcodec_tile_decode(src, size, &inputs, *dst, dst_size, scratch, scratch_size,
                                        no_crc, cpu_off, NULL));
    free(base);
    free(scratch);
    return st;
}

/* Random scales of a random number of columns; none in one case of four. */
static void random_scales(fuzz_scales *s, fuzz_random *r)
{
    size_t i;
    const unsigned range = 1 + (unsigned)fuzz_below(r, 512);
    s->scale = NULL;
    s->columns = fuzz_below(r, 4) == 0 ? 0 : 8 + fuzz_below(r, (size_t)1 << fuzz_below(r, 14));
    if (s->columns == 0) return;
    s->scale = fuzz_exact(NULL, s->columns);
    for (i = 0; i < s->columns; i++) s->scale[i] = (unsigned char)fuzz_below(r, range);
}

/* A dtype of blocks. */
static unsigned some_block(fuzz_random *r)
{
    unsigned dtype, elements, bytes;
    do {
        dtype = 64 + (unsigned)fuzz_below(r, WCODEC_DTYPE_END - 64);
    } while (!wcodec_dtype_block(dtype, &elements, &bytes));
    return dtype;
}

/* The decoded bytes through the encoder and back. */
static void check_encode(const unsigned char *data, const wcodec_tile_info *info, fuzz_random *r)
{
    static const unsigned char dtypes[WCODEC_SPLIT_COUNT] = {
        WCODEC_U8, WCODEC_U16, WCODEC_I32, WCODEC_I64, WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_F64,
        WCODEC_F8_E4M3, WCODEC_F8_E5M2, WCODEC_I4, WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_Q4_0, WCODEC_U16,
        WCODEC_F32, WCODEC_F64, WCODEC_BF16, WCODEC_F16, WCODEC_F32 };
    size_t size = info->decoded_size, bound = wcodec_tile_bound(size), made;
    size_t scratch_size = wcodec_tile_encode_scratch_best(size);
    unsigned char *record = fuzz_exact(NULL, bound), *scratch = fuzz_exact(NULL, scratch_size), *back;
    wcodec_tile_options options = { 0, 0, 0, 0, 0 };
    fuzz_scales random;
    wcodec_tile_inputs inputs = { NULL, 0, 0, NULL, 0 };
    unsigned char *base = NULL;
    unsigned dtype = dtypes[info->split];
    random_scales(&random, r);
    inputs.scales = random.scale;
    inputs.columns = random.columns;
    inputs.phase = fuzz_below(r, random.columns);
    if (fuzz_below(r, 2) == 0) {
        base = fuzz_exact(NULL, size);
        inputs.base_offset = fuzz_next(r) >> fuzz_below(r, 64);
        fuzz_base_fill(inputs.base_offset, base, size);
        inputs.base = base;
    }
    options.coders = (unsigned)fuzz_below(r, 256);
    options.predictors = (unsigned)fuzz_below(r, 64);
    options.profile = (unsigned)fuzz_below(r, 3);
    options.cpu_off = fuzz_cpu_off(r);
    if (info->split == WCODEC_SPLIT_BLOCKS) dtype = some_block(r);
    made = wcodec_tile_encode(dtype, fuzz_below(r, 300), data, size, &inputs, &options, record, bound, scratch,
                              scratch_size);
    FUZZ_REQUIRE(made > 0 && made <= bound && made % 8 == 0);
    FUZZ_REQUIRE(decode(record, made, &random, size, 0x55, 0, fuzz_cpu_off(r), &back) == WCODEC_OK);
    FUZZ_REQUIRE(memcmp(back, data, size) == 0);
    fuzz_scales_free(&random);
    free(base);
    free(back);
    free(record);
    free(scratch);
}

/* The bytes of the S record that the input begins with; 0: it does not. */
static size_t scales_record(const uint8_t *data, size_t size)
{
    uint64_t body;
    size_t n;
    if (size == 0 || data[0] != 'S') return 0;
    n = fuzz_varint_get(data + 1, size - 1, &body);
    if (n == 0 || body > size - 1 - n) return 0;
    n = (1 + n + (size_t)body + 7) / 8 * 8;
    return n < size ? n : 0;
}

/* A tile that decodes with its group's scales: what becomes of it with others, or without. */
static void check_other_scales(const unsigned char *src, size_t size, const wcodec_tile_info *info, fuzz_random *r)
{
    const fuzz_scales none = { NULL, 0 };
    fuzz_scales other;
    unsigned char *a;
    wcodec_status st;
    random_scales(&other, r);
    st = decode(src, size, &none, info->decoded_size, 0, 1, fuzz_cpu_off(r), &a);
    if (info->scaled) FUZZ_REQUIRE(st == WCODEC_E_CORRUPT);
    free(a);
    (void)decode(src, size, &other, info->decoded_size, 0, 0, fuzz_cpu_off(r), &a);
    free(a);
    fuzz_scales_free(&other);
}

/* `src` ends where its malloc ends. */
static void check_tile(const unsigned char *src, size_t size, const fuzz_scales *scales, fuzz_random *r)
{
    unsigned char *a, *b;
    wcodec_tile_info info;
    wcodec_status first, second;
    if (fuzz_status(wcodec_tile_inspect(src, size, &info, NULL)) != WCODEC_OK) return;
    check_info(src, size, &info);
    if (fuzz_tile_too_large(&info) && (fuzz_mixed(&info) || fuzz_below(r, 32) != 0)) return;
    first = decode(src, size, scales, info.decoded_size, 0, 1, 0, &a);
    second = decode(src, size, scales, info.decoded_size, 0xff, 0, fuzz_cpu_off(r), &b);
    FUZZ_REQUIRE(first == second || (first == WCODEC_OK && second == WCODEC_E_CHECKSUM));
    if (first == WCODEC_OK) FUZZ_REQUIRE(memcmp(a, b, info.decoded_size) == 0);
    if (first == WCODEC_OK && info.decoded_size <= 1 << 16) {
        check_encode(a, &info, r);
        check_other_scales(src, size, &info, r);
    }
    if (second == WCODEC_OK) FUZZ_REQUIRE(wcodec_crc32(0, b, info.decoded_size) == info.crc);
    free(a);
    free(b);
    FUZZ_REQUIRE(decode(src, size, scales, info.decoded_size + 1, 0, 1, fuzz_cpu_off(r), &a) < 0);
    free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_random r = fuzz_random_from(data, size);
    const size_t head = scales_record(data, size);
    unsigned char *src = fuzz_exact(data + head, size - head);
    fuzz_scales scales = { NULL, 0 };
    if (head != 0) fuzz_scales_take(&scales, data, head);
    check_tile(src, size - head, &scales, &r);
    fuzz_scales_free(&scales);
    free(src);
    return 0;
}

/* Changes a record's body or its first fields, then mends size, padding and CRC-32. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static fuzz_container c;
    const fuzz_scales none = { NULL, 0 };
    fuzz_scales scales = { NULL, 0 };
    fuzz_random r;
    size_t head = scales_record(data, size);
    fuzz_record *record = &c.record[0];
    r.state = seed;
    c.data = data;
    c.size = size;
    c.room = max_size;
    if (head != 0 && fuzz_below(&r, 4) == 0) {
        record->at = 0;
        record->size = head;
        record->type = 'S';
    } else {
        record->at = head;
        record->size = size - head;
        record->type = 'T';
    }
    if (size < 16 || fuzz_below(&r, 8) == 0) c.size = LLVMFuzzerMutate(data, size, max_size);
    else if (fuzz_below(&r, 2) == 0) fuzz_mutate_body(&c, record);
    else fuzz_mutate_fields(&c, record, &r);
    if (c.size >= 8 && fuzz_below(&r, 4) != 0) {
        head = scales_record(c.data, c.size);
        if (head != 0) {
            fuzz_mend_tile(c.data, head, &none);
            fuzz_scales_take(&scales, c.data, head);
        }
        if (c.size - head >= 8) fuzz_mend_tile(c.data + head, c.size - head, &scales);
        fuzz_scales_free(&scales);
    }
    return c.size;
}
