/* checkpoint.pth: a training between two steps, as one dict of tensors. */
#include "data/data_internal.h"
#include "tensor/tensor_internal.h"
#include "train/run_internal.h"

#include <stdlib.h>
#include <string.h>
#include <wick/checkpoint.h>

/* What is in the file, and how, is told by this number: another one is refused. */
enum { FORMAT = 1, EPOCH_NUMBERS = 6 };

/* ---- saving ---- */

/* Adds a part that was made just now; status is that of making it. */
static wick_status add_made(wick_state_dict *dict, const char *prefix, wick_status status,
                            wick_state_dict *part)
{
    return status == WICK_OK ? wki_state_dict_add_part(dict, prefix, part) : status;
}

static wick_status add_objects(const wick_training *training, wick_state_dict *dict)
{
    wick_state_dict *part = NULL;
    wick_status status = wick_module_state_dict(training->model, &part);
    WKI_TRY(add_made(dict, "model.", status, part));
    status = wick_optimizer_state_dict(training->optimizer, &part);
    WKI_TRY(add_made(dict, "optimizer.", status, part));
    status = wick_loader_state_dict(training->loader, &part);
    return add_made(dict, "loader.", status, part);
}

static wick_status add_generator(wick_context *context, wick_state_dict *dict)
{
    uint8_t state[WICK_GENERATOR_STATE_SIZE];
    wick_generator_get_state(wick_default_generator(context), state);
    return wki_state_dict_add_generator(dict, "generator", state);
}

static wick_status add_place(const wick_training *training, wick_state_dict *dict)
{
    const wick_pass *pass = &training->pass;
    WKI_TRY(wki_state_dict_add_i64(dict, "format", FORMAT));
    WKI_TRY(wki_state_dict_add_i64(dict, "epoch", training->epoch));
    WKI_TRY(wki_state_dict_add_i64(dict, "pass.batches", pass->batches));
    WKI_TRY(wki_state_dict_add_i64(dict, "pass.correct", pass->correct));
    WKI_TRY(wki_state_dict_add_i64(dict, "pass.count", pass->count));
    WKI_TRY(wki_state_dict_add_f64(dict, "pass.loss", (double)pass->loss));
    WKI_TRY(wki_state_dict_add_f64(dict, "pass.accuracy", pass->accuracy));
    return wki_state_dict_add_f64(dict, "pass.seconds", pass->seconds);
}

/* int64 [epochs, 6]: a row of results.csv each, the numbers behind the first as the bits of doubles. */
static wick_status add_epochs(const wick_run *run, wick_state_dict *dict)
{
    const int64_t shape[2] = {(int64_t)run->epoch_count, EPOCH_NUMBERS};
    wick_tensor *rows;
    WKI_TRY(wick_tensor_new(run->context, WICK_INT64, 2, shape, &rows));
    int64_t *row = wick_tensor_i64(rows);
    for (size_t i = 0; i < run->epoch_count; i++, row += EPOCH_NUMBERS) {
        const wick_epoch *e = &run->epochs[i];
        const double numbers[] = {e->train_loss, e->train_acc, e->test_loss, e->test_acc, e->seconds};
        row[0] = e->epoch;
        memcpy(row + 1, numbers, sizeof(numbers));
    }
    wick_status status = wick_state_dict_add(dict, "epochs", rows);
    if (status != WICK_OK)
        wick_tensor_free(rows);
    return status;
}

static wick_status save(const wick_run *run, const wick_training *training, wick_state_dict *dict)
{
    char *path;
    WKI_TRY(add_objects(training, dict));
    WKI_TRY(add_generator(run->context, dict));
    WKI_TRY(add_place(training, dict));
    WKI_TRY(add_epochs(run, dict));
    WKI_TRY(wick_run_path(run, WKI_CHECKPOINT_FILE, &path));
    wick_status status = wick_save(dict, path);
    free(path);
    return status;
}

static wick_status check(const wick_run *run, const wick_training *training)
{
    if (training == NULL || training->model == NULL || training->optimizer == NULL ||
        training->loader == NULL)
        return wki_fail(run->context, WICK_EINVAL,
                        "a checkpoint needs a model, its optimizer and its loader");
    return WICK_OK;
}

wick_status wick_run_save_checkpoint(wick_run *run, const wick_training *training)
{
    wick_state_dict *dict;
    if (run == NULL)
        return WICK_EINVAL;
    WKI_TRY(check(run, training));
    WKI_TRY(wick_state_dict_new(run->context, &dict));
    wick_status status = save(run, training, dict);
    wick_state_dict_free(dict);
    return status;
}

/* ---- loading ---- */

static wick_status load_place(const wick_run *run, const wick_state_dict *dict, wick_training *training)
{
    int64_t format = 0;
    double loss = 0;
    wick_pass *pass = &training->pass;
    const int64_t batches = wick_loader_length(training->loader);
    const int64_t count = wick_dataset_count(wick_loader_dataset(training->loader));
    WKI_TRY(wki_state_dict_get_i64(dict, "format", FORMAT, FORMAT, &format));
    WKI_TRY(wki_state_dict_get_i64(dict, "epoch", 0, run->args.epochs, &training->epoch));
    const int64_t most = training->epoch < run->args.epochs ? batches : 0;
    WKI_TRY(wki_state_dict_get_i64(dict, "pass.batches", 0, most, &pass->batches));
    WKI_TRY(wki_state_dict_get_i64(dict, "pass.correct", 0, count, &pass->correct));
    WKI_TRY(wki_state_dict_get_i64(dict, "pass.count", 0, count, &pass->count));
    WKI_TRY(wki_state_dict_get_f64(dict, "pass.loss", &loss));
    pass->loss = (float)loss;
    WKI_TRY(wki_state_dict_get_f64(dict, "pass.accuracy", &pass->accuracy));
    return wki_state_dict_get_f64(dict, "pass.seconds", &pass->seconds);
}

/* Loads a part into an object by its own function. */
#define LOAD_PART(dict, prefix, load, object)                                                           \
    do {                                                                                                \
        wick_state_dict *part;                                                                          \
        WKI_TRY(wki_state_dict_part(dict, prefix, &part));                                              \
        wick_status load_status = load(object, part);                                                   \
        wick_state_dict_free(part);                                                                     \
        WKI_TRY(load_status);                                                                           \
    } while (0)

static wick_status load_objects(const wick_run *run, const wick_state_dict *dict,
                                const wick_training *training)
{
    LOAD_PART(dict, "model.", wick_module_load_state_dict, training->model);
    LOAD_PART(dict, "optimizer.", wick_optimizer_load_state_dict, training->optimizer);
    LOAD_PART(dict, "loader.", wick_loader_load_state_dict, training->loader);
    int64_t given = wki_loader_batches_given(training->loader);
    if (training->pass.batches != 0 && training->pass.batches != given)
        return wki_fail(run->context, WICK_EFORMAT,
                        "'pass.batches' is %lld, and the loader's place is batch %lld",
                        (long long)training->pass.batches, (long long)given);
    return WICK_OK;
}

static wick_status load_epochs(wick_run *run, const wick_state_dict *dict)
{
    const wick_tensor *rows = wick_state_dict_get(dict, "epochs");
    if (rows == NULL || rows->dtype != WICK_INT64 || rows->ndim != 2 ||
        rows->shape[0] > run->args.epochs || rows->shape[1] != EPOCH_NUMBERS)
        return wki_fail(run->context, WICK_EFORMAT,
                        "'epochs' must be there, at most [%lld, %d] of torch.int64",
                        (long long)run->args.epochs, EPOCH_NUMBERS);
    size_t count = (size_t)rows->shape[0];
    WKI_TRY(wki_grow(run->context, (void **)&run->epochs, &run->epoch_capacity, count,
                     sizeof(*run->epochs), "the epochs"));
    const int64_t *row = rows->data;
    for (size_t i = 0; i < count; i++, row += EPOCH_NUMBERS) {
        double numbers[EPOCH_NUMBERS - 1];
        memcpy(numbers, row + 1, sizeof(numbers));
        run->epochs[i] = (wick_epoch){row[0],
                                      numbers[0],
                                      numbers[1],
                                      numbers[2],
                                      numbers[3],
                                      numbers[4],
                                      run->args.how.validation != NULL};
    }
    run->epoch_count = count;
    return WICK_OK;
}

static wick_status load(wick_run *run, const wick_state_dict *dict, wick_training *training)
{
    const uint8_t *state = NULL;
    WKI_TRY(load_place(run, dict, training));
    WKI_TRY(load_objects(run, dict, training));
    WKI_TRY(load_epochs(run, dict));
    WKI_TRY(wki_state_dict_get_generator(dict, "generator", &state));
    return wick_generator_set_state(wick_default_generator(run->context), state);
}

wick_status wick_run_load_checkpoint(wick_run *run, wick_training *training)
{
    wick_state_dict *dict;
    char *path;
    if (run == NULL)
        return WICK_EINVAL;
    WKI_TRY(check(run, training));
    WKI_TRY(wick_run_path(run, WKI_CHECKPOINT_FILE, &path));
    wick_status status = wick_load(run->context, path, &dict);
    if (status == WICK_ENOENT)
        run->epoch_count = 0;
    if (status == WICK_OK) {
        status = load(run, dict, training);
        wick_state_dict_free(dict);
        if (status != WICK_OK)
            status = wki_fail_in(run->context, status, "%s", path);
    }
    free(path);
    return status;
}
