/* Runs on disk: a folder with everything that made a model and everything that came of it.
 *
 *   args.json      what made it, enough to make it again
 *   results.csv    a row an epoch
 *   results.json   model_name, model_loss, model_acc, accuracy, train_time, device, threads, seed,
 *                  parameters, epochs
 *   model.pth      its weights, which torch.load(weights_only=True) opens
 *   steps.csv, curves.png, curves.svg, confusion_matrix.png, confusion_matrix.svg, report.html
 *                  each step's training loss, and figures (plot.h), which the program adds
 *   checkpoint.pth while it is not finished: all that is needed to go on with it
 *
 * Every file is written to a temporary name, synced and renamed, and the folder is synced, so that
 * each is at every moment whole. The folder is locked (flock) as long as a wick_run that was created
 * or resumed is there: another one, in this process or another of this machine, is refused. The
 * system lets go of the lock when the process ends, however that happens.
 */
#ifndef WICK_RUN_H
#define WICK_RUN_H

#include <wick/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What makes a run. Text is borrowed in wick_run_args that the caller fills in, and owned by the
 * run in those that wick_run_open() gives. */
typedef struct wick_run_args {
    const char *model;    /* as for wick_model_by_name() */
    int64_t hidden_units; /* 0: 10; nothing for a model's text */
    const char *data;     /* as for wick_dataset_open() */
    const char *data_dir; /* or NULL */
    int64_t
        limit; /* only so many examples of each half; 0: all. The first ones; of a folder of pictures every
                             count/limit-th, so that all classes are among them */
    double test_fraction; /* of a folder of pictures, and skip_broken: as for wick_dataset_open_with() */
    bool skip_broken;
    bool
        resized; /* data of any kind are made image_shape, which was asked for; else pictures alone are */
    const char *augment; /* as for wick_transform_parse(), or NULL */
    bool
        normalized; /* images are normalised, with a mean and a std a channel, of which there are 1 to 3 */
    float mean[3], std[3];
    int64_t image_shape[3]; /* channels, height, width */
    int64_t class_count;
    const char *const *classes; /* class_count names */
    int64_t epochs;
    int64_t batch_size;
    double lr;
    uint64_t seed;
    const char *device;
    int threads;
    wick_train_options how; /* args.json has those of them that are not as in the chapter */
} wick_run_args;

typedef struct wick_epoch {
    int64_t epoch; /* from 0 */
    double train_loss, train_acc, test_loss, test_acc;
    double seconds;
    /* test_loss and test_acc are of the validation part of the training half; the files then call them valid_loss and
     * valid_acc. */
    bool validation;
} wick_epoch;

typedef struct wick_results {
    const char *model_name;
    double model_loss, model_acc; /* the chapter's means over batches */
    double accuracy;              /* the share of all images that is right, in percent */
    double train_time;            /* seconds */
    const char *device;
    int threads;
    uint64_t seed;
    int64_t parameters;
    int64_t epoch_count;
    const wick_epoch *epochs;
} wick_results;

typedef struct wick_run wick_run;

/* Makes the folder (and those above it) and writes args.json. A folder that has a run in it already
 * is refused unless exist_ok; then that run's files are removed once args.json is written. A folder
 * that is in use is refused in any case. Owned: wick_run_free().
 * Errors: WICK_EBUSY (in use), WICK_EEXIST (a run is there), WICK_EIO, WICK_EINVAL, WICK_ENOMEM;
 * what was there before is then as it was. */
WICK_API wick_status wick_run_create(wick_context *context, const char *folder, bool exist_ok,
                                     const wick_run_args *args, wick_run **out);
/* Opens a run's folder: args.json and, if they are there, its results, or the epochs of one that
 * did not finish.
 * Errors: WICK_ENOENT (no such folder, or no args.json in it), WICK_EFORMAT (line and column). */
WICK_API wick_status wick_run_open(wick_context *context, const char *folder, wick_run **out);
/* The same to go on with the run, which is the caller's alone from then on. What a killed process
 * left half written is removed.
 * Errors: those of wick_run_open(); WICK_EBUSY, WICK_EIO. */
WICK_API wick_status wick_run_resume(wick_context *context, const char *folder, wick_run **out);
WICK_API void wick_run_free(wick_run *run);

WICK_API const char *wick_run_folder(const wick_run *run);
/* folder/name. Owned text. */
WICK_API wick_status wick_run_path(const wick_run *run, const char *name, char **path);
WICK_API const wick_run_args *wick_run_get_args(const wick_run *run);
/* Its results, or NULL if it has none yet. Borrowed. */
WICK_API const wick_results *wick_run_results(const wick_run *run);

/* Its epochs so far, *count of them, also of a run that did not finish. Borrowed until there are
 * others. */
WICK_API const wick_epoch *wick_run_epochs(const wick_run *run, int64_t *count);

/* Adds an epoch: results.csv is written anew with every row so far. */
WICK_API wick_status wick_run_add_epoch(wick_run *run, const wick_epoch *epoch);
/* Writes results.json; the epochs are those added. A checkpoint is removed. */
WICK_API wick_status wick_run_finish(wick_run *run, const wick_results *results);
/* Saves the model's state_dict as model.pth. */
WICK_API wick_status wick_run_save_model(wick_run *run, const wick_module *model);
/* Makes the model that args.json names, which draws from the default generator, and loads model.pth
 * into it. *out is owned.
 * Errors: those of wick_model_by_name(), wick_load() and wick_module_load_state_dict(). */
WICK_API wick_status wick_run_load_model(wick_run *run, wick_module **out);

/* What a training consists of between two steps. The objects are borrowed. */
typedef struct wick_training {
    wick_module *model;
    wick_optimizer *optimizer;
    wick_loader *loader; /* of the training half */
    int64_t epoch;       /* the one in hand, from 0 */
    wick_pass pass;      /* how far it has come in it; all zeros between two epochs */
} wick_training;

/* Saves checkpoint.pth: the weights, the optimizer's and the loader's state, the default
 * generator's state, epoch and pass, and the epochs that were added to the run. It is a dict of
 * tensors that torch.load(weights_only=True) opens: "model.KEY", "optimizer.KEY", "loader.KEY",
 * "generator" (torch.set_rng_state() takes it), "epoch", "pass.NAME", "epochs". The checkpoint
 * before is there until this one is whole.
 * Errors: WICK_EIO, WICK_ENOMEM. */
WICK_API wick_status wick_run_save_checkpoint(wick_run *run, const wick_training *training);
/* Puts the objects, epoch and pass where they were, the default generator too, and the run's epochs
 * to those of the checkpoint. The objects must have been made as for the training that was saved;
 * what follows is then, to the bit, what would have followed there.
 * Errors: WICK_ENOENT if there is no checkpoint: the run is then to be begun anew, without epochs,
 * and the objects are as they were. Else those of wick_load(), WICK_EKEY, WICK_ESHAPE and
 * WICK_EFORMAT, after which some of it may have been loaded. */
WICK_API wick_status wick_run_load_checkpoint(wick_run *run, wick_training *training);

/* results.json's text, in which a number that is not finite is null. Owned: wick_free(). */
WICK_API wick_status wick_results_format(wick_context *context, const wick_results *results,
                                         char **text);
/* The table of several runs' results that the chapter's pandas DataFrame prints, with
 * training_time; and the same as CSV. Owned text. count is 1 or more. */
WICK_API wick_status wick_compare_format(wick_context *context, int64_t count,
                                         const wick_results *const *results, char **text);
WICK_API wick_status wick_compare_csv(wick_context *context, int64_t count,
                                      const wick_results *const *results, char **text);

#ifdef __cplusplus
}
#endif
#endif
