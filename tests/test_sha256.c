/* SHA-256: every kernel that this machine has against the scalar one and against the standard's vectors, all
 * sizes and ways to cut the data, and memory that ends where the data does.  See also test_crc.c. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"

/* NULL where the processor lacks the instructions, or the compiler, or WCODEC_NO_SIMD is defined. */
static wcodeci_sha_fn *kernel(void)
{
    wcodeci_sha_fn *fn = wcodeci_sha_of(wcodec_cpu_detect());
    return fn == wcodeci_sha_scalar ? NULL : fn;
}

/* The whole of SHA-256 around one kernel, without what the library has around them. */
static void digest_by(wcodeci_sha_fn *fn, const unsigned char *data, size_t size, unsigned char digest[32])
{
    unsigned char end[128];
    const size_t rest = size & 63, room = rest < 56 ? 64 : 128;
    wcodec_sha256 start;
    int i;
    wcodec_sha256_init(&start);
    if (size >= 64) fn(start.state, data, size / 64);
    memset(end, 0, sizeof end);
    if (rest) memcpy(end, data + size - rest, rest);
    end[rest] = 0x80;
    for (i = 0; i < 8; i++) end[room - 1 - (size_t)i] = (unsigned char)((uint64_t)size * 8 >> (8 * i));
    fn(start.state, end, room / 64);
    for (i = 0; i < 32; i++) digest[i] = (unsigned char)(start.state[i / 4] >> (24 - 8 * (i % 4)));
}

static void digest_of(const void *data, size_t size, unsigned char digest[32])
{
    wcodec_sha256 sha;
    wcodec_sha256_init(&sha);
    wcodec_sha256_update(&sha, data, size);
    wcodec_sha256_final(&sha, digest);
}

/* ---- which kernel ---- */

static void choice(void)
{
    const unsigned cpu = wcodec_cpu_detect();
    printf("  SHA-256 instructions: %s\n", kernel() ? "tested" : "skipped, not there");
    CHECK(wcodeci_sha_of(0) == wcodeci_sha_scalar);
    CHECK(wcodeci_sha_of(cpu & ~WCODEC_CPU_SHA) == wcodeci_sha_scalar);
    CHECK(wcodeci_sha_of(cpu & WCODEC_CPU_SHA) == wcodeci_sha_of(cpu));
    CHECK((kernel() != NULL) == ((cpu & WCODEC_CPU_SHA) != 0));
    CHECK(sizeof(wcodec_sha256) == 8 * sizeof(uint32_t) + sizeof(uint64_t) + 64);
}

/* ---- vectors: FIPS 180-2, appendix B, and the NIST's examples for SHA-256 ---- */

static int is(wcodeci_sha_fn *fn, const void *data, size_t size, const char *hex)
{
    unsigned char digest[32];
    char text[65];
    int i;
    if (fn) digest_by(fn, (const unsigned char *)data, size, digest);
    else digest_of(data, size, digest);
    for (i = 0; i < 32; i++) snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return CHECK_STR(text, hex);
}

static void vectors_of(wcodeci_sha_fn *fn)
{
    static const struct { const char *text, *hex; } texts[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        { "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
          "mnopqrstnopqrstu", "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" }
    };
    static const struct { int byte; size_t size; const char *hex; } runs[] = {
        { 0xbd, 1, "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b" },
        { 0x00, 55, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7" },
        { 0x00, 56, "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb" },
        { 0x00, 57, "65a16cb7861335d5ace3c60718b5052e44660726da4cd13bb745381b235a1785" },
        { 0x00, 64, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b" },
        { 0x00, 1000, "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53" },
        { 0x41, 1000, "c2e686823489ced2017f6059b8b239318b6364f6dcd835d0a519105a1eadd6e4" },
        { 0x55, 1005, "f4d62ddec0f3dd90ea1380fa16a5ff8dc4c54b21740650f24afc4120903552b0" },
        { 0x61, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
        { 0x00, 1000000, "d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025" }
    };
    size_t i;
    for (i = 0; i < sizeof texts / sizeof *texts; i++)
        is(fn, texts[i].text, strlen(texts[i].text), texts[i].hex);
    for (i = 0; i < sizeof runs / sizeof *runs; i++) {
        unsigned char *data = (unsigned char *)test_malloc(runs[i].size);
        memset(data, runs[i].byte, runs[i].size);
        is(fn, data, runs[i].size, runs[i].hex);
        free(data);
    }
}

static void vectors(void)
{
    vectors_of(NULL);
    vectors_of(wcodeci_sha_scalar);
    if (kernel()) vectors_of(kernel());
}

/* ---- the kernel against the scalar one ---- */

/* All sizes at all alignments, in memory of exactly that size, for the address sanitizer. */
static void sizes(void)
{
    enum { MOST = 300 };
    unsigned char data[MOST + 17], want[32], got[32];
    test_random r = test_random_new(1);
    size_t offset, size;
    test_fill(&r, data, sizeof data);
    for (offset = 0; offset <= 16; offset++) {
        for (size = 0; size <= MOST; size++) {
            unsigned char *exact = (unsigned char *)test_malloc(offset + size);
            memcpy(exact, data, offset + size);
            test_note("%d bytes at offset %d", (int)size, (int)offset);
            digest_by(wcodeci_sha_scalar, exact + offset, size, want);
            digest_of(exact + offset, size, got);
            CHECK_MEM(got, want, 32);
            if (kernel()) {
                digest_by(kernel(), exact + offset, size, got);
                CHECK_MEM(got, want, 32);
            }
            free(exact);
        }
    }
}

/* From any state: not only what blocks have made of the start. */
static void states(void)
{
    uint32_t state[8], want[8], got[9];
    unsigned char data[64 * 9];
    test_random r = test_random_new(2);
    int turn, i;
    if (!kernel()) {
        test_skip("no SHA-256 instructions");
        return;
    }
    for (turn = 0; turn < 3000; turn++) {
        const size_t blocks = test_below(&r, 10);
        test_fill(&r, data, sizeof data);
        if (turn % 7 == 0) memset(data, turn % 2 ? 255 : 0, sizeof data);
        for (i = 0; i < 8; i++) state[i] = turn % 5 ? (uint32_t)test_next(&r) : 0u - (uint32_t)(turn & 1);
        memcpy(want, state, sizeof want);
        memcpy(got + turn % 2, state, sizeof state);
        wcodeci_sha_scalar(want, data, blocks);
        kernel()(got + turn % 2, data, blocks);
        CHECK_MEM(got + turn % 2, want, sizeof want);
    }
}

static void large(void)
{
    const size_t size = ((size_t)5 << 20) + 77;
    unsigned char *data = (unsigned char *)test_malloc(size), want[32], got[32];
    test_random r = test_random_new(3);
    size_t offset;
    test_fill(&r, data, size);
    for (offset = 0; offset < 4; offset++) {
        digest_by(wcodeci_sha_scalar, data + offset, size - offset, want);
        digest_of(data + offset, size - offset, got);
        CHECK_MEM(got, want, 32);
        if (!kernel()) continue;
        digest_by(kernel(), data + offset, size - offset, got);
        CHECK_MEM(got, want, 32);
    }
    free(data);
}

/* ---- cuts ---- */

/* Small and large parts, and empty ones. */
static void cuts(void)
{
    unsigned char data[20000], want[32], got[32];
    test_random r = test_random_new(4);
    int turn;
    test_fill(&r, data, sizeof data);
    for (turn = 0; turn < 600; turn++) {
        const size_t size = test_below(&r, turn % 2 ? 600 : sizeof data + 1);
        const size_t most = turn % 3 == 0 ? 5 : turn % 3 == 1 ? 150 : 4000;
        wcodec_sha256 sha;
        size_t at, part;
        digest_by(wcodeci_sha_scalar, data, size, want);
        wcodec_sha256_init(&sha);
        for (at = 0; at < size; at += part) {
            part = wcodeci_min(size - at, test_below(&r, most));
            wcodec_sha256_update(&sha, part ? data + at : NULL, part);
        }
        wcodec_sha256_final(&sha, got);
        CHECK_MEM(got, want, 32);
    }
}

/* Every point at which data can be cut in two. */
static void halves(void)
{
    unsigned char data[300], want[32], got[32];
    test_random r = test_random_new(5);
    size_t size, at;
    test_fill(&r, data, sizeof data);
    for (size = 0; size <= sizeof data; size++) {
        int good = 1;
        digest_by(wcodeci_sha_scalar, data, size, want);
        for (at = 0; at <= size; at++) {
            wcodec_sha256 sha;
            wcodec_sha256_init(&sha);
            wcodec_sha256_update(&sha, data, at);
            wcodec_sha256_update(&sha, data + at, size - at);
            wcodec_sha256_final(&sha, got);
            good = good && memcmp(got, want, 32) == 0;
        }
        test_note("%d bytes", (int)size);
        CHECK(good);
    }
}

/* ---- memory ---- */

/* Nothing before or after the data is read or written. */
static void pages(void)
{
    unsigned char data[700], want[32], got[32];
    test_random r = test_random_new(6);
    size_t size;
    test_fill(&r, data, sizeof data);
    for (size = 0; size <= sizeof data; size++) {
        test_guard guard = test_guard_copy(data, size);
        digest_by(wcodeci_sha_scalar, data, size, want);
        digest_of(guard.data, size, got);
        CHECK_MEM(got, want, 32);
        if (size) CHECK_MEM(guard.data, data, size);
        test_guard_free(&guard);
    }
}

/* Where a digest stands is all in the struct: it can be copied and gone on with. */
static void copies(void)
{
    unsigned char data[256], want[32], got[32];
    wcodec_sha256 sha, copy;
    test_random r = test_random_new(7);
    size_t at;
    test_fill(&r, data, sizeof data);
    digest_by(wcodeci_sha_scalar, data, sizeof data, want);
    wcodec_sha256_init(&sha);
    for (at = 0; at < sizeof data; at++) {
        copy = sha;
        wcodec_sha256_update(&copy, data + at, sizeof data - at);
        wcodec_sha256_final(&copy, got);
        CHECK_MEM(got, want, 32);
        wcodec_sha256_update(&sha, data + at, 1);
    }
}

int main(void)
{
    RUN(choice);
    RUN(vectors);
    RUN(sizes);
    RUN(states);
    RUN(large);
    RUN(cuts);
    RUN(halves);
    RUN(pages);
    RUN(copies);
    return test_end();
}
