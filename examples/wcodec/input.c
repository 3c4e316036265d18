/* Files that are read.  With pread, not mmap: a file that is cut short meanwhile is an error then, and
 * not a signal. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/* Called from any thread. */
static wcodec_status read_failed(cli_input *in)
{
    int error = errno;
    pthread_mutex_lock(&in->lock);
    if (in->error == 0) in->error = error;
    pthread_mutex_unlock(&in->lock);
    return WCODEC_E_IO;
}

static wcodec_status read_at(void *user, uint64_t offset, void *dst, size_t size, size_t *got)
{
    cli_input *in = (cli_input *)user;
    *got = 0;
    while (*got < size) {
        ssize_t n = pread(in->fd, (char *)dst + *got, size - *got, (off_t)(offset + *got));
        if (n == 0) break;
        if (n > 0) *got += (size_t)n;
        else if (errno != EINTR) return read_failed(in);
    }
    return WCODEC_OK;
}

static int fail_errno(const cli_input *in)
{
    return cli_fail(in->name, "%s", strerror(errno));
}

static int use_file(cli_input *in)
{
    struct stat st;
    if (fstat(in->fd, &st) != 0) return fail_errno(in);
    if (S_ISDIR(st.st_mode)) return cli_fail(in->name, "is a directory");
    in->regular = S_ISREG(st.st_mode);
    in->source.read_at = read_at;
    in->source.user = in;
    in->source.size = in->regular ? (uint64_t)st.st_size : 0;
    return CLI_OK;
}

int cli_input_open(cli_input *in, const char *path)
{
    int status;
    memset(in, 0, sizeof *in);
    pthread_mutex_init(&in->lock, NULL);
    in->name = path;
    if (strcmp(path, "-") == 0) {
        in->name = "standard input";
        in->fd = STDIN_FILENO;
        return CLI_OK;
    }
    in->fd = open(path, O_RDONLY);
    if (in->fd < 0) return fail_errno(in);
    status = use_file(in);
    if (status != CLI_OK) cli_input_close(in);
    return status;
}

int cli_input_adopt(cli_input *in, int fd, const char *name)
{
    int status;
    memset(in, 0, sizeof *in);
    pthread_mutex_init(&in->lock, NULL);
    in->name = name;
    in->fd = fd;
    status = use_file(in);
    if (status != CLI_OK) cli_input_close(in);
    return status;
}

void cli_input_close(cli_input *in)
{
    if (in->fd > STDERR_FILENO) close(in->fd);
    in->fd = -1;
    pthread_mutex_destroy(&in->lock);
}

int cli_input_read(cli_input *in, void *dst, size_t size, size_t *got)
{
    *got = 0;
    for (;;) {
        ssize_t n = read(in->fd, dst, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_errno(in);
        *got = (size_t)n;
        return CLI_OK;
    }
}

static int write_all(int fd, const unsigned char *src, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, src, size);
        if (n < 0 && errno != EINTR) return 0;
        if (n <= 0) continue;
        src += n;
        size -= (size_t)n;
    }
    return 1;
}

static int spool(cli_input *in, int fd, const char *dir, unsigned char *buffer)
{
    size_t got;
    for (;;) {
        int status = cli_input_read(in, buffer, CLI_CHUNK, &got);
        if (status != CLI_OK) return status;
        if (got == 0) return CLI_OK;
        if (!write_all(fd, buffer, got)) return cli_fail(dir, "keeping %s: %s", in->name, strerror(errno));
    }
}

/* A plan and a reader go back and forth in a file, so what comes through a pipe is kept in one. */
int cli_input_seekable(cli_input *in)
{
    const char *dir = getenv("TMPDIR");
    unsigned char *buffer;
    int fd, status;
    if (in->regular) return CLI_OK;
    if (dir == NULL || dir[0] == 0) dir = "/tmp";
    fd = cli_unnamed_file(dir);
    if (fd < 0) return cli_fail(dir, "cannot keep %s there: %s", in->name, strerror(errno));
    buffer = (unsigned char *)malloc(CLI_CHUNK);
    status = buffer != NULL ? spool(in, fd, dir, buffer) : cli_fail(in->name, "out of memory");
    free(buffer);
    if (status != CLI_OK) {
        close(fd);
        return status;
    }
    if (in->fd > STDERR_FILENO) close(in->fd);
    in->fd = fd;
    return use_file(in);
}
