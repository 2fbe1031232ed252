//! A host's first use of a socket: then it has a stack, and a driver for it.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::clock::Clock;
use super::driver;
use super::host::{AttachedHost, outside};
use super::network::Network;

impl AttachedHost {
    /// The stack of the host that is running; it attaches now if it has not yet. `hint` is any address of the
    /// family that the caller is about to use.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Unsupported`] outside a turmoil host.
    pub(super) fn current(hint: IpAddr) -> io::Result<Arc<AttachedHost>> {
        let runtime = Handle::try_current().map_err(|_| outside())?.id();
        if let Some(host) = AttachedHost::of_runtime(runtime) {
            return Ok(host);
        }
        turmoil::sim_elapsed().ok_or_else(outside)?;
        let network = Network::of_running_host();
        let clock = Clock::here(network.lock().skipped).ok_or_else(outside)?;
        let host = Arc::new(AttachedHost::new(clock, network));
        driver::start(host.clone(), hint)?;
        host.settle();
        Ok(host)
    }
}
