/* PyTorch's random numbers on the CPU: the same seed gives the same numbers, to the last bit.
 *
 * The generator is MT19937 as at::CPUGeneratorImpl uses it
 * (https://pytorch.org/docs/stable/generated/torch.Generator.html). Where a function takes a
 * generator, NULL means the context's default one.
 *
 * Measured against PyTorch 2.15 and 1.13 on x86-64 with AVX2, every call below on ten seeds, randn
 * and uniform_ on millions of numbers: the largest difference is 0 units in the last place. wick
 * gives these bits on every processor; PyTorch without AVX2 rounds otherwise (randn by up to 3e-6).
 * The two versions differ in this, and wick goes with 2.15: 1.13 takes 32 bits a number for
 * integers of a range from 2^28 to below 2^32, leaves a uniform number that rounding brought up to
 * high, permutes 214,748,364 or more another way, and at times keeps other last bits of the cached
 * normal in get_state().
 */
#ifndef WICK_RANDOM_H
#define WICK_RANDOM_H

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wick_generator wick_generator;

/* PyTorch's default seed, 67280421310721: what a new generator starts from. */
#define WICK_DEFAULT_SEED UINT64_C(67280421310721)

/* The size in bytes of torch.Generator.get_state() on the CPU. */
enum { WICK_GENERATOR_STATE_SIZE = 5056 };

/* torch.Generator(): a generator of its own, seeded with WICK_DEFAULT_SEED. Owned. */
WICK_API wick_status wick_generator_new(wick_context *context, wick_generator **out);
WICK_API void wick_generator_free(wick_generator *generator);
/* torch.default_generator. Borrowed from the context; never to be freed. Never NULL. */
WICK_API wick_generator *wick_default_generator(wick_context *context);
/* torch.manual_seed(seed): seeds the context's default generator. */
WICK_API void wick_manual_seed(wick_context *context, uint64_t seed);
/* Generator.manual_seed(seed). */
WICK_API void wick_generator_manual_seed(wick_generator *generator, uint64_t seed);
WICK_API uint64_t wick_generator_initial_seed(const wick_generator *generator);

/* get_state() and set_state(): PyTorch's own bytes, so a state passes between the two.
 * Errors: WICK_EFORMAT if the bytes are not a state; the generator stays as it was. */
WICK_API void wick_generator_get_state(const wick_generator *generator,
                                       uint8_t state[WICK_GENERATOR_STATE_SIZE]);
WICK_API wick_status wick_generator_set_state(wick_generator *generator,
                                              const uint8_t state[WICK_GENERATOR_STATE_SIZE]);

/* The next 32 and 64 bits (CPUGeneratorImpl::random, random64). */
WICK_API uint32_t wick_generator_random(wick_generator *generator);
WICK_API uint64_t wick_generator_random64(wick_generator *generator);
/* torch.empty((), dtype=torch.int64).random_(): 0 to 2^63 - 1. What DataLoader draws its seeds with. */
WICK_API int64_t wick_generator_random_int64(wick_generator *generator);

/* Fills a float32 tensor from U[low, high) (Tensor.uniform_), from N(mean, std) (Tensor.normal_,
 * which goes another way below 16 elements than from 16 on, as PyTorch does); an int64 or uint8
 * tensor with integers in [low, high) (Tensor.random_(low, high)).
 * Errors: WICK_EINVAL for another dtype, low > high (low >= high for integers), high - low above
 * the largest float, integers that do not fit a uint8 tensor, a negative std; no number is drawn
 * then. */
WICK_API wick_status wick_tensor_uniform(wick_tensor *tensor, wick_generator *generator, double low,
                                         double high);
WICK_API wick_status wick_tensor_normal(wick_tensor *tensor, wick_generator *generator, double mean,
                                        double std);
WICK_API wick_status wick_tensor_random(wick_tensor *tensor, wick_generator *generator, int64_t low,
                                        int64_t high);

/* torch.rand, torch.randn (float32), torch.randint(low, high) and torch.randperm(n) (int64). Owned. */
WICK_API wick_status wick_rand(wick_context *context, wick_generator *generator, int ndim,
                               const int64_t *shape, wick_tensor **out);
WICK_API wick_status wick_randn(wick_context *context, wick_generator *generator, int ndim,
                                const int64_t *shape, wick_tensor **out);
WICK_API wick_status wick_randint(wick_context *context, wick_generator *generator, int64_t low,
                                  int64_t high, int ndim, const int64_t *shape, wick_tensor **out);
WICK_API wick_status wick_randperm(wick_context *context, wick_generator *generator, int64_t n,
                                   wick_tensor **out);

#ifdef __cplusplus
}
#endif
#endif
