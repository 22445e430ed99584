/* Folders and files that a command makes. */
#ifndef CLI_OUTPUT_FILES_H
#define CLI_OUTPUT_FILES_H

#include "app.h"

/* base, base2, base3, ...: makes the first folder that is not there. *folder is owned: free(). */
wick_status folder_claim(cli_app *app, const char *base, char **folder);
bool is_folder(const char *path);
/* folder/name. Owned: free(). */
wick_status path_join(cli_app *app, const char *folder, const char *name, char **path);
/* Writes text to path by way of a temporary file beside it, so that path is what it was or whole. What
 * is no regular file is written to as it is. */
wick_status file_write(cli_app *app, const char *path, const char *text);

#endif
