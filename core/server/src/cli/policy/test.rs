//! `anteroom policy test`: the cases of a project against its component.

use std::{fmt::Write, fs, path::Path, sync::Arc};

use anteroom_model::hooks::Hook;
use anteroom_policy::{CUT_MARK, Call, CallRecord, Outcome, Policy, PolicyHost, Settings, settings_schema};
use serde_json::{Map, json};

use super::{
    at,
    cases::{Case, Cases},
    check::refused,
    expect::{Difference, describe},
    host,
    project::{component_path, read_manifest},
    say,
    turns::Conversation,
};
use crate::cli::Failure;

/// Runs the cases; `false` where one failed or the component is refused.
pub(super) fn test(
    folder: &Path,
    component: Option<&Path>,
    only: Option<&str>,
    record_to: Option<&Path>,
) -> Result<bool, Failure> {
    let (manifest, _) = read_manifest(folder)?;
    let hooks: Vec<Hook> = manifest.hooks.iter().filter_map(|hook| Hook::parse(hook)).collect();
    let path = folder.join("cases.toml");
    let cases = Cases::read(&path, &hooks)?;
    let file = component.map_or_else(|| component_path(folder, &manifest), Path::to_owned);
    let bytes = fs::read(&file).map_err(|error| {
        let again = folder.display();
        at(&file, format_args!("{error}. Build it first: anteroom policy build {again}"))
    })?;
    let host = host::start()?;
    let policy = match host::load(&host, &bytes) {
        Ok(policy) => policy,
        Err(refusal) => {
            say(&refused(&file, &refusal))?;
            return Ok(false);
        }
    };
    let runner = Runner { host: &host, policy: &policy, cases: &cases };
    let wanted = |case: &&Case| only.is_none_or(|part| case.name.contains(part));
    let mut summary = Summary::default();
    let mut records = String::new();
    let width = cases.cases.iter().map(|case| case.name.chars().count()).max().unwrap_or(0);
    for case in cases.cases.iter().filter(wanted) {
        let Run { asked, record, differences } = runner
            .run(case)
            .map_err(|problem| at(&path, format_args!("case \"{}\": {problem}", case.name)))?;
        say(&row(case, &record, &differences, width))?;
        summary.add(&record, differences.is_empty());
        records.push_str(&serde_json::to_string(&json!({
            "name": case.name,
            "settings": asked.settings.text(),
            "now": asked.now,
            "seed": asked.seed,
            "history": asked.history,
            "patient": asked.patient,
            "input": asked.input,
            "outcome": record.outcome,
        }))?);
        records.push('\n');
    }
    if summary.fuel.is_empty() {
        return Err(at(&path, "no case has that in its name"));
    }
    if let Some(file) = record_to {
        fs::write(file, records).map_err(|error| at(file, error))?;
    }
    let failed = summary.failed;
    say(&summary.say(&policy, host::compiled_bytes(&host, policy.digest)))?;
    Ok(failed == 0)
}

struct Runner<'a> {
    host: &'a PolicyHost,
    policy: &'a Arc<Policy>,
    cases: &'a Cases,
}

/// The last call of a case, what came of it, and how that differs from what was expected.
struct Run {
    asked: Call,
    record: CallRecord,
    differences: Vec<Difference>,
}

impl Runner<'_> {
    /// What a clinic would be told that binds the policy with these settings.
    fn fit(&self, settings: &Settings) -> Result<(), String> {
        let value = serde_json::from_str(settings.text()).map_err(|error| error.to_string())?;
        settings_schema::check(&self.policy.manifest.settings_schema, &value).map_err(|errors| {
            let all: Vec<_> = errors.iter().map(ToString::to_string).collect();
            all.join("; ")
        })
    }

    /// Asks a case's texts one after the other.
    fn run(&self, case: &Case) -> Result<Run, String> {
        let nothing = Map::new();
        let defaults = self.policy.manifest.default_settings.as_object().unwrap_or(&nothing);
        let setting = case.setting.clone().or(&self.cases.defaults);
        let mut conversation = Conversation::begin(case.hook, setting, defaults)?;
        let (last, earlier) =
            case.texts.split_last().map_or(("", &[][..]), |(last, rest)| (last.as_str(), rest));
        for text in earlier {
            let record = self.host.call_blocking(self.policy, conversation.call(text));
            conversation.go_on(text, &record.outcome);
        }
        let asked = conversation.last_call(last, case.expand.as_deref());
        let record = self.host.call_blocking(self.policy, asked.clone());
        let mut differences = case.expect.differences(&record.outcome);
        // A case may try what the policy says of wrong settings; the host lets nobody bind them.
        if !matches!(record.outcome, Outcome::Fault(_))
            && let Err(errors) = self.fit(&asked.settings)
        {
            differences.push(Difference {
                field: "settings".to_owned(),
                expected: "settings that fit the manifest's settings_schema".to_owned(),
                got: errors,
            });
        }
        Ok(Run { asked, record, differences })
    }
}

/// A line for a case, and below it what went wrong.
fn row(case: &Case, record: &CallRecord, differences: &[Difference], width: usize) -> String {
    let mark = if differences.is_empty() { "ok  " } else { "FAIL" };
    let mut text = format!(
        "{mark}  {:width$}  {:>9} fuel  {:>6} µs  {:>6} KiB",
        case.name,
        record.fuel,
        record.micros,
        record.memory_peak / 1024,
    );
    // Writing to a text can't fail.
    for Difference { field, expected, got } in differences {
        let place = if field.is_empty() { "the decision" } else { field.as_str() };
        let _ =
            write!(text, "\n        {place}\n            expected  {expected}\n            got       {got}");
    }
    if !differences.is_empty() {
        if differences.iter().any(|difference| !difference.field.is_empty()) {
            let _ = write!(text, "\n        the whole   {}", describe(&record.outcome));
        }
        for line in &record.log {
            let cut = if line.line.ends_with(CUT_MARK) { " (the rest was over the budget)" } else { "" };
            let _ = write!(text, "\n        it logged   {}{cut}", line.line);
        }
    }
    text
}

/// Over all cases.
#[derive(Default)]
struct Summary {
    failed: usize,
    fuel: Vec<u64>,
    micros: Vec<u64>,
    memory: u64,
}

impl Summary {
    fn add(&mut self, record: &CallRecord, passed: bool) {
        self.failed += usize::from(!passed);
        self.fuel.push(record.fuel);
        self.micros.push(record.micros);
        self.memory = self.memory.max(record.memory_peak);
    }

    fn say(mut self, policy: &Policy, compiled: Option<usize>) -> String {
        let compiled = compiled.map(|bytes| format!(", {bytes} compiled")).unwrap_or_default();
        let cases = self.fuel.len();
        let plural = if cases == 1 { "case" } else { "cases" };
        let verdict = match self.failed {
            0 => "all passed".to_owned(),
            failed => format!("{failed} failed"),
        };
        let middle = |values: &mut Vec<u64>| {
            values.sort_unstable();
            (values[values.len() / 2], values[values.len() - 1])
        };
        let (fuel, most_fuel) = middle(&mut self.fuel);
        let (micros, most_micros) = middle(&mut self.micros);
        format!(
            "{cases} {plural}, {verdict}. fuel {fuel} (most {most_fuel}), {micros} µs (most {most_micros}), \
             memory {} KiB, component {} bytes{compiled}",
            self.memory / 1024,
            policy.component_bytes,
        )
    }
}
