/* The threads behind wcodec_parallel: started once, they take one task number after the other.
 * The calling thread works too, as worker 0. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

int cli_thread(pthread_t *thread, void *(*start)(void *arg), void *arg)
{
    sigset_t set, old;
    int failed;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    failed = pthread_create(thread, NULL, start, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return failed == 0;
}

static void work(cli_pool *pool, unsigned number)
{
    for (;;) {
        size_t i;
        pthread_mutex_lock(&pool->lock);
        i = pool->next < pool->count ? pool->next++ : pool->count;
        pthread_mutex_unlock(&pool->lock);
        if (i == pool->count) return;
        pool->task(pool->arg, i, number);
    }
}

static void *worker_main(void *arg)
{
    struct cli_worker *self = (struct cli_worker *)arg;
    cli_pool *pool = self->pool;
    unsigned long seen = 0;
    for (;;) {
        int stop;
        pthread_mutex_lock(&pool->lock);
        while (pool->round == seen && !pool->stop) pthread_cond_wait(&pool->begin, &pool->lock);
        seen = pool->round;
        stop = pool->stop;
        pthread_mutex_unlock(&pool->lock);
        if (stop) return NULL;
        work(pool, self->number);
        pthread_mutex_lock(&pool->lock);
        if (--pool->busy == 0) pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->lock);
    }
}

static void run(void *user, size_t count, void (*task)(void *arg, size_t i, unsigned worker), void *arg)
{
    cli_pool *pool = (cli_pool *)user;
    pthread_mutex_lock(&pool->lock);
    pool->task = task;
    pool->arg = arg;
    pool->count = count;
    pool->next = 0;
    pool->busy = pool->parallel.workers - 1;
    pool->round++;
    pthread_cond_broadcast(&pool->begin);
    pthread_mutex_unlock(&pool->lock);

    work(pool, 0);

    pthread_mutex_lock(&pool->lock);
    while (pool->busy > 0) pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

static uint64_t processors(void)
{
#ifdef _SC_NPROCESSORS_ONLN
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    if (n > 0) return (uint64_t)n;
#endif
    return 1;
}

void cli_pool_open(cli_pool *pool, uint64_t threads)
{
    unsigned i;
    if (threads == 0) threads = processors();
    if (threads > CLI_MAX_THREADS) threads = CLI_MAX_THREADS;
    memset(pool, 0, sizeof *pool);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->begin, NULL);
    pthread_cond_init(&pool->done, NULL);
    pool->parallel.run = run;
    pool->parallel.user = pool;
    pool->parallel.workers = 1;
    for (i = 1; i < threads; i++) {
        struct cli_worker *worker = &pool->worker[i];
        worker->pool = pool;
        worker->number = i;
        /* Where the system has no more threads, the work is done by those there are. */
        if (!cli_thread(&worker->thread, worker_main, worker)) break;
        pool->parallel.workers++;
    }
}

void cli_pool_close(cli_pool *pool)
{
    unsigned i;
    pthread_mutex_lock(&pool->lock);
    pool->stop = 1;
    pthread_cond_broadcast(&pool->begin);
    pthread_mutex_unlock(&pool->lock);
    for (i = 1; i < pool->parallel.workers; i++) pthread_join(pool->worker[i].thread, NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->begin);
    pthread_mutex_destroy(&pool->lock);
}
