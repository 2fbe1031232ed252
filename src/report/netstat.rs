//! `--netstat`: every host's sockets at one moment, as `ss -tino` shows them.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::stack::{SocketInfo, TcpInfo, TimerInfo};
use crate::time::SimTime;
use crate::timeline::TcpState;

/// Writes every host's sockets as they are at `t`.
///
/// A connection has two lines, as in `ss -tino`. First: state, octets received and not yet read, octets written
/// and not yet acknowledged, both ends, and the timer that fires next (what for, time left, firings without an
/// answer). Then, in milliseconds, the retransmission timeout and the smoothed round trip with its variation; and,
/// unless 0, how often the timer has doubled and what is in flight been sent again; of a connection of Linux's what
/// TCP_INFO says besides. On a listener the two queues
/// are the connections that wait for `accept`, and the backlog.
///
/// A host that is down has `None`.
///
/// # Errors
///
/// What `out` says.
pub fn netstat(
    out: &mut dyn Write,
    t: SimTime,
    hosts: &[(Arc<str>, Option<Vec<SocketInfo>>)],
) -> io::Result<()> {
    let widths = widths(hosts);
    for (nth, (host, sockets)) in hosts.iter().enumerate() {
        if nth > 0 {
            writeln!(out)?;
        }
        match sockets.as_deref() {
            None => writeln!(out, "{host} at {t}: down")?,
            Some([]) => writeln!(out, "{host} at {t}: no sockets")?,
            Some(sockets) => {
                writeln!(out, "{host} at {t}")?;
                row(out, &HEAD.map(str::to_owned), widths)?;
                for socket in sockets {
                    row(out, &cells(socket), widths)?;
                    if let Some(detail) = detail(socket) {
                        writeln!(out, "{:indent$}{detail}", "", indent = widths[0] + 1)?;
                    }
                }
            }
        }
    }
    Ok(())
}

const COLUMNS: usize = 6;
type Cells = [String; COLUMNS];

const HEAD: [&str; COLUMNS] =
    ["State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port", "Timer"];

fn cells(socket: &SocketInfo) -> Cells {
    [
        socket.state.to_string(),
        socket.recv_q.to_string(),
        socket.send_q.to_string(),
        address(Some(socket.local)),
        address(socket.remote),
        socket.timer.as_ref().map_or(String::new(), timer),
    ]
}

/// One set of columns for all hosts, so that both ends of a connection stand under each other.
fn widths(hosts: &[(Arc<str>, Option<Vec<SocketInfo>>)]) -> [usize; COLUMNS] {
    let sockets = hosts.iter().filter_map(|(_, sockets)| sockets.as_ref()).flatten();
    sockets.map(cells).fold(HEAD.map(str::len), |widths, cells| {
        std::array::from_fn(|column| widths[column].max(cells[column].len()))
    })
}

fn row(out: &mut dyn Write, cells: &Cells, widths: [usize; COLUMNS]) -> io::Result<()> {
    let [state, recv_q, send_q, local, peer, timer] = cells;
    let [state_width, recv_width, send_width, local_width, peer_width, _] = widths;
    let line = format!(
        "{state:<state_width$} {recv_q:>recv_width$} {send_q:>send_width$} \
         {local:<local_width$} {peer:<peer_width$} {timer}"
    );
    writeln!(out, "{}", line.trim_end())
}

/// `10.0.0.1:49152`; `ss` writes `*` for any port, `0.0.0.0` and `[::]` for any address.
fn address(addr: Option<SocketAddr>) -> String {
    match addr {
        None => "*:*".to_owned(),
        Some(addr) if addr.port() == 0 => match addr.ip() {
            IpAddr::V4(ip) => format!("{ip}:*"),
            IpAddr::V6(ip) => format!("[{ip}]:*"),
        },
        Some(addr) => addr.to_string(),
    }
}

/// `timer:(on,12sec,3)`.
fn timer(timer: &TimerInfo) -> String {
    format!("timer:({},{},{})", timer.kind.name(), left(timer.left), timer.fired)
}

/// As coarse as `ss` has it: `1min11sec`, `12sec`, `200ms`; but what it would write as `1.500ms` is `1.5sec`.
fn left(left: Duration) -> String {
    let millis = rounded_millis(left);
    let (minutes, seconds, rest) = (millis / 60_000, millis / 1_000 % 60, millis % 1_000);
    match (minutes, seconds) {
        (0, 0) => format!("{rest}ms"),
        (0, 1..10) => format!("{}sec", millis as f64 / 1e3),
        (0, _) => format!("{seconds}sec"),
        (1..10, 1..) => format!("{minutes}min{seconds}sec"),
        _ => format!("{minutes}min"),
    }
}

fn rounded_millis(span: Duration) -> u128 {
    (span.as_micros() + 500) / 1_000
}

/// The second line; a listener and a connection in TIME_WAIT have nothing to send, and no such line.
fn detail(socket: &SocketInfo) -> Option<String> {
    if matches!(socket.state, TcpState::Closed | TcpState::Listen | TcpState::TimeWait) {
        return None;
    }
    let mut detail = socket.tcp.as_deref().map_or_else(String::new, agreed);
    detail.push_str(&format!("rto:{}", millis(socket.rto)));
    if let Some((srtt, rttvar)) = socket.rtt {
        detail.push_str(&format!(" rtt:{}/{}", millis(srtt), millis(rttvar)));
    }
    if socket.backoff > 0 {
        detail.push_str(&format!(" backoff:{}", socket.backoff));
    }
    if socket.retransmits > 0 {
        detail.push_str(&format!(" retrans:{}", socket.retransmits));
    }
    if let Some(tcp) = &socket.tcp {
        detail.push_str(&in_flight(tcp));
    }
    Some(detail)
}

/// What both ends agreed on: `ts sack cubic wscale:7,7 `.
fn agreed(tcp: &TcpInfo) -> String {
    let mut text = String::new();
    if tcp.timestamps {
        text.push_str("ts ");
    }
    if tcp.sack {
        text.push_str("sack ");
    }
    if let Some(congestion) = tcp.congestion {
        text.push_str(&format!("{} ", congestion.name()));
    }
    if let Some((theirs, ours)) = tcp.wscale {
        text.push_str(&format!("wscale:{theirs},{ours} "));
    }
    text
}

/// The rest; what is 0 is left out.
fn in_flight(tcp: &TcpInfo) -> String {
    let mut text =
        format!(" mss:{} pmtu:{} advmss:{} cwnd:{}", tcp.snd_mss, tcp.pmtu, tcp.advmss, tcp.snd_cwnd);
    let mut add = |name: &str, count: u32| {
        if count > 0 {
            text.push_str(&format!(" {name}:{count}"));
        }
    };
    add("ssthresh", tcp.snd_ssthresh.unwrap_or(0));
    add("unacked", tcp.unacked);
    add("lost", tcp.lost);
    add("sacked", tcp.sacked);
    add("reordering", if tcp.reordering == USUAL_REORDERING { 0 } else { tcp.reordering });
    add("notsent", tcp.notsent);
    if let Some(least) = tcp.min_rtt {
        text.push_str(&format!(" minrtt:{}", millis(least)));
    }
    text.push_str(&format!(" snd_wnd:{} rcv_wnd:{}", tcp.snd_wnd, tcp.rcv_wnd));
    text
}

/// `ss` leaves it out.
const USUAL_REORDERING: u32 = 3;

/// Milliseconds, with as many digits as microseconds need: `1500`, `10.25`.
fn millis(span: Duration) -> f64 {
    span.as_micros() as f64 / 1e3
}
