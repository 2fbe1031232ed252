//! One line of the page: characters with their colours.

use std::fmt;

use anstyle::Style;

/// A row of cells, written into from anywhere.
#[derive(Clone, Debug)]
pub(super) struct Line(Vec<(char, Style)>);

impl Line {
    pub(super) fn blank(width: usize) -> Line {
        Line(vec![(' ', Style::new()); width])
    }

    pub(super) fn put(&mut self, at: usize, c: char, style: Style) {
        if let Some(cell) = self.0.get_mut(at) {
            *cell = (c, style);
        }
    }

    /// Writes from `at` to the right; what has no room is cut.
    pub(super) fn write(&mut self, at: usize, text: &str, style: Style) {
        for (n, c) in text.chars().enumerate() {
            self.put(at + n, c, style);
        }
    }

    /// Fills `from..to`.
    pub(super) fn fill(&mut self, from: usize, to: usize, c: char, style: Style) {
        (from..to).for_each(|at| self.put(at, c, style));
    }
}

/// Neighbours of one colour share its escape sequences; nothing stands behind the last visible character.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.iter().rposition(|(c, _)| *c != ' ').map_or(0, |last| last + 1);
        let mut current = Style::new();
        for (c, style) in &self.0[..end] {
            if *style != current {
                write!(f, "{current:#}{style}{c}")?;
                current = *style;
            } else {
                write!(f, "{c}")?;
            }
        }
        write!(f, "{current:#}")
    }
}
