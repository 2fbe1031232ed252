//! Names that a mistyped one may have been meant for.

/// The best matches first, three at the most; none if nothing is near.
pub(super) fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<(f64, &str)> = known
        .into_iter()
        // Jaro–Winkler favours a common beginning: `unreach` is nearer to `unreachable` than to `reach`.
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.into_iter().take(3).map(|(_, known)| known).collect()
}

/// ` did you mean "reboot" or "reboot-idle"?`, or nothing.
pub(super) fn did_you_mean(near: &[&str]) -> String {
    if near.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = near.iter().map(|name| format!("\"{name}\"")).collect();
    format!(" did you mean {}?", quoted.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_comes_first_and_the_far_not_at_all() {
        assert_eq!(near("rebot", ["crash", "reboot-idle", "reboot"]), ["reboot", "reboot-idle"]);
        assert_eq!(near("xyz", ["crash", "reboot"]), [""; 0]);
    }
}
