//! What an organization asks for a match, and how long it waits.

use std::collections::BTreeMap;

use anteroom_model::{ids::NumberId, matching, states::Role};
use anteroom_store::{IdentityLimits, IdentityRules, NumberIdentityRules, StoreError};
use axum::{Json, extract::State};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{app::App, auth::Caller, problem::Problem};

/// A year; what is longer was mistyped.
const LONGEST_MINUTES: u32 = 366 * 24 * 60;

/// How texters are verified. What they are asked is the identity policy's.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct IdentityRulesBody {
    /// Ask unknown texters who they are; a number may say otherwise.
    verification: bool,
    /// Which claims must agree.
    matching: matching::Rules,
    /// Minutes after which a question that nobody answers is given up; 1 to 527,040.
    timeout_minutes: u32,
    /// Days after which somebody verified is asked again; 0: never.
    reverify_days: u32,
    /// Minutes after which somebody who was not verified is asked again; 0: never.
    ask_again_minutes: u32,
    limits: Limits,
    /// What is otherwise on some numbers, by their id.
    #[serde(default)]
    #[schema(value_type = Object)]
    numbers: BTreeMap<NumberId, NumberRules>,
}

/// How many claims that don't match there may be; 0: any number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct Limits {
    /// Of one phone within a day.
    attempts_per_phone: u32,
    /// People that one phone says to be within a day.
    identities_per_phone: u32,
    /// On one number within an hour.
    attempts_per_number: u32,
    /// In the organization within an hour.
    attempts_per_organization: u32,
    /// How long nothing is matched then; 1 to 527,040.
    lock_minutes: u32,
}

/// What one number has otherwise; absent: as the organization.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::hub) struct NumberRules {
    /// Ask unknown texters who they are.
    verification: Option<bool>,
    timeout_minutes: Option<u32>,
    reverify_days: Option<u32>,
    ask_again_minutes: Option<u32>,
}

/// How texters are verified.
#[utoipa::path(get, path = "/api/v1/identity-rules", tag = "identity", responses((status = 200, body = IdentityRulesBody)))]
pub(in crate::hub) async fn get(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<IdentityRulesBody>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let settings = &entry.organization.settings;
    let rules = &settings.identity;
    let mut numbers = BTreeMap::new();
    for number in entry.numbers.values() {
        let own = rules.numbers.get(&number.id).copied().unwrap_or_default();
        if number.verification.is_some() || own != NumberIdentityRules::default() {
            numbers.insert(
                number.id,
                NumberRules {
                    verification: number.verification,
                    timeout_minutes: own.timeout_minutes,
                    reverify_days: own.reverify_days,
                    ask_again_minutes: own.ask_again_minutes,
                },
            );
        }
    }
    let limits = rules.limits;
    Ok(Json(IdentityRulesBody {
        verification: settings.verification,
        matching: rules.matching.clone(),
        timeout_minutes: rules.timeout_minutes,
        reverify_days: rules.reverify_days,
        ask_again_minutes: rules.ask_again_minutes,
        limits: Limits {
            attempts_per_phone: limits.attempts_per_phone,
            identities_per_phone: limits.identities_per_phone,
            attempts_per_number: limits.attempts_per_number,
            attempts_per_organization: limits.attempts_per_organization,
            lock_minutes: limits.lock_minutes,
        },
        numbers,
    }))
}

/// Changes that, for the texts to come. A set of `matching.match_on` that is weaker than the hard minimum (the date
/// of birth or the record's number, and the last name, the phone or the other one besides) is refused. For admins.
#[utoipa::path(put, path = "/api/v1/identity-rules", tag = "identity", request_body = IdentityRulesBody,
    responses((status = 200, body = IdentityRulesBody), (status = 403), (status = 422)))]
pub(in crate::hub) async fn change(
    State(app): State<App>,
    caller: Caller,
    Json(rules): Json<IdentityRulesBody>,
) -> Result<Json<IdentityRulesBody>, Problem> {
    caller.require(&[Role::Admin])?;
    check(&rules)?;
    let audit = caller.audit("identity_rules.changed", None);
    let wanted = stored(&rules);
    let verification = rules.verification;
    let on_numbers: BTreeMap<NumberId, Option<bool>> =
        rules.numbers.iter().map(|(id, number)| (*id, number.verification)).collect();
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let mut settings = org.organization_row().await?.ok_or(StoreError::NoOrganization)?.settings;
                (settings.identity, settings.verification) = (wanted, verification);
                org.set_settings(&settings).await?;
                let numbers = org.numbers().await?;
                if on_numbers.keys().any(|id| numbers.iter().all(|number| number.id != *id)) {
                    return Err(Problem::invalid("numbers: one is none of this organization's."));
                }
                for mut number in numbers {
                    let own = on_numbers.get(&number.id).copied().flatten();
                    if number.verification != own {
                        number.verification = own;
                        org.set_number(&number).await?;
                    }
                }
                org.insert_audit(&audit).await?;
                Ok(())
            }
            .boxed()
        })
        .await?;
    app.directory.forget(caller.organization);
    get(State(app), caller).await
}

fn check(rules: &IdentityRulesBody) -> Result<(), Problem> {
    if rules.matching.match_on.is_empty() || rules.matching.match_on.len() > 10 {
        return Err(Problem::invalid("matching.match_on: 1 to 10 sets."));
    }
    if let Some(weak) = rules.matching.too_weak() {
        let fields: Vec<_> = weak.iter().map(|field| field.as_str()).collect();
        return Err(Problem::invalid(format!(
            "matching.match_on: [{}] is too weak: it needs date-of-birth or mrn, and last-name, phone or the other \
             of the two besides.",
            fields.join(", ")
        )));
    }
    let numbers = rules.numbers.values().filter_map(|number| number.timeout_minutes);
    let minutes = [rules.timeout_minutes, rules.limits.lock_minutes];
    if minutes.into_iter().chain(numbers).any(|minutes| !(1..=LONGEST_MINUTES).contains(&minutes)) {
        return Err(Problem::invalid("timeout_minutes and lock_minutes: 1 to 527,040."));
    }
    let days = rules.numbers.values().filter_map(|number| number.reverify_days);
    if days.chain([rules.reverify_days]).any(|days| days > 36_500) {
        return Err(Problem::invalid("reverify_days: 0 to 36,500."));
    }
    let again = rules.numbers.values().filter_map(|number| number.ask_again_minutes);
    if again.chain([rules.ask_again_minutes]).any(|minutes| minutes > LONGEST_MINUTES) {
        return Err(Problem::invalid("ask_again_minutes: 0 to 527,040."));
    }
    Ok(())
}

fn stored(rules: &IdentityRulesBody) -> IdentityRules {
    let limits = &rules.limits;
    IdentityRules {
        matching: rules.matching.clone(),
        timeout_minutes: rules.timeout_minutes,
        reverify_days: rules.reverify_days,
        ask_again_minutes: rules.ask_again_minutes,
        limits: IdentityLimits {
            attempts_per_phone: limits.attempts_per_phone,
            identities_per_phone: limits.identities_per_phone,
            attempts_per_number: limits.attempts_per_number,
            attempts_per_organization: limits.attempts_per_organization,
            lock_minutes: limits.lock_minutes,
        },
        numbers: rules
            .numbers
            .iter()
            .map(|(id, number)| {
                let own = NumberIdentityRules {
                    timeout_minutes: number.timeout_minutes,
                    reverify_days: number.reverify_days,
                    ask_again_minutes: number.ask_again_minutes,
                };
                (*id, own)
            })
            .collect(),
    }
}
