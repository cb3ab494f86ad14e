/* Atomic operations of one thread: their results, not their order. */
#include "program.h"
#ifdef ATOMIC
#define EACH(U)                                                                                                   \
    static __attribute__((noinline)) u64 each_##U(u64 h)                                                          \
    {                                                                                                             \
        static U cells[8];                                                                                        \
        for (int i = 0; i < 400; i++) {                                                                           \
            U *p = &cells[i & 7], x = (U)chance(), old = *p;                                                      \
            h = mix(h, __atomic_fetch_add(p, x, __ATOMIC_SEQ_CST));                                               \
            h = mix(h, __atomic_sub_fetch(p, (U)(x >> 1), __ATOMIC_ACQUIRE));                                     \
            h = mix(h, __atomic_fetch_xor(p, (U)(x * 3), __ATOMIC_RELEASE));                                      \
            h = mix(h, __atomic_fetch_nand(p, (U)(x | 9), __ATOMIC_RELAXED));                                     \
            h = mix(h, __atomic_or_fetch(p, (U)(x & 6), __ATOMIC_ACQ_REL));                                       \
            h = mix(h, __atomic_compare_exchange_n(p, &old, x, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));           \
            h = mix(h, old), old = *p;                                                                            \
            h = mix(h, __atomic_compare_exchange_n(p, &old, x, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));           \
            h = mix(h, __atomic_exchange_n(p, (U)(x + (U)i), __ATOMIC_SEQ_CST));                                  \
            h = mix(h, __atomic_load_n(p, __ATOMIC_SEQ_CST));                                                     \
            __atomic_store_n(p, (U)(*p ^ x), __ATOMIC_SEQ_CST), __atomic_thread_fence(__ATOMIC_SEQ_CST);          \
            h = mix(h, *p);                                                                                       \
        }                                                                                                         \
        return h;                                                                                                 \
    }
EACH(u8)
EACH(u16)
EACH(u32)
#ifdef WIDE
EACH(u64)
#endif

void atomics(void)
{
    reseed(4);
    put("atomic/u8", each_u8(1));
    put("atomic/u16", each_u16(2));
    put("atomic/u32", each_u32(3));
#ifdef WIDE
    put("wide/atomic", each_u64(4));
#endif
}
#endif
