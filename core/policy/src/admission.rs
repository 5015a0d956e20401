//! Who may run now: so many calls of one organization, so many of all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anteroom_model::ids::OrganizationId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// Organizations remembered before idle ones are forgotten.
const REMEMBERED: usize = 1024;
/// Between two tries of a thread that can't wait asynchronously.
const PAUSE: Duration = Duration::from_micros(500);

/// Bounds the calls that run at once, so that no organization takes another's places.
pub(crate) struct Admission {
    all: Arc<Semaphore>,
    spare: Arc<Semaphore>,
    per_organization: usize,
    organizations: Mutex<HashMap<OrganizationId, Arc<Semaphore>>>,
}

/// A place; given back when dropped.
pub(crate) struct Place {
    _organization: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Admission {
    pub(crate) fn new(all: usize, per_organization: usize, spare: usize) -> Self {
        let [all, spare] = [all, spare].map(|places| Arc::new(Semaphore::new(places)));
        Self { all, spare, per_organization, organizations: Mutex::new(HashMap::new()) }
    }

    /// Waits for one of the places that calls can't take; for work that nobody's patient waits for.
    pub(crate) fn spare_blocking(&self) -> OwnedSemaphorePermit {
        loop {
            if let Ok(place) = Arc::clone(&self.spare).try_acquire_owned() {
                return place;
            }
            thread::sleep(PAUSE);
        }
    }

    /// Waits at most `wait` for a place; `None` is overload.
    pub(crate) async fn enter(&self, organization: OrganizationId, wait: Duration) -> Option<Place> {
        if let Some(place) = self.try_enter(organization) {
            return Some(place);
        }
        let own = self.organization(organization);
        let waited = tokio::time::timeout(wait, async {
            // One's own place first: an organization that waits for it holds none of everybody's.
            let organization = own.acquire_owned().await.ok()?;
            let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
            Some(Place { _organization: organization, _all: all })
        });
        waited.await.ok().flatten()
    }

    /// The same on a thread that may block.
    pub(crate) fn enter_blocking(&self, organization: OrganizationId, wait: Duration) -> Option<Place> {
        let started = Instant::now();
        loop {
            if let Some(place) = self.try_enter(organization) {
                return Some(place);
            }
            if started.elapsed() >= wait {
                return None;
            }
            thread::sleep(PAUSE);
        }
    }

    fn try_enter(&self, organization: OrganizationId) -> Option<Place> {
        let free = |tried: Result<OwnedSemaphorePermit, TryAcquireError>| tried.ok();
        let organization = free(self.organization(organization).try_acquire_owned())?;
        let all = free(Arc::clone(&self.all).try_acquire_owned())?;
        Some(Place { _organization: organization, _all: all })
    }

    fn organization(&self, organization: OrganizationId) -> Arc<Semaphore> {
        let mut organizations = self.organizations.lock().unwrap_or_else(PoisonError::into_inner);
        if organizations.len() >= REMEMBERED && !organizations.contains_key(&organization) {
            // Held by nobody but this map: nobody runs, nobody waits.
            organizations.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        }
        let semaphore = organizations
            .entry(organization)
            .or_insert_with(|| Arc::new(Semaphore::new(self.per_organization)));
        Arc::clone(semaphore)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_TIME: Duration = Duration::ZERO;

    fn organization(number: u128) -> OrganizationId {
        uuid::Uuid::from_u128(number).into()
    }

    #[test]
    fn places_are_bounded_per_organization_and_in_all() {
        let admission = Admission::new(3, 2, 1);
        let enter = |number| admission.enter_blocking(organization(number), NO_TIME);
        let first = enter(1).unwrap();
        let _second = enter(1).unwrap();
        assert!(enter(1).is_none(), "a third of two");
        let _other = enter(2).unwrap();
        assert!(enter(3).is_none(), "a fourth of three");
        drop(first);
        assert!(enter(3).is_some());
        assert!(enter(1).is_some());
    }

    #[tokio::test]
    async fn waiting_ends_with_a_place_or_with_overload() {
        let admission = Arc::new(Admission::new(1, 1, 1));
        let held = admission.enter(organization(1), NO_TIME).await.unwrap();
        assert!(admission.enter(organization(1), Duration::from_millis(5)).await.is_none());
        assert!(admission.enter(organization(2), Duration::from_millis(5)).await.is_none());
        let waiting = {
            let admission = Arc::clone(&admission);
            tokio::spawn(
                async move { admission.enter(organization(1), Duration::from_mins(1)).await.is_some() },
            )
        };
        tokio::task::yield_now().await;
        drop(held);
        assert!(waiting.await.unwrap());
    }

    #[test]
    fn idle_organizations_are_forgotten_and_busy_ones_are_not() {
        let admission = Admission::new(10, 1, 1);
        let _busy = admission.enter_blocking(organization(0), NO_TIME).unwrap();
        for number in 1..3_000 {
            drop(admission.enter_blocking(organization(number), NO_TIME).unwrap());
        }
        assert!(admission.organizations.lock().unwrap().len() <= REMEMBERED);
        assert!(admission.enter_blocking(organization(0), NO_TIME).is_none());
    }
}
