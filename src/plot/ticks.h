/* Where an axis is marked, and how the marks are written. Nothing here draws. */
#ifndef WKI_TICKS_H
#define WKI_TICKS_H

#include <stddef.h>

enum { WKI_MOST_TICKS = 24, WKI_TICK_TEXT = 32 };

typedef struct wki_ticks {
    int count;
    double at[WKI_MOST_TICKS];
    double step;
    int decimals; /* as many as tell the ticks apart */
} wki_ticks;

/* The multiples of 1, 2 or 5 times a power of ten, `whole` numbers where asked for, that lie from low to
 * high: the densest such that are at most `most` (1 to WKI_MOST_TICKS). None if low or high is not
 * finite or high < low. */
void wki_ticks_make(double low, double high, int most, int whole, wki_ticks *out);
/* A tick as text: "0.25", "2,000", "2e-7". */
void wki_tick_text(const wki_ticks *ticks, double tick, char out[WKI_TICK_TEXT]);
/* A number with so many decimals, commas between thousands, and a point whatever the locale; very large
 * and very small ones with an exponent; "NaN", "inf", "-inf". */
void wki_fixed_text(double number, int decimals, char out[WKI_TICK_TEXT]);
/* The same of percent: 100 stands only for all, 0 only for none, "<0.1" for less than can be written. */
void wki_percent_text(double percent, int decimals, char out[WKI_TICK_TEXT]);
/* The same with at least so many digits that count: 3 gives "0.0123", "1.23", "123", "1,235". */
void wki_short_text(double number, int digits, char out[WKI_TICK_TEXT]);

/* The smallest and the largest of the finite numbers; low is above high before the first. */
typedef struct wki_range {
    double low, high;
} wki_range;

extern const wki_range wki_range_empty;
void wki_range_add(wki_range *range, double number);
/* Room of that share on both sides; of an empty range 0 to 1, and of one of a single number some around
 * it. */
wki_range wki_range_pad(wki_range range, double share);

#endif
