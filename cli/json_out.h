/* Writing JSON to stdout. */
#ifndef CLI_JSON_OUT_H
#define CLI_JSON_OUT_H

#include <wick/wick.h>

/* Zero before the first call. */
typedef struct cli_json {
    bool comma;
} cli_json;

/* key is NULL in an array and for the outermost value. bracket is '{' or '['; the closing call takes '}'
 * or ']'. */
void json_open(cli_json *json, const char *key, char bracket);
void json_close(cli_json *json, char bracket);
void json_text(cli_json *json, const char *key, const char *value);
void json_int(cli_json *json, const char *key, int64_t value);
/* From 2^63 on as a string, as in results.json. */
void json_seed(cli_json *json, const char *key, uint64_t seed);
/* null for a number that is not finite. */
void json_number(cli_json *json, const char *key, double value);
void json_bool(cli_json *json, const char *key, bool value);
void json_ints(cli_json *json, const char *key, int64_t count, const int64_t *values);
/* A float32 or int64 tensor as nested arrays. */
void json_tensor(cli_json *json, const char *key, const wick_tensor *tensor);
/* The members of results.json. */
void json_results(cli_json *json, const wick_results *results);

#endif
