#include "nn/layer_kind.h"

#include <stdlib.h>
#include <string.h>

typedef struct summary {
    wick_layer_summary *lines;
    size_t count, capacity;
    wki_shape_walk shape;
} summary;

static wick_status count_multiply_adds(const wick_module *layer, const char *path,
                                       wick_layer_summary *line)
{
    const wki_layer_kind *kind = wki_layer_kind_for(layer);
    if (kind->multiply_adds == NULL)
        return WICK_OK;
    int64_t count = kind->multiply_adds(layer);
    for (int i = 0; i < line->ndim; i++)
        if (!wki_mul_i64(count, line->shape[i], &count))
            return wki_fail(layer->context, WICK_ELIMIT, "%s%s%s takes more than 2^63 multiply-adds",
                            path, path[0] == '\0' ? "" : ": ", kind->class_name);
    line->multiply_adds = count;
    return WICK_OK;
}

static wick_status add_line(summary *all, const wick_module *layer, const char *path)
{
    wick_layer_summary line = {
        .kind = wki_layer_kind_for(layer)->class_name,
        .parameters = wick_module_parameter_count(layer),
        .ndim = all->shape.now.ndim,
    };
    if (strlen(path) >= sizeof(line.path))
        return wki_fail(layer->context, WICK_ELIMIT, "the layer's name '%s' is longer than %zu bytes",
                        path, sizeof(line.path) - 1);
    memcpy(line.path, path, strlen(path) + 1);
    memcpy(line.shape, all->shape.now.sizes, sizeof(line.shape));
    WKI_TRY(count_multiply_adds(layer, path, &line));
    WKI_TRY(wki_grow(layer->context, (void **)&all->lines, &all->capacity, all->count + 1, sizeof(line),
                     "a summary"));
    all->lines[all->count++] = line;
    return WICK_OK;
}

static wick_status visit(void *user, wki_visit_event event, wick_module *module, const char *path)
{
    summary *all = user;
    WKI_TRY(wki_shape_walk_visit(&all->shape, event, module, path));
    return event == WKI_VISIT_LAYER ? add_line(all, module, path) : WICK_OK;
}

wick_status wick_module_summary(const wick_module *module, int ndim_in, const int64_t *in,
                                wick_layer_summary **layers, int64_t *count)
{
    if (module == NULL)
        return WICK_EINVAL;
    WKI_TRY(wki_check_out(module->context, layers));
    WKI_TRY(wki_check_out(module->context, count));
    summary all = {.count = 0};
    WKI_TRY(wki_shape_walk_init(&all.shape, module, ndim_in, in));
    /* The visit only reads. */
    wick_status status = wki_module_walk((wick_module *)module, visit, &all);
    wki_shape_walk_release(&all.shape);
    if (status != WICK_OK) {
        free(all.lines);
        return status;
    }
    *layers = all.lines;
    *count = (int64_t)all.count;
    return WICK_OK;
}
