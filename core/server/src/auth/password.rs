//! Passwords: argon2id with OWASP's parameters, on threads that may block, few at once.

use anteroom_model::ids::Ids;
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash,
};
use tokio::sync::Semaphore;

/// 19 MiB, two passes, one lane: OWASP's Password Storage Cheat Sheet.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Hashes at once: each takes a core and 19 MiB for some 30 ms.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// A password can't be hashed or a stored hash can't be read.
#[derive(Debug, thiserror::Error)]
#[error("passwords can't be checked: {0}")]
pub struct PasswordError(String);

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params =
        Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| PasswordError(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Characters of a password: NIST SP 800-63B asks for eight at least and wants more; what is longer only costs time.
const SHORTEST: usize = 12;
const LONGEST: usize = 200;

/// Whether a password may be set; otherwise why not, in people's words.
pub fn check(password: &str) -> Result<(), &'static str> {
    match password.chars().count() {
        ..SHORTEST => Err("A password has 12 characters or more. Some words in a row are good."),
        SHORTEST..=LONGEST => Ok(()),
        _ => Err("A password has 200 characters at most."),
    }
}

/// The PHC string of `password`.
pub async fn hash(ids: &Ids, password: String) -> Result<String, PasswordError> {
    let salt: [u8; 16] = ids.secret();
    blocking(move || {
        let hash = argon2()?
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map_err(|error| PasswordError(error.to_string()))?;
        Ok(hash.to_string())
    })
    .await
}

/// Whether `password` is that of the first hash it fits; the index of that hash. Where there is none, a
/// hash is computed all the same, so that the time doesn't tell which addresses exist.
pub async fn verify(hashes: Vec<String>, password: String) -> Result<Option<usize>, PasswordError> {
    blocking(move || {
        let argon2 = argon2()?;
        if hashes.is_empty() {
            drop(argon2.hash_password_with_salt(password.as_bytes(), &[0; 16]));
            return Ok(None);
        }
        for (index, hash) in hashes.iter().enumerate() {
            let hash = PasswordHash::new(hash).map_err(|error| PasswordError(error.to_string()))?;
            if argon2.verify_password(password.as_bytes(), &hash).is_ok() {
                return Ok(Some(index));
            }
        }
        Ok(None)
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
) -> Result<T, PasswordError> {
    let place = AT_ONCE.acquire().await.map_err(|error| PasswordError(error.to_string()))?;
    let done = tokio::task::spawn_blocking(work).await;
    drop(place);
    done.map_err(|error| PasswordError(error.to_string()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_characters() {
        assert!(check("elevenchars").is_err());
        assert!(check("zwölf Zeichn").is_ok());
        assert!(check(&"é".repeat(200)).is_ok());
        assert!(check(&"e".repeat(201)).is_err());
    }

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let ids = Ids::from_seed([4; 32]);
        let hash = hash(&ids, "correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let hashes = vec![hash];
        assert_eq!(verify(hashes.clone(), "correct horse".into()).await.unwrap(), Some(0));
        assert_eq!(verify(hashes, "wrong".into()).await.unwrap(), None);
        assert_eq!(verify(vec![], "anything".into()).await.unwrap(), None);
    }
}
