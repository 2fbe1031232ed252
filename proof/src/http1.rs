//! hyper, HTTP/1.1.

use std::convert::Infallible;

use echosim::net::{TcpListener, TcpStream};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use crate::{Program, Result, answer};

/// A connection of HTTP/1.1.
pub struct Http1(SendRequest<Full<Bytes>>);

/// What the servers of both versions answer.
pub(crate) async fn echo(
    request: Request<Incoming>,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    Ok(Response::new(Full::new(answer(body).await)))
}

impl Program for Http1 {
    async fn serve(listener: TcpListener) -> Result {
        loop {
            let (stream, _) = listener.accept().await?;
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(echo));
            tokio::spawn(connection);
        }
    }

    async fn open(stream: TcpStream) -> Result<Http1> {
        let (send, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Http1(send))
    }

    async fn ask(&mut self, body: Vec<u8>) -> Result<Vec<u8>> {
        let request = Request::post("/").header("host", "server").body(Full::from(body))?;
        let response = self.0.send_request(request).await?;
        Ok(response.into_body().collect().await?.to_bytes().into())
    }
}
