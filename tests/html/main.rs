//! The page of `--html`: what stands in it, and what a browser makes of it.
//!
//! `viewed.rs` looks at it in a headless Chromium.
#![cfg(feature = "cli")]

use echosim::report::{self, RunInfo};
use echosim::scenario::{self, Scenario};
use echosim::stack::System;
use serde_json::Value;

mod browser;
mod viewed;

fn library(name: &str, system: System) -> Scenario {
    let mut scenario = scenario::load(name).expect("a scenario of the library");
    scenario.stack = system;
    scenario
}

fn page(scenario: &Scenario) -> String {
    let (outcome, history) = scenario.run_with_history().expect("it runs to its end");
    let info = RunInfo::from(scenario);
    let mut page = Vec::new();
    report::html(&mut page, &info, &outcome.events, &history).expect("memory takes it");
    String::from_utf8(page).expect("reports are UTF-8")
}

/// The data inside a page.
fn data(page: &str) -> Value {
    let (_, data) = page.split_once(r#"<script type="application/json" id="run">"#).expect("it has data");
    let (data, _) = data.split_once("</script>").expect("the data ends");
    serde_json::from_str(data).expect("the data is JSON")
}

/// A scenario whose every text tries to break out of the page.
fn hostile() -> Scenario {
    let text = r#"
        name = "</script><img src=x onerror=document.title='broken'> & <b>bold</b> (UNP 5.2)"

        [host.server]
        run = "echo-server"

        [host.client]
        run = "echo-client server"
        type = [{ at = "1s", line = "</script><script>document.title='broken'</script><!-- <script>" }, { at = "2s", eof = true }]
    "#;
    Scenario::parse("hostile.toml", text).expect("it is a scenario all the same")
}

#[test]
fn a_page_needs_nothing_from_the_network() {
    let page = page(&library("reboot", System::Book));
    assert!(page.contains("default-src 'none'"));
    for reference in ["src=", "@import", "url(", "fetch(", "XMLHttpRequest", "import("] {
        assert!(!page.contains(reference), "{reference}");
    }
    let addresses: Vec<&str> = page.match_indices("http").map(|(at, _)| &page[at..at + 30]).collect();
    let names = |it: &&str| it.starts_with("http://www.w3.org/2000/svg") || it.starts_with("http-equiv");
    assert!(addresses.iter().all(names), "{addresses:?}");
}

#[test]
fn every_event_of_the_run_is_in_the_page() {
    let scenario = library("crash", System::Book);
    let events = scenario.run().expect("it runs to its end").events;
    let data = data(&page(&scenario));
    assert_eq!(data["rows"].as_array().expect("rows").len(), events.len());
    assert_eq!(data["columns"], serde_json::json!(["client", "router", "server"]));
    assert_eq!(data["command"], "echosim --scenario crash --stack book --seed 1");
}

#[test]
fn no_text_of_a_run_is_markup() {
    let page = page(&hostile());
    // The data's element and the script's own: nothing in the run opened or closed another.
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script").count(), 2);
    assert!(!page.contains("<img") && !page.contains("<b>") && !page.contains("<!--"));
    let data = data(&page);
    let words = data["words"].as_array().expect("words");
    assert!(
        words.iter().any(|word| word == "</script><script>document.title='broken'</script><!-- <script>")
    );
}

#[test]
fn a_thousand_retransmissions_fold_and_fit_into_a_mebibyte() {
    let page = page(&library("unreachable", System::Linux));
    assert!(page.len() < 1 << 20, "{} octets", page.len());
    let data = data(&page);
    let folds = data["folds"].as_array().expect("folds");
    let folded: i64 =
        folds.chunks(3).map(|fold| fold[1].as_i64().unwrap() * (fold[2].as_i64().unwrap() - 2)).sum();
    let events = data["rows"].as_array().expect("rows").len() as i64;
    assert!(events > 4_000 && events - folded < 250, "{folded} of {events} events are folded, {folds:?}");
}

#[test]
fn the_books_twelve_retransmissions_are_shown_one_by_one() {
    assert_eq!(data(&page(&library("crash", System::Book)))["folds"], serde_json::json!([]));
}
