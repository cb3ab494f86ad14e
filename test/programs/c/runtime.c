/* The library of a program: what the compiler calls, random numbers, lines of output, and the list of programs. */
#include "program.h"

static u64 seed = 1;

u64 chance(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1dull;
}

u64 shifted(u32 most)
{
    u64 x = chance();
    return x >> (chance() & most);
}

s64 shifted_signed(u32 most)
{
    s64 x = (s64)chance();
    return x >> (chance() & most);
}

void reseed(u64 value)
{
    seed = value * 2 + 1;
}

#ifndef HOST
#define PLAIN __attribute__((optimize("no-tree-loop-distribute-patterns")))

PLAIN void *memcpy(void *to, const void *from, __SIZE_TYPE__ n)
{
    u8 *t = to;
    const u8 *f = from;
    while (n--)
        *t++ = *f++;
    return to;
}

PLAIN void *memmove(void *to, const void *from, __SIZE_TYPE__ n)
{
    u8 *t = to;
    const u8 *f = from;
    if (t <= f)
        return memcpy(to, from, n);
    while (n--)
        t[n] = f[n];
    return to;
}

PLAIN void *memset(void *to, int byte, __SIZE_TYPE__ n)
{
    u8 *t = to;
    while (n--)
        *t++ = (u8)byte;
    return to;
}

PLAIN int memcmp(const void *a, const void *b, __SIZE_TYPE__ n)
{
    const u8 *x = a, *y = b;
    for (; n--; x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}
#endif

static char text[1 << 14];
static char *end = text;

void put(const char *name, u64 hash)
{
    while (*name)
        *end++ = *name++;
    *end++ = ' ';
    for (int i = 60; i >= 0; i -= 4)
        *end++ = "0123456789abcdef"[hash >> i & 15];
    *end++ = '\n';
}

#if defined(QUAD) && !defined(HOST)
/* libgcc chooses between quad-precision instructions and software by indirect functions, which a loader resolves. They
   ask the C library for the processor; our answer is an empty thread control block, that is, software. */
char __parse_hwcap_and_convert_at_platform;
struct relocation {
    u64 offset, info, addend;
};
extern const struct relocation __rela_iplt_start[], __rela_iplt_end[];

static void resolve(void)
{
    for (const struct relocation *r = __rela_iplt_start; r < __rela_iplt_end; r++)
        *(u64 *)r->offset = ((u64 (*)(void))r->addend)();
}
#else
static void resolve(void)
{
}
#endif

/* Runs every program; the lines, ended by a zero byte. */
char *run(void)
{
    resolve();
    integers();
    memory();
    control();
    algorithms();
    vectors();
#ifdef ATOMIC
    atomics();
#endif
#ifdef WIDE
    wide();
#endif
#ifdef FLOAT
    doubles();
    convert();
    rounding();
    fused();
#endif
#ifdef ROOT
    roots();
#endif
#ifdef DECIMAL
    decimals();
#endif
#ifdef QUAD
    quads();
#endif
    return text;
}

#ifdef HOST
int puts(const char *);
int main(void)
{
    return puts(run()) < 0;
}
#endif
