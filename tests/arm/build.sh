#!/bin/sh
# An aarch64 user-land to run Python in by emulation: sh build.sh FOLDER PYTHON
#
# Debian's packages are unpacked, none is configured and no root file system is entered. The wheels
# are of the versions that PYTHON has, so that what is compared differs in nothing but the machine.
# Ends with 3 where packages cannot be downloaded at all.
set -eu
folder=$1 python=$2 suite=bookworm version=3.11
needs=$("$python" -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'])")

rm -rf "$folder"
mkdir -p "$folder"
# Both mostly wait for downloads, so they go on side by side.
{
    debootstrap --foreign --arch=arm64 --variant=minbase \
        --include=python3-minimal,libpython3-stdlib "$suite" "$folder/debian" > "$folder/log" 2>&1 \
        || { tail -n 3 "$folder/log" >&2; exit 3; }
    mkdir "$folder/root"
    for package in "$folder"/debian/var/cache/apt/archives/*.deb; do
        dpkg -x "$package" "$folder/root"
    done
    rm -rf "$folder/debian"
} &
unpacking=$!

"$python" -m pip freeze --exclude-editable > "$folder/versions"
# shellcheck disable=SC2086  # names, one word each
"$python" -m pip --quiet --disable-pip-version-check install --target "$folder/packages" \
    --python-version "$version" --only-binary=:all: \
    --platform manylinux_2_28_aarch64 --platform manylinux_2_17_aarch64 \
    --constraint "$folder/versions" $needs || {
    wait
    "$python" -m pip --quiet download --no-deps --dest "$folder/any" packaging && exit 1
    exit 3
}
wait "$unpacking"
touch "$folder/built"
