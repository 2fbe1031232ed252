//! `--trace`: tcpdump's notation and strace's on one clock, an event a line.

use std::io::{self, Write};

use super::palette::paint;
use super::{Palette, RunInfo, fault, strace, wording};
use crate::time::SimTime;
use crate::timeline::{
    Call, Direction, Event, FaultKind, Icmp, Kind, Line, LostPacket, LostReason, Process, ProcessChange,
    SegmentEvent, SignalChange,
};

/// Where the rule of a fault ends, in columns.
const RULE_END: usize = 110;

/// Writes the run as people read it.
///
/// A line is: seconds since the start, the gap since the line before where there is one, the host, an arrow for
/// a packet that leaves (`->`), arrives (`<-`) or is lost (`x`), and what happened. Columns are as wide as
/// this run needs them.
///
/// # Errors
///
/// What `out` says.
pub fn text(out: &mut dyn Write, run: &RunInfo, events: &[Event], palette: &Palette) -> io::Result<()> {
    let mut text = Text::begin(out, run, palette)?;
    text.lines(out, events)
}

/// The same, part by part: for a run that goes on meanwhile. Columns are widened when a part needs them wider.
pub(crate) struct Text<'a> {
    page: Page<'a>,
    /// Microseconds at the last line.
    last: u64,
}

impl<'a> Text<'a> {
    /// Writes the head.
    pub(crate) fn begin(out: &mut dyn Write, run: &RunInfo, palette: &'a Palette) -> io::Result<Text<'a>> {
        if !run.sentence.is_empty() {
            writeln!(out, "# {}", wording::printable(&run.sentence))?;
        }
        writeln!(out, "# {}\n", wording::printable(&run.command()))?;
        Ok(Text { page: Page { widths: Widths::default(), palette }, last: 0 })
    }

    /// Writes the next events.
    pub(crate) fn lines(&mut self, out: &mut dyn Write, events: &[Event]) -> io::Result<()> {
        self.page.widths.widen(self.last, events);
        for event in events {
            let now = event.t.as_micros();
            self.page.line(out, now.saturating_sub(self.last), event)?;
            self.last = now;
        }
        Ok(())
    }
}

/// How wide each column has to be, in characters.
#[derive(Default)]
struct Widths {
    time: usize,
    gap: usize,
    host: usize,
    ends: usize,
    flags: usize,
}

impl Widths {
    /// Makes room for these events, `last` being the microseconds at the line before them.
    fn widen(&mut self, mut last: u64, events: &[Event]) {
        for event in events {
            let now = event.t.as_micros();
            self.time = self.time.max(wording::micros(now).len());
            self.gap = self.gap.max(gap(now.saturating_sub(last)).len());
            last = now;
            if !matches!(event.kind, Kind::Fault { .. }) {
                self.host = self.host.max(event.host.chars().count());
            }
            self.ends = self.ends.max(ends(&event.kind).map_or(0, |ends| ends.len()));
            if let Some(segment) = event.kind.segment() {
                self.flags = self.flags.max(wording::flags(segment.flags).len());
            }
        }
    }
}

/// `+1.500000`, and nothing for no time at all: what happens at one moment stands as a block.
fn gap(micros: u64) -> String {
    if micros == 0 { String::new() } else { format!("+{}", wording::micros(micros)) }
}

/// The two ends that an event is about, with tcpdump's colon behind them.
fn ends(kind: &Kind) -> Option<String> {
    let ends = match kind {
        // A listener has no other end.
        Kind::State { local, remote, .. } if remote.port() == 0 => wording::endpoint(*local),
        Kind::State { local, remote, .. } => wording::ends(*local, *remote),
        kind => match (kind.segment(), kind.icmp()) {
            (Some(segment), _) => wording::ends(segment.src, segment.dst),
            (_, Some(icmp)) => format!("{} > {}", icmp.src, icmp.dst),
            _ => return None,
        },
    };
    Some(format!("{ends}:"))
}

struct Page<'a> {
    widths: Widths,
    palette: &'a Palette,
}

impl Page<'_> {
    fn line(&self, out: &mut dyn Write, gap_micros: u64, event: &Event) -> io::Result<()> {
        let Widths { time, gap: gap_width, host, ends: ends_width, .. } = self.widths;
        write!(out, "{:>time$} {:>gap_width$}  ", event.t, gap(gap_micros))?;
        if !matches!(event.kind, Kind::Fault { .. }) {
            write!(out, "{:<host$} {} ", event.host, arrow(&event.kind))?;
        }
        if let Some(ends) = ends(&event.kind) {
            write!(out, "{ends:<ends_width$} ")?;
        }
        writeln!(out, "{}", self.body(event))
    }

    /// What stands behind the arrow and the ends.
    fn body(&self, event: &Event) -> String {
        match &event.kind {
            Kind::Segment(segment) => self.segment(segment),
            Kind::Icmp(icmp) => self.icmp(icmp),
            Kind::Neighbour(message) => wording::neighbour(message),
            Kind::Lost { packet, reason } => self.lost(packet, *reason),
            Kind::Call(call) => self.call(call, event.t),
            Kind::State { from, to, .. } => format!("{from} -> {to}"),
            Kind::Process(process) => self.process(process),
            Kind::Signal { pid, process, signal, what } => {
                format!("{} --- {signal}{} ---", wording::process(process, *pid), unless_taken(*what))
            }
            Kind::Line(Line { pid, process, stream, text }) => {
                format!("{} {} {text:?}", wording::process(process, *pid), stream.name())
            }
            Kind::Fault { fault, target } => self.fault(*fault, target),
        }
    }

    /// A rule across the page.
    fn fault(&self, fault: FaultKind, target: &str) -> String {
        let title = format!("---- {} ", wording::printable(&fault::headline(fault, target)));
        let width = RULE_END.saturating_sub(self.widths.time + self.widths.gap + 3);
        paint(self.palette.fault, &format!("{title:-<width$}"))
    }

    /// A retransmission has been shown in full when it was sent first.
    fn segment(&self, segment: &SegmentEvent) -> String {
        let numbers = match &segment.retransmission {
            Some(_) => wording::identity(segment),
            None => wording::numbers(segment),
        };
        let note = match wording::annotation(segment) {
            Some(note) => format!(", {}", paint(self.palette.note, &note)),
            None => String::new(),
        };
        format!("{} {numbers}{note}", self.flags(segment))
    }

    fn flags(&self, segment: &SegmentEvent) -> String {
        let width = self.widths.flags + 1;
        format!("Flags {:<width$}", wording::flags(segment.flags) + ",")
    }

    fn icmp(&self, icmp: &Icmp) -> String {
        let about = wording::ends(icmp.about.0, icmp.about.1);
        format!("{}, about {about}", paint(self.palette.icmp, &wording::icmp(icmp)))
    }

    /// What was lost has been shown in full when it was sent.
    fn lost(&self, packet: &LostPacket, reason: LostReason) -> String {
        let shown = match packet {
            LostPacket::Segment(segment) => {
                format!("{} {}", self.flags(segment), wording::identity(segment))
            }
            LostPacket::Icmp(icmp) => wording::icmp(icmp),
            LostPacket::Neighbour(message) => wording::neighbour(message),
            LostPacket::Malformed(octets) => wording::count(*octets, "octet"),
        };
        format!("{shown}, {}", paint(self.palette.lost, &format!("lost: {reason}")))
    }

    /// `client[101] read(3, ...) = 6 in readline <0.010000>`: how long it blocked as `strace -T` has it.
    fn call(&self, call: &Call, returned: SimTime) -> String {
        let result = wording::outcome(call.result);
        let result = if call.result.is_err() { paint(self.palette.errno, &result) } else { result };
        let within = match call.within {
            Some(function) if function != call.name() => format!(" in {function}"),
            _ => String::new(),
        };
        let blocked = match returned.as_micros().saturating_sub(call.since.as_micros()) {
            0 => String::new(),
            micros => format!(" <{}>", wording::micros(micros)),
        };
        let args = strace::arguments(&call.what);
        let args = wording::printable(&args);
        format!(
            "{} {}({args}) = {result}{within}{blocked}",
            wording::process(&call.process, call.pid),
            call.name()
        )
    }

    fn process(&self, process: &Process) -> String {
        let change = match process.what {
            ProcessChange::Start => "started".to_owned(),
            ProcessChange::Fork { parent } => format!("forked by {parent}"),
            ProcessChange::Exit { status } => format!("+++ exited with {status} +++"),
            ProcessChange::Killed { signal } => {
                paint(self.palette.errno, &format!("+++ killed by {signal} +++"))
            }
            ProcessChange::Zombie => "is a zombie".to_owned(),
            ProcessChange::Reaped => "reaped".to_owned(),
        };
        format!("{} {change}", wording::process(&process.process, process.pid))
    }
}

fn arrow(kind: &Kind) -> &'static str {
    match (kind.direction(), kind) {
        (Some(Direction::Out), _) => "->",
        (Some(Direction::In), _) => "<-",
        (None, Kind::Lost { .. }) => "x ",
        (None, _) => "  ",
    }
}

/// A signal that was taken needs no word: the handler's calls, or the process's end, follow.
fn unless_taken(what: SignalChange) -> &'static str {
    match what {
        SignalChange::Delivered | SignalChange::Killed => "",
        SignalChange::Stopped => " stopped",
        SignalChange::Continued => " goes on",
        SignalChange::Ignored => " ignored",
        SignalChange::Pending => " pending",
        SignalChange::Merged => " merged with the one pending",
    }
}
