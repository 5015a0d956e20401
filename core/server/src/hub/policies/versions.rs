//! The policy versions there are, what they read, who sent and signed them, what an upgrade means for them.

use std::sync::Arc;

use anteroom_model::{
    hooks::Hook,
    ids::{PolicyId, SigningKeyId, StaffId},
    time::Timestamp,
};
use anteroom_policy::{Digest, Policy};
use anteroom_store::PolicyRow;
use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{paging::Page, policies::signing},
    policies::LoadError,
    problem::Problem,
};

/// A policy version.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct PolicyView {
    id: PolicyId,
    name: String,
    version: String,
    /// `builtin` or `uploaded`.
    origin: String,
    /// SHA-256 of the component, hex.
    digest: String,
    /// The hooks it serves; null for one from before that was noted.
    hooks: Option<Vec<String>>,
    /// Functions it imports, for example `host.history`.
    imports: Option<Vec<String>>,
    /// Its own description: name, settings schema, default settings, patient fields.
    manifest: Value,
    /// The most that each hook took on the sample turns of the upload: `hook`, `turns`, `fuel`, `memory_peak`
    /// (bytes), `micros`; null where it came with Anteroom or before that was noted.
    probe: Option<Value>,
    /// Who uploaded it.
    created_by: Option<StaffId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn view(policy: PolicyRow) -> PolicyView {
    PolicyView {
        id: policy.id,
        name: policy.name,
        version: policy.version,
        origin: policy.origin,
        digest: hex::encode(policy.digest),
        hooks: policy.hooks.map(|hooks| hooks.0),
        imports: policy.imports.map(|imports| imports.0),
        manifest: policy.manifest.0,
        probe: policy.probe.map(|probe| probe.0),
        created_by: policy.created_by,
        created_at: policy.created_at,
    }
}

/// All policy versions, by name.
#[utoipa::path(get, path = "/api/v1/policies", tag = "policies",
    responses((status = 200, body = Page<PolicyView>)))]
pub(in crate::hub) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Page<PolicyView>>, Problem> {
    let policies = app.store.read(caller.organization).await?.policies().await?;
    Ok(Json(Page::all(policies.into_iter().map(view).collect())))
}

/// A policy version, loaded, if it can be run and serves the hook.
pub(in crate::hub) async fn runnable(
    app: &App,
    caller: &Caller,
    row: &PolicyRow,
    hook: Hook,
) -> Result<Arc<Policy>, Problem> {
    let digest = Digest::try_from(row.digest.as_slice());
    let digest = digest.map_err(|_| Problem::invalid("The policy's component is gone."))?;
    match app.policies.get(&app.store, caller.organization, digest).await {
        Ok(policy) if policy.serves(hook) => Ok(policy),
        Ok(_) => Err(Problem::invalid(format!("The policy doesn't serve {hook}."))),
        Err(LoadError::Store(error)) => Err(error.into()),
        Err(error) => Err(Problem::invalid(format!("The policy can't be run: {error}."))),
    }
}

/// A signature of a policy version.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct SignatureView {
    key_id: SigningKeyId,
    key_name: String,
    /// The key counts no more since then.
    #[schema(value_type = Option<String>, format = DateTime)]
    key_revoked_at: Option<Timestamp>,
    created_by: Option<StaffId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A policy version with who stands behind it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct PolicyDetail {
    #[serde(flatten)]
    policy: PolicyView,
    signatures: Vec<SignatureView>,
}

/// One policy version.
#[utoipa::path(get, path = "/api/v1/policies/{id}", tag = "policies", params(("id" = PolicyId, Path)),
    responses((status = 200, body = PolicyDetail), (status = 404)))]
pub(in crate::hub) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PolicyId>,
) -> Result<Json<PolicyDetail>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let policy = org.policy(id).await?.ok_or_else(|| Problem::not_found("policy"))?;
    let signatures = org.signatures(id).await?.into_iter().map(|signature| SignatureView {
        key_id: signature.key_id,
        key_name: signature.key_name,
        key_revoked_at: signature.revoked_at,
        created_by: signature.created_by,
        created_at: signature.created_at,
    });
    Ok(Json(PolicyDetail { signatures: signatures.collect(), policy: view(policy) }))
}

/// What this Anteroom makes of a stored version.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct Compatibility {
    policy_id: PolicyId,
    name: String,
    version: String,
    /// Whether something standing is bound to it.
    bound: bool,
    /// It loads and links.
    works: bool,
    /// Why it doesn't: `code`, `path`, `expected`, `found`, `fix`.
    refusal: Option<Value>,
}

/// What a host's version means for what is stored.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct CompatibilityReport {
    /// The host's and Wasmtime's version.
    engine: String,
    /// The WIT package that it serves.
    wit: &'static str,
    policies: Vec<Compatibility>,
}

/// Loads every stored version with the host that is running: after an upgrade, what still works.
#[utoipa::path(get, path = "/api/v1/policies/compat", tag = "policies",
    responses((status = 200, body = CompatibilityReport)))]
pub(in crate::hub) async fn compat(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<CompatibilityReport>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let (stored, bindings) = (org.policies().await?, org.bindings().await?);
    drop(org);
    let mut policies = Vec::with_capacity(stored.len());
    for policy in stored {
        let digest = signing::digest(&policy)?;
        let refusal = match app.policies.get(&app.store, caller.organization, digest).await {
            Ok(_) => None,
            Err(error) => serde_json::to_value(error.refusal()?).ok(),
        };
        policies.push(Compatibility {
            bound: bindings.iter().any(|binding| binding.policy_id == policy.id),
            policy_id: policy.id,
            name: policy.name,
            version: policy.version,
            works: refusal.is_none(),
            refusal,
        });
    }
    let engine = app.policies.host().engine_name().to_owned();
    Ok(Json(CompatibilityReport { engine, wit: "anteroom:policy@1.0.0", policies }))
}
