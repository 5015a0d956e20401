//! What the OpenAPI document says besides the endpoints.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Spec,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::auth::COOKIE;

/// The frame of the document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Anteroom",
        description = "The open front door for patients' texts. Errors are application/problem+json (RFC 9457) \
                       with a stable `type` and a `request_id`. Lists page by `cursor`. A POST that writes a \
                       message or a note takes an `Idempotency-Key`. With the session's cookie, writes carry `X-CSRF-Token`."
    ),
    modifiers(&Security),
    security(("token" = []), ("session" = []))
)]
pub(super) struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, spec: &mut Spec) {
        let components = spec.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)));
        components.add_security_scheme("session", cookie);
    }
}
