#include "tensor/random_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MT_MIDDLE = 397 };

static_assert(sizeof(wick_generator) <= WKI_GENERATOR_BYTES, "a context has no room for its generator");

/* at::CPUGeneratorImplState: what get_state() copies out. The format is the memory of a 64-bit
 * little-endian machine, so the fields are written one by one. */
enum {
    STATE_SEED = 0,                                  /* u64 */
    STATE_LEFT = 8,                                  /* i32 */
    STATE_SEEDED = 12,                               /* i32 */
    STATE_NEXT = 16,                                 /* u64 */
    STATE_WORDS = 24,                                /* 624 times u64, of which the low half counts */
    STATE_NORMAL_X = STATE_WORDS + 8 * WKI_MT_WORDS, /* f64, unused */
    STATE_NORMAL_Y = STATE_NORMAL_X + 8,             /* f64, the cached normal */
    STATE_NORMAL_RHO = STATE_NORMAL_Y + 8,           /* f64, unused */
    STATE_HAS_NORMAL = STATE_NORMAL_RHO + 8,         /* i32, then 4 bytes of padding */
    STATE_FLOAT_NORMAL = STATE_HAS_NORMAL + 8,       /* f32 */
    STATE_HAS_FLOAT_NORMAL = STATE_FLOAT_NORMAL + 4, /* bool, then 3 bytes of padding */
};
static_assert(STATE_HAS_FLOAT_NORMAL + 4 == WICK_GENERATOR_STATE_SIZE,
              "PyTorch's state has another size");

/* ---- MT19937 ---- */

static uint32_t twist(uint32_t u, uint32_t v)
{
    uint32_t mixed = (u & UINT32_C(0x80000000)) | (v & UINT32_C(0x7fffffff));
    return (mixed >> 1) ^ (-(v & 1) & UINT32_C(0x9908b0df));
}

static void step(uint32_t state[WKI_MT_WORDS])
{
    enum { WRAP = WKI_MT_WORDS - MT_MIDDLE };
    for (int i = 0; i < WRAP; i++)
        state[i] = state[i + MT_MIDDLE] ^ twist(state[i], state[i + 1]);
    for (int i = WRAP; i < WKI_MT_WORDS - 1; i++)
        state[i] = state[i - WRAP] ^ twist(state[i], state[i + 1]);
    state[WKI_MT_WORDS - 1] = state[MT_MIDDLE - 1] ^ twist(state[WKI_MT_WORDS - 1], state[0]);
}

static void temper(const uint32_t *restrict state, uint32_t *restrict out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t word = state[i];
        word ^= word >> 11;
        word ^= (word << 7) & UINT32_C(0x9d2c5680);
        word ^= (word << 15) & UINT32_C(0xefc60000);
        out[i] = word ^ (word >> 18);
    }
}

static void start(wick_generator *generator, uint64_t seed)
{
    generator->seed = seed;
    generator->state[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < WKI_MT_WORDS; i++) {
        uint32_t before = generator->state[i - 1];
        generator->state[i] = UINT32_C(1812433253) * (before ^ (before >> 30)) + i;
    }
    generator->left = 1;
    generator->next = 0;
    generator->has_normal = generator->has_float_normal = false;
    generator->normal = generator->float_normal = 0;
    generator->seeded = true;
}

void wki_generator_words(wick_generator *generator, uint32_t *out, size_t count)
{
    while (count > 0) {
        if (generator->left <= 1) {
            step(generator->state);
            generator->left = WKI_MT_WORDS + 1;
            generator->next = 0;
        }
        size_t some = WKI_MIN(count, (size_t)generator->left - 1);
        temper(generator->state + generator->next, out, some);
        generator->left -= (int32_t)some;
        generator->next += (uint32_t)some;
        out += some;
        count -= some;
    }
}

uint32_t wick_generator_random(wick_generator *generator)
{
    uint32_t word;
    wki_generator_words(generator, &word, 1);
    return word;
}

uint64_t wick_generator_random64(wick_generator *generator)
{
    uint32_t words[2];
    wki_generator_words(generator, words, 2);
    return (uint64_t)words[0] << 32 | words[1];
}

int64_t wick_generator_random_int64(wick_generator *generator)
{
    return (int64_t)(wick_generator_random64(generator) & INT64_MAX);
}

/* ---- generators ---- */

wick_status wick_generator_new(wick_context *context, wick_generator **out)
{
    if (context == NULL || out == NULL)
        return WICK_EINVAL;
    void *memory;
    WKI_TRY(wki_alloc(context, 1, sizeof(wick_generator), "a random generator", &memory));
    wick_generator *generator = memory;
    generator->context = context;
    start(generator, WICK_DEFAULT_SEED);
    *out = generator;
    return WICK_OK;
}

void wick_generator_free(wick_generator *generator)
{
    free(generator);
}

wick_generator *wick_default_generator(wick_context *context)
{
    wick_generator *generator = context->default_generator;
    if (!generator->seeded) {
        generator->context = context;
        start(generator, WICK_DEFAULT_SEED);
    }
    return generator;
}

wick_generator *wki_generator_or_default(wick_generator *generator, wick_context *context)
{
    return generator != NULL ? generator : wick_default_generator(context);
}

void wick_manual_seed(wick_context *context, uint64_t seed)
{
    start(wick_default_generator(context), seed);
}

void wick_generator_manual_seed(wick_generator *generator, uint64_t seed)
{
    start(generator, seed);
}

uint64_t wick_generator_initial_seed(const wick_generator *generator)
{
    return generator->seed;
}

/* ---- the state as bytes ---- */

static void put(uint8_t *at, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

static uint64_t take(const uint8_t *at, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++)
        number |= (uint64_t)at[i] << (8 * i);
    return number;
}

void wick_generator_get_state(const wick_generator *generator, uint8_t state[WICK_GENERATOR_STATE_SIZE])
{
    uint64_t normal;
    uint32_t float_normal;
    memcpy(&normal, &generator->normal, sizeof(normal));
    memcpy(&float_normal, &generator->float_normal, sizeof(float_normal));

    memset(state, 0, WICK_GENERATOR_STATE_SIZE);
    put(state + STATE_SEED, generator->seed, 8);
    put(state + STATE_LEFT, (uint32_t)generator->left, 4);
    put(state + STATE_SEEDED, 1, 4);
    put(state + STATE_NEXT, generator->next, 8);
    for (size_t i = 0; i < WKI_MT_WORDS; i++)
        put(state + STATE_WORDS + 8 * i, generator->state[i], 8);
    if (generator->has_normal) {
        put(state + STATE_NORMAL_Y, normal, 8);
        put(state + STATE_HAS_NORMAL, 1, 4);
    }
    if (generator->has_float_normal) {
        put(state + STATE_FLOAT_NORMAL, float_normal, 4);
        put(state + STATE_HAS_FLOAT_NORMAL, 1, 1);
    }
}

/* PyTorch asks no more than 0 < left <= 624 and next <= 624; a state in which they do not go together
 * would make it read behind its array. */
static wick_status check_state(wick_context *context, const uint8_t *state)
{
    int32_t left = (int32_t)(uint32_t)take(state + STATE_LEFT, 4);
    uint32_t next = (uint32_t)take(state + STATE_NEXT, 4);
    if (take(state + STATE_SEEDED, 4) == 0)
        return wki_fail(context, WICK_EFORMAT,
                        "no state of a random generator: it says that it was never seeded");
    if (left < 1 || left > WKI_MT_WORDS)
        return wki_fail(context, WICK_EFORMAT,
                        "no state of a random generator: left is %d; it must be 1 to %d", left,
                        WKI_MT_WORDS);
    if (next > WKI_MT_WORDS || (uint32_t)left - 1 > WKI_MT_WORDS - next)
        return wki_fail(context, WICK_EFORMAT,
                        "no state of a random generator: next is %u where left is %d", next, left);
    return WICK_OK;
}

wick_status wick_generator_set_state(wick_generator *generator,
                                     const uint8_t state[WICK_GENERATOR_STATE_SIZE])
{
    if (generator == NULL || state == NULL)
        return WICK_EINVAL;
    WKI_TRY(check_state(generator->context, state));
    uint64_t normal = take(state + STATE_NORMAL_Y, 8);
    uint32_t float_normal = (uint32_t)take(state + STATE_FLOAT_NORMAL, 4);

    generator->seed = take(state + STATE_SEED, 8);
    generator->left = (int32_t)take(state + STATE_LEFT, 4);
    generator->next = (uint32_t)take(state + STATE_NEXT, 4);
    for (size_t i = 0; i < WKI_MT_WORDS; i++)
        generator->state[i] = (uint32_t)take(state + STATE_WORDS + 8 * i, 4);
    generator->has_normal = take(state + STATE_HAS_NORMAL, 4) != 0;
    generator->has_float_normal = state[STATE_HAS_FLOAT_NORMAL] != 0;
    memcpy(&generator->normal, &normal, sizeof(normal));
    memcpy(&generator->float_normal, &float_normal, sizeof(float_normal));
    return WICK_OK;
}
