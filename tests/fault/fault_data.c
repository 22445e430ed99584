/* A data set from files and from memory, and an epoch of a loader. */
#include "fault.h"

#include <libdeflate.h>
#include <string.h>

enum { COUNT = 10, SIDE = 4, LABEL_HEADER = 8, IMAGE_HEADER = 16 };

static void write_half(const char *folder, const char *images, const char *labels)
{
    static const unsigned char image_header[IMAGE_HEADER] = {0, 0, 8, 3,    0, 0, 0, COUNT,
                                                             0, 0, 0, SIDE, 0, 0, 0, SIDE};
    static const unsigned char label_header[LABEL_HEADER] = {0, 0, 8, 1, 0, 0, 0, COUNT};
    unsigned char bytes[IMAGE_HEADER + COUNT * SIDE * SIDE], packed[512];
    memcpy(bytes, image_header, IMAGE_HEADER);
    for (int i = 0; i < COUNT * SIDE * SIDE; i++)
        bytes[IMAGE_HEADER + i] = (unsigned char)i;
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    FAULT_CHECK(compressor != NULL);
    size_t length = libdeflate_gzip_compress(compressor, bytes, sizeof(bytes), packed, sizeof(packed));
    libdeflate_free_compressor(compressor);
    FAULT_CHECK(length > 0);
    fault_write(folder, images, packed, length);
    memcpy(bytes, label_header, LABEL_HEADER);
    for (int i = 0; i < COUNT; i++)
        bytes[LABEL_HEADER + i] = (unsigned char)(i % 10);
    fault_write(folder, labels, bytes, LABEL_HEADER + COUNT);
}

static void write_files(wick_context *context, const char *folder)
{
    (void)context;
    write_half(folder, "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte");
    write_half(folder, "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte");
}

static wick_status run_open(wick_context *context, const char *folder)
{
    wick_dataset *dataset;
    const char *path;
    char sha256[65];
    wick_status status = wick_dataset_open(context, folder, NULL, WICK_TEST, &dataset);
    if (status != WICK_OK)
        return status;
    FAULT_CHECK(wick_dataset_count(dataset) == COUNT);
    FAULT_CHECK(wick_dataset_labels(dataset)[7] == 7);
    FAULT_CHECK(wick_dataset_pixels(dataset)[7 * SIDE * SIDE + 3] == 7 * SIDE * SIDE + 3);
    status = wick_dataset_file(dataset, 0, &path, sha256);
    if (status == WICK_OK)
        FAULT_CHECK(strlen(sha256) == 64 && strncmp(path, folder, strlen(folder)) == 0);
    wick_dataset_free(dataset);
    return status;
}

static wick_status make_dataset(wick_context *context, wick_dataset **out)
{
    static const char *const classes[3] = {"circle", "square", "star"};
    uint8_t pixels[COUNT * SIDE * SIDE];
    int64_t labels[COUNT];
    for (int i = 0; i < COUNT * SIDE * SIDE; i++)
        pixels[i] = (uint8_t)i;
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % 3;
    return wick_dataset_from(context, COUNT, 1, SIDE, SIDE, pixels, labels, 3, classes, out);
}

static wick_status run_memory(wick_context *context, const char *folder)
{
    (void)folder;
    wick_dataset *all = NULL, *head = NULL;
    wick_tensor *image = NULL;
    int64_t label;
    wick_status status;
    FAULT_TRY(make_dataset(context, &all));
    FAULT_TRY(wick_dataset_head(all, 4, &head));
    FAULT_CHECK(wick_dataset_count(head) == 4);
    FAULT_CHECK(strcmp(wick_dataset_class(head, 2), "star") == 0);
    FAULT_TRY(wick_dataset_get(head, 3, &image, &label));
    FAULT_CHECK(label == 0 && wick_tensor_f32(image)[0] == 48 / 255.0f);
out:
    wick_tensor_free(image);
    wick_dataset_free(head);
    wick_dataset_free(all);
    return status;
}

static wick_status run_loader(wick_context *context, const char *folder)
{
    (void)folder;
    wick_dataset *dataset = NULL;
    wick_loader *loader = NULL;
    wick_tensor *images = NULL, *labels = NULL;
    int64_t seen = 0;
    wick_status status;
    FAULT_TRY(make_dataset(context, &dataset));
    const float mean = 0.5F, std = 0.25F;
    const wick_loader_options options = {
        .batch_size = 4, .shuffle = true, .transform = {.rotate = 5}, .mean = &mean, .std = &std};
    FAULT_TRY(wick_loader_new(dataset, &options, &loader));
    for (int epoch = 0; epoch < 2; epoch++) {
        FAULT_TRY(wick_loader_begin(loader));
        for (;;) {
            FAULT_TRY(wick_loader_next(loader, &images, &labels));
            if (images == NULL)
                break;
            seen += wick_tensor_size(images, 0);
            FAULT_CHECK(wick_tensor_numel(labels) == wick_tensor_size(images, 0));
            wick_tensor_free(images);
            wick_tensor_free(labels);
            images = labels = NULL;
        }
    }
    FAULT_CHECK(seen == 2 * COUNT);
out:
    wick_loader_free(loader);
    wick_dataset_free(dataset);
    return status;
}

/* ---- read from their own files as they are used ---- */

static void write_plain(wick_context *context, const char *folder)
{
    unsigned char bytes[IMAGE_HEADER + COUNT * SIDE * SIDE] = {0, 0, 8, 3,    0, 0, 0, COUNT,
                                                               0, 0, 0, SIDE, 0, 0, 0, SIDE};
    (void)context;
    for (int i = 0; i < COUNT * SIDE * SIDE; i++)
        bytes[IMAGE_HEADER + i] = (unsigned char)i;
    fault_write(folder, "emnist-letters-test-images-idx3-ubyte", bytes, sizeof(bytes));
    unsigned char labels[LABEL_HEADER + COUNT] = {0, 0, 8, 1, 0, 0, 0, COUNT};
    for (int i = 0; i < COUNT; i++)
        labels[LABEL_HEADER + i] = (unsigned char)(1 + i);
    fault_write(folder, "emnist-letters-test-labels-idx1-ubyte", labels, sizeof(labels));
}

/* An example of a part of it, by itself and in a batch. */
static wick_status check_part(wick_dataset *dataset, int64_t index, int64_t at, int first, int second)
{
    const wick_loader_options options = {.batch_size = 2};
    wick_dataset *part = NULL;
    wick_loader *loader = NULL;
    wick_tensor *image = NULL, *images = NULL, *labels = NULL;
    wick_status status;
    FAULT_CHECK(wick_dataset_pixels(dataset) == NULL);
    FAULT_TRY(wick_dataset_subset(dataset, 2, (int64_t[]){0, index}, &part));
    FAULT_TRY(wick_dataset_get_pixels(part, 1, &image));
    FAULT_CHECK(wick_tensor_u8(image)[at] == first && wick_tensor_u8(image)[at + 1] == second);
    FAULT_TRY(wick_loader_new(part, &options, &loader));
    FAULT_TRY(wick_loader_begin(loader));
    FAULT_TRY(wick_loader_next(loader, &images, &labels));
    FAULT_CHECK(wick_tensor_f32(images)[wick_tensor_numel(images) / 2 + at] == (float)first / 255.0F);
out:
    wick_tensor_free(images);
    wick_tensor_free(labels);
    wick_loader_free(loader);
    wick_tensor_free(image);
    wick_dataset_free(part);
    return status;
}

static wick_status run_streamed(wick_context *context, const char *folder)
{
    wick_dataset *dataset = NULL, *fitted = NULL;
    wick_status status;
    wick_dataset_options options = {.memory_limit = COUNT * 2 * 3};
    FAULT_TRY(wick_context_set_threads(context, 1));
    FAULT_TRY(wick_dataset_open_with(context, folder, NULL, WICK_TEST, &options, &dataset));
    FAULT_TRY(check_part(dataset, 7, 1, 7 * SIDE * SIDE + SIDE, 7 * SIDE * SIDE + 2 * SIDE)); /* lying */
    options.image_height = 2;
    options.image_width = 3;
    FAULT_TRY(wick_dataset_open_with(context, folder, NULL, WICK_TEST, &options, &fitted));
    FAULT_CHECK(wick_dataset_pixels(fitted) != NULL);
out:
    wick_dataset_free(fitted);
    wick_dataset_free(dataset);
    return status;
}

static void write_batches(wick_context *context, const char *folder)
{
    enum { RECORD = 1 + 3 * 32 * 32 };
    static unsigned char bytes[2 * RECORD];
    (void)context;
    for (int i = 0; i < 2 * RECORD; i++)
        bytes[i] = (unsigned char)(i % RECORD == 0 ? 1 : i % 99);
    for (int i = 1; i <= 5; i++) {
        char name[] = "data_batch_0.bin";
        name[11] = (char)('0' + i);
        bytes[1] = bytes[RECORD + 1] = (unsigned char)i;
        fault_write(folder, name, bytes, i == 2 ? sizeof(bytes) : RECORD);
    }
}

static wick_status run_batches(wick_context *context, const char *folder)
{
    wick_dataset *dataset;
    const wick_dataset_options options = {.memory_limit = 1};
    wick_status status = wick_dataset_open_with(context, folder, NULL, WICK_TRAIN, &options, &dataset);
    if (status != WICK_OK)
        return status;
    FAULT_CHECK(wick_dataset_count(dataset) == 6 && wick_dataset_labels(dataset)[5] == 1);
    status = check_part(dataset, 4, 0, 4, 2);
    wick_dataset_free(dataset);
    return status;
}

static void write_cifar(wick_context *context, const char *folder)
{
    enum { RECORD = 2 + 3 * 32 * 32 };
    static unsigned char bytes[2 * RECORD];
    (void)context;
    for (int i = 0; i < 2 * RECORD; i++)
        bytes[i] = (unsigned char)(i % 100);
    fault_write(folder, "train.bin", bytes, sizeof(bytes));
    fault_write(folder, "test.bin", bytes, RECORD);
}

static wick_status run_cifar(wick_context *context, const char *folder)
{
    wick_dataset *dataset;
    const wick_dataset_options options = {.image_height = 5, .image_width = 5};
    wick_status status = wick_dataset_open_with(context, folder, NULL, WICK_TRAIN, &options, &dataset);
    if (status != WICK_OK)
        return status;
    FAULT_CHECK(wick_dataset_count(dataset) == 2 && wick_dataset_labels(dataset)[0] == 1);
    FAULT_CHECK(wick_dataset_image_shape(dataset)[2] == 5);
    wick_dataset_free(dataset);
    return status;
}

const fault_scenario fault_scenarios[] = {
    {.name = "cifar", .prepare = write_cifar, .run = run_cifar},
    {.name = "batches", .prepare = write_batches, .run = run_batches},
    {.name = "streamed", .prepare = write_plain, .run = run_streamed},
    {.name = "open", .prepare = write_files, .run = run_open},
    {.name = "dataset", .run = run_memory, .memory_only = true},
    {.name = "loader", .run = run_loader, .memory_only = true},
    {0},
};
