//! The values of keys: each as it is read, or what was expected of it.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::super::{AbortedAccept, SocketMemory, TimerWheel};
use crate::errno::Errno;
use crate::span;

pub(super) fn count(value: &str) -> Result<u32, String> {
    match value.parse() {
        Ok(count @ 0..=255) => Ok(count),
        _ => Err("a whole number from 0 to 255".to_owned()),
    }
}

pub(super) fn backlog(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(connections @ 0..=65_535) => Ok(connections),
        _ => Err("a whole number from 0 to 65535".to_owned()),
    }
}

pub(super) fn buffer(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(octets @ 1_024..=16_777_216) => Ok(octets),
        _ => Err("octets from 1024 to 16777216".to_owned()),
    }
}

/// The least says nothing here: it is what a kernel short of memory leaves a socket.
pub(super) fn memory(value: &str) -> Result<SocketMemory, String> {
    let sizes: Option<Vec<usize>> = value.split(',').map(|octets| octets.trim().parse().ok()).collect();
    match sizes.as_deref() {
        Some(&[least, default, most]) if 0 < least && 2_304 <= default && most <= 1 << 30 => {
            Ok(SocketMemory { default, most: most.max(default) })
        }
        _ => Err("three sizes in octets, as 4096,131072,6291456".to_owned()),
    }
}

pub(super) fn ports(value: &str) -> Result<RangeInclusive<u16>, String> {
    let number = |text: &str| text.parse().ok().filter(|port| *port > 0);
    let bounds = value.split_once('-').and_then(|(first, last)| Some((number(first)?, number(last)?)));
    let range = bounds.map(|(first, last)| first..=last).filter(|range| !range.is_empty());
    range.ok_or_else(|| "two ports from 1 to 65535, the lower first, as 32768-60999".to_owned())
}

pub(super) fn segments(value: &str) -> Result<u32, String> {
    match value.parse() {
        Ok(segments @ 1..=1_000) => Ok(segments),
        _ => Err("segments from 1 to 1000".to_owned()),
    }
}

pub(super) fn hz(value: &str) -> Result<Option<TimerWheel>, String> {
    match value.parse() {
        Ok(0) => Ok(None),
        Ok(hz @ 24..=1_000) => Ok(Some(TimerWheel::new(hz))),
        _ => Err("jiffies a second from 24 to 1000, or 0".to_owned()),
    }
}

pub(super) fn switch(value: &str) -> Result<bool, String> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off".to_owned()),
    }
}

pub(super) fn aborted_accept(value: &str) -> Result<AbortedAccept, String> {
    match value {
        "ECONNABORTED" => Ok(AbortedAccept::Fails(Errno::ECONNABORTED)),
        "EPROTO" => Ok(AbortedAccept::Fails(Errno::EPROTO)),
        "ok" => Ok(AbortedAccept::Succeeds),
        "hidden" => Ok(AbortedAccept::Hidden),
        _ => Err("ECONNABORTED, EPROTO, ok or hidden".to_owned()),
    }
}

/// A time of more than nothing and up to a week.
pub(super) fn duration(value: &str) -> Result<Duration, String> {
    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
    match span::parse(value) {
        Some(span) if !span.is_zero() && span <= WEEK => Ok(span),
        _ => Err("a time as 200ms, 75s, 2h, up to a week".to_owned()),
    }
}
