//! Face, eyes, person: the models and what is read from them.
//!
//! A [`Picture`] goes in; faces with landmarks, eye measurements and person boxes come out, in source-image pixels.
//! Nothing here knows about clips, tracks on the wire, confidence or delivery. Only this crate names a model runtime.
//!
//! Terms: a *region* is a rotated rectangle of the picture that is warped into a model's input; *crop* coordinates are
//! pixels of that input. Everything public is in picture coordinates.

mod c_library;
mod card;
mod digest;
mod eye_reader;
mod eyes;
mod face_detector;
mod face_mesh;
mod face_motion;
mod faces;
mod filmstrip;
mod glasses;
mod interpreter;
mod key_picture;
mod litert;
mod occlusion;
mod person;
mod picture;
mod runtime;
mod scene;
mod shade;
mod tflite;
mod tiles;
mod warp;
mod watch;

pub use card::{InputCard, ModelCard, OutputCard};
pub use digest::{file_sha256, sha256};
pub use eye_reader::EyeReader;
pub use eyes::{Eye, Eyes};
pub use face_detector::{FaceDetection, FaceDetector, FaceDetectorKind};
pub use face_mesh::{FaceMesh, LANDMARKS, Landmark, MeshFace};
pub use faces::{FaceModels, FaceTimes, FaceTracker, Novelty, Search, TrackedFace};
pub use filmstrip::{EyeTiles, Filmstrip, TILE_HEIGHT, TILE_WIDTH};
pub use glasses::{CropCondition, GlassesReader, GlassesReading, eye_distance};
pub use interpreter::{Element, Interpreter, TensorInfo, TensorMut};
pub use key_picture::ReducedFrame;
pub use occlusion::{Occlusion, OcclusionLook, OcclusionReader};
pub use person::{MEASURE_AGE_S, PERSON_FEATURES, Person, PersonFinder, PersonTimes};
pub use picture::{ColorRange, Picture};
pub use runtime::Runtime;
pub use scene::{SceneLook, light_grid};
pub use shade::{FaceShade, NoShade, SHADE_FEATURES};
pub use warp::Region;

use std::path::PathBuf;

/// What can go wrong with models and their runtime. Each names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A model card is not as it must be.
    #[error("{}: {source}", path.display())]
    Card {
        /// The card.
        path: PathBuf,
        /// Line, column and what is wrong.
        source: Box<toml::de::Error>,
    },
    /// A model file is not the one that its card describes.
    #[error("{}: SHA-256 is {found}, the card {card} says {expected}", path.display())]
    Digest {
        /// The model file.
        path: PathBuf,
        /// Name of the card.
        card: String,
        /// What the card says.
        expected: String,
        /// What the file has.
        found: String,
    },
    /// A runtime library that this code was not written for.
    #[error("{}: not a known release of LiteRT: SHA-256 {sha256} is unknown", path.display())]
    UnknownRuntime {
        /// The library.
        path: PathBuf,
        /// Its digest.
        sha256: String,
    },
    /// The runtime library cannot be loaded.
    #[error("cannot load {}", path.display())]
    Library {
        /// The library.
        path: PathBuf,
        /// Why.
        source: libloading::Error,
    },
    /// Neither the runtime library nor the one for older systems can be loaded.
    #[error("cannot load {} ({why}), nor what is for older systems", path.display())]
    NeitherLibrary {
        /// The newer library.
        path: PathBuf,
        /// Why the system refuses it.
        why: libloading::Error,
        /// What is amiss with the other.
        source: Box<ModelError>,
    },
    /// The runtime refused a call.
    #[error("LiteRt{call} failed with status {status}")]
    Runtime {
        /// Name of the call without prefix.
        call: &'static str,
        /// Its status.
        status: i32,
    },
    /// The older runtime refused a call.
    #[error("{}: TfLite{call} failed; what it says is above", path.display())]
    TfLite {
        /// Name of the call without prefix.
        call: &'static str,
        /// The model.
        path: PathBuf,
    },
    /// The path cannot be handed to a C library.
    #[error("{}: the path is not UTF-8 or holds NUL", path.display())]
    Path {
        /// The path.
        path: PathBuf,
    },
    /// A model does not have exactly one input.
    #[error("{}: {count} inputs, 1 expected", path.display())]
    InputCount {
        /// The model.
        path: PathBuf,
        /// What it has.
        count: usize,
    },
    /// An element type that is not supported.
    #[error("{}: a tensor of element type {element}; float 32 and unsigned byte are supported", path.display())]
    Element {
        /// The model.
        path: PathBuf,
        /// LiteRT's number of the type.
        element: i32,
    },
    /// An output is not of floats.
    #[error("{}: output {index} is not of 32-bit floats", path.display())]
    OutputElement {
        /// The model.
        path: PathBuf,
        /// Which output.
        index: usize,
    },
    /// Input or output shapes differ from the card's.
    #[error("model {name}: {what} is {found:?}, the card says {expected:?}")]
    Shape {
        /// Name of the card.
        name: String,
        /// Input or which output.
        what: String,
        /// The card's shape.
        expected: Vec<usize>,
        /// The model's shape.
        found: Vec<usize>,
    },
    /// A model has not the outputs that its reader needs.
    #[error("model {name} cannot serve as {role}: {needs}")]
    Role {
        /// Name of the card.
        name: String,
        /// What it was to be used for.
        role: &'static str,
        /// What it would need.
        needs: &'static str,
    },
}
