/* A trained model to be used on something: that of a run, or of a file with what flags say of it. */
#ifndef CLI_MODEL_SOURCE_H
#define CLI_MODEL_SOURCE_H

#include "model_choice.h"
#include "pair.h"

typedef struct cli_source_args {
    const char *model, *data, *data_dir, *memory_limit, *tta;
    const char *image_size, *channels, *normalize; /* of a file, or NULL */
    int64_t hidden_units;
    bool skip_broken;
} cli_source_args;

#define SOURCE_OPTIONS(type)                                                                            \
    {"model",                                                                                           \
     "NAME|TEXT|FILE",                                                                                  \
     OPTION_TEXT,                                                                                       \
     offsetof(type, source.model),                                                                      \
     0,                                                                                                 \
     0,                                                                                                 \
     "of a file: which model the weights are of: v0, v1, v2, or a model's text, or a file with one"},   \
        {"hidden-units",                                                                                \
         "N",                                                                                           \
         OPTION_INT,                                                                                    \
         offsetof(type, source.hidden_units),                                                           \
         1,                                                                                             \
         1 << 20,                                                                                       \
         "of a file: its hidden units; else 10"},                                                       \
        {"data",                                                                                        \
         "NAME|FOLDER",                                                                                 \
         OPTION_TEXT,                                                                                   \
         offsetof(type, source.data),                                                                   \
         0,                                                                                             \
         0,                                                                                             \
         "the data set that it was trained on; a run knows its own, of a file else fashion-mnist"},     \
        {"data-dir",                                                                                    \
         "DIR",                                                                                         \
         OPTION_TEXT,                                                                                   \
         offsetof(type, source.data_dir),                                                               \
         0,                                                                                             \
         0,                                                                                             \
         "where to look for a known data set first"},                                                   \
        SIZE_OF_FILE_OPTION(type, source.image_size), NORMALIZE_OF_FILE_OPTION(type, source.normalize)
#define SOURCE_CHANNELS_OPTION(type) CHANNELS_OF_FILE_OPTION(type, source.channels)
/* Of those commands that go through the data, or that predict. */
#define SOURCE_READING_OPTIONS(type)                                                                    \
    SKIP_BROKEN_OF_RUN_OPTION(type, source.skip_broken), MEMORY_LIMIT_OPTION(type, source.memory_limit)
#define SOURCE_TTA_OPTION(type) TTA_OPTION(type, source.tta, TTA_OF_RUN)

/* Zero before source_open(). */
typedef struct cli_source {
    wick_run *run;           /* NULL for a file */
    char *weights;           /* the file's path */
    cli_model_choice choice; /* of a file */
    cli_data_args data;
    float mean[3], std[3]; /* of a file, if it is normalised: where data's point to */
    wick_dataset *dataset; /* a half of the data, from source_dataset() on */
    wick_module *model;
    int64_t image_shape[3], class_count;
    const char **classes; /* class_count names, borrowed from the run, the registry or dataset */
} cli_source;

/* On failure too, source_release(). */
wick_status source_open(cli_app *app, const char *operand, const cli_source_args *args,
                        cli_source *source);
void source_release(cli_source *source);
/* Opens a half of the data, whole, once. */
wick_status source_dataset(cli_app *app, cli_source *source, wick_split split);
/* Whether the data's images are dark things on light ground, as far as that can be known: a known data
 * set's are not, and a folder that cannot be opened is taken for such a one. */
wick_status source_is_light(cli_app *app, cli_source *source, bool *light);

#endif
