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
    return !optimizer->plain || optimizer->scheduled;
}

static const char *buffer_key(const wick_optimizer *optimizer, size_t parameter, int buffer,
                              char key[KEY])
{
    snprintf(key, KEY, "state.%zu.%s", parameter, optimizer->kind->buffers[buffer]);
    return key;
}

/* ---- saving ---- */

static wick_status add_buffer(const wick_optimizer *optimizer, size_t parameter, int buffer,
                              wick_state_dict *dict)
{
    char key[KEY];
    wick_tensor *copy;
    const wick_tensor *like = optimizer->parameters[parameter]->value;
    WKI_TRY(wick_tensor_new(optimizer->context, WICK_FLOAT32, like->ndim, like->shape, &copy));
    memcpy(copy->data, wki_optimizer_buffer(optimizer, buffer, parameter),
           (size_t)like->numel * sizeof(float));
    wick_status status = wick_state_dict_add(dict, buffer_key(optimizer, parameter, buffer, key), copy);
    if (status != WICK_OK)
        wick_tensor_free(copy);
    return status;
}

static wick_status add_all(const wick_optimizer *optimizer, wick_state_dict *dict)
{
    WKI_TRY(wki_state_dict_add_f64(dict, "lr", optimizer->lr));
    if (!keeps_steps(optimizer))
        return WICK_OK;
    for (size_t i = 0; i < WKI_COUNT(settings); i++)
        WKI_TRY(wki_state_dict_add_f64(dict, settings[i].key, setting(optimizer, i)));
    WKI_TRY(wki_state_dict_add_i64(dict, "step", optimizer->step));
    for (size_t i = 0; i < optimizer->parameter_count; i++)
        for (int k = 0; k < wki_optimizer_buffers(optimizer); k++)
            WKI_TRY(add_buffer(optimizer, i, k, dict));
    return WICK_OK;
}

wick_status wick_optimizer_state_dict(const wick_optimizer *optimizer, wick_state_dict **out)
{
    wick_state_dict *dict;
    if (optimizer == NULL)
        return WICK_EINVAL;
    if (out == NULL)
        return wki_fail(optimizer->context, WICK_EINVAL, "the place for the optimizer's state is NULL");
    WKI_TRY(wick_state_dict_new(optimizer->context, &dict));
    wick_status status = add_all(optimizer, dict);
    if (status == WICK_OK)
        *out = dict;
    else
        wick_state_dict_free(dict);
    return status;
}

/* ---- loading ---- */

/* Looks for the key of the optimizer's that is `name`. */
static bool is_known(const wick_optimizer *optimizer, const char *name)
{
    char key[KEY];
    if (strcmp(name, "lr") == 0)
        return true;
    if (!keeps_steps(optimizer))
        return false;
    for (size_t i = 0; i < WKI_COUNT(settings); i++)
        if (strcmp(name, settings[i].key) == 0)
            return true;
    if (strcmp(name, "step") == 0)
        return true;
    size_t parameter;
    int end = 0;
    if (sscanf(name, "state.%zu.%n", &parameter, &end) != 1 || end == 0 ||
        parameter >= optimizer->parameter_count)
        return false;
    for (int k = 0; k < wki_optimizer_buffers(optimizer); k++)
        if (strcmp(name, buffer_key(optimizer, parameter, k, key)) == 0)
            return true;
    return false;
}

static wick_status check_buffer(const wick_optimizer *optimizer, size_t parameter, int buffer,
                                const wick_state_dict *dict)
{
    char key[KEY], text[2][WKI_SHAPE_TEXT];
    const wick_tensor *like = optimizer->parameters[parameter]->value;
    const wick_tensor *tensor = wick_state_dict_get(dict, buffer_key(optimizer, parameter, buffer, key));
    if (tensor == NULL)
        return wki_fail(optimizer->context, WICK_EKEY, "the optimizer's state has no '%s'", key);
    if (tensor->dtype == WICK_FLOAT32 && tensor->ndim == like->ndim &&
        memcmp(tensor->shape, like->shape, (size_t)like->ndim * sizeof(*like->shape)) == 0)
        return WICK_OK;
    return wki_fail(optimizer->context, WICK_EFORMAT, "'%s' is %s of %s; it must be %s of torch.float32",
                    key, wki_shape_text(tensor->ndim, tensor->shape, text[0]),
                    wick_dtype_name(tensor->dtype), wki_shape_text(like->ndim, like->shape, text[1]));
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
    for (int64_t i = 0; i < wick_state_dict_count(dict); i++)
        if (!is_known(optimizer, wick_state_dict_key(dict, i)))
            return wki_fail(optimizer->context, WICK_EKEY, "'%s' is no part of the state of %s",
                            wick_state_dict_key(dict, i), optimizer->kind->name);
    if (!keeps_steps(optimizer))
        return WICK_OK;
    WKI_TRY(check_settings(optimizer, dict));
    WKI_TRY(wki_state_dict_get_i64(dict, "step", 0, INT64_MAX - 1, step));
    for (size_t i = 0; i < optimizer->parameter_count; i++)
        for (int k = 0; k < wki_optimizer_buffers(optimizer); k++)
            WKI_TRY(check_buffer(optimizer, i, k, dict));
    return WICK_OK;
}

static void take_buffers(wick_optimizer *optimizer, const wick_state_dict *dict)
{
    char key[KEY];
    for (size_t i = 0; i < optimizer->parameter_count; i++)
        for (int k = 0; k < wki_optimizer_buffers(optimizer); k++) {
            const wick_tensor *tensor = wick_state_dict_get(dict, buffer_key(optimizer, i, k, key));
            memcpy(wki_optimizer_buffer(optimizer, k, i), tensor->data,
                   (size_t)tensor->numel * sizeof(float));
        }
}

wick_status wick_optimizer_load_state_dict(wick_optimizer *optimizer, const wick_state_dict *dict)
{
    double lr = 0;
    int64_t step = 0;
    if (optimizer == NULL)
        return WICK_EINVAL;
    if (dict == NULL)
        return wki_fail(optimizer->context, WICK_EINVAL, "the optimizer's state is NULL");
    WKI_TRY(check_dict(optimizer, dict, &step));
    WKI_TRY(wki_state_dict_get_f64(dict, "lr", &lr));
    if (!isfinite(lr) || lr < 0.0)
        return wki_fail(optimizer->context, WICK_EFORMAT, "lr is %g; it must be a number above 0", lr);
    optimizer->lr = lr;
    optimizer->step = step;
    take_buffers(optimizer, dict);
    return WICK_OK;
}
