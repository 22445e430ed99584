/* Saving over a file that is there, and loading. */
#include "fault.h"

enum { TENSORS = 3 };

/* A dict of three tensors of this number. */
static wick_status make_dict(wick_context *context, float number, wick_state_dict **out)
{
    static const char *const keys[TENSORS] = {"layer_stack.1.weight", "layer_stack.1.bias", "steps"};
    static const int64_t shape[2] = {7, 5};
    float numbers[35];
    int64_t whole[35] = {0};
    wick_state_dict *dict = NULL;
    wick_tensor *tensor = NULL;
    wick_status status;
    for (int i = 0; i < 35; i++)
        numbers[i] = number;
    whole[0] = (int64_t)number;
    FAULT_TRY(wick_state_dict_new(context, &dict));
    for (int i = 0; i < TENSORS; i++) {
        bool integers = i == TENSORS - 1;
        FAULT_TRY(wick_tensor_from(context, integers ? WICK_INT64 : WICK_FLOAT32, 2 - i, shape,
                                   integers ? (const void *)whole : numbers, &tensor));
        FAULT_TRY(wick_state_dict_add(dict, keys[i], tensor));
        tensor = NULL;
    }
    *out = dict;
    dict = NULL;
out:
    wick_tensor_free(tensor);
    wick_state_dict_free(dict);
    return status;
}

static bool is_dict_of(const wick_state_dict *dict, float number)
{
    wick_tensor *weight = wick_state_dict_get(dict, "layer_stack.1.weight");
    wick_tensor *steps = wick_state_dict_get(dict, "steps");
    return wick_state_dict_count(dict) == TENSORS && weight != NULL && steps != NULL &&
           wick_tensor_numel(weight) == 35 && wick_tensor_f32(weight)[34] == number &&
           wick_tensor_i64(steps)[0] == (int64_t)number;
}

static void save_old(wick_context *context, const char *folder)
{
    char path[FAULT_PATH];
    wick_state_dict *dict;
    FAULT_MUST(make_dict(context, 1, &dict));
    FAULT_MUST(wick_save(dict, fault_path(path, folder, "model.pth")));
    wick_state_dict_free(dict);
}

static wick_status run_save(wick_context *context, const char *folder)
{
    char path[FAULT_PATH];
    wick_state_dict *dict;
    wick_status status = make_dict(context, 2, &dict);
    if (status != WICK_OK)
        return status;
    status = wick_save(dict, fault_path(path, folder, "model.pth"));
    wick_state_dict_free(dict);
    return status;
}

static void after_save(wick_context *context, const char *folder, wick_status status)
{
    char path[FAULT_PATH];
    wick_state_dict *dict;
    FAULT_MUST(wick_load(context, fault_path(path, folder, "model.pth"), &dict));
    FAULT_CHECK(is_dict_of(dict, status == WICK_OK ? 2 : 1));
    wick_state_dict_free(dict);
}

static wick_status run_load(wick_context *context, const char *folder)
{
    char path[FAULT_PATH];
    wick_state_dict *dict;
    wick_status status = wick_load(context, fault_path(path, folder, "model.pth"), &dict);
    if (status != WICK_OK)
        return status;
    FAULT_CHECK(is_dict_of(dict, 1));
    wick_state_dict_free(dict);
    return WICK_OK;
}

const fault_scenario fault_scenarios[] = {
    {.name = "save", .prepare = save_old, .run = run_save, .after = after_save},
    {.name = "load", .prepare = save_old, .run = run_load},
    {0},
};
