#include "json_out.h"

#include "python.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* How many bytes the UTF-8 of a code point beyond ASCII has that begins here; 0: it is none. */
static int utf8_length(const unsigned char *c)
{
    const int length = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
    unsigned point = c[0] & (0x7fu >> length);
    if (c[0] < 0xc2 || c[0] > 0xf4)
        return 0;
    for (int i = 1; i < length; i++) {
        if ((c[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (c[i] & 0x3fu);
    }
    const unsigned least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
    return point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ? 0 : length;
}

/* JSON is UTF-8, and a file's name need not be: other bytes become U+FFFD. */
static void put_string(const char *string)
{
    int length;
    putchar('"');
    for (const unsigned char *c = (const unsigned char *)string; *c != '\0'; c += length) {
        length = *c < 0x80 ? 1 : utf8_length(c);
        if (length == 0) {
            fputs("\\ufffd", stdout);
            length = 1;
        } else if (*c == '"' || *c == '\\') {
            printf("\\%c", *c);
        } else if (*c < 0x20 || *c == 0x7f) {
            printf("\\u%04x", *c);
        } else {
            fwrite(c, 1, (size_t)length, stdout);
        }
    }
    putchar('"');
}

static void begin(cli_json *json, const char *key)
{
    if (json->comma)
        fputs(", ", stdout);
    if (key != NULL) {
        put_string(key);
        fputs(": ", stdout);
    }
    json->comma = true;
}

void json_open(cli_json *json, const char *key, char bracket)
{
    begin(json, key);
    putchar(bracket);
    json->comma = false;
}

void json_close(cli_json *json, char bracket)
{
    putchar(bracket);
    json->comma = true;
}

void json_text(cli_json *json, const char *key, const char *value)
{
    begin(json, key);
    put_string(value);
}

void json_int(cli_json *json, const char *key, int64_t value)
{
    begin(json, key);
    printf("%" PRId64, value);
}

void json_seed(cli_json *json, const char *key, uint64_t seed)
{
    begin(json, key);
    printf(seed > INT64_MAX ? "\"%" PRIu64 "\"" : "%" PRIu64, seed);
}

void json_number(cli_json *json, const char *key, double value)
{
    char repr[32];
    python_repr(value, repr);
    begin(json, key);
    fputs(isfinite(value) ? repr : "null", stdout);
}

void json_bool(cli_json *json, const char *key, bool value)
{
    begin(json, key);
    fputs(value ? "true" : "false", stdout);
}

void json_ints(cli_json *json, const char *key, int64_t count, const int64_t *values)
{
    json_open(json, key, '[');
    for (int64_t i = 0; i < count; i++)
        json_int(json, NULL, values[i]);
    json_close(json, ']');
}

void json_tensor(cli_json *json, const char *key, const wick_tensor *tensor)
{
    int ndim = wick_tensor_ndim(tensor);
    int64_t index[WICK_MAX_DIMS] = {0};
    const void *data = wick_tensor_cdata(tensor);
    bool floating = wick_tensor_dtype(tensor) == WICK_FLOAT32;
    for (int64_t i = 0; i < wick_tensor_numel(tensor); i++) {
        /* Every dimension from the last one that counted up begins anew here. */
        int first = ndim;
        while (first > 0 && index[first - 1] == 0)
            first--;
        for (int d = first; d < ndim; d++)
            json_open(json, i == 0 && d == 0 ? key : NULL, '[');
        if (floating)
            json_number(json, ndim == 0 ? key : NULL, (double)((const float *)data)[i]);
        else
            json_int(json, ndim == 0 ? key : NULL, ((const int64_t *)data)[i]);
        int d = ndim - 1;
        for (; d >= 0 && ++index[d] == wick_tensor_size(tensor, d); d--) {
            index[d] = 0;
            json_close(json, ']');
        }
    }
}

static void json_epoch(cli_json *json, const wick_epoch *epoch)
{
    json_open(json, NULL, '{');
    json_int(json, "epoch", epoch->epoch);
    json_number(json, "train_loss", epoch->train_loss);
    json_number(json, "train_acc", epoch->train_acc);
    json_number(json, epoch->validation ? "valid_loss" : "test_loss", epoch->test_loss);
    json_number(json, epoch->validation ? "valid_acc" : "test_acc", epoch->test_acc);
    json_number(json, "seconds", epoch->seconds);
    json_close(json, '}');
}

void json_results(cli_json *json, const wick_results *results)
{
    json_text(json, "model_name", results->model_name);
    json_number(json, "model_loss", results->model_loss);
    json_number(json, "model_acc", results->model_acc);
    json_number(json, "accuracy", results->accuracy);
    json_number(json, "train_time", results->train_time);
    json_text(json, "device", results->device);
    json_int(json, "threads", results->threads);
    json_seed(json, "seed", results->seed);
    json_int(json, "parameters", results->parameters);
    json_open(json, "epochs", '[');
    for (int64_t i = 0; i < results->epoch_count; i++)
        json_epoch(json, &results->epochs[i]);
    json_close(json, ']');
}
