//! A signal that ends the process gives the terminal back before.

use std::fs::File;
use std::io::{self, stdout};
use std::os::fd::AsFd;
use std::thread::{self, JoinHandle};

use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{LeaveAlternateScreen, disable_raw_mode};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;

use super::writer::keep;

/// Signals that end a process which does nothing about them. The keyboard sends none while the terminal is ours.
const FATAL: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// Waits for such a signal in a thread of its own, until it is dropped.
pub(super) struct Watch {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// When such a signal comes, the process ends of it with its terminal as it was.
    ///
    /// # Errors
    ///
    /// No descriptor or no thread is to be had.
    pub(super) fn start() -> io::Result<Watch> {
        // The debugger has standard output locked; a descriptor of one's own needs no lock.
        let terminal = File::from(stdout().as_fd().try_clone_to_owned()?);
        let mut signals = Signals::new(FATAL)?;
        let handle = signals.handle();
        let thread = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            if let Some(signal) = signals.forever().next() {
                // Until the end: nothing is drawn any more.
                let _mine = keep();
                give_back(terminal);
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

fn give_back(mut terminal: File) {
    // No one can be told: the terminal is what cannot be reached.
    _ = disable_raw_mode();
    _ = execute!(terminal, LeaveAlternateScreen, Show);
}
