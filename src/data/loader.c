#include "data/dataset.h"
#include "data/transform.h"
#include "tensor/tensor_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct wick_loader {
    wick_context *context;
    const wick_dataset *dataset;
    int64_t batch_size, length;
    bool shuffle, drop_last;
    wick_generator *generator; /* the caller's, or NULL */
    wick_generator *sampler;   /* RandomSampler's own, where the caller gave none */
    int64_t *sequence;         /* 0, 1, 2, ...: the order of an unshuffled loader */
    wick_tensor *permutation;  /* the order of a shuffled one's epoch, once it was drawn */
    uint8_t drawn_from[WICK_GENERATOR_STATE_SIZE]; /* the generator's state before that */
    int64_t next;                                  /* how many examples of this epoch were given out */
    bool begun, dry;                               /* dry: the sampler was asked for more than it has */
    wick_transform transform;
    uint64_t base_seed; /* of the epoch; what transforms draw depends on it */
    float *mean, *std;  /* a number a channel each, in one allocation; or NULL */
    uint8_t *erased;    /* what erased pixels become, a number a channel */
};

wick_context *wki_loader_context(const wick_loader *loader)
{
    return loader->context;
}

void wick_loader_free(wick_loader *loader)
{
    if (loader == NULL)
        return;
    wick_generator_free(loader->sampler);
    wick_tensor_free(loader->permutation);
    free(loader->sequence);
    free(loader->mean);
    free(loader->erased);
    free(loader);
}

static wick_status make_order(wick_loader *loader)
{
    int64_t count = loader->dataset->count;
    void *memory;
    if (loader->shuffle && loader->generator == NULL)
        return wick_generator_new(loader->context, &loader->sampler);
    if (loader->shuffle)
        return WICK_OK;
    WKI_TRY(
        wki_alloc(loader->context, (size_t)count, sizeof(int64_t), "the order of a loader", &memory));
    loader->sequence = memory;
    for (int64_t i = 0; i < count; i++)
        loader->sequence[i] = i;
    return WICK_OK;
}

static wick_status take_normalization(wick_loader *loader, const wick_loader_options *options)
{
    int64_t channels = loader->dataset->shape[0];
    void *memory;
    WKI_TRY(wki_alloc(loader->context, (size_t)channels, 1, "a loader", &memory));
    loader->erased = memory;
    if ((options->mean == NULL) != (options->std == NULL))
        return wki_fail(loader->context, WICK_EINVAL, "mean and std belong together; one is NULL");
    if (options->mean == NULL)
        return WICK_OK;
    WKI_TRY(wki_alloc(loader->context, 2 * (size_t)channels, sizeof(float), "a loader", &memory));
    loader->mean = memory;
    loader->std = loader->mean + channels;
    for (int64_t c = 0; c < channels; c++) {
        float mean = options->mean[c], std = options->std[c];
        if (!isfinite(mean) || !isfinite(std) || !(std > 0))
            return wki_fail(
                loader->context, WICK_EINVAL,
                "channel %lld is normalised with mean %g and std %g; they must be finite, and "
                "the std above 0",
                (long long)c, (double)mean, (double)std);
        loader->mean[c] = mean;
        loader->std[c] = std;
        loader->erased[c] = (uint8_t)WKI_MIN(255, WKI_MAX(0, nearbyintf(mean * 255)));
    }
    return WICK_OK;
}

wick_status wick_loader_new(const wick_dataset *dataset, const wick_loader_options *options,
                            wick_loader **out)
{
    static const wick_loader_options defaults;
    wick_context *context = dataset->context;
    void *memory;
    if (options == NULL)
        options = &defaults;
    if (out == NULL)
        return wki_fail(context, WICK_EINVAL, "the place for the loader is NULL");
    if (options->batch_size < 0)
        return wki_fail(context, WICK_EINVAL, "batch_size is %lld; it must be 1 or more",
                        (long long)options->batch_size);
    WKI_TRY(wki_alloc(context, 1, sizeof(wick_loader), "a loader", &memory));
    wick_loader *loader = memory;
    loader->context = context;
    loader->dataset = dataset;
    loader->batch_size = options->batch_size == 0 ? 1 : options->batch_size;
    loader->shuffle = options->shuffle;
    loader->drop_last = options->drop_last;
    loader->generator = options->generator;
    loader->length = dataset->count / loader->batch_size;
    if (!loader->drop_last && dataset->count % loader->batch_size != 0)
        loader->length++;
    loader->transform = options->transform;
    wick_status status = wki_transform_check(context, &options->transform, dataset->shape);
    if (status == WICK_OK)
        status = take_normalization(loader, options);
    if (status == WICK_OK)
        status = make_order(loader);
    if (status == WICK_OK)
        *out = loader;
    else
        wick_loader_free(loader);
    return status;
}

const wick_dataset *wick_loader_dataset(const wick_loader *loader)
{
    return loader->dataset;
}

int64_t wick_loader_length(const wick_loader *loader)
{
    return loader->length;
}

int64_t wick_loader_batch_size(const wick_loader *loader)
{
    return loader->batch_size;
}

/* ---- the order: what DataLoader, RandomSampler and BatchSampler draw, and when ---- */

wick_status wick_loader_begin(wick_loader *loader)
{
    wick_generator *generator = loader->generator;
    if (generator == NULL)
        generator = wick_default_generator(loader->context);
    /* _BaseDataLoaderIter's base seed, which its worker processes would use, and here the transforms. */
    loader->base_seed = (uint64_t)wick_generator_random_int64(generator);
    wick_tensor_free(loader->permutation);
    loader->permutation = NULL;
    loader->next = 0;
    loader->dry = false;
    loader->begun = true;
    return WICK_OK;
}

/* RandomSampler's start: with no generator of the caller's it seeds one of its own from the default
 * one. */
static wick_status draw_order(wick_loader *loader)
{
    wick_generator *generator = loader->generator;
    if (generator == NULL) {
        generator = loader->sampler;
        int64_t seed = wick_generator_random_int64(wick_default_generator(loader->context));
        wick_generator_manual_seed(generator, (uint64_t)seed);
    }
    wick_generator_get_state(generator, loader->drawn_from);
    return wick_randperm(loader->context, generator, loader->dataset->count, &loader->permutation);
}

/* RandomSampler's end: it draws a second permutation, to take count % count examples of it. Only a
 * generator of the caller's shows that. */
static wick_status run_dry(wick_loader *loader)
{
    wick_tensor *unused;
    if (loader->shuffle && loader->generator != NULL && !loader->dry) {
        WKI_TRY(wick_randperm(loader->context, loader->generator, loader->dataset->count, &unused));
        wick_tensor_free(unused);
    }
    loader->dry = true;
    return WICK_OK;
}

wick_status wick_loader_next_indices(wick_loader *loader, const int64_t **indices, int64_t *count)
{
    if (!loader->begun)
        return wki_fail(loader->context, WICK_EINVAL,
                        "wick_loader_begin() has to come before the first batch");
    if (loader->shuffle && loader->permutation == NULL)
        WKI_TRY(draw_order(loader));
    int64_t size = WKI_MIN(loader->batch_size, loader->dataset->count - loader->next);
    if (size < loader->batch_size) {
        WKI_TRY(run_dry(loader));
        if (loader->drop_last)
            size = 0;
    }
    const int64_t *order = loader->shuffle ? wick_tensor_i64(loader->permutation) : loader->sequence;
    *indices = order + loader->next;
    *count = size;
    loader->next += size;
    return WICK_OK;
}

int64_t wki_loader_examples_ahead(const wick_loader *loader)
{
    return loader->dataset->count - loader->next;
}

/* ---- images ---- */

bool wki_loader_fetches(const wick_loader *loader)
{
    return wki_transform_is_set(&loader->transform) || wki_dataset_streams(loader->dataset);
}

/* A rotation needs what was cropped, and a transform of what is in a file the image as it is there. */
size_t wki_loader_spare_bytes(const wick_loader *loader)
{
    const int64_t *shape = loader->dataset->shape;
    size_t images = loader->transform.rotate > 0;
    if (wki_transform_is_set(&loader->transform) && wki_dataset_streams(loader->dataset))
        images++;
    return images * (size_t)(shape[0] * shape[1] * shape[2]);
}

const float *wki_loader_mean(const wick_loader *loader)
{
    return loader->mean;
}

const float *wki_loader_std(const wick_loader *loader)
{
    return loader->std;
}

void wki_fetch(void *fetcher, int64_t at, uint8_t *pixels)
{
    wki_fetcher *f = fetcher;
    const wick_loader *loader = f->loader;
    const wick_dataset *dataset = loader->dataset;
    const int64_t bytes = dataset->shape[0] * dataset->shape[1] * dataset->shape[2];
    const bool transformed = wki_transform_is_set(&loader->transform),
               streams = wki_dataset_streams(dataset);
    const uint8_t *from = streams ? NULL : dataset->pixels + f->indices[at] * bytes;
    uint8_t *spare = f->spare == NULL ? NULL : f->spare + (size_t)at * wki_loader_spare_bytes(loader);
    wki_transform_draw draw;
    if (streams) {
        uint8_t *to = transformed ? spare : pixels;
        if (!wki_dataset_fetch(dataset, f->indices[at], to))
            atomic_store(&f->failed, f->indices[at] + 1);
        from = to;
        spare = spare == NULL ? NULL : spare + bytes;
    }
    if (!transformed)
        return;
    wki_transform_choose(&loader->transform, dataset->shape, loader->base_seed, f->indices[at], &draw);
    wki_transform_apply(&loader->transform, &draw, dataset->shape, loader->erased, from, pixels, spare);
}

wick_status wki_fetch_check(const wki_fetcher *fetcher)
{
    const wick_dataset *dataset = fetcher->loader->dataset;
    int64_t failed = atomic_load(&fetcher->failed);
    return failed == 0 ? WICK_OK : wki_dataset_fetch_failed(dataset, dataset->context, failed - 1);
}

/* ---- batches ---- */

/* The image at place `at` of the batch, transformed and normalised. */
static void give_image(wki_fetcher *fetcher, int64_t at, uint8_t *room, float *out)
{
    const wick_loader *loader = fetcher->loader;
    const int64_t *shape = loader->dataset->shape;
    const int64_t plane = shape[1] * shape[2], bytes = shape[0] * plane;
    const uint8_t *pixels = room;
    if (room != NULL)
        wki_fetch(fetcher, at, room);
    else
        pixels = loader->dataset->pixels + fetcher->indices[at] * bytes;
    wki_pixels_to_float(pixels, bytes, out);
    for (int64_t i = 0; loader->mean != NULL && i < bytes; i++)
        out[i] = (out[i] - loader->mean[i / plane]) / loader->std[i / plane];
}

static wick_status give_images(const wick_loader *loader, const int64_t *indices, int64_t count,
                               float *out)
{
    const int64_t *shape = loader->dataset->shape;
    const int64_t bytes = shape[0] * shape[1] * shape[2];
    void *room = NULL, *spare = NULL;
    wick_status status = WICK_OK;
    if (wki_loader_fetches(loader))
        WKI_GOTO_OUT(wki_alloc(loader->context, (size_t)bytes, 1, "an image", &room));
    if (wki_loader_spare_bytes(loader) > 0)
        WKI_GOTO_OUT(
            wki_alloc(loader->context, (size_t)count, wki_loader_spare_bytes(loader), "images", &spare));
    wki_fetcher fetcher = {.loader = loader, .indices = indices, .spare = spare};
    for (int64_t i = 0; i < count; i++)
        give_image(&fetcher, i, room, out + i * bytes);
    status = wki_fetch_check(&fetcher);
out:
    free(room);
    free(spare);
    return status;
}

static wick_status collate(const wick_loader *loader, const int64_t *indices, int64_t count,
                           wick_tensor **images, wick_tensor **labels)
{
    const wick_dataset *dataset = loader->dataset;
    const int64_t shape[4] = {count, dataset->shape[0], dataset->shape[1], dataset->shape[2]};
    wick_tensor *x, *y = NULL;
    WKI_TRY(wick_tensor_new(dataset->context, WICK_FLOAT32, 4, shape, &x));
    wick_status status = wick_tensor_new(dataset->context, WICK_INT64, 1, shape, &y);
    if (status == WICK_OK)
        status = give_images(loader, indices, count, wick_tensor_f32(x));
    if (status != WICK_OK) {
        wick_tensor_free(x);
        wick_tensor_free(y);
        return status;
    }
    for (int64_t i = 0; i < count; i++)
        wick_tensor_i64(y)[i] = dataset->labels[indices[i]];
    *images = x;
    *labels = y;
    return WICK_OK;
}

wick_status wick_loader_next(wick_loader *loader, wick_tensor **images, wick_tensor **labels)
{
    const int64_t *indices;
    int64_t count;
    if (images == NULL || labels == NULL)
        return wki_fail(loader->context, WICK_EINVAL, "the place for the batch's %s is NULL",
                        images == NULL ? "images" : "labels");
    WKI_TRY(wick_loader_next_indices(loader, &indices, &count));
    if (count == 0) {
        *images = NULL;
        *labels = NULL;
        return WICK_OK;
    }
    wick_status status = collate(loader, indices, count, images, labels);
    if (status != WICK_OK)
        loader->next -= count; /* the batch is still to come */
    return status;
}

/* ---- its place ---- */

int64_t wki_loader_batches_given(const wick_loader *loader)
{
    return (loader->next + loader->batch_size - 1) / loader->batch_size;
}

/* The numbers of a loader that are in its state. */
typedef struct place {
    int64_t count, batch_size, shuffle, drop_last; /* these four must be the loader's */
    int64_t begun, dry, next;
} place;

static place place_of(const wick_loader *loader)
{
    return (place){loader->dataset->count, loader->batch_size, loader->shuffle, loader->drop_last,
                   loader->begun,          loader->dry,        loader->next};
}

static const char *const place_keys[] = {"count", "batch_size", "shuffle", "drop_last",
                                         "begun", "dry",        "next"};
static_assert(sizeof(place) == WKI_COUNT(place_keys) * sizeof(int64_t), "a number has no key");

static wick_status fill_state(const wick_loader *loader, wick_state_dict *dict)
{
    int64_t numbers[WKI_COUNT(place_keys)];
    const place at = place_of(loader);
    memcpy(numbers, &at, sizeof(numbers));
    for (size_t i = 0; i < WKI_COUNT(place_keys); i++)
        WKI_TRY(wki_state_dict_add_i64(dict, place_keys[i], numbers[i]));
    if (wki_transform_is_set(&loader->transform))
        WKI_TRY(wki_state_dict_add_i64(dict, "base_seed", (int64_t)loader->base_seed));
    if (loader->permutation == NULL)
        return WICK_OK;
    return wki_state_dict_add_generator(dict, "order", loader->drawn_from);
}

wick_status wick_loader_state_dict(const wick_loader *loader, wick_state_dict **out)
{
    wick_state_dict *dict;
    if (loader == NULL)
        return WICK_EINVAL;
    if (out == NULL)
        return wki_fail(loader->context, WICK_EINVAL, "the place for the loader's state is NULL");
    WKI_TRY(wick_state_dict_new(loader->context, &dict));
    wick_status status = fill_state(loader, dict);
    if (status == WICK_OK)
        *out = dict;
    else
        wick_state_dict_free(dict);
    return status;
}

static wick_status check_place(const wick_loader *loader, const place *at, bool has_order)
{
    const place here = place_of(loader);
    if (at->count != here.count || at->batch_size != here.batch_size || at->shuffle != here.shuffle ||
        at->drop_last != here.drop_last)
        return wki_fail(
            loader->context, WICK_EFORMAT,
            "the place is of a loader of %lld examples in batches of %lld%s%s; this one has %lld "
            "in batches of %lld%s%s",
            (long long)at->count, (long long)at->batch_size, at->shuffle ? ", shuffled" : "",
            at->drop_last ? ", whole ones" : "", (long long)here.count, (long long)here.batch_size,
            here.shuffle ? ", shuffled" : "", here.drop_last ? ", whole ones" : "");
    int64_t left = at->count - at->next;
    bool between = at->next % at->batch_size == 0 || (left == 0 && !at->drop_last);
    bool orders = has_order ? at->begun && at->shuffle : at->next == 0 || !at->shuffle;
    if (!between || !orders || (!at->begun && at->next > 0) || (at->dry && left >= at->batch_size))
        return wki_fail(loader->context, WICK_EFORMAT,
                        "example %lld of %lld is no place that a loader can be at", (long long)at->next,
                        (long long)at->count);
    return WICK_OK;
}

static wick_status draw_again(const wick_loader *loader, const uint8_t *drawn_from,
                              wick_tensor **permutation)
{
    wick_generator *generator;
    WKI_TRY(wick_generator_new(loader->context, &generator));
    wick_status status = wick_generator_set_state(generator, drawn_from);
    if (status == WICK_OK)
        status = wick_randperm(loader->context, generator, loader->dataset->count, permutation);
    wick_generator_free(generator);
    return status;
}

static wick_status read_place(const wick_loader *loader, const wick_state_dict *dict, place *at)
{
    int64_t numbers[WKI_COUNT(place_keys)] = {0};
    const int64_t most[WKI_COUNT(place_keys)] = {
        INT64_MAX, INT64_MAX, 1, 1, 1, 1, loader->dataset->count};
    for (size_t i = 0; i < WKI_COUNT(place_keys); i++)
        WKI_TRY(wki_state_dict_get_i64(dict, place_keys[i], 0, most[i], &numbers[i]));
    memcpy(at, numbers, sizeof(*at));
    return WICK_OK;
}

wick_status wick_loader_load_state_dict(wick_loader *loader, const wick_state_dict *dict)
{
    place at;
    const uint8_t *drawn_from = NULL;
    wick_tensor *permutation = NULL;
    int64_t base_seed = 0;
    if (loader == NULL)
        return WICK_EINVAL;
    if (dict == NULL)
        return wki_fail(loader->context, WICK_EINVAL, "the loader's state is NULL");
    WKI_TRY(read_place(loader, dict, &at));
    if (wki_transform_is_set(&loader->transform))
        WKI_TRY(wki_state_dict_get_i64(dict, "base_seed", INT64_MIN, INT64_MAX, &base_seed));
    if (wick_state_dict_get(dict, "order") != NULL)
        WKI_TRY(wki_state_dict_get_generator(dict, "order", &drawn_from));
    WKI_TRY(check_place(loader, &at, drawn_from != NULL));
    if (drawn_from != NULL) {
        WKI_TRY(draw_again(loader, drawn_from, &permutation));
        memcpy(loader->drawn_from, drawn_from, sizeof(loader->drawn_from));
    }
    wick_tensor_free(loader->permutation);
    loader->permutation = permutation;
    loader->base_seed = (uint64_t)base_seed;
    loader->begun = at.begun != 0;
    loader->dry = at.dry != 0;
    loader->next = at.next;
    return WICK_OK;
}
