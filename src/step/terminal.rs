//! The terminal, taken and given back.

use std::io::{IsTerminal, stdin, stdout};

use ratatui::DefaultTerminal;

use super::StepError;
#[cfg(unix)]
use super::signals::Watch;
use super::writer::keep;

/// Gives the terminal back when it goes, by whatever way.
struct Loan;

impl Drop for Loan {
    fn drop(&mut self) {
        // No one can be told: the terminal is what cannot be reached.
        _ = ratatui::try_restore();
    }
}

/// Lets `work` have the whole terminal, key by key. It is given back as it was, even if `work` panics: then before
/// the panic's message, which would be lost otherwise. A signal that ends the process gives it back, too.
///
/// # Errors
///
/// There is no terminal, or it cannot be taken.
pub fn on_terminal<R>(work: impl FnOnce(&mut DefaultTerminal) -> R) -> Result<R, StepError> {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return Err(StepError::NoTerminal);
    }
    // Before it is taken, as it may be taken by halves. The hook for panics is set with it.
    let _loan = Loan;
    #[cfg(unix)]
    let _watch = Watch::start()?;
    let mine = keep();
    let mut terminal = ratatui::try_init()?;
    drop(mine);
    Ok(work(&mut terminal))
}
