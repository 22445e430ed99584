/* Running a plan: blocks forward, blocks backward, and the parts of the gradients added up. */
#include "plan/plan_internal.h"
#include "tensor/tensor_internal.h"

#include <string.h>

/* One run of a plan over a batch. */
typedef struct run {
    wki_plan *plan;
    const wki_batch *batch;
    int blocks, parts; /* of this batch: parts of the batch, each some blocks in order */
    int split;         /* threads that share a part */
    int rounds;        /* blocks of the largest part */
    int stages;        /* 1 where no op waits for all blocks */

    bool forward, backward;
    bool fused; /* nothing of a block is needed once it is done: it may use its thread's slot */
    bool flips; /* forward twice, the second time mirrored */
    bool cross_entropy;
    float *output; /* [count][output numel] or NULL */
    const float *output_gradient;
    float *input_gradient;
    float *losses;
    int64_t *predictions;
    const wki_updater *updater;
    bool late; /* the first layer updates its weights at the end: see wki_updates_late() */
} run;

static void sync_threads(const run *r)
{
    if (r->split > 1)
        wki_team_barrier(r->plan->context->team);
}

/* ---- one block ---- */

/* Asks for a share of the next batch's pixels that this task will want, unless the first layer does. */
static void prefetch_ahead(const wki_task *task, int64_t share, int64_t shares)
{
    enum { CACHE_LINE = 64 };
    const wki_batch *batch = task->batch;
    const int64_t images = WKI_MIN(task->images, batch->ahead_count - task->first);
    const int64_t lines = (task->plan->values[0].numel + CACHE_LINE - 1) / CACHE_LINE;
    if (images <= 0 || task->part != 0 || wki_late_ahead(task) != NULL)
        return;
    const int64_t begin = images * lines * share / shares, end = images * lines * (share + 1) / shares;
    int64_t image = begin / lines, line = begin % lines;
    for (int64_t i = begin; i < end; i++) {
        __builtin_prefetch(batch->ahead[task->first + image] + line * CACHE_LINE, 0, 2);
        if (++line < lines)
            continue;
        line = 0;
        image++;
    }
    /* gcc leaves out calls of a function that does nothing but prefetch. */
    __asm__ volatile("");
}

static void run_forward(const run *r, const wki_task *task, bool present, int begin, int end)
{
    const wki_plan *plan = r->plan;
    for (int i = begin; i < end; i++) {
        const wki_op *op = &plan->ops[i];
        if (present && (op->kind->splits || task->part == 0))
            op->kind->forward(op, task);
        if (present)
            prefetch_ahead(task, i, r->backward ? 2 * plan->op_count : plan->op_count);
        sync_threads(r);
    }
}

static void run_backward(const run *r, const wki_task *task, bool present, int begin, int end)
{
    const wki_plan *plan = r->plan;
    for (int i = end - 1; i >= begin; i--) {
        const wki_op *op = &plan->ops[i];
        if (present && (op->kind->splits || task->part == 0))
            op->kind->backward(op, task);
        if (present)
            prefetch_ahead(task, 2 * plan->op_count - 1 - i, 2 * plan->op_count);
        sync_threads(r);
    }
}

/* The whole plan a second time, with the images mirrored; the output becomes the mean of the two. */
static void run_mirrored(const run *r, const wki_task *task, bool present)
{
    const bool whole = present && task->part == 0;
    wki_task mirrored = *task;
    mirrored.mirrored = true;
    if (whole)
        wki_keep_unflipped(task);
    sync_threads(r);
    run_forward(r, &mirrored, present, 0, r->plan->op_count);
    if (whole)
        wki_take_mean(task);
    sync_threads(r);
}

/* Between forward and backward: the output goes out, the loss's gradient comes in. */
static void run_output(const run *r, const wki_task *task)
{
    const wki_plan *plan = r->plan;
    int last = plan->value_count - 1;
    const wki_value *value = &plan->values[last];
    float *data = wki_data(task, last), *gradient = wki_gradient(task, last);
    size_t numbers = (size_t)(task->images * value->numel);
    if (r->output != NULL)
        memcpy(r->output + task->first * value->numel, data, numbers * sizeof(float));
    if (r->cross_entropy) {
        wki_cross_entropy_call call = {
            .logits = data,
            .gradient = r->backward ? gradient : NULL,
            .targets = r->batch->targets + task->first,
            .losses = r->losses + task->first,
            .predictions = r->predictions + task->first,
            .rows = task->images,
            .classes = (int)value->numel,
            .pitch = value->numel,
            .scale = r->batch->scale != 0.0f ? r->batch->scale : 1.0f / (float)r->batch->count,
            .weights = r->batch->class_weights,
            .smoothing = r->batch->smoothing,
            .mask = value->relu,
        };
        plan->kernels->cross_entropy(&call);
    } else if (r->output_gradient != NULL) {
        memcpy(gradient, r->output_gradient + task->first * value->numel, numbers * sizeof(float));
        if (value->relu)
            plan->kernels->relu_backward(data, gradient, numbers);
    }
}

static void run_input_gradient(const run *r, const wki_task *task)
{
    const wki_plan *plan = r->plan;
    const wki_value *value = &plan->values[0];
    float *to = r->input_gradient + task->first * value->numel;
    if (!value->lanes) {
        memcpy(to, wki_gradient(task, 0), (size_t)(task->images * value->numel) * sizeof(float));
        return;
    }
    wki_value_to_rows(plan, value, &value->gradient, wki_gradient(task, 0), task->images, to);
}

/* ---- all blocks of a part ---- */

/* What a thread does with each of its blocks in one go: forward through a stage, the output, backward
 * through a stage. */
typedef struct span {
    bool forward, output, backward;
    int stage;
} span;

static void run_block(const run *r, const wki_task *task, bool present, const span *now)
{
    const wki_plan *plan = r->plan;
    /* Where nobody waits all ops are one stage. */
    bool all = r->stages == 1;
    int begin = all ? 0 : plan->stage_begin[now->stage];
    int end = all ? plan->op_count : plan->stage_begin[now->stage + 1];
    bool whole = present && task->part == 0;
    if (now->forward)
        run_forward(r, task, present, begin, end);
    if (now->forward && r->flips)
        run_mirrored(r, task, present);
    if (now->output) {
        if (whole)
            run_output(r, task);
        sync_threads(r);
    }
    if (now->backward)
        run_backward(r, task, present, begin, end);
    if (now->backward && now->stage == 0 && whole && r->input_gradient != NULL)
        run_input_gradient(r, task);
}

static wki_task task_of(const run *r, int part, int thread)
{
    return (wki_task){
        .plan = r->plan,
        .batch = r->batch,
        .thread = thread,
        .part = thread % r->split,
        .parts = r->split,
        .gradients = r->plan->gradients + (size_t)part * r->plan->parameter_floats,
        .input_gradient = r->input_gradient != NULL,
        .backward = r->backward,
        .fused = r->fused && r->split == 1,
        .late = r->late,
    };
}

static void take_block(wki_task *task, int block, int slot)
{
    const wki_plan *plan = task->plan;
    task->slot = plan->memory + (size_t)slot * plan->slot_floats;
    task->first = (int64_t)block * plan->block_images;
    task->images = (int)WKI_MIN(plan->block_images, task->batch->count - task->first);
}

static void run_part(const run *r, int part, int thread, const span *now)
{
    const int begin = r->blocks * part / r->parts, end = r->blocks * (part + 1) / r->parts;
    const bool own_slot = r->fused && r->split == 1 && r->stages == 1 && !r->late;
    wki_task task = task_of(r, part, thread);
    /* Threads that share parts wait for each other at every op, so all go the same number of rounds. */
    for (int i = 0; i < (r->split > 1 ? r->rounds : end - begin); i++) {
        const int block = begin + i;
        const bool present = part < r->parts && block < end;
        take_block(&task, block, own_slot ? thread : present ? block : 0);
        task.accumulate = i > 0;
        run_block(r, &task, present, now);
    }
}

static void run_span(const run *r, int thread, int threads, span now)
{
    if (r->split > 1) {
        run_part(r, thread / r->split, thread, &now);
        return;
    }
    for (int part = r->parts * thread / threads; part < r->parts * (thread + 1) / threads; part++)
        run_part(r, part, thread, &now);
}

/* All threads have done their blocks up to op `index`, which then makes something of all of them. */
static void meet(const run *r, int thread, int threads, int index)
{
    const wki_op *op = &r->plan->ops[index];
    wki_settle settle = {.plan = r->plan,
                         .thread = thread,
                         .count = r->batch->count,
                         .blocks = r->blocks,
                         .update = thread == 0 && r->forward};
    if (threads > 1)
        wki_team_barrier(r->plan->context->team);
    op->kind->settle(op, &settle);
}

/* Stage by stage forward, then backward. In the last stage a block goes through both at once. */
static void run_stages(const run *r, int thread, int threads)
{
    const wki_plan *plan = r->plan;
    const int last = r->stages - 1;
    for (int s = 0; s < last && r->forward; s++) {
        run_span(r, thread, threads, (span){.forward = true, .stage = s});
        meet(r, thread, threads, plan->stage_begin[s + 1]);
    }
    run_span(r, thread, threads,
             (span){.forward = r->forward, .output = true, .backward = r->backward, .stage = last});
    for (int s = last - 1; s >= 0 && r->backward; s--) {
        meet(r, thread, threads, plan->stage_begin[s + 1] - 1);
        run_span(r, thread, threads, (span){.backward = true, .stage = s});
    }
}

/* ---- all of it ---- */

/* What is made of the weights, each thread its share of them, and of the statistics that are there before the run. */
static void prepare(const run *r, int thread, int threads)
{
    wki_plan *plan = r->plan;
    wki_prepare what = {r->forward, r->backward, thread, threads};
    wki_settle settle = {.plan = plan, .thread = thread, .count = r->batch->count, .blocks = r->blocks};
    for (int i = 0; i < plan->op_count; i++) {
        const wki_op *op = &plan->ops[i];
        if (op->kind->prepare != NULL)
            op->kind->prepare(op, plan, &what);
        if (op->kind == &wki_op_batch_map && (!r->forward || !wki_uses_batch(op)))
            op->kind->settle(op, &settle);
    }
    if (threads > 1 && plan->shared_floats > 0)
        wki_team_barrier(plan->context->team);
}

/* The parts of the gradients, once all blocks have gone back. */
static void update(const run *r, int thread, int threads)
{
    wki_task blocks[WKI_MAX_PARTS];
    for (int i = 0; i < r->parts && r->late; i++) {
        blocks[i] = task_of(r, i, thread);
        take_block(&blocks[i], i, i);
    }
    wki_plan_update(&(wki_update){.plan = r->plan,
                                  .updater = r->updater,
                                  .parts = r->parts,
                                  .late = r->late ? blocks : NULL,
                                  .thread = thread,
                                  .threads = threads});
}

static void run_thread(void *argument, int thread, int threads)
{
    const run *r = argument;
    prepare(r, thread, threads);
    run_stages(r, thread, threads);
    if (!r->backward)
        return;
    if (threads > 1)
        wki_team_barrier(r->plan->context->team);
    update(r, thread, threads);
}

int wki_plan_threads(const wki_plan *plan, int64_t count, double passes, bool *doubtful)
{
    const double work = (double)plan->multiply_adds * (double)count * passes;
    const double least = plan->context->work_per_thread;
    const int threads = (int)WKI_MAX(1.0, WKI_MIN((double)plan->threads, work / least));
    const int64_t blocks = (count + plan->block_images - 1) / plan->block_images;
    const bool shared = threads > WKI_MIN(blocks, plan->parts);
    *doubtful = threads > 1 && work < (shared ? WKI_SURE_WORK_SHARED : WKI_SURE_WORK) * least;
    return threads;
}

/* How many threads this run is worth; *tuner is set if that is being tried out. */
static int useful_threads(const run *r, wki_tuner **tuner)
{
    const double passes = (r->forward ? r->flips ? 2.0 : 1.0 : 0.0) + (r->backward ? 2.0 : 0.0);
    bool doubtful;
    const int threads = wki_plan_threads(r->plan, r->batch->count, passes, &doubtful);
    *tuner = doubtful ? &r->plan->tuners[r->backward] : NULL;
    return *tuner == NULL || wki_tuner_several(*tuner) ? threads : 1;
}

/* Whether a part is one block, which stays in a slot of its own, and the updater leaves it to the layer. */
static bool may_update_late(const run *r)
{
    const wki_updater *updater = r->updater;
    return r->split == 1 && r->forward && r->backward && r->fused && !r->flips && updater != NULL &&
           updater->clip == NULL && updater->sgd_lr != NULL && r->blocks == r->parts &&
           r->blocks <= r->plan->slots && wki_updates_late(r->plan, r->batch);
}

static void run_threads(run *r, int threads)
{
    wki_plan *plan = r->plan;
    wki_team *team;
    /* Without a team one thread does it all. The plan has room for the threads there were when it
     * was made. */
    if (threads > 1 && wki_context_team(plan->context, &team) == WICK_OK)
        threads = WKI_MIN(wki_team_threads(team), threads);
    else
        threads = 1;
    /* Threads that share a block need one slot a block. */
    r->split = r->blocks > plan->slots ? 1 : WKI_MAX(1, threads / r->parts);
    threads = r->split > 1 ? r->split * r->parts : WKI_MIN(threads, r->parts);
    r->late = may_update_late(r);
    if (threads == 1)
        run_thread(r, 0, 1);
    else
        wki_team_run(team, threads, run_thread, r);
}

static bool uses_batch(const wki_plan *plan)
{
    for (int i = 0; i < plan->op_count; i++)
        if (wki_uses_batch(&plan->ops[i]))
            return true;
    return false;
}

static void run_all(run *r)
{
    wki_plan *plan = r->plan;
    wki_tuner *tuner;
    r->blocks = (int)((r->batch->count + plan->block_images - 1) / plan->block_images);
    r->parts = WKI_MIN(r->blocks, plan->parts);
    r->rounds = (r->blocks + r->parts - 1) / r->parts;
    r->stages = uses_batch(plan) ? plan->stage_count : 1;
    int threads = useful_threads(r, &tuner);
    const bool timed = tuner != NULL && wki_tuner_tries(tuner);
    const double start = timed ? wki_seconds() : 0.0;
    run_threads(r, threads);
    if (tuner != NULL)
        wki_tuner_took(tuner, timed ? wki_seconds() - start : 0.0);
}

/* Each forward that drops takes a seed of its own from the default generator. */
static void draw_seed(wki_plan *plan)
{
    for (int i = 0; i < plan->op_count; i++)
        if (wki_drops(&plan->ops[i])) {
            plan->dropout_seed = wick_generator_random64(wick_default_generator(plan->context));
            return;
        }
}

/* ---- what the layers above call ---- */

void wki_plan_forward(wki_plan *plan, const wki_batch *batch, float *output)
{
    /* In evaluation nothing is kept, so that a thread goes on in memory that is in its cache. */
    run r = {.plan = plan,
             .batch = batch,
             .forward = true,
             .fused = !plan->module->training,
             .flips = wki_plan_flips(plan),
             .output = output};
    draw_seed(plan);
    run_all(&r);
    plan->forward_count = batch->count;
    plan->forward_valid = plan->module->training;
}

void wki_plan_backward(wki_plan *plan, const float *gradient, float *input_gradient)
{
    wki_batch batch = {.count = plan->forward_count};
    run r = {.plan = plan,
             .batch = &batch,
             .backward = true,
             .output_gradient = gradient,
             .input_gradient = input_gradient};
    run_all(&r);
}

void wki_plan_step(wki_plan *plan, const wki_batch *batch, const wki_updater *updater, float *losses,
                   int64_t *predictions, float *logits)
{
    run r = {.plan = plan,
             .batch = batch,
             .forward = true,
             .backward = updater != NULL,
             .fused = true,
             .flips = wki_plan_flips(plan),
             .cross_entropy = true,
             .output = logits,
             .losses = losses,
             .predictions = predictions,
             .updater = updater};
    draw_seed(plan);
    run_all(&r);
    plan->forward_valid = false;
}

int64_t wki_plan_batches_at_once(const wki_plan *plan, int64_t count)
{
    /* A run of some 10 us is long beside the microsecond that it takes to begin and end it, and so are many batches. */
    enum { ENOUGH_WORK = 1 << 22, ENOUGH_BATCHES = 64 };
    /* An image's numbers must not depend on which others are there: a block that is not full may go another way. */
    if (plan->columns || count % plan->block_images != 0 || uses_batch(plan))
        return 1;
    const int64_t work = (plan->multiply_adds + plan->values[0].numel) * count;
    return WKI_MAX(1, WKI_MIN(ENOUGH_WORK / work, ENOUGH_BATCHES));
}

float wki_mean_loss(const float *losses, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)losses[i];
    return (float)(sum / (double)count);
}

/* ---- forward and backward of a module ---- */

/* Whether the shape is [count, sizes...]. */
static bool is_batch_of(const wick_tensor *tensor, int64_t count, int ndim, const int64_t *sizes)
{
    return tensor->ndim == ndim + 1 && tensor->shape[0] == count &&
           memcmp(tensor->shape + 1, sizes, (size_t)ndim * sizeof(*sizes)) == 0;
}

wick_status wick_module_forward(wick_module *module, const wick_tensor *input, wick_tensor **output)
{
    if (module == NULL)
        return WICK_EINVAL;
    wick_context *context = module->context;
    wki_plan *plan;
    if (input == NULL || output == NULL)
        return wki_fail(context, WICK_EINVAL, "the input or the place for the output is NULL");
    if (input->dtype != WICK_FLOAT32)
        return wki_fail(context, WICK_EINVAL, "the input is %s; it must be torch.float32",
                        wick_dtype_name(input->dtype));
    WKI_TRY(wki_module_plan(module, input->ndim, input->shape, &plan));
    WKI_TRY(wki_plan_check_batch(plan, input->shape[0]));
    const int64_t *shape;
    int64_t out_shape[WICK_MAX_DIMS] = {input->shape[0]};
    int ndim = wki_plan_output_shape(plan, &shape);
    memcpy(out_shape + 1, shape, (size_t)ndim * sizeof(*shape));
    wick_tensor *out;
    WKI_TRY(wick_tensor_new(context, WICK_FLOAT32, ndim + 1, out_shape, &out));
    wki_batch batch = {.images = input->data, .count = input->shape[0]};
    wki_plan_forward(plan, &batch, out->data);
    *output = out;
    return WICK_OK;
}

static wick_status check_gradient(const wki_plan *plan, const wick_tensor *gradient)
{
    const int64_t *sizes;
    int ndim = wki_plan_output_shape(plan, &sizes);
    if (gradient == NULL)
        return wki_fail(plan->context, WICK_EINVAL, "the gradient is NULL");
    if (gradient->dtype != WICK_FLOAT32)
        return wki_fail(plan->context, WICK_EINVAL, "the gradient is %s; it must be torch.float32",
                        wick_dtype_name(gradient->dtype));
    if (is_batch_of(gradient, plan->forward_count, ndim, sizes))
        return WICK_OK;
    int64_t wanted[WICK_MAX_DIMS] = {plan->forward_count};
    memcpy(wanted + 1, sizes, (size_t)ndim * sizeof(*sizes));
    char a[WKI_SHAPE_TEXT], b[WKI_SHAPE_TEXT];
    return wki_fail(
        plan->context, WICK_ESHAPE, "the gradient is %s; it must have the output's shape, %s",
        wki_shape_text(gradient->ndim, gradient->shape, a), wki_shape_text(ndim + 1, wanted, b));
}

wick_status wick_module_backward(wick_module *module, const wick_tensor *gradient,
                                 wick_tensor **grad_input)
{
    if (module == NULL)
        return WICK_EINVAL;
    wki_plan *plan = module->plan;
    if (plan == NULL || !plan->forward_valid)
        return wki_fail(module->context, WICK_EINVAL,
                        "backward needs a forward in training mode before it");
    WKI_TRY(check_gradient(plan, gradient));
    wick_tensor *input = NULL;
    if (grad_input != NULL) {
        int64_t shape[WICK_MAX_DIMS] = {plan->forward_count};
        memcpy(shape + 1, plan->input_shape, (size_t)plan->input_ndim * sizeof(*shape));
        WKI_TRY(wick_tensor_new(plan->context, WICK_FLOAT32, plan->input_ndim + 1, shape, &input));
        *grad_input = input;
    }
    wki_plan_backward(plan, gradient->data, input == NULL ? NULL : input->data);
    return WICK_OK;
}
