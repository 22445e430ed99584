/* What run.c, run_json.c, run_rows.c and run_checkpoint.c share. */
#ifndef WKI_RUN_INTERNAL_H
#define WKI_RUN_INTERNAL_H

#include "base/base.h"

#include <wick/run.h>

/* Longer texts are refused, before they are read and before they are written: as JSON they take a hundred
 * times their length of memory at the worst. 100,000 epochs come to less. */
enum { WKI_RUN_FILE_LIMIT = 16 << 20 };

#define WKI_CHECKPOINT_FILE "checkpoint.pth"

struct wick_run {
    wick_context *context;
    char *folder;
    int lock;           /* the folder, open and locked; -1: it is only read */
    wick_run_args args; /* owned */
    wick_epoch *epochs;
    size_t epoch_count, epoch_capacity;
    bool finished;
    wick_results results; /* owned, but for its epochs, which are those above */
};

/* args.json's text. A NULL text becomes null, which reading refuses. Owned: free(). */
wick_status wki_run_args_format(wick_context *context, const wick_run_args *args, char **out);
/* Reads args.json's text, NUL-terminated at length; path is for messages. What args points to is owned:
 * wki_run_args_release(). On failure args is all zeros. */
wick_status wki_run_args_parse(wick_context *context, const char *path, const char *text, size_t length,
                               wick_run_args *args);
void wki_run_args_release(wick_run_args *args);

/* The same for results.json. The epochs are allocated for themselves, so that they may be moved away. */
wick_status wki_results_parse(wick_context *context, const char *path, const char *text, size_t length,
                              wick_results *results);
void wki_results_release(wick_results *results);

/* results.csv's text: a heading, and a row for each of count epochs. */
wick_status wki_rows_format(wick_context *context, const wick_epoch *epochs, size_t count, char **out);
/* Reads it; *epochs is owned (free()), and NULL if there is no row. On failure both are left alone. */
wick_status wki_rows_parse(wick_context *context, const char *path, const char *text,
                           wick_epoch **epochs, size_t *count);

#endif
