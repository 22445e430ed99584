/* The two halves of a data set with their loaders, and the flags that choose them. */
#ifndef CLI_PAIR_H
#define CLI_PAIR_H

#include "app.h"

typedef struct cli_data_args {
    const char *data, *data_dir;
    int64_t batch_size, limit;
} cli_data_args;

#define DATA_DEFAULTS                                                                                   \
    {                                                                                                   \
        .data = "fashion-mnist", .batch_size = 32                                                       \
    }

#define DATA_PLACE_OPTIONS(type)                                                                        \
    {"data",                                                                                            \
     "NAME|FOLDER",                                                                                     \
     OPTION_TEXT,                                                                                       \
     offsetof(type, data.data),                                                                         \
     0,                                                                                                 \
     0,                                                                                                 \
     "fashion-mnist, mnist, kmnist, or a folder that holds the four IDX files"},                        \
    {                                                                                                   \
        "data-dir", "DIR", OPTION_TEXT, offsetof(type, data.data_dir), 0, 0,                            \
            "where to look for a known data set first; else $WICK_DATA_DIR, the user's cache and "      \
            "/usr/share/datasets"                                                                       \
    }
#define DATA_BATCH_OPTION(type)                                                                         \
    {                                                                                                   \
        "batch-size", "N", OPTION_INT, offsetof(type, data.batch_size), 1, INT32_MAX,                   \
            "how many images a batch has"                                                               \
    }
#define DATA_LIMIT_OPTION(type)                                                                         \
    {                                                                                                   \
        "limit", "N", OPTION_INT, offsetof(type, data.limit), 0, INT32_MAX,                             \
            "use only the first N images of each half; 0 uses all"                                      \
    }

/* Zero before pair_open(). */
typedef struct cli_pair {
    wick_dataset *train_data, *test_data;
    wick_loader *train_loader, *test_loader; /* shuffled; in order */
} cli_pair;

/* Opens one half, cut to the limit. Owned. An unknown name is a failure of usage. */
wick_status dataset_open(cli_app *app, const cli_data_args *args, wick_split split, wick_dataset **out);
/* Opens both. On failure too, pair_release(). */
wick_status pair_open(cli_app *app, const cli_data_args *args, cli_pair *pair);
void pair_release(cli_pair *pair);

#endif
