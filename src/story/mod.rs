//! What happened in a run, inferred from its timeline: data that reports word.
//!
//! | module | what it finds |
//! | --- | --- |
//! | `flight` | where each packet that was sent arrived, or was lost |
//! | `reset` | why each RST was sent |
//! | `hosts` | which host has which address |
//! | `faults` | which fault explains what a connection has suffered |

mod faults;
mod flight;
mod hosts;
mod reset;

pub(crate) use faults::{Concern, Faults, Struck};
pub(crate) use flight::{Fate, Flight, flights};
pub(crate) use hosts::Hosts;
pub(crate) use reset::{Reset, Why, resets};
