/* Recipes: files of flags, "key = value" a line, # at the beginning of a comment. A value goes on over
 * lines while a parenthesis is open, as a model's text does. */
#ifndef CLI_RECIPE_READ_H
#define CLI_RECIPE_READ_H

#include "app.h"

/* Those in the program, recipes/NAME.recipe: a name and a text, another name and text, ..., NULL. */
extern const char *const cli_recipes[];

/* Prints the name and the first line of every recipe in the program. */
void recipe_list(const cli_app *app);
/* Puts the recipe of that name, or of that file, into args as flags; those that were given stay as they are. *text is
 * what args then points into: free(). A failure is one of usage, and says file and line. */
wick_status recipe_apply(cli_app *app, const char *name, const cli_option *options, void *args,
                         char **text);

#endif
