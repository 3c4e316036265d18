/* ------------------------------------------------------------------------------------------------
 * Plans of GGUF files (private): the files of ggml, versions 2 and 3
 *
 * "GGUF", u32 version, two counts, so many key-values, so many descriptions of tensors, padding, data.  A string is a
 * u64 length and its bytes.  What ggml's own reader refuses is refused here, and then the file is one opaque segment;
 * so is one of big-endian numbers, whose version is not one.  Only a type that is not known yet is not held against
 * the others: such a tensor is opaque up to where the next one begins.
 * The file is read once, in order, through a window; what is kept of it is a hash of each key and the tensors.
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_GGUF_WINDOW ((size_t)1 << 16)
#define WCODECI_GGUF_LONGEST ((uint64_t)1 << 30)    /* a string, an array */
#define WCODECI_GGUF_NAME 63u                       /* bytes of a tensor's name, at most */
#define WCODECI_GGUF_RANK 4u
#define WCODECI_GGUF_ALIGNMENT 32u                  /* where the file does not say */

enum { WCODECI_GGUF_U32 = 4, WCODECI_GGUF_STRING = 8, WCODECI_GGUF_ARRAY = 9, WCODECI_GGUF_TYPES = 13 };

typedef struct wcodeci_gguf {
    const wcodec_source *file;
    wcodec_error *err;
    wcodec_status status;               /* sticky; CORRUPT: not a GGUF file, or it breaks a rule */
    uint64_t at;                        /* the next byte */
    wcodeci_byte *window;               /* of a file that is not in memory */
    uint64_t window_at, window_size;
    uint64_t *hashes;                   /* of the keys */
    uint64_t hash_capacity, keys, tensors;
    uint64_t alignment;
} wcodeci_gguf;

/* Does the file hold so many bytes more?  If not, it is broken. */
static int wcodeci_gguf_has(wcodeci_gguf *g, uint64_t size)
{
    if (!g->status && size > g->file->size - g->at) g->status = WCODEC_E_CORRUPT;
    return !g->status;
}

static void wcodeci_gguf_skip(wcodeci_gguf *g, uint64_t size)
{
    if (wcodeci_gguf_has(g, size)) g->at += size;
}

/* The next `size` bytes, at most a window full; NULL if there is something wrong. */
static const wcodeci_byte *wcodeci_gguf_take(wcodeci_gguf *g, size_t size)
{
    const wcodeci_byte *p;
    if (!wcodeci_gguf_has(g, size)) return NULL;
    if (g->file->memory) {
        p = (const wcodeci_byte *)g->file->memory + (size_t)g->at;
    } else {
        if (g->at < g->window_at || g->at + size > g->window_at + g->window_size) {
            g->window_at = g->at;
            g->window_size = wcodeci_min64(WCODECI_GGUF_WINDOW, g->file->size - g->at);
            g->status = wcodeci_read_at(g->file, g->at, g->window, (size_t)g->window_size, g->err);
            if (g->status) g->status = wcodeci_plan_read_failed(g->status, g->err);
            if (g->status) return NULL;
        }
        p = g->window + (size_t)(g->at - g->window_at);
    }
    g->at += size;
    return p;
}

static uint32_t wcodeci_gguf_u32(wcodeci_gguf *g)
{
    const wcodeci_byte *p = wcodeci_gguf_take(g, 4);
    return p ? wcodeci_load32(p) : 0;
}

static uint64_t wcodeci_gguf_u64(wcodeci_gguf *g)
{
    const wcodeci_byte *p = wcodeci_gguf_take(g, 8);
    return p ? wcodeci_load64(p) : 0;
}

/* A number that must not be above `most`. */
static uint64_t wcodeci_gguf_upto(wcodeci_gguf *g, uint64_t most)
{
    const uint64_t v = wcodeci_gguf_u64(g);
    if (!g->status && v > most) g->status = WCODEC_E_CORRUPT;
    return g->status ? 0 : v;
}

/* Takes a key: its hash (FNV-1a), and whether it is the one that says how tensors are aligned. */
static uint64_t wcodeci_gguf_key(wcodeci_gguf *g, int *alignment)
{
    uint64_t left = wcodeci_gguf_upto(g, WCODECI_GGUF_LONGEST), hash = 0xCBF29CE484222325u;
    *alignment = 0;
    if (left == 0 && !g->status) g->status = WCODEC_E_CORRUPT;
    while (left && !g->status) {
        const size_t take = (size_t)wcodeci_min64(left, WCODECI_GGUF_WINDOW);
        const wcodeci_byte *p = wcodeci_gguf_take(g, take);
        size_t i;
        for (i = 0; p && i < take; i++) hash = (hash ^ p[i]) * 0x100000001B3u;
        *alignment = p && take == left && wcodeci_text_is((const char *)p, take, "general.alignment");
        left -= take;
    }
    return hash;
}

/* Passes over a value of `type`, or `count` of them. */
static void wcodeci_gguf_values(wcodeci_gguf *g, uint32_t type, uint64_t count)
{
    static const wcodeci_byte sizes[WCODECI_GGUF_TYPES] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };
    if (type >= WCODECI_GGUF_TYPES || type == WCODECI_GGUF_ARRAY) {
        if (!g->status) g->status = WCODEC_E_CORRUPT;
    } else if (type != WCODECI_GGUF_STRING) {
        wcodeci_gguf_skip(g, count * sizes[type]);      /* the count is below 2^31 */
    } else {
        for (; count && !g->status; count--) wcodeci_gguf_skip(g, wcodeci_gguf_upto(g, WCODECI_GGUF_LONGEST));
    }
}

static void wcodeci_gguf_pair(wcodeci_plan *plan, wcodeci_gguf *g)
{
    int alignment;
    const uint64_t hash = wcodeci_gguf_key(g, &alignment);
    const uint32_t type = wcodeci_gguf_u32(g);
    void *p = g->hashes;
    if (g->status) return;
    g->status = wcodeci_grow(&plan->heap, &p, &g->hash_capacity, g->keys + 1, sizeof hash);
    g->hashes = (uint64_t *)p;
    if (g->status) return;
    g->hashes[g->keys++] = hash;
    if (alignment) {
        g->alignment = wcodeci_gguf_u32(g);
        if (!g->status && (type != WCODECI_GGUF_U32 || g->alignment == 0 || (g->alignment & (g->alignment - 1))))
            g->status = WCODEC_E_CORRUPT;
    } else if (type == WCODECI_GGUF_ARRAY) {
        const uint32_t element = wcodeci_gguf_u32(g);
        wcodeci_gguf_values(g, element, wcodeci_gguf_upto(g, WCODECI_GGUF_LONGEST));
    } else {
        wcodeci_gguf_values(g, type, 1);
    }
}

static int wcodeci_gguf_less(const void *context, uint32_t a, uint32_t b)
{
    const uint64_t *hash = (const uint64_t *)context;
    return hash[a] != hash[b] ? hash[a] < hash[b] : a < b;
}

/* A key that stands twice is refused; so are two that only look alike, which is as good as never. */
static void wcodeci_gguf_keys_differ(wcodeci_plan *plan, wcodeci_gguf *g)
{
    const uint64_t keys = g->keys;
    uint32_t *order = NULL;
    void *p;
    uint64_t i;
    if (g->status || keys >= UINT32_MAX) {
        if (!g->status) g->status = WCODEC_E_CORRUPT;
        return;
    }
    g->status = wcodeci_alloc(&plan->heap, keys * sizeof *order, &p);
    if (g->status) return;
    order = (uint32_t *)p;
    for (i = 0; i < keys; i++) order[i] = (uint32_t)i;
    wcodeci_sort(order, (size_t)keys, wcodeci_gguf_less, g->hashes);
    for (i = 1; i < keys; i++)
        if (g->hashes[order[i - 1]] == g->hashes[order[i]]) g->status = WCODEC_E_CORRUPT;
    wcodeci_release(&plan->heap, order, keys * sizeof *order);
}

/* ggml's number of a type to a dtype; BYTES: not known. */
static unsigned wcodeci_gguf_dtype(uint32_t type)
{
    static const struct { unsigned char type, dtype; } plain[] = {
        { 0, WCODEC_F32 }, { 1, WCODEC_F16 }, { 24, WCODEC_I8 }, { 25, WCODEC_I16 }, { 26, WCODEC_I32 },
        { 27, WCODEC_I64 }, { 28, WCODEC_F64 }, { 30, WCODEC_BF16 }
    };
    size_t i;
    for (i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (plain[i].type == type) return plain[i].dtype;
    return type < 128 && wcodeci_block_of(64 + type) ? 64 + type : (unsigned)WCODEC_BYTES;
}

/* The description of a tensor.  Names and shapes go to the plan's memory, which may still move; dimensions stand with
 * the innermost first.  `next`: where the one before ends, with padding; UINT64_MAX: nobody knows. */
static void wcodeci_gguf_tensor(wcodeci_plan *plan, wcodeci_gguf *g, uint64_t *names, uint64_t *next)
{
    const wcodeci_byte *name;
    wcodec_segment s;
    wcodeci_cut cut;
    uint64_t shape[WCODECI_GGUF_RANK], end;
    uint32_t rank, type;
    unsigned i;
    void *p = plan->text;
    memset(&s, 0, sizeof s);
    s.name_size = (size_t)wcodeci_gguf_upto(g, WCODECI_GGUF_NAME);
    name = wcodeci_gguf_take(g, s.name_size);
    if (!name) return;
    g->status = wcodeci_grow(&plan->heap, &p, &plan->text_size, *names + s.name_size + 1, 1);
    plan->text = (char *)p;
    if (g->status) return;
    wcodeci_copy(plan->text + *names, name, s.name_size);
    plan->text[*names + s.name_size] = 0;
    *names += s.name_size + 1;
    rank = wcodeci_gguf_u32(g);
    if (!g->status && rank > WCODECI_GGUF_RANK) g->status = WCODEC_E_CORRUPT;
    if (g->status) return;
    for (i = rank; i-- > 0;) shape[i] = wcodeci_gguf_upto(g, INT64_MAX);
    type = wcodeci_gguf_u32(g);
    s.offset = wcodeci_gguf_u64(g);
    if (g->status) return;
    s.rank = rank;
    s.dtype = wcodeci_gguf_dtype(type);
    if (s.dtype != WCODEC_BYTES && !wcodeci_tensor_geometry(s.dtype, shape, rank, &s.size, &cut))
        g->status = WCODEC_E_CORRUPT;
    if (*next == UINT64_MAX && g->tensors) {        /* of an unknown type: up to here */
        wcodec_segment *before = &plan->segments[plan->plan.count - 1];
        if (s.offset < before->offset || s.offset % g->alignment) g->status = WCODEC_E_CORRUPT;
        before->size = s.offset - before->offset;
    } else if (s.offset != *next) {
        g->status = WCODEC_E_CORRUPT;
    }
    end = s.offset;
    if (!wcodeci_add(&end, s.size) || !wcodeci_add(&end, g->alignment - 1) || end > INT64_MAX)
        g->status = WCODEC_E_CORRUPT;
    *next = s.dtype == WCODEC_BYTES ? UINT64_MAX : end - end % g->alignment;
    p = plan->shapes;
    if (!g->status)
        g->status = wcodeci_grow(&plan->heap, &p, &plan->shape_capacity, plan->shapes_used + rank, sizeof *shape);
    plan->shapes = (uint64_t *)p;
    if (!g->status) g->status = wcodeci_plan_add(plan, &s);
    if (g->status) return;
    for (i = 0; i < rank; i++) plan->shapes[plan->shapes_used++] = shape[i];
    g->tensors++;
}

/* All of the file up to its data, which begin at *data. */
static void wcodeci_gguf_parse(wcodeci_plan *plan, wcodeci_gguf *g, uint64_t *data)
{
    const wcodeci_byte *magic = wcodeci_gguf_take(g, 4);
    const int other = magic && memcmp(magic, "GGUF", 4) != 0;
    const uint32_t version = wcodeci_gguf_u32(g);
    uint64_t tensors, pairs, i, names = 0, next = 0;
    char *name;
    if (!g->status && (other || version < 2 || version > 3)) g->status = WCODEC_E_CORRUPT;
    tensors = wcodeci_gguf_u64(g);
    pairs = wcodeci_gguf_u64(g);
    for (i = 0; i < pairs && !g->status; i++) wcodeci_gguf_pair(plan, g);
    wcodeci_gguf_keys_differ(plan, g);
    for (i = 0; i < tensors && !g->status; i++) wcodeci_gguf_tensor(plan, g, &names, &next);
    if (g->status) return;
    if (tensors) wcodeci_gguf_skip(g, (g->alignment - g->at % g->alignment) % g->alignment);
    *data = g->at;
    if (g->status || !tensors) return;
    if (next == UINT64_MAX) {
        wcodec_segment *last = &plan->segments[plan->plan.count - 1];
        if (last->offset > g->file->size - *data) g->status = WCODEC_E_CORRUPT;
        last->size = g->file->size - *data - last->offset;
    }
    name = plan->text;
    for (i = 0; i < tensors; i++) {
        plan->segments[i].name = name;
        name += plan->segments[i].name_size + 1;
    }
}

/* OK with a plan, CORRUPT for a file that is no GGUF file, or what went wrong on the way. */
static wcodec_status wcodeci_plan_gguf(wcodeci_plan *plan, const wcodec_source *file, wcodec_error *err)
{
    wcodeci_gguf g;
    uint64_t data = 0;
    void *p = NULL;
    memset(&g, 0, sizeof g);
    g.file = file;
    g.err = err;
    g.alignment = WCODECI_GGUF_ALIGNMENT;
    if (!file->memory) g.status = wcodeci_alloc(&plan->heap, WCODECI_GGUF_WINDOW, &p);
    g.window = (wcodeci_byte *)p;
    if (!g.status) wcodeci_gguf_parse(plan, &g, &data);
    if (!g.status) g.status = wcodeci_plan_settle(plan, data);
    wcodeci_release(&plan->heap, g.window, WCODECI_GGUF_WINDOW);
    wcodeci_release(&plan->heap, g.hashes, g.hash_capacity * sizeof *g.hashes);
    if (g.status == WCODEC_E_LIMIT || g.status == WCODEC_E_NO_MEMORY)
        wcodeci_fail(err, g.status, 0, wcodeci_memory_text(g.status));
    return g.status;
}

#endif
