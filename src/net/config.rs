//! How a host is configured, unless its test says otherwise: the system whose TCP it has, and its link.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use crate::stack::{Profile, System};

/// Octets of the largest IP packet on an Ethernet.
const ETHERNET_MTU: usize = 1_500;

/// What a host boots with.
pub(super) struct HostConfig {
    pub(super) profile: Profile,
    /// Octets of the largest IP packet it sends.
    pub(super) mtu: usize,
    /// Whether its bursts leave as one packet.
    pub(super) segmentation_offload: bool,
}

impl Default for HostConfig {
    fn default() -> HostConfig {
        Overrides::default().or(&Overrides::default())
    }
}

/// What a test has set for a host.
#[derive(Default)]
pub(super) struct Overrides {
    pub(super) profile: Option<Profile>,
    pub(super) mtu: Option<usize>,
    pub(super) segmentation_offload: Option<bool>,
}

impl Overrides {
    fn or(&self, others: &Overrides) -> HostConfig {
        let profile = self.profile.as_ref().or(others.profile.as_ref()).cloned();
        HostConfig {
            profile: profile.unwrap_or_else(|| System::REAL.into()),
            mtu: self.mtu.or(others.mtu).unwrap_or(ETHERNET_MTU),
            segmentation_offload: self.segmentation_offload.or(others.segmentation_offload).unwrap_or(true),
        }
    }
}

/// What a test has set, by a host's name or address.
#[derive(Default)]
pub(super) struct OverridesByHost {
    hosts: BTreeMap<String, Overrides>,
    /// The ephemeral ports that turmoil's builder names for all hosts, if it names any; `None` until that is known.
    pub(super) ports: Option<Option<RangeInclusive<u16>>>,
}

impl OverridesByHost {
    /// What is set for a host from its next boot on.
    pub(super) fn of(&mut self, host: impl ToString) -> &mut Overrides {
        self.hosts.entry(host.to_string()).or_default()
    }

    /// What the host boots with: what its name says goes before what its address does.
    pub(super) fn config(&self, addr: IpAddr, name: &str) -> HostConfig {
        let nothing = Overrides::default();
        let by_name = self.hosts.get(name).unwrap_or(&nothing);
        let by_addr =
            self.hosts.iter().find(|(host, _)| host.parse() == Ok(addr)).map(|(_, of_host)| of_host);
        let mut config = by_name.or(by_addr.unwrap_or(&nothing));
        let ports = &mut config.profile.ephemeral_ports;
        let is_set = *ports != Profile::of(config.profile.system).ephemeral_ports;
        if let Some(Some(named)) = self.ports.as_ref().filter(|_| !is_set) {
            *ports = named.clone();
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_name_says_goes_before_what_the_address_does_one_by_one() {
        let mut overrides = OverridesByHost::default();
        let addr: IpAddr = "fe80::1".parse().unwrap();
        overrides.of("server").mtu = Some(9_000);
        *overrides.of("fe80:0::1") =
            Overrides { mtu: Some(576), segmentation_offload: Some(false), profile: None };
        let [server, client] = ["server", "client"].map(|name| overrides.config(addr, name));
        assert_eq!((server.mtu, server.segmentation_offload), (9_000, false));
        assert_eq!((client.mtu, client.segmentation_offload), (576, false));
        let other = overrides.config("fe80::2".parse().unwrap(), "client");
        assert_eq!(
            (other.mtu, other.segmentation_offload, other.profile.system),
            (1_500, true, System::REAL)
        );
    }

    #[test]
    fn ports_that_the_builder_names_are_every_hosts_whose_profile_has_none_of_its_own() {
        let mut overrides = OverridesByHost::default();
        let addr: IpAddr = "fe80::1".parse().unwrap();
        overrides.ports = Some(Some(50_000..=50_010));
        let own = Profile { ephemeral_ports: 40_000..=40_000, ..Profile::of(System::Linux) };
        overrides.of("own").profile = Some(own);
        overrides.of("bsd").profile = Some(Profile::of(System::Bsd));
        let ports = |host| overrides.config(addr, host).profile.ephemeral_ports;
        assert_eq!(["own", "bsd", "other"].map(ports), [40_000..=40_000, 50_000..=50_010, 50_000..=50_010]);
    }
}
