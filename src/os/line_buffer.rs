//! What a process prints, cut into lines for the timeline.

/// What a process printed, until it makes a line.
#[derive(Debug, Default)]
pub(in crate::os) struct LineBuffer {
    partial: Vec<u8>,
}

impl LineBuffer {
    /// A line longer than this is noted in pieces of so many octets.
    const LIMIT: usize = 1 << 16;

    /// Adds what was printed; returns the lines that it completes, without their newlines.
    pub(in crate::os) fn push(&mut self, mut printed: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(newline) = printed.iter().position(|&octet| octet == b'\n') {
            self.partial.extend_from_slice(&printed[..newline]);
            lines.extend(self.take());
            printed = &printed[newline + 1..];
        }
        self.partial.extend_from_slice(printed);
        if self.partial.len() >= Self::LIMIT {
            lines.extend(self.finish());
        }
        lines
    }

    /// The last line, if it has no newline.
    pub(in crate::os) fn finish(&mut self) -> Option<String> {
        if self.partial.is_empty() { None } else { self.take() }
    }

    fn take(&mut self) -> Option<String> {
        let line = String::from_utf8_lossy(&self.partial).into_owned();
        self.partial.clear();
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_noted_when_its_newline_comes() {
        let mut buffer = LineBuffer::default();
        assert!(buffer.push(b"hel").is_empty());
        assert_eq!(buffer.push(b"lo\n\nworld"), ["hello", ""]);
        assert_eq!(buffer.finish().as_deref(), Some("world"));
        assert_eq!(buffer.finish(), None);
    }
}
