#include "app.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

/* A signal handler gets no argument: these two are the program's only variables that change. */
static _Atomic(wick_context *) watched;
static volatile sig_atomic_t seen;

static void on_signal(int number)
{
    seen = number;
    wick_context *context = atomic_load(&watched);
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
    action.sa_flags = (int)SA_RESETHAND | SA_RESTART;
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
