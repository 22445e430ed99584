/* Transforms and normalisation in a loader: what is drawn, that the plan sees what wick_loader_next() gives,
 * and that neither threads nor a resume change anything. */
#include "data/data_internal.h"
#include "data/transform.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/wick.h>

enum { COUNT = 41, CHANNELS = 3, SIDE = 12, NUMEL = CHANNELS * SIDE * SIDE, CLASSES = 3 };

#define OK(call) assert_int_equal((call), WICK_OK)

static const float means[3] = {0.5F, 0.25F, 0.125F}, stds[3] = {0.3F, 0.7F, 1.5F};
static const wick_transform all_of_them = {
    .crop = 3, .crop_reflect = true, .flip = 0.5, .rotate = 20, .rotate_bilinear = true, .erase = 0.5};

static wick_dataset *make_data(wick_context *context)
{
    static const char *const classes[CLASSES] = {"a", "b", "c"};
    static uint8_t pixels[COUNT * NUMEL];
    int64_t labels[COUNT];
    wick_dataset *dataset;
    for (int i = 0; i < COUNT * NUMEL; i++)
        pixels[i] = (uint8_t)((uint32_t)i * 2654435761u >> 24);
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % CLASSES;
    OK(wick_dataset_from(context, COUNT, CHANNELS, SIDE, SIDE, pixels, labels, CLASSES, classes,
                         &dataset));
    return dataset;
}

static wick_loader *make_loader(const wick_dataset *dataset, int64_t batch_size, bool shuffle,
                                const wick_transform *transform)
{
    wick_loader *loader;
    const wick_loader_options options = {.batch_size = batch_size,
                                         .shuffle = shuffle,
                                         .transform = *transform,
                                         .mean = means,
                                         .std = stds};
    OK(wick_loader_new(dataset, &options, &loader));
    return loader;
}

/* ---- what is drawn ---- */

static void draws_are_uniform(void **state)
{
    enum { DRAWS = 40000, PLACES = 2 * 3 + 1 };
    const int64_t shape[3] = {CHANNELS, 20, 24};
    int downs[PLACES] = {0}, rights[PLACES] = {0}, flips = 0, erased = 0;
    double degrees = 0, squares = 0, area = 0;
    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        wki_transform_draw draw;
        wki_transform_choose(&all_of_them, shape, 42, i, &draw);
        assert_in_range(draw.down, 0, PLACES - 1);
        assert_in_range(draw.right, 0, PLACES - 1);
        assert_true(fabs(draw.degrees) <= 20);
        assert_true(draw.erase_top + draw.erase_height <= 20 &&
                    draw.erase_left + draw.erase_width <= 24);
        downs[draw.down]++;
        rights[draw.right]++;
        flips += draw.flip;
        degrees += draw.degrees;
        squares += draw.degrees * draw.degrees;
        erased += draw.erase_height > 0;
        area += (double)(draw.erase_height * draw.erase_width) / (20 * 24);
    }
    for (int i = 0; i < PLACES; i++) { /* five standard deviations */
        assert_in_range(downs[i], DRAWS / PLACES - 350, DRAWS / PLACES + 350);
        assert_in_range(rights[i], DRAWS / PLACES - 350, DRAWS / PLACES + 350);
    }
    assert_in_range(flips, DRAWS / 2 - 500, DRAWS / 2 + 500);
    assert_in_range(erased, DRAWS / 2 - 500, DRAWS / 2 + 500);
    assert_true(fabs(degrees / DRAWS) < 0.3);
    assert_true(fabs(squares / DRAWS - 400.0 / 3) < 3);
    assert_true(area / erased > 0.12 &&
                area / erased < 0.20); /* uniform from 0.02 to 0.33, less what is too long */
}

/* Another image, another epoch: another draw; the same again: the same. */
static void draws_depend_on_seed_and_index(void **state)
{
    const int64_t shape[3] = {1, 28, 28};
    wki_transform_draw a, b;
    int same = 0;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        wki_transform_choose(&all_of_them, shape, 7, i, &a);
        wki_transform_choose(&all_of_them, shape, 7, i, &b);
        assert_true(a.degrees == b.degrees && a.down == b.down && a.erase_left == b.erase_left);
        wki_transform_choose(&all_of_them, shape, 8, i, &b);
        same += a.degrees == b.degrees;
        wki_transform_choose(&all_of_them, shape, 7, i + 1, &b);
        same += a.degrees == b.degrees;
    }
    assert_int_equal(same, 0);
}

/* ---- what the model sees ---- */

static wick_module *make_model(wick_context *context)
{
    static const int64_t shape[3] = {CHANNELS, SIDE, SIDE};
    wick_module *model;
    wick_manual_seed(context, 3);
    OK(wick_model_by_name(context, "v2", shape, 10, CLASSES, &model));
    return model;
}

/* An evaluation's logits are those of the float images that the loader gives. */
static void plan_sees_what_is_given(void **state)
{
    wick_context *context = *state;
    static const wick_transform none = {0};
    const int64_t batch_sizes[] = {1, 7, 16, 33};
    wick_dataset *dataset = make_data(context);
    wick_module *model = make_model(context);
    wick_loss *loss;
    OK(wick_cross_entropy_loss(context, &loss));
    wick_module_eval(model);
    for (int t = 0; t < 2; t++)
        for (size_t i = 0; i < WKI_COUNT(batch_sizes); i++) {
            wick_loader *loader =
                make_loader(dataset, batch_sizes[i], false, t == 0 ? &none : &all_of_them);
            wick_tensor *logits, *images, *labels, *given;
            wick_manual_seed(context, 5);
            OK(wick_eval_model(model, loader, loss, NULL, NULL, &logits, NULL));
            wick_manual_seed(context, 5);
            OK(wick_loader_begin(loader));
            for (int64_t at = 0; at < COUNT;) {
                OK(wick_loader_next(loader, &images, &labels));
                OK(wick_module_forward(model, images, &given));
                assert_memory_equal(wick_tensor_cdata(given),
                                    (const float *)wick_tensor_cdata(logits) + at * CLASSES,
                                    (size_t)wick_tensor_numel(given) * sizeof(float));
                at += wick_tensor_size(images, 0);
                wick_tensor_free(given);
                wick_tensor_free(labels);
                wick_tensor_free(images);
            }
            wick_tensor_free(logits);
            wick_loader_free(loader);
        }
    wick_loss_free(loss);
    wick_module_free(model);
    wick_dataset_free(dataset);
}

/* ---- threads ---- */

/* The weights after two epochs. */
static wick_state_dict *train(wick_context *context, int threads)
{
    wick_state_dict *dict;
    OK(wick_context_set_threads(context, threads));
    context->work_per_thread = 1;
    wick_dataset *dataset = make_data(context);
    wick_module *model = make_model(context);
    wick_loss *loss;
    wick_optimizer *optimizer;
    OK(wick_cross_entropy_loss(context, &loss));
    OK(wick_sgd(model, &(wick_sgd_options){.lr = 0.1}, &optimizer));
    wick_loader *loader = make_loader(dataset, 37, true, &all_of_them);
    wick_manual_seed(context, 11);
    for (int epoch = 0; epoch < 2; epoch++)
        OK(wick_train_step(model, loader, loss, optimizer, NULL, NULL));
    OK(wick_module_state_dict(model, &dict));
    wick_loader_free(loader);
    wick_optimizer_free(optimizer);
    wick_loss_free(loss);
    wick_module_free(model);
    wick_dataset_free(dataset);
    return dict;
}

static void threads_change_nothing(void **state)
{
    wick_context *context = *state;
    wick_state_dict *one = train(context, 1);
    for (int threads = 2; threads <= 8; threads++) {
        wick_state_dict *many = train(context, threads);
        for (int64_t i = 0; i < wick_state_dict_count(one); i++)
            assert_memory_equal(wick_tensor_cdata(wick_state_dict_tensor(one, i)),
                                wick_tensor_cdata(wick_state_dict_tensor(many, i)),
                                (size_t)wick_tensor_numel(wick_state_dict_tensor(one, i)) *
                                    sizeof(float));
        wick_state_dict_free(many);
    }
    wick_state_dict_free(one);
}

/* ---- order and resume ---- */

static void order_is_the_same(void **state)
{
    wick_context *context = *state;
    static const wick_transform none = {0};
    wick_dataset *dataset = make_data(context);
    int64_t orders[2][COUNT];
    for (int t = 0; t < 2; t++) {
        wick_loader *loader = make_loader(dataset, COUNT, true, t == 0 ? &none : &all_of_them);
        const int64_t *indices;
        int64_t count;
        wick_manual_seed(context, 9);
        OK(wick_loader_begin(loader));
        OK(wick_loader_next_indices(loader, &indices, &count));
        memcpy(orders[t], indices, sizeof(orders[t]));
        wick_loader_free(loader);
    }
    assert_memory_equal(orders[0], orders[1], sizeof(orders[0]));
    wick_dataset_free(dataset);
}

static void gone_on_with(void **state)
{
    wick_context *context = *state;
    wick_dataset *dataset = make_data(context);
    wick_loader *first = make_loader(dataset, 8, true, &all_of_them);
    wick_loader *second = make_loader(dataset, 8, true, &all_of_them);
    wick_tensor *images, *labels, *again, *labels_again;
    wick_state_dict *dict;
    wick_manual_seed(context, 13);
    OK(wick_loader_begin(first));
    OK(wick_loader_next(first, &images, &labels));
    wick_tensor_free(images);
    wick_tensor_free(labels);
    OK(wick_loader_state_dict(first, &dict));
    wick_manual_seed(context, 99);
    OK(wick_loader_load_state_dict(second, dict));
    wick_state_dict_free(dict);
    for (int i = 1; i < 6; i++) {
        OK(wick_loader_next(first, &images, &labels));
        OK(wick_loader_next(second, &again, &labels_again));
        assert_memory_equal(wick_tensor_cdata(images), wick_tensor_cdata(again),
                            (size_t)wick_tensor_numel(images) * sizeof(float));
        wick_tensor_free(images);
        wick_tensor_free(labels);
        wick_tensor_free(again);
        wick_tensor_free(labels_again);
    }
    wick_loader_free(first);
    wick_loader_free(second);
    wick_dataset_free(dataset);
}

/* In an image of one row no rectangle fits, since none may be as high as the image: it stays as it is. */
static void lines_are_not_erased(void **state)
{
    const wick_transform erase = {.erase = 1};
    const int64_t shape[3] = {1, 1, 60};
    (void)state;
    assert_true(wki_transform_is_set(&erase));
    for (int i = 0; i < 100; i++) {
        wki_transform_draw draw;
        wki_transform_choose(&erase, shape, 3, i, &draw);
        assert_int_equal(draw.erase_height, 0);
        assert_int_equal(draw.erase_width, 0);
    }
}

/* ---- what is refused, and the rest ---- */

static void long_images_are_not_rotated(void **state)
{
    wick_context *context = *state;
    const wick_transform rotate = {.rotate = 10};
    const int64_t high[3] = {1, INT16_MAX + 1, 2}, wide[3] = {1, 2, INT16_MAX + 1};
    const int64_t fits[3] = {1, INT16_MAX, INT16_MAX};
    assert_int_equal(wki_transform_check(context, &rotate, high), WICK_EINVAL);
    assert_string_equal(wick_context_message(context), "an image of 32768x2 is too large to be rotated");
    assert_int_equal(wki_transform_check(context, &rotate, wide), WICK_EINVAL);
    OK(wki_transform_check(context, &rotate, fits));
}

static void expect_refused(wick_context *context, const wick_dataset *dataset,
                           const wick_loader_options *options, const char *part)
{
    wick_loader *loader;
    assert_int_equal(wick_loader_new(dataset, options, &loader), WICK_EINVAL);
    if (strstr(wick_context_message(context), part) == NULL)
        fail_msg("%s, without '%s'", wick_context_message(context), part);
}

static void refused(void **state)
{
    wick_context *context = *state;
    wick_dataset *dataset = make_data(context);
    const float zero[3] = {1, 0, 1}, nan[3] = {0, 0, NAN};
#define REFUSED(part, ...) expect_refused(context, dataset, &(wick_loader_options){__VA_ARGS__}, part)
    REFUSED("padding of 12", .transform.crop = 12);
    REFUSED("padding of -1", .transform.crop = -1);
    REFUSED("flip is 1.5", .transform.flip = 1.5);
    REFUSED("erased is -1", .transform.erase = -1);
    REFUSED("flip is nan", .transform.flip = (double)NAN);
    REFUSED("erased is 2", .transform.erase = 2);
    REFUSED("by up to 181", .transform.rotate = 181);
    REFUSED("by up to -1", .transform.rotate = -1);
    REFUSED("belong together", .mean = means);
    REFUSED("channel 1", .mean = means, .std = zero);
    REFUSED("channel 2", .mean = nan, .std = stds);
    wick_dataset_free(dataset);
}

static void expect_text(wick_context *context, const char *text, const char *part)
{
    wick_transform transform = {.crop = 77};
    assert_int_equal(wick_transform_parse(context, text, &transform), WICK_EINVAL);
    if (strstr(wick_context_message(context), part) == NULL)
        fail_msg("%s, without '%s'", wick_context_message(context), part);
    assert_int_equal(transform.crop, 77);
}

static void as_text(void **state)
{
    wick_context *context = *state;
    wick_transform t;
    OK(wick_transform_parse(context, "crop=4,reflect,flip,rotate=12.5,bilinear,erase=.25", &t));
    assert_int_equal(t.crop, 4);
    assert_true(t.crop_reflect && t.rotate_bilinear);
    assert_true(t.flip == 0.5 && t.rotate == 12.5 && t.erase == 0.25);
    OK(wick_transform_parse(context, "flip=0.1", &t));
    assert_true(t.flip == 0.1 && t.crop == 0);
    expect_text(context, "", "a word is missing");
    expect_text(context, "flip,", "a word is missing");
    expect_text(context, "flip,,crop=1", "a word is missing");
    expect_text(context, "Flip=", "did you mean 'flip'");
    expect_text(context, "flip=", "'flip=' needs a probability");
    expect_text(context, "flip=1.5", "needs a probability");
    expect_text(context, "erase", "needs a probability");
    expect_text(context, "crop=1.5", "needs a number of pixels");
    expect_text(context, "crop=1e99", "needs a number of pixels");
    expect_text(context, "crop=0", "needs a number of pixels");
    expect_text(context, "crop=4x", "needs a number of pixels");
    expect_text(context, "crop=x", "needs a number of pixels");
    expect_text(context, "rotate=-5", "needs degrees");
    expect_text(context, "rotate=181", "needs degrees");
    expect_text(context, "zzzzzzz", "'zzzzzzz' is no transform; there are crop=N");
    assert_int_equal(wick_transform_parse(context, NULL, &t), WICK_EINVAL);
    assert_int_equal(wick_transform_parse(context, "flip", NULL), WICK_EINVAL);
    expect_text(context, "rotate=nan", "needs degrees");
    expect_text(context, "reflect=1,crop=1", "takes no value");
    expect_text(context, "reflect", "is for a crop");
    expect_text(context, "bilinear", "is for a rotation");
    char text[200];
    memset(text, 'x', sizeof(text));
    text[199] = '\0';
    expect_text(context, text, "too long");
}

static void measured(void **state)
{
    wick_context *context = *state;
    static const char *const classes[1] = {"a"};
    const uint8_t pixels[8] = {0, 255, 51, 51, 255, 0, 51, 51};
    wick_dataset *dataset;
    float mean[2], std[2];
    OK(wick_dataset_from(context, 2, 2, 1, 2, pixels, (int64_t[]){0, 0}, 1, classes, &dataset));
    OK(wick_dataset_measure(dataset, mean, std));
    assert_true(mean[0] == 0.5F && std[0] == 0.5F && mean[1] == 0.2F && std[1] == 0);
    wick_dataset_free(dataset);
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
        cmocka_unit_test(draws_are_uniform),
        cmocka_unit_test(draws_depend_on_seed_and_index),
        cmocka_unit_test(lines_are_not_erased),
        cmocka_unit_test_setup_teardown(plan_sees_what_is_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(threads_change_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(order_is_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gone_on_with, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_images_are_not_rotated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(measured, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
