/* What an optimizer's state_dict must be to be loaded: it comes out of a file. */
#include "optim/optimizer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct fixture {
    wick_context *context;
    wick_module *model;
    wick_optimizer *optimizer;
    wick_state_dict *dict;
} fixture;

#define OK(call) assert_int_equal((call), WICK_OK)

/* AdamW with an average, which also has batch normalisation's buffers, after no step. */
static int set_up(void **state)
{
    static fixture f;
    static const int64_t shape[3] = {1, 2, 2};
    OK(wick_context_new(&f.context));
    OK(wick_model_parse(f.context, "Sequential(Flatten(), BatchNorm1d(4), Linear(4, 2))", shape,
                        &f.model));
    OK(wick_adamw(f.model, &(wick_adam_options){.lr = 0.1}, &f.optimizer));
    OK(wick_optimizer_set_ema(f.optimizer, &(wick_ema_options){.decay = 0.5}));
    OK(wick_optimizer_state_dict(f.optimizer, &f.dict));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    wick_state_dict_free(f->dict);
    wick_optimizer_free(f->optimizer);
    wick_module_free(f->model);
    wick_context_free(f->context);
    return 0;
}

/* The dict with one of its tensors replaced (owned), left out (NULL) or, where the key is another, one more. */
static wick_state_dict *changed(const fixture *f, const char *key, wick_tensor *tensor)
{
    wick_state_dict *out;
    OK(wick_state_dict_new(f->context, &out));
    for (int64_t i = 0; i < wick_state_dict_count(f->dict); i++) {
        wick_tensor *copy;
        if (strcmp(wick_state_dict_key(f->dict, i), key) == 0)
            continue;
        OK(wick_tensor_clone(wick_state_dict_tensor(f->dict, i), &copy));
        OK(wick_state_dict_add(out, wick_state_dict_key(f->dict, i), copy));
    }
    if (tensor != NULL)
        OK(wick_state_dict_add(out, key, tensor));
    return out;
}

static void expect(const fixture *f, const char *key, wick_tensor *tensor, wick_status status,
                   const char *message)
{
    wick_state_dict *dict = changed(f, key, tensor);
    wick_status got = wick_optimizer_load_state_dict(f->optimizer, dict);
    wick_state_dict_free(dict);
    if (got != status || strcmp(wick_context_message(f->context), message) != 0)
        fail_msg("%s: %s; wanted: %s", wick_status_name(got), wick_context_message(f->context), message);
    assert_true(f->optimizer->lr == 0.1 && f->optimizer->step == 0);
}

/* A number as a checkpoint has it. */
static wick_tensor *whole(const fixture *f, int64_t value)
{
    wick_tensor *out;
    OK(wick_tensor_from(f->context, WICK_INT64, 0, NULL, &value, &out));
    return out;
}

static wick_tensor *real(const fixture *f, double value)
{
    int64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return whole(f, bits);
}

static wick_tensor *zeros(const fixture *f, wick_dtype dtype, int ndim, const int64_t *shape)
{
    wick_tensor *out;
    OK(wick_tensor_new(f->context, dtype, ndim, shape, &out));
    return out;
}

static void left_out(void **state)
{
    static const struct {
        const char *key, *message;
    } cases[] = {
        {"lr", "'lr' is missing"},
        {"eps", "'eps' is missing"},
        {"step", "'step' is missing"},
        {"state.0.exp_avg", "the optimizer's state has no 'state.0.exp_avg'"},
        {"state.3.exp_avg_sq", "the optimizer's state has no 'state.3.exp_avg_sq'"},
        {"ema.2", "the optimizer's state has no 'ema.2'"},
        {"ema_buffer.1", "the optimizer's state has no 'ema_buffer.1'"},
    };
    for (size_t i = 0; i < WKI_COUNT(cases); i++)
        expect(*state, cases[i].key, NULL, WICK_EKEY, cases[i].message);
}

static void others(void **state)
{
    const fixture *f = *state;
    expect(f, "hello", real(f, 1), WICK_EKEY, "'hello' is no part of the state of AdamW");
    expect(f, "state.9.exp_avg", real(f, 1), WICK_EKEY,
           "1 tensors are no part of the state of this AdamW");
    expect(f, "emax", real(f, 1), WICK_EKEY, "1 tensors are no part of the state of this AdamW");
    expect(f, "eps", real(f, 1), WICK_EFORMAT, "eps is 1, and this AdamW was made with 1e-08");
    expect(f, "lr", real(f, -1), WICK_EFORMAT, "lr is -1; it must be a number above 0");
    expect(f, "lr", real(f, (double)INFINITY), WICK_EFORMAT, "lr is inf; it must be a number above 0");
    expect(f, "step", whole(f, -1), WICK_EFORMAT, "'step' is -1; it must be 0 to 9223372036854775806");
}

static void other_tensors(void **state)
{
    const fixture *f = *state;
    static const int64_t shape[2] = {2, 4}, turned[2] = {4, 2}, longer[1] = {9};
    expect(f, "state.2.exp_avg", zeros(f, WICK_FLOAT32, 2, turned), WICK_EFORMAT,
           "'state.2.exp_avg' is [4, 2] of torch.float32; it must be [2, 4] of torch.float32");
    expect(f, "state.2.exp_avg", zeros(f, WICK_INT64, 2, shape), WICK_EFORMAT,
           "'state.2.exp_avg' is [2, 4] of torch.int64; it must be [2, 4] of torch.float32");
    expect(f, "ema.3", zeros(f, WICK_FLOAT32, 1, longer), WICK_EFORMAT,
           "'ema.3' is [9] of torch.float32; it must be [2] of torch.float32");
    expect(f, "ema_buffer.2", zeros(f, WICK_FLOAT32, 0, NULL), WICK_EFORMAT,
           "'ema_buffer.2' is [] of torch.float32; it must be [] of torch.int64");
    /* A number is one number of its own type. */
    expect(f, "step", zeros(f, WICK_INT64, 1, longer), WICK_EFORMAT,
           "'step' is torch.int64 [9]; it must be 1 of torch.int64");
}

static void calls(void **state)
{
    const fixture *f = *state;
    wick_state_dict *dict;
    OK(wick_optimizer_load_state_dict(f->optimizer, f->dict));
    assert_int_equal(wick_optimizer_load_state_dict(NULL, f->dict), WICK_EINVAL);
    assert_int_equal(wick_optimizer_load_state_dict(f->optimizer, NULL), WICK_EINVAL);
    assert_int_equal(wick_optimizer_state_dict(NULL, &dict), WICK_EINVAL);
    assert_int_equal(wick_optimizer_state_dict(f->optimizer, NULL), WICK_EINVAL);
    OK(wick_optimizer_swap_average(f->optimizer));
    assert_int_equal(wick_optimizer_load_state_dict(f->optimizer, f->dict), WICK_EINVAL);
    assert_int_equal(wick_optimizer_state_dict(f->optimizer, &dict), WICK_EINVAL);
    OK(wick_optimizer_swap_average(f->optimizer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(left_out), cmocka_unit_test(others),
                                       cmocka_unit_test(other_tensors), cmocka_unit_test(calls)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
