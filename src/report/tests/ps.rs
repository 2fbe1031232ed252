use std::sync::Arc;

use crate::os::Pid;
use crate::os::sim::{ProcessInfo, ProcessState, Wchan};
use crate::report::ps;
use crate::time::SimTime;

fn process(pid: u32, ppid: u32, state: ProcessState, sleeping_on: Option<Wchan>) -> ProcessInfo {
    let (pid, ppid) = (Pid::from_raw(pid), Pid::from_raw(ppid));
    ProcessInfo { pid, ppid, name: "echo-server".into(), state, sleeping_on, kernel: None, within: None }
}

#[test]
fn processes_stand_with_what_they_sleep_on_in_todays_words_and_the_books() {
    let child = process(102, 101, ProcessState::Sleeping, Some(Wchan::Socket));
    let server = vec![
        process(101, 1, ProcessState::Sleeping, Some(Wchan::Accept)),
        ProcessInfo { within: Some("str_echo"), ..child },
        process(103, 101, ProcessState::Zombie, None),
    ];
    let hosts: [(Arc<str>, _); 3] =
        [("server".into(), Some(server)), ("client".into(), Some(Vec::new())), ("third".into(), None)];
    let mut out = Vec::new();
    ps(&mut out, SimTime::from_nanos(1_500_000_000), &hosts).unwrap();
    let expected = "\
server at 1.500000
PID PPID STAT COMMAND                 WCHAN           (UNP 5.6)        IN
101    1 S    echo-server             inet_csk_accept wait_for_connect
102  101 S    echo-server             wait_woken      tcp_data_wait    str_echo
103  101 Z    [echo-server] <defunct> -               -

client at 1.500000: no processes

third at 1.500000: down
";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}
