/* ------------------------------------------------------------------------------------------------
 * Splitting (private): units to planes and back
 * One body serves every split; it is compiled once for each row of the table, whose shifts and widths
 * are constants there.
 * ---------------------------------------------------------------------------------------------- */

#define WCODECI_MASK(width) (((uint64_t)1 << (width)) - 1)

WCODECI_INLINE uint64_t wcodeci_load_unit(const wcodeci_byte *p, unsigned unit)
{
    switch (unit) {
    case 1: return *p;
    case 2: return wcodeci_load16(p);
    case 4: return wcodeci_load32(p);
    default: return wcodeci_load64(p);
    }
}

WCODECI_INLINE void wcodeci_store_unit(wcodeci_byte *p, unsigned unit, uint64_t x)
{
    switch (unit) {
    case 1: *p = (wcodeci_byte)x; break;
    case 2: wcodeci_store16(p, (unsigned)(x & 0xFFFF)); break;
    case 4: wcodeci_store32(p, (uint32_t)x); break;
    default: wcodeci_store64(p, x); break;
    }
}

WCODECI_INLINE uint64_t wcodeci_merge_value(const wcodeci_plane_row *row, uint64_t v)
{
    uint64_t x = (v & WCODECI_MASK(row->low_width)) << row->low_shift;
    v >>= row->low_width;
    if (row->high_width) x |= (v & WCODECI_MASK(row->high_width)) << row->high_shift;
    if (row->top_width) x |= (v >> row->high_width & WCODECI_MASK(row->top_width)) << row->top_shift;
    return x;
}

/* Merges unit number i.  The planes are written out, not looped over: their number is a constant to the
 * compiler only if it need not unroll anything to see it. */
WCODECI_INLINE void wcodeci_merge_unit(const wcodeci_split_row *split, const wcodeci_byte *const *planes,
                                       wcodeci_byte *dst, size_t i)
{
    uint64_t x = wcodeci_merge_value(&split->plane[0], planes[0][i]);
    if (split->planes > 1) x |= wcodeci_merge_value(&split->plane[1], planes[1][i]);
    if (split->planes > 2) x |= wcodeci_merge_value(&split->plane[2], planes[2][i]);
    if (split->planes > 3) x |= wcodeci_merge_value(&split->plane[3], planes[3][i]);
    if (split->planes > 4) x |= wcodeci_merge_value(&split->plane[4], planes[4][i]);
    if (split->planes > 5) x |= wcodeci_merge_value(&split->plane[5], planes[5][i]);
    if (split->planes > 6) x |= wcodeci_merge_value(&split->plane[6], planes[6][i]);
    if (split->planes > 7) x |= wcodeci_merge_value(&split->plane[7], planes[7][i]);
    wcodeci_store_unit(dst + i * split->unit, split->unit, x);
}

WCODECI_INLINE void wcodeci_merge_body(const wcodeci_split_row *split, const wcodeci_byte *const *planes,
                                       wcodeci_byte *dst, size_t n)
{
    const wcodeci_byte *local[WCODEC_MAX_PLANES];   /* the stores below can not change these */
    size_t i;
    memcpy(local, planes, sizeof local);
    for (i = 0; i < n; i++) wcodeci_merge_unit(split, local, dst, i);
}

static void wcodeci_merge_scalar(unsigned split, const wcodeci_byte *const *planes, wcodeci_byte *dst,
                                 size_t n)
{
#define WCODECI_MERGE_CASE(id) \
    case id: wcodeci_merge_body(&wcodeci_splits[id], planes, dst, n); break
    switch (split) {
    case WCODEC_SPLIT_BYTE: wcodeci_copy(dst, planes[0], n); break;
    WCODECI_MERGE_CASE(WCODEC_SPLIT_WORD16);
    WCODECI_MERGE_CASE(WCODEC_SPLIT_WORD32);
    WCODECI_MERGE_CASE(WCODEC_SPLIT_BF16);
    WCODECI_MERGE_CASE(WCODEC_SPLIT_F16);
    WCODECI_MERGE_CASE(WCODEC_SPLIT_F32);
    WCODECI_MERGE_CASE(WCODEC_SPLIT_NIBBLES);
    WCODECI_MERGE_CASE(WCODEC_SPLIT_BF16_4);
    WCODECI_MERGE_CASE(WCODEC_SPLIT_F32_4);
    default: wcodeci_merge_body(&wcodeci_splits[split], planes, dst, n); break;
    }
}

/* Puts n units together from their planes, one byte a value. */
static void wcodeci_merge(const wcodeci_kernels *kernels, unsigned split, const wcodeci_byte *const *planes,
                          wcodeci_byte *dst, size_t n)
{
    const wcodeci_byte *rest[WCODEC_MAX_PLANES];
    size_t done = kernels->merge[split] ? kernels->merge[split](planes, dst, n) : 0;
    unsigned k;
    if (done == n) return;
    for (k = 0; k < wcodeci_splits[split].planes; k++) rest[k] = planes[k] + done;
    wcodeci_merge_scalar(split, rest, dst + done * wcodeci_splits[split].unit, n - done);
}

#ifndef WCODEC_NO_ENCODER

WCODECI_INLINE void wcodeci_split_body(const wcodeci_plane_row *row, unsigned unit, const wcodeci_byte *src,
                                       wcodeci_byte *plane, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++) {
        uint64_t x = wcodeci_load_unit(src + i * unit, unit);
        uint64_t v = x >> row->low_shift & WCODECI_MASK(row->low_width);
        if (row->high_width)
            v |= (x >> row->high_shift & WCODECI_MASK(row->high_width)) << row->low_width;
        if (row->top_width)
            v |= (x >> row->top_shift & WCODECI_MASK(row->top_width)) << (row->low_width + row->high_width);
        plane[i] = (wcodeci_byte)v;
    }
}

/* The rows that matter are constants to the compiler, the others not. */
static size_t wcodeci_split_scalar(const wcodeci_plane_row *row, unsigned unit, const wcodeci_byte *src,
                                   wcodeci_byte *plane, size_t n)
{
#define WCODECI_SPLIT_CASE(id, k) \
    if (row == &wcodeci_splits[id].plane[k]) { \
        wcodeci_split_body(&wcodeci_splits[id].plane[k], wcodeci_splits[id].unit, src, plane, n); \
        return n; \
    }
    WCODECI_SPLIT_CASE(WCODEC_SPLIT_BF16, 0)
    WCODECI_SPLIT_CASE(WCODEC_SPLIT_BF16, 1)
    WCODECI_SPLIT_CASE(WCODEC_SPLIT_F16, 0)
    WCODECI_SPLIT_CASE(WCODEC_SPLIT_F16, 1)
    WCODECI_SPLIT_CASE(WCODEC_SPLIT_F32, 0)
    WCODECI_SPLIT_CASE(WCODEC_SPLIT_F32, 1)
    WCODECI_SPLIT_CASE(WCODEC_SPLIT_NIBBLES, 0)
    WCODECI_SPLIT_CASE(WCODEC_SPLIT_NIBBLES, 1)
    switch (unit) {
    case 1: wcodeci_split_body(row, 1, src, plane, n); break;
    case 2: wcodeci_split_body(row, 2, src, plane, n); break;
    case 4: wcodeci_split_body(row, 4, src, plane, n); break;
    default: wcodeci_split_body(row, 8, src, plane, n); break;
    }
    return n;
}

/* Takes plane k out of n units. */
static void wcodeci_split_plane(const wcodeci_encode_kernels *kernels, unsigned split, unsigned k,
                                const wcodeci_byte *src, wcodeci_byte *plane, size_t n)
{
    const wcodeci_split_row *row = &wcodeci_splits[split];
    size_t done = 0;
    if (split == WCODEC_SPLIT_BYTE) {
        memcpy(plane, src, n);
        return;
    }
    if (!row->plane[k].top_width) done = kernels->split(&row->plane[k], row->unit, src, plane, n);
    src += done * row->unit;
    if (done < n) wcodeci_split_scalar(&row->plane[k], row->unit, src, plane + done, n - done);
}

#endif
