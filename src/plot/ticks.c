#include "plot/ticks.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const double mantissas[3] = {1, 2, 5};

/* mantissa * 10^exponent * times, rounded once where that can be. */
static double decimal(double mantissa, int exponent, double times)
{
    return exponent < 0 ? mantissa * times / pow(10, -exponent) : mantissa * times * pow(10, exponent);
}

static double first_multiple(double low, double step)
{
    return ceil(low / step - 1e-9);
}

static double last_multiple(double high, double step)
{
    return floor(high / step + 1e-9);
}

static void fill(double low, double high, double mantissa, int exponent, wki_ticks *out)
{
    out->step = decimal(mantissa, exponent, 1);
    out->decimals = exponent < 0 ? -exponent : 0;
    double last = last_multiple(high, out->step);
    for (double k = first_multiple(low, out->step); k <= last && out->count < WKI_MOST_TICKS; k++)
        out->at[out->count++] = decimal(mantissa, exponent, k) + 0.0; /* no -0 */
}

void wki_ticks_make(double low, double high, int most, int whole, wki_ticks *out)
{
    *out = (wki_ticks){.step = 1};
    if (!isfinite(low) || !isfinite(high) || high < low)
        return;
    double span = fmin(fmax(high - low, fmax(fabs(low), fabs(high)) * 1e-12), DBL_MAX);
    int exponent = span > 0 ? (int)floor(log10(span / most)) - 1 : 0;
    if (whole && exponent < 0)
        exponent = 0;
    for (;; exponent++)
        for (int m = 0; m < 3; m++) {
            double step = decimal(mantissas[m], exponent, 1);
            if (last_multiple(high, step) - first_multiple(low, step) + 1 > most)
                continue;
            fill(low, high, mantissas[m], exponent, out);
            return;
        }
}

/* ---- text ---- */

/* Puts a point in the place of the locale's separator, which may be of several bytes. */
static void put_point(char *printed)
{
    char *separator = printed + strspn(printed, "-0123456789");
    size_t length = strcspn(separator, "0123456789e");
    if (length == 0)
        return;
    separator[0] = '.';
    memmove(separator + 1, separator + length, strlen(separator + length) + 1);
}

/* Commas in front of every third digit before the point. */
static void group(const char *printed, char out[WKI_TICK_TEXT])
{
    size_t sign = printed[0] == '-', digits = strspn(printed + sign, "0123456789"), used = 0;
    for (size_t i = 0; printed[i] != '\0' && used + 2 < WKI_TICK_TEXT; i++) {
        if (i > sign && i < sign + digits && (sign + digits - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = printed[i];
    }
    out[used] = '\0';
}

/* "-2.5e-7" */
static void exponent_text(double number, int digits, char out[WKI_TICK_TEXT])
{
    char printed[64];
    int exponent = 0;
    snprintf(printed, sizeof(printed), "%.*e", digits, number);
    put_point(printed);
    size_t mantissa = strcspn(printed, "e"), kept = mantissa;
    sscanf(printed + mantissa, "e%d", &exponent);
    if (strchr(printed, '.') != NULL) {
        while (printed[kept - 1] == '0')
            kept--;
        kept -= printed[kept - 1] == '.';
    }
    snprintf(out, WKI_TICK_TEXT, "%.*se%d", (int)kept, printed, exponent);
}

void wki_fixed_text(double number, int decimals, char out[WKI_TICK_TEXT])
{
    char printed[64];
    if (!isfinite(number)) {
        snprintf(out, WKI_TICK_TEXT, "%s", isnan(number) ? "NaN" : number < 0 ? "-inf" : "inf");
    } else if (fabs(number) >= 1e9 || decimals > 6) {
        exponent_text(number, 3, out);
    } else {
        snprintf(printed, sizeof(printed), "%.*f", decimals, number);
        put_point(printed);
        group(printed, out);
    }
}

void wki_percent_text(double percent, int decimals, char out[WKI_TICK_TEXT])
{
    double unit = pow(10, -decimals);
    char number[WKI_TICK_TEXT];
    bool tiny = percent > 0 && percent < unit / 2;
    if (percent < 100 && percent > 100 - unit)
        percent = 100 - unit;
    wki_fixed_text(tiny ? unit : percent, decimals, number);
    snprintf(out, WKI_TICK_TEXT, "%s%.30s", tiny ? "<" : "", number);
}

void wki_short_text(double number, int digits, char out[WKI_TICK_TEXT])
{
    if (number == 0 || !isfinite(number)) {
        wki_fixed_text(number, 0, out);
        return;
    }
    /* The digits before the point, after rounding. */
    char printed[64];
    snprintf(printed, sizeof(printed), "%.*e", digits - 1, fabs(number));
    int before = 1;
    sscanf(strchr(printed, 'e') + 1, "%d", &before);
    wki_fixed_text(number, before + 1 >= digits ? 0 : digits - 1 - before, out);
}

void wki_tick_text(const wki_ticks *ticks, double tick, char out[WKI_TICK_TEXT])
{
    if (ticks->decimals > 5 || (fabs(tick) >= 1e6 && ticks->step >= 1e5))
        exponent_text(tick, 6, out);
    else
        wki_fixed_text(tick, ticks->decimals, out);
    if (tick == 0)
        strcpy(out, "0");
}

/* ---- ranges ---- */

const wki_range wki_range_empty = {INFINITY, -INFINITY};

void wki_range_add(wki_range *range, double number)
{
    if (!isfinite(number))
        return;
    range->low = fmin(range->low, number);
    range->high = fmax(range->high, number);
}

wki_range wki_range_pad(wki_range range, double share)
{
    if (range.low > range.high)
        return (wki_range){0, 1};
    /* Halves, as the whole may be larger than a double. */
    double half = range.high / 2 - range.low / 2, room = fmin(half, DBL_MAX / 4) * 2 * share;
    if (half == 0)
        room = range.high == 0 ? 0.5 : fabs(range.high) * 0.05;
    return (wki_range){fmax(range.low - room, -DBL_MAX), fmin(range.high + room, DBL_MAX)};
}
