//! `--set KEY=VALUE`: one name for each number of a profile that a person may want to change.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::linux::doubling;
use super::{
    AbortedAccept, CongestionControl, Engine, GiveUp, Profile, Rto, SocketMemory, SynWaits, TimerWheel,
};
use crate::errno::Errno;
use crate::span;

/// A number of a profile that can be set by name.
#[derive(Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// The same in a Linux kernel, if it can be set there.
    pub sysctl: Option<Sysctl>,
    apply: fn(&mut Profile, &str) -> Result<(), String>,
}

/// Where a Linux kernel keeps a number, and in which unit.
#[derive(Clone, Copy, Debug)]
pub struct Sysctl {
    /// `net.ipv4.tcp_retries2` …
    pub name: &'static str,
    unit: Unit,
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    /// A whole number, or a time in these.
    Count,
    Time(Duration),
    /// What stands for off and for on.
    Switch(u32, u32),
    /// The first and the last, with a blank between.
    Ports,
    /// The least, the default and the most, with blanks between.
    Memory,
}

impl Sysctl {
    /// The value in the kernel's unit; `None` if the kernel has no such value.
    pub fn native(&self, value: &str) -> Option<String> {
        let whole = |time: Duration, unit: Duration| {
            time.as_nanos().is_multiple_of(unit.as_nanos()).then(|| time.as_nanos() / unit.as_nanos())
        };
        Some(match self.unit {
            Unit::Count => value.parse::<u128>().ok()?.to_string(),
            Unit::Time(unit) => whole(span::parse(value)?, unit)?.to_string(),
            Unit::Ports => {
                let ports = ports(value).ok()?;
                format!("{} {}", ports.start(), ports.end())
            }
            Unit::Memory => {
                memory(value).ok()?;
                value.replace(',', " ")
            }
            Unit::Switch(off, on) => if switch(value).ok()? { on } else { off }.to_string(),
        })
    }

    /// A value in the kernel's unit as the key takes it; `None` if it is none.
    #[cfg(feature = "cli")]
    pub(crate) fn of_native(&self, value: &str) -> Option<String> {
        let words = || value.split_whitespace().collect::<Vec<_>>();
        Some(match self.unit {
            Unit::Count => value.parse::<u32>().ok()?.to_string(),
            Unit::Time(unit) => span::show(unit.checked_mul(value.parse().ok()?)?),
            Unit::Ports => words().join("-"),
            Unit::Memory => words().join(","),
            Unit::Switch(off, _) => if value.parse::<u32>().ok()? == off { "off" } else { "on" }.to_owned(),
        })
    }
}

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
const KEYS: &[Key] = &[
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
            profile.somaxconn = count(value)? as usize;
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

impl Profile {
    /// The keys that [`Profile::set`] knows.
    #[doc(hidden)]
    pub const KEYS: &'static [Key] = KEYS;

    /// The key of this name.
    #[doc(hidden)]
    pub fn key(name: &str) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// Changes one number by its name; `echosim --help` lists them.
    ///
    /// # Errors
    ///
    /// What was expected of `value`, or that there is no such key.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let mut changed = self.clone();
        changed.apply(key, value)?;
        if let Some(expected) = changed.conflict(key) {
            return Err(expected);
        }
        *self = changed;
        Ok(())
    }

    /// The same, whether or not the number goes with the others: several may be changed before they do.
    pub(crate) fn apply(&mut self, key: &str, value: &str) -> Result<(), String> {
        let key = Profile::key(key).ok_or("no such key")?;
        (key.apply)(self, value)
    }

    /// What this key was expected to be, if its number does not go with another.
    pub(crate) fn conflict(&self, key: &str) -> Option<String> {
        let Rto { min, max, .. } = self.rto;
        match key {
            _ if min <= max => None,
            "rto_min" => Some(format!("no more than rto_max, {max:?}")),
            "rto_max" => Some(format!("no less than rto_min, {min:?}")),
            _ => None,
        }
    }

    /// What only a TCP of our own has; the others' is `expected`.
    fn is_native(&self, expected: &str) -> Result<(), String> {
        if self.engine == Engine::Native { Ok(()) } else { Err(format!("{expected}: it is linux's alone")) }
    }
}

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

fn count(value: &str) -> Result<u32, String> {
    match value.parse() {
        Ok(count @ 0..=255) => Ok(count),
        _ => Err("a whole number from 0 to 255".to_owned()),
    }
}

fn buffer(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(octets @ 1_024..=16_777_216) => Ok(octets),
        _ => Err("octets from 1024 to 16777216".to_owned()),
    }
}

/// The least says nothing here: it is what a kernel short of memory leaves a socket.
fn memory(value: &str) -> Result<SocketMemory, String> {
    let sizes: Option<Vec<usize>> = value.split(',').map(|octets| octets.trim().parse().ok()).collect();
    match sizes.as_deref() {
        Some(&[least, default, most]) if 0 < least && 2_304 <= default && most <= 1 << 30 => {
            Ok(SocketMemory { default, most: most.max(default) })
        }
        _ => Err("three sizes in octets, as 4096,131072,6291456".to_owned()),
    }
}

fn ports(value: &str) -> Result<RangeInclusive<u16>, String> {
    let number = |text: &str| text.parse().ok().filter(|port| *port > 0);
    let bounds = value.split_once('-').and_then(|(first, last)| Some((number(first)?, number(last)?)));
    let range = bounds.map(|(first, last)| first..=last).filter(|range| !range.is_empty());
    range.ok_or_else(|| "two ports from 1 to 65535, the lower first, as 32768-60999".to_owned())
}

fn segments(value: &str) -> Result<u32, String> {
    match value.parse() {
        Ok(segments @ 1..=1_000) => Ok(segments),
        _ => Err("segments from 1 to 1000".to_owned()),
    }
}

fn hz(value: &str) -> Result<Option<TimerWheel>, String> {
    match value.parse() {
        Ok(0) => Ok(None),
        Ok(hz @ 24..=1_000) => Ok(Some(TimerWheel::new(hz))),
        _ => Err("jiffies a second from 24 to 1000, or 0".to_owned()),
    }
}

fn switch(value: &str) -> Result<bool, String> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off".to_owned()),
    }
}

fn aborted_accept(value: &str) -> Result<AbortedAccept, String> {
    match value {
        "ECONNABORTED" => Ok(AbortedAccept::Fails(Errno::ECONNABORTED)),
        "EPROTO" => Ok(AbortedAccept::Fails(Errno::EPROTO)),
        "ok" => Ok(AbortedAccept::Succeeds),
        "hidden" => Ok(AbortedAccept::Hidden),
        _ => Err("ECONNABORTED, EPROTO, ok or hidden".to_owned()),
    }
}

/// A time of more than nothing and up to a week.
fn duration(value: &str) -> Result<Duration, String> {
    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
    match span::parse(value) {
        Some(span) if !span.is_zero() && span <= WEEK => Ok(span),
        _ => Err("a time as 200ms, 75s, 2h, up to a week".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::System;

    #[test]
    fn every_key_that_is_listed_can_be_set() {
        for Key { name: key, .. } in Profile::KEYS {
            let value = match *key {
                "aborted_accept" => "EPROTO",
                "tail_loss_probe" | "tcp_timestamps" | "tcp_syncookies" | "tcp_abort_on_overflow" => "off",
                "somaxconn" => "10",
                "congestion" => "reno",
                "tcp_rmem" | "tcp_wmem" => "4096,16384,4194304",
                "buffer" => "4096",
                "hz" => "1000",
                "initial_window" => "4",
                "ip_local_port_range" => "1024-5000",
                key if key.contains("retries") || key.contains("probes") => "3",
                _ => "10s",
            };
            for system in System::ALL {
                assert_eq!(Profile::of(system).set(key, value), Ok(()), "{key}={value}");
            }
        }
    }

    #[test]
    fn a_value_that_is_none_says_what_was_expected() {
        let mut profile = Profile::of(System::Book);
        assert_eq!(profile.set("retries", "many"), Err("a whole number from 0 to 255".to_owned()));
        assert_eq!(profile.set("rto_min", "0s"), Err("a time as 200ms, 75s, 2h, up to a week".to_owned()));
        assert_eq!(profile.set("rto_max", "1s"), Err("no less than rto_min, 1.5s".to_owned()));
        assert_eq!(profile.set("nonsense", "1"), Err("no such key".to_owned()));
    }

    #[test]
    fn a_kernel_is_given_values_in_its_units() {
        let native = |key, value| Profile::key(key).unwrap().sysctl.unwrap().native(value);
        assert_eq!(native("retries", "5").as_deref(), Some("5"));
        assert_eq!(native("keepalive_time", "2h").as_deref(), Some("7200"));
        assert_eq!(native("rto_min", "200ms").as_deref(), Some("200000"));
        assert_eq!(native("rto_max", "120s").as_deref(), Some("120000"));
        assert_eq!(native("ip_local_port_range", "1024-5000").as_deref(), Some("1024 5000"));
        assert_eq!(native("tail_loss_probe", "off").as_deref(), Some("0"));
        assert_eq!(native("keepalive_time", "1500ms"), None, "the kernel counts seconds");
    }
}
