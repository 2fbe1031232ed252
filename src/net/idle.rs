//! Idle time, left out.
use super::host::Host;

impl Host {
    pub(super) async fn leave_out_idle_time(&self) {}
}
