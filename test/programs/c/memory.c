/* Moves of every length and misalignment, and values that lie askew. */
#include "program.h"

static u8 a[4096], b[4096];

static u64 hash(const u8 *p, int n)
{
    u64 h = 0;
    for (int i = 0; i < n; i++)
        h = (h ^ p[i]) * 0x100000001b3ull;
    return h;
}

static void fill(void)
{
    for (int i = 0; i < (int)sizeof a; i++)
        a[i] = (u8)chance(), b[i] = (u8)(i * 7);
}

/* Moves whose length the compiler knows. */
#define FIXED(N)                                                                                                  \
    static __attribute__((noinline)) void fixed_##N(u8 *to, const u8 *from)                                       \
    {                                                                                                             \
        __builtin_memcpy(to, from, N);                                                                            \
        __builtin_memset(to + N, 0x5a, N);                                                                        \
        __builtin_memmove(to + 1, to, N);                                                                         \
    }
#define SIZES(DO) DO(1) DO(3) DO(4) DO(7) DO(8) DO(12) DO(15) DO(16) DO(24) DO(31) DO(32) DO(48) DO(63) DO(64) DO(100) DO(256)
SIZES(FIXED)

struct __attribute__((packed)) askew {
    u8 a;
    u16 b;
    u32 c;
    u8 d;
    u64 e;
#ifdef FLOAT
    u8 f;
    double g;
    float h;
#endif
};

static __attribute__((noinline)) u64 askew(struct askew *p, int n)
{
    u64 h = 0;
    for (int i = 0; i < n; i++) {
        p[i].a = (u8)chance(), p[i].b = (u16)chance(), p[i].c = (u32)chance(), p[i].d = (u8)chance(), p[i].e = chance();
#ifdef FLOAT
        p[i].f = (u8)i, p[i].g = (double)(s64)chance(), p[i].h = (float)(s32)chance();
#else
        chance(), chance();
#endif
    }
    for (int i = 0; i < n; i++) {
        p[i].b += p[i].a, p[i].e -= p[i].c, p[i].c ^= p[n - 1 - i].b;
        h = mix(h, p[i].a), h = mix(h, p[i].b), h = mix(h, p[i].c), h = mix(h, p[i].d), h = mix(h, p[i].e);
    }
    return h;
}

static u32 big32(const u8 *p)
{
    return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static u64 little64(const u8 *p)
{
    u64 x = 0;
    for (int i = 7; i >= 0; i--)
        x = x << 8 | p[i];
    return x;
}

static __attribute__((noinline)) void store_reversed(u8 *p, u64 x, u32 y, u16 z)
{
    for (int i = 0; i < 8; i++)
        p[i] = (u8)(x >> (8 * i));
    for (int i = 0; i < 4; i++)
        p[8 + i] = (u8)(y >> (24 - 8 * i));
    p[12] = (u8)z, p[13] = (u8)(z >> 8);
}

static __attribute__((noinline)) int length(const u8 *p)
{
    int n = 0;
    while (p[n])
        n++;
    return n;
}

void memory(void)
{
    u64 h = 0;
    reseed(3);
    fill();
    for (int n = 0; n < 70; n++)
        for (int from = 0; from < 9; from += 1 + (n > 40))
            for (int to = 0; to < 9; to += 2)
                memcpy(b + 100 + to, a + from + n, (u32)n), h = mix(h, hash(b + 96, n + 16));
    put("memory/copy", h);
    h = 0;
    for (int n = 0; n < 200; n += 3) {
        memmove(a + n, a + 2 * n, 300), h = mix(h, hash(a, 1024));
        memmove(a + 2 * n, a + n, 300), h = mix(h, hash(a, 1024));
        memset(b + n, n, (u32)n), h = mix(h, hash(b, 512));
    }
    put("memory/move", h);
    h = 0;
    fill();
#define RUN(N)                                                                                                    \
    for (int i = 0; i < 8; i++)                                                                                   \
        fixed_##N(b + 3 * i, a + 5 * i), h = mix(h, hash(b, 600));
    SIZES(RUN)
    put("memory/fixed", h);
    h = 0;
    for (int i = 0; i < 500; i++) {
        memcpy(b, a, 256);
        u64 at = chance();
        b[at & 255] ^= (u8)(at >> 8);
        int order = memcmp(a, b, 256);
        h = mix(h, (u64)(order < 0) << 1 | (order > 0));
        h = mix(h, (u64)length(a + i) << 32 | big32(a + i)), h = mix(h, little64(a + i));
        u64 x = chance();
        store_reversed(b + i % 17, x, (u32)(x >> 9), (u16)(x >> 31)), h = mix(h, hash(b, 64));
    }
    put("memory/bytes", h);
    put("memory/askew", askew((struct askew *)(b + 1), 100));
}
