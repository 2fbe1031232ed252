//! Which colours make an errno, a fault or a loss stand out.

use anstyle::{AnsiColor, Style};

/// The colours of a text report, by what they are for.
///
/// Whether to use any is the caller's to know: a terminal may, a file may not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Palette {
    /// An error a program was given: `-1 ECONNRESET (…)`, a signal that killed it.
    pub errno: Style,
    /// A fault of the scenario.
    pub fault: Style,
    /// A lost packet's reason.
    pub lost: Style,
    /// An ICMP error.
    pub icmp: Style,
    /// Behind a segment: `retransmission 3/12`, `keepalive`.
    pub note: Style,
}

impl Palette {
    /// No colour: not one escape sequence is written.
    pub const PLAIN: Palette = Palette {
        errno: Style::new(),
        fault: Style::new(),
        lost: Style::new(),
        icmp: Style::new(),
        note: Style::new(),
    };

    /// The eight colours every terminal has, so that its own theme decides on the shade.
    pub const COLOUR: Palette = Palette {
        errno: AnsiColor::Red.on_default().bold(),
        fault: AnsiColor::Magenta.on_default().bold(),
        lost: AnsiColor::Red.on_default(),
        icmp: AnsiColor::Yellow.on_default(),
        note: AnsiColor::Yellow.on_default(),
    };
}

/// `text` between the escape sequences of `style`; there are none in a plain one.
pub(super) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
