/* The loops: one step by hand, an epoch of train_step, test_step, eval_model, predictions, metrics. */
#include "fault.h"

#include <math.h>
#include <string.h>

enum { COUNT = 10, SIDE = 28, CLASSES = 3 };

typedef struct setting {
    wick_dataset *dataset;
    wick_loader *loader;
    wick_module *model;
    wick_loss *loss;
    wick_optimizer *optimizer;
} setting;

static wick_status make_dataset(wick_context *context, wick_dataset **out)
{
    static const char *const classes[CLASSES] = {"circle", "square", "star"};
    static uint8_t pixels[COUNT * SIDE * SIDE];
    int64_t labels[COUNT];
    for (int i = 0; i < COUNT * SIDE * SIDE; i++)
        pixels[i] = (uint8_t)(i * 7);
    for (int i = 0; i < COUNT; i++)
        labels[i] = i % CLASSES;
    return wick_dataset_from(context, COUNT, 1, SIDE, SIDE, pixels, labels, CLASSES, classes, out);
}

static wick_status make_setting(wick_context *context, const char *model, setting *s)
{
    static const int64_t image[3] = {1, SIDE, SIDE};
    wick_status status;
    wick_manual_seed(context, 42);
    FAULT_TRY(make_dataset(context, &s->dataset));
    FAULT_TRY(wick_loader_new(s->dataset, &(wick_loader_options){.batch_size = 4, .shuffle = true},
                              &s->loader));
    FAULT_TRY(wick_model_by_name(context, model, image, 3, CLASSES, &s->model));
    FAULT_TRY(wick_cross_entropy_loss(context, &s->loss));
    FAULT_TRY(wick_sgd(s->model, &(wick_sgd_options){.lr = 0.1}, &s->optimizer));
out:
    return status;
}

static void release(setting *s)
{
    wick_optimizer_free(s->optimizer);
    wick_loss_free(s->loss);
    wick_module_free(s->model);
    wick_loader_free(s->loader);
    wick_dataset_free(s->dataset);
}

static wick_status loops(const char *model, wick_context *context)
{
    setting s = {0};
    wick_metrics train, test, eval;
    wick_tensor *logits = NULL, *labels = NULL, *guesses = NULL, *confusion = NULL;
    wick_class_report reports[CLASSES];
    wick_status status;
    FAULT_TRY(make_setting(context, model, &s));
    FAULT_TRY(wick_train_step(s.model, s.loader, s.loss, s.optimizer, NULL, &train));
    FAULT_CHECK(train.count == COUNT && isfinite(train.loss) && train.loss > 0);
    FAULT_TRY(wick_test_step(s.model, s.loader, s.loss, NULL, &test));
    FAULT_TRY(wick_eval_model(s.model, s.loader, s.loss, NULL, &eval, &logits, &labels));
    FAULT_CHECK(eval.correct == test.correct && wick_tensor_size(logits, 0) == COUNT);
    FAULT_TRY(wick_tensor_argmax(logits, &guesses));
    FAULT_TRY(wick_confusion_matrix(labels, guesses, CLASSES, &confusion));
    FAULT_TRY(wick_classification_report(confusion, reports));
    FAULT_CHECK(reports[0].support + reports[1].support + reports[2].support == COUNT);
out:
    wick_tensor_free(confusion);
    wick_tensor_free(guesses);
    wick_tensor_free(labels);
    wick_tensor_free(logits);
    release(&s);
    return status;
}

static wick_status run_loops_v1(wick_context *context, const char *folder)
{
    (void)folder;
    return loops("v1", context);
}

static wick_status run_loops_v2(wick_context *context, const char *folder)
{
    (void)folder;
    return loops("v2", context);
}

static wick_status run_by_hand(wick_context *context, const char *folder)
{
    (void)folder;
    setting s = {0};
    wick_tensor *images = NULL, *labels = NULL, *logits = NULL, *gradient = NULL, *grad_input = NULL,
                *probabilities = NULL;
    float loss;
    wick_status status;
    FAULT_TRY(make_setting(context, "v2", &s));
    FAULT_TRY(wick_loader_begin(s.loader));
    FAULT_TRY(wick_loader_next(s.loader, &images, &labels));
    FAULT_TRY(wick_module_forward(s.model, images, &logits));
    FAULT_TRY(wick_loss_forward(s.loss, logits, labels, &loss));
    FAULT_CHECK(isfinite(loss) && loss > 0);
    wick_optimizer_zero_grad(s.optimizer);
    FAULT_TRY(wick_loss_backward(s.loss, s.model));
    FAULT_TRY(wick_optimizer_step(s.optimizer));
    FAULT_TRY(wick_loss_gradient(s.loss, &gradient));
    wick_tensor_free(logits);
    logits = NULL;
    FAULT_TRY(wick_module_forward(s.model, images, &logits));
    FAULT_TRY(wick_module_backward(s.model, gradient, &grad_input));
    FAULT_CHECK(wick_tensor_numel(grad_input) == wick_tensor_numel(images));
    FAULT_TRY(wick_make_predictions(s.model, images, &probabilities));
    FAULT_CHECK(wick_tensor_size(probabilities, 1) == CLASSES);
out:
    wick_tensor_free(probabilities);
    wick_tensor_free(grad_input);
    wick_tensor_free(gradient);
    wick_tensor_free(logits);
    wick_tensor_free(labels);
    wick_tensor_free(images);
    release(&s);
    return status;
}

/* ---- what options add to a training ---- */

static const wick_train_options options = {.optimizer = "adamw",
                                           .betas = "0.8,0.99",
                                           .weight_decay = 0.01,
                                           .no_decay_bias = true,
                                           .label_smoothing = 0.1,
                                           .class_weights = "1,0.5,2",
                                           .schedule = "multistep",
                                           .decay_milestones = "0.5,1",
                                           .warmup = 0.4,
                                           .clip_grad = 0.1,
                                           .ema = 0.9};

/* As make_setting(), with batch normalisation, whose buffers an average has as well. */
static wick_status make_optioned(wick_context *context, setting *s)
{
    static const int64_t image[3] = {1, SIDE, SIDE};
    wick_status status;
    wick_manual_seed(context, 42);
    FAULT_TRY(make_dataset(context, &s->dataset));
    FAULT_TRY(wick_loader_new(s->dataset, &(wick_loader_options){.batch_size = 4}, &s->loader));
    FAULT_TRY(wick_model_parse(context, "Sequential(Flatten(), BatchNorm1d(784), LazyLinear(3))", image,
                               &s->model));
    FAULT_TRY(wick_train_options_loss(&options, context, CLASSES, &s->loss));
    FAULT_TRY(wick_train_options_optimizer(&options, s->model, 0.01, &s->optimizer));
    FAULT_TRY(wick_train_options_apply(&options, s->optimizer, 2, wick_loader_length(s->loader)));
out:
    return status;
}

/* The settings can be changed on the way: what could not be set leaves what there was, or nothing. */
static wick_status change_options(setting *s)
{
    double norm = -1;
    wick_status status;
    FAULT_TRY(wick_clip_grad_norm(s->model, 0.01, &norm));
    FAULT_CHECK(norm >= 0);
    FAULT_TRY(wick_optimizer_set_clip(s->optimizer, 3));
    FAULT_TRY(wick_optimizer_set_ema(s->optimizer, &(wick_ema_options){.decay = 0.5}));
    FAULT_TRY(wick_optimizer_set_ema(s->optimizer, NULL));
    FAULT_TRY(wick_optimizer_set_clip(s->optimizer, 0));
out:
    return status;
}

static wick_status run_options(wick_context *context, const char *folder)
{
    (void)folder;
    setting s = {0};
    wick_metrics metrics;
    wick_state_dict *dict = NULL, *other = NULL;
    wick_status status;
    FAULT_TRY(make_optioned(context, &s));
    FAULT_TRY(wick_train_step(s.model, s.loader, s.loss, s.optimizer, NULL, &metrics));
    FAULT_CHECK(metrics.count == COUNT && isfinite(metrics.loss));
    FAULT_TRY(wick_optimizer_swap_average(s.optimizer));
    FAULT_TRY(wick_test_step(s.model, s.loader, s.loss, NULL, &metrics));
    FAULT_TRY(wick_optimizer_swap_average(s.optimizer));
    FAULT_TRY(wick_optimizer_state_dict(s.optimizer, &dict));
    FAULT_CHECK(wick_state_dict_get(dict, "ema.0") != NULL);
    FAULT_TRY(wick_optimizer_load_state_dict(s.optimizer, dict));
    FAULT_TRY(wick_train_step(s.model, s.loader, s.loss, s.optimizer, NULL, &metrics));
    FAULT_TRY(wick_optimizer_state_dict(s.optimizer, &other));
    FAULT_TRY(change_options(&s));
out:
    wick_state_dict_free(other);
    wick_state_dict_free(dict);
    release(&s);
    return status;
}

/* A part held out, as random_split() does: a permutation and two subsets. */
static wick_status run_split(wick_context *context, const char *folder)
{
    (void)folder;
    wick_dataset *whole = NULL, *rest = NULL, *held = NULL;
    wick_generator *generator = NULL;
    wick_tensor *order = NULL;
    wick_status status;
    FAULT_TRY(make_dataset(context, &whole));
    FAULT_TRY(wick_generator_new(context, &generator));
    wick_generator_manual_seed(generator, 3);
    FAULT_TRY(wick_randperm(context, generator, COUNT, &order));
    FAULT_TRY(wick_dataset_subset(whole, COUNT - 3, wick_tensor_i64(order), &rest));
    FAULT_TRY(wick_dataset_subset(whole, 3, wick_tensor_i64(order) + COUNT - 3, &held));
    wick_dataset_free(whole);
    whole = NULL;
    FAULT_CHECK(wick_dataset_count(rest) == COUNT - 3 && wick_dataset_count(held) == 3);
    FAULT_CHECK(wick_dataset_labels(held)[0] == wick_tensor_i64(order)[COUNT - 3] % CLASSES);
out:
    wick_tensor_free(order);
    wick_generator_free(generator);
    wick_dataset_free(held);
    wick_dataset_free(rest);
    wick_dataset_free(whole);
    return status;
}

const fault_scenario fault_scenarios[] = {
    {.name = "loops_v1", .run = run_loops_v1}, {.name = "loops_v2", .run = run_loops_v2},
    {.name = "by_hand", .run = run_by_hand},   {.name = "options", .run = run_options},
    {.name = "split", .run = run_split},       {0},
};
