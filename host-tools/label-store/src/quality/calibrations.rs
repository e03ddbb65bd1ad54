//! Calibration files: known ones, and new ones fitted on verdicts.

use super::births::calibration_in;
use crate::database::query;
use crate::row::{boot_column, name_column};
use crate::{ClipId, LabelStore, StoreError};
use ::quality::{CalibrationFile, Fitted, Part, Platt, Point, cross_validated};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The file that rigs are shipped with.
const SHIPPED: &str = include_str!("../../../../models/calibration/base.toml");

/// Who handed in what came with this program.
const SHIPPED_BY: &str = "shipped";

/// A calibration file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredCalibration {
    /// When it was handed in or fitted; 0 = it came with this program.
    pub at_us: i64,
    /// Who.
    pub decided_by: String,
    /// Name in the file.
    pub name: String,
    /// Version in the file.
    pub version: String,
    /// Digest of the file, as it travels with labels.
    pub sha256: String,
    /// The file.
    #[serde(skip)]
    pub text: String,
    /// Digest of the file that it was fitted from.
    pub base: Option<String>,
    /// What was fitted, by part; absent where it was handed in.
    pub fitted: Option<serde_json::Value>,
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

fn shipped() -> StoredCalibration {
    let file = CalibrationFile::parse(SHIPPED).expect("the shipped file is read by tests");
    StoredCalibration {
        at_us: 0,
        decided_by: SHIPPED_BY.to_owned(),
        name: file.name().to_owned(),
        version: file.version().to_owned(),
        sha256: digest(SHIPPED),
        text: SHIPPED.to_owned(),
        base: None,
        fitted: None,
    }
}

impl LabelStore {
    /// Every calibration file that the desk knows, the shipped one first.
    pub async fn calibrations(&self) -> Result<Vec<StoredCalibration>, StoreError> {
        let mut connection = self.read("read the calibrations").await?;
        let mut found = vec![shipped()];
        for row in &query("SELECT * FROM calibrations ORDER BY entry")
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database("read the calibrations"))?
        {
            let fitted: Option<&str> = row.get("fitted");
            found.push(StoredCalibration {
                at_us: row.get("at_us"),
                decided_by: row.get("decided_by"),
                name: row.get("name"),
                version: row.get("version"),
                sha256: row.get("sha256"),
                text: row.get("text"),
                base: row.get("base"),
                fitted: fitted
                    .map(|text| {
                        serde_json::from_str(text)
                            .map_err(|_| StoreError::unreadable("calibrations.fitted", text))
                    })
                    .transpose()?,
            });
        }
        Ok(found)
    }

    /// Takes a calibration file that rigs use, so that it can be fitted anew. The same file again changes nothing.
    pub async fn add_calibration(
        &self,
        text: &str,
        decided_by: &str,
        at_us: i64,
    ) -> Result<StoredCalibration, StoreError> {
        let file = CalibrationFile::parse(text)
            .map_err(|error| StoreError::Calibration(error.to_string()))?;
        self.keep_calibration(StoredCalibration {
            at_us,
            decided_by: decided_by.to_owned(),
            name: file.name().to_owned(),
            version: file.version().to_owned(),
            sha256: digest(text),
            text: text.to_owned(),
            base: None,
            fitted: None,
        })
        .await
    }

    async fn keep_calibration(
        &self,
        new: StoredCalibration,
    ) -> Result<StoredCalibration, StoreError> {
        if let Some(known) = self
            .calibrations()
            .await?
            .into_iter()
            .find(|known| known.sha256 == new.sha256)
        {
            return Ok(known);
        }
        let mut tx = self.begin_write("keep a calibration").await?;
        query(
            "INSERT INTO calibrations (at_us, decided_by, name, version, sha256, text, base, fitted)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (sha256) DO NOTHING",
        )
        .bind(new.at_us)
        .bind(&new.decided_by)
        .bind(&new.name)
        .bind(&new.version)
        .bind(&new.sha256)
        .bind(&new.text)
        .bind(&new.base)
        .bind(new.fitted.as_ref().map(ToString::to_string))
        .execute(&mut tx)
        .await
        .map_err(StoreError::database("keep a calibration"))?;
        tx.commit()
            .await
            .map_err(StoreError::database("keep a calibration"))?;
        Ok(new)
    }

    /// Fits a calibration file anew on the verdicts on labels that were made under it. Parts with too few verdicts stay as they
    /// are; where every part has, there is nothing to fit.
    pub async fn fit_calibration(
        &self,
        base_sha256: &str,
        decided_by: &str,
        at_us: i64,
    ) -> Result<StoredCalibration, StoreError> {
        let known = self.calibrations().await?;
        let Some(base) = known.iter().find(|known| known.sha256 == base_sha256) else {
            return Err(StoreError::Calibration(
                "this calibration file is not known here: hand it in first".to_owned(),
            ));
        };
        let file = CalibrationFile::parse(&base.text)
            .map_err(|error| StoreError::Calibration(error.to_string()))?;
        let rules = self.policy_rules().await?;
        let mut points: BTreeMap<Part, Vec<Point>> = BTreeMap::new();
        for (place, clip) in self.clips_under(base_sha256).await?.iter().enumerate() {
            for one in self.count_clip(clip).await?.candidates {
                let part = Part::ALL.into_iter().find(|part| {
                    one.kind
                        .offered()
                        .is_some_and(|kind| part.kinds().contains(&kind))
                });
                if let (Some(part), Some(right)) = (part, one.outcome.right()) {
                    points.entry(part).or_default().push(Point {
                        clip: place as u64,
                        log_odds: file.log_odds(part, one.confidence),
                        right,
                    });
                }
            }
        }
        let mut fitted = BTreeMap::new();
        for (part, points) in points {
            let mut clips: Vec<_> = points.iter().map(|point| point.clip).collect();
            clips.dedup();
            let (judged, clips) = (points.len() as u64, clips.len() as u64);
            if judged >= rules.min_judged && clips >= rules.min_clips {
                let (error_before, error_after) = cross_validated(&points);
                fitted.insert(
                    part,
                    Fitted {
                        platt: Platt::fit(&points),
                        judged,
                        clips,
                        error_before,
                        error_after,
                    },
                );
            }
        }
        if fitted.is_empty() {
            return Err(StoreError::Calibration(format!(
                "no part of this calibration has {} verdicts in {} clips yet",
                rules.min_judged, rules.min_clips
            )));
        }
        let own = file.version().split('+').next().unwrap_or_default();
        let version = format!("{own}+desk.{}", known.len());
        let text = file
            .refitted(&version, &fitted)
            .text(&format!("{} {}", base.name, base.version), &fitted);
        self.keep_calibration(StoredCalibration {
            at_us,
            decided_by: decided_by.to_owned(),
            name: base.name.clone(),
            version,
            sha256: digest(&text),
            text,
            base: Some(base_sha256.to_owned()),
            fitted: Some(serde_json::to_value(&fitted).expect("plain numbers always encode")),
        })
        .await
    }

    /// The clips of runs that were born with this calibration.
    async fn clips_under(&self, sha256: &str) -> Result<Vec<ClipId>, StoreError> {
        let mut connection = self.read("look for clips of a calibration").await?;
        let rows = query(
            "SELECT c.rig, c.boot, c.clip, b.json FROM births b JOIN clips c ON c.rig = b.rig AND c.boot = b.boot",
        )
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("look for clips of a calibration"))?;
        rows.iter()
            .filter(|row| {
                calibration_in(row.get("json")).is_some_and(|model| model.sha256 == sha256)
            })
            .map(|row| {
                Ok(ClipId {
                    rig: name_column(row, "rig")?,
                    boot: boot_column(row, "boot")?,
                    clip: row.get::<i64, _>("clip") as u32,
                })
            })
            .collect()
    }
}
