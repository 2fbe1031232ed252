//! Delayed acknowledgment (RFC 1122, 4.2.3.2; RFC 5681, 4.2), as Berkeley has it.

use super::context::Context;
use super::timer_table::{Timer, TimerTable};

/// An acknowledgment may wait: starts the timer, unless another one waits already, for of two the second is sent at once.
/// Returns whether it waits.
pub(crate) fn delay_acknowledgment(cx: &Context<'_>, timers: &mut TimerTable) -> bool {
    let waits = !timers.is_running(Timer::DelayedAck);
    if waits {
        timers.set(Timer::DelayedAck, cx.after(cx.profile.ack.delay));
    } else {
        timers.stop(Timer::DelayedAck);
    }
    waits
}
