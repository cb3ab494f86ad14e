/* Vectors of 16 bytes: doubles of VSX, integers of VMX; on the host what it has of that width. */
#include "bench.h"

enum { DOUBLES = 1024, VECTORS = 256 };

#if defined(__VSX__) || defined(__FMA__)
#ifdef __VSX__
#include <altivec.h>
typedef __vector double doubles;
#define FUSED(a, b, c) vec_madd(a, b, c)
#else
#include <immintrin.h>
typedef __m128d doubles;
#define FUSED(a, b, c) _mm_fmadd_pd(a, b, c)
#endif

static doubles *x, *y;

static uint32_t doubles_prepare(void)
{
    x = allocate(2 * DOUBLES * sizeof(double));
    y = x + DOUBLES / 2;
    double *elements = (double *)x;
    for (uint32_t i = 0; i < DOUBLES; i++)
        elements[i] = 1.0 + random32() * 0x1p-32;
    return 1;
}

/* y += a x, fused. */
static uint64_t vector_doubles(uint32_t n)
{
    const doubles factor = { 1.0 / 3.0, 1.0 / 7.0 };
    while (n-- > 0) {
        HIDE(x);
        for (uint32_t i = 0; i < DOUBLES / 2; i++)
            y[i] = FUSED(factor, x[i], y[i]);
    }
    const double *elements = (const double *)y;
    return mix(bits(elements[0]), bits(elements[DOUBLES - 1]));
}
#define DOUBLES_KERNEL doubles_prepare, vector_doubles
#else
#define DOUBLES_KERNEL NULL, NULL
#endif

#if defined(__ALTIVEC__) || defined(__SSE2__)
typedef uint32_t integers __attribute__((vector_size(16)));

static integers *v, *w;

static uint32_t integers_prepare(void)
{
    v = allocate(2 * VECTORS * sizeof *v);
    w = v + VECTORS;
    uint32_t *elements = (uint32_t *)v;
    for (uint32_t i = 0; i < 2 * VECTORS * 4; i++)
        elements[i] = random32();
    return 1;
}

/* Sums, exclusive ors, shifts and comparisons. */
static uint64_t vector_integers(uint32_t n)
{
    while (n-- > 0) {
        HIDE(v);
        for (uint32_t i = 0; i < VECTORS; i++) {
            integers sum = v[i] + w[i];
            sum ^= sum << 7 ^ sum >> 9;
            w[i] = sum - (integers)(sum > v[i]);
        }
    }
    const uint32_t *elements = (const uint32_t *)w;
    return mix(mix(elements[0], elements[1]), elements[VECTORS * 4 - 1]);
}
#define INTEGERS_KERNEL integers_prepare, vector_integers
#else
#define INTEGERS_KERNEL NULL, NULL
#endif

const struct kernel vector_kernels[] = {
    { "vdoubles",  "vector", "2 doubles",  DOUBLES / 2, DOUBLES_KERNEL,  NULL },
    { "vintegers", "vector", "4 integers", VECTORS,     INTEGERS_KERNEL, NULL },
    { NULL },
};
