//! Reads a script: settings, then steps.

use std::time::Duration;

use super::Mistake;
use super::assertion::Assertion;
use super::call::{Call, Fd};
use super::parse_call::read_call;
use super::reader::Reader;
use super::script::{Moment, Packet, Returns, Script, Segment, Step, Tolerance, What, When};
use super::settings::settings;
use super::tcp_option::TcpOption;
use super::token::Token;
use crate::packet::{Flags, Unreachable};
use crate::scenario::IpVersion;

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    ///
    /// What stands there that is no packetdrill, or that is not supported.
    pub(crate) fn read(text: &str) -> Result<Script, Mistake> {
        let mut reader = Reader::new(text)?;
        let tolerance = Tolerance { span: Duration::from_millis(4), percent: 0.0 };
        let mut script =
            Script { ip: IpVersion::V4, mtu: 1_500, tolerance, settings: Vec::new(), steps: Vec::new() };
        loop {
            match reader.peek() {
                Some(Token::Flag(flag)) => {
                    reader.next();
                    script.set_flag(flag).map_err(|what| reader.mistake(what))?;
                }
                Some(Token::Command(command)) => {
                    reader.next();
                    script.settings.extend(settings(command).map_err(|what| reader.mistake(what))?);
                }
                _ => break,
            }
        }
        let mut connected = None;
        while reader.peek().is_some() {
            let step = read_step(&mut reader, script.ip, connected)?;
            connected = connection(&step.what).or(connected);
            script.steps.push(step);
        }
        if script.steps.is_empty() {
            return Err(reader.mistake("a script without a step".to_owned()));
        }
        Ok(script)
    }

    /// Sets a key of the TCP profile, after the script's own settings.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.settings.push((key.to_owned(), value.to_owned()));
    }

    fn set_flag(&mut self, flag: &str) -> Result<(), String> {
        let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
        let bad = |expected: &str| format!("{name}: {value:?} will not do: expected {expected}");
        match name {
            "--ip_version" => {
                self.ip = match value {
                    "ipv4" => IpVersion::V4,
                    "ipv6" => IpVersion::V6,
                    _ => return Err(bad("ipv4 or ipv6")),
                }
            }
            "--mtu" => {
                let mtu = value.parse().ok().filter(|mtu| (68..=65_535).contains(mtu));
                self.mtu = mtu.ok_or_else(|| bad("octets from 68 to 65535"))?;
            }
            "--tolerance_usecs" => {
                let micros: u32 = value.parse().map_err(|_| bad("microseconds"))?;
                self.tolerance.span = Duration::from_micros(micros.into());
            }
            "--tolerance_percent" => {
                let percent = value.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
                self.tolerance.percent = percent.ok_or_else(|| bad("per cent from 0 to 100"))?;
            }
            _ => return Err(format!("{name} is not supported")),
        }
        Ok(())
    }
}

/// Octets of data that fit into an IPv4 packet beside headers with all their options.
const LARGEST_SEGMENT: usize = 65_535 - 20 - 60;

const NO_CONNECTION: &str = "code before there is a connection that it could be about";

/// The descriptor of the connection that a step makes.
fn connection(step: &What) -> Option<Fd> {
    match step {
        What::Call(Call::Accept(_), Returns { value: Some(fd), errno: None, .. }) => Some(*fd),
        What::Call(Call::Connect(fd), _) => Some(*fd),
        _ => None,
    }
}

/// Reads a step; code is about the connection `connected`.
fn read_step(reader: &mut Reader<'_>, ip: IpVersion, connected: Option<Fd>) -> Result<Step, Mistake> {
    let first = reader.at();
    let line = reader.line_of(first);
    let (when, until) = read_time(reader)?;
    let inbound = reader.takes('<');
    let what = if inbound || reader.takes('>') {
        if until.is_some() {
            return Err(
                reader.mistake("a packet takes no time; a range of times is written T1~T2".to_owned())
            );
        }
        refuse_prefix(reader)?;
        if reader.takes_word("icmp") {
            if !inbound {
                return Err(
                    reader.mistake("ICMP that is sent is not supported, only ICMP that comes".to_owned())
                );
            }
            What::Inbound(read_icmp(reader, ip)?)
        } else {
            let segment = read_segment(reader)?;
            match (inbound, &segment.options) {
                (true, None) => return Err(reader.mistake("<...> cannot be sent".to_owned())),
                (true, _) => What::Inbound(Packet::Segment(segment)),
                (false, _) => What::Outbound(segment),
            }
        }
    } else {
        match reader.peek() {
            Some(Token::Code(code)) => {
                reader.next();
                let all = Assertion::read_all(code).map_err(|what| reader.mistake(what))?;
                let returns = Returns { value: Some(0), errno: None, at: None };
                What::Call(
                    Call::Info(connected.ok_or_else(|| reader.mistake(NO_CONNECTION.to_owned()))?, all),
                    returns,
                )
            }
            Some(Token::Command(_)) => {
                return Err(not_supported(reader, "a command, but sysctl before the first step,"));
            }
            _ => read_call(reader, until)?,
        }
    };
    if let (What::Inbound(_) | What::Call(..), When::Between(..) | When::Any) = (&what, when) {
        return Err(reader.mistake("only a packet that is sent may come in a range of times".to_owned()));
    }
    Ok(Step { line, text: reader.text_since(first), when, what })
}

/// What stands next is packetdrill, and more than is done here.
fn not_supported(reader: &mut Reader<'_>, what: &str) -> Mistake {
    reader.next();
    reader.mistake(format!("{what} is not supported"))
}

/// When something is, and until when a call may block: `0`, `+.1`, `+0~+.01`, `*`, `+0...0.2`.
fn read_time(reader: &mut Reader<'_>) -> Result<(When, Option<Moment>), Mistake> {
    if reader.takes('*') {
        return Ok((When::Any, None));
    }
    let is_relative = reader.peek() == Some(Token::Mark('+'));
    let from = read_moment(reader)?;
    if reader.takes('~') {
        return Ok((When::Between(from, read_moment(reader)?), None));
    }
    if reader.takes_token(Token::Ellipsis) {
        // Both are counted from the same moment.
        reader.takes('+');
        let span = read_span(reader)?;
        let end = if is_relative { Moment::Relative(span) } else { Moment::Absolute(span) };
        return Ok((When::At(from), Some(end)));
    }
    Ok((When::At(from), None))
}

fn read_moment(reader: &mut Reader<'_>) -> Result<Moment, Mistake> {
    if reader.takes('+') {
        Ok(Moment::Relative(read_span(reader)?))
    } else {
        Ok(Moment::Absolute(read_span(reader)?))
    }
}

fn read_span(reader: &mut Reader<'_>) -> Result<Duration, Mistake> {
    let seconds = match reader.next() {
        Some(Token::Number(seconds)) => seconds as f64,
        Some(Token::Decimal(seconds)) => seconds,
        _ => return Err(reader.unexpected("a time in seconds")),
    };
    // A day is more than any timer of TCP.
    if !(0.0..=86_400.0).contains(&seconds) {
        return Err(reader.mistake(format!("{seconds} s is more than a day")));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// What may stand before a segment's flags and is not supported.
fn refuse_prefix(reader: &mut Reader<'_>) -> Result<(), Mistake> {
    match reader.peek() {
        Some(Token::Mark('[' | '(')) => Err(not_supported(reader, "a TOS, TTL or flow label")),
        Some(Token::Word(word @ ("ipv4" | "ipv6" | "udp" | "gre" | "GREv0" | "mpls" | "raw"))) => {
            Err(not_supported(reader, word))
        }
        _ => Ok(()),
    }
}

/// `1234 > 8080`
fn read_ports(reader: &mut Reader<'_>) -> Result<Option<(u16, u16)>, Mistake> {
    if !matches!(reader.peek(), Some(Token::Number(_))) {
        return Ok(None);
    }
    let from: u16 = reader.sized("a port")?;
    reader.expect('>')?;
    let to: u16 = reader.sized("a port")?;
    if from == 0 || to == 0 {
        Err(reader.mistake("nobody has port 0".to_owned()))
    } else {
        Ok(Some((from, to)))
    }
}

fn read_segment(reader: &mut Reader<'_>) -> Result<Segment, Mistake> {
    let ports = read_ports(reader)?;
    let mut letters = String::new();
    if !reader.takes('-') {
        if let Some(Token::Word(word)) = reader.peek() {
            reader.next();
            letters.push_str(word);
        }
        if reader.takes('.') {
            letters.push('.');
        }
        if letters.is_empty() {
            reader.next();
            return Err(reader.unexpected("a segment's flags"));
        }
    }
    let Some(flags) = Flags::from_letters(&letters) else {
        return Err(reader.mistake(format!("flags {letters}: only S, F, R, P and . are supported")));
    };
    let (seq, len) = read_range(reader)?;
    let ack = if reader.takes_word("ack") { Some(reader.sized("an acknowledgment")?) } else { None };
    let ack = ack.or(flags.has(Flags::ACK).then_some(0));
    if ack.is_some() != flags.has(Flags::ACK) {
        return Err(reader.mistake("a segment with ack has the flag `.`".to_owned()));
    }
    let win = if reader.takes_word("win") { Some(reader.sized("a window")?) } else { None };
    if reader.takes_word("urg") {
        return Err(reader.mistake("urgent data are not supported".to_owned()));
    }
    let options = if reader.takes('<') { read_options(reader)? } else { Some(Vec::new()) };
    Ok(Segment { ports, flags, seq, len, ack, win, options })
}

/// `1:1001(1000)`
fn read_range(reader: &mut Reader<'_>) -> Result<(u32, usize), Mistake> {
    let from: u32 = reader.sized("a sequence number")?;
    reader.expect(':')?;
    let to: u32 = reader.sized("a sequence number")?;
    reader.expect('(')?;
    let len: u16 = reader.sized("a segment")?;
    reader.expect(')')?;
    // Beyond 2³² they start again at 0.
    if to != from.wrapping_add(len.into()) {
        return Err(reader.mistake(format!("{from}:{to} is not {len} octets")));
    }
    if usize::from(len) > LARGEST_SEGMENT {
        return Err(reader.mistake(format!("a packet has room for {LARGEST_SEGMENT} octets")));
    }
    Ok((from, len.into()))
}

/// After the `<`; `None` is `...`.
fn read_options(reader: &mut Reader<'_>) -> Result<Option<Vec<TcpOption>>, Mistake> {
    if reader.takes_token(Token::Ellipsis) {
        reader.expect('>')?;
        return Ok(None);
    }
    let mut options = Vec::new();
    loop {
        options.push(match reader.word()? {
            "nop" => TcpOption::Nop,
            "eol" => TcpOption::Eol,
            "mss" => TcpOption::Mss(reader.sized("an MSS")?),
            "wscale" => TcpOption::WindowScale(reader.sized("a window scale")?),
            "sackOK" => TcpOption::SackPermitted,
            "sack" => TcpOption::Sack(read_blocks(reader)?),
            "TS" => {
                let mut stamp = |name: &str| match reader.word()? {
                    word if word == name => reader.sized("a timestamp"),
                    _ => Err(reader.unexpected(&format!("`{name}`"))),
                };
                TcpOption::Timestamps { val: stamp("val")?, ecr: stamp("ecr")? }
            }
            other => return Err(reader.mistake(format!("the option {other} is not supported"))),
        });
        if !reader.takes(',') {
            reader.expect('>')?;
            break;
        }
    }
    if TcpOption::octets(&options).len() > 40 {
        return Err(reader.mistake("a header has room for 40 octets of options".to_owned()));
    }
    Ok(Some(options))
}

fn read_blocks(reader: &mut Reader<'_>) -> Result<Vec<(u32, u32)>, Mistake> {
    let mut blocks = Vec::new();
    while let Some(Token::Number(_)) = reader.peek() {
        let from = reader.sized("a sequence number")?;
        reader.expect(':')?;
        blocks.push((from, reader.sized("a sequence number")?));
    }
    if blocks.is_empty() { Err(reader.unexpected("a block, FROM:TO, after sack")) } else { Ok(blocks) }
}

/// After `icmp`.
fn read_icmp(reader: &mut Reader<'_>, ip: IpVersion) -> Result<Packet, Mistake> {
    let kind = reader.word()?;
    let code = match reader.peek() {
        Some(Token::Word(word)) if word != "mtu" => {
            reader.next();
            Some(word)
        }
        _ => None,
    };
    let mtu = if reader.takes_word("mtu") { Some(reader.sized("an MTU")?) } else { None };
    let what = match (ip, kind, code, mtu) {
        (IpVersion::V4, "unreachable", Some("frag_needed"), Some(mtu))
        | (IpVersion::V6, "packet_too_big", None, Some(mtu)) => Unreachable::FragmentationNeeded { mtu },
        (_, _, _, Some(_)) => return Err(reader.mistake("this ICMP error has no mtu".to_owned())),
        (_, "time_exceeded", None, _) | (IpVersion::V6, "time_exceeded", Some("exceeded_hop_limit"), _) => {
            Unreachable::TimeExceeded
        }
        (_, "unreachable", Some(code), _) => match (ip, code) {
            (IpVersion::V4, "net_unreachable") | (IpVersion::V6, "no_route") => Unreachable::Net,
            (IpVersion::V4, "host_unreachable") | (IpVersion::V6, "address_unreachable") => Unreachable::Host,
            (IpVersion::V4, "protocol_unreachable") => Unreachable::Protocol,
            (_, "port_unreachable") => Unreachable::Port,
            (IpVersion::V4, "packet_filtered") | (IpVersion::V6, "admin_prohibited") => {
                Unreachable::Prohibited
            }
            _ => return Err(reader.mistake(format!("ICMP unreachable {code} is not supported"))),
        },
        _ => {
            return Err(
                reader.mistake(format!("ICMP {kind} {} is not supported", code.unwrap_or("without a code")))
            );
        }
    };
    let mut seq = 0;
    if reader.takes('[') {
        if !matches!(reader.peek(), Some(Token::Number(_))) {
            return Err(not_supported(reader, "an ICMP error about anything but TCP"));
        }
        (seq, _) = read_range(reader)?;
        reader.expect(']')?;
    }
    Ok(Packet::Icmp(what, seq))
}
