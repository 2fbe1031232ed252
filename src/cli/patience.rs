//! A word before a long wait.

use std::io::{self, Write};
use std::time::Duration;

use crate::real::{on_linux, seen_length};
use crate::scenario::{self, Scenario, units};
use crate::time::SimTime;

/// What is shorter needs no word.
const SHORT: Duration = Duration::from_secs(30);

/// Says how long a play takes, if it is long.
pub(super) fn announce(scenario: &Scenario, err: &mut dyn Write) -> io::Result<()> {
    // If it cannot be run, that is told by whoever needs it to.
    let Ok(sim) = scenario::run(&on_linux(scenario)) else { return Ok(()) };
    let takes = seen_length(&sim).min(scenario.until - SimTime::ZERO);
    if takes > SHORT {
        let takes = units::show(Duration::from_secs(takes.as_secs()));
        writeln!(
            err,
            "this takes {takes}, if the simulation is right; --set retries=N (syn_retries, keepalive_time …) or \
             --until T makes it shorter"
        )?;
        err.flush()?;
    }
    Ok(())
}
