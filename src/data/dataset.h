/* A data set from the inside, for the files of this folder. */
#ifndef WKI_DATASET_H
#define WKI_DATASET_H

#include "base/base.h"
#include "data/data_internal.h"

struct wick_dataset {
    wick_context *context;
    char *name, *root;
    const char *class_name; /* static */
    wick_split split;
    int64_t count, shape[3], class_count;
    char **classes;        /* class_count names */
    uint8_t *memory;       /* where the pixels are */
    const uint8_t *pixels; /* within memory */
    int64_t *labels;
    char *files[2]; /* of images and of labels; NULL if it was not read from files */
};

/* A data set with its names, its root and room for count labels, but no pixels. classes NULL names the
 * classes by their numbers. */
wick_status wki_dataset_new(wick_context *context, const char *name, const char *class_name,
                            const char *root, int64_t count, int64_t class_count,
                            const char *const *classes, wick_dataset **out);
/* ToTensor: count pixels as float32 in [0, 1]. */
void wki_pixels_to_float(const uint8_t *pixels, int64_t count, float *out);

#endif
