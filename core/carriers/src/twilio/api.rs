//! Sending, and looking for what was sent.
//!
//! Twilio has no idempotency key, so a send whose answer is lost is settled by listing messages.

use reqwest::Client;
use serde::Deserialize;

use super::{TwilioCredentials, codes, state};
use crate::{
    Address, Failure, FindError, FoundMessage, OutboundText, ReceiptState, Secret, SendError, Sent,
    SentQuery, client, codes::CodeTable, credentials::BaseUrl, json::Code,
};

/// Messages on a page of the list.
const PAGE_SIZE: &str = "200";
/// Pages read: 1,000 texts from one number to one patient.
const MOST_PAGES: usize = 5;
/// Under which all of the API lives.
pub(super) const VERSION: &str = "/2010-04-01/";

/// Who sends: an account, or the subaccount that owns the number.
pub(crate) struct Sender<'a> {
    pub(crate) base: &'a BaseUrl,
    /// Under which all of the API lives.
    pub(crate) version: &'static str,
    pub(crate) account_sid: &'a str,
    pub(crate) auth_token: &'a Secret,
    pub(crate) messaging_service_sid: Option<&'a str>,
    pub(crate) codes: &'static CodeTable,
}

impl<'a> Sender<'a> {
    pub(super) fn of(credentials: &'a TwilioCredentials, from: &Address) -> Self {
        let base = &credentials.api_base_url.0;
        let (version, codes) = (VERSION, &codes::TABLE);
        match credentials.subaccounts.iter().find(|sub| sub.numbers.contains(from)) {
            Some(sub) => Self {
                base,
                version,
                account_sid: &sub.account_sid,
                auth_token: &sub.auth_token,
                messaging_service_sid: sub.messaging_service_sid.as_deref(),
                codes,
            },
            None => Self {
                base,
                version,
                account_sid: &credentials.account_sid,
                auth_token: &credentials.auth_token,
                messaging_service_sid: credentials.messaging_service_sid.as_deref(),
                codes,
            },
        }
    }

    pub(super) fn messages_path(&self) -> String {
        format!("{}Accounts/{}/Messages.json", self.version, self.account_sid)
    }
}

/// What Twilio says of a message, accepted or listed.
#[derive(Deserialize)]
struct Message {
    sid: String,
    status: Option<String>,
    error_code: Option<Code>,
    direction: Option<String>,
    to: Option<String>,
    from: Option<String>,
    body: Option<String>,
    date_created: Option<String>,
}

impl Message {
    /// An unknown status counts as `Queued`: Twilio has the message.
    fn state(&self) -> ReceiptState {
        self.status.as_deref().and_then(state).unwrap_or(ReceiptState::Queued)
    }

    fn failure(&self, codes: &CodeTable) -> Option<Failure> {
        codes.failure(self.state(), self.error_code.as_ref().map(|code| code.0.as_str()))
    }

    /// Whether this is a text from us, between the two, with just this body.
    fn is_like(&self, query: &SentQuery) -> bool {
        let is = |field: &Option<String>, wanted: &str| field.as_deref().is_none_or(|text| text == wanted);
        self.direction.as_deref().is_none_or(|direction| direction.starts_with("outbound"))
            && is(&self.to, query.to.as_str())
            && is(&self.from, query.from.as_str())
            && self.body.as_deref() == Some(&query.body)
    }
}

#[derive(Deserialize)]
struct Refusal {
    code: Option<Code>,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Message>,
    next_page_uri: Option<String>,
}

pub(crate) async fn send(
    http: &Client,
    credentials: &TwilioCredentials,
    text: &OutboundText,
) -> Result<Sent, SendError> {
    send_as(http, &Sender::of(credentials, &text.from), text).await
}

/// `POST …/Messages.json`.
pub(crate) async fn send_as(
    http: &Client,
    sender: &Sender<'_>,
    text: &OutboundText,
) -> Result<Sent, SendError> {
    // With a Messaging Service, `From` still says which of its numbers: the patient's thread is on one.
    let mut form = vec![
        ("To", text.to.as_str()),
        ("From", text.from.as_str()),
        ("StatusCallback", &text.status_callback),
    ];
    if !text.body.is_empty() || text.media_urls.is_empty() {
        form.insert(2, ("Body", &text.body));
    }
    form.extend(text.media_urls.iter().map(|url| ("MediaUrl", url.as_str())));
    let service = text.messaging_service.as_deref().or(sender.messaging_service_sid);
    form.extend(service.map(|sid| ("MessagingServiceSid", sid)));
    let response = http
        .post(sender.base.join(&sender.messages_path()))
        .basic_auth(sender.account_sid, Some(sender.auth_token.expose()))
        .form(&form)
        .send()
        .await;
    let body = client::answer(response, |status, body| {
        let code = serde_json::from_slice::<Refusal>(body).ok().and_then(|refusal| refusal.code);
        sender.codes.refusal(status, code.as_ref().map(|code| code.0.as_str())).into()
    })
    .await?;
    let message: Message = client::accepted(&body)?;
    let (state, failure) = (message.state(), message.failure(sender.codes));
    Ok(Sent { carrier_message_id: message.sid, state, failure })
}

/// `GET …/Messages.json?To=…&From=…`, newest first, page by page.
///
/// Not narrowed by `DateSent`: Twilio filters by when it handed a message on, which is still empty for one
/// that waits in its queue, and just that one must be found. `date_created` is compared here instead.
pub(crate) async fn find_sent(
    http: &Client,
    credentials: &TwilioCredentials,
    query: &SentQuery,
) -> Result<Vec<FoundMessage>, FindError> {
    find_as(http, &Sender::of(credentials, &query.from), query).await
}

pub(crate) async fn find_as(
    http: &Client,
    sender: &Sender<'_>,
    query: &SentQuery,
) -> Result<Vec<FoundMessage>, FindError> {
    // Twilio's dates have whole seconds.
    let since = query.since.micros().div_euclid(1_000_000);
    let mut found = Vec::new();
    let mut next: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let page = match &next {
            None => {
                let wanted =
                    [("To", query.to.as_str()), ("From", query.from.as_str()), ("PageSize", PAGE_SIZE)];
                http.get(sender.base.join(&sender.messages_path())).query(&wanted)
            }
            Some(path) => http.get(sender.base.join(path)),
        };
        let page = page.basic_auth(sender.account_sid, Some(sender.auth_token.expose()));
        let page: Page = client::list(page.send().await).await?;
        for message in page.messages {
            let created =
                message.date_created.as_deref().and_then(client::date).ok_or(FindError::Malformed)?;
            if message.is_like(query) && created.micros().div_euclid(1_000_000) >= since {
                let (state, failure) = (message.state(), message.failure(sender.codes));
                found.push(FoundMessage { carrier_message_id: message.sid, state, failure, created });
            }
        }
        next = page.next_page_uri;
        match &next {
            None => break,
            // The token goes nowhere but to the API.
            Some(path) if !path.starts_with(sender.version) => return Err(FindError::Malformed),
            Some(_) => {}
        }
    }
    if found.is_empty() && next.is_some() {
        return Err(FindError::TooLong);
    }
    found.sort_by_key(|message| message.created);
    Ok(found)
}

#[cfg(test)]
mod tests;
