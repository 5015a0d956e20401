//! Carriers' own ids of accounts, applications and topics: they become part of a URL's path or a header.

use serde::{Deserialize, Deserializer, de};

/// Reads letters, digits and `-_.~`: nothing that would need escaping in a path.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = String::deserialize(deserializer)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    let well_formed =
        (1..=128).contains(&id.len()) && id.bytes().all(plain) && !id.trim_matches('.').is_empty();
    if well_formed { Ok(id) } else { Err(de::Error::custom("expected an id of letters, digits, - and _")) }
}

/// The same, where the field may be left out (`#[serde(default)]`).
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Id(#[serde(deserialize_with = "read")] String);
    Ok(Option::<Id>::deserialize(deserializer)?.map(|id| id.0))
}
