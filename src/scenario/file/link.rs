//! `[link.HOST]`: the link between a host and the router.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use toml::Spanned;

use super::Names;
use super::list::OneOrMany;
use super::mistake::Wrong;
use super::value::{Setting, Value};
use crate::packet::Flags;
use crate::router::{LinkConfig, Place, RuleConfig};
use crate::scenario::IpVersion;
use crate::scenario::link::{self, mtu_fits};

/// The rules of `drop`, and whatever else is set.
#[derive(Default)]
pub(super) struct LinkTable {
    set: Vec<(Spanned<String>, Spanned<Setting>)>,
    drop: Option<Spanned<OneOrMany<DropTable>>>,
}

impl<'de> Deserialize<'de> for LinkTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LinkTable, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = LinkTable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of a link's properties")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LinkTable, A::Error> {
                let mut table = LinkTable::default();
                while let Some(name) = map.next_key::<Spanned<String>>()? {
                    match name.get_ref().as_str() {
                        "drop" => table.drop = Some(map.next_value()?),
                        _ => table.set.push((name, map.next_value()?)),
                    }
                }
                Ok(table)
            }
        }

        deserializer.deserialize_map(Reader)
    }
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
    /// Where in the file its rules begin, if it has any.
    pub(super) fn drop_starts(&self) -> Option<usize> {
        self.drop.as_ref().map(|drops| drops.span().start)
    }

    /// The link, and the packets on it that are singled out to be lost.
    pub(super) fn check(
        self,
        host: &str,
        names: &Names,
        ip: IpVersion,
    ) -> Result<(LinkConfig, Vec<RuleConfig<String>>), Wrong> {
        let key = |key: &str| format!("link.{host}.{key}");
        let mut link = LinkConfig::default();
        for (name, value) in self.set {
            let path = key(name.get_ref());
            let known = link::Key::of(name.get_ref()).ok_or_else(|| unknown(&name, &path))?;
            let (span, Setting(text)) = (value.span(), value.into_inner());
            if known.set(&mut link, &text).is_none() {
                return Err(Wrong::new(span, path, format!("{text:?} is not {}", known.expected)));
            }
            mtu_fits(link.mtu, ip).map_err(|what| Wrong::new(span, path, what))?;
        }
        let mut rules = Vec::new();
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

fn unknown(name: &Spanned<String>, path: &str) -> Wrong {
    let known = link::KEYS.iter().map(|key| key.name).chain(["drop"]);
    let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
    let what = format!("unknown field `{}`, expected one of {}", name.get_ref(), known.join(", "));
    Wrong::new(name.span(), path, what)
}

impl DropTable {
    /// On the link of `host`, what another host sends is on its way to it.
    fn on(self, host: &str) -> RuleConfig<String> {
        let from = self.from.unwrap_or_else(|| host.to_owned());
        let to = (from != host).then(|| host.to_owned());
        let flags = self.flags.map(|Value(flags)| flags);
        RuleConfig {
            place: Place::Sender,
            from: Some(from),
            to,
            flags,
            nth: self.nth.unwrap_or(1),
            count: self.count.unwrap_or(1),
            ..RuleConfig::default()
        }
    }
}
