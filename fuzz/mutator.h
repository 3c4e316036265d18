/* Mutations that know a container's structure: most of a container stands under checksums, and a mutator
 * that does not mend them tests little but the checksums.
 *
 * The container falls into header and records.  One mutation changes bytes, a record, the order of records
 * or a number of the index; then everything that can be recomputed is: sizes, the places that the index
 * gives, and the CRC-32 of header, tiles (those that still decode), index and container. */
#ifndef FUZZ_MUTATOR_H
#define FUZZ_MUTATOR_H

#include "common.h"

#define FUZZ_MAX_RECORDS 1024
#define FUZZ_MAX_INDEX 65536
#define FUZZ_FOOTER 64

typedef struct fuzz_record { size_t at, size; int type; } fuzz_record;

typedef struct fuzz_container {
    unsigned char *data;        /* `size` of `room` bytes are in use */
    size_t size, room;
    size_t header;              /* bytes */
    fuzz_record record[FUZZ_MAX_RECORDS];
    size_t records;
} fuzz_container;

static inline uint32_t fuzz_load32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void fuzz_store(unsigned char *p, uint64_t v, unsigned bytes)
{
    unsigned i;
    for (i = 0; i < bytes; i++) p[i] = (unsigned char)(v >> 8 * i);
}

/* Reads a varint; 0 if it does not end before `size`.  Returns its length. */
static inline size_t fuzz_varint_get(const unsigned char *p, size_t size, uint64_t *v)
{
    size_t i;
    *v = 0;
    for (i = 0; i < size && i < 10; i++) {
        *v |= (uint64_t)(p[i] & 127) << 7 * i;
        if (p[i] < 128) return i + 1;
    }
    return 0;
}

static inline size_t fuzz_varint_put(unsigned char *p, uint64_t v)
{
    size_t n = 0;
    for (; v >= 128; v >>= 7) p[n++] = (unsigned char)(v | 128);
    p[n++] = (unsigned char)v;
    return n;
}

/* Finds header and records, as far as they make sense.  Returns 0 where there is not even a header. */
static inline int fuzz_parse(fuzz_container *c)
{
    size_t at;
    c->records = 0;
    if (c->size < 32) return 0;
    c->header = fuzz_load32(c->data + 8);
    if (c->header < 32 || c->header > c->size || c->header % 8 != 0) return 0;
    for (at = c->header; at < c->size && c->records < FUZZ_MAX_RECORDS;) {
        fuzz_record *r = &c->record[c->records];
        uint64_t body;
        size_t n = fuzz_varint_get(c->data + at + 1, c->size - at - 1, &body);
        if (n == 0 || body > c->size - at - 1 - n) break;
        r->at = at;
        r->type = c->data[at];
        r->size = (1 + n + (size_t)body + 7) / 8 * 8;
        if (r->size > c->size - at) break;
        at += r->size;
        c->records++;
    }
    return 1;
}

/* Puts `size` bytes in the place of `old` bytes at `at`; 0 if there is no room. */
static inline int fuzz_splice(fuzz_container *c, size_t at, size_t old, const unsigned char *src, size_t size)
{
    if (size > c->room || c->size - old > c->room - size) return 0;
    memmove(c->data + at + size, c->data + at + old, c->size - at - old);
    if (size != 0) memcpy(c->data + at, src, size);
    c->size = c->size - old + size;
    return 1;
}

/* A number that is likely to hurt. */
static inline uint64_t fuzz_evil(fuzz_random *r, uint64_t v)
{
    switch (fuzz_below(r, 8)) {
    case 0: return v + 1;
    case 1: return v - 1;
    case 2: return 0;
    case 3: return UINT64_C(1) << fuzz_below(r, 64);
    case 4: return (UINT64_C(1) << fuzz_below(r, 64)) - 1;
    case 5: return ~v;
    case 6: return v ^ UINT64_C(1) << fuzz_below(r, 8);
    default: return fuzz_next(r) >> fuzz_below(r, 64);
    }
}

/* ---- the index ---- */

/* Writes a copy of an index while reading it. */
typedef struct fuzz_walk {
    const unsigned char *src;
    size_t size, at;
    unsigned char *dst;         /* room for FUZZ_MAX_INDEX + 64 */
    size_t made;
    size_t field, evil;         /* the number `evil` of the varints is changed */
    fuzz_random *r;
    uint64_t names, originals, dimensions, segments, tiles, groups;      /* what the footer counts */
    int bad;
} fuzz_walk;

static inline void fuzz_walk_emit(fuzz_walk *w, uint64_t v)
{
    if (w->made > FUZZ_MAX_INDEX - 10) { w->bad = 1; return; }
    w->made += fuzz_varint_put(w->dst + w->made, w->field++ == w->evil ? fuzz_evil(w->r, v) : v);
}

static inline uint64_t fuzz_walk_read(fuzz_walk *w)
{
    uint64_t v;
    size_t n = fuzz_varint_get(w->src + w->at, w->size - w->at, &v);
    if (n == 0) { w->bad = 1; return 0; }
    w->at += n;
    return v;
}

static inline uint64_t fuzz_walk_varint(fuzz_walk *w)
{
    uint64_t v = fuzz_walk_read(w);
    fuzz_walk_emit(w, v);
    return v;
}

static inline void fuzz_walk_copy(fuzz_walk *w, uint64_t size)
{
    if (size > w->size - w->at || size > FUZZ_MAX_INDEX - w->made) { w->bad = 1; return; }
    memcpy(w->dst + w->made, w->src + w->at, (size_t)size);
    w->at += (size_t)size;
    w->made += (size_t)size;
}

/* T, or R: a copy. */
static inline int fuzz_is_tile(const fuzz_record *r) { return r->type == 'T' || r->type == 'R'; }

/* The next tile at or after number `i`. */
static inline size_t fuzz_next_tile(const fuzz_container *c, size_t i)
{
    while (i < c->records && !fuzz_is_tile(&c->record[i])) i++;
    return i;
}

/* Size, unit and row of a segment, given or derived; returns the tiles that it is cut into. */
static inline uint64_t fuzz_walk_cut(uint64_t size, unsigned unit, uint64_t row, uint64_t t)
{
    uint64_t n = size / unit;
    if (t == 0) return 0;
    if (t >= row) return (n + t - 1) / t;
    return n / row * ((row + t - 1) / t);
}

/* The flags, dtype, name and shape of a segment; gives its size, unit and row.  Returns the flags. */
static inline uint64_t fuzz_walk_head(fuzz_walk *w, uint64_t *size, unsigned *unit, uint64_t *row)
{
    static const unsigned char units[25] = {
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 8, 8, 8, 1, 1 };
    const uint64_t flags = fuzz_walk_varint(w);
    const unsigned dtype = w->at < w->size ? w->src[w->at] : 0, bits = wcodec_dtype_bits(dtype);
    uint64_t rank, rest;
    fuzz_walk_copy(w, 1);
    w->names += fuzz_walk_varint(w) + 1;
    rest = fuzz_walk_varint(w);
    fuzz_walk_copy(w, rest);
    w->names += rest;
    rank = fuzz_walk_varint(w);
    w->dimensions += rank;
    *unit = dtype < 25 ? units[dtype] : 1;
    for (*size = 1, *row = 1; rank > 0 && !w->bad; rank--) *size *= *row = fuzz_walk_varint(w);
    if (flags & 1) {
        *size = fuzz_walk_varint(w);
        *unit = (unsigned)(fuzz_walk_varint(w) & 15);
        *row = fuzz_walk_varint(w);
    } else {
        *size = *size * bits / 8;
        *row = *row * bits % (8 * *unit) == 0 ? *row * bits / (8 * *unit) : 1;
    }
    if (*row == 0) *row = 1;
    return flags;
}

/* The size of the next record, if it is of `type`; else what the index said. */
static inline void fuzz_walk_extent(fuzz_walk *w, const fuzz_container *c, int type, size_t *tile, size_t *end)
{
    uint64_t extent = fuzz_walk_read(w);
    if (*tile < c->records && (type == 'T' ? fuzz_is_tile(&c->record[*tile]) : c->record[*tile].type == type)) {
        extent = c->record[*tile].size / 8;
        *end = c->record[*tile].at + c->record[*tile].size;
        ++*tile;
    }
    fuzz_walk_emit(w, extent);
}

/* One segment; `tile` and `end` go along the T and S records. */
static inline void fuzz_walk_segment(fuzz_walk *w, const fuzz_container *c, size_t *tile, size_t *end)
{
    uint64_t size, row, count, t, flags, group = 0, i;
    unsigned unit;
    flags = fuzz_walk_head(w, &size, &unit, &row);
    if (size == 0 || w->bad || unit == 0) return;
    (void)fuzz_walk_read(w);
    t = fuzz_walk_read(w);
    count = fuzz_walk_cut(size, unit, row, t);
    w->tiles += count;
    while (*tile < c->records && !fuzz_is_tile(&c->record[*tile]) && !((flags & 2) && c->record[*tile].type == 'S'))
        ++*tile;
    fuzz_walk_emit(w, *tile < c->records ? (c->record[*tile].at - *end) / 8 : 0);
    fuzz_walk_emit(w, t);
    if (flags & 2) {
        group = fuzz_walk_varint(w);
        (void)fuzz_walk_varint(w);
        if (group == 0) { w->bad = 1; return; }
        w->groups += count / group + (count % group != 0);
    }
    for (i = 0; i < count && !w->bad; i++) {
        if (group != 0 && i % group == 0) fuzz_walk_extent(w, c, 'S', tile, end);
        fuzz_walk_extent(w, c, 'T', tile, end);
    }
}

/* Rewrites an index for the records that are there, with varint number w->evil changed. */
static inline int fuzz_walk_index(fuzz_walk *w, const fuzz_container *c)
{
    size_t tile = 0, end = c->header;
    uint64_t originals, segments;
    (void)fuzz_walk_varint(w);
    w->originals = originals = fuzz_walk_varint(w);
    for (; originals > 0 && !w->bad; originals--) {
        const uint64_t flags = fuzz_walk_varint(w), name = fuzz_walk_varint(w);
        w->names += name + 1;
        fuzz_walk_copy(w, name);
        if (flags & 2) fuzz_walk_copy(w, 32);
        (void)fuzz_walk_varint(w);
        segments = fuzz_walk_varint(w);
        w->segments += segments;
        for (; segments > 0 && !w->bad; segments--) fuzz_walk_segment(w, c, &tile, &end);
    }
    return !w->bad;
}

/* Joins the decoded I records; returns their size, or 0. */
static inline size_t fuzz_index_get(const fuzz_container *c, unsigned char *dst)
{
    static unsigned char *scratch;
    size_t i, size = 0, scratch_size = wcodec_tile_decode_scratch(65536, 0);
    if (scratch == NULL) scratch = fuzz_exact(NULL, scratch_size);
    for (i = 0; i < c->records; i++) {
        wcodec_tile_info info;
        const unsigned char *p = c->data + c->record[i].at;
        if (c->record[i].type != 'I') continue;
        if (wcodec_tile_inspect(p, c->record[i].size, &info, NULL) != WCODEC_OK) return 0;
        if (info.decoded_size > 65536 || info.decoded_size > FUZZ_MAX_INDEX - size) return 0;
        if (wcodec_tile_decode(p, c->record[i].size, NULL, dst + size, info.decoded_size, scratch,
                               scratch_size, 1, 0, NULL) != WCODEC_OK) return 0;
        size += info.decoded_size;
    }
    return size;
}

/* A tile record of type 'I' that holds `size` bytes, at least one, as they are; returns its size. */
static inline size_t fuzz_raw_record(unsigned char *dst, const unsigned char *src, size_t size)
{
    unsigned char field[64];
    size_t n = 6, length, pad, body, total;
    field[0] = field[1] = 0;
    fuzz_store(field + 2, wcodec_crc32(0, src, size), 4);
    n += fuzz_varint_put(field + n, size);
    field[n++] = WCODEC_CODER_RAW;
    n += fuzz_varint_put(field + n, size);
    for (length = 1;; length++) {
        unsigned char varint[10];
        pad = size >= 256 ? (0 - (1 + length + n)) & 7 : 0;
        body = n + pad + size;
        if (fuzz_varint_put(varint, body) == length) break;
    }
    total = (1 + length + body + 7) / 8 * 8;
    memset(dst, 0, total);
    dst[0] = 'I';
    (void)fuzz_varint_put(dst + 1, body);
    memcpy(dst + 1 + length, field, n);
    memcpy(dst + 1 + length + n + pad, src, size);
    return total;
}

/* Puts new I records in the place of the old ones. */
static inline void fuzz_index_put(fuzz_container *c, const unsigned char *index, size_t size)
{
    static unsigned char made[FUZZ_MAX_INDEX + 256];
    size_t first, last;
    if (size == 0) return;
    for (first = 0; first < c->records && c->record[first].type != 'I'; first++) { }
    for (last = first; last < c->records && c->record[last].type == 'I'; last++) { }
    if (first == last) return;
    first = c->record[first].at;
    last = c->record[last - 1].at + c->record[last - 1].size;
    (void)fuzz_splice(c, first, last - first, made, fuzz_raw_record(made, index, size));
    (void)fuzz_parse(c);
}

/* Reads the index of the container, and writes it anew to `made`; 0 if it does not parse. */
static inline int fuzz_index_walk(fuzz_container *c, fuzz_random *r, int evil, fuzz_walk *w)
{
    static unsigned char old[FUZZ_MAX_INDEX], made[FUZZ_MAX_INDEX + 64];
    memset(w, 0, sizeof *w);
    w->size = fuzz_index_get(c, old);
    w->src = old;
    w->dst = made;
    w->r = r;
    w->evil = evil ? fuzz_below(r, w->size) : FUZZ_MAX_INDEX;
    return w->size != 0 && fuzz_walk_index(w, c);
}

/* Rewrites the index for the records as they stand now, with one number changed if `evil`. */
static inline void fuzz_index_mend(fuzz_container *c, fuzz_random *r, int evil)
{
    fuzz_walk w;
    if (fuzz_index_walk(c, r, evil, &w)) fuzz_index_put(c, w.dst, w.made);
}

/* Any bytes of the index. */
static inline void fuzz_index_mutate(fuzz_container *c)
{
    static unsigned char index[FUZZ_MAX_INDEX];
    size_t size = fuzz_index_get(c, index);
    if (size != 0) fuzz_index_put(c, index, LLVMFuzzerMutate(index, size, FUZZ_MAX_INDEX));
}

/* ---- checksums ---- */

/* The scales of a group's columns. */
typedef struct fuzz_scales { unsigned char *scale; size_t columns; } fuzz_scales;

static inline void fuzz_scales_free(fuzz_scales *s)
{
    free(s->scale);
    s->scale = NULL;
    s->columns = 0;
}

/* What the S record decodes to, whatever its CRC-32; nothing if it does not. */
static inline void fuzz_scales_take(fuzz_scales *s, const unsigned char *record, size_t size)
{
    wcodec_tile_info info;
    unsigned char *scratch;
    size_t scratch_size;
    fuzz_scales_free(s);
    if (wcodec_tile_inspect(record, size, &info, NULL) != WCODEC_OK || fuzz_tile_too_large(&info)) return;
    s->columns = info.decoded_size;
    s->scale = fuzz_exact(NULL, s->columns);
    scratch_size = fuzz_tile_scratch(&info);
    scratch = fuzz_exact(NULL, scratch_size);
    if (wcodec_tile_decode(record, size, NULL, s->scale, s->columns, scratch, scratch_size, 1, 0, NULL)
        != WCODEC_OK)
        fuzz_scales_free(s);
    free(scratch);
}

/* What a tile takes to be decoded; the base's bytes are for the caller to free. */
static inline wcodec_tile_inputs fuzz_inputs(const wcodec_tile_info *info, const fuzz_scales *scales,
                                             unsigned char **base)
{
    wcodec_tile_inputs inputs = { NULL, 0, 0, NULL, 0 };
    inputs.scales = scales->scale;
    inputs.columns = scales->columns;
    *base = NULL;
    if (info->based) {
        *base = fuzz_exact(NULL, info->decoded_size);
        fuzz_base_fill(info->base_offset, *base, info->decoded_size);
    }
    inputs.base = *base;
    inputs.base_offset = info->base_offset;
    return inputs;
}

/* The CRC-32 of a tile record that decodes, with its group's scales. */
static inline void fuzz_mend_tile(unsigned char *record, size_t size, const fuzz_scales *scales)
{
    wcodec_tile_info info;
    wcodec_tile_inputs inputs;
    unsigned char *dst, *scratch, *base;
    size_t scratch_size;
    uint64_t body;
    size_t n = fuzz_varint_get(record + 1, size - 1, &body);
    if (n == 0 || size < 1 + n + 6 || wcodec_tile_inspect(record, size, &info, NULL) != WCODEC_OK) return;
    if (fuzz_tile_too_large(&info)) return;
    inputs = fuzz_inputs(&info, scales, &base);
    dst = fuzz_exact(NULL, info.decoded_size);
    scratch_size = fuzz_tile_scratch(&info);
    scratch = fuzz_exact(NULL, scratch_size);
    if (wcodec_tile_decode(record, size, &inputs, dst, info.decoded_size, scratch, scratch_size, 1, 0, NULL)
        == WCODEC_OK)
        fuzz_store(record + 1 + n + 2, wcodec_crc32(0, dst, info.decoded_size), 4);
    free(base);
    free(dst);
    free(scratch);
}

/* Changes one of the fields of a copy's record. */
static inline void fuzz_mutate_copy(fuzz_container *c, const fuzz_record *r, fuzz_random *random)
{
    unsigned char made[32];
    uint64_t body, distance, size;
    size_t n = fuzz_varint_get(c->data + r->at + 1, r->size - 1, &body), at = r->at + 1 + n, k;
    uint32_t crc;
    if (n == 0 || (k = fuzz_varint_get(c->data + at, c->size - at, &distance)) == 0) return;
    at += k;
    if ((k = fuzz_varint_get(c->data + at, c->size - at, &size)) == 0 || c->size - at - k < 4) return;
    crc = fuzz_load32(c->data + at + k);
    switch (fuzz_below(random, 3)) {
    case 0: distance = fuzz_evil(random, distance); break;
    case 1: size = fuzz_evil(random, size); break;
    default: crc ^= 1;
    }
    memset(made, 0, sizeof made);
    n = 2;
    n += fuzz_varint_put(made + n, distance);
    n += fuzz_varint_put(made + n, size);
    fuzz_store(made + n, crc, 4);
    made[0] = 'R';
    made[1] = (unsigned char)(n + 2);
    (void)fuzz_splice(c, r->at, r->size, made, (n + 4 + 7) / 8 * 8);
}

static inline void fuzz_mend_header(fuzz_container *c)
{
    uint32_t crc = wcodec_crc32(0, c->data, 28);
    fuzz_store(c->data + 28, wcodec_crc32(crc, c->data + 32, c->header - 32), 4);
}

/* All fields of the footer; the counts only if the index can be read. */
static inline void fuzz_mend_footer(fuzz_container *c)
{
    static unsigned char index[FUZZ_MAX_INDEX];
    unsigned char *footer = c->data + c->size - FUZZ_FOOTER;
    fuzz_walk w;
    size_t i, size = fuzz_index_get(c, index);
    if (c->size < c->header + FUZZ_FOOTER || footer[0] != 'F') return;
    for (i = 0; i < c->records && c->record[i].type != 'I'; i++) { }
    if (size != 0) {
        fuzz_store(footer + 24, c->record[i].at, 8);
        fuzz_store(footer + 40, size, 4);
        fuzz_store(footer + 44, wcodec_crc32(0, index, size), 4);
    }
    if (fuzz_index_walk(c, NULL, 0, &w)) {
        fuzz_store(footer + 4, w.groups, 4);
        fuzz_store(footer + 8, w.names, 4);
        fuzz_store(footer + 12, w.originals, 4);
        fuzz_store(footer + 16, w.dimensions, 4);
        fuzz_store(footer + 20, w.segments, 4);
        fuzz_store(footer + 32, w.tiles, 8);
    }
    fuzz_store(footer + 48, c->size, 8);
    fuzz_store(footer + 56, wcodec_crc32(0, c->data, c->size - 8), 4);
}

static inline void fuzz_mend(fuzz_container *c)
{
    const fuzz_scales none = { NULL, 0 };
    fuzz_scales scales = { NULL, 0 };
    size_t i;
    if (!fuzz_parse(c)) return;
    fuzz_mend_header(c);
    for (i = 0; i < c->records; i++) {
        unsigned char *p = c->data + c->record[i].at;
        const int type = c->record[i].type;
        if (type == 'T' || type == 'S' || type == 'I')
            fuzz_mend_tile(p, c->record[i].size, type == 'T' ? &scales : &none);
        if (type == 'S') fuzz_scales_take(&scales, p, c->record[i].size);
    }
    fuzz_scales_free(&scales);
    fuzz_mend_footer(c);
}

/* ---- mutations of records ---- */

/* Lets libFuzzer change the body of a record, and mends its size and padding. */
static inline void fuzz_mutate_body(fuzz_container *c, const fuzz_record *r)
{
    static unsigned char body[1 << 16], made[(1 << 16) + 16];
    uint64_t old;
    size_t n = fuzz_varint_get(c->data + r->at + 1, r->size - 1, &old), size, total;
    if (n == 0 || old > sizeof body || old > r->size - 1 - n) return;
    memcpy(body, c->data + r->at + 1 + n, (size_t)old);
    size = LLVMFuzzerMutate(body, (size_t)old, sizeof body);
    made[0] = (unsigned char)r->type;
    n = 1 + fuzz_varint_put(made + 1, size);
    memcpy(made + n, body, size);
    for (total = n + size; total % 8 != 0; total++) made[total] = 0;
    (void)fuzz_splice(c, r->at, r->size, made, total);
}

/* Changes one of the first bytes of a tile's body: split, flags, count, coders, payload sizes, and the
 * head of the first payload. */
static inline void fuzz_mutate_fields(fuzz_container *c, const fuzz_record *r, fuzz_random *random)
{
    uint64_t body;
    size_t n = fuzz_varint_get(c->data + r->at + 1, r->size - 1, &body), at;
    unsigned char *p;
    if (n == 0 || body < 8) return;
    at = fuzz_below(random, 4) == 0 ? 256 : 48;
    at = fuzz_below(random, body < at ? (size_t)body : at);
    if (at >= 2 && at < 6) at = fuzz_below(random, 2);      /* not the CRC-32 */
    if (1 + n + at >= r->size) return;
    p = c->data + r->at + 1 + n + at;
    if (at == 1 && fuzz_below(random, 4) == 0) *p ^= 128;   /* row scales */
    else if (fuzz_below(random, 2) == 0) *p = (unsigned char)fuzz_below(random, at == 0 ? 22 : at < 2 ? 16 : 256);
    else *p = (unsigned char)fuzz_evil(random, *p);
}

/* Swaps, repeats, drops or invents records. */
static inline void fuzz_mutate_order(fuzz_container *c, fuzz_random *r)
{
    /* The last one: scales of 8 columns, all 0. */
    static const unsigned char extra[32] = {
        'x', 3, 1, 2, 3, 0, 0, 0, 'O', 2, 0, 0, 0, 0, 0, 0,
        'S', 10, 0, 0, 0x69, 0xdf, 0x22, 0x65, 8, 1, 1, 0, 0, 0, 0, 0 };
    const fuzz_record *a = &c->record[fuzz_below(r, c->records)];
    const fuzz_record *b = &c->record[fuzz_below(r, c->records)];
    unsigned char *copy = fuzz_exact(c->data + a->at, a->size);
    const size_t kind = fuzz_below(r, 3);
    switch (fuzz_below(r, 4)) {
    case 0: (void)fuzz_splice(c, b->at, 0, copy, a->size); break;
    case 1: (void)fuzz_splice(c, a->at, a->size, NULL, 0); break;
    case 2: (void)fuzz_splice(c, b->at, 0, extra + 8 * kind, kind == 2 ? 16 : 8); break;
    default:
        if (a->at < b->at) {
            (void)fuzz_splice(c, b->at, 0, copy, a->size);
            (void)fuzz_splice(c, a->at, a->size, NULL, 0);
        }
    }
    free(copy);
}

static inline void fuzz_mutate_header(fuzz_container *c, fuzz_random *r)
{
    size_t at = fuzz_below(r, 28);
    if (fuzz_below(r, 2) == 0) at = 20 + fuzz_below(r, 3);   /* max tile bytes */
    c->data[at] = (unsigned char)fuzz_evil(r, c->data[at]);
}

static inline void fuzz_mutate_footer(fuzz_container *c, fuzz_random *r)
{
    size_t at;
    if (c->size < c->header + FUZZ_FOOTER) return;
    at = c->size - FUZZ_FOOTER + fuzz_below(r, FUZZ_FOOTER);
    c->data[at] = (unsigned char)fuzz_evil(r, c->data[at]);
}

static inline void fuzz_mutate_one(fuzz_container *c, fuzz_random *r)
{
    const fuzz_record *record = &c->record[fuzz_below(r, c->records)];
    switch (fuzz_below(r, 12)) {
    case 0: fuzz_mutate_header(c, r); break;
    case 1: fuzz_mutate_footer(c, r); break;
    case 2: case 3: fuzz_mutate_order(c, r); break;
    case 4: case 5: fuzz_mutate_body(c, record); break;
    case 6: case 7: case 8:
        if (record->type == 'R') fuzz_mutate_copy(c, record, r);
        else fuzz_mutate_fields(c, record, r);
        break;
    case 9: case 10: fuzz_index_mend(c, r, 1); return;
    default: fuzz_index_mutate(c); return;
    }
    if (fuzz_parse(c) && fuzz_below(r, 4) != 0) fuzz_index_mend(c, r, 0);
}

/* The mutator of a harness that takes containers. */
static inline size_t fuzz_mutate_container(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static fuzz_container c;
    fuzz_random r;
    r.state = seed;
    c.data = data;
    c.size = size;
    c.room = max_size;
    if (fuzz_below(&r, 8) == 0 || !fuzz_parse(&c) || c.records == 0) {
        c.size = LLVMFuzzerMutate(data, size, max_size);
    } else {
        size_t times = 1 + fuzz_below(&r, 3);
        for (; times > 0 && fuzz_parse(&c) && c.records > 0; times--) fuzz_mutate_one(&c, &r);
    }
    if (fuzz_below(&r, 16) != 0) fuzz_mend(&c);
    return c.size;
}

#endif
