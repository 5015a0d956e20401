//! STOP, START and HELP: what the host does before any policy is asked, and whatever a policy would say.
//!
//! 47 CFR 64.1200(a)(10)–(12) and the carriers' rules: one confirmation, at once; honoured and answered
//! whoever sends it, also on a number where patients may not start a conversation.

use anteroom_model::states::{Author, ConversationState};
use anteroom_store::{Actor, Extra};
use serde_json::json;

use crate::{
    app::App,
    pipeline::{
        apply::fill_organization,
        gather::Facts,
        plan::{OptOutChange, OptOutRule, Plan, PlannedText},
        turn,
    },
};

/// No more texts.
pub(super) fn stop(app: &App, facts: &Facts<'_>) -> Plan {
    let mut plan = beside(app, facts);
    plan.opt_out = OptOutChange::Record;
    if !carrier_answers(facts) {
        let text = answer(facts, &facts.entry.organization.settings.opt_out_text, "stop");
        plan.texts.push(PlannedText { opt_out: OptOutRule::Confirms, ..text });
    }
    plan
}

/// Texts again, from somebody who had opted out.
pub(super) fn start(app: &App, facts: &Facts<'_>) -> Plan {
    let mut plan = beside(app, facts);
    plan.opt_out = OptOutChange::Clear;
    if !carrier_answers(facts) {
        plan.texts.push(answer(facts, &facts.entry.organization.settings.opt_in_text, "start"));
    }
    plan
}

/// Who is this, and how do I stop it?
pub(super) fn help(app: &App, facts: &Facts<'_>) -> Plan {
    let mut plan = beside(app, facts);
    if !carrier_answers(facts) {
        let text = answer(facts, &facts.entry.organization.settings.help_text, "help");
        plan.texts.push(PlannedText { opt_out: OptOutRule::Answers, ..text });
    }
    plan
}

/// The keyword is shown in the conversation there is; where there is none, in a closed one that nobody
/// needs to look at; on a number where patients may not start one, in none.
fn beside(app: &App, facts: &Facts<'_>) -> Plan {
    if facts.conversation.is_none() && !facts.takes_texts() {
        return Plan::new(None, false);
    }
    let (mut conversation, is_new) = turn::conversation_for(app, facts);
    if is_new {
        conversation.state = ConversationState::Closed;
    }
    conversation.last_message_at = facts.now;
    let mut plan = Plan::new(Some(conversation), is_new);
    plan.tell("message.received", Actor::Patient, facts.received());
    plan
}

/// A patient must not be answered twice: the account says that its carrier answers keywords, or the carrier
/// said so with this text.
fn carrier_answers(facts: &Facts<'_>) -> bool {
    facts.account.row.answers_opt_outs || facts.work.extra.carrier_keyword.is_some()
}

fn answer(facts: &Facts<'_>, template: &str, keyword: &str) -> PlannedText {
    PlannedText {
        body: fill_organization(template, &facts.entry.organization.name),
        author: Author::Host,
        extra: Extra::default(),
        opt_out: OptOutRule::Obeys,
        reason: json!({ "keyword": keyword }),
    }
}
