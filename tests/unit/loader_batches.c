/* src/data/loader.c, as far as it needs no fixture of PyTorch's: batches, tensors, arguments. */
#include "data/data_internal.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    COUNT = 23,
    CHANNELS = 2,
    HEIGHT = 3,
    WIDTH = 4,
    PIXELS = CHANNELS * HEIGHT * WIDTH,
    CLASSES = 5
};

typedef struct fixture {
    wick_context *context;
    wick_dataset *dataset;
} fixture;

static int set_up(void **state)
{
    static const char *const classes[CLASSES] = {"a", "b", "c", "d", "e"};
    static uint8_t pixels[COUNT * PIXELS];
    static int64_t labels[COUNT];
    fixture *f = calloc(1, sizeof(*f));
    if (f == NULL || wick_context_new(&f->context) != WICK_OK)
        return -1;
    for (int i = 0; i < COUNT * PIXELS; i++)
        pixels[i] = (uint8_t)(i * 11);
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % CLASSES;
    *state = f;
    return wick_dataset_from(f->context, COUNT, CHANNELS, HEIGHT, WIDTH, pixels, labels, CLASSES,
                             classes, &f->dataset) == WICK_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    wick_dataset_free(f->dataset);
    wick_context_free(f->context);
    free(f);
    return 0;
}

static wick_loader *make_loader(const fixture *f, const wick_loader_options *options)
{
    wick_loader *loader;
    assert_int_equal(wick_loader_new(f->dataset, options, &loader), WICK_OK);
    return loader;
}

/* The batch is made of the examples at indices, in that order. */
static void check_batch(const fixture *f, wick_tensor *images, wick_tensor *labels,
                        const int64_t *indices, int64_t count)
{
    const int64_t shape[] = {count, CHANNELS, HEIGHT, WIDTH};
    assert_int_equal(wick_tensor_dtype(images), WICK_FLOAT32);
    assert_int_equal(wick_tensor_ndim(images), 4);
    assert_memory_equal(wick_tensor_shape(images), shape, sizeof(shape));
    assert_int_equal(wick_tensor_dtype(labels), WICK_INT64);
    assert_int_equal(wick_tensor_ndim(labels), 1);
    assert_int_equal(wick_tensor_size(labels, 0), count);
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *pixels = wick_dataset_pixels(f->dataset) + indices[i] * PIXELS;
        const float *image = wick_tensor_f32(images) + i * PIXELS;
        assert_int_equal(wick_tensor_i64(labels)[i], wick_dataset_labels(f->dataset)[indices[i]]);
        for (int p = 0; p < PIXELS; p++)
            assert_true(image[p] == (float)pixels[p] / 255.0f);
    }
}

/* Runs an epoch with tensors beside one with indices, from the same seed. */
static void run_both(const fixture *f, wick_loader_options options, int64_t batches, int64_t last)
{
    wick_loader *tensors = make_loader(f, &options), *numbers = make_loader(f, &options);
    bool seen[COUNT] = {false};
    int64_t examples = 0;
    assert_int_equal(wick_loader_length(tensors), batches);
    wick_manual_seed(f->context, 3);
    assert_int_equal(wick_loader_begin(numbers), WICK_OK);
    const int64_t *indices;
    int64_t count;
    if (options.shuffle) /* draws the order, so that the other loader may draw the same */
        assert_int_equal(wick_loader_next_indices(numbers, &indices, &count), WICK_OK);
    wick_manual_seed(f->context, 3);
    assert_int_equal(wick_loader_begin(tensors), WICK_OK);
    for (int64_t b = 0; b < batches; b++) {
        wick_tensor *images, *labels;
        if (b > 0 || !options.shuffle)
            assert_int_equal(wick_loader_next_indices(numbers, &indices, &count), WICK_OK);
        assert_int_equal(count, b == batches - 1 ? last : wick_loader_batch_size(tensors));
        assert_int_equal(wick_loader_next(tensors, &images, &labels), WICK_OK);
        check_batch(f, images, labels, indices, count);
        for (int64_t i = 0; i < count; i++) {
            assert_false(seen[indices[i]]);
            seen[indices[i]] = true;
            if (!options.shuffle)
                assert_int_equal(indices[i], examples + i);
        }
        examples += count;
        wick_tensor_free(images);
        wick_tensor_free(labels);
    }
    for (int again = 0; again < 3; again++) {
        wick_tensor *images = (wick_tensor *)&count, *labels = images;
        assert_int_equal(wick_loader_next(tensors, &images, &labels), WICK_OK);
        assert_null(images);
        assert_null(labels);
        assert_int_equal(wick_loader_next_indices(numbers, &indices, &count), WICK_OK);
        assert_int_equal(count, 0);
    }
    wick_loader_free(tensors);
    wick_loader_free(numbers);
}

static void test_batches(void **state)
{
    const fixture *f = *state;
    for (int shuffle = 0; shuffle < 2; shuffle++) {
        run_both(f, (wick_loader_options){.shuffle = shuffle}, 23, 1);
        run_both(f, (wick_loader_options){.batch_size = 5, .shuffle = shuffle}, 5, 3);
        run_both(f, (wick_loader_options){.batch_size = 5, .shuffle = shuffle, .drop_last = true}, 4, 5);
        run_both(f, (wick_loader_options){.batch_size = 23, .shuffle = shuffle}, 1, 23);
        run_both(f, (wick_loader_options){.batch_size = 23, .shuffle = shuffle, .drop_last = true}, 1,
                 23);
        run_both(f, (wick_loader_options){.batch_size = 24, .shuffle = shuffle}, 1, 23);
        run_both(f, (wick_loader_options){.batch_size = INT64_MAX, .shuffle = shuffle}, 1, 23);
    }
    wick_loader *loader = make_loader(f, &(wick_loader_options){.batch_size = 24, .drop_last = true});
    wick_tensor *images, *labels;
    assert_int_equal(wick_loader_length(loader), 0);
    assert_int_equal(wick_loader_begin(loader), WICK_OK);
    assert_int_equal(wick_loader_next(loader, &images, &labels), WICK_OK);
    assert_null(images);
    wick_loader_free(loader);
}

static void test_defaults(void **state)
{
    const fixture *f = *state;
    wick_loader *loader = make_loader(f, NULL);
    assert_int_equal(wick_loader_batch_size(loader), 1);
    assert_int_equal(wick_loader_length(loader), COUNT);
    assert_ptr_equal(wick_loader_dataset(loader), f->dataset);
    assert_ptr_equal(wki_loader_context(loader), f->context);
    wick_loader_free(loader);
    wick_loader_free(NULL);
}

static void test_arguments(void **state)
{
    const fixture *f = *state;
    wick_loader *loader = NULL;
    wick_tensor *images = NULL;
    const int64_t *indices;
    int64_t count;
    assert_int_equal(wick_loader_new(f->dataset, &(wick_loader_options){.batch_size = -1}, &loader),
                     WICK_EINVAL);
    assert_string_equal(wick_context_message(f->context), "batch_size is -1; it must be 1 or more");
    assert_null(loader);
    assert_int_equal(wick_loader_new(f->dataset, NULL, NULL), WICK_EINVAL);
    loader = make_loader(f, NULL);
    assert_int_equal(wick_loader_next_indices(loader, &indices, &count), WICK_EINVAL);
    assert_non_null(strstr(wick_context_message(f->context), "wick_loader_begin()"));
    assert_int_equal(wick_loader_begin(loader), WICK_OK);
    assert_int_equal(wick_loader_next(loader, &images, NULL), WICK_EINVAL);
    assert_int_equal(wick_loader_next(loader, NULL, &images), WICK_EINVAL);
    assert_int_equal(wick_loader_next_indices(loader, &indices, &count), WICK_OK);
    assert_int_equal(indices[0], 0);
    wick_loader_free(loader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
