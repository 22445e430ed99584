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

const fault_scenario fault_scenarios[] = {
    {.name = "loops_v1", .run = run_loops_v1},
    {.name = "loops_v2", .run = run_loops_v2},
    {.name = "by_hand", .run = run_by_hand},
    {0},
};
