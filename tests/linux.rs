//! The profile `linux` against a Linux 6.18 kernel, in every event: what `echosim compare --record` wrote of runs in network
//! namespaces (`tests/linux/cases/*.ndjson`) against the simulation of the scenario of the same name.
#![cfg(feature = "cli")]

use std::path::{Path, PathBuf};

use echosim::compare::{Recording, Scope, Tolerance};
use echosim::scenario;

/// Every scenario of which there is a recording.
fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/linux/cases");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "toml"));
    files.sort();
    files
}

#[test]
fn linux_does_what_the_kernel_did_in_every_event() {
    let mut parted = Vec::new();
    for file in cases() {
        let text = std::fs::read_to_string(file.with_extension("ndjson")).expect("it was recorded");
        let recording = Recording::read(&text).expect("a recording");
        let case = scenario::load(&file.display().to_string()).expect("a sound scenario");
        let report = recording.compare(&case, Scope::Everything, Tolerance::MEASURED).expect("it runs");
        if !report.agrees() {
            parted.push(format!("{}: {:?}", file.display(), report.first_parting()));
        }
    }
    assert!(parted.is_empty(), "{}", parted.join("\n"));
    assert!(cases().len() > 20);
}
