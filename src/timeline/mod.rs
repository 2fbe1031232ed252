//! What happened, in the order it happened: one list of [`Event`]s that every layer writes to.

mod call;
mod event;
mod fault;
mod interned;
mod recorder;
mod tcp_state;

pub use call::{Call, ChildStatus, ConnectionId, Octets, OptionValue, Polled, SignalHandler, SystemCall};
pub use event::{
    Direction, Event, Icmp, Kind, Line, LostPacket, LostReason, Neighbour, Probe, Process, ProcessChange,
    Retransmission, SegmentEvent, SignalChange, Stream, Waiting,
};
pub use fault::{FaultKind, ResetAim, ResetEnds, Victim, Way};
pub(crate) use interned::interned_option;
#[doc(hidden)] // for who records: the layers of this crate, its tests and benches
pub use recorder::{Recorder, Timeline};
pub use tcp_state::TcpState;

// What events are made of.
pub use crate::errno::Errno;
pub use crate::packet::{Flags, Mac, Resolution, Unreachable};
pub use crate::time::SimTime;
