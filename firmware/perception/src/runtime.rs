//! Which model runtime runs: told apart by the digest of its file, never by its name.
//!
//! There are two interfaces behind one trait ([`Interpreter`]): LiteRT's own, which is fastest, and the older one of
//! TensorFlow Lite, for systems whose C library is too old for the newer library. A file with another digest is refused.

use crate::interpreter::Interpreter;
use crate::tflite::OptionsLayout;
use crate::{ModelError, digest, litert, tflite};
use std::path::Path;
use std::sync::Arc;

/// A library that this code was written for.
struct Known {
    sha256: &'static str,
    name: &'static str,
    version: &'static str,
    interface: Interface,
}

/// How a library is spoken to.
#[derive(Clone, Copy)]
enum Interface {
    LiteRt,
    TfLite(OptionsLayout),
}

/// In this order: what runs wherever it can, on x86-64 and aarch64; the last release for older C libraries on aarch64; and for
/// x86-64 the newest that has the same interface, for tests alone.
const KNOWN: [Known; 4] = [
    Known {
        sha256: "eec47eb35e2924b3166015887e652a58edc9af823ae38e02bf83bef2548300bb",
        name: "litert",
        version: "2.3.0",
        interface: Interface::LiteRt,
    },
    Known {
        sha256: "b57687dc234d2b8b0598aef5a9c961ed24263df8f8b3f56adbee1cff618e544b",
        name: "litert",
        version: "2.3.0",
        interface: Interface::LiteRt,
    },
    Known {
        sha256: "5851ef6be3be03ece706c00a5cc728a9e3450f352c56302254bfb4e8fa5d4f78",
        name: "litert",
        version: "2.1.0",
        interface: Interface::TfLite(OptionsLayout::FlagsThird),
    },
    Known {
        sha256: "dc89b4cd86d956516570bd483668e6dd98907f49901d0567dedc69a29a56b7f7",
        name: "tensorflow-lite",
        version: "2.9.0",
        interface: Interface::TfLite(OptionsLayout::FlagsSecond),
    },
];

/// The file that is taken instead, from the same folder, where the system cannot load the one named.
const FOR_OLDER_SYSTEMS: &str = "libLiteRt-older.so";

enum Library {
    LiteRt(Arc<litert::Library>),
    TfLite(Arc<tflite::Library>),
}

/// The loaded runtime.
pub struct Runtime {
    loaded: Library,
    known: &'static Known,
}

impl Runtime {
    /// Loads the shared library at `path` if its digest is known; where the system's own libraries are too old for it, the one
    /// beside it that is made for such systems.
    pub fn load(path: &Path) -> Result<Arc<Self>, ModelError> {
        let (path, why) = match Self::load_file(path) {
            Err(ModelError::Library { path, source }) => (path, source),
            done => return done,
        };
        let older = path.with_file_name(FOR_OLDER_SYSTEMS);
        if !older.is_file() {
            return Err(ModelError::Library { path, source: why });
        }
        Self::load_file(&older).map_err(|error| ModelError::NeitherLibrary {
            path,
            why,
            source: Box::new(error),
        })
    }

    fn load_file(path: &Path) -> Result<Arc<Self>, ModelError> {
        let sha256 = digest::file_sha256(path)?;
        let Some(known) = KNOWN.iter().find(|known| known.sha256 == sha256) else {
            return Err(ModelError::UnknownRuntime {
                path: path.to_owned(),
                sha256,
            });
        };
        let loaded = match known.interface {
            Interface::LiteRt => Library::LiteRt(litert::Library::load(path)?),
            Interface::TfLite(layout) => Library::TfLite(tflite::Library::load(path, layout)?),
        };
        Ok(Arc::new(Self { loaded, known }))
    }

    /// Whose library it is, as labels name it.
    pub fn name(&self) -> &'static str {
        self.known.name
    }

    /// Its version.
    pub fn version(&self) -> &'static str {
        self.known.version
    }

    /// Digest of its file.
    pub fn sha256(&self) -> &'static str {
        self.known.sha256
    }

    /// Loads a model to run on `threads` processor threads.
    pub fn interpreter(
        &self,
        model: &Path,
        threads: u32,
    ) -> Result<Box<dyn Interpreter>, ModelError> {
        match &self.loaded {
            Library::LiteRt(library) => library.interpreter(model, threads),
            Library::TfLite(library) => library.interpreter(model, threads),
        }
    }
}
