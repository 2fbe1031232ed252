//! What will my TCP program see when the other machine dies?

pub mod cli;
pub mod echo;
pub mod errno;
pub mod os;
pub mod packet;
pub mod report;
pub mod router;
pub mod scenario;
pub mod sim;
pub mod stack;
pub mod step;
pub mod time;
pub mod timeline;
