#include "picture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDEST = 56 };

void canvas_init(cli_canvas *canvas, const cli_app *app)
{
    canvas->on = !app->quiet && terminal_is(STDOUT_FILENO) && terminal_speaks_utf8();
    canvas->colours = terminal_colours_of();
    canvas->columns = terminal_columns(STDOUT_FILENO);
}

int canvas_width(const cli_canvas *canvas, const wick_tensor *image)
{
    int64_t width = wick_tensor_size(image, -1);
    int most = canvas->columns - 1 < WIDEST ? canvas->columns - 1 : WIDEST;
    return width < most ? (int)width : most > 0 ? most : 1;
}

void put_cell_text(const char *text, int width)
{
    int cells = 0;
    for (const char *c = text; *c != '\0'; c++) {
        bool starts = ((unsigned char)*c & 0xc0) != 0x80; /* of UTF-8's bytes a character's first */
        if (starts && cells == width)
            return;
        cells += starts;
        putchar(*c);
    }
    printf("%*s", width - cells, "");
}

int canvas_a_row(const cli_canvas *canvas, const wick_tensor *image)
{
    int fit = (canvas->columns - 1 + CANVAS_GAP) / (canvas_width(canvas, image) + CANVAS_GAP);
    return fit > 1 ? fit : 1;
}

/* The red, green and blue at row y, black below the last row. */
static void pixel_at(const wick_tensor *image, int64_t y, int64_t x, int rgb[3])
{
    int64_t channels = wick_tensor_size(image, 0), height = wick_tensor_size(image, 1);
    int64_t width = wick_tensor_size(image, 2);
    const uint8_t *pixels = wick_tensor_cdata(image);
    for (int c = 0; c < 3; c++)
        rgb[c] = y < height ? pixels[((channels == 3 ? c : 0) * height + y) * width + x] : 0;
}

/* The nearest of xterm's 256 colours: of its 24 greys, black and white for a grey, else of its cube. */
static int palette_index(const int rgb[3])
{
    int index = 0;
    if (rgb[0] == rgb[1] && rgb[1] == rgb[2]) {
        int grey = rgb[0] < 4 ? 0 : (rgb[0] - 3) / 10;
        return rgb[0] < 4 ? 16 : rgb[0] > 246 ? 231 : 232 + (grey < 24 ? grey : 23);
    }
    for (int c = 0; c < 3; c++)
        index = 6 * index + (rgb[c] < 48 ? 0 : rgb[c] < 115 ? 1 : (rgb[c] - 35) / 40);
    return 16 + index;
}

static void put_colour(const cli_canvas *canvas, int ground, const int rgb[3])
{
    if (canvas->colours == TERMINAL_TRUE_COLOURS)
        printf("\033[%d;2;%d;%d;%dm", ground, rgb[0], rgb[1], rgb[2]);
    else
        printf("\033[%d;5;%dm", ground, palette_index(rgb));
}

static void put_shade(const int upper[3], const int lower[3])
{
    static const char *const shades[] = {" ", "░", "▒", "▓", "█"};
    int sum = 0;
    for (int c = 0; c < 3; c++)
        sum += upper[c] + lower[c];
    fputs(shades[(sum / 6 * 5) / 256], stdout);
}

/* Rows 2 * line and the one below it. */
static void put_line(const cli_canvas *canvas, const wick_tensor *image, int64_t line)
{
    int upper[3], lower[3];
    for (int64_t x = 0; x < wick_tensor_size(image, 2); x++) {
        pixel_at(image, 2 * line, x, upper);
        pixel_at(image, 2 * line + 1, x, lower);
        if (canvas->colours == TERMINAL_NO_COLOURS) {
            put_shade(upper, lower);
            continue;
        }
        put_colour(canvas, 38, upper);
        put_colour(canvas, 48, lower);
        fputs("▀", stdout);
    }
    if (canvas->colours != TERMINAL_NO_COLOURS)
        fputs("\033[0m", stdout);
}

/* The image as it is drawn: smaller, if it is too wide. Owned. */
static wick_status scaled(const cli_canvas *canvas, const wick_tensor *image, wick_tensor **out)
{
    int64_t width = canvas_width(canvas, image), rows = wick_tensor_size(image, 1);
    int64_t height = rows * width / wick_tensor_size(image, 2);
    return wick_image_resize(image, height > 0 ? height : 1, width, out);
}

static void put_all(const cli_canvas *canvas, int count, wick_tensor *const *images,
                    const char *const *lines)
{
    int64_t rows = (wick_tensor_size(images[0], 1) + 1) / 2;
    bool text = lines != NULL;
    for (int64_t line = 0; line < rows || (text && *lines != NULL); line++) {
        for (int i = 0; i < count; i++) {
            if (line < rows)
                put_line(canvas, images[i], line);
            else
                printf("%*s", (int)wick_tensor_size(images[i], 2), "");
            if (i + 1 < count)
                printf("%*s", CANVAS_GAP, "");
        }
        if (text && *lines != NULL)
            printf("%*s%s", CANVAS_GAP, "", *lines++);
        putchar('\n');
    }
}

wick_status canvas_draw(cli_app *app, const cli_canvas *canvas, int count, wick_tensor *const *images,
                        const char *const *lines)
{
    wick_tensor **drawn = calloc((size_t)count, sizeof(wick_tensor *));
    wick_status status = drawn == NULL ? app_fail(app, WICK_ENOMEM, "out of memory") : WICK_OK;
    for (int i = 0; status == WICK_OK && i < count; i++)
        status = scaled(canvas, images[i], &drawn[i]);
    if (status == WICK_OK)
        put_all(canvas, count, drawn, lines);
    for (int i = 0; drawn != NULL && i < count; i++)
        wick_tensor_free(drawn[i]);
    free(drawn);
    return status;
}
