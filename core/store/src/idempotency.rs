//! One POST with an `Idempotency-Key` makes one thing, however often it is repeated.

use anteroom_model::ids::StaffId;
use uuid::Uuid;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_optional},
};

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotent {
    /// New: go on; the resource's id is remembered.
    Fresh,
    /// The same request was answered before with this resource.
    Same(Uuid),
    /// The key came with another request.
    Misused,
}

impl Org<'_> {
    /// Remembers that `actor`'s `key` made `resource` from `request`, or says what it made before.
    pub async fn remember_key(
        &mut self,
        actor: StaffId,
        key: &str,
        request: &[u8],
        resource: Uuid,
    ) -> Result<Idempotent, StoreError> {
        let (key, now) = (self.keys.lookup("idempotency_key", key), self.now);
        let request = self.keys.lookup("idempotent_request", request);
        if execute!(self, "idempotency/insert", actor, &key, &request, resource, now) > 0 {
            return Ok(Idempotent::Fresh);
        }
        let before = fetch_optional!(self, (Vec<u8>, Uuid), "idempotency/get", actor, &key);
        Ok(match before {
            Some((hash, resource)) if hash == request => Idempotent::Same(resource),
            _ => Idempotent::Misused,
        })
    }
}
