/* Batches, what is drawn for them, and ToTensor, against PyTorch's; dataloader/make.py says how it is
 * written. */
#include "data/data_internal.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static FILE *open_fixture(void)
{
    char path[4096];
    const char *root = getenv("WICK_TEST_SOURCE");
    assert_non_null(root);
    snprintf(path, sizeof(path), "%s/oracle/dataloader/dataloader.txt", root);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s is missing", path);
    return file;
}

static wick_dataset *make_dataset(wick_context *context, int64_t count)
{
    static const char *const classes[] = {"only"};
    wick_dataset *dataset;
    uint8_t *pixels = calloc((size_t)count, 1);
    int64_t *labels = calloc((size_t)count, sizeof(*labels));
    assert_non_null(pixels);
    assert_non_null(labels);
    for (int64_t i = 0; i < count; i++)
        pixels[i] = (uint8_t)i;
    assert_int_equal(wick_dataset_from(context, count, 1, 1, 1, pixels, labels, 1, classes, &dataset),
                     WICK_OK);
    free(pixels);
    free(labels);
    return dataset;
}

static void test_pixels(void **state)
{
    wick_context *context;
    char line[256], number[64];
    int seen = 0, value;
    (void)state;
    assert_int_equal(wick_context_new(&context), WICK_OK);
    wick_dataset *dataset = make_dataset(context, 256);
    FILE *file = open_fixture();
    while (fgets(line, sizeof(line), file) != NULL &&
           sscanf(line, "pixel %d %63s", &value, number) == 2) {
        wick_tensor *image;
        float wanted = strtof(number, NULL);
        assert_int_equal(wick_dataset_get(dataset, value, &image, NULL), WICK_OK);
        assert_memory_equal(wick_tensor_f32(image), &wanted, sizeof(wanted));
        wick_tensor_free(image);
        seen++;
    }
    assert_int_equal(seen, 256);
    fclose(file);
    wick_dataset_free(dataset);
    wick_context_free(context);
}

static uint64_t add(uint64_t hash, int64_t number)
{
    for (int i = 0; i < 8; i++)
        hash = (hash ^ ((uint64_t)number >> 8 * i & 0xff)) * UINT64_C(0x100000001b3);
    return hash;
}

/* What make.py's run_epoch writes. */
static void run_epoch(wick_loader *loader, int64_t stop, char *out, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    char head[256] = "";
    int64_t batches = 0;
    assert_int_equal(wick_loader_begin(loader), WICK_OK);
    while (stop < 0 || batches < stop) {
        const int64_t *indices;
        int64_t count;
        assert_int_equal(wick_loader_next_indices(loader, &indices, &count), WICK_OK);
        if (count == 0)
            break;
        hash = add(hash, count);
        for (int64_t i = 0; i < count; i++)
            hash = add(hash, indices[i]);
        if (batches++ < 4)
            snprintf(head + strlen(head), sizeof(head) - strlen(head), " %" PRId64 " %" PRId64, count,
                     indices[0]);
    }
    snprintf(out, size, "epoch %" PRId64 " %" PRId64 " %016" PRIx64 "%s\n", stop, batches, hash, head);
}

/* A case that is being run. */
typedef struct loader_case {
    wick_context *context;
    wick_dataset *dataset;
    wick_generator *generator;
    wick_loader *loader;
    char name[256];
} loader_case;

static bool start_case(loader_case *c, const char *line)
{
    int64_t count, batch, seed;
    int shuffle, drop_last, own;
    if (sscanf(line, "case %" SCNd64 " %" SCNd64 " %d %d %" SCNd64 " %d", &count, &batch, &shuffle,
               &drop_last, &seed, &own) != 6)
        return false;
    snprintf(c->name, sizeof(c->name), "%s", line);
    wick_manual_seed(c->context, (uint64_t)seed);
    if (own) {
        assert_int_equal(wick_generator_new(c->context, &c->generator), WICK_OK);
        wick_generator_manual_seed(c->generator, (uint64_t)seed + 1);
    }
    c->dataset = make_dataset(c->context, count);
    const wick_loader_options options = {
        .batch_size = batch, .shuffle = shuffle, .drop_last = drop_last, .generator = c->generator};
    assert_int_equal(wick_loader_new(c->dataset, &options, &c->loader), WICK_OK);
    return true;
}

static void end_case(loader_case *c, const char *line)
{
    int64_t wanted, wanted_own;
    assert_int_equal(sscanf(line, "draws %" SCNd64 " %" SCNd64, &wanted, &wanted_own), 2);
    int64_t draw = wick_generator_random_int64(wick_default_generator(c->context));
    int64_t own = c->generator == NULL ? 0 : wick_generator_random_int64(c->generator);
    if (draw != wanted || own != wanted_own)
        fail_msg("%safter it the generators gave %" PRId64 " %" PRId64 " instead of %s", c->name, draw,
                 own, line);
    wick_loader_free(c->loader);
    wick_generator_free(c->generator);
    wick_dataset_free(c->dataset);
    *c = (loader_case){.context = c->context};
}

static void test_batches(void **state)
{
    loader_case c = {0};
    char line[256], got[256];
    int cases = 0;
    int64_t stop;
    (void)state;
    assert_int_equal(wick_context_new(&c.context), WICK_OK);
    FILE *file = open_fixture();
    while (fgets(line, sizeof(line), file) != NULL) {
        if (start_case(&c, line)) {
            cases++;
        } else if (sscanf(line, "epoch %" SCNd64, &stop) == 1) {
            run_epoch(c.loader, stop, got, sizeof(got));
            if (strcmp(got, line) != 0)
                fail_msg("%s%sinstead of\n%s", c.name, got, line);
        } else if (strncmp(line, "draws", 5) == 0) {
            end_case(&c, line);
        }
    }
    assert_int_equal(cases, 146);
    fclose(file);
    wick_context_free(c.context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels),
        cmocka_unit_test(test_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
