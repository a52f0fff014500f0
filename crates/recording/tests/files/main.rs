//! Recordings as files: what is read, and how what is wrong is refused.

#![cfg(test)]

mod bad_input;
mod brought;
mod clocks;
mod common;
mod courses;
mod damaged;
mod forms;
mod recordings;
