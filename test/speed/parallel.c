/* Atomic additions, and two threads that compute checksums at once. */
#include <pthread.h>
#include <sched.h>

#include "bench.h"

/* An iteration of the two threads is long, since handing over is not what is measured. */
enum { ADDITIONS = 1024, BYTES = 4096, PASSES = 64 };

static uint32_t counter;

static uint64_t atomics(uint32_t n)
{
    uint32_t last = 0;
    counter = 0;
    while (n-- > 0)
        for (uint32_t i = 0; i < ADDITIONS; i++)
            last = __atomic_fetch_add(&counter, 3, __ATOMIC_RELAXED);
    return last;
}

static uint32_t table[256];
static uint8_t *bytes;
static pthread_t helper;
/* Iterations asked of the helper, and its result, by number of the request. */
static uint32_t asked, iterations, answered, answer;

static uint32_t checksum(const uint8_t *from, uint32_t n)
{
    uint32_t value = 0xffffffff;
    while (n-- > 0)
        for (uint32_t i = 0; i < BYTES; i++)
            value = table[(value ^ from[i]) & 0xff] ^ value >> 8;
    return ~value;
}

/* Waits until `number` is at least `least`; where threads share a processor the other one must get it. */
static void wait_for(const uint32_t *number, uint32_t least)
{
    for (uint32_t spins = 0; __atomic_load_n(number, __ATOMIC_ACQUIRE) < least; spins++)
        if (spins > 20000)
            sched_yield();
}

static void *help(void *unused)
{
    use_processor(1);
    for (uint32_t request = 1;; request++) {
        wait_for(&asked, request);
        if (iterations == 0)
            return unused;
        answer = checksum(bytes + BYTES, iterations);
        __atomic_store_n(&answered, request, __ATOMIC_RELEASE);
    }
}

static uint32_t parallel_prepare(void)
{
    int two = use_processor(1);
    use_processor(0);
    if (!two)
        return 0;
    bytes = allocate(2 * BYTES);
    for (uint32_t i = 0; i < 2 * BYTES; i++)
        bytes[i] = (uint8_t)(random32() >> 8);
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0xedb88320 : value >> 1;
        table[i] = value;
    }
    asked = answered = 0;
    if (pthread_create(&helper, NULL, help, NULL) != 0)
        fail("no thread");
    return 1;
}

static uint64_t parallel(uint32_t n)
{
    uint32_t request = asked + 1;
    iterations = n * PASSES;
    __atomic_store_n(&asked, request, __ATOMIC_RELEASE);
    uint32_t own = checksum(bytes, iterations);
    wait_for(&answered, request);
    return mix(own, answer);
}

static void parallel_finish(void)
{
    if (helper) {
        iterations = 0;
        __atomic_store_n(&asked, asked + 1, __ATOMIC_RELEASE);
        pthread_join(helper, NULL);
        helper = 0;
    }
}

const struct kernel parallel_kernels[] = {
    { "atomics",  "apart", "addition", ADDITIONS,          NULL,             atomics,  NULL },
    { "parallel", "apart", "byte",     2 * BYTES * PASSES, parallel_prepare, parallel, parallel_finish },
    { NULL },
};
