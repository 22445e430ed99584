/* Trainings that are killed at random moments, within the writing of a checkpoint too, and gone on with:
 * each ends with the bytes of one that was never stopped; no file is ever torn; no more is lost than the
 * steps since the last checkpoint. killed_trainings WICK MKIDX KILLS [SEED] */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wick/wick.h>

enum {
    TRAIN = 48,
    BATCH = 8,
    BATCHES = 6,
    EPOCHS = 3,
    MODELS = 3,
    NAME = 32,
    TEXT = 256,
    MOST_WORDS = 32
};

static struct {
    char *wick;
    char folder[64];
    double seconds; /* that an undisturbed training with checkpoints takes */
    int kills, within_writes, runs, begun_anew;
} all;

#define CHECK(condition)                                                                                \
    do {                                                                                                \
        if (!(condition))                                                                               \
            failed(__LINE__, #condition);                                                               \
    } while (0)

static _Noreturn void failed(int line, const char *what)
{
    char command[TEXT];
    fprintf(stderr, "killed_trainings.c:%d: %s\nafter %d kills, in %s:\n", line, what, all.kills,
            all.folder);
    snprintf(command, sizeof(command), "cd '%s' && ls -l * >&2; cat output >&2", all.folder);
    if (system(command) != 0)
        fprintf(stderr, "(nothing is there)\n");
    exit(1);
}

static int below(int limit)
{
    return (int)((unsigned)rand() % (unsigned)limit);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void wait_seconds(double seconds)
{
    const struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

/* ---- processes ---- */

/* Starts a program in the folder, its output in the file `output`. Words up to NULL. */
static pid_t start(const char *program, ...)
{
    char *words[MOST_WORDS] = {(char *)program};
    int count = 1;
    va_list args;
    va_start(args, program);
    while ((words[count] = va_arg(args, char *)) != NULL)
        CHECK(++count < MOST_WORDS);
    va_end(args);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child > 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* should this test fail */
    if (chdir(all.folder) != 0)
        _exit(98);
    int output = open("output", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execv(program, words);
    _exit(99);
}

static void run(pid_t child)
{
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static pid_t begin(int model, const char *name, const char *every, const char *threads)
{
    char models[] = {'v', (char)('0' + model), '\0'}, log[TEXT];
    snprintf(log, sizeof(log), "%s.steps", name);
    return start(all.wick, "train", "--data", "./data", "--model", models, "--epochs", "3",
                 "--batch-size", "8", "--no-figures", "--out", name, "--log-steps", log, "--threads",
                 threads, "--checkpoint-every", every, NULL);
}

static pid_t go_on(const char *name, const char *every, const char *threads)
{
    char log[TEXT];
    snprintf(log, sizeof(log), "%s.steps", name);
    return start(all.wick, "train", "--resume", name, "--no-figures", "--log-steps", log, "--threads",
                 threads, "--checkpoint-every", every, NULL);
}

/* ---- what is on disk ---- */

static void path_of(char out[TEXT], const char *run, const char *name)
{
    CHECK(snprintf(out, TEXT, "%s/%s%s%s", all.folder, run, name[0] == '\0' ? "" : "/", name) < TEXT);
}

static bool is_there(const char *run, const char *name)
{
    char path[TEXT];
    path_of(path, run, name);
    return access(path, F_OK) == 0;
}

/* Whether a file is just being written. */
static bool has_temporary(const char *run)
{
    char path[TEXT];
    path_of(path, run, "");
    DIR *names = opendir(path);
    bool found = false;
    for (const struct dirent *entry; names != NULL && (entry = readdir(names)) != NULL;)
        found = found || strstr(entry->d_name, ".tmp") != NULL;
    if (names != NULL)
        closedir(names);
    return found;
}

static int64_t number_of(const wick_state_dict *dict, const char *key)
{
    wick_tensor *tensor = wick_state_dict_get(dict, key);
    CHECK(tensor != NULL && wick_tensor_numel(tensor) == 1);
    return *wick_tensor_i64(tensor);
}

/* Loads a .pth file, which must be whole if it is there; NULL if it is not. */
static wick_state_dict *load(wick_context *context, const char *run, const char *name)
{
    char path[TEXT];
    wick_state_dict *dict;
    path_of(path, run, name);
    wick_status status = wick_load(context, path, &dict);
    if (status == WICK_ENOENT)
        return NULL;
    if (status != WICK_OK)
        failed(__LINE__, wick_context_message(context));
    return dict;
}

static int64_t lines_of(const char *name)
{
    char path[TEXT];
    int64_t lines = 0;
    snprintf(path, sizeof(path), "%s/%s.steps", all.folder, name);
    FILE *file = fopen(path, "r");
    for (int c; file != NULL && (c = getc(file)) != EOF;)
        lines += c == '\n';
    if (file != NULL)
        fclose(file);
    return lines;
}

/* What a training had when it was killed. */
typedef struct reached {
    int64_t steps; /* of the checkpoint */
    int64_t lines; /* of the log */
} reached;

/* Every file is whole, and the log has the steps of the checkpoint and at most those of one `every`
 * more, or is as the training before left it, which may have saved less often. */
static reached check_whole(const char *name, int every, const reached *before)
{
    wick_context *context;
    wick_run *run = NULL;
    char path[TEXT];
    const int64_t lines = lines_of(name);
    int64_t steps = 0;
    path_of(path, name, "");
    CHECK(wick_context_new(&context) == WICK_OK);
    if (is_there(name, "args.json") && wick_run_open(context, path, &run) != WICK_OK)
        failed(__LINE__, wick_context_message(context));
    wick_state_dict *model = load(context, name, "model.pth");
    wick_state_dict *checkpoint = load(context, name, "checkpoint.pth");
    bool finished = run != NULL && wick_run_results(run) != NULL;
    if (checkpoint != NULL) {
        steps = number_of(checkpoint, "epoch") * BATCHES + number_of(checkpoint, "pass.batches");
        bool untouched = steps == before->steps && lines == before->lines;
        CHECK(lines >= steps);
        CHECK(finished || every == 0 || untouched || lines <= steps + every);
    }
    if (finished)
        steps = EPOCHS * BATCHES;
    wick_state_dict_free(model);
    wick_state_dict_free(checkpoint);
    wick_run_free(run);
    wick_context_free(context);
    return (reached){steps, lines};
}

static char *read_text(const char *run, const char *name)
{
    char path[TEXT];
    path_of(path, run, name);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    char *text = calloc(1, 1 << 20);
    CHECK(text != NULL && fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

/* Takes out the numbers that differ from run to run. */
static void blank(char *text, const char *key)
{
    for (char *at = text; (at = strstr(at, key)) != NULL;) {
        at += strlen(key);
        size_t length = strspn(at, "0123456789.e-");
        memmove(at, at + length, strlen(at + length) + 1);
    }
}

/* The last number of every row: seconds. */
static void blank_last(char *csv)
{
    char *to = csv;
    for (const char *row = csv, *end; (end = strchr(row, '\n')) != NULL; row = end + 1) {
        size_t length = (size_t)(end - row);
        while (length > 0 && row[length - 1] != ',')
            length--;
        memmove(to, row, length);
        to += length;
        *to++ = '\n';
    }
    *to = '\0';
}

static void same_text(const char *a, const char *b, const char *name)
{
    char *text[2] = {read_text(a, name), read_text(b, name)};
    for (int i = 0; i < 2; i++) {
        blank(text[i], "\"seconds\": ");
        blank(text[i], "\"train_time\": ");
        blank(text[i], "\"threads\": ");
        if (strstr(name, ".csv") != NULL)
            blank_last(text[i]);
    }
    CHECK(strcmp(text[0], text[1]) == 0);
    free(text[0]);
    free(text[1]);
}

static void same_file(const char *a, const char *b)
{
    char command[3 * TEXT];
    snprintf(command, sizeof(command), "cd '%s' && cmp '%s' '%s'", all.folder, a, b);
    CHECK(system(command) == 0);
}

static void same_run(int model, const char *name)
{
    char right[NAME], a[TEXT], b[TEXT];
    snprintf(right, sizeof(right), "right-v%d", model);
    static const char *const files[] = {"model.pth", "steps.csv"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(a, sizeof(a), "%s/%s", right, files[i]);
        snprintf(b, sizeof(b), "%s/%s", name, files[i]);
        same_file(a, b);
    }
    same_text(right, name, "results.json");
    same_text(right, name, "results.csv");
    snprintf(a, sizeof(a), "%s.steps", right);
    snprintf(b, sizeof(b), "%s.steps", name);
    same_file(a, b);
    CHECK(!has_temporary(name));
    CHECK(!is_there(name, "checkpoint.pth"));
}

/* ---- killing ---- */

/* Waits for the moment: a random one, or one in which a file is being written. */
static void wait_for_moment(const char *name)
{
    double end = now() + all.seconds * below(1000) / 1500;
    if (below(3) > 0) {
        wait_seconds(end - now() > 0 ? end - now() : 0);
        return;
    }
    int writes = below(20);
    for (bool before = false; now() < end + all.seconds;) {
        bool writing = has_temporary(name);
        if (writing && !before && writes-- == 0)
            break;
        before = writing;
    }
    wait_seconds(below(300) * 1e-6);
}

/* Kills it at some moment; false: it came to its end first. */
static bool kill_one(pid_t child, const char *name)
{
    int status;
    wait_for_moment(name);
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status)) {
        CHECK(WEXITSTATUS(status) == 0);
        return false;
    }
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    all.kills++;
    all.within_writes += has_temporary(name);
    return true;
}

/* One training from its beginning to its end, killed on the way as often as it comes. */
static void one_training(void)
{
    static const char *const every_words[] = {"1", "2", "0.005s"};
    static const int every_steps[] = {1, 2, 0};
    static const char *const threads[] = {"1", "2", "3"};
    int model = below(MODELS);
    reached last = {0, 0};
    char name[NAME];
    snprintf(name, sizeof(name), "run-%d", all.runs++);
    for (;;) {
        int every = below(3);
        bool first = !is_there(name, "args.json");
        all.begun_anew += !first && !is_there(name, "checkpoint.pth");
        pid_t child = first ? begin(model, name, every_words[every], threads[below(3)])
                            : go_on(name, every_words[every], threads[below(3)]);
        if (!kill_one(child, name))
            break;
        reached now_there = check_whole(name, every_steps[every], &last);
        CHECK(now_there.steps >= last.steps);
        last = now_there;
    }
    same_run(model, name);
}

static void prepare(const char *mkidx)
{
    run(start(mkidx, "data", "train=48", "test=20", NULL));
    for (int model = 0; model < MODELS; model++) {
        char name[NAME];
        snprintf(name, sizeof(name), "right-v%d", model);
        run(begin(model, name, "1000", "1"));
    }
    double began = now();
    run(begin(2, "timed", "1", "2"));
    all.seconds = now() - began;
    same_run(2, "timed");
}

int main(int argc, char **argv)
{
    char command[TEXT];
    unsigned seed = (unsigned)time(NULL);
    if (argc > 4)
        seed = (unsigned)strtoul(argv[4], NULL, 10);
    CHECK(argc > 3);
    char *mkidx = realpath(argv[2], NULL);
    all.wick = realpath(argv[1], NULL);
    CHECK(all.wick != NULL && mkidx != NULL);
    printf("seed %u\n", seed);
    srand(seed);
    strcpy(all.folder, "/tmp/wick-kills-XXXXXX");
    CHECK(mkdtemp(all.folder) != NULL);
    unsetenv("WICK_DATA_DIR");
    prepare(mkidx);
    while (all.kills < atoi(argv[3]))
        one_training();
    printf("%d kills in %d trainings; %d while a file was written, %d before the first checkpoint\n",
           all.kills, all.runs, all.within_writes, all.begun_anew);
    CHECK(all.kills < 100 || (all.within_writes > 0 && all.runs > 5));
    snprintf(command, sizeof(command), "rm -rf '%s'", all.folder);
    CHECK(system(command) == 0);
    free(mkidx);
    free(all.wick);
    return 0;
}
