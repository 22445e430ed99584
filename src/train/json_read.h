/* Reading a JSON object of known members: types and ranges are checked, and a message gives line and
 * column. */
#ifndef WKI_JSON_READ_H
#define WKI_JSON_READ_H

#include "format/json_parse.h"

typedef struct wki_json {
    wick_context *context;
    const char *path; /* for messages. Borrowed, as text is */
    const char *text;
    wki_json_tree tree; /* of an object */
    /* The element of an array that was read last: elements are read one behind the other. */
    const wki_json_node *array, *element;
    int64_t index;
} wki_json;

/* Where a value stands: root[key], root[key][index], root[key][index][field]. index -1 and field NULL:
 * not so deep. That there is such an element must be known, from wki_json_array(). */
typedef struct wki_json_at {
    const char *key;
    int64_t index;
    const char *field;
} wki_json_at;

/* Parses text, NUL-terminated at length, which must be one JSON object without duplicate keys.
 * Errors: WICK_EFORMAT, WICK_ELIMIT, WICK_ENOMEM. wki_json_release() is fine after a failure. */
wick_status wki_json_read(wki_json *json, wick_context *context, const char *path, const char *text,
                          size_t length);
void wki_json_release(wki_json *json);

/* Fails with WICK_EFORMAT and "path: line 3, column 5: "key" message". */
wick_status wki_json_fail(wki_json *json, wki_json_at at, const char *message, ...) WICK_PRINTF(3, 4);

/* Whether there is one. */
bool wki_json_has(wki_json *json, wki_json_at at);
wick_status wki_json_integer(wki_json *json, wki_json_at at, int64_t min, int64_t max, int64_t *out);
/* An integer from 0 on or, where that is more than JSON readers hold exactly, its digits as a string. */
wick_status wki_json_seed(wki_json *json, wki_json_at at, uint64_t *out);
/* A finite number; null is NaN. */
wick_status wki_json_number(wki_json *json, wki_json_at at, double *out);
wick_status wki_json_flag(wki_json *json, wki_json_at at, bool *out);
/* A string of 1 to 4096 bytes without control characters; NULL for null where that is allowed. Owned:
 * free(). */
wick_status wki_json_string(wki_json *json, wki_json_at at, bool null_allowed, char **out);
/* A string of 1 to most bytes that may have several lines: its only control characters are their ends.
 * Owned: free(). */
wick_status wki_json_lines(wki_json *json, wki_json_at at, size_t most, char **out);
/* Whether it is null. */
wick_status wki_json_is_null(wki_json *json, wki_json_at at, bool *out);
/* The size of an array of min to max elements. */
wick_status wki_json_array(wki_json *json, wki_json_at at, size_t min, size_t max, size_t *size);

#endif
