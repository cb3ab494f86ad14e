/* Quad precision: instructions where the machine has them, else the compiler's library. */
#include "program.h"
#ifdef QUAD
#ifdef HOST
typedef __float128 quad;
#else
typedef long double quad;
#endif

static u64 mix_quad(u64 h, quad x)
{
    unsigned __int128 bits;
    if (x != x)
        return mix(h, 0x7fffdead);
    __builtin_memcpy(&bits, &x, 16);
    return mix(mix(h, (u64)bits), (u64)(bits >> 64));
}

static quad number(void)
{
    quad x = (quad)(s64)chance();
    x += (quad)(s64)chance() / 18446744073709551616.0;
    return x / (quad)(1ull << (chance() & 63));
}

static __attribute__((noinline)) u64 pair(quad a, quad b)
{
    u64 h = mix_quad(mix_quad(mix_quad(mix_quad(0, a + b), a - b), a * b), a / b);
    h = mix_quad(mix_quad(h, -a), a < 0 ? -a : a), h = mix_double(h, (double)a), h = mix_single(h, (float)b);
    h = mix_quad(h, (quad)(double)a), h = mix_quad(h, (quad)(float)b);
    h = mix(h, (u64)(a < b) | (u64)(a == b) << 1 | (u64)(a >= b) << 2 | (u64)(a != b) << 3);
    if (a > -9e18 && a < 9e18)
        h = mix(h, (u64)(s64)a), h = mix(h, (u64)(s64)(s32)(s64)(a / 8589934592.0)), h = mix(h, (u64)(a < 0 ? -a : a));
    return h;
}

void quads(void)
{
    quad sum = 1, term = 1, root = 2, zero = 0;
    u64 h = 0;
    reseed(15);
    for (int i = 0; i < 300; i++)
    {
        quad a = number();
        h = mix(h, pair(a, number()));
    }
    put("quad/pairs", h);
    OPAQUE(zero);
    quad values[] = { 0, -zero, 1, -3, 1 / zero, -1 / zero, zero / zero, 1e-300, 1e300, 0.1 };
    h = 0;
    for (int i = 0; i < 10; i++)
        for (int j = 0; j < 10; j++)
            h = mix_quad(h, values[i] + values[j]), h = mix_quad(h, values[i] * values[j] * values[i] * values[j]),
            h = mix_quad(h, values[i] / values[j]), h = mix(h, (u64)(values[i] < values[j]) * 2 + (values[i] == values[j]));
    put("quad/specials", h);
    for (int i = 1; i < 60; i++)
        term /= i, sum += term, root = (root + 2 / root) / 2;
    h = mix_quad(mix_quad(0, sum), root);
    for (int i = 0; i < 200; i++) {
        u64 n = chance() >> (i & 63);
        h = mix_quad(h, (quad)n), h = mix_quad(h, (quad)(s64)n), h = mix_quad(h, (quad)(s32)n), h = mix_quad(h, (quad)(u32)n);
    }
    put("quad/series", h);
}
#endif
