#!/usr/bin/env bash
# Shows with the real Argo CD that nothing is drift with what docs/gitops.md says: builds its
# application-controller and repo-server, and runs them against the control plane of the tests.
#
#   bash scripts/gitops-proof.sh
#
# It is no part of the tests: the first run builds for a quarter of an hour. It needs what
# test-assets.sh needs, git, and redis-server (on Debian: apt-get install redis-server).
set -euo pipefail

ARGO_CD=v3.2.0

cd "$(dirname "$0")/.."
bash scripts/test-assets.sh
cache=${TAGWARDEN_TEST_ASSETS:-$HOME/.cache/tagwarden}
export TAGWARDEN_ARGO_CD=$cache/argo-cd-$ARGO_CD
if [ ! -x "$TAGWARDEN_ARGO_CD/argocd-application-controller" ]; then
  # Its own module replaces others, so its commands are built from a copy of it.
  work=$(mktemp -d "$cache/work.XXXXXX")
  trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
  module=$(cd / && go mod download -json "github.com/argoproj/argo-cd/v3@$ARGO_CD" |
    sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  cp -r "$module" "$work/argo-cd"
  chmod -R u+w "$work/argo-cd"
  mkdir "$work/argo-cd/cmd/proof" "$work/built"
  cp test/gitops/argo_cd.go "$work/argo-cd/cmd/proof/main.go"
  (cd "$work/argo-cd" && CGO_ENABLED=0 GOWORK=off go build -mod=mod -buildvcs=false -ldflags '-s -w' \
    -o "$work/built/argocd-application-controller" ./cmd/proof)
  for name in argocd-repo-server argocd-git-ask-pass; do
    ln -s argocd-application-controller "$work/built/$name"
  done
  for file in "$work"/argo-cd/manifests/crds/*-crd.yaml; do
    echo '---'
    cat "$file"
  done >"$work/built/crds.yaml"
  mv "$work/built" "$TAGWARDEN_ARGO_CD"
fi
npx --no-install tap --reporter=tap test/gitops/argo_cd.proof.ts
