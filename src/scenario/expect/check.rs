//! Holds what happened against what was expected.

use std::fmt;

use super::observed::{HostSeen, Observed, Seen, SeenFailure};
use super::pattern::fits;
use super::{Count, Expectation, Failure, Prints, Tolerance};
use crate::scenario::outcome::Outcome;
use crate::scenario::{Host, Scenario, Waiting, generated_line};
use crate::span;
use crate::time::SimTime;
use crate::timeline::TcpState;

/// Something that was expected and did not happen, or the other way round.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Where: `client prints`.
    pub place: String,
    /// What the scenario says.
    pub expected: String,
    /// What the run showed.
    pub got: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}; got {}", self.place, self.expected, self.got)
    }
}

/// Every difference between what `scenario` expects and what `outcome` shows; none if all is as it should be.
pub fn check(scenario: &Scenario, outcome: &Outcome) -> Vec<Difference> {
    check_within(scenario, outcome, Tolerance::NONE)
}

/// The same of a run on a real kernel, whose times may be off by `tolerance`.
pub fn check_within(scenario: &Scenario, outcome: &Outcome, tolerance: Tolerance) -> Vec<Difference> {
    judge(scenario, Observed::new(scenario), outcome, tolerance)
}

/// The same where what happened was observed while the run went on, and is not in the outcome.
pub(crate) fn judge(
    scenario: &Scenario,
    mut observed: Observed,
    outcome: &Outcome,
    tolerance: Tolerance,
) -> Vec<Difference> {
    observed.end(outcome);
    let mut differences = Differences { tolerance, found: Vec::new() };
    for (host, seen) in scenario.hosts.iter().zip(&observed.hosts) {
        differences.host(scenario, host, seen);
    }
    differences.missed(scenario, outcome);
    differences.rules(scenario, outcome);
    differences.found
}

struct Differences {
    tolerance: Tolerance,
    found: Vec<Difference>,
}

impl Differences {
    fn note(&mut self, place: String, expected: impl fmt::Display, got: impl fmt::Display) {
        self.found.push(Difference { place, expected: expected.to_string(), got: got.to_string() });
    }

    fn host(&mut self, scenario: &Scenario, host: &Host, seen: &HostSeen) {
        for (nth, seen) in (0..).zip(&seen.processes) {
            let who = match host.count {
                1 => host.name.clone(),
                _ => format!("{} process {}", host.name, nth + 1),
            };
            self.process(&who, &host.expect.of(nth, scenario), seen);
        }
        // Segments are the host's: it cannot be told which process a retransmission belongs to.
        let expected = host.expect.of(0, scenario);
        if let Some(states) = expected.states.filter(|states| *states != seen.states) {
            self.note(format!("{} states", host.name), chain(&states), chain(&seen.states));
        }
        let counts = [
            ("segments", expected.segments, seen.segments),
            ("retransmissions", expected.retransmissions, seen.retransmissions),
        ];
        for (what, expected, got) in counts {
            if let Some(expected) = expected.filter(|count| !count.holds(got)) {
                self.note(format!("{} {what}", host.name), expected, got);
            }
        }
    }

    fn process(&mut self, who: &str, expected: &Expectation, seen: &Seen) {
        if expected.anything == Some(true) {
            return;
        }
        let fails = expected.fails.as_deref().unwrap_or_default();
        let stderr = expected.stderr.as_deref();
        let prints = format!("{who} prints");
        match &expected.prints {
            None => self.lines(prints, &[], &seen.stdout),
            Some(Prints::Exactly(lines)) => self.lines(prints, lines, &seen.stdout),
            Some(Prints::First(count)) => self.first_lines(prints, *count, &seen.stdout),
            Some(Prints::Each(line, count)) => {
                let alike = seen.stdout.iter().all(|got| fits(line, got));
                if !alike || !count.holds(seen.stdout.len() as u64) {
                    self.note(prints, format!("{count} times {line:?}"), all(&seen.stdout));
                }
            }
        }
        if stderr.is_some() || fails.is_empty() {
            self.lines(format!("{who} stderr"), stderr.unwrap_or_default(), &seen.stderr);
        }
        self.fails(who, fails, &seen.fails);

        let exits = seen.exits.iter().map(ToString::to_string);
        if let Some(expected) = &expected.exits {
            self.set(format!("{who} exits"), expected.iter().map(ToString::to_string), exits);
        } else if fails.is_empty() && stderr.is_none_or(<[_]>::is_empty) {
            // One that fails or complains may say so in its status, too; no other may.
            let bad: Vec<String> = exits.filter(|status| status != "0").collect();
            if !bad.is_empty() {
                self.note(format!("{who} exits"), "0", bad.join(", "));
            }
        }
        let killed = expected.killed.as_deref().unwrap_or_default();
        self.set(
            format!("{who} killed"),
            killed.iter().cloned(),
            seen.killed.iter().map(ToString::to_string),
        );
        if let Some(count) = expected.zombies.filter(|count| !count.holds(seen.zombies.len() as u64)) {
            self.note(format!("{who} zombies"), count, seen.zombies.len());
        }
        if let Some(waits) = &expected.waits {
            self.waits(format!("{who} waits"), waits, &seen.waits);
        }
    }

    /// Lines in order. Of long texts only the first line that differs is shown.
    fn lines(&mut self, place: String, expected: &[String], got: &[String]) {
        const LONG: usize = 5;
        if expected.len() == got.len() && expected.iter().zip(got).all(|(pattern, line)| fits(pattern, line))
        {
            return;
        }
        if expected.len().max(got.len()) <= LONG {
            return self.note(place, all(expected), all(got));
        }
        let same = expected.iter().zip(got).take_while(|(pattern, line)| fits(pattern, line)).count();
        let line = |line: Option<&str>| line.map_or("no more lines".to_owned(), |line| format!("{line:?}"));
        let expected = line(expected.get(same).map(String::as_str));
        self.note(format!("{place}, line {}", same + 1), expected, line(got.get(same).map(String::as_str)));
    }

    /// So many generated lines; behind them there may be a part of one more.
    fn first_lines(&mut self, place: String, count: Count, got: &[String]) {
        let whole = (1..).zip(got).take_while(|(nth, line)| generated_line(*nth) == **line).count();
        let next = generated_line(whole as u64 + 1);
        let in_order = match &got[whole..] {
            [] => true,
            [part] => next.starts_with(part.as_str()),
            _ => false,
        };
        if !in_order {
            self.note(
                format!("{place}, line {}", whole + 1),
                format!("{next:?}"),
                format!("{:?}", got[whole]),
            );
        } else if !count.holds(whole as u64) {
            self.note(place, format!("the first {count} lines"), whole);
        }
    }

    /// Failures in order.
    fn fails(&mut self, who: &str, expected: &[Failure], got: &[SeenFailure]) {
        for nth in 0..expected.len().max(got.len()) {
            let (expected, got) = (expected.get(nth), got.get(nth));
            if expected.zip(got).is_some_and(|(expected, got)| got.is(expected, self.tolerance)) {
                continue;
            }
            let expected = expected.map_or("no failure".to_owned(), ToString::to_string);
            let got = got.map_or("no failure".to_owned(), ToString::to_string);
            self.note(format!("{who} fails"), expected, got);
        }
    }

    /// Things in any order.
    fn set(
        &mut self,
        place: String,
        expected: impl Iterator<Item = String>,
        got: impl Iterator<Item = String>,
    ) {
        let (mut expected, mut got): (Vec<_>, Vec<_>) = (expected.collect(), got.collect());
        expected.sort_unstable();
        got.sort_unstable();
        if expected != got {
            let list =
                |words: Vec<String>| if words.is_empty() { "none".to_owned() } else { words.join(", ") };
            self.note(place, list(expected), list(got));
        }
    }

    /// Calls in any order, each under its own name or that of the function around it.
    fn waits(&mut self, place: String, expected: &[String], got: &[Waiting]) {
        let mut left: Vec<&Waiting> = got.iter().collect();
        let all_there = expected.iter().all(|name| {
            // The more special name first, or `read` might take away what `str_echo` needs.
            let called =
                |name_of: fn(&Waiting) -> &'static str| left.iter().position(|it| name_of(it) == name);
            let found = called(Waiting::on).or_else(|| called(|waiting| waiting.call));
            found.map(|at| left.swap_remove(at)).is_some()
        });
        if !all_there || !left.is_empty() {
            self.set(place, expected.iter().cloned(), got.iter().map(|waiting| waiting.on().to_owned()));
        }
    }

    fn missed(&mut self, scenario: &Scenario, outcome: &Outcome) {
        for fault in outcome.missed.iter().filter_map(|&missed| scenario.faults.get(missed)) {
            if !fault.may_miss && !scenario.may_miss {
                let place = format!("{}:{}: {fault}", scenario.file, fault.line);
                self.note(place, "a packet, a call or a process to strike", "none");
            }
        }
    }

    /// A rule that is for so many packets takes as many; any other takes one at least.
    fn rules(&mut self, scenario: &Scenario, outcome: &Outcome) {
        for (rule, &taken) in scenario.rules.iter().zip(&outcome.taken) {
            let count = rule.config.count;
            let (is_met, expected) = match count {
                u64::MAX => (taken > 0, "1 or more".to_owned()),
                _ => (taken == count, count.to_string()),
            };
            if !(is_met || rule.may_miss || scenario.may_miss) {
                let place = format!("{}:{}: packets taken by the rule", scenario.file, rule.line);
                self.note(place, expected, taken);
            }
        }
    }
}

fn chain(states: &[TcpState]) -> String {
    states.iter().map(|state| state.name()).collect::<Vec<_>>().join(" ")
}

fn all<S: AsRef<str>>(lines: &[S]) -> String {
    let quoted: Vec<String> = lines.iter().map(|line| format!("{:?}", line.as_ref())).collect();
    if quoted.is_empty() { "nothing".to_owned() } else { quoted.join(", ") }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.call, self.errno)?;
        if let Some(after) = &self.after {
            write!(f, " after {after}")?;
        }
        if let Some(at) = &self.at {
            write!(f, " at {at}")?;
        }
        Ok(())
    }
}

impl fmt::Display for SeenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.call.known_as();
        let (after, at) = (span::show(self.after()), span::show(self.t - SimTime::ZERO));
        write!(f, "{call} {} after {after} at {at}", self.errno)
    }
}
