/* WCODEC_NO_SIMD: the scalar code alone, whatever the processor has, and the same records as ever. */
#define WCODEC_NO_SIMD
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

static void scalar_alone(void)
{
    CHECK_EQ(wcodec_cpu_detect(), 0);
    CHECK_STR(wcodec_cpu_kernels(0), "scalar");
    CHECK_STR(wcodec_cpu_kernels(WCODEC_CPU_ALL), "scalar");
    CHECK(wcodeci_kernels_of(WCODEC_CPU_ALL) == &wcodeci_kernels_scalar);
    CHECK(wcodeci_encode_kernels_of(WCODEC_CPU_ALL) == &wcodeci_encode_kernels_scalar);
}

/* Masks that name what is not there change nothing. */
static void round_trips(void)
{
    enum { SIZE = 4096 * 8 };
    static unsigned char data[SIZE], back[SIZE];
    test_random r = test_random_new(1);
    const size_t bound = wcodec_tile_bound(SIZE), need = wcodec_tile_encode_scratch(SIZE);
    unsigned char *record = (unsigned char *)test_malloc(bound), *again = (unsigned char *)test_malloc(bound);
    unsigned char *scratch = (unsigned char *)test_malloc(need);
    unsigned dtype;
    for (dtype = 0; dtype <= WCODEC_U4; dtype++) {
        wcodec_tile_options options = { 0, 0, 0, 0, WCODEC_CPU_ALL };
        size_t size;
        test_note("dtype %u", dtype);
        make_fill(&r, MAKE_WEIGHTS, dtype, 64, data, SIZE);
        size = wcodec_tile_encode(dtype, 64, data, SIZE, NULL, &options, record, bound, scratch, need);
        options.cpu_off = 0;
        CHECK_EQ(wcodec_tile_encode(dtype, 64, data, SIZE, NULL, &options, again, bound, scratch, need), size);
        CHECK_MEM(again, record, size);
        CHECK_STATUS(wcodec_tile_decode(record, size, NULL, back, SIZE, scratch, need, 0, 0, NULL), WCODEC_OK);
        CHECK_MEM(back, data, SIZE);
    }
    free(record);
    free(again);
    free(scratch);
}

int main(void)
{
    RUN(scalar_alone);
    RUN(round_trips);
    return test_end();
}
