//! The fuzzer's process: libFuzzer makes up inputs for the target that `CASEMENT_FUZZ_TARGET` names.
//!
//! `cargo xtask proof fuzz` builds it with coverage and runs it. JSON is also changed by its structure, so that inputs
//! get past the parser.

#![no_main]

use std::sync::LazyLock;

use casement_proofs::mutation::mutated;
use casement_proofs::targets::Target;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("CASEMENT_FUZZ_TARGET").unwrap_or_default();
    Target::named(&name).expect("CASEMENT_FUZZ_TARGET names no target")
});

fuzz_target!(|input: &[u8]| {
    TARGET.check(input);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let given = data.get(..size).unwrap_or_default();
    let made = if TARGET.is_json() { mutated(given, u64::from(seed)) } else { None };
    match made.filter(|made| made.len() <= max_size.min(data.len())) {
        Some(made) => {
            if let Some(start) = data.get_mut(..made.len()) {
                start.copy_from_slice(&made);
            }
            made.len()
        }
        None => fuzzer_mutate(data, size, max_size),
    }
});
