//! Who asks rigs for what people want, where several programs share a store.

use crate::{LabelStore, StoreError};
use sqlx::{Connection as _, PgConnection};

/// The place of the one program that asks. It is free again when this is dropped, or the program or its connection to the database dies.
#[derive(Debug)]
pub struct AskersPlace(Option<PgConnection>);

impl LabelStore {
    /// Takes the place, unless another program has it. Of a store that nobody shares there is no other.
    pub async fn take_askers_place(&self) -> Result<Option<AskersPlace>, StoreError> {
        if !self.is_shared() {
            return Ok(Some(AskersPlace(None)));
        }
        let taken = self.try_lock_for_session().await;
        let taken = taken.map_err(StoreError::database("see who asks rigs"))?;
        Ok(taken.map(|connection| AskersPlace(Some(connection))))
    }
}

impl AskersPlace {
    /// Whether it is ours still: a database that died has forgotten who had it.
    pub async fn is_ours(&mut self) -> bool {
        match &mut self.0 {
            Some(connection) => connection.ping().await.is_ok(),
            None => true,
        }
    }
}
