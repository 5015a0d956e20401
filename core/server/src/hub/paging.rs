//! Lists page by cursor: opaque to clients, stable while rows are added.

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

const DEFAULT: u32 = 50;
const MOST: u32 = 200;

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// `next_cursor` of the page before; absent for the first.
    pub(super) cursor: Option<String>,
    /// Items wanted, 1 to 200; 50 by default.
    pub(super) limit: Option<u32>,
}

impl PageQuery {
    pub(super) fn limit(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT).clamp(1, MOST)
    }

    /// Where the page begins.
    pub(super) fn position<T: DeserializeOwned>(&self) -> Result<Option<T>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let read = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|json| serde_json::from_slice(&json).ok());
        read.map(Some).ok_or_else(|| {
            let detail = "The cursor is none that a list of this kind has given out.";
            Problem::new(StatusCode::BAD_REQUEST, "cursor", "Unusable cursor", detail)
        })
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The items, in the list's order.
    pub(super) items: Vec<T>,
    /// For the next page; null on the last.
    pub(super) next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A whole list.
    pub(super) fn all(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }

    /// A page whose next one begins at `next`, if there is one.
    pub(super) fn up_to<P: Serialize>(items: Vec<T>, next: Option<P>) -> Self {
        let next_cursor =
            next.and_then(|next| serde_json::to_vec(&next).ok()).map(|json| URL_SAFE_NO_PAD.encode(json));
        Self { items, next_cursor }
    }

    /// A page whose next one begins after `last`, if it is full.
    pub(super) fn cut<P: Serialize>(items: Vec<T>, limit: u32, last: Option<P>) -> Self {
        let full = items.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        Self::up_to(items, last.filter(|_| full))
    }
}
