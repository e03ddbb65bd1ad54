//! The C interface of LiteRT 2.3.0, as far as it is used: one safe method a call, every status checked.
//!
//! Types and signatures follow the headers `litert/c/*.h` of that release (Apache-2.0). A handle is an opaque pointer
//! that the library made; all methods expect handles of the same library.
#![expect(unsafe_code, reason = "this module is the boundary to a C library")]

use crate::ModelError;
use crate::c_library::{Handle, c_library};
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;

/// `LiteRtRankedTensorType`: element type, then the layout, whose first word packs rank (7 bits) and a strides flag.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct RankedTensorType {
    pub(super) element_type: i32,
    rank_and_flags: u32,
    pub(super) dimensions: [i32; 8],
    strides: [u32; 8],
}

const _: () = assert!(
    size_of::<RankedTensorType>() == 72,
    "LiteRT asserts this size"
);

impl RankedTensorType {
    pub(super) fn rank(&self) -> usize {
        ((self.rank_and_flags & 0x7f) as usize).min(8)
    }
}

/// `LiteRtEnvOption`: a tag and a `LiteRtAny`, here always a whole number.
#[repr(C)]
struct EnvironmentOption {
    tag: i32,
    value: AnyInteger,
}

/// `LiteRtAny` of an integer.
#[repr(C)]
struct AnyInteger {
    kind: i32,
    value: i64,
}

const _: () = assert!(
    size_of::<EnvironmentOption>() == 24,
    "LiteRT asserts this size"
);

impl EnvironmentOption {
    const KIND_INTEGER: i32 = 2;
    /// Which accelerators are registered: without it the library looks for GPU drivers.
    const AUTO_REGISTER_ACCELERATORS: i32 = 24;
    /// Below which severity the library writes nothing to standard error.
    const MIN_LOGGER_SEVERITY: i32 = 25;

    const fn new(tag: i32, value: i64) -> Self {
        Self {
            tag,
            value: AnyInteger {
                kind: Self::KIND_INTEGER,
                value,
            },
        }
    }
}

/// Errors only.
const SEVERITY_ERROR: i64 = 3;

type Status = i32;

c_library! {
    create_environment: b"LiteRtCreateEnvironment\0" = fn(i32, *const c_void, *mut Handle) -> Status;
    destroy_environment: b"LiteRtDestroyEnvironment\0" = fn(Handle);
    create_model_from_file: b"LiteRtCreateModelFromFile\0" = fn(Handle, *const c_char, *mut Handle) -> Status;
    destroy_model: b"LiteRtDestroyModel\0" = fn(Handle);
    create_options: b"LiteRtCreateOptions\0" = fn(*mut Handle) -> Status;
    destroy_options: b"LiteRtDestroyOptions\0" = fn(Handle);
    set_accelerators: b"LiteRtSetOptionsHardwareAccelerators\0" = fn(Handle, i32) -> Status;
    create_opaque_options: b"LiteRtCreateOpaqueOptions\0"
        = fn(*const c_char, *mut c_void, unsafe extern "C" fn(*mut c_void), *mut Handle) -> Status;
    add_opaque_options: b"LiteRtAddOpaqueOptions\0" = fn(Handle, Handle) -> Status;
    create_compiled_model: b"LiteRtCreateCompiledModel\0" = fn(Handle, Handle, Handle, *mut Handle) -> Status;
    destroy_compiled_model: b"LiteRtDestroyCompiledModel\0" = fn(Handle);
    get_signature: b"LiteRtGetModelSignature\0" = fn(Handle, usize, *mut Handle) -> Status;
    count_inputs: b"LiteRtGetNumSignatureInputs\0" = fn(Handle, *mut usize) -> Status;
    count_outputs: b"LiteRtGetNumSignatureOutputs\0" = fn(Handle, *mut usize) -> Status;
    get_input_tensor: b"LiteRtGetSignatureInputTensorByIndex\0" = fn(Handle, usize, *mut Handle) -> Status;
    get_output_tensor: b"LiteRtGetSignatureOutputTensorByIndex\0" = fn(Handle, usize, *mut Handle) -> Status;
    get_tensor_type: b"LiteRtGetRankedTensorType\0" = fn(Handle, *mut RankedTensorType) -> Status;
    get_input_requirements: b"LiteRtGetCompiledModelInputBufferRequirements\0"
        = fn(Handle, usize, usize, *mut Handle) -> Status;
    get_output_requirements: b"LiteRtGetCompiledModelOutputBufferRequirements\0"
        = fn(Handle, usize, usize, *mut Handle) -> Status;
    create_buffer: b"LiteRtCreateManagedTensorBufferFromRequirements\0"
        = fn(Handle, *const RankedTensorType, Handle, *mut Handle) -> Status;
    destroy_buffer: b"LiteRtDestroyTensorBuffer\0" = fn(Handle);
    get_packed_size: b"LiteRtGetTensorBufferPackedSize\0" = fn(Handle, *mut usize) -> Status;
    lock_buffer: b"LiteRtLockTensorBuffer\0" = fn(Handle, *mut *mut c_void, i32) -> Status;
    unlock_buffer: b"LiteRtUnlockTensorBuffer\0" = fn(Handle) -> Status;
    run_compiled_model: b"LiteRtRunCompiledModel\0"
        = fn(Handle, usize, usize, *mut Handle, usize, *mut Handle) -> Status;
}

fn check(call: &'static str, status: Status) -> Result<(), ModelError> {
    if status == 0 {
        Ok(())
    } else {
        Err(ModelError::Runtime { call, status })
    }
}

/// Frees the text that [`Api::create_cpu_options`] handed over.
unsafe extern "C" fn free_text(text: *mut c_void) {
    // SAFETY: the library hands back, once, the pointer that `CString::into_raw` gave.
    drop(unsafe { CString::from_raw(text.cast()) });
}

// Every call below passes handles that the same library made, and pointers to locals that outlive the call.
impl Api {
    pub(super) fn create_environment(&self) -> Result<Handle, ModelError> {
        let mut handle = ptr::null_mut();
        let options = [
            EnvironmentOption::new(EnvironmentOption::AUTO_REGISTER_ACCELERATORS, 1),
            EnvironmentOption::new(EnvironmentOption::MIN_LOGGER_SEVERITY, SEVERITY_ERROR),
        ];
        // SAFETY: the options outlive the call, which copies them.
        check("CreateEnvironment", unsafe {
            (self.create_environment)(
                options.len() as i32,
                options.as_ptr().cast(),
                &raw mut handle,
            )
        })?;
        Ok(handle)
    }

    pub(super) fn create_model(
        &self,
        environment: Handle,
        path: &CStr,
    ) -> Result<Handle, ModelError> {
        let mut handle = ptr::null_mut();
        let status =
            // SAFETY: a live environment and a C string.
            unsafe { (self.create_model_from_file)(environment, path.as_ptr(), &raw mut handle) };
        check("CreateModelFromFile", status)?;
        Ok(handle)
    }

    /// Options for the processor with this many threads. The thread count goes through the opaque options of the
    /// XNNPACK delegate: the dedicated setters are not exported.
    pub(super) fn create_cpu_options(
        &self,
        accelerator: i32,
        threads: u32,
    ) -> Result<Handle, ModelError> {
        let mut options = ptr::null_mut();
        // SAFETY: a place for the result.
        check("CreateOptions", unsafe {
            (self.create_options)(&raw mut options)
        })?;
        // SAFETY: live options.
        check("SetOptionsHardwareAccelerators", unsafe {
            (self.set_accelerators)(options, accelerator)
        })?;
        let text =
            CString::new(format!("num_threads = {threads}\n")).expect("a number holds no NUL");
        let mut opaque = ptr::null_mut();
        // SAFETY: the library takes the text over and frees it through `free_text`.
        let status = unsafe {
            (self.create_opaque_options)(
                c"xnnpack".as_ptr(),
                text.into_raw().cast(),
                free_text,
                &raw mut opaque,
            )
        };
        check("CreateOpaqueOptions", status)?;
        // SAFETY: live handles; `options` takes `opaque` over.
        check("AddOpaqueOptions", unsafe {
            (self.add_opaque_options)(options, opaque)
        })?;
        Ok(options)
    }

    pub(super) fn create_compiled_model(
        &self,
        environment: Handle,
        model: Handle,
        options: Handle,
    ) -> Result<Handle, ModelError> {
        let mut handle = ptr::null_mut();
        // SAFETY: live handles.
        let status =
            unsafe { (self.create_compiled_model)(environment, model, options, &raw mut handle) };
        check("CreateCompiledModel", status)?;
        Ok(handle)
    }

    pub(super) fn signature(&self, model: Handle) -> Result<Handle, ModelError> {
        let mut handle = ptr::null_mut();
        // SAFETY: a live model; every model has a default signature.
        check("GetModelSignature", unsafe {
            (self.get_signature)(model, 0, &raw mut handle)
        })?;
        Ok(handle)
    }

    pub(super) fn tensor_counts(&self, signature: Handle) -> Result<(usize, usize), ModelError> {
        let (mut inputs, mut outputs) = (0, 0);
        // SAFETY: a live signature.
        check("GetNumSignatureInputs", unsafe {
            (self.count_inputs)(signature, &raw mut inputs)
        })?;
        // SAFETY: a live signature.
        check("GetNumSignatureOutputs", unsafe {
            (self.count_outputs)(signature, &raw mut outputs)
        })?;
        Ok((inputs, outputs))
    }

    pub(super) fn input_type(
        &self,
        signature: Handle,
        index: usize,
    ) -> Result<RankedTensorType, ModelError> {
        let mut tensor = ptr::null_mut();
        // SAFETY: a live signature.
        let status = unsafe { (self.get_input_tensor)(signature, index, &raw mut tensor) };
        check("GetSignatureInputTensorByIndex", status)?;
        self.tensor_type(tensor)
    }

    pub(super) fn output_type(
        &self,
        signature: Handle,
        index: usize,
    ) -> Result<RankedTensorType, ModelError> {
        let mut tensor = ptr::null_mut();
        // SAFETY: a live signature.
        let status = unsafe { (self.get_output_tensor)(signature, index, &raw mut tensor) };
        check("GetSignatureOutputTensorByIndex", status)?;
        self.tensor_type(tensor)
    }

    fn tensor_type(&self, tensor: Handle) -> Result<RankedTensorType, ModelError> {
        let mut tensor_type = RankedTensorType::default();
        // SAFETY: a live tensor, and a result of the size that the library asserts.
        check("GetRankedTensorType", unsafe {
            (self.get_tensor_type)(tensor, &raw mut tensor_type)
        })?;
        Ok(tensor_type)
    }

    pub(super) fn input_requirements(
        &self,
        compiled: Handle,
        index: usize,
    ) -> Result<Handle, ModelError> {
        let mut handle = ptr::null_mut();
        // SAFETY: a live compiled model.
        let status = unsafe { (self.get_input_requirements)(compiled, 0, index, &raw mut handle) };
        check("GetCompiledModelInputBufferRequirements", status)?;
        Ok(handle)
    }

    pub(super) fn output_requirements(
        &self,
        compiled: Handle,
        index: usize,
    ) -> Result<Handle, ModelError> {
        let mut handle = ptr::null_mut();
        // SAFETY: a live compiled model.
        let status = unsafe { (self.get_output_requirements)(compiled, 0, index, &raw mut handle) };
        check("GetCompiledModelOutputBufferRequirements", status)?;
        Ok(handle)
    }

    pub(super) fn create_buffer(
        &self,
        environment: Handle,
        tensor_type: &RankedTensorType,
        requirements: Handle,
    ) -> Result<Handle, ModelError> {
        let mut handle = ptr::null_mut();
        // SAFETY: live handles and a tensor type without dynamic dimensions.
        let status = unsafe {
            (self.create_buffer)(
                environment,
                ptr::from_ref(tensor_type),
                requirements,
                &raw mut handle,
            )
        };
        check("CreateManagedTensorBufferFromRequirements", status)?;
        Ok(handle)
    }

    pub(super) fn packed_size(&self, buffer: Handle) -> Result<usize, ModelError> {
        let mut bytes = 0;
        // SAFETY: a live buffer.
        check("GetTensorBufferPackedSize", unsafe {
            (self.get_packed_size)(buffer, &raw mut bytes)
        })?;
        Ok(bytes)
    }

    pub(super) fn lock(&self, buffer: Handle, mode: i32) -> Result<*mut c_void, ModelError> {
        let mut memory = ptr::null_mut();
        // SAFETY: a live, unlocked buffer.
        check("LockTensorBuffer", unsafe {
            (self.lock_buffer)(buffer, &raw mut memory, mode)
        })?;
        Ok(memory)
    }

    pub(super) fn unlock(&self, buffer: Handle) -> Result<(), ModelError> {
        // SAFETY: a live, locked buffer.
        check("UnlockTensorBuffer", unsafe {
            (self.unlock_buffer)(buffer)
        })
    }

    pub(super) fn run(
        &self,
        compiled: Handle,
        ins: &mut [Handle],
        outs: &mut [Handle],
    ) -> Result<(), ModelError> {
        // SAFETY: live handles in arrays of the lengths passed.
        let status = unsafe {
            (self.run_compiled_model)(
                compiled,
                0,
                ins.len(),
                ins.as_mut_ptr(),
                outs.len(),
                outs.as_mut_ptr(),
            )
        };
        check("RunCompiledModel", status)
    }

    pub(super) fn destroy_environment(&self, handle: Handle) {
        Self::destroy(self.destroy_environment, handle);
    }

    pub(super) fn destroy_model(&self, handle: Handle) {
        Self::destroy(self.destroy_model, handle);
    }

    pub(super) fn destroy_options(&self, handle: Handle) {
        Self::destroy(self.destroy_options, handle);
    }

    pub(super) fn destroy_compiled_model(&self, handle: Handle) {
        Self::destroy(self.destroy_compiled_model, handle);
    }

    pub(super) fn destroy_buffer(&self, handle: Handle) {
        Self::destroy(self.destroy_buffer, handle);
    }

    fn destroy(with: unsafe extern "C" fn(Handle), handle: Handle) {
        if !handle.is_null() {
            // SAFETY: the owner gives up a live handle, once.
            unsafe { with(handle) };
        }
    }
}
