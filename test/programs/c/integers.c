/* Arithmetic, bits and shifts of 8 to 64 bits, on values that tell. */
#include "program.h"

static const u64 edges[] = {
    0, 1, 2, 3, 7, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
    0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffffffe, 0xffffffffffffffff, 0xffffffff80000000,
    0xaaaaaaaaaaaaaaaa, 0x5555555555555555, 0x0123456789abcdef, 0xfedcba9876543210,
};
enum { EDGES = sizeof edges / sizeof edges[0], VALUES = 72 };

static u64 value(int i)
{
    u64 x = chance();
    return i < EDGES ? edges[i] : x >> (x & 63);
}

#define KINDS(DO) DO(u8, s8, 8) DO(u16, s16, 16) DO(u32, s32, 32) DO(u64, s64, 64)

/* For one width: everything that is defined for any two values. */
#define ARITHMETIC(U, S, BITS)                                                                                    \
    static __attribute__((noinline)) u64 arithmetic_##U(U a, U b)                                                 \
    {                                                                                                             \
        u64 h = 0;                                                                                                \
        S sa = (S)a, sb = (S)b;                                                                                   \
        int n = (int)(b % BITS);                                                                                  \
        U u;                                                                                                      \
        S s;                                                                                                      \
        h = mix(h, (U)(a + b)), h = mix(h, (U)(a - b)), h = mix(h, (U)(a * b)), h = mix(h, (U)-a);                \
        h = mix(h, (U)(a & b)), h = mix(h, (U)(a | ~b)), h = mix(h, (U)(a ^ b)), h = mix(h, (U)(a & ~b));         \
        h = mix(h, (U)(a << n)), h = mix(h, (U)(a >> n)), h = mix(h, (u64)(s64)(S)(sa >> n));                     \
        h = mix(h, (U)(a << n | a >> (-n & (BITS - 1))));                                                         \
        if (b != 0)                                                                                               \
            h = mix(h, a / b), h = mix(h, a % b);                                                                 \
        if (b != 0 && !(sb == -1 && a == (U)1 << (BITS - 1)))                                                     \
            h = mix(h, (u64)(s64)(sa / sb)), h = mix(h, (u64)(s64)(sa % sb));                                     \
        h = mix(h, (u64)(s64)(S)(sa / 7)), h = mix(h, a / 10), h = mix(h, a % 1000 % 77);                         \
        h = mix(h, (u64)(s64)(S)(sa / 16)), h = mix(h, (u64)(s64)(S)(sa % 8)), h = mix(h, (U)(a * 25));           \
        h = mix(h, (u64)(a < b) << 3 | (u64)(sa < sb) << 2 | (u64)(a == b) << 1 | (sa > sb));                     \
        h = mix(h, a < b ? a : b), h = mix(h, (u64)(s64)(sa > sb ? sa : sb)), h = mix(h, sa < 0 ? (U)-a : a);     \
        h = mix(h, __builtin_add_overflow(a, b, &u)), h = mix(h, u);                                              \
        h = mix(h, __builtin_sub_overflow(a, b, &u)), h = mix(h, u);                                              \
        h = mix(h, __builtin_mul_overflow(a, b, &u)), h = mix(h, u);                                              \
        h = mix(h, __builtin_add_overflow(sa, sb, &s)), h = mix(h, (u64)(s64)s);                                  \
        h = mix(h, __builtin_sub_overflow(sa, sb, &s)), h = mix(h, (u64)(s64)s);                                  \
        h = mix(h, __builtin_mul_overflow(sa, sb, &s)), h = mix(h, (u64)(s64)s);                                  \
        h = mix(h, (u64)__builtin_popcountll(a) << 8 | (u64)__builtin_parityll(b));                               \
        if (a != 0)                                                                                               \
            h = mix(h, (u64)__builtin_clzll(a) << 8 | (u64)__builtin_ctzll(a));                                   \
        h = mix(h, (u64)__builtin_ffsll((s64)b) << 8 | (u64)__builtin_clrsbll((s64)sa));                          \
        return h;                                                                                                 \
    }
KINDS(ARITHMETIC)

struct fields {
    u32 a : 3, b : 7, c : 1, d : 13;
    int e : 5, f : 11;
    u64 g : 37;
    s64 h : 22;
};

static __attribute__((noinline)) u64 fields(u64 a, u64 b)
{
    struct fields f = { 0 };
    f.a = (u32)a, f.b = (u32)b, f.c = (u32)(a >> 9), f.d = (u32)(b >> 20);
    f.e = (int)(a >> 3), f.f = (int)b, f.g = a * 3, f.h = (s64)(b >> 7);
    f.a++, f.d -= f.b, f.e += 9, f.g <<= f.a, f.h >>= 2;
    u64 h = mix(f.a, f.b);
    h = mix(h, f.c), h = mix(h, f.d), h = mix(h, (u64)(s64)f.e), h = mix(h, (u64)(s64)f.f), h = mix(h, f.g);
    return mix(h, (u64)f.h);
}

/* Masks, rotations and insertions by constants. */
static __attribute__((noinline)) u64 masks(u64 a, u32 b)
{
    u64 h = mix(a & 0xff00ff00ff00ff00, b & 0xf00000ff);
    h = mix(h, (a & 0x0000fffff0000000) >> 28), h = mix(h, (u64)(b << 7 | b >> 25) & 0x3ff0);
    h = mix(h, (a << 17 | a >> 47) & 0xfffffffffff00000), h = mix(h, (a & ~0xff0ull) | (b & 0xff) << 4);
    h = mix(h, (b & 0xffff0000) | (a >> 13 & 0xffff)), h = mix(h, a & 0x8000000000000001), h = mix(h, a | 0xffff0000u);
    h = mix(h, a ^ 0x1234567800000000), h = mix(h, a + 0x123456789ab), h = mix(h, a * 0x10001), h = mix(h, b * 1000003u);
    h = mix(h, __builtin_bswap64(a)), h = mix(h, __builtin_bswap32(b)), h = mix(h, __builtin_bswap16((u16)b));
    h = mix(h, (u64)(s64)(s8)a), h = mix(h, (u64)(s64)(s16)a), h = mix(h, (u64)(s64)(s32)a), h = mix(h, (u8)b);
    h = mix(h, (u64)(a == 0) + (b != 0) * 2u + ((s64)a > 0) * 4u + ((s32)b <= 0) * 8u + (a > 0x7fff) * 16u);
    return mix(h, a * a >> 5 ^ (u64)((s64)a >> 63) ^ ((a >> 32) * b >> 16));
}

void integers(void)
{
    u64 a[VALUES], b[VALUES];
    reseed(1);
    for (int i = 0; i < VALUES; i++)
        a[i] = value(i), b[i] = value(VALUES - 1 - i);
#define EVERY(U, S, BITS)                                                                                         \
    {                                                                                                             \
        u64 h = BITS;                                                                                             \
        for (int i = 0; i < VALUES; i++)                                                                          \
            for (int j = 0; j < VALUES; j += 1 + (i > EDGES))                                                     \
                h = mix(h, arithmetic_##U((U)a[i], (U)b[j]));                                                     \
        put("integer/" #U, h);                                                                                    \
    }
    KINDS(EVERY)
    u64 h = 0, g = 0;
    for (int i = 0; i < VALUES; i++)
        for (int j = 0; j < VALUES; j++)
            h = mix(h, fields(a[i], b[j])), g = mix(g, masks(a[i], (u32)b[j]));
    put("integer/fields", h);
    put("integer/masks", g);
}
