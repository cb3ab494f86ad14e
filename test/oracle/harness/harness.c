/* The resident half of the oracle: runs cases on the CPU it is started on (user-mode QEMU, or a POWER machine).
 *
 * Standard input carries batches: a doubleword count, then that many requests. Standard output carries as many answers.
 * Everything is in the byte order of the CPU. A case has all user registers for itself; it ends at the branch behind
 * its last word, or with a signal, whose handler sends it to the same exit with its registers unharmed. */

#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "layout.h"

struct request {
    uint8_t state[STATE_BYTES];
    uint8_t data[DATA_BYTES];
    uint64_t slot;      /* where in CODE it runs; no two of a batch in the same */
    uint64_t count;
    uint32_t words[CASE_WORDS];
};

struct answer {
    uint8_t state[STATE_BYTES];
    uint8_t data[DATA_BYTES];
    uint64_t signal;    /* 0 when the case ran to its end */
    uint64_t code;      /* si_code */
    uint64_t address;   /* si_addr */
    uint64_t nia;       /* where the signal found the case */
};

extern void run_case(const uint32_t *slot);
extern const uint64_t exit_case;

static struct request requests[SLOTS];
static struct answer answers[SLOTS];
static struct answer *current;

/* Runs with the case's r13, so it must not touch thread-local storage. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    ucontext_t *frame = context;
    if (!current)
        _exit(3);
    current->signal = number;
    current->code = info->si_code;
    current->address = (uintptr_t)info->si_addr;
    current->nia = frame->uc_mcontext.gp_regs[32];
    frame->uc_mcontext.gp_regs[32] = exit_case;
}

static void map(uintptr_t address, size_t bytes, int protection)
{
    void *p = mmap((void *)address, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (p != (void *)address)
        _exit(4);
}

static int transfer(int fd, void *buffer, size_t bytes, int out)
{
    for (uint8_t *p = buffer; bytes;) {
        ssize_t n = out ? write(fd, p, bytes) : read(fd, p, bytes);
        if (n <= 0)
            return 0;
        p += n;
        bytes -= n;
    }
    return 1;
}

static uint32_t *slot(uint64_t number)
{
    return (uint32_t *)CODE + number % SLOTS * SLOT_WORDS;
}

static void place(const struct request *r)
{
    uint32_t *p = slot(r->slot);
    uint64_t n = r->count < CASE_WORDS ? r->count : CASE_WORDS;
    p[0] = 0xe9800000 | (IN + CTR);     /* ld r12,CTR */
    p[1] = 0x7d8903a6;                  /* mtctr r12 */
    p[2] = 0xe9800000 | (IN + 8 * 12);  /* ld r12,r12 */
    memcpy(p + PREAMBLE_WORDS, r->words, n * 4);
    p += PREAMBLE_WORDS + n;
    *p = 0x48000000 | ((exit_case - (uintptr_t)p) & 0x3fffffc);
    __builtin___clear_cache((char *)slot(r->slot), (char *)slot(r->slot + 1));
}

static void run(uint64_t index)
{
    struct request *r = &requests[index];
    struct answer *a = &answers[index];
    memcpy((void *)IN, r->state, STATE_BYTES);
    memcpy((void *)DATA, r->data, DATA_BYTES);
    a->signal = a->code = a->address = a->nia = 0;
    current = a;
    run_case(slot(r->slot));
    current = NULL;
    memcpy(a->state, (void *)OUT, STATE_BYTES);
    memcpy(a->data, (void *)DATA, DATA_BYTES);
}

int main(void)
{
    static const int signals[] = { SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGALRM };
    static uint8_t stack[65536];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    uint64_t count;

    map(IN, LOW_BYTES, PROT_READ | PROT_WRITE);
    map(DATA, 0x1000, PROT_READ | PROT_WRITE);
    map(CODE, SLOTS * SLOT_WORDS * 4, PROT_READ | PROT_WRITE | PROT_EXEC);
    sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);

    while (transfer(0, &count, sizeof count, 0) && count <= SLOTS) {
        if (!transfer(0, requests, count * sizeof *requests, 0))
            return 5;
        for (uint64_t i = 0; i < count; i++)
            place(&requests[i]);
        for (uint64_t i = 0; i < count; i++) {
            alarm(5);
            run(i);
        }
        alarm(0);
        if (!transfer(1, answers, count * sizeof *answers, 1))
            return 6;
    }
    return 0;
}
