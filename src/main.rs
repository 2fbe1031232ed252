//! The command `echosim`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut err = anstream::stderr().lock();
    #[cfg(target_os = "linux")]
    if closed::stdout_was_closed() {
        return echosim::cli::run(std::env::args_os(), &mut closed::Closed, &mut err);
    }
    // Both take the colours out where they could not be seen.
    let mut out = anstream::stdout().lock();
    echosim::cli::run(std::env::args_os(), &mut out, &mut err)
}

/// A standard output that is closed (`>&-`). The standard library opens `/dev/null` in its place before `main`, and a report
/// would be lost without a word.
#[cfg(target_os = "linux")]
mod closed {
    #![expect(unsafe_code, reason = "what is open can only be seen before the standard library starts")]

    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};

    use nix::libc;

    static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

    /// Run by the loader before anything of ours.
    // SAFETY: the section holds pointers to functions of this kind.
    #[used]
    #[unsafe(link_section = ".init_array")]
    static LOOK: extern "C" fn() = look;

    extern "C" fn look() {
        // SAFETY: the call takes numbers only; nothing of the standard library is used before its time.
        let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
        WAS_CLOSED.store(flags < 0, Ordering::Relaxed);
    }

    pub(super) fn stdout_was_closed() -> bool {
        WAS_CLOSED.load(Ordering::Relaxed)
    }

    /// What says so at the first word.
    pub(super) struct Closed;

    impl io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(nix::errno::Errno::EBADF.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
