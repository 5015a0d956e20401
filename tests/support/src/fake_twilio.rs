//! A Twilio on this machine: takes texts, remembers them all, and misbehaves when told to.
//!
//! Behaviour is planned per body, so that texts which are sent side by side can't take each other's plan; or
//! it is left to the dice, for texts that nobody planned.

mod answers;

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{eventually, fresh_sid, load::Dice};
use answers::Answer;

/// What is done with one attempt to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Take it and say so.
    Take,
    /// Take it at once and say so only later; longer than the client waits is a time-out.
    TakeSlowly(Duration),
    /// Take it at once and say so only after [`FakeTwilio::release`].
    TakeAndHold,
    /// Take it and reset the connection instead of answering.
    TakeAndReset,
    /// Take it and break off in the middle of the answer.
    TakeAndCut,
    /// Take it and answer with this status of a server in trouble.
    TakeAndFail(u16),
    /// Read the request, take nothing, reset the connection.
    Lose,
    /// 429, error 20429, with `Retry-After` in seconds.
    SlowDown(u64),
    /// Take nothing and answer with this status of a server in trouble.
    Fail(u16),
    /// 400 with this error code.
    Refuse(u32),
}

impl Plan {
    const fn takes(self) -> bool {
        matches!(
            self,
            Self::Take
                | Self::TakeSlowly(_)
                | Self::TakeAndHold
                | Self::TakeAndReset
                | Self::TakeAndCut
                | Self::TakeAndFail(_)
        )
    }
}

/// One `POST …/Messages.json`, as it came.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When.
    pub at: Instant,
    /// The account in the path.
    pub account_sid: String,
    /// User and password of Basic authentication.
    pub basic: Option<(String, String)>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its form, decoded, in order.
    pub form: Vec<(String, String)>,
    /// What was done with it.
    pub plan: Plan,
    /// The id it was taken under; `None`: it was not taken.
    pub sid: Option<String>,
    created: jiff::Timestamp,
}

impl Attempt {
    /// A parameter; empty where it isn't there.
    pub fn param(&self, name: &str) -> &str {
        self.form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Anteroom's own id of the message: the `m` of its status address.
    pub fn our_id(&self) -> &str {
        let query = self.param("StatusCallback").split_once('?').map_or("", |(_, query)| query);
        query.split('&').find_map(|pair| pair.strip_prefix("m=")).unwrap_or_default()
    }
}

/// One `GET …/Messages.json`.
#[derive(Clone, Debug)]
pub struct Listing {
    /// When.
    pub at: Instant,
    /// Asked for texts to this number.
    pub to: String,
    /// Asked for texts from this number.
    pub from: String,
}

/// Misbehaviour that nobody planned.
#[derive(Debug)]
struct Mood {
    dice: Dice,
    one_in: u64,
    plans: Vec<Plan>,
}

impl Mood {
    fn plan(&mut self) -> Option<Plan> {
        (self.dice.below(self.one_in) == 0).then(|| *self.dice.one(&self.plans))
    }
}

#[derive(Debug, Default)]
struct State {
    mood: Option<Mood>,
    accounts: Vec<(String, String)>,
    plans: HashMap<String, VecDeque<Plan>>,
    latency: Duration,
    released: watch::Sender<bool>,
    attempts: Vec<Attempt>,
    listings: Vec<Listing>,
}

/// The server. Ends when dropped.
#[derive(Debug)]
pub struct FakeTwilio {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

impl Drop for FakeTwilio {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeTwilio {
    /// Listens on a free port of this machine.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Closing then resets, as Plan::TakeAndReset and Plan::Lose want it.
                stream.set_zero_linger().expect("a socket option");
                let state = shared.clone();
                let service = service_fn(move |request| answer(state.clone(), request));
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move { drop(connection.await) });
            }
        });
        Self { address, state, server }
    }

    /// For `anteroom demo --twilio-api-url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on answers 401 to all but the accounts named so.
    pub fn require(&self, account_sid: &str, auth_token: &str) {
        self.state().accounts.push((account_sid.to_owned(), auth_token.to_owned()));
    }

    /// What to do with the next attempts to send just this `body`; afterwards they are taken.
    pub fn plan(&self, body: &str, plans: &[Plan]) {
        self.state().plans.entry(body.to_owned()).or_default().extend(plans);
    }

    /// From now on does one of `plans` with about one in `one_in` of the attempts that have no plan.
    pub fn misbehave(&self, dice: Dice, one_in: u64, plans: &[Plan]) {
        self.state().mood = Some(Mood { dice, one_in, plans: plans.to_vec() });
    }

    /// Takes everything again that has no plan.
    pub fn behave(&self) {
        self.state().mood = None;
    }

    /// Answers that are held, and those to come, are held until [`release`](Self::release).
    pub fn hold(&self) {
        self.state().released.send_replace(false);
    }

    /// Gives the answers that [`Plan::TakeAndHold`] holds.
    pub fn release(&self) {
        self.state().released.send_replace(true);
    }

    /// How long every answer takes from now on.
    pub fn set_latency(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// Every attempt so far.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.state().attempts.clone()
    }

    /// Every attempt but the first `seen`.
    pub fn attempts_from(&self, seen: usize) -> Vec<Attempt> {
        self.state().attempts.get(seen..).unwrap_or_default().to_vec()
    }

    /// The attempts to send just this `body`.
    pub fn attempts_of(&self, body: &str) -> Vec<Attempt> {
        self.attempts().into_iter().filter(|attempt| attempt.param("Body") == body).collect()
    }

    /// Waits until there are so many attempts to send just this `body`.
    pub async fn wait_for(&self, body: &str, count: usize) -> Vec<Attempt> {
        eventually(&format!("{count} attempts to send {body:?}"), crate::PATIENCE, async || {
            Some(self.attempts_of(body)).filter(|attempts| attempts.len() >= count)
        })
        .await
    }

    /// Requests for the list of texts to `to`.
    pub fn listings_of(&self, to: &str) -> Vec<Listing> {
        self.state().listings.iter().filter(|listing| listing.to == to).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error here makes hyper drop the connection without an answer.
async fn answer(state: Arc<Mutex<State>>, request: Request<Incoming>) -> io::Result<Answer> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Err(io::ErrorKind::UnexpectedEof.into()) };
    let account_sid = head
        .uri
        .path()
        .strip_prefix("/2010-04-01/Accounts/")
        .and_then(|rest| rest.strip_suffix("/Messages.json"));
    let Some(account_sid) = account_sid else { return Ok(answers::error(StatusCode::NOT_FOUND, 20404)) };
    let basic = basic(&head.headers);
    if !may(&lock(&state).accounts, account_sid, basic.as_ref()) {
        return Ok(answers::error(StatusCode::UNAUTHORIZED, 20003));
    }
    match head.method {
        Method::GET => {
            let query = pairs(head.uri.query().unwrap_or_default().as_bytes());
            Ok(list(&mut lock(&state), account_sid, &query))
        }
        Method::POST => {
            let form = pairs(&body.to_bytes());
            let account_sid = account_sid.to_owned();
            let headers = head.headers;
            take(
                state,
                Attempt {
                    at: Instant::now(),
                    account_sid,
                    basic,
                    headers,
                    form,
                    plan: Plan::Take,
                    sid: None,
                    created: now(),
                },
            )
            .await
        }
        _ => Ok(answers::error(StatusCode::METHOD_NOT_ALLOWED, 20004)),
    }
}

fn may(accounts: &[(String, String)], account_sid: &str, basic: Option<&(String, String)>) -> bool {
    accounts.is_empty() || basic.is_some_and(|basic| basic.0 == account_sid && accounts.contains(basic))
}

#[expect(clippy::disallowed_methods, reason = "a carrier has a clock of its own")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(BASE64_STANDARD.decode(value).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

async fn take(state: Arc<Mutex<State>>, mut attempt: Attempt) -> io::Result<Answer> {
    // Recorded before anything is awaited: a client that is killed meanwhile must not undo it.
    let (attempt, latency, mut released) = {
        let mut state = lock(&state);
        let planned = state.plans.get_mut(attempt.param("Body")).and_then(VecDeque::pop_front);
        attempt.plan = planned.or_else(|| state.mood.as_mut()?.plan()).unwrap_or(Plan::Take);
        let complete = ["To", "From", "Body"].iter().all(|name| !attempt.param(name).is_empty());
        if !complete {
            attempt.plan = Plan::Refuse(21602);
        }
        attempt.sid = attempt.plan.takes().then(fresh_sid);
        state.attempts.push(attempt.clone());
        (attempt, state.latency, state.released.subscribe())
    };
    tokio::time::sleep(latency).await;
    match attempt.plan {
        Plan::Take => Ok(answers::taken(&attempt)),
        Plan::TakeSlowly(delay) => {
            tokio::time::sleep(delay).await;
            Ok(answers::taken(&attempt))
        }
        Plan::TakeAndHold => {
            // An error would mean that the carrier is gone, and with it this answer.
            drop(released.wait_for(|released| *released).await);
            Ok(answers::taken(&attempt))
        }
        Plan::TakeAndReset | Plan::Lose => Err(io::ErrorKind::ConnectionReset.into()),
        Plan::TakeAndCut => Ok(answers::cut(&attempt)),
        Plan::TakeAndFail(status) | Plan::Fail(status) => {
            Ok(answers::error(StatusCode::from_u16(status).expect("a status"), 20500))
        }
        Plan::SlowDown(seconds) => {
            let mut answer = answers::error(StatusCode::TOO_MANY_REQUESTS, 20429);
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            Ok(answer)
        }
        Plan::Refuse(code) => Ok(answers::error(StatusCode::BAD_REQUEST, code)),
    }
}

/// What was taken, newest first, page by page.
fn list(state: &mut State, account_sid: &str, query: &[(String, String)]) -> Answer {
    let param = |name: &str| query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value);
    let (to, from) = (param("To"), param("From"));
    state.listings.push(Listing { at: Instant::now(), to: to.to_owned(), from: from.to_owned() });
    let size: usize = param("PageSize").parse().unwrap_or(50);
    let page: usize = param("Page").parse().unwrap_or(0);
    let fits =
        |name: &str, wanted: &str, attempt: &Attempt| wanted.is_empty() || attempt.param(name) == wanted;
    let taken: Vec<&Attempt> = state
        .attempts
        .iter()
        .rev()
        .filter(|attempt| attempt.sid.is_some() && attempt.account_sid == account_sid)
        .filter(|attempt| fits("To", to, attempt) && fits("From", from, attempt))
        .collect();
    let more = taken.len() > (page + 1) * size;
    let shown: Vec<_> = taken.into_iter().skip(page * size).take(size).collect();
    let next = more.then(|| {
        let mut next = form_urlencoded::Serializer::new(String::new());
        next.append_pair("To", to).append_pair("From", from);
        next.append_pair("PageSize", &size.to_string()).append_pair("Page", &(page + 1).to_string());
        format!("/2010-04-01/Accounts/{account_sid}/Messages.json?{}", next.finish())
    });
    answers::page(&shown, next.as_deref())
}

/// Bodies of answers can only fail where that is planned.
fn never(error: Infallible) -> io::Error {
    match error {}
}
