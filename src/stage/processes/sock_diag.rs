//! Every TCP socket of a network namespace, as `ss -tino` asks for them: sock_diag(7).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::libc;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

use super::network::FoundSocket;
use crate::stack::profile::CongestionControl;
use crate::stack::{CaState, SocketInfo, TcpInfo, TimerInfo, TimerKind};
use crate::timeline::TcpState;

// linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const INET_DIAG_INFO: u16 = 2;
const INET_DIAG_CONG: u16 = 4;
const HEADER: usize = 16;
const MESSAGE: usize = 72;

/// Every TCP socket, in no order.
///
/// # Errors
///
/// A kernel without `CONFIG_INET_TCP_DIAG` finds no such file.
pub(crate) fn sockets() -> io::Result<Vec<FoundSocket>> {
    let mut found = of_family(libc::AF_INET as u8)?;
    found.extend(of_family(libc::AF_INET6 as u8)?);
    Ok(found)
}

fn of_family(family: u8) -> io::Result<Vec<FoundSocket>> {
    let netlink =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag)?;
    send(netlink.as_raw_fd(), &request(family), MsgFlags::empty())?;
    let mut found = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let len = recv(netlink.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        let mut rest = &buffer[..len];
        while let Some((kind, body, next)) = message(rest) {
            match i32::from(kind) {
                libc::NLMSG_DONE => return Ok(found),
                libc::NLMSG_ERROR => {
                    let number = word(body, 0).unwrap_or(0) as i32;
                    return Err(io::Error::from_raw_os_error(-number));
                }
                _ => found.extend(socket_of(body)),
            }
            rest = next;
        }
    }
}

/// `struct nlmsghdr`, then `struct inet_diag_req_v2`: all states, all addresses, and with each `struct tcp_info`
/// and the name of its congestion control.
fn request(family: u8) -> Vec<u8> {
    const LEN: u32 = (HEADER + 56) as u32;
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    let mut request = Vec::with_capacity(LEN as usize);
    request.extend(LEN.to_ne_bytes());
    request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request.extend(flags.to_ne_bytes());
    request.extend([0; 8]); // sequence number and port: one question a socket
    let attributes = 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_CONG - 1);
    request.extend([family, libc::IPPROTO_TCP as u8, attributes, 0]);
    request.extend(u32::MAX.to_ne_bytes());
    request.resize(LEN as usize, 0);
    request
}

/// The first message: its kind, what is in it, and what comes behind it.
fn message(octets: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let len = word(octets, 0)? as usize;
    let body = octets.get(HEADER..len)?;
    Some((half(octets, 4)?, body, octets.get(len.next_multiple_of(4)..).unwrap_or_default()))
}

/// `struct inet_diag_msg`, and its attributes.
fn socket_of(body: &[u8]) -> Option<FoundSocket> {
    let family = *body.first()?;
    let state = state(*body.get(1)?)?;
    let (timer, fired) = (*body.get(2)?, *body.get(3)?);
    let addr = |port: usize, addr: usize| {
        let port = u16::from_be_bytes(body.get(port..port + 2)?.try_into().ok()?);
        let octets: [u8; 16] = body.get(addr..addr + 16)?.try_into().ok()?;
        let ip = match i32::from(family) {
            libc::AF_INET => IpAddr::from([octets[0], octets[1], octets[2], octets[3]]),
            _ => IpAddr::from(octets),
        };
        Some(SocketAddr::new(ip.to_canonical(), port))
    };
    let (local, remote) = (addr(4, 8)?, addr(6, 24)?);
    let left = Duration::from_millis(word(body, 52)?.into());
    let timer = timer_kind(timer, state).map(|kind| TimerInfo { kind, left, fired: fired.into() });
    let attributes = body.get(MESSAGE..)?;
    let info = attribute(attributes, INET_DIAG_INFO).unwrap_or_default();
    let congestion = attribute(attributes, INET_DIAG_CONG).and_then(congestion);
    let micros = |at| word(info, at).map(|micros| Duration::from_micros(micros.into()));
    let rtt = micros(68).zip(micros(72)).filter(|(srtt, _)| !srtt.is_zero());
    Some(FoundSocket {
        info: SocketInfo {
            local,
            remote: (state != TcpState::Listen).then_some(remote),
            state,
            recv_q: word(body, 56)? as usize,
            send_q: word(body, 60)? as usize,
            timer,
            rto: micros(8).unwrap_or_default(),
            rtt,
            backoff: info.get(4).copied().unwrap_or(0).into(),
            retransmits: info.get(2).copied().unwrap_or(0).into(),
            tcp: tcp_info(info, congestion).filter(|_| is_open(state)).map(Box::new),
        },
        inode: word(body, 68)?,
    })
}

/// Whether there is more to a connection than its ends and a timer.
fn is_open(state: TcpState) -> bool {
    !matches!(state, TcpState::Listen | TcpState::Closed | TcpState::TimeWait)
}

/// A name that ends with a zero.
fn congestion(name: &[u8]) -> Option<CongestionControl> {
    CongestionControl::from_name(std::str::from_utf8(name.split(|octet| *octet == 0).next()?).ok()?)
}

/// `struct tcp_info` of linux/tcp.h, up to what Linux 5.4 has.
fn tcp_info(info: &[u8], congestion: Option<CongestionControl>) -> Option<TcpInfo> {
    const TIMESTAMPS: u8 = 1;
    const SACK: u8 = 2;
    const WSCALE: u8 = 4;
    /// What no loss has set (TCP_INFINITE_SSTHRESH).
    const NO_THRESHOLD: u32 = 0x7fff_ffff;
    let (options, scales) = (*info.get(5)?, *info.get(6)?);
    let ca_state = match info.get(1)? {
        0 => CaState::Open,
        1 => CaState::Disorder,
        2 => CaState::Cwr,
        3 => CaState::Recovery,
        4 => CaState::Loss,
        _ => return None,
    };
    Some(TcpInfo {
        congestion,
        ca_state,
        timestamps: options & TIMESTAMPS != 0,
        sack: options & SACK != 0,
        wscale: (options & WSCALE != 0).then_some((scales & 0xf, scales >> 4)),
        snd_mss: word(info, 16)?,
        advmss: word(info, 84)?,
        pmtu: word(info, 60)?,
        snd_cwnd: word(info, 80)?,
        snd_ssthresh: Some(word(info, 76)?).filter(|packets| *packets < NO_THRESHOLD),
        unacked: word(info, 24)?,
        sacked: word(info, 28)?,
        lost: word(info, 32)?,
        retrans: word(info, 36)?,
        reordering: word(info, 88)?,
        notsent: word(info, 144)?,
        min_rtt: Some(word(info, 148)?)
            .filter(|micros| *micros != u32::MAX)
            .map(|micros| Duration::from_micros(micros.into())),
        snd_wnd: word(info, 228).unwrap_or(0),
        rcv_wnd: word(info, 232).unwrap_or(0),
    })
}

/// The attribute of this type: length and type in 16 bits each, then its octets, padded to four.
fn attribute(mut octets: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let len = usize::from(half(octets, 0)?);
        let value = octets.get(4..len)?;
        if half(octets, 2)? == wanted {
            return Some(value);
        }
        octets = octets.get(len.next_multiple_of(4)..)?;
    }
}

/// net/tcp_states.h
fn state(number: u8) -> Option<TcpState> {
    Some(match number {
        1 => TcpState::Established,
        2 => TcpState::SynSent,
        3 | 12 => TcpState::SynReceived,
        4 => TcpState::FinWait1,
        5 => TcpState::FinWait2,
        6 => TcpState::TimeWait,
        7 => TcpState::Closed,
        8 => TcpState::CloseWait,
        9 => TcpState::LastAck,
        10 => TcpState::Listen,
        11 => TcpState::Closing,
        _ => return None,
    })
}

/// `idiag_timer`; 3 is any timer of what is no full socket any more.
fn timer_kind(number: u8, state: TcpState) -> Option<TimerKind> {
    match number {
        1 => Some(TimerKind::Retransmit),
        2 => Some(TimerKind::Keepalive),
        3 if state == TcpState::FinWait2 => Some(TimerKind::FinWait2),
        3 => Some(TimerKind::TimeWait),
        4 => Some(TimerKind::Persist),
        _ => None,
    }
}

fn half(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(octets.get(at..at + 2)?.try_into().ok()?))
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(octets.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_kernel_shows_both_ends_of_a_connection_and_the_listener() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let stream = TcpStream::connect(server).unwrap();
        let client = stream.local_addr().unwrap();
        let all = sockets().unwrap();
        let seen = |local, remote| {
            let found = all.iter().find(|it| it.info.local == local && it.info.remote == remote);
            found.map(|it| (it.info.state, it.inode != 0))
        };
        assert_eq!(seen(server, None), Some((TcpState::Listen, true)));
        assert_eq!(seen(client, Some(server)), Some((TcpState::Established, true)));
        let waiting = all.iter().find(|it| it.info.local == server && it.info.remote.is_none()).unwrap();
        assert_eq!(waiting.info.recv_q, 1, "one connection waits for accept");
        let connected = all.iter().find(|it| it.info.local == client).unwrap();
        assert!(connected.info.rtt.is_some() && connected.info.rto >= Duration::from_millis(200));
        let tcp = connected.info.tcp.as_ref().unwrap();
        assert_eq!((tcp.ca_state, tcp.unacked, tcp.snd_cwnd), (CaState::Open, 0, 10));
        assert!(tcp.snd_mss > 500 && tcp.snd_wnd > 0 && tcp.min_rtt.is_some(), "{tcp:?}");
    }

    #[test]
    fn what_is_cut_short_is_no_socket() {
        assert_eq!(socket_of(&[2, 1, 0, 0]), None);
        assert_eq!(message(&[9, 0, 0, 0]), None);
    }
}
