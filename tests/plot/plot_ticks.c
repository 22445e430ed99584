/* src/plot/ticks.c against cases worked out by hand. */
#include "plot/ticks.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void expect(double low, double high, int most, int whole, int count, const double *wanted)
{
    wki_ticks ticks;
    wki_ticks_make(low, high, most, whole, &ticks);
    if (ticks.count != count)
        fail_msg("%g to %g, at most %d: %d ticks, not %d", low, high, most, ticks.count, count);
    for (int i = 0; i < count; i++)
        if (ticks.at[i] != wanted[i])
            fail_msg("%g to %g, at most %d: tick %d is %.17g, not %.17g", low, high, most, i,
                     ticks.at[i], wanted[i]);
}

static void test_ticks(void **state)
{
    (void)state;
    expect(0, 1, 6, 0, 6, (const double[]){0, 0.2, 0.4, 0.6, 0.8, 1});
    expect(0, 1, 5, 0, 3, (const double[]){0, 0.5, 1});
    expect(0, 1, 11, 0, 11, (const double[]){0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1});
    expect(0, 100, 6, 0, 6, (const double[]){0, 20, 40, 60, 80, 100});
    expect(0.31, 0.62, 7, 0, 6, (const double[]){0.35, 0.4, 0.45, 0.5, 0.55, 0.6});
    expect(-3, 3, 6, 0, 3, (const double[]){-2, 0, 2});
    expect(-3, 3, 7, 0, 7, (const double[]){-3, -2, -1, 0, 1, 2, 3});
    expect(77.5, 88.9, 7, 0, 6, (const double[]){78, 80, 82, 84, 86, 88});
    expect(0, 5625, 6, 1, 6, (const double[]){0, 1000, 2000, 3000, 4000, 5000});
    expect(1e-7, 4e-7, 4, 0, 4, (const double[]){1e-7, 2e-7, 3e-7, 4e-7});
    expect(1e300, 9e300, 3, 0, 1, (const double[]){5e300});
}

/* Epochs and rows of pixels have no halves. */
static void test_whole(void **state)
{
    (void)state;
    expect(0, 2, 8, 1, 3, (const double[]){0, 1, 2});
    expect(0, 0.5, 8, 1, 1, (const double[]){0});
    expect(0, 27.5, 8, 1, 6, (const double[]){0, 5, 10, 15, 20, 25});
    expect(0, 2.5, 1, 1, 1, (const double[]){0});
}

static void test_no_ticks(void **state)
{
    wki_ticks ticks;
    (void)state;
    const double bad[][2] = {{NAN, 1}, {0, NAN}, {-INFINITY, 0}, {0, INFINITY}, {1, 0}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        wki_ticks_make(bad[i][0], bad[i][1], 6, 0, &ticks);
        assert_int_equal(ticks.count, 0);
    }
    /* One number alone. */
    wki_ticks_make(0.3, 0.3, 6, 0, &ticks);
    assert_true(ticks.count <= 6);
    wki_ticks_make(0, 0, 6, 0, &ticks);
    assert_int_equal(ticks.count, 1);
    assert_true(ticks.at[0] == 0);
}

/* Whatever the ends: as many as allowed at most, within the ends, evenly apart, and more than a few. */
static void test_random_ticks(void **state)
{
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    for (int i = 0; i < 20000; i++) {
        wki_ticks ticks;
        double low = (rand() / (double)RAND_MAX - 0.5) * pow(10, rand() % 40 - 20);
        double high = low + rand() / (double)RAND_MAX * pow(10, rand() % 40 - 20);
        int most = 2 + rand() % 20;
        wki_ticks_make(low, high, most, 0, &ticks);
        double span = high - low, slack = 1e-6 * span + 1e-9 * (fabs(low) + fabs(high));
        assert_true(ticks.count <= most);
        if (span > 1e-6 * fabs(low) && most >= 6)
            assert_true(ticks.count >= most / 3);
        for (int k = 0; k < ticks.count; k++) {
            assert_true(ticks.at[k] >= low - slack && ticks.at[k] <= high + slack);
            if (k > 0)
                assert_true(fabs(ticks.at[k] - ticks.at[k - 1] - ticks.step) <=
                            slack + 1e-9 * ticks.step);
        }
    }
}

static void expect_tick(double low, double high, int most, int index, const char *wanted)
{
    wki_ticks ticks;
    char text[WKI_TICK_TEXT];
    wki_ticks_make(low, high, most, 0, &ticks);
    assert_true(index < ticks.count);
    wki_tick_text(&ticks, ticks.at[index], text);
    assert_string_equal(text, wanted);
}

static void test_tick_texts(void **state)
{
    (void)state;
    expect_tick(0, 1, 6, 1, "0.2");
    expect_tick(0, 1, 6, 0, "0");
    expect_tick(0, 1, 6, 5, "1.0");
    expect_tick(0.31, 0.62, 7, 1, "0.40");
    expect_tick(-3, 3, 7, 0, "-3");
    expect_tick(0, 5625, 6, 2, "2,000");
    expect_tick(0, 5e6, 6, 5, "5e6");
    expect_tick(0, 5e6, 3, 0, "0");
    expect_tick(1e-7, 4e-7, 4, 2, "3e-7");
}

static void expect_fixed(double number, int decimals, const char *wanted)
{
    char text[WKI_TICK_TEXT];
    wki_fixed_text(number, decimals, text);
    assert_string_equal(text, wanted);
}

static void expect_percent(double number, int decimals, const char *wanted)
{
    char text[WKI_TICK_TEXT];
    wki_percent_text(number, decimals, text);
    assert_string_equal(text, wanted);
}

static void expect_short(double number, int digits, const char *wanted)
{
    char text[WKI_TICK_TEXT];
    wki_short_text(number, digits, text);
    assert_string_equal(text, wanted);
}

static void test_numbers(void **state)
{
    (void)state;
    expect_fixed(0, 0, "0");
    expect_fixed(999, 0, "999");
    expect_fixed(1000, 0, "1,000");
    expect_fixed(-1234567.891, 2, "-1,234,567.89");
    expect_fixed(999999999, 0, "999,999,999");
    expect_fixed(1e9, 0, "1e9");
    expect_fixed(-2.5e20, 1, "-2.5e20");
    expect_fixed(NAN, 2, "NaN");
    expect_fixed(INFINITY, 2, "inf");
    expect_fixed(-INFINITY, 2, "-inf");
    expect_percent(88.56829, 2, "88.57");
    expect_percent(100, 2, "100.00");
    expect_percent(99.9999, 2, "99.99");
    expect_percent(0, 1, "0.0");
    expect_percent(0.001, 1, "<0.1");
    expect_percent(0.06, 1, "0.1");
    expect_percent(NAN, 1, "NaN");
    expect_short(26.748773, 3, "26.7");
    expect_short(0.012, 3, "0.0120");
    expect_short(123, 3, "123");
    expect_short(1234.6, 3, "1,235");
    expect_short(9.999, 3, "10.0");
    expect_short(0, 3, "0");
    expect_short(NAN, 3, "NaN");
}

/* A comma for a point would break an SVG and look odd. */
static void test_locale(void **state)
{
    (void)state;
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL && setlocale(LC_NUMERIC, "tr_TR.UTF-8") == NULL &&
        setlocale(LC_NUMERIC, "fr_FR.UTF-8") == NULL)
        skip();
    expect_fixed(1234.5, 2, "1,234.50");
    expect_fixed(2.5e20, 1, "2.5e20");
    setlocale(LC_NUMERIC, "C");
}

static void expect_range(wki_range range, double low, double high)
{
    if (fabs(range.low - low) > 1e-12 || fabs(range.high - high) > 1e-12)
        fail_msg("%g to %g, not %g to %g", range.low, range.high, low, high);
}

static void test_ranges(void **state)
{
    (void)state;
    wki_range range = wki_range_empty;
    expect_range(wki_range_pad(range, 0.1), 0, 1);
    wki_range_add(&range, NAN);
    wki_range_add(&range, INFINITY);
    expect_range(wki_range_pad(range, 0.1), 0, 1);
    wki_range_add(&range, 10);
    expect_range(wki_range_pad(range, 0.1), 9.5, 10.5);
    wki_range_add(&range, 20);
    expect_range(range, 10, 20);
    expect_range(wki_range_pad(range, 0.1), 9, 21);
    expect_range(wki_range_pad((wki_range){0, 0}, 0.1), -0.5, 0.5);
    wki_range wide = wki_range_pad((wki_range){-1.7e308, 1.7e308}, 0.1);
    assert_true(isfinite(wide.low) && isfinite(wide.high));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticks),    cmocka_unit_test(test_whole),
        cmocka_unit_test(test_no_ticks), cmocka_unit_test(test_random_ticks),
        cmocka_unit_test(test_numbers),  cmocka_unit_test(test_tick_texts),
        cmocka_unit_test(test_locale),   cmocka_unit_test(test_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
