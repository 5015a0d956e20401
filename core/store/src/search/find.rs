//! Looking for words in texts and notes, newest first.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ops::Range,
};

use anteroom_model::{
    ids::{ConversationId, FacilityId, MessageId, NoteId, NumberId, StaffId, TeamId},
    states::{Author, ConversationState, Direction},
    time::Timestamp,
    words::{Query, Wanted},
};

use super::{
    Item, ItemId, ItemRow, SEGMENT,
    block::{self, Places},
    block_row, number_word, phone_word,
    read::{Opened, Peer},
    segment_row,
};
use crate::{
    Conversation, Org, StoreError,
    conn::{fetch_all, fetch_optional},
    patients,
};

/// Texts and notes opened for one page: then a search says how far it came.
const OPENED: usize = 2_000;
/// Items opened at once: few first, for a page is full soon where many texts fit.
const FIRST_OPENED: usize = 32;
/// Segments looked at at once, first and at most.
const FIRST_SEGMENTS: i64 = 8;
const MOST_SEGMENTS: i64 = 256;

/// What is looked for. A text or note fits by all words of `words`, a conversation by its patient's phone or by its
/// number.
#[derive(Clone)]
pub struct TextSearch {
    /// The words.
    pub words: Query,
    /// Whether texts are looked through.
    pub texts: bool,
    /// Whether notes are.
    pub notes: bool,
    /// What patients' phone numbers end with: four digits or more.
    pub phone: Option<String>,
    /// Conversations on these numbers.
    pub numbers: Vec<NumberId>,
    /// Only of such conversations.
    pub filter: TextFilter,
}

/// Which conversations; what is `None` doesn't matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextFilter {
    /// In this state.
    pub state: Option<ConversationState>,
    /// On this number.
    pub number: Option<NumberId>,
    /// With this team.
    pub team: Option<TeamId>,
    /// At this facility.
    pub facility: Option<FacilityId>,
    /// With this member of staff.
    pub assignee: Option<StaffId>,
}

/// A page of a search.
pub struct TextPage {
    /// What was found, newest first.
    pub hits: Vec<TextHit>,
    /// The conversations of the hits.
    pub conversations: HashMap<ConversationId, Conversation>,
    /// Where the next page begins; `None`: this was all.
    pub next: Option<i64>,
    /// Where the page ends before it is full, since much was opened for it: how far back it has looked.
    pub looked_back_to: Option<Timestamp>,
    /// Many texts wait for the index: searches open them all, and take long.
    pub indexing: bool,
}

/// Something that was found.
pub struct TextHit {
    /// Where.
    pub conversation: ConversationId,
    /// When it was written; of a conversation, when it began.
    pub at: Timestamp,
    /// What.
    pub found: TextFound,
}

/// What was found.
pub enum TextFound {
    /// A text.
    Message {
        /// Its id.
        id: MessageId,
        /// From or to the patient.
        direction: Direction,
        /// Who wrote it.
        author: Author,
        /// Which member of staff.
        author_id: Option<StaffId>,
        /// The text.
        body: String,
        /// Where it has what was looked for, in bytes.
        marks: Vec<Range<usize>>,
    },
    /// A note.
    Note {
        /// Its id.
        id: NoteId,
        /// Who wrote it.
        author_id: StaffId,
        /// The note.
        body: String,
        /// Where it has what was looked for, in bytes.
        marks: Vec<Range<usize>>,
    },
    /// The patient's phone number.
    Phone,
    /// The clinic's number.
    Number,
}

impl TextFilter {
    /// Whether it is one of them.
    pub fn fits(&self, c: &Conversation) -> bool {
        self.state.is_none_or(|state| c.state == state)
            && self.number.is_none_or(|number| c.number_id == number)
            && (self.team.is_none() || c.team_id == self.team)
            && (self.facility.is_none() || c.facility_id == self.facility)
            && (self.assignee.is_none() || c.assignee_id == self.assignee)
    }
}

/// A page that is being filled.
struct Filling<'s> {
    search: &'s TextSearch,
    limit: usize,
    page: TextPage,
    /// Where the last hit was found.
    last: i64,
    /// Conversations that don't pass the filter.
    left_out: HashSet<ConversationId>,
    opened: usize,
}

impl Org<'_> {
    /// Texts, notes and conversations that `search` fits, newest first: those that events before `before` told of, at
    /// most `limit`.
    pub async fn search_texts(
        &mut self,
        search: &TextSearch,
        before: i64,
        limit: usize,
    ) -> Result<TextPage, StoreError> {
        let covered = self.indexed_until().await?;
        let (_, last) = self.event_bounds().await?;
        let before = if search.all_wanted().next().is_some() { before } else { 0 };
        let page = TextPage {
            hits: Vec::new(),
            conversations: HashMap::new(),
            next: None,
            looked_back_to: None,
            indexing: last - covered > 2 * super::SPAN,
        };
        let mut filling = Filling { search, limit, page, last: before, left_out: HashSet::new(), opened: 0 };
        if self.fill_from_events(&mut filling, covered, before).await?
            && self.fill_from_segments(&mut filling, before).await?
        {
            filling.page.next = None;
        }
        Ok(filling.page)
    }

    /// Opens all that no segment covers. `false`: the page ends here.
    async fn fill_from_events(
        &mut self,
        filling: &mut Filling<'_>,
        covered: i64,
        mut before: i64,
    ) -> Result<bool, StoreError> {
        while before > covered + 1 {
            let rows =
                fetch_all!(self, ItemRow, "search/items_before", covered, before, i64::from(SEGMENT) / 4);
            let Some(oldest) = rows.last() else { break };
            before = oldest.seq;
            let items: Vec<Item> =
                rows.iter().filter_map(|row| self.open_item(row).transpose()).collect::<Result<_, _>>()?;
            if !self.fill_page(filling, &items).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Asks segment after segment. `false`: the page ends here.
    async fn fill_from_segments(
        &mut self,
        filling: &mut Filling<'_>,
        before: i64,
    ) -> Result<bool, StoreError> {
        let keys = self.keys.clone();
        let buckets: HashMap<String, u8> = filling
            .search
            .all_wanted()
            .map(|wanted| (wanted.letters().to_owned(), block::bucket(&keys, wanted.letters())))
            .collect();
        let (mut before_segment, mut wanted_segments) = (before, FIRST_SEGMENTS);
        loop {
            let segments: Vec<i64> =
                fetch_all!(self, (i64,), "search/segments_before", before_segment, wanted_segments)
                    .into_iter()
                    .map(|(segment,)| segment)
                    .collect();
            let (Some(newest), Some(oldest)) = (segments.first(), segments.last()) else { return Ok(true) };
            let mut blocks: HashMap<(u8, i64), Vec<u8>> = HashMap::new();
            for bucket in buckets.values().copied().collect::<BTreeSet<_>>() {
                let rows =
                    fetch_all!(self, (i64, Vec<u8>), "search/blocks", i32::from(bucket), *oldest, *newest);
                for (segment, sealed) in rows {
                    let opened = keys.open("search_blocks.entries", block_row(bucket, segment), &sealed)?;
                    blocks.insert((bucket, segment), opened);
                }
            }
            for segment in &segments {
                let look_up = |wanted: &Wanted| {
                    let bucket = buckets.get(wanted.letters());
                    let block = bucket.and_then(|bucket| blocks.get(&(*bucket, *segment)));
                    block.map_or_else(|| Ok(Places::default()), |block| block::find(block, wanted))
                };
                let places = filling.search.places(&look_up)?;
                if places.is_empty() {
                    continue;
                }
                let items = self.items(*segment).await?;
                let found: Vec<Item> = places
                    .newest_first()
                    .filter_map(|place| items.get(usize::from(place)).copied())
                    .filter(|item| item.seq < before)
                    .collect();
                if !self.fill_page(filling, &found).await? {
                    return Ok(false);
                }
            }
            before_segment = *oldest;
            wanted_segments = (wanted_segments * 4).min(MOST_SEGMENTS);
        }
    }

    async fn items(&mut self, segment: i64) -> Result<Vec<Item>, StoreError> {
        let Some((sealed,)) = fetch_optional!(self, (Vec<u8>,), "search/items", segment) else {
            return Ok(Vec::new());
        };
        let bytes = self.keys.open("search_segments.items", segment_row(segment), &sealed)?;
        block::read_items(&bytes, segment)
    }

    /// Opens `items`, newest first, and keeps those that fit. `false`: the page ends here.
    async fn fill_page(&mut self, filling: &mut Filling<'_>, mut items: &[Item]) -> Result<bool, StoreError> {
        while !items.is_empty() {
            let size = if filling.opened == 0 { FIRST_OPENED } else { super::read::ROWS };
            let (chunk, rest) = items.split_at(size.min(items.len()));
            items = rest;
            let chunk: Vec<Item> =
                chunk.iter().filter(|item| filling.search.looks_through(item)).copied().collect();
            for (item, opened) in self.open_items(&chunk).await? {
                if filling.opened >= OPENED {
                    filling.page.looked_back_to = Some(opened.at());
                    filling.page.next = Some(item.seq + 1);
                    return Ok(false);
                }
                filling.opened += 1;
                let Some(hit) = filling.search.judge(opened) else { continue };
                if !self.passes(filling, hit.conversation).await? {
                    continue;
                }
                if filling.page.hits.len() == filling.limit {
                    filling.page.next = Some(filling.last);
                    return Ok(false);
                }
                filling.last = item.seq;
                filling.page.hits.push(hit);
            }
        }
        Ok(true)
    }

    async fn passes(&mut self, filling: &mut Filling<'_>, id: ConversationId) -> Result<bool, StoreError> {
        if filling.page.conversations.contains_key(&id) {
            return Ok(true);
        }
        if filling.left_out.contains(&id) {
            return Ok(false);
        }
        let Some(conversation) = self.conversation(id).await?.filter(|c| filling.search.filter.fits(c))
        else {
            filling.left_out.insert(id);
            return Ok(false);
        };
        filling.page.conversations.insert(id, conversation);
        Ok(true)
    }
}

impl Opened {
    fn at(&self) -> Timestamp {
        match self {
            Self::Text(text) => text.at,
            Self::Note(note) => note.at,
            Self::Peer(peer) => peer.at,
        }
    }
}

impl TextSearch {
    fn words_wanted(&self) -> impl Iterator<Item = Vec<Vec<Wanted>>> {
        self.words.wanted().take(if self.texts || self.notes { usize::MAX } else { 0 })
    }

    fn conversation_words(&self) -> impl Iterator<Item = Wanted> {
        let tail = self.phone.as_deref().and_then(patients::tail).map(phone_word);
        tail.into_iter().chain(self.numbers.iter().map(|number| number_word(*number))).map(Wanted::Word)
    }

    /// All that the index is asked for.
    fn all_wanted(&self) -> impl Iterator<Item = Wanted> {
        self.words_wanted().flatten().flatten().chain(self.conversation_words())
    }

    /// The places of a segment that may fit.
    fn places(&self, look_up: &impl Fn(&Wanted) -> Result<Places, StoreError>) -> Result<Places, StoreError> {
        let mut conversations = Places::default();
        for word in self.conversation_words() {
            conversations = conversations.or(look_up(&word)?);
        }
        let mut texts = if self.texts || self.notes { Places::ALL } else { Places::default() };
        for ways in self.words_wanted() {
            let mut any = Places::default();
            for way in ways {
                let mut all = Places::ALL;
                for wanted in way {
                    all = all.and(look_up(&wanted)?);
                }
                any = any.or(all);
            }
            texts = texts.and(any);
        }
        Ok(texts.or(conversations))
    }

    fn looks_through(&self, item: &Item) -> bool {
        match item.id {
            ItemId::Message(_) => self.texts,
            ItemId::Note(_) => self.notes,
            ItemId::Conversation(_) => self.phone.is_some() || !self.numbers.is_empty(),
        }
    }

    /// Whether it really fits.
    fn judge(&self, opened: Opened) -> Option<TextHit> {
        let (conversation, at, found) = match opened {
            Opened::Text(text) => {
                let marks = self.words.find(&text.body)?;
                let found = TextFound::Message {
                    id: text.id,
                    direction: text.direction,
                    author: text.author,
                    author_id: text.author_id,
                    body: text.body,
                    marks,
                };
                (text.conversation, text.at, found)
            }
            Opened::Note(note) => {
                let marks = self.words.find(&note.body)?;
                let found =
                    TextFound::Note { id: note.id, author_id: note.author_id, body: note.body, marks };
                (note.conversation, note.at, found)
            }
            Opened::Peer(peer) => (peer.conversation, peer.at, self.judge_peer(&peer)?),
        };
        Some(TextHit { conversation, at, found })
    }

    fn judge_peer(&self, peer: &Peer) -> Option<TextFound> {
        if self.phone.as_ref().is_some_and(|digits| peer.phone.ends_with(digits.as_str())) {
            return Some(TextFound::Phone);
        }
        self.numbers.contains(&peer.number).then_some(TextFound::Number)
    }
}
