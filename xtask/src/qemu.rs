//! The newest user-mode QEMU, which the oracle prefers to the host's: obtained into the user's cache as kernels are.

use image::debian::qemu;

use crate::report::Finding;

/// Obtains it unless it is there. Without it the oracle takes the host's, so that is no problem, but told.
pub fn provide() -> Finding {
    let Some(folder) = qemu::cache_folder() else {
        return Finding::skip("neither XDG_CACHE_HOME nor HOME is set: the host's user-mode QEMU is the reference");
    };
    match qemu::obtain(&folder, &mut |_| {}) {
        Ok([program, ..]) => Finding::note(format!("user-mode QEMU {} in {}", program.version, folder.display())),
        Err(error) => Finding::skip(format!("the host's user-mode QEMU is the reference: {error}")),
    }
}
