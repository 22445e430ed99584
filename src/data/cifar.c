/* CIFAR-10's and CIFAR-100's binary files (https://www.cs.toronto.edu/~kriz/cifar.html): records of a label,
 * of CIFAR-100 a coarse and a fine one, and the red, green and blue pixels of a 32x32 image. */
#include "data/dataset.h"
#include "data/registry.h"

#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT (UINT64_C(1) << 31)

enum { IMAGE_BYTES = 3 * 32 * 32, BATCHES = 5 };

typedef struct cifar_half {
    wick_context *context;
    const wki_known_set *set;
    const char *folder;
    wick_split split;
    size_t label_bytes; /* of a record */
    struct {
        char *path;
        uint8_t *bytes;
        size_t count; /* records */
    } files[BATCHES];
    int file_count;
    size_t count;
} cifar_half;

static bool is_fine(const wki_known_set *set)
{
    return set->class_count == 100;
}

const char *wki_cifar_file_name(const wki_known_set *set, wick_split split, int index)
{
    static const char *const batches[BATCHES] = {"data_batch_1.bin", "data_batch_2.bin",
                                                 "data_batch_3.bin", "data_batch_4.bin",
                                                 "data_batch_5.bin"};
    if (is_fine(set))
        return split == WICK_TRAIN ? "train.bin" : "test.bin";
    return split == WICK_TRAIN ? batches[index] : "test_batch.bin";
}

/* Every label must be that of a class. */
static wick_status check_labels(const cifar_half *half, int file)
{
    const size_t record = half->label_bytes + IMAGE_BYTES;
    for (size_t i = 0; i < half->files[file].count; i++) {
        size_t at = i * record + half->label_bytes - 1;
        if (half->files[file].bytes[at] >= half->set->class_count)
            return wki_fail(
                half->context, WICK_EFORMAT,
                "%s: label %d of record %zu, at byte %zu, is out of range; it must be 0 to %lld",
                half->files[file].path, half->files[file].bytes[at], i, at,
                (long long)half->set->class_count - 1);
    }
    return WICK_OK;
}

static wick_status read_file(cifar_half *half, int file)
{
    const size_t record = half->label_bytes + IMAGE_BYTES;
    size_t length;
    WKI_TRY(wki_join_path(half->context, half->folder, wki_cifar_file_name(half->set, half->split, file),
                          &half->files[file].path));
    const char *path = half->files[file].path;
    WKI_TRY(wki_file_read(half->context, path, FILE_LIMIT, &half->files[file].bytes, &length));
    if (length == 0 || length % record != 0)
        return wki_fail(half->context, WICK_EFORMAT,
                        "%s: is %zu bytes long; %s's files hold one or more records of %zu bytes each",
                        path, length, half->set->name, record);
    half->files[file].count = length / record;
    half->count += half->files[file].count;
    return check_labels(half, file);
}

static wick_status read_files(cifar_half *half, bool strict)
{
    half->file_count = half->split == WICK_TRAIN && !is_fine(half->set) ? BATCHES : 1;
    for (int i = 0; i < half->file_count; i++)
        WKI_TRY(read_file(half, i));
    if (!strict || half->count == (size_t)half->set->counts[half->split])
        return WICK_OK;
    return wki_fail(half->context, WICK_EFORMAT, "%s: holds %zu %s images; %s has %lld", half->folder,
                    half->count, half->split == WICK_TRAIN ? "training" : "test", half->set->name,
                    (long long)half->set->counts[half->split]);
}

/* Copies the records of one file to images from number `at` on. */
static void copy_records(const cifar_half *half, int file, size_t at, wick_dataset *dataset)
{
    const uint8_t *record = half->files[file].bytes;
    for (size_t i = 0; i < half->files[file].count; i++, at++) {
        dataset->labels[at] = record[half->label_bytes - 1];
        memcpy(dataset->memory + at * IMAGE_BYTES, record + half->label_bytes, IMAGE_BYTES);
        record += half->label_bytes + IMAGE_BYTES;
    }
}

static wick_status make_dataset(cifar_half *half, wick_dataset **out)
{
    const wki_known_set *set = half->set;
    wick_dataset *dataset;
    void *memory;
    WKI_TRY(wki_dataset_new(half->context, set->name, set->class_name, half->folder,
                            (int64_t)half->count, set->class_count, set->classes, &dataset));
    wick_status status = wki_alloc(half->context, half->count, IMAGE_BYTES, "the images", &memory);
    if (status != WICK_OK) {
        wick_dataset_free(dataset);
        return status;
    }
    dataset->memory = memory;
    dataset->pixels = memory;
    dataset->split = half->split;
    memcpy(dataset->shape, (int64_t[]){3, 32, 32}, sizeof(dataset->shape));
    size_t at = 0;
    for (int i = 0; i < half->file_count; i++) {
        copy_records(half, i, at, dataset);
        at += half->files[i].count;
        dataset->files[i] = half->files[i].path;
        half->files[i].path = NULL;
    }
    *out = dataset;
    return WICK_OK;
}

wick_status wki_cifar_open(wick_context *context, const char *folder, const wki_known_set *set,
                           bool strict, wick_split split, wick_dataset **out)
{
    cifar_half half = {.context = context,
                       .set = set,
                       .folder = folder,
                       .split = split,
                       .label_bytes = is_fine(set) ? 2 : 1};
    wick_status status = read_files(&half, strict);
    if (status == WICK_OK)
        status = make_dataset(&half, out);
    for (int i = 0; i < BATCHES; i++) {
        free(half.files[i].path);
        free(half.files[i].bytes);
    }
    return status;
}
