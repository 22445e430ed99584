/* What figures are made of: text that is cleaned, colours, numbers for SVG, and PNG files. */
#include "figure_checks.h"

#include "plot/figure_files.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static int set_up(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    wick_context_free(*state);
    return 0;
}

static void expect_clean(const char *text, const char *wanted)
{
    char out[WKI_LONGEST_TEXT];
    wki_clean_text(text, out);
    assert_string_equal(out, wanted);
}

#define BAD "\xef\xbf\xbd"

static void test_clean(void **state)
{
    char longer[3000], out[WKI_LONGEST_TEXT];
    (void)state;
    expect_clean("", "");
    expect_clean("T-shirt/top & <b>", "T-shirt/top & <b>");
    expect_clean("\xc5\x9f\xc4\xb1k \xe6\xbc\xa2 \xf0\x9f\x91\x9f",
                 "\xc5\x9f\xc4\xb1k \xe6\xbc\xa2 \xf0\x9f\x91\x9f");
    expect_clean("a\nb\tc\x7f", "a" BAD "b" BAD "c" BAD);
    expect_clean("\xff\xfe", BAD BAD);
    expect_clean("\xc3", BAD);         /* cut short */
    expect_clean("\xe6\xbc", BAD BAD); /* cut short */
    expect_clean("\xc0\xaf", BAD BAD); /* too long a form of '/' */
    expect_clean("\xe0\x80\xaf", BAD BAD BAD);
    expect_clean("\xed\xa0\x80", BAD BAD BAD);         /* a surrogate */
    expect_clean("\xf4\x90\x80\x80", BAD BAD BAD BAD); /* beyond Unicode */
    expect_clean("a\xe2\x80\xae"
                 "b",
                 "a" BAD "b"); /* turns what follows round */
    expect_clean("a\xe2\x80\xa8"
                 "b",
                 "a" BAD "b"); /* ends a line */
    expect_clean("a\xc2\x85"
                 "b",
                 "a" BAD "b");
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    wki_clean_text(longer, out);
    assert_true(strlen(out) < WKI_LONGEST_TEXT && strlen(out) > WKI_LONGEST_TEXT - 20);
    assert_string_equal(out + strlen(out) - 3, "\xe2\x80\xa6");
    memset(longer, '\xff', sizeof(longer) - 1);
    wki_clean_text(longer, out);
    assert_true(strlen(out) < WKI_LONGEST_TEXT);
}

/* Any bytes become valid UTF-8 that fits. */
static void test_clean_random(void **state)
{
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    for (int i = 0; i < 5000; i++) {
        char text[700], once[WKI_LONGEST_TEXT], twice[WKI_LONGEST_TEXT];
        int length = rand() % 699;
        for (int k = 0; k < length; k++)
            text[k] = (char)(rand() % 255 + 1);
        text[length] = '\0';
        wki_clean_text(text, once);
        assert_true(strlen(once) < WKI_LONGEST_TEXT);
        wki_clean_text(once, twice);
        assert_string_equal(once, twice);
    }
}

static void test_colors(void **state)
{
    (void)state;
    assert_int_equal(wki_mix(0x000000, 0xffffff, 0), 0x000000);
    assert_int_equal(wki_mix(0x000000, 0xffffff, 1), 0xffffff);
    assert_int_equal(wki_mix(0x102030, 0x304050, 0.5), 0x203040);
    assert_int_equal(wki_readable(0xffffff, 0x000000, 0xffffff), 0x000000);
    assert_int_equal(wki_readable(0x08457e, 0x1c2024, 0xffffff), 0xffffff);
    assert_int_equal(wki_readable(0xffff00, 0x000000, 0xffffff), 0x000000);
}

static void expect_number(wick_context *context, double number, int decimals, const char *wanted)
{
    wki_text text;
    wki_text_init(&text, context);
    wki_text_number(&text, number, decimals);
    assert_string_equal(text.bytes, wanted);
    wki_text_release(&text);
}

static void test_svg_numbers(void **state)
{
    expect_number(*state, 0, 2, "0");
    expect_number(*state, 12, 2, "12");
    expect_number(*state, 12.5, 2, "12.5");
    expect_number(*state, 12.05, 2, "12.05");
    expect_number(*state, -0.25, 2, "-0.25");
    expect_number(*state, -0.001, 2, "0");
    expect_number(*state, 99.999, 2, "100");
    expect_number(*state, 0.1234567, 4, "0.1235");
    expect_number(*state, (double)NAN, 2, "0");
    expect_number(*state, (double)INFINITY, 2, "0");
    expect_number(*state, 1e300, 2, "0");
}

/* Writes the pixels and reads them again by libpng. */
static void round_trip(wick_context *context, const uint32_t *pixels, int width, int height, int scale)
{
    uint8_t *bytes;
    size_t length;
    MUST(context, wki_png_write(context, pixels, width, height, scale, &bytes, &length));
    png_pixels png = read_png(bytes, length);
    assert_int_equal(png.width, width);
    assert_int_equal(png.height, height);
    assert_int_equal(png.per_meter, scale == 0 ? 0 : scale == 1 ? 3780 : 7559);
    for (int i = 0; i < width * height; i++)
        if (pixel_at(&png, i % width, i / width) != (pixels[i] & 0xffffff))
            fail_msg("%d x %d: pixel %d is %06x, not %06x", width, height, i,
                     (unsigned)pixel_at(&png, i % width, i / width), (unsigned)pixels[i] & 0xffffff);
    free(png.rgb);
    free(bytes);
}

enum { MOST_SIDE = 70 };

/* Few colours and many, rows that repeat, the most that a palette holds and one more. */
static void test_png(void **state)
{
    static uint32_t pixels[MOST_SIDE * MOST_SIDE];
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    for (int i = 0; i < 300; i++) {
        int width = 1 + rand() % MOST_SIDE, height = 1 + rand() % MOST_SIDE;
        uint32_t colors = 1 + (uint32_t)rand() % (i % 3 == 0 ? 4 : i % 3 == 1 ? 300 : 100000);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                pixels[y * width + x] = y > 0 && (y / 5) % 2 == 1
                                            ? pixels[(y - 1) * width + x]
                                            : (uint32_t)rand() % colors * 2654435761u;
        round_trip(*state, pixels, width, height, rand() % 3);
    }
    for (int colors = 255; colors <= 257; colors++) {
        for (int i = 0; i < colors; i++)
            pixels[i] = (uint32_t)i * 0x010203;
        round_trip(*state, pixels, colors, 1, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_clean_random),
        cmocka_unit_test(test_colors),
        cmocka_unit_test_setup_teardown(test_svg_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_png, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
