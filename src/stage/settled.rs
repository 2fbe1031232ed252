//! Whether a run can still bring anything new.

use std::time::Duration;

use super::Stage;
use crate::time::SimTime;
use crate::timeline::Kind;

/// Watches for the moment from which hosts only ask each other whether they are still there, and are answered: nothing
/// will change any more, however long the run goes on.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// How many events have been looked at.
    seen: usize,
    /// When every connection will have asked once, and been answered, if nothing else has happened until then.
    due: Option<SimTime>,
}

impl Settled {
    /// Looks again, when the script has nothing left to do.
    pub(super) fn look<S: Stage>(&mut self, stage: &mut S) -> bool {
        let events = stage.recorder().events_from(self.seen);
        self.seen += events.len();
        // What asks and what answers are segments; with anything more something has changed.
        if events.iter().any(|event| !matches!(event.kind, Kind::Segment(_))) {
            self.due = None;
        }
        let Some(span) = stage.only_asks_within() else { return false };
        let now = stage.now();
        now > *self.due.get_or_insert(now + span + Duration::from_nanos(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    const HOSTS: &str = "name = \"idle\"\nuntil = \"4h\"\n[host.server]\nrun = \"echo-server\"\n[host.client]\n\
                         run = \"echo-client server --poll --keepalive=2s,1s,3\"\ntype = [{ at = \"1s\", line = \"hello\" }]\n";

    fn end(more: &str) -> Duration {
        let scenario = Scenario::parse("idle.toml", &format!("{HOSTS}{more}")).expect("a scenario");
        scenario.run_until_settled().expect("it runs").end - SimTime::ZERO
    }

    #[test]
    fn a_keepalive_that_is_answered_need_not_be_waited_for() {
        assert!(end("") < Duration::from_secs(8));
    }

    #[test]
    fn what_comes_late_is_waited_for() {
        let fault = |what| format!("[[fault]]\nat = \"3h\"\ndo = \"{what}\"\nhost = \"server\"\n");
        let crash = end(&fault("crash"));
        let noticed = Duration::from_secs(3 * 3_600);
        assert!(crash > noticed && crash < noticed + Duration::from_secs(8), "{crash:?}");
        // Three probes a second apart, the first of them up to two seconds after it.
        assert!(end(&fault("partition")) >= noticed + Duration::from_secs(3));
        // Where chance decides, it may be the next probe that is lost.
        let cut = end("[link.client]\nloss = \"1%\"\n");
        assert!(cut > Duration::from_secs(600), "{cut:?}");
    }
}
