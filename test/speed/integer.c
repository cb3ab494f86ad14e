/* Integer kernels: loops, calls, indirect branches, and two programs in small. */
#include <string.h>

#include "bench.h"

enum { NUMBERS = 16384, BYTES = 4096, DEPTH = 16, CALLS = 3193, ELEMENTS = 1024, SIDE = 32, TEXT = 16384 };

/* Sieve of Eratosthenes. */
static uint8_t *composite;

static uint32_t sieve_prepare(void)
{
    composite = allocate(NUMBERS);
    return 1;
}

static uint64_t sieve(uint32_t n)
{
    uint64_t digest = 0;
    while (n-- > 0) {
        uint32_t primes = 0;
        memset(composite, 0, NUMBERS);
        for (uint32_t i = 2; i < NUMBERS; i++) {
            if (composite[i])
                continue;
            primes++;
            for (uint32_t j = 2 * i; j < NUMBERS; j += i)
                composite[j] = 1;
        }
        digest = mix(digest, primes);
    }
    return digest;
}

/* CRC-32 as of Ethernet, a byte at a time by table. */
static uint8_t *bytes;
static uint32_t crc_table[256];

static uint32_t crc_prepare(void)
{
    bytes = allocate(BYTES);
    for (uint32_t i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)(random32() >> 8);
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0xedb88320 : value >> 1;
        crc_table[i] = value;
    }
    return 1;
}

static uint64_t crc(uint32_t n)
{
    uint32_t value = 0xffffffff;
    while (n-- > 0)
        for (uint32_t i = 0; i < BYTES; i++)
            value = crc_table[(value ^ bytes[i]) & 0xff] ^ value >> 8;
    return ~value;
}

/* Recursive calls: Fibonacci's numbers, which take 2 F(n+1) - 1 of them. */
__attribute__((noinline, noclone, optimize("no-optimize-sibling-calls"))) static uint32_t fibonacci(uint32_t n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static uint64_t calls(uint32_t n)
{
    uint64_t digest = 0;
    while (n-- > 0) {
        uint32_t depth = DEPTH;
        HIDE(depth);
        digest = mix(digest, fibonacci(depth));
    }
    return digest;
}

/* An interpreter of bytecode, with an indirect branch for each. The program counts down in a loop of ten codes. */
enum code { ADD, XOR, SHIFT, LOAD, STORE, COPY, MULTIPLY, STEP, LOOP, STOP };
enum { TURNS = 100, CODES = TURNS * 10 + 1 };

static const uint8_t program[][3] = {
    { ADD, 1, 2 }, { XOR, 3, 1 }, { SHIFT, 3, 5 }, { LOAD, 4, 3 }, { ADD, 4, 1 }, { STORE, 4, 3 }, { COPY, 2, 4 },
    { MULTIPLY, 2, 3 }, { STEP, 0, 0 }, { LOOP, 0, 10 }, { STOP, 0, 0 },
};

__attribute__((optimize("no-gcse"))) static uint64_t bytecode(uint32_t n)
{
    static const void *const labels[] = {
        &&add, &&xor, &&shift, &&load, &&store, &&copy, &&multiply, &&step, &&loop, &&stop,
    };
    uint32_t reg[5] = { 0, 1, 2, 3, 4 }, memory[16] = { 0 };
    const uint8_t *at;
    uint64_t digest = 0;
#define NEXT do { at += 3; goto *labels[at[0]]; } while (0)
#define RA reg[at[1]]
#define RB reg[at[2]]
again:
    reg[0] = TURNS;
    at = program[0];
    HIDE(at);
    goto *labels[at[0]];
add:
    RA += RB;
    NEXT;
xor:
    RA ^= RB;
    NEXT;
shift:
    RA = RA << at[2] | RA >> (32 - at[2]);
    NEXT;
load:
    RA = memory[RB & 15];
    NEXT;
store:
    memory[RB & 15] = RA;
    NEXT;
copy:
    RA = RB;
    NEXT;
multiply:
    RA *= RB | 1;
    NEXT;
step:
    RA--;
    NEXT;
loop:
    if (RA != 0)
        at -= 3 * at[2];
    NEXT;
stop:
    digest = mix(digest, reg[2]);
    if (--n > 0)
        goto again;
    return digest;
}

/* Quicksort with a function that compares; never the same numbers twice, lest the processor learn them. */
static uint32_t *sorted;

static uint32_t quicksort_prepare(void)
{
    sorted = allocate(ELEMENTS * sizeof *sorted);
    return 1;
}

static int compare(const uint32_t *a, const uint32_t *b)
{
    return (*a > *b) - (*a < *b);
}

static void sort(uint32_t *low, uint32_t *high, int (*order)(const uint32_t *, const uint32_t *))
{
    while (low < high) {
        uint32_t pivot = low[(high - low) / 2], *i = low, *j = high;
        for (;;) {
            while (order(i, &pivot) < 0)
                i++;
            while (order(&pivot, j) < 0)
                j--;
            if (i >= j)
                break;
            uint32_t other = *i;
            *i++ = *j;
            *j-- = other;
        }
        uint32_t *middle = i > j ? i - 1 : j;
        sort(low, middle, order);
        low = middle + 1;
    }
}

static uint64_t quicksort(uint32_t n)
{
    uint64_t digest = 0;
    int (*order)(const uint32_t *, const uint32_t *) = compare;
    HIDE(order);
    while (n-- > 0) {
        for (uint32_t i = 0; i < ELEMENTS; i++)
            sorted[i] = random32();
        sort(sorted, sorted + ELEMENTS - 1, order);
        digest = mix(mix(digest, sorted[0]), sorted[ELEMENTS / 3]);
    }
    return digest;
}

/* Product of integer matrices. */
static uint32_t (*left)[SIDE], (*right)[SIDE], (*product)[SIDE];

static uint32_t matrix_prepare(void)
{
    left = allocate(3 * SIDE * SIDE * sizeof **left);
    right = left + SIDE;
    product = right + SIDE;
    for (uint32_t i = 0; i < 2 * SIDE; i++)
        for (uint32_t j = 0; j < SIDE; j++)
            left[i][j] = random32();
    return 1;
}

static uint64_t matrix(uint32_t n)
{
    while (n-- > 0)
        for (uint32_t i = 0; i < SIDE; i++)
            for (uint32_t k = 0; k < SIDE; k++) {
                uint32_t factor = left[i][k];
                for (uint32_t j = 0; j < SIDE; j++)
                    product[i][j] += factor * right[k][j];
            }
    return mix(product[1][2], product[SIDE - 1][SIDE - 1]);
}

/* SHA-256 (FIPS 180-4) of blocks one behind the other, without padding. */
static const uint32_t sha_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
    0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
    0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
};

static inline uint32_t rotate(uint32_t value, int by)
{
    return value >> by | value << (32 - by);
}

static void sha_block(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8
            | block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t small0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t small1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + small0 + w[i - 7] + small1;
    }
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t big1 = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
        uint32_t big0 = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
        uint32_t t1 = s[7] + big1 + ((s[4] & s[5]) ^ (~s[4] & s[6])) + sha_constants[i] + w[i];
        uint32_t t2 = big0 + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + t1;
        s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

static uint64_t sha256(uint32_t n)
{
    uint32_t state[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };
    while (n-- > 0)
        for (uint32_t i = 0; i < BYTES; i += 64)
            sha_block(state, bytes + i);
    return (uint64_t)state[0] << 32 | state[7];
}

/* The search of xz for repetitions: chains of places that begin with the same bytes, hashed. */
enum { HASHES = 4096, LONGEST = 64, TRIES = 16 };
static uint8_t *text;
static uint32_t *heads, *chain;

static uint32_t match_prepare(void)
{
    static const char words[][8] = { "the ", "of ", "guest ", "page ", "a ", "time ", "is ", "not " };
    text = allocate(TEXT + LONGEST);
    heads = allocate(HASHES * sizeof *heads);
    chain = allocate(TEXT * sizeof *chain);
    for (uint32_t at = 0; at < TEXT;) {
        uint32_t choice = random32() >> 7;
        if (choice % 5 == 0)
            text[at++] = (uint8_t)(choice >> 5);
        else
            for (const char *word = words[choice >> 4 & 7]; *word && at < TEXT; word++)
                text[at++] = (uint8_t)*word;
    }
    return 1;
}

static uint64_t match(uint32_t n)
{
    uint64_t digest = 0;
    while (n-- > 0) {
        uint32_t found = 0;
        for (uint32_t i = 0; i < HASHES; i++)
            heads[i] = 0;
        for (uint32_t at = 0; at < TEXT; at++) {
            uint32_t key = (text[at] | (uint32_t)text[at + 1] << 8 | (uint32_t)text[at + 2] << 16) * 0x9e3779b1u >> 20;
            uint32_t candidate = heads[key], best = 0;
            for (uint32_t tries = TRIES; candidate != 0 && tries > 0; tries--) {
                const uint8_t *a = text + at, *b = text + candidate - 1;
                uint32_t length = 0;
                while (length < LONGEST && a[length] == b[length])
                    length++;
                best = length > best ? length : best;
                candidate = chain[candidate - 1];
            }
            found += best;
            chain[at] = heads[key];
            heads[key] = at + 1;
        }
        digest = mix(digest, found);
    }
    return digest;
}

const struct kernel integer_kernels[] = {
    { "sieve",     "integer", "number",  NUMBERS,             sieve_prepare,     sieve,     NULL },
    { "crc",       "integer", "byte",    BYTES,               crc_prepare,       crc,       NULL },
    { "calls",     "integer", "call",    CALLS,               NULL,              calls,     NULL },
    { "bytecode",  "integer", "code",    CODES,               NULL,              bytecode,  NULL },
    { "quicksort", "integer", "element", ELEMENTS,            quicksort_prepare, quicksort, NULL },
    { "imatrix",   "apart",   "product", SIDE * SIDE * SIDE,  matrix_prepare,    matrix,    NULL },
    { "sha256",    "apart",   "byte",    BYTES,               crc_prepare,       sha256,    NULL },
    { "match",     "apart",   "byte",    TEXT,                match_prepare,     match,     NULL },
    { NULL },
};
