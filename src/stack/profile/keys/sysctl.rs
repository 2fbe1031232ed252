//! Where a Linux kernel keeps a number, and in which unit.

use std::time::Duration;

use super::value::{memory, ports, switch};
use crate::span;

/// Where a Linux kernel keeps a number, and in which unit.
#[derive(Clone, Copy, Debug)]
pub struct Sysctl {
    /// `net.ipv4.tcp_retries2` …
    pub name: &'static str,
    pub(super) unit: Unit,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
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
