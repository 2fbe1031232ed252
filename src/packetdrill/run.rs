//! Does what a script says, and compares what comes of it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::iter;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;

use super::call::{Answer, Call};
use super::host::{Host, PORT, REMOTE_PORT, local, remote};
use super::numbers::Numbers;
use super::script::{Moment, Packet, Returns, Script, Segment, Step, Tolerance, What, When};
use super::tcp_option::TcpOption;
use crate::errno::Errno;
use crate::packet::{self, Flags, Seq};
use crate::time::SimTime;

/// Why a script did not run to its end.
#[derive(Debug, Error)]
pub(crate) enum Trouble {
    /// The host did something else.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The machine is in trouble.
    #[error("{0}")]
    Machine(#[from] io::Error),
    /// A setting does not do.
    #[error("{0}")]
    Setting(String),
}

/// A step that went otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {text}\n    expected  {expected}\n    came      {came}")]
pub(crate) struct Failure {
    /// Its line, from 1.
    pub(crate) line: usize,
    /// As the script has it.
    pub(crate) text: String,
    /// What was expected, and when.
    pub(crate) expected: String,
    /// What came, and when.
    pub(crate) came: String,
}

/// How long a step waits whose time is said to be any.
const ANY: Duration = Duration::from_secs(3_600);

/// A script on its way.
pub(super) struct Run<'s, H> {
    script: &'s Script,
    tolerance: Tolerance,
    host: H,
    /// Of each connection, by the ports of its ends: the host's, and the script's.
    numbers: BTreeMap<(u16, u16), Numbers>,
    /// The ends of the connection that the script is about.
    ports: (u16, u16),
    /// When the step before was.
    before: SimTime,
    /// The call that has not returned, if there is one.
    under_way: Option<UnderWay<'s>>,
    /// What has been sent and no step has looked at.
    sent: VecDeque<(SimTime, Bytes)>,
    trace: &'s mut dyn Write,
}

/// A call that has been made.
#[derive(Clone, Copy)]
struct UnderWay<'s> {
    step: &'s Step,
    call: &'s Call,
    returns: &'s Returns,
    made: SimTime,
}

impl<'s, H: Host> Run<'s, H> {
    /// `slack` is what the machine may be late, besides. Every step goes to `trace`, with the time at which it was.
    pub(super) fn new(script: &'s Script, slack: Duration, host: H, trace: &'s mut dyn Write) -> Run<'s, H> {
        let mut tolerance = script.tolerance;
        tolerance.span += slack;
        Run {
            script,
            tolerance,
            host,
            numbers: BTreeMap::new(),
            ports: (PORT, REMOTE_PORT),
            before: SimTime::ZERO,
            under_way: None,
            sent: VecDeque::new(),
            trace,
        }
    }

    /// Runs the script; how long it took, in its own time.
    pub(super) fn finish(mut self) -> Result<Duration, Trouble> {
        let script = self.script;
        for step in &script.steps {
            let was = match &step.what {
                What::Inbound(packet) => {
                    let at = self.pass_until(step)?;
                    let bytes = self.bytes(packet);
                    self.host.inject(bytes)?;
                    self.tell(at, &step.text)?;
                    at
                }
                What::Outbound(expected) => self.expect(step, expected)?,
                What::Call(call, returns) => self.call(step, call, returns)?,
            };
            self.before = was;
        }
        self.finish_call()?;
        Ok(self.host.now().since(SimTime::ZERO))
    }

    /// A time of the script; those that are relative count from `base`.
    fn time(&self, moment: Moment, base: SimTime) -> SimTime {
        match moment {
            Moment::Absolute(span) => SimTime::ZERO + span,
            Moment::Relative(span) => base + span,
        }
    }

    /// The first and the last moment at which a step may be.
    fn times(&self, when: When) -> (SimTime, SimTime) {
        match when {
            When::At(moment) => (self.time(moment, self.before), self.time(moment, self.before)),
            When::Between(from, to) => (self.time(from, self.before), self.time(to, self.before)),
            When::Any => (SimTime::ZERO, self.host.now() + ANY),
        }
    }

    fn allowed(&self, span: Duration) -> Duration {
        self.tolerance.span.max(span.mul_f64(self.tolerance.percent / 100.0))
    }

    /// Lets time pass until a step is due, and looks at what happens meanwhile.
    fn pass_until(&mut self, step: &Step) -> Result<SimTime, Trouble> {
        let (due, _) = self.times(step.when);
        let is_absolute = matches!(step.when, When::At(Moment::Absolute(_)));
        if is_absolute && self.host.now() > due + self.tolerance.span {
            let came = format!("the step before at {}", seconds(self.before));
            return Err(failure(step, format!("{} or later", seconds(due)), came).into());
        }
        while self.host.now() < due {
            self.look(due)?;
        }
        Ok(self.host.now())
    }

    /// Waits until something happens, until `until` at most.
    fn look(&mut self, until: SimTime) -> Result<(), Trouble> {
        self.host.wait(until)?;
        self.sent.extend(iter::from_fn(|| self.host.sent()));
        if let Some((at, result)) = self.host.returned() {
            let under_way = self.under_way.take().expect("a call returns once");
            self.compare_call(under_way, at, result)?;
        }
        Ok(())
    }

    /// For `--trace`. When a step was written to be says less than when it was.
    fn tell(&mut self, at: SimTime, what: &str) -> io::Result<()> {
        writeln!(self.trace, "{:>12} {what}", seconds(at))
    }

    fn call(&mut self, step: &'s Step, call: &'s Call, returns: &'s Returns) -> Result<SimTime, Trouble> {
        self.finish_call()?;
        let made = self.pass_until(step)?;
        if let Call::Connect(_) = call {
            self.ports.1 = PORT;
        }
        self.tell(made, &step.text)?;
        self.host.call(call.clone())?;
        self.under_way = Some(UnderWay { step, call, returns, made });
        if returns.at.is_none() {
            self.finish_call()?;
        }
        Ok(made)
    }

    /// Waits for the call that is under way, if there is one.
    fn finish_call(&mut self) -> Result<(), Trouble> {
        while let Some(UnderWay { step, returns, made, .. }) = self.under_way {
            let due = returns.at.map_or(made, |at| self.time(at, made));
            let last = due + self.allowed(due.since(made));
            // An answer at once is there at once, before any time has passed.
            if self.host.now() > last {
                let came = format!("nothing until {}: the call blocks", seconds(self.host.now()));
                return Err(failure(step, format!("to return at {}", seconds(due)), came).into());
            }
            self.look(last + Duration::from_nanos(1))?;
        }
        Ok(())
    }

    fn compare_call(
        &self,
        UnderWay { step, call, returns, made }: UnderWay<'_>,
        at: SimTime,
        result: Result<Answer, Errno>,
    ) -> Result<(), Failure> {
        let due = returns.at.map_or(made, |at| self.time(at, made));
        let is_in_time = apart(at, due) <= self.allowed(due.since(made));
        let is_right = match (&result, returns.errno) {
            (Ok(answer), None) => {
                returns.value.is_none_or(|value| value == answer.value) && call.may_write(&answer.written)
            }
            (Err(errno), Some(expected)) => *errno == expected,
            _ => false,
        };
        if is_in_time && is_right {
            return Ok(());
        }
        let expected = match (returns.errno, returns.value) {
            (Some(errno), _) => format!("-1 {errno}"),
            (None, Some(value)) => shown(value, &call.writes()),
            (None, None) => "no error".to_owned(),
        };
        let came = match result {
            Ok(answer) => shown(answer.value, &answer.written),
            Err(errno) => format!("-1 {errno} ({})", errno.message()),
        };
        Err(failure(step, format!("{} {expected}", seconds(due)), format!("{} {came}", seconds(at))))
    }

    /// The next segment that the host sends has to be this one.
    fn expect(&mut self, step: &Step, expected: &Segment) -> Result<SimTime, Trouble> {
        let (first, last) = self.times(step.when);
        let allowed = self.allowed(last.since(self.before));
        let wanted = match step.when {
            When::Any => format!("{}", Shown(expected)),
            When::Between(..) => format!("{}…{} {}", seconds(first), seconds(last), Shown(expected)),
            When::At(_) => format!("{} {}", seconds(first), Shown(expected)),
        };
        let (at, bytes) = loop {
            if let Some(sent) = self.sent.pop_front() {
                break sent;
            }
            if self.host.now() > last + allowed {
                let came = format!("nothing until {}", seconds(self.host.now()));
                return Err(failure(step, wanted, came).into());
            }
            self.look(last + allowed + Duration::from_nanos(1))?;
        };
        let Some((ports, mut sent)) = self.segment(&bytes) else {
            let came = format!("{} a packet that is no TCP segment", seconds(at));
            return Err(failure(step, wanted, came).into());
        };
        if expected.ports.is_some() || ports != self.ports {
            sent.ports = Some(ports);
        }
        let numbers = self.numbers.entry(ports).or_default();
        numbers.learn(expected, &sent);
        let sent = numbers.of_sent(sent);
        self.tell(at, &format!("> {}", Shown(&sent)))?;
        let is_in_time = at + allowed >= first && at <= last + allowed;
        if is_in_time && self.agrees(expected, &sent) {
            return Ok(at);
        }
        Err(failure(step, wanted, format!("{} {}", seconds(at), Shown(&sent))).into())
    }

    fn agrees(&self, expected: &Segment, sent: &Segment) -> bool {
        (expected.ports, expected.flags, expected.seq, expected.len, expected.ack)
            == (sent.ports, sent.flags, sent.seq, sent.len, sent.ack)
            && expected.win.is_none_or(|win| sent.win == Some(win))
            && match (&expected.options, &sent.options) {
                (Some(expected), Some(sent)) => self.options_agree(expected, sent),
                _ => true,
            }
    }

    /// A timestamp's clock ticks once a millisecond, and may be as far off as a time may.
    fn options_agree(&self, expected: &[TcpOption], sent: &[TcpOption]) -> bool {
        let allowed = u32::try_from(self.tolerance.span.as_millis()).unwrap_or(u32::MAX).max(1);
        let is_near = |one: u32, other: u32| {
            let apart = one.wrapping_sub(other);
            apart.min(apart.wrapping_neg()) <= allowed
        };
        expected.len() == sent.len()
            && expected.iter().zip(sent).all(|pair| match pair {
                (TcpOption::Timestamps { val, ecr }, TcpOption::Timestamps { val: there, ecr: echoed }) => {
                    is_near(*val, *there) && ecr == echoed
                }
                (one, other) => one == other,
            })
    }

    /// A segment that the host has sent, as it is on the wire, and its ports.
    fn segment(&mut self, bytes: &Bytes) -> Option<((u16, u16), Segment)> {
        let Ok(packet::Packet::Tcp(segment)) = packet::parse(bytes) else { return None };
        if segment.flags.has(Flags::SYN) && segment.ack.is_none() {
            self.ports = (segment.src.port(), segment.dst.port());
        }
        let ports = (segment.src.port(), segment.dst.port());
        let sent = Segment {
            ports: None,
            flags: segment.flags,
            seq: segment.seq.get(),
            len: segment.len,
            ack: segment.ack.map(Seq::get),
            win: Some(segment.win),
            options: Some(TcpOption::list(&packet::tcp_options(bytes))),
        };
        Some((ports, sent))
    }

    fn ends(&self, (local_port, remote_port): (u16, u16)) -> (SocketAddr, SocketAddr) {
        (
            SocketAddr::new(local(self.script.ip), local_port),
            SocketAddr::new(remote(self.script.ip), remote_port),
        )
    }

    /// A packet of the script, as it comes to the host.
    fn bytes(&mut self, packet: &Packet) -> Bytes {
        match packet {
            Packet::Segment(segment) => {
                let ports = segment.ports.map_or(self.ports, |(from, to)| (to, from));
                let segment = self.numbers.entry(ports).or_default().on_wire(segment.clone());
                let (dst, src) = self.ends(ports);
                let header = packet::Segment {
                    src,
                    dst,
                    flags: segment.flags,
                    seq: Seq::new(segment.seq),
                    ack: segment.ack.map(Seq::new),
                    win: segment.win.unwrap_or_default(),
                    len: segment.len,
                    hop_limit: 255,
                };
                let options = TcpOption::octets(segment.options.as_deref().unwrap_or_default());
                packet::emit_with_octets(&header, &options, &vec![0; segment.len])
            }
            Packet::Icmp(what, seq) => {
                let (src, dst) = self.ends(self.ports);
                let numbers = self.numbers.entry(self.ports).or_default();
                let about = packet::Segment {
                    src,
                    dst,
                    flags: Flags::ACK,
                    seq: Seq::new(numbers.seq(*seq)),
                    ack: Some(Seq::new(0)),
                    win: 0,
                    len: 0,
                    hop_limit: 64,
                };
                packet::emit_icmp(dst.ip(), *what, &packet::emit_segment(&about, &[]))
                    .expect("both are of the script's IP version")
            }
        }
    }
}

fn apart(one: SimTime, other: SimTime) -> Duration {
    one.since(other).max(other.since(one))
}

fn failure(step: &Step, expected: String, came: String) -> Failure {
    Failure { line: step.line, text: step.text.clone(), expected, came }
}

fn seconds(at: SimTime) -> String {
    format!("{:.6}", at.as_secs_f64())
}

fn shown(value: i64, written: &[i64]) -> String {
    let mut text = value.to_string();
    if !written.is_empty() {
        write!(text, ", {written:?}").expect("memory");
    }
    text
}

/// A segment as a script writes it.
struct Shown<'s>(&'s Segment);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Segment { ports, flags, seq, len, ack, win, options } = self.0;
        if let Some((from, to)) = ports {
            write!(f, "{from} > {to} ")?;
        }
        let letters = if *flags == Flags::default() { "-".to_owned() } else { flags.to_string() };
        write!(f, "{letters} {seq}:{}({len})", seq.wrapping_add(*len as u32))?;
        if let Some(ack) = ack {
            write!(f, " ack {ack}")?;
        }
        if let Some(win) = win {
            write!(f, " win {win}")?;
        }
        match options.as_deref() {
            None => f.write_str(" <...>"),
            Some([]) => Ok(()),
            Some(options) => {
                let words: Vec<String> = options.iter().map(ToString::to_string).collect();
                write!(f, " <{}>", words.join(","))
            }
        }
    }
}
