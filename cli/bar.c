#include "bar.h"

#include "terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wick/train.h>

enum { NARROWEST = 10, WIDEST = 40 };

void bar_init(cli_bar *bar)
{
    memset(bar, 0, sizeof(*bar));
    bar->on = terminal_is(STDERR_FILENO);
    bar->colour = !environment_has("NO_COLOR");
    bar->blocks = terminal_speaks_utf8();
}

void bar_start(cli_bar *bar, const char *label, const char *unit)
{
    bar->label = label;
    bar->unit = unit;
    bar->started = wick_timer();
    bar->drawn = 0;
    bar->from = 0;
}

/* "01:05", "1:01:05". */
static void format_seconds(double seconds, char out[32])
{
    int64_t whole = seconds < 0 || seconds > 1e9 ? 0 : (int64_t)seconds;
    int64_t hours = whole / 3600, minutes = whole / 60 % 60;
    if (hours > 0)
        snprintf(out, 32, "%" PRId64 ":%02d:%02d", hours, (int)minutes, (int)(whole % 60));
    else
        snprintf(out, 32, "%02d:%02d", (int)minutes, (int)(whole % 60));
}

static void draw_cells(const cli_bar *bar, double share, int cells)
{
    static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int filled = (int)(share * cells * 8);
    fputs(bar->colour ? "|\033[32m" : "|", stderr);
    for (int i = 0; i < cells; i++) {
        int part = filled - 8 * i;
        if (bar->blocks)
            fputs(part >= 8 ? "█" : eighths[part < 0 ? 0 : part], stderr);
        else
            fputc(part >= 8 ? '#' : ' ', stderr);
    }
    fputs(bar->colour ? "\033[0m|" : "|", stderr);
}

/* A count as it is or, of bytes, in thousands: "12.3M". */
static void format_count(const cli_bar *bar, double count, int decimals, char out[32])
{
    static const char *const thousands[] = {"", "k", "M", "G", "T"};
    size_t power = 0;
    if (strcmp(bar->unit, "B") != 0) {
        snprintf(out, 32, "%.*f", decimals, count);
        return;
    }
    while (count >= 1000 && power + 1 < sizeof(thousands) / sizeof(thousands[0])) {
        count /= 1000;
        power++;
    }
    snprintf(out, 32, "%.*f%s", power == 0 ? 0 : 1, count, thousands[power]);
}

/* What stands behind the cells, as much of it as there is room for: how much of how much, the time it
 * took and the time that is left, the rate. A total of 0 is not known. */
static void format_tail(const cli_bar *bar, int64_t done, int64_t total, int room, char out[192])
{
    char spent[32], left[32], count[32], whole[32], speed[32];
    double elapsed = wick_timer() - bar->started;
    double rate = elapsed > 0 ? (double)(done - bar->from) / elapsed : 0;
    format_seconds(elapsed, spent);
    format_seconds(rate > 0 ? (double)(total - done) / rate : 0, left);
    format_count(bar, (double)done, 0, count);
    format_count(bar, (double)total, 0, whole);
    format_count(bar, rate, 2, speed);
    int length = total > 0 ? snprintf(out, 192, " %s/%s [%s<%s, %s%s/s]", count, whole, spent, left,
                                      speed, bar->unit)
                           : snprintf(out, 192, " %s [%s, %s%s/s]", count, spent, speed, bar->unit);
    if (length > room && total > 0)
        length = snprintf(out, 192, " [%s<%s]", spent, left);
    if (length > room)
        out[0] = '\0';
}

void bar_update(cli_bar *bar, int64_t done, int64_t total)
{
    if (!bar->on)
        return;
    double now = wick_timer();
    if (bar->drawn != 0 && now - bar->drawn < 0.1 && done < total)
        return;
    double share = total > 0 && done <= total ? (double)done / (double)total : 0;
    char before[128], after[192];
    /* A line that fills the last column would wrap, and could not be wiped. */
    int room = terminal_columns(STDERR_FILENO) - 1;
    int used = total > 0 ? snprintf(before, sizeof(before), "%s: %3d%%", bar->label, (int)(share * 100))
                         : snprintf(before, sizeof(before), "%s:", bar->label);
    format_tail(bar, done, total, room - used, after);
    int cells = total > 0 ? room - used - (int)strlen(after) - 2 : 0;
    fprintf(stderr, "\r\033[K%.*s", room, before);
    if (cells >= NARROWEST)
        draw_cells(bar, share, cells > WIDEST ? WIDEST : cells);
    fputs(after, stderr);
    fflush(stderr);
    bar->drawn = now;
    bar->visible = true;
}

void bar_clear(cli_bar *bar)
{
    if (!bar->visible)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    bar->visible = false;
}
