//! Ids for what comes in, so that a repetition after a cut has the id of the first time.
//!
//! A `deliver_sm` has no id of its own. When a link breaks, the message centre sends again whatever it saw no
//! acknowledgement of. Each delivery therefore gets an id of ours; if the link breaks before it is *certain*
//! that the acknowledgement arrived, the same content gets the same id once more on the next link, and the
//! store takes it once. Certain it is once the message centre has answered something that was written after
//! the acknowledgement, since a connection keeps its order.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use sha2::{Digest, Sha256};
use tokio::time::Instant;

/// How long after a cut a repetition is expected.
const EXPECTED: Duration = Duration::from_mins(10);

type Identity = [u8; 32];

/// The deliveries whose acknowledgement may not have arrived.
pub(super) struct Redeliveries {
    /// Unique to this process's link.
    session: String,
    given: u64,
    open: VecDeque<Open>,
    /// From links that are no more.
    doubtful: HashMap<Identity, VecDeque<(String, Instant)>>,
}

struct Open {
    identity: Identity,
    id: String,
    /// Place of its acknowledgement among all that was written.
    acknowledged: Option<u64>,
}

impl Redeliveries {
    pub(super) fn new(session: String) -> Self {
        Self { session, given: 0, open: VecDeque::new(), doubtful: HashMap::new() }
    }

    /// The id for a delivery with this content.
    pub(super) fn id(&mut self, content: &[u8], now: Instant) -> String {
        let identity: Identity = Sha256::digest(content).into();
        let again = self.doubtful.get_mut(&identity).and_then(VecDeque::pop_front);
        let again = again.filter(|(_, until)| now < *until).map(|(id, _)| id);
        let id = again.unwrap_or_else(|| {
            self.given += 1;
            format!("{}-{}", self.session, self.given)
        });
        self.open.push_back(Open { identity, id: id.clone(), acknowledged: None });
        id
    }

    /// The acknowledgement of `id` was the `place`th thing written.
    pub(super) fn acknowledged(&mut self, id: &str, place: u64) {
        if let Some(open) = self.open.iter_mut().find(|open| open.id == id) {
            open.acknowledged = Some(place);
        }
    }

    /// What was written at `place` has been answered: everything before it has arrived.
    pub(super) fn arrived(&mut self, place: u64) {
        self.open.retain(|open| open.acknowledged.is_none_or(|at| at > place));
    }

    /// The link is no more.
    pub(super) fn cut(&mut self, now: Instant) {
        self.doubtful.retain(|_, ids| {
            ids.retain(|(_, until)| now < *until);
            !ids.is_empty()
        });
        for open in self.open.drain(..) {
            self.doubtful.entry(open.identity).or_default().push_back((open.id, now + EXPECTED));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_not_have_arrived_is_recognised() {
        let (mut redeliveries, now) = (Redeliveries::new("s".into()), Instant::now());
        let [certain, doubtful, open] = [b"a", b"b", b"c"].map(|content| redeliveries.id(content, now));
        redeliveries.acknowledged(&certain, 1);
        redeliveries.arrived(2);
        redeliveries.acknowledged(&doubtful, 3);
        redeliveries.cut(now);
        // An equal text after the cut is a new one if the first had arrived.
        assert_ne!(redeliveries.id(b"a", now), certain);
        assert_eq!(redeliveries.id(b"b", now), doubtful);
        assert_eq!(redeliveries.id(b"c", now), open);
        assert_ne!(redeliveries.id(b"b", now), doubtful, "the patient wrote it again");
        redeliveries.cut(now);
        assert_ne!(redeliveries.id(b"c", now + EXPECTED), open, "nobody repeats that late");
    }
}
