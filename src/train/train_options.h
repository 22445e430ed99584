/* The options of a training as a table: args.json, the pages and the command lines on them are made from it. */
#ifndef WKI_TRAIN_OPTIONS_H
#define WKI_TRAIN_OPTIONS_H

#include "base/base.h"

#include <wick/train.h>

typedef enum wki_option_kind {
    WKI_OPTION_TEXT,   /* const char *, NULL: not given */
    WKI_OPTION_NUMBER, /* double */
    WKI_OPTION_COUNT,  /* int64_t, from 0 on */
    WKI_OPTION_FLAG,   /* bool */
} wki_option_kind;

typedef struct wki_train_option {
    const char *key, *flag, *title;
    wki_option_kind kind;
    size_t offset;       /* in wick_train_options */
    const char *chapter; /* a text that says what NULL says, or NULL */
} wki_train_option;

/* Ended by a key that is NULL. */
extern const wki_train_option wki_train_options[];

static inline const void *wki_train_option_at(const wick_train_options *options,
                                              const wki_train_option *option)
{
    return (const char *)options + option->offset;
}

/* Whether it is not as in the chapter. */
bool wki_train_option_is_set(const wick_train_options *options, const wki_train_option *option);

#endif
