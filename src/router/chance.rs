//! Chance, from the scenario's seed alone.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One pipe's source of chance, a ChaCha stream of its own: what one link does never changes another's luck.
#[derive(Clone, Debug)]
pub(super) struct Chance(ChaCha8Rng);

/// What was drawn for one packet: numbers in 0 ≤ x < 1, to be held against the rates.
///
/// Every packet takes the same eight numbers (one block of ChaCha), whatever the rates. So the n-th packet's fate
/// depends on the seed and n only, and raising the duplication of a link leaves its losses where they were.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw {
    pub(super) loss: f64,
    pub(super) duplicate: f64,
    /// For the packet and for its duplicate.
    pub(super) copies: [CopyDraw; 2],
}

/// What was drawn for one copy of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct CopyDraw {
    pub(super) corrupt: f64,
    pub(super) reorder: f64,
    pub(super) jitter: f64,
}

impl Chance {
    pub(super) fn new(seed: u64, stream: u64) -> Chance {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Chance(rng)
    }

    pub(super) fn draw(&mut self) -> Draw {
        let [loss, duplicate, c0, r0, j0, c1, r1, j1]: [f64; 8] = self.0.random();
        let copies = [
            CopyDraw { corrupt: c0, reorder: r0, jitter: j0 },
            CopyDraw { corrupt: c1, reorder: r1, jitter: j1 },
        ];
        Draw { loss, duplicate, copies }
    }
}

/// Whether something that strikes at `rate` struck. If so the number, stretched to 0 ≤ x < 1, is as good as
/// a new one and says how hard.
pub(super) fn strikes(drawn: f64, rate: f64) -> Option<f64> {
    (drawn < rate).then(|| drawn / rate.min(1.0))
}
