#include "options.h"

#include "python.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wick/status.h>

typedef struct flag_parser {
    const cli_option *options;
    void *args;
    char *message;
    size_t message_size;
} flag_parser;

static bool wrong(const flag_parser *parser, const char *format, ...) WICK_PRINTF(2, 3);

/* Sets the message; always false. */
static bool wrong(const flag_parser *parser, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(parser->message, parser->message_size, format, args);
    va_end(args);
    return false;
}

/* ---- the nearest word ---- */

enum { LONGEST_WORD = 63 };

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, case aside, of words of at most LONGEST_WORD letters. */
static int distance(const char *a, const char *b)
{
    int row[LONGEST_WORD + 1];
    int columns = (int)strlen(b);
    for (int j = 0; j <= columns; j++)
        row[j] = j;
    for (int i = 0; a[i] != '\0'; i++) {
        int diagonal = row[0];
        row[0] = i + 1;
        for (int j = 1; j <= columns; j++) {
            int change = diagonal + (tolower((unsigned char)a[i]) != tolower((unsigned char)b[j - 1]));
            diagonal = row[j];
            row[j] = smaller(change, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[columns];
}

const char *nearest_word(const char *word, const void *words, size_t stride)
{
    const char *best = NULL;
    int best_distance = (int)strlen(word) / 3 + 2;
    if (strlen(word) > LONGEST_WORD)
        return NULL;
    for (const char *at = words;; at += stride) {
        const char *candidate;
        memcpy(&candidate, at, sizeof(candidate));
        if (candidate == NULL)
            return best;
        if (strlen(candidate) > LONGEST_WORD)
            continue;
        int d = distance(word, candidate);
        if (d < best_distance) {
            best_distance = d;
            best = candidate;
        }
    }
}

/* ---- values ---- */

static bool read_int(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || isspace((unsigned char)text[0]))
        return false;
    *out = number;
    return true;
}

static bool parse_int(const flag_parser *parser, const cli_option *option, const char *text,
                      int64_t *out)
{
    int64_t number;
    if (!read_int(text, &number) || number < option->min || number > option->max)
        return wrong(parser, "--%s must be a whole number from %" PRId64 " to %" PRId64 ", not '%s'",
                     option->name, option->min, option->max, text);
    *out = number;
    return true;
}

static bool parse_seed(const flag_parser *parser, const cli_option *option, const char *text,
                       uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || !isdigit((unsigned char)text[0]))
        return wrong(parser, "--%s must be a whole number from 0 to %" PRIu64 ", not '%s'", option->name,
                     UINT64_MAX, text);
    *out = number;
    return true;
}

static bool parse_number(const flag_parser *parser, const cli_option *option, const char *text,
                         double *out)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end != '\0' || isspace((unsigned char)text[0]) || !isfinite(number) ||
        number < 0 || (number == 0 && option->kind == OPTION_NUMBER))
        return wrong(parser, "--%s must be a number %s, not '%s'", option->name,
                     option->kind == OPTION_NUMBER ? "above 0" : "from 0 on", text);
    *out = number;
    return true;
}

/* "rand|randn" */
static bool is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);
    for (const char *c = choices;; c++) {
        size_t part = strcspn(c, "|");
        if (part == length && memcmp(c, text, length) == 0)
            return true;
        c += part;
        if (*c == '\0')
            return false;
    }
}

static bool parse_sizes(const flag_parser *parser, const cli_option *option, const char *text,
                        cli_sizes *out)
{
    cli_sizes read = {.count = 0};
    const char *c = text;
    for (;;) {
        char *end;
        errno = 0;
        long long number = strtoll(c, &end, 10);
        if (read.count == SIZES_CAPACITY || errno != 0 || !isdigit((unsigned char)*c) ||
            number < option->min || number > option->max || (*end != ',' && *end != '\0'))
            return wrong(parser,
                         "--%s must be up to %d whole numbers from %" PRId64 " to %" PRId64
                         " with commas between, such as %s, not '%s'",
                         option->name, SIZES_CAPACITY, option->min, option->max, option->value, text);
        read.at[read.count++] = number;
        if (*end == '\0')
            break;
        c = end + 1;
    }
    *out = read;
    return true;
}

static bool parse_list(const flag_parser *parser, const cli_option *option, const char *text,
                       cli_list *out)
{
    if (out->count == LIST_CAPACITY)
        return wrong(parser, "--%s may be given at most %d times", option->name, LIST_CAPACITY);
    out->at[out->count++] = text;
    return true;
}

static bool parse_value(const flag_parser *parser, const cli_option *option, const char *text)
{
    void *place = (char *)parser->args + option->offset;
    if (text[0] == '\0')
        return wrong(parser, "--%s must not be empty", option->name);
    switch (option->kind) {
    case OPTION_BOOL:
        break;
    case OPTION_INT:
        return parse_int(parser, option, text, place);
    case OPTION_SEED:
        return parse_seed(parser, option, text, place);
    case OPTION_NUMBER:
    case OPTION_REAL:
        return parse_number(parser, option, text, place);
    case OPTION_CHOICE:
        if (!is_choice(option->value, text))
            return wrong(parser, "--%s must be one of %s, not '%s'", option->name, option->value, text);
        *(const char **)place = text;
        return true;
    case OPTION_TEXT:
        *(const char **)place = text;
        return true;
    case OPTION_LIST:
        return parse_list(parser, option, text, place);
    case OPTION_SIZES:
        return parse_sizes(parser, option, text, place);
    }
    return false;
}

/* ---- flags ---- */

/* The flag called by the first `length` letters of name. */
static const cli_option *find_option(const cli_option *options, const char *name, size_t length)
{
    for (const cli_option *o = options; o->name != NULL; o++)
        if (strlen(o->name) == length && memcmp(o->name, name, length) == 0)
            return o;
    return NULL;
}

static bool unknown(const flag_parser *parser, const char *flag, size_t length)
{
    char name[LONGEST_WORD + 1];
    const char *near = NULL;
    if (length < sizeof(name)) {
        memcpy(name, flag, length);
        name[length] = '\0';
        near = nearest_word(name + strspn(name, "-"), &parser->options->name, sizeof(cli_option));
    }
    if (near != NULL)
        return wrong(parser, "unknown flag '%.*s'; did you mean '--%s'?", (int)length, flag, near);
    return wrong(parser, "unknown flag '%.*s'", (int)length, flag);
}

/* argv[*at] begins with a dash. */
static bool parse_flag(const flag_parser *parser, int argc, char **argv, int *at)
{
    const char *flag = argv[*at];
    size_t length = strcspn(flag, "=");
    const char *inline_value = flag[length] == '=' ? flag + length + 1 : NULL;
    const cli_option *option =
        strncmp(flag, "--", 2) == 0 ? find_option(parser->options, flag + 2, length - 2) : NULL;
    if (option == NULL)
        return unknown(parser, flag, length);
    ((cli_operands *)parser->args)->given |= UINT64_C(1) << (option - parser->options);
    if (option->kind == OPTION_BOOL) {
        if (inline_value != NULL)
            return wrong(parser, "--%s takes no value, but got '%s'", option->name, inline_value);
        *(bool *)((char *)parser->args + option->offset) = true;
        return true;
    }
    if (inline_value != NULL)
        return parse_value(parser, option, inline_value);
    if (*at + 1 >= argc)
        return wrong(parser, "--%s needs a value: --%s %s", option->name, option->name, option->value);
    *at += 1;
    return parse_value(parser, option, argv[*at]);
}

parse_result options_parse(const cli_option *options, int argc, char **argv, void *args, char *message,
                           size_t message_size)
{
    const flag_parser parser = {options, args, message, message_size};
    int kept = 0;
    bool flags = true;
    for (int i = 0; i < argc; i++) {
        if (!flags || argv[i][0] != '-' || argv[i][1] == '\0')
            argv[kept++] = argv[i];
        else if (strcmp(argv[i], "--") == 0)
            flags = false;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return PARSE_HELP;
        else if (!parse_flag(&parser, argc, argv, &i))
            return PARSE_WRONG;
    }
    cli_operands *operands = args;
    operands->at = argv;
    operands->count = kept;
    return PARSE_OK;
}

bool option_given(const cli_option *options, const void *args, const char *name)
{
    const cli_operands *operands = args;
    const cli_option *option = find_option(options, name, strlen(name));
    return option != NULL && (operands->given >> (option - options) & 1) != 0;
}

int option_find(const cli_option *options, const char *name)
{
    const cli_option *option = find_option(options, name, strlen(name));
    return option == NULL ? -1 : (int)(option - options);
}

bool option_set(const cli_option *options, void *args, int index, const char *text, char *message,
                size_t message_size)
{
    const flag_parser parser = {options, args, message, message_size};
    const cli_option *option = &options[index];
    if (option->kind == OPTION_BOOL) {
        if (!is_choice("true|false", text))
            return wrong(&parser, "%s must be true or false, not '%s'", option->name, text);
        *(bool *)((char *)args + option->offset) = text[0] == 't';
    } else if (!parse_value(&parser, option, text)) {
        return false;
    }
    ((cli_operands *)args)->given |= UINT64_C(1) << index;
    return true;
}

/* ---- help ---- */

/* The default as text; "" if there is none to tell: a number below its range is "not given". */
static void format_default(const cli_option *option, const void *args, char *text, size_t size)
{
    const void *place = (const char *)args + option->offset;
    char repr[32];
    text[0] = '\0';
    switch (option->kind) {
    case OPTION_BOOL:
    case OPTION_LIST:
        break;
    case OPTION_INT:
        if (*(const int64_t *)place >= option->min)
            snprintf(text, size, "%" PRId64, *(const int64_t *)place);
        break;
    case OPTION_SEED:
        snprintf(text, size, "%" PRIu64, *(const uint64_t *)place);
        break;
    case OPTION_NUMBER:
        python_repr(*(const double *)place, repr);
        if (*(const double *)place > 0)
            snprintf(text, size, "%s", repr);
        break;
    case OPTION_REAL:
        if (*(const double *)place != 0)
            snprintf(text, size, "%g", *(const double *)place);
        break;
    case OPTION_TEXT:
    case OPTION_CHOICE:
        if (*(const char *const *)place != NULL)
            snprintf(text, size, "%s", *(const char *const *)place);
        break;
    case OPTION_SIZES: {
        const cli_sizes *s = place;
        for (int i = 0, used = 0; i < s->count && used < (int)size; i++)
            used +=
                snprintf(text + used, size - (size_t)used, "%s%" PRId64, i == 0 ? "" : ",", s->at[i]);
        break;
    }
    }
}

/* Prints text in lines of at most 62 letters, all but the first indented like it. */
static void print_wrapped(FILE *file, const char *text)
{
    enum { INDENT = 30, WIDTH = 70 };
    int column = 0;
    while (*text != '\0') {
        int word = (int)strcspn(text, " ");
        if (column > 0 && column + 1 + word > WIDTH) {
            fprintf(file, "\n%*s", INDENT, "");
            column = 0;
        }
        column += fprintf(file, "%s%.*s", column > 0 ? " " : "", word, text);
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', file);
}

void options_print(FILE *file, const cli_option *options, const void *args)
{
    for (const cli_option *o = options; o->name != NULL; o++) {
        char flag[64], value[128], help[512];
        snprintf(flag, sizeof(flag), "--%s%s%s", o->name, o->kind == OPTION_BOOL ? "" : " ",
                 o->kind == OPTION_BOOL ? "" : o->value);
        format_default(o, args, value, sizeof(value));
        snprintf(help, sizeof(help), value[0] == '\0' ? "%s" : "%s [default: %s]", o->help, value);
        fprintf(file, strlen(flag) > 26 ? "  %s\n%*s" : "  %-26s%*s", flag, strlen(flag) > 26 ? 30 : 2,
                "");
        print_wrapped(file, help);
    }
    fprintf(file, "  %-28s", "--help");
    print_wrapped(file, "print this and exit");
}
