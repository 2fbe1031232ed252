//! `[set]` of a scenario: what may be changed about its programs with `--set`.

/// Variables of a scenario, by name, and what they stand for. In a program's command line `$name` is its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(Vec<(String, String)>);

impl Variables {
    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every name there is, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Gives a name its value.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Puts values in place of every `$name` in a word.
    pub(super) fn fill(&self, word: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = word;
        while let Some((before, after)) = rest.split_once('$') {
            let name = name_at(after);
            let value = self.get(name).ok_or_else(|| format!("no `${name}`: [set] has {}", self.listed()))?;
            filled.push_str(before);
            filled.push_str(value);
            rest = &after[name.len()..];
        }
        Ok(filled + rest)
    }

    fn listed(&self) -> String {
        let names: Vec<&str> = self.names().collect();
        if names.is_empty() { "no names".to_owned() } else { names.join(", ") }
    }
}

/// Whether `$name` occurs in a word.
pub(super) fn mentions(word: &str, name: &str) -> bool {
    word.match_indices('$').any(|(at, _)| name_at(&word[at + 1..]) == name)
}

/// Whether this can be a name.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name_at(name) == name
}

/// The name that `text` begins with.
fn name_at(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_the_rest_is_left() {
        let mut variables = Variables::default();
        variables.set("reap", "wait");
        variables.set("n", "5");
        assert_eq!(variables.fill("--reap=$reap").as_deref(), Ok("--reap=wait"));
        assert_eq!(variables.fill("$n$n,x").as_deref(), Ok("55,x"));
        assert_eq!(variables.fill("plain").as_deref(), Ok("plain"));
        variables.set("n", "6");
        assert_eq!(variables.get("n"), Some("6"));
    }

    #[test]
    fn an_unknown_name_is_refused_with_those_there_are() {
        let mut variables = Variables::default();
        assert_eq!(variables.fill("$"), Err("no `$`: [set] has no names".to_owned()));
        variables.set("reap", "wait");
        assert_eq!(variables.fill("--reap=$repa"), Err("no `$repa`: [set] has reap".to_owned()));
    }

    #[test]
    fn a_name_is_mentioned_only_as_a_whole() {
        assert!(mentions("--reap=$reap", "reap") && mentions("$a$reap", "reap"));
        assert!(!mentions("--reap=$reaper", "reap") && !mentions("reap", "reap"));
    }
}
