/* Whether work too small to be sure of is done faster by one thread or by several: tried out, again
 * and again, since it depends on the machine and on what else it does. The results are the same
 * either way. */
#ifndef WKI_TUNER_H
#define WKI_TUNER_H

#include <stdbool.h>

typedef struct wki_tuner {
    int run;           /* in this round of trial and use, */
    int round;         /* which is so long; 0: the first */
    double seconds[2]; /* the least of the trials with one thread and with several */
    bool several;      /* what the trials said */
} wki_tuner;

/* Whether the next run should use several threads. */
bool wki_tuner_several(const wki_tuner *tuner);
/* Whether that run is a trial, whose time counts. */
bool wki_tuner_tries(const wki_tuner *tuner);
/* Tells how long it took; of others than trials anything. */
void wki_tuner_took(wki_tuner *tuner, double seconds);

#endif
