//! How fast numbers may send. What is beyond is parked, and picked again as the pace allows: confirmations of
//! opt-outs and staff's replies before automatic texts, conversation by conversation.

use std::time::Duration;

use anteroom_model::{
    ids::{NumberId, OrganizationId},
    states::NumberKind,
};
use anteroom_store::{Number, OutboundWork, Pace, StoreError};
use futures::FutureExt;

use crate::{app::App, directory::Entry};

/// How often parked texts are looked at while there are some, and while there are none.
const BUSY: Duration = Duration::from_millis(200);
const IDLE: Duration = Duration::from_secs(1);

/// Texts a minute that carriers let a number of this kind send where nothing else is agreed; 0: any number.
///
/// Toll-free 3 a second, local numbers 1 a second and short codes 100 a second are Twilio's and Bandwidth's defaults
/// (<https://help.twilio.com/articles/115002943027>); more is agreed with the carrier, for local numbers by campaign.
pub(crate) const fn usual_pace(kind: NumberKind) -> u32 {
    match kind {
        NumberKind::TollFree => 180,
        NumberKind::TenDlc => 60,
        NumberKind::ShortCode => 6_000,
        NumberKind::Sandbox => 0,
    }
}

fn pace_of(entry: &Entry, number: &Number) -> Option<Pace> {
    Pace::per_minute(entry.paces.get(&number.id).copied().unwrap_or(usual_pace(number.kind)))
}

/// Whether a text may go now. If not it is parked, and the lease is over.
pub(super) async fn may_send(
    app: &App,
    entry: &Entry,
    number: &Number,
    work: &OutboundWork,
) -> Result<bool, StoreError> {
    // What may be at the carrier already has had its turn.
    let Some(pace) = pace_of(entry, number).filter(|_| !work.picked && !work.in_doubt) else {
        return Ok(true);
    };
    let (id, node, number) = (work.id, app.node, number.id);
    app.store
        .write(work.organization, move |mut org| {
            async move { org.may_send(id, node, number, pace).await }.boxed()
        })
        .await
}

/// Works until the app is told to stop.
pub(crate) async fn run(app: App) {
    let mut wait = IDLE;
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = match pick(&app).await {
            Ok(0) => IDLE,
            Ok(_) => BUSY,
            Err(error) => {
                tracing::error!(%error, "parked texts could not be looked at");
                IDLE
            }
        };
    }
}

/// Picks what may go now; how many numbers have parked texts.
async fn pick(app: &App) -> Result<usize, StoreError> {
    let numbers = app.store.parked_numbers().await?;
    for (organization, number) in &numbers {
        if let Err(error) = pick_of(app, *organization, *number).await {
            tracing::error!(%organization, %error, "a number's parked texts could not be picked");
        }
    }
    Ok(numbers.len())
}

async fn pick_of(app: &App, organization: OrganizationId, id: NumberId) -> Result<(), StoreError> {
    let entry = app.directory.get(organization).await?;
    // Those of a number that is gone are not held back: the gate says what is wrong.
    let pace = entry.numbers.get(&id).and_then(|number| pace_of(&entry, number));
    app.store
        .write(organization, move |mut org| async move { org.pick_parked(id, pace).await }.boxed())
        .await
        .map(drop)
}
