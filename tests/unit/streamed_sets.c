/* src/data: data sets whose pixels are more than the memory limit are read from their own files as they are
 * used, and nobody can tell but by the memory. */
#include "data/dataset.h"

#include <setjmp.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <wick/wick.h>

#include "idx_maker.h"

#include "data_fixture.h"

enum { COUNT = 45, HEIGHT = 6, WIDTH = 7, BYTES = HEIGHT * WIDTH, CIFAR_BYTES = 3 * 32 * 32 };

/* 0: the usual limit, which no set here comes near. */
static wick_dataset *open_limited(const fixture *f, wick_split split, int64_t limit)
{
    wick_dataset *dataset = open_half(f, split, &(wick_dataset_options){.memory_limit = limit});
    assert_true((wick_dataset_pixels(dataset) == NULL) == (limit > 0));
    return dataset;
}

static void expect_refused(const fixture *f, const wick_dataset_options *options, wick_status status,
                           const char *part)
{
    wick_dataset *dataset = NULL;
    wick_status got = wick_dataset_open_with(f->context, f->folder, NULL, WICK_TRAIN, options, &dataset);
    if (got != status || strstr(wick_context_message(f->context), part) == NULL)
        fail_msg("%s: %s, instead of %s with '%s'", wick_status_name(got),
                 wick_context_message(f->context), wick_status_name(status), part);
    assert_null(dataset);
}

static void put_idx(const fixture *f)
{
    put_file(f->folder, "train-images-idx3-ubyte", make_images(COUNT, HEIGHT, WIDTH));
    put_file(f->folder, "train-labels-idx1-ubyte", make_labels(COUNT, 10));
    put_file(f->folder, "t10k-images-idx3-ubyte", make_images(5, HEIGHT, WIDTH));
    put_file(f->folder, "t10k-labels-idx1-ubyte", make_labels(5, 10));
}

/* Images, labels and what is measured are the same. */
static void expect_same(const wick_dataset *wanted, const wick_dataset *got)
{
    const int64_t *shape = wick_dataset_image_shape(wanted);
    const size_t size = (size_t)(shape[0] * shape[1] * shape[2]);
    float mean[2][3], std[2][3];
    assert_memory_equal(shape, wick_dataset_image_shape(got), 3 * sizeof(*shape));
    assert_int_equal(wick_dataset_count(got), wick_dataset_count(wanted));
    assert_int_equal(wick_dataset_split(got), wick_dataset_split(wanted));
    assert_string_equal(wick_dataset_name(got), wick_dataset_name(wanted));
    for (int64_t i = 0; i < wick_dataset_count(wanted); i++) {
        wick_tensor *image;
        assert_int_equal(wick_dataset_get_pixels(got, i, &image), WICK_OK);
        assert_memory_equal(wick_tensor_u8(image), wick_dataset_pixels(wanted) + (size_t)i * size, size);
        assert_int_equal(wick_dataset_labels(got)[i], wick_dataset_labels(wanted)[i]);
        wick_tensor_free(image);
    }
    assert_int_equal(wick_dataset_measure(wanted, mean[0], std[0]), WICK_OK);
    assert_int_equal(wick_dataset_measure(got, mean[1], std[1]), WICK_OK);
    assert_memory_equal(mean[0], mean[1], (size_t)shape[0] * sizeof(float));
    assert_memory_equal(std[0], std[1], (size_t)shape[0] * sizeof(float));
}

/* A model that was trained on it for an epoch. */
static wick_state_dict *trained(const fixture *f, const wick_dataset *dataset, bool transformed)
{
    static const float mean[3] = {0.4F, 0.5F, 0.6F}, std[3] = {0.3F, 0.3F, 0.2F};
    const wick_transform none = {0}, some = {.flip = 0.5, .rotate = 9, .crop = 1};
    const wick_loader_options how = {.batch_size = 9,
                                     .shuffle = true,
                                     .transform = transformed ? some : none,
                                     .mean = transformed ? mean : NULL,
                                     .std = transformed ? std : NULL};
    wick_state_dict *dict;
    wick_module *model;
    wick_loss *loss;
    wick_optimizer *optimizer;
    wick_loader *loader;
    wick_manual_seed(f->context, 1);
    assert_int_equal(
        wick_model_by_name(f->context, "v0", wick_dataset_image_shape(dataset), 10, 10, &model),
        WICK_OK);
    assert_int_equal(wick_cross_entropy_loss(f->context, &loss), WICK_OK);
    assert_int_equal(wick_sgd(model, &(wick_sgd_options){.lr = 0.1}, &optimizer), WICK_OK);
    assert_int_equal(wick_loader_new(dataset, &how, &loader), WICK_OK);
    if (wick_train_step(model, loader, loss, optimizer, NULL, NULL) != WICK_OK)
        fail_msg("%s", wick_context_message(f->context));
    assert_int_equal(wick_module_state_dict(model, &dict), WICK_OK);
    wick_loader_free(loader);
    wick_optimizer_free(optimizer);
    wick_loss_free(loss);
    wick_module_free(model);
    return dict;
}

static void expect_same_training(const fixture *f, const wick_dataset *wanted, const wick_dataset *got)
{
    for (int threads = 1; threads <= 3; threads += 2)
        for (int transformed = 0; transformed < 2; transformed++) {
            assert_int_equal(wick_context_set_threads(f->context, threads), WICK_OK);
            wick_state_dict *one = trained(f, wanted, transformed), *two = trained(f, got, transformed);
            for (int64_t i = 0; i < wick_state_dict_count(one); i++)
                assert_memory_equal(wick_tensor_cdata(wick_state_dict_tensor(one, i)),
                                    wick_tensor_cdata(wick_state_dict_tensor(two, i)),
                                    (size_t)wick_tensor_numel(wick_state_dict_tensor(one, i)) * 4);
            wick_state_dict_free(one);
            wick_state_dict_free(two);
        }
}

/* ---- IDX ---- */

static void idx_files(void **state)
{
    const fixture *f = *state;
    put_idx(f);
    for (int s = 0; s < 2; s++) {
        wick_dataset *wanted = open_limited(f, (wick_split)s, 0),
                     *got = open_limited(f, (wick_split)s, 1);
        expect_same(wanted, got);
        if (s == WICK_TRAIN)
            expect_same_training(f, wanted, got);
        wick_dataset_free(wanted);
        wick_dataset_free(got);
    }
    /* The pixels count, not the header: as many as the limit are held in memory. */
    wick_dataset_free(open_limited(f, WICK_TRAIN, COUNT * BYTES - 1));
    wick_dataset *held =
        open_half(f, WICK_TRAIN, &(wick_dataset_options){.memory_limit = COUNT * BYTES});
    assert_non_null(wick_dataset_pixels(held));
    wick_dataset_free(held);
}

static void parts(void **state)
{
    const fixture *f = *state;
    const int64_t indices[] = {9, 3, 3, 0, 44};
    wick_dataset *wanted[2], *got[2], *all;
    put_idx(f);
    all = open_limited(f, WICK_TRAIN, 0);
    assert_int_equal(wick_dataset_head(all, 4, &wanted[0]), WICK_OK);
    assert_int_equal(wick_dataset_subset(all, 5, indices, &wanted[1]), WICK_OK);
    wick_dataset_free(all);
    all = open_limited(f, WICK_TRAIN, 1);
    assert_int_equal(wick_dataset_head(all, 4, &got[0]), WICK_OK);
    assert_int_equal(wick_dataset_subset(all, 5, indices, &got[1]), WICK_OK);
    wick_dataset_free(all); /* the parts have the file for themselves */
    for (int i = 0; i < 2; i++) {
        assert_null(wick_dataset_pixels(got[i]));
        expect_same(wanted[i], got[i]);
        wick_dataset_free(wanted[i]);
        wick_dataset_free(got[i]);
    }
}

static void put_lying(const fixture *f)
{
    bytes labels = make_labels(COUNT, 26);
    for (size_t i = 8; i < labels.length; i++)
        labels.at[i]++;
    put_file(f->folder, "emnist-letters-train-images-idx3-ubyte", make_images(COUNT, 5, 5));
    put_file(f->folder, "emnist-letters-train-labels-idx1-ubyte", labels);
}

static void lying_images_stand_up(void **state)
{
    const fixture *f = *state;
    put_lying(f);
    wick_dataset *wanted = open_limited(f, WICK_TRAIN, 0), *got = open_limited(f, WICK_TRAIN, 1), *part;
    expect_same(wanted, got);
    assert_int_equal(wick_dataset_pixels(wanted)[1],
                     5 * 7); /* the file's first pixel of the second row */
    wick_dataset_free(wanted);
    assert_int_equal(wick_dataset_subset(got, 1, (int64_t[]){7}, &part), WICK_OK);
    wick_tensor *image[2];
    assert_int_equal(wick_dataset_get_pixels(got, 7, &image[0]), WICK_OK);
    assert_int_equal(wick_dataset_get_pixels(part, 0, &image[1]), WICK_OK);
    assert_memory_equal(wick_tensor_u8(image[0]), wick_tensor_u8(image[1]), 25);
    wick_tensor_free(image[0]);
    wick_tensor_free(image[1]);
    wick_dataset_free(part);
    wick_dataset_free(got);
}

static long most_memory(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* What is gzip'd can only be held in memory: it is refused, and before memory is taken. Asked in a process
 * of its own, as this one's memory was large already. */
static bool refused_without_memory(const fixture *f, const wick_dataset_options *options,
                                   const char *part)
{
    enum { ALLOWED = 48 << 10 }; /* KiB, of the 100 MB */
    wick_dataset *dataset;
    int result;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        long before = most_memory();
        wick_status got =
            wick_dataset_open_with(f->context, f->folder, NULL, WICK_TRAIN, options, &dataset);
        bool small = most_memory() - before <= ALLOWED;
        _exit(got == WICK_ELIMIT && strstr(wick_context_message(f->context), part) != NULL && small ? 0
                                                                                                    : 1);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    return result == 0;
}

static void gzipped_images(void **state)
{
    enum { MANY = 100, SIDE = 1000 };
    const fixture *f = *state;
    const wick_dataset_options options = {.memory_limit = MANY * SIDE * SIDE - 1};
    put_file(f->folder, "train-images-idx3-ubyte.gz",
             gzipped(make_idx(0x803, 3, (uint32_t[]){MANY, SIDE, SIDE}, (size_t)MANY * SIDE * SIDE)));
    put_file(f->folder, "train-labels-idx1-ubyte", make_labels(MANY, 10));
    assert_true(refused_without_memory(f, &options,
                                       "train-images-idx3-ubyte.gz: inflates to 100000000 bytes of "
                                       "pixels, more than the memory limit of "
                                       "99999999; unpacked (gunzip) it is read as it is used, with a "
                                       "larger limit (--memory-limit) as it "
                                       "is"));
    /* Where the start shows no header, the length that the file ends with. */
    bytes zeros = {.at = must(calloc(300000, 1)), .length = 300000};
    put_file(f->folder, "train-images-idx3-ubyte.gz", gzipped(zeros));
    expect_refused(f, &(wick_dataset_options){.memory_limit = 1000}, WICK_ELIMIT,
                   "inflates to 299984 bytes of pixels");
    put_file(f->folder, "train-images-idx3-ubyte.gz", gzipped(make_images(MANY, 8, 9)));
    expect_refused(f, &(wick_dataset_options){.memory_limit = MANY * 8 * 9 - 1}, WICK_ELIMIT,
                   "inflates to 7200 bytes of pixels");
    wick_dataset_free(open_half(f, WICK_TRAIN, &(wick_dataset_options){.memory_limit = MANY * 8 * 9}));
}

/* ---- a file of more than 2 GiB, which takes no room on the disk ---- */

enum { LARGE_COUNT = 40000, LARGE_SIDE = 256, LARGE_BYTES = LARGE_SIDE * LARGE_SIDE };

static void put_large(const fixture *f)
{
    char path[PATH_ROOM];
    const uint32_t sizes[3] = {LARGE_COUNT, LARGE_SIDE, LARGE_SIDE};
    const off_t length = 16 + (off_t)LARGE_COUNT * LARGE_BYTES;
    put_file(f->folder, "train-images-idx3-ubyte", make_idx(0x803, 3, sizes, 0));
    put_file(f->folder, "train-labels-idx1-ubyte", make_labels(LARGE_COUNT, 10));
    path_to(path, f->folder, "train-images-idx3-ubyte");
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    if (ftruncate(fd, length) != 0 || pwrite(fd, "ab", 2, 16) != 2 ||
        pwrite(fd, "yz", 2, length - 2) != 2) {
        close(fd);
        print_message("skipped: this file system has no files of %lld bytes\n", (long long)length);
        skip();
    }
    close(fd);
}

static void more_than_two_gigabytes(void **state)
{
    enum { ALLOWED = 32 << 10 };
    const fixture *f = *state;
    const wick_dataset_options options = {.memory_limit = 1 << 20};
    char path[PATH_ROOM];
    wick_tensor *first, *last;
    put_large(f);
    long before = most_memory();
    wick_dataset *dataset = open_half(f, WICK_TRAIN, &options);
    assert_int_equal(wick_dataset_count(dataset), LARGE_COUNT);
    assert_int_equal(wick_dataset_get_pixels(dataset, 0, &first), WICK_OK);
    assert_int_equal(wick_dataset_get_pixels(dataset, LARGE_COUNT - 1, &last), WICK_OK);
    assert_memory_equal(wick_tensor_u8(first), "ab\0", 3);
    assert_memory_equal(wick_tensor_u8(last) + LARGE_BYTES - 3, "\0yz", 3);
    assert_true(most_memory() - before <= ALLOWED);
    wick_tensor_free(first);
    wick_tensor_free(last);
    wick_dataset_free(dataset);
    path_to(path, f->folder, "train-images-idx3-ubyte");
    assert_int_equal(truncate(path, 16 + (off_t)LARGE_COUNT * LARGE_BYTES - 1), 0);
    expect_refused(f, &options, WICK_EFORMAT,
                   "is truncated: it has 2621440015 of the 2621440016 bytes of 40000 images of 256x256");
    assert_int_equal(truncate(path, 16 + (off_t)LARGE_COUNT * LARGE_BYTES + 1), 0);
    expect_refused(f, &options, WICK_EFORMAT, "has 1 bytes too many");
}

/* ---- CIFAR ---- */

/* Records of label_bytes labels and of pixels that differ from file to file. */
static bytes records(int count, size_t label_bytes, int first)
{
    size_t record = label_bytes + CIFAR_BYTES;
    bytes file = {.at = must(calloc((size_t)count, record)), .length = (size_t)count * record};
    for (size_t i = 0; i < (size_t)count; i++) {
        file.at[i * record + label_bytes - 1] = (uint8_t)((i + (size_t)first) % 10);
        for (size_t p = 0; p < CIFAR_BYTES; p++)
            file.at[i * record + label_bytes + p] = (uint8_t)((size_t)first * 31 + i * 7 + p / 11);
    }
    return file;
}

static void put_cifar10(const fixture *f, int third)
{
    for (int i = 1; i <= 5; i++) {
        char name[32];
        snprintf(name, sizeof(name), "data_batch_%d.bin", i);
        put_file(f->folder, name, records(i == 3 ? third : i, 1, i));
    }
    put_file(f->folder, "test_batch.bin", records(4, 1, 9));
}

static void cifar10(void **state)
{
    const fixture *f = *state;
    const char *path;
    char sha256[65];
    put_cifar10(f, 800); /* more than is read at once */
    for (int s = 0; s < 2; s++) {
        wick_dataset *wanted = open_limited(f, (wick_split)s, 0),
                     *got = open_limited(f, (wick_split)s, 1);
        expect_same(wanted, got);
        assert_int_equal(wick_dataset_count(got), s == WICK_TEST ? 4 : 1 + 2 + 800 + 4 + 5);
        assert_int_equal(wick_dataset_file(got, s == WICK_TEST ? 0 : 4, &path, sha256), WICK_OK);
        assert_int_equal(wick_dataset_file(got, s == WICK_TEST ? 1 : 5, &path, sha256), WICK_ENOENT);
        if (s == WICK_TRAIN) {
            wick_dataset *parts[2];
            const int64_t indices[] = {811, 0, 2, 3, 342, 343, 802, 803, 806, 807};
            assert_int_equal(wick_dataset_subset(wanted, 10, indices, &parts[0]), WICK_OK);
            assert_int_equal(wick_dataset_subset(got, 10, indices, &parts[1]), WICK_OK);
            expect_same(parts[0], parts[1]);
            expect_same_training(f, parts[0], parts[1]);
            wick_dataset_free(parts[0]);
            wick_dataset_free(parts[1]);
        }
        wick_dataset_free(wanted);
        wick_dataset_free(got);
    }
    bytes file = records(800, 1, 3);
    file.at[(size_t)777 * (1 + CIFAR_BYTES)] = 10;
    put_file(f->folder, "data_batch_3.bin", file);
    for (int64_t limit = 0; limit < 2; limit++)
        expect_refused(f, &(wick_dataset_options){.memory_limit = limit}, WICK_EFORMAT,
                       "data_batch_3.bin: label 10 of record 777, at byte 2387721, is out of range");
}

static void cifar100(void **state)
{
    const fixture *f = *state;
    put_file(f->folder, "train.bin", records(7, 2, 0));
    put_file(f->folder, "test.bin", records(2, 2, 5));
    wick_dataset *wanted = open_limited(f, WICK_TRAIN, 0), *got = open_limited(f, WICK_TRAIN, 1);
    expect_same(wanted, got);
    wick_dataset_free(wanted);
    wick_dataset_free(got);
}

/* ---- made another size ---- */

/* A set that is read from its files is fitted to memory, if it then goes there. */
static void expect_fitted(const fixture *f)
{
    wick_dataset_options options = {.image_height = 4, .image_width = 3, .channels = 3};
    wick_dataset *wanted = open_half(f, WICK_TRAIN, &options);
    options.memory_limit = wick_dataset_count(wanted) * 4 * 3 * 3; /* less than the pixels before */
    wick_dataset *got = open_half(f, WICK_TRAIN, &options);
    assert_non_null(wick_dataset_pixels(got));
    expect_same(wanted, got);
    wick_dataset_free(wanted);
    wick_dataset_free(got);
    options.memory_limit--;
    expect_refused(f, &options, WICK_ELIMIT, "made [3, 4, 3] its ");
}

static void fitted_idx(void **state)
{
    const fixture *f = *state;
    put_idx(f);
    expect_fitted(f);
    /* Held in memory, and too large only once it is fitted. */
    wick_dataset_options options = {
        .image_height = 60, .image_width = 70, .memory_limit = COUNT * 60 * 70 - 1};
    expect_refused(f, &options, WICK_ELIMIT,
                   "made [1, 60, 70] its 45 images come to 189000 bytes, more than the memory limit of "
                   "188999; a larger one (--memory-limit) is wanted, or smaller images (--image-size, "
                   "--channels)");
    options.folders_alone = true; /* what is for folders of pictures changes nothing here */
    wick_dataset_free(open_half(f, WICK_TRAIN, &options));
}

static void fitted_lying(void **state)
{
    put_lying(*state);
    expect_fitted(*state);
}

static void fitted_cifar(void **state)
{
    put_cifar10(*state, 3);
    expect_fitted(*state);
}

/* One that is cut meanwhile, which the threads find. */
static void fitted_from_a_file_that_shrinks(void **state)
{
    const fixture *f = *state;
    char path[PATH_ROOM];
    put_idx(f);
    wick_dataset *dataset = open_limited(f, WICK_TRAIN, 1);
    path_to(path, f->folder, "train-images-idx3-ubyte");
    assert_int_equal(truncate(path, 16 + 30 * BYTES + 5), 0);
    const wick_dataset_options options = {.image_height = 2, .image_width = 2};
    assert_int_equal(wki_dataset_fit(dataset, &options), WICK_EIO);
    assert_non_null(strstr(wick_context_message(f->context), "it has 1281 bytes, and one of its images "
                                                             "ends at 1318"));
    wick_dataset_free(dataset);
}

/* ---- files that change ---- */

/* Opened whole, then cut: that is an error wherever the image is asked for, and the file is left alone. */
static void a_file_that_shrinks(void **state)
{
    const fixture *f = *state;
    char path[PATH_ROOM], wanted[PATH_ROOM + 200];
    float mean, std;
    wick_tensor *image, *labels;
    wick_loader *loader;
    const wick_loader_options options = {.batch_size = COUNT};
    put_idx(f);
    path_to(path, f->folder, "train-images-idx3-ubyte");
    wick_dataset *dataset = open_limited(f, WICK_TRAIN, 1);
    assert_int_equal(truncate(path, 16 + 30 * BYTES + 5), 0);
    assert_int_equal(wick_dataset_get_pixels(dataset, 29, &image), WICK_OK);
    wick_tensor_free(image);
    assert_int_equal(wick_dataset_get_pixels(dataset, 30, &image), WICK_EIO);
    snprintf(wanted, sizeof(wanted),
             "%s: is shorter than it was when the data set %s was opened: it has 1281 bytes, and one of "
             "its images ends at 1318",
             path, wick_dataset_name(dataset));
    assert_string_equal(wick_context_message(f->context), wanted);
    assert_int_equal(wick_dataset_get(dataset, 31, &image, NULL), WICK_EIO);
    assert_int_equal(wick_dataset_measure(dataset, &mean, &std), WICK_EIO);
    assert_int_equal(wick_loader_new(dataset, &options, &loader), WICK_OK);
    assert_int_equal(wick_loader_begin(loader), WICK_OK);
    assert_int_equal(wick_loader_next(loader, &image, &labels), WICK_EIO);
    assert_non_null(strstr(wick_context_message(f->context), "is shorter than it was"));
    wick_loader_free(loader);
    assert_int_equal(access(path, F_OK), 0);
    wick_dataset_free(dataset);
    put_idx(f);
    dataset = open_limited(f, WICK_TRAIN, 1);
    assert_int_equal(remove(path), 0); /* which changes nothing: it is open */
    assert_int_equal(wick_dataset_get_pixels(dataset, COUNT - 1, &image), WICK_OK);
    wick_tensor_free(image);
    wick_dataset_free(dataset);
}

static void training_on_a_file_that_shrinks(void **state)
{
    const fixture *f = *state;
    char path[PATH_ROOM];
    wick_module *model;
    wick_loss *loss;
    wick_optimizer *optimizer;
    wick_loader *loader;
    put_cifar10(f, 3);
    path_to(path, f->folder, "data_batch_5.bin");
    wick_dataset *dataset = open_limited(f, WICK_TRAIN, 1);
    assert_int_equal(truncate(path, 4 * (1 + CIFAR_BYTES)), 0);
    assert_int_equal(wick_context_set_threads(f->context, 2), WICK_OK);
    assert_int_equal(
        wick_model_by_name(f->context, "v0", wick_dataset_image_shape(dataset), 10, 10, &model),
        WICK_OK);
    assert_int_equal(wick_cross_entropy_loss(f->context, &loss), WICK_OK);
    assert_int_equal(wick_sgd(model, NULL, &optimizer), WICK_OK);
    assert_int_equal(wick_loader_new(dataset, &(wick_loader_options){.batch_size = 4}, &loader),
                     WICK_OK);
    assert_int_equal(wick_train_step(model, loader, loss, optimizer, NULL, NULL), WICK_EIO);
    assert_non_null(strstr(wick_context_message(f->context), "data_batch_5.bin: is shorter"));
    assert_non_null(strstr(wick_context_message(f->context), "the data set cifar10 was opened"));
    assert_int_equal(access(path, F_OK), 0);
    wick_loader_free(loader);
    wick_optimizer_free(optimizer);
    wick_loss_free(loss);
    wick_module_free(model);
    wick_dataset_free(dataset);
}

/* One that is as long as it was, and cannot be read. */
static void a_file_that_fails(void **state)
{
    const fixture *f = *state;
    char path[PATH_ROOM];
    uint8_t pixels[4] = {1, 2, 3, 4};
    const int64_t shape[3] = {1, 2, 2};
    wki_pixel_files files = {0};
    put_file(f->folder, "f", from_text("0123456789"));
    path_to(path, f->folder, "f");
    assert_int_equal(wki_pixel_files_init(f->context, &files, 1), WICK_OK);
    assert_int_equal(wki_pixel_files_add(f->context, &files, path, open(path, O_WRONLY)), WICK_OK);
    files.places[0].at = 3;
    assert_false(wki_pixel_files_read(&files, 0, shape, pixels));
    assert_memory_equal(pixels, "\0\0\0\0", 4);
    assert_int_equal(wki_pixel_files_failed(f->context, &files, 0, 4, "set"), WICK_EIO);
    assert_non_null(strstr(wick_context_message(f->context),
                           "/f: cannot be read (an image of the data set set): Bad file"));
    assert_int_equal(access(path, F_OK), 0);
    wki_pixel_files_release(&files);
    wki_pixel_files_release(&files);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_fixture, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(idx_files),
        IN_A_FOLDER(parts),
        IN_A_FOLDER(lying_images_stand_up),
        IN_A_FOLDER(gzipped_images),
        IN_A_FOLDER(more_than_two_gigabytes),
        IN_A_FOLDER(cifar10),
        IN_A_FOLDER(cifar100),
        IN_A_FOLDER(fitted_idx),
        IN_A_FOLDER(fitted_lying),
        IN_A_FOLDER(fitted_cifar),
        IN_A_FOLDER(fitted_from_a_file_that_shrinks),
        IN_A_FOLDER(a_file_that_shrinks),
        IN_A_FOLDER(training_on_a_file_that_shrinks),
        IN_A_FOLDER(a_file_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
