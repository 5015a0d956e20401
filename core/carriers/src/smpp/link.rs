//! A link that is kept up: bind, serve, and bind again.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use futures::{SinkExt, StreamExt, stream::SplitSink};
use rusmpp::{
    Command, CommandId, CommandStatus, Pdu,
    pdus::{DeliverSmResp, SubmitSm},
};
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};

use super::{
    Delivered, Inbox, NotStored, SmppCredentials, Unread,
    connect::{self, LinkError},
    frames::Frame,
    inbox,
    redelivery::Redeliveries,
    refused,
};
use crate::SendError;

/// How long a `submit_sm` may go unanswered.
const ANSWER: Duration = Duration::from_secs(10);
/// Deliveries that are being stored at once; more are left on the wire.
const MOST_STORING: usize = 64;
/// How long an acknowledgement may be uncertain before the message centre is asked for a sign of life.
const CERTAINTY: Duration = Duration::from_secs(2);
/// How long the last deliveries may take to be stored when a link is ended.
const LAST_STORES: Duration = Duration::from_secs(3);
/// How long the message centre has to answer a goodbye.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Between two tries to bind: from the first to the last.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_mins(1);
/// Sequence numbers go from 1 to this.
const LAST_SEQUENCE: u32 = 0x7fff_ffff;

/// What was asked of the link's task.
struct Order {
    pdu: SubmitSm,
    answer: oneshot::Sender<Outcome>,
}

/// What became of a `submit_sm`.
enum Outcome {
    Answered(CommandStatus, Option<String>),
    /// Never written.
    NotSent,
}

/// A link to a message centre. Cheap to clone; it ends when the last clone is gone.
#[derive(Clone)]
pub struct Link(Arc<Shared>);

struct Shared {
    orders: mpsc::Sender<Order>,
    window: Semaphore,
    bound: watch::Receiver<bool>,
    reference: AtomicU8,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("bound", &*self.0.bound.borrow()).finish_non_exhaustive()
    }
}

impl Link {
    /// Starts a link, which binds as soon as it can and whenever it was cut. `session` makes the ids of its
    /// deliveries: it must be new each time.
    fn start(credentials: SmppCredentials, session: String, inbox: Arc<dyn Inbox>) -> Self {
        let window = usize::from(credentials.window.max(1));
        let (orders, received) = mpsc::channel(window);
        let (is_bound, bound) = watch::channel(false);
        let task = Task { credentials, inbox, is_bound, redeliveries: Redeliveries::new(session) };
        tokio::spawn(task.run(received));
        Self(Arc::new(Shared { orders, window: Semaphore::new(window), bound, reference: AtomicU8::new(0) }))
    }

    /// Whether it is up just now.
    pub fn is_bound(&self) -> bool {
        *self.0.bound.borrow()
    }

    /// Gives this clone up and waits until the link is down: unbound, if it was the last one, and if the message
    /// centre says so in time.
    pub async fn close(self, patience: Duration) {
        let mut bound = self.0.bound.clone();
        drop(self);
        // If other clones keep it up, or the answer is late, so be it.
        drop(tokio::time::timeout(patience, bound.wait_for(|is| !*is)).await);
    }

    /// Waits until it is up, or not.
    pub async fn wait(&self, bound: bool) {
        // The task is there as long as this is.
        let _ = self.0.bound.clone().wait_for(|is| *is == bound).await;
    }

    /// A number for the pieces of the next text.
    pub(super) fn next_reference(&self) -> u8 {
        self.0.reference.fetch_add(1, Ordering::Relaxed)
    }

    /// Hands over one piece and waits for its id.
    pub(super) async fn submit(&self, pdu: SubmitSm) -> Result<String, SendError> {
        if !self.is_bound() {
            return Err(SendError::Connect);
        }
        let _place = self.0.window.acquire().await.map_err(|_| SendError::Connect)?;
        let (answer, answered) = oneshot::channel();
        self.0.orders.send(Order { pdu, answer }).await.map_err(|_| SendError::Connect)?;
        match tokio::time::timeout(ANSWER, answered).await {
            Ok(Ok(Outcome::Answered(CommandStatus::EsmeRok, Some(id)))) => Ok(id),
            Ok(Ok(Outcome::NotSent)) => Err(SendError::Connect),
            Ok(Ok(Outcome::Answered(CommandStatus::EsmeRok, None)) | Err(_)) | Err(_) => {
                Err(SendError::Ambiguous)
            }
            Ok(Ok(Outcome::Answered(status, _))) => Err(refused(status)),
        }
    }
}

/// The links of a process, by account. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Links(Arc<Mutex<HashMap<Key, Link>>>);

type Key = (String, u16, String);

impl Links {
    /// Starts the account's link, if it isn't there yet, and gives it.
    pub fn start(&self, credentials: &SmppCredentials, session: String, inbox: Arc<dyn Inbox>) -> Link {
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || Link::start(credentials.clone(), session, inbox);
        links.entry(key(credentials)).or_insert_with(start).clone()
    }

    /// Ends the account's link once its last clone is gone.
    pub fn stop(&self, credentials: &SmppCredentials) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(credentials));
    }

    /// Whether the account's link is here and up.
    pub fn is_bound(&self, credentials: &SmppCredentials) -> bool {
        self.of(credentials).is_some_and(|link| link.is_bound())
    }

    /// The account's link, up or not.
    pub(super) fn of(&self, credentials: &SmppCredentials) -> Option<Link> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key(credentials)).cloned()
    }
}

fn key(credentials: &SmppCredentials) -> Key {
    (credentials.host.clone(), credentials.port, credentials.system_id.clone())
}

/// Owns the connection.
struct Task {
    credentials: SmppCredentials,
    inbox: Arc<dyn Inbox>,
    is_bound: watch::Sender<bool>,
    redeliveries: Redeliveries,
}

/// Why serving ended.
enum End {
    /// Nobody holds the link any more.
    Dropped,
    /// Closed, unbound, or dead.
    Cut,
}

impl Task {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut wait = FIRST_WAIT;
        let mut begun = false;
        loop {
            match self.connect(&mut begun).await {
                Ok(framed) => {
                    tracing::info!(system_id = %self.credentials.system_id, "an SMPP link is up");
                    wait = FIRST_WAIT;
                    self.is_bound.send_replace(true);
                    self.redeliveries.bound(Instant::now());
                    let end = self.serve(framed, &mut orders).await;
                    self.redeliveries.cut();
                    // Before anybody hears that the link is down: who ends it waits for that.
                    self.tell_settled();
                    self.is_bound.send_replace(false);
                    if matches!(end, End::Dropped) {
                        return;
                    }
                    tracing::warn!(system_id = %self.credentials.system_id, "an SMPP link was cut");
                }
                Err(error) => {
                    tracing::warn!(system_id = %self.credentials.system_id, %error, "an SMPP link can't be made");
                }
            }
            // Whoever asks meanwhile is told at once that nothing was sent.
            let again = Instant::now() + wait;
            loop {
                tokio::select! {
                    () = tokio::time::sleep_until(again) => break,
                    order = orders.recv() => match order {
                        Some(order) => drop(order.answer.send(Outcome::NotSent)),
                        None => return,
                    },
                }
            }
            wait = (wait * 2).min(LAST_WAIT);
        }
    }

    /// Binds, once it is known what earlier links left behind.
    async fn connect(&mut self, begun: &mut bool) -> Result<connect::Bound, LinkError> {
        if !*begun {
            let left = self.inbox.doubtful().await.map_err(|NotStored| LinkError::Inbox)?;
            self.redeliveries.left_behind(left);
            *begun = true;
        }
        connect::bind(&self.credentials).await
    }

    fn tell_settled(&mut self) {
        let settled = self.redeliveries.settled(Instant::now());
        if !settled.is_empty() {
            self.inbox.settled(settled);
        }
    }

    async fn serve(&mut self, framed: connect::Bound, orders: &mut mpsc::Receiver<Order>) -> End {
        let (sink, mut stream) = framed.split();
        let (commands, writing) = mpsc::unbounded_channel();
        let mut session = Session {
            commands,
            // The bind was 1.
            sequence: 1,
            written: 0,
            pending: HashMap::new(),
            storing: JoinSet::new(),
        };
        // A writer of its own: waiting for a full pipe must not keep us from reading.
        let mut writer = tokio::spawn(write(sink, writing));
        let mut alive = tokio::time::interval(self.credentials.enquire_link());
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        alive.tick().await;
        let mut certain = tokio::time::interval(CERTAINTY);
        certain.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut enquiry = None;
        // Whatever it says is a sign of life: its answer may stand behind a thousand deliveries.
        let mut heard = false;
        let end = loop {
            tokio::select! {
                order = orders.recv() => {
                    let Some(order) = order else { break End::Dropped };
                    session.submit(order);
                }
                command = stream.next(), if session.storing.len() < MOST_STORING => {
                    let Some(Ok(command)) = command else { break End::Cut };
                    heard = true;
                    if Some(command.sequence) == enquiry && command.id == CommandId::EnquireLinkResp {
                        enquiry = None;
                    }
                    if !self.take(&mut session, command) {
                        break End::Cut;
                    }
                }
                Some(stored) = session.storing.join_next() => {
                    if let Ok((sequence, id, status)) = stored {
                        self.acknowledge(&mut session, sequence, &id, status);
                    }
                }
                _ = certain.tick() => {
                    self.tell_settled();
                    if self.redeliveries.are_uncertain() && session.pending.is_empty() {
                        session.request(Pdu::EnquireLink);
                    }
                }
                _ = alive.tick() => {
                    if enquiry.is_some() && !heard {
                        break End::Cut;
                    }
                    heard = false;
                    enquiry = Some(session.request(Pdu::EnquireLink));
                }
                _ = &mut writer => break End::Cut,
            }
        };
        if matches!(end, End::Dropped) {
            let goodbye = self.say_goodbye(&mut session).await;
            // Whoever closes with something unread resets the connection, and the last acknowledgements may be
            // lost with it. What comes now is not acknowledged, and so comes again to the next link.
            let answered = async {
                while let Some(Ok(command)) = stream.next().await {
                    if command.id == CommandId::UnbindResp {
                        return true;
                    }
                }
                false
            };
            if tokio::time::timeout(LAST_WORDS, answered).await == Ok(true) {
                self.redeliveries.arrived(goodbye);
            }
        }
        // What waits in the queue was never written; what is pending may have been.
        while let Ok(order) = orders.try_recv() {
            drop(order.answer.send(Outcome::NotSent));
        }
        drop(session);
        // Gives the last words a moment to go out.
        let going = !writer.is_finished();
        if going && tokio::time::timeout(Duration::from_secs(1), &mut writer).await.is_err() {
            writer.abort();
        }
        end
    }

    /// Acknowledges what is being stored, so that it isn't sent again to the next link, then unbinds; the goodbye's
    /// place among all that was written.
    async fn say_goodbye(&mut self, session: &mut Session) -> u64 {
        let last = Instant::now() + LAST_STORES;
        // What isn't stored by then is sent again.
        while let Ok(Some(stored)) = tokio::time::timeout_at(last, session.storing.join_next()).await {
            if let Ok((sequence, id, status)) = stored {
                self.acknowledge(session, sequence, &id, status);
            }
        }
        session.request(Pdu::Unbind);
        session.written
    }

    /// Tells the message centre that we have a delivery, or that it shall send it again.
    fn acknowledge(&mut self, session: &mut Session, sequence: u32, id: &str, status: CommandStatus) {
        let place = session.answer(sequence, status, Pdu::from(DeliverSmResp::default()));
        if status == CommandStatus::EsmeRok {
            self.redeliveries.acknowledged(id, place);
        } else {
            self.redeliveries.wanted_again(id, Instant::now());
        }
    }

    /// Takes what the message centre says; `false` if it leaves.
    fn take(&mut self, session: &mut Session, command: Frame) -> bool {
        let sequence = command.sequence;
        match command.id {
            CommandId::DeliverSm => self.deliver(session, &command),
            CommandId::EnquireLink => {
                session.answer(sequence, CommandStatus::EsmeRok, Pdu::EnquireLinkResp);
            }
            CommandId::SubmitSmResp | CommandId::GenericNack | CommandId::EnquireLinkResp => {
                let id = match command.pdu {
                    Some(Pdu::SubmitSmResp(answer)) => Some(answer.message_id().as_str().to_owned()),
                    _ => None,
                };
                if let Some((place, answer)) = session.pending.remove(&sequence) {
                    self.redeliveries.arrived(place);
                    if let Some(answer) = answer {
                        let id = id.filter(|id| !id.is_empty());
                        drop(answer.send(Outcome::Answered(command.status, id)));
                    }
                }
            }
            CommandId::Unbind => {
                session.answer(sequence, CommandStatus::EsmeRok, Pdu::UnbindResp);
                return false;
            }
            CommandId::UnbindResp | CommandId::DeliverSmResp => {}
            _ => {
                session.answer(sequence, CommandStatus::EsmeRinvcmdid, Pdu::GenericNack);
            }
        }
        true
    }

    fn deliver(&mut self, session: &mut Session, frame: &Frame) {
        let fingerprint = self.inbox.fingerprint(&inbox::identity(frame));
        let id = self.redeliveries.id(&fingerprint, Instant::now());
        let content = inbox::read(&self.credentials, frame, &id).map_err(|malformed| {
            tracing::warn!(%malformed, "an SMPP delivery can't be read");
            Unread { malformed, octets: frame.octets.clone() }
        });
        let sequence = frame.sequence;
        let inbox = Arc::clone(&self.inbox);
        session.storing.spawn(async move {
            let delivered = Delivered { id: id.clone(), fingerprint, content };
            let status = match inbox.store(delivered).await {
                Ok(()) => CommandStatus::EsmeRok,
                Err(NotStored) => CommandStatus::EsmeRxTAppn,
            };
            (sequence, id, status)
        });
    }
}

/// What one connection knows.
struct Session {
    commands: mpsc::UnboundedSender<Command>,
    sequence: u32,
    /// How much was written.
    written: u64,
    /// Requests without an answer: their place among all that was written, and who waits.
    pending: HashMap<u32, (u64, Option<oneshot::Sender<Outcome>>)>,
    /// Deliveries that are being stored: sequence number, id, and what to answer.
    storing: JoinSet<(u32, String, CommandStatus)>,
}

impl Session {
    fn write(&mut self, command: Command) -> u64 {
        self.written += 1;
        // If the writer is gone, so is the connection, which the loop sees itself.
        let _ = self.commands.send(command);
        self.written
    }

    fn next_sequence(&mut self) -> u32 {
        self.sequence = if self.sequence >= LAST_SEQUENCE { 1 } else { self.sequence + 1 };
        self.sequence
    }

    fn submit(&mut self, order: Order) {
        // Its sender has given up waiting.
        if order.answer.is_closed() {
            return;
        }
        let sequence = self.next_sequence();
        let place = self.write(Command::new(CommandStatus::EsmeRok, sequence, Pdu::SubmitSm(order.pdu)));
        self.pending.insert(sequence, (place, Some(order.answer)));
    }

    fn request(&mut self, pdu: Pdu) -> u32 {
        let sequence = self.next_sequence();
        let place = self.write(Command::new(CommandStatus::EsmeRok, sequence, pdu));
        self.pending.insert(sequence, (place, None));
        sequence
    }

    fn answer(&mut self, sequence: u32, status: CommandStatus, pdu: Pdu) -> u64 {
        self.write(Command::new(status, sequence, pdu))
    }
}

/// Writes commands, several at a time where several wait.
async fn write(mut sink: SplitSink<connect::Bound, Command>, mut commands: mpsc::UnboundedReceiver<Command>) {
    while let Some(command) = commands.recv().await {
        if sink.feed(command).await.is_err() {
            return;
        }
        while let Ok(command) = commands.try_recv() {
            if sink.feed(command).await.is_err() {
                return;
            }
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
}
