//! Arguments and results of calls, as strace shows them.

use std::fmt::Write;
use std::net::SocketAddr;

use crate::errno::Errno;
use crate::os::{Action, Disposition, Fd, Pid, PollFd, SignalSet, SocketOption, WaitStatus};

/// Octets of a string that are shown (strace's `-s 32`).
const SHOWN: usize = 32;

/// An octet string in quotes, cut after 32 octets.
pub(in crate::os) fn string(octets: &[u8]) -> String {
    let shown = &octets[..octets.len().min(SHOWN)];
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
    out.push('"');
    if shown.len() < octets.len() {
        out.push_str("...");
    }
    out
}

/// A buffer that was read into: its octets if the call succeeded.
pub(in crate::os) fn buffer<E>(buf: &[u8], result: &Result<usize, E>) -> String {
    match result {
        Ok(len) => string(&buf[..*len]),
        Err(_) => "...".to_owned(),
    }
}

/// An address that the call filled in.
pub(in crate::os) fn address<E>(result: &Result<SocketAddr, E>) -> String {
    result.as_ref().map_or("...".to_owned(), SocketAddr::to_string)
}

pub(in crate::os) fn poll_fds(fds: &[PollFd]) -> String {
    let fds: Vec<String> = fds
        .iter()
        .map(|fd| {
            let found =
                if fd.revents.is_empty() { String::new() } else { format!(", revents={}", fd.revents) };
            format!("{{fd={}, events={}{found}}}", fd.fd, fd.events)
        })
        .collect();
    format!("[{}]", fds.join(", "))
}

pub(in crate::os) fn wait_status(status: WaitStatus) -> String {
    match status {
        WaitStatus::Exited(status) => format!("[{{WIFEXITED(s) && WEXITSTATUS(s) == {status}}}]"),
        WaitStatus::Signaled(signal) => format!("[{{WIFSIGNALED(s) && WTERMSIG(s) == {signal}}}]"),
    }
}

pub(in crate::os) fn signal_set(set: SignalSet) -> String {
    let names: Vec<&str> = set.iter().map(|signal| &signal.name()[3..]).collect();
    format!("[{}]", names.join(" "))
}

pub(in crate::os) fn action<O>(action: &Action<O>) -> String {
    let handler = match action.disposition {
        Disposition::Default => "SIG_DFL",
        Disposition::Ignore => "SIG_IGN",
        Disposition::Handle(_) => "handler",
    };
    let flags = if action.restart { "SA_RESTART" } else { "0" };
    format!("{{sa_handler={handler}, sa_mask={}, sa_flags={flags}}}", signal_set(action.mask))
}

pub(in crate::os) fn socket_option(option: SocketOption) -> String {
    use SocketOption::{
        Buffer, HopLimit, KeepAlive, KeepCount, KeepIdle, KeepInterval, Linger, NoDelay, ReuseAddr,
        UserTimeout,
    };
    match option {
        NoDelay(on) => format!("SOL_TCP, TCP_NODELAY, [{}]", u8::from(on)),
        ReuseAddr(on) => format!("SOL_SOCKET, SO_REUSEADDR, [{}]", u8::from(on)),
        KeepAlive(on) => format!("SOL_SOCKET, SO_KEEPALIVE, [{}]", u8::from(on)),
        KeepIdle(span) => format!("SOL_TCP, TCP_KEEPIDLE, [{}]", span.as_secs()),
        KeepInterval(span) => format!("SOL_TCP, TCP_KEEPINTVL, [{}]", span.as_secs()),
        KeepCount(count) => format!("SOL_TCP, TCP_KEEPCNT, [{count}]"),
        UserTimeout(span) => format!("SOL_TCP, TCP_USER_TIMEOUT, [{}]", span.as_millis()),
        Linger(None) => "SOL_SOCKET, SO_LINGER, {l_onoff=0, l_linger=0}".to_owned(),
        Linger(Some(span)) => format!("SOL_SOCKET, SO_LINGER, {{l_onoff=1, l_linger={}}}", span.as_secs()),
        Buffer(size) => format!("SOL_SOCKET, SO_SNDBUF and SO_RCVBUF, [{size}]"),
        HopLimit(hops) => format!("SOL_IP, IP_TTL, [{hops}]"),
    }
}

/// What the call of C returns where it does not fail.
pub(in crate::os) trait Returned {
    fn value(&self) -> i64 {
        0
    }
}

impl Returned for () {}
impl Returned for SocketAddr {}
impl Returned for SignalSet {}
impl Returned for Option<Errno> {}
impl Returned for (Fd, Fd) {}

impl Returned for usize {
    fn value(&self) -> i64 {
        *self as i64
    }
}

impl Returned for Fd {
    fn value(&self) -> i64 {
        self.as_raw().into()
    }
}

impl Returned for (Fd, SocketAddr) {
    fn value(&self) -> i64 {
        self.0.value()
    }
}

impl Returned for Pid {
    fn value(&self) -> i64 {
        self.as_raw().into()
    }
}

impl Returned for (Pid, WaitStatus) {
    fn value(&self) -> i64 {
        self.0.value()
    }
}

impl Returned for Option<(Pid, WaitStatus)> {
    fn value(&self) -> i64 {
        self.as_ref().map_or(0, Returned::value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_escaped_and_cut() {
        assert_eq!(string(b"say \"hi\"\n"), r#""say \"hi\"\n""#);
        assert_eq!(string(b"\0\x011\xff"), r#""\0\0011\377""#);
        assert_eq!(string(&[b'x'; 33]), format!("\"{}\"...", "x".repeat(32)));
    }
}
