/* Sends a conversation to a team when its first text has one of the keywords. */
#include <string.h>

#include "anteroom.h"
#include "routing_policy.h"

/* No longer than a keyword may be. */
static char reason[64];

bool exports_anteroom_policy_routing_route(exports_anteroom_policy_routing_turn_t *turn,
                                           exports_anteroom_policy_routing_option_placement_t *decision,
                                           exports_anteroom_policy_routing_policy_error_t *error) {
  routing_policy_string_t settings;
  anteroom_policy_host_settings(&settings);
  const char *json = (const char *)settings.ptr;
  const char **keywords = setting_list(json, settings.len, "keywords");
  const char *team = setting_text(json, settings.len, "team");
  if (keywords == NULL || team == NULL) {
    routing_policy_string_set(&error->code, "settings");
    routing_policy_string_set(&error->message, "expected keywords and team");
    return false;
  }
  decision->is_some = false; /* no opinion, until a keyword is found */
  if (turn->current.is_some && turn->current.val.team.is_some) return true;
  for (; *keywords != NULL; keywords++) {
    if (strlen(*keywords) > 40 || !has_word((const char *)turn->text.ptr, turn->text.len, *keywords)) continue;
    memcpy(reason, "keyword '", 9);
    memcpy(reason + 9, *keywords, strlen(*keywords));
    memcpy(reason + 9 + strlen(*keywords), "'", 2);
    memset(decision, 0, sizeof *decision);
    decision->is_some = true;
    decision->val.team.is_some = true;
    routing_policy_string_set(&decision->val.team.val, team);
    routing_policy_string_set(&decision->val.reason, reason);
    break;
  }
  return true;
}
