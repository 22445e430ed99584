/* nn.CrossEntropyLoss. */
#include "train/loss.h"
#include "plan/plan.h"
#include "tensor/tensor_internal.h"

#include <stdlib.h>

wick_status wick_cross_entropy_loss(wick_context *context, wick_loss **out)
{
    const wki_kernels *kernels;
    void *memory;
    if (context == NULL)
        return WICK_EINVAL;
    if (out == NULL)
        return wki_fail(context, WICK_EINVAL, "the place for the loss is NULL");
    WKI_TRY(wki_context_kernels(context, &kernels)); /* a bad WICK_CPU is better told of here */
    WKI_TRY(wki_alloc(context, 1, sizeof(wick_loss), "a loss", &memory));
    *out = memory;
    **out = (wick_loss){.context = context};
    return WICK_OK;
}

void wick_loss_free(wick_loss *loss)
{
    if (loss == NULL)
        return;
    wick_tensor_free(loss->gradient);
    free(loss);
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
    return WICK_OK;
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
                                       .scale = 1.0f / (float)rows};
        kernels->cross_entropy(&call);
        wick_tensor_free(loss->gradient);
        loss->gradient = gradient;
        *value = wki_mean_loss(losses, rows);
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
