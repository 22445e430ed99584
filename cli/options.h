/* A command's flags as one table: parsing them, and their part of the help. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum option_kind {
    OPTION_BOOL,   /* bool; takes no value */
    OPTION_INT,    /* int64_t from min to max */
    OPTION_SEED,   /* uint64_t */
    OPTION_NUMBER, /* double, finite and above 0 */
    OPTION_REAL,   /* double, finite, 0 or above; 0 is no default to tell of */
    OPTION_TEXT,   /* const char *, not empty */
    OPTION_CHOICE, /* const char *, one of those in `value`: "rand|randn" */
    OPTION_LIST,   /* text_list; may be given again */
    OPTION_SIZES,  /* sizes, each from min to max */
} option_kind;

enum { LIST_CAPACITY = 16, SIZES_CAPACITY = 8 };

/* Ended by NULL. */
typedef struct cli_list {
    const char *at[LIST_CAPACITY + 1];
    int count;
} cli_list;

typedef struct cli_sizes {
    int64_t at[SIZES_CAPACITY];
    int count;
} cli_sizes;

/* What is no flag. */
typedef struct cli_operands {
    char *const *at;
    int count;
    uint64_t given; /* which flags were: bit i for options[i] */
} cli_operands;

typedef struct cli_option {
    const char *name;  /* without the dashes; NULL ends the table */
    const char *value; /* what the help calls it: "N" */
    option_kind kind;
    size_t offset; /* where in the command's args the value is; the default is what is there before */
    int64_t min, max;
    const char *help;
} cli_option;

typedef enum parse_result { PARSE_OK, PARSE_HELP, PARSE_WRONG } parse_result;

/* Parses argv into args, an object whose first member is an `operands` (borrowed: room is argv's own,
 * which is reordered). PARSE_WRONG: message says what is wrong. PARSE_HELP: --help or -h was met first.
 */
parse_result options_parse(const cli_option *options, int argc, char **argv, void *args, char *message,
                           size_t message_size);
/* Whether the flag was given. */
bool option_given(const cli_option *options, const void *args, const char *name);
/* The number of the flag in its table; -1 if there is none of that name. */
int option_find(const cli_option *options, const char *name);
/* Gives a flag its value as the command line would; a bare one is "true" or "false". false: message says what is
 * wrong. args may then point into text. */
bool option_set(const cli_option *options, void *args, int index, const char *text, char *message,
                size_t message_size);
/* The lines of the help, with the defaults that are in args. */
void options_print(FILE *file, const cli_option *options, const void *args);

/* Which of words (ended by NULL, `stride` bytes from one to the next) is nearest to word; NULL if none
 * is. */
const char *nearest_word(const char *word, const void *words, size_t stride);

#endif
