//! What a client still sends when its answer is known already.
//!
//! A refusal (too large, not signed in, no such page) needs none of the request's body. Were the connection
//! closed on it, the client would get a reset while it writes and might never read the answer; a proxy in between
//! would find its kept connection dead. So what is left is read and thrown away, as far as that is cheap;
//! beyond it the answer says `Connection: close`.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{HeaderValue, Version, header},
    middleware::Next,
    response::Response,
};
use http_body_util::BodyExt;
use tokio::sync::oneshot;

/// Most bytes that are read to be thrown away.
const MOST: u64 = 16 * 1024 * 1024;
/// How long reading them may hold the answer up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads what the handler left of the request's body before the answer goes out.
pub(crate) async fn discard(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let kept_alive = request.version() < Version::HTTP_2;
    let asks_first = request.headers().contains_key(header::EXPECT);
    let (back, left) = oneshot::channel();
    let request = request.map(|body| Body::new(Lent { body: Some(body), begun: false, back: Some(back) }));
    let mut response = next.run(request).await;
    let Ok(Unread { body, begun }) = { left }.try_recv() else { return response };
    // Whoever waits for "100 Continue" has sent nothing yet, and reading would ask for it.
    let whole = (begun || !asks_first) && read_whole(body).await;
    if !whole && kept_alive {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether the end came within [`MOST`] and [`PATIENCE`].
async fn read_whole(mut body: Body) -> bool {
    if body.size_hint().lower() > MOST {
        return false;
    }
    let reading = async {
        let mut read = 0;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            read += frame.data_ref().map_or(0, |data| data.len() as u64);
            if read > MOST {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(PATIENCE, reading).await.unwrap_or(false)
}

/// A body whose handler is done with it before its end.
struct Unread {
    body: Body,
    begun: bool,
}

/// The body as the handler gets it: what is unread when it is dropped is given back.
struct Lent {
    /// `None` after its end or an error.
    body: Option<Body>,
    begun: bool,
    back: Option<oneshot::Sender<Unread>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        self.begun = true;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.as_ref().map_or_else(|| http_body::SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let unread = self.body.take().filter(|body| !body.is_end_stream());
        if let (Some(body), Some(back)) = (unread, self.back.take()) {
            // Nobody waits for it when the client is gone: then it is dropped here.
            let _ = back.send(Unread { body, begun: self.begun });
        }
    }
}
