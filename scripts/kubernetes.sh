#!/usr/bin/env bash
# Runs the tests that need a Kubernetes cluster, on one of these:
#
#   KUBERNETES_CLUSTER=PROGRAM scripts/kubernetes.sh
#       PROGRAM brings a cluster of one node up on this machine, and down again:
#       "PROGRAM up NAME" prints the path of its KUBECONFIG, "PROGRAM load NAME
#       FILE" loads an image as docker save writes it, "PROGRAM down NAME" ends it.
#       KUBERNETES_CLUSTER_NAME is the NAME, "two" unless it is set.
#
#   BERTH_TEST_KUBECONFIG=FILE BERTH_TEST_KUBERNETES_IMAGE=IMAGE scripts/kubernetes.sh
#       a cluster that runs, with a storage class that makes volumes, and an image
#       with a shell and wget that its nodes have. Where pods reach this machine is
#       BERTH_TEST_KUBERNETES_HOST; else it is where their route leads.
#
# With neither, or where no cluster comes up, it says so and succeeds. KUBECONFIG alone is not taken: it may be a
# cluster that is in use.
set -euo pipefail
case ${KUBERNETES_CLUSTER:-} in
*/*) KUBERNETES_CLUSTER=$(realpath "$KUBERNETES_CLUSTER") ;;
esac
cd "$(dirname "$0")/.."

if [ -z "${BERTH_TEST_KUBECONFIG:-}" ] && [ -z "${KUBERNETES_CLUSTER:-}" ]; then
	echo '==> SKIPPED: the tests on Kubernetes; set KUBERNETES_CLUSTER or BERTH_TEST_KUBECONFIG (scripts/kubernetes.sh says how)'
	exit 0
fi

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need kubectl kubernetes-client
need busybox busybox-static
need ssh openssh-client
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "==> installing ${missing[*]}"
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

tools/build.sh kubernetes
if [ -z "${BERTH_TEST_KUBECONFIG:-}" ]; then
	export KUBERNETES_CLUSTER KUBERNETES_CLUSTER_NAME=${KUBERNETES_CLUSTER_NAME:-two}
	trap '"$KUBERNETES_CLUSTER" down "$KUBERNETES_CLUSTER_NAME"' EXIT
	trap 'exit 130' INT TERM
	echo '==> bringing a cluster up; the first time this takes minutes'
	if ! up=$(timeout 30m "$KUBERNETES_CLUSTER" up "$KUBERNETES_CLUSTER_NAME"); then
		echo "==> SKIPPED: the tests on Kubernetes; no cluster came up here: $(tail -n 3 <<<"$up")"
		exit 0
	fi
	BERTH_TEST_KUBECONFIG=$(tail -n 1 <<<"$up")
	export BERTH_TEST_KUBECONFIG
fi

mkdir -p test/results
echo '==> on Kubernetes'
result=0
go test -count 1 -json -timeout 10m ./test/kubernetes >test/results/kubernetes.json || result=1
go run ./scripts/summary test/results/kubernetes.json
exit $result
