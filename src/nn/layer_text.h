/* Reading layers and models from text: what layer_parse.c and model_parse.c stand on. */
#ifndef WKI_LAYER_TEXT_H
#define WKI_LAYER_TEXT_H

#include "nn/layer_kind.h"

enum { WKI_SHOWN = 48 /* so much of the text is shown in a message */ };

typedef struct wki_cursor {
    wick_context *context;
    const char *text, *at;
} wki_cursor;

/* ---- messages: "column 14: …", or "line 3, column 14: …" in a text of several lines ---- */

wick_status wki_fail_at(wki_cursor *c, const char *where, wick_status status, const char *format, ...)
    WICK_PRINTF(4, 5);
/* The same before the message that is there. */
wick_status wki_fail_from(wki_cursor *c, const char *where, wick_status status);
/* What stands at the cursor, for a message. Returns out. */
const char *wki_shown_here(const wki_cursor *c, char out[WKI_SHOWN]);

/* ---- pieces ---- */

/* Goes past space, ends of lines and comments, which begin with #. */
void wki_skip_space(wki_cursor *c);
/* Goes past space and, if it comes then, the wanted byte. */
bool wki_take(wki_cursor *c, char wanted);
/* How many bytes of text are letters, digits, _ and dots. */
size_t wki_word_length(const char *text);

typedef enum wki_value_type {
    WKI_VALUE_INT,
    WKI_VALUE_FLOAT,
    WKI_VALUE_BOOL,
    WKI_VALUE_NONE,
    WKI_VALUE_STRING,
    WKI_VALUE_WORD,
    WKI_VALUE_TUPLE,
} wki_value_type;

typedef struct wki_value {
    wki_value_type type;
    const char *start; /* where it stands; a string's quotes are not part of it */
    size_t length;
    bool truth;
    double number;                   /* an INT's or a FLOAT's */
    int64_t integers[WICK_MAX_DIMS]; /* an INT's, or a TUPLE's first; 0 for None */
    size_t count;                    /* of a TUPLE */
    unsigned nones;                  /* a TUPLE: bit i is set if its element i is None */
} wki_value;

bool wki_value_is(const wki_value *v, const char *text);
/* The value's text, cut and on one line, for a message. Returns out. */
const char *wki_shown(const wki_value *v, char out[WKI_SHOWN]);
wick_status wki_parse_value(wki_cursor *c, wki_value *v);

/* ---- arguments ---- */

/* If "name =" stands at the cursor, goes past it and gives the name's place, else leaves the cursor. */
bool wki_take_keyword(wki_cursor *c, wki_value *name);
/* From behind the opening parenthesis to behind the closing one. arguments has room for the signature's
 * and is zeroed. */
wick_status wki_parse_arguments(wki_cursor *c, const char *class_name, const wki_signature *signature,
                                wki_argument *arguments);

/* ---- layers ---- */

/* The class's name at the cursor, without "nn." or "torch.nn."; its length is 0 if there is none. */
void wki_take_class_name(wki_cursor *c, wki_value *name);
/* The row of a layer or container of that name, or NULL. */
const wki_layer_kind *wki_find_class(const wki_value *name);
/* The nearest known name, or NULL. */
const char *wki_nearest_class(const wki_value *name);
/* "there is no layer 'Conv3d'; did you mean Conv2d?" */
wick_status wki_no_such_class(wki_cursor *c, const wki_value *name);
/* A layer from behind its name on. shape is what comes in, or NULL if that is not known; a lazy class
 * wants it. */
wick_status wki_parse_layer(wki_cursor *c, const wki_layer_kind *kind, const wki_value *name,
                            const wki_shape_at *shape, wick_module **out);

#endif
