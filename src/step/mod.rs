//! `echosim step`: a debugger for a run, in the terminal.
//!
//! A run is its seed, so it is run to its end at once, its history kept; to step back is to look at an earlier
//! event of the same run. What is on the screen is a function of the [`Debugger`], which is a function of the keys
//! that were pressed.
//!
//! | file | what |
//! | --- | --- |
//! | `session.rs` | the run: events, their lines, and the history of its hosts |
//! | `breakpoint.rs` | which events stop a run |
//! | `command.rs` | what is typed behind the colon |
//! | `debugger.rs` | the state, and what a key does to it |
//! | `draw/` | the state as panes |
//! | `terminal.rs` | the terminal, taken and given back |
//! | `writer.rs` | who writes to it |
//! | `signals.rs` | a signal that ends the process gives the terminal back before |

mod breakpoint;
mod command;
mod debugger;
mod draw;
mod session;
#[cfg(unix)]
mod signals;
mod terminal;
mod writer;

use std::io;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event as Input};
use thiserror::Error;

use crate::report::RunInfo;
use crate::scenario::{RunError, Scenario};
pub use breakpoint::{Breakpoint, Unfit};
pub use command::Command;
pub use debugger::{Debugger, Mode};
pub use draw::draw;
pub use session::Session;
pub use terminal::on_terminal;

/// Why there is nothing to step through, or nothing to see it on.
#[derive(Debug, Error)]
pub enum StepError {
    /// The run could not be finished.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Standard input or output is no terminal.
    #[error("step needs a terminal; --trace writes the same run into a pipe or a file")]
    NoTerminal,
    /// The terminal cannot be read or written.
    #[error("the terminal: {0}")]
    Terminal(#[from] io::Error),
}

/// Runs the scenario and lets the user step through it until they have seen enough.
///
/// The terminal is given back as it was, whatever happens.
///
/// # Errors
///
/// A run that cannot be finished, or trouble with the terminal.
pub fn run(info: &RunInfo, scenario: &Scenario) -> Result<(), StepError> {
    let session = Session::new(info, scenario)?;
    on_terminal(|terminal| {
        let mut debugger = Debugger::new(&session);
        // From the first look at the events on a resize is one of them: from before the first drawing, that is.
        event::poll(Duration::ZERO)?;
        while !debugger.is_done() {
            let mine = writer::keep();
            terminal.draw(|frame| draw(frame, &debugger))?;
            drop(mine);
            // All else (a resize, the focus) asks for no more than a drawing.
            if let Input::Key(key) = event::read()?
                && key.is_press()
            {
                debugger.press(key);
            }
        }
        Ok(())
    })?
}

#[cfg(test)]
mod tests;
