/* One model's way from its seed to results.json, with the chapter's lines. */
#ifndef CLI_TRAINING_H
#define CLI_TRAINING_H

#include "bar.h"
#include "model_choice.h"
#include "pair.h"
#include "step_log.h"
#include "steps.h"

/* How the chapter prints a model's training. */
typedef struct cli_style {
    const char *rule; /* under "Epoch: 0" */
    bool looked_at;   /* "Looked at 12800/60000 samples." every 400 batches */
    bool one_line;    /* model 0's line; else those of train_step and test_step */
} cli_style;

extern const cli_style style_model_0, style_model_1, style_model_2, style_train;

/* When checkpoints are saved: after so many steps or seconds; with both 0 only when interrupted, and
 * without `kept` not even then. */
typedef struct cli_checkpoints {
    bool kept;
    int64_t every_steps;
    double every_seconds;
    double last; /* when one was saved, or training began */
} cli_checkpoints;

/* Zero at first, but for checkpoints and the model's, epochs', lr's, seed's and machine's part of
 * args. */
typedef struct cli_training {
    wick_run_args args;
    char *data, *data_dir; /* these and classes are what args points to */
    const char **classes;
    cli_model_choice choice; /* of a run from its beginning; else args names the model */
    char *printed;           /* what a model from text prints, which args then has; or NULL */
    char *class_weights;     /* owned, or NULL */
    cli_bar bar;
    cli_step_log log;
    cli_steps steps;
    cli_checkpoints checkpoints;
    wick_module *model;
    wick_loss *loss_fn;
    wick_optimizer *optimizer;
    wick_run *run;
    bool warned;   /* of a network that does not learn */
    int64_t epoch; /* the one in hand, and how far it has come */
    wick_pass pass;
    wick_tensor *logits; /* of all test images, from training_finish() on */
} cli_training;

/* Fills in what args has of the data. The classes' names are borrowed from pair. */
wick_status training_use_data(cli_app *app, cli_training *training, const cli_data_args *data,
                              const cli_pair *pair);
/* torch.manual_seed(seed) and the model, its loss and optimizer. */
wick_status training_begin(cli_app *app, cli_training *training, const cli_pair *pair);
/* Goes to where the run's checkpoint is; without one to the beginning. */
wick_status training_resume(cli_app *app, cli_training *training, const cli_pair *pair);
/* How many steps are done. */
int64_t training_steps(const cli_training *training, const cli_pair *pair);
/* The epochs that are left. After each the model is saved and a row added to results.csv. */
wick_status training_run(cli_app *app, cli_training *training, const cli_pair *pair,
                         const cli_style *style);
/* eval_model() of the test half, and results.json. */
wick_status training_finish(cli_app *app, cli_training *training, const cli_pair *pair);
void training_release(cli_training *training);

#endif
