#include "nn/layer_kind.h"

#include <stdlib.h>
#include <string.h>

wick_status wki_shape_misfit(const wick_module *layer, const char *path, const char *wanted, int ndim,
                             const int64_t *got)
{
    char text[WKI_SHAPE_TEXT];
    return wki_fail(layer->context, WICK_ESHAPE, "%s%s%s but got %s", path, path[0] == '\0' ? "" : ": ",
                    wanted, wki_shape_text(ndim, got, text));
}

const char *wki_wanted_image(const char *channels, int64_t least_h, int64_t least_w,
                             char out[WKI_WANTED_TEXT])
{
    char h[32] = "H", w[32] = "W";
    if (least_h > 1)
        snprintf(h, sizeof(h), "H >= %lld", (long long)least_h);
    if (least_w > 1)
        snprintf(w, sizeof(w), "W >= %lld", (long long)least_w);
    snprintf(out, WKI_WANTED_TEXT, "[N, %s, %s, %s]", channels, h, w);
    return out;
}

wick_status wki_same_shape(const wick_module *layer, const char *path, int ndim_in, const int64_t *in,
                           int *ndim_out, int64_t *out)
{
    (void)layer;
    (void)path;
    for (int i = 0; i < ndim_in; i++)
        out[i] = in[i];
    *ndim_out = ndim_in;
    return WICK_OK;
}

int64_t wki_pool_least(int64_t kernel, int64_t stride, int64_t padding, int64_t dilation, bool ceil_mode)
{
    int64_t least = wki_reach(kernel, dilation) - 2 * padding - (ceil_mode ? stride - 1 : 0);
    return WKI_MAX(least, 1);
}

int64_t wki_pool_size(int64_t in, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation,
                      bool ceil_mode)
{
    if (in < wki_pool_least(kernel, stride, padding, dilation, ceil_mode))
        return 0;
    int64_t room = in + 2 * padding - wki_reach(kernel, dilation) + (ceil_mode ? stride - 1 : 0);
    int64_t out = room / stride + 1;
    /* The last window must start inside the image or the padding before it. */
    if (ceil_mode && (out - 1) * stride >= in + padding)
        out--;
    return out;
}

static wick_status check_ndim(const wick_module *module, int ndim, const int64_t *shape)
{
    if (ndim < 0 || ndim > WICK_MAX_DIMS)
        return wki_fail(module->context, WICK_EINVAL, "a shape has 0 to %d dimensions, not %d",
                        WICK_MAX_DIMS, ndim);
    if (shape == NULL && ndim > 0)
        return wki_fail(module->context, WICK_EINVAL, "the input's shape is NULL");
    return WICK_OK;
}

/* Whether every size is in range and the elements can be counted and addressed. */
static bool fits(int ndim, const int64_t *shape)
{
    int64_t bytes = sizeof(float);
    for (int i = 0; i < ndim; i++)
        if (shape[i] < 0 || shape[i] > WKI_MAX_EXTENT || !wki_mul_i64(bytes, shape[i], &bytes))
            return false;
    return true;
}

wick_status wki_layer_output_shape(const wick_module *layer, const char *path, int ndim_in,
                                   const int64_t *in, int *ndim_out, int64_t *out)
{
    int64_t shape[WICK_MAX_DIMS];
    int ndim;
    char wanted[WKI_WANTED_TEXT];
    WKI_TRY(check_ndim(layer, ndim_in, in));
    const wki_layer_kind *kind = wki_layer_kind_for(layer);
    snprintf(wanted, sizeof(wanted), "%s wants sizes that can be counted in memory", kind->class_name);
    if (!fits(ndim_in, in))
        return wki_shape_misfit(layer, path, wanted, ndim_in, in);
    WKI_TRY(kind->output_shape(layer, path, ndim_in, in, &ndim, shape));
    if (!fits(ndim, shape))
        return wki_shape_misfit(layer, path, wanted, ndim_in, in);
    memcpy(out, shape, (size_t)ndim * sizeof(shape[0]));
    *ndim_out = ndim;
    return WICK_OK;
}

/* ---- along a walk ---- */

wick_status wki_shape_walk_init(wki_shape_walk *walk, const wick_module *module, int ndim,
                                const int64_t *shape)
{
    *walk = (wki_shape_walk){.now = {.ndim = ndim}};
    WKI_TRY(check_ndim(module, ndim, shape));
    for (int i = 0; i < ndim; i++)
        walk->now.sizes[i] = shape[i];
    return WICK_OK;
}

void wki_shape_walk_release(wki_shape_walk *walk)
{
    free(walk->kept);
    *walk = (wki_shape_walk){.kept = NULL};
}

static wick_status keep(wki_shape_walk *walk, const wick_module *residual)
{
    WKI_TRY(wki_grow(residual->context, (void **)&walk->kept, &walk->kept_capacity, walk->kept_count + 1,
                     sizeof(*walk->kept), "a Residual's shapes"));
    walk->kept[walk->kept_count++] = walk->now;
    return WICK_OK;
}

static wick_status check_sum(const wki_shape_walk *walk, const wki_shape_at *body,
                             const wick_module *residual, const char *path)
{
    bool shortcut = wki_residual_body_count(residual) < residual->child_count;
    char own[WKI_SHAPE_TEXT], other[WKI_SHAPE_TEXT];
    if (body->ndim == walk->now.ndim &&
        memcmp(body->sizes, walk->now.sizes, (size_t)body->ndim * sizeof(body->sizes[0])) == 0)
        return WICK_OK;
    return wki_fail(residual->context, WICK_ESHAPE,
                    "%s%sResidual adds two of one shape, but its body gives %s and its %s %s", path,
                    path[0] == '\0' ? "" : ": ", wki_shape_text(body->ndim, body->sizes, own),
                    shortcut ? "shortcut gives" : "input is",
                    wki_shape_text(walk->now.ndim, walk->now.sizes, other));
}

wick_status wki_shape_walk_visit(wki_shape_walk *walk, wki_visit_event event, const wick_module *module,
                                 const char *path)
{
    wki_shape_at *now = &walk->now;
    if (event == WKI_VISIT_LAYER)
        return wki_layer_output_shape(module, path, now->ndim, now->sizes, &now->ndim, now->sizes);
    if (event == WKI_VISIT_RESIDUAL)
        return keep(walk, module);
    wki_shape_at *kept = &walk->kept[walk->kept_count - 1];
    if (event == WKI_VISIT_SHORTCUT) {
        wki_shape_at body = *now;
        *now = *kept;
        *kept = body;
        return WICK_OK;
    }
    walk->kept_count--;
    return check_sum(walk, kept, module, path);
}

static wick_status pass(void *user, wki_visit_event event, wick_module *module, const char *path)
{
    return wki_shape_walk_visit(user, event, module, path);
}

wick_status wick_module_output_shape(const wick_module *module, int ndim_in, const int64_t *in,
                                     int *ndim_out, int64_t *out)
{
    if (module == NULL)
        return WICK_EINVAL;
    WKI_TRY(wki_check_out(module->context, ndim_out));
    WKI_TRY(wki_check_out(module->context, out));
    wki_shape_walk walk;
    WKI_TRY(wki_shape_walk_init(&walk, module, ndim_in, in));
    /* The visit only reads. */
    wick_status status = wki_module_walk((wick_module *)module, pass, &walk);
    if (status == WICK_OK) {
        memcpy(out, walk.now.sizes, (size_t)walk.now.ndim * sizeof(out[0]));
        *ndim_out = walk.now.ndim;
    }
    wki_shape_walk_release(&walk);
    return status;
}
