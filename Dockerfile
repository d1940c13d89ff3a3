# syntax=docker/dockerfile:1
# Builds the server: `docker build -t metaia-server .`. docs/operations.md says how to run it.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# The builder caches the dependencies and their compiled code, so that a change compiles only the project's own crates.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --locked --profile dist -p metaia-server && install -D target/dist/metaia-server /out/metaia-server

FROM debian:bookworm-slim
# The root certificates, with which the server verifies the payment provider.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/metaia-server /usr/local/bin/
COPY --chmod=755 <<'SCRIPT' /usr/local/bin/answers
#!/bin/bash
# `answers /livez` succeeds if the server in this container answers 200 to it.
exec 3<>"/dev/tcp/127.0.0.1/${PORT:-5000}" || exit 1
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
read -r line <&3 && [[ $line == "HTTP/1.1 200 "* ]]
SCRIPT
# The user has a fixed number, so that you can make it the owner of a folder that you mount.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin metaia \
    && install -d -o metaia -g metaia -m 0700 /data
USER 10001:10001
# All addresses, also if you set NODE_ENV to development: the server is reached from outside of the container.
ENV NODE_ENV=production METAIA_HOST=:: PORT=5000 METAIA_DATA=/data METAIA_LOG=json
VOLUME /data
EXPOSE 5000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["answers", "/livez"]
ENTRYPOINT ["metaia-server"]
