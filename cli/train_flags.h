/* The flags of wick train. */
#ifndef CLI_TRAIN_FLAGS_H
#define CLI_TRAIN_FLAGS_H

#include "pair.h"
#include "settings.h"

typedef struct train_args {
    cli_operands operands;
    cli_data_args data;
    cli_machine_args machine;
    const char *model;
    int64_t hidden_units, epochs;
    double lr;
    wick_train_options how;
    uint64_t seed;
    const char *out, *resume, *checkpoint_every, *log_steps, *recipe;
    bool exist_ok, no_figures, json;
} train_args;

extern const cli_option train_options[];
extern const train_args train_defaults;

/* "balanced" written out for the training half: class c's weight is images / (classes * images of c), as
 * scikit-learn's, and 0 for a class without images. *weights is owned: free(). NULL if how has other weights. */
wick_status train_flags_balance(cli_app *app, const wick_train_options *how, const wick_dataset *data,
                                char **weights);

/* How a model is trained, with what the flags leave open filled in: lr is 0.1 for sgd and 0.001 for the others unless
 * it was given. */
typedef struct cli_train_given {
    bool lr, weight_decay;
} cli_train_given;
/* Fails for flags that need another one. */
wick_status train_flags_check(cli_app *app, const wick_train_options *how);
void train_flags_fill(wick_train_options *how, double *lr, cli_train_given given);

#endif
