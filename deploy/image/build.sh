#!/usr/bin/env bash
# Builds the OCI image build/image (tag VERSION) and build/cairn_VERSION_oci.tar from build/release/cairn: `./dev image` calls it.
# No registry and no daemon: mmdebstrap unpacks the libraries from Debian, umoci writes the image. The image has no shell and
# no package manager. build.sh "MIRROR LINE": of the Debian that build/release/cairn was built on.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
export LC_ALL=C.UTF-8 TZ=UTC

mirror=$1 out=build/image
version=$(build/release/cairn version | cut -d ' ' -f 2)
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l deploy/debian/changelog -S Timestamp)
export SOURCE_DATE_EPOCH
rm -rf "$out" build/image-root
mkdir -p build/image-root/debian
strip -o build/image-root/cairn build/release/cairn

# The packages of the libraries that it needs, as dpkg knows them.
touch build/image-root/debian/control
packages=$(cd build/image-root && dpkg-shlibdeps -O cairn 2>/dev/null | sed 's/^shlibs:Depends=//; s/ ([^)]*)//g; s/ //g')

mmdebstrap --quiet --variant=extract --include="$packages" --skip=output/dev bookworm build/image-root/debian.tar "$mirror"
root=build/image-root/root
mkdir "$root"
tar -xf build/image-root/debian.tar -C "$root" --no-same-owner --wildcards \
  './lib*' './usr/lib/x86_64-linux-gnu*' './usr/share/doc/*/copyright'
rm -rf "$root/usr/lib/x86_64-linux-gnu/"{audit,engines-3,gconv,ossl-modules/legacy.so}
install -d -m 755 "$root/etc/cairn" "$root/usr/bin" "$root/var/lib/cairn" "$root/usr/share/doc/cairn"
# uid 10001: a number, because Kubernetes can't tell whether a name is root's.
echo 'cairn:x:10001:10001::/var/lib/cairn:/usr/sbin/nologin' >"$root/etc/passwd"
echo 'cairn:x:10001:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
install -m 755 build/image-root/cairn "$root/usr/bin/cairn"
install -m 644 deploy/image/cairn.toml "$root/etc/cairn/cairn.toml"
install -m 644 LICENSE NOTICE "$root/usr/share/doc/cairn"
pack=(tar --format=gnu --sort=name --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --mode=go-w -C "$root" -f build/image-root/layer.tar)
"${pack[@]}" -c --owner=0 --group=0 --exclude=./var/lib/cairn .
"${pack[@]}" -r --owner=10001 --group=10001 --no-recursion ./var/lib/cairn

umoci init --layout "$out"
umoci new --image "$out:$version"
created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)
umoci raw add-layer --image "$out:$version" --history.created "$created" build/image-root/layer.tar
umoci config --image "$out:$version" --created "$created" --history.created "$created" --architecture amd64 --os linux \
  --config.user 10001:10001 --config.entrypoint /usr/bin/cairn --config.cmd serve --config.cmd --config \
  --config.cmd /etc/cairn/cairn.toml --config.workingdir /var/lib/cairn --config.volume /var/lib/cairn \
  --config.exposedports 9000/tcp --config.exposedports 9001/tcp --config.exposedports 9100/tcp --config.stopsignal SIGTERM \
  --config.env CAIRN_DATA_DIR=/var/lib/cairn --config.label "org.opencontainers.image.version=$version" \
  --config.label org.opencontainers.image.title=cairn --config.label org.opencontainers.image.licenses=Apache-2.0
umoci gc --layout "$out"
tar --format=gnu --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -C "$out" -cf "build/cairn_${version}_oci.tar" .
rm -rf build/image-root
echo "build/cairn_${version}_oci.tar"
