//! `--ps`: every host's processes at one moment, as `ps -o pid,ppid,stat,wchan,comm` shows them.

use std::io::{self, Write};
use std::sync::Arc;

use crate::os::sim::{ProcessInfo, ProcessState, Wchan};
use crate::time::SimTime;

/// Writes every host's processes as they are at `t`.
///
/// WCHAN is the kernel function that a process sleeps in, by its name on a Linux of today and by the one in UNP
/// 5.6; IN is the book's function that made the call. A host that is down has `None`.
///
/// # Errors
///
/// What `out` says.
pub fn ps(out: &mut dyn Write, t: SimTime, hosts: &[(Arc<str>, Option<Vec<ProcessInfo>>)]) -> io::Result<()> {
    let widths = widths(hosts);
    for (nth, (host, processes)) in hosts.iter().enumerate() {
        if nth > 0 {
            writeln!(out)?;
        }
        match processes.as_deref() {
            None => writeln!(out, "{host} at {t}: down")?,
            Some([]) => writeln!(out, "{host} at {t}: no processes")?,
            Some(processes) => {
                writeln!(out, "{host} at {t}")?;
                row(out, &HEAD.map(str::to_owned), widths)?;
                for process in processes {
                    row(out, &cells(process), widths)?;
                }
            }
        }
    }
    Ok(())
}

const COLUMNS: usize = 7;
type Cells = [String; COLUMNS];

const HEAD: [&str; COLUMNS] = ["PID", "PPID", "STAT", "COMMAND", "WCHAN", "(UNP 5.6)", "IN"];

fn cells(process: &ProcessInfo) -> Cells {
    let command = match process.state {
        ProcessState::Zombie => format!("[{}] <defunct>", process.name),
        ProcessState::Running | ProcessState::Sleeping | ProcessState::Stopped => process.name.to_string(),
    };
    let wchan = |name: fn(Wchan) -> &'static str| process.sleeping_on.map_or("-", name).to_owned();
    let today = process.kernel.clone().unwrap_or_else(|| wchan(Wchan::today));
    [
        process.pid.to_string(),
        process.ppid.to_string(),
        process.state.letter().to_string(),
        command,
        today,
        wchan(Wchan::book),
        process.within.unwrap_or_default().to_owned(),
    ]
}

/// One set of columns for all hosts.
fn widths(hosts: &[(Arc<str>, Option<Vec<ProcessInfo>>)]) -> [usize; COLUMNS] {
    let processes = hosts.iter().filter_map(|(_, processes)| processes.as_ref()).flatten();
    processes.map(cells).fold(HEAD.map(str::len), |widths, cells| {
        std::array::from_fn(|column| widths[column].max(cells[column].len()))
    })
}

fn row(out: &mut dyn Write, cells: &Cells, widths: [usize; COLUMNS]) -> io::Result<()> {
    let [pid, ppid, stat, command, today, book, within] = cells;
    let [pid_width, ppid_width, stat_width, command_width, today_width, book_width, _] = widths;
    let line = format!(
        "{pid:>pid_width$} {ppid:>ppid_width$} {stat:<stat_width$} {command:<command_width$} \
         {today:<today_width$} {book:<book_width$} {within}"
    );
    writeln!(out, "{}", line.trim_end())
}
