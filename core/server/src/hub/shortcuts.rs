//! Saved replies: what the shortcuts policy offers in a conversation.

use anteroom_model::{
    hooks::{HookInput, HookOutput, ShortcutContext},
    ids::ConversationId,
};
use anteroom_store::{Conversation, Number};
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
    hub::paging::Page,
    pipeline::{
        breaker,
        chain::{self, Answer, PolicyFault, Subject},
        gather::hours_of,
        number_for_policies,
    },
    problem::Problem,
};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct In {
    /// The conversation it is for.
    conversation_id: ConversationId,
}

/// The conversation a shortcut is filled for.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Expand {
    conversation_id: ConversationId,
}

/// A saved reply.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShortcutView {
    /// What is typed after `/`.
    name: String,
    title: String,
    /// With its variables unfilled.
    template: String,
}

/// A saved reply, filled.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExpansionView {
    body: String,
    /// Variables that could not be filled; they stand in `body` as written.
    missing: Vec<String>,
}

/// What the organization's shortcuts policy offers here.
#[utoipa::path(get, path = "/api/v1/shortcuts", tag = "shortcuts", params(In),
    responses((status = 200, body = Page<ShortcutView>), (status = 404),
        (status = 422, description = "The policy failed: `fault` says how")))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(In { conversation_id }): Query<In>,
) -> Result<Json<Page<ShortcutView>>, Problem> {
    let place = Place::find(&app, &caller, conversation_id).await?;
    let output = place.ask(&app, &caller, HookInput::ShortcutList(place.context.clone())).await?;
    let Some(HookOutput::ShortcutList(shortcuts)) = output else { return Ok(Json(Page::all(Vec::new()))) };
    let items = shortcuts
        .into_iter()
        .map(|shortcut| ShortcutView {
            name: shortcut.name,
            title: shortcut.title,
            template: shortcut.template,
        })
        .collect();
    Ok(Json(Page::all(items)))
}

/// Fills a shortcut's variables for a conversation. Nothing is sent.
#[utoipa::path(post, path = "/api/v1/shortcuts/{name}/expand", tag = "shortcuts", request_body = Expand,
    params(("name" = String, Path)),
    responses((status = 200, body = ExpansionView), (status = 404),
        (status = 422, description = "The policy failed: `fault` says how")))]
pub(super) async fn expand(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Json(Expand { conversation_id }): Json<Expand>,
) -> Result<Json<ExpansionView>, Problem> {
    caller.may_write()?;
    let place = Place::find(&app, &caller, conversation_id).await?;
    // What comes back may hold the patient's name.
    caller.audit_read(&app, "shortcut.expanded", conversation_id.0).await?;
    let input = HookInput::ShortcutExpand { name, context: place.context.clone() };
    match place.ask(&app, &caller, input).await? {
        Some(HookOutput::ShortcutExpand(filled)) => {
            Ok(Json(ExpansionView { body: filled.body, missing: filled.missing }))
        }
        _ => Err(Problem::not_found("shortcut")),
    }
}

/// Where a member of staff is writing.
struct Place {
    conversation: Conversation,
    number: Number,
    context: ShortcutContext,
}

impl Place {
    async fn find(app: &App, caller: &Caller, id: ConversationId) -> Result<Self, Problem> {
        let entry = app.directory.get(caller.organization).await?;
        let mut org = app.store.read(caller.organization).await?;
        let conversation = org.conversation(id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
        let teams = org.teams_of(caller.staff).await?;
        let number = entry.numbers.get(&conversation.number_id).cloned();
        let number = number.ok_or_else(|| Problem::not_found("number"))?;
        let context = ShortcutContext {
            staff_name: caller.name.clone(),
            teams: teams.into_iter().map(|team| team.name).collect(),
            number: number_for_policies(&entry, &number),
            hours: hours_of(&entry, &number, app.store.now())?,
        };
        Ok(Self { conversation, number, context })
    }

    async fn ask(&self, app: &App, caller: &Caller, input: HookInput) -> Result<Option<HookOutput>, Problem> {
        let entry = app.directory.get(caller.organization).await?;
        let subject = Subject {
            organization: caller.organization,
            number: &self.number,
            conversation: Some(&self.conversation),
            message: None,
            now: app.store.now(),
        };
        // A person reads what comes back before anything is done with it.
        let verdict = chain::ask(app, &entry, subject, input, &|_| Ok(())).await?;
        let decisions = verdict.decisions;
        let judged = app
            .store
            .write(caller.organization, move |mut org| {
                async move { breaker::record(&mut org, &entry, decisions).await }.boxed()
            })
            .await?;
        breaker::spread(app, caller.organization, judged);
        match verdict.answer {
            Answer::Decided { output, .. } => Ok(Some(output)),
            Answer::NoOpinion => Ok(None),
            Answer::Fault(PolicyFault { by, kind, message }) => Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "policy-fault",
                "The shortcuts policy failed",
                format!("The policy “{}” {} failed ({kind}): {message}", by.policy, by.version),
            )
            .with("fault", kind)),
        }
    }
}
