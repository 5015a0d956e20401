//! What nodes of one database share.

use std::{
    env, fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anteroom::{directory, policies::Policies};
use anteroom_model::hooks::Hook;
use anteroom_policy::{Digest, HostConfig, PolicyHost};

use crate::support::{FRONT_DESK, run};

const ANA: &str = "+15125550101";

/// A guest of `tests/guests`, as built: none of the defaults, which every node compiles for itself.
fn uploaded() -> &'static [u8] {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/guests");
    let folder = env::var_os("ANTEROOM_GUESTS").map_or(built, PathBuf::from);
    fs::read(folder.join("test/no_opinion.wasm")).expect("run `make plugins`").leak()
}

#[tokio::test]
async fn a_component_is_compiled_by_one_node_for_all() {
    run(async |clinic| {
        clinic.bind(Hook::Routing, uploaded(), None, &[]).await;
        clinic.text(ANA, FRONT_DESK, "Hello").await;
        let store = &clinic.app.server.store;
        let digest = Digest::of(uploaded());
        // All tests share the policies of `clinic`: there it may have been compiled long ago.
        let (first, _first_folder) = node();
        first.get(store, clinic.organization, digest).await.unwrap();
        let label = first.host().form_label(digest).unwrap();
        let shared = store.read(clinic.organization).await.unwrap().compiled_form(&label).await.unwrap();
        assert_eq!(shared.is_some(), store.is_shared(), "only where there are other nodes");
        let Some(form) = shared else { return };

        let (other, _other_folder) = node();
        other.get(store, clinic.organization, digest).await.unwrap();
        assert_eq!(other.host().signed_form(digest), Some(form));
    })
    .await;
}

/// The policies of a node that has compiled nothing yet, and its folder.
fn node() -> (Policies, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = HostConfig::new([3; 32]);
    config.cache_dir = Some(folder.path().to_owned());
    (Policies::new(PolicyHost::new(config).unwrap()), folder)
}

#[tokio::test]
async fn an_activation_reaches_all_nodes_within_a_second() {
    run(async |clinic| {
        if !clinic.app.server.store.is_shared() {
            return;
        }
        let other = clinic.app.another_node().await;
        tokio::spawn(directory::follow(other.clone()));
        let bound = async || {
            let entry = other.directory.get(clinic.organization).await.unwrap();
            entry.bindings.iter().find(|binding| binding.hook == "routing").unwrap().id
        };
        // Twice: the first time, the other node may only just have begun to listen. The clock of these tests
        // stands still, so an entry never grows old: only word from the first node can end it.
        for is_warm in [false, true] {
            let before = bound().await;
            let started = Instant::now();
            loop {
                clinic.bind(Hook::Routing, uploaded(), None, &[]).await;
                tokio::time::sleep(Duration::from_millis(if is_warm { 900 } else { 100 })).await;
                if bound().await != before {
                    break;
                }
                assert!(!is_warm, "not within a second");
                assert!(started.elapsed() < Duration::from_secs(30), "the other node hears nothing");
            }
        }
        other.stop.cancel();
    })
    .await;
}
