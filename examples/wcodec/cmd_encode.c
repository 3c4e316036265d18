/* wcodec encode: a file to a container. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef struct job {
    const cli_options *opt;
    cli_input in;
    cli_base base;
    cli_output out;
    cli_pool pool;
    double start;
    uint64_t container_size;
} job;

/* ---- metadata: what people ask of a file.  No decoder needs it. ---- */

static void json_dtypes(cli_json *json, const wcodec_plan *plan)
{
    unsigned dtype;
    size_t i;
    cli_json_open(json, "dtypes", '{');
    for (dtype = 0; dtype < WCODEC_DTYPE_END; dtype++) {
        uint64_t bytes = 0;
        for (i = 0; i < plan->count; i++) {
            if (plan->segments[i].dtype == dtype) bytes += plan->segments[i].size;
        }
        if (bytes != 0) cli_json_uint(json, wcodec_dtype_name(dtype), bytes);
    }
    cli_json_close(json, '}');
}

/* Only what determines the container's bytes: neither time nor threads. */
static void json_recipe(cli_json *json, const cli_options *opt)
{
    cli_json_open(json, "recipe", '{');
    cli_json_string(json, "profile", cli_profile_names[opt->profile]);
    cli_json_string(json, "coder", cli_coder_names[opt->coder]);
    cli_json_uint(json, "tile", opt->tile != 0 ? opt->tile
                                : opt->profile == WCODEC_PROFILE_FAST ? 65536 : 262144);
    if (cli_has(opt, CLI_OPT_DTYPE)) cli_json_string(json, "dtype", wcodec_dtype_name(opt->dtype));
    if (cli_has(opt, CLI_OPT_ROW)) cli_json_uint(json, "row", opt->row);
    if (cli_has(opt, CLI_OPT_NO_COPIES)) cli_json_bool(json, "no_copies", 1);
    cli_json_close(json, '}');
}

static uint64_t count_tensors(const wcodec_plan *plan)
{
    uint64_t tensors = 0;
    size_t i;
    for (i = 0; i < plan->count; i++) tensors += plan->segments[i].name_size != 0;
    return tensors;
}

static const char *original_name(const cli_options *opt)
{
    if (cli_has(opt, CLI_OPT_NAME)) return opt->name;
    return strcmp(opt->path[0], "-") == 0 ? "" : cli_base_name(opt->path[0]);
}

/* The text is the caller's to free; NULL if memory ran out. */
static char *make_metadata(const cli_options *opt, const wcodec_plan *plan, size_t *size)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, size);
    cli_json json;
    int failed;
    if (file == NULL) return NULL;
    cli_json_begin(&json, file, 0);
    cli_json_open(&json, NULL, '{');
    cli_json_string(&json, "creator", "wcodec " WCODEC_VERSION);
    cli_json_string(&json, "original", original_name(opt));
    cli_json_uint(&json, "original_bytes", plan->size);
    cli_json_string(&json, "format", plan->format);
    cli_json_uint(&json, "tensors", count_tensors(plan));
    json_dtypes(&json, plan);
    json_recipe(&json, opt);
    cli_json_close(&json, '}');
    failed = ferror(file);
    if (fclose(file) == 0 && !failed) return text;
    free(text);
    return NULL;
}

/* ---- encoding ---- */

static wcodec_status write_container(const cli_options *opt, const cli_input *in, const wcodec_plan *plan,
                                     const wcodec_sink *sink, const wcodec_writer_options *options,
                                     uint64_t *size, wcodec_error *err)
{
    const char *original = original_name(opt);
    wcodec_writer *writer;
    wcodec_status status = wcodec_writer_open(&writer, sink, options, err);
    if (status != WCODEC_OK) return status;
    status =
        wcodec_writer_file(writer, original, strlen(original), &in->source, plan, &cli_progress_hook, err);
    if (status == WCODEC_OK) status = wcodec_writer_finish(writer, err);
    *size = wcodec_writer_size(writer);
    wcodec_writer_close(writer);
    return status;
}

wcodec_status cli_encode(const cli_options *opt, const cli_input *in, const wcodec_plan *plan,
                         const cli_base *base, const cli_pool *pool, const wcodec_sink *sink, uint64_t *size,
                         wcodec_error *err)
{
    wcodec_writer_options options = wcodec_writer_defaults();
    wcodec_status status;
    char *metadata = make_metadata(opt, plan, &options.metadata_size);
    if (metadata == NULL) {
        err->what = "out of memory";
        return WCODEC_E_NO_MEMORY;
    }
    options.metadata = metadata;
    options.parallel = &pool->parallel;
    options.tile.profile = opt->profile;
    options.tile.coders = cli_coder_mask(opt->coder);
    options.tile_units = (uint32_t)opt->tile;
    if (base != NULL) {
        options.base = &base->source;
        options.base_facts = &base->facts;
    }
    options.no_copies = cli_has(opt, CLI_OPT_NO_COPIES);
    options.features = plan->features;
    status = write_container(opt, in, plan, sink, &options, size, err);
    free(metadata);
    return status;
}

/* Which tensors are coded against the base.  Where none is, the container does not need it. */
static int plan_base(job *j, wcodec_plan *plan)
{
    wcodec_estimate_options options = wcodec_estimate_defaults();
    int result;
    if (!cli_has(j->opt, CLI_OPT_BASE)) return CLI_OK;
    options.tile.profile = j->opt->profile;
    options.tile.coders = cli_coder_mask(j->opt->coder);
    options.tile_units = (uint32_t)j->opt->tile;
    result = cli_base_plan(&j->base, &j->in, plan, &options);
    return result == CLI_OK && j->base.used != 0 ? cli_base_hash(&j->base, cli_has(j->opt, CLI_OPT_QUIET)) : result;
}

static int encode_plan(job *j, const wcodec_plan *plan)
{
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_status status;
    cli_progress_begin(j->in.name, cli_has(j->opt, CLI_OPT_QUIET));
    status = cli_encode(j->opt, &j->in, plan, j->base.used != 0 ? &j->base : NULL, &j->pool, &j->out.sink,
                        &j->container_size, &err);
    if (cli_output_settle(&j->out) != WCODEC_OK) status = WCODEC_E_IO;      /* it came first */
    cli_progress_end();
    if (status != WCODEC_OK) return cli_fail_library(&j->in, &j->out, status, &err);
    return cli_output_commit(&j->out);
}

static int encode(job *j)
{
    wcodec_plan_options options = wcodec_plan_defaults();
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_plan *plan;
    wcodec_status status;
    int result = cli_input_seekable(&j->in);
    if (result != CLI_OK) return result;
    options.dtype = j->opt->dtype;
    options.row = j->opt->row;
    status = wcodec_plan_open(&plan, &j->in.source, &options, &err);
    if (status != WCODEC_OK) return cli_fail_library(&j->in, NULL, status, &err);
    cli_pool_open(&j->pool, j->opt->threads);
    result = plan_base(j, plan);
    if (result == CLI_OK) result = encode_plan(j, plan);
    cli_pool_close(&j->pool);
    wcodec_plan_close(plan);
    return result;
}

/* ---- what is said in the end ---- */

static void print_json(const job *j, double seconds)
{
    cli_json json;
    cli_json_begin(&json, stdout, 1);
    cli_json_open(&json, NULL, '{');
    cli_json_string(&json, "file", j->in.name);
    cli_json_string(&json, "container", j->out.name);
    cli_json_uint(&json, "original_bytes", j->in.source.size);
    cli_json_uint(&json, "container_bytes", j->container_size);
    cli_json_real(&json, "ratio", cli_ratio(j->container_size, j->in.source.size));
    if (cli_has(j->opt, CLI_OPT_BASE)) {
        cli_json_uint(&json, "base_twins", j->base.found);
        cli_json_uint(&json, "base_tensors", j->base.used);
    }
    cli_json_real(&json, "seconds", seconds);
    cli_json_close(&json, '}');
}

static int report(const job *j)
{
    double seconds = cli_seconds() - j->start;
    FILE *file = strcmp(j->out.path, "-") == 0 ? stderr : stdout;
    if (cli_has(j->opt, CLI_OPT_JSON)) {
        print_json(j, seconds);
    } else if (!cli_has(j->opt, CLI_OPT_QUIET)) {
        cli_print_name(file, j->in.name, strlen(j->in.name), 60, 0);
        fprintf(file, ": %" PRIu64 " -> %" PRIu64 " bytes", j->in.source.size, j->container_size);
        if (j->in.source.size != 0) fprintf(file, " (%.4f)", cli_ratio(j->container_size, j->in.source.size));
        fprintf(file, ", %.2f s", seconds);
        if (cli_has(j->opt, CLI_OPT_BASE)) {
            fprintf(file, "; %zu tensors are in the base too, %zu say what they differ from it", j->base.found,
                    j->base.used);
            if (j->base.used == 0) fprintf(file, ": the container does not need it");
        }
        fprintf(file, "\n");
    }
    return cli_flush_stdout();
}

int cmd_encode(const cli_options *opt)
{
    job j;
    int result;
    if (cli_has(opt, CLI_OPT_JSON) && strcmp(opt->path[1], "-") == 0) {
        return cli_usage("encode: --json and the container cannot both go to standard output");
    }
    memset(&j, 0, sizeof j);
    j.opt = opt;
    j.start = cli_seconds();
    result = cli_input_open(&j.in, opt->path[0]);
    if (result != CLI_OK) return result;
    if (cli_has(opt, CLI_OPT_BASE)) result = cli_base_open(&j.base, opt->base);
    if (result == CLI_OK) result = cli_output_open(&j.out, opt->path[1], cli_has(opt, CLI_OPT_FORCE), &j.in);
    if (result == CLI_OK) {
        result = encode(&j);
        cli_output_close(&j.out);
        if (result == CLI_OK) result = report(&j);
    }
    cli_base_close(&j.base);
    cli_input_close(&j.in);
    return result;
}
