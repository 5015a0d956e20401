//! `GET /users/{account}/messages`: who texted whom and when, without what.

use reqwest::Client;
use serde::Deserialize;

use super::{BandwidthCredentials, CODES, Listed as Row, listed_state, messages};
use crate::{
    FindError, InboundMessage, ListPage, Listed, Look, Receipt, client,
    inbound::{address, message_id},
    json,
    reconcile::seconds,
};

/// Messages of a page.
const PAGE_SIZE: &str = "1000";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    messages: Vec<Row>,
    page_info: Option<PageInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    next_page_token: Option<String>,
}

pub(crate) async fn recent(
    http: &Client,
    credentials: &BandwidthCredentials,
    look: &Look,
) -> Result<ListPage, FindError> {
    let mut wanted = vec![
        ("fromDateTime", seconds(look.since)),
        ("toDateTime", seconds(look.until)),
        ("limit", PAGE_SIZE.to_owned()),
    ];
    wanted.extend(look.page.clone().map(|token| ("pageToken", token)));
    let request = http
        .get(messages(credentials))
        .query(&wanted)
        .basic_auth(&credentials.username, Some(credentials.password.expose()));
    let page: Page = client::list(request.send().await).await?;
    let next = page.page_info.and_then(|info| info.next_page_token).filter(|token| !token.is_empty());
    Ok(ListPage { items: page.messages.iter().filter_map(listed).collect(), next })
}

fn listed(row: &Row) -> Option<Listed> {
    let id = message_id("messageId", &row.message_id).ok()?;
    if row.message_direction.as_deref() == Some("INBOUND") {
        // A group's is known by another id for each addressee, which is not listed.
        if row.recipient_count.is_some_and(|count| count > 1) {
            return None;
        }
        let from = address("sourceTn", row.source_tn.as_deref()?).ok()?;
        let to = address("destinationTn", row.destination_tn.as_deref()?).ok()?;
        return Some(Listed::Wordless(Box::new(InboundMessage {
            segments: row.segment_count,
            at: json::moment(row.receive_time.as_deref()),
            ..InboundMessage::new(id, from, to, String::new())
        })));
    }
    let state = listed_state(row.message_status.as_deref()?);
    let failure = CODES.failure(state, row.error_code.as_ref().map(|code| code.0.as_str()));
    Some(Listed::Outbound(Receipt { carrier_message_id: id, state, failure, at: None }))
}
