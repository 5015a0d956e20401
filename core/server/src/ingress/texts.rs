//! Storing patients' texts.

use anteroom_carriers::{InboundMessage, OptOutType};
use anteroom_model::ids::MessageId;
use anteroom_store::{Extra, MediaItem, NewInbound, Received};
use axum::http::StatusCode;
use metrics::counter;

use crate::{app::App, ingress::Hook, problem::Problem};

/// Stores every message that is not there yet.
pub(super) async fn store(app: &App, hook: &Hook, messages: Vec<InboundMessage>) -> Result<(), Problem> {
    let entry = app.directory.get(hook.organization).await?;
    let keys = app.store.keys(hook.organization).await?;
    for message in messages {
        let number = entry
            .addresses
            .get(message.to.as_str())
            .and_then(|id| entry.numbers.get(id))
            .filter(|number| number.carrier_account_id == hook.account.row.id)
            .ok_or_else(unknown_number)?;
        let at = app.store.now();
        let id: MessageId = app.store.ids().next(at);
        let media: Vec<_> = message
            .media
            .into_iter()
            .map(|media| MediaItem { url: media.url, content_type: media.content_type })
            .collect();
        let carrier_keyword = message.opt_out_type.map(|kind| keyword(kind).to_owned());
        let extra = Extra { media, carrier_keyword, throttle_key: None };
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
        let outcome = match app.store.receive(new).await? {
            Received::Fresh => "fresh",
            Received::Duplicate => "duplicate",
        };
        counter!("anteroom_inbound_messages_total", "outcome" => outcome).increment(1);
    }
    Ok(())
}

const fn keyword(kind: OptOutType) -> &'static str {
    match kind {
        OptOutType::Stop => "stop",
        OptOutType::Start => "start",
        OptOutType::Help => "help",
    }
}

fn unknown_number() -> Problem {
    let detail = "The number that was texted is not one of this account's numbers here. Nothing was stored; \
                  add the number, or correct its carrier account.";
    Problem::new(StatusCode::NOT_FOUND, "number-unknown", "Unknown number", detail)
}
