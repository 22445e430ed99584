/* Transforms with given parameters against torchvision's; transforms/make.py says how the records are
 * written. */
#include "data/data_internal.h"
#include "data/transform.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wick/image.h>

typedef struct record_reader {
    const uint8_t *bytes;
    size_t length, at;
} record_reader;

static const void *take(record_reader *reader, size_t length)
{
    assert_true(length <= reader->length - reader->at);
    const uint8_t *bytes = reader->bytes + reader->at;
    reader->at += length;
    return bytes;
}

static int32_t take_i32(record_reader *reader)
{
    const uint8_t *b = take(reader, 4);
    return (int32_t)((uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0]);
}

static void take_shape(record_reader *reader, int64_t shape[3])
{
    for (int i = 0; i < 3; i++)
        shape[i] = take_i32(reader);
}

static void check_transform(record_reader *reader, int record)
{
    int64_t shape[3];
    take_shape(reader, shape);
    wick_transform transform = {.crop = take_i32(reader)};
    wki_transform_draw draw;
    transform.crop_reflect = take_i32(reader) != 0;
    draw.down = take_i32(reader);
    draw.right = take_i32(reader);
    draw.flip = take_i32(reader) != 0;
    draw.rotate = take_i32(reader) != 0;
    transform.rotate_bilinear = take_i32(reader) != 0;
    draw.erase_top = take_i32(reader);
    draw.erase_left = take_i32(reader);
    draw.erase_height = take_i32(reader);
    draw.erase_width = take_i32(reader);
    memcpy(&draw.degrees, take(reader, 8), 8);
    size_t size = (size_t)(shape[0] * shape[1] * shape[2]);
    const uint8_t *image = take(reader, size), *value = take(reader, 1), *wanted = take(reader, size);
    const uint8_t erased[3] = {*value, *value, *value};
    uint8_t *got = malloc(size), *spare = malloc(size);
    assert_true(got != NULL && spare != NULL);
    wki_transform_apply(&transform, &draw, shape, erased, image, got, spare);
    for (size_t i = 0; i < size; i++)
        if (got[i] != wanted[i])
            fail_msg(
                "record %d (%lldx%lldx%lld, rotated %d by %g, bilinear %d), element %zu: torchvision "
                "gives %d, wick %d",
                record, (long long)shape[0], (long long)shape[1], (long long)shape[2], draw.rotate,
                draw.degrees, transform.rotate_bilinear, i, wanted[i], got[i]);
    free(got);
    free(spare);
}

/* By a loader's batch and by wick_image_normalize(). */
static void check_normalization(record_reader *reader, int record)
{
    static const char *const classes[1] = {"one"};
    int64_t shape[3];
    float mean[3], std[3];
    take_shape(reader, shape);
    memcpy(mean, take(reader, (size_t)shape[0] * 4), (size_t)shape[0] * 4);
    memcpy(std, take(reader, (size_t)shape[0] * 4), (size_t)shape[0] * 4);
    size_t size = (size_t)(shape[0] * shape[1] * shape[2]);
    const uint8_t *image = take(reader, size);
    const void *wanted = take(reader, size * sizeof(float));
    wick_context *context;
    wick_dataset *dataset;
    wick_loader *loader;
    wick_tensor *images, *labels, *one;
    assert_int_equal(wick_context_new(&context), WICK_OK);
    assert_int_equal(wick_dataset_from(context, 1, shape[0], shape[1], shape[2], image, (int64_t[]){0},
                                       1, classes, &dataset),
                     WICK_OK);
    const wick_loader_options options = {.mean = mean, .std = std};
    assert_int_equal(wick_loader_new(dataset, &options, &loader), WICK_OK);
    assert_int_equal(wick_loader_begin(loader), WICK_OK);
    assert_int_equal(wick_loader_next(loader, &images, &labels), WICK_OK);
    assert_memory_equal(wick_tensor_cdata(images), wanted, size * sizeof(float));
    assert_int_equal(wick_dataset_get(dataset, 0, &one, NULL), WICK_OK);
    assert_int_equal(wick_image_normalize(one, mean, std), WICK_OK);
    assert_memory_equal(wick_tensor_cdata(one), wanted, size * sizeof(float));
    wick_tensor_free(images);
    wick_tensor_free(labels);
    wick_tensor_free(one);
    wick_loader_free(loader);
    wick_dataset_free(dataset);
    wick_context_free(context);
    (void)record;
}

static void as_torchvision(void **state)
{
    char path[512];
    static uint8_t bytes[1 << 18];
    int transforms = 0, normalizations = 0;
    (void)state;
    snprintf(path, sizeof(path), "%s/oracle/transforms/transforms.bin", getenv("WICK_TEST_SOURCE"));
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    record_reader reader = {.bytes = bytes, .length = fread(bytes, 1, sizeof(bytes), file)};
    fclose(file);
    while (reader.at < reader.length) {
        int record = transforms + normalizations;
        if (take_i32(&reader) == 1) {
            check_transform(&reader, record);
            transforms++;
        } else {
            check_normalization(&reader, record);
            normalizations++;
        }
    }
    assert_int_equal(transforms, 3 * (10 + 22) + 3);
    assert_int_equal(normalizations, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_torchvision)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
