//! Patients as staff see them.

use anteroom_model::{ids::PatientId, states::PatientKind};
use anteroom_store::{Org, Patient};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::paging::{Page, PageQuery},
    problem::Problem,
};

/// A patient.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PatientView {
    id: PatientId,
    kind: PatientKind,
    /// The name staff see; a placeholder's random one.
    display_name: String,
    first_name: String,
    last_name: String,
    preferred_name: Option<String>,
    /// `YYYY-MM-DD`.
    date_of_birth: Option<String>,
    language: Option<String>,
    /// E.164.
    phones: Vec<String>,
}

/// One patient. The read is audited.
#[utoipa::path(get, path = "/api/v1/patients/{id}", tag = "patients", params(("id" = PatientId, Path)),
    responses((status = 200, body = PatientView), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PatientId>,
) -> Result<Json<PatientView>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let patient = org.patient(id).await?.ok_or_else(|| Problem::not_found("patient"))?;
    let view = view(&mut org, patient).await?;
    drop(org);
    caller.audit_read(&app, "patient.read", id.0).await?;
    Ok(Json(view))
}

/// Patients and placeholders, in the order they were added. The read is audited.
#[utoipa::path(get, path = "/api/v1/patients", tag = "patients", params(PageQuery),
    responses((status = 200, body = Page<PatientView>)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<PatientView>>, Problem> {
    let after = page.position()?.unwrap_or(PatientId::LEAST);
    let mut org = app.store.read(caller.organization).await?;
    let patients = org.patients(after, page.limit()).await?;
    let last = patients.last().map(|patient| patient.id);
    let mut items = Vec::with_capacity(patients.len());
    for patient in patients {
        items.push(view(&mut org, patient).await?);
    }
    drop(org);
    caller.audit_read(&app, "patients.listed", caller.staff.0).await?;
    Ok(Json(Page::cut(items, page.limit(), last)))
}

async fn view(org: &mut Org<'_>, patient: Patient) -> Result<PatientView, Problem> {
    let phones = org.phones_of(patient.id).await?;
    let profile = patient.profile;
    Ok(PatientView {
        id: patient.id,
        kind: patient.kind,
        display_name: profile.display_name(),
        first_name: profile.first_name,
        last_name: profile.last_name,
        preferred_name: profile.preferred_name,
        date_of_birth: profile.date_of_birth,
        language: profile.language,
        phones,
    })
}
