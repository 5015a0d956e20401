//! Who may be texting.

use anteroom_model::{
    ids::{ConversationId, PatientId, VerificationId},
    matching::{Agreement, Field},
    states::{Role, VerificationLabel, VerificationState},
    time::Timestamp,
};
use anteroom_store::Profile;
use axum::{
    Json,
    extract::{Path, State},
};
use futures::FutureExt;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{app::App, auth::Caller, pipeline::matching, problem::Problem};

/// Candidates shown at most.
const SHOWN: usize = 10;
/// Verifications shown at most.
const PAST: u32 = 20;

/// What is known of who is texting.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct IdentityView {
    /// For `If-Match`.
    version: i64,
    /// What the texter said of themselves, by field: the newest verification that got an answer.
    #[schema(value_type = Object)]
    claims: serde_json::Map<String, serde_json::Value>,
    /// Whoever agrees in more comes first.
    candidates: Vec<CandidateView>,
    /// Newest first.
    verifications: Vec<VerificationView>,
    /// Attempts are not matched for now.
    locked: bool,
}

/// Somebody who may be texting.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct CandidateView {
    patient_id: PatientId,
    display_name: String,
    fields: Vec<FieldView>,
}

/// How a field stands to what was said.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct FieldView {
    field: Field,
    agreement: Agreement,
    /// What the directory has. For leads, admins and auditors, and where it agrees: an agent is not told another
    /// person's birthday.
    value: Option<String>,
}

/// One verification.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct VerificationView {
    id: VerificationId,
    state: VerificationState,
    /// Why it was given up.
    reason: Option<String>,
    /// The questions asked, by name.
    questions: Vec<String>,
    /// Whom it found.
    patient_id: Option<PatientId>,
    /// What staff found of it.
    label: Option<VerificationLabel>,
    #[schema(value_type = String, format = DateTime)]
    began_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

/// Who may be texting: whom the phone, the birthday and the record's number lead to, with what agrees and what
/// doesn't. The read is audited, for every candidate.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/candidates", tag = "identity",
    params(("id" = ConversationId, Path)), responses((status = 200, body = IdentityView), (status = 404)))]
pub(in crate::hub) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
) -> Result<Json<IdentityView>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let mut org = app.store.read(caller.organization).await?;
    let conversation = org.conversation(id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
    let past = org.verifications_of(id, PAST).await?;
    let claims = past.iter().find_map(|one| one.claimed.as_ref()).map(|claimed| claimed.claims.clone());
    let claims = claims.unwrap_or_default();
    let rules = &entry.organization.settings.identity.matching;
    let mut found = matching::candidates(&mut org, &claims, &conversation.peer, rules).await?;
    found.truncate(SHOWN);
    let locked = !org.locks_on(&conversation.peer, conversation.number_id).await?.is_empty();
    drop(org);

    let sees_all = caller.role != Role::Agent;
    let candidates: Vec<CandidateView> = found
        .into_iter()
        .map(|one| CandidateView {
            patient_id: one.patient.id,
            display_name: one.patient.profile.display_name(),
            fields: one
                .fields
                .into_iter()
                .map(|(field, agreement)| FieldView {
                    field,
                    agreement,
                    value: held(&one.patient.profile, field)
                        .filter(|_| sees_all || agreement == Agreement::Agrees),
                })
                .collect(),
        })
        .collect();
    let mut audits = vec![caller.audit("conversation.candidates_read", Some(id.0))];
    audits.extend(candidates.iter().map(|one| caller.audit("patient.compared", Some(one.patient_id.0))));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                for audit in &audits {
                    org.insert_audit(audit).await?;
                }
                Ok::<_, Problem>(())
            }
            .boxed()
        })
        .await?;
    Ok(Json(IdentityView {
        version: conversation.version,
        claims: claims.into_iter().map(|claim| (claim.field, claim.value.into())).collect(),
        candidates,
        verifications: past
            .into_iter()
            .map(|one| VerificationView {
                id: one.id,
                state: one.state,
                reason: one.reason,
                questions: one.questions,
                patient_id: one.patient_id,
                label: one.label,
                began_at: one.began_at,
                ended_at: one.ended_at,
            })
            .collect(),
        locked,
    }))
}

fn held(profile: &Profile, field: Field) -> Option<String> {
    match field {
        Field::FirstName => Some(profile.first_name.clone()),
        Field::LastName => Some(profile.last_name.clone()),
        Field::DateOfBirth => profile.date_of_birth.clone(),
        Field::Phone | Field::Mrn => None,
    }
    .filter(|value| !value.is_empty())
}
