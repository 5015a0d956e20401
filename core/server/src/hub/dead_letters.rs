//! What did not get where it should: a list to look through, with a way to try again.

use anteroom_model::{
    ids::{ConversationId, MessageId, NumberId},
    states::MessageState,
};
use axum::{
    Json,
    extract::{Query, State},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    auth::Caller,
    hub::{
        paging::{Page, PageQuery},
        views::{self, MessageView, Names},
    },
    problem::Problem,
};

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// `dead`, `held`, `failed` or `unknown`; all of them unless one is named.
    state: Option<MessageState>,
}

/// A message that nobody works on any more and that did not get where it should.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeadLetterView {
    #[serde(flatten)]
    message: MessageView,
    /// Its conversation, if it got into one.
    conversation_id: Option<ConversationId>,
    /// The clinic's number.
    number_id: NumberId,
    /// The patient's phone number, E.164.
    peer: String,
    /// How often it was tried.
    attempts: i32,
}

/// Texts that could not be worked off (`dead`: tried ten times), that came to a number which takes none
/// (`held`), that the carrier refused (`failed`) or of which nobody can tell whether they went out
/// (`unknown`). Newest first; the read is audited. `POST /api/v1/messages/{id}/retry` tries one again.
#[utoipa::path(get, path = "/api/v1/dead-letters", tag = "messages", params(Which, PageQuery),
    responses((status = 200, body = Page<DeadLetterView>), (status = 422)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(Which { state }): Query<Which>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<DeadLetterView>>, Problem> {
    use MessageState::{Dead, Failed, Held, Unknown};
    if state.is_some_and(|state| ![Dead, Held, Failed, Unknown].contains(&state)) {
        return Err(Problem::invalid("`state` is dead, held, failed or unknown."));
    }
    let before = page.position()?.unwrap_or(MessageId::GREATEST);
    let entry = app.directory.get(caller.organization).await?;
    let mut org = app.store.read(caller.organization).await?;
    let list = org.set_aside(state, before, page.limit()).await?;
    let end = list.last().map(|message| message.id);
    let names = Names::read(&mut org).await?;
    let mut items = Vec::with_capacity(list.len());
    for message in list {
        let media = views::media(&mut org, &message).await?;
        items.push(DeadLetterView {
            conversation_id: message.conversation_id,
            number_id: message.number_id,
            peer: message.peer.clone(),
            attempts: message.attempt,
            message: views::message(message, media, &names, &entry),
        });
    }
    drop(org);
    caller.audit_read(&app, "dead_letters.listed", caller.staff.0).await?;
    Ok(Json(Page::cut(items, page.limit(), end)))
}
