//! Whole runs: from a scenario to its outcome, inside one process.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use echosim::scenario::{self, Scenario};
use echosim::stack::System;
use echosim::timeline::{Event, Kind};

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

/// A thousand clients in turn, a line each, on ever more hosts: what a host costs that has nothing to do.
fn many_hosts(criterion: &mut Criterion) {
    const CLIENTS: usize = 1_000;
    let mut group = criterion.benchmark_group("hosts");
    group.sample_size(10);
    for pairs in [1, 10, 100, 500, 5_000] {
        let clients = CLIENTS.div_ceil(pairs);
        let hosts = (0..pairs).map(|n| {
            let starts = n * CLIENTS / pairs.min(CLIENTS);
            format!(
                "[host.s{n}]\nrun = \"echo-server --reap=waitpid\"\n[host.c{n}]\nrun = \"echo-client s{n}\"\n\
                 stdin = [\"hello\"]\ncount = {clients}\nevery = \"{pairs}ms\"\nstart = \"{starts}us\"\n"
            )
        });
        let text: String = std::iter::once("name = \"many hosts\"\n".to_owned()).chain(hosts).collect();
        let scenario = Scenario::parse("hosts.toml", &text).expect("a scenario");
        let segments = |events: &[Event]| {
            events.iter().filter(|event| matches!(event.kind, Kind::Segment(_))).count() as u64
        };
        let run = || scenario.run().expect("it runs to its end");
        group.throughput(Throughput::Elements(segments(&run().events)));
        group.bench_function(BenchmarkId::from_parameter(2 * pairs), |bencher| bencher.iter(run));
    }
    group.finish();
}

criterion_group!(benches, whole_runs, many_hosts);
criterion_main!(benches);
