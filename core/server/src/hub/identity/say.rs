//! What saying who is texting does, in one transaction: the placeholder is merged into the patient, so that its
//! history is found there and the merge can be undone; the automatic outcome before it is labelled.

use anteroom_model::{
    ids::{ConversationId, MergeId, PatientId, StaffId},
    states::{Identity, PatientKind, PatientState, VerificationLabel, VerificationState},
};
use anteroom_store::{By, Conversation, Merged, NewPatient, Org, Patient, StoreError, Undone, Verification};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::problem::Problem;

/// Verifications looked through for the automatic one that staff label.
const LOOKED_THROUGH: u32 = 20;

/// What staff say.
pub(super) enum Say {
    /// It is this patient.
    Is(PatientId),
    /// It is this patient, and not whom the conversation names.
    IsRather(PatientId),
    /// It is somebody new.
    New(Box<NewPatient>),
    /// It isn't whom the conversation names, and nobody knows who.
    IsNot,
}

/// What came of it; `None`: it was so already.
pub(super) type Said = Option<(&'static str, Value)>;

/// Changes `conversation`, which is held for change, and what belongs to it. The caller stores it.
pub(super) async fn say(
    org: &mut Org<'_>,
    conversation: &mut Conversation,
    say: Say,
    staff: StaffId,
    by: &By,
) -> Result<Said, Problem> {
    let was = match conversation.patient_id {
        Some(id) => org.patient(id).await?,
        None => None,
    };
    let profile =
        was.as_ref().filter(|patient| patient.kind == PatientKind::Profile).map(|patient| patient.id);
    let (kind, target, is_new) = match say {
        Say::Is(id) => {
            let target = known_patient(org, id).await?;
            if conversation.identity == Identity::Verified {
                if profile != Some(target) {
                    return Err(verified_already(org, conversation, was.as_ref()).await?);
                }
                // Staff may confirm what the answers came to; what staff said is said.
                let last = org.verifications_of(conversation.id, 1).await?;
                if last.first().is_some_and(|last| last.state == VerificationState::Staff) {
                    return Ok(None);
                }
            }
            ("identity.verified", Some(target), false)
        }
        Say::IsRather(id) => {
            let target = known_patient(org, id).await?;
            if profile == Some(target) && conversation.identity == Identity::Verified {
                return Ok(None);
            }
            ("identity.repointed", Some(target), false)
        }
        Say::New(new) => {
            if conversation.identity == Identity::Verified {
                return Err(verified_already(org, conversation, was.as_ref()).await?);
            }
            ("identity.created", Some(org.create_patient(&new, by).await?), true)
        }
        Say::IsNot => {
            if profile.is_none() {
                return Err(Problem::invalid("The conversation names nobody to be split from."));
            }
            ("identity.split", None, false)
        }
    };
    end_questions(org, conversation.id).await?;
    // Before the conversation changes: the label tells what had been found without staff.
    let label = label(org, conversation, target, is_new, staff).await?;
    let undone = if matches!(kind, "identity.repointed" | "identity.split") {
        undo_merge(org, conversation, by).await?
    } else {
        None
    };
    conversation.exchanges.clear();
    let merged = if let Some(target) = target {
        point(org, conversation, target, by).await?
    } else {
        make_placeholder(org, conversation).await?;
        None
    };
    if let Some(target) = target {
        let mut own = begin(org, conversation, VerificationState::Staff);
        own.patient_id = Some(target);
        own.merge_id = merged.map(|merge| merge.0);
        (own.labelled_by, own.labelled_at) = (Some(staff), Some(org.now()));
        org.insert_verification(&own, &conversation.peer).await?;
    }
    let data = json!({
        "patient_id": target,
        "was_patient_id": was.map(|patient| patient.id),
        "merge_id": merged,
        "undone_merge_id": undone,
        "label": label,
    });
    Ok(Some((kind, data)))
}

/// A profile to link to, as it is known now.
async fn known_patient(org: &mut Org<'_>, id: PatientId) -> Result<PatientId, Problem> {
    let patient = org.patient(id).await?.ok_or_else(|| Problem::not_found("patient"))?;
    if patient.state != PatientState::Active {
        return Err(Problem::not_found("patient"));
    }
    if patient.kind != PatientKind::Profile {
        return Err(Problem::invalid("patient_id is a placeholder; create a patient from it."));
    }
    Ok(patient.id)
}

async fn verified_already(
    org: &mut Org<'_>,
    conversation: &Conversation,
    patient: Option<&Patient>,
) -> Result<Problem, Problem> {
    let last = org.verifications_of(conversation.id, LOOKED_THROUGH).await?;
    let by = last.iter().find(|one| one.state == VerificationState::Staff).and_then(|one| one.labelled_by);
    let name = match by {
        Some(by) => org.staff_member(by).await?.map(|staff| staff.name),
        None => None,
    };
    let problem = Problem::new(
        StatusCode::CONFLICT,
        "verified",
        "The texter is verified already",
        "Point the conversation to another patient instead.",
    );
    let named = patient.map(|patient| json!({ "id": patient.id, "name": patient.profile.display_name() }));
    Ok(problem
        .with("version", conversation.version)
        .with("patient", named.unwrap_or_default())
        .with("winner", by.map(|id| json!({ "id": id, "name": name })).unwrap_or_default()))
}

/// Staff are faster than the texter.
async fn end_questions(org: &mut Org<'_>, conversation: ConversationId) -> Result<(), StoreError> {
    let Some(mut open) = org.open_verification(conversation).await? else { return Ok(()) };
    open.state = VerificationState::GaveUp;
    open.reason = Some("overtaken".into());
    (open.ended_at, open.due_at) = (Some(org.now()), None);
    org.update_verification(&open).await
}

fn begin(org: &Org<'_>, conversation: &Conversation, state: VerificationState) -> Verification {
    let now = org.now();
    let mut verification =
        Verification::begin(org.new_id(), conversation.id, conversation.number_id, state, now);
    verification.ended_at = Some(now);
    verification
}

/// Labels what had been found without staff. `target`: who it is, `is_new`: made just now.
async fn label(
    org: &mut Org<'_>,
    conversation: &Conversation,
    target: Option<PatientId>,
    is_new: bool,
    staff: StaffId,
) -> Result<Option<VerificationLabel>, StoreError> {
    let before = org.verifications_of(conversation.id, LOOKED_THROUGH).await?;
    let overtaken = |one: &Verification| one.reason.as_deref() == Some("overtaken");
    let automatic =
        before.iter().find(|one| one.state != VerificationState::Staff && !one.is_open() && !overtaken(one));
    let (mut verification, is_stored) = match automatic {
        Some(automatic) => (automatic.clone(), true),
        // The questions were under way: they had found nothing yet.
        None if !before.is_empty() => return Ok(None),
        None => {
            let by_phone = conversation.identity == Identity::Unasked && conversation.patient_id.is_some();
            let state = if by_phone { VerificationState::Linked } else { VerificationState::Unasked };
            let mut verification = begin(org, conversation, state);
            verification.patient_id = conversation.patient_id.filter(|_| by_phone);
            (verification, false)
        }
    };
    let found = match verification.patient_id {
        Some(id) => org.resolve_patient(id).await?,
        None => None,
    };
    let label = match (found, target) {
        (Some(found), Some(target)) if found == target => VerificationLabel::Right,
        (Some(_), _) => VerificationLabel::Wrong,
        (None, Some(_)) if !is_new => VerificationLabel::Missed,
        (None, _) => VerificationLabel::Right,
    };
    verification.label = Some(label);
    verification.actual_patient_id = target.filter(|_| !is_new);
    (verification.labelled_by, verification.labelled_at) = (Some(staff), Some(org.now()));
    if is_stored {
        org.update_verification(&verification).await?;
    } else {
        org.insert_verification(&verification, &conversation.peer).await?;
    }
    Ok(Some(label))
}

/// Takes back the merge by which staff said who it is, so that the conversation has its placeholder again.
async fn undo_merge(
    org: &mut Org<'_>,
    conversation: &Conversation,
    by: &By,
) -> Result<Option<MergeId>, StoreError> {
    let before = org.verifications_of(conversation.id, LOOKED_THROUGH).await?;
    let merge = before.iter().find(|one| one.state == VerificationState::Staff).and_then(|one| one.merge_id);
    let Some(merge) = merge.map(MergeId) else { return Ok(None) };
    Ok(match org.undo_merge(merge, by).await? {
        Undone::Done { .. } => Some(merge),
        // Undone before, or its thirty days are over: the conversation gets a placeholder of its own.
        Undone::Refused(_) => None,
    })
}

/// The conversation's own placeholder is merged into the patient; without one, the conversation names the patient.
async fn point(
    org: &mut Org<'_>,
    conversation: &mut Conversation,
    target: PatientId,
    by: &By,
) -> Result<Option<MergeId>, Problem> {
    conversation.identity = Identity::Verified;
    let placeholder = match conversation.patient_id {
        Some(id) => org.patient_record(id).await?.filter(is_placeholder),
        None => None,
    };
    let Some(placeholder) = placeholder else {
        conversation.patient_id = Some(target);
        return Ok(None);
    };
    match org.merge_patients((target, None), (placeholder.id, None), by).await? {
        // What names the placeholder goes on naming it, and is found through the patient.
        Merged::Done(merge) => Ok(Some(merge)),
        Merged::Refused(_) => Err(Problem::new(
            StatusCode::CONFLICT,
            "patient-changed",
            "The patient has changed",
            "Somebody merged or deleted one of the two records just now. Read the conversation again.",
        )),
    }
}

fn is_placeholder(patient: &Patient) -> bool {
    patient.kind == PatientKind::Placeholder && patient.state == PatientState::Active
}

/// The conversation names a placeholder of its own.
async fn make_placeholder(org: &mut Org<'_>, conversation: &mut Conversation) -> Result<(), StoreError> {
    conversation.identity = Identity::Placeholder;
    if let Some(id) = conversation.patient_id
        && org.patient_record(id).await?.as_ref().is_some_and(is_placeholder)
    {
        return Ok(());
    }
    conversation.patient_id = Some(org.insert_placeholder().await?);
    Ok(())
}
