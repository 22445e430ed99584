/* Bars, both together, and the wrong predictions: lengths, numbers and texts against what was drawn. And
 * files. */
#include "figure_checks.h"

#include "plot/ticks.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct test_place {
    wick_context *context;
    wick_plotter *plotter;
    char folder[64];
} test_place;

static int set_up(void **state)
{
    test_place *place = calloc(1, sizeof(*place));
    *state = place;
    if (place == NULL || wick_context_new(&place->context) != WICK_OK)
        return -1;
    strcpy(place->folder, "/tmp/wick-plot-XXXXXX");
    if (mkdtemp(place->folder) == NULL)
        return -1;
    if (wick_plotter_new(place->context, &place->plotter) == WICK_OK)
        return 0;
    print_error("%s\n", wick_context_message(place->context));
    return -1;
}

static int tear_down(void **state)
{
    test_place *place = *state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", place->folder);
    int status = system(command);
    wick_plotter_free(place->plotter);
    wick_context_free(place->context);
    free(place);
    return status;
}

static int texts_of(const wick_figure *figure, svg_text *texts, int most)
{
    char *svg;
    MUST(figure->context, wick_figure_svg(figure, &svg));
    int count = read_texts(svg, texts, most);
    wick_free(svg);
    return count;
}

static void must_say(const svg_text *texts, int count, const char *text)
{
    if (find_text(texts, count, text) == NULL)
        fail_msg("the SVG does not say '%s'", text);
}

/* ---- bars ---- */

/* The lengths of the bars of that colour, in the order in which they are drawn. */
static int lengths_of(const wick_figure *figure, uint32_t rgb, double *lengths, int most)
{
    int count = 0;
    for (size_t i = 0; i < figure->shape_count && count < most; i++)
        if (figure->shapes[i].kind == WKI_RECT && figure->shapes[i].pen.rgb == rgb)
            lengths[count++] = figure->shapes[i].w;
    return count;
}

static const wick_bar chapter[3] = {{"FashionMNISTModelV0", 83.426518, 26.748773},
                                    {"FashionMNISTModelV1", 75.019968, 20.041531},
                                    {"FashionMNISTModelV2", 88.568291, 32.770459}};

static void test_bars(void **state)
{
    const test_place *place = *state;
    const wick_theme *theme = wick_theme_light();
    wick_figure *figure;
    svg_text texts[64];
    double accuracy[4], seconds[4];
    MUST(place->context,
         wick_plot_bars(place->plotter, &(wick_bars_plot){3, chapter, "The three models"}, &figure));
    assert_int_equal(wick_figure_width(figure), 960);
    assert_int_equal(wick_figure_height(figure), 208);
    png_pixels png = check_figure(figure);
    int count = texts_of(figure, texts, 64);
    const char *const wanted[] = {"The three models",
                                  "Accuracy (%)",
                                  "Training time (s)",
                                  "FashionMNISTModelV0",
                                  "FashionMNISTModelV1",
                                  "FashionMNISTModelV2",
                                  "83.43 %",
                                  "75.02 %",
                                  "88.57 %",
                                  "26.7 s",
                                  "20.0 s",
                                  "32.8 s",
                                  "100",
                                  "30"};
    for (size_t i = 0; i < WKI_COUNT(wanted); i++)
        must_say(texts, count, wanted[i]);
    assert_int_equal(lengths_of(figure, theme->series[0], accuracy, 4), 3);
    assert_int_equal(lengths_of(figure, theme->series[1], seconds, 4), 3);
    for (int i = 1; i < 3; i++) {
        assert_true(fabs(accuracy[i] / accuracy[0] - chapter[i].accuracy / chapter[0].accuracy) < 1e-9);
        assert_true(fabs(seconds[i] / seconds[0] - chapter[i].seconds / chapter[0].seconds) < 1e-9);
    }
    free(png.rgb);
    wick_figure_free(figure);
}

static void test_bars_kinds(void **state)
{
    const test_place *place = *state;
    const wick_theme *theme = wick_theme_light();
    const wick_bar bars[] = {
        {"right", 100, 0.0001},
        {"a name that is longer than what there is room for beside the bars", 99.9999, 1e7},
        {"not a number", (double)NAN, (double)NAN},
        {"infinite", (double)INFINITY, (double)-INFINITY},
        {"nothing", 0, 0},
        {"\xff\n", -5, -1}};
    wick_figure *figure;
    svg_text texts[64];
    double lengths[8];
    MUST(place->context, wick_plot_bars(place->plotter, &(wick_bars_plot){6, bars, NULL}, &figure));
    png_pixels png = check_figure(figure);
    int count = texts_of(figure, texts, 64);
    must_say(texts, count, "99.99 %"); /* it is not all */
    must_say(texts, count, "NaN");
    must_say(texts, count, "inf");
    assert_int_equal(lengths_of(figure, theme->series[0], lengths, 8), 6);
    for (int i = 0; i < 6; i++)
        assert_true(lengths[i] >= 0 && lengths[i] <= 500);
    assert_true(lengths[2] == 0 && lengths[3] == 0 && lengths[4] == 0 && lengths[5] == 0);
    free(png.rgb);
    wick_figure_free(figure);
    for (int64_t n = 1; n <= 2; n++) {
        MUST(place->context,
             wick_plot_bars(place->plotter, &(wick_bars_plot){n, bars + 4, "t"}, &figure));
        png = check_figure(figure);
        free(png.rgb);
        wick_figure_free(figure);
    }
}

static void test_compare(void **state)
{
    const test_place *place = *state;
    const wick_epoch epochs[2] = {{0, 1.5, 60, 1.25, 61, 0.5}, {1, 1.25, 70, 1.125, 71, 0.5}};
    const wick_curve curves[3] = {
        {"one", 2, epochs, 0, NULL, 0}, {"two", 1, epochs, 0, NULL, 0}, {"none", 0, NULL, 0, NULL, 0}};
    wick_figure *figure = NULL;
    svg_text texts[128];
    const wick_bars_plot bars = {3, chapter, "Side by side"};
    MUST(place->context,
         wick_plot_compare(place->plotter, &bars, &(wick_curves_plot){3, curves, "unused"}, &figure));
    png_pixels png = check_figure(figure);
    int count = texts_of(figure, texts, 128);
    const char *const wanted[] = {"Side by side", "83.43 %", "one", "two", "none", "epoch", "Loss"};
    for (size_t i = 0; i < WKI_COUNT(wanted); i++)
        must_say(texts, count, wanted[i]);
    assert_null(find_text(texts, count, "unused"));
    free(png.rgb);
    wick_figure_free(figure);
}

/* ---- wrong predictions ---- */

enum { CLASSES = 4, IMAGES = 6 };

static const char *const names[CLASSES] = {"Shirt", "Coat", "Bag", "a class with quite a long name"};

/* Six images of class i % 4, whose probabilities are known. */
static const float rows[IMAGES * CLASSES] = {
    0.90f, 0.05f, 0.03f, 0.02f, /* 0: right */
    0.70f, 0.10f, 0.15f, 0.05f, /* 1: a coat taken for a shirt; the truth is third */
    0.30f, 0.60f, 0.02f, 0.08f, /* 2: a bag taken for a coat; the truth is fourth */
    0.00f, 0.00f, 0.00f, 1.00f, /* 3: right */
    0.25f, 0.40f, 0.20f, 0.15f, /* 4: a shirt taken for a coat */
    0.96f, 0.02f, 0.01f, 0.01f, /* 5: a coat taken for a shirt */
};

typedef struct error_case {
    wick_tensor *probabilities, *labels, *predictions, *confusion, *image;
    wick_error *errors;
    int64_t count;
} error_case;

static void make_case(wick_context *context, error_case *it)
{
    const int64_t shape[2] = {IMAGES, CLASSES}, side[3] = {1, 28, 28};
    int64_t labels[IMAGES];
    for (int i = 0; i < IMAGES; i++)
        labels[i] = i % CLASSES;
    MUST(context, wick_tensor_from(context, WICK_FLOAT32, 2, shape, rows, &it->probabilities));
    MUST(context, wick_tensor_from(context, WICK_INT64, 1, shape, labels, &it->labels));
    MUST(context, wick_tensor_argmax(it->probabilities, &it->predictions));
    MUST(context, wick_confusion_matrix(it->labels, it->predictions, CLASSES, &it->confusion));
    MUST(context, wick_rand(context, NULL, 3, side, &it->image));
    MUST(context, wick_wrong_predictions(it->probabilities, it->labels, &it->errors, &it->count));
}

static void free_case(error_case *it)
{
    wick_tensor_free(it->probabilities);
    wick_tensor_free(it->labels);
    wick_tensor_free(it->predictions);
    wick_tensor_free(it->confusion);
    wick_tensor_free(it->image);
    wick_free(it->errors);
}

static void test_errors(void **state)
{
    const test_place *place = *state;
    error_case it;
    wick_error_tile tiles[IMAGES];
    wick_figure *figure;
    svg_text texts[256];
    make_case(place->context, &it);
    assert_int_equal(it.count, 4);
    for (int i = 0; i < 4; i++)
        tiles[i] = (wick_error_tile){it.image, it.errors[i]};
    const wick_errors_plot plot = {.count = 4,
                                   .tiles = tiles,
                                   .probabilities = it.probabilities,
                                   .confusion = it.confusion,
                                   .classes = names,
                                   .title = "Wrong"};
    MUST(place->context, wick_plot_errors(place->plotter, &plot, &figure));
    assert_int_equal(wick_figure_width(figure), 1080);
    png_pixels png = check_figure(figure);
    int count = texts_of(figure, texts, 256);
    must_say(texts, count, "4 of 6 images are wrong (66.67 %); 4 shown, surest first");
    /* Surest first: images 5, 1, 2, 4, each with its classes and their probabilities in order. */
    static const char *const wanted[] = {"Pred: Shirt",
                                         "Truth: Coat",
                                         "Shirt",
                                         "96.0 %",
                                         "Coat",
                                         "2.0 %",
                                         "Bag",
                                         "1.0 %",
                                         "image 5",
                                         "Pred: Shirt",
                                         "Truth: Coat",
                                         "Shirt",
                                         "70.0 %",
                                         "Bag",
                                         "15.0 %",
                                         "Coat",
                                         "10.0 %",
                                         "image 1",
                                         "Pred: Coat",
                                         "Truth: Bag",
                                         "Coat",
                                         "60.0 %",
                                         "Shirt",
                                         "30.0 %",
                                         "Bag",
                                         "2.0 %",
                                         "image 2",
                                         "Pred: Coat",
                                         "Truth: Shirt",
                                         "Coat",
                                         "40.0 %",
                                         "Shirt",
                                         "25.0 %",
                                         "Bag",
                                         "20.0 %",
                                         "image 4",
                                         "Classes most often taken for each other",
                                         "Shirt \xe2\x86\x94 Coat",
                                         "3",
                                         "1 Shirt as Coat",
                                         "2 Coat as Shirt",
                                         "Coat \xe2\x86\x94 Bag",
                                         "1",
                                         "0 Coat as Bag",
                                         "1 Bag as Coat"};
    assert_int_equal(count, 2 + WKI_COUNT(wanted));
    for (size_t i = 0; i < WKI_COUNT(wanted); i++)
        assert_string_equal(texts[2 + i].text, wanted[i]);
    free(png.rgb);
    wick_figure_free(figure);
    free_case(&it);
}

static void test_errors_kinds(void **state)
{
    const test_place *place = *state;
    error_case it;
    wick_figure *figure;
    svg_text texts[64];
    make_case(place->context, &it);
    wick_errors_plot plot = {
        .probabilities = it.probabilities, .confusion = it.confusion, .classes = names, .pairs = 1};
    MUST(place->context, wick_plot_errors(place->plotter, &plot, &figure));
    png_pixels png = check_figure(figure);
    int count = texts_of(figure, texts, 64);
    must_say(texts, count, "4 of 6 images are wrong (66.67 %)");
    assert_null(find_text(texts, count, "Coat \xe2\x86\x94 Bag"));
    free(png.rgb);
    wick_figure_free(figure);

    wick_tensor *right;
    MUST(place->context, wick_confusion_matrix(it.labels, it.labels, CLASSES, &right));
    plot.confusion = right;
    plot.title = "All right";
    MUST(place->context, wick_plot_errors(place->plotter, &plot, &figure));
    png = check_figure(figure);
    must_say(texts, texts_of(figure, texts, 64), "None of 6 images is wrong");
    free(png.rgb);
    wick_figure_free(figure);

    const wick_error_tile beyond = {it.image, {IMAGES, 0, 1, 0.5f}};
    plot.count = 1;
    plot.tiles = &beyond;
    assert_int_equal(wick_plot_errors(place->plotter, &plot, &figure), WICK_EINVAL);
    assert_non_null(strstr(wick_context_message(place->context), "is of image 6"));
    wick_tensor_free(right);
    free_case(&it);
}

/* ---- files ---- */

static wick_figure *any_figure(const test_place *place)
{
    wick_figure *figure;
    MUST(place->context,
         wick_plot_bars(place->plotter, &(wick_bars_plot){3, chapter, "\xe2\x9c\x93 & <>\""}, &figure));
    return figure;
}

static char *path_of(const test_place *place, const char *name, char out[256])
{
    snprintf(out, 256, "%s/%s", place->folder, name);
    return out;
}

static size_t read_file(const char *path, char *bytes, size_t most)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(bytes, 1, most, file);
    fclose(file);
    return length;
}

static void test_files(void **state)
{
    static char bytes[1 << 20];
    const test_place *place = *state;
    char path[256];
    uint8_t *png;
    char *svg;
    size_t length;
    wick_figure *figure = any_figure(place);
    MUST(place->context, wick_figure_png(figure, &png, &length));
    MUST(place->context, wick_figure_svg(figure, &svg));
    MUST(place->context, wick_figure_save_both(figure, place->folder, "bars"));
    assert_int_equal(read_file(path_of(place, "bars.png", path), bytes, sizeof(bytes)), length);
    assert_memory_equal(bytes, png, length);
    assert_int_equal(read_file(path_of(place, "bars.svg", path), bytes, sizeof(bytes)), strlen(svg));
    assert_memory_equal(bytes, svg, strlen(svg));
    MUST(place->context, wick_figure_save(figure, path_of(place, "UPPER.PNG", path)));
    assert_int_equal(read_file(path, bytes, sizeof(bytes)), length);
    wick_free(png);
    wick_free(svg);
    wick_figure_free(figure);
}

/* One clear line, and nothing left behind. */
static void test_bad_files(void **state)
{
    const test_place *place = *state;
    char path[256], wanted[512];
    wick_figure *figure = any_figure(place);
    assert_int_equal(wick_figure_save(figure, "picture.jpg"), WICK_EINVAL);
    assert_string_equal(wick_context_message(place->context),
                        "picture.jpg: a figure's name must end in .png or .svg");
    assert_int_equal(wick_figure_save(figure, ".png"), WICK_EINVAL);
    assert_int_equal(wick_figure_save(figure, path_of(place, "none/bars.png", path)), WICK_ENOENT);
    snprintf(wanted, sizeof(wanted), "%s: cannot write: No such file or directory", path);
    assert_string_equal(wick_context_message(place->context), wanted);
    if (geteuid() != 0) {
        assert_int_equal(chmod(place->folder, 0500), 0);
        assert_int_equal(wick_figure_save(figure, path_of(place, "bars.svg", path)), WICK_EIO);
        assert_int_equal(chmod(place->folder, 0700), 0);
    }
    assert_int_equal(mkdir(path_of(place, "folder.svg", path), 0700), 0);
    assert_int_equal(wick_figure_save(figure, path), WICK_EEXIST);
    DIR *there = opendir(place->folder);
    for (const struct dirent *entry; (entry = readdir(there)) != NULL;)
        assert_null(strstr(entry->d_name, ".tmp"));
    closedir(there);
    wick_figure_free(figure);
}

/* Another theme changes the colours and nothing else. */
static void test_themes(void **state)
{
    const test_place *place = *state;
    char *svg[3];
    for (int i = 0; i < 3; i++) {
        wick_plotter_set_theme(place->plotter, i == 1 ? wick_theme_dark() : NULL);
        wick_figure *figure = any_figure(place);
        png_pixels png = check_figure(figure);
        assert_int_equal(pixel_at(&png, 0, 0),
                         (i == 1 ? wick_theme_dark() : wick_theme_light())->background);
        MUST(place->context, wick_figure_svg(figure, &svg[i]));
        free(png.rgb);
        wick_figure_free(figure);
    }
    assert_string_equal(svg[0], svg[2]);
    assert_string_not_equal(svg[0], svg[1]);
    for (int i = 0; i < 2; i++)
        for (char *c = strchr(svg[i], '#'); c != NULL; c = strchr(c + 1, '#'))
            if (c[-1] == '"' && c[1] != 'g')
                memset(c + 1, '0', 6);
    assert_string_equal(svg[0], svg[1]);
    for (int i = 0; i < 3; i++)
        wick_free(svg[i]);
}

/* The same letter has the same id in every figure, and another letter another: figures can share a
 * page. */
static void test_ids(void **state)
{
    const test_place *place = *state;
    wick_plotter *other;
    char *svg[2];
    MUST(place->context, wick_plotter_new(place->context, &other));
    const wick_bar bar[2] = {{"\xce\xb1 Shirt", 1, 1}, {"Shirt", 1, 1}};
    for (int i = 0; i < 2; i++) {
        wick_figure *figure;
        MUST(place->context, wick_plot_bars(i == 0 ? place->plotter : other,
                                            &(wick_bars_plot){1, &bar[i], NULL}, &figure));
        MUST(place->context, wick_figure_svg(figure, &svg[i]));
        wick_figure_free(figure);
    }
    int shared = 0;
    for (char *c = strstr(svg[0], "<path id=\""); c != NULL; c = strstr(c + 1, "<path id=\"")) {
        char id[64], line[4096];
        snprintf(id, sizeof(id), "%.24s", c);
        const char *there = strstr(svg[1], id);
        if (there == NULL)
            continue;
        shared++;
        snprintf(line, sizeof(line), "%.*s", (int)strcspn(c, "\n"), c);
        assert_int_equal(strncmp(line, there, strlen(line)), 0);
    }
    assert_true(shared > 10);
    wick_free(svg[0]);
    wick_free(svg[1]);
    wick_plotter_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bars),         cmocka_unit_test(test_bars_kinds),
        cmocka_unit_test(test_compare),      cmocka_unit_test(test_errors),
        cmocka_unit_test(test_errors_kinds), cmocka_unit_test(test_files),
        cmocka_unit_test(test_bad_files),    cmocka_unit_test(test_themes),
        cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
