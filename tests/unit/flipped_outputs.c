/* Test-time augmentation: in evaluation mode a module's output is the mean of those for an image and for its mirror image,
 * whatever the layout its plan works in, and wherever the images come from. */
#include "nn/module_internal.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

#include "context_fixture.h"

enum { CHANNELS = 2, HEIGHT = 9, WIDTH = 11, COUNT = 37, CLASSES = 3 };

static const float means[3] = {0.3f, 0.6f, 0}, stds[3] = {0.2f, 0.4f, 0};

static wick_module *make_model(wick_context *context, const char *text)
{
    wick_module *module;
    wick_manual_seed(context, 42);
    must(context, wick_model_parse(context, text, NULL, &module));
    return module;
}

/* Rows from the beginning, lanes, a halo around the input, an input that is changed in place and one with two names. */
static const char *const texts[] = {
    "Sequential(Flatten(), Linear(198, 3))",
    "Sequential(Conv2d(2, 4, 3), BatchNorm2d(4), ReLU(), MaxPool2d(2), Flatten(), Linear(48, 3))",
    "Sequential(Conv2d(2, 3, 5, 2, 2), Dropout(0.5), AdaptiveAvgPool2d(1), Flatten(), Linear(3, 3))",
    "Sequential(ReLU(), Conv2d(2, 3, 3, padding=1), AdaptiveAvgPool2d(1), Flatten(), Linear(3, 3))",
    "Sequential(Residual(Conv2d(2, 2, 3, padding=1)), ReLU(), Flatten(), Linear(198, 3), ReLU())",
};

static wick_tensor *mirrored(wick_context *context, const wick_tensor *images)
{
    wick_tensor *out;
    must(context, wick_tensor_clone(images, &out));
    const float *from = wick_tensor_cdata(images);
    float *to = wick_tensor_data(out);
    for (int64_t i = 0; i < wick_tensor_numel(images); i++)
        to[i] = from[i - i % WIDTH + WIDTH - 1 - i % WIDTH];
    return out;
}

static wick_tensor *forward(wick_context *context, wick_module *module, const wick_tensor *input)
{
    wick_tensor *output;
    must(context, wick_module_forward(module, input, &output));
    return output;
}

/* The mean of two forwards without augmentation. */
static wick_tensor *mean_of_two(wick_context *context, wick_module *module, const wick_tensor *images)
{
    wick_tensor *mirror = mirrored(context, images), *a = forward(context, module, images),
                *b = forward(context, module, mirror);
    float *sum = wick_tensor_data(a);
    const float *other = wick_tensor_cdata(b);
    for (int64_t i = 0; i < wick_tensor_numel(a); i++)
        sum[i] = 0.5f * (sum[i] + other[i]);
    wick_tensor_free(mirror);
    wick_tensor_free(b);
    return a;
}

static void assert_same(const wick_tensor *a, const wick_tensor *b)
{
    assert_int_equal(wick_tensor_numel(a), wick_tensor_numel(b));
    assert_memory_equal(wick_tensor_cdata(a), wick_tensor_cdata(b),
                        (size_t)wick_tensor_numel(a) * sizeof(float));
}

/* Batches for columns in the lanes and for images, of full blocks and others, by one thread and two. */
static void outputs_are_means(void **state)
{
    wick_context *context = *state;
    static const int64_t counts[] = {1, 3, 16, 37};
    for (size_t t = 0; t < WKI_COUNT(texts); t++) {
        wick_module *module = make_model(context, texts[t]);
        for (size_t i = 0; i < 2 * WKI_COUNT(counts); i++) {
            const int64_t shape[4] = {counts[i / 2], CHANNELS, HEIGHT, WIDTH};
            wick_tensor *images;
            must(context, wick_context_set_threads(context, 1 + (int)i % 2));
            must(context, wick_randn(context, NULL, 4, shape, &images));
            wick_module_set_tta(module, WICK_TTA_NONE);
            wick_module_eval(module);
            wick_tensor *wanted = mean_of_two(context, module, images);
            wick_tensor *once = forward(context, module, images);
            wick_module_set_tta(module, WICK_TTA_FLIP);
            wick_tensor *got = forward(context, module, images);
            assert_same(got, wanted);
            assert_memory_not_equal(wick_tensor_cdata(got), wick_tensor_cdata(once),
                                    (size_t)wick_tensor_numel(got) * sizeof(float));
            wick_tensor_free(images);
            wick_tensor_free(wanted);
            wick_tensor_free(once);
            wick_tensor_free(got);
        }
        wick_module_free(module);
    }
}

static wick_dataset *make_data(wick_context *context)
{
    static const char *const classes[CLASSES] = {"a", "b", "c"};
    static uint8_t pixels[COUNT * CHANNELS * HEIGHT * WIDTH];
    int64_t labels[COUNT];
    wick_dataset *dataset;
    for (size_t i = 0; i < sizeof(pixels); i++)
        pixels[i] = (uint8_t)((uint32_t)i * 2654435761u >> 24);
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % CLASSES;
    must(context, wick_dataset_from(context, COUNT, CHANNELS, HEIGHT, WIDTH, pixels, labels, CLASSES,
                                    classes, &dataset));
    return dataset;
}

/* All images of the loader in one batch, as floats. */
static wick_tensor *all_images(wick_context *context, wick_dataset *dataset)
{
    wick_loader *loader;
    wick_tensor *images, *labels;
    const wick_loader_options options = {.batch_size = COUNT, .mean = means, .std = stds};
    must(context, wick_loader_new(dataset, &options, &loader));
    must(context, wick_loader_begin(loader));
    must(context, wick_loader_next(loader, &images, &labels));
    wick_tensor_free(labels);
    wick_loader_free(loader);
    return images;
}

/* Logits, loss and accuracy of an evaluation, and predictions, are of the means. */
static void evaluations_are_of_means(void **state)
{
    wick_context *context = *state;
    wick_dataset *dataset = make_data(context);
    wick_tensor *images = all_images(context, dataset);
    wick_loss *loss;
    must(context, wick_cross_entropy_loss(context, &loss));
    for (size_t t = 0; t < WKI_COUNT(texts); t++) {
        wick_module *module = make_model(context, texts[t]);
        wick_loader *loader;
        const wick_loader_options options = {.batch_size = COUNT, .mean = means, .std = stds};
        wick_tensor *logits, *labels, *wanted, *probabilities, *softmax;
        wick_metrics metrics;
        float value;
        must(context, wick_loader_new(dataset, &options, &loader));
        wick_module_eval(module);
        wanted = mean_of_two(context, module, images);
        wick_module_set_tta(module, WICK_TTA_FLIP);
        assert_int_equal(wick_module_tta(module), WICK_TTA_FLIP);
        must(context, wick_eval_model(module, loader, loss, NULL, &metrics, &logits, &labels));
        assert_same(logits, wanted);
        must(context, wick_loss_forward(loss, wanted, labels, &value));
        assert_true(value == metrics.loss);
        must(context, wick_make_predictions(module, images, &probabilities));
        must(context, wick_tensor_softmax(wanted, &softmax));
        assert_same(probabilities, softmax);
        wick_tensor_free(logits);
        wick_tensor_free(labels);
        wick_tensor_free(wanted);
        wick_tensor_free(probabilities);
        wick_tensor_free(softmax);
        wick_loader_free(loader);
        wick_module_free(module);
    }
    wick_loss_free(loss);
    wick_tensor_free(images);
    wick_dataset_free(dataset);
}

/* The weights after an epoch, evaluated before it and after it. */
static wick_state_dict *train(wick_context *context, wick_dataset *dataset, wick_tta tta)
{
    wick_module *module = make_model(context, texts[1]);
    wick_loader *loader;
    wick_loss *loss;
    wick_optimizer *optimizer;
    wick_state_dict *dict;
    wick_metrics metrics;
    const wick_loader_options options = {.batch_size = 8, .shuffle = true};
    const wick_sgd_options sgd = {.lr = 0.1};
    wick_module_set_tta(module, tta);
    must(context, wick_cross_entropy_loss(context, &loss));
    must(context, wick_sgd(module, &sgd, &optimizer));
    must(context, wick_loader_new(dataset, &options, &loader));
    must(context, wick_test_step(module, loader, loss, NULL, &metrics));
    wick_manual_seed(context, 7);
    must(context, wick_train_step(module, loader, loss, optimizer, NULL, &metrics));
    must(context, wick_test_step(module, loader, loss, NULL, &metrics));
    must(context, wick_module_state_dict(module, &dict));
    wick_loader_free(loader);
    wick_optimizer_free(optimizer);
    wick_loss_free(loss);
    wick_module_free(module);
    return dict;
}

static void training_is_as_without(void **state)
{
    wick_context *context = *state;
    wick_dataset *dataset = make_data(context);
    wick_state_dict *with = train(context, dataset, WICK_TTA_FLIP),
                    *without = train(context, dataset, WICK_TTA_NONE);
    assert_int_equal(wick_state_dict_count(with), wick_state_dict_count(without));
    for (int64_t i = 0; i < wick_state_dict_count(with); i++) {
        const wick_tensor *a = wick_state_dict_tensor(with, i), *b = wick_state_dict_tensor(without, i);
        assert_memory_equal(wick_tensor_cdata(a), wick_tensor_cdata(b),
                            (size_t)wick_tensor_numel(a) * wick_dtype_size(wick_tensor_dtype(a)));
    }
    wick_state_dict_free(with);
    wick_state_dict_free(without);
    wick_dataset_free(dataset);
}

static wick_status keep_output(void *user, const char *path, const wick_module *layer,
                               const wick_tensor *output)
{
    wick_tensor **last = user;
    (void)path;
    (void)layer;
    wick_tensor_free(*last);
    return wick_tensor_clone(output, last);
}

/* What the layers make of an image is of the image alone, also of a module that is a layer. */
static void activations_are_as_without(void **state)
{
    wick_context *context = *state;
    static const char *const modules[] = {"Conv2d(2, 3, 3)",
                                          "Sequential(Conv2d(2, 4, 3), Flatten(), Linear(252, 3))"};
    static const int64_t shape[4] = {3, CHANNELS, HEIGHT, WIDTH};
    for (size_t i = 0; i < WKI_COUNT(modules); i++) {
        wick_module *module = make_model(context, modules[i]);
        wick_tensor *images, *without = NULL, *with = NULL;
        must(context, wick_randn(context, NULL, 4, shape, &images));
        must(context, wick_module_activations(module, images, keep_output, &without));
        wick_module_set_tta(module, WICK_TTA_FLIP);
        must(context, wick_module_activations(module, images, keep_output, &with));
        assert_same(with, without);
        assert_int_equal(wick_module_tta(module), WICK_TTA_FLIP);
        wick_tensor_free(images);
        wick_tensor_free(without);
        wick_tensor_free(with);
        wick_module_free(module);
    }
}

static void refuse(wick_context *context, const char *text, int ndim, wick_status status,
                   const char *word)
{
    wick_module *module = make_model(context, text);
    const int64_t shape[4] = {2, 6, 4, 4};
    wick_tensor *input, *output;
    must(context, wick_randn(context, NULL, ndim, shape, &input));
    wick_module_set_tta(module, WICK_TTA_FLIP);
    wick_tensor_free(forward(context, module, input)); /* in training mode all is as without */
    wick_module_eval(module);
    assert_int_equal(wick_module_forward(module, input, &output), status);
    if (strstr(wick_context_message(context), word) == NULL)
        fail_msg("'%s' is not in the message '%s'", word, wick_context_message(context));
    wick_module_set_tta(module, WICK_TTA_NONE);
    must(context, wick_module_forward(module, input, &output));
    wick_tensor_free(input);
    wick_tensor_free(output);
    wick_module_free(module);
}

static void what_has_no_mirror_image_is_refused(void **state)
{
    refuse(*state, "Linear(6, 2)", 2, WICK_ESHAPE, "the input has 2 dimensions");
    refuse(*state, "Sequential(BatchNorm2d(6, track_running_stats=False))", 4, WICK_EINVAL,
           "BatchNorm2d with track_running_stats=False");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_context, free_context)
        TEST(outputs_are_means),
        TEST(evaluations_are_of_means),
        TEST(training_is_as_without),
        TEST(activations_are_as_without),
        TEST(what_has_no_mirror_image_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
