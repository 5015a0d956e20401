//! What an organization asks of a policy before it may take effect.

use anteroom_model::states::Role;
use anteroom_store::{PolicyRules, StoreError};
use axum::{Json, extract::State};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{app::App, auth::Caller, problem::Problem};

/// What an organization asks of uploaded policies.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct PolicyRulesBody {
    /// A signature by one of the organization's keys.
    require_signature: bool,
    /// A backtest of that version for that hook, done.
    require_backtest: bool,
    /// An activation warns of costs that have grown by more than this, in per cent; 0 to 1,000.
    warn_growth_percent: u32,
}

/// What an organization asks of uploaded policies before they take effect.
#[utoipa::path(get, path = "/api/v1/policy-rules", tag = "policies", responses((status = 200, body = PolicyRulesBody)))]
pub(in crate::hub) async fn get(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<PolicyRulesBody>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let PolicyRules { require_signature, require_backtest, warn_growth_percent } =
        entry.organization.settings.policy_rules;
    Ok(Json(PolicyRulesBody { require_signature, require_backtest, warn_growth_percent }))
}

/// Changes that; what is bound stays bound. For admins.
#[utoipa::path(put, path = "/api/v1/policy-rules", tag = "policies", request_body = PolicyRulesBody,
    responses((status = 200, body = PolicyRulesBody), (status = 403), (status = 422)))]
pub(in crate::hub) async fn change(
    State(app): State<App>,
    caller: Caller,
    Json(rules): Json<PolicyRulesBody>,
) -> Result<Json<PolicyRulesBody>, Problem> {
    caller.require(&[Role::Admin])?;
    if rules.warn_growth_percent > 1_000 {
        return Err(Problem::invalid("warn_growth_percent is 0 to 1,000."));
    }
    let audit = caller.audit("policy_rules.changed", None);
    let PolicyRulesBody { require_signature, require_backtest, warn_growth_percent } = rules;
    let wanted = PolicyRules { require_signature, require_backtest, warn_growth_percent };
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let mut settings = org.organization_row().await?.ok_or(StoreError::NoOrganization)?.settings;
                settings.policy_rules = wanted;
                org.set_settings(&settings).await?;
                org.insert_audit(&audit).await
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    Ok(Json(rules))
}
