#!/usr/bin/env bash
# Builds build/package/cairn_VERSION_amd64.deb from build/release/cairn: `./dev package` calls it. The same program and the
# same sources give the same bytes: the time of all files is that of the newest entry of the changelog.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export LC_ALL=C.UTF-8 TZ=UTC

version=$(build/release/cairn version | cut -d ' ' -f 2)
[ "$version" = "$(dpkg-parsechangelog -l deploy/debian/changelog -S Version)" ] ||
  {
    echo "package: deploy/debian/changelog is not about version $version" >&2
    exit 1
  }
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l deploy/debian/changelog -S Timestamp)
export SOURCE_DATE_EPOCH

out=build/package
tree=$out/cairn-$version
rm -rf "$out"
mkdir -p "$tree"
cp -a deploy docs README.md NOTICE "$tree"
cp -a deploy/debian "$tree/debian"
install -m 755 build/release/cairn "$tree/cairn"
find "$tree" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} + # dpkg changes newer ones only
(cd "$tree" && DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage --build=binary --no-sign --no-check-builddeps >../log 2>&1) || {
  tail -n 30 "$out/log" >&2
  exit 1
}
rm -rf "$tree"
echo "$out/cairn_${version}_amd64.deb"
