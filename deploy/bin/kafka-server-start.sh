#!/usr/bin/env bash
# kafka-server-start.sh [-daemon] server.properties [--override property=value]*
self=$(readlink -f "${BASH_SOURCE[0]}")
exec bash "${self%/*}/../libexec/start-service" kafka "$0" "$@"
