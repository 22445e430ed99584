/* Curves: every point of a line lies where the axis says that its number is. */
#include "figure_checks.h"

#include "plot/series.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static wick_figure *draw(const plot_place *place, int64_t count, const wick_curve *curves)
{
    wick_figure *figure;
    MUST(place->context,
         wick_plot_curves(place->plotter, &(wick_curves_plot){count, curves, "Curves"}, &figure));
    assert_int_equal(wick_figure_width(figure), 960);
    png_pixels png = check_figure(figure);
    free(png.rgb);
    return figure;
}

static int texts_of(const wick_figure *figure, svg_text *texts, int most)
{
    char *svg;
    MUST(figure->context, wick_figure_svg(figure, &svg));
    int count = read_texts(svg, texts, most);
    wick_free(svg);
    return count;
}

/* ---- an axis read off the figure ---- */

/* number = base + slope * pixel, by two of the numbers beside the panel that begins at left. */
typedef struct read_axis {
    double base, slope;
} read_axis;

/* Where the middle of the text is. */
static double middle_of(const svg_text *text)
{
    return text->y - 0.3645 * WKI_NOTE_SIZE;
}

/* The axis of the numbers from first to last, one below the other as they were drawn: up. */
static read_axis read_up(const svg_text *first, const svg_text *last)
{
    double a = atof(first->text), b = atof(last->text);
    read_axis axis = {.slope = (b - a) / (middle_of(last) - middle_of(first))};
    axis.base = a - axis.slope * middle_of(first);
    return axis;
}

/* The place among the texts of the numbers of the panel with that heading: they are drawn before it, the
 * numbers up, then those across. */
static void find_up_axis(const svg_text *texts, int count, const char *heading, const svg_text **first,
                         const svg_text **last)
{
    int at = 0;
    while (at < count && strcmp(texts[at].text, heading) != 0)
        at++;
    assert_true(at > 0 && at < count);
    /* Across they share a line. */
    double line = texts[at - 1].y;
    int end = at - 1;
    while (texts[end].y == line)
        end--;
    int begin = end;
    while (begin > 0 && texts[begin - 1].y > texts[begin].y &&
           strspn(texts[begin - 1].text, "-0123456789") > 0 &&
           atof(texts[begin - 1].text) < atof(texts[begin].text))
        begin--;
    assert_true(end > begin);
    *first = &texts[begin];
    *last = &texts[end];
}

/* The n-th line of that colour, of more than two points. */
static const wki_shape *find_line(const wick_figure *figure, uint32_t rgb, bool dashed, int n)
{
    for (size_t i = 0; i < figure->shape_count; i++) {
        const wki_shape *shape = &figure->shapes[i];
        if (shape->kind == WKI_LINE && shape->pen.rgb == rgb && shape->pen.dashed == dashed &&
            shape->count > 2 && n-- == 0)
            return shape;
    }
    return NULL;
}

static void check_line(const wick_figure *figure, const wki_shape *line, read_axis up, int64_t count,
                       size_t offset, const wick_epoch *epochs)
{
    assert_non_null(line);
    assert_int_equal(line->count, count);
    double pitch = figure->points[line->first + 1].x - figure->points[line->first].x;
    for (int64_t i = 0; i < count; i++) {
        double wanted;
        memcpy(&wanted, (const char *)&epochs[i] + offset, sizeof(wanted));
        const wki_point *point = &figure->points[line->first + (size_t)i];
        double got = up.base + up.slope * point->y;
        if (fabs(got - wanted) > fabs(up.slope) * 0.1)
            fail_msg("epoch %lld is drawn at %g, not at %g", (long long)i, got, wanted);
        assert_true(fabs(point->x - figure->points[line->first].x - pitch * (double)i) < 1e-6);
    }
}

static const wick_epoch chapter[3] = {{0, .59952, 78.09, .38754, 85.94, 5},
                                      {1, .35734, 87.07, .34306, 87.63, 5},
                                      {2, .31825, 88.42, .31359, 88.57, 5}};

static void test_one(void **state)
{
    const plot_place *place = *state;
    const wick_theme *theme = wick_theme_light();
    const wick_curve curve = {"FashionMNISTModelV2", 3, chapter, 0, NULL, 0};
    wick_figure *figure = draw(place, 1, &curve);
    svg_text texts[100];
    const svg_text *first, *last;
    int count = texts_of(figure, texts, 100);
    assert_non_null(find_text(texts, count, "train"));
    assert_non_null(find_text(texts, count, "test"));
    find_up_axis(texts, count, "Loss", &first, &last);
    read_axis loss = read_up(first, last);
    check_line(figure, find_line(figure, theme->series[0], true, 0), loss, 3,
               offsetof(wick_epoch, train_loss), chapter);
    check_line(figure, find_line(figure, theme->series[1], false, 0), loss, 3,
               offsetof(wick_epoch, test_loss), chapter);
    find_up_axis(texts, count, "Accuracy (%)", &first, &last);
    read_axis accuracy = read_up(first, last);
    check_line(figure, find_line(figure, theme->series[0], true, 1), accuracy, 3,
               offsetof(wick_epoch, train_acc), chapter);
    check_line(figure, find_line(figure, theme->series[1], false, 1), accuracy, 3,
               offsetof(wick_epoch, test_acc), chapter);
    assert_null(find_text(texts, count, "step"));
    assert_non_null(strstr(wick_figure_alt(figure), "88.57 %"));
    wick_figure_free(figure);
}

/* ---- by step ---- */

enum { STEPS = 5625 };

/* A fall with one peak and one dip. */
static void fill_losses(float *losses, int peak, int dip)
{
    for (int i = 0; i < STEPS; i++)
        losses[i] = (float)(0.3 + 2 * exp(-i / 300.0) + (i == peak ? 5 : i == dip ? -5 : 0));
}

/* Wherever in its pixel a peak or a dip is, it is not lost among the 5,625. */
static void check_extremes(const wick_figure *figure, read_axis up, double peak, double dip)
{
    const wki_shape *thin = NULL;
    double highest = -INFINITY, lowest = INFINITY;
    for (size_t i = 0; i < figure->shape_count; i++)
        if (figure->shapes[i].kind == WKI_LINE && figure->shapes[i].pen.alpha > 0)
            thin = &figure->shapes[i];
    assert_non_null(thin);
    assert_true(thin->count < 4 * 960);
    for (size_t i = 0; i < thin->count; i++) {
        double loss = up.base + up.slope * figure->points[thin->first + i].y;
        highest = fmax(highest, loss);
        lowest = fmin(lowest, loss);
    }
    assert_true(fabs(highest - peak) < 0.02);
    assert_true(fabs(lowest - dip) < 0.02);
}

static void test_steps(void **state)
{
    static float losses[STEPS];
    const plot_place *place = *state;
    wick_curve curve = {"V2", 3, chapter, STEPS, losses, 1};
    wick_figure *figure;
    svg_text texts[200];
    int count;
    for (int k = 0; k < 7; k++) {
        const svg_text *first, *last;
        fill_losses(losses, 4000 + k, 4500 + k);
        figure = draw(place, 1, &curve);
        count = texts_of(figure, texts, 200);
        find_up_axis(texts, count, "Training loss by step, test loss at each epoch's end", &first,
                     &last);
        check_extremes(figure, read_up(first, last), (double)losses[4000 + k], (double)losses[4500 + k]);
        assert_non_null(find_text(texts, count, "step"));
        assert_non_null(find_text(texts, count, "5,000"));
        assert_non_null(find_text(texts, count, "Thin: each step. Thick: running mean over 56 steps."));
        wick_figure_free(figure);
    }
    curve.step_stride = 4;
    figure = draw(place, 1, &curve);
    count = texts_of(figure, texts, 200);
    assert_non_null(find_text(texts, count, "20,000"));
    assert_non_null(find_text(texts, count, "Thin: one step in 4. Thick: running mean over 224 steps."));
    wick_figure_free(figure);
}

static double number_of(const void *data, int64_t index)
{
    return ((const double *)data)[index];
}

/* Means against the plain way, with what is not finite in between, and after something huge has
 * passed. */
static void test_means(void **state)
{
    enum { COUNT = 300 };
    const plot_place *place = *state;
    double numbers[COUNT], *means;
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    for (int i = 0; i < COUNT; i++)
        numbers[i] = rand() % 20 == 0 ? (double)NAN : i == 100 ? 1e30 : rand() / (double)RAND_MAX;
    const wki_series series = {.count = COUNT, .step = 1, .value = number_of, .data = numbers};
    for (int window = 1; window < 40; window += 7) {
        MUST(place->context, wki_series_means(place->context, &series, window, &means));
        for (int i = 0; i < COUNT; i++) {
            double sum = 0;
            int held = 0;
            for (int k = i - window / 2; k < i - window / 2 + window; k++)
                if (k >= 0 && k < COUNT && isfinite(numbers[k])) {
                    sum += numbers[k];
                    held++;
                }
            if (isfinite(numbers[i]))
                assert_true(fabs(means[i] - sum / held) <= 1e-9 * fmax(1, fabs(sum / held)));
            else
                assert_true(isnan(means[i]));
        }
        free(means);
    }
}

/* ---- all kinds ---- */

static void must_note(const wick_figure *figure, const char *note)
{
    svg_text texts[300];
    if (find_text(texts, texts_of(figure, texts, 300), note) == NULL)
        fail_msg("the figure does not say '%s'", note);
}

static void test_not_finite(void **state)
{
    const plot_place *place = *state;
    wick_epoch epochs[5];
    float losses[50];
    for (int i = 0; i < 5; i++)
        epochs[i] = (wick_epoch){i, 1.0 / (i + 1), 50 + i, 1.0 / (i + 2), 49 + i, 1};
    for (int i = 0; i < 50; i++)
        losses[i] = i > 20 ? (float)NAN : 1;
    epochs[2].test_loss = (double)NAN;
    wick_figure *figure = draw(place, 1, &(wick_curve){"one", 5, epochs, 0, NULL, 0});
    must_note(figure, "1 value is not finite and left out.");
    wick_figure_free(figure);
    epochs[3].train_loss = (double)INFINITY;
    figure = draw(place, 1, &(wick_curve){"two", 5, epochs, 50, losses, 1});
    must_note(figure, "31 values are not finite and left out.");
    wick_figure_free(figure);
    for (int i = 0; i < 5; i++)
        epochs[i] = (wick_epoch){i, (double)NAN, (double)NAN, (double)NAN, (double)NAN, 1};
    for (int i = 0; i < 50; i++)
        losses[i] = (float)NAN;
    figure = draw(place, 1, &(wick_curve){"nothing", 5, epochs, 50, losses, 1});
    must_note(figure, "no finite value");
    wick_figure_free(figure);
    epochs[0] = (wick_epoch){0, 1e308, 0, -1e308, 100, 1};
    epochs[1] = (wick_epoch){1, 5e-324, 0, 1e-300, 100, 1};
    figure = draw(place, 1, &(wick_curve){"huge", 2, epochs, 0, NULL, 0});
    wick_figure_free(figure);
}

/* None, one and very many epochs; a line that never changes; all right. */
static void test_sizes(void **state)
{
    enum { MANY = 30000 };
    static wick_epoch epochs[MANY];
    const plot_place *place = *state;
    for (int i = 0; i < MANY; i++)
        epochs[i] = (wick_epoch){i, 1.0 / (i + 1), 100, 1.0 / (i + 2), 100, 1};
    const int64_t counts[] = {0, 1, 2, 10, 49, 51, MANY};
    for (size_t i = 0; i < WKI_COUNT(counts); i++) {
        wick_figure *figure = draw(place, 1, &(wick_curve){"run", counts[i], epochs, 0, NULL, 0});
        svg_text texts[100];
        int count = texts_of(figure, texts, 100);
        if (counts[i] > 0)
            assert_non_null(find_text(texts, count, "100"));
        for (int k = 0; k < count; k++) /* nothing above all */
            assert_true(strcmp(texts[k].text, "101") != 0 && strcmp(texts[k].text, "102") != 0);
        char *svg;
        MUST(place->context, wick_figure_svg(figure, &svg));
        assert_true(strlen(svg) < 200000);
        wick_free(svg);
        wick_figure_free(figure);
    }
    /* One epoch whose steps are few. */
    const float losses[3] = {2, 1, 0.5f};
    wick_figure *figure = draw(place, 1, &(wick_curve){"run", 1, epochs, 3, losses, 1});
    wick_figure_free(figure);
    figure = draw(place, 1, &(wick_curve){"run", 0, NULL, 1, losses, 1});
    wick_figure_free(figure);
}

static void test_several(void **state)
{
    enum { RUNS = 14, EPOCHS = 30, FEW_STEPS = 700 };
    static wick_epoch epochs[RUNS][EPOCHS];
    static float losses[RUNS][FEW_STEPS];
    const plot_place *place = *state;
    wick_curve curves[RUNS];
    char names[RUNS][80];
    for (int r = 0; r < RUNS; r++) {
        snprintf(names[r], sizeof(names[r]),
                 r % 4 == 3 ? "runs/a-folder-with-a-name-that-is-very-long-indeed/%d" : "run %d", r);
        for (int i = 0; i < EPOCHS; i++)
            epochs[r][i] =
                (wick_epoch){i, 1.0 / (i + 1 + r), 90.0 + r * 0.3, 1.0 / (i + 2 + r), 89.0 + r * 0.3, 1};
        for (int i = 0; i < FEW_STEPS; i++)
            losses[r][i] = (float)(1.0 / (i + 1) + r * 0.05);
        curves[r] = (wick_curve){names[r],  EPOCHS - r, epochs[r], r == 2 ? 0 : FEW_STEPS - r,
                                 losses[r], 1 + r % 2};
    }
    for (int64_t runs = 2; runs <= RUNS; runs += 4) {
        wick_figure *figure = draw(place, runs, curves);
        svg_text texts[200];
        int count = texts_of(figure, texts, 200);
        for (int64_t r = 0; r < runs; r++)
            assert_non_null(find_text(texts, count, names[r]));
        assert_non_null(find_text(texts, count, "train"));
        assert_non_null(find_text(texts, count, "test"));
        wick_figure_free(figure);
    }
}

static void test_refuses(void **state)
{
    const plot_place *place = *state;
    wick_figure *figure = NULL;
    const wick_curve bad[] = {{NULL, 0, NULL, 0, NULL, 0},
                              {"x", 1, NULL, 0, NULL, 0},
                              {"x", 0, NULL, 1, NULL, 0},
                              {"x", -1, NULL, 0, NULL, 0},
                              {"x", 0, NULL, -1, NULL, 0}};
    for (size_t i = 0; i < WKI_COUNT(bad); i++) {
        assert_int_equal(
            wick_plot_curves(place->plotter, &(wick_curves_plot){1, &bad[i], NULL}, &figure),
            WICK_EINVAL);
        assert_non_null(strstr(wick_context_message(place->context), "curve 0"));
    }
    assert_int_equal(wick_plot_curves(place->plotter, &(wick_curves_plot){0, bad, NULL}, &figure),
                     WICK_EINVAL);
    assert_null(figure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),     cmocka_unit_test(test_steps),
        cmocka_unit_test(test_means),   cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_several), cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, open_plot_place, close_plot_place);
}
