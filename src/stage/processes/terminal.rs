//! The standard input of a process: a terminal that the scenario types at, or a file.

use std::fs::File;
use std::io::{self, ErrorKind, Seek, Write};
use std::os::fd::OwnedFd;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::pty::openpty;
use nix::sys::termios::{
    InputFlags, LocalFlags, SetArg, SpecialCharacterIndices as Special, tcgetattr, tcsetattr,
};

use crate::scenario::{Input, Typed};

/// Control-D, as the line discipline has it unless told otherwise.
const EOF: u8 = 4;
/// Octets of a line that a terminal takes, without its newline: N_TTY's buffer has 4096; elsewhere POSIX's MAX_CANON
/// may be no more than 255.
const LONGEST_LINE: usize = if cfg!(target_os = "linux") { 4094 } else { 254 };

/// Our end of a process's standard input.
pub(super) struct Terminal {
    /// `None` of a file, and after the end of a pipe.
    line: Option<File>,
    is_terminal: bool,
    typed: Vec<u8>,
    hung_up: bool,
}

impl Terminal {
    /// The end that the process reads from, and ours.
    ///
    /// A pseudo-terminal, whose line discipline gives out a line at a time and Control-D as the end of the file; but
    /// a pipe where the system has none left, and for lines that no terminal takes.
    ///
    /// `file` is what the file holds that is read instead, `typed` is what will be typed.
    pub(super) fn new(file: Option<&[u8]>, typed: &[Typed]) -> io::Result<(OwnedFd, Terminal)> {
        let ours = |line, is_terminal| Terminal { line, is_terminal, typed: Vec::new(), hung_up: false };
        if let Some(octets) = file {
            return Ok((nameless_file(octets)?, ours(None, false)));
        }
        let (theirs, line, is_terminal) = match typed.iter().all(can_be_typed).then(pseudo_terminal) {
            Some(Ok((slave, master))) => (slave, master, true),
            Some(Err(_)) | None => {
                let (reader, writer) = nix::unistd::pipe()?;
                (reader, writer, false)
            }
        };
        fcntl(&line, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok((theirs, ours(Some(line.into()), is_terminal)))
    }

    pub(super) fn type_line(&mut self, line: &str) {
        self.typed.extend(line.as_bytes());
        self.typed.push(b'\n');
        self.flush();
    }

    /// Control-D. To a pipe that is the end of everything.
    pub(super) fn type_eof(&mut self) {
        if self.is_terminal {
            self.typed.push(EOF);
        } else {
            self.hung_up = true;
        }
        self.flush();
    }

    /// Gives the process what the terminal takes; true if something is left.
    pub(super) fn flush(&mut self) -> bool {
        if let Some(line) = &mut self.line {
            match line.write(&self.typed) {
                Ok(len) => _ = self.typed.drain(..len),
                // A process that ends interrupts us. What is left goes at the next flush.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(_) => self.typed.clear(), // nothing reads from it any more
            }
        }
        if self.hung_up && self.typed.is_empty() {
            self.line = None;
        }
        self.line.is_some() && !self.typed.is_empty()
    }
}

fn can_be_typed(typed: &Typed) -> bool {
    match &typed.what {
        Input::Line(line) => line.len() <= LONGEST_LINE && !line.as_bytes().contains(&EOF),
        Input::Eof => true,
    }
}

/// A pseudo-terminal that edits nothing, echoes nothing and makes no signals: lines and Control-D are all it knows.
fn pseudo_terminal() -> nix::Result<(OwnedFd, OwnedFd)> {
    let pair = openpty(None, None)?;
    let mut termios = tcgetattr(&pair.slave)?;
    termios.input_flags = InputFlags::empty();
    termios.local_flags = LocalFlags::ICANON;
    for key in [Special::VERASE, Special::VKILL, Special::VEOL, Special::VEOL2] {
        termios.control_chars[key as usize] = nix::libc::_POSIX_VDISABLE;
    }
    termios.control_chars[Special::VEOF as usize] = EOF;
    tcsetattr(&pair.slave, SetArg::TCSANOW, &termios)?;
    Ok((pair.slave, pair.master))
}

/// A file whose name has been removed.
fn nameless_file(octets: &[u8]) -> io::Result<OwnedFd> {
    let mut file = tempfile::tempfile()?;
    file.write_all(octets)?;
    file.rewind()?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::time::SimTime;

    fn line(text: String) -> Typed {
        Typed { at: SimTime::ZERO, what: Input::Line(text) }
    }

    #[test]
    fn a_terminal_gives_out_a_line_at_a_time_and_control_d_once() {
        let (theirs, mut terminal) = Terminal::new(None, &[]).unwrap();
        assert!(terminal.is_terminal);
        let longest = "x".repeat(LONGEST_LINE);
        // Every character that edits a line or sends a signal by default; all but Control-D are ordinary here.
        let odd = "\u{3}\u{7f}\u{15}\u{16}\u{17}\r\u{11}\u{13}\u{1a}\u{1c}\0";
        let mut theirs = File::from(theirs);
        let mut buf = [0; 8192];
        for text in ["hello", odd, &longest] {
            terminal.type_line(text);
            terminal.type_eof();
            terminal.type_line("next");
            let len = theirs.read(&mut buf).unwrap();
            assert_eq!(buf[..len], *format!("{text}\n").as_bytes());
            assert_eq!(theirs.read(&mut buf).unwrap(), 0);
            assert_eq!(theirs.read(&mut buf).unwrap(), 5);
        }
    }

    #[test]
    fn what_no_terminal_takes_comes_by_a_pipe() {
        for text in ["x".repeat(LONGEST_LINE + 1), "\u{4}".to_owned()] {
            let (theirs, mut terminal) = Terminal::new(None, &[line(text.clone())]).unwrap();
            assert!(!terminal.is_terminal);
            terminal.type_line(&text);
            terminal.type_eof();
            let mut all = String::new();
            File::from(theirs).read_to_string(&mut all).unwrap();
            assert_eq!(all, text + "\n");
        }
    }

    #[test]
    fn a_file_is_read_from_its_beginning_to_its_end() {
        let (theirs, _) = Terminal::new(Some(b"one\ntwo\n"), &[]).unwrap();
        let mut all = String::new();
        File::from(theirs).read_to_string(&mut all).unwrap();
        assert_eq!(all, "one\ntwo\n");
    }
}
