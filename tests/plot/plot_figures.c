/* Figures of images and the confusion matrix: their pixels, texts and numbers against what was drawn. */
#include "figure_checks.h"

#include "plot/pixels.h"
#include "plot/ticks.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

/* An image of every grey, in a pattern that is not its own mirror. */
static wick_tensor *make_image(wick_context *context, int64_t channels, int64_t rows, int64_t columns)
{
    const int64_t shape[3] = {channels, rows, columns};
    wick_tensor *image;
    MUST(context, wick_tensor_new(context, WICK_FLOAT32, 3, shape, &image));
    for (int64_t i = 0; i < channels * rows * columns; i++)
        wick_tensor_f32(image)[i] = (float)(i * 37 % 256) / 255;
    return image;
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

/* ---- one image ---- */

/* Every pixel of the image, at its middle. x and y are where it lies in the figure. */
static void check_pixels(const png_pixels *png, const wick_tensor *image, const uint32_t *colors,
                         double x, double y, double side)
{
    const float *values = wick_tensor_cdata(image);
    int64_t columns = wick_tensor_size(image, -1), rows = wick_tensor_size(image, -2);
    for (int64_t i = 0; i < rows * columns; i++) {
        uint32_t wanted = colors[lround((double)values[i] * 255)];
        uint32_t got = pixel_at(png, (int)(2 * (x + ((double)(i % columns) + 0.5) * side)),
                                (int)(2 * (y + ((double)(i / columns) + 0.5) * side)));
        if (got != wanted)
            fail_msg("pixel %lld is %06x, not %06x", (long long)i, (unsigned)got, (unsigned)wanted);
    }
}

static void test_image_viridis(void **state)
{
    const plot_place *place = *state;
    wick_tensor *image = make_image(place->context, 1, 28, 28);
    wick_figure *figure;
    svg_text texts[100];
    const wick_image_plot plot = {
        .image = image, .title = "9", .colormap = WICK_VIRIDIS, .rulers = true, .color_bar = true};
    MUST(place->context, wick_plot_image(place->plotter, &plot, &figure));
    assert_int_equal(wick_figure_width(figure), 466);
    assert_int_equal(wick_figure_height(figure), 408);
    png_pixels png = check_figure(figure);
    check_pixels(&png, image, wki_viridis, 44, 44, 12);
    /* The bar goes from the largest at its top to the smallest; its frame covers the two at the ends. */
    assert_int_equal(pixel_at(&png, 2 * 405, 2 * 44 + 3), wki_viridis[254]);
    assert_int_equal(pixel_at(&png, 2 * 405, 2 * 380 - 4), wki_viridis[1]);
    assert_int_equal(wki_viridis[0], 0x440154);
    assert_int_equal(wki_viridis[255], 0xfde725);
    int count = texts_of(figure, texts, 100);
    const char *const wanted[] = {"9",  "0",   "5",   "10",  "15",  "20",
                                  "25", "0.2", "0.4", "0.6", "0.8", "1.0"};
    for (size_t i = 0; i < WKI_COUNT(wanted); i++)
        must_say(texts, count, wanted[i]);
    free(png.rgb);
    wick_figure_free(figure);
    wick_tensor_free(image);
}

static void test_image_grey(void **state)
{
    const plot_place *place = *state;
    wick_tensor *image = make_image(place->context, 1, 28, 28);
    wick_figure *figure;
    uint32_t greys[256];
    svg_text texts[10];
    for (uint32_t i = 0; i < 256; i++)
        greys[i] = i * 0x010101;
    MUST(place->context,
         wick_plot_image(place->plotter, &(wick_image_plot){.image = image, .title = "Ankle boot"},
                         &figure));
    assert_int_equal(wick_figure_width(figure), 368);
    assert_int_equal(wick_figure_height(figure), 396);
    png_pixels png = check_figure(figure);
    check_pixels(&png, image, greys, 16, 44, 12);
    assert_int_equal(texts_of(figure, texts, 10), 1);
    assert_string_equal(texts[0].text, "Ankle boot");
    assert_non_null(strstr(wick_figure_alt(figure), "Ankle boot"));
    free(png.rgb);
    wick_figure_free(figure);
    wick_tensor_free(image);
}

/* Red, green and blue; not a number; other ranges; and shapes of every kind. */
static void test_image_kinds(void **state)
{
    const plot_place *place = *state;
    wick_tensor *image = make_image(place->context, 3, 2, 2);
    float *values = wick_tensor_f32(image);
    wick_figure *figure;
    const float colors[12] = {1, 0, 0, NAN, 0, 1, 0, 0, 0, 0, 2, 0};
    memcpy(values, colors, sizeof(colors));
    MUST(place->context, wick_plot_image(place->plotter, &(wick_image_plot){.image = image}, &figure));
    png_pixels png = check_figure(figure);
    const uint32_t wanted[4] = {0xff0000, 0x00ff00, 0x0000ff, wick_theme_light()->not_a_number};
    for (int i = 0; i < 4; i++)
        assert_int_equal(pixel_at(&png, 2 * (16 + 84 + 168 * (i % 2)), 2 * (16 + 84 + 168 * (i / 2))),
                         wanted[i]);
    free(png.rgb);
    wick_figure_free(figure);
    wick_tensor_free(image);

    const int64_t shapes[][2] = {{1, 1}, {1, 500}, {500, 1}, {3, 100}, {100, 3}, {700, 900}, {28, 28}};
    for (size_t i = 0; i < WKI_COUNT(shapes); i++) {
        wick_tensor *other = make_image(place->context, 1, shapes[i][0], shapes[i][1]);
        const wick_image_plot plot = {.image = other,
                                      .title = "a title that is wider than most of these images",
                                      .low = -1,
                                      .high = 3,
                                      .rulers = true,
                                      .color_bar = true,
                                      .colormap = WICK_VIRIDIS};
        MUST(place->context, wick_plot_image(place->plotter, &plot, &figure));
        png = check_figure(figure);
        free(png.rgb);
        wick_figure_free(figure);
        wick_tensor_free(other);
    }
}

/* ---- several images ---- */

enum { MOST_TILES = 40 };

static void draw_tiles(const plot_place *place, wick_images_plot plot, int width, int height)
{
    wick_figure *figure;
    MUST(place->context, wick_plot_images(place->plotter, &plot, &figure));
    if (width != 0) {
        assert_int_equal(wick_figure_width(figure), width);
        assert_int_equal(wick_figure_height(figure), height);
    }
    png_pixels png = check_figure(figure);
    svg_text texts[2 * MOST_TILES + 2];
    int count = texts_of(figure, texts, 2 * MOST_TILES + 2);
    for (int64_t i = 0; i < plot.count; i++) {
        char text[600];
        const wick_tile *tile = &plot.tiles[i];
        if (tile->prediction != NULL)
            snprintf(text, sizeof(text), "Pred: %s | Truth: %s", tile->prediction, tile->label);
        else
            snprintf(text, sizeof(text), "%s", tile->label);
        if (find_text(texts, count, text) == NULL && tile->prediction != NULL)
            snprintf(text, sizeof(text), "Pred: %s", tile->prediction);
        must_say(texts, count, text);
    }
    free(png.rgb);
    wick_figure_free(figure);
}

static void test_tiles(void **state)
{
    const plot_place *place = *state;
    wick_tensor *image = make_image(place->context, 1, 28, 28);
    wick_tile tiles[MOST_TILES];
    for (int i = 0; i < MOST_TILES; i++)
        tiles[i] = (wick_tile){.image = image, .label = i % 2 == 0 ? "T-shirt/top" : "Ankle boot"};
    draw_tiles(place, (wick_images_plot){.count = 16, .tiles = tiles, .columns = 4}, 688, 732);
    draw_tiles(place, (wick_images_plot){.count = 1, .tiles = tiles}, 0, 0);
    draw_tiles(place, (wick_images_plot){.count = 7, .tiles = tiles, .title = "Seven"}, 0, 0);
    draw_tiles(place, (wick_images_plot){.count = MOST_TILES, .tiles = tiles, .columns = MOST_TILES}, 0,
               0);
    for (int i = 0; i < MOST_TILES; i++) {
        tiles[i].prediction = i % 3 == 0 ? "Ankle boot" : "T-shirt/top";
        tiles[i].right = strcmp(tiles[i].prediction, tiles[i].label) == 0;
    }
    draw_tiles(place, (wick_images_plot){.count = 9, .tiles = tiles}, 920, 815);
    tiles[3].prediction = "a class with a name that is long";
    draw_tiles(place, (wick_images_plot){.count = 9, .tiles = tiles, .title = "Two lines"}, 0, 0);
    wick_tensor_free(image);
}

/* Right and wrong differ in colour, and without colour in their sign. */
static void test_verdicts(void **state)
{
    const plot_place *place = *state;
    wick_tensor *image = make_image(place->context, 1, 28, 28);
    const wick_theme *theme = wick_theme_light();
    wick_tile tile = {.image = image, .label = "Bag", .prediction = "Bag"};
    png_pixels drawn[2];
    svg_text texts[4];
    for (int right = 0; right < 2; right++) {
        char fill[8];
        wick_figure *figure;
        tile.right = right;
        MUST(place->context,
             wick_plot_images(place->plotter, &(wick_images_plot){.count = 1, .tiles = &tile}, &figure));
        assert_int_equal(texts_of(figure, texts, 4), 1);
        assert_string_equal(texts[0].text, "Pred: Bag | Truth: Bag");
        snprintf(fill, sizeof(fill), "#%06x", (unsigned)(right ? theme->right : theme->wrong));
        assert_string_equal(texts[0].fill, fill);
        drawn[right] = check_figure(figure);
        wick_figure_free(figure);
    }
    int different = 0; /* pixels that are background in one alone */
    assert_int_equal(drawn[0].width, drawn[1].width);
    for (int i = 0; i < drawn[0].width * 80; i++)
        different +=
            (pixel_at(&drawn[0], i % drawn[0].width, i / drawn[0].width) == theme->background) !=
            (pixel_at(&drawn[1], i % drawn[0].width, i / drawn[0].width) == theme->background);
    assert_true(different > 50);
    free(drawn[0].rgb);
    free(drawn[1].rgb);
    wick_tensor_free(image);
}

/* ---- the confusion matrix ---- */

enum { MOST_TEXTS = 8000 };

static const char *const fashion[10] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                        "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

static wick_tensor *make_matrix(wick_context *context, int64_t classes, const int64_t *counts)
{
    const int64_t shape[2] = {classes, classes};
    wick_tensor *matrix;
    MUST(context, wick_tensor_from(context, WICK_INT64, 2, shape, counts, &matrix));
    return matrix;
}

/* Where the texts of cells begin: behind the summary. */
static int first_cell(const svg_text *texts, int count)
{
    for (int i = 0; i < count; i++)
        if (strstr(texts[i].text, " right (") != NULL)
            return i + 1;
    fail_msg("there is no summary");
    return 0;
}

/* Every number of the matrix stands in its row and column, with its share of the row. */
static void check_numbers(const wick_tensor *matrix, const svg_text *texts, int count, bool shares)
{
    const int64_t *counts = wick_tensor_cdata(matrix), classes = wick_tensor_size(matrix, 0);
    int at = first_cell(texts, count);
    double row_y = 0, column_x[64] = {0};
    for (int64_t r = 0; r < classes; r++) {
        double total = 0, last_x = 0;
        for (int64_t c = 0; c < classes; c++)
            total += (double)counts[r * classes + c];
        for (int64_t c = 0; c < classes; c++) {
            int64_t number = counts[r * classes + c];
            char wanted[WKI_TICK_TEXT + 4];
            wki_fixed_text((double)number, 0, wanted);
            assert_true(at < count);
            assert_string_equal(texts[at].text, wanted);
            assert_true(texts[at].x > last_x);
            assert_true(r == 0 || fabs(texts[at].x - column_x[c]) < 25);
            assert_true(texts[at].y > row_y - (c == 0 ? 0 : 20));
            last_x = column_x[c] = texts[at].x;
            row_y = c == 0 ? texts[at].y : row_y;
            at++;
            if (!shares || number == 0)
                continue;
            double percent = 100 * (double)number / total;
            assert_true(at < count && strstr(texts[at].text, " %") != NULL);
            if (texts[at].text[0] == '<')
                assert_true(percent < 0.05);
            else if (percent < 99.9)
                assert_true(fabs(atof(texts[at].text) - percent) <= 0.051);
            assert_true(fabs(texts[at].x - last_x) < 25 && texts[at].y > texts[at - 1].y);
            at++;
        }
    }
}

/* The colours of cells rise with their share. */
static void check_cell_colors(const png_pixels *png, const wick_figure *figure,
                              const wick_tensor *matrix)
{
    const int64_t *counts = wick_tensor_cdata(matrix), classes = wick_tensor_size(matrix, 0);
    int64_t cell = 0;
    for (size_t i = 0; i < figure->shape_count && cell < classes * classes; i++) {
        const wki_shape *shape = &figure->shapes[i];
        if (shape->kind != WKI_RECT)
            continue;
        double total = 0;
        for (int64_t c = 0; c < classes; c++)
            total += (double)counts[cell / classes * classes + c];
        uint32_t color = pixel_at(png, (int)(2 * shape->x) + 3, (int)(2 * shape->y) + 3);
        assert_int_equal(color, shape->pen.rgb);
        if (counts[cell] == 0)
            assert_int_equal(color, wick_theme_light()->none);
        else if ((double)counts[cell] == total)
            assert_int_equal(color, wick_theme_light()->all);
        else
            assert_true(color != wick_theme_light()->none && color != wick_theme_light()->all);
        cell++;
    }
    assert_int_equal(cell, classes * classes);
}

static void draw_matrix(const plot_place *place, int64_t classes, const int64_t *counts,
                        const char *const *names, bool numbers, bool shares)
{
    static svg_text texts[MOST_TEXTS];
    wick_figure *figure;
    wick_tensor *matrix = make_matrix(place->context, classes, counts);
    const wick_confusion_plot plot = {matrix, names, "Confusion matrix"};
    MUST(place->context, wick_plot_confusion(place->plotter, &plot, &figure));
    png_pixels png = check_figure(figure);
    int count = texts_of(figure, texts, MOST_TEXTS);
    must_say(texts, count, "Confusion matrix");
    must_say(texts, count, "Truth");
    must_say(texts, count, "Prediction");
    if (numbers)
        check_numbers(matrix, texts, count, shares);
    if (numbers)
        check_cell_colors(&png, figure, matrix);
    free(png.rgb);
    wick_figure_free(figure);
    wick_tensor_free(matrix);
}

static void test_confusion(void **state)
{
    const plot_place *place = *state;
    int64_t counts[100];
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    for (int i = 0; i < 100; i++)
        counts[i] = i % 11 == 0 ? 700 + rand() % 300 : rand() % 3 == 0 ? 0 : rand() % 120;
    draw_matrix(place, 10, counts, fashion, true, true);

    wick_figure *figure;
    svg_text texts[300];
    wick_tensor *matrix = make_matrix(place->context, 10, counts);
    MUST(place->context,
         wick_plot_confusion(place->plotter, &(wick_confusion_plot){matrix, fashion, NULL}, &figure));
    int count = texts_of(figure, texts, 300), seen = 0;
    for (int c = 0; c < 10; c++)
        for (int i = 0; i < count; i++)
            seen += strcmp(texts[i].text, fashion[c]) == 0;
    assert_int_equal(seen, 20); /* each beside its row and below its column */
    int64_t right = 0, all = 0;
    char wanted[128], number[2][WKI_TICK_TEXT];
    for (int i = 0; i < 100; i++) {
        all += counts[i];
        right += i % 11 == 0 ? counts[i] : 0;
    }
    wki_fixed_text((double)right, 0, number[0]);
    wki_fixed_text((double)all, 0, number[1]);
    snprintf(wanted, sizeof(wanted), "%s of %s right (%.2f %%)", number[0], number[1],
             100 * (double)right / (double)all);
    must_say(texts, count, wanted);
    assert_non_null(strstr(wick_figure_alt(figure), wanted));
    wick_figure_free(figure);
    wick_tensor_free(matrix);
}

/* One class, two, forty, many; all right; nothing at all; names of every kind. */
static void test_confusion_kinds(void **state)
{
    enum { MANY = 600 };
    static int64_t counts[MANY * MANY];
    static char names[MANY][80];
    const char *pointers[MANY];
    const plot_place *place = *state;
    static const char *const odd[] = {"a class with a name that goes on and on and on and on and on",
                                      "\xe6\xbc\xa2\xe5\xad\x97 \xff<&\"> \n", ""};
    draw_matrix(place, 1, (const int64_t[]){7}, odd, true, true);
    draw_matrix(place, 2, (const int64_t[]){1000000000, 0, 12, 123456789}, odd, false, true);
    draw_matrix(place, 2, (const int64_t[]){100, 0, 0, 100}, odd, true, true);
    draw_matrix(place, 3, (const int64_t[9]){0}, odd, true, true);
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof(names[i]), i % 3 == 0 ? "a rather long class name %d" : "class %d", i);
        pointers[i] = names[i];
    }
    const int sizes[] = {5, 11, 20, 33, 40, 50, 51, 120, 600};
    for (size_t k = 0; k < WKI_COUNT(sizes); k++) {
        int n = sizes[k];
        for (int i = 0; i < n * n; i++)
            counts[i] = i % (n + 1) == 0 ? 80 : i % 17 == 0 ? i % 9 : 0;
        draw_matrix(place, n, counts, pointers, n <= 48, n <= 20);
    }
}

/* ---- what is refused ---- */

static void expect(const plot_place *place, wick_status got, wick_status wanted, const char *part)
{
    assert_int_equal(got, wanted);
    if (strstr(wick_context_message(place->context), part) == NULL)
        fail_msg("'%s' does not say '%s'", wick_context_message(place->context), part);
}

static void test_refuses(void **state)
{
    const plot_place *place = *state;
    wick_figure *figure = NULL;
    wick_tensor *image = make_image(place->context, 1, 4, 4),
                *four = make_image(place->context, 4, 4, 4), *ints;
    const int64_t shape[2] = {2, 3};
    MUST(place->context, wick_tensor_new(place->context, WICK_INT64, 2, shape, &ints));
    expect(place, wick_plot_image(place->plotter, NULL, &figure), WICK_EINVAL, "NULL");
    expect(place, wick_plot_image(place->plotter, &(wick_image_plot){0}, &figure), WICK_EINVAL,
           "the image is NULL");
    expect(place, wick_plot_image(place->plotter, &(wick_image_plot){.image = four}, &figure),
           WICK_ESHAPE, "[4, 4, 4]; it must be torch.float32 [height, width]");
    expect(place, wick_plot_image(place->plotter, &(wick_image_plot){.image = ints}, &figure),
           WICK_ESHAPE, "torch.int64");
    expect(place,
           wick_plot_image(place->plotter, &(wick_image_plot){.image = image, .low = 1, .high = 1},
                           &figure),
           WICK_EINVAL, "a colour map from 1 to 1");
    expect(place,
           wick_plot_image(place->plotter, &(wick_image_plot){.image = image, .high = (float)INFINITY},
                           &figure),
           WICK_EINVAL, "a colour map");
    expect(place, wick_plot_images(place->plotter, &(wick_images_plot){.count = 0}, &figure),
           WICK_EINVAL, "must be 1 or more");
    const wick_tile tile = {.label = "no image"};
    expect(place,
           wick_plot_images(place->plotter, &(wick_images_plot){.count = 1, .tiles = &tile}, &figure),
           WICK_EINVAL, "the image of tile 0 is NULL");
    expect(place,
           wick_plot_confusion(place->plotter, &(wick_confusion_plot){ints, fashion, NULL}, &figure),
           WICK_ESHAPE, "square");
    const char *const missing[2] = {"one", NULL};
    wick_tensor *matrix = make_matrix(place->context, 2, (const int64_t[4]){1, 2, 3, 4});
    expect(place,
           wick_plot_confusion(place->plotter, &(wick_confusion_plot){matrix, missing, NULL}, &figure),
           WICK_EINVAL, "class 1 is NULL");
    assert_int_equal(wick_plot_image(NULL, NULL, NULL), WICK_EINVAL);
    assert_null(figure);
    wick_tensor_free(matrix);
    wick_tensor_free(image);
    wick_tensor_free(four);
    wick_tensor_free(ints);
}

/* A figure that would not fit into memory is refused by its size. */
static void test_too_large(void **state)
{
    enum { COUNT = 3000 };
    const plot_place *place = *state;
    wick_figure *figure = NULL;
    wick_tensor *image = make_image(place->context, 1, 4, 4);
    wick_tile *tiles = calloc(COUNT, sizeof(*tiles));
    assert_non_null(tiles);
    for (int i = 0; i < COUNT; i++)
        tiles[i].image = image;
    expect(place,
           wick_plot_images(place->plotter,
                            &(wick_images_plot){.count = COUNT, .tiles = tiles, .columns = COUNT},
                            &figure),
           WICK_ELIMIT, "it may be 16000 a side");
    assert_null(figure);
    free(tiles);
    wick_tensor_free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_viridis),   cmocka_unit_test(test_image_grey),
        cmocka_unit_test(test_image_kinds),     cmocka_unit_test(test_tiles),
        cmocka_unit_test(test_verdicts),        cmocka_unit_test(test_confusion),
        cmocka_unit_test(test_confusion_kinds), cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests(tests, open_plot_place, close_plot_place);
}
