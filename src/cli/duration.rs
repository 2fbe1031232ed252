//! How long a real run will take, said before it.

use std::io::{self, Write};
use std::time::Duration;

use crate::scenario::Scenario;
use crate::stage::{on_linux, seen_length};
use crate::time::SimTime;

/// What is shorter needs no word.
const SHORT: Duration = Duration::from_secs(30);

/// Says how long a run takes, if it is long.
pub(super) fn announce(scenario: &Scenario, err: &mut dyn Write) -> io::Result<()> {
    // If it cannot be run, the run itself says so.
    let Ok(sim) = on_linux(scenario).run() else { return Ok(()) };
    let takes = seen_length(&sim).min(scenario.until - SimTime::ZERO);
    if takes > SHORT {
        let takes = humantime::format_duration(Duration::from_secs(takes.as_secs()));
        writeln!(
            err,
            "this takes {takes}, if the simulation is right; --set retries=N (syn_retries, keepalive_time …) or \
             --until T makes it shorter"
        )?;
        err.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    fn told(name: &str, set: &[(&str, &str)], until: Option<u64>) -> String {
        let mut scenario = scenario::load(name).unwrap();
        set.iter().for_each(|(key, value)| scenario.set(key, value).unwrap());
        scenario.until = until.map_or(scenario.until, |secs| SimTime::ZERO + Duration::from_secs(secs));
        let mut err = Vec::new();
        announce(&scenario, &mut err).unwrap();
        String::from_utf8(err).unwrap()
    }

    #[test]
    fn a_quarter_of_an_hour_is_announced_with_what_makes_it_shorter() {
        let told = told("crash", &[], None);
        assert!(told.starts_with("this takes 15m 56s, ") && told.contains("--set retries=N"), "{told}");
    }

    #[test]
    fn what_is_short_or_made_so_needs_no_word() {
        assert_eq!(told("reboot", &[], None), "");
        assert_eq!(told("crash", &[("retries", "4")], None), "");
        assert_eq!(told("crash", &[], Some(20)), "");
    }
}
