/* Test-time augmentation: an output that is the mean of those for an image and for its mirror image. */
#include "plan/plan_internal.h"
#include "tensor/tensor_internal.h"

#include <string.h>

static size_t output_floats(const wki_plan *plan, int images)
{
    return (size_t)images * (size_t)plan->values[plan->value_count - 1].numel;
}

bool wki_plan_flips(const wki_plan *plan)
{
    return plan->module->tta == WICK_TTA_FLIP && !plan->module->training;
}

wick_status wki_plan_check_flips(const wki_plan *plan)
{
    if (!wki_plan_flips(plan))
        return WICK_OK;
    if (plan->input_ndim != 3)
        return wki_fail(plan->context, WICK_ESHAPE,
                        "the input has %d dimensions; for test-time augmentation by flips it must be "
                        "images, [N, C, H, W]",
                        plan->input_ndim + 1);
    for (int i = 0; i < plan->op_count; i++)
        if (plan->ops[i].kind == &wki_op_batch_map && !plan->ops[i].layer->as.batch_norm.track)
            return wki_fail(plan->context, WICK_EINVAL,
                            "a %s with track_running_stats=False takes the batch's statistics in "
                            "evaluation too, with which there is no test-time augmentation by flips",
                            plan->ops[i].layer->class_name);
    return WICK_OK;
}

void wki_plan_need_flips(wki_plan *plan)
{
    if (plan->module->tta == WICK_TTA_FLIP)
        plan->unflipped_at = wki_need_slot_floats(plan, output_floats(plan, plan->block_images));
}

/* Vectors of `step` floats, the last first. */
static void reverse(float *row, int64_t width, int64_t step)
{
    float *a = row, *b = row + (width - 1) * step;
    for (; a < b; a += step, b -= step)
        for (int64_t i = 0; i < step; i++) {
            float kept = a[i];
            a[i] = b[i];
            b[i] = kept;
        }
}

void wki_mirror_value(const wki_task *task, const wki_value *value, float *data)
{
    const wki_plan *plan = task->plan;
    const wki_plane *plane = &value->data.plane;
    const int64_t width = plan->input_shape[2], rows = value->numel / width;
    for (int64_t r = 0; value->lanes && r < rows; r++)
        reverse(data + r / value->height * plane->channel + r % value->height * plane->row, width,
                plan->columns ? 1 : WKI_LANES);
    for (int64_t r = 0; !value->lanes && r < task->images * rows; r++)
        reverse(data + r * width, width, 1);
}

void wki_keep_unflipped(const wki_task *task)
{
    const wki_plan *plan = task->plan;
    memcpy(task->slot + plan->unflipped_at, wki_data(task, plan->value_count - 1),
           output_floats(plan, task->images) * sizeof(float));
}

void wki_take_mean(const wki_task *task)
{
    const wki_plan *plan = task->plan;
    const float *unflipped = task->slot + plan->unflipped_at;
    float *output = wki_data(task, plan->value_count - 1);
    for (size_t i = 0; i < output_floats(plan, task->images); i++)
        output[i] = 0.5f * (unflipped[i] + output[i]);
}
