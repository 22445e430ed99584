/* What the processor can do at best with one instruction set: multiply-adds on registers, and reading.
 * Compiled once an instruction set, as the kernels are and with their flags. */
#include "cpu/kernel_vector.h"

#include "bench/bench_internal.h"

/* With two to four multiply-adds begun in a cycle and each done after four cycles, so many sums keep all
 * units busy; with the two operands they fill the registers but for a few. */
#if REGISTERS == 32
#define SUMS 24
#else
#define SUMS 12
#endif
enum { UNROLLED = 4 };

/* The form that is one instruction, or else a product and a sum of which neither can be done once for
 * all. */
#if defined(__aarch64__)
#define MULTIPLY_ADD(sum, a, b) ((sum) + (a) * (b))
#else
#define MULTIPLY_ADD(sum, a, b) ((sum) * (a) + (b))
#endif

/* The operands are hidden from the compiler so that it must do the work. */
#if defined(__x86_64__)
#define HIDE(vector) __asm__ volatile("" : "+x"(vector))
#elif defined(__aarch64__)
#define HIDE(vector) __asm__ volatile("" : "+w"(vector))
#else
#define HIDE(vector) ((void)0)
#endif

static float multiply(int64_t rounds)
{
    vec sum[SUMS], a = splat(0.5f), b = splat(0.25f);
    UNROLL for (int i = 0; i < SUMS; i++) sum[i] = splat((float)i);
    for (int64_t r = 0; r < rounds; r++) {
        UNROLL for (int u = 0; u < UNROLLED; u++)
        {
            UNROLL for (int i = 0; i < SUMS; i++) sum[i] = MULTIPLY_ADD(sum[i], a, b);
            HIDE(a);
            HIDE(b);
        }
    }
    vec all = sum[0];
    UNROLL for (int i = 1; i < SUMS; i++) all += sum[i];
    return all[0];
}

static float read_numbers(const float *numbers, size_t count)
{
    enum { AT_ONCE = 8 };
    vec sum[AT_ONCE] = {0};
    for (size_t i = 0; i < count; i += AT_ONCE * VW)
        UNROLL for (int v = 0; v < AT_ONCE; v++) sum[v] += load(numbers + i + (size_t)(v * VW));
    vec all = sum[0];
    for (int v = 1; v < AT_ONCE; v++)
        all += sum[v];
    return all[0];
}

extern const wki_peak WKI_KERNEL(peak);
const wki_peak WKI_KERNEL(peak) = {
    .name = WKI_ISA_NAME,
    .multiply_adds = (double)SUMS * UNROLLED * VW,
    .multiply = multiply,
    .read = read_numbers,
};
