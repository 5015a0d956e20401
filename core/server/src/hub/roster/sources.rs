//! Where lists come from.

use anteroom_model::{
    ids::{PatientId, RosterRunId, RosterSourceId},
    roster::RosterSettings,
    states::Role,
    time::Timestamp,
};
use anteroom_store::{Idempotent, NewRosterSource, Org, RosterFile, RosterSecrets, RosterSource};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::READERS;
use crate::{
    app::App,
    auth::Caller,
    hub::{
        changes::if_match,
        messages::{idempotency_key, misused_key},
        paging::Page,
    },
    problem::Problem,
    roster::sftp::ssh,
};

/// Sources of an organization at most.
const MOST: usize = 50;

/// A source of lists.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct RosterSourceView {
    id: RosterSourceId,
    name: String,
    settings: RosterSettings,
    enabled: bool,
    /// A password is stored. It is never shown.
    has_password: bool,
    /// A private key is stored. It is never shown.
    has_private_key: bool,
    /// `SHA256:…` of the known keys of the server, in their order.
    host_key_fingerprints: Vec<String>,
    /// When its folder is looked into again.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_look_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_look_at: Option<Timestamp>,
    /// `ok`, or what failed: `unreachable`, `lost`, `host_key`, `sign_in`, `keys`, `folder`, `protocol`, `left`.
    last_look: Option<String>,
    /// Looks that failed in a row.
    failures: i32,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// For `If-Match`.
    version: i64,
}

fn view(source: RosterSource) -> RosterSourceView {
    let keys = source.settings.sftp.iter().flat_map(|sftp| &sftp.host_keys);
    let fingerprints = keys.filter_map(|line| ssh::fingerprint(line).ok()).collect();
    RosterSourceView {
        id: source.id,
        name: source.name,
        settings: source.settings,
        enabled: source.enabled,
        has_password: source.secrets.password.is_some(),
        has_private_key: source.secrets.private_key.is_some(),
        host_key_fingerprints: fingerprints,
        next_look_at: source.next_look_at,
        last_look_at: source.last_look_at,
        last_look: source.last_look,
        failures: source.failures,
        created_at: source.created_at,
        updated_at: source.updated_at,
        version: source.version,
    }
}

fn tagged(source: RosterSource) -> Response {
    let tag = HeaderValue::from_str(&format!("\"{}\"", source.version));
    let mut response = Json(view(source)).into_response();
    if let Ok(tag) = tag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// A source to be made, or what one is to become.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct RosterSourceForm {
    /// Unique in the organization; also the `source` of the external ids in the directory.
    name: String,
    settings: RosterSettings,
    /// Its folder is looked into, and files are taken; true unless told otherwise.
    #[serde(default = "enabled")]
    enabled: bool,
    /// What signs in to the server: a password, or a private key (ed25519 or ecdsa) with its passphrase. Absent in
    /// a change: as it was.
    #[schema(value_type = Option<RosterSecretsForm>)]
    secrets: Option<RosterSecrets>,
}

const fn enabled() -> bool {
    true
}

/// What signs in to the server.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the form for the OpenAPI document")]
pub(in crate::hub) struct RosterSecretsForm {
    password: Option<String>,
    /// As OpenSSH or PEM writes it.
    private_key: Option<String>,
    passphrase: Option<String>,
}

impl RosterSourceForm {
    fn check(self, before: Option<&RosterSecrets>) -> Result<NewRosterSource, Problem> {
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 100 || name.contains(char::is_control) {
            return Err(Problem::invalid("name has 1 to 100 characters."));
        }
        self.settings.check().map_err(|error| wrong(error.path, &error.fix))?;
        let secrets = self.secrets.or_else(|| before.cloned()).unwrap_or_default();
        if let Some(sftp) = &self.settings.sftp {
            for line in &sftp.host_keys {
                ssh::read_host_key(line).map_err(|error| wrong("sftp.host_keys", &error.to_string()))?;
            }
            ssh::read_private_key(&secrets).map_err(|error| wrong("secrets", &error.to_string()))?;
            if secrets.is_empty() {
                return Err(wrong("secrets", "a password or a private key to sign in with"));
            }
        }
        Ok(NewRosterSource { name, settings: self.settings, secrets, enabled: self.enabled })
    }
}

fn wrong(path: &str, fix: &str) -> Problem {
    Problem::invalid(format!("{path}: {fix}")).with("path", path)
}

async fn known_facilities(org: &mut Org<'_>, new: &NewRosterSource) -> Result<(), Problem> {
    let known = org.facilities().await?;
    let named = new.settings.facilities.values().chain(&new.settings.default_facility);
    for id in named {
        if known.iter().all(|facility| facility.id != *id) {
            return Err(wrong("facilities", "ids of the organization's facilities"));
        }
    }
    Ok(())
}

/// Sources of lists, by name. For admins and auditors.
#[utoipa::path(get, path = "/api/v1/roster-sources", tag = "rosters",
    responses((status = 200, body = Page<RosterSourceView>), (status = 403)))]
pub(in crate::hub) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Page<RosterSourceView>>, Problem> {
    caller.require(&READERS)?;
    let sources = app.store.read(caller.organization).await?.roster_sources().await?;
    Ok(Json(Page::all(sources.into_iter().map(view).collect())))
}

/// One source. For admins and auditors.
#[utoipa::path(get, path = "/api/v1/roster-sources/{id}", tag = "rosters",
    params(("id" = RosterSourceId, Path)),
    responses((status = 200, body = RosterSourceView, headers(("ETag" = String))), (status = 403), (status = 404)))]
pub(in crate::hub) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RosterSourceId>,
) -> Result<Response, Problem> {
    caller.require(&READERS)?;
    let source = app.store.read(caller.organization).await?.roster_source(id).await?;
    Ok(tagged(source.ok_or_else(|| Problem::not_found("roster source"))?))
}

/// Makes a source. For admins; audited. With `settings.sftp`, its folder is looked into within seconds.
#[utoipa::path(post, path = "/api/v1/roster-sources", tag = "rosters", request_body = RosterSourceForm,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = RosterSourceView), (status = 403),
        (status = 409, description = "There is one of that name, or there are fifty"),
        (status = 422, description = "`path` says where")))]
pub(in crate::hub) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(wanted): Json<RosterSourceForm>,
) -> Result<Response, Problem> {
    caller.require(&[Role::Admin])?;
    let key = idempotency_key(&headers)?;
    let new = wanted.check(None)?;
    let author = caller.clone();
    let source = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                known_facilities(&mut org, &new).await?;
                if org.roster_sources().await?.len() >= MOST {
                    let detail = "There are fifty sources already.";
                    return Err(Problem::new(StatusCode::CONFLICT, "too-many", "Too many sources", detail));
                }
                let id: RosterSourceId = org.new_id();
                if let Some(key) = &key {
                    let request = format!("{}{:?}", new.name, new.settings);
                    match org.remember_key(author.staff, key, request.as_bytes(), id.0).await? {
                        Idempotent::Fresh => {}
                        Idempotent::Same(before) => {
                            let before = org.roster_source(RosterSourceId(before)).await?;
                            return before.ok_or_else(|| Problem::not_found("roster source"));
                        }
                        Idempotent::Misused => return Err(misused_key()),
                    }
                }
                org.insert_roster_source(id, &new, Some(author.staff)).await?;
                org.insert_audit(&author.audit("roster_source.created", Some(id.0))).await?;
                tell(&org, "roster_source.created", id, &author);
                org.roster_source(id).await?.ok_or_else(|| Problem::not_found("roster source"))
            }
            .boxed()
        })
        .await?;
    let location = format!("/api/v1/roster-sources/{}", source.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], tagged(source)).into_response())
}

fn tell(org: &Org<'_>, kind: &'static str, id: RosterSourceId, by: &Caller) {
    org.tell(anteroom_store::NewEvent {
        kind,
        conversation_id: None,
        actor: anteroom_store::Actor::Staff(by.staff),
        data: serde_json::json!({ "source_id": id }),
    });
}

/// Changes a source. For admins; audited. `If-Match` is needed.
#[utoipa::path(put, path = "/api/v1/roster-sources/{id}", tag = "rosters", request_body = RosterSourceForm,
    params(("id" = RosterSourceId, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = RosterSourceView), (status = 403), (status = 404),
        (status = 409, description = "It was changed since: `version`"), (status = 422),
        (status = 428, description = "If-Match is missing")))]
pub(in crate::hub) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RosterSourceId>,
    headers: HeaderMap,
    Json(wanted): Json<RosterSourceForm>,
) -> Result<Response, Problem> {
    caller.require(&[Role::Admin])?;
    let version = version_of(&headers)?;
    let author = caller.clone();
    let source = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let before =
                    org.roster_source(id).await?.ok_or_else(|| Problem::not_found("roster source"))?;
                let new = wanted.check(Some(&before.secrets))?;
                known_facilities(&mut org, &new).await?;
                if !org.update_roster_source(id, version, &new).await? {
                    let detail = "Somebody changed this source since you read it. Read it again.";
                    let title = "The source has changed";
                    return Err(Problem::new(StatusCode::CONFLICT, "changed", title, detail)
                        .with("version", before.version));
                }
                org.insert_audit(&author.audit("roster_source.changed", Some(id.0))).await?;
                tell(&org, "roster_source.changed", id, &author);
                org.roster_source(id).await?.ok_or_else(|| Problem::not_found("roster source"))
            }
            .boxed()
        })
        .await?;
    Ok(tagged(source))
}

fn version_of(headers: &HeaderMap) -> Result<i64, Problem> {
    if_match(headers)?.ok_or_else(|| {
        let detail = "Send If-Match with the version you have read, in quotes.";
        let title = "If-Match is missing";
        Problem::new(StatusCode::PRECONDITION_REQUIRED, "if-match-missing", title, detail)
    })
}

/// Looks into the source's folder now. For admins; audited. `last_look_at` and `last_look` tell how that ended.
#[utoipa::path(post, path = "/api/v1/roster-sources/{id}/look", tag = "rosters",
    params(("id" = RosterSourceId, Path)),
    responses((status = 202), (status = 403), (status = 404),
        (status = 409, description = "It has no folder, or is switched off")))]
pub(in crate::hub) async fn look(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RosterSourceId>,
) -> Result<StatusCode, Problem> {
    caller.require(&[Role::Admin])?;
    let audit = caller.audit("roster_source.looked", Some(id.0));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let source =
                    org.roster_source(id).await?.ok_or_else(|| Problem::not_found("roster source"))?;
                if source.next_look_at.is_none() {
                    let detail = "The source has no folder to look into, or is switched off.";
                    return Err(Problem::new(
                        StatusCode::CONFLICT,
                        "no-folder",
                        "There is no folder",
                        detail,
                    ));
                }
                let now = org.now();
                org.look_into_roster(id, now).await?;
                org.insert_audit(&audit).await?;
                Ok(())
            }
            .boxed()
        })
        .await?;
    Ok(StatusCode::ACCEPTED)
}

/// A file of a source's folder.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct RosterFileView {
    name: String,
    bytes: i64,
    /// By the server's clock.
    #[schema(value_type = String, format = DateTime)]
    modified_at: Timestamp,
    /// `waiting` until it has settled, `taken`, `same` as what was imported last, `refused`.
    state: &'static str,
    /// The run it has become, or the same file had become.
    run_id: Option<RosterRunId>,
}

fn file_view(file: RosterFile) -> RosterFileView {
    RosterFileView {
        name: file.name,
        bytes: file.size,
        modified_at: Timestamp::from_micros(file.modified.saturating_mul(1_000_000)),
        state: file.state.as_str(),
        run_id: file.run_id,
    }
}

/// What was in the source's folder at the last look. For admins and auditors; audited: names of files may say
/// something of patients.
#[utoipa::path(get, path = "/api/v1/roster-sources/{id}/files", tag = "rosters",
    params(("id" = RosterSourceId, Path)),
    responses((status = 200, body = Page<RosterFileView>), (status = 403), (status = 404)))]
pub(in crate::hub) async fn files(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<RosterSourceId>,
) -> Result<Json<Page<RosterFileView>>, Problem> {
    caller.require(&READERS)?;
    let mut org = app.store.read(caller.organization).await?;
    org.roster_source(id).await?.ok_or_else(|| Problem::not_found("roster source"))?;
    let files = org.roster_files(id).await?;
    drop(org);
    caller.audit_read(&app, "roster_files.read", id.0).await?;
    Ok(Json(Page::all(files.into_iter().map(file_view).collect())))
}

/// That a patient is or was in a source's lists.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct RosterMembershipView {
    source_id: RosterSourceId,
    source: String,
    /// They are in its last list.
    active: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    missing_since: Option<Timestamp>,
}

/// In which sources' lists a patient is or was. Audited.
#[utoipa::path(get, path = "/api/v1/patients/{id}/rosters", tag = "rosters", params(("id" = PatientId, Path)),
    responses((status = 200, body = Page<RosterMembershipView>), (status = 404)))]
pub(in crate::hub) async fn of_patient(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PatientId>,
) -> Result<Json<Page<RosterMembershipView>>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let patient = org.patient(id).await?.ok_or_else(|| Problem::not_found("patient"))?;
    let memberships = org.rosters_of_patient(patient.id).await?;
    drop(org);
    caller.audit_read(&app, "patient.read", id.0).await?;
    let items = memberships.into_iter().map(|one| RosterMembershipView {
        source_id: one.source_id,
        source: one.source,
        active: one.missing_since.is_none(),
        missing_since: one.missing_since,
    });
    Ok(Json(Page::all(items.collect())))
}
