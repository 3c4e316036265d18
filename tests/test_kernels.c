/* Every set of kernels that this machine has, function by function against the scalar ones and as a whole:
 * same bytes, same states, same verdict on broken records.  Buffers have just the size that they must have
 * and end, or begin, at a page that nobody may touch. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

#define MOST 8192           /* units of a direct test */
#define TILE 65536          /* units of a large tile */

/* As in wcodec.h, which keeps its macros to itself. */
#define CLASSES 4
#define LANES 256
#define NO_SYMBOL 16
#define WEIGHT_ONE 255u

/* ---- sets of kernels ---- */

typedef struct kernel_set {
    const char *name;
    unsigned off;           /* cpu_off that chooses it */
    const wcodeci_kernels *kernels;
    const wcodeci_encode_kernels *encode;
} kernel_set;

static kernel_set sets[8];  /* the scalar one first */
static unsigned set_count;

static void find_sets(void)
{
    static const unsigned offs[] = { WCODEC_CPU_ALL, WCODEC_CPU_AVX2, WCODEC_CPU_AVX512, 0 };
    static const char *const names[] = { "scalar", "sse4.1", "avx2", "avx512", "neon" };
    unsigned i, k;
    for (i = 0; i < sizeof offs / sizeof *offs; i++) {
        const unsigned cpu = wcodec_cpu_detect() & ~offs[i];
        kernel_set set;
        set.off = offs[i];
        set.kernels = wcodeci_kernels_of(cpu);
        set.encode = wcodeci_encode_kernels_of(cpu);
        set.name = set.kernels->name;
        for (k = 0; k < set_count && sets[k].kernels != set.kernels; k++) {}
        if (k == set_count) sets[set_count++] = set;
    }
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        for (k = 0; k < set_count && strcmp(sets[k].name, names[i]) != 0; k++) {}
        if (k < set_count) printf("  tested: %s\n", names[i]);
        else printf("  skipped: the kernels %s, which this machine can not run\n", names[i]);
    }
}

static void names(void)
{
    CHECK_STR(wcodec_cpu_kernels(WCODEC_CPU_ALL), "scalar");
    CHECK_STR(wcodec_cpu_kernels(WCODEC_CPU_SSE41 | WCODEC_CPU_NEON), "scalar");
    CHECK_STR(wcodec_cpu_kernels(0), sets[set_count - 1].name);
    CHECK_STR(sets[0].name, "scalar");
    CHECK(sets[0].encode == &wcodeci_encode_kernels_scalar);
    CHECK_EQ(wcodec_cpu_detect(), wcodec_cpu_detect());
}

/* ---- rooms: memory between two pages that fault ---- */

#define ROOM_SLACK 256      /* bytes beside a buffer that are looked at afterwards */

typedef struct room {
    unsigned char *begin, *end;
    unsigned char *data;    /* the buffer that lies in it */
    size_t size;
} room;

/* One for each plane, the others for what a test needs. */
enum { ROOM_OUT = WCODEC_MAX_PLANES, ROOM_STREAM, ROOM_PLACES, ROOM_Q, ROOMS };
static room rooms[ROOMS];

static void make_rooms(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = ((size_t)MOST * 8 / page + 2) * page;
    unsigned i;
    for (i = 0; i < ROOMS; i++) {
        unsigned char *map = (unsigned char *)mmap(NULL, size + 2 * page, PROT_READ | PROT_WRITE,
                                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (map == (unsigned char *)MAP_FAILED || mprotect(map, page, PROT_NONE)
            || mprotect(map + page + size, page, PROT_NONE))
            test_die("no room");
        rooms[i].begin = map + page;
        rooms[i].end = map + page + size;
    }
}

/* A buffer at the room's end, or at its beginning, full of a pattern as is what lies beside it. */
static unsigned char *lay(unsigned which, size_t size, int at_end)
{
    room *m = &rooms[which];
    m->data = at_end ? m->end - size : m->begin;
    m->size = size;
    if (at_end) memset(m->data - ROOM_SLACK, TEST_GUARD_FILL, size + ROOM_SLACK);
    else memset(m->data, TEST_GUARD_FILL, size + ROOM_SLACK);
    return m->data;
}

/* Nothing beside the buffer was written. */
static void check_beside(unsigned which)
{
    const room *m = &rooms[which];
    const unsigned char *p = m->data == m->begin ? m->data + m->size : m->data - ROOM_SLACK;
    unsigned i, wrong = 0;
    for (i = 0; i < ROOM_SLACK; i++) wrong += p[i] != TEST_GUARD_FILL;
    CHECK_EQ(wrong, 0);
}

/* ---- models ---- */

/* Frequencies that sum to `total`, in at most `most` of the `count` symbols. */
static void some_frequencies(test_random *r, unsigned kind, unsigned *freq, unsigned count, unsigned total)
{
    unsigned i, left = total;
    memset(freq, 0, count * sizeof *freq);
    switch (kind % 5) {
    case 0:                     /* one that has nearly all, anywhere */
        i = (unsigned)test_below(r, count);
        freq[i] = total - 1;
        freq[(i + 1 + test_below(r, count - 1)) % count] = 1;
        return;
    case 1:                     /* all alike */
        for (i = 0; i < count; i++) freq[i] = total / count;
        return;
    case 2:                     /* each half of what is left, in any order */
        while (left > 1) {
            freq[test_below(r, count)] += (left + 1) / 2;
            left -= (left + 1) / 2;
        }
        break;
    case 3:                     /* holes */
        for (; left > 1; left -= i) {
            i = 1 + (unsigned)test_below(r, left < total / 3 ? left - 1 : total / 3);
            freq[test_below(r, count)] += i;
        }
        break;
    default:
        for (; left > 1; left--) freq[test_below(r, count)]++;
        break;
    }
    freq[test_below(r, count)] += left;
    for (i = 0; i < count; i++)
        if (freq[i] == total) {             /* none may have all */
            freq[i]--;
            freq[(i + 1) % count]++;
        }
}

/* q of n values in a room: classes and shifts of all kinds. */
static const unsigned char *some_q(test_random *r, unsigned kind, size_t n, int at_end)
{
    unsigned char *q = lay(ROOM_Q, n, at_end);
    const unsigned all = (unsigned)test_next(r) & 255;
    size_t i;
    test_fill(r, q, n);
    switch (kind % 6) {
    case 0: memset(q, (int)all, n); break;          /* one class, one shift */
    case 1:                                         /* classes alone */
        for (i = 0; i < n; i++) q[i] &= 3;
        break;
    case 2:                                         /* shifts alone */
        for (i = 0; i < n; i++) q[i] = (unsigned char)((q[i] & 0xFC) | (all & 3));
        break;
    case 3:                                         /* a scale that changes slowly */
        for (i = 0; i < n; i++) q[i] = (unsigned char)(all + i / 100 + (q[i] & 7));
        break;
    default: break;
    }
    return q;
}

/* States, tables and stream of a rANS-16 plane; r->p stands in ROOM_STREAM, which has `size` bytes, and of
 * several classes r->q in ROOM_Q, which has `values`. */
static wcodeci_rans16 some_rans16(test_random *r, unsigned kind, unsigned classes, unsigned lanes,
                                  unsigned width, size_t values, size_t size, int at_end, uint16_t *table)
{
    wcodeci_rans16 m;
    unsigned freq[16], c, i;
    unsigned char *stream = lay(ROOM_STREAM, size, at_end);
    memset(&m, classes == 1 ? (int)(kind & 255) : 0, sizeof m);         /* of classes that there are not */
    for (c = 0; c < classes; c++) {
        some_frequencies(r, classes == 1 || kind % 3 ? kind : kind + c, freq, 16, 256);
        for (i = 0; i < 16; i++) m.freq[16 * c + i] = (unsigned char)freq[i];
        wcodeci_alias_make(&m, 16 * c);
    }
    test_fill(r, m.value, sizeof m.value);
    for (i = 0; i < 16; i++) {
        unsigned used = m.freq[i];
        for (c = 1; c < classes; c++) used |= m.freq[16 * c + i];
        m.value[i] = (unsigned char)(used ? m.value[i] & ((1u << width) - 1) : 0);
    }
    m.lanes = lanes;
    m.mask = (1u << width) - 1;
    m.q = classes > 1 ? some_q(r, kind / 2, values, at_end) : NULL;
    test_fill(r, m.low, lanes);
    test_fill(r, m.high, lanes);
    for (i = 0; i < lanes; i++) {
        if (kind % 7 == 1) m.high[i] = 0;                   /* what only a broken record leads to */
        else if (kind % 7 == 2) m.high[i] = (unsigned char)(m.high[i] & 1);
        else if (kind % 7 == 3) m.high[i] = 255;
        else if (!m.high[i]) m.high[i] = 1;
    }
    if (kind % 11 == 0) memset(stream, 0, size);
    else if (kind % 11 == 1) memset(stream, 255, size);
    else test_fill(r, stream, size);
    m.p = stream;
    m.limit = stream + size;
    m.table = table;
    return m;
}

/* Sizes below, at and above whole rounds. */
static size_t some_size(test_random *r, size_t round, size_t most)
{
    const size_t near = round * test_below(r, 12) + test_below(r, 3);
    const size_t n = test_below(r, 3) ? near : test_below(r, most + 1);
    return n ? (n - 1) % most : 0;
}

/* Stream sizes that end the rounds early, or do not. */
static size_t some_limit(test_random *r, size_t round, size_t n)
{
    switch (test_below(r, 4)) {
    case 0: return some_size(r, round, n + round);
    case 1: return n / 3 + round;
    default: return n + round;
    }
}

static void check_rans16(const wcodeci_rans16 *a, const wcodeci_rans16 *b)
{
    CHECK_MEM(a->high, b->high, a->lanes);
    CHECK_MEM(a->low, b->low, a->lanes);
    CHECK_EQ(a->p - rooms[ROOM_STREAM].data, b->p - rooms[ROOM_STREAM].data);
    CHECK(a->limit == b->limit && a->lanes == b->lanes);
}

/* ---- function by function: decoding ---- */

static void fill_plane(test_random *r, unsigned char *plane, size_t n, unsigned width)
{
    size_t i;
    test_fill(r, plane, n);
    for (i = 0; i < n; i++) plane[i] = (unsigned char)(plane[i] & ((1u << width) - 1));
}

/* The decoder's table of slots, with nothing behind it. */
static uint16_t *slot_table(void)
{
    static uint16_t *table;
    if (!table) table = (uint16_t *)test_malloc(4096 * sizeof *table);
    return table;
}

static const unsigned class_counts[2] = { 1, CLASSES };

static void check_values(unsigned several, unsigned width, unsigned number, test_random *r)
{
    static unsigned char wanted[MOST];
    const unsigned lanes = 64u << number % 3;
    const size_t n = some_size(r, lanes, 3000), size = some_limit(r, lanes, n);
    const int at_end = (int)(test_next(r) & 1);
    const wcodeci_rans16 start = some_rans16(r, number, class_counts[several], lanes, width, n, size, at_end,
                                             slot_table());
    wcodeci_rans16 scalar = start;
    const size_t count = sets[0].kernels->rans16[several](&scalar, wanted, n);
    unsigned k;
    CHECK(count <= n && count % lanes == 0 && scalar.p <= scalar.limit);
    for (k = 0; k < set_count; k++) {
        wcodeci_rans16 other = start;
        unsigned char *v = lay(ROOM_OUT, n, at_end);
        test_note("%s, %u classes, number %u, %u lanes, width %u, %zu values, %zu bytes", sets[k].name,
                  class_counts[several], number, lanes, width, n, size);
        CHECK_EQ(sets[k].kernels->rans16[several](&other, v, n), count);
        CHECK_MEM(v, wanted, count);
        check_rans16(&other, &scalar);
        check_beside(ROOM_OUT);
    }
}

static void rans16_values(void)
{
    test_random r = test_random_new(1);
    unsigned i;
    for (i = 0; i < 4000; i++) check_values(0, 8, i, &r);
    for (i = 0; i < 4000; i++) check_values(1, 1 + (unsigned)test_below(&r, 8), i, &r);
}

/* The scalar kernel itself against the definition, value by value. */
static void rans16_definition(void)
{
    static unsigned char wanted[MOST], got[MOST];
    test_random r = test_random_new(16);
    unsigned i, several;
    for (i = 0; i < 600; i++)
        for (several = 0; several < 2; several++) {
            const unsigned lanes = 64u << i % 3, width = 1 + (unsigned)test_below(&r, 8);
            const size_t n = lanes * (1 + test_below(&r, 8));
            wcodeci_rans16 a = some_rans16(&r, i, class_counts[several], lanes, width, n, n, 1, slot_table());
            wcodeci_rans16 b = a;
            size_t j;
            for (j = 0; j < n; j++) {
                const unsigned lane = (unsigned)j & (lanes - 1), q = several ? b.q[j] : 0, at = 16 * (q & 3);
                unsigned rank, s = wcodeci_alias_slot(&b, at, b.low[lane], &rank), x;
                x = (unsigned)b.freq[at + s] * b.high[lane] + rank;
                if (x < 256) x = x << 8 | *b.p++;
                b.high[lane] = (unsigned char)(x >> 8);
                b.low[lane] = (unsigned char)x;
                wanted[j] = (unsigned char)((b.value[s] + (q >> 2)) & b.mask);
                if (j % lanes == lanes - 1 && (size_t)(b.limit - b.p) < lanes) {
                    j++;
                    break;
                }
            }
            test_note("%u classes, number %u, %u lanes, %zu values", class_counts[several], i, lanes, n);
            CHECK_EQ(wcodeci_kernels_scalar.rans16[several](&a, got, n), j);
            CHECK_MEM(got, wanted, j);
            check_rans16(&a, &b);
        }
}

/* The planes of n units but the fused one, as bytes in `plain` and as a kernel takes them in the rooms. */
static void lay_planes(test_random *r, unsigned split, int packed, size_t n, int at_end,
                       const unsigned char **in_rooms, unsigned char plain[][MOST])
{
    const wcodeci_split_row *row = &wcodeci_splits[split];
    unsigned k;
    for (k = 0; k < row->planes; k++) {
        const unsigned width = row->plane[k].width;
        const int packs = packed && wcodeci_plane_packs(row, k);
        unsigned char *p;
        if (k == wcodeci_split_fused(split)) continue;
        p = lay(k, packs ? wcodeci_raw_size(n, width) : n, at_end);
        in_rooms[k] = p;
        if (packs) {
            test_fill(r, p, rooms[k].size);
            CHECK(wcodeci_raw_decode(&wcodeci_kernels_scalar, p, rooms[k].size, width, plain[k],
                                     (n + 63) / 64 * 64) == NULL);
        } else {
            fill_plane(r, p, n, width);
            memcpy(plain[k], p, n);
        }
    }
}

/* One kernel that decodes and merges, against the scalar kernel and the scalar merging. */
static void check_units(test_random *r, const kernel_set *set, unsigned several, unsigned split, int packed,
                        unsigned kind)
{
    static unsigned char plain[WCODEC_MAX_PLANES][MOST], wanted[MOST * 8];
    const wcodeci_split_row *row = &wcodeci_splits[split];
    const unsigned lanes = 64u << kind % 3;
    const size_t n = some_size(r, lanes, 2500), size = some_limit(r, lanes, n);
    const int at_end = (int)(test_next(r) & 1);
    const unsigned char *in_rooms[WCODEC_MAX_PLANES] = { NULL }, *planes[WCODEC_MAX_PLANES];
    const unsigned fused = wcodeci_split_fused(split);
    const wcodeci_rans16 start = some_rans16(r, kind, class_counts[several], lanes, row->plane[fused].width, n,
                                             size, at_end, slot_table());
    wcodeci_rans16 scalar = start, other = start;
    unsigned char *dst = lay(ROOM_OUT, n * row->unit, at_end);
    size_t count;
    unsigned k;
    test_note("%s, %u classes, split %u, packed %d, number %u, %u lanes, %zu units", set->name,
              class_counts[several], split, packed, kind, lanes, n);
    lay_planes(r, split, packed, n, at_end, in_rooms, plain);
    for (k = 0; k < WCODEC_MAX_PLANES; k++) planes[k] = plain[k];
    count = wcodeci_kernels_scalar.rans16[several](&scalar, plain[fused], n);
    wcodeci_merge_scalar(split, planes, wanted, count);
    CHECK_EQ((packed ? set->kernels->packed : set->kernels->units)[several][split](&other, in_rooms, dst, n),
             count);
    CHECK_MEM(dst, wanted, count * row->unit);
    check_rans16(&other, &scalar);
    check_beside(ROOM_OUT);
}

static void rans16_units(void)
{
    test_random r = test_random_new(2);
    unsigned i, k, split, several;
    for (k = 0; k < set_count; k++)
        for (several = 0; several < 2; several++)
            for (split = 0; split <= WCODEC_SPLIT_F32_4; split++)
                for (i = 0; i < 300; i++) {
                    if (sets[k].kernels->units[several][split]) check_units(&r, &sets[k], several, split, 0, i);
                    if (sets[k].kernels->packed[several][split]) check_units(&r, &sets[k], several, split, 1, i);
                }
}

static void merging(void)
{
    static unsigned char wanted[MOST * 8];
    test_random r = test_random_new(3);
    unsigned i, k, split, p;
    for (split = 0; split < WCODEC_SPLIT_BLOCKS; split++)
        for (i = 0; i < 60; i++) {
            const wcodeci_split_row *row = &wcodeci_splits[split];
            const size_t n = i < 20 ? test_below(&r, 300) : some_size(&r, 64, 2000);
            const unsigned char *planes[WCODEC_MAX_PLANES] = { NULL };
            const int at_end = (int)(i & 1);
            for (p = 0; p < row->planes; p++) {
                unsigned char *plane = lay(p, n, at_end);
                fill_plane(&r, plane, n, row->plane[p].width);
                planes[p] = plane;
            }
            wcodeci_merge_scalar(split, planes, wanted, n);
            for (k = 0; k < set_count; k++) {
                unsigned char *dst = lay(ROOM_OUT, n * row->unit, at_end);
                test_note("%s, split %u, %zu units", sets[k].name, split, n);
                if (sets[k].kernels->merge[split]) CHECK(sets[k].kernels->merge[split](planes, dst, n) <= n);
                wcodeci_merge(sets[k].kernels, split, planes, dst, n);
                CHECK_MEM(dst, wanted, n * row->unit);
                check_beside(ROOM_OUT);
            }
        }
}

static void unpacking(void)
{
    static unsigned char values[MOST];
    test_random r = test_random_new(4);
    unsigned i, k, width;
    for (width = 1; width < 8; width++)
        for (i = 0; i < 80; i++) {
            const size_t n = 1 + (i < 40 ? test_below(&r, 300) : some_size(&r, 64, 2000));
            const size_t size = wcodeci_raw_size(n, width);
            const int at_end = (int)(i & 1);
            wcodeci_plane plane;
            unsigned char *src = lay(ROOM_STREAM, size, at_end);
            fill_plane(&r, values, n, width);
            memset(&plane, 0, sizeof plane);
            plane.v = values;
            plane.n = n;
            plane.width = width;
            CHECK_EQ(wcodeci_raw_encode(&plane, src, size), size);
            for (k = 0; k < set_count; k++) {
                unsigned char *v = lay(ROOM_OUT, n, at_end);
                test_note("%s, width %u, %zu values", sets[k].name, width, n);
                if (sets[k].kernels->unpack) {
                    const size_t count = sets[k].kernels->unpack(src, width, v, n);
                    CHECK(count <= n && count % 64 == 0);
                    CHECK_MEM(v, values, count);
                }
                CHECK(wcodeci_raw_decode(sets[k].kernels, src, size, width, v, n) == NULL);
                CHECK_MEM(v, values, n);
                check_beside(ROOM_OUT);
            }
        }
}

static void unpredicting(void)
{
    static unsigned char wanted[MOST], residual[MOST];
    test_random r = test_random_new(5);
    unsigned i, k;
    for (i = 0; i < 4000; i++) {
        const unsigned width = 1 + (unsigned)test_below(&r, 8), mask = (1u << width) - 1;
        const size_t n = 1 + (i % 2 ? test_below(&r, 400) : some_size(&r, 64, 2000));
        const size_t far = i % 3 ? 1 + test_below(&r, 140) : 1 + test_below(&r, n);
        const size_t distance = i % 5 == 0 ? 1 : far < n ? far : n;
        fill_plane(&r, residual, n, width);
        if (i % 7 == 0) memset(residual, (int)mask, n);
        memcpy(wanted, residual, n);
        wcodeci_unpredict_scalar(wanted, n, distance, mask);
        for (k = 0; k < set_count; k++) {
            unsigned char *v = lay(ROOM_OUT, n, (int)(i & 1));
            test_note("%s, %zu values, distance %zu, width %u", sets[k].name, n, distance, width);
            memcpy(v, residual, n);
            sets[k].kernels->unpredict(v, n, distance, mask);
            CHECK_MEM(v, wanted, n);
            check_beside(ROOM_OUT);
        }
    }
}

static void scaling(void)
{
    static unsigned char wanted[MOST];
    test_random r = test_random_new(17);
    unsigned i, k;
    for (i = 0; i < 2000; i++) {
        const size_t n = i % 2 ? test_below(&r, 300) : some_size(&r, 64, 2000);
        const unsigned row = i < 256 ? i : (unsigned)test_below(&r, 256);
        const int at_end = (int)(test_next(&r) & 1);
        unsigned char *columns = lay(ROOM_STREAM, n, at_end);
        size_t j;
        test_fill(&r, columns, n);
        for (j = 0; j < n; j++) wanted[j] = (unsigned char)(columns[j] + row);
        for (k = 0; k < set_count; k++) {
            unsigned char *q = lay(ROOM_OUT, n, at_end);
            test_note("%s, %zu values, row %u", sets[k].name, n, row);
            sets[k].kernels->scale(columns, row, q, n);
            CHECK_MEM(q, wanted, n);
            check_beside(ROOM_OUT);
        }
    }
}

/* The definition of a context (format section 9.6). */
static unsigned context_of(const wcodeci_class_map *map, unsigned value, unsigned q)
{
    const unsigned t = (value - (q >> 2) - map->base) & map->mask;
    return 16 * (q & 3) + (t < 15 ? t : 15);
}

static void classes(void)
{
    static unsigned char wanted[MOST];
    test_random r = test_random_new(18);
    unsigned i, k;
    for (i = 0; i < 3000; i++) {
        const size_t n = i % 2 ? test_below(&r, 300) : some_size(&r, 64, 2000);
        const int at_end = (int)(test_next(&r) & 1), scaled = (int)(test_next(&r) & 1);
        const unsigned width = 1 + (unsigned)test_below(&r, 8);
        unsigned char *q = lay(ROOM_Q, n, at_end), *v = lay(ROOM_STREAM, n, at_end);
        wcodeci_class_map map;
        size_t j;
        test_fill(&r, map.class_of, sizeof map.class_of);
        map.mask = (1u << width) - 1;
        map.base = (unsigned)test_below(&r, 256);
        fill_plane(&r, v, n, width);
        test_fill(&r, q, n);
        for (j = 0; j < n; j++) wanted[j] = map.class_of[context_of(&map, v[j], scaled ? q[j] : 0)];
        for (k = 0; k < set_count; k++) {
            unsigned char *out = lay(ROOM_OUT, n, at_end);
            test_note("%s, %zu values, scaled %d", sets[k].name, n, scaled);
            sets[k].kernels->classes(&map, v, scaled ? q : NULL, out, n);
            CHECK_MEM(out, wanted, n);
            check_beside(ROOM_OUT);
        }
        for (k = 0; k < set_count; k++) {       /* in place */
            unsigned char *out = lay(ROOM_OUT, n, at_end);
            if (n) memcpy(out, q, n);
            if (scaled) sets[k].kernels->classes(&map, v, out, out, n);
            if (scaled) CHECK_MEM(out, wanted, n);
        }
    }
}

static void some_table(test_random *r, unsigned kind, uint32_t table[4096])
{
    unsigned freq[256], s, rank, slot = 0;
    some_frequencies(r, kind, freq, 256, 4096);
    for (s = 0; s < 256; s++)
        for (rank = 0; rank < freq[s]; rank++) table[slot++] = s | freq[s] << 8 | (uint32_t)rank << 20;
    CHECK_EQ(slot, 4096);
}

/* A kernel may stop before the scalar one, which then goes on. */
static void rans256_values(void)
{
    static unsigned char wanted[MOST];
    static uint32_t table[4096];
    test_random r = test_random_new(6);
    unsigned i, k, lane;
    for (i = 0; i < 2000; i++) {
        uint32_t start[32], scalar[32], state[32];
        const size_t n = some_size(&r, 32, 2000), size = some_limit(&r, 64, 2 * n);
        const int at_end = (int)(i & 1);
        const unsigned char *p, *src = lay(ROOM_STREAM, size, at_end);
        size_t count;
        some_table(&r, i, table);
        test_fill(&r, start, sizeof start);
        if (i % 3)
            for (lane = 0; lane < 32; lane++) start[lane] |= 65536;
        if (i % 4 == 1) memset(start, 255, sizeof start);
        if (i % 4 == 2)
            for (lane = 0; lane < 32; lane++) start[lane] &= 0x1FFFF;
        test_fill(&r, rooms[ROOM_STREAM].data, i % 9 ? size : 0);
        memcpy(scalar, start, sizeof start);
        p = src;
        count = wcodeci_rans256_scalar(scalar, table, &p, src + size, wanted, n);
        for (k = 0; k < set_count; k++) {
            const unsigned char *q = src;
            unsigned char *v = lay(ROOM_OUT, n, at_end);
            size_t done;
            test_note("%s, number %u, %zu values, %zu bytes", sets[k].name, i, n, size);
            memcpy(state, start, sizeof start);
            done = sets[k].kernels->rans256(state, table, &q, src + size, v, n);
            CHECK(done <= count && done % 32 == 0);
            if (done < count)
                done += wcodeci_rans256_scalar(state, table, &q, src + size, v + done, n - done);
            CHECK_EQ(done, count);
            CHECK_MEM(v, wanted, count);
            CHECK_MEM(state, scalar, sizeof state);
            CHECK_EQ(q - src, p - src);
            check_beside(ROOM_OUT);
        }
    }
}

/* ---- function by function: encoding ---- */

static void splitting(void)
{
    static unsigned char wanted[MOST];
    test_random r = test_random_new(7);
    unsigned i, k, split, p;
    for (split = 1; split < WCODEC_SPLIT_BLOCKS; split++)
        for (p = 0; p < wcodeci_splits[split].planes; p++)
            for (i = 0; i < 20; i++) {
                const wcodeci_split_row *row = &wcodeci_splits[split];
                const size_t n = i < 10 ? test_below(&r, 200) : some_size(&r, 64, 2000);
                const int at_end = (int)(i & 1);
                unsigned char *src = lay(ROOM_STREAM, n * row->unit, at_end);
                if (row->plane[p].top_width) continue;          /* no kernel is asked for these */
                test_fill(&r, src, n * row->unit);
                wcodeci_split_scalar(&row->plane[p], row->unit, src, wanted, n);
                for (k = 0; k < set_count; k++) {
                    unsigned char *plane = lay(ROOM_OUT, n, at_end);
                    const size_t count = sets[k].encode->split(&row->plane[p], row->unit, src, plane, n);
                    test_note("%s, plane %u of split %u, %zu units", sets[k].name, p, split, n);
                    CHECK(count <= n);
                    CHECK_MEM(plane, wanted, count);
                    check_beside(ROOM_OUT);
                }
            }
}

static void residuals(void)
{
    static unsigned char wanted[MOST];
    test_random r = test_random_new(8);
    unsigned i, k;
    for (i = 0; i < 300; i++) {
        const unsigned width = 1 + i % 8, mask = (1u << width) - 1;
        const size_t n = i % 2 ? test_below(&r, 300) : some_size(&r, 64, 2000);
        const size_t distance = 1 + test_below(&r, 200);
        unsigned char *v = lay(ROOM_STREAM, n + distance, (int)(i & 1));
        fill_plane(&r, v, n + distance, width);
        wcodeci_residual_scalar(v + distance, v, wanted, n, mask);
        for (k = 0; k < set_count; k++) {
            unsigned char *residual = lay(ROOM_OUT, n, (int)(i & 1));
            test_note("%s, %zu values, distance %zu, width %u", sets[k].name, n, distance, width);
            sets[k].encode->residual(v + distance, v, residual, n, mask);
            CHECK_MEM(residual, wanted, n);
            check_beside(ROOM_OUT);
        }
    }
}

/* Exponents as weights have them, or anything. */
static void some_exponents(test_random *r, unsigned kind, unsigned char *v, size_t n)
{
    const unsigned most = (unsigned)test_below(r, 256), spread = 1 + (unsigned)test_below(r, 60);
    size_t i;
    test_fill(r, v, n);
    if (kind % 4 == 0) return;
    for (i = 0; i < n; i++) {
        const unsigned below = v[i] % spread * (v[i] >> 4) / 16;
        v[i] = (unsigned char)(below < most ? most - below : 0);
    }
}

/* Levels and weights: every kernel against the scalar one. */
static void fitting(void)
{
    static unsigned char wanted[MOST];
    static uint16_t start[MOST], sums[MOST];
    test_random r = test_random_new(31);
    unsigned i, k;
    for (i = 0; i < 1500; i++) {
        const size_t n = 1 + (i % 3 ? test_below(&r, 400) : some_size(&r, 64, 2000));
        const int at_end = (int)(i & 1), scale = (int)test_below(&r, 256) - 128;
        unsigned char *v = lay(ROOM_STREAM, n, at_end), *columns = lay(ROOM_Q, n, at_end);
        unsigned char *most_of = lay(ROOM_PLACES, n, at_end);
        unsigned most, other;
        uint32_t sum;
        size_t j;
        wcodeci_fit fit;
        some_exponents(&r, i, v, n);
        test_fill(&r, columns, n);
        for (j = 0; j < n && i % 5; j++) columns[j] = (unsigned char)(columns[j] % 64 - 32);
        test_fill(&r, most_of, n);
        memcpy(wanted, most_of, n);
        for (j = 0; j < n; j++) start[j] = (uint16_t)test_next(&r);
        wcodeci_fit_levels(&fit, (unsigned)test_below(&r, 256), (unsigned)test_below(&r, 100));
        sum = wcodeci_fit_row_scalar(&fit, v, columns, n, &most);
        CHECK(sum >= WEIGHT_ONE && sum <= WEIGHT_ONE * n);
        wcodeci_fit_most_scalar(&fit, v, scale, n, wanted);
        memcpy(sums, start, sizeof sums);
        wcodeci_fit_sum_scalar(&fit, v, scale, n, wanted, sums);
        for (k = 0; k < set_count; k++) {
            const wcodeci_encode_kernels *kernels = sets[k].encode;
            unsigned char *got = lay(ROOM_OUT, n, at_end), *adds = lay(0, 2 * n, at_end);
            test_note("%s, number %u, %zu values", sets[k].name, i, n);
            CHECK_EQ(kernels->fit_row(&fit, v, columns, n, &other), sum);
            CHECK_EQ(other, most);
            memcpy(got, most_of, n);
            kernels->fit_most(&fit, v, scale, n, got);
            CHECK_MEM(got, wanted, n);
            memcpy(adds, start, 2 * n);
            kernels->fit_sum(&fit, v, scale, n, got, (uint16_t *)(void *)adds);
            CHECK_MEM(adds, sums, 2 * n);
            memcpy(adds, start, 2 * n);         /* levels above the highest, too */
            kernels->fit_sum(&fit, v, scale, n, most_of, (uint16_t *)(void *)adds);
            memcpy(sums, start, sizeof sums);
            wcodeci_fit_sum_scalar(&fit, v, scale, n, most_of, sums);
            CHECK_MEM(adds, sums, 2 * n);
            memcpy(sums, start, sizeof sums);
            wcodeci_fit_sum_scalar(&fit, v, scale, n, wanted, sums);
            check_beside(ROOM_OUT);
            check_beside(0);
        }
    }
}

/* The scalar ones themselves: 4 * (exponent + up - down) - scale, and 255 * 2^(-below / 4). */
static void levels(void)
{
    static const unsigned eighths[4] = { 65536, 55109, 46341, 38968 };     /* 65536 * 2^(-i / 4) */
    wcodeci_fit fit;
    unsigned top, i;
    int scale;
    for (i = 0; i < 256; i++) {
        const unsigned exact = i < 32 ? (255 * eighths[i & 3] >> (i >> 2)) : 0;      /* in 1/65536 */
        CHECK_EQ(wcodeci_fit_weight[i], (exact + 32768) >> 16);
    }
    for (top = 0; top < 256; top += 5) {
        wcodeci_fit_levels(&fit, top, 40);
        for (i = 0; i < 256; i++)
            for (scale = -128; scale < 128; scale += 3) {
                const int e = (int)i + 40 - (int)top, base = e < 0 ? 0 : e > 63 ? 255 : 4 * e;
                const int level = base - (scale < -127 ? -127 : scale);
                if (i + 40 > 255 + top || (top < 40 && i + 40 - top > 255)) continue;      /* beyond a byte */
                CHECK_EQ(wcodeci_fit_level(&fit, i, scale), level < 0 ? 0 : level > 255 ? 255 : level);
            }
    }
}

static void scales_off(void)
{
    static unsigned char wanted_q[MOST], wanted[MOST];
    test_random r = test_random_new(32);
    unsigned i, k;
    size_t j;
    for (i = 0; i < 600; i++) {
        const unsigned width = 1 + i % 8, mask = (1u << width) - 1, row = (unsigned)test_below(&r, 256);
        const size_t n = i % 2 ? test_below(&r, 300) : some_size(&r, 64, 2000);
        const int at_end = (int)(i / 8 & 1);
        unsigned char *v = lay(ROOM_STREAM, n, at_end), *columns = lay(ROOM_Q, n, at_end);
        fill_plane(&r, v, n, width);
        test_fill(&r, columns, n);
        for (j = 0; j < n; j++) {
            wanted_q[j] = (unsigned char)(columns[j] + row);
            wanted[j] = (unsigned char)((v[j] - (wanted_q[j] >> 2)) & (int)mask);
        }
        for (k = 0; k < set_count; k++) {
            unsigned char *q = lay(ROOM_PLACES, n, at_end), *residual = lay(ROOM_OUT, n, at_end);
            test_note("%s, %zu values, width %u", sets[k].name, n, width);
            sets[k].encode->scale_off(v, columns, row, q, residual, n, mask);
            CHECK_MEM(q, wanted_q, n);
            CHECK_MEM(residual, wanted, n);
            check_beside(ROOM_PLACES);
            check_beside(ROOM_OUT);
        }
    }
}

/* A coder of up to 16 values.  Those with a frequency, in any class, are put to values[0] ..., *direct of
 * them. */
static wcodeci_rans16_coder some_coder(test_random *r, unsigned kind, unsigned classes,
                                       unsigned char values[16], unsigned *direct)
{
    wcodeci_rans16_model model;
    wcodeci_rans16_coder c;
    unsigned freq[16], i, k, base = (unsigned)test_below(r, 240);
    unsigned char any[16] = { 0 };
    memset(&model, 0, sizeof model);
    for (k = 0; k < classes; k++) {
        some_frequencies(r, classes == 1 || kind % 3 ? kind : kind + k, freq, 16, 256);
        for (i = 0; i < 16; i++) {
            model.freq[16 * k + i] = (unsigned char)freq[i];
            any[i] |= model.freq[16 * k + i];
        }
    }
    for (*direct = 0, i = 0; i < 16; i++) {
        if (!any[i]) continue;
        model.value[i] = (unsigned char)(kind % 4 == 3 ? 16 * i + base % 16 : base + i);
        /* far apart at the end, where a look-up of sixteen begins before the last ones */
        if (kind % 8 == 2) model.value[i] = (unsigned char)(i < 12 ? 232 + i : 240 + i);
        values[(*direct)++] = model.value[i];
    }
    model.classes = classes;
    model.lanes_log = kind % 3;
    memset(&c, (int)(kind & 255), sizeof c);
    wcodeci_rans16_coder_make(&model, &c);
    test_fill(r, c.low, c.lanes);
    test_fill(r, c.high, c.lanes);
    for (i = 0; i < c.lanes; i++)
        if (!c.high[i]) c.high[i] = 1;
    c.q = NULL;
    return c;
}

/* One value in `rare` is an exception; 0: none is, but for those that their class lacks. */
static void check_mapping(unsigned several, unsigned number, test_random *r)
{
    static const size_t rares[] = { 0, 1, 2, 5, 40, 300 };
    static unsigned char symbols[MOST];
    static uint32_t places[MOST];
    unsigned char values[16], *v;
    unsigned k, direct;
    wcodeci_rans16_coder c = some_coder(r, number, class_counts[several], values, &direct);
    const size_t n = number % 2 ? test_below(r, 300) : some_size(r, 64, 2000), rare = rares[number % 6];
    const size_t most = number % 4 ? n / 4 : test_below(r, n + 1);
    const int at_end = (int)(test_next(r) & 1);
    size_t j, count;
    v = lay(ROOM_STREAM, n, at_end);
    if (several) c.q = some_q(r, number / 2, n, at_end);
    for (j = 0; j < n; j++) {
        v[j] = rare && !test_below(r, rare) ? (unsigned char)test_next(r) : values[test_below(r, direct)];
        while (several && number % 5 && rare != 1
               && (c.symbol_of[v[j]] == NO_SYMBOL || !c.freq[16 * (c.q[j] & 3) + c.symbol_of[v[j]]])
               && test_below(r, 60))
            v[j] = values[test_below(r, direct)];
    }
    count = sets[0].encode->rans16_map[several](&c, v, symbols, n, places, most);
    for (k = 0; k < set_count; k++) {
        unsigned char *out = lay(ROOM_OUT, n, at_end);
        uint32_t *found = (uint32_t *)(void *)lay(ROOM_PLACES, 4 * most, at_end);
        test_note("%s, %u classes, number %u, %zu values, %zu places of %zu", sets[k].name,
                  class_counts[several], number, n, count, most);
        CHECK_EQ(sets[k].encode->rans16_map[several](&c, v, out, n, found, most), count);
        if (count <= most) {
            CHECK_MEM(out, symbols, n);
            CHECK_MEM(found, places, 4 * count);
        }
        check_beside(ROOM_OUT);
        check_beside(ROOM_PLACES);
    }
}

static void mapping(void)
{
    test_random r = test_random_new(9);
    unsigned i;
    for (i = 0; i < 500; i++) check_mapping(0, i, &r);
    for (i = 0; i < 1500; i++) check_mapping(1, i, &r);
}

static void check_putting(unsigned several, unsigned number, test_random *r)
{
    static unsigned char wanted[MOST + 64];
    unsigned char values[16], *symbols;
    unsigned k, direct;
    const wcodeci_rans16_coder start = some_coder(r, number, class_counts[several], values, &direct);
    const size_t n = start.lanes * test_below(r, 12);
    const int at_end = (int)(test_next(r) & 1);
    wcodeci_rans16_coder scalar = start, other;
    size_t j, size;
    symbols = lay(ROOM_STREAM, n, at_end);
    for (j = 0; j < n; j++) {
        const unsigned at = several && number % 7 ? 16 * (unsigned)test_below(r, CLASSES) : 0;
        do symbols[j] = (unsigned char)(at + start.symbol_of[values[test_below(r, direct)]]);
        while (!start.freq[symbols[j]]);
    }
    size = (size_t)(wanted + sizeof wanted
                    - sets[0].encode->rans16_put[several](&scalar, symbols, n, wanted + sizeof wanted));
    for (k = 0; k < set_count; k++) {
        unsigned char *out = lay(ROOM_OUT, n + 64, at_end), *p;
        test_note("%s, %u classes, number %u, %u lanes, %zu symbols", sets[k].name, class_counts[several],
                  number, start.lanes, n);
        other = start;
        p = sets[k].encode->rans16_put[several](&other, symbols, n, out + n + 64);
        if (CHECK_EQ(out + n + 64 - p, size)) CHECK_MEM(p, wanted + sizeof wanted - size, size);
        CHECK_MEM(other.high, scalar.high, scalar.lanes);
        CHECK_MEM(other.low, scalar.low, scalar.lanes);
        check_beside(ROOM_OUT);
    }
}

static void putting(void)
{
    test_random r = test_random_new(10);
    unsigned i;
    for (i = 0; i < 500; i++) check_putting(0, i, &r);
    for (i = 0; i < 1000; i++) check_putting(1, i, &r);
}

/* What is put comes back: any set's stream, through any set's decoder, several classes and all. */
static void put_and_back(void)
{
    static unsigned char v[MOST], symbols[MOST], stream[2 * MOST + 64], back[MOST], q[MOST];
    static uint32_t places[1];
    test_random r = test_random_new(19);
    unsigned i, k, several, direct;
    for (i = 0; i < 300; i++)
        for (several = 0; several < 2; several++) {
            unsigned char values[16];
            const unsigned classes = class_counts[several];
            wcodeci_rans16_coder c = some_coder(&r, i, classes, values, &direct);
            const size_t n = c.lanes * (1 + test_below(&r, MOST / c.lanes));
            const kernel_set *by = &sets[i % set_count];
            unsigned char high[LANES], low[LANES], *p;
            size_t j;
            test_fill(&r, q, n);
            for (j = 0; j < n; j++)
                do v[j] = values[test_below(&r, direct)];
                while (several && !c.freq[16 * (q[j] & 3) + c.symbol_of[v[j]]]);
            c.q = q;
            memcpy(high, c.high, c.lanes);
            memcpy(low, c.low, c.lanes);
            test_note("%s, %u classes, number %u, %u lanes, %zu values", by->name, classes, i, c.lanes, n);
            CHECK_EQ(by->encode->rans16_map[several](&c, v, symbols, n, places, 0), 0);
            p = by->encode->rans16_put[several](&c, symbols, n, stream + MOST + 64);
            memset(stream + MOST + 64, 0, MOST);
            for (j = 0; j < n && several; j++) v[j] = (unsigned char)(v[j] + (q[j] >> 2));
            for (k = 0; k < set_count; k++) {
                wcodeci_rans16 m;
                unsigned s;
                memset(&m, 0, sizeof m);
                memcpy(m.freq, c.freq, 16 * classes);
                for (s = 0; s < 256; s++)
                    if (c.symbol_of[s] != NO_SYMBOL) m.value[c.symbol_of[s]] = (unsigned char)s;
                for (s = 0; s < classes; s++) wcodeci_alias_make(&m, 16 * s);
                m.lanes = c.lanes;
                m.mask = 255;
                m.table = slot_table();
                m.q = q;
                memcpy(m.high, c.high, c.lanes);
                memcpy(m.low, c.low, c.lanes);
                m.p = p;
                m.limit = stream + sizeof stream;
                CHECK_EQ(sets[k].kernels->rans16[several](&m, back, n), n);
                if (!CHECK_MEM(back, v, n)) printf("    by %s\n", sets[k].name);
                CHECK(m.p == stream + MOST + 64);
                CHECK_MEM(m.high, high, c.lanes);
                CHECK_MEM(m.low, low, c.lanes);
            }
        }
}

/* ---- tiles ---- */

/* What a tile of any dtype may need. */
static unsigned char *tile_record[2], *tile_back, *tile_scratch;
static size_t tile_scratch_size;

static void make_buffers(void)
{
    const size_t size = (size_t)TILE * 8;
    tile_record[0] = (unsigned char *)test_malloc(wcodec_tile_bound(size));
    tile_record[1] = (unsigned char *)test_malloc(wcodec_tile_bound(size));
    tile_back = (unsigned char *)test_malloc(size);
    tile_scratch_size = wcodec_tile_encode_scratch(size);
    if (tile_scratch_size < wcodec_tile_decode_scratch(size, 0))
        tile_scratch_size = wcodec_tile_decode_scratch(size, 0);
    tile_scratch = (unsigned char *)test_malloc(tile_scratch_size);
}

static size_t encode_with(const kernel_set *set, unsigned dtype, uint64_t row, const unsigned char *data,
                          size_t size, const wcodec_tile_inputs *scales, wcodec_tile_options options,
                          unsigned char *record)
{
    options.cpu_off = set->off;
    return wcodec_tile_encode(dtype, row, data, size, scales, &options, record, wcodec_tile_bound(size),
                              tile_scratch, tile_scratch_size);
}

/* The same record by all sets, and the same bytes back: as each record is the others', every set has decoded
 * what every other one encoded. */
static void every_pair(unsigned dtype, uint64_t row, const unsigned char *data, size_t size,
                       const wcodec_tile_inputs *scales, const wcodec_tile_options *options)
{
    const size_t wanted = encode_with(&sets[0], dtype, row, data, size, scales, *options, tile_record[0]);
    unsigned k;
    CHECK(wanted > 0 && wanted <= wcodec_tile_bound(size));
    for (k = 1; k < set_count; k++) {
        const size_t got = encode_with(&sets[k], dtype, row, data, size, scales, *options,
                                       tile_record[1]);
        if (!CHECK_EQ(got, wanted)) printf("    by %s\n", sets[k].name);
        else if (!CHECK_MEM(tile_record[1], tile_record[0], got)) printf("    by %s\n", sets[k].name);
    }
    for (k = 0; k < set_count; k++) {
        memset(tile_back, (int)k, size);
        if (!CHECK_STATUS(wcodec_tile_decode(tile_record[0], wanted, scales, tile_back, size,
                                             tile_scratch, tile_scratch_size, 0, sets[k].off, NULL), WCODEC_OK)
            || !CHECK_MEM(tile_back, data, size))
            printf("    by %s\n", sets[k].name);
    }
}

/* Everything, or rANS-16 or rANS-256 wherever it can be, with any predictor or one alone. */
static wcodec_tile_options some_options(unsigned number)
{
    wcodec_tile_options o = { 0, 0, 0, 0, 0 };
    const unsigned coder = number % 4 == 1 ? WCODEC_CODER_RANS16 : WCODEC_CODER_RANS256;
    if (number % 4) {
        o.coders = 1u << WCODEC_CODER_RAW | (number % 4 == 3 ? 0 : 1u << coder);
        o.predictors = 1u << number / 4 % 4;            /* 8: none of them */
    }
    return o;
}

static size_t whole_units(unsigned dtype, size_t units)
{
    return make_unit(dtype) * (dtype == WCODEC_C64 ? units + units % 2 : units);
}

static void pairs_of_small_tiles(void)
{
    static unsigned char data[702 * 8];
    test_random r = test_random_new(11);
    unsigned dtype, i;
    for (dtype = 0; dtype <= WCODEC_U4; dtype++)
        for (i = 0; i < 72; i++) {
            const size_t units = 1 + (i % 3 ? test_below(&r, 700) : i * 20 % 700);
            const size_t size = whole_units(dtype, units), row = 1 + test_below(&r, 130);
            const make_kind kind = (make_kind)test_below(&r, MAKE_KINDS);
            const wcodec_tile_options options = some_options(i);
            test_note("dtype %u, %s, %zu units, row %zu, options %u", dtype, make_kind_name(kind), units, row,
                      i);
            make_fill(&r, kind, dtype, row, data, size);
            every_pair(dtype, row, data, size, NULL, &options);
        }
}

/* 65536 units and some few more or less; rANS-16 with 64, 128 and 256 lanes. */
static void pairs_of_large_tiles(void)
{
    static const size_t units[] = { TILE, TILE - 1, 16385, 40000 };
    unsigned char *data = (unsigned char *)test_malloc((size_t)TILE * 8);
    test_random r = test_random_new(12);
    unsigned dtype, i;
    for (dtype = 0; dtype <= WCODEC_U4; dtype++)
        for (i = 0; i < 2; i++) {
            const size_t n = units[(i * 2 + dtype) % 4], size = whole_units(dtype, n), row = i ? 100 : 768;
            const make_kind kind = i ? MAKE_DOUBLING : MAKE_WEIGHTS;
            const wcodec_tile_options options = some_options(i ? 1 + dtype % 16 : 0);
            test_note("dtype %u, %s, %zu units", dtype, make_kind_name(kind), n);
            make_fill(&r, kind, dtype, row, data, size);
            every_pair(dtype, row, data, size, NULL, &options);
        }
    free(data);
}

/* ---- tiles with scales ---- */

/* A weight of so large an exponent, sign and mantissa random. */
static void put_weight(test_random *r, unsigned dtype, unsigned exponent, unsigned char *dst)
{
    const uint64_t x = make_with_exponent(r, dtype, exponent);
    unsigned b;
    for (b = 0; b < make_unit(dtype); b++) dst[b] = (unsigned char)(x >> 8 * b);
}

/* A matrix whose rows and columns differ in size, `wild` values apart, and scales that suit its columns. */
static void make_scaled(test_random *r, unsigned dtype, size_t columns, size_t n, unsigned wild,
                        unsigned char *data, unsigned char *scale)
{
    static unsigned char rows[TILE];
    unsigned shift, width, top;
    size_t i;
    make_field(dtype, &shift, &width);
    top = (1u << width) * 3 / 5;
    for (i = 0; i < columns; i++) scale[i] = (unsigned char)test_below(r, width == 4 ? 12 : 24);
    for (i = 0; i < n / columns + 1; i++) rows[i] = (unsigned char)test_below(r, width == 4 ? 8 : 24);
    for (i = 0; i < n; i++) {
        const unsigned off = (scale[i % columns] + rows[i / columns] + (unsigned)test_below(r, 4)) / 4;
        const unsigned small = make_geometric(r, 9), e = top - (off + small < top ? off + small : top);
        put_weight(r, dtype, wild && !test_below(r, wild) ? (unsigned)test_next(r) & ((1u << width) - 1) : e,
                   data + i * make_unit(dtype));
    }
    for (i = 0; i < columns; i++) scale[i] = (unsigned char)(0u - scale[i]);
}

static void pairs_of_scaled_tiles(void)
{
    static const unsigned char dtypes[] = { WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_F8_E4M3,
                                            WCODEC_F8_E5M2 };
    static unsigned char scale[1024];
    unsigned char *data = (unsigned char *)test_malloc((size_t)TILE * 4);
    test_random r = test_random_new(20);
    unsigned i, scaled = 0, several = 0;
    for (i = 0; i < sizeof dtypes * 12; i++) {
        const unsigned dtype = dtypes[i % sizeof dtypes];
        const wcodec_tile_options options = { 0, 0, 0, 0, 0 };
        const size_t columns = i % 2 ? 8 + test_below(&r, 1000) : (size_t)64 << test_below(&r, 4);
        const size_t n = i % 3 ? 8000 + test_below(&r, TILE - 8000) : TILE;
        wcodec_tile_inputs scales = { NULL, 0, 0, NULL, 0 };
        wcodec_tile_info info;
        make_scaled(&r, dtype, columns, n, i % 4 == 3 ? 50 : 0, data, scale);
        scales.scales = scale;
        scales.columns = columns;
        scales.phase = 0;
        test_note("dtype %u, number %u, %zu columns, %zu units", dtype, i, columns, n);
        every_pair(dtype, columns, data, n * make_unit(dtype), &scales, &options);
        REQUIRE_OK(wcodec_tile_inspect(tile_record[0], wcodec_tile_bound(n * make_unit(dtype)), &info, NULL));
        scaled += info.scaled != 0;
        several += info.plane[0].coder == WCODEC_CODER_CLASSES;
    }
    free(data);
    test_note("%u tiles came to be scaled, %u with several classes", scaled, several);
    CHECK(scaled > i / 4 && several > i / 4);
}

/* Tiles from the middle of real models, where they are there. */
static void pairs_of_real_tiles(void)
{
    static const struct { const char *mark; unsigned dtype; } kinds[] = {
        { ".bf16.", WCODEC_BF16 }, { ".f16.", WCODEC_F16 }, { ".f32.", WCODEC_F32 }, { ".i8.", WCODEC_I8 },
        { ".u8.", WCODEC_U8 } };
    const char *dir = test_data_dir();
    size_t count = 0, i, k, tested = 0;
    char **paths;
    if (!dir) {
        test_skip("../shared/data is not there");
        return;
    }
    paths = test_list(dir, &count);
    for (i = 0; i < count; i++)
        for (k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            const wcodec_tile_options options = some_options((unsigned)(i % 2));
            const size_t unit = make_unit(kinds[k].dtype), want = (size_t)TILE / 2 * unit;
            unsigned char *data;
            size_t size;
            if (!strstr(paths[i], kinds[k].mark)) continue;
            data = test_load(paths[i], &size);
            test_note("%s", paths[i]);
            if (data && size >= want) {
                every_pair(kinds[k].dtype, 256, data + (size - want) / 2 / 8 * 8, want, NULL, &options);
                tested++;
            }
            free(data);
        }
    test_list_free(paths, count);
    if (!tested) test_skip("no models in ../shared/data");
}

/* ---- broken tiles ---- */

/* All sets say the same of a record, and give the same bytes if they give any. */
static void same_verdict(const unsigned char *record, size_t size, const wcodec_tile_inputs *scales,
                         size_t decoded)
{
    static unsigned char first[6000 * 4];
    const unsigned off = WCODEC_CPU_ALL;
    const wcodec_status wanted = wcodec_tile_decode(record, size, scales, first, decoded, tile_scratch,
                                                    tile_scratch_size, 1, off, NULL);
    unsigned k;
    for (k = 1; k < set_count; k++) {
        const wcodec_status st = wcodec_tile_decode(record, size, scales, tile_back, decoded,
                                                    tile_scratch, tile_scratch_size, 1, sets[k].off, NULL);
        if (!CHECK_EQ(st, wanted)) printf("    by %s\n", sets[k].name);
        else if (st == WCODEC_OK && !CHECK_MEM(tile_back, first, decoded))
            printf("    by %s\n", sets[k].name);
    }
}

static void broken_tiles(void)
{
    static const unsigned char dtypes[] = { WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_F8_E4M3,
                                            WCODEC_F8_E5M2, WCODEC_U4, WCODEC_U8, WCODEC_I16 };
    static unsigned char data[1600 * 4];
    test_random r = test_random_new(13);
    unsigned i, j;
    size_t coded = 0;
    for (i = 0; i < sizeof dtypes * 4; i++) {
        const unsigned dtype = dtypes[i / 4], coder = i % 4 == 3 ? WCODEC_CODER_RANS256 : WCODEC_CODER_RANS16;
        const wcodec_tile_options options = { 0, 1u | 1u << coder, 1, 0, 0 };
        const size_t units = 600 + test_below(&r, 1000), decoded = units * make_unit(dtype);
        wcodec_tile_info info;
        size_t size;
        make_fill(&r, i % 4 == 1 ? MAKE_16 : i % 4 == 2 ? MAKE_DOUBLING : MAKE_WEIGHTS, dtype, 0, data,
                  decoded);
        size = encode_with(&sets[0], dtype, 0, data, decoded, NULL, options, tile_record[0]);
        REQUIRE_OK(wcodec_tile_inspect(tile_record[0], size, &info, NULL));
        coded += info.plane[0].coder == coder;
        for (j = 0; j < 600; j++) {
            /* Often in the table and the states. */
            const size_t begin = info.plane[0].offset;
            const size_t at = j % 3 ? begin + test_below(&r, 300) : test_below(&r, size);
            unsigned char *p = tile_record[0] + (at < size ? at : size - 1), old = *p;
            test_note("dtype %u, coder %u, byte %zu of %zu", dtype, coder, at, size);
            *p = (unsigned char)(j % 2 ? old ^ 1u << test_below(&r, 8) : test_next(&r));
            same_verdict(tile_record[0], size, NULL, decoded);
            *p = old;
        }
    }
    test_note("most of the tiles are of the coder that they test");
    CHECK(coded > sizeof dtypes * 2);
}

static void broken_scaled_tiles(void)
{
    static const unsigned char dtypes[] = { WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_F8_E4M3 };
    static unsigned char data[6000 * 4], scale[128];
    test_random r = test_random_new(21);
    unsigned i, j;
    size_t coded = 0;
    for (i = 0; i < sizeof dtypes; i++) {
        const unsigned dtype = dtypes[i];
        const wcodec_tile_options options = { 0, 0, 0, 0, 0 };
        const size_t units = 6000 - test_below(&r, 300), decoded = units * make_unit(dtype);
        wcodec_tile_inputs scales = { NULL, 0, 0, NULL, 0 };
        wcodec_tile_info info;
        size_t size;
        scales.scales = scale;
        scales.columns = sizeof scale;
        scales.phase = 0;
        make_scaled(&r, dtype, sizeof scale, units, 0, data, scale);
        size = encode_with(&sets[0], dtype, 0, data, decoded, &scales, options, tile_record[0]);
        REQUIRE_OK(wcodec_tile_inspect(tile_record[0], size, &info, NULL));
        coded += info.scaled != 0;
        for (j = 0; j < 600; j++) {
            const size_t at = j % 3 ? info.rows.offset + test_below(&r, 450) : test_below(&r, size);
            unsigned char *p = tile_record[0] + (at < size ? at : size - 1), old = *p;
            test_note("dtype %u, byte %zu of %zu", dtype, at, size);
            *p = (unsigned char)(j % 2 ? old ^ 1u << test_below(&r, 8) : test_next(&r));
            same_verdict(tile_record[0], size, &scales, decoded);
            *p = old;
        }
    }
    test_note("%zu of the tiles are scaled", coded);
    CHECK(coded > 1);
}

/* Tables that are whole, states and streams of noise: the decoder goes all the way, and may end well. */
static void noise_behind_tables(void)
{
    static unsigned char data[1500 * 2];
    const wcodec_tile_options options = { 1u << WCODEC_SPLIT_BF16, 1u | 1u << WCODEC_CODER_RANS16, 1, 0, 0 };
    test_random r = test_random_new(14);
    wcodec_tile_info info;
    unsigned i;
    size_t size;
    make_fill(&r, MAKE_WEIGHTS, WCODEC_BF16, 0, data, sizeof data);
    size = encode_with(&sets[0], WCODEC_BF16, 0, data, sizeof data, NULL, options, tile_record[0]);
    REQUIRE_OK(wcodec_tile_inspect(tile_record[0], size, &info, NULL));
    REQUIRE(info.plane[0].coder == WCODEC_CODER_RANS16);
    for (i = 0; i < 1500; i++) {
        unsigned char *p = tile_record[0] + info.plane[0].offset;
        unsigned freq[16], s;
        some_frequencies(&r, i, freq, 16, 256);
        test_note("number %u", i);
        test_fill(&r, p + 16, info.plane[0].size - 16);
        for (s = 0; s < 16; s++) {
            p[s] = (unsigned char)freq[s];
            if (!freq[s]) p[16 + s] = 0;
        }
        p[32] = p[33] = p[34] = p[35] = 0;
        for (s = 0; s < 64; s++) p[37 + 2 * s] |= 1;
        same_verdict(tile_record[0], size, NULL, sizeof data);
    }
}

/* ---- containers ---- */

static void make_mixed(make_container *c, unsigned off)
{
    make_init(c, 21);
    c->options.cpu_off = off;
    make_begin(c);
    make_original(c, "first", 0);
    make_bytes(c, NULL, "header", 6);
    make_tensor(c, "bf16", WCODEC_BF16, 130, 512, MAKE_WEIGHTS);
    make_tensor(c, "f32", WCODEC_F32, 60, 300, MAKE_WEIGHTS);
    make_tensor(c, "f16", WCODEC_F16, 70, 301, MAKE_ROWS);
    make_original(c, "second", 0);
    make_tensor(c, "i8", WCODEC_I8, 100, 200, MAKE_DOUBLING);
    make_tensor(c, "i32", WCODEC_I32, 3000, 0, MAKE_RAMP);
    make_tensor(c, "u4", WCODEC_U4, 64, 128, MAKE_SPARSE);
    make_end(c);
}

static void readers_and_writers(void)
{
    make_container wanted;
    test_random r = test_random_new(15);
    unsigned k;
    make_mixed(&wanted, WCODEC_CPU_ALL);
    for (k = 0; k < set_count; k++) {
        make_container c;
        wcodec_reader_options options = wcodec_reader_defaults();
        const wcodec_source source = wcodec_source_memory(wanted.out.data, wanted.out.size);
        wcodec_reader *reader = NULL;
        unsigned char *view = (unsigned char *)test_malloc(wanted.view.size), *scratch;
        make_pushed p;
        test_note("%s", sets[k].name);
        make_mixed(&c, sets[k].off);
        if (CHECK_EQ(c.out.size, wanted.out.size)) CHECK_MEM(c.out.data, wanted.out.data, c.out.size);
        make_free(&c);
        options.cpu_off = sets[k].off;
        REQUIRE_OK(wcodec_reader_open(&reader, &source, &options, NULL));
        scratch = (unsigned char *)test_malloc(wcodec_reader_scratch(reader));
        CHECK_STATUS(wcodec_read(reader, 0, view, wanted.view.size, scratch, wcodec_reader_scratch(reader),
                                 NULL), WCODEC_OK);
        CHECK_MEM(view, wanted.view.data, wanted.view.size);
        wcodec_reader_close(reader);
        free(scratch);
        free(view);
        p = make_push_all(wanted.out.data, wanted.out.size, 0, 0, &r, &options);
        CHECK_STATUS(p.status, WCODEC_END);
        if (CHECK_EQ(p.bytes.size, wanted.view.size)) CHECK_MEM(p.bytes.data, wanted.view.data, p.bytes.size);
        test_sink_free(&p.bytes);
    }
    make_free(&wanted);
}

/* Matrices whose rows and columns differ in scale, and values far apart that are exceptions. */
static void make_streamed(make_container *c)
{
    static const unsigned dtypes[] = { WCODEC_BF16, WCODEC_F16, WCODEC_F32, WCODEC_BF16 };
    const uint64_t shape[2] = { 100, 300 }, length = 200000;
    unsigned char *data = (unsigned char *)test_malloc(400000), scale[300];
    wcodec_segment s;
    unsigned i;
    make_init(c, 31);
    c->options.tile_units = 70000;
    make_begin(c);
    make_original(c, "streamed", 0);
    make_bytes(c, NULL, "123", 3);          /* nothing that follows is aligned */
    memset(&s, 0, sizeof s);
    s.rank = 2;
    s.shape = shape;
    for (i = 0; i < 4; i++) {
        s.dtype = dtypes[i];
        s.size = 30000u * wcodec_dtype_bits(s.dtype) / 8;
        make_scaled(&c->random, s.dtype, 300, 30000, i == 3 ? 50 : 0, data, scale);
        make_segment_of(c, &s, data);
    }
    s.dtype = WCODEC_BF16;
    s.rank = 1;
    s.shape = &length;
    s.size = 2 * length;
    for (i = 0; i < length; i++) {          /* values of two exponents, and a third one twice in a tile */
        const unsigned x = (test_below(&c->random, 3) ? 0x3C80u : 0x3D00u) | (unsigned)test_below(&c->random, 128);
        const unsigned unit = i % 70000 == 7 || i % 70000 == 69990 ? 0x4200u : x;
        data[2 * i] = (unsigned char)unit;
        data[2 * i + 1] = (unsigned char)(unit >> 8);
    }
    make_segment_of(c, &s, data);
    make_end(c);
    free(data);
}

/* Reads that go past the caches, to destinations of any alignment. */
static void past_the_caches(void)
{
    make_container c;
    unsigned k, at;
    make_streamed(&c);
    for (k = 0; k < set_count; k++) {
        wcodec_reader_options options = wcodec_reader_defaults();
        const wcodec_source source = wcodec_source_memory(c.out.data, c.out.size);
        wcodec_reader *reader = NULL;
        test_guard scratch;
        options.cpu_off = sets[k].off;
        options.stream_from = 1;
        REQUIRE_OK(wcodec_reader_open(&reader, &source, &options, NULL));
        scratch = test_guard_new(wcodec_reader_scratch(reader));
        for (at = 0; at < 64; at += 1 + at / 3) {       /* it ends at a guard page: the start is where `at` says */
            const size_t skip = at + c.view.size % 64;
            test_guard dst = test_guard_new(c.view.size - skip);
            test_note("%s, %u", sets[k].name, at);
            CHECK_STATUS(wcodec_read(reader, skip, dst.data, dst.size, scratch.data, scratch.size, NULL), WCODEC_OK);
            CHECK_MEM(dst.data, c.view.data + skip, dst.size);
            test_guard_free(&dst);
        }
        test_guard_free(&scratch);
        wcodec_reader_close(reader);
    }
    make_free(&c);
}

/* What is wrong with them is found on the way. */
static void wrong_past_the_caches(void)
{
    make_container c;
    test_random r = test_random_new(32);
    unsigned char *view;
    unsigned i, k, checksums = 0;
    make_streamed(&c);
    view = (unsigned char *)test_malloc(c.view.size);
    for (i = 0; i < 60; i++) {
        const size_t place = c.out.size / 8 + test_below(&r, c.out.size * 3 / 4);
        const unsigned char bit = (unsigned char)(1u << test_below(&r, 8));
        wcodec_status wanted = WCODEC_OK;
        c.out.data[place] ^= bit;
        for (k = 0; k < 2 * set_count; k++) {
            wcodec_reader_options options = wcodec_reader_defaults();
            const wcodec_source source = wcodec_source_memory(c.out.data, c.out.size);
            wcodec_reader *reader = NULL;
            unsigned char *scratch;
            wcodec_status status;
            options.cpu_off = sets[k / 2].off;
            options.stream_from = k % 2 ? UINT64_MAX : 1;
            REQUIRE_OK(wcodec_reader_open(&reader, &source, &options, NULL));
            scratch = (unsigned char *)test_malloc(wcodec_reader_scratch(reader));
            status = wcodec_read(reader, 0, view, c.view.size, scratch, wcodec_reader_scratch(reader), NULL);
            test_note("byte %zu, %s, %s", place, sets[k / 2].name, k % 2 ? "through the caches" : "past them");
            if (k == 0) wanted = status;
            CHECK_STATUS(status, wanted);
            wcodec_reader_close(reader);
            free(scratch);
        }
        checksums += wanted == WCODEC_E_CHECKSUM;
        c.out.data[place] ^= bit;
    }
    CHECK(checksums > 20);
    free(view);
    make_free(&c);
}

int main(void)
{
    find_sets();
    make_rooms();
    make_buffers();
    RUN(names);
    RUN(rans16_definition);
    RUN(rans16_values);
    RUN(rans16_units);
    RUN(merging);
    RUN(unpacking);
    RUN(unpredicting);
    RUN(scaling);
    RUN(classes);
    RUN(rans256_values);
    RUN(splitting);
    RUN(residuals);
    RUN(levels);
    RUN(fitting);
    RUN(scales_off);
    RUN(mapping);
    RUN(putting);
    RUN(put_and_back);
    RUN(pairs_of_small_tiles);
    RUN(pairs_of_large_tiles);
    RUN(pairs_of_scaled_tiles);
    RUN(pairs_of_real_tiles);
    RUN(past_the_caches);
    RUN(wrong_past_the_caches);
    RUN(broken_tiles);
    RUN(broken_scaled_tiles);
    RUN(noise_behind_tables);
    RUN(readers_and_writers);
    return test_end();
}
