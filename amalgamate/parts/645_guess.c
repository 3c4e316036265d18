/* ------------------------------------------------------------------------------------------------
 * Guesses (private): of what unit opaque bytes may be
 *
 * Numbers of u bytes show in that their bytes differ from each other by their place modulo u: a sample's entropy
 * is less if each place has its own statistics.  That only says which dtypes are worth a trial.
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_NUMBERS_LEAST 4096u     /* bytes: less is not looked at */
#define WCODECI_GUESS_RUNS 32u
#define WCODECI_GUESS_RUN 256u          /* bytes, of whole units of any size */

/* The sample's entropy in bits where every place modulo `unit` has its own statistics, with what a sample of this
 * size shows too little (see wcodeci_sample_entropy). */
static uint64_t wcodeci_guess_entropy(uint32_t count[8][256], size_t n, unsigned unit)
{
    uint64_t bits = 0;
    unsigned place, k, s;
    for (place = 0; place < unit; place++) {
        uint32_t sum[256] = { 0 };
        unsigned m = 0;
        for (k = place; k < 8; k += unit)
            for (s = 0; s < 256; s++) sum[s] += count[k][s];
        for (s = 0; s < 256; s++) m += sum[s] != 0;
        bits += wcodeci_entropy(sum, n / unit)
              + ((uint64_t)(m - 1) * 47274 >> 16);
    }
    return bits;
}

/* The unit, in bytes, of the numbers that `size` bytes seem to be, at least WCODECI_NUMBERS_LEAST; 1: of none.  A
 * larger one must save a 128th of the sample more than a smaller one. */
static unsigned wcodeci_guess_unit(const wcodeci_byte *src, size_t size)
{
    const size_t run_size = wcodeci_min(WCODECI_GUESS_RUN, size / WCODECI_GUESS_RUNS / 8 * 8);
    uint32_t count[8][256];
    uint64_t least;
    unsigned run, unit, best = 1;
    size_t i, n;
    memset(count, 0, sizeof count);
    for (run = 0; run < WCODECI_GUESS_RUNS; run++) {
        const size_t start = (size_t)((uint64_t)(size - run_size) * run / (WCODECI_GUESS_RUNS - 1)) / 8 * 8;
        for (i = 0; i < run_size; i++) count[i & 7][src[start + i]]++;
    }
    n = WCODECI_GUESS_RUNS * run_size;
    least = wcodeci_guess_entropy(count, n, 1);
    for (unit = 2; unit <= 8; unit *= 2) {
        const uint64_t bits = wcodeci_guess_entropy(count, n, unit);
        if (bits + n / 16 >= least) continue;
        least = bits;
        best = unit;
    }
    return best;
}

/* Whose numbers are of such a unit, the likeliest first.  Where they do not begin at the tile's start, the words
 * of the integers keep their bytes apart all the same. */
static const wcodeci_byte wcodeci_guesses[4][3] = {
    { WCODEC_BYTES, WCODEC_BYTES, WCODEC_BYTES },
    { WCODEC_BF16, WCODEC_F16, WCODEC_I16 },
    { WCODEC_F32, WCODEC_I32, WCODEC_BYTES },
    { WCODEC_F64, WCODEC_I64, WCODEC_BYTES }
};

#endif
