use super::*;
use crate::os::Family;

#[test]
fn descriptors_are_the_lowest_free_numbers() {
    let rig = Rig::after(async |os: SimOs| {
        let first = os.socket(Family::Inet).unwrap();
        let second = os.dup(first).unwrap();
        os.close(first).unwrap();
        let third = os.socket(Family::Inet).unwrap();
        say(&os, format!("{first} {second} {third}")).await;
        0
    });
    assert_eq!(rig.said(), ["3 4 3"]);
}

#[test]
fn a_closed_descriptor_is_a_bad_one() {
    let rig = Rig::after(async |os: SimOs| {
        let fd = os.socket(Family::Inet).unwrap();
        os.close(fd).unwrap();
        let again = os.close(fd);
        let read = os.read(fd, &mut [0]).await;
        let negative = os.write(Fd::from_raw(-1), b"x").await;
        say(&os, format!("{again:?} {read:?} {negative:?}")).await;
        0
    });
    assert_eq!(rig.said(), ["Err(EBADF) Err(EBADF) Err(EBADF)"]);
}

#[test]
fn a_terminal_is_no_socket() {
    let rig = Rig::after(async |os: SimOs| {
        let result = os.listen(Fd::STDIN, 5);
        say(&os, format!("{result:?}")).await;
        0
    });
    assert_eq!(rig.said(), ["Err(ENOTSOCK)"]);
}

#[test]
fn a_listening_port_is_free_again_only_after_its_last_close() {
    let mut rig = Rig::new();
    rig.start(async |os| {
        let any = "0.0.0.0:9877".parse().unwrap();
        let listening = os.socket(Family::Inet).unwrap();
        os.bind(listening, any).unwrap();
        os.listen(listening, 5).unwrap();
        // The child forgets close(listenfd).
        os.fork(|os| async move {
            os.sleep(secs(5)).await.unwrap();
            0
        })
        .unwrap();
        os.close(listening).unwrap();
        for _ in 0..2 {
            let next = os.socket(Family::Inet).unwrap();
            let bound = os.bind(next, any);
            say(&os, format!("{bound:?}")).await;
            os.sleep(secs(6)).await.unwrap();
        }
        0
    });
    rig.pass(secs(10));
    assert_eq!(rig.said(), ["Err(EADDRINUSE)", "Ok(())"]);
}
