/* What the tiles of a container say of themselves.  Nothing is decoded: of every tile the first bytes of its
 * record are read, which name split, predictors, coders and sizes. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static void add_plane(cli_plane_sum *sum, const struct wcodec_plane_info *plane, uint64_t values)
{
    sum->tiles++;
    sum->values += values;
    sum->bits += values * plane->width;
    sum->bytes += plane->size;
    sum->coder[plane->coder]++;
    sum->predictor[plane->predictor]++;
}

/* The planes of a tile, or of a field of one. */
static void add_planes(cli_tiles *t, const wcodec_tile_info *info)
{
    uint64_t values = info->decoded_size / info->unit;
    unsigned i;
    for (i = 0; i < info->planes; i++) {
        add_plane(&t->plane[info->split][i], &info->plane[i], values);
        add_plane(&t->coder[info->plane[i].coder], &info->plane[i], values);
    }
}

static void add_copy(cli_tiles *t, const wcodec_tile_span *span)
{
    t->segments[span->segment].tiles++;
    t->segments[span->segment].copies++;
    t->segments[span->segment].bytes += span->container_size;
    t->record_bytes += span->container_size;
    t->copies++;
}

static wcodec_status add_tile(cli_tiles *t, const wcodec_tile_span *span, const unsigned char *head, size_t size,
                              const wcodec_tile_info *info, wcodec_error *err)
{
    unsigned f;
    t->segments[span->segment].tiles++;
    t->segments[span->segment].bytes += span->container_size;
    t->record_bytes += span->container_size;
    t->unit_predictor[info->predictor]++;
    add_planes(t, info);
    for (f = 0; f < info->fields; f++) {
        wcodec_tile_info field;
        wcodec_status status = wcodec_tile_inspect_field(head, size, f, &field, err);
        if (status != WCODEC_OK) return status;
        add_planes(t, &field);
    }
    return WCODEC_OK;
}

static int read_tile(cli_tiles *t, const cli_container *c, uint64_t offset, wcodec_tile_span *span)
{
    unsigned char head[WCODEC_TILE_HEAD];
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_tile_info info;
    wcodec_status status = wcodec_reader_tile(c->reader, offset, span);
    size_t got = 0;
    if (status == WCODEC_OK) {
        err.offset = span->container_offset;
        status = c->in->source.read_at(c->in->source.user, span->container_offset, head, sizeof head, &got);
    }
    if (status == WCODEC_OK) {
        size_t size = got < span->container_size ? got : span->container_size;
        wcodec_copy_info copy;
        status = wcodec_copy_inspect(head, size, &copy, &err);
        if (status == WCODEC_OK) {
            add_copy(t, span);
            return CLI_OK;
        }
        if (status == WCODEC_E_NOT_FOUND) status = wcodec_tile_inspect(head, size, &info, &err);
        if (status == WCODEC_OK) status = add_tile(t, span, head, size, &info, &err);
        if (status != WCODEC_OK) err.offset += span->container_offset;
    }
    if (status != WCODEC_OK) return cli_fail_library(c->in, NULL, status, &err);
    return CLI_OK;
}

static int read_tiles(cli_tiles *t, const cli_container *c)
{
    uint64_t at = 0;
    while (at < c->info.view_size) {
        wcodec_tile_span span;
        int result = read_tile(t, c, at, &span);
        if (result != CLI_OK) return result;
        at = span.offset + span.size;
    }
    return CLI_OK;
}

int cli_tiles_read(cli_tiles *t, const cli_container *c)
{
    int result;
    memset(t, 0, sizeof *t);
    t->segments = (cli_segment_sum *)calloc(c->info.segments + 1, sizeof *t->segments);
    if (t->segments == NULL) return cli_fail(c->in->name, "out of memory");
    result = read_tiles(t, c);
    if (result != CLI_OK) cli_tiles_free(t);
    return result;
}

void cli_tiles_free(cli_tiles *t)
{
    free(t->segments);
    t->segments = NULL;
}

double cli_plane_bits(const cli_plane_sum *sum)
{
    return 8 * cli_ratio(sum->bytes, sum->values);
}
