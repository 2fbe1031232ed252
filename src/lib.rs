//! What will my TCP program see when the other machine dies?

pub mod cli;
pub mod echo;
pub mod errno;
#[cfg(target_os = "linux")]
pub mod lab;
pub mod os;
pub mod packet;
#[cfg(unix)]
pub mod real;
pub mod report;
pub mod router;
pub mod scenario;
pub mod sim;
pub mod stack;
pub mod time;
pub mod timeline;
