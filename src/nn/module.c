#include "nn/layer_kind.h"

#include <stdlib.h>
#include <string.h>

wick_status wki_module_new(wick_context *context, wki_module_kind kind, const char *class_name,
                           wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    void *memory;
    WKI_TRY(wki_alloc(context, 1, sizeof(wick_module), "a module", &memory));
    wick_module *module = memory;
    module->context = context;
    module->kind = kind;
    module->training = true;
    if (class_name == NULL)
        class_name = wki_layer_kind_of(kind)->class_name;
    wick_status status = wki_strdup(context, class_name, &module->class_name);
    if (status != WICK_OK) {
        free(module);
        return status;
    }
    *out = module;
    return WICK_OK;
}

wick_status wki_module_parameter(wick_module *module, int index, const char *name, int ndim,
                                 const int64_t *shape)
{
    wki_parameter *parameter = &module->parameters[index];
    parameter->name = name;
    WKI_TRY(wick_tensor_new(module->context, WICK_FLOAT32, ndim, shape, &parameter->value));
    return wick_tensor_new(module->context, WICK_FLOAT32, ndim, shape, &parameter->grad);
}

wick_status wki_module_buffer(wick_module *module, int index, const char *name, wick_dtype dtype,
                              int ndim, const int64_t *shape)
{
    module->buffers[index].name = name;
    return wick_tensor_new(module->context, dtype, ndim, shape, &module->buffers[index].value);
}

void wick_module_free(wick_module *module)
{
    if (module == NULL)
        return;
    if (module->plan != NULL)
        module->plan_free(module->plan);
    for (size_t i = 0; i < module->child_count; i++) {
        wick_module_free(module->children[i]);
        free(module->child_names[i]);
    }
    free(module->children);
    free(module->child_names);
    for (int i = 0; i < WKI_MAX_PARAMETERS; i++) {
        wick_tensor_free(module->parameters[i].value);
        wick_tensor_free(module->parameters[i].grad);
    }
    for (int i = 0; i < WKI_MAX_BUFFERS; i++)
        wick_tensor_free(module->buffers[i].value);
    free(module->class_name);
    free(module);
}

const char *wick_module_class_name(const wick_module *module)
{
    return module->class_name;
}

int64_t wick_module_child_count(const wick_module *module)
{
    return (int64_t)module->child_count;
}

wick_module *wick_module_child(const wick_module *module, int64_t index)
{
    return index >= 0 && index < (int64_t)module->child_count ? module->children[index] : NULL;
}

const char *wick_module_child_name(const wick_module *module, int64_t index)
{
    return index >= 0 && index < (int64_t)module->child_count ? module->child_names[index] : NULL;
}

int64_t wick_module_parameter_count(const wick_module *module)
{
    int64_t count = 0;
    for (int i = 0; i < WKI_MAX_PARAMETERS; i++)
        if (module->parameters[i].value != NULL)
            count += wick_tensor_numel(module->parameters[i].value);
    for (size_t i = 0; i < module->child_count; i++)
        count += wick_module_parameter_count(module->children[i]);
    return count;
}

static void set_training(wick_module *module, bool training)
{
    module->training = training;
    for (size_t i = 0; i < module->child_count; i++)
        set_training(module->children[i], training);
}

void wick_module_train(wick_module *module)
{
    set_training(module, true);
}

void wick_module_eval(wick_module *module)
{
    set_training(module, false);
}

bool wick_module_training(const wick_module *module)
{
    return module->training;
}

void wki_module_forget_plans(wick_module *module)
{
    for (; module != NULL; module = module->parent) {
        if (module->plan != NULL)
            module->plan_free(module->plan);
        module->plan = NULL;
    }
}

void wick_module_set_tta(wick_module *module, wick_tta tta)
{
    if (module->tta != tta)
        wki_module_forget_plans(module);
    module->tta = tta;
}

wick_tta wick_module_tta(const wick_module *module)
{
    return module->tta;
}

void wick_module_zero_grad(wick_module *module)
{
    for (int i = 0; i < WKI_MAX_PARAMETERS; i++) {
        wick_tensor *grad = module->parameters[i].grad;
        if (grad != NULL)
            memset(wick_tensor_data(grad), 0, (size_t)wick_tensor_numel(grad) * sizeof(float));
    }
    for (size_t i = 0; i < module->child_count; i++)
        wick_module_zero_grad(module->children[i]);
}

size_t wki_residual_body_count(const wick_module *residual)
{
    size_t count = residual->child_count;
    return count > 0 && strcmp(residual->child_names[count - 1], "shortcut") == 0 ? count - 1 : count;
}

/* While a tree is walked. path holds the dotted path of a module and is given back as it came. */
typedef struct walker {
    wki_text path;
    wki_layer_visit *visit;
    void *user;
} walker;

static wick_status tell(walker *w, wki_visit_event event, wick_module *module)
{
    return w->visit(w->user, event, module, w->path.length == 0 ? "" : w->path.bytes);
}

static wick_status walk(walker *w, wick_module *module);

static wick_status walk_children(walker *w, wick_module *module, size_t begin, size_t end)
{
    size_t length = w->path.length;
    for (size_t i = begin; i < end; i++) {
        wki_text_printf(&w->path, "%s%s", length == 0 ? "" : ".", module->child_names[i]);
        WKI_TRY(w->path.status);
        WKI_TRY(walk(w, module->children[i]));
        w->path.length = length;
        w->path.bytes[length] = '\0';
    }
    return WICK_OK;
}

static wick_status walk_residual(walker *w, wick_module *module)
{
    size_t body = wki_residual_body_count(module);
    WKI_TRY(tell(w, WKI_VISIT_RESIDUAL, module));
    WKI_TRY(walk_children(w, module, 0, body));
    WKI_TRY(tell(w, WKI_VISIT_SHORTCUT, module));
    WKI_TRY(walk_children(w, module, body, module->child_count));
    return tell(w, WKI_VISIT_SUM, module);
}

static wick_status walk(walker *w, wick_module *module)
{
    if (!wki_layer_kind_of(module->kind)->container)
        return tell(w, WKI_VISIT_LAYER, module);
    if (module->kind == WKI_RESIDUAL)
        return walk_residual(w, module);
    return walk_children(w, module, 0, module->child_count);
}

wick_status wki_module_walk(wick_module *module, wki_layer_visit *visit, void *user)
{
    walker w = {.visit = visit, .user = user};
    wki_text_init(&w.path, module->context);
    wick_status status = walk(&w, module);
    wki_text_release(&w.path);
    return status;
}
