/* Without the libraries, and without a font: one line that says what to install. The linker's --wrap
 * sends dlopen() and dlsym() here. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <wick/wick.h>

void *__real_dlopen(const char *name, int flags);
void *__real_dlsym(void *library, const char *name);
void *__wrap_dlopen(const char *name, int flags);
void *__wrap_dlsym(void *library, const char *name);

static bool no_library;
static const char *missing_function;

void *__wrap_dlopen(const char *name, int flags)
{
    return __real_dlopen(no_library ? "libthere-is-none.so.0" : name, flags);
}

void *__wrap_dlsym(void *library, const char *name)
{
    bool missing = missing_function != NULL && strcmp(name, missing_function) == 0;
    return __real_dlsym(library, missing ? "there_is_no_such_function" : name);
}

static void expect_unsupported(const char *const *parts)
{
    wick_context *context;
    wick_plotter *plotter = NULL;
    assert_int_equal(wick_context_new(&context), WICK_OK);
    assert_int_equal(wick_plotter_new(context, &plotter), WICK_ENOTSUP);
    assert_null(plotter);
    const char *message = wick_context_message(context);
    for (; *parts != NULL; parts++)
        if (strstr(message, *parts) == NULL)
            fail_msg("'%s' does not say '%s'", message, *parts);
    assert_null(strchr(message, '\n'));
    wick_context_free(context);
}

static void test_no_library(void **state)
{
    (void)state;
    no_library = true;
    expect_unsupported((const char *const[]){"libcairo2", "libpangocairo-1.0-0", "not installed", NULL});
    no_library = false;
}

static void test_old_library(void **state)
{
    (void)state;
    missing_function = "pango_font_map_load_font";
    expect_unsupported((const char *const[]){"newer", "libcairo2", "libpangocairo-1.0-0", NULL});
    missing_function = NULL;
}

/* In a process of its own: fontconfig reads its settings once. */
static void test_no_font(void **state)
{
    char path[] = "/tmp/wick-fonts-XXXXXX";
    (void)state;
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    fputs("<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\"><fontconfig></fontconfig>",
          file);
    fclose(file);
    setenv("FONTCONFIG_FILE", path, 1);
    expect_unsupported((const char *const[]){"font", "fonts-dejavu-core", NULL});
    unlink(path);
}

static void test_arguments(void **state)
{
    wick_context *context;
    (void)state;
    assert_int_equal(wick_plotter_new(NULL, NULL), WICK_EINVAL);
    assert_int_equal(wick_context_new(&context), WICK_OK);
    assert_int_equal(wick_plotter_new(context, NULL), WICK_EINVAL);
    assert_true(wick_plotter_is_built());
    wick_plotter_free(NULL);
    wick_figure_free(NULL);
    wick_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_no_library),
        cmocka_unit_test(test_old_library),
        cmocka_unit_test(test_no_font),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
