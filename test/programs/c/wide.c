/* 128 bits. */
#include "program.h"
#ifdef WIDE
typedef unsigned __int128 u128;
typedef __int128 s128;

static u64 mix_wide(u64 h, u128 x)
{
    return mix(mix(h, (u64)x), (u64)(x >> 64));
}

static u128 value(void)
{
    u128 x = chance();
    x = x << 64 | chance();
    return x >> (chance() & 127);
}

static __attribute__((noinline)) u64 arithmetic(u128 a, u128 b)
{
    s128 sa = (s128)a, sb = (s128)b, s;
    u128 u;
    int n = (int)(b & 127);
    u64 h = mix_wide(0, a + b);
    h = mix_wide(h, a - b), h = mix_wide(h, a * b), h = mix_wide(h, -a), h = mix_wide(h, a & ~b), h = mix_wide(h, a ^ b);
    h = mix_wide(h, a << n), h = mix_wide(h, a >> n), h = mix_wide(h, (u128)(sa >> n)), h = mix_wide(h, a << 5 | a >> 123);
    if (b != 0)
        h = mix_wide(h, a / b), h = mix_wide(h, a % b);
    if (b != 0 && b != (u128)-1)
        h = mix_wide(h, (u128)(sa / sb)), h = mix_wide(h, (u128)(sa % sb));
    h = mix_wide(h, a / 10), h = mix_wide(h, (u128)(sa / 1000003));
    h = mix(h, (u64)(a < b) << 2 | (u64)(sa < sb) << 1 | (a == b));
    h = mix(h, __builtin_add_overflow(a, b, &u)), h = mix_wide(h, u);
    h = mix(h, __builtin_sub_overflow(sa, sb, &s)), h = mix_wide(h, (u128)s);
    h = mix(h, __builtin_mul_overflow((u64)a, (u64)b, &u)), h = mix_wide(h, u);
    h = mix_wide(h, (u128)(u64)a * (u64)(b >> 64)), h = mix_wide(h, (u128)((s128)(s64)a * (s64)b));
    return h;
}

/* x to the power of e modulo m, by the schoolbook. */
static u64 power(u64 x, u64 e, u64 m)
{
    u64 result = 1;
    for (; e; e >>= 1, x = (u64)((u128)x * x % m))
        if (e & 1)
            result = (u64)((u128)result * x % m);
    return result;
}

void wide(void)
{
    u64 h = 0;
    reseed(2);
    for (int i = 0; i < 3000; i++)
    {
        u128 a = value();
        h = mix(h, arithmetic(a, value()));
    }
    put("wide/arithmetic", h);
    h = 0;
    for (int i = 0; i < 30; i++)
    {
        u64 x = chance(), e = chance();
        h = mix(h, power(x, e >> 30, chance() | 1));
    }
    put("wide/power", h);
}
#endif
