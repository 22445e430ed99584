/* An HTML page while it is written. */
#ifndef WKI_PAGE_H
#define WKI_PAGE_H

#include "plot/canvas.h"

typedef struct wki_page {
    wick_context *context;
    wki_text html;
    wick_plotter *plotter; /* NULL: nothing can be drawn */
} wki_page;

/* Opens the plotter, if it can, and writes the page up to <main>. title is text. */
wick_status wki_page_open(wki_page *page, wick_context *context, const char *title);
/* Ends the page, writes it to path, and releases it. status is what came before; it is only released
 * after a failure. */
wick_status wki_page_close(wki_page *page, wick_status status, const char *path);

/* The style sheet, in pieces, ended by NULL. */
extern const char *const wki_page_style[];

/* HTML as it stands. */
void wki_page_puts(wki_page *page, const char *html);
void wki_page_printf(wki_page *page, const char *format, ...) WICK_PRINTF(2, 3);
/* Text: escaped, fit for element content and for attributes in double quotes. */
void wki_page_text(wki_page *page, const char *text);
/* The same for lines, each with a newline at its end. */
void wki_page_lines(wki_page *page, char *lines);
/* A number with so many decimals and commas between thousands; a dash for what is not finite. */
void wki_page_number(wki_page *page, double number, int decimals);
/* "<tr><th scope=row>name<td>text". */
void wki_page_row(wki_page *page, const char *name, const char *text);

/* An <img> of an image of a data set, at least `side` pixels on its longer side. alt is text. */
wick_status wki_page_image(wki_page *page, const wick_dataset *data, int64_t index, int side,
                           const char *alt);

/* Draws a figure in the page's plotter, for a wide page or a narrow one. */
typedef wick_status wki_page_draw(void *user, wick_plotter *plotter, bool narrow, wick_figure **out);
/* A figure for light and dark, wide and narrow; a note in its place if nothing can be drawn. */
wick_status wki_page_figure(wki_page *page, wki_page_draw *draw, void *user);

/* A word for a shell, quoted where it has to be. As text, not yet HTML. */
void wki_shell_word(wki_text *text, const char *word);

#endif
