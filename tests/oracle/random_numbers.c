/* The random generator against PyTorch's; random_numbers/make.py says how what it drew is written. */
#include "base/base.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <wick/random.h>

#include <cmocka.h>

typedef struct player {
    wick_context *context;
    uint8_t saved[WICK_GENERATOR_STATE_SIZE];
    char words[5][64]; /* the operation and its arguments */
} player;

static void read_fixture(wick_context *context, const char *name, uint8_t **bytes, size_t *length)
{
    char path[4096];
    const char *root = getenv("WICK_TEST_SOURCE");
    assert_non_null(root);
    snprintf(path, sizeof(path), "%s/oracle/random_numbers/%s", root, name);
    if (wki_file_read(context, path, 1 << 20, bytes, length) != WICK_OK)
        fail_msg("%s", wick_context_message(context));
}

static int64_t integer(const player *p, int place)
{
    return strtoll(p->words[place], NULL, 10);
}

static double real(const player *p, int place)
{
    return strtod(p->words[place], NULL);
}

/* Puts what the bytes come to into out. */
static void show(const void *bytes, size_t length, char out[160])
{
    if (length > 64) {
        strcpy(out, "sha256:");
        wki_sha256(bytes, length, out + strlen(out));
        return;
    }
    for (size_t i = 0; i < length; i++)
        snprintf(out + 2 * i, 3, "%02x", ((const uint8_t *)bytes)[i]);
    out[2 * length] = '\0';
}

static void show_state(player *p, char out[160])
{
    uint8_t state[WICK_GENERATOR_STATE_SIZE];
    wick_generator_get_state(wick_default_generator(p->context), state);
    show(state, sizeof(state), out);
}

static void load(player *p)
{
    uint8_t *bytes;
    size_t length;
    read_fixture(p->context, "state.bin", &bytes, &length);
    assert_int_equal(length, WICK_GENERATOR_STATE_SIZE);
    assert_int_equal(wick_generator_set_state(wick_default_generator(p->context), bytes), WICK_OK);
    free(bytes);
}

/* Does what draws no tensor; false if it is not of those. */
static bool play_plain(player *p, char out[160])
{
    const char *operation = p->words[0];
    wick_generator *generator = wick_default_generator(p->context);
    out[0] = '\0';
    if (strcmp(operation, "seed") == 0) {
        wick_manual_seed(p->context, strtoull(p->words[1], NULL, 10));
    } else if (strcmp(operation, "state") == 0) {
        show_state(p, out);
    } else if (strcmp(operation, "save") == 0) {
        wick_generator_get_state(generator, p->saved);
    } else if (strcmp(operation, "restore") == 0) {
        assert_int_equal(wick_generator_set_state(generator, p->saved), WICK_OK);
    } else if (strcmp(operation, "load") == 0) {
        load(p);
    } else if (strcmp(operation, "int64") == 0) {
        int64_t number = wick_generator_random_int64(generator);
        show(&number, sizeof(number), out);
    } else {
        return false;
    }
    return true;
}

/* A tensor of zeros whose length is the word at that place. */
static wick_tensor *blank(player *p, wick_dtype dtype, int place)
{
    wick_tensor *tensor;
    int64_t count = integer(p, place);
    assert_int_equal(wick_tensor_new(p->context, dtype, 1, &count, &tensor), WICK_OK);
    return tensor;
}

static wick_tensor *draw(player *p)
{
    const char *operation = p->words[0];
    wick_tensor *tensor = NULL;
    wick_status status;
    int64_t first = integer(p, 1);
    if (strcmp(operation, "rand") == 0) {
        status = wick_rand(p->context, NULL, 1, &first, &tensor);
    } else if (strcmp(operation, "randn") == 0) {
        status = wick_randn(p->context, NULL, 1, &first, &tensor);
    } else if (strcmp(operation, "randperm") == 0) {
        status = wick_randperm(p->context, NULL, first, &tensor);
    } else if (strcmp(operation, "randint") == 0) {
        int64_t count = integer(p, 3);
        status = wick_randint(p->context, NULL, first, integer(p, 2), 1, &count, &tensor);
    } else if (strcmp(operation, "bytes") == 0) {
        tensor = blank(p, WICK_UINT8, 3);
        status = wick_tensor_random(tensor, NULL, first, integer(p, 2));
    } else if (strcmp(operation, "uniform") == 0) {
        tensor = blank(p, WICK_FLOAT32, 3);
        status = wick_tensor_uniform(tensor, NULL, real(p, 1), real(p, 2));
    } else if (strcmp(operation, "normal") == 0) {
        tensor = blank(p, WICK_FLOAT32, 3);
        status = wick_tensor_normal(tensor, NULL, real(p, 1), real(p, 2));
    } else {
        fail_msg("no operation '%s'", operation);
        status = WICK_EINVAL;
    }
    assert_int_equal(status, WICK_OK);
    return tensor;
}

static void play(player *p, char *line, int number)
{
    char got[160];
    char *arrow = strstr(line, " -> ");
    assert_non_null(arrow);
    *arrow = '\0';
    const char *wanted = arrow + strlen(" -> ");
    memset(p->words, 0, sizeof(p->words));
    sscanf(line, "%63s %63s %63s %63s %63s", p->words[0], p->words[1], p->words[2], p->words[3],
           p->words[4]);
    if (!play_plain(p, got)) {
        wick_tensor *tensor = draw(p);
        show(wick_tensor_data(tensor),
             (size_t)wick_tensor_numel(tensor) * wick_dtype_size(wick_tensor_dtype(tensor)), got);
        wick_tensor_free(tensor);
    }
    if (strcmp(got, wanted) != 0)
        fail_msg("line %d, %s: PyTorch drew %s, wick %s", number, line, wanted, got);
}

static void test_draws(void **state)
{
    (void)state;
    player p;
    uint8_t *bytes;
    size_t length;
    int lines = 0;
    assert_int_equal(wick_context_new(&p.context), WICK_OK);
    read_fixture(p.context, "random_numbers.txt", &bytes, &length);
    for (char *line = (char *)bytes, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        play(&p, line, ++lines);
    }
    assert_true(lines > 900);
    free(bytes);
    wick_context_free(p.context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_draws)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
