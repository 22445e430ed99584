/* Writers that are killed at any moment, and several that write the same file at once: the file is at
 * every moment one of those that were written, whole. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wick/wick.h>

enum { WRITERS = 2, ROUNDS = 40, NUMBERS = 100000 };

#define CHECK(condition)                                                                                \
    do {                                                                                                \
        if (!(condition)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                             \
            exit(1);                                                                                    \
        }                                                                                               \
    } while (0)

/* A dict whose numbers are all the same. */
static void save(wick_context *context, const char *path, float number)
{
    static float numbers[NUMBERS];
    int64_t shape[1] = {NUMBERS};
    wick_tensor *tensor;
    wick_state_dict *dict;
    for (int i = 0; i < NUMBERS; i++)
        numbers[i] = number;
    CHECK(wick_tensor_from(context, WICK_FLOAT32, 1, shape, numbers, &tensor) == WICK_OK);
    CHECK(wick_state_dict_new(context, &dict) == WICK_OK);
    CHECK(wick_state_dict_add(dict, "weight", tensor) == WICK_OK);
    CHECK(wick_save(dict, path) == WICK_OK);
    wick_state_dict_free(dict);
}

static void check_whole(wick_context *context, const char *path)
{
    wick_state_dict *dict;
    wick_status status = wick_load(context, path, &dict);
    if (status != WICK_OK)
        fprintf(stderr, "%s\n", wick_context_message(context));
    CHECK(status == WICK_OK);
    wick_tensor *tensor = wick_state_dict_get(dict, "weight");
    CHECK(tensor != NULL && wick_tensor_numel(tensor) == NUMBERS);
    for (int i = 1; i < NUMBERS; i++)
        CHECK(wick_tensor_f32(tensor)[i] == wick_tensor_f32(tensor)[0]);
    wick_state_dict_free(dict);
}

static pid_t start_writer(const char *path, int which)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child > 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the parent fail */
    wick_context *context;
    CHECK(wick_context_new(&context) == WICK_OK);
    for (int i = 0;; i++)
        save(context, path, (float)(which * 1000 + i));
}

int main(void)
{
    char folder[] = "/tmp/wick-killed-XXXXXX", path[64], command[64];
    unsigned seed = (unsigned)time(NULL);
    wick_context *context;
    printf("seed %u\n", seed);
    srand(seed);
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/model.pth", folder);
    CHECK(wick_context_new(&context) == WICK_OK);
    save(context, path, -1);
    for (int round = 0; round < ROUNDS; round++) {
        pid_t writers[WRITERS];
        for (int i = 0; i < WRITERS; i++)
            writers[i] = start_writer(path, i);
        struct timespec a_while = {0, rand() % 20 * 1000000L};
        nanosleep(&a_while, NULL);
        check_whole(context, path);
        for (int i = 0; i < WRITERS; i++) {
            int status;
            CHECK(kill(writers[i], SIGKILL) == 0);
            CHECK(waitpid(writers[i], &status, 0) == writers[i]);
            CHECK(WIFSIGNALED(status)); /* none has given up by itself */
        }
        check_whole(context, path);
    }
    wick_context_free(context);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    CHECK(system(command) == 0);
    printf("%d rounds\n", ROUNDS);
    return 0;
}
