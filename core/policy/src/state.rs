//! What one running call holds: its context, its budgets and what it recorded so far.

use std::{
    collections::BTreeMap,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use anteroom_model::hooks::{HistoryMessage, Hook};
use rustix::time::{ClockId, clock_gettime};
use wasmtime::{ResourceLimiter, UpdateDeadline};

use crate::{
    FaultKind, HostAnswer, Limits, LogLevel, LogLine, Settings, fault::stop, limits::HISTORY_MESSAGES,
    record::CUT_MARK,
};

/// What the imports answer from: the host's own facts, or those of a record.
pub(crate) struct Facts {
    pub(crate) settings: Settings,
    pub(crate) now: i64,
    pub(crate) seed: u64,
    pub(crate) history: Vec<HistoryMessage>,
    pub(crate) patient: BTreeMap<String, String>,
    /// In a replay: the recorded answers, served in order instead of the facts.
    pub(crate) script: Option<Vec<HostAnswer>>,
}

impl Facts {
    /// With these settings and nothing else.
    pub(crate) fn bare(settings: Settings) -> Self {
        Self { settings, now: 0, seed: 0, history: Vec::new(), patient: BTreeMap::new(), script: None }
    }
}

/// The data of a call's store.
pub(crate) struct State {
    limits: Limits,
    now: i64,
    seed: u64,
    settings: Settings,
    history: Vec<HistoryMessage>,
    patient: BTreeMap<String, String>,
    sees_patient: bool,
    script: Option<std::vec::IntoIter<HostAnswer>>,

    pub(crate) answers: Vec<HostAnswer>,
    pub(crate) log: Vec<LogLine>,
    /// In a replay: the import that was not called as recorded.
    pub(crate) divergence: Option<String>,
    pub(crate) memory: Memory,
    history_given: usize,
    log_bytes: usize,
    log_calls: u32,
    log_full: bool,
    started: Instant,
    cpu_started: Duration,
}

impl State {
    pub(crate) fn new(hook: Hook, limits: Limits, facts: Facts) -> Self {
        Self {
            limits,
            now: facts.now,
            seed: facts.seed,
            settings: facts.settings,
            history: facts.history,
            patient: facts.patient,
            sees_patient: sees_patient(hook),
            script: facts.script.map(Vec::into_iter),
            answers: Vec::new(),
            log: Vec::new(),
            divergence: None,
            memory: Memory::new(limits.memory_bytes),
            history_given: 0,
            log_bytes: 0,
            log_calls: 0,
            log_full: false,
            started: Instant::now(),
            cpu_started: thread_cpu(),
        }
    }

    /// The history that the record needs: the longest that was handed out.
    pub(crate) fn take_history(&mut self) -> Vec<HistoryMessage> {
        self.history.split_off(self.history.len() - self.history_given)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Recorded answers that the replay never asked for.
    pub(crate) fn script_left(&self) -> usize {
        self.script.as_ref().map_or(0, ExactSizeIterator::len)
    }

    pub(crate) fn now(&mut self) -> wasmtime::Result<i64> {
        match self.answer(|state| HostAnswer::Now { value: state.now }, same_call)? {
            HostAnswer::Now { value } => Ok(value),
            _ => Err(mismatch()),
        }
    }

    pub(crate) fn seed(&mut self) -> wasmtime::Result<u64> {
        match self.answer(|state| HostAnswer::Seed { value: state.seed }, same_call)? {
            HostAnswer::Seed { value } => Ok(value),
            _ => Err(mismatch()),
        }
    }

    pub(crate) fn settings(&mut self) -> wasmtime::Result<Arc<str>> {
        self.answer(|state| HostAnswer::Settings { digest: state.settings.digest() }, |a, b| a == b)?;
        Ok(Arc::clone(self.settings.text()))
    }

    /// The messages to hand out, as a range of [`State::message`].
    pub(crate) fn history(&mut self, limit: u32) -> wasmtime::Result<&[HistoryMessage]> {
        let answer = self.answer(
            |state| HostAnswer::History {
                limit,
                given: fitting(&state.history, limit, state.limits.input_bytes),
            },
            |a, b| match (a, b) {
                (HostAnswer::History { limit: a, .. }, HostAnswer::History { limit: b, .. }) => a == b,
                _ => false,
            },
        )?;
        let HostAnswer::History { given, .. } = answer else { return Err(mismatch()) };
        let given = usize::try_from(given).unwrap_or(usize::MAX).min(self.history.len());
        self.history_given = self.history_given.max(given);
        Ok(&self.history[self.history.len() - given..])
    }

    pub(crate) fn field(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        let answer = self.answer(
            |state| {
                let value = state.patient.get(&name).filter(|_| state.sees_patient).cloned();
                HostAnswer::Field { name, value }
            },
            |a, b| match (a, b) {
                (HostAnswer::Field { name: a, .. }, HostAnswer::Field { name: b, .. }) => a == b,
                _ => false,
            },
        )?;
        match answer {
            HostAnswer::Field { value, .. } => Ok(value),
            _ => Err(mismatch()),
        }
    }

    pub(crate) const fn log_line_bytes(&self) -> usize {
        self.limits.log_line_bytes
    }

    /// Keeps a line (already cut to [`Self::log_line_bytes`]) while the budget lasts.
    pub(crate) fn log(&mut self, level: LogLevel, line: String) -> wasmtime::Result<()> {
        if self.log_calls >= self.limits.log_calls {
            let message = format!("called `log` over {} times", self.limits.log_calls);
            return Err(stop(FaultKind::Log, message));
        }
        self.log_calls += 1;
        if self.log_full {
            return Ok(());
        }
        if self.log_bytes + line.len() + CUT_MARK.len() > self.limits.log_bytes {
            self.log_full = true;
            self.log.push(LogLine { level: LogLevel::Warn, line: CUT_MARK.to_owned() });
        } else {
            self.log_bytes += line.len();
            self.log.push(LogLine { level, line });
        }
        Ok(())
    }

    /// At each tick of the epoch: is there time left?
    pub(crate) fn tick(&self) -> wasmtime::Result<UpdateDeadline> {
        // The thread's own time: a busy machine must not turn an innocent policy into a fault.
        if thread_cpu().saturating_sub(self.cpu_started) > self.limits.cpu() {
            return Err(stop(FaultKind::CpuTime, format!("over {} ms of CPU time", self.limits.cpu_ms)));
        }
        if self.elapsed() > self.limits.wall() {
            let message = format!("over {} ms on the wall, within its CPU time", self.limits.wall_ms);
            return Err(stop(FaultKind::WallTime, message));
        }
        Ok(UpdateDeadline::Continue(1))
    }

    /// Spends a host call, and records and returns its answer: the recorded one in a replay.
    fn answer(
        &mut self,
        fact: impl FnOnce(&Self) -> HostAnswer,
        matches: impl FnOnce(&HostAnswer, &HostAnswer) -> bool,
    ) -> wasmtime::Result<HostAnswer> {
        if self.answers.len() >= usize::try_from(self.limits.host_calls).unwrap_or(usize::MAX) {
            let message = format!("called the host over {} times", self.limits.host_calls);
            return Err(stop(FaultKind::HostCalls, message));
        }
        let mut answer = fact(self);
        if let Some(script) = &mut self.script {
            let recorded = script.next();
            match recorded {
                Some(recorded) if matches(&answer, &recorded) => answer = recorded,
                recorded => {
                    let said = recorded.as_ref().map_or("nothing more".to_owned(), describe);
                    let number = self.answers.len() + 1;
                    let asked = describe(&answer);
                    self.divergence =
                        Some(format!("host call {number}: the record has {said}, the replay called {asked}"));
                    return Err(stop(FaultKind::Host, "the replay left the record"));
                }
            }
        }
        self.answers.push(answer.clone());
        Ok(answer)
    }
}

/// May this hook read the linked patient? Not where its output is sent with no person in between.
pub(crate) const fn sees_patient(hook: Hook) -> bool {
    match hook {
        Hook::Routing | Hook::Shortcuts => true,
        Hook::Identity | Hook::Replies => false,
    }
}

fn same_call(a: &HostAnswer, b: &HostAnswer) -> bool {
    mem::discriminant(a) == mem::discriminant(b)
}

fn mismatch() -> wasmtime::Error {
    stop(FaultKind::Host, "an answer of another call")
}

/// A call and its arguments, without its answer.
fn describe(answer: &HostAnswer) -> String {
    match answer {
        HostAnswer::Now { .. } => "now()".to_owned(),
        HostAnswer::Seed { .. } => "seed()".to_owned(),
        HostAnswer::Settings { digest } => format!("settings() of {digest}"),
        HostAnswer::History { limit, .. } => format!("history({limit})"),
        HostAnswer::Field { name, .. } => format!("field({name:?})"),
    }
}

/// How many of the newest messages are asked for, allowed, and fit within `bytes`.
fn fitting(history: &[HistoryMessage], limit: u32, bytes: usize) -> u32 {
    let most = usize::try_from(limit).unwrap_or(usize::MAX).min(HISTORY_MESSAGES);
    let mut left = bytes;
    let mut given = 0;
    for message in history.iter().rev().take(most) {
        let size = message.body.len() + message.direction.len() + message.author.len() + size_of::<i64>();
        let Some(rest) = left.checked_sub(size) else { break };
        left = rest;
        given += 1;
    }
    given
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Sums the memories and tables of all instances of one call: Wasmtime's own limits count each by itself.
pub(crate) struct Memory {
    limit: usize,
    held: usize,
    last: usize,
    pub(crate) peak: usize,
}

impl Memory {
    fn new(limit: usize) -> Self {
        Self { limit, held: 0, last: 0, peak: 0 }
    }

    fn grow(&mut self, more: usize, what: &str) -> wasmtime::Result<bool> {
        let held = self.held.saturating_add(more);
        if held > self.limit {
            let message =
                format!("{what} of {more} bytes on top of {}; the limit is {}", self.held, self.limit);
            // An error and not `memory.grow`'s -1: the author sees the name of the limit and who asked.
            return Err(stop(FaultKind::Memory, message));
        }
        self.held = held;
        self.last = more;
        self.peak = self.peak.max(held);
        Ok(true)
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, now: usize, wanted: usize, most: Option<usize>) -> wasmtime::Result<bool> {
        let grown = self.grow(wanted.saturating_sub(now), "a growth")?;
        Ok(grown && !self.beyond(wanted, most))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.give_back();
        Ok(())
    }

    fn table_growing(&mut self, now: usize, wanted: usize, most: Option<usize>) -> wasmtime::Result<bool> {
        let elements = wanted.saturating_sub(now);
        let grown = self.grow(elements.saturating_mul(size_of::<usize>()), "a table's growth")?;
        Ok(grown && !self.beyond(wanted, most))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.give_back();
        Ok(())
    }
}

impl Memory {
    /// Over what the module itself declared: refused as WebAssembly does, with -1, and not counted.
    fn beyond(&mut self, wanted: usize, most: Option<usize>) -> bool {
        let beyond = most.is_some_and(|most| wanted > most);
        if beyond {
            self.give_back();
        }
        beyond
    }

    fn give_back(&mut self) {
        self.held -= mem::take(&mut self.last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_are_summed_and_refused_growth_is_given_back() {
        let mut memory = Memory::new(1000);
        assert!(memory.memory_growing(0, 600, None).unwrap());
        assert!(memory.table_growing(0, 10, None).unwrap());
        assert_eq!(memory.held, 680);
        assert!(!memory.memory_growing(600, 700, Some(650)).unwrap());
        assert_eq!(memory.held, 680);
        assert!(memory.memory_growing(0, 321, None).is_err());
        assert!(memory.memory_growing(0, 320, None).unwrap());
        memory.memory_grow_failed(wasmtime::Error::msg("no pages")).unwrap();
        assert_eq!((memory.held, memory.peak), (680, 1000));
    }

    #[test]
    fn history_is_cut_to_what_fits_newest_first() {
        let message = |body: &str| HistoryMessage {
            direction: String::new(),
            author: String::new(),
            at: 0,
            body: body.to_owned(),
        };
        let history = [message("0123456789"), message("01"), message("0123")];
        assert_eq!(fitting(&history, 10, 1000), 3);
        assert_eq!(fitting(&history, 2, 1000), 2);
        assert_eq!(fitting(&history, 10, 30), 2);
        assert_eq!(fitting(&vec![message(""); 60], u32::MAX, 10_000), 50);
    }
}
