//! Which test a simulation runs in, and the command that runs it again.

use std::env;
use std::path::{Path, PathBuf};
use std::thread;

use crate::report::{RunInfo, shell};

/// Of a file's name, in octets; file systems take 255.
const LONGEST_NAME: usize = 200;

/// The test, known by its thread: libtest names that after it.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    /// `crash::nothing_leaves_a_host_that_crashes`; `None` in a program's own `main`.
    test: Option<String>,
}

impl Origin {
    pub(super) fn here() -> Origin {
        let thread = thread::current();
        let test = thread.name().filter(|name| *name != "main").map(str::to_owned);
        Origin { test }
    }

    /// What heads a report.
    pub(super) fn run_info(&self) -> RunInfo {
        let sentence = match &self.test {
            Some(test) => format!("{test}, in {}", binary()),
            None => binary(),
        };
        RunInfo { sentence, replay: Some(self.command()), ..RunInfo::default() }
    }

    /// What to type to see it again.
    pub(super) fn command(&self) -> String {
        let words: Vec<String> = match (&self.test, env::var("CARGO_PKG_NAME")) {
            (Some(test), Ok(package)) => {
                ["cargo", "test", "--package", &package, "--", "--exact", test].map(str::to_owned).into()
            }
            (Some(test), Err(_)) => {
                let program = env::args_os().next().unwrap_or_default();
                vec![program.to_string_lossy().into_owned(), "--exact".to_owned(), test.clone()]
            }
            (None, _) => env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        };
        words.iter().map(|word| shell(word)).collect::<Vec<_>>().join(" ")
    }

    /// Where its files go: `target/echosim/PACKAGE/BINARY/TEST`, no two tests' the same. `None` if nothing here
    /// was built by cargo.
    pub(super) fn path(&self) -> Option<PathBuf> {
        let mut path = target()?.join("echosim");
        path.extend(env::var("CARGO_PKG_NAME").ok().as_deref().map(file_name));
        path.push(file_name(&binary()));
        path.push(file_name(self.test.as_deref().unwrap_or("main")));
        Some(path)
    }
}

/// The program's name, without the hash that cargo puts behind a test's.
fn binary() -> String {
    let path = env::current_exe().unwrap_or_default();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match stem.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            name.to_owned()
        }
        _ => stem,
    }
}

/// Cargo's target directory: the one that the program lies in, whatever CARGO_TARGET_DIR was when it was built;
/// else the one of the working directory, where documentation tests run.
fn target() -> Option<PathBuf> {
    let program = env::current_exe().unwrap_or_default();
    let here = env::current_dir().map(|dir| dir.join("target")).ok();
    // Cargo marks what backups may leave out.
    let is_target = |dir: &Path| dir.join("CACHEDIR.TAG").is_file();
    let marked = program.ancestors().skip(1).find(|dir| is_target(dir)).map(Path::to_owned);
    marked.or(here.filter(|dir| is_target(dir)))
}

/// The name, fit for every file system.
fn file_name(name: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.replace("::", ".").chars().map(fit).take(LONGEST_NAME).collect();
    if name.starts_with('.') { format!("-{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_knows_its_name_its_file_and_its_command() {
        let origin = Origin::here();
        let test = "net::origin::tests::a_test_knows_its_name_its_file_and_its_command";
        assert_eq!(origin.test.as_deref(), Some(test));
        assert_eq!(origin.command(), format!("cargo test --package echosim -- --exact {test}"));
        let path = origin.path().expect("cargo built it");
        assert!(path.ends_with(format!("echosim/echosim/echosim/{}", test.replace("::", "."))), "{path:?}");
        assert!(path.ancestors().nth(4).is_some_and(|target| target.join("CACHEDIR.TAG").is_file()));
    }

    #[test]
    fn no_name_leads_out_of_its_directory() {
        assert_eq!(file_name("../../etc/passwd"), "-..-..-etc-passwd");
        assert_eq!(file_name("case::a b/c"), "case.a-b-c");
        assert_eq!(file_name(&"x".repeat(1_000)).len(), LONGEST_NAME);
    }
}
