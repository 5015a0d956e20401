//! A connection bound to one organization.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anteroom_model::{
    ids::{Ids, OrganizationId},
    time::Timestamp,
};

use crate::{conn::Conn, seal::OrgKeys};

/// One organization's rows, within a transaction when it comes from [`crate::Store::write`]. Each table
/// family adds its queries in a module of its own.
#[derive(Debug)]
pub struct Org<'c> {
    pub(crate) conn: ConnRef<'c>,
    pub(crate) organization: OrganizationId,
    pub(crate) keys: Arc<OrgKeys>,
    pub(crate) ids: Arc<Ids>,
    pub(crate) now: Timestamp,
    pub(crate) wakes: Arc<Wakes>,
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

/// What a write made that somebody waits for; they are woken after the commit.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    pub(crate) events: AtomicBool,
    pub(crate) outbound: AtomicBool,
}

impl Wakes {
    pub(crate) fn set(flag: &AtomicBool) {
        flag.store(true, Ordering::Relaxed);
    }
}
