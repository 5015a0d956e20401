//! What serves a hook: binding, trying beside, going back.

use anteroom_model::{
    hooks::Hook,
    ids::{BindingId, NumberId, PolicyId, StaffId},
    states::{BindingMode, Role},
    time::Timestamp,
};
use anteroom_policy::settings_schema;
use anteroom_store::{Actor, Binding, Canary, Idempotent, NewBinding, NewEvent, Org, PolicyRow, Retired};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{
        messages::{idempotency_key, misused_key},
        paging::{Page, PageQuery},
        policies::{health, signing},
        views::Named,
    },
    problem::Problem,
};

/// Places of a chain.
const POSITIONS: i32 = 100;

/// Which conversations a canary takes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct CanaryBody {
    /// Share of conversations, 0 to 100; a conversation stays with what it fell to.
    #[serde(default)]
    percent: u8,
    /// Numbers whose conversations it takes all of.
    #[serde(default)]
    numbers: Vec<NumberId>,
}

/// What serves a hook.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct BindingView {
    id: BindingId,
    /// `identity`, `routing`, `replies` or `shortcuts`.
    hook: String,
    /// Null: the whole organization.
    number_id: Option<NumberId>,
    /// Order of the chain.
    position: i32,
    mode: BindingMode,
    policy: Named<PolicyId>,
    policy_version: String,
    settings: Value,
    /// Patient fields that an admin has granted.
    granted_fields: Vec<String>,
    canary: Option<CanaryBody>,
    /// The binding whose place it took: what a rollback goes back to.
    replaced_id: Option<BindingId>,
    /// Off until then, after too many faults.
    #[schema(value_type = Option<String>, format = DateTime)]
    off_until: Option<Timestamp>,
    created_by: Option<StaffId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    retired_at: Option<Timestamp>,
    /// `staff`, `replaced`, `rolled_back` or `faults`.
    retired_because: Option<String>,
}

fn view(binding: Binding) -> BindingView {
    BindingView {
        id: binding.id,
        hook: binding.hook,
        number_id: binding.number_id,
        position: binding.position,
        mode: binding.mode,
        policy: Named { id: binding.policy_id, name: binding.policy_name },
        policy_version: binding.policy_version,
        settings: serde_json::from_str(&binding.settings).unwrap_or(Value::Null),
        granted_fields: binding.granted_fields.0,
        canary: binding
            .canary
            .map(|canary| CanaryBody { percent: canary.0.percent, numbers: canary.0.numbers }),
        replaced_id: binding.replaced_id,
        off_until: binding.halted_until,
        created_by: binding.created_by,
        created_at: binding.created_at,
        retired_at: binding.retired_at,
        retired_because: binding.retired_because,
    }
}

/// A binding just made, and what gives cause to think twice.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::hub) struct Bound {
    binding: BindingView,
    /// Costs that have grown by more than the organization's share.
    warnings: Vec<health::Growth>,
}

/// The standing bindings, in the order of their chains.
#[utoipa::path(get, path = "/api/v1/bindings", tag = "policies",
    responses((status = 200, body = Page<BindingView>)))]
pub(in crate::hub) async fn list(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Page<BindingView>>, Problem> {
    let bindings = app.store.read(caller.organization).await?.bindings().await?;
    Ok(Json(Page::all(bindings.into_iter().map(view).collect())))
}

/// Bindings that have ended, those made last first.
#[utoipa::path(get, path = "/api/v1/bindings/past", tag = "policies", params(PageQuery),
    responses((status = 200, body = Page<BindingView>)))]
pub(in crate::hub) async fn past(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<BindingView>>, Problem> {
    let before = page.position()?.unwrap_or(BindingId::GREATEST);
    let mut org = app.store.read(caller.organization).await?;
    let bindings = org.past_bindings(before, page.limit()).await?;
    let last = bindings.last().map(|binding| binding.id);
    Ok(Json(Page::cut(bindings.into_iter().map(view).collect(), page.limit(), last)))
}

/// A binding to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct Bind {
    /// `identity`, `routing`, `replies` or `shortcuts`.
    hook: String,
    /// For one number; absent for the whole organization.
    number_id: Option<NumberId>,
    /// Order of the chain, from 0.
    #[serde(default)]
    position: i32,
    mode: BindingMode,
    policy_id: PolicyId,
    /// Absent: the policy's default settings.
    settings: Option<Value>,
    /// Patient fields that it may read, of those that its manifest asks for.
    #[serde(default)]
    granted_fields: Vec<String>,
    /// For the mode `canary`: which conversations it takes.
    canary: Option<CanaryBody>,
}

/// Binds a policy version to a hook. For admins.
///
/// An active binding takes the place of the active one at the same number and position, in one step: no text
/// finds the place empty. A canary is tried in the place of the active one there, a shadow beside it.
#[utoipa::path(post, path = "/api/v1/bindings", tag = "policies", request_body = Bind,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = Bound), (status = 403), (status = 404),
        (status = 409, description = "Somebody else bound something there just now"),
        (status = 422, description = "`errors` names the fields of the settings that don't fit the schema")))]
pub(in crate::hub) async fn bind(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(wanted): Json<Bind>,
) -> Result<(StatusCode, Json<Bound>), Problem> {
    caller.require(&[Role::Admin])?;
    let key = idempotency_key(&headers)?;
    let hook = Hook::parse(&wanted.hook)
        .ok_or_else(|| Problem::invalid(anteroom_model::hooks::UnknownHook.to_string()))?;
    let mut org = app.store.read(caller.organization).await?;
    let policy = org.policy(wanted.policy_id).await?.ok_or_else(|| Problem::not_found("policy"))?;
    let new = check(&app, &caller, &mut org, hook, &wanted, &policy).await?;
    drop(org);
    let warnings = if new.mode == BindingMode::Shadow {
        Vec::new()
    } else {
        health::growth(&app, caller.organization, hook, &new).await?
    };
    let by = caller.staff;
    let audit = caller.audit("binding.made", Some(wanted.policy_id.0));
    let id = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let mut new = new;
                let id: BindingId = org.new_id();
                if let Some(key) = key {
                    // Settings and all: what is asked for, and not how it was written.
                    match org.remember_key(by, &key, format!("{wanted:?}").as_bytes(), id.0).await? {
                        Idempotent::Fresh => {}
                        Idempotent::Same(before) => return Ok(BindingId::from(before)),
                        Idempotent::Misused => return Err(misused_key()),
                    }
                }
                if new.mode == BindingMode::Active
                    && let Some(before) = in_the_way(&org.bindings().await?, &new)
                {
                    org.retire_binding(before, Retired::Replaced, Some(by)).await?;
                    new.replaced_id = Some(before);
                }
                org.insert_binding_as(id, &new).await?;
                org.insert_audit(&audit).await?;
                tell(&org, by, "policy.bound", id, hook.as_str());
                Ok(id)
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    let binding = app.store.read(caller.organization).await?.binding(id).await?;
    let binding = view(binding.ok_or_else(|| Problem::not_found("binding"))?);
    Ok((StatusCode::CREATED, Json(Bound { binding, warnings })))
}

fn in_the_way(standing: &[Binding], new: &NewBinding) -> Option<BindingId> {
    let same = |binding: &&Binding| {
        binding.mode == BindingMode::Active
            && binding.hook == new.hook
            && binding.number_id == new.number_id
            && binding.position == new.position
    };
    standing.iter().find(same).map(|binding| binding.id)
}

fn tell(org: &Org<'_>, by: StaffId, kind: &'static str, id: BindingId, hook: &str) {
    let (conversation_id, actor) = (None, Actor::Staff(by));
    let data = json!({ "binding_id": id, "hook": hook });
    org.tell(NewEvent { kind, conversation_id, actor, data });
}

async fn check(
    app: &App,
    caller: &Caller,
    org: &mut Org<'_>,
    hook: Hook,
    wanted: &Bind,
    policy: &PolicyRow,
) -> Result<NewBinding, Problem> {
    if let Some(hooks) = &policy.hooks
        && !hooks.0.iter().any(|served| served == hook.as_str())
    {
        let served = hooks.0.join(", ");
        return Err(Problem::invalid(format!("This policy serves {served}, not {hook}.")));
    }
    if !(0..POSITIONS).contains(&wanted.position) {
        return Err(Problem::invalid("position is 0 to 99."));
    }
    let entry = app.directory.get(caller.organization).await?;
    let canary_numbers = wanted.canary.iter().flat_map(|canary| &canary.numbers);
    if let Some(number) =
        wanted.number_id.iter().chain(canary_numbers).find(|id| !entry.numbers.contains_key(id))
    {
        return Err(Problem::invalid(format!("There is no number {number}.")));
    }
    let canary = canary(wanted)?;
    let asked = policy.manifest.0.get("patient_fields").and_then(Value::as_array);
    let asks = |field: &String| asked.is_some_and(|asked| asked.iter().any(|asked| asked == field));
    if let Some(field) = wanted.granted_fields.iter().find(|field| !asks(field)) {
        return Err(Problem::invalid(format!("This policy's manifest does not ask to read {field}.")));
    }
    let settings = fitting_settings(policy, wanted.settings.as_ref())?;
    if wanted.mode != BindingMode::Shadow && policy.origin != "builtin" {
        let rules = &entry.organization.settings.policy_rules;
        if rules.require_signature && !signing::is_signed(org, policy).await? {
            return Err(not_ready(
                "unsigned",
                "Your organization takes only policies that one of its keys has signed. Send a signature \
                 to /api/v1/policies/{id}/signatures.",
            ));
        }
        if rules.require_backtest && !org.is_backtested(policy.id, hook.as_str()).await? {
            return Err(not_ready(
                "not-backtested",
                "Your organization takes only policies that were tried on its history. Start a backtest of \
                 this version for this hook and let it end.",
            ));
        }
    }
    Ok(NewBinding {
        hook: hook.as_str(),
        number_id: wanted.number_id,
        position: wanted.position,
        mode: wanted.mode,
        policy_id: policy.id,
        settings: settings.to_string(),
        granted_fields: wanted.granted_fields.clone(),
        canary,
        replaced_id: None,
        created_by: Some(caller.staff),
    })
}

/// These settings, or the policy's own, if they fit its schema; otherwise `errors` names the fields.
pub(in crate::hub) fn fitting_settings(policy: &PolicyRow, wanted: Option<&Value>) -> Result<Value, Problem> {
    let part = |name: &str| policy.manifest.0.get(name).cloned();
    let settings = match wanted {
        Some(settings) => settings.clone(),
        None => part("default_settings").unwrap_or_else(|| json!({})),
    };
    let schema = part("settings_schema").unwrap_or_else(|| json!({ "type": "object" }));
    settings_schema::check(&schema, &settings).map_err(|errors| {
        let first = errors.first().map_or_else(String::new, |error| format!(": {}", error.message));
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "settings",
            "The settings don't fit the policy",
            format!("{} field(s) of the settings don't fit the policy's schema{first}", errors.len()),
        )
        .with("errors", serde_json::to_value(errors).unwrap_or_default())
    })?;
    Ok(settings)
}

fn not_ready(kind: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::CONFLICT, kind, "The policy may not take effect yet", detail)
}

fn canary(wanted: &Bind) -> Result<Option<Canary>, Problem> {
    match (wanted.mode, &wanted.canary) {
        (BindingMode::Canary, Some(body)) if body.percent > 100 => {
            Err(Problem::invalid("canary.percent is 0 to 100."))
        }
        (BindingMode::Canary, Some(body)) if body.percent > 0 || !body.numbers.is_empty() => {
            Ok(Some(Canary { percent: body.percent, numbers: body.numbers.clone() }))
        }
        (BindingMode::Canary, _) => {
            Err(Problem::invalid("A canary needs canary.percent or canary.numbers: which conversations?"))
        }
        (_, Some(_)) => Err(Problem::invalid("Only a binding of the mode canary has canary.")),
        (_, None) => Ok(None),
    }
}

/// Ends a binding. For admins.
#[utoipa::path(delete, path = "/api/v1/bindings/{id}", tag = "policies", params(("id" = BindingId, Path)),
    responses((status = 204), (status = 403), (status = 404)))]
pub(in crate::hub) async fn retire(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<BindingId>,
) -> Result<StatusCode, Problem> {
    caller.require(&[Role::Admin])?;
    let (by, audit) = (caller.staff, caller.audit("binding.ended", Some(id.0)));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let binding = org.binding(id).await?.ok_or_else(|| Problem::not_found("binding"))?;
                if !org.retire_binding(id, Retired::ByStaff, Some(by)).await? {
                    return Err(Problem::not_found("binding"));
                }
                org.insert_audit(&audit).await?;
                tell(&org, by, "policy.unbound", id, &binding.hook);
                Ok(())
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    Ok(StatusCode::NO_CONTENT)
}

/// Goes back to the version that a binding took the place of, with its settings. For admins.
#[utoipa::path(post, path = "/api/v1/bindings/{id}/rollback", tag = "policies",
    params(("id" = BindingId, Path)),
    responses((status = 200, body = BindingView), (status = 403), (status = 404),
        (status = 409, description = "It has ended, or took nobody's place")))]
pub(in crate::hub) async fn roll_back(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<BindingId>,
) -> Result<Json<BindingView>, Problem> {
    caller.require(&[Role::Admin])?;
    let (by, audit) = (caller.staff, caller.audit("binding.rolled_back", Some(id.0)));
    let binding = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let nothing = || {
                    let detail = "This binding has ended, or there was none before it.";
                    Problem::new(StatusCode::CONFLICT, "no-rollback", "Nothing to go back to", detail)
                };
                let binding = org.binding(id).await?.ok_or_else(|| Problem::not_found("binding"))?;
                let before = match binding.replaced_id {
                    Some(before) => org.binding(before).await?.ok_or_else(nothing)?,
                    None => return Err(nothing()),
                };
                let hook = Hook::parse(&binding.hook).ok_or_else(nothing)?;
                if !org.retire_binding(id, Retired::RolledBack, Some(by)).await? {
                    return Err(nothing());
                }
                let again = before.again(hook.as_str(), before.replaced_id, Some(by));
                let again = org.insert_binding(&again).await?;
                org.insert_audit(&audit).await?;
                tell(&org, by, "policy.bound", again, &binding.hook);
                org.binding(again).await?.ok_or_else(|| Problem::not_found("binding"))
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    Ok(Json(view(binding)))
}
