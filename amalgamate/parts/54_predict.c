/* ------------------------------------------------------------------------------------------------
 * Predictors (private): differences from the left neighbour or from the row above
 * On planes they work modulo 2^width, on whole units modulo 2^(8 unit).
 * ---------------------------------------------------------------------------------------------- */

/* The distance to the value that predicts: values before it are kept as they are. */
static size_t wcodeci_predict_distance(unsigned predictor, uint64_t row, size_t n)
{
    return predictor == WCODEC_PREDICT_LEFT ? 1 : (size_t)wcodeci_min64(row, n);
}

/* Undoes a plane's predictor in place. */
static void wcodeci_unpredict_plane(wcodeci_byte *v, size_t n, unsigned width, unsigned predictor,
                                    uint64_t row)
{
    const size_t distance = wcodeci_predict_distance(predictor, row, n);
    const unsigned mask = (1u << width) - 1;
    size_t i;
    for (i = distance; i < n; i++) v[i] = (wcodeci_byte)((v[i] + v[i - distance]) & mask);
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

static void wcodeci_predict_plane(const wcodeci_byte *v, wcodeci_byte *residual, size_t n, unsigned width,
                                  unsigned predictor, uint64_t row)
{
    const size_t distance = wcodeci_predict_distance(predictor, row, n);
    const unsigned mask = (1u << width) - 1;
    size_t i;
    memcpy(residual, v, distance);
    for (i = distance; i < n; i++) residual[i] = (wcodeci_byte)((v[i] - v[i - distance]) & mask);
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
