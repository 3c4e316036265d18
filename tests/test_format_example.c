/* The complete container that ends the specification, read out of the comment in wcodec.h and decoded.
 * Its lines: four hexadecimal digits of offset, two spaces, the bytes, two spaces or more, words. */
#define WCODEC_IMPLEMENTATION
#include "test_util.h"
#include "test_make.h"

static unsigned char container[4096];
static size_t container_size;

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* A byte in two digits that end with a space or the line; -1 if there is none. */
static int hex_byte(const char *p)
{
    if (hex_digit(p[0]) < 0 || hex_digit(p[1]) < 0) return -1;
    if (p[2] != ' ' && p[2] != '\n' && p[2] != 0) return -1;
    return hex_digit(p[0]) * 16 + hex_digit(p[1]);
}

/* One line of the dump, or something else, which is left alone.  Returns 1 for a line of the dump. */
static int read_line(const char *line)
{
    size_t offset = 0, i;
    while (*line == ' ') line++;
    for (i = 0; i < 4; i++) {
        if (hex_digit(line[i]) < 0) return 0;
        offset = offset * 16 + (size_t)hex_digit(line[i]);
    }
    if (line[4] != ' ' || line[5] != ' ' || hex_byte(line + 6) < 0) return 0;
    test_note("line at %zx", offset);
    CHECK_EQ(offset, container_size);
    for (line += 6; hex_byte(line) >= 0 && container_size < sizeof container; line += 3) {
        container[container_size++] = (unsigned char)hex_byte(line);
        if (line[2] != ' ') break;
    }
    return 1;
}

/* From the heading of section 12 to the end of the dump. */
static void example_is_in_the_header(void)
{
    static char line[4096];
    FILE *f = fopen("wcodec.h", "r");
    int inside = 0, lines = 0;
    REQUIRE(f != NULL);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strstr(line, "12. A complete container") != NULL) inside = 1;
        if (inside) lines += read_line(line);
        if (inside && strstr(line, "#ifndef WCODEC_H") != NULL) break;
    }
    fclose(f);
    CHECK(lines > 10);
    CHECK(container_size > 96 && container_size < sizeof container);
}

static void example_decodes(void)
{
    unsigned char *view, *golden;
    size_t size, golden_size;
    make_pushed p;
    REQUIRE_OK(make_read_all(container, container_size, &view, &size));
    p = make_push_all(container, container_size, 1, 1, NULL, NULL);
    CHECK_STATUS(p.status, WCODEC_END);
    CHECK_EQ(p.taken, container_size);
    CHECK(size > 0);
    if (CHECK_EQ(p.bytes.size, size)) CHECK_MEM(p.bytes.data, view, size);
    golden = test_load("tests/golden/good/example.bin", &golden_size);
    if (golden != NULL && CHECK_EQ(golden_size, size)) CHECK_MEM(golden, view, size);
    free(golden);
    golden = test_load("tests/golden/good/example.wcodec", &golden_size);
    if (golden != NULL && CHECK_EQ(golden_size, container_size)) CHECK_MEM(golden, container, golden_size);
    free(golden);
    free(view);
    test_sink_free(&p.bytes);
}

/* It is whole: no byte of it can change without a decoder's noticing. */
static void example_is_checked(void)
{
    size_t i;
    for (i = 0; i < container_size; i++) {
        make_pushed p;
        container[i] ^= 1;
        p = make_push_all(container, container_size, container_size, 4096, NULL, NULL);
        test_note("byte %zx changed", i);
        CHECK(p.status != WCODEC_END);
        test_sink_free(&p.bytes);
        container[i] ^= 1;
    }
}

int main(void)
{
    RUN(example_is_in_the_header);
    RUN(example_decodes);
    RUN(example_is_checked);
    return test_end();
}
