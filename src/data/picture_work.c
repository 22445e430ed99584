#include "data/picture_work.h"

#include <stdlib.h>
#include <string.h>

#define PROGRESS_SECONDS 0.05

typedef struct work_run {
    wick_context *context;
    const wki_picture_work *work;
    wick_context **own; /* one a thread */
    size_t *failed_at;  /* where each thread failed; SIZE_MAX: nowhere */
    wick_status *statuses;
    atomic_size_t next, done;
    atomic_bool stop;
} work_run;

/* A thread goes on to the end of what it took, so that all numbers below the first failure are done. */
static void run_thread(void *argument, int thread, int threads)
{
    work_run *r = argument;
    const wki_picture_work *work = r->work;
    double last = wki_seconds();
    (void)threads;
    while (!atomic_load(&r->stop)) {
        size_t at = atomic_fetch_add(&r->next, 1);
        if (at >= work->end)
            return;
        r->statuses[thread] = work->one(work->user, r->own[thread], at);
        size_t done = atomic_fetch_add(&r->done, 1) + 1;
        if (r->statuses[thread] != WICK_OK) {
            r->failed_at[thread] = at;
            atomic_store(&r->stop, true);
            return;
        }
        if (wick_context_interrupted(r->context))
            atomic_store(&r->stop, true);
        if (thread == 0 && work->progress != NULL && wki_seconds() - last > PROGRESS_SECONDS) {
            last = wki_seconds();
            work->progress(work->progress_user, work->done_before + (int64_t)done, work->total);
        }
    }
}

static wick_status result_of(const work_run *r, int threads)
{
    int first = -1;
    for (int i = 0; i < threads; i++)
        if (r->failed_at[i] != SIZE_MAX && (first < 0 || r->failed_at[i] < r->failed_at[first]))
            first = i;
    if (first >= 0)
        return wki_fail(r->context, r->statuses[first], "%s", wick_context_message(r->own[first]));
    if (wick_context_interrupted(r->context))
        return wki_fail(r->context, WICK_EINTR, "interrupted while pictures were read");
    return WICK_OK;
}

static wick_status make_room(work_run *r, int threads)
{
    void *own, *failed_at, *statuses;
    WKI_TRY(wki_alloc(r->context, (size_t)threads, sizeof(wick_context *), "the threads", &own));
    r->own = own;
    WKI_TRY(wki_alloc(r->context, (size_t)threads, sizeof(size_t), "the threads", &failed_at));
    r->failed_at = failed_at;
    WKI_TRY(wki_alloc(r->context, (size_t)threads, sizeof(wick_status), "the threads", &statuses));
    r->statuses = statuses;
    for (int i = 0; i < threads; i++) {
        r->failed_at[i] = SIZE_MAX;
        if (wick_context_new(&r->own[i]) != WICK_OK)
            return wki_fail(r->context, WICK_ENOMEM, "out of memory for a thread");
    }
    return WICK_OK;
}

wick_status wki_picture_work_run(wick_context *context, const wki_picture_work *work)
{
    work_run r = {.context = context, .work = work, .next = work->begin};
    wki_team *team;
    wick_status status;
    if (work->begin == work->end)
        return WICK_OK;
    WKI_TRY(wki_context_team(context, &team));
    int threads = (int)WKI_MIN((size_t)wki_team_threads(team), work->end - work->begin);
    WKI_GOTO_OUT(make_room(&r, threads));
    wki_team_run(team, threads, run_thread, &r);
    if (work->progress != NULL)
        work->progress(work->progress_user, work->done_before + (int64_t)atomic_load(&r.done),
                       work->total);
    status = result_of(&r, threads);
out:
    for (int i = 0; r.own != NULL && i < threads; i++)
        wick_context_free(r.own[i]);
    free(r.own);
    free(r.failed_at);
    free(r.statuses);
    return status;
}
