/* Decodes a container as it comes, from standard input to standard output: the push decoder takes
 * chunks of any size, needs no seeking, and gives bytes out only after their checksum was checked.
 *
 *   cc -O2 -o stream stream.c
 *   curl https://example.org/model.wcodec | ./stream > model.safetensors
 */
#define WCODEC_NO_ENCODER
#define WCODEC_IMPLEMENTATION
#include "../wcodec.h"

#include <stdio.h>

static unsigned char in[65536], out[65536];

/* Feeds one chunk (an empty one at the end of the input) until the decoder wants the next. */
static wcodec_status feed(wcodec_push *push, size_t size, wcodec_error *err)
{
    size_t used = 0;
    if (size == 0) err->what = "the input ends inside the container";
    for (;;) {
        size_t in_used, out_used;
        wcodec_status status = wcodec_push_step(push, in + used, size - used, &in_used, out, sizeof out,
                                                &out_used, err);
        used += in_used;
        if (status < 0) return status;      /* `err` says where and what */
        err->offset += in_used;
        if (fwrite(out, 1, out_used, stdout) != out_used) return WCODEC_E_IO;
        if (status == WCODEC_END) return status;
        if (status == WCODEC_MORE_INPUT) return size > 0 ? status : WCODEC_E_TRUNCATED;
        /* MORE_OUTPUT: `out` is free again.  ORIGINAL: the next file begins; here they are joined. */
    }
}

int main(void)
{
    wcodec_error err = { WCODEC_OK, 0, "cannot be written" };
    wcodec_push *push;
    wcodec_status status = wcodec_push_open(&push, NULL, &err);
    if (status == WCODEC_OK) status = WCODEC_MORE_INPUT;
    while (status == WCODEC_MORE_INPUT) status = feed(push, fread(in, 1, sizeof in, stdin), &err);
    wcodec_push_close(push);
    if (status == WCODEC_END && fflush(stdout) == 0) return 0;
    fprintf(stderr, "offset %lu: %s: %s\n", (unsigned long)err.offset, wcodec_status_string(status),
            err.what);
    return 1;
}
