use std::sync::Arc;
use std::time::Duration;

use super::sample::{CLIENT, SERVER, addr, secs};
use crate::report::netstat;
use crate::stack::profile::CongestionControl;
use crate::stack::{CaState, SocketInfo, TcpInfo, TimerInfo, TimerKind};
use crate::timeline::TcpState;

type Hosts = Vec<(Arc<str>, Option<Vec<SocketInfo>>)>;

fn shown(hosts: &Hosts) -> String {
    let mut out = Vec::new();
    netstat(&mut out, secs(46.5), hosts).expect("a vector takes every byte");
    String::from_utf8(out).expect("text")
}

fn socket(local: &str, remote: Option<&str>, state: TcpState) -> SocketInfo {
    SocketInfo {
        local: addr(local),
        remote: remote.map(addr),
        state,
        recv_q: 0,
        send_q: 0,
        timer: None,
        rto: Duration::from_millis(1500),
        rtt: None,
        backoff: 0,
        retransmits: 0,
        tcp: None,
    }
}

fn timer(kind: TimerKind, left: Duration, fired: u32) -> Option<TimerInfo> {
    Some(TimerInfo { kind, left, fired })
}

/// What `left` is shown as.
fn left(left: Duration) -> String {
    let timer = timer(TimerKind::Retransmit, left, 0);
    let socket = SocketInfo { timer, ..socket(CLIENT, Some(SERVER), TcpState::TimeWait) };
    let shown = shown(&vec![("client".into(), Some(vec![socket]))]);
    let (_, timer) = shown.split_once("timer:(on,").expect("a timer");
    timer.trim_end().trim_end_matches(",0)").to_owned()
}

#[test]
fn a_dying_connection_shows_its_timer_and_its_back_off() {
    let dying = SocketInfo {
        send_q: 6,
        timer: timer(TimerKind::Retransmit, Duration::from_secs(12), 3),
        rto: Duration::from_secs(12),
        rtt: Some((Duration::from_millis(10), Duration::from_micros(2_500))),
        backoff: 3,
        retransmits: 3,
        ..socket(CLIENT, Some(SERVER), TcpState::Established)
    };
    let listener = SocketInfo { send_q: 5, ..socket("0.0.0.0:7", None, TcpState::Listen) };
    let time_wait = SocketInfo {
        timer: timer(TimerKind::TimeWait, Duration::from_secs(59), 0),
        ..socket(SERVER, Some(CLIENT), TcpState::TimeWait)
    };
    let hosts: Hosts = vec![
        ("client".into(), Some(vec![dying])),
        ("server".into(), Some(vec![listener, time_wait])),
        ("idle".into(), Some(vec![])),
        ("backup".into(), None),
    ];
    let expected = "
client at 46.500000
State       Recv-Q Send-Q Local Address:Port Peer Address:Port Timer
ESTABLISHED      0      6 10.0.0.1:49152     10.0.0.2:7        timer:(on,12sec,3)
            rto:12000 rtt:10/2.5 backoff:3 retrans:3

server at 46.500000
State       Recv-Q Send-Q Local Address:Port Peer Address:Port Timer
LISTEN           0      5 0.0.0.0:7          *:*
TIME_WAIT        0      0 10.0.0.2:7         10.0.0.1:49152    timer:(timewait,59sec,0)

idle at 46.500000: no sockets

backup at 46.500000: down
";
    assert_eq!(shown(&hosts), expected.trim_start());
}

/// As `ss -tino` writes it; what is 0 is left out.
#[test]
fn a_connection_of_linux_shows_what_tcp_info_says() {
    let tcp = TcpInfo {
        congestion: Some(CongestionControl::Cubic),
        ca_state: CaState::Recovery,
        timestamps: true,
        sack: true,
        wscale: Some((7, 8)),
        snd_mss: 1_448,
        advmss: 1_448,
        pmtu: 1_500,
        snd_cwnd: 7,
        snd_ssthresh: Some(7),
        unacked: 4,
        sacked: 2,
        lost: 1,
        retrans: 1,
        reordering: 3,
        notsent: 0,
        min_rtt: Some(Duration::from_micros(10_250)),
        snd_wnd: 64_256,
        rcv_wnd: 65_160,
    };
    let socket =
        SocketInfo { tcp: Some(Box::new(tcp)), ..socket(CLIENT, Some(SERVER), TcpState::Established) };
    let shown = shown(&vec![("client".into(), Some(vec![socket]))]);
    let detail = shown.lines().last().map(str::trim);
    let expected = "ts sack cubic wscale:7,8 rto:1500 mss:1448 pmtu:1500 advmss:1448 cwnd:7 ssthresh:7 unacked:4 \
                    lost:1 sacked:2 minrtt:10.25 snd_wnd:64256 rcv_wnd:65160";
    assert_eq!(detail, Some(expected));
}

#[test]
fn version_six_addresses_widen_every_hosts_columns() {
    let client = socket("[2001:db8:1234:5678::1]:49152", Some("[2001:db8::2]:7"), TcpState::SynSent);
    let server = socket("[::]:7", None, TcpState::Listen);
    let shown = shown(&vec![("client".into(), Some(vec![client])), ("server".into(), Some(vec![server]))]);
    let peers = |needle| shown.lines().filter_map(|line| line.find(needle)).collect::<Vec<_>>();
    let column = peers("Peer Address")[0];
    assert_eq!(peers("Peer Address"), [column, column]);
    assert_eq!(peers("[2001:db8::2]:7"), [column]);
    assert_eq!(peers("*:*"), [column]);
}

#[test]
fn a_timer_is_as_coarse_as_ss_shows_it() {
    for (span, expected) in [
        (Duration::ZERO, "0ms"),
        (Duration::from_millis(200), "200ms"),
        (Duration::from_millis(1_500), "1.5sec"),
        (Duration::from_secs(9), "9sec"),
        (Duration::from_millis(12_300), "12sec"),
        (Duration::from_secs(60), "1min"),
        (Duration::from_secs(71), "1min11sec"),
        (Duration::from_secs(7_199), "119min"),
    ] {
        assert_eq!(left(span), expected);
    }
}
