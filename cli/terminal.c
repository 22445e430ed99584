#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { FALLBACK_COLUMNS = 80 };

bool environment_has(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

bool terminal_speaks_utf8(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *locale = getenv(variables[i]);
        if (locale != NULL && locale[0] != '\0')
            return strstr(locale, "UTF-8") != NULL || strstr(locale, "utf8") != NULL;
    }
    return false;
}

bool terminal_is(int fd)
{
    const char *terminal = getenv("TERM");
    return isatty(fd) && (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

int terminal_columns(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return FALLBACK_COLUMNS;
    return size.ws_col;
}

terminal_colours terminal_colours_of(void)
{
    const char *terminal = getenv("TERM"), *colours = getenv("COLORTERM");
    if (environment_has("NO_COLOR") || terminal == NULL)
        return TERMINAL_NO_COLOURS;
    if (colours != NULL && (strcmp(colours, "truecolor") == 0 || strcmp(colours, "24bit") == 0))
        return TERMINAL_TRUE_COLOURS;
    return strstr(terminal, "256color") != NULL ? TERMINAL_256_COLOURS : TERMINAL_NO_COLOURS;
}

void terminal_bar(double share, int cells, char *out)
{
    static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
    int filled = share >= 0 ? (int)(share * cells * 8 + 0.5) : 0;
    *out = '\0';
    for (int i = 0; i < cells; i++) {
        int part = filled - 8 * i;
        out = stpcpy(out, eighths[part < 0 ? 0 : part > 8 ? 8 : part]);
    }
}
