/* What the terminal can show, if there is one. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/* The variable is set, and not to "". */
bool environment_has(const char *name);
/* The locale's encoding as the C library looks for it, without setting the locale. */
bool terminal_speaks_utf8(void);
/* fd is a terminal, and not a dumb one. */
bool terminal_is(int fd);
/* How wide it is; 80 if it does not say. */
int terminal_columns(int fd);

typedef enum terminal_colours {
    TERMINAL_NO_COLOURS, /* NO_COLOR is set (https://no-color.org), or it has too few */
    TERMINAL_256_COLOURS,
    TERMINAL_TRUE_COLOURS
} terminal_colours;

terminal_colours terminal_colours_of(void);

/* A share of `cells` cells, 0 to 1, as a bar of eighths of blocks, blanks behind it: 3 bytes a cell and
 * the NUL. */
enum { BAR_BYTES = 3 };
void terminal_bar(double share, int cells, char *out);

#endif
