/* GCC's generic vectors of 16 and 32 bytes: the same source whatever the machine has. */
#include "program.h"

#define VECTOR(T, NAME, BYTES) typedef T NAME __attribute__((vector_size(BYTES)))
VECTOR(u8, u8v, 16);
VECTOR(s8, s8v, 16);
VECTOR(u16, u16v, 16);
VECTOR(s16, s16v, 16);
VECTOR(u32, u32v, 16);
VECTOR(s32, s32v, 16);
VECTOR(u64, u64v, 16);
VECTOR(s64, s64v, 16);
VECTOR(u32, u32w, 32);

enum { ROUNDS = 60 };

/* One vector where a comparison holds, the other where it does not; C has no ?: for vectors. */
#define SELECT(V, S, MASK, A, B) ((V)(((S)(A) & (S)(MASK)) | ((S)(B) & ~(S)(MASK))))

/* Everything on two vectors of integers of one kind; the mask of a comparison has the signed kind. */
#define INTEGERS(V, S, T, N)                                                                                      \
    static __attribute__((noinline)) u64 on_##V(V a, V b)                                                         \
    {                                                                                                             \
        enum { BITS = sizeof(T) * 8 };                                                                            \
        V r[24];                                                                                                  \
        V count, order, odd;                                                                                      \
        u64 h = 0;                                                                                                \
        for (int i = 0; i < N; i++)                                                                               \
            count[i] = (T)b[i] & (BITS - 1), order[i] = (T)b[(i + 1) % N], odd[i] = (T)(2 * i + 1);               \
        r[0] = a + b, r[1] = a - b, r[2] = a * b, r[3] = a & b, r[4] = a | ~b, r[5] = a ^ b, r[6] = -a;           \
        r[7] = a << count, r[8] = a >> count, r[9] = a >> 3, r[10] = a << (BITS - 3);                       \
        r[11] = (V)(a < b), r[12] = (V)(a == b), r[13] = (V)(a >= b), r[14] = SELECT(V, S, a > b, a, b);          \
        r[15] = SELECT(V, S, a < b, a - b, b - a), r[16] = __builtin_shuffle(a, b, (S)odd);                       \
        r[17] = __builtin_shuffle(a, (S)order), r[18] = a * b + order, r[19] = a + 5, r[20] = a * 10;             \
        r[21] = (a & 15) + (b | 1), r[22] = SELECT(V, S, a != 0, b, order), r[23] = a / (b | 1);                  \
        for (int k = 0; k < 24; k++)                                                                              \
            for (int i = 0; i < N; i++)                                                                           \
                h = mix(h, (u64)r[k][i]);                                                                         \
        return h;                                                                                                 \
    }                                                                                                             \
    static u64 all_##V(u64 h)                                                                                     \
    {                                                                                                             \
        for (int round = 0; round < ROUNDS; round++) {                                                            \
            V a, b;                                                                                               \
            for (int i = 0; i < N; i++) {                                                                         \
                a[i] = (T)shifted(31), b[i] = round & 1 ? (T)chance() : (T)(chance() & 7);                    \
                if (a[i] == (T)(1ull << (sizeof(T) * 8 - 1)))                                                     \
                    a[i] = 1; /* whose quotient by -1 has no value */                                             \
            }                                                                                                     \
            h = mix(h, on_##V(a, b));                                                                             \
        }                                                                                                         \
        return h;                                                                                                 \
    }
INTEGERS(u8v, s8v, u8, 16)
INTEGERS(s8v, s8v, s8, 16)
INTEGERS(u16v, s16v, u16, 8)
INTEGERS(s16v, s16v, s16, 8)
INTEGERS(u32v, s32v, u32, 4)
INTEGERS(s32v, s32v, s32, 4)
INTEGERS(u64v, s64v, u64, 2)
INTEGERS(s64v, s64v, s64, 2)

static __attribute__((noinline)) u64 widths(s8v a, u16v b, s32v c)
{
    typedef s16 s16w __attribute__((vector_size(32)));
    typedef u8 u8n __attribute__((vector_size(8)));
    typedef s16 s16n __attribute__((vector_size(8)));
    typedef s64 s64w __attribute__((vector_size(32)));
    s16w wide = __builtin_convertvector(a, s16w);
    u8n narrow = __builtin_convertvector(b, u8n);
    u32w more = __builtin_convertvector(b, u32w);
    s16n less = __builtin_convertvector(c, s16n);
    s64w most = __builtin_convertvector(c, s64w);
    u64 h = 0;
    for (int i = 0; i < 16; i++)
        h = mix(h, (u64)(s64)wide[i]);
    for (int i = 0; i < 8; i++)
        h = mix(h, narrow[i]), h = mix(h, more[i]);
    for (int i = 0; i < 4; i++)
        h = mix(h, (u64)(s64)less[i]), h = mix(h, (u64)most[i]);
    return h;
}

/* A cipher on four lanes at once: additions, rotations, and rows that turn. */
static __attribute__((noinline)) u64 quarter_rounds(void)
{
    u32v a = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }, b = { 1, 2, 3, 4 }, c = a ^ b, d = b * 77;
    u64 h = 0;
    for (int i = 0; i < 300; i++) {
        a += b, d ^= a, d = d << 16 | d >> 16;
        c += d, b ^= c, b = b << 12 | b >> 20;
        a += b, d ^= a, d = d << 8 | d >> 24;
        c += d, b ^= c, b = b << 7 | b >> 25;
        b = __builtin_shuffle(b, (u32v){ 1, 2, 3, 0 }), c = __builtin_shuffle(c, (u32v){ 2, 3, 0, 1 });
        d = __builtin_shuffle(d, (u32v){ 3, 0, 1, 2 });
    }
    for (int i = 0; i < 4; i++)
        h = mix(h, a[i]), h = mix(h, b[i]), h = mix(h, c[i]), h = mix(h, d[i]);
    return h;
}

#ifdef FLOAT
VECTOR(float, f32v, 16);
VECTOR(double, f64v, 16);

#define FLOATS(V, S, T, N, MIX)                                                                                   \
    static __attribute__((noinline)) u64 on_##V(V a, V b)                                                         \
    {                                                                                                             \
        V r[10];                                                                                                  \
        S m[4];                                                                                                   \
        u64 h = 0;                                                                                                \
        r[0] = a + b, r[1] = a - b, r[2] = a * b, r[3] = a / b, r[4] = -a, r[5] = SELECT(V, S, a < b, a, b);      \
        r[6] = a * 0.5f - b, r[7] = (a + 1) / (b * b + 3), r[8] = SELECT(V, S, a >= b, a - b, b);                 \
        r[9] = SELECT(V, S, a != b, -b, a);                                                                       \
        m[0] = a < b, m[1] = a == b, m[2] = a >= b, m[3] = a != a;                                                \
        for (int k = 0; k < 10; k++)                                                                              \
            for (int i = 0; i < N; i++)                                                                           \
                h = MIX(h, r[k][i]);                                                                              \
        for (int k = 0; k < 4; k++)                                                                               \
            for (int i = 0; i < N; i++)                                                                           \
                h = mix(h, (u64)(s64)m[k][i]);                                                                    \
        S whole = __builtin_convertvector(SELECT(V, S, a < 0, -a, a), S);                                         \
        V back = __builtin_convertvector(whole * 3, V);                                                           \
        for (int i = 0; i < N; i++)                                                                               \
            h = mix(h, (u64)(s64)whole[i]), h = MIX(h, back[i]);                                                  \
        return h;                                                                                                 \
    }                                                                                                             \
    static u64 all_##V(u64 h)                                                                                     \
    {                                                                                                             \
        static const T special[] = { 0, 1, -1, 0.1f, 1e-30f, 16777217, 3.5f, -2.5f };                             \
        for (int round = 0; round < ROUNDS; round++) {                                                            \
            V a, b;                                                                                               \
            for (int i = 0; i < N; i++)                                                                           \
                a[i] = (T)((s64)chance() >> 40) * (T)0.0117, b[i] = round & 1 ? (T)(s32)chance() : special[chance() & 7]; \
            h = mix(h, on_##V(a, b));                                                                             \
        }                                                                                                         \
        return h;                                                                                                 \
    }
FLOATS(f32v, s32v, float, 4, mix_single)
FLOATS(f64v, s64v, double, 2, mix_double)
#endif

void vectors(void)
{
    u64 h = 0;
    reseed(7);
    put("vector/u8", all_u8v(0)), put("vector/s8", all_s8v(0));
    put("vector/u16", all_u16v(0)), put("vector/s16", all_s16v(0));
    put("vector/u32", all_u32v(0)), put("vector/s32", all_s32v(0));
    put("vector/u64", all_u64v(0)), put("vector/s64", all_s64v(0));
    for (int round = 0; round < ROUNDS; round++) {
        s8v a;
        u16v b;
        s32v c;
        /* Not b[i & 7] in the first loop: GCC 12 inserts at the wrong place on big-endian POWER9 and POWER10. */
        for (int i = 0; i < 16; i++)
            a[i] = (s8)chance();
        for (int i = 0; i < 8; i++)
            b[i] = (u16)chance();
        for (int i = 0; i < 4; i++)
            c[i] = (s32)chance();
        h = mix(h, widths(a, b, c));
    }
    put("vector/widths", h);
    put("vector/rounds", quarter_rounds());
#ifdef FLOAT
    reseed(8);
    put("float/f32v", all_f32v(0)), put("float/f64v", all_f64v(0));
#endif
}
