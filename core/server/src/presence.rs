//! Who is where: what people do in a conversation at this moment, known on every node and kept on none.
//!
//! A page says every few seconds what its person does; the word goes to all nodes as a [`Whisper`], and each
//! remembers it for [`LASTS`]. A node that has just started knows everybody again after one round. Nothing is
//! stored: it costs no rows and no place in the event sequence.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anteroom_model::{
    ids::{ConversationId, OrganizationId, StaffId},
    time::Timestamp,
};
use anteroom_store::{Store, Whisper};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use utoipa::ToSchema;

/// How long what somebody said of themselves is believed.
pub const LASTS: Duration = Duration::from_secs(30);

/// What somebody does in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// Looks at it.
    Viewing,
    /// Writes a reply or a note.
    Replying,
    /// Neither any more.
    Away,
}

/// What is said to those who listen now: events without a place in the sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Said {
    /// What somebody does in a conversation.
    Presence {
        /// Where.
        conversation_id: ConversationId,
        /// Who.
        staff_id: StaffId,
        /// What.
        state: PresenceState,
    },
    /// What somebody was writing has changed: for their other pages.
    Draft {
        /// Where.
        conversation_id: ConversationId,
        /// Whose.
        staff_id: StaffId,
        /// Which of their pages did it, in its own words.
        page: Option<String>,
    },
    /// Somebody has seen something, or chosen something: for their other pages.
    Own {
        /// Whose.
        staff_id: StaffId,
        /// `look`, `mentions` or `preferences`.
        what: String,
        /// Where, if it is about a conversation.
        conversation_id: Option<ConversationId>,
    },
}

impl Said {
    /// The name of its event.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Presence { .. } => "presence",
            Self::Draft { .. } => "draft",
            Self::Own { .. } => "own",
        }
    }

    /// Whether `staff` is to hear of it.
    pub fn concerns(&self, staff: StaffId) -> bool {
        match self {
            Self::Presence { .. } => true,
            Self::Draft { staff_id, .. } | Self::Own { staff_id, .. } => *staff_id == staff,
        }
    }

    /// Says it to every node.
    pub fn whisper(&self, store: &Store, organization: OrganizationId) {
        match serde_json::to_string(self) {
            Ok(text) => store.whisper(Whisper { organization, text: text.into() }),
            Err(error) => tracing::warn!(%error, "could not be said"),
        }
    }

    /// What was said; `None`: a word of a version that knows more.
    pub fn heard(whisper: &Whisper) -> Option<Self> {
        serde_json::from_str(&whisper.text).ok()
    }
}

type Places = HashMap<(OrganizationId, ConversationId, StaffId), (PresenceState, Timestamp)>;

/// What this node has heard.
#[derive(Debug)]
pub struct Presence {
    places: Arc<Mutex<Places>>,
    store: Store,
    listening: tokio::task::JoinHandle<()>,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Presence {
    /// Listens from now on.
    pub fn new(store: Store) -> Self {
        let places = Arc::new(Mutex::new(Places::new()));
        let mut whispers = store.whispers();
        let (heard, clock) = (places.clone(), store.clone());
        let listening = tokio::spawn(async move {
            loop {
                match whispers.recv().await {
                    Ok(whisper) => remember(&heard, &whisper, clock.now()),
                    // What was missed is said again within seconds.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
        Self { places, store, listening }
    }

    /// Everybody who is somewhere in `organization`.
    pub fn of(&self, organization: OrganizationId) -> Vec<Said> {
        let now = self.store.now();
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let here = places.iter().filter(|((of, ..), (_, at))| *of == organization && is_fresh(*at, now));
        here.map(|((_, conversation, staff), (state, _))| Said::Presence {
            conversation_id: *conversation,
            staff_id: *staff,
            state: *state,
        })
        .collect()
    }

    /// Whether `staff` is known to be in that conversation.
    pub fn knows(&self, organization: OrganizationId, conversation: ConversationId, staff: StaffId) -> bool {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.contains_key(&(organization, conversation, staff))
    }
}

fn remember(places: &Mutex<Places>, whisper: &Whisper, now: Timestamp) {
    let Some(Said::Presence { conversation_id, staff_id, state }) = Said::heard(whisper) else { return };
    let mut places = places.lock().unwrap_or_else(PoisonError::into_inner);
    places.retain(|_, (_, at)| is_fresh(*at, now));
    let place = (whisper.organization, conversation_id, staff_id);
    if state == PresenceState::Away {
        places.remove(&place);
    } else {
        places.insert(place, (state, now));
    }
}

fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    now.since(at) < LASTS
}
