//! Ids for what comes in, so that a repetition after a cut has the id of the first time.
//!
//! A `deliver_sm` has no id of its own. When a link breaks, the message centre sends again whatever it saw no
//! acknowledgement of. Each delivery therefore gets an id of ours; if the link breaks before it is *certain*
//! that the acknowledgement arrived, the same content gets the same id once more on the next link, and the
//! store takes it once. Certain it is once the message centre has answered something that was written after
//! the acknowledgement, since a connection keeps its order.
//!
//! What isn't certain yet the inbox keeps, too ([`Inbox`](super::Inbox)), so that a process that is killed leaves it
//! to the next one.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    time::Duration,
};

use tokio::time::Instant;

/// How long after a bind a repetition is expected.
const EXPECTED: Duration = Duration::from_mins(10);

/// A keyed hash of all that tells a delivery from others.
pub type Fingerprint = Vec<u8>;

/// The deliveries whose acknowledgement may not have arrived.
pub(super) struct Redeliveries {
    /// Unique to this process's link.
    session: String,
    given: u64,
    open: VecDeque<Open>,
    /// From links that are no more.
    doubtful: HashMap<Fingerprint, VecDeque<Doubtful>>,
    /// Ids that won't come again, since they were last asked for.
    settled: Vec<String>,
}

struct Open {
    fingerprint: Fingerprint,
    id: String,
    /// Place of its acknowledgement among all that was written.
    acknowledged: Option<u64>,
}

struct Doubtful {
    id: String,
    /// Counts from the next bind: however long there is no link, nothing is repeated meanwhile.
    until: Option<Instant>,
}

impl Redeliveries {
    pub(super) fn new(session: String) -> Self {
        Self { session, given: 0, open: VecDeque::new(), doubtful: HashMap::new(), settled: Vec::new() }
    }

    /// The id for a delivery with this content.
    pub(super) fn id(&mut self, fingerprint: &Fingerprint, now: Instant) -> String {
        let again = self.doubtful.get_mut(fingerprint).and_then(|ids| {
            let at = ids.iter().position(|doubtful| doubtful.is_expected(now))?;
            ids.remove(at).map(|doubtful| doubtful.id)
        });
        let id = again.unwrap_or_else(|| {
            self.given += 1;
            format!("{}-{}", self.session, self.given)
        });
        self.open.push_back(Open { fingerprint: fingerprint.clone(), id: id.clone(), acknowledged: None });
        id
    }

    /// The acknowledgement of `id` was the `place`th thing written.
    pub(super) fn acknowledged(&mut self, id: &str, place: u64) {
        if let Some(open) = self.open.iter_mut().find(|open| open.id == id) {
            open.acknowledged = Some(place);
        }
    }

    /// The message centre is asked to send `id` again, on this link.
    pub(super) fn wanted_again(&mut self, id: &str, now: Instant) {
        if let Some(open) =
            self.open.iter().position(|open| open.id == id).and_then(|at| self.open.remove(at))
        {
            self.doubt(open, Some(now + EXPECTED));
        }
    }

    /// What was written at `place` has been answered: everything before it has arrived.
    pub(super) fn arrived(&mut self, place: u64) {
        let Self { open, settled, .. } = self;
        open.retain(|open| {
            let certain = open.acknowledged.is_some_and(|at| at < place);
            if certain {
                settled.push(open.id.clone());
            }
            !certain
        });
    }

    /// Whether an acknowledgement was written that may not have arrived.
    pub(super) fn are_uncertain(&self) -> bool {
        self.open.iter().any(|open| open.acknowledged.is_some())
    }

    /// The link is no more.
    pub(super) fn cut(&mut self) {
        for open in mem::take(&mut self.open) {
            self.doubt(open, None);
        }
    }

    /// What an earlier process left behind.
    pub(super) fn left_behind(&mut self, ids: Vec<(Fingerprint, String)>) {
        for (fingerprint, id) in ids {
            self.doubt(Open { fingerprint, id, acknowledged: None }, None);
        }
    }

    /// A new link is up.
    pub(super) fn bound(&mut self, now: Instant) {
        for doubtful in self.doubtful.values_mut().flatten() {
            doubtful.until.get_or_insert(now + EXPECTED);
        }
    }

    /// The ids that won't come again, each told once.
    pub(super) fn settled(&mut self, now: Instant) -> Vec<String> {
        let Self { doubtful, settled, .. } = self;
        doubtful.retain(|_, ids| {
            ids.retain(|doubtful| {
                let expected = doubtful.is_expected(now);
                if !expected {
                    settled.push(doubtful.id.clone());
                }
                expected
            });
            !ids.is_empty()
        });
        mem::take(settled)
    }

    fn doubt(&mut self, open: Open, until: Option<Instant>) {
        self.doubtful.entry(open.fingerprint).or_default().push_back(Doubtful { id: open.id, until });
    }
}

impl Doubtful {
    fn is_expected(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(content: &[u8]) -> Fingerprint {
        content.to_vec()
    }

    #[test]
    fn only_what_may_not_have_arrived_is_recognised() {
        let (mut redeliveries, now) = (Redeliveries::new("s".into()), Instant::now());
        let [certain, doubtful, open] =
            [b"a", b"b", b"c"].map(|content| redeliveries.id(&print(content), now));
        redeliveries.acknowledged(&certain, 1);
        assert!(redeliveries.are_uncertain());
        redeliveries.arrived(2);
        assert!(!redeliveries.are_uncertain());
        assert_eq!(redeliveries.settled(now), [certain.as_str()]);
        redeliveries.acknowledged(&doubtful, 3);
        redeliveries.cut();
        redeliveries.bound(now);
        // An equal text after the cut is a new one if the first had arrived.
        assert_ne!(redeliveries.id(&print(b"a"), now), certain);
        assert_eq!(redeliveries.id(&print(b"b"), now), doubtful);
        assert_eq!(redeliveries.id(&print(b"c"), now), open);
        assert_ne!(redeliveries.id(&print(b"b"), now), doubtful, "the patient wrote it again");
    }

    #[test]
    fn the_time_for_repetitions_counts_from_the_bind() {
        let (mut redeliveries, now) = (Redeliveries::new("s".into()), Instant::now());
        let [first, second] = [b"a", b"b"].map(|content| redeliveries.id(&print(content), now));
        redeliveries.cut();
        // Down for long: nothing could be repeated.
        let later = now + EXPECTED * 3;
        assert!(redeliveries.settled(later).is_empty());
        redeliveries.bound(later);
        assert_eq!(redeliveries.id(&print(b"a"), later + EXPECTED / 2), first);
        assert_ne!(redeliveries.id(&print(b"b"), later + EXPECTED), second, "nobody repeats that late");
        assert_eq!(redeliveries.settled(later + EXPECTED), [second]);
        assert!(redeliveries.settled(later + EXPECTED).is_empty(), "told once");
    }

    #[test]
    fn what_could_not_be_stored_comes_again_under_its_id() {
        let (mut redeliveries, now) = (Redeliveries::new("s".into()), Instant::now());
        let id = redeliveries.id(&print(b"a"), now);
        redeliveries.wanted_again(&id, now);
        assert_eq!(redeliveries.id(&print(b"a"), now), id);
    }

    #[test]
    fn what_a_killed_process_left_is_recognised_by_the_next() {
        let (mut next, now) = (Redeliveries::new("t".into()), Instant::now());
        next.left_behind(vec![(print(b"a"), "s-1".into()), (print(b"a"), "s-2".into())]);
        next.bound(now);
        let ids: Vec<_> = (0..3).map(|_| next.id(&print(b"a"), now)).collect();
        assert_eq!(ids, ["s-1", "s-2", "t-1"]);
    }
}
