//! A signal that ends the process does something before.

use std::io;
use std::thread::{self, JoinHandle};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;

/// Signals that end a process which does nothing about them. The keyboard sends none while the terminal is ours.
const FATAL: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// Waits for such a signal in a thread of its own, until it is dropped.
pub(super) struct Watch {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// `before` is done when such a signal comes; then the process ends of it, as if nobody had waited.
    ///
    /// # Errors
    ///
    /// There is no pipe or no thread to be had.
    pub(super) fn start(before: fn()) -> io::Result<Watch> {
        let mut signals = Signals::new(FATAL)?;
        let handle = signals.handle();
        let thread = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            if let Some(signal) = signals.forever().next() {
                before();
                // It only fails for signals that do not exist.
                _ = emulate_default_handler(signal);
            }
        })?;
        Ok(Watch { handle, thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            // It has nothing to say.
            _ = thread.join();
        }
    }
}
