/* What the training loops may know of data sets and loaders. */
#ifndef WKI_DATA_INTERNAL_H
#define WKI_DATA_INTERNAL_H

#include "base/base.h"

#include <wick/data.h>

wick_context *wki_dataset_context(const wick_dataset *dataset);
wick_context *wki_loader_context(const wick_loader *loader);
/* How many batches of the epoch were given out. */
int64_t wki_loader_batches_given(const wick_loader *loader);

#endif
