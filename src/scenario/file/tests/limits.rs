//! What is said about a file that asks for too much.

use super::{refused, refused_file, scenario};

#[test]
fn what_is_too_large_is_refused_with_the_limit() {
    assert_eq!(
        refused("type = [{ lines = 100000 }, { line = \"one more\" }]"),
        "x.toml:6: host.client.type: more typed lines than the limit of 100000"
    );
    assert_eq!(
        refused("count = 1001\ntype = [{ lines = 100 }]"),
        "x.toml:7: host.client.type: more typed lines than the limit of 100000"
    );
    assert_eq!(
        refused("type = [{ lines = 9223372036854775807 }]"),
        "x.toml:6: host.client.type: more typed lines than the limit of 100000"
    );
    let long = "x".repeat(1_000);
    assert_eq!(
        refused(&format!("stdin = {{ each = \"{long}\", count = 70000 }}")),
        "x.toml:6: host.client.stdin: more octets than the limit of 67108864"
    );
    assert_eq!(
        refused(&format!("count = 1000\ntype = [{{ line = \"{}\" }}]", long.repeat(70))),
        "x.toml:7: host.client.type: more octets than the limit of 67108864"
    );
    assert_eq!(
        refused("count = 10001"),
        "x.toml:6: host.client.count: more processes than the limit of 10000"
    );
    assert_eq!(
        refused("count = 9999\n[host.idle]\n[host.x]\nrun = \"echo-server\""),
        "x.toml:8: host.x.count: more processes than the limit of 10000"
    );
    assert_eq!(refused("addrs = 17"), "x.toml:6: host.client.addrs: expected 1 to 16 addresses");
    assert_eq!(
        refused("[expect.client]\nprints = { lines = 100001 }"),
        "x.toml:7: expect.client.prints: more lines than the limit of 100000"
    );
    let hosts: String = (0..10_001).map(|n| format!("[host.h{n}]\n")).collect();
    assert_eq!(
        refused_file(&format!("name = \"x\"\n{hosts}")),
        "x.toml:10002: host: more hosts than the limit of 10000"
    );
    let faults = "[[fault]]\nat = \"1s\"\ndo = \"crash\"\nhost = \"server\"\n".repeat(10_001);
    assert_eq!(refused(&faults), "x.toml:40006: fault: more faults than the limit of 10000");
}

#[test]
fn a_crowd_may_be_as_large_as_the_limit() {
    assert_eq!(scenario("count = 9999\ntype = [{ lines = 10 }]").hosts[1].count, 9_999);
}

#[test]
fn a_count_needs_a_program() {
    assert_eq!(
        refused("count = 0"),
        "x.toml:6: host.client.count: at least one process, of a program to run"
    );
    assert_eq!(
        refused("[host.idle]\ncount = 2"),
        "x.toml:7: host.idle.count: at least one process, of a program to run"
    );
}
