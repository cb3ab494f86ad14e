/* Conversions between integers of every width and floats of both precisions, within what C defines. */
#include "program.h"
#ifdef FLOAT

static __attribute__((noinline)) double scaled(u64 bits, int exponent)
{
    double x = (double)(s64)bits;
    for (; exponent > 0; exponent--)
        x *= 2;
    for (; exponent < 0; exponent++)
        x *= 0.5;
    return x;
}

#define FROM(T, U)                                                                                                \
    static __attribute__((noinline)) u64 from_##U(T x)                                                            \
    {                                                                                                             \
        return mix_single(mix_double(0, (double)x), (float)x);                                                    \
    }
#define TO(T, U, LEAST, BOUND)                                                                                    \
    static __attribute__((noinline)) u64 to_##U(double d)                                                         \
    {                                                                                                             \
        float f = (float)d;                                                                                       \
        u64 h = 0;                                                                                                \
        if (d > (LEAST) && d < (BOUND))                                                                           \
            h = mix(h, (u64)(T)d);                                                                                \
        if (f > (LEAST) && f < (BOUND))                                                                           \
            h = mix(h, (u64)(T)f);                                                                                \
        return h;                                                                                                 \
    }
#define KINDS(DO)                                                                                                 \
    DO(s8, s8, -129.0, 128.0) DO(u8, u8, -1.0, 256.0) DO(s16, s16, -32769.0, 32768.0) DO(u16, u16, -1.0, 65536.0) \
    DO(s32, s32, -2147483649.0, 2147483648.0) DO(u32, u32, -1.0, 4294967296.0)                                    \
    DO(s64, s64, -9223372036854775808.0, 9223372036854775808.0) DO(u64, u64, -1.0, 18446744073709551616.0)
#define FROM4(T, U, LEAST, BOUND) FROM(T, U)
KINDS(FROM4)
KINDS(TO)

#ifdef WIDE
static __attribute__((noinline)) u64 wide_from(unsigned __int128 x)
{
    u64 h = mix_double(0, (double)x);
    h = mix_double(h, (double)(__int128)x), h = mix_single(h, (float)x);
    return mix_single(h, (float)(__int128)x);
}

static __attribute__((noinline)) u64 wide_to(double x)
{
    unsigned __int128 u = (unsigned __int128)(x < 0 ? -x : x);
    __int128 s = (__int128)x;
    return mix(mix(mix(mix(0, (u64)u), (u64)(u >> 64)), (u64)s), (u64)(s >> 64));
}
#endif

void convert(void)
{
    u64 h = 0, g = 0, w = 0;
    reseed(10);
    for (int i = 0; i < 2500; i++) {
        u64 x = shifted(63);
        if (i & 1)
            x = (1ull << (i / 2 & 63)) + (u64)(i % 5) - 2;
        h = mix(h, from_s8((s8)x)), h = mix(h, from_u8((u8)x)), h = mix(h, from_s16((s16)x)), h = mix(h, from_u16((u16)x));
        h = mix(h, from_s32((s32)x)), h = mix(h, from_u32((u32)x)), h = mix(h, from_s64((s64)x)), h = mix(h, from_u64(x));
        x = chance();
        double d = scaled(x - 0x7fffffffffffffff, (int)(chance() % 70) - 68);
        g = mix(g, to_s8(d)), g = mix(g, to_u8(d)), g = mix(g, to_s16(d)), g = mix(g, to_u16(d));
        g = mix(g, to_s32(d)), g = mix(g, to_u32(d)), g = mix(g, to_s64(d)), g = mix(g, to_u64(d));
#ifdef WIDE
        w = mix(w, wide_from((unsigned __int128)x << (i % 65) | (u64)i));
        w = mix(w, wide_to(scaled(x, (int)(x % 60))));
#endif
    }
    put("float/from", h);
    put("float/to", g);
#ifdef WIDE
    put("wide/floats", w);
#endif
    (void)w;
}
#endif
