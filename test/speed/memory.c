/* Memory kernels: copies, and chains of loads that miss ever more. */
#include <string.h>

#include "bench.h"

enum { COPIED = 16384, WORDS = COPIED / 8, LINE = 64, STEPS = 1000 };

static uint64_t *from, *to;

static uint32_t copy_prepare(void)
{
    from = allocate(COPIED);
    to = allocate(COPIED);
    for (uint32_t i = 0; i < WORDS; i++)
        from[i] = random32();
    return 1;
}

/* A loop that copies 8 bytes a turn. */
static uint64_t copy(uint32_t n)
{
    while (n-- > 0) {
        uint64_t *a = from, *b = to;
        HIDE(a);
        HIDE(b);
        for (uint32_t i = 0; i < WORDS; i++)
            b[i] = a[i];
    }
    return mix(to[1], to[WORDS - 1]);
}

/* The library's copy. */
static uint64_t library_copy(uint32_t n)
{
    void *(*function)(void *, const void *, size_t) = memcpy;
    while (n-- > 0) {
        HIDE(function);
        function(to, from, COPIED);
    }
    return mix(to[1], to[WORDS - 1]);
}

/* A ring through all lines of a block, in no order. */
static char *block;
static void **place;
static uint32_t size;

static uint32_t chase_prepare(uint32_t bytes)
{
    uint32_t lines = bytes / LINE;
    uint32_t *order = allocate(lines * sizeof *order);
    size = bytes;
    block = allocate(bytes);
    for (uint32_t i = 0; i < lines; i++)
        order[i] = i;
    /* Sattolo's shuffle makes one cycle. */
    for (uint32_t i = lines - 1; i > 0; i--) {
        uint32_t j = (uint32_t)((uint64_t)random32() * i >> 32), other = order[i];
        order[i] = order[j];
        order[j] = other;
    }
    for (uint32_t i = 0; i < lines; i++)
        *(void **)(block + i * LINE) = block + order[i] * LINE;
    place = (void **)block;
    return 1;
}

static uint32_t chase_16k(void) { return chase_prepare(16 << 10); }
static uint32_t chase_1m(void) { return chase_prepare(1 << 20); }
static uint32_t chase_64m(void) { return chase_prepare(64 << 20); }

static uint64_t chase(uint32_t n)
{
    void **at = place;
    while (n-- > 0)
        for (uint32_t i = 0; i < STEPS; i++)
            at = *at;
    place = at;
    return (uint64_t)((char *)at - block) / LINE;
}

const struct kernel memory_kernels[] = {
    { "copy",     "memory", "8 bytes", WORDS, copy_prepare, copy,         NULL },
    { "memcpy",   "memory", "8 bytes", WORDS, copy_prepare, library_copy, NULL },
    { "chase16k", "memory", "load",    STEPS, chase_16k,    chase,        NULL },
    { "chase1m",  "memory", "load",    STEPS, chase_1m,     chase,        NULL },
    { "chase64m", "memory", "load",    STEPS, chase_64m,    chase,        NULL },
    { NULL },
};
