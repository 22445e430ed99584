/* A fixture of lines of text, read one by one, and a context. Included behind cmocka.h and wick.h. */
#ifndef TEXT_FIXTURE_H
#define TEXT_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 1024 };

typedef struct fixture {
    FILE *file;
    const char *name;
    int line_number;
    char line[LINE];
} fixture;

/* tests/oracle/FOLDER/NAME. */
static inline void open_fixture(fixture *f, const char *folder, const char *name)
{
    char path[LINE];
    const char *source = getenv("WICK_TEST_SOURCE");
    snprintf(path, sizeof(path), "%s/oracle/%s/%s", source == NULL ? "." : source, folder, name);
    *f = (fixture){.file = fopen(path, "r"), .name = name};
    if (f->file == NULL)
        fail_msg("%s cannot be opened", path);
}

/* The next line without its newline; false at the end. */
static inline bool next_line(fixture *f)
{
    if (fgets(f->line, sizeof(f->line), f->file) == NULL)
        return false;
    f->line_number++;
    f->line[strcspn(f->line, "\n")] = '\0';
    return true;
}

static inline void must(fixture *f, wick_context *context, wick_status status)
{
    if (status != WICK_OK)
        fail_msg("%s:%d: %s: %s", f->name, f->line_number, f->line, wick_context_message(context));
}

static inline int make_context(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static inline int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

#endif
