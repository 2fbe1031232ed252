//! `--set KEY=VALUE`: changes one thing of a scenario.

use thiserror::Error;

use super::link::{self, mtu_fits};
use super::near::{did_you_mean, near};
use super::{Host, IpVersion, Scenario};
use crate::router::LinkConfig;
use crate::stack::{Profile, System};

/// The key of the scenario itself.
const IP: (&str, &str) = ("ip", "the Internet Protocol's version, 4 or 6");

/// Every key there is, each with a sentence: the scenario's, those of links, which change every link, then those of
/// the TCP profiles.
pub fn keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_links = link::KEYS.iter().map(|key| (key.name, key.help));
    let of_profile = Profile::KEYS.iter().map(|key| (key.name, key.help));
    [IP].into_iter().chain(of_links).chain(of_profile)
}

/// Why a key cannot be set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SetError {
    /// There is no such key.
    #[error("no key {key:?};{} keys are {}", did_you_mean(near), known.join(", "))]
    UnknownKey {
        /// What was asked for.
        key: String,
        /// What may have been meant.
        near: Vec<String>,
        /// What there is.
        known: Vec<String>,
    },
    /// The key does not take this value.
    #[error("{key}: {value:?} will not do: {expected}")]
    BadValue {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// What was expected.
        expected: String,
    },
}

impl SetError {
    /// The key that cannot be set.
    pub(super) fn key(&self) -> &str {
        match self {
            SetError::UnknownKey { key, .. } | SetError::BadValue { key, .. } => key,
        }
    }
}

impl Scenario {
    /// Sets a key of every link, or of every host's TCP profile, or a name of the scenario's own `[set]`.
    ///
    /// # Errors
    ///
    /// An unknown key, or a value that it does not take; then nothing is changed.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), SetError> {
        self.set_all(&[(key.to_owned(), value.to_owned())])
    }

    /// Sets several keys, which need to go with each other only when all are set.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set); also a number of a host's own that does not go with the scenario's system.
    pub fn set_all(&mut self, settings: &[(String, String)]) -> Result<(), SetError> {
        let mut changed = self.clone();
        for (key, value) in settings {
            changed.set_one(key, value)?;
        }
        changed.hosts.iter().try_for_each(|host| changed.profile(host).map(drop))?;
        *self = changed;
        Ok(())
    }

    fn set_one(&mut self, key: &str, value: &str) -> Result<(), SetError> {
        let is_of_link = key == IP.0 || link::Key::of(key).is_some();
        if is_of_link {
            self.set_world(key, value).map_err(|expected| bad_value(key, value, expected))?;
        } else if self.variables.get(key).is_some() {
            self.set_variable(key, value).map_err(|expected| bad_value(key, value, expected))?;
        } else if Profile::key(key).is_none() {
            let known = self.variables.names().chain(keys().map(|(known, _)| known));
            return Err(unknown(key, known.collect()));
        }
        self.set.push((key.to_owned(), value.to_owned()));
        Ok(())
    }

    /// The profile of this host's TCP: its system's, changed by the host's own `set`, then by the scenario's.
    pub(crate) fn profile(&self, host: &Host) -> Result<Profile, SetError> {
        let of_scenario = self.set.iter().filter(|(key, _)| Profile::key(key).is_some());
        profile_with(self.system(host), host.set.iter().chain(of_scenario))
    }

    fn set_variable(&mut self, name: &str, value: &str) -> Result<(), String> {
        let mut variables = self.variables.clone();
        variables.set(name, value);
        self.commands(&variables, &self.addrs())?;
        self.variables = variables;
        Ok(())
    }

    fn set_world(&mut self, key: &str, value: &str) -> Result<(), String> {
        let mut ip = self.ip;
        let mut links: Vec<LinkConfig> = self.hosts.iter().map(|host| host.link.clone()).collect();
        match link::Key::of(key) {
            Some(key) => {
                let set = links.iter_mut().try_for_each(|link| key.set(link, value));
                set.ok_or_else(|| format!("expected {}", key.expected))?;
            }
            None => {
                ip = match value {
                    "4" => IpVersion::V4,
                    "6" => IpVersion::V6,
                    _ => return Err("expected 4 or 6".to_owned()),
                };
            }
        }
        let interfaces = self.hosts.iter().filter_map(|host| host.mtu);
        links.iter().map(|link| link.mtu).chain(interfaces).try_for_each(|mtu| mtu_fits(mtu, ip))?;
        self.ip = ip;
        self.hosts.iter_mut().zip(links).for_each(|(host, link)| host.link = link);
        Ok(())
    }
}

/// The profile of a system with these numbers changed.
pub(super) fn profile_with<'a>(
    system: System,
    settings: impl Iterator<Item = &'a (String, String)> + Clone,
) -> Result<Profile, SetError> {
    let mut profile = Profile::of(system);
    for (key, value) in settings.clone() {
        if Profile::key(key).is_none() {
            return Err(unknown(key, Profile::KEYS.iter().map(|known| known.name).collect()));
        }
        profile.apply(key, value).map_err(|expected| bad_value(key, value, expected))?;
    }
    for (key, value) in settings {
        if let Some(expected) = profile.conflict(key) {
            return Err(bad_value(key, value, expected));
        }
    }
    Ok(profile)
}

fn unknown(key: &str, known: Vec<&str>) -> SetError {
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    let near = owned(near(key, known.iter().copied()));
    SetError::UnknownKey { key: key.to_owned(), near, known: owned(known) }
}

fn bad_value(key: &str, value: &str, expected: String) -> SetError {
    SetError::BadValue { key: key.to_owned(), value: value.to_owned(), expected }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::scenario::load;

    #[test]
    fn a_key_of_the_links_changes_every_link() {
        let mut scenario = load("crash").unwrap();
        scenario.set("latency", "20ms").unwrap();
        scenario.set("bandwidth", "10Mbit/s").unwrap();
        scenario.set("loss", "5%").unwrap();
        for host in &scenario.hosts {
            let LinkConfig { latency, bandwidth, loss, .. } = host.link;
            assert_eq!((latency, bandwidth, loss), (Duration::from_millis(20), Some(10_000_000), 0.05));
        }
        assert_eq!(scenario.set[0], ("latency".to_owned(), "20ms".to_owned()), "kept for the replay");
    }

    #[test]
    fn every_key_of_the_world_can_be_set() {
        let values = ["6", "1ms", "1ms", "1Mbit/s", "0.1", "1%", "2%", "1", "1400", "silent", "7"];
        assert_eq!(values.len(), 1 + link::KEYS.len());
        let mut scenario = load("crash").unwrap();
        for ((key, _), value) in keys().zip(values) {
            let before = scenario.clone();
            scenario.set(key, value).unwrap();
            assert_ne!(Scenario { set: before.set.clone(), ..scenario.clone() }, before, "{key}");
        }
        assert_eq!((scenario.ip, scenario.hosts[0].link.mtu), (IpVersion::V6, 1400));
    }

    #[test]
    fn an_unknown_key_lists_the_near_ones_and_all() {
        let error = load("crash").unwrap().set("latncy", "1ms").unwrap_err().to_string();
        assert!(
            error.starts_with("no key \"latncy\"; did you mean \"latency\"? keys are ip, latency, "),
            "{error}"
        );
        for (key, _) in keys() {
            assert!(error.contains(key), "{key}");
        }
    }

    #[test]
    fn a_value_that_will_not_do_changes_nothing() {
        let mut scenario = load("crash").unwrap();
        let before = scenario.clone();
        let mut refused = |key: &str, value: &str| scenario.set(key, value).unwrap_err().to_string();
        assert_eq!(
            refused("loss", "150%"),
            "loss: \"150%\" will not do: expected a share from 0 to 1, such as \"5%\" or 0.05"
        );
        assert_eq!(refused("ip", "5"), "ip: \"5\" will not do: expected 4 or 6");
        assert_eq!(
            refused("mtu", "20"),
            "mtu: \"20\" will not do: expected an MTU from 68 to 65535 octets, as IPv4 needs it"
        );
        assert_eq!(refused("queue", "-1"), "queue: \"-1\" will not do: expected a number");
        for key in Profile::KEYS.iter().map(|key| key.name) {
            assert!(refused(key, "\u{0}").starts_with(&format!("{key}: \"\\0\" will not do: ")), "{key}");
        }
        assert_eq!(scenario, before);
    }

    #[test]
    fn numbers_need_to_go_with_each_other_when_all_are_set() {
        let all = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let mut scenario = load("crash").unwrap();
        let before = scenario.clone();
        let error = scenario.set_all(&all(&[("rto_min", "50s"), ("rto_max", "40s")])).unwrap_err();
        assert_eq!(error.to_string(), "rto_min: \"50s\" will not do: no more than rto_max, 40s");
        assert_eq!(scenario, before);
        for pair in [[("rto_max", "200s"), ("rto_min", "100s")], [("rto_min", "100s"), ("rto_max", "200s")]] {
            load("crash").unwrap().set_all(&all(&pair)).unwrap();
        }
    }

    /// Valid under `linux`, whose RTO is 0.2 s at the least, and not under `book`.
    #[test]
    fn a_hosts_own_number_that_does_not_go_with_the_system_is_an_error() {
        let text = "name = \"x\"\nstack = \"linux\"\n[host.a]\nset = { rto_max = \"1s\" }";
        let mut scenario = Scenario::parse("x.toml", text).unwrap();
        scenario.stack = System::Book;
        let expected = "rto_max: \"1s\" will not do: no less than rto_min, 1.5s";
        assert_eq!(scenario.set_all(&[]).unwrap_err().to_string(), expected);
        assert!(scenario.run().unwrap_err().to_string().ends_with(expected));
    }

    #[test]
    fn no_key_means_two_things() {
        let mut names: Vec<&str> = keys().map(|(key, _)| key).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), keys().count());
    }
}
