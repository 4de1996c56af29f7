# syntax=docker/dockerfile:1

# Built with the Node that the lock file names for development, run on the same major version.
ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings Node itself: the package "node" need not fetch a second one.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build \
 && npm prune --omit=dev --ignore-scripts \
 && mkdir -p /state/catalog /state/certs

FROM gcr.io/distroless/nodejs24-debian12:nonroot
LABEL org.opencontainers.image.title="tagwarden" \
      org.opencontainers.image.description="Enforces image policies and resolves tags to the newest permitted version and digest" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY bin ./bin
COPY examples ./examples
# The only two places that are written to: mount them, and the root file system may be read-only.
COPY --from=build --chown=65532:65532 /state /var/lib/tagwarden
VOLUME ["/var/lib/tagwarden/catalog", "/var/lib/tagwarden/certs"]
# glibc keeps less of what a burst of large answers has taken: tens of MiB in a large cluster.
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2 \
    MALLOC_TRIM_THRESHOLD_=131072 \
    TAGWARDEN_LISTEN_ADDRESS=0.0.0.0 \
    TAGWARDEN_LISTEN_DRAIN_DELAY=5s \
    TAGWARDEN_CATALOG_PATH=/var/lib/tagwarden/catalog \
    TAGWARDEN_CERTIFICATES_PATH=/var/lib/tagwarden/certs
USER 65532:65532
EXPOSE 8443
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=8", "/app/bin/tagwarden.js"]
CMD ["serve"]
