/* An optimizer's state_dict: its settings, how many steps it made, what it keeps for each parameter. */
#include "optim/optimizer.h"
#include "tensor/tensor_internal.h"

#include <math.h>
#include <string.h>

enum { KEY = 64 };

/* The settings that are in the state_dict beside lr: all but of the plain kind, whose dict is lr alone. */
static const struct {
    const char *key;
    size_t offset;
} settings[] = {
    {"weight_decay", offsetof(wick_optimizer, weight_decay)},
    {"momentum", offsetof(wick_optimizer, momentum)},
    {"dampening", offsetof(wick_optimizer, dampening)},
    {"beta1", offsetof(wick_optimizer, beta1)},
    {"beta2", offsetof(wick_optimizer, beta2)},
    {"eps", offsetof(wick_optimizer, eps)},
};

static double setting(const wick_optimizer *optimizer, size_t index)
{
    double value;
    memcpy(&value, (const char *)optimizer + settings[index].offset, sizeof(value));
    return value;
}

/* Whether there is anything to go on with but the weights. */
static bool keeps_steps(const wick_optimizer *optimizer)
{
    return !optimizer->plain || optimizer->scheduled || optimizer->average != NULL;
}

/* One of the tensors that are kept: numbers of the optimizer's, with the shape and type of a tensor of the module's. */
typedef struct kept {
    char key[KEY];
    const wick_tensor *like;
    void *data;
} kept;

static int arrays(const wick_optimizer *optimizer)
{
    return wki_optimizer_buffers(optimizer) + (optimizer->average != NULL ? 1 : 0);
}

/* Number `index` of what is kept; false behind the last. */
static bool get_kept(const wick_optimizer *optimizer, size_t index, kept *out)
{
    size_t each = (size_t)arrays(optimizer), own = optimizer->parameter_count * each;
    if (index >= own + optimizer->buffer_count)
        return false;
    if (index >= own) {
        size_t at = index - own;
        snprintf(out->key, KEY, "ema_buffer.%zu", at);
        out->like = optimizer->buffer_averages[at];
        out->data = optimizer->buffer_averages[at]->data;
        return true;
    }
    size_t parameter = index / each, array = index % each;
    out->like = optimizer->parameters[parameter]->value;
    if (array == (size_t)wki_optimizer_buffers(optimizer)) {
        snprintf(out->key, KEY, "ema.%zu", parameter);
        out->data = optimizer->average + optimizer->state_at[parameter];
    } else {
        snprintf(out->key, KEY, "state.%zu.%s", parameter, optimizer->kind->buffers[array]);
        out->data = wki_optimizer_buffer(optimizer, (int)array, parameter);
    }
    return true;
}

static size_t kept_bytes(const kept *part)
{
    return (size_t)part->like->numel * wick_dtype_size(part->like->dtype);
}

/* ---- saving ---- */

static wick_status add_kept(const wick_optimizer *optimizer, const kept *part, wick_state_dict *dict)
{
    wick_tensor *copy;
    WKI_TRY(wick_tensor_new(optimizer->context, part->like->dtype, part->like->ndim, part->like->shape,
                            &copy));
    memcpy(copy->data, part->data, kept_bytes(part));
    wick_status status = wick_state_dict_add(dict, part->key, copy);
    if (status != WICK_OK)
        wick_tensor_free(copy);
    return status;
}

static wick_status add_all(const wick_optimizer *optimizer, wick_state_dict *dict)
{
    kept part;
    WKI_TRY(wki_state_dict_add_f64(dict, "lr", optimizer->lr));
    if (!keeps_steps(optimizer))
        return WICK_OK;
    for (size_t i = 0; i < WKI_COUNT(settings); i++)
        WKI_TRY(wki_state_dict_add_f64(dict, settings[i].key, setting(optimizer, i)));
    WKI_TRY(wki_state_dict_add_i64(dict, "step", optimizer->step));
    for (size_t i = 0; get_kept(optimizer, i, &part); i++)
        WKI_TRY(add_kept(optimizer, &part, dict));
    return WICK_OK;
}

wick_status wick_optimizer_state_dict(const wick_optimizer *optimizer, wick_state_dict **out)
{
    wick_state_dict *dict;
    if (optimizer == NULL)
        return WICK_EINVAL;
    if (out == NULL)
        return wki_fail(optimizer->context, WICK_EINVAL, "the place for the optimizer's state is NULL");
    WKI_TRY(wki_optimizer_check_weights(optimizer));
    WKI_TRY(wick_state_dict_new(optimizer->context, &dict));
    wick_status status = add_all(optimizer, dict);
    if (status == WICK_OK)
        *out = dict;
    else
        wick_state_dict_free(dict);
    return status;
}

/* ---- loading ---- */

static bool is_setting(const wick_optimizer *optimizer, const char *name)
{
    if (strcmp(name, "lr") == 0)
        return true;
    if (!keeps_steps(optimizer))
        return false;
    for (size_t i = 0; i < WKI_COUNT(settings); i++)
        if (strcmp(name, settings[i].key) == 0)
            return true;
    return strcmp(name, "step") == 0;
}

/* Every key is a setting or one of the tensors: with as many tensors as there must be, all of which are there, there
 * is no other. */
static wick_status check_keys(const wick_optimizer *optimizer, const wick_state_dict *dict)
{
    kept part;
    int64_t tensors = 0, wanted = 0;
    for (int64_t i = 0; i < wick_state_dict_count(dict); i++) {
        const char *key = wick_state_dict_key(dict, i);
        bool known = is_setting(optimizer, key);
        bool tensor = !known && (strncmp(key, "state.", 6) == 0 || strncmp(key, "ema", 3) == 0);
        tensors += tensor;
        if (!known && !tensor)
            return wki_fail(optimizer->context, WICK_EKEY, "'%s' is no part of the state of %s", key,
                            optimizer->kind->name);
    }
    for (size_t i = 0; get_kept(optimizer, i, &part); i++, wanted++)
        if (wick_state_dict_get(dict, part.key) == NULL)
            return wki_fail(optimizer->context, WICK_EKEY, "the optimizer's state has no '%s'",
                            part.key);
    if (tensors != wanted)
        return wki_fail(optimizer->context, WICK_EKEY,
                        "%lld tensors are no part of the state of this %s",
                        (long long)(tensors - wanted), optimizer->kind->name);
    return WICK_OK;
}

static wick_status check_kept(const wick_optimizer *optimizer, const kept *part,
                              const wick_state_dict *dict)
{
    char text[2][WKI_SHAPE_TEXT];
    const wick_tensor *like = part->like, *tensor = wick_state_dict_get(dict, part->key);
    if (tensor->dtype == like->dtype && tensor->ndim == like->ndim &&
        memcmp(tensor->shape, like->shape, (size_t)like->ndim * sizeof(*like->shape)) == 0)
        return WICK_OK;
    return wki_fail(optimizer->context, WICK_EFORMAT, "'%s' is %s of %s; it must be %s of %s", part->key,
                    wki_shape_text(tensor->ndim, tensor->shape, text[0]), wick_dtype_name(tensor->dtype),
                    wki_shape_text(like->ndim, like->shape, text[1]), wick_dtype_name(like->dtype));
}

/* The settings must be those that the optimizer was made with. */
static wick_status check_settings(const wick_optimizer *optimizer, const wick_state_dict *dict)
{
    for (size_t i = 0; i < WKI_COUNT(settings); i++) {
        double value = 0, own = setting(optimizer, i);
        WKI_TRY(wki_state_dict_get_f64(dict, settings[i].key, &value));
        if (value != own)
            return wki_fail(optimizer->context, WICK_EFORMAT, "%s is %g, and this %s was made with %g",
                            settings[i].key, value, optimizer->kind->name, own);
    }
    return WICK_OK;
}

static wick_status check_dict(const wick_optimizer *optimizer, const wick_state_dict *dict,
                              int64_t *step)
{
    kept part;
    WKI_TRY(check_keys(optimizer, dict));
    if (!keeps_steps(optimizer))
        return WICK_OK;
    WKI_TRY(check_settings(optimizer, dict));
    WKI_TRY(wki_state_dict_get_i64(dict, "step", 0, INT64_MAX - 1, step));
    for (size_t i = 0; get_kept(optimizer, i, &part); i++)
        WKI_TRY(check_kept(optimizer, &part, dict));
    return WICK_OK;
}

static void take_kept(const wick_optimizer *optimizer, const wick_state_dict *dict)
{
    kept part;
    for (size_t i = 0; get_kept(optimizer, i, &part); i++)
        memcpy(part.data, wick_state_dict_get(dict, part.key)->data, kept_bytes(&part));
}

wick_status wick_optimizer_load_state_dict(wick_optimizer *optimizer, const wick_state_dict *dict)
{
    double lr = 0;
    int64_t step = 0;
    if (optimizer == NULL)
        return WICK_EINVAL;
    if (dict == NULL)
        return wki_fail(optimizer->context, WICK_EINVAL, "the optimizer's state is NULL");
    WKI_TRY(wki_optimizer_check_weights(optimizer));
    WKI_TRY(check_dict(optimizer, dict, &step));
    WKI_TRY(wki_state_dict_get_f64(dict, "lr", &lr));
    if (!isfinite(lr) || lr < 0.0)
        return wki_fail(optimizer->context, WICK_EFORMAT, "lr is %g; it must be a number above 0", lr);
    optimizer->lr = lr;
    optimizer->step = step;
    take_kept(optimizer, dict);
    return WICK_OK;
}
