#include "anteroom.h"

#include <stdlib.h>
#include <string.h>

static bool letter(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

static unsigned char lower(unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

bool has_word(const char *text, size_t size, const char *word) {
  size_t length = strlen(word);
  if (length == 0) return false;
  for (size_t at = 0; at + length <= size; at++) {
    if (at > 0 && letter(text[at - 1])) continue;
    if (at + length < size && letter(text[at + length])) continue;
    size_t same = 0;
    while (same < length && lower(text[at + same]) == lower(word[same])) same++;
    if (same == length) return true;
  }
  return false;
}

/* The host hands out valid JSON, so only its shape is followed here. */
typedef struct {
  const char *at, *end;
} scan_t;

static void space(scan_t *s) {
  while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t')) s->at++;
}

static bool take(scan_t *s, char c) {
  space(s);
  if (s->at < s->end && *s->at == c) return s->at++, true;
  return false;
}

static unsigned hex(scan_t *s) {
  unsigned value = 0;
  for (int i = 0; i < 4 && s->at < s->end; i++, s->at++) {
    unsigned char c = lower(*s->at);
    value = value * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return value;
}

static char *utf8(char *to, unsigned c) {
  if (c < 0x80) return *to = c, to + 1;
  if (c < 0x800) return to[0] = 0xc0 | c >> 6, to[1] = 0x80 | (c & 63), to + 2;
  if (c < 0x10000) return to[0] = 0xe0 | c >> 12, to[1] = 0x80 | (c >> 6 & 63), to[2] = 0x80 | (c & 63), to + 3;
  to[0] = 0xf0 | c >> 18, to[1] = 0x80 | (c >> 12 & 63), to[2] = 0x80 | (c >> 6 & 63), to[3] = 0x80 | (c & 63);
  return to + 4;
}

/* NULL where there is no text. */
static char *text(scan_t *s) {
  if (!take(s, '"')) return NULL;
  char *start = malloc((size_t)(s->end - s->at) + 1), *to = start;
  while (s->at < s->end && *s->at != '"') {
    char c = *s->at++;
    if (c != '\\') {
      *to++ = c;
      continue;
    }
    c = s->at < s->end ? *s->at++ : '\\';
    if (c == 'u') {
      unsigned code = hex(s);
      if (code >= 0xd800 && code < 0xdc00 && s->end - s->at >= 6) {
        s->at += 2;
        code = 0x10000 + ((code - 0xd800) << 10) + (hex(s) - 0xdc00);
      }
      to = utf8(to, code);
    } else {
      *to++ = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c;
    }
  }
  if (s->at < s->end) s->at++;
  *to = 0;
  return start;
}

static void skip(scan_t *s) {
  size_t depth = 0;
  space(s);
  while (s->at < s->end) {
    char c = *s->at;
    if (c == '"') {
      for (s->at++; s->at < s->end && *s->at != '"'; s->at++) s->at += *s->at == '\\';
    } else if (c == '{' || c == '[') {
      depth++;
    } else if ((c == '}' || c == ']' || c == ',') && depth == 0) {
      return;
    } else if (c == '}' || c == ']') {
      depth--;
    }
    s->at++;
  }
}

/* Goes to the value at `key`. */
static bool find(scan_t *s, const char *json, size_t size, const char *key) {
  *s = (scan_t){json, json + size};
  if (!take(s, '{')) return false;
  do {
    char *name = text(s);
    if (name == NULL || !take(s, ':')) return false;
    if (strlen(name) == strlen(key) && memcmp(name, key, strlen(key)) == 0) return true;
    skip(s);
  } while (take(s, ','));
  return false;
}

const char *setting_text(const char *json, size_t size, const char *key) {
  scan_t s;
  return find(&s, json, size, key) ? text(&s) : NULL;
}

long setting_number(const char *json, size_t size, const char *key, long otherwise) {
  scan_t s;
  if (!find(&s, json, size, key)) return otherwise;
  bool minus = take(&s, '-');
  space(&s);
  if (s.at == s.end || *s.at < '0' || *s.at > '9') return otherwise;
  long value = 0;
  while (s.at < s.end && *s.at >= '0' && *s.at <= '9') value = value * 10 + (*s.at++ - '0');
  return minus ? -value : value;
}

const char **setting_list(const char *json, size_t size, const char *key) {
  scan_t s;
  if (!find(&s, json, size, key) || !take(&s, '[')) return NULL;
  scan_t count = s;
  size_t most = 1;
  do {
    most++;
    skip(&count);
  } while (take(&count, ','));
  const char **list = calloc(most + 1, sizeof *list);
  size_t length = 0;
  char *item;
  while ((item = text(&s)) != NULL) {
    list[length++] = item;
    if (!take(&s, ',')) break;
  }
  return list;
}
