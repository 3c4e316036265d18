/* ------------------------------------------------------------------------------------------------
 * Predictors (private): differences from the left neighbour or from the row above
 * On planes they work modulo 2^width, on whole units modulo 2^(8 unit).
 * ---------------------------------------------------------------------------------------------- */

/* The distance to the value that predicts: values before it are kept as they are. */
static size_t wcodeci_predict_distance(unsigned predictor, uint64_t row, size_t n)
{
    return predictor == WCODEC_PREDICT_LEFT ? 1 : (size_t)wcodeci_min64(row, n);
}

static void wcodeci_unpredict_scalar(wcodeci_byte *v, size_t n, size_t distance, unsigned mask)
{
    size_t i;
    for (i = distance; i < n; i++) v[i] = (wcodeci_byte)((v[i] + v[i - distance]) & mask);
}

/* Undoes a plane's predictor in place. */
static void wcodeci_unpredict_plane(const wcodeci_kernels *kernels, wcodeci_byte *v, size_t n, unsigned width,
                                    unsigned predictor, uint64_t row)
{
    kernels->unpredict(v, n, wcodeci_predict_distance(predictor, row, n), (1u << width) - 1);
}

/* Undoes the unit predictor in place. */
static void wcodeci_unpredict_units(wcodeci_byte *p, size_t n, unsigned unit, unsigned predictor,
                                    uint64_t row)
{
    const size_t distance = wcodeci_predict_distance(predictor, row, n);
    size_t i;
    for (i = distance; i < n; i++)
        wcodeci_store_unit(p + i * unit, unit, wcodeci_load_unit(p + i * unit, unit)
                                               + wcodeci_load_unit(p + (i - distance) * unit, unit));
}

#ifndef WCODEC_NO_ENCODER

static void wcodeci_residual_scalar(const wcodeci_byte *v, const wcodeci_byte *before, wcodeci_byte *residual,
                                    size_t n, unsigned mask)
{
    size_t i;
    for (i = 0; i < n; i++) residual[i] = (wcodeci_byte)((v[i] - before[i]) & mask);
}

static void wcodeci_predict_plane(const wcodeci_encode_kernels *kernels, const wcodeci_byte *v,
                                  wcodeci_byte *residual, size_t n, unsigned width, unsigned predictor,
                                  uint64_t row)
{
    const size_t distance = wcodeci_predict_distance(predictor, row, n);
    memcpy(residual, v, distance);
    kernels->residual(v + distance, v, residual + distance, n - distance, (1u << width) - 1);
}

static void wcodeci_predict_units(const wcodeci_byte *p, wcodeci_byte *residual, size_t n, unsigned unit,
                                  unsigned predictor, uint64_t row)
{
    const size_t distance = wcodeci_predict_distance(predictor, row, n);
    size_t i;
    memcpy(residual, p, distance * unit);
    for (i = distance; i < n; i++)
        wcodeci_store_unit(residual + i * unit, unit, wcodeci_load_unit(p + i * unit, unit)
                                                      - wcodeci_load_unit(p + (i - distance) * unit, unit));
}

#endif
