/* JSON text (RFC 8259) as a tree. It is from strangers: memory is bounded by the text's length, depth and
 * the members of an object are limited, keys that are there twice are refused, and so is what is not UTF-8. */
#ifndef WKI_JSON_PARSE_H
#define WKI_JSON_PARSE_H

#include "base/base.h"

enum { WKI_JSON_MOST_BYTES = 1 << 28, WKI_JSON_MOST_DEPTH = 64, WKI_JSON_MOST_MEMBERS = 256 };

typedef enum wki_json_type {
    WKI_JSON_NULL,
    WKI_JSON_FALSE,
    WKI_JSON_TRUE,
    WKI_JSON_INTEGER,
    WKI_JSON_REAL,
    WKI_JSON_STRING,
    WKI_JSON_ARRAY,
    WKI_JSON_OBJECT,
} wki_json_type;

/* Places are counted from the beginning of the text or of the tree's bytes. */
typedef struct wki_json_node {
    wki_json_type type;
    uint32_t at;   /* where it begins in the text */
    uint32_t key;  /* of an object's member: where its key is in the bytes, NUL-terminated; else 0 */
    uint32_t next; /* the node behind it in its array or object; 0: it is the last */
    union {
        int64_t integer;
        double real;
        struct {
            uint32_t at, length; /* in the bytes, NUL-terminated, without a NUL within */
        } string;
        uint32_t count; /* of elements or members; the first is the node behind this one */
    };
} wki_json_node;

typedef struct wki_json_tree {
    wki_json_node *nodes; /* the first is the whole text's */
    size_t count, capacity;
    char *bytes; /* of strings and keys */
} wki_json_tree;

/* Parses text, NUL-terminated at length. A message is "line 3, column 5: expected , or }, but there is '"'"; columns
 * count bytes, from 1 on. wki_json_tree_release() is fine, and needed, after a failure.
 * Errors: WICK_EFORMAT, WICK_ELIMIT, WICK_ENOMEM. */
wick_status wki_json_parse(wick_context *context, const char *text, size_t length, wki_json_tree *out);
void wki_json_tree_release(wki_json_tree *tree);

/* Which line and which byte of it a place is, from 1 on. */
void wki_json_place(const char *text, size_t at, size_t *line, size_t *column);
/* An object's member of that key, or NULL. */
const wki_json_node *wki_json_member(const wki_json_tree *tree, const wki_json_node *object,
                                     const char *key);

#endif
