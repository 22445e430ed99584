/* What the training loops may know of data sets and loaders. */
#ifndef WKI_DATA_INTERNAL_H
#define WKI_DATA_INTERNAL_H

#include "base/base.h"

#include <wick/data.h>

wick_context *wki_dataset_context(const wick_dataset *dataset);
wick_context *wki_loader_context(const wick_loader *loader);
/* How many batches of the epoch were given out. */
int64_t wki_loader_batches_given(const wick_loader *loader);

/* How many examples of the epoch are still to come; their indices are those behind the ones that
 * wick_loader_next_indices() gave. */
int64_t wki_loader_examples_ahead(const wick_loader *loader);

/* How the images of a batch come where they are not to be had as they are: transformed, or from a file. */
typedef struct wki_fetcher {
    const wick_loader *loader;
    const int64_t *indices; /* of the batch's images */
    uint8_t *spare;         /* wki_loader_spare_bytes() for each of them, or NULL if that is 0 */
    _Atomic int64_t failed; /* 1 more than the index of an image that could not be read, or 0 */
} wki_fetcher;

/* Whether the loader's images have to be fetched. */
bool wki_loader_fetches(const wick_loader *loader);
size_t wki_loader_spare_bytes(const wick_loader *loader);
/* Writes the pixels of the batch's image number `at`. Several threads may fetch at once, each another one. */
void wki_fetch(void *fetcher, int64_t at, uint8_t *pixels);
/* WICK_EIO if an image that was fetched since could not be read; its pixels were zeros. */
wick_status wki_fetch_check(const wki_fetcher *fetcher);
/* What images are normalised with; both NULL if they are not. */
const float *wki_loader_mean(const wick_loader *loader);
const float *wki_loader_std(const wick_loader *loader);

#endif
