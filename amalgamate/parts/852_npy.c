/* ------------------------------------------------------------------------------------------------
 * Plans (private): NumPy's .npy
 *
 * "\x93NUMPY", the version (1.0: a length of 16 bits follows; 2.0, 3.0: of 32), so many bytes of a dictionary as
 * Python writes it, { 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, and the array's bytes.
 * What is big-endian, structured, or holds objects is opaque.
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

#define WCODECI_NPY_HEADER 65536u           /* bytes of a dictionary that is looked at: others are structured */

/* A text in quotes of either kind.  None that matters here has escapes. */
static int wcodeci_npy_text(wcodeci_json *j, const char **text, size_t *size)
{
    const char quote = wcodeci_json_take(j, '\'') ? '\'' : '"';
    if (quote == '"' && !wcodeci_json_take(j, '"')) return 0;
    *text = j->p;
    while (j->p < j->end && *j->p != quote) {
        if (*j->p == '\\' || (unsigned char)*j->p < 0x20) return 0;
        j->p++;
    }
    if (j->p == j->end) return 0;
    *size = (size_t)(j->p++ - *text);
    return 1;
}

/* The dtype of a descr, or -1. */
static int wcodeci_npy_dtype(const char *descr, size_t size)
{
    static const struct { char kind, bytes; unsigned char dtype; } known[] = {
        { 'b', '1', WCODEC_BOOL }, { 'i', '1', WCODEC_I8 }, { 'u', '1', WCODEC_U8 }, { 'i', '2', WCODEC_I16 },
        { 'u', '2', WCODEC_U16 }, { 'i', '4', WCODEC_I32 }, { 'u', '4', WCODEC_U32 }, { 'i', '8', WCODEC_I64 },
        { 'u', '8', WCODEC_U64 }, { 'f', '2', WCODEC_F16 }, { 'f', '4', WCODEC_F32 }, { 'f', '8', WCODEC_F64 },
        { 'c', '8', WCODEC_C64 } };
    size_t i;
    if (size != 3 || (descr[0] != '<' && (descr[0] != '|' || descr[2] != '1'))) return -1;
    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].kind == descr[1] && known[i].bytes == descr[2]) return known[i].dtype;
    return -1;
}

static wcodec_status wcodeci_npy_shape(wcodeci_plan *plan, wcodeci_json *j, wcodec_segment *s)
{
    if (!wcodeci_json_take(j, '(')) return WCODEC_E_CORRUPT;
    while (!wcodeci_json_take(j, ')')) {
        uint64_t v;
        wcodec_status status;
        if (s->rank == WCODECI_MAX_RANK || !wcodeci_json_number(j, &v)) return WCODEC_E_CORRUPT;
        if (j->p < j->end && *j->p == 'L') j->p++;      /* of Python 2 */
        status = wcodeci_plan_dimension(plan, v);
        if (status) return status;
        s->rank++;
        if (!wcodeci_json_take(j, ',')) return wcodeci_json_take(j, ')') ? WCODEC_OK : WCODEC_E_CORRUPT;
    }
    return WCODEC_OK;
}

static int wcodeci_npy_bool(wcodeci_json *j, int *value)
{
    const char *start;
    wcodeci_json_space(j);
    start = j->p;
    while (j->p < j->end && ((*j->p >= 'a' && *j->p <= 'z') || (*j->p >= 'A' && *j->p <= 'Z'))) j->p++;
    *value = wcodeci_text_is(start, (size_t)(j->p - start), "True");
    return *value || wcodeci_text_is(start, (size_t)(j->p - start), "False");
}

/* The dictionary: dtype and shape of the array; the shape is that of the bytes as they lie. */
static wcodec_status wcodeci_npy_dictionary(wcodeci_plan *plan, wcodeci_json *j, wcodec_segment *s)
{
    const uint64_t first = plan->shapes_used;
    unsigned seen = 0, i;
    int reversed = 0, dtype = -1;
    if (!wcodeci_json_take(j, '{')) return WCODEC_E_CORRUPT;
    while (!wcodeci_json_take(j, '}')) {
        const char *key, *text;
        size_t key_size, size;
        unsigned bit = 0;
        if (!wcodeci_npy_text(j, &key, &key_size) || !wcodeci_json_take(j, ':')) return WCODEC_E_CORRUPT;
        if (wcodeci_text_is(key, key_size, "descr")) {
            bit = 1;
            if (!wcodeci_npy_text(j, &text, &size)) return WCODEC_E_CORRUPT;
            dtype = wcodeci_npy_dtype(text, size);
        } else if (wcodeci_text_is(key, key_size, "fortran_order")) {
            bit = 2;
            if (!wcodeci_npy_bool(j, &reversed)) return WCODEC_E_CORRUPT;
        } else if (wcodeci_text_is(key, key_size, "shape")) {
            wcodec_status status = seen & 4 ? WCODEC_E_CORRUPT : wcodeci_npy_shape(plan, j, s);
            if (status) return status;
            bit = 4;
        }
        if (!bit || (seen & bit)) return WCODEC_E_CORRUPT;
        seen |= bit;
        if (wcodeci_json_take(j, ',')) continue;
        if (!wcodeci_json_take(j, '}')) return WCODEC_E_CORRUPT;
        break;
    }
    wcodeci_json_space(j);
    if (j->p != j->end || seen != 7 || dtype < 0) return WCODEC_E_CORRUPT;
    s->dtype = (unsigned)dtype;
    for (i = 0; reversed && i < s->rank / 2; i++) {
        uint64_t *a = &plan->shapes[first + i], *b = &plan->shapes[first + s->rank - 1 - i], v = *a;
        *a = *b;
        *b = v;
    }
    return WCODEC_OK;
}

/* Adds the array of the .npy file that takes `size` bytes of `file` from `offset` on.  CORRUPT if there is none;
 * nothing is added then. */
static wcodec_status wcodeci_plan_array(wcodeci_plan *plan, const wcodec_source *file, uint64_t offset,
                                        uint64_t size, const char *name, size_t name_size, wcodec_error *err)
{
    const uint64_t shapes_used = plan->shapes_used;
    wcodeci_byte head[12];
    wcodeci_json j;
    wcodeci_cut cut;
    wcodec_segment s;
    uint64_t before, length;
    void *text;
    wcodec_status status;
    if (size < sizeof head) return WCODEC_E_CORRUPT;
    status = wcodeci_plan_read(file, offset, head, sizeof head, err);
    if (status) return status;
    if (memcmp(head, "\x93NUMPY", 6) != 0 || head[6] < 1 || head[6] > 3 || head[7] != 0) return WCODEC_E_CORRUPT;
    before = head[6] == 1 ? 10 : 12;
    length = head[6] == 1 ? wcodeci_load16(head + 8) : wcodeci_load32(head + 8);
    if (length > WCODECI_NPY_HEADER || length > size - before) return WCODEC_E_CORRUPT;
    status = wcodeci_alloc(&plan->heap, length, &text);
    if (status) return wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    memset(&s, 0, sizeof s);
    j.p = (char *)text;
    j.end = j.p + length;
    status = wcodeci_plan_read(file, offset + before, text, (size_t)length, err);
    if (!status) status = wcodeci_npy_dictionary(plan, &j, &s);
    wcodeci_release(&plan->heap, text, length);
    s.name = name;
    s.name_size = name_size;
    s.offset = offset + before + length;
    s.shape = s.rank ? plan->shapes + shapes_used : NULL;
    if (!status && (!wcodeci_tensor_geometry(s.dtype, s.shape, s.rank, &s.size, &cut) || s.size > size - before - length))
        status = WCODEC_E_CORRUPT;
    if (!status) status = wcodeci_plan_add(plan, &s);
    if (status) plan->shapes_used = shapes_used;
    return status;
}

static wcodec_status wcodeci_plan_npy(wcodeci_plan *plan, const wcodec_source *file, wcodec_error *err)
{
    wcodec_status status = wcodeci_plan_array(plan, file, 0, file->size, "array", 5, err);
    if (!status) {
        wcodeci_plan_shapes(plan);
        status = wcodeci_plan_arrange(plan);
    }
    if (status == WCODEC_E_LIMIT || status == WCODEC_E_NO_MEMORY)
        wcodeci_fail(err, status, 0, wcodeci_memory_text(status));
    return status;
}

#endif
