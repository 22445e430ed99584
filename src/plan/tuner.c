#include "plan/tuner.h"

#include "base/base.h"

#include <math.h>

/* A round is: TRIAL runs with one thread, TRIAL with several, then the faster for the rest. The
 * first of each trial does not count: the caches, and the threads that may be asleep, have to get
 * ready. The least time of each counts, lest one interruption decides. Rounds double in length:
 * at first the other cores may still be busy with what ran before. They stay short, as a core that is
 * taken away for the time of a trial, some 50 us, would else decide over a whole training. */
enum { TRIAL = 6, FIRST_ROUND = 64, LAST_ROUND = 512 };

bool wki_tuner_several(const wki_tuner *tuner)
{
    if (tuner->run < TRIAL)
        return false;
    return tuner->run < 2 * TRIAL || tuner->several;
}

bool wki_tuner_tries(const wki_tuner *tuner)
{
    return tuner->run < 2 * TRIAL;
}

void wki_tuner_took(wki_tuner *tuner, double seconds)
{
    int run = tuner->run++;
    if (run == 0)
        tuner->seconds[0] = tuner->seconds[1] = HUGE_VAL;
    if (run < 2 * TRIAL && run % TRIAL != 0)
        tuner->seconds[run / TRIAL] = fmin(tuner->seconds[run / TRIAL], seconds);
    if (run == 2 * TRIAL - 1)
        tuner->several = tuner->seconds[1] < tuner->seconds[0];
    if (tuner->run < WKI_MAX(tuner->round, FIRST_ROUND))
        return;
    tuner->round = WKI_MIN(2 * tuner->run, LAST_ROUND);
    tuner->run = 0;
}
