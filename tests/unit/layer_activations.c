/* wick_module_activations(): every layer's output, without a trace. */
#include "nn/module_internal.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <wick/random.h>

#include <cmocka.h>

enum { MOST_LAYERS = 32 };

typedef struct seen_layers {
    int count;
    char paths[MOST_LAYERS][32];
    wick_tensor *outputs[MOST_LAYERS];
    int stop_at; /* fails there; 0: never */
} seen_layers;

static wick_status keep(void *user, const char *path, const wick_module *layer,
                        const wick_tensor *output)
{
    seen_layers *seen = user;
    assert_true(seen->count < MOST_LAYERS);
    assert_int_equal(wick_module_child_count(layer), 0);
    snprintf(seen->paths[seen->count], sizeof(seen->paths[0]), "%s", path);
    assert_int_equal(wick_tensor_clone(output, &seen->outputs[seen->count]), WICK_OK);
    seen->count++;
    return seen->count == seen->stop_at ? WICK_EINTR : WICK_OK;
}

static void forget(seen_layers *seen)
{
    for (int i = 0; i < seen->count; i++)
        wick_tensor_free(seen->outputs[i]);
    *seen = (seen_layers){0};
}

static void must(wick_context *context, wick_status status)
{
    if (status != WICK_OK)
        fail_msg("%s: %s", wick_status_name(status), wick_context_message(context));
}

static wick_module *make_model(wick_context *context)
{
    wick_module *model;
    wick_manual_seed(context, 42);
    must(context, wick_fashion_mnist_model_v2(context, 1, 5, 10, &model));
    return model;
}

static wick_tensor *make_images(wick_context *context, int64_t count)
{
    const int64_t shape[4] = {count, 1, 28, 28};
    wick_tensor *images;
    must(context, wick_randn(context, NULL, 4, shape, &images));
    return images;
}

static void expect_near(const wick_tensor *a, const wick_tensor *b)
{
    assert_int_equal(a->ndim, b->ndim);
    assert_int_equal(a->numel, b->numel);
    const float *x = a->data, *y = b->data;
    for (int64_t i = 0; i < a->numel; i++)
        if (fabsf(x[i] - y[i]) > 1e-5f)
            fail_msg("element %lld: %.9g and %.9g", (long long)i, (double)x[i], (double)y[i]);
}

/* The layers, their shapes, what ReLU leaves, and at the end what forward gives. */
static void every_layer_is_seen(void **state)
{
    static const char *const paths[] = {
        "conv_block_1.0", "conv_block_1.1", "conv_block_1.2", "conv_block_1.3",
        "conv_block_1.4", "conv_block_2.0", "conv_block_2.1", "conv_block_2.2",
        "conv_block_2.3", "conv_block_2.4", "classifier.0",   "classifier.1",
    };
    wick_context *context = *state;
    wick_module *model = make_model(context);
    wick_tensor *output, *images = make_images(context, 3);
    wick_layer_summary *layers;
    int64_t count;
    seen_layers seen = {0};
    must(context, wick_module_activations(model, images, keep, &seen));
    must(context, wick_module_summary(model, 4, images->shape, &layers, &count));
    assert_int_equal(seen.count, WKI_COUNT(paths));
    assert_int_equal(count, WKI_COUNT(paths));
    for (int i = 0; i < seen.count; i++) {
        const wick_tensor *out = seen.outputs[i];
        assert_string_equal(seen.paths[i], paths[i]);
        assert_int_equal(out->ndim, layers[i].ndim);
        assert_memory_equal(out->shape, layers[i].shape, (size_t)out->ndim * sizeof(*out->shape));
        bool relu = strcmp(layers[i].kind, "ReLU") == 0;
        const float *now = out->data, *before = i == 0 ? NULL : seen.outputs[i - 1]->data;
        for (int64_t k = 0; relu && k < out->numel; k++)
            assert_true(now[k] == (before[k] > 0 ? before[k] : 0.0f));
    }
    must(context, wick_module_forward(model, images, &output));
    expect_near(output, seen.outputs[seen.count - 1]);
    forget(&seen);
    wick_free(layers);
    wick_tensor_free(output);
    wick_tensor_free(images);
    wick_module_free(model);
}

/* Between forward and backward, in training: the gradients are those that come without it. */
static void nothing_is_left_behind(void **state)
{
    wick_context *context = *state;
    wick_state_dict *gradients[2];
    for (int i = 0; i < 2; i++) {
        wick_module *model = make_model(context);
        wick_tensor *output, *images = make_images(context, 20), *one = make_images(context, 1);
        seen_layers seen = {0};
        wick_module_train(model);
        must(context, wick_module_forward(model, images, &output));
        if (i == 1)
            must(context, wick_module_activations(model, one, keep, &seen));
        assert_true(wick_module_training(model));
        assert_true(wick_module_training(wick_module_child(wick_module_child(model, 0), 0)));
        must(context, wick_module_backward(model, output, NULL));
        must(context, wick_module_gradients(model, &gradients[i]));
        forget(&seen);
        wick_tensor_free(output);
        wick_tensor_free(images);
        wick_tensor_free(one);
        wick_module_free(model);
    }
    for (int64_t k = 0; k < wick_state_dict_count(gradients[0]); k++) {
        const wick_tensor *a = wick_state_dict_tensor(gradients[0], k),
                          *b = wick_state_dict_tensor(gradients[1], k);
        assert_memory_equal(a->data, b->data, (size_t)a->numel * sizeof(float));
    }
    wick_state_dict_free(gradients[0]);
    wick_state_dict_free(gradients[1]);
}

static void a_single_layer(void **state)
{
    wick_context *context = *state;
    const int64_t shape[2] = {2, 6};
    wick_module *layer;
    wick_tensor *input, *output, *gradient;
    seen_layers seen = {0};
    must(context, wick_linear(context, 6, 4, NULL, &layer));
    must(context, wick_randn(context, NULL, 2, shape, &input));
    must(context, wick_module_forward(layer, input, &output));
    must(context, wick_module_activations(layer, input, keep, &seen));
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.paths[0], "");
    expect_near(output, seen.outputs[0]);
    must(context, wick_module_backward(layer, output, &gradient));
    forget(&seen);
    wick_tensor_free(gradient);
    wick_tensor_free(output);
    wick_tensor_free(input);
    wick_module_free(layer);
}

static void what_is_refused(void **state)
{
    wick_context *context = *state;
    wick_module *model = make_model(context);
    wick_tensor *images = make_images(context, 1), *wrong;
    const int64_t shape[4] = {1, 3, 28, 28};
    seen_layers seen = {.stop_at = 3};
    assert_int_equal(wick_module_activations(NULL, images, keep, &seen), WICK_EINVAL);
    assert_int_equal(wick_module_activations(model, NULL, keep, &seen), WICK_EINVAL);
    assert_int_equal(wick_module_activations(model, images, NULL, &seen), WICK_EINVAL);
    must(context, wick_rand(context, NULL, 4, shape, &wrong));
    assert_int_equal(wick_module_activations(model, wrong, keep, &seen), WICK_ESHAPE);
    assert_int_equal(seen.count, 0);
    assert_int_equal(wick_module_activations(model, images, keep, &seen), WICK_EINTR);
    assert_int_equal(seen.count, 3);
    forget(&seen);
    wick_tensor_free(wrong);
    wick_tensor_free(images);
    wick_module_free(model);
}

static int set_up(void **state)
{
    wick_context *context;
    if (wick_context_new(&context) != WICK_OK)
        return -1;
    *state = context;
    return 0;
}

static int tear_down(void **state)
{
    wick_context_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_is_seen),
        cmocka_unit_test(nothing_is_left_behind),
        cmocka_unit_test(a_single_layer),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
