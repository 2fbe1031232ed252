//! `--ladder`: the textbook picture, for a terminal.

mod arrow;
mod glyphs;
mod line;
mod page;

use std::io::{self, Write};

use self::page::Page;
use super::sequence::Sequence;
use super::{Palette, RunInfo, wording};
use crate::timeline::Event;

/// What a ladder is drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terminal {
    /// How many columns it has. Hosts stand as far apart as that allows, up to a point.
    pub width: usize,
    /// Whether it shows nothing but ASCII.
    pub ascii: bool,
    /// The colours to use.
    pub palette: Palette,
}

impl Default for Terminal {
    /// Eighty columns of UTF-8, no colours.
    fn default() -> Terminal {
        Terminal { width: 80, ascii: false, palette: Palette::PLAIN }
    }
}

impl Terminal {
    /// The same with this many columns.
    #[must_use]
    pub fn with_width(self, width: usize) -> Terminal {
        Terminal { width, ..self }
    }

    /// The same with nothing but ASCII.
    #[must_use]
    pub fn in_ascii(self) -> Terminal {
        Terminal { ascii: true, ..self }
    }

    /// The same in these colours.
    #[must_use]
    pub fn with_palette(self, palette: Palette) -> Terminal {
        Terminal { palette, ..self }
    }
}

/// Draws the run: a lifeline a host, an arrow a packet at the time it was sent, a lost one broken where it was lost.
///
/// What a host did stands at its lifeline, which is gone while the host is down. Waits and repetitions are folded.
/// The picture is as wide as the terminal, unless there are too many hosts for that.
///
/// # Errors
///
/// What `out` says.
pub fn ladder(out: &mut dyn Write, run: &RunInfo, events: &[Event], terminal: &Terminal) -> io::Result<()> {
    let sequence = Sequence::of(events);
    let mut page = Page::new(&sequence, terminal);
    if !run.sentence.is_empty() {
        for line in wording::wrapped(&wording::printable(&run.sentence), terminal.width.max(40) - 2) {
            writeln!(out, "# {}", page.plain(&line))?;
        }
    }
    writeln!(out, "{}\n", page.plain(&format!("# {}", wording::printable(&run.command()))))?;
    writeln!(out, "{}", page.head())?;
    for row in &sequence.rows {
        for line in page.row(row) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}
