//! A whole policy call beside the bare Wasmtime call.

use std::{
    collections::BTreeMap,
    hint::black_box,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anteroom::{builtin, telemetry};
use anteroom_model::hooks::{ClinicNumber, HistoryMessage, Hook, HookInput, Hours, LocalTime, RoutingTurn};
use anteroom_policy::{Call, HostConfig, Outcome, Policy, PolicyHost, Settings};

use crate::{
    Failure,
    bare::{self, Bare},
    delivery,
    stats::{Times, micros},
};

/// Calls timed together, of one way after the other, so that both see the same machine.
const CALLS: usize = 500;
const ROUNDS: usize = 60;

/// The worst ratio of all.
pub(crate) fn print() -> Result<f64, Failure> {
    println!(
        "\nA policy call, in a fresh instance: the whole call with its limits and record, beside bare Wasmtime\n"
    );
    println!(
        "  {:<20} {:>9} {:>9} {:>9} {:>11} {:>10}",
        "policy", "bare µs", "call µs", "async µs", "call / bare", "fuel"
    );
    // As in the server, where a call is also counted.
    let metrics = telemetry::init_metrics();
    let host = PolicyHost::new(HostConfig::new([7; 32]))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let default = builtin::component(Hook::Routing);
    let cases = [
        ("no opinion", guest("no_opinion")?, Some("{}")),
        ("echo, every import", guest("echo")?, Some("{}")),
        ("default routing", default.to_vec(), None),
    ];
    let mut worst: f64 = 0.0;
    for (name, component, settings) in cases {
        let policy = host.load(&component).map_err(|refusal| format!("{name}: {refusal}"))?;
        let settings = settings.map_or_else(|| policy.manifest.default_settings.to_string(), str::to_owned);
        let case = Case { host: &host, policy, settings: settings.as_str().into() };
        let bare = Bare::new(&component, &settings, case.history())?;
        let (bare, whole, waited, fuel) = case.measure(&bare, &runtime)?;
        println!("  {name:<20} {bare:>9.1} {whole:>9.1} {waited:>9.1} {:>11.2} {fuel:>10}", whole / bare);
        worst = worst.max(whole / bare);
        // The recorder keeps samples until it is asked to sum them up.
        if let Some(metrics) = &metrics {
            metrics.run_upkeep();
        }
    }
    println!(
        "\n  Medians of {ROUNDS} rounds of {CALLS} calls each. async: through the server's threads, one call after another."
    );
    Ok(worst)
}

/// A test guest that `make plugins` has built.
fn guest(name: &str) -> Result<Vec<u8>, Failure> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../target/guests/test/{name}.wasm"));
    std::fs::read(&path).map_err(|error| format!("{}: {error}; run `make plugins`", path.display()).into())
}

struct Case<'a> {
    host: &'a Arc<PolicyHost>,
    policy: Arc<Policy>,
    settings: Settings,
}

impl Case<'_> {
    /// Median microseconds: bare, whole, awaited; and the fuel of one call.
    fn measure(
        &self,
        bare: &Bare,
        runtime: &tokio::runtime::Runtime,
    ) -> Result<(f64, f64, f64, u64), Failure> {
        let turn = bare::turn(&turn());
        let record = self.host.call_blocking(&self.policy, self.call());
        if let Outcome::Fault(fault) = &record.outcome {
            return Err(format!("the call failed: {fault:?}").into());
        }
        if bare.call(bare.answers(), &turn)?.is_some() != matches!(record.outcome, Outcome::Decided(_)) {
            return Err("both ways must decide alike".into());
        }
        let mut rounds: [Vec<Duration>; 3] = Default::default();
        for _ in 0..ROUNDS {
            let answers: Vec<_> = (0..CALLS).map(|_| bare.answers()).collect();
            rounds[0].push(timed(|| {
                for answers in answers {
                    // It has answered above.
                    drop(black_box(bare.call(answers, &turn)));
                }
            }));
            let calls: Vec<_> = (0..CALLS).map(|_| self.call()).collect();
            rounds[1].push(timed(|| {
                for call in calls {
                    drop(black_box(self.host.call_blocking(&self.policy, call)));
                }
            }));
            let calls: Vec<_> = (0..CALLS).map(|_| self.call()).collect();
            rounds[2].push(timed(|| {
                runtime.block_on(async {
                    for call in calls {
                        drop(black_box(self.host.call(&self.policy, call).await));
                    }
                });
            }));
        }
        let each = u32::try_from(CALLS)?;
        let [bare, whole, waited] = rounds.map(|times| micros(Times::new(times).percentile(50) / each));
        Ok((bare, whole, waited, record.fuel))
    }

    fn call(&self) -> Call {
        Call {
            organization: uuid::Uuid::from_u128(1).into(),
            settings: self.settings.clone(),
            now: 1,
            seed: 1,
            history: self.history(),
            patient: BTreeMap::new(),
            input: HookInput::Routing(turn()),
        }
    }

    /// As the pipeline does it: only for those who ask.
    fn history(&self) -> Vec<HistoryMessage> {
        let message = |number: i64| HistoryMessage {
            direction: "inbound".into(),
            author: "patient".into(),
            at: number,
            body: "When do you open?".into(),
        };
        if self.policy.uses_history { (0..10).map(message).collect() } else { Vec::new() }
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn turn() -> RoutingTurn {
    let local = LocalTime { date: "2026-11-23".into(), weekday: "monday".into(), minute: 600 };
    let closes = LocalTime { minute: 1_020, ..local.clone() };
    RoutingTurn {
        text: delivery::text().into(),
        media_count: 0,
        number: ClinicNumber {
            address: "+18005550100".into(),
            kind: "toll_free".into(),
            label: "Front desk".into(),
            facility: Some("Riverside Main".into()),
            organization: "Riverside Family Clinic".into(),
        },
        hours: Hours {
            open: true,
            time_zone: "America/Chicago".into(),
            local,
            holiday: None,
            opens: None,
            closes: Some(closes),
        },
        turn_number: 1,
        identity: "unasked".into(),
        teams: ["Front desk", "Nurses", "Pharmacy", "Billing"].map(str::to_owned).to_vec(),
        facilities: ["Riverside Main", "Riverside North"].map(str::to_owned).to_vec(),
        current: None,
    }
}
