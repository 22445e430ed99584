/* Writes recipes as a C table, while wick is built.  recipe_table OUT.c FILE.recipe... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *path)
{
    perror(path);
    exit(EXIT_FAILURE);
}

/* "chapter" of "../recipes/chapter.recipe". */
static void put_name(FILE *out, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    fprintf(out, "    \"%.*s\",\n", (int)strcspn(name, "."), name);
}

static void put_text(FILE *out, const char *path)
{
    FILE *file = fopen(path, "rb");
    int c, column = 0;
    if (file == NULL)
        fail(path);
    fputs("    \"", out);
    while ((c = getc(file)) != EOF) {
        /* Octal and always three digits, so that what follows cannot belong to it. */
        if (c == '"' || c == '\\' || c == '?' || c < ' ' || c > '~')
            fprintf(out, "\\%03o", (unsigned)c);
        else
            putc(c, out);
        if (c == '\n' || ++column % 80 == 0)
            fputs("\"\n    \"", out);
    }
    fputs("\",\n", out);
    if (ferror(file) || fclose(file) != 0)
        fail(path);
}

int main(int argc, char **argv)
{
    FILE *out = argc < 2 ? NULL : fopen(argv[1], "wb");
    if (out == NULL)
        fail(argc < 2 ? "recipe_table" : argv[1]);
    fputs("extern const char *const cli_recipes[];\n\nconst char *const cli_recipes[] = {\n", out);
    for (int i = 2; i < argc; i++) {
        put_name(out, argv[i]);
        put_text(out, argv[i]);
    }
    fputs("    0,\n};\n", out);
    if (ferror(out) || fclose(out) != 0)
        fail(argv[1]);
    return EXIT_SUCCESS;
}
