//! hyper, HTTP/2, with and without pings.

use std::time::Duration;

use echosim::net::{TcpListener, TcpStream};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use crate::http1::echo;
use crate::{Program, Result};

/// A connection of HTTP/2; with `PINGS`, one after 10 s of silence, answered within 5 s or else.
pub struct Http2<const PINGS: bool>(SendRequest<Full<Bytes>>);

impl<const PINGS: bool> Program for Http2<PINGS> {
    async fn serve(listener: TcpListener) -> Result {
        loop {
            let (stream, _) = listener.accept().await?;
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service_fn(echo)));
        }
    }

    async fn open(stream: TcpStream) -> Result<Self> {
        let mut client = http2::Builder::new(TokioExecutor::new());
        client.timer(TokioTimer::new());
        if PINGS {
            client.keep_alive_interval(Duration::from_secs(10)).keep_alive_timeout(Duration::from_secs(5));
        }
        let (send, connection) = client.handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Http2(send))
    }

    async fn ask(&mut self, body: Vec<u8>) -> Result<Vec<u8>> {
        let request = Request::post("http://server/").body(Full::from(body))?;
        let response = self.0.send_request(request).await?;
        Ok(response.into_body().collect().await?.to_bytes().into())
    }
}
