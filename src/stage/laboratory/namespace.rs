//! Network namespaces, and the TUN device in each.

use std::fs::{self, File};
use std::io;
use std::net::IpAddr;

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::Signal;
use nix::unistd::{getegid, geteuid};
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

use super::interface;
use crate::os::unix::Parent;
use crate::packet::Mac;

/// What has to be there, and how it is got.
const NEEDS: &str = "the laboratory needs network namespaces and TUN devices: be root, or allow user namespaces \
    (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns); \
    have /dev/net/tun (modprobe tun; for a container --device /dev/net/tun)";

fn missing(what: &'static str) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::other(format!("{what}: {error}; {NEEDS}"))
}

/// Makes this process root of a user namespace of its own, unless it may make network namespaces as it is.
///
/// # Errors
///
/// What is missing, and how to get it; that `parent` has ended.
pub(crate) fn become_root(parent: Parent) -> io::Result<()> {
    match unshare(CloneFlags::CLONE_NEWNET) {
        Ok(()) => {
            keep_tables_small();
            return Ok(());
        }
        // Not root, or root of a container only.
        Err(Errno::EPERM) => {}
        Err(errno) => return Err(missing("no network namespace")(errno.into())),
    }
    let (uid, gid) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER).map_err(io::Error::from).map_err(missing("no user namespace"))?;
    // The kernel forgets it with the old credentials.
    parent.takes_along(Signal::SIGTERM)?;
    // user_namespaces(7): without this an unprivileged process may not map its group.
    fs::write("/proc/self/setgroups", "deny").map_err(missing("setgroups"))?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1")).map_err(missing("uid_map"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1")).map_err(missing("gid_map"))?;
    unshare(CloneFlags::CLONE_NEWNET).map_err(io::Error::from).map_err(missing("no network namespace"))?;
    keep_tables_small();
    Ok(())
}

/// Namespaces made from here have a table of sockets of their own: all the machine's would take milliseconds to look
/// through. Kernels before 6.1 cannot; they are slower, and that is all.
fn keep_tables_small() {
    _ = super::sysctl::write("net.ipv4.tcp_child_ehash_entries", "4096");
}

/// A host's kernel, as far as the network goes. Dropped, it is gone with all its connections, as soon as nothing
/// runs in it.
pub(crate) struct Namespace {
    handle: File,
    pub(crate) device: SyncDevice,
}

impl Namespace {
    /// A fresh namespace with one link, which has these addresses; this process is in it afterwards. On a shared segment
    /// the device carries Ethernet frames.
    pub(crate) fn new<'a>(
        addrs: &[IpAddr],
        mtu: usize,
        shares_segment: bool,
        settings: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> io::Result<Namespace> {
        unshare(CloneFlags::CLONE_NEWNET)
            .map_err(io::Error::from)
            .map_err(missing("no network namespace"))?;
        keep_tables_small();
        let handle = File::open("/proc/self/ns/net")?;
        // Before there is a link, so that nothing is sent but what the programs send.
        super::sysctl::write("net.ipv6.conf.default.accept_dad", "0")?;
        super::sysctl::write("net.ipv6.conf.default.router_solicitations", "0")?;
        // An address stays while its interface is off, as IPv4 has it.
        super::sysctl::write("net.ipv6.conf.default.keep_addr_on_down", "1")?;
        super::sysctl::set_memory()?;
        let (of_interface, of_host): (Vec<_>, Vec<_>) =
            settings.partition(|(key, _)| super::sysctl::is_of_interface(key));
        for (key, value) in of_host {
            super::sysctl::set(key, value)?;
        }
        // What a host tells itself goes over it: that a neighbour does not answer.
        interface::set(interface::LOOPBACK, true)?;
        let device = device(addrs, mtu, shares_segment).map_err(missing("no TUN device"))?;
        device.set_nonblocking(true)?;
        for (key, value) in of_interface {
            super::sysctl::set(key, value)?;
        }
        Ok(Namespace { handle, device })
    }

    /// Takes this process into it.
    pub(crate) fn enter(&self) -> io::Result<()> {
        Ok(setns(&self.handle, CloneFlags::CLONE_NEWNET)?)
    }
}

/// Everything is on the link: the router needs no route of its own.
fn device(addrs: &[IpAddr], mtu: usize, shares_segment: bool) -> io::Result<SyncDevice> {
    let mtu = u16::try_from(mtu).unwrap_or(u16::MAX);
    let builder = DeviceBuilder::new().name(interface::WIRE).mtu(mtu).packet_information(false);
    let builder = match addrs.first().filter(|_| shares_segment) {
        Some(addr) => builder.layer(Layer::L2).mac_addr(Mac::of(*addr).0),
        None => builder,
    };
    let builder = addrs.iter().fold(builder, |builder, addr| match addr {
        IpAddr::V4(addr) => builder.ipv4(*addr, 8, None),
        IpAddr::V6(addr) => builder.ipv6(*addr, 32),
    });
    builder.build_sync()
}
