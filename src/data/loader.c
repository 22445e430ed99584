#include "data/dataset.h"

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
    int64_t next;              /* how many examples of this epoch were given out */
    bool begun, dry;           /* dry: the sampler was asked for more than it has */
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
    wick_status status = make_order(loader);
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

/* ---- the order: what DataLoader, RandomSampler and BatchSampler draw, and when ----------------------
 */

wick_status wick_loader_begin(wick_loader *loader)
{
    wick_generator *generator = loader->generator;
    if (generator == NULL)
        generator = wick_default_generator(loader->context);
    /* _BaseDataLoaderIter's base seed, which only its worker processes would use. */
    (void)wick_generator_random_int64(generator);
    wick_tensor_free(loader->permutation);
    loader->permutation = NULL;
    loader->next = 0;
    loader->dry = false;
    loader->begun = true;
    return WICK_OK;
}

/* RandomSampler's start: with no generator of the caller's it seeds one of its own from the default one.
 */
static wick_status draw_order(wick_loader *loader)
{
    wick_generator *generator = loader->generator;
    if (generator == NULL) {
        generator = loader->sampler;
        int64_t seed = wick_generator_random_int64(wick_default_generator(loader->context));
        wick_generator_manual_seed(generator, (uint64_t)seed);
    }
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

/* ---- batches ----------------------------------------------------------------------------------------
 */

static wick_status collate(const wick_dataset *dataset, const int64_t *indices, int64_t count,
                           wick_tensor **images, wick_tensor **labels)
{
    const int64_t shape[4] = {count, dataset->shape[0], dataset->shape[1], dataset->shape[2]};
    int64_t pixels = shape[1] * shape[2] * shape[3];
    wick_tensor *x, *y;
    WKI_TRY(wick_tensor_new(dataset->context, WICK_FLOAT32, 4, shape, &x));
    wick_status status = wick_tensor_new(dataset->context, WICK_INT64, 1, shape, &y);
    if (status != WICK_OK) {
        wick_tensor_free(x);
        return status;
    }
    for (int64_t i = 0; i < count; i++) {
        wki_pixels_to_float(dataset->pixels + indices[i] * pixels, pixels,
                            wick_tensor_f32(x) + i * pixels);
        wick_tensor_i64(y)[i] = dataset->labels[indices[i]];
    }
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
    wick_status status = collate(loader->dataset, indices, count, images, labels);
    if (status != WICK_OK)
        loader->next -= count; /* the batch is still to come */
    return status;
}
