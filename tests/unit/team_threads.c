/* src/base/team.c: every thread runs, barriers hold, runs follow each other, with more threads than
 * cores too. The thread sanitizer's build of this must find nothing. */
#include "base/base.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { MOST_THREADS = 8, BARRIERS = 5 };

/* Plain memory, so that a run or a barrier that does not order the threads is a race. */
typedef struct job {
    wki_team *team;
    int runs[WKI_MAX_THREADS];
    int threads_seen[WKI_MAX_THREADS];
    int values[BARRIERS + 1][WKI_MAX_THREADS];
    int errors[WKI_MAX_THREADS];
} job;

static void count_runs(void *argument, int thread, int threads)
{
    job *j = argument;
    j->runs[thread]++;
    j->threads_seen[thread] = threads;
}

/* Each round reads what all threads wrote in the one before. */
static void add_neighbours(void *argument, int thread, int threads)
{
    job *j = argument;
    j->values[0][thread]++;
    for (int round = 1; round <= BARRIERS; round++) {
        wki_team_barrier(j->team);
        int sum = 0;
        for (int t = 0; t < threads; t++)
            sum += j->values[round - 1][t];
        j->values[round][thread] = sum;
        if (sum % threads != 0)
            j->errors[thread]++;
    }
    wki_team_barrier(j->team);
}

static job *new_job(int threads, wick_context *context)
{
    job *j = calloc(1, sizeof(*j));
    assert_non_null(j);
    assert_int_equal(wki_team_new(context, threads, &j->team), WICK_OK);
    assert_int_equal(wki_team_threads(j->team), threads);
    assert_int_equal(wki_team_wanted(j->team), threads);
    return j;
}

static void free_job(job *j)
{
    wki_team_free(j->team);
    free(j);
}

/* Enough to meet every way of spinning and sleeping, few enough where threads outnumber the cores. */
static int runs_for(int threads)
{
    return threads <= wki_usable_cores() ? 5000 : 400;
}

static void test_every_thread_runs_once_a_run(void **state)
{
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        job *j = new_job(threads, *state);
        int runs = runs_for(threads);
        for (int i = 0; i < runs; i++)
            wki_team_run(j->team, threads, count_runs, j);
        for (int t = 0; t < WKI_MAX_THREADS; t++) {
            assert_int_equal(j->runs[t], t < threads ? runs : 0);
            assert_int_equal(j->threads_seen[t], t < threads ? threads : 0);
        }
        free_job(j);
    }
}

static void test_barriers_hold(void **state)
{
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        job *j = new_job(threads, *state);
        int runs = runs_for(threads) / 4;
        for (int i = 1; i <= runs; i++) {
            wki_team_run(j->team, threads, add_neighbours, j);
            int expected = i;
            for (int round = 1; round <= BARRIERS; round++) {
                expected *= threads;
                for (int t = 0; t < threads; t++)
                    assert_int_equal(j->values[round][t], expected);
            }
        }
        for (int t = 0; t < threads; t++)
            assert_int_equal(j->errors[t], 0);
        free_job(j);
    }
}

static void test_part_of_a_team(void **state)
{
    job *j = new_job(MOST_THREADS, *state);
    int expected[MOST_THREADS] = {0};
    for (int i = 0; i < 300; i++) {
        int threads = 1 + i * 5 % MOST_THREADS;
        memset(j->values, 0, sizeof(j->values));
        wki_team_run(j->team, threads, count_runs, j);
        wki_team_run(j->team, threads, add_neighbours, j);
        for (int t = 0; t < threads; t++)
            expected[t]++;
        for (int t = 0; t < MOST_THREADS; t++) {
            assert_int_equal(j->runs[t], expected[t]);
            assert_int_equal(j->values[1][t], t < threads ? threads : 0);
        }
    }
    /* More than there are: all of them. Fewer than one: the caller. */
    wki_team_run(j->team, MOST_THREADS + 3, count_runs, j);
    assert_int_equal(j->threads_seen[MOST_THREADS - 1], MOST_THREADS);
    wki_team_run(j->team, 0, count_runs, j);
    assert_int_equal(j->threads_seen[0], 1);
    free_job(j);
}

static void test_teams_come_and_go(void **state)
{
    for (int i = 0; i < 100; i++) {
        job *j = new_job(1 + i % MOST_THREADS, *state);
        if (i % 3 != 0)
            wki_team_run(j->team, MOST_THREADS, count_runs, j);
        free_job(j);
    }
    wki_team_free(NULL);
}

static void test_many_more_threads_than_cores(void **state)
{
    int threads = 8 * WKI_MIN(wki_usable_cores(), 8);
    job *j = new_job(threads, *state);
    for (int i = 0; i < 20; i++)
        wki_team_run(j->team, threads, count_runs, j);
    wki_team_run(j->team, 3, add_neighbours, j);
    for (int t = 0; t < threads; t++)
        assert_int_equal(j->runs[t], 20);
    assert_int_equal(j->values[BARRIERS][2], 3 * 3 * 3 * 3 * 3);
    free_job(j);
}

/* A sleep longer than the spinning between two runs: the threads must be woken. */
static void test_sleepers_wake(void **state)
{
    int threads = WKI_MAX(2, WKI_MIN(wki_usable_cores(), 4));
    job *j = new_job(threads, *state);
    for (int i = 0; i < 20; i++) {
        struct timespec while_they_spin = {0, 3000000};
        nanosleep(&while_they_spin, NULL);
        wki_team_run(j->team, threads, count_runs, j);
    }
    for (int t = 0; t < threads; t++)
        assert_int_equal(j->runs[t], 20);
    free_job(j);
}

static void test_context_team_follows_its_threads(void **state)
{
    wick_context *context = *state;
    wki_team *team, *again;
    assert_int_equal(wick_context_set_threads(context, 3), WICK_OK);
    assert_int_equal(wki_context_team(context, &team), WICK_OK);
    assert_int_equal(wki_team_threads(team), 3);
    assert_int_equal(wki_context_team(context, &again), WICK_OK);
    assert_ptr_equal(again, team);
    assert_int_equal(wick_context_set_threads(context, 2), WICK_OK);
    assert_int_equal(wki_context_team(context, &again), WICK_OK);
    assert_int_equal(wki_team_threads(again), 2);
}

static int make_context(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

int main(void)
{
#define WITH_CONTEXT(test) cmocka_unit_test_setup_teardown(test, make_context, free_context)
    const struct CMUnitTest tests[] = {
        WITH_CONTEXT(test_every_thread_runs_once_a_run),
        WITH_CONTEXT(test_barriers_hold),
        WITH_CONTEXT(test_part_of_a_team),
        WITH_CONTEXT(test_teams_come_and_go),
        WITH_CONTEXT(test_many_more_threads_than_cores),
        WITH_CONTEXT(test_sleepers_wake),
        WITH_CONTEXT(test_context_team_follows_its_threads),
    };
    return cmocka_run_group_tests_name("team", tests, NULL, NULL);
}
