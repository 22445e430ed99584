#include "train_flags.h"

#include "figures.h"

#include <stdlib.h>
#include <string.h>

#define HOW(field) offsetof(train_args, how.field)

const cli_option train_options[] = {
    {"recipe", "NAME|FILE", OPTION_TEXT, offsetof(train_args, recipe), 0, 0,
     "take the flags that are not given from a recipe or a file of 'key = value' lines; --recipe list "
     "names the "
     "recipes"},
    DATA_PLACE_OPTIONS(train_args),
    DATA_PICTURE_OPTIONS(train_args),
    DATA_TRANSFORM_OPTIONS(train_args),
    MODEL_OPTION(train_args),
    HIDDEN_UNITS_OPTION(train_args),
    {"epochs", "N", OPTION_INT, offsetof(train_args, epochs), 1, 1000000,
     "how often to go through the data"},
    DATA_BATCH_OPTION(train_args),
    {"drop-last", "", OPTION_BOOL, HOW(drop_last), 0, 0,
     "leave out the last batch of an epoch where it is a short one (DataLoader's drop_last), which norm "
     "layers cannot be trained on if it is of one image"},
    {"lr", "RATE", OPTION_NUMBER, offsetof(train_args, lr), 0, 0,
     "the learning rate; adam and adamw have 0.001 without this flag"},
    {"optimizer", "sgd|adam|adamw", OPTION_CHOICE, HOW(optimizer), 0, 0,
     "torch.optim.SGD, Adam or AdamW"},
    {"momentum", "M", OPTION_REAL, HOW(momentum), 0, 0, "the momentum of sgd"},
    {"dampening", "D", OPTION_REAL, HOW(dampening), 0, 0,
     "how much less of a gradient comes into the momentum"},
    {"nesterov", "", OPTION_BOOL, HOW(nesterov), 0, 0, "Nesterov's momentum"},
    {"weight-decay", "W", OPTION_REAL, HOW(weight_decay), 0, 0,
     "weight decay; adamw has 0.01 without this flag"},
    {"no-decay-bias", "", OPTION_BOOL, HOW(no_decay_bias), 0, 0,
     "no weight decay of biases and of the weights of norm layers"},
    {"betas", "B1,B2", OPTION_TEXT, HOW(betas), 0, 0,
     "how slowly the means of adam and adamw follow; 0.9,0.999 without this flag"},
    {"eps", "E", OPTION_REAL, HOW(eps), 0, 0,
     "what adam and adamw add to the root they divide by; 1e-08 without this flag"},
    {"label-smoothing", "S", OPTION_REAL, HOW(label_smoothing), 0, 0,
     "how much of each label is spread over all classes, from 0 to 1"},
    {"class-weights", "W,W,...", OPTION_TEXT, HOW(class_weights), 0, 0,
     "the weight of each class in the loss; or balanced: rarer classes weigh more, so that all count "
     "alike"},
    {"schedule", "NAME", OPTION_TEXT, HOW(schedule), 0, 0,
     "how the learning rate changes, with every step: constant, step (StepLR), multistep (MultiStepLR), "
     "cosine "
     "(CosineAnnealingLR), onecycle (OneCycleLR)"},
    {"warmup", "EPOCHS", OPTION_REAL, HOW(warmup), 0, 0,
     "let the learning rate go up in a line for so long first; it may be a part of an epoch"},
    {"warmup-factor", "F", OPTION_REAL, HOW(warmup_factor), 0, 0,
     "the share of the learning rate that a warm-up begins with; 0.01 without this flag"},
    {"decay-epochs", "EPOCHS", OPTION_REAL, HOW(decay_epochs), 0, 0,
     "after how long step lowers the learning rate"},
    {"decay-rate", "G", OPTION_REAL, HOW(decay_rate), 0, 0,
     "what step and multistep multiply the learning rate by; 0.1 without this flag"},
    {"decay-milestones", "E,E,...", OPTION_TEXT, HOW(decay_milestones), 0, 0,
     "the epochs after which multistep lowers the learning rate"},
    {"min-lr", "RATE", OPTION_REAL, HOW(min_lr), 0, 0, "the learning rate that cosine ends with"},
    {"pct-start", "P", OPTION_REAL, HOW(pct_start), 0, 0,
     "the share of the steps in which onecycle goes up; 0.3 without this flag"},
    {"div-factor", "D", OPTION_REAL, HOW(div_factor), 0, 0,
     "onecycle begins with the learning rate divided by this; 25 without this flag"},
    {"final-div-factor", "D", OPTION_REAL, HOW(final_div_factor), 0, 0,
     "onecycle ends with its first learning rate divided by this; 10000 without this flag"},
    {"cycle-momentum", "B,M", OPTION_TEXT, HOW(cycle_momentum), 0, 0,
     "with onecycle: let the momentum, or adam's first beta, go from M down to B and back, as "
     "OneCycleLR "
     "does of itself with 0.85,0.95"},
    {"clip-grad", "NORM", OPTION_REAL, HOW(clip_grad), 0, 0,
     "scale the gradients so that their norm is at most this (clip_grad_norm_)"},
    {"ema", "DECAY", OPTION_REAL, HOW(ema), 0, 0,
     "keep a moving average of the weights with that decay, such as 0.999, which is what is evaluated "
     "and saved"},
    {"ema-no-warmup", "", OPTION_BOOL, HOW(ema_no_warmup), 0, 0,
     "the average's decay is that from the beginning, and does not go up to it"},
    {"validation", "SHARE|N", OPTION_TEXT, HOW(validation), 0, 0,
     "hold out that share of the training half, or so many images, as random_split() does; the epochs "
     "are tested on "
     "them, and the test half only at the end"},
    {"split-seed", "S", OPTION_INT, HOW(split_seed), 0, INT64_MAX,
     "the seed that says which images are held out"},
    {"patience", "N", OPTION_INT, HOW(patience), 1, 1000000,
     "end after N epochs without a better accuracy of the validation part, and keep the best"},
    {"keep", "best|last", OPTION_CHOICE, HOW(keep), 0, 0,
     "keep the weights of the last epoch, or of the one that was best on the validation part; best with "
     "--patience"},
    TTA_OPTION(
        train_args, how.tta,
        "test-time augmentation: flip evaluates the mean of what the model gives for an image and for "
        "its mirror image, and so will whatever loads the run; none without this flag"),
    {"seed", "S", OPTION_SEED, offsetof(train_args, seed), 0, 0,
     "torch.manual_seed(S), before the model is made and once more before training"},
    MACHINE_OPTIONS(train_args),
    {"out", "DIR", OPTION_TEXT, offsetof(train_args, out), 0, 0,
     "the run's folder; else runs/train, runs/train2, ..."},
    {"exist-ok", "", OPTION_BOOL, offsetof(train_args, exist_ok), 0, 0,
     "replace a run that --out holds already"},
    {"checkpoint-every", "N|Ns", OPTION_TEXT, offsetof(train_args, checkpoint_every), 0, 0,
     "save a checkpoint after every N steps, or every N seconds (30s)"},
    {"resume", "RUN", OPTION_TEXT, offsetof(train_args, resume), 0, 0,
     "go on with a run that did not finish, from its checkpoint; with it go only --threads, "
     "--device, --memory-limit, --checkpoint-every, --log-steps, --no-figures and --json"},
    {"log-steps", "FILE", OPTION_TEXT, offsetof(train_args, log_steps), 0, 0,
     "write every step's training loss, one a line; with --resume the lines of the steps before are "
     "kept"},
    DATA_LIMIT_OPTION(train_args),
    FIGURES_OPTION(train_args),
    JSON_OPTION(train_args),
    {0},
};

const train_args train_defaults = {
    .data = DATA_DEFAULTS,
    .machine = MACHINE_DEFAULTS,
    .model = "v2",
    .hidden_units = 10,
    .epochs = 3,
    .lr = 0.1,
    .how = {.optimizer = "sgd", .schedule = "constant"},
    .seed = 42,
};

wick_status train_flags_check(cli_app *app, const wick_train_options *how)
{
    if (how->validation == NULL &&
        (how->patience != 0 || (how->keep != NULL && strcmp(how->keep, "best") == 0)))
        return app_usage(app, "--%s needs --validation, such as 0.1: nothing is chosen on the test half",
                         how->patience != 0 ? "patience" : "keep best");
    if (how->validation == NULL && how->split_seed != 0)
        return app_usage(app, "--split-seed goes with --validation");
    return WICK_OK;
}

void train_flags_fill(wick_train_options *how, double *lr, cli_train_given given)
{
    bool sgd = strcmp(how->optimizer, "sgd") == 0;
    if (!sgd && !given.lr)
        *lr = 0.001;
    if (!given.weight_decay && strcmp(how->optimizer, "adamw") == 0)
        how->weight_decay = 0.01;
    if (sgd)
        how->optimizer = NULL;
    if (how->patience != 0 && how->keep == NULL)
        how->keep = "best";
}

static char *format_weights(const wick_dataset *data, const int64_t *counts, int64_t classes)
{
    enum { NUMBER = 32 };
    char *text = malloc((size_t)classes * NUMBER), *at = text;
    for (int64_t c = 0; text != NULL && c < classes; c++) {
        double share = (double)wick_dataset_count(data) / ((double)classes * (double)counts[c]);
        at += snprintf(at, NUMBER, c == 0 ? "%.9g" : ",%.9g", counts[c] == 0 ? 0.0 : share);
    }
    return text;
}

wick_status train_flags_balance(cli_app *app, const wick_train_options *how, const wick_dataset *data,
                                char **weights)
{
    int64_t classes = wick_dataset_class_count(data), count = wick_dataset_count(data);
    const int64_t *labels = wick_dataset_labels(data);
    *weights = NULL;
    if (how->class_weights == NULL || strcmp(how->class_weights, "balanced") != 0)
        return WICK_OK;
    int64_t *counts = calloc((size_t)classes, sizeof(*counts));
    if (counts != NULL) {
        for (int64_t i = 0; i < count; i++)
            counts[labels[i]]++;
        *weights = format_weights(data, counts, classes);
        free(counts);
    }
    return *weights != NULL ? WICK_OK : app_fail(app, WICK_ENOMEM, "out of memory");
}
