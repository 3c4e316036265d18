/* wcodec verify: decodes a container in both of the ways there are.
 * From the first byte to the last, which checks every checksum, with the SHA-256 and the CRC-32 of each
 * original; then through the index, whose SHA-256s and bytes must be the same. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef struct digest {
    uint64_t size;
    uint32_t crc;
    unsigned char sha256[32];
    uint32_t name_crc;
    int from_parts;
} digest;

typedef struct job {
    cli_input in;
    cli_base base;                  /* open if one is given */
    uint64_t position;              /* in the container, of the stream */
    digest *digests;                /* of each original, as streamed */
    size_t originals, capacity;
    wcodec_sha256 sha;              /* of the original that is on its way */
    unsigned char *buffer;          /* CLI_CHUNK bytes of the container, then as many of the original */
    cli_container again;            /* once the stream has asked for bytes that have gone by, */
    int reads_again;
} job;

/* ---- first pass: the stream ---- */

static wcodec_status keep(void *user, const void *data, size_t size)
{
    unsigned char **to = (unsigned char **)user;
    memcpy(*to, data, size);
    *to += size;
    return WCODEC_OK;
}

/* A wcodec_reread: a copy's bytes, which nobody kept, through the index. */
static wcodec_status reread(void *user, uint64_t offset, void *dst, size_t size)
{
    job *j = (job *)user;
    unsigned char *to = (unsigned char *)dst;
    if (!j->reads_again && cli_container_open_based(&j->again, &j->in, 1, &j->base, 1) != CLI_OK)
        return WCODEC_E_CANCELLED;
    j->reads_again = 1;
    if (offset > j->again.info.view_size || size > j->again.info.view_size - offset) return WCODEC_E_CORRUPT;
    return cli_container_read(&j->again, offset, offset + size, keep, &to, NULL) == CLI_OK ? WCODEC_OK
                                                                                           : WCODEC_E_CANCELLED;
}

static void finish_original(job *j)
{
    if (j->originals > 0) wcodec_sha256_final(&j->sha, j->digests[j->originals - 1].sha256);
}

static int begin_original(job *j, const wcodec_push *push)
{
    const char *name;
    size_t name_size;
    digest *d;
    finish_original(j);
    if (j->originals == j->capacity) {
        size_t capacity = 2 * j->capacity + 16;
        digest *grown = (digest *)realloc(j->digests, capacity * sizeof *grown);
        if (grown == NULL) return cli_fail(j->in.name, "out of memory");
        j->digests = grown;
        j->capacity = capacity;
    }
    d = &j->digests[j->originals++];
    memset(d, 0, sizeof *d);
    wcodec_push_original(push, NULL, &name, &name_size, &d->from_parts);
    d->name_crc = wcodec_crc32(0, name, name_size);
    wcodec_sha256_init(&j->sha);
    return CLI_OK;
}

static void add_bytes(job *j, const unsigned char *bytes, size_t size)
{
    digest *d;
    if (size == 0) return;
    d = &j->digests[j->originals - 1];
    d->size += size;
    d->crc = wcodec_crc32(d->crc, bytes, size);
    wcodec_sha256_update(&j->sha, bytes, size);
}

/* Is the base there that the container needs? */
static int check_base(job *j, const wcodec_push *push)
{
    wcodec_base needed;
    if (!wcodec_push_base(push, &needed)) return CLI_OK;
    return j->base.open ? cli_base_check(&j->base, &j->in, &needed, 1) : cli_base_missing(&j->in, &needed);
}

/* One chunk of the container, `size` bytes in j->buffer; none: its end.  *end: the decoder has it all. */
static int stream_chunk(job *j, wcodec_push *push, size_t size, int *end)
{
    wcodec_error err = { WCODEC_OK, 0, NULL };
    unsigned char *out = j->buffer + CLI_CHUNK;
    size_t used = 0;
    for (;;) {
        size_t in_used, out_used;
        wcodec_status status = wcodec_push_step(push, j->buffer + used, size - used, &in_used, out,
                                                CLI_CHUNK, &out_used, &err);
        /* It is missing, or has another size. */
        if (status == WCODEC_E_BASE && check_base(j, push) != CLI_OK) return CLI_FAILED;
        if (status == WCODEC_E_CANCELLED) return CLI_FAILED;    /* it has been said why */
        if (status < 0) return cli_fail_library(&j->in, NULL, status, &err);
        used += in_used;
        j->position += in_used;
        add_bytes(j, out, out_used);
        if (status == WCODEC_END) {
            *end = 1;
            finish_original(j);
            if (j->position == j->in.source.size) return CLI_OK;
            return cli_fail_at(j->in.name, j->position, "bytes follow the container's end");
        }
        if (status == WCODEC_MORE_INPUT) {
            if (size > 0) return CLI_OK;
            return cli_fail_at(j->in.name, j->position, "the container ends too early");
        }
        if (status == WCODEC_ORIGINAL && begin_original(j, push) != CLI_OK) return CLI_FAILED;
        if (status == WCODEC_ORIGINAL && j->originals == 1 && check_base(j, push) != CLI_OK) return CLI_FAILED;
    }
}

static int stream_all(job *j, wcodec_push *push)
{
    wcodec_error err = { WCODEC_OK, 0, NULL };
    uint64_t at = 0;
    int end = 0;
    while (!end) {
        size_t got;
        int result;
        wcodec_status status = j->in.source.read_at(&j->in, at, j->buffer, CLI_CHUNK, &got);
        err.offset = at;
        if (status != WCODEC_OK) return cli_fail_library(&j->in, NULL, status, &err);
        result = stream_chunk(j, push, got, &end);
        if (result != CLI_OK) return result;
        at += got;
        cli_progress_update(at, 2 * j->in.source.size);
    }
    return CLI_OK;
}

static int verify_stream(job *j)
{
    wcodec_reader_options options = wcodec_reader_defaults();
    wcodec_error err = { WCODEC_OK, 0, NULL };
    wcodec_push *push;
    wcodec_status status;
    int result;
    if (j->base.open) options.base = &j->base.source;
    options.reread.fn = reread;
    options.reread.user = j;
    status = wcodec_push_open(&push, &options, &err);
    if (status != WCODEC_OK) return cli_fail_library(&j->in, NULL, status, &err);
    result = stream_all(j, push);
    wcodec_push_close(push);
    if (j->reads_again) cli_container_close(&j->again);
    return result;
}

/* ---- second pass: the index ---- */

static wcodec_status add_crc(void *user, const void *data, size_t size)
{
    uint32_t *crc = (uint32_t *)user;
    *crc = wcodec_crc32(*crc, data, size);
    return WCODEC_OK;
}

static int differs(const job *j, const wcodec_original *original, const char *what)
{
    return cli_fail(j->in.name, "original '%s': %s", original->name, what);
}

static int verify_original(job *j, cli_container *c, size_t i)
{
    const digest *d = &j->digests[i];
    wcodec_original original;
    uint32_t crc = 0;
    int result;
    wcodec_reader_original(c->reader, i, &original);
    if (wcodec_crc32(0, original.name, original.name_size) != d->name_crc) {
        return differs(j, &original, "has another name before its tiles");
    }
    if (original.from_parts != d->from_parts) {
        return differs(j, &original, "its flags are others in the index");
    }
    if (original.size != d->size) return differs(j, &original, "its size is another in the index");
    if (original.has_sha256 && memcmp(original.sha256, d->sha256, 32) != 0) {
        return differs(j, &original, "the SHA-256 differs");
    }
    result = cli_container_read(c, original.offset, original.offset + original.size, add_crc, &crc,
                                NULL);
    if (result != CLI_OK) return result;
    return crc == d->crc ? CLI_OK : differs(j, &original, "reads differently through the index");
}

static void print_original(const job *j, const cli_container *c, size_t i)
{
    wcodec_original original;
    char sha256[65];
    wcodec_reader_original(c->reader, i, &original);
    cli_hex(j->digests[i].sha256, 32, sha256);
    printf("OK  ");
    if (original.name_size == 0) printf("-");
    cli_print_name(stdout, original.name, original.name_size, 4096, 0);
    printf("  %" PRIu64 "  %s%s\n", original.size, sha256, original.has_sha256 ? "" : "  (not stored)");
}

static int verify_index(job *j, cli_container *c, int quiet)
{
    size_t i;
    if (c->info.originals != j->originals) {
        return cli_fail(j->in.name, "the index has %llu originals, the container %llu",
                        (unsigned long long)c->info.originals, (unsigned long long)j->originals);
    }
    for (i = 0; i < j->originals; i++) {
        int result = verify_original(j, c, i);
        if (result != CLI_OK) return result;
    }
    cli_progress_end();
    for (i = 0; i < j->originals && !quiet; i++) print_original(j, c, i);
    return cli_flush_stdout();
}

/* ---- the command ---- */

static int verify(job *j, const cli_options *opt)
{
    cli_container c;
    int result = cli_input_seekable(&j->in);
    if (result != CLI_OK) return result;
    j->buffer = (unsigned char *)malloc(2 * CLI_CHUNK);
    if (j->buffer == NULL) return cli_fail(j->in.name, "out of memory");
    cli_progress_begin(j->in.name, cli_has(opt, CLI_OPT_QUIET));
    result = verify_stream(j);
    if (result == CLI_OK) result = cli_container_open_based(&c, &j->in, opt->threads, &j->base, 1);
    if (result == CLI_OK) {
        result = verify_index(j, &c, cli_has(opt, CLI_OPT_QUIET));
        cli_container_close(&c);
    }
    cli_progress_end();
    free(j->buffer);
    free(j->digests);
    return result;
}

int cmd_verify(const cli_options *opt)
{
    job j;
    int result;
    memset(&j, 0, sizeof j);
    result = cli_input_open(&j.in, opt->path[0]);
    if (result != CLI_OK) return result;
    if (cli_has(opt, CLI_OPT_BASE)) result = cli_base_open(&j.base, opt->base);
    if (result == CLI_OK) result = verify(&j, opt);
    cli_base_close(&j.base);
    cli_input_close(&j.in);
    return result;
}
