//! An axum server; hyper asks it.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use axum::serve::Listener;
use echosim::net::{TcpListener, TcpStream};

use crate::http1::Http1;
use crate::{Program, Result, answer};

/// An axum server and a client of HTTP/1.1.
pub struct Rest(Http1);

/// axum knows tokio's listener by name and every other by this trait.
struct Door(TcpListener);

impl Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            if let Ok(accepted) = self.0.accept().await {
                return accepted;
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Program for Rest {
    async fn serve(listener: TcpListener) -> Result {
        let app = Router::new().route("/", post(|body: Bytes| answer(body)));
        Ok(axum::serve(Door(listener), app).await?)
    }

    async fn open(stream: TcpStream) -> Result<Rest> {
        Http1::open(stream).await.map(Rest)
    }

    async fn ask(&mut self, body: Vec<u8>) -> Result<Vec<u8>> {
        self.0.ask(body).await
    }
}
