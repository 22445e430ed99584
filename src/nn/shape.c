#include "nn/layer_kind.h"

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
    const wki_layer_kind *kind = wki_layer_kind_of(layer->kind);
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

typedef struct shape_so_far {
    int ndim;
    int64_t sizes[WICK_MAX_DIMS];
} shape_so_far;

static wick_status pass(void *user, wick_module *layer, const char *path)
{
    shape_so_far *shape = user;
    return wki_layer_output_shape(layer, path, shape->ndim, shape->sizes, &shape->ndim, shape->sizes);
}

wick_status wick_module_output_shape(const wick_module *module, int ndim_in, const int64_t *in,
                                     int *ndim_out, int64_t *out)
{
    if (module == NULL)
        return WICK_EINVAL;
    WKI_TRY(wki_check_out(module->context, ndim_out));
    WKI_TRY(wki_check_out(module->context, out));
    WKI_TRY(check_ndim(module, ndim_in, in));
    shape_so_far shape = {.ndim = ndim_in};
    for (int i = 0; i < ndim_in; i++)
        shape.sizes[i] = in[i];
    /* The visit only reads. */
    WKI_TRY(wki_module_walk((wick_module *)module, pass, &shape));
    memcpy(out, shape.sizes, (size_t)shape.ndim * sizeof(out[0]));
    *ndim_out = shape.ndim;
    return WICK_OK;
}
