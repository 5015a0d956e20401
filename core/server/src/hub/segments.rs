//! What a text costs, so that no client needs an implementation of its own.

use anteroom_model::{
    ids::NumberId,
    segments::{self, Encoding},
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::messages::{LONGEST, check_storable},
    problem::Problem,
};

/// A text that is being written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    /// The text; may be empty.
    body: String,
    /// The number it is to be sent from: its carrier says how long a text may be.
    number_id: Option<NumberId>,
}

/// What a text costs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Cost {
    /// `gsm7`, or `ucs2` because of a character that the GSM alphabet lacks.
    #[schema(value_type = String)]
    encoding: Encoding,
    /// Septets or UTF-16 units.
    units: usize,
    /// Segments that are sent and paid; 0 for an empty text.
    segments: usize,
    /// Units still free in the last segment.
    remaining: usize,
    /// Characters.
    characters: usize,
    /// The most characters that are taken.
    longest: usize,
    /// The characters that make it `ucs2`, each once.
    beyond_gsm7: Vec<char>,
    /// The texts that the patient gets, where the carrier doesn't take it as one.
    texts: usize,
    /// The same text with plain quotes, hyphens and the like, where that is cheaper.
    plainer: Option<Plainer>,
}

/// A cheaper way to write a text.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Plainer {
    body: String,
    /// `gsm7` or `ucs2`.
    #[schema(value_type = String)]
    encoding: Encoding,
    segments: usize,
}

/// Counts the segments of a text (3GPP TS 23.038), and offers a cheaper one where typographic quotes or dashes make
/// it dear. Nothing is stored.
#[utoipa::path(post, path = "/api/v1/segments", tag = "messages", request_body = Draft,
    responses((status = 200, body = Cost), (status = 404), (status = 422)))]
pub(super) async fn count(
    State(app): State<App>,
    caller: Caller,
    Json(Draft { body, number_id }): Json<Draft>,
) -> Result<Json<Cost>, Problem> {
    check_storable(&body)?;
    let entry = app.directory.get(caller.organization).await?;
    let carrier = match number_id {
        None => None,
        Some(id) => {
            let number = entry.numbers.get(&id).ok_or_else(|| Problem::not_found("number"))?;
            entry.accounts.get(&number.carrier_account_id).map(|account| account.credentials.carrier())
        }
    };
    let counted = segments::segments(&body);
    let mut beyond_gsm7: Vec<char> = Vec::new();
    for c in body.chars().filter(|c| segments::septets(*c).is_none()) {
        if !beyond_gsm7.contains(&c) {
            beyond_gsm7.push(c);
        }
    }
    let plainer = segments::plainer(&body).map(|body| {
        let counted = segments::segments(&body);
        Plainer { body, encoding: counted.encoding, segments: counted.segments }
    });
    Ok(Json(Cost {
        encoding: counted.encoding,
        units: counted.units,
        segments: counted.segments,
        remaining: counted.remaining,
        characters: body.chars().count(),
        longest: LONGEST,
        beyond_gsm7,
        texts: carrier.map_or(1, |carrier| segments::texts(&body, carrier.longest_text()).len()),
        plainer,
    }))
}
