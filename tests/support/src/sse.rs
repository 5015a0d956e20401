//! A client of the event stream.

use std::{collections::VecDeque, time::Duration};

use reqwest::{Client, Response};
use serde_json::Value;

/// An event as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `id:`, a sequence number.
    pub id: Option<i64>,
    /// `event:`, the kind.
    pub kind: String,
    /// `data:`, JSON.
    pub data: Value,
}

/// An open stream.
#[derive(Debug)]
pub struct Sse {
    response: Response,
    buffer: Vec<u8>,
    waiting: VecDeque<Event>,
}

impl Sse {
    /// Opens `GET /api/v1/events`; `resume` adds `Last-Event-ID`.
    pub async fn open(client: &Client, base: &str, token: &str, resume: Option<i64>) -> Self {
        Self::try_open(client, base, token, resume).await.expect("an event stream")
    }

    /// The same at a server that may be gone or in trouble; what went wrong.
    pub async fn try_open(
        client: &Client,
        base: &str,
        token: &str,
        resume: Option<i64>,
    ) -> Result<Self, String> {
        let url = format!("{base}/api/v1/events");
        let mut request = client.get(url).bearer_auth(token).timeout(Duration::from_mins(10));
        if let Some(id) = resume {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.map_err(|error| error.to_string())?;
        if response.status() != 200 {
            return Err(response.status().to_string());
        }
        let content_type = response.headers().get("content-type").expect("a content type");
        assert_eq!(content_type, "text/event-stream");
        Ok(Self { response, buffer: Vec::new(), waiting: VecDeque::new() })
    }

    /// The next event; `None` when the stream ends or nothing comes for so long.
    pub async fn next(&mut self, patience: Duration) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            let chunk = tokio::time::timeout(patience, self.response.chunk()).await.ok()?.ok()??;
            self.buffer.extend_from_slice(&chunk);
            while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                self.waiting.extend(parse(&String::from_utf8(block).expect("UTF-8")));
            }
        }
    }

    /// Events up to the first for which `last` holds; fails if that doesn't come.
    pub async fn until(&mut self, last: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let event = self.next(crate::PATIENCE).await;
            let event = event.unwrap_or_else(|| panic!("the stream went quiet after {events:#?}"));
            let done = last(&event);
            events.push(event);
            if done {
                return events;
            }
        }
    }

    /// Events until nothing comes for so long.
    pub async fn drain(&mut self, quiet: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next(quiet).await {
            events.push(event);
        }
        events
    }
}

/// `None` for comments (heartbeats).
fn parse(block: &str) -> Option<Event> {
    let (mut id, mut kind, mut data) = (None, "message".to_owned(), String::new());
    for line in block.lines() {
        let Some((field, value)) = line.split_once(':') else { continue };
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => id = Some(value.parse().expect("an id is a number")),
            "event" => value.clone_into(&mut kind),
            "data" => data.push_str(value),
            _ => {}
        }
    }
    (!data.is_empty()).then(|| Event { id, kind, data: serde_json::from_str(&data).expect("JSON") })
}
