/* src/data: EMNIST's IDX files, which have names of their own and lie on their side, and CIFAR's binary
 * files. */
#include "data/data_internal.h"

#include <setjmp.h>

#include <cmocka.h>

#include "idx_maker.h"

#include "data_fixture.h"

enum { IMAGE = 3 * 32 * 32 };

static int set_up(void **state)
{
    if (make_fixture(state) != 0)
        return -1;
    const fixture *f = *state;
    unsetenv("WICK_DATA_DIR");
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", f->folder, 1);
    return 0;
}

static wick_dataset *open_set(const fixture *f, const char *name, const char *data_dir, wick_split split)
{
    wick_dataset *dataset;
    if (wick_dataset_open(f->context, name, data_dir, split, &dataset) != WICK_OK)
        fail_msg("%s", wick_context_message(f->context));
    return dataset;
}

static void expect_refused(const fixture *f, const char *name, const char *data_dir, wick_split split,
                           wick_status status, const char *part)
{
    wick_dataset *dataset;
    wick_status got = wick_dataset_open(f->context, name, data_dir, split, &dataset);
    if (got != status || strstr(wick_context_message(f->context), part) == NULL)
        fail_msg("%s: %s, instead of %s with '%s'", wick_status_name(got),
                 wick_context_message(f->context), wick_status_name(status), part);
}

/* Records of label_bytes labels, the last of which is (first + i) % classes, and of pixels. */
static bytes records(int count, int label_bytes, int first, int classes)
{
    size_t record = (size_t)label_bytes + IMAGE;
    bytes file = {.at = calloc((size_t)count, record), .length = (size_t)count * record};
    for (int i = 0; i < count; i++) {
        uint8_t *at = file.at + (size_t)i * record;
        at[0] = 200; /* of two labels the coarse one, which is not looked at */
        at[label_bytes - 1] = (uint8_t)((first + i) % classes);
        for (int p = 0; p < IMAGE; p++)
            at[label_bytes + p] = (uint8_t)(first + i + p / 1024 * 50);
    }
    return file;
}

static void put_cifar10(const fixture *f)
{
    for (int i = 1; i <= 5; i++) {
        char name[32];
        snprintf(name, sizeof(name), "data_batch_%d.bin", i);
        put_file(f->folder, name, records(i, 1, 10 * i, 10));
    }
    put_file(f->folder, "test_batch.bin", records(4, 1, 3, 10));
}

static void cifar10_in_five_files(void **state)
{
    const fixture *f = *state;
    const char *path;
    char sha256[65];
    put_cifar10(f);
    wick_dataset *train = open_set(f, f->folder, NULL, WICK_TRAIN);
    wick_dataset *test = open_set(f, f->folder, NULL, WICK_TEST);
    assert_int_equal(wick_dataset_count(train), 1 + 2 + 3 + 4 + 5);
    assert_int_equal(wick_dataset_count(test), 4);
    assert_string_equal(wick_dataset_class_name(train), "CIFAR10");
    assert_string_equal(wick_dataset_class(train, 9), "truck");
    assert_int_equal(wick_dataset_image_shape(train)[0], 3);
    assert_int_equal(wick_dataset_labels(train)[14], 4);
    assert_int_equal(wick_dataset_labels(test)[0], 3);
    const uint8_t *image = wick_dataset_pixels(train) + 14 * IMAGE;
    assert_int_equal(image[0], 54);
    assert_int_equal(image[1024], 104);
    assert_int_equal(image[3071], 154);
    assert_int_equal(wick_dataset_file(train, 4, &path, sha256), WICK_OK);
    assert_non_null(strstr(path, "data_batch_5.bin"));
    assert_int_equal(wick_dataset_file(train, 5, &path, sha256), WICK_ENOENT);
    assert_int_equal(wick_dataset_file(test, 1, &path, sha256), WICK_ENOENT);
    wick_dataset_free(train);
    wick_dataset_free(test);
    expect_refused(f, "cifar10", f->folder, WICK_TRAIN, WICK_EFORMAT, "holds 15 training images");
}

static void cifar100_has_fine_labels(void **state)
{
    const fixture *f = *state;
    put_file(f->folder, "train.bin", records(120, 2, 0, 100));
    put_file(f->folder, "test.bin", records(2, 2, 98, 100));
    wick_dataset *train = open_set(f, f->folder, NULL, WICK_TRAIN);
    wick_dataset *test = open_set(f, f->folder, NULL, WICK_TEST);
    assert_int_equal(wick_dataset_class_count(train), 100);
    assert_string_equal(wick_dataset_class(train, 99), "worm");
    assert_int_equal(wick_dataset_labels(train)[119], 19);
    assert_int_equal(wick_dataset_labels(test)[1], 99);
    assert_int_equal(wick_dataset_pixels(test)[IMAGE], 99);
    wick_dataset_free(train);
    wick_dataset_free(test);
}

static void cifar_files_gone_wrong(void **state)
{
    const fixture *f = *state;
    char path[512];
    put_cifar10(f);
    bytes file = records(3, 1, 0, 10);
    file.at[2 * (1 + IMAGE)] = 10;
    put_file(f->folder, "data_batch_3.bin", file);
    expect_refused(
        f, f->folder, NULL, WICK_TRAIN, WICK_EFORMAT,
        "data_batch_3.bin: label 10 of record 2, at byte 6146, is out of range; it must be 0 to 9");
    file = records(3, 1, 0, 10);
    file.length--;
    put_file(f->folder, "data_batch_3.bin", file);
    expect_refused(f, f->folder, NULL, WICK_TRAIN, WICK_EFORMAT, "is 9218 bytes long");
    put_file(f->folder, "test_batch.bin", (bytes){.at = NULL, .length = 0});
    expect_refused(f, f->folder, NULL, WICK_TEST, WICK_EFORMAT, "is 0 bytes long");
    snprintf(path, sizeof(path), "%s/data_batch_2.bin", f->folder);
    assert_int_equal(remove(path), 0);
    expect_refused(f, f->folder, NULL, WICK_TRAIN, WICK_ENOENT, "data_batch_2.bin");
    expect_refused(f, "cifar100", f->folder, WICK_TRAIN, WICK_ENOENT, "unpack the published archive");
}

/* count images of size x size whose pixel (x, y) is 10 y + x, and labels. */
static void put_emnist(const fixture *f, const char *half, uint32_t count, uint32_t width)
{
    char name[64];
    bytes images = make_idx(0x803, 3, (uint32_t[]){count, 3, width}, (size_t)count * 3 * width);
    bytes labels = make_idx(0x801, 1, (uint32_t[]){count}, count);
    for (uint32_t i = 0; i < count; i++)
        labels.at[8 + i] = (uint8_t)(1 + i % 26);
    for (uint32_t i = 0; i < count * 3 * width; i++)
        images.at[16 + i] = (uint8_t)(i / width % 3 * 10 + i % width);
    snprintf(name, sizeof(name), "emnist-letters-%s-images-idx3-ubyte", half);
    put_file(f->folder, name, images);
    snprintf(name, sizeof(name), "emnist-letters-%s-labels-idx1-ubyte", half);
    put_file(f->folder, name, labels);
}

static void emnist_stands_up(void **state)
{
    const fixture *f = *state;
    static const uint8_t wanted[9] = {0, 10, 20, 1, 11, 21, 2, 12, 22};
    put_emnist(f, "train", 30, 3);
    put_emnist(f, "test", 5, 3);
    wick_dataset *train = open_set(f, f->folder, NULL, WICK_TRAIN);
    wick_dataset *test = open_set(f, f->folder, NULL, WICK_TEST);
    assert_string_equal(wick_dataset_class_name(train), "EMNIST");
    assert_int_equal(wick_dataset_class_count(train), 27);
    assert_int_equal(wick_dataset_labels(train)[25], 26);
    assert_string_equal(wick_dataset_class(train, wick_dataset_labels(train)[25]), "z");
    assert_memory_equal(wick_dataset_pixels(train) + 29 * 9, wanted, 9);
    assert_memory_equal(wick_dataset_pixels(test), wanted, 9);
    wick_dataset_free(train);
    wick_dataset_free(test);
    expect_refused(f, "emnist-letters", f->folder, WICK_TEST, WICK_EFORMAT,
                   "holds 5 images of 3x3; emnist-letters's holds 20800 of 28x28");
    expect_refused(f, "emnist-digits", f->folder, WICK_TEST, WICK_ENOENT,
                   "emnist-digits-train-images-idx3-ubyte.gz and so on) were not found");
    put_emnist(f, "test", 5, 4);
    expect_refused(f, f->folder, NULL, WICK_TEST, WICK_EFORMAT, "are square");
}

static void not_to_be_downloaded(void **state)
{
    const fixture *f = *state;
    assert_int_equal(wick_dataset_download(f->context, "cifar10", f->folder, NULL), WICK_ENOTSUP);
    assert_non_null(strstr(wick_context_message(f->context), "is published as an archive"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cifar10_in_five_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cifar100_has_fine_labels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cifar_files_gone_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(emnist_stands_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(not_to_be_downloaded, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
