#include "bar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wick/train.h>

enum { NARROWEST = 10, WIDEST = 40, FALLBACK_COLUMNS = 80 };

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

/* The locale's encoding as the C library looks for it, without setting the locale. */
static bool speaks_utf8(void)
{
    const char *locale = is_set("LC_ALL")     ? getenv("LC_ALL")
                         : is_set("LC_CTYPE") ? getenv("LC_CTYPE")
                         : is_set("LANG")     ? getenv("LANG")
                                              : "";
    return strstr(locale, "UTF-8") != NULL || strstr(locale, "utf8") != NULL;
}

void bar_init(cli_bar *bar)
{
    const char *terminal = getenv("TERM");
    bool dumb = terminal != NULL && strcmp(terminal, "dumb") == 0;
    memset(bar, 0, sizeof(*bar));
    bar->on = isatty(STDERR_FILENO) && !dumb;
    bar->colour = !is_set("NO_COLOR");
    bar->blocks = speaks_utf8();
}

void bar_start(cli_bar *bar, const char *label, const char *unit)
{
    bar->label = label;
    bar->unit = unit;
    bar->started = wick_timer();
    bar->drawn = 0;
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

static int terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return FALLBACK_COLUMNS;
    return size.ws_col;
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

void bar_update(cli_bar *bar, int64_t done, int64_t total)
{
    double now = wick_timer();
    if (!bar->on || (bar->drawn != 0 && now - bar->drawn < 0.1 && done < total))
        return;
    double elapsed = now - bar->started;
    double rate = elapsed > 0 ? (double)done / elapsed : 0;
    double share = total > 0 && done <= total ? (double)done / (double)total : 0;
    char before[128], after[192], spent[32], left[32];
    format_seconds(elapsed, spent);
    format_seconds(rate > 0 ? (double)(total - done) / rate : 0, left);
    int used = snprintf(before, sizeof(before), "%s: %3d%%", bar->label, (int)(share * 100));
    used += snprintf(after, sizeof(after), " %" PRId64 "/%" PRId64 " [%s<%s, %.2f%s/s]", done, total,
                     spent, left, rate, bar->unit);
    int cells = terminal_columns() - used - 3;
    fprintf(stderr, "\r\033[K%s", before);
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
