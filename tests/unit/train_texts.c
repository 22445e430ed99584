/* What wick_train_options takes and refuses, and how it tells its settings: texts that come from args.json too. */
#include "train/train_options.h"

#include "optim/optimizer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct fixture {
    wick_context *context;
    wick_module *model;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    *state = &f;
    return wick_context_new(&f.context) == WICK_OK &&
                   wick_linear(f.context, 3, 2, NULL, &f.model) == WICK_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    wick_module_free(f->model);
    wick_context_free(f->context);
    return 0;
}

typedef struct refusal {
    wick_train_options options;
    const char *message;
} refusal;

#define OF(...)                                                                                         \
    {                                                                                                   \
        __VA_ARGS__                                                                                     \
    }

static void check_message(const fixture *f, wick_status status, const char *message)
{
    if (status != WICK_EINVAL || strcmp(wick_context_message(f->context), message) != 0)
        fail_msg("%s: %s; wanted: %s", wick_status_name(status), wick_context_message(f->context),
                 message);
}

static void refused_optimizers(void **state)
{
    static const refusal refusals[] = {
        {OF(.optimizer = "rmsprop"), "there is no optimizer 'rmsprop'; there are sgd, adam and adamw"},
        {OF(.betas = "0.9,0.99"), "sgd has no betas; adam and adamw have"},
        {OF(.optimizer = "sgd", .eps = 1e-6), "sgd has no eps; adam and adamw have"},
        {OF(.optimizer = "adam", .momentum = 0.9), "adam has no momentum; sgd has, and adam has betas"},
        {OF(.optimizer = "adamw", .dampening = 0.9),
         "adamw has no dampening; sgd has, and adamw has betas"},
        {OF(.optimizer = "adam", .nesterov = true), "adam has no nesterov; sgd has, and adam has betas"},
        {OF(.optimizer = "adam", .eps = -1), "eps is -1; it must be 0 or more"},
        {OF(.optimizer = "adam", .weight_decay = -2), "weight_decay is -2; it must be 0 or more"},
        {OF(.optimizer = "adam", .betas = ""),
         "the betas are ''; they must be two numbers such as 0.9,0.999"},
        {OF(.optimizer = "adam", .betas = "0.9"),
         "the betas are '0.9'; they must be two numbers such as 0.9,0.999"},
        {OF(.optimizer = "adam", .betas = "0.9;0.9"),
         "the betas are '0.9;0.9'; they must be two numbers such as 0.9,0.999"},
        {OF(.optimizer = "adam", .betas = "0.9,"),
         "the betas are '0.9,'; they must be two numbers such as 0.9,0.999"},
        {OF(.optimizer = "adam", .betas = "0.9,0.9,0.9"),
         "the betas are '0.9,0.9,0.9'; they must be two numbers such as 0.9,0.999"},
        {OF(.optimizer = "adam", .betas = "-0.1,0.9"),
         "the betas are '-0.1,0.9'; each must be from 0 to below 1"},
        {OF(.optimizer = "adam", .betas = "0.9,1"),
         "the betas are '0.9,1'; each must be from 0 to below 1"},
        {OF(.optimizer = "adam", .betas = "nan,0"),
         "the betas are 'nan,0'; each must be from 0 to below 1"},
    };
    const fixture *f = *state;
    wick_optimizer *optimizer = NULL;
    for (size_t i = 0; i < WKI_COUNT(refusals); i++)
        check_message(f, wick_train_options_optimizer(&refusals[i].options, f->model, 0.1, &optimizer),
                      refusals[i].message);
    assert_null(optimizer);
    const wick_train_options none = {0};
    assert_int_equal(wick_train_options_optimizer(NULL, f->model, 0.1, &optimizer), WICK_EINVAL);
    assert_int_equal(wick_train_options_optimizer(&none, NULL, 0.1, &optimizer), WICK_EINVAL);
    assert_int_equal(wick_train_options_optimizer(&none, f->model, 0.1, NULL), WICK_EINVAL);
}

static void taken_optimizers(void **state)
{
    const fixture *f = *state;
    wick_optimizer *optimizer;
    const wick_train_options zero = {.optimizer = "adam", .betas = "0,0.5", .eps = 1e-5};
    assert_int_equal(wick_train_options_optimizer(&zero, f->model, 0.1, &optimizer), WICK_OK);
    assert_true(optimizer->beta1 == 0.0 && optimizer->beta2 == 0.5 && optimizer->eps == 1e-5);
    wick_optimizer_free(optimizer);
    const wick_train_options usual = {.optimizer = "adamw", .weight_decay = 0.5};
    assert_int_equal(wick_train_options_optimizer(&usual, f->model, 0.1, &optimizer), WICK_OK);
    assert_true(optimizer->beta1 == 0.9 && optimizer->beta2 == 0.999 && optimizer->weight_decay == 0.5);
    wick_optimizer_free(optimizer);
    const wick_train_options none = {0};
    assert_int_equal(wick_train_options_optimizer(&none, f->model, 0.25, &optimizer), WICK_OK);
    assert_true(optimizer->lr == 0.25 && optimizer->momentum == 0.0);
    wick_optimizer_free(optimizer);
}

/* ---- the loss ---- */

static void losses(void **state)
{
    static const struct {
        const char *weights, *message;
    } refusals[] = {
        {"", "the weights of the classes are ''; they must be numbers with commas between"},
        {"1,2,", "the weights of the classes are '1,2,'; they must be numbers with commas between"},
        {"1;2,3", "the weights of the classes are '1;2,3'; they must be numbers with commas between"},
        {"1,2", "there are 2 weights for 3 classes"},
        {"1,2,3,4", "there are 4 weights for 3 classes"},
    };
    const fixture *f = *state;
    wick_loss *loss = NULL;
    for (size_t i = 0; i < WKI_COUNT(refusals); i++)
        check_message(
            f,
            wick_train_options_loss(&(wick_train_options){.class_weights = refusals[i].weights},
                                    f->context, 3, &loss),
            refusals[i].message);
    const wick_train_options weighted = {.class_weights = "1,0.5,2", .label_smoothing = 0.1}, none = {0};
    check_message(f, wick_train_options_loss(&weighted, f->context, 0, &loss),
                  "there are 3 weights for 0 classes");
    assert_null(loss);
    assert_int_equal(wick_train_options_loss(NULL, f->context, 3, &loss), WICK_EINVAL);
    assert_int_equal(wick_train_options_loss(&none, NULL, 3, &loss), WICK_EINVAL);
    assert_int_equal(wick_train_options_loss(&none, f->context, 3, NULL), WICK_EINVAL);
    assert_int_equal(wick_train_options_loss(&weighted, f->context, 3, &loss), WICK_OK);
    wick_loss_free(loss);
}

/* ---- the schedule ---- */

static wick_status apply(const fixture *f, const wick_train_options *options, int64_t epochs,
                         wick_optimizer **out)
{
    assert_int_equal(wick_sgd(f->model, &(wick_sgd_options){.lr = 0.1}, out), WICK_OK);
    return wick_train_options_apply(options, *out, epochs, 10);
}

static void refused_schedules(void **state)
{
    static const refusal refusals[] = {
        {OF(.schedule = "linear"),
         "there is no schedule 'linear'; there are constant, step, multistep, cosine and onecycle"},
        {OF(.decay_epochs = 1), "decay-epochs goes with step, and the schedule is constant"},
        {OF(.schedule = "step"), "the schedule step needs decay-epochs"},
        {OF(.schedule = "cosine", .decay_milestones = "1"),
         "decay-milestones goes with multistep, and the schedule is cosine"},
        {OF(.schedule = "multistep"), "the schedule multistep needs decay-milestones"},
        {OF(.schedule = "onecycle", .decay_rate = 0.5),
         "decay-rate goes with step and multistep, and the schedule is onecycle"},
        {OF(.schedule = "onecycle", .min_lr = 0.5),
         "min-lr goes with cosine, and the schedule is onecycle"},
        {OF(.cycle_momentum = "0.8,0.9"),
         "cycle-momentum goes with onecycle, and the schedule is constant"},
        {OF(.schedule = "onecycle", .cycle_momentum = "0.8"),
         "the momentums are '0.8'; they must be two numbers such as 0.85,0.95"},
        {OF(.schedule = "onecycle", .cycle_momentum = "0,0"),
         "the momentums are '0,0'; the second must be above 0"},
        {OF(.schedule = "onecycle", .cycle_momentum = "0.8,1"),
         "the momentums are '0.8,1'; each must be from 0 to below 1"},
        {OF(.pct_start = 0.5), "pct-start goes with onecycle, and the schedule is constant"},
        {OF(.schedule = "cosine", .div_factor = 5),
         "div-factor goes with onecycle, and the schedule is cosine"},
        {OF(.schedule = "cosine", .final_div_factor = 5),
         "final-div-factor goes with onecycle, and the schedule is cosine"},
        {OF(.warmup_factor = 0.1), "warmup-factor goes with warmup, and the schedule is constant"},
        {OF(.warmup = -1),
         "the warm-up is -1 epochs; it must be 0 or more, and no more than there can be"},
        {OF(.warmup = 1e15),
         "the warm-up is 1e+15 epochs; it must be 0 or more, and no more than there can be"},
        {OF(.schedule = "step", .decay_epochs = -1),
         "decay-epochs is -1 epochs; it must be 0 or more, and no more than there can be"},
        {OF(.schedule = "multistep", .decay_milestones = "1,nan"),
         "a milestone is nan epochs; it must be 0 or more, and no more than there can be"},
        {OF(.schedule = "multistep", .decay_milestones = ""),
         "the milestones are ''; they must be up to 64 epochs with commas between, such as 10,15"},
        {OF(.schedule = "multistep", .decay_milestones = "1;2"),
         "the milestones are '1;2'; they must be up to 64 epochs with commas between, such as 10,15"},
        {OF(.ema_no_warmup = true), "ema-no-warmup goes with ema"},
        {OF(.clip_grad = -1), "the greatest norm of the gradients is -1; it must be above 0"},
        {OF(.ema = 1), "the average's decay is 1; it must be between 0 and 1"},
    };
    const fixture *f = *state;
    wick_optimizer *optimizer;
    for (size_t i = 0; i < WKI_COUNT(refusals); i++) {
        check_message(f, apply(f, &refusals[i].options, 3, &optimizer), refusals[i].message);
        wick_optimizer_free(optimizer);
    }
    const wick_train_options none = {0};
    assert_int_equal(wick_train_options_apply(&none, NULL, 3, 10), WICK_EINVAL);
    check_message(
        f, apply(f, &none, INT64_MAX, &optimizer),
        "the training is 9.22337e+18 epochs; it must be 0 or more, and no more than there can be");
    assert_int_equal(wick_train_options_apply(NULL, optimizer, 3, 10), WICK_EINVAL);
    wick_optimizer_free(optimizer);
}

static void many_milestones(void **state)
{
    const fixture *f = *state;
    char text[4 * WICK_MAX_MILESTONES + 8] = "0";
    const wick_train_options options = {.schedule = "multistep", .decay_milestones = text};
    wick_optimizer *optimizer;
    for (int i = 1; i < WICK_MAX_MILESTONES; i++)
        sprintf(text + strlen(text), ",%d", i);
    assert_int_equal(apply(f, &options, 100, &optimizer), WICK_OK);
    assert_int_equal(optimizer->schedule.milestone_count, WICK_MAX_MILESTONES);
    assert_int_equal(optimizer->schedule.milestones[WICK_MAX_MILESTONES - 1],
                     10 * (WICK_MAX_MILESTONES - 1));
    wick_optimizer_free(optimizer);
    strcat(text, ",99");
    assert_int_equal(apply(f, &options, 100, &optimizer), WICK_EINVAL);
    wick_optimizer_free(optimizer);
}

static void taken_schedules(void **state)
{
    const fixture *f = *state;
    wick_optimizer *optimizer;
    assert_int_equal(apply(f, &(wick_train_options){.warmup = 0.5}, 3, &optimizer), WICK_OK);
    assert_true(optimizer->scheduled && optimizer->schedule.warmup_steps == 5);
    wick_optimizer_free(optimizer);
    assert_int_equal(apply(f, &(wick_train_options){.schedule = "constant"}, 3, &optimizer), WICK_OK);
    assert_false(optimizer->scheduled);
    wick_optimizer_free(optimizer);
    const wick_train_options cycle = {
        .schedule = "onecycle", .pct_start = 0.5, .div_factor = 10, .final_div_factor = 100};
    assert_int_equal(apply(f, &cycle, 3, &optimizer), WICK_OK);
    assert_true(optimizer->schedule.total_steps == 30 && optimizer->schedule.div_factor == 10);
    assert_true(fabs(wick_optimizer_lr(optimizer) - 0.01) < 1e-12);
    wick_optimizer_free(optimizer);
}

/* ---- as text ---- */

static void settings(void **state)
{
    (void)state;
    const wick_train_options options = {.optimizer = "adam",
                                        .schedule = "constant", /* the chapter's */
                                        .nesterov = true,
                                        .weight_decay = 0.001,
                                        .patience = 4};
    wick_train_setting setting;
    char text[256] = "";
    int count = 0;
    for (; wick_train_options_setting(&options, count, &setting); count++) {
        assert_non_null(setting.flag);
        assert_non_null(setting.title);
        if (setting.value != NULL)
            sprintf(text + strlen(text), "%s%s=%s ", setting.flag, setting.bare ? "!" : "",
                    setting.value);
    }
    assert_string_equal(text, "optimizer=adam nesterov!=yes weight-decay=0.001 patience=4 ");
    assert_true(count > 20);
    assert_false(wick_train_options_setting(&options, -1, &setting));
    assert_false(wick_train_options_setting(NULL, 0, &setting));
    assert_false(wick_train_options_setting(&options, 0, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_optimizers),
        cmocka_unit_test(taken_optimizers),
        cmocka_unit_test(losses),
        cmocka_unit_test(refused_schedules),
        cmocka_unit_test(many_milestones),
        cmocka_unit_test(taken_schedules),
        cmocka_unit_test(settings),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
