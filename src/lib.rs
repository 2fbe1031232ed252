//! What will my TCP program see when the other machine dies?

pub mod errno;
pub mod packet;
pub mod stack;
pub mod time;
pub mod timeline;
