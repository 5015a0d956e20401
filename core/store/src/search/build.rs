//! Making segments of what events tell of.

use std::collections::{BTreeSet, HashMap};

use anteroom_model::{
    ids::OrganizationId,
    words::{self, BEGINNING},
};
use futures::FutureExt;
use sqlx::{Postgres, QueryBuilder, Sqlite};

use super::{
    Item, ItemRow, SEGMENT, SPAN,
    block::{self, BUCKETS, Block},
    block_row, number_word, phone_word,
    read::{Opened, ROWS},
    segment_row,
};
use crate::{
    Org, Store, StoreError,
    conn::{Conn, execute, fetch_all, fetch_optional, on},
    patients, sql,
};

/// An organization whose texts may be enough for a segment.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct TextsToIndex {
    /// Which.
    #[sqlx(rename = "id")]
    pub organization: OrganizationId,
    /// The last event that a segment covers.
    pub until_seq: i64,
    /// The last event.
    pub event_seq: i64,
}

/// A segment to be written, sealed.
struct Sealed {
    segment: i64,
    until: i64,
    items: Vec<u8>,
    blocks: Vec<(u8, Vec<u8>)>,
}

impl Store {
    /// Organizations with texts and notes that no segment covers, where they may be enough for one.
    pub async fn texts_to_index(&self) -> Result<Vec<TextsToIndex>, StoreError> {
        let mut conn = self.reader().await?;
        let least = i64::from(SEGMENT);
        Ok(on!(&mut conn, c => sqlx::query_as(sql!("search/waiting")).bind(least).fetch_all(c).await?))
    }

    /// Makes the next segment of an organization. `false`: too little for one has come since the last.
    ///
    /// Which events it covers follows from those before it: of several nodes that make it at once, one writes it.
    pub async fn index_texts(&self, organization: OrganizationId) -> Result<bool, StoreError> {
        let mut org = self.read(organization).await?;
        let sealed = org.next_segment().await?;
        drop(org);
        let Some(sealed) = sealed else { return Ok(false) };
        let written = self
            .write(organization, move |mut org| async move { org.insert_segment(sealed).await }.boxed())
            .await;
        match written {
            // Another node was faster.
            Err(StoreError::Conflict) => Ok(true),
            written => written.map(|()| true),
        }
    }
}

impl Org<'_> {
    async fn next_segment(&mut self) -> Result<Option<Sealed>, StoreError> {
        let covered = self.indexed_until().await?;
        let (_, last) = self.event_bounds().await?;
        let (segment, span_end) = (covered + 1, covered + SPAN);
        let rows = fetch_all!(self, ItemRow, "search/items_after", covered, span_end, i64::from(SEGMENT));
        let until = match rows.last() {
            Some(row) if rows.len() == usize::from(SEGMENT) => row.seq,
            _ if last >= span_end => span_end,
            _ => return Ok(None),
        };
        let items: Vec<Item> =
            rows.iter().filter_map(|row| self.open_item(row).transpose()).collect::<Result<_, _>>()?;
        let blocks = self.blocks(&items).await?;
        let keys = self.keys.clone();
        let row = segment_row(segment);
        let sealed = Sealed {
            segment,
            until,
            items: keys.seal("search_segments.items", row, &block::write_items(&items, segment))?,
            blocks: (0..BUCKETS)
                .zip(&blocks)
                .map(|(bucket, block)| {
                    let row = block_row(bucket, segment);
                    Ok((bucket, keys.seal("search_blocks.entries", row, &block.bytes())?))
                })
                .collect::<Result<_, StoreError>>()?,
        };
        Ok(Some(sealed))
    }

    /// The words of `items`, each in its block.
    async fn blocks(&mut self, items: &[Item]) -> Result<Vec<Block>, StoreError> {
        let keys = self.keys.clone();
        let mut blocks: Vec<Block> =
            std::iter::repeat_with(Block::default).take(usize::from(BUCKETS)).collect();
        // Few beginnings are most of all words.
        let mut buckets: HashMap<String, u8> = HashMap::new();
        let mut places = (0_u16..).zip(items);
        for chunk in items.chunks(ROWS) {
            for (item, opened) in self.open_items(chunk).await? {
                let Some((place, _)) = places.by_ref().find(|(_, other)| **other == item) else { break };
                for word in found_by(&opened) {
                    let beginning = words::beginning(&word, BEGINNING);
                    let bucket = if let Some(bucket) = buckets.get(beginning) {
                        *bucket
                    } else {
                        let bucket = block::bucket(&keys, &word);
                        *buckets.entry(beginning.to_owned()).or_insert(bucket)
                    };
                    blocks[usize::from(bucket)].insert(word, place);
                }
            }
        }
        Ok(blocks)
    }

    async fn insert_segment(&mut self, sealed: Sealed) -> Result<(), StoreError> {
        let Sealed { segment, until, items, blocks } = sealed;
        execute!(self, "search/insert_segment", segment, until, items);
        let organization = self.organization;
        macro_rules! insert {
            ($engine:ty, $c:expr) => {{
                let mut query = QueryBuilder::<$engine>::new(sql!("search/insert_blocks"));
                query.push_values(&blocks, |mut values, (bucket, entries)| {
                    let bucket = i32::from(*bucket);
                    values
                        .push_bind(organization)
                        .push_bind(bucket)
                        .push_bind(segment)
                        .push_bind(entries.as_slice());
                });
                query.build().execute(&mut **$c).await?;
            }};
        }
        match self.conn() {
            Conn::Sqlite(c) => insert!(Sqlite, c),
            Conn::Postgres(c) => insert!(Postgres, c),
        }
        Ok(())
    }

    /// The last event that a segment covers; 0 where there is none.
    pub(super) async fn indexed_until(&mut self) -> Result<i64, StoreError> {
        Ok(fetch_optional!(self, (i64,), "search/indexed_until").map_or(0, |(until,)| until))
    }
}

/// The words by which something is found.
fn found_by(opened: &Opened) -> BTreeSet<String> {
    match opened {
        Opened::Text(text) => words::kept(&text.body),
        Opened::Note(note) => words::kept(&note.body),
        Opened::Peer(peer) => {
            let tail = patients::tail(&peer.phone).map(phone_word);
            tail.into_iter().chain([number_word(peer.number)]).collect()
        }
    }
}
