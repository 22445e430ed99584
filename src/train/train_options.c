#include "train/train_options.h"

#include "optim/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(wick_train_options, field)

const wki_train_option wki_train_options[] = {
    {"optimizer", "optimizer", "Optimizer", WKI_OPTION_TEXT, AT(optimizer), "sgd"},
    {"momentum", "momentum", "Momentum", WKI_OPTION_NUMBER, AT(momentum), NULL},
    {"dampening", "dampening", "Dampening", WKI_OPTION_NUMBER, AT(dampening), NULL},
    {"nesterov", "nesterov", "Nesterov", WKI_OPTION_FLAG, AT(nesterov), NULL},
    {"weight_decay", "weight-decay", "Weight decay", WKI_OPTION_NUMBER, AT(weight_decay), NULL},
    {"no_decay_bias", "no-decay-bias", "No weight decay of biases and norms", WKI_OPTION_FLAG,
     AT(no_decay_bias), NULL},
    {"betas", "betas", "Betas", WKI_OPTION_TEXT, AT(betas), NULL},
    {"eps", "eps", "Epsilon", WKI_OPTION_NUMBER, AT(eps), NULL},
    {"label_smoothing", "label-smoothing", "Label smoothing", WKI_OPTION_NUMBER, AT(label_smoothing),
     NULL},
    {"class_weights", "class-weights", "Class weights", WKI_OPTION_TEXT, AT(class_weights), NULL},
    {"schedule", "schedule", "Schedule", WKI_OPTION_TEXT, AT(schedule), "constant"},
    {"warmup", "warmup", "Warm-up, epochs", WKI_OPTION_NUMBER, AT(warmup), NULL},
    {"warmup_factor", "warmup-factor", "Warm-up from this share on", WKI_OPTION_NUMBER,
     AT(warmup_factor), NULL},
    {"decay_epochs", "decay-epochs", "Decay every epochs", WKI_OPTION_NUMBER, AT(decay_epochs), NULL},
    {"decay_rate", "decay-rate", "Decay rate", WKI_OPTION_NUMBER, AT(decay_rate), NULL},
    {"decay_milestones", "decay-milestones", "Decay at epochs", WKI_OPTION_TEXT, AT(decay_milestones),
     NULL},
    {"min_lr", "min-lr", "Least learning rate", WKI_OPTION_NUMBER, AT(min_lr), NULL},
    {"pct_start", "pct-start", "Share of steps that go up", WKI_OPTION_NUMBER, AT(pct_start), NULL},
    {"div_factor", "div-factor", "Division at the start", WKI_OPTION_NUMBER, AT(div_factor), NULL},
    {"final_div_factor", "final-div-factor", "Division at the end", WKI_OPTION_NUMBER,
     AT(final_div_factor), NULL},
    {"cycle_momentum", "cycle-momentum", "Momentum cycles between", WKI_OPTION_TEXT, AT(cycle_momentum),
     NULL},
    {"clip_grad", "clip-grad", "Gradients clipped at the norm", WKI_OPTION_NUMBER, AT(clip_grad), NULL},
    {"ema", "ema", "Average of the weights, decay", WKI_OPTION_NUMBER, AT(ema), NULL},
    {"ema_no_warmup", "ema-no-warmup", "Average without a warm-up", WKI_OPTION_FLAG, AT(ema_no_warmup),
     NULL},
    {"validation", "validation", "Held out for validation", WKI_OPTION_TEXT, AT(validation), NULL},
    {"split_seed", "split-seed", "Seed of the validation part", WKI_OPTION_COUNT, AT(split_seed), NULL},
    {"patience", "patience", "Patience, epochs", WKI_OPTION_COUNT, AT(patience), NULL},
    {"keep", "keep", "Weights kept", WKI_OPTION_TEXT, AT(keep), "last"},
    {"drop_last", "drop-last", "A short last batch is left out", WKI_OPTION_FLAG, AT(drop_last), NULL},
    {"tta", "tta", "Test-time augmentation", WKI_OPTION_TEXT, AT(tta), "none"},
    {NULL, NULL, NULL, WKI_OPTION_TEXT, 0, NULL},
};

/* ---- as text ---- */

bool wki_train_option_is_set(const wick_train_options *options, const wki_train_option *option)
{
    const void *at = wki_train_option_at(options, option);
    const char *text;
    switch (option->kind) {
    case WKI_OPTION_TEXT:
        text = *(const char *const *)at;
        return text != NULL && (option->chapter == NULL || strcmp(text, option->chapter) != 0);
    case WKI_OPTION_NUMBER:
        return *(const double *)at != 0.0;
    case WKI_OPTION_COUNT:
        return *(const int64_t *)at != 0;
    case WKI_OPTION_FLAG:
        return *(const bool *)at;
    }
    return false;
}

bool wick_train_options_setting(const wick_train_options *options, int index, wick_train_setting *out)
{
    if (options == NULL || out == NULL || index < 0 || (size_t)index >= WKI_COUNT(wki_train_options) - 1)
        return false;
    const wki_train_option *option = &wki_train_options[index];
    const void *at = wki_train_option_at(options, option);
    *out = (wick_train_setting){
        .flag = option->flag, .title = option->title, .bare = option->kind == WKI_OPTION_FLAG};
    if (option->kind == WKI_OPTION_NUMBER)
        wki_repr(*(const double *)at, out->number);
    else if (option->kind == WKI_OPTION_COUNT)
        snprintf(out->number, sizeof(out->number), "%lld", (long long)*(const int64_t *)at);
    if (wki_train_option_is_set(options, option))
        out->value = option->kind == WKI_OPTION_TEXT ? *(const char *const *)at
                     : out->bare                     ? "yes"
                                                     : out->number;
    return true;
}

/* ---- the optimizer ---- */

static double or_zero(double value)
{
    return value == 0.0 ? WICK_ZERO : value;
}

/* "0.9,0.999", each from 0 to below 1. */
static wick_status read_pair(wick_context *context, const char *what, const char *example,
                             const char *text, double pair[2])
{
    char *end;
    pair[0] = pair[1] = 0.0;
    if (text == NULL)
        return WICK_OK;
    pair[0] = strtod(text, &end);
    bool fine = end != text && *end == ',';
    if (fine) {
        const char *second = end + 1;
        pair[1] = strtod(second, &end);
        fine = end != second && *end == '\0';
    }
    if (!fine)
        return wki_fail(context, WICK_EINVAL, "the %s are '%s'; they must be two numbers such as %s",
                        what, text, example);
    for (int i = 0; i < 2; i++)
        if (!(pair[i] >= 0.0 && pair[i] < 1.0))
            return wki_fail(context, WICK_EINVAL, "the %s are '%s'; each must be from 0 to below 1",
                            what, text);
    return WICK_OK;
}

static wick_status make_sgd(const wick_train_options *o, wick_module *module, double lr,
                            wick_optimizer **out)
{
    const wick_sgd_options options = {lr,          o->momentum,     o->dampening, o->weight_decay,
                                      o->nesterov, o->no_decay_bias};
    if (o->betas != NULL || o->eps != 0.0)
        return wki_fail(module->context, WICK_EINVAL, "sgd has no %s; adam and adamw have",
                        o->betas != NULL ? "betas" : "eps");
    return wick_sgd(module, &options, out);
}

static wick_status make_adam(const wick_train_options *o, wick_module *module, double lr,
                             wick_optimizer **out)
{
    double betas[2];
    if (o->momentum != 0.0 || o->dampening != 0.0 || o->nesterov)
        return wki_fail(module->context, WICK_EINVAL, "%s has no %s; sgd has, and %s has betas",
                        o->optimizer,
                        o->momentum != 0.0    ? "momentum"
                        : o->dampening != 0.0 ? "dampening"
                                              : "nesterov",
                        o->optimizer);
    if (o->weight_decay < 0.0 || o->eps < 0.0)
        return wki_fail(module->context, WICK_EINVAL, "%s is %g; it must be 0 or more",
                        o->eps < 0.0 ? "eps" : "weight_decay", o->eps < 0.0 ? o->eps : o->weight_decay);
    WKI_TRY(read_pair(module->context, "betas", "0.9,0.999", o->betas, betas));
    for (int i = 0; i < 2 && o->betas != NULL; i++)
        betas[i] = or_zero(betas[i]);
    const wick_adam_options options = {
        lr, betas[0], betas[1], o->eps, or_zero(o->weight_decay), o->no_decay_bias};
    return (strcmp(o->optimizer, "adam") == 0 ? wick_adam : wick_adamw)(module, &options, out);
}

wick_status wick_train_options_optimizer(const wick_train_options *options, wick_module *module,
                                         double lr, wick_optimizer **out)
{
    if (options == NULL || module == NULL || out == NULL)
        return WICK_EINVAL;
    const char *name = options->optimizer != NULL ? options->optimizer : "sgd";
    if (strcmp(name, "sgd") == 0)
        return make_sgd(options, module, lr, out);
    if (strcmp(name, "adam") == 0 || strcmp(name, "adamw") == 0)
        return make_adam(options, module, lr, out);
    return wki_fail(module->context, WICK_EINVAL,
                    "there is no optimizer '%s'; there are sgd, adam and adamw", name);
}

/* ---- the loss ---- */

/* "1,0.5,2" as class_count numbers. */
static wick_status read_weights(wick_context *context, const char *text, int64_t class_count,
                                float *weights)
{
    int64_t count = 0;
    for (const char *c = text;; c++) {
        char *end;
        double number = strtod(c, &end);
        if (end == c || (*end != ',' && *end != '\0'))
            return wki_fail(
                context, WICK_EINVAL,
                "the weights of the classes are '%s'; they must be numbers with commas between", text);
        if (count < class_count)
            weights[count] = (float)number;
        count++;
        c = end;
        if (*c == '\0')
            break;
    }
    if (count != class_count)
        return wki_fail(context, WICK_EINVAL, "there are %lld weights for %lld classes",
                        (long long)count, (long long)class_count);
    return WICK_OK;
}

wick_status wick_train_options_loss(const wick_train_options *options, wick_context *context,
                                    int64_t class_count, wick_loss **out)
{
    if (options == NULL || context == NULL || out == NULL)
        return WICK_EINVAL;
    wick_cross_entropy_options loss = {.label_smoothing = options->label_smoothing};
    wick_status status = WICK_OK;
    void *memory = NULL;
    if (options->class_weights != NULL) {
        WKI_TRY(wki_alloc(context, class_count > 0 ? (size_t)class_count : 0, sizeof(float),
                          "the weights of the classes", &memory));
        status = read_weights(context, options->class_weights, class_count, memory);
        loss.weight = memory;
        loss.class_count = class_count;
    }
    if (status == WICK_OK)
        status = wick_cross_entropy_loss_new(context, &loss, out);
    free(memory);
    return status;
}

wick_status wick_train_options_tta(const wick_train_options *options, wick_module *model)
{
    if (options == NULL || model == NULL)
        return WICK_EINVAL;
    const char *tta = options->tta != NULL ? options->tta : "none";
    if (strcmp(tta, "none") != 0 && strcmp(tta, "flip") != 0)
        return wki_fail(model->context, WICK_EINVAL,
                        "there is no test-time augmentation '%s'; there are none and flip", tta);
    wick_module_set_tta(model, strcmp(tta, "flip") == 0 ? WICK_TTA_FLIP : WICK_TTA_NONE);
    return WICK_OK;
}

/* ---- the schedule ---- */

static const char *const schedule_names[] = {"constant", "step", "multistep", "cosine", "onecycle"};

static wick_status find_schedule(wick_context *context, const char *name, wick_schedule_kind *out)
{
    for (size_t i = 0; i < WKI_COUNT(schedule_names); i++)
        if (strcmp(name, schedule_names[i]) == 0) {
            *out = (wick_schedule_kind)i;
            return WICK_OK;
        }
    return wki_fail(
        context, WICK_EINVAL,
        "there is no schedule '%s'; there are constant, step, multistep, cosine and onecycle", name);
}

/* So many epochs in steps. */
static wick_status in_steps(wick_context *context, const char *what, double epochs,
                            int64_t steps_per_epoch, int64_t *out)
{
    double steps = epochs * (double)steps_per_epoch;
    if (!(steps >= 0.0 && steps < 1e15))
        return wki_fail(context, WICK_EINVAL,
                        "%s is %g epochs; it must be 0 or more, and no more than there can be", what,
                        epochs);
    *out = llround(steps);
    return WICK_OK;
}

static wick_status read_milestones(wick_context *context, const char *text, int64_t steps_per_epoch,
                                   wick_schedule *out)
{
    for (const char *c = text; text != NULL;) {
        char *end;
        double epoch = strtod(c, &end);
        if (end == c || (*end != ',' && *end != '\0') || out->milestone_count == WICK_MAX_MILESTONES)
            return wki_fail(context, WICK_EINVAL,
                            "the milestones are '%s'; they must be up to %d epochs with commas between, "
                            "such as 10,15",
                            text, WICK_MAX_MILESTONES);
        WKI_TRY(in_steps(context, "a milestone", epoch, steps_per_epoch,
                         &out->milestones[out->milestone_count++]));
        if (*end == '\0')
            break;
        c = end + 1;
    }
    return WICK_OK;
}

/* An option that the schedule does not have is more likely a mistake than meant. */
static wick_status check_schedule(wick_context *context, const wick_train_options *o,
                                  wick_schedule_kind kind)
{
    bool step = kind == WICK_SCHEDULE_STEP, multistep = kind == WICK_SCHEDULE_MULTISTEP;
    bool cycle = kind == WICK_SCHEDULE_ONECYCLE;
    const struct {
        bool wrong;
        const char *what, *whose;
    } checks[] = {
        {o->decay_epochs != 0.0 && !step, "decay-epochs", "step"},
        {step && o->decay_epochs == 0.0, NULL, "step needs decay-epochs"},
        {o->decay_milestones != NULL && !multistep, "decay-milestones", "multistep"},
        {multistep && o->decay_milestones == NULL, NULL, "multistep needs decay-milestones"},
        {o->decay_rate != 0.0 && !step && !multistep, "decay-rate", "step and multistep"},
        {o->min_lr != 0.0 && kind != WICK_SCHEDULE_COSINE, "min-lr", "cosine"},
        {o->pct_start != 0.0 && !cycle, "pct-start", "onecycle"},
        {o->div_factor != 0.0 && !cycle, "div-factor", "onecycle"},
        {o->final_div_factor != 0.0 && !cycle, "final-div-factor", "onecycle"},
        {o->cycle_momentum != NULL && !cycle, "cycle-momentum", "onecycle"},
        {o->warmup_factor != 0.0 && o->warmup == 0.0, "warmup-factor", "warmup"},
    };
    for (size_t i = 0; i < WKI_COUNT(checks); i++) {
        if (checks[i].wrong && checks[i].what == NULL)
            return wki_fail(context, WICK_EINVAL, "the schedule %s", checks[i].whose);
        if (checks[i].wrong)
            return wki_fail(context, WICK_EINVAL, "%s goes with %s, and the schedule is %s",
                            checks[i].what, checks[i].whose, schedule_names[kind]);
    }
    return WICK_OK;
}

static wick_status make_schedule(wick_context *context, const wick_train_options *o, int64_t epochs,
                                 int64_t steps_per_epoch, wick_schedule *out)
{
    WKI_TRY(find_schedule(context, o->schedule != NULL ? o->schedule : "constant", &out->kind));
    WKI_TRY(check_schedule(context, o, out->kind));
    WKI_TRY(in_steps(context, "the training", (double)epochs, steps_per_epoch, &out->total_steps));
    WKI_TRY(in_steps(context, "the warm-up", o->warmup, steps_per_epoch, &out->warmup_steps));
    WKI_TRY(in_steps(context, "decay-epochs", o->decay_epochs, steps_per_epoch, &out->step_size));
    WKI_TRY(read_milestones(context, o->decay_milestones, steps_per_epoch, out));
    out->warmup_factor = o->warmup_factor;
    out->gamma = o->decay_rate;
    out->min_lr = o->min_lr;
    out->pct_start = o->pct_start;
    out->div_factor = o->div_factor;
    out->final_div_factor = o->final_div_factor;
    double momentums[2];
    WKI_TRY(read_pair(context, "momentums", "0.85,0.95", o->cycle_momentum, momentums));
    if (o->cycle_momentum != NULL && momentums[1] == 0.0)
        return wki_fail(context, WICK_EINVAL, "the momentums are '%s'; the second must be above 0",
                        o->cycle_momentum);
    out->base_momentum = momentums[0];
    out->max_momentum = momentums[1];
    return WICK_OK;
}

wick_status wick_train_options_apply(const wick_train_options *options, wick_optimizer *optimizer,
                                     int64_t epochs, int64_t steps_per_epoch)
{
    wick_schedule schedule = {.kind = WICK_SCHEDULE_CONSTANT};
    if (options == NULL || optimizer == NULL)
        return WICK_EINVAL;
    WKI_TRY(make_schedule(optimizer->context, options, epochs, steps_per_epoch, &schedule));
    bool constant = schedule.kind == WICK_SCHEDULE_CONSTANT && schedule.warmup_steps == 0;
    WKI_TRY(wick_optimizer_set_schedule(optimizer, constant ? NULL : &schedule));
    WKI_TRY(wick_optimizer_set_clip(optimizer, options->clip_grad));
    const wick_ema_options ema = {.decay = options->ema, .no_warmup = options->ema_no_warmup};
    if (options->ema == 0.0 && options->ema_no_warmup)
        return wki_fail(optimizer->context, WICK_EINVAL, "ema-no-warmup goes with ema");
    return wick_optimizer_set_ema(optimizer, options->ema != 0.0 ? &ema : NULL);
}
