/* CRC-32 and SHA-256: known vectors, any way to cut the data, and zlib's crc32 where zlib is there. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif

static void crc_vectors(void)
{
    static const struct { const char *text; uint32_t crc; } vectors[] = {
        { "", 0 }, { "a", 0xe8b7be43u }, { "abc", 0x352441c2u }, { "message digest", 0x20159d7fu },
        { "123456789", 0xcbf43926u }, { "abcdefghijklmnopqrstuvwxyz", 0x4c2750bdu },
        { "The quick brown fox jumps over the lazy dog", 0x414fa339u }
    };
    unsigned char zeros[32];
    size_t i;
    for (i = 0; i < sizeof vectors / sizeof *vectors; i++)
        CHECK(wcodec_crc32(0, vectors[i].text, strlen(vectors[i].text)) == vectors[i].crc);
    memset(zeros, 0, sizeof zeros);
    CHECK(wcodec_crc32(0, zeros, sizeof zeros) == 0x190a55adu);
    memset(zeros, 0xff, sizeof zeros);
    CHECK(wcodec_crc32(0, zeros, sizeof zeros) == 0xff6cab0bu);
    CHECK(wcodec_crc32(0, NULL, 0) == 0);
    CHECK(wcodec_crc32(0x12345678u, NULL, 0) == 0x12345678u);
}

/* One bit after the other, from the definition. */
static uint32_t crc_by_definition(uint32_t crc, const unsigned char *p, size_t size)
{
    int bit;
    for (crc = ~crc; size > 0; size--, p++)
        for (crc ^= *p, bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1)));
    return ~crc;
}

static void crc_splits(void)
{
    unsigned char data[4099];
    size_t i, n;
    test_random r = test_random_new(1);
    test_fill(&r, data, sizeof data);
    for (n = 0; n < 300; n++) {
        uint32_t whole = crc_by_definition(0, data, n);
        int good = wcodec_crc32(0, data, n) == whole;
        for (i = 0; i <= n; i++)
            good = good && wcodec_crc32(wcodec_crc32(0, data, i), data + i, n - i) == whole;
        CHECK(good);
    }
    /* Every alignment of the start, with long data. */
    for (i = 0; i < 33; i++)
        CHECK(wcodec_crc32(0, data + i, sizeof data - i) == crc_by_definition(0, data + i, sizeof data - i));
}

static void crc_against_zlib(void)
{
#ifdef HAVE_ZLIB
    unsigned char data[10000];
    test_random r = test_random_new(2);
    int i;
    test_fill(&r, data, sizeof data);
    for (i = 0; i < 500; i++) {
        size_t at = test_below(&r, sizeof data), n = test_below(&r, sizeof data - at + 1);
        uint32_t start = (uint32_t)test_next(&r);
        CHECK(wcodec_crc32(start, data + at, n) == crc32(start, data + at, (uInt)n));
    }
#else
    test_skip("built without HAVE_ZLIB");
#endif
}

/* ---- the kernels: every one that this machine has against the definition ---- */

static const struct { const char *name; unsigned cpu; } crc_kernels[] = {
    { "scalar", 0 },
#if defined(__aarch64__) || defined(_M_ARM64)
    { "CRC-32 instructions", WCODEC_CPU_NEON | WCODEC_CPU_CLMUL },
#else
    { "PCLMULQDQ", WCODEC_CPU_SSE41 | WCODEC_CPU_CLMUL },
    { "VPCLMULQDQ", WCODEC_CPU_SSE41 | WCODEC_CPU_AVX512 | WCODEC_CPU_CLMUL | WCODEC_CPU_VCLMUL },
#endif
};
#define CRC_KERNELS (sizeof crc_kernels / sizeof *crc_kernels)

/* NULL where the processor lacks it, or the compiler, or WCODEC_NO_SIMD is defined. */
static wcodeci_crc_fn *crc_kernel(size_t k)
{
    const unsigned cpu = crc_kernels[k].cpu;
    if ((wcodec_cpu_detect() & cpu) != cpu) return NULL;
    return k && wcodeci_crc_of(cpu) == wcodeci_crc_scalar ? NULL : wcodeci_crc_of(cpu);
}

/* Which are there, and that a kernel is chosen only with all that it needs. */
static void crc_choice(void)
{
    const unsigned cpu = wcodec_cpu_detect();
    unsigned mask;
    size_t k;
    for (k = 0; k < CRC_KERNELS; k++)
        printf("  %s: %s\n", crc_kernels[k].name, crc_kernel(k) ? "tested" : "skipped, not there");
    CHECK(crc_kernel(0) == wcodeci_crc_scalar);
    for (mask = 0; mask < 64; mask++) {
        wcodeci_crc_fn *fn = wcodeci_crc_of(cpu & mask);
        for (k = CRC_KERNELS - 1; k > 0; k--) {
            const unsigned needs = crc_kernels[k].cpu & ~(WCODEC_CPU_SSE41 | WCODEC_CPU_NEON);
            if (crc_kernel(k) && (cpu & mask & needs) == needs) break;
        }
        CHECK(fn == crc_kernel(k));
        CHECK(fn(0, "123456789", 9) == 0xcbf43926u);
    }
    CHECK(wcodec_crc32(0, "123456789", 9) == wcodeci_crc_of(cpu)(0, "123456789", 9));
}

/* All sizes and alignments, in memory that ends where the data does, for the address sanitizer. */
static void crc_kernel_sizes(void)
{
    enum { MOST = 1100 };
    unsigned char data[MOST + 16];
    test_random r = test_random_new(4);
    size_t offset, size, k;
    test_fill(&r, data, sizeof data);
    for (offset = 0; offset < 16; offset++) {
        const uint32_t start = offset ? (uint32_t)test_next(&r) : 0;
        uint32_t crc = start;
        for (size = 0; size <= MOST; size++) {
            unsigned char *exact = (unsigned char *)test_malloc(offset + size);
            if (size) crc = crc_by_definition(crc, data + offset + size - 1, 1);
            memcpy(exact, data, offset + size);
            for (k = 0; k < CRC_KERNELS; k++) {
                wcodeci_crc_fn *fn = crc_kernel(k);
                if (!fn) continue;
                test_note("%s, %d bytes at offset %d", crc_kernels[k].name, (int)size, (int)offset);
                CHECK_EQ(fn(start, exact + offset, size), crc);
            }
            free(exact);
        }
    }
    for (k = 0; k < CRC_KERNELS; k++)
        if (crc_kernel(k)) CHECK_EQ(crc_kernel(k)(0x12345678u, NULL, 0), 0x12345678u);
}

/* Sizes about those where a kernel changes its ways, and random ones; bytes that are all 0 or all 255. */
static void crc_kernel_large(void)
{
    static const size_t about[] = {
        1200, 1600, 2048, 2400, 3600, 4096, 4800, 7200, 8192, 16384, 32768, 32768 + 2048, 65536, 131072,
        1 << 20
    };
    const size_t most = (3 << 20) + 5;
    unsigned char *data = (unsigned char *)test_malloc(most);
    test_random r = test_random_new(5);
    size_t n, k;
    test_fill(&r, data, most);
    memset(data + 200000, 0, 100000);
    memset(data + 300000, 255, 100000);
    for (n = 0; n < 5 * sizeof about / sizeof *about + 60; n++) {
        const int listed = n / 5 < sizeof about / sizeof *about;
        const size_t size = listed ? about[n / 5] - 17 + test_below(&r, 35) : 1100 + test_below(&r, 60000);
        const size_t at = listed && n % 5 == 0 ? 0 : test_below(&r, (n % 2 ? 400000 : most - size) + 1);
        const uint32_t start = (uint32_t)test_next(&r), crc = crc_by_definition(start, data + at, size);
        for (k = 0; k < CRC_KERNELS; k++) {
            wcodeci_crc_fn *fn = crc_kernel(k);
            if (!fn) continue;
            test_note("%s, %d bytes at offset %d", crc_kernels[k].name, (int)size, (int)at);
            CHECK_EQ(fn(start, data + at, size), crc);
        }
    }
    for (k = 0; k < CRC_KERNELS; k++) {
        test_note("%s, all of the data", crc_kernels[k].name);
        if (crc_kernel(k)) CHECK_EQ(crc_kernel(k)(7, data, most), crc_by_definition(7, data, most));
    }
    free(data);
}

/* The CRC of one part starts the next, whichever kernel makes it. */
static void crc_kernel_splits(void)
{
    unsigned char data[20000];
    test_random r = test_random_new(6);
    int turn;
    test_fill(&r, data, sizeof data);
    for (turn = 0; turn < 400; turn++) {
        const size_t size = test_below(&r, sizeof data + 1);
        const uint32_t start = (uint32_t)test_next(&r);
        uint32_t crc = start;
        size_t at, part;
        for (at = 0; at < size; at += part) {
            const size_t k = test_below(&r, CRC_KERNELS);
            part = test_below(&r, wcodeci_min(size - at, turn % 2 ? 700 : 9000)) + 1;
            crc = (crc_kernel(k) ? crc_kernel(k) : wcodeci_crc_scalar)(crc, data + at, part);
        }
        CHECK_EQ(crc, crc_by_definition(start, data, size));
    }
}

/* Nothing before or after the data is read: pages that may not be read are on both sides. */
static void crc_kernel_pages(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (6000 + page - 1) / page * page;
    void *map = mmap(NULL, room + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char *first;
    test_random r = test_random_new(7);
    size_t size, k;
    int end;
    REQUIRE(map != MAP_FAILED);
    first = (unsigned char *)map + page;
    test_fill(&r, first, room);
    if (mprotect(map, page, PROT_NONE) || mprotect(first + room, page, PROT_NONE)) test_die("mprotect");
    for (size = 0; size <= 6000; size += size < 1100 ? 1 : 1 + test_below(&r, 200)) {
        for (end = 0; end < 2; end++) {
            const unsigned char *data = end ? first + room - size : first;
            const uint32_t start = (uint32_t)test_next(&r), crc = crc_by_definition(start, data, size);
            for (k = 0; k < CRC_KERNELS; k++) {
                wcodeci_crc_fn *fn = crc_kernel(k);
                if (!fn) continue;
                test_note("%s, the %s %d bytes", crc_kernels[k].name, end ? "last" : "first", (int)size);
                CHECK_EQ(fn(start, data, size), crc);
            }
        }
    }
    (void)munmap(map, room + 2 * page);
}

/* ---- SHA-256 ---- */

static int sha_is(const void *data, size_t size, const char *hex)
{
    wcodec_sha256 sha;
    unsigned char digest[32];
    char text[65];
    int i;
    wcodec_sha256_init(&sha);
    wcodec_sha256_update(&sha, data, size);
    wcodec_sha256_final(&sha, digest);
    for (i = 0; i < 32; i++) snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return strcmp(text, hex) == 0;
}

static void sha_vectors(void)
{
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    static const char four[] = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
                               "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    unsigned char *million = (unsigned char *)malloc(1000000);
    CHECK(sha_is("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    CHECK(sha_is(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    CHECK(sha_is("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    CHECK(sha_is(two_blocks, 56, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
    CHECK(sha_is(four, 112, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"));
    CHECK(million != NULL);
    if (million != NULL) {
        memset(million, 'a', 1000000);
        CHECK(sha_is(million, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
        free(million);
    }
}

/* Lengths where the padding just fits and just does not: zeros, digests from another implementation. */
static void sha_lengths(void)
{
    static const struct { size_t n; const char *hex; } vectors[] = {
        { 1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
        { 54, "ea659cdc838619b3767c057fdf8e6d99fde2680c5d8517eb06761c0878d40c40" },
        { 55, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7" },
        { 56, "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb" },
        { 57, "65a16cb7861335d5ace3c60718b5052e44660726da4cd13bb745381b235a1785" },
        { 62, "1ebb2bdc5ce08e6e90b3ede72a8ef315e3e1bced3a3c458f69b6d7eeff9e4f3a" },
        { 63, "c7723fa1e0127975e49e62e753db53924c1bd84b8ac1ac08df78d09270f3d971" },
        { 64, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b" },
        { 65, "98ce42deef51d40269d542f5314bef2c7468d401ad5d85168bfab4c0108f75f7" },
        { 118, "017ab4b70ea129c29e932d44baddc185ad136bf719c4ada63a10b5bf796af91e" },
        { 119, "f616b0d54e78571a9611f343c9f8e022e859e920381ab0e4d3da01e193a7bd7e" },
        { 120, "6edd9f6f9cc92cded36e6c4a580933f9c9f1b90562b46903b806f21902a1a54f" },
        { 127, "15dae5979058bfbf4f9166029b6e340ea3ca374fef578a11dc9e6e923860d7ae" },
        { 128, "38723a2e5e8a17aa7950dc008209944e898f69a7bd10a23c839d341e935fd5ca" },
        { 129, "2c80619d7e7c58257293cda3a878c13e5856f4e06f6f90601276f7b9179c9e07" }
    };
    unsigned char zeros[200];
    size_t i;
    memset(zeros, 0, sizeof zeros);
    for (i = 0; i < sizeof vectors / sizeof *vectors; i++) CHECK(sha_is(zeros, vectors[i].n, vectors[i].hex));
}

static void sha_splits(void)
{
    unsigned char data[200], whole[32], parts[32];
    wcodec_sha256 sha;
    size_t n, i;
    test_random r = test_random_new(3);
    test_fill(&r, data, sizeof data);
    for (n = 0; n <= sizeof data; n++) {
        int good = 1;
        wcodec_sha256_init(&sha);
        wcodec_sha256_update(&sha, data, n);
        wcodec_sha256_final(&sha, whole);
        for (i = 0; i <= n; i++) {
            size_t middle = i + test_below(&r, n - i + 1);
            wcodec_sha256_init(&sha);
            wcodec_sha256_update(&sha, data, i);
            wcodec_sha256_update(&sha, data + i, middle - i);
            wcodec_sha256_update(&sha, NULL, 0);
            wcodec_sha256_update(&sha, data + middle, n - middle);
            wcodec_sha256_final(&sha, parts);
            good = good && memcmp(whole, parts, 32) == 0;
        }
        CHECK(good);
    }
}

int main(void)
{
    RUN(crc_vectors);
    RUN(crc_splits);
    RUN(crc_against_zlib);
    RUN(crc_choice);
    RUN(crc_kernel_sizes);
    RUN(crc_kernel_large);
    RUN(crc_kernel_splits);
    RUN(crc_kernel_pages);
    RUN(sha_vectors);
    RUN(sha_lengths);
    RUN(sha_splits);
    return test_end();
}
