//! `--set KEY=VALUE`: one name for each number of a profile that a person may want to change.

use std::time::Duration;

use super::linux::syn_waits;
use super::{AbortedAccept, GiveUp, Profile, System};
use crate::errno::Errno;
use crate::span;

impl Profile {
    /// The keys [`Profile::set`] knows, each with what it is.
    pub const KEYS: &'static [(&'static str, &'static str)] = &[
        ("retries", "retransmissions of data before giving up (Linux: tcp_retries2)"),
        ("syn_retries", "retransmissions of a SYN before connect fails (Linux: tcp_syn_retries)"),
        ("rto_min", "the least retransmission timeout, as 200ms"),
        ("rto_max", "the most that back-off makes of it, as 120s"),
        ("keepalive_time", "silence before the first keepalive probe, as 2h"),
        ("keepalive_intvl", "between keepalive probes, as 75s"),
        ("keepalive_probes", "keepalive probes without an answer before giving up"),
        ("time_wait", "how long TIME_WAIT lasts, as 60s"),
        ("fin_wait_2", "how long a closed socket stays in FIN_WAIT_2, as 60s"),
        ("delayed_ack", "how long an acknowledgment may wait, as 200ms"),
        (
            "aborted_accept",
            "what accept says of a connection reset before it: ECONNABORTED, EPROTO, ok, hidden",
        ),
        ("tail_loss_probe", "a probe before the first retransmission: on, off"),
        ("buffer", "octets in each socket buffer"),
        ("initial_window", "segments that may be in flight before anything is acknowledged"),
    ];

    /// Changes one number by its name.
    ///
    /// # Errors
    ///
    /// What was expected of `value`, or that there is no such key.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "retries" => self.give_up = retries(self.give_up, count(value)?),
            "syn_retries" => self.syn = self.syn_waits(count(value)?),
            "rto_min" => self.set_rto_min(duration(value)?)?,
            "rto_max" => {
                let max = duration(value)?;
                if max < self.rto.min {
                    return Err(format!("no less than rto_min, {:?}", self.rto.min));
                }
                self.rto.max = max;
            }
            "keepalive_time" => self.keepalive.idle = duration(value)?,
            "keepalive_intvl" => self.keepalive.interval = duration(value)?,
            "keepalive_probes" => self.keepalive.count = count(value)?,
            "time_wait" => self.time_wait = duration(value)?,
            "fin_wait_2" => self.fin_wait_2 = Some(duration(value)?),
            "delayed_ack" => self.ack.delay = duration(value)?,
            "aborted_accept" => self.aborted_accept = aborted_accept(value)?,
            "tail_loss_probe" => self.tail_loss_probe = switch(value)?,
            "buffer" => self.buffer = buffer(value)?,
            "initial_window" => self.initial_window.segments = Some(segments(value)?),
            _ => return Err("no such key".to_owned()),
        }
        Ok(())
    }

    fn syn_waits(&self, retries: u32) -> Vec<Duration> {
        if self.system == System::Linux {
            return syn_waits(retries);
        }
        // One wait after each sending; beyond the known ones the last is repeated.
        let last = self.syn[self.syn.len() - 1];
        let known = self.syn.iter().copied();
        known.chain(std::iter::repeat(last)).take(retries as usize + 1).collect()
    }

    fn set_rto_min(&mut self, min: Duration) -> Result<(), String> {
        if min > self.rto.max {
            return Err(format!("no more than rto_max, {:?}", self.rto.max));
        }
        self.rto.min = min;
        self.rto.initial = self.rto.initial.max(min);
        Ok(())
    }
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

fn segments(value: &str) -> Result<u32, String> {
    match value.parse() {
        Ok(segments @ 1..=1_000) => Ok(segments),
        _ => Err("segments from 1 to 1000".to_owned()),
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

    #[test]
    fn every_key_that_is_listed_can_be_set() {
        for (key, _) in Profile::KEYS {
            let value = match *key {
                "aborted_accept" => "EPROTO",
                "tail_loss_probe" => "off",
                "buffer" => "4096",
                "initial_window" => "4",
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
}
