/* The model that a command is told of: a name, a text, or a file with a text. */
#ifndef CLI_MODEL_CHOICE_H
#define CLI_MODEL_CHOICE_H

#include "app.h"

#define MODEL_WORDS                                                                                     \
    "v0, v1, v2 (FashionMNISTModelV0, V1, V2; tinyvgg is v2), or a model's text, such as "              \
    "'Sequential(Flatten(), Linear(784, 10))', or a file with one (@FILE)"

/* Zero before model_choose(). */
typedef struct cli_model_choice {
    const char *model; /* a name or a text; text or borrowed from the command line */
    const char *file;  /* where the text came from, for messages, or NULL */
    char *text;        /* owned */
} cli_model_choice;

/* A file's text without the UTF-8 byte order mark that some editors begin it with. */
void drop_byte_order_mark(char *text);
/* WICK_ENOENT if no model is called so. Draws from the default generator. */
wick_status model_check_name(cli_app *app, const char *name);
/* Reads the file, if given names one, and looks whether there is such a model; a failure of usage if not.
 * hidden_units: whether they were given as well, which does not go with a text. Draws from the default
 * generator. On failure too, model_release(). */
wick_status model_choose(cli_app *app, const char *given, bool hidden_units, cli_model_choice *choice);
/* wick_model_by_name(), in which an error in a text names its file and is one of usage. class_count 0: any
 * number. */
wick_status model_make(cli_app *app, const cli_model_choice *choice, const int64_t image_shape[3],
                       int64_t hidden_units, int64_t class_count, wick_module **model);
void model_release(cli_model_choice *choice);
/* --tta's value, or NULL: as the model is. */
void model_set_tta(wick_module *model, const char *tta);
/* "flip", or NULL: none. Static. */
const char *model_tta(const wick_module *model);
/* Says so if a model is to take mirror images for the same that it was not trained on; augment is what it was trained with,
 * or NULL. */
void note_flips(const cli_app *app, const char *tta, const char *augment);

#define TTA_OF_RUN                                                                                      \
    "flip takes the mean of what the model gives for an image and for its mirror image (test-time "     \
    "augmentation); else as the run did"
#define TTA_OPTION(type, field, what)                                                                   \
    {                                                                                                   \
        "tta", "none|flip", OPTION_CHOICE, offsetof(type, field), 0, 0, what                            \
    }

#endif
