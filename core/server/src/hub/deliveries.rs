//! Genuine deliveries that could not be taken: a list to look through, with a way to try again.

use anteroom_model::{
    ids::{CarrierAccountId, DeliveryId},
    states::{DeliveryState, Role},
    time::Timestamp,
};
use anteroom_store::{Actor, DeliveryContent, KeptDelivery, NewEvent};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    auth::Caller,
    hub::{
        paging::{Page, PageQuery},
        views::Named,
    },
    ingress::kept::{self, NotTaken},
    problem::Problem,
};

/// Who may look: they quote patients.
const READERS: [Role; 2] = [Role::Admin, Role::Auditor];

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// `unparsed` (the default), `undeliverable` or `taken`.
    state: Option<DeliveryState>,
}

/// A delivery that its carrier signed and that could not be taken.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeliveryView {
    id: DeliveryId,
    carrier_account: Named<CarrierAccountId>,
    /// The word of the carrier.
    carrier: String,
    /// `messages`, `status` or `link`.
    endpoint: String,
    /// Why it was kept, or that it was taken meanwhile.
    state: DeliveryState,
    /// What was wrong: `missing_field`, `bad_json`, `bad_pdu`, `nul`, `number_unknown`, …
    reason: String,
    /// As it came: a webhook's body (characters that are none are replaced), a link's text, or a link's octets in hex.
    content: String,
    /// How often it was retried.
    attempts: i32,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    retried_at: Option<Timestamp>,
}

fn view(entry: &crate::directory::Entry, kept: KeptDelivery) -> DeliveryView {
    let account = entry.accounts.get(&kept.carrier_account_id);
    DeliveryView {
        id: kept.id,
        carrier_account: Named {
            id: kept.carrier_account_id,
            name: account.map(|account| account.row.label.clone()).unwrap_or_default(),
        },
        carrier: account.map(|account| account.row.carrier.clone()).unwrap_or_default(),
        endpoint: kept.endpoint,
        state: kept.state,
        reason: kept.reason,
        content: match kept.content {
            DeliveryContent::Request(raw) if raw.body.is_empty() => raw.path_and_query,
            DeliveryContent::Request(raw) => String::from_utf8_lossy(&raw.body).into_owned(),
            DeliveryContent::Text(text) => {
                json!({ "from": text.from, "to": text.to, "text": text.body }).to_string()
            }
            DeliveryContent::Octets(command) => hex::encode(command.octets),
        },
        attempts: kept.attempts,
        received_at: kept.received_at,
        retried_at: kept.retried_at,
    }
}

/// Deliveries that are genuine and could not be taken: not understood (`unparsed`), or for a number that is not
/// set up (`undeliverable`). Newest first. For admins and auditors; the read is audited.
#[utoipa::path(get, path = "/api/v1/deliveries", tag = "organization", params(Which, PageQuery),
    responses((status = 200, body = Page<DeliveryView>), (status = 403)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(Which { state }): Query<Which>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<DeliveryView>>, Problem> {
    caller.require(&READERS)?;
    let state = state.unwrap_or(DeliveryState::Unparsed);
    let before = page.position()?.unwrap_or(DeliveryId::GREATEST);
    let list =
        app.store.read(caller.organization).await?.kept_deliveries(state, before, page.limit()).await?;
    caller.audit_read(&app, "deliveries.listed", caller.staff.0).await?;
    let entry = app.directory.get(caller.organization).await?;
    let end = list.last().map(|kept| kept.id);
    let items = list.into_iter().map(|kept| view(&entry, kept)).collect();
    Ok(Json(Page::cut(items, page.limit(), end)))
}

/// Takes a delivery as if it came now: after the number was added, or with a version that understands it. What it
/// holds is stored once. For admins; audited.
#[utoipa::path(post, path = "/api/v1/deliveries/{id}/retry", tag = "organization",
    params(("id" = DeliveryId, Path)),
    responses((status = 200, body = DeliveryView), (status = 403), (status = 404),
        (status = 409, description = "It was taken already, or still can't be: `reason`")))]
pub(super) async fn retry(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<DeliveryId>,
) -> Result<Json<DeliveryView>, Problem> {
    caller.require(&[Role::Admin])?;
    let kept = app.store.read(caller.organization).await?.kept_delivery(id).await?;
    let kept = kept.ok_or_else(|| Problem::not_found("delivery"))?;
    if kept.state == DeliveryState::Taken {
        let detail = "This delivery was taken already.";
        return Err(Problem::new(StatusCode::CONFLICT, "taken", "Taken already", detail));
    }
    // What was set up a moment ago counts.
    app.directory.forget(caller.organization);
    let outcome = kept::retry(&app, caller.organization, &kept).await?;
    let (state, reason) = match &outcome {
        Ok(()) => (DeliveryState::Taken, kept.reason.clone()),
        Err(NotTaken::Still(state, reason)) => (*state, (*reason).to_owned()),
        Err(NotTaken::Unverifiable(_)) => (kept.state, kept.reason.clone()),
    };
    let (by, audit) = (caller.staff, caller.audit("delivery.retried", Some(id.0)));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                org.delivery_retried(id, state, &reason).await?;
                org.insert_audit(&audit).await?;
                org.tell(NewEvent {
                    kind: "delivery.retried",
                    conversation_id: None,
                    actor: Actor::Staff(by),
                    data: json!({ "delivery_id": id, "state": state }),
                });
                Ok::<_, Problem>(())
            }
            .boxed()
        })
        .await?;
    let problem = |detail: &'static str, reason: &'static str| {
        let title = "The delivery can't be taken yet";
        Problem::new(StatusCode::CONFLICT, "not-taken", title, detail).with("reason", reason)
    };
    match outcome {
        Ok(()) => {}
        Err(NotTaken::Still(DeliveryState::Undeliverable, reason)) => {
            let detail =
                "It is for a number that is not one of this account's numbers here. Add the number first.";
            return Err(problem(detail, reason));
        }
        Err(NotTaken::Still(_, reason)) => {
            return Err(problem("It is still not understood by this version of Anteroom.", reason));
        }
        Err(NotTaken::Unverifiable(reason)) => {
            let detail =
                "Its signature can't be checked any more: the account's secret is another one since.";
            return Err(problem(detail, reason));
        }
    }
    let entry = app.directory.get(caller.organization).await?;
    let kept = app.store.read(caller.organization).await?.kept_delivery(id).await?;
    Ok(Json(view(&entry, kept.ok_or_else(|| Problem::not_found("delivery"))?)))
}
