/* The inside of a generator, for what draws many numbers at once. */
#ifndef WKI_RANDOM_INTERNAL_H
#define WKI_RANDOM_INTERNAL_H

#include "tensor/tensor_internal.h"

enum { WKI_MT_WORDS = 624 };

struct wick_generator {
    wick_context *context;
    uint64_t seed;
    uint32_t state[WKI_MT_WORDS];
    int32_t left;  /* 1 more than how many words are there before the state must be stepped */
    uint32_t next; /* the place of the next word */
    double normal; /* the sine's half of the last pair of normals, where has_normal */
    float float_normal;
    bool has_normal, has_float_normal, seeded;
};

/* The next count words, the same as count calls of wick_generator_random(). */
void wki_generator_words(wick_generator *generator, uint32_t *out, size_t count);
/* generator, or the context's default one where it is NULL. */
wick_generator *wki_generator_or_default(wick_generator *generator, wick_context *context);

/* Turns numbers from U[0, 1) into numbers from U[low, high), as at::uniform_real_distribution does. */
void wki_uniform_scale(float *numbers, size_t count, float low, float high);
/* Turns groups of 16 numbers from U[0, 1) into numbers from N(mean, std), as at::normal_fill does. */
void wki_normal_from_uniform(float *numbers, size_t groups, float mean, float std);
/* The same two, to the bit, without the processor's fused instructions. */
void wki_uniform_scale_plain(float *numbers, size_t count, float low, float high);
void wki_normal_from_uniform_plain(float *numbers, size_t groups, float mean, float std);

#endif
