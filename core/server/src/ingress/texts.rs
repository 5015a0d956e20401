//! Storing patients' texts.

use anteroom_carriers::{InboundMessage, OptOutType, Part};
use anteroom_model::{ids::MessageId, parts::TextPart};
use anteroom_store::{Extra, MediaItem, NewInbound, ReceiptMatch, Received, StoreError};
use axum::http::StatusCode;
use futures::FutureExt;
use metrics::counter;

use crate::{app::App, ingress::Hook, problem::Problem};

/// How a text came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The carrier told.
    ByWebhook,
    /// It didn't, and yet its list has it.
    InList,
    /// Likewise, without its words.
    InListWordless,
}

impl Found {
    /// As it is kept with the text.
    const fn word(self) -> Option<&'static str> {
        match self {
            Self::ByWebhook => None,
            Self::InList => Some("list"),
            Self::InListWordless => Some("list_wordless"),
        }
    }
}

/// What became of the messages of a delivery.
#[derive(Default)]
pub(crate) struct Stored {
    /// How many were not there yet.
    pub(crate) fresh: usize,
    /// Those whose number is none of the account's.
    pub(crate) unknown: Vec<InboundMessage>,
}

/// Stores every message that is not there yet.
pub(crate) async fn store(
    app: &App,
    hook: &Hook,
    messages: Vec<InboundMessage>,
    found: Found,
) -> Result<Stored, Problem> {
    let mut stored = Stored::default();
    let entry = app.directory.get(hook.organization).await?;
    let keys = app.store.keys(hook.organization).await?;
    for message in messages {
        let number = entry
            .addresses
            .get(message.to.as_str())
            .and_then(|id| entry.numbers.get(id))
            .filter(|number| number.carrier_account_id == hook.account.row.id);
        let Some(number) = number else {
            stored.unknown.push(message);
            continue;
        };
        let at = app.store.now();
        let id: MessageId = app.store.ids().next(at);
        let media: Vec<_> = message
            .media
            .into_iter()
            .map(|media| MediaItem { url: media.url, content_type: media.content_type })
            .collect();
        let carrier_keyword = message.opt_out_type.map(|kind| keyword(kind).to_owned());
        let part =
            message.part.map(|Part { reference, number, count }| TextPart { reference, number, count });
        let files = media.clone();
        let found = found.word().map(ToOwned::to_owned);
        let extra = Extra { media, carrier_keyword, found, part, ..Extra::default() };
        let extra =
            if extra.is_empty() { None } else { Some(keys.seal_json("messages.extra", id.0, &extra)?) };
        let new = NewInbound {
            organization: hook.organization,
            id,
            carrier_account: hook.account.row.id,
            number: number.id,
            peer_hash: keys.lookup("phone", message.from.as_str()),
            peer: keys.seal("messages.peer", id.0, message.from.as_str().as_bytes())?,
            body: keys.seal("messages.body", id.0, message.body.as_bytes())?,
            extra,
            carrier_message_id: message.carrier_message_id,
            at,
        };
        let carrier_id = if files.is_empty() { None } else { Some(new.carrier_message_id.clone()) };
        let received = app.store.receive(new).await?;
        if let Some(carrier_id) = carrier_id {
            expect_files(app, hook, received, id, carrier_id, files).await?;
        }
        stored.fresh += usize::from(received == Received::Fresh);
        let outcome = match received {
            Received::Fresh => "fresh",
            Received::Duplicate => "duplicate",
        };
        counter!("anteroom_inbound_messages_total", "outcome" => outcome).increment(1);
    }
    Ok(stored)
}

/// Notes the files of a text, to be fetched at once: before the carrier is answered, so that none is forgotten. A
/// text that was stored without them, by a process that was killed, gets them with its second delivery, or when it
/// is worked off.
async fn expect_files(
    app: &App,
    hook: &Hook,
    received: Received,
    id: MessageId,
    carrier_id: String,
    files: Vec<MediaItem>,
) -> Result<(), StoreError> {
    let account = hook.account.row.id;
    app.store
        .write(hook.organization, move |mut org| {
            async move {
                let message = match received {
                    Received::Fresh => Some(id),
                    Received::Duplicate => {
                        let by = ReceiptMatch::Carriers(carrier_id);
                        org.message_of_receipt(account, &by).await?.map(|message| message.id)
                    }
                };
                match message {
                    Some(message) => org.insert_media(message, account, &files).await,
                    None => Ok(()),
                }
            }
            .boxed()
        })
        .await?;
    app.media.wake();
    Ok(())
}

const fn keyword(kind: OptOutType) -> &'static str {
    match kind {
        OptOutType::Stop => "stop",
        OptOutType::Start => "start",
        OptOutType::Help => "help",
    }
}

pub(super) fn unknown_number() -> Problem {
    let detail = "The number that was texted is not one of this account's numbers here. Nothing was stored; \
                  add the number, or correct its carrier account.";
    Problem::new(StatusCode::NOT_FOUND, "number-unknown", "Unknown number", detail)
}
