//! label-store
