//! `--set` on a real kernel: the sysctl behind each key. They are a namespace's own.

use std::fs;
use std::io;
use std::time::Duration;

/// The keys that a real kernel knows, each with its sysctl.
const KEYS: &[(&str, &str)] = &[
    ("retries", "net.ipv4.tcp_retries2"),
    ("syn_retries", "net.ipv4.tcp_syn_retries"),
    ("keepalive_time", "net.ipv4.tcp_keepalive_time"),
    ("keepalive_intvl", "net.ipv4.tcp_keepalive_intvl"),
    ("keepalive_probes", "net.ipv4.tcp_keepalive_probes"),
    ("fin_wait_2", "net.ipv4.tcp_fin_timeout"),
    ("rto_min", "net.ipv4.tcp_rto_min_us"),
    ("rto_max", "net.ipv4.tcp_rto_max_ms"),
    ("tail_loss_probe", "net.ipv4.tcp_early_retrans"),
];

/// Sets a key of `--set` in the namespace of this process.
///
/// # Errors
///
/// A key that is none of a kernel's, a value that it does not take, or a kernel too old for it.
pub(super) fn set(key: &str, value: &str) -> io::Result<()> {
    let Some((_, name)) = KEYS.iter().find(|(known, _)| *known == key) else {
        return Err(io::Error::other(format!("a real kernel has no {key} to set")));
    };
    let bad = || io::Error::other(format!("{key}={value}: the kernel takes no such value"));
    write(name, &native(key, value).ok_or_else(bad)?)
}

/// The value in the kernel's unit.
fn native(key: &str, value: &str) -> Option<String> {
    let span = || humantime::parse_duration(value).ok();
    let text = match key {
        "keepalive_time" | "keepalive_intvl" | "fin_wait_2" => whole(span()?, Duration::from_secs(1))?,
        "rto_max" => whole(span()?, Duration::from_millis(1))?,
        "rto_min" => whole(span()?, Duration::from_micros(1))?,
        // tcp_early_retrans: 0 is off, 3 the default.
        "tail_loss_probe" => match value {
            "on" => 3,
            "off" => 0,
            _ => return None,
        },
        _ => value.parse().ok()?,
    };
    Some(text.to_string())
}

fn whole(span: Duration, unit: Duration) -> Option<u128> {
    span.as_nanos().is_multiple_of(unit.as_nanos()).then(|| span.as_nanos() / unit.as_nanos())
}

/// Writes a sysctl of the namespace of this process.
pub(super) fn write(name: &str, value: &str) -> io::Result<()> {
    fs::write(format!("/proc/sys/{}", name.replace('.', "/")), value)
        .map_err(|error| io::Error::other(format!("sysctl {name}={value}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_given_in_the_kernels_units() {
        assert_eq!(native("retries", "5").as_deref(), Some("5"));
        assert_eq!(native("keepalive_time", "2h").as_deref(), Some("7200"));
        assert_eq!(native("rto_min", "200ms").as_deref(), Some("200000"));
        assert_eq!(native("rto_max", "120s").as_deref(), Some("120000"));
        assert_eq!(native("tail_loss_probe", "off").as_deref(), Some("0"));
        assert_eq!(native("keepalive_time", "1500ms"), None, "the kernel counts seconds");
    }
}
