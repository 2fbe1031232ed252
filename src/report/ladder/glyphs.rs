//! What lines are made of.

/// The characters of a ladder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glyphs {
    pub(super) lifeline: char,
    pub(super) line: char,
    pub(super) crossing: char,
    /// Where an arrow begins, to the right and to the left.
    pub(super) begin: [char; 2],
    /// Its head, likewise.
    pub(super) head: [char; 2],
    pub(super) lost: char,
    pub(super) fault: char,
    pub(super) silence: char,
    pub(super) times: &'static str,
    pub(super) ellipsis: &'static str,
}

impl Glyphs {
    pub(super) const UNICODE: Glyphs = Glyphs {
        lifeline: '│',
        line: '─',
        crossing: '┼',
        begin: ['├', '┤'],
        head: ['▶', '◀'],
        lost: '✗',
        fault: '╌',
        silence: '⋮',
        times: "×",
        ellipsis: "…",
    };

    pub(super) const ASCII: Glyphs = Glyphs {
        lifeline: '|',
        line: '-',
        crossing: '+',
        begin: ['|', '|'],
        head: ['>', '<'],
        lost: 'X',
        fault: '=',
        silence: ':',
        times: "x",
        ellipsis: "...",
    };
}
