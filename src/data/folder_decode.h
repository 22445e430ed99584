/* Pictures of a listing as pixels of one size. */
#ifndef WKI_FOLDER_DECODE_H
#define WKI_FOLDER_DECODE_H

#include "data/folder_scan.h"

/* What pictures are asked to become, and what they are in their files. */
typedef struct wki_folder_form {
    int64_t
        shape[3]; /* channels, height, width of all; before wki_folder_learn() 0 where not asked for */
    bool sizes_differ; /* the size was not asked for, and there are several */
} wki_folder_form;

/* Settles what was not asked for, by the headers of all files. A file that is no picture after all gets
 * its problem. Errors: WICK_ENOMEM, WICK_EINTR. */
wick_status wki_folder_learn(wki_listing *listing, const wick_dataset_options *options,
                             wki_folder_form *form);
/* Reads files begin .. end to pixels, one image behind the other; those with a problem get no pixels but
 * keep their place. They are some of the files first .. last, which progress counts.
 * Errors: WICK_ENOMEM, WICK_EINTR. */
wick_status wki_folder_decode(wki_listing *listing, const wick_dataset_options *options,
                              const int64_t shape[3], size_t first, size_t last, size_t begin,
                              size_t end, uint8_t *pixels);

#endif
