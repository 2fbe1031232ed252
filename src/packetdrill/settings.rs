//! Commands before the first step: the kernel's settings, as keys of our TCP profiles.

use crate::stack::Profile;

/// The keys that a command sets, and their values: `sysctl -q net.ipv4.tcp_retries2=5`, a line each, or
/// `set_sysctls.py /proc/sys/net/ipv4/tcp_retries2=5`. A key's own name will do as well.
///
/// # Errors
///
/// What is not supported.
pub(super) fn settings(command: &str) -> Result<Vec<(String, String)>, String> {
    let mut settings = Vec::new();
    for line in command.lines().flat_map(|line| line.split("&&")).flat_map(|line| line.split(';')) {
        let mut words = line.split_whitespace();
        let Some(program) = words.next().filter(|word| !word.starts_with('#')) else { continue };
        match program.rsplit('/').next() {
            // What a script starts from is the profile.
            Some("defaults.sh") => {}
            Some("sysctl" | "set_sysctls.py") => {
                let given = words.filter(|word| !word.starts_with('-')).collect::<Vec<_>>().join(" ");
                settings.extend(assignments(&given)?);
            }
            _ => return Err(format!("the command {program} is not supported; sysctl is")),
        }
    }
    Ok(settings)
}

/// `a=1 b="1 2"`: a value may have blanks, as those of `tcp_rmem` have.
fn assignments(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pieces = text.split('=');
    let mut name = pieces.next().unwrap_or_default().trim().to_owned();
    let mut all = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        // All but the last word of a piece is the value; that is the next one's name.
        let (value, next) = match pieces.peek() {
            Some(_) => piece.trim().rsplit_once(' ').ok_or_else(|| format!("{name}: no value"))?,
            None => (piece, ""),
        };
        all.push(setting(&name, value.trim().trim_matches(['"', '\'']))?);
        name = next.to_owned();
    }
    if all.is_empty() { Err(format!("`{text}` sets nothing; expected name=value")) } else { Ok(all) }
}

fn setting(name: &str, value: &str) -> Result<(String, String), String> {
    let dotted = name.trim_start_matches("/proc/sys/").replace('/', ".");
    let key = Profile::KEYS.iter().find(|key| key.sysctl.is_some_and(|sysctl| sysctl.name == dotted));
    if let Some((key, sysctl)) = key.and_then(|key| Some((key, key.sysctl?))) {
        let value = sysctl.of_native(value).ok_or_else(|| format!("{name}: {value:?} will not do"))?;
        return Ok((key.name.to_owned(), value));
    }
    match Profile::key(name) {
        Some(key) => Ok((key.name.to_owned(), value.to_owned())),
        None => Err(format!("the setting {name} is not supported")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(command: &str) -> Vec<(String, String)> {
        settings(command).unwrap()
    }

    #[test]
    fn a_kernels_setting_is_a_key_of_the_profile() {
        let of = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
        assert_eq!(set("sysctl -q net.ipv4.tcp_retries2=5"), of("retries", "5"));
        assert_eq!(set("sysctl -q net.ipv4.tcp_keepalive_time=20"), of("keepalive_time", "20s"));
        assert_eq!(
            set("sysctl -qw net.ipv4.tcp_rmem=\"4096 8192 16384\""),
            of("tcp_rmem", "4096,8192,16384")
        );
        assert_eq!(set("sysctl -q net.ipv4.tcp_timestamps=0"), of("tcp_timestamps", "off"));
        assert_eq!(set("./set_sysctls.py /proc/sys/net/ipv4/tcp_timestamps=1"), of("tcp_timestamps", "on"));
        assert_eq!(set("sysctl retries=5"), of("retries", "5"));
    }

    #[test]
    fn a_command_may_have_several_settings() {
        assert_eq!(
            set("../common/defaults.sh\nsysctl -q net.ipv4.tcp_retries2=5 net.ipv4.tcp_syn_retries=1").len(),
            2
        );
        assert_eq!(set("sysctl net.ipv4.tcp_retries2=5 && sysctl net.ipv4.tcp_syn_retries=1").len(), 2);
        assert_eq!(set("sysctl net.ipv4.tcp_rmem=1024 2048 4096 net.ipv4.tcp_syn_retries=1").len(), 2);
    }

    #[test]
    fn what_is_not_supported_is_named() {
        assert!(settings("ip link set up").unwrap_err().contains("the command ip"));
        assert!(settings("sysctl -q net.ipv4.tcp_ecn=2").unwrap_err().contains("net.ipv4.tcp_ecn"));
        assert!(settings("sysctl -q net.ipv4.tcp_retries2=x").unwrap_err().contains("\"x\""));
        assert!(settings("sysctl -q").unwrap_err().contains("sets nothing"));
    }
}
