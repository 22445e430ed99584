#include "nn/layer_kind.h"

#include <stdlib.h>
#include <string.h>

const wki_layer_kind wki_sequential_kind = {.class_name = "Sequential", .container = true};
const wki_layer_kind wki_residual_kind = {.class_name = "Residual", .container = true};

wick_status wick_sequential(wick_context *context, wick_module **out)
{
    return wki_module_new(context, WKI_SEQUENTIAL, NULL, out);
}

wick_status wick_residual(wick_context *context, wick_module **out)
{
    return wki_module_new(context, WKI_RESIDUAL, NULL, out);
}

wick_status wick_model(wick_context *context, const char *class_name, wick_module **out)
{
    if (context == NULL)
        return WICK_EINVAL;
    if (class_name == NULL || class_name[0] == '\0')
        return wki_fail(context, WICK_EINVAL, "a model's class name must not be empty");
    return wki_module_new(context, WKI_SEQUENTIAL, class_name, out);
}

/* Whether child is the caller's to give away: if not it has another owner, and is not freed here. */
static wick_status check_owned(const wick_module *sequential, const wick_module *child)
{
    if (child->parent != NULL)
        return wki_fail(sequential->context, WICK_EINVAL, "the %s is in another module already",
                        child->class_name);
    for (const wick_module *up = sequential; up != NULL; up = up->parent)
        if (up == child)
            return wki_fail(sequential->context, WICK_EINVAL, "a module cannot be appended to itself");
    return WICK_OK;
}

static wick_status check_name(const wick_module *sequential, const char *name)
{
    wick_context *context = sequential->context;
    if (!wki_layer_kind_of(sequential->kind)->container)
        return wki_fail(context, WICK_EINVAL,
                        "%s is no container: only a Sequential, a Residual or a model has children",
                        sequential->class_name);
    if (name[0] == '\0')
        return wki_fail(context, WICK_EINVAL, "a child's name must not be empty");
    if (strchr(name, '.') != NULL)
        return wki_fail(context, WICK_EINVAL, "a child's name must not have a dot, but it is '%s'",
                        name);
    if (sequential->kind == WKI_RESIDUAL &&
        wki_residual_body_count(sequential) < sequential->child_count)
        return wki_fail(context, WICK_EINVAL,
                        "the shortcut must be the last child of a Residual, but '%s' comes after it",
                        name);
    for (size_t i = 0; i < sequential->child_count; i++)
        if (strcmp(sequential->child_names[i], name) == 0)
            return wki_fail(context, WICK_EEXIST, "%s has a child named '%s' already",
                            sequential->class_name, name);
    return WICK_OK;
}

static wick_status add(wick_module *sequential, const char *name, wick_module *child)
{
    wick_context *context = sequential->context;
    size_t count = sequential->child_count;
    char position[24];
    snprintf(position, sizeof(position), "%zu", count);
    if (name == NULL)
        name = position;
    WKI_TRY(check_name(sequential, name));
    if (child->context != context)
        return wki_fail(context, WICK_EINVAL, "the %s was made in another context", child->class_name);
    WKI_TRY(wki_grow(context, (void **)&sequential->children, &sequential->child_capacity, count + 1,
                     sizeof(*sequential->children), "a module's children"));
    WKI_TRY(wki_grow(context, (void **)&sequential->child_names, &sequential->name_capacity, count + 1,
                     sizeof(*sequential->child_names), "a module's children"));
    WKI_TRY(wki_strdup(context, name, &sequential->child_names[count]));
    sequential->children[count] = child;
    sequential->child_count = count + 1;
    child->parent = sequential;
    return WICK_OK;
}

wick_status wick_sequential_append(wick_module *sequential, const char *name, wick_module *child)
{
    if (sequential == NULL) {
        if (child != NULL && child->parent == NULL)
            wick_module_free(child);
        return WICK_EINVAL;
    }
    if (child == NULL)
        return wki_fail(sequential->context, WICK_EINVAL, "the child of %s is NULL; it must be a module",
                        sequential->class_name);
    WKI_TRY(check_owned(sequential, child));
    wick_status status = add(sequential, name, child);
    if (status != WICK_OK) {
        wick_module_free(child);
        return status;
    }
    wki_module_forget_plans(sequential);
    return WICK_OK;
}
