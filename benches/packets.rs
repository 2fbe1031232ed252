//! What a packet costs: 64 MiB echoed through a world, and many connections at once.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use echosim::errno::Errno;
use echosim::os::sim::{Host, HostConfig, SimOs};
use echosim::os::{Family, Os};
use echosim::router::LinkConfig;
use echosim::sim::{HostSetup, IpVersion, Machine, World, host_addrs};
use echosim::stack::{self, Profile, SocketId, Stack, System};
use echosim::time::SimTime;
use echosim::timeline::Recorder;

const PORT: u16 = 9877;
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT);

/// Octets echoed.
const BULK: usize = 64 << 20;

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
    let machine: Machine =
        Box::new(move |_, now| {
            let profile = Profile::of(System::Book);
            let stack = stack::Config { addrs: addrs.clone(), profile, mtu: 1_500, seed: link as u64 };
            let mut host = Host::new(HostConfig::new(name, stack), Recorder::off(name));
            if name == "server" {
                host.spawn(now, name, |os| async { server(os).await.map_or_else(Errno::raw, |()| 0) });
            } else {
                host.spawn(now, name, move |os| async move {
                    client(os, peer).await.map_or_else(Errno::raw, |()| 0)
                });
            }
            host
        });
    HostSetup { name: name.to_owned(), addrs: 1, link: LinkConfig::default(), machine }
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
            world.run_until(SimTime::ZERO + Duration::from_secs(3_600)).expect("it runs to its end");
            world.now()
        });
    });
    group.finish();
}

/// Two stacks back to back, with connections that each have a short message to send in turn.
struct Pair {
    client: Stack,
    server: Stack,
    sockets: Vec<(SocketId, SocketId)>,
    now: SimTime,
}

impl Pair {
    fn connected(connections: usize) -> Pair {
        let stack = |addr: [u8; 4], seed| {
            // The RFC's backlog is as long as it says.
            let profile = Profile::of(System::Rfc);
            let addrs = vec![Ipv4Addr::from(addr).into()];
            Stack::new(stack::Config { addrs, profile, mtu: 1_500, seed }, Recorder::off("host"))
        };
        let (client, server) = (stack([10, 0, 1, 1], 1), stack([10, 0, 2, 1], 2));
        let mut pair = Pair { client, server, sockets: Vec::new(), now: SimTime::ZERO };
        let listener = pair.server.socket();
        pair.server.bind(listener, ANY).expect("the port is free");
        pair.server.listen(listener, connections).expect("it is bound");
        let peer = SocketAddr::new(pair.server.addrs()[0], PORT);
        for _ in 0..connections {
            let client = pair.client.socket();
            assert_eq!(pair.client.connect(pair.now, client, peer), Err(Errno::EINPROGRESS));
            pair.carry();
            let (server, _) = pair.server.accept(pair.now, listener).expect("the handshake is done");
            pair.sockets.push((client, server));
        }
        pair
    }

    /// Carries packets until there are none; answers how many.
    fn carry(&mut self) -> u64 {
        let mut carried = 0;
        loop {
            let to_server: Option<Bytes> = self.client.transmit();
            let to_client = self.server.transmit();
            if to_server.is_none() && to_client.is_none() {
                while self.client.poll_event().is_some() || self.server.poll_event().is_some() {}
                return carried;
            }
            carried += u64::from(to_server.is_some()) + u64::from(to_client.is_some());
            to_server.into_iter().for_each(|packet| self.server.receive(self.now, packet));
            to_client.into_iter().for_each(|packet| self.client.receive(self.now, packet));
        }
    }

    /// A message there and back on the n-th connection.
    fn echo(&mut self, n: usize) -> u64 {
        let (client, server) = self.sockets[n % self.sockets.len()];
        let mut buf = [0; 512];
        self.now += Duration::from_micros(10);
        self.client.write(self.now, client, &[7; 512]).expect("there is room");
        let mut carried = self.carry();
        let read = self.server.read(self.now, server, &mut buf).expect("it has come");
        self.server.write(self.now, server, &buf[..read]).expect("there is room");
        carried += self.carry();
        self.client.read(self.now, client, &mut buf).expect("it has come back");
        carried + self.carry()
    }
}

/// How many messages are timed at once: as many for one connection as for ten thousand.
const MESSAGES: usize = 10_000;

fn connections(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("connections");
    group.sample_size(10);
    for connections in [1, 10, 100, 1_000, 10_000] {
        let mut pair = Pair::connected(connections);
        let packets = (0..MESSAGES).map(|n| pair.echo(n)).sum();
        group.throughput(Throughput::Elements(packets));
        group.bench_function(BenchmarkId::from_parameter(connections), |bencher| {
            bencher.iter(|| (0..MESSAGES).map(|n| pair.echo(n)).sum::<u64>());
        });
    }
    group.finish();
}

criterion_group!(benches, bulk, connections);
criterion_main!(benches);
