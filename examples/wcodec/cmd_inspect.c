/* wcodec inspect: what a container says of itself.  Nothing is decoded: of every tile the first bytes
 * of its record are read, which name split, predictors, coders and sizes. */
#include <inttypes.h>
#include <string.h>

#include "cli.h"

typedef struct job {
    cli_input in;
    cli_container c;
    cli_tiles t;
} job;

/* ---- as JSON ---- */

static void json_counts(cli_json *json, const char *key, const uint64_t *count, unsigned size,
                        const char *(*name)(unsigned))
{
    unsigned i;
    cli_json_open(json, key, '{');
    for (i = 0; i < size; i++) {
        if (count[i] != 0) cli_json_uint(json, name(i), count[i]);
    }
    cli_json_close(json, '}');
}

static void json_sum(cli_json *json, const cli_plane_sum *sum)
{
    cli_json_uint(json, "tiles", sum->tiles);
    cli_json_uint(json, "values", sum->values);
    cli_json_uint(json, "bytes", sum->bytes);
    cli_json_real(json, "bits_per_value", cli_plane_bits(sum));
    json_counts(json, "predictors", sum->predictor, WCODEC_PREDICT_COUNT, wcodec_predictor_name);
}

static void json_base(cli_json *json, const wcodec_reader_info *info)
{
    char sha256[65];
    if (!info->needs_base) {
        cli_json_null(json, "base");
        return;
    }
    cli_hex(info->base.sha256, 32, sha256);
    cli_json_open(json, "base", '{');
    cli_json_text(json, "name", info->base.name, info->base.name_size);
    cli_json_uint(json, "bytes", info->base.size);
    cli_json_string(json, "sha256", sha256);
    cli_json_close(json, '}');
}

static void json_head(cli_json *json, const job *j)
{
    const wcodec_reader_info *info = &j->c.info;
    cli_json_string(json, "file", j->in.name);
    cli_json_uint(json, "container_bytes", info->container_size);
    cli_json_uint(json, "original_bytes", info->view_size);
    cli_json_real(json, "ratio", cli_ratio(info->container_size, info->view_size));
    cli_json_open(json, "header", '{');
    cli_json_uint(json, "version", WCODEC_FORMAT_VERSION);
    cli_json_uint(json, "bytes", info->header_size);
    cli_json_uint(json, "max_tile_bytes", info->max_tile_bytes);
    cli_json_text(json, "metadata", info->metadata, info->metadata_size);
    cli_json_close(json, '}');
    json_base(json, info);
    cli_json_uint(json, "index_bytes", info->index_size);
    cli_json_uint(json, "tile_bytes", j->t.record_bytes);
    cli_json_uint(json, "tiles", info->tiles);
    cli_json_uint(json, "copies", j->t.copies);
    json_counts(json, "unit_predictors", j->t.unit_predictor, WCODEC_PREDICT_COUNT, wcodec_predictor_name);
}

static void json_originals(cli_json *json, const job *j)
{
    size_t i;
    cli_json_open(json, "originals", '[');
    for (i = 0; i < j->c.info.originals; i++) {
        wcodec_original original;
        char sha256[65];
        wcodec_reader_original(j->c.reader, i, &original);
        cli_hex(original.sha256, 32, sha256);
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "name", original.name, original.name_size);
        cli_json_uint(json, "bytes", original.size);
        cli_json_uint(json, "segments", original.segments);
        cli_json_bool(json, "from_parts", original.from_parts);
        if (original.has_sha256) cli_json_string(json, "sha256", sha256);
        else cli_json_null(json, "sha256");
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void json_coders(cli_json *json, const job *j)
{
    unsigned i;
    cli_json_open(json, "coders", '[');
    for (i = 0; i < WCODEC_CODER_COUNT; i++) {
        if (j->t.coder[i].tiles == 0) continue;
        cli_json_open(json, NULL, '{');
        cli_json_string(json, "coder", wcodec_coder_name(i));
        json_sum(json, &j->t.coder[i]);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void json_planes(cli_json *json, const job *j)
{
    unsigned split, i;
    cli_json_open(json, "planes", '[');
    for (split = 0; split < WCODEC_SPLIT_COUNT; split++) {
        for (i = 0; i < WCODEC_MAX_PLANES; i++) {
            const cli_plane_sum *sum = &j->t.plane[split][i];
            if (sum->tiles == 0) continue;
            cli_json_open(json, NULL, '{');
            cli_json_string(json, "split", wcodec_split_name(split));
            cli_json_uint(json, "plane", i);
            cli_json_uint(json, "width", sum->bits / sum->values);
            json_sum(json, sum);
            json_counts(json, "coders", sum->coder, WCODEC_CODER_COUNT, wcodec_coder_name);
            cli_json_close(json, '}');
        }
    }
    cli_json_close(json, ']');
}

static void json_segments(cli_json *json, const job *j)
{
    size_t i;
    cli_json_open(json, "segments", '[');
    for (i = 0; i < j->c.info.segments; i++) {
        wcodec_segment segment;
        wcodec_reader_segment(j->c.reader, i, &segment);
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "name", segment.name, segment.name_size);
        cli_json_string(json, "dtype", cli_dtype(&segment));
        cli_json_shape(json, "shape", &segment);
        cli_json_uint(json, "offset", segment.offset);
        cli_json_uint(json, "original_bytes", segment.size);
        cli_json_uint(json, "container_bytes", j->t.segments[i].bytes);
        cli_json_uint(json, "tiles", j->t.segments[i].tiles);
        cli_json_uint(json, "copies", j->t.segments[i].copies);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void print_json(const job *j)
{
    cli_json json;
    cli_json_begin(&json, stdout, 1);
    cli_json_open(&json, NULL, '{');
    json_head(&json, j);
    json_originals(&json, j);
    json_coders(&json, j);
    json_planes(&json, j);
    json_segments(&json, j);
    cli_json_close(&json, '}');
}

/* ---- for people ---- */

static void print_label(const char *label)
{
    printf("  %-12s", label);
}

static void print_originals(const job *j)
{
    size_t i;
    for (i = 0; i < j->c.info.originals; i++) {
        wcodec_original original;
        char sha256[65];
        wcodec_reader_original(j->c.reader, i, &original);
        cli_hex(original.sha256, 32, sha256);
        print_label(original.from_parts ? "tensors" : "original");
        if (original.name_size == 0) printf("(no name)");
        cli_print_name(stdout, original.name, original.name_size, 100, 0);
        printf(", %" PRIu64 " bytes, %zu segments\n", original.size, original.segments);
        print_label("sha256");
        printf("%s\n", original.has_sha256 ? sha256 : "(not stored)");
    }
}

static void print_base(const wcodec_base *base)
{
    char sha256[65];
    cli_hex(base->sha256, 32, sha256);
    print_label("needs");
    if (base->name_size == 0) printf("(no name)");
    cli_print_name(stdout, base->name, base->name_size, 100, 0);
    printf(", %" PRIu64 " bytes, as its base\n", base->size);
    print_label("sha256");
    printf("%s\n", sha256);
}

static void print_head(const job *j)
{
    const wcodec_reader_info *info = &j->c.info;
    cli_print_name(stdout, j->in.name, strlen(j->in.name), 100, 0);
    printf("\n");
    print_label("container");
    printf("%" PRIu64 " bytes", info->container_size);
    if (info->view_size != 0) printf(", ratio %.4f", cli_ratio(info->container_size, info->view_size));
    printf(": header %zu, %zu tiles %" PRIu64 ", index %zu\n", info->header_size, info->tiles,
           j->t.record_bytes, info->index_size);
    if (j->t.copies != 0) {
        print_label("copies");
        printf("%" PRIu64 " tiles are copies of earlier ones\n", j->t.copies);
    }
    print_label("format");
    printf("version %d, tiles of up to %" PRIu32 " bytes\n", WCODEC_FORMAT_VERSION, info->max_tile_bytes);
    print_originals(j);
    if (info->needs_base) print_base(&info->base);
    print_label("metadata");
    cli_print_name(stdout, info->metadata, info->metadata_size, 2000, 0);
    printf("\n");
}

static void print_segments(const job *j)
{
    size_t i;
    printf("\n  %-44s %-10s %-20s %12s %12s %6s\n", "segment", "dtype", "shape", "bytes", "container",
           "ratio");
    for (i = 0; i < j->c.info.segments; i++) {
        wcodec_segment segment;
        uint64_t bytes = j->t.segments[i].bytes;
        wcodec_reader_segment(j->c.reader, i, &segment);
        printf("  ");
        if (segment.name_size == 0) printf("%-44s", "-");
        else cli_print_name(stdout, segment.name, segment.name_size, 44, 1);
        printf(" %-10s %-20s %12" PRIu64 " %12" PRIu64, cli_dtype(&segment),
               segment.dtype == WCODEC_BYTES ? "" : cli_shape(&segment), segment.size, bytes);
        if (segment.size != 0) printf(" %6.4f", cli_ratio(bytes, segment.size));
        printf("\n");
    }
}

static void print_coders(const job *j)
{
    unsigned i;
    printf("\n  %-12s %8s %14s %14s %11s\n", "coder", "planes", "values", "bytes", "bits/value");
    for (i = 0; i < WCODEC_CODER_COUNT; i++) {
        const cli_plane_sum *sum = &j->t.coder[i];
        if (sum->tiles == 0) continue;
        printf("  %-12s %8" PRIu64 " %14" PRIu64 " %14" PRIu64 " %11.3f\n", wcodec_coder_name(i), sum->tiles,
               sum->values, sum->bytes, cli_plane_bits(sum));
    }
}

/* "rans16 97%, raw 3%" */
static void print_shares(const uint64_t *count, unsigned size, uint64_t all, const char *(*name)(unsigned))
{
    const char *comma = "";
    unsigned i;
    for (i = 0; i < size; i++) {
        if (count[i] == 0) continue;
        printf("%s%s", comma, name(i));
        if (count[i] != all) printf(" %.1f%%", 100 * cli_ratio(count[i], all));
        comma = ", ";
    }
}

static void print_plane(const cli_plane_sum *sum, unsigned split, unsigned i)
{
    char name[40];
    snprintf(name, sizeof name, "%s.%u", wcodec_split_name(split), i);
    printf("  %-12s %5" PRIu64 " %14" PRIu64 " %14" PRIu64 " %11.3f   ", name, sum->bits / sum->values,
           sum->values, sum->bytes, cli_plane_bits(sum));
    print_shares(sum->coder, WCODEC_CODER_COUNT, sum->tiles, wcodec_coder_name);
    if (sum->predictor[WCODEC_PREDICT_NONE] != sum->tiles) {
        printf("; predictor ");
        print_shares(sum->predictor, WCODEC_PREDICT_COUNT, sum->tiles, wcodec_predictor_name);
    }
    printf("\n");
}

static void print_planes(const job *j)
{
    const uint64_t tiles = j->c.info.tiles - j->t.copies;
    unsigned split, i;
    printf("\n  %-12s %5s %14s %14s %11s   coded as (share of tiles)\n", "plane", "width", "values", "bytes",
           "bits/value");
    for (split = 0; split < WCODEC_SPLIT_COUNT; split++) {
        for (i = 0; i < WCODEC_MAX_PLANES; i++) {
            if (j->t.plane[split][i].tiles != 0) print_plane(&j->t.plane[split][i], split, i);
        }
    }
    if (j->t.unit_predictor[WCODEC_PREDICT_NONE] == tiles) return;
    printf("\n  predictor of whole units: ");
    print_shares(j->t.unit_predictor, WCODEC_PREDICT_COUNT, tiles, wcodec_predictor_name);
    printf("\n");
}

/* ---- the command ---- */

static int inspect_open(job *j, int as_json)
{
    int result = cli_tiles_read(&j->t, &j->c);
    if (result == CLI_OK && as_json) {
        print_json(j);
    } else if (result == CLI_OK) {
        print_head(j);
        print_segments(j);
        if (j->c.info.tiles != j->t.copies) {
            print_coders(j);
            print_planes(j);
        }
    }
    cli_tiles_free(&j->t);
    return result == CLI_OK ? cli_flush_stdout() : result;
}

int cmd_inspect(const cli_options *opt)
{
    job j;
    int result;
    memset(&j, 0, sizeof j);
    result = cli_input_open(&j.in, opt->path[0]);
    if (result != CLI_OK) return result;
    result = cli_input_seekable(&j.in);
    if (result == CLI_OK) result = cli_container_open(&j.c, &j.in, 1);
    if (result == CLI_OK) {
        result = inspect_open(&j, cli_has(opt, CLI_OPT_JSON));
        cli_container_close(&j.c);
    }
    cli_input_close(&j.in);
    return result;
}
