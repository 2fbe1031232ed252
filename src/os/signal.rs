//! Signals and sets of them.

use std::fmt;
use std::ops::BitOr;

macro_rules! signals {
    ($($name:ident = $number:literal, $meaning:literal;)*) => {
        /// A signal, under its POSIX name and with Linux's number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Signal { $(#[doc = $meaning] $name = $number,)* }

        impl Signal {
            /// Every signal there is here, by number.
            pub const ALL: &[Signal] = &[$(Signal::$name,)*];

            /// The POSIX name, `"SIGCHLD"`.
            pub const fn name(self) -> &'static str {
                match self { $(Signal::$name => stringify!($name),)* }
            }

            /// The signal of this name, with or without its `SIG`.
            pub fn from_name(name: &str) -> Option<Signal> {
                Signal::ALL.iter().copied().find(|s| s.name() == name || &s.name()[3..] == name)
            }
        }
    };
}

signals! {
    SIGHUP = 1, "Hangup of the terminal.";
    SIGINT = 2, "Interrupt from the keyboard.";
    SIGQUIT = 3, "Quit from the keyboard.";
    SIGKILL = 9, "Kill; can be neither caught, blocked nor ignored.";
    SIGUSR1 = 10, "For the program's own use.";
    SIGUSR2 = 12, "For the program's own use.";
    SIGPIPE = 13, "A write that nobody will read (UNP 5.13).";
    SIGALRM = 14, "A timer of the program.";
    SIGTERM = 15, "Please end: what `kill` and a shutdown send first (UNP 5.16).";
    SIGCHLD = 17, "A child has ended (UNP 5.8), was stopped or goes on.";
    SIGCONT = 18, "Go on, if stopped.";
    SIGSTOP = 19, "Stop; can be neither caught, blocked nor ignored.";
    SIGURG = 23, "Urgent data on a socket.";
}

impl Signal {
    /// The number, as C has it.
    pub const fn raw(self) -> i32 {
        self as i32
    }

    /// Whether its default action is to do nothing, besides what SIGCONT does whatever is said; that of the others is to end
    /// the process, or to stop it.
    pub const fn is_ignored_by_default(self) -> bool {
        matches!(self, Signal::SIGCHLD | Signal::SIGURG | Signal::SIGCONT)
    }

    /// Whether a process has no say in what it does.
    pub const fn is_absolute(self) -> bool {
        matches!(self, Signal::SIGKILL | Signal::SIGSTOP)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A set of signals (`sigset_t`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignalSet(u32);

impl SignalSet {
    /// `sigemptyset`.
    pub const EMPTY: SignalSet = SignalSet(0);
    /// `sigfillset`.
    pub const FULL: SignalSet = SignalSet(u32::MAX);

    /// The signals whose bits are set: bit n for signal n.
    pub const fn from_bits(bits: u32) -> SignalSet {
        SignalSet(bits)
    }

    /// Bit n for signal n.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Just this one.
    pub const fn of(signal: Signal) -> SignalSet {
        SignalSet(1 << signal as u32)
    }

    /// `sigismember`.
    pub const fn has(self, signal: Signal) -> bool {
        self.0 & SignalSet::of(signal).0 != 0
    }

    /// `sigaddset`.
    pub const fn with(self, signal: Signal) -> SignalSet {
        SignalSet(self.0 | SignalSet::of(signal).0)
    }

    /// `sigdelset`.
    pub const fn without(self, signal: Signal) -> SignalSet {
        SignalSet(self.0 & !SignalSet::of(signal).0)
    }

    /// These but not those of `other`.
    pub const fn minus(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 & !other.0)
    }

    /// Its members, by number.
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        Signal::ALL.iter().copied().filter(move |signal| self.has(*signal))
    }
}

impl BitOr for SignalSet {
    type Output = SignalSet;

    fn bitor(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_signal_again() {
        for &signal in Signal::ALL {
            assert_eq!(Signal::from_name(signal.name()), Some(signal));
            assert_eq!(Signal::from_name(signal.name().trim_start_matches("SIG")), Some(signal));
        }
        assert_eq!(Signal::from_name("SIGFPE"), None);
        assert_eq!(Signal::from_name("é"), None);
    }

    #[test]
    fn a_set_holds_what_was_added_and_not_removed() {
        let set = SignalSet::EMPTY.with(Signal::SIGTERM).with(Signal::SIGCHLD).without(Signal::SIGTERM);
        assert_eq!(set, SignalSet::of(Signal::SIGCHLD));
        assert_eq!(SignalSet::FULL.minus(set).iter().count(), Signal::ALL.len() - 1);
    }
}
