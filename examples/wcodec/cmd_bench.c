/* wcodec bench: encode, decode and memcpy of the same bytes, in memory, on one thread, in one run.  Encoding is
 * timed without the SHA-256 of the original and with it, which is a pass of its own over all bytes.
 * The rounds are interleaved, so that a busy machine is busy for all of them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define LEAST_ROUNDS 5
#define MOST_ROUNDS 200
#define LEAST_SECONDS 1.0       /* of each kind of work in all, unless it takes MOST_ROUNDS */
#define LEAST_SAMPLE 0.005      /* seconds; shorter work is repeated within a round */

enum { MEMCPY, DECODE, DECODE_NO_CRC, ENCODE, ENCODE_SHA256, KINDS };
static const char *const kind_names[KINDS] = { "memcpy", "decode", "decode, no CRC", "encode, no SHA-256",
                                               "encode, SHA-256" };
static const char *const kind_keys[KINDS] = { "memcpy_mbps", "decode_mbps", "decode_nocrc_mbps",
                                              "encode_mbps", "encode_sha256_mbps" };

typedef struct samples {
    double mbps[MOST_ROUNDS];
    unsigned count;
    unsigned repeat;            /* calls a sample */
    double seconds;             /* in all */
} samples;

typedef struct buffer {
    unsigned char *data;
    size_t size, capacity;
} buffer;

typedef struct job {
    const cli_options *opt;
    cli_input in;
    size_t size;
    unsigned char *original, *decoded;
    buffer container, hashed;   /* without the SHA-256 of the original, and with it */
    wcodec_reader *reader, *reader_no_crc;
    void *scratch;
    size_t scratch_size;
    wcodec_status status;       /* of the first call that failed */
    wcodec_error err;
    samples kind[KINDS];
} job;

/* ---- the work ---- */

static wcodec_status append(void *user, const void *src, size_t size)
{
    buffer *b = (buffer *)user;
    if (size > b->capacity - b->size) {
        size_t capacity = 2 * (b->size + size);
        unsigned char *grown = (unsigned char *)realloc(b->data, capacity);
        if (grown == NULL) return WCODEC_E_NO_MEMORY;
        b->data = grown;
        b->capacity = capacity;
    }
    memcpy(b->data + b->size, src, size);
    b->size += size;
    return WCODEC_OK;
}

static wcodec_status write_container(job *j, buffer *to, const wcodec_source *source, const wcodec_plan *plan)
{
    wcodec_writer_options options = wcodec_writer_defaults();
    wcodec_sink sink;
    wcodec_writer *writer;
    wcodec_status status;
    sink.write = append;
    sink.user = to;
    options.no_sha256 = to == &j->container;
    options.tile.profile = j->opt->profile;
    options.tile.coders = cli_coder_mask(j->opt->coder);
    options.tile_units = (uint32_t)j->opt->tile;
    options.no_copies = cli_has(j->opt, CLI_OPT_NO_COPIES);
    options.features = plan->features;
    to->size = 0;
    status = wcodec_writer_open(&writer, &sink, &options, &j->err);
    if (status != WCODEC_OK) return status;
    status = wcodec_writer_file(writer, "", 0, source, plan, NULL, &j->err);
    if (status == WCODEC_OK) status = wcodec_writer_finish(writer, &j->err);
    wcodec_writer_close(writer);
    return status;
}

static wcodec_status encode(job *j, buffer *to)
{
    wcodec_source source = wcodec_source_memory(j->original, j->size);
    wcodec_plan_options options = wcodec_plan_defaults();
    wcodec_plan *plan;
    wcodec_status status;
    options.dtype = j->opt->dtype;
    options.row = j->opt->row;
    status = wcodec_plan_open(&plan, &source, &options, &j->err);
    if (status != WCODEC_OK) return status;
    status = write_container(j, to, &source, plan);
    wcodec_plan_close(plan);
    return status;
}

static wcodec_status work(job *j, unsigned kind)
{
    switch (kind) {
    case MEMCPY:
        memcpy(j->decoded, j->original, j->size);
        return WCODEC_OK;
    case DECODE:
        return wcodec_read(j->reader, 0, j->decoded, j->size, j->scratch, j->scratch_size, &j->err);
    case DECODE_NO_CRC:
        return wcodec_read(j->reader_no_crc, 0, j->decoded, j->size, j->scratch, j->scratch_size, &j->err);
    case ENCODE:
        return encode(j, &j->container);
    default:
        return encode(j, &j->hashed);
    }
}

/* ---- timing ---- */

static double time_calls(job *j, unsigned kind, unsigned calls)
{
    double start = cli_seconds();
    unsigned i;
    for (i = 0; i < calls && j->status == WCODEC_OK; i++) j->status = work(j, kind);
    return cli_seconds() - start;
}

static void choose_repeat(job *j, unsigned kind)
{
    double once = time_calls(j, kind, 1);
    j->kind[kind].repeat = once >= LEAST_SAMPLE ? 1 : (unsigned)(LEAST_SAMPLE / (once + 1e-7)) + 1;
}

static int needs_more(const samples *s)
{
    return s->count < LEAST_ROUNDS || (s->seconds < LEAST_SECONDS && s->count < MOST_ROUNDS);
}

static int one_round(job *j)
{
    unsigned kind;
    int any = 0;
    for (kind = 0; kind < KINDS; kind++) {
        samples *s = &j->kind[kind];
        double seconds;
        if (!needs_more(s)) continue;
        seconds = time_calls(j, kind, s->repeat);
        s->mbps[s->count++] = 1e-6 * (double)j->size * s->repeat / seconds;
        s->seconds += seconds;
        any = 1;
    }
    return any && j->status == WCODEC_OK;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double best(const samples *s)
{
    return s->mbps[s->count - 1];
}

static double median(const samples *s)
{
    return (s->mbps[s->count / 2] + s->mbps[(s->count - 1) / 2]) / 2;
}

static void measure(job *j)
{
    unsigned kind;
    for (kind = 0; kind < KINDS; kind++) choose_repeat(j, kind);
    while (j->status == WCODEC_OK && one_round(j)) continue;
    for (kind = 0; kind < KINDS; kind++) {
        qsort(j->kind[kind].mbps, j->kind[kind].count, sizeof(double), by_value);
    }
}

/* ---- output ---- */

static void print_json(const job *j)
{
    cli_json json;
    unsigned kind;
    cli_json_begin(&json, stdout, 1);
    cli_json_open(&json, NULL, '{');
    cli_json_string(&json, "file", j->in.name);
    cli_json_uint(&json, "original_bytes", j->size);
    cli_json_uint(&json, "container_bytes", j->container.size);
    cli_json_real(&json, "ratio", cli_ratio(j->container.size, j->size));
    cli_json_string(&json, "kernel", wcodec_cpu_kernels(0));
    cli_json_uint(&json, "threads", 1);
    for (kind = 0; kind < KINDS; kind++) cli_json_real(&json, kind_keys[kind], best(&j->kind[kind]));
    cli_json_real(&json, "decode_over_memcpy", best(&j->kind[DECODE]) / best(&j->kind[MEMCPY]));
    cli_json_real(&json, "decode_nocrc_over_memcpy", best(&j->kind[DECODE_NO_CRC]) / best(&j->kind[MEMCPY]));
    cli_json_open(&json, "median", '{');
    for (kind = 0; kind < KINDS; kind++) cli_json_real(&json, kind_keys[kind], median(&j->kind[kind]));
    cli_json_close(&json, '}');
    cli_json_open(&json, "rounds", '{');
    for (kind = 0; kind < KINDS; kind++) cli_json_uint(&json, kind_keys[kind], j->kind[kind].count);
    cli_json_close(&json, '}');
    cli_json_close(&json, '}');
}

static void print_table(const job *j)
{
    unsigned kind;
    cli_print_name(stdout, j->in.name, strlen(j->in.name), 60, 0);
    printf(": %zu -> %zu bytes (%.4f), kernel %s, one thread\n", j->size, j->container.size,
           cli_ratio(j->container.size, j->size), wcodec_cpu_kernels(0));
    printf("  %-18s %11s %12s %9s\n", "", "best MB/s", "median MB/s", "x memcpy");
    for (kind = 0; kind < KINDS; kind++) {
        const samples *s = &j->kind[kind];
        printf("  %-18s %11.1f %12.1f %9.3f\n", kind_names[kind], best(s), median(s),
               best(s) / best(&j->kind[MEMCPY]));
    }
}

/* ---- the command ---- */

static int fail(const job *j)
{
    return cli_fail_library(&j->in, NULL, j->status, &j->err);
}

static int open_readers(job *j)
{
    wcodec_source source = wcodec_source_memory(j->container.data, j->container.size);
    wcodec_reader_options options = wcodec_reader_defaults();
    j->status = wcodec_reader_open(&j->reader, &source, &options, &j->err);
    if (j->status != WCODEC_OK) return fail(j);
    options.no_crc = 1;
    j->status = wcodec_reader_open(&j->reader_no_crc, &source, &options, &j->err);
    if (j->status != WCODEC_OK) return fail(j);
    j->scratch_size = wcodec_reader_scratch(j->reader);
    j->scratch = malloc(j->scratch_size + 1);
    return j->scratch != NULL ? CLI_OK : cli_fail(j->in.name, "out of memory");
}

/* Encoding while the readers are open would move the container away below them, so encode writes the
 * same bytes over themselves: the container is deterministic, and its capacity is there already. */
static int run(job *j)
{
    int result;
    j->status = encode(j, &j->container);
    if (j->status != WCODEC_OK) return fail(j);
    result = open_readers(j);
    if (result != CLI_OK) return result;
    j->status = work(j, DECODE);
    if (j->status == WCODEC_OK && memcmp(j->original, j->decoded, j->size) != 0) {
        return cli_fail(j->in.name, "decoding does not give back the original");
    }
    measure(j);
    if (j->status != WCODEC_OK) return fail(j);
    if (cli_has(j->opt, CLI_OPT_JSON)) print_json(j);
    else print_table(j);
    return cli_flush_stdout();
}

static int load(job *j)
{
    size_t got;
    int result = cli_input_seekable(&j->in);
    if (result != CLI_OK) return result;
    if (j->in.source.size == 0) return cli_fail(j->in.name, "is empty: there is nothing to time");
    if (j->in.source.size > SIZE_MAX / 4) return cli_fail(j->in.name, "does not fit into memory");
    j->size = (size_t)j->in.source.size;
    j->container.capacity = j->hashed.capacity = j->size + j->size / 16 + 65536;
    j->original = (unsigned char *)malloc(j->size);
    j->decoded = (unsigned char *)malloc(j->size);
    j->container.data = (unsigned char *)malloc(j->container.capacity);
    j->hashed.data = (unsigned char *)malloc(j->hashed.capacity);
    if (j->original == NULL || j->decoded == NULL || j->container.data == NULL || j->hashed.data == NULL) {
        return cli_fail(j->in.name, "does not fit into memory");
    }
    /* Memory that has never been touched would be timed too. */
    memset(j->decoded, 1, j->size);
    memset(j->container.data, 1, j->container.capacity);
    memset(j->hashed.data, 1, j->hashed.capacity);
    j->status = j->in.source.read_at(&j->in, 0, j->original, j->size, &got);
    j->err.what = "the file cannot be read";
    if (j->status != WCODEC_OK) return fail(j);
    return got == j->size ? CLI_OK : cli_fail_at(j->in.name, got, "the file has become shorter");
}

static int bench(job *j)
{
    int result = load(j);
    if (result == CLI_OK) result = run(j);
    wcodec_reader_close(j->reader);
    wcodec_reader_close(j->reader_no_crc);
    free(j->scratch);
    free(j->original);
    free(j->decoded);
    free(j->container.data);
    free(j->hashed.data);
    return result;
}

int cmd_bench(const cli_options *opt)
{
    job *j = (job *)calloc(1, sizeof *j);
    int result;
    if (j == NULL) return cli_fail(opt->path[0], "out of memory");
    j->opt = opt;
    result = cli_input_open(&j->in, opt->path[0]);
    if (result == CLI_OK) {
        result = bench(j);
        cli_input_close(&j->in);
    }
    free(j);
    return result;
}
