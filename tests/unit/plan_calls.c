/* Plans behind the public calls: what is refused, and what may change between one call and the next. */
#include "cpu/kernels.h"
#include "plan/plan_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

#include "context_fixture.h"

static wick_module *v0(wick_context *context)
{
    wick_module *module;
    wick_manual_seed(context, 42);
    must(context, wick_fashion_mnist_model_v0(context, 784, 10, 10, &module));
    return module;
}

static wick_module *v2(wick_context *context)
{
    wick_module *module;
    wick_manual_seed(context, 42);
    must(context, wick_fashion_mnist_model_v2(context, 1, 3, 10, &module));
    return module;
}

static wick_tensor *images(wick_context *context, int64_t count, int64_t height, int64_t width)
{
    const int64_t shape[4] = {count, 1, height, width};
    wick_tensor *tensor;
    must(context, wick_randn(context, NULL, 4, shape, &tensor));
    return tensor;
}

static wick_tensor *forward(wick_context *context, wick_module *module, const wick_tensor *input)
{
    wick_tensor *output;
    must(context, wick_module_forward(module, input, &output));
    return output;
}

static void assert_same_tensor(const wick_tensor *a, const wick_tensor *b)
{
    assert_int_equal(wick_tensor_ndim(a), wick_tensor_ndim(b));
    for (int i = 0; i < wick_tensor_ndim(a); i++)
        assert_int_equal(wick_tensor_size(a, i), wick_tensor_size(b, i));
    assert_memory_equal(wick_tensor_cdata(a), wick_tensor_cdata(b),
                        (size_t)wick_tensor_numel(a) * wick_dtype_size(wick_tensor_dtype(a)));
}

/* Fails unless the call gave that status with a message that has the word in it. */
static void expect(wick_context *context, wick_status got, wick_status wanted, const char *word)
{
    assert_string_equal(wick_status_name(got), wick_status_name(wanted));
    if (strstr(wick_context_message(context), word) == NULL)
        fail_msg("'%s' is not in the message '%s'", word, wick_context_message(context));
    assert_null(strchr(wick_context_message(context), '\n'));
}

/* ---- refusals ---- */

static void test_forward_refuses(void **state)
{
    wick_context *context = *state;
    wick_module *module = v0(context);
    wick_tensor *good = images(context, 2, 28, 28), *wide = images(context, 2, 28, 29), *bytes,
                *output = NULL;
    const int64_t shape[4] = {2, 1, 28, 28}, one[1] = {784};
    must(context, wick_tensor_new(context, WICK_UINT8, 4, shape, &bytes));
    expect(context, wick_module_forward(module, bytes, &output), WICK_EINVAL, "torch.uint8");
    expect(context, wick_module_forward(module, NULL, &output), WICK_EINVAL, "NULL");
    expect(context, wick_module_forward(module, good, NULL), WICK_EINVAL, "NULL");
    assert_int_equal(wick_module_forward(NULL, good, &output), WICK_EINVAL);
    expect(context, wick_module_forward(module, wide, &output), WICK_ESHAPE, "layer_stack.1");
    wick_tensor *flat, *scalar;
    must(context, wick_tensor_new(context, WICK_FLOAT32, 1, one, &flat));
    must(context, wick_tensor_new(context, WICK_FLOAT32, 0, NULL, &scalar));
    expect(context, wick_module_forward(module, flat, &output), WICK_ESHAPE, "dimensions");
    expect(context, wick_module_forward(module, scalar, &output), WICK_ESHAPE, "dimensions");
    assert_null(output);
    wick_tensor_free(good);
    wick_tensor_free(wide);
    wick_tensor_free(bytes);
    wick_tensor_free(flat);
    wick_tensor_free(scalar);
    wick_module_free(module);
}

/* Before there is a plan and after. */
static void test_an_empty_batch_is_refused(void **state)
{
    wick_context *context = *state;
    wick_module *models[] = {v0(context), v2(context)};
    wick_tensor *none = images(context, 0, 28, 28), *some = images(context, 3, 28, 28), *output = NULL;
    for (size_t i = 0; i < WKI_COUNT(models); i++) {
        expect(context, wick_module_forward(models[i], none, &output), WICK_EINVAL, "a batch of 0");
        wick_tensor_free(forward(context, models[i], some));
        expect(context, wick_module_forward(models[i], none, &output), WICK_EINVAL, "a batch of 0");
        assert_null(output);
        wick_module_free(models[i]);
    }
    wick_tensor_free(none);
    wick_tensor_free(some);
}

static void test_sizes_beyond_the_limit_are_refused(void **state)
{
    wick_context *context = *state;
    const wick_conv2d_options options = {
        .stride = {INT32_MAX, INT32_MAX}, .padding = {INT32_MAX - 1, INT32_MAX - 1}, .no_bias = true};
    wick_module *conv;
    wick_tensor *input = images(context, 1, 3, 3), *output = NULL;
    must(context, wick_conv2d(context, 1, 1, (wick_size2){1, 1}, &options, &conv));
    expect(context, wick_module_forward(conv, input, &output), WICK_ELIMIT, "too large");
    assert_null(output);
    wick_tensor_free(input);
    wick_module_free(conv);
}

static void test_backward_refuses(void **state)
{
    wick_context *context = *state;
    wick_module *module = v0(context);
    wick_tensor *input = images(context, 2, 28, 28), *output, *gradient = NULL;
    assert_int_equal(wick_module_backward(NULL, input, &gradient), WICK_EINVAL);
    const int64_t shapes[][3] = {{2, 10, 1}, {2, 2, 5}, {1, 20, 1}, {3, 10, 1}};
    wick_tensor *right, *wrong, *integers;
    must(context, wick_tensor_new(context, WICK_FLOAT32, 2, shapes[0], &right));
    must(context, wick_tensor_new(context, WICK_INT64, 2, shapes[0], &integers));
    expect(context, wick_module_backward(module, right, &gradient), WICK_EINVAL, "forward");
    output = forward(context, module, input);
    expect(context, wick_module_backward(module, NULL, &gradient), WICK_EINVAL, "NULL");
    assert_true(wick_module_backward(module, integers, &gradient) != WICK_OK);
    for (size_t i = 0; i < WKI_COUNT(shapes); i++) {
        int ndim = i == 0 ? 3 : i == 1 ? 3 : 2; /* [2, 10, 1], [2, 2, 5], [1, 20], [3, 10] */
        must(context, wick_tensor_new(context, WICK_FLOAT32, ndim, shapes[i], &wrong));
        expect(context, wick_module_backward(module, wrong, &gradient), WICK_ESHAPE, "gradient");
        wick_tensor_free(wrong);
    }
    assert_null(gradient);
    must(context, wick_module_backward(module, right, NULL));
    wick_tensor_free(right);
    wick_tensor_free(integers);
    wick_tensor_free(input);
    wick_tensor_free(output);
    wick_module_free(module);
}

/* Whatever ran last in evaluation mode leaves nothing to go back through. */
static void test_backward_wants_a_forward_in_training_mode(void **state)
{
    wick_context *context = *state;
    wick_module *module = v2(context);
    wick_tensor *input = images(context, 2, 28, 28), *output, *gradient, *probabilities;
    output = forward(context, module, input);
    must(context, wick_tensor_clone(output, &gradient));
    must(context, wick_module_backward(module, gradient, NULL));
    must(context, wick_make_predictions(module, input, &probabilities));
    expect(context, wick_module_backward(module, gradient, NULL), WICK_EINVAL, "training mode");
    wick_module_train(module);
    wick_tensor_free(forward(context, module, input));
    must(context, wick_module_backward(module, gradient, NULL));
    wick_module_eval(module);
    wick_tensor_free(forward(context, module, input));
    expect(context, wick_module_backward(module, gradient, NULL), WICK_EINVAL, "training mode");
    wick_tensor_free(input);
    wick_tensor_free(output);
    wick_tensor_free(gradient);
    wick_tensor_free(probabilities);
    wick_module_free(module);
}

/* ---- a plan is kept ---- */

/* The input's gradient has the input's shape, also where a Flatten comes first; and the same shape again
 * finds the plan that is there. */
static void test_a_flatten_in_front(void **state)
{
    wick_context *context = *state;
    wick_module *module = v0(context);
    wick_tensor *input = images(context, 5, 28, 28), *output = forward(context, module, input), *back;
    const void *plan = module->plan;
    must(context, wick_module_backward(module, output, &back));
    assert_int_equal(wick_tensor_ndim(back), 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(wick_tensor_size(back, i), wick_tensor_size(input, i));
    wick_tensor *again = forward(context, module, input);
    assert_ptr_equal(module->plan, plan);
    assert_same_tensor(output, again);
    wick_tensor_free(again);
    /* Flattened already, it is another shape with the same result. */
    must(context, wick_tensor_reshape(input, 2, (const int64_t[2]){5, 784}));
    again = forward(context, module, input);
    assert_same_tensor(output, again);
    wick_tensor_free(back);
    must(context, wick_module_backward(module, output, &back));
    assert_int_equal(wick_tensor_ndim(back), 2);
    wick_tensor_free(again);
    wick_tensor_free(back);
    wick_tensor_free(input);
    wick_tensor_free(output);
    wick_module_free(module);
}

/* A module of layers that do nothing to rows, and of nothing at all. */
static void test_shapes_of_layers_without_work(void **state)
{
    wick_context *context = *state;
    wick_tensor *input = images(context, 3, 2, 5);
    for (int layers = 0; layers < 3; layers++) {
        wick_module *module, *layer;
        must(context, wick_sequential(context, &module));
        for (int i = 0; i < layers; i++) {
            must(context, i == 0 ? wick_relu(context, &layer) : wick_flatten(context, &layer));
            must(context, wick_sequential_append(module, NULL, layer));
        }
        wick_tensor *output = forward(context, module, input), *back;
        assert_int_equal(wick_tensor_ndim(output), layers == 2 ? 2 : 4);
        must(context, wick_module_backward(module, output, &back));
        assert_int_equal(wick_tensor_ndim(back), 4);
        const float *x = wick_tensor_f32(input), *y = wick_tensor_f32(output),
                    *g = wick_tensor_f32(back);
        for (int64_t i = 0; i < wick_tensor_numel(input); i++) {
            assert_true(y[i] == (layers > 0 && x[i] < 0.0f ? 0.0f : x[i]));
            assert_true(g[i] == y[i]);
        }
        wick_tensor_free(output);
        wick_tensor_free(back);
        wick_module_free(module);
    }
    wick_tensor_free(input);
}

/* The bits depend on a batch's size alone, not on the plans that earlier batches left: a module
 * keeps two, of which small batches use the one with columns in the lanes. */
static void test_batches_of_any_size_follow_each_other(void **state)
{
    wick_context *context = *state;
    wick_module *module = v2(context), *fresh = v2(context);
    wick_tensor *large = images(context, 40, 28, 28);
    wick_tensor_free(forward(context, module, large));
    const void *plan = module->plan;
    const int64_t sizes[] = {17, 12, 1, 16, 5, 13, 40, 11, 33};
    for (size_t i = 0; i < WKI_COUNT(sizes); i++) {
        wick_tensor *input = images(context, sizes[i], 28, 28), *back, *fresh_back;
        wick_module_zero_grad(module);
        wick_module_free(fresh);
        fresh = v2(context);
        wick_tensor *output = forward(context, module, input), *wanted = forward(context, fresh, input);
        if (sizes[i] >= 16)
            assert_ptr_equal(module->plan, plan);
        if (sizes[i] < 8)
            assert_ptr_not_equal(module->plan, plan);
        assert_same_tensor(output, wanted);
        must(context, wick_module_backward(module, output, &back));
        must(context, wick_module_backward(fresh, output, &fresh_back));
        assert_same_tensor(back, fresh_back);
        wick_state_dict *a, *b;
        must(context, wick_module_gradients(module, &a));
        must(context, wick_module_gradients(fresh, &b));
        for (int64_t p = 0; p < wick_state_dict_count(a); p++)
            assert_same_tensor(wick_state_dict_tensor(a, p), wick_state_dict_tensor(b, p));
        wick_state_dict_free(a);
        wick_state_dict_free(b);
        wick_tensor_free(input);
        wick_tensor_free(back);
        wick_tensor_free(fresh_back);
        wick_tensor_free(output);
        wick_tensor_free(wanted);
    }
    wick_tensor_free(large);
    wick_module_free(module);
    wick_module_free(fresh);
}

/* A convolution takes any image size; a plan takes one. */
static void test_the_image_shape_changes(void **state)
{
    wick_context *context = *state;
    const wick_conv2d_options options = {.padding = {1, 1}};
    wick_module *module, *fresh;
    must(context, wick_conv2d(context, 1, 2, (wick_size2){3}, &options, &module));
    const int64_t sizes[][2] = {{5, 7}, {7, 5}, {12, 12}, {5, 7}, {1, 1}};
    for (size_t i = 0; i < WKI_COUNT(sizes); i++) {
        wick_state_dict *dict;
        must(context, wick_conv2d(context, 1, 2, (wick_size2){3}, &options, &fresh));
        must(context, wick_module_state_dict(module, &dict));
        must(context, wick_module_load_state_dict(fresh, dict));
        wick_tensor *input = images(context, 3, sizes[i][0], sizes[i][1]);
        wick_tensor *output = forward(context, module, input), *wanted = forward(context, fresh, input);
        assert_same_tensor(output, wanted);
        wick_state_dict_free(dict);
        wick_tensor_free(input);
        wick_tensor_free(output);
        wick_tensor_free(wanted);
        wick_module_free(fresh);
    }
    /* What does not fit leaves the plan that is there in use. */
    const void *plan = module->plan;
    const int64_t shape[4] = {1, 2, 5, 5};
    wick_tensor *wrong, *output;
    must(context, wick_tensor_new(context, WICK_FLOAT32, 4, shape, &wrong));
    expect(context, wick_module_forward(module, wrong, &output), WICK_ESHAPE, "wants [N, 1, H, W]");
    assert_ptr_equal(module->plan, plan);
    wick_tensor_free(wrong);
    wick_module_free(module);
}

/* ---- what changes between calls ---- */

/* More threads or fewer between forward and backward, between two forwards, and back again: the same
 * bits. */
static void test_the_threads_change(void **state)
{
    wick_context *context = *state;
    wick_module *module = v2(context);
    wick_tensor *input = images(context, 40, 28, 28), *first = NULL, *first_back = NULL;
    const int threads[] = {1, 2, 8, 3, 16, 1, 5};
    for (size_t i = 0; i < WKI_COUNT(threads); i++) {
        must(context, wick_context_set_threads(context, threads[i]));
        wick_module_zero_grad(module);
        wick_tensor *output = forward(context, module, input), *back;
        must(context, wick_context_set_threads(context, threads[(i + 1) % WKI_COUNT(threads)]));
        must(context, wick_module_backward(module, output, &back));
        if (first == NULL) {
            first = output;
            first_back = back;
            continue;
        }
        assert_same_tensor(output, first);
        assert_same_tensor(back, first_back);
        wick_tensor_free(output);
        wick_tensor_free(back);
    }
    wick_tensor_free(first);
    wick_tensor_free(first_back);
    wick_tensor_free(input);
    wick_module_free(module);
}

/* Other kernels give their own bits, whatever ran before. */
static void test_the_kernels_change(void **state)
{
    wick_context *context = *state;
    wick_module *module = v2(context);
    wick_tensor *input = images(context, 17, 28, 28), *want[8], *gradient;
    int count = 0;
    for (; wki_kernels_runnable(count) != NULL; count++) {
        must(context, wick_context_set_cpu(context, wki_kernels_runnable(count)->name));
        wick_module *fresh = v2(context);
        want[count] = forward(context, fresh, input);
        wick_module_free(fresh);
    }
    for (int i = 0; i < 3 * count; i++) {
        int at = (i * 2 + 1) % count;
        must(context, wick_context_set_cpu(context, wki_kernels_runnable(at)->name));
        wick_tensor *output = forward(context, module, input);
        assert_same_tensor(output, want[at]);
        must(context, wick_context_set_cpu(context, wki_kernels_runnable(0)->name));
        must(context, wick_module_backward(module, output, &gradient));
        wick_tensor_free(output);
        wick_tensor_free(gradient);
    }
    expect(context, wick_context_set_cpu(context, "vax"), WICK_EDEVICE, "vax");
    for (int i = 0; i < count; i++)
        wick_tensor_free(want[i]);
    wick_tensor_free(input);
    wick_module_free(module);
}

/* Weights loaded after a plan was made are those that run, and a layer appended afterwards runs too. */
static void test_the_model_changes(void **state)
{
    wick_context *context = *state;
    wick_module *module = v2(context), *other;
    must(context, wick_fashion_mnist_model_v2(context, 1, 3, 10, &other));
    wick_tensor *input = images(context, 3, 28, 28);
    wick_tensor *own = forward(context, module, input), *wanted = forward(context, other, input);
    assert_memory_not_equal(wick_tensor_data(own), wick_tensor_data(wanted), sizeof(float) * 30);
    wick_state_dict *dict;
    must(context, wick_module_state_dict(other, &dict));
    must(context, wick_module_load_state_dict(module, dict));
    wick_tensor *loaded = forward(context, module, input);
    assert_same_tensor(loaded, wanted);
    wick_module *relu;
    must(context, wick_relu(context, &relu));
    must(context, wick_sequential_append(wick_module_child(module, 2), NULL, relu));
    wick_tensor *cut = forward(context, module, input);
    const float *before = wick_tensor_f32(loaded), *after = wick_tensor_f32(cut);
    for (int i = 0; i < 30; i++)
        assert_true(after[i] == fmaxf(before[i], 0.0f));
    wick_state_dict_free(dict);
    wick_tensor_free(cut);
    wick_tensor_free(loaded);
    wick_tensor_free(own);
    wick_tensor_free(wanted);
    wick_tensor_free(input);
    wick_module_free(module);
    wick_module_free(other);
}

/* A part of a model runs on its own with the same weights. */
static void test_a_child_runs_alone(void **state)
{
    wick_context *context = *state;
    wick_module *module = v2(context);
    wick_tensor *input = images(context, 18, 28, 28), *whole = forward(context, module, input), *between,
                *out;
    must(context, wick_module_forward(wick_module_child(module, 0), input, &between));
    for (int64_t i = 1; i < 3; i++) {
        must(context, wick_module_forward(wick_module_child(module, i), between, &out));
        wick_tensor_free(between);
        between = out;
    }
    assert_same_tensor(between, whole);
    wick_tensor_free(between);
    wick_tensor_free(whole);
    wick_tensor_free(input);
    wick_module_free(module);
}

/* Whether a step of so many images might be faster with one thread of two. */
static bool is_doubtful(wick_context *context, wick_module *module, int64_t count)
{
    const int64_t shape[4] = {count, 1, 28, 28};
    wki_plan *plan;
    bool doubtful;
    must(context, wki_module_plan(module, 4, shape, &plan));
    assert_int_equal(wki_plan_threads(plan, count, 3.0, &doubtful), 2);
    return doubtful;
}

/* Threads that share a block are in doubt up to more work than those that have one each. */
static void test_what_is_tried_out(void **state)
{
    wick_context *context = *state;
    wick_module *module, *wide;
    context->work_per_thread = WKI_WORK_PER_THREAD;
    must(context, wick_context_set_threads(context, 2));
    must(context, wick_fashion_mnist_model_v2(context, 1, 10, 10, &module));
    must(context, wick_fashion_mnist_model_v2(context, 1, 64, 10, &wide));
    assert_true(is_doubtful(context, module, 1));
    assert_true(is_doubtful(context, module, 8));
    assert_true(is_doubtful(context, module, 16));
    assert_false(is_doubtful(context, module, 17));
    assert_false(is_doubtful(context, module, 32));
    assert_false(is_doubtful(context, wide, 8));
    wick_module_free(module);
    wick_module_free(wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_context, free_context)
        TEST(test_forward_refuses),
        TEST(test_an_empty_batch_is_refused),
        TEST(test_sizes_beyond_the_limit_are_refused),
        TEST(test_backward_refuses),
        TEST(test_backward_wants_a_forward_in_training_mode),
        TEST(test_a_flatten_in_front),
        TEST(test_shapes_of_layers_without_work),
        TEST(test_batches_of_any_size_follow_each_other),
        TEST(test_the_image_shape_changes),
        TEST(test_the_threads_change),
        TEST(test_the_kernels_change),
        TEST(test_the_model_changes),
        TEST(test_a_child_runs_alone),
        TEST(test_what_is_tried_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
