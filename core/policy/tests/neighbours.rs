//! One organization's hostile policy takes none of another's places.

mod support;

use std::sync::Arc;

use anteroom_policy::{Call, HostConfig, Limits, Outcome, PolicyHost};
use support::{asking, config, guest, identity, organization};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_one_organization_leaves_the_others_calls_alone() {
    let limits = Limits { fuel: Limits::CEILING.fuel, wall_ms: 1_000, wait_ms: 1, ..Limits::default() };
    let host = PolicyHost::new(HostConfig {
        limits,
        global_concurrency: 4,
        per_organization_concurrency: 2,
        ..config()
    })
    .unwrap();
    let spins = host.load(&guest("identity-policy", "", "(loop $again (br $again)) (unreachable)")).unwrap();
    let quiet = host.load(&guest("identity-policy", "", "(i32.const 1024)")).unwrap();

    let flood: Vec<_> = (0..20)
        .map(|_| {
            let (host, spins) = (Arc::clone(&host), Arc::clone(&spins));
            let call = Call { organization: organization(1), ..asking(identity("hello")) };
            tokio::spawn(async move { host.call(&spins, call).await.outcome })
        })
        .collect();
    for _ in 0..20 {
        let call = Call { organization: organization(2), ..asking(identity("hello")) };
        assert_eq!(host.call(&quiet, call).await.outcome, Outcome::NoOpinion);
    }
    let (mut faults, mut overloads) = (0, 0);
    for call in flood {
        match call.await.unwrap() {
            Outcome::Fault(fault) => {
                assert!(fault.is_authors(), "{fault:?}");
                faults += 1;
            }
            Outcome::Overload => overloads += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(faults >= 2 && overloads >= 1, "{faults} faults, {overloads} overloads");
}

#[test]
fn a_host_has_ceilings() {
    let refused = |config: HostConfig| PolicyHost::new(config).unwrap_err().to_string();
    let limits = Limits { memory_bytes: usize::MAX, ..Limits::default() };
    assert!(refused(HostConfig { limits, ..config() }).contains("memory_bytes"));
    let over = refused(HostConfig { per_organization_concurrency: 33, ..config() });
    assert!(over.contains("per_organization_concurrency"));
    assert!(refused(HostConfig { global_concurrency: 0, ..config() }).contains("global_concurrency"));
}

#[test]
fn the_engines_name_is_the_locked_one() {
    let host = PolicyHost::new(config()).unwrap();
    let lock = include_str!("../../../Cargo.lock");
    let locked =
        lock.split("name = \"wasmtime\"\nversion = \"").nth(1).and_then(|rest| rest.split('"').next());
    assert!(host.engine_name().ends_with(&format!("wasmtime {}", locked.unwrap())));
}
