/* nn.CrossEntropyLoss. */
#include "train/loss.h"
#include "plan/plan.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static wick_status check_options(wick_context *context, const wick_cross_entropy_options *options)
{
    double smoothing = options->label_smoothing;
    if (!(smoothing >= 0.0 && smoothing <= 1.0))
        return wki_fail(context, WICK_EINVAL, "label_smoothing is %g; it must be from 0 to 1",
                        smoothing);
    if (options->weight != NULL && options->class_count < 1)
        return wki_fail(context, WICK_EINVAL, "the weights of %lld classes; there must be 1 or more",
                        (long long)options->class_count);
    for (int64_t i = 0; options->weight != NULL && i < options->class_count; i++)
        if (!(options->weight[i] >= 0.0f && isfinite(options->weight[i])))
            return wki_fail(context, WICK_EINVAL, "the weight of class %lld is %g; it must be 0 or more",
                            (long long)i, (double)options->weight[i]);
    return WICK_OK;
}

static wick_status take_options(wick_loss *loss, const wick_cross_entropy_options *options)
{
    void *memory;
    loss->smoothing = (float)options->label_smoothing;
    if (options->weight == NULL)
        return WICK_OK;
    size_t count = (size_t)options->class_count;
    WKI_TRY(wki_alloc(loss->context, count, sizeof(float), "the weights of the classes", &memory));
    memcpy(memory, options->weight, count * sizeof(float));
    loss->weights = memory;
    loss->weight_count = options->class_count;
    return WICK_OK;
}

wick_status wick_cross_entropy_loss_new(wick_context *context, const wick_cross_entropy_options *options,
                                        wick_loss **out)
{
    static const wick_cross_entropy_options none;
    const wki_kernels *kernels;
    void *memory;
    if (context == NULL)
        return WICK_EINVAL;
    if (out == NULL)
        return wki_fail(context, WICK_EINVAL, "the place for the loss is NULL");
    WKI_TRY(wki_context_kernels(context, &kernels)); /* a bad WICK_CPU is better told of here */
    WKI_TRY(check_options(context, options != NULL ? options : &none));
    WKI_TRY(wki_alloc(context, 1, sizeof(wick_loss), "a loss", &memory));
    wick_loss *loss = memory;
    loss->context = context;
    wick_status status = take_options(loss, options != NULL ? options : &none);
    if (status == WICK_OK)
        *out = loss;
    else
        wick_loss_free(loss);
    return status;
}

wick_status wick_cross_entropy_loss(wick_context *context, wick_loss **out)
{
    return wick_cross_entropy_loss_new(context, NULL, out);
}

void wick_loss_free(wick_loss *loss)
{
    if (loss == NULL)
        return;
    wick_tensor_free(loss->gradient);
    free(loss->weights);
    free(loss);
}

wick_status wki_loss_check_classes(const wick_loss *loss, int64_t classes)
{
    if (loss->weights == NULL || loss->weight_count == classes)
        return WICK_OK;
    return wki_fail(loss->context, WICK_ESHAPE,
                    "cross entropy: weights of %lld classes and logits of %lld",
                    (long long)loss->weight_count, (long long)classes);
}

/* What PyTorch's mean divides by. */
static double weight_of(const wick_loss *loss, const int64_t *targets, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)loss->weights[targets[i]];
    return sum;
}

float wki_loss_scale(const wick_loss *loss, const int64_t *targets, int64_t count)
{
    return loss->weights == NULL ? 1.0f / (float)count : (float)(1.0 / weight_of(loss, targets, count));
}

float wki_loss_mean(const wick_loss *loss, const float *losses, const int64_t *targets, int64_t count)
{
    if (loss->weights == NULL)
        return wki_mean_loss(losses, count);
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)losses[i];
    return (float)(sum / weight_of(loss, targets, count));
}

static wick_status check(const wick_loss *loss, const wick_tensor *logits, const wick_tensor *targets)
{
    wick_context *context = loss->context;
    char a[WKI_SHAPE_TEXT], b[WKI_SHAPE_TEXT];
    if (logits == NULL || targets == NULL)
        return wki_fail(context, WICK_EINVAL, "cross entropy: the logits or the targets are NULL");
    if (logits->dtype != WICK_FLOAT32 || targets->dtype != WICK_INT64)
        return wki_fail(
            context, WICK_EINVAL,
            "cross entropy: logits are %s and targets %s; they must be torch.float32 and torch.int64",
            wick_dtype_name(logits->dtype), wick_dtype_name(targets->dtype));
    if (logits->ndim != 2 || targets->ndim != 1 || logits->shape[0] != targets->shape[0] ||
        logits->numel == 0 || logits->numel > INT32_MAX)
        return wki_fail(context, WICK_ESHAPE,
                        "cross entropy: logits are %s and targets %s; they must be [N, C] and [N]",
                        wki_shape_text(logits->ndim, logits->shape, a),
                        wki_shape_text(targets->ndim, targets->shape, b));
    const int64_t *target = targets->data;
    for (int64_t i = 0; i < targets->numel; i++)
        if (target[i] < 0 || target[i] >= logits->shape[1])
            return wki_fail(context, WICK_EINVAL,
                            "cross entropy: target %lld is %lld; it must be 0 to %lld", (long long)i,
                            (long long)target[i], (long long)logits->shape[1] - 1);
    return wki_loss_check_classes(loss, logits->shape[1]);
}

wick_status wick_loss_forward(wick_loss *loss, const wick_tensor *logits, const wick_tensor *targets,
                              float *value)
{
    const wki_kernels *kernels;
    if (loss == NULL)
        return WICK_EINVAL;
    if (value == NULL)
        return wki_fail(loss->context, WICK_EINVAL, "cross entropy: the place for the value is NULL");
    WKI_TRY(check(loss, logits, targets));
    WKI_TRY(wki_context_kernels(loss->context, &kernels));
    int64_t rows = logits->shape[0], classes = logits->shape[1];
    wick_tensor *gradient;
    void *memory;
    WKI_TRY(wki_alloc(loss->context, (size_t)rows, sizeof(float) + sizeof(int64_t), "losses", &memory));
    wick_status status = wick_tensor_new(loss->context, WICK_FLOAT32, 2, logits->shape, &gradient);
    if (status == WICK_OK) {
        int64_t *predictions = memory;
        float *losses = (float *)(predictions + rows);
        wki_cross_entropy_call call = {.logits = logits->data,
                                       .gradient = gradient->data,
                                       .targets = targets->data,
                                       .losses = losses,
                                       .predictions = predictions,
                                       .rows = (int)rows,
                                       .classes = (int)classes,
                                       .pitch = classes,
                                       .scale = wki_loss_scale(loss, targets->data, rows),
                                       .weights = loss->weights,
                                       .smoothing = loss->smoothing};
        kernels->cross_entropy(&call);
        wick_tensor_free(loss->gradient);
        loss->gradient = gradient;
        *value = wki_loss_mean(loss, losses, targets->data, rows);
    }
    free(memory);
    return status;
}

wick_status wick_loss_backward(wick_loss *loss, wick_module *module)
{
    if (loss == NULL)
        return WICK_EINVAL;
    if (loss->gradient == NULL)
        return wki_fail(loss->context, WICK_EINVAL, "a loss's backward needs a forward before it");
    return wick_module_backward(module, loss->gradient, NULL);
}

wick_status wick_loss_gradient(const wick_loss *loss, wick_tensor **out)
{
    if (loss == NULL || out == NULL)
        return WICK_EINVAL;
    if (loss->gradient == NULL)
        return wki_fail(loss->context, WICK_EINVAL, "there is no gradient before the first loss");
    return wick_tensor_clone(loss->gradient, out);
}
