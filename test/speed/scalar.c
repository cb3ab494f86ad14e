/* Scalar floating point, doubles. */
#include <math.h>

#include "bench.h"

#ifndef NO_FLOAT
enum { ELEMENTS = 1024, SIDE = 32, PICTURE = 24, TURNS = 64 };

static double *x, *y;

/* y += a x, fused. */
static uint32_t daxpy_prepare(void)
{
    x = allocate(2 * ELEMENTS * sizeof *x);
    y = x + ELEMENTS;
    for (uint32_t i = 0; i < ELEMENTS; i++)
        x[i] = 1.0 + random32() * 0x1p-32;
    return 1;
}

static uint64_t daxpy(uint32_t n)
{
    double factor = 1.0 / 3.0;
    while (n-- > 0) {
        HIDE(x);
        for (uint32_t i = 0; i < ELEMENTS; i++)
            y[i] = __builtin_fma(factor, x[i], y[i]);
    }
    return mix(bits(y[0]), bits(y[ELEMENTS - 1]));
}

/* Product of matrices, fused. */
static double (*left)[SIDE], (*right)[SIDE], (*product)[SIDE];

static uint32_t matrix_prepare(void)
{
    left = allocate(3 * SIDE * SIDE * sizeof **left);
    right = left + SIDE;
    product = right + SIDE;
    for (uint32_t i = 0; i < 2 * SIDE; i++)
        for (uint32_t j = 0; j < SIDE; j++)
            left[i][j] = random32() * 0x1p-32 - 0.5;
    return 1;
}

static uint64_t matrix(uint32_t n)
{
    while (n-- > 0)
        for (uint32_t i = 0; i < SIDE; i++)
            for (uint32_t k = 0; k < SIDE; k++) {
                double factor = left[i][k];
                for (uint32_t j = 0; j < SIDE; j++)
                    product[i][j] = __builtin_fma(factor, right[k][j], product[i][j]);
            }
    return mix(bits(product[1][2]), bits(product[SIDE - 1][SIDE - 1]));
}

/* A picture of Mandelbrot's set: products, sums, and branches on comparisons. */
static uint64_t mandelbrot(uint32_t n)
{
    uint64_t digest = 0;
    while (n-- > 0) {
        uint32_t inside = 0;
        double scale = 3.0 / PICTURE;
        HIDE(inside);
        for (int row = 0; row < PICTURE; row++)
            for (int column = 0; column < PICTURE; column++) {
                double a = column * scale - 2.25, b = row * scale - 1.5, u = 0, v = 0, uu = 0, vv = 0;
                uint32_t turn = 0;
                while (turn < TURNS && uu + vv < 4.0) {
                    v = 2.0 * u * v + b;
                    u = uu - vv + a;
                    uu = u * u;
                    vv = v * v;
                    turn++;
                }
                inside += turn;
            }
        digest = mix(digest, inside);
    }
    return digest;
}

#ifndef NO_ROOT
/* Quotients and roots, each waiting for the one before. */
static uint64_t roots(uint32_t n)
{
    double value = 2.0, three = 3.0;
    while (n-- > 0)
        for (uint32_t i = 0; i < ELEMENTS; i++)
            value = sqrt(three / value + 1.5);
    return bits(value);
}
#define ROOTS roots
#else
/* The processor has no roots, and the library uses its instruction all the same. */
#define ROOTS NULL
#endif

const struct kernel scalar_kernels[] = {
    { "daxpy",      "scalar", "element",         ELEMENTS,            daxpy_prepare,  daxpy,      NULL },
    { "dmatrix",    "scalar", "product",         SIDE * SIDE * SIDE,  matrix_prepare, matrix,     NULL },
    { "mandelbrot", "scalar", "point",           PICTURE * PICTURE,   NULL,           mandelbrot, NULL },
    { "roots",      "scalar", "quotient + root", ELEMENTS,            NULL,           ROOTS,      NULL },
    { NULL },
};
#else
/* Doubles that trap into the kernel are none. */
const struct kernel scalar_kernels[] = {
    { "daxpy", "scalar" }, { "dmatrix", "scalar" }, { "mandelbrot", "scalar" }, { "roots", "scalar" }, { NULL },
};
#endif
