/* Fused multiplication and addition, asked for by name; and, where contraction is on, left to the compiler. */
#include "program.h"
#ifdef FLOAT

static double number(void)
{
    return (double)shifted_signed(31) * 1e-9;
}

static __attribute__((noinline)) u64 doubles_of(double a, double b, double c)
{
    u64 h = mix_double(0, __builtin_fma(a, b, c));
    h = mix_double(h, __builtin_fma(a, b, -c)), h = mix_double(h, -__builtin_fma(a, b, c));
    h = mix_double(h, -__builtin_fma(a, b, -c)), h = mix_double(h, __builtin_fma(-a, b, c));
    return mix_double(h, __builtin_fma(a, b, -(a * b)));
}

static __attribute__((noinline)) u64 singles_of(float a, float b, float c)
{
    u64 h = mix_single(0, __builtin_fmaf(a, b, c));
    h = mix_single(h, __builtin_fmaf(a, b, -c)), h = mix_single(h, -__builtin_fmaf(a, b, c));
    h = mix_single(h, -__builtin_fmaf(a, b, -c)), h = mix_single(h, __builtin_fmaf(-a, b, c));
    return mix_single(h, __builtin_fmaf(a, b, -(a * b)));
}

/* Loops that become vectors. */
static double x[200], y[200];
static float u[200], v[200];

static __attribute__((noinline)) void lines(double a, float b)
{
    for (int i = 0; i < 200; i++)
        x[i] = __builtin_fma(a, x[i], y[i]), y[i] = __builtin_fma(-a, y[i], 0.25);
    for (int i = 0; i < 200; i++)
        u[i] = __builtin_fmaf(b, u[i], v[i]), v[i] = -__builtin_fmaf(u[i], 0.5f, -b);
}

void fused(void)
{
    u64 h = 0, g = 0;
    reseed(12);
    for (int i = 0; i < 3000; i++) {
        double a = number(), b = number(), c = i & 1 ? number() : -a * b;
        h = mix(h, doubles_of(a, b, c)), g = mix(g, singles_of((float)a, (float)b, (float)c));
    }
    put("float/fma64", h);
    put("float/fma32", g);
    for (int i = 0; i < 200; i++)
        x[i] = number(), y[i] = number(), u[i] = (float)number(), v[i] = (float)number();
    for (int i = 0; i < 20; i++)
        lines(0.37, -0.61f);
    h = 0;
    for (int i = 0; i < 200; i++)
        h = mix_double(h, x[i]), h = mix_double(h, y[i]), h = mix_single(h, u[i]), h = mix_single(h, v[i]);
    put("float/lines", h);
}
#endif
