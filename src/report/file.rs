//! A report in a file: the whole of it, or nothing.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes a report to `path`, which it replaces at once when it is complete: half of it is never seen.
///
/// It is first written to a file beside it. What is no file, such as `/dev/stdout`, is written to as it is.
///
/// # Errors
///
/// What the file system or `report` says; then `path` is what it was before, and nothing is left beside it.
pub fn to_file(path: &Path, report: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let existing = match fs::metadata(path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if existing.as_ref().is_some_and(|it| !it.is_file()) {
        return written(OpenOptions::new().write(true).open(path)?, report);
    }
    // Behind a symbolic link is the file that is meant.
    let path = if existing.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    let draft = Draft::beside(&path)?;
    let file = OpenOptions::new().write(true).create_new(true).open(&draft.0)?;
    if let Some(existing) = existing {
        file.set_permissions(existing.permissions())?;
    }
    written(file, report)?;
    fs::rename(&draft.0, &path)
}

fn written(file: File, report: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    report(&mut out)?;
    out.flush()
}

/// A file that is gone when it is no longer needed, whatever happened; once it is renamed, there is none.
struct Draft(PathBuf);

impl Draft {
    /// A hidden name that no other run has at the same time.
    fn beside(path: &Path) -> io::Result<Draft> {
        let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
        let mut draft = OsString::from(".");
        draft.push(name);
        draft.push(format!(".{}", std::process::id()));
        Ok(Draft(path.with_file_name(draft)))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Most often it has its new name by now; if it cannot be removed, no one can be told.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own for each test, empty.
    fn directory(test: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("echosim-{}-{test}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        directory
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("a directory");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_report_replaces_the_file_of_before() {
        let directory = directory("replaces");
        let path = directory.join("report");
        for text in ["old and long", "new"] {
            to_file(&path, |out| out.write_all(text.as_bytes())).expect("it is written");
            assert_eq!(fs::read_to_string(&path).expect("a file"), text);
        }
        assert_eq!(names(&directory), ["report"]);
        fs::remove_dir_all(directory).expect("its own");
    }

    #[test]
    fn half_a_report_is_none() {
        let directory = directory("half");
        let path = directory.join("report");
        let fails = |out: &mut dyn Write| {
            out.write_all(&[b'x'; 1 << 16])?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        };
        assert_eq!(to_file(&path, fails).expect_err("no room").kind(), io::ErrorKind::StorageFull);
        assert!(names(&directory).is_empty());

        to_file(&path, |out| out.write_all(b"whole")).expect("it is written");
        to_file(&path, fails).expect_err("no room");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "whole");
        assert_eq!(names(&directory), ["report"]);
        fs::remove_dir_all(directory).expect("its own");
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let path = directory("missing").join("none").join("report");
        let error = to_file(&path, |_| panic!("there is nothing to write to")).expect_err("no directory");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_replaced() {
        use std::os::unix::fs::{FileTypeExt, symlink};
        let null = Path::new("/dev/null");
        to_file(null, |out| out.write_all(b"into the void")).expect("it takes everything");
        assert!(fs::metadata(null).expect("it is there").file_type().is_char_device());

        let directory = directory("link");
        let (file, link) = (directory.join("file"), directory.join("link"));
        fs::write(&file, "old").expect("a file");
        symlink(&file, &link).expect("a link");
        to_file(&link, |out| out.write_all(b"new")).expect("it is written");
        assert_eq!(fs::read_to_string(&file).expect("a file"), "new");
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
        fs::remove_dir_all(directory).expect("its own");
    }
}
