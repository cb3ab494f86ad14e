/* Square roots and rounding to integers, where the machine has instructions for them. */
#include "program.h"
#ifdef ROOT
static double x[64];
static float y[64];

static __attribute__((noinline)) u64 each(double a, float b)
{
    u64 h = mix_double(0, __builtin_sqrt(a));
    h = mix_single(h, __builtin_sqrtf(b)), h = mix_double(h, __builtin_floor(a)), h = mix_double(h, __builtin_ceil(a));
    h = mix_double(h, __builtin_trunc(a)), h = mix_single(h, __builtin_floorf(b)), h = mix_single(h, __builtin_ceilf(b));
    h = mix_single(h, __builtin_truncf(b)), h = mix_double(h, __builtin_round(a)), h = mix_single(h, __builtin_roundf(b));
    return mix_double(h, __builtin_copysign(a, -b));
}

static __attribute__((noinline)) void lines(void)
{
    for (int i = 0; i < 64; i++)
        x[i] = __builtin_sqrt(x[i] < 0 ? -x[i] : x[i]) + __builtin_floor(x[i]);
    for (int i = 0; i < 64; i++)
        y[i] = __builtin_sqrtf(y[i] < 0 ? -y[i] : y[i]) - __builtin_truncf(y[i]);
}

void roots(void)
{
    u64 h = 0;
    reseed(13);
    for (int i = 0; i < 3000; i++) {
        double a = (double)((s64)chance() >> (i % 62)) * (i & 1 ? 0.5 : 1e-3);
        h = mix(h, each(a, (float)a));
    }
    put("root/each", h);
    for (int i = 0; i < 64; i++)
        x[i] = (double)(s64)chance() * 1e-10, y[i] = (float)(s32)chance() * 1e-3f;
    lines(), lines(), h = 0;
    for (int i = 0; i < 64; i++)
        h = mix_double(h, x[i]), h = mix_single(h, y[i]);
    put("root/lines", h);
}
#endif
