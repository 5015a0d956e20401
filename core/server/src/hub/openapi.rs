//! What the OpenAPI document says besides the endpoints.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Spec, PathItem,
        path::Operation,
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

/// Gives every operation an id of its own: its method and its path, in words. Handlers are called `list` and
/// `get` in many modules, and generated clients make a function of each id.
pub(super) fn name_operations(spec: &mut Spec) {
    for (path, item) in &mut spec.paths.paths {
        let words: Vec<_> = path
            .trim_start_matches("/api/v1/")
            .split(['/', '-', '.'])
            .map(|word| word.trim_matches(['{', '}']))
            .collect();
        let words = words.join("_");
        for (method, operation) in operations(item) {
            operation.operation_id = Some(format!("{method}_{words}"));
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}
