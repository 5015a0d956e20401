//! Files in a bucket, of a server that others wrote.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anteroom::media::{
    bucket::Bucket,
    objects::{Key, ObjectError, Objects, Part},
};
use anteroom_model::ids::MediaId;
use futures::TryStreamExt;
use serde::Deserialize;
use tempfile::TempDir;

use crate::support::run;

struct Peer {
    child: Child,
    port: u16,
    folder: TempDir,
}

/// A user of a bucket.
#[derive(Clone, Deserialize)]
struct User {
    port: u16,
    access_key_id: String,
    secret_access_key: String,
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Runs one of `scripts/`; with what it says first.
fn start(script: &str) -> (Child, TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(script);
    let mut child = Command::new(script)
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the script runs: it needs Node.js and npm, or Python");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, folder, line)
}

fn peer() -> Peer {
    let (child, folder, line) = start("s3-peer");
    let port = line.trim().parse().expect("the peer says its port");
    Peer { child, port, folder }
}

fn bucket(peer: &Peer, user: &str) -> Objects {
    let (access_key_id, secret_access_key) = (user.into(), "S3RVER".into());
    bucket_of(&User { port: peer.port, access_key_id, secret_access_key })
}

fn bucket_of(user: &User) -> Objects {
    Objects::bucket(&Bucket {
        bucket: "clinic".into(),
        region: "us-east-1".into(),
        endpoint: Some(format!("http://127.0.0.1:{}", user.port)),
        prefix: "anteroom/files/".into(),
        access_key_id: user.access_key_id.clone(),
        secret_access_key: user.secret_access_key.clone(),
    })
    .unwrap()
}

#[tokio::test]
async fn every_request_is_signed_as_another_program_signs_it() {
    let (child, folder, line) = start("s3-signed-peer");
    let user: User = serde_json::from_str(&line).expect("the peer says who may enter");
    let _peer = Peer { child, port: user.port, folder };
    run(async |clinic| {
        let store = &clinic.app.server.store;
        let keys = store.keys(clinic.organization).await.unwrap();
        let key = Key { organization: clinic.organization, id: store.ids().next(store.now()), attempt: 1 };
        let bytes: Vec<u8> = (0..=250_u8).cycle().take(200_000).collect();
        let length = bytes.len() as u64;
        let read = async |objects: &Objects| -> Result<Vec<u8>, ObjectError> {
            let all = objects.read(store, key, Part::Original, length, 0..length);
            all.map_ok(|piece| piece.to_vec()).try_concat().await
        };
        // The same user with another secret: nothing is written, read or removed.
        let strangers = bucket_of(&User { secret_access_key: "another".into(), ..user.clone() });
        let ours = bucket_of(&user);
        assert!(strangers.put(&keys, key, Part::Original, &bytes).await.is_err());
        assert!(read(&ours).await.unwrap_err().is_missing());
        ours.put(&keys, key, Part::Original, &bytes).await.unwrap();
        let refused = read(&strangers).await.unwrap_err();
        assert!(!refused.is_missing(), "{refused}");
        assert!(strangers.delete(key).await.is_err());
        assert!(read(&ours).await.unwrap() == bytes);
        ours.delete(key).await.unwrap();
        assert!(read(&ours).await.unwrap_err().is_missing());
    })
    .await;
}

#[tokio::test]
async fn a_bucket_keeps_files_sealed_and_gives_parts_of_them() {
    let peer = peer();
    run(async |clinic| {
        let store = &clinic.app.server.store;
        let keys = store.keys(clinic.organization).await.unwrap();
        let objects = bucket(&peer, "S3RVER");
        let id: MediaId = store.ids().next(store.now());
        let key = Key { organization: clinic.organization, id, attempt: 2 };
        let bytes: Vec<u8> = (0..=250_u8).cycle().take(300_000).collect();
        objects.put(&keys, key, Part::Original, &bytes).await.unwrap();
        objects.put(&keys, key, Part::Preview, b"small").await.unwrap();
        let read = async |key, part, length, range| -> Result<Vec<u8>, ObjectError> {
            objects.read(store, key, part, length, range).map_ok(|piece| piece.to_vec()).try_concat().await
        };
        let length = bytes.len() as u64;
        assert!(read(key, Part::Original, length, 0..length).await.unwrap() == bytes);
        assert!(read(key, Part::Original, length, 65_530..131_080).await.unwrap() == bytes[65_530..131_080]);
        assert_eq!(read(key, Part::Preview, 5, 0..5).await.unwrap(), b"small");
        // Nothing of it is another part, another file, another attempt, or shorter than it was.
        let other = Key { id: store.ids().next(store.now()), ..key };
        for wrong in [
            read(key, Part::Preview, 4, 0..4).await,
            read(key, Part::Original, length - 1, 0..length - 1).await,
            read(Key { attempt: 1, ..key }, Part::Original, length, 0..length).await,
            read(other, Part::Original, length, 0..length).await,
        ] {
            assert!(wrong.is_err());
        }
        let kept = walk(peer.folder.path());
        assert!(
            kept.iter().any(|(name, _)| name.contains(&format!("anteroom/files/{}", clinic.organization)))
        );
        for (name, on_disk) in kept {
            assert!(!on_disk.windows(16).any(|window| window == &bytes[..16]), "{name} is in the clear");
        }
        objects.delete(key).await.unwrap();
        objects.delete(key).await.unwrap();
        assert!(read(key, Part::Original, length, 0..length).await.is_err());
        let stranger = bucket(&peer, "STRANGER");
        assert!(stranger.put(&keys, key, Part::Original, b"x").await.is_err(), "anybody may write");
    })
    .await;
}

fn walk(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push((path.to_string_lossy().into_owned(), std::fs::read(&path).unwrap()));
        }
    }
    files
}
