//! `GET /v2/reports/records`: the Reports API, which Vonage sells apart, with the texts where the account keeps them
//! (`include_message`). <https://developer.vonage.com/en/reports/guides/how-to-handle-pagination>: a page
//! (of at most 1,000) names the next by `cursor` and `iv`. A look may be of 24 hours at most.

use reqwest::Client;
use serde::{Deserialize, Serialize};

use super::{Api, VonageCredentials, codes, state};
use crate::{
    FindError, InboundMessage, ListPage, Listed, Look, Receipt, client,
    inbound::{address, message_id, text},
    json,
    reconcile::seconds,
};

/// Where to go on: texts from patients first, then those to them.
#[derive(Clone, Serialize, Deserialize)]
struct Place {
    outbound: bool,
    cursor: Option<String>,
    iv: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    records: Vec<Record>,
    cursor: Option<String>,
    iv: Option<String>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(alias = "message_uuid")]
    message_id: Option<String>,
    from: Option<String>,
    to: Option<String>,
    #[serde(alias = "message")]
    message_body: Option<String>,
    status: Option<String>,
    error_code: Option<json::Code>,
    date_received: Option<String>,
}

pub(crate) async fn recent(
    http: &Client,
    credentials: &VonageCredentials,
    look: &Look,
) -> Result<ListPage, FindError> {
    let place = match &look.page {
        None => Place { outbound: false, cursor: None, iv: None },
        Some(page) => serde_json::from_str(page).map_err(|_| FindError::Malformed)?,
    };
    let mut wanted = vec![
        ("account_id", credentials.api_key.clone()),
        ("product", if credentials.api == Api::Sms { "SMS" } else { "MESSAGES" }.to_owned()),
        ("direction", if place.outbound { "outbound" } else { "inbound" }.to_owned()),
        ("date_start", seconds(look.since)),
        ("date_end", seconds(look.until)),
        ("include_message", (!place.outbound).to_string()),
    ];
    wanted.extend(place.cursor.clone().map(|cursor| ("cursor", cursor)));
    wanted.extend(place.iv.clone().map(|iv| ("iv", iv)));
    let request = http
        .get(credentials.api_base_url.join("/v2/reports/records"))
        .query(&wanted)
        .basic_auth(&credentials.api_key, Some(credentials.api_secret.expose()));
    let page: Page = client::list(request.send().await).await?;
    let more = page.cursor.filter(|cursor| !cursor.is_empty());
    let next = match more {
        Some(cursor) => Some(Place { outbound: place.outbound, cursor: Some(cursor), iv: page.iv }),
        None if !place.outbound => Some(Place { outbound: true, cursor: None, iv: None }),
        None => None,
    };
    let next = next.map(|place| serde_json::to_string(&place)).transpose();
    let items = page.records.into_iter().filter_map(|record| {
        if place.outbound { outbound(credentials.api, record) } else { inbound(record) }
    });
    Ok(ListPage { items: items.collect(), next: next.map_err(|_| FindError::Malformed)? })
}

fn inbound(record: Record) -> Option<Listed> {
    let id = message_id("message_id", &record.message_id?).ok()?;
    let (from, to) = (address("from", &record.from?).ok()?, address("to", &record.to?).ok()?);
    let wordless = record.message_body.is_none();
    let body = text(record.message_body.unwrap_or_default()).ok()?;
    let at = json::moment(record.date_received.as_deref());
    let message = Box::new(InboundMessage { at, ..InboundMessage::new(id, from, to, body) });
    Some(if wordless { Listed::Wordless(message) } else { Listed::Inbound(message) })
}

fn outbound(api: Api, record: Record) -> Option<Listed> {
    let state = state(record.status.as_deref()?)?;
    let failure = codes(api).failure(state, record.error_code.as_ref().map(|code| code.0.as_str()));
    let carrier_message_id = message_id("message_id", &record.message_id?).ok()?;
    Some(Listed::Outbound(Receipt { carrier_message_id, state, failure, at: None }))
}
