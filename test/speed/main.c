/* Measures kernels: as a process on the host, or as /init of a guest, which it switches off at its end.
 *
 * A kernel runs in windows of one to two milliseconds, and the least of them counts: what else happens on the machine
 * only ever adds. Printed is a line for each kernel:
 *
 *   bench GROUP NAME FEMTOSECONDS-PER-OPERATION WINDOWS DIGEST UNIT
 *
 * or "bench GROUP NAME n/a". The digest is of what a fixed number of iterations computed: the same everywhere. The first
 * line is "bench: arrived", the last "bench: end NANOSECONDS", the time since. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum {
    WINDOW = 1000000,   /* the least nanoseconds of a window that count */
    ITERATIONS = 3,     /* those that the digest is of */
    EASY = 200000000,   /* the most nanoseconds of preparations that are made twice */
    BLOCKS = 16,
};

static const struct kernel *const tables[] = {
    integer_kernels, memory_kernels, scalar_kernels, vector_kernels, parallel_kernels, system_kernels,
};

static struct { void *at; size_t bytes; } blocks[BLOCKS];
static uint32_t block_count, seed;
static cpu_set_t every_processor;

void fail(const char *what)
{
    printf("bench: failed: %s\n", what);
    fflush(stdout);
    if (getpid() == 1)
        reboot(RB_POWER_OFF);
    exit(1);
}

void *allocate(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || block_count == BLOCKS)
        fail("no memory");
    blocks[block_count].at = at;
    blocks[block_count++].bytes = bytes;
    seed = 1;
    return at;
}

void release_all(void)
{
    while (block_count > 0) {
        block_count--;
        munmap(blocks[block_count].at, blocks[block_count].bytes);
    }
}

uint32_t random32(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

void execute_self(void)
{
    execl(getpid() == 1 || access("/init", X_OK) == 0 ? "/init" : "/proc/self/exe", "bench", "--nothing", (char *)NULL);
    _exit(127);
}

int use_processor(int number)
{
    cpu_set_t one;
    int cpu = 0;
    CPU_ZERO(&one);
    for (; cpu < CPU_SETSIZE && number >= 0; cpu++)
        if (CPU_ISSET(cpu, &every_processor) && number-- == 0)
            CPU_SET(cpu, &one);
    return number < 0 && sched_setaffinity(0, sizeof one, &one) == 0;
}

static uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static volatile uint64_t sink;

static uint64_t window(const struct kernel *kernel, uint32_t n)
{
    uint64_t start = nanoseconds();
    sink = kernel->run(n);
    return nanoseconds() - start;
}

/* Iterations of a window of more than a millisecond. What is in the way once is out of the way at the third try. */
static uint32_t calibrate(const struct kernel *kernel)
{
    for (uint32_t n = 1;;) {
        uint64_t time = window(kernel, n);
        for (int again = 0; again < 2 && time >= WINDOW && time < 64 * WINDOW; again++) {
            uint64_t other = window(kernel, n);
            time = other < time ? other : time;
        }
        if (time >= WINDOW)
            return n;
        n = time < WINDOW / 16 ? n * 8 : (uint32_t)(n * (uint64_t)(WINDOW + WINDOW / 2) / time) + 1;
    }
}

static void finish(const struct kernel *kernel)
{
    if (kernel->finish)
        kernel->finish();
    release_all();
}

/* Prints a line at once, lest something of the guest's kernel come between. */
static void measure(const struct kernel *kernel, uint32_t windows, uint64_t longest)
{
    uint64_t begin = nanoseconds();
    if (!kernel->run || (kernel->prepare && !kernel->prepare())) {
        printf("bench %s %s n/a\n", kernel->group, kernel->name);
        fflush(stdout);
        return;
    }
    uint64_t start = nanoseconds(), least = UINT64_MAX, digest = kernel->run(ITERATIONS);
    uint32_t n = calibrate(kernel), done = 0;
    while (done < windows && (done < 3 || nanoseconds() - start < longest)) {
        uint64_t time = window(kernel, n);
        least = time < least ? time : least;
        done++;
    }
    finish(kernel);
    /* Once more, if that is cheap: an engine may do otherwise by now what it has done often. A difference shows. */
    if (start - begin < EASY) {
        if (kernel->prepare)
            kernel->prepare();
        uint64_t again = kernel->run(ITERATIONS);
        digest = again != digest ? mix(digest, again) : digest;
        finish(kernel);
    }
    printf("bench %s %s %llu %u %016llx %s\n", kernel->group, kernel->name,
           (unsigned long long)(least * 1000000 / ((uint64_t)n * kernel->operations)), done,
           (unsigned long long)digest, kernel->unit);
    fflush(stdout);
}

/* Whether `name` is in the list, of names with commas between; no list has them all. */
static int wanted(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; at && (at = strstr(at, name)); at += length)
        if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == 0))
            return 1;
    return list == NULL;
}

/* bench [list] [--kernels LIST] [--windows N] [--longest MILLISECONDS] */
int main(int count, char **words)
{
    const char *list = NULL;
    uint32_t windows = 25, longest = 200, only_list = 0;
    for (int at = 1; at < count; at++) {
        const char *word = words[at], *value = at + 1 < count ? words[at + 1] : "";
        if (strcmp(word, "--nothing") == 0)
            _exit(0);
        else if (strcmp(word, "list") == 0)
            only_list = 1;
        else if (strcmp(word, "--kernels") == 0)
            list = value;
        else if (strcmp(word, "--windows") == 0)
            windows = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(word, "--longest") == 0)
            longest = (uint32_t)strtoul(value, NULL, 10);
    }
    printf("bench: arrived\n");
    fflush(stdout);
    uint64_t start = nanoseconds();
    sched_getaffinity(0, sizeof every_processor, &every_processor);
    use_processor(0);
    for (size_t table = 0; table < sizeof tables / sizeof *tables; table++)
        for (const struct kernel *kernel = tables[table]; kernel->name; kernel++)
            if (only_list)
                printf("bench %s %s %s\n", kernel->group, kernel->name, kernel->unit);
            else if (wanted(list, kernel->name))
                measure(kernel, windows, (uint64_t)longest * 1000000);
    printf("bench: end %llu\n", (unsigned long long)(nanoseconds() - start));
    fflush(stdout);
    if (getpid() == 1)
        reboot(RB_POWER_OFF);
    return 0;
}
