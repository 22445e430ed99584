/* Gives a fuzz target every file of a corpus, in the order of their names: main() for a target without
 * libFuzzer.
 * What once broke a parser is kept there. A corpus without a file is a failure.
 *   replay_NAME CORPUS_FOLDER */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The file's bytes in a block of exactly their number, so that a sanitizer sees a read beyond them. */
static uint8_t *read_all(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    *length = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*length > 0 ? *length : 1);
    if (bytes == NULL || fread(bytes, 1, *length, file) != *length) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return bytes;
}

int main(int argc, char **argv)
{
    struct dirent **names;
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    int count = scandir(argv[1], &names, is_visible, alphasort);
    if (count < 0) {
        perror(argv[1]);
        return 1;
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        size_t length;
        snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]->d_name);
        /* Said beforehand: a crash then shows which one it was. */
        printf("%s\n", names[i]->d_name);
        fflush(stdout);
        uint8_t *bytes = read_all(path, &length);
        LLVMFuzzerTestOneInput(bytes, length);
        free(bytes);
        free(names[i]);
    }
    free(names);
    printf("%d inputs\n", count);
    return count > 0 ? 0 : 1;
}
