/* Programs as people write them: sorting, checksums, digests, ciphers, big numbers, tables. */
#include "program.h"

enum { N = 1500 };
static u32 array[N], other[N];

static void shuffle(void)
{
    for (int i = 0; i < N; i++)
        array[i] = (u32)(chance() >> (i & 31));
}

static u64 hash(void)
{
    u64 h = 0;
    for (int i = 0; i < N; i++)
        h = mix(h, array[i]);
    return h;
}

static void quick(u32 *p, int n, int (*compare)(const u32 *, const u32 *))
{
    while (n > 1) {
        u32 pivot = p[n / 2];
        int i = 0, j = n - 1;
        while (i <= j) {
            while (compare(&p[i], &pivot) < 0)
                i++;
            while (compare(&p[j], &pivot) > 0)
                j--;
            if (i <= j) {
                u32 x = p[i];
                p[i++] = p[j], p[j--] = x;
            }
        }
        quick(p, j + 1, compare);
        p += i, n -= i;
    }
}

static int up(const u32 *a, const u32 *b) { return *a < *b ? -1 : *a > *b; }
static int down_signed(const u32 *a, const u32 *b) { return (s32)*a > (s32)*b ? -1 : (s32)*a < (s32)*b; }

static void heap(u32 *p, int n)
{
    for (int start = n / 2, end = n; end > 1;) {
        if (start > 0)
            start--;
        else {
            u32 x = p[--end];
            p[end] = p[0], p[0] = x;
        }
        for (int root = start, child; (child = 2 * root + 1) < end; root = child) {
            child += child + 1 < end && p[child] < p[child + 1];
            if (p[root] >= p[child])
                break;
            u32 x = p[root];
            p[root] = p[child], p[child] = x;
        }
    }
}

static void radix(void)
{
    u32 *from = array, *to = other;
    for (int shift = 0; shift < 32; shift += 8) {
        int count[257] = { 0 };
        for (int i = 0; i < N; i++)
            count[(from[i] >> shift & 255) + 1]++;
        for (int i = 0; i < 256; i++)
            count[i + 1] += count[i];
        for (int i = 0; i < N; i++)
            to[count[from[i] >> shift & 255]++] = from[i];
        u32 *x = from;
        from = to, to = x;
    }
}

static u32 crc32(const u8 *p, int n)
{
    u32 table[256], crc = ~0u;
    for (u32 i = 0; i < 256; i++) {
        u32 c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
        table[i] = c;
    }
    while (n--)
        crc = table[(crc ^ *p++) & 255] ^ crc >> 8;
    return ~crc;
}

static u64 crc64(const u8 *p, int n)
{
    u64 crc = 0;
    while (n--) {
        crc ^= (u64)*p++ << 56;
        for (int k = 0; k < 8; k++)
            crc = crc << 1 ^ (crc >> 63 ? 0x42f0e1eba9ea3693 : 0);
    }
    return crc;
}

/* The first 64 bits of the fractional part of the root of n: bits of a digest's constants without a table. */
static u64 root_fraction(u32 n, int cubic)
{
    u64 low = 0, high = 1ull << 20;
    /* Only 16 fractional bits, which suffices for constants of our own. */
    while (high - low > 1) {
        u64 middle = (low + high) / 2;
        u64 square = cubic ? middle * middle / 65536 * middle : middle * middle;
        if (square <= (u64)n << 32)
            low = middle;
        else
            high = middle;
    }
    return mix(low, n);
}

#define TURN(x, n, bits) ((x) >> (n) | (x) << (bits - (n)))

/* The compression of SHA-2 in both widths, with constants of our own. */
#define DIGEST(U, BITS, ROUNDS, A, B, C, D, E, F, G, H, I, J, K, L)                                               \
    static __attribute__((noinline)) u64 digest_##BITS(const u8 *p, int blocks)                                   \
    {                                                                                                             \
        U state[8], constants[ROUNDS];                                                                            \
        for (u32 i = 0; i < ROUNDS; i++)                                                                          \
            constants[i] = (U)root_fraction(2 * i + 3, 1);                                                        \
        for (u32 i = 0; i < 8; i++)                                                                               \
            state[i] = (U)root_fraction(2 * i + 3, 0);                                                            \
        for (; blocks--; p += BITS / 4 * 8 / 4) {                                                                 \
            U w[ROUNDS], s[8];                                                                                    \
            for (int i = 0; i < 16; i++) {                                                                        \
                w[i] = 0;                                                                                         \
                for (int k = 0; k < BITS / 8; k++)                                                                \
                    w[i] = w[i] << 8 | p[(i * (BITS / 8) + k) & 511];                                             \
            }                                                                                                     \
            for (int i = 16; i < ROUNDS; i++) {                                                                   \
                U x = w[i - 15], y = w[i - 2];                                                                    \
                w[i] = w[i - 16] + (TURN(x, A, BITS) ^ TURN(x, B, BITS) ^ x >> C) + w[i - 7] +                    \
                       (TURN(y, D, BITS) ^ TURN(y, E, BITS) ^ y >> F);                                            \
            }                                                                                                     \
            memcpy(s, state, sizeof s);                                                                           \
            for (int i = 0; i < ROUNDS; i++) {                                                                    \
                U e = s[4], a = s[0];                                                                             \
                U t = s[7] + (TURN(e, G, BITS) ^ TURN(e, H, BITS) ^ TURN(e, I, BITS)) +                           \
                      ((e & s[5]) ^ (~e & s[6])) + constants[i] + w[i];                                           \
                U v = (TURN(a, J, BITS) ^ TURN(a, K, BITS) ^ TURN(a, L, BITS)) +                                  \
                      ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));                                                  \
                for (int k = 7; k > 0; k--)                                                                       \
                    s[k] = s[k - 1];                                                                              \
                s[4] += t, s[0] = t + v;                                                                          \
            }                                                                                                     \
            for (int i = 0; i < 8; i++)                                                                           \
                state[i] += s[i];                                                                                 \
        }                                                                                                         \
        u64 h = 0;                                                                                                \
        for (int i = 0; i < 8; i++)                                                                               \
            h = mix(h, state[i]);                                                                                 \
        return h;                                                                                                 \
    }
DIGEST(u32, 32, 64, 7, 18, 3, 17, 19, 10, 6, 11, 25, 2, 13, 22)
DIGEST(u64, 64, 80, 1, 8, 7, 19, 61, 6, 14, 18, 41, 28, 34, 39)

static u64 cipher(void)
{
    u32 v[2] = { 0x01234567, 0x89abcdef }, key[4] = { 1, 0x80000000, 0xdeadbeef, 4 };
    u64 h = 0;
    for (int n = 0; n < 60; n++) {
        u32 sum = 0;
        for (int i = 0; i < 32; i++) {
            v[0] += ((v[1] << 4 ^ v[1] >> 5) + v[1]) ^ (sum + key[sum & 3]);
            sum += 0x9e3779b9;
            v[1] += ((v[0] << 4 ^ v[0] >> 5) + v[0]) ^ (sum + key[sum >> 11 & 3]);
        }
        h = mix(h, (u64)v[0] << 32 | v[1]);
    }
    return h;
}

/* 150 factorial in base 10^9. */
static u64 factorial(void)
{
    u32 digits[40] = { 1 };
    u64 h = 0;
    for (u32 n = 2; n <= 150; n++) {
        u64 carry = 0;
        for (int i = 0; i < 40; i++) {
            carry += (u64)digits[i] * n;
            digits[i] = (u32)(carry % 1000000000), carry /= 1000000000;
        }
    }
    for (int i = 0; i < 40; i++)
        h = mix(h, digits[i]);
    return h;
}

static u64 sieve(void)
{
    static u8 crossed[20000];
    u64 h = 0;
    memset(crossed, 0, sizeof crossed);
    for (u32 i = 2; i < sizeof crossed; i++) {
        if (crossed[i])
            continue;
        h = mix(h, i);
        for (u32 j = i * i; j < sizeof crossed; j += i)
            crossed[j] = 1;
    }
    return h;
}

static int distance(const u8 *a, int n, const u8 *b, int m)
{
    static u16 row[300];
    for (int j = 0; j <= m; j++)
        row[j] = (u16)j;
    for (int i = 1; i <= n; i++) {
        int corner = row[0];
        row[0] = (u16)i;
        for (int j = 1; j <= m; j++) {
            int best = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            row[j] = (u16)best;
        }
    }
    return row[m];
}

/* Back references by a table of the last place of three bytes. */
static u64 compress(const u8 *p, int n)
{
    static s16 last[4096];
    u64 h = 0;
    memset(last, 0xff, sizeof last);
    for (int i = 0; i + 3 < n;) {
        u32 key = ((u32)p[i] * 33 * 33 + (u32)p[i + 1] * 33 + p[i + 2]) & 4095;
        int from = last[key], length = 0;
        last[key] = (s16)i;
        while (from >= 0 && i + length < n && length < 64 && p[from + length] == p[i + length])
            length++;
        h = length >= 3 ? mix(h, (u64)(i - from) << 8 | (u64)length) : mix(h, p[i]);
        i += length >= 3 ? length : 1;
    }
    return h;
}

static u64 sums(void)
{
    static s16 a[512];
    static s8 b[512];
    static s64 c[512];
    u64 h = 0;
    for (int i = 0; i < 512; i++)
        a[i] = (s16)chance(), b[i] = (s8)chance(), c[i] = (s64)chance();
    s32 dot = 0, largest = -1 << 30, count = 0;
    s64 total = 0;
    u32 bits = 0;
    for (int i = 0; i < 512; i++) {
        dot += a[i] * b[i];
        largest = a[i] > largest ? a[i] : largest;
        count += b[i] < 0;
        total += c[i] >> 3;
        bits ^= (u32)c[i] << (i & 15);
    }
    h = mix((u64)(s64)dot, (u64)(s64)largest), h = mix(h, (u64)count), h = mix(h, (u64)total), h = mix(h, bits);
    for (int i = 0; i < 511; i++) {
        int difference = a[i] - a[i + 1];
        a[i] = (s16)(difference < 0 ? -difference : difference);
        b[i] = (s8)((a[i] * 5 + 3) >> 4), c[i] = c[i] * 3 - (c[i + 1] >> 7);
    }
    for (int i = 0; i < 512; i++)
        h = mix(h, (u64)(s64)a[i]), h = mix(h, (u64)(s64)b[i]), h = mix(h, (u64)c[i]);
    return h;
}

void algorithms(void)
{
    static u8 bytes[3000];
    reseed(6);
    shuffle(), quick(array, N, up), put("algorithm/quick", hash());
    shuffle(), quick(array, N, down_signed), put("algorithm/signed", hash());
    shuffle(), heap(array, N), put("algorithm/heap", hash());
    shuffle(), radix(), put("algorithm/radix", hash());
    for (int i = 0; i < (int)sizeof bytes; i++)
        {
        u64 x = chance();
        bytes[i] = (u8)(x % 5 * (x / 5 % 7));
    }
    put("algorithm/crc32", crc32(bytes, sizeof bytes));
    put("algorithm/crc64", crc64(bytes, sizeof bytes));
    put("algorithm/digest32", digest_32(bytes, 20));
    put("algorithm/digest64", digest_64(bytes, 10));
    put("algorithm/cipher", cipher());
    put("algorithm/factorial", factorial());
    put("algorithm/sieve", sieve());
    put("algorithm/distance", (u64)distance(bytes, 150, bytes + 99, 160));
    put("algorithm/compress", compress(bytes, sizeof bytes));
    put("algorithm/sums", sums());
}
