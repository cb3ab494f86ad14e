/* Decimal floating point. The encodings differ by machine, so that results are taken apart by arithmetic. */
#include "program.h"
#ifdef DECIMAL

static u64 mix_decimal(u64 h, _Decimal128 x)
{
    int exponent = 0;
    if (x != x)
        return mix(h, 1);
    if (x < 0)
        h = mix(h, 2), x = -x;
    if (x == 0)
        return mix(h, 3);
    if (x > 9e6000DL)
        return mix(h, 4);
    for (; x >= 1e18DL; exponent++)
        x /= 10;
    for (; x < 1e17DL; exponent--)
        x *= 10;
    u64 high = (u64)x;
    return mix(mix(mix(h, high), (u64)((x - high) * 1e16DL)), (u64)exponent);
}

static _Decimal64 number(void)
{
    _Decimal64 x = (_Decimal64)shifted_signed(31);
    for (int n = (int)(chance() % 30); n > 0; n--)
        x = n & 1 ? x / 10 : x * (_Decimal64)0.1DD;
    return x;
}

static __attribute__((noinline)) u64 pair(_Decimal64 a, _Decimal64 b)
{
    u64 h = mix_decimal(0, a + b);
    h = mix_decimal(h, a - b), h = mix_decimal(h, a * b), h = mix_decimal(h, b != 0 ? a / b : a), h = mix_decimal(h, -a);
    _Decimal128 x = (_Decimal128)a * b, y = (_Decimal128)a / 7 + b;
    h = mix_decimal(h, x + y), h = mix_decimal(h, x - y), h = mix_decimal(h, x * y), h = mix_decimal(h, y != 0 ? x / y : x);
    h = mix_decimal(h, (_Decimal64)(x + y)), h = mix_decimal(h, (_Decimal32)a);
    h = mix(h, (u64)(a < b) | (u64)(a == b) << 1 | (u64)(a >= b) << 2 | (u64)(x < y) << 3 | (u64)(a != b) << 4);
    if (a > -9e17DD && a < 9e17DD)
        h = mix(h, (u64)(s64)a), h = mix(h, (u64)(s64)(_Decimal128)a);
    return h;
}

static u64 interest(void)
{
    _Decimal64 sum = 1000.00DD;
    _Decimal128 e = 1, term = 1;
    u64 h = 0;
    for (int year = 0; year < 60; year++)
        sum = sum * 1.0375DD + 12.34DD, h = mix_decimal(h, sum);
    for (int i = 1; i < 35; i++)
        term /= i, e += term;
    return mix_decimal(h, e);
}

void decimals(void)
{
    u64 h = 0;
    reseed(14);
    for (int i = 0; i < 40; i++)
    {
        _Decimal64 a = number();
        h = mix(h, pair(a, i & 3 ? number() : 0));
    }
    put("decimal/pairs", h);
    put("decimal/interest", interest());
    h = 0;
    for (int i = 0; i < 100; i++) {
        s64 n = (s64)chance() >> (i % 63);
        h = mix_decimal(h, (_Decimal64)n), h = mix_decimal(h, (_Decimal128)n), h = mix_decimal(h, (_Decimal64)(s32)n);
    }
    put("decimal/integers", h);
}
#endif
