//! The hosts of a file, by name.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;

use super::host::HostTable;
use super::mistake::Wrong;
use crate::scenario::limits;

/// The hosts that the rest of the file can speak of.
pub(super) struct Names {
    /// In the file's order.
    ordered: Vec<String>,
    /// Where in `ordered` a name is, and whether something runs there.
    known: BTreeMap<String, (usize, bool)>,
}

impl Names {
    pub(super) fn new(hosts: &[(Spanned<String>, HostTable)]) -> Result<Names, Wrong> {
        let refuse = |name: &Spanned<String>, what: String| Err(Wrong::new(name.span(), "host", what));
        if hosts.is_empty() {
            return Err(Wrong::new(0..0, "host", "expected at least one host"));
        }
        if let Some((name, _)) = hosts.get(limits::HOSTS) {
            return refuse(name, format!("more hosts than the limit of {}", limits::HOSTS));
        }
        let mut names = Names { ordered: Vec::new(), known: BTreeMap::new() };
        for (at, (name, table)) in hosts.iter().enumerate() {
            let text = name.get_ref();
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if text.is_empty() || !text.chars().all(plain) {
                return refuse(name, "a host's name is made of letters, digits, - and _".to_owned());
            }
            if text == "router" {
                return refuse(name, "\"router\" stands between the hosts already".to_owned());
            }
            names.ordered.push(text.clone());
            names.known.insert(text.clone(), (at, table.runs_something()));
        }
        Ok(names)
    }

    /// Where in the file's order the host of this name is.
    pub(super) fn find(&self, name: &str) -> Result<usize, String> {
        const SHOWN: usize = 8;
        self.known.get(name).map(|(at, _)| *at).ok_or_else(|| {
            let shown: Vec<String> =
                self.ordered.iter().take(SHOWN).map(|name| format!("{name:?}")).collect();
            let more = if self.ordered.len() > SHOWN { " …" } else { "" };
            format!("no host {name:?}; hosts are {}{more}", shown.join(", "))
        })
    }

    /// The same; `span` and `key` say where the host is spoken of.
    pub(super) fn check(&self, name: &str, span: Range<usize>, key: &str) -> Result<usize, Wrong> {
        self.find(name).map_err(|what| Wrong::new(span, key, what))
    }

    pub(super) fn runs_something(&self, name: &str) -> bool {
        self.known.get(name).is_some_and(|(_, runs)| *runs)
    }
}
