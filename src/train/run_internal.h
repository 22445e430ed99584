/* What run.c and run_json.c share: the JSON files of a run. */
#ifndef WKI_RUN_INTERNAL_H
#define WKI_RUN_INTERNAL_H

#include "base/base.h"

#include <wick/run.h>

/* Longer files are refused before they are read. */
enum { WKI_RUN_FILE_LIMIT = 64 << 20 };

/* args.json's text. A NULL text becomes null, which reading refuses. Owned: free(). */
wick_status wki_run_args_format(wick_context *context, const wick_run_args *args, char **text);
/* Reads args.json's text, NUL-terminated at length; path is for messages. What args points to is owned:
 * wki_run_args_release(). On failure args is all zeros. */
wick_status wki_run_args_parse(wick_context *context, const char *path, const char *text, size_t length,
                               wick_run_args *args);
void wki_run_args_release(wick_run_args *args);

/* The same for results.json. The epochs are allocated for themselves, so that they may be moved away. */
wick_status wki_results_parse(wick_context *context, const char *path, const char *text, size_t length,
                              wick_results *results);
void wki_results_release(wick_results *results);

#endif
