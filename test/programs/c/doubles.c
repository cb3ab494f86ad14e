/* Kernels of both precisions; none relies on the order that a compiler may choose. */
#include "program.h"
#ifdef FLOAT

static double number(void)
{
    return (double)((s64)chance() >> 11) * (1.0 / 9007199254740992.0) * 4 + 0.01;
}

static double root(double x)
{
    double r = x > 1 ? x : 1;
    for (int i = 0; i < 60; i++)
        r = 0.5 * (r + x / r);
    return r;
}

static double exponential(double x)
{
    double term = 1, sum = 1;
    for (int i = 1; i < 40; i++)
        term = term * x / i, sum += term;
    return sum;
}

static void sine(double x, double *s, double *c)
{
    double term = 1;
    *s = 0, *c = 1;
    for (int i = 1; i < 30; i++) {
        term = term * x / i;
        switch (i & 3) {
        case 0: *c += term; break;
        case 1: *s += term; break;
        case 2: *c -= term; break;
        default: *s -= term;
        }
    }
}

enum { N = 20 };
#define MATRICES(T, MIX)                                                                                          \
    static __attribute__((noinline)) u64 matrices_##T(void)                                                       \
    {                                                                                                             \
        static T a[N][N], b[N][N], c[N][N];                                                                       \
        u64 h = 0;                                                                                                \
        for (int i = 0; i < N; i++)                                                                               \
            for (int j = 0; j < N; j++)                                                                           \
                a[i][j] = (T)number() + (i == j) * 20, b[i][j] = (T)number();                                     \
        for (int i = 0; i < N; i++)                                                                               \
            for (int j = 0; j < N; j++) {                                                                         \
                T sum = 0;                                                                                        \
                for (int k = 0; k < N; k++)                                                                       \
                    sum += a[i][k] * b[k][j];                                                                     \
                c[i][j] = sum;                                                                                    \
            }                                                                                                     \
        for (int k = 0; k < N; k++)                                                                               \
            for (int i = k + 1; i < N; i++) {                                                                     \
                T factor = a[i][k] / a[k][k];                                                                     \
                a[i][k] = factor;                                                                                 \
                for (int j = k + 1; j < N; j++)                                                                   \
                    a[i][j] -= factor * a[k][j];                                                                  \
            }                                                                                                     \
        for (int i = 0; i < N; i++)                                                                               \
            for (int j = 0; j < N; j++)                                                                           \
                h = MIX(h, a[i][j]), h = MIX(h, c[i][j]);                                                         \
        return h;                                                                                                 \
    }
MATRICES(double, mix_double)
MATRICES(float, mix_single)

static u64 bodies(void)
{
    double x[5][3], v[5][3], m[5];
    u64 h = 0;
    for (int i = 0; i < 5; i++) {
        m[i] = number();
        for (int k = 0; k < 3; k++)
            x[i][k] = number() * 10, v[i][k] = number() * 0.1;
    }
    for (int step = 0; step < 20; step++) {
        for (int i = 0; i < 5; i++)
            for (int j = i + 1; j < 5; j++) {
                double d[3], square = 0.01;
                for (int k = 0; k < 3; k++)
                    d[k] = x[i][k] - x[j][k], square += d[k] * d[k];
                double pull = 0.01 / (square * root(square));
                for (int k = 0; k < 3; k++)
                    v[i][k] -= d[k] * m[j] * pull, v[j][k] += d[k] * m[i] * pull;
            }
        for (int i = 0; i < 5; i++)
            for (int k = 0; k < 3; k++)
                x[i][k] += 0.01 * v[i][k], h = mix_double(h, x[i][k]);
    }
    return h;
}

static u64 transform(void)
{
    enum { SIZE = 64 };
    static double re[SIZE], im[SIZE];
    u64 h = 0;
    for (int i = 0; i < SIZE; i++)
        re[i] = number(), im[i] = -number();
    for (int length = SIZE; length > 1; length /= 2)
        for (int k = 0; k < length / 2; k++) {
            double s, c;
            sine(6.283185307179586 * k / length, &s, &c);
            for (int i = k; i < SIZE; i += length) {
                int j = i + length / 2;
                double a = re[i] - re[j], b = im[i] - im[j];
                re[i] += re[j], im[i] += im[j];
                re[j] = a * c + b * s, im[j] = b * c - a * s;
            }
        }
    for (int i = 0; i < SIZE; i++)
        h = mix_double(h, re[i]), h = mix_double(h, im[i]);
    return h;
}

static u64 fractal(void)
{
    u64 h = 0;
    for (int i = 0; i < 24; i++)
        for (int j = 0; j < 24; j++) {
            float x = 0, y = 0, cx = (float)i / 8 - 2, cy = (float)j / 12 - 1;
            int n = 0;
            for (; n < 50 && x * x + y * y < 4; n++) {
                float t = x * x - y * y + cx;
                y = 2 * x * y + cy, x = t;
            }
            h = mix(h, (u64)n), h = mix_single(h, x);
        }
    return h;
}

/* Sums that only exact rounding gets right: with the error carried along, and into two parts. */
static u64 careful(void)
{
    double sum = 0, carry = 0, high = 0, low = 0;
    for (int i = 0; i < 2000; i++) {
        double x = number() * (i & 1 ? 1e10 : 1e-10), y = x - carry, t = sum + y;
        carry = (t - sum) - y, sum = t;
        double s = high + x, part = s - high;
        low += (high - (s - part)) + (x - part), high = s;
    }
    return mix_double(mix_double(mix_double(mix_double(0, sum), carry), high), low);
}

/* Zeros, infinities, NaNs, denormals and their neighbours against each other. */
#define SPECIALS(T, MIX, TINY, LEAST, MOST)                                                                       \
    static __attribute__((noinline)) u64 pair_##T(T a, T b)                                                       \
    {                                                                                                             \
        u64 h = MIX(MIX(MIX(MIX(0, a + b), a - b), a * b), a / b);                                                \
        h = MIX(MIX(MIX(h, -a), a < 0 ? -a : a), a > b ? a : b);                                                  \
        return mix(h, (u64)(a < b) | (u64)(a == b) << 1 | (u64)(a > b) << 2 | (u64)(a <= b) << 3 |                \
                          (u64)__builtin_isunordered(a, b) << 4 | (u64)(a != b) << 5 |                            \
                          (u64)__builtin_islessgreater(a, b) << 6 | (u64)(a == a && __builtin_signbit(a)) << 7);  \
    }                                                                                                             \
    static u64 specials_##T(void)                                                                                 \
    {                                                                                                             \
        T values[] = { 0, 1, 3, (T)0.1, TINY, LEAST, MOST, LEAST * 3, LEAST / 4 * 3, MOST / 3, (T)1e10, 16777217, \
                       2, (T)(1 / 3.0), (T)-5.5, TINY * 5, 0, 0, 0 };                                             \
        enum { COUNT = sizeof values / sizeof values[0] };                                                        \
        T zero = 0;                                                                                               \
        u64 h = 0;                                                                                                \
        OPAQUE(zero);                                                                                             \
        values[COUNT - 1] = 1 / zero, values[COUNT - 2] = zero / zero, values[COUNT - 3] = -1 / zero;             \
        for (int i = 0; i < COUNT; i++)                                                                           \
            for (int j = 0; j < COUNT; j++)                                                                       \
                for (int signs = 0; signs < 4; signs++)                                                           \
                    h = mix(h, pair_##T(signs & 1 ? -values[i] : values[i], signs & 2 ? -values[j] : values[j])); \
        for (int i = 0; i < 2000; i++) {                                                                          \
            u64 x = chance();                                                                                     \
            T a = values[x % COUNT] * (T)number(), b = values[x / COUNT % COUNT] / (T)number();                   \
            h = mix(h, pair_##T(a, b));                                                                           \
        }                                                                                                         \
        return h;                                                                                                 \
    }
SPECIALS(double, mix_double, 4.9406564584124654e-324, 2.2250738585072014e-308, 1.7976931348623157e308)
SPECIALS(float, mix_single, 1.401298464e-45f, 1.175494351e-38f, 3.402823466e38f)

void doubles(void)
{
    u64 h = 0;
    reseed(9);
    put("float/matrices64", matrices_double());
    put("float/matrices32", matrices_float());
    put("float/bodies", bodies());
    put("float/transform", transform());
    put("float/fractal", fractal());
    put("float/careful", careful());
    put("float/specials64", specials_double());
    put("float/specials32", specials_float());
    for (int i = 0; i < 200; i++)
        h = mix_double(h, exponential(number())), h = mix_double(h, root(number() + 5)), h = mix_single(h, (float)number());
    put("float/series", h);
}
#endif
