//! Genuine deliveries that can't be taken: kept sealed and shown to administrators, tried again on their word.

use anteroom_carriers::{
    Credentials, Delivery, Endpoint, Inbound, InboundMessage, Malformed, Part, Rejection,
    smpp::{self, Unread},
};
use anteroom_model::{
    ids::{CarrierAccountId, OrganizationId},
    states::DeliveryState,
};
use anteroom_store::{
    Actor, DeliveryContent, KeptDelivery, LinkOctets, LinkText, NewEvent, NewKeptDelivery, RawDelivery,
    StoreError,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use futures::FutureExt;
use metrics::counter;
use serde_json::json;

use super::{Hook, receipts, texts};
use crate::{app::App, problem::Problem};

/// What a delivery was, word for word.
pub(super) fn raw(delivery: &Delivery<'_>) -> DeliveryContent {
    let headers = delivery.headers.iter().filter_map(|(name, value)| {
        // Of a proxy's or a client's own making, and no business of the signature's.
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    DeliveryContent::Request(RawDelivery {
        method: delivery.method.as_str().to_owned(),
        path_and_query: delivery.path_and_query.to_owned(),
        headers: headers.collect(),
        body: delivery.body.to_vec(),
        public_url: delivery.public_url.to_owned(),
    })
}

/// A text of a link's.
pub(super) fn text(message: &InboundMessage) -> DeliveryContent {
    DeliveryContent::Text(LinkText {
        carrier_message_id: message.carrier_message_id.clone(),
        from: message.from.as_str().to_owned(),
        to: message.to.as_str().to_owned(),
        body: message.body.clone(),
        part: message.part.as_ref().map(|part| (part.reference.clone(), part.number, part.count)),
    })
}

/// What a link brought and nobody could read.
pub(super) fn octets(carrier_message_id: String, unread: &Unread) -> DeliveryContent {
    DeliveryContent::Octets(LinkOctets { carrier_message_id, octets: unread.octets.to_vec() })
}

/// Keeps it, once however often it comes. Administrators are told of the first of each kind.
pub(super) async fn keep(
    app: &App,
    organization: OrganizationId,
    new: NewKeptDelivery,
) -> Result<(), StoreError> {
    let state = new.state;
    counter!("anteroom_kept_deliveries_total", "state" => state.as_str()).increment(1);
    app.store
        .write(organization, move |mut org| {
            async move {
                let Some((id, is_first)) = org.keep_delivery(&new).await? else { return Ok(()) };
                let account = new.carrier_account_id;
                let told = json!({ "delivery_id": id, "carrier_account_id": account, "state": state });
                if is_first {
                    let kind = match state {
                        DeliveryState::Unparsed => "delivery.unparsed",
                        DeliveryState::Undeliverable | DeliveryState::Taken => "delivery.undeliverable",
                    };
                    let data =
                        json!({ "delivery_id": id, "carrier_account_id": account, "reason": new.reason });
                    org.insert_notice(kind, &data).await?;
                }
                org.tell(NewEvent {
                    kind: "delivery.kept",
                    conversation_id: None,
                    actor: Actor::Host,
                    data: told,
                });
                org.insert_host_audit("delivery.kept", id.0).await
            }
            .boxed()
        })
        .await
}

/// Why a retry came to nothing.
pub(crate) enum NotTaken {
    /// It is still not understood, or still for a number that is not set up.
    Still(DeliveryState, &'static str),
    /// Its signature can't be checked any more.
    Unverifiable(&'static str),
}

/// Takes a kept delivery as if it came now. What it holds is stored once, whatever was stored of it before.
pub(crate) async fn retry(
    app: &App,
    organization: OrganizationId,
    kept: &KeptDelivery,
) -> Result<Result<(), NotTaken>, Problem> {
    let entry = app.directory.get(organization).await?;
    let account = entry.accounts.get(&kept.carrier_account_id).cloned();
    let account = account.ok_or_else(|| Problem::not_found("carrier account"))?;
    let hook = |query| Hook { organization, account: account.clone(), query };
    let (hook, inbound) = match &kept.content {
        DeliveryContent::Text(text) => {
            let Some(message) = link_text(text) else {
                return Ok(Err(NotTaken::Still(DeliveryState::Unparsed, "bad_address")));
            };
            (hook(None), Inbound { messages: vec![message], receipts: Vec::new() })
        }
        DeliveryContent::Octets(LinkOctets { carrier_message_id, octets }) => {
            let read = match &account.credentials {
                Credentials::Smpp(link) => smpp::read_again(link, octets.clone(), carrier_message_id),
                // Nothing else has links.
                _ => Err(Malformed::Pdu),
            };
            match read {
                Ok(inbound) => (hook(None), inbound),
                Err(malformed) => {
                    return Ok(Err(NotTaken::Still(DeliveryState::Unparsed, malformed.code())));
                }
            }
        }
        DeliveryContent::Request(raw) => {
            let query = raw.path_and_query.split_once('?').map(|(_, query)| query.to_owned());
            let hook = hook(query);
            let method = Method::from_bytes(raw.method.as_bytes()).unwrap_or(Method::POST);
            let headers = headers(raw);
            let endpoint = if kept.endpoint == "status" { Endpoint::Status } else { Endpoint::Messages };
            let delivery = Delivery {
                endpoint,
                method: &method,
                path_and_query: &raw.path_and_query,
                headers: &headers,
                body: &raw.body,
                public_url: &raw.public_url,
                // It was fresh when it came.
                received_at: kept.received_at,
            };
            match app.carriers.receive(&hook.account.credentials, &delivery).await {
                Ok(inbound) => (hook, inbound),
                Err(rejection @ Rejection::Malformed(_)) => {
                    return Ok(Err(NotTaken::Still(DeliveryState::Unparsed, rejection.code())));
                }
                Err(rejection) => return Ok(Err(NotTaken::Unverifiable(rejection.code()))),
            }
        }
    };
    let unknown = texts::store(app, &hook, inbound.messages, texts::Found::ByWebhook).await?.unknown;
    receipts::apply(app, &hook, inbound.receipts).await?;
    Ok(if unknown.is_empty() {
        Ok(())
    } else {
        Err(NotTaken::Still(DeliveryState::Undeliverable, "number_unknown"))
    })
}

fn headers(raw: &RawDelivery) -> HeaderMap {
    let pairs = raw.headers.iter().filter_map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
    });
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name, value);
    }
    headers
}

fn link_text(text: &LinkText) -> Option<InboundMessage> {
    Some(InboundMessage {
        carrier_message_id: text.carrier_message_id.clone(),
        from: anteroom_carriers::Address::parse(&text.from).ok()?,
        to: anteroom_carriers::Address::parse(&text.to).ok()?,
        body: text.body.clone(),
        media: Vec::new(),
        opt_out_type: None,
        segments: None,
        carrier_account: None,
        at: None,
        part: text.part.clone().map(|(reference, number, count)| Part { reference, number, count }),
    })
}

/// A delivery to be kept.
pub(super) fn new(
    account: CarrierAccountId,
    endpoint: &'static str,
    state: DeliveryState,
    reason: &'static str,
    content: DeliveryContent,
) -> NewKeptDelivery {
    NewKeptDelivery { carrier_account_id: account, endpoint, state, reason, content }
}
