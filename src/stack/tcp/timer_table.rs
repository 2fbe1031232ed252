//! When each timer of a connection fires.

use crate::time::SimTime;

/// The timers of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stack) enum Timer {
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
    Cork,
}

impl Timer {
    const ALL: [Timer; 7] = [
        Timer::Retransmit,
        Timer::Persist,
        Timer::Keepalive,
        Timer::TimeWait,
        Timer::FinWait2,
        Timer::DelayedAck,
        Timer::Cork,
    ];
}

/// The deadline of each timer that runs.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::stack) struct TimerTable([Option<SimTime>; Timer::ALL.len()]);

impl TimerTable {
    /// Starts the timer, or sets it anew.
    pub(in crate::stack) fn set(&mut self, timer: Timer, at: SimTime) {
        self.0[timer as usize] = Some(at);
    }

    pub(in crate::stack) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    /// When the timer fires, if it runs.
    pub(in crate::stack) fn at(&self, timer: Timer) -> Option<SimTime> {
        self.0[timer as usize]
    }

    pub(in crate::stack) fn is_running(&self, timer: Timer) -> bool {
        self.at(timer).is_some()
    }

    /// Whether the timer's moment has come.
    pub(in crate::stack) fn is_due(&self, timer: Timer, now: SimTime) -> bool {
        self.at(timer).is_some_and(|at| at <= now)
    }

    /// When the next timer fires.
    pub(in crate::stack) fn next(&self) -> Option<SimTime> {
        self.0.into_iter().flatten().min()
    }

    /// Every timer that runs.
    pub(in crate::stack) fn running(&self) -> impl Iterator<Item = (Timer, SimTime)> {
        Timer::ALL.into_iter().filter_map(|timer| Some((timer, self.at(timer)?)))
    }
}

/// What is to be done when a timer has fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stack) enum Fired {
    /// Nothing.
    Nothing,
    /// Send a probe.
    Probe,
    /// Send the oldest segment in flight again.
    Retransmit,
    /// Give the connection up.
    GiveUp,
}
