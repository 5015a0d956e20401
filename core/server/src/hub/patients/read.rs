//! One patient, and all of them.

use anteroom_model::ids::PatientId;
use axum::{
    Json,
    extract::{Path, Query, State},
};

use super::views::{self, PatientView};
use crate::{
    app::App,
    auth::Caller,
    hub::paging::{Page, PageQuery},
    problem::Problem,
};

/// One patient. An id that was merged into another one gives that one. The read is audited.
#[utoipa::path(get, path = "/api/v1/patients/{id}", tag = "patients", params(("id" = PatientId, Path)),
    responses((status = 200, body = PatientView), (status = 404)))]
pub(in crate::hub) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PatientId>,
) -> Result<Json<PatientView>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let mut org = app.store.read(caller.organization).await?;
    let view = views::read(&mut org, &entry, id).await?.ok_or_else(super::not_found)?;
    drop(org);
    caller.audit_read(&app, "patient.read", id.0).await?;
    Ok(Json(view))
}

/// Patients and placeholders, in the order they were added; not those that were merged away or deleted. To find
/// somebody, search. The read is audited.
#[utoipa::path(get, path = "/api/v1/patients", tag = "patients", params(PageQuery),
    responses((status = 200, body = Page<PatientView>)))]
pub(in crate::hub) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<PatientView>>, Problem> {
    let after = page.position()?.unwrap_or(PatientId::LEAST);
    let entry = app.directory.get(caller.organization).await?;
    let mut org = app.store.read(caller.organization).await?;
    let patients = org.patients(after, page.limit()).await?;
    let last = patients.last().map(|patient| patient.id);
    let full = patients.len() >= usize::try_from(page.limit()).unwrap_or(usize::MAX);
    let mut items = Vec::with_capacity(patients.len());
    for patient in patients {
        items.extend(views::read(&mut org, &entry, patient.id).await?);
    }
    drop(org);
    caller.audit_read(&app, "patients.listed", caller.staff.0).await?;
    Ok(Json(Page::up_to(items, last.filter(|_| full))))
}
