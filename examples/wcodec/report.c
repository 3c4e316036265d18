/* Messages: one line on standard error, whatever the names in it contain. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "cli.h"

long cli_utf8(const char *s, size_t size, size_t *used)
{
    static const unsigned long least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char c = (unsigned char)s[0];
    size_t n = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
    unsigned long point = n == 1 ? c : n == 2 ? c & 0x1Fu : n == 3 ? c & 0x0Fu : c & 0x07u;
    size_t i;
    *used = 1;
    if (n == 0 || n > size) return -1;
    for (i = 1; i < n; i++) {
        unsigned char next = (unsigned char)s[i];
        if ((next & 0xC0) != 0x80) return -1;
        point = point << 6 | (next & 0x3Fu);
    }
    if (point < least[n] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return -1;
    *used = n;
    return (long)point;
}

/* The C1 controls (128 to 159) move terminals as escape sequences do. */
static int printable(long point)
{
    return point >= 32 && !(point >= 127 && point < 160);
}

static size_t characters(const char *s, size_t size)
{
    size_t n = 0, i = 0, used;
    for (; i < size; i += used, n++) (void)cli_utf8(s + i, size - i, &used);
    return n;
}

void cli_print_name(FILE *file, const char *name, size_t size, size_t width, int pad)
{
    size_t count = characters(name, size), place = 0, i = 0, used;
    /* Of a long name the end tells more than the middle. */
    size_t hidden_from = width / 3, hidden_to = count > width ? count - (width - width / 3 - 3) : 0;
    for (; i < size; i += used, place++) {
        long point = cli_utf8(name + i, size - i, &used);
        if (count > width && place >= hidden_from && place < hidden_to) {
            if (place == hidden_from) fputs("...", file);
        } else if (printable(point)) {
            fwrite(name + i, 1, used, file);
        } else {
            fputc('?', file);
        }
    }
    if (pad && count < width) fprintf(file, "%*s", (int)(width - count), "");
}

static void begin_line(const char *file)
{
    cli_progress_end();
    fputs("wcodec: ", stderr);
    if (file == NULL) return;
    cli_print_name(stderr, file, strlen(file), 4096, 0);
    fputs(": ", stderr);
}

static void end_line(const char *format, va_list args)
{
    char text[1024];
    vsnprintf(text, sizeof text, format, args);
    cli_print_name(stderr, text, strlen(text), sizeof text, 0);
    fputc('\n', stderr);
}

int cli_fail(const char *file, const char *format, ...)
{
    va_list args;
    begin_line(file);
    va_start(args, format);
    end_line(format, args);
    va_end(args);
    return CLI_FAILED;
}

int cli_fail_at(const char *file, uint64_t offset, const char *what)
{
    return cli_fail(file, "offset %llu: %s", (unsigned long long)offset, what);
}

int cli_usage(const char *format, ...)
{
    va_list args;
    begin_line(NULL);
    va_start(args, format);
    end_line(format, args);
    va_end(args);
    return CLI_USAGE;
}

int cli_flush_stdout(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return CLI_OK;
    return cli_fail("standard output", "%s", errno != 0 ? strerror(errno) : "write failed");
}

int cli_fail_library(const cli_input *in, const cli_output *out, wcodec_status status,
                     const wcodec_error *err)
{
    const char *what = err->what != NULL ? err->what : wcodec_status_string(status);
    if (out != NULL && out->error != 0) return cli_output_fail(out);
    if (in->error != 0) what = strerror(in->error);
    return cli_fail_at(in->name, err->offset, what);
}

const char *cli_shape(const wcodec_segment *segment)
{
    static char text[80];
    size_t at = 1;
    unsigned i;
    text[0] = '[';
    for (i = 0; i < segment->rank; i++) {
        if (at + 30 > sizeof text) {
            at += (size_t)snprintf(text + at, sizeof text - at, ", ...");
            break;
        }
        at += (size_t)snprintf(text + at, sizeof text - at, i ? ", %llu" : "%llu",
                               (unsigned long long)segment->shape[i]);
    }
    snprintf(text + at, sizeof text - at, "]");
    return text;
}

const char *cli_dtype(const wcodec_segment *segment)
{
    const char *name = wcodec_dtype_name(segment->dtype);
    return name != NULL ? name : "?";
}

const char *cli_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

double cli_ratio(uint64_t part, uint64_t whole)
{
    return whole != 0 ? (double)part / (double)whole : (double)NAN;
}

double cli_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void cli_hex(const unsigned char *bytes, size_t size, char *text)
{
    size_t i;
    for (i = 0; i < size; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}
