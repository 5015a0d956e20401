//! Pictures and documents of messages: what is known of them. The bytes are in an object store, sealed.
//!
//! The row of one that is still at the carrier is also the queue: `due_at` is when a node should fetch it, and
//! the end of its lease while one does.

use anteroom_model::{
    ids::{CarrierAccountId, MediaId, MessageId, NodeId, OrganizationId, StaffId},
    states::{Direction, MediaState},
    time::Timestamp,
};
use futures::FutureExt;
use sqlx::FromRow;

use crate::{
    MediaItem, Org, OrgKeys, Store, StoreError,
    conn::{execute, fetch_all, fetch_optional, on, twin},
    sql,
};

const SOURCE: &str = "media.source";

/// A picture or document.
#[derive(Clone, Debug, FromRow)]
pub struct Media {
    /// Its id.
    pub id: MediaId,
    /// Of which message; none: it was uploaded and not sent yet.
    pub message_id: Option<MessageId>,
    /// In the message, from 0.
    pub position: i32,
    /// From or to the patient.
    pub direction: Direction,
    /// With whose credentials it is fetched.
    pub carrier_account_id: Option<CarrierAccountId>,
    /// Who uploaded it.
    pub staff_id: Option<StaffId>,
    /// How far it is.
    pub state: MediaState,
    /// Why it is refused or gone: a stable word.
    pub reason: Option<String>,
    /// MIME type, as found in the bytes.
    pub kind: Option<String>,
    /// Size of the original.
    pub bytes: Option<i64>,
    /// Size of the preview, where it has one.
    pub preview_bytes: Option<i64>,
    /// Of the picture as it is looked at, in pixels.
    pub width: Option<i32>,
    /// Likewise.
    pub height: Option<i32>,
    /// Of the attempt that fetched it: names the object.
    pub attempt: i32,
    /// Until when the carrier may fetch it, once it was sent.
    pub link_until: Option<Timestamp>,
    /// When it came or was uploaded.
    pub created_at: Timestamp,
    /// When it was ready, refused or gone.
    pub finished_at: Option<Timestamp>,
}

/// One that a node has leased to fetch it.
#[derive(Clone)]
pub struct MediaWork {
    /// Whose.
    pub organization: OrganizationId,
    /// Which.
    pub id: MediaId,
    /// Of which message.
    pub message_id: Option<MessageId>,
    /// With whose credentials.
    pub carrier_account_id: Option<CarrierAccountId>,
    /// The carrier's link.
    pub source: MediaItem,
    /// From 1.
    pub attempt: i32,
    /// When it came.
    pub created_at: Timestamp,
}

/// What was found in the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaContent {
    /// MIME type.
    pub kind: String,
    /// Size of the original.
    pub bytes: i64,
    /// Size of the preview, where it has one.
    pub preview_bytes: Option<i64>,
    /// Width and height of the picture as it is looked at, in pixels.
    pub size: Option<(i32, i32)>,
}

/// How fetching ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaEnd {
    /// It is in the object store.
    Ready(MediaContent),
    /// It is not taken, with a stable word.
    Refused(&'static str),
    /// The carrier doesn't have it any more, with a stable word.
    Gone(&'static str),
}

impl MediaEnd {
    /// What it then is.
    pub const fn state(&self) -> MediaState {
        match self {
            Self::Ready(_) => MediaState::Ready,
            Self::Refused(_) => MediaState::Refused,
            Self::Gone(_) => MediaState::Gone,
        }
    }

    /// Why.
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Ready(_) => None,
            Self::Refused(reason) | Self::Gone(reason) => Some(*reason),
        }
    }
}

#[derive(FromRow)]
struct WorkRow {
    organization_id: OrganizationId,
    id: MediaId,
    message_id: Option<MessageId>,
    carrier_account_id: Option<CarrierAccountId>,
    source: Option<Vec<u8>>,
    attempt: i32,
    created_at: Timestamp,
}

impl WorkRow {
    fn open(self, keys: &OrgKeys) -> Result<MediaWork, StoreError> {
        Ok(MediaWork {
            source: keys.open_json(SOURCE, self.id.0, self.source.as_deref().unwrap_or_default())?,
            organization: self.organization_id,
            id: self.id,
            message_id: self.message_id,
            carrier_account_id: self.carrier_account_id,
            attempt: self.attempt,
            created_at: self.created_at,
        })
    }
}

impl Store {
    /// Leases up to `limit` that are due to `node` until `until`, those first that have been due longest.
    pub async fn claim_media(
        &self,
        node: NodeId,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<MediaWork>, StoreError> {
        let now = self.now();
        let mut conn = self.reader().await?;
        let found: bool = on!(&mut conn, c => {
            sqlx::query_scalar(sql!("media/claimable")).bind(now).fetch_one(c).await?
        });
        drop(conn);
        if !found {
            return Ok(Vec::new());
        }
        let rows: Vec<WorkRow> = self
            .write_across(move |conn| {
                async move {
                    let query = conn.pick(twin!("media/claim"));
                    on!(conn, c => {
                        let query = sqlx::query_as(query).bind(now).bind(until).bind(node);
                        query.bind(i64::from(limit)).fetch_all(c).await
                    })
                }
                .boxed()
            })
            .await?;
        let mut work = Vec::with_capacity(rows.len());
        for row in rows {
            let (organization, id) = (row.organization_id, row.id);
            match self.keys(organization).await.and_then(|keys| row.open(&keys)) {
                Ok(item) => work.push(item),
                // Its lease ends, and it is looked at again: the key may be right by then.
                Err(error) => tracing::error!(media = %id, %error, "a leased file's link can't be opened"),
            }
        }
        Ok(work)
    }

    /// Gives back what an earlier life of `node` had leased.
    pub async fn release_media(&self, node: NodeId) -> Result<u64, StoreError> {
        let now = self.now();
        self.write_across(move |conn| {
            async move {
                on!(conn, c => {
                    let query = sqlx::query(sql!("media/release")).bind(now).bind(node);
                    query.execute(c).await.map(|done| done.rows_affected())
                })
            }
            .boxed()
        })
        .await
    }

    /// Uploads of before `before` that were never sent.
    pub async fn unsent_media(
        &self,
        before: Timestamp,
    ) -> Result<Vec<(OrganizationId, MediaId)>, StoreError> {
        let mut conn = self.reader().await?;
        Ok(on!(&mut conn, c => sqlx::query_as(sql!("media/unsent")).bind(before).fetch_all(c).await?))
    }
}

impl Org<'_> {
    /// Notes what came with a message, to be fetched at once. Again for the same message, it does nothing.
    pub async fn insert_media(
        &mut self,
        message: MessageId,
        account: CarrierAccountId,
        items: &[MediaItem],
    ) -> Result<(), StoreError> {
        let now = self.now;
        for (position, item) in (0_i32..).zip(items) {
            let id: MediaId = self.new_id();
            let source = self.keys.seal_json(SOURCE, id.0, item)?;
            execute!(self, "media/insert", id, message, position, account, source, now);
        }
        Ok(())
    }

    /// Notes what staff uploaded, once its bytes are in the object store.
    pub async fn insert_media_upload(
        &mut self,
        id: MediaId,
        staff: StaffId,
        content: &MediaContent,
    ) -> Result<(), StoreError> {
        let now = self.now;
        let (width, height) = content.size.unzip();
        execute!(
            self,
            "media/upload",
            id,
            staff,
            content.kind.as_str(),
            content.bytes,
            content.preview_bytes,
            width,
            height,
            now
        );
        Ok(())
    }

    /// One.
    pub async fn media(&mut self, id: MediaId) -> Result<Option<Media>, StoreError> {
        Ok(fetch_optional!(self, Media, "media/get", id))
    }

    /// Those of a message, in their order.
    pub async fn media_of(&mut self, message: MessageId) -> Result<Vec<Media>, StoreError> {
        Ok(fetch_all!(self, Media, "media/of_message", message))
    }

    /// Ends the fetching. `false`: the lease was lost, somebody else does it.
    pub async fn finish_media(
        &mut self,
        id: MediaId,
        node: NodeId,
        end: &MediaEnd,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        let content = if let MediaEnd::Ready(content) = end { Some(content) } else { None };
        let (width, height) = content.and_then(|content| content.size).unzip();
        let ended = execute!(
            self,
            "media/finish",
            id,
            node,
            end.state(),
            end.reason(),
            content.map(|content| content.kind.as_str()),
            content.map(|content| content.bytes),
            content.and_then(|content| content.preview_bytes),
            width,
            height,
            now
        );
        Ok(ended > 0)
    }

    /// Gives it back, to be tried again at `due_at`. `false`: the lease was lost.
    pub async fn postpone_media(
        &mut self,
        id: MediaId,
        node: NodeId,
        due_at: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "media/postpone", id, node, due_at) > 0)
    }

    /// Makes an upload of `staff`'s the part of `message` at `position`. `false`: there is no such upload, or it
    /// went with another message.
    pub async fn attach_media(
        &mut self,
        id: MediaId,
        message: MessageId,
        position: i32,
        staff: StaffId,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "media/attach", id, message, position, staff) > 0)
    }

    /// Says until when the carrier may fetch what goes with `message`, unless that was said before.
    pub async fn link_media(&mut self, message: MessageId, until: Timestamp) -> Result<(), StoreError> {
        execute!(self, "media/link", message, until);
        Ok(())
    }

    /// The carrier has fetched it.
    pub async fn media_fetched(&mut self, id: MediaId) -> Result<(), StoreError> {
        execute!(self, "media/fetched", id);
        Ok(())
    }

    /// Says that the object store lacks a file that was there, with a stable word. `false`: it was said already.
    pub async fn media_lost(
        &mut self,
        id: MediaId,
        attempt: i32,
        reason: &'static str,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "media/lost", id, attempt, reason) > 0)
    }

    /// Takes that back.
    pub async fn media_found(
        &mut self,
        id: MediaId,
        attempt: i32,
        reason: &'static str,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "media/found", id, attempt, reason) > 0)
    }

    /// Drops an upload that was never sent. `false`: it was, meanwhile.
    pub async fn forget_media(&mut self, id: MediaId) -> Result<bool, StoreError> {
        Ok(execute!(self, "media/forget", id) > 0)
    }
}
