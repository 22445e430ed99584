/* src/tensor/random*.c: what tests/oracle/random_numbers.c, which compares the numbers, does not look
 * at. */
#include "tensor/random_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static int make_context(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

static wick_generator *make_generator(wick_context *context)
{
    wick_generator *generator;
    assert_int_equal(wick_generator_new(context, &generator), WICK_OK);
    return generator;
}

static wick_tensor *make_tensor(wick_context *context, wick_dtype dtype, int64_t count)
{
    wick_tensor *tensor;
    assert_int_equal(wick_tensor_new(context, dtype, 1, &count, &tensor), WICK_OK);
    return tensor;
}

static uint64_t random_seed(const char *test)
{
    uint64_t seed = (uint64_t)time(NULL);
    print_message("%s: seed %llu\n", test, (unsigned long long)seed);
    return seed;
}

static void assert_same_bits(const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(a + i, b + i, sizeof(*a)) != 0)
            fail_msg("number %zu is %a and %a", i, (double)a[i], (double)b[i]);
}

/* ---- generators ---- */

static void test_default_seed(void **state)
{
    wick_context *context = *state;
    wick_generator *own = make_generator(context), *shared = wick_default_generator(context);
    assert_int_equal(wick_generator_initial_seed(own), 67280421310721);
    assert_int_equal(wick_generator_initial_seed(shared), 67280421310721);
    assert_ptr_equal(wick_default_generator(context), shared);
    assert_int_equal(wick_generator_random(own), wick_generator_random(shared));
    wick_manual_seed(context, 42);
    assert_int_equal(wick_generator_initial_seed(shared), 42);
    assert_int_equal(wick_generator_initial_seed(own), 67280421310721);
    wick_generator_manual_seed(own, 42);
    assert_int_equal(wick_generator_random64(own), wick_generator_random64(shared));
    wick_generator_free(own);
    wick_generator_free(NULL);
}

/* MT19937's own first numbers, and its 10,000th, which the C++ standard names. */
static void test_engine(void **state)
{
    wick_generator *generator = make_generator(*state);
    wick_generator_manual_seed(generator, 5489);
    assert_int_equal(wick_generator_random(generator), 3499211612);
    assert_int_equal(wick_generator_random64(generator),
                     UINT64_C(581869302) << 32 | UINT64_C(3890346734));
    for (int i = 3; i < 9999; i++)
        wick_generator_random(generator);
    assert_int_equal(wick_generator_random(generator), 4123659995);
    wick_generator_free(generator);
}

static void test_words(void **state)
{
    uint64_t seed = random_seed("words");
    wick_generator *one = make_generator(*state), *many = make_generator(*state);
    uint32_t words[2000];
    wick_generator_manual_seed(one, seed);
    wick_generator_manual_seed(many, seed);
    for (size_t count = 0; count < WKI_COUNT(words); count = count * 2 + 1) {
        wki_generator_words(many, words, count);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(words[i], wick_generator_random(one));
    }
    wick_generator_free(one);
    wick_generator_free(many);
}

static void set_u32(uint8_t *state, int at, uint32_t number)
{
    memcpy(state + at, &number, sizeof(number));
}

static void test_set_state_refuses(void **state)
{
    enum { LEFT = 8, SEEDED = 12, NEXT = 16 };
    static const struct {
        int at;
        uint32_t number;
    } breaks[] = {{SEEDED, 0},        {LEFT, 0},   {LEFT, 625}, {LEFT, UINT32_C(0x80000000)},
                  {LEFT, UINT32_MAX}, {NEXT, 625}, {NEXT, 624}, {LEFT, 624},
                  {NEXT, UINT32_MAX}};
    uint8_t before[WICK_GENERATOR_STATE_SIZE], bytes[WICK_GENERATOR_STATE_SIZE],
        after[WICK_GENERATOR_STATE_SIZE];
    wick_generator *generator = make_generator(*state);
    for (int i = 0; i < 100; i++)
        wick_generator_random(generator);
    wick_generator_get_state(generator, before);
    for (size_t i = 0; i < WKI_COUNT(breaks); i++) {
        memcpy(bytes, before, sizeof(bytes));
        set_u32(bytes, breaks[i].at, breaks[i].number);
        if (wick_generator_set_state(generator, bytes) != WICK_EFORMAT)
            fail_msg("%u at byte %d was taken", breaks[i].number, breaks[i].at);
        wick_generator_get_state(generator, after);
        assert_memory_equal(before, after, sizeof(after));
    }
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(wick_generator_set_state(generator, bytes), WICK_EFORMAT);
    assert_string_equal(wick_context_message(*state),
                        "no state of a random generator: it says that it was never seeded");
    /* What PyTorch takes though it does not make it: fewer numbers left than there are, cached
     * normals. */
    memcpy(bytes, before, sizeof(bytes));
    set_u32(bytes, LEFT, 3);
    bytes[5052] = 1;
    assert_int_equal(wick_generator_set_state(generator, bytes), WICK_OK);
    wick_generator_get_state(generator, after);
    assert_memory_equal(bytes, after, sizeof(after));
    wick_generator_free(generator);
}

/* ---- filling ---- */

static void test_fused_and_plain(void **state)
{
    enum { COUNT = 16 * 1000 };
    uint64_t seed = random_seed("fused and plain");
    static float fused[COUNT], plain[COUNT];
    wick_tensor *uniform;
    const int64_t count = COUNT;
    wick_manual_seed(*state, seed);
    assert_int_equal(wick_rand(*state, NULL, 1, &count, &uniform), WICK_OK);
    float *numbers = wick_tensor_f32(uniform);
    numbers[0] = 0; /* the ends of the range */
    numbers[1] = numbers[9] = 1 - 0x1p-24f;
    numbers[8] = 0;

    memcpy(fused, numbers, sizeof(fused));
    memcpy(plain, numbers, sizeof(plain));
    wki_normal_from_uniform(fused, COUNT / 16, -1, 3);
    wki_normal_from_uniform_plain(plain, COUNT / 16, -1, 3);
    assert_same_bits(fused, plain, COUNT);

    memcpy(fused, numbers, sizeof(fused));
    memcpy(plain, numbers, sizeof(plain));
    wki_uniform_scale(fused, COUNT - 3, -0.1f, 0.2f);
    wki_uniform_scale_plain(plain, COUNT - 3, -0.1f, 0.2f);
    assert_same_bits(fused, plain, COUNT);
    wick_tensor_free(uniform);
}

/* The Box-Muller pairs are right, not only PyTorch's: against libm in double. */
static void test_normals_are_right(void **state)
{
    enum { COUNT = 16 * 500 };
    uint64_t seed = random_seed("normals");
    wick_tensor *uniform, *normal;
    const int64_t count = COUNT;
    wick_manual_seed(*state, seed);
    assert_int_equal(wick_rand(*state, NULL, 1, &count, &uniform), WICK_OK);
    wick_manual_seed(*state, seed);
    assert_int_equal(wick_randn(*state, NULL, 1, &count, &normal), WICK_OK);
    const float *u = wick_tensor_f32(uniform), *n = wick_tensor_f32(normal);
    for (int i = 0; i < COUNT; i++) {
        const float *group = u + i / 16 * 16;
        double radius = sqrt(-2 * log1p(-(double)group[i % 8]));
        double angle = 6.283185307179586476925286766559 * (double)group[i % 8 + 8];
        double wanted = radius * (i % 16 < 8 ? cos(angle) : sin(angle));
        if (!(fabs((double)n[i] - wanted) <
              4e-6)) /* the angle is a float too: 2.4e-7 of it times the radius */
            fail_msg("number %d is %a; it should be %a", i, (double)n[i], wanted);
    }
    wick_tensor_free(uniform);
    wick_tensor_free(normal);
}

static void test_uniform_below_high(void **state)
{
    const float high = 1.0000002f;
    wick_tensor *tensor = make_tensor(*state, WICK_FLOAT32, 10000);
    wick_manual_seed(*state, 1);
    assert_int_equal(wick_tensor_uniform(tensor, NULL, 1, (double)high), WICK_OK);
    for (int i = 0; i < 10000; i++)
        assert_true(wick_tensor_f32(tensor)[i] >= 1 && wick_tensor_f32(tensor)[i] < high);
    wick_tensor_free(tensor);
}

static void test_own_generator(void **state)
{
    wick_context *context = *state;
    wick_generator *generator = make_generator(context);
    wick_tensor *own, *shared;
    const int64_t count = 50;
    uint8_t before[WICK_GENERATOR_STATE_SIZE], after[WICK_GENERATOR_STATE_SIZE];
    wick_generator_manual_seed(generator, 3);
    wick_generator_get_state(wick_default_generator(context), before);
    assert_int_equal(wick_randn(context, generator, 1, &count, &own), WICK_OK);
    wick_generator_get_state(wick_default_generator(context), after);
    assert_memory_equal(before, after, sizeof(after));
    wick_manual_seed(context, 3);
    assert_int_equal(wick_randn(context, NULL, 1, &count, &shared), WICK_OK);
    assert_same_bits(wick_tensor_f32(own), wick_tensor_f32(shared), 50);
    wick_tensor_free(own);
    wick_tensor_free(shared);
    wick_generator_free(generator);
}

static void test_randperm(void **state)
{
    uint64_t seed = random_seed("randperm");
    wick_tensor *tensor;
    wick_manual_seed(*state, seed);
    for (int64_t n = 0; n < 2000; n = n * 2 + 1) {
        uint8_t seen[2048] = {0};
        assert_int_equal(wick_randperm(*state, NULL, n, &tensor), WICK_OK);
        assert_int_equal(wick_tensor_numel(tensor), n);
        for (int64_t i = 0; i < n; i++) {
            int64_t place = wick_tensor_i64(tensor)[i];
            assert_true(place >= 0 && place < n);
            assert_int_equal(seen[place]++, 0);
        }
        wick_tensor_free(tensor);
    }
}

static void test_fill_refuses(void **state)
{
    wick_context *context = *state;
    wick_tensor *floats = make_tensor(context, WICK_FLOAT32, 3),
                *bytes = make_tensor(context, WICK_UINT8, 3);
    wick_tensor *integers = make_tensor(context, WICK_INT64, 3), *out = NULL;
    uint8_t before[WICK_GENERATOR_STATE_SIZE], after[WICK_GENERATOR_STATE_SIZE];
    wick_generator_get_state(wick_default_generator(context), before);
    const wick_status results[] = {
        wick_tensor_uniform(bytes, NULL, 0, 1),           wick_tensor_uniform(floats, NULL, 1, 0),
        wick_tensor_uniform(floats, NULL, NAN, 1),        wick_tensor_uniform(floats, NULL, -3e38, 3e38),
        wick_tensor_normal(integers, NULL, 0, 1),         wick_tensor_normal(floats, NULL, 0, -1),
        wick_tensor_normal(floats, NULL, 0, NAN),         wick_tensor_random(floats, NULL, 0, 2),
        wick_tensor_random(integers, NULL, 2, 2),         wick_tensor_random(bytes, NULL, 0, 257),
        wick_tensor_random(bytes, NULL, -1, 5),           wick_tensor_random(NULL, NULL, 0, 5),
        wick_randint(context, NULL, 5, 4, 0, NULL, &out), wick_randperm(context, NULL, -1, &out),
        wick_rand(context, NULL, -1, NULL, &out),         wick_randn(context, NULL, 9, NULL, &out),
    };
    for (size_t i = 0; i < WKI_COUNT(results); i++)
        if (results[i] != WICK_EINVAL)
            fail_msg("call %zu gave %s", i, wick_status_name(results[i]));
    assert_null(out);
    wick_generator_get_state(wick_default_generator(context), after);
    assert_memory_equal(before, after, sizeof(after));
    assert_int_equal(wick_tensor_uniform(floats, NULL, 2, 2), WICK_OK);
    assert_true(wick_tensor_f32(floats)[2] == 2);
    wick_tensor_free(floats);
    wick_tensor_free(bytes);
    wick_tensor_free(integers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_default_seed, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_engine, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_words, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_set_state_refuses, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_fused_and_plain, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_normals_are_right, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_uniform_below_high, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_own_generator, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_randperm, make_context, free_context),
        cmocka_unit_test_setup_teardown(test_fill_refuses, make_context, free_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
