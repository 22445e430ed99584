/* From pixels to numbers: pixel / 255, as torchvision's ToTensor() has it. */
#ifndef WKI_PIXEL_VECTORS_H
#define WKI_PIXEL_VECTORS_H

#include "cpu/kernel_vector.h"

#include <string.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

/* Rounded as a division rounds: with a fused multiply-add the product with the reciprocal in two parts is
 * just that (all 256 are tested), at a fraction of a division's cost. */
#define RECIPROCAL      0x1.010102p-8f
#define RECIPROCAL_REST -0x1.fdfdfep-33f

ALWAYS_INLINE float pixel_float(uint8_t pixel)
{
    float value = (float)pixel;
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fmaf(value, RECIPROCAL, value * RECIPROCAL_REST);
#else
    return value / 255.0f;
#endif
}

/* A vector of pixels. gcc 12 widens bytes in two steps and by quarters of a vector where one instruction does it. */
ALWAYS_INLINE vec load_pixels(const uint8_t *pixels)
{
#if defined(__AVX512F__) && VW == 16
    __m512 value = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)pixels)));
    __m512 rest = _mm512_mul_ps(value, _mm512_set1_ps(RECIPROCAL_REST));
    return (vec)_mm512_fmadd_ps(value, _mm512_set1_ps(RECIPROCAL), rest);
#elif defined(__AVX2__) && defined(__FMA__) && VW == 8
    __m256 value = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)pixels)));
    __m256 rest = _mm256_mul_ps(value, _mm256_set1_ps(RECIPROCAL_REST));
    return (vec)_mm256_fmadd_ps(value, _mm256_set1_ps(RECIPROCAL), rest);
#elif VW == 4
    /* Between zeros twice. */
    typedef uint8_t bytes __attribute__((vector_size(16)));
    typedef uint16_t words __attribute__((vector_size(16)));
    uint32_t four;
    memcpy(&four, pixels, sizeof(four));
    const bytes b = (bytes)(ivec){(int32_t)four};
    const words w = (words)__builtin_shufflevector(b, (bytes){0}, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5,
                                                   21, 6, 22, 7, 23);
    const vec value = __builtin_convertvector(
        (ivec)__builtin_shufflevector(w, (words){0}, 0, 8, 1, 9, 2, 10, 3, 11), vec);
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    vec rest = value * RECIPROCAL_REST;
    KEEP_IN_REGISTER(rest); /* lest this product is the one that is added without rounding */
    return rest + value * RECIPROCAL;
#else
    return value / 255.0f;
#endif
#else
    vec value;
    for (int i = 0; i < VW; i++)
        value[i] = pixel_float(pixels[i]);
    return value;
#endif
}

#endif
