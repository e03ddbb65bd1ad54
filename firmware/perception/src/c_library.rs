//! What the model runtimes have in common: C libraries that are loaded at run time.

use crate::ModelError;
use crate::interpreter::Element;
use std::ffi::{CString, c_void};
use std::path::Path;

/// An object that the library made.
pub(crate) type Handle = *mut c_void;

/// Declares a struct `Api` of a library's entry points, each with its signature, and how it is loaded from a file.
///
/// The module that uses it answers for the signatures being those of the libraries that it is given.
macro_rules! c_library {
    ($($field:ident: $name:literal = fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// Entry points of the library, which stays loaded as long as they live.
        pub(super) struct Api {
            $($field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
            _library: libloading::Library,
        }

        impl Api {
            pub(super) fn load(path: &std::path::Path) -> Result<Self, crate::ModelError> {
                let failed = |source| crate::ModelError::Library { path: path.to_owned(), source };
                // SAFETY: the caller checked that this file is the library these signatures belong to; loading it runs
                // its initialisers, which is what is wanted.
                let library = unsafe { libloading::Library::new(path) }.map_err(failed)?;
                // SAFETY: each signature is that of the header of this release.
                unsafe {
                    Ok(Self {
                        $($field: *library.get($name).map_err(failed)?,)*
                        _library: library,
                    })
                }
            }
        }
    };
}
pub(crate) use c_library;

/// A path as C wants it.
pub(crate) fn c_path(path: &Path) -> Result<CString, ModelError> {
    let text = path.to_str().and_then(|text| CString::new(text).ok());
    text.ok_or_else(|| ModelError::Path {
        path: path.to_owned(),
    })
}

/// An element type by its number, which both of the runtimes' interfaces share.
pub(crate) fn element(number: i32, model: &Path) -> Result<Element, ModelError> {
    match number {
        1 => Ok(Element::F32),
        3 => Ok(Element::U8),
        other => Err(ModelError::Element {
            path: model.to_owned(),
            element: other,
        }),
    }
}
