//! Whatever programs do with descriptors, the tables stay true and end empty.

use std::collections::BTreeMap;
use std::pin::Pin;

use proptest::prelude::*;

use super::*;
use crate::os::Family;
use crate::os::sim::open_file::Object;

#[derive(Clone, Copy, Debug)]
enum Op {
    Socket,
    Pipe,
    Dup(i32),
    Close(i32),
    /// A child does the next so many of these, and its parent the rest.
    Fork(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        Just(Op::Socket),
        Just(Op::Pipe),
        (0..12).prop_map(Op::Dup),
        (0..12).prop_map(Op::Close),
        (0usize..10).prop_map(Op::Fork),
    ]
}

fn interpret(os: SimOs, mut ops: Vec<Op>) -> Pin<Box<dyn Future<Output = i32>>> {
    Box::pin(async move {
        ops.reverse();
        while let Some(op) = ops.pop() {
            match op {
                Op::Socket => _ = os.socket(Family::Inet),
                Op::Pipe => _ = os.pipe(),
                Op::Dup(fd) => _ = os.dup(Fd::from_raw(fd)),
                Op::Close(fd) => _ = os.close(Fd::from_raw(fd)),
                Op::Fork(len) => {
                    let mut child = ops.split_off(ops.len().saturating_sub(len));
                    child.reverse();
                    os.fork(|os| interpret(os, child)).unwrap();
                }
            }
        }
        os.sleep(secs(1)).await.unwrap();
        0
    })
}

proptest! {
    #[test]
    fn an_open_file_has_as_many_descriptors_as_it_says(ops in prop::collection::vec(op(), 0..60)) {
        let mut rig = Rig::with_limits(Limits { descriptors: 10, ..Limits::default() });
        rig.start(|os| interpret(os, ops));
        {
            let kernel = rig.host.kernel.borrow();
            let mut counted = BTreeMap::new();
            for file in kernel.processes.iter().flat_map(|(_, process)| process.descriptors.iter().flatten()) {
                *counted.entry(*file).or_insert(0) += 1;
            }
            let said: BTreeMap<_, _> = kernel.files.iter().map(|(key, file)| (key, file.descriptors)).collect();
            prop_assert_eq!(counted, said);
            for (key, pipe) in &kernel.pipes {
                let is_open = |object| kernel.files.iter().any(|(_, file)| file.object == object);
                prop_assert_eq!(pipe.has_reader, is_open(Object::PipeReader(key)));
                prop_assert_eq!(pipe.has_writer, is_open(Object::PipeWriter(key)));
            }
        }
        rig.pass(secs(1));
        let kernel = rig.host.kernel.borrow();
        prop_assert!(kernel.processes.is_empty());
        prop_assert!(kernel.files.is_empty() && kernel.pipes.is_empty() && kernel.terminals.is_empty());
        prop_assert_eq!(kernel.queues.next_alarm(), None);
        prop_assert!(rig.host.tasks.is_empty());
    }
}
