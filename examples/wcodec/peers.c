/* General compressors, run over the same bytes for comparison: as children with a pipe on either side, never
 * through a shell. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "page.h"

#define DEFAULT_MIB 16

/* ---- finding ---- */

/* PATH/program; NULL if there is none.  The empty and relative entries of PATH are passed over: they mean
 * the working directory, where anybody's files lie. */
static char *find_program(const char *program)
{
    const char *at = getenv("PATH");
    while (at != NULL && *at != 0) {
        size_t size = strcspn(at, ":"), room = size + strlen(program) + 2;
        if (at[0] == '/') {
            char *path = (char *)malloc(room);
            if (path == NULL) return NULL;
            snprintf(path, room, "%.*s/%s", (int)size, at, program);
            if (access(path, X_OK) == 0) return path;
            free(path);
        }
        at += size + (at[size] == ':');
    }
    return NULL;
}

/* ---- running ---- */

typedef struct child {
    pid_t pid;
    int in, out;        /* our ends; -1: closed */
} child;

static void close_end(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* In the child, after fork in a program with threads: nothing but system calls.  The environment is left
 * out, for some compressors take options from it. */
static void become(const char *path, const char *program, const char *option, int in, int out)
{
    char *argv[4], *environment[2];
    char name[16], first[16], to_stdout[] = "-c", locale[] = "LC_ALL=C";
    int null = open("/dev/null", O_WRONLY);
    sigset_t none;
    memcpy(name, program, strlen(program) + 1);
    memcpy(first, option, strlen(option) + 1);
    argv[0] = name;
    argv[1] = first;
    argv[2] = to_stdout;
    argv[3] = NULL;
    environment[0] = locale;
    environment[1] = NULL;
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
        _exit(127);
    execve(path, argv, environment);
    _exit(127);
}

/* Neither end may reach other children, or be one of the standard descriptors. */
static int private_pipe(int *end)
{
    if (pipe(end) != 0) return 0;
    fcntl(end[0], F_SETFD, FD_CLOEXEC);
    fcntl(end[1], F_SETFD, FD_CLOEXEC);
    return 1;
}

static int start(child *c, const char *path, const char *program, const char *option)
{
    int to[2] = { -1, -1 }, from[2] = { -1, -1 };
    c->in = c->out = -1;
    c->pid = -1;
    if (private_pipe(to) && private_pipe(from)) {
        c->pid = fork();
        if (c->pid == 0) become(path, program, option, to[0], from[1]);
    }
    close_end(&to[0]);
    close_end(&from[1]);
    if (c->pid < 0) {
        close_end(&to[1]);
        close_end(&from[0]);
        return 0;
    }
    c->in = to[1];
    c->out = from[0];
    fcntl(c->in, F_SETFL, O_NONBLOCK);
    return 1;
}

/* Where the sample's byte number `at` is in the file, and how many follow it there. */
static uint64_t place(const page_sample *s, uint64_t size, uint64_t at, uint64_t *rest)
{
    uint64_t i = at / s->slice, within = at % s->slice;
    uint64_t last = size - s->slice, begin = 0;
    if (s->slices > 1) begin = last / (s->slices - 1) * i + last % (s->slices - 1) * i / (s->slices - 1);
    *rest = s->slice - within;
    return begin + within;
}

/* Writes some of what is left of buffer, and fills it when it is empty.  0: the file cannot be read. */
typedef struct feed {
    page *p;
    unsigned char *buffer;
    size_t at, fill;
    uint64_t done;      /* of the sample, read */
} feed;

static int feed_some(feed *f, child *c)
{
    const page_sample *s = &f->p->sample;
    ssize_t n;
    if (f->at == f->fill && f->done < s->bytes) {
        uint64_t rest, offset = place(s, f->p->in->source.size, f->done, &rest);
        wcodec_error err = { WCODEC_OK, 0, NULL };
        size_t got = 0, size = rest < CLI_CHUNK ? (size_t)rest : CLI_CHUNK;
        wcodec_status status = f->p->in->source.read_at(f->p->in->source.user, offset, f->buffer, size, &got);
        if (status != WCODEC_OK || got != size) {
            err.offset = offset;
            err.what = "the file has become shorter";
            cli_fail_library(f->p->in, NULL, WCODEC_E_IO, &err);
            return 0;
        }
        f->at = 0;
        f->fill = size;
        f->done += size;
        cli_progress_update(f->done, s->bytes);
    }
    n = f->at < f->fill ? write(c->in, f->buffer + f->at, f->fill - f->at) : 0;
    if (n > 0) f->at += (size_t)n;
    /* A child that has read enough says so by its exit status. */
    if (n < 0 && errno != EAGAIN && errno != EINTR) close_end(&c->in);
    if (f->at == f->fill && f->done == s->bytes) close_end(&c->in);
    return 1;
}

static int converse(feed *f, child *c, uint64_t *bytes)
{
    static unsigned char sink[1 << 16];
    for (;;) {
        struct pollfd fds[2];
        ssize_t n;
        fds[0].fd = c->out;
        fds[0].events = POLLIN;
        fds[1].fd = c->in;          /* poll passes over -1 */
        fds[1].events = POLLOUT;
        fds[0].revents = fds[1].revents = 0;
        if (poll(fds, 2, -1) < 0 && errno != EINTR) return 0;
        if (fds[1].revents != 0 && !feed_some(f, c)) return 0;
        if (fds[0].revents == 0) continue;
        n = read(c->out, sink, sizeof sink);
        if (n > 0) *bytes += (uint64_t)n;
        else if (n == 0) return 1;
        else if (errno != EINTR) return 0;
    }
}

static int run(page *p, page_peer *peer, unsigned char *buffer)
{
    char *path = find_program(peer->program);
    int status = -1, fine = 0, read_error;
    feed f = { NULL, NULL, 0, 0, 0 };
    child c;
    peer->state = path != NULL ? PEER_FAILED : PEER_MISSING;
    if (path == NULL) return CLI_OK;
    f.p = p;
    f.buffer = buffer;
    if (start(&c, path, peer->program, peer->option)) {
        fine = converse(&f, &c, &peer->bytes);
        close_end(&c.in);
        close_end(&c.out);
        if (!fine) kill(c.pid, SIGKILL);
        while (waitpid(c.pid, &status, 0) < 0 && errno == EINTR) {}
    }
    free(path);
    read_error = p->in->error;
    if (fine && WIFEXITED(status) && WEXITSTATUS(status) == 0 && peer->bytes > 0) peer->state = PEER_DONE;
    return read_error == 0 ? CLI_OK : CLI_FAILED;
}

static void take_sample(page_sample *s, uint64_t size, uint64_t mib)
{
    uint64_t most = mib << 20;
    s->slices = size > most ? PEER_SLICES : 1;
    s->slice = size > most ? most / PEER_SLICES : size;
    s->bytes = s->slices * s->slice;
}

int peers_run(page *p)
{
    static const char *const peers[PEERS][2] = {
        { "gzip", "-9" }, { "bzip2", "-9" }, { "xz", "-9" }, { "zstd", "-19" }
    };
    uint64_t mib = cli_has(p->opt, CLI_OPT_PEERS) ? p->opt->peers : DEFAULT_MIB;
    unsigned char *buffer;
    struct sigaction ignore, before;
    int result = CLI_OK;
    size_t i;
    for (i = 0; i < PEERS; i++) {
        p->peer[i].program = peers[i][0];
        p->peer[i].option = peers[i][1];
        p->peer[i].state = PEER_OFF;
    }
    if (mib == 0 || p->in->source.size == 0) return CLI_OK;
    take_sample(&p->sample, p->in->source.size, mib);
    buffer = (unsigned char *)malloc(CLI_CHUNK);
    if (buffer == NULL) return cli_fail(p->in->name, "out of memory");
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, &before);
    for (i = 0; i < PEERS && result == CLI_OK; i++) {
        cli_progress_begin(p->peer[i].program, 0);
        result = run(p, &p->peer[i], buffer);
        cli_progress_end();
    }
    sigaction(SIGPIPE, &before, NULL);
    free(buffer);
    return result;
}
