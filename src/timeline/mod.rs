//! What happened, in the order it happened: one list of [`Event`]s that every layer writes to.

mod event;
mod fault;
mod interned;
mod recorder;
mod tcp_state;

pub use event::{
    Call, Direction, Event, Icmp, Kind, Line, LostPacket, LostReason, Process, ProcessChange, Retransmission,
    SegmentEvent, SignalChange, Stream, Waiting,
};
pub use fault::{FaultKind, Victim, Way};
pub(crate) use interned::interned_option;
pub use recorder::{Recorder, Timeline};
pub use tcp_state::TcpState;
