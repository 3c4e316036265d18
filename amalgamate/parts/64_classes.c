/* ------------------------------------------------------------------------------------------------
 * Classes of a plane by the first one's values (private): which values share a table
 * ---------------------------------------------------------------------------------------------- */
#ifndef WCODEC_NO_ENCODER

/* Bits, in 1/65536, of values of which each of 16 occurs so often. */
static uint64_t wcodeci_bits16(const uint32_t count[16])
{
    uint32_t n = 0;
    uint64_t sum = 0;
    unsigned s;
    for (s = 0; s < 16; s++) {
        n += count[s];
        if (count[s]) sum += (uint64_t)count[s] * wcodeci_log2(count[s]);
    }
    return n ? (uint64_t)n * wcodeci_log2(n) - sum : 0;
}

static uint64_t wcodeci_bits16_both(const uint32_t a[16], const uint32_t b[16])
{
    uint32_t both[16];
    unsigned s;
    for (s = 0; s < 16; s++) both[s] = a[s] + b[s];
    return wcodeci_bits16(both);
}

/* Puts the first plane's 16 values into four classes, joining again and again the two that lose least by it.
 * count[v][s]: how often s stands where the first plane has v; becomes the classes' counts, the first four rows.
 * Returns the map: two bits for each value. */
static uint32_t wcodeci_classes_join(uint32_t count[16][16])
{
    uint64_t alone[16], loss[16][16];
    unsigned owner[16], live = 16, a, b, v, s;
    int there[16];
    uint32_t map = 0;
    for (a = 0; a < 16; a++) {
        owner[a] = a;
        there[a] = 1;
        alone[a] = wcodeci_bits16(count[a]);
    }
    for (a = 0; a < 16; a++)
        for (b = a + 1; b < 16; b++) loss[a][b] = wcodeci_bits16_both(count[a], count[b]) - alone[a] - alone[b];
    for (; live > WCODECI_CLASSES; live--) {
        unsigned to = 0, from = 0;
        uint64_t least = UINT64_MAX;
        for (a = 0; a < 16; a++)
            for (b = a + 1; b < 16; b++)
                if (there[a] && there[b] && loss[a][b] < least) {
                    least = loss[a][b];
                    to = a;
                    from = b;
                }
        there[from] = 0;
        for (v = 0; v < 16; v++)
            if (owner[v] == from) owner[v] = to;
        for (s = 0; s < 16; s++) count[to][s] += count[from][s];
        alone[to] = wcodeci_bits16(count[to]);
        for (a = 0; a < 16; a++) {
            if (!there[a] || a == to) continue;
            loss[a < to ? a : to][a < to ? to : a]
                = wcodeci_bits16_both(count[a], count[to]) - alone[a] - alone[to];
        }
    }
    for (a = 0, b = 0; a < 16; a++) {
        if (!there[a]) continue;
        for (v = 0; v < 16; v++)
            if (owner[v] == a) map |= (uint32_t)b << 2 * v;
        if (a != b) memcpy(count[b], count[a], sizeof count[b]);
        b++;
    }
    return map;
}

#endif
