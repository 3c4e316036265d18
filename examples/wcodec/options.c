/* The command line.  Options stand anywhere, as --option VALUE or --option=VALUE; -- ends them. */
#include <string.h>

#include "cli.h"

enum kind { FLAG, TEXT, COUNT, CHOICE, DTYPE, SPAN };

typedef struct definition {
    unsigned bit;
    const char *name;
    char letter;                    /* 0: none */
    enum kind kind;
    size_t field;                   /* offset in cli_options; unused for FLAG */
    uint64_t least, most;           /* of a COUNT */
    const char *const *choices;
} definition;

const char *const cli_profile_names[] = { "fast", "dense", "best", NULL };
const char *const cli_coder_names[] = { "auto", "rans", "huffman", "raw", NULL };

/* A tile of --tile units of 8 bytes must not exceed what the format allows. */
#define MOST_TILE_UNITS (WCODEC_MAX_TILE_BYTES / 8)

#define FIELD(member) offsetof(cli_options, member)
static const definition definitions[] = {
    { CLI_OPT_FORCE, "--force", 'f', FLAG, 0, 0, 0, NULL },
    { CLI_OPT_QUIET, "--quiet", 'q', FLAG, 0, 0, 0, NULL },
    { CLI_OPT_JSON, "--json", 0, FLAG, 0, 0, 0, NULL },
    { CLI_OPT_THREADS, "--threads", 0, COUNT, FIELD(threads), 1, CLI_MAX_THREADS, NULL },
    { CLI_OPT_PROFILE, "--profile", 0, CHOICE, FIELD(profile), 0, 0, cli_profile_names },
    { CLI_OPT_CODER, "--coder", 0, CHOICE, FIELD(coder), 0, 0, cli_coder_names },
    { CLI_OPT_TILE, "--tile", 0, COUNT, FIELD(tile), 1, MOST_TILE_UNITS, NULL },
    { CLI_OPT_DTYPE, "--dtype", 0, DTYPE, FIELD(dtype), 0, 0, NULL },
    { CLI_OPT_ROW, "--row", 0, COUNT, FIELD(row), 1, (uint64_t)1 << 40, NULL },
    { CLI_OPT_NAME, "--name", 0, TEXT, FIELD(name), 0, 0, NULL },
    { CLI_OPT_OUTPUT, "--output", 'o', TEXT, FIELD(output), 0, 0, NULL },
    { CLI_OPT_TENSOR, "--tensor", 0, TEXT, FIELD(tensor), 0, 0, NULL },
    { CLI_OPT_ROWS, "--rows", 0, SPAN, FIELD(rows), 0, 0, NULL },
    { CLI_OPT_RANGE, "--range", 0, SPAN, FIELD(range), 0, 0, NULL },
    { CLI_OPT_HTML, "--html", 0, TEXT, FIELD(html), 0, 0, NULL },
    { CLI_OPT_PEERS, "--peers", 0, COUNT, FIELD(peers), 0, (uint64_t)1 << 20, NULL },
    { CLI_OPT_BASE, "--base", 0, TEXT, FIELD(base), 0, 0, NULL },
    { CLI_OPT_NO_COPIES, "--no-copies", 0, FLAG, 0, 0, 0, NULL },
    { CLI_OPT_DISK, "--disk", 0, COUNT, FIELD(disk), 1, (uint64_t)1 << 30, NULL },
    { CLI_OPT_ALONE, "--alone", 0, FLAG, 0, 0, 0, NULL },
    { CLI_OPT_ONLY, "--only", 0, TEXT, FIELD(only), 0, 0, NULL },
    { CLI_OPT_PLAN, "--plan", 0, TEXT, FIELD(plan), 0, 0, NULL }
};
enum { DEFINITIONS = sizeof definitions / sizeof definitions[0] };

/* Reads decimal digits up to `end`; 0 if there are none, others, or too many. */
static int parse_count(const char *text, const char *end, uint64_t *value)
{
    uint64_t v = 0;
    if (text == end) return 0;
    for (; text < end; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (*text < '0' || *text > '9' || v > (UINT64_MAX - digit) / 10) return 0;
        v = v * 10 + digit;
    }
    *value = v;
    return 1;
}

static int parse_span(const char *text, cli_span *span)
{
    const char *colon = strchr(text, ':'), *end = text + strlen(text);
    if (colon == NULL) return 0;
    span->begin = 0;
    span->end = UINT64_MAX;
    if (colon > text && !parse_count(text, colon, &span->begin)) return 0;
    if (colon + 1 < end && !parse_count(colon + 1, end, &span->end)) return 0;
    return span->begin <= span->end;
}

static int parse_choice(const char *text, const char *const *choices, unsigned *value)
{
    unsigned i;
    for (i = 0; choices[i] != NULL; i++) {
        if (strcmp(text, choices[i]) == 0) {
            *value = i;
            return 1;
        }
    }
    return 0;
}

static int parse_value(const definition *def, const char *text, void *field)
{
    uint64_t count;
    int dtype;
    switch (def->kind) {
    case TEXT:
        *(const char **)field = text;
        return 1;
    case COUNT:
        if (!parse_count(text, text + strlen(text), &count)) return 0;
        if (count < def->least || count > def->most) return 0;
        *(uint64_t *)field = count;
        return 1;
    case CHOICE:
        return parse_choice(text, def->choices, (unsigned *)field);
    case DTYPE:
        dtype = wcodec_dtype_find(text, strlen(text));
        if (dtype <= 0) return 0;           /* BYTES is 0: what a file is without this option */
        *(unsigned *)field = (unsigned)dtype;
        return 1;
    case SPAN:
        return parse_span(text, (cli_span *)field);
    case FLAG:
        break;
    }
    return 0;
}

static int bad_value(const definition *def, const char *command, const char *text)
{
    switch (def->kind) {
    case COUNT:
        return cli_usage("%s: %s takes a number from %llu to %llu, not '%s'", command, def->name,
                         (unsigned long long)def->least, (unsigned long long)def->most, text);
    case DTYPE:
        return cli_usage("%s: %s takes a dtype as safetensors or ggml writes it (BF16, I8, Q4_K ...), not '%s'",
                         command, def->name, text);
    case SPAN:
        return cli_usage("%s: %s takes BEGIN:END with BEGIN <= END, not '%s'", command, def->name, text);
    default:
        return cli_usage("%s: %s does not take '%s' (see wcodec %s --help)", command, def->name, text,
                         command);
    }
}

/* The definition that `arg` names, with its value, if one is attached, in *value. */
static const definition *find(const char *arg, unsigned allowed, const char **value)
{
    size_t size = strcspn(arg, "="), i;
    for (i = 0; i < DEFINITIONS; i++) {
        const definition *def = &definitions[i];
        int is_long = strlen(def->name) == size && memcmp(arg, def->name, size) == 0;
        int is_short = arg[1] == def->letter && arg[1] != 0 && (arg[2] == 0 || def->kind != FLAG);
        if ((def->bit & allowed) == 0 || (!is_long && !is_short)) continue;
        *value = is_long ? (arg[size] == '=' ? arg + size + 1 : NULL) : (arg[2] != 0 ? arg + 2 : NULL);
        return def;
    }
    return NULL;
}

/* Takes the option at argv[*i], and its value, which may be the next argument. */
static int take_option(cli_options *opt, const char *command, unsigned allowed, int argc, char **argv, int *i)
{
    const char *arg = argv[*i], *value = NULL;
    const definition *def = find(arg, allowed, &value);
    if (def == NULL) {
        return cli_usage("%s: unknown option '%s' (see wcodec %s --help)", command, arg, command);
    }
    if (cli_has(opt, def->bit) && def->kind != FLAG) {
        return cli_usage("%s: %s is given twice", command, def->name);
    }
    opt->given |= def->bit;
    if (def->kind == FLAG) {
        return value == NULL ? CLI_OK : cli_usage("%s: %s takes no value", command, def->name);
    }
    if (value == NULL && *i + 1 < argc) value = argv[++*i];
    if (value == NULL) return cli_usage("%s: %s needs a value", command, def->name);
    if (!parse_value(def, value, (char *)opt + def->field)) return bad_value(def, command, value);
    return CLI_OK;
}

int cli_options_parse(cli_options *opt, const char *command, unsigned allowed, size_t most, int argc, char **argv)
{
    int i, only_paths = 0;
    memset(opt, 0, sizeof *opt);
    opt->path = argv;
    for (i = 0; i < argc; i++) {
        char *arg = argv[i];
        if (!only_paths && strcmp(arg, "--") == 0) {
            only_paths = 1;
        } else if (!only_paths && (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)) {
            opt->help = 1;
            return CLI_OK;
        } else if (!only_paths && arg[0] == '-' && arg[1] != 0) {
            int status = take_option(opt, command, allowed, argc, argv, &i);
            if (status != CLI_OK) return status;
        } else if (opt->paths == most) {
            return cli_usage("%s: one argument too many: '%s' (see wcodec %s --help)", command, arg, command);
        } else {
            opt->path[opt->paths++] = arg;
        }
    }
    return CLI_OK;
}

unsigned cli_coder_mask(unsigned coder)
{
    const unsigned simple = 1u << WCODEC_CODER_RAW | 1u << WCODEC_CODER_CONSTANT;
    switch (coder) {
    case CLI_CODER_RANS: return simple | 1u << WCODEC_CODER_RANS16 | 1u << WCODEC_CODER_RANS256;
    case CLI_CODER_HUFFMAN: return simple | 1u << WCODEC_CODER_HUFFMAN;
    case CLI_CODER_RAW: return 1u << WCODEC_CODER_RAW;
    default: return 0;
    }
}
