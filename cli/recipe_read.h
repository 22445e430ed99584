/* Recipes: files of flags, "key = value" a line, # at the beginning of a comment. A value goes on over
 * lines while a parenthesis is open, as a model's text does. */
#ifndef CLI_RECIPE_READ_H
#define CLI_RECIPE_READ_H

#include "app.h"

/* What args point into once a recipe is applied. Zero before that. */
typedef struct cli_recipe {
    char *text;
    char *model_file; /* the path of the model's text, if it was found beside the recipe */
    char *
        model_place; /* where the model's text stands in the recipe: "fast: line 2: the model's text"; or NULL */
} cli_recipe;

/* Those in the program, recipes/NAME.recipe: a name and a text, another name and text, ..., NULL. */
extern const char *const cli_recipes[];

/* Prints the name and the first line of every recipe in the program. */
void recipe_list(const cli_app *app);
/* Puts the recipe of that name, or of that file, into args as flags; those that were given stay as they are. A model's
 * file is looked for beside the recipe's first. A failure is one of usage, and says file and line; after it too,
 * recipe_release(). */
wick_status recipe_apply(cli_app *app, const char *name, const cli_option *options, void *args,
                         cli_recipe *recipe);
void recipe_release(cli_recipe *recipe);

#endif
