/* ------------------------------------------------------------------------------------------------
 * Sets of kernels, and the choice among them (private, and wcodec_cpu_kernels)
 * ---------------------------------------------------------------------------------------------- */

static const wcodeci_kernels wcodeci_kernels_scalar = {
    "scalar", { wcodeci_rans16_scalar, wcodeci_rans16_classes_scalar },
    { { NULL, NULL, NULL, NULL, wcodeci_rans16_bf16_scalar, NULL, NULL, NULL, NULL, NULL, NULL },
      { NULL, NULL, NULL, NULL, wcodeci_rans16_bf16_classes_scalar, NULL, NULL, NULL, NULL, NULL, NULL } },
    { { NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL },
      { NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL } },
    wcodeci_rans256_scalar,
    { NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL },
    NULL, wcodeci_unpredict_scalar, wcodeci_scale_scalar, wcodeci_classes_scalar
};

static const wcodeci_kernels *wcodeci_kernels_of(unsigned cpu)
{
#if WCODECI_X86
    if (!(cpu & WCODEC_CPU_SSE41)) return &wcodeci_kernels_scalar;
    if (!(cpu & WCODEC_CPU_AVX2)) return &wcodeci_kernels_sse41;
    return cpu & WCODEC_CPU_AVX512 ? &wcodeci_kernels_avx512 : &wcodeci_kernels_avx2;
#elif WCODECI_NEON
    return cpu & WCODEC_CPU_NEON ? &wcodeci_kernels_neon : &wcodeci_kernels_scalar;
#else
    (void)cpu;
    return &wcodeci_kernels_scalar;
#endif
}

WCODEC_API const char *wcodec_cpu_kernels(unsigned cpu_off)
{
    return wcodeci_kernels_of(wcodec_cpu_detect() & ~cpu_off)->name;
}

/* What a reader or writer chooses once. */
typedef struct wcodeci_engine {
    const wcodeci_kernels *kernels;
    wcodeci_crc_fn *crc;
    unsigned features;      /* WCODEC_FEATURE_: what the scratch memory has room for */
} wcodeci_engine;

static wcodeci_engine wcodeci_engine_make(unsigned cpu_off)
{
    const unsigned cpu = wcodec_cpu_detect() & ~cpu_off;
    wcodeci_engine engine;
    engine.kernels = wcodeci_kernels_of(cpu);
    engine.crc = wcodeci_crc_of(cpu);
    engine.features = 0;
    return engine;
}

#ifndef WCODEC_NO_ENCODER

static const wcodeci_encode_kernels wcodeci_encode_kernels_scalar = {
    wcodeci_split_scalar, wcodeci_residual_scalar,
    wcodeci_fit_row_scalar, wcodeci_fit_most_scalar, wcodeci_fit_sum_scalar, wcodeci_scale_off_scalar,
    { wcodeci_rans16_map_scalar, wcodeci_rans16_map_classes_scalar },
    { wcodeci_rans16_put_scalar, wcodeci_rans16_put_scalar }
};

static const wcodeci_encode_kernels *wcodeci_encode_kernels_of(unsigned cpu)
{
#if WCODECI_X86
    if (!(cpu & WCODEC_CPU_SSE41)) return &wcodeci_encode_kernels_scalar;
    if (!(cpu & WCODEC_CPU_AVX2)) return &wcodeci_encode_kernels_sse41;
    return cpu & WCODEC_CPU_AVX512 ? &wcodeci_encode_kernels_avx512 : &wcodeci_encode_kernels_avx2;
#elif WCODECI_NEON
    return cpu & WCODEC_CPU_NEON ? &wcodeci_encode_kernels_neon : &wcodeci_encode_kernels_scalar;
#else
    (void)cpu;
    return &wcodeci_encode_kernels_scalar;
#endif
}

#endif
