//! The connection: first the server proves who it is, then we sign in.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anteroom_model::roster::SftpSettings;
use anteroom_store::RosterSecrets;
use russh::{
    AlgorithmKind, ChannelMsg, Preferred,
    client::{self, Handle, Msg},
    keys::{
        Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate,
        decode_secret_key,
    },
};
use tokio::{net::TcpStream, time::timeout};

use super::{Sftp, SftpError};

/// For the TCP connection.
const CONNECT: Duration = Duration::from_secs(10);
/// For each step until the folder can be read.
const STEP: Duration = Duration::from_secs(20);
/// A server that is silent for so long is asked whether it is there; three times, then it is gone.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// A session of SFTP; the connection ends with it.
pub struct Session {
    /// What reads the folder.
    pub sftp: Sftp<russh::ChannelStream<Msg>>,
    handle: Handle<Verifier>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

impl Session {
    /// Tells the server that it is over.
    pub async fn end(self) {
        let bye = self.handle.disconnect(russh::Disconnect::ByApplication, "", "en");
        // It ends anyway.
        drop(timeout(Duration::from_secs(2), bye).await);
    }
}

/// Reads a server's public key from a line of `known_hosts`, of `ssh-keyscan` or of a `.pub` file.
pub fn read_host_key(line: &str) -> Result<PublicKey, SftpError> {
    let unusable = || {
        SftpError::Keys(
            "a host key is a line such as `ssh-ed25519 AAAA…`, `sftp.example ssh-ed25519 AAAA…`".to_owned(),
        )
    };
    if line.trim_start().starts_with('@') || line.lines().count() != 1 {
        return Err(unusable());
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| word.starts_with("ssh-") || word.starts_with("ecdsa-"));
    let Some([kind, key, ..]) = at.map(|at| &words[at..]) else { return Err(unusable()) };
    PublicKey::from_openssh(&format!("{kind} {key}")).map_err(|_| unusable())
}

/// `SHA256:…` of a host key's line, as `ssh-keygen -l` shows it.
pub fn fingerprint(line: &str) -> Result<String, SftpError> {
    Ok(read_host_key(line)?.fingerprint(HashAlg::Sha256).to_string())
}

/// Reads the private key. RSA is refused: the pure Rust implementation of signing with it can be timed
/// (RUSTSEC-2023-0071); checking a server's RSA signature has no secret to give away.
pub fn read_private_key(secrets: &RosterSecrets) -> Result<Option<PrivateKey>, SftpError> {
    let Some(text) = &secrets.private_key else { return Ok(None) };
    let key = decode_secret_key(text, secrets.passphrase.as_deref()).map_err(|_| {
        SftpError::Keys("private_key is no private key of OpenSSH, or the passphrase is wrong".to_owned())
    })?;
    match key.algorithm() {
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } => Ok(Some(key)),
        _ => Err(SftpError::Keys("private_key is ed25519 or ecdsa: ssh-keygen -t ed25519".to_owned())),
    }
}

/// Connects, checks the server's key, signs in and opens SFTP.
pub async fn connect(settings: &SftpSettings, secrets: &RosterSecrets) -> Result<Session, SftpError> {
    let known = settings.host_keys.iter().map(|line| read_host_key(line)).collect::<Result<Vec<_>, _>>()?;
    let private_key = read_private_key(secrets)?;
    let presented = Arc::new(Mutex::new(None));
    let config = client::Config {
        preferred: Preferred { key: Cow::Owned(algorithms(&known)), ..Preferred::DEFAULT },
        keepalive_interval: Some(KEEPALIVE),
        nodelay: true,
        ..client::Config::default()
    };
    let verifier = Verifier { known, presented: presented.clone() };
    let address = (settings.host.as_str(), settings.port);
    let stream = timeout(CONNECT, TcpStream::connect(address)).await;
    let stream = stream.map_err(|_| SftpError::Unreachable)?.map_err(|_| SftpError::Unreachable)?;
    let connecting = client::connect_stream(Arc::new(config), stream, verifier);
    let mut handle = match timeout(STEP, connecting).await {
        Ok(Ok(handle)) => handle,
        Ok(Err(error)) => {
            let refused = presented.lock().unwrap_or_else(PoisonError::into_inner).take();
            return Err(match (error, refused) {
                (_, Some(fingerprint)) => SftpError::HostKey { fingerprint },
                (russh::Error::NoCommonAlgo { kind: AlgorithmKind::Key, .. }, None) => {
                    SftpError::HostKey { fingerprint: String::new() }
                }
                (russh::Error::NoCommonAlgo { .. }, None) => {
                    SftpError::Protocol("it offers no method of encryption that is safe")
                }
                _ => SftpError::Unreachable,
            });
        }
        Err(_) => return Err(SftpError::Unreachable),
    };
    sign_in(&mut handle, settings, secrets, private_key).await?;
    let opening = async {
        let mut channel = handle.channel_open_session().await.map_err(|_| SftpError::Lost)?;
        channel.request_subsystem(true, "sftp").await.map_err(|_| SftpError::Lost)?;
        loop {
            match channel.wait().await {
                Some(ChannelMsg::Success) => break,
                Some(ChannelMsg::Failure) => return Err(SftpError::Protocol("it has no SFTP")),
                Some(_) => {}
                None => return Err(SftpError::Lost),
            }
        }
        Sftp::open(channel.into_stream()).await
    };
    let sftp = timeout(STEP, opening).await.map_err(|_| SftpError::Lost)??;
    Ok(Session { sftp, handle })
}

async fn sign_in(
    handle: &mut Handle<Verifier>,
    settings: &SftpSettings,
    secrets: &RosterSecrets,
    private_key: Option<PrivateKey>,
) -> Result<(), SftpError> {
    let lost = |_| SftpError::Lost;
    if let Some(key) = private_key {
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
        let signing_in = handle.authenticate_publickey(&settings.user, key);
        let answer = timeout(STEP, signing_in).await.map_err(|_| SftpError::Lost)?.map_err(lost)?;
        if answer.success() {
            return Ok(());
        }
    }
    if let Some(password) = &secrets.password {
        let signing_in = handle.authenticate_password(&settings.user, password);
        let answer = timeout(STEP, signing_in).await.map_err(|_| SftpError::Lost)?.map_err(lost)?;
        if answer.success() {
            return Ok(());
        }
    }
    Err(SftpError::SignIn)
}

/// The kinds of the known keys, so that a server with several shows one that can be compared.
fn algorithms(known: &[PublicKey]) -> Vec<Algorithm> {
    let mut algorithms = Vec::new();
    for key in known {
        let kinds = match key.algorithm() {
            Algorithm::Rsa { .. } => vec![
                Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
                Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
            ],
            other => vec![other],
        };
        algorithms.extend(kinds.into_iter().filter(|kind| !algorithms.contains(kind)).collect::<Vec<_>>());
    }
    algorithms
}

struct Verifier {
    known: Vec<PublicKey>,
    /// The fingerprint of a key that was refused.
    presented: Arc<Mutex<Option<String>>>,
}

impl client::Handler for Verifier {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let fingerprint = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                if self.known.iter().any(|known| known.key_data() == key.key_data()) {
                    return Ok(true);
                }
                key.fingerprint(HashAlg::Sha256).to_string()
            }
            // None was asked for.
            PublicKeyOrCertificate::Certificate(_) => String::new(),
        };
        *self.presented.lock().unwrap_or_else(PoisonError::into_inner) = Some(fingerprint);
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn host_keys_are_read_in_every_form_they_come_in() {
        for line in [
            format!("ssh-ed25519 {KEY}"),
            format!("ssh-ed25519 {KEY} root@sftp"),
            format!("sftp.example ssh-ed25519 {KEY}"),
            format!("[sftp.example]:2222,10.0.0.1 ssh-ed25519 {KEY} comment\n"),
            format!("|1|c2FsdA==|aGFzaA== ssh-ed25519 {KEY}"),
        ] {
            assert_eq!(read_host_key(&line).unwrap().algorithm(), Algorithm::Ed25519, "{line}");
        }
        for line in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 notakey",
            &format!("@revoked sftp.example ssh-ed25519 {KEY}"),
            &format!("ssh-ed25519 {KEY}\nssh-ed25519 {KEY}"),
            &format!("ssh-rsa {KEY}"),
        ] {
            assert!(read_host_key(line).is_err(), "{line}");
        }
    }
}
