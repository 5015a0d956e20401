//! Verify, create, point elsewhere, split.

use anteroom_model::{
    ids::{ConversationId, PatientId},
    states::{PatientKind, Role},
};
use anteroom_store::{Actor, By, ConversationChange, Idempotent, NewEvent, NewPatient, Profile};
use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::say::{Say, say};
use crate::{
    app::App,
    auth::Caller,
    hub::{
        changes::{Refusal, if_match, outdated},
        messages::{idempotency_key, misused_key},
        views::{self, ConversationView},
    },
    problem::Problem,
};

/// Who is texting.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct ThisPatient {
    /// A patient of the directory.
    patient_id: PatientId,
    /// Kept with the merge.
    reason: Option<String>,
}

/// Somebody who is not in the directory yet.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct SomebodyNew {
    first_name: String,
    last_name: String,
    preferred_name: Option<String>,
    /// `YYYY-MM-DD`.
    date_of_birth: Option<String>,
    /// BCP 47, for example `es`.
    language: Option<String>,
    /// The phone that is texting is not theirs: a parent's, for example.
    #[serde(default)]
    not_their_phone: bool,
    /// Kept with the merge.
    reason: Option<String>,
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct Why {
    /// Kept with the change.
    reason: Option<String>,
}

type Answer = Result<Json<ConversationView>, Problem>;

/// Staff say who is texting: the placeholder is merged into the patient, and its history is found there. Labels what
/// had been found without them. Undo: `split`.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/verify", tag = "identity",
    params(("id" = ConversationId, Path)), request_body = ThisPatient,
    responses((status = 200, body = ConversationView), (status = 403), (status = 404),
        (status = 409, description = "Somebody else has it, changed it, or said who it is: `winner` says who"),
        (status = 422)))]
pub(in crate::hub) async fn verify(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    Json(ThisPatient { patient_id, reason }): Json<ThisPatient>,
) -> Answer {
    identify(&app, &caller, id, &headers, Say::Is(patient_id), reason, None).await
}

/// Adds a patient to the directory and says that they are texting.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/create-patient", tag = "identity",
    params(("id" = ConversationId, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = SomebodyNew,
    responses((status = 200, body = ConversationView), (status = 403), (status = 404),
        (status = 409, description = "Somebody else has it, changed it, or said who it is: `winner` says who"),
        (status = 422)))]
pub(in crate::hub) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    Json(new): Json<SomebodyNew>,
) -> Answer {
    let once = match idempotency_key(&headers)? {
        Some(key) => {
            let body = serde_json::to_vec(&new).map_err(|error| Problem::internal(&error))?;
            Some((key, [id.0.as_bytes().as_slice(), b"create-patient", &body].concat()))
        }
        None => None,
    };
    let profile = Profile {
        first_name: new.first_name.trim().to_owned(),
        last_name: new.last_name.trim().to_owned(),
        preferred_name: new.preferred_name,
        date_of_birth: new.date_of_birth,
        language: new.language,
        ..Profile::default()
    };
    if profile.first_name.is_empty() && profile.last_name.is_empty() {
        return Err(Problem::invalid("A patient needs a name."));
    }
    if profile.date_of_birth.as_deref().is_some_and(|date| date.parse::<jiff::civil::Date>().is_err()) {
        return Err(Problem::invalid("date_of_birth is a date, YYYY-MM-DD."));
    }
    let mut patient = NewPatient { kind: PatientKind::Profile, profile, ..NewPatient::default() };
    if !new.not_their_phone {
        let mut org = app.store.read(caller.organization).await?;
        let conversation = org.conversation(id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
        patient.phones = vec![conversation.peer.into()];
    }
    identify(&app, &caller, id, &headers, Say::New(Box::new(patient)), new.reason, once).await
}

/// It is another patient than the one whom the conversation names. If staff had merged the placeholder into the
/// wrong one, that is undone first.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/repoint", tag = "identity",
    params(("id" = ConversationId, Path)), request_body = ThisPatient,
    responses((status = 200, body = ConversationView), (status = 403), (status = 404), (status = 409), (status = 422)))]
pub(in crate::hub) async fn repoint(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    Json(ThisPatient { patient_id, reason }): Json<ThisPatient>,
) -> Answer {
    identify(&app, &caller, id, &headers, Say::IsRather(patient_id), reason, None).await
}

/// It isn't whom the conversation names: it gets its placeholder back, or a new one.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/split", tag = "identity",
    params(("id" = ConversationId, Path)), request_body = Why,
    responses((status = 200, body = ConversationView), (status = 403), (status = 404), (status = 409), (status = 422)))]
pub(in crate::hub) async fn split(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    Json(Why { reason }): Json<Why>,
) -> Answer {
    identify(&app, &caller, id, &headers, Say::IsNot, reason, None).await
}

async fn identify(
    app: &App,
    caller: &Caller,
    id: ConversationId,
    headers: &HeaderMap,
    said: Say,
    reason: Option<String>,
    once: Option<(String, Vec<u8>)>,
) -> Answer {
    caller.may_write()?;
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > 500) {
        return Err(Problem::invalid("reason: at most 500 characters."));
    }
    let expected = if_match(headers)?;
    let (staff, role) = (caller.staff, caller.role);
    let audit = caller.audit("conversation.identified", Some(id.0));
    let by = By { actor: Actor::Staff(staff), reason, request_id: caller.request_id.clone() };
    let conversation = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let found = org.conversation_to_change(id).await?;
                let mut conversation = found.ok_or_else(|| Problem::not_found("conversation"))?;
                if let Some((key, request)) = once {
                    match org.remember_key(staff, &key, &request, id.0).await? {
                        Idempotent::Fresh => {}
                        // Done before: as the conversation is now.
                        Idempotent::Same(_) => return Ok(conversation),
                        Idempotent::Misused => return Err(misused_key()),
                    }
                }
                if expected.is_some_and(|version| version != conversation.version) {
                    return Err(outdated(&mut org, &conversation).await?);
                }
                if let Some(holder) = conversation.assignee_id
                    && holder != staff
                    && role == Role::Agent
                {
                    return Err(Refusal::HeldBy(holder).explain(&mut org).await?);
                }
                let Some((kind, data)) = say(&mut org, &mut conversation, said, staff, &by).await? else {
                    return Ok(conversation);
                };
                if org.update_conversation(&mut conversation).await? == ConversationChange::Outdated {
                    return Err(outdated(&mut org, &conversation).await?);
                }
                org.tell(NewEvent { kind, conversation_id: Some(id), actor: Actor::Staff(staff), data });
                org.insert_audit(&audit).await?;
                Ok(conversation)
            }
            .boxed()
        })
        .await?;
    Ok(Json(views::conversation(app, caller.organization, conversation).await?))
}
