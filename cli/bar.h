/* A progress bar as tqdm draws it, on stderr, where that is a terminal. */
#ifndef CLI_BAR_H
#define CLI_BAR_H

#include <stdbool.h>
#include <stdint.h>

typedef struct cli_bar {
    bool on, colour, blocks; /* blocks: the terminal shows UTF-8 */
    bool visible;
    const char *label; /* borrowed */
    const char *unit;  /* "it", "B" */
    double started, drawn;
    int64_t from; /* how many were done when it started: 0, unless set after bar_start() */
} cli_bar;

/* Looks at stderr and the environment: off if it is no terminal or a dumb one; without colours where
 * NO_COLOR is set (https://no-color.org). */
void bar_init(cli_bar *bar);
/* Starts counting anew. */
void bar_start(cli_bar *bar, const char *label, const char *unit);
/* Draws done of total (0: not known), at most some ten times a second. */
void bar_update(cli_bar *bar, int64_t done, int64_t total);
/* Wipes the bar off before something else is written. */
void bar_clear(cli_bar *bar);

#endif
