/* The resident half of the oracle: runs cases on the CPU it is started on (user-mode QEMU, or a real machine).
 *
 * Standard input carries batches: a doubleword count, then that many requests. Standard output carries as many answers.
 * Everything is in the byte order of the CPU. A case has all user registers for itself; it ends at the branch behind
 * its last word, or with a signal, whose handler sends it to the same exit with its registers unharmed.
 *
 * There is no C library in it: one that is made for all processors uses floating point where e500v2 has none. */

#define _GNU_SOURCE
#include <asm/unistd.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "layout.h"

struct request {
    uint64_t state[STATE_BYTES / 8];
    uint64_t data[DATA_BYTES / 8];
    uint64_t slot;      /* where in CODE it runs; no two of a batch in the same */
    uint64_t count;
    uint32_t words[CASE_WORDS];
};

struct answer {
    uint64_t state[STATE_BYTES / 8];
    uint64_t data[DATA_BYTES / 8];
    uint64_t signal;    /* 0 when the case ran to its end */
    uint64_t code;      /* si_code */
    uint64_t address;   /* si_addr */
    uint64_t nia;       /* where the signal found the case */
};

/* As the kernel takes it. */
struct action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

extern void run_case(const uint32_t *slot);
extern const uintptr_t exit_case;

static struct request requests[SLOTS];
static struct answer answers[SLOTS];
static struct answer *current;

/* A system call; negative when it failed. */
static long call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r0 __asm__("r0") = number;
    register long r3 __asm__("r3") = a;
    register long r4 __asm__("r4") = b;
    register long r5 __asm__("r5") = c;
    register long r6 __asm__("r6") = d;
    register long r7 __asm__("r7") = e;
    register long r8 __asm__("r8") = f;
    __asm__ volatile("sc\n\tbns+ 1f\n\tneg 3,3\n1:"
                     : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "+r"(r8)
                     :
                     : "r9", "r10", "r11", "r12", "ctr", "cr0", "memory");
    return r3;
}

static void leave(int status)
{
    call(__NR_exit, status, 0, 0, 0, 0, 0);
}

/* Runs with the case's r13, so it must not touch thread-local storage. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    ucontext_t *frame = context;
#ifdef __powerpc64__
    unsigned long *nip = &frame->uc_mcontext.gp_regs[32];
#else
    unsigned long *nip = &frame->uc_mcontext.uc_regs->gregs[32];
#endif
    if (!current)
        leave(3);
    current->signal = number;
    current->code = info->si_code;
    current->address = (uintptr_t)info->si_addr;
    current->nia = *nip;
    *nip = exit_case;
}

static void map(uintptr_t address, unsigned long bytes, int protection)
{
    long p = call(__NR_mmap, address, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if ((uintptr_t)p != address)
        leave(4);
}

static int transfer(int fd, void *buffer, unsigned long bytes, int out)
{
    for (uint8_t *p = buffer; bytes;) {
        long n = call(out ? __NR_write : __NR_read, fd, (long)p, bytes, 0, 0, 0);
        if (n <= 0)
            return 0;
        p += n;
        bytes -= n;
    }
    return 1;
}

static void copy(volatile uint64_t *to, const volatile uint64_t *from, int bytes)
{
    for (int i = 0; i < bytes / 8; i++)
        to[i] = from[i];
}

static uint32_t *slot(uint64_t number)
{
    return (uint32_t *)(CODE + (uintptr_t)(number % SLOTS) * SLOT_WORDS * 4);
}

static void place(const struct request *r)
{
    /* ld or lwz */
    static const uint32_t load_r12 = LOW ? 0x81800000 : 0xe9800000;
    uint32_t *start = slot(r->slot), *p = start;
    unsigned n = r->count < CASE_WORDS ? r->count : CASE_WORDS;
    *p++ = load_r12 | (IN + CTR + LOW);
    *p++ = 0x7d8903a6;                      /* mtctr r12 */
    *p++ = load_r12 | (IN + 8 * 12 + LOW);
    for (unsigned i = 0; i < n; i++)
        *p++ = r->words[i];
    *p = 0x48000000 | ((exit_case - (uintptr_t)p) & 0x3fffffc);
    for (p = start; p < start + SLOT_WORDS; p += 8)
        __asm__ volatile("dcbst 0,%0\n\tsync\n\ticbi 0,%0" : : "r"(p) : "memory");
    __asm__ volatile("sync\n\tisync" : : : "memory");
}

static void run(uint64_t index)
{
    struct request *r = &requests[index];
    struct answer *a = &answers[index];
    copy((uint64_t *)IN, r->state, STATE_BYTES);
    copy((uint64_t *)DATA, r->data, DATA_BYTES);
    a->signal = a->code = a->address = a->nia = 0;
    current = a;
    run_case(slot(r->slot));
    current = 0;
    copy(a->state, (uint64_t *)OUT, STATE_BYTES);
    copy(a->data, (uint64_t *)DATA, DATA_BYTES);
}

int main(void)
{
    static const int signals[] = { SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGALRM };
    static uint8_t stack[65536] __attribute__((aligned(16)));
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    struct action action = { .handler = on_signal, .flags = SA_SIGINFO | SA_ONSTACK };
    uint64_t count;

    map(IN, LOW_BYTES, PROT_READ | PROT_WRITE);
    map(DATA, 0x1000, PROT_READ | PROT_WRITE);
    map(CODE, SLOTS * SLOT_WORDS * 4, PROT_READ | PROT_WRITE | PROT_EXEC);
    call(__NR_sigaltstack, (long)&alternate, 0, 0, 0, 0, 0);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        call(__NR_rt_sigaction, signals[i], (long)&action, 0, sizeof action.mask, 0, 0);

    while (transfer(0, &count, sizeof count, 0) && count <= SLOTS) {
        if (!transfer(0, requests, count * sizeof *requests, 0))
            return 5;
        for (uint64_t i = 0; i < count; i++)
            place(&requests[i]);
        for (uint64_t i = 0; i < count; i++) {
            call(__NR_alarm, 5, 0, 0, 0, 0, 0);
            run(i);
        }
        call(__NR_alarm, 0, 0, 0, 0, 0, 0);
        if (!transfer(1, answers, count * sizeof *answers, 1))
            return 6;
    }
    return 0;
}
