/* Help for policies in C: looking for words, and reading settings. */
#ifndef ANTEROOM_H
#define ANTEROOM_H
#include <stdbool.h>
#include <stddef.h>

/* Is `word` (or a phrase) in `text`, at word boundaries and whatever the capitals (of A to Z)? */
bool has_word(const char *text, size_t size, const char *word);

/* The text at `key` of a JSON object, ended by a zero byte; NULL where there is none. */
const char *setting_text(const char *json, size_t size, const char *key);

/* The number at `key`, or `otherwise`. */
long setting_number(const char *json, size_t size, const char *key, long otherwise);

/* The texts of the list at `key`; NULL-ended. NULL where there is no list. */
const char **setting_list(const char *json, size_t size, const char *key);

#endif
