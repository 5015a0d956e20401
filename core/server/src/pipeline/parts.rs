//! Long texts that arrive in pieces: each piece is stored as it comes; the first of them that is worked on waits for
//! the others, and tells the whole text.

use std::time::Duration;

use anteroom_model::{
    ids::MessageId,
    parts::{Fit, Joining, TextPart},
};
use anteroom_store::{Extra, InboundWork, StoreError};
use futures::FutureExt;

use crate::{app::App, pipeline::turn::TurnError};

/// How long missing pieces are waited for. What the patient texts meanwhile waits, too: it keeps its order.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked whether they have come.
const LOOK: Duration = Duration::from_secs(1);

/// The text that a piece and those waiting with it make; `None`: some are missing, and it was put off.
pub(super) async fn join(
    app: &App,
    work: &InboundWork,
    part: &TextPart,
) -> Result<Option<InboundWork>, TurnError> {
    let waiting =
        app.store.read(work.organization).await?.waiting_in_lane(work.number_id, &work.peer, work.id).await?;
    let mut joining = Joining::begin(part, &work.body);
    let mut whole = work.clone();
    let mut pieces = Vec::new();
    whole.extra.part = None;
    for text in waiting {
        let Some(part) = &text.extra.part else { continue };
        match joining.add(part, &text.body) {
            Fit::Taken => whole.extra.media.extend(text.extra.media),
            Fit::Repeated => {}
            Fit::Other => continue,
        }
        pieces.push(text.id);
    }
    let now = app.store.now();
    if joining.is_whole() || now.since(work.created_at) >= PATIENCE {
        whole.body = joining.text();
        whole.pieces = Some(pieces);
        return Ok(Some(whole));
    }
    let (id, node, due) = (work.id, app.node, now.plus(LOOK));
    let given_back: Result<bool, StoreError> = app
        .store
        .write(work.organization, move |mut org| async move { org.wait_inbound(id, node, due).await }.boxed())
        .await;
    if given_back? { Ok(None) } else { Err(TurnError::LeaseLost) }
}

/// What is stored of a joined text.
pub(super) struct Joined {
    pub(super) body: String,
    pub(super) extra: Extra,
    pub(super) pieces: Vec<MessageId>,
}

impl Joined {
    /// `None` for a text that came whole.
    pub(super) fn of(work: &InboundWork) -> Option<Self> {
        let pieces = work.pieces.clone()?;
        Some(Self { body: work.body.clone(), extra: work.extra.clone(), pieces })
    }
}
