/* wcodec analyze: how much there is to gain in every tensor, and what each coder makes of it. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "page.h"

typedef struct job {
    cli_input in;
    measure m;
    const wcodec_plan *plan;
    uint64_t done, total[MEASURE_CHOICES];
    wcodec_estimate_options estimating;
    wcodec_estimate sum;        /* of all estimates; compress: how many tensors it pays for */
    uint64_t best_ns;           /* for loading each tensor the faster way */
    cli_json json;
    int as_json, any_sampled;
    page *page;                 /* NULL: none is wanted */
    int page_on_stdout;         /* and nothing else there */
} job;

/* ---- output ---- */

static void json_costs(cli_json *json, const char *key, const uint64_t *bytes)
{
    unsigned k;
    cli_json_open(json, key, '{');
    for (k = 0; k < MEASURE_CHOICES; k++) cli_json_uint(json, measure_choice_keys[k], bytes[k]);
    cli_json_close(json, '}');
}

static void json_planes(cli_json *json, const measure_layout *l, const measure_entropies *e)
{
    unsigned k;
    cli_json_open(json, "planes", '[');
    for (k = 0; k < l->planes; k++) {
        cli_json_open(json, NULL, '{');
        cli_json_string(json, "plane", l->plane[k].what);
        cli_json_uint(json, "width", l->plane[k].width);
        cli_json_real(json, "entropy", e->plane[k]);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

/* Times in seconds; those of loading are there if the speed of the disk is known. */
static void json_estimate(cli_json *json, const char *key, const wcodec_estimate *e)
{
    cli_json_open(json, key, '{');
    cli_json_uint(json, "bytes", e->coded);
    cli_json_real(json, "ratio", cli_ratio(e->coded, e->size));
    cli_json_bool(json, "exact", e->exact);
    cli_json_real(json, "decode_seconds", (double)e->decode_ns * 1e-9);
    if (e->raw_load_ns != 0) {
        cli_json_real(json, "raw_load_seconds", (double)e->raw_load_ns * 1e-9);
        cli_json_real(json, "coded_load_seconds", (double)e->coded_load_ns * 1e-9);
    }
    cli_json_close(json, '}');
}

static void json_tensor(cli_json *json, const wcodec_segment *s, const measure_layout *l,
                        const measure_entropies *e, const measure_costs *cost, const wcodec_estimate *estimate)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "name", s->name, s->name_size);
    cli_json_string(json, "dtype", cli_dtype(s));
    cli_json_shape(json, "shape", s);
    cli_json_uint(json, "bytes", s->size);
    cli_json_open(json, "entropy", '{');
    cli_json_real(json, "global", e->global);
    cli_json_real(json, "conditional", e->conditional);
    cli_json_real(json, "high_byte", e->high);
    cli_json_real(json, "low_byte", e->low);
    cli_json_real(json, "exponent", e->exponent);
    cli_json_real(json, "residual", e->residual);
    cli_json_real(json, "residual_exponent", e->residual_exponent);
    cli_json_close(json, '}');
    json_planes(json, l, e);
    json_costs(json, "cost", cost->bytes);
    cli_json_bool(json, "sampled", cost->sampled);
    json_estimate(json, "estimate", estimate);
    cli_json_bool(json, "compress", estimate->compress);
    cli_json_close(json, '}');
}

static void print_number(double value, int width, int digits)
{
    if (isnan(value)) printf(" %*s", width, "-");
    else printf(" %*.*f", width, digits, value);
}

static void print_ratios(const uint64_t *bytes, uint64_t size)
{
    size_t i;
    for (i = 0; i < MEASURE_COLUMNS; i++) {
        print_number(cli_ratio(bytes[measure_columns[i].choice], size), 6, 4);
    }
}

static void print_estimate(const wcodec_estimate *e, const char *load)
{
    print_number(cli_ratio(e->coded, e->size), 7, 4);
    print_number((double)e->decode_ns * 1e-6, 8, 3);
    printf("%s%s", load[0] != '\0' ? "  " : "", load);
}

static const char *load_of(const job *j, const wcodec_estimate *e)
{
    return j->estimating.disk_bytes_per_s == 0 ? "" : e->compress ? "coded" : "raw";
}

static void print_table_head(const job *j)
{
    size_t i;
    printf("%-36s %-6s %11s %5s %6s %5s %5s %5s %6s %6s ", "tensor", "dtype", "bytes", "H", "H|prev", "high",
           "low", "exp", "d high", "d exp");
    for (i = 0; i < MEASURE_COLUMNS; i++) printf(" %6s", measure_columns[i].head);
    printf(" %7s %8s%s\n", "est", "ms", j->estimating.disk_bytes_per_s == 0 ? "" : "  load");
}

static void print_tensor(const job *j, const wcodec_segment *s, const measure_entropies *e,
                         const measure_costs *cost, const wcodec_estimate *estimate)
{
    if (s->name_size == 0) printf("%-36s", "-");
    else cli_print_name(stdout, s->name, s->name_size, 36, 1);
    printf(" %-6.6s %11" PRIu64, cli_dtype(s), s->size);
    print_number(e->global, 5, 3);
    print_number(e->conditional, 6, 3);
    print_number(e->high, 5, 3);
    print_number(e->low, 5, 3);
    print_number(e->exponent, 5, 3);
    print_number(e->residual, 6, 3);
    print_number(e->residual_exponent, 6, 3);
    printf(" ");
    print_ratios(cost->bytes, s->size);
    print_estimate(estimate, load_of(j, estimate));
    printf("%s\n", cost->sampled ? " ~" : "");
}

/* ---- the command ---- */

static int estimate_segment(job *j, const wcodec_segment *s, wcodec_estimate *e)
{
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_status status = wcodec_estimate_segment(s, &j->in.source, &j->estimating, e, &err);
    if (status != WCODEC_OK) return cli_fail_library(&j->in, NULL, status, &err);
    j->sum.size += e->size;
    j->sum.coded += e->coded;
    j->sum.decode_ns += e->decode_ns;
    j->sum.raw_load_ns += e->raw_load_ns;
    j->sum.coded_load_ns += e->coded_load_ns;
    j->sum.exact &= e->exact;
    j->sum.compress += e->compress;
    j->best_ns += e->compress ? e->coded_load_ns : e->raw_load_ns;
    return CLI_OK;
}

static int analyze_segment(job *j, size_t i)
{
    const wcodec_segment *s = &j->plan->segments[i];
    measure_layout l = measure_find_layout(s);
    measure_entropies e;
    measure_costs cost;
    wcodec_estimate estimate;
    unsigned k;
    int result = measure_entropies_of(&j->m, s, &l, &e);
    if (result == CLI_OK) result = measure_costs_of(&j->m, s, &l, &cost);
    if (result == CLI_OK) result = estimate_segment(j, s, &estimate);
    if (result != CLI_OK) return result;
    for (k = 0; k < MEASURE_CHOICES; k++) j->total[k] += cost.bytes[k];
    j->any_sampled |= cost.sampled;
    if (j->page != NULL) page_segment(j->page, i, &l, &e, &cost, &estimate, j->m.count);
    if (j->as_json) json_tensor(&j->json, s, &l, &e, &cost, &estimate);
    else if (!j->page_on_stdout) print_tensor(j, s, &e, &cost, &estimate);
    j->done += s->size;
    cli_progress_update(j->done, j->plan->size);
    return CLI_OK;
}

static int analyze_segments(job *j)
{
    size_t i;
    for (i = 0; i < j->plan->count; i++) {
        int result = analyze_segment(j, i);
        if (result != CLI_OK) return result;
    }
    return CLI_OK;
}

static int analyze_as_json(job *j)
{
    int result;
    cli_json_begin(&j->json, stdout, 1);
    cli_json_open(&j->json, NULL, '{');
    cli_json_string(&j->json, "file", j->in.name);
    cli_json_uint(&j->json, "original_bytes", j->plan->size);
    cli_json_string(&j->json, "format", j->plan->format);
    cli_json_open(&j->json, "tensors", '[');
    result = analyze_segments(j);
    if (result != CLI_OK) return result;
    cli_json_close(&j->json, ']');
    json_costs(&j->json, "total_cost", j->total);
    cli_json_bool(&j->json, "sampled", j->any_sampled);
    json_estimate(&j->json, "total_estimate", &j->sum);
    cli_json_uint(&j->json, "compress", (uint64_t)j->sum.compress);
    if (j->estimating.disk_bytes_per_s != 0) {
        cli_json_real(&j->json, "best_load_seconds", (double)j->best_ns * 1e-9);
    }
    cli_json_close(&j->json, '}');
    return CLI_OK;
}

static int analyze_as_table(job *j)
{
    int result;
    print_table_head(j);
    result = analyze_segments(j);
    if (result != CLI_OK) return result;
    printf("%-36s %-6s %11" PRIu64 "%*s", "all", "", j->plan->size, 47, "");
    print_ratios(j->total, j->plan->size);
    print_estimate(&j->sum, "");
    printf("%s\n", j->any_sampled ? " ~" : "");
    if (j->estimating.disk_bytes_per_s != 0) {
        printf("at %" PRIu64 " MB/s: raw %.3f s, coded %.3f s, the faster for each %.3f s (%d of %zu coded)\n",
               j->estimating.disk_bytes_per_s / 1000000, (double)j->sum.raw_load_ns * 1e-9,
               (double)j->sum.coded_load_ns * 1e-9, (double)j->best_ns * 1e-9, j->sum.compress, j->plan->count);
    }
    return CLI_OK;
}

static int analyze_plan(job *j, const cli_options *opt)
{
    int result = measure_open(&j->m, &j->in, opt->threads);
    if (result != CLI_OK) return result;
    /* The table is its own progress. */
    cli_progress_begin(j->in.name, !j->as_json && !j->page_on_stdout);
    if (j->as_json) result = analyze_as_json(j);
    else if (j->page_on_stdout) result = analyze_segments(j);
    else result = analyze_as_table(j);
    cli_progress_end();
    if (result == CLI_OK) result = cli_flush_stdout();
    if (result == CLI_OK && j->page != NULL) result = page_finish(j->page, &j->m, j->total, j->any_sampled, &j->sum);
    measure_close(&j->m);
    return result;
}

static int analyze(job *j, const cli_options *opt)
{
    wcodec_plan_options options = wcodec_plan_defaults();
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_plan *plan;
    wcodec_status status;
    int result = cli_input_seekable(&j->in);
    if (result != CLI_OK) return result;
    options.dtype = opt->dtype;
    options.row = opt->row;
    status = wcodec_plan_open(&plan, &j->in.source, &options, &err);
    if (status != WCODEC_OK) return cli_fail_library(&j->in, NULL, status, &err);
    j->plan = plan;
    if (cli_has(opt, CLI_OPT_HTML)) result = page_open(&j->page, opt, &j->in, plan);
    if (result == CLI_OK) result = analyze_plan(j, opt);
    page_close(j->page);
    wcodec_plan_close(plan);
    return result;
}

static int check_options(const cli_options *opt)
{
    static const struct { unsigned bit; const char *name; } of_the_page[] = {
        { CLI_OPT_FORCE, "-f" }, { CLI_OPT_PEERS, "--peers" }
    };
    size_t i;
    for (i = 0; i < sizeof of_the_page / sizeof of_the_page[0]; i++) {
        if (cli_has(opt, of_the_page[i].bit) && !cli_has(opt, CLI_OPT_HTML)) {
            return cli_usage("analyze: %s needs --html", of_the_page[i].name);
        }
    }
    if (cli_has(opt, CLI_OPT_JSON) && cli_has(opt, CLI_OPT_HTML) && strcmp(opt->html, "-") == 0) {
        return cli_usage("analyze: --json and the page cannot both go to standard output");
    }
    return CLI_OK;
}

int cmd_analyze(const cli_options *opt)
{
    job j;
    int result = check_options(opt);
    if (result != CLI_OK) return result;
    memset(&j, 0, sizeof j);
    j.as_json = cli_has(opt, CLI_OPT_JSON);
    j.estimating = wcodec_estimate_defaults();
    j.estimating.tile.profile = opt->profile;
    j.estimating.disk_bytes_per_s = opt->disk * 1000000;
    j.sum.exact = 1;
    j.page_on_stdout = cli_has(opt, CLI_OPT_HTML) && strcmp(opt->html, "-") == 0;
    result = cli_input_open(&j.in, opt->path[0]);
    if (result != CLI_OK) return result;
    result = analyze(&j, opt);
    cli_input_close(&j.in);
    return result;
}
