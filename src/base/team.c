/* A team of threads that runs one piece of work at a time.
 *
 * A training step of a small model takes tens of microseconds, less than it takes to wake a
 * sleeping thread, so a waiting thread spins for a while before it sleeps. Threads wait on counters
 * that only go up: no thread can miss a change, and a barrier needs no resetting.
 */
#include "base/base.h"

#include <pthread.h>
#include <stdlib.h>

/* About 50 us of spinning: longer than the gaps within a step and between steps, shorter than
 * anyone pays for. With more threads than cores spinning only keeps others from the work, so those
 * sleep at once. */
enum { SPINS = 20000 };

/* Each counter has a cache line of its own: whoever writes beside one takes the line from those who wait on it. */
#define OWN_LINE _Alignas(64)

struct wki_team {
    int wanted, threads;
    int spins;
    pthread_t *handles;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    OWN_LINE atomic_int sleepers;
    /* What a run is, written before it begins. */
    OWN_LINE wki_team_work *work;
    void *argument;
    int active; /* threads in this run */
    bool stop;
    unsigned before;              /* `arrived` when this run began */
    OWN_LINE atomic_uint started; /* runs begun */
    OWN_LINE atomic_uint arrived; /* threads that have come to a barrier, ever */
    OWN_LINE atomic_uint done;    /* workers that have finished this run */
};

typedef struct worker {
    wki_team *team;
    int index;
} worker;

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

/* Whether the counter has reached target; both wrap around. */
static bool reached(atomic_uint *counter, unsigned target)
{
    return (int)(atomic_load_explicit(counter, memory_order_acquire) - target) >= 0;
}

static void wait_until(wki_team *team, atomic_uint *counter, unsigned target)
{
    for (int i = 0; i < team->spins; i++) {
        if (reached(counter, target))
            return;
        relax();
    }
    pthread_mutex_lock(&team->lock);
    atomic_fetch_add(&team->sleepers, 1);
    while ((int)(atomic_load(counter) - target) < 0)
        pthread_cond_wait(&team->changed, &team->lock);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->lock);
}

/* To be called after a counter went up. Both sides use sequentially consistent operations on the
 * counter and on sleepers, so either the waiter sees the new count or this sees the sleeper. */
static void wake_sleepers(wki_team *team)
{
    if (atomic_load(&team->sleepers) == 0)
        return;
    pthread_mutex_lock(&team->lock);
    pthread_cond_broadcast(&team->changed);
    pthread_mutex_unlock(&team->lock);
}

static void advance(wki_team *team, atomic_uint *counter)
{
    atomic_fetch_add(counter, 1);
    wake_sleepers(team);
}

static void *worker_main(void *argument)
{
    worker self = *(worker *)argument;
    wki_team *team = self.team;
    free(argument);
    for (unsigned run = 1;; run++) {
        wait_until(team, &team->started, run);
        if (team->stop)
            return NULL;
        if (self.index < team->active)
            team->work(team->argument, self.index, team->active);
        advance(team, &team->done);
    }
}

static bool start_worker(wki_team *team, int index)
{
    worker *self = malloc(sizeof(*self));
    if (self == NULL)
        return false;
    *self = (worker){team, index};
    if (pthread_create(&team->handles[index], NULL, worker_main, self) == 0)
        return true;
    free(self);
    return false;
}

wick_status wki_team_new(wick_context *context, int threads, wki_team **out)
{
    void *memory, *handles;
    WKI_TRY(wki_alloc(context, 1, sizeof(wki_team), "a team of threads", &memory));
    wick_status status =
        wki_alloc(context, (size_t)threads, sizeof(pthread_t), "a team of threads", &handles);
    if (status != WICK_OK) {
        free(memory);
        return status;
    }
    wki_team *team = memory;
    team->handles = handles;
    team->wanted = threads;
    team->spins = threads <= wki_usable_cores() ? SPINS : 0;
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->changed, NULL);
    team->threads = 1;
    while (team->threads < threads && start_worker(team, team->threads))
        team->threads++;
    *out = team;
    return WICK_OK;
}

void wki_team_free(wki_team *team)
{
    if (team == NULL)
        return;
    team->stop = true;
    advance(team, &team->started);
    for (int i = 1; i < team->threads; i++)
        pthread_join(team->handles[i], NULL);
    pthread_mutex_destroy(&team->lock);
    pthread_cond_destroy(&team->changed);
    free(team->handles);
    free(team);
}

int wki_team_threads(const wki_team *team)
{
    return team->threads;
}

int wki_team_wanted(const wki_team *team)
{
    return team->wanted;
}

void wki_team_run(wki_team *team, int threads, wki_team_work *work, void *argument)
{
    team->active = WKI_MAX(1, WKI_MIN(threads, team->threads));
    if (team->active == 1) {
        work(argument, 0, 1);
        return;
    }
    team->work = work;
    team->argument = argument;
    team->before = atomic_load(&team->arrived);
    unsigned all_done = atomic_load(&team->done) + (unsigned)team->threads - 1;
    advance(team, &team->started);
    work(argument, 0, team->active);
    wait_until(team, &team->done, all_done);
}

void wki_team_barrier(wki_team *team)
{
    unsigned active = (unsigned)team->active;
    if (active == 1)
        return;
    /* Every barrier of this run has `active` arrivals; mine says which barrier this is. */
    unsigned mine = atomic_fetch_add(&team->arrived, 1) - team->before;
    unsigned complete = team->before + (mine / active + 1) * active;
    if (mine % active == active - 1)
        wake_sleepers(team);
    wait_until(team, &team->arrived, complete);
}
