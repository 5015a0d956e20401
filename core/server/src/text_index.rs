//! Keeps the index of texts and notes up to date, behind everything else: what it lacks, a search reads itself.

use std::collections::HashMap;

use anteroom_model::ids::OrganizationId;
use anteroom_store::StoreError;

use crate::app::App;

/// Segments of one organization in a row: of a long history, some each time, so that others have their turn.
const IN_A_ROW: usize = 16;
/// Events that must have come before an organization is looked at again that had too little for a segment.
const WORTH_A_LOOK: i64 = 256;

/// Which organizations were looked at.
#[derive(Debug, Default)]
pub(crate) struct TextIndex {
    /// The last event when an organization had too little for a segment.
    looked_at: HashMap<OrganizationId, i64>,
}

impl TextIndex {
    /// Makes the segments for which enough has come. A process that ends in the middle leaves whole segments.
    pub(crate) async fn go_on(&mut self, app: &App) -> Result<(), StoreError> {
        for waiting in app.store.texts_to_index().await? {
            let looked_at = self.looked_at.get(&waiting.organization);
            if looked_at.is_some_and(|seq| waiting.event_seq < seq + WORTH_A_LOOK) {
                continue;
            }
            for _ in 0..IN_A_ROW {
                if app.stop.is_cancelled() {
                    return Ok(());
                }
                if !app.store.index_texts(waiting.organization).await? {
                    self.looked_at.insert(waiting.organization, waiting.event_seq);
                    break;
                }
            }
        }
        Ok(())
    }
}
