/* Every layer's gradients, alone and after one another, against central differences in double. */
#include "plan/plan_internal.h"
#include "reference.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_conv2d(void **state)
{
    (void)state;
    static const ref_case cases[] = {
        {{"Conv2d(1, 1, kernel_size=1)"}, 3, {1, 1, 1}},
        {{"Conv2d(3, 5, kernel_size=1, bias=False)"}, 3, {3, 4, 5}},
        {{"Conv2d(2, 3, kernel_size=3)"}, 3, {2, 3, 3}},
        {{"Conv2d(2, 7, kernel_size=3, padding=1)"}, 3, {2, 6, 5}},
        {{"Conv2d(1, 13, kernel_size=(2, 3), padding=(0, 2))"}, 3, {1, 5, 4}},
        {{"Conv2d(3, 2, kernel_size=3, stride=2)"}, 3, {3, 8, 7}},
        {{"Conv2d(2, 3, kernel_size=3, stride=(2, 3), padding=1)"}, 3, {2, 7, 9}},
        {{"Conv2d(2, 2, kernel_size=2, stride=3)"}, 3, {2, 8, 9}}, /* some inputs are read by nobody */
        {{"Conv2d(1, 2, kernel_size=1, stride=4, padding=3)"}, 3, {1, 3, 6}},
        {{"Conv2d(2, 3, kernel_size=3, dilation=2)"}, 3, {2, 7, 6}},
        {{"Conv2d(1, 2, kernel_size=(3, 2), dilation=(1, 4), stride=(1, 2), padding=(2, 3))"},
         3,
         {1, 4, 7}},
        {{"Conv2d(4, 6, kernel_size=3, groups=2, padding=1)"}, 3, {4, 5, 4}},
        {{"Conv2d(5, 5, kernel_size=3, groups=5, padding=1, stride=2)"}, 3, {5, 5, 6}},
        {{"Conv2d(3, 9, kernel_size=2, groups=3, bias=False, dilation=2)"}, 3, {3, 4, 4}},
        {{"Conv2d(1, 2, kernel_size=2, padding=5)"},
         3,
         {1, 2, 3}}, /* outputs that read nothing but zeros */
        {{"Conv2d(1, 1, kernel_size=1, padding=4, stride=3)"}, 3, {1, 2, 2}},
        {{"Conv2d(2, 2, kernel_size=(8, 5), padding=(2, 1))"},
         3,
         {2, 4, 3}}, /* as large as the padded image */
        {{"Conv2d(1, 3, kernel_size=(1, 4))"}, 3, {1, 1, 9}},
        {{"Conv2d(1, 2, kernel_size=3, stride=7, padding=1)"},
         3,
         {1, 5, 5}}, /* one output, a stride beyond the image */
        {{"Conv2d(2, 3, kernel_size=2, padding='same', dilation=2)"}, 3, {2, 4, 5}},
        {{"Conv2d(2, 3, kernel_size=3, padding='valid')"}, 3, {2, 4, 5}},
    };
    ref_check_cases(cases, WKI_COUNT(cases), 5);
}

static void test_max_pool2d(void **state)
{
    (void)state;
    static const ref_case cases[] = {
        {{"MaxPool2d(2)"}, 3, {2, 4, 6}},
        {{"MaxPool2d(2)"}, 3, {2, 5, 7}}, /* a row and a column that no window has */
        {{"MaxPool2d(1)"}, 3, {1, 2, 3}},
        {{"MaxPool2d(3, stride=1)"}, 3, {2, 5, 4}},
        {{"MaxPool2d(3, stride=2, padding=1)"}, 3, {3, 6, 7}},
        {{"MaxPool2d((2, 3), stride=(1, 2), padding=(1, 1))"}, 3, {1, 4, 6}},
        {{"MaxPool2d(2, stride=3)"}, 3, {1, 8, 7}},
        {{"MaxPool2d(2, dilation=2, stride=1)"}, 3, {2, 5, 6}},
        {{"MaxPool2d(3, stride=2, dilation=(2, 1), padding=1)"}, 3, {2, 7, 6}},
        {{"MaxPool2d(2, ceil_mode=True)"}, 3, {2, 5, 7}},
        {{"MaxPool2d(3, stride=2, padding=1, ceil_mode=True)"}, 3, {1, 4, 6}},
        {{"MaxPool2d((4, 5))"}, 3, {2, 4, 5}},
        {{"MaxPool2d(2, stride=(2, 1), padding=(1, 0), dilation=(3, 1), ceil_mode=True)"}, 3, {2, 6, 4}},
    };
    ref_check_cases(cases, WKI_COUNT(cases), 5);
}

static void test_linear(void **state)
{
    (void)state;
    static const ref_case cases[] = {
        {{"Linear(1, 1)"}, 1, {1}},
        {{"Linear(7, 3)"}, 1, {7}},
        {{"Linear(16, 5, bias=False)"}, 1, {16}},
        {{"Linear(50, 13)"}, 1, {50}},
        {{"Linear(33, 10)"}, 1, {33}},
        {{"Linear(5, 4)"}, 2, {3, 5}},
        {{"Linear(5, 4)"}, 3, {2, 3, 5}},
        {{"Linear(4, 3, bias=False)"}, 4, {2, 1, 3, 4}},
        {{"Linear(17, 6)", "Linear(6, 3)"}, 1, {17}},
        {{"Flatten()", "Linear(24, 6)"}, 3, {2, 3, 4}},
    };
    ref_check_cases(cases, WKI_COUNT(cases), 5);
}

static void test_relu(void **state)
{
    (void)state;
    static const ref_case cases[] = {
        {{"ReLU()"}, 1, {9}},
        {{"ReLU()"}, 3, {2, 3, 4}},
        {{"ReLU()", "ReLU()", "Flatten()"}, 3, {2, 3, 4}},
        {{"Flatten()"}, 3, {2, 3, 4}},
        {{"ReLU()", "Linear(8, 5)"}, 1, {8}},
        {{"ReLU()", "Conv2d(2, 3, kernel_size=3, padding=1)"}, 3, {2, 4, 5}},
        {{"ReLU()", "Conv2d(2, 3, kernel_size=2, stride=2)"}, 3, {2, 5, 5}},
        {{"ReLU()", "MaxPool2d(2)"}, 3, {2, 4, 4}},
        {{"ReLU()", "MaxPool2d(3, stride=1, padding=1)"}, 3, {2, 4, 4}},
        {{"Conv2d(2, 3, kernel_size=3)", "ReLU()"}, 3, {2, 5, 5}},
        {{"Conv2d(2, 3, kernel_size=3)", "ReLU()", "ReLU()"}, 3, {2, 5, 5}},
        {{"Linear(9, 6)", "ReLU()"}, 1, {9}},
        {{"Linear(9, 6)", "ReLU()", "ReLU()", "Linear(6, 4)", "ReLU()"}, 1, {9}},
        {{"MaxPool2d(2)", "ReLU()"}, 3, {2, 4, 6}},
        {{"MaxPool2d(2, stride=1)", "ReLU()", "Conv2d(2, 2, kernel_size=2)"}, 3, {2, 4, 4}},
        {{"Flatten()", "ReLU()", "Linear(12, 4)"}, 3, {2, 2, 3}},
        {{"ReLU()", "Flatten()", "ReLU()", "Linear(12, 4)"}, 3, {2, 2, 3}},
        {{"Conv2d(1, 3, kernel_size=2)", "Flatten()", "ReLU()", "Linear(18, 4)"}, 3, {1, 3, 4}},
        {{"Conv2d(1, 3, kernel_size=2)", "ReLU()", "Flatten()", "ReLU()"}, 3, {1, 3, 4}},
    };
    ref_check_cases(cases, WKI_COUNT(cases), 5);
}

static void test_one_after_another(void **state)
{
    (void)state;
    static const ref_case cases[] = {
        {{"Conv2d(1, 4, kernel_size=3, padding=1)", "Conv2d(4, 3, kernel_size=3, stride=2)"},
         3,
         {1, 7, 8}},
        {{"Conv2d(2, 3, kernel_size=3, stride=2, padding=2)",
          "Conv2d(3, 2, kernel_size=2, dilation=2, padding=1)"},
         3,
         {2, 7, 6}},
        {{"MaxPool2d(2)", "Conv2d(2, 3, kernel_size=2)", "MaxPool2d(2, stride=1)"}, 3, {2, 8, 8}},
        {{"MaxPool2d(3, stride=1)", "MaxPool2d(2, padding=1)"}, 3, {2, 7, 6}},
        /* From rows to lanes and back. */
        {{"Linear(5, 6)", "Conv2d(2, 3, kernel_size=3, padding=1)", "Linear(6, 4)"}, 3, {2, 4, 5}},
        {{"Linear(5, 6)", "ReLU()", "MaxPool2d(2)", "Linear(3, 4)", "ReLU()"}, 3, {2, 4, 5}},
        {{"ReLU()", "Linear(5, 6)", "ReLU()", "Conv2d(2, 2, kernel_size=2)", "ReLU()"}, 3, {2, 4, 5}},
        {{"Conv2d(2, 3, kernel_size=3, padding=1)", "ReLU()", "Linear(5, 2)", "ReLU()",
          "Conv2d(3, 1, kernel_size=1)", "Flatten()"},
         3,
         {2, 4, 5}},
        {{"Flatten()", "Flatten()", "Linear(6, 3)"}, 3, {1, 2, 3}},
        {{"Conv2d(4, 4, kernel_size=3, groups=4, padding=1)", "ReLU()",
          "Conv2d(4, 6, kernel_size=1, groups=2)", "ReLU()", "MaxPool2d(3, stride=2, padding=1)",
          "Flatten()", "Linear(24, 5)"},
         3,
         {4, 4, 4}},
    };
    ref_check_cases(cases, WKI_COUNT(cases), 5);
}

/* ---- Winograd's way ---- */

static void must(wick_context *context, wick_status status)
{
    if (status != WICK_OK)
        fail_msg("%s: %s", wick_status_name(status), wick_context_message(context));
}

static wick_context *open_context(int threads, int kernels)
{
    wick_context *context;
    assert_int_equal(wick_context_new(&context), WICK_OK);
    context->work_per_thread = 1.0; /* threads even for so little work */
    wick_manual_seed(context, ref_random());
    must(context, wick_context_set_threads(context, threads));
    int sets = 0;
    while (wki_kernels_runnable(sets) != NULL)
        sets++;
    must(context, wick_context_set_cpu(context, wki_kernels_runnable(kernels % sets)->name));
    return context;
}

/* How many of the convolutions of the module's last plan go by Winograd's way. */
static int winograd_count(const wick_module *module)
{
    const wki_plan *plan = module->plan;
    int count = 0;
    for (int i = 0; i < plan->op_count; i++)
        count += plan->ops[i].kind == &wki_op_conv2d && plan->ops[i].as.conv2d.tile != 0;
    return count;
}

/* Fewer than 16 images may go by columns, more never do. */
static void check_winograd(const ref_case *one, int index)
{
    static const int64_t batches[2][3] = {{8, 15, 16}, {17, 24, 33}};
    static const int threads[] = {1, 2, 3, 5};
    for (int i = 0; i < 2; i++) {
        wick_context *context = open_context(threads[(index + 2 * i) % 4], index + i);
        wick_module *module = ref_sequential(context, one->texts);
        int64_t batch = batches[i][ref_int(0, 2)];
        ref_check_module(context, module, batch, one->ndim, one->shape);
        if (batch > WKI_LANES && winograd_count(module) == 0)
            fail_msg("no convolution went by Winograd's way");
        wick_module_free(module);
        wick_context_free(context);
    }
}

static void test_winograd(void **state)
{
    (void)state;
    static const ref_case cases[] = {
        {{"Conv2d(8, 8, kernel_size=3)"}, 3, {8, 3, 3}},
        {{"Conv2d(8, 9, kernel_size=3)"}, 3, {8, 6, 5}},
        {{"Conv2d(13, 8, kernel_size=3, padding=1)"}, 3, {13, 4, 6}},
        {{"Conv2d(10, 11, kernel_size=3, padding=1, bias=False)"}, 3, {10, 7, 5}},
        {{"Conv2d(8, 16, kernel_size=3, padding=2)"}, 3, {8, 5, 4}},
        {{"Conv2d(9, 10, kernel_size=3, padding=(0, 2))"}, 3, {9, 4, 3}},
        {{"Conv2d(9, 8, kernel_size=3, padding=(2, 1), bias=False)"}, 3, {9, 3, 6}},
        /* Smaller than the kernel. */
        {{"Conv2d(8, 10, kernel_size=3, padding=1)"}, 3, {8, 1, 1}},
        {{"Conv2d(8, 8, kernel_size=3, padding=2)"}, 3, {8, 1, 2}},
        {{"Conv2d(8, 8, kernel_size=3, padding=(1, 0))"}, 3, {8, 2, 5}},
        {{"Conv2d(16, 16, kernel_size=3, groups=2)"}, 3, {16, 5, 6}},
        {{"Conv2d(16, 18, kernel_size=3, groups=2, padding=1)"}, 3, {16, 4, 5}},
        {{"Conv2d(16, 16, kernel_size=3, groups=2, padding=2)", "ReLU()"}, 3, {16, 3, 2}},
        {{"Conv2d(8, 12, kernel_size=3, padding=1)", "ReLU()"}, 3, {8, 5, 5}},
        {{"Conv2d(12, 13, kernel_size=5, padding=2)", "ReLU()"}, 3, {12, 5, 6}},
        {{"Conv2d(14, 12, kernel_size=5, bias=False)"}, 3, {14, 6, 5}},
        {{"ReLU()", "Conv2d(24, 24, kernel_size=5, groups=2, padding=(4, 1))"}, 3, {24, 3, 4}},
        {{"Conv2d(12, 12, kernel_size=5, padding=(0, 3))"}, 3, {12, 7, 2}},
        {{"ReLU()", "Conv2d(8, 8, kernel_size=3, padding=1)"}, 3, {8, 4, 5}},
        {{"ReLU()", "Conv2d(16, 16, kernel_size=3, groups=2, padding=2)", "ReLU()"}, 3, {16, 2, 3}},
        /* Dilations: grids that have to do with no other, some of them smaller. */
        {{"Conv2d(16, 17, kernel_size=3, dilation=2, padding=2)", "ReLU()"}, 3, {16, 9, 11}},
        {{"ReLU()", "Conv2d(32, 32, kernel_size=3, groups=2, dilation=(3, 2), padding=(1, 4))"},
         3,
         {32, 13, 6}},
        {{"Conv2d(17, 16, kernel_size=3, dilation=(1, 5), padding=(0, 5))"}, 3, {17, 6, 11}},
        {{"Conv2d(24, 25, kernel_size=5, dilation=2, padding=4)"}, 3, {24, 6, 7}},
        /* Both ways, in one plan, on the same buffers. */
        {{"Conv2d(8, 8, kernel_size=3, padding=1)", "ReLU()", "Conv2d(8, 9, kernel_size=3)", "ReLU()"},
         3,
         {8, 5, 6}},
        {{"Conv2d(1, 8, kernel_size=3, padding=1)", "ReLU()", "Conv2d(8, 8, kernel_size=3, padding=1)",
          "ReLU()", "MaxPool2d(2)", "Conv2d(8, 10, kernel_size=3, padding=2)", "Flatten()",
          "Linear(160, 3)"},
         3,
         {1, 5, 5}},
        {{"Conv2d(8, 8, kernel_size=3, padding=2)", "Conv2d(8, 8, kernel_size=5, padding=4, stride=2)",
          "ReLU()", "Conv2d(8, 8, kernel_size=3)"},
         3,
         {8, 3, 4}},
        {{"MaxPool2d(3, stride=1, padding=1)", "Conv2d(8, 8, kernel_size=3, padding=1)",
          "MaxPool2d(2, padding=1)"},
         3,
         {8, 3, 5}},
    };
    for (size_t i = 0; i < WKI_COUNT(cases); i++) {
        printf("%s, ...\n", cases[i].texts[0]);
        fflush(stdout);
        check_winograd(&cases[i], (int)i);
    }
}

/* A float's part of the largest number, as in the other checks of the gradients. */
static void check_same(const char *what, const float *a, const float *b, int64_t count)
{
    double largest = 0.0;
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)a[i]));
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= 4e-5 * largest + 1e-7))
            fail_msg("%s: number %lld is %.9g with many images, %.9g with few", what, (long long)i,
                     (double)a[i], (double)b[i]);
}

/* Images first .. first + count of a batch. */
static wick_tensor *some_images(wick_context *context, const wick_tensor *all, int64_t first,
                                int64_t count)
{
    int64_t shape[WICK_MAX_DIMS] = {count}, numel = wick_tensor_numel(all) / wick_tensor_size(all, 0);
    for (int i = 1; i < wick_tensor_ndim(all); i++)
        shape[i] = wick_tensor_size(all, i);
    wick_tensor *some = ref_tensor(context, wick_tensor_ndim(all), shape);
    memcpy(wick_tensor_f32(some), (const float *)wick_tensor_cdata(all) + first * numel,
           (size_t)(count * numel) * sizeof(float));
    return some;
}

/* Forward and backward from the output itself, `step` images at a time: outputs and inputs' gradients
 * are collected, the parameters' add up in the module. */
typedef struct passes {
    wick_tensor *images;
    float *outputs, *inputs;
    int64_t numel; /* of all outputs */
    bool columns;  /* of the plan */
    int winograd;
} passes;

static void run_passes(wick_module *module, passes *p, int64_t step)
{
    wick_context *context = module->context;
    int64_t count = wick_tensor_size(p->images, 0);
    p->numel = 0;
    wick_module_zero_grad(module);
    for (int64_t at = 0; at < count; at += step) {
        wick_tensor *images = some_images(context, p->images, at, WKI_MIN(step, count - at)), *output,
                    *back;
        must(context, wick_module_forward(module, images, &output));
        must(context, wick_module_backward(module, output, &back));
        int64_t out = wick_tensor_numel(output), in = wick_tensor_numel(back);
        p->outputs = realloc(p->outputs, (size_t)(p->numel + out) * sizeof(float));
        assert_non_null(p->outputs);
        memcpy(p->outputs + p->numel, wick_tensor_cdata(output), (size_t)out * sizeof(float));
        memcpy(p->inputs + at * (wick_tensor_numel(p->images) / count), wick_tensor_cdata(back),
               (size_t)in * sizeof(float));
        p->numel += out;
        wick_tensor_free(images);
        wick_tensor_free(output);
        wick_tensor_free(back);
    }
    p->columns = ((const wki_plan *)module->plan)->columns;
    p->winograd = winograd_count(module);
}

/* The same images at once, in the lanes, and few at a time, with their columns in the lanes. */
static void check_few_and_many(const ref_case *one, int index)
{
    wick_context *context = open_context(1 + index % 3, index);
    wick_module *module = ref_sequential(context, one->texts);
    int64_t shape[4] = {WKI_LANES + ref_int(0, 5), one->shape[0], one->shape[1], one->shape[2]};
    passes many = {.images = ref_tensor(context, 4, shape)}, few = {.images = many.images};
    wick_state_dict *of_many, *of_few;
    many.inputs = malloc((size_t)wick_tensor_numel(many.images) * sizeof(float));
    few.inputs = malloc((size_t)wick_tensor_numel(many.images) * sizeof(float));
    assert_true(many.inputs != NULL && few.inputs != NULL);
    run_passes(module, &many, shape[0]);
    must(context, wick_module_gradients(module, &of_many));
    assert_true(!many.columns && many.winograd > 0);
    int below = ((const wki_plan *)module->plan)->columns_below;
    assert_true(below > 1);
    run_passes(module, &few, ref_int(1, below - 1));
    must(context, wick_module_gradients(module, &of_few));
    assert_true(few.columns && few.winograd == 0);
    assert_int_equal(many.numel, few.numel);
    check_same("the outputs", many.outputs, few.outputs, many.numel);
    check_same("the inputs' gradients", many.inputs, few.inputs, wick_tensor_numel(many.images));
    for (int64_t i = 0; i < wick_state_dict_count(of_many); i++)
        check_same(wick_state_dict_key(of_many, i), wick_tensor_f32(wick_state_dict_tensor(of_many, i)),
                   wick_tensor_f32(wick_state_dict_tensor(of_few, i)),
                   wick_tensor_numel(wick_state_dict_tensor(of_many, i)));
    wick_state_dict_free(of_many);
    wick_state_dict_free(of_few);
    wick_tensor_free(many.images);
    free(many.outputs);
    free(many.inputs);
    free(few.outputs);
    free(few.inputs);
    wick_module_free(module);
    wick_context_free(context);
}

static void test_few_and_many(void **state)
{
    (void)state;
    /* No ReLU's or maximum's choice, which a last bit could turn; those are in the cases above. */
    static const ref_case cases[] = {
        {{"Conv2d(8, 8, kernel_size=3, padding=1)"}, 3, {8, 7, 9}},
        {{"Conv2d(8, 11, kernel_size=3)"}, 3, {8, 12, 16}},
        {{"Conv2d(16, 16, kernel_size=3, groups=2, padding=2)"}, 3, {16, 1, 14}},
        {{"Conv2d(9, 8, kernel_size=3, padding=1)", "Conv2d(8, 10, kernel_size=3, padding=2)"},
         3,
         {9, 5, 13}},
        {{"Conv2d(3, 8, kernel_size=3, padding=1)", "Conv2d(8, 8, kernel_size=3)", "Flatten()",
          "Linear(320, 4)"},
         3,
         {3, 6, 12}},
    };
    for (size_t i = 0; i < WKI_COUNT(cases); i++)
        check_few_and_many(&cases[i], (int)i);
}

/* ---- the ways to the weights' gradient ---- */

/* Of the module's last convolution. */
static int gradient_way(const wick_module *module)
{
    const wki_plan *plan = module->plan;
    int way = -1;
    for (int i = 0; i < plan->op_count; i++)
        if (plan->ops[i].kind == &wki_op_conv2d)
            way = (int)plan->ops[i].as.conv2d.gradient;
    return way;
}

static void check_way(const ref_case *one, int way, int index)
{
    static const int64_t batches[] = {7, 8, 9, 16, 24, 33}; /* too many for columns */
    for (int i = 0; i < 2; i++) {
        wick_context *context = open_context(1 + (index + i) % 4, index + i);
        wick_module *module = ref_sequential(context, one->texts);
        ref_check_module(context, module, batches[ref_int(0, 2) + 3 * i], one->ndim, one->shape);
        assert_int_equal(gradient_way(module), way);
        wick_module_free(module);
        wick_context_free(context);
    }
}

static void test_ways(void **state)
{
    (void)state;
    static const struct {
        ref_case one;
        int way;
    } cases[] = {
        {{{"Conv2d(1, 4, kernel_size=3, stride=2)"}, 3, {1, 7, 7}}, WKI_GRADIENT_DIRECT},
        {{{"Conv2d(10, 10, kernel_size=3, padding=1)"}, 3, {10, 4, 5}}, WKI_GRADIENT_DIRECT},
        {{{"Conv2d(32, 4, kernel_size=3, stride=2, groups=4)"}, 3, {32, 5, 5}}, WKI_GRADIENT_DIRECT},
        {{{"Conv2d(16, 16, kernel_size=1)"}, 3, {16, 3, 4}}, WKI_GRADIENT_TURNED},
        {{{"Conv2d(16, 13, kernel_size=1, stride=(1, 2), bias=False)"}, 3, {16, 3, 5}},
         WKI_GRADIENT_TURNED},
        {{{"Conv2d(15, 17, kernel_size=3, stride=2, padding=1)"}, 3, {15, 5, 6}}, WKI_GRADIENT_TURNED},
        {{{"Conv2d(32, 40, kernel_size=(2, 3), stride=(3, 2), padding=(1, 2), groups=2)"},
          3,
          {32, 6, 7}},
         WKI_GRADIENT_TURNED},
        {{{"ReLU()", "Conv2d(48, 20, kernel_size=3, padding=2, dilation=2, stride=2)", "ReLU()"},
          3,
          {48, 4, 3}},
         WKI_GRADIENT_TURNED},
        {{{"ReLU()", "Conv2d(48, 20, kernel_size=3, padding=2, dilation=2)", "ReLU()"}, 3, {48, 4, 3}},
         WKI_GRADIENT_TURNED},
        {{{"ReLU()", "Conv2d(48, 20, kernel_size=3, padding=2, dilation=2)", "ReLU()"}, 3, {48, 9, 8}},
         WKI_GRADIENT_WINOGRAD},
        {{{"Conv2d(62, 20, kernel_size=5, padding=2, dilation=2, stride=(2, 1))"}, 3, {62, 6, 16}},
         WKI_GRADIENT_TURNED},
        {{{"Conv2d(62, 20, kernel_size=5, padding=2, dilation=2)"}, 3, {62, 7, 9}},
         WKI_GRADIENT_WINOGRAD},
        {{{"Conv2d(32, 20, kernel_size=5, padding=2)"}, 3, {32, 3, 6}}, WKI_GRADIENT_WINOGRAD},
        {{{"ReLU()", "Conv2d(32, 40, kernel_size=5, groups=2, padding=4)"}, 3, {32, 2, 3}},
         WKI_GRADIENT_WINOGRAD},
        {{{"Conv2d(16, 16, kernel_size=3, padding=1)"}, 3, {16, 4, 4}}, WKI_GRADIENT_WINOGRAD},
        {{{"Conv2d(16, 20, kernel_size=3, bias=False)"}, 3, {16, 5, 7}}, WKI_GRADIENT_WINOGRAD},
        {{{"Conv2d(31, 24, kernel_size=3, padding=2)"}, 3, {31, 2, 3}}, WKI_GRADIENT_WINOGRAD},
        {{{"ReLU()", "Conv2d(32, 34, kernel_size=3, padding=(0, 1), groups=2)", "ReLU()"},
          3,
          {32, 5, 3}},
         WKI_GRADIENT_WINOGRAD},
        {{{"Conv2d(64, 48, kernel_size=3, padding=1)"}, 3, {64, 7, 6}}, WKI_GRADIENT_WINOGRAD},
        {{{"Conv2d(8, 9, kernel_size=3, padding=1)"}, 3, {8, 4, 96}}, WKI_GRADIENT_WINOGRAD_FEW},
        {{{"Conv2d(8, 9, kernel_size=3, padding=1)"}, 3, {8, 4, 92}},
         WKI_GRADIENT_DIRECT}, /* 23 tiles */
        {{{"ReLU()", "Conv2d(11, 8, kernel_size=3, bias=False)", "ReLU()"}, 3, {11, 10, 49}},
         WKI_GRADIENT_WINOGRAD_FEW},
        {{{"Conv2d(8, 8, kernel_size=3, padding=1)"}, 3, {8, 21, 21}},
         WKI_GRADIENT_DIRECT}, /* too much beyond */
        {{{"Conv2d(16, 18, kernel_size=3, padding=2, groups=2)"}, 3, {16, 10, 31}},
         WKI_GRADIENT_WINOGRAD_FEW},
    };
    for (size_t i = 0; i < WKI_COUNT(cases); i++) {
        printf("%s, ...\n", cases[i].one.texts[0]);
        fflush(stdout);
        check_way(&cases[i].one, cases[i].way, (int)i);
    }
}

/* ---- by chance ---- */

/* A convolution by chance: anything that fits. */
static void random_conv2d(char text[160], ref_case *one)
{
    for (;;) {
        int groups = ref_int(1, 3), in = groups * ref_int(1, 3), out = groups * ref_int(1, 4);
        int k[2], s[2], p[2], d[2];
        bool fits = true;
        one->shape[0] = in;
        for (int i = 0; i < 2; i++) {
            k[i] = ref_int(1, 4);
            s[i] = ref_int(1, 4);
            p[i] = ref_int(0, 4);
            d[i] = ref_int(1, 3);
            one->shape[1 + i] = ref_int(1, 8);
            fits = fits && one->shape[1 + i] + 2 * p[i] >= d[i] * (k[i] - 1) + 1;
        }
        if (!fits)
            continue;
        snprintf(text, 160,
                 "Conv2d(%d, %d, kernel_size=(%d, %d), stride=(%d, %d), padding=(%d, %d), dilation=(%d, "
                 "%d), groups=%d%s)",
                 in, out, k[0], k[1], s[0], s[1], p[0], p[1], d[0], d[1], groups,
                 ref_int(0, 1) ? "" : ", bias=False");
        return;
    }
}

/* With other layers on either side, as they go on from its buffers. */
static void test_random_conv2d(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        char text[160], second[160];
        ref_case one = {.ndim = 3};
        random_conv2d(text, &one);
        snprintf(second, sizeof(second), "Conv2d(%lld, %lld, kernel_size=%d, padding=2, stride=%d)",
                 (long long)one.shape[0], (long long)one.shape[0], ref_int(1, 3), ref_int(1, 2));
        int at = 0;
        if (i % 4 == 1)
            one.texts[at++] = "ReLU()";
        if (i % 4 == 2) {
            one.texts[at++] = second;
            one.texts[at++] = "ReLU()";
            /* The second one's output must be large enough for the first. */
            one.shape[1] += 12;
            one.shape[2] += 12;
        }
        one.texts[at++] = text;
        if (i % 3 == 1)
            one.texts[at++] = "ReLU()";
        if (i % 3 == 2)
            one.texts[at++] = "MaxPool2d(2, stride=1, padding=1)";
        ref_check_cases(&one, 1, 2);
    }
}

/* Around the image the bias alone is left, so near zero that no image makes a clear decision. */
static void test_unclear_bias(void **state)
{
    (void)state;
    static const char *const texts[] = {"Conv2d(1, 3, kernel_size=1, padding=1)", "ReLU()", NULL};
    static const int64_t shape[] = {1, 2, 3};
    wick_context *context = open_context(2, 0);
    wick_module *module = ref_sequential(context, texts);
    float *bias = wick_tensor_f32(wick_module_child(module, 0)->parameters[1].value);
    bias[1] = 1e-7f;
    ref_check_module(context, module, 5, 3, shape);
    assert_true(bias[1] != 1e-7f);
    wick_module_free(module);
    wick_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv2d),
        cmocka_unit_test(test_max_pool2d),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_relu),
        cmocka_unit_test(test_one_after_another),
        cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_few_and_many),
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_random_conv2d),
        cmocka_unit_test(test_unclear_bias),
    };
    return cmocka_run_group_tests(tests, ref_seed, NULL);
}
