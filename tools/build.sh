#!/bin/sh
# Builds tools from their Go modules into .tools/ of this repository: the
# Terraform plugins docker and kubernetes into a filesystem mirror, and tofu.
# What is there and up to date is left alone.
#
#   tools/build.sh [docker] [kubernetes] [tofu]
#
# Without names it builds both plugins, and tofu where there is no terraform.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
out=$root/.tools
cd "$root/tools"

platform=$(go env GOOS)_$(go env GOARCH)

# current NAME FILE: FILE was built from the module tools/NAME as it is now.
current() {
	[ -x "$2" ] && [ "$(cat "$out/.built/$1" 2>/dev/null)" = "$(stamp "$1")" ]
}

stamp() {
	cat "$1/go.mod" "$1/go.sum" | cksum
	go env GOVERSION
	echo "$platform"
}

# compile NAME PACKAGE FILE
compile() {
	if current "$1" "$3"; then
		echo "tools: $1 is up to date"
		return 1
	fi
	echo "tools: building $1 from its Go module; without a build cache this takes $4 ..."
	start=$(date +%s)
	mkdir -p "$(dirname "$3")" "$out/.built"
	(cd "$1" && GOWORK=off CGO_ENABLED=0 nice -n 10 go build -mod=readonly -trimpath -ldflags '-s -w' -o "$3.part" "$2")
	mv -f "$3.part" "$3"
	echo "tools: built $1 in $(($(date +%s) - start)) s"
}

# plugin NAME PACKAGE NAMESPACE VERSION TIME puts a plugin where terraform
# looks for it, and links it where tofu does.
plugin() {
	dir=$3/$1/$4
	terraform=$out/mirror/registry.terraform.io/$dir
	tofu=$out/mirror/registry.opentofu.org/$dir
	compile "$1" "$2" "$terraform/$platform/terraform-provider-$1_v$4" "$5" || return 0
	mkdir -p "$tofu"
	rm -rf "${tofu:?}/$platform"
	ln -s "../../../../registry.terraform.io/$dir/$platform" "$tofu/$platform"
	stamp "$1" >"$out/.built/$1"
}

build() {
	case $1 in
	docker)
		plugin docker github.com/terraform-providers/terraform-provider-docker kreuzwerker 4.6.0 "about 2 minutes"
		;;
	kubernetes)
		plugin kubernetes github.com/hashicorp/terraform-provider-kubernetes hashicorp 3.2.1 "about 2 minutes"
		;;
	tofu)
		if compile tofu github.com/opentofu/opentofu/cmd/tofu "$out/bin/tofu" "about 3 minutes"; then
			stamp tofu >"$out/.built/tofu"
		fi
		;;
	*)
		echo "tools/build.sh: there is no tool $1; there are docker, kubernetes and tofu" >&2
		exit 2
		;;
	esac
}

if [ $# -eq 0 ]; then
	set -- docker kubernetes
	if ! command -v terraform >/dev/null && ! command -v tofu >/dev/null; then
		set -- "$@" tofu
	fi
fi
for name in "$@"; do
	build "$name"
done
