//! rustls, by way of tokio-rustls.

use std::cell::RefCell;
use std::sync::Arc;

use echosim::net::{TcpListener, TcpStream};
use rcgen::CertifiedKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::{Program, Result, answer};

/// A TLS session in which every message has its length before it.
pub struct Tls(TlsStream<TcpStream>);

thread_local! {
    /// Both ends of a simulation are on one thread.
    static CERTIFICATE: RefCell<Option<CertificateDer<'static>>> = const { RefCell::new(None) };
}

impl Program for Tls {
    async fn serve(listener: TcpListener) -> Result {
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(["server".to_owned()])?;
        CERTIFICATE.set(Some(cert.der().clone()));
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        loop {
            let (stream, _) = listener.accept().await?;
            let accept = acceptor.accept(stream);
            tokio::spawn(async move {
                let mut stream = accept.await?;
                loop {
                    let mut body = vec![0; stream.read_u32().await? as usize];
                    stream.read_exact(&mut body).await?;
                    let body = answer(body).await;
                    stream.write_u32(body.len() as u32).await?;
                    stream.write_all(&body).await?;
                    stream.flush().await?;
                }
                #[allow(unreachable_code, reason = "it says what the block answers")]
                std::io::Result::Ok(())
            });
        }
    }

    async fn open(stream: TcpStream) -> Result<Tls> {
        let mut roots = RootCertStore::empty();
        roots.add(CERTIFICATE.with_borrow(|known| known.clone()).ok_or("the server is up first")?)?;
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Tls(connector.connect(ServerName::try_from("server")?, stream).await?))
    }

    async fn ask(&mut self, body: Vec<u8>) -> Result<Vec<u8>> {
        self.0.write_u32(body.len() as u32).await?;
        self.0.write_all(&body).await?;
        self.0.flush().await?;
        let mut answer = vec![0; self.0.read_u32().await? as usize];
        self.0.read_exact(&mut answer).await?;
        Ok(answer)
    }
}
