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
    {.name = "open", .prepare = write_files, .run = run_open},
    {.name = "dataset", .run = run_memory, .memory_only = true},
    {.name = "loader", .run = run_loader, .memory_only = true},
    {0},
};
