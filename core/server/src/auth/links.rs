//! One-time links with which somebody sets a password: an invitation, or another password. An administrator hands
//! them over. A link's code is `<organization>.<member of staff>.<secret>`; only a hash of the secret is stored.

use std::time::Duration;

use anteroom_model::{
    ids::{OrganizationId, StaffId},
    time::Timestamp,
};
use anteroom_store::{Org, StaffLink, StoreError};
use uuid::Uuid;

use super::hash;

/// How long an invitation counts.
pub const INVITATION: Duration = Duration::from_hours(7 * 24);
/// How long a link for another password counts.
pub const RESET: Duration = Duration::from_hours(24);

/// A link just made.
#[derive(Debug)]
pub struct MadeLink {
    /// Shown once.
    pub code: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What a code names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Whose organization.
    pub organization: OrganizationId,
    /// Whose link.
    pub staff: StaffId,
    /// What is stored of its secret.
    pub secret_hash: Vec<u8>,
}

/// Stores a link of that `secret` (of [`super::new_secret`]) in the place of the one they had.
pub async fn put(
    org: &mut Org<'_>,
    (secret, secret_hash): (String, Vec<u8>),
    (organization, staff): (OrganizationId, StaffId),
    invites: bool,
    by: Option<StaffId>,
) -> Result<MadeLink, StoreError> {
    let expires_at = org.now().plus(if invites { INVITATION } else { RESET });
    org.put_staff_link(&StaffLink { staff_id: staff, invites, expires_at }, &secret_hash, by).await?;
    Ok(MadeLink { code: format!("{}.{}.{secret}", organization.0.simple(), staff.0.simple()), expires_at })
}

/// The parts of a code.
pub fn read(code: &str) -> Option<Code> {
    let mut parts = code.trim().splitn(3, '.');
    let organization = OrganizationId(Uuid::parse_str(parts.next()?).ok()?);
    let staff = StaffId(Uuid::parse_str(parts.next()?).ok()?);
    Some(Code { organization, staff, secret_hash: hash(parts.next()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_taken_apart() {
        let (organization, staff) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let code = format!(" {}.{}.a.b-c", organization.simple(), staff.simple());
        let parts = Code {
            organization: OrganizationId(organization),
            staff: StaffId(staff),
            secret_hash: hash("a.b-c"),
        };
        assert_eq!(read(&code), Some(parts));
        for nonsense in ["", "a.b.c", &code[..40], &code.replace('.', "_")] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }
}
