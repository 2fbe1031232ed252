//! tonic: a unary echo, its codec written by hand so that no compiler of `.proto` files is needed.

use std::convert::Infallible;
use std::time::Duration;

use bytes::{Buf, BufMut};
use echosim::net::{TcpListener, TcpStream};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tonic::Status;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};

use crate::{Program, Result, answer};

/// A gRPC channel; with `PINGS`, one after 10 s of silence, answered within 5 s or else.
pub struct Rpc<const PINGS: bool>(Grpc<Channel>);

/// Messages are octets.
#[derive(Clone, Copy, Default)]
struct Octets;

impl Codec for Octets {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Octets;
    type Decoder = Octets;

    fn encoder(&mut self) -> Octets {
        Octets
    }

    fn decoder(&mut self) -> Octets {
        Octets
    }
}

impl Encoder for Octets {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, dst: &mut EncodeBuf<'_>) -> std::result::Result<(), Status> {
        dst.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Octets {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> std::result::Result<Option<Vec<u8>>, Status> {
        let mut item = vec![0; src.remaining()];
        src.copy_to_slice(&mut item);
        Ok(Some(item))
    }
}

async fn call(
    request: Request<Incoming>,
) -> std::result::Result<hyper::Response<tonic::body::Body>, Infallible> {
    let echo = tower::service_fn(|request: tonic::Request<Vec<u8>>| async {
        Ok::<_, Status>(tonic::Response::new(answer(request.into_inner()).await))
    });
    Ok(tonic::server::Grpc::new(Octets).unary(echo, request).await)
}

impl<const PINGS: bool> Program for Rpc<PINGS> {
    async fn serve(listener: TcpListener) -> Result {
        loop {
            let (stream, _) = listener.accept().await?;
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service_fn(call)));
        }
    }

    async fn open(stream: TcpStream) -> Result<Self> {
        let mut endpoint = Endpoint::from_static("http://server");
        if PINGS {
            endpoint = endpoint
                .http2_keep_alive_interval(Duration::from_secs(10))
                .keep_alive_timeout(Duration::from_secs(5));
        }
        let mut stream = Some(stream);
        let connector = tower::service_fn(move |_| {
            let stream = stream.take().ok_or_else(|| std::io::Error::other("one connection is all there is"));
            async { stream.map(TokioIo::new) }
        });
        Ok(Rpc(Grpc::new(endpoint.connect_with_connector(connector).await?)))
    }

    async fn ask(&mut self, body: Vec<u8>) -> Result<Vec<u8>> {
        self.0.ready().await?;
        let path = hyper::http::uri::PathAndQuery::from_static("/echo.Echo/Echo");
        Ok(self.0.unary(tonic::Request::new(body), path, Octets).await?.into_inner())
    }
}
