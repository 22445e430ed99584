/* Reads one JSON object from stdin, with nothing after it, and prints the values at the paths named, one
 * a line. jsonget [PATH...]     PATH: "epochs.0.train_loss", "classes.length" */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const json_t *member(const json_t *value, const char *name)
{
    if (json_is_array(value))
        return json_array_get(value, (size_t)atoi(name));
    return json_object_get(value, name);
}

static int print(const json_t *root, char *path)
{
    const json_t *value = root;
    const char *separator = strchr(path, '/') != NULL ? "/" : ".";
    for (char *name = strtok(path, separator); name != NULL; name = strtok(NULL, separator)) {
        if (strcmp(name, "length") == 0 && json_is_array(value)) {
            printf("%zu\n", json_array_size(value));
            return 0;
        }
        value = member(value, name);
        if (value == NULL) {
            fprintf(stderr, "jsonget: there is no '%s'\n", name);
            return 1;
        }
    }
    if (json_is_string(value))
        printf("%s\n", json_string_value(value));
    else {
        json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT);
        putchar('\n');
    }
    return 0;
}

int main(int argc, char **argv)
{
    json_error_t error;
    json_t *root = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL || !json_is_object(root)) {
        fprintf(stderr, "jsonget: stdin is not one JSON object: %s\n",
                root == NULL ? error.text : "another value");
        json_decref(root);
        return 1;
    }
    int bad = 0;
    for (int i = 1; i < argc; i++)
        bad |= print(root, argv[i]);
    json_decref(root);
    return bad;
}
