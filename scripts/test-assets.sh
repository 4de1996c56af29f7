#!/usr/bin/env bash
# Fills a cache with the real parts that the tests run against: a Kubernetes control plane, kwok,
# and two generations of the CNCF Distribution registry. What is there already is left alone.
#
#   bash scripts/test-assets.sh
#
# The cache is $TAGWARDEN_TEST_ASSETS, else ~/.cache/tagwarden. Where KUBEBUILDER_ASSETS names a
# folder that holds kube-apiserver, etcd and kubectl, those are not built.
set -euo pipefail

KUBERNETES=1.36.3
KWOK=v0.8.0
REGISTRY=v3.1.2

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${TAGWARDEN_TEST_ASSETS:-$HOME/.cache/tagwarden}
envtest=$cache/envtest/$KUBERNETES
bin=$cache/bin
mkdir -p "$envtest" "$bin"
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT

say() { printf 'test-assets: %s\n' "$*"; }

need_go() {
  if ! command -v go >/dev/null; then
    say "go is missing: install it (apt-get install golang, or the go.dev archive) and run this again"
    exit 3
  fi
}

# made FILE... : whether all of them are there
made() { for file; do [ -x "$file" ] || return 1; done; }

# put NAME FROM TO : moves a finished binary into place, never half of one
put() { chmod 755 "$1" && mv -f "$1" "$2"; }

timed() {
  local what=$1 start=$SECONDS
  shift
  "$@"
  say "$what: $((SECONDS - start)) s"
}

kubernetes() {
  local version="-X k8s.io/component-base/version.gitVersion=v$KUBERNETES"
  version+=" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36"
  (cd "$root/test/cluster/assets/kubernetes" &&
    CGO_ENABLED=0 go build -mod=readonly -ldflags "-s -w $version" -o "$work/" \
      k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager \
      k8s.io/kubernetes/cmd/kube-scheduler k8s.io/kubernetes/cmd/kubectl)
  for name in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
    put "$work/$name" "$envtest/$name"
  done
}

etcd() {
  (cd "$root/test/cluster/assets/etcd" &&
    CGO_ENABLED=0 go build -mod=readonly -ldflags '-s -w' -o "$work/etcd" .)
  put "$work/etcd" "$envtest/etcd"
}

kwok() {
  GOBIN=$work CGO_ENABLED=0 go install "sigs.k8s.io/kwok/cmd/kwok@$KWOK"
  local module
  module=$(go mod download -json "sigs.k8s.io/kwok@$KWOK" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  for file in "$module"/kustomize/stage/node/fast/node-initialize.yaml \
    "$module"/kustomize/stage/node/heartbeat/node-heartbeat.yaml \
    "$module"/kustomize/stage/pod/fast/pod-*.yaml; do
    cat "$file"
    echo '---'
  done >"$work/kwok-stages.yaml"
  mv -f "$work/kwok-stages.yaml" "$envtest/kwok-stages.yaml"
  put "$work/kwok" "$envtest/kwok"
}

registry3() {
  GOBIN=$work CGO_ENABLED=0 go install "github.com/distribution/distribution/v3/cmd/registry@$REGISTRY"
  put "$work/registry" "$bin/registry-$REGISTRY"
}

# v2.8 is Debian's package docker-registry; no root is needed to unpack it.
registry2() {
  (cd "$work" && apt-get download docker-registry && dpkg-deb -x docker-registry_*.deb unpacked)
  put "$work/unpacked/usr/bin/docker-registry" "$bin/registry-v2.8"
}

if made "${KUBEBUILDER_ASSETS:-/nowhere}"/{kube-apiserver,etcd,kubectl}; then
  say "control plane: $KUBEBUILDER_ASSETS"
elif made "$envtest"/{kube-apiserver,kube-controller-manager,kube-scheduler,kubectl}; then
  say "control plane: there"
else
  need_go
  timed 'control plane' kubernetes
fi
made "$envtest/etcd" || made "${KUBEBUILDER_ASSETS:-/nowhere}/etcd" || { need_go && timed etcd etcd; }
{ made "$envtest/kwok" && [ -s "$envtest/kwok-stages.yaml" ]; } || { need_go && timed kwok kwok; }
made "$bin/registry-$REGISTRY" || { need_go && timed 'registry v3' registry3; }
made "$bin/registry-v2.8" || timed 'registry v2.8' registry2
say "all in $cache"
