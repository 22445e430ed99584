/* Activations, pools and normalisations against central differences in double, in training mode and, for
 * those that differ, in evaluation. */
#include "plan/plan_internal.h"
#include "reference.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_activations(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "LeakyReLU()", "LeakyReLU(negative_slope=0.3)",
        "GELU()",      "GELU(approximate='tanh')",
        "SiLU()",      "Sigmoid()",
        "Tanh()",
    };
    for (size_t i = 0; i < WKI_COUNT(texts); i++) {
        const ref_case cases[] = {
            {{texts[i]}, 1, {19}},
            {{texts[i]}, 3, {2, 3, 5}},
            {{"ReLU()", texts[i]}, 3, {2, 3, 5}},
            {{texts[i], "ReLU()"}, 1, {7}},
            {{"Conv2d(2, 3, kernel_size=3, padding=1)", texts[i], "Conv2d(3, 2, kernel_size=3)"},
             3,
             {2, 5, 6}},
            {{"Linear(9, 6)", texts[i], "Linear(6, 4)"}, 1, {9}},
        };
        ref_check_cases(cases, WKI_COUNT(cases), 3);
    }
}

static void test_softmax(void **state)
{
    (void)state;
    static const ref_case cases[] = {
        {{"Softmax(dim=1)"}, 1, {7}},
        {{"LogSoftmax(dim=1)"}, 1, {18}},
        {{"Linear(9, 33)", "Softmax(dim=-1)", "Linear(33, 3)"}, 1, {9}},
        {{"Linear(9, 6)", "ReLU()", "LogSoftmax(dim=-1)"}, 1, {9}},
        {{"Linear(9, 1)", "Softmax(dim=1)"}, 1, {9}},
    };
    ref_check_cases(cases, WKI_COUNT(cases), 5);
}

static void test_avg_pool2d(void **state)
{
    (void)state;
    static const ref_case cases[] = {
        {{"AvgPool2d(2)"}, 3, {2, 4, 6}},
        {{"AvgPool2d(2)"}, 3, {2, 5, 7}},
        {{"AvgPool2d(3, stride=2, padding=1)"}, 3, {3, 6, 7}},
        {{"AvgPool2d(3, stride=2, padding=1, count_include_pad=False)"}, 3, {3, 6, 7}},
        {{"AvgPool2d((2, 3), stride=(1, 2), padding=(1, 1), ceil_mode=True)"}, 3, {1, 4, 6}},
        {{"AvgPool2d(3, stride=2, ceil_mode=True, count_include_pad=False)"}, 3, {1, 6, 6}},
        {{"AvgPool2d(3, stride=2, padding=1, divisor_override=5)"}, 3, {2, 5, 5}},
        {{"ReLU()", "AvgPool2d(2, stride=1)", "ReLU()", "Conv2d(2, 2, kernel_size=3, padding=1)"},
         3,
         {2, 4, 5}},
        {{"AdaptiveAvgPool2d(1)"}, 3, {3, 5, 7}},
        {{"AdaptiveAvgPool2d((3, 2))"}, 3, {2, 7, 5}},
        {{"AdaptiveAvgPool2d((5, 9))"}, 3, {2, 3, 4}}, /* more windows than pixels */
        {{"AdaptiveAvgPool2d((None, 2))"}, 3, {2, 3, 4}},
        {{"Conv2d(1, 4, kernel_size=3)", "ReLU()", "AdaptiveAvgPool2d(1)", "Flatten()", "Linear(4, 3)"},
         3,
         {1, 6, 20}},
    };
    ref_check_cases(cases, WKI_COUNT(cases), 5);
}

static void test_group_norm(void **state)
{
    (void)state;
    static const ref_case cases[] = {
        {{"GroupNorm(1, 3)"}, 3, {3, 4, 5}},
        {{"GroupNorm(3, 3)"}, 3, {3, 2, 19}},
        {{"GroupNorm(2, 6, affine=False)"}, 3, {6, 3, 3}},
        {{"GroupNorm(2, 6)"}, 1, {6}},
        {{"GroupNorm(2, 4)"}, 2, {4, 5}},
        {{"Conv2d(2, 4, kernel_size=3, padding=1)", "GroupNorm(2, 4, eps=0.01)", "ReLU()",
          "Conv2d(4, 2, kernel_size=3, padding=1)"},
         3,
         {2, 5, 4}},
        {{"ReLU()", "GroupNorm(1, 2)"}, 3, {2, 4, 4}},
    };
    ref_check_cases(cases, WKI_COUNT(cases), 5);
}

static void test_layer_norm(void **state)
{
    (void)state;
    static const ref_case cases[] = {
        {{"LayerNorm(7)"}, 1, {7}},
        {{"LayerNorm(33, bias=False)"}, 1, {33}},
        {{"LayerNorm(5, elementwise_affine=False)"}, 2, {3, 5}},
        {{"LayerNorm((3, 4))"}, 3, {2, 3, 4}},
        {{"LayerNorm((2, 3, 4))"}, 3, {2, 3, 4}},
        {{"LayerNorm((2, 3, 19), bias=False)", "ReLU()"}, 3, {2, 3, 19}},
        {{"LayerNorm((3, 2, 4), elementwise_affine=False)"}, 3, {3, 2, 4}},
        {{"LayerNorm((2, 4, 5))", "Conv2d(2, 3, kernel_size=3)"}, 3, {2, 4, 5}},
        {{"Flatten()", "Linear(24, 6)", "LayerNorm(6)"}, 3, {2, 3, 4}},
        {{"ReLU()", "LayerNorm((2, 2, 33))", "MaxPool2d(2)"}, 3, {2, 2, 33}},
        {{"Linear(9, 6)", "ReLU()", "LayerNorm(6)", "ReLU()", "Linear(6, 4)"}, 1, {9}},
        {{"Conv2d(2, 3, kernel_size=3)", "LayerNorm((3, 3, 2))", "ReLU()", "MaxPool2d(2)"},
         3,
         {2, 5, 4}},
    };
    ref_check_cases(cases, WKI_COUNT(cases), 5);
}

static void test_batch_norm2d(void **state)
{
    (void)state;
    static const ref_case cases[] = {
        {{"BatchNorm2d(3)"}, 3, {3, 4, 5}},
        {{"BatchNorm2d(2, affine=False)"}, 3, {2, 3, 17}},
        {{"BatchNorm2d(1, track_running_stats=False, eps=0.1)"}, 3, {1, 2, 3}},
        {{"Conv2d(2, 4, kernel_size=3, padding=1, bias=False)", "BatchNorm2d(4)", "ReLU()",
          "Conv2d(4, 3, kernel_size=3, bias=False)", "BatchNorm2d(3)", "ReLU()"},
         3,
         {2, 5, 6}},
        /* A second BatchNorm would take the first one's scale away again, and leave a gradient of rounding. */
        {{"BatchNorm2d(2)", "MaxPool2d(2)", "GELU()", "Conv2d(2, 2, kernel_size=2)"}, 3, {2, 5, 6}},
        {{"ReLU()", "BatchNorm2d(2)", "Flatten()", "Linear(24, 3)"}, 3, {2, 3, 4}},
        {{"Conv2d(8, 8, kernel_size=3, padding=1, bias=False)", "BatchNorm2d(8)", "GELU()",
          "AdaptiveAvgPool2d(1)", "Flatten()", "Linear(8, 4)"},
         3,
         {8, 5, 6}},
    };
    ref_check_cases(cases, WKI_COUNT(cases), 5);
}

static void must(wick_context *context, wick_status status)
{
    if (status != WICK_OK)
        fail_msg("%s: %s", wick_status_name(status), wick_context_message(context));
}

/* A batch of one has no variance. A bias before a BatchNorm has no gradient but rounding: none has one. */
static void test_batch_norm1d(void **state)
{
    (void)state;
    static const ref_case cases[] = {
        {{"BatchNorm1d(5)"}, 1, {5}},
        {{"BatchNorm1d(3)"}, 2, {3, 5}},
        {{"Linear(7, 6, bias=False)", "BatchNorm1d(6)", "ReLU()", "Linear(6, 4, bias=False)",
          "BatchNorm1d(4, affine=False)"},
         1,
         {7}},
    };
    static const int64_t batches[] = {7, 16, 17, 33};
    for (size_t i = 0; i < WKI_COUNT(cases); i++)
        for (size_t b = 0; b < WKI_COUNT(batches); b++) {
            wick_context *context;
            assert_int_equal(wick_context_new(&context), WICK_OK);
            context->work_per_thread = 1.0;
            wick_manual_seed(context, ref_random());
            must(context, wick_context_set_threads(context, ref_int(1, 4)));
            wick_module *module = ref_sequential(context, cases[i].texts);
            ref_check_module(context, module, batches[b], cases[i].ndim, cases[i].shape);
            wick_module_free(module);
            wick_context_free(context);
        }
}

/* One BatchNorm in evaluation among others in training, as when a part of a model is frozen: a backward
 * pass goes through the running statistics as through constants. */
static void test_frozen_batch_norm(void **state)
{
    (void)state;
    static const char *const texts[] = {"Conv2d(2, 4, kernel_size=3, padding=1, bias=False)",
                                        "BatchNorm2d(4)",
                                        "ReLU()",
                                        "Conv2d(4, 3, kernel_size=3, bias=False)",
                                        "BatchNorm2d(3)",
                                        NULL};
    static const int64_t shape[] = {2, 5, 6};
    for (int frozen = 1; frozen <= 3; frozen++) {
        wick_context *context;
        assert_int_equal(wick_context_new(&context), WICK_OK);
        context->work_per_thread = 1.0;
        wick_manual_seed(context, ref_random());
        must(context, wick_context_set_threads(context, 3));
        wick_module *module = ref_sequential(context, texts);
        if (frozen & 1)
            wick_module_eval(wick_module_child(module, 1));
        if (frozen & 2)
            wick_module_eval(wick_module_child(module, 4));
        ref_check_module(context, module, 21, 3, shape);
        wick_module_free(module);
        wick_context_free(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations),  cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_avg_pool2d),   cmocka_unit_test(test_group_norm),
        cmocka_unit_test(test_layer_norm),   cmocka_unit_test(test_batch_norm2d),
        cmocka_unit_test(test_batch_norm1d), cmocka_unit_test(test_frozen_batch_norm),
    };
    return cmocka_run_group_tests(tests, ref_seed, NULL);
}
