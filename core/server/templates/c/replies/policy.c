/* Answers a text that has one of the keywords. */
#include <string.h>

#include "anteroom.h"
#include "replies_policy.h"

/* No longer than a keyword may be. */
static char reason[64];
static exports_anteroom_policy_replies_automatic_reply_t reply;

bool exports_anteroom_policy_replies_reply(exports_anteroom_policy_replies_turn_t *turn,
                                           exports_anteroom_policy_replies_option_list_automatic_reply_t *decision,
                                           exports_anteroom_policy_replies_policy_error_t *error) {
  replies_policy_string_t settings;
  anteroom_policy_host_settings(&settings);
  const char *json = (const char *)settings.ptr;
  const char **keywords = setting_list(json, settings.len, "keywords");
  const char *body = setting_text(json, settings.len, "body");
  if (keywords == NULL || body == NULL) {
    replies_policy_string_set(&error->code, "settings");
    replies_policy_string_set(&error->message, "expected keywords and body");
    return false;
  }
  decision->is_some = false; /* no opinion, until a keyword is found */
  for (; *keywords != NULL; keywords++) {
    if (strlen(*keywords) > 40 || !has_word((const char *)turn->text.ptr, turn->text.len, *keywords)) continue;
    memcpy(reason, "keyword '", 9);
    memcpy(reason + 9, *keywords, strlen(*keywords));
    memcpy(reason + 9 + strlen(*keywords), "'", 2);
    replies_policy_string_set(&reply.body, body);
    replies_policy_string_set(&reply.throttle_key, "NAME");
    replies_policy_string_set(&reply.reason, reason);
    decision->is_some = true;
    decision->val.ptr = &reply;
    decision->val.len = 1;
    break;
  }
  return true;
}
