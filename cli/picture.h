/* Drawing an image in a terminal: two pixels a cell, one above the other, as a half block in two
 * colours; without colours, as shades. */
#ifndef CLI_PICTURE_H
#define CLI_PICTURE_H

#include "app.h"
#include "terminal.h"

/* Between two images, in cells. */
enum { CANVAS_GAP = 2 };

typedef struct cli_canvas {
    bool on; /* stdout is a terminal that can show it, and people are to read it */
    terminal_colours colours;
    int columns;
} cli_canvas;

void canvas_init(cli_canvas *canvas, const cli_app *app);
/* Text in exactly `width` cells: cut, or with blanks behind it. Takes each character for one cell. */
void put_cell_text(const char *text, int width);
/* How wide an image [channels, height, width] is drawn, in cells. */
int canvas_width(const cli_canvas *canvas, const wick_tensor *image);
/* How many images of its size have room beside each other. */
int canvas_a_row(const cli_canvas *canvas, const wick_tensor *image);
/* Draws images (uint8, of one size) side by side, `count` of them, and behind the last one `lines`: what
 * there is to say of it, ended by NULL, or NULL. */
wick_status canvas_draw(cli_app *app, const cli_canvas *canvas, int count, wick_tensor *const *images,
                        const char *const *lines);

#endif
