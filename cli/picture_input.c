#include "picture_input.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MIDDLE = 127 };

static wick_status wants_inverting(cli_app *app, const cli_picture_args *args, cli_source *source,
                                   const cli_input *input, bool *invert)
{
    bool light;
    *invert = strcmp(args->invert, "on") == 0;
    /* A model of colours has seen them as they are. */
    if (strcmp(args->invert, "auto") != 0 || source->image_shape[0] != 1)
        return WICK_OK;
    TRY(source_is_light(app, source, &light));
    *invert = (input->edges > MIDDLE) != light;
    return WICK_OK;
}

static wick_status fit(cli_app *app, const cli_picture_args *args, cli_source *source,
                       const wick_tensor *picture, cli_input *input)
{
    const wick_image_fit_options options = {.invert = WICK_INVERT_OFF,
                                            .pad = strcmp(args->fit, "pad") == 0};
    input->channels = wick_tensor_size(picture, 0);
    input->height = wick_tensor_size(picture, 1);
    input->width = wick_tensor_size(picture, 2);
    TRY(wick_image_fit(picture, source->image_shape, &options, &input->image, NULL));
    TRY(wick_image_edge_brightness(input->image, &input->edges));
    TRY(wants_inverting(app, args, source, input, &input->inverted));
    if (input->inverted)
        wick_image_invert(input->image);
    return WICK_OK;
}

wick_status input_read(cli_app *app, const char *path, const cli_picture_args *args, cli_source *source,
                       cli_input *input)
{
    const wick_image_options options = {.black_background = strcmp(args->background, "black") == 0};
    wick_tensor *picture;
    TRY(wick_image_read(app->context, path, &options, &picture));
    wick_status status = fit(app, args, source, picture, input);
    wick_tensor_free(picture);
    if (status != WICK_OK)
        input_release(input);
    return status;
}

void input_release(cli_input *input)
{
    wick_tensor_free(input->image);
    memset(input, 0, sizeof(*input));
}

static const char *colours_of(int64_t channels)
{
    return channels == 1 ? "grey" : "RGB";
}

const char *input_describe(const cli_input *input, char out[INPUT_TEXT])
{
    int used = snprintf(out, INPUT_TEXT, "%" PRId64 "x%" PRId64 " %s -> %" PRId64 "x%" PRId64 " %s",
                        input->width, input->height, colours_of(input->channels),
                        wick_tensor_size(input->image, 2), wick_tensor_size(input->image, 1),
                        colours_of(wick_tensor_size(input->image, 0)));
    if (input->inverted)
        snprintf(out + used, (size_t)(INPUT_TEXT - used), ", inverted (%s edges: %.0f of 255)",
                 input->edges > MIDDLE ? "light" : "dark", input->edges);
    return out;
}

wick_status plain_text(cli_app *app, const char *text, char **out)
{
    *out = strdup(text);
    if (*out == NULL)
        return app_fail(app, WICK_ENOMEM, "out of memory");
    for (char *c = *out; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return WICK_OK;
}
