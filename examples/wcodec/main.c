/* wcodec, the command: which commands there are, and what their help says. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

typedef struct command {
    const char *name;
    int (*run)(const cli_options *opt);
    unsigned allowed;           /* CLI_OPT_* */
    size_t paths, most;         /* arguments that are no options, at least and at most */
    const char *arguments;
    const char *summary;
    const char *help;
} command;

#define RECIPE_HELP \
    "  --profile fast|dense|best\n" \
    "                        fast: decodes at about the speed of memory; dense: a little smaller, half\n" \
    "                        as fast; best: the smallest, some megabytes a second either way\n" \
    "  --coder auto|rans|huffman|raw\n" \
    "                        coders to choose from (auto: all, by size and decoding speed)\n" \
    "  --tile N              units a tile, about (65536, of one byte 131072; dense, best: 262144)\n" \
    "  --dtype NAME          IN is nothing but elements of this dtype (BF16, I8, Q4_K ...)\n" \
    "  --row N               elements a row, with --dtype\n" \
    "  --no-copies           code every tile, though it were there before: so that the container can be\n" \
    "                        decoded from a pipe into a pipe\n"
#define THREADS_HELP "  --threads N           threads, 1 to 64 (one for each processor)\n"
#define FORCE_HELP "  -f, --force           overwrite OUT if it exists\n"
#define QUIET_HELP "  -q, --quiet           print nothing but errors\n"
#define BASE_HELP "  --base BASE           the file, or a container of it, that IN says it needs (see inspect)\n"
#define JSON_HELP "  --json                print a JSON object\n"

static const command commands[] = {
    { "encode", cmd_encode,
      CLI_OPT_RECIPE | CLI_OPT_THREADS | CLI_OPT_NAME | CLI_OPT_FORCE | CLI_OPT_QUIET | CLI_OPT_JSON |
          CLI_OPT_ALONE | CLI_OPT_PLAN | CLI_OPT_BASE, 2, (size_t)-1,
      "IN ... OUT.wcodec", "compress any file into a container, or several into one",
      RECIPE_HELP
      "  --plan FILE           JSON that says where the tensors of IN are: a list of objects with offset, length,\n"
      "                        dtype, row (elements) or shape, and name; or an object of them by their names\n"
      "  --name NAME           the name that the container gives the original (that of IN)\n"
      "  --base BASE           say of each tensor what it differs from the one in BASE, a file or a container,\n"
      "                        that has the same name, shape and dtype, where that is smaller\n"
      "  --alone               IN is no index of shards (see below), whatever its name\n"
      THREADS_HELP FORCE_HELP QUIET_HELP JSON_HELP
      "\nIf IN is a single file of a name such as model.safetensors.index.json, then the files that it names,\n"
      "which lie beside it, are encoded, and it with them.  Several files keep their names without the folders,\n"
      "which must differ.  --dtype and --row are for all of them.\n"
      "The container depends on IN, its name and the options, but not on the number of threads.\n"
      "With --base it takes BASE to decode it again, unless BASE was of no use.\n" },
    { "decode", cmd_decode, CLI_OPT_THREADS | CLI_OPT_FORCE | CLI_OPT_QUIET | CLI_OPT_ONLY | CLI_OPT_BASE, 2, 2,
      "IN.wcodec OUT", "give back the original, byte for byte, or several into a folder",
      "  --only NAME           of a container of several files, this one\n"
      BASE_HELP THREADS_HELP FORCE_HELP QUIET_HELP
      "\nOUT is a file.  If the container holds several, and --only does not name one of them, OUT is the folder\n"
      "that they go into; it is made if it is not there.  A container that comes through a pipe is decoded as it\n"
      "comes; it may hold several files only with --only, or if OUT is a folder already or ends with a slash: it\n"
      "is kept in TMPDIR (/tmp) then.\n"
      "The SHA-256 of BASE is compared before anything is written.  A container as BASE has it in its index, so\n"
      "that it is believed there; its tiles have a CRC-32 each.\n" },
    { "verify", cmd_verify, CLI_OPT_THREADS | CLI_OPT_QUIET | CLI_OPT_BASE, 1, 1,
      "IN.wcodec", "check every checksum, then the SHA-256 of the original",
      BASE_HELP THREADS_HELP QUIET_HELP
      "\nThe container is decoded twice: from its first byte to its last, and through its index.\n" },
    { "inspect", cmd_inspect, CLI_OPT_JSON, 1, 1,
      "IN.wcodec", "show what is inside: header, segments, coders, bits a value",
      JSON_HELP },
    { "extract", cmd_extract,
      CLI_OPT_TENSOR | CLI_OPT_ROWS | CLI_OPT_RANGE | CLI_OPT_OUTPUT | CLI_OPT_THREADS | CLI_OPT_FORCE |
          CLI_OPT_BASE, 1, 1,
      "IN.wcodec (--tensor NAME [--rows A:B] | --range A:B) -o OUT",
      "decode one tensor, some of its rows, or a range of bytes",
      "  --tensor NAME         the bytes of this tensor\n"
      "  --rows A:B            of it, the indices A to B (not included) of its first dimension\n"
      "  --range A:B           bytes A to B (not included) of the original; of several, of all of them one after\n"
      "                        the other, as inspect lists them\n"
      "  -o, --output OUT      where they go\n"
      BASE_HELP THREADS_HELP FORCE_HELP
      "\nA: and :B mean up to the end and from the start.\n" },
    { "analyze", cmd_analyze,
      CLI_OPT_DTYPE | CLI_OPT_ROW | CLI_OPT_THREADS | CLI_OPT_JSON | CLI_OPT_HTML | CLI_OPT_PEERS |
          CLI_OPT_PROFILE | CLI_OPT_FORCE | CLI_OPT_DISK, 1, 1,
      "IN", "measure the entropies of every tensor, and what each coder would make of it",
      "  --dtype NAME          IN is nothing but elements of this dtype (BF16, I8, Q4_K ...)\n"
      "  --row N               elements a row, with --dtype\n"
      THREADS_HELP JSON_HELP
      "  --profile fast|dense|best  of what is predicted (fast), and of the page's container, which is really made\n"
      "  --disk MB/S           say for each tensor whether it loads sooner raw or coded from a disk that gives\n"
      "                        this many million bytes a second\n"
      "  --html PAGE           write a page of charts too, a single file for any browser; the options below\n"
      "                        are for it\n"
      "  --peers MIB           gzip -9, bzip2 -9, xz -9 and zstd -19, where they are installed, get up to\n"
      "                        this much of IN (16), 16 slices of it if IN is larger; 0: none is run\n"
      "  -f, --force           overwrite PAGE if it exists\n"
      "\nEntropies are bits a value of order 0, with one table for the whole tensor: of its bytes (H), of a\n"
      "byte given the one before (H|prev), of the highest and lowest byte of each element, of the exponent,\n"
      "and of the differences from one element to the next of the highest byte and of the exponent.\n"
      "Sizes are ratios of tiles that are really coded, in tensors of more than 4 MiB a sample of them (~).\n"
      "pred: with predictors; the other columns are without.  est: the ratio that encode comes to, by a\n"
      "sample, with scales and all; ms: for decoding that with one thread of a processor at 3 GHz; load, with\n"
      "--disk: the faster way, where reading and decoding go on at the same time.\n"
      "A container is measured as the bytes it is: decode it to see what is in it.\n"
      "The container for the page is kept, unnamed, in TMPDIR (/tmp) for as long as it takes.\n" },
    { "bench", cmd_bench, CLI_OPT_RECIPE | CLI_OPT_JSON, 1, 1,
      "IN", "time encoding and decoding in memory, one thread, against memcpy",
      RECIPE_HELP JSON_HELP }
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(void)
{
    size_t i;
    printf("wcodec %s - lossless compression of neural-network weights\n\nusage:\n", WCODEC_VERSION);
    for (i = 0; i < COMMANDS; i++) printf("  wcodec %s %s\n", commands[i].name, commands[i].arguments);
    printf("\ncommands:\n");
    for (i = 0; i < COMMANDS; i++) printf("  %-9s %s\n", commands[i].name, commands[i].summary);
    printf("\n"
           "  wcodec COMMAND --help   the options of a command\n"
           "  wcodec --version        the version\n\n"
           "IN and OUT may be - for standard input and output.  Output appears under its name only when it\n"
           "is complete; an existing file is kept unless -f is given.\n"
           "Exit status: 0 fine, 1 bad data or I/O, 2 usage.\n");
}

static void print_command_help(const command *cmd)
{
    printf("wcodec %s - %s\n\nusage: wcodec %s %s%s\n\n%s", cmd->name, cmd->summary, cmd->name,
           cmd->arguments, cmd->allowed != 0 ? " [OPTION ...]" : "", cmd->help);
}

static const command *find_command(const char *name)
{
    size_t i;
    for (i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    }
    return NULL;
}

/* A missing standard descriptor would be given to the next file that is opened, and a message to
 * standard error would land in a container. */
static void open_standard_descriptors(void)
{
    int fd;
    for (fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDWR) != fd) _exit(CLI_FAILED);
    }
}

static int run_command(const command *cmd, int argc, char **argv)
{
    cli_options opt;
    int status = cli_options_parse(&opt, cmd->name, cmd->allowed, cmd->most, argc, argv);
    if (status != CLI_OK) return status;
    if (opt.help) {
        print_command_help(cmd);
        return cli_flush_stdout();
    }
    if (opt.paths < cmd->paths) {
        return cli_usage("%s: usage: wcodec %s %s", cmd->name, cmd->name, cmd->arguments);
    }
    if (cli_has(&opt, CLI_OPT_ROW) && !cli_has(&opt, CLI_OPT_DTYPE)) {
        return cli_usage("%s: --row needs --dtype", cmd->name);
    }
    return cmd->run(&opt);
}

int main(int argc, char **argv)
{
    const command *cmd;
    open_standard_descriptors();
    cli_output_signals();
    if (argc < 2) return cli_usage("no command given (see wcodec --help)");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help();
        return cli_flush_stdout();
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("wcodec %s (format version %d)\n", WCODEC_VERSION, WCODEC_FORMAT_VERSION);
        return cli_flush_stdout();
    }
    cmd = find_command(argv[1]);
    if (cmd == NULL) return cli_usage("unknown command '%s' (see wcodec --help)", argv[1]);
    return run_command(cmd, argc - 2, argv + 2);
}
