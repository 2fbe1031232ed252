//! The scripts of `tests/packetdrill/`, against our stack and, with `--ignored`, against this machine's kernel. Each is named
//! after what it claims.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packetdrill");
    let entries = std::fs::read_dir(&folder).expect("the folder of scripts");
    let mut scripts: Vec<PathBuf> = entries.map(|entry| entry.expect("a script").path()).collect();
    scripts.sort();
    assert!(scripts.iter().all(|script| script.extension() == Some(OsStr::new("pkt"))));
    let mut trials = Vec::new();
    for script in scripts {
        let name = script.file_stem().and_then(OsStr::to_str).expect("a name").to_owned();
        let (file, again) = (script.clone(), script.clone());
        trials.push(Trial::test(name.clone(), move || passes(&file, &[])));
        trials.push(Trial::test(format!("under_every_stack_{name}"), move || ends_under_every_stack(&again)));
        // A machine may be late once.
        let on_kernel = move || passes(&script, &["--real", "--runs", "3"]);
        trials.push(Trial::test(format!("kernel_{name}"), on_kernel).with_ignored_flag(true));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn packetdrill(script: &Path, options: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echosim"));
    command.arg("packetdrill").args(options).arg(script);
    // The kernel's scripts want the machine for themselves.
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = options.contains(&"--real").then(|| ALONE.lock().unwrap_or_else(PoisonError::into_inner));
    let output = command.output().expect("echosim");
    drop(alone);
    let told = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&told).into_owned())
}

fn passes(script: &Path, options: &[&str]) -> Result<(), Failed> {
    match packetdrill(script, options) {
        (Some(0), _) => Ok(()),
        (_, told) => Err(told.into()),
    }
}

/// Another system does other things, and says so; it does not panic, and time does not stand still.
fn ends_under_every_stack(script: &Path) -> Result<(), Failed> {
    for stack in ["book", "bsd", "rfc"] {
        match packetdrill(script, &["--stack", stack]) {
            (Some(0 | 1), _) => {}
            // The script sets what the system has not, or not so.
            (Some(2), told) if told.contains("will not do") => {}
            (_, told) => return Err(format!("{stack}: {told}").into()),
        }
    }
    Ok(())
}
