/* runstat IN OUT COMMAND...: runs a command from one file to another and prints its seconds and its peak
 * memory in KiB.  It is a program of its own because what Linux counts as the memory of a child begins with
 * its parent's, and Python's would hide what the command takes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void child(char **argv)
{
    int in = open(argv[1], O_RDONLY), out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0) _exit(126);
    execvp(argv[3], argv + 3);
    _exit(127);
}

int main(int argc, char **argv)
{
    struct rusage use;
    double start = seconds(), wall;
    int status;
    pid_t pid;
    if (argc < 4) return 2;
    pid = fork();
    if (pid == 0) child(argv);
    if (pid < 0 || wait4(pid, &status, 0, &use) != pid) return 1;
    wall = seconds() - start;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return 1;
    printf("%.6f %ld\n", wall, use.ru_maxrss);
    return 0;
}
