//! The extractor that every endpoint begins with.

use std::time::Duration;

use anteroom_model::{
    ids::{OrganizationId, StaffId, TokenId},
    states::Role,
};
use anteroom_store::{NewAudit, StoreError};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, header, request::Parts},
};
use axum_extra::extract::CookieJar;
use futures::FutureExt;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{
    app::App,
    auth::{COOKIE, CSRF_HEADER, read_cookie, read_token},
    problem::Problem,
    telemetry::RequestId,
};

/// How exactly it is remembered when a token was last used: not each request is to be written down.
const REMEMBERED: Duration = Duration::from_mins(10);

/// A member of staff, in person or through a token, allowed to do what the request's method asks for.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whose rows they may see.
    pub organization: OrganizationId,
    /// Who.
    pub staff: StaffId,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// How they proved it.
    pub via: Via,
    /// For the audit.
    pub request_id: Option<String>,
}

/// How a caller proved who they are.
#[derive(Clone, Debug)]
pub enum Via {
    /// A signed-in browser.
    Session {
        /// The cookie's hash, for signing out.
        secret_hash: Vec<u8>,
        /// What writes must carry.
        csrf_token: String,
    },
    /// A program.
    Token {
        /// Which.
        id: TokenId,
        /// What the token may do at most.
        scopes: Vec<String>,
    },
}

impl Caller {
    /// Whether the session or token still stands: for answers that go on for hours.
    pub async fn still_valid(&self, app: &App) -> Result<bool, StoreError> {
        let mut org = app.store.read(self.organization).await?;
        Ok(match &self.via {
            Via::Session { secret_hash, .. } => org.session(secret_hash).await?.is_some(),
            Via::Token { id, .. } => org.token(*id).await?.is_some(),
        })
    }

    /// Only for these roles.
    pub fn require(&self, roles: &[Role]) -> Result<(), Problem> {
        if roles.contains(&self.role) {
            return Ok(());
        }
        let needed: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        Err(Problem::forbidden(format!("This needs the role {}.", needed.join(" or "))))
    }

    /// For everything that changes something: an auditor only reads.
    pub fn may_write(&self) -> Result<(), Problem> {
        self.require(&[Role::Agent, Role::Lead, Role::Admin])
    }

    /// An entry for the audit.
    pub fn audit(&self, action: &'static str, subject: Option<Uuid>) -> NewAudit {
        NewAudit { actor_id: self.staff, action, subject, request_id: self.request_id.clone() }
    }

    /// Records a read of a patient's data before it is answered.
    pub async fn audit_read(&self, app: &App, action: &'static str, subject: Uuid) -> Result<(), Problem> {
        let entry = self.audit(action, Some(subject));
        app.store
            .write(self.organization, move |mut org| async move { org.insert_audit(&entry).await }.boxed())
            .await?;
        Ok(())
    }

    fn may_use(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Problem> {
        // What a search is for, and a text that is counted, stand in the body, so that no address tells it; they
        // change nothing.
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
            || path.ends_with("/search")
            || path.ends_with("/segments");
        let writes = !reads;
        match &self.via {
            Via::Session { csrf_token, .. } if writes => {
                let sent =
                    headers.get(CSRF_HEADER).map(axum::http::HeaderValue::as_bytes).unwrap_or_default();
                if !bool::from(sent.ct_eq(csrf_token.as_bytes())) {
                    let detail = "The X-CSRF-Token header is missing or is not the session's.";
                    return Err(Problem::forbidden(detail));
                }
            }
            Via::Session { .. } => {}
            Via::Token { scopes, .. } => {
                let needed = if writes { "write" } else { "read" };
                if !scopes.iter().any(|scope| scope == needed) {
                    return Err(Problem::forbidden(format!("This token lacks the scope {needed}.")));
                }
            }
        }
        Ok(())
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.to_string());
        let bearer = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let caller = match bearer {
            Some(token) => by_token(app, token.trim(), request_id).await?,
            None => by_cookie(app, &parts.headers, request_id).await?,
        };
        let caller = caller.ok_or_else(Problem::unauthenticated)?;
        caller.may_use(&parts.method, parts.uri.path(), &parts.headers)?;
        Ok(caller)
    }
}

async fn by_token(app: &App, token: &str, request_id: Option<String>) -> Result<Option<Caller>, Problem> {
    let Some((organization, id, hash)) = read_token(token) else { return Ok(None) };
    let mut org = match app.store.read(organization).await {
        Err(StoreError::NoOrganization) => return Ok(None),
        other => other?,
    };
    let Some(token) = org.token(id).await? else { return Ok(None) };
    if !bool::from(token.secret_hash.ct_eq(&hash)) {
        return Ok(None);
    }
    if token.last_used_at.is_none_or(|before| app.store.now().since(before) >= REMEMBERED) {
        remember_use(app, organization, id);
    }
    Ok(Some(Caller {
        organization,
        staff: token.staff_id,
        name: token.name,
        role: token.role,
        via: Via::Token { id, scopes: token.scopes.0 },
        request_id,
    }))
}

/// That a token was used: not in the way of the request.
fn remember_use(app: &App, organization: OrganizationId, id: TokenId) {
    let store = app.store.clone();
    app.tasks.spawn(async move {
        let remembered =
            store.write(organization, move |mut org| async move { org.token_used(id).await }.boxed());
        if let Err(error) = remembered.await {
            tracing::warn!(%error, "that a token was used could not be remembered");
        }
    });
}

async fn by_cookie(
    app: &App,
    headers: &HeaderMap,
    request_id: Option<String>,
) -> Result<Option<Caller>, Problem> {
    let jar = CookieJar::from_headers(headers);
    let Some((organization, secret_hash)) = jar.get(COOKIE).and_then(|cookie| read_cookie(cookie.value()))
    else {
        return Ok(None);
    };
    let mut org = match app.store.read(organization).await {
        Err(StoreError::NoOrganization) => return Ok(None),
        other => other?,
    };
    let Some(session) = org.session(&secret_hash).await? else { return Ok(None) };
    Ok(Some(Caller {
        organization,
        staff: session.staff_id,
        name: session.name,
        role: session.role,
        via: Via::Session { secret_hash, csrf_token: session.csrf_token },
        request_id,
    }))
}
