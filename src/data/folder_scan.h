/* The pictures of a folder of class folders: which there are, before any is read. */
#ifndef WKI_FOLDER_SCAN_H
#define WKI_FOLDER_SCAN_H

#include "base/base.h"

#include <wick/data.h>

enum {
    WKI_MOST_PICTURES = 1 << 22,
    WKI_MOST_FOLDER_CLASSES = 1 << 20,
    WKI_MOST_FOLDERS = 10000, /* within a class */
    WKI_MOST_DEPTH = 16,      /* of folders within a class */
    WKI_NAMED_PICTURES = 3,   /* of a half's broken ones */
};

typedef struct wki_picture_file {
    char *path;         /* from the root on */
    size_t folder_size; /* how much of path is its folder */
    int64_t label;
    uint64_t size;
    int64_t seconds, nanoseconds; /* when it was last changed */
    wick_split half;
    char *problem; /* why it cannot be read; NULL before that is known, or if it can */
} wki_picture_file;

/* The files of the training half come first, each half's by class and by path. */
typedef struct wki_listing {
    wick_context *context;
    char *root;
    char **classes; /* sorted */
    size_t class_count;
    wki_picture_file *files;
    size_t count, capacity;
    int64_t ignored; /* files that are no pictures */
    char *first_ignored;
    bool own_test; /* there is a folder of the test half */
} wki_listing;

/* Whether there is any folder in that one that is not hidden: then it is no folder of IDX files. */
bool wki_has_folders(const char *folder);
/* Looks through root. On failure too, wki_listing_release().
 * Errors: WICK_EIO, WICK_EINVAL, WICK_EFORMAT, WICK_ELIMIT, WICK_ENOMEM. */
wick_status wki_listing_scan(wick_context *context, const char *root, double test_fraction,
                             wki_listing *out);
/* Fine on zeros. */
void wki_listing_release(wki_listing *listing);
/* Where a half's files begin and end. */
void wki_listing_half(const wki_listing *listing, wick_split half, size_t *begin, size_t *end);
/* How many classes have no file in the test half, and the first of them. */
int64_t wki_listing_missing(const wki_listing *listing, const char **first);
/* Fails for the first class that has no file of that half without a problem. */
wick_status wki_listing_check_classes(const wki_listing *listing, wick_split half);

#endif
