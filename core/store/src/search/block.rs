//! What is kept of a segment, as bytes: its items, and blocks of words.

use std::collections::BTreeMap;

use anteroom_model::{
    ids::{ConversationId, MessageId, NoteId},
    words::{self, BEGINNING, Wanted},
};
use uuid::Uuid;

use super::{Item, ItemId, SEGMENT};
use crate::{OrgKeys, StoreError};

/// Blocks of a segment.
pub(super) const BUCKETS: u8 = 64;
/// Blocks grow by as many bytes, so that their size tells little of what is in them.
const STEP: usize = 128;

/// Which block a word is in. Words that begin alike are in the same one.
pub(super) fn bucket(keys: &OrgKeys, word: &str) -> u8 {
    keys.lookup("search_bucket", words::beginning(word, BEGINNING))[0] % BUCKETS
}

/// Places of a segment: which of its items have something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Places([u64; SEGMENT as usize / 64]);

impl Places {
    pub(super) const ALL: Self = Self([u64::MAX; SEGMENT as usize / 64]);

    pub(super) fn insert(&mut self, place: u16) {
        if let Some(word) = self.0.get_mut(usize::from(place / 64)) {
            *word |= 1 << (place % 64);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn or(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
        self
    }

    pub(super) fn and(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word &= other);
        self
    }

    /// Those in it, the last first.
    pub(super) fn newest_first(self) -> impl Iterator<Item = u16> {
        (0..SEGMENT).rev().filter(move |place| self.0[usize::from(place / 64)] >> (place % 64) & 1 == 1)
    }
}

/// Words with their places; written as the length of the word, the word, the number of places, each place.
#[derive(Default)]
pub(super) struct Block(BTreeMap<String, Vec<u16>>);

impl Block {
    /// `places` come in their order.
    pub(super) fn insert(&mut self, word: String, place: u16) {
        self.0.entry(word).or_default().push(place);
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (word, places) in &self.0 {
            // Words are cut to 40 letters, which are 160 bytes at most; places are fewer than 1,025.
            bytes.push(u8::try_from(word.len()).unwrap_or(0));
            bytes.extend_from_slice(word.as_bytes());
            bytes.extend_from_slice(&u16::try_from(places.len()).unwrap_or(0).to_le_bytes());
            bytes.extend(places.iter().flat_map(|place| place.to_le_bytes()));
        }
        // No word is empty: zeros end it.
        bytes.resize((bytes.len() + 1).next_multiple_of(STEP), 0);
        bytes
    }
}

/// Where a block has any of the words that are wanted.
pub(super) fn find(block: &[u8], wanted: &Wanted) -> Result<Places, StoreError> {
    let mut places = Places::default();
    let mut rest = Bytes(block);
    loop {
        let length = usize::from(rest.take::<1>()?[0]);
        if length == 0 {
            return Ok(places);
        }
        let word = std::str::from_utf8(rest.slice(length)?).map_err(|_| corrupt())?;
        let count = u16::from_le_bytes(rest.take()?);
        let here = rest.slice(usize::from(count) * 2)?;
        if wanted.is(word) {
            for place in here.chunks_exact(2) {
                places.insert(u16::from_le_bytes([place[0], place[1]]));
            }
        }
    }
}

/// The items of a segment that covers events from `segment` on: kind, distance of the event, id.
pub(super) fn write_items(items: &[Item], segment: i64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(items.len() * 19);
    for item in items {
        let (kind, id) = match item.id {
            ItemId::Message(id) => (1, id.0),
            ItemId::Note(id) => (2, id.0),
            ItemId::Conversation(id) => (3, id.0),
        };
        bytes.push(kind);
        bytes.extend_from_slice(&u16::try_from(item.seq - segment).unwrap_or(u16::MAX).to_le_bytes());
        bytes.extend_from_slice(id.as_bytes());
    }
    bytes
}

pub(super) fn read_items(bytes: &[u8], segment: i64) -> Result<Vec<Item>, StoreError> {
    let mut rest = Bytes(bytes);
    let mut items = Vec::with_capacity(bytes.len() / 19);
    while !rest.0.is_empty() {
        let [kind] = rest.take()?;
        let seq = segment + i64::from(u16::from_le_bytes(rest.take()?));
        let id = Uuid::from_bytes(rest.take()?);
        let id = match kind {
            1 => ItemId::Message(MessageId(id)),
            2 => ItemId::Note(NoteId(id)),
            3 => ItemId::Conversation(ConversationId(id)),
            _ => return Err(corrupt()),
        };
        items.push(Item { seq, id });
    }
    Ok(items)
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(corrupt)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], StoreError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(corrupt)?;
        self.0 = rest;
        Ok(taken)
    }
}

fn corrupt() -> StoreError {
    StoreError::Corrupt { column: "search_segments", reason: "it ends early".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_knows_its_words_by_their_beginnings() {
        let mut block = Block::default();
        for (word, places) in [("knee", &[0, 63, 64, 1_023][..]), ("kneecap", &[5]), ("膝盖", &[7])] {
            for place in places {
                block.insert(word.to_owned(), *place);
            }
        }
        let bytes = block.bytes();
        assert_eq!(bytes.len() % STEP, 0);
        let found = |wanted: &Wanted| find(&bytes, wanted).unwrap().newest_first().collect::<Vec<_>>();
        assert_eq!(found(&Wanted::Beginning("kne".into())), [1_023, 64, 63, 5, 0]);
        assert_eq!(found(&Wanted::Beginning("kneec".into())), [5]);
        assert_eq!(found(&Wanted::Word("膝盖".into())), [7]);
        assert_eq!(found(&Wanted::Word("kne".into())), [0_u16; 0]);
        assert!(find(&bytes[..20], &Wanted::Word("x".into())).is_err(), "it was cut");
        assert!(Block::default().bytes().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn items_keep_their_order() {
        let id = Uuid::from_u128(7);
        let items = [
            Item { seq: 100, id: ItemId::Conversation(ConversationId(id)) },
            Item { seq: 101, id: ItemId::Message(MessageId(id)) },
            Item { seq: 8_291, id: ItemId::Note(NoteId(id)) },
        ];
        let bytes = write_items(&items, 100);
        assert_eq!(read_items(&bytes, 100).unwrap(), items);
        assert!(read_items(&bytes[1..], 100).is_err());
    }

    #[test]
    fn places_are_a_set() {
        let mut one = Places::default();
        assert!(one.is_empty());
        one.insert(3);
        one.insert(900);
        let mut other = Places::default();
        other.insert(900);
        assert_eq!(one.and(other), other);
        assert_eq!(one.or(other), one);
        assert_eq!(one.and(Places::ALL), one);
    }
}
