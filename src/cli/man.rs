//! The manual page: the options, then every subcommand with its own.

use std::io::{self, Write};

use clap::Command;
use clap_mangen::Man;

/// Writes the page of `command` in roff.
pub(super) fn page(mut command: Command, out: &mut dyn Write) -> io::Result<()> {
    command.build();
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    for subcommand in command.get_subcommands().filter(|it| it.get_name() != "help") {
        section(subcommand, &mut page)?;
    }
    man.render_extra_section(&mut page)?;
    man.render_version_section(&mut page)?;
    out.write_all(&page)
}

/// A subcommand as one section: what would be the sections of a page of its own is under it.
fn section(subcommand: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let man = Man::new(subcommand.clone());
    let mut parts = Vec::new();
    man.render_synopsis_section(&mut parts)?;
    man.render_description_section(&mut parts)?;
    if subcommand.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut parts)?;
    }
    writeln!(page, ".SH \"ECHOSIM {}\"", subcommand.get_name().to_uppercase())?;
    let parts = String::from_utf8_lossy(&parts).replace("\n.SH ", "\n.SS ");
    page.write_all(parts.strip_prefix(".SH ").map_or(parts.clone(), |rest| format!(".SS {rest}")).as_bytes())
}
