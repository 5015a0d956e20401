//! A connection bound to one organization.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use anteroom_model::{
    ids::{Ids, MessageId, OrganizationId},
    time::Timestamp,
};

use crate::{NewEvent, conn::Conn, decisions::PendingDecision, seal::OrgKeys, signals::Signal};

/// One organization's rows, within a transaction when it comes from [`crate::Store::write`]. Each table
/// family adds its queries in a module of its own.
#[derive(Debug)]
pub struct Org<'c> {
    pub(crate) conn: ConnRef<'c>,
    pub(crate) organization: OrganizationId,
    pub(crate) keys: Arc<OrgKeys>,
    pub(crate) ids: Arc<Ids>,
    pub(crate) now: Timestamp,
    pub(crate) work: Arc<Work>,
}

impl Org<'_> {
    /// The organization whose rows these are.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// The organization's keys.
    pub fn keys(&self) -> &Arc<OrgKeys> {
        &self.keys
    }

    /// The moment of this unit of work.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A new id, larger than all before.
    pub fn new_id<T: From<uuid::Uuid>>(&self) -> T {
        self.ids.next(self.now)
    }

    pub(crate) fn conn(&mut self) -> &mut Conn {
        match &mut self.conn {
            ConnRef::Owned(conn) => conn,
            ConnRef::Borrowed(conn) => conn,
        }
    }
}

#[derive(Debug)]
pub(crate) enum ConnRef<'c> {
    Owned(Conn),
    Borrowed(&'c mut Conn),
}

/// What a unit of work leaves for its end.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Events to append as the last thing before the commit: their sequence number locks the organization's
    /// row, and all units of work take that lock last and hold it shortly.
    events: Mutex<Vec<NewEvent>>,
    /// Decisions, for the same reason.
    decisions: Mutex<Vec<PendingDecision>>,
    /// Messages the work on which ends: what waits behind them is woken after the commit.
    ended: Mutex<Vec<MessageId>>,
    inbound: AtomicBool,
    outbound: AtomicBool,
}

impl Work {
    pub(crate) fn tell(&self, event: NewEvent) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    pub(crate) fn decide(&self, decision: PendingDecision) {
        self.decisions.lock().unwrap_or_else(PoisonError::into_inner).push(decision);
    }

    /// Whether anything is to be appended.
    pub(crate) fn appends(&self) -> bool {
        !self.events.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
            || !self.decisions.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    pub(crate) fn take_decisions(&self) -> Vec<PendingDecision> {
        std::mem::take(&mut self.decisions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn take_events(&self) -> Vec<NewEvent> {
        std::mem::take(&mut self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn ended(&self, id: MessageId) {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).push(id);
    }

    pub(crate) fn take_ended(&self) -> Vec<MessageId> {
        std::mem::take(&mut self.ended.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn queued_inbound(&self) {
        self.inbound.store(true, Ordering::Relaxed);
    }

    pub(crate) fn queued_outbound(&self) {
        self.outbound.store(true, Ordering::Relaxed);
    }

    /// What those who wait are told of after the commit.
    pub(crate) fn signals(&self) -> impl Iterator<Item = Signal> {
        let inbound = self.inbound.load(Ordering::Relaxed).then_some(Signal::Inbound);
        inbound.into_iter().chain(self.outbound.load(Ordering::Relaxed).then_some(Signal::Outbound))
    }
}
