/* Pictures: read, converted, resized, laid out for a model. */
#include "fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const names[] = {"rgb.jpg",
                                    "grey.jpg",
                                    "progressive.jpg",
                                    "rgb8.png",
                                    "palette4.png",
                                    "rgba16-interlaced.png",
                                    "grey4-interlaced.png"};
enum { NAMES = sizeof(names) / sizeof(names[0]), LONGEST = 1 << 16 };

/* Of each picture's pixels, as they are read with nothing failing. */
static uint64_t sums[NAMES];

static uint64_t sum_of(wick_tensor *picture)
{
    uint64_t sum = 14695981039346656037u; /* FNV-1a */
    for (int64_t i = 0; i < wick_tensor_numel(picture); i++)
        sum = (sum ^ wick_tensor_u8(picture)[i]) * 1099511628211u;
    return sum;
}

static void read_sums(wick_context *context, const char *folder)
{
    for (size_t i = 0; i < NAMES; i++) {
        char path[FAULT_PATH];
        wick_tensor *picture;
        FAULT_MUST(wick_image_read(context, fault_path(path, folder, names[i]), NULL, &picture));
        sums[i] = sum_of(picture);
        wick_tensor_free(picture);
    }
}

static void copy_pictures(wick_context *context, const char *folder)
{
    static unsigned char bytes[LONGEST];
    const char *source = getenv("WICK_TEST_SOURCE");
    FAULT_CHECK(source != NULL);
    for (size_t i = 0; i < NAMES; i++) {
        char path[FAULT_PATH];
        snprintf(path, sizeof(path), "%s/fuzz/corpus/image/%s", source, names[i]);
        FILE *file = fopen(path, "rb");
        FAULT_CHECK(file != NULL);
        size_t length = fread(bytes, 1, LONGEST, file);
        FAULT_CHECK(length > 0 && length < LONGEST);
        fclose(file);
        fault_write(folder, names[i], bytes, length);
    }
    read_sums(context, folder);
}

static wick_status use(wick_context *context, const char *path, uint64_t sum)
{
    static const int64_t shape[3] = {1, 28, 28};
    wick_tensor *picture = NULL, *grey = NULL, *small = NULL, *numbers = NULL, *fit = NULL;
    wick_status status;
    FAULT_TRY(wick_image_read(context, path, NULL, &picture));
    FAULT_CHECK(wick_tensor_ndim(picture) == 3 && sum_of(picture) == sum);
    FAULT_TRY(wick_image_convert(picture, 1, &grey));
    FAULT_TRY(wick_image_resize(grey, 7, 5, &small));
    FAULT_CHECK(wick_tensor_numel(small) == 7 * 5);
    FAULT_TRY(wick_image_to_float(small, &numbers));
    FAULT_TRY(wick_image_fit(picture, shape, &(wick_image_fit_options){.pad = true}, &fit, NULL));
    FAULT_CHECK(wick_tensor_numel(fit) == 28 * 28);
out:
    wick_tensor_free(fit);
    wick_tensor_free(numbers);
    wick_tensor_free(small);
    wick_tensor_free(grey);
    wick_tensor_free(picture);
    return status;
}

static wick_status run_pictures(wick_context *context, const char *folder)
{
    for (size_t i = 0; i < NAMES; i++) {
        char path[FAULT_PATH];
        wick_status status = use(context, fault_path(path, folder, names[i]), sums[i]);
        if (status != WICK_OK)
            return status;
    }
    return WICK_OK;
}

/* ---- a folder of them ---- */

static void copy_folder(wick_context *context, const char *folder)
{
    static const char *const classes[2] = {"grey", "rgb"};
    for (int i = 0; i < 2; i++) {
        char path[FAULT_PATH];
        FAULT_CHECK(mkdir(fault_path(path, folder, classes[i]), 0777) == 0);
        copy_pictures(context, path);
    }
}

static wick_status run_folder(wick_context *context, const char *folder)
{
    const wick_dataset_options options = {
        .image_height = 4, .image_width = 5, .test_fraction = 0.3, .no_cache = true};
    wick_dataset *dataset = NULL, *part = NULL;
    wick_status status;
    FAULT_TRY(wick_context_set_threads(context, 1));
    FAULT_TRY(wick_dataset_open_with(context, folder, NULL, WICK_TRAIN, &options, &dataset));
    FAULT_CHECK(wick_dataset_count(dataset) == 2 * (NAMES - 2));
    FAULT_CHECK(wick_dataset_image_shape(dataset)[0] == 3);
    FAULT_TRY(wick_dataset_subset(dataset, 1, (int64_t[]){0}, &part));
    FAULT_CHECK(memcmp(wick_dataset_pixels(part), wick_dataset_pixels(dataset), 3 * 4 * 5) == 0);
out:
    wick_dataset_free(part);
    wick_dataset_free(dataset);
    return status;
}

/* The same with a cache in the folder: whatever fails, the pixels are the same, once in memory and once from
 * the file. */
static wick_status run_cached(wick_context *context, const char *folder)
{
    char path[FAULT_PATH];
    wick_dataset *direct = NULL, *cached = NULL;
    wick_tensor *image = NULL;
    wick_status status;
    wick_dataset_options options = {.image_height = 4, .image_width = 5, .test_fraction = 0.3};
    FAULT_CHECK(setenv("XDG_CACHE_HOME", fault_path(path, folder, ".cache"), 1) == 0);
    FAULT_TRY(wick_context_set_threads(context, 1));
    FAULT_TRY(wick_dataset_open_with(context, folder, NULL, WICK_TRAIN, &options, &cached));
    options.no_cache = true;
    FAULT_TRY(wick_dataset_open_with(context, folder, NULL, WICK_TRAIN, &options, &direct));
    FAULT_CHECK(memcmp(wick_dataset_pixels(cached), wick_dataset_pixels(direct),
                       (size_t)wick_dataset_count(direct) * 3 * 4 * 5) == 0);
    wick_dataset_free(cached);
    cached = NULL;
    options.no_cache = false;
    options.memory_limit = 1;
    FAULT_TRY(wick_dataset_open_with(context, folder, NULL, WICK_TRAIN, &options, &cached));
    FAULT_TRY(wick_dataset_get_pixels(cached, 1, &image));
    FAULT_CHECK(memcmp(wick_tensor_u8(image), wick_dataset_pixels(direct) + 3 * 4 * 5, 3 * 4 * 5) == 0);
out:
    wick_tensor_free(image);
    wick_dataset_free(cached);
    wick_dataset_free(direct);
    return status;
}

/* A folder with pictures of several sizes, one that is cut short and a file that is none: said, and left out. */
static void copy_broken(wick_context *context, const char *folder)
{
    copy_folder(context, folder);
    fault_write(folder, "grey/note.txt", "none", 4);
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof(name), "rgb/broken%d.png", i);
        fault_write(folder, name, "\x89PNG\r\n\x1a\n", 8);
    }
}

static wick_status run_broken(wick_context *context, const char *folder)
{
    char path[FAULT_PATH];
    wick_dataset_options options = {.no_cache = true, .skip_broken = true};
    wick_dataset *dataset = NULL;
    wick_status status;
    FAULT_TRY(wick_context_set_threads(context, 1));
    FAULT_TRY(wick_dataset_open_with(context, folder, NULL, WICK_TRAIN, &options, &dataset));
    FAULT_CHECK(wick_dataset_note(dataset, 3) != NULL);
    wick_dataset_free(dataset);
    dataset = NULL;
    /* With a cache, the broken ones are known from there. */
    options.no_cache = false;
    FAULT_CHECK(setenv("XDG_CACHE_HOME", fault_path(path, folder, ".cache"), 1) == 0);
    for (int i = 0; i < 2; i++) {
        FAULT_TRY(wick_dataset_open_with(context, folder, NULL, WICK_TRAIN, &options, &dataset));
        wick_dataset_free(dataset);
        dataset = NULL;
    }
    options = (wick_dataset_options){.no_cache = true};
    status = wick_dataset_open_with(context, folder, NULL, WICK_TRAIN, &options, &dataset);
    FAULT_CHECK(status != WICK_OK);
    if (status == WICK_EFORMAT) {
        FAULT_CHECK(strstr(wick_context_message(context), "cannot be read; mend them") != NULL);
        status = WICK_OK;
    }
out:
    wick_dataset_free(dataset);
    return status;
}

/* libjpeg asks for less where it does not get what it would like. */
const fault_scenario fault_scenarios[] = {
    {.name = "pictures", .prepare = copy_pictures, .run = run_pictures, .may_survive = true},
    {.name = "folder", .prepare = copy_folder, .run = run_folder, .may_survive = true},
    /* A disk that fails the cache is done without, which disk_fail.c has no word for. */
    {.name = "cache",
     .prepare = copy_folder,
     .run = run_cached,
     .may_survive = true,
     .memory_only = true},
    {.name = "broken",
     .prepare = copy_broken,
     .run = run_broken,
     .may_survive = true,
     .memory_only = true},
    {0},
};
