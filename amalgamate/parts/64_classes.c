/* ------------------------------------------------------------------------------------------------
 * Classes of a plane by the first one (private): which contexts share a table
 *
 * A context is a scale's quarter and a value of the first plane less its scale.  What there is to gain is one
 * slope: where the first plane holds exponents, the mantissas of those above the usual ones lean to small values.
 * So contexts are put in order by the mean of what follows them, and neighbours are joined.
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_CONTEXTS (16 * WCODECI_CLASSES)
#define WCODECI_CONTEXT_MODE 9          /* where the commonest value of a wide first plane stands among 16 */

/* How often value s of a plane of at most 4 bits follows a context. */
typedef struct wcodeci_context_counts {
    uint32_t count[WCODECI_CONTEXTS][16];
    size_t shown;
} wcodeci_context_counts;

/* Bits, in 1/65536, of values of which each of 16 occurs so often in a or b. */
static uint64_t wcodeci_bits16(const uint32_t a[16], const uint32_t b[16])
{
    uint32_t n = 0;
    uint64_t sum = 0;
    unsigned s;
    for (s = 0; s < 16; s++) {
        const uint32_t both = a[s] + b[s];
        n += both;
        if (both) sum += (uint64_t)both * wcodeci_log2(both);
    }
    return n ? (uint64_t)n * wcodeci_log2(n) - sum : 0;
}

/* The mean value, in 1/4096. */
static uint32_t wcodeci_mean16(const uint32_t count[16])
{
    uint64_t n = 0, sum = 0;
    unsigned s;
    for (s = 0; s < 16; s++) {
        n += count[s];
        sum += (uint64_t)count[s] * s;
    }
    return (uint32_t)(n ? sum * 4096 / n : 0);
}

/* Contexts on their way to classes: a list of runs, each with the counts of all that it holds. */
typedef struct wcodeci_context_runs {
    uint32_t count[WCODECI_CONTEXTS][16];
    uint64_t alone[WCODECI_CONTEXTS], loss[WCODECI_CONTEXTS];      /* loss: of joining with the next run */
    wcodeci_byte context[WCODECI_CONTEXTS];     /* in order; those that occur */
    wcodeci_byte end[WCODECI_CONTEXTS];         /* of a run in `context` */
    unsigned runs, contexts;
} wcodeci_context_runs;

static void wcodeci_runs_loss(wcodeci_context_runs *r, unsigned i)
{
    if (i + 1 < r->runs)
        r->loss[i] = wcodeci_bits16(r->count[i], r->count[i + 1]) - r->alone[i] - r->alone[i + 1];
}

static void wcodeci_runs_make(const wcodeci_context_counts *counts, wcodeci_context_runs *r)
{
    static const uint32_t none[16] = { 0 };
    uint32_t mean[WCODECI_CONTEXTS];
    unsigned k, i, s;
    r->contexts = 0;
    for (k = 0; k < WCODECI_CONTEXTS; k++) {
        const uint32_t m = wcodeci_mean16(counts->count[k]);
        uint32_t n = 0;
        for (s = 0; s < 16; s++) n += counts->count[k][s];
        if (!n) continue;
        for (i = r->contexts++; i > 0 && mean[i - 1] > m; i--) {
            mean[i] = mean[i - 1];
            r->context[i] = r->context[i - 1];
        }
        mean[i] = m;
        r->context[i] = (wcodeci_byte)k;
    }
    r->runs = r->contexts;
    for (i = 0; i < r->runs; i++) {
        memcpy(r->count[i], counts->count[r->context[i]], sizeof r->count[i]);
        r->alone[i] = wcodeci_bits16(r->count[i], none);
        r->end[i] = (wcodeci_byte)(i + 1);
    }
    for (i = 0; i < r->runs; i++) wcodeci_runs_loss(r, i);
}

/* Joins runs, the two that lose least first, until each can be a class. */
static void wcodeci_runs_join(wcodeci_context_runs *r)
{
    while (r->runs > WCODECI_CLASSES) {
        unsigned i, least = 0, s;
        for (i = 1; i + 1 < r->runs; i++)
            if (r->loss[i] < r->loss[least]) least = i;
        r->alone[least] += r->loss[least] + r->alone[least + 1];
        for (s = 0; s < 16; s++) r->count[least][s] += r->count[least + 1][s];
        r->end[least] = r->end[least + 1];
        r->runs--;
        for (i = least + 1; i < r->runs; i++) {
            memcpy(r->count[i], r->count[i + 1], sizeof r->count[i]);
            r->alone[i] = r->alone[i + 1];
            r->loss[i] = r->loss[i + 1];
            r->end[i] = r->end[i + 1];
        }
        if (least) wcodeci_runs_loss(r, least - 1);
        wcodeci_runs_loss(r, least);
    }
}

/* A model of n values by classes of their contexts; what it takes, or (size_t)-1.  `runs`: memory. */
static size_t wcodeci_contexts_prepare(const wcodeci_context_counts *counts, size_t n, unsigned unit,
                                       wcodeci_context_runs *runs, wcodeci_rans16_model *model)
{
    uint32_t count[WCODECI_CLASSES][256];
    wcodeci_byte class_of[WCODECI_CONTEXTS];
    unsigned c, i = 0;
    size_t size;
    wcodeci_runs_make(counts, runs);
    wcodeci_runs_join(runs);
    memset(count, 0, sizeof count);
    memset(class_of, 0, sizeof class_of);
    for (c = 0; c < runs->runs; c++) {
        memcpy(count[c], runs->count[c], sizeof runs->count[c]);
        for (; i < runs->end[c]; i++) class_of[runs->context[i]] = (wcodeci_byte)c;
    }
    size = wcodeci_classes_prepare(count, counts->shown, n, unit, model);
    model->mapped = 1;
    memcpy(model->map.class_of, class_of, sizeof class_of);
    return size;
}

#endif
