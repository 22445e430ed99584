#include "data/folder_decode.h"
#include "data/picture_work.h"
#include "image/image_internal.h"
#include "tensor/tensor_internal.h"

#include <stdlib.h>
#include <string.h>

enum { USUAL_SIZE = 64 };

/* What is wrong with a picture is kept with it; what is wrong with the machine ends the work. */
static wick_status keep_problem(wki_picture_file *file, wick_context *own, wick_status status)
{
    if (status == WICK_OK || status == WICK_ENOMEM || status == WICK_EIO)
        return status;
    return wki_strdup(own, wick_context_message(own), &file->problem);
}

/* ---- headers ---- */

typedef struct learning {
    wki_listing *listing;
    int32_t (*shapes)[3]; /* one a file */
} learning;

static wick_status learn_one(void *user, wick_context *own, size_t at)
{
    const learning *l = user;
    wki_picture_file *file = &l->listing->files[at];
    int64_t shape[3] = {0};
    char *path;
    if (file->problem != NULL) /* learned already, for a cache that could not be made */
        return WICK_OK;
    WKI_TRY(wki_join_path(own, l->listing->root, file->path, &path));
    wick_status status = wki_image_read_shape(own, path, shape);
    free(path);
    for (int i = 0; i < 3; i++)
        l->shapes[at][i] = (int32_t)shape[i];
    return keep_problem(file, own, status);
}

/* Settles the form by the shapes of all pictures that have one. */
static void settle(const learning *l, wki_folder_form *form)
{
    const int32_t *first = NULL;
    bool one_size = true, coloured = false;
    for (size_t i = 0; i < l->listing->count; i++) {
        const int32_t *shape = l->shapes[i];
        if (l->listing->files[i].problem != NULL)
            continue;
        first = first == NULL ? shape : first;
        one_size = one_size && shape[1] == first[1] && shape[2] == first[2];
        coloured = coloured || shape[0] == 3;
    }
    if (form->shape[0] == 0)
        form->shape[0] = coloured ? 3 : 1;
    if (form->shape[1] != 0)
        return;
    form->sizes_differ = !one_size;
    form->shape[1] = one_size && first != NULL ? first[1] : USUAL_SIZE;
    form->shape[2] = one_size && first != NULL ? first[2] : USUAL_SIZE;
}

wick_status wki_folder_learn(wki_listing *listing, const wick_dataset_options *options,
                             wki_folder_form *form)
{
    *form = (wki_folder_form){{options->channels, options->image_height, options->image_width}, false};
    if (form->shape[0] != 0 && form->shape[1] != 0)
        return WICK_OK;
    void *memory;
    WKI_TRY(wki_alloc(listing->context, listing->count, 3 * sizeof(int32_t), "the pictures' sizes",
                      &memory));
    learning l = {listing, memory};
    const wki_picture_work work = {.end = listing->count, .one = learn_one, .user = &l};
    wick_status status = wki_picture_work_run(listing->context, &work);
    if (status == WICK_OK)
        settle(&l, form);
    free(memory);
    return status;
}

/* ---- pixels ---- */

typedef struct decoding {
    wki_listing *listing;
    const int64_t *shape;
    size_t first, bytes; /* of an image */
    uint8_t *pixels;
} decoding;

static wick_status decode_file(wick_context *own, const char *path, const int64_t shape[3],
                               uint8_t *pixels)
{
    static const wick_image_fit_options as_it_is = {.invert = WICK_INVERT_OFF};
    wick_tensor *picture, *fitted;
    WKI_TRY(wick_image_read(own, path, NULL, &picture));
    wick_status status = wick_image_fit(picture, shape, &as_it_is, &fitted, NULL);
    wick_tensor_free(picture);
    WKI_TRY(status);
    memcpy(pixels, fitted->data, (size_t)fitted->numel);
    wick_tensor_free(fitted);
    return WICK_OK;
}

static wick_status decode_one(void *user, wick_context *own, size_t at)
{
    const decoding *d = user;
    wki_picture_file *file = &d->listing->files[at];
    char *path;
    if (file->problem != NULL)
        return WICK_OK;
    WKI_TRY(wki_join_path(own, d->listing->root, file->path, &path));
    wick_status status = decode_file(own, path, d->shape, d->pixels + (at - d->first) * d->bytes);
    free(path);
    return keep_problem(file, own, status);
}

wick_status wki_folder_decode(wki_listing *listing, const wick_dataset_options *options,
                              const int64_t shape[3], size_t first, size_t last, size_t begin,
                              size_t end, uint8_t *pixels)
{
    decoding d = {.listing = listing,
                  .shape = shape,
                  .first = begin,
                  .bytes = (size_t)(shape[0] * shape[1] * shape[2]),
                  .pixels = pixels};
    const wki_picture_work work = {.begin = begin,
                                   .end = end,
                                   .one = decode_one,
                                   .user = &d,
                                   .progress = options->progress,
                                   .progress_user = options->user,
                                   .done_before = (int64_t)(begin - first),
                                   .total = (int64_t)(last - first)};
    return wki_picture_work_run(listing->context, &work);
}
