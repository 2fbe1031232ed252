//! What can be written, and what is said of what cannot.

use std::time::Duration;

use super::*;
use crate::echo::server::{Forgotten, Reap};
use crate::os::SocketOption;

const ANY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

fn parse(line: &str) -> Result<Command, BadCommand> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let resolve = |name: &str| (name == "server").then_some(IpAddr::from([192, 0, 2, 2]));
    Command::parse(&words, ANY, resolve)
}

fn client(line: &str) -> Client {
    match parse(line) {
        Ok(Command::Client(client)) => client,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn the_books_port_is_the_default() {
    let server = Command::Server(Server::new("0.0.0.0:9877".parse().unwrap(), Service::Echo));
    assert_eq!(parse("echo-server"), Ok(server));
    assert_eq!(client("echo-client server"), Client::new("192.0.2.2:9877".parse().unwrap(), Session::InTurn));
    assert_eq!(
        client("echo-client 2001:db8::2 7"),
        Client::new("[2001:db8::2]:7".parse().unwrap(), Session::InTurn)
    );
}

#[test]
fn options_of_the_client_become_socket_options() {
    let command = client("echo-client server --keepalive=2h,75s,9 --poll --user-timeout=10s");
    let secs = Duration::from_secs;
    let options = [
        SocketOption::KeepAlive(true),
        SocketOption::KeepIdle(secs(7_200)),
        SocketOption::KeepInterval(secs(75)),
        SocketOption::KeepCount(9),
        SocketOption::UserTimeout(secs(10)),
    ];
    assert_eq!(command.options, options);
    assert_eq!(command.session, Session::Poll);
    let command = client("echo-client server --sockopt=TCP_SYNCNT=2 --sockopt=TCP_LINGER2=-1");
    assert_eq!(command.options, [SocketOption::SynCount(2), SocketOption::Linger2(None)]);
    for wrong in ["TCP_SYNCNT", "TCP_SYNCNT=x", "TCP_SYNCNT=256", "TCP_NOTHING=1"] {
        let message = parse(&format!("echo-client server --sockopt={wrong}")).unwrap_err().to_string();
        assert!(message.contains("such as TCP_SYNCNT=2"), "{message}");
    }
    assert_eq!(client("echo-client server --half-close --poll").session, Session::PollThenShutdown);
}

#[test]
fn what_cannot_be_read_says_what_was_expected() {
    let message = |line| parse(line).unwrap_err().to_string();
    assert_eq!(message(""), "no program is named");
    assert_eq!(
        message("ecko"),
        "unknown program `ecko`, expected `echo-server`, `echo-client`, `sum-server`, `sum-client`, `push-server` or `echo-proxy`"
    );
    assert_eq!(message("echo-client"), "`echo-client`: expected a host to connect to");
    assert_eq!(message("echo-client nobody"), "`echo-client`: unknown host `nobody`");
    assert_eq!(message("echo-server 70000"), "`echo-server`: expected a port from 1 to 65535, found `70000`");
    assert_eq!(message("echo-server 7 8"), "`echo-server`: unexpected `8`");
    assert!(message("echo-server --fast").contains("unknown option `--fast`"));
    assert!(message("echo-client server --keepalive=1,2").contains("three values such as 2h,75s,9"));
    assert!(message("echo-client server --user-timeout=soon").contains("a time such as"));
    assert!(message("echo-client server --linger=99999999999999999999h").contains("a time such as"));
}

#[test]
fn a_server_is_told_what_it_does_about_its_children_and_its_descriptors() {
    let line = "echo-server --reap=wait --sa-restart=off --eintr=die --sigterm=catch --forgets=listenfd";
    let Ok(Command::Server(server)) = parse(line) else { panic!("{:?}", parse(line)) };
    let expected = Server {
        reap: Reap::Wait,
        restarts: false,
        expects_eintr: false,
        catches_sigterm: true,
        forgets: Some(Forgotten::Listenfd),
        ..Server::new(server.listen, Service::Echo)
    };
    assert_eq!(server, expected);
}

#[test]
fn only_the_sum_programs_are_binary_and_they_do_not_poll() {
    assert_eq!(parse("sum-server --binary").map(|command| command.name()), Ok("sum-server"));
    assert_eq!(client("sum-client server --binary").session, Session::SumBinary);
    for line in ["echo-server --binary", "echo-client server --binary", "sum-client server --poll"] {
        assert!(matches!(parse(line), Err(BadCommand::Option { .. })), "{line}");
    }
}

#[test]
fn a_word_of_a_few_is_refused_with_all_of_them() {
    let message = |line| parse(line).unwrap_err().to_string();
    assert_eq!(
        message("echo-server --reap=never"),
        "`echo-server`: `--reap=never`: expected none, wait or waitpid"
    );
    assert!(message("echo-client server --sigpipe=no").ends_with("expected default or ignore"));
    assert!(message("echo-client server --no-delay=2").ends_with("expected on or off"));
    assert!(message("echo-client server --connections=0").ends_with("expected a number from 1 to 1000"));
}
