#include "data/dataset.h"
#include "data/registry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

wick_context *wki_dataset_context(const wick_dataset *dataset)
{
    return dataset->context;
}

void wick_dataset_free(wick_dataset *dataset)
{
    if (dataset == NULL)
        return;
    for (int64_t i = 0; dataset->classes != NULL && i < dataset->class_count; i++)
        free(dataset->classes[i]);
    for (size_t i = 0; i < dataset->note_count; i++)
        free(dataset->notes[i]);
    free(dataset->notes);
    free(dataset->classes);
    free(dataset->name);
    free(dataset->root);
    free(dataset->memory);
    free(dataset->labels);
    free(dataset->paths);
    for (int i = 0; i < WKI_DATASET_FILES; i++)
        free(dataset->files[i]);
    wki_pixel_files_release(&dataset->stored);
    free(dataset);
}

static wick_status name_classes(wick_dataset *dataset, int64_t class_count, const char *const *classes)
{
    void *memory;
    WKI_TRY(wki_alloc(dataset->context, (size_t)class_count, sizeof(char *), "the names of classes",
                      &memory));
    dataset->classes = memory;
    dataset->class_count = class_count;
    for (int64_t i = 0; i < class_count; i++) {
        char number[24];
        snprintf(number, sizeof(number), "%lld", (long long)i);
        WKI_TRY(
            wki_strdup(dataset->context, classes == NULL ? number : classes[i], &dataset->classes[i]));
    }
    return WICK_OK;
}

wick_status wki_dataset_new(wick_context *context, const char *name, const char *class_name,
                            const char *root, int64_t count, int64_t class_count,
                            const char *const *classes, wick_dataset **out)
{
    void *memory;
    WKI_TRY(wki_alloc(context, 1, sizeof(wick_dataset), "a data set", &memory));
    wick_dataset *dataset = memory;
    wick_status status;
    dataset->context = context;
    dataset->class_name = class_name;
    dataset->count = count;
    WKI_GOTO_OUT(wki_strdup(context, name, &dataset->name));
    WKI_GOTO_OUT(wki_strdup(context, root, &dataset->root));
    WKI_GOTO_OUT(name_classes(dataset, class_count, classes));
    WKI_GOTO_OUT(wki_alloc(context, (size_t)count, sizeof(int64_t), "the labels", &memory));
    dataset->labels = memory;
    *out = dataset;
    return WICK_OK;
out:
    wick_dataset_free(dataset);
    return status;
}

wick_status wki_dataset_note(wick_dataset *dataset, const char *format, ...)
{
    char line[WKI_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    WKI_TRY(wki_grow(dataset->context, (void **)&dataset->notes, &dataset->note_capacity,
                     dataset->note_count + 1, sizeof(char *), "a note"));
    WKI_TRY(wki_strdup(dataset->context, line, &dataset->notes[dataset->note_count]));
    dataset->note_count++;
    return WICK_OK;
}

const char *wick_dataset_note(const wick_dataset *dataset, int index)
{
    return index >= 0 && (size_t)index < dataset->note_count ? dataset->notes[index] : NULL;
}

wick_status wki_dataset_set_paths(wick_dataset *dataset, const char *const *paths)
{
    size_t count = (size_t)dataset->count, bytes = 0;
    void *memory;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(paths[i]) + 1;
    WKI_TRY(
        wki_alloc(dataset->context, count * sizeof(char *) + bytes, 1, "the pictures' paths", &memory));
    const char **copies = memory;
    char *at = (char *)(copies + count);
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(paths[i]) + 1;
        memcpy(at, paths[i], size);
        copies[i] = at;
        at += size;
    }
    free(dataset->paths);
    dataset->paths = copies;
    return WICK_OK;
}

/* Gives a data set the pixels of its count images, copied. */
static wick_status copy_pixels(wick_dataset *dataset, const int64_t shape[3], const uint8_t *pixels)
{
    size_t bytes = (size_t)(dataset->count * shape[0] * shape[1] * shape[2]);
    void *memory;
    WKI_TRY(wki_alloc(dataset->context, bytes, 1, "the images", &memory));
    memcpy(memory, pixels, bytes);
    memcpy(dataset->shape, shape, sizeof(dataset->shape));
    dataset->memory = memory;
    dataset->pixels = memory;
    return WICK_OK;
}

/* ---- from memory ---- */

static wick_status check_sizes(wick_context *context, int64_t count, const int64_t shape[3],
                               int64_t class_count)
{
    int64_t product;
    if (count < 1 || shape[0] < 1 || shape[1] < 1 || shape[2] < 1 || class_count < 1)
        return wki_fail(
            context, WICK_EINVAL,
            "a data set of %lld images of [%lld, %lld, %lld] and %lld classes; each must be 1 or more",
            (long long)count, (long long)shape[0], (long long)shape[1], (long long)shape[2],
            (long long)class_count);
    if (!wki_mul_i64(count, shape[0], &product) || !wki_mul_i64(product, shape[1], &product) ||
        !wki_mul_i64(product, shape[2], &product))
        return wki_fail(
            context, WICK_EINVAL,
            "a data set of %lld images of [%lld, %lld, %lld] has more pixels than can be addressed",
            (long long)count, (long long)shape[0], (long long)shape[1], (long long)shape[2]);
    return WICK_OK;
}

static wick_status check_contents(wick_context *context, int64_t count, const uint8_t *pixels,
                                  const int64_t *labels, int64_t class_count, const char *const *classes)
{
    if (pixels == NULL || labels == NULL || classes == NULL)
        return wki_fail(context, WICK_EINVAL, "%s of a data set are NULL",
                        pixels == NULL   ? "the pixels"
                        : labels == NULL ? "the labels"
                                         : "the names of the classes");
    for (int64_t i = 0; i < class_count; i++)
        if (classes[i] == NULL)
            return wki_fail(context, WICK_EINVAL, "the name of class %lld is NULL", (long long)i);
    for (int64_t i = 0; i < count; i++)
        if (labels[i] < 0 || labels[i] >= class_count)
            return wki_fail(context, WICK_EINVAL,
                            "label %lld at index %lld is out of range; it must be 0 to %lld",
                            (long long)labels[i], (long long)i, (long long)class_count - 1);
    return WICK_OK;
}

wick_status wick_dataset_from(wick_context *context, int64_t count, int64_t channels, int64_t height,
                              int64_t width, const uint8_t *pixels, const int64_t *labels,
                              int64_t class_count, const char *const *classes, wick_dataset **out)
{
    const int64_t shape[3] = {channels, height, width};
    wick_dataset *dataset;
    if (out == NULL)
        return wki_fail(context, WICK_EINVAL, "the place for the data set is NULL");
    WKI_TRY(check_sizes(context, count, shape, class_count));
    WKI_TRY(check_contents(context, count, pixels, labels, class_count, classes));
    WKI_TRY(
        wki_dataset_new(context, "memory", "TensorDataset", "", count, class_count, classes, &dataset));
    wick_status status = copy_pixels(dataset, shape, pixels);
    if (status != WICK_OK) {
        wick_dataset_free(dataset);
        return status;
    }
    memcpy(dataset->labels, labels, (size_t)count * sizeof(*labels));
    *out = dataset;
    return WICK_OK;
}

/* ---- an image ---- */

bool wki_dataset_streams(const wick_dataset *dataset)
{
    return dataset->stored.places != NULL;
}

size_t wki_dataset_image_bytes(const wick_dataset *dataset)
{
    return (size_t)(dataset->shape[0] * dataset->shape[1] * dataset->shape[2]);
}

bool wki_dataset_fetch(const wick_dataset *dataset, int64_t index, uint8_t *pixels)
{
    size_t bytes = wki_dataset_image_bytes(dataset);
    if (wki_dataset_streams(dataset))
        return wki_pixel_files_read(&dataset->stored, index, dataset->shape, pixels);
    memcpy(pixels, dataset->pixels + (size_t)index * bytes, bytes);
    return true;
}

wick_status wki_dataset_fetch_failed(const wick_dataset *dataset, wick_context *context, int64_t index)
{
    return wki_pixel_files_failed(context, &dataset->stored, index, wki_dataset_image_bytes(dataset),
                                  dataset->name);
}

/* ---- parts of another ---- */

/* A data set without pixels for `count` of another's examples. */
static wick_status new_like(const wick_dataset *dataset, int64_t count, wick_dataset **out)
{
    wick_dataset *made;
    wick_status status = WICK_OK;
    WKI_TRY(wki_dataset_new(dataset->context, dataset->name, dataset->class_name, dataset->root, count,
                            dataset->class_count, (const char *const *)dataset->classes, &made));
    made->split = dataset->split;
    memcpy(made->shape, dataset->shape, sizeof(made->shape));
    for (int i = 0; i < WKI_DATASET_FILES; i++)
        if (dataset->files[i] != NULL)
            WKI_GOTO_OUT(wki_strdup(dataset->context, dataset->files[i], &made->files[i]));
    for (size_t i = 0; i < dataset->note_count; i++)
        WKI_GOTO_OUT(wki_dataset_note(made, "%s", dataset->notes[i]));
    *out = made;
    return WICK_OK;
out:
    wick_dataset_free(made);
    return status;
}

static wick_status take_pixels(const wick_dataset *dataset, const int64_t *indices, wick_dataset *made)
{
    size_t bytes = wki_dataset_image_bytes(dataset);
    void *memory;
    if (wki_dataset_streams(dataset))
        return wki_pixel_files_take(dataset->context, &dataset->stored, made->count, indices,
                                    &made->stored);
    WKI_TRY(wki_alloc(dataset->context, (size_t)made->count, bytes, "the images", &memory));
    made->memory = memory;
    made->pixels = memory;
    for (int64_t i = 0; i < made->count; i++) {
        int64_t from = indices == NULL ? i : indices[i];
        memcpy(made->memory + (size_t)i * bytes, dataset->pixels + (size_t)from * bytes, bytes);
    }
    return WICK_OK;
}

static wick_status take_paths(const wick_dataset *dataset, const int64_t *indices, wick_dataset *made)
{
    void *memory;
    if (dataset->paths == NULL)
        return WICK_OK;
    WKI_TRY(wki_alloc(dataset->context, (size_t)made->count, sizeof(char *), "the pictures' paths",
                      &memory));
    const char **paths = memory;
    for (int64_t i = 0; i < made->count; i++)
        paths[i] = dataset->paths[indices == NULL ? i : indices[i]];
    wick_status status = wki_dataset_set_paths(made, paths);
    free(paths);
    return status;
}

/* indices NULL: the first count. */
static wick_status take_examples(const wick_dataset *dataset, int64_t count, const int64_t *indices,
                                 wick_dataset **out)
{
    wick_dataset *made;
    WKI_TRY(new_like(dataset, count, &made));
    wick_status status = take_pixels(dataset, indices, made);
    if (status == WICK_OK)
        status = take_paths(dataset, indices, made);
    if (status != WICK_OK) {
        wick_dataset_free(made);
        return status;
    }
    for (int64_t i = 0; i < count; i++)
        made->labels[i] = dataset->labels[indices == NULL ? i : indices[i]];
    *out = made;
    return WICK_OK;
}

wick_status wick_dataset_head(const wick_dataset *dataset, int64_t count, wick_dataset **out)
{
    if (out == NULL)
        return wki_fail(dataset->context, WICK_EINVAL, "the place for the data set is NULL");
    if (count < 1 || count > dataset->count)
        return wki_fail(dataset->context, WICK_EINVAL,
                        "the first %lld examples of %lld; it must be 1 to %lld", (long long)count,
                        (long long)dataset->count, (long long)dataset->count);
    return take_examples(dataset, count, NULL, out);
}

wick_status wick_dataset_subset(const wick_dataset *dataset, int64_t count, const int64_t *indices,
                                wick_dataset **out)
{
    if (out == NULL || indices == NULL || count < 1)
        return wki_fail(dataset->context, WICK_EINVAL,
                        "a subset needs one index or more, and a place for it");
    for (int64_t i = 0; i < count; i++)
        if (indices[i] < 0 || indices[i] >= dataset->count)
            return wki_fail(dataset->context, WICK_EINVAL,
                            "index %lld of a subset is out of range; it must be 0 to %lld",
                            (long long)indices[i], (long long)dataset->count - 1);
    return take_examples(dataset, count, indices, out);
}

/* ---- what it holds ---- */

const char *wick_dataset_name(const wick_dataset *dataset)
{
    return dataset->name;
}

const char *wick_dataset_class_name(const wick_dataset *dataset)
{
    return dataset->class_name;
}

wick_split wick_dataset_split(const wick_dataset *dataset)
{
    return dataset->split;
}

const char *wick_dataset_root(const wick_dataset *dataset)
{
    return dataset->root;
}

int64_t wick_dataset_count(const wick_dataset *dataset)
{
    return dataset->count;
}

const int64_t *wick_dataset_image_shape(const wick_dataset *dataset)
{
    return dataset->shape;
}

int64_t wick_dataset_class_count(const wick_dataset *dataset)
{
    return dataset->class_count;
}

const char *wick_dataset_class(const wick_dataset *dataset, int64_t index)
{
    return index >= 0 && index < dataset->class_count ? dataset->classes[index] : NULL;
}

const uint8_t *wick_dataset_pixels(const wick_dataset *dataset)
{
    return dataset->pixels;
}

const char *wick_dataset_path(const wick_dataset *dataset, int64_t index)
{
    return dataset->paths != NULL && index >= 0 && index < dataset->count ? dataset->paths[index] : NULL;
}

const int64_t *wick_dataset_labels(const wick_dataset *dataset)
{
    return dataset->labels;
}

void wki_pixels_to_float(const uint8_t *pixels, int64_t count, float *out)
{
    /* A division, as ToTensor's div(255): the product with 1/255 is off by a bit for many pixels. */
    for (int64_t i = 0; i < count; i++)
        out[i] = (float)pixels[i] / 255.0f;
}

static wick_status check_index(const wick_dataset *dataset, int64_t index)
{
    if (index >= 0 && index < dataset->count)
        return WICK_OK;
    return wki_fail(dataset->context, WICK_EINVAL, "index %lld is out of range; it must be 0 to %lld",
                    (long long)index, (long long)dataset->count - 1);
}

wick_status wick_dataset_get(const wick_dataset *dataset, int64_t index, wick_tensor **image,
                             int64_t *label)
{
    WKI_TRY(check_index(dataset, index));
    if (image != NULL) {
        wick_tensor *pixels, *tensor;
        WKI_TRY(wick_dataset_get_pixels(dataset, index, &pixels));
        wick_status status = wick_tensor_new(dataset->context, WICK_FLOAT32, 3, dataset->shape, &tensor);
        if (status == WICK_OK) {
            wki_pixels_to_float(wick_tensor_u8(pixels), wick_tensor_numel(pixels),
                                wick_tensor_f32(tensor));
            *image = tensor;
        }
        wick_tensor_free(pixels);
        WKI_TRY(status);
    }
    if (label != NULL)
        *label = dataset->labels[index];
    return WICK_OK;
}

wick_status wick_dataset_get_pixels(const wick_dataset *dataset, int64_t index, wick_tensor **image)
{
    if (image == NULL)
        return wki_fail(dataset->context, WICK_EINVAL, "the place for the image is NULL");
    WKI_TRY(check_index(dataset, index));
    wick_tensor *made;
    WKI_TRY(wick_tensor_new(dataset->context, WICK_UINT8, 3, dataset->shape, &made));
    if (!wki_dataset_fetch(dataset, index, wick_tensor_u8(made))) {
        wick_tensor_free(made);
        return wki_dataset_fetch_failed(dataset, dataset->context, index);
    }
    *image = made;
    return WICK_OK;
}

/* Mean and standard deviation of one channel, by how often each value comes. */
static void measure(const int64_t counts[256], float *mean, float *std)
{
    double sum = 0, squares = 0, count = 0;
    for (int v = 0; v < 256; v++) {
        count += (double)counts[v];
        sum += (double)counts[v] * v / 255.0;
    }
    for (int v = 0; v < 256; v++)
        squares += (double)counts[v] * (v / 255.0 - sum / count) * (v / 255.0 - sum / count);
    *mean = (float)(sum / count);
    *std = (float)sqrt(squares / count);
}

static void count_pixels(const uint8_t *pixels, int64_t channels, int64_t plane, int64_t *counts)
{
    for (int64_t c = 0; c < channels; c++)
        for (int64_t p = 0; p < plane; p++)
            counts[c * 256 + pixels[c * plane + p]]++;
}

wick_status wick_dataset_measure(const wick_dataset *dataset, float *mean, float *std)
{
    const int64_t *shape = dataset->shape, plane = shape[1] * shape[2];
    if (mean == NULL || std == NULL)
        return wki_fail(dataset->context, WICK_EINVAL, "the place for the mean or the std is NULL");
    void *counts, *room = NULL;
    WKI_TRY(wki_alloc(dataset->context, (size_t)shape[0] * 256, sizeof(int64_t), "counts of pixels",
                      &counts));
    wick_status status =
        wki_alloc(dataset->context, wki_dataset_image_bytes(dataset), 1, "an image", &room);
    for (int64_t i = 0; status == WICK_OK && i < dataset->count; i++) {
        if (!wki_dataset_fetch(dataset, i, room))
            status = wki_dataset_fetch_failed(dataset, dataset->context, i);
        else
            count_pixels(room, shape[0], plane, counts);
    }
    for (int64_t c = 0; status == WICK_OK && c < shape[0]; c++)
        measure((int64_t *)counts + c * 256, &mean[c], &std[c]);
    free(room);
    free(counts);
    return status;
}

wick_status wick_dataset_file(const wick_dataset *dataset, int index, const char **path, char sha256[65])
{
    if (index < 0 || index >= WKI_DATASET_FILES || dataset->files[index] == NULL)
        return wki_fail(dataset->context, WICK_ENOENT, "the data set was not read from a file %d",
                        index);
    WKI_TRY(wki_file_sha256(dataset->context, dataset->files[index], sha256));
    *path = dataset->files[index];
    return WICK_OK;
}

const char *wick_dataset_published(const char *path, const char sha256[65])
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    size_t length = strlen(name);
    char bare[64];
    if (length >= sizeof(bare))
        return NULL;
    memcpy(bare, name, length + 1);
    if (length > 3 && strcmp(bare + length - 3, ".gz") == 0)
        bare[length - 3] = '\0';
    const wki_known_set *set = wki_known_by_sum(bare, sha256);
    return set == NULL ? NULL : set->class_name;
}
