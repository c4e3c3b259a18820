//! Limits without a kernel.

mod book;
mod classes;
mod strategy;
mod text;
mod time;
mod watch;
