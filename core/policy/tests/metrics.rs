//! Calls are counted by hook, outcome and kind of fault, and nothing that was said is.

mod support;

use anteroom_policy::{HostConfig, Limits, PolicyHost};
use metrics_exporter_prometheus::PrometheusBuilder;
use support::{asking, config, guest, identity, routing};

#[test]
fn calls_and_faults_are_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let shown = metrics::with_local_recorder(&recorder, || {
        let host = PolicyHost::new(HostConfig { limits: Limits::default(), ..config() }).unwrap();
        let quiet = host.load(&guest("identity-policy", "", "(i32.const 1024)")).unwrap();
        let traps = host.load(&guest("routing-policy", "", "(unreachable)")).unwrap();
        for _ in 0..3 {
            host.call_blocking(&quiet, asking(identity("secret words")));
        }
        host.call_blocking(&traps, asking(routing("secret words")));
        recorder.handle().render()
    });
    for line in [
        r#"anteroom_policy_calls_total{hook="identity",outcome="no_opinion"} 3"#,
        r#"anteroom_policy_calls_total{hook="routing",outcome="fault"} 1"#,
        r#"anteroom_policy_faults_total{hook="routing",kind="trap"} 1"#,
        r#"anteroom_policy_call_seconds_count{hook="identity"} 3"#,
        "anteroom_policy_calls_in_flight 0",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "no {line} in\n{shown}");
    }
    for secret in ["secret", "+18005550100", "Ada", "message 5"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
