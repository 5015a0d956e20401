//! What Twilio's API answers.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::{Body, Frame, SizeHint};
use jiff::{fmt::rfc2822, tz::TimeZone};
use serde_json::{Value, json};

use super::{Attempt, never};

pub(super) type Answer = Response<BoxBody<Bytes, io::Error>>;

pub(super) fn taken(attempt: &Attempt) -> Answer {
    json_answer(StatusCode::CREATED, &resource(attempt))
}

/// The first half of [`taken`], and then nothing more.
pub(super) fn cut(attempt: &Attempt) -> Answer {
    let whole = resource(attempt).to_string();
    let length = u64::try_from(whole.len()).expect("short");
    let part = Bytes::copy_from_slice(&whole.as_bytes()[..whole.len() / 2]);
    let pause = Box::pin(tokio::time::sleep(Duration::from_millis(50)));
    response(StatusCode::CREATED, Cut { part: Some(part), pause, length }.boxed())
}

pub(super) fn error(status: StatusCode, code: u32) -> Answer {
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    let body = json!({ "code": code, "message": "As planned", "more_info": more, "status": status.as_u16() });
    json_answer(status, &body)
}

pub(super) fn page(attempts: &[&Attempt], next: Option<&str>) -> Answer {
    let messages: Vec<_> = attempts.iter().map(|attempt| resource(attempt)).collect();
    json_answer(StatusCode::OK, &json!({ "messages": messages, "next_page_uri": next, "page_size": 200 }))
}

/// <https://www.twilio.com/docs/messaging/api/message-resource>.
fn resource(attempt: &Attempt) -> Value {
    let sid = attempt.sid.as_deref();
    let created = rfc2822::to_string(&attempt.created.to_zoned(TimeZone::UTC)).expect("a date");
    json!({
        "sid": sid,
        "account_sid": attempt.account_sid,
        "api_version": "2010-04-01",
        "body": attempt.param("Body"),
        "date_created": created,
        "date_sent": null,
        "date_updated": created,
        "direction": "outbound-api",
        "error_code": null,
        "error_message": null,
        "from": attempt.param("From"),
        "num_media": "0",
        "num_segments": "1",
        "status": "queued",
        "to": attempt.param("To"),
        "uri": format!("/2010-04-01/Accounts/{}/Messages/{}.json", attempt.account_sid, sid.unwrap_or_default()),
    })
}

fn json_answer(status: StatusCode, body: &Value) -> Answer {
    response(status, Full::from(body.to_string()).map_err(never).boxed())
}

fn response(status: StatusCode, body: BoxBody<Bytes, io::Error>) -> Answer {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A body that breaks off: shorter than it says.
struct Cut {
    part: Option<Bytes>,
    /// Lets the part go out first.
    pause: Pin<Box<tokio::time::Sleep>>,
    length: u64,
}

impl Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(part) = self.part.take() {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        ready!(self.pause.as_mut().poll(context));
        Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into())))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
