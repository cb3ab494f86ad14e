/* What every program here may use, on the host and in a guest without any library. Results are numbers that do not
   depend on byte order: a line "group/name hash" for each. */
#ifndef PROGRAM_H
#define PROGRAM_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

/* Prints a line. */
void put(const char *name, u64 hash);

void *memcpy(void *to, const void *from, __SIZE_TYPE__ n);
void *memmove(void *to, const void *from, __SIZE_TYPE__ n);
void *memset(void *to, int byte, __SIZE_TYPE__ n);
int memcmp(const void *a, const void *b, __SIZE_TYPE__ n);

/* The next of a fixed sequence of random numbers. */
u64 chance(void);
/* Begins the sequence anew. */
void reseed(u64 seed);
/* One of them shifted right by up to `most` places, of which all must be ones. C says nothing of the order in which
   operands and arguments are evaluated: only one of them may call any of these. */
u64 shifted(u32 most);
s64 shifted_signed(u32 most);

static inline u64 mix(u64 h, u64 value)
{
    h = (h ^ value) * 0x9e3779b97f4a7c15ull;
    return h ^ h >> 29;
}

/* Keeps the compiler from computing with what it knows of x. */
#define OPAQUE(x) __asm__ volatile("" : "+m"(x))

#ifdef FLOAT
static inline u64 mix_double(u64 h, double x)
{
    u64 bits;
    /* NaNs have another sign on each architecture. */
    if (x != x)
        return mix(h, 0x7ff8dead);
    __builtin_memcpy(&bits, &x, 8);
    return mix(h, bits);
}

static inline u64 mix_single(u64 h, float x)
{
    u32 bits;
    if (x != x)
        return mix(h, 0x7fc0dead);
    __builtin_memcpy(&bits, &x, 4);
    return mix(h, bits);
}
#endif

void algorithms(void), atomics(void), control(void), integers(void), memory(void), vectors(void);
void convert(void), decimals(void), doubles(void), fused(void), quads(void), roots(void), rounding(void), wide(void);

#endif
