//! Deleting a patient: for administrators, with a reason.

use anteroom_model::{
    ids::{ConversationId, PatientId},
    states::Role,
};
use anteroom_store::{Deleted, Deletion, StoreError};
use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{by, not_found, outdated, reason};
use crate::{app::App, auth::Caller, hub::changes::if_match, problem::Problem};

/// How often a deletion begins again because the patient was changed or merged meanwhile.
const COLLISIONS: u32 = 5;

/// Why somebody is deleted.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::hub) struct DeletionBody {
    /// 1 to 500 characters. Kept in the event: name nobody in it.
    reason: String,
}

/// What was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct DeletedView {
    /// The records that were emptied: the patient's, and those merged into it.
    records: Vec<PatientId>,
    /// Their conversations, whose texts are still there.
    conversations: Vec<ConversationId>,
    /// The placeholder that stands for the patient in them now; null where there are none.
    placeholder_id: Option<PatientId>,
}

/// Deletes what identifies a patient: names, dates, phones, ids, care-givers and their history, of all records
/// merged into it too. Texts and notes stay, under a placeholder. This can't be undone. For admins.
#[utoipa::path(delete, path = "/api/v1/patients/{id}", tag = "patients",
    params(("id" = PatientId, Path), ("If-Match" = Option<String>, Header)), request_body = DeletionBody,
    responses((status = 200, body = DeletedView), (status = 403), (status = 404), (status = 409), (status = 422)))]
pub(in crate::hub) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PatientId>,
    headers: HeaderMap,
    Json(body): Json<DeletionBody>,
) -> Result<Json<DeletedView>, Problem> {
    caller.require(&[Role::Admin])?;
    let expected = if_match(&headers)?;
    let by = by(&caller, Some(reason(&body.reason)?));
    let mut outcome = Err(StoreError::Conflict);
    for _ in 0..COLLISIONS {
        let by = by.clone();
        outcome = app
            .store
            .write(caller.organization, move |mut org| {
                async move {
                    let Some(id) = org.resolve_patient(id).await? else { return Ok(Deletion::NotFound) };
                    org.delete_patient(id, expected, &by).await
                }
                .boxed()
            })
            .await;
        if !matches!(outcome, Err(StoreError::Conflict)) {
            break;
        }
    }
    match outcome? {
        Deletion::Done(Deleted { records, conversations, placeholder }) => {
            Ok(Json(DeletedView { records, conversations, placeholder_id: placeholder }))
        }
        Deletion::NotFound => Err(not_found()),
        Deletion::Outdated(version) => {
            let mut org = app.store.read(caller.organization).await?;
            Err(outdated(&mut org, id, version).await?)
        }
    }
}
