//! What a browser must not take for anything else; pages of whole runs are read in `tests/html`.

use super::*;

#[test]
fn markup_in_a_text_is_text() {
    let mut out = Vec::new();
    inert::text(&mut out, "<b>&</b>").expect("memory takes it");
    assert_eq!(out, b"&lt;b&gt;&amp;&lt;/b&gt;");
}

#[test]
fn escaped_json_means_the_same_and_has_no_angle_bracket() {
    let mut out = Vec::new();
    let text = "</script><!--&\u{2028}\"\\";
    serde_json::to_writer(inert::Json(&mut out), text).expect("memory takes it");
    assert!(!out.contains(&b'<') && !out.contains(&b'>') && !out.contains(&b'&'));
    assert_eq!(serde_json::from_slice::<String>(&out).expect("it is still JSON"), text);
}

/// A colour's part in a style sheet: `--ink: #1f1d19;`.
fn colour(theme: &str, name: &str) -> [u8; 3] {
    let (_, rest) = theme.split_once(&format!("--{name}: #")).unwrap_or_else(|| panic!("no --{name}"));
    [0, 2, 4].map(|at| u8::from_str_radix(&rest[at..at + 2], 16).expect("six digits"))
}

/// WCAG 2.2, relative luminance.
fn luminance(colour: [u8; 3]) -> f64 {
    let linear = colour.map(|part| match f64::from(part) / 255.0 {
        dark if dark <= 0.04045 => dark / 12.92,
        part => ((part + 0.055) / 1.055).powf(2.4),
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// WCAG 2.2, 1.4.3: at the least 4.5 to 1.
#[test]
fn text_stands_out_from_whatever_it_is_written_on() {
    const COLOURS: [&str; 6] = ["ink", "data", "loss", "icmp", "fault", "good"];
    let (light, dark) = STYLE.split_once("@media (prefers-color-scheme: dark)").expect("two themes");
    for theme in [light, dark] {
        // What is marked is written in ink, if it is not in a colour.
        let quiet = ["paper", "card", "faint"].map(|ground| ("soft", ground));
        let grounds = ["paper", "card", "faint", "mark"].into_iter();
        let coloured = grounds.flat_map(|ground| COLOURS.map(|colour| (colour, ground)));
        for (text, ground) in coloured.chain(quiet) {
            let contrast = contrast(colour(theme, text), colour(theme, ground));
            assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
        }
    }
}
