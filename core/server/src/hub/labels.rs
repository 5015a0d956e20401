//! Tags, category and priority, as staff set them.

use std::collections::BTreeSet;

use anteroom_model::{ids::ConversationId, states::Priority};
use anteroom_store::Conversation;
use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{
        actions::Change,
        changes::change,
        moves,
        views::{self, ConversationView},
    },
    problem::Problem,
};

/// Longest tag and longest category, in characters.
const TAG: usize = 40;
const CATEGORY: usize = 60;
/// The most that are suggested of each.
const SUGGESTED: u32 = 500;

/// What is to change; a field that is left out stays as it is. Tags and categories are not sealed: no word of a
/// patient's belongs into them.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelChange {
    /// 1 to 60 characters; null: none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(super) category: Change<String>,
    pub(super) priority: Option<Priority>,
    /// All of them: at most 20, of 1 to 40 characters each.
    tags: Option<Vec<String>>,
    /// To be added to those there are.
    #[serde(default)]
    add_tags: Vec<String>,
    /// To be taken from those there are.
    #[serde(default)]
    remove_tags: Vec<String>,
}

impl LabelChange {
    /// The same without spaces around the words.
    pub(super) fn checked(mut self) -> Result<Self, Problem> {
        if let Change::To(Some(category)) = &self.category {
            let category = word(category, CATEGORY)
                .ok_or_else(|| Problem::invalid("category has 1 to 60 characters."))?;
            self.category = Change::To(Some(category));
        }
        for tags in self.tags.iter_mut().chain([&mut self.add_tags, &mut self.remove_tags]) {
            let checked: Option<Vec<_>> = tags.iter().map(|tag| word(tag, TAG)).collect();
            *tags = checked.ok_or_else(|| Problem::invalid("A tag has 1 to 40 characters."))?;
        }
        Ok(self)
    }

    /// The tags that there are afterwards, each once.
    pub(super) fn applied_to(&self, tags: &[String]) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let kept = self.tags.as_deref().unwrap_or(tags).iter().filter(|tag| !self.remove_tags.contains(tag));
        kept.chain(&self.add_tags).filter(|tag| seen.insert(*tag)).cloned().collect()
    }
}

fn word(text: &str, longest: usize) -> Option<String> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= longest && !text.contains(char::is_control);
    fits.then(|| text.to_owned())
}

/// Sets tags, category and priority, also of a closed conversation. Routing heeds what staff set until the
/// conversation is opened anew: it may raise the priority, and changes none of the others. `If-Match` is heeded.
#[utoipa::path(patch, path = "/api/v1/conversations/{id}", tag = "conversations", request_body = LabelChange,
    params(("id" = ConversationId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = ConversationView), (status = 403), (status = 404),
        (status = 409, description = "It was changed since: `version`"), (status = 422)))]
pub(super) async fn set(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    Json(labels): Json<LabelChange>,
) -> Result<Json<ConversationView>, Problem> {
    let labels = labels.checked()?;
    let labelled: Conversation =
        change(&app, &caller, id, &headers, move |c| moves::label(c, &labels)).await?;
    Ok(Json(views::conversation(&app, caller.organization, labelled).await?))
}

/// Words that conversations have.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LabelsInUse {
    tags: Vec<String>,
    categories: Vec<String>,
}

/// The tags and categories in use, for whoever sets or looks for one; at most 500 of each.
#[utoipa::path(get, path = "/api/v1/labels", tag = "conversations", responses((status = 200, body = LabelsInUse)))]
pub(super) async fn in_use(State(app): State<App>, caller: Caller) -> Result<Json<LabelsInUse>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let tags = org.tags_in_use(SUGGESTED).await?;
    Ok(Json(LabelsInUse { tags, categories: org.categories_in_use(SUGGESTED).await? }))
}
