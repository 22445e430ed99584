/* The three models of the chapter, layer by layer in the order in which it makes them: that order is the
 * order in which their weights are drawn. */
#include "nn/layer_kind.h"

#include <string.h>
#include <strings.h>

/* Moves a layer that was just made into the block; if making it failed, returns that. */
static wick_status push(wick_module *block, wick_status made, wick_module *layer)
{
    return made != WICK_OK ? made : wick_sequential_append(block, NULL, layer);
}

static wick_status push_linear(wick_module *block, int64_t in_features, int64_t out_features)
{
    wick_module *layer = NULL;
    wick_status made = wick_linear(block->context, in_features, out_features, NULL, &layer);
    return push(block, made, layer);
}

static wick_status push_flatten(wick_module *block)
{
    wick_module *layer = NULL;
    wick_status made = wick_flatten(block->context, &layer);
    return push(block, made, layer);
}

static wick_status push_relu(wick_module *block)
{
    wick_module *layer = NULL;
    wick_status made = wick_relu(block->context, &layer);
    return push(block, made, layer);
}

static wick_status push_max_pool2d(wick_module *block)
{
    wick_module *layer = NULL;
    wick_status made = wick_max_pool2d(block->context, (wick_size2){2, 2}, NULL, &layer);
    return push(block, made, layer);
}

static wick_status push_conv2d(wick_module *block, int64_t in_channels, int64_t out_channels)
{
    wick_module *layer = NULL;
    wick_conv2d_options options = {.padding = {1, 1}};
    wick_status made =
        wick_conv2d(block->context, in_channels, out_channels, (wick_size2){3, 3}, &options, &layer);
    return push(block, made, layer);
}

/* Adds an empty Sequential under that name. *block is borrowed from the model. */
static wick_status push_block(wick_module *model, const char *name, wick_module **block)
{
    wick_module *made;
    WKI_TRY(wick_sequential(model->context, &made));
    WKI_TRY(wick_sequential_append(model, name, made));
    *block = made;
    return WICK_OK;
}

/* What a model is made for. height and width are V2's images. */
typedef struct model_sizes {
    int64_t input_shape, hidden_units, output_shape, height, width;
} model_sizes;

static wick_status fill_v0(wick_module *model, const model_sizes *sizes)
{
    wick_module *block;
    WKI_TRY(push_block(model, "layer_stack", &block));
    WKI_TRY(push_flatten(block));
    WKI_TRY(push_linear(block, sizes->input_shape, sizes->hidden_units));
    return push_linear(block, sizes->hidden_units, sizes->output_shape);
}

static wick_status fill_v1(wick_module *model, const model_sizes *sizes)
{
    wick_module *block;
    WKI_TRY(push_block(model, "layer_stack", &block));
    WKI_TRY(push_flatten(block));
    WKI_TRY(push_linear(block, sizes->input_shape, sizes->hidden_units));
    WKI_TRY(push_relu(block));
    WKI_TRY(push_linear(block, sizes->hidden_units, sizes->output_shape));
    return push_relu(block);
}

static wick_status fill_conv_block(wick_module *model, const char *name, int64_t in_channels,
                                   int64_t hidden_units)
{
    wick_module *block;
    WKI_TRY(push_block(model, name, &block));
    WKI_TRY(push_conv2d(block, in_channels, hidden_units));
    WKI_TRY(push_relu(block));
    WKI_TRY(push_conv2d(block, hidden_units, hidden_units));
    WKI_TRY(push_relu(block));
    return push_max_pool2d(block);
}

static wick_status fill_v2(wick_module *model, const model_sizes *sizes)
{
    int64_t features = sizes->hidden_units;
    if (!wki_mul_i64(features, sizes->height / 4, &features) ||
        !wki_mul_i64(features, sizes->width / 4, &features))
        return wki_fail(model->context, WICK_ELIMIT,
                        "the classifier would have more than 2^63 features");
    WKI_TRY(fill_conv_block(model, "conv_block_1", sizes->input_shape, sizes->hidden_units));
    WKI_TRY(fill_conv_block(model, "conv_block_2", sizes->hidden_units, sizes->hidden_units));
    wick_module *block;
    WKI_TRY(push_block(model, "classifier", &block));
    WKI_TRY(push_flatten(block));
    return push_linear(block, features, sizes->output_shape);
}

typedef struct chapter_model {
    const char *class_name, *short_name, *nickname; /* nickname may be NULL */
    bool images; /* takes channels, height and width; else their product */
    wick_status (*fill)(wick_module *model, const model_sizes *sizes);
} chapter_model;

static const chapter_model models[] = {
    {"FashionMNISTModelV0", "v0", NULL, false, fill_v0},
    {"FashionMNISTModelV1", "v1", NULL, false, fill_v1},
    {"FashionMNISTModelV2", "v2", "tinyvgg", true, fill_v2},
};

static wick_status build(wick_context *context, const chapter_model *model, const model_sizes *sizes,
                         wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    WKI_TRY(wki_check_count(context, "input_shape", sizes->input_shape));
    WKI_TRY(wki_check_count(context, "hidden_units", sizes->hidden_units));
    WKI_TRY(wki_check_count(context, "output_shape", sizes->output_shape));
    wick_module *made;
    WKI_TRY(wick_model(context, model->class_name, &made));
    wick_status status = model->fill(made, sizes);
    if (status != WICK_OK) {
        wick_module_free(made);
        return wki_fail_in(context, status, "%s", model->class_name);
    }
    *out = made;
    return WICK_OK;
}

wick_status wick_fashion_mnist_model_v0(wick_context *context, int64_t input_shape, int64_t hidden_units,
                                        int64_t output_shape, wick_module **out)
{
    return build(context, &models[0], &(model_sizes){input_shape, hidden_units, output_shape, 0, 0},
                 out);
}

wick_status wick_fashion_mnist_model_v1(wick_context *context, int64_t input_shape, int64_t hidden_units,
                                        int64_t output_shape, wick_module **out)
{
    return build(context, &models[1], &(model_sizes){input_shape, hidden_units, output_shape, 0, 0},
                 out);
}

wick_status wick_fashion_mnist_model_v2(wick_context *context, int64_t input_shape, int64_t hidden_units,
                                        int64_t output_shape, wick_module **out)
{
    return build(context, &models[2], &(model_sizes){input_shape, hidden_units, output_shape, 28, 28},
                 out);
}

const char *wick_model_known(int index)
{
    return index >= 0 && (size_t)index < WKI_COUNT(models) ? models[index].class_name : NULL;
}

static bool is_called(const chapter_model *model, const char *name)
{
    return strcasecmp(name, model->class_name) == 0 || strcasecmp(name, model->short_name) == 0 ||
           (model->nickname != NULL && strcasecmp(name, model->nickname) == 0);
}

static wick_status no_such_model(wick_context *context, const char *name)
{
    const char *names[3 * WKI_COUNT(models)];
    size_t count = 0, length = 0;
    char known[256] = "";
    for (size_t i = 0; i < WKI_COUNT(models); i++) {
        const chapter_model *model = &models[i];
        bool nickname = model->nickname != NULL;
        names[count++] = model->class_name;
        names[count++] = model->short_name;
        if (nickname)
            names[count++] = model->nickname;
        if (length < sizeof(known))
            length += (size_t)snprintf(known + length, sizeof(known) - length, "%s%s (%s%s%s)",
                                       i == 0 ? "" : ", ", model->class_name, model->short_name,
                                       nickname ? ", " : "", nickname ? model->nickname : "");
    }
    const char *nearest = wki_nearest(name, names, count);
    return wki_fail(context, WICK_ENOENT, "there is no model '%.80s'%s%s%s; there are %s", name,
                    nearest != NULL ? " (did you mean " : "", nearest != NULL ? nearest : "",
                    nearest != NULL ? "?)" : "", known);
}

static wick_status find(wick_context *context, const char *name, const chapter_model **out)
{
    for (size_t i = 0; i < WKI_COUNT(models); i++)
        if (is_called(&models[i], name)) {
            *out = &models[i];
            return WICK_OK;
        }
    return no_such_model(context, name);
}

static wick_status fit_to_images(wick_context *context, const chapter_model *model,
                                 const int64_t shape[3], model_sizes *sizes)
{
    char text[WKI_SHAPE_TEXT];
    int64_t least = model->images ? 4 : 1;
    if (shape[0] < 1 || shape[1] < least || shape[2] < least)
        return wki_fail(context, WICK_ESHAPE, "%s wants images [C, H >= %lld, W >= %lld] but got %s",
                        model->class_name, (long long)least, (long long)least,
                        wki_shape_text(3, shape, text));
    sizes->input_shape = shape[0];
    sizes->height = shape[1];
    sizes->width = shape[2];
    if (!model->images && (!wki_mul_i64(sizes->input_shape, shape[1], &sizes->input_shape) ||
                           !wki_mul_i64(sizes->input_shape, shape[2], &sizes->input_shape)))
        return wki_fail(context, WICK_ELIMIT, "images of %s have too many pixels",
                        wki_shape_text(3, shape, text));
    return WICK_OK;
}

bool wick_model_is_text(const char *model)
{
    return model != NULL && strchr(model, '(') != NULL;
}

static wick_status build_text(wick_context *context, const char *text, const int64_t image_shape[3],
                              int64_t output_shape, wick_module **out)
{
    const int64_t in[] = {1, image_shape[0], image_shape[1], image_shape[2]};
    int64_t sizes[WICK_MAX_DIMS];
    int ndim;
    char got[WKI_SHAPE_TEXT];
    wick_module *made;
    WKI_TRY(wick_model_parse(context, text, image_shape, &made));
    wick_status status = wick_module_output_shape(made, 4, in, &ndim, sizes);
    if (status == WICK_OK && (ndim != 2 || sizes[1] != output_shape))
        status =
            wki_fail(context, WICK_ESHAPE,
                     "the model gives %s for an image, but for %lld classes it must give [1, %lld]",
                     wki_shape_text(ndim, sizes, got), (long long)output_shape, (long long)output_shape);
    if (status != WICK_OK) {
        wick_module_free(made);
        return status;
    }
    *out = made;
    return WICK_OK;
}

wick_status wick_model_by_name(wick_context *context, const char *name, const int64_t image_shape[3],
                               int64_t hidden_units, int64_t output_shape, wick_module **out)
{
    WKI_TRY(wki_check_out(context, out));
    if (name == NULL || image_shape == NULL)
        return wki_fail(context, WICK_EINVAL, "the model's %s is NULL",
                        name == NULL ? "name" : "image shape");
    if (wick_model_is_text(name))
        return build_text(context, name, image_shape, output_shape, out);
    const chapter_model *model = NULL;
    model_sizes sizes = {.hidden_units = hidden_units, .output_shape = output_shape};
    WKI_TRY(find(context, name, &model));
    WKI_TRY(fit_to_images(context, model, image_shape, &sizes));
    return build(context, model, &sizes, out);
}
