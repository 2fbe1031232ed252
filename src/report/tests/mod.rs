//! Every format against timelines made by hand.

mod json;
mod netstat;
mod ps;
mod sample;
mod summary;
mod summary_processes;
mod text;
mod wording;

use super::RunInfo;

#[test]
fn command_quotes_what_a_shell_would_split() {
    let run = RunInfo {
        scenario: "my sims/it's.toml".into(),
        stack: "book".into(),
        seed: 7,
        set: vec![("retries".into(), "3".into())],
        ..RunInfo::default()
    };
    assert_eq!(
        run.command(),
        r"echosim --scenario 'my sims/it'\''s.toml' --stack book --seed 7 --set retries=3"
    );
}
