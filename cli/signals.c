#include "app.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { AGAIN_MS = 500 };

/* A signal handler gets no argument: these three are the program's only variables that change. */
static _Atomic(wick_context *) watched;
static volatile sig_atomic_t seen;
static _Atomic int64_t seen_at; /* in milliseconds */

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One that comes at once after the first is the same: timeout(1) sends its signal twice, and what is
 * being saved must not be lost to that. A later one kills, when this handler returns. */
static void on_signal(int number)
{
    int64_t now = milliseconds();
    wick_context *context = atomic_load(&watched);
    if (seen != 0 && now - atomic_load(&seen_at) >= AGAIN_MS) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    if (seen == 0)
        atomic_store(&seen_at, now);
    seen = number;
    if (context != NULL)
        wick_context_interrupt(context);
}

/* A signal that was ignored from the start (nohup, a job in a script's background) stays ignored. */
static void handle(int number, const struct sigaction *action)
{
    struct sigaction before;
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(number, action, NULL);
}

void signals_watch(wick_context *context)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    atomic_store(&watched, context);
    if (context == NULL)
        return;
    handle(SIGINT, &action);
    handle(SIGTERM, &action);
}

int signals_seen(void)
{
    return seen;
}
