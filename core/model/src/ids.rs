//! Every id is a type of its own, and every new one comes from [`Ids`].

use std::{
    fmt,
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Timestamp;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
        #[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
        pub struct $name(pub Uuid);

        impl $name {
            /// Before every id: where a page upwards begins.
            pub const LEAST: Self = Self(Uuid::nil());
            /// After every id: where a page downwards begins.
            pub const GREATEST: Self = Self(Uuid::max());
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

ids! {
    /// A tenant.
    OrganizationId,
    /// A location of an organization.
    FacilityId,
    /// A group of staff.
    TeamId,
    /// A member of staff.
    StaffId,
    /// An API token.
    TokenId,
    /// An organization's account with a carrier.
    CarrierAccountId,
    /// One of the clinic's numbers.
    NumberId,
    /// A webhook request that could not be taken.
    DeliveryId,
    /// A patient's profile or placeholder.
    PatientId,
    /// Two records of the directory made one.
    MergeId,
    /// Who may speak for a patient.
    CaregiverId,
    /// A change of the directory.
    ChangeId,
    /// One patient's thread on one number.
    ConversationId,
    /// A component that was sent to be a policy.
    PolicyUploadId,
    /// A key whose signatures an organization trusts.
    SigningKeyId,
    /// Something an organization's administrators must know of.
    NoticeId,
    /// An inbound or outbound message.
    MessageId,
    /// A text to be sent later.
    ScheduledTextId,
    /// A picture or document of a message, or one that is about to be sent.
    MediaId,
    /// An internal note.
    NoteId,
    /// A queue with filters, saved under a name.
    ViewId,
    /// A question to whoever runs Anteroom.
    TicketId,
    /// What was said in a ticket.
    TicketMessageId,
    /// A version of a policy: a component plus its manifest.
    PolicyId,
    /// What binds a policy version to a hook.
    BindingId,
    /// The record of one policy call.
    DecisionId,
    /// A candidate tried on recorded decisions.
    BacktestId,
    /// One verification of a texter.
    VerificationId,
    /// Where lists of patients come from.
    RosterSourceId,
    /// One list of patients on its way into the directory.
    RosterRunId,
    /// A patient's STOP.
    OptOutId,
    /// An entry of the audit log.
    AuditId,
    /// Where a program of an organization is told what happens.
    WebhookId,
    /// One try to tell it.
    WebhookAttemptId,
    /// One running process, as the holder of leases.
    NodeId,
    /// One HTTP request, in answers and logs.
    RequestId,
}

/// The source of new ids and secrets: UUID v7 from a clock that is passed in and a generator seeded once
/// (from the operating system in the product, from a constant in tests).
///
/// Ids made by one process strictly increase, also within one millisecond, so that sorting messages by id
/// keeps the order in which they were stored.
#[derive(Debug)]
pub struct Ids(Mutex<State>);

#[derive(Debug)]
struct State {
    rng: StdRng,
    millis: u64,
    counter: u16,
}

/// Twelve bits, what UUID v7 leaves beside the version in `rand_a`.
const COUNTER_BITS: u16 = 0x0fff;

impl Ids {
    /// A generator seeded with `seed`.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Mutex::new(State { rng: StdRng::from_seed(seed), millis: 0, counter: 0 }))
    }

    /// The next id of type `T`, larger than every one before.
    pub fn next<T: From<Uuid>>(&self, now: Timestamp) -> T {
        let mut state = self.state();
        let millis = now.millis();
        if millis > state.millis {
            state.millis = millis;
            // Starts low, so that a burst within the millisecond has room to count up.
            state.counter = u16::try_from(state.rng.next_u32() & 0xff).unwrap_or(0);
        } else if state.counter < COUNTER_BITS {
            state.counter += 1;
        } else {
            // Over 4,096 in a millisecond, or a clock set back: borrow from the next millisecond.
            state.millis += 1;
            state.counter = 0;
        }
        let mut bytes = [0; 10];
        state.rng.fill_bytes(&mut bytes);
        let [high, low] = state.counter.to_be_bytes();
        bytes[0] = high;
        bytes[1] = low;
        T::from(uuid::Builder::from_unix_timestamp_millis(state.millis, &bytes).into_uuid())
    }

    /// `N` bytes fit for secrets.
    pub fn secret<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.state().rng.fill_bytes(&mut bytes);
        bytes
    }

    /// A number fit for choosing among readable names and for jitter.
    pub fn number(&self) -> u64 {
        self.state().rng.next_u64()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_increase_within_a_millisecond_and_when_the_clock_steps_back() {
        let ids = Ids::from_seed([7; 32]);
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let mut last: MessageId = ids.next(now);
        for n in 0..10_000 {
            let back = now.minus(std::time::Duration::from_millis(n % 3));
            let next = ids.next(back);
            assert!(next > last);
            last = next;
        }
    }

    #[test]
    fn ids_are_version_7_and_read_back() {
        let id: StaffId = Ids::from_seed([1; 32]).next(Timestamp::from_micros(1_795_000_000_000_000));
        assert_eq!(id.0.get_version_num(), 7);
        assert_eq!(id.to_string().parse::<StaffId>().unwrap(), id);
    }
}
