//! Which host stands where.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::report::wording;
use crate::story::{Hosts, Role, roles};
use crate::timeline::Event;

/// A lifeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The host's name.
    pub name: String,
    /// It forwards what others send each other.
    pub router: bool,
}

/// Finds a column by a host's name or address.
#[derive(Debug)]
pub(super) struct Positions<'a> {
    names: BTreeMap<&'a str, usize>,
    addrs: BTreeMap<IpAddr, usize>,
}

impl Positions<'_> {
    pub(super) fn host(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// The host that has this address; one that never sent or received anything is taken for the one furthest from
    /// `from`.
    pub(super) fn addr(&self, addr: IpAddr, from: usize) -> usize {
        let furthest = if from == 0 { self.names.len().saturating_sub(1) } else { 0 };
        self.addrs.get(&addr).copied().unwrap_or(furthest)
    }
}

pub(super) fn columns(events: &[Event]) -> (Vec<Column>, Positions<'_>) {
    let roles = roles(events, []);
    let names: BTreeMap<&str, usize> = roles.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
    let addrs = Hosts::of(events).all().map(|(addr, name)| (addr, names[name])).collect();
    let column = |(name, role): &(&str, Role)| Column {
        name: wording::printable(name).into_owned(),
        router: *role == Role::Router,
    };
    (roles.iter().map(column).collect(), Positions { names, addrs })
}
