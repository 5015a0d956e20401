//! One box for names, dates of birth, phone numbers and ids.

use anteroom_model::{
    ids::PatientId,
    states::{PatientKind, PatientState},
};
use anteroom_store::{Found, SearchPosition};
use axum::{Json, extract::State};
use serde::Deserialize;
use serde::Serialize;
use utoipa::ToSchema;

use super::views;
use crate::{
    app::App,
    auth::Caller,
    hub::paging::{Page, PageQuery},
    problem::Problem,
};

/// Patients of a page where nothing is said.
const USUAL: u32 = 20;

/// What to look for.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::hub) struct Search {
    /// As staff type it: parts of names, a date of birth, a phone number or its last digits, an id; several
    /// of these must all agree.
    text: String,
    /// `next_cursor` of the page before.
    #[serde(default)]
    cursor: Option<String>,
    /// Patients wanted, 1 to 200; 20 by default.
    #[serde(default)]
    limit: Option<u32>,
}

/// A patient that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::hub) struct FoundView {
    id: PatientId,
    kind: PatientKind,
    state: PatientState,
    /// For `If-Match`.
    version: i64,
    display_name: String,
    first_name: String,
    last_name: String,
    preferred_name: Option<String>,
    former_names: Vec<String>,
    /// `YYYY-MM-DD`.
    date_of_birth: Option<String>,
    /// What agrees with the text: `name`, `date_of_birth`, `phone`, `id`.
    agrees: Vec<&'static str>,
    /// Where it agrees with a record that was merged into this patient: which.
    merged_record_id: Option<PatientId>,
}

/// Finds patients and placeholders. A POST, because what is looked for must not stand in an address; it changes
/// nothing and needs the scope `read` only. Whole words come before beginnings of words. The search is audited.
#[utoipa::path(post, path = "/api/v1/patients/search", tag = "patients", request_body = Search,
    responses((status = 200, body = Page<FoundView>)))]
pub(in crate::hub) async fn search(
    State(app): State<App>,
    caller: Caller,
    Json(search): Json<Search>,
) -> Result<Json<Page<FoundView>>, Problem> {
    let page = PageQuery { cursor: search.cursor, limit: Some(search.limit.unwrap_or(USUAL)) };
    let position: SearchPosition = page.position()?.unwrap_or_default();
    let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
    let mut org = app.store.read(caller.organization).await?;
    let found = org.search_patients(&search.text, position, limit).await?;
    drop(org);
    caller.audit_read(&app, "patients.searched", caller.staff.0).await?;
    Ok(Json(Page::up_to(found.found.into_iter().map(view).collect(), found.next)))
}

/// As an answer says it.
pub(in crate::hub) fn view(found: Found) -> FoundView {
    let Found { patient, record, agrees } = found;
    FoundView {
        display_name: views::display_name(&patient),
        id: patient.id,
        kind: patient.kind,
        state: patient.state,
        version: patient.version,
        first_name: patient.profile.first_name,
        last_name: patient.profile.last_name,
        preferred_name: patient.profile.preferred_name,
        former_names: patient.profile.former_names,
        date_of_birth: patient.profile.date_of_birth,
        agrees,
        merged_record_id: (record != patient.id).then_some(record),
    }
}
