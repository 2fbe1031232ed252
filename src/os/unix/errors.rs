//! The system's error numbers, by name: those differ from system to system, names do not.

use std::io;

use crate::os::Errno;

/// Our name for the system's error. What no call here should give is `EIO`.
pub(super) fn errno(error: nix::errno::Errno) -> Errno {
    match error {
        // The two that are no rarity.
        nix::errno::Errno::EAGAIN => Errno::EAGAIN,
        nix::errno::Errno::EINTR => Errno::EINTR,
        error => Errno::from_name(&format!("{error:?}")).unwrap_or(Errno::EIO),
    }
}

/// The same of an error from the standard library.
pub(crate) fn io_errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, |number| errno(nix::errno::Errno::from_raw(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_their_names() {
        use nix::errno::Errno as Native;
        assert_eq!(errno(Native::ECONNRESET), Errno::ECONNRESET);
        assert_eq!(errno(Native::ETIMEDOUT), Errno::ETIMEDOUT);
        assert_eq!(errno(Native::EXDEV), Errno::EIO, "not among ours");
    }
}
