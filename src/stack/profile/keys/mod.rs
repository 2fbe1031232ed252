//! `--set KEY=VALUE`: one name for each number of a profile that a person may want to change.

mod sysctl;
mod table;
mod value;

use super::{Engine, Profile, Rto};
use sysctl::Sysctl;
use table::KEYS;

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
