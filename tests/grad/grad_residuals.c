/* Residuals, with and without a shortcut, against central differences in double. */
#include "plan/plan_internal.h"
#include "reference.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void must(wick_context *context, wick_status status)
{
    if (status != WICK_OK)
        fail_msg("%s: %s", wick_status_name(status), wick_context_message(context));
}

/* A module written as text: "R[" begins a Residual, "S[" a Sequential, "]" ends it; "shortcut" names the
 * next child. */
static wick_module *build(wick_context *context, const char *const *texts)
{
    wick_module *open[8], *child;
    const char *name = NULL;
    int depth = 0;
    must(context, wick_sequential(context, &open[0]));
    for (; *texts != NULL; texts++) {
        if (strcmp(*texts, "shortcut") == 0) {
            name = "shortcut";
            continue;
        }
        if (strcmp(*texts, "]") == 0) {
            depth--;
            continue;
        }
        bool residual = strcmp(*texts, "R[") == 0, container = residual || strcmp(*texts, "S[") == 0;
        if (container)
            must(context, residual ? wick_residual(context, &child) : wick_sequential(context, &child));
        else
            must(context, wick_layer_parse(context, *texts, &child));
        must(context, wick_sequential_append(open[depth], name, child));
        name = NULL;
        if (container)
            open[++depth] = child;
    }
    return open[0];
}

typedef struct model {
    const char *texts[24];
    int ndim;
    int64_t shape[3];
} model;

static const model models[] = {
    {{"R[", "Conv2d(3, 3, kernel_size=3, padding=1)", "]"}, 3, {3, 5, 6}},
    {{"R[", "]"}, 3, {2, 3, 4}}, /* x + x */
    {{"R[", "ReLU()", "Linear(6, 6)", "]", "ReLU()", "Linear(6, 2)"}, 1, {6}},
    {{"Linear(5, 6)", "ReLU()", "R[", "ReLU()", "Linear(6, 6)", "ReLU()", "]", "ReLU()"}, 1, {5}},
    {{"Conv2d(2, 4, kernel_size=3, padding=1, bias=False)", "BatchNorm2d(4)", "ReLU()", "R[",
      "Conv2d(4, 4, kernel_size=3, padding=1, bias=False)", "BatchNorm2d(4)", "ReLU()",
      "Conv2d(4, 4, kernel_size=3, padding=1, bias=False)", "BatchNorm2d(4)", "]", "ReLU()",
      "AdaptiveAvgPool2d(1)", "Flatten()", "Linear(4, 3)"},
     3,
     {2, 5, 6}},
    {{"Conv2d(2, 4, kernel_size=3, padding=1)", "R[", "ReLU()",
      "Conv2d(4, 6, kernel_size=3, stride=2, padding=1)", "shortcut", "S[",
      "Conv2d(4, 6, kernel_size=1, stride=2, bias=False)", "BatchNorm2d(6)", "]", "]", "ReLU()"},
     3,
     {2, 5, 6}},
    /* One in another, and one that begins where another does. */
    {{"R[", "R[", "Conv2d(2, 2, kernel_size=3, padding=1)", "GELU()", "]", "ReLU()", "R[", "SiLU()",
      "Conv2d(2, 2, kernel_size=1)", "]", "]"},
     3,
     {2, 4, 5}},
    /* The body ends in rows, the skip is in lanes. */
    {{"Conv2d(2, 3, kernel_size=3, padding=1)", "R[", "Linear(5, 5)", "ReLU()", "]", "ReLU()",
      "MaxPool2d(2)"},
     3,
     {2, 4, 5}},
    {{"R[", "LayerNorm(5)", "Linear(5, 5)", "shortcut", "Identity()", "]"}, 2, {3, 5}},
};

static void test_residuals(void **state)
{
    (void)state;
    static const int64_t batches[] = {1, 5, 16, 33};
    for (size_t i = 0; i < WKI_COUNT(models); i++) {
        printf("model %zu\n", i);
        fflush(stdout);
        for (size_t b = 0; b < WKI_COUNT(batches); b++) {
            wick_context *context;
            assert_int_equal(wick_context_new(&context), WICK_OK);
            context->work_per_thread = 1.0;
            wick_manual_seed(context, ref_random());
            must(context, wick_context_set_threads(context, ref_int(1, 5)));
            wick_module *module = build(context, models[i].texts);
            ref_check_module(context, module, batches[b], models[i].ndim, models[i].shape);
            wick_module_free(module);
            wick_context_free(context);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_residuals)};
    return cmocka_run_group_tests(tests, ref_seed, NULL);
}
