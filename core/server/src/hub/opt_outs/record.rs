//! Opt-outs on the word of staff.

use anteroom_model::{
    ids::{ConversationId, NumberId, OptOutId},
    phone::Address,
    states::RevocationVia,
    time::Timestamp,
};
use anteroom_store::{Actor, NewEvent, NewOptOut, Org};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use futures::FutureExt;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{LONGEST_NOTE, OptOutView, list};
use crate::{app::App, auth::Caller, opt_outs, problem::Problem};

/// A revocation that reached the clinic outside of the carrier's keywords. Either `phone` or `conversation_id`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct RecordedOptOut {
    /// The patient's phone, as people write it.
    phone: Option<String>,
    /// The conversation with the patient.
    conversation_id: Option<ConversationId>,
    /// Only for this number of the clinic; absent: as the organization's rule says, by default for all.
    number_id: Option<NumberId>,
    /// How the clinic was asked.
    via: RevocationVia,
    /// When the patient asked; absent: now. Not in the future.
    #[schema(value_type = Option<String>, format = DateTime)]
    asked_at: Option<Timestamp>,
    /// Up to 1,000 characters: who took the call, and the like.
    note: Option<String>,
}

/// Why an opt-out does not stand any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct ClearedOptOut {
    /// 1 to 1,000 characters.
    note: String,
}

/// Records a revocation that came by phone, letter or e-mail, or in the patient's own words. Nothing is sent to the
/// patient any more, and what waits to be sent is blocked. One that stands already is given back (200).
#[utoipa::path(post, path = "/api/v1/opt-outs", tag = "opt-outs", request_body = RecordedOptOut,
    responses((status = 201, body = OptOutView), (status = 200, body = OptOutView), (status = 404), (status = 422)))]
pub(in crate::hub) async fn record(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<RecordedOptOut>,
) -> Result<(StatusCode, Json<OptOutView>), Problem> {
    caller.may_write()?;
    check_note(body.note.as_deref())?;
    if body.asked_at.is_some_and(|asked| asked > app.store.now()) {
        return Err(Problem::invalid("asked_at lies in the future."));
    }
    let entry = app.directory.get(caller.organization).await?;
    if body.number_id.is_some_and(|id| !entry.numbers.contains_key(&id)) {
        return Err(Problem::not_found("number"));
    }
    let everywhere = entry.organization.settings.opt_out_everywhere;
    let by = caller.clone();
    let (id, fresh) = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let (peer, texted, conversation) = whose(&mut org, &body).await?;
                let scope = body.number_id.or(texted.filter(|_| !everywhere));
                let new = NewOptOut {
                    peer: &peer,
                    scope,
                    source: "staff",
                    asked_at: body.asked_at,
                    via: Some(body.via),
                    note: body.note.as_deref(),
                    recorded_by: Some(by.staff),
                };
                let made = opt_outs::record(&mut org, &new, conversation, Actor::Staff(by.staff)).await?;
                let (id, fresh) = if let Some(id) = made {
                    (id, true)
                } else {
                    let standing = org.standing_opt_out(&peer, scope).await?;
                    (standing.ok_or_else(Problem::unavailable)?, false)
                };
                org.insert_audit(&by.audit("opt_out.recorded", Some(id.0))).await?;
                Ok::<_, Problem>((id, fresh))
            }
            .boxed()
        })
        .await?;
    let status = if fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, list::get(State(app), caller, Path(id)).await?))
}

/// Whose opt-out it is: the phone, the number they texted, the conversation.
async fn whose(
    org: &mut Org<'_>,
    body: &RecordedOptOut,
) -> Result<(String, Option<NumberId>, Option<ConversationId>), Problem> {
    match (&body.phone, body.conversation_id) {
        (Some(phone), None) => {
            let address = Address::parse_lenient(phone)
                .map_err(|_| Problem::invalid("phone is not a phone number."))?;
            Ok((address.as_str().to_owned(), None, None))
        }
        (None, Some(id)) => {
            let c = org.conversation(id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
            Ok((c.peer, Some(c.number_id), Some(id)))
        }
        _ => Err(Problem::invalid("either phone or conversation_id says whose opt-out it is.")),
    }
}

pub(super) fn check_note(note: Option<&str>) -> Result<(), Problem> {
    let note = note.unwrap_or_default();
    if note.chars().count() > LONGEST_NOTE || note.contains('\0') {
        return Err(Problem::invalid("note has up to 1,000 characters, and no NUL."));
    }
    Ok(())
}

/// Takes back an opt-out that staff or a list recorded by mistake. One that the patient gave by a keyword, or that
/// the carrier keeps, is the patient's own: only their START ends it. For admins and leads.
#[utoipa::path(post, path = "/api/v1/opt-outs/{id}/clear", tag = "opt-outs", params(("id" = OptOutId, Path)),
    request_body = ClearedOptOut, responses((status = 200, body = OptOutView), (status = 403), (status = 404),
        (status = 409, description = "It is the patient's own, or doesn't stand any more")))]
pub(in crate::hub) async fn clear(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<OptOutId>,
    Json(ClearedOptOut { note }): Json<ClearedOptOut>,
) -> Result<Json<OptOutView>, Problem> {
    use anteroom_model::states::Role;
    caller.require(&[Role::Lead, Role::Admin])?;
    check_note(Some(&note))?;
    if note.trim().is_empty() {
        return Err(Problem::invalid("note is empty: say why the patient may be texted again."));
    }
    let by = caller.clone();
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let known = org.opt_out(id).await?.ok_or_else(|| Problem::not_found("opt-out"))?;
                if !matches!(known.source.as_str(), "staff" | "import") {
                    let detail = "The patient opted out themselves. They can text START to get texts again.";
                    return Err(conflict(
                        "opted-out-themselves",
                        "This opt-out is the patient's own",
                        detail,
                    ));
                }
                if !org.clear_one_opt_out(id, by.staff, &note).await? {
                    let detail = "This opt-out was taken back before.";
                    return Err(conflict("cleared", "This opt-out doesn't stand any more", detail));
                }
                org.tell(NewEvent {
                    kind: "opt_out.cleared",
                    conversation_id: None,
                    actor: Actor::Staff(by.staff),
                    data: json!({ "source": "staff", "opt_out_id": id }),
                });
                org.insert_audit(&by.audit("opt_out.cleared", Some(id.0))).await?;
                Ok(())
            }
            .boxed()
        })
        .await?;
    list::get(State(app), caller, Path(id)).await
}

pub(super) fn conflict(kind: &'static str, title: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::CONFLICT, kind, title, detail)
}
