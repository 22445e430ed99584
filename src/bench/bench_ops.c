/* Where a training step's time goes: the plan's ops run as a step runs them, each by the clock.
 *
 * A layer's gradients are made by one call. Its share for the weights is what the call takes when the
 * input's gradient is not wanted; that for the input is the rest of the whole call. Two kinds of step
 * take turns to find both. */
#include "bench/bench_internal.h"
#include "plan/plan_internal.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_SAMPLES = 3, MOST_SAMPLES = 100 };
/* A sample is some steps, long enough for the clock if there is time for that. */
#define SAMPLE_SECONDS 2e-3

enum { OP_FORWARD, OP_BACKWARD, OP_WEIGHTS, OP_TIMES };

typedef struct profile {
    wki_plan *plan;
    const wki_batch *batch;
    int blocks, parts, split, rounds, threads; /* as in a step of this batch */
    int steps;                                 /* in a sample */
    bool weights_alone;                        /* the kind of step */
    bool *wanted;    /* [ops] whether a step makes the gradient of this op's input */
    double *seconds; /* [threads][ops][OP_TIMES], added up over the steps of a sample */
    double *samples; /* [ops][OP_TIMES][MOST_SAMPLES] for one step */
} profile;

/* ---- one step, in one thread ---- */

static void meet(const profile *p)
{
    if (p->split > 1)
        wki_team_barrier(p->plan->context->team);
}

static void run_op(const profile *p, int index, const wki_task *task, bool present, int what)
{
    const wki_op *op = &p->plan->ops[index];
    double start = wki_seconds();
    if (present && (op->kind->splits || task->part == 0))
        (what == OP_FORWARD ? op->kind->forward : op->kind->backward)(op, task);
    meet(p);
    p->seconds[(task->thread * p->plan->op_count + index) * OP_TIMES + what] += wki_seconds() - start;
}

/* Stands for the loss's gradient: small numbers of both signs. */
static void fill_gradient(const wki_plan *plan, const wki_task *task)
{
    int last = plan->value_count - 1;
    float *gradient = wki_gradient(task, last);
    for (int64_t i = 0; i < task->images * plan->values[last].numel; i++)
        gradient[i] = 0.01f * (float)(i % 3 - 1);
}

static void run_block(const profile *p, wki_task *task, bool present)
{
    const wki_plan *plan = p->plan;
    for (int i = 0; i < plan->op_count; i++)
        run_op(p, i, task, present, OP_FORWARD);
    if (present && task->part == 0)
        fill_gradient(plan, task);
    meet(p);
    for (int i = plan->op_count - 1; i >= 0; i--) {
        task->input_gradient = false;
        if (p->weights_alone)
            run_op(p, i, task, present, OP_WEIGHTS);
        task->input_gradient = p->wanted[i];
        run_op(p, i, task, present, OP_BACKWARD);
    }
}

static void run_blocks(const profile *p, int part, int thread)
{
    wki_plan *plan = p->plan;
    int begin = p->blocks * part / p->parts, end = p->blocks * (part + 1) / p->parts;
    wki_task task = {
        .plan = plan,
        .batch = p->batch,
        .thread = thread,
        .part = thread % p->split,
        .parts = p->split,
        .gradients = plan->gradients + (size_t)part * plan->parameter_floats,
    };
    for (int i = 0; i < (p->split > 1 ? p->rounds : end - begin); i++) {
        bool present = part < p->parts && begin + i < end;
        int block = present ? begin + i : 0;
        task.slot = plan->memory + (size_t)(p->split == 1 ? thread : block) * plan->slot_floats;
        task.first = (int64_t)block * plan->block_images;
        task.images = (int)WKI_MIN(plan->block_images, p->batch->count - task.first);
        task.accumulate = i > 0;
        run_block(p, &task, present);
    }
}

static void run_steps(void *argument, int thread, int threads)
{
    const profile *p = argument;
    wki_plan *plan = p->plan;
    const wki_prepare what = {true, true, thread, threads};
    for (int i = 0; i < plan->op_count; i++)
        if (plan->ops[i].kind->prepare != NULL)
            plan->ops[i].kind->prepare(&plan->ops[i], plan, &what);
    if (threads > 1)
        wki_team_barrier(plan->context->team);
    for (int step = 0; step < p->steps; step++) {
        if (p->split > 1) {
            run_blocks(p, thread / p->split, thread);
        } else {
            for (int part = p->parts * thread / threads; part < p->parts * (thread + 1) / threads;
                 part++)
                run_blocks(p, part, thread);
        }
        if (threads > 1)
            wki_team_barrier(plan->context->team);
    }
}

/* ---- samples ---- */

static void run_sample(profile *p)
{
    size_t numbers = (size_t)p->threads * (size_t)p->plan->op_count * OP_TIMES;
    memset(p->seconds, 0, numbers * sizeof(*p->seconds));
    if (p->threads == 1)
        run_steps(p, 0, 1);
    else
        wki_team_run(p->plan->context->team, p->threads, run_steps, p);
}

/* What a sample of either kind came to: the threads' mean for one step. */
static void keep_sample(profile *p, int sample)
{
    for (int i = 0; i < p->plan->op_count; i++) {
        for (int what = 0; what < OP_TIMES; what++) {
            if ((what == OP_WEIGHTS) != p->weights_alone)
                continue;
            double sum = 0.0;
            for (int thread = 0; thread < p->threads; thread++)
                sum += p->seconds[(thread * p->plan->op_count + i) * OP_TIMES + what];
            p->samples[(i * OP_TIMES + what) * MOST_SAMPLES + sample] = sum / p->threads / p->steps;
        }
    }
}

static wick_status take_samples(const wki_bench *bench, double seconds, profile *p, int *count)
{
    double start = wki_seconds();
    p->steps = 1;
    p->weights_alone = true;
    run_sample(p); /* warms up */
    double once = wki_seconds() - start;
    double wanted =
        WKI_MAX(WKI_MIN(SAMPLE_SECONDS, seconds / (2 * LEAST_SAMPLES)), seconds / (2 * MOST_SAMPLES));
    p->steps = (int)WKI_MAX(1.0, WKI_MIN(1e4, wanted / WKI_MAX(once, 1e-9)));
    int done = 0;
    while (done < MOST_SAMPLES && (done < LEAST_SAMPLES || wki_seconds() - start < seconds)) {
        for (int kind = 0; kind < 2; kind++) {
            p->weights_alone = kind == 1;
            run_sample(p);
            keep_sample(p, done);
        }
        done++;
        WKI_TRY(wki_bench_check(bench));
    }
    *count = done;
    return WICK_OK;
}

/* ---- the result ---- */

static double median_of(profile *p, int op, int what, int samples)
{
    return wki_median(&p->samples[(op * OP_TIMES + what) * MOST_SAMPLES], samples);
}

/* The layers in the order they run, as a summary has them. */
typedef struct layer_list {
    wick_layer_summary *lines;
    const wick_module **modules;
    int64_t count, listed;
} layer_list;

static wick_status list_layer(void *user, wki_visit_event event, wick_module *layer, const char *path)
{
    (void)path;
    layer_list *list = user;
    if (event == WKI_VISIT_LAYER)
        list->modules[list->listed++] = layer;
    return WICK_OK;
}

/* To be released also on failure. */
static wick_status list_layers(wick_module *module, const int64_t shape[4], layer_list *list)
{
    void *memory;
    WKI_TRY(wick_module_summary(module, 4, shape, &list->lines, &list->count));
    WKI_TRY(
        wki_alloc(module->context, (size_t)list->count, sizeof(*list->modules), "a profile", &memory));
    list->modules = memory;
    return wki_module_walk(module, list_layer, list);
}

static void release_layers(layer_list *list)
{
    free(list->lines);
    free(list->modules);
}

static void name_op(const wki_op *op, const layer_list *list, wick_kernel_speed *line)
{
    line->kind = op->kind->name;
    for (int64_t i = 0; i < list->count; i++) {
        if (op->layer == NULL || list->modules[i] != op->layer)
            continue;
        memcpy(line->path, list->lines[i].path, sizeof(line->path));
        line->kind = list->lines[i].kind;
        line->multiply_adds = list->lines[i].multiply_adds;
    }
}

static int64_t add_lines(profile *p, int samples, const layer_list *layers, wick_kernel_speed *lines)
{
    int64_t count = 0;
    const wki_plan *plan = p->plan;
    for (int i = 0; i < plan->op_count; i++) {
        wick_kernel_speed line = {.pass = WICK_FORWARD, .seconds = median_of(p, i, OP_FORWARD, samples)};
        name_op(&plan->ops[i], layers, &line);
        lines[count++] = line;
    }
    for (int i = plan->op_count - 1; i >= 0; i--) {
        const wki_op *op = &plan->ops[i];
        bool learns = op->layer != NULL && op->layer->parameters[0].value != NULL;
        double whole = median_of(p, i, OP_BACKWARD, samples);
        double weights = learns ? WKI_MIN(whole, median_of(p, i, OP_WEIGHTS, samples)) : 0.0;
        wick_kernel_speed line = {.pass = WICK_TO_WEIGHTS, .seconds = p->wanted[i] ? weights : whole};
        name_op(op, layers, &line);
        if (learns)
            lines[count++] = line;
        line.pass = WICK_TO_INPUT;
        line.seconds = whole - weights;
        if (p->wanted[i])
            lines[count++] = line;
    }
    return count;
}

/* ---- the whole ---- */

/* How a step of the batch is shared out, as plan_run.c does it with all threads. */
static wick_status share_out(profile *p)
{
    wki_plan *plan = p->plan;
    wki_team *team;
    WKI_TRY(wki_context_team(plan->context, &team));
    p->threads = WKI_MIN(wki_team_threads(team), plan->threads);
    p->blocks = (int)((p->batch->count + plan->block_images - 1) / plan->block_images);
    p->parts = WKI_MIN(p->blocks, plan->parts);
    p->rounds = (p->blocks + p->parts - 1) / p->parts;
    p->split = WKI_MAX(1, p->threads / p->parts);
    p->threads = p->split > 1 ? p->split * p->parts : WKI_MIN(p->threads, p->parts);
    return WICK_OK;
}

static wick_status take_memory(profile *p, wick_kernel_speed **lines)
{
    wick_context *context = p->plan->context;
    size_t ops = (size_t)p->plan->op_count;
    void *memory;
    WKI_TRY(wki_alloc(context, ops, sizeof(bool), "a profile", &memory));
    p->wanted = memory;
    WKI_TRY(
        wki_alloc(context, ops * OP_TIMES, (size_t)p->threads * sizeof(double), "a profile", &memory));
    p->seconds = memory;
    WKI_TRY(wki_alloc(context, ops * OP_TIMES, MOST_SAMPLES * sizeof(double), "a profile", &memory));
    p->samples = memory;
    WKI_TRY(wki_alloc(context, ops * OP_TIMES, sizeof(**lines), "a profile", &memory));
    *lines = memory;
    return WICK_OK;
}

static wick_status run_profile(const wki_bench *bench, double seconds, profile *p, int *samples)
{
    wki_plan *plan = p->plan;
    /* With input_only everywhere the task alone says whether an input's gradient is wanted. */
    for (int i = 0; i < plan->op_count; i++)
        p->wanted[i] = !plan->values[plan->ops[i].in].input_only;
    bool *input_only;
    void *memory;
    WKI_TRY(wki_alloc(plan->context, (size_t)plan->value_count, sizeof(bool), "a profile", &memory));
    input_only = memory;
    for (int i = 0; i < plan->value_count; i++) {
        input_only[i] = plan->values[i].input_only;
        plan->values[i].input_only = true;
    }
    wick_status status = take_samples(bench, seconds, p, samples);
    for (int i = 0; i < plan->value_count; i++)
        plan->values[i].input_only = input_only[i];
    plan->forward_valid = false;
    free(input_only);
    return status;
}

wick_status wki_bench_ops(const wki_bench *bench, double seconds, wick_module *module,
                          const int64_t shape[4], const wki_batch *batch, wick_kernel_speed **out,
                          int64_t *count)
{
    profile p = {.batch = batch};
    wick_kernel_speed *lines = NULL;
    layer_list layers = {0};
    int samples;
    wick_status status;
    WKI_TRY(wki_module_plan(module, 4, shape, &p.plan));
    WKI_TRY(share_out(&p));
    WKI_GOTO_OUT(take_memory(&p, &lines));
    WKI_GOTO_OUT(list_layers(module, shape, &layers));
    WKI_GOTO_OUT(run_profile(bench, seconds, &p, &samples));
    *count = add_lines(&p, samples, &layers, lines);
    *out = lines;
    lines = NULL;
out:
    free(lines);
    release_layers(&layers);
    free(p.wanted);
    free(p.seconds);
    free(p.samples);
    return status;
}

int wki_bench_threads(const wki_plan *plan, int64_t count, bool training, bool *tried_out)
{
    const int threads = wki_plan_threads(plan, count, training ? 3.0 : 1.0, tried_out);
    return *tried_out && !wki_tuner_several(&plan->tuners[training]) ? 1 : threads;
}
