/* Losses, optimizers, and the chapter's training and test loops. */
#ifndef WICK_TRAIN_H
#define WICK_TRAIN_H

#include <wick/data.h>
#include <wick/module.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- loss ---- */

typedef struct wick_loss wick_loss;

/* nn.CrossEntropyLoss(): the mean over the batch of -log softmax(logits)[target].
 * https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html */
WICK_API wick_status wick_cross_entropy_loss(wick_context *context, wick_loss **out);
typedef struct wick_cross_entropy_options {
    double label_smoothing; /* from 0 to 1 */
    const float *weight;    /* of each class, 0 or more; NULL: all 1. Copied */
    int64_t class_count;    /* how many weights there are */
} wick_cross_entropy_options;
/* nn.CrossEntropyLoss(weight, label_smoothing): with e the smoothing, w the weights and l = -log softmax(logits), an
 * example's loss is (1 - e) * w[target] * l[target] + e / C * the sum over all classes c of w[c] * l[c], and the value
 * the sum of the examples' losses over the sum of their targets' weights. NULL options are all zeros.
 * Errors: WICK_EINVAL for numbers out of range. */
WICK_API wick_status wick_cross_entropy_loss_new(wick_context *context,
                                                 const wick_cross_entropy_options *options,
                                                 wick_loss **out);
WICK_API void wick_loss_free(wick_loss *loss);
/* loss_fn(y_pred, y): logits [N, C] float32, targets [N] int64 in [0, C). The value is a float32 as in
 * PyTorch.
 * Errors: WICK_ESHAPE; WICK_EINVAL for a target out of range, naming it and its place. */
WICK_API wick_status wick_loss_forward(wick_loss *loss, const wick_tensor *logits,
                                       const wick_tensor *targets, float *value);
/* loss.backward(): sends the gradient of the last wick_loss_forward() back through the module whose
 * output the logits were, adding to its parameters' gradients.
 * Errors: WICK_EINVAL if there is no such forward; those of wick_module_backward(). */
WICK_API wick_status wick_loss_backward(wick_loss *loss, wick_module *module);
/* The gradient of the last loss with respect to the logits, [N, C]. Owned. */
WICK_API wick_status wick_loss_gradient(const wick_loss *loss, wick_tensor **out);

/* ---- optimizer ---- */

typedef struct wick_optimizer wick_optimizer;

typedef struct wick_sgd_options {
    double lr; /* 0: 1e-3, as torch.optim.SGD's default */
    double momentum, dampening, weight_decay;
    bool nesterov;
    /* Weight decay leaves parameters of one dimension alone: biases, and the weights of norm layers (timm's
     * filter_bias_and_bn). */
    bool no_decay_bias;
} wick_sgd_options;
/* torch.optim.SGD(module.parameters(), lr, momentum, dampening, weight_decay, nesterov): with g the gradient plus
 * weight_decay times the weight, m = momentum * m + (1 - dampening) * g (at first m = g), and the weight goes down
 * by lr * m, with nesterov by lr * (g + momentum * m). The module is borrowed until the optimizer is freed.
 * https://pytorch.org/docs/stable/generated/torch.optim.SGD.html
 * Errors: WICK_EINVAL for an lr, a momentum or a weight_decay that is negative or not finite, for nesterov without
 * momentum or with dampening. */
WICK_API wick_status wick_sgd(wick_module *module, const wick_sgd_options *options,
                              wick_optimizer **out);

/* An option that is to be 0 where 0 means its default. */
#define WICK_ZERO (-1.0)

/* Where a number is 0 it is PyTorch's default; WICK_ZERO stands for 0. */
typedef struct wick_adam_options {
    double lr;           /* 1e-3 */
    double beta1, beta2; /* 0.9, 0.999 */
    double eps;          /* 1e-8 */
    double weight_decay; /* Adam: 0, AdamW: 1e-2 */
    bool no_decay_bias;  /* as for SGD */
} wick_adam_options;
/* torch.optim.Adam(module.parameters(), lr, betas, eps, weight_decay), whose weight decay is added to the gradient,
 * and torch.optim.AdamW, whose weights shrink by lr * weight_decay before the step.
 * https://pytorch.org/docs/stable/generated/torch.optim.Adam.html
 * https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html
 * Errors: WICK_EINVAL for a number out of its range: the betas are from 0 to below 1. */
WICK_API wick_status wick_adam(wick_module *module, const wick_adam_options *options,
                               wick_optimizer **out);
WICK_API wick_status wick_adamw(wick_module *module, const wick_adam_options *options,
                                wick_optimizer **out);

WICK_API void wick_optimizer_free(wick_optimizer *optimizer);
WICK_API void wick_optimizer_zero_grad(wick_optimizer *optimizer);
/* Updates the parameters by their gradients. */
WICK_API wick_status wick_optimizer_step(wick_optimizer *optimizer);
enum { WICK_MAX_MILESTONES = 64 };

typedef enum wick_schedule_kind {
    WICK_SCHEDULE_CONSTANT,
    WICK_SCHEDULE_STEP,      /* StepLR: times gamma after every step_size steps */
    WICK_SCHEDULE_MULTISTEP, /* MultiStepLR: times gamma at each milestone */
    WICK_SCHEDULE_COSINE,    /* CosineAnnealingLR: down to min_lr along half a cosine */
    WICK_SCHEDULE_ONECYCLE,  /* OneCycleLR, its two phases of half a cosine */
} wick_schedule_kind;

/* A learning rate that changes with every step. The optimizer's lr is the base one, of OneCycleLR max_lr. Where a
 * number is 0 it is PyTorch's default. A warm-up goes before it (LinearLR): up from warmup_factor times the first
 * learning rate to it, in warmup_steps steps; the schedule then has the steps that are left.
 * https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate */
typedef struct wick_schedule {
    wick_schedule_kind kind;
    int64_t total_steps; /* of the whole training, the warm-up's among them: of cosine and one-cycle */
    int64_t warmup_steps;
    double warmup_factor; /* 0: 0.01 */
    int64_t step_size;
    double gamma;                            /* 0: 0.1 */
    int64_t milestones[WICK_MAX_MILESTONES]; /* in steps after the warm-up, going up */
    int milestone_count;
    double min_lr;
    double pct_start, div_factor, final_div_factor; /* 0: 0.3, 25, 1e4 */
    /* Of one-cycle: the momentum of SGD, or Adam's first beta, goes from max_momentum down to base_momentum while the
     * rate goes up, and back (PyTorch's cycle_momentum, there from 0.95 to 0.85 unless it is turned off); before, in a
     * warm-up, it is max_momentum. Both above 0 and below 1, max_momentum not below base_momentum; or both 0: no cycle. */
    double base_momentum, max_momentum;
} wick_schedule;
/* From now on every step takes its learning rate from the schedule, which is copied; NULL: lr again. The steps that
 * were made count ("step" is then in the state_dict).
 * Errors: WICK_EINVAL for a schedule that makes no sense, or that cycles the momentum of an SGD without one; the one
 * before stays. */
WICK_API wick_status wick_optimizer_set_schedule(wick_optimizer *optimizer,
                                                 const wick_schedule *schedule);
/* The learning rate of the next step. */
WICK_API double wick_optimizer_lr(const wick_optimizer *optimizer);

/* torch.nn.utils.clip_grad_norm_(module.parameters(), max_norm): the gradients are scaled so that the norm of all of them
 * together is at most max_norm. *norm, which may be NULL, is what it was before.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
 * Errors: WICK_EINVAL for a max_norm that is not above 0, WICK_ENOMEM. */
WICK_API wick_status wick_clip_grad_norm(wick_module *module, double max_norm, double *norm);
/* The same before every step of the optimizer from now on; 0: no more. */
WICK_API wick_status wick_optimizer_set_clip(wick_optimizer *optimizer, double max_norm);

/* An exponential moving average of the weights, and of the module's buffers (those that are no float32 are copied):
 * after every step average = d * average + (1 - d) * weights. As in timm's ModelEmaV3 and torch.optim.swa_utils the
 * first step's d is 0. In the k-th step after it d is min(decay, 1 - (1 + k)^(-2/3)), timm's warm-up, without which a
 * short training's average would be mostly of its first weights; with no_warmup d is decay. */
typedef struct wick_ema_options {
    double decay; /* between 0 and 1: 0.999 */
    bool no_warmup;
} wick_ema_options;
/* Begins an average, with the weights there are; NULL: none any more. It is part of the optimizer's state_dict.
 * Errors: WICK_EINVAL, WICK_ENOMEM. */
WICK_API wick_status wick_optimizer_set_ema(wick_optimizer *optimizer, const wick_ema_options *options);
/* Exchanges the module's weights and the average, to evaluate or save it; the next call exchanges them back. Between
 * the two the optimizer makes no steps and has no state_dict: WICK_EINVAL.
 * Errors: WICK_EINVAL if there is no average. */
WICK_API wick_status wick_optimizer_swap_average(wick_optimizer *optimizer);

/* optimizer.state_dict(), as one that wick_save() takes: its settings ("lr", ..., a double's bits as int64), "step",
 * how many steps it made, and what it keeps for each parameter, by the parameter's number in the module's
 * state_dict: "state.0.momentum_buffer", "state.0.exp_avg", "state.0.exp_avg_sq", and of an average "ema.0" and "ema_buffer.0". Of SGD without momentum and
 * weight decay it is "lr" alone. Owned. */
WICK_API wick_status wick_optimizer_state_dict(const wick_optimizer *optimizer, wick_state_dict **out);
/* optimizer.load_state_dict(dict). The optimizer must have been made as the one whose state it is; lr alone may
 * be another.
 * Errors: WICK_EKEY, naming a missing or unexpected key, WICK_EFORMAT; the optimizer stays as it
 * was. */
WICK_API wick_status wick_optimizer_load_state_dict(wick_optimizer *optimizer,
                                                    const wick_state_dict *dict);

/* ---- how a model is trained ---- */

/* The settings of a training beside its epochs, batch size and learning rate. All zeros is the chapter's way, and
 * a number that is 0 is 0 (and not a default). Text is borrowed. */
typedef struct wick_train_options {
    const char *optimizer; /* "sgd" (or NULL), "adam", "adamw" */
    double momentum, dampening;
    bool nesterov;
    double weight_decay;
    bool no_decay_bias;
    const char *betas; /* of Adam and AdamW: two numbers, "0.9,0.999" (or NULL) */
    double eps;        /* of Adam and AdamW; 0: 1e-8 */
    double label_smoothing;
    const char *class_weights;    /* of the loss: a number for each class, "1,0.5,2" (or NULL) */
    const char *schedule;         /* "constant" (or NULL), "step", "multistep", "cosine", "onecycle" */
    double warmup;                /* epochs */
    double warmup_factor;         /* this and the next: as in wick_schedule, 0 PyTorch's default */
    double decay_epochs;          /* of step */
    double decay_rate;            /* gamma */
    const char *decay_milestones; /* of multistep: epochs, "10,15" (or NULL) */
    double min_lr, pct_start, div_factor, final_div_factor;
    const char *cycle_momentum; /* of onecycle: base_momentum and max_momentum, "0.85,0.95" (or NULL) */
    double clip_grad;           /* the greatest norm of the gradients; 0: any */
    double ema;                 /* the decay of the weights' average; 0: none */
    bool ema_no_warmup;
    const char *validation; /* how much of the training half is held out: "0.1", "5000" (or NULL) */
    int64_t split_seed;     /* of the permutation that says which */
    int64_t patience;       /* epochs without a better accuracy of the validation part; 0: no end */
    const char *keep;       /* "last" (or NULL) or "best": of which epoch the weights are kept */
    bool drop_last;         /* of the loader of the training half */
    const char *tta; /* test-time augmentation, "none" (or NULL) or "flip": wick_module_set_tta() */
} wick_train_options;

/* The optimizer that the options name, for the module's parameters. lr is above 0. Owned.
 * Errors: WICK_EINVAL, for options that the optimizer does not have too; those of wick_sgd(), wick_adam() and
 * wick_adamw(). */
WICK_API wick_status wick_train_options_optimizer(const wick_train_options *options, wick_module *module,
                                                  double lr, wick_optimizer **out);

/* Gives the optimizer what the options say beside its kind: the schedule, over so many epochs of so many steps, the clipping of gradients and the average
 * of the weights.
 * Errors: WICK_EINVAL. */
WICK_API wick_status wick_train_options_apply(const wick_train_options *options,
                                              wick_optimizer *optimizer, int64_t epochs,
                                              int64_t steps_per_epoch);

/* The loss that the options name, for that many classes. Owned.
 * Errors: WICK_EINVAL, those of wick_cross_entropy_loss_new(); WICK_ENOMEM. */
WICK_API wick_status wick_train_options_loss(const wick_train_options *options, wick_context *context,
                                             int64_t class_count, wick_loss **out);

/* Gives the model the options' test-time augmentation.
 * Errors: WICK_EINVAL. */
WICK_API wick_status wick_train_options_tta(const wick_train_options *options, wick_module *model);

/* One of the options as text, for those who print them. */
typedef struct wick_train_setting {
    const char *flag;  /* wick train's, without the dashes: "weight-decay" */
    const char *title; /* "Weight decay" */
    const char *value; /* NULL: as in the chapter. Borrowed from the options, static, or `number` */
    bool bare;         /* the flag takes no value */
    char number[32];
} wick_train_setting;
/* Setting `index`, from 0 on; false if there are not so many. */
WICK_API bool wick_train_options_setting(const wick_train_options *options, int index,
                                         wick_train_setting *out);

/* ---- loops ---- */

/* 100 * correct / count, as the chapter's accuracy_fn: labels and predictions are int64 [N]. 0 for other
 * dtypes or sizes. */
WICK_API double wick_accuracy(const wick_tensor *labels, const wick_tensor *predictions);

/* Called for every batch of a loop, once it is done; the evaluation of a small model does several at once, and calls for one
 * after the other. Any field may be NULL. */
typedef struct wick_progress {
    /* batch counts from 0; loss is that batch's. */
    void (*batch)(void *user, int64_t batch, int64_t batches, float loss);
    void *user;
} wick_progress;

/* What a pass over a loader came to. loss and accuracy are the chapter's: means over batches, the
 * loss summed in float32 as the chapter's tensor is, the accuracy in double, in percent. correct
 * and count are exact. seconds is the time it took. */
typedef struct wick_metrics {
    float loss;
    double accuracy;
    int64_t correct;
    int64_t count;
    double seconds;
} wick_metrics;

/* train_step(model, data_loader, loss_fn, optimizer, accuracy_fn): one epoch of training, the fast
 * way: same numbers as forward, loss, zero_grad, backward and step called one by one. progress may
 * be NULL.
 * Errors: WICK_ESHAPE if the images do not fit the model or its output the classes, WICK_EINTR (the
 * step in hand is finished), WICK_EDIVERGED (the loss of a batch is NaN or infinite: the weights are of no use any
 * more), WICK_ENOMEM. */
WICK_API wick_status wick_train_step(wick_module *model, wick_loader *loader, wick_loss *loss_fn,
                                     wick_optimizer *optimizer, const wick_progress *progress,
                                     wick_metrics *out);

/* How far a pass over a loader has come, with the sums that its metrics are made of. All zeros: it
 * has not begun. */
typedef struct wick_pass {
    int64_t batches; /* done */
    int64_t correct, count;
    float loss;      /* the batches' losses, added in float32 */
    double accuracy; /* the batches' accuracies, added */
    double seconds;
} wick_pass;
/* wick_train_step() in parts, so that a training can be saved between two steps and gone on with:
 * at most `batches` batches more (0: all), from where the pass is, which is moved on after every
 * step. A pass that has not begun starts the loader's epoch; one that has is gone on with where the
 * loader is. It is over once pass->batches is wick_loader_length(). The numbers are those of the
 * epoch in one part.
 * Errors: those of wick_train_step(); after WICK_EINTR too the pass can be gone on with.
 * WICK_EINVAL if the loader is not where the pass is. */
WICK_API wick_status wick_train_part(wick_module *model, wick_loader *loader, wick_loss *loss_fn,
                                     wick_optimizer *optimizer, const wick_progress *progress,
                                     int64_t batches, wick_pass *pass);
/* What the pass has come to so far. */
WICK_API wick_metrics wick_pass_metrics(const wick_pass *pass);

/* test_step(model, data_loader, loss_fn, accuracy_fn): the model is put in evaluation mode. */
WICK_API wick_status wick_test_step(wick_module *model, wick_loader *loader, wick_loss *loss_fn,
                                    const wick_progress *progress, wick_metrics *out);
/* eval_model(): test_step that also gives every prediction. *logits, [count, classes] float32 in the
 * loader's order, and *labels, [count] int64, are owned; either pointer may be NULL. */
WICK_API wick_status wick_eval_model(wick_module *model, wick_loader *loader, wick_loss *loss_fn,
                                     const wick_progress *progress, wick_metrics *out,
                                     wick_tensor **logits, wick_tensor **labels);
/* make_predictions(model, data): images is [N, C, H, W]; *probabilities is [N, classes], owned. */
WICK_API wick_status wick_make_predictions(wick_module *model, const wick_tensor *images,
                                           wick_tensor **probabilities);

/* ---- metrics ---- */

/* How often class `row` was taken for class `column`: int64 [class_count, class_count], rows the
 * truth, as torchmetrics' ConfusionMatrix. Owned. labels and predictions are int64 [N].
 * Errors: WICK_ESHAPE; WICK_EINVAL for a number outside 0 .. class_count-1. */
WICK_API wick_status wick_confusion_matrix(const wick_tensor *labels, const wick_tensor *predictions,
                                           int64_t class_count, wick_tensor **out);

typedef struct wick_class_report {
    double precision, recall, f1; /* 0 where the denominator is 0, as scikit-learn's default */
    int64_t support;              /* how many examples are of this class */
} wick_class_report;
/* For each class of a confusion matrix; reports has room for its class_count.
 * Errors: WICK_ESHAPE. */
WICK_API wick_status wick_classification_report(const wick_tensor *confusion,
                                                wick_class_report *reports);

/* A wrong prediction: example `index` is of class truth and was taken for prediction, which has that
 * probability. */
typedef struct wick_error {
    int64_t index, truth, prediction;
    float probability;
} wick_error;
/* The examples whose most probable class (the first of equals) is not their label, surest first and
 * of equally sure ones in their order; one with a NaN among its probabilities is the least sure.
 * probabilities is float32 [N, C], labels int64 [N] in [0, C). *errors is owned, count long:
 * wick_free().
 * Errors: WICK_ESHAPE; WICK_EINVAL for a label outside 0 .. C-1; WICK_ENOMEM. */
WICK_API wick_status wick_wrong_predictions(const wick_tensor *probabilities, const wick_tensor *labels,
                                            wick_error **errors, int64_t *count);

/* Two classes, a below b, and how often each was taken for the other. */
typedef struct wick_confused_pair {
    int64_t a, b;
    int64_t a_as_b, b_as_a;
} wick_confused_pair;
/* The pairs of classes of a confusion matrix that were ever taken for each other, most often first, of
 * equals in their order. *pairs is owned, count long: wick_free().
 * Errors: WICK_ESHAPE, WICK_ENOMEM. */
WICK_API wick_status wick_confused_pairs(const wick_tensor *confusion, wick_confused_pair **pairs,
                                         int64_t *count);

/* Seconds from some fixed moment on, never going back (timeit.default_timer). */
WICK_API double wick_timer(void);

#ifdef __cplusplus
}
#endif
#endif
