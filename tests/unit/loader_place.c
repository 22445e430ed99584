/* A loader's place, saved and gone to by another loader: every batch from there on is the same. */
#include "tensor/tensor_internal.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wick/checkpoint.h>
#include <wick/data.h>

#include <cmocka.h>

enum { MOST = 60, EPOCHS = 3, ROUNDS = 100 };

#define OK(call) assert_int_equal((call), WICK_OK)

typedef struct side {
    wick_context *context;
    wick_dataset *dataset;
    wick_generator *generator; /* the caller's, or NULL */
    wick_loader *loader;
} side;

typedef struct trial {
    int64_t count;
    wick_loader_options options;
    bool own_generator;
    uint64_t seed;
} trial;

static void open_side(side *s, const trial *t)
{
    static const uint8_t pixels[MOST];
    static const int64_t labels[MOST];
    static const char *const classes[1] = {"one"};
    wick_loader_options options = t->options;
    *s = (side){0};
    OK(wick_context_new(&s->context));
    OK(wick_dataset_from(s->context, t->count, 1, 1, 1, pixels, labels, 1, classes, &s->dataset));
    if (t->own_generator)
        OK(wick_generator_new(s->context, &s->generator));
    options.generator = s->generator;
    OK(wick_loader_new(s->dataset, &options, &s->loader));
    wick_manual_seed(s->context, t->seed);
    if (s->generator != NULL)
        wick_generator_manual_seed(s->generator, t->seed + 1);
}

static void close_side(side *s)
{
    wick_loader_free(s->loader);
    wick_generator_free(s->generator);
    wick_dataset_free(s->dataset);
    wick_context_free(s->context);
}

static wick_generator *drawn_from(side *s)
{
    return s->generator != NULL ? s->generator : wick_default_generator(s->context);
}

/* Both give the same batch; false: it was the epoch's end. */
static bool same_batch(side *a, side *b)
{
    const int64_t *from_a, *from_b;
    int64_t count_a, count_b;
    OK(wick_loader_next_indices(a->loader, &from_a, &count_a));
    OK(wick_loader_next_indices(b->loader, &from_b, &count_b));
    assert_int_equal(count_a, count_b);
    assert_memory_equal(from_a, from_b, (size_t)count_a * sizeof(*from_a));
    return count_a > 0;
}

static void same_generators(side *a, side *b)
{
    uint8_t state_a[WICK_GENERATOR_STATE_SIZE], state_b[WICK_GENERATOR_STATE_SIZE];
    wick_generator_get_state(drawn_from(a), state_a);
    wick_generator_get_state(drawn_from(b), state_b);
    assert_memory_equal(state_a, state_b, sizeof(state_a));
}

/* Takes a's place and generator to b, by way of a file's bytes. */
static void carry(side *a, side *b)
{
    char path[64];
    uint8_t state[WICK_GENERATOR_STATE_SIZE];
    wick_state_dict *dict, *read;
    snprintf(path, sizeof(path), "/tmp/wick-place-%d.pth", (int)getpid());
    OK(wick_loader_state_dict(a->loader, &dict));
    OK(wick_save(dict, path));
    wick_state_dict_free(dict);
    OK(wick_load(b->context, path, &read));
    OK(wick_loader_load_state_dict(b->loader, read));
    wick_state_dict_free(read);
    wick_generator_get_state(drawn_from(a), state);
    OK(wick_generator_set_state(drawn_from(b), state));
    remove(path);
}

/* Leaves a somewhere in its second epoch, carries its place over, and runs both through two more. */
static void try_one(const trial *t, int64_t batches)
{
    side a, b;
    const int64_t *indices;
    int64_t count = 1;
    open_side(&a, t);
    open_side(&b, &(trial){t->count, t->options, t->own_generator, t->seed + 99});
    OK(wick_loader_begin(b.loader)); /* b was elsewhere */
    OK(wick_loader_next_indices(b.loader, &indices, &count));
    OK(wick_loader_begin(a.loader));
    for (count = 1; count > 0;)
        OK(wick_loader_next_indices(a.loader, &indices, &count));
    OK(wick_loader_begin(a.loader));
    for (int64_t i = 0; i < batches; i++)
        OK(wick_loader_next_indices(a.loader, &indices, &count));
    carry(&a, &b);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        while (same_batch(&a, &b))
            same_generators(&a, &b);
        same_generators(&a, &b);
        OK(wick_loader_begin(a.loader));
        OK(wick_loader_begin(b.loader));
    }
    close_side(&a);
    close_side(&b);
}

static void test_a_place_is_gone_to(void **state)
{
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < ROUNDS; round++) {
        trial t = {.count = 1 + rand() % MOST, .own_generator = rand() % 2, .seed = (uint64_t)rand()};
        t.options = (wick_loader_options){
            .batch_size = 1 + rand() % 9, .shuffle = rand() % 4 > 0, .drop_last = rand() % 2};
        int64_t length = t.count / t.options.batch_size + 1;
        try_one(&t, rand() % (length + 2)); /* the end too, and once more */
    }
}

/* Another loader, another time, numbers that cannot be: refused, and the loader stays where it is. */
typedef struct lie {
    const char *key;
    int64_t number;
    wick_status status;
    const char *message;
} lie;

static void copy_but(const wick_state_dict *from, const lie *l, wick_state_dict *to)
{
    for (int64_t i = 0; i < wick_state_dict_count(from); i++) {
        wick_tensor *copy;
        const char *key = wick_state_dict_key(from, i);
        if (l->status == WICK_EKEY && strcmp(key, l->key) == 0)
            continue;
        OK(wick_tensor_clone(wick_state_dict_tensor(from, i), &copy));
        if (strcmp(key, l->key) == 0)
            *(int64_t *)wick_tensor_data(copy) = l->number;
        OK(wick_state_dict_add(to, key, copy));
    }
}

static void test_lies_are_refused(void **state)
{
    (void)state;
    static const lie lies[] = {
        {"count", 0, WICK_EKEY, "'count' is missing"},
        {"next", 0, WICK_EKEY, "'next' is missing"},
        {"order", 0, WICK_EFORMAT, "left is"},
        {"order", 0, WICK_EKEY, "no place"},
        {"count", 21, WICK_EFORMAT, "21 examples in batches of 4, shuffled; this one has 20"},
        {"batch_size", 5, WICK_EFORMAT, "in batches of 5, shuffled; this one has 20 in batches of 4"},
        {"batch_size", 0, WICK_EFORMAT, "in batches of 0"},
        {"shuffle", 0, WICK_EFORMAT, "in batches of 4; this"},
        {"drop_last", 1, WICK_EFORMAT, "whole ones; this"},
        {"shuffle", 2, WICK_EFORMAT, "'shuffle' is 2; it must be 0 to 1"},
        {"begun", 0, WICK_EFORMAT, "no place"},
        {"dry", 1, WICK_EFORMAT, "no place"},
        {"next", 7, WICK_EFORMAT, "example 7 of 20 is no place"},
        {"next", 24, WICK_EFORMAT, "'next' is 24; it must be 0 to 20"},
        {"next", -4, WICK_EFORMAT, "'next' is -4"},
    };
    const trial t = {.count = 20, .options = {.batch_size = 4, .shuffle = true}, .seed = 3};
    side a, b;
    wick_state_dict *dict, *changed;
    open_side(&a, &t);
    open_side(&b, &t);
    assert_int_equal(wick_loader_load_state_dict(NULL, NULL), WICK_EINVAL);
    assert_int_equal(wick_loader_load_state_dict(b.loader, NULL), WICK_EINVAL);
    assert_int_equal(wick_loader_state_dict(a.loader, NULL), WICK_EINVAL);
    OK(wick_loader_begin(a.loader));
    OK(wick_loader_begin(b.loader));
    assert_true(same_batch(&a, &b));
    OK(wick_loader_state_dict(a.loader, &dict));
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        OK(wick_state_dict_new(b.context, &changed));
        copy_but(dict, &lies[i], changed);
        if (strcmp(lies[i].key, "order") == 0 && lies[i].status == WICK_EFORMAT)
            memset(wick_tensor_data(wick_state_dict_get(changed, "order")), 0xff, 64);
        wick_status wanted = strstr(lies[i].message, "missing") != NULL ? WICK_EKEY : WICK_EFORMAT;
        assert_int_equal(wick_loader_load_state_dict(b.loader, changed), wanted);
        if (strstr(wick_context_message(b.context), lies[i].message) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", lies[i].message, wick_context_message(b.context));
        wick_state_dict_free(changed);
    }
    wick_state_dict_free(dict);
    while (same_batch(&a, &b))
        same_generators(&a, &b);
    close_side(&a);
    close_side(&b);
}

static void test_kinds_are_refused(void **state)
{
    (void)state;
    const trial t = {.count = 20, .options = {.batch_size = 4}, .seed = 3};
    const float number = 20;
    wick_state_dict *dict;
    wick_tensor *tensor;
    side s;
    open_side(&s, &t);
    OK(wick_state_dict_new(s.context, &dict));
    OK(wick_tensor_from(s.context, WICK_FLOAT32, 0, NULL, &number, &tensor));
    OK(wick_state_dict_add(dict, "count", tensor));
    assert_int_equal(wick_loader_load_state_dict(s.loader, dict), WICK_EFORMAT);
    assert_string_equal(wick_context_message(s.context),
                        "'count' is torch.float32 []; it must be 1 of torch.int64");
    wick_state_dict_free(dict);
    close_side(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_place_is_gone_to),
        cmocka_unit_test(test_lies_are_refused),
        cmocka_unit_test(test_kinds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
