/* Dropout: how much it drops, what of, and that backward drops the same. */
#include "base/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

static void must(wick_context *context, wick_status status)
{
    if (status != WICK_OK)
        fail_msg("%s: %s", wick_status_name(status), wick_context_message(context));
}

static wick_tensor *ones(wick_context *context, int ndim, const int64_t *shape)
{
    wick_tensor *tensor;
    must(context, wick_tensor_new(context, WICK_FLOAT32, ndim, shape, &tensor));
    for (int64_t i = 0; i < wick_tensor_numel(tensor); i++)
        wick_tensor_f32(tensor)[i] = 1.0f;
    return tensor;
}

/* The layer after the seed on ones, forward and its gradient backward. */
static void run(const char *text, int threads, int ndim, const int64_t *shape, bool training,
                wick_tensor **output, wick_tensor **back)
{
    wick_context *context;
    wick_module *module;
    must(NULL, wick_context_new(&context));
    context->work_per_thread = 1.0;
    must(context, wick_context_set_threads(context, threads));
    must(context, wick_layer_parse(context, text, &module));
    wick_manual_seed(context, 42);
    if (!training)
        wick_module_eval(module);
    wick_tensor *input = ones(context, ndim, shape);
    must(context, wick_module_forward(module, input, output));
    if (training)
        must(context, wick_module_backward(module, input, back));
    wick_tensor_free(input);
    wick_module_free(module);
    wick_context_free(context);
}

static double share_of_zeros(const wick_tensor *tensor, float kept)
{
    int64_t zeros = 0;
    for (int64_t i = 0; i < wick_tensor_numel(tensor); i++) {
        float number = wick_tensor_f32((wick_tensor *)tensor)[i];
        assert_true(number == 0.0f || number == kept);
        zeros += number == 0.0f;
    }
    return (double)zeros / (double)wick_tensor_numel(tensor);
}

static void test_share(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double p;
    } cases[] = {{"Dropout(p=0.1)", 0.1}, {"Dropout()", 0.5}, {"Dropout(p=0.9)", 0.9}};
    static const int64_t shapes[][4] = {{100, 10, 28, 28}, {3, 7, 40, 41}};
    for (size_t i = 0; i < WKI_COUNT(cases); i++)
        for (size_t s = 0; s < WKI_COUNT(shapes); s++) {
            wick_tensor *output, *back;
            run(cases[i].text, 2, 4, shapes[s], true, &output, &back);
            double share = share_of_zeros(output, (float)(1.0 / (1.0 - cases[i].p)));
            /* Five standard deviations of a binomial's share. */
            double n = (double)wick_tensor_numel(output);
            double room = 5.0 * sqrt(cases[i].p * (1.0 - cases[i].p) / n);
            if (fabs(share - cases[i].p) > room)
                fail_msg("%s drops %g, not %g", cases[i].text, share, cases[i].p);
            assert_memory_equal(wick_tensor_data(output), wick_tensor_data(back),
                                (size_t)wick_tensor_numel(output) * sizeof(float));
            wick_tensor_free(output);
            wick_tensor_free(back);
        }
}

/* An image's numbers do not depend on threads, nor on how many images come after it; the sizes here go
 * by both layouts. */
static void test_same(void **state)
{
    (void)state;
    static const char *const texts[] = {"Dropout(p=0.4)", "Dropout2d(p=0.4)"};
    static const int64_t counts[] = {40, 17, 16, 5, 1};
    for (size_t t = 0; t < WKI_COUNT(texts); t++) {
        wick_tensor *whole, *back;
        run(texts[t], 1, 4, (int64_t[]){40, 6, 5, 19}, true, &whole, &back);
        wick_tensor_free(back);
        for (size_t i = 0; i < WKI_COUNT(counts); i++) {
            wick_tensor *part;
            run(texts[t], (int)i + 1, 4, (int64_t[]){counts[i], 6, 5, 19}, true, &part, &back);
            assert_memory_equal(wick_tensor_data(whole), wick_tensor_data(part),
                                (size_t)wick_tensor_numel(part) * sizeof(float));
            wick_tensor_free(part);
            wick_tensor_free(back);
        }
        wick_tensor_free(whole);
    }
}

static void test_channels(void **state)
{
    (void)state;
    wick_tensor *output, *back;
    run("Dropout2d(p=0.25)", 3, 4, (int64_t[]){50, 20, 3, 4}, true, &output, &back);
    const float *numbers = wick_tensor_f32(output);
    int dropped = 0;
    for (int c = 0; c < 50 * 20; c++) {
        for (int i = 1; i < 12; i++)
            assert_true(numbers[c * 12 + i] == numbers[c * 12]);
        dropped += numbers[c * 12] == 0.0f;
    }
    assert_in_range(dropped, 250 - 70, 250 + 70);
    wick_tensor_free(output);
    wick_tensor_free(back);
}

static void test_ends(void **state)
{
    (void)state;
    static const int64_t shape[] = {4, 33};
    wick_tensor *output, *back;
    run("Dropout(p=1.0)", 1, 2, shape, true, &output, &back);
    assert_true(share_of_zeros(output, 1.0f) == 1.0);
    wick_tensor_free(output);
    wick_tensor_free(back);
    run("Dropout(p=0.0)", 1, 2, shape, true, &output, &back);
    assert_true(share_of_zeros(output, 1.0f) == 0.0);
    wick_tensor_free(output);
    wick_tensor_free(back);
    run("Dropout(p=0.7)", 1, 2, shape, false, &output, &back);
    assert_true(share_of_zeros(output, 1.0f) == 0.0);
    wick_tensor_free(output);
}

/* Each forward draws anew, each layer of a model for itself, and a seed gives the same again. */
static void test_seeds(void **state)
{
    (void)state;
    wick_context *context;
    wick_module *module, *layer;
    wick_tensor *once, *twice, *again, *input;
    must(NULL, wick_context_new(&context));
    must(context, wick_sequential(context, &module));
    for (int i = 0; i < 2; i++) {
        must(context, wick_layer_parse(context, "Dropout()", &layer));
        must(context, wick_sequential_append(module, NULL, layer));
    }
    input = ones(context, 2, (int64_t[]){32, 100});
    wick_manual_seed(context, 7);
    must(context, wick_module_forward(module, input, &once));
    must(context, wick_module_forward(module, input, &twice));
    wick_manual_seed(context, 7);
    must(context, wick_module_forward(module, input, &again));
    size_t bytes = 32 * 100 * sizeof(float);
    assert_memory_not_equal(wick_tensor_data(once), wick_tensor_data(twice), bytes);
    assert_memory_equal(wick_tensor_data(once), wick_tensor_data(again), bytes);
    double share = share_of_zeros(once, 4.0f);
    assert_true(share > 0.70 && share < 0.80); /* 0.5 if both dropped the same */
    wick_tensor_free(input);
    wick_tensor_free(once);
    wick_tensor_free(twice);
    wick_tensor_free(again);
    wick_module_free(module);
    wick_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share), cmocka_unit_test(test_same),  cmocka_unit_test(test_channels),
        cmocka_unit_test(test_ends),  cmocka_unit_test(test_seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
