//! Lines are cut where they should be, and nothing is lost.

use std::cell::RefCell;
use std::rc::Rc;

use proptest::prelude::*;

use super::*;
use crate::echo::lines::LineReader;
use crate::os::Fd;

/// What `fgets` makes of a file.
fn pieces(file: &[u8], limit: usize) -> Vec<Vec<u8>> {
    let pieces = Rc::new(RefCell::new(Vec::new()));
    let read = pieces.clone();
    let mut net = Net::new(System::Book);
    net.host(CLIENT).spawn_reading(SimTime::ZERO, "reader", file, async move |os| {
        let mut lines = LineReader::fgets(Fd::STDIN);
        loop {
            let line = lines.next(&os, limit).await.unwrap();
            if line.is_empty() {
                return 0;
            }
            read.borrow_mut().push(line);
        }
    });
    net.pass(secs(1));
    pieces.take()
}

#[test]
fn a_line_longer_than_the_limit_comes_in_pieces() {
    assert_eq!(pieces(b"ab\ncdefg\nh", 3), [&b"ab\n"[..], b"cde", b"fg\n", b"h"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_pieces_make_the_file_and_end_at_newlines_or_the_limit(
        file in prop::collection::vec(prop_oneof![3 => any::<u8>(), 1 => Just(b'\n')], 0..10_000),
        limit in 1usize..5_000,
    ) {
        let pieces = pieces(&file, limit);
        prop_assert_eq!(pieces.concat(), file);
        let (last, others) = pieces.split_last().map_or((None, &[][..]), |(last, others)| (Some(last), others));
        for piece in others {
            prop_assert!(piece.len() == limit || piece.ends_with(b"\n"));
        }
        for piece in others.iter().chain(last) {
            prop_assert!(piece.len() <= limit);
            prop_assert!(!piece[..piece.len() - 1].contains(&b'\n'));
        }
    }
}
