//! How the caller wants the Hub to be.

use anteroom_store::{Alerts, Preferences, Theme};
use axum::{Json, extract::State};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{app::App, auth::Caller, presence::Said, problem::Problem};

/// What the caller has chosen.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreferencesBody {
    notifications: Notifications,
    /// With a sound.
    sound: bool,
    /// Again each minute, until somebody looks.
    repeat: bool,
    /// Single keys and those with Alt do things.
    shortcut_keys: bool,
    theme: ThemeName,
    /// Two letters; null: as the browser says.
    language: Option<String>,
}

/// What somebody is told of: nothing; texts in their own conversations and in their teams' unassigned ones, and
/// mentions; every text, and mentions.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Notifications {
    Off,
    Mine,
    All,
}

/// How pages look; `system`: as the computer says.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ThemeName {
    System,
    Light,
    Dark,
    Contrast,
}

impl From<Preferences> for PreferencesBody {
    fn from(kept: Preferences) -> Self {
        Self {
            notifications: match kept.alerts {
                Alerts::Off => Notifications::Off,
                Alerts::Mine => Notifications::Mine,
                Alerts::All => Notifications::All,
            },
            sound: kept.sound,
            repeat: kept.repeat,
            shortcut_keys: kept.keys,
            theme: match kept.theme {
                Theme::System => ThemeName::System,
                Theme::Light => ThemeName::Light,
                Theme::Dark => ThemeName::Dark,
                Theme::Contrast => ThemeName::Contrast,
            },
            language: kept.language,
        }
    }
}

impl From<PreferencesBody> for Preferences {
    fn from(body: PreferencesBody) -> Self {
        Self {
            alerts: match body.notifications {
                Notifications::Off => Alerts::Off,
                Notifications::Mine => Alerts::Mine,
                Notifications::All => Alerts::All,
            },
            sound: body.sound,
            repeat: body.repeat,
            keys: body.shortcut_keys,
            theme: match body.theme {
                ThemeName::System => Theme::System,
                ThemeName::Light => Theme::Light,
                ThemeName::Dark => Theme::Dark,
                ThemeName::Contrast => Theme::Contrast,
            },
            language: body.language,
        }
    }
}

/// What the caller has chosen, or the defaults.
#[utoipa::path(get, path = "/api/v1/me/preferences", tag = "session",
    responses((status = 200, body = PreferencesBody)))]
pub(super) async fn get(State(app): State<App>, caller: Caller) -> Result<Json<PreferencesBody>, Problem> {
    let kept = app.store.read(caller.organization).await?.preferences(caller.staff).await?;
    Ok(Json(kept.into()))
}

/// Keeps what the caller chooses, on every computer.
#[utoipa::path(put, path = "/api/v1/me/preferences", tag = "session", request_body = PreferencesBody,
    responses((status = 200, body = PreferencesBody), (status = 422)))]
pub(super) async fn put(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<PreferencesBody>,
) -> Result<Json<PreferencesBody>, Problem> {
    let letters = |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_lowercase());
    if !body.language.as_ref().is_none_or(letters) {
        return Err(Problem::invalid("language is two lower-case letters, or null."));
    }
    let (me, chosen) = (caller.staff, Preferences::from(body.clone()));
    app.store
        .write(caller.organization, move |mut org| {
            async move { org.put_preferences(me, &chosen).await.map_err(Problem::from) }.boxed()
        })
        .await?;
    Said::Own { staff_id: me, what: "preferences".to_owned(), conversation_id: None }
        .whisper(&app.store, caller.organization);
    Ok(Json(body))
}
