/* What a model sees, as a figure. */
#include "figure_checks.h"

#include "tensor/tensor_internal.h"

#include <math.h>

enum { CLASSES = 3 };

static const char *const classes[CLASSES] = {"Boot", "<Shirt> & \"co\"", "Bag"};

typedef struct explain_fixture {
    wick_context *context;
    wick_plotter *plotter;
    wick_tensor *image, *conv, *flat, *linear, *kernels, *probabilities;
    wick_explain_layer layers[3];
} explain_fixture;

static wick_tensor *numbers(wick_context *context, int ndim, const int64_t *shape, float from,
                            float step)
{
    wick_tensor *tensor;
    MUST(context, wick_tensor_new(context, WICK_FLOAT32, ndim, shape, &tensor));
    float *at = tensor->data;
    for (int64_t i = 0; i < tensor->numel; i++)
        at[i] = from + step * (float)i;
    return tensor;
}

static int set_up(void **state)
{
    explain_fixture *f = calloc(1, sizeof(*f));
    *state = f;
    if (f == NULL || wick_context_new(&f->context) != WICK_OK ||
        wick_plotter_new(f->context, &f->plotter) != WICK_OK)
        return -1;
    wick_context *c = f->context;
    f->image = numbers(c, 3, (const int64_t[]){1, 8, 8}, 0, 1 / 64.0f);
    f->conv = numbers(c, 4, (const int64_t[]){1, 5, 6, 6}, -1, 0.01f);
    f->flat = numbers(c, 2, (const int64_t[]){1, 700}, 0, 0);
    f->linear = numbers(c, 2, (const int64_t[]){1, CLASSES}, -2, 2.5f);
    f->kernels = numbers(c, 4, (const int64_t[]){5, 1, 3, 3}, -0.2f, 0.01f);
    f->probabilities = numbers(c, 1, (const int64_t[]){CLASSES}, 0.1f, 0.25f);
    f->layers[0] = (wick_explain_layer){"block.0", "Conv2d", f->conv};
    f->layers[1] = (wick_explain_layer){"block.1", "Flatten", f->flat};
    f->layers[2] = (wick_explain_layer){"head", "Linear", f->linear};
    return 0;
}

static int tear_down(void **state)
{
    explain_fixture *f = *state;
    wick_tensor_free(f->image);
    wick_tensor_free(f->conv);
    wick_tensor_free(f->flat);
    wick_tensor_free(f->linear);
    wick_tensor_free(f->kernels);
    wick_tensor_free(f->probabilities);
    wick_plotter_free(f->plotter);
    wick_context_free(f->context);
    free(f);
    return 0;
}

static wick_explain_plot plot_of(const explain_fixture *f)
{
    return (wick_explain_plot){.title = "A model",
                               .image = f->image,
                               .layer_count = 3,
                               .layers = f->layers,
                               .kernels_title = "block.0.weight",
                               .kernels = f->kernels,
                               .probabilities = f->probabilities,
                               .classes = classes,
                               .truth = 1};
}

static void expect_text(const svg_text *texts, int count, const char *words)
{
    if (find_text(texts, count, words) == NULL)
        fail_msg("nothing says '%s'", words);
}

static void every_layer_is_shown(void **state)
{
    static const char *const words[] = {"A model",
                                        "Probabilities",
                                        "Bag",
                                        "60.00 %, wrong",
                                        "35.00 %, the truth",
                                        "10.00 %",
                                        "block.0.weight",
                                        "block.0",
                                        "block.1",
                                        "head",
                                        "Conv2d  [5, 6, 6]",
                                        "Flatten  [700]",
                                        "Linear  [3]",
                                        "weights  [5, 1, 3, 3]",
                                        "mean 0, 100% zeros",
                                        "-2.00",
                                        "0.500",
                                        "3.00"};
    enum { MOST = 128 };
    explain_fixture *f = *state;
    const wick_explain_plot plot = plot_of(f);
    wick_figure *figure;
    svg_text *texts = calloc(MOST, sizeof(*texts));
    char *svg;
    MUST(f->context, wick_plot_explain(f->plotter, &plot, &figure));
    png_pixels png = check_figure(figure);
    assert_int_equal(wick_figure_width(figure), 1080);
    MUST(f->context, wick_figure_svg(figure, &svg));
    int count = read_texts(svg, texts, MOST);
    for (size_t i = 0; i < WKI_COUNT(words); i++)
        expect_text(texts, count, words[i]);
    assert_string_equal(wick_figure_alt(figure),
                        "An image and what each of 3 layers makes of it. It is taken for Bag, "
                        "with 60.00%; the truth is <Shirt> & \"co\"");
    /* The image is there, its first pixel black and its last almost white, three times as large at
     * least. */
    assert_int_equal(pixel_at(&png, 2 * 21, 2 * 49), 0x000000);
    assert_true(ink_in(&png, 0xffffff, 20, 48, 224, 224) > 1000);
    /* One image for the picture, for each kernel and channel, for the ramps of four lines and the strips
     * of numbers. */
    int images = 0;
    for (const char *at = strstr(svg, "<image"); at != NULL; at = strstr(at + 1, "<image"))
        images++;
    assert_int_equal(images, 1 + 5 + 5 + 4 + 2);
    free(png.rgb);
    free(texts);
    wick_free(svg);
    wick_figure_free(figure);
}

/* The truth is not known; more channels than are wanted; numbers that are none. */
static void with_less_known(void **state)
{
    explain_fixture *f = *state;
    wick_explain_plot plot = plot_of(f);
    wick_figure *figure;
    char *svg;
    svg_text *texts = calloc(128, sizeof(*texts));
    plot.truth = -1;
    plot.kernels = NULL;
    plot.title = NULL;
    plot.channels = 2;
    ((float *)f->conv->data)[0] = NAN;
    ((float *)f->conv->data)[1] = INFINITY;
    MUST(f->context, wick_plot_explain(f->plotter, &plot, &figure));
    free(check_figure(figure).rgb);
    MUST(f->context, wick_figure_svg(figure, &svg));
    int count = read_texts(svg, texts, 128);
    expect_text(texts, count, "60.00 %");
    expect_text(texts, count, "and 3 more");
    assert_null(find_text(texts, count, "block.0.weight"));
    free(texts);
    wick_free(svg);
    wick_figure_free(figure);
}

/* Many classes: the ten most probable. */
static void many_classes(void **state)
{
    enum { MANY = 300 };
    explain_fixture *f = *state;
    static char names[MANY][16];
    const char *list[MANY];
    wick_explain_plot plot = plot_of(f);
    wick_figure *figure;
    char *svg;
    svg_text *texts = calloc(256, sizeof(*texts));
    const int64_t shape[1] = {MANY};
    plot.probabilities = numbers(f->context, 1, shape, 0, 1.0f / 44850);
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof(names[i]), "class %d", i);
        list[i] = names[i];
    }
    plot.classes = list;
    plot.truth = 299;
    MUST(f->context, wick_plot_explain(f->plotter, &plot, &figure));
    free(check_figure(figure).rgb);
    MUST(f->context, wick_figure_svg(figure, &svg));
    int count = read_texts(svg, texts, 256);
    expect_text(texts, count, "Most probable classes");
    expect_text(texts, count, "class 299");
    expect_text(texts, count, "class 290");
    assert_null(find_text(texts, count, "class 289"));
    free(texts);
    wick_free(svg);
    wick_figure_free(figure);
    wick_tensor_free((wick_tensor *)plot.probabilities);
}

static void expect_refused(explain_fixture *f, const wick_explain_plot *plot, wick_status status)
{
    wick_figure *figure = NULL;
    assert_int_equal(wick_plot_explain(f->plotter, plot, &figure), status);
    assert_null(figure);
    assert_true(wick_context_message(f->context)[0] != '\0');
}

static void what_is_refused(void **state)
{
    explain_fixture *f = *state;
    wick_explain_plot plot = plot_of(f);
    assert_int_equal(wick_plot_explain(NULL, &plot, NULL), WICK_EINVAL);
    assert_int_equal(wick_plot_explain(f->plotter, NULL, NULL), WICK_EINVAL);
    plot.truth = CLASSES;
    expect_refused(f, &plot, WICK_EINVAL);
    plot = plot_of(f);
    plot.image = f->conv;
    expect_refused(f, &plot, WICK_ESHAPE);
    plot = plot_of(f);
    plot.kernels = f->flat;
    expect_refused(f, &plot, WICK_ESHAPE);
    plot = plot_of(f);
    plot.probabilities = f->flat;
    expect_refused(f, &plot, WICK_ESHAPE);
    plot = plot_of(f);
    plot.probabilities = NULL;
    expect_refused(f, &plot, WICK_EINVAL);
    plot = plot_of(f);
    f->layers[1].output = f->image;
    f->image->shape[0] = 2;
    expect_refused(f, &plot, WICK_ESHAPE);
    f->image->shape[0] = 1;
    f->layers[1].output = NULL;
    expect_refused(f, &plot, WICK_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_layer_is_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(with_less_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_classes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
