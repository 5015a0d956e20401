//! What a process tells its own waiting tasks, and the other nodes, after a commit.
//!
//! A signal is a hint: whoever waits for one also looks by itself from time to time, so one that is lost costs
//! a moment and nothing else.

use std::sync::Arc;

use anteroom_model::ids::OrganizationId;
use tokio::sync::{Notify, broadcast, mpsc};

/// Something was committed that somebody may be waiting for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Signal {
    /// A text arrived.
    Inbound,
    /// A text is to be sent.
    Outbound,
    /// An organization's events grew.
    Events(OrganizationId),
    /// An organization's set-up changed.
    Setup(OrganizationId),
    /// Something that is not kept: see [`Whisper`].
    Whisper(Whisper),
}

/// A word to whoever of an organization listens now, on whichever node: it is never stored, and who comes later
/// doesn't hear it. Ids and states, nothing that quotes anybody.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Whisper {
    /// To whom.
    pub organization: OrganizationId,
    /// What. Short: PostgreSQL carries at most 8,000 bytes.
    pub text: Arc<str>,
}

impl Signal {
    /// As other nodes are told.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Inbound => "inbound".to_owned(),
            Self::Outbound => "outbound".to_owned(),
            Self::Events(organization) => format!("events {organization}"),
            Self::Setup(organization) => format!("setup {organization}"),
            Self::Whisper(Whisper { organization, text }) => format!("whisper {organization} {text}"),
        }
    }

    /// What another node said; `None`: a word of a version that knows more.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            None if text == "inbound" => Some(Self::Inbound),
            None if text == "outbound" => Some(Self::Outbound),
            Some(("events", organization)) => organization.parse().ok().map(Self::Events),
            Some(("setup", organization)) => organization.parse().ok().map(Self::Setup),
            Some(("whisper", rest)) => {
                let (organization, text) = rest.split_once(' ')?;
                let organization = organization.parse().ok()?;
                Some(Self::Whisper(Whisper { organization, text: text.into() }))
            }
            _ => None,
        }
    }
}

/// Those who wait.
#[derive(Debug)]
pub(crate) struct Signals {
    inbound: Notify,
    outbound: Notify,
    events: broadcast::Sender<OrganizationId>,
    setup: broadcast::Sender<OrganizationId>,
    whispers: broadcast::Sender<Whisper>,
    /// To the other nodes, where there can be any.
    others: Option<mpsc::Sender<Signal>>,
}

impl Signals {
    pub(crate) fn new(others: Option<mpsc::Sender<Signal>>) -> Self {
        Self {
            inbound: Notify::new(),
            outbound: Notify::new(),
            events: broadcast::channel(1_024).0,
            setup: broadcast::channel(1_024).0,
            whispers: broadcast::channel(1_024).0,
            others,
        }
    }

    /// Tells everybody.
    pub(crate) fn raise(&self, signal: Signal) {
        self.raise_here(signal.clone());
        if let Some(others) = &self.others {
            // A full queue is no error: the other nodes look by themselves.
            others.try_send(signal).unwrap_or_default();
        }
    }

    /// Tells the tasks of this process.
    pub(crate) fn raise_here(&self, signal: Signal) {
        match signal {
            Signal::Inbound => self.inbound.notify_one(),
            Signal::Outbound => self.outbound.notify_one(),
            // Nobody listening is no error.
            Signal::Events(organization) => drop(self.events.send(organization)),
            Signal::Setup(organization) => drop(self.setup.send(organization)),
            Signal::Whisper(whisper) => drop(self.whispers.send(whisper)),
        }
    }

    pub(crate) async fn inbound(&self) {
        self.inbound.notified().await;
    }

    pub(crate) async fn outbound(&self) {
        self.outbound.notified().await;
    }

    pub(crate) fn events(&self) -> broadcast::Receiver<OrganizationId> {
        self.events.subscribe()
    }

    pub(crate) fn setup(&self) -> broadcast::Receiver<OrganizationId> {
        self.setup.subscribe()
    }

    pub(crate) fn whispers(&self) -> broadcast::Receiver<Whisper> {
        self.whispers.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_nodes_understand_what_is_said() {
        let organization = OrganizationId(uuid::Uuid::from_u128(7));
        let whisper = Whisper { organization, text: r#"{"kind": "draft"}"#.into() };
        let simple = [Signal::Inbound, Signal::Outbound, Signal::Events(organization)];
        for signal in simple.into_iter().chain([Signal::Setup(organization), Signal::Whisper(whisper)]) {
            assert_eq!(Signal::parse(&signal.text()), Some(signal));
        }
        for unknown in ["", "inbound now", "events", "events 12", "whisper 12 x", "weather sunny"] {
            assert_eq!(Signal::parse(unknown), None, "{unknown}");
        }
    }
}
