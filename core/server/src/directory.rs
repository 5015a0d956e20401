//! Organizations' set-up, cached: accounts, numbers, teams, facilities, bindings.
//!
//! Read often and changed rarely. An entry is read again a second after it was read, so a change made by
//! another node is seen within that time, and mostly at once, since nodes tell each other
//! ([`Directory::forget`]).

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anteroom_carriers::{CarrierKind, Credentials};
use anteroom_model::{
    hours::Schedule,
    ids::{CarrierAccountId, FacilityId, NumberId, OrganizationId},
    time::Timestamp,
};
use anteroom_store::{
    Binding, CarrierAccount, Facility, Number, NumberRegistration, Organization, Store, StoreError, Team,
};
use tokio::sync::broadcast::error::RecvError;

use crate::app::App;

/// How long an entry is used.
const FRESH: Duration = Duration::from_secs(1);

/// The cache.
#[derive(Debug)]
pub struct Directory {
    store: Store,
    entries: RwLock<HashMap<OrganizationId, Arc<Entry>>>,
    owners: RwLock<HashMap<CarrierAccountId, OrganizationId>>,
    reading: tokio::sync::Mutex<()>,
}

/// One organization's set-up at a moment.
#[derive(Debug)]
pub struct Entry {
    /// The organization.
    pub organization: Organization,
    /// Its facilities with their schedules.
    pub facilities: Vec<(Facility, Schedule)>,
    /// Its teams.
    pub teams: Vec<Team>,
    /// Its numbers.
    pub numbers: HashMap<NumberId, Number>,
    /// What is known of their registrations.
    pub registrations: HashMap<NumberId, NumberRegistration>,
    /// Numbers by their address.
    pub addresses: HashMap<String, NumberId>,
    /// Its carrier accounts.
    pub accounts: HashMap<CarrierAccountId, Account>,
    /// Its bindings, in the order of their chains.
    pub bindings: Vec<Binding>,
    /// Texts a minute by number, where they were set; 0: not paced.
    pub paces: HashMap<NumberId, u32>,
    read_at: Timestamp,
}

/// A carrier account with its credentials read.
#[derive(Clone, Debug)]
pub struct Account {
    /// As stored.
    pub row: CarrierAccount,
    /// Its credentials.
    pub credentials: Credentials,
}

impl Entry {
    /// Where the organization's days are counted (IANA name): as it says, else as at its first facility.
    pub fn time_zone(&self) -> &str {
        if let Some(zone) = &self.organization.settings.time_zone {
            return zone;
        }
        self.facilities.first().map_or("UTC", |(facility, _)| &facility.time_zone)
    }

    /// The facility of that id.
    pub fn facility(&self, id: FacilityId) -> Option<&(Facility, Schedule)> {
        self.facilities.iter().find(|(facility, _)| facility.id == id)
    }
}

/// Drops what other nodes have changed, as they say so, until the app is told to stop.
pub async fn follow(app: App) {
    let mut changed = app.store.setup_wakes();
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            heard = changed.recv() => match heard {
                Ok(organization) => app.directory.forget_here(organization),
                // Missed some: entries grow old by themselves.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
        }
    }
}

impl Directory {
    /// An empty cache over `store`.
    pub fn new(store: Store) -> Self {
        let (entries, owners, reading) = Default::default();
        Self { store, entries, owners, reading }
    }

    /// The set-up of `organization`, at most a second old.
    pub async fn get(&self, organization: OrganizationId) -> Result<Arc<Entry>, StoreError> {
        if let Some(entry) = self.fresh(organization) {
            return Ok(entry);
        }
        // One reads, the others wait for it.
        let _reading = self.reading.lock().await;
        if let Some(entry) = self.fresh(organization) {
            return Ok(entry);
        }
        let entry = Arc::new(self.read(organization).await?);
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.insert(organization, entry.clone());
        Ok(entry)
    }

    /// Whose account this is.
    pub async fn owner(&self, account: CarrierAccountId) -> Result<Option<OrganizationId>, StoreError> {
        let known = self.owners.read().unwrap_or_else(PoisonError::into_inner).get(&account).copied();
        if known.is_some() {
            return Ok(known);
        }
        let owner = self.store.account_owner(account).await?;
        if let Some(owner) = owner {
            self.owners.write().unwrap_or_else(PoisonError::into_inner).insert(account, owner);
        }
        Ok(owner)
    }

    /// Something of `organization` has changed: drops what is known of it, on every node.
    pub fn forget(&self, organization: OrganizationId) {
        self.forget_here(organization);
        self.store.setup_changed(organization);
    }

    fn forget_here(&self, organization: OrganizationId) {
        self.entries.write().unwrap_or_else(PoisonError::into_inner).remove(&organization);
    }

    fn fresh(&self, organization: OrganizationId) -> Option<Arc<Entry>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(&organization)?;
        (self.store.now().since(entry.read_at) < FRESH).then(|| entry.clone())
    }

    async fn read(&self, id: OrganizationId) -> Result<Entry, StoreError> {
        let mut org = self.store.read(id).await?;
        let organization = org.organization_row().await?.ok_or(StoreError::NoOrganization)?;
        let corrupt = |column, reason: String| StoreError::Corrupt { column, reason };
        let mut facilities = Vec::new();
        for facility in org.facilities().await? {
            let schedule = Schedule::new(&facility.time_zone, &facility.hours)
                .map_err(|error| corrupt("facilities.hours", error.to_string()))?;
            facilities.push((facility, schedule));
        }
        let mut accounts = HashMap::new();
        for row in org.accounts().await? {
            let carrier: CarrierKind =
                row.carrier.parse().map_err(|_| corrupt("carrier_accounts.carrier", row.carrier.clone()))?;
            let credentials = Credentials::from_json(carrier, row.credentials.as_bytes())
                .map_err(|error| corrupt("carrier_accounts.credentials", error.to_string()))?;
            accounts.insert(row.id, Account { row, credentials });
        }
        let numbers: HashMap<_, _> =
            org.numbers().await?.into_iter().map(|number| (number.id, number)).collect();
        let registrations = org.registrations().await?;
        Ok(Entry {
            organization,
            facilities,
            teams: org.teams().await?,
            addresses: numbers.values().map(|number| (number.address.clone(), number.id)).collect(),
            numbers,
            registrations: registrations.into_iter().map(|known| (known.number_id, known)).collect(),
            accounts,
            bindings: org.bindings().await?,
            paces: org.paces().await?,
            read_at: org.now(),
        })
    }
}
