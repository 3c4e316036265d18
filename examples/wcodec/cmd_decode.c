/* wcodec decode: a container back to the file that it was made from, or to a folder of them.
 * A file is read through its index, by all threads; a pipe by the push decoder, as it comes. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

typedef struct job {
    const cli_options *opt;
    cli_input in;
    cli_base base;              /* open if one is given */
    cli_output out;
    const char *target;         /* the path of OUT */
    double start;
    uint64_t container_size, original_size, files;
} job;

static int no_original(const job *j)
{
    return cli_fail(j->in.name, "holds no original");
}

static int no_such_original(const job *j)
{
    return cli_fail(j->in.name, "holds no original '%s' (see wcodec inspect)", j->opt->only);
}

static int several_originals(const job *j)
{
    return cli_fail(j->in.name, "holds several originals: OUT must be a folder (write %s), or take one with "
                    "--only NAME", strcmp(j->target, "-") == 0 ? "DIR/" : "OUT/");
}

static int never_a_file(const job *j)
{
    return cli_fail(j->in.name, "holds tensors that never were one file (use extract --tensor)");
}

/* ---- through the index ---- */

static int decode_original(job *j, cli_container *c, const wcodec_original *original, const char *path)
{
    int result;
    if (original->from_parts) return never_a_file(j);
    result = cli_output_open(&j->out, path, cli_has(j->opt, CLI_OPT_FORCE), &j->in);
    if (result != CLI_OK) return result;
    cli_progress_begin(j->in.name, cli_has(j->opt, CLI_OPT_QUIET));
    result = cli_container_read(c, original->offset, original->offset + original->size, cli_output_lend, &j->out,
                                &j->out);
    cli_progress_end();
    if (result == CLI_OK) result = cli_output_commit(&j->out);
    cli_output_close(&j->out);
    j->original_size += original->size;
    j->files++;
    return result;
}

static int decode_wanted(job *j, cli_container *c)
{
    size_t i;
    for (i = 0; i < c->info.originals; i++) {
        wcodec_original original;
        wcodec_reader_original(c->reader, i, &original);
        if (original.name_size != strlen(j->opt->only)) continue;
        if (memcmp(original.name, j->opt->only, original.name_size) != 0) continue;
        return decode_original(j, c, &original, j->target);
    }
    return no_such_original(j);
}

/* ---- several, into a folder ---- */

/* Nothing is written before all names are known to be good, and free unless -f is given. */
static int check_files(const job *j, const cli_container *c, char *path, char *name)
{
    cli_name *names = (cli_name *)calloc(c->info.originals, sizeof *names);
    struct stat st;
    size_t i;
    int result = names != NULL ? CLI_OK : cli_fail(j->in.name, "out of memory");
    for (i = 0; i < c->info.originals && result == CLI_OK; i++) {
        wcodec_original original;
        wcodec_reader_original(c->reader, i, &original);
        names[i].text = original.name;
        names[i].size = original.name_size;
        if (original.from_parts) result = never_a_file(j);
    }
    if (result == CLI_OK) result = cli_names_check(j->in.name, names, c->info.originals);
    for (i = 0; i < c->info.originals && result == CLI_OK && !cli_has(j->opt, CLI_OPT_FORCE); i++) {
        memcpy(name, names[i].text, names[i].size + 1);
        if (lstat(path, &st) == 0) result = cli_fail(path, "exists (use -f)");
    }
    free(names);
    return result;
}

/* `path` is that of the folder, with a slash; a name of 255 bytes fits behind it, at `name`. */
static int decode_files(job *j, cli_container *c, char *path, char *name)
{
    int made = 0, result = check_files(j, c, path, name);
    size_t i;
    if (result != CLI_OK) return result;
    if (mkdir(j->target, 0777) == 0) made = 1;
    else if (errno != EEXIST) return cli_fail(j->target, "%s", strerror(errno));
    for (i = 0; i < c->info.originals && result == CLI_OK; i++) {
        wcodec_original original;
        wcodec_reader_original(c->reader, i, &original);
        memcpy(name, original.name, original.name_size + 1);
        result = decode_original(j, c, &original, path);
    }
    if (result != CLI_OK && made) (void)rmdir(j->target);       /* if it is empty */
    return result;
}

static int decode_folder(job *j, cli_container *c)
{
    const size_t size = strlen(j->target);
    struct stat st;
    char *path;
    int result;
    if (strcmp(j->target, "-") == 0) return several_originals(j);
    if (stat(j->target, &st) == 0 && !S_ISDIR(st.st_mode)) {
        return cli_fail(j->target, "is no folder, and the container holds several originals");
    }
    path = (char *)malloc(size + 1 + 255 + 1);
    if (path == NULL) return cli_fail(j->in.name, "out of memory");
    memcpy(path, j->target, size);
    path[size] = '/';
    result = decode_files(j, c, path, path + size + 1);
    free(path);
    return result;
}

static int decode_container(job *j, cli_container *c)
{
    wcodec_original original;
    j->container_size = c->info.container_size;
    if (c->info.needs_base && !j->base.open) return cli_base_missing(&j->in, &c->info.base);
    if (cli_has(j->opt, CLI_OPT_ONLY)) return decode_wanted(j, c);
    if (c->info.originals == 0) return no_original(j);
    if (c->info.originals > 1) return decode_folder(j, c);
    wcodec_reader_original(c->reader, 0, &original);
    return decode_original(j, c, &original, j->target);
}

static int decode_file(job *j)
{
    cli_container c;
    int result = cli_container_open_based(&c, &j->in, j->opt->threads, &j->base,
                                          cli_has(j->opt, CLI_OPT_QUIET));
    if (result != CLI_OK) return result;
    result = decode_container(j, &c);
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
    if (++j->files > 1) return several_originals(j);
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
    return j->files == 1 ? CLI_OK : no_original(j);
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

static int decode_push(job *j)
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

static int decode_stream(job *j)
{
    int result = cli_output_open(&j->out, j->target, cli_has(j->opt, CLI_OPT_FORCE), &j->in);
    if (result != CLI_OK) return result;
    result = decode_push(j);
    if (result == CLI_OK) result = cli_output_commit(&j->out);
    cli_output_close(&j->out);
    return result;
}

/* ---- the command ---- */

static int report(const job *j)
{
    FILE *file = strcmp(j->target, "-") == 0 ? stderr : stdout;
    if (cli_has(j->opt, CLI_OPT_QUIET)) return CLI_OK;
    cli_print_name(file, j->in.name, strlen(j->in.name), 60, 0);
    fprintf(file, ": %" PRIu64 " -> %" PRIu64 " bytes", j->container_size, j->original_size);
    if (j->files > 1) fprintf(file, " in %" PRIu64 " files", j->files);
    fprintf(file, ", %.2f s\n", cli_seconds() - j->start);
    return cli_flush_stdout();
}

/* Whether OUT says by itself that it is a folder. */
static int is_folder(const char *path)
{
    const size_t size = strlen(path);
    struct stat st;
    return (size > 0 && path[size - 1] == '/') || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

int cmd_decode(const cli_options *opt)
{
    job j;
    int result;
    memset(&j, 0, sizeof j);
    j.opt = opt;
    j.start = cli_seconds();
    j.target = opt->path[1];
    result = cli_input_open(&j.in, opt->path[0]);
    if (result != CLI_OK) return result;
    if (cli_has(opt, CLI_OPT_ONLY) || is_folder(j.target)) result = cli_input_seekable(&j.in);
    if (result == CLI_OK && cli_has(opt, CLI_OPT_BASE)) result = cli_base_open(&j.base, opt->base);
    if (result == CLI_OK) result = j.in.regular ? decode_file(&j) : decode_stream(&j);
    if (result == CLI_OK) result = report(&j);
    cli_base_close(&j.base);
    cli_input_close(&j.in);
    return result;
}
