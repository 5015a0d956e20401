//! How an organization's numbers text: opt-outs, automatic replies, pace.

use std::collections::BTreeMap;

use anteroom_model::{ids::NumberId, quiet::QuietHours, states::Role};
use anteroom_store::StoreError;
use axum::{Json, extract::State};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{app::App, auth::Caller, hub::messages::LONGEST, outbox::pace::usual_pace, problem::Problem};

/// A week; what is longer was mistyped.
const LONGEST_THROTTLE: u32 = 7 * 24 * 60;
/// A thousand a second: more than any carrier lets a number send.
const FASTEST: u32 = 60_000;

/// How the organization's numbers text.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MessagingRules {
    /// Minutes within which the same automatic reply is not sent again to the same conversation; a reply of staff
    /// ends them. 0 to 10,080.
    throttle_minutes: u32,
    /// When automatic replies stay silent, in the time zone of the number's facility. What identity asks and the
    /// confirmations of STOP, START and HELP answer the patient's own text, and are sent all the same.
    quiet_hours: Option<QuietHours>,
    /// A STOP counts for every number of the organization, not only for the one that was texted.
    opt_out_everywhere: bool,
    /// The one confirmation of a STOP; `{{organization}}` is the organization's name. 1 to 1,600 characters.
    opt_out_text: String,
    /// The confirmation of a START.
    opt_in_text: String,
    /// The answer to HELP.
    help_text: String,
    /// Texts a minute that each number may send. A number that is left out keeps what is usual for its kind.
    #[serde(default)]
    #[schema(value_type = Object)]
    numbers: BTreeMap<NumberId, NumberPace>,
}

/// How fast a number may send.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NumberPace {
    /// As agreed with the carrier, 1 to 60,000; 0: as fast as the carrier takes them; null: as usual for its kind.
    per_minute: Option<u32>,
    /// What is usual for its kind; ignored where it is sent.
    #[serde(default)]
    usual: u32,
}

/// How the organization's numbers text.
#[utoipa::path(get, path = "/api/v1/messaging-rules", tag = "organization",
    responses((status = 200, body = MessagingRules)))]
pub(super) async fn get(State(app): State<App>, caller: Caller) -> Result<Json<MessagingRules>, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let settings = entry.organization.settings.clone();
    let pace = |id: NumberId| entry.paces.get(&id).copied();
    let numbers = entry.numbers.values();
    Ok(Json(MessagingRules {
        throttle_minutes: settings.throttle_minutes,
        quiet_hours: settings.quiet_hours,
        opt_out_everywhere: settings.opt_out_everywhere,
        opt_out_text: settings.opt_out_text,
        opt_in_text: settings.opt_in_text,
        help_text: settings.help_text,
        numbers: numbers
            .map(|number| {
                (number.id, NumberPace { per_minute: pace(number.id), usual: usual_pace(number.kind) })
            })
            .collect(),
    }))
}

/// Changes that, for the texts to come. For admins.
#[utoipa::path(put, path = "/api/v1/messaging-rules", tag = "organization", request_body = MessagingRules,
    responses((status = 200, body = MessagingRules), (status = 403), (status = 422)))]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Json(rules): Json<MessagingRules>,
) -> Result<Json<MessagingRules>, Problem> {
    caller.require(&[Role::Admin])?;
    check(&rules)?;
    let audit = caller.audit("messaging_rules.changed", None);
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let mut settings = org.organization_row().await?.ok_or(StoreError::NoOrganization)?.settings;
                settings.throttle_minutes = rules.throttle_minutes;
                settings.quiet_hours.clone_from(&rules.quiet_hours);
                settings.opt_out_everywhere = rules.opt_out_everywhere;
                settings.opt_out_text.clone_from(&rules.opt_out_text);
                settings.opt_in_text.clone_from(&rules.opt_in_text);
                settings.help_text.clone_from(&rules.help_text);
                org.set_settings(&settings).await?;
                let known = org.numbers().await?;
                if rules.numbers.keys().any(|id| known.iter().all(|number| number.id != *id)) {
                    return Err(Problem::invalid("numbers: one is none of this organization's."));
                }
                for number in known {
                    let pace = rules.numbers.get(&number.id).and_then(|pace| pace.per_minute);
                    org.set_pace(number.id, pace).await?;
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

fn check(rules: &MessagingRules) -> Result<(), Problem> {
    if rules.throttle_minutes > LONGEST_THROTTLE {
        return Err(Problem::invalid("throttle_minutes is 0 to 10,080."));
    }
    if let Some(quiet) = &rules.quiet_hours {
        quiet.check().map_err(|error| Problem::invalid(format!("quiet_hours: {error}.")))?;
    }
    let texts = [
        ("opt_out_text", &rules.opt_out_text),
        ("opt_in_text", &rules.opt_in_text),
        ("help_text", &rules.help_text),
    ];
    for (name, text) in texts {
        if text.trim().is_empty() || text.chars().count() > LONGEST || text.contains('\0') {
            return Err(Problem::invalid(format!("{name} has 1 to 1,600 characters, and no NUL.")));
        }
    }
    if rules.numbers.values().any(|pace| pace.per_minute.is_some_and(|texts| texts > FASTEST)) {
        return Err(Problem::invalid("numbers: per_minute is 0 to 60,000."));
    }
    Ok(())
}
