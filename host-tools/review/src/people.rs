//! Who asks: accounts, sessions and tokens, and who works on what.
//!
//! A desk where nobody has an account is open: whoever reaches it is `desk`, which `rigel serve` allows on this machine's
//! loopback only. With the first account everything below `/api` asks who it is.

mod access;
mod lease;
mod password;
mod sign_in;

pub(crate) use access::{Visitor, admit};
pub(crate) use lease::{give_back, list as leases, take as lease};
pub use password::{PasswordError, hash_password, new_token};
pub(crate) use sign_in::{Door, audit, sign_in, sign_out, users, who_am_i};

/// Who judges where nobody has an account.
pub(crate) const NOBODY_IN_PARTICULAR: &str = "desk";
