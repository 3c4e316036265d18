/* wcodec encode: a file to a container, or several. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cli.h"

typedef struct input_file {
    cli_input in;
    wcodec_plan *plan;
} input_file;

typedef struct job {
    const cli_options *opt;
    const char *target;         /* the path of the container */
    cli_paths shards;           /* that an index named */
    char **path;
    input_file *file;           /* `count` of them, of which `open` are open */
    cli_part *part;
    size_t count, open;
    cli_base base;
    cli_output out;
    cli_pool pool;
    double start;
    uint64_t bytes, container_size;
} job;

/* ---- metadata: what people ask of a file.  No decoder needs it. ---- */

static void json_dtypes(cli_json *json, const cli_part *parts, size_t count)
{
    unsigned dtype;
    size_t i, k;
    cli_json_open(json, "dtypes", '{');
    for (dtype = 0; dtype < WCODEC_DTYPE_END; dtype++) {
        uint64_t bytes = 0;
        for (k = 0; k < count; k++) {
            const wcodec_plan *plan = parts[k].plan;
            for (i = 0; i < plan->count; i++) {
                if (plan->segments[i].dtype == dtype) bytes += plan->segments[i].size;
            }
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

static uint64_t count_tensors(const cli_part *parts, size_t count)
{
    uint64_t tensors = 0;
    size_t i, k;
    for (k = 0; k < count; k++) {
        for (i = 0; i < parts[k].plan->count; i++) tensors += parts[k].plan->segments[i].name_size != 0;
    }
    return tensors;
}

static uint64_t count_bytes(const cli_part *parts, size_t count)
{
    uint64_t bytes = 0;
    size_t k;
    for (k = 0; k < count; k++) bytes += parts[k].plan->size;
    return bytes;
}

const char *cli_part_name(const cli_options *opt)
{
    if (cli_has(opt, CLI_OPT_NAME)) return opt->name;
    return strcmp(opt->path[0], "-") == 0 ? "" : cli_base_name(opt->path[0]);
}

/* The text is the caller's to free; NULL if memory ran out. */
static char *make_metadata(const cli_options *opt, const cli_part *parts, size_t count, size_t *size)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, size);
    cli_json json;
    int failed;
    if (file == NULL) return NULL;
    cli_json_begin(&json, file, 0);
    cli_json_open(&json, NULL, '{');
    cli_json_string(&json, "creator", "wcodec " WCODEC_VERSION);
    if (count == 1) cli_json_string(&json, "original", parts[0].name);
    else cli_json_uint(&json, "originals", count);
    cli_json_uint(&json, "original_bytes", count_bytes(parts, count));
    if (count == 1) cli_json_string(&json, "format", parts[0].plan->format);
    cli_json_uint(&json, "tensors", count_tensors(parts, count));
    json_dtypes(&json, parts, count);
    json_recipe(&json, opt);
    cli_json_close(&json, '}');
    failed = ferror(file);
    if (fclose(file) == 0 && !failed) return text;
    free(text);
    return NULL;
}

/* ---- encoding ---- */

/* Of all files, while one of them is written. */
typedef struct progress {
    uint64_t before, total;
} progress;

static int on_progress(void *user, uint64_t done, uint64_t total)
{
    const progress *p = (const progress *)user;
    (void)total;
    cli_progress_update(p->before + done, p->total);
    return 0;
}

/* A wcodec_reread: bytes of files that have been written, which are still open. */
typedef struct written {
    const cli_part *parts;
    size_t count;
} written;

static wcodec_status reread(void *user, uint64_t offset, void *dst, size_t size)
{
    const written *w = (const written *)user;
    unsigned char *to = (unsigned char *)dst;
    size_t i, got;
    for (i = 0; i < w->count && size > 0; i++) {
        const wcodec_source *source = &w->parts[i].in->source;
        const uint64_t there = w->parts[i].plan->size;
        const size_t take = offset < there && there - offset < size ? (size_t)(there - offset) : size;
        if (offset >= there) {
            offset -= there;
            continue;
        }
        if (source->read_at(source->user, offset, to, take, &got) != WCODEC_OK || got != take) return WCODEC_E_IO;
        to += take;
        size -= take;
        offset = 0;
    }
    return size == 0 ? WCODEC_OK : WCODEC_E_IO;
}

static wcodec_status write_container(const cli_part *parts, size_t count, const wcodec_sink *sink,
                                     const wcodec_writer_options *options, uint64_t *size, size_t *at,
                                     wcodec_error *err)
{
    progress done = { 0, 0 };
    wcodec_progress hook;
    wcodec_writer *writer;
    wcodec_status status = wcodec_writer_open(&writer, sink, options, err);
    if (status != WCODEC_OK) return status;
    hook.fn = on_progress;
    hook.user = &done;
    done.total = count_bytes(parts, count);
    for (; *at < count && status == WCODEC_OK; ++*at) {
        const cli_part *part = &parts[*at];
        status = wcodec_writer_file(writer, part->name, strlen(part->name), &part->in->source, part->plan, &hook, err);
        if (status != WCODEC_OK) break;
        done.before += part->plan->size;
    }
    if (status == WCODEC_OK) status = wcodec_writer_finish(writer, err);
    *size = wcodec_writer_size(writer);
    wcodec_writer_close(writer);
    return status;
}

wcodec_status cli_encode(const cli_options *opt, const cli_part *parts, size_t count, const cli_base *base,
                         const cli_pool *pool, const wcodec_sink *sink, uint64_t *size, size_t *at,
                         wcodec_error *err)
{
    wcodec_writer_options options = wcodec_writer_defaults();
    wcodec_status status;
    written files;
    size_t i;
    char *metadata = make_metadata(opt, parts, count, &options.metadata_size);
    *at = 0;
    if (metadata == NULL) {
        err->what = "out of memory";
        return WCODEC_E_NO_MEMORY;
    }
    options.metadata = metadata;
    options.parallel = &pool->parallel;
    options.tile.profile = opt->profile;
    options.tile.coders = cli_coder_mask(opt->coder);
    options.tile_units = (uint32_t)opt->tile;
    files.parts = parts;
    files.count = count;
    options.reread.fn = reread;
    options.reread.user = &files;
    if (base != NULL) {
        options.base = &base->source;
        options.base_facts = &base->facts;
    }
    options.no_copies = cli_has(opt, CLI_OPT_NO_COPIES);
    for (i = 0; i < count; i++) options.features |= parts[i].plan->features;
    status = write_container(parts, count, sink, &options, size, at, err);
    if (*at == count) *at = count - 1;
    free(metadata);
    return status;
}

static int encode(job *j)
{
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_status status;
    size_t at;
    cli_progress_begin(j->count == 1 ? j->file[0].in.name : j->target, cli_has(j->opt, CLI_OPT_QUIET));
    status = cli_encode(j->opt, j->part, j->count, j->base.used != 0 ? &j->base : NULL, &j->pool, &j->out.sink,
                        &j->container_size, &at, &err);
    if (cli_output_settle(&j->out) != WCODEC_OK) status = WCODEC_E_IO;      /* it came first */
    cli_progress_end();
    if (status != WCODEC_OK) return cli_fail_library(&j->file[at].in, &j->out, status, &err);
    return cli_output_commit(&j->out);
}

/* ---- the files that go in ---- */

static int make_plan(const job *j, input_file *file)
{
    wcodec_plan_options options = wcodec_plan_defaults();
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_status status;
    if (cli_has(j->opt, CLI_OPT_PLAN)) return cli_plan_file(&file->plan, j->opt->plan, &file->in);
    options.dtype = j->opt->dtype;
    options.row = j->opt->row;
    status = wcodec_plan_open(&file->plan, &file->in.source, &options, &err);
    return status == WCODEC_OK ? CLI_OK : cli_fail_library(&file->in, NULL, status, &err);
}

static int plan_files(job *j)
{
    size_t i;
    for (i = 0; i < j->count; i++) {
        input_file *file = &j->file[i];
        int result = cli_input_seekable(&file->in);
        if (result == CLI_OK) result = make_plan(j, file);
        if (result != CLI_OK) return result;
        j->part[i].in = &file->in;
        j->part[i].plan = file->plan;
        j->bytes += file->plan->size;
    }
    return CLI_OK;
}

/* Which tensors are coded against the base.  Where none is, the container does not need it. */
static int plan_base(job *j)
{
    wcodec_estimate_options options = wcodec_estimate_defaults();
    int result = CLI_OK;
    size_t i;
    if (!cli_has(j->opt, CLI_OPT_BASE)) return CLI_OK;
    options.tile.profile = j->opt->profile;
    options.tile.coders = cli_coder_mask(j->opt->coder);
    options.tile_units = (uint32_t)j->opt->tile;
    for (i = 0; i < j->count && result == CLI_OK; i++) {
        result = cli_base_plan(&j->base, &j->file[i].in, j->file[i].plan, &options);
    }
    return result == CLI_OK && j->base.used != 0 ? cli_base_hash(&j->base, cli_has(j->opt, CLI_OPT_QUIET)) : result;
}

/* All files stay open, so that what is planned is what is written. */
static void allow_open_files(size_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= count + 100) return;
    limit.rlim_cur = limit.rlim_max < count + 100 ? limit.rlim_max : (rlim_t)(count + 100);
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_files(job *j)
{
    j->file = (input_file *)calloc(j->count, sizeof *j->file);
    j->part = (cli_part *)calloc(j->count, sizeof *j->part);
    if (j->file == NULL || j->part == NULL) return cli_fail(j->path[0], "out of memory");
    allow_open_files(j->count);
    for (; j->open < j->count; j->open++) {
        int result = cli_input_open(&j->file[j->open].in, j->path[j->open]);
        if (result != CLI_OK) return result;
        j->part[j->open].name = j->count == 1 ? cli_part_name(j->opt) : cli_base_name(j->path[j->open]);
    }
    return CLI_OK;
}

static void close_files(job *j)
{
    while (j->open > 0) {
        input_file *file = &j->file[--j->open];
        wcodec_plan_close(file->plan);
        cli_input_close(&file->in);
    }
    free(j->file);
    free(j->part);
    cli_paths_free(&j->shards);
}

/* Names are checked only where decode is going to need them. */
static int check_names(const job *j)
{
    cli_name *names;
    size_t i;
    int result;
    if (j->count == 1) return CLI_OK;
    if (cli_has(j->opt, CLI_OPT_NAME) || cli_has(j->opt, CLI_OPT_PLAN)) {
        return cli_usage("encode: --name and --plan are for a single file");
    }
    names = (cli_name *)calloc(j->count, sizeof *names);
    if (names == NULL) return cli_fail(j->target, "out of memory");
    for (i = 0; i < j->count; i++) {
        names[i].text = cli_base_name(j->path[i]);
        names[i].size = strlen(names[i].text);
        if (strcmp(j->path[i], "-") != 0) continue;
        free(names);
        return cli_usage("encode: standard input has no name, and cannot be one of several files");
    }
    result = cli_names_check(j->target, names, j->count);
    free(names);
    return result;
}

/* Which files: those given, or those that the index given names. */
static int find_files(job *j)
{
    int result = CLI_OK;
    j->target = j->opt->path[j->opt->paths - 1];
    j->path = j->opt->path;
    j->count = j->opt->paths - 1;
    if (j->count == 1 && !cli_has(j->opt, CLI_OPT_ALONE) && cli_is_shard_index(j->path[0])) {
        result = cli_shards(&j->shards, j->path[0]);
        if (result != CLI_OK) return result;
        j->path = j->shards.path;
        j->count = j->shards.count;
    }
    return check_names(j);
}

/* The first one cli_output_open looks at. */
static int check_target(const job *j)
{
    struct stat target, source;
    size_t i;
    if (stat(j->target, &target) != 0 || !S_ISREG(target.st_mode)) return CLI_OK;
    for (i = 1; i < j->count; i++) {
        if (fstat(j->file[i].in.fd, &source) == 0 && source.st_dev == target.st_dev &&
            source.st_ino == target.st_ino) {
            return cli_usage("%s is an input, and would be lost", j->target);
        }
    }
    return CLI_OK;
}

/* ---- what is said in the end ---- */

static void print_json(const job *j, double seconds)
{
    cli_json json;
    size_t i;
    cli_json_begin(&json, stdout, 1);
    cli_json_open(&json, NULL, '{');
    if (j->count == 1) {
        cli_json_string(&json, "file", j->file[0].in.name);
    } else {
        cli_json_open(&json, "files", '[');
        for (i = 0; i < j->count; i++) cli_json_string(&json, NULL, j->file[i].in.name);
        cli_json_close(&json, ']');
    }
    cli_json_string(&json, "container", j->out.name);
    cli_json_uint(&json, "original_bytes", j->bytes);
    cli_json_uint(&json, "container_bytes", j->container_size);
    cli_json_real(&json, "ratio", cli_ratio(j->container_size, j->bytes));
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
    FILE *file = strcmp(j->target, "-") == 0 ? stderr : stdout;
    if (cli_has(j->opt, CLI_OPT_JSON)) {
        print_json(j, seconds);
    } else if (!cli_has(j->opt, CLI_OPT_QUIET)) {
        const char *name = j->file[0].in.name;
        if (j->count == 1) cli_print_name(file, name, strlen(name), 60, 0);
        else fprintf(file, "%zu files", j->count);
        fprintf(file, ": %" PRIu64 " -> %" PRIu64 " bytes", j->bytes, j->container_size);
        if (j->bytes != 0) fprintf(file, " (%.4f)", cli_ratio(j->container_size, j->bytes));
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

static int run(job *j)
{
    int result = find_files(j);
    if (result == CLI_OK) result = open_files(j);
    if (result == CLI_OK) result = check_target(j);
    if (result == CLI_OK && cli_has(j->opt, CLI_OPT_BASE)) result = cli_base_open(&j->base, j->opt->base);
    if (result != CLI_OK) return result;
    result = cli_output_open(&j->out, j->target, cli_has(j->opt, CLI_OPT_FORCE), &j->file[0].in);
    if (result != CLI_OK) return result;
    result = plan_files(j);
    cli_pool_open(&j->pool, j->opt->threads);
    if (result == CLI_OK) result = plan_base(j);
    if (result == CLI_OK) result = encode(j);
    cli_pool_close(&j->pool);
    cli_output_close(&j->out);
    return result == CLI_OK ? report(j) : result;
}

int cmd_encode(const cli_options *opt)
{
    job j;
    int result;
    memset(&j, 0, sizeof j);
    j.opt = opt;
    j.start = cli_seconds();
    if (cli_has(opt, CLI_OPT_JSON) && strcmp(opt->path[opt->paths - 1], "-") == 0) {
        return cli_usage("encode: --json and the container cannot both go to standard output");
    }
    if (cli_has(opt, CLI_OPT_PLAN) && cli_has(opt, CLI_OPT_DTYPE)) {
        return cli_usage("encode: --plan says what --dtype would");
    }
    result = run(&j);
    close_files(&j);
    cli_base_close(&j.base);
    return result;
}
