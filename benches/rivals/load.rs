//! What is asked of a server. The same for all, and every octet that is waited for has to come.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A line, as a person might type it.
const LINE: &[u8] = b"What will my TCP program see when the other machine dies?\n";

/// Octets of a write, and of a read at the most.
const CHUNK: usize = 64 << 10;

/// Who does nothing for longer than this hangs.
const TIME_LIMIT: Duration = Duration::from_secs(3);

/// A connection whose calls do not wait for ever.
pub(crate) fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIME_LIMIT))?;
    stream.set_write_timeout(Some(TIME_LIMIT))?;
    Ok(stream)
}

/// Sends the line and reads it back.
pub(crate) fn echo(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(LINE)?;
    let mut back = [0; LINE.len()];
    stream.read_exact(&mut back)?;
    if back == LINE { Ok(()) } else { Err(io::Error::other("not what was sent")) }
}

/// Connects, echoes one line, closes.
pub(crate) fn one_echo(server: SocketAddr) -> io::Result<()> {
    echo(&mut connect(server)?)
}

/// Connections a second, with so many in flight: each is opened, echoes one line and is closed.
pub(crate) fn connections_a_second(server: SocketAddr, in_flight: usize, span: Duration) -> io::Result<f64> {
    let start = Instant::now();
    let done = AtomicU64::new(0);
    each(in_flight, |_| {
        while start.elapsed() < span {
            one_echo(server)?;
            done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })?;
    Ok(done.into_inner() as f64 / start.elapsed().as_secs_f64())
}

/// Times of one echo, in order, on `open` connections asked in turn.
pub(crate) fn latencies(server: SocketAddr, open: usize, span: Duration) -> io::Result<Vec<Duration>> {
    let mut streams = (0..open).map(|_| connect(server)).collect::<io::Result<Vec<_>>>()?;
    // The first echo of each is the child's start.
    streams.iter_mut().try_for_each(echo)?;
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < span {
        for stream in &mut streams {
            let before = Instant::now();
            echo(stream)?;
            times.push(before.elapsed());
        }
    }
    times.sort_unstable();
    Ok(times)
}

/// Octets a second in one direction, while as many come back: `octets` through each of `connections`.
pub(crate) fn bulk(server: SocketAddr, connections: usize, octets: usize) -> io::Result<f64> {
    let streams = (0..connections).map(|_| connect(server)).collect::<io::Result<Vec<_>>>()?;
    streams.iter().try_for_each(|stream| echo(&mut stream.try_clone()?))?;
    let start = Instant::now();
    each(connections * 2, |number| {
        let stream = &streams[number / 2];
        if number % 2 == 0 { send(stream, octets) } else { receive(stream, octets) }
    })?;
    Ok((connections * octets) as f64 / start.elapsed().as_secs_f64())
}

fn send(mut stream: &TcpStream, octets: usize) -> io::Result<()> {
    let chunk = vec![b'x'; CHUNK];
    for _ in 0..octets / CHUNK {
        stream.write_all(&chunk)?;
    }
    Ok(())
}

/// Until all is back: not every rival is fit for a connection of which one half is shut.
fn receive(mut stream: &TcpStream, octets: usize) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut left = octets / CHUNK * CHUNK;
    while left > 0 {
        match stream.read(&mut chunk)? {
            0 => return Err(io::Error::other(format!("{left} octets did not come back"))),
            len => left = left.checked_sub(len).ok_or_else(|| io::Error::other("more than was sent"))?,
        }
    }
    Ok(())
}

/// Runs `work` in so many threads at once; the first error of any.
fn each(threads: usize, work: impl Fn(usize) -> io::Result<()> + Sync) -> io::Result<()> {
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..threads).map(|number| scope.spawn(move || work(number))).collect();
        running.into_iter().try_for_each(|thread| thread.join().expect("the work does not panic"))
    })
}
