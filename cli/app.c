#include "app.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

wick_status app_fail(cli_app *app, wick_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(app->message, sizeof(app->message), format, args);
    va_end(args);
    return status;
}

wick_status app_usage(cli_app *app, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(app->message, sizeof(app->message), format, args);
    va_end(args);
    app->usage = true;
    return WICK_EINVAL;
}

wick_status app_blame_usage(cli_app *app, wick_status status)
{
    app->usage = true;
    return status;
}

void app_note(const cli_app *app, const char *format, ...)
{
    char line[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    /* File names and keys come from outside: they must not steer the terminal. */
    for (char *c = line; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    fflush(stdout);
    fprintf(stderr, "wick%s%s: %s\n", app->command == NULL ? "" : " ",
            app->command == NULL ? "" : app->command->name, line);
}

void say(const cli_app *app, const char *format, ...)
{
    if (app->quiet)
        return;
    va_list args;
    va_start(args, format);
    vfprintf(stdout, format, args);
    va_end(args);
}
