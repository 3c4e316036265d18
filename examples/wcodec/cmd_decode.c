/* wcodec decode: a container back to the file that it was made from.
 * A file is read through its index, by all threads; a pipe by the push decoder, as it comes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef struct job {
    const cli_options *opt;
    cli_input in;
    cli_base base;              /* open if one is given */
    cli_output out;
    double start;
    uint64_t container_size, original_size;
} job;

static int not_one_original(const job *j, uint64_t originals)
{
    if (originals == 0) return cli_fail(j->in.name, "holds no original");
    return cli_fail(j->in.name, "holds several originals, and decode gives back one (see inspect, extract)");
}

static int never_a_file(const job *j)
{
    return cli_fail(j->in.name, "holds tensors that never were one file (use extract --tensor)");
}

/* ---- through the index ---- */

static int decode_open(job *j, cli_container *c)
{
    wcodec_original original;
    int result;
    j->container_size = c->info.container_size;
    j->original_size = c->info.view_size;
    if (c->info.originals != 1) return not_one_original(j, c->info.originals);
    wcodec_reader_original(c->reader, 0, &original);
    if (original.from_parts) return never_a_file(j);
    if (c->info.needs_base && !j->base.open) return cli_base_missing(&j->in, &c->info.base);
    cli_progress_begin(j->in.name, cli_has(j->opt, CLI_OPT_QUIET));
    result = cli_container_read(c, 0, c->info.view_size, cli_output_lend, &j->out, &j->out);
    cli_progress_end();
    return result;
}

static int decode_file(job *j)
{
    cli_container c;
    int result = cli_container_open_based(&c, &j->in, j->opt->threads, &j->base,
                                          cli_has(j->opt, CLI_OPT_QUIET));
    if (result != CLI_OK) return result;
    result = decode_open(j, &c);
    cli_container_close(&c);
    return result;
}

/* ---- as a stream ---- */

typedef struct stream {
    wcodec_push *push;
    unsigned char *in, *out;
    size_t size, used;          /* of `in`: what is there, and what the decoder took */
    int at_end;                 /* of the input */
    int lost;                   /* the container asked for output that cannot be read again */
    uint64_t originals;
} stream;

/* A wcodec_reread, for output that is gone. */
static wcodec_status stream_lost(void *user, uint64_t offset, void *dst, size_t size)
{
    (void)offset;
    (void)dst;
    (void)size;
    ((stream *)user)->lost = 1;
    return WCODEC_E_UNSUPPORTED;
}

static int stream_fill(job *j, stream *s)
{
    int result = CLI_OK;
    if (s->used < s->size || s->at_end) return CLI_OK;
    s->used = 0;
    result = cli_input_read(&j->in, s->in, CLI_CHUNK, &s->size);
    s->at_end = result == CLI_OK && s->size == 0;
    return result;
}

static int stream_original(job *j, stream *s)
{
    int from_parts;
    wcodec_base needed;
    wcodec_push_original(s->push, NULL, NULL, NULL, &from_parts);
    if (++s->originals > 1) return not_one_original(j, s->originals);
    if (from_parts) return never_a_file(j);
    if (!wcodec_push_base(s->push, &needed)) return CLI_OK;
    if (!j->base.open) return cli_base_missing(&j->in, &needed);
    return cli_base_check(&j->base, &j->in, &needed, cli_has(j->opt, CLI_OPT_QUIET));
}

/* After the last checksum: nothing may follow. */
static int stream_end(job *j, stream *s)
{
    int result = stream_fill(j, s);
    if (result != CLI_OK) return result;
    if (s->used < s->size) {
        return cli_fail_at(j->in.name, j->container_size, "bytes follow the container's end");
    }
    return s->originals == 1 ? CLI_OK : not_one_original(j, s->originals);
}

static int stream_steps(job *j, stream *s)
{
    wcodec_error err = { WCODEC_OK, 0, NULL };
    for (;;) {
        size_t in_used, out_used;
        wcodec_status status;
        int result = stream_fill(j, s);
        if (result != CLI_OK) return result;
        status = wcodec_push_step(s->push, s->in + s->used, s->size - s->used, &in_used, s->out, CLI_CHUNK,
                                  &out_used, &err);
        if (status < 0) {
            wcodec_base needed;
            (void)cli_output_settle(&j->out);
            if (status == WCODEC_E_BASE && wcodec_push_base(s->push, &needed) &&    /* it has another size */
                cli_base_check(&j->base, &j->in, &needed, 1) != CLI_OK) {
                return CLI_FAILED;
            }
            if (s->lost) {
                return cli_fail(j->in.name, "holds copies of tiles: decode needs a file to read from or one to "
                                            "write (or encode --no-copies)");
            }
            return cli_fail_library(&j->in, &j->out, status, &err);
        }
        s->used += in_used;
        j->container_size += in_used;
        j->original_size += out_used;
        if (cli_output_write(&j->out, s->out, out_used) != WCODEC_OK) return cli_output_fail(&j->out);
        if (status == WCODEC_END) return stream_end(j, s);
        if (status == WCODEC_MORE_INPUT && s->at_end) {
            return cli_fail_at(j->in.name, j->container_size, "the container ends too early");
        }
        if (status == WCODEC_ORIGINAL && (result = stream_original(j, s)) != CLI_OK) return result;
    }
}

static int decode_stream(job *j)
{
    wcodec_reader_options options = wcodec_reader_defaults();
    wcodec_error err = { WCODEC_OK, 0, NULL };
    stream s;
    wcodec_status status;
    int result;
    memset(&s, 0, sizeof s);
    if (j->base.open) options.base = &j->base.source;
    options.reread.fn = j->out.temp != NULL ? cli_output_reread : stream_lost;
    options.reread.user = j->out.temp != NULL ? (void *)&j->out : (void *)&s;
    status = wcodec_push_open(&s.push, &options, &err);
    if (status != WCODEC_OK) return cli_fail_library(&j->in, NULL, status, &err);
    s.in = (unsigned char *)malloc(CLI_CHUNK);
    s.out = (unsigned char *)malloc(CLI_CHUNK);
    if (s.in == NULL || s.out == NULL) result = cli_fail(j->in.name, "out of memory");
    else result = stream_steps(j, &s);
    free(s.in);
    free(s.out);
    wcodec_push_close(s.push);
    return result;
}

/* ---- the command ---- */

static int report(const job *j)
{
    FILE *file = strcmp(j->out.path, "-") == 0 ? stderr : stdout;
    if (cli_has(j->opt, CLI_OPT_QUIET)) return CLI_OK;
    cli_print_name(file, j->in.name, strlen(j->in.name), 60, 0);
    fprintf(file, ": %" PRIu64 " -> %" PRIu64 " bytes, %.2f s\n", j->container_size, j->original_size,
            cli_seconds() - j->start);
    return cli_flush_stdout();
}

int cmd_decode(const cli_options *opt)
{
    job j;
    int result;
    memset(&j, 0, sizeof j);
    j.opt = opt;
    j.start = cli_seconds();
    result = cli_input_open(&j.in, opt->path[0]);
    if (result != CLI_OK) return result;
    if (cli_has(opt, CLI_OPT_BASE)) result = cli_base_open(&j.base, opt->base);
    if (result == CLI_OK) result = cli_output_open(&j.out, opt->path[1], cli_has(opt, CLI_OPT_FORCE), &j.in);
    if (result == CLI_OK) {
        result = j.in.regular ? decode_file(&j) : decode_stream(&j);
        if (result == CLI_OK) result = cli_output_commit(&j.out);
        cli_output_close(&j.out);
        if (result == CLI_OK) result = report(&j);
    }
    cli_base_close(&j.base);
    cli_input_close(&j.in);
    return result;
}
