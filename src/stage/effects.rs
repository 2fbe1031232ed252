//! Whether the faults met anything: a packet, a call or a process.

use super::Stage;
use crate::router::Met;
use crate::scenario::Scenario;
use crate::timeline::FaultKind;

/// What became of each fault, by its index in the scenario.
pub(super) struct Effects(Vec<Effect>);

#[derive(Clone, Copy, Debug)]
enum Effect {
    /// It has not struck.
    Pending,
    /// It did something.
    Met,
    /// There was nothing for it to do anything to.
    Missed,
    /// It lasts, and has met something if the link's counter has left this value.
    Lasts(u64),
}

impl Effects {
    pub(super) fn new(faults: usize) -> Effects {
        Effects(vec![Effect::Pending; faults])
    }

    /// Notes that a fault struck: whether there was anything to strike, whether any process of the host was alive, and
    /// what the faults of its link had met before.
    pub(super) fn note(&mut self, nth: usize, fault: FaultKind, struck: bool, alive: bool, before: Met) {
        self.0[nth] = match before.by(fault) {
            _ if !struck => Effect::Missed,
            // Calls end with a crash, whether or not a packet comes.
            _ if fault == FaultKind::Crash && alive => Effect::Met,
            Some(count) => Effect::Lasts(count),
            None => Effect::Met,
        };
    }

    /// The faults that met nothing.
    pub(super) fn missed<S: Stage>(&self, scenario: &Scenario, stage: &S) -> Vec<usize> {
        let missed = |nth: &usize| match self.0[*nth] {
            Effect::Met => false,
            Effect::Pending | Effect::Missed => true,
            Effect::Lasts(before) => {
                let fault = &scenario.faults[*nth];
                let host = scenario.host_index(&fault.host).expect("faults are checked to name hosts");
                stage.met(host).by(fault.kind) == Some(before)
            }
        };
        (0..self.0.len()).filter(missed).collect()
    }
}
