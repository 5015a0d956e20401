//! Whether patients may text first, in the whole organization; each number says so for itself besides.

use anteroom_model::states::Role;
use anteroom_store::{Actor, NewEvent, StoreError};
use axum::{Json, extract::State};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{app::App, auth::Caller, problem::Problem};

/// Whether patients may text first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TextingRulesBody {
    /// Patients may start a conversation, on numbers that allow it. Switched off: on no number; what they text is
    /// held, and keywords such as STOP are heeded all the same.
    patient_initiated: bool,
}

/// Whether patients may text first, in the whole organization.
#[utoipa::path(get, path = "/api/v1/texting-rules", tag = "organization",
    responses((status = 200, body = TextingRulesBody)))]
pub(super) async fn get(State(app): State<App>, caller: Caller) -> Result<Json<TextingRulesBody>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    Ok(Json(TextingRulesBody { patient_initiated: entry.organization.settings.patient_initiated }))
}

/// Changes that, for the texts to come. For admins; audited.
#[utoipa::path(put, path = "/api/v1/texting-rules", tag = "organization", request_body = TextingRulesBody,
    responses((status = 200, body = TextingRulesBody), (status = 403)))]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Json(rules): Json<TextingRulesBody>,
) -> Result<Json<TextingRulesBody>, Problem> {
    caller.require(&[Role::Admin])?;
    let audit = caller.audit("texting_rules.changed", None);
    let (wanted, by) = (rules.patient_initiated, caller.staff);
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let mut settings = org.organization_row().await?.ok_or(StoreError::NoOrganization)?.settings;
                settings.patient_initiated = wanted;
                org.set_settings(&settings).await?;
                org.tell(NewEvent {
                    kind: "organization.texting",
                    conversation_id: None,
                    actor: Actor::Staff(by),
                    data: json!({ "patient_initiated": wanted }),
                });
                org.insert_audit(&audit).await?;
                Ok::<_, Problem>(())
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    Ok(Json(rules))
}
