//! What somebody tries who means harm, and what it comes to: nothing.
//!
//! Sessions that were planted, passwords that are guessed and single routes are in `tests/people.rs` and `tests/api`; here every
//! operation that `docs/reference/openapi.json` names is tried, so that a new one is, too. There are no projects in Rigel: whoever has
//! an account sees every rig, and the nearest borders are roles, leases and whose a request is.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it cannot go on; its helpers too"
)]

mod described;
#[path = "../desk_of_people/mod.rs"]
mod desk_of_people;
mod forged;
mod hostile;
mod raw;
mod roles;
#[path = "../synthetic_drive/mod.rs"]
#[expect(dead_code, reason = "other tests look at more of the drive")]
mod synthetic_drive;
