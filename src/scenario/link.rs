//! What a scenario says of a link besides its [configuration](crate::router::LinkConfig).

use super::IpVersion;
use crate::packet::Flags;
use crate::router::{self, LinkId};

/// Loses chosen packets: `drop = { from = "client", flags = "P.", nth = 2 }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropRule {
    /// The host that sends them.
    pub from: String,
    /// The host they are for; `None` is any.
    pub to: Option<String>,
    /// A segment with exactly these control bits; `None` is any packet.
    pub flags: Option<Flags>,
    /// The first match that is lost, counted from 1.
    pub nth: u64,
    /// How many matches are lost from there on.
    pub count: u64,
}

impl DropRule {
    /// The rule for a router that knows its links by number.
    pub fn on_links(&self, link: impl Fn(&str) -> LinkId) -> router::DropRule {
        router::DropRule {
            from: link(&self.from),
            to: self.to.as_deref().map(link),
            flags: self.flags,
            nth: self.nth,
            count: self.count,
        }
    }
}

/// Whether IP can use a link with this MTU, in octets.
///
/// # Errors
///
/// A sentence that says what was expected.
pub(super) fn mtu_fits(mtu: usize, ip: IpVersion) -> Result<(), String> {
    // RFC 791, 3.2: every module must be able to forward 68 octets; RFC 8200, 5: every link carries 1280.
    let (least, version) = match ip {
        IpVersion::V4 => (68, 4),
        IpVersion::V6 => (1280, 6),
    };
    if (least..=65_535).contains(&mtu) {
        Ok(())
    } else {
        Err(format!("expected an MTU from {least} to 65535 octets, as IPv{version} needs it"))
    }
}
