/* The progress bar: on a terminal only, and only for work that takes longer than a glance. */
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define BAR 30              /* characters between the brackets */
#define FIRST_AFTER 0.5     /* seconds */
#define THEN_EVERY 0.1

static struct {
    const char *label;      /* NULL: no bar */
    double start, last;
    int shown;
} bar;

void cli_progress_begin(const char *label, int quiet)
{
    memset(&bar, 0, sizeof bar);
    if (quiet || !isatty(STDERR_FILENO)) return;
    bar.label = label;
    bar.start = bar.last = cli_seconds();
}

static void draw(uint64_t done, uint64_t total, double seconds)
{
    double part = total != 0 ? (double)done / (double)total : 1.0;
    int full = (int)(part * BAR), i;
    fputs("\r", stderr);
    cli_print_name(stderr, bar.label, strlen(bar.label), 24, 0);
    fputs(" [", stderr);
    for (i = 0; i < BAR; i++) fputc(i < full ? '#' : '.', stderr);
    fprintf(stderr, "] %3d%% %6.0f MB/s", (int)(100.0 * part), (double)done * 1e-6 / seconds);
    fflush(stderr);
    bar.shown = 1;
}

void cli_progress_update(uint64_t done, uint64_t total)
{
    double now;
    if (bar.label == NULL) return;
    now = cli_seconds();
    if (now - bar.start < FIRST_AFTER || now - bar.last < THEN_EVERY) return;
    bar.last = now;
    draw(done, total, now - bar.start);
}

void cli_progress_end(void)
{
    if (bar.shown) fprintf(stderr, "\r%78s\r", "");
    fflush(stderr);
    memset(&bar, 0, sizeof bar);
}

static int library_hook(void *user, uint64_t done, uint64_t total)
{
    (void)user;
    cli_progress_update(done, total);
    return 0;
}

const wcodec_progress cli_progress_hook = { library_hook, NULL };
