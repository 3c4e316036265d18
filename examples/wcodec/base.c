/* The file that --base names: what a container is coded against, and decoded with again.  It is any file, or
 * a container, whose original is the base then and is decoded where it is needed. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* ---- the original of a container, as bytes ---- */

/* Scratch memory for a read; what one thread gives back the next one takes. */
static void *take_scratch(cli_base *b)
{
    void *scratch = NULL;
    pthread_mutex_lock(&b->lock);
    if (b->spares > 0) scratch = b->spare[--b->spares];
    pthread_mutex_unlock(&b->lock);
    return scratch != NULL ? scratch : malloc(b->scratch_size);
}

static void give_scratch(cli_base *b, void *scratch)
{
    pthread_mutex_lock(&b->lock);
    if (b->spares < CLI_MAX_THREADS) b->spare[b->spares++] = scratch;
    else free(scratch);
    pthread_mutex_unlock(&b->lock);
}

static wcodec_status read_original(void *user, uint64_t offset, void *dst, size_t size, size_t *got)
{
    cli_base *b = (cli_base *)user;
    void *scratch = take_scratch(b);
    wcodec_status status;
    *got = 0;
    if (scratch == NULL) return WCODEC_E_NO_MEMORY;
    status = wcodec_read(b->reader, offset, dst, size, scratch, b->scratch_size, NULL);
    give_scratch(b, scratch);
    if (status == WCODEC_OK) *got = size;
    return status;
}

/* ---- opening ---- */

static int use_container(cli_base *b)
{
    wcodec_reader_info info;
    wcodec_original original;
    wcodec_reader_get_info(b->reader, &info);
    if (info.needs_base) return cli_fail(b->in.name, "needs a base itself: decode it, and give what comes out");
    if (info.originals != 1) return cli_fail(b->in.name, "does not hold one original, so it can not be a base");
    wcodec_reader_original(b->reader, 0, &original);
    if (original.from_parts) return cli_fail(b->in.name, "holds tensors that never were one file: no base");
    b->facts.name = original.name;
    b->facts.name_size = original.name_size;
    b->facts.size = original.size;
    memcpy(b->facts.sha256, original.sha256, 32);
    b->hashed = original.has_sha256;
    b->scratch_size = wcodec_reader_scratch(b->reader);
    b->source.read_at = read_original;
    b->source.user = b;
    b->source.size = original.size;
    return CLI_OK;
}

static int use_file(cli_base *b)
{
    b->facts.name = cli_base_name(b->in.name);
    b->facts.name_size = strlen(b->facts.name);
    b->facts.size = b->in.source.size;
    b->source = b->in.source;
    return CLI_OK;
}

static int open_container(cli_base *b)
{
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_status status = wcodec_reader_open(&b->reader, &b->in.source, NULL, &err);
    return status == WCODEC_OK ? use_container(b) : cli_fail_library(&b->in, NULL, status, &err);
}

static int open_either(cli_base *b)
{
    char magic[4];
    size_t got;
    if (b->in.source.read_at(b->in.source.user, 0, magic, sizeof magic, &got) == WCODEC_OK && got == sizeof magic &&
        memcmp(magic, "WCDC", sizeof magic) == 0) {
        return open_container(b);
    }
    return use_file(b);
}

int cli_base_open(cli_base *b, const char *path)
{
    int result;
    memset(b, 0, sizeof *b);
    if (strcmp(path, "-") == 0) return cli_usage("--base takes a file, not standard input");
    result = cli_input_open(&b->in, path);
    if (result != CLI_OK) return result;
    pthread_mutex_init(&b->lock, NULL);
    b->open = 1;
    result = cli_input_seekable(&b->in);
    if (result == CLI_OK) result = open_either(b);
    if (result != CLI_OK) cli_base_close(b);
    return result;
}

void cli_base_close(cli_base *b)
{
    if (!b->open) return;
    while (b->spares > 0) free(b->spare[--b->spares]);
    free(b->segments);
    wcodec_plan_close(b->plan);
    wcodec_reader_close(b->reader);
    pthread_mutex_destroy(&b->lock);
    cli_input_close(&b->in);
    b->open = 0;
}

/* ---- the SHA-256, which a container has in its index ---- */

int cli_base_hash(cli_base *b, int quiet)
{
    wcodec_sha256 sha;
    unsigned char *chunk;
    uint64_t at = 0;
    wcodec_status status = WCODEC_OK;
    if (b->hashed) return CLI_OK;
    chunk = (unsigned char *)malloc(CLI_WINDOW);
    if (chunk == NULL) return cli_fail(b->in.name, "out of memory");
    cli_progress_begin(b->in.name, quiet);
    wcodec_sha256_init(&sha);
    while (at < b->source.size && status == WCODEC_OK) {
        size_t take = b->source.size - at < CLI_WINDOW ? (size_t)(b->source.size - at) : CLI_WINDOW, got = 0;
        status = b->source.read_at(b->source.user, at, chunk, take, &got);
        if (status == WCODEC_OK && got == 0) status = WCODEC_E_TRUNCATED;
        wcodec_sha256_update(&sha, chunk, got);
        at += got;
        cli_progress_update(at, b->source.size);
    }
    wcodec_sha256_final(&sha, b->facts.sha256);
    cli_progress_end();
    free(chunk);
    if (status != WCODEC_OK) {
        wcodec_error err = { WCODEC_OK, 0, NULL };
        err.offset = at;
        err.what = "reading failed";
        return cli_fail_library(&b->in, NULL, status, &err);
    }
    b->hashed = 1;
    return CLI_OK;
}

/* ---- encode: which of its segments a plan is coded against ---- */

static int list_reader(cli_base *b)
{
    wcodec_reader_info info;
    wcodec_reader_get_info(b->reader, &info);
    b->segments = (wcodec_segment *)calloc(info.segments + 1, sizeof *b->segments);
    if (b->segments == NULL) return cli_fail(b->in.name, "out of memory");
    for (b->count = 0; b->count < info.segments; b->count++) {
        wcodec_reader_segment(b->reader, b->count, &b->segments[b->count]);
    }
    b->list = b->segments;
    return CLI_OK;
}

static int list_plan(cli_base *b)
{
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_status status = wcodec_plan_open(&b->plan, &b->in.source, NULL, &err);
    if (status != WCODEC_OK) return cli_fail_library(&b->in, NULL, status, &err);
    b->list = b->plan->segments;
    b->count = b->plan->count;
    return CLI_OK;
}

int cli_base_plan(cli_base *b, const cli_input *in, wcodec_plan *plan, const wcodec_estimate_options *options)
{
    wcodec_estimate_options with = *options;
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_status status;
    size_t found = 0, used = 0;
    int result = b->list != NULL ? CLI_OK : b->reader != NULL ? list_reader(b) : list_plan(b);
    if (result != CLI_OK) return result;
    with.base = &b->source;
    status = wcodec_plan_base(plan, &in->source, b->list, b->count, &with, &found, &used, &err);
    b->found += found;
    b->used += used;
    return status == WCODEC_OK ? CLI_OK : cli_fail_library(in, NULL, status, &err);
}

/* ---- decode: is it the right one? ---- */

int cli_base_missing(const cli_input *in, const wcodec_base *needed)
{
    char sha256[65], name[256];
    size_t size = needed->name_size < sizeof name - 1 ? needed->name_size : sizeof name - 1, i;
    cli_hex(needed->sha256, 32, sha256);
    for (i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)needed->name[i];
        name[i] = (char)(c < 32 || c == 127 ? '?' : c);
    }
    name[size] = 0;
    return cli_fail(in->name, "needs its base (--base): %s, %" PRIu64 " bytes, SHA-256 %s",
                    size != 0 ? name : "a file without a name", needed->size, sha256);
}

int cli_base_check(cli_base *b, const cli_input *in, const wcodec_base *needed, int quiet)
{
    char sha256[65], own[65];
    int result;
    if (b->source.size != needed->size) {
        return cli_fail(b->in.name, "is not the base that %s needs: it has %" PRIu64 " bytes, not %" PRIu64,
                        in->name, b->source.size, needed->size);
    }
    result = cli_base_hash(b, quiet);
    if (result != CLI_OK) return result;
    if (memcmp(b->facts.sha256, needed->sha256, 32) == 0) return CLI_OK;
    cli_hex(needed->sha256, 32, sha256);
    cli_hex(b->facts.sha256, 32, own);
    return cli_fail(b->in.name, "is not the base that %s needs: its SHA-256 is %s, not %s", in->name, own, sha256);
}
