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
    RUN(sha_vectors);
    RUN(sha_lengths);
    RUN(sha_splits);
    return test_end();
}
