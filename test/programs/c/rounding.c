/* The four rounding modes, and which exceptions operations raise. Underflow is not among them: it is detected before
   rounding here and after rounding there. */
#include "program.h"
#ifdef FLOAT

enum { NEAREST, ZERO, UP, DOWN };
enum { INVALID = 1, DIVIDE = 2, OVERFLOW = 4, INEXACT = 8 };

#ifdef HOST
static void mode(int rounding)
{
    static const u32 control[] = { 0, 0x6000, 0x4000, 0x2000 };
    u32 x = 0x1f80 | control[rounding];
    __asm__ volatile("ldmxcsr %0" : : "m"(x));
}

static int raised(void)
{
    u32 x;
    __asm__ volatile("stmxcsr %0" : "=m"(x));
    return (x & 1 ? INVALID : 0) | (x & 4 ? DIVIDE : 0) | (x & 8 ? OVERFLOW : 0) | (x & 32 ? INEXACT : 0);
}
#else
static void mode(int rounding)
{
    union {
        u64 bits;
        double d;
    } x = { .bits = (u64)rounding };
    __asm__ volatile("mtfsf 0xff,%0" : : "d"(x.d));
}

static int raised(void)
{
    union {
        u64 bits;
        double d;
    } x;
    __asm__ volatile("mffs %0" : "=d"(x.d));
    u32 f = (u32)x.bits;
    return (f & 0x20000000 ? INVALID : 0) | (f & 0x04000000 ? DIVIDE : 0) | (f & 0x10000000 ? OVERFLOW : 0) |
           (f & 0x02000000 ? INEXACT : 0);
}
#endif

/* One operation in the mode that is set, with its exceptions; operands and results pass through memory, so that none
   moves across the change of mode. */
#define RESULT(T, MIX, EXPRESSION)                                                                                \
    {                                                                                                             \
        T r;                                                                                                      \
        mode(rounding);                                                                                           \
        OPAQUE(a);                                                                                                \
        OPAQUE(b);                                                                                                \
        OPAQUE(n);                                                                                                \
        r = (EXPRESSION);                                                                                         \
        OPAQUE(r);                                                                                                \
        h = mix(h, (u64)raised());                                                                                \
        mode(NEAREST);                                                                                            \
        h = MIX(h, r);                                                                                            \
    }

static __attribute__((noinline)) u64 both(double a, double b, int rounding)
{
    s64 n = 0;
    u64 h = 0;
    RESULT(double, mix_double, a + b)
    RESULT(double, mix_double, a - b)
    RESULT(double, mix_double, a * b)
    RESULT(double, mix_double, a / b)
    RESULT(float, mix_single, (float)a)
    return h;
}

static __attribute__((noinline)) u64 singles(float a, float b, int rounding)
{
    s64 n = 0;
    u64 h = 0;
    RESULT(float, mix_single, a + b)
    RESULT(float, mix_single, a - b)
    RESULT(float, mix_single, a * b)
    RESULT(float, mix_single, a / b)
    return h;
}

static __attribute__((noinline)) u64 integers_to(s64 n, int rounding)
{
    double a = 0, b = 0;
    u64 h = 0;
    RESULT(double, mix_double, (double)(s32)n)
#ifdef WIDE /* where the machine converts doublewords itself, not a library that counts on rounding to nearest */
    RESULT(double, mix_double, (double)n)
#endif
    return h;
}

void rounding(void)
{
    static const double values[] = { 0, -0.0, 1, -1, 3, 0.1, 1e-310, -4e-324, 1.7e308, 1e300, 1e-200, 3.5, 5e-39, 1e38 };
    enum { COUNT = sizeof values / sizeof values[0] };
    reseed(11);
    for (int r = NEAREST; r <= DOWN; r++) {
        u64 h = 0, g = 0, w = 0;
        for (int i = 0; i < COUNT; i++)
            for (int j = 0; j < COUNT; j++)
                h = mix(h, both(values[i], values[j], r)), g = mix(g, singles((float)values[i], (float)values[j], r));
        for (int i = 0; i < 800; i++) {
            double a = (double)(s64)chance() * 1e-9, b = (double)(s64)(chance() >> 20) * 1e-3;
            h = mix(h, both(a, b, r)), g = mix(g, singles((float)b, (float)a, r));
            w = mix(w, integers_to((s64)chance(), r));
        }
        static const char *const names[] = { "rounding/nearest", "rounding/zero", "rounding/up", "rounding/down" };
        put(names[r], mix(h, g));
#ifdef WIDE
        static const char *const from[] = { "wide/nearest", "wide/zero", "wide/up", "wide/down" };
        put(from[r], w);
#endif
    }
}
#endif
