//! Bodies that several endpoints answer with, and how they are filled.

use std::collections::HashMap;

use anteroom_model::{
    ids::{
        ConversationId, FacilityId, MediaId, MessageId, NumberId, OrganizationId, PatientId, StaffId, TeamId,
    },
    states::{
        Author, ConversationState, Direction, Identity, MediaState, MessageState, NumberKind, PatientKind,
        Priority,
    },
    time::Timestamp,
};
use anteroom_store::{Conversation, Media, MediaItem, Message, Org, Patient};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    directory::Entry,
    hub::{failures, failures::FailureView, looks::Mine, patients},
    media::words,
    problem::Problem,
};

/// An id and what people call it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Named<I> {
    pub(super) id: I,
    pub(super) name: String,
}

/// A conversation as staff see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ConversationView {
    pub(super) id: ConversationId,
    state: ConversationState,
    identity: Identity,
    patient: Option<PatientName>,
    /// The patient's phone number, E.164.
    peer: String,
    number: NumberName,
    team: Option<Named<TeamId>>,
    facility: Option<Named<FacilityId>>,
    /// Null: in the Unassigned queue.
    assignee: Option<Named<StaffId>>,
    category: Option<String>,
    priority: Priority,
    tags: Vec<String>,
    /// To whom a new text brings a closed one back; null: to Unassigned.
    returns_to: Option<Named<StaffId>>,
    /// When the oldest text that nobody answered came in (RFC 3339).
    #[schema(value_type = Option<String>, format = DateTime)]
    waiting_since: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    last_message_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    snoozed_until: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// For `If-Match`.
    version: i64,
    /// The patient has texted STOP.
    opted_out: bool,
    /// Several patients of the directory have this phone, or it is entered as shared: others may read an answer.
    phone_shared: bool,
    /// Why the number can't send, in staff's words; null where it can.
    reply_blocked: Option<String>,
    last_message: Option<LastMessage>,
    /// What it is to the caller; null in the answer to an action, which doesn't change it.
    pub(super) mine: Option<Mine>,
}

/// Who it is, as far as known.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct PatientName {
    id: PatientId,
    kind: PatientKind,
    display_name: String,
}

impl PatientName {
    fn of(patient: &Patient) -> Self {
        let display_name = patients::views::display_name(patient);
        Self { id: patient.id, kind: patient.kind, display_name }
    }
}

/// The clinic's number.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct NumberName {
    id: NumberId,
    label: String,
    kind: NumberKind,
    address: String,
}

/// The newest text of a conversation: of those by the patient or staff, where there is one among the latest.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct LastMessage {
    direction: Direction,
    author: Author,
    body: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A message as staff see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct MessageView {
    id: MessageId,
    direction: Direction,
    author: Author,
    /// Of staff.
    author_name: Option<String>,
    body: String,
    media: Vec<MediaView>,
    state: MessageState,
    /// The carrier's code of a failure, or ours.
    error_code: Option<String>,
    /// The failure in staff's words.
    error_text: Option<String>,
    /// Why it did not arrive, told apart, and what can be done.
    failure: Option<FailureView>,
    /// Parts it is billed as.
    segments: i32,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Timestamp>,
    /// When it was delivered, failed or blocked.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
}

/// A picture or document of a text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct MediaView {
    /// For `/api/v1/media/{id}`; null for one that is only just here.
    id: Option<MediaId>,
    state: MediaState,
    /// MIME type, as found in the bytes; of one that is not here, as the carrier says.
    content_type: Option<String>,
    bytes: Option<i64>,
    /// Of a picture as it is looked at, in pixels.
    width: Option<i32>,
    height: Option<i32>,
    /// Whether `/api/v1/media/{id}/preview` has a smaller picture of it.
    preview: bool,
    /// Why it is refused or gone: a stable word.
    reason: Option<String>,
    /// The same in staff's words; null for one that is here.
    text: Option<&'static str>,
}

impl MediaView {
    pub(super) fn of(media: Media) -> Self {
        Self {
            id: Some(media.id),
            state: media.state,
            text: words::text(media.state, media.reason.as_deref()),
            content_type: media.kind,
            bytes: media.bytes,
            width: media.width,
            height: media.height,
            preview: media.state == MediaState::Ready && media.preview_bytes.is_some(),
            reason: media.reason,
        }
    }

    /// One whose row is about to be written.
    fn expected(item: &MediaItem) -> Self {
        let state = MediaState::Fetching;
        Self {
            id: None,
            state,
            content_type: item.content_type.clone(),
            bytes: None,
            width: None,
            height: None,
            preview: false,
            reason: None,
            text: words::text(state, None),
        }
    }
}

/// The files of a message, in their order.
pub(super) async fn media(org: &mut Org<'_>, message: &Message) -> Result<Vec<MediaView>, Problem> {
    // Only texts that came with files, or were sent with some, have rows of them.
    if message.extra.media.is_empty() && !message.extra.has_uploads {
        return Ok(Vec::new());
    }
    let rows = org.media_of(message.id).await?;
    if rows.is_empty() {
        return Ok(message.extra.media.iter().map(MediaView::expected).collect());
    }
    let said = message.extra.media.iter().map(|item| item.content_type.clone());
    let said = said.chain(std::iter::repeat(None));
    let views = rows.into_iter().zip(said).map(|(row, said)| {
        let view = MediaView::of(row);
        MediaView { content_type: view.content_type.clone().or(said), ..view }
    });
    Ok(views.collect())
}

/// Messages with their files and authors' names.
pub(super) async fn messages(
    org: &mut Org<'_>,
    list: Vec<Message>,
    entry: &Entry,
) -> Result<Vec<MessageView>, Problem> {
    let names = Names::read(org).await?;
    let mut views = Vec::with_capacity(list.len());
    for message in list {
        let media = media(org, &message).await?;
        views.push(self::message(message, media, &names, entry));
    }
    Ok(views)
}

/// Names by id, read once for a list.
#[derive(Default)]
pub(super) struct Names {
    staff: HashMap<StaffId, String>,
}

impl Names {
    pub(super) async fn read(org: &mut Org<'_>) -> Result<Self, Problem> {
        let staff = org.staff().await?;
        Ok(Self { staff: staff.into_iter().map(|staff| (staff.id, staff.name)).collect() })
    }

    pub(super) fn staff(&self, id: StaffId) -> Named<StaffId> {
        Named { id, name: self.staff_name(id) }
    }

    /// The name of one who is among the staff.
    pub(super) fn known(&self, id: StaffId) -> Option<&str> {
        self.staff.get(&id).map(String::as_str)
    }

    pub(super) fn staff_name(&self, id: StaffId) -> String {
        self.known(id).map_or_else(|| "Someone who has left".to_owned(), str::to_owned)
    }
}

/// Fills conversations with names.
pub(super) async fn conversations(
    app: &App,
    organization: OrganizationId,
    list: Vec<Conversation>,
) -> Result<Vec<ConversationView>, Problem> {
    let entry = app.directory.get(organization).await?;
    let mut org = app.store.read(organization).await?;
    let names = Names::read(&mut org).await?;
    let mut views = Vec::with_capacity(list.len());
    let overviews = org.overviews(&list).await?;
    for (c, overview) in list.into_iter().zip(overviews) {
        let number = entry.numbers.get(&c.number_id);
        views.push(ConversationView {
            reply_blocked: number.and_then(|number| {
                app.registration.refusal(number, entry.registrations.get(&number.id), app.store.now())
            }),
            opted_out: overview.opted_out,
            phone_shared: overview.phone_shared,
            id: c.id,
            state: c.state,
            identity: c.identity,
            patient: overview.patient.as_ref().map(PatientName::of),
            peer: c.peer,
            number: NumberName {
                id: c.number_id,
                label: number.map(|number| number.label.clone()).unwrap_or_default(),
                kind: number.map_or(NumberKind::Sandbox, |number| number.kind),
                address: number.map(|number| number.address.clone()).unwrap_or_default(),
            },
            team: c.team_id.and_then(|id| {
                let team = entry.teams.iter().find(|team| team.id == id)?;
                Some(Named { id, name: team.name.clone() })
            }),
            facility: c.facility_id.and_then(|id| {
                let (facility, _) = entry.facility(id)?;
                Some(Named { id, name: facility.name.clone() })
            }),
            assignee: c.assignee_id.map(|id| names.staff(id)),
            returns_to: c.assignee_id.filter(|_| c.reopens_to_assignee).map(|id| names.staff(id)),
            category: c.category,
            priority: c.priority,
            tags: c.tags,
            waiting_since: c.waiting_since,
            last_message_at: c.last_message_at,
            snoozed_until: c.snoozed_until,
            created_at: c.created_at,
            version: c.version,
            mine: None,
            last_message: overview.newest.map(|message| LastMessage {
                direction: message.direction,
                author: message.author,
                body: message.body,
                created_at: message.created_at,
            }),
        });
    }
    Ok(views)
}

/// Who texts in a conversation, as far as known.
pub(super) async fn patient_name(
    org: &mut Org<'_>,
    conversation: &Conversation,
) -> Result<Option<PatientName>, Problem> {
    let Some(id) = conversation.patient_id else { return Ok(None) };
    Ok(org.patient(id).await?.as_ref().map(PatientName::of))
}

/// Fills one conversation with names.
pub(super) async fn conversation(
    app: &App,
    organization: OrganizationId,
    c: Conversation,
) -> Result<ConversationView, Problem> {
    let mut views = conversations(app, organization, vec![c]).await?;
    views.pop().ok_or_else(|| Problem::not_found("conversation"))
}

/// A message with its author's name.
pub(super) fn message(message: Message, media: Vec<MediaView>, names: &Names, entry: &Entry) -> MessageView {
    let account = entry.accounts.get(&message.carrier_account_id);
    MessageView {
        failure: failures::of(&message, account.map(|account| account.credentials.carrier())),
        id: message.id,
        direction: message.direction,
        author: message.author,
        author_name: message.author_id.map(|id| names.staff_name(id)),
        body: message.body,
        media,
        state: message.state,
        error_code: message.error_code,
        error_text: message.error_text,
        segments: message.segments,
        created_at: message.created_at,
        sent_at: message.sent_at,
        finished_at: message.finished_at,
    }
}
