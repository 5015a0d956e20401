//! Links to message centres (SMPP): one for each account, on one node.
//!
//! The node that holds an account's link says so in the store every few seconds; when it isn't heard of any more,
//! another one takes the link. Texts and receipts that come in by it go the same way as those of webhooks, and are
//! acknowledged after the commit. Held by nodes that send, since replies leave by it.
//!
//! A text is noted before it is stored and crossed out once the message centre is known to have seen its
//! acknowledgement: what a node leaves behind that is killed in between, the next link recognises.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anteroom_carriers::{
    Credentials,
    smpp::{Delivered, Fingerprint, Inbox, Link, NotStored, SmppCredentials},
};
use anteroom_model::{
    ids::{CarrierAccountId, OrganizationId},
    states::LinkState,
    time::Timestamp,
};
use anteroom_store::{Actor, NewEvent, OrgKeys, StoreError};
use futures::{FutureExt, future::BoxFuture};
use metrics::gauge;
use serde_json::json;

use crate::{app::App, ingress, problem::Problem};

/// How often links are looked after.
const EVERY: Duration = Duration::from_millis(500);
/// How long a node that isn't heard of keeps a link.
const LEASE: Duration = Duration::from_secs(20);
/// How often it says that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// A link that could not be kept this long before its lease ends is left, before another node may take it.
const MARGIN: Duration = Duration::from_secs(5);
/// How long a message centre is given to say goodbye.
const GOODBYE: Duration = Duration::from_secs(8);

/// A link of this node.
struct Held {
    organization: OrganizationId,
    credentials: SmppCredentials,
    /// As stored: a change of them is a new link.
    stored: String,
    link: Link,
    inbox: Arc<StoreInbox>,
    /// As last told.
    state: LinkState,
    told_at: Timestamp,
    until: Timestamp,
}

/// Keeps links until the app is told to stop, then says goodbye.
pub async fn run(app: App) {
    let mut held = HashMap::new();
    loop {
        if let Err(error) = look(&app, &mut held).await {
            tracing::error!(%error, "links can't be looked after");
            let now = app.store.now();
            let lost = held.iter().filter(|(_, link)| link.until.minus(MARGIN) <= now).map(|(id, _)| *id);
            for id in lost.collect::<Vec<_>>() {
                leave(&app, &mut held, id).await;
            }
        }
        for held in held.values() {
            held.inbox.cross_out().await;
        }
        measure(&held);
        tokio::select! {
            () = app.stop.cancelled() => break,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
    for id in held.keys().copied().collect::<Vec<_>>() {
        release(&app, &mut held, id).await;
    }
    measure(&held);
}

#[expect(clippy::cast_precision_loss, reason = "a count of links fits 52 bits")]
fn measure(held: &HashMap<CarrierAccountId, Held>) {
    let up = held.values().filter(|held| held.link.is_bound()).count();
    gauge!("anteroom_links", "state" => "up").set(up as f64);
    gauge!("anteroom_links", "state" => "down").set((held.len() - up) as f64);
}

async fn look(app: &App, held: &mut HashMap<CarrierAccountId, Held>) -> Result<(), StoreError> {
    let accounts = app.store.accounts_of_carrier("smpp").await?;
    let gone = held.keys().filter(|id| !accounts.iter().any(|(_, account)| account == *id)).copied();
    for id in gone.collect::<Vec<_>>() {
        release(app, held, id).await;
    }
    for (organization, id) in accounts {
        let entry = app.directory.get(organization).await?;
        let Some(account) = entry.accounts.get(&id) else { continue };
        let Credentials::Smpp(credentials) = &account.credentials else { continue };
        if held.get(&id).is_some_and(|held| held.stored != account.row.credentials) {
            // The message centre may allow one bind only: the old one ends first.
            leave(app, held, id).await;
        }
        let now = app.store.now();
        let (state, told) = match held.get(&id) {
            Some(held) => {
                let state = if held.link.is_bound() { LinkState::Up } else { LinkState::Down };
                if state == held.state && now.since(held.told_at) < HEARTBEAT {
                    continue;
                }
                (state, Some(held.state))
            }
            None => (LinkState::Down, None),
        };
        let until = now.plus(LEASE);
        if !hold(app, organization, id, until, state, told).await? {
            // Another node's: taken while this one was not heard of.
            leave(app, held, id).await;
            continue;
        }
        if let Some(held) = held.get_mut(&id) {
            (held.state, held.told_at, held.until) = (state, now, until);
            continue;
        }
        let inbox = Arc::new(StoreInbox::new(app, organization, id).await?);
        // New each time: it makes the ids of what comes in.
        let session = hex::encode(app.store.ids().secret::<8>());
        let link = app.carriers.links().start(credentials, session, Arc::clone(&inbox) as Arc<dyn Inbox>);
        let stored = account.row.credentials.clone();
        let credentials = credentials.clone();
        let new = Held { organization, credentials, stored, link, inbox, state, told_at: now, until };
        held.insert(id, new);
    }
    Ok(())
}

/// Takes or keeps the link; whether it is this node's.
async fn hold(
    app: &App,
    organization: OrganizationId,
    id: CarrierAccountId,
    until: Timestamp,
    state: LinkState,
    told: Option<LinkState>,
) -> Result<bool, StoreError> {
    let node = app.node;
    app.store
        .write(organization, move |mut org| {
            async move {
                if !org.hold_link(id, node, until, state).await? {
                    return Ok(false);
                }
                if told.is_some_and(|told| told != state) {
                    org.tell(NewEvent {
                        kind: "carrier_account.link",
                        conversation_id: None,
                        actor: Actor::Host,
                        data: json!({ "carrier_account_id": id, "state": state }),
                    });
                }
                Ok(true)
            }
            .boxed()
        })
        .await
}

/// Ends the link here.
async fn leave(app: &App, held: &mut HashMap<CarrierAccountId, Held>, id: CarrierAccountId) {
    let Some(held) = held.remove(&id) else { return };
    app.carriers.links().stop(&held.credentials);
    // A send that is under way keeps its own clone, and ends by itself.
    held.link.close(GOODBYE).await;
    held.inbox.cross_out().await;
}

/// Ends it and lets other nodes take it at once.
async fn release(app: &App, held: &mut HashMap<CarrierAccountId, Held>, id: CarrierAccountId) {
    let Some(organization) = held.get(&id).map(|held| held.organization) else { return };
    leave(app, held, id).await;
    let node = app.node;
    let released: Result<bool, StoreError> = app
        .store
        .write(organization, move |mut org| async move { org.release_link(id, node).await }.boxed())
        .await;
    if let Err(error) = released {
        tracing::warn!(account = %id, %error, "a link was left without saying so; its lease will end");
    }
}

/// Where texts and receipts of a link go.
struct StoreInbox {
    app: App,
    organization: OrganizationId,
    account: CarrierAccountId,
    keys: Arc<OrgKeys>,
    /// To be crossed out.
    settled: Mutex<Vec<String>>,
}

impl StoreInbox {
    async fn new(
        app: &App,
        organization: OrganizationId,
        account: CarrierAccountId,
    ) -> Result<Self, StoreError> {
        let keys = app.store.keys(organization).await?;
        Ok(Self { app: app.clone(), organization, account, keys, settled: Mutex::default() })
    }

    async fn take(&self, delivered: Delivered) -> Result<(), Problem> {
        let Delivered { id, fingerprint, content } = delivered;
        let (app, account) = (&self.app, self.account);
        // A receipt may come as often as it likes.
        if content.as_ref().map_or(true, |inbound| !inbound.messages.is_empty()) {
            let id = id.clone();
            let noted: Result<(), StoreError> = app
                .store
                .write(self.organization, move |mut org| {
                    async move { org.expect_link_delivery(account, &id, &fingerprint).await }.boxed()
                })
                .await;
            noted?;
        }
        match content {
            Ok(inbound) => ingress::take_from_link(app, self.organization, account, inbound).await,
            Err(unread) => ingress::keep_unread(app, self.organization, account, id, &unread).await,
        }
    }

    /// What can't be crossed out now is crossed out later, or recognised once more than it need be.
    async fn cross_out(&self) {
        let settled = mem::take(&mut *self.settled.lock().unwrap_or_else(PoisonError::into_inner));
        if settled.is_empty() {
            return;
        }
        let (account, ids) = (self.account, settled.clone());
        let crossed: Result<(), StoreError> = self
            .app
            .store
            .write(self.organization, move |mut org| {
                async move { org.settle_link_deliveries(account, &ids).await }.boxed()
            })
            .await;
        if let Err(error) = crossed {
            tracing::warn!(%account, %error, "texts that won't come again are still expected");
            self.settled(settled);
        }
    }
}

impl Inbox for StoreInbox {
    fn store(&self, delivered: Delivered) -> BoxFuture<'_, Result<(), NotStored>> {
        async move {
            self.take(delivered).await.map_err(|problem| {
                tracing::warn!(account = %self.account, kind = problem.kind(), "a link's delivery waits");
                NotStored
            })
        }
        .boxed()
    }

    fn fingerprint(&self, identity: &[u8]) -> Fingerprint {
        self.keys.lookup("link_delivery", identity)
    }

    fn doubtful(&self) -> BoxFuture<'_, Result<Vec<(Fingerprint, String)>, NotStored>> {
        async move {
            let read = async {
                self.app.store.read(self.organization).await?.expected_link_deliveries(self.account).await
            };
            read.await.map_err(|error: StoreError| {
                tracing::warn!(account = %self.account, %error, "it can't be read which texts may come again");
                NotStored
            })
        }
        .boxed()
    }

    fn settled(&self, ids: Vec<String>) {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
    }
}
