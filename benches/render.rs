//! What it costs to look: the run with a thousand segments, and every way to show it.
//!
//! No rendering is to cost more than the run. The page shows hosts between the events, so the run it needs is the
//! one with its history.

use std::io;

use criterion::{Criterion, criterion_group, criterion_main};
use echosim::report::{self, Palette, RunInfo, Terminal};
use echosim::scenario::{self, Scenario};
use echosim::stack::System;

fn unreachable() -> Scenario {
    let mut scenario = scenario::load("unreachable").expect("a scenario of the library");
    scenario.stack = System::Linux;
    scenario
}

fn rendering(criterion: &mut Criterion) {
    let scenario = unreachable();
    let info = RunInfo::from(&scenario);
    let (outcome, history) = scenario.run_with_history().expect("it runs to its end");
    let (events, end) = (&outcome.events, outcome.end);

    let mut group = criterion.benchmark_group("unreachable/linux");
    group.bench_function("the run", |bencher| bencher.iter(|| scenario.run()));
    group.bench_function("the run with its history", |bencher| bencher.iter(|| scenario.run_with_history()));
    let mut format = |name: &str, report: &dyn Fn(&mut dyn io::Write) -> io::Result<()>| {
        let mut out = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                report(&mut out).expect("memory takes it");
                out.len()
            });
        });
    };
    let terminal = Terminal::default().with_palette(Palette::COLOUR);
    format("summary", &|out| report::summary(out, events, &[], end));
    format("explain", &|out| report::explain(out, &info, events, (&[], end), &[]));
    format("trace", &|out| report::text(out, &info, events, &Palette::COLOUR));
    format("json", &|out| report::json(out, &info, events));
    format("ladder", &|out| report::ladder(out, &info, events, &terminal));
    format("mermaid", &|out| report::mermaid(out, &info, events));
    format("svg", &|out| report::svg(out, &info, events));
    format("html", &|out| report::html(out, &info, events, &history));
    format("pcapng", &|out| report::pcapng(out, &info, events, None));
    group.finish();
}

criterion_group!(benches, rendering);
criterion_main!(benches);
