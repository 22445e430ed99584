/* The comparison table against pandas' own; pandas_table/make.py says how the cases are written. */
#include "base/base.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <wick/run.h>

#include <cmocka.h>

enum { MOST_ROWS = 128 };

typedef struct table_case {
    wick_results rows[MOST_ROWS];
    char names[MOST_ROWS][32];
    int64_t count;
    wki_text wanted;
} table_case;

static void read_row(table_case *table, const char *line)
{
    char loss[40], acc[40], time[40];
    assert_true(table->count < MOST_ROWS);
    wick_results *row = &table->rows[table->count];
    *row = (wick_results){.model_name = table->names[table->count]};
    assert_int_equal(sscanf(line, "- %31s %39s %39s %39s", table->names[table->count], loss, acc, time),
                     4);
    row->model_loss = strtod(loss, NULL);
    row->model_acc = strtod(acc, NULL);
    row->train_time = strtod(time, NULL);
    table->count++;
}

static void check_case(wick_context *context, table_case *table)
{
    const wick_results *rows[MOST_ROWS];
    char *got, *wanted;
    for (int64_t i = 0; i < table->count; i++)
        rows[i] = &table->rows[i];
    assert_int_equal(wick_compare_format(context, table->count, rows, &got), WICK_OK);
    assert_int_equal(wki_text_finish(&table->wanted, &wanted), WICK_OK);
    if (strcmp(got, wanted) != 0)
        fail_msg("pandas writes\n%swick writes\n%s", wanted, got);
    wick_free(got);
    wick_free(wanted);
    table->count = 0;
}

static void tables_are_those_of_pandas(void **state)
{
    wick_context *context = *state;
    char path[4096];
    uint8_t *bytes;
    size_t length;
    const char *root = getenv("WICK_TEST_SOURCE");
    assert_non_null(root);
    snprintf(path, sizeof(path), "%s/oracle/pandas_table/pandas_table.txt", root);
    if (wki_file_read(context, path, 1 << 20, &bytes, &length) != WICK_OK)
        fail_msg("%s", wick_context_message(context));
    table_case *table = calloc(1, sizeof(*table));
    assert_non_null(table);
    wki_text_init(&table->wanted, context);
    int cases = 0;
    for (char *line = strtok((char *)bytes, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (line[0] == '-') {
            read_row(table, line);
        } else if (line[0] == '|') {
            wki_text_printf(&table->wanted, "%s\n", line + 2);
        } else if (line[0] == '.') {
            check_case(context, table);
            cases++;
        }
    }
    assert_true(cases >= 13);
    free(table);
    free(bytes);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_those_of_pandas),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
