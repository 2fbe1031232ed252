//! Pictures of a run: in the terminal, and into files.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use ratatui::crossterm::terminal;

use crate::report::{self, Palette, RunInfo, Terminal};
use crate::sim::History;
use crate::timeline::Event;

/// Which pictures are asked for; several may be.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Pictures {
    /// Draw the textbook's ladder of segments in the terminal
    #[arg(long)]
    pub(super) ladder: bool,

    /// Write the ladder as a Mermaid diagram
    #[arg(long, value_name = "FILE")]
    mermaid: Option<PathBuf>,

    /// Write the ladder as a picture
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Write a page to go back and forth in
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write the packets for Wireshark, with an interface for each host
    ///
    /// Each packet is there once, on its sender's interface, when it left; an ICMP error is there when it came.
    /// (Wireshark would take the second sight of a packet for a retransmission.) --pcapng-host shows one side.
    #[arg(long, value_name = "FILE")]
    pcapng: Option<PathBuf>,

    /// The one host whose packets are written: those that left it, and those that came to it
    #[arg(long, value_name = "HOST", requires = "pcapng")]
    pub(super) pcapng_host: Option<String>,
}

impl Pictures {
    /// Whether the hosts have to be looked into while the run goes on.
    pub(super) fn want_history(&self) -> bool {
        self.html.is_some()
    }

    /// Whether all events have to be there at once. Packets can be written while the run goes on.
    pub(super) fn want_events(&self) -> bool {
        self.ladder || [&self.mermaid, &self.svg, &self.html].iter().any(|file| file.is_some())
    }

    /// The file for packets, if one is asked for.
    pub(super) fn pcapng(&self) -> Option<&Path> {
        self.pcapng.as_deref()
    }

    /// What is asked for that shows the insides of hosts.
    pub(super) fn of_history(&self) -> Option<&'static str> {
        self.html.is_some().then_some("--html")
    }

    /// What is asked for that shows packets and little else.
    pub(super) fn of_packets(&self) -> Option<&'static str> {
        let asked = [
            (self.ladder, "--ladder"),
            (self.mermaid.is_some(), "--mermaid"),
            (self.svg.is_some(), "--svg"),
            (self.pcapng.is_some(), "--pcapng"),
        ];
        asked.into_iter().find(|(is_asked, _)| *is_asked).map(|(_, name)| name)
    }

    /// Draws the ladder and writes the files. A file that cannot be written is named in the error.
    pub(super) fn draw(
        &self,
        info: &RunInfo,
        events: &[Event],
        history: &History,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if self.ladder {
            report::ladder(out, info, events, &this_terminal())?;
        }
        write(self.mermaid.as_deref(), |out| report::mermaid(out, info, events))?;
        write(self.svg.as_deref(), |out| report::svg(out, info, events))?;
        write(self.html.as_deref(), |out| report::html(out, info, events, history))?;
        write(self.pcapng.as_deref(), |out| report::pcapng(out, info, events, self.pcapng_host.as_deref()))
    }
}

/// Writes a report to a file, if one is asked for.
pub(super) fn write(
    file: Option<&Path>,
    report: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let Some(file) = file else { return Ok(()) };
    // Of another kind, so that a file behind a closed pipe is not taken for a reader that has gone.
    report::to_file(file, report).map_err(|error| io::Error::other(format!("{}: {error}", file.display())))
}

/// As wide as it is if it is one, and in ASCII where the locale is not UTF-8's.
fn this_terminal() -> Terminal {
    let plain = Terminal::default();
    let width = match terminal::size() {
        Ok((columns, _)) if io::stdout().is_terminal() => usize::from(columns).max(plain.width),
        _ => plain.width,
    };
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let utf8 = locale.is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    // What is no terminal has the colours taken out by the writer.
    Terminal { width, ascii: !utf8, palette: Palette::COLOUR }
}
