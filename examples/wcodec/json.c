/* JSON output.  Names come from files and may hold any bytes; what is written is always valid JSON. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli.h"

static void quote(FILE *file, const char *text, size_t size)
{
    size_t i, used;
    fputc('"', file);
    for (i = 0; i < size; i += used) {
        long point = cli_utf8(text + i, size - i, &used);
        if (point < 0) fputs("\\ufffd", file);
        else if (point < 32 || point == 127) fprintf(file, "\\u%04lx", (unsigned long)point);
        else if (point == '"' || point == '\\') fprintf(file, "\\%c", (char)point);
        else fwrite(text + i, 1, used, file);
    }
    fputc('"', file);
}

static void new_line(cli_json *json)
{
    fprintf(json->file, "\n%*s", (int)(2 * json->depth), "");
}

/* What stands before a value: the comma, the place, the key. */
static void item(cli_json *json, const char *key)
{
    int own_line = json->pretty && json->depth >= 1 && json->depth <= 2;
    if (json->items) fputs(json->pretty && !own_line ? ", " : ",", json->file);
    if (own_line) new_line(json);
    json->items = 1;
    if (key == NULL) return;
    quote(json->file, key, strlen(key));
    fputs(json->pretty ? ": " : ":", json->file);
}

void cli_json_begin(cli_json *json, FILE *file, int pretty)
{
    memset(json, 0, sizeof *json);
    json->file = file;
    json->pretty = pretty;
}

void cli_json_open(cli_json *json, const char *key, char bracket)
{
    item(json, key);
    fputc(bracket, json->file);
    json->depth++;
    json->items = 0;
}

void cli_json_close(cli_json *json, char bracket)
{
    int own_line = json->pretty && json->depth <= 2 && json->items;
    json->depth--;
    if (own_line) new_line(json);
    fputc(bracket, json->file);
    json->items = 1;
    if (json->pretty && json->depth == 0) fputc('\n', json->file);
}

void cli_json_text(cli_json *json, const char *key, const char *text, size_t size)
{
    item(json, key);
    quote(json->file, text, size);
}

void cli_json_string(cli_json *json, const char *key, const char *text)
{
    cli_json_text(json, key, text, strlen(text));
}

void cli_json_uint(cli_json *json, const char *key, uint64_t value)
{
    item(json, key);
    fprintf(json->file, "%" PRIu64, value);
}

void cli_json_real(cli_json *json, const char *key, double value)
{
    if (!isfinite(value)) {
        cli_json_null(json, key);
        return;
    }
    item(json, key);
    fprintf(json->file, "%.6g", value);
}

void cli_json_bool(cli_json *json, const char *key, int value)
{
    item(json, key);
    fputs(value ? "true" : "false", json->file);
}

void cli_json_null(cli_json *json, const char *key)
{
    item(json, key);
    fputs("null", json->file);
}

void cli_json_shape(cli_json *json, const char *key, const wcodec_segment *segment)
{
    unsigned i;
    cli_json_open(json, key, '[');
    for (i = 0; i < segment->rank; i++) cli_json_uint(json, NULL, segment->shape[i]);
    cli_json_close(json, ']');
}
