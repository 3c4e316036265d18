/* A container that is open for reading, and its bytes in windows: the whole view is never in memory. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static int out_of_memory(const cli_container *c)
{
    return cli_fail(c->in->name, "out of memory");
}

static int allocate(cli_container *c)
{
    const unsigned workers = c->pool.parallel.workers;
    size_t most = (workers < 4 ? 4 : workers > 8 ? 8 : workers) * CLI_WINDOW;
    if (most < c->info.max_tile_bytes) most = c->info.max_tile_bytes;
    c->window_size = c->info.view_size < most ? (size_t)c->info.view_size : most;
    c->scratch_size = c->pool.parallel.workers * wcodec_reader_scratch(c->reader);
    c->window = (unsigned char *)malloc(2 * c->window_size + 1);
    c->scratch = malloc(c->scratch_size + 1);
    return c->window != NULL && c->scratch != NULL ? CLI_OK : out_of_memory(c);
}

/* What the base has to be stands in the container: so the reader is opened once more, with the base. */
static int open_again(cli_container *c, cli_base *base, int quiet)
{
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_reader_options options = wcodec_reader_defaults();
    wcodec_status status;
    int result = cli_base_check(base, c->in, &c->info.base, quiet);
    if (result != CLI_OK) return result;
    wcodec_reader_close(c->reader);
    options.base = &base->source;
    status = wcodec_reader_open(&c->reader, &c->in->source, &options, &err);
    if (status != WCODEC_OK) return cli_fail_library(c->in, NULL, status, &err);
    wcodec_reader_get_info(c->reader, &c->info);
    return CLI_OK;
}

int cli_container_open(cli_container *c, cli_input *in, uint64_t threads)
{
    return cli_container_open_based(c, in, threads, NULL, 1);
}

int cli_container_open_based(cli_container *c, cli_input *in, uint64_t threads, cli_base *base, int quiet)
{
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_status status;
    int result;
    memset(c, 0, sizeof *c);
    c->in = in;
    status = wcodec_reader_open(&c->reader, &in->source, NULL, &err);
    if (status != WCODEC_OK) return cli_fail_library(in, NULL, status, &err);
    wcodec_reader_get_info(c->reader, &c->info);
    if (c->info.needs_base && base != NULL && base->open) {
        result = open_again(c, base, quiet);
        if (result != CLI_OK) {
            wcodec_reader_close(c->reader);
            return result;
        }
    }
    cli_pool_open(&c->pool, threads);
    result = allocate(c);
    if (result != CLI_OK) cli_container_close(c);
    return result;
}

void cli_container_close(cli_container *c)
{
    cli_pool_close(&c->pool);
    wcodec_reader_close(c->reader);
    free(c->window);
    free(c->scratch);
}

/* Where the window that starts at `begin` ends: at the end of a tile, so that none is decoded twice. */
static uint64_t window_end(const cli_container *c, uint64_t begin, uint64_t end)
{
    wcodec_tile_span span;
    uint64_t most = begin + c->window_size;
    if (end <= most) return end;
    if (wcodec_reader_tile(c->reader, most, &span) == WCODEC_OK && span.offset > begin) return span.offset;
    return most;
}

int cli_container_read(cli_container *c, uint64_t begin, uint64_t end, cli_consume *consume, void *user,
                       cli_output *out)
{
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_status status = WCODEC_OK, settled = WCODEC_OK;
    uint64_t at = begin;
    unsigned turn = 0;
    while (at < end && status == WCODEC_OK) {
        unsigned char *window = c->window + (turn++ & 1) * c->window_size;
        size_t size = (size_t)(window_end(c, at, end) - at);
        status = wcodec_read_parallel(c->reader, at, window, size, c->scratch, c->scratch_size,
                                      &c->pool.parallel, NULL, &err);
        if (status == WCODEC_OK) status = consume(user, window, size);
        at += size;
        cli_progress_update(at - begin, end - begin);
    }
    if (out != NULL) settled = cli_output_settle(out);
    if (status == WCODEC_OK) status = settled;
    if (status == WCODEC_E_BASE) return cli_base_missing(c->in, &c->info.base);
    return status == WCODEC_OK ? CLI_OK : cli_fail_library(c->in, out, status, &err);
}
