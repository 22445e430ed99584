#include "plot/page.h"

#include "plot/figure_files.h"
#include "plot/ticks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <wick/image.h>

/* ---- text ---- */

void wki_page_puts(wki_page *page, const char *html)
{
    wki_text_puts(&page->html, html);
}

void wki_page_printf(wki_page *page, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    wki_text_append(&page->html, line, length < 0 ? 0 : WKI_MIN((size_t)length, sizeof(line) - 1));
}

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* Cleans a piece at a time: what is cleaned at once is of limited length. A piece ends before a
 * character. */
void wki_page_text(wki_page *page, const char *text)
{
    enum { PIECE = 120 };
    while (*text != '\0') {
        char piece[PIECE + 1], clean[WKI_LONGEST_TEXT];
        size_t length = strnlen(text, PIECE);
        for (int i = 0;
             i < 3 && length == (size_t)(PIECE - i) && ((unsigned char)text[length] & 0xc0) == 0x80; i++)
            length--;
        memcpy(piece, text, length);
        piece[length] = '\0';
        wki_clean_text(piece, clean);
        for (const char *c = clean; *c != '\0'; c++) {
            const char *name = entity(*c);
            wki_text_append(&page->html, name != NULL ? name : c, name != NULL ? strlen(name) : 1);
        }
        text += length;
    }
}

void wki_page_lines(wki_page *page, char *lines)
{
    char *rest = NULL;
    for (char *line = strtok_r(lines, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        wki_page_text(page, line);
        wki_page_puts(page, "\n");
    }
}

void wki_page_number(wki_page *page, double number, int decimals)
{
    char text[WKI_TICK_TEXT];
    if (!isfinite(number)) {
        wki_page_puts(page, "–");
        return;
    }
    wki_fixed_text(number, decimals, text);
    wki_page_puts(page, text);
}

void wki_page_row(wki_page *page, const char *name, const char *text)
{
    wki_page_puts(page, "<tr><th scope=\"row\">");
    wki_page_text(page, name);
    wki_page_puts(page, "</th><td>");
    wki_page_text(page, text);
    wki_page_puts(page, "</td></tr>\n");
}

void wki_shell_word(wki_text *text, const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        wki_text_puts(text, word);
        return;
    }
    wki_text_puts(text, "'");
    for (const char *c = word; *c != '\0'; c++)
        if (*c == '\'')
            wki_text_puts(text, "'\\''");
        else
            wki_text_append(text, c, 1);
    wki_text_puts(text, "'");
}

/* ---- pictures ---- */

static void put_base64(wki_text *text, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        char four[4];
        for (size_t k = 0; k < 4; k++)
            four[k] = k <= left ? digits[group >> (18 - 6 * k) & 63] : '=';
        wki_text_append(text, four, 4);
    }
}

/* An image [channels, height, width] of uint8 as 0x00RRGGBB. Owned: free(). */
static wick_status to_pixels(wick_context *context, const wick_tensor *image, uint32_t **out)
{
    int64_t size = wick_tensor_size(image, 1) * wick_tensor_size(image, 2);
    const uint8_t *planes = wick_tensor_cdata(image);
    bool grey = wick_tensor_size(image, 0) == 1;
    void *memory;
    WKI_TRY(wki_alloc(context, (size_t)size, sizeof(uint32_t), "an image of a page", &memory));
    uint32_t *pixels = memory;
    for (int64_t i = 0; i < size; i++)
        pixels[i] =
            grey ? planes[i] * UINT32_C(0x010101)
                 : (uint32_t)planes[i] << 16 | (uint32_t)planes[i + size] << 8 | planes[i + 2 * size];
    *out = pixels;
    return WICK_OK;
}

/* The image of that number, made smaller if a side is longer than a page shows. Owned. */
static wick_status image_at(const wick_dataset *data, int64_t index, wick_tensor **out)
{
    enum { LONGEST = 160 };
    const int64_t *shape = wick_dataset_image_shape(data);
    wick_tensor *image;
    WKI_TRY(wick_dataset_get_pixels(data, index, &image));
    int64_t longest = WKI_MAX(shape[1], shape[2]);
    if (longest <= LONGEST) {
        *out = image;
        return WICK_OK;
    }
    wick_status status = wick_image_resize(image, WKI_MAX(1, shape[1] * LONGEST / longest),
                                           WKI_MAX(1, shape[2] * LONGEST / longest), out);
    wick_tensor_free(image);
    return status;
}

wick_status wki_page_image(wki_page *page, const wick_dataset *data, int64_t index, int side,
                           const char *alt)
{
    const int64_t *shape = wick_dataset_image_shape(data);
    wick_tensor *image;
    uint32_t *pixels = NULL;
    uint8_t *bytes;
    size_t length;
    if (shape[0] != 1 && shape[0] != 3)
        return WICK_OK;
    WKI_TRY(image_at(data, index, &image));
    int height = (int)wick_tensor_size(image, 1), width = (int)wick_tensor_size(image, 2);
    wick_status status = to_pixels(page->context, image, &pixels);
    wick_tensor_free(image);
    if (status == WICK_OK)
        status = wki_png_write(page->context, pixels, width, height, 0, &bytes, &length);
    free(pixels);
    WKI_TRY(status);
    double scale = (double)side / WKI_MAX(width, height);
    wki_page_printf(page, "<img width=\"%.0f\" height=\"%.0f\" alt=\"", WKI_MAX(1, width * scale),
                    WKI_MAX(1, height * scale));
    wki_page_text(page, alt);
    wki_page_puts(page, "\" src=\"data:image/png;base64,");
    put_base64(&page->html, bytes, length);
    wki_page_puts(page, "\">");
    free(bytes);
    return WICK_OK;
}

/* ---- figures ---- */

/* One of a figure's four forms; the style sheet shows that which fits. */
static wick_status put_form(wki_page *page, wki_page_draw *draw, void *user, bool narrow, bool dark)
{
    wick_figure *figure;
    char *svg;
    wick_plotter_set_theme(page->plotter, dark ? wick_theme_dark() : wick_theme_light());
    WKI_TRY(draw(user, page->plotter, narrow, &figure));
    wick_status status = wick_figure_svg(figure, &svg);
    if (status == WICK_OK) {
        wki_page_printf(page, "<img class=\"%s %s\" width=\"%d\" height=\"%d\" alt=\"",
                        dark ? "dark" : "light", narrow ? "narrow" : "wide", wick_figure_width(figure),
                        wick_figure_height(figure));
        wki_page_text(page, wick_figure_alt(figure));
        wki_page_puts(page, "\" src=\"data:image/svg+xml;base64,");
        put_base64(&page->html, (const uint8_t *)svg, strlen(svg));
        wki_page_puts(page, "\">\n");
        wick_free(svg);
    }
    wick_figure_free(figure);
    return status;
}

wick_status wki_page_figure(wki_page *page, wki_page_draw *draw, void *user)
{
    if (page->plotter == NULL) {
        wki_page_puts(
            page,
            "<p class=\"note\">There is no figure here: cairo and pango were not to be found where "
            "this page was made.</p>\n");
        return WICK_OK;
    }
    wki_page_puts(page, "<figure class=\"plot\">\n");
    for (int form = 0; form < 4; form++)
        WKI_TRY(put_form(page, draw, user, form >= 2, form % 2 == 1));
    wki_page_puts(page, "</figure>\n");
    return WICK_OK;
}

/* ---- the page ---- */

wick_status wki_page_open(wki_page *page, wick_context *context, const char *title)
{
    *page = (wki_page){.context = context};
    wki_text_init(&page->html, context);
    wick_status status = wick_plotter_new(context, &page->plotter);
    if (status != WICK_OK && status != WICK_ENOTSUP)
        return status;
    wki_page_puts(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                        "img-src data:; style-src 'unsafe-inline'\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                        "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    wki_page_text(page, title);
    wki_page_puts(page, "</title>\n<style>\n");
    for (size_t i = 0; wki_page_style[i] != NULL; i++)
        wki_page_puts(page, wki_page_style[i]);
    wki_page_puts(page, "</style>\n</head>\n<body>\n<main>\n");
    return WICK_OK;
}

static wick_status write_page(wki_page *page, const char *path)
{
    char *html;
    wki_page_puts(page, "</main>\n<footer>Written by wick ");
    wki_page_text(page, wick_version());
    wki_page_puts(page, ". Everything on this page is in this file.</footer>\n</body>\n</html>\n");
    WKI_TRY(wki_text_finish(&page->html, &html));
    wick_status status = wki_file_write(page->context, path, html, strlen(html));
    free(html);
    return status;
}

wick_status wki_page_close(wki_page *page, wick_status status, const char *path)
{
    if (status == WICK_OK)
        status = write_page(page, path);
    wki_text_release(&page->html);
    wick_plotter_free(page->plotter);
    page->plotter = NULL;
    return status;
}
