/* Vectors for the kernels, in GCC's and clang's vector types: included by the files that are
 * compiled once an instruction set, with WKI_ISA set to its short name. */
#ifndef WKI_KERNEL_VECTOR_H
#define WKI_KERNEL_VECTOR_H

#include "cpu/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define WKI_PASTE2(isa, name) wki_##isa##_##name
#define WKI_PASTE(isa, name)  WKI_PASTE2(isa, name)
/* The name of a kernel in this instruction set: wki_v3_conv2d. */
#define WKI_KERNEL(name) WKI_PASTE(WKI_ISA, name)

/* What every instruction set has one of; the table names them. */
void WKI_KERNEL(conv2d)(const wki_conv2d_call *);
void WKI_KERNEL(winograd)(const wki_winograd_call *);
void WKI_KERNEL(winograd_weights)(const wki_winograd_weights_call *);
void WKI_KERNEL(conv2d_weight_turned)(const wki_conv2d_turned_call *);
void WKI_KERNEL(winograd_gradient)(const wki_winograd_gradient_call *);
void WKI_KERNEL(winograd_gradient_few)(const wki_winograd_gradient_call *);
void WKI_KERNEL(conv2d_weight)(const wki_conv2d_weight_call *);
void WKI_KERNEL(max_pool2d)(const wki_max_pool2d_call *);
void WKI_KERNEL(max_pool2d_backward)(const wki_max_pool2d_call *);
void WKI_KERNEL(max_unpool2d)(const wki_max_unpool2d_call *);
void WKI_KERNEL(max_pool2d_columns)(const wki_max_pool2d_call *);
void WKI_KERNEL(max_pool2d_columns_backward)(const wki_max_pool2d_call *);
void WKI_KERNEL(linear)(const wki_linear_call *);
void WKI_KERNEL(linear_input)(const wki_linear_call *);
void WKI_KERNEL(linear_weight)(const wki_linear_call *);
void WKI_KERNEL(linear_update)(const wki_linear_update_call *);
void WKI_KERNEL(cross_entropy)(const wki_cross_entropy_call *);
void WKI_KERNEL(pixels_to_rows)(const wki_layout_call *);
void WKI_KERNEL(pixels_to_lanes)(const wki_layout_call *);
void WKI_KERNEL(rows_to_lanes)(const wki_layout_call *);
void WKI_KERNEL(lanes_to_rows)(const wki_layout_call *);
void WKI_KERNEL(channel_moments)(const wki_channel_call *);
void WKI_KERNEL(channel_affine)(const wki_channel_call *);
void WKI_KERNEL(channel_gradient_sums)(const wki_channel_call *);
void WKI_KERNEL(channel_affine_backward)(const wki_channel_call *);
void WKI_KERNEL(group_norm)(const wki_group_norm_call *);
void WKI_KERNEL(group_norm_backward)(const wki_group_norm_call *);
void WKI_KERNEL(layer_norm)(const wki_layer_norm_call *);
void WKI_KERNEL(layer_norm_backward)(const wki_layer_norm_call *);
void WKI_KERNEL(activation)(const wki_activation_call *);
void WKI_KERNEL(activation_backward)(const wki_activation_call *);
void WKI_KERNEL(softmax)(const wki_softmax_call *);
void WKI_KERNEL(softmax_backward)(const wki_softmax_call *);
void WKI_KERNEL(avg_pool2d)(const wki_avg_pool2d_call *);
void WKI_KERNEL(avg_pool2d_backward)(const wki_avg_pool2d_call *);
void WKI_KERNEL(dropout)(const wki_dropout_call *);
void WKI_KERNEL(grid_sum)(const wki_grid_sum_call *);
void WKI_KERNEL(relu)(float *, size_t);
void WKI_KERNEL(relu_backward)(const float *, float *, size_t);
void WKI_KERNEL(sum_parts)(float *, const float *, int, size_t, size_t);
void WKI_KERNEL(add)(float *, const float *, size_t);
void WKI_KERNEL(sgd)(float *, const float *, size_t, float);
void WKI_KERNEL(sgd_momentum)(const wki_update_call *);
void WKI_KERNEL(sgd_decay)(const wki_update_call *);
void WKI_KERNEL(adam)(const wki_update_call *);
void WKI_KERNEL(lerp)(float *, const float *, size_t, float);
void WKI_KERNEL(scale)(float *, size_t, float);
double WKI_KERNEL(sum_squares)(const float *, size_t);

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define UNROLL        _Pragma("GCC unroll 32")

/* Floats in a vector, and vector registers. The tests set both, to run the shapes of processors
 * that are not there. */
#if defined(VW) && defined(REGISTERS)
#elif defined(__AVX512F__)
#define VW        16
#define REGISTERS 32
#elif defined(__AVX__)
#define VW        8
#define REGISTERS 16
#elif defined(__aarch64__)
#define VW        4
#define REGISTERS 32
#else
#define VW        4
#define REGISTERS 16
#endif
/* Vectors in a block of lanes. */
#define VPB (16 / VW)
/* Vectors that hold half of the lanes; 0 where one vector holds them all. */
#define HALF (VPB / 2)

/* In a product of matrices, the most channels whose sums are in registers at a time, of so many blocks of lanes: at
 * least 8 vectors of sums keep two multiply-add units of latency 4 busy, and a number that is multiplied with several
 * vectors is read once. FOR_PRODUCT_CHANNELS(F) is F(1) F(2) ... */
#define FOR_1_OR_2(F)  F(1) F(2)
#define FOR_1_TO_5(F)  FOR_1_OR_2(F) F(3) F(4) F(5)
#define FOR_1_TO_6(F)  FOR_1_TO_5(F) F(6)
#define FOR_1_TO_10(F) FOR_1_TO_6(F) F(7) F(8) F(9) F(10)
#if REGISTERS == 32 && VPB == 1
#define PRODUCT_BLOCKS          2
#define PRODUCT_CHANNELS        12
#define FOR_PRODUCT_CHANNELS(F) FOR_1_TO_10(F) F(11) F(12)
#elif REGISTERS == 32 || VPB == 2
#define PRODUCT_BLOCKS          1
#define PRODUCT_CHANNELS        6
#define FOR_PRODUCT_CHANNELS(F) FOR_1_TO_6(F)
#else
#define PRODUCT_BLOCKS          1
#define PRODUCT_CHANNELS        2
#define FOR_PRODUCT_CHANNELS(F) FOR_1_OR_2(F)
#endif

typedef float vec __attribute__((vector_size(VW * 4), may_alias));
typedef float vec_unaligned __attribute__((vector_size(VW * 4), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(VW * 4), may_alias));
typedef int32_t ivec_unaligned __attribute__((vector_size(VW * 4), aligned(4), may_alias));

/* Four numbers, wherever they are: what is turned is turned in fours, whatever the width of a vector. */
typedef float vec4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t ivec4 __attribute__((vector_size(16), may_alias));

/* Makes the compiler load a vector once and keep it, where it would rather read it again for every
 * use. */
#if defined(__AVX512F__)
#define KEEP_IN_REGISTER(vector) __asm__("" : "+v"(vector))
#elif defined(__x86_64__) && VW < 16
#define KEEP_IN_REGISTER(vector) __asm__("" : "+x"(vector))
#elif defined(__aarch64__) && VW == 4
#define KEEP_IN_REGISTER(vector) __asm__("" : "+w"(vector))
#else
#define KEEP_IN_REGISTER(vector) ((void)0)
#endif

/* Makes the compiler forget how a pointer came about, where it would rather keep twenty that are a known distance apart
 * than add to one. */
#define FORGET_ORIGIN(pointer) __asm__("" : "+r"(pointer))

ALWAYS_INLINE vec load(const float *from)
{
    return *(const vec_unaligned *)from;
}

ALWAYS_INLINE void store(float *to, vec value)
{
    *(vec_unaligned *)to = value;
}

ALWAYS_INLINE vec splat(float value)
{
    return value - (vec){0};
}

#if VPB == 1
typedef float half_vec __attribute__((vector_size(VW * 2), aligned(4), may_alias));

/* Half of the lanes of one block, and then of another. */
ALWAYS_INLINE vec join_halves(const float *first, const float *second)
{
    const half_vec a = *(const half_vec *)first, b = *(const half_vec *)second;
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

/* One of the halves, followed by zeros. */
ALWAYS_INLINE vec first_half(vec value)
{
    return __builtin_shufflevector(value, (vec){0}, 0, 1, 2, 3, 4, 5, 6, 7, 16, 16, 16, 16, 16, 16, 16,
                                   16);
}

ALWAYS_INLINE vec second_half(vec value)
{
    return __builtin_shufflevector(value, (vec){0}, 8, 9, 10, 11, 12, 13, 14, 15, 16, 16, 16, 16, 16, 16,
                                   16, 16);
}
#endif

/* A vector of one block's lanes or, of `two`, half of the lanes of each, where that is a vector. */
ALWAYS_INLINE vec load_lanes(const float *first, const float *second, const bool two)
{
#if VPB == 1
    if (two)
        return join_halves(first, second);
#endif
    (void)second;
    (void)two;
    return load(first);
}

/* Four rows of four become columns. */
ALWAYS_INLINE void transpose4(vec4 r[4])
{
    vec4 s[4];
    s[0] = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
    s[1] = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
    s[2] = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
    s[3] = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
    r[0] = __builtin_shufflevector(s[0], s[2], 0, 1, 4, 5);
    r[1] = __builtin_shufflevector(s[0], s[2], 2, 3, 6, 7);
    r[2] = __builtin_shufflevector(s[1], s[3], 0, 1, 4, 5);
    r[3] = __builtin_shufflevector(s[1], s[3], 2, 3, 6, 7);
}

#if VPB == 1
/* Sixteen rows of sixteen become columns: first four by four within quarters, then the quarters. */
ALWAYS_INLINE void transpose16(vec r[16])
{
    vec s[16];
    UNROLL for (int i = 0; i < 16; i += 4)
    {
        const vec a = __builtin_shufflevector(r[i], r[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25,
                                              12, 28, 13, 29);
        const vec b = __builtin_shufflevector(r[i], r[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27,
                                              14, 30, 15, 31);
        const vec c = __builtin_shufflevector(r[i + 2], r[i + 3], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9,
                                              25, 12, 28, 13, 29);
        const vec d = __builtin_shufflevector(r[i + 2], r[i + 3], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11,
                                              27, 14, 30, 15, 31);
        s[i] = __builtin_shufflevector(a, c, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
        s[i + 1] =
            __builtin_shufflevector(a, c, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
        s[i + 2] =
            __builtin_shufflevector(b, d, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
        s[i + 3] =
            __builtin_shufflevector(b, d, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    }
    UNROLL for (int i = 0; i < 4; i++)
    {
        const vec a = __builtin_shufflevector(s[i], s[4 + i], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19,
                                              24, 25, 26, 27);
        const vec b = __builtin_shufflevector(s[i], s[4 + i], 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23,
                                              28, 29, 30, 31);
        const vec c = __builtin_shufflevector(s[8 + i], s[12 + i], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18,
                                              19, 24, 25, 26, 27);
        const vec d = __builtin_shufflevector(s[8 + i], s[12 + i], 4, 5, 6, 7, 12, 13, 14, 15, 20, 21,
                                              22, 23, 28, 29, 30, 31);
        r[i] = __builtin_shufflevector(a, c, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
        r[4 + i] =
            __builtin_shufflevector(b, d, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
        r[8 + i] =
            __builtin_shufflevector(a, c, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
        r[12 + i] =
            __builtin_shufflevector(b, d, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    }
}
#endif

/* condition's lanes are all ones or all zeros. */
ALWAYS_INLINE vec select_vec(ivec condition, vec yes, vec no)
{
    return (vec)((condition & (ivec)yes) | (~condition & (ivec)no));
}

/* torch.relu: a NaN stays one. By one instruction where there is one with the same rules (the second operand if one is a
 * NaN or both are 0), which C has no expression for: a Winograd tile's way back takes 16 instead of 19 ns. */
ALWAYS_INLINE vec relu_vec(vec value)
{
#if VW == 16 && defined(__AVX512F__)
    return (vec)_mm512_max_ps((__m512){0}, (__m512)value);
#elif VW == 8 && defined(__AVX__)
    return (vec)_mm256_max_ps((__m256){0}, (__m256)value);
#elif VW == 4 && defined(__x86_64__)
    return (vec)_mm_max_ps((__m128){0}, (__m128)value);
#else
    return (vec)(~(value < 0.0f) & (ivec)value);
#endif
}

/* The larger one; that, if x is a NaN or they are the same. By one instruction, likewise. */
ALWAYS_INLINE vec larger_vec(vec x, vec that)
{
#if VW == 16 && defined(__AVX512F__)
    return (vec)_mm512_max_ps((__m512)x, (__m512)that);
#elif VW == 8 && defined(__AVX__)
    return (vec)_mm256_max_ps((__m256)x, (__m256)that);
#elif VW == 4 && defined(__x86_64__)
    return (vec)_mm_max_ps((__m128)x, (__m128)that);
#else
    return select_vec(x > that, x, that);
#endif
}

ALWAYS_INLINE vec4 relu_vec4(vec4 value)
{
    return (vec4)(~(value < 0.0f) & (ivec4)value);
}

/* The gradient where the value that a ReLU gave is positive (or NaN), else 0. */
ALWAYS_INLINE vec mask_vec(vec value, vec gradient)
{
    return (vec)(~(value <= 0.0f) & (ivec)gradient);
}

/* sum + a * b for what is left of a vector, rounded as in the vectors. Said outright where there is
 * an instruction for it: a loop that gcc makes into vectors on its own has its products rounded
 * before they are added in order. */
ALWAYS_INLINE float multiply_add(float sum, float a, float b)
{
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fmaf(a, b, sum);
#else
    return sum + a * b;
#endif
}

ALWAYS_INLINE vec4 sum_quarters(const float lanes[WKI_LANES])
{
    const vec4 *quarter = (const vec4 *)lanes;
    return (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
}

/* The sum of 16 numbers, always as the same tree. */
ALWAYS_INLINE float sum_lanes(const float lanes[WKI_LANES])
{
    vec4 s = sum_quarters(lanes);
    return (s[0] + s[2]) + (s[1] + s[3]);
}

/* The same of four times 16 at once. */
ALWAYS_INLINE vec4 sum_lanes_of_four(const float *a, const float *b, const float *c, const float *d)
{
    vec4 s[4] = {sum_quarters(a), sum_quarters(b), sum_quarters(c), sum_quarters(d)};
    transpose4(s);
    return (s[0] + s[2]) + (s[1] + s[3]);
}

#if VPB == 1
/* What sum_quarters() makes of four blocks of lanes, one in each quarter. */
ALWAYS_INLINE vec sum_quarters_of_four(vec a, vec b, vec c, vec d)
{
    const vec ab =
        __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
        __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    const vec cd =
        __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
        __builtin_shufflevector(c, d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    return __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
           __builtin_shufflevector(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}

/* The last two steps, within quarters: first and third, second and fourth number; then these. */
ALWAYS_INLINE vec add_second_half_of_quarters(vec a, vec b)
{
    return __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
           __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
}

ALWAYS_INLINE vec add_odd_numbers(vec a, vec b)
{
    return __builtin_shufflevector(a, b, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30) +
           __builtin_shufflevector(a, b, 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31);
}
#endif

/* sum_lanes() of as many times 16 numbers as go well at once. */
#if VPB == 1
enum { SUMS_AT_ONCE = 16 };
ALWAYS_INLINE void sum_lanes_at_once(const float (*lanes)[WKI_LANES], float *sums)
{
    vec s[4];
    UNROLL for (int i = 0; i < 4; i++) s[i] = sum_quarters_of_four(
        load(lanes[i]), load(lanes[4 + i]), load(lanes[8 + i]), load(lanes[12 + i]));
    store(sums, add_odd_numbers(add_second_half_of_quarters(s[0], s[1]),
                                add_second_half_of_quarters(s[2], s[3])));
}
#else
enum { SUMS_AT_ONCE = 4 };
ALWAYS_INLINE void sum_lanes_at_once(const float (*lanes)[WKI_LANES], float *sums)
{
    *(vec4 *)sums = sum_lanes_of_four(lanes[0], lanes[1], lanes[2], lanes[3]);
}
#endif

#endif
