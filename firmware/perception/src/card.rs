//! Model cards: `models/<name>.toml`, one a model.
//!
//! A card says which file a model is, where it comes from, what goes in and out, and what it is good and bad at. Shapes
//! are checked against the loaded model once, so that no stage checks them per frame.

use crate::interpreter::{Element, Interpreter};
use crate::runtime::Runtime;
use crate::{ModelError, digest};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A model card as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelCard {
    /// Name on the wire; the card is `<name>.toml`.
    pub name: String,
    /// Version on the wire.
    pub version: String,
    /// File name of the model.
    pub file: String,
    /// Size of the file.
    pub bytes: u64,
    /// Digest of the file.
    pub sha256: String,
    /// What it does, in a sentence.
    pub what: String,
    /// Where it does well.
    pub good_at: String,
    /// Where it fails.
    pub bad_at: String,
    /// SPDX expression.
    pub licence: String,
    /// Who made it.
    pub origin: String,
    /// Package that carries the file.
    pub source: SourceCard,
    /// Another package that carries the same bytes.
    pub second_source: Option<SourceCard>,
    /// What goes in.
    pub input: InputCard,
    /// What comes out, in the model's order.
    pub output: Vec<OutputCard>,
    /// Where the card lies: models of our own lie beside it.
    #[serde(skip)]
    folder: PathBuf,
}

/// Where a file comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SourceCard {
    /// Registry, name and version: `pypi:mediapipe==0.10.21`; `repository` for a model of our own.
    pub package: String,
    /// Path inside; `outer!inner` for an archive within; for a model of our own the path from the card's folder.
    pub member: String,
}

/// The input tensor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InputCard {
    /// Pictures in one run.
    #[serde(default = "one")]
    pub batch: usize,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// 3 for RGB.
    pub channels: usize,
    /// `nhwc`.
    pub layout: String,
    /// `f32` or `u8`.
    pub element: String,
    /// What black and white are mapped to.
    pub range: [f32; 2],
}

/// An output tensor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OutputCard {
    /// What it is.
    pub name: String,
    /// Its sizes.
    pub shape: Vec<usize>,
}

fn one() -> usize {
    1
}

impl ModelCard {
    /// Reads `<folder>/<name>.toml`.
    pub fn read(folder: &Path, name: &str) -> Result<Self, ModelError> {
        Self::read_file(&folder.join(format!("{name}.toml")))
    }

    /// Reads a card.
    pub fn read_file(path: &Path) -> Result<Self, ModelError> {
        let text = std::fs::read_to_string(path).map_err(|source| ModelError::Read {
            path: path.to_owned(),
            source,
        })?;
        let mut card: Self = toml::from_str(&text).map_err(|source| ModelError::Card {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        path.parent()
            .unwrap_or(Path::new(""))
            .clone_into(&mut card.folder);
        Ok(card)
    }

    /// Loads the model from `folder`, after its digest was found right, and checks its shapes against the card.
    pub fn load(
        &self,
        runtime: &Arc<Runtime>,
        folder: &Path,
        threads: u32,
    ) -> Result<Box<dyn Interpreter>, ModelError> {
        let interpreter = runtime.interpreter(&self.verify(folder)?, threads)?;
        self.check_shapes(interpreter.as_ref())?;
        Ok(interpreter)
    }

    /// The model's path, after its digest was found right.
    pub fn verify(&self, folder: &Path) -> Result<PathBuf, ModelError> {
        let path = if self.source.package == "repository" {
            self.folder.join(&self.source.member)
        } else {
            folder.join(&self.file)
        };
        let found = digest::file_sha256(&path)?;
        if found != self.sha256 {
            return Err(ModelError::Digest {
                path,
                card: self.name.clone(),
                expected: self.sha256.clone(),
                found,
            });
        }
        Ok(path)
    }

    fn check_shapes(&self, interpreter: &dyn Interpreter) -> Result<(), ModelError> {
        let shape = |what: String, expected: &[usize], found: &[usize]| {
            if expected == found {
                return Ok(());
            }
            Err(ModelError::Shape {
                name: self.name.clone(),
                what,
                expected: expected.into(),
                found: found.into(),
            })
        };
        let input = [
            self.input.batch,
            self.input.height,
            self.input.width,
            self.input.channels,
        ];
        shape("the input".into(), &input, &interpreter.input().shape)?;
        let element = if self.input.element == "u8" {
            Element::U8
        } else {
            Element::F32
        };
        if element != interpreter.input().element {
            return Err(ModelError::Role {
                name: self.name.clone(),
                role: "its card",
                needs: "another input element",
            });
        }
        shape(
            "the number of outputs".into(),
            &[self.output.len()],
            &[interpreter.outputs().len()],
        )?;
        for (card, info) in self.output.iter().zip(interpreter.outputs()) {
            shape(format!("output {}", card.name), &card.shape, &info.shape)?;
        }
        Ok(())
    }
}
