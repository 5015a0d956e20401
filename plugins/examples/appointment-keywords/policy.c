/* Answers to appointment reminders: confirmed, another time, cancelled. */
#include <string.h>

#include "anteroom.h"
#include "routing_policy.h"

typedef struct {
  const char *setting, *category, *priority;
} kind_t;

/* In order: "I can't make it, another time?" asks for another time. */
static const kind_t kinds[] = {
    {"reschedule", "appointment-reschedule", "normal"},
    {"cancel", "appointment-cancelled", "high"},
    {"confirm", "appointment-confirmed", "low"},
};

static char reason[64];

static const char *join(const char *before, const char *middle, const char *after) {
  size_t a = strlen(before), b = strlen(middle), c = strlen(after);
  if (a + b + c >= sizeof reason) return before;
  memcpy(reason, before, a);
  memcpy(reason + a, middle, b);
  memcpy(reason + a + b, after, c + 1);
  return reason;
}

/* Phones write can’t where settings say can't. */
static void plain_apostrophes(routing_policy_string_t *text) {
  uint8_t *to = text->ptr;
  for (size_t i = 0; i < text->len; i++) {
    if (i + 2 < text->len && text->ptr[i] == 0xe2 && text->ptr[i + 1] == 0x80 && text->ptr[i + 2] == 0x99) {
      *to++ = '\'';
      i += 2;
    } else {
      *to++ = text->ptr[i];
    }
  }
  text->len = (size_t)(to - text->ptr);
}

/* Is the text, but for spaces and a full stop, this one letter? */
static bool is_letter(const char *text, size_t size, char wanted) {
  while (size > 0 && (*text == ' ' || *text == '\n')) text++, size--;
  while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\n' || text[size - 1] == '.')) size--;
  return size == 1 && (*text | 0x20) == (wanted | 0x20);
}

static const char *find(const char **words, const char *text, size_t size) {
  for (; *words != NULL; words++) {
    bool single = strlen(*words) == 1;
    if (single ? is_letter(text, size, **words) : has_word(text, size, *words)) return *words;
  }
  return NULL;
}

static void set(routing_policy_option_string_t *field, const char *text) {
  field->is_some = true;
  routing_policy_string_set(&field->val, text);
}

static bool same(const routing_policy_option_string_t *field, const char *text) {
  return field->is_some && field->val.len == strlen(text) && memcmp(field->val.ptr, text, field->val.len) == 0;
}

bool exports_anteroom_policy_routing_route(exports_anteroom_policy_routing_turn_t *turn,
                                           exports_anteroom_policy_routing_option_placement_t *decision,
                                           exports_anteroom_policy_routing_policy_error_t *error) {
  routing_policy_string_t settings;
  anteroom_policy_host_settings(&settings);
  const char *json = (const char *)settings.ptr;
  const char *team = setting_text(json, settings.len, "team");
  memset(decision, 0, sizeof *decision); /* no opinion, until a word is found */
  plain_apostrophes(&turn->text);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    const char **words = setting_list(json, settings.len, kinds[i].setting);
    if (team == NULL || words == NULL) {
      routing_policy_string_set(&error->code, "settings");
      routing_policy_string_set(&error->message, "expected team, confirm, reschedule and cancel");
      return false;
    }
    const char *word = find(words, (const char *)turn->text.ptr, turn->text.len);
    if (word == NULL) continue;
    if (turn->current.is_some && same(&turn->current.val.category, kinds[i].category)) return true;
    if (turn->current.is_some && same(&turn->current.val.priority, "urgent")) return true;
    decision->is_some = true;
    set(&decision->val.team, team);
    set(&decision->val.category, kinds[i].category);
    set(&decision->val.priority, kinds[i].priority);
    routing_policy_string_set(&decision->val.reason, join("answer to a reminder: '", word, "'"));
    return true;
  }
  return true;
}
