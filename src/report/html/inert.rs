//! Text and data that a browser takes for nothing else.

use std::io::{self, Write};

/// Writes text between tags.
pub(super) fn text(out: &mut dyn Write, text: &str) -> io::Result<()> {
    for octet in text.bytes() {
        match octet {
            b'&' => out.write_all(b"&amp;")?,
            b'<' => out.write_all(b"&lt;")?,
            b'>' => out.write_all(b"&gt;")?,
            _ => out.write_all(&[octet])?,
        }
    }
    Ok(())
}

/// Takes JSON for the inside of a `script` element: no `<` is left, so nothing in it ends the element or opens a
/// comment. In JSON these characters stand in strings only, where an escape means the same.
pub(super) struct Json<W>(pub(super) W);

impl<W: Write> Write for Json<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut plain = 0;
        for (n, octet) in octets.iter().enumerate() {
            let escape: &[u8] = match octet {
                b'<' => br"\u003c",
                b'>' => br"\u003e",
                b'&' => br"\u0026",
                _ => continue,
            };
            self.0.write_all(&octets[plain..n])?;
            self.0.write_all(escape)?;
            plain = n + 1;
        }
        self.0.write_all(&octets[plain..])?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
