//! Recordings as files: what is read, and how what is wrong is refused.

#![cfg(test)]

mod bad_input;
mod brought;
mod common;
mod damaged;
mod forms;
mod recordings;
