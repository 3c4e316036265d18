/* JSON that is read: one value after the other, in place, from a text in memory.  Every function returns 0
 * if the text is not what it must be; `p` is then about where. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

void cli_parse_space(cli_parse *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r')) j->p++;
}

int cli_parse_take(cli_parse *j, char c)
{
    cli_parse_space(j);
    if (j->p == j->end || *j->p != c) return 0;
    j->p++;
    return 1;
}

static int take_hex(cli_parse *j, unsigned *code)
{
    int i;
    *code = 0;
    if (j->end - j->p < 4) return 0;
    for (i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = (const char *)memchr(digits, *j->p, sizeof digits - 1);
        if (digit == NULL) return 0;
        *code = *code << 4 | (unsigned)(digit - digits > 15 ? digit - digits - 6 : digit - digits);
        j->p++;
    }
    return 1;
}

/* What \uXXXX stands for, whose \u is passed, with the other half of a pair. */
static int take_point(cli_parse *j, unsigned *point)
{
    unsigned low;
    if (!take_hex(j, point)) return 0;
    if (*point < 0xD800 || *point > 0xDFFF) return 1;
    if (*point > 0xDBFF || j->end - j->p < 2 || j->p[0] != '\\' || j->p[1] != 'u') return 0;
    j->p += 2;
    if (!take_hex(j, &low) || low < 0xDC00 || low > 0xDFFF) return 0;
    *point = 0x10000 + ((*point - 0xD800) << 10) + (low - 0xDC00);
    return 1;
}

static char *put_point(char *to, unsigned point)
{
    if (point < 0x80) {
        *to++ = (char)point;
        return to;
    }
    if (point < 0x800) {
        *to++ = (char)(0xC0 | point >> 6);
    } else if (point < 0x10000) {
        *to++ = (char)(0xE0 | point >> 12);
        *to++ = (char)(0x80 | (point >> 6 & 63));
    } else {
        *to++ = (char)(0xF0 | point >> 18);
        *to++ = (char)(0x80 | (point >> 12 & 63));
        *to++ = (char)(0x80 | (point >> 6 & 63));
    }
    *to++ = (char)(0x80 | (point & 63));
    return to;
}

/* No escape is shorter than what it stands for, so the text is unescaped where it stands; a zero byte, at the
 * latest in place of the quote, ends it. */
int cli_parse_string(cli_parse *j, cli_name *text)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char *to;
    if (!cli_parse_take(j, '"')) return 0;
    text->text = to = j->p;
    while (j->p < j->end && *j->p != '"') {
        char c = *j->p++;
        const char *escape;
        unsigned point;
        if ((unsigned char)c < 0x20) return 0;
        if (c != '\\') {
            *to++ = c;
            continue;
        }
        if (j->p == j->end) return 0;
        c = *j->p++;
        if (c == 'u') {
            if (!take_point(j, &point)) return 0;
            to = put_point(to, point);
            continue;
        }
        escape = (const char *)memchr(escapes, c, sizeof escapes - 1);
        if (escape == NULL) return 0;
        *to++ = meanings[escape - escapes];
    }
    if (j->p == j->end) return 0;
    text->size = (size_t)(to - text->text);
    j->p++;
    *to = 0;
    return 1;
}

/* A whole number without sign, fraction or exponent. */
int cli_parse_number(cli_parse *j, uint64_t *value)
{
    const char *start;
    *value = 0;
    cli_parse_space(j);
    start = j->p;
    while (j->p < j->end && *j->p >= '0' && *j->p <= '9') {
        unsigned digit = (unsigned)(*j->p - '0');
        if (*value > (UINT64_MAX - digit) / 10) return 0;
        *value = *value * 10 + digit;
        j->p++;
    }
    if (j->p == start || (*start == '0' && j->p - start > 1)) return 0;
    return j->p == j->end || memchr(",]} \t\r\n", *j->p, 7) != NULL;
}

/* Passes over a number, true, false or null, of which nothing is wanted: it is not looked at closely. */
static int skip_word(cli_parse *j)
{
    const char *start = j->p;
    while (j->p < j->end && memchr(",:]}[{\" \t\r\n", *j->p, 11) == NULL) j->p++;
    return j->p > start;
}

/* Bit d of `objects` says what level d is. */
int cli_parse_skip(cli_parse *j)
{
    uint64_t objects = 0;
    unsigned depth = 0;
    cli_name text;
    for (;;) {
        cli_parse_space(j);
        if (j->p == j->end) return 0;
        if (*j->p == '{' || *j->p == '[') {
            int object = *j->p++ == '{';
            if (depth == 64) return 0;
            objects = (objects & ~((uint64_t)1 << depth)) | (uint64_t)object << depth;
            depth++;
            if (!cli_parse_take(j, object ? '}' : ']')) {
                if (object && (!cli_parse_string(j, &text) || !cli_parse_take(j, ':'))) return 0;
                continue;
            }
            depth--;
        } else if (*j->p == '"' ? !cli_parse_string(j, &text) : !skip_word(j)) {
            return 0;
        }
        /* A value is complete: so may be what holds it. */
        while (depth != 0 && cli_parse_take(j, objects >> (depth - 1) & 1 ? '}' : ']')) depth--;
        if (depth == 0) return 1;
        if (!cli_parse_take(j, ',')) return 0;
        if (objects >> (depth - 1) & 1) {
            if (!cli_parse_string(j, &text) || !cli_parse_take(j, ':')) return 0;
        }
    }
}

int cli_parse_open(cli_parse *j, const char *path)
{
    cli_input in;
    size_t got = 0;
    int result = cli_input_open(&in, path);
    memset(j, 0, sizeof *j);
    if (result != CLI_OK) return result;
    result = cli_input_seekable(&in);
    if (result == CLI_OK && in.source.size > CLI_MAX_JSON) {
        result = cli_fail(in.name, "is larger than the %d MiB that JSON may have here", CLI_MAX_JSON >> 20);
    }
    if (result == CLI_OK) {
        j->text = (char *)malloc((size_t)in.source.size + 1);
        if (j->text == NULL) result = cli_fail(in.name, "out of memory");
        else if (in.source.read_at(&in, 0, j->text, (size_t)in.source.size, &got) != WCODEC_OK) {
            result = cli_fail(in.name, "%s", strerror(in.error));
        }
    }
    j->p = j->text;
    if (result == CLI_OK) j->end = j->text + got;
    cli_input_close(&in);
    if (result != CLI_OK) cli_parse_close(j);
    return result;
}

void cli_parse_close(cli_parse *j)
{
    free(j->text);
    j->text = NULL;
}
