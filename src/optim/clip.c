/* torch.nn.utils.clip_grad_norm_: the gradients of all parameters, scaled to have at most that norm together. */
#include "optim/optimizer.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <stdlib.h>

enum { CHUNK = 4096 }; /* numbers; a sum of squares never spans two */

void wki_clip_gradients(const wki_kernels *kernels, const wki_clip *clip,
                        wki_parameter *const *parameters)
{
    for (size_t i = 0; i < clip->chunk_count; i++) {
        const wki_chunk *c = &clip->chunks[i];
        clip->sums[i] = kernels->sum_squares((float *)parameters[c->parameter]->grad->data + c->begin,
                                             c->end - c->begin);
    }
    float factor = wki_clip_factor(clip);
    for (size_t i = 0; factor < 1.0f && i < clip->chunk_count; i++) {
        const wki_chunk *c = &clip->chunks[i];
        kernels->scale((float *)parameters[c->parameter]->grad->data + c->begin, c->end - c->begin,
                       factor);
    }
}

static size_t count_chunks(const wick_optimizer *optimizer)
{
    size_t count = 0;
    for (size_t i = 0; i < optimizer->parameter_count; i++)
        count += ((size_t)optimizer->parameters[i]->value->numel + CHUNK - 1) / CHUNK;
    return count;
}

/* Cuts the parameters into chunks. */
static wick_status make_clip(const wick_optimizer *optimizer, double max_norm, wki_clip *out)
{
    void *chunks, *sums;
    size_t count = count_chunks(optimizer), at = 0;
    WKI_TRY(
        wki_alloc(optimizer->context, count, sizeof(wki_chunk), "the clipping of gradients", &chunks));
    wick_status status =
        wki_alloc(optimizer->context, count, sizeof(double), "the clipping of gradients", &sums);
    if (status != WICK_OK) {
        free(chunks);
        return status;
    }
    for (size_t i = 0; i < optimizer->parameter_count; i++) {
        size_t numel = (size_t)optimizer->parameters[i]->value->numel;
        for (size_t begin = 0; begin < numel; begin += CHUNK)
            ((wki_chunk *)chunks)[at++] = (wki_chunk){(int)i, begin, WKI_MIN(begin + CHUNK, numel)};
    }
    *out = (wki_clip){max_norm, chunks, count, sums};
    return WICK_OK;
}

static wick_status check_norm(wick_context *context, double max_norm)
{
    if (max_norm > 0.0 && isfinite(max_norm))
        return WICK_OK;
    return wki_fail(context, WICK_EINVAL, "the greatest norm of the gradients is %g; it must be above 0",
                    max_norm);
}

wick_status wick_optimizer_set_clip(wick_optimizer *optimizer, double max_norm)
{
    wki_clip clip = {0};
    if (optimizer == NULL)
        return WICK_EINVAL;
    if (max_norm != 0.0) {
        WKI_TRY(check_norm(optimizer->context, max_norm));
        WKI_TRY(make_clip(optimizer, max_norm, &clip));
    }
    free((void *)optimizer->clip.chunks);
    free(optimizer->clip.sums);
    optimizer->clip = clip;
    return WICK_OK;
}

wick_status wick_clip_grad_norm(wick_module *module, double max_norm, double *norm)
{
    const wki_kernels *kernels;
    wki_clip clip = {0};
    if (module == NULL)
        return WICK_EINVAL;
    wick_optimizer all = {.context = module->context};
    WKI_TRY(check_norm(module->context, max_norm));
    WKI_TRY(wki_context_kernels(module->context, &kernels));
    wick_status status = wki_module_walk(module, wki_optimizer_collect, &all);
    if (status == WICK_OK)
        status = make_clip(&all, max_norm, &clip);
    if (status == WICK_OK) {
        wki_clip_gradients(kernels, &clip, all.parameters);
        if (norm != NULL)
            *norm = wki_clip_norm(&clip);
    }
    free((void *)clip.chunks);
    free(clip.sums);
    free(all.parameters);
    return status;
}
