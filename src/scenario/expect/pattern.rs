//! Lines of which only a part is known.

/// Whether a line is as expected; `*` stands for anything.
///
/// A piece between two stars matches where it first occurs: what is left behind it is then longest, so no later
/// place can do better, and none has to be tried. The time is linear in the line.
pub(super) fn fits(pattern: &str, line: &str) -> bool {
    let Some((beginning, rest)) = pattern.split_once('*') else { return pattern == line };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let between = line.strip_prefix(beginning).and_then(|line| line.strip_suffix(end));
    let mut left = between;
    for piece in middle.split('*') {
        left = left.and_then(|line| line.split_once(piece)).map(|(_, behind)| behind);
    }
    left.is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::fits;

    /// What a star means, with no thought of time.
    fn tries_all(pattern: &[char], line: &[char]) -> bool {
        match pattern.split_first() {
            None => line.is_empty(),
            Some(('*', rest)) => (0..=line.len()).any(|at| tries_all(rest, &line[at..])),
            Some((letter, rest)) => line.first() == Some(letter) && tries_all(rest, &line[1..]),
        }
    }

    proptest! {
        #[test]
        fn a_star_stands_for_anything(pattern in "[abä*]{0,8}", line in "[abä]{0,10}") {
            let letters = |text: &str| text.chars().collect::<Vec<char>>();
            prop_assert_eq!(fits(&pattern, &line), tries_all(&letters(&pattern), &letters(&line)));
        }
    }

    #[test]
    fn many_stars_cost_no_more_than_the_line_is_long() {
        let pattern = "*a".repeat(1_000) + "*b";
        assert!(!fits(&pattern, &"a".repeat(1_000_000)));
    }
}
