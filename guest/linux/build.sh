#!/usr/bin/env bash
# Builds small Linux guests from Debian's own sources with Debian's cross compilers. Installs nothing, needs no root.
#
#   build.sh OUT BUILD NAME...    NAME: pseries-be pseries-le e500v2 e5500 mac32 kvm-pr
#
# OUT/NAME gets vmlinux, vmlinux-pv, a System.map of each, initramfs.cpio.gz and the configuration; BUILD gets sources and
# objects (2 GB for the first guest). A guest whose recipe and sources are those of the last time is left as it is.
# `cargo xtask guests` calls this, and knows the packages that it needs.
#
# vmlinux is as Debian's source has it. vmlinux-pv has two changes in arch/powerpc/kernel without which Linux 6.1 never
# finishes patching itself for the magic page: it probes the page as if it were a user's, which -4096 is not, and it keeps
# 64 KiB for the code of its patches, too little for 32-bit guests.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" "$2"
out=$(cd "$1" && pwd) build=$(cd "$2" && pwd)
shift 2
tarball=/usr/src/linux-source-6.1.tar.xz
linux=$build/linux busybox=$build/busybox-source
export KBUILD_BUILD_USER=guests KBUILD_BUILD_HOST=powervisor KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026'
export LC_ALL=C

say() { printf '== %s\n' "$*"; }
die() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }

# guest_of NAME: the word size and byte order, as busybox is built once for each, and the fragments of the configuration.
guest_of() {
    case $1 in
        pseries-be) arch=powerpc64 fragments='common pseries pseries-be' ;;
        pseries-le) arch=powerpc64le fragments='common pseries pseries-le' ;;
        e500v2) arch=powerpc fragments='common e500v2' ;;
        e5500) arch=powerpc64 fragments='common e5500' ;;
        mac32) arch=powerpc fragments='common mac32' ;;
        kvm-pr) arch=powerpc64le fragments='common pseries pseries-le kvm-pr' ;;
        *) die "no guest $1" ;;
    esac
}

# recipe NAME: what decides the result.
recipe() {
    (cd "$here" && sha256sum build.sh init busybox.config config/*)
    dpkg-query -W linux-source-6.1 "gcc-$arch-linux-gnu" "binutils-$arch-linux-gnu" "libc6-dev-*-cross"
}

unpack_linux() {
    [ -f "$linux/.unpacked" ] && return
    [ -f $tarball ] || die "no $tarball: package linux-source-6.1"
    say "unpacking Linux"
    rm -rf "$linux" && mkdir "$linux"
    tar -C "$linux" --strip-components=1 -xf $tarball
    touch "$linux/.unpacked"
}

# The source of busybox comes from the host's own mirrors, which need not be set up for sources.
fetch_busybox() {
    local apt=$build/apt
    [ -f "$busybox/.unpacked" ] && return
    say "fetching busybox"
    rm -rf "$apt" "$busybox" && mkdir -p "$apt/lists/partial" "$apt/sources" "$busybox"
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$list" ] && sed -n 's/^deb /deb-src /p' "$list" > "$apt/sources/${list##*/}"
    done
    for list in /etc/apt/sources.list.d/*.sources; do
        [ -f "$list" ] && sed 's/^Types:.*/Types: deb-src/' "$list" > "$apt/sources/${list##*/}"
    done
    set -- -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt/sources" \
        -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt" -o APT::Sandbox::User=
    apt-get "$@" update || say "not every list came"
    (cd "$apt" && apt-get "$@" source --download-only busybox)
    tar -C "$busybox" --strip-components=1 -xf "$apt"/busybox_*.orig.tar.*
    touch "$busybox/.unpacked"
}

# merge CONFIG FRAGMENT: the fragment's lines in place of those that CONFIG has for the same names.
merge() {
    local names
    names=$(sed -n 's/^\(CONFIG_[A-Z0-9_]*\)=.*/\1/p' "$2" | paste -sd'|')
    sed -i -E "/^(# )?($names)[ =]/d" "$1"
    cat "$2" >> "$1"
}

# unmet CONFIG FRAGMENT: prints the lines of the fragment that did not take effect.
unmet() {
    local line
    while read -r line; do
        case $line in
            CONFIG_*) grep -qxF -- "$line" "$1" || echo "not set: $line" ;;
            '# CONFIG_'*) ! grep -q "^$(cut -d' ' -f2 <<< "$line")=" "$1" || echo "still set: $line" ;;
        esac
    done < "$2"
}

build_busybox() {
    local objects=$build/busybox-$arch
    local make=(make -C "$busybox" O="$objects" ARCH=powerpc CROSS_COMPILE="$arch-linux-gnu-" "-j$(nproc)")
    mkdir -p "$objects"
    say "busybox for $arch"
    "${make[@]}" -s allnoconfig > /dev/null
    # 32-bit guests have no AltiVec, and an e500 has no classic FPU either way: the kernel emulates it.
    { cat "$here/busybox.config"; [ $arch != powerpc ] || echo 'CONFIG_EXTRA_CFLAGS="-mcpu=powerpc"'; } > "$objects/fragment"
    merge "$objects/.config" "$objects/fragment"
    (set +o pipefail; yes '' | "${make[@]}" -s oldconfig > /dev/null 2>&1)
    [ -z "$(unmet "$objects/.config" "$objects/fragment")" ] || die "busybox: $(unmet "$objects/.config" "$objects/fragment")"
    "${make[@]}" busybox
    "${make[@]}" -s busybox.links
}

build_initramfs() {
    local objects=$build/busybox-$arch
    [ -x "$build/gen_init_cpio" ] || gcc -O2 -o "$build/gen_init_cpio" "$linux/usr/gen_init_cpio.c"
    "$arch-linux-gnu-strip" -o "$objects/stripped" "$objects/busybox"
    {
        printf 'dir /%s 755 0 0\n' bin dev proc sys tmp root etc
        printf 'slink /sbin bin 777 0 0\n'
        printf 'nod /dev/console 600 0 0 c 5 1\nnod /dev/null 666 0 0 c 1 3\n'
        printf 'file /init %s 755 0 0\nfile /bin/busybox %s 755 0 0\n' "$here/init" "$objects/stripped"
        sed 's,.*/,,' "$objects/busybox.links" | sort -u | sed '/^busybox$/d; s,.*,slink /bin/& busybox 777 0 0,'
    } > "$objects/list"
    "$build/gen_init_cpio" -t 1767225600 "$objects/list" | gzip -9n > "$out/$1/initramfs.cpio.gz"
}

build_kernel() {
    local objects=$build/$1 missing
    mkdir -p "$objects"
    make=(make -C "$linux" O="$objects" ARCH=powerpc CROSS_COMPILE="$arch-linux-gnu-" "-j$(nproc)")
    say "Linux for $1"
    (cd "$here/config" && cat $fragments) > "$objects/fragment"
    KCONFIG_ALLCONFIG="$objects/fragment" "${make[@]}" -s allnoconfig
    missing=$(unmet "$objects/.config" "$objects/fragment")
    [ -z "$missing" ] || die "$1: $missing"
    "${make[@]}" vmlinux
    keep "$1" vmlinux System.map
    cp "$objects/.config" "$out/$1/config"
}

# The same kernel with two objects compiled from changed copies, by the very commands that compiled the originals.
build_pv_kernel() {
    local objects=$build/$1 source=$linux/arch/powerpc/kernel file command
    say "Linux for $1, patching itself"
    mkdir -p "$objects/pv"
    sed -z 's/if (fault_in_readable((const char __user \*)KVM_MAGIC_PAGE,[[:space:]]*sizeof(u32)))/if (get_kernel_nofault(start, (u32 **)KVM_MAGIC_PAGE))/' \
        "$source/kvm.c" > "$objects/pv/kvm.c"
    sed 's/\.space\t(64 \* 1024)/.space (1024 * 1024)/' "$source/kvm_emul.S" > "$objects/pv/kvm_emul.S"
    for file in kvm.c kvm_emul.S; do
        ! cmp -s "$objects/pv/$file" "$source/$file" || die "$file is not as it was: the change for vmlinux-pv does not apply"
        command=$(sed -n '1s/^[^=]*:= //p' "$objects/arch/powerpc/kernel/.${file%.*}.o.cmd")
        (cd "$objects" && eval "${command//$source\/$file/pv\/$file}")
    done
    "${make[@]}" vmlinux
    keep "$1" vmlinux-pv System.map-pv
    # The next build makes the originals again.
    rm -f "$objects"/arch/powerpc/kernel/kvm.o "$objects"/arch/powerpc/kernel/kvm_emul.o
}

keep() {
    "$arch-linux-gnu-strip" -o "$out/$1/$2" "$build/$1/vmlinux"
    cp "$build/$1/System.map" "$out/$1/$3"
}

for name in "$@"; do
    guest_of "$name"
    if [ "$(recipe)" = "$(cat "$out/$name/recipe" 2> /dev/null)" ]; then
        say "$name is up to date"
        continue
    fi
    rm -f "$out/$name/recipe"
    mkdir -p "$out/$name"
    unpack_linux
    fetch_busybox
    build_kernel "$name"
    build_pv_kernel "$name"
    build_busybox
    build_initramfs "$name"
    recipe > "$out/$name/recipe"
    say "$name is built in $out/$name"
done
