//! `--svg FILE`: the ladder as a picture for documents.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `layout` | where everything stands: time downwards, to scale where it can be |
//! | `draw` | what it looks like |
//! | `style` | its colours and type, by day and by night |

mod draw;
mod layout;
mod style;

use std::io::{self, Write};

use self::draw::Drawing;
use self::layout::Layout;
use super::RunInfo;
use super::sequence::Sequence;
use crate::timeline::Event;

/// More arrows than this make a picture too long to look at.
const ARROWS: usize = 300;

/// Draws the run as a picture that stands alone: text as text, no script, nothing from elsewhere, light or dark as
/// the reader's system has it.
///
/// Time runs downwards and to scale, so that arrows slope as long as packets travel; silences and repetitions are
/// folded, and moments at which much happens have the room for it.
///
/// # Errors
///
/// What `out` says.
pub fn svg(out: &mut dyn Write, run: &RunInfo, events: &[Event]) -> io::Result<()> {
    let sequence = Sequence::of(events).at_most(ARROWS);
    let layout = Layout::of(&sequence);
    Drawing { layout: &layout, columns: &sequence.columns }.write(out, run)
}
