/* encode --plan FILE: the segments of a file as its owner knows them.
 *
 *   [ { "name": "w", "offset": 64, "length": 8192, "dtype": "F16", "row": 512 }, ... ]
 *   { "w": { "offset": 64, "dtype": "F16", "shape": [8, 512] }, ... }
 *
 * What they leave out is opaque. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { GIVEN_NAME = 1, GIVEN_OFFSET = 2, GIVEN_LENGTH = 4, GIVEN_DTYPE = 8, GIVEN_ROW = 16, GIVEN_SHAPE = 32 };
enum { MAX_RANK = 255 };

typedef struct reader {
    const char *path;           /* for messages */
    cli_parse j;
    wcodec_segment *segments;
    size_t count, capacity;
    uint64_t *shapes;           /* of all of them, one after the other */
    size_t used, shape_capacity;
} reader;

/* Of the entry that is being read, counted from 1. */
static int fail_entry(const reader *r, const char *what)
{
    return cli_fail(r->path, "entry %zu: %s", r->count + 1, what);
}

static int bad_json(const reader *r)
{
    return cli_fail(r->path, "is not the JSON expected, at byte %llu (entry %zu)",
                    (unsigned long long)(r->j.p - r->j.text), r->count + 1);
}

static int grow(void *array, size_t *capacity, size_t count, size_t item)
{
    void *grown;
    if (count < *capacity) return 1;
    grown = realloc(*(void **)array, (2 * *capacity + 64) * item);
    if (grown == NULL) return 0;
    *(void **)array = grown;
    *capacity = 2 * *capacity + 64;
    return 1;
}

static int add_dimension(reader *r, wcodec_segment *s, uint64_t value)
{
    void *shapes = r->shapes;
    if (s->rank == MAX_RANK) return fail_entry(r, "a shape has 255 dimensions at most");
    if (!grow(&shapes, &r->shape_capacity, r->used, sizeof *r->shapes)) return cli_fail(r->path, "out of memory");
    r->shapes = (uint64_t *)shapes;
    r->shapes[r->used++] = value;
    s->rank++;
    return CLI_OK;
}

static int read_shape(reader *r, wcodec_segment *s)
{
    uint64_t value;
    int result;
    if (!cli_parse_take(&r->j, '[')) return fail_entry(r, "shape takes a list of numbers");
    if (cli_parse_take(&r->j, ']')) return CLI_OK;
    do {
        if (!cli_parse_number(&r->j, &value)) return fail_entry(r, "shape takes a list of numbers");
        result = add_dimension(r, s, value);
        if (result != CLI_OK) return result;
    } while (cli_parse_take(&r->j, ','));
    return cli_parse_take(&r->j, ']') ? CLI_OK : bad_json(r);
}

static int read_dtype(reader *r, wcodec_segment *s)
{
    cli_name text;
    int dtype;
    if (!cli_parse_string(&r->j, &text)) return fail_entry(r, "dtype takes a name in quotes");
    dtype = wcodec_dtype_find(text.text, text.size);
    if (dtype < 0) {
        return cli_fail(r->path, "entry %zu: '%s' is no dtype (BF16, F32, I8, BYTES ...)", r->count + 1, text.text);
    }
    s->dtype = (unsigned)dtype;
    return CLI_OK;
}

/* One key and its value. */
static int read_field(reader *r, wcodec_segment *s, unsigned *given)
{
    static const char *const keys[] = { "name", "offset", "length", "dtype", "row", "shape" };
    cli_name key, text;
    unsigned i;
    int done;
    if (!cli_parse_string(&r->j, &key) || !cli_parse_take(&r->j, ':')) return bad_json(r);
    for (i = 0; i < sizeof keys / sizeof keys[0] && strcmp(key.text, keys[i]) != 0; i++) { }
    if (i == sizeof keys / sizeof keys[0]) {
        return cli_fail(r->path, "entry %zu: '%s' is none of name, offset, length, dtype, row, shape", r->count + 1,
                        key.text);
    }
    if (*given >> i & 1) return cli_fail(r->path, "entry %zu: '%s' stands twice", r->count + 1, key.text);
    *given |= 1u << i;
    if (1u << i == GIVEN_DTYPE) return read_dtype(r, s);
    if (1u << i == GIVEN_SHAPE) return read_shape(r, s);
    if (1u << i == GIVEN_NAME) {
        done = cli_parse_string(&r->j, &text);
        s->name = done ? text.text : NULL;
        s->name_size = done ? text.size : 0;
    } else {
        done = cli_parse_number(&r->j, 1u << i == GIVEN_OFFSET ? &s->offset
                                       : 1u << i == GIVEN_LENGTH ? &s->size : &s->row);
    }
    if (done) return CLI_OK;
    return cli_fail(r->path, "entry %zu: '%s' takes a %s", r->count + 1, key.text,
                    1u << i == GIVEN_NAME ? "text in quotes" : "whole number below 2^64");
}

/* Size and shape from what was given of them. */
static int complete(reader *r, wcodec_segment *s, unsigned given)
{
    const uint64_t bits = wcodec_dtype_bits(s->dtype);
    uint64_t elements = 1, size;
    unsigned i;
    if (!(given & GIVEN_OFFSET)) return fail_entry(r, "has no offset");
    if ((given & GIVEN_ROW) && s->row == 0) return fail_entry(r, "row takes a number from 1 on");
    if ((given & GIVEN_ROW) && (given & GIVEN_SHAPE)) return fail_entry(r, "has a shape, and a row too");
    if (bits == 0 || !(given & GIVEN_SHAPE)) {
        if (!(given & GIVEN_LENGTH)) return fail_entry(r, "has no length");
        if (bits == 0) return CLI_OK;
        if (s->size > UINT64_MAX / 8 || s->size * 8 % bits != 0) return fail_entry(r, "length is not whole elements");
        elements = s->size * 8 / bits;
        if (s->row == 0) return add_dimension(r, s, elements);
        if (elements % s->row != 0) return fail_entry(r, "length is not whole rows");
        size = s->row;
        s->row = 0;             /* the shape says it */
        i = (unsigned)add_dimension(r, s, elements / size);
        return i == CLI_OK ? add_dimension(r, s, size) : (int)i;
    }
    for (i = 0; i < s->rank; i++) {
        const uint64_t dimension = r->shapes[r->used - s->rank + i];
        if (dimension != 0 && elements > UINT64_MAX / 64 / dimension) return fail_entry(r, "the shape is too large");
        elements *= dimension;
    }
    size = elements * bits / 8;
    if (elements * bits % 8 != 0) return fail_entry(r, "the shape is not whole bytes");
    if ((given & GIVEN_LENGTH) && s->size != size) return fail_entry(r, "dtype, shape and length disagree");
    s->size = size;
    return CLI_OK;
}

/* `name`: of an entry that is a value of an object; NULL in an array. */
static int read_entry(reader *r, const cli_name *name)
{
    wcodec_segment s;
    void *segments = r->segments;
    unsigned given = name != NULL ? GIVEN_NAME : 0;
    int result = CLI_OK;
    memset(&s, 0, sizeof s);
    s.name = name != NULL ? name->text : "";
    s.name_size = name != NULL ? name->size : 0;
    if (!cli_parse_take(&r->j, '{')) return fail_entry(r, "is no object");
    if (!cli_parse_take(&r->j, '}')) {
        do result = read_field(r, &s, &given);
        while (result == CLI_OK && cli_parse_take(&r->j, ','));
        if (result == CLI_OK && !cli_parse_take(&r->j, '}')) result = bad_json(r);
    }
    if (result == CLI_OK) result = complete(r, &s, given);
    if (result != CLI_OK) return result;
    if (!grow(&segments, &r->capacity, r->count, sizeof s)) return cli_fail(r->path, "out of memory");
    r->segments = (wcodec_segment *)segments;
    r->segments[r->count++] = s;
    return CLI_OK;
}

static int read_all(reader *r)
{
    const int object = cli_parse_take(&r->j, '{');
    const char end = object ? '}' : ']';
    int result = CLI_OK;
    if (!object && !cli_parse_take(&r->j, '[')) return bad_json(r);
    if (!cli_parse_take(&r->j, end)) {
        do {
            cli_name name;
            if (object && (!cli_parse_string(&r->j, &name) || !cli_parse_take(&r->j, ':'))) return bad_json(r);
            result = read_entry(r, object ? &name : NULL);
        } while (result == CLI_OK && cli_parse_take(&r->j, ','));
        if (result == CLI_OK && !cli_parse_take(&r->j, end)) result = bad_json(r);
    }
    if (result != CLI_OK) return result;
    cli_parse_space(&r->j);
    return r->j.p == r->j.end ? CLI_OK : bad_json(r);
}

static int make_plan(reader *r, wcodec_plan **plan, const cli_input *in)
{
    wcodec_error err = { WCODEC_OK, 0, NULL };
    const uint64_t *shape = r->shapes;
    wcodec_status status;
    size_t i, wrong;
    for (i = 0; i < r->count; i++) {
        r->segments[i].shape = shape;
        if (r->segments[i].rank != 0) shape += r->segments[i].rank;
    }
    status = wcodec_plan_from(plan, r->segments, r->count, in->source.size, NULL, &wrong, &err);
    if (status == WCODEC_OK) return CLI_OK;
    if (wrong == r->count) return cli_fail(r->path, "%s", err.what);
    return cli_fail(r->path, "entry %zu, of %llu bytes at %llu: %s (%s has %llu bytes)", wrong + 1,
                    (unsigned long long)r->segments[wrong].size, (unsigned long long)r->segments[wrong].offset,
                    err.what, in->name, (unsigned long long)in->source.size);
}

int cli_plan_file(wcodec_plan **plan, const char *path, const cli_input *in)
{
    reader r;
    int result;
    memset(&r, 0, sizeof r);
    r.path = path;
    result = cli_parse_open(&r.j, path);
    if (result != CLI_OK) return result;
    result = read_all(&r);
    if (result == CLI_OK) result = make_plan(&r, plan, in);
    free(r.segments);
    free(r.shapes);
    cli_parse_close(&r.j);
    return result;
}
