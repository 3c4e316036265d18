/* Tile records of any bytes, without a container around them: buffers end where their malloc ends, the
 * result does not depend on what was in them before, and what decodes also encodes and decodes again. */
#include "mutator.h"

static void check_info(const wcodec_tile_info *info)
{
    unsigned i;
    FUZZ_REQUIRE(info->record_size % 8 == 0 && info->record_size > 0);
    FUZZ_REQUIRE(info->decoded_size >= 1 && info->decoded_size <= WCODEC_MAX_TILE_BYTES);
    FUZZ_REQUIRE(info->split < WCODEC_SPLIT_COUNT && wcodec_split_name(info->split) != NULL);
    FUZZ_REQUIRE(info->predictor < WCODEC_PREDICT_COUNT && wcodec_predictor_name(info->predictor) != NULL);
    FUZZ_REQUIRE(info->planes >= 1 && info->planes <= WCODEC_MAX_PLANES);
    FUZZ_REQUIRE(info->unit >= 1 && info->unit <= 8 && info->decoded_size % info->unit == 0);
    for (i = 0; i < info->planes; i++) {
        FUZZ_REQUIRE(info->plane[i].width >= 1 && info->plane[i].width <= 8);
        FUZZ_REQUIRE(info->plane[i].coder < WCODEC_CODER_COUNT);
        FUZZ_REQUIRE(info->plane[i].predictor < WCODEC_PREDICT_COUNT);
        FUZZ_REQUIRE(info->plane[i].offset <= info->record_size);
        FUZZ_REQUIRE(info->plane[i].size <= info->record_size - info->plane[i].offset);
    }
}

/* Decodes into a fresh buffer, which the caller frees; `fill` is what memory holds before. */
static wcodec_status decode(const unsigned char *src, size_t size, size_t dst_size, int fill, int no_crc,
                            unsigned cpu_off, unsigned char **dst)
{
    size_t scratch_size = wcodec_tile_decode_scratch_mix(dst_size);
    unsigned char *scratch = fuzz_exact(NULL, scratch_size);
    wcodec_status st;
    *dst = fuzz_exact(NULL, dst_size);
    memset(*dst, fill, dst_size);
    if (scratch_size != 0) memset(scratch, fill, scratch_size);
    st = fuzz_status(wcodec_tile_decode(src, size, NULL, 0, *dst, dst_size, scratch, scratch_size, no_crc, cpu_off,
                                        NULL));
    free(scratch);
    return st;
}

/* The decoded bytes through the encoder and back. */
static void check_encode(const unsigned char *data, const wcodec_tile_info *info, fuzz_random *r)
{
    static const unsigned char dtypes[WCODEC_SPLIT_COUNT] = {
        WCODEC_U8, WCODEC_U16, WCODEC_I32, WCODEC_I64, WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_F64,
        WCODEC_F8_E4M3, WCODEC_F8_E5M2, WCODEC_I4 };
    size_t size = info->decoded_size, bound = wcodec_tile_bound(size), made;
    size_t scratch_size = wcodec_tile_encode_scratch_best(size);
    unsigned char *record = fuzz_exact(NULL, bound), *scratch = fuzz_exact(NULL, scratch_size), *back;
    wcodec_tile_options options = { 0, 0, 0, 0, 0 };
    options.coders = (unsigned)fuzz_below(r, 256);
    options.predictors = (unsigned)fuzz_below(r, 8);
    options.profile = (unsigned)fuzz_below(r, 3);
    options.cpu_off = fuzz_cpu_off(r);
    made = wcodec_tile_encode(dtypes[info->split], fuzz_below(r, 300), data, size, NULL, &options, record, bound,
                              scratch, scratch_size);
    FUZZ_REQUIRE(made > 0 && made <= bound && made % 8 == 0);
    FUZZ_REQUIRE(decode(record, made, size, 0x55, 0, fuzz_cpu_off(r), &back) == WCODEC_OK);
    FUZZ_REQUIRE(memcmp(back, data, size) == 0);
    free(back);
    free(record);
    free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_random r = fuzz_random_from(data, size);
    unsigned char *src = fuzz_exact(data, size), *a, *b;
    wcodec_tile_info info;
    wcodec_status st = fuzz_status(wcodec_tile_inspect(src, size, &info, NULL)), first, second;
    if (st == WCODEC_OK) {
        check_info(&info);
        if (info.decoded_size <= FUZZ_MAX_VIEW || fuzz_below(&r, 32) == 0) {
            first = decode(src, size, info.decoded_size, 0, 1, 0, &a);
            second = decode(src, size, info.decoded_size, 0xff, 0, fuzz_cpu_off(&r), &b);
            FUZZ_REQUIRE(first == second || (first == WCODEC_OK && second == WCODEC_E_CHECKSUM));
            if (first == WCODEC_OK) FUZZ_REQUIRE(memcmp(a, b, info.decoded_size) == 0);
            if (first == WCODEC_OK && info.decoded_size <= 1 << 16) check_encode(a, &info, &r);
            if (second == WCODEC_OK) FUZZ_REQUIRE(wcodec_crc32(0, b, info.decoded_size) == info.crc);
            free(a);
            free(b);
            FUZZ_REQUIRE(decode(src, size, info.decoded_size + 1, 0, 1, fuzz_cpu_off(&r), &a) < 0);
            free(a);
        }
    }
    free(src);
    return 0;
}

/* Changes the body or its first fields, then mends size, padding and CRC-32. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static fuzz_container c;
    fuzz_random r;
    r.state = seed;
    c.data = data;
    c.size = size;
    c.room = max_size;
    c.record[0].at = 0;
    c.record[0].size = size;
    c.record[0].type = 'T';
    if (size < 16 || fuzz_below(&r, 8) == 0) c.size = LLVMFuzzerMutate(data, size, max_size);
    else if (fuzz_below(&r, 2) == 0) fuzz_mutate_body(&c, &c.record[0]);
    else fuzz_mutate_fields(&c, &c.record[0], &r);
    if (c.size >= 8 && fuzz_below(&r, 4) != 0) fuzz_mend_tile(c.data, c.size);
    return c.size;
}
