/* Modules: the tree, who owns what, shapes, summaries, state_dicts. */
#include "nn/module_internal.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

static int make_context(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

#define ASSERT_OK(call) assert_int_equal(call, WICK_OK)
/* The call fails with that status and that message. */
#define ASSERT_FAILS(call, status, message)                                                             \
    do {                                                                                                \
        assert_int_equal(call, status);                                                                 \
        assert_string_equal(wick_context_message(context), message);                                    \
    } while (0)

static wick_module *linear(wick_context *context, int64_t in, int64_t out)
{
    wick_module *layer = NULL;
    ASSERT_OK(wick_linear(context, in, out, NULL, &layer));
    return layer;
}

static wick_module *relu(wick_context *context)
{
    wick_module *layer = NULL;
    ASSERT_OK(wick_relu(context, &layer));
    return layer;
}

static wick_module *sequential(wick_context *context)
{
    wick_module *module = NULL;
    ASSERT_OK(wick_sequential(context, &module));
    return module;
}

static wick_module *v2(wick_context *context)
{
    wick_module *model = NULL;
    ASSERT_OK(wick_fashion_mnist_model_v2(context, 1, 10, 10, &model));
    return model;
}

/* ---- the tree ---- */

static void test_children(void **state)
{
    wick_context *context = *state;
    wick_module *model = NULL, *block = sequential(context), *layer = linear(context, 2, 3);
    ASSERT_OK(wick_model(context, "Net", &model));
    ASSERT_OK(wick_sequential_append(model, "block", block));
    ASSERT_OK(wick_sequential_append(block, NULL, layer));
    ASSERT_OK(wick_sequential_append(block, NULL, relu(context)));
    ASSERT_OK(wick_sequential_append(model, NULL, relu(context)));
    assert_string_equal(wick_module_class_name(model), "Net");
    assert_int_equal(wick_module_child_count(model), 2);
    assert_ptr_equal(wick_module_child(model, 0), block);
    assert_string_equal(wick_module_child_name(model, 0), "block");
    assert_string_equal(wick_module_child_name(model, 1), "1");
    assert_string_equal(wick_module_child_name(block, 0), "0");
    assert_null(wick_module_child(model, 2));
    assert_null(wick_module_child(model, -1));
    assert_null(wick_module_child_name(model, 2));
    assert_int_equal(wick_module_child_count(layer), 0);
    char *text = NULL;
    ASSERT_OK(wick_module_format(model, &text));
    assert_string_equal(text, "Net(\n"
                              "  (block): Sequential(\n"
                              "    (0): Linear(in_features=2, out_features=3, bias=True)\n"
                              "    (1): ReLU()\n"
                              "  )\n"
                              "  (1): ReLU()\n"
                              ")");
    wick_free(text);
    wick_module_free(model);
    wick_module_free(NULL);
}

static void test_an_empty_container(void **state)
{
    wick_context *context = *state;
    wick_module *module = sequential(context);
    char *text = NULL;
    ASSERT_OK(wick_module_format(module, &text));
    assert_string_equal(text, "Sequential()");
    wick_free(text);
    int ndim = 0;
    int64_t out[WICK_MAX_DIMS] = {0};
    ASSERT_OK(wick_module_output_shape(module, 2, (const int64_t[]){3, 4}, &ndim, out));
    assert_int_equal(ndim, 2);
    assert_int_equal(out[1], 4);
    wick_layer_summary *lines = NULL;
    int64_t count = -1;
    ASSERT_OK(wick_module_summary(module, 2, (const int64_t[]){3, 4}, &lines, &count));
    assert_int_equal(count, 0);
    wick_free(lines);
    wick_state_dict *dict = NULL;
    ASSERT_OK(wick_module_state_dict(module, &dict));
    assert_int_equal(wick_state_dict_count(dict), 0);
    ASSERT_OK(wick_module_load_state_dict(module, dict));
    wick_state_dict_free(dict);
    wick_module_free(module);
}

/* A child that is refused is freed: the leak checkers of the sanitizer builds and of valgrind look. */
static void test_refused_children(void **state)
{
    wick_context *context = *state, *other = NULL;
    wick_module *block = sequential(context), *layer = relu(context);
    ASSERT_FAILS(wick_sequential_append(block, "", relu(context)), WICK_EINVAL,
                 "a child's name must not be empty");
    ASSERT_FAILS(wick_sequential_append(block, "a.b", relu(context)), WICK_EINVAL,
                 "a child's name must not have a dot, but it is 'a.b'");
    ASSERT_FAILS(wick_sequential_append(block, "a", NULL), WICK_EINVAL,
                 "the child of Sequential is NULL; it must be a module");
    ASSERT_FAILS(wick_sequential_append(layer, "a", relu(context)), WICK_EINVAL,
                 "ReLU is no container: only a Sequential, a Residual or a model has children");
    ASSERT_OK(wick_sequential_append(block, "1", layer));
    ASSERT_FAILS(wick_sequential_append(block, "1", relu(context)), WICK_EEXIST,
                 "Sequential has a child named '1' already");
    ASSERT_FAILS(wick_sequential_append(block, NULL, relu(context)), WICK_EEXIST,
                 "Sequential has a child named '1' already");
    ASSERT_OK(wick_context_new(&other));
    ASSERT_FAILS(wick_sequential_append(block, NULL, relu(other)), WICK_EEXIST,
                 "Sequential has a child named '1' already");
    ASSERT_FAILS(wick_sequential_append(block, "x", relu(other)), WICK_EINVAL,
                 "the ReLU was made in another context");
    wick_context_free(other);
    assert_int_equal(wick_sequential_append(NULL, NULL, relu(context)), WICK_EINVAL);
    assert_int_equal(wick_sequential_append(NULL, NULL, NULL), WICK_EINVAL);
    assert_int_equal(wick_module_child_count(block), 1);
    wick_module_free(block);
}

/* These have another owner, so they are refused and not freed. */
static void test_children_that_are_not_the_callers(void **state)
{
    wick_context *context = *state;
    wick_module *top = sequential(context), *middle = sequential(context), *layer = relu(context);
    ASSERT_OK(wick_sequential_append(top, NULL, middle));
    ASSERT_OK(wick_sequential_append(middle, NULL, layer));
    ASSERT_FAILS(wick_sequential_append(top, NULL, layer), WICK_EINVAL,
                 "the ReLU is in another module already");
    ASSERT_FAILS(wick_sequential_append(top, NULL, top), WICK_EINVAL,
                 "a module cannot be appended to itself");
    ASSERT_FAILS(wick_sequential_append(middle, NULL, top), WICK_EINVAL,
                 "a module cannot be appended to itself");
    wick_module_free(top);
}

static void test_models_need_a_name(void **state)
{
    wick_context *context = *state;
    wick_module *model = NULL;
    ASSERT_FAILS(wick_model(context, "", &model), WICK_EINVAL, "a model's class name must not be empty");
    ASSERT_FAILS(wick_model(context, NULL, &model), WICK_EINVAL,
                 "a model's class name must not be empty");
    ASSERT_FAILS(wick_sequential(context, NULL), WICK_EINVAL,
                 "out is NULL; it must point to where the result goes");
    assert_int_equal(wick_sequential(NULL, &model), WICK_EINVAL);
    assert_int_equal(wick_linear(NULL, 1, 1, NULL, &model), WICK_EINVAL);
    assert_null(model);
}

static void test_training(void **state)
{
    wick_module *model = v2(*state), *layer = wick_module_child(wick_module_child(model, 2), 1);
    assert_true(wick_module_training(model) && wick_module_training(layer));
    wick_module_eval(model);
    assert_false(wick_module_training(model) || wick_module_training(layer));
    wick_module_train(layer);
    assert_false(wick_module_training(model));
    assert_true(wick_module_training(layer));
    wick_module_eval(layer);
    wick_module_train(model);
    assert_true(wick_module_training(layer));
    wick_module_free(model);
}

static void test_zero_grad(void **state)
{
    wick_module *model = v2(*state), *layer = wick_module_child(wick_module_child(model, 2), 1);
    for (int i = 0; i < 2; i++) {
        float *grad = wick_tensor_f32(layer->parameters[i].grad);
        float first = wick_tensor_f32(layer->parameters[i].value)[0];
        grad[0] = grad[wick_tensor_numel(layer->parameters[i].grad) - 1] = 3.0f;
        wick_module_zero_grad(model);
        for (int64_t j = 0; j < wick_tensor_numel(layer->parameters[i].grad); j++)
            assert_true(grad[j] == 0.0f);
        assert_true(wick_tensor_f32(layer->parameters[i].value)[0] == first);
    }
    wick_module_free(model);
}

typedef struct visits {
    char paths[256];
    int limit;
} visits;

static wick_status note(void *user, wki_visit_event event, wick_module *layer, const char *path)
{
    visits *v = user;
    assert_int_equal(event, WKI_VISIT_LAYER);
    assert_int_equal(layer->child_count, 0);
    strcat(strcat(v->paths, path), " ");
    return --v->limit == 0 ? WICK_EINTR : WICK_OK;
}

static void test_walk(void **state)
{
    wick_module *model = v2(*state);
    visits all = {.limit = -1}, some = {.limit = 4}, one = {.limit = -1};
    ASSERT_OK(wki_module_walk(model, note, &all));
    assert_string_equal(all.paths,
                        "conv_block_1.0 conv_block_1.1 conv_block_1.2 conv_block_1.3 conv_block_1.4 "
                        "conv_block_2.0 conv_block_2.1 conv_block_2.2 conv_block_2.3 conv_block_2.4 "
                        "classifier.0 classifier.1 ");
    assert_int_equal(wki_module_walk(model, note, &some), WICK_EINTR);
    assert_string_equal(some.paths, "conv_block_1.0 conv_block_1.1 conv_block_1.2 conv_block_1.3 ");
    ASSERT_OK(wki_module_walk(wick_module_child(wick_module_child(model, 0), 0), note, &one));
    assert_string_equal(one.paths, " ");
    wick_module_free(model);
}

static void count_free(void *plan)
{
    ++*(int *)plan;
}

static void test_plans_are_freed(void **state)
{
    wick_context *context = *state;
    wick_module *top = sequential(context), *block = sequential(context);
    int freed[2] = {0, 0};
    ASSERT_OK(wick_sequential_append(top, NULL, block));
    top->plan = &freed[0];
    block->plan = &freed[1];
    top->plan_free = block->plan_free = count_free;
    ASSERT_OK(wick_sequential_append(top, NULL, relu(context)));
    assert_int_equal(freed[0], 1);
    assert_int_equal(freed[1], 0);
    top->plan = &freed[0];
    ASSERT_OK(wick_sequential_append(block, NULL, relu(context)));
    assert_int_equal(freed[0], 2);
    assert_int_equal(freed[1], 1);
    block->plan = &freed[1];
    wick_module_free(top);
    assert_int_equal(freed[1], 2);
}

/* ---- shapes and sizes ---- */

static void test_shape_messages(void **state)
{
    wick_context *context = *state;
    wick_module *model = v2(context);
    int ndim = -1;
    int64_t out[WICK_MAX_DIMS];
    ASSERT_OK(wick_module_output_shape(model, 4, (const int64_t[]){32, 1, 28, 28}, &ndim, out));
    assert_int_equal(ndim, 2);
    assert_memory_equal(out, ((const int64_t[]){32, 10}), 2 * sizeof(int64_t));
    ndim = -1;
    ASSERT_FAILS(wick_module_output_shape(model, 4, (const int64_t[]){32, 3, 28, 28}, &ndim, out),
                 WICK_ESHAPE,
                 "conv_block_1.0: Conv2d(1, 10, ...) wants [N, 1, H, W] but got [32, 3, 28, 28]");
    ASSERT_FAILS(wick_module_output_shape(model, 3, (const int64_t[]){1, 28, 28}, &ndim, out),
                 WICK_ESHAPE,
                 "conv_block_1.0: Conv2d(1, 10, ...) wants [N, 1, H, W] but got [1, 28, 28]");
    ASSERT_FAILS(wick_module_output_shape(model, 4, (const int64_t[]){32, 1, 36, 36}, &ndim, out),
                 WICK_ESHAPE, "classifier.1: Linear wants [..., 490] but got [32, 810]");
    ASSERT_FAILS(wick_module_output_shape(model, 4, (const int64_t[]){32, 1, 3, 9}, &ndim, out),
                 WICK_ESHAPE,
                 "conv_block_2.4: MaxPool2d wants [N, C, H >= 2, W >= 2] but got [32, 10, 1, 4]");
    ASSERT_FAILS(wick_module_output_shape(model, 9, out, &ndim, out), WICK_EINVAL,
                 "a shape has 0 to 8 dimensions, not 9");
    ASSERT_FAILS(wick_module_output_shape(model, 2, NULL, &ndim, out), WICK_EINVAL,
                 "the input's shape is NULL");
    assert_int_equal(wick_module_output_shape(NULL, 2, out, &ndim, out), WICK_EINVAL);
    assert_int_equal(ndim, -1);
    wick_module_free(model);
}

static void check_refused_shape(wick_context *context, const char *layer, int ndim, const int64_t *in,
                                const char *message)
{
    wick_module *module = NULL;
    int64_t out[WICK_MAX_DIMS];
    int ndim_out;
    ASSERT_OK(wick_layer_parse(context, layer, &module));
    ASSERT_FAILS(wick_module_output_shape(module, ndim, in, &ndim_out, out), WICK_ESHAPE, message);
    wick_module_free(module);
}

#define SHAPE(...)                                                                                      \
    (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[])                  \
    {                                                                                                   \
        __VA_ARGS__                                                                                     \
    }

static void test_layers_refuse_shapes(void **state)
{
    wick_context *context = *state;
    check_refused_shape(context, "Conv2d(3, 4, (5, 2), padding=(1, 0))", SHAPE(1, 3, 2, 9),
                        "Conv2d(3, 4, ...) wants [N, 3, H >= 3, W >= 2] but got [1, 3, 2, 9]");
    check_refused_shape(context, "Conv2d(3, 4, 1, padding=1)", SHAPE(1, 3, 0, 9),
                        "Conv2d(3, 4, ...) wants [N, 3, H, W] but got [1, 3, 0, 9]");
    check_refused_shape(context, "Conv2d(3, 4, 1)", SHAPE(1, 3, -1, 9),
                        "Conv2d wants sizes that can be counted in memory but got [1, 3, -1, 9]");
    check_refused_shape(context, "MaxPool2d(4, 3, ceil_mode=True)", SHAPE(1, 3, 1, 9),
                        "MaxPool2d wants [N, C, H >= 2, W >= 2] but got [1, 3, 1, 9]");
    check_refused_shape(context, "MaxPool2d(2)", SHAPE(2, 0, 4, 4),
                        "MaxPool2d wants [N, C, H >= 2, W >= 2] but got [2, 0, 4, 4]");
    check_refused_shape(context, "Flatten()", SHAPE(5),
                        "Flatten wants [N, ...], two dimensions or more, but got [5]");
    check_refused_shape(context, "Linear(4, 1)", 0, NULL, "Linear wants [..., 4] but got []");
    check_refused_shape(
        context, "ReLU()", SHAPE(INT64_MAX, 2, 2),
        "ReLU wants sizes that can be counted in memory but got [9223372036854775807, 2, 2]");
    check_refused_shape(context, "Linear(1, 8192)", SHAPE(INT64_C(1) << 48, 1),
                        "Linear wants sizes that can be counted in memory but got [281474976710656, 1]");
    check_refused_shape(context, "Conv2d(1, 1, 1, padding=2147483647)", SHAPE(1 << 20, 1, 3, 3),
                        "Conv2d wants sizes that can be counted in memory but got [1048576, 1, 3, 3]");
}

static void test_summary(void **state)
{
    wick_context *context = *state;
    wick_module *model = v2(context);
    wick_layer_summary *lines = NULL;
    int64_t count = 0, parameters = 0;
    ASSERT_OK(wick_module_summary(model, 4, (const int64_t[]){32, 1, 28, 28}, &lines, &count));
    assert_int_equal(count, 12);
    for (int64_t i = 0; i < count; i++)
        parameters += lines[i].parameters;
    assert_int_equal(parameters, 7740);
    assert_int_equal(parameters, wick_module_parameter_count(model));
    assert_string_equal(lines[0].path, "conv_block_1.0");
    assert_string_equal(lines[0].kind, "Conv2d");
    assert_int_equal(lines[0].parameters, 100);
    assert_int_equal(lines[0].multiply_adds, INT64_C(32) * 10 * 28 * 28 * 9);
    assert_int_equal(lines[1].multiply_adds, 0);
    assert_int_equal(lines[2].multiply_adds, INT64_C(32) * 10 * 28 * 28 * 90);
    assert_int_equal(lines[4].ndim, 4);
    assert_memory_equal(lines[4].shape, ((const int64_t[]){32, 10, 14, 14}), 4 * sizeof(int64_t));
    assert_string_equal(lines[11].path, "classifier.1");
    assert_int_equal(lines[11].parameters, 4910);
    assert_int_equal(lines[11].multiply_adds, 32 * 490 * 10);
    wick_free(lines);
    assert_int_equal(wick_module_summary(model, 4, (const int64_t[]){32, 2, 28, 28}, &lines, &count),
                     WICK_ESHAPE);
    wick_module_free(model);
}

static void test_summary_limits(void **state)
{
    wick_context *context = *state;
    wick_module *block = sequential(context), *layer = NULL;
    wick_layer_summary *lines = NULL;
    int64_t count = 0;
    char name[200];
    memset(name, 'n', sizeof(name));
    name[127] = '\0';
    ASSERT_OK(wick_sequential_append(block, name, relu(context)));
    ASSERT_OK(wick_module_summary(block, 1, (const int64_t[]){3}, &lines, &count));
    assert_string_equal(lines[0].path, name);
    wick_free(lines);
    name[127] = 'n';
    name[128] = '\0';
    ASSERT_OK(wick_sequential_append(block, name, relu(context)));
    assert_int_equal(wick_module_summary(block, 1, (const int64_t[]){3}, &lines, &count), WICK_ELIMIT);
    wick_module_free(block);
    ASSERT_OK(wick_layer_parse(context, "Conv2d(1, 1, 256, padding=(1048576, 1048576))", &layer));
    ASSERT_FAILS(wick_module_summary(layer, 4, (const int64_t[]){1 << 18, 1, 256, 256}, &lines, &count),
                 WICK_ELIMIT, "Conv2d takes more than 2^63 multiply-adds");
    wick_module_free(layer);
}

static void test_parameter_counts(void **state)
{
    wick_context *context = *state;
    static const struct {
        const char *text;
        int64_t count;
    } cases[] = {
        {"Linear(784, 10)", 7850},
        {"Linear(784, 10, bias=False)", 7840},
        {"Conv2d(6, 4, (3, 5), groups=2)", 184},
        {"Conv2d(6, 4, (3, 5), groups=2, bias=False)", 180},
        {"MaxPool2d(2)", 0},
        {"ReLU()", 0},
    };
    for (size_t i = 0; i < WKI_COUNT(cases); i++) {
        wick_module *layer = NULL;
        ASSERT_OK(wick_layer_parse(context, cases[i].text, &layer));
        assert_int_equal(wick_module_parameter_count(layer), cases[i].count);
        wick_module_free(layer);
    }
}

/* ---- options ---- */

static void test_defaults(void **state)
{
    wick_context *context = *state;
    wick_module *layer = NULL;
    ASSERT_OK(
        wick_conv2d(context, 1, 2, (wick_size2){3}, &(wick_conv2d_options){.stride = {2}}, &layer));
    const wki_conv2d *conv = &layer->as.conv2d;
    assert_true(conv->kernel.h == 3 && conv->kernel.w == 3 && conv->stride.h == 2 &&
                conv->stride.w == 2);
    assert_true(conv->padding.h == 0 && conv->padding.w == 0 && conv->dilation.h == 1 &&
                conv->dilation.w == 1);
    assert_int_equal(conv->groups, 1);
    wick_module_free(layer);
    ASSERT_OK(wick_max_pool2d(context, (wick_size2){3, 2}, NULL, &layer));
    assert_true(layer->as.max_pool2d.stride.h == 3 && layer->as.max_pool2d.stride.w == 2);
    wick_module_free(layer);
}

static void test_refused_options(void **state)
{
    wick_context *context = *state;
    wick_module *layer = NULL;
    const wick_size2 three = {3, 3};
    ASSERT_FAILS(wick_linear(context, 0, 3, NULL, &layer), WICK_EINVAL,
                 "in_features must be at least 1, but it is 0");
    ASSERT_FAILS(wick_linear(context, 3, -1, NULL, &layer), WICK_EINVAL,
                 "out_features must be at least 1, but it is -1");
    ASSERT_FAILS(wick_linear(context, INT64_MAX, 3, NULL, &layer), WICK_ELIMIT,
                 "in_features must be at most 2147483647, but it is 9223372036854775807");
    ASSERT_FAILS(wick_conv2d(context, 0, 3, three, NULL, &layer), WICK_EINVAL,
                 "in_channels must be at least 1, but it is 0");
    ASSERT_FAILS(wick_conv2d(context, 3, 3, (wick_size2){0, 0}, NULL, &layer), WICK_EINVAL,
                 "kernel_size must be at least 1, but it is (0, 0)");
    ASSERT_FAILS(wick_conv2d(context, 3, 3, three, &(wick_conv2d_options){.stride = {0, 2}}, &layer),
                 WICK_EINVAL, "stride must be at least 1, but it is (0, 2)");
    ASSERT_FAILS(wick_conv2d(context, 3, 3, three, &(wick_conv2d_options){.dilation = {-1}}, &layer),
                 WICK_EINVAL, "dilation must be at least 1, but it is (-1, -1)");
    ASSERT_FAILS(wick_conv2d(context, 3, 3, three, &(wick_conv2d_options){.padding = {1, -1}}, &layer),
                 WICK_EINVAL, "padding must be at least 0, but it is (1, -1)");
    ASSERT_FAILS(wick_conv2d(context, 3, 3, three, &(wick_conv2d_options){.groups = -1}, &layer),
                 WICK_EINVAL, "groups must be at least 1, but it is -1");
    ASSERT_FAILS(wick_conv2d(context, 3, 3, three, &(wick_conv2d_options){.groups = 2}, &layer),
                 WICK_EINVAL, "in_channels must be divisible by groups, but they are 3 and 2");
    ASSERT_FAILS(wick_conv2d(context, 1 << 12, 1 << 12, (wick_size2){12}, NULL, &layer), WICK_ELIMIT,
                 "Conv2d would have more than 2147483648 parameters");
    ASSERT_FAILS(wick_max_pool2d(context, three, &(wick_max_pool2d_options){.padding = {2, 1}}, &layer),
                 WICK_EINVAL,
                 "padding must be at most half of kernel_size, but they are (2, 1) and (3, 3)");
    ASSERT_FAILS(wick_max_pool2d(context, (wick_size2){3, -1}, NULL, &layer), WICK_EINVAL,
                 "kernel_size must be at least 1, but it is (3, -1)");
    assert_null(layer);
}

/* ---- the chapter's models ---- */

static void test_models_by_name(void **state)
{
    wick_context *context = *state;
    static const char *const names[][2] = {{"v0", "FashionMNISTModelV0"},
                                           {"V1", "FashionMNISTModelV1"},
                                           {"TinyVGG", "FashionMNISTModelV2"},
                                           {"fashionmnistmodelv2", "FashionMNISTModelV2"}};
    const int64_t image[3] = {3, 33, 20};
    for (size_t i = 0; i < WKI_COUNT(names); i++) {
        wick_module *model = NULL;
        int ndim = 0;
        int64_t out[WICK_MAX_DIMS];
        ASSERT_OK(wick_model_by_name(context, names[i][0], image, 4, 6, &model));
        assert_string_equal(wick_module_class_name(model), names[i][1]);
        ASSERT_OK(wick_module_output_shape(model, 4, (const int64_t[]){2, 3, 33, 20}, &ndim, out));
        assert_true(ndim == 2 && out[0] == 2 && out[1] == 6);
        wick_module_free(model);
    }
    assert_string_equal(wick_model_known(0), "FashionMNISTModelV0");
    assert_string_equal(wick_model_known(2), "FashionMNISTModelV2");
    assert_null(wick_model_known(3));
    assert_null(wick_model_known(-1));
}

static void test_refused_models(void **state)
{
    wick_context *context = *state;
    const int64_t image[3] = {1, 28, 28}, small[3] = {1, 28, 3}, none[3] = {0, 28, 28};
    const int64_t large[3] = {INT64_C(1) << 31, INT64_C(1) << 31, 4};
    wick_module *model = NULL;
    ASSERT_FAILS(
        wick_model_by_name(context, "tinyvg", image, 10, 10, &model), WICK_ENOENT,
        "there is no model 'tinyvg' (did you mean tinyvgg?); there are FashionMNISTModelV0 (v0), "
        "FashionMNISTModelV1 (v1), FashionMNISTModelV2 (v2, tinyvgg)");
    ASSERT_FAILS(
        wick_model_by_name(context, "resnet", image, 10, 10, &model), WICK_ENOENT,
        "there is no model 'resnet'; there are FashionMNISTModelV0 (v0), FashionMNISTModelV1 (v1), "
        "FashionMNISTModelV2 (v2, tinyvgg)");
    ASSERT_FAILS(wick_model_by_name(context, "v2", small, 10, 10, &model), WICK_ESHAPE,
                 "FashionMNISTModelV2 wants images [C, H >= 4, W >= 4] but got [1, 28, 3]");
    ASSERT_FAILS(wick_model_by_name(context, "v0", none, 10, 10, &model), WICK_ESHAPE,
                 "FashionMNISTModelV0 wants images [C, H >= 1, W >= 1] but got [0, 28, 28]");
    ASSERT_FAILS(wick_model_by_name(context, "v0", image, 0, 10, &model), WICK_EINVAL,
                 "hidden_units must be at least 1, but it is 0");
    ASSERT_FAILS(wick_model_by_name(context, "v1", image, 10, -2, &model), WICK_EINVAL,
                 "output_shape must be at least 1, but it is -2");
    assert_int_equal(wick_model_by_name(context, "v1", large, 10, 10, &model), WICK_ELIMIT);
    ASSERT_FAILS(wick_fashion_mnist_model_v2(context, 1, 1 << 20, 10, &model), WICK_ELIMIT,
                 "FashionMNISTModelV2: Conv2d would have more than 2147483648 parameters");
    assert_int_equal(wick_model_by_name(context, NULL, image, 10, 10, &model), WICK_EINVAL);
    assert_int_equal(wick_model_by_name(context, "v2", NULL, 10, 10, &model), WICK_EINVAL);
    assert_int_equal(wick_model_by_name(context, "v2", image, 10, 10, NULL), WICK_EINVAL);
    assert_null(model);
}

/* ---- state_dicts ---- */

static wick_state_dict *state_dict(wick_module *module)
{
    wick_state_dict *dict = NULL;
    ASSERT_OK(wick_module_state_dict(module, &dict));
    return dict;
}

static void add(wick_state_dict *dict, wick_context *context, const char *key, wick_dtype dtype,
                int ndim, const int64_t *shape)
{
    wick_tensor *tensor = NULL;
    ASSERT_OK(wick_tensor_new(context, dtype, ndim, shape, &tensor));
    ASSERT_OK(wick_state_dict_add(dict, key, tensor));
}

/* Whether the module's values are those of dict. */
static bool has_values(wick_module *module, const wick_state_dict *dict)
{
    wick_state_dict *own = state_dict(module);
    bool same = wick_state_dict_count(own) == wick_state_dict_count(dict);
    for (int64_t i = 0; same && i < wick_state_dict_count(own); i++) {
        const wick_tensor *a = wick_state_dict_tensor(own, i);
        const wick_tensor *b = wick_state_dict_get(dict, wick_state_dict_key(own, i));
        same = b != NULL && memcmp(wick_tensor_cdata(a), wick_tensor_cdata(b),
                                   (size_t)wick_tensor_numel(a) * sizeof(float)) == 0;
    }
    wick_state_dict_free(own);
    return same;
}

static void test_state_dict(void **state)
{
    wick_context *context = *state;
    static const char *const keys[] = {
        "conv_block_1.0.weight", "conv_block_1.0.bias", "conv_block_1.2.weight", "conv_block_1.2.bias",
        "conv_block_2.0.weight", "conv_block_2.0.bias", "conv_block_2.2.weight", "conv_block_2.2.bias",
        "classifier.1.weight",   "classifier.1.bias"};
    wick_module *model = v2(context), *other = v2(context);
    wick_state_dict *dict = state_dict(model);
    assert_int_equal(wick_state_dict_count(dict), WKI_COUNT(keys));
    for (size_t i = 0; i < WKI_COUNT(keys); i++)
        assert_string_equal(wick_state_dict_key(dict, (int64_t)i), keys[i]);
    assert_false(has_values(other, dict));
    ASSERT_OK(wick_module_load_state_dict(other, dict));
    assert_true(has_values(other, dict));
    /* It is a copy. */
    wick_tensor_f32(wick_state_dict_tensor(dict, 0))[0] = 7.0f;
    assert_false(has_values(model, dict));
    wick_state_dict_free(dict);
    wick_module_free(model);
    wick_module_free(other);
}

static void test_state_dict_of_a_layer(void **state)
{
    wick_module *layer = linear(*state, 3, 2);
    wick_state_dict *dict = state_dict(layer);
    assert_int_equal(wick_state_dict_count(dict), 2);
    assert_string_equal(wick_state_dict_key(dict, 0), "weight");
    assert_string_equal(wick_state_dict_key(dict, 1), "bias");
    wick_state_dict_free(dict);
    wick_module_free(layer);
}

static void test_gradients(void **state)
{
    wick_module *layer = linear(*state, 3, 2);
    wick_state_dict *dict = NULL;
    wick_tensor_f32(layer->parameters[0].grad)[5] = 2.5f;
    ASSERT_OK(wick_module_gradients(layer, &dict));
    assert_int_equal(wick_state_dict_count(dict), 2);
    const float *weight = wick_tensor_f32(wick_state_dict_get(dict, "weight"));
    assert_true(weight[0] == 0.0f && weight[5] == 2.5f);
    assert_true(wick_tensor_f32(wick_state_dict_get(dict, "bias"))[1] == 0.0f);
    wick_state_dict_free(dict);
    wick_module_free(layer);
}

/* Loading dict into the module fails so, and changes nothing. dict is freed. */
static void check_not_loaded(wick_context *context, wick_module *module, wick_state_dict *dict,
                             wick_status status, const char *message)
{
    wick_state_dict *before = state_dict(module);
    ASSERT_FAILS(wick_module_load_state_dict(module, dict), status, message);
    assert_true(has_values(module, before));
    wick_state_dict_free(before);
    wick_state_dict_free(dict);
}

static wick_state_dict *empty_dict(wick_context *context)
{
    wick_state_dict *dict = NULL;
    ASSERT_OK(wick_state_dict_new(context, &dict));
    return dict;
}

static void test_keys_that_do_not_fit(void **state)
{
    wick_context *context = *state;
    wick_module *model = v2(context), *layer = linear(context, 2, 1);
    wick_state_dict *dict = state_dict(layer);
    check_not_loaded(
        context, model, dict, WICK_EKEY,
        "this is no state_dict of FashionMNISTModelV2: missing key(s) \"conv_block_1.0.weight\", "
        "\"conv_block_1.0.bias\", \"conv_block_1.2.weight\" and 7 more; unexpected key(s) \"weight\", "
        "\"bias\"");
    dict = empty_dict(context);
    add(dict, context, "weight", WICK_FLOAT32, 2, (const int64_t[]){1, 2});
    check_not_loaded(context, layer, dict, WICK_EKEY,
                     "this is no state_dict of Linear: missing key(s) \"bias\"");
    dict = state_dict(layer);
    add(dict, context, "a\nb\x7f", WICK_FLOAT32, 0, NULL);
    check_not_loaded(context, layer, dict, WICK_EKEY,
                     "this is no state_dict of Linear: unexpected key(s) \"a?b?\"");
    assert_int_equal(wick_module_load_state_dict(layer, NULL), WICK_EINVAL);
    assert_int_equal(wick_module_load_state_dict(NULL, NULL), WICK_EINVAL);
    wick_module_free(model);
    wick_module_free(layer);
}

static void test_tensors_that_do_not_fit(void **state)
{
    wick_context *context = *state;
    wick_module *layer = linear(context, 3, 2), *wide = linear(context, 3, 4);
    /* The first tensor fits, the second does not: neither is loaded. */
    wick_state_dict *dict = empty_dict(context);
    add(dict, context, "weight", WICK_FLOAT32, 2, (const int64_t[]){2, 3});
    add(dict, context, "bias", WICK_FLOAT32, 1, (const int64_t[]){3});
    check_not_loaded(context, layer, dict, WICK_ESHAPE,
                     "size mismatch for bias: the state_dict has shape [3], but Linear wants [2]");
    check_not_loaded(
        context, layer, state_dict(wide), WICK_ESHAPE,
        "size mismatch for weight: the state_dict has shape [4, 3], but Linear wants [2, 3]");
    dict = empty_dict(context);
    add(dict, context, "weight", WICK_FLOAT32, 2, (const int64_t[]){2, 3});
    add(dict, context, "bias", WICK_FLOAT32, 2, (const int64_t[]){2, 1});
    check_not_loaded(context, layer, dict, WICK_ESHAPE,
                     "size mismatch for bias: the state_dict has shape [2, 1], but Linear wants [2]");
    dict = empty_dict(context);
    add(dict, context, "weight", WICK_FLOAT32, 2, (const int64_t[]){2, 3});
    add(dict, context, "bias", WICK_INT64, 1, (const int64_t[]){2});
    check_not_loaded(
        context, layer, dict, WICK_EINVAL,
        "dtype mismatch for bias: the state_dict has torch.int64, but Linear wants torch.float32");
    wick_module_free(layer);
    wick_module_free(wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_context, free_context)
        TEST(test_children),
        TEST(test_an_empty_container),
        TEST(test_refused_children),
        TEST(test_children_that_are_not_the_callers),
        TEST(test_models_need_a_name),
        TEST(test_training),
        TEST(test_zero_grad),
        TEST(test_walk),
        TEST(test_plans_are_freed),
        TEST(test_shape_messages),
        TEST(test_layers_refuse_shapes),
        TEST(test_summary),
        TEST(test_summary_limits),
        TEST(test_parameter_counts),
        TEST(test_defaults),
        TEST(test_refused_options),
        TEST(test_models_by_name),
        TEST(test_refused_models),
        TEST(test_state_dict),
        TEST(test_state_dict_of_a_layer),
        TEST(test_gradients),
        TEST(test_keys_that_do_not_fit),
        TEST(test_tensors_that_do_not_fit),
    };
    return cmocka_run_group_tests_name("nn_tree", tests, NULL, NULL);
}
