/* Calls, jumps and stacks: variable arguments, long jumps, pointers to functions, an interpreter, recursion. */
#include "program.h"

typedef __builtin_va_list list;

static __attribute__((noinline)) u64 various(const char *kinds, ...)
{
    list arguments;
    u64 h = 0;
    __builtin_va_start(arguments, kinds);
    for (; *kinds; kinds++)
        switch (*kinds) {
        case 'i': h = mix(h, (u64)(s64)__builtin_va_arg(arguments, int)); break;
        case 'l': h = mix(h, __builtin_va_arg(arguments, u64)); break;
        case 'p': h = mix(h, *__builtin_va_arg(arguments, const u32 *)); break;
#ifdef FLOAT
        case 'd': h = mix_double(h, __builtin_va_arg(arguments, double)); break;
#endif
        }
    __builtin_va_end(arguments);
    return h;
}

static void *place[5];
static volatile int depth;

static __attribute__((noinline)) void dive(int n)
{
    u8 filler[32];
    for (int i = 0; i < 32; i++)
        filler[i] = (u8)(n + i);
    depth += filler[n & 31];
    if (n == 0)
        __builtin_longjmp(place, 1);
    dive(n - 1);
    depth += filler[3];
}

static __attribute__((noinline)) u64 jumps(void)
{
    volatile int round = 0;
    volatile u64 h = 0;
    if (__builtin_setjmp(place))
        h = mix(h, (u64)depth);
    if (++round < 20)
        dive(round);
    return h;
}

static u32 ackermann(u32 m, u32 n)
{
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

static int queens(int n, u32 columns, u32 left, u32 right)
{
    int found = 0;
    if (columns == (1u << n) - 1)
        return 1;
    for (u32 free = ~(columns | left | right) & ((1u << n) - 1); free; free &= free - 1) {
        u32 bit = free & -free;
        found += queens(n, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return found;
}

struct large {
    u64 a[5];
    u32 b;
};
struct small {
    u32 a;
    u16 b;
    u8 c;
};

static __attribute__((noinline)) struct large by_value(struct large x, struct small y, u8 n)
{
    x.a[n % 5] += y.a, x.a[(n + 1u) % 5] ^= (u64)y.b << 20, x.b += y.c;
    return x;
}

static __attribute__((noinline)) struct small smaller(struct small y, int n)
{
    y.a += (u32)n, y.b = (u16)(y.b * 3), y.c ^= (u8)n;
    return y;
}

static u64 op_add(u64 a, u64 b) { return a + b; }
static u64 op_xor(u64 a, u64 b) { return a ^ b; }
static u64 op_turn(u64 a, u64 b) { return a << (b & 31) | a >> 1; }
static u64 op_times(u64 a, u64 b) { return a * (b | 1); }
static u64 (*const operations[])(u64, u64) = { op_add, op_xor, op_turn, op_times };

/* A stack machine. */
enum { PUSH, ADD, SUB, MUL, DUP, SWAP, JNZ, LOAD, STORE, DIV, END };

static __attribute__((noinline)) u64 interpret(const s32 *code)
{
    s64 stack[32] = { 0 }, memory[8] = { 0 };
    int top = 0, at = 0;
    u64 steps = 0;
    for (;; steps++)
        switch (code[at++]) {
        case PUSH: stack[++top] = code[at++]; break;
        case ADD: top--, stack[top] += stack[top + 1]; break;
        case SUB: top--, stack[top] -= stack[top + 1]; break;
        case MUL: top--, stack[top] = (s64)((u64)stack[top] * (u64)stack[top + 1]); break;
        case DIV: top--, stack[top] /= stack[top + 1]; break;
        case DUP: top++, stack[top] = stack[top - 1]; break;
        case SWAP: { s64 x = stack[top]; stack[top] = stack[top - 1], stack[top - 1] = x; break; }
        case JNZ: at = stack[top--] ? code[at] : at + 1; break;
        case LOAD: stack[++top] = memory[code[at++]]; break;
        case STORE: memory[code[at++]] = stack[top--]; break;
        case END: return mix(steps, (u64)memory[0]);
        }
}

/* for i = 3000 down to 1: sum = sum * 3 + i / 7 - i */
static const s32 program[] = {
    PUSH, 3000, STORE, 1, LOAD, 0, PUSH, 3, MUL, LOAD, 1, PUSH, 7, DIV, ADD, LOAD, 1, SUB, STORE, 0,
    LOAD, 1, PUSH, 1, SUB, DUP, STORE, 1, JNZ, 4, END,
};

/* The same in the manner of labels as values. */
static __attribute__((noinline)) u64 threaded(u64 x)
{
    static const void *const labels[] = { &&add, &&turn, &&cube, &&test };
    u64 n = 0;
next:
    if (++n > 2000)
        return x;
    goto *labels[x >> 7 & 3];
add:
    x += n * 0x1234567;
    goto next;
turn:
    x = x << 13 | x >> 51;
    goto next;
cube:
    x ^= x * x * x;
    goto next;
test:
    x = x & 1 ? x + 0x5bd1e995 : x ^ n << 40;
    goto next;
}

static __attribute__((noinline)) u64 variable_length(int n)
{
    u32 array[n];
    for (int i = 0; i < n; i++)
        array[i] = (u32)(i * n);
    u8 *more = __builtin_alloca((u32)n);
    for (int i = 0; i < n; i++)
        more[i] = (u8)(array[n - 1 - i] >> 2);
    return n > 1 ? mix(variable_length(n - 1), more[n / 2]) : more[0];
}

static __attribute__((noinline)) u32 dense(u32 x)
{
    switch (x) {
    case 0: return 17;
    case 1: return 4;
    case 2: return x * 9;
    case 3: return 111;
    case 4: return 77;
    case 5: return x << 9;
    case 6: return 2;
    case 9: return 31;
    case 1000: return 5;
    case 100000: return 6;
    default: return x / 3;
    }
}

void control(void)
{
    u32 word = 0x12345678;
    u64 h = 0;
    reseed(5);
    u64 c[9];
    for (int i = 0; i < 9; i++)
        c[i] = chance();
    put("control/various", various("iliplillpiilliplil", 1, c[0], -2, &word, c[1], 3, c[2], c[3], &word, 4, 5, c[4], c[5],
                                   -6, &word, c[6], 7, c[7]));
#ifdef FLOAT
    put("float/various", various("didlddidlddddpddliddd", 0.5, 1, -2.25, c[0], 3e100, 4.0, 2, 1e-300, c[1], 5.0, 6.0, 7.0,
                                 8.0, &word, 9.0, 10.0, c[2], 3, 11.0, 12.0, 13.0));
#endif
    put("control/jumps", jumps());
    put("control/ackermann", ackermann(2, 60));
    put("control/queens", (u64)queens(7, 0, 0, 0));
    struct large x = { { 1, 2, 3, 4, 5 }, 6 };
    struct small y = { 7, 8, 9 };
    for (int i = 0; i < 500; i++)
        x = by_value(x, y, (u8)i), y = smaller(y, i);
    for (int i = 0; i < 5; i++)
        h = mix(h, x.a[i]);
    put("control/values", mix(mix(h, x.b), mix(mix(y.a, y.b), y.c)));
    for (int i = 0; i < 3000; i++)
        h = operations[h >> 11 & 3](h, chance());
    put("control/pointers", h);
    put("control/interpret", interpret(program));
    put("control/threaded", threaded(12345));
    put("control/lengths", variable_length(60));
    for (u32 i = 0; i < 3000; i++)
        h = mix(h, dense(i % 12)), h = mix(h, dense(i * 100));
    put("control/switch", h);
}
