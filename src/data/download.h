/* Downloads of data sets, from the inside. */
#ifndef WKI_DOWNLOAD_H
#define WKI_DOWNLOAD_H

#include "data/registry.h"

/* wick_dataset_download() for any set. */
wick_status wki_download_set(wick_context *context, const wki_known_set *set, const char *folder,
                             const wick_download_options *options);

#endif
