//! What a packet costs: 64 MiB echoed through a world, and many connections at once.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use echosim::errno::Errno;
use echosim::os::sim::{Machine, MachineConfig, SimOs};
use echosim::os::{Family, Fd, Os};
use echosim::router::LinkConfig;
use echosim::sim::{HostSetup, IpVersion, MachineBuilder, World, host_addrs};
use echosim::stack::{self, Profile, System};
use echosim::time::SimTime;
use echosim::timeline::{Direction, Kind, Recorder};

const PORT: u16 = 9877;
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT);

/// Octets echoed.
const BULK: usize = 64 << 20;

/// When every run has long ended by itself.
const END: SimTime = SimTime::from_nanos(3_600_000_000_000_000);

/// Octets of data in a full segment on an Ethernet.
const SEGMENT: usize = 1_460;

async fn server(os: SimOs) -> Result<(), Errno> {
    let listener = os.socket(Family::Inet)?;
    os.bind(listener, ANY)?;
    os.listen(listener, 5)?;
    let (fd, _) = os.accept(listener).await?;
    let mut buf = vec![0; 65_536];
    loop {
        match os.read(fd, &mut buf).await? {
            0 => return Ok(()),
            n => os.write(fd, &buf[..n]).await?,
        };
    }
}

/// Writes in a child what it reads back itself, as neither can wait for the other.
async fn client(os: SimOs, peer: SocketAddr) -> Result<(), Errno> {
    let fd = os.socket(Family::Inet)?;
    os.connect(fd, peer).await?;
    os.fork(move |os| async move {
        let data = vec![7; 65_536];
        let mut left = BULK;
        while left > 0 {
            match os.write(fd, &data[..left.min(data.len())]).await {
                Ok(written) => left -= written,
                Err(errno) => return errno.raw(),
            }
        }
        0
    })?;
    let (mut buf, mut read) = (vec![0; 65_536], 0);
    while read < BULK {
        read += os.read(fd, &mut buf).await?;
    }
    Ok(())
}

fn host(name: &'static str, link: usize) -> HostSetup {
    let addrs = host_addrs(IpVersion::V4, link, 1);
    let peer = SocketAddr::new(host_addrs(IpVersion::V4, 1, 1)[0], PORT);
    let machine: MachineBuilder =
        Box::new(move |_, now| {
            let profile = Profile::of(System::Book);
            let stack = stack::Config {
                addrs: addrs.clone(),
                profile,
                mtu: 1_500,
                seed: link as u64,
                shares_segment: false,
            };
            let mut host = Machine::new(MachineConfig::new(name, stack), Recorder::off(name));
            if name == "server" {
                host.spawn(now, name, |os| async { server(os).await.map_or_else(Errno::raw, |()| 0) });
            } else {
                host.spawn(now, name, move |os| async move {
                    client(os, peer).await.map_or_else(Errno::raw, |()| 0)
                });
            }
            host
        });
    HostSetup {
        name: name.to_owned(),
        addrs: 1,
        link: LinkConfig::default(),
        shares_segment: false,
        machine,
        observer: None,
    }
}

/// Each octet crosses two links there and two back: four hops a segment's worth of data, acknowledgments not counted.
fn bulk(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bulk");
    group.sample_size(10).measurement_time(Duration::from_secs(8));
    group.throughput(Throughput::Elements((BULK.div_ceil(SEGMENT) * 4) as u64));
    group.bench_function("64 MiB echoed, by data packet and hop", |bencher| {
        bencher.iter(|| {
            let hosts = vec![host("client", 0), host("server", 1)];
            let mut world = World::new(IpVersion::V4, 1, hosts, Recorder::off("world")).expect("it starts");
            world.run_until(END).expect("it runs to its end");
            world.now()
        });
    });
    group.finish();
}

/// How many lines are echoed in one run, over however many connections.
const LINES: usize = 20_000;

/// A connection for each of `connections`; every one of them has a line under way at the same time.
async fn crowd(os: SimOs, peer: SocketAddr, connections: usize) -> Result<(), Errno> {
    let mut fds = Vec::with_capacity(connections);
    for _ in 0..connections {
        let fd = os.socket(Family::Inet)?;
        os.connect(fd, peer).await?;
        fds.push(fd);
    }
    let mut buf = [0; 64];
    for _ in 0..LINES / connections {
        for fd in &fds {
            os.write(*fd, &[7; 64]).await?;
        }
        for fd in &fds {
            os.read(*fd, &mut buf).await?;
        }
    }
    Ok(())
}

/// The book's server: a child for each connection.
async fn forking_server(os: SimOs, connections: usize) -> Result<(), Errno> {
    let listener = os.socket(Family::Inet)?;
    os.bind(listener, ANY)?;
    os.listen(listener, connections)?;
    loop {
        let (fd, _) = os.accept(listener).await?;
        os.fork(move |os| async move { echo(os, fd).await.map_or_else(Errno::raw, |()| 0) })?;
        os.close(fd)?;
    }
}

async fn echo(os: SimOs, fd: Fd) -> Result<(), Errno> {
    let mut buf = [0; 64];
    loop {
        match os.read(fd, &mut buf).await? {
            0 => return Ok(()),
            n => os.write(fd, &buf[..n]).await?,
        };
    }
}

fn crowded_host(name: &'static str, link: usize, connections: usize, recorder: &Recorder) -> HostSetup {
    let addrs = host_addrs(IpVersion::V4, link, 1);
    let peer = SocketAddr::new(host_addrs(IpVersion::V4, 1, 1)[0], PORT);
    let recorder = recorder.clone();
    let machine: MachineBuilder = Box::new(move |_, now| {
        let mut profile = Profile::of(System::Book);
        // As a server of ten thousand connections would set it.
        profile.buffer = Some(4_096);
        let stack = stack::Config {
            addrs: addrs.clone(),
            profile,
            mtu: 1_500,
            seed: link as u64,
            shares_segment: false,
        };
        let mut config = MachineConfig::new(name, stack);
        config.limits.descriptors = connections + 16;
        config.limits.processes = connections + 16;
        let mut host = Machine::new(config, recorder.clone());
        let done = |result: Result<(), Errno>| result.map_or_else(Errno::raw, |()| 0);
        if name == "server" {
            host.spawn(now, name, move |os| async move { done(forking_server(os, connections).await) });
        } else {
            host.spawn(now, name, move |os| async move { done(crowd(os, peer, connections).await) });
        }
        host
    });
    HostSetup {
        name: name.to_owned(),
        addrs: 1,
        link: LinkConfig::default(),
        shares_segment: false,
        machine,
        observer: None,
    }
}

fn crowded_world(connections: usize, recorder: Recorder) -> World {
    let hosts = ["client", "server"].into_iter().enumerate();
    let hosts = hosts.map(|(link, name)| crowded_host(name, link, connections, &recorder)).collect();
    World::new(IpVersion::V4, 1, hosts, recorder).expect("it starts")
}

/// How many segments a run sends, for the time of one.
fn segments(connections: usize) -> u64 {
    let mut world = crowded_world(connections, Recorder::new("world"));
    world.run_until(END).expect("it runs to its end");
    let out = |kind: &Kind| matches!(kind, Kind::Segment(segment) if segment.dir == Direction::Out);
    world.recorder().events_from(0).iter().filter(|event| out(&event.kind)).count() as u64
}

/// From the handshakes to the last acknowledgment, with as many connections at once; the time is that of a segment.
fn connections(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("connections");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    for connections in [1, 10, 100, 1_000, 10_000] {
        group.throughput(Throughput::Elements(segments(connections)));
        group.bench_function(BenchmarkId::from_parameter(connections), |bencher| {
            bencher.iter(|| {
                let mut world = crowded_world(connections, Recorder::off("world"));
                world.run_until(END).expect("it runs to its end");
                world.now()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bulk, connections);
criterion_main!(benches);
