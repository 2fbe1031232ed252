//! Who writes to the terminal: a signal may come in the middle of a drawing, which would hide the cursor again that was given
//! back.

use std::sync::{Mutex, MutexGuard, PoisonError};

static TERMINAL: Mutex<()> = Mutex::new(());

/// Keeps others from writing to the terminal.
pub(super) fn keep() -> MutexGuard<'static, ()> {
    // A panic in a drawing leaves nothing to be mended here.
    TERMINAL.lock().unwrap_or_else(PoisonError::into_inner)
}
