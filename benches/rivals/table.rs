//! The figures as tables in Markdown.

use std::fs;
use std::io::{self, Write};

use crate::contestant::ALL;
use crate::round::{self, MEASURES};

/// What every contestant came to in every round.
#[derive(Default)]
pub(crate) struct Figures([Vec<round::Figures>; ALL.len()]);

/// A figure over the rounds.
struct Spread {
    least: f64,
    median: f64,
    greatest: f64,
}

impl Figures {
    /// What the contestant of this number came to in its last round.
    pub(crate) fn last(&self, contestant: usize) -> Option<&round::Figures> {
        self.0[contestant].last()
    }

    /// Adds what it came to in its next round.
    pub(crate) fn add(&mut self, contestant: usize, round: round::Figures) {
        self.0[contestant].push(round);
    }

    /// Writes them all, and the machine they are of.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}; loopback; medians of {} rounds.\n", machine(), self.0[0].len())?;
        self.write_medians(out)?;
        writeln!(out, "\nFrom the least to the greatest of the rounds:\n")?;
        self.write_spreads(out)?;
        writeln!(out, "\nThe commands:\n")?;
        ALL.iter().try_for_each(|contestant| writeln!(out, "    {}", contestant.command))
    }

    /// The ratio is the median of the rounds' ratios: to the best rival's figure of the same round.
    fn write_medians(&self, out: &mut dyn Write) -> io::Result<()> {
        header(out, &["ours / best rival", "asked"])?;
        for (at, measure) in MEASURES.iter().enumerate() {
            write!(out, "| {}, {} |", measure.name, measure.unit)?;
            for contestant in 0..ALL.len() {
                write!(out, " {} |", figure(self.spread(contestant, at).median))?;
            }
            let best = self.best_rival(at);
            let ratio =
                spread(self.0[0].iter().zip(&self.0[best]).map(|(ours, theirs)| ours[at] / theirs[at]));
            let goal = measure.goal.map_or("–".to_owned(), |goal| {
                let held = if measure.more_is_better { ratio.median >= goal } else { ratio.median <= goal };
                let sign = if measure.more_is_better { '≥' } else { '≤' };
                format!("{sign} {goal}{}", if held { "" } else { ": **missed**" })
            });
            writeln!(
                out,
                " {:.2} ({:.2}–{:.2}), {} | {goal} |",
                ratio.median, ratio.least, ratio.greatest, ALL[best].name
            )?;
        }
        Ok(())
    }

    fn write_spreads(&self, out: &mut dyn Write) -> io::Result<()> {
        header(out, &[])?;
        for (at, measure) in MEASURES.iter().enumerate() {
            write!(out, "| {}, {} |", measure.name, measure.unit)?;
            for contestant in 0..ALL.len() {
                let Spread { least, greatest, .. } = self.spread(contestant, at);
                let range = if least.is_nan() {
                    figure(least)
                } else {
                    format!("{}–{}", figure(least), figure(greatest))
                };
                write!(out, " {range} |")?;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    fn spread(&self, contestant: usize, measure: usize) -> Spread {
        spread(self.0[contestant].iter().map(|round| round[measure]))
    }

    /// The number of the rival whose median is best.
    fn best_rival(&self, measure: usize) -> usize {
        let median = |rival: usize| self.spread(rival, measure).median;
        let better = |a: &usize, b: &usize| median(*a).total_cmp(&median(*b));
        let rivals = (0..ALL.len()).filter(|rival| ALL[*rival].counts && !median(*rival).is_nan());
        let best =
            if MEASURES[measure].more_is_better { rivals.max_by(better) } else { rivals.min_by(better) };
        best.expect("there are rivals")
    }
}

fn header(out: &mut dyn Write, more: &[&str]) -> io::Result<()> {
    let names = ALL.iter().map(|contestant| contestant.name).chain(more.iter().copied());
    let names: Vec<_> = std::iter::once("").chain(names).collect();
    writeln!(out, "| {} |", names.join(" | "))?;
    writeln!(out, "|{}", " --- |".repeat(names.len()))
}

/// One that has failed in any round has no figure.
fn spread(figures: impl Iterator<Item = f64>) -> Spread {
    let mut figures: Vec<f64> = figures.collect();
    if figures.iter().any(|figure| figure.is_nan()) {
        return Spread { least: f64::NAN, median: f64::NAN, greatest: f64::NAN };
    }
    figures.sort_unstable_by(f64::total_cmp);
    let at = |index: usize| figures[index];
    let last = figures.len() - 1;
    Spread { least: at(0), median: (at(last / 2) + at(last.div_ceil(2))) / 2.0, greatest: at(last) }
}

/// Three digits of it.
fn figure(number: f64) -> String {
    match number.abs() {
        nan if nan.is_nan() => "fails".to_owned(),
        100.0.. => format!("{number:.0}"),
        10.0.. => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

/// The processor, how many of it, and the kernel.
fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let field =
        |key: &str| Some(info.lines().find(|line| line.starts_with(key))?.split_once(": ")?.1.to_owned());
    let model = field("model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let virtual_machine = if info.contains(" hypervisor") { ", virtual" } else { "" };
    format!("{model}, {cores} cores{virtual_machine}, Linux {}", read("/proc/sys/kernel/osrelease").trim())
}
