//! Redis's protocol: the client `redis`, and a server on the codec of `redis-protocol`.

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, RedisConnectionInfo, cmd};
use echosim::net::{TcpListener, TcpStream};
use futures_util::SinkExt;
use redis_protocol::codec::Resp2;
use redis_protocol::resp2::types::{BytesFrame, Resp2Frame};
use tokio_stream::StreamExt;
use tokio_util::codec::Framed;

use crate::{Program, Result, answer};

/// A connection that knows ECHO.
pub struct Redis(MultiplexedConnection);

async fn session(stream: TcpStream) {
    let mut frames = Framed::new(stream, Resp2::default());
    while let Some(Ok(frame)) = frames.next().await {
        let answer = match frame {
            BytesFrame::Array(mut words) if words.len() == 2 && words[0].as_str() == Some("ECHO") => {
                match words.remove(1) {
                    BytesFrame::BulkString(text) => BytesFrame::BulkString(answer(text).await),
                    _ => BytesFrame::Error("ERR syntax".into()),
                }
            }
            _ => BytesFrame::Error("ERR unknown command".into()),
        };
        if frames.send(answer).await.is_err() {
            break;
        }
    }
}

impl Program for Redis {
    async fn serve(listener: TcpListener) -> Result {
        loop {
            tokio::spawn(session(listener.accept().await?.0));
        }
    }

    async fn open(stream: TcpStream) -> Result<Redis> {
        // The crate would give up by itself after half a second; many of its users switch that off.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let info = RedisConnectionInfo::default();
        let (connection, driver) = MultiplexedConnection::new_with_config(&info, stream, config).await?;
        tokio::spawn(driver);
        Ok(Redis(connection))
    }

    async fn ask(&mut self, body: Vec<u8>) -> Result<Vec<u8>> {
        Ok(cmd("ECHO").arg(body).query_async(&mut self.0).await?)
    }
}
