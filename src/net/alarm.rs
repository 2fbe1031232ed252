//! tokio's timers, made known: so that [`run`](super::run) may leave out the time before them.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::error::Elapsed;

use super::host::AttachedHost;
use crate::time::SimTime;

/// As [`tokio::time::sleep`], but [`run`](super::run) knows of it.
pub async fn sleep(duration: Duration) {
    let _alarm = Alarm::set(duration);
    tokio::time::sleep(duration).await;
}

/// As [`tokio::time::timeout`], but [`run`](super::run) knows of it.
///
/// # Errors
///
/// [`Elapsed`] if the time was up before `future` was done.
pub async fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Result<F::Output, Elapsed> {
    let _alarm = Alarm::set(duration);
    tokio::time::timeout(duration, future).await
}

/// A moment that a program waits for.
struct Alarm {
    host: Arc<AttachedHost>,
    entry: (SimTime, u64),
}

impl Alarm {
    /// Outside a simulation it need not be known.
    fn set(duration: Duration) -> io::Result<Alarm> {
        let host = AttachedHost::current(Ipv4Addr::UNSPECIFIED.into())?;
        let at = host.call(|_, now| now)? + duration;
        let mut alarms = host.alarms();
        let nth = alarms.last().map_or(0, |(_, nth)| nth + 1);
        let free = (nth..).find(|nth| !alarms.contains(&(at, *nth))).unwrap_or(nth);
        alarms.insert((at, free));
        drop(alarms);
        Ok(Alarm { host, entry: (at, free) })
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.host.alarms().remove(&self.entry);
    }
}
