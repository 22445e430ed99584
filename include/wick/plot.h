/* Figures: images, results and errors as pictures, in PNG and in SVG.
 *
 * They are drawn with cairo and pango, which are opened when a plotter is made, not when a program
 * starts. A figure is drawn once and can then be had in either format. Sizes are in pixels of 1/96 inch,
 * as in a web page; a PNG has twice as many each way, and says so, so that it is sharp on paper and on
 * dense screens. In an SVG all text is outlines, which look the same whatever fonts there are; what a
 * text says is its aria-label, and the whole figure's is wick_figure_alt(). The bytes depend on what is
 * drawn, the theme and the fonts alone.
 *
 * Names may be any UTF-8; what is none of it, and control characters, are shown as the replacement
 * character. Text that is too long for its place is cut with an ellipsis. Numbers that are not finite
 * are left out of curves and bars, and a note says so.
 *
 * Every wick_plot_…() may fail with WICK_EINVAL (a missing pointer, a count below what it says, an index
 * out of range), WICK_ESHAPE, WICK_ELIMIT (a figure of more than 16,000 pixels a side or 32 million in
 * all) and WICK_ENOMEM. What it is given is borrowed for the call. Where cairo or glib themselves find
 * no memory, they may end the process.
 */
#ifndef WICK_PLOT_H
#define WICK_PLOT_H

#include <wick/run.h>
#include <wick/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- plotters and themes ---- */

enum { WICK_SERIES_COLORS = 6 };

/* Colours, 0xRRGGBB. */
typedef struct wick_theme {
    uint32_t background;
    uint32_t text;
    uint32_t faint_text; /* of less weight: what an axis measures, notes */
    uint32_t axis;
    uint32_t grid;
    uint32_t right, wrong;               /* beside a mark: never the only sign */
    uint32_t none, half, all;            /* a confusion matrix' cells, by their share of the row */
    uint32_t not_a_number;               /* pixels */
    uint32_t series[WICK_SERIES_COLORS]; /* told apart with any kind of colour vision */
} wick_theme;

/* Static. */
WICK_API const wick_theme *wick_theme_light(void);
WICK_API const wick_theme *wick_theme_dark(void);

/* Opens the libraries and a font: DejaVu Sans, else the system's sans-serif. Owned: wick_plotter_free().
 * The theme is the light one.
 * Errors: WICK_ENOTSUP, naming Debian's packages, if the libraries or every font are missing, or if
 * this build cannot draw; WICK_ENOMEM. */
typedef struct wick_plotter wick_plotter;
WICK_API wick_status wick_plotter_new(wick_context *context, wick_plotter **out);
/* Its figures must have been freed before. NULL is fine. */
WICK_API void wick_plotter_free(wick_plotter *plotter);
/* The theme of the figures from now on; copied. NULL is the light one. */
WICK_API void wick_plotter_set_theme(wick_plotter *plotter, const wick_theme *theme);
/* Whether this build can draw: false where it was made without the headers of cairo and pango. */
WICK_API bool wick_plotter_is_built(void);

/* ---- figures ---- */

typedef struct wick_figure wick_figure;

WICK_API void wick_figure_free(wick_figure *figure);
/* Its size in pixels of a web page: an SVG's size and half a PNG's. */
WICK_API int wick_figure_width(const wick_figure *figure);
WICK_API int wick_figure_height(const wick_figure *figure);
/* What is to be seen, in a sentence or two for who cannot see it. Borrowed until the figure is freed. */
WICK_API const char *wick_figure_alt(const wick_figure *figure);
/* The figure as an <svg> element, which stands alone or in an HTML page: ids are made of what they stand
 * for, so several figures in one page do not get into each other's way. Owned text: wick_free(). */
WICK_API wick_status wick_figure_svg(const wick_figure *figure, char **text);
/* The figure as a PNG file's bytes, twice its size. Owned: wick_free(). */
WICK_API wick_status wick_figure_png(const wick_figure *figure, uint8_t **bytes, size_t *length);
/* Writes it to path, whose ending (.png or .svg, any case) says how, by way of a temporary name: path is
 * what it was or whole.
 * Errors: WICK_EINVAL (another ending), WICK_ENOENT, WICK_EIO, WICK_ENOMEM. */
WICK_API wick_status wick_figure_save(const wick_figure *figure, const char *path);
/* Writes folder/name.png and folder/name.svg. */
WICK_API wick_status wick_figure_save_both(const wick_figure *figure, const char *folder,
                                           const char *name);

/* ---- images ---- */

typedef enum wick_colormap { WICK_GREY, WICK_VIRIDIS } wick_colormap;

/* One image. An image is a float32 tensor [height, width] or [channels, height, width] with 1 or 3
 * channels; three are red, green and blue. */
typedef struct wick_image_plot {
    const wick_tensor *image;
    const char *title; /* NULL: none */
    wick_colormap colormap;
    float low, high; /* the values at the ends of the colour map; both 0: 0 and 1 */
    bool rulers;     /* rows and columns are numbered along the edges */
    bool color_bar;  /* what a colour stands for; of one channel only */
} wick_image_plot;
/* The image's longer side is some 336 pixels. */
WICK_API wick_status wick_plot_image(wick_plotter *plotter, const wick_image_plot *plot,
                                     wick_figure **out);

/* One of several images. */
typedef struct wick_tile {
    const wick_tensor *image;
    const char *label; /* its title: what it is; NULL: none */
    const char
        *prediction; /* what it was taken for: then its title is "Pred: … | Truth: …"; else NULL */
    bool right;      /* the prediction is */
} wick_tile;

typedef struct wick_images_plot {
    int64_t count; /* 1 or more */
    const wick_tile *tiles;
    int64_t columns;   /* 0: as many as rows */
    const char *title; /* NULL: none */
    wick_colormap colormap;
    float low, high; /* as for one image */
} wick_images_plot;
/* Images in rows; each is about 160 pixels, 240 where there are predictions. */
WICK_API wick_status wick_plot_images(wick_plotter *plotter, const wick_images_plot *plot,
                                      wick_figure **out);

/* ---- results ---- */

typedef struct wick_bar {
    const char *name;
    double accuracy; /* percent */
    double seconds;
} wick_bar;

typedef struct wick_bars_plot {
    int64_t count; /* 1 or more */
    const wick_bar *bars;
    const char *title; /* NULL: none */
} wick_bars_plot;
/* Horizontal bars of accuracy and, beside them, of training time, each with its value. 960 pixels
 * wide. */
WICK_API wick_status wick_plot_bars(wick_plotter *plotter, const wick_bars_plot *plot,
                                    wick_figure **out);

/* How one training went. */
typedef struct wick_curve {
    const char *name;
    int64_t epoch_count;
    const wick_epoch *epochs;
    int64_t step_count;       /* how many step_losses there are; 0: none were kept */
    const float *step_losses; /* the training loss of every step_stride-th step */
    int64_t step_stride;      /* 0: 1 */
} wick_curve;

typedef struct wick_curves_plot {
    int64_t count; /* 1 or more */
    const wick_curve *curves;
    const char *title; /* NULL: none */
    bool narrow;       /* 400 pixels wide, one panel below the other: for a telephone */
} wick_curves_plot;
/* Loss and accuracy by epoch, of training and of test, and the training loss by step if there are any
 * steps. 960 pixels wide. */
WICK_API wick_status wick_plot_curves(wick_plotter *plotter, const wick_curves_plot *plot,
                                      wick_figure **out);
/* Both one below the other: a bar and a curve for each of several runs. bars' title is the figure's. */
WICK_API wick_status wick_plot_compare(wick_plotter *plotter, const wick_bars_plot *bars,
                                       const wick_curves_plot *curves, wick_figure **out);

/* ---- what a model gets wrong ---- */

typedef struct wick_confusion_plot {
    const wick_tensor *confusion; /* as wick_confusion_matrix() makes it: rows are the truth */
    const char *const *classes;   /* as many names as the matrix has rows */
    const char *title;            /* NULL: none */
} wick_confusion_plot;
/* The matrix with names, counts, and each cell's share of its row: those where there is room (up to
 * about 20 classes), counts up to about 50. */
WICK_API wick_status wick_plot_confusion(wick_plotter *plotter, const wick_confusion_plot *plot,
                                         wick_figure **out);

/* An image that was taken for what it is not. */
typedef struct wick_error_tile {
    const wick_tensor *image;
    wick_error error; /* as wick_wrong_predictions() finds it */
} wick_error_tile;

typedef struct wick_errors_plot {
    int64_t count; /* 0 or more: those to be shown */
    const wick_error_tile *tiles;
    const wick_tensor *probabilities; /* float32 [images, classes], of all images */
    const wick_tensor *confusion;     /* of all images */
    const char *const *classes;
    int64_t pairs;     /* at most so many pairs of classes; 0: 10 */
    const char *title; /* NULL: none */
} wick_errors_plot;
/* The wrong predictions beside what they should have been, with their probabilities, and below them the
 * pairs of classes most often taken for each other. 1,080 pixels wide. */
WICK_API wick_status wick_plot_errors(wick_plotter *plotter, const wick_errors_plot *plot,
                                      wick_figure **out);

/* ---- what a model sees ---- */

/* What a layer makes of one image. */
typedef struct wick_explain_layer {
    const char *path; /* "conv_block_1.0"; "" for a model of one layer */
    const char *kind; /* "Conv2d" */
    const wick_tensor
        *output; /* float32, the batch, of 1, first: as wick_module_activations() gives it */
} wick_explain_layer;

typedef struct wick_explain_plot {
    const char *title;        /* NULL: none */
    const wick_tensor *image; /* what goes in */
    int64_t layer_count;
    const wick_explain_layer *layers;
    const char *kernels_title;        /* what the kernels are of; NULL: none */
    const wick_tensor *kernels;       /* float32 [count, 1 or 3 channels, height, width], or NULL */
    const wick_tensor *probabilities; /* float32 [classes] */
    const char *const *classes;
    int64_t truth;    /* the image's class; -1: not known */
    int64_t channels; /* of each layer and of the kernels at most so many are drawn; 0: 32 */
} wick_explain_plot;
/* The image, what it is taken for, the first layer's kernels, and of every layer its channels, each
 * layer with a colour map of its own. 1,080 pixels wide. */
WICK_API wick_status wick_plot_explain(wick_plotter *plotter, const wick_explain_plot *plot,
                                       wick_figure **out);

#ifdef __cplusplus
}
#endif
#endif
