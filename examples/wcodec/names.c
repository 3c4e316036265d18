/* Names of originals.  A container of several files may come from anywhere and be decoded anywhere, so each
 * name must stand for a file of its own in the folder itself, on every system.  What makes such a container
 * and what decodes it hold to the same rules. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static int compare(const cli_name *a, const cli_name *b)
{
    size_t i, least = a->size < b->size ? a->size : b->size;
    for (i = 0; i < least; i++) {
        if (fold(a->text[i]) != fold(b->text[i])) return fold(a->text[i]) < fold(b->text[i]) ? -1 : 1;
    }
    return a->size < b->size ? -1 : a->size > b->size;
}

/* Is it a digit that numbers a device of Windows?  There a superscript is one too. */
static int is_number(const char *text, size_t size)
{
    const unsigned char *p = (const unsigned char *)text;
    if (size == 1) return p[0] >= '1' && p[0] <= '9';
    return size == 2 && p[0] == 0xC2 && (p[1] == 0xB9 || p[1] == 0xB2 || p[1] == 0xB3);
}

/* Devices of Windows, which they are with any extension too. */
static int is_device(const char *name, size_t size)
{
    static const char *const devices[] = { "con", "prn", "aux", "nul", "conin$", "conout$", "com", "lpt" };
    const char *dot = (const char *)memchr(name, '.', size);
    cli_name stem, device;
    size_t i, numbered;
    stem.text = name;
    stem.size = dot != NULL ? (size_t)(dot - name) : size;
    while (stem.size > 0 && name[stem.size - 1] == ' ') stem.size--;
    numbered = stem.size > 3 && is_number(name + 3, stem.size - 3);
    if (numbered) stem.size = 3;
    for (i = numbered ? 6 : 0; i < (numbered ? 8u : 6u); i++) {
        device.text = devices[i];
        device.size = strlen(devices[i]);
        if (compare(&stem, &device) == 0) return 1;
    }
    return 0;
}

const char *cli_name_fault(const cli_name *name)
{
    size_t i, used;
    if (name->size == 0) return "is empty";
    if (name->size > 255) return "is longer than 255 bytes";
    for (i = 0; i < name->size; i += used) {
        long point = cli_utf8(name->text + i, name->size - i, &used);
        if ((point >= 0 && point < 32) || (point >= 127 && point < 160)) return "holds a control character";
        if (point == '/' || point == '\\') return "holds a path separator";
        if (point == ':') return "holds a colon, which on Windows ends a drive's name";
    }
    if (name->size <= 2 && memcmp(name->text, "..", name->size) == 0) return "names a folder";
    if (name->text[name->size - 1] == '.' || name->text[name->size - 1] == ' ') {
        return "ends with a dot or a space, which Windows leaves out";
    }
    return is_device(name->text, name->size) ? "is a device on Windows" : NULL;
}

static int compare_pointers(const void *a, const void *b)
{
    return compare(*(const cli_name *const *)a, *(const cli_name *const *)b);
}

static int check_differ(const char *file, const cli_name *names, size_t count)
{
    const cli_name **sorted = (const cli_name **)malloc((count + 1) * sizeof *sorted);
    size_t i;
    int result = CLI_OK;
    if (sorted == NULL) return cli_fail(file, "out of memory");
    for (i = 0; i < count; i++) sorted[i] = &names[i];
    qsort(sorted, count, sizeof *sorted, compare_pointers);
    for (i = 1; i < count && result == CLI_OK; i++) {
        if (compare(sorted[i - 1], sorted[i]) != 0) continue;
        result = cli_fail(file, "two files of the same name: '%s' and '%s' (upper and lower case are one)",
                          sorted[i - 1]->text, sorted[i]->text);
    }
    free(sorted);
    return result;
}

int cli_names_check(const char *file, const cli_name *names, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) {
        const char *fault = cli_name_fault(&names[i]);
        if (fault != NULL) return cli_fail(file, "the name '%s' %s", names[i].text, fault);
    }
    return check_differ(file, names, count);
}
