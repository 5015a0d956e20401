//! The event stream: everything that happens in the organization, live, resumable, complete.
//!
//! Events are read from the store in the order of their sequence; a commit in this process only wakes the
//! reader, and a poll stands behind it. So a stream that resumes from `Last-Event-ID` misses nothing, and
//! one that asks for events no longer kept is told so with a `gap`.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use anteroom_store::{Event, Org, StoreError, Whisper};
use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::{
        IntoResponse, Response, Sse,
        sse::{self, KeepAlive},
    },
};
use futures::{Stream, stream};
use metrics::gauge;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::broadcast::{self, error::RecvError};
use utoipa::IntoParams;

use crate::{app::App, auth::Caller, presence::Said, problem::Problem};

/// Events read at once.
const PAGE: u32 = 200;
/// Looks without being woken: events committed by another node.
const POLL: Duration = Duration::from_secs(1);
/// How often it is asked whether the caller may still listen: signed out means out.
const RECHECK: Duration = Duration::from_secs(5);
/// Comments that keep proxies from closing a quiet stream.
const HEARTBEAT: Duration = Duration::from_secs(15);

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// Like `Last-Event-ID`, for clients that can't set headers. Neither: only what happens from now on.
    after: Option<i64>,
}

/// What happens, live (`text/event-stream`).
///
/// First `ready` with the position the stream begins after; then each event with its sequence number as
/// `id`, its kind as `event` and `{seq, kind, at, conversation_id, actor, actor_id, data}` as `data`. `gap`
/// says that older events are not kept any more: read the lists again. Comments come every 15 seconds.
///
/// `presence`, `draft` and `own` come without an `id`, as they happen, and are not kept: who is where (first
/// those who are there already), and what the caller's other pages have changed.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    params(After, ("Last-Event-ID" = Option<i64>, Header)),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 401)))]
pub(super) async fn stream(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Query(After { after }): Query<After>,
) -> Result<Response, Problem> {
    let (wakes, whispers) = (app.store.event_wakes(), app.store.whispers());
    let mut org = app.store.read(caller.organization).await?;
    let (first, last) = org.event_bounds().await?;
    drop(org);
    let asked = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse().ok())
        .or(after);
    let from = asked.unwrap_or(last);
    let mut opening = Vec::new();
    let position = if from > last || (first > 0 && from < first - 1) {
        // Not a position of this sequence, or one whose followers are gone.
        opening.push(sse::Event::default().event("gap").data(json!({ "oldest": first }).to_string()));
        last
    } else {
        from
    };
    let ready = json!({ "seq": position }).to_string();
    opening.insert(0, sse::Event::default().event("ready").id(position.to_string()).data(ready));
    opening.extend(app.presence.of(caller.organization).iter().filter_map(said));
    let tail =
        Tail { app, caller, wakes, whispers, position, checked: Instant::now(), _open: OpenStream::new() };
    let events = stream::iter(opening.into_iter().map(Ok)).chain_tail(tail);
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    // Proxies must not hold events back.
    response.headers_mut().insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    Ok(response)
}

struct Tail {
    app: App,
    caller: Caller,
    wakes: broadcast::Receiver<anteroom_model::ids::OrganizationId>,
    whispers: broadcast::Receiver<Whisper>,
    position: i64,
    checked: Instant,
    /// Counted until the stream is dropped.
    _open: OpenStream,
}

/// Counts open streams.
struct OpenStream;

impl OpenStream {
    fn new() -> Self {
        gauge!("anteroom_event_streams").increment(1);
        Self
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        gauge!("anteroom_event_streams").decrement(1);
    }
}

trait ChainTail: Stream<Item = Result<sse::Event, Infallible>> + Sized {
    /// Goes on with what happens.
    fn chain_tail(self, tail: Tail) -> impl Stream<Item = Result<sse::Event, Infallible>> {
        use futures::StreamExt;
        let live = stream::unfold(tail, |mut tail| async {
            let page = tail.next_page().await?;
            Some((stream::iter(page.into_iter().map(Ok)), tail))
        });
        self.chain(live.flatten())
    }
}

impl<S: Stream<Item = Result<sse::Event, Infallible>>> ChainTail for S {}

impl Tail {
    /// The next events, as soon as there are any; `None` when the server stops or the store fails.
    async fn next_page(&mut self) -> Option<Vec<sse::Event>> {
        loop {
            if !self.may_listen().await {
                return None;
            }
            match self.read().await {
                Ok(events) if !events.is_empty() => {
                    self.position = events.last().map_or(self.position, |event| event.seq);
                    return Some(events.iter().map(as_sse).collect());
                }
                Ok(_) => {}
                Err(error) => {
                    // The client connects again and resumes.
                    tracing::warn!(%error, "an event stream ends: events could not be read");
                    return None;
                }
            }
            if let Some(said) = self.wait().await? {
                return Some(vec![said]);
            }
        }
    }

    async fn may_listen(&mut self) -> bool {
        if self.checked.elapsed() < RECHECK {
            return true;
        }
        self.checked = Instant::now();
        // A store that fails ends the stream too; the client connects again and is asked who it is.
        self.caller.still_valid(&self.app).await.unwrap_or(false)
    }

    async fn read(&self) -> Result<Vec<Event>, StoreError> {
        let mut org: Org<'_> = self.app.store.read(self.caller.organization).await?;
        org.events_after(self.position, PAGE).await
    }

    /// Until there may be events, or something was said that is none; `None` when the server stops.
    async fn wait(&mut self) -> Option<Option<sse::Event>> {
        let poll = tokio::time::sleep(POLL);
        tokio::pin!(poll);
        loop {
            tokio::select! {
                () = self.app.stop.cancelled() => return None,
                () = &mut poll => return Some(None),
                woken = self.wakes.recv() => match woken {
                    Ok(organization) if organization == self.caller.organization => return Some(None),
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return Some(None),
                    Err(RecvError::Closed) => return None,
                },
                whisper = self.whispers.recv() => match whisper {
                    Ok(whisper) => if let Some(said) = self.hear(&whisper) {
                        return Some(Some(said));
                    },
                    // What was missed is said again within seconds, or read with the next list.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }
}

impl Tail {
    fn hear(&self, whisper: &Whisper) -> Option<sse::Event> {
        if whisper.organization != self.caller.organization {
            return None;
        }
        Said::heard(whisper).filter(|one| one.concerns(self.caller.staff)).as_ref().and_then(said)
    }
}

/// Without an id: the client's position stays where it is.
fn said(said: &Said) -> Option<sse::Event> {
    let data = serde_json::to_string(said).ok()?;
    Some(sse::Event::default().event(said.kind()).data(data))
}

/// What of an event's data goes over the stream: ids and states. What quotes a patient or a policy is read
/// from the timeline, where the read is audited.
const LIVE: &[&str] = &[
    "message_id",
    "webhook_id",
    "scheduled_id",
    "send_at",
    "media_id",
    "note_id",
    "mentioned",
    "decision_id",
    "patient_id",
    "assignee_id",
    "team_id",
    "staff_id",
    "facility_id",
    "from",
    "state",
    "until",
    "number_id",
    "carrier_account_id",
    "delivery_id",
    "patient_initiated",
    "source_id",
    "run_id",
    "view_id",
    "done",
    "total",
    "ticket_id",
];

fn live(data: &Value) -> Map<String, Value> {
    let fields = data.as_object().into_iter().flatten();
    fields
        .filter(|(name, _)| LIVE.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// What programs are told of an event, over the stream and by webhooks: ids and states, nothing of a patient.
pub(crate) fn told(event: &Event) -> Value {
    json!({
        "seq": event.seq,
        "kind": event.kind,
        "at": event.created_at,
        "conversation_id": event.conversation_id,
        "actor": event.actor,
        "actor_id": event.actor_id,
        "data": live(&event.data),
    })
}

fn as_sse(event: &Event) -> sse::Event {
    let data = told(event).to_string();
    sse::Event::default().id(event.seq.to_string()).event(&event.kind).data(data)
}
