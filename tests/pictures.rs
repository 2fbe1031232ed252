//! The ladder, Mermaid and SVG, drawn of the scenarios of `sims/`.
#![cfg(feature = "cli")]

use std::io;
use std::sync::LazyLock;

use echosim::report::{self, Palette, RunInfo, Terminal};
use echosim::scenario::{self, Outcome, Scenario};
use echosim::stack::System;
use echosim::timeline::{Event, Kind};

fn run(name: &str, system: System) -> (RunInfo, Outcome) {
    let mut scenario = scenario::load(name).expect("a scenario of the library");
    scenario.stack = system;
    let outcome = scenario.run().expect("it runs to its end");
    (RunInfo::from(&scenario), outcome)
}

fn drawn(draw: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    draw(&mut out).expect("memory takes it");
    String::from_utf8(out).expect("pictures are UTF-8")
}

fn ladder((info, outcome): &(RunInfo, Outcome), terminal: &Terminal) -> String {
    drawn(|out| report::ladder(out, info, &outcome.events, terminal))
}

fn mermaid((info, outcome): &(RunInfo, Outcome)) -> String {
    drawn(|out| report::mermaid(out, info, &outcome.events))
}

fn svg((info, outcome): &(RunInfo, Outcome)) -> String {
    drawn(|out| report::svg(out, info, &outcome.events))
}

/// Every scenario under every system's TCP.
fn every_run() -> impl Iterator<Item = &'static (RunInfo, Outcome)> {
    static RUNS: LazyLock<Vec<(RunInfo, Outcome)>> = LazyLock::new(|| {
        let systems = |name| System::ALL.into_iter().map(move |system| run(name, system));
        scenario::BUILT_IN.iter().flat_map(|built_in| systems(built_in.name)).collect()
    });
    RUNS.iter()
}

fn snapshot(name: &str, content: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, content));
}

fn lost(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event.kind, Kind::Lost { .. })).count()
}

#[test]
fn reboot_is_the_book_s_picture() {
    let reboot = run("reboot", System::Book);
    snapshot("reboot-book-ladder", &ladder(&reboot, &Terminal::default()));
    snapshot("reboot-book-mermaid", &mermaid(&reboot));
}

#[test]
fn a_thousand_retransmissions_fold_into_a_page() {
    let unreachable = run("unreachable", System::Linux);
    assert!(unreachable.1.events.len() > 3_000);
    snapshot("unreachable-linux-ladder", &ladder(&unreachable, &Terminal::default()));
    snapshot("unreachable-linux-mermaid", &mermaid(&unreachable));
}

#[test]
fn ladders_fit_eighty_columns_and_their_lines_end_in_something() {
    for run in every_run() {
        let page = ladder(run, &Terminal::default());
        // The command that repeats the run is to be copied, so it is not broken.
        for line in page.lines().filter(|line| !line.starts_with("# echosim")) {
            assert!(line.chars().count() <= 80, "{}: {line}", run.0.command());
            assert_eq!(line, line.trim_end());
        }
    }
}

#[test]
fn a_wide_terminal_is_used_up_to_where_the_eye_loses_the_arrow() {
    let reboot = run("unreachable", System::Book);
    let widest = |width| {
        let page = ladder(&reboot, &Terminal::default().with_width(width));
        page.lines().map(|line| line.chars().count()).max().expect("a line")
    };
    assert_eq!([widest(80), widest(100), widest(120)], [80, 100, 120]);
    assert_eq!(widest(500), widest(200));
}

#[test]
fn ascii_ladders_have_nothing_else_and_say_the_same() {
    for run in every_run() {
        let unicode = ladder(run, &Terminal::default());
        let ascii = ladder(run, &Terminal::default().in_ascii());
        assert!(ascii.is_ascii(), "{}", run.0.command());
        assert_eq!(unicode.lines().count(), ascii.lines().count());
    }
}

#[test]
fn every_loss_of_a_crash_is_drawn_with_its_reason() {
    let crash = run("crash", System::Book);
    let losses = lost(&crash.1.events);
    assert_eq!(losses, 14, "the line, twelve retransmissions, the reset at the end");
    assert_eq!(ladder(&crash, &Terminal::default()).matches("✗ lost: host down").count(), losses);
    assert_eq!(mermaid(&crash).matches("lost: host down").count(), losses);
    assert_eq!(svg(&crash).matches(">lost: host down<").count(), losses);
}

#[test]
fn a_crashed_host_has_no_lifeline_until_it_boots() {
    let page = ladder(&run("reboot", System::Book), &Terminal::default());
    let between = page.lines().skip_while(|line| !line.contains("crash server")).nth(1).expect("a silence");
    assert_eq!(between.matches('⋮').count(), 1, "{between}");
    let after =
        page.lines().skip_while(|line| !line.contains("boot server")).nth(1).expect("the server starts");
    assert!(after.ends_with('│'), "{after}");
}

#[test]
fn colours_stand_out_where_there_are_any_and_cost_no_width() {
    let crash = run("crash", System::Book);
    let plain = ladder(&crash, &Terminal::default());
    let colour = ladder(&crash, &Terminal::default().with_palette(Palette::COLOUR));
    assert!(!plain.contains('\x1b') && colour.contains('\x1b'));
    assert_eq!(anstream::adapter::strip_str(&colour).to_string(), plain);
}

#[test]
fn mermaid_never_has_more_than_150_arrows() {
    let arrows = |diagram: &str| {
        diagram.lines().filter(|line| ["->>", "-x", "--)"].iter().any(|arrow| line.contains(arrow))).count()
    };
    let most = every_run().map(|run| arrows(&mermaid(run))).max().expect("a run");
    // `lossy` has many more, and is cut to just so many.
    assert_eq!(most, 150);
}

#[test]
fn a_packet_that_is_held_up_says_how_late_it_comes() {
    let text = r#"
name = "The second line waits on the link for a second"
[host.server]
run = "echo-server"
[host.client]
run = "echo-client server"
type = [{ at = "0s", line = "hello" }, { at = "10s", line = "world" }]
[[fault]]
at = "5s"
do = "hold"
host = "server"
[[fault]]
at = "11s"
do = "release"
host = "server"
"#;
    let scenario = Scenario::parse("hold.toml", text).expect("a scenario");
    let run = (RunInfo::from(&scenario), scenario.run().expect("it runs"));
    assert!(ladder(&run, &Terminal::default()).contains("[P.] 7:13, ack 7 arrives 1.0 s later"));
}

/// Every picture of a run, so that none of them panics.
fn every_picture(run: &(RunInfo, Outcome)) -> [String; 3] {
    [ladder(run, &Terminal::default().with_width(1)), mermaid(run), svg(run)]
}

#[test]
fn a_run_without_events_is_an_empty_picture() {
    let run = (RunInfo::default(), Outcome::default());
    assert!(every_picture(&run).iter().all(|picture| !picture.contains("client")));
}

#[test]
fn a_host_all_alone_and_a_dozen_of_them_are_drawn() {
    let alone = "name = \"alone\"\n[host.server]\nrun = \"echo-server\"\n".to_owned();
    let guests = (0..12).map(|n| format!("[host.guest{n}]\nrun = \"echo-client server\"\n"));
    let dozen = guests.fold(alone.clone(), |text, guest| text + &guest);
    for (text, hosts) in [(alone, 1), (dozen, 13)] {
        let scenario = Scenario::parse("odd.toml", &text).expect("a scenario");
        let run = (RunInfo::from(&scenario), scenario.run().expect("it runs"));
        let [page, diagram, picture] = every_picture(&run);
        assert_eq!(diagram.matches("participant").count(), hosts);
        assert_eq!(picture.matches("class=\"host\"").count(), hosts);
        assert!(page.contains("server"));
    }
}

#[test]
fn what_a_host_sends_to_itself_is_drawn_wherever_the_host_stands() {
    let hosts = |names: &[&str]| -> String {
        let host = |name: &&str| format!("[host.{name}]\nrun = \"echo-client {name} 1\"\n");
        names.iter().map(host).collect()
    };
    for names in [&["a"][..], &["a", "b"], &["a", "b", "c"]] {
        let scenario = Scenario::parse("x.toml", &format!("name = \"x\"\n{}", hosts(names))).unwrap();
        let run = (RunInfo::from(&scenario), scenario.run().expect("it runs to its end"));
        for picture in every_picture(&run) {
            assert_eq!(picture.matches("[S] seq 0").count(), names.len(), "{picture}");
            assert_eq!(picture.matches("[R.] seq 0").count(), names.len(), "{picture}");
        }
    }
}

#[test]
fn what_the_network_does_to_packets_is_drawn() {
    let mut scenario = scenario::load("lossy").expect("a scenario of the library");
    for (key, value) in [("duplicate", "0.1"), ("corrupt", "0.1"), ("reorder", "0.2"), ("ip", "6")] {
        scenario.set(key, value).expect("a key of scenarios");
    }
    let run = (RunInfo::from(&scenario), scenario.run().expect("it runs"));
    for picture in every_picture(&run) {
        assert!(
            picture.contains("lost: corrupt") && picture.contains("a copy") && picture.contains("lost: loss")
        );
    }
}

#[test]
fn nothing_typed_can_break_out_of_a_picture() {
    let text = r##"
name = "A <script> & a %% ; \" # end"
[host.server]
run = "echo-server"
[host.client]
run = "echo-client server"
type = [{ at = "0s", line = "</text><script>;#x%%{init}%%" }]
"##;
    let scenario = Scenario::parse("hostile.toml", text).expect("a scenario");
    let run = (RunInfo::from(&scenario), scenario.run().expect("it runs"));
    let picture = svg(&run);
    assert!(picture.contains("&lt;/text&gt;&lt;script&gt;") && !picture.contains("<script"));
    let diagram = mermaid(&run);
    let drawn: Vec<_> = diagram.lines().filter(|line| !line.starts_with("%%")).collect();
    assert!(drawn.iter().all(|line| !line.contains("<script") && !line.contains("%%")), "{diagram}");
}

#[test]
fn svg_stands_alone() {
    for run in every_run() {
        let picture = svg(run);
        let open = picture.matches("<text").count();
        assert_eq!(open, picture.matches("</text>").count());
        let elsewhere = picture.replace("http://www.w3.org/2000/svg", "");
        assert!(!["http", "url(", "<script", "@import", "href"].iter().any(|it| elsewhere.contains(it)));
        assert!(!picture.contains("NaN") && !picture.contains("inf\""), "{}", run.0.command());
    }
}

/// Where time runs: no packet comes before it was sent.
#[test]
fn arrows_never_rise() {
    for run in every_run() {
        let picture = svg(run);
        for line in picture.lines().filter(|line| {
            ["plain", "ack", "again", "icmp", "reset", "lost"]
                .iter()
                .any(|class| line.starts_with(&format!("<line class=\"{class}")))
        }) {
            let coordinate = |name: &str| {
                let (_, rest) = line.split_once(&format!("{name}=\"")).expect("an attribute");
                rest.split('"').next().expect("a value").parse::<f64>().expect("a number")
            };
            assert!(coordinate("y1") <= coordinate("y2"), "{}: {line}", run.0.command());
        }
    }
}
