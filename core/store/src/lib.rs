//! The store: rows, queries and sealed columns.
//!
//! # How it is laid out
//!
//! - [`Store`] owns the database. [`Store::read`] and [`Store::write`] hand out an [`Org`]: a connection
//!   bound to one organization, with its keys. Every query of a table family is a method of `Org`, in that
//!   family's module, so a query can't forget whose rows it may touch.
//! - Queries are files under `queries/`, with `$1` placeholders that both engines understand; `sql!`
//!   includes them and a test prepares each one. `on!` runs the same body on whichever engine is open.
//! - Writes are group-committed: closures waiting at the same time share one transaction and one flush to
//!   disk, each behind a savepoint of its own (see `writer`). [`Store::write`] returns after the commit.
//! - [`transfer`] copies a whole database: to the other engine, into a backup, out of one.
//! - Sealed columns go through [`seal::OrgKeys`]; look-ups through its keyed hashes.
//!
//! # To add a table
//!
//! A migration with the same number and name in each folder of `migrations/`, keyed by organization; a
//! module here with a row type and methods of `Org`; its queries under `queries/<module>/`. [`transfer`] finds it in the
//! catalog; a type of column that is new has to be added there.

mod accounts;
mod among;
mod append;
mod audit;
mod backtests;
mod chain;
mod checkpoint;
mod conn;
mod conversations;
mod decisions;
mod deliveries;
mod drafts;
mod early_receipts;
mod error;
mod events;
mod idempotency;
mod inbound;
mod links;
mod looks;
mod media;
mod mentions;
mod messages;
mod notes;
mod notices;
mod opt_outs;
mod org;
mod organizations;
mod overviews;
mod pace;
mod parts;
mod patients;
mod places;
mod planner;
mod policies;
mod policy_health;
mod postgres;
mod preferences;
mod queue;
mod queues;
mod reconciliations;
mod redact;
mod registrations;
mod reports;
mod revocations;
mod roster;
mod scheduled;
pub mod seal;
mod search;
mod signals;
mod signing;
mod sqlite;
mod staff;
mod staff_access;
mod store;
mod support;
pub mod transfer;
mod uploads;
mod verifications;
mod views;
mod webhooks;
mod writer;

pub use accounts::{CarrierAccount, NewCarrierAccount, NewNumber, Number};
pub use audit::{AuditEntry, NewAudit};
pub use backtests::{Backtest, BacktestState, NewBacktest, TurnWindow, Turns};
pub use chain::{Broken, ChainEnd, Hash, Verified};
pub use conversations::{Conversation, ConversationChange, Exchange};
pub use decisions::{Decision, DecisionFilter, NewDecision};
pub use deliveries::{DeliveryContent, KeptDelivery, LinkOctets, LinkText, NewKeptDelivery, RawDelivery};
pub use drafts::Draft;
pub use early_receipts::EarlyReceipt;
pub use error::StoreError;
pub use events::{Actor, Event, NewEvent};
pub use idempotency::Idempotent;
pub use inbound::{NewInbound, Received};
pub use links::CarrierLink;
pub use looks::Marks;
pub use media::{Media, MediaContent, MediaEnd, MediaWork};
pub use mentions::Mention;
pub use messages::{Extra, MediaItem, Message, NewOutbound, ReceiptMatch};
pub use notes::Note;
pub use notices::Notice;
pub use opt_outs::{NewOptOut, OptOut};
pub use org::Org;
pub use organizations::{
    IdentityLimits, IdentityRules, NumberIdentityRules, Organization, OrganizationSettings, PolicyRules,
};
pub use overviews::Overview;
pub use pace::Pace;
pub use parts::WaitingText;
pub use patients::{
    By, Caregiver, Contact, Deleted, Deletion, ExternalId, Found, Merge, MergeRefusal, Merged, NewPatient,
    Patient, PatientChange, PatientWord, Phone, PhoneOwnership, Profile, Record, RecordChange, SearchPage,
    SearchPosition, UndoRefusal, Undone, Upserted,
};
pub use places::{Facility, Team};
pub use policies::{Binding, Canary, NewBinding, NewPolicy, PolicyRow, Retired};
pub use policy_health::CallCost;
pub use preferences::{Alerts, Preferences, Theme};
pub use queue::{Claimed, InboundWork, OutboundWork, SendEnd};
pub use queues::{Filters, Queue, QueueCounts};
pub use reconciliations::{ReconcileEnd, ReconcileWork, Reconciliation};
pub use registrations::NumberRegistration;
pub use reports::{
    CountKey, Drawn, KeyCount, Place, QuarterCount, ReportFilter, Span, SpanTimes, WaitingCount,
};
pub use revocations::Revocation;
pub use roster::{
    Applied, Checkpoint, EntryKey, FileState, Looked, NewRosterRun, NewRosterSource, NewRow, ReportPart,
    ReportRow, RosterEntry, RosterFile, RosterMembership, RosterOf, RosterOrigin, RosterOutcome, RosterPhase,
    RosterRun, RosterSecrets, RosterSource, RosterState, RunProblem, Tally,
};
pub use scheduled::{MOST_SCHEDULED, NewScheduledText, ScheduledText};
pub use seal::{MasterKey, OrgKeys};
pub use search::{TextFilter, TextFound, TextHit, TextPage, TextSearch, TextsToIndex};
pub use signals::Whisper;
pub use signing::{PolicySignature, SigningKey};
pub use staff::{NewStaff, Session, Staff, Token};
pub use staff_access::{OpenSession, StaffLink};
pub use store::{OldestDue, Store, StoreOptions};
pub use support::{MailEnd, MailWork, Ticket, TicketContent, TicketMessage};
pub use uploads::{PolicyUpload, UploadEnd};
pub use verifications::{Attempts, Claimed as ClaimedIdentity, OutcomeCount, Verification, VerificationLock};
pub use views::{SavedView, ViewContent};
pub use webhooks::{
    NewWebhookAttempt, PreviousSecret, Webhook, WebhookAttempt, WebhookBacklog, WebhookSetup,
};

/// The SQL of a query file, relative to `core/store/queries`, without its ending.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/queries/", $name, ".sql"))
    };
}
pub(crate) use sql;
