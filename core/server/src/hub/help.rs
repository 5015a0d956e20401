//! The Help Center's articles. Nothing of a patient is in them.

use axum::{
    Json,
    extract::{Path, Query},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    auth::Caller,
    help::{self, LANGUAGES, LIBRARY, document::Article},
    problem::Problem,
};

/// The longest search, in characters.
const LONGEST: usize = 200;

/// In which language.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct InLanguage {
    /// `en` or `es`; English unless told otherwise, and where an article isn't there in the other.
    language: Option<String>,
}

impl InLanguage {
    fn code(&self) -> &str {
        self.language.as_deref().unwrap_or(LANGUAGES[0])
    }
}

/// What there is to read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HelpContents {
    /// Anteroom's version: what a question to its operator names.
    version: &'static str,
    /// In the order of a table of contents.
    articles: Vec<HelpEntry>,
}

/// An article of the table of contents.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HelpEntry {
    slug: String,
    language: &'static str,
    title: String,
    /// Its first sentence or two; of a search, the line that fits best.
    summary: String,
    /// Places of the Hub that it concerns.
    places: Vec<String>,
    /// `texts`, `patients`, `yourself` or `clinic`.
    section: String,
}

impl HelpEntry {
    fn of(document: &Article, summary: String) -> Self {
        Self {
            slug: document.slug.clone(),
            language: document.language,
            title: document.title.clone(),
            summary,
            places: document.places.clone(),
            section: document.section.clone(),
        }
    }
}

/// Every article, without its text.
#[utoipa::path(get, path = "/api/v1/help", tag = "help", params(InLanguage),
    responses((status = 200, body = HelpContents)))]
pub(super) async fn list(_: Caller, Query(wanted): Query<InLanguage>) -> Json<HelpContents> {
    let articles = LIBRARY.contents(wanted.code());
    let articles =
        articles.into_iter().map(|document| HelpEntry::of(document, document.summary.clone())).collect();
    Json(HelpContents { version: env!("CARGO_PKG_VERSION"), articles })
}

/// An article, as parts to be drawn: it holds no HTML.
#[utoipa::path(get, path = "/api/v1/help/{slug}", tag = "help", params(("slug" = String, Path), InLanguage),
    responses((status = 200, body = Article), (status = 404)))]
pub(super) async fn get(
    _: Caller,
    Path(slug): Path<String>,
    Query(wanted): Query<InLanguage>,
) -> Result<Json<Article>, Problem> {
    let document = LIBRARY.article(&slug, wanted.code());
    document.cloned().map(Json).ok_or_else(|| Problem::not_found("article"))
}

/// What is looked for: in the body, since people type names anywhere.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HelpSearch {
    /// Words or beginnings of words; an article has all of them. Accents and capitals don't matter.
    text: String,
    /// `en` or `es`.
    language: Option<String>,
}

/// Articles that fit, the best first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FoundArticles {
    items: Vec<HelpEntry>,
}

/// Searches the articles. Words in a title count most.
#[utoipa::path(post, path = "/api/v1/help/search", tag = "help", request_body = HelpSearch,
    responses((status = 200, body = FoundArticles), (status = 422)))]
pub(super) async fn search(
    _: Caller,
    Json(wanted): Json<HelpSearch>,
) -> Result<Json<FoundArticles>, Problem> {
    if wanted.text.chars().count() > LONGEST {
        return Err(Problem::invalid(format!("text has at most {LONGEST} characters.")));
    }
    let language = wanted.language.as_deref().unwrap_or(LANGUAGES[0]);
    let found = LIBRARY.search(&wanted.text, language);
    let items = found.into_iter().map(|one| HelpEntry::of(one.document, one.excerpt)).collect();
    Ok(Json(FoundArticles { items }))
}

/// A picture of an article.
#[utoipa::path(get, path = "/api/v1/help/pictures/{name}", tag = "help", params(("name" = String, Path)),
    responses((status = 200, content_type = "image/png"), (status = 404)))]
pub(super) async fn picture(_: Caller, Path(name): Path<String>) -> Result<Response, Problem> {
    let file = help::picture(&name).ok_or_else(|| Problem::not_found("picture"))?;
    let kind = HeaderValue::from_str(file.metadata.mimetype()).map_err(|error| Problem::internal(&error))?;
    let headers = [
        (header::CONTENT_TYPE, kind),
        // A new version of Anteroom brings new pictures; until then the browser keeps them.
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600")),
    ];
    Ok((headers, file.data.into_owned()).into_response())
}
