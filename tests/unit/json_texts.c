/* src/format: JSON text. What is taken and what is refused is also asked of jansson, for random changes of texts. */
#include "format/json_parse.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static int make_context(void **state)
{
    return wick_context_new((wick_context **)state) == WICK_OK ? 0 : -1;
}

static int free_context(void **state)
{
    wick_context_free(*state);
    return 0;
}

static void expect_refused(wick_context *context, const char *text, size_t length, const char *message)
{
    wki_json_tree tree;
    assert_int_equal(wki_json_parse(context, text, length, &tree), WICK_EFORMAT);
    assert_string_equal(wick_context_message(context), message);
    wki_json_tree_release(&tree);
}

static void refused(void **state)
{
    static const char *const cases[][2] = {
        {"", "line 1, column 1: expected a value, but the text ends"},
        {" \n ", "line 2, column 2: expected a value, but the text ends"},
        {"{\n  1: 2}", "line 2, column 3: expected a key in double quotes, but there is '1'"},
        {"{\"a\" 1}", "line 1, column 6: expected : behind the key, but there is '1'"},
        {"{\"a\": }", "line 1, column 7: expected a value, but there is '}'"},
        {"{\"a\": 1 \"b\"", "line 1, column 9: expected , or }, but there is '\"'"},
        {"{\"a\": 1,}", "line 1, column 9: expected a key in double quotes, but there is '}'"},
        {"{\"a\": 1, \"a\": 1}", "line 1, column 10: the key \"a\" is there twice"},
        {"{\"a\": 1, \"b\": 1, \"\\u0061\": 1}", "line 1, column 18: the key \"a\" is there twice"},
        {"{\"a\": 1", "line 1, column 8: expected , or }, but the text ends"},
        {"[1 2]", "line 1, column 4: expected , or ], but there is '2'"},
        {"[1,]", "line 1, column 4: expected a value, but there is ']'"},
        {"[1}", "line 1, column 3: expected , or ], but there is '}'"},
        {"[] []", "line 1, column 4: expected the end, but there is '['"},
        {"\xef\xbb\xbf[]", "line 1, column 1: expected a value, but there is the byte 0xef"},
        {"\x7f", "line 1, column 1: expected a value, but there is the byte 0x7f"},
        {"\v1", "line 1, column 1: expected a value, but there is the byte 0x0b"},
        {"tru", "line 1, column 1: expected a value, but there is 't'"},
        {"nulll", "line 1, column 5: expected the end, but there is 'l'"},
        {"NaN", "line 1, column 1: expected a value, but there is 'N'"},
        {"-", "line 1, column 1: expected a number, such as 0, -1, 0.5 or 1e-3"},
        {"-a", "line 1, column 1: expected a number, such as 0, -1, 0.5 or 1e-3"},
        {"01", "line 1, column 1: expected a number, such as 0, -1, 0.5 or 1e-3"},
        {"1.", "line 1, column 1: expected a number, such as 0, -1, 0.5 or 1e-3"},
        {"1.e5", "line 1, column 1: expected a number, such as 0, -1, 0.5 or 1e-3"},
        {"1e", "line 1, column 1: expected a number, such as 0, -1, 0.5 or 1e-3"},
        {"1E+", "line 1, column 1: expected a number, such as 0, -1, 0.5 or 1e-3"},
        {"+1", "line 1, column 1: expected a value, but there is '+'"},
        {"0x10", "line 1, column 2: expected the end, but there is 'x'"},
        {"9223372036854775808", "line 1, column 1: the number needs more than 64 bits"},
        {"[-9223372036854775809]", "line 1, column 2: the number needs more than 64 bits"},
        {"1e999", "line 1, column 1: the number is too large"},
        {"-1e999", "line 1, column 1: the number is too large"},
        {"\"a", "line 1, column 3: expected a \" at the end of the string, but the text ends"},
        {"\"a\nb\"",
         "line 1, column 3: expected a \" at the end of the string, but there is the byte 0x0a"},
        {"\"\\", "line 1, column 2: expected one of \"\\/bfnrtu behind \\"},
        {"\"\\x\"", "line 1, column 2: expected one of \"\\/bfnrtu behind \\"},
        {"\"\\u12\"", "line 1, column 2: expected four hexadecimal digits behind \\u"},
        {"\"\\u12g4\"", "line 1, column 2: expected four hexadecimal digits behind \\u"},
        {"\"\\u0000\"", "line 1, column 2: \\u0000 is not allowed"},
        {"\"\\udc00\"", "line 1, column 2: \\udc00 is half of a character"},
        {"\"\\ud800\"", "line 1, column 2: \\ud800 is half of a character"},
        {"\"\\ud800\\n\"", "line 1, column 2: \\ud800 is half of a character"},
        {"\"\\ud800\\\\\"", "line 1, column 2: \\ud800 is half of a character"},
        {"\"\\ud800\\u0041\"", "line 1, column 2: \\ud800 is half of a character"},
        {"\"\\uD800\\ue000\"", "line 1, column 2: \\uD800 is half of a character"},
        {"\"\xff\"", "line 1, column 1: the string is not UTF-8"},
        {"{\"\xc3\": 1}", "line 1, column 2: the string is not UTF-8"},
        {"\"\xed\xa0\x80\"", "line 1, column 1: the string is not UTF-8"},
        {"\"\xc0\x80\"", "line 1, column 1: the string is not UTF-8"},
    };
    for (size_t i = 0; i < WKI_COUNT(cases); i++)
        expect_refused(*state, cases[i][0], strlen(cases[i][0]), cases[i][1]);
    expect_refused(*state, "[1\0]", 4, "line 1, column 3: expected , or ], but there is the byte 0x00");
    expect_refused(
        *state, "\"\0\"", 3,
        "line 1, column 2: expected a \" at the end of the string, but there is the byte 0x00");
    expect_refused(*state, "1\0", 2, "line 1, column 2: expected the end, but there is the byte 0x00");
}

/* A message stays one line, however long the key. */
static void long_keys(void **state)
{
    char text[700];
    wki_json_tree tree;
    snprintf(text, sizeof(text), "{\"%0300d\": 1, \"%0300d\": 2}", 0, 0);
    assert_int_equal(wki_json_parse(*state, text, strlen(text), &tree), WICK_EFORMAT);
    assert_non_null(strstr(wick_context_message(*state), "is there twice"));
    assert_true(strlen(wick_context_message(*state)) < 160);
    wki_json_tree_release(&tree);
}

static wick_status parse_text(wick_context *context, wki_text *text)
{
    wki_json_tree tree;
    char *bytes;
    assert_int_equal(wki_text_finish(text, &bytes), WICK_OK);
    wick_status status = wki_json_parse(context, bytes, strlen(bytes), &tree);
    wki_json_tree_release(&tree);
    free(bytes);
    return status;
}

static wick_status parse_nested(wick_context *context, int opened, int closed)
{
    wki_text text;
    wki_text_init(&text, context);
    for (int i = 0; i < opened; i++)
        wki_text_puts(&text, "[");
    for (int i = 0; i < closed; i++)
        wki_text_puts(&text, "]");
    return parse_text(context, &text);
}

static wick_status parse_members(wick_context *context, int count)
{
    wki_text text;
    wki_text_init(&text, context);
    for (int i = 0; i < count; i++)
        wki_text_printf(&text, "%s\"%d\": 0", i == 0 ? "{" : ",", i);
    wki_text_puts(&text, "}");
    return parse_text(context, &text);
}

static void limits(void **state)
{
    wki_json_tree tree;
    assert_int_equal(parse_nested(*state, WKI_JSON_MOST_DEPTH, WKI_JSON_MOST_DEPTH), WICK_OK);
    assert_int_equal(parse_nested(*state, WKI_JSON_MOST_DEPTH + 1, WKI_JSON_MOST_DEPTH + 1),
                     WICK_EFORMAT);
    assert_string_equal(wick_context_message(*state),
                        "line 1, column 65: arrays and objects are nested more than 64 deep");
    assert_int_equal(parse_nested(*state, 1000000, 0), WICK_EFORMAT);
    assert_int_equal(parse_members(*state, WKI_JSON_MOST_MEMBERS), WICK_OK);
    assert_int_equal(parse_members(*state, WKI_JSON_MOST_MEMBERS + 1), WICK_EFORMAT);
    assert_non_null(strstr(wick_context_message(*state), "an object of more than 256 members"));
    assert_int_equal(wki_json_parse(*state, "1", (size_t)WKI_JSON_MOST_BYTES + 1, &tree), WICK_ELIMIT);
    wki_json_tree_release(&tree);
}

/* ---- what jansson says ---- */

static void same_tree(const wki_json_tree *tree, const wki_json_node *node, const json_t *wanted);

static void same_children(const wki_json_tree *tree, const wki_json_node *node, const json_t *wanted)
{
    const wki_json_node *child = node + 1;
    for (uint32_t i = 0; i < node->count; i++, child = tree->nodes + child->next) {
        const json_t *other = json_array_get(wanted, i);
        assert_true((child->key != 0) == (node->type == WKI_JSON_OBJECT));
        if (child->key != 0) {
            const char *key = tree->bytes + child->key;
            other = json_object_get(wanted, key);
            assert_ptr_equal(wki_json_member(tree, node, key), child);
        }
        assert_non_null(other);
        same_tree(tree, child, other);
        assert_true(child->next != 0 || i + 1 == node->count);
    }
}

static void same_tree(const wki_json_tree *tree, const wki_json_node *node, const json_t *wanted)
{
    static const json_type types[] = {[WKI_JSON_NULL] = JSON_NULL,   [WKI_JSON_FALSE] = JSON_FALSE,
                                      [WKI_JSON_TRUE] = JSON_TRUE,   [WKI_JSON_INTEGER] = JSON_INTEGER,
                                      [WKI_JSON_REAL] = JSON_REAL,   [WKI_JSON_STRING] = JSON_STRING,
                                      [WKI_JSON_ARRAY] = JSON_ARRAY, [WKI_JSON_OBJECT] = JSON_OBJECT};
    assert_int_equal(types[node->type], json_typeof(wanted));
    if (node->type == WKI_JSON_INTEGER)
        assert_true(node->integer == json_integer_value(wanted));
    if (node->type == WKI_JSON_REAL)
        assert_true(node->real == json_real_value(wanted));
    if (node->type == WKI_JSON_STRING) {
        assert_int_equal(node->string.length, json_string_length(wanted));
        assert_string_equal(tree->bytes + node->string.at, json_string_value(wanted));
    }
    if (node->type == WKI_JSON_ARRAY)
        assert_int_equal(node->count, json_array_size(wanted));
    if (node->type == WKI_JSON_OBJECT)
        assert_int_equal(node->count, json_object_size(wanted));
    if (node->type >= WKI_JSON_ARRAY)
        same_children(tree, node, wanted);
}

/* Whether both take it, and find the same in it. */
static bool both_take(wick_context *context, const char *text, size_t length)
{
    wki_json_tree tree;
    json_error_t error;
    json_t *wanted = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    wick_status status = wki_json_parse(context, text, length, &tree);
    if ((wanted != NULL) != (status == WICK_OK))
        fail_msg("%s: we: %s; jansson: %s", text, wick_context_message(context), error.text);
    if (wanted != NULL)
        same_tree(&tree, tree.nodes, wanted);
    json_decref(wanted);
    wki_json_tree_release(&tree);
    return status == WICK_OK;
}

static const char *const texts[] = {
    "null",
    " true ",
    "[false,0,-0,-1,1.5e3,2E-2,0.125,1e+2,9223372036854775807,-9223372036854775808,1e-400]",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\uDE00 \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
    "{}",
    "[]",
    "[[],[[]],{}]",
    "{\"model\": \"v1\", \"classes\": [\"a\", \"b\"], \"lr\": 0.1, \"data_dir\": null,\n"
    "\t\"epochs\": [{\"epoch\": 0, \"train_loss\": 1.25}, {\"epoch\": 1, \"train_loss\": null}],\r\n"
    "\"k\\u00e9y\": {\"\": [], \"deep\": {\"er\": [1, [2, [3]]]}}, \"last\": true}",
};

static void taken(void **state)
{
    for (size_t i = 0; i < WKI_COUNT(texts); i++)
        assert_true(both_take(*state, texts[i], strlen(texts[i])));
}

static void random_changes(void **state)
{
    static const char letters[] = "{}[]\",:\\u0123456789aefldnrtsE+-. \n\xc3\xa9\xed\xa0\xf4\xff";
    unsigned seed = (unsigned)time(NULL);
    int good = 0, bad = 0;
    print_message("seed %u\n", seed);
    srand(seed);
    for (int n = 0; n < 60000; n++) {
        char text[512];
        const char *from = texts[(unsigned)rand() % WKI_COUNT(texts)];
        size_t length = strlen(from);
        memcpy(text, from, length);
        for (int changes = rand() % 3; changes >= 0; changes--) {
            char *at = text + (unsigned)rand() % length;
            size_t behind = length - (size_t)(at - text);
            int kind = rand() % 4;
            if (kind == 0 && length > 1)
                memmove(at, at + 1, --behind), length--;
            else if (kind == 1)
                memmove(at + 1, at, behind), length++;
            else
                *at = letters[(unsigned)rand() % (sizeof(letters) - 1)]; /* jansson passes over NULs */
        }
        text[length] = '\0';
        *(both_take(*state, text, length) ? &good : &bad) += 1;
    }
    print_message("%d taken, %d refused\n", good, bad);
    assert_true(good > 1000 && bad > 1000);
}

/* Of every text that is taken, each beginning is refused or taken as jansson does. */
static void every_prefix(void **state)
{
    for (size_t i = 0; i < WKI_COUNT(texts); i++)
        for (size_t length = 0; length <= strlen(texts[i]); length++) {
            char *text = strndup(texts[i], length);
            both_take(*state, text, length);
            free(text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused), cmocka_unit_test(long_keys),      cmocka_unit_test(limits),
        cmocka_unit_test(taken),   cmocka_unit_test(random_changes), cmocka_unit_test(every_prefix),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
