/* NAME.safetensors.index.json and NAME.bin.index.json: which files a checkpoint in pieces consists of.
 *
 *   { "metadata": ..., "weight_map": { "tensor": "model-00001-of-00002.safetensors", ... } }
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static int ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

int cli_is_shard_index(const char *path)
{
    return ends_with(path, ".safetensors.index.json") || ends_with(path, ".bin.index.json");
}

static int refuse(const char *path, const char *what)
{
    return cli_fail(path, "as an index of shards: %s (--alone encodes this file by itself)", what);
}

static int bad_json(const cli_parse *j, const char *path)
{
    return cli_fail(path, "as an index of shards: is not the JSON expected, at byte %llu "
                    "(--alone encodes this file by itself)", (unsigned long long)(j->p - j->text));
}

typedef struct list {
    cli_name *names;
    size_t count, capacity;
} list;

static int add(list *l, const cli_name *name)
{
    if (l->count == l->capacity) {
        size_t capacity = 2 * l->capacity + 256;
        cli_name *grown = (cli_name *)realloc(l->names, capacity * sizeof *grown);
        if (grown == NULL) return 0;
        l->names = grown;
        l->capacity = capacity;
    }
    l->names[l->count++] = *name;
    return 1;
}

/* The values of "weight_map", as often as they stand there; most follow one that is equal. */
static int read_map(cli_parse *j, const char *path, list *l)
{
    cli_name tensor, shard;
    if (!cli_parse_take(j, '{')) return refuse(path, "its weight_map is no object");
    if (cli_parse_take(j, '}')) return CLI_OK;
    do {
        const char *fault;
        if (!cli_parse_string(j, &tensor) || !cli_parse_take(j, ':')) return bad_json(j, path);
        cli_parse_space(j);
        if (j->p < j->end && *j->p != '"') {
            return cli_fail(path, "as an index of shards: the entry of '%s' is no text (--alone encodes this file "
                            "by itself)", tensor.text);
        }
        if (!cli_parse_string(j, &shard)) return bad_json(j, path);
        fault = cli_name_fault(&shard);
        if (fault != NULL) {
            return cli_fail(path, "as an index of shards: the name '%s' %s (--alone encodes this file by itself)",
                            shard.text, fault);
        }
        if (l->count > 0 && l->names[l->count - 1].size == shard.size &&
            memcmp(l->names[l->count - 1].text, shard.text, shard.size) == 0) {
            continue;
        }
        if (!add(l, &shard)) return cli_fail(path, "out of memory");
    } while (cli_parse_take(j, ','));
    return cli_parse_take(j, '}') ? CLI_OK : bad_json(j, path);
}

static int read_index(cli_parse *j, const char *path, list *l)
{
    unsigned maps = 0;
    if (!cli_parse_take(j, '{')) return bad_json(j, path);
    if (!cli_parse_take(j, '}')) {
        do {
            cli_name key;
            if (!cli_parse_string(j, &key) || !cli_parse_take(j, ':')) return bad_json(j, path);
            if (strcmp(key.text, "weight_map") == 0) {
                int result = maps++ == 0 ? read_map(j, path, l) : refuse(path, "it has two weight_maps");
                if (result != CLI_OK) return result;
            } else if (!cli_parse_skip(j)) {
                return bad_json(j, path);
            }
        } while (cli_parse_take(j, ','));
        if (!cli_parse_take(j, '}')) return bad_json(j, path);
    }
    cli_parse_space(j);
    if (j->p != j->end) return bad_json(j, path);
    if (maps == 0) return refuse(path, "it has no weight_map");
    return l->count > 0 ? CLI_OK : refuse(path, "its weight_map names no file");
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const cli_name *)a)->text, ((const cli_name *)b)->text);
}

/* Each once, in order of name.  No name holds a zero byte: that was looked at. */
static void sort_once(list *l)
{
    size_t i, kept = 0;
    qsort(l->names, l->count, sizeof *l->names, compare);
    for (i = 0; i < l->count; i++) {
        if (kept == 0 || strcmp(l->names[kept - 1].text, l->names[i].text) != 0) l->names[kept++] = l->names[i];
    }
    l->count = kept;
}

/* The shards lie beside the index, which comes last. */
static int make_paths(const char *index, const list *l, cli_paths *paths)
{
    size_t folder = (size_t)(cli_base_name(index) - index), i;
    paths->path = (char **)calloc(l->count + 1, sizeof *paths->path);
    for (i = 0; i <= l->count && paths->path != NULL; i++) {
        const char *name = i < l->count ? l->names[i].text : index + folder;
        size_t size = folder + strlen(name) + 1;
        paths->path[i] = (char *)malloc(size);
        if (paths->path[i] == NULL) break;
        memcpy(paths->path[i], index, folder);
        memcpy(paths->path[i] + folder, name, size - folder);
        paths->count++;
    }
    return paths->count == l->count + 1 ? CLI_OK : cli_fail(index, "out of memory");
}

static int check_presence(const char *index, const cli_paths *paths)
{
    size_t i;
    for (i = 0; i < paths->count; i++) {
        if (access(paths->path[i], F_OK) == 0) continue;
        return cli_fail(index, "as an index of shards: '%s' is not beside it (--alone encodes this file by itself)",
                        cli_base_name(paths->path[i]));
    }
    return CLI_OK;
}

int cli_shards(cli_paths *paths, const char *index)
{
    cli_parse j;
    list l = { NULL, 0, 0 };
    int result = cli_parse_open(&j, index);
    memset(paths, 0, sizeof *paths);
    if (result != CLI_OK) return result;
    result = read_index(&j, index, &l);
    if (result == CLI_OK) {
        sort_once(&l);
        result = make_paths(index, &l, paths);
        if (result == CLI_OK) result = check_presence(index, paths);
    }
    free(l.names);
    cli_parse_close(&j);
    if (result != CLI_OK) cli_paths_free(paths);
    return result;
}

void cli_paths_free(cli_paths *paths)
{
    size_t i;
    for (i = 0; i < paths->count; i++) free(paths->path[i]);
    free(paths->path);
    memset(paths, 0, sizeof *paths);
}
