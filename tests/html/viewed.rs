//! The page as a browser shows it.
//!
//! These need Debian's `chromium` and `chromium-driver`, and run with `--ignored`; without them they fail.

use std::time::Duration;

use echosim::scenario::{Moment, Netstat, Scenario};
use echosim::stack::{SocketInfo, System};
use echosim::time::SimTime;
use fantoccini::{Client, Locator, key::Key};
use serde_json::{Value, json};

use crate::browser::{DESK, NIGHT, PHONE, picture, with_page};
use crate::{hostile, library, page};

async fn ask(client: &Client, script: &str) -> Value {
    client.execute(script, vec![]).await.expect("the script runs")
}

/// Moves the slider as a hand does.
async fn slide(client: &Client, t: SimTime) {
    let script = "slider.value = arguments[0]; slider.dispatchEvent(new Event('input'));";
    client.execute(script, vec![json!(t.as_micros())]).await.expect("the slider moves");
}

async fn press(client: &Client, keys: &str) {
    let body = client.find(Locator::Css("body")).await.expect("a body");
    body.send_keys(keys).await.expect("keys are pressed");
}

/// `"ESTABLISHED 10.0.2.1:51279 10.0.1.1:9877 on 2500000 3"` of every socket that the page shows, or `down`.
async fn shown(client: &Client, host: &str) -> Value {
    let script = "
        const card = document.querySelector(`[data-host='${arguments[0]}']`);
        if (card.classList.contains('off')) return 'down';
        return [...card.querySelectorAll('.socket')].map(({ dataset: { state, ends, timer } }) =>
            [state, ends, timer].filter(Boolean).join(' '));";
    client.execute(script, vec![json!(host)]).await.expect("the script runs")
}

/// The same of what netstat shows.
fn expected(sockets: Option<&Vec<SocketInfo>>) -> Value {
    let Some(sockets) = sockets else { return json!("down") };
    let mut sockets: Vec<&SocketInfo> = sockets.iter().collect();
    sockets.sort_by_key(|socket| (socket.local, socket.remote));
    let line = |socket: &&SocketInfo| {
        let remote = socket.remote.map_or("*".to_owned(), |remote| remote.to_string());
        let timer = socket.timer.map_or(String::new(), |timer| {
            format!(" {} {} {}", timer.kind.name(), timer.left.as_micros(), timer.fired)
        });
        format!("{} {} {remote}{timer}", socket.state, socket.local)
    };
    sockets.iter().map(line).collect()
}

/// What `--netstat` says at a moment.
fn netstat(scenario: &Scenario, t: SimTime) -> Netstat {
    let mut scenario = scenario.clone();
    scenario.netstat = Some(Moment::At(t));
    scenario.run().expect("it runs to its end").netstat.expect("it was asked for")
}

#[test]
#[ignore = "needs chromium and chromium-driver"]
fn the_slider_shows_what_netstat_shows() {
    let milliseconds = [0, 5, 12, 20, 21, 300, 5_000, 5_007, 9_000, 10_000, 10_004, 10_500];
    for (name, system) in
        [("crash", System::Book), ("unreachable", System::Linux), ("server-killed", System::Book)]
    {
        let scenario = library(name, system);
        let moments = milliseconds.map(|ms| netstat(&scenario, SimTime::ZERO + Duration::from_millis(ms)));
        with_page(&format!("slider-{name}"), &page(&scenario), DESK, async |client| {
            for Netstat { t, hosts, .. } in &moments {
                slide(&client, *t).await;
                for (host, sockets) in hosts {
                    assert_eq!(
                        shown(&client, host).await,
                        expected(sockets.as_ref()),
                        "{name}: {host} at {t}"
                    );
                }
            }
        });
    }
}

#[test]
#[ignore = "needs chromium and chromium-driver"]
fn keys_step_from_event_to_event_and_back() {
    with_page("keys", &page(&library("reboot", System::Book)), DESK, async |client| {
        let at = async || ask(&client, "return [echosim.moment.n, echosim.moment.t]").await;
        press(&client, &Key::Home).await;
        assert_eq!(at().await, json!([0, 0]));
        for _ in 0..3 {
            press(&client, &Key::Right).await;
        }
        assert_eq!(at().await[0], 3);
        press(&client, &Key::Left).await;
        assert_eq!(at().await[0], 2);
        press(&client, &Key::End).await;
        let last = ask(&client, "return echosim.events.length - 1").await;
        assert_eq!(at().await[0], last);
        let visible = "const box = document.querySelector('.rung.at').getBoundingClientRect();
            return box.top > 0 && box.bottom <= innerHeight;";
        assert_eq!(ask(&client, visible).await, true, "the ladder follows");

        // With shift from packet to packet: the last one is the reset that came back.
        press(&client, &format!("{}{}", char::from(Key::Shift), char::from(Key::Left))).await;
        let packet =
            ask(&client, "const it = echosim.events[echosim.moment.n]; return [it.flags, it.out]").await;
        assert_eq!(packet, json!(["R", 0]));
    });
}

#[test]
#[ignore = "needs chromium and chromium-driver"]
fn a_filter_takes_its_events_out_of_the_ladder() {
    with_page("filter", &page(&library("normal", System::Book)), DESK, async |client| {
        let marks = "return rungs.querySelectorAll('.mark').length > 0";
        assert_eq!(ask(&client, marks).await, true);
        for kind in ["calls", "states", "processes", "screens"] {
            let found = client.find(Locator::Css(&format!("input[name={kind}]"))).await.expect("a filter");
            found.click().await.expect("it is pressed");
        }
        assert_eq!(ask(&client, marks).await, false);
        assert_eq!(ask(&client, "return rungs.querySelectorAll('.flight').length > 4").await, true);
    });
}

#[test]
#[ignore = "needs chromium and chromium-driver"]
fn a_focused_segment_shows_its_fields() {
    with_page("fields", &page(&library("normal", System::Book)), DESK, async |client| {
        ask(&client, "document.querySelector('.flight.segment').focus()").await;
        let tip = ask(&client, "return document.getElementById('tip').innerText").await;
        let tip = tip.as_str().expect("a text");
        assert!(tip.contains("[S] SYN") && tip.contains("arrived"), "{tip}");
        assert_eq!(ask(&client, "return document.getElementById('tip').hidden").await, false);
    });
}

#[test]
#[ignore = "needs chromium and chromium-driver"]
fn a_thousand_retransmissions_are_interactive_in_under_a_second() {
    with_page("fast", &page(&library("unreachable", System::Linux)), DESK, async |client| {
        // The browser's own clock, from the start of the navigation to the end of the script. Whatever else the
        // machine does only adds to it, so of a few loads the shortest tells most of the page.
        let took = "return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd";
        let mut shortest = f64::INFINITY;
        for _ in 0..5 {
            shortest = shortest.min(ask(&client, took).await.as_f64().expect("milliseconds"));
            client.refresh().await.expect("it loads again");
        }
        assert!(shortest < 1_000.0, "{shortest} ms until it answers");

        // Everything unfolded, a step still takes no longer than a blink.
        let step = "
            document.querySelector('[value=repeats]').click();
            const start = performance.now();
            dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }));
            return performance.now() - start;";
        let mut took = f64::INFINITY;
        for _ in 0..5 {
            took = took.min(ask(&client, step).await.as_f64().expect("milliseconds"));
        }
        assert!(took < 200.0, "{took} ms for a step");
        let all = ask(&client, "return echosim.plan.items.length").await;
        assert!(all.as_u64().expect("a number") > 2_000, "{all}");
        let drawn = ask(&client, "return rungs.querySelectorAll('.rung').length").await;
        assert!(drawn.as_u64().expect("a number") < 300, "only what is seen is drawn: {drawn}");
    });
}

#[test]
#[ignore = "needs chromium and chromium-driver"]
fn a_phone_shows_all_of_it_without_scrolling_sideways() {
    with_page("phone", &page(&library("reboot", System::Book)), PHONE, async |client| {
        let wide = "return [document.documentElement.scrollWidth, innerWidth, ladder.clientHeight]";
        let wide = ask(&client, wide).await;
        assert_eq!(wide[0], 390, "nothing sticks out");
        assert_eq!(wide[1], 390);
        assert!(wide[2].as_u64().expect("a height") > 250, "the ladder has room: {wide}");
        slide(&client, SimTime::ZERO + Duration::from_millis(20_010)).await;
        picture(&client, "phone").await;
    });
}

#[test]
#[ignore = "needs chromium and chromium-driver"]
fn what_a_user_typed_runs_nowhere() {
    with_page("hostile", &page(&hostile()), DESK, async |client| {
        press(&client, &Key::End).await;
        assert_eq!(client.title().await.expect("a title"), "hostile · echosim");
        let elements = "return document.querySelectorAll('script, img, b:not(aside b)').length";
        assert_eq!(ask(&client, elements).await, 2, "the page's own two scripts");
        let screen = ask(&client, "return document.querySelector('.screen').innerText").await;
        assert!(screen.as_str().expect("a text").contains("</script><script>"), "{screen}");
    });
}

#[test]
#[ignore = "needs chromium and chromium-driver"]
fn it_is_light_by_day_and_dark_by_night() {
    let scenario = library("unreachable", System::Linux);
    for (name, look, expected) in [("light", DESK, "rgb(251, 250, 246)"), ("dark", NIGHT, "rgb(22, 23, 26)")]
    {
        with_page(name, &page(&scenario), look, async |client| {
            slide(&client, SimTime::ZERO + Duration::from_secs(12)).await;
            let paper = ask(&client, "return getComputedStyle(document.body).backgroundColor").await;
            assert_eq!(paper, expected);
            picture(&client, name).await;
        });
    }
}

#[test]
#[ignore = "needs chromium and chromium-driver"]
fn on_paper_the_whole_ladder_is_drawn() {
    with_page("print", &page(&library("crash", System::Book)), DESK, async |client| {
        let all = "dispatchEvent(new Event('beforeprint'));
            const drawn = new Set([...document.querySelectorAll('.sheet .rung')].map((it) => it.dataset.n));
            const all = new Set(echosim.plan.items.filter((it) => it.event).map((it) => it.event.n));
            return drawn.size === all.size && all.size > 50;";
        assert_eq!(ask(&client, all).await, true);
        let after =
            "dispatchEvent(new Event('afterprint')); return document.querySelectorAll('.sheet').length";
        assert_eq!(ask(&client, after).await, 0);
    });
}

#[test]
#[ignore = "needs chromium and chromium-driver"]
fn of_a_crowd_one_connection_is_shown_first() {
    with_page("crowd", &page(&library("crowd", System::Book)), DESK, async |client| {
        let syns =
            "return [...rungs.querySelectorAll('.label')].filter((it) => it.textContent === 'SYN 0').length";
        assert_eq!(ask(&client, syns).await, 1);
        let choices = "return document.querySelectorAll('#connections option').length";
        assert_eq!(ask(&client, choices).await, 101, "a hundred, and all of them");
    });
}
