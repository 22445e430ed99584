/* One model's way from its seed to results.json, with the chapter's lines. */
#ifndef CLI_TRAINING_H
#define CLI_TRAINING_H

#include "bar.h"
#include "pair.h"

/* How the chapter prints a model's training. */
typedef struct cli_style {
    const char *rule; /* under "Epoch: 0" */
    bool looked_at;   /* "Looked at 12800/60000 samples." every 400 batches */
    bool one_line;    /* model 0's line; else those of train_step and test_step */
} cli_style;

extern const cli_style style_model_0, style_model_1, style_model_2, style_train;

/* Zero at first, but for the model's, epochs', lr's, seed's and machine's part of args. */
typedef struct cli_training {
    wick_run_args args;
    char *data, *data_dir; /* these and classes are what args points to */
    const char **classes;
    cli_bar bar;
    FILE *log; /* every step's loss, one a line; or NULL. Borrowed */
    wick_module *model;
    wick_loss *loss_fn;
    wick_optimizer *optimizer;
    wick_run *run;
    double train_time;
    wick_tensor *logits; /* of all test images, from training_finish() on */
} cli_training;

/* Fills in what args has of the data. The classes' names are borrowed from pair. */
wick_status training_use_data(cli_app *app, cli_training *training, const cli_data_args *data,
                              const cli_pair *pair);
/* torch.manual_seed(seed) and the model, its loss and optimizer. */
wick_status training_begin(cli_app *app, cli_training *training);
/* The epochs. After each the model is saved and a row added to results.csv. */
wick_status training_run(cli_app *app, cli_training *training, const cli_pair *pair,
                         const cli_style *style);
/* eval_model() of the test half, and results.json. */
wick_status training_finish(cli_app *app, cli_training *training, const cli_pair *pair);
void training_release(cli_training *training);

#endif
