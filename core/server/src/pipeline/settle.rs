//! What becomes of a verification once the texter has been answered.
//!
//! Claims are stored as `matching` in the transaction that queues the acknowledgement, before the directory was
//! looked at; then they are settled: right after that commit, or by the next text, or by housekeeping where a
//! process ended between. One that nobody answers times out here too.

use std::{sync::Arc, time::Duration};

use anteroom_model::{
    hooks::Claim,
    ids::{ConversationId, OrganizationId, PatientId, VerificationId},
    names,
    states::{Identity, LockScope, PatientKind, VerificationState},
};
use anteroom_store::{
    Actor, Attempts, ClaimedIdentity, Conversation, ConversationChange, IdentityLimits, NewEvent, Org,
    PhoneOwnership, StoreError, Verification, VerificationLock,
};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::{
    app::App,
    directory::Entry,
    pipeline::{
        matching::{self, Match},
        plan::VerificationStep,
    },
};

/// How long claims wait before housekeeping looks at them.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the conversation's claims wait to be matched: it is asking, and no question is open.
pub(super) fn is_waiting(conversation: &Conversation) -> bool {
    conversation.identity == Identity::Asking
        && conversation.exchanges.last().is_none_or(|exchange| exchange.answer.is_some())
}

/// Stores what a turn did to the verification of its conversation.
pub(super) async fn record(
    org: &mut Org<'_>,
    conversation: &Conversation,
    step: VerificationStep,
) -> Result<(), StoreError> {
    let now = org.now();
    let open = org.open_verification(conversation.id).await?;
    if open.is_none() && matches!(step, VerificationStep::Dropped(_)) {
        return Ok(());
    }
    let is_new = open.is_none();
    let mut verification = open.unwrap_or_else(|| {
        let (id, number) = (org.new_id(), conversation.number_id);
        Verification::begin(id, conversation.id, number, VerificationState::Asking, now)
    });
    match step {
        VerificationStep::Ask { question, due_at } => {
            verification.questions.push(question);
            (verification.asked_at, verification.due_at) = (Some(now), Some(due_at));
        }
        VerificationStep::End { claimed, decision } => {
            verification.state = VerificationState::Matching;
            verification.identity_hash = identity_hash(org, &claimed.claims);
            verification.claimed = Some(claimed);
            verification.decision_id = Some(decision);
            verification.due_at = Some(now.plus(PATIENCE));
        }
        VerificationStep::Dropped(why) => {
            verification.state = VerificationState::GaveUp;
            verification.reason = Some(why.into());
            verification.patient_id =
                conversation.patient_id.filter(|_| conversation.identity == Identity::Unasked);
            (verification.ended_at, verification.due_at) = (Some(now), None);
        }
    }
    if is_new {
        org.insert_verification(&verification, &conversation.peer).await
    } else {
        org.update_verification(&verification).await
    }
}

/// Who the texter says they are, for telling one claimed person from another.
fn identity_hash(org: &Org<'_>, claims: &[Claim]) -> Option<Vec<u8>> {
    let fields = ["first-name", "last-name", "date-of-birth", "mrn"];
    let who =
        fields.map(|field| matching::value(claims, field).map(names::fold).unwrap_or_default()).join("\0");
    (!claims.is_empty()).then(|| org.keys().lookup("claimed_identity", who))
}

/// Looks at a verification that is due: matches its claims, or ends one that nobody answers.
pub(crate) async fn due(
    app: &App,
    organization: OrganizationId,
    id: VerificationId,
) -> Result<(), StoreError> {
    let Some(verification) = app.store.read(organization).await?.verification(id).await? else {
        return Ok(());
    };
    settle(app, organization, verification.conversation_id).await.map(drop)
}

/// Settles the verification of a conversation, if there is one to be settled; whether there was.
pub(super) async fn settle(
    app: &App,
    organization: OrganizationId,
    conversation: ConversationId,
) -> Result<bool, StoreError> {
    let entry = app.directory.get(organization).await?;
    app.store
        .write(organization, move |mut org| {
            async move { settle_now(&mut org, &entry, conversation).await }.boxed()
        })
        .await
}

async fn settle_now(org: &mut Org<'_>, entry: &Arc<Entry>, id: ConversationId) -> Result<bool, StoreError> {
    let Some(mut conversation) = org.conversation_to_change(id).await? else { return Ok(false) };
    let Some(mut verification) = org.open_verification(id).await? else { return Ok(false) };
    let now = org.now();
    let timed_out = verification.state == VerificationState::Asking;
    if timed_out && verification.due_at.is_none_or(|due| due > now) {
        return Ok(false);
    }
    (verification.ended_at, verification.due_at) = (Some(now), None);
    if conversation.identity != Identity::Asking {
        // Staff were faster.
        verification.state = VerificationState::GaveUp;
        verification.reason = Some("overtaken".into());
        org.update_verification(&verification).await?;
        return Ok(true);
    }
    let claimed = verification.claimed.clone().unwrap_or_default();
    let (kind, data) = if timed_out {
        verification.state = VerificationState::TimedOut;
        let question = verification.questions.last().cloned();
        leave(org, &mut conversation, &mut verification, &[], entry).await?;
        ("identity.timed_out", json!({ "question": question }))
    } else if let Some(reason) = &claimed.gave_up {
        verification.state = VerificationState::GaveUp;
        verification.reason = Some(reason.clone());
        leave(org, &mut conversation, &mut verification, &claimed.claims, entry).await?;
        let data = json!({ "reason": reason, "claims": shown(&claimed.claims), "policy": claimed.policy });
        ("identity.gave_up", data)
    } else {
        compare(org, &mut conversation, &mut verification, &claimed, entry).await?
    };
    if org.update_conversation(&mut conversation).await? == ConversationChange::Outdated {
        // It was read for change in this transaction: nobody else can have written it.
        return Err(StoreError::Conflict);
    }
    org.update_verification(&verification).await?;
    let tell = |kind, data| NewEvent { kind, conversation_id: Some(id), actor: Actor::Host, data };
    org.tell(tell(kind, data));
    if conversation.identity == Identity::Unasked {
        org.tell(tell("identity.linked", json!({ "by": "phone", "patient_id": conversation.patient_id })));
    }
    if matches!(
        verification.state,
        VerificationState::None
            | VerificationState::Several
            | VerificationState::Another
            | VerificationState::Locked
    ) {
        limit(org, &conversation, &entry.organization.settings.identity.limits).await?;
    }
    Ok(true)
}

/// Matches the claims. All of it is done whatever stands in the way: nothing here is seen by the texter, and nothing
/// should be.
async fn compare(
    org: &mut Org<'_>,
    conversation: &mut Conversation,
    verification: &mut Verification,
    claimed: &ClaimedIdentity,
    entry: &Arc<Entry>,
) -> Result<(&'static str, Value), StoreError> {
    let rules = &entry.organization.settings.identity.matching;
    let locks = org.locks_on(&conversation.peer, conversation.number_id).await?;
    let found = matching::find(org, &claimed.claims, &claimed.required, &conversation.peer, rules).await?;
    let before = patient_before(org, conversation).await?;
    let state = match &found {
        _ if !locks.is_empty() => VerificationState::Locked,
        Match::One(patient, _) if before.is_some_and(|before| before != *patient) => {
            VerificationState::Another
        }
        Match::One(..) => VerificationState::Matched,
        Match::Several => VerificationState::Several,
        Match::None => VerificationState::None,
    };
    verification.state = state;
    if let (VerificationState::Matched, Match::One(patient, agreed)) = (state, &found) {
        conversation.patient_id = Some(*patient);
        conversation.identity = Identity::Verified;
        verification.patient_id = Some(*patient);
        let agreed: Vec<_> = agreed.iter().filter(|field| field.as_str() != "phone").collect();
        let data = json!({ "patient_id": patient, "agreed": agreed, "policy": claimed.policy });
        return Ok(("identity.matched", data));
    }
    conversation.patient_id = Some(placeholder_of(org, conversation).await?);
    conversation.identity = Identity::Placeholder;
    let outcome = match state {
        VerificationState::None => "nobody",
        other => other.as_str(),
    };
    let data = json!({
        "outcome": outcome,
        "claims": shown(&claimed.claims),
        "policy": claimed.policy,
        "was_patient_id": before,
    });
    Ok(("identity.unmatched", data))
}

/// Nothing was claimed that could be matched: a phone with one owner links to them, not verified, unless what was
/// said is another one's; else a placeholder.
async fn leave(
    org: &mut Org<'_>,
    conversation: &mut Conversation,
    verification: &mut Verification,
    claims: &[Claim],
    entry: &Arc<Entry>,
) -> Result<(), StoreError> {
    let rules = &entry.organization.settings.identity.matching;
    let owner = match org.phone_ownership(&conversation.peer).await? {
        PhoneOwnership::One(owner) => org.patient(owner).await?,
        _ => None,
    };
    if let Some(owner) = owner
        && !anteroom_model::matching::compare(&matching::known(&owner), claims, rules).iter().any(
            |(field, agreement)| {
                *agreement == anteroom_model::matching::Agreement::Differs && field.as_str() != "phone"
            },
        )
    {
        conversation.patient_id = Some(owner.id);
        conversation.identity = Identity::Unasked;
        verification.patient_id = Some(owner.id);
        return Ok(());
    }
    conversation.patient_id = Some(placeholder_of(org, conversation).await?);
    conversation.identity = Identity::Placeholder;
    Ok(())
}

/// The profile that the conversation had before it was asked again.
async fn patient_before(
    org: &mut Org<'_>,
    conversation: &Conversation,
) -> Result<Option<PatientId>, StoreError> {
    let Some(id) = conversation.patient_id else { return Ok(None) };
    let patient = org.patient(id).await?;
    Ok(patient.filter(|patient| patient.kind == PatientKind::Profile).map(|patient| patient.id))
}

/// The conversation's placeholder; a new one where it has none.
pub(super) async fn placeholder_of(
    org: &mut Org<'_>,
    conversation: &Conversation,
) -> Result<PatientId, StoreError> {
    if let Some(id) = conversation.patient_id
        && org.patient(id).await?.is_some_and(|patient| patient.kind == PatientKind::Placeholder)
    {
        return Ok(id);
    }
    org.insert_placeholder().await
}

/// Claims that didn't match are counted; too many, and nothing is matched for a while.
async fn limit(
    org: &mut Org<'_>,
    conversation: &Conversation,
    limits: &IdentityLimits,
) -> Result<(), StoreError> {
    let now = org.now();
    let (day, hour) = (now.minus(Duration::from_hours(24)), now.minus(Duration::from_hours(1)));
    let (peer, number) = (&conversation.peer, conversation.number_id);
    let attempts = org.verification_attempts(peer, number, day, hour).await?;
    let standing = org.locks_on(peer, number).await?;
    let until = now.plus(Duration::from_mins(u64::from(limits.lock_minutes)));
    for (scope, reason) in crossed(attempts, limits) {
        if standing.iter().any(|lock| lock.scope == scope) {
            continue;
        }
        let lock = VerificationLock {
            scope,
            reason: reason.to_owned(),
            conversation_id: Some(conversation.id),
            created_at: now,
            until,
        };
        org.lock_verification(peer, number, &lock).await?;
        let data = json!({ "scope": scope, "reason": reason, "until": until });
        org.tell(NewEvent {
            kind: "identity.locked",
            conversation_id: Some(conversation.id),
            actor: Actor::Host,
            data,
        });
        if reason != "attempts" {
            let notice = json!({
                "scope": scope,
                "reason": reason,
                "until": until,
                "conversation_id": conversation.id,
                "number_id": number,
                "attempts": attempts.phone.max(attempts.number),
                "identities": attempts.identities,
            });
            org.insert_notice("identity.enumeration", &notice).await?;
        }
    }
    Ok(())
}

/// Which limits are reached, at most one of each scope. A limit of 0 is none.
fn crossed(attempts: Attempts, limits: &IdentityLimits) -> Vec<(LockScope, &'static str)> {
    let reached = |count: i64, limit: u32| limit > 0 && count >= i64::from(limit);
    let mut list = Vec::new();
    if reached(attempts.identities, limits.identities_per_phone) {
        list.push((LockScope::Phone, "enumeration"));
    } else if reached(attempts.phone, limits.attempts_per_phone) {
        list.push((LockScope::Phone, "attempts"));
    }
    if reached(attempts.number, limits.attempts_per_number) {
        list.push((LockScope::Number, "burst"));
    }
    if reached(attempts.organization, limits.attempts_per_organization) {
        list.push((LockScope::Organization, "burst"));
    }
    list
}

fn shown(list: &[Claim]) -> Value {
    list.iter()
        .map(|claim| (claim.field.clone(), claim.value.clone().into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_is_locked_by_its_own_limit() {
        let limits = IdentityLimits {
            attempts_per_phone: 5,
            identities_per_phone: 3,
            attempts_per_number: 10,
            attempts_per_organization: 0,
            lock_minutes: 1,
        };
        for (attempts, expected) in [
            ([4, 1, 9, 1_000], &[][..]),
            ([5, 1, 9, 0], &[(LockScope::Phone, "attempts")]),
            ([5, 3, 10, 0], &[(LockScope::Phone, "enumeration"), (LockScope::Number, "burst")]),
        ] {
            let [phone, identities, number, organization] = attempts;
            let attempts = Attempts { phone, identities, number, organization };
            assert_eq!(crossed(attempts, &limits), expected, "{attempts:?}");
        }
    }
}
