/* wcodec extract: one tensor, some of its rows, or a range of bytes, without decoding the rest. */
#include <inttypes.h>
#include <string.h>

#include "cli.h"

static int find_rows(const cli_container *c, const cli_options *opt, const wcodec_segment *segment,
                     uint64_t *begin, uint64_t *end)
{
    uint64_t first = opt->rows.begin, last = opt->rows.end, offset, size;
    if (segment->rank == 0) return cli_fail(c->in->name, "tensor '%s' has no rows", opt->tensor);
    if (last == UINT64_MAX) last = segment->shape[0];
    if (first > last || last > segment->shape[0]) {
        return cli_fail(c->in->name, "tensor '%s' has %" PRIu64 " rows, not %" PRIu64 ":%" PRIu64,
                        opt->tensor, segment->shape[0], first, last);
    }
    if (wcodec_rows_range(segment, first, last, &offset, &size) != WCODEC_OK) {
        return cli_fail(c->in->name, "tensor '%s': rows %" PRIu64 ":%" PRIu64 " are not whole bytes",
                        opt->tensor, first, last);
    }
    *begin = segment->offset + offset;
    *end = *begin + size;
    return CLI_OK;
}

static int find_tensor(const cli_container *c, const cli_options *opt, uint64_t *begin, uint64_t *end)
{
    wcodec_segment segment;
    size_t i;
    if (wcodec_reader_find(c->reader, opt->tensor, strlen(opt->tensor), &i) != WCODEC_OK) {
        return cli_fail(c->in->name, "no tensor '%s' (see wcodec inspect)", opt->tensor);
    }
    wcodec_reader_segment(c->reader, i, &segment);
    if (cli_has(opt, CLI_OPT_ROWS)) return find_rows(c, opt, &segment, begin, end);
    *begin = segment.offset;
    *end = segment.offset + segment.size;
    return CLI_OK;
}

static int find_range(const cli_container *c, const cli_options *opt, uint64_t *begin, uint64_t *end)
{
    *begin = opt->range.begin;
    *end = opt->range.end == UINT64_MAX ? c->info.view_size : opt->range.end;
    if (*begin <= *end && *end <= c->info.view_size) return CLI_OK;
    return cli_fail(c->in->name, "range %" PRIu64 ":%" PRIu64 " is not inside its %" PRIu64 " bytes",
                    *begin, *end, c->info.view_size);
}

static int extract(cli_container *c, const cli_options *opt)
{
    cli_output out;
    uint64_t begin = 0, end = 0;
    int result = cli_has(opt, CLI_OPT_TENSOR) ? find_tensor(c, opt, &begin, &end)
                                              : find_range(c, opt, &begin, &end);
    if (result != CLI_OK) return result;
    result = cli_output_open(&out, opt->output, cli_has(opt, CLI_OPT_FORCE), c->in);
    if (result != CLI_OK) return result;
    cli_progress_begin(c->in->name, 0);
    result = cli_container_read(c, begin, end, cli_output_lend, &out, &out);
    cli_progress_end();
    if (result == CLI_OK) result = cli_output_commit(&out);
    cli_output_close(&out);
    return result;
}

int cmd_extract(const cli_options *opt)
{
    cli_input in;
    cli_base base;
    cli_container c;
    int result;
    if (!cli_has(opt, CLI_OPT_OUTPUT)) return cli_usage("extract: -o OUT is missing");
    if (cli_has(opt, CLI_OPT_TENSOR) == cli_has(opt, CLI_OPT_RANGE)) {
        return cli_usage("extract: give either --tensor NAME or --range A:B");
    }
    if (cli_has(opt, CLI_OPT_ROWS) && !cli_has(opt, CLI_OPT_TENSOR)) {
        return cli_usage("extract: --rows needs --tensor");
    }
    result = cli_input_open(&in, opt->path[0]);
    if (result != CLI_OK) return result;
    memset(&base, 0, sizeof base);
    result = cli_input_seekable(&in);
    if (result == CLI_OK && cli_has(opt, CLI_OPT_BASE)) result = cli_base_open(&base, opt->base);
    if (result == CLI_OK) result = cli_container_open_based(&c, &in, opt->threads, &base, 0);
    if (result == CLI_OK) {
        result = extract(&c, opt);
        cli_container_close(&c);
    }
    cli_base_close(&base);
    cli_input_close(&in);
    return result;
}
