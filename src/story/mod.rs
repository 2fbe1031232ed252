//! What happened in a run, inferred from its timeline: data that reports word.
//!
//! | module | what it finds |
//! | --- | --- |
//! | `hosts` | which host has which address, and what it is for |
//! | `connection` | what each end of a connection has sent in vain, and what it was told |
//! | `process` | what each process did and suffered, and the trouble it ended with |
//! | `faults` | which fault, or which process that was killed, explains what a connection has suffered |
//! | `silence` | which packets were sent in vain, and what lost them |
//! | `flight` | where each packet that was sent arrived, or was lost |
//! | `reset` | why each RST was sent |
//! | `read` | reads the timeline once, event by event |
//! | `traffic` | the segments of one end of a connection, and the ICMP errors about it |

mod connection;
mod faults;
mod flight;
mod hosts;
mod process;
mod read;
mod reset;
mod silence;
mod traffic;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::net::IpAddr;

pub(crate) use connection::{Connection, Keepalives};
pub(crate) use faults::{Cause, Concern, Faults, Struck, Symptom};
pub(crate) use flight::{Fate, Flight, flights};
pub(crate) use hosts::{Hosts, Role, roles};
pub(crate) use process::{News, Process, ProcessEnd, Trouble};
pub(crate) use reset::{Reset, ResetReader, Why, resets};
pub(crate) use silence::{Loss, Silence};

use self::traffic::Packets;
use crate::time::SimTime;
use crate::timeline::{ConnectionId, Event, LostReason};

/// A run, read once.
pub(crate) struct Story<'a> {
    pub(crate) events: &'a [Event],
    pub(crate) hosts: Hosts<'a>,
    pub(crate) faults: Faults<'a>,
    /// Every process there ever was, in the order they appeared.
    pub(crate) processes: Vec<Process<'a>>,
    /// Segments that left a host.
    pub(crate) sent: usize,
    /// How many of them were sent again.
    pub(crate) retransmitted: usize,
    /// Packets lost, by reason.
    pub(crate) lost: BTreeMap<LostReason, usize>,
    connections: BTreeMap<(&'a str, ConnectionId), Connection>,
    /// A pid means another process after its host has booted again.
    current: BTreeMap<(&'a str, u32), usize>,
    /// Most readers do not ask which packet became which.
    packets: OnceCell<Packets<'a>>,
}

impl<'a> Story<'a> {
    pub(crate) fn of(events: &'a [Event]) -> Story<'a> {
        let mut story = Story {
            events,
            hosts: Hosts::default(),
            faults: Faults::default(),
            processes: Vec::new(),
            sent: 0,
            retransmitted: 0,
            lost: BTreeMap::new(),
            connections: BTreeMap::new(),
            current: BTreeMap::new(),
            packets: OnceCell::new(),
        };
        for (at, event) in events.iter().enumerate() {
            story.hosts.read(event);
            story.faults.read(at, event);
            story.read(at, event);
        }
        story
    }

    pub(crate) fn t(&self, at: usize) -> SimTime {
        self.events[at].t
    }

    /// A host's name by its address, or the address.
    pub(crate) fn name(&self, addr: IpAddr) -> String {
        self.hosts.name(addr)
    }

    /// Whether segments were recorded, if there were any: on a kernel's own loopback there are, and none is.
    pub(crate) fn wire_was_watched(&self) -> bool {
        self.sent > 0 || !self.processes.iter().any(|process| process.has_conversed)
    }

    /// `host`'s end of a connection as it is at the end of the run.
    pub(crate) fn connection(&self, host: &'a str, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(&(host, id))
    }

    /// The two hosts of a connection of `own`'s with `peer`.
    pub(crate) fn concern<'s>(&'s self, own: &'s str, peer: Option<IpAddr>) -> Concern<'s> {
        Concern::of(&self.hosts, own, peer)
    }
}
