//! What goes with a text: links by which the carrier fetches it.

use std::time::Duration;

use anteroom_store::{OutboundWork, StoreError};
use futures::FutureExt;

use crate::{app::App, media::links};

/// How long a carrier may fetch, from the first attempt to send: texts are given up after a day, and carriers that
/// keep one waiting fetch when its turn comes.
const GOOD_FOR: Duration = Duration::from_hours(3 * 24);

/// Links to the files of a text, in their order. The same for every attempt, to the byte: a carrier that knows a
/// text again by our id compares the whole request.
pub(super) async fn links(
    app: &App,
    work: &OutboundWork,
    public_url: &str,
) -> Result<Vec<String>, StoreError> {
    let (message, organization) = (work.id, work.organization);
    let mut org = app.store.read(organization).await?;
    let mut files = org.media_of(message).await?;
    if files.is_empty() {
        return Ok(Vec::new());
    }
    if files.iter().any(|file| file.link_until.is_none()) {
        drop(org);
        files = app
            .store
            .write(organization, move |mut org| {
                async move {
                    let until = org.now().plus(GOOD_FOR);
                    org.link_media(message, until).await?;
                    org.media_of(message).await
                }
                .boxed()
            })
            .await?;
    }
    let keys = app.store.keys(organization).await?;
    let base = links::public_base(public_url);
    let link = |file: &anteroom_store::Media| {
        let token = links::token(&keys, organization, file.id, file.link_until?);
        Some(format!("{base}/media/{token}"))
    };
    Ok(files.iter().filter_map(link).collect())
}
