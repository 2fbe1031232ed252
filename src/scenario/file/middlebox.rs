//! `[[middlebox]]`: what knows flows on a link.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::Names;
use super::mistake::Wrong;
use super::value::Value;
use crate::router::{MiddleboxConfig, Unknown};
use crate::scenario::link::Middlebox;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MiddleboxTable {
    link: Spanned<String>,
    idle: Option<Value<Duration>>,
    unknown: Option<Value<Unknown>>,
    #[serde(default)]
    picks_up: bool,
    flows: Option<Spanned<usize>>,
}

impl MiddleboxTable {
    pub(super) fn check(self, names: &Names) -> Result<Middlebox, Wrong> {
        names.check(self.link.get_ref(), self.link.span(), "middlebox.link")?;
        let default = MiddleboxConfig::default();
        if let Some(flows) = self.flows.as_ref().filter(|flows| *flows.get_ref() == 0) {
            return Err(Wrong::new(flows.span(), "middlebox.flows", "expected 1 or more"));
        }
        let config = MiddleboxConfig {
            idle: self.idle.map(|Value(idle)| idle),
            unknown: self.unknown.map_or(default.unknown, |Value(unknown)| unknown),
            picks_up: self.picks_up,
            flows: self.flows.map_or(default.flows, Spanned::into_inner),
        };
        Ok(Middlebox { link: self.link.into_inner(), config })
    }
}
