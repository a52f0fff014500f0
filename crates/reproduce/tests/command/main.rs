//! The program `refire-reproduce`, run as a user runs it.

#![cfg(test)]

mod quick;
mod resume;
