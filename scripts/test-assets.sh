#!/usr/bin/env bash
# Fills a cache with the real parts that the tests run against: a Kubernetes control plane with
# kwok, crane, and two generations of the CNCF Distribution registry.
#
#   bash scripts/test-assets.sh
#
# What is there is left alone, so a second run takes no time. A first run takes about 15 minutes
# on two cores, and 7 GB in Go's own caches. It needs Go (any: an old one fetches a newer one
# through the module proxy) and, for registry v2.8, apt-get. No root.
#
#   TAGWARDEN_TEST_ASSETS  the cache; else ~/.cache/tagwarden
#   KUBEBUILDER_ASSETS     a folder whose programs come before the cache's, one by one
#
# Exit codes: 0 all there, 3 Go is missing, else a step failed.
set -euo pipefail

KUBERNETES=1.36.3
KWOK=v0.8.0
CRANE=v0.22.1
REGISTRY=v3.1.2
HELM=v4.3.1
CERT_MANAGER=v1.19.1
PROMETHEUS_OPERATOR=v0.85.0
OPENREPORTS=v0.2.1
GO=1.26.8 # fetched where the machine's Go is too old to fetch one itself

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${TAGWARDEN_TEST_ASSETS:-$HOME/.cache/tagwarden}
envtest=$cache/envtest/$KUBERNETES
bin=$cache/bin
mkdir -p "$envtest" "$bin"
# Beside the results: a rename within one file system never leaves half a program.
work=$(mktemp -d "$cache/work.XXXXXX")
current=
finish() {
  local code=$?
  if [ -n "$current" ]; then
    exec 2>&3
    cat "$work/log" >&2
    printf 'test-assets: %s failed\n' "$current" >&2
  fi
  chmod -R u+w "$work"
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT

# A repository owned by somebody else, or no git, must not fail a build: -buildvcs=false.
flags=(-trimpath -buildvcs=false)
export CGO_ENABLED=0 GOBIN=$work GOWORK=off
export GOTOOLCHAIN=${GOTOOLCHAIN:-auto}

say() { printf 'test-assets: %s\n' "$*"; }

# whether a part of the control plane is there
have() { [ -s "${KUBEBUILDER_ASSETS:-/nowhere}/$1" ] || [ -s "$envtest/$1" ]; }

# put BUILT DESTINATION
put() {
  chmod 755 "$1"
  mv -f "$1" "$2"
}

# step TITLE FUNCTION ARGUMENT... : one line when done; all that the tools said when it failed
step() {
  local title=$1 start=$SECONDS
  shift
  exec 3>&2 2>"$work/log"
  current=$title
  "$@"
  exec 2>&3 3>&-
  current=
  say "$title: $((SECONDS - start)) s"
}

ready=
need_go() {
  [ -z "$ready" ] || return 0
  if ! command -v go >/dev/null; then
    say "Go is missing. Install any version (on Debian: apt-get install golang), run this again"
    exit 3
  fi
  # Since 1.21 Go fetches the version that a go.mod asks for; before, this does it.
  local minor
  minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  if [ "${minor:-99}" -lt 21 ]; then
    step "Go $GO" toolchain
  fi
  ready=yes
}

# A module's files can't be executed where they are.
toolchain() {
  local version=v0.0.1-go$GO.$(go env GOOS)-$(go env GOARCH)
  cp -r "$(folder "golang.org/toolchain@$version")" "$work/go"
  chmod -R u+w "$work/go"
  chmod -R a+x "$work/go/bin" "$work/go/pkg/tool"
  unset GOROOT
  PATH=$work/go/bin:$PATH
  hash -r
  go version >/dev/null
}

# folder MODULE@VERSION: where its files are
folder() { (cd / && go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'); }

kubernetes() {
  local version=k8s.io/component-base/version minor=${KUBERNETES#*.} packages=()
  local ldflags="-s -w -X $version.gitVersion=v$KUBERNETES"
  ldflags+=" -X $version.gitMajor=${KUBERNETES%%.*} -X $version.gitMinor=${minor%.*}"
  packages=("${@/#/k8s.io/kubernetes/cmd/}")
  (cd "$root/test/cluster/assets/kubernetes" &&
    go build "${flags[@]}" -mod=readonly -ldflags "$ldflags" -o "$work/" "${packages[@]}")
  for name; do put "$work/$name" "$envtest/$name"; done
}

etcd() {
  (cd "$root/test/cluster/assets/etcd" &&
    go build "${flags[@]}" -mod=readonly -ldflags '-s -w' -o "$work/etcd" .)
  put "$work/etcd" "$envtest/etcd"
}

# go_install PACKAGE@VERSION DESTINATION
go_install() {
  local name=${1%@*}
  (cd / && go install "${flags[@]}" -ldflags '-s -w' "$1")
  put "$work/${name##*/}" "$2"
}

# A node that is ready at once and stays so; pods that run, complete and go at once.
stages() {
  local stage
  stage=$(folder "sigs.k8s.io/kwok@$KWOK")/kustomize/stage
  for file in "$stage"/node/{fast/node-initialize,heartbeat/node-heartbeat}.yaml \
    "$stage"/pod/fast/pod-*.yaml; do
    cat "$file"
    echo '---'
  done >"$work/stages.yaml"
  mv -f "$work/stages.yaml" "$envtest/kwok-stages.yaml"
}

# The kinds of other projects that the chart makes objects of.
operators() {
  local monitoring certificates
  monitoring=$(folder "github.com/prometheus-operator/prometheus-operator@$PROMETHEUS_OPERATOR")
  certificates=$(folder "github.com/cert-manager/cert-manager@$CERT_MANAGER")
  for file in "$monitoring"/example/prometheus-operator-crd/*_{prometheusrules,servicemonitors}.yaml \
    "$certificates"/deploy/crds/cert-manager.io_{certificates,issuers}.yaml; do
    echo '---'
    cat "$file"
  done >"$work/operator-crds.yaml"
  mv -f "$work/operator-crds.yaml" "$envtest/operator-crds.yaml"
}

# The kinds that audits report in.
reports() {
  local folder
  folder=$(folder "github.com/openreports/reports-api@$OPENREPORTS")
  for file in "$folder"/config/crd/openreports.io_{reports,clusterreports}.yaml; do
    echo '---'
    cat "$file"
  done >"$work/report-crds.yaml"
  mv -f "$work/report-crds.yaml" "$envtest/report-crds.yaml"
}

# Debian's package, unpacked. Where apt has no lists yet, it gets some of its own.
debian_registry() {
  if ! command -v apt-get >/dev/null; then
    echo "It is the Debian package docker-registry: unpack its program as $bin/registry-v2.8" >&2
    return 1
  fi
  (
    cd "$work"
    # apt-get as root reads and writes here as the user _apt.
    chmod 755 .
    if ! apt-get -qq download docker-registry; then
      mkdir -p lists/partial archives/partial
      set -- -qq -o Dir::State::Lists="$work/lists" -o Dir::Cache::Archives="$work/archives"
      apt-get "$@" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= update
      apt-get "$@" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= download docker-registry
    fi
    dpkg-deb -x docker-registry_*.deb unpacked
  )
  put "$work/unpacked/usr/bin/docker-registry" "$bin/registry-v2.8"
}

missing=()
for name in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
  have $name || missing+=($name)
done
if [ ${#missing[@]} -gt 0 ]; then
  need_go
  step "Kubernetes $KUBERNETES (${missing[*]})" kubernetes "${missing[@]}"
fi
if ! have etcd; then
  need_go
  step etcd etcd
fi
if ! have kwok; then
  need_go
  step "kwok $KWOK" go_install "sigs.k8s.io/kwok/cmd/kwok@$KWOK" "$envtest/kwok"
fi
if ! have kwok-stages.yaml; then
  need_go
  step "stages of kwok $KWOK" stages
fi
if [ ! -s "$bin/registry-$REGISTRY" ]; then
  need_go
  step "registry $REGISTRY" go_install \
    "github.com/distribution/distribution/v3/cmd/registry@$REGISTRY" "$bin/registry-$REGISTRY"
fi
if [ ! -s "$bin/crane-$CRANE" ]; then
  need_go
  step "crane $CRANE" go_install \
    "github.com/google/go-containerregistry/cmd/crane@$CRANE" "$bin/crane-$CRANE"
fi
if [ ! -s "$bin/helm-$HELM" ]; then
  need_go
  step "helm $HELM" go_install "helm.sh/helm/v4/cmd/helm@$HELM" "$bin/helm-$HELM"
fi
if ! have operator-crds.yaml; then
  need_go
  step "kinds of cert-manager $CERT_MANAGER and Prometheus Operator $PROMETHEUS_OPERATOR" operators
fi
if ! have report-crds.yaml; then
  need_go
  step "kinds of OpenReports $OPENREPORTS" reports
fi
if [ ! -s "$bin/registry-v2.8" ]; then
  step 'registry v2.8' debian_registry
fi
say "all in $cache: $SECONDS s"
