#!/bin/sh
# Builds every guest for both byte orders, and book3s32 for 32-bit processors, into elf/ and writes elf/MANIFEST; also
# pv-guest for 32-bit kernels, whose result is not kept. Installs nothing.
#
#   build.sh           what is committed: elf/NAME-be.elf, elf/NAME-le.elf
#   build.sh --qemu    the same code with physical addresses lowered by 4 MiB, as QEMU's pseries wants them, into
#                      target/qemu; book3s32 at the 16 MiB where QEMU's Power Macintosh puts what is linked for 0
#
# Needs the Debian packages rustc-web cargo-web rust-web-src binutils-powerpc64-linux-gnu binutils-powerpc64le-linux-gnu
# binutils-powerpc-linux-gnu.
# The bytes depend on the versions of rustc and binutils, which MANIFEST records.
set -eu
cd "$(dirname "$0")"
PATH=/usr/bin:/bin
RUSTC_WRAPPER=$PWD/rustc.sh
export PATH RUSTC_WRAPPER RUSTC_BOOTSTRAP=1 CARGO_TERM_COLOR=never LC_ALL=C
unset RUSTUP_TOOLCHAIN CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET 2>/dev/null || true

out=elf offset=0 book3s32_base=0x400000 book3s32_offset=0
[ "${1-}" != --qemu ] || { out=target/qemu offset=0x400000 book3s32_base=0x1000000 book3s32_offset=0x1000000; }
mkdir -p "$out"
packages=$(ls kernels/src/bin | sed "s/\.rs$//")

for order in be le; do
    case $order in
        be) arch=powerpc64 ;;
        le) arch=powerpc64le ;;
    esac
    RUSTFLAGS="-Clinker=$arch-linux-gnu-ld -Clinker-flavor=ld -Clink-arg=-T$PWD/link.ld -Clink-arg=--defsym=LOAD_OFFSET=$offset
        -Clink-arg=--build-id=none -Clink-arg=-zmax-page-size=4096 -Crelocation-model=static -Cpanic=abort
        -Ctarget-feature=-altivec,-vsx --remap-path-prefix=$(dirname "$PWD")=. --remap-path-prefix=$PWD=guest --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo" \
        cargo build --release --locked --quiet --target "$arch-unknown-linux-gnu" --target-dir "target/load-$offset" \
        -Zbuild-std=core,compiler_builtins -Zbuild-std-features=compiler-builtins-mem
    for name in demo $packages; do
        install -m 644 "target/load-$offset/$arch-unknown-linux-gnu/release/$name" "$out/$name-$order.elf"
    done
done

RUSTFLAGS="-Cpanic=abort -Dwarnings" cargo build --release --locked --quiet -p pv-guest \
    --target powerpc-unknown-linux-gnu --target-dir target/library -Zbuild-std=core,compiler_builtins

# BASE must be known before the script that asks for it.
thirty_two() {
    RUSTFLAGS="-Clinker=powerpc-linux-gnu-ld -Clinker-flavor=ld -Clink-arg=--defsym=BASE=$2 -Clink-arg=-T$PWD/link.ld
        -Clink-arg=--defsym=LOAD_OFFSET=$3 -Clink-arg=--build-id=none -Clink-arg=-zmax-page-size=4096
        -Crelocation-model=static -Cpanic=abort -Dwarnings --remap-path-prefix=$(dirname "$PWD")=. --remap-path-prefix=$PWD=guest
        --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo" \
        cargo build --release --locked --quiet -p "$1" --target powerpc-unknown-linux-gnu \
        --target-dir "target/load-$3" \
        -Zbuild-std=core,compiler_builtins -Zbuild-std-features=compiler-builtins-mem
    install -m 644 "target/load-$3/powerpc-unknown-linux-gnu/release/$1" "$out/$1-be.elf"
}
thirty_two book3s32 "$book3s32_base" "$book3s32_offset"
thirty_two booke 0x400000 0

if [ "$out" = elf ]; then
    {
        rustc --version
        powerpc64-linux-gnu-ld --version | sed -n 1p
        (cd elf && sha256sum -- *.elf)
    } > elf/MANIFEST
fi
