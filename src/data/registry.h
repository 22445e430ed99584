/* The data sets that are known by name, and where they are kept. */
#ifndef WKI_REGISTRY_H
#define WKI_REGISTRY_H

#include "base/base.h"

#include <wick/data.h>

typedef enum wki_part { WKI_IMAGES, WKI_LABELS } wki_part;

/* A file as someone distributes it. */
typedef struct wki_known_sum {
    uint64_t size;
    const char *sha256;
} wki_known_sum;

enum { WKI_KNOWN_FILES = 4, WKI_KNOWN_SUMS = 3, WKI_KNOWN_MIRRORS = 3, WKI_KNOWN_PLACES = 2 };

typedef struct wki_known_file {
    const char *name; /* without .gz */
    /* Of name.gz as the mirrors have it, of the other name.gz there may be, of name itself; sha256 is
     * NULL where there is none or it is not known. */
    wki_known_sum sums[WKI_KNOWN_SUMS];
} wki_known_file;

typedef struct wki_known_set {
    const char *name, *class_name;
    const char *const *classes;
    int64_t class_count, counts[2], height, width;
    bool cifar;     /* CIFAR's binary files, RGB; else IDX files, grey */
    bool own_names; /* its IDX files are called otherwise than MNIST's */
    bool lying;     /* its images are stored with rows and columns exchanged */
    /* Where else below a folder of data sets it may be: what its published archive unpacks to, and where
     * torchvision keeps it. Ended by NULL. */
    const char *places[WKI_KNOWN_PLACES + 1];
    /* A file of the version for Python's pickle, which is not read, below a folder of data sets; or NULL. */
    const char *pickled;
    wki_known_file files[WKI_KNOWN_FILES];      /* of IDX files: training images and labels, test ones */
    const char *mirrors[WKI_KNOWN_MIRRORS + 1]; /* base URLs, ended by NULL */
} wki_known_set;

/* The set of that name, or NULL. */
const wki_known_set *wki_known_find(const char *name);
/* WICK_ENOENT: no such set; which there are, and the nearest. also: what else could have been named, or
 * "". */
wick_status wki_known_missing(wick_context *context, const char *name, const char *also);
/* The set to which a file of this name, without .gz, and this content on disk belongs, or NULL. */
const wki_known_set *wki_known_by_sum(const char *name, const char sha256[65]);
/* Whether any set's file of this name is of this size; without that a sum need not be made. */
bool wki_known_size(const char *name, uint64_t size);
/* Whether the file may have this SHA-256. */
bool wki_known_file_is(const wki_known_file *file, const char sha256[65]);

/* The set at that place of the list, or NULL from its end on. */
const wki_known_set *wki_known_at(int index);
/* "train-images-idx3-ubyte" and its like; set may be NULL. */
const char *wki_idx_file_name(const wki_known_set *set, wick_split split, wki_part part);
/* $XDG_CACHE_HOME/wick or ~/.cache/wick, freed with free(). WICK_ENOENT if neither variable is set. */
wick_status wki_cache_folder(wick_context *context, char **out);

#endif
