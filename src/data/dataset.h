/* A data set from the inside, for the files of this folder. */
#ifndef WKI_DATASET_H
#define WKI_DATASET_H

#include "base/base.h"
#include "data/data_internal.h"
#include "data/pixel_files.h"
#include "data/registry.h"

enum { WKI_DATASET_FILES = 5 };

struct wick_dataset {
    wick_context *context;
    char *name, *root;
    const char *class_name; /* static */
    wick_split split;
    int64_t count, shape[3], class_count;
    char **classes;        /* class_count names */
    uint8_t *memory;       /* where the pixels are */
    const uint8_t *pixels; /* within memory; NULL if they are not there but in files */
    wki_pixel_files stored;
    int64_t *labels;
    const char **
        paths; /* of a folder of pictures: each example's file, from the root on, in one allocation; or NULL */
    char *files[WKI_DATASET_FILES]; /* of images and of labels, or CIFAR's; NULL after the last */
    char **notes;
    size_t note_count, note_capacity;
};

/* A data set with its names, its root and room for count labels, but no pixels. classes NULL names the
 * classes by their numbers. */
wick_status wki_dataset_new(wick_context *context, const char *name, const char *class_name,
                            const char *root, int64_t count, int64_t class_count,
                            const char *const *classes, wick_dataset **out);
/* What a folder's own name is: "data" for "some/data/" and for "." in it. Freed with free(). */
wick_status wki_base_name(wick_context *context, const char *folder, char **out);
/* Whether its pixels are read from files when they are asked for. */
bool wki_dataset_streams(const wick_dataset *dataset);
/* How many bytes an image has. */
size_t wki_dataset_image_bytes(const wick_dataset *dataset);
/* An image's pixels; false, and zeros, if they cannot be read from their file or are not what was written. */
bool wki_dataset_fetch(const wick_dataset *dataset, int64_t index, uint8_t *pixels);
/* WICK_EIO: what is to be said in that context of an image that could not be fetched; a cache is removed. */
wick_status wki_dataset_fetch_failed(const wick_dataset *dataset, wick_context *context, int64_t index);
/* Gives a data set copies of its examples' paths; a failure leaves it without. */
wick_status wki_dataset_set_paths(wick_dataset *dataset, const char *const *paths);
/* Adds a line of what there is to know of it. */
wick_status wki_dataset_note(wick_dataset *dataset, const char *format, ...) WICK_PRINTF(2, 3);
/* A half of a folder of pictures; options are checked. */
wick_status wki_folder_open(wick_context *context, const char *folder, wick_split split,
                            const wick_dataset_options *options, wick_dataset **out);
/* A half of CIFAR-10 or CIFAR-100 from a folder that holds its binary files. strict: it must be as many
 * images as were published. */
wick_status wki_cifar_open(wick_context *context, const char *folder, const wki_known_set *set,
                           bool strict, wick_split split, const wick_dataset_options *options,
                           wick_dataset **out);
/* A file that such a folder has for that half. */
const char *wki_cifar_file_name(const wki_known_set *set, wick_split split, int index);
/* Makes the images what options ask for, in memory. Errors: WICK_ELIMIT if they are more than may be held
 * there. */
wick_status wki_dataset_fit(wick_dataset *dataset, const wick_dataset_options *options);
/* ToTensor: count pixels as float32 in [0, 1]. */
void wki_pixels_to_float(const uint8_t *pixels, int64_t count, float *out);

#endif
