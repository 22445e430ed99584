/* CIFAR-10's and CIFAR-100's binary files (https://www.cs.toronto.edu/~kriz/cifar.html): records of a label,
 * of CIFAR-100 a coarse and a fine one, and the red, green and blue pixels of a 32x32 image. */
#include "data/dataset.h"
#include "data/registry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT (UINT64_C(1) << 31)

enum { IMAGE_BYTES = 3 * 32 * 32, BATCHES = 5, CHUNK = 340 }; /* CHUNK: records, about a megabyte */
static_assert((int)BATCHES <= (int)WKI_PIXEL_FILES && (int)BATCHES <= (int)WKI_DATASET_FILES,
              "a half has more files than a data set");

typedef struct cifar_half {
    wick_context *context;
    const wki_known_set *set;
    const char *folder;
    wick_split split;
    size_t label_bytes, record; /* bytes of a record's labels, and of all of it */
    struct {
        char *path;
        wki_reader reader;
    } files[BATCHES];
    int file_count, opened;
    int64_t count; /* records in all */
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

/* ---- the files ---- */

static wick_status open_file(cifar_half *half, int file)
{
    WKI_TRY(wki_join_path(half->context, half->folder, wki_cifar_file_name(half->set, half->split, file),
                          &half->files[file].path));
    const char *path = half->files[file].path;
    wki_reader *reader = &half->files[file].reader;
    WKI_TRY(wki_reader_open(reader, half->context, path));
    half->opened++;
    if (reader->length > FILE_LIMIT)
        return wki_fail(half->context, WICK_ELIMIT, "%s: is %llu bytes long; at most %llu are read",
                        path, (unsigned long long)reader->length, (unsigned long long)FILE_LIMIT);
    if (reader->length == 0 || reader->length % half->record != 0)
        return wki_fail(half->context, WICK_EFORMAT,
                        "%s: is %llu bytes long; %s's files hold one or more records of %zu bytes each",
                        path, (unsigned long long)reader->length, half->set->name, half->record);
    half->count += (int64_t)(reader->length / half->record);
    return WICK_OK;
}

static wick_status open_files(cifar_half *half, bool strict)
{
    for (int i = 0; i < half->file_count; i++)
        WKI_TRY(open_file(half, i));
    if (!strict || half->count == half->set->counts[half->split])
        return WICK_OK;
    return wki_fail(half->context, WICK_EFORMAT, "%s: holds %lld %s images; %s has %lld", half->folder,
                    (long long)half->count, half->split == WICK_TRAIN ? "training" : "test",
                    half->set->name, (long long)half->set->counts[half->split]);
}

/* ---- the records ---- */

/* Takes a record, number `at` of its file, as example `example`. */
static wick_status take_record(const cifar_half *half, int file, const uint8_t *record, uint64_t at,
                               int64_t example, wick_dataset *dataset)
{
    const uint8_t label = record[half->label_bytes - 1];
    const uint64_t begin = at * half->record;
    if (label >= half->set->class_count)
        return wki_fail(
            half->context, WICK_EFORMAT,
            "%s: label %d of record %llu, at byte %llu, is out of range; it must be 0 to %lld",
            half->files[file].path, label, (unsigned long long)at,
            (unsigned long long)(begin + half->label_bytes - 1), (long long)half->set->class_count - 1);
    dataset->labels[example] = label;
    if (wki_dataset_streams(dataset))
        dataset->stored.places[example] =
            (wki_pixel_place){.at = begin + half->label_bytes, .file = (uint32_t)file};
    else
        memcpy(dataset->memory + (size_t)example * IMAGE_BYTES, record + half->label_bytes, IMAGE_BYTES);
    return WICK_OK;
}

/* Takes all records of a file, as examples from *example on; no more of it than the chunk is in memory
 * twice. */
static wick_status take_file(cifar_half *half, int file, uint8_t *chunk, int64_t *example,
                             wick_dataset *dataset)
{
    wki_reader *reader = &half->files[file].reader;
    const uint64_t count = reader->length / half->record;
    for (uint64_t done = 0; done < count;) {
        const uint64_t part = WKI_MIN(count - done, (uint64_t)CHUNK);
        WKI_TRY(wki_reader_read(reader, chunk, part * half->record));
        for (uint64_t i = 0; i < part; i++)
            WKI_TRY(take_record(half, file, chunk + i * half->record, done + i, (*example)++, dataset));
        done += part;
    }
    return WICK_OK;
}

static wick_status take_files(cifar_half *half, wick_dataset *dataset)
{
    void *chunk;
    int64_t example = 0;
    wick_status status = WICK_OK;
    WKI_TRY(wki_alloc(half->context, CHUNK, half->record, "some records", &chunk));
    for (int i = 0; status == WICK_OK && i < half->file_count; i++)
        status = take_file(half, i, chunk, &example, dataset);
    free(chunk);
    return status;
}

/* ---- the data set ---- */

/* Memory for the pixels, or the files that they stay in. */
static wick_status make_room(cifar_half *half, const wick_dataset_options *options,
                             wick_dataset *dataset)
{
    void *memory;
    if (!wki_exceeds_memory(options, half->count, IMAGE_BYTES)) {
        WKI_TRY(wki_alloc(half->context, (size_t)half->count, IMAGE_BYTES, "the images", &memory));
        dataset->memory = memory;
        dataset->pixels = memory;
        return WICK_OK;
    }
    return wki_pixel_files_init(half->context, &dataset->stored, half->count);
}

/* Hands the files over to the data set. */
static wick_status give_files(cifar_half *half, wick_dataset *dataset)
{
    for (int i = 0; i < half->file_count; i++) {
        if (wki_dataset_streams(dataset)) {
            WKI_TRY(wki_pixel_files_add(half->context, &dataset->stored, half->files[i].path,
                                        half->files[i].reader.fd));
            half->files[i].reader.fd = -1;
        }
        dataset->files[i] = half->files[i].path;
        half->files[i].path = NULL;
    }
    return WICK_OK;
}

static wick_status make_dataset(cifar_half *half, const wick_dataset_options *options,
                                wick_dataset **out)
{
    const wki_known_set *set = half->set;
    wick_dataset *dataset;
    WKI_TRY(wki_dataset_new(half->context, set->name, set->class_name, half->folder, half->count,
                            set->class_count, set->classes, &dataset));
    dataset->split = half->split;
    memcpy(dataset->shape, (int64_t[]){3, 32, 32}, sizeof(dataset->shape));
    wick_status status = make_room(half, options, dataset);
    if (status == WICK_OK)
        status = take_files(half, dataset);
    if (status == WICK_OK)
        status = give_files(half, dataset);
    if (status == WICK_OK)
        *out = dataset;
    else
        wick_dataset_free(dataset);
    return status;
}

wick_status wki_cifar_open(wick_context *context, const char *folder, const wki_known_set *set,
                           bool strict, wick_split split, const wick_dataset_options *options,
                           wick_dataset **out)
{
    cifar_half half = {.context = context,
                       .set = set,
                       .folder = folder,
                       .split = split,
                       .label_bytes = is_fine(set) ? 2 : 1,
                       .file_count = split == WICK_TRAIN && !is_fine(set) ? BATCHES : 1};
    half.record = half.label_bytes + IMAGE_BYTES;
    wick_status status = open_files(&half, strict);
    if (status == WICK_OK)
        status = make_dataset(&half, options, out);
    for (int i = 0; i < half.opened; i++)
        wki_reader_close(&half.files[i].reader);
    for (int i = 0; i < BATCHES; i++)
        free(half.files[i].path);
    return status;
}
