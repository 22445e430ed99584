/* Tensors, random numbers, state_dicts. */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

static wick_status run_tensor(wick_context *context, const char *folder)
{
    (void)folder;
    static const float numbers[6] = {1, 2, 3, 4, 5, 6};
    static const int64_t shape[2] = {2, 3}, flat[1] = {-1};
    wick_tensor *a = NULL, *b = NULL, *stacked = NULL, *soft = NULL, *best = NULL, *row = NULL,
                *wide = NULL;
    char *text = NULL;
    wick_status status;
    FAULT_TRY(wick_tensor_from(context, WICK_FLOAT32, 2, shape, numbers, &a));
    FAULT_CHECK(memcmp(wick_tensor_cdata(a), numbers, sizeof(numbers)) == 0);
    FAULT_TRY(wick_tensor_clone(a, &b));
    FAULT_CHECK(memcmp(wick_tensor_cdata(b), numbers, sizeof(numbers)) == 0);
    FAULT_TRY(wick_tensor_stack((wick_tensor *const[]){a, b}, 2, &stacked));
    FAULT_CHECK(wick_tensor_ndim(stacked) == 3 && wick_tensor_f32(stacked)[11] == 6);
    FAULT_TRY(wick_tensor_softmax(a, &soft));
    FAULT_TRY(wick_tensor_argmax(a, &best));
    FAULT_CHECK(wick_tensor_i64(best)[1] == 2);
    FAULT_TRY(wick_tensor_select(a, -1, &row));
    FAULT_CHECK(wick_tensor_f32(row)[0] == 4);
    FAULT_TRY(wick_tensor_unsqueeze(a, 0, &wide));
    FAULT_TRY(wick_tensor_reshape(b, 1, flat));
    FAULT_CHECK(wick_tensor_size(b, 0) == 6);
    FAULT_TRY(wick_tensor_format(a, 0, &text));
    FAULT_CHECK(strcmp(text, "tensor([[1., 2., 3.],\n        [4., 5., 6.]])") == 0);
out:
    wick_free(text);
    wick_tensor_free(wide);
    wick_tensor_free(row);
    wick_tensor_free(best);
    wick_tensor_free(soft);
    wick_tensor_free(stacked);
    wick_tensor_free(b);
    wick_tensor_free(a);
    return status;
}

static wick_status run_random(wick_context *context, const char *folder)
{
    (void)folder;
    static const int64_t shape[1] = {20};
    wick_generator *generator = NULL;
    wick_tensor *uniform = NULL, *normal = NULL, *integers = NULL, *order = NULL;
    wick_status status;
    FAULT_TRY(wick_generator_new(context, &generator));
    wick_generator_manual_seed(generator, 42);
    FAULT_TRY(wick_rand(context, generator, 1, shape, &uniform));
    FAULT_TRY(wick_randn(context, generator, 1, shape, &normal));
    FAULT_TRY(wick_randint(context, generator, 0, 10, 1, shape, &integers));
    wick_manual_seed(context, 42);
    FAULT_TRY(wick_randperm(context, NULL, 50, &order));
    int64_t sum = 0;
    for (int i = 0; i < 50; i++)
        sum += wick_tensor_i64(order)[i];
    FAULT_CHECK(sum == 49 * 50 / 2);
out:
    wick_tensor_free(order);
    wick_tensor_free(integers);
    wick_tensor_free(normal);
    wick_tensor_free(uniform);
    wick_generator_free(generator);
    return status;
}

static wick_status add_zeros(wick_context *context, wick_state_dict *dict, const char *key)
{
    static const int64_t shape[2] = {3, 2};
    wick_tensor *tensor;
    wick_status status = wick_tensor_new(context, WICK_FLOAT32, 2, shape, &tensor);
    if (status != WICK_OK)
        return status;
    int64_t before = wick_state_dict_count(dict);
    status = wick_state_dict_add(dict, key, tensor);
    if (status != WICK_OK) {
        FAULT_CHECK(wick_state_dict_count(dict) == before);
        wick_tensor_free(tensor); /* still ours */
    }
    return status;
}

static wick_status run_state_dict(wick_context *context, const char *folder)
{
    (void)folder;
    wick_state_dict *dict = NULL;
    char *text = NULL;
    char key[16] = "key0";
    wick_status status;
    FAULT_TRY(wick_state_dict_new(context, &dict));
    for (int i = 0; i < 20; i++) {
        key[3] = (char)('a' + i);
        FAULT_TRY(add_zeros(context, dict, key));
    }
    FAULT_CHECK(wick_state_dict_count(dict) == 20);
    FAULT_CHECK(wick_state_dict_get(dict, "keyc") == wick_state_dict_tensor(dict, 2));
    FAULT_TRY(wick_state_dict_format(dict, &text));
    FAULT_CHECK(strncmp(text, "OrderedDict(", 12) == 0 && strstr(text, "'keyt'") != NULL);
out:
    wick_free(text);
    wick_state_dict_free(dict);
    return status;
}

const fault_scenario fault_scenarios[] = {
    {.name = "tensor", .run = run_tensor},
    {.name = "random", .run = run_random},
    {.name = "state_dict", .run = run_state_dict},
    {0},
};
