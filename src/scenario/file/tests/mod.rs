mod limits;
mod meaning;
mod mistakes;

use proptest::prelude::*;

use super::parse;
use crate::scenario::{BUILT_IN, Scenario};

/// Five lines that most scenarios below begin with.
const HEAD: &str = r#"name = "A test (UNP 5.6)"
[host.server]
run = "echo-server"
[host.client]
run = "echo-client server"
"#;

fn scenario(rest: &str) -> Scenario {
    parse("sims/x.toml", &format!("{HEAD}{rest}")).unwrap_or_else(|mistake| panic!("{mistake}"))
}

/// What is said about a whole file.
fn refused_file(text: &str) -> String {
    parse("x.toml", text).unwrap_err().to_string()
}

/// What is said about a file that goes on like this from line 6.
fn refused(rest: &str) -> String {
    refused_file(&format!("{HEAD}{rest}"))
}

proptest! {
    /// Cuts a piece out of a good scenario and puts another piece of it, or anything else, in its place.
    #[test]
    fn no_mutilated_scenario_panics(
        which in any::<prop::sample::Index>(),
        cut in any::<[prop::sample::Index; 4]>(),
        junk in ".{0,8}",
    ) {
        let text = which.get(BUILT_IN).text;
        let place = |nth: usize| {
            let at = cut[nth].index(text.len());
            (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
        };
        let piece = |a: usize, b: usize| &text[a.min(b)..a.max(b)];
        let (from, to) = (place(0).min(place(1)), place(0).max(place(1)));
        let other = piece(place(2), place(3));
        let mutilated = format!("{}{other}{junk}{}", &text[..from], &text[to..]);
        if let Err(mistake) = parse("x.toml", &mutilated) {
            prop_assert!((1..=mutilated.lines().count() + 1).contains(&mistake.line));
            prop_assert_eq!(mistake.to_string().lines().count(), 1, "{}", mistake);
        }
    }
}
