/* wcodec, the command-line tool: what its files share.
 *
 *   main.c      the table of commands, help
 *   options.c   command line to cli_options
 *   report.c    messages, and names made fit for a terminal
 *   json.c      JSON output
 *   parse.c     JSON that is read
 *   names.c     which names the files of a container may have
 *   shards.c    the files that model.safetensors.index.json names
 *   plan_file.c the segments that --plan gives
 *   input.c     files that are read; standard input
 *   output.c    files that are written: complete or not at all
 *   progress.c  the progress bar
 *   threads.c   the parallel_for that the library asks for
 *   container.c an open container, read in windows
 *   base.c      the file that --base names
 *   tiles.c     sums over the tiles of a container
 *   measure.c   what analyze measures (measure.h)
 *   page*.c     the HTML page of analyze (page.h)
 *   peers.c     gzip and the like, run for comparison
 *   cmd_*.c     one command each
 *
 * Functions that return int return an exit status: 0, or CLI_FAILED or CLI_USAGE after having printed
 * the one line that says why.
 */
#ifndef WCODEC_CLI_H
#define WCODEC_CLI_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../../wcodec.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

#define CLI_MAX_THREADS 64
#define CLI_WINDOW ((size_t)1 << 20)    /* bytes of an original that a thread decodes at a time, about */
#define CLI_CHUNK ((size_t)256 << 10)   /* bytes of a stream read or written at a time */
#define CLI_QUEUE 8                     /* pieces that wait to be written */

/* ---- options.c -------------------------------------------------------------------------------- */

enum {
    CLI_OPT_FORCE = 1 << 0, CLI_OPT_QUIET = 1 << 1, CLI_OPT_JSON = 1 << 2, CLI_OPT_THREADS = 1 << 3,
    CLI_OPT_PROFILE = 1 << 4, CLI_OPT_CODER = 1 << 5, CLI_OPT_TILE = 1 << 6, CLI_OPT_DTYPE = 1 << 7,
    CLI_OPT_ROW = 1 << 8, CLI_OPT_NAME = 1 << 9, CLI_OPT_OUTPUT = 1 << 10, CLI_OPT_TENSOR = 1 << 11,
    CLI_OPT_ROWS = 1 << 12, CLI_OPT_RANGE = 1 << 13, CLI_OPT_HTML = 1 << 14, CLI_OPT_PEERS = 1 << 15,
    CLI_OPT_DISK = 1 << 16, CLI_OPT_ALONE = 1 << 17, CLI_OPT_ONLY = 1 << 18, CLI_OPT_PLAN = 1 << 19,
    CLI_OPT_NO_COPIES = 1 << 20, CLI_OPT_BASE = 1 << 21,
    CLI_OPT_RECIPE = CLI_OPT_PROFILE | CLI_OPT_CODER | CLI_OPT_TILE | CLI_OPT_DTYPE | CLI_OPT_ROW |
                     CLI_OPT_NO_COPIES
};

enum { CLI_CODER_AUTO = 0, CLI_CODER_RANS = 1, CLI_CODER_HUFFMAN = 2, CLI_CODER_RAW = 3 };
extern const char *const cli_profile_names[];   /* by wcodec_profile */
extern const char *const cli_coder_names[];     /* indexed by CLI_CODER_*, NULL at the end */

/* A:B, half open; A: and :B leave one end to the file. */
typedef struct cli_span {
    uint64_t begin, end;        /* end: UINT64_MAX if it was left out */
} cli_span;

typedef struct cli_options {
    unsigned given;             /* CLI_OPT_* bits */
    char **path;                /* what is not an option, in order */
    size_t paths;
    const char *output, *tensor, *name, *html, *only, *plan, *base;
    unsigned profile, coder;    /* indices of the tables above */
    unsigned dtype;
    uint64_t threads, tile, row, peers, disk;
    cli_span rows, range;
    int help;
} cli_options;

/* Parses what follows the command's name.  `allowed`: CLI_OPT_* bits; `most`: arguments that are no options.
 * Those are moved to the front of argv, where opt->path points. */
int cli_options_parse(cli_options *opt, const char *command, unsigned allowed, size_t most, int argc, char **argv);
#define cli_has(opt, bit) (((opt)->given & (unsigned)(bit)) != 0)

/* The mask of wcodec_coder bits that a CLI_CODER_* stands for; 0: everything. */
unsigned cli_coder_mask(unsigned coder);

/* ---- commands --------------------------------------------------------------------------------- */

int cmd_encode(const cli_options *opt);
int cmd_decode(const cli_options *opt);
int cmd_verify(const cli_options *opt);
int cmd_inspect(const cli_options *opt);
int cmd_extract(const cli_options *opt);
int cmd_analyze(const cli_options *opt);
int cmd_bench(const cli_options *opt);

/* ---- report.c --------------------------------------------------------------------------------- */

#if defined(__GNUC__)
#define CLI_PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#define CLI_PRINTF(a, b)
#endif

/* Print "wcodec: FILE: ..." or "wcodec: ..." as one line on standard error. */
int cli_fail(const char *file, const char *format, ...) CLI_PRINTF(2, 3);
int cli_fail_at(const char *file, uint64_t offset, const char *what);
int cli_usage(const char *format, ...) CLI_PRINTF(1, 2);

/* Flushes standard output; what could not be written is an error. */
int cli_flush_stdout(void);

/* The code point at `s`, of which `size` > 0 bytes are there, and its length in *used; -1 (length 1) if
 * the bytes are not UTF-8. */
long cli_utf8(const char *s, size_t size, size_t *used);

/* Writes a name that came from a file: control characters and what is not UTF-8 as '?', at most `width`
 * characters (the middle left out), and with `pad` spaces up to that. */
void cli_print_name(FILE *file, const char *name, size_t size, size_t width, int pad);

/* "[768, 3072]" in static memory; long shapes end in "...]". */
const char *cli_shape(const wcodec_segment *segment);
const char *cli_dtype(const wcodec_segment *segment);   /* "?" for a dtype without a name */
const char *cli_base_name(const char *path);
double cli_ratio(uint64_t part, uint64_t whole);        /* NaN if whole is 0 */
double cli_seconds(void);                               /* of a clock that never goes back */
void cli_hex(const unsigned char *bytes, size_t size, char *text);   /* 2 * size + 1 characters */

/* ---- json.c ----------------------------------------------------------------------------------- */

/* Writes one JSON value.  `key` is NULL inside arrays and for the outermost value. */
typedef struct cli_json {
    FILE *file;
    unsigned depth;
    int pretty;         /* a line for each item of the two outer levels */
    int items;          /* the innermost open object or array has some */
} cli_json;
void cli_json_begin(cli_json *json, FILE *file, int pretty);
void cli_json_open(cli_json *json, const char *key, char bracket);      /* '{' or '[' */
void cli_json_close(cli_json *json, char bracket);                      /* '}' or ']' */
void cli_json_text(cli_json *json, const char *key, const char *text, size_t size);
void cli_json_string(cli_json *json, const char *key, const char *text);
void cli_json_uint(cli_json *json, const char *key, uint64_t value);
void cli_json_real(cli_json *json, const char *key, double value);      /* null if it is not finite */
void cli_json_bool(cli_json *json, const char *key, int value);
void cli_json_null(cli_json *json, const char *key);
void cli_json_shape(cli_json *json, const char *key, const wcodec_segment *segment);

/* ---- names.c ---------------------------------------------------------------------------------- */

/* A zero byte follows, which `size` does not count. */
typedef struct cli_name {
    const char *text;
    size_t size;
} cli_name;
/* NULL, or what is wrong with a name that is to stand for a file in a folder: "holds ...". */
const char *cli_name_fault(const cli_name *name);
/* All of them, and whether they differ.  `file`: for messages. */
int cli_names_check(const char *file, const cli_name *names, size_t count);

/* ---- parse.c ---------------------------------------------------------------------------------- */

#define CLI_MAX_JSON (256 << 20)        /* bytes */

typedef struct cli_parse {
    char *text, *p, *end;
} cli_parse;
int cli_parse_open(cli_parse *j, const char *path);     /* reads the file; "-": standard input */
void cli_parse_close(cli_parse *j);
void cli_parse_space(cli_parse *j);
int cli_parse_take(cli_parse *j, char c);               /* white space, then c */
int cli_parse_string(cli_parse *j, cli_name *text);
int cli_parse_number(cli_parse *j, uint64_t *value);
int cli_parse_skip(cli_parse *j);                       /* any value, at most 64 levels deep */

/* ---- shards.c --------------------------------------------------------------------------------- */

typedef struct cli_paths {
    char **path;
    size_t count;
} cli_paths;
int cli_is_shard_index(const char *path);               /* by its name */
int cli_shards(cli_paths *paths, const char *index);    /* its shards, then the index itself */
void cli_paths_free(cli_paths *paths);

/* ---- input.c ---------------------------------------------------------------------------------- */

typedef struct cli_input {
    const char *name;       /* for messages */
    int fd;
    int regular;            /* a file with random access, and `source` can be used */
    int error;              /* errno of the first read that failed */
    pthread_mutex_t lock;   /* of `error`: the library reads from many threads */
    wcodec_source source;
} cli_input;
int cli_input_open(cli_input *in, const char *path);    /* "-": standard input */
int cli_input_seekable(cli_input *in);                  /* makes it `regular`, through a spool file */
int cli_input_read(cli_input *in, void *dst, size_t size, size_t *got);  /* 0 bytes only at the end */
void cli_input_close(cli_input *in);
/* An open file, which cli_input_close closes. */
int cli_input_adopt(cli_input *in, int fd, const char *name);

/* ---- plan_file.c ------------------------------------------------------------------------------ */

/* The plan of the file `in` that the file `path` describes. */
int cli_plan_file(wcodec_plan **plan, const char *path, const cli_input *in);

/* ---- output.c --------------------------------------------------------------------------------- */

/* What is written goes through a queue to a thread, which starts when there is a first full buffer. */
typedef struct cli_output {
    const char *name;       /* for messages */
    const char *path;
    char *temp;             /* where the bytes go until they are complete; NULL: straight to fd */
    int fd, force;
    int error;              /* errno of the write that failed, once it has been reported */
    uint64_t written;       /* the thread's until then */
    unsigned char *buffer;  /* CLI_CHUNK bytes for each place in the queue */
    size_t fill;            /* of the buffer whose turn it is */
    wcodec_sink sink;

    pthread_t thread;
    int threaded, alone;    /* it runs; there is none, and is not going to be */
    uint64_t lent;          /* `queued` after the last piece that was lent */
    pthread_mutex_t lock;   /* of all that follows */
    pthread_cond_t more, less;
    struct cli_piece {
        const unsigned char *data;
        size_t size;
    } piece[CLI_QUEUE];
    uint64_t queued, done;  /* pieces so far */
    int failed;             /* errno of the write that failed */
    int stop;
} cli_output;

/* Clean-up on SIGINT, SIGTERM, SIGHUP and SIGPIPE, for all outputs to come. */
void cli_output_signals(void);
int cli_output_open(cli_output *out, const char *path, int force, const cli_input *in);
wcodec_status cli_output_write(void *out, const void *src, size_t size);
/* The same without a copy: `src` must stay as it is until the next call of it or of cli_output_settle
 * returns. */
wcodec_status cli_output_lend(void *out, const void *src, size_t size);
/* Waits until all is written but the last buffer, which is not full. */
wcodec_status cli_output_settle(cli_output *out);
/* Gives back what cli_output_write took, if out->temp is not NULL. */
wcodec_status cli_output_reread(void *out, uint64_t offset, void *dst, size_t size);
int cli_output_commit(cli_output *out);     /* everything is there: gives it its name */
void cli_output_close(cli_output *out);     /* what was not committed is gone */
int cli_output_fail(const cli_output *out); /* reports out->error */

/* Reports a failure of the library between `in` and `out` (which may be NULL). */
int cli_fail_library(const cli_input *in, const cli_output *out, wcodec_status status,
                     const wcodec_error *err);

/* Created in `dir`, gone from it, its descriptor returned; -1 and errno. */
int cli_unnamed_file(const char *dir);

/* ---- progress.c ------------------------------------------------------------------------------- */

void cli_progress_begin(const char *label, int quiet);
void cli_progress_update(uint64_t done, uint64_t total);
void cli_progress_end(void);
extern const wcodec_progress cli_progress_hook;     /* the same for the library */

/* ---- threads.c -------------------------------------------------------------------------------- */

typedef struct cli_pool cli_pool;
struct cli_pool {
    wcodec_parallel parallel;       /* what the library gets */
    pthread_mutex_t lock;
    pthread_cond_t begin, done;
    struct cli_worker {
        cli_pool *pool;
        pthread_t thread;
        unsigned number;
    } worker[CLI_MAX_THREADS];      /* number 0 is the caller */
    void (*task)(void *arg, size_t i, unsigned worker);
    void *arg;
    size_t count, next;
    unsigned busy;                  /* workers that have not finished this round */
    unsigned long round;
    int stop;
};
void cli_pool_open(cli_pool *pool, uint64_t threads);   /* 0: one for each processor */
void cli_pool_close(cli_pool *pool);

/* Starts a thread that leaves SIGINT and the like to the first one.  0 if there can be none. */
int cli_thread(pthread_t *thread, void *(*start)(void *arg), void *arg);

/* ---- base.c ----------------------------------------------------------------------------------- */

typedef struct cli_base {
    int open;
    cli_input in;
    wcodec_source source;       /* the base's bytes: the file's, or those of the container's original */
    wcodec_base facts;
    int hashed;                 /* facts.sha256 is known */

    wcodec_reader *reader;      /* of a container; NULL: it is a file */
    size_t scratch_size;
    pthread_mutex_t lock;       /* of what follows: the library reads from many threads */
    void *spare[CLI_MAX_THREADS];
    unsigned spares;

    wcodec_plan *plan;          /* of a file */
    wcodec_segment *segments;   /* of a container */
    const wcodec_segment *list; /* one or the other */
    size_t count;
    size_t found, used;         /* tensors with a twin in the base; those that are coded against it */
} cli_base;
int cli_base_open(cli_base *b, const char *path);
void cli_base_close(cli_base *b);                       /* fine too if it was never opened, but is zero */
int cli_base_hash(cli_base *b, int quiet);              /* afterwards facts.sha256 is known */
/* Lets segments of `plan`, which is of `in`, be coded against the base where that pays. */
int cli_base_plan(cli_base *b, const cli_input *in, wcodec_plan *plan, const wcodec_estimate_options *options);
/* Fails unless it is the one that the container `in` needs. */
int cli_base_check(cli_base *b, const cli_input *in, const wcodec_base *needed, int quiet);
int cli_base_missing(const cli_input *in, const wcodec_base *needed);

/* ---- container.c ------------------------------------------------------------------------------ */

typedef struct cli_container {
    cli_input *in;
    cli_pool pool;
    wcodec_reader *reader;
    wcodec_reader_info info;
    unsigned char *window;      /* two of them, so that one can be written while the other is decoded */
    size_t window_size;
    void *scratch;
    size_t scratch_size;
} cli_container;
int cli_container_open(cli_container *c, cli_input *in, uint64_t threads);
/* The same with a base, which is checked if the container needs one.  A `base` that is not open: there is none. */
int cli_container_open_based(cli_container *c, cli_input *in, uint64_t threads, cli_base *base, int quiet);
void cli_container_close(cli_container *c);

/* Decodes bytes `begin` to `end` of the view and hands them on in order, in pieces.  A piece stays as it is
 * until the next one has been handed on, the last one until `out`, which may be NULL, has settled. */
typedef wcodec_status cli_consume(void *user, const void *data, size_t size);
int cli_container_read(cli_container *c, uint64_t begin, uint64_t end, cli_consume *consume, void *user,
                       cli_output *out);

/* ---- tiles.c ---------------------------------------------------------------------------------- */

typedef struct cli_plane_sum {
    uint64_t tiles, values, bits, bytes;            /* bits: of the values before coding */
    uint64_t coder[WCODEC_CODER_COUNT];             /* tiles by coder */
    uint64_t predictor[WCODEC_PREDICT_COUNT];       /* and by predictor */
} cli_plane_sum;

typedef struct cli_segment_sum {
    uint64_t tiles, bytes;      /* bytes: of the records */
    uint64_t copies;            /* of these tiles */
} cli_segment_sum;

typedef struct cli_tiles {
    cli_segment_sum *segments;
    cli_plane_sum plane[WCODEC_SPLIT_COUNT][WCODEC_MAX_PLANES];
    cli_plane_sum coder[WCODEC_CODER_COUNT];
    uint64_t unit_predictor[WCODEC_PREDICT_COUNT];  /* tiles by predictor of whole units */
    uint64_t record_bytes;
    uint64_t copies;            /* tiles that are copies of others, and are in no sum but the segments' */
} cli_tiles;
int cli_tiles_read(cli_tiles *t, const cli_container *c);
void cli_tiles_free(cli_tiles *t);
double cli_plane_bits(const cli_plane_sum *sum);    /* a value, coded */

/* ---- cmd_encode.c ----------------------------------------------------------------------------- */

/* A file to be encoded. */
typedef struct cli_part {
    const char *name;           /* that the container gives it */
    const cli_input *in;
    const wcodec_plan *plan;
} cli_part;
/* The name of the file `in` in a container where it is the only one. */
const char *cli_part_name(const cli_options *opt);

/* What encode makes of files, into `sink`; the container's size in *size.  `base`: NULL if no plan uses one.  *at: the
 * number of the file that was being written. */
wcodec_status cli_encode(const cli_options *opt, const cli_part *parts, size_t count, const cli_base *base,
                         const cli_pool *pool, const wcodec_sink *sink, uint64_t *size, size_t *at,
                         wcodec_error *err);

#endif /* WCODEC_CLI_H */
