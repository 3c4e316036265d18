/* Files that are written: into a temporary file beside the target, which gets the target's name when it
 * is complete, and is gone after any failure and after Ctrl-C.  A thread writes while the next bytes are
 * made; what it could not write is said at the next call. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

static const int fatal_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
enum { FATAL_SIGNALS = sizeof fatal_signals / sizeof fatal_signals[0] };

/* The one file that must not stay behind.  It changes only while the signals are blocked. */
static const char *volatile doomed;

static void on_fatal_signal(int number)
{
    if (doomed != NULL) unlink(doomed);
    signal(number, SIG_DFL);
    raise(number);
}

void cli_output_signals(void)
{
    struct sigaction action, old;
    size_t i;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_fatal_signal;
    sigemptyset(&action.sa_mask);
    for (i = 0; i < FATAL_SIGNALS; i++) sigaddset(&action.sa_mask, fatal_signals[i]);
    for (i = 0; i < FATAL_SIGNALS; i++) {
        /* What the parent chose to ignore (nohup) stays ignored. */
        if (sigaction(fatal_signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
            sigaction(fatal_signals[i], &action, NULL);
        }
    }
#ifdef SIGXFSZ
    signal(SIGXFSZ, SIG_IGN);   /* a file beyond the limit is then an error of write */
#endif
}

static void block_signals(sigset_t *old)
{
    sigset_t set;
    size_t i;
    sigemptyset(&set);
    for (i = 0; i < FATAL_SIGNALS; i++) sigaddset(&set, fatal_signals[i]);
    pthread_sigmask(SIG_BLOCK, &set, old);
}

static void unblock_signals(const sigset_t *old)
{
    int error = errno;
    pthread_sigmask(SIG_SETMASK, old, NULL);
    errno = error;
}

/* DIR/.NAME.XXXXXX, with a NAME that leaves room for the rest in a directory entry. */
static char *temp_name(const char *dir, size_t dir_size, const char *name)
{
    size_t size = dir_size + strlen(name) + 16;
    char *path = (char *)malloc(size);
    if (path != NULL) snprintf(path, size, "%.*s.%.200s.XXXXXX", (int)dir_size, dir, name);
    return path;
}

int cli_unnamed_file(const char *dir)
{
    sigset_t old;
    size_t dir_size = strlen(dir);
    char *path, *with_slash = (char *)malloc(dir_size + 2);
    int fd = -1;
    if (with_slash == NULL) return -1;
    snprintf(with_slash, dir_size + 2, "%s/", dir);
    path = temp_name(with_slash, dir_size + 1, "wcodec");
    if (path != NULL) {
        block_signals(&old);
        fd = mkstemp(path);
        if (fd >= 0) unlink(path);
        unblock_signals(&old);
    }
    free(path);
    free(with_slash);
    return fd;
}

static int fail_errno(const cli_output *out)
{
    return cli_fail(out->name, "%s", strerror(errno));
}

static int exists(const cli_output *out)
{
    return cli_fail(out->name, "exists (use -f)");
}

static int open_stdout(cli_output *out)
{
    out->name = "standard output";
    out->fd = STDOUT_FILENO;
    if (isatty(out->fd)) return cli_usage("standard output is a terminal: give a file, or a pipe");
    return CLI_OK;
}

/* Devices and pipes are written as they are: there is nothing to replace. */
static int open_device(cli_output *out)
{
    out->fd = open(out->path, O_WRONLY);
    return out->fd >= 0 ? CLI_OK : fail_errno(out);
}

static int open_temp(cli_output *out)
{
    const char *base = cli_base_name(out->path);
    mode_t mask = umask(0);
    sigset_t old;
    umask(mask);
    if (*base == 0) return cli_fail(out->name, "does not name a file");
    out->temp = temp_name(out->path, (size_t)(base - out->path), base);
    if (out->temp == NULL) return cli_fail(out->name, "out of memory");
    block_signals(&old);
    out->fd = mkstemp(out->temp);
    if (out->fd >= 0) doomed = out->temp;
    unblock_signals(&old);
    if (out->fd < 0) {
        free(out->temp);
        out->temp = NULL;
        return fail_errno(out);
    }
    return fchmod(out->fd, 0666 & ~mask) == 0 ? CLI_OK : fail_errno(out);
}

static int open_path(cli_output *out, const cli_input *in)
{
    struct stat target, source;
    if (stat(out->path, &target) != 0) {
        if (errno != ENOENT) return fail_errno(out);
        return open_temp(out);
    }
    if (S_ISDIR(target.st_mode)) return cli_fail(out->name, "is a directory");
    if (!S_ISREG(target.st_mode)) return open_device(out);
    if (!out->force) return exists(out);
    if (in != NULL && fstat(in->fd, &source) == 0 && source.st_dev == target.st_dev &&
        source.st_ino == target.st_ino) {
        return cli_usage("%s is the input, and would be lost", out->path);
    }
    return open_temp(out);
}

int cli_output_open(cli_output *out, const char *path, int force, const cli_input *in)
{
    int status;
    memset(out, 0, sizeof *out);
    out->name = out->path = path;
    out->fd = -1;
    out->force = force;
    out->sink.write = cli_output_write;
    out->sink.user = out;
    pthread_mutex_init(&out->lock, NULL);
    pthread_cond_init(&out->more, NULL);
    pthread_cond_init(&out->less, NULL);
    out->buffer = (unsigned char *)malloc(CLI_QUEUE * CLI_CHUNK);
    if (out->buffer == NULL) status = cli_fail(out->name, "out of memory");
    else status = strcmp(path, "-") == 0 ? open_stdout(out) : open_path(out, in);
    if (status != CLI_OK) cli_output_close(out);
    return status;
}

/* ---- the queue, and the thread that writes what is in it ---- */

/* 0, or an errno. */
static int write_through(cli_output *out, const unsigned char *src, size_t size)
{
    while (size > 0) {
        ssize_t n = write(out->fd, src, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        src += n;
        size -= (size_t)n;
        out->written += (uint64_t)n;
    }
    return 0;
}

/* After a failure what is in the queue is passed over, so that nobody waits for it. */
static void *writer_main(void *arg)
{
    cli_output *out = (cli_output *)arg;
    pthread_mutex_lock(&out->lock);
    for (;;) {
        struct cli_piece piece;
        while (out->done == out->queued && !out->stop) pthread_cond_wait(&out->more, &out->lock);
        if (out->done == out->queued) break;
        piece = out->piece[out->done % CLI_QUEUE];
        if (out->failed == 0) {
            int error;
            pthread_mutex_unlock(&out->lock);
            error = write_through(out, piece.data, piece.size);
            pthread_mutex_lock(&out->lock);
            out->failed = error;
        }
        out->done++;
        pthread_cond_signal(&out->less);
    }
    pthread_mutex_unlock(&out->lock);
    return NULL;
}

/* Waits until the first `pieces` of all pieces are done. */
static wcodec_status wait_for(cli_output *out, uint64_t pieces)
{
    if (!out->threaded) return out->error == 0 ? WCODEC_OK : WCODEC_E_IO;
    pthread_mutex_lock(&out->lock);
    while (out->done < pieces) pthread_cond_wait(&out->less, &out->lock);
    out->error = out->failed;
    pthread_mutex_unlock(&out->lock);
    return out->error == 0 ? WCODEC_OK : WCODEC_E_IO;
}

/* Until there is a place in the queue. */
static wcodec_status wait_for_place(cli_output *out)
{
    return wait_for(out, out->queued < CLI_QUEUE ? 0 : out->queued - (CLI_QUEUE - 1));
}

/* The place is there. */
static wcodec_status put(cli_output *out, const unsigned char *data, size_t size)
{
    struct cli_piece *piece = &out->piece[out->queued % CLI_QUEUE];
    if (!out->threaded && !out->alone) {
        out->threaded = cli_thread(&out->thread, writer_main, out);
        out->alone = !out->threaded;
    }
    if (out->alone) {
        out->error = write_through(out, data, size);
        return out->error == 0 ? WCODEC_OK : WCODEC_E_IO;
    }
    pthread_mutex_lock(&out->lock);
    piece->data = data;
    piece->size = size;
    out->queued++;
    pthread_cond_signal(&out->more);
    pthread_mutex_unlock(&out->lock);
    return WCODEC_OK;
}

static wcodec_status put_buffer(cli_output *out)
{
    size_t fill = out->fill;
    out->fill = 0;
    return fill != 0 ? put(out, out->buffer + out->queued % CLI_QUEUE * CLI_CHUNK, fill) : WCODEC_OK;
}

/* A sink of the library, and a cli_consume. */
wcodec_status cli_output_write(void *user, const void *data, size_t size)
{
    cli_output *out = (cli_output *)user;
    const unsigned char *src = (const unsigned char *)data;
    if (out->error != 0) return WCODEC_E_IO;
    while (size > 0) {
        size_t take = CLI_CHUNK - out->fill;
        if (take > size) take = size;
        if (out->fill == 0 && wait_for_place(out) != WCODEC_OK) return WCODEC_E_IO;
        memcpy(out->buffer + out->queued % CLI_QUEUE * CLI_CHUNK + out->fill, src, take);
        out->fill += take;
        if (out->fill == CLI_CHUNK && put_buffer(out) != WCODEC_OK) return WCODEC_E_IO;
        src += take;
        size -= take;
    }
    return WCODEC_OK;
}

wcodec_status cli_output_lend(void *user, const void *src, size_t size)
{
    cli_output *out = (cli_output *)user;
    const uint64_t before = out->lent;
    if (size < CLI_CHUNK) {
        if (cli_output_write(out, src, size) != WCODEC_OK) return WCODEC_E_IO;
    } else {
        if (out->error != 0 || put_buffer(out) != WCODEC_OK || wait_for_place(out) != WCODEC_OK ||
            put(out, (const unsigned char *)src, size) != WCODEC_OK) {
            return WCODEC_E_IO;
        }
        out->lent = out->queued;
    }
    return wait_for(out, before);
}

wcodec_status cli_output_settle(cli_output *out)
{
    return wait_for(out, out->queued);
}

/* A wcodec_reread: bytes that were given to an output which goes to a file. */
wcodec_status cli_output_reread(void *user, uint64_t offset, void *dst, size_t size)
{
    cli_output *out = (cli_output *)user;
    unsigned char *to = (unsigned char *)dst;
    if (cli_output_settle(out) != WCODEC_OK) return WCODEC_E_IO;
    while (size > 0 && offset < out->written) {
        const uint64_t there = out->written - offset;
        ssize_t n = pread(out->fd, to, there < size ? (size_t)there : size, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            out->error = n < 0 ? errno : EIO;
            return WCODEC_E_IO;
        }
        to += n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    if (size > 0) memcpy(to, out->buffer + out->queued % CLI_QUEUE * CLI_CHUNK + (offset - out->written), size);
    return WCODEC_OK;
}

static void stop_writer(cli_output *out)
{
    if (!out->threaded) return;
    pthread_mutex_lock(&out->lock);
    out->stop = 1;
    pthread_cond_signal(&out->more);
    pthread_mutex_unlock(&out->lock);
    pthread_join(out->thread, NULL);
    out->threaded = 0;
    out->alone = 1;
}

/* Everything is written then, and the thread is gone. */
static wcodec_status flush(cli_output *out)
{
    wcodec_status status = cli_output_settle(out);
    stop_writer(out);
    out->alone = 1;
    return status == WCODEC_OK ? put_buffer(out) : status;
}

int cli_output_fail(const cli_output *out)
{
    return cli_fail_at(out->name, out->written, strerror(out->error));
}

/* Takes the temporary file out of reach of the signal handler, under whatever name it has now. */
static void let_go(cli_output *out)
{
    sigset_t old;
    block_signals(&old);
    doomed = NULL;
    unblock_signals(&old);
    free(out->temp);
    out->temp = NULL;
}

/* With link, which fails if the name is taken meanwhile; some file systems have no links. */
static int give_new_name(cli_output *out)
{
    struct stat st;
    if (link(out->temp, out->path) == 0) {
        unlink(out->temp);
        return CLI_OK;
    }
    if (errno == EEXIST || lstat(out->path, &st) == 0) return exists(out);
    return rename(out->temp, out->path) == 0 ? CLI_OK : fail_errno(out);
}

int cli_output_commit(cli_output *out)
{
    int status, fd = out->fd;
    if (flush(out) != WCODEC_OK) return cli_output_fail(out);
    if (out->temp != NULL && fsync(fd) != 0) return fail_errno(out);
    out->fd = -1;
    if (close(fd) != 0) return fail_errno(out);
    if (out->temp == NULL) return CLI_OK;
    if (out->force) status = rename(out->temp, out->path) == 0 ? CLI_OK : fail_errno(out);
    else status = give_new_name(out);
    if (status == CLI_OK) let_go(out);
    return status;
}

void cli_output_close(cli_output *out)
{
    stop_writer(out);
    if (out->fd > STDERR_FILENO) close(out->fd);
    out->fd = -1;
    if (out->temp != NULL) {
        unlink(out->temp);
        let_go(out);
    }
    pthread_cond_destroy(&out->less);
    pthread_cond_destroy(&out->more);
    pthread_mutex_destroy(&out->lock);
    free(out->buffer);
    out->buffer = NULL;
}
