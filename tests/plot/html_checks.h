/* An HTML page as a test reads it: strict about what wick writes. */
#ifndef HTML_CHECKS_H
#define HTML_CHECKS_H

/* Every element that is not void is closed in its order, attributes are quoted and each of its tag's
 * own, no '<' or
 * '&' stands in a text by itself, images have an alt, there is one <h1> and no heading skips a level,
 * nothing can run (no script, no handler, no javascript:) and nothing is fetched (every src is a data:
 * URI, every href relative, no url() or @import in the styles). */
void check_html(const char *html);

/* How often needle stands in the page. */
int count_of(const char *html, const char *needle);
/* The text of the page without its tags, its entities replaced, blanks as they stand. Owned: free(). */
char *html_text(const char *html);

#endif
