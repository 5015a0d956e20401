//! `GET …/Messages.json?DateSent>=…`: what the account has, texts and all, and where the files of one are.

use http::StatusCode;
use reqwest::Client;
use serde::{Deserialize, Serialize};

use super::{
    TwilioCredentials,
    api::{Sender, VERSION},
    codes, state,
};
use crate::{
    FindError, InboundMessage, ListPage, Listed, Look, MediaRef, Receipt, client,
    inbound::{address, message_id, text},
    json::Code,
    reconcile::seconds,
};

/// Messages of a page.
const PAGE_SIZE: &str = "200";
/// Files read of one message.
const MOST_MEDIA: usize = 32;

/// Where to go on: subaccounts have lists of their own.
#[derive(Serialize, Deserialize)]
struct Place {
    /// 0 is the account itself.
    account: usize,
    path: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Message>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    sid: String,
    account_sid: Option<String>,
    direction: Option<String>,
    from: Option<String>,
    to: Option<String>,
    body: Option<String>,
    status: Option<String>,
    error_code: Option<Code>,
    num_media: Option<Code>,
    num_segments: Option<Code>,
    date_created: Option<String>,
}

#[derive(Deserialize)]
struct Files {
    media_list: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    content_type: Option<String>,
    uri: String,
}

impl TwilioCredentials {
    /// The account, then its subaccounts.
    fn listing(&self, account: usize) -> Option<Sender<'_>> {
        let (account_sid, auth_token) = match account.checked_sub(1) {
            None => (&self.account_sid, &self.auth_token),
            Some(sub) => self.subaccounts.get(sub).map(|sub| (&sub.account_sid, &sub.auth_token))?,
        };
        Some(Sender {
            base: &self.api_base_url.0,
            version: VERSION,
            account_sid,
            auth_token,
            messaging_service_sid: None,
            codes: &codes::TABLE,
        })
    }
}

pub(crate) async fn recent(
    http: &Client,
    credentials: &TwilioCredentials,
    look: &Look,
) -> Result<ListPage, FindError> {
    let place = match &look.page {
        None => Place { account: 0, path: None },
        Some(page) => serde_json::from_str(page).map_err(|_| FindError::Malformed)?,
    };
    let Some(sender) = credentials.listing(place.account) else { return Ok(ListPage::default()) };
    let request = match &place.path {
        None => http.get(sender.base.join(&sender.messages_path())).query(&[
            ("DateSent>", seconds(look.since).as_str()),
            ("DateSent<", &seconds(look.until)),
            ("PageSize", PAGE_SIZE),
        ]),
        // The token goes nowhere but to the API.
        Some(path) if path.starts_with(VERSION) => http.get(sender.base.join(path)),
        Some(_) => return Err(FindError::Malformed),
    };
    let request = request.basic_auth(sender.account_sid, Some(sender.auth_token.expose()));
    let page: Page = client::list(request.send().await).await?;
    let next = match page.next_page_uri {
        Some(path) => Some(Place { account: place.account, path: Some(path) }),
        None => {
            credentials.listing(place.account + 1).map(|_| Place { account: place.account + 1, path: None })
        }
    };
    let next = next.map(|place| serde_json::to_string(&place)).transpose();
    Ok(ListPage {
        // One that can't be read is one that no webhook could have brought either.
        items: page.messages.into_iter().filter_map(listed).collect(),
        next: next.map_err(|_| FindError::Malformed)?,
    })
}

fn listed(message: Message) -> Option<Listed> {
    let status = message.status.as_deref().unwrap_or_default();
    if message.direction.as_deref() == Some("inbound") {
        // Not until Twilio has all of it.
        if status != "received" {
            return None;
        }
        let files = message.num_media.as_ref().is_some_and(|count| count.0 != "0");
        if files {
            return Some(Listed::InboundId(message_id("sid", &message.sid).ok()?));
        }
        return Some(Listed::Inbound(Box::new(inbound(message, Vec::new())?)));
    }
    let state = state(status)?;
    Some(Listed::Outbound(Receipt {
        carrier_message_id: message_id("sid", &message.sid).ok()?,
        state,
        failure: codes::TABLE.failure(state, message.error_code.as_ref().map(|code| code.0.as_str())),
        at: None,
    }))
}

fn inbound(message: Message, media: Vec<MediaRef>) -> Option<InboundMessage> {
    let body = text(message.body.unwrap_or_default()).ok()?;
    let id = message_id("sid", &message.sid).ok()?;
    let (from, to) = (address("from", &message.from?).ok()?, address("to", &message.to?).ok()?);
    Some(InboundMessage {
        media,
        segments: message.num_segments.and_then(|count| count.0.parse().ok()),
        carrier_account: message.account_sid,
        at: message.date_created.as_deref().and_then(client::date),
        ..InboundMessage::new(id, from, to, body)
    })
}

/// `GET …/Messages/{sid}.json`, then `…/Media.json`: of whichever account has it.
pub(crate) async fn read(
    http: &Client,
    credentials: &TwilioCredentials,
    id: &str,
) -> Result<Option<InboundMessage>, FindError> {
    for account in 0.. {
        let Some(sender) = credentials.listing(account) else { break };
        let get = |path: String| {
            http.get(sender.base.join(&path)).basic_auth(sender.account_sid, Some(sender.auth_token.expose()))
        };
        let path = format!("{VERSION}Accounts/{}/Messages/{id}", sender.account_sid);
        let message: Message = match client::list(get(format!("{path}.json")).send().await).await {
            Err(FindError::Refused { status, .. }) if status == StatusCode::NOT_FOUND.as_u16() => continue,
            other => other?,
        };
        let files: Files = client::list(get(format!("{path}/Media.json")).send().await).await?;
        let media = files.media_list.into_iter().take(MOST_MEDIA).map(|file| MediaRef {
            url: sender.base.join(file.uri.trim_end_matches(".json")),
            content_type: file.content_type,
        });
        return Ok(inbound(message, media.collect()));
    }
    Ok(None)
}
