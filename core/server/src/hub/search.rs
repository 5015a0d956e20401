//! One box for everything: who texts, what was said, what colleagues noted.

use std::collections::HashMap;

use anteroom_model::{
    ids::{ConversationId, FacilityId, MessageId, NoteId, NumberId, StaffId, TeamId},
    search::phone_end,
    states::{Author, ConversationState, Direction, Identity},
    time::Timestamp,
    words::{self, Query},
};
use anteroom_store::{
    Conversation, Found, Org, SearchPosition, TextFilter, TextFound, TextHit, TextPage, TextSearch,
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    directory::Entry,
    hub::{
        paging::{Page, PageQuery},
        patients::search::{FoundView, view as patient_view},
        views::{self, Named, Names, PatientName},
    },
    problem::Problem,
};

/// Hits of a page where nothing is said.
const USUAL: u32 = 30;

/// What is looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SearchKind {
    /// Patients by name, date of birth, phone or id, with their conversations.
    Patient,
    /// Texts.
    Message,
    /// Notes.
    Note,
    /// Conversations by what the patient's phone number ends with: four digits or more.
    Phone,
    /// Conversations by the label of the clinic's number, or what it ends with.
    Number,
}

impl SearchKind {
    const ALL: [Self; 5] = [Self::Patient, Self::Message, Self::Note, Self::Phone, Self::Number];
}

/// Which conversations; what is absent doesn't matter.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct SearchFilters {
    /// In this state.
    #[serde(default)]
    state: Option<ConversationState>,
    /// On this number.
    #[serde(default)]
    number_id: Option<NumberId>,
    /// With this team.
    #[serde(default)]
    team_id: Option<TeamId>,
    /// At this facility.
    #[serde(default)]
    facility_id: Option<FacilityId>,
    /// With this member of staff.
    #[serde(default)]
    assignee_id: Option<StaffId>,
}

/// What to look for.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct SearchBody {
    /// As staff type it, up to 200 characters and 12 words. All words must be in one text, whole or as what a word
    /// there begins with (from three letters on); case, accents and hyphens don't matter. Patients are found as by
    /// `POST /api/v1/patients/search`.
    text: String,
    /// What to look through; everything by default.
    #[serde(default)]
    kinds: Vec<SearchKind>,
    #[serde(default)]
    filters: SearchFilters,
    /// `next_cursor` of the page before.
    #[serde(default)]
    cursor: Option<String>,
    /// Hits wanted, 1 to 200; 30 by default.
    #[serde(default)]
    limit: Option<u32>,
}

/// A page of what was found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SearchAnswer {
    /// Patients first, then conversations, those with the newest hit first. One that has older hits comes again on a
    /// later page.
    items: Vec<SearchItem>,
    /// For the next page; null on the last.
    next_cursor: Option<String>,
    /// Where a page ends before it is full, because much had to be read for it: how far back it has looked. The next
    /// page goes on there.
    #[schema(value_type = Option<String>, format = DateTime)]
    looked_back_to: Option<Timestamp>,
    /// Many texts, such as those from before an upgrade, are not in the index yet. They are found all the same, but
    /// it takes more pages.
    indexing: bool,
}

/// Hits of one conversation, or a patient without one.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SearchItem {
    /// Null: the patient has none.
    conversation: Option<FoundConversation>,
    /// Newest first.
    hits: Vec<Hit>,
}

/// A conversation in a list of results.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FoundConversation {
    id: ConversationId,
    state: ConversationState,
    identity: Identity,
    patient: Option<PatientName>,
    /// The patient's phone number, E.164.
    peer: String,
    number: Named<NumberId>,
    team: Option<Named<TeamId>>,
    assignee: Option<Named<StaffId>>,
    #[schema(value_type = String, format = DateTime)]
    last_message_at: Timestamp,
}

/// Something that fits.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Hit {
    /// The patient.
    Patient {
        /// Who.
        patient: FoundView,
    },
    /// A text.
    Message {
        /// Which.
        id: MessageId,
        direction: Direction,
        author: Author,
        /// Of staff.
        author_name: Option<String>,
        #[schema(value_type = String, format = DateTime)]
        created_at: Timestamp,
        snippet: SnippetView,
    },
    /// A note.
    Note {
        /// Which.
        id: NoteId,
        author_name: String,
        #[schema(value_type = String, format = DateTime)]
        created_at: Timestamp,
        snippet: SnippetView,
    },
    /// The patient's phone number; since when they text.
    Phone {
        #[schema(value_type = String, format = DateTime)]
        created_at: Timestamp,
    },
    /// The clinic's number; since when they text it.
    Number {
        #[schema(value_type = String, format = DateTime)]
        created_at: Timestamp,
    },
}

/// The part of a text around what fits.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SnippetView {
    text: String,
    /// What fits: from and to, in characters of `text` (Unicode scalar values, not UTF-16).
    marks: Vec<[usize; 2]>,
    /// Whether something stands before and after it.
    cut_before: bool,
    cut_after: bool,
}

impl SnippetView {
    fn of(body: &str, marks: &[std::ops::Range<usize>]) -> Self {
        let snippet = words::snippet(body, marks);
        let marks = snippet.marks.into_iter().map(|(from, to)| [from, to]).collect();
        let (cut_before, cut_after) = (snippet.cut_before, snippet.cut_after);
        Self { text: snippet.text, marks, cut_before, cut_after }
    }
}

/// Where a page begins: patients come first.
#[derive(Serialize, Deserialize)]
enum Position {
    Patients(SearchPosition),
    Texts(i64),
}

/// Finds words in texts and notes, and conversations by patient, phone or number. A POST, because what is looked for
/// must not stand in an address; it changes nothing and needs the scope `read` only. The search is audited.
#[utoipa::path(post, path = "/api/v1/search", tag = "conversations", request_body = SearchBody,
    responses((status = 200, body = SearchAnswer), (status = 400), (status = 422)))]
pub(super) async fn search(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<SearchBody>,
) -> Result<Json<SearchAnswer>, Problem> {
    let page = PageQuery { cursor: body.cursor.clone(), limit: Some(body.limit.unwrap_or(USUAL)) };
    let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
    let entry = app.directory.get(caller.organization).await?;
    let (text_search, patients_too) = body.parse(&entry)?;
    let first =
        if patients_too { Position::Patients(SearchPosition::default()) } else { Position::Texts(i64::MAX) };
    let mut org = app.store.read(caller.organization).await?;
    let mut answer = Answer {
        names: Names::read(&mut org).await?,
        entry: &entry,
        items: Vec::new(),
        places: HashMap::new(),
    };
    let mut position = page.position()?.unwrap_or(first);
    let mut next = None;
    let mut back_to = (None, false);
    if let Position::Patients(from) = position {
        let found = org.search_patients(&body.text, from, limit).await?;
        next = found.next.map(Position::Patients);
        answer.add_patients(&mut org, found.found, text_search.filter).await?;
        position = Position::Texts(i64::MAX);
    }
    let room = limit.saturating_sub(answer.items.len());
    if next.is_none() && room == 0 {
        next = Some(position);
    } else if let (None, Position::Texts(before)) = (&next, position) {
        let found = org.search_texts(&text_search, before, room).await?;
        next = found.next.map(Position::Texts);
        back_to = (found.looked_back_to, found.indexing);
        answer.add_texts(&mut org, found).await?;
    }
    drop(org);
    caller.audit_read(&app, "conversations.searched", caller.staff.0).await?;
    let page = Page::up_to(answer.items, next);
    let (looked_back_to, indexing) = back_to;
    Ok(Json(SearchAnswer { items: page.items, next_cursor: page.next_cursor, looked_back_to, indexing }))
}

impl SearchBody {
    /// What is looked for in texts, and whether patients are.
    fn parse(&self, entry: &Entry) -> Result<(TextSearch, bool), Problem> {
        let words = Query::parse(&self.text).map_err(|problem| Problem::invalid(problem.to_string()))?;
        let kinds = if self.kinds.is_empty() { &SearchKind::ALL[..] } else { &self.kinds };
        let wants = |kind| kinds.contains(&kind);
        let phone = phone_end(&self.text);
        let fits = |label: &str, address: &str| {
            words.find(label).is_some()
                || phone.as_ref().is_some_and(|digits| address.ends_with(digits.as_str()))
        };
        let numbers = entry.numbers.values().filter(|number| fits(&number.label, &number.address));
        let numbers = numbers.filter(|_| wants(SearchKind::Number)).map(|number| number.id).collect();
        let search = TextSearch {
            texts: wants(SearchKind::Message),
            notes: wants(SearchKind::Note),
            phone: phone.filter(|_| wants(SearchKind::Phone)),
            numbers,
            filter: self.filters.filter(),
            words,
        };
        Ok((search, wants(SearchKind::Patient)))
    }
}

impl SearchFilters {
    const fn filter(&self) -> TextFilter {
        TextFilter {
            state: self.state,
            number: self.number_id,
            team: self.team_id,
            facility: self.facility_id,
            assignee: self.assignee_id,
        }
    }
}

/// What is found, gathered by conversation.
struct Answer<'e> {
    names: Names,
    entry: &'e Entry,
    items: Vec<SearchItem>,
    places: HashMap<ConversationId, usize>,
}

impl Answer<'_> {
    async fn add_patients(
        &mut self,
        org: &mut Org<'_>,
        found: Vec<Found>,
        filter: TextFilter,
    ) -> Result<(), Problem> {
        for found in found {
            let records = org.record_ids_of(found.patient.id).await?;
            let mut conversations = Vec::new();
            for id in org.conversations_of_patients(&records).await? {
                conversations.extend(org.conversation(id).await?.filter(|c| filter.fits(c)));
            }
            conversations.sort_by_key(|c| std::cmp::Reverse(c.last_message_at));
            let patient = patient_view(found);
            if conversations.is_empty() && filter == TextFilter::default() {
                let hits = vec![Hit::Patient { patient: patient.clone() }];
                self.items.push(SearchItem { conversation: None, hits });
            }
            for conversation in &conversations {
                self.add(org, conversation, Hit::Patient { patient: patient.clone() }).await?;
            }
        }
        Ok(())
    }

    async fn add_texts(&mut self, org: &mut Org<'_>, page: TextPage) -> Result<(), Problem> {
        for hit in page.hits {
            let Some(conversation) = page.conversations.get(&hit.conversation) else { continue };
            let hit = self.hit(hit);
            self.add(org, conversation, hit).await?;
        }
        Ok(())
    }

    async fn add(&mut self, org: &mut Org<'_>, c: &Conversation, hit: Hit) -> Result<(), Problem> {
        if let Some(item) = self.places.get(&c.id).and_then(|place| self.items.get_mut(*place)) {
            item.hits.push(hit);
            return Ok(());
        }
        let number = self.entry.numbers.get(&c.number_id);
        let team = c.team_id.and_then(|id| self.entry.teams.iter().find(|team| team.id == id));
        let conversation = FoundConversation {
            id: c.id,
            state: c.state,
            identity: c.identity,
            patient: views::patient_name(org, c).await?,
            peer: c.peer.clone(),
            number: Named {
                id: c.number_id,
                name: number.map(|number| number.label.clone()).unwrap_or_default(),
            },
            team: team.map(|team| Named { id: team.id, name: team.name.clone() }),
            assignee: c.assignee_id.map(|id| self.names.staff(id)),
            last_message_at: c.last_message_at,
        };
        self.places.insert(c.id, self.items.len());
        self.items.push(SearchItem { conversation: Some(conversation), hits: vec![hit] });
        Ok(())
    }

    fn hit(&self, hit: TextHit) -> Hit {
        let created_at = hit.at;
        match hit.found {
            TextFound::Message { id, direction, author, author_id, body, marks } => Hit::Message {
                id,
                direction,
                author,
                author_name: author_id.map(|id| self.names.staff_name(id)),
                created_at,
                snippet: SnippetView::of(&body, &marks),
            },
            TextFound::Note { id, author_id, body, marks } => Hit::Note {
                id,
                author_name: self.names.staff_name(author_id),
                created_at,
                snippet: SnippetView::of(&body, &marks),
            },
            TextFound::Phone => Hit::Phone { created_at },
            TextFound::Number => Hit::Number { created_at },
        }
    }
}
