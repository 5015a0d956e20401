//! Bodies that several endpoints answer with, and how they are filled.

use std::collections::HashMap;

use anteroom_model::{
    ids::{ConversationId, FacilityId, MessageId, NumberId, OrganizationId, PatientId, StaffId, TeamId},
    states::{
        Author, ConversationState, Direction, Identity, MessageState, NumberKind, PatientKind, Priority,
    },
    time::Timestamp,
};
use anteroom_store::{Conversation, Message, Org};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{app::App, hub::patients, outbox::registration_refusal, problem::Problem};

/// Texts looked through for one to show in a list.
const PREVIEWED: u32 = 8;

/// An id and what people call it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Named<I> {
    pub(super) id: I,
    pub(super) name: String,
}

/// A conversation as staff see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ConversationView {
    id: ConversationId,
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
    /// Why the number can't send, in staff's words; null where it can.
    reply_blocked: Option<&'static str>,
    last_message: Option<LastMessage>,
}

/// Who it is, as far as known.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct PatientName {
    id: PatientId,
    kind: PatientKind,
    display_name: String,
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

/// A picture or document; fetching it comes with the media store.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct MediaView {
    content_type: Option<String>,
}

/// Names by id, read once for a list.
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

    pub(super) fn staff_name(&self, id: StaffId) -> String {
        self.staff.get(&id).cloned().unwrap_or_else(|| "Someone who has left".to_owned())
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
    for c in list {
        let patient = match c.patient_id {
            Some(id) => org.patient(id).await?.map(|patient| PatientName {
                display_name: patients::views::display_name(&patient),
                id: patient.id,
                kind: patient.kind,
            }),
            None => None,
        };
        let newest = newest_of_people(&mut org, c.id).await?;
        let number = entry.numbers.get(&c.number_id);
        views.push(ConversationView {
            reply_blocked: number.and_then(|number| registration_refusal(number.kind, number.registration)),
            opted_out: org.is_opted_out(&c.peer, c.number_id).await?,
            id: c.id,
            state: c.state,
            identity: c.identity,
            patient,
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
            category: c.category,
            priority: c.priority,
            tags: c.tags,
            waiting_since: c.waiting_since,
            last_message_at: c.last_message_at,
            snoozed_until: c.snoozed_until,
            created_at: c.created_at,
            version: c.version,
            last_message: newest.map(|message| LastMessage {
                direction: message.direction,
                author: message.author,
                body: message.body,
                created_at: message.created_at,
            }),
        });
    }
    Ok(views)
}

/// The newest text that a person wrote: in a list, automatic ones would hide what the patient wants.
async fn newest_of_people(org: &mut Org<'_>, id: ConversationId) -> Result<Option<Message>, Problem> {
    let mut texts = org.messages(id, MessageId::GREATEST, PREVIEWED).await?;
    let by_people = texts.iter().position(|text| matches!(text.author, Author::Patient | Author::Staff));
    Ok((!texts.is_empty()).then(|| texts.swap_remove(by_people.unwrap_or(0))))
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
pub(super) fn message(message: Message, names: &Names) -> MessageView {
    MessageView {
        id: message.id,
        direction: message.direction,
        author: message.author,
        author_name: message.author_id.map(|id| names.staff_name(id)),
        body: message.body,
        media: message
            .extra
            .media
            .into_iter()
            .map(|media| MediaView { content_type: media.content_type })
            .collect(),
        state: message.state,
        error_code: message.error_code,
        error_text: message.error_text,
        segments: message.segments,
        created_at: message.created_at,
        sent_at: message.sent_at,
        finished_at: message.finished_at,
    }
}
