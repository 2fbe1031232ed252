use std::time::Duration;

use super::*;
use crate::compare::{Drift, Report, Row, Timing, Tolerance};
use crate::scenario;
use crate::stage::seen_length;
use crate::time::SimTime;

fn plan(name: &str) -> Plan {
    Plan::new(name, &scenario::load(name).unwrap()).unwrap()
}

fn row(real_millis: u64) -> Row {
    let at = |millis| SimTime::ZERO + Duration::from_millis(millis);
    let span = Duration::from_millis;
    let timing = Timing { sim: span(10), real: span(real_millis), allowed: span(19) };
    Row::Both {
        host: "client".into(),
        what: "readline: read = 6".into(),
        sim: at(10),
        real: at(real_millis),
        timing,
        windows: None,
    }
}

fn entry(name: &str, rows: Vec<Row>) -> Entry {
    let report = Report {
        rows,
        tolerance: Tolerance::MEASURED,
        drift: Drift { mean: 0.0, timers: 0 },
        wire_unwatched: false,
    };
    let finding = Finding { report, segments: 12, errors: vec!["ECONNRESET"] };
    Entry { plan: plan(name), found: Ok(finding) }
}

fn text(entries: &[Entry]) -> String {
    let mut out = Vec::new();
    page(&mut out, entries, Tolerance::MEASURED, ("Linux 6.18.44", "Linux 6.18.44 on x86_64, 2 × CPU"))
        .unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn what_takes_minutes_is_made_shorter_and_the_rest_left_alone() {
    let crash = plan("crash");
    assert_eq!(crash.scenario.setting("retries"), Some("8"));
    assert!(seen_length(&crash.sim) < Duration::from_secs(150));
    assert!(plan("reboot").scenario.set.is_empty());
}

#[test]
fn a_setting_of_ones_own_is_kept() {
    let mut crash = scenario::load("crash").unwrap();
    crash.set("retries", "10").unwrap();
    assert_eq!(Plan::new("crash", &crash).unwrap().scenario.setting("retries"), Some("10"));
}

#[test]
fn every_scenario_has_a_plan_that_takes_minutes_at_most() {
    for built_in in scenario::BUILT_IN {
        if !scenario::load(built_in.name).unwrap().can_be_real() {
            continue;
        }
        let plan = plan(built_in.name);
        let takes = seen_length(&plan.sim);
        assert!(takes < Duration::from_secs(480), "{}: {takes:?}", built_in.name);
    }
}

#[test]
fn the_page_counts_and_names_the_furthest_off() {
    let text = text(&[entry("reboot", vec![row(12)]), entry("normal", vec![row(11)])]);
    assert!(text.contains("**2 of 2 scenarios agree**; 2 events are in both runs."), "{text}");
    assert!(text.contains("`client: readline: read = 6` of `reboot`: +2.0 ms of 10 ms."), "{text}");
    let line = "| [reboot](../sims/reboot.toml) | 1 events, 12 segments | ECONNRESET | agrees | +2.0 ms of 10 ms | `client: readline: read = 6` |";
    assert!(text.contains(line), "{text}");
    assert!(!text.contains("Where they part"), "{text}");
}

#[test]
fn the_page_shows_where_they_part_and_what_was_not_run() {
    let lost = Row::OnlySim { host: "client".into(), what: "> R seq 7".into(), sim: SimTime::ZERO };
    let mut refused = entry("addresses", Vec::new());
    refused.found = Err("a real kernel has no such thing".into());
    let text = text(&[entry("reboot", vec![row(40), lost]), refused]);
    assert!(text.contains("**0 of 1 scenarios agree**"), "{text}");
    assert!(
        text.contains("- `client: readline: read = 6`: off by +30.0 ms of 10 ms, allowed 19ms"),
        "{text}"
    );
    assert!(text.contains("- `client: > R seq 7`: in the simulation only, at 0.000000 s"), "{text}");
    assert!(text.contains("## Not played\n\n- `addresses`: a real kernel has no such thing"), "{text}");
}
