//! Whole runs: from a scenario to its outcome, inside one process.

use criterion::{Criterion, criterion_group, criterion_main};
use echosim::scenario;
use echosim::stack::System;

fn whole_runs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scenario");
    for (name, system) in [
        ("crash", System::Book),
        ("crash", System::Linux),
        ("reboot", System::Book),
        ("unreachable", System::Linux),
        ("crowd", System::Book),
        ("lossy", System::Book),
        // Two hours and a quarter, with nothing but probes.
        ("keepalive-crash", System::Book),
        ("keepalive-crash", System::Linux),
    ] {
        group.bench_function(format!("{name}/{}", system.name()), |bencher| {
            bencher.iter(|| {
                let mut scenario = scenario::load(name).expect("a scenario of the library");
                scenario.stack = system;
                scenario.run().expect("it runs to its end")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, whole_runs);
criterion_main!(benches);
