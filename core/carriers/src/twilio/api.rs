//! Sending, and looking for what was sent.
//!
//! Twilio has no idempotency key, so a send whose answer is lost is settled by listing messages.

use http::StatusCode;
use reqwest::{Client, Response};
use serde::Deserialize;

use super::{TwilioCredentials, codes, state};
use crate::{
    Address, Failure, FailureKind, FindError, FoundMessage, OutboundText, ReceiptState, Secret, SendError,
    Sent, SentQuery, client, sandbox,
};

/// Bytes read of an answer to a send; they have about 1,000.
const LONGEST_ANSWER: usize = 256 * 1024;
/// Bytes read of a page of [`PAGE_SIZE`] messages.
const LONGEST_PAGE: usize = 4 * 1024 * 1024;
/// Messages on a page of the list.
const PAGE_SIZE: &str = "200";
/// Pages read: 1,000 texts from one number to one patient.
const MOST_PAGES: usize = 5;
/// Under which all of the API lives.
const VERSION: &str = "/2010-04-01/";

/// Who sends: the account, or the subaccount that owns the number.
struct Sender<'a> {
    account_sid: &'a str,
    auth_token: &'a Secret,
    messaging_service_sid: Option<&'a str>,
}

impl<'a> Sender<'a> {
    fn of(credentials: &'a TwilioCredentials, from: &Address) -> Self {
        match credentials.subaccounts.iter().find(|sub| sub.numbers.contains(from)) {
            Some(sub) => Self {
                account_sid: &sub.account_sid,
                auth_token: &sub.auth_token,
                messaging_service_sid: sub.messaging_service_sid.as_deref(),
            },
            None => Self {
                account_sid: &credentials.account_sid,
                auth_token: &credentials.auth_token,
                messaging_service_sid: credentials.messaging_service_sid.as_deref(),
            },
        }
    }

    fn messages_path(&self) -> String {
        format!("{VERSION}Accounts/{}/Messages.json", self.account_sid)
    }
}

/// What Twilio says of a message, accepted or listed.
#[derive(Deserialize)]
struct Message {
    sid: String,
    status: Option<String>,
    error_code: Option<u32>,
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

    fn failure(&self) -> Option<Failure> {
        codes::failure(self.state(), self.error_code)
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
    code: Option<u32>,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Message>,
    next_page_uri: Option<String>,
}

/// `POST …/Messages.json`.
pub(crate) async fn send(
    http: &Client,
    credentials: &TwilioCredentials,
    text: &OutboundText,
) -> Result<Sent, SendError> {
    if text.body.contains('\0') {
        return Err(SendError::Rejected(sandbox::nul()));
    }
    let sender = Sender::of(credentials, &text.from);
    // With a Messaging Service, `From` still says which of its numbers: the patient's thread is on one.
    let mut form = vec![
        ("To", text.to.as_str()),
        ("From", text.from.as_str()),
        ("Body", &text.body),
        ("StatusCallback", &text.status_callback),
    ];
    form.extend(sender.messaging_service_sid.map(|sid| ("MessagingServiceSid", sid)));
    let response = http
        .post(credentials.api_base_url.0.join(&sender.messages_path()))
        .basic_auth(sender.account_sid, Some(sender.auth_token.expose()))
        .form(&form)
        .send()
        .await
        .map_err(client::transport)?;
    if response.status().is_success() { accepted(response).await } else { Err(refused(response).await) }
}

/// A success without a readable body is ambiguous: taken, it seems, but under which id?
async fn accepted(response: Response) -> Result<Sent, SendError> {
    let body = client::body(response, LONGEST_ANSWER).await.ok_or(SendError::Ambiguous)?;
    let message: Message = serde_json::from_slice(&body).map_err(|_| SendError::Ambiguous)?;
    Ok(Sent { state: message.state(), failure: message.failure(), carrier_message_id: message.sid })
}

async fn refused(response: Response) -> SendError {
    let status = response.status();
    let retry_after = client::retry_after(response.headers());
    match status {
        StatusCode::TOO_MANY_REQUESTS => SendError::RateLimited { retry_after },
        // A gateway that gave up waiting knows no more than we would after a time-out.
        StatusCode::GATEWAY_TIMEOUT => SendError::Ambiguous,
        StatusCode::REQUEST_TIMEOUT => SendError::Unavailable { status: status.as_u16(), retry_after },
        _ if status.is_server_error() => SendError::Unavailable { status: status.as_u16(), retry_after },
        _ => {
            let body = client::body(response, LONGEST_ANSWER).await;
            let code = body.and_then(|body| serde_json::from_slice::<Refusal>(&body).ok()?.code);
            SendError::Rejected(code.map_or_else(|| without_code(status), codes::explain))
        }
    }
}

fn without_code(status: StatusCode) -> Failure {
    let account = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND);
    Failure {
        code: format!("http_{}", status.as_u16()),
        kind: if account { FailureKind::Account } else { FailureKind::Other },
        text: format!("Twilio refused the message (HTTP {}).", status.as_u16()).into(),
    }
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
    let sender = Sender::of(credentials, &query.from);
    // Twilio's dates have whole seconds.
    let since = query.since.micros().div_euclid(1_000_000);
    let mut found = Vec::new();
    let mut next: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let page = match &next {
            None => {
                let wanted =
                    [("To", query.to.as_str()), ("From", query.from.as_str()), ("PageSize", PAGE_SIZE)];
                http.get(credentials.api_base_url.0.join(&sender.messages_path())).query(&wanted)
            }
            Some(path) => http.get(credentials.api_base_url.0.join(path)),
        };
        let page = page.basic_auth(sender.account_sid, Some(sender.auth_token.expose()));
        let page = read_page(page.send().await).await?;
        for message in page.messages {
            let created =
                message.date_created.as_deref().and_then(client::date).ok_or(FindError::Malformed)?;
            if message.is_like(query) && created.micros().div_euclid(1_000_000) >= since {
                let (state, failure) = (message.state(), message.failure());
                found.push(FoundMessage { carrier_message_id: message.sid, state, failure, created });
            }
        }
        next = page.next_page_uri;
        match &next {
            None => break,
            // The token goes nowhere but to the API.
            Some(path) if !path.starts_with(VERSION) => return Err(FindError::Malformed),
            Some(_) => {}
        }
    }
    if found.is_empty() && next.is_some() {
        return Err(FindError::TooLong);
    }
    found.sort_by_key(|message| message.created);
    Ok(found)
}

async fn read_page(response: reqwest::Result<Response>) -> Result<Page, FindError> {
    let response = response.map_err(|error| {
        client::log_cause(error);
        FindError::Unreachable
    })?;
    if response.status() != StatusCode::OK {
        let status = response.status().as_u16();
        return Err(FindError::Refused { status, retry_after: client::retry_after(response.headers()) });
    }
    let body = client::body(response, LONGEST_PAGE).await.ok_or(FindError::Unreachable)?;
    serde_json::from_slice(&body).map_err(|_| FindError::Malformed)
}

#[cfg(test)]
mod tests;
