//! `[link.HOST]`: the link between a host and the router.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::Names;
use super::list::OneOrMany;
use super::mistake::Wrong;
use super::value::{Rate, Share, Value};
use crate::packet::Flags;
use crate::router::LinkConfig;
use crate::scenario::IpVersion;
use crate::scenario::link::{DropRule, mtu_fits};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkTable {
    latency: Option<Value<Duration>>,
    jitter: Option<Value<Duration>>,
    bandwidth: Option<Value<Rate>>,
    loss: Option<Value<Share>>,
    duplicate: Option<Value<Share>>,
    reorder: Option<Value<Share>>,
    corrupt: Option<Value<Share>>,
    mtu: Option<Spanned<usize>>,
    queue: Option<usize>,
    drop: Option<Spanned<OneOrMany<DropTable>>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct DropTable {
    from: Option<String>,
    flags: Option<Value<Flags>>,
    nth: Option<u64>,
    count: Option<u64>,
}

impl LinkTable {
    /// The link, and the packets on it that are singled out to be lost.
    pub(super) fn check(
        self,
        host: &str,
        names: &Names,
        ip: IpVersion,
    ) -> Result<(LinkConfig, Vec<DropRule>), Wrong> {
        let key = |key: &str| format!("link.{host}.{key}");
        let default = LinkConfig::default();
        let share = |share: Option<Value<Share>>| share.map_or(0.0, |Value(Share(share))| share);
        let mut link = LinkConfig {
            latency: self.latency.map_or(default.latency, |Value(latency)| latency),
            jitter: self.jitter.map_or(default.jitter, |Value(jitter)| jitter),
            bandwidth: self.bandwidth.map(|Value(Rate(rate))| rate),
            loss: share(self.loss),
            duplicate: share(self.duplicate),
            reorder: share(self.reorder),
            corrupt: share(self.corrupt),
            mtu: default.mtu,
            queue: self.queue.unwrap_or(default.queue),
        };
        let mut rules = Vec::new();
        if let Some(mtu) = self.mtu {
            link.mtu = *mtu.get_ref();
            mtu_fits(link.mtu, ip).map_err(|what| Wrong::new(mtu.span(), key("mtu"), what))?;
        }
        if let Some(drops) = self.drop {
            let span = drops.span();
            for rule in drops.into_inner().0 {
                if let Some(from) = &rule.from {
                    names.check(from, span.clone(), &key("drop.from"))?;
                }
                if rule.nth == Some(0) || rule.count == Some(0) {
                    return Err(Wrong::new(span, key("drop"), "nth and count start at 1"));
                }
                rules.push(rule.on(host));
            }
        }
        Ok((link, rules))
    }
}

impl DropTable {
    /// On the link of `host`, what another host sends is on its way to it.
    fn on(self, host: &str) -> DropRule {
        let from = self.from.unwrap_or_else(|| host.to_owned());
        let to = (from != host).then(|| host.to_owned());
        let flags = self.flags.map(|Value(flags)| flags);
        DropRule { from, to, flags, nth: self.nth.unwrap_or(1), count: self.count.unwrap_or(1) }
    }
}
