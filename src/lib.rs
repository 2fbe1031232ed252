//! What will my TCP program see when the other machine dies?

pub mod echo;
pub mod errno;
pub mod net;
pub mod os;
pub mod packet;
pub mod router;
pub mod sim;
pub mod stack;
pub mod time;
pub mod timeline;
