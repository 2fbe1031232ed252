//! When each timer of a connection fires.

use crate::time::SimTime;

/// The timers of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Retransmission of data, SYN or FIN, and the tail loss probe.
    Retransmit,
    /// Window probe.
    Persist,
    /// Keepalive.
    Keepalive,
    /// 2MSL in TIME_WAIT.
    TimeWait,
    /// A closed socket's wait for the peer's FIN.
    FinWait2,
    /// An acknowledgment held back.
    DelayedAck,
    /// The end of the moment, at which leaves what gathered behind a packet of the same moment (autocorking:
    /// `net.ipv4.tcp_autocorking` of Linux).
    Autocork,
}

/// The deadline of each timer that runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TimerTable([Option<SimTime>; Timer::Autocork as usize + 1]);

impl TimerTable {
    /// Starts the timer, or sets it anew.
    pub(crate) fn set(&mut self, timer: Timer, at: SimTime) {
        self.0[timer as usize] = Some(at);
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    /// When the timer fires, if it runs.
    pub(crate) fn at(&self, timer: Timer) -> Option<SimTime> {
        self.0[timer as usize]
    }

    pub(crate) fn is_running(&self, timer: Timer) -> bool {
        self.at(timer).is_some()
    }

    /// Whether the timer's moment has come.
    pub(crate) fn is_due(&self, timer: Timer, now: SimTime) -> bool {
        self.at(timer).is_some_and(|at| at <= now)
    }

    /// When the next timer fires.
    pub(crate) fn next(&self) -> Option<SimTime> {
        self.0.into_iter().flatten().min()
    }
}

/// What is to be done when a timer has fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fired {
    /// Nothing.
    Nothing,
    /// Send a probe.
    Probe,
    /// Send the oldest segment in flight again.
    Retransmit,
    /// Give the connection up.
    GiveUp,
}
