/* A picture file made into what a model was trained on. */
#ifndef CLI_PICTURE_INPUT_H
#define CLI_PICTURE_INPUT_H

#include "model_source.h"

typedef struct cli_picture_args {
    const char *invert, *fit, *background;
} cli_picture_args;

#define PICTURE_DEFAULTS                                                                                \
    {                                                                                                   \
        .invert = "auto", .fit = "stretch", .background = "white"                                       \
    }
#define PICTURE_OPTIONS(type)                                                                           \
    {"invert",                                                                                          \
     "auto|on|off",                                                                                     \
     OPTION_CHOICE,                                                                                     \
     offsetof(type, picture.invert),                                                                    \
     0,                                                                                                 \
     0,                                                                                                 \
     "exchange light and dark; auto does it to a grey model's picture whose edges are light where "     \
     "those of the training images are dark, or the other way round"},                                  \
        {"fit",                                                                                         \
         "stretch|pad",                                                                                 \
         OPTION_CHOICE,                                                                                 \
         offsetof(type, picture.fit),                                                                   \
         0,                                                                                             \
         0,                                                                                             \
         "stretch a picture to the model's size, as torchvision's Resize does, or keep its shape and "  \
         "pad it with the colour of its edges"},                                                        \
    {                                                                                                   \
        "background", "white|black", OPTION_CHOICE, offsetof(type, picture.background), 0, 0,           \
            "what a see-through picture is laid on"                                                     \
    }

/* Zero before input_read(). */
typedef struct cli_input {
    int64_t channels, height, width; /* of the file */
    wick_tensor *image;              /* uint8, of the model's shape */
    double edges;                    /* how bright its edges were before it was inverted */
    bool inverted;
} cli_input;

/* Owned: input_release(). */
wick_status input_read(cli_app *app, const char *path, const cli_picture_args *args, cli_source *source,
                       cli_input *input);
void input_release(cli_input *input);
/* "640x480 RGB -> 28x28 grey, inverted (light edges: 243 of 255)" */
enum { INPUT_TEXT = 160 };
const char *input_describe(const cli_input *input, char out[INPUT_TEXT]);

/* Text with control characters replaced, so that a file's name cannot steer a terminal. Owned: free().
 * */
wick_status plain_text(cli_app *app, const char *text, char **out);

#endif
