//! Arguments of calls, as strace shows them.

use std::fmt::Write;
use std::net::SocketAddr;

use crate::os::{PollEvents, SignalSet};
use crate::timeline::{ChildStatus, Errno, Octets, OptionValue, Polled, SignalHandler, SystemCall};

/// What stands for an argument that a call that failed did not fill in.
const UNFILLED: &str = "...";

/// A call's arguments: `3, "hello\n", 6`.
pub fn arguments(call: &SystemCall) -> String {
    match call {
        SystemCall::Socket { family } => format!("{family}, SOCK_STREAM, IPPROTO_TCP"),
        SystemCall::Bind { fd, addr } => format!("{fd}, {addr}"),
        SystemCall::Listen { fd, backlog } => format!("{fd}, {backlog}"),
        SystemCall::Accept { fd, peer: Some(peer) } => format!("{fd}, {peer}"),
        SystemCall::Connect { fd, peer } => format!("{fd}, {peer}"),
        SystemCall::Shutdown { fd, how } => format!("{fd}, {how}"),
        SystemCall::SetSockOpt { fd, level, option, value } => {
            format!("{fd}, {level}, {option}, {}", option_value(*value))
        }
        SystemCall::GetSockError { fd, error } => {
            format!("{fd}, SOL_SOCKET, SO_ERROR, [{}]", error.map_or("0", Errno::name))
        }
        SystemCall::GetSockName { fd, addr } | SystemCall::GetPeerName { fd, addr } => {
            format!("{fd}, {}", addr.as_ref().map_or(UNFILLED.to_owned(), SocketAddr::to_string))
        }
        SystemCall::Read { fd, data, size } => {
            format!("{fd}, {}, {size}", data.as_ref().map_or(UNFILLED.to_owned(), string))
        }
        SystemCall::Write { fd, data } => format!("{fd}, {}, {}", string(data), data.len),
        SystemCall::SetNonblocking { fd, on } => {
            format!("{fd}, F_SETFL, O_RDWR{}", if *on { "|O_NONBLOCK" } else { "" })
        }
        SystemCall::Accept { fd, peer: None } | SystemCall::Close { fd } | SystemCall::Dup { fd } => {
            fd.to_string()
        }
        SystemCall::Pipe { fds: Some((reader, writer)) } => format!("[{reader}, {writer}]"),
        SystemCall::Pipe { fds: None } => UNFILLED.to_owned(),
        SystemCall::Poll { fds, timeout } => {
            let millis = timeout.map_or("-1".to_owned(), |span| span.as_millis().to_string());
            format!("{}, {}, {millis}", poll_fds(fds), fds.len())
        }
        SystemCall::Fork => String::new(),
        SystemCall::Wait { status } => child_status(*status),
        SystemCall::WaitPid { child, status, nohang } => {
            let child = child.map_or("-1".to_owned(), |pid| pid.to_string());
            format!("{child}, {}, {}", child_status(*status), if *nohang { "WNOHANG" } else { "0" })
        }
        SystemCall::Sleep { span } => span.as_secs_f64().to_string(),
        SystemCall::SigAction { signal, handler, mask, restart } => {
            let handler = match handler {
                SignalHandler::Default => "SIG_DFL",
                SignalHandler::Ignore => "SIG_IGN",
                SignalHandler::Function => "handler",
            };
            let flags = if *restart { "SA_RESTART" } else { "0" };
            format!("{signal}, {{sa_handler={handler}, sa_mask={}, sa_flags={flags}}}", signal_set(*mask))
        }
        SystemCall::SigProcMask { how, set } => format!("{how}, {}", signal_set(*set)),
        SystemCall::Kill { pid, signal } => format!("{pid}, {signal}"),
    }
}

/// Octets in quotes, `...` behind them if there were more.
fn string(octets: &Octets) -> String {
    let shown = &octets.beginning;
    let mut out = String::from("\"");
    for (i, &octet) in shown.iter().enumerate() {
        match octet {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'"' | b'\\' => out.extend(['\\', octet as char]),
            b' '..=b'~' => out.push(octet as char),
            // Octal, in full if a digit follows that would be taken for its own.
            _ if shown.get(i + 1).is_some_and(u8::is_ascii_digit) => _ = write!(out, "\\{octet:03o}"),
            _ => _ = write!(out, "\\{octet:o}"),
        }
    }
    out.push_str(if octets.is_cut() { "\"..." } else { "\"" });
    out
}

fn option_value(value: OptionValue) -> String {
    match value {
        OptionValue::Int(value) => format!("[{value}]"),
        OptionValue::Time(span) => format!("{{tv_sec={}, tv_usec={}}}", span.as_secs(), span.subsec_micros()),
        OptionValue::Linger(None) => "{l_onoff=0, l_linger=0}".to_owned(),
        OptionValue::Linger(Some(secs)) => format!("{{l_onoff=1, l_linger={secs}}}"),
    }
}

fn poll_fds(fds: &[Polled]) -> String {
    let fds = fds.iter().map(|Polled { fd, events, revents, .. }| {
        let found = match revents {
            0 => String::new(),
            revents => format!(", revents={}", PollEvents::from_bits(*revents)),
        };
        format!("{{fd={fd}, events={}{found}}}", PollEvents::from_bits(*events))
    });
    format!("[{}]", fds.collect::<Vec<_>>().join(", "))
}

fn child_status(status: Option<ChildStatus>) -> String {
    match status {
        Some(ChildStatus::Exited(status)) => format!("[{{WIFEXITED(s) && WEXITSTATUS(s) == {status}}}]"),
        Some(ChildStatus::Signaled(signal)) => {
            format!("[{{WIFSIGNALED(s) && WTERMSIG(s) == {signal}}}]")
        }
        None => UNFILLED.to_owned(),
    }
}

fn signal_set(bits: u32) -> String {
    let names: Vec<&str> = SignalSet::from_bits(bits).iter().map(|signal| &signal.name()[3..]).collect();
    format!("[{}]", names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_escaped_and_cut() {
        let string = |octets: &[u8]| string(&Octets::new(octets));
        assert_eq!(string(b"say \"hi\"\n"), r#""say \"hi\"\n""#);
        assert_eq!(string(b"\0\x011\xff"), r#""\0\0011\377""#);
        assert_eq!(string(&[b'x'; 33]), format!("\"{}\"...", "x".repeat(32)));
    }
}
