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

#[test]
fn a_client_is_told_where_it_comes_from_and_how_long_it_waits() {
    let bind =
        |local: &str| client(&format!("echo-client server --bind={local}")).bind.map(|it| it.to_string());
    assert_eq!(bind(":4000").as_deref(), Some("0.0.0.0:4000"));
    assert_eq!(bind("server").as_deref(), Some("192.0.2.2:0"));
    assert_eq!(bind("server:4000").as_deref(), Some("192.0.2.2:4000"));
    assert_eq!(bind("2001:db8::2").as_deref(), Some("[2001:db8::2]:0"));
    assert_eq!(bind("[2001:db8::2]:4000").as_deref(), Some("[2001:db8::2]:4000"));
    for wrong in ["", ":", "nobody", "server:port", "server:70000"] {
        assert!(parse(&format!("echo-client server --bind={wrong}")).is_err(), "{wrong:?}");
    }
    let reconnect = |text: &str| {
        client(&format!("echo-client server {text}"))
            .reconnect
            .map(|it| (it.first.as_secs(), it.most.as_secs()))
    };
    assert_eq!(reconnect("--reconnect"), Some((1, 60)));
    assert_eq!(reconnect("--reconnect=2s"), Some((2, 60)));
    assert_eq!(reconnect("--reconnect=2s,8s"), Some((2, 8)));
    assert_eq!(reconnect("--reconnect=2min"), Some((120, 120)));
    assert!(parse("echo-client server --reconnect=8s,2s").is_err());
    assert!(parse("echo-client server --reconnect=0s").is_err());
    let timed = client("echo-client server --connect-timeout=3s --read-timeout=5s --write-size=7");
    assert_eq!((timed.connect_timeout, timed.write_size), (Some(Duration::from_secs(3)), Some(7)));
    assert_eq!(timed.options, [SocketOption::ReceiveTimeout(Duration::from_secs(5))]);
}

#[test]
fn a_proxy_has_a_host_behind_it_and_a_push_server_a_pace() {
    let server = |line: &str| match parse(line) {
        Ok(Command::Server(server)) => server,
        other => panic!("{line}: {other:?}"),
    };
    let proxy = server("echo-proxy server 7 --half-close=off --bind=:8080 --keepalive");
    let behind = Proxy { server: "192.0.2.2:7".parse().unwrap(), half_close: false };
    assert_eq!((proxy.service, proxy.listen.port()), (Service::Proxy(behind), 8080));
    assert_eq!(proxy.options, [SocketOption::KeepAlive(true)]);
    assert_eq!(parse("echo-proxy"), Err(BadCommand::NoHost("echo-proxy")));
    let push = server("push-server 7 --every=250ms --lines=3");
    assert_eq!(push.service, Service::Push { every: Duration::from_millis(250), lines: Some(3) });
    for line in ["echo-server --every=1s", "push-server --half-close", "push-server --write-size=3"] {
        assert!(matches!(parse(line), Err(BadCommand::Option { .. })), "{line}");
    }
}
