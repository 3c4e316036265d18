/* An engine decides for each tensor of a safetensors file whether to keep it raw or compressed: what loads sooner
 * from its disk.  Some tiles of each tensor are looked at, whatever its size.
 *
 *   cc -O2 -o choose choose.c
 *   ./choose model.safetensors 3000        (MB a second that the disk gives)
 */
#define WCODEC_IMPLEMENTATION
#include "../wcodec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* See load_tensor.c for the limits of stdio. */
static wcodec_status read_at(void *user, uint64_t offset, void *dst, size_t size, size_t *got)
{
    FILE *file = (FILE *)user;
    if (fseek(file, (long)offset, SEEK_SET) != 0) return WCODEC_E_IO;
    *got = fread(dst, 1, size, file);
    return ferror(file) ? WCODEC_E_IO : WCODEC_OK;
}

static double milliseconds(uint64_t nanoseconds) { return (double)nanoseconds * 1e-6; }

static wcodec_status choose(const wcodec_plan *plan, const wcodec_source *file,
                            const wcodec_estimate_options *options, wcodec_error *err)
{
    uint64_t raw = 0, best = 0;
    size_t i;
    for (i = 0; i < plan->count; i++) {
        const wcodec_segment *tensor = &plan->segments[i];
        wcodec_estimate e;
        wcodec_status status = wcodec_estimate_segment(tensor, file, options, &e, err);
        if (status != WCODEC_OK) return status;
        printf("%-5s %12.0f -> %12.0f bytes, %9.3f or %9.3f ms, %s\n", e.compress ? "coded" : "raw",
               (double)e.size, (double)e.coded, milliseconds(e.raw_load_ns), milliseconds(e.coded_load_ns),
               tensor->name_size ? tensor->name : "(header)");
        raw += e.raw_load_ns;
        best += e.compress ? e.coded_load_ns : e.raw_load_ns;
    }
    printf("all raw %.3f ms, as chosen %.3f ms\n", milliseconds(raw), milliseconds(best));
    return WCODEC_OK;
}

int main(int argc, char **argv)
{
    wcodec_estimate_options options = wcodec_estimate_defaults();
    wcodec_error err = { WCODEC_OK, 0, "" };
    wcodec_source source;
    wcodec_plan *plan;
    wcodec_status status;
    FILE *file;
    long size = -1;
    if (argc != 3) return fprintf(stderr, "usage: choose FILE MB_PER_SECOND\n"), 2;
    file = fopen(argv[1], "rb");
    if (file != NULL && fseek(file, 0, SEEK_END) == 0) size = ftell(file);
    if (size < 0) return perror(argv[1]), 1;
    memset(&source, 0, sizeof source);
    source.read_at = read_at;
    source.user = file;
    source.size = (uint64_t)size;
    options.disk_bytes_per_s = (uint64_t)strtoul(argv[2], NULL, 10) * 1000000;
    status = wcodec_plan_open(&plan, &source, NULL, &err);
    if (status == WCODEC_OK) {
        status = choose(plan, &source, &options, &err);
        wcodec_plan_close(plan);
    }
    fclose(file);
    if (status != WCODEC_OK) fprintf(stderr, "%s: %s (%s)\n", argv[1], err.what, wcodec_status_string(status));
    return status == WCODEC_OK ? 0 : 1;
}
