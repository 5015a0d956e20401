//! Where a note names the caller, and who a note names.
//!
//! In a note's body a mention is `@[staff:<id>]` or `@[team:<id>]`: people are named by what they are called
//! when it is read. A team stands for who is in it when the note is written.

use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use anteroom_model::ids::{ConversationId, NoteId, StaffId, TeamId};
use anteroom_store::{Note, Org, Team};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    auth::Caller,
    hub::{
        looks,
        notes::NoteView,
        paging::{Page, PageQuery},
        views::{self, ConversationView, Names},
    },
    presence::Said,
    problem::Problem,
};

/// Most people and teams that a note may name.
const MOST: usize = 20;

/// A part of a note: words, or somebody who is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct NotePart {
    /// The words; of a mention, `@` and the name.
    text: String,
    /// Who is named.
    staff_id: Option<StaffId>,
    /// Which team is named.
    team_id: Option<TeamId>,
}

impl NotePart {
    fn words(text: &str) -> Self {
        Self { text: text.to_owned(), staff_id: None, team_id: None }
    }
}

/// A note that names the caller.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MentionView {
    note: NoteView,
    conversation: ConversationView,
    /// Whether the caller has seen it.
    read: bool,
}

/// How many there are that the caller has not seen.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UnreadMentions {
    unread: i64,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MentionQuery {
    /// Only those that the caller has not seen.
    #[serde(default)]
    unread: bool,
}

/// The body of a note in parts, with today's names.
pub(super) fn parts(body: &str, names: &Names, teams: &[Team]) -> Vec<NotePart> {
    let mut parts = Vec::new();
    for piece in pieces(body) {
        parts.push(match piece {
            Piece::Words(words) => NotePart::words(words),
            Piece::Staff(id) => {
                NotePart { text: format!("@{}", names.staff_name(id)), staff_id: Some(id), team_id: None }
            }
            Piece::Team(id) => {
                let name = teams.iter().find(|team| team.id == id).map(|team| team.name.as_str());
                NotePart {
                    text: format!("@{}", name.unwrap_or("a former team")),
                    staff_id: None,
                    team_id: Some(id),
                }
            }
        });
    }
    parts
}

/// What the parts read as one.
pub(super) fn plain(parts: &[NotePart]) -> String {
    parts.iter().map(|part| part.text.as_str()).collect()
}

/// Whom a note names, but for its author: those of teams too. Refuses names of nobody.
pub(super) async fn named(
    org: &mut Org<'_>,
    body: &str,
    author: StaffId,
) -> Result<BTreeSet<StaffId>, Problem> {
    let pieces = pieces(body);
    let mentions: Vec<_> = pieces.iter().filter(|piece| !matches!(piece, Piece::Words(_))).collect();
    if mentions.is_empty() {
        return Ok(BTreeSet::new());
    }
    if mentions.len() > MOST {
        return Err(Problem::invalid(format!("A note names {MOST} people and teams at the most.")));
    }
    let active: BTreeSet<_> =
        org.staff().await?.into_iter().filter(|one| one.active).map(|one| one.id).collect();
    let (teams, members) = (org.teams().await?, org.memberships().await?);
    let mut named = BTreeSet::new();
    for mention in mentions {
        match mention {
            Piece::Words(_) => {}
            Piece::Staff(id) if active.contains(id) => drop(named.insert(*id)),
            Piece::Team(id) if teams.iter().any(|team| team.id == *id) => {
                named.extend(members.iter().filter(|(team, _)| team == id).map(|(_, staff)| *staff));
            }
            Piece::Staff(_) | Piece::Team(_) => {
                return Err(Problem::invalid("body names somebody who doesn't work here, or no team."));
            }
        }
    }
    named.retain(|id| *id != author && active.contains(id));
    Ok(named)
}

enum Piece<'a> {
    Words(&'a str),
    Staff(StaffId),
    Team(TeamId),
}

fn pieces(body: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest, mut from) = (Vec::new(), body, 0);
    while let Some(at) = rest[from..].find("@[") {
        let start = from + at;
        let mention = rest[start + 2..].find(']').and_then(|end| {
            let inside = &rest[start + 2..start + 2 + end];
            Some((mention(inside)?, start + 2 + end + 1))
        });
        // What only looks like one is words.
        let Some((mention, end)) = mention else {
            from = start + 2;
            continue;
        };
        if start > 0 {
            pieces.push(Piece::Words(&rest[..start]));
        }
        pieces.push(mention);
        (rest, from) = (&rest[end..], 0);
    }
    if !rest.is_empty() {
        pieces.push(Piece::Words(rest));
    }
    pieces
}

fn mention(inside: &str) -> Option<Piece<'static>> {
    match inside.split_once(':')? {
        ("staff", id) => id.parse().ok().map(Piece::Staff),
        ("team", id) => id.parse().ok().map(Piece::Team),
        _ => None,
    }
}

/// The notes that name the caller, newest first.
#[utoipa::path(get, path = "/api/v1/mentions", tag = "notes", params(MentionQuery, PageQuery),
    responses((status = 200, body = Page<MentionView>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(MentionQuery { unread }): Query<MentionQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<MentionView>>, Problem> {
    let before = page.position()?.unwrap_or(NoteId::GREATEST);
    let mut org = app.store.read(caller.organization).await?;
    let mentions = org.mentions(caller.staff, before, unread, page.limit()).await?;
    let oldest = mentions.last().map(|mention| mention.note_id);
    let (mut conversations, mut notes) = (HashMap::new(), Vec::new());
    for mention in &mentions {
        if let Entry::Vacant(place) = conversations.entry(mention.conversation_id) {
            place.insert(org.conversation(mention.conversation_id).await?);
        }
        notes.push(org.note(mention.note_id).await?);
    }
    let (names, teams) = (Names::read(&mut org).await?, org.teams().await?);
    let found = conversations.into_values().flatten().collect();
    drop(org);
    let mut views = views::conversations(&app, caller.organization, found).await?;
    looks::mark(&app, &caller, &mut views).await?;
    let views: HashMap<_, _> = views.into_iter().map(|view| (view.id, view)).collect();
    let view = |note: Note, id: ConversationId, read: bool| {
        let conversation = views.get(&id)?.clone();
        Some(MentionView { note: NoteView::of(&note, &names, &teams), conversation, read })
    };
    let items = mentions.iter().zip(notes);
    let items =
        items.filter_map(|(one, note)| view(note?, one.conversation_id, one.read_at.is_some())).collect();
    caller.audit_read(&app, "mentions.read", caller.staff.0).await?;
    Ok(Json(Page::cut(items, page.limit(), oldest)))
}

/// How many of them the caller has not seen.
#[utoipa::path(get, path = "/api/v1/mentions/unread", tag = "notes", responses((status = 200, body = UnreadMentions)))]
pub(super) async fn unread(State(app): State<App>, caller: Caller) -> Result<Json<UnreadMentions>, Problem> {
    let unread = app.store.read(caller.organization).await?.unread_mentions(caller.staff).await?;
    Ok(Json(UnreadMentions { unread }))
}

/// Says that the caller has seen all of them.
#[utoipa::path(post, path = "/api/v1/mentions/read", tag = "notes", responses((status = 204)))]
pub(super) async fn read_all(State(app): State<App>, caller: Caller) -> Result<StatusCode, Problem> {
    read(&app, &caller, None).await
}

/// Says that the caller has seen those in a conversation.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/mentions/read", tag = "notes",
    params(("id" = ConversationId, Path)), responses((status = 204)))]
pub(super) async fn read_of(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
) -> Result<StatusCode, Problem> {
    read(&app, &caller, Some(id)).await
}

async fn read(
    app: &App,
    caller: &Caller,
    conversation: Option<ConversationId>,
) -> Result<StatusCode, Problem> {
    let me = caller.staff;
    let seen = app
        .store
        .write(caller.organization, move |mut org| {
            async move { org.read_mentions(me, conversation).await.map_err(Problem::from) }.boxed()
        })
        .await?;
    if seen > 0 {
        tell(app, caller);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The caller's other pages count anew.
pub(super) fn tell(app: &App, caller: &Caller) {
    Said::Own { staff_id: caller.staff, what: "mentions".to_owned(), conversation_id: None }
        .whisper(&app.store, caller.organization);
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn read(body: &str) -> String {
        let one = |piece: Piece<'_>| match piece {
            Piece::Words(words) => format!("“{words}”"),
            Piece::Staff(id) => format!("s{}", id.0.as_u128()),
            Piece::Team(id) => format!("t{}", id.0.as_u128()),
        };
        pieces(body).into_iter().map(one).collect()
    }

    #[test]
    fn mentions_are_told_from_words() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(read(&format!("Ask @[staff:{one}], or @[team:{two}]")), "“Ask ”s1“, or ”t2");
        assert_eq!(read(&format!("@[staff:{one}]@[staff:{two}]")), "s1s2");
        for words in ["", "a@[b", "mail me @[staff:12]", "@[other:x]", "é@[]"] {
            let expected = if words.is_empty() { String::new() } else { format!("“{words}”") };
            assert_eq!(read(words), expected);
        }
        assert_eq!(read(&format!("@[x @[staff:{one}]")), "“@[x ”s1");
    }
}
