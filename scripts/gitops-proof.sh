#!/usr/bin/env bash
# Shows with the real Argo CD that nothing is drift with what docs/gitops.md says, and with the real
# cert-manager that no review fails while certificates are renewed. Builds the programs of both that
# matter here, and runs them against the control plane of the tests.
#
#   bash scripts/gitops-proof.sh
#
# It is no part of the tests: the first run builds for a quarter of an hour. It needs what
# test-assets.sh needs, git, redis-server (on Debian: apt-get install redis-server), and the right
# to listen on port 443 of a loopback address.
set -euo pipefail

ARGO_CD=v3.2.0
CERT_MANAGER=v1.19.1

cd "$(dirname "$0")/.."
bash scripts/test-assets.sh
cache=${TAGWARDEN_TEST_ASSETS:-$HOME/.cache/tagwarden}
export TAGWARDEN_ARGO_CD=$cache/argo-cd-$ARGO_CD
export TAGWARDEN_CERT_MANAGER=$cache/cert-manager-$CERT_MANAGER
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# built FOLDER PROGRAM MODULE@VERSION MAIN CRDS : a program of ours in the place of a module's own
# commands, with its CRDs. It is built in a copy of the module, which may replace others.
built() {
  local folder=$1 program=$2 module=$3 main=$4 crds=$5
  [ ! -x "$folder/$program" ] || return 0
  rm -rf "$work/module" "$work/built"
  cp -r "$(cd / && go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')" \
    "$work/module"
  chmod -R u+w "$work/module"
  mkdir -p "$work/module/cmd/proof" "$work/built"
  cp "$main" "$work/module/cmd/proof/main.go"
  (cd "$work/module" && CGO_ENABLED=0 GOWORK=off go build -mod=mod -buildvcs=false \
    -ldflags '-s -w' -o "$work/built/$program" ./cmd/proof)
  for file in "$work"/module/$crds; do
    echo '---'
    cat "$file"
  done >"$work/built/crds.yaml"
  mv "$work/built" "$folder"
}

built "$TAGWARDEN_CERT_MANAGER" cert-manager "github.com/cert-manager/cert-manager@$CERT_MANAGER" \
  test/gitops/certificates.go 'deploy/crds/*.yaml'
built "$TAGWARDEN_ARGO_CD" argocd-application-controller \
  "github.com/argoproj/argo-cd/v3@$ARGO_CD" test/gitops/argo_cd.go 'manifests/crds/*-crd.yaml'
for name in argocd-repo-server argocd-git-ask-pass; do
  ln -sf argocd-application-controller "$TAGWARDEN_ARGO_CD/$name"
done
npx --no-install tap --reporter=tap --jobs=1 test/gitops/*.proof.ts
