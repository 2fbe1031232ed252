//! `--html`: the run as one page that needs nothing but a browser.
//!
//! The page is a template with its style and its script inside, and the run as a table of numbers, which the
//! script draws. What the run says is text to the page, never markup.
//!
//! | file | what |
//! | --- | --- |
//! | `table.rs` | the run as rows of numbers and a list of words |
//! | `row.rs`, `number.rs` | an event as such a row; times and texts as numbers |
//! | `fold.rs` | what repeats itself |
//! | `host_rows.rs` | hosts between the events: the history as rows of numbers |
//! | `inert.rs` | text and data that a browser takes for nothing else |
//! | `page.html`, `page.css`, `script/` | the page |

mod fold;
mod host_rows;
mod inert;
mod number;
mod row;
mod table;

use std::io::{self, Write};

use super::RunInfo;
use crate::sim::History;
use crate::timeline::Event;
use table::Table;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// The script, in the order it is read in.
const SCRIPT: [&str; 7] = [
    include_str!("script/run.js"),
    include_str!("script/words.js"),
    include_str!("script/moment.js"),
    include_str!("script/layout.js"),
    include_str!("script/ladder.js"),
    include_str!("script/panel.js"),
    include_str!("script/page.js"),
];

/// Writes the run as a page. What it shows of hosts between two events is in `history`.
///
/// # Errors
///
/// What `out` says.
pub fn html(out: &mut dyn Write, run: &RunInfo, events: &[Event], history: &History) -> io::Result<()> {
    let table = Table::new(run, events, history);
    let mut rest = PAGE;
    while let Some((before, mark)) = rest.split_once("{{") {
        let (mark, after) = mark.split_once("}}").expect("the template closes its marks");
        out.write_all(before.as_bytes())?;
        match mark {
            "scenario" => inert::text(out, &run.scenario)?,
            "style" => out.write_all(STYLE.as_bytes())?,
            "run" => serde_json::to_writer(inert::Json(&mut *out), &table)?,
            "script" => SCRIPT.iter().try_for_each(|part| out.write_all(part.as_bytes()))?,
            mark => unreachable!("the template has no mark {mark}"),
        }
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

#[cfg(test)]
mod tests;
