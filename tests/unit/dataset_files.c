/* src/data: opening data sets by name and by folder, those made in memory, and all that can be wrong
 * with them. */
#include "data/data_internal.h"

#include <setjmp.h>

#include <cmocka.h>

#include "idx_maker.h"

#include "data_fixture.h"

#define FASHION_MNIST "/usr/share/datasets/fashion-mnist"

static int set_up(void **state)
{
    if (make_fixture(state) != 0)
        return -1;
    const fixture *f = *state;
    /* Neither this machine's data sets nor its user's are to be found. */
    unsetenv("WICK_DATA_DIR");
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", f->folder, 1);
    return 0;
}

static void expect_open(const fixture *f, const char *name, const char *data_dir, wick_split split,
                        wick_status status, const char *part)
{
    wick_dataset *dataset = NULL;
    wick_status got = wick_dataset_open(f->context, name, data_dir, split, &dataset);
    const char *message = wick_context_message(f->context);
    if (got != status || (status != WICK_OK && strstr(message, part) == NULL))
        fail_msg("%s: %s, instead of %s with \"%s\"", wick_status_name(got), message,
                 wick_status_name(status), part);
    if (status != WICK_OK)
        assert_null(dataset);
    wick_dataset_free(dataset);
}

static wick_dataset *open_set(const fixture *f, const char *name, const char *data_dir, wick_split split)
{
    wick_dataset *dataset;
    if (wick_dataset_open(f->context, name, data_dir, split, &dataset) != WICK_OK)
        fail_msg("%s", wick_context_message(f->context));
    return dataset;
}

/* A training half of 12 images of 3x2 and 4 classes, gzip'd, and a test half of 5, plain. */
static void put_small_set(const char *folder)
{
    put_file(folder, "train-images-idx3-ubyte.gz", gzipped(make_images(12, 3, 2)));
    put_file(folder, "train-labels-idx1-ubyte.gz", gzipped(make_labels(12, 4)));
    put_file(folder, "t10k-images-idx3-ubyte", make_images(5, 3, 2));
    put_file(folder, "t10k-labels-idx1-ubyte", make_labels(5, 2));
}

/* ---- by folder ---- */

static void test_folder(void **state)
{
    const fixture *f = *state;
    bytes plain = make_images(12, 3, 2);
    put_small_set(f->folder);
    wick_dataset *train = open_set(f, f->folder, NULL, WICK_TRAIN);
    assert_int_equal(wick_dataset_count(train), 12);
    assert_memory_equal(wick_dataset_image_shape(train), ((int64_t[]){1, 3, 2}), 3 * sizeof(int64_t));
    assert_memory_equal(wick_dataset_pixels(train), plain.at + 16, 12 * 3 * 2);
    for (int i = 0; i < 12; i++)
        assert_int_equal(wick_dataset_labels(train)[i], i % 4);
    assert_int_equal(wick_dataset_class_count(train), 4);
    assert_string_equal(wick_dataset_class(train, 0), "0");
    assert_string_equal(wick_dataset_class(train, 3), "3");
    assert_null(wick_dataset_class(train, 4));
    assert_null(wick_dataset_class(train, -1));
    assert_string_equal(wick_dataset_name(train), strrchr(f->folder, '/') + 1);
    assert_string_equal(wick_dataset_class_name(train), "IDX");
    assert_string_equal(wick_dataset_root(train), f->folder);
    assert_int_equal(wick_dataset_split(train), WICK_TRAIN);
    assert_ptr_equal(wki_dataset_context(train), f->context);
    wick_dataset_free(train);
    free(plain.at);
    /* The test half has labels 0 and 1 alone, and the classes of the whole set all the same. */
    wick_dataset *test = open_set(f, f->folder, NULL, WICK_TEST);
    assert_int_equal(wick_dataset_count(test), 5);
    assert_int_equal(wick_dataset_split(test), WICK_TEST);
    assert_int_equal(wick_dataset_class_count(test), 4);
    wick_dataset_free(test);
}

static void test_files_and_sums(void **state)
{
    const fixture *f = *state;
    const char *path;
    char sum[65];
    put_small_set(f->folder);
    put_file(f->folder, "t10k-labels-idx1-ubyte", make_labels(5, 1));
    wick_dataset *test = open_set(f, f->folder, NULL, WICK_TEST), *head;
    assert_int_equal(wick_dataset_head(test, 2, &head), WICK_OK);
    assert_int_equal(wick_dataset_file(head, 1, &path, sum), WICK_OK);
    assert_memory_equal(path, f->folder, strlen(f->folder));
    assert_string_equal(path + strlen(f->folder), "/t10k-labels-idx1-ubyte");
    /* printf '\0\0\10\1\0\0\0\5\0\0\0\0\0' | sha256sum */
    assert_string_equal(sum, "c7d91a24f2ddbc0cb78bbb14c4815bb637b0ff4fe4bd44fa28bc987238ed4e6b");
    assert_int_equal(wick_dataset_file(test, 0, &path, sum), WICK_OK);
    assert_string_equal(path + strlen(f->folder), "/t10k-images-idx3-ubyte");
    assert_int_equal(wick_dataset_file(test, 2, &path, sum), WICK_ENOENT);
    assert_int_equal(wick_dataset_file(test, -1, &path, sum), WICK_ENOENT);
    wick_dataset_free(head);
    wick_dataset_free(test);
}

static void test_gz_comes_first_and_names_do_not_count(void **state)
{
    const fixture *f = *state;
    put_small_set(f->folder);
    put_file(f->folder, "train-labels-idx1-ubyte", from_text("never read"));
    put_file(f->folder, "train-images-idx3-ubyte.gz", make_images(12, 3, 2)); /* not gzip'd */
    put_file(f->folder, "t10k-labels-idx1-ubyte", gzipped(make_labels(5, 2)));
    expect_open(f, f->folder, NULL, WICK_TRAIN, WICK_OK, "");
    expect_open(f, f->folder, NULL, WICK_TEST, WICK_OK, "");
}

static void test_one_half_is_enough(void **state)
{
    const fixture *f = *state;
    put_file(f->folder, "t10k-images-idx3-ubyte", make_images(5, 3, 2));
    put_file(f->folder, "t10k-labels-idx1-ubyte", make_labels(5, 3));
    wick_dataset *test = open_set(f, f->folder, NULL, WICK_TEST);
    assert_int_equal(wick_dataset_class_count(test), 3);
    wick_dataset_free(test);
    expect_open(f, f->folder, NULL, WICK_TRAIN, WICK_ENOENT,
                "there is no train-images-idx3-ubyte.gz and no train-images-idx3-ubyte in it");
}

static void test_known_folder_names(void **state)
{
    const fixture *f = *state;
    char path[PATH_ROOM];
    sub_folder(path, f->folder, "kmnist/");
    put_small_set(path);
    wick_dataset *train = open_set(f, path, NULL, WICK_TRAIN);
    assert_int_equal(wick_dataset_class_count(train), 10);
    assert_string_equal(wick_dataset_class(train, 3), "tsu");
    assert_string_equal(wick_dataset_class_name(train), "KMNIST");
    assert_string_equal(wick_dataset_name(train), "kmnist");
    wick_dataset_free(train);
    put_file(path, "train-labels-idx1-ubyte.gz", gzipped(make_labels(12, 11)));
    expect_open(f, path, NULL, WICK_TRAIN, WICK_EFORMAT,
                "label 10 at index 10 is out of range: there are 10 classes, 0 to 9");
}

/* ---- by folder: what is wrong ---- */

static void test_missing(void **state)
{
    const fixture *f = *state;
    char path[PATH_ROOM];
    path_to(path, f->folder, "nowhere");
    expect_open(f, path, NULL, WICK_TRAIN, WICK_ENOENT, "/nowhere: there is no such folder");
    expect_open(f, f->folder, NULL, WICK_TRAIN, WICK_ENOENT, "holds neither IDX files");
    put_file(f->folder, "train-images-idx3-ubyte", make_images(12, 3, 2));
    expect_open(f, f->folder, NULL, WICK_TRAIN, WICK_ENOENT, "there is no train-labels-idx1-ubyte.gz");
    path_to(path, f->folder, "train-images-idx3-ubyte");
    expect_open(f, path, NULL, WICK_TRAIN, WICK_EIO, "is a file; a data set is a folder");
    path_to(path, f->folder, "train-images-idx3-ubyte/x");
    expect_open(f, path, NULL, WICK_TRAIN, WICK_ENOENT, "there is no such folder");
    sub_folder(path, f->folder, "train-labels-idx1-ubyte.gz");
    expect_open(f, f->folder, NULL, WICK_TRAIN, WICK_EIO, "train-labels-idx1-ubyte.gz: is a folder");
}

static void test_halves_that_disagree(void **state)
{
    const fixture *f = *state;
    put_small_set(f->folder);
    put_file(f->folder, "train-labels-idx1-ubyte.gz", gzipped(make_labels(11, 4)));
    expect_open(f, f->folder, NULL, WICK_TRAIN, WICK_EFORMAT, "holds 12 images, but ");
    expect_open(f, f->folder, NULL, WICK_TRAIN, WICK_EFORMAT, "train-labels-idx1-ubyte.gz 11 labels");
}

static void test_damaged_files(void **state)
{
    const fixture *f = *state;
    put_small_set(f->folder);
    put_file(f->folder, "train-images-idx3-ubyte.gz", gzipped(make_labels(12, 4)));
    expect_open(f, f->folder, NULL, WICK_TRAIN, WICK_EFORMAT,
                "train-images-idx3-ubyte.gz: holds labels");
    put_file(f->folder, "train-labels-idx1-ubyte.gz", from_text(""));
    expect_open(f, f->folder, NULL, WICK_TRAIN, WICK_EFORMAT, "train-labels-idx1-ubyte.gz: is empty");
}

/* Runs as nobody if this is root, for whom nothing is forbidden. */
static void test_without_rights(void **state)
{
    const fixture *f = *state;
    bool root = geteuid() == 0;
    char path[PATH_ROOM], file[PATH_ROOM], forbidden[PATH_ROOM];
    sub_folder(path, f->folder, "set");
    put_small_set(path);
    sub_folder(forbidden, f->folder, "forbidden");
    assert_int_equal(chmod(forbidden, 0), 0);
    path_to(file, path, "train-labels-idx1-ubyte.gz");
    assert_int_equal(chmod(file, 0), 0);
    if (root && seteuid(65534) != 0)
        skip();
    expect_open(f, path, NULL, WICK_TRAIN, WICK_EIO,
                "train-labels-idx1-ubyte.gz: cannot open: Permission denied");
    expect_open(f, forbidden, NULL, WICK_TRAIN, WICK_EIO, "Permission denied");
    expect_open(f, "mnist", forbidden, WICK_TRAIN, WICK_EIO, "/forbidden: cannot look for train-images");
    setenv("XDG_CACHE_HOME", forbidden,
           1); /* not of the caller's naming: no more than a place without files */
    expect_open(f, "mnist", NULL, WICK_TRAIN, WICK_ENOENT, "were not found in ");
    unsetenv("XDG_CACHE_HOME");
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(forbidden, 0700), 0);
}

/* ---- by name ---- */

static void test_known_names(void **state)
{
    (void)state;
    assert_string_equal(wick_dataset_known(0), "fashion-mnist");
    assert_string_equal(wick_dataset_known(1), "mnist");
    assert_string_equal(wick_dataset_known(2), "kmnist");
    assert_string_equal(wick_dataset_known(7), "cifar100");
    assert_null(wick_dataset_known(8));
    assert_null(wick_dataset_known(-1));
}

static void test_unknown_names(void **state)
{
    const fixture *f = *state;
    expect_open(f, "FashionMNIST", NULL, WICK_TRAIN, WICK_ENOENT,
                "there is no data set 'FashionMNIST'; known are fashion-mnist, mnist, kmnist, "
                "emnist-letters, emnist-balanced, emnist-digits, cifar10, cifar100, or a "
                "folder of pictures or of IDX "
                "files; did you mean 'fashion-mnist'?");
    expect_open(f, "cifar10-and-more", NULL, WICK_TRAIN, WICK_ENOENT, "or of IDX files");
    assert_null(strstr(wick_context_message(f->context), "did you mean"));
    expect_open(f, "", NULL, WICK_TRAIN, WICK_EINVAL, "name is empty");
    expect_open(f, NULL, NULL, WICK_TRAIN, WICK_EINVAL, "name is NULL");
    expect_open(f, "mnist", NULL, (wick_split)7, WICK_EINVAL, "the split is 7");
    assert_int_equal(wick_dataset_open(f->context, "mnist", NULL, WICK_TRAIN, NULL), WICK_EINVAL);
}

/* The test half of MNIST as far as its sizes go. */
static void put_mnist_test(const char *folder)
{
    put_file(folder, "t10k-images-idx3-ubyte.gz", gzipped(make_images(10000, 28, 28)));
    put_file(folder, "t10k-labels-idx1-ubyte.gz", gzipped(make_labels(10000, 10)));
}

static void check_root(const fixture *f, const char *data_dir, const char *root)
{
    wick_dataset *test = open_set(f, "mnist", data_dir, WICK_TEST);
    assert_string_equal(wick_dataset_root(test), root);
    assert_string_equal(wick_dataset_name(test), "mnist");
    assert_string_equal(wick_dataset_class_name(test), "MNIST");
    assert_string_equal(wick_dataset_class(test, 9), "9 - nine");
    assert_int_equal(wick_dataset_count(test), 10000);
    wick_dataset_free(test);
}

static void test_where_names_are_looked_for(void **state)
{
    const fixture *f = *state;
    char base[PATH_ROOM], cache[PATH_ROOM], home[PATH_ROOM], set[PATH_ROOM];
    expect_open(f, "mnist", NULL, WICK_TEST, WICK_ENOENT,
                "/.cache/wick/mnist, /usr/share/datasets/mnist");
    sub_folder(home, f->folder, ".cache");
    sub_folder(home, f->folder, ".cache/wick");
    sub_folder(home, f->folder, ".cache/wick/mnist");
    put_mnist_test(home);
    check_root(f, NULL, home);
    sub_folder(base, f->folder, "xdg");
    sub_folder(cache, f->folder, "xdg/wick");
    sub_folder(cache, f->folder, "xdg/wick/mnist");
    put_mnist_test(cache);
    setenv("XDG_CACHE_HOME", base, 1);
    check_root(f, NULL, cache);
    sub_folder(base, f->folder, "environment");
    sub_folder(set, f->folder, "environment/mnist");
    put_mnist_test(set);
    setenv("WICK_DATA_DIR", base, 1);
    check_root(f, NULL, set);
    check_root(f, home, home);
    check_root(f, "/nonexistent", set);
    /* Where one of the files is, all of them have to be: no half of another folder's is taken. */
    expect_open(f, "mnist", home, WICK_TRAIN, WICK_ENOENT, "there is no train-images-idx3-ubyte.gz");
    unsetenv("WICK_DATA_DIR");
    unsetenv("XDG_CACHE_HOME");
}

static void test_other_files_under_a_known_name(void **state)
{
    const fixture *f = *state;
    put_small_set(f->folder);
    expect_open(f, "kmnist", f->folder, WICK_TRAIN, WICK_EFORMAT,
                "holds 12 images of 3x2; kmnist's holds 60000 of 28x28");
    put_mnist_test(f->folder);
    put_file(f->folder, "t10k-labels-idx1-ubyte.gz", gzipped(make_labels(10000, 12)));
    expect_open(f, "kmnist", f->folder, WICK_TEST, WICK_EFORMAT, "label 10 at index 10 is out of range");
}

/* ---- from memory ---- */

static const char *const two_classes[] = {"left", "right"};

static void test_from_memory(void **state)
{
    const fixture *f = *state;
    uint8_t pixels[] = {0, 51, 102, 255, 1, 2, 3, 4};
    int64_t labels[] = {1, 0};
    const char *path;
    char sum[65];
    wick_dataset *dataset;
    wick_tensor *image;
    int64_t label;
    assert_int_equal(wick_dataset_from(f->context, 2, 2, 1, 2, pixels, labels, 2, two_classes, &dataset),
                     WICK_OK);
    pixels[1] = 0;
    labels[0] = 0;
    assert_int_equal(wick_dataset_get(dataset, 0, &image, &label), WICK_OK);
    assert_memory_equal(wick_tensor_shape(image), ((int64_t[]){2, 1, 2}), 3 * sizeof(int64_t));
    assert_memory_equal(wick_tensor_f32(image), ((float[]){0, 0.2f, 0.4f, 1}), 4 * sizeof(float));
    assert_int_equal(label, 1);
    wick_tensor_free(image);
    assert_int_equal(wick_dataset_get(dataset, 1, NULL, &label), WICK_OK);
    assert_int_equal(label, 0);
    assert_int_equal(wick_dataset_get(dataset, 2, NULL, NULL), WICK_EINVAL);
    assert_string_equal(wick_context_message(f->context), "index 2 is out of range; it must be 0 to 1");
    assert_int_equal(wick_dataset_get(dataset, -1, NULL, NULL), WICK_EINVAL);
    assert_string_equal(wick_dataset_root(dataset), "");
    assert_string_equal(wick_dataset_class(dataset, 1), "right");
    assert_int_equal(wick_dataset_file(dataset, 0, &path, sum), WICK_ENOENT);
    wick_dataset_free(dataset);
    wick_dataset_free(NULL);
}

static void expect_from(const fixture *f, int64_t count, int64_t height, const uint8_t *pixels,
                        const int64_t *labels, int64_t class_count, const char *const *classes,
                        const char *part)
{
    wick_dataset *dataset = NULL;
    assert_int_equal(wick_dataset_from(f->context, count, 1, height, 1, pixels, labels, class_count,
                                       classes, &dataset),
                     WICK_EINVAL);
    assert_null(dataset);
    if (strstr(wick_context_message(f->context), part) == NULL)
        fail_msg("%s", wick_context_message(f->context));
}

static void test_from_memory_arguments(void **state)
{
    const fixture *f = *state;
    const uint8_t pixels[2] = {0};
    const int64_t labels[] = {1, 0}, bad[] = {0, 2}, negative[] = {-1, 0};
    const char *const hole[] = {"left", NULL};
    expect_from(f, 0, 1, pixels, labels, 2, two_classes, "each must be 1 or more");
    expect_from(f, -1, 1, pixels, labels, 2, two_classes, "each must be 1 or more");
    expect_from(f, 2, 0, pixels, labels, 2, two_classes, "each must be 1 or more");
    expect_from(f, 2, 1, pixels, labels, 0, two_classes, "each must be 1 or more");
    expect_from(f, INT64_MAX, 2, pixels, labels, 2, two_classes, "more pixels than can be addressed");
    expect_from(f, 2, 1, NULL, labels, 2, two_classes, "the pixels of a data set are NULL");
    expect_from(f, 2, 1, pixels, NULL, 2, two_classes, "the labels of a data set are NULL");
    expect_from(f, 2, 1, pixels, labels, 2, NULL, "the names of the classes of a data set are NULL");
    expect_from(f, 2, 1, pixels, labels, 2, hole, "the name of class 1 is NULL");
    expect_from(f, 2, 1, pixels, bad, 2, two_classes,
                "label 2 at index 1 is out of range; it must be 0 to 1");
    expect_from(f, 2, 1, pixels, negative, 2, two_classes, "label -1 at index 0");
    assert_int_equal(wick_dataset_from(f->context, 2, 1, 1, 1, pixels, labels, 2, two_classes, NULL),
                     WICK_EINVAL);
}

static void test_head(void **state)
{
    const fixture *f = *state;
    wick_dataset *head;
    put_small_set(f->folder);
    wick_dataset *train = open_set(f, f->folder, NULL, WICK_TRAIN);
    assert_int_equal(wick_dataset_head(train, 0, &head), WICK_EINVAL);
    assert_int_equal(wick_dataset_head(train, 13, &head), WICK_EINVAL);
    assert_string_equal(wick_context_message(f->context),
                        "the first 13 examples of 12; it must be 1 to 12");
    assert_int_equal(wick_dataset_head(train, 3, NULL), WICK_EINVAL);
    assert_int_equal(wick_dataset_head(train, 3, &head), WICK_OK);
    assert_int_equal(wick_dataset_count(head), 3);
    assert_int_equal(wick_dataset_class_count(head), 4);
    assert_memory_equal(wick_dataset_pixels(head), wick_dataset_pixels(train), 3 * 3 * 2);
    assert_memory_equal(wick_dataset_labels(head), wick_dataset_labels(train), 3 * sizeof(int64_t));
    assert_string_equal(wick_dataset_name(head), wick_dataset_name(train));
    assert_string_equal(wick_dataset_root(head), f->folder);
    wick_dataset_free(train);
    assert_int_equal(wick_dataset_pixels(head)[1], 7);
    assert_string_equal(wick_dataset_class(head, 3), "3");
    wick_dataset_free(head);
}

/* ---- the real thing ---- */

static void check_sum(wick_dataset *dataset, int index, const char *name, const char *sum)
{
    const char *path;
    char got[65];
    assert_int_equal(wick_dataset_file(dataset, index, &path, got), WICK_OK);
    assert_string_equal(strrchr(path, '/') + 1, name);
    assert_string_equal(got, sum);
}

static void skip_without_fashion_mnist(void)
{
    if (access(FASHION_MNIST "/train-images-idx3-ubyte.gz", R_OK) != 0) {
        print_message("skipped: there is no %s (Debian's package dataset-fashion-mnist)\n",
                      FASHION_MNIST);
        skip();
    }
}

static void test_fashion_mnist(void **state)
{
    const fixture *f = *state;
    skip_without_fashion_mnist();
    wick_dataset *train = open_set(f, "fashion-mnist", NULL, WICK_TRAIN);
    wick_dataset *test = open_set(f, "fashion-mnist", NULL, WICK_TEST);
    const int64_t *targets = wick_dataset_labels(train);
    assert_string_equal(wick_dataset_root(train), FASHION_MNIST);
    assert_string_equal(wick_dataset_class_name(train), "FashionMNIST");
    assert_int_equal(wick_dataset_count(train), 60000);
    assert_int_equal(wick_dataset_count(test), 10000);
    assert_memory_equal(wick_dataset_image_shape(train), ((int64_t[]){1, 28, 28}), 3 * sizeof(int64_t));
    assert_memory_equal(targets, ((int64_t[]){9, 0, 0}), 3 * sizeof(int64_t));
    assert_memory_equal(targets + 59997, ((int64_t[]){3, 0, 5}), 3 * sizeof(int64_t));
    assert_string_equal(wick_dataset_class(train, targets[0]), "Ankle boot");
    int counts[10] = {0};
    for (int i = 0; i < 60000; i++)
        counts[targets[i]]++;
    for (int i = 0; i < 10; i++)
        assert_int_equal(counts[i], 6000);
    check_sum(train, 0, "train-images-idx3-ubyte.gz",
              "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7");
    check_sum(test, 1, "t10k-labels-idx1-ubyte.gz",
              "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05");
    wick_dataset_free(train);
    wick_dataset_free(test);
}

/* In a folder of another name it is known by its labels, one half's being enough. */
static void test_fashion_mnist_elsewhere(void **state)
{
    const fixture *f = *state;
    char path[PATH_ROOM];
    skip_without_fashion_mnist();
    path_to(path, f->folder, "t10k-images-idx3-ubyte.gz");
    assert_int_equal(symlink(FASHION_MNIST "/t10k-images-idx3-ubyte.gz", path), 0);
    path_to(path, f->folder, "t10k-labels-idx1-ubyte.gz");
    assert_int_equal(symlink(FASHION_MNIST "/t10k-labels-idx1-ubyte.gz", path), 0);
    put_file(f->folder, "train-images-idx3-ubyte", make_images(11, 28, 28));
    put_file(f->folder, "train-labels-idx1-ubyte", make_labels(11, 11));
    wick_dataset *test = open_set(f, f->folder, NULL, WICK_TEST);
    assert_string_equal(wick_dataset_class_name(test), "FashionMNIST");
    assert_string_equal(wick_dataset_class(test, 6), "Shirt");
    wick_dataset_free(test);
    expect_open(f, f->folder, NULL, WICK_TRAIN, WICK_EFORMAT,
                "label 10 at index 10 is out of range: there are 10 classes");
}

/* What is known without the files agrees with the list of names. */
static void facts_of_known_sets(void **state)
{
    (void)state;
    wick_dataset_facts facts = {.class_count = -1};
    for (int i = 0; wick_dataset_known(i) != NULL; i++) {
        assert_true(wick_dataset_known_facts(wick_dataset_known(i), &facts));
        bool cifar = strncmp(wick_dataset_known(i), "cifar", 5) == 0;
        assert_int_equal(facts.image_shape[0], cifar ? 3 : 1);
        assert_int_equal(facts.image_shape[1], cifar ? 32 : 28);
        assert_int_equal(facts.image_shape[2], cifar ? 32 : 28);
        for (int64_t c = 0; c < facts.class_count; c++)
            assert_non_null(facts.classes[c]);
    }
    assert_true(wick_dataset_known_facts("fashion-mnist", &facts));
    assert_string_equal(facts.classes[9], "Ankle boot");
    facts.class_count = -1;
    assert_false(wick_dataset_known_facts("fashion", &facts));
    assert_false(wick_dataset_known_facts(NULL, &facts));
    assert_false(wick_dataset_known_facts("mnist", NULL));
    assert_int_equal(facts.class_count, -1);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_of_known_sets),
        IN_A_FOLDER(test_folder),
        IN_A_FOLDER(test_files_and_sums),
        IN_A_FOLDER(test_gz_comes_first_and_names_do_not_count),
        IN_A_FOLDER(test_one_half_is_enough),
        IN_A_FOLDER(test_known_folder_names),
        IN_A_FOLDER(test_missing),
        IN_A_FOLDER(test_halves_that_disagree),
        IN_A_FOLDER(test_damaged_files),
        IN_A_FOLDER(test_without_rights),
        IN_A_FOLDER(test_known_names),
        IN_A_FOLDER(test_unknown_names),
        IN_A_FOLDER(test_where_names_are_looked_for),
        IN_A_FOLDER(test_other_files_under_a_known_name),
        IN_A_FOLDER(test_from_memory),
        IN_A_FOLDER(test_from_memory_arguments),
        IN_A_FOLDER(test_head),
        IN_A_FOLDER(test_fashion_mnist),
        IN_A_FOLDER(test_fashion_mnist_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
