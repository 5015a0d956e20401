//! `GET /v2/detail_records`: which messages there were, and `GET /v2/messages/{id}`, which keeps them for ten days.
//!
//! <https://developers.telnyx.com/api-reference/detail-records/search-detail-records>. The older list of messages
//! (`/v2/reports/mdrs`) has no documented way to its second page.

use http::StatusCode;
use reqwest::Client;
use serde::Deserialize;

use super::{CODES, Event, Payload, TelnyxCredentials, messages};
use crate::{
    FindError, InboundMessage, ListPage, Listed, Look, Receipt, ReceiptState, client, inbound::message_id,
    json::Code, reconcile::seconds,
};

/// Records of a page; Telnyx gives no more.
const PAGE_SIZE: &str = "50";

#[derive(Deserialize)]
struct Records {
    #[serde(default)]
    data: Vec<Record>,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    page_number: Option<u32>,
    total_pages: Option<u32>,
}

#[derive(Deserialize)]
struct Record {
    /// The message's.
    uuid: Option<String>,
    direction: Option<String>,
    status: Option<String>,
    #[serde(default)]
    errors: Vec<Code>,
}

#[derive(Deserialize)]
struct Whole {
    data: Option<Payload>,
}

pub(crate) async fn recent(
    http: &Client,
    credentials: &TelnyxCredentials,
    look: &Look,
) -> Result<ListPage, FindError> {
    let number = look.page.as_deref().unwrap_or("1");
    let wanted = [
        ("filter[record_type]", "messaging".to_owned()),
        ("filter[created_at][gte]", seconds(look.since)),
        ("filter[created_at][lt]", seconds(look.until)),
        ("page[number]", number.to_owned()),
        ("page[size]", PAGE_SIZE.to_owned()),
    ];
    let request = http
        .get(credentials.api_base_url.join("/detail_records"))
        .query(&wanted)
        .bearer_auth(credentials.api_key.expose());
    let Records { data, meta } = client::list(request.send().await).await?;
    let next = meta.and_then(|meta| {
        let (page, pages) = (meta.page_number?, meta.total_pages?);
        (page < pages).then(|| (page + 1).to_string())
    });
    Ok(ListPage { items: data.into_iter().filter_map(listed).collect(), next })
}

fn listed(record: Record) -> Option<Listed> {
    let id = message_id("uuid", &record.uuid?).ok()?;
    if record.direction?.eq_ignore_ascii_case("inbound") {
        return Some(Listed::InboundId(id));
    }
    let status = record.status?;
    let state = match status.as_str() {
        "delivered" => ReceiptState::Delivered,
        "dlr_unconfirmed" | "dlr_timeout" => ReceiptState::Sent,
        "gw_timeout" | "gw_reject" | "failed" => ReceiptState::Failed,
        _ => return None,
    };
    let code = record.errors.first().map_or("delivery_failed", |code| code.0.as_str());
    let failure = CODES.failure(state, Some(code));
    Some(Listed::Outbound(Receipt { carrier_message_id: id, state, failure, at: None }))
}

pub(crate) async fn read(
    http: &Client,
    credentials: &TelnyxCredentials,
    id: &str,
) -> Result<Option<InboundMessage>, FindError> {
    let request = http
        .get(credentials.api_base_url.join(&format!("/messages/{id}")))
        .bearer_auth(credentials.api_key.expose());
    let whole: Whole = match client::list(request.send().await).await {
        Err(FindError::Refused { status, .. }) if status == StatusCode::NOT_FOUND.as_u16() => {
            return Ok(None);
        }
        other => other?,
    };
    let Some(payload) = whole.data else { return Ok(None) };
    let event = Event { kind: None, occurred_at: None, payload };
    // One that can't be read is one that no webhook could have brought either.
    Ok(messages(event).ok().and_then(|messages| messages.into_iter().next()))
}
