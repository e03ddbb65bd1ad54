//! What each run of a rig was made of.

use crate::database::{Connection, query};
use crate::{LabelStore, StoreError};
use label_core::BootId;
use label_core::id::Name;
use label_core::wire::{Birth, ModelRef};

/// Calibrations are models of this name and of names that begin with it and a hyphen.
const CALIBRATION: &str = "calibration";

/// Keeps a birth message by its run; the same run may tell it again.
pub(crate) async fn store_birth(
    tx: &mut Connection,
    rig: &Name,
    boot: BootId,
    heard_us: i64,
    json: &str,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO births (rig, boot, heard_us, json) VALUES ($1, $2, $3, $4)
         ON CONFLICT (rig, boot) DO UPDATE SET heard_us = excluded.heard_us, json = excluded.json",
    )
    .bind(rig.as_str())
    .bind(boot.raw() as i64)
    .bind(heard_us)
    .bind(json)
    .execute(&mut *tx)
    .await
    .map_err(StoreError::database("keep a birth message"))?;
    // Labels that came before it were counted without their calibration.
    query(
        "INSERT INTO quality_stale (rig, boot, clip, mark)
         SELECT rig, boot, clip, 1 FROM clips WHERE rig = $1 AND boot = $2
         ON CONFLICT (rig, boot, clip) DO UPDATE SET mark = quality_stale.mark + 1",
    )
    .bind(rig.as_str())
    .bind(boot.raw() as i64)
    .execute(tx)
    .await
    .map_err(StoreError::database("keep a birth message"))?;
    Ok(())
}

/// The models of a birth message; none where it cannot be read.
pub(crate) fn birth_models(json: &str) -> Vec<ModelRef> {
    let birth: Option<Birth<Vec<ModelRef>>> = serde_json::from_str(json).ok();
    birth.map(|birth| birth.models).unwrap_or_default()
}

/// The calibration among the models of a birth message.
pub(crate) fn calibration_in(json: &str) -> Option<ModelRef> {
    birth_models(json).into_iter().find(|model| {
        model.name == CALIBRATION
            || model
                .name
                .strip_prefix(CALIBRATION)
                .is_some_and(|rest| rest.starts_with('-'))
    })
}

impl LabelStore {
    /// The calibration of a run as `name@version`, once its birth message came.
    pub(crate) async fn calibration_of(
        &self,
        rig: &Name,
        boot: BootId,
    ) -> Result<Option<String>, StoreError> {
        let mut connection = self.read("read a birth message").await?;
        let row = query("SELECT json FROM births WHERE rig = $1 AND boot = $2")
            .bind(rig.as_str())
            .bind(boot.raw() as i64)
            .fetch_optional(&mut connection)
            .await
            .map_err(StoreError::database("read a birth message"))?;
        Ok(row
            .and_then(|row| calibration_in(row.get(0)))
            .map(|model| format!("{}@{}", model.name, model.version)))
    }
}
