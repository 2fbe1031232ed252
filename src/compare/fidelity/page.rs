//! The page, in Markdown.

use std::io::{self, Write};

use super::plan::{LONG, SHORTER, known};
use super::{Entry, Finding};
use crate::compare::{Row, Scope, Tolerance};
use crate::span;

/// How many lines of a disagreement are shown.
const SHOWN: usize = 8;

/// Writes the page; `kernel` and `machine` are what they are called.
///
/// # Errors
///
/// What `out` says.
pub fn page(
    out: &mut dyn Write,
    entries: &[Entry],
    tolerance: Tolerance,
    (kernel, machine): (&str, &str),
) -> io::Result<()> {
    head(out, entries, tolerance, (kernel, machine))?;
    table(out, entries)?;
    notes(out, entries)?;
    partings(out, entries, kernel)?;
    not_run(out, entries)
}

fn head(
    out: &mut dyn Write,
    entries: &[Entry],
    tolerance: Tolerance,
    (kernel, machine): (&str, &str),
) -> io::Result<()> {
    let run = entries.iter().filter(|entry| entry.found.is_ok()).count();
    let agree = entries.iter().filter(|entry| entry.agrees()).count();
    let pairs: usize = findings(entries).map(|(_, finding)| finding.report.pairs()).sum();
    writeln!(out, "# How true it is\n")?;
    writeln!(
        out,
        "Every scenario was run twice: in the simulation with `--stack linux`, and as real processes on {kernel}, each \
         host in a network namespace of its own, with the simulation's router between them in real time. Then the two \
         were held against each other, event by event.\n"
    )?;
    writeln!(out, "**{agree} of {run} scenarios agree**; {pairs} events are in both runs.")?;
    writeln!(out, "Scenarios that nobody chose are on a page of their own: [random.md](random.md).")?;
    if let Some((entry, row)) = worst(entries) {
        let (host, what) = row.host_and_what();
        writeln!(out, "Furthest off is `{host}: {what}` of `{}`: {}.", entry.plan.name, deviation(row))?;
    }
    writeln!(out, "\nMeasured on {machine}. This page is written by\n")?;
    writeln!(out, "    echosim compare --all\n")?;
    writeln!(
        out,
        "which takes some minutes, and root or unprivileged user namespaces. Two runs agree when each process makes the \
         same calls with the same arguments, results and errors in the same order, each connection has the same segments \
         (flags, sequence and acknowledgment numbers, length) and ICMP errors in the same order at both its ends (but for what \
         two timers send at nearly one moment), no window differs by more than a full-sized segment and a unit of its \
         scale, and no time is off by more than {} % \
         of its span and a granule of the kernel's timer wheel (4 ms for a span up to 0.25 s, 32 ms up to 2 s, 0.26 s up \
         to 16 s, 2 s up to 131 s). A span is the time since the event's cause: what came before it at its host, the \
         sending of its packet, or what set the timer. Where processes of this machine were woken late meanwhile, which \
         is measured, a time may be off by as much more. All the timers of a run together may not be later or earlier \
         than chance explains.\n",
        tolerance.share * 100.0
    )
}

fn table(out: &mut dyn Write, entries: &[Entry]) -> io::Result<()> {
    writeln!(out, "| scenario | compared | errors seen | order | furthest off in time | there |")?;
    writeln!(out, "| --- | --- | --- | --- | --- | --- |")?;
    for (entry, finding) in findings(entries) {
        let report = &finding.report;
        let name = &entry.plan.name;
        let compared = match entry.plan.scope {
            Scope::Everything => format!("{} events, {} segments", report.pairs(), finding.segments),
            Scope::Order(_) => format!("{} events, {} segments, in order", report.pairs(), finding.segments),
            Scope::Ends(_) => format!("{} events: what is printed, fails and ends", report.pairs()),
        };
        let errors = if finding.errors.is_empty() { "–".to_owned() } else { finding.errors.join(", ") };
        let order = match (report.agrees_in_order(), report.drift.is_off()) {
            (true, false) => "agrees",
            (true, true) => "agrees; **its timers do not**",
            (false, _) => "**parts**",
        };
        let worst = report.worst().filter(|_| entry.plan.scope == Scope::Everything);
        let (off, there) = worst.map_or((String::new(), String::new()), |(row, timing)| {
            let (host, what) = row.host_and_what();
            let off = deviation(row);
            (if timing.is_off() { format!("**{off}**") } else { off }, format!("`{host}: {}`", cell(what)))
        });
        writeln!(
            out,
            "| [{name}](../sims/{name}.toml) | {compared} | {errors} | {order} | {off} | {there} |"
        )?;
    }
    Ok(())
}

/// What was done to make it possible.
fn notes(out: &mut dyn Write, entries: &[Entry]) -> io::Result<()> {
    let changed = entries.iter().filter(|entry| !entry.plan.scenario.set.is_empty());
    let changed: Vec<String> = changed.map(|entry| format!("`{}`", entry.plan.name)).collect();
    if !changed.is_empty() {
        let all: Vec<String> = SHORTER.iter().map(|(key, value)| format!("`--set {key}={value}`")).collect();
        writeln!(out, "\n## Made shorter\n")?;
        writeln!(
            out,
            "What takes longer than {} is played with {}, as far as the scenario knows the key, in both runs: {}.",
            span::show(LONG),
            all.join(" "),
            changed.join(", ")
        )?;
    }
    let mut heading = "\n## Not everything is compared\n\n";
    for entry in entries {
        let Some((what, why)) = entry.plan.scope.less() else { continue };
        writeln!(out, "{heading}- `{}`: {what}, in order; {why}.", entry.plan.name)?;
        heading = "";
    }
    Ok(())
}

fn partings(out: &mut dyn Write, entries: &[Entry], kernel: &str) -> io::Result<()> {
    let parting: Vec<_> = findings(entries).filter(|(entry, _)| !entry.agrees()).collect();
    if parting.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Where they part")?;
    for (entry, finding) in parting {
        let rows: Vec<&Row> = finding.report.partings().collect();
        writeln!(out, "\n### {}\n", entry.plan.name)?;
        match known(&entry.plan.name) {
            Some(why) => writeln!(out, "{why}\n")?,
            None => writeln!(out, "Not explained; on a busy machine it may be the machine.\n")?,
        }
        writeln!(out, "{} of {} events, the first of them:\n", rows.len(), finding.report.rows.len())?;
        for row in rows.iter().take(SHOWN) {
            let (host, what) = row.host_and_what();
            let how = match row {
                Row::Both { windows: Some((sim, real)), .. } => {
                    format!("window {sim}, and {real} on {kernel}")
                }
                Row::Both { timing, .. } => {
                    format!("off by {}, allowed {}", deviation(row), span::show(timing.allowed))
                }
                Row::OnlySim { sim, .. } => format!("in the simulation only, at {sim} s"),
                Row::OnlyReal { real, .. } => format!("on {kernel} only, at {real} s"),
            };
            writeln!(out, "- `{host}: {what}`: {how}")?;
        }
    }
    Ok(())
}

fn not_run(out: &mut dyn Write, entries: &[Entry]) -> io::Result<()> {
    let mut heading = "\n## Not played\n\n";
    for entry in entries {
        if let Err(why) = &entry.found {
            writeln!(out, "{heading}- `{}`: {why}", entry.plan.name)?;
            heading = "";
        }
    }
    Ok(())
}

fn findings(entries: &[Entry]) -> impl Iterator<Item = (&Entry, &Finding)> {
    entries.iter().filter_map(|entry| Some((entry, entry.found.as_ref().ok()?)))
}

fn worst(entries: &[Entry]) -> Option<(&Entry, &Row)> {
    let timed = findings(entries).filter(|(entry, _)| entry.plan.scope == Scope::Everything);
    let all = timed.filter_map(|(entry, finding)| Some((entry, finding.report.worst()?)));
    let (entry, (row, _)) = all.max_by_key(|(_, (_, timing))| timing.off())?;
    Some((entry, row))
}

/// `+1.2 ms of 5 ms`, `−0.226 s of 17 s (1.3 %)`: so much later or earlier on the kernel.
fn deviation(row: &Row) -> String {
    let Some(timing) = row.timing() else { return String::new() };
    let sign = if timing.real < timing.sim { '−' } else { '+' };
    let (off, since) = (timing.off().as_secs_f64(), timing.sim.as_secs_f64());
    let off = if off < 0.1 { format!("{sign}{:.1} ms", off * 1e3) } else { format!("{sign}{off:.3} s") };
    match since {
        0.0 => off,
        ..1.0 => format!("{off} of {:.0} ms", since * 1e3),
        _ => format!("{off} of {since:.1} s ({:.1} %)", timing.off().as_secs_f64() / since * 100.0),
    }
}

/// A text that may stand in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
