/* wick: the command table, the help, and what the program exits with. */
#include "app.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_command *const commands[] = {
    &command_notebook, &command_data_info, &command_data_show, &command_data_get, &command_train,
    &command_eval,     &command_errors,    &command_predict,   &command_explain,  &command_compare,
    &command_model,    &command_layer,     &command_bench,
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const char overview[] = "wick - small image classifiers in C, with PyTorch's numbers\n"
                               "\n"
                               "Usage: wick COMMAND [flags]\n"
                               "\n"
                               "Commands:\n";

static const char overview_end[] =
    "\n"
    "'wick help COMMAND' or 'wick COMMAND --help' tells what a command does, all of its flags, and "
    "examples.\n"
    "'wick --version' prints the version.\n"
    "\n"
    "Examples:\n"
    "  wick notebook                          the whole chapter, from data to a saved and reloaded "
    "model\n"
    "  wick train --model v2 --epochs 3       one model; its run is kept under runs/\n"
    "  wick eval runs/train                   what that model is worth, class by class\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143 terminated.\n";

/* ---- help ---- */

static void print_overview(FILE *file)
{
    fputs(overview, file);
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(file, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fputs(overview_end, file);
}

static void print_help(const cli_command *command)
{
    printf("wick %s - %s\n\nUsage: wick %s%s%s [flags]\n\n%s\nFlags:\n", command->name, command->summary,
           command->name, command->operands[0] == '\0' ? "" : " ", command->operands, command->about);
    options_print(stdout, command->options, command->defaults);
    printf("\nExamples:\n%s", command->examples);
}

/* The commands of a group: "data" of "data info" and "data get". Returns how many there are. */
static int print_group(FILE *file, const char *group)
{
    int count = 0;
    size_t length = strlen(group);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const char *name = commands[i]->name;
        if (strncmp(name, group, length) != 0 || name[length] != ' ')
            continue;
        if (file != NULL)
            fprintf(file, "  wick %-12s %s\n", name, commands[i]->summary);
        count++;
    }
    return count;
}

/* ---- finding a command ---- */

/* The command that argv begins with, and how many words its name takes; NULL if there is none. */
static const cli_command *find_command(int argc, char **argv, int *words)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const char *name = commands[i]->name;
        size_t first = strcspn(name, " ");
        if (argc < 1 || strlen(argv[0]) != first || strncmp(argv[0], name, first) != 0)
            continue;
        *words = name[first] == '\0' ? 1 : 2;
        if (*words == 1 || (argc > 1 && strcmp(argv[1], name + first + 1) == 0))
            return commands[i];
    }
    return NULL;
}

static int unknown_command(int argc, char **argv)
{
    const cli_app app = {0};
    const char *names[COMMAND_COUNT + 1];
    char joined[128];
    for (int i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i]->name;
    names[COMMAND_COUNT] = NULL;
    bool group = print_group(NULL, argv[0]) > 0;
    if (group && (argc < 2 || argv[1][0] == '-')) {
        app_note(&app, "'%s' needs one more word; there are:", argv[0]);
        print_group(stderr, argv[0]);
        return EXIT_USAGE;
    }
    snprintf(joined, sizeof(joined), group ? "%s %s" : "%s", argv[0], group ? argv[1] : "");
    const char *near = nearest_word(joined, names, sizeof(names[0]));
    if (near != NULL)
        app_note(&app, "unknown command '%s'; did you mean '%s'?", joined, near);
    else
        app_note(&app, "unknown %s '%s'", joined[0] == '-' ? "flag" : "command", joined);
    fputs("Try 'wick --help'.\n", stderr);
    return EXIT_USAGE;
}

static int help(int argc, char **argv)
{
    int words;
    if (argc == 0) {
        print_overview(stdout);
        return EXIT_DONE;
    }
    const cli_command *command = find_command(argc, argv, &words);
    if (command != NULL) {
        print_help(command);
        return EXIT_DONE;
    }
    return argc == 1 && print_group(stdout, argv[0]) > 0 ? EXIT_DONE : unknown_command(argc, argv);
}

/* ---- running a command ---- */

static int wrong_usage(const cli_app *app, const char *message)
{
    app_note(app, "%s", message);
    fprintf(stderr, "Try 'wick %s --help'.\n", app->command->name);
    return EXIT_USAGE;
}

/* Says what went wrong and returns the exit status. */
static int report(const cli_app *app, wick_status status)
{
    const char *message = app->message[0] != '\0' ? app->message : wick_context_message(app->context);
    if (status == WICK_OK)
        return EXIT_DONE;
    if (message[0] == '\0')
        message = wick_status_text(status);
    if (app->usage)
        return wrong_usage(app, message);
    app_note(app, "%s", message);
    if (status == WICK_EINTR && signals_seen() != 0)
        return signals_seen() == SIGTERM ? EXIT_TERMINATED : EXIT_INTERRUPTED;
    return EXIT_FAILED;
}

static int run_command(cli_app *app, void *args)
{
    if (wick_context_new(&app->context) != WICK_OK) {
        app_note(app, "out of memory");
        return EXIT_FAILED;
    }
    if (app->command->interruptible)
        signals_watch(app->context);
    int result = report(app, app->command->run(app, args));
    signals_watch(NULL);
    wick_context_free(app->context);
    return result;
}

static int check_operands(const cli_app *app, const cli_operands *operands)
{
    char message[256];
    const cli_command *command = app->command;
    if (operands->count > command->max_operands)
        snprintf(message, sizeof(message), "'%s' is one word too many",
                 operands->at[command->max_operands]);
    else if (operands->count < command->min_operands)
        snprintf(message, sizeof(message), "%s is missing", command->operands);
    else
        return EXIT_DONE;
    return wrong_usage(app, message);
}

static int start_command(const cli_command *command, int argc, char **argv)
{
    cli_app app = {.command = command};
    char message[512];
    void *args = malloc(command->args_size);
    int result = EXIT_DONE;
    if (args == NULL) {
        app_note(&app, "out of memory");
        return EXIT_FAILED;
    }
    memcpy(args, command->defaults, command->args_size);
    switch (options_parse(command->options, argc, argv, args, message, sizeof(message))) {
    case PARSE_HELP:
        print_help(command);
        break;
    case PARSE_WRONG:
        result = wrong_usage(&app, message);
        break;
    case PARSE_OK:
        result = check_operands(&app, args);
        if (result == EXIT_DONE)
            result = run_command(&app, args);
        break;
    }
    free(args);
    return result;
}

static int dispatch(int argc, char **argv)
{
    int words;
    if (argc == 0) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[0], "--version") == 0) {
        printf("wick %s\n", wick_version());
        return EXIT_DONE;
    }
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
        return help(0, argv);
    if (strcmp(argv[0], "help") == 0)
        return help(argc - 1, argv + 1);
    const cli_command *command = find_command(argc, argv, &words);
    if (command != NULL)
        return start_command(command, argc - words, argv + words);
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return help(1, argv);
    return unknown_command(argc, argv);
}

/* A file opened where one of the three is closed would be written to by mistake. Opened this way,
 * writing to a closed stdout still fails. */
static void keep_standard_files(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    keep_standard_files();
    signal(SIGPIPE, SIG_IGN);
    int result = dispatch(argc - 1, argv + 1);
    errno = 0;
    bool failed = ferror(stdout) != 0;
    if (fflush(stdout) != 0 || failed) {
        const cli_app app = {0};
        app_note(&app, "cannot write to stdout: %s",
                 errno != 0 ? strerror(errno) : "not all of it was taken");
        if (result == EXIT_DONE)
            result = EXIT_FAILED;
    }
    return result;
}
