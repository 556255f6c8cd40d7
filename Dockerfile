# The image holds one static binary, and the authorities by which it checks whom AppTargets call: no shell, nothing to update.
ARG GO_VERSION=1.26.8
FROM --platform=$BUILDPLATFORM golang:${GO_VERSION} AS build
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=unknown
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The same source gives the same bytes: no paths of this machine, no time, no C.
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -buildvcs=false -trimpath -ldflags "-s -w -buildid= -X main.version=${VERSION}" -o /scim-operator .

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /scim-operator /scim-operator
USER 65532:65532
ENTRYPOINT ["/scim-operator"]
