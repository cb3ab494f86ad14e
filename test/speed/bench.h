/* What a kernel is, and what kernels share. Results mean the same on every processor: no byte order, no size of long,
 * no order of evaluation, no fused multiplication unless asked for. */
#include <stddef.h>
#include <stdint.h>

/* One kernel. */
struct kernel {
    const char *name;
    const char *group;              /* integer, memory, scalar, vector, system or apart */
    const char *unit;               /* what an operation is */
    uint32_t operations;            /* of one iteration */
    uint32_t (*prepare)(void);      /* its data, once; 0 where the machine cannot. May be null */
    uint64_t (*run)(uint32_t n);    /* n iterations; what they computed. Null where the processor cannot */
    void (*finish)(void);           /* gives its data back. May be null */
};

extern const struct kernel integer_kernels[], memory_kernels[], scalar_kernels[], vector_kernels[], parallel_kernels[],
    system_kernels[];

/* Memory of its own, zero; never null. */
void *allocate(size_t bytes);
/* Gives back all that was allocated. */
void release_all(void);
/* The next of a sequence of numbers that only the calls since the last `allocate` decide. */
uint32_t random32(void);
/* Ends the run with a message. */
void fail(const char *what);
/* The program again, in a way that ends at once. */
void execute_self(void);
/* Keeps the calling thread on one of the processors, counted from 0; whether there is such a one. */
int use_processor(int number);

/* One more value in a digest. */
static inline uint64_t mix(uint64_t digest, uint64_t value)
{
    return (digest ^ value) * 0x9e3779b97f4a7c15u + (digest >> 29);
}

/* The bits of a double. */
static inline uint64_t bits(double value)
{
    union { double d; uint64_t u; } both = { .d = value };
    return both.u;
}

/* Hides from the compiler where a value came from. */
#define HIDE(value) __asm__ volatile("" : "+r"(value) : : "memory")
