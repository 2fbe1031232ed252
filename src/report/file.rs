//! A report in a file: the whole of it, or nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Writes a report to `path`, which it replaces at once when it is complete: half of it is never seen.
///
/// It is first written to a file that has no name (Linux's O_TMPFILE) or, where the file system knows none, a hidden one
/// beside it. Behind a symbolic link is the file that is meant, even if it is not there yet. What is no file, such as
/// `/dev/stdout`, is written to as it is. A file that cannot be replaced, because something is mounted on it or nothing
/// may be created beside it, is overwritten when the report is complete.
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
        return written(&OpenOptions::new().write(true).open(path)?, report);
    }
    let path = behind_links(path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(existing) = existing else {
        return Draft::new(directory).and_then(|draft| {
            written(draft.file(), report)?;
            draft.publish(directory, &path)
        });
    };
    // To a file that may not be written the directory's permission is no way around.
    let mut file = OpenOptions::new().write(true).open(&path)?;
    let draft = Draft::new(directory).or_else(|_| tempfile::tempfile().map(Draft::Nameless))?;
    written(draft.file(), report)?;
    let mut copy = draft.file().try_clone()?;
    let replaced =
        draft.file().set_permissions(existing.permissions()).and_then(|()| draft.publish(directory, &path));
    if replaced.is_err() {
        copy.rewind()?;
        file.set_len(0)?;
        io::copy(&mut copy, &mut file)?;
    }
    Ok(())
}

fn written(file: &File, report: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    report(&mut out)?;
    out.flush()
}

/// The file that a path stands for, which need not be there.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    /// How many links Linux and the BSDs follow, about (path_resolution(7)).
    const LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// A report that nobody sees yet.
enum Draft {
    /// It is gone with this process, whatever ends it.
    Nameless(File),
    /// It is gone with this value.
    Named(NamedTempFile),
}

impl Draft {
    fn new(directory: &Path) -> io::Result<Draft> {
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::fs::OpenOptionsExt;
            let flags = rustix::fs::OFlags::TMPFILE.bits() as i32;
            let mut options = OpenOptions::new();
            options.read(true).write(true).mode(0o666).custom_flags(flags);
            // Without procfs it could be given no name.
            if let Ok(file) = options.open(directory)
                && fs::exists(open_file(&file)).is_ok_and(|there| there)
            {
                return Ok(Draft::Nameless(file));
            }
        }
        named(directory, |path| OpenOptions::new().read(true).write(true).create_new(true).open(path))
            .map(Draft::Named)
    }

    fn file(&self) -> &File {
        match self {
            Draft::Nameless(file) => file,
            Draft::Named(file) => file.as_file(),
        }
    }

    /// Gives it the name `path`, which another file may have until then.
    fn publish(self, directory: &Path, path: &Path) -> io::Result<()> {
        match self {
            Draft::Named(file) => file.persist(path).map(drop).map_err(|error| error.error),
            // A link takes no name that is in use, so it gets one that is not, and then this.
            Draft::Nameless(file) => match link(&file, path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let linked = named(directory, |path| link(&file, path))?;
                    linked.persist(path).map(drop).map_err(|error| error.error)
                }
                result => result,
            },
        }
    }
}

/// What `make` makes under a hidden name that nothing has yet.
fn named<T>(directory: &Path, make: impl FnMut(&Path) -> io::Result<T>) -> io::Result<NamedTempFile<T>> {
    tempfile::Builder::new().prefix(".echosim-").make_in(directory, make)
}

#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    Ok(linkat(CWD, open_file(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

/// Where it is found as long as it is open (open(2), O_TMPFILE).
#[cfg(target_os = "linux")]
fn open_file(file: &File) -> String {
    format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file))
}

/// Other systems give a file without a name none again.
#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
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

    #[test]
    fn a_name_may_be_as_long_as_the_file_system_takes() {
        let directory = directory("long");
        let path = directory.join("x".repeat(255));
        for text in ["old and long", "new"] {
            to_file(&path, |out| out.write_all(text.as_bytes())).expect("it is written");
            assert_eq!(fs::read_to_string(&path).expect("a file"), text);
        }
        fs::remove_dir_all(directory).expect("its own");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_is_killed_leaves_no_draft() {
        let directory = directory("draft");
        if let Draft::Named(_) = Draft::new(&directory).expect("a draft") {
            return; // the file system has no files without a name
        }
        for _ in 0..2 {
            let path = directory.join("report");
            let before = names(&directory);
            let report = |out: &mut dyn Write| {
                out.write_all(&[b'x'; 1 << 16])?;
                assert_eq!(names(&directory), before);
                Ok(())
            };
            to_file(&path, report).expect("it is written");
        }
        fs::remove_dir_all(directory).expect("its own");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_keeps_its_permissions_and_a_new_one_has_the_usual() {
        use std::os::unix::fs::PermissionsExt;
        let directory = directory("permissions");
        let (path, usual) = (directory.join("report"), directory.join("usual"));
        let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode();
        fs::write(&usual, "").expect("a file");
        to_file(&path, |out| out.write_all(b"new")).expect("it is written");
        assert_eq!(mode(&path), mode(&usual));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");
        to_file(&path, |out| out.write_all(b"newer")).expect("it is written");
        assert_eq!(mode(&path) & 0o777, 0o640);
        fs::remove_dir_all(directory).expect("its own");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_what_is_not_there_stays_a_link() {
        use std::os::unix::fs::symlink;
        let directory = directory("dangling");
        let (one, two) = (directory.join("one"), directory.join("two"));
        symlink("two", &one).expect("a link");
        symlink("folder/file", &two).expect("a link");
        let error = to_file(&one, |_| Ok(())).expect_err("no folder");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        fs::create_dir(directory.join("folder")).expect("a folder");
        to_file(&one, |out| out.write_all(b"text")).expect("it is written");
        assert!(fs::symlink_metadata(&one).expect("a link").is_symlink());
        assert_eq!(fs::read(directory.join("folder/file")).expect("a file"), b"text");
        symlink("round", directory.join("round")).expect("a link");
        assert!(to_file(&directory.join("round"), |_| Ok(())).is_err());
        fs::remove_dir_all(directory).expect("its own");
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
