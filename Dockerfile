# syntax=docker/dockerfile:1
# The image, built with Docker or BuildKit:  docker build -t registry.example.com/p2pstream:v1 .
# `make image` makes the same image without them; tools/image lays out the files for both.

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
ENV CGO_ENABLED=0
# Modules first: they change less often than the code.
COPY go.mod go.sum ./
COPY tools/go.mod tools/go.sum ./tools/
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
ARG TARGETOS=linux
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/p2pstream ./cmd/p2pstream \
 && cd tools && go run ./image --binary /out/p2pstream --rootfs /out/rootfs

# An empty base: there is nothing to patch but the program itself.
FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="p2pstream" \
      org.opencontainers.image.description="Enterprise CDN for live and on-demand video: tracker, STUN, seeder, viewer and operator" \
      org.opencontainers.image.source="https://github.com/p2pstream/p2pstream" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
COPY --from=build /out/rootfs/ /
# A number, which Kubernetes can check for runAsNonRoot; it cannot check a name.
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/p2pstream"]
