/* What takes the kernel: system calls, switches, faults, processes. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { CALLS = 64, PAGES = 16, TRIPS = 8 };

static uint64_t null_call(uint32_t n)
{
    uint64_t digest = 0;
    while (n-- > 0)
        for (uint32_t i = 0; i < CALLS; i++)
            digest += (uint64_t)(syscall(SYS_getppid) >= 0);
    return digest;
}

/* A byte to another process and back. */
static int there[2], back[2];
static pid_t peer;

static uint32_t pipe_prepare(void)
{
    if (pipe(there) != 0 || pipe(back) != 0 || (peer = fork()) < 0)
        fail("no pipe");
    if (peer == 0) {
        char byte;
        close(there[1]);
        while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
            ;
        _exit(0);
    }
    close(there[0]);
    close(back[1]);
    return 1;
}

static uint64_t trips(uint32_t n)
{
    uint64_t digest = 0;
    char byte = 1;
    while (n-- > 0)
        for (uint32_t i = 0; i < TRIPS; i++) {
            if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
                fail("pipe");
            digest += (uint64_t)byte;
        }
    return digest;
}

static void pipe_finish(void)
{
    close(there[1]);
    close(back[0]);
    waitpid(peer, NULL, 0);
}

/* The first touch of fresh pages. */
static uint64_t faults(uint32_t n)
{
    uint64_t digest = 0;
    size_t page = (size_t)getpagesize();
    while (n-- > 0) {
        char *at = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
            fail("no memory");
        madvise(at, PAGES * page, MADV_NOHUGEPAGE);
        for (uint32_t i = 0; i < PAGES; i++)
            at[i * page] = 1;
        digest += (uint64_t)at[(PAGES - 1) * page];
        munmap(at, PAGES * page);
    }
    return digest;
}

/* A page made read-only and writable again, then written. */
static char *protected_page;

static uint32_t protect_prepare(void)
{
    protected_page = allocate((size_t)getpagesize());
    return 1;
}

static uint64_t protect(uint32_t n)
{
    size_t page = (size_t)getpagesize();
    uint64_t digest = 0;
    while (n-- > 0) {
        if (mprotect(protected_page, page, PROT_READ) != 0
            || mprotect(protected_page, page, PROT_READ | PROT_WRITE) != 0)
            fail("mprotect");
        *(volatile char *)protected_page = (char)n;
        digest = mix(digest, (uint64_t)(uint8_t)*protected_page);
    }
    return digest;
}

static uint64_t children(uint32_t n, void (*body)(void))
{
    uint64_t digest = 0;
    while (n-- > 0) {
        int status = -1;
        pid_t child = fork();
        if (child == 0)
            body();
        if (child < 0 || waitpid(child, &status, 0) != child)
            fail("fork");
        digest = mix(digest, (uint64_t)status);
    }
    return digest;
}

static void leave(void) { _exit(0); }
static uint64_t forks(uint32_t n) { return children(n, leave); }
static uint64_t execs(uint32_t n) { return children(n, execute_self); }

const struct kernel system_kernels[] = {
    { "syscall",  "system", "call",  CALLS, NULL,            null_call, NULL },
    { "pipe",     "system", "trip",  TRIPS, pipe_prepare,    trips,     pipe_finish },
    { "fault",    "system", "page",  PAGES, NULL,            faults,    NULL },
    { "mprotect", "system", "pair",  1,     protect_prepare, protect,   NULL },
    { "fork",     "system", "child", 1,     NULL,            forks,     NULL },
    { "exec",     "system", "child", 1,     NULL,            execs,     NULL },
    { NULL },
};
