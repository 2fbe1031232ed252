//! Terminals: lines typed come in whole.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

/// What was typed at a terminal and not yet read, as the line discipline gives it out (`ICANON`).
#[derive(Debug, Default)]
pub(super) struct Terminal {
    /// Lines, each with its newline; an empty one is the end of the file, Control-D.
    typed: VecDeque<Bytes>,
}

impl Terminal {
    pub(super) fn type_line(&mut self, line: &str) {
        self.typed.push_back(format!("{line}\n").into());
    }

    pub(super) fn type_eof(&mut self) {
        self.typed.push_back(Bytes::new());
    }

    /// Reads at most one line; `None` if none has been typed.
    pub(super) fn read(&mut self, buf: &mut [u8]) -> Option<usize> {
        let line = self.typed.front_mut()?;
        let len = line.len().min(buf.len());
        line.copy_to_slice(&mut buf[..len]);
        if line.is_empty() {
            self.typed.pop_front();
        }
        Some(len)
    }

    pub(super) fn is_readable(&self) -> bool {
        !self.typed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_gives_one_line_however_large_its_buffer() {
        let mut terminal = Terminal::default();
        terminal.type_line("one");
        terminal.type_line("two");
        let mut buf = [0; 64];
        assert_eq!(terminal.read(&mut buf), Some(4));
        assert_eq!(&buf[..4], b"one\n");
    }

    #[test]
    fn a_small_buffer_gets_the_line_in_pieces_and_no_end_of_file_after_it() {
        let mut terminal = Terminal::default();
        terminal.type_line("abcde");
        let mut buf = [0; 3];
        assert_eq!(terminal.read(&mut buf), Some(3));
        assert_eq!(terminal.read(&mut buf), Some(3));
        assert_eq!(terminal.read(&mut buf), None);
    }

    #[test]
    fn control_d_is_read_once() {
        let mut terminal = Terminal::default();
        terminal.type_eof();
        assert_eq!(terminal.read(&mut [0; 3]), Some(0));
        assert!(!terminal.is_readable());
    }
}
