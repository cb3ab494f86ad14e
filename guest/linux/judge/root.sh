#!/usr/bin/env bash
# Packs the judge's root file system: Debian's QEMU for ppc64el with its libraries, and the test kernels.
#
#   root.sh OUT.cpio.gz BUILD KERNELS    KERNELS: folder of the test kernels, as `guest/build.sh --qemu` leaves them
#
# Packages come from the host's own mirror, checked as apt checks them, through a private folder: nothing is installed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
out=$(realpath -m "$1") build=$(cd "$2" && pwd) kernels=$(cd "$3" && pwd)
apt=$build/apt root=$build/root
export LC_ALL=C

if [ ! -f "$apt/.complete" ]; then
    rm -rf "$apt"
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    : > "$apt/status"
    # `-c` is read after the host's own configuration, so its proxies stay and its hooks go.
    cat > "$apt/apt.conf" <<CONF
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::Translations;
#clear APT::Architectures;
APT::Architecture "ppc64el";
APT::Architectures { "ppc64el"; };
APT::Sandbox::User "";
Dir::State "$apt"; Dir::State::lists "$apt/lists"; Dir::State::status "$apt/status"; Dir::State::extended_states "$apt/ext";
Dir::Cache "$apt"; Dir::Cache::archives "$apt/archives"; Dir::Cache::pkgcache "$apt/pkgcache.bin"; Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "$apt/sources.list"; Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
Dir::Log "$apt"; Acquire::Languages "none";
CONF
    mirror=$(apt-get indextargets --no-release-info --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' |
        sed -n 's/|bookworm|main$//p' | head -n 1)
    [ -n "$mirror" ] || { echo "root.sh: apt knows no mirror of bookworm; run apt-get update" >&2; exit 1; }
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb [arch=ppc64el signed-by=$keys] $mirror bookworm main" > "$apt/sources.list"
    (
        cd "$apt"
        apt-get -q -c "$apt/apt.conf" update
        apt-get -q -y -c "$apt/apt.conf" --no-install-recommends --download-only install qemu-system-ppc busybox-static
    )
    touch "$apt/.complete"
fi

rm -rf "$root"
mkdir -p "$root"
for package in "$apt"/archives/*.deb; do
    dpkg-deb -x "$package" "$root"
done
(cd "$root" && rm -rf usr/share/{doc,man,locale,info,zoneinfo,perl,X11} usr/lib/python* usr/lib/*/perl* var)
mkdir -p "$root"/{l2,proc,sys,dev,tmp,run}
cp "$here/init" "$root/init"
cp "$kernels"/*.elf "$root/l2"
# Five words at 0x100 enter a kernel as PowerVisor does: r3 = device tree, r4 = 0x400000, r5 = 0.
{
    head -c 256 /dev/zero
    printf '\074\200\000\100\174\211\003\246\070\240\000\000\116\200\004\040'
} > "$root/l2/enter.bin"
(cd "$root" && find . | cpio --quiet -o -H newc) | gzip -1 > "$out.new"
mv "$out.new" "$out"
