/* ------------------------------------------------------------------------------------------------
 * Plans (private): how a file falls into segments; safetensors
 *
 * The parser of a format gathers segments in any order, with their names somewhere in `text`, and their shapes one
 * after the other; then they are arranged, and what they leave out becomes opaque.
 *
 * safetensors: u64 N, N bytes of JSON, then the tensors' bytes.  Whatever is in doubt makes the file one
 * opaque segment, so the parser below may be strict and simple: it accepts what the format's own reader does,
 * looks at nothing twice, and keeps its place in a nesting bit field instead of on a stack.
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_PLAN_MEMORY ((uint64_t)1 << 30)
#define WCODECI_MAX_JSON 100000000u         /* the limit of the safetensors library */

typedef struct wcodeci_plan {
    wcodec_plan plan;                       /* first: a wcodec_plan pointer is one to this */
    wcodeci_heap heap;
    char *text;                             /* names lie in it */
    uint64_t text_size;
    wcodec_segment *segments;
    uint64_t segment_capacity;
    uint64_t *shapes;                       /* of all segments, one after the other */
    uint64_t shape_capacity, shapes_used;
    uint32_t *order;
    uint64_t order_count;
    uint64_t wrong;                         /* the number of a segment that can not be arranged */
} wcodeci_plan;

/* A JSON text being read in place.  Every function below returns 0 if the text is not what it must be. */
typedef struct wcodeci_json {
    char *p, *end;
} wcodeci_json;

static void wcodeci_json_space(wcodeci_json *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r')) j->p++;
}

/* Skips white space and takes the character c, if it is next. */
static int wcodeci_json_take(wcodeci_json *j, char c)
{
    wcodeci_json_space(j);
    if (j->p == j->end || *j->p != c) return 0;
    j->p++;
    return 1;
}

static int wcodeci_json_hex(wcodeci_json *j, unsigned *code)
{
    int i;
    *code = 0;
    if (j->end - j->p < 4) return 0;
    for (i = 0; i < 4; i++) {
        char c = *j->p++;
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0')
                       : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                       : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
        if (digit == 16) return 0;
        *code = *code << 4 | digit;
    }
    return 1;
}

/* The code point of \uXXXX, whose \u is passed already, with the second half of a surrogate pair. */
static int wcodeci_json_code_point(wcodeci_json *j, unsigned *code)
{
    unsigned low;
    if (!wcodeci_json_hex(j, code)) return 0;
    if (*code < 0xD800 || *code > 0xDFFF) return 1;
    if (*code > 0xDBFF || j->end - j->p < 2 || j->p[0] != '\\' || j->p[1] != 'u') return 0;
    j->p += 2;
    if (!wcodeci_json_hex(j, &low) || low < 0xDC00 || low > 0xDFFF) return 0;
    *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    return 1;
}

static char *wcodeci_utf8_put(char *p, unsigned code)
{
    if (code < 0x80) {
        *p++ = (char)code;
    } else if (code < 0x800) {
        *p++ = (char)(0xC0 | code >> 6);
        *p++ = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *p++ = (char)(0xE0 | code >> 12);
        *p++ = (char)(0x80 | (code >> 6 & 63));
        *p++ = (char)(0x80 | (code & 63));
    } else {
        *p++ = (char)(0xF0 | code >> 18);
        *p++ = (char)(0x80 | (code >> 12 & 63));
        *p++ = (char)(0x80 | (code >> 6 & 63));
        *p++ = (char)(0x80 | (code & 63));
    }
    return p;
}

/* Whether the text is UTF-8: no stray bytes, no surrogates, nothing above U+10FFFF, nothing longer than
 * needed. */
static int wcodeci_utf8_ok(const char *text, size_t size)
{
    const wcodeci_byte *p = (const wcodeci_byte *)text, *end = p + size;
    while (p < end) {
        unsigned first = *p++, low = 0x80, high = 0xBF, more;
        if (first < 0x80) continue;
        more = first >= 0xC2 && first <= 0xDF ? 1u : first >= 0xE0 && first <= 0xEF ? 2u
             : first >= 0xF0 && first <= 0xF4 ? 3u : 0u;
        if (!more || (size_t)(end - p) < more) return 0;
        if (first == 0xE0) low = 0xA0;
        if (first == 0xED) high = 0x9F;
        if (first == 0xF0) low = 0x90;
        if (first == 0xF4) high = 0x8F;
        for (; more; more--, low = 0x80, high = 0xBF, p++)
            if (*p < low || *p > high) return 0;
    }
    return 1;
}

/* Takes a string and unescapes it where it stands: no escape is shorter than what it stands for.  The zero
 * byte behind it takes the place of the closing quote at the latest. */
static int wcodeci_json_string(wcodeci_json *j, const char **text, size_t *size)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char *to;
    if (!wcodeci_json_take(j, '"')) return 0;
    *text = to = j->p;
    while (j->p < j->end && *j->p != '"') {
        char c = *j->p++;
        unsigned code;
        int i;
        if ((unsigned char)c < 0x20) return 0;
        if (c != '\\') {
            *to++ = c;
            continue;
        }
        if (j->p == j->end) return 0;
        c = *j->p++;
        if (c == 'u') {
            if (!wcodeci_json_code_point(j, &code)) return 0;
            to = wcodeci_utf8_put(to, code);
            continue;
        }
        for (i = 0; escapes[i] && escapes[i] != c; i++) {}
        if (!escapes[i]) return 0;
        *to++ = meanings[i];
    }
    if (j->p == j->end) return 0;
    *size = (size_t)(to - *text);
    j->p++;
    *to = 0;
    return 1;
}

/* A whole number without sign, fraction or exponent. */
static int wcodeci_json_number(wcodeci_json *j, uint64_t *v)
{
    const char *start;
    *v = 0;
    wcodeci_json_space(j);
    start = j->p;
    while (j->p < j->end && *j->p >= '0' && *j->p <= '9') {
        unsigned digit = (unsigned)(*j->p++ - '0');
        if (*v > (UINT64_MAX - digit) / 10) return 0;
        *v = *v * 10 + digit;
    }
    return j->p > start && (j->p - start == 1 || *start != '0');
}

static size_t wcodeci_json_digits(wcodeci_json *j)
{
    const char *start = j->p;
    while (j->p < j->end && *j->p >= '0' && *j->p <= '9') j->p++;
    return (size_t)(j->p - start);
}

/* Passes over a number, true, false or null, of which nothing is wanted. */
static int wcodeci_json_word(wcodeci_json *j)
{
    const char *start;
    wcodeci_json_space(j);
    start = j->p;
    while (j->p < j->end && *j->p >= 'a' && *j->p <= 'z') j->p++;
    if (j->p > start) {
        const size_t size = (size_t)(j->p - start);
        return wcodeci_text_is(start, size, "true") || wcodeci_text_is(start, size, "false")
            || wcodeci_text_is(start, size, "null");
    }
    if (j->p < j->end && *j->p == '-') j->p++;
    start = j->p;
    if (!wcodeci_json_digits(j) || (*start == '0' && j->p - start > 1)) return 0;
    if (j->p < j->end && *j->p == '.') {
        j->p++;
        if (!wcodeci_json_digits(j)) return 0;
    }
    if (j->p < j->end && (*j->p == 'e' || *j->p == 'E')) {
        j->p++;
        if (j->p < j->end && (*j->p == '+' || *j->p == '-')) j->p++;
        if (!wcodeci_json_digits(j)) return 0;
    }
    return 1;
}

/* Passes over any value, up to 64 arrays and objects deep: bit d of `objects` says what level d is. */
static int wcodeci_json_skip(wcodeci_json *j)
{
    uint64_t objects = 0;
    unsigned depth = 0;
    const char *text;
    size_t size;
    for (;;) {
        wcodeci_json_space(j);
        if (j->p == j->end) return 0;
        if (*j->p == '{' || *j->p == '[') {
            int object = *j->p++ == '{';
            if (depth == 64) return 0;
            objects = (objects & ~((uint64_t)1 << depth)) | (uint64_t)object << depth;
            depth++;
            if (!wcodeci_json_take(j, object ? '}' : ']')) {
                if (object && (!wcodeci_json_string(j, &text, &size) || !wcodeci_json_take(j, ':'))) return 0;
                continue;
            }
            depth--;
        } else if (*j->p == '"' ? !wcodeci_json_string(j, &text, &size) : !wcodeci_json_word(j)) {
            return 0;
        }
        /* A value is complete: so may be what holds it. */
        while (depth && wcodeci_json_take(j, objects >> (depth - 1) & 1 ? '}' : ']')) depth--;
        if (!depth) return 1;
        if (!wcodeci_json_take(j, ',')) return 0;
        if (objects >> (depth - 1) & 1)
            if (!wcodeci_json_string(j, &text, &size) || !wcodeci_json_take(j, ':')) return 0;
    }
}

/* "__metadata__": an object of strings. */
static int wcodeci_json_metadata(wcodeci_json *j)
{
    const char *text;
    size_t size;
    if (!wcodeci_json_take(j, '{')) return 0;
    if (wcodeci_json_take(j, '}')) return 1;
    do {
        if (!wcodeci_json_string(j, &text, &size) || !wcodeci_json_take(j, ':')
            || !wcodeci_json_string(j, &text, &size))
            return 0;
    } while (wcodeci_json_take(j, ','));
    return wcodeci_json_take(j, '}');
}

/* One more dimension, of the segment that is added next. */
static wcodec_status wcodeci_plan_dimension(wcodeci_plan *plan, uint64_t v)
{
    void *p = plan->shapes;
    wcodec_status status =
        wcodeci_grow(&plan->heap, &p, &plan->shape_capacity, plan->shapes_used + 1, sizeof v);
    plan->shapes = (uint64_t *)p;
    if (!status) plan->shapes[plan->shapes_used++] = v;
    return status;
}

/* OK, or CORRUPT for a text that is not of this form, or what an allocation came to. */
static wcodec_status wcodeci_json_shape(wcodeci_plan *plan, wcodeci_json *j, wcodec_segment *s)
{
    if (!wcodeci_json_take(j, '[')) return WCODEC_E_CORRUPT;
    s->rank = 0;
    if (wcodeci_json_take(j, ']')) return WCODEC_OK;
    do {
        uint64_t v;
        wcodec_status status;
        if (s->rank == WCODECI_MAX_RANK || !wcodeci_json_number(j, &v)) return WCODEC_E_CORRUPT;
        status = wcodeci_plan_dimension(plan, v);
        if (status) return status;
        s->rank++;
    } while (wcodeci_json_take(j, ','));
    return wcodeci_json_take(j, ']') ? WCODEC_OK : WCODEC_E_CORRUPT;
}

/* One tensor's object.  Its offsets are left relative to the data. */
static wcodec_status wcodeci_json_tensor(wcodeci_plan *plan, wcodeci_json *j, wcodec_segment *s)
{
    unsigned seen = 0;
    uint64_t begin = 0, end = 0;
    wcodec_status status = WCODEC_OK;
    if (!wcodeci_json_take(j, '{')) return WCODEC_E_CORRUPT;
    do {
        const char *key, *text;
        size_t key_size, size;
        unsigned bit = 0;
        if (!wcodeci_json_string(j, &key, &key_size) || !wcodeci_json_take(j, ':')) return WCODEC_E_CORRUPT;
        if (wcodeci_text_is(key, key_size, "dtype")) {
            int dtype;
            bit = 1;
            if (!wcodeci_json_string(j, &text, &size)) return WCODEC_E_CORRUPT;
            dtype = wcodec_dtype_find(text, size);
            s->dtype = dtype < 0 || (size_t)dtype >= WCODECI_DTYPES ? (unsigned)WCODEC_BYTES : (unsigned)dtype;
        } else if (wcodeci_text_is(key, key_size, "shape")) {
            bit = 2;
            if (!(seen & bit)) status = wcodeci_json_shape(plan, j, s);
        } else if (wcodeci_text_is(key, key_size, "data_offsets")) {
            bit = 4;
            if (!wcodeci_json_take(j, '[') || !wcodeci_json_number(j, &begin) || !wcodeci_json_take(j, ',')
                || !wcodeci_json_number(j, &end) || !wcodeci_json_take(j, ']'))
                return WCODEC_E_CORRUPT;
        } else if (!wcodeci_json_skip(j)) {
            return WCODEC_E_CORRUPT;
        }
        if (status) return status;
        if (seen & bit) return WCODEC_E_CORRUPT;
        seen |= bit;
    } while (wcodeci_json_take(j, ','));
    if (!wcodeci_json_take(j, '}') || seen != 7 || begin > end) return WCODEC_E_CORRUPT;
    s->offset = begin;
    s->size = end - begin;
    return WCODEC_OK;
}

static wcodec_status wcodeci_plan_add(wcodeci_plan *plan, const wcodec_segment *segment)
{
    void *p = plan->segments;
    wcodec_status status = wcodeci_grow(&plan->heap, &p, &plan->segment_capacity,
                                        (uint64_t)plan->plan.count + 1, sizeof *segment);
    plan->segments = (wcodec_segment *)p;
    if (!status) plan->segments[plan->plan.count++] = *segment;
    return status;
}

/* The whole text: an object of tensors, white space around it. */
static wcodec_status wcodeci_json_header(wcodeci_plan *plan, wcodeci_json *j)
{
    int metadata = 0;
    if (!wcodeci_json_take(j, '{')) return WCODEC_E_CORRUPT;
    if (!wcodeci_json_take(j, '}')) {
        do {
            wcodec_segment s;
            wcodec_status status;
            memset(&s, 0, sizeof s);
            if (!wcodeci_json_string(j, &s.name, &s.name_size) || !wcodeci_json_take(j, ':'))
                return WCODEC_E_CORRUPT;
            if (wcodeci_text_is(s.name, s.name_size, "__metadata__")) {
                if (metadata++ || !wcodeci_json_metadata(j)) return WCODEC_E_CORRUPT;
                continue;
            }
            if (s.name_size > WCODECI_MAX_NAME) return WCODEC_E_CORRUPT;
            status = wcodeci_json_tensor(plan, j, &s);
            if (!status) status = wcodeci_plan_add(plan, &s);
            if (status) return status;
        } while (wcodeci_json_take(j, ','));
        if (!wcodeci_json_take(j, '}')) return WCODEC_E_CORRUPT;
    }
    wcodeci_json_space(j);
    return j->p == j->end ? WCODEC_OK : WCODEC_E_CORRUPT;
}

static int wcodeci_plan_less_name(const void *context, uint32_t a, uint32_t b)
{
    const wcodec_segment *s = (const wcodec_segment *)context;
    int order = wcodeci_name_compare(s[a].name, s[a].name_size, s[b].name, s[b].name_size);
    return order ? order < 0 : a < b;
}

static int wcodeci_plan_less_offset(const void *context, uint32_t a, uint32_t b)
{
    const wcodec_segment *s = (const wcodec_segment *)context;
    if (s[a].offset != s[b].offset) return s[a].offset < s[b].offset;
    if (s[a].size != s[b].size) return s[a].size < s[b].size;
    return a < b;
}

/* A name that stands twice says nothing certain. */
static int wcodeci_plan_names_differ(wcodeci_plan *plan)
{
    const wcodec_segment *s = plan->segments;
    uint64_t i;
    wcodeci_sort(plan->order, (size_t)plan->order_count, wcodeci_plan_less_name, s);
    for (i = 1; i < plan->order_count; i++) {
        const wcodec_segment *a = &s[plan->order[i - 1]], *b = &s[plan->order[i]];
        if (wcodeci_name_compare(a->name, a->name_size, b->name, b->name_size) == 0) return 0;
    }
    return 1;
}

/* The numbers of all segments. */
static wcodec_status wcodeci_plan_number(wcodeci_plan *plan)
{
    void *p;
    uint64_t i;
    wcodec_status status;
    wcodeci_release(&plan->heap, plan->order, plan->order_count * sizeof *plan->order);
    plan->order = NULL;
    plan->order_count = 0;
    if (plan->plan.count >= UINT32_MAX) return WCODEC_E_CORRUPT;
    status = wcodeci_alloc(&plan->heap, (uint64_t)plan->plan.count * sizeof(uint32_t), &p);
    plan->order = (uint32_t *)p;
    if (status) return status;
    plan->order_count = plan->plan.count;
    for (i = 0; i < plan->order_count; i++) plan->order[i] = (uint32_t)i;
    return WCODEC_OK;
}

/* The shapes lie one after the other, in the order of parsing, and move no more. */
static void wcodeci_plan_shapes(wcodeci_plan *plan)
{
    const uint64_t *shape = plan->shapes;
    size_t i;
    for (i = 0; i < plan->plan.count; i++) {
        wcodec_segment *s = &plan->segments[i];
        s->shape = s->rank ? shape : NULL;
        if (s->rank) shape += s->rank;
    }
}

static int wcodeci_plan_check_tensors(wcodeci_plan *plan)
{
    size_t i;
    wcodeci_plan_shapes(plan);
    for (i = 0; i < plan->plan.count; i++) {
        wcodec_segment *s = &plan->segments[i];
        wcodeci_cut cut;
        uint64_t size;
        if (s->dtype == WCODEC_BYTES) continue;
        if (!wcodeci_tensor_geometry(s->dtype, s->shape, s->rank, &size, &cut) || size != s->size) return 0;
    }
    return 1;
}

static wcodec_status wcodeci_plan_opaque(wcodeci_plan *plan, uint64_t begin, uint64_t end)
{
    wcodec_segment opaque;
    if (begin == end) return WCODEC_OK;
    memset(&opaque, 0, sizeof opaque);
    opaque.name = "";
    opaque.offset = begin;
    opaque.size = end - begin;
    return wcodeci_plan_add(plan, &opaque);
}

/* Puts the segments in the order of their bytes, with opaque ones where they leave bytes of the file out.  CORRUPT
 * if two overlap or one passes the file's end: `wrong` is its number. */
static wcodec_status wcodeci_plan_arrange(wcodeci_plan *plan)
{
    wcodec_segment *parsed = plan->segments;
    const uint64_t parsed_capacity = plan->segment_capacity, size = plan->plan.size;
    uint64_t i, position = 0;
    wcodec_status status = wcodeci_plan_number(plan);
    if (status) return status;
    wcodeci_sort(plan->order, (size_t)plan->order_count, wcodeci_plan_less_offset, parsed);
    plan->segments = NULL;
    plan->segment_capacity = 0;
    plan->plan.count = 0;
    for (i = 0; i < plan->order_count && !status; i++) {
        const wcodec_segment *s = &parsed[plan->order[i]];
        plan->wrong = plan->order[i];
        if (s->offset < position || s->offset > size || s->size > size - s->offset) status = WCODEC_E_CORRUPT;
        if (!status) status = wcodeci_plan_opaque(plan, position, s->offset);
        if (!status) status = wcodeci_plan_add(plan, s);
        position = s->offset + s->size;
    }
    if (!status) status = wcodeci_plan_opaque(plan, position, size);
    wcodeci_release(&plan->heap, parsed, parsed_capacity * sizeof *parsed);
    return status;
}

/* A file that is shorter than its source says is a failure of the source; and CORRUPT, from a source that is
 * itself a container, does not say that this file is of no format. */
static wcodec_status wcodeci_plan_read_failed(wcodec_status status, wcodec_error *err)
{
    if (status == WCODEC_E_TRUNCATED || status == WCODEC_E_CORRUPT) status = WCODEC_E_IO;
    if (err) err->status = status;
    return status;
}

/* The caller knows that the bytes are there. */
static wcodec_status wcodeci_plan_read(const wcodec_source *file, uint64_t offset, void *dst, size_t size,
                                       wcodec_error *err)
{
    wcodec_status status = wcodeci_read_at(file, offset, dst, size, err);
    return status ? wcodeci_plan_read_failed(status, err) : WCODEC_OK;
}

/* Room for a part of the file that names will lie in. */
static wcodec_status wcodeci_plan_text(wcodeci_plan *plan, uint64_t size, wcodec_error *err)
{
    void *p;
    wcodec_status status = wcodeci_alloc(&plan->heap, size, &p);
    if (status) return wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    plan->text = (char *)p;
    plan->text_size = size;
    return WCODEC_OK;
}

/* The tensors' offsets count from `data`; before it is the header. */
static wcodec_status wcodeci_plan_after_header(wcodeci_plan *plan, uint64_t data)
{
    const uint64_t data_size = plan->plan.size - data;
    size_t i;
    for (i = 0; i < plan->plan.count; i++) {
        if (plan->segments[i].offset > data_size) return WCODEC_E_CORRUPT;
        plan->segments[i].offset += data;
    }
    return wcodeci_plan_opaque(plan, 0, data);
}

/* The tensors are parsed: checks them, and puts them in order; `data` is where their bytes begin. */
static wcodec_status wcodeci_plan_settle(wcodeci_plan *plan, uint64_t data)
{
    wcodec_status status = wcodeci_plan_check_tensors(plan) ? wcodeci_plan_number(plan) : WCODEC_E_CORRUPT;
    if (!status && !wcodeci_plan_names_differ(plan)) status = WCODEC_E_CORRUPT;
    if (!status) status = wcodeci_plan_after_header(plan, data);
    return status ? status : wcodeci_plan_arrange(plan);
}

/* Like every parser here: OK with a plan, CORRUPT for a file that is none of the format, or what went wrong on the
 * way. */
static wcodec_status wcodeci_plan_safetensors(wcodeci_plan *plan, const wcodec_source *file,
                                              wcodec_error *err)
{
    wcodeci_byte prefix[8];
    wcodeci_json j;
    uint64_t n;
    wcodec_status status;
    if (file->size < 10) return WCODEC_E_CORRUPT;
    status = wcodeci_plan_read(file, 0, prefix, 8, err);
    if (status) return status;
    n = wcodeci_load64(prefix);
    if (n < 2 || n > WCODECI_MAX_JSON || n > file->size - 8) return WCODEC_E_CORRUPT;
    status = wcodeci_plan_text(plan, n, err);
    if (!status) status = wcodeci_plan_read(file, 8, plan->text, (size_t)n, err);
    if (status) return status;
    j.p = plan->text;
    j.end = plan->text + n;
    status = wcodeci_utf8_ok(plan->text, (size_t)n) ? wcodeci_json_header(plan, &j) : WCODEC_E_CORRUPT;
    if (!status) status = wcodeci_plan_settle(plan, 8 + n);
    if (status == WCODEC_E_LIMIT || status == WCODEC_E_NO_MEMORY)
        wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    return status;
}

#endif
