//! Every key there is.

use std::time::Duration;

use super::super::linux::doubling;
use super::super::{CongestionControl, Engine, GiveUp, NeighbourRules, Profile, SynWaits};
use super::Key;
use super::sysctl::{Sysctl, Unit};
use super::value::*;

const fn key(
    name: &'static str,
    help: &'static str,
    sysctl: Option<Sysctl>,
    apply: fn(&mut Profile, &str) -> Result<(), String>,
) -> Key {
    Key { name, help, sysctl, apply }
}

const fn sysctl(name: &'static str, unit: Unit) -> Option<Sysctl> {
    Some(Sysctl { name, unit })
}

const SECONDS: Unit = Unit::Time(Duration::from_secs(1));
const MILLIS: Unit = Unit::Time(Duration::from_millis(1));
const MICROS: Unit = Unit::Time(Duration::from_micros(1));

/// Every key: its name, what it is, the kernel's name for it, and what it sets.
pub(super) const KEYS: &[Key] = &[
    key(
        "retries",
        "retransmissions of data before giving up (Linux: tcp_retries2)",
        sysctl("net.ipv4.tcp_retries2", Unit::Count),
        |profile, value| {
            profile.give_up = retries(profile.give_up, count(value)?);
            Ok(())
        },
    ),
    key(
        "syn_retries",
        "retransmissions of a SYN before connect fails (Linux: tcp_syn_retries)",
        sysctl("net.ipv4.tcp_syn_retries", Unit::Count),
        |profile, value| {
            let retries = count(value)?;
            profile.syn = match &profile.syn {
                SynWaits::Each(known) => SynWaits::Each(continued(known, retries as usize + 1)),
                SynWaits::Linear { .. } => SynWaits::Linear { retries },
            };
            Ok(())
        },
    ),
    key(
        "rto_min",
        "the least retransmission timeout, as 200ms",
        sysctl("net.ipv4.tcp_rto_min_us", MICROS),
        |profile, value| {
            profile.rto.min = duration(value)?;
            profile.rto.initial = profile.rto.initial.max(profile.rto.min);
            Ok(())
        },
    ),
    key(
        "rto_max",
        "the most that back-off makes of it, as 120s",
        sysctl("net.ipv4.tcp_rto_max_ms", MILLIS),
        |profile, value| {
            profile.rto.max = duration(value)?;
            Ok(())
        },
    ),
    key(
        "keepalive_time",
        "silence before the first keepalive probe, as 2h",
        sysctl("net.ipv4.tcp_keepalive_time", SECONDS),
        |profile, value| {
            profile.keepalive.idle = duration(value)?;
            Ok(())
        },
    ),
    key(
        "keepalive_intvl",
        "between keepalive probes, as 75s",
        sysctl("net.ipv4.tcp_keepalive_intvl", SECONDS),
        |profile, value| {
            profile.keepalive.interval = duration(value)?;
            Ok(())
        },
    ),
    key(
        "keepalive_probes",
        "keepalive probes without an answer before giving up",
        sysctl("net.ipv4.tcp_keepalive_probes", Unit::Count),
        |profile, value| {
            profile.keepalive.count = count(value)?;
            Ok(())
        },
    ),
    key("time_wait", "how long TIME_WAIT lasts, as 60s", None, |profile, value| {
        profile.time_wait = duration(value)?;
        Ok(())
    }),
    key(
        "fin_wait_2",
        "how long a closed socket stays in FIN_WAIT_2, as 60s",
        sysctl("net.ipv4.tcp_fin_timeout", SECONDS),
        |profile, value| {
            profile.fin_wait_2 = Some(duration(value)?);
            Ok(())
        },
    ),
    key("delayed_ack", "how long an acknowledgment may wait, as 200ms", None, |profile, value| {
        profile.ack.delay = duration(value)?;
        Ok(())
    }),
    key(
        "aborted_accept",
        "what accept says of a connection reset before it: ECONNABORTED, EPROTO, ok, hidden",
        None,
        |profile, value| {
            profile.aborted_accept = aborted_accept(value)?;
            Ok(())
        },
    ),
    key(
        "tail_loss_probe",
        "a probe before the first retransmission: on, off (linux alone)",
        // 3 is the default.
        sysctl("net.ipv4.tcp_early_retrans", Unit::Switch(0, 3)),
        |profile, value| {
            let on = switch(value)?;
            if on {
                profile.is_native("off")?;
            }
            profile.tail_loss_probe = on;
            Ok(())
        },
    ),
    key(
        "hz",
        "the kernel's jiffies a second (CONFIG_HZ): 100, 250, 1000; 0 for timers without a wheel",
        None,
        |profile, value| {
            profile.wheel = hz(value)?;
            Ok(())
        },
    ),
    key(
        "congestion",
        "how the congestion window grows: reno, cubic (linux alone; the others are Reno's)",
        None,
        |profile, value| {
            let control = CongestionControl::from_name(value).ok_or("reno or cubic")?;
            if control == CongestionControl::Cubic {
                profile.is_native("reno")?;
            }
            profile.congestion = control;
            Ok(())
        },
    ),
    key(
        "tcp_timestamps",
        "whether segments carry timestamps: on, off (linux alone)",
        sysctl("net.ipv4.tcp_timestamps", Unit::Switch(0, 1)),
        |profile, value| {
            let on = switch(value)?;
            if on {
                profile.is_native("off")?;
            }
            profile.timestamps = on;
            Ok(())
        },
    ),
    key(
        "tcp_rmem",
        "octets of memory of a receive buffer: the least, at first, at most, as 4096,131072,6291456",
        sysctl("net.ipv4.tcp_rmem", Unit::Memory),
        |profile, value| {
            profile.receive_memory = memory(value)?;
            Ok(())
        },
    ),
    key(
        "tcp_wmem",
        "octets of memory of a send buffer: the least, at first, at most, as 4096,16384,4194304",
        sysctl("net.ipv4.tcp_wmem", Unit::Memory),
        |profile, value| {
            profile.send_memory = memory(value)?;
            Ok(())
        },
    ),
    key(
        "synack_retries",
        "retransmissions of a SYN-ACK before the connection is forgotten (Linux: tcp_synack_retries)",
        sysctl("net.ipv4.tcp_synack_retries", Unit::Count),
        |profile, value| {
            let sent = count(value)? as usize + 1;
            profile.syn_ack = if profile.engine == Engine::Native {
                doubling().take(sent).collect()
            } else {
                continued(&profile.syn_ack, sent)
            };
            Ok(())
        },
    ),
    key(
        "orphan_retries",
        "retransmissions of what a closed socket left, 0 for 8 (Linux: tcp_orphan_retries)",
        sysctl("net.ipv4.tcp_orphan_retries", Unit::Count),
        |profile, value| {
            let retransmissions = match count(value)? {
                0 => 8,
                retransmissions => retransmissions,
            };
            let limit = profile.orphan_give_up.unwrap_or(profile.give_up);
            profile.orphan_give_up = Some(retries(limit, retransmissions));
            Ok(())
        },
    ),
    key(
        "somaxconn",
        "the most that a backlog may be",
        sysctl("net.core.somaxconn", Unit::Count),
        |profile, value| {
            profile.somaxconn = backlog(value)?;
            Ok(())
        },
    ),
    key(
        "tcp_syncookies",
        "whether a SYN is answered by a cookie where there is no room for it: on, off (linux alone)",
        sysctl("net.ipv4.tcp_syncookies", Unit::Switch(0, 1)),
        |profile, value| {
            let on = switch(value)?;
            if on {
                profile.is_native("off")?;
            }
            profile.syn_cookies = on;
            Ok(())
        },
    ),
    key(
        "tcp_abort_on_overflow",
        "whether a connection is reset that accept has no room for: on, off (linux alone)",
        sysctl("net.ipv4.tcp_abort_on_overflow", Unit::Switch(0, 1)),
        |profile, value| {
            let on = switch(value)?;
            if on {
                profile.is_native("off")?;
            }
            profile.abort_on_overflow = on;
            Ok(())
        },
    ),
    key(
        "base_reachable_time",
        "how long a neighbour's answer is believed; Linux: half as much more or less",
        sysctl("net.ipv4.neigh.default.base_reachable_time_ms", MILLIS),
        |profile, value| {
            let time = duration(value)?;
            match &mut profile.neighbours {
                NeighbourRules::Kernel { reachable, .. } => *reachable = time,
                NeighbourRules::Berkeley { keep, .. } => *keep = time,
            }
            Ok(())
        },
    ),
    key("buffer", "octets in each socket buffer", None, |profile, value| {
        profile.buffer = Some(buffer(value)?);
        Ok(())
    }),
    key(
        "ip_local_port_range",
        "the ports that connect chooses from, as 32768-60999",
        sysctl("net.ipv4.ip_local_port_range", Unit::Ports),
        |profile, value| {
            profile.ephemeral_ports = ports(value)?;
            Ok(())
        },
    ),
    key(
        "initial_window",
        "segments that may be in flight before anything is acknowledged",
        None,
        |profile, value| {
            profile.initial_window.segments = Some(segments(value)?);
            Ok(())
        },
    ),
];

/// A wait after each sending; beyond the known ones the last is repeated.
fn continued(known: &[Duration], sent: usize) -> Vec<Duration> {
    let last = known[known.len() - 1];
    known.iter().copied().chain(std::iter::repeat(last)).take(sent).collect()
}

fn retries(give_up: GiveUp, retransmissions: u32) -> GiveUp {
    match give_up {
        GiveUp::ModelledTime { rto_min, .. } => GiveUp::ModelledTime { retransmissions, rto_min },
        GiveUp::Retransmissions(_) | GiveUp::After(_) => GiveUp::Retransmissions(retransmissions),
    }
}
