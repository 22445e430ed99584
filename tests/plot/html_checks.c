#include "html_checks.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DEEPEST = 64, NAME = 24, MOST_ATTRIBUTES = 16 };

typedef struct html_reader {
    const char *start, *at;
    char open[DEEPEST][NAME];
    int depth, h1, level; /* level: of the last heading */
} html_reader;

static void wrong(const html_reader *reader, const char *what)
{
    fail_msg("%s, at byte %td: %.60s", what, reader->at - reader->start, reader->at);
}

static void read_name(html_reader *reader, char out[NAME])
{
    size_t length = strspn(reader->at, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (length == 0 || length >= NAME)
        wrong(reader, "no name");
    memcpy(out, reader->at, length);
    out[length] = '\0';
    reader->at += length;
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void check_entity(html_reader *reader)
{
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
        if (starts(reader->at, entities[i]))
            return;
    wrong(reader, "a bare '&'");
}

/* name="value"; what a value may be depends on the name. */
static void read_attribute(html_reader *reader, const char *tag, char name[NAME])
{
    read_name(reader, name);
    if (starts(name, "on"))
        wrong(reader, "a handler");
    if (!starts(reader->at, "=\""))
        wrong(reader, "an attribute that is not quoted");
    reader->at += 2;
    const char *value = reader->at;
    for (; *reader->at != '"'; reader->at++) {
        if (*reader->at == '\0' || *reader->at == '<' || *reader->at == '>')
            wrong(reader, "a value that does not end");
        if (*reader->at == '&')
            check_entity(reader);
    }
    reader->at++;
    if (strcmp(name, "src") == 0 && !starts(value, "data:image/png;base64,") &&
        !starts(value, "data:image/svg+xml;base64,"))
        wrong(reader, "a source outside the page");
    bool relative = value[0] != '/' && memchr(value, ':', strcspn(value, "\"/")) == NULL;
    if (strcmp(name, "href") == 0 && (strcmp(tag, "a") != 0 || !relative))
        wrong(reader, "a link out of the folder");
    if (strcmp(name, "srcset") == 0 || strcmp(name, "action") == 0 || strcmp(name, "srcdoc") == 0)
        wrong(reader, "an attribute that may fetch");
}

/* Returns whether one of them is an alt. */
static bool read_attributes(html_reader *reader, const char *tag)
{
    char names[MOST_ATTRIBUTES][NAME];
    int count = 0;
    bool alt = false;
    while (*reader->at == ' ') {
        reader->at++;
        if (count == MOST_ATTRIBUTES)
            wrong(reader, "too many attributes");
        read_attribute(reader, tag, names[count]);
        alt = alt || strcmp(names[count], "alt") == 0;
        for (int i = 0; i < count; i++)
            if (strcmp(names[i], names[count]) == 0)
                wrong(reader, "an attribute twice");
        count++;
    }
    if (*reader->at != '>')
        wrong(reader, "a tag that does not end");
    reader->at++;
    return alt;
}

static void check_heading(html_reader *reader, const char *tag)
{
    if (tag[0] != 'h' || !isdigit((unsigned char)tag[1]))
        return;
    int level = tag[1] - '0';
    reader->h1 += level == 1;
    if (level > reader->level + 1)
        wrong(reader, "a heading skips a level");
    reader->level = level;
}

static void read_style(html_reader *reader)
{
    const char *end = strstr(reader->at, "</style>");
    if (end == NULL)
        wrong(reader, "a style without an end");
    for (; reader->at < end; reader->at++)
        if (*reader->at == '<' || starts(reader->at, "url(") || starts(reader->at, "@import") ||
            starts(reader->at, "expression"))
            wrong(reader, "a style that may fetch or end early");
}

static void read_start(html_reader *reader)
{
    static const char *const allowed[] = {
        "html",    "head",    "meta",  "title", "style", "body", "main", "header", "footer",
        "section", "h1",      "h2",    "h3",    "p",     "dl",   "div",  "dt",     "dd",
        "table",   "caption", "thead", "tbody", "tr",    "th",   "td",   "small",  "span",
        "figure",  "img",     "ul",    "li",    "br",    "a",    "pre",  "code",
    };
    char tag[NAME];
    bool known = false;
    read_name(reader, tag);
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        known = known || strcmp(tag, allowed[i]) == 0;
    if (!known)
        wrong(reader, "an element that wick does not write");
    bool alt = read_attributes(reader, tag);
    check_heading(reader, tag);
    if (strcmp(tag, "img") == 0 && !alt)
        wrong(reader, "an image without an alt");
    if (strcmp(tag, "img") == 0 || strcmp(tag, "meta") == 0 || strcmp(tag, "br") == 0)
        return;
    if (reader->depth == DEEPEST)
        wrong(reader, "too deep");
    memcpy(reader->open[reader->depth++], tag, NAME);
    if (strcmp(tag, "style") == 0)
        read_style(reader);
}

static void read_end(html_reader *reader)
{
    char tag[NAME];
    read_name(reader, tag);
    if (reader->depth == 0 || strcmp(reader->open[reader->depth - 1], tag) != 0)
        fail_msg("</%s> closes <%s>, at byte %td", tag,
                 reader->depth == 0 ? "" : reader->open[reader->depth - 1], reader->at - reader->start);
    reader->depth--;
    if (*reader->at != '>')
        wrong(reader, "an end tag that does not end");
    reader->at++;
}

void check_html(const char *html)
{
    static const char doctype[] = "<!DOCTYPE html>\n";
    html_reader reader = {.start = html, .at = html};
    assert_true(starts(html, doctype));
    reader.at += strlen(doctype);
    while (*reader.at != '\0') {
        if (starts(reader.at, "</")) {
            reader.at += 2;
            read_end(&reader);
        } else if (*reader.at == '<') {
            reader.at++;
            read_start(&reader);
        } else {
            if (*reader.at == '&')
                check_entity(&reader);
            if ((unsigned char)*reader.at < 0x20 && *reader.at != '\n')
                wrong(&reader, "a control character");
            reader.at++;
        }
    }
    assert_int_equal(reader.depth, 0);
    assert_int_equal(reader.h1, 1);
    assert_int_equal(count_of(html, "http:"), 0);
    assert_int_equal(count_of(html, "https:"), 0);
}

int count_of(const char *html, const char *needle)
{
    int count = 0;
    for (const char *at = strstr(html, needle); at != NULL; at = strstr(at + strlen(needle), needle))
        count++;
    return count;
}

char *html_text(const char *html)
{
    static const char *const entities[][2] = {
        {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}};
    char *text = malloc(strlen(html) + 1), *out = text;
    assert_non_null(text);
    const char *at = strstr(html, "<body>");
    while (at != NULL && *at != '\0') {
        if (*at == '<') {
            at += strcspn(at, ">") + 1;
            continue;
        }
        *out = *at;
        size_t taken = 1;
        for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
            if (starts(at, entities[i][0])) {
                *out = entities[i][1][0];
                taken = strlen(entities[i][0]);
            }
        out++;
        at += taken;
    }
    *out = '\0';
    return text;
}
